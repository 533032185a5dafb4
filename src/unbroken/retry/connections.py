"""An attempt and its connection, which is opened when its chunks are first read, and closed when they end.

A response with a status of 400 or more is a failure, whether its client raises for it or not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from typing import Any

from ..adapters.source import ChunkTypeError, Source, as_source, client_of, close_quietly
from ..core.failure import Failure
from ..core.quantities import MAX_WAIT
from ..core.report import StreamError
from ..dialects.failures import failure_of
from ..http import from_response
from .answers import retry_after_of, status_of


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to open upstream; `connect` and `on_retry` are called with it.

    `number` counts from 1. `last_event_id`, for a `Last-Event-ID` header, is the id of the last event delivered; before
    the first event, the one that the stream was given to start from; "" if there is none. `error` is the exception that
    ended the previous attempt, None for the first. `delay` is how many seconds this attempt waits before it opens
    upstream.
    """

    number: int = 1
    last_event_id: str = ""
    error: BaseException | None = None
    delay: float = 0.0


class Connection:
    """The chunks of one attempt of `retrying`. The thread that reads them waits, opens upstream and closes it."""

    def __init__(self, connect: Callable[[Attempt], Any], attempt: Attempt) -> None:
        self._connect = connect
        self._attempt = attempt
        self._stopped = threading.Event()
        self._abort: Callable[[], object] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self._stopped.wait(min(self._attempt.delay, MAX_WAIT)):
            return
        try:
            with ExitStack() as opened:
                source = self._open(opened)
                if not self._stopped.is_set():
                    yield from source.chunks  # type: ignore[misc]
        except Exception as error:
            failed = _failed_status(error)
            if failed is None:
                raise
            raise failed from error

    def _open(self, opened: ExitStack) -> Source:
        upstream = self._connect(self._attempt)
        if client_of(upstream) is None and hasattr(upstream, "__enter__"):
            upstream = opened.enter_context(upstream)
        source = _source_of("retrying", upstream)
        if source.close is not None:
            opened.callback(source.close)
        if not hasattr(source.chunks, "__iter__"):
            kind = type(upstream).__name__
            raise ConnectTypeError(
                f"retrying(connect): connect returned {kind}, not an iterable of bytes; "
                "for an asynchronous one use aretrying, with arepair or aiter_events"
            )
        self._abort = source.abort
        _check_status(upstream, source)
        return source

    def abort(self) -> None:
        """End the delay, or interrupt a blocked read, from another thread."""
        self._stopped.set()
        if self._abort is not None:
            self._abort()


class AsyncConnection:
    """The chunks of one attempt of `aretrying`. Cancelling the task that reads them interrupts it."""

    abort = None

    def __init__(self, connect: Callable[[Attempt], Any], attempt: Attempt) -> None:
        self._connect = connect
        self._attempt = attempt

    async def __aiter__(self) -> AsyncIterator[Any]:
        import asyncio  # loaded already where this runs, and by no synchronous program

        await asyncio.sleep(min(self._attempt.delay, MAX_WAIT))
        try:
            async with AsyncExitStack() as opened:
                chunks: Any = (await self._open(opened)).chunks
                if hasattr(chunks, "aclose"):  # `async for` leaves a generator open, for any task to close
                    opened.push_async_callback(chunks.aclose)
                async for chunk in chunks:
                    yield chunk
        except Exception as error:
            failed = _failed_status(error)
            if failed is None:
                raise
            raise failed from error

    async def _open(self, opened: AsyncExitStack) -> Source:
        upstream = self._connect(self._attempt)
        if not hasattr(upstream, "__aenter__") and hasattr(upstream, "__await__"):
            upstream = await upstream
        if client_of(upstream) is None and hasattr(upstream, "__aenter__"):
            upstream = await opened.enter_async_context(upstream)
        source = _source_of("aretrying", upstream)
        if source.close is not None:
            opened.push_async_callback(_aclose, source.close)
        if not hasattr(source.chunks, "__aiter__"):
            raise ConnectTypeError(
                f"aretrying(connect): connect returned {type(upstream).__name__}, not an asynchronous iterable "
                "of bytes; for a synchronous one use retrying: arepair and aiter_events read it in a thread"
            )
        _check_status(upstream, source)
        return source


async def _aclose(close: Callable[[], Any]) -> None:
    closing = close()
    if hasattr(closing, "__await__"):
        await closing


class ConnectTypeError(ChunkTypeError):
    """`connect` returned what cannot be read: misuse, so it is raised and not treated as a failure of upstream."""


def _source_of(function: str, upstream: Any) -> Source:
    if client_of(upstream) is not None:
        try:
            return from_response(upstream)
        except (TypeError, ValueError) as error:  # read or closed already: another attempt would not help
            raise ConnectTypeError(f"{function}(connect): {error}") from None
    try:
        return as_source(function, upstream, None)
    except TypeError:
        raise _misuse(function, upstream) from None


def _misuse(function: str, upstream: Any) -> ConnectTypeError:
    """Return the error that names what `connect` returned, and the fix."""
    kind = type(upstream).__name__
    if isinstance(upstream, str | bytes | bytearray | memoryview):
        fix = "return a list of it, encoded" if isinstance(upstream, str) else "return a list of it"
    elif function == "retrying" and hasattr(upstream, "__await__"):
        close_quietly(getattr(upstream, "close", None))  # or a coroutine warns that it was never awaited
        fix = "for a coroutine function use aretrying, with arepair or aiter_events"
    else:
        fix = "return what the client has for the body"
    return ConnectTypeError(f"{function}(connect): connect returned {kind}, not an iterable of bytes; {fix}")


def _check_status(upstream: Any, source: Source) -> None:
    """Raise `StreamError` for a response that is an error, where its client did not raise by itself."""
    status = source.status if source.status is not None else status_of(upstream)
    if status is not None and status >= 400:
        raise StreamError(_failure_of_status(status, upstream, None))


def _failed_status(error: Exception) -> StreamError | None:
    """Return the error that a client's exception with a status stands for; None if it has no status from 400 on."""
    status = None if isinstance(error, StreamError) else status_of(error)
    if status is None or status < 400:
        return None
    close_quietly(getattr(error, "close", None))  # urllib's error is a response, and holds the connection
    return StreamError(_failure_of_status(status, error, type(error).__name__))


def _failure_of_status(status: int, answer: object, error_type: str | None) -> Failure:
    asked = retry_after_of(answer, time.time())
    return replace(failure_of({"status": status}), retry_after=asked, error_type=error_type)
