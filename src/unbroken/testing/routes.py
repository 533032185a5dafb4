"""The route contract: tests of a streaming route of an ASGI or WSGI app.

https://asgi.readthedocs.io/en/latest/specs/www.html and PEP 3333

The app is called in this process, without a server, so that each write, each gap between writes and the release of
upstream can be observed. Upstream is a script; times are real and short.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import io
import sys
import threading
import time
import unittest
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

from .attributes import Attribute, a, check_attributes, is_named
from .cuts import cut, every, nasty_cuts
from .failures import client_failures
from .mistakes import WrongContract
from .sources import Block, Pause, Repeat, Step, Upstream
from .standard import Seen, read_sse

_BODY = 'event: a\ndata: {"n":1}\n\ndata: {"t":"é你😀"}\n\nid: 7\ndata: {"n":2}\ndata: \n\ndata: {"n":3}\n\n'.encode()
_EVENT = b'data: {"n":1}\n\n'
_SECRET = "s3cr3t-0f-upstream"
_ATTRIBUTES = (
    Attribute("path", "a string that begins with /", lambda value: isinstance(value, str) and value[:1] == "/"),
    Attribute("method", "a method of HTTP, such as GET", a(str)),
    Attribute("body", "bytes", a(bytes)),
    Attribute("request_headers", "a mapping of names to values", is_named),
    Attribute("heartbeat", "a number of seconds, or None", a(int, float, type(None))),
    Attribute("patience", "a number of seconds", a(int, float)),
)


@dataclass(slots=True)
class Answer:
    """What a client has seen of a response. `writes` are pairs of seconds since the request, and bytes."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    writes: list[tuple[float, bytes]] = field(default_factory=list)
    ends: int = 0
    """How often the end of the body was signalled."""
    raised: BaseException | None = None

    @property
    def body(self) -> bytes:
        """All bytes that were written."""
        return b"".join(data for _, data in self.writes)

    @property
    def events(self) -> tuple[Seen, ...]:
        """The events of the body, as a conforming reader sees them."""
        return read_sse(self.body).events


class RouteContract:
    """The tests of a streaming route. Subclass it as `Test...` and define `app`.

    `app(upstream)` returns an ASGI or WSGI app whose route reads `upstream.chunks()` (in threads) or
    `upstream.achunks()` (in an event loop) and forwards them as server-sent events. `heartbeat` is the app's interval
    between heartbeats in seconds; None if it sends none, which skips the tests of heartbeats.
    """

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        check_attributes(cls, _ATTRIBUTES)

    path: ClassVar[str] = "/"
    method: ClassVar[str] = "GET"
    body: ClassVar[bytes] = b""
    request_headers: ClassVar[Mapping[str, str]] = {}
    heartbeat: ClassVar[float | None] = None
    patience: ClassVar[float] = 5.0
    """Seconds that a busy machine may take for what should happen immediately."""

    def app(self, upstream: Upstream) -> Any:
        """Return the app that streams this upstream."""
        raise WrongContract(f"{type(self).__name__} must define app(upstream)")

    # What is forwarded.

    def test_a_healthy_stream_arrives_event_for_event(self) -> None:
        """However upstream is chunked, a client gets status 200 and the events that upstream sent."""
        for chunks in ([_BODY], every(_BODY, 1), cut(_BODY, nasty_cuts(_BODY))):
            answer, _ = self._ask(chunks)
            assert answer.raised is None, f"the app raised {answer.raised!r}"
            assert answer.status == 200, f"status {answer.status} for a healthy stream"
            assert answer.events == read_sse(_BODY).events, f"upstream sent {_BODY!r}\nthe client got {answer.body!r}"

    def test_each_write_is_whole_frames(self) -> None:
        """No write ends inside an event, where a heartbeat or the end of the connection could follow."""
        answer, _ = self._ask(every(_BODY, 3))
        for end in range(1, len(answer.writes) + 1):
            data = b"".join(data for _, data in answer.writes[:end])
            rest = data[data.rfind(b"\n\n") + 2 :] if b"\n\n" in data else data
            assert all(line.startswith(b":") for line in rest.split(b"\n")[:-1]), f"a write ended after {rest!r}"
            assert rest == b"" or rest.endswith(b"\n"), f"a write ended inside the line {rest!r}"

    def test_an_event_is_written_before_the_next_is_asked_for(self) -> None:
        """Nothing is buffered: the first event is written while upstream is silent."""
        answer, upstream = self._ask([_EVENT, Block()], leave=lambda answer: len(answer.events) == 1)
        upstream.abort()
        assert answer.events == read_sse(_EVENT).events, f"nothing came while upstream was silent: {answer.body!r}"

    def test_the_headers_let_a_stream_pass(self) -> None:
        """An event stream, not cached, not buffered by a proxy, and without hop-by-hop headers."""
        answer, _ = self._ask([_BODY])
        headers = answer.headers
        assert headers.get("content-type", "").startswith("text/event-stream"), f"headers: {headers}"
        assert "no-cache" in headers.get("cache-control", "") or "no-store" in headers.get("cache-control", ""), (
            f"a proxy may cache it (RFC 9111, 5.2.2.4): {headers}"
        )
        assert headers.get("x-accel-buffering") == "no", f"nginx buffers it by default: {headers}"
        for name in ("connection", "keep-alive", "transfer-encoding", "content-length", "upgrade"):
            assert name not in headers, f"{name} is not the app's to send (RFC 9110, 7.6.1; PEP 3333): {headers}"

    # Heartbeats.

    def test_silence_is_filled_with_heartbeats(self) -> None:
        """While upstream is silent, no gap between two writes is longer than the interval."""
        interval = self._heartbeat()
        answer, _ = self._ask([_EVENT, Pause(interval * 6), _EVENT])
        times = [at for at, _ in answer.writes]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        # A busy machine stretches single gaps; an app without heartbeats has one of six intervals.
        assert max(gaps, default=interval * 6) < interval * 4, f"gaps between writes, in seconds: {gaps}"

    def test_heartbeats_are_no_events_and_break_none(self) -> None:
        """A heartbeat is written only between events, even where upstream pauses in the middle of one."""
        interval = self._heartbeat()
        half = len(_EVENT) // 2
        answer, _ = self._ask(
            [_EVENT[:half], Pause(interval * 4), _EVENT[half:], b"id: 1\n" + _EVENT, Pause(interval * 4), _EVENT]
        )
        expected = read_sse(_EVENT + b"id: 1\n" + _EVENT + _EVENT).events
        assert answer.events == expected, f"the client got {answer.body!r}"

    # The end.

    def test_a_response_ends_once(self) -> None:
        """The end of upstream ends the response, once, and upstream is released."""
        answer, upstream = self._ask([_BODY])
        assert answer.ends == 1, f"the end was signalled {answer.ends} times"
        self._check_released(upstream)

    def test_a_failure_of_upstream_is_told_in_one_last_event(self) -> None:
        """The status has been sent already, so that only an event can report the failure, and only one."""
        for name, failure in client_failures().items():
            answer, upstream = self._ask([_EVENT, failure()])
            assert answer.raised is None, f"{name}: the app raised {answer.raised!r}, the client sees a broken body"
            assert answer.events[:1] == read_sse(_EVENT).events, (
                f"{name}: the event before it was lost: {answer.body!r}"
            )
            assert len(answer.events) == 2, f"{name}: one event must report it: {answer.body!r}"
            assert answer.ends == 1, f"{name}: the end was signalled {answer.ends} times"
            self._check_released(upstream)

    def test_a_failure_keeps_its_words_to_itself(self) -> None:
        """The text of an exception can contain keys, addresses and upstream's HTML; it must not reach the client."""
        answer, _ = self._ask([_EVENT, RuntimeError(_SECRET)])
        assert _SECRET.encode() not in answer.body, f"the exception's text reached the client: {answer.body!r}"
        assert b"Traceback" not in answer.body, f"a traceback reached the client: {answer.body!r}"

    # A client that leaves.

    def test_upstream_is_released_when_the_client_leaves(self) -> None:
        """Once the client has left, reading on only costs money."""
        answer, upstream = self._ask([Repeat(_EVENT)], leave=lambda answer: len(answer.events) >= 3)
        assert answer.events[:3] == read_sse(_EVENT * 3).events
        self._check_released(upstream)

    def test_upstream_is_released_when_the_client_leaves_in_silence(self) -> None:
        """The same while a read is blocked: the app must notice the client in the meantime."""
        _, upstream = self._ask([_EVENT, Block()], leave=lambda answer: len(answer.events) == 1)
        self._check_released(upstream)

    def test_a_slow_client_slows_upstream(self) -> None:
        """What the client has not read yet is not read ahead without bound."""
        chunk = b"data: " + b"x" * 10_000 + b"\n\n"
        _, upstream = self._ask([Repeat(chunk)], leave=lambda answer: len(answer.events) >= 3, pace=0.05)
        assert upstream.taken < 1000, f"{upstream.taken} chunks of 10 kB were read for a client that took a few"

    # How the app is called.

    def _heartbeat(self) -> float:
        if self.heartbeat is None:
            raise unittest.SkipTest("sends no heartbeat")
        return self.heartbeat

    def _ask(
        self, steps: Sequence[Step], leave: Callable[[Answer], bool] = lambda answer: False, pace: float = 0.0
    ) -> tuple[Answer, Upstream]:
        """Send one request; disconnect once `leave` returns true; take `pace` seconds to accept each write."""
        upstream = Upstream(steps)
        app = self.app(upstream)
        is_asgi = inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)
        if is_asgi:
            return asyncio.run(self._ask_asgi(app, leave, pace)), upstream
        return self._ask_wsgi(app, upstream, leave, pace), upstream

    def _check_released(self, upstream: Upstream) -> None:
        deadline = time.monotonic() + self.patience
        while not upstream.released and time.monotonic() < deadline:
            gc.collect()
            time.sleep(0.01)
        released, taken = upstream.released, upstream.taken
        upstream.abort()
        assert released, f"upstream was still open {self.patience} s after the end ({taken} chunks read)"

    async def _ask_asgi(self, app: Any, leave: Callable[[Answer], bool], pace: float) -> Answer:
        answer = Answer()
        start = time.monotonic()
        left = asyncio.Event()
        requests = [{"type": "http.request", "body": self.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if requests:
                return requests.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode().lower(): value.decode() for name, value in message.get("headers", ())}
                return
            if data := message.get("body", b""):
                answer.writes.append((time.monotonic() - start, bytes(data)))
            answer.ends += not message.get("more_body", False)
            if leave(answer):
                left.set()
            await asyncio.sleep(pace)

        scope = {
            "type": "http",
            # With 2.3, servers report a client that left by a message only; apps must listen for it.
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in self.request_headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        task = asyncio.ensure_future(app(scope, receive, send))
        gone = asyncio.ensure_future(left.wait())
        await asyncio.wait({task, gone}, timeout=4 * self.patience, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait({task}, timeout=self.patience)
        gone.cancel()
        if not task.done():
            task.cancel()
            answer.raised = TimeoutError("the app went on after its client had left")
        await asyncio.gather(task, gone, return_exceptions=True)
        if not task.cancelled() and (error := task.exception()):
            answer.raised = error
        return answer

    def _ask_wsgi(self, app: Any, upstream: Upstream, leave: Callable[[Answer], bool], pace: float) -> Answer:
        answer = Answer()
        thread = threading.Thread(target=self._serve_wsgi, args=(app, answer, leave, pace), daemon=True)
        thread.start()
        thread.join(4 * self.patience)
        if thread.is_alive():
            answer.raised = TimeoutError("the app blocked, and wrote nothing")
            upstream.abort()
            thread.join(self.patience)
        return answer

    def _serve_wsgi(self, app: Any, answer: Answer, leave: Callable[[Answer], bool], pace: float) -> None:
        start = time.monotonic()

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
            answer.status = int(status.split()[0])
            answer.headers = {name.lower(): value for name, value in headers}
            return lambda data: answer.writes.append((time.monotonic() - start, data))

        result: Iterable[bytes] = ()
        try:
            result = app(self._environ(), start_response)
            for data in result:
                if data:
                    answer.writes.append((time.monotonic() - start, data))
                    time.sleep(pace)
                if leave(answer):
                    break
            answer.ends += 1
        except Exception as error:
            answer.raised = error
        finally:
            if close := getattr(result, "close", None):
                close()

    def _environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": "",
            "CONTENT_LENGTH": str(len(self.body)),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.request_headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        return environ
