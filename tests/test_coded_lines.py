"""Lines of a code and a JSON text, as AI SDK 4 writes them: recognised, read, repaired, cut, failed, and spelt anew."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.captures import body, chosen, needs_captures
from unbroken import EventReader, Format, RepairKind, StreamRepairer, StreamReport, Verdict
from unbroken.core.registry import recognise
from unbroken.core.sniffer import MAX_CODED, sniff
from unbroken.testing.conversations import DIALECTS, Answer, ToolCall, spell
from unbroken.testing.cuts import cut, every

from . import laws

NAME = "ai-sdk-data-v4"
CALL = {"toolCallId": "c0", "toolName": "look"}
USAGE = {"finishReason": "stop", "usage": {"promptTokens": 12, "completionTokens": 9}}


def coded(*lines: tuple[str, Any]) -> bytes:
    return "".join(f"{code}:{json.dumps(value, separators=(',', ':'))}\n" for code, value in lines).encode()


BEGIN = coded(("f", {"messageId": "m1"}), ("g", "let "), ("g", "me"), ("0", "Hel"), ("0", 'lo\n"d:"'))
CALLED = coded(
    ("b", CALL),
    ("c", {"toolCallId": "c0", "argsTextDelta": '{"n":'}),
    ("c", {"toolCallId": "c0", "argsTextDelta": "12345678901234567890}"}),
    ("9", {**CALL, "args": {"n": 12345678901234567890}}),
    ("a", {"toolCallId": "c0", "result": {"error": "none"}}),
    ("2", [{"error": "a record"}]),
    ("8", [1]),
)
END = coded(("e", {**USAGE, "isContinued": False}), ("d", USAGE))
WHOLE = BEGIN + CALLED + END
OURS = b'3:"The stream ended before it was complete."\n'


def repaired(chunks: list[bytes], **options: Any) -> tuple[bytes, StreamReport]:
    repairer = StreamRepairer(heartbeat=None, **options)
    out = [frame for chunk in chunks for frame in repairer.feed(chunk, 0.0)]
    return b"".join(out + repairer.close(0.0)), repairer.report


def cuts_of(data: bytes) -> Iterator[list[bytes]]:
    """Yield the stream whole, byte by byte, and cut at random."""
    yield [data]
    yield every(data, 1)
    for seed in range(3):
        yield cut(data, random.Random(seed).sample(range(1, len(data)), min(7, len(data) - 1)))


def test_a_whole_answer_passes_as_it_is_and_is_read() -> None:
    for chunks in cuts_of(WHOLE):
        wire, report = repaired(chunks)
        assert wire == WHOLE
        assert (report.format, report.dialect, report.verdict) == (Format.CODED_LINES, NAME, Verdict.COMPLETE)
        assert (report.text, report.reasoning, report.finish_reason) == ('Hello\n"d:"', "let me", "stop")
        assert report.usage == {"input_tokens": 12, "output_tokens": 9}
        assert [(call["id"], call["name"], call["arguments"]) for call in report.tool_calls] == [
            ("c0", "look", '{"n":12345678901234567890}')
        ]
        assert not report.repairs
        assert not report.respellings


def test_events_have_the_code_for_a_name() -> None:
    reader = EventReader()
    events = reader.feed(BEGIN) + reader.close()
    assert [(event.event, event.data) for event in events][:2] == [("f", '{"messageId":"m1"}'), ("g", '"let "')]  # type: ignore[union-attr]


# Input, output (if it is not the input, and more), verdict, and the code of the error
ENDS: list[tuple[str, bytes, bytes, Verdict, str | None]] = [
    ("cut behind a line", BEGIN, BEGIN + OURS, Verdict.TRUNCATED, "truncated"),
    ("cut behind a step", WHOLE[: WHOLE.index(b"\nd:") + 1], b"", Verdict.TRUNCATED, "truncated"),
    ("cut within a line", WHOLE[:-20], b"", Verdict.TRUNCATED, "truncated"),
    ("our error again", BEGIN + OURS, BEGIN + OURS, Verdict.FAILED, "truncated"),
    ("its own error", BEGIN + coded(("3", "quota, try again")), b"", Verdict.FAILED, "upstream-error"),
    ("an error, then a finish", BEGIN + coded(("3", "x"), ("d", USAGE)), b"", Verdict.FAILED, "upstream-error"),
    ("a finish that failed", BEGIN + coded(("d", {"finishReason": "error"})), b"", Verdict.FAILED, "upstream-error"),
    ("the last line end is missing", WHOLE[:-1], WHOLE, Verdict.COMPLETE, None),
    ("a line that is none", BEGIN + b"<br>\n" + END, BEGIN + END, Verdict.DAMAGED, None),
    ("a line that begins like JSON", BEGIN + b'{"a"\n' + END, BEGIN + END, Verdict.DAMAGED, None),
    ("a line that is cut", BEGIN + b'0:"x\n' + END, BEGIN + END, Verdict.DAMAGED, None),
    ("CRLF", WHOLE.replace(b"\n", b"\r\n"), WHOLE, Verdict.COMPLETE, None),
    ("blank lines", b"\n" + WHOLE.replace(b"\n", b"\n\n"), WHOLE, Verdict.COMPLETE, None),
    ("one text, and the end of a step", b'0:"Yes"\n' + END, b"", Verdict.COMPLETE, None),
    ("a call and its result", CALLED[CALLED.index(b"9:") :] + END, b"", Verdict.COMPLETE, None),
    ("a step that says nothing", END, b"", Verdict.COMPLETE, None),
    (
        "sources, and reasoning that is signed",
        coded(
            ("h", {"sourceType": "url", "id": "s", "url": "https://example.com"}),
            ("i", {"data": "x"}),
            ("j", {"signature": "x"}),
            ("k", {"data": "x", "mimeType": "image/png"}),
            ("0", "Hi"),
        )
        + END,
        b"",
        Verdict.COMPLETE,
        None,
    ),
    ("an error of ours alone", OURS, OURS, Verdict.FAILED, "truncated"),
    ("blanks behind the code", BEGIN + b'0: "x"\n' + END, BEGIN + b'0:"x"\n' + END, Verdict.COMPLETE, None),
    ("no message that begins", WHOLE[WHOLE.index(b"0:") :], b"", Verdict.COMPLETE, None),
]


@pytest.mark.parametrize(("data", "out", "verdict", "code"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_an_answer_ends_as_its_last_line_says(data: bytes, out: bytes, verdict: Verdict, code: str | None) -> None:
    for chunks in cuts_of(data):
        wire, report = repaired(chunks)
        assert (report.verdict, report.error and report.error.code) == (verdict, code)
        assert not out or wire == out
        again, report = repaired([wire])
        assert (again, report.repairs) == (wire, {})


def test_the_words_of_an_error_are_told() -> None:
    for chunks in cuts_of(BEGIN + coded(("3", "quota, try again in 2s"))):
        report = repaired(chunks)[1]
        assert report.error is not None
        assert report.error.failure.detail == "quota, try again in 2s"
    wire, report = repaired([BEGIN + coded(("3", "quota of acme"))], errors="mask")
    assert wire == BEGIN + b'3:"The upstream service reported an error."\n'


NONE: list[tuple[str, bytes]] = [
    ("one line of prose", b'0:"x"\n'),
    ("one line, then prose", b'0:"x"\nand so on\n'),
    ("a list", b'0:"x"\n1:"y"\n2:"z"\n'),
    ("a list with a blank", b'0: "x"\nb: y\n'),
    ("an error alone", b'3:"An error occurred."\n'),
    ("another value", b'f:{"message":"m1"}\n'),
    ("two of another value", b'0:{"a":1}\n0:{"a":2}\n'),
    ("a number", b"0:1\n0:2\n"),
    ("a time", b"0:00 begins\n0:01 ends\n"),
    ("a line that never ends", b'0:"' + b"x" * MAX_CODED + b'"\n0:"y"\n'),
    ("a block of SSE", b"data: 1\n\nid: 2\n\nevent: f\ndata: {}\n\n"),
    ("a field of SSE with such a value", b'data:{"messageId":"m"}\n\n'),
    ("a log", b'9:[1]\nb:{"level":"info"}\n'),
    ("a finish alone", b'd:{"finishReason":"stop"}\nd:{"finishReason":"stop"}\n'),
    ("an error of others alone", b'3:"The stream ended before it was complete. Really."\n'),
    ("a result that names no call", b'a:{"result":1}\ne:{"isContinued":true}\n'),
    ("a field of SSE", b'f: {"messageId":"m"}\ndata: {"a":1}\n\ndata: {"a":2}\n\n'),
    ("a field of SSE without its blank", b'f:{"messageId":"m"}\ndata: {"a":1}\n\n'),
    ("a field of SSE behind a tab", b'f:\t{"messageId":"m"}\nevent: x\ndata: {"a":1}\n\n'),
    ("a field of SSE before an id", b'f:{"messageId":"m"}\r\nid\r\ndata: {"a":1}\r\n\r\n'),
    ("a field of SSE before a comment", b'f:{"messageId":"m"}\n\n: ping\n\ndata: {"a":1}\n\n'),
    ("two fields of SSE", b'a: {"toolCallId":"c"}\ne: {"finishReason":"x"}\ndata: {"a":1}\n\n'),
    ("two fields of SSE without blanks", b'0:"x"\n0:"y"\ndata: {"a":1}\n\ndata: {"a":2}\n\n'),
]


@pytest.mark.parametrize("data", [row[1] for row in NONE], ids=[row[0] for row in NONE])
def test_other_bodies_are_not_taken_for_it(data: bytes) -> None:
    for chunks in cuts_of(data) if len(data) < 1000 else ([data],):
        report = repaired(chunks)[1]
        assert (report.format is Format.CODED_LINES, report.dialect) == (False, None)


SHOWN = [
    b'f:{"messageId":"m1"}\n',
    b'0:"Hel"\n0:"lo"\n',
    b'g:"Hel"\r\n\r\n0:"lo"\r\n',
    b'2:[{"a":1}]\n0:"lo"\n',
    b'3:"no"\nd:{"finishReason":"error"}\n',
    b'b:{"toolCallId":"c","toolName":"t"}\nc:{"toolCallId":"c","argsTextDelta":""}\n',
]


@pytest.mark.parametrize("beginning", SHOWN, ids=[f"{one[:1].decode()}-{at}" for at, one in enumerate(SHOWN)])
def test_the_next_line_shows_with_its_first_byte_that_it_is_no_field(beginning: bytes) -> None:
    assert sniff(beginning, None) is None
    found = sniff(beginning + b"0", None)
    assert found is not None
    assert found.format is Format.CODED_LINES
    assert sniff(beginning, None, at_end=True) == found
    assert sniff(b"\n" + beginning + b"\r\n2:", "text/plain; charset=utf-8") == found._replace(skip=1)
    assert sniff(beginning + b"d", None) is None
    assert sniff(beginning + b"d:", None) == found


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("SSE by its type", {"content_type": "Text/Event-Stream; charset=utf-8"}),
    ("JSON by its type", {"content_type": "application/json"}),
    ("lines by their type", {"content_type": "application/jsonl"}),
    ("another dialect", {"dialect": "openai-chat"}),
]


@pytest.mark.parametrize("options", [row[1] for row in OTHERS], ids=[row[0] for row in OTHERS])
@pytest.mark.parametrize("data", [WHOLE, b'0:"Hi"\n0:"x"\n'], ids=["whole", "two lines"])
def test_where_something_else_is_named_it_is_not_taken_for_it(data: bytes, options: dict[str, Any]) -> None:
    for chunks in cuts_of(data):
        wire, report = repaired(chunks, **options)
        assert report.format is not Format.CODED_LINES
        for second in ({}, options):
            again, report = repaired([wire], **second)
            assert (again, report.repairs) == (wire, {})


def test_events_of_sse_behind_a_field_of_one_letter_are_kept() -> None:
    data = b'f: {"messageId":"m"}\ndata: {"a":1}\n\ndata: {"a":2}\n\n'
    for options in ({}, {"content_type": "text/event-stream"}):
        for chunks in cuts_of(data):
            wire, report = repaired(chunks, **options)
            assert (wire, report.repairs, report.events) == (data, {}, 2)
    for chunks in cuts_of(data.replace(b"f: ", b"f:")):
        assert repaired(chunks)[0] == data


def test_data_of_an_application_before_its_answer_may_be_long() -> None:
    data = coded(("2", [{"sources": "x" * 20_000}])) + WHOLE
    for chunks in ([data], every(data, 1), every(data, 1000)):
        wire, report = repaired(chunks)
        assert (wire, report.format, report.verdict) == (data, Format.CODED_LINES, Verdict.COMPLETE)


def test_a_masked_error_that_is_all_that_is_left_is_known_again() -> None:
    for chunks in cuts_of(b'3:"secret"\nd:{"finishReason":"error"}\n'):
        wire = repaired(chunks, errors="mask")[0]
        assert wire == b'3:"The upstream service reported an error."\n'
        for options in ({}, {"errors": "mask"}):
            again, report = repaired([wire], **options)
            assert (again, report.repairs, report.verdict) == (wire, {}, Verdict.FAILED)


def test_a_heartbeat_before_the_framing_is_known_fits_both() -> None:
    begin = BEGIN[: BEGIN.index(b"\n") + 1]
    for data, format in ((WHOLE, Format.CODED_LINES), (begin + b"data: 1\n\n", Format.SSE)):
        repairer = StreamRepairer(heartbeat=1.0)
        assert repairer.feed(data[: len(begin)], 0.0) == []
        assert repairer.on_deadline(2.0) == [b"\n"]
        out = b"".join(repairer.feed(data[len(begin) :], 2.0) + repairer.close(2.0))
        assert repairer.report.format is format
        assert out == (data if format is Format.CODED_LINES else data.replace(b":{", b": {"))


def test_no_answer_of_another_dialect_is_taken_for_it() -> None:
    answer = Answer(("Hel", WHOLE.decode()), ("let ", "me"), (ToolCall("call_1", "f", '{"a": 1}'),), 12, 9)
    for name in DIALECTS:
        assert repaired([spell(name, answer).data])[1].format is not Format.CODED_LINES


def test_no_line_of_it_is_recognised_by_another_dialect_in_another_framing() -> None:
    reader = EventReader()
    for event in reader.feed(WHOLE) + reader.close():
        assert recognise(event.event, json.loads(event.data)) is None  # type: ignore[union-attr]
        assert recognise("message", json.loads(event.data)) is None  # type: ignore[union-attr]


@needs_captures
@pytest.mark.slow
def test_no_recorded_stream_is_taken_for_it() -> None:
    for file in chosen(lambda entry: True):
        found = sniff(body(file), None, at_end=True)
        assert found is None or found.format is not Format.CODED_LINES, file


@given(st.binary(max_size=60).map(lambda data: data.replace(b"\0", b"0:")), st.data())
def test_cuts_change_nothing_whatever_comes(data: bytes, draw: st.DataObject) -> None:
    data = draw.draw(st.sampled_from([BEGIN, b'0:"a"\n', b"f:"])) + data
    at = draw.draw(st.integers(0, len(data)))
    whole, parted = repaired([data]), repaired([data[:at], data[at:]])
    assert whole[0] == parted[0]
    assert {**whole[1].as_dict(), "chunks_in": 0} == {**parted[1].as_dict(), "chunks_in": 0}
    again, report = repaired([whole[0]])
    assert again == whole[0]
    assert not report.repairs


LINES = st.sampled_from(
    [
        *(b'0:"Hi"', b"0:1", b'3:"no"', b"x", b"", b" ", b"0:", b'{"a":1}', b'data: {"a":1}', b"[DONE]", b"error: x"),
        *(b'f:{"messageId":"m"}', b'0:"\xff"', '0:"\u2028"'.encode(), b' 0:"Hi" ', b'0: "Hi"', b'a:{"b":2}'),
        b'd:{"finishReason":"stop"}',
    ]
)


@given(st.lists(LINES, max_size=6), st.booleans(), st.sampled_from([b"\n", b"\r\n"]), st.integers(1, 5))
def test_any_lines_are_mended_once_however_they_are_cut(lines: list[bytes], ended: bool, end: bytes, size: int) -> None:
    data = b'f:{"messageId":"m"}' + end + end.join(lines) + (end if ended else b"")
    wire, report = repaired(every(data, size))
    assert (wire, report.verdict) == (lambda told: (told[0], told[1].verdict))(repaired([data]))
    again, second = repaired([wire])
    assert again == wire
    assert not second.repairs
    if report.verdict is Verdict.COMPLETE:
        assert second.verdict is Verdict.COMPLETE


FIELDS = st.sampled_from(
    [b"data: 1", b'data: {"a":1}', b"event: x", b"id", b": c", b"id: 1", b"retry: 1", b"d", b"data"]
)
NAMED: list[dict[str, Any]] = [{}, {}, {"content_type": "text/event-stream"}, {"dialect": "openai-chat"}]


@given(
    st.lists(LINES | FIELDS, max_size=5), st.sampled_from(NAMED), st.sampled_from([b"\n", b"\r\n"]), st.integers(1, 5)
)
def test_lines_and_fields_are_told_apart_by_the_bytes_alone(
    lines: list[bytes], options: dict[str, Any], end: bytes, size: int
) -> None:
    data = end.join([*lines, b""])
    laws.check_chunking(every(data, size), **options)
    laws.check_idempotent(data, **options)


# What is written


def test_a_named_dialect_needs_no_recognition_and_has_its_own_errors_and_heartbeats() -> None:
    wire, report = repaired([b'0:"Hel"\n'], dialect=NAME)
    assert (wire, report.verdict, report.text) == (b'0:"Hel"\n' + OURS, Verdict.TRUNCATED, "Hel")
    assert repaired([b'0:"Hel'], dialect=NAME)[0] == OURS
    assert repaired([], dialect=NAME)[0].startswith(b'3:"')
    repairer = StreamRepairer(heartbeat=1.0, dialect=NAME)
    repairer.next_deadline()
    assert repairer.feed(b"", 0.0) == []
    assert repairer.on_deadline(2.0) == [b"\n"]
    assert repairer.feed(BEGIN, 3.0)
    assert repairer.on_deadline(5.0) == [b"\n"]
    repairer.feed(END, 6.0)
    repairer.close(6.0)
    assert repairer.report.verdict is Verdict.COMPLETE


def test_it_is_converted_and_spelt_in_other_framings() -> None:
    for chunks in cuts_of(WHOLE):
        wire, report = repaired(chunks, convert="openai-chat")
        assert report.verdict is Verdict.COMPLETE
        reader = EventReader()
        reader.feed(wire)
        reader.close()
        converted = reader.report
        assert (converted.dialect, converted.verdict, converted.text) == ("openai-chat", Verdict.COMPLETE, report.text)
        assert (converted.reasoning, converted.usage.get("output_tokens")) == ("let me", 9)
        assert converted.tool_calls[0]["arguments"] == report.tool_calls[0]["arguments"]
    assert b"[DONE]" not in repaired([BEGIN], convert="openai-chat")[0]
    assert repaired([BEGIN], to="sse")[0].startswith(
        b'event: f\ndata: {"messageId":"m1"}\n\nevent: g\ndata: "let "\n\n'
    )
    wire = repaired([BEGIN], to="ndjson")[0]
    assert [next(iter(json.loads(line))) for line in wire.splitlines()] == ["f", "g", "g", "0", "0", "3"]
    with pytest.raises(ValueError, match='to="coded-lines" is written of no other framing'):
        repaired([], to="coded-lines")


def test_separators_are_escaped_and_flawed_lines_can_be_kept_or_refused() -> None:
    assert repaired([BEGIN + '0:"a\u2028b"\n'.encode() + END])[0] == BEGIN + rb'0:"a\u2028b"' + b"\n" + END
    assert repaired([BEGIN + b"x\n" + END], invalid_json="keep")[0] == BEGIN + b"x\n" + END
    wire, report = repaired([BEGIN + b"x\n" + END], invalid_json="error")
    assert wire.startswith(BEGIN + b'3:"')
    assert report.verdict is Verdict.FAILED
    _, report = repaired([BEGIN + b"0:" + b'"' + b"x" * 5000 + b'"\n' + END], max_event_bytes=4096)
    assert (report.verdict, dict(report.repairs)) == (Verdict.DAMAGED, {RepairKind.OVERSIZED_EVENT: 1})
    assert repaired([BEGIN + b'x\n0:"a\xff"\n' + END], repairs=())[0].startswith(BEGIN)
