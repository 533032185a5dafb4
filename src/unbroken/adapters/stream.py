"""One stream, but for the waiting: what its synchronous and its asynchronous form share."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar

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
"""Seconds between two items from which on the consumer is slow, and the clocks stand still for that time."""


_FOR_EVER: Final = 1e9
"""Seconds, some thirty years, that no clock is asked to count; an integer may be beyond every float."""


class Stream(Generic[T]):
    """Feeds an engine with what a reader or a pump brings."""

    _writes: ClassVar[bool] = False
    """True where items are bytes and a failure is a frame among them; else it is raised after the last item."""
    _closed = True  # until there is something to close

    def __init__(self, engine: Engine[T], source: Source) -> None:
        self._engine = engine
        self._source = source
        self._succession: Succession | None = None
        if source.renew is not None:
            from ..retry.succession import Succession  # few streams have a source that can be renewed

            delivered = engine.remember_ids() if source.resumes else None
            engine.renew = self._succession = Succession(source, engine.report, delivered)
        # What upstream raised. It stands here and not in the report, which is kept longer than what its frames hold.
        self._met: BaseException | None = None
        self._items: Iterator[T] = iter(())
        self._answered_at = 0.0
        self._closed = False

    @property
    def report(self) -> StreamReport:
        """What happened so far; it stays readable after the end."""
        return self._engine.report

    def _start_clocks(self, now: float) -> None:
        self._engine.resume(now)
        self._answered_at = now

    def _was_away(self, now: float) -> None:
        """Spare the clocks the time in which the consumer did not ask: it was none of upstream's."""
        self._engine.pause(self._answered_at)
        self._engine.resume(now)

    def _answer(self, arrived: bytes | End | None, now: float) -> list[T]:
        """Give the items that follow from a chunk, the end, or (None) a deadline."""
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
        """Let go of the connection at hand and read `_source`, which takes its place."""
        raise NotImplementedError

    def _end(self, error: BaseException | None, now: float) -> list[T]:
        if error is None:
            return self._engine.close(now)
        if isinstance(error, ChunkTypeError) or not isinstance(error, Exception):
            raise error
        items = self._engine.fail(error, now)
        told = self._engine.error
        if told is not None and _tells(told, error):
            self._met = met_by(error)
        if self._writes or self._met is None:
            trace(met_by(error))
        return items

    def _overdue(self, now: float) -> list[T]:
        deadline = None if self._engine.finished else self._engine.next_deadline()
        return [] if deadline is None or now < deadline else self._engine.on_deadline(now)

    def _join(self, items: list[T]) -> list[T]:
        """Make one item of what is written at one moment: one write of the server, and not one per frame."""
        return [b"".join(items)]  # type: ignore[arg-type, list-item]

    def _is_past_priming(self, held: list[T]) -> bool:
        """Tell whether the first event, or the end, has left: a failure is then no early one."""
        return self._closed or (self._engine.report.events > 0 and not held)

    def _unprimed(self) -> bool:
        """Tell whether the first event is still to come. A megabyte of comments is not held back for it."""
        report = self._engine.report
        return not (self._closed or self._engine.finished or report.events or report.bytes_out > MAX_BYTES)

    def _raise_early_failure(self) -> None:
        """Raise what went wrong, if it did so before, or as, the first event."""
        error = self._engine.early_error
        if error is not None and self._engine.report.events <= 1:
            raise self._with_cause(error)

    def _failure(self) -> Exception | None:
        """Give what to raise after the last item; where bytes are written, a frame told it."""
        error = None if self._writes else self._engine.error
        return error and self._with_cause(error)

    def _with_cause(self, error: StreamError) -> StreamError:
        if self._met is not None:
            error.__cause__ = self._met
        return error


def check_wait(name: str, seconds: float | None) -> float:
    """Give the seconds to wait at most. Raises `TypeError` or `ValueError` naming the argument and the fix."""
    if seconds is None:
        return math.inf
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} takes seconds as a number, or None to wait for ever, not {type(seconds).__name__}")
    if not seconds >= 0:
        raise ValueError(f"{name} must be 0 seconds or more, not {seconds!r}; None is to wait for ever")
    return seconds if seconds < _FOR_EVER else math.inf


def _tells(told: StreamError, met: Exception) -> bool:
    """Tell whether an error stands for what upstream raised, and not for what it had said before."""
    if isinstance(met, StreamError):
        return told.failure is met.failure
    return told.code == "upstream-failed" and told.error_type == type(met).__name__
