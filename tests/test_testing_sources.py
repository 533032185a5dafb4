"""Scripted sources and servers do what their scripts say, in threads, in event loops and on real sockets."""

import asyncio
import http.client
import threading
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import requests
from hypothesis import given, settings

from unbroken.testing.clock import FakeClock
from unbroken.testing.failures import client_failures
from unbroken.testing.server import (
    HEAD_FAULTS,
    Hold,
    Reset,
    ScriptedServer,
    chunked,
    close_delimited,
    head,
    with_length,
)
from unbroken.testing.sources import (
    AsyncScriptedSource,
    Block,
    Interrupted,
    Pause,
    Repeat,
    Schedule,
    ScriptedSource,
    Upstream,
)
from unbroken.testing.strategies import schedules

EVENT = b"data: a\n\n"


def in_a_moment(call: Callable[[], object]) -> None:
    threading.Timer(0.05, call).start()


def test_a_fake_clock_moves_when_advanced() -> None:
    clock = FakeClock(5.0)
    clock.sleep(1.5)
    asyncio.run(clock.asleep(1.0))
    assert clock() == clock.now == 7.5
    with pytest.raises(ValueError, match="seconds must be finite and 0 seconds or more"):
        clock.advance(-1)


def test_a_pause_that_is_longer_than_a_lock_can_wait_can_be_interrupted() -> None:
    source = ScriptedSource([Pause(1e300)])
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(next, source)
        with pytest.raises(TimeoutError):
            read.result(0.05)
        source.abort()
        assert isinstance(read.exception(10), Interrupted)


def test_a_source_yields_pauses_and_raises_as_its_script_says() -> None:
    clock = FakeClock()
    source = ScriptedSource([b"a", Pause(300.0), Repeat(b"b", 2), ValueError("x")], clock)
    assert [next(source), next(source), next(source)] == [b"a", b"b", b"b"]
    assert (clock.now, source.taken, source.closed) == (300.0, 3, False)
    with pytest.raises(ValueError, match="x"):
        next(source)
    assert source.closed


def test_an_async_source_yields_pauses_and_raises_as_its_script_says() -> None:
    async def main() -> None:
        clock = FakeClock()
        source = AsyncScriptedSource([b"a", Pause(300.0), Repeat(b"b", 2), ValueError("x")], clock)
        assert [await anext(source), await anext(source), await anext(source)] == [b"a", b"b", b"b"]
        assert (clock.now, source.taken, source.closed) == (300.0, 3, False)
        with pytest.raises(ValueError, match="x"):
            await anext(source)
        assert source.closed

    asyncio.run(main())


@pytest.mark.parametrize(
    "script", [[[b"a"]], ["text"], [ValueError], [bytearray(b"a")], b"abc", "abc", 5, [b"a", None]], ids=repr
)
@pytest.mark.parametrize("make", [ScriptedSource, AsyncScriptedSource, Upstream])
def test_a_wrong_script_is_refused_before_it_is_read(make: Any, script: Any) -> None:
    with pytest.raises(TypeError, match="script"):
        make(script)


def test_a_wrong_step_of_an_endless_script_is_refused_where_it_comes() -> None:
    source = ScriptedSource(iter([b"a", "b"]))  # type: ignore[list-item]
    assert next(source) == b"a"
    with pytest.raises(TypeError, match="a step of a script is bytes"):
        next(source)


def test_a_source_that_ended_is_released() -> None:
    source = ScriptedSource([b"a"])
    assert list(source) == [b"a"]
    assert source.closed
    source.close()
    assert not source.aborted


@pytest.mark.parametrize("step", [Block(), Pause(60.0)])
def test_abort_interrupts_a_blocked_read(step: Block | Pause) -> None:
    source = ScriptedSource([step, b"never"])
    in_a_moment(source.abort)
    with pytest.raises(Interrupted):
        next(source)
    assert source.closed


def test_close_interrupts_a_blocked_read() -> None:
    source = ScriptedSource([Block()])
    in_a_moment(source.close)
    with pytest.raises(Interrupted):
        next(source)


def test_a_pause_passes_by_itself() -> None:
    assert list(ScriptedSource([Pause(0.01), b"a"])) == [b"a"]


@pytest.mark.parametrize("step", [Block(), Pause(60.0)])
def test_an_async_read_is_left_by_abort_by_close_and_by_cancelling(step: Block | Pause) -> None:
    async def main() -> None:
        for end in ("abort", "aclose", "cancel"):
            source = AsyncScriptedSource([step])
            read = asyncio.ensure_future(anext(source))
            await asyncio.sleep(0.01)
            if end == "abort":
                source.abort()
            elif end == "aclose":
                await source.aclose()
            else:
                read.cancel()
            (result,) = await asyncio.gather(read, return_exceptions=True)
            assert isinstance(result, asyncio.CancelledError if end == "cancel" else Interrupted)
            assert source.closed
            assert source.cancelled == (end == "cancel")

    asyncio.run(main())


def test_an_async_source_ends() -> None:
    async def main() -> list[bytes]:
        return [chunk async for chunk in AsyncScriptedSource([Pause(0.01), b"a", b"b"])]

    assert asyncio.run(main()) == [b"a", b"b"]


def test_a_source_without_end_goes_on() -> None:
    source = ScriptedSource([Repeat(EVENT)])
    assert [next(source) for _ in range(1000)] == [EVENT] * 1000
    source.close()
    with pytest.raises(Interrupted):
        next(source)


def test_an_upstream_notes_what_its_source_saw() -> None:
    upstream = Upstream([b"a"])
    assert (upstream.released, upstream.taken) == (True, 0)
    upstream.abort()
    assert list(upstream.chunks()) == [b"a"]
    assert (upstream.released, upstream.taken) == (True, 1)
    upstream.achunks()
    assert not upstream.released
    upstream.abort()


@settings(max_examples=200, deadline=None)
@given(schedules())
def test_a_schedule_says_what_its_source_will_do(schedule: Schedule) -> None:
    arrivals = list(schedule.arrivals())
    assert b"".join(chunk for _, chunk in arrivals) == schedule.delivered
    assert schedule.stream.data.startswith(schedule.delivered)
    assert [now for now, _ in arrivals] == sorted(now for now, _ in arrivals)
    clock = FakeClock()
    source = ScriptedSource([step for step in schedule.steps if not isinstance(step, Block)], clock)
    seen = b""
    raised = None
    try:
        for chunk in source:
            seen += chunk
    except Exception as error:
        raised = error
    assert raised is schedule.failure
    assert seen == schedule.delivered
    assert clock.now == pytest.approx(schedule.duration)


def test_the_failures_are_the_clients_own() -> None:
    failures = client_failures()
    assert isinstance(failures["httpx.ReadError"](), httpx.ReadError)
    assert isinstance(failures["requests.ChunkedEncodingError"](), requests.exceptions.ChunkedEncodingError)
    assert all(isinstance(failure(), Exception) for failure in failures.values())
    assert not any(failure() is failure() for failure in failures.values())


# --- On a socket --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("respond", [chunked, close_delimited, with_length])
def test_a_whole_body_arrives(respond: Callable[..., list[object]]) -> None:
    with ScriptedServer(respond([EVENT, EVENT])) as server:  # type: ignore[arg-type]
        assert httpx.get(server.url).content == EVENT * 2
        assert requests.get(server.url, timeout=5).content == EVENT * 2
        with urllib.request.urlopen(server.url, timeout=5) as response:
            assert response.read() == EVENT * 2


def test_a_chunked_body_without_its_end_is_an_error() -> None:
    with ScriptedServer(chunked([EVENT], end=False)) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(server.url)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(server.url, timeout=5)


def test_a_cut_of_a_close_delimited_body_cannot_be_detected() -> None:
    with ScriptedServer(close_delimited([EVENT[:4]])) as server:
        assert httpx.get(server.url).content == EVENT[:4]


def test_a_reset_is_a_reset() -> None:
    script = chunked([EVENT, Pause(0.1), Reset()], end=False)
    with ScriptedServer(script) as server, httpx.stream("GET", server.url) as response:
        chunks = response.iter_raw()
        assert next(chunks) == EVENT
        with pytest.raises(httpx.ReadError):
            next(chunks)


def test_a_length_may_be_wrong() -> None:
    script = with_length([EVENT], length=100)
    with (
        ScriptedServer(script) as server,
        urllib.request.urlopen(server.url, timeout=5) as response,
        pytest.raises(http.client.IncompleteRead),
    ):
        response.read()


def test_the_server_sees_a_client_leave() -> None:
    with ScriptedServer(chunked([EVENT, Hold()])) as server:
        with httpx.stream("GET", server.url) as response:
            assert next(response.iter_raw()) == EVENT
        for _ in range(100):
            if server.clients_left:
                break
            threading.Event().wait(0.02)
        assert server.clients_left == 1


def test_each_connection_plays_the_next_script() -> None:
    with ScriptedServer(close_delimited([b"1"]), close_delimited([b"2"])) as server:
        assert [httpx.get(server.url).content for _ in range(3)] == [b"1", b"2", b"2"]


def test_requests_are_kept_with_their_bodies() -> None:
    with ScriptedServer(close_delimited([b"1"])) as server:
        httpx.post(server.url, content=b"question")
        assert server.requests[0].startswith(b"POST / HTTP/1.1\r\n")
        assert server.requests[0].endswith(b"\r\n\r\nquestion")


@pytest.mark.parametrize("fault", HEAD_FAULTS)
def test_a_fault_of_the_head_is_an_error_or_is_read(fault: str) -> None:
    with ScriptedServer(HEAD_FAULTS[fault]) as server:
        try:
            response = httpx.get(server.url, timeout=5)
        except httpx.TransportError:
            assert fault in {
                "no answer",
                "reset before the head",
                "half a head",
                "no status line",
                "two transfer encodings",
                "a chunk size that is none",
            }
        else:
            assert response.status_code in (200, 429)


def test_a_head_is_spelt_as_asked() -> None:
    assert head("204 No Content", X_A="b") == b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n"
