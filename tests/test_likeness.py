"""What is alike is read as if it were read one by one; what is not exactly alike is not taken for it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import Dialect, Event
from unbroken.core.dialect import REGISTRY, Delta, EventClass, Reading
from unbroken.core.errors import Failure
from unbroken.core.likeness import MAX_ATTEMPTS, MAX_LENGTH, Likeness, LikenessFinder
from unbroken.core.proof import is_whole

from .laws import check_chunking, read

PREFIX, SUFFIX = '{"delta":{"content":"', '"},"n":1}'
READING = Reading(EventClass.CONTENT, (Delta(text="a"),))
PLAIN = Likeness(PREFIX, SUFFIX, "message", READING)
NAMED = Likeness(PREFIX, SUFFIX, "chunk", READING)

RAW = [
    ("a", True),
    (" ", True),
    ("é€😀", True),
    ('\\n\\t\\\\\\/\\"', True),
    ("\\u00e9\\ud83d", True),
    ('"},"n":1} {"delta":', False),
    ("", False),
    ('a"', False),
    ('"', False),
    ("\\", False),
    ("a\\", False),
    ("\\x", False),
    ("\\u00e", False),
    ("a\nb", False),
    ("\t", False),
    ("\0", False),
    ("\u2028", False),
    ("\u2029a", False),
    ("\x85", False),
]


def payload(raw: str) -> str:
    return PREFIX + raw + SUFFIX


def frame(raw: str, name: str = "message") -> str:
    return (f"event: {name}\n" if name != "message" else "") + f"data: {payload(raw)}\n\n"


@pytest.mark.parametrize(("raw", "alike"), RAW)
@pytest.mark.parametrize("likeness", [PLAIN, NAMED])
def test_nothing_passes_but_the_inside_of_one_json_string(likeness: Likeness, raw: str, alike: bool) -> None:
    expected = raw if alike else None
    assert likeness.text_in(payload(raw)) == expected
    assert likeness.text_of_frame(frame(raw, likeness.name).encode()) == expected
    assert likeness.texts_in(frame(raw, likeness.name)) == ([raw] if alike else None)
    many = [frame(text, likeness.name) for text in ("x", raw, "y")]
    assert likeness.texts_in("".join(many)) == (["x", raw, "y"] if alike else None)


@pytest.mark.parametrize(
    "other",
    [
        "", "data: {}\n\n", frame("a")[:-1], frame("a") + "\n", " " + frame("a"), frame("a").replace("1", "2"),
        frame("a").replace("delta", "delto"), frame("a", "other"), frame("a").replace("data: ", "data:"),
        frame("a").replace("\n", "\r\n"), "id: 1\n" + frame("a"), f"data: {PREFIX}{SUFFIX[1:]}\n\n", PREFIX, SUFFIX,
    ],
)  # fmt: skip
def test_other_frames_are_not_taken_for_alike(other: str) -> None:
    assert PLAIN.text_of_frame(other.encode()) is None
    assert PLAIN.texts_in(other) is None
    assert PLAIN.texts_in(frame("x") + other + frame("y")) is None or not other
    assert PLAIN.text_in(other) is None


def test_a_frame_of_another_name_is_not_alike() -> None:
    assert NAMED.text_of_frame(frame("a").encode()) is None
    assert PLAIN.text_of_frame(frame("a", "chunk").encode()) is None


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f"])
def test_bytes_that_are_no_utf8_are_not_alike(bad: bytes) -> None:
    assert PLAIN.text_of_frame(PLAIN.begin_bytes + bad + PLAIN.end_bytes) is None


def test_a_prefix_and_a_suffix_that_overlap_are_not_a_payload() -> None:
    likeness = Likeness('{"a":"', '":"b"}', "message", READING)
    assert likeness.text_in('{"a":"b"}') is None
    assert likeness.text_of_frame(b'data: {"a":"b"}\n\n') is None
    assert likeness.texts_in('data: {"a":"b"}\n\n') is None


@given(
    st.text(max_size=8).map(lambda text: json.dumps(text)[1:-1]) | st.text(st.sampled_from('a"\\n\nu0é'), max_size=8)
)
def test_whatever_passes_is_whole_json_and_all_ways_agree(raw: str) -> None:
    text = PLAIN.text_in(payload(raw))
    assert text is None or (text == raw and is_whole(payload(raw)))
    assert PLAIN.text_of_frame(frame(raw).encode()) == text
    assert PLAIN.texts_in(frame(raw)) == (None if text is None else [text])


def test_texts_are_read_behind_their_escapes() -> None:
    raws = ["a", "\\n", "\\u00e9\\\\"]
    assert PLAIN.read(raws) == ["a", "\n", "é\\"]
    assert [reading.deltas[0].text for reading in PLAIN.readings(raws)] == ["a", "\n", "é\\"]
    assert NAMED.events(raws[:1], "7") == [Event(payload("a"), "chunk", "7")]
    assert PLAIN.choice == 0


# Finding one


class Steady(Dialect):
    name = "steady"
    steady = True

    def read(self, event: str, payload: Any) -> Reading:
        return Reading(EventClass.CONTENT, (Delta(text=payload["text"]),))


class Unsteady(Steady):
    steady = False


class Exact(Steady):
    exact_marks = ('"k"',)


class Counting(Steady):
    """Promises to be steady and is not."""

    def read(self, event: str, payload: Any) -> Reading:
        return replace(super().read(event, payload), usage={"n": len(payload["text"])})


def said(text: str, **more: Any) -> tuple[Event, Reading]:
    return Event(json.dumps({"k": 1, "text": text, **more})), Reading(EventClass.CONTENT, (Delta(text=text),))


def look(dialect: Dialect, *payloads: tuple[Event, Reading]) -> list[bool]:
    finder = LikenessFinder()
    return [finder.look(dialect, event, reading) is not None for event, reading in payloads]


def test_two_payloads_that_differ_in_their_text_alone_are_alike() -> None:
    assert look(Steady(), said("a"), said("b"), said("c")) == [False, True, True]


def test_a_likeness_outlives_something_else_between() -> None:
    other = Event('{"text": 1}'), Reading(EventClass.STRUCTURAL)
    assert look(Steady(), said("a"), said("b"), other, said("c")) == [False, True, False, True]


def test_a_payload_that_means_something_else_now_is_not_alike() -> None:
    event, reading = said("c")
    changed = event, replace(reading, deltas=(replace(reading.deltas[0], choice=2),))
    assert look(Steady(), said("a"), said("b"), changed) == [False, True, False]


def test_another_shape_needs_a_likeness_of_its_own() -> None:
    assert look(Steady(), said("a"), said("b"), said("c", x=1), said("d", x=1)) == [False, True, False, True]


@pytest.mark.parametrize("dialect", [Unsteady(), Exact(), Counting()])
def test_a_dialect_that_reads_more_than_the_text_is_read_one_by_one(dialect: Dialect) -> None:
    assert not any(look(dialect, said("a"), said("b"), said("c")))


@pytest.mark.parametrize(
    "reading",
    [
        Reading(EventClass.STRUCTURAL, (Delta(text="b"),)),
        Reading(EventClass.CONTENT, ()),
        Reading(EventClass.CONTENT, (Delta(text="b"), Delta(1, text="b"))),
        Reading(EventClass.CONTENT, (Delta(text="b"),), begins=True),
        Reading(EventClass.CONTENT, (Delta(text="b"),), usage={}),
        Reading(EventClass.CONTENT, (Delta(text="b"),), failure=Failure("truncated")),
        Reading(EventClass.CONTENT, (Delta(text="b", reasoning="c"),)),
        Reading(EventClass.CONTENT, (Delta(text="b", finish_reason="stop"),)),
        Reading(EventClass.CONTENT, (Delta(text="", reasoning="b"),)),
    ],
)
def test_more_than_text_of_one_choice_is_never_alike(reading: Reading) -> None:
    assert not any(look(Steady(), said("a"), (said("b")[0], reading)))


def test_a_payload_too_long_is_read_one_by_one() -> None:
    assert not any(look(Steady(), said("a", x="y" * MAX_LENGTH), said("b", x="y" * MAX_LENGTH)))


def test_a_stream_is_searched_in_vain_only_so_often() -> None:
    finder = LikenessFinder()
    for number in range(MAX_ATTEMPTS + 2):
        assert finder.look(Counting(), *said("ab"[number % 2])) is None
    assert finder._failed == MAX_ATTEMPTS
    finder.look(Steady(), *said("a"))
    assert finder.look(Steady(), *said("b")) is None


# The whole way


def chunk(text: str, **more: Any) -> str:
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}], **more}) + "\n\n"


@pytest.mark.parametrize(
    "middle",
    [
        "", chunk(""), chunk("é\u2028\n"), chunk("b", x=1), "id: 4\n" + chunk("b"), ": hi\n\n",
        "event: e\n" + chunk("b"),
        chunk("b").replace("\n", "\r\n"), chunk("b").replace("data: ", "data:"), "data: [DONE]\n\n", "\n",
        chunk("b").replace("content", "role"), "data: hello\n\n", "retry: 5\n\n", chunk("x" * 2000),
        chunk("b")[:-1] + chunk("b"), chunk("b").replace('"b"', '"\u2028"'), chunk("b").replace('"b"', "NaN"),
        'data: {"error":{"message":"m"}}\n\n',
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_run_is_read_the_same_as_its_events_one_by_one(middle: str, end: str) -> None:
    frames = [chunk("a"), chunk("b"), chunk("c\\"), middle, chunk("d"), chunk("e"), chunk("f")]
    chunks = [
        text.replace("\r\n", "\n").replace("\n", end).encode() if text != middle else text.encode() for text in frames
    ]
    whole = b"".join(chunks)
    for ways in ([whole], chunks, [whole[:-1], whole[-1:]], [whole[n : n + 1] for n in range(len(whole))]):
        check_chunking(ways, max_event_bytes=1024)
        assert read_fast_and_slow(ways) == read_fast_and_slow([whole])


def read_fast_and_slow(chunks: list[bytes]) -> tuple[list[Any], dict[str, Any]]:
    """Read with a dialect that is not steady, which takes every event the slow way, and compare what was said."""
    slow = type("Slow", (REGISTRY["openai-chat"],), {"steady": False})()
    fast_items, fast = read(chunks, dialect="openai-chat", max_event_bytes=1024)
    slow_items, slowly = read(chunks, dialect=slow, max_event_bytes=1024)
    assert fast_items == slow_items
    assert {**fast, "dialect": None} == {**slowly, "dialect": None}
    return fast_items, fast
