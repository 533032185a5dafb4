"""What an adapter reads: chunks, what is known about them, and how to interrupt and release them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from os import PathLike
from os.path import isfile
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

from ..core.report import StreamError
from ..observe.log import warn

if TYPE_CHECKING:
    from typing import Protocol

    from typing_extensions import Buffer

    from ..core.report import StreamReport

    class Response(Protocol):
        """The response of a client that `from_response` takes, as far as type checkers can know it."""

        def close(self) -> Any:
            """Release its connection."""


CLIENTS: Final = (
    "aiohttp",
    "botocore",
    "curl_cffi",
    "http",
    "httpx",
    "httpx2",
    "niquests",
    "requests",
    "urllib3",
    "urllib3_future",
)
"""The packages whose response objects `from_response` accepts; `http` is the standard library's."""


_SUFFIXES: Final = (".sse", ".ndjson", ".jsonl", ".json", ".txt")
"""Ends of names of files that hold a stream."""


_FIX_OF_SDK: Final = "pass the SDK's response, `create(..., stream=True).response`"
_FIX_OF_ASYNC_SDK: Final = "pass the SDK's response, `(await create(..., stream=True)).response`"


class Source:
    """A body to read, accepted by `repair`, `iter_events`, `arepair` and `aiter_events` in place of `chunks`.

    `abort` interrupts a blocked read from another thread; None if nothing can. `close` releases the response, in the
    thread or task that read it; that of an asynchronous client returns an awaitable.

    `renew` is called with the error and the report before a failure is reported. It returns the source that replaces
    this one, or None. The chunks of that source wait `delay` seconds before they open upstream. With `resumes` they
    may continue after the last event id or repeat earlier events; without it, `renew` is called only while no event
    was delivered. With `continues` they may be another answer, which goes on behind what was delivered. `begin` returns
    the source for a stream that starts after a `last_event_id`.
    """

    __slots__ = (
        "abort",
        "begin",
        "chunks",
        "close",
        "content_type",
        "continues",
        "delay",
        "renew",
        "resumes",
        "status",
        "url",
    )

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
        url: str | None = None,
        continues: bool = False,
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
        self.url: str | None = url
        self.continues: bool = continues

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


class UpstreamTypeError(ChunkTypeError):
    """The function returned what cannot be read: misuse, so it is raised and not treated as a failure of upstream."""


class UpstreamValueError(UpstreamTypeError, ValueError):
    """The function returned a response whose body was read or closed already, a `ValueError` wherever it is passed."""


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
        # The SDKs of OpenAI, Anthropic and others make a model of pydantic of each event.
        fix = _FIX_OF_SDK if hasattr(chunk, "model_dump") else "pass an iterable of the body's bytes"
        raise ChunkTypeError(f"chunks must be bytes, not {name}: {fix}") from None


def fix_of_sdk(function: str, upstream: object) -> str | None:
    """Return what to write in place of a response of a provider's SDK, None for any other object.

    Those of OpenAI, Anthropic and others, which one generator makes, hold the response of their client.
    """
    if client_of(getattr(upstream, "http_response", None)) is None:
        return None
    return _FIX_OF_ASYNC_SDK if function.startswith("a") else _FIX_OF_SDK


def client_of(response: object) -> str | None:
    """Return the package of the client that a response belongs to, or None for any other object."""
    for kind in type(response).__mro__:
        package = kind.__module__.partition(".")[0]
        is_answer_of_a_server = kind.__module__.startswith("aiohttp.web")
        is_body = kind.__name__.endswith(("Response", "StreamingBody"))  # botocore's is the latter
        if package in CLIENTS and is_body and not is_answer_of_a_server:
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


def _refuse_misuse(function: str, chunks: Any) -> None:
    if isinstance(chunks, str):
        raise TypeError(f"{function}() takes an iterable of bytes, not {_meant_by(function, chunks)}")
    if isinstance(chunks, (bytes, bytearray, memoryview)):
        name = type(chunks).__name__
        raise TypeError(f"{function}() takes an iterable of bytes, not one {name}: write {function}([data])")
    if client := client_of(chunks):
        raise TypeError(
            f"{function}() takes the body's chunks, not a response of {client}: "
            "make a source of it with unbroken.from_response(response)"
        )
    if isinstance(chunks, type):
        raise TypeError(f"{function}() takes an iterable of bytes, not the class {chunks.__name__}")
    if not hasattr(chunks, "__iter__") and not hasattr(chunks, "__aiter__"):
        if isinstance(chunks, PathLike):
            raise TypeError(f"{function}() takes an iterable of bytes, not {_meant_by(function, chunks)}")
        fix = fix_of_sdk(function, chunks)
        hint = f"; {fix}" if fix else "; write `await` in front of it" if hasattr(chunks, "__await__") else ""
        raise TypeError(
            f"{function}() takes a function that calls upstream, or an iterable of bytes, not "
            f"{type(chunks).__name__}{hint}"
        )


def _meant_by(function: str, text: str | PathLike[str]) -> str:
    """Return what a text is, a URL, a path or the body itself, and what to write for it."""
    if not isinstance(text, str) or isfile(text) or ("\n" not in text and text.lower().endswith(_SUFFIXES)):
        return f'a path: write {function}(open(path, "rb"))'
    if text.lower().startswith(("http://", "https://")):
        call = 'client.stream("GET", url)' if function.startswith("a") else "requests.get(url, stream=True)"
        return f"a URL: write {function}(lambda: {call})"
    return f"str: write {function}([text.encode()])"


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
