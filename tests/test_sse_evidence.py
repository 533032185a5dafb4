"""What the data of an open block proves, asked line by line: the answers, and their cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken.core.proof import BracketScanner, is_whole
from unbroken.core.sse import evidence as module
from unbroken.core.sse.block import ParsedBlock
from unbroken.core.sse.evidence import Evidence
from unbroken.core.sse.framer import Framer, OpenBlock

from .sse_rooms import Recorder, framer_after


@pytest.mark.parametrize(
    ("lines", "may_be", "is_"),
    [
        (b"", False, False),
        (b"id: 1\n", False, False),
        (b"data: {}\n", True, True),
        (b"data:[1]\n", True, True),
        (b"id: 1\ndata: {}\n: c\nretry: 2\n", True, True),
        (b'data: {"a":\ndata: 1}\n', True, True),
        (b'data: {"a":\nnot data }\ndata: 1}\n', True, True),
        (b"data: {}\ndata: \n", True, True),
        (b"data: {}\ndata: {}\n", False, False),
        (b"data: {\n", False, False),
        (b'data: {"a":"}\n', False, False),
        (b"data: {a}\n", True, False),
        (b"data: [NaN]\n", True, False),
        (b"data: 12\n", False, False),
        (b"data: hello\n", False, False),
        (b"data: [DONE]\n", True, False),
    ],
)
def test_what_the_data_proves_so_far(lines: bytes, may_be: bool, is_: bool) -> None:
    framer, _ = framer_after(lines)
    evidence = Evidence(framer.open)
    assert evidence.data_may_be_whole() is may_be
    assert evidence.data_is_whole() is is_
    assert evidence.disproven is (may_be and not is_)


@given(st.lists(st.text('{}[]"\\ a', max_size=6), max_size=8), st.sets(st.integers(0, 8)))
def test_asked_after_any_of_the_lines_the_answer_is_that_for_all_of_them(values: list[str], asked: set[int]) -> None:
    framer = Framer(OpenBlock(), 1024, Recorder(), keeps_comments=True)
    evidence = Evidence(framer.open)
    for number, value in enumerate(values):
        framer.take(b"data: " + value.encode(), 0, 0)
        if number in asked:
            evidence.data_may_be_whole()
    scanner = BracketScanner()
    for value in values:
        scanner.feed(value.encode())
    assert evidence.data_may_be_whole() is scanner.whole
    assert evidence.data_is_whole() is (scanner.whole and is_whole("\n".join(values)))


def test_each_block_begins_with_nothing_proven() -> None:
    framer, _ = framer_after(b"data: {a}\n")
    evidence = Evidence(framer.open)
    assert not evidence.data_is_whole()
    framer.end_block()
    evidence.clear()
    framer.take(b"data: {}", 0, 8)
    assert not evidence.disproven
    assert evidence.data_is_whole()


def test_a_block_costs_one_parse_in_vain_however_often_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    scanned: list[int] = []

    def parse(text: str) -> bool:
        parsed.append(len(text))
        return is_whole(text)

    def split(wire: bytes) -> ParsedBlock:
        scanned.append(len(wire))
        return ParsedBlock(wire)

    monkeypatch.setattr(module, "is_whole", parse)
    monkeypatch.setattr(module, "ParsedBlock", split)
    framer, _ = framer_after(b"data: {a}\n", limit=2**20)
    evidence = Evidence(framer.open)
    for _ in range(1000):
        assert not evidence.data_is_whole()
        framer.take(b"data: ", 0, 6)
        evidence.data_may_be_whole()
    assert parsed == [3]
    assert sum(scanned) == framer.open.data_end, "each byte of the data is scanned once"
