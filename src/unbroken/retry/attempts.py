"""The attempts behind `retrying`: which one follows, and how it is opened and let go.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
Whether another attempt may follow depends on what was delivered, and only the stream knows that. So a source is one
attempt, and the stream, once it met the end of it, asks it to `renew`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..adapters.source import ChunkTypeError, Source, as_source, client_of, close_quietly, met_by
from ..core.errors import Failure, StreamError
from ..dialects.failures import failure_of
from ..http import from_response
from ..observe.log import warn
from .policy import Retry, retry_after_of, status_of

if TYPE_CHECKING:
    from ..core.report import StreamReport


@dataclass(frozen=True, slots=True)
class Attempt:
    """One opening of upstream: what `connect` is told.

    `number` counts from 1. `last_event_id` is the id of the last event delivered, or before any the one that the
    stream was told to start from, for a `Last-Event-ID` header; "" where there is none. `error` is what ended the
    attempt before, `delay` the seconds waited since.
    """

    number: int = 1
    last_event_id: str = ""
    error: BaseException | None = None
    delay: float = 0.0


def course(
    function: str,
    connect: Callable[[Attempt], Any],
    retry: Retry | None,
    resume: bool,
    on_retry: Callable[[Attempt], object] | None,
) -> Source:
    """Give the source that makes the first attempt when it is read; `function` names who was called."""
    connection = _Connection if function == "retrying" else _AsyncConnection
    return _Course(function, connection, connect, retry, resume, on_retry).source(Attempt())


class _Course:
    """Decides which attempt follows."""

    def __init__(
        self,
        function: str,
        connection: type[_Connection | _AsyncConnection],
        connect: Callable[[Attempt], Any],
        retry: Retry | None,
        resume: bool,
        on_retry: Callable[[Attempt], object] | None,
    ) -> None:
        callbacks: dict[str, object] = {"connect": connect, "on_retry": on_retry or connect}
        for name, callback in callbacks.items():
            if not callable(callback):
                kind = type(callback).__name__
                raise TypeError(f"{function}({name}=...) takes a function of the attempt, not {kind}")
        if retry is not None and not isinstance(retry, Retry):
            raise TypeError(f"{function}(retry=...) takes unbroken.Retry(...) or None, not {type(retry).__name__}")
        self._connection = connection
        self._connect = connect
        self._retry = retry or Retry()
        self._resume = resume
        self._on_retry = on_retry

    def source(self, attempt: Attempt) -> Source:
        """Give the source that makes this attempt when it is read."""
        connection = self._connection(self._connect, attempt)
        renew = partial(self.renew, attempt)
        return Source(
            connection,
            abort=connection.abort,
            renew=renew,
            delay=attempt.delay,
            resumes=self._resume,
            begin=self.begin if attempt.number == 1 else None,
        )

    def begin(self, last_event_id: str) -> Source:
        """Give the source of a stream that starts behind this id."""
        return self.source(Attempt(last_event_id=last_event_id))

    def renew(self, attempt: Attempt, error: Exception, report: StreamReport) -> Source | None:
        """Give the source that follows on a failed attempt, or None where the failure stands."""
        met = met_by(error)
        if not self._is_worth(status_of(error), met):
            return None
        asked = retry_after_of(error, time.time())
        if asked is None and report.retry is not None:
            asked = report.retry / 1000.0
        delay = self._retry.delay(attempt.number - 1, asked, _chance())
        if delay is None:
            return None
        following = Attempt(attempt.number + 1, report.last_event_id, met, delay)
        self._tell(following)
        return self.source(following)

    def _is_worth(self, status: int | None, error: BaseException) -> bool:
        try:
            return bool(self._retry.worth(status, error))
        except Exception as raised:
            warn("worth raised %s", type(raised).__name__)
            return False

    def _tell(self, attempt: Attempt) -> None:
        warn("%s: attempt %d follows in %.1f seconds", type(attempt.error).__name__, attempt.number, attempt.delay)
        if self._on_retry is not None:
            try:
                self._on_retry(attempt)
            except Exception as error:
                warn("on_retry raised %s", type(error).__name__)


class _Connection:
    """The chunks of one attempt, which opens upstream when they are read."""

    def __init__(self, connect: Callable[[Attempt], Any], attempt: Attempt) -> None:
        self._connect = connect
        self._attempt = attempt
        self._stopped = threading.Event()
        self._abort: Callable[[], object] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self._stopped.wait(self._attempt.delay):
            return
        try:
            with ExitStack() as opened:
                source = self._open(opened)
                if not self._stopped.is_set():
                    yield from source.chunks  # type: ignore[misc]
        except Exception as error:
            told = _told(error)
            if told is None:
                raise
            raise told from error

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
                f"retrying(connect): connect gave {kind}, no iterable of bytes; "
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


class _AsyncConnection:
    """The same for an asynchronous client; cancelling the task that reads interrupts it."""

    abort = None

    def __init__(self, connect: Callable[[Attempt], Any], attempt: Attempt) -> None:
        self._connect = connect
        self._attempt = attempt

    async def __aiter__(self) -> AsyncIterator[Any]:
        import asyncio  # loaded already where this runs, and by no synchronous program

        await asyncio.sleep(self._attempt.delay)
        try:
            async with AsyncExitStack() as opened:
                chunks: Any = (await self._open(opened)).chunks
                if hasattr(chunks, "aclose"):  # `async for` leaves a generator open, for any task to close
                    opened.push_async_callback(chunks.aclose)
                async for chunk in chunks:
                    yield chunk
        except Exception as error:
            told = _told(error)
            if told is None:
                raise
            raise told from error

    async def _open(self, opened: AsyncExitStack) -> Source:
        upstream = self._connect(self._attempt)
        if not hasattr(upstream, "__aenter__") and hasattr(upstream, "__await__"):
            upstream = await upstream
        if client_of(upstream) is None and hasattr(upstream, "__aenter__"):
            upstream = await opened.enter_async_context(upstream)
        source = _source_of("aretrying", upstream)
        if source.close is not None:
            opened.push_async_callback(_close, source.close)
        if not hasattr(source.chunks, "__aiter__"):
            raise ConnectTypeError(
                f"aretrying(connect): connect gave {type(upstream).__name__}, no asynchronous iterable of bytes; "
                "for a synchronous one use retrying: arepair and aiter_events read it in a thread"
            )
        _check_status(upstream, source)
        return source


async def _close(close: Callable[[], Any]) -> None:
    closing = close()
    if hasattr(closing, "__await__"):
        await closing


def _chance() -> float:
    import random  # a tenth of the time of `import unbroken`, spared where nothing fails

    return random.random()


class ConnectTypeError(ChunkTypeError):
    """`connect` gave what cannot be read: misuse, and no failure of upstream."""


def _source_of(function: str, upstream: Any) -> Source:
    if client_of(upstream) is not None:
        try:
            return from_response(upstream)
        except (TypeError, ValueError) as error:  # it was read or closed already: misuse, which no attempt mends
            raise ConnectTypeError(f"{function}(connect): {error}") from None
    try:
        return as_source(function, upstream, None)
    except TypeError:
        raise _misuse(function, upstream) from None


def _misuse(function: str, upstream: Any) -> ConnectTypeError:
    """Tell what `connect` gave, and the fix."""
    kind = type(upstream).__name__
    if isinstance(upstream, str | bytes | bytearray | memoryview):
        fix = "give a list of it, encoded" if isinstance(upstream, str) else "give a list of it"
    elif function == "retrying" and hasattr(upstream, "__await__"):
        close_quietly(getattr(upstream, "close", None))  # a coroutine that is never awaited warns of it
        fix = "for a coroutine function use aretrying, with arepair or aiter_events"
    else:
        fix = "return what the client gives for the body"
    return ConnectTypeError(f"{function}(connect): connect gave {kind}, no iterable of bytes; {fix}")


def _check_status(upstream: Any, source: Source) -> None:
    """Take an answer that is an error for one, where the client does not raise by itself."""
    status = source.status if source.status is not None else status_of(upstream)
    if status is not None and status >= 400:
        raise StreamError(_failure(status, upstream, None))


def _told(error: Exception) -> StreamError | None:
    """Give an error that says what the status of this one means, or None if it has no status."""
    status = None if isinstance(error, StreamError) else status_of(error)
    if status is None or status < 400:
        return None
    close_quietly(getattr(error, "close", None))  # urllib's error is a response, and holds the connection
    return StreamError(_failure(status, error, type(error).__name__))


def _failure(status: int, answer: object, error_type: str | None) -> Failure:
    asked = retry_after_of(answer, time.time())
    return replace(failure_of({"status": status}), retry_after=asked, error_type=error_type)
