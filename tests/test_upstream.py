"""What may be passed as upstream: chunks, a response, a source, or a function that opens it."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.attempts import no_thread_is_left  # noqa: F401  # a fixture of every test
from tests.scripted import DONE, LIMIT, TOKEN, Clock, Threads, warp
from unbroken import (
    NDJSON_HEADERS,
    Retry,
    Source,
    StreamError,
    Timeouts,
    Verdict,
    aiter_events,
    arepair,
    from_response,
    iter_events,
    repair,
    retrying,
)

BODY = TOKEN + DONE


def body() -> Iterator[bytes]:
    yield BODY


async def abody() -> AsyncIterator[bytes]:
    yield BODY


@contextmanager
def entered() -> Iterator[list[bytes]]:
    yield [BODY]


@asynccontextmanager
async def aentered() -> AsyncIterator[AsyncIterator[bytes]]:
    yield abody()


async def awaited() -> AsyncIterator[bytes]:
    return abody()


def answer(status: int = 200, content: bytes = BODY, **headers: str) -> httpx.Response:
    return httpx.Response(
        status, content=content, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


class Called:
    """An object that is called, and not iterated."""

    def __call__(self) -> list[bytes]:
        return [BODY]


SYNC: dict[str, Callable[[], Any]] = {
    "a list": lambda: [BODY],
    "a generator": lambda: body(),
    "a generator function": body,
    "a partial of one": functools.partial(body),
    "a context manager": entered,
    "a response": answer,
    "a source": lambda: Source([BODY]),
    "an object that is called": Called(),
    "retries": lambda: retrying(lambda attempt: [BODY]),
}
ASYNC: dict[str, Callable[[], Any]] = {
    "a generator": lambda: abody(),
    "a generator function": abody,
    "a context manager": aentered,
    "a coroutine": awaited,
    "a source": lambda: Source(abody()),
    "a synchronous generator function": body,
}


async def read_all(stream: Any) -> list[Any]:
    return [item async for item in stream]


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize("heartbeat", [None, 5.0])
def test_a_function_is_called_for_what_is_read(name: str, heartbeat: float | None) -> None:
    timeouts = None if heartbeat is None else Timeouts()
    stream = repair(SYNC[name], heartbeat=heartbeat, timeouts=timeouts)
    assert b"".join(stream) == BODY
    assert stream.report.verdict is Verdict.COMPLETE
    assert [event.data for event in iter_events(SYNC[name], timeouts=timeouts)][-1] == "[DONE]"


@pytest.mark.parametrize("name", ASYNC)
def test_an_asynchronous_function_is_called_for_what_is_read(name: str) -> None:
    async def main(clock: Clock) -> None:
        assert b"".join(await read_all(arepair(ASYNC[name]))) == BODY
        assert [event.data for event in await read_all(aiter_events(ASYNC[name]))][-1] == "[DONE]"

    warp(main)


def test_a_context_manager_is_entered_where_it_is_read() -> None:
    assert b"".join(repair(entered())) == BODY

    async def main(clock: Clock) -> None:
        assert b"".join(await read_all(arepair(aentered()))) == BODY
        with pytest.raises(TypeError, match=r"use retrying\(lambda attempt: ...\)"):
            await read_all(aiter_events(entered()))

    warp(main)
    with pytest.raises(TypeError, match="use arepair"):
        list(repair(aentered()))


def test_a_class_is_refused() -> None:
    with pytest.raises(TypeError, match="not the class list"):
        repair(list)


def test_a_response_is_taken_as_it_is() -> None:
    assert b"".join(repair(answer())) == BODY
    assert [event.data for event in iter_events(answer())][-1] == "[DONE]"


def test_the_function_is_called_when_the_stream_is_read_and_not_before() -> None:
    called = list[threading.Thread]()

    def connect() -> list[bytes]:
        called.append(threading.current_thread())
        return [BODY]

    stream = repair(connect)
    assert called == []
    list(stream)
    assert [thread.name for thread in called] == ["unbroken reader"]
    list(repair(connect, heartbeat=None, timeouts=None))
    assert called[1:] == [threading.current_thread()]


def test_the_function_sees_the_context_variables_of_the_call() -> None:
    user = contextvars.ContextVar("user", default="nobody")
    user.set("somebody")
    assert b"somebody" in b"".join(repair(lambda: [f"data: {user.get()}\n\n".encode()]))


def test_heartbeats_are_written_while_the_function_waits_for_the_head() -> None:
    async def connect() -> AsyncIterator[bytes]:
        await asyncio.sleep(12)
        return abody()

    async def main(clock: Clock) -> tuple[list[tuple[float, bytes]], Any]:
        start, stream = clock.now, arepair(connect, heartbeat=5.0)
        return [(clock.now - start, item) async for item in stream], stream.report

    items, report = warp(main)
    assert [item for _, item in items] == [b":\n\n", b":\n\n", BODY]
    times = [0.0, *(at for at, _ in items)]
    assert max(after - before for before, after in pairwise(times)) <= 5.0
    assert report.first_byte == 12.0


def test_a_blocked_call_of_a_synchronous_client_is_silence_too() -> None:
    go_on = threading.Event()

    def connect() -> list[bytes]:
        assert go_on.wait(LIMIT)
        return [BODY]

    stream = repair(connect, heartbeat=0.01)
    assert next(stream) == b":\n\n"
    go_on.set()
    assert b"".join(stream).removeprefix(b":\n\n").endswith(BODY)


def test_the_clocks_run_while_the_function_waits_for_the_head() -> None:
    async def connect() -> AsyncIterator[bytes]:
        await asyncio.sleep(1000)
        return abody()

    async def main(clock: Clock) -> Any:
        stream = arepair(connect, heartbeat=None, timeouts=Timeouts(silence=30.0))
        await read_all(stream)
        return stream.report

    report = warp(main)
    assert (report.error.code, report.duration) == ("silence-timeout", 30.0)


def test_a_reader_that_leaves_ends_a_call_that_waits() -> None:
    left = list[str]()

    async def connect() -> AsyncIterator[bytes]:
        try:
            await asyncio.sleep(1000)
        finally:
            left.append("connect")
        return abody()

    async def main(clock: Clock) -> None:
        async with arepair(connect, heartbeat=5.0) as stream:
            await anext(stream)
        assert stream.report.verdict is Verdict.CANCELLED

    warp(main)
    assert left == ["connect"]


def test_a_response_that_comes_after_the_reader_has_left_is_closed_unread() -> None:
    connecting, go_on = threading.Event(), threading.Event()
    late = answer()

    def connect() -> httpx.Response:
        connecting.set()
        assert go_on.wait(LIMIT)
        return late

    aborted = list[bool]()
    stream = repair(connect, heartbeat=0.01, abort=lambda: aborted.append(True))
    next(stream)
    assert connecting.wait(LIMIT)
    stream.close()
    go_on.set()
    Threads().join()
    assert aborted == [True]
    assert late.is_closed


def test_the_content_type_of_the_response_counts() -> None:
    line = b'{"a":1}\n'
    assert b"".join(repair(lambda: answer(content=line, **{"Content-Type": NDJSON_HEADERS["Content-Type"]}))) == line
    # One document, which is a stream of one line only where the content type says so.
    document = b'{"object":"chat.completion.chunk","choices":[{"delta":{"content":"x"}}]}\n'
    for content_type, code in (("application/x-ndjson", "truncated"), ("application/json", "not-a-stream")):
        stream = repair(lambda kind=content_type: answer(content=document, Content_Type=kind))  # type: ignore[misc]
        list(stream)
        assert stream.report.error is not None
        assert (stream.report.error.code, content_type) == (code, content_type)


MISUSE = {
    "None": (
        lambda: None,
        "the function returned NoneType, not an iterable of bytes; return what the client has",
    ),
    "text": (
        lambda: "x",
        "the function returned str, not an iterable of bytes; return a list of it, encoded",
    ),
    "a response of an SDK": (
        lambda: SimpleNamespace(http_response=answer()),
        "the function returned SimpleNamespace, .*; pass the SDK's response, `create(..., stream=True).response`",
    ),
    "events of an SDK": (
        lambda: [SimpleNamespace(model_dump=dict)],
        "chunks must be bytes, not SimpleNamespace: pass the SDK's response, `create(..., stream=True).response`",
    ),
    "a coroutine": (awaited, "repair(): the function returned coroutine, not an iterable of bytes; .* use arepair"),
    "what is asynchronous": (lambda: abody(), "the function returned async_generator, not .* use arepair"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_what_a_function_returns_is_refused_with_the_fix(name: str) -> None:
    connect, message = MISUSE[name]
    with pytest.raises(TypeError, match=re.sub(r"[()]", r"\\\g<0>", message)):
        list(repair(connect))


class Asks:
    def ask(self, attempt: object) -> list[bytes]:
        return [BODY]

    def asks(self, question: str = "?") -> list[bytes]:
        return [BODY]


def generates(attempt: object) -> Iterator[bytes]:
    yield BODY


@pytest.mark.parametrize(
    "connect", [lambda attempt: [BODY], generates, Asks().ask], ids=["lambda", "generator", "method"]
)
def test_a_function_of_the_attempt_is_refused_at_the_call_with_the_fix(connect: Any) -> None:
    for function, fix in (
        (repair, r"repair\(retrying\(connect\)\)"),
        (iter_events, r"iter_events\(retrying\(connect\)\)"),
        (arepair, r"arepair\(aretrying\(connect\)\)"),
        (aiter_events, r"aiter_events\(aretrying\(connect\)\)"),
    ):
        with pytest.raises(TypeError, match=f"calls its function without arguments, .* write {fix}$"):
            function(connect)
    assert b"".join(repair(retrying(connect))) == BODY


def test_a_function_that_needs_no_argument_is_called() -> None:
    for connect in (lambda attempt=None: [BODY], Asks().asks, functools.partial(generates, None), lambda *_: [BODY]):
        assert b"".join(repair(connect)) == BODY


def test_misuse_that_shows_once_a_response_has_begun_is_one_error_frame(caplog: pytest.LogCaptureFixture) -> None:
    """An exception would break off what a server sends; before its head was sent, `aprime` raises the same error."""

    async def main(clock: Clock) -> None:
        stream = arepair(lambda: [BODY])
        (frame,) = await read_all(stream)
        assert b'"code": "application-error"' in frame
        assert stream.report.error is not None
        assert stream.report.error.code == "application-error"
        with pytest.raises(StreamError) as raised:
            await arepair(lambda: [BODY]).aprime()
        assert (raised.value.code, raised.value.status_hint) == ("application-error", 500)
        assert "use retrying" in str(raised.value.__cause__)

    warp(main)
    assert {record.levelname for record in caplog.records if "application raised" in record.getMessage()} == {"ERROR"}
    assert "use retrying(lambda attempt" in caplog.text


def test_misuse_after_a_heartbeat_is_one_error_frame_in_synchronous_code_too() -> None:
    beaten = threading.Event()
    stream = repair(lambda: 5 if beaten.wait(LIMIT) else None, heartbeat=0.01)
    assert next(stream).strip(b"\n") == b":"
    beaten.set()
    assert b'"code": "application-error"' in list(stream)[-1]


def test_a_synchronous_client_in_an_event_loop_is_refused_with_the_fix() -> None:
    async def main(clock: Clock) -> None:
        with pytest.raises(
            TypeError, match=r"aiter_events\(\): the function returned list, .* use retrying\(lambda attempt: ...\)"
        ):
            await read_all(aiter_events(lambda: [BODY]))
        assert b"".join(await read_all(arepair(retrying(lambda attempt: [BODY])))) == BODY

    warp(main)


# A refused request is one failure, however it is told


def raising(error: Exception) -> Callable[[], Iterator[bytes]]:
    def generate() -> Iterator[bytes]:
        raise error
        yield b""

    return generate


def checked(response: httpx.Response) -> Iterator[bytes]:
    response.request = httpx.Request("POST", "http://model")
    response.raise_for_status()
    yield from response.iter_bytes()


REFUSALS = {
    429: ("rate-limited", {"Retry_After": "7"}),
    401: ("authentication", {}),
    400: ("invalid-request", {}),
    404: ("not-found", {}),
    500: ("upstream-error", {}),
    503: ("overloaded", {"Retry_After": "7"}),
}
BODIES = {
    "nothing": b"",
    "JSON": b'{"error":{"message":"no","type":"rate_limit_error"}}',
    "a page": b"<html><title>No</title></html>",
    "SSE": b'event: error\ndata: {"error":{"message":"no"}}\n\n',
    "an answer": BODY,
}
WAYS: dict[str, Callable[[Callable[[], httpx.Response]], Any]] = {
    "the response": lambda make: make(),
    "from_response": lambda make: from_response(make()),
    "a function": lambda make: make,
    "raise_for_status": lambda make: lambda: checked(make()),
    "a generator": lambda make: checked(make()),
    "retries": lambda make: retrying(lambda attempt: make(), retry=Retry(max_retries=0)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("body", BODIES)
def test_a_refused_request_has_one_code_status_and_delay_on_every_path(way: str, status: int, body: str) -> None:
    code, headers = REFUSALS[status]

    with pytest.raises(StreamError) as raised:
        list(iter_events(WAYS[way](lambda: answer(status, BODIES[body], **headers))))
    error = raised.value
    assert (error.code, error.status_hint) == (code, status)
    assert error.retry_after == (7.0 if headers else None)


def test_the_words_of_a_refusal_are_for_the_log() -> None:
    stream = repair(answer(400, b'{"error":{"message":"at 10.0.0.7","type":"bad_request_error"}}'))
    assert b"10.0.0.7" not in b"".join(stream)
    assert stream.report.error is not None
    assert stream.report.error.failure.detail == "at 10.0.0.7"
    assert stream.report.error.failure.error_type == "bad_request_error"


def test_a_refusal_whose_body_breaks_or_never_ends_is_told_by_its_status() -> None:
    def broken() -> Iterator[bytes]:
        yield b'{"error":'
        raise httpx.ReadError("reset")

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1000

    for chunks in (broken, endless):
        stream = repair(httpx.Response(503, content=chunks()))
        list(stream)
        assert stream.report.error is not None
        assert (stream.report.error.code, stream.report.error.status_hint) == ("overloaded", 503)


def test_an_early_refusal_is_answered_with_its_status() -> None:
    stream = repair(lambda: answer(429, Retry_After="7"))
    with pytest.raises(StreamError) as raised:
        stream.prime()
    assert (raised.value.status_hint, raised.value.retry_after) == (429, 7.0)


DOCUMENT = b'{"object":"chat.completion","choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}'


@pytest.mark.parametrize("way", ["the response", "from_response", "a function", "retries"])
@pytest.mark.parametrize(("content_type", "code"), [("application/json", "not-a-stream"), ("text/event-stream", None)])
def test_an_answer_that_was_not_streamed_is_the_same_on_every_path(
    way: str, content_type: str, code: str | None
) -> None:
    stream = repair(WAYS[way](lambda: answer(content=DOCUMENT, Content_Type=content_type)))
    list(stream)
    assert (stream.report.error.code if stream.report.error else None) == code
