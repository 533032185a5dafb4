"""The log: one record per stream that ended and per piece that was dropped, none per chunk.

Records hold no words of upstream's, but, escaped, for those of masked errors and for tracebacks: at DEBUG, or at ERROR
for a bug of the application.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

from ..core.observer import BugObserver
from ..core.quantities import safe_name
from ..core.repairs import Repair, RepairKind
from ..core.report import StreamReport, Verdict

_WARNING: Final = 30  # logging.WARNING, without logging
ERROR: Final = 40  # logging.ERROR
_LEVELS: Final = dict.fromkeys((Verdict.DAMAGED, Verdict.TRUNCATED, Verdict.FAILED), _WARNING)
"""The levels of the other verdicts are 20, logging.INFO."""
_DROPPED: Final = frozenset(
    {
        *(RepairKind.STRAY_LINE, RepairKind.INVALID_JSON, RepairKind.UNFINISHED_TAIL, RepairKind.OVERSIZED_EVENT),
        *(RepairKind.EMPTY_DATA, RepairKind.FOREIGN_BODY, RepairKind.NOT_A_STREAM),
    }
)
MAX_PER_SECOND: Final = 5
"""Records about dropped pieces, of all streams together; the next record counts those that were left out."""
MAX_WORDS: Final = 500
"""Characters of a masked error that are logged, escaped: nobody else gets to see them."""
LONG_PAUSE: Final = 10.0
"""Seconds from which on a pause of the consumer is told in the record of the end."""
_MAX_CAUSES: Final = 8  # they may go in a circle


def warn(text: str, *facts: object) -> None:
    """Log a warning, unless the interpreter ends. None of the facts may be words of upstream's."""
    if sys.is_finalizing():  # nothing can be imported any more
        return
    import logging  # a fifth of the time of `import unbroken`, spared where all streams end well

    logging.getLogger("unbroken").warning(text, *facts)


def trace(error: BaseException, level: int = 10, text: str = "upstream raised %s") -> None:
    """Log with its traceback, at DEBUG or the level, an exception that is raised nowhere."""
    if level < _WARNING and "logging" not in sys.modules:  # then no handler was configured
        return
    import logging

    log = logging.getLogger("unbroken")
    if log.isEnabledFor(level):
        name = type(error).__name__
        raised = (type(error), error, error.__traceback__)
        record = log.makeRecord(log.name, level, __file__, 0, text, (name,), raised)
        record.exc_text = _traceback(error)  # a formatter uses what stands here as it is
        log.handle(record)


def _traceback(error: BaseException) -> str:
    """Return the tracebacks of an exception and of its causes; their messages, which may be upstream's, escaped."""
    from traceback import format_exception_only, format_tb

    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(parts) < _MAX_CAUSES:
        message = "".join(format_exception_only(cause)).strip().encode("unicode_escape").decode()
        parts.insert(0, "".join(["Traceback (most recent call last):\n", *format_tb(cause.__traceback__), message]))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n\nThis led to:\n\n".join(parts)


class Log(BugObserver):
    """The observer that writes the records. `clock` returns seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = -1.0
        self._written = 0
        self._left_out = 0

    def repaired(self, repair: Repair) -> None:
        if repair.kind not in _DROPPED:
            return
        second = self._clock() // 1
        if second != self._second:
            self._second, self._written = second, 0
        self._written += 1
        if self._written > MAX_PER_SECOND:
            self._left_out += 1
            return
        more = f", and {self._left_out} more before it" if self._left_out else ""
        self._left_out = 0
        warn("dropped %d bytes: %s%s", repair.length, repair, more)

    def application_raised(self, error: Exception) -> None:
        trace(error, ERROR, "the application raised %s")

    def ended(self, report: StreamReport) -> None:
        level = _LEVELS.get(report.verdict, 20)
        # Importing logging takes a fifth of the time of `import unbroken`. Where it was not imported, it was not
        # configured, and shows nothing below a warning.
        if level < 30 and "logging" not in sys.modules:
            return
        import logging

        log = logging.getLogger("unbroken")
        if log.isEnabledFor(level):
            log.log(level, "stream %s: %s", report.verdict.value, _line(report), extra=_fields(report))


def _line(report: StreamReport) -> str:
    """Return the end of a stream in one line. Labels may come from a request: `repr` keeps them on that line."""
    labels = {"provider": report.provider, "request": report.request_id}
    parts = [f"{name}={value!r}" for name, value in labels.items() if value is not None]
    parts += [safe_name(report.dialect or (report.format.value if report.format else "unknown format"))]
    parts += [f"{report.events} events", f"{report.repairs.total()} repairs", f"{report.duration:.1f} s"]
    if report.longest_pause >= LONG_PAUSE:
        parts += [f"its consumer asked for nothing for {report.longest_pause:.1f} s"]
    said = report.error.failure.detail if report.error and report.masked_errors else None
    words = f"; upstream said {said[:MAX_WORDS]!r}" if said else ""
    return ", ".join(parts) + (f"; {report.error}" if report.error else "") + words + _advice(report)


def _advice(report: StreamReport) -> str:
    """Return what to do where the whole body was one line in several chunks: `iter_lines()` strips the line ends."""
    first = report.first_repairs[0] if report.first_repairs else None
    if first is None or report.chunks_in < 2 or (first.offset, first.length) != (0, report.bytes_in):
        return ""
    if first.kind is not RepairKind.UNFINISHED_TAIL and first.kind is not RepairKind.GLUED_JSON:
        return ""
    return (
        f"; no line end came in {report.chunks_in} chunks: if they are lines of iter_lines(), which strips line ends, "
        "pass the body as it arrives, as in iter_content(None), iter_raw() or the response itself"
    )


def _fields(report: StreamReport) -> dict[str, Any]:
    """Return the extra fields of the record, each named `stream_...`: figures, slugs and the caller's own labels."""
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
        "longest_pause": report.longest_pause,
        "duration": report.duration,
    }
    return {f"stream_{name}": value for name, value in facts.items()}


def tell_health(provider: str, degraded: bool, errors: int, seconds: float) -> None:
    """Log that a provider is degraded (a warning) or has recovered (info): how many errors, in how many seconds."""
    level = _WARNING if degraded else 20
    if level < _WARNING and "logging" not in sys.modules:  # then nothing below a warning is shown
        return
    import logging

    state = "is degraded" if degraded else "has recovered"
    noun = "error" if errors == 1 else "errors"
    fields = {"stream_provider": provider, "stream_degraded": degraded, "stream_error_count": errors}
    text = "provider %r %s: %d %s in the last %g s"
    logging.getLogger("unbroken").log(level, text, provider, state, errors, noun, seconds, extra=fields)


LOG: Final = Log()
"""The log of every stream that an adapter reads."""
