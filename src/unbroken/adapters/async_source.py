"""What an asynchronous stream does with a source: reads a synchronous one in a thread, and releases either kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Any, Self, cast

from ..observe.log import warn
from .reader import End, ThreadReader
from .source import Source, close_quietly, closers_of


async def release(*closers: Callable[[], Any] | None) -> None:
    """Call each closer and await what it returns, if that can be awaited. What one raises is logged, by type only."""
    for close in closers:
        if close is not None:
            try:
                closing = close()
                if hasattr(closing, "__await__"):
                    await closing
            except Exception as error:
                warn("closing upstream raised %s", type(error).__name__)
            except BaseExceptionGroup as group:
                # A task group of anyio in a generator wraps the GeneratorExit by which the generator is closed.
                if group.split(GeneratorExit)[1] is not None:
                    raise


def release_at_once(source: Source) -> None:
    """Release what was never read where no loop runs: where a closing would have to be awaited, by `abort`."""

    def at_once(close: Callable[[], Any]) -> None:
        closing = close()
        if asyncio.iscoroutine(closing):
            closing.close()  # or it complains that nobody awaits it
            close_quietly(source.abort)

    close_quietly(*(partial(at_once, close) for close in closers_of(source, abort=source.abort)))


class ThreadedChunks:
    """The chunks of a synchronous upstream, read in a thread, as an asynchronous iterator.

    Raises `RuntimeError` if the process can start no thread.
    """

    def __init__(self, source: Source, context: Context | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] | None = None
        self._reader = ThreadReader(source, self._notify, context)
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
