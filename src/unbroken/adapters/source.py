"""What an adapter reads: chunks, what is known about them, and how to interrupt and release them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

from ..core.report import StreamError
from ..observe.log import warn

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ..core.report import StreamReport

CLIENTS: Final = ("aiohttp", "http", "httpx", "httpx2", "requests", "urllib3")
"""The packages whose response objects `from_response` accepts; `http` is the standard library's."""


class Source:
    """A body to read, accepted by `repair`, `iter_events`, `arepair` and `aiter_events` in place of `chunks`.

    `abort` interrupts a blocked read from another thread; None if nothing can. `close` releases the response, in the
    thread or task that read it; that of an asynchronous client returns an awaitable.

    `renew` is called with the error and the report before a failure is reported. It returns the source that replaces
    this one, or None. The chunks of that source wait `delay` seconds before they open upstream. With `resumes` they
    may continue after the last event id or repeat earlier events; without it, `renew` is called only while no event
    was delivered. `begin` returns the source for a stream that starts after a `last_event_id`.
    """

    __slots__ = ("abort", "begin", "chunks", "close", "content_type", "delay", "renew", "resumes", "status")

    def __init__(
        self,
        chunks: Iterable[Buffer] | AsyncIterable[Buffer],
        content_type: str | None = None,
        abort: Callable[[], object] | None = None,
        close: Callable[[], object] | None = None,
        status: int | None = None,
        renew: Callable[[Exception, StreamReport], Source | None] | None = None,
        delay: float = 0.0,
        resumes: bool = False,
        begin: Callable[[str], Source] | None = None,
    ) -> None:
        self.chunks: Iterable[Buffer] | AsyncIterable[Buffer] = chunks
        self.content_type: str | None = content_type
        self.abort: Callable[[], object] | None = abort
        self.close: Callable[[], object] | None = close
        self.status: int | None = status
        self.renew: Callable[[Exception, StreamReport], Source | None] | None = renew
        self.delay: float = delay
        self.resumes: bool = resumes
        self.begin: Callable[[str], Source] | None = begin

    def with_abort(self, abort: Callable[[], object]) -> Source:
        """Return the same source with another way to interrupt it."""
        return self._with("abort", abort)

    def with_chunks(self, chunks: Iterable[Buffer] | AsyncIterable[Buffer]) -> Source:
        """Return the same source with other chunks: those that are left to read."""
        return self._with("chunks", chunks)

    def _with(self, name: str, value: Any) -> Source:
        values = {slot: getattr(self, slot) for slot in Source.__slots__}
        return Source(**{**values, name: value})


class ChunkTypeError(TypeError):
    """A chunk is not bytes: misuse and not a failure of upstream, so it is raised and not written as a frame."""


def as_bytes(chunk: object) -> bytes:
    """Return a copy of a chunk, whose producer may reuse the buffer. Raises `ChunkTypeError` for text and the like."""
    if isinstance(chunk, str):
        raise ChunkTypeError(
            "chunks must be bytes, not str: read the body undecoded (`iter_bytes()`, `iter_content(None)`), "
            "or encode each chunk with `.encode()`"
        )
    try:
        return bytes(memoryview(chunk))  # type: ignore[arg-type]
    except TypeError:
        name = type(chunk).__name__
        raise ChunkTypeError(f"chunks must be bytes, not {name}: pass an iterable of the body's bytes") from None


def client_of(response: object) -> str | None:
    """Return the package of the client that a response belongs to, or None for any other object."""
    for kind in type(response).__mro__:
        package = kind.__module__.partition(".")[0]
        is_answer_of_a_server = kind.__module__.startswith("aiohttp.web")
        if package in CLIENTS and kind.__name__.endswith("Response") and not is_answer_of_a_server:
            return package
    return None


def as_source(function: str, chunks: Any, abort: Callable[[], object] | None, last_event_id: str = "") -> Source:
    """Return the source for what a caller passed as `chunks`. Raises `TypeError` naming the fix."""
    if abort is not None and not callable(abort):
        raise TypeError(f"{function}(abort=...) must be callable or None, not {type(abort).__name__}")
    if isinstance(chunks, Source):
        source: Source = chunks.begin(last_event_id) if last_event_id and chunks.begin is not None else chunks
        return source if abort is None else source.with_abort(abort)
    _refuse_misuse(function, chunks)
    if abort is None and getattr(chunks, "_any_thread_may_close", False):
        abort = chunks.close  # one of our streams, read by another one
    return Source(chunks, abort=abort)


def as_sync_source(function: str, chunks: Any, abort: Callable[[], object] | None, last_event_id: str = "") -> Source:
    """Return the same as `as_source`, for chunks that need no event loop."""
    source = as_source(function, chunks, abort, last_event_id)
    if not hasattr(source.chunks, "__iter__"):
        raise TypeError(f"{function}() takes an iterable, not an asynchronous one: write a{function}(...)")
    return source


def _refuse_misuse(function: str, chunks: Any) -> None:
    if isinstance(chunks, str):
        raise TypeError(f"{function}() takes an iterable of bytes, not str: write {function}([text.encode()])")
    if isinstance(chunks, (bytes, bytearray, memoryview)):
        name = type(chunks).__name__
        raise TypeError(f"{function}() takes an iterable of bytes, not one {name}: write {function}([data])")
    if client := client_of(chunks):
        raise TypeError(
            f"{function}() takes the body's chunks, not a response of {client}: "
            f"write {function}(unbroken.from_response(response))"
        )
    if not hasattr(chunks, "__iter__") and not hasattr(chunks, "__aiter__"):
        hint = "; write `await` in front of it" if hasattr(chunks, "__await__") else ""
        raise TypeError(f"{function}() takes an iterable of bytes, not {type(chunks).__name__}{hint}")


def closers_of(
    source: Source, reading: Any = None, *, close: str = "close", abort: Callable[[], object] | None
) -> list[Callable[[], Any]]:
    """Return what to call to release a source: the `close` method of its iterator, and the source's own `close`.

    `reading` is the iterator that reads it, None if nothing was read; `close` is the name of the iterator's method.
    `abort` comes last, if nothing else would release upstream: there is nothing to close, or only a generator that
    never began, since closing it runs none of its code.
    """
    chunks = source.chunks if reading is None else reading
    own = getattr(chunks, close, None)
    closers = [closer for closer in (own, source.close) if closer is not None]
    releases_nothing = own is None or (reading is None and isinstance(chunks, (GeneratorType, AsyncGeneratorType)))
    if releases_nothing and source.close is None and abort is not None:
        closers.append(abort)
    return closers


def close_quietly(*closers: Callable[[], object] | None) -> None:
    """Call each closer. What one raises is logged by its type only: the stream is over, so nobody can handle it."""
    for close in closers:
        if close is not None:
            try:
                close()
            except Exception as error:
                warn("closing upstream raised %s", type(error).__name__)


def met_by(error: Exception) -> BaseException:
    """Return the original exception: the cause of a `StreamError` that explains an HTTP status, or the error."""
    return error.__cause__ if isinstance(error, StreamError) and error.__cause__ else error
