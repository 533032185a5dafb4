"""The log: a record per stream that ended and per piece that was dropped, none per chunk.

Nothing in a record is upstream's own words, tracebacks at DEBUG aside, which are escaped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

from ..core.repairs import Repair, RepairKind
from ..core.report import Observer, StreamReport, Verdict

_LEVELS: Final = {Verdict.TRUNCATED: 30, Verdict.FAILED: 30}  # logging.WARNING; all else is 20, logging.INFO
_DROPPED: Final = frozenset(
    {
        *(RepairKind.STRAY_LINE, RepairKind.INVALID_JSON, RepairKind.UNFINISHED_TAIL, RepairKind.OVERSIZED_EVENT),
        *(RepairKind.EMPTY_DATA, RepairKind.AFTER_DONE, RepairKind.FOREIGN_BODY, RepairKind.NOT_A_STREAM),
    }
)
MAX_PER_SECOND: Final = 5
"""Records about dropped pieces, of all streams together; what is over that is counted in the next record."""
_MAX_CAUSES: Final = 8  # they may go in a circle


def warn(text: str, *facts: object) -> None:
    """Log a warning; none of the facts may be upstream's own words."""
    import logging  # a fifth of the time of `import unbroken`, spared where all streams end well

    logging.getLogger("unbroken").warning(text, *facts)


def trace(error: BaseException) -> None:
    """Log where an exception came from, at DEBUG, for nobody else is told."""
    if "logging" not in sys.modules:  # then nobody asked for it
        return
    import logging

    log = logging.getLogger("unbroken")
    if log.isEnabledFor(logging.DEBUG):
        name = type(error).__name__
        raised = (type(error), error, error.__traceback__)
        record = log.makeRecord(log.name, logging.DEBUG, __file__, 0, "upstream raised %s", (name,), raised)
        record.exc_text = _story(error)  # what stands here, a formatter does not format again
        log.handle(record)


def _story(error: BaseException) -> str:
    """Give the tracebacks of an exception and of its causes. Their texts, which may be upstream's, are escaped."""
    from traceback import format_exception_only, format_tb

    told: list[str] = []
    met: BaseException | None = error
    while met is not None and len(told) < _MAX_CAUSES:
        said = "".join(format_exception_only(met)).strip().encode("unicode_escape").decode()
        told.insert(0, "".join(["Traceback (most recent call last):\n", *format_tb(met.__traceback__), said]))
        met = met.__cause__ or (None if met.__suppress_context__ else met.__context__)
    return "\n\nThis led to:\n\n".join(told)


class Log(Observer):
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


LOG: Final = Log()
"""The observer of every stream that an adapter reads."""
