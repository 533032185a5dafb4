"""Lines to blocks, as WHATWG 9.2.6 has it: what is handed over, where it stood, and the limit."""

from __future__ import annotations

import pytest

from unbroken.core.sse.framer import Field, parse_field

from .sse_rooms import Handed, framer_after
from .tables import LIMIT

BLANK_LINE: Handed = ("blank_line",)
FIELD_BLANK: Handed = ("respelling", "field-blank")


def block(wire: bytes, start: int, end: int, *non_fields: tuple[int, int]) -> Handed:
    return ("block", wire, start, end, *non_fields)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"data: a", (b"data", b"a", b"data: a")),
        (b"data:a", (b"data", b"a", b"data: a")),
        (b"data:  a", (b"data", b" a", b"data:  a")),
        (b"data:\ta", (b"data", b"\ta", b"data: \ta")),
        (b"data", (b"data", b"", b"data: ")),
        (b"data:", (b"data", b"", b"data: ")),
        (b"data: ", (b"data", b"", b"data: ")),
        (b"data: a:b", (b"data", b"a:b", b"data: a:b")),
        (b"x.y-z_1:a", (b"x.y-z_1", b"a", b"x.y-z_1: a")),
        (b"Data: a", (b"Data", b"a", b"Data: a")),
        (b" data: a", None),
        (b"data : a", None),
        (b"my data: a", None),
        (b'{"a": 1}', None),
        (b"hello you", None),
        (b"9: a", None),
        ("é: a".encode(), None),
    ],
)
def test_a_line_is_a_field_by_its_name(line: bytes, field: Field | None) -> None:
    assert parse_field(line) == field


@pytest.mark.parametrize(
    ("lines", "handed"),
    [
        (b"", []),
        (b"data: a\n", []),
        (b"data: a\n\n", [block(b"data: a\n", 0, 7)]),
        (b"\n", [BLANK_LINE]),
        (b"data: a\n\n\ndata: b\n\n", [block(b"data: a\n", 0, 7), BLANK_LINE, block(b"data: b\n", 10, 17)]),
        (b"data\n\n", [FIELD_BLANK, block(b"data: \n", 0, 4)]),
        (b"data:a\nid:1\n\n", [FIELD_BLANK, FIELD_BLANK, block(b"data: a\nid: 1\n", 0, 11)]),
        (b"data: a\ndata: b\nx: y\n\n", [block(b"data: a\ndata: b\nx: y\n", 0, 20)]),
        (b"not a field\n\n", [block(b"not a field\n", 0, 11)]),
        (b": c\n\n", [("comment", b": c"), BLANK_LINE]),
        (b":\ndata: a\n\n", [("comment", b":"), block(b"data: a\n", 2, 9)]),
        (b"data: a\n: c\n\n", [("inner_comment",), block(b"data: a\n: c\n", 0, 11)]),
        (b"id: 1\n\n", [block(b"id: 1\n", 0, 5)]),
        # The examples of the standard (9.2.6)
        (
            b"data: YHOO\ndata: +2\ndata: 10\n\n",
            [block(b"data: YHOO\ndata: +2\ndata: 10\n", 0, 28)],
        ),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [
                ("comment", b": test stream"),
                BLANK_LINE,
                block(b"data: first event\nid: 1\n", 15, 38),
                FIELD_BLANK,
                FIELD_BLANK,
                block(b"data: second event\nid: \n", 40, 60),
                block(b"data:  third event\n", 62, 80),
            ],
        ),
        (
            b"data\n\ndata\ndata\n\ndata:\n",
            [FIELD_BLANK, block(b"data: \n", 0, 4), *[FIELD_BLANK] * 2, block(b"data: \ndata: \n", 6, 15), FIELD_BLANK],
        ),
        (
            b"data:test\n\ndata: test\n\n",
            [FIELD_BLANK, block(b"data: test\n", 0, 9), block(b"data: test\n", 11, 21)],
        ),
    ],
)
def test_blocks_are_those_of_the_standard(lines: bytes, handed: list[Handed]) -> None:
    assert framer_after(lines)[1] == handed


def test_where_comments_are_not_kept_their_block_loses_them() -> None:
    _, handed = framer_after(b": a\ndata: a\n: b\n\n", keeps_comments=False)
    assert handed == [("comment", b": a"), ("inner_comment",), block(b"data: a\n", 4, 11)]


@pytest.mark.parametrize(
    ("lines", "handed"),
    [
        (b"data: " + 1016 * b"x" + b"\n\n", [block(b"data: " + 1016 * b"x" + b"\n", 0, 1022)]),
        (b"data: " + 1017 * b"x" + b"\n\n", [("oversized", 0, 1023)]),
        (b"data:" + 1016 * b"x" + b"\n\n", [FIELD_BLANK, block(b"data: " + 1016 * b"x" + b"\n", 0, 1021)]),
        (b"data:" + 1017 * b"x" + b"\n\n", [FIELD_BLANK, ("oversized", 0, 1022)]),
        (b":" + 1021 * b"x" + b"\n", [("comment", b":" + 1021 * b"x")]),
        (b":" + 1022 * b"x" + b"\n\n", [("oversized", 0, 1023)]),
        (b"id: 1\n" + b"data: " + 1010 * b"x" + b"\n\n", [block(b"id: 1\ndata: " + 1010 * b"x" + b"\n", 0, 1022)]),
        (b"id: 1\n" + b"data: " + 1011 * b"x" + b"\n: c\nx\n\n\n", [("oversized", 0, 1029), BLANK_LINE]),
        (100 * b"data: xxxxxx\n" + b"\ndata: a\n\n", [("oversized", 0, 1299), block(b"data: a\n", 1301, 1308)]),
        (b"id: 1\nnot " + 1100 * b"x" + b"\n", []),
    ],
)
def test_a_block_longer_than_the_limit_is_skipped_to_its_blank_line(lines: bytes, handed: list[Handed]) -> None:
    framer, was_handed = framer_after(lines)
    assert was_handed == handed
    assert framer.oversized is (not handed)
    assert len(framer.open.wire) <= LIMIT


def test_an_open_line_can_be_skipped_before_its_end_is_seen() -> None:
    framer, handed = framer_after(b"\nid: 1\n")
    assert framer.has_no_room(b"x" * 1017)
    assert not framer.has_no_room(b"x" * 1016)
    framer.skip(7, 1024)
    framer.take(b"data: a", 1025, 1032)
    framer.end_oversized(1040)
    assert handed == [BLANK_LINE, ("oversized", 1, 1040)]
    assert not framer.oversized


def test_a_non_field_line_may_stay_where_it_stands() -> None:
    framer, handed = framer_after(b"data: a\n")
    framer.append_non_field(b"x y", 8, 11)
    framer.append_non_field(b"z", 12, 13)
    framer.take(b"", 14, 14)
    assert handed == [block(b"data: a\nx y\nz\n", 0, 13, (8, 13))]


@pytest.mark.parametrize(
    ("lines", "ended", "rest"),
    [
        (b"data: a\n", block(b"data: a\n", 0, 7), b""),
        (b"id: 1\ndata: a\ndata: b\n", block(b"id: 1\ndata: a\ndata: b\n", 0, 21), b""),
        (b"data: a\nid: 2\nx: y\n", block(b"data: a\n", 0, 18), b"id: 2\nx: y\n"),
        (b"event: e\ndata: a\n", block(b"event: e\ndata: a\n", 0, 16), b"event: e\n"),
        (b"event: e\ndata: a\nid: 2\n", block(b"event: e\ndata: a\n", 0, 22), b"event: e\nid: 2\n"),
        (b"event: e\ndata: a\nevent: f\n", block(b"event: e\ndata: a\n", 0, 25), b"event: f\n"),
        (b"data: a\nevent: f\n", block(b"data: a\n", 0, 16), b"event: f\n"),
        (b"data: a\nerror: {}\nid: 2\n", block(b"data: a\nerror: {}\n", 0, 23), b"id: 2\n"),
    ],
)
def test_a_blank_line_that_is_missing_after_the_data(lines: bytes, ended: Handed, rest: bytes) -> None:
    framer, handed = framer_after(lines)
    framer.end_data(len(lines))
    assert handed == [ended]
    assert framer.open.wire == rest
    assert framer.open.data_lines == framer.open.data_end == 0
    framer.take(b"data: b", len(lines), len(lines) + 7)
    framer.take(b"", 0, 0)
    first = lines.find(b"\n", lines.rfind(b"data: ")) + 1
    assert handed[1:] == [block(rest + b"data: b\n", first, len(lines) + 7)]


def test_non_field_lines_after_the_data_go_with_what_follows() -> None:
    framer, handed = framer_after(b"data: a\n")
    framer.append_non_field(b"x y", 8, 11)
    framer.end_data(12)
    assert handed == [block(b"data: a\n", 0, 11, (8, 11))]
    framer.end_block()
    assert handed[1:] == [block(b"x y\n", 8, 12, (8, 11))]
    framer.take(b"data: a", 20, 27)
    framer.append_non_field(b"x y", 28, 31)
    framer.take(b"data: b", 32, 39)
    framer.end_data(40)
    assert framer.open.non_fields is None
