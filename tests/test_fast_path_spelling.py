"""What is not exactly one spelling of a template's frames is not taken for it, one by one or many at once."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken.core.fast_path.slots import BLANKS, ID, NUMBER, STRING, TEXT, TWIN, Slot
from unbroken.core.fast_path.spelling import Spelling, Values
from unbroken.core.proof import is_whole

PREFIX, SUFFIX = '{"delta":{"content":"', '"},"n":1}'
MANY = 300
"""Frames from which on a spelling compiles a pattern."""


def spelling_of(frame: str, *slots: Slot, text_at: int = 0) -> Spelling:
    """Return the spelling of a frame, `@` for each slot."""
    return Spelling(frame.replace("@", "\0"), slots or (TEXT,), text_at)


PLAIN = spelling_of(f"data: {PREFIX}@{SUFFIX}\n\n")
NAMED = spelling_of(f"event: chunk\ndata: {PREFIX}@{SUFFIX}\n\n")
CRLF = spelling_of(f"data: {PREFIX}@{SUFFIX}\r\n\r\n")
LINES = spelling_of(f"{PREFIX}@{SUFFIX}\n")
SPELLINGS = (PLAIN, NAMED, CRLF, LINES)


def ways(frame: str, *slots: Slot, text_at: int = 0) -> tuple[Callable[[bytes], Values | None], ...]:
    """Return what takes whole frames: one by one, and with a pattern for many."""
    first, second = (spelling_of(frame, *slots, text_at=text_at) for _ in range(2))
    values = ["1" if slot is NUMBER else "a" if slot is not BLANKS else " " for slot in slots or (TEXT,)] * MANY
    assert second.match_all(second.write(values)) == values
    return first.match_all, second.match_all


RAW = [
    ("a", True),
    (" ", True),
    ("é€😀", True),
    ('\\n\\t\\\\\\/\\"', True),
    ("\\u00e9\\ud83d", True),
    ("\x7f", True),
    ('"},"n":1}\n\ndata: {"delta":', False),
    ("", False),
    ('a"', False),
    ('"', False),
    ("\\", False),
    ("a\\", False),
    ("\\x", False),
    ("\\u00e", False),
    ("a\nb", False),
    ("a\rb", False),
    ("\t", False),
    ("\0", False),
    ("\u2028", False),
    ("\u2029a", False),
    ("\x85", False),
]


@pytest.mark.parametrize(("raw", "passes"), RAW)
@pytest.mark.parametrize("spelling", SPELLINGS, ids=["plain", "named", "CRLF", "NDJSON"])
def test_nothing_passes_but_the_inside_of_one_json_string(spelling: Spelling, raw: str, passes: bool) -> None:
    begin, end = spelling.begin.decode(), spelling.end.decode()
    frames = [f"{begin}{text}{end}".encode() for text in ("x", raw, "y")]
    assert spelling.match(frames[1]) == ([raw] if passes else None)
    for match_all in ways(f"{begin}@{end}"):
        assert match_all(frames[1]) == ([raw] if passes else None)
        assert match_all(b"".join(frames)) == (["x", raw, "y"] if passes else None)
    assert not passes or spelling.write(["x", raw, "y"]) == b"".join(frames)


def frame(raw: str, name: str = "message") -> str:
    return (f"event: {name}\n" if name != "message" else "") + f"data: {PREFIX}{raw}{SUFFIX}\n\n"


@pytest.mark.parametrize(
    "other",
    [
        "data: {}\n\n", frame("a")[:-1], frame("a") + "\n", " " + frame("a"), frame("a").replace("1", "2"),
        frame("a").replace("delta", "delto"), frame("a", "other"), frame("a").replace("data: ", "data:"),
        frame("a").replace("\n", "\r\n"), "id: 1\n" + frame("a"), f"data: {PREFIX}{SUFFIX[1:]}\n\n", PREFIX, SUFFIX,
        frame("a", "chunk"),
    ],
)  # fmt: skip
def test_other_frames_do_not_match(other: str) -> None:
    assert PLAIN.match(other.encode()) is None
    for match_all in ways(f"data: {PREFIX}@{SUFFIX}\n\n"):
        assert match_all(other.encode()) is None
        assert match_all((frame("x") + other + frame("y")).encode()) is None


def test_a_frame_without_its_name_does_not_match() -> None:
    assert NAMED.match(frame("a").encode()) is None
    assert PLAIN.match(b"") is None
    assert PLAIN.match_all(b"") is None


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f"])
def test_bytes_that_are_not_utf8_do_not_match(bad: bytes) -> None:
    broken = PLAIN.begin + bad + PLAIN.end
    assert PLAIN.match(broken) is None
    for match_all in ways(f"data: {PREFIX}@{SUFFIX}\n\n"):
        assert match_all(broken) is None
        assert match_all(frame("a").encode() + broken + frame("a").encode()) is None
    several = spelling_of('data: {"n":@,"t":"@"}\n\n', NUMBER, TEXT, text_at=1)
    assert several.match(b'data: {"n":1,"t":"' + bad + b'"}\n\n') is None


def test_a_beginning_and_an_end_that_overlap_are_not_a_frame() -> None:
    overlapping = spelling_of('data: {"a":"@":"b"}\n\n')
    assert overlapping.match(b'data: {"a":"b"}\n\n') is None
    assert overlapping.match_all(b'data: {"a":"b"}\n\n') is None


WAYS = ways(f"data: {PREFIX}@{SUFFIX}\n\n")


@given(
    st.lists(
        st.text(max_size=8).map(lambda text: json.dumps(text)[1:-1])
        | st.text(st.sampled_from('a"\\n\nu0é'), max_size=8),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_passes_is_whole_json_and_both_ways_agree(raws: list[str]) -> None:
    frames = "".join(map(frame, raws)).encode()
    one_by_one, at_once = (match_all(frames) for match_all in WAYS)
    assert one_by_one == at_once
    assert one_by_one is None or one_by_one == raws
    assert one_by_one is None or all(is_whole(PREFIX + raw + SUFFIX) for raw in raws)


# Several slots

PADDED = ('data: {"n%":@,"t":"@","p":"@"}\n\n', NUMBER, TEXT, STRING)
TWINS = ('data: {"t":"@","again":"@"}\n\n', TEXT, TWIN)
BLANKED = ('data: {"t":"@"@}\n\n', TEXT, BLANKS)
WITH_ID = ('id: @\nevent: e\ndata: {"t":"@"}\n\n', ID, TEXT)
ID_AFTER = ('data: {"t":"@"}\nid: @\n\n', TEXT, ID)


@pytest.mark.parametrize(
    ("shape", "text_at", "values", "passes"),
    [
        (PADDED, 1, ["0", "a", "xyz"], True),
        (PADDED, 1, ["120", "%s", "\\\\"], True),
        (PADDED, 1, ["1", "a", ""], True),  # padding may be empty
        (PADDED, 1, ["9" * 15, "\\n", "é"], True),
        (PADDED, 1, ["9" * 16, "a", "b"], False),
        (PADDED, 1, ["01", "a", "b"], False),
        (PADDED, 1, ["", "a", "b"], False),
        (PADDED, 1, ["-1", "a", "b"], False),
        (PADDED, 1, ["1.5", "a", "b"], False),
        (PADDED, 1, ["1e5", "a", "b"], False),
        (PADDED, 1, ["٣", "a", "b"], False),
        (PADDED, 1, ["01", "\\n", "b"], False),
        (PADDED, 1, ["1", "", "b"], False),
        (PADDED, 1, ["1", 'a"', "b"], False),
        (PADDED, 1, ["1", "a", '"'], False),
        (PADDED, 1, ["1", "a\n", "b"], False),
        (PADDED, 1, ["1", "a", "\\"], False),
        (PADDED, 1, ["1", "a", "\u2028"], False),
        (TWINS, 0, ["a", "a"], True),
        (TWINS, 0, ["\\n", "\\n"], True),
        (TWINS, 0, ["a", "b"], False),
        (TWINS, 0, ["a", "\\u0061"], False),
        (TWINS, 0, ["", ""], False),
        (BLANKED, 0, ["a", ""], True),
        (BLANKED, 0, ["a", "   "], True),
        (BLANKED, 0, ["\\n", " "], True),
        (BLANKED, 0, ["", "  "], False),
        (BLANKED, 0, ["a", "\t"], False),
        (BLANKED, 0, ["a", ","], False),
        (BLANKED, 0, ["a", "}"], False),
        (WITH_ID, 1, ["1", "a"], True),
        (WITH_ID, 1, ["é 2", "a"], True),
        (WITH_ID, 1, ["", "a"], False),
        (WITH_ID, 1, ["a\rb", "a"], False),
        (WITH_ID, 1, ["a\ndata: b", "a"], False),
        (ID_AFTER, 0, ["a", "1"], True),
        (ID_AFTER, 0, ["a", ""], False),
    ],
)
def test_each_slot_is_judged_by_what_may_stand_there(
    shape: tuple[str, Slot, Slot], text_at: int, values: list[str], passes: bool
) -> None:
    text, *slots = shape
    one = spelling_of(text, *slots, text_at=text_at)
    sample = ["1" if slot is NUMBER else " " if slot is BLANKS else "a" for slot in slots]
    frame = one.write(values)
    assert one.match(frame) == (values if passes else None)
    for match_all in ways(text, *slots, text_at=text_at):
        assert match_all(frame) == (values if passes else None)
        three = one.write(sample) + frame + one.write(sample)
        assert match_all(three) == ([*sample, *values, *sample] if passes else None)


def test_a_nul_stands_in_no_slot() -> None:
    with_id, blanked = spelling_of(WITH_ID[0], ID, TEXT, text_at=1), spelling_of(BLANKED[0], TEXT, BLANKS)
    assert with_id.match(b'id: a\0b\nevent: e\ndata: {"t":"a"}\n\n') is None
    assert blanked.match(b'data: {"t":"a\0"}\n\n') is None


def test_a_frame_that_lacks_a_piece_between_its_slots_does_not_match() -> None:
    padded = spelling_of(*PADDED, text_at=1)
    assert padded.match(b'data: {"n%":1,"T":"a","p":"b"}\n\n') is None
    assert padded.match(b'data: {"n%":1,"t":"a"}\n\n') is None


def test_a_blank_line_after_the_last_frame_is_not_a_part_of_it() -> None:
    for match_all in ways(*ID_AFTER):
        frames = b'data: {"t":"a"}\nid: 1\n\n' * 2
        assert match_all(frames) == ["a", "1"] * 2
        assert match_all(frames + b"\n") is None
        assert match_all(b"\n" + frames) is None


def test_a_frame_resembles_a_spelling_if_all_its_pieces_stand_there() -> None:
    padded = spelling_of(*PADDED, text_at=1)
    assert padded.resembles(b'data: {"n%":1,"t":"a","p":"b"}\n\n')
    assert padded.resembles(b'data: {"n%":x,"t":,"p":"b"}\n\n') is False
    assert padded.resembles(b'data: {"n%":-1,"t":"","p":"b"}\n\n')  # it is not a proof
    assert not padded.resembles(b'data: {"n%":1,"t":"a","p":"b"}\n')
    assert not padded.resembles(b"")
