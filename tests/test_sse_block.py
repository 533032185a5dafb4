"""What the lines of a block say, by the standard, and how they are written back."""

from __future__ import annotations

from typing import Any

import pytest

from unbroken.core.sse.block import (
    FIELD_NAME,
    MAX_RETRY,
    ParsedBlock,
    parse_simple,
    respell,
    respell_lines,
    swallows_data,
    swallows_document,
)


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        (b"", {"lines": [], "data": [], "name": None, "id": None, "retry": None}),
        (b"data: a\n", {"data": [b"a"], "payload": "a", "unknown": False}),
        (b"data: a\ndata: b\n", {"data": [b"a", b"b"], "payload": "a\nb"}),
        (b"data: \n", {"data": [b""], "payload": ""}),
        (b"data:  a\n", {"payload": " a"}),
        (b"event: x\nevent: y\n", {"name": "y"}),
        (b"event: \n", {"name": ""}),
        ("id: é\n".encode(), {"id": "é"}),
        (b"id: \n", {"id": ""}),
        (b"id: 1\nid: a\0b\n", {"id": "1", "unknown": False}),
        (b"retry: 007\n", {"retry": 7, "unknown": False}),
        (b"retry: 7s\n", {"retry": None, "unknown": False}),
        (b"retry: -1\n", {"retry": None}),
        (b"retry: \n", {"retry": None}),
        ("retry: ٣\n".encode(), {"retry": None}),
        (b"retry: " + b"9" * 26 + b"\n", {"retry": 10**26 - 1}),
        (b"retry: " + b"0" * 9000 + b"5\n", {"retry": 5}),
        (b"retry: " + b"9" * 309 + b"\n", {"retry": MAX_RETRY}),
        (b"retry: " + b"1" * 9000 + b"\n", {"retry": MAX_RETRY}),
        (b": note\n:\n", {"non_fields": [], "lines": [b": note", b":"]}),
        (b"colour: red\n", {"unknown": True, "non_fields": [], "lines": [b"colour: red"]}),
        (b"not a field\n", {"non_fields": [b"not a field"], "body": [b"not a field"], "lines": []}),
        (b"bad name: x\n", {"non_fields": [b"bad name: x"]}),
        (b'{"a": 1}\n', {"non_fields": [b'{"a": 1}']}),
        (b"data\n", {"non_fields": [b"data"], "data": []}),  # the framer has spelt out the colon
        (b"data: a\nstray\ndata: b\n", {"body": [b"a", b"stray", b"b"], "payload": "a\nb"}),
    ],
)
def test_a_block_says_what_its_lines_say(wire: bytes, said: dict[str, Any]) -> None:
    block = ParsedBlock(wire)
    assert {name: getattr(block, name) for name in said} == said
    assert block.wire == wire


@pytest.mark.parametrize(
    ("wire", "spelt"),
    [
        (b"data: a\n", b"data: a\n\n"),
        (b": c\nid: 1\nx: y\ndata: a\n", b": c\nid: 1\nx: y\ndata: a\n\n"),
        (b"data: a\nstray\ndata: b\n", b"data: a\ndata: b\n\n"),
        (b"stray\n", b"\n"),
    ],
)
def test_a_block_is_written_without_its_non_field_lines(wire: bytes, spelt: bytes) -> None:
    assert ParsedBlock(wire).spell() == spelt


@pytest.mark.parametrize(
    ("wire", "first", "further"),
    [
        (b"", b"data: P\n\n", b"data: P\n\n"),
        (b"data: a\n", b"data: P\n\n", b"data: P\n\n"),
        (b"event: x\nid: 1\ndata: a\ndata: b\n: c\n", b"event: x\nid: 1\ndata: P\n: c\n\n", b"event: x\ndata: P\n\n"),
        (b"id: 1\nstray\n", b"id: 1\ndata: P\n\n", b"data: P\n\n"),
        (b"event: x\nevent: y\n", b"event: x\nevent: y\ndata: P\n\n", b"event: x\nevent: y\ndata: P\n\n"),
    ],
)
def test_a_repaired_payload_takes_the_place_of_the_data(wire: bytes, first: bytes, further: bytes) -> None:
    assert respell(ParsedBlock(wire), "P") == first
    assert respell(ParsedBlock(wire), "P", further=True) == further


@pytest.mark.parametrize(
    ("frame", "is_simple"),
    [
        (b"data: a\n\n", True),
        (b"data: \n\n", True),
        ("data: é\n\n".encode(), True),
        (b"event: x\nid: 1\ndata: a\n\n", True),
        (b"event: x\ndata: a\nid: 1\n\n", True),
        (b"id: 1\ndata: a\n\n", True),
        (b"event: \nid: \ndata: a\n\n", True),
        (b"id: 1\ndata: a\nid: 2\n\n", False),
        (b"id: 1\nevent: x\ndata: a\n\n", False),
        (b"id: 1\0\ndata: a\n\n", False),
        (b"data: a\ndata: b\n\n", False),
        (b"data:a\n\n", False),
        (b"data: a\r\n\n", False),
        (b"data: \xff\n\n", False),
        (b": c\ndata: a\n\n", False),
        (b"retry: 1\ndata: a\n\n", False),
        (b"event: x\n\n", False),
        (b"data: a\n", False),
        (b"data: a\n\ndata: b\n\n", False),
        (b"\n\n", False),
    ],
)
def test_a_simple_block_equals_the_one_that_is_parsed_line_by_line(frame: bytes, is_simple: bool) -> None:
    simple = parse_simple(frame)
    assert (simple is not None) is is_simple
    if simple is None:
        return
    parsed = ParsedBlock(frame[:-1])
    for attribute in (*sorted({*ParsedBlock.__slots__} - {"leading", "data_at"}), "payload"):
        assert getattr(simple, attribute) == getattr(parsed, attribute), attribute
    assert simple.spell() == parsed.spell() == frame
    assert respell(simple, "P") == respell(parsed, "P")


@pytest.mark.parametrize(
    ("line", "whether"),
    [
        (b'event: tokenTdata: {"a":1}', True),
        (b'event: tokendata:["a"]', True),
        (b"event: metadata: x", False),
        (b"event: [info] x", False),
        (b'event: {"a":1}', True),
        (b'retry: 30data: {"a":1}', True),
        (b'id: 1\0data: {"a":1}', True),
        (b"event: content_block_delta", False),
        (b"event: a b, c!", False),
        (b"retry: 3s", False),
        (b'id: {"a":1}', False),
        (b'foo: {"a":1}', False),
        (b': {"a":1}', False),
    ],
)
def test_what_looks_like_a_document_in_a_field_that_cannot_hold_one_was_swallowed(line: bytes, whether: bool) -> None:
    assert swallows_document(line) is whether


@pytest.mark.parametrize(
    ("line", "whether"),
    [
        (b"event: tokendata: hello", True),
        (b"retry: 5data: hello", True),
        (b'event: {"a":1}', True),
        (b"event: metadata: x", True),  # it cannot be told from the first; no client reads either
        (b"event: metadata", False),
        (b"id: metadata: x", False),
        (b": data: x", False),
        (b"data: data: x", False),
    ],
)
def test_what_looks_like_a_line_of_data_in_such_a_field_may_have_been_one(line: bytes, whether: bool) -> None:
    assert swallows_data(line) is whether


def test_a_payload_of_several_lines_is_written_line_by_line() -> None:
    assert respell_lines(ParsedBlock(b"data: a\nid: 1\ndata: b\n"), "c\nd") == b"data: c\nid: 1\ndata: d\n\n"


@pytest.mark.parametrize("name", [b"data", b"Data", b"_x", b"x-y.z_9"])
def test_what_looks_like_a_field_name_is_one(name: bytes) -> None:
    assert FIELD_NAME.fullmatch(name)


@pytest.mark.parametrize("name", [b"", b" data", b"data ", b"9x", b"-x", b"x y", b"<p", b'"a"', "é".encode(), b"x\n"])
def test_what_does_not_look_like_a_field_name_is_not_one(name: bytes) -> None:
    assert not FIELD_NAME.fullmatch(name)
