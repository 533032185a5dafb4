"""The middleware for WSGI applications: PEP 3333.

The application is called in the server's thread. The body of a stream is then read in a thread, as `repair` reads any
upstream, since a server's thread that waits for the next chunk can write no heartbeat. All that runs of the application
for one request runs in one context, which is a copy of the server's: what it enters before its body it may leave behind
it, as Flask's `stream_with_context` does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import Context, copy_context
from typing import Any, Final, Self, Unpack

from ..adapters.raised import error_for
from ..adapters.source import Source
from ..adapters.sync import RepairedStream, repair
from ..core.options import RepairOptions
from ..observe.log import ERROR, trace, warn
from .rules import Headers, Rules

Write = Callable[[bytes], object]
StartResponse = Callable[..., Write]
App = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

PATIENCE: Final = 1.0
"""Seconds that the server's thread waits, once it is done with a stream, until the application's body can be closed."""


class WSGIMiddleware:
    """Serves every stream of a WSGI application as `repair` would: repaired, with heartbeats and one truthful end.

    A stream is a successful response with the Content-Type of SSE or of JSON lines; all other responses, and streams
    that are compressed, pass untouched. `options` are those of `repair`. `paths` maps the beginning of a path, as the
    application's routes have it, to options that differ there, or to None for responses that are to pass untouched;
    the longest beginning counts. Responses to HEAD, and those written by the `write` of `start_response`, pass
    untouched.

    An exception after the start of a stream becomes one error frame and is logged; one before it passes. The body of a
    stream is read in a thread and, unless it is being read at that moment, closed in the server's.

    Raises `TypeError` or `ValueError` for wrong options.
    """

    def __init__(
        self,
        app: App,
        *,
        paths: Mapping[str, RepairOptions | None] | None = None,
        **options: Unpack[RepairOptions],
    ) -> None:
        self.app = app
        self._rules = Rules("WSGIMiddleware", paths, options, ("paths",))

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        options = None
        if environ["REQUEST_METHOD"] != "HEAD":
            path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
            options = self._rules.options_for(path)
        if options is None:
            return self.app(environ, start_response)
        return Exchange(self._rules, options, start_response).answer(self.app, environ)


class Exchange:
    """One request and its response, between the server and the application."""

    def __init__(self, rules: Rules, options: RepairOptions, start_response: StartResponse) -> None:
        self._rules = rules
        self._options = options
        self._start_response = start_response
        self._context = copy_context()
        self._started = False  # the application called `start_response`
        # The start of a stream as the application made it, and the headers it is to have, until the body begins.
        self._held: tuple[tuple[Any, ...], Headers] | None = None
        self._server_writes: Write | None = None  # the server's own `write`

    def answer(self, app: App, environ: dict[str, Any]) -> Iterable[bytes]:
        """Call the application and return the body for the server."""
        result = self._context.run(app, environ, self.start_response)
        if not self._started:  # a generator, which calls it with its first chunk
            return _Late(self, Body(self._context, result))
        if self._held is None and _runs_no_code(result, environ):
            return result
        return self.body(Body(self._context, result))

    def start_response(self, status: str, headers: Headers, exc_info: Any = None) -> Write:
        """Take the start of the response. Return the function `write`."""
        self._started = True
        more = () if exc_info is None else (exc_info,)
        if self._held is not None and not more:
            self._open(self._held[0])  # a second start without an exception, which the server will refuse
        served = self._rules.headers_for(_code(status), headers, self._options)
        if served is None or self._server_writes is not None:
            self._held = None
            return self._open((status, headers, *more))
        self._held = (status, headers, *more), served
        return self._write

    def _open(self, start: tuple[Any, ...]) -> Write:
        self._held = None
        self._server_writes = self._start_response(*start)
        return self._server_writes

    def _write(self, data: bytes) -> None:
        """Pass data, and with it the whole response, untouched: the server writes it before the application goes on."""
        write = self._server_writes if self._held is None else self._open(self._held[0])
        assert write is not None
        write(data)

    def body(self, body: Body) -> Body | _Served:
        """Return the body for the server, now that it begins."""
        if self._held is None:
            return body
        (status, headers, *exc_info), served = self._held
        content_type = next(value for name, value in headers if name.lower() == "content-type")
        self._open((status, served, *exc_info))
        options: RepairOptions = {**self._options}
        return _Served(repair(Source(iter(body.chunk, None), content_type), **options), body)


class Body:
    """The application's iterable: read by one thread, and closed once.

    `close` is called by the server's thread. If another one is reading then, it closes the iterable when it returns.
    """

    def __init__(self, context: Context, result: Iterable[bytes]) -> None:
        self._context = context
        self._result = result
        self._chunks: Iterator[bytes] | None = None
        self._first: list[bytes] = []  # read already
        self._changed = threading.Condition()
        self._reading = False
        self._closing = False
        self._left_to_reader = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        with self._changed:
            if self._closing:
                raise StopIteration
            self._reading = True
        try:
            return self._first.pop() if self._first else self._context.run(self._read)
        finally:
            with self._changed:
                self._reading = False
                self._changed.notify_all()
                closes = self._left_to_reader
            if closes:
                self._close_quietly()

    def read_first(self) -> None:
        """Read the first chunk and keep it."""
        for chunk in self:
            self._first.append(chunk)
            return

    def chunk(self) -> bytes | None:
        """Return the next chunk, or None at the end. What the application raises is logged and raised."""
        try:
            return next(self, None)
        except Exception as error:
            told = error_for(error)
            if told is None or told.code != "application-error":  # `repair` logs a bug by itself
                trace(error, ERROR, "the application raised %s in a stream")
            raise

    def close(self) -> None:
        """Close the iterable, or leave that to the thread that is reading it."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._left_to_reader = not self._changed.wait_for(lambda: not self._reading, PATIENCE)
            if self._left_to_reader:
                return
        self._close()

    def _read(self) -> bytes:
        if self._chunks is None:
            self._chunks = iter(self._result)
        return next(self._chunks)

    def _close(self) -> None:
        if (close := getattr(self._result, "close", None)) is not None:
            self._context.run(close)

    def _close_quietly(self) -> None:
        try:
            self._close()
        except Exception as error:
            warn("closing the application's body raised %s", type(error).__name__)


class _Served:
    """A repaired stream, and the body that it reads."""

    def __init__(self, stream: RepairedStream, body: Body) -> None:
        self._stream = stream
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._stream

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._body.close()


class _Late:
    """The body of an application that starts its response with the first chunk."""

    def __init__(self, exchange: Exchange, body: Body) -> None:
        self._exchange = exchange
        self._body: Body = body
        self._following: Body | _Served = body
        self._chunks: Iterator[bytes] | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._chunks is None:
            self._body.read_first()
            self._following = self._exchange.body(self._body)
            self._chunks = iter(self._following)
        return next(self._chunks)

    def close(self) -> None:
        self._following.close()


def _code(status: str) -> int:
    """Return the number of a status line, or 0, which is no success."""
    code = status[:3]
    return int(code) if code.isascii() and code.isdigit() else 0


def _runs_no_code(result: Iterable[bytes], environ: dict[str, Any]) -> bool:
    """Return whether a body is one that servers know and send by themselves: a sequence, or a file."""
    wrapper = environ.get("wsgi.file_wrapper")
    is_wrapped = isinstance(wrapper, type) and isinstance(result, wrapper)
    return is_wrapped or hasattr(result, "__len__") or hasattr(result, "read")
