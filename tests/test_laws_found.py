"""Streams on which a law was once broken, each with what is right; `test_laws.py` draws streams of their kinds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from unbroken import (
    Attempt,
    EventReader,
    RepairKind,
    Retry,
    StreamRepairer,
    StreamReport,
    Verdict,
    arepair,
    repair,
    retrying,
)
from unbroken.core.account import MAX_KEPT, MAX_LABELS
from unbroken.testing.cuts import every
from unbroken.testing.standard import read_sse

from . import laws
from .chat import CHUNK, FINISH
from .memory import growth

MESSAGE = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n'
)
DONE = b"data: [DONE]\n\n"
TOLD = b'data: {"error": {"message": "%s", "type": "unbroken_error", "code": "%s"}}\n\n'
FOREIGN = b"event: error\n" + TOLD % (
    b"The upstream service answered with something that is not a stream.", b"not-a-stream",
)  # fmt: skip


def both(data: bytes, **options: Any) -> tuple[bytes, StreamReport]:
    """Return the output and the report, which are the same however the stream is cut."""
    whole = laws.repaired([data], **options)
    for size in (1, 7, 64):
        laws.check_chunking(every(data, size), **options)
    return whole.wire, whole.report


# Only what leaves changes the state


@pytest.mark.parametrize("rest", [b":", b"id", b"data: x", b"retry: 1", b"id: 7\n", b"event: e\n: c\n", b": c"])
def test_what_is_dropped_at_the_end_does_not_make_a_stream_of_a_foreign_body(rest: bytes) -> None:
    assert both(b"foo: 1\n\n" + rest)[0] == b"foo: 1\n\n" + FOREIGN
    laws.check_idempotent(b"foo: 1\n\n" + rest)


@pytest.mark.parametrize("shows", [b": c\n\n", b"id: 1\n\n", b"event: e\n\n", b"retry: 5\n\n", b"foo: 1\n: c\n\n"])
def test_what_leaves_makes_one(shows: bytes) -> None:
    wire, report = both(b"foo: 1\n\n" + shows)
    assert (wire, report.verdict) == (b"foo: 1\n\n" + shows, Verdict.ENDED)


def test_an_id_without_an_event_counts_when_it_is_written() -> None:
    data = b"id: 2\n" + CHUNK + b"id\n\n: c\n\n" + DONE
    wire, report = both(data)
    assert wire == b"id: 2\n" + CHUNK + b": c\nid: \n" + DONE
    assert report.last_event_id == ""
    laws.check_idempotent(data)


def test_a_field_that_waits_does_not_overtake_a_later_one() -> None:
    data = b"data: event: a\nid: \nretry: 1\ndata: {}\n\n:\nfoo: 1\nid: 0\nretry: 0\n\ndata: {}\n\n"
    wire, report = both(data, dialect="openai-chat")
    assert read_sse(wire).last_event_id == report.last_event_id == "0"
    assert read_sse(wire).retry == report.retry == 0


@pytest.mark.parametrize("end", ["close", "fail"])
def test_an_id_that_was_not_written_counts_at_the_end(end: str) -> None:
    repairer = StreamRepairer(dialect="openai-chat")
    repairer.feed(CHUNK + b"id: 7\n\n", 0.0)
    assert repairer.report.last_event_id == ""
    frames = repairer.close(1.0) if end == "close" else repairer.fail(OSError(), 1.0)
    assert repairer.report.last_event_id == "7"
    assert frames[-1].startswith(b"id: 7\ndata: ")


# In order, frame by frame


@pytest.mark.parametrize("front", [b": c\n\n", b"id: 1\n\n", b"retry: 5\n\n", b"event: x\n\n", b"foo: 1\n\n"])
def test_what_comes_before_the_dialect_is_known_is_not_converted(front: bytes) -> None:
    wire, _ = both(front + MESSAGE, convert="openai-chat")
    assert wire.startswith(front + b'data: {"id": "m", "object": "chat.completion.chunk"')


@pytest.mark.parametrize(
    "data",
    [
        b'{"model":"m","message":{"content":"a"},"done":true}\n{"error":"x"}\n',
        MESSAGE + b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n',
    ],
)
def test_an_error_behind_the_terminator_is_the_last_frame_of_a_conversion(data: bytes) -> None:
    wire, report = both(data, convert="openai-chat")
    assert report.verdict is Verdict.FAILED
    assert b'"unbroken_error"' in wire.removesuffix(b"\n\n").rpartition(b"\n\n")[2]
    assert laws.repaired([wire], convert="openai-chat").wire == wire


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices":[{"delta":{"content":"a"}}]}\n{"error":"x"}\n"[DONE]"\n',
        b'{"is_finished":false,"event_type":"stream-start","generation_id":"g"}\n"[DONE]"\n',
    ],
)
def test_the_sentinel_of_lines_is_one_like_any_other(data: bytes) -> None:
    for options in ({}, {"to": "sse"}):
        wire, _ = both(data, **options)
        assert b"[DONE]" not in wire
        assert laws.repaired([wire], **options).wire == wire


def test_an_argument_beyond_every_float_stays_json() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": 1, "b": "Infinity"}}}
    data = event({"candidates": [{"content": {"parts": [call]}, "finishReason": "STOP"}]})
    (made,) = both(data.replace(b'"a": 1', b'"a": -1e999'))[1].tool_calls
    assert made["arguments"] == '{"a":-1e999,"b":"Infinity"}'
    assert made["arguments_complete"]


def test_names_and_ids_of_the_source_end_where_the_conversion_begins() -> None:
    wire, _ = both(MESSAGE + b"id: 1\n\nevent: x\n\n: c\n\n", convert="openai-chat")
    assert b"\nid: 1" not in wire
    assert b"event: x" not in wire
    assert b"\n: c\n" in wire


@pytest.mark.parametrize(
    ("data", "order"),
    [
        (b'id: 1\n{"a":1}\ndata: {"b":2}\n\n', [b'data: {"a":1}\n\n', b'id: 1\ndata: {"b":2}\n\n']),
        (b'event: x\n{"a":1}\ndata: {"b":2}\n\n', [b'data: {"a":1}\n\n', b'event: x\ndata: {"b":2}\n\n']),
        (
            b'id: 1\n{"a":1}\n[2]\ndata: {"b":2}\n\n',
            [b'data: {"a":1}\n\n', b"data: [2]\n\n", b'id: 1\ndata: {"b":2}\n\n'],
        ),
        (b'data: x\n{"a":1}\ndata: y\n\n', [b"data: x\ndata: y\n\n", b'data: {"a":1}\n\n']),
        (b'id: 1\n{"a":1}\n\n', [b'id: 1\ndata: {"a":1}\n\n']),
    ],
)
def test_raw_documents_leave_where_they_stood(data: bytes, order: list[bytes]) -> None:
    assert both(data)[0] == b"".join(order)
    laws.check_idempotent(data)
    assert len([item for item in EventReader().feed(data) if hasattr(item, "data")]) == len(order)


def test_text_of_raw_documents_keeps_its_order() -> None:
    one, two = (CHUNK.removeprefix(b"data: ").replace(b'"a"', b'"%s"' % text).strip() for text in (b"one ", b"two "))
    assert both(CHUNK + b"id: 2\n" + one + b"\ndata: " + two + b"\n\n" + FINISH)[1].text.endswith("one two ")


# Behind the sentinel


@pytest.mark.parametrize(
    "behind",
    [b": bye\n\n", b"data: more\n\n", b"id: 7\n\n", b"<html>", b"\xff\xff", b"retry: 1\n\n", b"\n\n\n", DONE, b"x"],
)
@pytest.mark.parametrize("done", [DONE, b"data: [DONE]\r\n\r\n", b"[DONE]\n", b"data: [done]\n\n"])
def test_behind_the_sentinel_nothing_is_forwarded_counted_or_recorded(done: bytes, behind: bytes) -> None:
    alone, report = both(CHUNK + done, dialect="openai-chat")
    wire, again = both(CHUNK + done + behind, dialect="openai-chat")
    assert wire == alone
    shortened = len(done) - (done.endswith(b"\r\n"))  # a CR ends a line, and with it the event
    assert again.bytes_in == len(CHUNK) + shortened
    assert laws.facts(again) == {**laws.facts(report), "bytes_in": again.bytes_in, "respellings": again.respellings}


def test_sync_and_async_end_alike_at_the_sentinel() -> None:
    chunks = [CHUNK + DONE, b": bye\n\n", b"data: more\n\n"]

    async def upstream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def read() -> tuple[bytes, StreamReport]:
        stream = arepair(upstream())
        return b"".join([piece async for piece in stream]), stream.report

    stream = repair(chunks)
    wire, (awire, areport) = b"".join(stream), asyncio.run(read())
    assert wire == awire == CHUNK + DONE
    assert stream.report.bytes_in == areport.bytes_in == len(wire)


# Nothing is lost silently


def test_a_first_line_that_waited_leaves_before_an_invalid_one_ends_the_stream() -> None:
    wire, report = both(b'{"a":1}\nx\n', content_type="application/json", invalid_json="error")
    assert wire.startswith(b'{"a":1}\n{"error"')
    assert report.events == 1


def test_a_scalar_after_a_first_line_that_waited_is_a_line() -> None:
    assert both(b'{"a":1}\n1\nnull\n', content_type="application/json")[0] == b'{"a":1}\n1\nnull\n'


def test_a_first_line_that_waited_leaves_before_words_of_an_error() -> None:
    data = b'{"model":"m","message":{"content":"a"},"done":false}\nerror: boom\n'
    assert both(data, dialect="ollama", content_type="application/json")[1].text == "a"


@pytest.mark.parametrize("page", [b"<html>\nmore\nmore\n", b"HTTP/1.1 502 Bad\r\nServer: x\r\n\r\n"])
def test_behind_a_failure_nothing_is_read_however_it_is_cut(page: bytes) -> None:
    data = b'data: {"a":1}\n\n' + page
    reports = []
    for chunks in ([data], every(data, 1), every(data, 20)):
        stream = repair(chunks, heartbeat=None)
        b"".join(stream)
        reports.append(laws.facts(stream.report))
    timed = {"first_byte", "first_event", "first_content", "longest_gap", "duration"}
    kept = [{name: fact for name, fact in facts.items() if name not in timed} for facts in reports]
    assert kept[1:] == kept[:-1]
    engine = StreamRepairer()
    engine.feed(data, 0.0)
    before = laws.facts(engine.report)
    engine.feed(page, 1.0)
    engine.close(2.0)
    assert laws.facts(engine.report) == before


@pytest.mark.parametrize("data", [b"{\na", b'{"w0x":\n1', b"{\n2\n3", b'{"a"\n"b"'])
def test_a_document_that_never_ends_is_named_whole(data: bytes) -> None:
    laws.check_accounted(data)
    both(data)


def test_a_payload_that_another_field_swallowed_is_recorded() -> None:
    data = b'event: token\ndata: {"content":"a"}\n\nevent: tokendata: {"content":"LOST"}\n\n'
    _, report = both(data, dialect="vocabulary")
    assert [str(one) for one in report.first_repairs] == ["stray-line at byte 36"]


@pytest.mark.parametrize("digits", [15, 16, 26, 309, 5000])
def test_a_reconnection_time_of_any_number_of_digits_is_obeyed_and_written(digits: int) -> None:
    line = b"retry: 1" + b"0" * (digits - 1) + b"\n"
    wire, report = both(line + b"\n" + CHUNK, dialect="openai-chat")
    assert wire.startswith(line + CHUNK)
    assert report.retry is not None
    assert 10 ** min(digits - 1, 308) <= report.retry <= 2**1024
    assert report.retry / 1000.0 > 0.0


@pytest.mark.parametrize("data", [b'{"":8\n0}\n', b'{"":[tr\nue]}\n', b'{"a":-\n1}\n', b'{"a":1\n.5}\n'])
def test_a_line_end_between_two_pieces_of_a_token_is_not_removed(data: bytes) -> None:
    for stream, options in (
        (data, {"format": "ndjson"}),
        (b"data:" + data, {}),
        (b"data: " + data.replace(b"\n", b"\ndata: ", 1) + b"\n", {}),
    ):
        laws.check_no_invention(stream, **options)
        assert not both(stream, **options)[1].repairs.get(RepairKind.RAW_NEWLINE)


def test_an_event_that_was_dropped_is_not_resumed_after() -> None:
    asked: list[str | None] = []
    text = b'{"choices":[{"index":0,"delta":{"content":"%s"}}]}'
    one, two = (b"id: %d\ndata: " % number + text % (b"%d" % number) + b"\n\n" for number in (1, 2))

    def connect(attempt: Attempt) -> Iterator[bytes]:
        asked.append(attempt.last_event_id)
        yield one + b"id: 2\ndata: oops\n\n" if attempt.number == 1 else two + FINISH + DONE
        if attempt.number == 1:
            raise ConnectionResetError

    stream = repair(retrying(connect, resume=True, retry=Retry(base=0.0)), heartbeat=None)
    assert b"".join(stream) == one + two + FINISH + DONE
    assert asked == ["", "1"]
    assert stream.report.text == "12"


# Framings of the output


def test_lines_get_their_names_where_a_heartbeat_made_them_sse() -> None:
    lines = b'{"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n{"type":"message_stop"}\n'
    repairer = StreamRepairer(heartbeat=1.0)
    repairer.resume(0.0)
    beat = b"".join(repairer.on_deadline(5.0))
    wire = b"".join(repairer.feed(lines, 6.0) + repairer.close(6.0))
    assert beat == b":\n\n"
    assert wire == laws.repaired([lines], to="sse").wire
    assert wire.count(b"event: ") == 2


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (CHUNK + DONE, b'"[DONE]"\n'),
        (CHUNK + FINISH + DONE, b""),
        (CHUNK + FINISH, b""),
        (b"data: [DONE]\n\n", b""),  # of no known dialect, where it means nothing
    ],
)
def test_a_sentinel_is_a_line_where_nothing_else_says_that_the_answer_is_whole(data: bytes, line: bytes) -> None:
    once, report = both(data, to="ndjson")
    assert once.endswith(line or b"}\n" if once else b"")
    assert (b"[DONE]" in once) is bool(line)
    twice, again = both(once, to="ndjson")
    assert (twice, again.verdict) == (once, report.verdict)
    assert laws.repaired([once], to="sse").wire.count(DONE) == bool(line)


def test_a_conversion_to_lines_ends_alike() -> None:
    data = b"event: message_start" + MESSAGE.partition(b"event: message_start")[2]
    data += b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    once, report = both(data, to="ndjson", convert="openai-chat")
    assert report.verdict is Verdict.COMPLETE
    assert laws.repaired([once], dialect="openai-chat", content_type="application/x-ndjson").wire == once


@pytest.mark.parametrize(
    "data", [b"data: hello\n\n", b"data: 12\n\n", b"data: true\n\ndata: null\n\n", b"data: -1\n\n"]
)
def test_lines_that_are_no_objects_are_lines_again(data: bytes) -> None:
    once, report = both(data, to="ndjson")
    twice, again = both(once, to="ndjson")
    assert (twice, again.verdict) == (once, report.verdict)
    assert laws.repaired([once], content_type="application/x-ndjson").wire == once


@pytest.mark.parametrize("body", [b'"Internal Server Error"', b"502"])
def test_a_body_of_one_string_or_number_is_still_no_stream(body: bytes) -> None:
    assert both(body, to="ndjson")[1].verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b'{"type": "x', {"dialect": "cohere"}),
        (b'{"model":', {"dialect": "ollama"}),
        (b'{"a":1}\nx\n', {"invalid_json": "error"}),
        (b'{"type":"message_start"', {"dialect": "anthropic"}),
    ],
)
def test_an_error_of_ours_is_no_body_to_the_next_reader(data: bytes, options: dict[str, Any]) -> None:
    both(data, content_type="application/json", **options)
    laws.check_idempotent(data, content_type="application/json", **options)


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (b"event: error\ndata: {}\n\n", b'{"error": true}\n'),
        (b'event: error\ndata: {"code":1}\n\n', b'{"error": {"code":1}}\n'),
        (b'event: error\ndata: {"error":"x"}\n\n', b'{"error":"x"}\n'),
        (b'event: error\ndata: {"type":"error","message":"x"}\n\n', b'{"type":"error","message":"x"}\n'),
    ],
)
def test_an_error_by_name_is_an_error_in_lines(frame: bytes, line: bytes) -> None:
    once, report = both(CHUNK + frame, to="ndjson", dialect="openai-chat")
    assert once.endswith(line)
    assert laws.repaired([once], to="ndjson", dialect="openai-chat").report.verdict is report.verdict


# What is retained


def event(value: Any, name: str = "") -> bytes:
    return (
        (f"event: {name}\n" if name else "").encode()
        + b"data: "
        + json.dumps(value, ensure_ascii=False).encode()
        + b"\n\n"
    )


def call(index: int, label: str) -> Any:
    made = {"index": index, "id": label, "function": {"name": label, "arguments": "x" * 900}}
    return {"choices": [{"index": 0, "delta": {"tool_calls": [made]}}]}


def tool_with_input(index: int) -> bytes:
    block = {"type": "tool_use", "id": "t", "name": "n", "input": {"a": "x" * 200_000}}
    return event({"type": "content_block_start", "index": index, "content_block": block}, "content_block_start")


def piece_of_arguments(index: int) -> bytes:
    piece = {"jsonPath": "$.a", "stringValue": "x" * 200_000}
    made = {"functionCall": {"name": "f", "partialArgs": [piece], "willContinue": True}}
    return event({"candidates": [{"index": index, "content": {"parts": [made], "role": "model"}}]})


def test_ids_and_names_are_bounded_like_all_that_is_kept() -> None:
    repairer = StreamRepairer(max_event_bytes=16384)

    def read() -> None:
        for index in range(1200):
            repairer.feed(event(call(index, f"{index}" + "\U0001f600" * 1019)), 0.0)

    assert growth(read, before=0, times=1) < 4 * (MAX_KEPT + MAX_LABELS) + 2**20
    report = repairer.report
    assert report.account is not None
    assert report.account.cut
    assert sum(len(made["id"] or "") + len(made["name"] or "") for made in report.tool_calls) <= MAX_LABELS


@pytest.mark.parametrize("frame", [tool_with_input, piece_of_arguments])
def test_arguments_that_a_dialect_holds_back_share_their_room(frame: Callable[[int], bytes]) -> None:
    repairer = StreamRepairer(max_event_bytes=2**20, account=False)
    repairer.feed(MESSAGE if frame is tool_with_input else b"", 0.0)

    def read() -> None:
        for index in range(64):
            repairer.feed(frame(index), 0.0)

    assert growth(read, before=0, times=1) < 2 * 2**20
