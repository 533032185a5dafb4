"""Streams for asyncio: FastAPI, Starlette, Django under ASGI, aiohttp.

One task, the pump, reads upstream from the first `anext` to the end and closes it there. A task per item, or
`wait_for(anext())`, would lose data when it is cancelled, hide context variables, and leave cancel scopes and timeouts
inside upstream in the wrong task.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextvars import Context, copy_context
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, Self, TypeVar, Unpack, cast

from ..core.engine import EventEngine
from ..core.events import Event
from ..core.options import ReadOptions, RepairOptions
from ..core.repairer import StreamRepairer
from ..observe.log import warn
from .arguments import complete, with_options
from .reader import GRACE, MAX_BYTES, MAX_CHUNKS, End, ThreadReader
from .source import Source, as_bytes, as_source, close_quietly, closers_of
from .stream import SLOW, Stream, check_wait

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from .engine import Engine

T = TypeVar("T")
TRUSTED: Final = 0.25
"""Seconds for which a timer that is set spares a look at the deadlines. Those of heartbeats only move away meanwhile;
a timeout that is shorter than this can be late by as much."""
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


def running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


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


async def release(*closers: Callable[[], Any] | None) -> None:
    """Call, and where need be await, each closer. What one raises is logged by type: nobody is left to tell."""
    for close in closers:
        if close is not None:
            try:
                closing = close()
                if hasattr(closing, "__await__"):
                    await closing
            except Exception as error:
                warn("closing upstream raised %s", type(error).__name__)


def release_at_once(source: Source) -> None:
    """Release what was never read where no loop runs: where a closing would have to be awaited, by `abort`."""

    def at_once(close: Callable[[], Any]) -> None:
        closing = close()
        if asyncio.iscoroutine(closing):
            closing.close()  # or it complains that nobody awaits it
            close_quietly(source.abort)

    close_quietly(*(partial(at_once, close) for close in closers_of(source, abort=source.abort)))


class ThreadedChunks:
    """The chunks of a synchronous upstream, read in a thread, as an asynchronous iterator."""

    def __init__(self, source: Source) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] | None = None
        self._reader = ThreadReader(source, self._notify)
        if not self._reader.start():
            raise RuntimeError("no thread can be started to read a synchronous iterable")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while (arrived := self._reader.take()) is None:
            self._ready = self._loop.create_future()
            await self._ready
        if type(arrived) is bytes:
            return arrived
        raise cast(End, arrived).error or StopAsyncIteration

    async def aclose(self) -> None:
        """Release upstream; its thread closes it."""
        self.stop()

    def stop(self) -> None:
        """Release upstream, from any thread."""
        self._reader.stop()

    def _notify(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the loop is closed, and with it every consumer gone
            self._reader.stop()

    def _wake(self) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)


class AsyncStream(Stream[T], AsyncIterator[T]):
    """An asynchronous iterator over a repaired stream, for one consumer.

    Upstream is released at the end, by `aclose`, by leaving `async with`, by an exception or a cancellation in `anext`,
    and by garbage collection.
    """

    def __init__(self, engine: Engine[T], source: Source) -> None:
        self._context = copy_context()
        self._mailbox = Mailbox()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._home = running_loop()  # where it is released if it never begins
        self._now: Callable[[], float] = time.monotonic  # the loop's, once there is one
        self._busy = False
        self._looked_at = 0.0  # when the engine was last asked for its deadline
        super().__init__(engine, source)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item
            if self._closed or self._engine.finished:
                await self._finish()
            self._items = iter(await self._advance(math.inf) or ())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self._closed:
            return
        self._engine.cancel(self._now())
        loop, mailbox = self._loop or self._home, self._mailbox
        try:  # a collection can run in any thread
            if self._loop is not None:
                self._loop.call_soon_threadsafe(mailbox.stop)
            elif loop is not None and loop.is_running():
                mailbox.stopped = True
                loop.call_soon_threadsafe(mailbox.start, loop, self._source, self._context)
            else:
                release_at_once(self._source)
        except RuntimeError:  # the loop is closed
            mailbox.stop_without_loop()

    async def aprime(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - the stream outlives it
        """Wait for the first event, so that a failure before it can still be answered with a real status.

        True once there is one, or the stream ended without; False if `timeout` seconds passed first, and the stream
        stays usable. No heartbeat is sent meanwhile. Raises `StreamError` if the stream failed before its first
        event, or with it, and the consumer has not met that yet; its `status_hint` is the status to answer with.
        Raises `TypeError` or `ValueError` for a `timeout` that is no number of seconds from 0 on.
        """
        until = check_wait("aprime(timeout=...)", timeout) + asyncio.get_running_loop().time()
        held = list(self._items)
        if self._is_past_priming(held):
            return True
        self._engine.hold(True)
        try:
            while self._unprimed():
                items = await self._advance(until)
                if items is None:
                    return False
                held += items
        finally:
            self._engine.hold(False)
            self._items = iter(() if self._closed else held)
        self._raise_early_failure()
        return True

    async def aclose(self) -> None:
        """Leave the stream: release upstream and yield nothing more. The verdict is CANCELLED unless there is one.

        It waits until upstream is released. Cancelled meanwhile, it no longer waits, and upstream is released all the
        same.
        """
        self._leave()
        await self._pump_ended()
        if not self._mailbox.entered:  # the stream never began, or the loop's end cancelled the pump before its start
            self._mailbox.start(asyncio.get_running_loop(), self._source, self._context)
            await self._pump_ended()

    def _leave(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._items = iter(())
        self._engine.cancel(self._now())
        self._mailbox.stop()

    async def _pump_ended(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the pump outlives it
        task = self._mailbox.pump
        if task is not None and not task.done():
            await asyncio.wait({task}, timeout=timeout)

    async def _advance(self, until: float) -> list[T] | None:
        """Give what the next chunk, end or deadline brings; None if `until` came first."""
        if self._busy:
            raise RuntimeError("this stream is being read by another task; give each reader a stream of its own")
        self._busy = True
        mailbox = self._mailbox
        try:
            loop = self._loop or self._begin()
            now = loop.time()
            if now - self._answered_at > SLOW:
                self._was_away(now)
            arrived = mailbox.take()
            while arrived is None:
                # A timer that is due this soon looks after the deadlines: asking for them costs as much as a chunk.
                if mailbox.armed > now + TRUSTED or until < mailbox.armed:
                    deadline = self._engine.next_deadline()
                    due = math.inf if deadline is None else deadline
                    soonest = min(due, until)
                    if now >= soonest:
                        if due <= until:
                            return self._on_deadline(now)
                        self._answered_at = now  # the wait was upstream's time, and not the consumer's
                        return None
                    self._watch(soonest, now)
                mailbox.waiter = loop.create_future()
                await mailbox.waiter
                mailbox.waiter = None
                if self._closed:  # by another task
                    return []
                now = loop.time()
                arrived = mailbox.take()
            if mailbox.taken > 1:
                self._engine.report.chunks_in += mailbox.taken - 1
            return self._answer(arrived, now)
        except BaseException:
            self._leave()
            raise
        finally:
            mailbox.waiter = None
            self._busy = False

    def _watch(self, soonest: float, now: float) -> None:
        """Set the timer; while chunks come it is set anew a few times a second, and not with each of them."""
        if self._answered_at > self._looked_at:
            soonest = min(soonest, now + TRUSTED)
        self._looked_at = now
        if soonest < self._mailbox.armed:
            self._mailbox.arm(soonest)

    def _begin(self) -> asyncio.AbstractEventLoop:
        loop = self._loop = asyncio.get_running_loop()
        self._now = loop.time
        self._start_clocks(loop.time())
        self._mailbox.start(loop, self._source, self._context)
        return loop

    def _reopen(self) -> None:
        self._mailbox.stop()
        self._mailbox = Mailbox()
        self._mailbox.start(asyncio.get_running_loop(), self._source, self._context)

    def _on_deadline(self, now: float) -> list[T]:
        items = self._answer(None, now)
        self._looked_at = now
        if self._engine.finished:
            self._mailbox.stop()  # upstream is stuck: there is no end of its own to wait for
        return items

    async def _finish(self) -> NoReturn:
        if not self._closed:
            self._closed = True
            self._mailbox.drop()
            try:
                await self._pump_ended(GRACE)
            finally:
                self._mailbox.stop()
            if failure := self._failure():
                raise failure
        raise StopAsyncIteration


class AsyncRepairedStream(AsyncStream[bytes]):
    """An asynchronous iterator over clean bytes. Each item is one whole frame or several, or a heartbeat."""

    _writes: ClassVar[bool] = True


class AsyncEventStream(AsyncStream[Event]):
    """An asynchronous iterator over events. After the last one it raises `StreamError` if the stream failed."""


@with_options(RepairOptions)
def arepair(
    chunks: AsyncIterable[Buffer] | Iterable[Buffer] | Source,
    *,
    abort: Callable[[], object] | None = None,
    **options: Unpack[RepairOptions],
) -> AsyncRepairedStream:
    """Return clean bytes as `repair` does, for asyncio. A synchronous iterable is read in a thread.

    Use `async with arepair(...) as stream` where you can: a server that stops iterating closes nothing by itself.
    """
    source = as_source("arepair", chunks, abort, options.get("last_event_id", ""))
    complete("arepair", options, source, writes=True)
    return AsyncRepairedStream(StreamRepairer(**options), source)


@with_options(ReadOptions)
def aiter_events(
    chunks: AsyncIterable[Buffer] | Iterable[Buffer] | Source,
    *,
    abort: Callable[[], object] | None = None,
    **options: Unpack[ReadOptions],
) -> AsyncEventStream:
    """Return events as `iter_events` does, for asyncio. A synchronous iterable is read in a thread."""
    source = as_source("aiter_events", chunks, abort, options.get("last_event_id", ""))
    complete("aiter_events", options, source, writes=False)
    return AsyncEventStream(EventEngine(**options), source)
