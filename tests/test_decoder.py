"""Lines out of bytes: the same however they are cut, and bad UTF-8 replaced as the standards count it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken.core.decoder import LineSplitter, is_utf8, replace_invalid_utf8
from unbroken.testing.cuts import cuttings
from unbroken.testing.strategies import chunkings

LINES = [
    b"",
    b"a",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\r",
    b"\r\r\n\n",
    b"a\nb\rc\r\nd",
    b"a\r\n\r\nb\r\r",
    b"\x0b\x0c\x1c\x1d\x1e\x85 no line ends\n",
    "é\u2028\u2029\x85\n😀\r\n".encode(),
    b"\xef\xbb\xbfa\n\xff\r\n\xe2\x82\r\n",
    b"\0\n\0",
]
SEQUENCES = st.lists(
    st.sampled_from([b"a", b"\x80", b"\xbf", b"\xc0", b"\xc2", b"\xe0", b"\xa0", b"\x9f", b"\xed", b"\xf0", b"\x90"])
    | st.sampled_from([b"\x8f", b"\xf1", b"\xf4", b"\xf5", b"\xff", "é".encode(), "€".encode(), "😀".encode()]),
    max_size=12,
).map(b"".join)


def split(chunks: list[bytes], offset: int = 0, *, keep_cr: bool = False) -> tuple[list[bytes], bytes, list[int]]:
    """Read as a framer does; also return where each line began."""
    splitter = LineSplitter(offset, keep_cr=keep_cr)
    lines, begins = [], []
    for chunk in chunks:
        for line in splitter.feed(chunk):
            lines.append(line)
            begins.append(splitter.offset)
            splitter.offset += len(line) + keep_cr
    return lines, bytes(splitter.open_line), begins


@pytest.mark.parametrize("data", LINES)
def test_cut_anywhere_the_lines_are_those_of_the_standard(data: bytes) -> None:
    whole = data.splitlines(keepends=True)
    is_open = bool(whole) and not whole[-1].endswith((b"\n", b"\r"))
    for chunks in cuttings(data):
        lines, open_line, _ = split(chunks)
        assert [line.rstrip(b"\r\n") for line in lines] == [
            line.rstrip(b"\r\n") for line in (whole[:-1] if is_open else whole)
        ]
        assert open_line == (whole[-1] if is_open else b"")


@given(st.data(), st.lists(st.sampled_from([b"\r", b"\n", b"a", b"\xc3\xa9"])).map(b"".join))
def test_offsets_are_where_each_line_begins_however_it_is_cut(draws: st.DataObject, data: bytes) -> None:
    lines, open_line, begins = split(draws.draw(chunkings(data)), 100)
    whole, _, whole_begins = split([data], 100)
    assert [line.rstrip(b"\r\n") for line in lines] == [line.rstrip(b"\r\n") for line in whole]
    assert begins == whole_begins
    for line, begin in zip([*lines, open_line], [*begins, 100 + len(data) - len(open_line)], strict=True):
        assert data[begin - 100 :].startswith(line)


@pytest.mark.parametrize("data", LINES)
def test_in_ndjson_nothing_but_lf_ends_a_line(data: bytes) -> None:
    for chunks in cuttings(data):
        lines, open_line, _ = split(chunks, keep_cr=True)
        assert [*lines, open_line] == data.split(b"\n")


def test_a_cr_decides_its_line_at_once_and_swallows_one_lf() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\r") == [b"a\r"]
    assert splitter.skips_lf
    assert splitter.feed(b"") == []
    assert splitter.skips_lf
    assert splitter.feed(b"\n") == []
    assert not splitter.skips_lf
    assert splitter.feed(b"\n") == [b"\n"]


def test_the_blanks_that_open_a_line_are_forgotten_and_counted() -> None:
    splitter = LineSplitter(10, keep_cr=True)
    splitter.feed(b" \t\r {")
    splitter.skip_blanks()
    assert (splitter.offset, bytes(splitter.open_line)) == (14, b"{")


def test_a_line_that_is_too_long_keeps_one_byte_and_its_place() -> None:
    splitter = LineSplitter(10)
    splitter.feed(b"x" * 500 + b"y")
    splitter.shorten_open_line()
    assert (splitter.offset, bytes(splitter.open_line)) == (510, b"y")
    assert splitter.feed(b"\n") == [b"y\n"]


@pytest.mark.parametrize(
    ("line", "decoded", "runs"),
    [
        (b"plain", "plain", []),
        ("é€😀".encode(), "é€😀", []),
        (b"\xff", "\ufffd", [(0, 1)]),
        (b"a\xffb", "a\ufffdb", [(1, 1)]),
        (b"a\xff\xfeb\xff", "a\ufffd\ufffdb\ufffd", [(1, 2), (4, 1)]),
        (b"\xe2\x82", "\ufffd", [(0, 2)]),
        (b"\xe2\x82x", "\ufffdx", [(0, 2)]),
        (b"\xf0\x9f\x98", "\ufffd", [(0, 3)]),
        (b"\xc0\xaf", "\ufffd\ufffd", [(0, 2)]),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd", [(0, 3)]),
        (b"\xf4\x90\x80\x80", "\ufffd" * 4, [(0, 4)]),
        (b"\xc3\xa9\xff\xc3\xa9", "é\ufffdé", [(2, 1)]),
    ],
)
def test_bad_bytes_become_one_replacement_per_maximal_subpart(
    line: bytes, decoded: str, runs: list[tuple[int, int]]
) -> None:
    assert replace_invalid_utf8(line) == (decoded.encode(), runs)


@given(SEQUENCES | st.binary(max_size=40))
def test_decoding_agrees_with_python_and_the_bad_runs_are_all_that_is_bad(line: bytes) -> None:
    decoded, runs = replace_invalid_utf8(line)
    assert decoded.decode() == line.decode("utf-8", "replace")
    assert is_utf8(line) == (not runs)
    pieces, at = [], 0
    for start, length in runs:
        assert at <= start
        assert length > 0
        pieces += [line[at:start].decode(), line[start : start + length].decode("utf-8", "replace")]
        assert set(pieces[-1]) == {"\ufffd"}
        at = start + length
    assert "".join([*pieces, line[at:].decode()]) == decoded.decode()
