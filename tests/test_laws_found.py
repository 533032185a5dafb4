"""Streams on which a law was once broken, each with what is right; `test_laws.py` draws streams of their kinds."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from unbroken import (
    DEFAULT_REPAIRS,
    Attempt,
    Conversion,
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
from unbroken.core.events import Format
from unbroken.core.failure import SENTENCES, Failure, tells_error
from unbroken.core.proof import prove
from unbroken.core.registry import dialect_named
from unbroken.dialects.chat_chunks import ChatAsOpenAIFails
from unbroken.testing import DIALECTS, Answer
from unbroken.testing.conversations import spell
from unbroken.testing.cuts import every
from unbroken.testing.standard import read_sse

from . import laws
from .chat import CHUNK, FINISH
from .memory import growth
from .tables import first_error, told_in_form_of

MESSAGE = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n'
)
DONE = b"data: [DONE]\n\n"
FAILING_FINISH = (
    b'{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"error"}]}'
)
TOLD = b'data: {"error": {"message": "%s", "type": "unbroken_error", "code": "%s"}}\n\n'
FOREIGN = first_error("not-a-stream", 500)


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


@pytest.mark.parametrize(("length", "parts"), [(800, b"\n"), (1010, b"\n\n")])
def test_an_id_that_makes_the_last_frame_too_long_leaves_alone(length: int, parts: bytes) -> None:
    id = b"id: " + b"i" * length
    wire, _ = both(CHUNK + id + b"\n\n", max_event_bytes=1024)
    assert wire == CHUNK + id + parts + TOLD % (b"The stream ended before it was complete.", b"truncated")
    laws.check_idempotent(CHUNK + id + b"\n\n", max_event_bytes=1024)


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
        (
            b'id: 1\nerror: {"c":3}\n{"a":1}\ndata: {"b":2}\n\n',
            [b'id: 1\ndata: {"error": {"c":3}}\n\n', b'data: {"a":1}\n\n', b'data: {"b":2}\n\n'],
        ),
        (
            b'id: 1\n[2]\nerror: {"c":3}\n{\n"a":1}\n\n',
            [b"data: [2]\n\n", b'id: 1\ndata: {"error": {"c":3}}\n\n', b'data: {"a":1}\n\n'],
        ),
    ],
)
def test_raw_documents_leave_where_they_stood(data: bytes, order: list[bytes]) -> None:
    assert both(data)[0] == b"".join(order)
    laws.check_idempotent(data)
    assert len([item for item in EventReader().feed(data) if hasattr(item, "data")]) == len(order)


def test_text_of_raw_documents_keeps_its_order() -> None:
    one, two = (CHUNK.removeprefix(b"data: ").replace(b'"a"', b'"%s"' % text).strip() for text in (b"one ", b"two "))
    assert both(CHUNK + b"id: 2\n" + one + b"\ndata: " + two + b"\n\n" + FINISH)[1].text.endswith("one two ")


# Errors that came before their dialect

LONE = b'data: {"error":{"message":"x"}}\n\n'
CODED = b'data: {"error":{"message":"x","code":1}}\n\n'
OF_ANTHROPIC = b'data: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n'
FLAWED = b'data: {"a\n\n'
OURS = TOLD % (b"m", b"truncated")


def lines(data: bytes) -> bytes:
    return data.replace(b"data: ", b"").replace(b"\n\n", b"\n")


@pytest.mark.parametrize(
    "data",
    [
        *(LONE + CHUNK, LONE + CHUNK + DONE, LONE + FLAWED + CHUNK, LONE + b"data: hello\n\n" + CHUNK),
        *(
            CODED + CHUNK,
            FLAWED + CODED + CHUNK,
            b"data: hello\n\n" + CODED + CHUNK,
            CODED + b"data: hello\n\n" + CHUNK,
        ),
        *(lines(b'data: {"a":1}\n\n' + CODED + CHUNK), lines(b'data: {"a":1}\n\n' + LONE + CHUNK)),
        b'[{"a":1},' + lines(CODED).strip() + b"," + lines(CHUNK).strip() + b"]",
    ],
)
@pytest.mark.parametrize("options", [{}, {"to": "sse"}, {"to": "ndjson"}])
def test_an_error_counts_once_more_shows_the_dialect_in_every_framing(data: bytes, options: dict[str, Any]) -> None:
    wire, report = both(data, **options)
    assert (report.verdict, report.dialect) == (Verdict.FAILED, "openai-chat")
    assert b"unbroken_error" not in wire
    assert b"[DONE]" not in wire
    laws.check_chained(data, **options)


@pytest.mark.parametrize("data", [LONE + b'data: {"a":1}\n\n' + DONE, b'data: {"a":1}\n\n' + LONE + DONE])
def test_an_error_beside_other_events_of_no_dialect_is_none(data: bytes) -> None:
    wire, report = both(data)
    assert (wire, report.verdict) == (data, Verdict.ENDED)


@pytest.mark.parametrize("error", [LONE, CODED, OF_ANTHROPIC])
def test_more_than_an_error_shows_the_dialect_also_behind_one(error: bytes) -> None:
    wire, report = both(error + CHUNK + b"data: null\n\n" + FLAWED + CHUNK)
    assert (report.dialect, report.text, report.verdict) == ("openai-chat", "aa", Verdict.FAILED)
    assert wire.endswith(b'x"}}\n\n' + 2 * CHUNK if error is not CODED else error + 2 * CHUNK)
    assert [*report.repairs.elements()] == [
        *([RepairKind.EVENT_NAME_RESTORED] if error is OF_ANTHROPIC else []),
        *(RepairKind.EMPTY_DATA, RepairKind.INVALID_JSON),
    ]


def test_a_frame_leaves_in_the_dialect_that_was_known_then_and_an_error_is_the_last_one() -> None:
    wire, report = both(CODED + MESSAGE, convert="openai-chat")
    assert (wire, report.dialect) == (CODED, "anthropic")
    laws.check_chained(CODED + MESSAGE, convert="openai-chat")


@pytest.mark.parametrize("behind", [CHUNK, CHUNK + FINISH + DONE, b"id: 7\n\n", CHUNK + b"id: 7\n\n", b": c\n\n"])
def test_a_converted_error_is_the_last_frame_whatever_dialect_follows(behind: bytes) -> None:
    alone, _ = both(OF_ANTHROPIC, convert="openai-chat")
    wire, report = both(OF_ANTHROPIC + behind, convert="openai-chat")
    assert wire == alone
    assert report.verdict is Verdict.FAILED


def test_an_error_line_that_becomes_an_event_is_one() -> None:
    data = lines(b'data: {"a":1}\n\n' + OF_ANTHROPIC)
    assert both(data)[1].verdict is Verdict.ENDED
    wire, report = both(data, to="sse")
    assert report.verdict is Verdict.FAILED
    assert wire.endswith(b"event: error\n" + OF_ANTHROPIC)
    laws.check_chained(data, to="sse")


def test_an_error_of_ours_in_another_form_is_converted() -> None:
    data = b'event: delta\ndata: {"text":"a"}\n\n' + OURS
    wire, report = both(data, convert="openai-chat")
    assert report.verdict is Verdict.FAILED
    assert b'"code": "truncated"' in wire.removesuffix(b"\n\n").rpartition(b"\n\n")[2]
    laws.check_chained(data, convert="openai-chat")


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


def test_behind_the_failure_that_a_line_shows_this_line_is_not_read_either() -> None:
    data = b'{"a":1}\n{"a\n{"error":{"message":"x"}}\n'
    wire, report = both(data, invalid_json="error")
    assert (report.events, report.error and report.error.code) == (1, "invalid-json")
    assert wire.count(b"\n") == 2
    laws.check_one_end([data], invalid_json="error")


def test_a_mended_line_has_no_outer_blanks() -> None:
    data = b'{"a":1}\ndata:\r {"b":2}\n'
    assert both(data)[0] == b'{"a":1}\n{"b":2}\n'
    laws.check_idempotent(data)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b'{"type":"error","error":{"message":"x"},"sequence_number":3}\n{"a\n', {"invalid_json": "error"}),
        (b'{"error":"x","done":true}\nerror: boom\n', {"dialect": "ollama"}),
        (FAILING_FINISH + b"\nx\n", {"invalid_json": "error"}),
        (FAILING_FINISH + b"\n" + b'{"a"\n', {"invalid_json": "error", "dialect": "openai-chat"}),
        (FAILING_FINISH + b"\nx\n", {"invalid_json": "error", "errors": "mask"}),
        (FAILING_FINISH + b"\nx\n", {"invalid_json": "error", "convert": "openai-chat"}),
        (b'{"candidates":[{"index":0,"finishReason":"MALFORMED_FUNCTION_CALL"}]}\nx\n', {"invalid_json": "error"}),
        (b'{"type":"response.failed","response":{"id":"r","status":"failed"}}\nx\n', {"invalid_json": "error"}),
    ],
)
def test_an_error_and_a_line_that_ends_the_stream_are_a_body_where_a_second_line_was_needed(
    data: bytes, options: dict[str, Any]
) -> None:
    _, report = both(data, content_type="application/json", **options)
    assert report.events == 0
    assert report.error is not None
    assert report.error.code == "not-a-stream"
    assert [(one.kind, one.offset, one.length) for one in report.first_repairs] == [
        (RepairKind.NOT_A_STREAM, 0, len(data) - 1)
    ]
    laws.check_idempotent(data, content_type="application/json", **options)


@pytest.mark.parametrize("page", [b"<html>\nmore\nmore\n", b"HTTP/1.1 502 Bad\r\nServer: x\r\n\r\n"])
def test_behind_a_failure_nothing_is_read_however_it_is_cut(page: bytes) -> None:
    data = b'data: {"a":1}\n\n' + page
    reports = []
    for chunks in ([data], every(data, 1), every(data, 20)):
        stream = repair(chunks, heartbeat=None)
        b"".join(stream)
        reports.append(laws.facts(stream.report))
    timed = {"first_byte", "first_event", "first_content", "longest_gap", "longest_pause", "duration"}
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


@pytest.mark.parametrize("data", [CHUNK + b'data: "[DONE]"\n\n' + CHUNK, b"[" + lines(CHUNK) + b',"[DONE]"]'])
def test_a_string_that_is_spelt_like_the_sentinel_of_lines_ends_nothing(data: bytes) -> None:
    wire, report = both(data, to="ndjson", repairs=())
    assert wire.splitlines()[1] == b'"\\u005bDONE]"'
    assert json.loads(wire.splitlines()[1]) == "[DONE]"
    again = laws.repaired([wire], repairs=(), content_type="application/x-ndjson")
    assert (again.wire, again.report.events) == (wire, report.events)
    laws.check_chained(data, to="ndjson")


def test_a_sentinel_alone_leaves_nothing_for_lines() -> None:
    assert laws.repaired([b"data: [DONE]\n\n"], to="ndjson", empty="error").wire == b""
    laws.check_chained(b"data: [DONE]\n\n", to="ndjson", empty="error")


@pytest.mark.parametrize("words", [b"[DONE]", b'"[DONE]"', b"", b"0", b"boom", b'"boom"'])
def test_an_error_by_its_name_is_one_line_whatever_its_words_are(words: bytes) -> None:
    data = b"event: error\ndata: " + words + b"\n\n"
    wire, _ = both(data, to="ndjson")
    assert "error" in json.loads(wire)
    laws.check_chained(data, to="ndjson")


def test_a_conversion_that_repairs_nothing_adds_no_end() -> None:
    options: dict[str, Any] = {"convert": "openai-chat", "repairs": ()}
    wire, report = both(CHUNK + FINISH + b"data: {", **options)
    assert (wire, report.verdict) == (CHUNK + FINISH, Verdict.TRUNCATED)
    assert both(wire, **options)[0] == wire
    assert both(wire, convert="openai-chat")[0] == wire + DONE


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b'{"a":"' + b"x" * 1012 + b'"}\n{"b":1}\n', {"to": "sse"}),
        (b'{"model":"m","message":{"content":"' + b"x" * 940 + b'"},"done":false}\n', {"convert": "openai-chat"}),
    ],
)
def test_what_another_spelling_makes_too_long_for_a_second_proxy_is_still_written(
    data: bytes, options: dict[str, Any]
) -> None:
    wire, report = both(data, max_event_bytes=1024, **options)
    assert b"x" * 940 in wire
    assert not report.repairs
    assert laws.repaired([wire], max_event_bytes=1024, **options).report.repairs == {RepairKind.OVERSIZED_EVENT: 1}
    laws.check_chained(data, max_event_bytes=1024, **options)


@pytest.mark.parametrize("options", [{}, {"convert": "openai-chat"}])
@pytest.mark.parametrize("data", [b": c\n\n\0\n\r\n", b': c\n\n{"a":1}\n\n'])
def test_where_nothing_is_repaired_a_comment_that_is_dropped_hides_the_framing_unless_it_is_named(
    data: bytes, options: dict[str, Any]
) -> None:
    quiet: dict[str, Any] = {**options, "repairs": (), "comments": "drop"}
    once, _ = both(data, **quiet)
    assert laws.repaired([once], **quiet).wire != once
    assert both(once, format="sse", **quiet)[0] == once
    laws.check_chained(data, **quiet)


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


def chat_of(text: bytes) -> bytes:
    return b'{"choices":[{"index":0,"delta":{"content":"%s"}}]}' % text


@pytest.mark.parametrize(
    "block",
    [
        b"data: 01\n2\ndata: 3\n\n",
        b"data: 12\n3\ndata: 4\n5\n\n",
        b"id: 7\ndata: 01\n2\ndata: 3\n4\ndata: 56\n\n",
    ],
    ids=["between", "and behind", "twice"],
)
def test_a_raw_document_between_glued_ones_leaves_in_its_place(block: bytes) -> None:
    block = re.sub(rb"\d(?=[\d\n])(?<!id: \d)", lambda found: chat_of(found[0]), block)
    for data in (CHUNK + block, block):
        wire, report = both(data)
        numbers = [int(found) for found in re.findall(rb'"content":"(\d)"', wire)]
        assert numbers == sorted(numbers)
        assert len(numbers) == block.count(b"content")
        assert RepairKind.RAW_JSON in report.repairs


def test_a_raw_document_within_one_of_the_data_has_no_place_and_is_dropped_by_name() -> None:
    inside = chat_of(b"2").replace(b'"choices":', b'"choices":\ndata: ')
    head, tail = inside.split(b"\n")
    block = b"data: " + chat_of(b"0") + head + b"\n" + chat_of(b"1") + b"\n" + tail + b"\n\n"
    wire, report = both(CHUNK + block)
    assert re.findall(rb'"content":"(\d)"', wire) == [b"0", b"2"]
    assert report.repairs[RepairKind.STRAY_LINE] == 1
    assert report.verdict is not Verdict.COMPLETE


CHAT = b"data: " + chat_of(b"w0x") + b"\n\n"
COMMENT, NO_BLANK, STRAY, INVALID = (
    RepairKind.WRAPPED_COMMENT,
    RepairKind.MISSING_BLANK_LINE,
    RepairKind.STRAY_LINE,
    RepairKind.INVALID_JSON,
)


@pytest.mark.parametrize(
    ("block", "kinds", "left"),
    [
        (b"data: : w1x\n\n", [COMMENT], b""),
        (b"data: : w1x\ndata:  : w2x\n\n", [COMMENT], b""),
        (CHAT[:-1] + b"data: : w1x\n\n", [COMMENT], CHAT),
        (b"data: : w1x\n" + CHAT, [COMMENT], CHAT),
        (b"data: : w1x\ndata: null\n" + CHAT, [NO_BLANK, COMMENT], CHAT),
        (CHAT[:-1] + b"data: : w1x\n" + CHAT, [NO_BLANK, COMMENT], CHAT + CHAT),
        (b'data: {"choices":\ndata: : w1x\ndata: []}\n\n', [COMMENT], b'data: {"choices":[]}\n\n'),
        (b"data: : w1x\ndata: hello\n\n", [INVALID], b""),
        (b"event: tokenTdata: w1x\n\n", [STRAY], b""),
        (b"retry: 5data: w1x\n\n", [STRAY], b""),
        (b"event: metadata\n\n", [], b""),
    ],
)
def test_words_of_a_comment_among_the_data_or_behind_a_name_leave_by_name(
    block: bytes, kinds: list[RepairKind], left: bytes
) -> None:
    data = CHAT + block + FINISH + DONE
    wire, report = both(data, dialect="openai-chat")
    assert wire == CHAT + left + FINISH + DONE
    assert list(report.repairs) == kinds
    laws.check_marks(data, dialect="openai-chat")


@pytest.mark.parametrize("rest", [b'{"a":"w1x"}', b'{"a":"w1x"}\n', b'{"a":"w1x"}\n{"b":1}\n'])
def test_what_follows_a_line_that_ends_the_stream_is_not_counted_though_it_came_with_the_end(rest: bytes) -> None:
    data = b'{"a":"w0x"}\n{"a":\n' + rest
    for chunks in ([data], every(data, 1), every(data, 5)):
        result = laws.repaired(chunks, invalid_json="error")
        assert result.report.bytes_in == len(b'{"a":"w0x"}\n{"a":')
    laws.check_marks(data, invalid_json="error")


def test_a_heartbeat_of_difys_is_one_of_its_own_pings() -> None:
    body = b'data: {"event":"message_end","task_id":"t","message_id":"m","conversation_id":"c","created_at":1}\n\n'
    laws.check_alive(every(body * 3, 7))


@pytest.mark.parametrize("dialect", ["ai-sdk-ui", "ag-ui", "n8n", "workers-ai", "ollama"])
@pytest.mark.parametrize("data", [b'{"type": "x', b"{", b'{"a":1}\n{'])
def test_an_error_of_ours_that_is_all_of_a_body_is_no_body_to_the_next_proxy(dialect: str, data: bytes) -> None:
    laws.check_idempotent(data, dialect=dialect, content_type="application/json")


@pytest.mark.parametrize("dialect", ["google-adk", "openai-chat", "ollama"])
@pytest.mark.parametrize(
    "data", [b'{"a":"w0x"}\nnull\n', b'{"a":"w0x"}\nnull\nnull\n', b'{"a":"w0x"}\nnull\n{"b":1}\n']
)
def test_a_null_that_is_dropped_makes_no_stream_of_a_body(dialect: str, data: bytes) -> None:
    laws.check_idempotent(data, dialect=dialect, content_type="application/json")
    both(data, dialect=dialect, content_type="application/json")


@pytest.mark.parametrize("rest", [b"", b"\n", b'\n{"a":1}\n'])
def test_a_line_that_is_not_read_is_not_decoded(rest: bytes) -> None:
    data = b'{\n{"":"","\xff":"","a":1}' + rest
    for chunks in ([data], every(data, 1), every(data, 5)):
        result = laws.repaired(chunks, invalid_json="error")
        assert (result.report.bytes_in, result.report.invalid_utf8) == (1, 0)
    laws.check_accounted(data, invalid_json="error")
    laws.check_accounted(data)


@pytest.mark.parametrize("line", [b"a", b"a:", b"Note: x"])
def test_a_line_that_may_be_a_field_or_a_part_of_a_text_joins_nothing(line: bytes) -> None:
    data = CHAT + b'data: {"type":"a\n' + line + b'\na"}\n\n' + FINISH + DONE
    wire, report = both(data)
    assert wire == CHAT + FINISH + DONE
    assert RepairKind.RAW_NEWLINE not in report.repairs
    laws.check_no_invention(data)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("front", [b"foo: 1\n\n", b"foo: 1\n\nbar\n\n: c\n\n", b"foo: 1\n\nid: 7\n"])
def test_a_sentinel_that_is_dropped_shows_no_framing(dialect: str, front: bytes) -> None:
    for end in (b"data: [DONE]\n\n", b'data: [DONE]\n\ndata: {"a":1}\n\n'):
        for options in ({}, {"empty": "end", "comments": "drop"}):
            both(front + end, dialect=dialect, **options)
            laws.check_idempotent(front + end, dialect=dialect, **options)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("data", [b"", b"event: output\nid: 1700000000000:0\ndata: Hi\n\n", b"data: {\n\n"])
def test_as_lines_an_error_of_ours_says_by_itself_that_it_is_one(dialect: str, data: bytes) -> None:
    for options in ({"dialect": dialect}, {}):
        once = laws.repaired([data], to="ndjson", empty="error", invalid_json="error", **options)
        again = laws.repaired([once.wire], content_type="application/x-ndjson")
        assert (again.wire, again.report.repairs) == (once.wire, {})
        if once.report.error is not None:
            assert again.report.verdict is Verdict.FAILED
            assert again.report.error.code == once.report.error.code
            told = laws.repaired([data], empty="error", invalid_json="error", **options).wire
            assert b"event: error\n" not in told or tells_error(json.loads(once.wire.splitlines()[-1]))


SPOKEN = b'{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"w1x"},"finish_reason":"stop"}]}'
OURS_ONLY = [
    b'data: {"error":{"message":"x","code":429}}' + SPOKEN + b"\n\n",
    b'data: {"error":{"message":"x","code":429}}\n' + SPOKEN + b"\n\n",
    b'data: {"error":{"message":"x","code":429}}\ndata: ' + SPOKEN + b"\n\n",
    b'data: {"error":{"message":"x","code":429}}\n[DONE]\n\n',
    b'id: 1\nerror: {"code":1}\n' + SPOKEN + b"\n\n",
    b'event: error\n{"error":"x"}\n' + SPOKEN + b"\n\n",
    b'{"a":1}\n{"error":{"message":"x","code":429}}' + SPOKEN + b"\n",
]


@pytest.mark.parametrize("block", OURS_ONLY)
@pytest.mark.parametrize("options", [{"dialect": "openai-chat"}, {"dialect": "openai-chat", "to": "ndjson"}])
def test_behind_a_masked_error_nothing_of_its_block_is_read(block: bytes, options: dict[str, Any]) -> None:
    wire, report = both(block + CHAT, errors="mask", **options)
    assert (report.text, report.finish_reason, report.content_emitted, report.masked_errors) == ("", None, False, 1)
    assert report.verdict is Verdict.FAILED
    assert b"w1x" not in wire
    assert all(repair.offset + repair.length <= report.bytes_in for repair in report.first_repairs)


@pytest.mark.parametrize(
    "error", [b'data: {"detail":"no"}\n\n', b"event: error\ndata: words\n\n", b"data: error: x\n\n"]
)
@pytest.mark.parametrize(
    "rest",
    [
        b'event: delta\ndata: {"text":"w1x"}\n\n',
        b'event: delta\ndata: {"text":"w1x"}\n\nevent: done\ndata: {}\n\n',
        CHAT,
        MESSAGE,
        b"",
    ],
)
@pytest.mark.parametrize("options", [{}, {"repairs": DEFAULT_REPAIRS - {RepairKind.AFTER_DONE}}, {"errors": "mask"}])
def test_a_sentinel_that_is_dropped_behind_an_error_ends_the_stream(
    error: bytes, rest: bytes, options: dict[str, Any]
) -> None:
    both(error + DONE + rest, **options)
    laws.check_idempotent(error + DONE + rest, **options)


FLAT = b'{"object":"error","message":"w9x","type":"InternalServerError","code":500}'
SHAPES = [FLAT, b'{"error":{"message":"w9x"}}', b'{"error":"w9x"}', b'{"type":"error","message":"w9x"}']


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - {"text", "replicate"}))
@pytest.mark.parametrize("shape", SHAPES)
def test_an_error_in_a_flawed_block_is_told_as_the_clients_of_the_dialect_read_one(dialect: str, shape: bytes) -> None:
    for data in (b'data: {"cut\ndata: ' + shape + b"\n\n", b'data: {"cut\nerror: ' + shape + b"\n\n"):
        _, report = both(data, dialect=dialect)
        assert report.verdict is Verdict.FAILED
        laws.check_idempotent(data, dialect=dialect)
        masked, report = both(data, dialect=dialect, errors="mask")
        assert (report.verdict, b"w9x" in masked) == (Verdict.FAILED, False)


@pytest.mark.parametrize("digits", range(6, 16))
def test_pending_fields_leave_in_as_many_blocks_as_their_length_asks_for(digits: int) -> None:
    data = CHAT + b"id: " + b"5" * 1000 + b"\n\nretry: " + b"1" * digits + b"\n\n" + CHAT
    _, report = both(data, max_event_bytes=1024)
    assert (report.last_event_id, report.retry) == ("5" * 1000, int("1" * digits))
    laws.check_idempotent(data, max_event_bytes=1024)


ANSWERS = {
    dialect: spell(dialect, Answer(("Hi ", "there"), input_tokens=3, output_tokens=4)) for dialect in sorted(DIALECTS)
}
EVENTS = [dialect for dialect, answer in ANSWERS.items() if answer.is_sse]
CONVERTED = [dialect for dialect in EVENTS if dialect != "openai-chat"]


def named_error(frame: bytes) -> bytes:
    """Return a frame under the name `error`."""
    others = [line for line in frame.splitlines(keepends=True) if not line.startswith(b"event:")]
    return b"event: error\n" + b"".join(others)


@pytest.mark.parametrize("dialect", ANSWERS)
def test_of_lines_that_lost_their_names_a_second_proxy_is_told_no_dialect(dialect: str) -> None:
    once = laws.repaired([ANSWERS[dialect].data], dialect=dialect, to="ndjson")
    assert once.report.verdict is Verdict.COMPLETE
    lines = {"to": "ndjson", "content_type": "application/x-ndjson"}
    again = laws.repaired([once.wire], **lines)
    assert (again.wire, again.report.repairs) == (once.wire, {})
    if dialect not in laws.BY_NAME:
        again = laws.repaired([once.wire], dialect=dialect, **lines)
        assert (again.wire, again.report.repairs, again.report.text) == (once.wire, {}, once.report.text)


@pytest.mark.parametrize("error", SHAPES)
@pytest.mark.parametrize("tail", [b"data: ", b'data: {"a', b"id: 7", b": c"])
def test_what_is_cut_behind_an_error_that_came_alone_leaves_no_trace(error: bytes, tail: bytes) -> None:
    for options in ({}, {"convert": "openai-chat"}, {"to": "ndjson"}, {"errors": "mask"}):
        both(b"data: " + error + b"\n\n" + tail, **options)
        laws.check_chained(b"data: " + error + b"\n\n" + tail, **options)


@pytest.mark.parametrize("dialect", EVENTS)
def test_what_stands_under_the_name_of_a_masked_error_is_in_no_report(dialect: str) -> None:
    for frame in ANSWERS[dialect].frames:
        named = named_error(frame)
        _, report = both(named, dialect=dialect, errors="mask")
        facts = (report.text, report.finish_reason, report.tool_calls, report.usage, report.content_emitted)
        assert facts == ("", None, [], {}, False)
        laws.check_chained(named, dialect=dialect, errors="mask")


@pytest.mark.parametrize("dialect", EVENTS)
def test_what_stands_under_the_name_of_an_error_is_read_alike_in_lines(dialect: str) -> None:
    for frame in ANSWERS[dialect].frames:
        named = named_error(frame)
        wire, report = both(named, dialect=dialect, to="ndjson")
        if report.text and dialect not in laws.BY_NAME:
            again = laws.repaired([wire], dialect=dialect, content_type="application/x-ndjson")
            assert (again.wire, again.report.text) == (wire, report.text)
            assert (again.report.verdict is Verdict.FAILED) is (report.error is not None)


@pytest.mark.parametrize("dialect", CONVERTED)
@pytest.mark.parametrize("front", [b'data: {"error":{"message":"m"}}\n\n', b"data: hello\n\ndata: " + FLAT + b"\n\n"])
def test_a_conversion_ends_where_an_early_error_turns_out_to_be_the_streams(dialect: str, front: bytes) -> None:
    conversation = ANSWERS[dialect]
    wire, report = both(front + conversation.data, convert="openai-chat")
    if report.verdict is Verdict.FAILED:
        assert wire.startswith(front)
        assert (report.text, b"Hi" in wire) == ("", False)
        assert b'"type": "unbroken_error"' in wire[len(front) :]
        laws.check_chained(front + conversation.data, convert="openai-chat")


@pytest.mark.parametrize(
    "error", [b'{"type":"error","errorText":"w9x"}', b'{"type":"RUN_ERROR","message":"w9x"}', FLAT]
)
def test_a_masked_error_is_told_to_the_clients_of_the_conversion(error: bytes) -> None:
    wire, _ = both(b'data: {"a":1}\n\ndata: ' + error + b"\n\n", convert="openai-chat", errors="mask")
    *_, last = wire.removesuffix(b"\n\n").split(b"data: ")
    assert json.loads(last)["error"]["type"] == "unbroken_error"
    assert b"w9x" not in wire


@pytest.mark.parametrize(
    "block", [b"retry: 5\nid: 5\n\n", b"id: 5\n\nretry: 5\n\n", b"retry: 5\n: c\n\n", b": c\nid: 5\n\n"]
)
@pytest.mark.parametrize("count", [1000, 1005, 1009, 1010, 1014, 1017])
@pytest.mark.parametrize("end", [b"", CHAT])
def test_a_pending_field_that_is_overtaken_is_so_whatever_its_length(block: bytes, count: int, end: bytes) -> None:
    long = b"id: " + b"6" * count + b"\n\n"
    for data in (long + block + end, block + long + end, end + long + block, block[:-1] + long[:-1] + b": d\n\n" + end):
        both(data, dialect="openai-chat", max_event_bytes=1024)
        laws.check_idempotent(data, dialect="openai-chat", max_event_bytes=1024)


def test_words_of_an_error_are_masked_whatever_their_length() -> None:
    for length in (10, 2**20, 2**20 + 1):
        data = CHAT + b"data: error: w9x" + b"y" * length + b"\n\n"
        whole = laws.repaired([data], errors="mask")
        assert (whole.report.verdict, b"w9x" in whole.wire) == (Verdict.FAILED, False)
        assert laws.repaired(every(data, 2**16 + 1), errors="mask").wire == whole.wire


@pytest.mark.parametrize("dialect", ["text", "replicate"])
@pytest.mark.parametrize("format", ["ndjson", "json-array"])
@pytest.mark.parametrize("data", [b"", b'"Hi"\n', b'"Hi"\n{"a":1', b": c\n\n", b'["Hi",', b"[]", b'["Hi", 5'])
def test_an_error_of_ours_among_lines_or_elements_of_prose_is_no_text(dialect: str, format: str, data: bytes) -> None:
    for options in ({}, {"empty": "error"}, {"comments": "drop"}, {"errors": "mask"}):
        once, _ = both(data, dialect=dialect, format=format, **options)
        laws.check_chained(data, dialect=dialect, format=format, **options)
        again = laws.repaired([once], dialect=dialect, format=format, **options).report
        assert "unbroken_error" not in again.text


@pytest.mark.parametrize("prose", [b"data: hello\n\n", b"data: data: data: [DONE]\n\n"])
def test_behind_an_error_of_ours_no_sentinel_leaves_not_even_among_prose(prose: bytes) -> None:
    error = TOLD % (b"Boom", b"upstream-error")
    for front in (prose + error, error + prose):
        wire, report = both(front + DONE)
        assert (wire, report.verdict, report.repairs) == (front, Verdict.FAILED, {RepairKind.DONE_AFTER_ERROR: 1})
        laws.check_no_false_end(front + DONE)
    for words in (prose, prose + b'data: {"error":"of anybody"}\n\n'):
        assert both(words + DONE)[0] == words + DONE


@pytest.mark.parametrize("dialect", EVENTS)
@pytest.mark.parametrize("words", [b"w8x", b'{"message":"w8x"}', b'{"a":1}'])
def test_an_error_by_its_name_fails_an_answer_whose_dialect_shows_behind_it(dialect: str, words: bytes) -> None:
    data = b"event: error\ndata: " + words + b"\n\n" + ANSWERS[dialect].data
    for options in ({}, {"dialect": dialect}, {"to": "ndjson"}):
        assert both(data, **options)[1].verdict is Verdict.FAILED
        laws.check_chained(data, **options)


@pytest.mark.parametrize(("words", "line"), [(b"w8x", b'"w8x"'), (b'{"a":1}', b'{"a":1}')])
def test_an_error_by_its_name_is_one_in_lines_wherever_it_stands(words: bytes, line: bytes) -> None:
    wire, report = both(b"data: hello\n\nevent: error\ndata: " + words + b"\n\ndata: hello\n\n", to="ndjson")
    assert (wire, report.verdict) == (b'"hello"\n{"error": ' + line + b'}\n"hello"\n', Verdict.ENDED)


EARLY = [
    b'{"type":"error","message":"w8x"}',
    b'{"object":"error","message":"w8x"}',
    b'{"jsonrpc":"2.0","id":1,"error":{"code":-3,"message":"w8x"}}',
    b'{"error":{"message":"w8x"},"a":1}',
    b'{"error":"w8x","a":1}',
    b'{"status":"error","message":"w8x"}',
    b'{"detail":"w8x"}',
    b'{"message":"w8x"}',
]


@pytest.mark.parametrize("dialect", ANSWERS)
@pytest.mark.parametrize("error", EARLY)
def test_what_the_dialect_reads_as_an_error_is_one_before_it_is_known_as_well(dialect: str, error: bytes) -> None:
    answer = ANSWERS[dialect]
    data = (b"data: " + error + b"\n\n" if answer.is_sse else error + b"\n") + answer.data
    named, recognised = (laws.repaired([data], **options) for options in ({"dialect": dialect}, {}))
    assert (recognised.report.dialect, recognised.report.verdict) == (dialect, named.report.verdict)
    both(data, convert="openai-chat")
    for options in ({}, {"to": "ndjson"}, {"convert": "openai-chat"}, {"convert": "openai-chat", "errors": "mask"}):
        laws.check_chained(data, **options)


def test_of_errors_before_an_answer_few_are_kept_and_none_that_is_long() -> None:
    words = b'data: {"message":"m"}\n\n'
    error = b'data: {"type":"error","message":"%s"}\n\n'
    assert both(15 * words + error % b"m" + CHUNK)[1].verdict is Verdict.FAILED
    assert both(16 * words + error % b"m" + CHUNK)[1].verdict is not Verdict.FAILED
    assert both(error % (2000 * b"m") + CHUNK)[1].verdict is not Verdict.FAILED


@pytest.mark.parametrize("dialect", CONVERTED)
@pytest.mark.parametrize("options", [{}, {"errors": "mask"}])
def test_behind_an_error_of_ours_a_conversion_and_its_report_say_nothing(dialect: str, options: dict[str, Any]) -> None:
    answer = ANSWERS[dialect]
    error = TOLD % (b"The stream ended before it was complete.", b"truncated")
    for at in (0, 1, len(answer.frames) // 2):
        data = b"".join([*answer.frames[:at], error, *answer.frames[at:]])
        wire, report = both(data, convert="openai-chat", **options)
        laws.check_chained(data, convert="openai-chat", **options)
        laws.check_chained(data, convert="openai-chat", dialect=dialect, **options)
        assert laws.repaired([wire], convert="openai-chat").report.text == report.text


@pytest.mark.parametrize("code", ["truncated", "authentication", "rate-limited"])
def test_an_error_of_ours_as_openai_writes_it_is_known(code: str) -> None:
    _, payload = ChatAsOpenAIFails().error_frame(Failure(code))
    data = CHUNK + b"data: " + json.dumps(payload).encode() + b"\n\n"
    for options in ({}, {"errors": "mask"}, {"convert": Conversion(errors="openai"), "errors": "mask"}):
        wire, report = both(data, **options)
        assert (wire, report.error and report.error.code) == (data, code)


@pytest.mark.parametrize("comment", [b": c\n\n", b": c\n"])
def test_a_comment_that_does_not_leave_is_no_beginning_of_an_attempt_that_breaks(comment: bytes) -> None:
    usage = b'data: {"usageMetadata":{"promptTokenCount":1}}\n\n'
    answer = b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}\n\n'

    def connect(attempt: Attempt) -> Iterator[bytes]:
        yield comment + usage
        if attempt.number == 1:
            raise ConnectionError
        yield answer

    stream = repair(retrying(connect, retry=Retry(base=0)), dialect="gemini", heartbeat=None)
    assert b"".join(stream) == usage + answer


def test_an_error_of_a_connection_that_broke_does_not_fail_the_answer_of_the_next_one() -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        if attempt.number == 1:
            yield b'id: 1\ndata: {"type":"error","message":"m"}\n\n'
            raise ConnectionError
        yield b"id: 2\n" + CHUNK + FINISH + DONE

    stream = repair(retrying(connect, resume=True, retry=Retry(base=0)), heartbeat=None)
    assert b"".join(stream).endswith(CHUNK + FINISH + DONE)
    assert stream.report.verdict is Verdict.COMPLETE


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-completions"])
def test_where_the_dialect_has_a_sentinel_it_is_one_under_any_name(dialect: str) -> None:
    data = b"event: error\ndata: [DONE]\n\n"
    for options in ({}, {"to": "ndjson"}, {"convert": "openai-chat"}, {"convert": "openai-chat", "to": "ndjson"}):
        assert both(data, dialect=dialect, **options)[1].verdict is Verdict.COMPLETE
        laws.check_chained(data, dialect=dialect, **options)


@pytest.mark.parametrize("front", [b"", b'{"detail":"m"}\n', b'{"a":1}\n', b'{"message":"m"}\n'])
@pytest.mark.parametrize("to", ["sse", "ndjson"])
def test_an_answer_that_says_nothing_is_one_when_it_is_converted(front: bytes, to: str) -> None:
    metadata = b'{"nodeId":"a","nodeName":"Agent","itemIndex":0,"runIndex":0,"timestamp":1763683200000}'
    data = front + b"".join(b'{"type":"%b","metadata":%b}\n' % (kind, metadata) for kind in (b"begin", b"end"))
    wire, report = both(data, convert="openai-chat", to=to)
    assert report.verdict is Verdict.COMPLETE
    assert b'"finish_reason": "stop"' in wire
    laws.check_chained(data, convert="openai-chat", to=to)
    assert laws.repaired([wire]).report.verdict is Verdict.COMPLETE


@pytest.mark.parametrize("dialect", CONVERTED)
def test_a_conversion_ends_behind_an_error_of_the_dialect_that_it_writes(dialect: str) -> None:
    error = b'data: {"a":1}\n\ndata: {"error":{"message":"m","code":1}}\n\n'
    wire, report = both(error + ANSWERS[dialect].data, convert="openai-chat")
    assert (wire[: len(error)], report.verdict, report.text) == (error, Verdict.FAILED, "")
    assert b'"content"' not in wire[len(error) :]
    laws.check_chained(error + ANSWERS[dialect].data, convert="openai-chat")


def test_a_text_that_was_wrapped_before_what_looks_like_a_field_is_joined_in_lines() -> None:
    first = b'{"model":"m","message":{"content":"c"},"done":false}\n'
    wire, report = both(first + b'{"model":"m","message":{"content":"a\ndata:"},"don\ne_reason":"","done":true}\n')
    assert wire == first + b'{"model":"m","message":{"content":"adata:"},"done_reason":"","done":true}\n'
    assert report.repairs[RepairKind.RAW_NEWLINE] == 1
    laws.check_no_invention(first + b'{"model":"m","message":{"content":"a\ndata:"},"don\ne_reason":"","done":true}\n')


DROPPED_LINES = [
    b"", b"null\n", b'"a\n', b"1 [2]\n", b"{]\n", b"[1\n", b"data: [1]\n", b'"\xff\n', b'"' + 1100 * b"a" + b'"\n',
    b"-\n", b"0 \xef\xbb\xbf\n", b"true false\n", b'{"a":\n', b'1 "data: {}"\n',
]  # fmt: skip
LATER_LINES = [b"[1]\n", b"[]\n", b'[{"a":1}][2]\n', b"Hi\n", b"data: [1]\n", b'"b"\n', b"null\n", b"[DONE]\n", b"{}\n"]


@pytest.mark.parametrize("dropped", DROPPED_LINES)
@pytest.mark.parametrize("policy", ["drop", "keep", "error"])
def test_the_first_line_that_leaves_shows_the_next_reader_that_there_are_lines(dropped: bytes, policy: str) -> None:
    declared = {"content_type": "application/x-ndjson", "invalid_json": policy, "max_event_bytes": 1024}
    for options in ({}, {"dialect": "openai-chat"}, {"repairs": DEFAULT_REPAIRS - {RepairKind.INVALID_JSON}}):
        for line in LATER_LINES:
            for data in (dropped + line + b"[2]\n{}\n", dropped + line + b'"c"\n', dropped + line):
                laws.check_chained(data, **declared, **options)


@pytest.mark.parametrize("dialect", ["text", "replicate"])
@pytest.mark.parametrize("format", [Format.NDJSON, Format.JSON_ARRAY])
def test_an_error_of_ours_among_lines_keeps_its_meaning_as_sse_where_payloads_are_prose(
    dialect: str, format: Format
) -> None:
    for source in (None, *DIALECTS):
        data = told_in_form_of(source, format)
        for errors in ("keep", "mask"):
            options = {"format": format.value, "dialect": dialect, "to": "sse", "errors": errors}
            laws.check_chained(data, **options)
            once = laws.repaired([data], **options)
            twice = laws.repaired([once.wire], dialect=dialect, errors=errors)
            assert once.wire.startswith(b"event: error\ndata: ")
            assert (once.report.verdict, twice.report.verdict) == (Verdict.FAILED, Verdict.FAILED)
            assert twice.report.error is not None
            assert twice.report.error.code == "truncated"


FLAT_OURS = [b"event: error\ndata: " + json.dumps(body).encode() + b"\n\n" for body in (
    {"code": "truncated", "message": SENTENCES["truncated"], "type": "unbroken_error"},
    {"detail": SENTENCES["truncated"], "code": "truncated", "type": "unbroken_error"},
)]  # fmt: skip
"""Errors of ours as clients of OpenAI pass over them."""


@pytest.mark.parametrize("source", [None, *DIALECTS])
@pytest.mark.parametrize("options", [{}, {"errors": "mask"}, {"to": "ndjson"}])
def test_behind_an_error_of_ours_in_any_form_and_prose_no_sentinel_is_forwarded(
    source: str | None, options: dict[str, Any]
) -> None:
    told = told_in_form_of(source, Format.SSE)
    for prose in (b"data: hello\n\n", b"data: data: [DONE]\n\n", b"data: Hi\n\nevent: a\ndata: ;\n\n"):
        for before in (b"", b"event: error\ndata: w8x\n\ndata: [DONE]\n\n"):
            data = before + told + prose + b"data: [DONE]\n\n"
            laws.check_chained(data, **options)
            laws.check_no_false_end(data, **options)
            assert laws.repaired([data], **options).report.verdict is Verdict.FAILED


@pytest.mark.parametrize("told", FLAT_OURS)
@pytest.mark.parametrize(
    "behind",
    [
        b'data: {"model":"m","message":{"content":"Hi"},"done":true}\n\n',
        b'data: {"error": "The stream ended before it was complete.", "type": "unbroken_error"}\n\n',
        b'data: {"type": "error", "errorText": "x"}\n\n',
        b'data: {"type": "error", "errorText": "x"}\n\n' + CHUNK + DONE,
        b": c\n\n" + b'event: message_start\ndata: {"type":"message_start","message":{"id":"m"}}\n\n',
    ],
)
def test_an_error_that_clients_of_a_conversion_pass_over_is_told_once_more(told: bytes, behind: bytes) -> None:
    for form in ("openai-chat", Conversion(errors="openai")):
        laws.check_chained(told + behind, convert=form)
        wire = laws.repaired([told + behind], convert=form).wire
        assert wire.removeprefix(told).removeprefix(b": c\n\n").startswith(b'data: {"error": {"message": "The stream')
        assert wire.count(b"\n\n") == 2 + wire.count(b": c\n\n")


def test_behind_two_errors_a_conversion_says_nothing_more() -> None:
    plain = told_in_form_of(None, Format.SSE)
    data = plain + b'data: {"type": "error", "errorText": "x"}\n\n' + CHUNK + CHUNK
    laws.check_chained(data, convert="openai-chat")
    assert laws.repaired([data], convert="openai-chat").wire == plain


@pytest.mark.parametrize("form", [Conversion(), Conversion(errors="openai"), Conversion(id="x", model="y")])
@pytest.mark.parametrize(
    "data",
    [
        CHUNK + b'data: {"error":{"message":"x","code":500}}\n\n' + CHUNK,
        FLAT_OURS[0] + CHUNK,
        FLAT_OURS[1] + CHUNK + FINISH + DONE,
        b'event: error\ndata: {"message":"x"}\n\n' + CHUNK,
        CHUNK + FINISH + DONE,
    ],
)
def test_a_stream_in_the_dialect_of_the_conversion_is_the_same_however_it_is_asked_for(
    form: Conversion, data: bytes
) -> None:
    plain, object = (laws.repaired([data], convert=convert) for convert in ("openai-chat", form))
    assert (object.report.text, object.report.verdict) == (plain.report.text, plain.report.verdict)
    assert object.report.repairs == plain.report.repairs
    if form.errors == "unbroken":
        assert object.wire == plain.wire
    laws.check_chained(data, convert=form)


@pytest.mark.parametrize("source", [name for name in DIALECTS if name != "text"])
@pytest.mark.parametrize("before", [b"", b"data: hello\n\n", b'data: {"a":1}\n\n', CHUNK])
@pytest.mark.parametrize("behind", [b"", CHUNK, CHUNK + FINISH + DONE])
def test_clients_of_a_conversion_see_that_the_stream_failed_in_whatever_form_ours_came(
    source: str, before: bytes, behind: bytes
) -> None:
    told = told_in_form_of(source, Format.SSE)
    if before in (b"data: hello\n\n", b'data: {"a":1}\n\n') and not behind:
        return  # no dialect is known: the bytes stay
    for options in ({}, {"errors": "mask"}, {"dialect": "openai-chat"}):
        data = before + told + behind
        laws.check_chained(data, convert="openai-chat", **options)
        result = laws.repaired([data], convert="openai-chat", **options)
        assert result.report.verdict is Verdict.FAILED
        payloads = [prove(payload) for _, payload, _ in read_sse(result.wire).events]
        assert any(isinstance(payload, dict) and payload.get("error") for payload in payloads)


@pytest.mark.parametrize("told", FLAT_OURS)
@pytest.mark.parametrize("masked", [b"event: error\ndata: null\n\n", b'event: error\ndata: {"message":"x"}\n\n'])
def test_an_error_that_is_masked_behind_one_of_ours_does_not_hide_it(told: bytes, masked: bytes) -> None:
    options = {"convert": "openai-chat", "errors": "mask"}
    laws.check_chained(told + masked, **options)
    error = {"message": SENTENCES["truncated"], "type": "unbroken_error", "code": "truncated"}
    frame = b"event: error\ndata: " + json.dumps({"error": error}).encode() + b"\n\n"
    assert laws.repaired([told + masked], **options).wire == told + frame


@pytest.mark.parametrize("dialect", ["text", "replicate"])
def test_where_prose_is_named_no_sentinel_is_forwarded_behind_an_error_of_ours_either(dialect: str) -> None:
    for source in (None, *DIALECTS):
        told = b"event: error\ndata: " + told_in_form_of(source, Format.JSON_ARRAY)[1:-1] + b"\n\n"
        data = b"data: hello\n\n" + told + b"data: hello\n\n" + DONE
        laws.check_no_false_end(data, dialect=dialect)
        laws.check_chained(data, dialect=dialect)
        laws.check_chained(data, dialect=dialect, errors="mask")
        result = laws.repaired([data], dialect=dialect)
        assert (result.report.verdict, result.wire) == (Verdict.FAILED, data.removesuffix(DONE))
        assert result.report.error is not None
        assert result.report.error.code == "truncated"


def test_what_an_error_of_ours_says_beside_itself_is_told_where_errors_are_masked_too() -> None:
    told = dialect_named("n8n")().error_frame(Failure("truncated"))[1]
    data = b"data: " + json.dumps(told).encode() + b"\n\n"
    for options in ({}, {"convert": "openai-chat"}):
        plain, masked = (
            laws.repaired([data], dialect="llamacpp-completion", errors=errors, **options)
            for errors in ("keep", "mask")
        )
        assert (masked.wire, masked.report.text) == (plain.wire, plain.report.text)
        laws.check_chained(data, dialect="llamacpp-completion", errors="mask", **options)


def test_an_error_of_ours_that_holds_other_words_is_masked_and_told() -> None:
    told = {"error": {"message": "a secret", "type": "unbroken_error", "code": "truncated"}}
    data = b"event: error\ndata: " + json.dumps(told).encode() + b"\n\n"
    for dialect in ("text", "replicate", "openai-chat", "cohere"):
        wire = laws.repaired([data], dialect=dialect, errors="mask").wire
        assert b"secret" not in wire
        assert SENTENCES["truncated"].encode() in wire


def test_what_a_conversion_leaves_out_behind_an_error_is_not_in_the_report_either() -> None:
    part = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}}]}
    data = b"event: error\ndata: " + json.dumps({"response": part, "traceId": "t"}).encode() + b"\n\n"
    result = laws.repaired([FLAT_OURS[0] + data], convert="openai-chat")
    assert (result.report.text, b"Hi" in result.wire) == ("", False)
    assert laws.repaired([data], convert="openai-chat").report.verdict is Verdict.FAILED
