"""The interface of what watches streams: metrics, recorders, logs, one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from .repairs import Repair
from .report import StreamReport


class Observer:
    """Watch streams: override the methods you need; what is not overridden is not called, and costs nothing."""

    _cannot_raise: ClassVar[frozenset[str]] = frozenset()
    """Hooks of ours that are called for every event, and are spared the guard that costs as much as they do."""

    def started(self, report: StreamReport) -> None:
        """A stream began; its report is live."""

    def received(self, report: StreamReport, chunk: bytes, at: float) -> None:
        """A chunk arrived, `at` seconds after the start; the hooks for what it completes are called after this."""

    def content(self, report: StreamReport, gap: float) -> None:
        """An event of content was forwarded, `gap` seconds after the one before it, or after the start."""

    def repaired(self, repair: Repair) -> None:
        """Something was repaired."""

    def ended(self, report: StreamReport) -> None:
        """The stream ended, its verdict is final."""


class BugObserver(Observer):
    """An observer that is also told of a bug of the application inside of the stream, which then ends the stream."""

    def application_raised(self, error: Exception) -> None:
        """A function that the application gave raised this."""
        raise NotImplementedError


def hooks(observers: Iterable[Observer], name: str) -> tuple[Callable[..., None], ...]:
    """Return the methods of that name that the observers override."""
    methods = [getattr(observer, name) for observer in observers]
    return tuple(method for method in methods if getattr(method, "__func__", None) is not getattr(Observer, name))
