"""A beginning that says nothing waits in streams that may be retried, and leaves no trace of an attempt that broke."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from unbroken import Attempt, Retry, StreamError, StreamRepairer, Verdict, iter_events, repair, retrying
from unbroken.core.engine import EventEngine
from unbroken.core.withheld import MAX_WITHHELD

from .chat import DONE, FINISH

AT_ONCE = Retry(base=0.0, max_delay=0.0)
OFF: dict[str, Any] = {"timeouts": None}


def chat(id: str = "c", **delta: Any) -> bytes:
    chunk = {"id": id, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


ROLE, TEXT = chat(role="assistant"), chat(content="Hi")
START = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n'
BLOCK = (
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text"}}\n\n'
)
WHOLE = chat("d", role="assistant") + chat("d", content="Hi") + FINISH + DONE


def breaks_behind(*chunks: bytes) -> Any:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        if attempt.number == 1:
            yield from chunks
            raise ConnectionResetError
        yield WHOLE

    return retrying(connect, retry=AT_ONCE)


WAITS = {
    "a role": [ROLE],
    "a role and half of an event": [ROLE, TEXT[:30]],
    "a role in pieces": [ROLE[:20], ROLE[20:]],
    "a role with empty text": [chat(role="assistant", content="")],
    "a beginning and a block": [START, BLOCK],
    "usage": [ROLE, b'data: {"choices":[],"usage":{"prompt_tokens":3}}\n\n'],
    "a ping": [START, b'event: ping\ndata: {"type":"ping"}\n\n'],
    "a comment behind it": [ROLE, b": c\n\n"],
}


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize(
    "options", [{}, {"dialect": "openai-chat"}, {"convert": "openai-chat"}], ids=["", "named", "converted"]
)
def test_a_stream_that_breaks_behind_a_beginning_is_retried_and_shows_nothing_of_it(
    name: str, options: dict[str, Any]
) -> None:
    stream = repair(breaks_behind(*WAITS[name]), heartbeat=None, **OFF, **options)
    assert b"".join(stream) == WHOLE
    report = stream.report
    assert (report.retries, report.verdict, report.text, report.events) == (1, Verdict.COMPLETE, "Hi", 4)
    assert (report.bytes_out, report.second_beginnings, report.finish_reason) == (len(WHOLE), 0, "stop")
    events = iter_events(
        breaks_behind(*WAITS[name]), **OFF, **{key: options[key] for key in options if key != "convert"}
    )
    assert len(list(events)) == 4


LEAVES = {
    "text": [ROLE, TEXT],
    "reasoning": [chat(reasoning_content="Hm")],
    "a call": [chat(tool_calls=[{"index": 0, "id": "x", "type": "function", "function": {"name": "f"}}])],
    "a dialect that nobody knows": [b'data: {"a":1}\n\n'],
    "more than is held back": [chat(role="assistant", padding="x" * MAX_WITHHELD)],
}


@pytest.mark.parametrize("name", LEAVES)
def test_what_says_something_leaves_at_once_with_what_waited_and_is_not_retried(name: str) -> None:
    given = LEAVES[name]
    stream = repair(breaks_behind(*given), heartbeat=None, **OFF)
    assert b"".join([next(stream) for _ in given[-1:]]) == b"".join(given)
    assert b"upstream-failed" in b"".join(stream)
    assert (stream.report.retries, stream.report.verdict) == (0, Verdict.FAILED)


def test_after_the_last_attempt_what_waited_leaves_and_it_is_safe_to_ask_again() -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        yield chat(f"c{attempt.number}", role="assistant")
        raise ConnectionResetError

    stream = repair(retrying(connect, retry=AT_ONCE), heartbeat=None, **OFF)
    body = b"".join(stream)
    assert (body.count(b"assistant"), body.count(b'"c3"'), stream.report.retries) == (1, 1, 2)
    assert body.endswith(b'"code": "upstream-failed"}}\n\n')
    assert stream.report.error is not None
    assert stream.report.error.safe_to_retry
    events = iter_events(retrying(connect, retry=AT_ONCE), **OFF)
    assert '"c3"' in next(events).data
    with pytest.raises(StreamError) as raised:
        next(events)
    assert raised.value.safe_to_retry


def test_a_stream_that_ends_well_behind_a_beginning_shows_it() -> None:
    data = ROLE + FINISH + DONE
    assert b"".join(repair(retrying(lambda attempt: [data], retry=AT_ONCE), heartbeat=None, **OFF)) == data


def test_without_a_retry_nothing_waits() -> None:
    assert StreamRepairer().feed(ROLE, 0.0) == [ROLE]
    assert next(repair(iter([ROLE]), heartbeat=None, **OFF)) == ROLE


def test_an_event_with_an_id_does_not_wait_where_another_attempt_goes_on_behind_it() -> None:
    asked = []

    def connect(attempt: Attempt) -> Iterator[bytes]:
        asked.append(attempt.last_event_id)
        if attempt.number == 1:
            yield b"id: 1\n" + ROLE
            raise ConnectionResetError
        yield b"id: 2\n" + TEXT + FINISH + DONE

    stream = repair(retrying(connect, retry=AT_ONCE, resume=True), heartbeat=None, **OFF)
    assert b"".join(stream) == b"id: 1\n" + ROLE + b"id: 2\n" + TEXT + FINISH + DONE
    assert asked == ["", "1"]


def test_an_id_that_waits_was_not_delivered() -> None:
    asked = []

    def connect(attempt: Attempt) -> Iterator[bytes]:
        asked.append(attempt.last_event_id)
        yield b"id: 1\n" + ROLE
        if attempt.number == 1:
            raise ConnectionResetError
        yield TEXT + FINISH + DONE

    stream = repair(retrying(connect, retry=AT_ONCE), heartbeat=None, last_event_id="0", **OFF)
    assert b"".join(stream) == b"id: 1\n" + ROLE + TEXT + FINISH + DONE
    assert asked == ["0", "0"]


def test_heartbeats_are_written_while_a_beginning_waits() -> None:
    repairer = StreamRepairer(heartbeat=1.0)
    repairer.withhold()
    assert repairer.feed(ROLE, 0.0) == []
    assert repairer.on_deadline(2.0) == [b":\n\n"]
    assert b"".join(repairer.feed(TEXT, 2.0)) == ROLE + TEXT


def test_a_reader_that_leaves_is_given_nothing_that_waited() -> None:
    repairer, engine = StreamRepairer(), EventEngine()
    for one in (repairer, engine):
        one.withhold()
        assert one.feed(ROLE, 0.0) == []
        one.cancel(0.0)
        assert one.report.verdict is Verdict.CANCELLED
    assert repairer.report.bytes_out == 0


ANSWER = b'[{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}]'


@pytest.mark.parametrize("empty", [[b"[]"], [b"[", b"]\n"], [b"[]\n", b"\n"]])
@pytest.mark.parametrize("options", [{"dialect": "gemini"}, {"empty": "error"}])
def test_an_empty_array_leaves_nothing_where_another_one_follows(empty: list[bytes], options: dict[str, Any]) -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        yield from empty if attempt.number < 3 else [ANSWER]

    stream = repair(retrying(connect, retry=AT_ONCE), **options, **OFF)
    assert b"".join(stream) == ANSWER
    assert (stream.report.verdict, stream.report.retries) == (Verdict.COMPLETE, 2)


def test_an_empty_array_leaves_once_where_nothing_else_follows() -> None:
    stream = repair(retrying(lambda attempt: [b"[]"], retry=AT_ONCE), dialect="gemini", **OFF)
    assert b"".join(stream) == b"[]"
    assert stream.report.verdict is Verdict.FAILED
