"""What is alike is read as if it were read one by one; what is not exactly alike is not taken for it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import Dialect, Event, EventReader, Observer, StreamRepairer, Timeouts, Verdict
from unbroken.core import fast_path
from unbroken.core.dialect import REGISTRY, Delta, EventClass, Reading
from unbroken.core.engine import EventEngine
from unbroken.core.failure import Failure
from unbroken.core.fast_path.finder import MAX_SEARCHES, TemplateFinder
from unbroken.core.fast_path.slots import BLANKS, NUMBER, STRING, TEXT
from unbroken.core.fast_path.template import MAX_LENGTH, Template
from unbroken.core.proof import is_whole
from unbroken.core.report import StreamReport

from .laws import check_chunking, read

PREFIX, SUFFIX = '{"delta":{"content":"', '"},"n":1}'
READING = Reading(EventClass.CONTENT, (Delta(text="a"),))
PLAIN = Template(f"{PREFIX}\0{SUFFIX}", "message", READING)
NAMED = Template(f"{PREFIX}\0{SUFFIX}", "chunk", READING, head="event: chunk\n")

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
def test_nothing_passes_but_the_inside_of_one_json_string(likeness: Template, raw: str, alike: bool) -> None:
    expected = [raw] if alike else None
    many = [frame(text, likeness.name) for text in ("x", raw, "y")]
    assert likeness.spelling.match(frame(raw, likeness.name).encode()) == expected
    for line_end in ("\n", "\r\n"):
        spelling = likeness.spelt(line_end.encode())
        assert spelling.match_all(frame(raw, likeness.name).replace("\n", line_end).encode()) == expected
        frames = "".join(many).replace("\n", line_end).encode()
        assert spelling.match_all(frames) == (["x", raw, "y"] if alike else None)
        assert not alike or spelling.write(["x", raw, "y"]) == frames


@pytest.mark.parametrize(
    "other",
    [
        "", "data: {}\n\n", frame("a")[:-1], frame("a") + "\n", " " + frame("a"), frame("a").replace("1", "2"),
        frame("a").replace("delta", "delto"), frame("a", "other"), frame("a").replace("data: ", "data:"),
        frame("a").replace("\n", "\r\n"), "id: 1\n" + frame("a"), f"data: {PREFIX}{SUFFIX[1:]}\n\n", PREFIX, SUFFIX,
    ],
)  # fmt: skip
def test_other_frames_are_not_taken_for_alike(other: str) -> None:
    assert PLAIN.spelling.match(other.encode()) is None
    assert PLAIN.spelling.match_all(other.encode()) is None
    assert PLAIN.spelling.match_all((frame("x") + other + frame("y")).encode()) is None or not other


def test_a_frame_of_another_name_is_not_alike() -> None:
    assert NAMED.spelling.match(frame("a").encode()) is None
    assert PLAIN.spelling.match(frame("a", "chunk").encode()) is None


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f"])
def test_bytes_that_are_no_utf8_are_not_alike(bad: bytes) -> None:
    assert PLAIN.spelling.match(PLAIN.spelling.begin + bad + PLAIN.spelling.end) is None
    assert PLAIN.spelling.match_all(PLAIN.spelling.begin + bad + PLAIN.spelling.end) is None


def test_a_prefix_and_a_suffix_that_overlap_are_not_a_payload() -> None:
    likeness = Template('{"a":"\0":"b"}', "message", READING)
    assert likeness.spelling.match(b'data: {"a":"b"}\n\n') is None
    assert likeness.spelling.match_all(b'data: {"a":"b"}\n\n') is None


@given(
    st.text(max_size=8).map(lambda text: json.dumps(text)[1:-1]) | st.text(st.sampled_from('a"\\n\nu0é'), max_size=8)
)
def test_whatever_passes_is_whole_json_and_all_ways_agree(raw: str) -> None:
    values = PLAIN.spelling.match(frame(raw).encode())
    assert values is None or (values == [raw] and is_whole(payload(raw)))
    assert PLAIN.spelling.match_all(frame(raw).encode()) == values


def test_texts_are_read_behind_their_escapes() -> None:
    raws = ["a", "\\n", "\\u00e9\\\\"]
    assert PLAIN.texts(raws) == ["a", "\n", "é\\"]
    assert [reading.deltas[0].text for reading in PLAIN.readings(raws)] == ["a", "\n", "é\\"]
    assert NAMED.events(raws[:1], "7") == [Event(payload("a"), "chunk", "7")]
    assert PLAIN.delta.choice == 0


PADDED = Template('{"n%":\0,"t":"\0","p":"\0"}', "message", READING, slots=(NUMBER, TEXT, STRING), text_at=1)
AHEAD = Template('{"t":"\0"}', "e", READING, head="id: \0\nevent: e\n")
BEHIND = Template('{"t":"\0"}', "e", READING, head="event: e\n", tail="id: \0\n\n")


def test_every_hole_is_judged_by_what_may_stand_there() -> None:
    def values(number: str, text: str, padding: str) -> list[str] | None:
        return PADDED.spelling.match(f'data: {{"n%":{number},"t":"{text}","p":"{padding}"}}\n\n'.encode())

    assert values("0", "a", "xyz") == ["0", "a", "xyz"]
    assert values("120", "%s", "\\\\") == ["120", "%s", "\\\\"]
    assert values("1", "a", "") == ["1", "a", ""]  # padding may be none
    for flaw in [("01", "a", "b"), ("", "a", "b"), ("-1", "a", "b"), ("1.5", "a", "b"), ("1", "", "b")]:
        assert values(*flaw) is None
    for flaw in [("1", 'a"', "b"), ("1", "a", '"'), ("1", "a\n", "b"), ("1", "a", "\\"), ("9" * 16, "a", "b")]:
        assert values(*flaw) is None


def test_events_are_made_of_all_that_differs() -> None:
    assert PADDED.events(["1", "a", "x", "2", "b", "yy"], "7") == [
        Event('{"n%":1,"t":"a","p":"x"}', id="7"),
        Event('{"n%":2,"t":"b","p":"yy"}', id="7"),
    ]
    assert PADDED.texts(["1", "a", "x", "2", "b", "yy"]) == ["a", "b"]


def test_blanks_in_front_of_the_last_brace_may_differ_and_be_none() -> None:
    padded = Template('{"t":"\0"\0}', "message", READING, slots=(TEXT, BLANKS))
    frames = [b'data: {"t":"a"}\n\n', b'data: {"t":"b"   }\n\n', b'data: {"t":"c" }\n\n']
    assert [padded.spelling.match(one) for one in frames] == [["a", ""], ["b", "   "], ["c", " "]]
    values = padded.spelling.match_all(b"".join(frames))
    assert values == ["a", "", "b", "   ", "c", " "]
    assert padded.texts(values) == ["a", "b", "c"]
    assert padded.spelling.write(values) == b"".join(frames)
    for other in (b'data: {"t":""  }\n\n', b'data: {"t":"a"\t}\n\n', b'data: {"t":"a",}\n\n', b'data: {"t":"a"}}\n\n'):
        assert padded.spelling.match(other) is None
        assert padded.spelling.match_all(frames[0] + other) is None


BLANKED = (
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
    '"text":"%s"}%s}\n\n',
    "anthropic",
)
COUNTED = (
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"m","delta":"%s",'
    '"sequence_number":7,"obfuscation":"x%s"}\n\n',
    "openai-responses",
)


def read_by_the_dialect(dialect: str, frames: list[bytes]) -> int:
    """Repair healthy frames, one a chunk; return how many of them the dialect read."""
    read = 0

    class Counted(REGISTRY[dialect]):  # type: ignore[misc]  # a class that is looked up
        def read(self, event: str, payload: Any) -> Reading:
            nonlocal read
            read += 1
            return super().read(event, payload)

    repairer = StreamRepairer(dialect=Counted(), heartbeat=None)
    assert [piece for one in frames for piece in repairer.feed(one, 0.0)] == frames
    assert repairer.report.text == "".join(f"t{n}" for n in range(len(frames)))
    return read


@pytest.mark.parametrize(("spelling", "dialect"), [BLANKED, COUNTED])
@pytest.mark.parametrize("enabled", [True, False])
def test_what_providers_vary_from_token_to_token_keeps_frames_on_the_fast_path(
    monkeypatch: pytest.MonkeyPatch, enabled: bool, spelling: str, dialect: str
) -> None:
    monkeypatch.setattr(fast_path, "enabled", enabled)
    frames = [(spelling % (f"t{n}", " " * (n % 5))).replace(":7,", f":{n + 7},").encode() for n in range(40)]
    read = read_by_the_dialect(dialect, frames)
    assert read <= 6 if enabled else read == 40


def test_an_error_of_ours_goes_on_behind_the_last_number_of_a_run() -> None:
    repairer = StreamRepairer(dialect="openai-responses")
    for number in range(40):
        repairer.feed((COUNTED[0] % (f"t{number}", "")).replace(":7,", f":{number},").encode(), 0.0)
    (told,) = repairer.fail(OSError(), 1.0)
    assert b'"sequence_number": 40' in told


@pytest.mark.parametrize(
    ("likeness", "spelt"),
    [
        (AHEAD, 'id: {id}\nevent: e\ndata: {{"t":"{text}"}}\n\n'),
        (BEHIND, 'event: e\ndata: {{"t":"{text}"}}\nid: {id}\n\n'),
    ],
)
def test_an_id_may_differ_in_front_of_the_data_and_behind_it(likeness: Template, spelt: str) -> None:
    frames = "".join(spelt.format(id=id, text=text) for id, text in [("1", "a"), ("é 2", "b")]).encode()
    values = likeness.spelling.match_all(frames)
    assert values is not None
    assert likeness.texts(values) == ["a", "b"]
    assert likeness.events(values, "0") == [Event('{"t":"a"}', "e", "1"), Event('{"t":"b"}', "e", "é 2")]
    for id in ["", "\0", "\r", "\n", "a\ndata: b"]:
        assert likeness.spelling.match(spelt.format(id=id, text="a").encode()) is None


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
    finder = TemplateFinder()
    return [finder.find(dialect, event, event.encode(), reading) is not None for event, reading in payloads]


def look_with(finder: TemplateFinder, dialect: Dialect, payload: tuple[Event, Reading]) -> Template | None:
    event, reading = payload
    return finder.find(dialect, event, event.encode(), reading)


class Varying(Steady):
    varying = ("pad", "at", "text")


def test_keys_that_vary_are_no_part_of_a_likeness() -> None:
    assert look(Varying(), said("a", pad="x"), said("b", pad="yy"), said("c", pad="z")) == [False, True, True]
    assert look(Varying(), said("a", at=1), said("b", at=22), said("c", at=0)) == [False, True, True]
    assert look(Varying(), said("a", at=1), said("b", at="1"), said("c", at=1.5), said("d", at=-2.5)) == [False] * 4
    assert look(Steady(), said("a", pad="x"), said("b", pad="yy"), said("c", pad="z")) == [False] * 3


@pytest.mark.parametrize(
    ("lines", "alike"),
    [
        ("id: {n}\ndata: {data}\n\n", True),
        ("data: {data}\nid: {n}\n\n", True),
        ("event: e\ndata: {data}\nid: {n}\n\n", True),
        ("id: {n}\nevent: e\ndata: {data}\n\n", True),
        ("data: {data}\nevent: e\n\n", True),
        ("id: {n}\ndata: {data}\nid: {n}\n\n", False),
        (": c\ndata: {data}\n\n", False),
        ("retry: 1\ndata: {data}\n\n", False),
        ("data: {data}\nfoo: 1\n\n", False),
        ("event: \0\ndata: {data}\n\n", False),
        ("event: data: {data}\n\n", False),
        ("event: id: 1\nid: {n}\ndata: {data}\n\n", True),
        ("{data}\n", True),
        ("{data}", False),
    ],
)
def test_a_likeness_is_of_frames_with_name_id_and_data_only(lines: str, alike: bool) -> None:
    finder, found = TemplateFinder(), None
    for n, text in enumerate("ab"):
        event, reading = said(text)
        wire = lines.format(n=n, data=event.data).encode()
        found = finder.find(Steady(), Event(event.data, "e"), wire, reading)
    assert (found is not None) is alike
    assert found is None or found.has_id is ("id: " in lines)


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


def test_a_likeness_is_tried_only_so_often() -> None:
    finder = TemplateFinder()
    tried: list[int] = []

    class Tried(Counting):
        def read(self, event: str, payload: Any) -> Reading:
            tried.append(number)
            return super().read(event, payload)

    for number in range(40 * MAX_SEARCHES):
        assert look_with(finder, Tried(), said("ab"[number % 2])) is None
    assert len(tried) == MAX_SEARCHES
    assert tried[7] - tried[0] == 7  # one after the other, then ever more rarely
    assert tried[-1] - tried[-2] > 8


def test_a_stream_that_changes_its_shape_all_the_time_is_read_one_by_one_in_the_end() -> None:
    finder = TemplateFinder()
    found = [look_with(finder, Steady(), said("ab"[n % 2], x="x" * (n // 2))) for n in range(2 * MAX_SEARCHES + 8)]
    assert [likeness is not None for likeness in found] == [False, True] * MAX_SEARCHES + [False] * 8
    last = said("c", x="x" * (MAX_SEARCHES - 1))
    assert look_with(finder, Steady(), last) is found[2 * MAX_SEARCHES - 1]


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


def numbered(number: int, text: str) -> bytes:
    return (chunk(text)[:-1] + f"id: {number}\n\n").encode()


def test_the_last_id_of_a_run_is_the_last_id() -> None:
    chunks = [numbered(number, text) for number, text in enumerate("abcdef")]
    for ways in (chunks, [b"".join(chunks)], [b"".join(chunks[:3]), b"".join(chunks[3:])]):
        items, report = read_fast_and_slow(ways)
        assert [item.id for item in items] == list("012345")
        assert report["last_event_id"] == "5"


def test_ids_are_looked_at_one_by_one_where_another_connection_may_send_them_again() -> None:
    engine = EventEngine(dialect="openai-chat")
    engine.remember_ids()
    frames = [numbered(number, text) for number, text in enumerate("abcdef")]
    delivered = [event for frame in frames[:4] for event in engine.feed(frame, 0.0)]
    engine.renew = lambda error: 0.0
    engine.fail(OSError(), 0.0)
    delivered += [event for frame in frames for event in engine.feed(frame, 0.0)]
    assert [event.id for event in delivered] == list("012345")


def test_what_is_alike_feeds_the_clocks() -> None:
    engine = StreamRepairer(timeouts=Timeouts(first=64.0, idle=16.0, silence=8.0), heartbeat=None)
    for now in range(4):
        engine.feed(chunk("abcd"[now]).encode(), float(now))
    assert engine.next_deadline() == 11.0
    engine.feed(b"data", 5.0)
    assert engine.next_deadline() == 13.0
    engine.feed(b"", 6.0)
    assert engine.next_deadline() == 13.0
    for now in range(6, 20):
        engine.feed(b"x", float(now))
    assert engine.next_deadline() == 19.0
    assert engine.report.longest_gap == 1.0


def line(text: str, stamp: int = 1) -> str:
    message = {"role": "assistant", "content": text}
    return json.dumps({"model": "m", "created_at": f"2026-{stamp}", "message": message, "done": False}) + "\n"


@pytest.mark.parametrize(
    "middle",
    [
        "", "\n", "  ", " \r\n", line("b").replace("\n", "\r\n"), line("\u2028"), line("é\n\\"), line("b", 7), line(""),
        line("b").replace("false", "true"), '{"error":"x"}\n', "data: " + line("b"), "{\n", "hello\n", line("x" * 2000),
        line("b")[:-1] + line("b"), line("b").replace('"b"', "NaN"), " " + line("b"),
        line("b").replace('"b"', '"\udcff"'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("at", [1, 4, 7])
@pytest.mark.parametrize("to", [None, "sse"])
def test_lines_are_read_the_same_as_one_by_one(middle: str, at: int, to: str | None) -> None:
    slow = type("SlowOllama", (REGISTRY["ollama"],), {"steady": False})()
    lines = [line("a"), line("b"), line("c"), line("d\\"), line("e", 2), line("f", 3), line("g", 3), line("h", 4)]
    lines.insert(at, middle)
    chunks = [text.encode("utf-8", "surrogateescape") for text in lines]
    whole = b"".join(chunks)
    ways = [[whole], chunks, [whole[:-1], whole[-1:]], [whole[n : n + 1] for n in range(len(whole))]]
    ways.append([whole[n : n + 150] for n in range(0, len(whole), 150)])
    results = []
    for dialect in ("ollama", slow):
        for way in ways:
            repairer = StreamRepairer(dialect=dialect, heartbeat=None, to=to, max_event_bytes=1024)
            out = [item for chunk in way for item in repairer.feed(chunk, 0.0)] + repairer.close(0.0)
            facts = repairer.report.as_dict()
            results.append((b"".join(out), {**facts, "chunks_in": None, "dialect": None, "error": None}))
    assert all(result == results[0] for result in results)


def test_an_answer_cut_within_a_line_that_was_alike_says_so() -> None:
    chunks = [line("a").encode(), line("b").encode(), line("c").encode(), line("d").encode()[:-9]]
    items, report = read(chunks, dialect="ollama")
    assert [type(item).__name__ for item in items] == ["Event"] * 3 + ["Repair"]
    assert report["verdict"] is Verdict.TRUNCATED


def test_a_run_tells_text_that_grows_from_text_that_stops_growing() -> None:
    for texts, grows in [(["a", "ab", "abc", "abcd", "abcde"], True), (["a", "ab", "abc", "x", "y"], False)]:
        reader = EventReader()
        for way in (texts[:2], texts[2:]):
            reader.feed("".join(map(chunk, way)).encode())
        assert reader.report.cumulative_text is grows


def test_who_watches_each_chunk_is_shown_each_chunk() -> None:
    class Watching(Observer):
        def received(self, report: StreamReport, chunk: bytes, at: float) -> None:
            seen.append(chunk)

    seen: list[bytes] = []
    chunks = [chunk(text).encode() for text in "abcdef"]
    engine = EventEngine(observers=[Watching()])
    for piece in chunks:
        engine.feed(piece, 0.0)
    assert seen == chunks


def test_a_blank_line_owed_to_a_comment_is_owed_no_more_behind_an_event() -> None:
    chunks = [text.encode() for text in (chunk("a"), chunk("b"), chunk("c"), ": hi\n", chunk("d"), "\n", chunk("e"))]
    _, report = read_fast_and_slow(chunks)
    assert report["respellings"] == {"blank-line": 1}
    check_chunking(chunks)
