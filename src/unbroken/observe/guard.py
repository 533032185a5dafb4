"""Observers and callbacks that cannot hurt a stream: what they raise is logged and not raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from ..core.observer import Observer
from ..core.repairs import Repair
from ..core.report import StreamReport
from .log import LOG, warn

HOOKS: Final = ("started", "received", "content", "repaired", "ended")


def guarded(
    on_repair: Callable[[Repair], object] | None, observers: Any
) -> tuple[Callable[[Repair], object] | None, Any]:
    """Return both so that what they raise is logged and not raised, with the log as one more observer.

    What is of the wrong type is returned as it is, for the check of the options to refuse.
    """
    if isinstance(observers, Observer) or not isinstance(observers, Iterable):
        return on_repair, observers
    safe = [_Guarded(observer) if isinstance(observer, Observer) else observer for observer in observers]
    return _guard(on_repair, "on_repair") if callable(on_repair) else on_repair, (*safe, LOG)


def _guard(call: Callable[..., object], name: str) -> Callable[..., None]:
    """Return a function that calls `call`, and logs by `name` and type what that raises."""

    def guarded(*facts: object) -> None:
        try:
            call(*facts)
        except Exception as error:
            warn("%s raised %s", name, type(error).__name__)

    return guarded


def _guard_received(call: Callable[..., object], name: str) -> Callable[..., None]:
    """Do the same for the hook of every chunk: named arguments make the guard a third cheaper."""

    def guarded(report: StreamReport, chunk: bytes, at: float) -> None:
        try:
            call(report, chunk, at)
        except Exception as error:
            warn("%s raised %s", name, type(error).__name__)

    return guarded


def _guard_content(call: Callable[..., object], name: str) -> Callable[..., None]:
    """Do the same for the hook of every event with content."""

    def guarded(report: StreamReport, gap: float) -> None:
        try:
            call(report, gap)
        except Exception as error:
            warn("%s raised %s", name, type(error).__name__)

    return guarded


class _Guarded(Observer):
    """Takes the place of an observer, with the hooks that it overrides and no others: the rest then cost nothing."""

    def __init__(self, observer: Observer) -> None:
        for hook in HOOKS:
            if getattr(type(observer), hook) is not getattr(Observer, hook):
                if hook in observer._cannot_raise:
                    setattr(self, hook, getattr(observer, hook))
                    continue
                guard = _OF_EVERY_EVENT.get(hook, _guard)
                setattr(self, hook, guard(getattr(observer, hook), f"{type(observer).__name__}.{hook}"))


_OF_EVERY_EVENT: Final = {"received": _guard_received, "content": _guard_content}
