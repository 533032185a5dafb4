"""Chunks whose upstream is opened when they are first read, by a function of the caller, and closed when they end.

So the call to upstream is part of the stream: heartbeats, clocks and `abort` cover it, and what it raises is a failure
of the stream. A response with a status of 400 or more is a failure, whether its client raises for it or not.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any, ClassVar, Final

from .adapters.source import (
    Source,
    UpstreamTypeError,
    UpstreamValueError,
    as_source,
    client_of,
    close_quietly,
    fix_of_sdk,
)
from .answers import error_of_answer
from .core.quantities import MAX_WAIT
from .http import from_response


class _Opener:
    """What both kinds share: a function of the caller, its names for messages, and what is made of what it returns.

    `function` is the name of what the caller called, and `argument` that of the function that was given to it.
    `on_head`, if set, is called with the content type and the URL once the response is there.
    """

    _iterates: ClassVar[str]
    """The method that chunks of this kind have."""

    def __init__(self, open_upstream: Callable[[], Any], function: str, argument: str = "", delay: float = 0.0) -> None:
        self._open_upstream = open_upstream
        self._function = function
        self._argument = argument
        self._delay = min(delay, MAX_WAIT)
        self.on_head: Callable[[str | None, str | None], object] | None = None

    def _source_of(self, upstream: Any, to_close: Callable[[Callable[[], Any]], object]) -> Source:
        """Return the source of what the function returned, whose closing `to_close` is given."""
        source = _source_of(self._function, self._argument, upstream)
        if source.close is not None:
            to_close(source.close)
        if not hasattr(source.chunks, self._iterates):
            returned = _returned(self._function, self._argument, upstream)
            raise UpstreamTypeError(f"{returned}, not an {self._wanted()}")
        _check_status(upstream, source)
        if self.on_head is not None:
            self.on_head(source.content_type, source.url)
        return source

    def _wanted(self) -> str:
        """Return the kind of chunks that are read here, and what to use for the other kind."""
        raise NotImplementedError


class Opening(_Opener):
    """The chunks of what `open_upstream()` returns; the thread that reads them waits `delay` seconds, calls it, and
    closes what it returned.
    """

    _iterates = "__iter__"

    def __init__(self, open_upstream: Callable[[], Any], function: str, argument: str = "", delay: float = 0.0) -> None:
        super().__init__(open_upstream, function, argument, delay)
        self._stopped = threading.Event()
        self._abort: Callable[[], object] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self._stopped.wait(self._delay):
            return
        with ExitStack() as opened:
            source = self._open(opened)
            if not self._stopped.is_set():
                yield from source.chunks  # type: ignore[misc]

    def _open(self, opened: ExitStack) -> Source:
        upstream = self._open_upstream()
        if client_of(upstream) is None and hasattr(upstream, "__enter__"):
            upstream = opened.enter_context(upstream)
        source = self._source_of(upstream, opened.callback)
        self._abort = source.abort
        return source

    def _wanted(self) -> str:
        return f"iterable of bytes; for an asynchronous one use {_twin(self._function)}"

    def abort(self) -> None:
        """End the delay, or interrupt a blocked read, from another thread.

        A call that still waits for upstream's head is not interrupted: what it returns is closed at once.
        """
        self._stopped.set()
        if self._abort is not None:
            self._abort()


class AsyncOpening(_Opener):
    """The same for an asynchronous client. Cancelling the task that reads interrupts it, the call included."""

    abort = None
    _iterates = "__aiter__"

    async def __aiter__(self) -> AsyncIterator[Any]:
        import asyncio  # loaded already where this runs, and by no synchronous program

        await asyncio.sleep(self._delay)
        async with AsyncExitStack() as opened:
            chunks: Any = (await self._open(opened)).chunks
            if hasattr(chunks, "aclose"):  # `async for` leaves a generator open, for any task to close
                opened.push_async_callback(chunks.aclose)
            async for chunk in chunks:
                yield chunk

    async def _open(self, opened: AsyncExitStack) -> Source:
        upstream = self._open_upstream()
        if not hasattr(upstream, "__aenter__") and hasattr(upstream, "__await__"):
            upstream = await upstream
        if client_of(upstream) is None and hasattr(upstream, "__aenter__"):
            upstream = await opened.enter_async_context(upstream)
        return self._source_of(upstream, lambda close: opened.push_async_callback(_aclose, close))

    def _wanted(self) -> str:
        return f"asynchronous iterable of bytes; {_IN_A_THREAD}"


async def _aclose(close: Callable[[], Any]) -> None:
    closing = close()
    if hasattr(closing, "__await__"):
        await closing


def _twin(function: str) -> str:
    """Return what takes an asynchronous upstream in place of this function."""
    return "aretrying, with arepair or aiter_events" if function == "retrying" else f"a{function}"


def _returned(function: str, argument: str, upstream: object) -> str:
    """Return how a message begins: which function returned an object of which type."""
    return f"{function}({argument}): {argument or 'the function'} returned {type(upstream).__name__}"


def _source_of(function: str, argument: str, upstream: Any) -> Source:
    if client_of(upstream) is not None:
        try:
            return from_response(upstream)
        except (TypeError, ValueError) as error:  # another attempt would not help
            kind = UpstreamValueError if isinstance(error, ValueError) else UpstreamTypeError
            says = str(error).removeprefix("from_response() ")
            raise kind(f"{function}({argument}) {says}") from None
    try:
        return as_source(function, upstream, None)
    except TypeError:
        fix = _fix_of(function, upstream)
        raise UpstreamTypeError(f"{_returned(function, argument, upstream)}, not an iterable of bytes; {fix}") from None


_IN_A_THREAD: Final = "for a synchronous one use retrying(lambda attempt: ...), whose function is called in a thread"


def _fix_of(function: str, upstream: Any) -> str:
    """Return what to do where a function returned what holds no chunks."""
    if (fix := fix_of_sdk(function, upstream)) is not None:
        return fix
    if function.startswith("a") and hasattr(upstream, "__enter__"):
        return _IN_A_THREAD
    if not function.startswith("a") and hasattr(upstream, "__aenter__"):
        return f"for an asynchronous one use {_twin(function)}"
    if isinstance(upstream, str | bytes | bytearray | memoryview):
        return "return a list of it, encoded" if isinstance(upstream, str) else "return a list of it"
    if not function.startswith("a") and hasattr(upstream, "__await__"):
        close_quietly(getattr(upstream, "close", None))  # or a coroutine warns that it was never awaited
        return f"for a coroutine function use {_twin(function)}"
    return "return what the client has for the body"


def _check_status(upstream: Any, source: Source) -> None:
    """Raise `StreamError` for a response that is an error; one of a known client raises it when it is read."""
    if client_of(upstream) is None:
        failed = error_of_answer(source) or error_of_answer(upstream)
        if failed is not None:
            raise failed
