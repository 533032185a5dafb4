"""Reads upstream in the task that iterates, as a plain `async for` over it would: no queue, no second task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from contextvars import Context
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any, Final, cast

from .alarm import Alarm
from .async_source import ThreadedChunks, release
from .reader import GRACE, End
from .source import Source, as_bytes, closers_of

if TYPE_CHECKING:
    from .engine import Engine


class DirectReader(Alarm):
    """One upstream, read by one task, and the ways to interrupt a read: a deadline, and a close by another task.

    Both cancel the task, and count as `asyncio.timeout` counts: a cancellation by anybody else is never swallowed. An
    interrupted upstream is over, since cancelling the `__anext__` of an asynchronous generator closes it.
    """

    __slots__ = (
        "_cancelling", "_chunks", "_ended", "_in_use", "_interrupted", "_left", "_over", "_reading", "_releasing",
        "_source", "_stopped", "_task", "_thread",
    )  # fmt: skip
    taken: Final = 1  # chunks at a time

    def __init__(self, loop: asyncio.AbstractEventLoop, source: Source, context: Context, engine: Engine[Any]) -> None:
        super().__init__(loop, context, engine)
        self._source = source
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._thread: ThreadedChunks | None = None  # reads a synchronous upstream
        self._chunks: Any = None
        self._reading = False  # the task waits for a chunk, and may be interrupted
        self._in_use = False  # the task reads upstream or closes it
        self._ended = False  # upstream came to its own end
        self._over = False  # it ended or was interrupted
        self._cancelling = 0  # how often the task had been asked to cancel when the read began
        self._interrupted = False
        self._left: asyncio.Future[None] | None = None  # somebody waits until upstream is not in use
        self._stopped = False
        self._releasing: asyncio.Task[None] | None = None

    def ask(self, now: float, until: float, answered_at: float) -> Awaitable[Any]:
        """Begin a read: return the awaitable of the next chunk. What follows is `take`, after `caught` if it raises."""
        if self.watch(now, until, answered_at):
            self.arm(now)  # what upstream has at hand is read first
        self._reading = self._in_use = True
        self._cancelling = self._task.cancelling()
        if self._chunks is None:
            self._open()
        return cast("Awaitable[Any]", self._chunks.__anext__())

    def _open(self) -> None:
        if hasattr(self._source.chunks, "__aiter__"):
            self._chunks = aiter(cast("AsyncIterable[Any]", self._source.chunks))
        else:
            self._chunks = self._thread = ThreadedChunks(self._source, self._context.copy())
            self._source = Source(self._thread)  # its thread closes the other one

    def belongs_to_this_task(self) -> bool:
        """Whether the running task is the one that began to read, in which upstream stays."""
        return asyncio.current_task(self.loop) is self._task

    def caught(self, error: BaseException) -> End | None:
        """Return the end that an exception is, or None for a read that was interrupted; raise any other."""
        if isinstance(error, Exception):
            self._ended = self._over = True
            # Without the frame that caught it: that one holds the stream, which holds the error.
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            return End(None if isinstance(error, StopAsyncIteration) else error)
        if isinstance(error, asyncio.CancelledError) and self._was_interrupted():
            return None
        self._leave()
        raise error

    def take(self, arrived: Any) -> bytes | End | None:
        """Return the chunk or the end that came, or None if the read was interrupted."""
        if self._interrupted and self._was_interrupted():  # but upstream swallowed it, or answered with an end
            arrived = None
        self._reading = self._in_use = False
        if self._left is not None:
            self._leave()
        return arrived if type(arrived) is bytes or arrived is None or type(arrived) is End else as_bytes(arrived)

    def _was_interrupted(self) -> bool:
        """Whether `interrupt`, and nobody else, cancelled the read. Takes back what `interrupt` asked of the task."""
        self._reading = False
        if not self._interrupted:
            return False
        self._interrupted = False
        self._over = True
        return self._task.uncancel() <= self._cancelling

    def _interrupt(self) -> None:
        """Cancel the read that is going on."""
        if self._reading and not self._interrupted:
            self._interrupted = True
            self._task.cancel()

    def _leave(self) -> None:
        """Note that upstream is not in use any more."""
        self._reading = self._in_use = False
        left, self._left = self._left, None
        if left is not None and not left.done() and not self.loop.is_closed():
            left.set_result(None)

    def ring(self) -> None:
        """Look at the deadlines a turn of the loop later: what came meanwhile is read first."""
        if self._reading:
            self.loop.call_soon(self._look, context=self._context)

    def _look(self) -> None:
        deadline = self._engine.next_deadline() if self._reading else None
        if deadline is not None and self.loop.time() >= deadline:
            self._interrupt()
        elif deadline is not None:
            self.arm(deadline)

    def begun(self) -> Source:
        """Return the source for what is left of upstream, for a reader of another kind."""
        self.disarm()
        return self._source if self._chunks is None else self._source.with_chunks(self._chunks)

    def stop(self) -> None:
        """Have upstream released: by who uses it at the moment, else in a task of its own."""
        self._stop(self._closers)

    def forget(self) -> None:
        """Do the same where the stream was dropped. With it goes a generator, and the loop closes that."""
        self._stop(self._closers_but_of_the_generator)

    def _stop(self, closers_of_upstream: Callable[[], list[Any]]) -> None:
        self.disarm()
        if self._in_use:
            if not self.belongs_to_this_task():
                self._interrupt()
        elif not self._stopped:
            self._stopped = True
            if self._thread is not None:
                self._thread.stop()  # which needs no loop: this one may take no further step
            elif not self.loop.is_closed() and (closers := closers_of_upstream()):
                self._releasing = self._context.run(self.loop.create_task, release(*closers), name="unbroken release")

    def _closers(self) -> list[Any]:
        if isinstance(self._chunks, AsyncGeneratorType) and not self._is_open_generator():
            return self._closers_but_of_the_generator()
        close = "aclose" if hasattr(self._source.chunks, "__aiter__") else "close"
        return closers_of(self._source, self._chunks, close=close, abort=None if self._ended else self._source.abort)

    def _closers_but_of_the_generator(self) -> list[Any]:
        if not isinstance(self._chunks, AsyncGeneratorType):
            return self._closers()
        return [] if self._source.close is None else [self._source.close]

    def _is_open_generator(self) -> bool:
        return isinstance(self._chunks, AsyncGeneratorType) and self._chunks.ag_frame is not None

    async def aclose(self) -> None:
        """Release upstream and wait for it. Cancelled meanwhile, it no longer waits, and upstream is released."""
        if self._in_use:
            if self.belongs_to_this_task():  # upstream closes the stream that reads it
                return
            self._interrupt()
            await self._is_left()
        elif not self._stopped and self._is_open_generator():
            await self._close_generator()
        self.stop()
        if self._releasing is not None:
            await asyncio.wait({self._releasing})

    async def _close_generator(self) -> None:
        """Close upstream in the calling task: what it left open may belong to that one."""
        self._in_use = True
        try:
            await release(self._chunks.aclose)
        finally:
            self._leave()
            self.stop()

    async def _is_left(self) -> None:
        while self._in_use:
            if self._left is None:
                self._left = self.loop.create_future()
            await asyncio.wait({self._left})

    async def finish_reading(self) -> None:
        """Let upstream come to its own end, for `GRACE` seconds at most, then release it."""
        self._in_use = True
        try:
            if not self._over and self._chunks is not None:
                await self._read_out()
        finally:
            self._leave()
            self.stop()
        if self._releasing is not None:
            await asyncio.wait({self._releasing}, timeout=GRACE)

    async def _read_out(self) -> None:
        try:
            async with asyncio.timeout(GRACE):
                async for _ in cast("AsyncIterable[object]", self._chunks):
                    await asyncio.sleep(0)  # an upstream that never waits for anything must not keep the loop
        except Exception:
            pass  # the stream has ended: how upstream does is nobody's concern
        self._over = True

    def stop_without_loop(self) -> None:
        """Do what can be done where the loop is closed: end the thread, which waits for it for ever otherwise."""
        if self._thread is not None:
            self._thread.stop()
