"""Blocks to frames: what of a block leaves, which fields wait, which blank line is owed, and Gemini's comments."""

from __future__ import annotations

from typing import Any

import pytest

from unbroken import Event
from unbroken.core.frames import Frame
from unbroken.core.gate import Gate
from unbroken.core.proof import FLAWED, UNPROVEN, prove
from unbroken.core.sse.block import ParsedBlock
from unbroken.core.sse.writer import Writer

from .sse_rooms import gate_for
from .tables import LIMIT, wires

CHAT = {"dialect": "openai-chat"}
GEMINI = {"dialect": "gemini"}
SAID = b'data: {"candidates":[]}\n'


def writer_for(**options: Any) -> tuple[Writer, Gate]:
    gate = gate_for(max_event_bytes=LIMIT, **options)
    return Writer(gate), gate


def write(writer: Writer, wire: bytes) -> None:
    """Write a block by its kind, as the reader does where no rule applies."""
    block = ParsedBlock(wire)
    if not block.data:
        writer.write_without_data(block, 0, len(wire))
        return
    payload = block.payload
    value = prove(payload)
    if value is FLAWED:
        writer.write_flawed(block, payload, 0, len(wire), wire=block.spell())
    else:
        writer.write_proven(block, payload, value, 0, len(wire))


# Fields that wait


@pytest.mark.parametrize(
    ("blocks", "out"),
    [
        # each block of lines, and what leaves with it
        ([b"id: 1\n", b"data: {}\n", b"data: {}\n"], [b"", b"id: 1\ndata: {}\n\n", b"data: {}\n\n"]),
        ([b"id: 1\n", b"retry: 2\n", b"data: {}\n"], [b"", b"", b"id: 1\nretry: 2\ndata: {}\n\n"]),
        ([b"id: 1\n", b"id: 2\n", b"data: {}\n"], [b"", b"", b"id: 2\ndata: {}\n\n"]),
        ([b"id: 1\nretry: 2\n", b"id: 3\ndata: {}\n"], [b"", b"retry: 2\nid: 3\ndata: {}\n\n"]),
        ([b"retry: 1\n", b"retry: 2\ndata: {}\n"], [b"", b"retry: 1\nretry: 2\ndata: {}\n\n"]),
        ([b"id: a\0\n", b"retry: x\n", b"event: e\n", b"data: {}\n"], [b"", b"", b"", b"data: {}\n\n"]),
        ([b"id: \n", b"data: {}\n"], [b"", b"id: \ndata: {}\n\n"]),
        ([b"id: 1\n: c\n", b"data: {}\n"], [b": c\n", b"id: 1\ndata: {}\n\n"]),
        ([b"id: 1\nx: y\n", b"data: {}\n"], [b"id: 1\nx: y\n\n", b"data: {}\n\n"]),
        ([b"id: 1\ndata: \n", b"data: {}\n"], [b"", b"id: 1\ndata: {}\n\n"]),
        ([b"id: 1\ndata: {\n", b"data: {}\n"], [b"", b"id: 1\ndata: {}\n\n"]),
        ([b"id: 1\ndata: {\n", b"data: [DONE]\n"], [b"", b"id: 1\ndata: [DONE]\n\n"]),
    ],
)
def test_fields_of_blocks_that_do_not_leave_stand_in_the_next_one_that_does(
    blocks: list[bytes], out: list[bytes]
) -> None:
    writer, gate = writer_for(**CHAT)
    for block, wire in zip(blocks, out, strict=True):
        write(writer, block)
        assert wires(gate.take_items()) == wire
        waits = bool(writer.pending_fields)
        assert writer.waits is waits
    assert not waits


def test_an_unknown_dialect_lets_no_field_wait() -> None:
    writer, gate = writer_for()
    write(writer, b"id: 1\nretry: 2\n")
    assert wires(gate.take_items()) == b"id: 1\nretry: 2\n\n"
    assert not writer.waits
    assert (gate.report.last_event_id, gate.report.retry) == ("1", 2)


def test_pending_fields_are_on_the_event_that_they_leave_with() -> None:
    writer, gate = writer_for(**CHAT)
    for block in (b"id: 1\nretry: 2\n", b"data: {}\n", b"data: {}\n"):
        write(writer, block)
    events = [item.event for item in gate.take_items() if isinstance(item, Frame)]
    assert events == [Event("{}", id="1", retry=2), Event("{}", id="1")]


def test_pending_fields_that_would_make_an_event_too_long_leave_alone() -> None:
    id = b"id: " + b"1" * 500 + b"\n"
    for length, joint in ((509, b""), (510, b"\n")):
        writer, gate = writer_for(**CHAT)
        data = b'data: "' + b"x" * length + b'"\n'
        write(writer, id)
        write(writer, data)
        assert wires(gate.take_items()) == id + joint + data + b"\n"
        assert (len(id + data) + 1 > LIMIT) is bool(joint)
        assert not writer.waits


def test_after_the_sentinel_no_field_waits_for_what_is_written_last() -> None:
    writer, gate = writer_for(**CHAT)
    write(writer, b"data: [DONE]\n")
    assert wires(gate.take_items()) == b"data: [DONE]\n\n"
    assert writer.pending_fields == b""


# Comments and blank lines


def step(writer: Writer, line: bytes) -> None:
    if not line:
        writer.write_blank_line()
    elif line.startswith(b":"):
        writer.write_comment(line)
    else:
        write(writer, line + b"\n")


@pytest.mark.parametrize(
    ("lines", "options", "out", "respellings"),
    [
        ([b": a", b"", b""], {}, b": a\n\n", {"blank-line": 1}),
        ([b"", b": a", b": b", b""], {}, b": a\n: b\n\n", {"blank-line": 1}),
        ([b": a", b"data: {}", b""], {}, b": a\ndata: {}\n\n", {"blank-line": 1}),
        ([b"id: 1\ndata: {}", b": a", b""], {}, b"id: 1\ndata: {}\n\n: a\n\n", {}),
        ([b"id: 1\ndata: {}", b": a", b""], CHAT, b"id: 1\ndata: {}\n\n: a\n", {"blank-line": 1}),
        ([b"id: \ndata: {}", b": a", b""], CHAT, b"id: \ndata: {}\n\n: a\n\n", {}),
        ([b"data: {}", b": a", b""], CHAT, b"data: {}\n\n: a\n\n", {}),
        ([b"id: 1\ndata: {}", b": a", b""], {**CHAT, "repairs": ()}, b"id: 1\ndata: {}\n\n: a\n\n", {}),
        ([b": a", b"", b": b"], {"comments": "drop"}, b"", {"blank-line": 1}),
        # Gemini's clients fail at comments: a line end stands for each, once something left and while no id came
        ([b": a", b"", b"x"], GEMINI, b"", {"comment": 1, "blank-line": 1}),
        ([SAID[:-1], b": a", b"", b"", b":"], GEMINI, SAID + b"\n\n\n\n\n", {"comment": 2}),
        ([SAID[:-1], b": a", b""], {**GEMINI, "comments": "drop"}, SAID + b"\n", {"blank-line": 1}),
        ([SAID[:-1], b": a", b""], {**GEMINI, "repairs": ()}, SAID + b"\n: a\n\n", {}),
        ([b"id: 1\n" + SAID[:-1], b": a", b""], GEMINI, b"id: 1\n" + SAID + b"\n", {"comment": 1, "blank-line": 1}),
        ([SAID[:-1], b"id: ", b": a", b""], GEMINI, SAID + b"\n\n\n", {"bare-block": 1, "comment": 1}),
        ([SAID[:-1], b"retry: 1", b""], GEMINI, SAID + b"\n\n", {"bare-block": 1}),
    ],
)
def test_which_comments_and_blank_lines_leave(
    lines: list[bytes], options: dict[str, Any], out: bytes, respellings: dict[str, int]
) -> None:
    writer, gate = writer_for(**options)
    for line in lines:
        if line != b"x":
            step(writer, line)
    assert wires(gate.take_items()) == out
    assert gate.report.respellings == respellings


def test_a_comment_owes_a_blank_line_until_something_leaves() -> None:
    writer, _ = writer_for()
    writer.write_comment(b": a")
    assert writer.owes_blank_line
    assert writer.waits
    write(writer, b"data: {}\n")
    assert not writer.waits
    writer.write_comment(b": a")
    writer.write_blank_line()
    assert not writer.waits


# Payloads


@pytest.mark.parametrize(
    ("wire", "options", "out", "repairs"),
    [
        (b"data: {}\n", CHAT, b"data: {}\n\n", {}),
        ('data: {"a":\ndata: "\u2028"}\n'.encode(), CHAT, b'data: {"a":\ndata: "\\u2028"}\n\n', {}),
        ("data: a\u2028\n".encode(), {}, "data: a\u2028\n\n".encode(), {}),
        (b"data: null\n", CHAT, b"", {"empty-data": 1}),
        (b"data: null\n", {}, b"data: null\n\n", {}),
        (b"data: \n", CHAT, b"", {"empty-data": 1}),
        (b"data:   \n", CHAT, b"", {"empty-data": 1}),
        (b"data: : ping\n", CHAT, b"", {"wrapped-comment": 1}),
        (b"data: done\n", CHAT, b"data: [DONE]\n\n", {"done-spelling": 1}),
        (b"data: done\n", {"dialect": "anthropic"}, b"", {"invalid-json": 1}),
        (b"data: {\n", {}, b"data: {\n\n", {}),
        (b"data: {\n", CHAT, b"", {"invalid-json": 1}),
        (b"data: {\n", {**CHAT, "invalid_json": "keep"}, b"data: {\n\n", {}),
        (b"data: {\n", {**CHAT, "invalid_json": "error"}, b"", {"invalid-json": 1}),
        (b"event: error\ndata: oh\n", CHAT, b"", {"invalid-json": 1}),
        (b"event: error\ndata: \n", CHAT, b"", {"empty-data": 1}),
        (b"event: ping\ndata: \n", {"dialect": "vocabulary"}, b"event: ping\ndata: \n\n", {}),
    ],
)
def test_what_no_rule_repairs_leaves_or_is_dropped(
    wire: bytes, options: dict[str, Any], out: bytes, repairs: dict[str, int]
) -> None:
    writer, gate = writer_for(**options)
    write(writer, wire)
    assert wires(gate.take_items()) == out
    assert {kind.value: count for kind, count in gate.report.repairs.items()} == repairs


@pytest.mark.parametrize(
    ("wire", "options", "count"),
    [
        (b"data: {\n", CHAT, 1),
        (b"data: {\n", {**CHAT, "invalid_json": "keep"}, 1),
        (b"data: {\n", {**CHAT, "invalid_json": "error"}, 1),
        (b"event: error\ndata: oh\n", CHAT, 1),
        (b"data: {\n", {}, 1),
        (b"data: hello\n", {}, 0),
        (b"data: \n", CHAT, 0),
        (b"data: : ping\n", CHAT, 0),
        (b"data: done\n", CHAT, 0),
        (b"data: [DONE]\n", CHAT, 0),
        (b"data: {}\n", CHAT, 0),
    ],
)
def test_a_payload_that_nobody_can_read_is_counted(wire: bytes, options: dict[str, Any], count: int) -> None:
    writer, gate = writer_for(**options)
    write(writer, wire)
    assert gate.report.invalid_json == count


def test_a_payload_that_nobody_can_read_may_end_the_stream() -> None:
    for options, wire, code in (
        ({**CHAT, "invalid_json": "error"}, b"data: {\n", "invalid-json"),
        (CHAT, b"event: error\ndata: oh\n", "upstream-error"),
        ({**CHAT, "invalid_json": "error"}, b"data: \n", None),
        (CHAT, b"data: oh\n", None),
    ):
        writer, gate = writer_for(**options)
        write(writer, wire)
        assert (gate.state.failure and gate.state.failure.code) == code


def test_a_payload_that_was_not_judged_is_written_as_it_is() -> None:
    writer, gate = writer_for(**CHAT)
    writer.write_proven(ParsedBlock(b"data: {\n"), "{", UNPROVEN, 0, 7)
    assert wires(gate.take_items()) == b"data: {\n\n"
    assert gate.report.unproven == 1


def test_a_repaired_document_stands_on_one_line_in_its_block() -> None:
    writer, gate = writer_for()
    block = ParsedBlock(b"event: e\nid: 1\ndata: x\ndata: y\nstray\n: c\n")
    writer.write_document('{"a":\n1,"b":"\u2028"}', 0, 9, block=block)
    writer.write_document("[1]", 0, 9, block=block, further=True)
    writer.write_document("[2]", 0, 9)
    assert wires(gate.take_items()) == (
        b'event: e\nid: 1\ndata: {"a":1,"b":"\\u2028"}\n: c\n\nevent: e\ndata: [1]\n\ndata: [2]\n\n'
    )


@pytest.mark.parametrize(
    "wire", [b"data: hello\n", b"data: {}\n", b"data: \n", b"x y\ndata: a\n: c\n", b"id: 1\n", b"x y\n"]
)
def test_where_nothing_is_repaired_blocks_leave_as_they_are(wire: bytes) -> None:
    writer, gate = writer_for(repairs=())
    writer.write_unchanged(ParsedBlock(wire), 0, len(wire))
    assert wires(gate.take_items()) == wire + b"\n"
    assert not writer.waits
