"""The route contract passes our own streams in each framework, and fails for routes with known faults."""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import flask
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from unbroken import SSE_HEADERS, arepair, repair
from unbroken.testing.contract import examine
from unbroken.testing.routes import RouteContract
from unbroken.testing.sources import Upstream


def starlette_app(body: Any, headers: Any = SSE_HEADERS) -> Starlette:
    async def route(request: Request) -> Response:
        return StreamingResponse(body(), headers=headers)

    return Starlette(routes=[Route("/", route)])


def flask_app(body: Any, headers: Any = SSE_HEADERS) -> flask.Flask:
    app = flask.Flask("tests")

    @app.get("/")
    def route() -> flask.Response:
        return flask.Response(body(), headers=headers)

    return app


class TestOurStreamInStarlette(RouteContract):
    heartbeat = 0.2

    def app(self, upstream: Upstream) -> Any:
        return starlette_app(lambda: arepair(upstream.achunks(), heartbeat=self.heartbeat))


@pytest.mark.slow
class TestOurThreadedStreamInStarlette(RouteContract):
    heartbeat = 0.2

    def app(self, upstream: Upstream) -> Any:
        return starlette_app(lambda: arepair(upstream.chunks(), abort=upstream.abort, heartbeat=self.heartbeat))


@pytest.mark.slow
class TestOurStreamInFlask(RouteContract):
    heartbeat = 0.2

    def app(self, upstream: Upstream) -> Any:
        return flask_app(lambda: repair(upstream.chunks(), abort=upstream.abort, heartbeat=self.heartbeat))


@pytest.mark.slow
class TestOurStreamInPlainWSGI(RouteContract):
    heartbeat = 0.2

    def app(self, upstream: Upstream) -> Any:
        def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            start_response("200 OK", list(SSE_HEADERS.items()))
            return repair(upstream.chunks(), abort=upstream.abort, heartbeat=self.heartbeat)

        return app


class NaiveStarlette(RouteContract):
    heartbeat = 0.2
    patience = 1.0

    def app(self, upstream: Upstream) -> Any:
        return starlette_app(upstream.achunks, {"Content-Type": "text/plain", "Content-Length": "5"})


class Stubborn(RouteContract):
    """Reads upstream to its end whatever happens, buffers, exposes the text of errors, and never closes."""

    heartbeat = 0.2
    patience = 0.5

    def app(self, upstream: Upstream) -> Any:
        async def body() -> AsyncIterator[bytes]:
            chunks: list[bytes] = []
            try:
                async for chunk in upstream.achunks():
                    chunks.append(chunk)
                    if len(chunks) > 2000:
                        break
            except Exception as error:
                yield f"data: Traceback {error}\n\n".encode() * 2
            yield b"".join(chunks).replace(b"id:", b"no:").decode("ascii", "ignore").encode()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 201, "headers": [(b"connection", b"close")]})
            async for data in body():
                await send({"type": "http.response.body", "body": data, "more_body": True})

        return app


class Leaky(RouteContract):
    """Keeps a reference to upstream, and closes nothing."""

    patience = 0.5

    def app(self, upstream: Upstream) -> Any:
        source = upstream.chunks()

        def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
            start_response("200 OK", [])
            yield from iter(source.__next__, None)  # type: ignore[call-overload]

        return app


WRONG = {
    NaiveStarlette: {
        "test_a_failure_of_upstream_is_told_in_one_last_event",
        "test_each_write_is_whole_frames",
        "test_silence_is_filled_with_heartbeats",
        "test_the_headers_let_a_stream_pass",
    },
    Stubborn: {
        "test_a_failure_keeps_its_words_to_itself",
        "test_a_healthy_stream_arrives_event_for_event",
        "test_a_response_ends_once",
        "test_a_slow_client_slows_upstream",
        "test_heartbeats_are_no_events_and_break_none",
        "test_an_event_is_written_before_the_next_is_asked_for",
        "test_upstream_is_released_when_the_client_leaves",
    },
    Leaky: {"test_upstream_is_released_when_the_client_leaves_in_silence"},
}


@pytest.mark.slow
@pytest.mark.parametrize("contract", WRONG)
def test_a_wrong_route_fails_the_tests_of_its_wrongs(contract: type[RouteContract]) -> None:
    findings = examine(contract())
    failed = {finding.test for finding in findings if finding.failure}
    assert WRONG[contract] <= failed


def test_every_test_of_the_contract_can_fail() -> None:
    names = {name for name in dir(RouteContract) if name.startswith("test_")}
    assert set.union(*WRONG.values()) == names
