"""Reads upstream in a task of its own, the pump, and queues its chunks for the task that iterates.

The pump reads upstream from the first `anext` to the end and closes it there. A task per item, or `wait_for(anext())`,
would lose data when it is cancelled, hide context variables, and leave cancel scopes and timeouts inside upstream in
the wrong task.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterable
from contextvars import Context
from typing import Any, Final, cast

from .async_source import ThreadedChunks, release
from .reader import MAX_BYTES, MAX_CHUNKS, End
from .source import Source, as_bytes, closers_of

BURST: Final = MAX_CHUNKS // 2
"""Chunks that come turn by turn of the loop and are taken as one. Measured with 200 streams through uvicorn: 1.0 of
the throughput of no adapter at all, where a wake-up per chunk leaves 0.4."""
BURST_BYTES: Final = 2**16


class Mailbox:
    """Chunks on their way from the pump to the consumer. It knows both, and neither knows the other.

    What comes turn by turn of the loop comes as fast as the loop can go. Then waking the consumer for each chunk would
    be most of the work, so it sleeps until a turn brings nothing or there are `BURST` of them, and takes them as one.
    """

    # A list of at most 16 and not a deque, whose first block alone takes 600 bytes per idle stream.
    __slots__ = (
        "armed", "chunks", "end", "entered", "looking", "loop", "pump", "room", "seen", "size", "stopped", "taken",
        "thread", "timer", "waiter", "wanted",
    )  # fmt: skip

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop  # once there is a pump
        self.chunks: list[bytes] = []
        self.size = 0
        self.taken = 0  # how many chunks the last `take` gave as one
        self.looking = False  # a chunk was just taken: more may come with every turn
        self.seen = 0  # how many had come at the last look
        self.end: End | None = None
        self.wanted = True  # false: what still comes is read and dropped
        self.stopped = False
        self.pump: asyncio.Task[None] | None = None
        self.entered = False  # the pump took its first step: from there on it releases upstream, whatever comes
        self.thread: ThreadedChunks | None = None  # reads a synchronous upstream for the pump
        self.timer: asyncio.TimerHandle | None = None
        self.armed = math.inf  # when the timer is due
        self.waiter: asyncio.Future[None] | None = None  # the consumer waits, and nothing was queued
        self.room: asyncio.Future[None] | None = None  # the pump waits for room

    def start(self, loop: asyncio.AbstractEventLoop, source: Source, context: Context) -> None:
        """Start the pump; stopped already, it does nothing but release upstream."""
        self.loop = loop
        # Not `create_task(context=...)`: a task factory need not take it.
        self.pump = context.run(loop.create_task, pump(source, self), name="unbroken pump")

    def enter(self) -> bool:
        """Take the pump's first step. False if nothing is to be read any more."""
        self.entered = True
        return not self.stopped

    def put(self, chunk: bytes) -> bool:
        """Take a chunk from the pump. False if it must let others run now."""
        if not self.wanted:
            return False  # or an upstream that never waits for anything would keep the loop from ending it
        self.chunks.append(chunk)
        self.size += len(chunk)
        count = len(self.chunks)
        if not self.looking or count >= BURST or self.size >= BURST_BYTES:
            self.wake()
        return count < MAX_CHUNKS and self.size < MAX_BYTES

    async def has_room(self) -> None:
        """Wait until there is room; where nothing is wanted any more, for a turn of the loop."""
        if not self.wanted:
            await asyncio.sleep(0)
            return
        self.room = self.loop.create_future()
        await self.room

    def take(self) -> bytes | End | None:
        """Give the consumer all that is queued, or the end, or None."""
        chunks = self.chunks
        self.taken = len(chunks)
        if not chunks:
            return self.end
        chunk = chunks[0] if self.taken == 1 else b"".join(chunks)
        chunks.clear()
        self.size = self.seen = 0
        if self.room is not None:
            self._make_room()
        if not self.looking:
            self.looking = True
            self.loop.call_soon(self._look)
        return chunk

    def _look(self) -> None:
        """Wake the consumer if this turn of the loop brought nothing more."""
        count = len(self.chunks)
        if self.seen < count < BURST:
            self.seen = count
            self.loop.call_soon(self._look)
        else:
            self.looking = False
            if count:
                self.wake()

    def finish(self, error: BaseException | None) -> None:
        """Take the end from the pump."""
        self.end = End(error)
        self.wake()

    def arm(self, when: float) -> None:
        """Have the consumer look at its deadlines again at `when`."""
        if self.timer is not None:
            self.timer.cancel()
        self.armed = when
        self.timer = self.loop.call_at(when, self._on_timer)

    def wake(self) -> None:
        """Let the consumer look again."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def drop(self) -> None:
        """Forget what is queued and what still comes."""
        self.wanted = False
        self.chunks.clear()
        self._make_room()
        if self.timer is not None:
            self.timer.cancel()

    def stop(self) -> None:
        """Have the pump close upstream and end, whatever it waits for."""
        if self.stopped:
            return
        self.stopped = True
        self.drop()
        self.wake()
        # Cancelled before its first step a task never takes it; cancelled behind the end it would not close upstream.
        if self.pump is not None and self.entered and self.end is None:
            self.pump.cancel()

    def stop_without_loop(self) -> None:
        """Do what can be done where the pump runs no more: end the thread, which else waits for it for ever."""
        if self.thread is not None:
            self.thread.stop()

    def _make_room(self) -> None:
        room, self.room = self.room, None
        if room is not None and not room.done():
            room.set_result(None)

    def _on_timer(self) -> None:
        self.timer, self.armed = None, math.inf
        self.wake()


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
        error = None  # it holds this frame, which would hold it
