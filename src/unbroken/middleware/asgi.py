"""The middleware for ASGI applications.

https://asgi.readthedocs.io/en/latest/specs/www.html

The application runs where it would run without us: in the server's task, with its context variables and cancellations.
What it sends is repaired in its own `send`, so that it waits for exactly what its client has not read yet. Only what is
due while it says nothing, a heartbeat or the end of a stream that stalls, is written by a task of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from traceback import clear_frames
from typing import Any, Final, Unpack

from ..adapters.arguments import complete
from ..adapters.open_streams import note_open
from ..adapters.raised import error_for
from ..adapters.source import Source
from ..adapters.stream import SLOW
from ..core.options import RepairOptions
from ..core.quantities import check_seconds
from ..core.repairer import StreamRepairer
from ..core.report import StreamError, Verdict
from ..observe.log import ERROR, trace
from .rules import Headers, Rules, is_stream

Message = Any  # a mapping: of what kind, frameworks disagree about
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

PATIENCE: Final = 5.0
"""Seconds for which an application may go on after the end mark of its stream, to save the answer for example."""
HOLD: Final = 0.1
"""Seconds for which the start of a stream that announces its length waits for the body."""
_DISCONNECT: Final = {"type": "http.disconnect"}
_FILES: Final = ("http.response.pathsend", "http.response.zerocopysend")


class ASGIMiddleware:
    """Serves every stream of an ASGI application as `arepair` would: repaired, with heartbeats and one truthful end.

    A stream is a successful response with the Content-Type of SSE or of JSON lines; all other responses, and streams
    that are compressed, pass untouched. `options` are those of `repair`. `paths` maps the beginning of a path, as the
    application's routes have it, to options that differ there, or to None for responses that are to pass untouched;
    the longest beginning counts. Responses to HEAD, WebSockets and the lifespan pass untouched.

    An exception after the start of a stream becomes one error frame and is logged; one before it passes. The
    application learns that a stream was ended by a timeout as it learns that the client has left: by
    `http.disconnect`, or by a cancellation if it does not listen. It needs asyncio.

    `send_timeout`: seconds that one write to the client may take, where the server waits for a client that reads no
    more; None, the default, sets no limit. Such a client counts as one that has left: the application is told so, and
    the verdict is `CANCELLED`, unless what stalls is the end of the stream, whose verdict is settled.

    Raises `TypeError` or `ValueError` for wrong options.
    """

    def __init__(
        self,
        app: App,
        *,
        paths: Mapping[str, RepairOptions | None] | None = None,
        send_timeout: float | None = None,
        **options: Unpack[RepairOptions],
    ) -> None:
        self.app = app
        if send_timeout is not None:
            check_seconds("send_timeout", send_timeout, instead="None sets no limit")
        self._send_timeout = send_timeout
        self._rules = Rules("ASGIMiddleware", paths, options, ("paths", "send_timeout"))

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        options = None
        if scope["type"] == "http" and scope["method"] != "HEAD":
            options = self._rules.options_for(_path_in_application(scope))
        if options is None:
            await self.app(scope, receive, send)
        elif (loop := _asyncio_loop()) is None:
            self._rules.warn_once("streams pass as they are: only asyncio is supported")
            await self.app(scope, receive, send)
        else:
            exchange = Exchange(self._rules, options, loop, scope, receive, send)
            exchange.send_timeout = self._send_timeout
            await exchange.run(self.app)


def _path_in_application(scope: Any) -> str:
    """Return the path as the routes of the application have it: without the path that it is mounted at."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    return path[len(root) :] if root and (path == root or path.startswith(f"{root}/")) else path


def _asyncio_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # trio's
        return None


class _Left(OSError):
    """The stream is over: what `send` raises for an application that goes on, as if its client had left."""


class _Stalled(_Left):
    """The client takes nothing: what `send` raises then, and the client counts as one that has left."""


class Exchange:
    """One request and its response, between the server and the application."""

    def __init__(
        self,
        rules: Rules,
        options: RepairOptions,
        loop: asyncio.AbstractEventLoop,
        scope: Any,
        receive: Receive,
        send: Send,
    ) -> None:
        self._rules = rules
        self._options = options
        self._loop = loop
        self._scope = scope
        self._receive = receive
        self._send = send
        self.send_timeout: float | None = None
        self._stream: StreamRepairer | None = None  # of a response that is a stream, from its start on
        self._held: tuple[Message, Message] | None = None  # the start as it came and as it goes, with the body to come
        self._lock = asyncio.Lock()  # one write at a time
        self._timer: asyncio.Handle | None = None
        self._rings_at = 0.0
        self._due: asyncio.Task[None] | None = None  # writes what is due while the application says nothing
        self._interruption: asyncio.Task[None] | None = None  # writes the end that somebody else asked for
        self._ended = False  # the last message of the body was sent
        self._gone = False  # the client has left
        self._told = False  # the application is told that its client has left, whether that is so or not
        self._cancelled = False  # ... by a cancellation
        self._runs = True  # the application has not returned yet
        self._task = asyncio.current_task(loop)
        self._listeners: set[asyncio.Task[Any]] = set()  # which wait for a message of the server
        self._woken: set[asyncio.Task[Any]] = set()  # those of them that we cancelled

    async def run(self, app: App) -> None:
        """Run the application, and end the response that it leaves open."""
        assert self._task is not None
        cancelling = self._task.cancelling()
        try:
            try:
                await app(self._scope, self.receive, self.send)
            finally:
                self._runs = False
                was_cancelled_by_us = self._cancelled and self._task.uncancel() <= cancelling
        except asyncio.CancelledError:
            if not was_cancelled_by_us:
                raise
        except Exception as error:
            if self._stream is None or not await self._close(error):
                raise
            clear_frames(error.__traceback__)  # frameworks leave what they iterate open, in cycles with the exception
        else:
            if self._stream is not None:
                await self._close(None)
        finally:
            if not self._ended:
                self._leave()
            self._disarm()
            for task in (self._due, self._interruption):
                if task is not None:
                    task.cancel()

    # What the application calls

    async def receive(self) -> Message:
        """Return the server's next message, or that the client has left, once the stream was ended by us."""
        if self._told:
            return _DISCONNECT
        task = asyncio.current_task(self._loop)
        assert task is not None
        cancelling = task.cancelling()
        self._listeners.add(task)
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if task in self._woken and task.uncancel() <= cancelling:
                return _DISCONNECT
            raise
        finally:
            self._listeners.discard(task)
            self._woken.discard(task)
        if message["type"] == "http.disconnect":
            self._leave()
        return message

    async def send(self, message: Message) -> None:
        """Take a message of the application."""
        kind = message["type"]
        try:
            if kind == "http.response.start":
                await self._start(message)
            elif self._stream is None:
                await self._send(message)
            elif kind == "http.response.body":
                await self._take(self._stream, message)
            elif kind in _FILES:
                await self._pass_file()
                await self._send(message)  # the whole file, which takes its time
            else:
                await self._put(self._stream, message)
        except _Stalled:
            self._tell_listeners()  # the task that sends is told by the exception
            raise

    # The start

    async def _start(self, message: Message) -> None:
        headers = message.get("headers", ())
        if not isinstance(headers, list | tuple):  # it can be read once
            headers = list(headers)
            message = {**message, "headers": headers}
        passes = self._gone or self._stream is not None or message.get("trailers")
        served = None if passes else self._headers_of_stream(message["status"], headers)
        if served is None:
            await self._send(message)
            return
        names = {name.lower(): value for name, value in _decoded(headers)}
        options: RepairOptions = {**self._options}
        complete("ASGIMiddleware", options, Source((), names["content-type"]), writes=True)
        self._stream = StreamRepairer(**options)
        start = {**message, "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in served]}
        if "content-length" in names:
            self._held = message, start  # the path of a file may follow, which the server sends by itself
            self._set_timer(self._loop.time() + HOLD, self._begin_due, self._stream)
        else:
            await self._open(self._stream, start)
            self._arm(self._stream)

    def _headers_of_stream(self, status: int, headers: list[tuple[bytes, bytes]]) -> Headers | None:
        content_type = next((value for name, value in headers if name.lower() == b"content-type"), b"")
        if not is_stream(content_type.decode("latin-1")):
            return None
        return self._rules.headers_for(status, _decoded(headers), self._options)

    async def _open(self, stream: StreamRepairer, start: Message) -> None:
        self._held = None
        note_open(self)
        await self._put(stream, start)
        if not self._gone:
            stream.resume(self._loop.time())

    async def _pass_file(self) -> None:
        """Let the response pass after all: what follows is no body but the name of a file."""
        stream, held = self._stream, self._held
        self._stream = self._held = None
        self._disarm()
        if held is not None:
            await self._send(held[0])
        elif stream is not None:
            stream.cancel(self._loop.time())

    # The body

    async def _take(self, stream: StreamRepairer, message: Message) -> None:
        async with self._lock:
            if self._held is not None:
                await self._open(stream, self._held[1])
            if self._told:
                raise _Left("the stream has ended")
            if self._gone:
                await self._put(stream, message)  # what a server makes of that is its own affair
            elif stream.finished:
                await self._drop(stream, message)
            else:
                try:
                    await self._forward(stream, message)
                finally:
                    self._arm(stream)

    async def _forward(self, stream: StreamRepairer, message: Message) -> None:
        now = self._loop.time()
        body = message.get("body", b"")
        is_last = not message.get("more_body", False)
        items = stream.feed(bytes(body), now) if body else []
        if is_last:
            items += stream.close(now)
        elif not items and not stream.finished:  # bytes that complete nothing must not starve the heartbeat
            items = stream.on_deadline(now)
        may_go_on = not stream.finished or stream.report.verdict in (Verdict.COMPLETE, Verdict.DAMAGED)
        await self._write(stream, items, is_last=is_last or not may_go_on)
        if stream.finished and not self._ended:
            self._set_timer(self._loop.time() + PATIENCE, self._begin_due, stream)
        elif self._ended and not is_last:
            self._set_timer(self._loop.time(), self._tell)

    async def _drop(self, stream: StreamRepairer, message: Message) -> None:
        """Drop what follows the end of the stream; the response ends with the application's own."""
        if not message.get("more_body", False) and not self._ended:
            await self._write(stream, [], is_last=True)
        else:
            await asyncio.sleep(0)  # or an application that never waits for anything would keep the loop

    async def _write(self, stream: StreamRepairer, items: list[bytes], *, is_last: bool) -> None:
        data = b"".join(items)
        if not data and not is_last:
            return
        if is_last:
            self._ended = True
            self._disarm()
        began = self._loop.time()
        try:
            await self._put(stream, {"type": "http.response.body", "body": data, "more_body": not is_last})
        except BaseException as error:
            stream.pause(began)  # the client has left, after it took nothing for so long
            if isinstance(error, Exception):
                self._leave()
            raise
        now = self._loop.time()
        if now - began > SLOW and not stream.finished:
            stream.pause(began)  # the client took that time, and not the application
            stream.resume(now)

    async def _put(self, stream: StreamRepairer, message: Message) -> None:
        """Hand the server a message of a stream. Raises `_Stalled` if its client, by that, has left."""
        if self.send_timeout is None:
            await self._send(message)
            return
        began = self._loop.time()
        try:
            async with asyncio.timeout(self.send_timeout) as limit:
                await self._send(message)
        except TimeoutError:
            if not limit.expired():
                raise  # the server's own
            if not self._gone:
                stream.resume(began)  # if that was the start of it
                stream.pause(began)
                self._leave()
            raise _Stalled(f"the client has taken nothing for {self.send_timeout:g} s") from None

    # What is due while the application says nothing

    def _arm(self, stream: StreamRepairer) -> None:
        """Have the next deadline looked at; a timer that is due earlier looks by itself."""
        deadline = None if self._gone else stream.next_deadline()
        if deadline is not None and (self._timer is None or deadline < self._rings_at):
            self._set_timer(deadline, self._ring, stream)

    def _set_timer(self, when: float, call: Callable[..., object], *arguments: object) -> None:
        self._disarm()
        self._rings_at = when  # not `TimerHandle.when`: that of uvloop is none if the time has come
        self._timer = self._loop.call_at(when, call, *arguments)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self, stream: StreamRepairer) -> None:
        self._timer = None
        deadline = stream.next_deadline()
        if deadline is None or self._lock.locked():  # bytes are on their way; who writes them sets the timer again
            return
        if deadline > self._loop.time():
            self._arm(stream)
        else:
            self._begin_due(stream)

    def _begin_due(self, stream: StreamRepairer) -> None:
        self._timer = None
        self._due = self._loop.create_task(self._write_due(stream), name="unbroken heartbeat")

    def interrupt(self, error: StreamError) -> bool:
        """End the stream with this error, whatever the application does. Any thread may call this."""
        stream = self._stream
        if stream is None or self._is_over() or stream.finished:
            return False
        try:
            self._loop.call_soon_threadsafe(self._begin_interruption, stream, error)
        except RuntimeError:  # the loop is closed
            return False
        return True

    def _begin_interruption(self, stream: StreamRepairer, error: StreamError) -> None:
        self._interruption = self._loop.create_task(self._write_due(stream, error), name="unbroken interruption")

    async def _write_due(self, stream: StreamRepairer, error: StreamError | None = None) -> None:
        """Write a heartbeat, or end a stream that stalls or is interrupted, or a response that outlives its stream."""
        async with self._lock:
            if self._is_over():
                return
            try:
                if self._held is not None:
                    await self._open(stream, self._held[1])
                now = self._loop.time()
                items = stream.on_deadline(now) if error is None else stream.fail(error, now)
                await self._write(stream, items, is_last=stream.finished)
            except Exception:
                self._leave()  # the server refuses what is written
        if self._is_over():
            self._tell()
        else:
            self._arm(stream)

    def _is_over(self) -> bool:
        return self._gone or self._ended

    # The end

    async def _close(self, error: Exception | None) -> bool:
        """End a response that the application left open. Return whether its exception has become a frame, or was to."""
        stream = self._stream
        assert stream is not None
        if self._held is not None and error is not None:  # nothing was sent: an outer layer may still answer
            self._stream = self._held = None
            return False
        is_told = False
        with suppress(_Stalled):  # nobody is left to be told
            async with self._lock:  # what is being written comes first
                if self._held is not None:
                    await self._open(stream, self._held[1])
                if self._is_over():
                    if self._told and error is not None:
                        trace(error, text="the application raised %s after the end of its stream")
                    return self._told
                if stream.finished:
                    await self._write(stream, [], is_last=True)
                    return False
                if error is None:
                    error = RuntimeError("the application returned before the end of its response")
                trace(error, ERROR, "the application raised %s in a stream")
                is_told = True
                await self._write(stream, stream.fail(error_for(error) or error, self._loop.time()), is_last=True)
        return is_told

    def _leave(self) -> None:
        """Note that the client has left."""
        if not self._gone:
            self._gone = True
            if self._stream is not None:
                self._stream.cancel(self._loop.time())
                self._disarm()

    def _tell(self) -> None:
        """Tell the application that nobody listens any more: by a message if it waits for one, else by cancelling it.

        Called by a timer or a task of ours, so that the application's own tasks are waiting for something.
        """
        self._timer = None
        if self._told:
            return
        self._tell_listeners()
        if not self._woken and self._runs and self._task is not None:
            self._cancelled = True
            self._task.cancel()

    def _tell_listeners(self) -> None:
        self._told = True
        for task in self._listeners:
            self._woken.add(task)
            task.cancel()


def _decoded(headers: list[tuple[bytes, bytes]]) -> Headers:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
