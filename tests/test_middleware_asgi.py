"""The ASGI middleware, driven as a server drives an application, on scripted time."""

import asyncio
import contextlib
import contextvars
import gc
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from tests.scripted import DONE, TOKEN, Clock, warp
from unbroken import DEFAULT_REPAIRS, FlightRecorder, Observer, StreamReport, Timeouts, Verdict, arepair, end_streams
from unbroken.middleware import ASGIMiddleware
from unbroken.middleware.asgi import PATIENCE
from unbroken.testing.routes import RouteContract
from unbroken.testing.sources import Upstream

EVENT = b"data: a\n\n"
SSE = {"content-type": "text/event-stream"}
Message = dict[str, Any]
Send = Callable[[Any], Awaitable[None]]


class Verdicts(Observer):
    """Keeps the reports of streams that ended."""

    def __init__(self) -> None:
        self.reports: list[StreamReport] = []

    def ended(self, report: StreamReport) -> None:
        self.reports.append(report)

    @property
    def verdicts(self) -> list[Verdict]:
        return [report.verdict for report in self.reports]


class Server:
    """Serves one request on a clock of the test's own, and keeps what the application sends."""

    def __init__(
        self, clock: Clock, *, spec: str = "2.3", path: str = "/", method: str = "GET", root: str = ""
    ) -> None:
        self.clock = clock
        self.began = clock.now
        self.scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": spec}, "method": method, "path": path,
            "root_path": root, "query_string": b"", "headers": [], "http_version": "1.1", "scheme": "http",
        }  # fmt: skip
        self.messages: list[Message] = []
        self.times: list[float] = []
        self.left = asyncio.Event()
        self.pace = 0.0  # seconds that the client takes for each write
        self.takes = 1_000_000  # how many messages, and then no more
        self.refuses = False  # `send` raises once the client has left
        self._requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive(self) -> Message:
        if self._requests:
            return self._requests.pop()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if self.left.is_set() and self.refuses:
            raise OSError("the client has left")
        await asyncio.sleep(self.pace if len(self.messages) < self.takes else 1e6)
        self.messages.append(message)
        self.times.append(self.clock.now - self.began)

    async def leave(self, after: float) -> None:
        await asyncio.sleep(after)
        self.left.set()

    @property
    def start(self) -> Message:
        return self.messages[0]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.start["headers"])

    @property
    def writes(self) -> list[bytes]:
        return [message["body"] for message in self.messages if message["type"] == "http.response.body"]

    @property
    def body(self) -> bytes:
        return b"".join(self.writes)

    @property
    def ends(self) -> int:
        bodies = [message for message in self.messages if message["type"] == "http.response.body"]
        assert not any(not message.get("more_body") for message in bodies[:-1]), "something followed the end"
        return sum(not message.get("more_body") for message in bodies)


def head(status: int = 200, headers: Iterable[tuple[str, str]] = SSE.items()) -> Message:
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": encoded}


def body(data: bytes, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


Step = bytes | float | Exception | None


def app_of(*steps: Step, headers: dict[str, str] = SSE, status: int = 200) -> Any:
    """Return an application that sends the bytes, is silent for the seconds, raises the exception; None is the end."""

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(head(status, headers.items()))
        for step in steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, float):
                await asyncio.sleep(step)
            else:
                await send(body(step or b"", more=step is not None))

    return app


def serve(app: Any, *, leave: float | None = None, pace: float = 0.0, refuses: bool = False, **request: str) -> Server:
    """Serve one request to its end; the client leaves after so many seconds."""

    async def main(clock: Clock) -> Server:
        server = Server(clock, **request)  # type: ignore[arg-type]
        server.pace, server.refuses = pace, refuses
        leaving = asyncio.ensure_future(server.leave(1e6 if leave is None else leave))
        try:
            await app(server.scope, server.receive, server.send)
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        return server

    return warp(main)


def test_a_server_that_shuts_down_ends_the_stream_and_tells_the_application() -> None:
    ended = list[int]()

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(head())
        await send(body(EVENT))
        asyncio.get_running_loop().call_later(1.0, lambda: ended.append(end_streams()))
        await asyncio.sleep(1000.0)

    server = serve(ASGIMiddleware(app))
    assert (ended, server.ends) == ([1], 1)
    assert server.writes[0] == EVENT
    assert b"shutting-down" in server.writes[-1]
    assert server.times[-1] == 1.0


# --- what is served ---


def test_a_stream_is_served_with_its_status_and_headers_and_those_that_it_lacks() -> None:
    headers = {**SSE, "Content-Length": "9", "ETag": "x", "X-Mine": "1", "Cache-Control": "no-store"}
    server = serve(ASGIMiddleware(app_of(EVENT, None, headers=headers, status=201)))
    assert server.start["status"] == 201
    assert server.headers == {
        b"content-type": b"text/event-stream",
        b"x-mine": b"1",
        b"cache-control": b"no-store",
        b"x-accel-buffering": b"no",
        b"x-content-type-options": b"nosniff",
    }
    assert (server.body, server.ends) == (EVENT, 1)


@pytest.mark.parametrize("content_type", [
    "text/event-stream", "Text/Event-Stream; charset=utf-8", "application/x-ndjson", "application/ndjson",
    "application/jsonl", "application/jsonlines", "application/stream+json",
])  # fmt: skip
def test_these_types_are_streams(content_type: str) -> None:
    server = serve(ASGIMiddleware(app_of(6.0, b'{"a":1}\n', None, headers={"content-type": content_type})))
    assert server.headers[b"x-accel-buffering"] == b"no"
    assert len(server.writes) == 3  # with a heartbeat
    assert server.ends == 1


BROKEN = b"data: \xff\n\r\n: x"
UNTOUCHED = {
    "JSON": (200, {"content-type": "application/json"}),
    "JSON texts behind control characters": (200, {"content-type": "application/json-seq"}),
    "plain text": (200, {"content-type": "text/plain"}),
    "no type": (200, {}),
    "an error": (404, SSE),
    "a failure": (500, SSE),
    "a part": (206, SSE),
    "no content": (204, SSE),
    "compressed": (200, {**SSE, "content-encoding": "gzip"}),
}


@pytest.mark.parametrize(("status", "headers"), UNTOUCHED.values(), ids=UNTOUCHED)
def test_other_responses_pass_untouched_and_uncopied(status: int, headers: dict[str, str]) -> None:
    messages = [
        head(status, headers.items()),
        body(BROKEN),
        body(BROKEN, more=False),
        {"type": "http.response.trailers"},
    ]

    async def app(scope: Any, receive: Any, send: Send) -> None:
        for message in messages:
            await send(message)
            await asyncio.sleep(60.0)  # no heartbeat

    server = serve(ASGIMiddleware(app))
    assert len(server.messages) == len(messages)
    assert all(sent is message for sent, message in zip(server.messages, messages, strict=True))


def test_a_stream_that_says_that_it_is_not_compressed_is_served() -> None:
    server = serve(ASGIMiddleware(app_of(6.0, EVENT, None, headers={**SSE, "content-encoding": "identity"})))
    assert server.body == b":\n\n" + EVENT
    assert server.headers[b"content-encoding"] == b"identity"


def test_headers_that_can_be_read_once_arrive() -> None:
    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": iter([(b"content-type", b"text/plain")])})
        await send(body(b"x", more=False))

    assert serve(ASGIMiddleware(app)).headers == {b"content-type": b"text/plain"}


def test_what_is_compressed_is_told_once_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    app = ASGIMiddleware(app_of(b"\x1f\x8b", None, headers={**SSE, "content-encoding": "br"}))
    for _ in range(3):
        assert serve(app).body == b"\x1f\x8b"
    assert len(caplog.records) == 1
    assert "compressed" in caplog.text


@pytest.mark.parametrize("scope", [{"type": "lifespan"}, {"type": "websocket", "path": "/"}, {"method": "HEAD"}])
def test_other_exchanges_reach_the_application_as_they_are(scope: dict[str, Any]) -> None:
    seen: list[Any] = []

    async def app(*given: Any) -> None:
        seen.extend(given)

    async def main(clock: Clock) -> None:
        server = Server(clock)
        given = (server.scope | scope, server.receive, server.send)
        await ASGIMiddleware(app)(*given)
        assert all(one is other for one, other in zip(seen, given, strict=True))

    warp(main)


def test_a_file_that_the_server_sends_by_itself_passes() -> None:
    headers = {"content-type": "application/x-ndjson", "content-length": "8", "etag": "x"}
    messages = [head(headers=headers.items()), {"type": "http.response.pathsend", "path": "/a"}]

    async def app(scope: Any, receive: Any, send: Send) -> None:
        for message in messages:
            await send(message)

    server = serve(ASGIMiddleware(app))
    assert [sent is message for sent, message in zip(server.messages, messages, strict=True)] == [True, True]


def test_a_stream_with_a_length_gets_its_heartbeats() -> None:
    server = serve(ASGIMiddleware(app_of(11.0, EVENT, None, headers={**SSE, "content-length": "9"})))
    assert server.writes == [b":\n\n", b":\n\n", EVENT, b""]
    assert server.times[0] <= 1.0


def test_trailers_pass_with_their_response() -> None:
    start = {**head(), "trailers": True}

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(start)
        await send(body(BROKEN, more=False))

    assert serve(ASGIMiddleware(app)).start is start


# --- what a served stream is like ---


def test_the_stream_is_repaired() -> None:
    server = serve(ASGIMiddleware(app_of(TOKEN[:-1], TOKEN, DONE, None)))
    assert server.body == TOKEN + TOKEN + DONE
    assert server.ends == 1


def test_a_body_of_one_message_is_repaired() -> None:
    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(head())
        await send({"type": "http.response.body", "body": TOKEN[:-1] + TOKEN + DONE})

    server = serve(ASGIMiddleware(app))
    assert (server.writes, server.ends) == ([TOKEN + TOKEN + DONE], 1)


def test_what_completes_an_event_leaves_at_once() -> None:
    server = serve(ASGIMiddleware(app_of(b"data: a", 1.0, b"\n\n", 1.0, None), heartbeat=None))
    assert (server.writes, server.times) == ([EVENT, b""], [0.0, 1.0, 2.0])


def test_no_gap_is_longer_than_the_heartbeat() -> None:
    server = serve(ASGIMiddleware(app_of(7.0, EVENT, 3.0, b"data: b", 9.0, b"\n\n", 60.0, None), heartbeat=2.0))
    gaps = [later - earlier for earlier, later in itertools.pairwise(server.times)]
    assert max(gaps) <= 2.0
    assert server.body.replace(b":\n\n", b"") == EVENT + b"data: b\n\n"


def test_bytes_that_complete_nothing_do_not_starve_the_heartbeat() -> None:
    async def main(clock: Clock) -> None:
        async def app(scope: Any, receive: Any, send: Send) -> None:
            await send(head())
            for _ in range(5):  # no timer has a turn
                clock.now += 3.0
                await send(body(b"data: a"))
            await send(body(b"\n\n", more=False))

        server = Server(clock)
        await ASGIMiddleware(app, heartbeat=5.0)(server.scope, server.receive, server.send)
        assert server.writes[:2] == [b":\n\n", b":\n\n"]

    warp(main)


def test_a_heartbeat_waits_for_a_write_that_a_slow_client_holds_up() -> None:
    server = serve(ASGIMiddleware(app_of(EVENT, EVENT, 4.0, None), heartbeat=3.0), pace=10.0)
    assert server.writes == [EVENT, EVENT, b":\n\n", b""]


def test_the_time_of_a_slow_client_is_not_the_applications() -> None:
    timeouts = Timeouts(first=4.0, idle=4.0, silence=4.0, total=8.0)
    app = ASGIMiddleware(app_of(TOKEN, 1.0, TOKEN, 1.0, DONE, None), heartbeat=None, timeouts=timeouts)
    assert serve(app, pace=100.0).body == TOKEN + TOKEN + DONE


def test_the_report_has_the_longest_time_that_a_client_took() -> None:
    seen = Verdicts()
    serve(
        ASGIMiddleware(app_of(EVENT, 500.0, EVENT, None), heartbeat=None, timeouts=None, observers=[seen]), pace=100.0
    )
    assert [report.longest_pause for report in seen.reports] == [100.0]


def test_the_report_has_the_time_that_a_client_took_nothing_before_it_left() -> None:
    seen = Verdicts()

    async def main(clock: Clock) -> None:
        server = Server(clock)
        app = ASGIMiddleware(app_of(1.0, EVENT, 1e6), observers=[seen])
        task = asyncio.ensure_future(app(server.scope, server.receive, server.send))
        await asyncio.sleep(0.5)
        server.pace = 1e6
        await asyncio.sleep(60.5)
        task.cancel()
        await asyncio.wait({task})

    warp(main)
    assert [(report.verdict, report.longest_pause) for report in seen.reports] == [(Verdict.CANCELLED, 60.0)]


@contextlib.asynccontextmanager
async def noted(clock: Clock, done: list[float]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await asyncio.sleep(2.0)  # its clean-up takes a while, and is not disturbed
        done.append(clock.now)


async def sends(scope: Any, receive: Any, send: Send) -> None:
    await app_of(EVENT, *[EVENT] * 10, None)(scope, receive, send)


async def is_silent(scope: Any, receive: Any, send: Send) -> None:
    """A heartbeat is what cannot be written."""
    await app_of(EVENT, 1e6, None)(scope, receive, send)


async def is_silent_and_listens(scope: Any, receive: Any, send: Send) -> None:
    task = asyncio.ensure_future(is_silent(scope, receive, send))
    while (await receive())["type"] != "http.disconnect":
        pass
    task.cancel()
    await asyncio.wait({task})


async def goes_on(scope: Any, receive: Any, send: Send) -> None:
    for message in (head(), *[body(EVENT)] * 10, body(b"", more=False)):
        with contextlib.suppress(OSError):
            await send(message)


async def answers_by_starlette(scope: Any, receive: Any, send: Send) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield EVENT

    await StreamingResponse(chunks(), media_type="text/event-stream")(scope, receive, send)


@pytest.mark.parametrize("spec", ["2.3", "2.4"])
@pytest.mark.parametrize("route", [sends, is_silent, is_silent_and_listens, goes_on, answers_by_starlette])
def test_a_client_that_takes_nothing_for_too_long_counts_as_one_that_has_left(route: Any, spec: str) -> None:
    seen = Verdicts()

    async def main(clock: Clock) -> tuple[list[float], float, Server]:
        done: list[float] = []

        async def app(scope: Any, receive: Any, send: Send) -> None:
            async with noted(clock, done):
                await route(scope, receive, send)

        server = Server(clock, spec=spec)
        server.takes = 2
        middleware = ASGIMiddleware(app, heartbeat=5.0, send_timeout=30.0, observers=[seen])
        with contextlib.suppress(Exception):  # Starlette's, by which it says that the client has left
            await middleware(server.scope, server.receive, server.send)
        return done, server.began, server

    done, began, server = warp(main)
    waits = 4.75 if route in (is_silent, is_silent_and_listens) else 0.0  # for the heartbeat
    assert [at - began for at in done] == [waits + 30.0 + 2.0]
    assert [(report.verdict, report.longest_pause) for report in seen.reports] == [(Verdict.CANCELLED, 30.0)]
    assert server.writes == [EVENT]


@pytest.mark.parametrize("spec", ["2.3", "2.4"])
def test_what_the_route_of_a_stalled_client_iterates_is_closed_before_garbage_is_collected(spec: str) -> None:
    async def main(clock: Clock) -> list[bool]:
        closed = list[bool]()

        async def upstream() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield EVENT
            finally:
                closed.append(True)

        app = FastAPI()

        @app.get("/")
        async def route() -> StreamingResponse:
            return StreamingResponse(arepair(upstream()), media_type="text/event-stream")

        server = Server(clock, spec=spec)
        server.takes = 2
        await ASGIMiddleware(app, send_timeout=30.0)(server.scope, server.receive, server.send)
        await asyncio.sleep(1.0)
        return closed

    gc.disable()
    try:
        assert warp(main) == [True]
    finally:
        gc.enable()


async def in_its_own_task(steps: tuple[Any, ...], send: Send, receive: Any) -> list[str]:
    """Send what an exception does not stand for, and raise that; return what `receive` says from then on."""
    for step in steps:
        if isinstance(step, Exception):
            raise step
        await send(step)
    return []


async def in_a_child(steps: tuple[Any, ...], send: Send, receive: Any) -> list[str]:
    """Let another task do so, while this one waits for the client to leave."""
    child = asyncio.ensure_future(in_its_own_task(steps, send, receive))
    heard: list[str] = []
    while "http.disconnect" not in heard:
        heard.append((await receive())["type"])
    with pytest.raises(OSError, match="the client has taken nothing for 30 s"):
        await child
    return heard


LENGTH = {**SSE, "content-length": "9"}
LAST = body(b"", more=False)
DEBUG = {"type": "http.response.debug", "info": {}}
WRITES: list[tuple[str, tuple[Any, ...], int, Verdict]] = [
    ("the start", (head(), body(TOKEN), LAST), 0, Verdict.CANCELLED),
    ("a start that is held", (head(headers=LENGTH.items()), body(TOKEN), LAST), 0, Verdict.CANCELLED),
    ("a body", (head(), body(TOKEN), LAST), 1, Verdict.CANCELLED),
    ("the end mark", (head(), body(TOKEN), body(DONE), LAST), 2, Verdict.COMPLETE),
    ("the end behind the end mark", (head(), body(TOKEN), body(DONE), LAST), 3, Verdict.COMPLETE),
    ("the end with the end mark", (head(), body(TOKEN), body(DONE, more=False)), 2, Verdict.COMPLETE),
    ("another message", (head(), body(TOKEN), DEBUG, LAST), 2, Verdict.CANCELLED),
]


@pytest.mark.parametrize("way", [in_its_own_task, in_a_child])
@pytest.mark.parametrize(
    ("steps", "takes", "verdict"), [row[1:] for row in WRITES], ids=[row[0].replace(" ", "-") for row in WRITES]
)
def test_whatever_write_stalls_the_application_hears_that_its_client_has_left(
    steps: tuple[Any, ...], takes: int, verdict: Verdict, way: Any
) -> None:
    seen = Verdicts()
    heard: list[Any] = []

    async def main(clock: Clock) -> float:
        async def app(scope: Any, receive: Any, send: Send) -> None:
            try:
                heard.extend(await way(steps, send, receive))
            except OSError as error:
                heard.append(str(error))
                heard.append((await receive())["type"])
                raise

        server = Server(clock)
        server.takes = takes
        middleware = ASGIMiddleware(app, heartbeat=None, send_timeout=30.0, observers=[seen])
        await asyncio.wait_for(middleware(server.scope, server.receive, server.send), 100.0)
        return clock.now - server.began

    assert warp(main) == 30.0
    if way is in_a_child:
        assert heard == ["http.request", "http.disconnect"]
    else:
        assert heard == ["the client has taken nothing for 30 s", "http.disconnect"]
    assert [report.verdict for report in seen.reports] == [verdict]
    if verdict is Verdict.CANCELLED:
        assert [report.longest_pause for report in seen.reports] == [30.0]


ENDS: list[tuple[str, tuple[Any, ...], int, Verdict]] = [
    ("the frame of an exception", (head(), body(TOKEN), ValueError("x")), 2, Verdict.FAILED),
    ("the frame of an end that is missing", (head(), body(TOKEN)), 2, Verdict.FAILED),
    ("a start that was held", (head(headers=LENGTH.items()),), 0, Verdict.CANCELLED),
    ("the end of a whole answer", (head(), body(TOKEN), body(DONE)), 3, Verdict.COMPLETE),
]


@pytest.mark.parametrize(
    ("steps", "takes", "verdict"), [row[1:] for row in ENDS], ids=[row[0].replace(" ", "-") for row in ENDS]
)
def test_an_end_that_the_client_does_not_take_is_no_error_of_the_server(
    steps: tuple[Any, ...], takes: int, verdict: Verdict
) -> None:
    seen = Verdicts()

    async def main(clock: Clock) -> float:
        async def app(scope: Any, receive: Any, send: Send) -> None:
            await in_its_own_task(steps, send, receive)

        server = Server(clock)
        server.takes = takes
        middleware = ASGIMiddleware(app, heartbeat=None, send_timeout=30.0, observers=[seen])
        await asyncio.wait_for(middleware(server.scope, server.receive, server.send), 100.0)
        return clock.now - server.began

    assert warp(main) == 30.0
    assert [report.verdict for report in seen.reports] == [verdict]


def test_an_exception_behind_an_end_that_stalls_is_the_one_that_is_raised() -> None:
    async def main(clock: Clock) -> None:
        server = Server(clock)
        server.takes = 3
        app = app_of(TOKEN, DONE, ValueError("not saved"))
        with pytest.raises(ValueError, match="not saved"):
            await ASGIMiddleware(app, send_timeout=30.0)(server.scope, server.receive, server.send)

    warp(main)


def test_the_time_for_a_write_is_none_for_a_file() -> None:
    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(head(headers=LENGTH.items()))
        await send({"type": "http.response.pathsend", "path": "/x"})

    server = serve(ASGIMiddleware(app, send_timeout=30.0), pace=50.0)
    assert [message["type"] for message in server.messages] == ["http.response.start", "http.response.pathsend"]


def test_a_slow_client_is_waited_for() -> None:
    server = serve(ASGIMiddleware(app_of(TOKEN, TOKEN, DONE, None), send_timeout=30.0), pace=29.0)
    assert (server.body, server.ends) == (TOKEN + TOKEN + DONE, 1)


@pytest.mark.parametrize(
    ("limit", "error"), [(0, ValueError), (-1.0, ValueError), ("30", TypeError), (True, TypeError)]
)
def test_a_time_for_writes_that_is_none_is_refused_with_the_fix(limit: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^send_timeout .*; None sets no limit$"):
        ASGIMiddleware(app_of(None), send_timeout=limit)


def test_two_tasks_may_send() -> None:
    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(head())
        await asyncio.gather(*(send(body(b"data: %d\n\n" % number)) for number in range(3)))
        await send(body(b"", more=False))

    server = serve(ASGIMiddleware(app, heartbeat=2.0), pace=3.0)
    assert server.body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"


def test_another_framing_has_its_type() -> None:
    server = serve(
        ASGIMiddleware(app_of(b'{"a":1}\n', None, headers={"content-type": "application/x-ndjson"}), to="sse")
    )
    assert server.headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert server.body == b'data: {"a":1}\n\n'
    server = serve(ASGIMiddleware(app_of(b'data: {"a":1}\n\n', None), to="ndjson"))
    assert server.headers[b"content-type"] == b"application/x-ndjson"
    assert server.body == b'{"a":1}\n'


def test_observers_see_each_stream() -> None:
    seen = Verdicts()
    app = ASGIMiddleware(app_of(TOKEN, DONE, None), observers=[seen], provider="mine")
    serve(app)
    serve(app)
    assert [(report.verdict, report.provider, report.text) for report in seen.reports] == [
        (Verdict.COMPLETE, "mine", "x"),
        (Verdict.COMPLETE, "mine", "x"),
    ]


# --- how it ends ---


def test_an_exception_in_a_stream_is_one_frame_and_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    seen = Verdicts()
    server = serve(ASGIMiddleware(app_of(TOKEN, RuntimeError("s3cret")), observers=[seen]))
    frame = server.body.removeprefix(TOKEN)
    assert frame.startswith(b'data: {"error"')
    assert frame.count(b"data: ") == 1
    assert b"s3cret" not in frame
    assert server.ends == 1
    assert seen.verdicts == [Verdict.FAILED]
    logged = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert "RuntimeError" in logged.getMessage()
    assert "in app" in str(logged.exc_text)  # the traceback


def test_an_exception_before_the_response_passes() -> None:
    async def app(scope: Any, receive: Any, send: Send) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        serve(ASGIMiddleware(app))


@pytest.mark.parametrize("status", [200, 500])
def test_an_exception_in_another_response_passes(status: int) -> None:
    headers = SSE if status == 500 else {}
    with pytest.raises(RuntimeError, match="mine"):
        serve(ASGIMiddleware(app_of(EVENT, RuntimeError("mine"), headers=headers, status=status)))


def test_an_exception_before_a_start_that_is_held_was_sent_passes() -> None:
    app = app_of(RuntimeError("mine"), headers={**SSE, "content-length": "9"})
    with pytest.raises(RuntimeError, match="mine"):
        serve(ASGIMiddleware(app))


def test_a_second_start_is_the_servers_to_refuse() -> None:
    seen = Verdicts()

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(head())
        await app_of(EVENT, None)(scope, receive, send)

    server = serve(ASGIMiddleware(app, observers=[seen]))
    assert [message["type"] for message in server.messages].count("http.response.start") == 2
    assert seen.verdicts == [Verdict.ENDED]


def test_a_cut_is_one_frame() -> None:
    server = serve(ASGIMiddleware(app_of(TOKEN, None)))
    assert b'"truncated"' in server.body
    assert server.ends == 1


def test_a_response_that_is_never_ended_ends_with_a_frame() -> None:
    server = serve(ASGIMiddleware(app_of(EVENT)))
    assert server.body.startswith(EVENT + b"event: error\n")
    assert server.ends == 1


def test_after_the_end_mark_the_application_may_save_the_answer() -> None:
    saved: list[float] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await app_of(TOKEN, DONE, EVENT)(scope, receive, send)
        await asyncio.sleep(PATIENCE - 1)
        saved.append(PATIENCE)
        await send(body(b""))
        await send(body(b"", more=False))

    server = serve(ASGIMiddleware(app))
    assert (server.body, server.ends, saved) == (TOKEN + DONE, 1, [PATIENCE])
    assert server.times[-1] == PATIENCE - 1


def test_an_exception_after_the_end_mark_is_raised_when_the_response_has_ended() -> None:
    seen: list[Server] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        seen.append(send.__self__._send.__self__)  # type: ignore[attr-defined]
        await app_of(TOKEN, DONE, RuntimeError("mine"))(scope, receive, send)

    with pytest.raises(RuntimeError, match="mine"):
        serve(ASGIMiddleware(app))
    assert (seen[0].body, seen[0].ends) == (TOKEN + DONE, 1)


@pytest.mark.parametrize("listens", [True, False])
def test_an_application_that_outlives_its_stream_is_stopped(listens: bool) -> None:
    ends: list[str] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await app_of(TOKEN, DONE)(scope, receive, send)
        if listens:
            ends.append((await receive())["type"])
            ends.append((await receive())["type"])
        else:
            try:
                await asyncio.sleep(1e6)
            finally:
                ends.append("cancelled")

    server = serve(ASGIMiddleware(until_left(app) if listens else app))
    assert (server.body, server.ends, server.times[-1]) == (TOKEN + DONE, 1, PATIENCE)
    assert ends == (["http.disconnect"] * 2 if listens else ["cancelled"])


def until_left(app: Any) -> Any:
    """Return an application that first reads its request, as all do that wait for the client to leave."""

    async def reads_first(scope: Any, receive: Any, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        await app(scope, receive, send)

    return reads_first


def test_an_application_that_sends_on_and_on_after_the_end_mark_is_stopped() -> None:
    sent: list[float] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await app_of(TOKEN, DONE)(scope, receive, send)
        while True:
            await send(body(EVENT))
            await asyncio.sleep(0.25)
            sent.append(0.25)

    server = serve(ASGIMiddleware(app))
    assert (server.body, server.ends) == (TOKEN + DONE, 1)
    assert sum(sent) == PATIENCE


def test_an_application_that_ignores_that_its_client_has_left_cannot_send() -> None:
    raised: list[str] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        listener = asyncio.ensure_future(receive())
        await app_of(TOKEN, DONE, PATIENCE + 1.0)(scope, receive, send)
        assert (await listener)["type"] == "http.disconnect"
        try:
            await send(body(EVENT))
        except OSError as error:
            raised.append(str(error))
            raise

    assert serve(ASGIMiddleware(until_left(app))).body == TOKEN + DONE
    assert raised == ["the stream has ended"]


def test_an_application_that_sends_without_waiting_after_the_end_mark_does_not_keep_the_loop() -> None:
    others: list[str] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await app_of(TOKEN, DONE)(scope, receive, send)
        asyncio.get_running_loop().call_soon(others.append, "ran")
        for _ in range(10):
            await send(body(EVENT))
        assert others
        await send(body(b"", more=False))

    assert serve(ASGIMiddleware(app)).body == TOKEN + DONE


# --- an application that stalls ---


class Stalls:
    """An application that sends an event and falls silent, in one of the ways in which frameworks wait."""

    def __init__(self, listens: str) -> None:
        self.listens = listens
        self.released_at: float | None = None

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        await receive()
        if self.listens == "in the task":
            upstream = asyncio.ensure_future(self.stream(send))
            while (await receive())["type"] != "http.disconnect":
                pass
            upstream.cancel()
            await asyncio.gather(upstream, return_exceptions=True)
        elif self.listens == "in another task":
            listener = asyncio.ensure_future(receive())
            upstream = asyncio.ensure_future(self.stream(send))
            await asyncio.wait({listener, upstream}, return_when=asyncio.FIRST_COMPLETED)
            upstream.cancel()
            listener.cancel()
            await asyncio.gather(listener, upstream, return_exceptions=True)
        else:
            await self.stream(send)

    async def stream(self, send: Send) -> None:
        try:
            await send(head())
            await send(body(TOKEN))
            await asyncio.sleep(1e5)
        finally:
            self.released_at = asyncio.get_running_loop().time() - 1000.0


WAYS = ("in the task", "in another task", "not at all")


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_that_stalls_is_ended_with_a_frame_and_the_application_released(way: str) -> None:
    app, seen = Stalls(way), Verdicts()
    server = serve(ASGIMiddleware(app, heartbeat=4.0, timeouts=Timeouts(idle=10.0), observers=[seen]))
    assert b"idle-timeout" in server.writes[-1]
    assert server.ends == 1
    assert [report.timeout for report in seen.reports] == ["idle"]
    assert app.released_at == server.times[-1] == 10.0


@pytest.mark.parametrize("way", WAYS[:2])
def test_a_client_that_leaves_in_silence_is_noticed_as_it_would_be_without_us(way: str) -> None:
    app, seen = Stalls(way), Verdicts()
    server = serve(ASGIMiddleware(app, observers=[seen]), leave=7.0)
    assert app.released_at == 7.0
    assert seen.verdicts == [Verdict.CANCELLED]
    assert server.body == TOKEN + b":\n\n"


def test_a_heartbeat_that_the_server_refuses_stops_an_application_that_does_not_listen() -> None:
    app, seen = Stalls("not at all"), Verdicts()
    serve(ASGIMiddleware(app, observers=[seen]), leave=7.0, refuses=True)
    assert app.released_at == pytest.approx(10.0, abs=0.6)
    assert seen.verdicts == [Verdict.CANCELLED]


def test_a_start_that_the_server_refuses_stops_the_application() -> None:
    seen = Verdicts()

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await asyncio.sleep(1.0)
        await app_of(1e6, headers={**SSE, "content-length": "9"})(scope, receive, send)

    serve(ASGIMiddleware(app, observers=[seen], heartbeat=None, timeouts=None), leave=0.5, refuses=True)
    assert seen.verdicts == [Verdict.CANCELLED]


def test_an_event_that_the_server_refuses_is_the_applications_to_learn() -> None:
    seen = Verdicts()
    with pytest.raises(OSError, match="has left"):
        serve(ASGIMiddleware(app_of(EVENT, 3.0, EVENT, None), observers=[seen]), leave=1.0, refuses=True)
    assert seen.verdicts == [Verdict.CANCELLED]


def test_a_client_that_leaves_before_the_response_is_no_stream() -> None:
    seen = Verdicts()

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await receive()
        await receive()
        await app_of(BROKEN, None)(scope, receive, send)

    assert serve(ASGIMiddleware(app, observers=[seen]), leave=1.0).body == BROKEN
    assert not seen.verdicts


@pytest.mark.parametrize("way", WAYS)
def test_a_cancellation_by_the_server_passes(way: str) -> None:
    app, seen = Stalls(way), Verdicts()

    async def main(clock: Clock) -> None:
        server = Server(clock)
        task = asyncio.ensure_future(ASGIMiddleware(app, observers=[seen])(server.scope, server.receive, server.send))
        await asyncio.sleep(6.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for other in left:  # of the application
            other.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    warp(main)
    assert seen.verdicts == [Verdict.CANCELLED]


def test_a_cancellation_by_the_server_leaves_no_heartbeat_behind() -> None:
    async def main(clock: Clock) -> None:
        server = Server(clock)
        app = ASGIMiddleware(app_of(1e6))
        task = asyncio.ensure_future(app(server.scope, server.receive, server.send))
        await asyncio.sleep(1.0)
        server.pace = 1e6
        await asyncio.sleep(6.0)
        task.cancel()
        await asyncio.wait({task})
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    warp(main)


def test_a_cancellation_by_the_server_passes_while_we_stop_the_application() -> None:
    async def app(scope: Any, receive: Any, send: Send) -> None:
        try:
            await app_of(TOKEN, 1e6)(scope, receive, send)
        finally:
            await asyncio.sleep(100.0)  # its clean-up

    async def main(clock: Clock) -> None:
        server = Server(clock)
        timeouts = Timeouts(idle=10.0)
        task = asyncio.ensure_future(ASGIMiddleware(app, timeouts=timeouts)(server.scope, server.receive, server.send))
        await asyncio.sleep(20.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    warp(main)


@pytest.mark.parametrize("ends", ["swallows", "raises another"])
def test_a_cancellation_of_ours_is_taken_back_whatever_the_application_makes_of_it(ends: str) -> None:
    async def app(scope: Any, receive: Any, send: Send) -> None:
        try:
            await app_of(TOKEN, 1e6)(scope, receive, send)
        except asyncio.CancelledError:
            if ends == "raises another":
                raise RuntimeError("mine") from None

    async def main(clock: Clock) -> None:
        server = Server(clock)
        await ASGIMiddleware(app, timeouts=Timeouts(idle=10.0))(server.scope, server.receive, server.send)
        assert b"idle-timeout" in server.body
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(1.0)

    warp(main)


def test_an_application_that_returns_when_a_timeout_ends_its_stream_is_not_cancelled() -> None:
    async def app(scope: Any, receive: Any, send: Send) -> None:
        await app_of(TOKEN, 14.0)(scope, receive, send)  # until the frame is being written, which takes 5 s

    server = serve(ASGIMiddleware(app, heartbeat=None, timeouts=Timeouts(idle=10.0)), pace=5.0)
    assert b"idle-timeout" in server.body
    assert server.ends == 1


def test_a_body_that_is_no_stream_ends_at_once_and_so_does_the_application() -> None:
    app = app_of(b"<html><title>502 Bad Gateway</title></html>", 1e6)
    server = serve(ASGIMiddleware(app))
    assert b"not-a-stream" in server.body
    assert b"html" not in server.body
    assert (server.ends, server.times[-1]) == (1, 0.0)


# --- what the application sees ---


def test_the_application_runs_in_the_servers_task_and_context() -> None:
    variable = contextvars.ContextVar("variable", default="")
    tasks: list[Any] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        tasks.append(asyncio.current_task())
        assert variable.get() == "of the server"
        variable.set("of the application")
        await app_of(EVENT, 6.0, None)(scope, receive, send)

    async def main(clock: Clock) -> None:
        server = Server(clock)
        variable.set("of the server")
        await ASGIMiddleware(app)(server.scope, server.receive, server.send)
        assert variable.get() == "of the application"
        assert tasks == [asyncio.current_task()]

    warp(main)


def test_without_asyncio_streams_pass_and_the_log_tells_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """As under trio."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    app = ASGIMiddleware(app_of(BROKEN, None))
    for _ in range(2):
        with contextlib.suppress(StopIteration):
            app({"type": "http", "method": "GET", "path": "/"}, None, send).send(None)  # type: ignore[arg-type]
    assert [message["body"] for message in sent[1:3]] == [BROKEN, b""]
    assert len(caplog.records) == 1


# --- options ---


def heartbeats(paths: Any, path: str, root: str = "") -> int:
    app = ASGIMiddleware(app_of(EVENT, 7.0, None), paths=paths, heartbeat=2.0)
    return len(serve(app, path=path, root=root).writes) - 2


PATHS: dict[str, Any] = {"/": None, "/chat": {}, "/chat/slow/": {"heartbeat": 5.0}, "/chat/raw": None}


@pytest.mark.parametrize(("path", "count"), [
    ("/chat", 3), ("/chat/", 3), ("/chat/a", 3), ("/chatter", 0), ("/", 0), ("/chat/slow", 1), ("/chat/slow/a", 1),
    ("/chat/raw", 0), ("/chat/rawer", 3),
])  # fmt: skip
def test_the_longest_beginning_of_a_path_has_the_options(path: str, count: int) -> None:
    assert heartbeats(PATHS, path) == count


@pytest.mark.parametrize(("root", "path", "count"), [
    ("/api", "/api/chat", 3), ("/api/", "/api/chat", 3), ("/api", "/chat", 3), ("/api", "/api", 0),
    ("/ap", "/api/chat", 0),
])  # fmt: skip
def test_paths_are_those_of_the_applications_routes(root: str, path: str, count: int) -> None:
    assert heartbeats(PATHS, path, root) == count


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "a name": ({"heartbeet": 5}, TypeError, "'heartbeet'"),
    "a value": ({"heartbeat": "5"}, TypeError, "heartbeat takes seconds"),
    "a range": ({"heartbeat": -1}, ValueError, "heartbeat must be"),
    "names of arguments": ({"heartbeet": 5}, TypeError, "it takes .* pace, paths, provider, .* send_timeout, timeouts"),
    "what others exclude": ({"exclude": ["/x"]}, TypeError, r"'exclude' \(did you mean paths=\{'/x': None\}\?\)"),
    "what others skip": ({"skip": "/x"}, TypeError, r"paths=\{'/x': None\}"),
    "what others ignore": ({"ignore": "/x"}, TypeError, r"paths=\{'/x': None\}"),
    "skipped within a path": ({"paths": {"/a": {"skip": "/x"}}}, TypeError, r"'skip'(?!.*paths)"),
    "no options": ({"abort": print}, TypeError, "'abort'"),
    "no mapping": ({"paths": ["/chat"]}, TypeError, r"write \{'/chat'"),
    "a path": ({"paths": {"chat": {}}}, ValueError, "begin with '/'"),
    "a path that is no text": ({"paths": {b"/chat": {}}}, TypeError, "paths as str"),
    "options of a path": ({"paths": {"/chat": 5}}, TypeError, "mapping of options, or None"),
    "a name of a path": ({"paths": {"/chat": {"repair": ()}}}, TypeError, r"\['/chat'\].*'repair'"),
    "a value of a path": ({"paths": {"/chat": {"to": "json-array"}}}, ValueError, "to="),
    "a recorder of one stream": ({"observers": [FlightRecorder()]}, TypeError, "one stream"),
}


@pytest.mark.parametrize(("options", "error", "text"), WRONG.values(), ids=WRONG)
def test_wrong_options_are_refused_when_the_application_starts(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        ASGIMiddleware(app_of(), **options)


def test_options_that_can_be_read_once_are_for_every_stream() -> None:
    seen = Verdicts()
    app = ASGIMiddleware(app_of(TOKEN[:-1], TOKEN, None), observers=iter([seen]), repairs=iter(DEFAULT_REPAIRS))  # type: ignore[arg-type]
    serve(app)
    serve(app)
    assert [report.repairs.total() for report in seen.reports] == [1, 1]


# --- frameworks ---


def starlette_app(response: Callable[[], Response], **options: Any) -> Starlette:
    async def route(request: Request) -> Response:
        return response()

    app = Starlette(routes=[Route("/", route), Mount("/sub", routes=[Route("/", route)])])
    app.add_middleware(ASGIMiddleware, **options)
    return app


@pytest.mark.parametrize("spec", ["2.1", "2.3", "2.4"])
def test_a_bare_streaming_response_is_served_and_released(spec: str) -> None:
    released: list[float] = []

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield EVENT
            await asyncio.sleep(1e6)
        finally:
            released.append(asyncio.get_running_loop().time() - 1000.0)

    app = starlette_app(lambda: StreamingResponse(chunks(), media_type="text/event-stream"))
    server = serve(app, spec=spec, leave=7.0, refuses=spec == "2.4")
    assert server.body == EVENT + b":\n\n"
    assert released == pytest.approx([10.0 if spec == "2.4" else 7.0], abs=0.6)
    released.clear()
    app = starlette_app(
        lambda: StreamingResponse(chunks(), media_type="text/event-stream"), timeouts=Timeouts(silence=12.0)
    )
    server = serve(app, spec=spec)
    assert b"silence-timeout" in server.body
    assert released == [12.0]


@pytest.mark.parametrize("outside", [False, True])
def test_middlewares_of_starlette_work_inside_and_outside(outside: bool) -> None:
    tasks: list[str] = []

    async def chunks() -> AsyncIterator[bytes]:
        yield EVENT
        await asyncio.sleep(6.0)
        yield EVENT

    async def note() -> None:
        tasks.append("in the background")

    async def pass_on(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["X-Other"] = "1"
        return response

    async def route(request: Request) -> Response:
        return StreamingResponse(chunks(), media_type="text/event-stream", background=BackgroundTask(note))

    app = Starlette(routes=[Route("/", route)])
    if outside:
        app.add_middleware(ASGIMiddleware)
    app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
    if not outside:
        app.add_middleware(ASGIMiddleware)
    server = serve(app)
    assert server.body == EVENT + b":\n\n" + EVENT
    assert server.headers[b"x-other"] == b"1"
    assert (server.ends, tasks) == (1, ["in the background"])


def test_a_file_of_json_lines_arrives(tmp_path: Any) -> None:
    (tmp_path / "a.ndjson").write_bytes(b'{"a":1}\n')
    app = starlette_app(lambda: FileResponse(tmp_path / "a.ndjson", media_type="application/x-ndjson"))
    server = asyncio.run(served(app))
    assert (server.body, server.ends) == (b'{"a":1}\n', 1)
    assert b"content-length" not in server.headers


async def served(app: Any) -> Server:
    server = Server(Clock())
    await app(server.scope, server.receive, server.send)
    return server


@pytest.mark.slow
class TestABareRoute(RouteContract):
    """A route of Starlette that knows nothing of us."""

    heartbeat = 0.2

    def app(self, upstream: Upstream) -> Any:
        async def chunks() -> AsyncIterator[bytes]:
            source = upstream.achunks()
            try:
                async for chunk in source:
                    yield chunk
            finally:
                await source.aclose()

        return starlette_app(
            lambda: StreamingResponse(chunks(), media_type="text/event-stream"), heartbeat=self.heartbeat
        )


def test_a_stream_that_stalls_is_ended_on_uvloop() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> Server:
        server = Server(Clock())
        app = ASGIMiddleware(Stalls("in the task"), timeouts=Timeouts(idle=0.01))
        await app(server.scope, server.receive, server.send)
        return server

    assert b"idle-timeout" in uvloop.run(main()).body
