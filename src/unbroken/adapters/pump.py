"""Reads upstream in a task of its own, the pump, and queues its chunks for the task that iterates.

The pump reads upstream from the first `anext` to the end and closes it there. A task per item, or `wait_for(anext())`,
would lose data when it is cancelled, hide context variables, and leave cancel scopes and timeouts inside upstream in
the wrong task.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, cast

from .alarm import Alarm
from .async_source import ThreadedChunks, release
from .reader import GRACE, MAX_BYTES, MAX_CHUNKS, End
from .source import Source, as_bytes, closers_of

if TYPE_CHECKING:
    from .engine import Engine

BURST: Final = MAX_CHUNKS // 2
"""Chunks that come with consecutive turns of the loop and are taken as one, unless the consumer wants longer bursts.
Measured with 200 streams through uvicorn: 1.0 of the throughput of no adapter at all, where a wake-up per chunk leaves
0.4."""
BURST_BYTES: Final = 2**16
LONG_BURST: Final = 0.005
"""Seconds for which more than `BURST` may come, where a consumer takes longer bursts: a turn of a busy loop is long."""
_WAITING: Final[set[Mailbox]] = set()
"""The mailboxes whose pump waits for room. Nothing else refers to such a task, and asyncio complains of one that is
collected with a dropped stream; this one is stopped by the stream."""


class Mailbox(Alarm):
    """The queue between the pump and the consumer, and what wakes either of them.

    The pump refers to its mailbox and not to the stream, so that a stream that is dropped is collected while upstream
    is being read. If every turn of the event loop brings a chunk, waking the consumer for each would be most of the
    work: it sleeps until a turn brings none, or a burst of them waits, and takes them as one.
    """

    # A list of at most 16 and not a deque, whose first block alone takes 600 bytes per idle stream.
    __slots__ = (
        "_burst", "_chunks", "_end", "_entered", "_interruption", "_looking", "_pump", "_room", "_seen", "_size",
        "_source", "_until", "_waiter", "_wanted", "stopped", "taken", "thread",
    )  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        source: Source,
        context: Context,
        engine: Engine[Any],
        burst: int = BURST,
    ) -> None:
        super().__init__(loop, context, engine)
        self._source = source
        self._burst = burst
        self._chunks: list[bytes] = []
        self._size = 0
        self.taken = 0  # how many chunks the last `take` returned as one
        self._looking = False  # a chunk was just taken: more may come with every turn
        self._seen = 0  # how many had come at the last look
        self._until = 0.0  # when a burst that is longer than usual ends
        self._end: End | None = None
        self._interruption: End | None = None  # an end that is not upstream's, which is still being read
        self._wanted = True  # false: what still comes is read and dropped
        self.stopped = False  # true: the pump is to close upstream and end
        self._pump: asyncio.Task[None] | None = None
        self._entered = False  # the pump took its first step: from there on it releases upstream, whatever comes
        self.thread: ThreadedChunks | None = None  # reads a synchronous upstream for the pump
        self._waiter: asyncio.Future[None] | None = None  # the consumer waits, and nothing was queued
        self._room: asyncio.Future[None] | None = None  # the pump waits for room

    def start(self) -> None:
        """Start the pump. If it is stopped already, the pump releases upstream and reads nothing."""
        # Not `create_task(context=...)`: a task factory need not take it.
        self._pump = self._context.run(self.loop.create_task, pump(self._source, self), name="unbroken pump")

    def enter(self) -> bool:
        """Note the pump's first step. Return False if nothing is to be read any more."""
        self._entered = True
        return not self.stopped

    def put(self, chunk: bytes) -> bool:
        """Queue a chunk. Return False if the pump must let others run now."""
        if not self._wanted:
            return False  # or an upstream that never waits for anything would keep the loop from ending it
        self._chunks.append(chunk)
        self._size += len(chunk)
        count = len(self._chunks)
        if not self._looking or count >= self._burst or self._size >= BURST_BYTES:
            self.wake()
        return count < 2 * self._burst and self._size < MAX_BYTES

    async def has_room(self) -> None:
        """Wait until there is room; where nothing is wanted any more, for a turn of the loop."""
        if not self._wanted:
            await asyncio.sleep(0)
            return
        self._room = self.loop.create_future()
        _WAITING.add(self)
        try:
            await self._room
        finally:
            _WAITING.discard(self)

    def ask(self, now: float, until: float, answered_at: float) -> asyncio.Future[None] | None:
        """Return what to await before `take`, or None if something came or is due already."""
        has_ended = self._end is not None or self._interruption is not None
        if self._chunks or has_ended or self.watch(now, until, answered_at):
            return None
        self._waiter = self.loop.create_future()
        return self._waiter

    def caught(self, error: BaseException) -> None:
        """Raise what was raised while it was awaited: the consumer was cancelled, or the loop is gone."""
        self._waiter = None
        raise error

    def take(self, arrived: None) -> bytes | End | None:
        """Return all chunks that are queued as one, or the end, or None."""
        self._waiter = None
        chunks = self._chunks
        self.taken = len(chunks)
        if not chunks:
            return self._interruption or self._end
        chunk = chunks[0] if self.taken == 1 else b"".join(chunks)
        chunks.clear()
        self._size = self._seen = 0
        if self._room is not None:
            self._make_room()
        if not self._looking:
            self._looking = True
            if self._burst > BURST:
                self._until = self.loop.time() + LONG_BURST
            self.loop.call_soon(self._look)
        return chunk

    def _look(self) -> None:
        """Wake the consumer if this turn of the loop brought nothing more."""
        count = len(self._chunks)
        if self._seen < count < self._burst and (count < BURST or self.loop.time() < self._until):
            self._seen = count
            self.loop.call_soon(self._look)
        else:
            self._looking = False
            if count:
                self.wake()

    def interrupt(self, error: Exception) -> bool:
        """End with this error, behind what has arrived; any thread may call it. Return False where no loop runs."""
        try:
            self.loop.call_soon_threadsafe(self._interrupt, error)
        except RuntimeError:
            return False
        return True

    def _interrupt(self, error: Exception) -> None:
        if self._end is None and not self.stopped:
            self._interruption = End(error)
            self._wanted = False  # of what comes now
            self.wake()

    def finish(self, error: BaseException | None) -> None:
        """Note that upstream ended, with what it raised or None."""
        self._end = End(error)
        self.wake()

    def wake(self) -> None:
        """Wake the consumer if it waits."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    ring = wake

    def stop(self) -> None:
        """Have the pump close upstream and end, whatever it waits for."""
        if self.stopped:
            return
        self.stopped = True
        self._drop()
        self.wake()
        # Cancelled before its first step a task never takes it; cancelled after the end it would not close upstream.
        if self._pump is not None and self._entered and self._end is None:
            self._pump.cancel()

    forget = stop

    async def aclose(self) -> None:
        """Have upstream released, and wait for it. Cancelled meanwhile, it no longer waits."""
        self.stop()
        await self._ended()
        if not self._entered:  # nothing was read, or the end of the loop cancelled the pump before its first step
            self.start()
            await self._ended()

    async def finish_reading(self) -> None:
        """Let upstream come to its own end, for `GRACE` seconds at most, then have it released."""
        self._drop()
        try:
            await self._ended(GRACE)
        finally:
            self.stop()

    def stop_without_loop(self) -> None:
        """Do what can be done where the loop is closed: end the thread, which waits for it for ever otherwise."""
        if self.thread is not None:
            self.thread.stop()

    async def _ended(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the pump outlives it
        if self._pump is not None and not self._pump.done():
            await asyncio.wait({self._pump}, timeout=timeout)

    def _drop(self) -> None:
        """Forget what is queued and what still comes."""
        self._wanted = False
        self._chunks.clear()
        self._make_room()
        self.disarm()

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)


async def pump(source: Source, mailbox: Mailbox) -> None:
    """Read upstream to its end, or until cancelled, and close it: all in this one task."""
    is_async = hasattr(source.chunks, "__aiter__")
    if not mailbox.enter():
        await release(*closers_of(source, close="aclose" if is_async else "close", abort=source.abort))
        return
    chunks: Any = None
    error: BaseException | None = None
    try:
        if not is_async:
            mailbox.thread = ThreadedChunks(source)
            source = Source(mailbox.thread)  # its thread closes the other one
        chunks = aiter(cast("AsyncIterable[Any]", source.chunks))
        async for chunk in chunks:
            if not mailbox.put(chunk if type(chunk) is bytes else as_bytes(chunk)):
                await mailbox.has_room()
            if mailbox.stopped:  # upstream swallowed the cancellation
                break
    except GeneratorExit:
        mailbox.stop_without_loop()  # the loop is gone: nothing can be awaited any more
        raise
    except BaseException as raised:
        error = raised
    mailbox.finish(error)
    try:
        await release(*closers_of(source, chunks, close="aclose", abort=source.abort if mailbox.stopped else None))
        if isinstance(error, asyncio.CancelledError) and not mailbox.stopped:
            raise error  # somebody else's cancellation, as at the end of the loop
    finally:
        error = None  # its traceback refers to this frame: a cycle, if this frame referred to it
