"""What synchronous and asynchronous streams share: everything but the waiting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar

from ..core.quantities import check_seconds
from ..core.report import StreamError
from ..observe.log import trace
from .reader import MAX_BYTES, End
from .source import ChunkTypeError, Source, met_by

if TYPE_CHECKING:
    from ..core.report import StreamReport
    from ..retry.succession import Succession
    from .engine import Engine

T = TypeVar("T")
SLOW: Final = 0.001
"""Seconds between two items from which on the consumer counts as slow: the timeout clocks exclude that time."""


_FOR_EVER: Final = 1e9
"""Seconds (thirty years) that count as no limit."""


class Stream(Generic[T]):
    """Feeds an engine with the chunks of a source, and hands out the items that it returns."""

    _writes: ClassVar[bool] = False
    """Whether items are bytes. A failure is then written as a frame; otherwise it is raised after the last item."""
    _closed = True  # until there is something to close

    def __init__(self, engine: Engine[T], source: Source) -> None:
        self._engine = engine
        self._source = source
        self._succession: Succession | None = None
        if source.renew is not None:
            from ..retry.succession import Succession  # few streams have a source that can be renewed

            delivered = engine.remember_ids() if source.resumes else None
            engine.renew = self._succession = Succession(source, engine.report, delivered)
        # The exception that upstream raised. Not in the report: that is kept long, and a traceback keeps every local
        # variable of the frames that it passed.
        self._raised: BaseException | None = None
        self._items: Iterator[T] = iter(())
        self._answered_at = 0.0
        self._closed = False

    @property
    def report(self) -> StreamReport:
        """The live report: what happened so far. It stays readable after the end."""
        return self._engine.report

    def _start_clocks(self, now: float) -> None:
        self._engine.resume(now)
        self._answered_at = now

    def _was_away(self, now: float) -> None:
        """Exclude the time since the last answer from the timeouts: the consumer took it, not upstream."""
        self._engine.pause(self._answered_at)
        self._engine.resume(now)

    def _answer(self, arrived: bytes | End | None, now: float) -> list[T]:
        """Return the items that follow from a chunk, the end, or a deadline (None)."""
        engine = self._engine
        self._answered_at = now
        if type(arrived) is bytes:
            # Bytes that complete nothing must not starve the heartbeat.
            items = engine.feed(arrived, now) or self._overdue(now)
        elif type(arrived) is End:
            items = self._end(arrived.error, now)
        else:
            items = engine.on_deadline(now)
        if self._succession is not None and self._succession.following is not None:
            self._source, self._succession.following = self._succession.following, None
            self._reopen()
        return self._join(items) if len(items) > 1 and self._writes else items

    def _reopen(self) -> None:
        """Release the connection that failed and read `_source`, which replaces it."""
        raise NotImplementedError

    def _end(self, error: BaseException | None, now: float) -> list[T]:
        if error is None:
            return self._engine.close(now)
        if isinstance(error, ChunkTypeError) or not isinstance(error, Exception):
            raise error
        items = self._engine.fail(error, now)
        reported = self._engine.error
        if reported is not None and _reports(reported, error):
            self._raised = met_by(error)
        if self._writes or self._raised is None:
            trace(met_by(error))
        return items

    def _overdue(self, now: float) -> list[T]:
        deadline = None if self._engine.finished else self._engine.next_deadline()
        return [] if deadline is None or now < deadline else self._engine.on_deadline(now)

    def _join(self, items: list[T]) -> list[T]:
        """Join the bytes of one moment into one item, which a server writes at once."""
        return [b"".join(items)]  # type: ignore[arg-type, list-item]

    def _is_past_priming(self, held: list[T]) -> bool:
        """Whether the consumer has the first event, or the end: a failure is not an early one any more."""
        return self._closed or (self._engine.report.events > 0 and not held)

    def _unprimed(self) -> bool:
        """Whether the first event is still to come. At most a megabyte of comments is held back until then."""
        report = self._engine.report
        return not (self._closed or self._engine.finished or report.events or report.bytes_out > MAX_BYTES)

    def _raise_early_failure(self) -> None:
        """Raise the stream's error if it came before the first event, or as the first one."""
        error = self._engine.early_error
        if error is not None and self._engine.report.events <= 1:
            raise self._with_cause(error)

    def _failure(self) -> Exception | None:
        """Return the error to raise after the last item, or None; where bytes are written, a frame has reported it."""
        error = None if self._writes else self._engine.error
        return error and self._with_cause(error)

    def _with_cause(self, error: StreamError) -> StreamError:
        if self._raised is not None:
            error.__cause__ = self._raised
        return error


def check_wait(name: str, seconds: object) -> float:
    """Return the seconds to wait at most. Raises `TypeError` or `ValueError` naming the argument and the fix."""
    if seconds is None:
        return math.inf
    wait = check_seconds(name, seconds, least=0, most=math.inf, instead="None is to wait for ever")
    return wait if wait < _FOR_EVER else math.inf


def _reports(reported: StreamError, raised: Exception) -> bool:
    """Whether an error reports the exception that upstream raised, and not an error that it had sent before."""
    if isinstance(raised, StreamError):
        return reported.failure is raised.failure
    return reported.code == "upstream-failed" and reported.error_type == type(raised).__name__
