"""The connection of an attempt: what `connect` returns, waiting for it, and leaving it."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.attempts import (
    POLICY,
    QUICK,
    WHOLE,
    Attempts,
    Part,
    chat,
    event,
    no_thread_is_left,  # noqa: F401  # a fixture of every test
    read_async,
    read_events,
    status_error,
)
from tests.scripted import LIMIT, Clock, Threads, warp
from unbroken import (
    Attempt,
    Event,
    Retry,
    Source,
    StreamError,
    Timeouts,
    Verdict,
    aiter_events,
    arepair,
    aretrying,
    iter_events,
    repair,
    retrying,
)

# What `connect` returns


class Response:
    """A context manager, as clients give it, which keeps where it was entered and left."""

    def __init__(self, chunks: Any, log: list[Any]) -> None:
        self.chunks = chunks
        self.log = log

    def __enter__(self) -> Any:
        self.log.append(("enter", threading.current_thread()))
        return self.chunks

    def __exit__(self, *error: object) -> None:
        self.log.append(("exit", threading.current_thread()))

    async def __aenter__(self) -> Any:
        self.log.append(("enter", asyncio.current_task()))
        return self.chunks

    async def __aexit__(self, *error: object) -> None:
        self.log.append(("exit", asyncio.current_task()))


def test_each_attempt_is_left_in_the_thread_that_entered_it_before_the_next_begins() -> None:
    attempts = Attempts([[ConnectionResetError()], [event(1)]])
    log: list[Any] = []
    source = retrying(lambda attempt: Response(attempts.connect(attempt), log), retry=Retry(base=0.0))
    assert [item.data for item in iter_events(source)] == ["event 1"]
    Threads().join()
    assert [what for what, _ in log] == ["enter", "exit"] * 2
    assert log[0][1] is log[1][1]
    assert log[2][1] is log[3][1] is not threading.main_thread()


def test_each_attempt_is_left_in_the_task_that_entered_it() -> None:
    async def main() -> list[Any]:
        attempts = Attempts([[ConnectionResetError()], [event(1)]])
        log: list[Any] = []

        async def connect(attempt: Attempt) -> Response:
            return Response(await attempts.aconnect(attempt), log)

        assert [item.data async for item in aiter_events(aretrying(connect, retry=Retry(base=0.0)))] == ["event 1"]
        return log

    log = asyncio.run(main())
    assert [what for what, _ in log] == ["enter", "exit"] * 2
    assert log[0][1] is log[1][1]
    assert log[2][1] is log[3][1]


def test_leaving_an_asynchronous_stream_closes_its_chunks_in_the_task_that_reads_them() -> None:
    tasks = list[Any]()

    async def connect(attempt: Attempt) -> AsyncIterator[bytes]:
        tasks.append(asyncio.current_task())
        try:
            for number in itertools.count():  # until nobody has room for more
                yield event(number)
        finally:
            tasks.append(asyncio.current_task())

    async def main() -> int:
        async with aiter_events(aretrying(connect)) as stream:
            await anext(stream)
        return len(tasks)

    assert asyncio.run(main()) == 2
    assert tasks[0] is tasks[1]


def test_an_error_that_is_a_response_is_closed() -> None:
    """As `urllib.error.HTTPError` is."""
    closed = list[bool]()
    error = status_error(503)
    error.close = lambda: closed.append(True)  # type: ignore[attr-defined]
    outcome = read_events(Attempts([[error], [event(1)]]), retry=QUICK)
    assert outcome.events == ["event 1"]
    assert closed == [True]


def test_a_response_is_taken_as_it_is() -> None:
    answers = [httpx.Response(503, headers={"Retry-After": "0"}), httpx.Response(200, content=event(1))]
    client = httpx.Client(transport=httpx.MockTransport(lambda request: answers.pop(0)))
    with client:
        source = retrying(lambda _: client.send(client.build_request("GET", "http://x"), stream=True), retry=QUICK)
        assert [item.data for item in iter_events(source)] == ["event 1"]
    assert answers == []


def test_an_attempt_that_is_opened_too_late_is_not_read() -> None:
    connecting, go_on, read = threading.Event(), threading.Event(), list[bytes]()

    def send() -> Iterator[bytes]:
        read.append(event(1))
        yield event(1)

    def connect(attempt: Attempt) -> Iterator[bytes]:
        connecting.set()
        assert go_on.wait(LIMIT)
        return send()

    stream = repair(retrying(connect), heartbeat=0.02)
    next(stream)  # a heartbeat
    assert connecting.wait(LIMIT)
    stream.close()
    go_on.set()
    Threads().join()
    assert read == []


def test_a_source_is_closed_after_its_attempt() -> None:
    closed = list[int]()

    def connect(attempt: Attempt) -> Source:
        parts: list[Part] = [ConnectionResetError()] if attempt.number == 1 else [event(1)]
        return Source(Attempts([]).send(parts), close=lambda: closed.append(attempt.number))

    list(iter_events(retrying(connect, retry=Retry(base=0.0))))
    Threads().join()
    assert closed == [1, 2]


def test_an_asynchronous_source_is_closed_after_its_attempt() -> None:
    closed = list[str]()

    async def aclose() -> None:
        closed.append("awaited")

    async def main() -> None:
        def connect(attempt: Attempt) -> Source:
            parts: list[Part] = [ConnectionResetError()] if attempt.number == 1 else [event(1)]
            close = aclose if attempt.number == 1 else lambda: closed.append("called")
            return Source(Attempts([]).asend(parts), close=close)

        assert len([item async for item in aiter_events(aretrying(connect, retry=Retry(base=0.0)))]) == 1

    asyncio.run(main())
    assert closed == ["awaited", "called"]


def test_a_generator_function_is_a_connect() -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        yield event(attempt.number)

    async def aconnect(attempt: Attempt) -> AsyncIterator[bytes]:
        yield event(attempt.number)

    async def main() -> list[Event]:
        return [item async for item in aiter_events(aretrying(aconnect))]

    assert [item.data for item in iter_events(retrying(connect))] == ["event 1"]
    assert [item.data for item in asyncio.run(main())] == ["event 1"]


MISUSE: dict[str, tuple[Any, str]] = {
    "nothing": (None, "connect returned NoneType, not an iterable of bytes; return what the client has for the body"),
    "bytes": (b"data: 1\n\n", "connect returned bytes, not an iterable of bytes; return a list of it"),
    "text": ("data: 1\n\n", "connect returned str, not an iterable of bytes; return a list of it, encoded"),
    "a number": (5, "connect returned int, not an iterable of bytes; return what the client has for the body"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_a_connect_that_returns_no_chunks_is_refused(name: str) -> None:
    given, message = MISUSE[name]
    with pytest.raises(TypeError, match=f"^retrying\\(connect\\): {message}$"):
        list(iter_events(retrying(lambda _: given)))

    async def main() -> None:
        with pytest.raises(TypeError, match=f"^aretrying\\(connect\\): {message}$"):
            _ = [item async for item in aiter_events(aretrying(lambda _: given))]

    asyncio.run(main())


def test_a_coroutine_function_is_refused_in_favour_of_aretrying() -> None:
    async def aconnect(attempt: Attempt) -> list[bytes]:
        pytest.fail("is never awaited")

    with pytest.raises(TypeError, match=r"connect returned coroutine.* use aretrying"):
        list(iter_events(retrying(aconnect)))
    gc.collect()  # a coroutine that is left open warns now, and warnings are errors


def test_each_twin_names_the_other_for_the_wrong_kind_of_iterable() -> None:
    async def aconnect(attempt: Attempt) -> AsyncIterator[bytes]:
        yield event(1)

    with pytest.raises(TypeError, match="aretrying"):
        list(iter_events(retrying(aconnect)))

    async def main() -> None:
        with pytest.raises(TypeError, match="use retrying"):
            _ = [item async for item in aiter_events(aretrying(lambda _: [event(1)]))]

    asyncio.run(main())


def test_a_response_that_was_closed_already_is_misuse_and_not_a_failure_of_upstream() -> None:
    response = httpx.Response(200, stream=httpx.ByteStream(b""))
    response.close()
    with pytest.raises(ValueError, match=r"retrying\(connect\) takes a body .*closed already"):
        list(iter_events(retrying(lambda attempt: response)))


@pytest.mark.parametrize("function", [retrying, aretrying])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"connect": 5}, "connect"),
        ({"connect": print, "retry": 3}, "retry"),
        ({"connect": print, "on_retry": 3}, "on_retry"),
    ],
)
def test_misuse_is_refused_at_the_call(function: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"{function.__name__}\\({message}="):
        function(**arguments)


# While waiting


def test_heartbeats_go_on_while_an_attempt_is_waited_for() -> None:
    async def main(clock: Clock) -> tuple[list[tuple[float, bytes]], int]:
        attempts = Attempts([[status_error(429, Retry_After="30")], [event(1)]], clock=clock)
        stream = arepair(aretrying(attempts.aconnect, retry=POLICY), heartbeat=5.0)
        began = clock.now
        return [(clock.now - began, item) async for item in stream], stream.report.heartbeats

    written, heartbeats = warp(main)
    assert heartbeats >= 6
    assert written[-1] == (pytest.approx(30.0), event(1))
    times = [0.0, *(at for at, _ in written)]
    assert max(b - a for a, b in itertools.pairwise(times)) <= 5.0


def test_the_wait_counts_for_no_clock_and_each_attempt_has_its_own_time() -> None:
    """Each attempt is silent for 8 seconds and fails, with waits of 1 and 2 between; 10 are allowed."""
    attempts = Attempts([[8.0, ConnectionResetError()], [8.0, ConnectionResetError()], [8.0, event(1)]])
    outcome = read_async(attempts, retry=POLICY, timeouts=Timeouts(silence=10.0))
    assert outcome.events == ["event 1"]
    assert attempts.times[2] - attempts.times[0] == pytest.approx(8 + 1 + 8 + 2)


def test_an_attempt_that_stalls_is_given_up_for_another() -> None:
    attempts = Attempts([[b": hello\n\n", 1000.0], [5.0, event(1)]])
    outcome = read_async(attempts, retry=POLICY, timeouts=Timeouts(silence=10.0))
    assert outcome.events == ["event 1"]
    assert outcome.report.timeout is None
    assert isinstance(attempts.seen[1].error, StreamError)
    assert attempts.seen[1].error.code == "silence-timeout"
    assert attempts.times[1] - attempts.times[0] == pytest.approx(11.0, abs=0.7)


def test_a_stall_in_the_last_attempt_is_reported() -> None:
    attempts = Attempts([[1000.0], [1000.0]])
    outcome = read_async(attempts, retry=Retry(max_retries=1, jitter=False), timeouts=Timeouts(silence=10.0))
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.retry_count, outcome.report.timeout) == ("silence-timeout", 1, "silence")


def test_a_stall_after_content_is_reported() -> None:
    attempts = Attempts([[chat("a"), 1000.0], [event(1)]])
    outcome = read_async(attempts, retry=POLICY, timeouts=Timeouts(idle=10.0))
    assert outcome.error is not None
    assert (outcome.error.code, len(attempts.seen)) == ("idle-timeout", 1)


def test_the_total_time_is_not_given_anew() -> None:
    attempts = Attempts([[8.0, ConnectionResetError()], [1000.0], [event(1)]])
    outcome = read_async(attempts, retry=POLICY, timeouts=Timeouts(total=20.0))
    assert outcome.error is not None
    assert (outcome.error.code, len(attempts.seen)) == ("total-timeout", 2)


def test_a_stalled_thread_is_left_to_its_abort_and_another_reads() -> None:
    stuck, aborted = threading.Event(), threading.Event()

    def stall() -> Iterator[bytes]:
        yield b": hello\n\n"
        stuck.set()
        assert aborted.wait(LIMIT)
        raise OSError("shut down")

    def connect(attempt: Attempt) -> Any:
        return Source(stall(), abort=aborted.set) if attempt.number == 1 else [event(1)]

    stream = iter_events(retrying(connect, retry=Retry(base=0.0)), timeouts=Timeouts(silence=0.05))
    assert [item.data for item in stream] == ["event 1"]
    assert stuck.is_set()
    assert aborted.is_set()


def test_a_stalled_task_is_cancelled_before_the_next_attempt_delivers() -> None:
    left = list[int]()

    async def connect(attempt: Attempt) -> AsyncIterator[bytes]:
        try:
            if attempt.number == 1:
                await asyncio.sleep(1000.0)
            yield event(attempt.number)
        finally:
            left.append(attempt.number)

    async def main(clock: Clock) -> list[list[int]]:
        stream = aiter_events(aretrying(connect, retry=POLICY), timeouts=Timeouts(silence=10.0))
        return [list(left) async for _ in stream]

    assert warp(main) == [[1, 2]]


def test_each_attempt_sees_the_context_in_which_the_stream_was_made() -> None:
    user = contextvars.ContextVar("user", default="nobody")
    seen = list[str]()

    def connect(attempt: Attempt) -> Iterator[bytes]:
        seen.append(user.get())
        if attempt.number == 1:
            raise ConnectionResetError
        yield event(1)

    async def aconnect(attempt: Attempt) -> AsyncIterator[bytes]:
        for chunk in connect(attempt):
            yield chunk

    async def main() -> None:
        user.set("us")
        stream = arepair(aretrying(aconnect, retry=Retry(base=0.0)))
        user.set("somebody else")
        assert [item async for item in stream] == [event(1)]

    def make() -> Iterator[bytes]:
        user.set("us")
        return repair(retrying(connect, retry=Retry(base=0.0)))

    assert list(contextvars.copy_context().run(make)) == [event(1)]
    asyncio.run(main())
    assert seen == ["us"] * 4


def test_priming_waits_for_the_attempt_that_delivers() -> None:
    attempts = Attempts([[ConnectionResetError()], [event(1)]])
    stream = repair(retrying(attempts.connect, retry=Retry(base=0.0)))
    assert stream.prime()
    assert b"".join(stream) == event(1)


def test_priming_raises_when_no_attempt_is_left() -> None:
    attempts = Attempts([[status_error(503)], [status_error(503)]])
    stream = repair(retrying(attempts.connect, retry=Retry(max_retries=1, base=0.0)))
    with pytest.raises(StreamError) as raised:
        stream.prime()
    assert (raised.value.status_hint, raised.value.retry_count, raised.value.safe_to_retry) == (503, 1, True)


# Leaving


def test_closing_ends_the_wait_for_an_attempt() -> None:
    attempts = Attempts([[ConnectionResetError()], WHOLE])
    waiting = threading.Event()
    source = retrying(attempts.connect, retry=Retry(base=3600.0, max_delay=3600.0), on_retry=lambda _: waiting.set())
    stream = repair(source, heartbeat=0.02)
    next(stream)  # a heartbeat
    assert waiting.wait(LIMIT)
    next(stream)
    stream.close()
    Threads().join()
    assert len(attempts.seen) == 1
    assert stream.report.verdict is Verdict.CANCELLED


def test_leaving_a_loop_ends_the_wait_for_an_attempt() -> None:
    async def main(clock: Clock) -> Attempts:
        attempts = Attempts([[ConnectionResetError()], WHOLE], clock=clock)
        async with arepair(aretrying(attempts.aconnect, retry=Retry(base=3600.0, max_delay=3600.0))) as stream:
            async for _ in stream:  # a heartbeat
                break
        return attempts

    assert len(warp(main).seen) == 1


def test_dropping_a_stream_ends_its_attempts_at_once() -> None:
    attempts = Attempts([[ConnectionResetError()], [b": hello\n\n", ConnectionResetError()], WHOLE])
    stream = repair(retrying(attempts.connect, retry=Retry(base=0.0, max_retries=1)), heartbeat=0.02)
    next(stream)
    gc.disable()
    try:
        del stream
        Threads().join()
    finally:
        gc.enable()
