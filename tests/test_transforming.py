"""Events of one's own, made of those that upstream sends."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.attempts import no_thread_is_left  # noqa: F401  # a fixture of every test
from tests.scripted import DONE, LIMIT, TOKEN, Clock, Threads, Upstream, scripted, warp
from unbroken import (
    AsyncEventStream,
    Event,
    EventStream,
    FailureWindow,
    StreamError,
    Timeouts,
    Verdict,
    atransform,
    transform,
)

OWN = b'data: {"text":"x"}\n\n'


def texts(events: EventStream) -> Iterator[dict[str, str]]:
    for event in events:
        if event.data != "[DONE]":
            yield {"text": event.json()["choices"][0]["delta"]["content"]}


async def atexts(events: AsyncEventStream) -> AsyncIterator[dict[str, str]]:
    async for event in events:
        if event.data != "[DONE]":
            yield {"text": event.json()["choices"][0]["delta"]["content"]}


def frame_of(code: str, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "unbroken_error", "code": code}}


@pytest.mark.parametrize("options", [{}, {"heartbeat": None}, {"heartbeat": None, "timeouts": None}], ids=str)
def test_what_is_yielded_is_written(options: dict[str, Any]) -> None:
    stream = transform([TOKEN + TOKEN + DONE], texts, **options)
    assert b"".join(stream) == OWN + OWN
    assert stream.report.verdict is Verdict.COMPLETE
    assert stream.report.text == "xx"
    assert stream.report.bytes_out == 2 * len(OWN)


def test_what_is_yielded_asynchronously_is_written() -> None:
    async def main(clock: Clock) -> None:
        stream = atransform(scripted([(0.0, TOKEN), (1.0, TOKEN + DONE)], clock), atexts)
        assert b"".join([item async for item in stream]) == OWN + OWN
        assert stream.report.verdict is Verdict.COMPLETE

    warp(main)


VALUES: list[tuple[object, bytes]] = [
    (Event("1", event="token", id="7"), b"event: token\nid: 7\ndata: 1\n\n"),
    ("two\nlines", b"data: two\ndata: lines\n\n"),
    ({"a": "ü"}, 'data: {"a":"ü"}\n\n'.encode()),
    ([1, 2], b"data: [1,2]\n\n"),
    (b": a comment\n\ndata: 1\n\n", b": a comment\n\ndata: 1\n\n"),
]


@pytest.mark.parametrize(("value", "wire"), VALUES, ids=str)
def test_each_kind_of_value_has_its_frame(value: object, wire: bytes) -> None:
    assert b"".join(transform([TOKEN], lambda events: [value], empty="end")) == wire


def test_lines_are_written_where_they_are_asked_for() -> None:
    assert b"".join(transform([TOKEN + DONE], texts, to="ndjson")) == b'{"text":"x"}\n'


def test_a_failure_of_upstream_is_one_frame_with_its_code() -> None:
    stream = transform([TOKEN], texts)
    body = b"".join(stream)
    assert body.startswith(OWN)
    assert b'"code": "truncated"' in body
    assert body.count(b'"error"') == 1
    assert stream.report.verdict is Verdict.TRUNCATED


def test_a_failure_may_be_handled() -> None:
    def handled(events: EventStream) -> Iterator[str]:
        try:
            for _ in events:
                yield "token"
        except StreamError as error:
            yield error.code

    assert b"".join(transform([TOKEN], handled)) == b"data: token\n\ndata: truncated\n\n"


def test_a_bug_is_told_as_one_and_upstream_is_released(caplog: pytest.LogCaptureFixture) -> None:
    def buggy(events: EventStream) -> Iterator[str]:
        for event in events:
            yield event.json()["no such key"]

    window, upstream = FailureWindow(limit=0), Upstream(TOKEN)
    with caplog.at_level(logging.INFO, "unbroken"):
        stream = transform(upstream, buggy, abort=upstream.abort, observers=[window], provider="p")
        body = b"".join(stream)
    assert b'"code": "application-error"' in body
    assert stream.report.verdict is Verdict.FAILED
    assert stream.report.error is not None
    assert stream.report.error.code == "application-error"
    assert not window.degraded("p")
    assert upstream.closed.wait(LIMIT)
    assert [record.levelname for record in caplog.records if "stream " not in record.getMessage()] == ["ERROR"]
    assert [record.getMessage()[:13] for record in caplog.records if "stream " in record.getMessage()] == [
        "stream failed"
    ]


def test_heartbeats_are_written_while_upstream_is_silent_and_while_it_works() -> None:
    async def main(clock: Clock) -> list[float]:
        async def slow(events: AsyncEventStream) -> AsyncIterator[str]:
            async for _ in events:
                await asyncio.sleep(12)
                yield "x"

        start = clock.now
        source = scripted([(12.0, TOKEN), (12.0, TOKEN.replace(b'"x"', b'"y"')), (13.0, DONE)], clock)
        return [clock.now - start async for _ in atransform(source, slow, heartbeat=5.0)]

    times = warp(main)
    assert max(after - before for before, after in zip([0.0, *times], times, strict=False)) <= 5.0


def test_the_clocks_are_those_of_upstream() -> None:
    async def main(clock: Clock) -> None:
        source = scripted([(0.0, TOKEN), (1000.0, DONE)], clock)
        stream = atransform(source, atexts, timeouts=Timeouts(idle=30.0))
        body = b"".join([item async for item in stream])
        assert b'"code": "idle-timeout"' in body
        assert stream.report.timeout == "idle"
        assert stream.report.heartbeats > 0

    warp(main)


def test_a_consumer_that_leaves_cancels_both() -> None:
    left = list[Verdict]()

    def watched(events: EventStream) -> Iterator[str]:
        try:
            for event in events:
                yield event.data
        finally:
            left.append(events.report.verdict)

    upstream = Upstream(TOKEN)
    window = FailureWindow(limit=0)
    with transform(upstream, watched, abort=upstream.abort, observers=[window], provider="p") as stream:
        next(stream)
    Threads().join()
    assert upstream.closed.wait(LIMIT)
    assert stream.report.verdict is Verdict.CANCELLED
    assert left == [Verdict.CANCELLED]
    assert not window.degraded("p")


def test_an_asynchronous_consumer_that_leaves_cancels_both() -> None:
    left = list[str]()

    async def main(clock: Clock) -> None:
        async def watched(events: AsyncEventStream) -> AsyncIterator[str]:
            try:
                async for event in events:
                    yield event.data
            finally:
                left.append("generate")

        source = scripted([(0.0, TOKEN), (1000.0, DONE)], clock)
        async with atransform(source, watched) as stream:
            await anext(stream)
        assert stream.report.verdict is Verdict.CANCELLED

    warp(main)
    assert left == ["generate"]


def test_a_stream_that_is_never_read_releases_upstream() -> None:
    upstream = Upstream(TOKEN)
    stream = transform(upstream, texts, abort=upstream.abort)
    stream.close()
    assert upstream.aborted_by
    assert stream.report.verdict is Verdict.CANCELLED


def test_an_early_failure_can_be_answered_with_a_status() -> None:
    stream = transform([b'data: {"error":{"message":"busy","code":"rate_limit_exceeded"}}\n\n'], texts_of_no_error)
    with pytest.raises(StreamError) as raised:
        stream.prime()
    assert raised.value.status_hint == 429


def texts_of_no_error(events: EventStream) -> Iterator[str]:
    for event in events:
        if "error" not in event.json():
            yield event.data


def test_misuse_is_refused_with_the_fix() -> None:
    with pytest.raises(
        TypeError, match=r"transform\(upstream, generate\) takes a generator function of the events, not"
    ):
        transform([], 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"takes no argument 'convert': `generate` decides"):
        transform([], texts, convert="openai-chat")
    with pytest.raises(TypeError, match=r"takes no argument 'heartbeats'"):
        transform([], texts, heartbeats=5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"yield an unbroken\.Event, a str, a dict or a list, or bytes, not NoneType"):
        list(transform([TOKEN], lambda events: [None]))
    with pytest.raises(TypeError, match="takes a generator function; this one returned async_generator"):
        list(transform([TOKEN], atexts))  # type: ignore[arg-type]

    async def main(clock: Clock) -> None:
        with pytest.raises(TypeError, match="takes an asynchronous generator function; this one returned generator"):
            await anext(atransform([TOKEN], texts))  # type: ignore[arg-type]

    warp(main)


def test_generate_runs_where_upstream_is_read() -> None:
    ran = list[str]()

    def named(events: EventStream) -> Iterator[str]:
        ran.append(threading.current_thread().name)
        yield from ("x" for _ in events)

    list(transform([TOKEN + DONE], named))
    list(transform([TOKEN + DONE], named, heartbeat=None))
    assert ran == ["unbroken reader", threading.current_thread().name]


def test_a_reader_of_these_frames_sees_them_as_they_were_meant() -> None:
    body = b"".join(transform([TOKEN], texts))
    assert json.loads(body.split(b"data: ")[-1])["error"]["type"] == "unbroken_error"
