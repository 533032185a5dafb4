"""Streams for a program that keeps what it reads: frame by frame, with an end that can be given from outside.

A server that shuts down does not end them: whoever keeps an answer decides that.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.failure import APPLICATION_ERROR, SHUTTING_DOWN, Failure
from ..core.repairer import StreamRepairer
from ..observe.log import ERROR, trace
from .async_stream import AsyncStream
from .reader import End
from .source import ChunkTypeError
from .stream import Stream
from .sync_stream import SyncStream

if TYPE_CHECKING:
    from .source import Source


class _Frames(Stream[bytes]):
    """What both kinds share: frames are not joined, and nothing is raised, since nobody is there to raise it to."""

    _writes: ClassVar[bool] = True
    _engine: StreamRepairer

    @property
    def finished(self) -> bool:
        """Whether the stream has its verdict."""
        return self._engine.finished

    @property
    def dialect(self) -> str | None:
        """The name of the dialect of what is written, once that is known."""
        dialect = self._engine.output_dialect
        return None if dialect is None else dialect.name

    @property
    def takes_comments(self) -> bool:
        """Whether the clients of what is written take SSE comments, as far as that is known."""
        dialect = self._engine.output_dialect
        return dialect is None or dialect.takes_comments

    def spell_failure(self, failure: Failure) -> bytes:
        """Return the frame that would tell a failure, if the stream ended by it now."""
        return self._engine.spell_failure(failure)

    def end(self, failure: Failure) -> list[bytes]:
        """End with this failure, unless the stream has ended; return the last frames. Upstream is left to `close`."""
        return self._engine.end(failure, self._now())

    def _note_open(self) -> None:
        """Leave the end to who keeps the frames."""

    def _join(self, items: list[bytes]) -> list[bytes]:
        return items

    def _answer(self, arrived: bytes | End | None, now: float) -> list[bytes]:
        try:
            return super()._answer(arrived, now)
        except Exception as error:  # of a callback
            return self._misused(error, now)

    def _end(self, error: BaseException | None, now: float) -> list[bytes]:
        if isinstance(error, CancelledError):  # the loop ends, and with it the task that reads
            return self._engine.end(SHUTTING_DOWN, now)
        if isinstance(error, ChunkTypeError) or not isinstance(error, Exception | None):
            return self._misused(error, now)
        return super()._end(error, now)

    def _misused(self, error: BaseException, now: float) -> list[bytes]:
        """End because of what would be raised to a consumer: chunks that are no bytes, `SystemExit`."""
        trace(error, ERROR, "the application raised %s")
        return self._engine.end(APPLICATION_ERROR, now)


class FrameStream(_Frames, SyncStream[bytes]):
    """The frames of one stream, for the one thread that calls `advance`; upstream is read in another."""

    def __init__(self, engine: StreamRepairer, source: Source) -> None:
        super().__init__(engine, source, threaded=True)

    def advance(self, until: float) -> list[bytes]:
        """Return the frames that come next: none where `until`, on the clock of `now`, or a nudge came first."""
        if self.finished or self._closed:
            return []
        items = self._advance(until, drains=True) or []
        self._nudged = False
        return items

    def now(self) -> float:
        """Return the time of the clock by which `advance` waits, in seconds."""
        return self._now()

    def nudge(self) -> None:
        """Have `advance` return. Any thread may call this."""
        self._nudged = True
        self._reader.wake()


class AsyncFrameStream(_Frames, AsyncStream[bytes]):
    """The same for asyncio, for the one task that calls `advance`."""

    async def advance(self, until: float) -> list[bytes]:
        """Return the frames that come next: none where `until`, on the clock of the loop, or a nudge came first."""
        if self.finished or self._closed or self._nudged:
            self._nudged = False
            return []
        items = await self._advance(until) or []
        self._nudged = False
        return items

    _nudged = False
    _burst: ClassVar[int] = 32  # what is kept is written in batches

    def _caught(self, reader: Any, error: BaseException) -> End | None:
        """Do the same but for the verdict, which is given by `end`."""
        try:
            return reader.caught(error)  # type: ignore[no-any-return]
        except BaseException:
            self._busy = False
            reader.stop()
            raise

    def now(self) -> float:
        """Return the time of the clock by which `advance` waits, in seconds."""
        return self._now()

    def nudge(self) -> None:
        """Have `advance` return. Only the thread of the loop may call this."""
        self._nudged = True
        reader: Any = self._reader
        if reader is not None:
            reader.ring()
