"""The asynchronous iterator over one stream: what its consumer calls, and how it takes what its reader brings."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import AsyncIterator
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar

from .async_source import release_at_once
from .direct import DirectReader
from .pump import BURST, Mailbox
from .reader import End
from .source import Source
from .stream import SLOW, Stream, check_wait

if TYPE_CHECKING:
    from .engine import Engine

T = TypeVar("T")


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def needed_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that runs in this thread. Raises `RuntimeError` that names the fix if there is none."""
    refuse_trio()
    return asyncio.get_running_loop()


def refuse_trio() -> None:
    """Raise `RuntimeError` in a task of trio, where nothing of asyncio works."""
    trio = sys.modules.get("trio")
    if trio is None or running_loop() is not None:
        return
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return
    raise RuntimeError(
        "this task runs under trio, and asynchronous streams need asyncio: run the server on asyncio (hypercorn -k "
        'asyncio, anyio.run(main, backend="asyncio")), or read a synchronous stream in threads, with '
        "`await anyio.to_thread.run_sync(next, stream, None)`"
    )


class AsyncStream(Stream[T], AsyncIterator[T]):
    """An asynchronous iterator over a repaired stream, for one consumer.

    Upstream is released at the end, by `aclose`, by leaving `async with`, by an exception or a cancellation in `anext`,
    and by garbage collection.
    """

    _answers_at_once: ClassVar[bool] = True
    _burst: ClassVar[int] = BURST

    def __init__(self, engine: Engine[T], source: Source) -> None:
        self._context = copy_context()
        refuse_trio()
        self._loop = running_loop()  # before the first read: where an upstream is released that is never read
        self._reader: Mailbox | DirectReader | None = None  # from the first read on
        self._busy = False
        super().__init__(engine, source)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        # All waiting is done here and not in a coroutine that this one awaits: 200 bytes less per idle stream.
        while True:
            for item in self._items:
                return item
            if self._closed or self._engine.finished:
                await self._finish()
            reader, now = self._enter(math.inf)
            try:
                waiting = reader.ask(now, math.inf, self._answered_at)
                arrived = None if waiting is None else await waiting
            except BaseException as error:
                arrived = self._caught(reader, error)
            items = self._take(reader, arrived, math.inf)
            if items and len(items) == 1:  # as most chunks bring: an iterator less
                return items[0]
            self._items = iter(items or ())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if not self._closed and self._may_release():
            self._note_absence()
            self._engine.cancel(self._now())
            self._forget()

    def _forget(self) -> None:
        """Release upstream where nobody can wait for it: a collection can run in any thread, and after the loop."""
        if not self._may_release():
            return
        reader, loop = self._reader, self._loop
        try:
            if reader is not None:
                reader.loop.call_soon_threadsafe(reader.forget)
            elif loop is not None and loop.is_running():
                mailbox = Mailbox(loop, self._source, self._context, self._engine)
                mailbox.stop()
                loop.call_soon_threadsafe(mailbox.start)
            else:
                release_at_once(self._source)
        except RuntimeError:  # the loop is closed
            if reader is not None:
                reader.stop_without_loop()

    async def aprime(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - the stream outlives it
        """Wait for the first event, so that a failure before it can still be answered with a real status.

        Returns True once there is one, or the stream ended without one; False if `timeout` seconds passed first, and
        the stream stays usable. No heartbeat is sent meanwhile. Raises `StreamError` if the stream failed before its
        first event, or with it, and that was not raised or yielded yet; its `status_hint` is the status to answer
        with. Raises `TypeError` or `ValueError` if `timeout` is not a number of seconds from 0 on.
        """
        until = check_wait("aprime(timeout=...)", timeout) + needed_loop().time()
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
        same. In a fork of the process that made the stream it releases nothing.
        """
        if not self._closed and not self._busy:
            self._note_absence()
        self._leave()
        if not self._may_release():
            return
        if self._reader is None:  # nothing was read; a pump that is stopped before it starts does nothing but release
            self._reader = Mailbox(needed_loop(), self._source, self._context, self._engine)
        if self._reader.loop.is_running():
            await self._reader.aclose()
        else:
            self._forget()

    def _leave(self) -> None:
        """Yield nothing more. Upstream is released by whoever calls this."""
        if not self._closed:
            self._closed = True
            self._items = iter(())
            if self._may_release():
                self._engine.cancel(self._now())

    def _now(self) -> float:
        return time.monotonic() if self._reader is None else self._reader.loop.time()

    async def _advance(self, until: float) -> list[T] | None:
        """Return the items of the next chunk, end or deadline; None if `until` came first."""
        reader, now = self._enter(until)
        try:
            waiting = reader.ask(now, until, self._answered_at)
            arrived = None if waiting is None else await waiting
        except BaseException as error:
            arrived = self._caught(reader, error)
        return self._take(reader, arrived, until)

    def _enter(self, until: float) -> tuple[Mailbox | DirectReader, float]:
        """Return the reader to ask, and the time; the reader is given up by `_take` or `_caught`."""
        if self._busy:
            raise RuntimeError("this stream is being read by another task; give each reader a stream of its own")
        self._refuse_fork()
        reader = self._reader or self._begin(until)
        if not reader.loop.is_running():
            self._leave()
            self._forget()
            raise RuntimeError(
                "this stream was begun in another event loop, which has stopped and ended the read: call aprime() and "
                "read the stream in one loop, as in one asyncio.run(main())"
            )
        if type(reader) is DirectReader and (until < math.inf or not reader.belongs_to_this_task()):
            reader = self._start_pump(reader.loop, reader.begun())
        self._busy = True
        now = reader.loop.time()
        if now - self._answered_at > SLOW:
            self._was_away(now)
        return reader, now

    def _caught(self, reader: Mailbox | DirectReader, error: BaseException) -> End | None:
        """Return the end that an exception is, or None for a read that was interrupted; leave the stream for others."""
        try:
            return reader.caught(error)
        except BaseException:
            self._busy = False
            self._leave()
            if isinstance(error, GeneratorExit):
                self._forget()
            else:
                reader.stop()
            raise

    def _take(self, reader: Mailbox | DirectReader, arrived: Any, until: float) -> list[T] | None:
        """Return the items that follow from what the reader brings."""
        try:
            chunk = reader.take(arrived)
            if self._closed:  # by another task, or by upstream
                reader.stop()
                return []
            now = reader.loop.time()
            if chunk is None:
                return self._due(reader, now, until)
            if reader.taken > 1:
                self._engine.report.chunks_in += reader.taken - 1
            return self._answer(chunk, now)
        except BaseException:
            self._leave()
            reader.stop()
            raise
        finally:
            self._busy = False

    def _due(self, reader: Mailbox | DirectReader, now: float, until: float) -> list[T] | None:
        """Return what is due, where nothing came; an empty list is a wake-up for nothing."""
        self._answered_at = now  # the wait was upstream's time, and not the consumer's
        reader.looked(now)
        deadline = self._engine.next_deadline()
        if deadline is None or deadline > min(now, until):
            return None if until <= now else []
        items = self._answer(None, now)
        if self._engine.finished:
            reader.stop()  # upstream is stuck: there is no end of its own to wait for
        return items

    def _begin(self, until: float) -> Mailbox | DirectReader:
        loop = self._loop = needed_loop()
        self._start_clocks(loop.time())
        if self._writes and not self._begun:
            self._note_open()
        self._begun = True
        if until < math.inf or not self._may_read_directly(asyncio.current_task(loop)):
            return self._start_pump(loop, self._source)
        self._reader = DirectReader(loop, self._source, self._context, self._engine)
        return self._reader

    def _may_read_directly(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether upstream can be read in this task, since nothing that is due while it waits leaves it open.

        A heartbeat does. So does a second connection the first one's context managers, and a task that is made for one
        item (`wait_for(anext(stream))` before Python 3.12) ends, while cancel scopes and context variables that
        upstream has set are still its own.
        """
        if self._writes or self._succession is not None or task is None:
            return False
        return getattr(task.get_coro(), "cr_code", None) is not AsyncStream.__anext__.__code__

    def _start_pump(self, loop: asyncio.AbstractEventLoop, source: Source) -> Mailbox:
        mailbox = self._reader = Mailbox(loop, source, self._context, self._engine, self._burst)
        mailbox.start()
        return mailbox

    def _reopen(self) -> None:
        mailbox = self._reader
        if mailbox is not None:
            mailbox.stop()
            self._start_pump(mailbox.loop, self._source)

    async def _finish(self) -> NoReturn:
        if not self._closed:
            self._closed = True
            if self._reader is not None and self._reader.loop.is_running():
                await self._reader.finish_reading()
            if failure := self._failure():
                raise failure
        raise StopAsyncIteration
