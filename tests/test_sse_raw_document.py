"""A document without `data:`: which lines end it, and what it is in the end."""

from __future__ import annotations

import pytest

from unbroken.core.proof import BracketScanner
from unbroken.core.sse.raw_document import RawDocument

from .sse_rooms import framer_after


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        (b"", True),
        (b": c", True),
        (b":", True),
        (b"data: {}", True),
        (b"data", True),
        (b"event:x", True),
        (b"id: 1", True),
        (b"retry: 1", True),
        (b"error: {}", False),
        (b" data: {}", False),
        (b"Data: {}", False),
        (b'"data": 1,', False),
        (b"}", False),
        (b" ", False),
        (b"<html>", False),
    ],
)
def test_a_line_that_reads_as_something_else_ends_a_raw_document(line: bytes, ends: bool) -> None:
    assert RawDocument.is_ended_by(line) is ends


@pytest.mark.parametrize(
    ("lines", "ended", "is_document"),
    [
        ([b"{}"], True, True),
        ([b"{} "], True, True),
        ([b"{", b'"a": 1', b"}"], True, True),
        ([b"[", b"  ", b"]"], True, True),
        ([b'{"a": "x', b'y"}'], True, False),  # a line end in a string is not JSON
        ([b"{a}"], True, False),
        ([b"{} x"], True, False),
        ([b"{", b"} x"], True, False),
        ([b"{", b'"a": 1'], False, False),
        ([b'{"}'], False, False),
    ],
)
def test_its_lines_are_a_document_once_the_last_bracket_is_closed(
    lines: list[bytes], ended: bool, is_document: bool
) -> None:
    framer, _ = framer_after(b"")
    scanner = BracketScanner()
    scanner.feed(lines[0])
    raw = RawDocument(framer, scanner)
    at = 10
    for number, line in enumerate(lines):
        if number:
            assert not raw.ended
            raw.follow(line)
        framer.append(line, at, at + len(line))
        at += len(line) + 1
    assert raw.ended is ended
    text = "".join(f"{line.decode()}\n" for line in lines)
    assert raw.take() == (text if is_document else None, (10, at - 1))
    assert not framer.open.wire
