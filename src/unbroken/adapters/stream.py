"""What synchronous and asynchronous streams share: everything but the waiting."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from ..core.quantities import check_seconds
from ..core.report import StreamError
from ..observe.log import ERROR, trace
from .reader import MAX_BYTES, End
from .source import ChunkTypeError, Source, UpstreamTypeError, close_quietly, met_by

if TYPE_CHECKING:
    from ..core.report import StreamReport
    from ..retry.succession import Succession
    from .engine import Engine

T = TypeVar("T")
SLOW: Final = 0.001
"""Seconds between two items from which on the consumer counts as slow: the timeout clocks exclude that time."""


_FOR_EVER: Final = 1e9
"""Seconds (thirty years) that count as no limit."""


_forks = 0
"""How many forks lie between the process that imported this module and this one."""


def _count_fork() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_count_fork)


class Stream(Generic[T]):
    """Feeds an engine with the chunks of a source, and hands out the items that it returns."""

    _writes: ClassVar[bool] = False
    """Whether items are bytes. A failure is then written as a frame; otherwise it is raised after the last item."""
    _answers_at_once: ClassVar[bool] = False
    """Whether the head of a response has been sent when the stream is first read."""
    _closed = True  # until there is something to close
    _begun = False  # it is being read
    _reader: Any = None

    def __init__(self, engine: Engine[T], source: Source) -> None:
        self._engine = engine
        self._source = source
        self._succession: Succession | None = None
        if source.renew is not None:
            from ..retry.succession import Succession  # few streams have a source that can be renewed

            delivered = engine.remember_ids() if source.resumes else None
            seam = None
            if source.continues:
                from ..retry.continuing import Seam

                seam = Seam()
            engine.renew = self._succession = Succession(source, engine.report, delivered, seam)
            engine.withhold(seam)
        # The exception that upstream raised. Not in the report: that is kept long, and a traceback keeps every local
        # variable of the frames that it passed.
        self._raised: BaseException | None = None
        self._learns_type = engine.options.content_type is None
        self._learn_head(source)
        self._items: Iterator[T] = iter(())
        self._answered_at = 0.0
        self._made_at = _forks
        self._closed = False

    @property
    def report(self) -> StreamReport:
        """The live report: what happened so far. It stays readable after the end."""
        return self._engine.report

    def _may_release(self, ends: Callable[[], bool] = sys.is_finalizing) -> bool:
        """Whether upstream is this process's to release.

        A fork shares the socket with the process that made the stream, and would shut it down for both; it has none of
        the threads that hold locks, either. Where the interpreter ends, nothing can be imported any more, and its
        daemon threads never give a lock back; the system closes the socket. Globals may be None by then.
        """
        return self._made_at == _forks and not ends()

    def _refuse_fork(self) -> None:
        if self._made_at != _forks:
            raise RuntimeError(
                "this stream belongs to the process that made it, and this one is a fork of that: make the request and "
                "the stream in the process that reads it"
            )

    def _start_clocks(self, now: float) -> None:
        self._engine.resume(now)
        self._answered_at = now

    def _learn_head(self, source: Source) -> None:
        """Take the URL of a response, or have a source that is yet to be opened tell it, and its content type."""
        options = self._engine.options  # not `self`, which the source would keep
        options.take_head(None, source.url)
        if hasattr(source.chunks, "on_head"):
            source.chunks.on_head = partial(options.take_head, learns_type=self._learns_type)

    def _was_away(self, now: float) -> None:
        """Exclude the time since the last answer from the timeouts: the consumer took it, not upstream."""
        self._engine.pause(self._answered_at)
        self._engine.resume(now)

    def _note_absence(self) -> None:
        """Have the report count the time since the last answer: the consumer leaves, and did not ask meanwhile."""
        if self._begun and not self._engine.finished:
            self._engine.pause(self._answered_at)

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
            self._learn_head(self._source)
            self._reopen()
        return self._join(items) if len(items) > 1 and self._writes else items

    def _note_open(self) -> None:
        """Note that a server which shuts down is to end this stream."""
        from .open_streams import note_open

        note_open(self)

    def _reopen(self) -> None:
        """Release the connection that failed and read `_source`, which replaces it."""
        raise NotImplementedError

    def _end(self, error: BaseException | None, now: float) -> list[T]:
        if error is None:
            return self._engine.close(now)
        if not isinstance(error, Exception) or (isinstance(error, ChunkTypeError) and not self._answers(error)):
            raise error
        from .raised import error_for, url_of  # few streams fail

        self._engine.options.take_head(None, url_of(error))
        told = error_for(error) or error
        if isinstance(told, StreamError) and told.code == "shutting-down":
            self._engine.renew = None  # it is not upstream that ends
        if told is not error:
            close_quietly(getattr(error, "close", None))  # urllib's error is a response, and holds the connection
        items = self._engine.fail(told, now)
        reported = self._engine.error
        if reported is not None and _reports(reported, told):
            self._raised = met_by(told)
        if self._writes or self._raised is None:
            is_bug = isinstance(told, StreamError) and told.code == "application-error"
            trace(met_by(told), *((ERROR, "the application raised %s") if is_bug else ()))
        return items

    def _answers(self, misuse: ChunkTypeError) -> bool:
        """Return whether misuse that opening upstream showed becomes an error frame, as any other bug does.

        A server for asynchronous applications has sent the head of the response by then, and one for the others sends
        it with the first bytes: an exception would break the response off.
        """
        begun = self._answers_at_once or self._engine.report.bytes_out > 0
        return self._writes and begun and isinstance(misuse, UpstreamTypeError)

    def fail(self, error: Exception) -> None:
        """End with an exception of the consumer, who reads on no more: it is the verdict, unless there is one."""
        from .raised import error_for

        self._engine.fail(error_for(error) or error, self._now())

    def interrupt(self, error: StreamError) -> bool:
        """End with this error as soon as the stream wakes; return whether it can be woken. Any thread may call this."""
        reader: Any = self._reader
        return self._begun and not self._closed and reader is not None and reader.interrupt(error)

    def _now(self) -> float:
        """Return the time of the clock that this stream goes by."""
        raise NotImplementedError

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
