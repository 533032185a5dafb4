"""Observers that cannot hurt a stream, and the one that is always there: the log.

A record per stream that ended and per piece that was dropped, none per chunk. Nothing in them is upstream's own words.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

from ..core.observer import Observer
from ..core.repairs import Repair, RepairKind
from ..core.report import StreamReport, Verdict
from .source import warn

HOOKS: Final = ("started", "received", "content", "repaired", "ended")
_LEVELS: Final = {Verdict.TRUNCATED: 30, Verdict.FAILED: 30}  # logging.WARNING; all else is 20, logging.INFO
_DROPPED: Final = frozenset(
    {
        *(RepairKind.STRAY_LINE, RepairKind.INVALID_JSON, RepairKind.UNFINISHED_TAIL, RepairKind.OVERSIZED_EVENT),
        *(RepairKind.EMPTY_DATA, RepairKind.AFTER_DONE, RepairKind.FOREIGN_BODY, RepairKind.NOT_A_STREAM),
    }
)
MAX_PER_SECOND: Final = 5
"""Records about dropped pieces, of all streams together; what is over that is counted in the next record."""


def watched(
    on_repair: Callable[[Repair], object] | None, observers: Any
) -> tuple[Callable[[Repair], object] | None, Any]:
    """Guard what the caller hands in, so that what it raises is logged and not raised; add the log."""
    if isinstance(observers, Observer):
        return on_repair, observers  # refused with the fix by whoever checks the arguments
    guarded = [_Guarded(observer) if isinstance(observer, Observer) else observer for observer in observers]
    return _guard(on_repair, "on_repair") if callable(on_repair) else on_repair, (*guarded, LOG)


def _guard(call: Callable[..., object], name: str) -> Callable[..., None]:
    def guarded(*facts: object) -> None:
        try:
            call(*facts)
        except Exception as error:
            warn("%s raised %s", name, type(error).__name__)

    return guarded


def _guard_received(call: Callable[..., object], name: str) -> Callable[..., None]:
    """The same for a hook of every chunk: naming its arguments takes a third off the guard's cost."""

    def guarded(report: StreamReport, chunk: bytes, at: float) -> None:
        try:
            call(report, chunk, at)
        except Exception as error:
            warn("%s raised %s", name, type(error).__name__)

    return guarded


def _guard_content(call: Callable[..., object], name: str) -> Callable[..., None]:
    def guarded(report: StreamReport, gap: float) -> None:
        try:
            call(report, gap)
        except Exception as error:
            warn("%s raised %s", name, type(error).__name__)

    return guarded


class _Guarded(Observer):
    """Stands for another observer, and has no more hooks than that one overrides."""

    def __init__(self, observer: Observer) -> None:
        for hook in HOOKS:
            if getattr(type(observer), hook) is not getattr(Observer, hook):
                if hook in observer._cannot_raise:
                    setattr(self, hook, getattr(observer, hook))
                    continue
                guard = _OF_EVERY_EVENT.get(hook, _guard)
                setattr(self, hook, guard(getattr(observer, hook), f"{type(observer).__name__}.{hook}"))


_OF_EVERY_EVENT: Final = {"received": _guard_received, "content": _guard_content}


class _Log(Observer):
    """Writes the records."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = -1.0
        self._written = 0
        self._held_back = 0

    def repaired(self, repair: Repair) -> None:
        if repair.kind not in _DROPPED:
            return
        second = self._clock() // 1
        if second != self._second:
            self._second, self._written = second, 0
        self._written += 1
        if self._written > MAX_PER_SECOND:
            self._held_back += 1
            return
        more = f", and {self._held_back} more before it" if self._held_back else ""
        self._held_back = 0
        warn("dropped %d bytes: %s%s", repair.length, repair, more)

    def ended(self, report: StreamReport) -> None:
        level = _LEVELS.get(report.verdict, 20)
        # Importing logging takes a fifth of the time of `import unbroken`; where nobody did, nobody reads good news.
        if level < 30 and "logging" not in sys.modules:
            return
        import logging

        log = logging.getLogger("unbroken")
        if log.isEnabledFor(level):
            log.log(level, "stream %s: %s", report.verdict.value, _line(report), extra=facts_of(report))


def _line(report: StreamReport) -> str:
    """Say in one line what ended. Labels are the caller's, and may come from a header: repr keeps them on the line."""
    labels = {"provider": report.provider, "request": report.request_id}
    said = [f"{name}={value!r}" for name, value in labels.items() if value is not None]
    said += [report.dialect or (report.format.value if report.format else "unknown format")]
    said += [f"{report.events} events", f"{report.repairs.total()} repairs", f"{report.duration:.1f} s"]
    return ", ".join(said) + (f"; {report.error}" if report.error else "")


def facts_of(report: StreamReport) -> dict[str, Any]:
    """Give the fields of the record, each named `stream_...`; figures, slugs and the caller's own labels."""
    facts = {
        "verdict": report.verdict.value,
        "format": report.format.value if report.format else None,
        "dialect": report.dialect,
        "provider": report.provider,
        "request_id": report.request_id,
        "error": report.error.code if report.error else None,
        "timeout": report.timeout,
        "events": report.events,
        "bytes_in": report.bytes_in,
        "bytes_out": report.bytes_out,
        "repairs": {kind.value: count for kind, count in report.repairs.items()},
        "heartbeats": report.heartbeats,
        "retries": report.retries,
        "first_byte": report.first_byte,
        "first_event": report.first_event,
        "first_content": report.first_content,
        "longest_gap": report.longest_gap,
        "duration": report.duration,
    }
    return {f"stream_{name}": value for name, value in facts.items()}


LOG: Final = _Log()
"""The observer of every stream that an adapter reads."""
