"""The asynchronous iterator over one stream: what its consumer calls, and when a deadline is looked at."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Final, NoReturn, Self, TypeVar

from .async_source import release_at_once
from .pump import Mailbox
from .reader import GRACE
from .source import Source
from .stream import SLOW, Stream, check_wait

if TYPE_CHECKING:
    from .engine import Engine

T = TypeVar("T")
TRUSTED: Final = 0.25
"""Seconds for which a timer that is set spares a look at the deadlines. Those of heartbeats only move away meanwhile;
a timeout that is shorter than this can be late by as much."""


def running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


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
