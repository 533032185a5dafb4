"""Dialects that are declared in a table: what each key says, what is recognised, and what a wrong table is told."""

import contextlib
import json
import random
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.captures import body, chosen, needs_captures
from tests.tools import dialect_rows
from unbroken import (
    EventReader,
    Profiles,
    RepairKind,
    StreamRepairer,
    StreamReport,
    Verdict,
    declare,
    register,
    repair,
)
from unbroken.core.dialect import Dialect
from unbroken.core.failure import SENTENCES
from unbroken.core.registry import LATER, REGISTRY, dialect_named, dialect_names, recognise
from unbroken.dialects import shelf
from unbroken.dialects.declared import Declared
from unbroken.testing.conversations import DIALECTS, Answer, ToolCall, spell
from unbroken.testing.cuts import cut, every
from unbroken.testing.spellings import SPELLINGS

ANSWER = Answer(("Hel", "lo"), ("let ", "me"), (ToolCall("call_1", "f", '{"a": 1}'),), 12, 9)
SHELVED = tuple(name for name in shelf.SHELVED.names if dialect_named(name).framing is None)
"""Those that payloads show; tests/test_coded_lines.py has the other one."""


def sse(*payloads: Any, event: str = "") -> bytes:
    head = f"event: {event}\n" if event else ""
    return "".join(f"{head}data: {one if isinstance(one, str) else json.dumps(one)}\n\n" for one in payloads).encode()


def lines(*payloads: Any) -> bytes:
    return "".join(f"{json.dumps(one)}\n" for one in payloads).encode()


def read(data: bytes, dialect: type[Dialect] | str | None = None, **options: Any) -> StreamReport:
    named = dialect() if isinstance(dialect, type) else dialect
    reader = EventReader(dialect=named, **options)
    reader.feed(data)
    reader.close()
    return reader.report


def cuts_of(data: bytes) -> Iterator[list[bytes]]:
    """Yield the stream whole, byte by byte, and cut at random."""
    yield [data]
    yield every(data, 1)
    for seed in range(3):
        yield cut(data, random.Random(seed).sample(range(1, len(data)), 7))


def repaired(chunks: list[bytes], **options: Any) -> tuple[bytes, StreamReport]:
    repairer = StreamRepairer(heartbeat=None, **options)
    out = [frame for chunk in chunks for frame in repairer.feed(chunk, 0.0)]
    return b"".join(out + repairer.close(0.0)), repairer.report


# What a table says

PIECE = [
    ("text", {"text": "delta.content"}, {"delta": {"content": "Hi"}}, "Hi"),
    ("a number", {"text": "delta.content"}, {"delta": {"content": 1}}, "1"),
    ("an element", {"text": "choices.0.text"}, {"choices": [{"text": "Hi"}, {"text": "no"}]}, "Hi"),
    ("each element", {"text": "parts.*.text"}, {"parts": [{"text": "H"}, {"text": "i"}]}, "Hi"),
    (
        "elements with a value",
        {"text": "parts.*[type=text].text"},
        {"parts": [{"type": "text", "text": "Hi"}, {"type": "code", "text": "no"}]},
        "Hi",
    ),
    (
        "elements without a key",
        {"text": "parts.*[!thought].text"},
        {"parts": [{"text": "Hi"}, {"thought": True}]},
        "Hi",
    ),
    ("a condition on the payload", {"text": "[type=answer|reply].content"}, {"type": "reply", "content": "Hi"}, "Hi"),
    ("a condition that fails", {"text": "[type!=answer].content"}, {"type": "answer", "content": "Hi"}, ""),
    ("the first that says something", {"text": ["a", "b"]}, {"a": "", "b": "Hi"}, "Hi"),
    ("a condition on an element", {"text": "[a.0.type=ai].b"}, {"a": [{"type": "ai"}], "b": "Hi"}, "Hi"),
    ("by kind", {"kind": "k", "text": {"x|y": "a", "z": "b"}}, {"k": "y", "a": "Hi", "b": "no"}, "Hi"),
    ("of another kind", {"kind": "k", "text": {"x": "a"}}, {"k": "y", "a": "no"}, ""),
    ("of any kind", {"kind": "k", "text": {"x": "a", "*": "b"}}, {"k": "y", "a": "no", "b": "Hi"}, "Hi"),
    ("a value of another type", {"text": "delta.content"}, {"delta": [1]}, ""),
    ("a wrong element", {"text": "choices.3.text"}, {"choices": [{"text": "no"}]}, ""),
]


@pytest.mark.parametrize(("table", "payload", "text"), [case[1:] for case in PIECE], ids=[case[0] for case in PIECE])
def test_a_path_leads_to_text(table: dict[str, Any], payload: Any, text: str) -> None:
    assert read(sse(payload), declare("mine", **table)).text == text


# What stands beside a piece of text, behind pieces that were nothing but that: the table, the payload, what is read.
FULL = {"kind": "k", "text": {"t": "a.*[!x].b"}, "reasoning": {"t": "a.*[x].b"}}
TOLD: dict[str, Any] = {"text": "Hi"}
BESIDE: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("nothing", {"finish": "f"}, {}, TOLD),
    ("a null", {"finish": "f", "tools": {"t": {"at": "c.*", "name": "n"}}}, {"f": None, "c": None}, TOLD),
    ("a word that says nothing", {"finish": "f"}, {"f": "not_finished"}, TOLD),
    ("a finish", {"finish": "f"}, {"f": "stop"}, {**TOLD, "finish": "stop"}),
    ("a finish under a condition", {"finish": "[f=end].why"}, {"f": "end", "why": "stop"}, {**TOLD, "finish": "stop"}),
    ("an end", {"ends": {"t": "[f=true]"}}, {"f": True}, {**TOLD, "kind": "terminal"}),
    ("no end", {"ends": {"t": "[f=true]"}}, {"f": False}, TOLD),
    ("a beginning", {"begins": {"t": "f"}}, {"f": 1}, {**TOLD, "begins": True}),
    ("usage", {"usage": {"t": {"input_tokens": "u.in"}}}, {"u": {"in": 3}}, {**TOLD, "usage": {"input_tokens": 3}}),
    ("a whole", {"text_whole": {"t": "w"}}, {"w": "HiHi there"}, {**TOLD, "whole": "HiHi there"}),
    ("a refusal", {"refusal": {"t": "r"}}, {"r": "no"}, {**TOLD, "refusal": "no"}),
    ("reasoning", {}, {"a": [{"b": "Hi"}, {"x": 1, "b": "hm"}]}, {**TOLD, "reasoning": "hm"}),
    ("reasoning alone", {}, {"a": [{"x": 1, "b": "hm"}]}, {"reasoning": "hm"}),
    ("a call", {"tools": {"t": {"at": "c.*", "name": "n"}}}, {"c": [{"n": "look"}]}, {**TOLD, "tool": "look"}),
    ("a call in it", {"tools": {"t": {"name": "n"}}}, {"n": "look"}, {**TOLD, "tool": "look"}),
    ("no call", {"tools": {"t": {"at": "c", "name": "n"}}}, {"c": {"m": 1}}, TOLD),
    ("an error", {}, {"error": {"message": "no"}}, {**TOLD, "kind": "error"}),
    ("an error elsewhere", {"error": {"t": "e"}}, {"e": "no"}, {**TOLD, "kind": "error"}),
    ("an error by its words", {"error": {"t": {"message": "m.n"}}}, {"m": {"n": "no"}}, {**TOLD, "kind": "error"}),
    ("no error", {"error": {"t": {"message": "m.n"}}}, {"m": {}}, TOLD),
    ("a clean end", {"complete_when": {"t": "f"}}, {"f": 1}, {**TOLD, "complete": True}),
]


@pytest.mark.parametrize(("table", "beside", "told"), [case[1:] for case in BESIDE], ids=[case[0] for case in BESIDE])
def test_what_stands_beside_a_piece_is_read_with_it(
    table: dict[str, Any], beside: dict[str, Any], told: dict[str, Any]
) -> None:
    dialect = declare("mine", **FULL, **table)()
    piece = {"k": "t", "a": [{"b": "Hi"}]}
    for _ in range(2):
        assert dialect.read("message", piece).deltas[0].text == "Hi"
    reading = dialect.read("message", {**piece, **beside})
    first, *more = reading.deltas
    assert first.text == told.get("text", "")
    assert first.reasoning == told.get("reasoning", "")
    assert first.refusal == told.get("refusal", "")
    assert first.finish_reason == told.get("finish")
    assert [part.whole for delta in more for part in delta.parts] == ([told["whole"]] if "whole" in told else [])
    assert [tool.name for tool in first.tools] == ([told["tool"]] if "tool" in told else [])
    assert (reading.kind.value, reading.usage) == (told.get("kind", "content"), told.get("usage"))
    assert (reading.begins, dialect.is_complete()) == (told.get("begins", False), told.get("complete", False))


MINE = declare(
    "mine",
    recognised_by="[t=say][words:text]",
    kind="t",
    text={"say": "words"},
    reasoning={"think": "words"},
    tools={
        "call": {"id": "call", "name": "fn", "arguments": "piece"},
        "called": {"at": "calls.*", "name": "fn", "whole": "input"},
        "ran": {"id": "call", "name": "fn", "whole": "input", "hosted": True},
    },
    usage={"bill": {"input_tokens": "n.in", "output_tokens": "n.out"}},
    id={"hello": "id"},
    model={"hello": "model"},
    begins="hello",
    finish={"bye": "why"},
    ends="bye",
    fails="tired",
    error={"oops": {"at": "e", "message": "words", "code": "no"}},
    pings="tick",
    bare_names="tick",
    heartbeat={"event": "tick"},
    error_frame={"event": "oops", "data": {"t": "oops", "e": {"words": "$message", "no": "$code"}}},
)
SAY = {"t": "say", "words": "Hi"}


def test_a_table_says_what_each_payload_means() -> None:
    data = sse(
        {"t": "hello", "id": "a1", "model": "m"},
        {"t": "think", "words": "hm"},
        SAY,
        {"t": "call", "call": "c1", "fn": "look"},
        {"t": "call", "call": "c1", "piece": '{"q":'},
        {"t": "call", "call": "c1", "piece": "1}"},
        {"t": "called", "calls": [{"fn": "now", "input": {}}, {"fn": "now", "input": {"z": 12345678901234567890}}]},
        {"t": "ran", "call": "c2", "fn": "search", "input": "{}"},
        {"t": "bill", "n": {"in": 3, "out": "4"}},
        {"t": "bye", "why": "stop"},
    )
    for chunks in cuts_of(data):
        wire, report = repaired(chunks, dialect=MINE())
        assert wire == data
        assert (report.verdict, report.text, report.reasoning) == (Verdict.COMPLETE, "Hi", "hm")
        assert report.finish_reason == "stop"
        assert report.usage == {"input_tokens": 3, "output_tokens": 4}
        assert [(call["name"], call["arguments"], call["kind"]) for call in report.tool_calls] == [
            ("look", '{"q":1}', "function"),
            ("now", "{}", "function"),
            ("now", '{"z":12345678901234567890}', "function"),
            ("search", "{}", "hosted"),
        ]


FIGURES: list[tuple[str, Any, dict[str, Any], dict[str, int] | None]] = [
    ("our names", "u", {"u": {"input_tokens": 3, "output_tokens": 2}}, {"input_tokens": 3, "output_tokens": 2}),
    ("OpenAI's", "u", {"u": {"prompt_tokens": 3, "total_tokens": 5}}, {"input_tokens": 3, "total_tokens": 5}),
    ("of the payload", ".", {"total_tokens": 5}, {"total_tokens": 5}),
    ("more beside it", ["u", {"cached_tokens": "u.c"}], {"u": {"prompt_tokens": 3, "c": 1}}, None),
    ("none", "u", {"u": 3, "prompt_tokens": 4}, {}),
]


@pytest.mark.parametrize(("usage", "payload", "told"), [row[1:] for row in FIGURES], ids=[row[0] for row in FIGURES])
def test_an_object_of_usage_may_have_the_usual_names(usage: Any, payload: Any, told: dict[str, int] | None) -> None:
    expected = {"input_tokens": 3, "cached_tokens": 1} if told is None else told
    assert read(sse(payload), declare("mine", usage=usage)).usage == expected
    assert read(sse({"k": "t", **payload}), declare("mine", kind="k", usage={"t": usage})).usage == expected


ENDS: list[tuple[str, dict[str, Any], list[Any], Verdict]] = [
    ("nothing", {"text": "x"}, [{"x": "Hi"}], Verdict.TRUNCATED),
    ("a condition", {"text": "x", "ends": "[done=true]"}, [{"x": "Hi", "done": True}], Verdict.COMPLETE),
    ("no condition", {"text": "x", "ends": "[done=true]"}, [{"x": "Hi", "done": False}], Verdict.TRUNCATED),
    ("a path", {"text": "x", "ends": "stop"}, [{"x": "Hi"}, {"stop": {}}], Verdict.COMPLETE),
    ("a finish", {"text": "x", "finish": "f", "finish_ends": True}, [{"x": "Hi", "f": "stop"}], Verdict.COMPLETE),
    ("a word that says nothing", {"text": "x", "finish": "f", "finish_ends": True}, [{"f": "null"}], Verdict.TRUNCATED),
    ("a finish, then nothing", {"text": "x", "finish": "f"}, [{"f": "stop"}], Verdict.TRUNCATED),
    (
        "a clean end behind a finish",
        {"text": "x", "finish": "f", "finish_completes": True},
        [{"x": "Hi"}, {"f": "stop"}],
        Verdict.COMPLETE,
    ),
    (
        "content behind a finish",
        {"text": "x", "finish": "f", "finish_completes": True},
        [{"f": "stop"}, {"x": "Hi"}],
        Verdict.TRUNCATED,
    ),
    (
        "a clean end",
        {"text": "x", "complete_when": "[!more]"},
        [{"x": "H", "more": True}, {"x": "i"}],
        Verdict.COMPLETE,
    ),
    ("a cut", {"text": "x", "complete_when": "[!more]"}, [{"x": "H"}, {"x": "i", "more": True}], Verdict.TRUNCATED),
    ("a sentinel", {"text": "x", "sentinel": "[DONE]"}, [{"x": "Hi"}, "[DONE]"], Verdict.COMPLETE),
    ("its own failing word", {"finish": "f", "fails": "tired"}, [{"f": "Tired"}], Verdict.FAILED),
    ("a failing word", {"text": "x", "finish": "f", "finish_ends": True}, [{"f": "abort"}], Verdict.FAILED),
    ("an error", {"text": "x", "error": "e"}, [{"x": "Hi"}, {"e": "no"}], Verdict.FAILED),
    ("an error that says nothing", {"text": "x", "error": "e", "ends": "z"}, [{"e": {}, "z": 1}], Verdict.COMPLETE),
    ("an error where others have it", {"text": "x"}, [{"x": "Hi"}, {"error": {"message": "no"}}], Verdict.FAILED),
]


@pytest.mark.parametrize(("table", "payloads", "verdict"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS])
def test_a_table_says_how_an_answer_ends(table: dict[str, Any], payloads: list[Any], verdict: Verdict) -> None:
    for chunks in cuts_of(sse(*payloads)):
        assert repaired(chunks, dialect=declare("mine", **table)())[1].verdict is verdict


def test_an_error_is_told_by_the_words_and_the_code_of_the_table() -> None:
    report = read(sse(SAY, {"t": "oops", "e": {"words": "slow down", "no": "rate_limited"}}), MINE)
    assert report.error is not None
    assert (report.error.code, report.error.error_type, report.error.failure.detail) == (
        "rate-limited",
        "rate_limited",
        "slow down",
    )


def test_our_error_and_heartbeat_are_spelt_as_the_table_says_and_read_again() -> None:
    wire, _ = repaired([sse(SAY)], dialect=MINE())
    frame = {"t": "oops", "e": {"words": SENTENCES["truncated"], "no": "truncated"}}
    assert wire == sse(SAY) + sse(frame, event="oops")
    again, report = repaired([wire], dialect=MINE())
    assert (again, report.verdict, report.error and report.error.code) == (wire, Verdict.FAILED, "truncated")
    repairer = StreamRepairer(dialect=MINE(), heartbeat=5.0)
    repairer.resume(0.0)
    assert repairer.on_deadline(5.0) == [b"event: tick\n\n"]


def test_a_ping_without_data_passes_as_it_is_and_is_no_progress() -> None:
    data = sse(SAY) + b"event: tick\n\n" + sse({"t": "tick"}, {"t": "bye", "why": "stop"})
    wire, report = repaired([data], dialect=MINE())
    assert (wire, report.verdict, list(report.repairs)) == (data, Verdict.COMPLETE, [])
    wire, _ = repaired([data], dialect=MINE(), comments="drop")
    assert wire == sse(SAY, {"t": "bye", "why": "stop"})


def test_a_name_without_data_can_end_an_answer() -> None:
    named = declare("named", kind="@event", text={"piece": "x"}, ends="over", bare_names="over")
    data = sse({"x": "Hi"}, event="piece") + b"event: over\n\n"
    for chunks in cuts_of(data):
        wire, report = repaired(chunks, dialect=named())
        assert (wire, report.text, report.verdict) == (data, "Hi", Verdict.COMPLETE)
    assert read(sse({"x": "Hi"}, event="piece"), named).verdict is Verdict.TRUNCATED


def test_text_that_is_the_whole_so_far_is_said_once() -> None:
    grows = declare("grows", text="text", cumulative=True, sentinel="[DONE]")
    data = sse(*[{"text": "Hello"[:at]} for at in range(1, 6)], "[DONE]")
    assert read(data, grows).text == "Hello"
    wire, _ = repaired([data], dialect=grows(), convert="openai-chat")
    assert read(wire).text == "Hello"


SPEAKS = declare(
    "speaks",
    recognised_by="[@event=say][id=a|b]",
    kind="@event",
    prose="say",
    reasoning={"think": "words"},
    ends="bye",
    error={"oops": "."},
)


def test_payloads_can_be_prose_and_what_is_around_them_json() -> None:
    assert not SPEAKS.json_payloads
    say = b"event: say\ndata: Hel\n\nevent: say\ndata:  {\ndata: lo\n\n"
    data = sse({"words": "hm"}, event="think") + say + sse({}, event="bye")
    for chunks in cuts_of(data):
        wire, report = repaired(chunks, dialect=SPEAKS())
        assert (wire, report.text, report.reasoning, report.verdict) == (data, "Hel {\nlo", "hm", Verdict.COMPLETE)
    wire, report = repaired([say], dialect=SPEAKS())
    assert (report.verdict, wire[: len(say)], b"truncated" in wire) == (Verdict.TRUNCATED, say, True)
    assert read(say + sse("no room", event="oops"), SPEAKS).verdict is Verdict.FAILED
    register(SPEAKS)
    try:
        assert read(b"id: a\n" + say).dialect == "speaks"
        assert read(b"id: c\n" + say).dialect is None
    finally:
        del REGISTRY["speaks"]


GROWING: list[tuple[str, list[str], bool]] = [
    ("pieces", ["Hel", "lo", " you"], False),
    ("wholes", ["Hel", "Hello", "Hello you"], True),
    ("wholes that begin blank", ["\n", "\nHello", "\nHello you"], True),
    ("a piece twice", ["ha", "ha", "!"], False),
    ("one whole, repeated with the finish", ["Hello"], True),
]


@pytest.mark.parametrize(("pieces", "grows"), [case[1:] for case in GROWING], ids=[case[0] for case in GROWING])
def test_a_text_that_may_be_the_whole_so_far_shows_which_it_is(pieces: list[str], grows: bool) -> None:
    maybe = declare(
        "maybe",
        cumulative="maybe",
        text="text",
        tools={"at": "call", "key": "index", "name": "name", "arguments": "arguments"},
        finish="why",
        finish_ends=True,
    )
    calls = [{"call": {"index": 0, "name": "f", "arguments": part}} for part in ('{"a":', '{"a":1}' if grows else "1}")]
    last = pieces[-1] if grows else ""
    data = sse(*[{"text": piece} for piece in pieces], *calls, {"text": last, "why": "stop"})
    text = pieces[-1] if grows else "".join(pieces)
    report = read(data, maybe)
    assert (report.text, report.verdict) == (text, Verdict.COMPLETE)
    assert [call["arguments"] for call in report.tool_calls] == ['{"a":1}']
    wire, _ = repaired([data], dialect=maybe(), convert="openai-chat")
    assert read(wire).text == text


def test_a_whole_that_repeats_its_pieces_adds_what_they_left_out() -> None:
    parts = declare("parts", kind="t", text={"d": "x"}, text_whole={"w": "x"}, part={"d|w": "id"}, sentinel="[DONE]")
    data = sse(
        {"t": "d", "id": 1, "x": "He"},
        {"t": "w", "id": 1, "x": "Hello"},
        {"t": "w", "id": 2, "x": " you"},
        {"t": "w", "id": 1, "x": "Hello"},
        "[DONE]",
    )
    assert read(data, parts).text == "Hello you"


def test_a_dialect_can_stand_inside_of_another_one_s_payloads() -> None:
    inner = declare(
        "inner", like="anthropic", inside="event", kind="type", ends={"result": True}, error={"result": "e"}
    )
    told = [json.loads(frame.split(b"data: ")[1]) for frame in spell("anthropic", ANSWER).frames]
    wrapped = [{"type": "stream_event", "event": payload} for payload in told]
    report = read(sse(*wrapped, {"type": "result"}), inner)
    assert (report.verdict, report.text, report.reasoning) == (Verdict.COMPLETE, "Hello", "let me")
    assert [call["name"] for call in report.tool_calls] == ["f"]
    assert read(sse(*wrapped), inner).verdict is Verdict.TRUNCATED
    assert read(sse(*wrapped, {"type": "result", "e": "no"}), inner).verdict is Verdict.FAILED


def test_a_method_says_what_a_table_cannot() -> None:
    class Counting(declare("counting", text="x", begins="[start]")):  # type: ignore[misc]
        def is_complete(self) -> bool:
            return bool(self.has_begun)

    assert read(sse({"x": "Hi"}), Counting).verdict is Verdict.COMPLETE


def test_whatever_arrives_is_read_without_an_error() -> None:
    values = [None, True, 1, 1e400, "x", [], [[]], {}, {"a": []}, {"t": {}}]
    keys = sorted({*MINE.keys, "t", "e", "n", "calls"})
    for kind in ("say", "think", "call", "called", "ran", "bill", "hello", "bye", "oops", "tick", "?"):
        for value in values:
            MINE().read("message", {**dict.fromkeys(keys, value), "t": kind})
    for value in values:
        MINE().read("tick", value)
        assert not MINE.recognises("message", value)


# What a wrong table is told

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"texts": "a"}, "dialect mine has no key 'texts'; did you mean text"),
    ({"text": 3}, "dialect mine: text must be a path such as delta.content, not 3"),
    ({"text": "a..b"}, "dialect mine: text: 'a..b' is no path"),
    ({"text": "a[b"}, "is no path"),
    ({"text": "a[b:strng]"}, "known are text, object"),
    ({"text": {"k": "a"}}, "text differs by kind; say with kind="),
    ({"kind": "t", "text": {"k": 1}}, "text.k must be a path"),
    ({"kind": 3}, 'kind must be a path such as type, or "@event", not 3'),
    ({"kind": "@evnt"}, "kind asks for '@evnt'; did you mean @event"),
    ({"text": "@event"}, "text: @event is no place in a payload; with kind ="),
    ({"pings": "[@event=x]"}, "pings: @event is no place"),
    ({"kind": "t", "text": {"tok|": "x"}}, "text takes the names of kinds, such as"),
    ({"kind": "t", "text": {3: "x"}}, "text takes the names of kinds, such as .*, not 3"),
    ({"kind": "t", "ends": ["a", ""]}, "ends takes the names of kinds, such as .*, not ''"),
    ({}, "the table is empty; say where the text"),
    ({"text": {}}, "text is an empty table; say what stands where"),
    ({"usage": {}}, "usage is an empty table"),
    ({"heartbeat": {}}, "heartbeat is an empty table"),
    ({"inside": "x"}, "inside needs like, the name of the dialect"),
    ({"recognised_by": 3}, "recognised_by must be conditions such as .key=value., not 3"),
    ({"recognised_by": "[@evnt=x]"}, "recognised_by asks for '@evnt'; did you mean @event"),
    ({"recognised_by": "[@event=x|]"}, "an event name as"),
    ({"heartbeat": {"data": '{"t":"hb"}'}}, r'heartbeat.data is a text that holds JSON; write the value itself: {"t"'),
    ({"heartbeat": {"data": object()}}, "heartbeat.data must be a JSON value: .*object is not JSON"),
    ({"error_frame": {"data": object()}}, "error_frame.data must be a JSON value: .*object is not JSON"),
    ({"error_frame": {"data": float("nan")}}, "error_frame.data must be a JSON value"),
    ({"error_frame": {"data": {"m": ["$mesage"]}}}, "fills in nothing for '.mesage'; did you mean .message"),
    ({"error_frame": {"data": {"m": "No: $message"}}}, "fills in .message as a whole text, not within 'No: "),
    ({"tools": {"nme": "x"}}, "tools has no key 'nme'; did you mean name"),
    ({"tools": {"id": "x"}}, "tools says neither name, arguments nor whole"),
    ({"kind": "t", "tools": {"k": ["x"]}}, "tools.k must be a table, not 'x'"),
    ({"usage": {"input_token": "x"}}, "usage has no key 'input_token'; did you mean input_tokens"),
    ({"error": {"words": "x"}}, "error has no key 'words'"),
    ({"recognised_by": "foo"}, "recognised_by: 'foo' is no condition"),
    ({"recognised_by": "[@event]"}, "an event name as"),
    ({"ends": 1}, "ends must be kinds or paths, not 1"),
    ({"like": "gemni"}, "like names no dialect: 'gemni'; did you mean gemini"),
    ({"takes_comments": 1}, "takes_comments must be true or false, not 1"),
    ({"sentinel": 1}, "sentinel must be a text"),
    ({"fails": 1}, "fails must be a text or a list of texts, not 1"),
    ({"error_frame": {"dat": 1}}, "error_frame has no key 'dat'; did you mean data"),
    ({"error_frame": {"event": "e"}}, "error_frame needs data"),
    ({"heartbeat": {"event": "a\nb"}}, "heartbeat.event must be a name on one line"),
    ({"heartbeat": "ping"}, "heartbeat must be a table"),
    ({"cumulative": "yes"}, 'cumulative must be "maybe", true or false'),
    ({"prose": "say"}, "prose names events, whose names must be the kinds"),
    (
        {"ends": "[DONE]"},
        "ends: [DONE] asks for a key DONE; of a last payload that is not JSON, write sentinel='[DONE]'",
    ),
    ({"kind": "t", "ends": ["bye", "[DONE]"]}, "ends: [DONE] asks for a key"),
    ({"kind": "t", "ends": {"bye": "[DONE]"}}, "ends.bye: [DONE] asks for a key"),
    ({"kind": "t", "finish": {"[DONE]": "why"}}, "finish: [DONE] asks for a key"),
    ({"text": "choices[0].t"}, "text: 'choices[0].t': [0] is a condition, .* write choices.0.t"),
    ({"text": ["a", "[0].t"]}, "text: '[0].t': [0] is a condition, .* write 0.t"),
    ({"tools": {"at": "calls[0]", "name": "n"}}, "tools.at: 'calls[0]': [0] is a condition, .* write calls.0"),
    ({"text": "choices[*].t"}, r"[\*] is a condition, .* write choices\.\*\.t"),
    ({"kind": "a[0].t"}, "kind: 'a[0].t': .* write a.0.t"),
    ({"text": "$.choices.0.t"}, "text: '$.choices.0.t' begins at the payload without a $; write choices.0.t"),
    ({"ends": "[$.done]"}, "ends: '$.done' begins at the payload without a $; write done"),
    (
        {"recognised_by": '[kind="piece"]'},
        'recognised_by: [kind="piece"] asks for the text .*; .* quotes: [kind=piece]',
    ),
    ({"text": "a[b!='x'|'y'].c"}, "text: [b!='x'|'y'] asks for the text .*; write it without quotes: [b!=x|y]"),
    ({"ends": "[kind==piece]"}, "ends: [kind==piece] asks for the text .*; write it with one =: [kind=piece]"),
    ({"ends": "[done=True]"}, "ends: [done=True] asks for the text .*; write it with true: [done=true]"),
    ({"complete_when": "[done!=False]"}, "complete_when: [done!=False] asks for the text .*; .* [done!=false]"),
]


@pytest.mark.parametrize(("table", "words"), WRONG, ids=[words for _, words in WRONG])
def test_a_wrong_table_is_told_with_its_key_and_the_fix(table: dict[str, Any], words: str) -> None:
    pattern = re.sub(r"[\[$|]", r"\\\g<0>", words)
    with pytest.raises((ValueError, TypeError), match=pattern):
        declare("mine", **table)
    if not any(not isinstance(key, str) for value in table.values() if isinstance(value, dict) for key in value):
        with pytest.raises((ValueError, TypeError), match=pattern.replace("dialect mine", r"dialects\.mine")):
            Profiles.from_mapping({"dialects": {"mine": table}})


# What looks like one of these mistakes, and is none: the words are what the payload says
UNUSUAL: list[tuple[dict[str, Any], Any]] = [
    ({"text": "a[0=x].1"}, {"a": ["x", "Hi"]}),
    ({"text": "a.$"}, {"a": {"$": "Hi"}}),
    ({"text": "[done=True|true].t"}, {"done": "True", "t": "Hi"}),
    ({"text": "[why=it's].t"}, {"why": "it's", "t": "Hi"}),
    ({"text": "[!0].t"}, {"t": "Hi"}),
    ({"text": "[DONE=1].t"}, {"DONE": 1, "t": "Hi"}),
    ({"text": "[event=tok].t"}, {"event": "tok", "t": "Hi"}),
]


@pytest.mark.parametrize(("table", "payload"), UNUSUAL, ids=[str(table["text"]) for table, _ in UNUSUAL])
def test_an_unusual_condition_is_no_mistake(table: dict[str, Any], payload: Any) -> None:
    assert read(sse(payload), declare("mine", **table)).text == "Hi"


def test_kinds_are_separated_by_bars_wherever_kinds_are_named() -> None:
    either = declare("either", kind="t", text={"a|b": "x"}, ends="bye|end")
    for last in ("bye", "end"):
        report = read(sse({"t": "b", "x": "Hi"}, {"t": last}), either)
        assert (report.text, report.verdict) == ("Hi", Verdict.COMPLETE)


def test_a_dialect_has_a_name() -> None:
    with pytest.raises(TypeError, match="the name of a dialect must be a text"):
        declare("")


TOML = """
[dialects.mine]
recognised_by = "[t=say][words:text]"
kind = "t"
text = {say = "words"}
ends = "bye"
tools.call = {id = "call", name = "fn", arguments = "piece"}

[proxy.timeouts]
acme = 10.0

[proxy.streaming.acme]
dialect = "mine"
"""


def test_a_profile_file_declares_the_same() -> None:
    profiles = Profiles.from_mapping(tomllib.loads(TOML))
    data = sse(SAY, {"t": "call", "call": "c", "fn": "f", "piece": "{}"}, {"t": "bye"})
    assert b"".join(repair([data], **profiles["acme"])) == data
    assert profiles["acme"]["dialect"] is not profiles["acme"]["dialect"]
    assert "dialect" not in profiles.default
    report = read(data, profiles.dialects["mine"])
    assert (report.verdict, report.text, report.tool_calls[0]["name"]) == (Verdict.COMPLETE, "Hi", "f")


def test_a_profile_file_that_is_wrong_says_where() -> None:
    with pytest.raises(ValueError, match=r"dialects\.mine has no key 'txt'; did you mean text"):
        Profiles.from_mapping({"dialects": {"mine": {"txt": "x"}}})
    with pytest.raises(ValueError, match=r"proxy\.streaming\.dialect: no dialect is named 'opnai-chat'; did you mean"):
        Profiles.from_mapping({"proxy": {"streaming": {"dialect": "opnai-chat"}}})
    for name in ("openai-chat", "dify"):
        with pytest.raises(ValueError, match=f"dialects.{name}: '{name}' is a dialect of unbroken; choose"):
            Profiles.from_mapping({"dialects": {name: {"text": "x"}}})


def test_a_declared_dialect_that_is_registered_is_recognised() -> None:
    register(MINE)
    try:
        assert read(sse(SAY)).dialect == "mine"
    finally:
        del REGISTRY["mine"]


# Recognition

EXAMPLES: dict[str, tuple[bytes, ...]] = {
    "ai-sdk-ui": (
        sse({"type": "start"}, {"type": "start-step"}, {"type": "text-start", "id": "0"}),
        sse({"type": "error", "errorText": "An error occurred."}),
    ),
    "ag-ui": (
        sse({"type": "RUN_STARTED", "threadId": "t", "runId": "r"}, {"type": "STATE_SNAPSHOT", "snapshot": {}}),
        sse({"type": "RUN_ERROR", "message": "no", "code": "X"}),
    ),
    "dify": (
        sse(
            {"event": "workflow_started", "task_id": "t", "workflow_run_id": "w", "data": {"id": "w"}},
            {"event": "text_chunk", "task_id": "t", "workflow_run_id": "w", "data": {"text": "Hi"}},
        ),
        sse({"event": "agent_message", "task_id": "t", "message_id": "m", "answer": "Hi"}),
        sse({"event": "error", "task_id": "t", "status": 400, "code": "invalid_param", "message": "no"}),
    ),
    "gemini-code-assist": (
        sse({"response": {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}, "traceId": "a"}),
        sse({"response": {"usageMetadata": {"promptTokenCount": 3}}}),
    ),
    "gemini-interactions": (
        sse({"event_type": "interaction.start", "interaction": {"id": "i", "status": "in_progress"}}),
        sse({"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "Hi"}}),
    ),
    "google-adk": (
        sse({"content": {"parts": [{"text": "Hi"}]}, "invocationId": "e", "author": "a", "actions": {}, "id": "x"}),
    ),
    "langgraph": (
        sse({"run_id": "r", "attempt": 1}, event="metadata"),
        sse([{"type": "AIMessageChunk", "content": "Hi", "id": "m"}, {"langgraph_node": "a"}], event="messages"),
        sse([{"type": "human", "content": "Hi", "id": "m"}], event="messages/complete"),
    ),
    "langserve": (sse({"content": "Hi", "type": "AIMessageChunk", "id": "r"}, event="data"),),
    "a2a-0.3": (
        sse({"jsonrpc": "2.0", "id": 1, "result": {"kind": "task", "id": "T", "status": {"state": "submitted"}}}),
        sse({"jsonrpc": "2.0", "id": 1, "result": {"kind": "message", "role": "agent", "parts": [{"text": "Hi"}]}}),
    ),
    "a2a-1.0": (
        sse(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "result": {"task": {"id": "T", "contextId": "C", "status": {"state": "TASK_STATE_SUBMITTED"}}},
            }
        ),
        sse({"message": {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "Hi"}]}}),
        sse({"artifactUpdate": {"taskId": "T", "artifact": {"parts": [{"text": "Hi"}]}}}),
    ),
    "claude-cli": (
        lines({"type": "system", "subtype": "init", "session_id": "s", "tools": []}),
        lines({"type": "result", "subtype": "success", "is_error": False, "result": "Hi", "session_id": "s"}),
        lines({"type": "stream_event", "event": {"type": "content_block_start", "index": 0, "content_block": {}}}),
    ),
    "codex-exec": (
        lines({"type": "thread.started", "thread_id": "t"}, {"type": "turn.started"}),
        lines({"type": "item.completed", "item": {"id": "i", "type": "agent_message", "text": "Hi"}}),
    ),
    "n8n": (
        lines({"type": "begin", "metadata": {"nodeId": "n", "nodeName": "AI Agent", "timestamp": 1}}),
        lines({"type": "begin", "metadata": {"nodeId": "n"}}),
    ),
    "langflow": (
        lines({"event": "vertices_sorted", "data": {"ids": ["ChatInput-a"], "to_run": []}}),
        sse({"event": "token", "data": {"chunk": "Hi", "id": "m"}}),
    ),
    "langflow-responses": (
        sse({"id": "d", "object": "response.chunk", "model": "f", "delta": {"content": ""}, "status": None}),
    ),
    "flowise": (
        b'message:\ndata:{"event":"start","data":"Hi"}\n\nmessage:\ndata:{"event":"token","data":"Hi"}\n\n',
        sse({"event": "thinking", "data": "hm"}),
    ),
    "agentcore-strands": (
        sse({"init_event_loop": True}, {"start": True}, {"event": {"messageStart": {"role": "assistant"}}}),
        sse({"event": {"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}}}),
    ),
    "coze": (
        sse({"id": "1", "conversation_id": "c", "bot_id": "b", "status": "created"}, event="conversation.chat.created"),
        sse({"conversation_id": "c", "last_error": {"code": 5000}}, event="conversation.chat.failed"),
    ),
    # Model servers and clouds
    "cody-completions": (sse({"completion": "<k", "stopReason": ""}, event="completion"),),
    "cortex-agents": (sse({"content_index": 0, "text": "Let me"}, event="response.thinking.delta"),),
    "dashscope": (
        b'id:1\nevent:result\n:HTTP_STATUS/200\ndata:{"output":{"finish_reason":"null","text":"Hi"},"request_id":"q"}\n\n',
    ),
    "koboldcpp": (sse({"token": "Hi", "finish_reason": None}, event="message"),),
    "llamacpp-completion": (sse({"content": "Hi", "multimodal": False, "slot_id": 0, "stop": False}),),
    "openai-assistants": (sse({"id": "s", "object": "thread.run.step", "type": "message_creation"}),),
    "openai-transcription": (sse({"type": "transcript.text.segment", "text": "Hi", "speaker": "A", "id": "s"}),),
    "replicate": (b"id: 1690776907000:0\nevent: output\ndata: {\n\n",),
    "sap-orchestration": (sse({"request_id": "q", "final_result": {"choices": [{"index": 0, "delta": {}}]}}),),
    "sglang-generate": (sse({"text": "H", "output_ids": [1], "meta_info": {"id": "r", "finish_reason": None}}),),
    "watsonx-generation": (
        b"id: 1\nevent: message\ndata: {}\n\n"
        + sse({"model_id": "m", "created_at": "2025-06-24T15:30:13.552Z", "results": [{"generated_text": ""}]}),
    ),
    "workers-ai": (sse({"response": 7, "p": "abc"}),),
}
"""Beginnings of streams as each dialect's servers write them, beside the answers of `unbroken.testing`."""

STRANGERS = [
    {"type": "start"},
    {"type": "text-delta", "delta": "Hi"},
    {"type": "error", "errorText": 1},
    {"type": "RUN_STARTED"},
    {"type": "finish"},
    {"task_id": "t", "event": "progress", "answer": 1},
    {"task_id": "t", "status": "running"},
    {"event": "message", "answer": "Hi"},
    {"event": "error", "message": "no"},
    {"event": "ping"},
    {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info"}},
    {"level": "error", "message": "no", "time": 1},
    # The Model Context Protocol
    {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "Hi"}], "isError": False}},
    {"jsonrpc": "2.0", "id": 1, "result": {"task": {"taskId": "t", "status": "working"}}},
    {"jsonrpc": "2.0", "id": 1, "result": {"kind": "task", "status": "working"}},
    {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no"}},
    {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}},
    # Like one of a table, and none
    {"response": "Hi", "done": False},
    {"response": {"text": "Hi"}},
    {"message": {"role": "assistant", "content": "Hi"}},
    {"message": {"role": "agent", "parts": []}},
    {"task": {"id": 1, "status": "done"}},
    {"statusUpdate": {"status": {"state": "done"}}},
    {"event": {"name": "click"}},
    {"event": "token", "data": {"id": 1}},
    {"event": "add_message", "data": {"text": "Hi"}},
    {"event": "end", "data": "[DONE]"},
    {"type": "system", "message": "Hi"},
    {"type": "assistant", "text": "Hi"},
    {"type": "result", "result": "Hi"},
    {"type": "item", "content": "Hi"},
    {"type": "item.completed", "item": "Hi"},
    {"type": "begin"},
    {"event_type": "step.start", "step": 1},
    {"invocationId": "e", "author": "a"},
    {"token": "Hi"},
    {"token": "Hi", "finish_reason": None, "index": 0},
    {"text": "Hi", "meta_info": {}},
    {"response": "Hi"},
    {"content": "Hi", "stop": False},
    {"request_id": "q", "output": {"audio": {"data": ""}}},
    {"model_id": "m", "results": [{"generated_text": "Hi"}]},
    {"object": "thread", "id": "t"},
    {"type": "transcript.text.delta"},
]


def fields_of(block: str) -> dict[str, str]:
    """Return the fields of an event by name, each as its last line says it."""
    parts = [line.partition(":") for line in block.split("\n") if line[:1] not in ("{", ":", "")]
    return {name: value.removeprefix(" ") for name, _, value in parts}


def first_payloads(data: bytes) -> Iterator[tuple[str, Any]]:
    """Yield names and payloads, of events and of lines."""
    for block in data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n\n"):
        fields = fields_of(block)
        lines = [fields.get("data", ""), *[line for line in block.split("\n") if line[:1] == "{"]]
        for line in lines:
            with contextlib.suppress(ValueError):
                yield fields.get("event", "message"), json.loads(line)


def test_each_answer_is_recognised_by_its_own_dialect_and_by_no_other() -> None:
    streams = [(name, spell(name, ANSWER).data) for name in DIALECTS]
    streams += [(name, data) for name, examples in EXAMPLES.items() for data in examples]
    for name, data in streams:
        for event, payload in first_payloads(data):
            found = [other for other in dialect_names() if dialect_named(other).recognises(event, payload)]
            assert set(found) <= {name}, (name, payload)
        for other in dialect_names():
            assert other == name or not claims_prose(other, data), (name, other)
        assert read(data).dialect == name or name == "vocabulary", (name, data)


def claims_prose(name: str, data: bytes) -> bool:
    """Return whether this dialect takes one of these events for prose of its own."""
    dialect, blocks = dialect_named(name), data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n\n")
    told = [fields_of(block) for block in blocks if "event:" in block]
    return any(
        dialect.recognises_prose(fields["event"], fields.get("data", ""), fields.get("id", ""))
        for fields in told
        if "event" in fields
    )


def test_what_is_of_no_dialect_is_recognised_by_none() -> None:
    for payload in STRANGERS:
        assert recognise("message", payload) is None, payload
    for event in ("messages", "metadata", "data", "end", "error", "token"):
        for value in ({"run_id": "r"}, {"type": "note", "content": "Hi"}, [{"text": "Hi"}], ["Hi"], [], "Hi", None):
            assert recognise(event, value) is None, (event, value)


RECORDED: set[tuple[str, str]] = {
    ("gemini-interactions", "google-gemini"),
    # Model servers and clouds
    ("cody-completions", "cody-gateway"),
    ("dashscope", "dashscope"),
    ("openai-assistants", "openai"),
    ("sap-orchestration", "sap-aicore"),
}
"""Dialects of tables, and the folders of recorded streams that are truly theirs."""


@needs_captures
@pytest.mark.slow
def test_no_recorded_stream_is_taken_for_one_of_a_table() -> None:
    found = {
        (name, file.partition("/")[0])
        for file in chosen(lambda entry: True)
        for event, payload in first_payloads(body(file))
        for name in SHELVED
        if dialect_named(name).recognises(event, payload)
    }
    assert found == RECORDED
    files = chosen(lambda entry: True)
    assert [(name, file) for file in files for name in SHELVED if claims_prose(name, body(file))] == []


TWICE = {("openai-chat", "openai-completions"), (None, "gemini")}
"""What two dialects recognise: chunks of chat with the keys of the other, of which chat is asked first; and an error
body of Google's, which is no stream."""


@needs_captures
@pytest.mark.slow
def test_each_recorded_stream_is_recognised_by_its_own_dialect_and_by_no_other() -> None:
    files = chosen(lambda entry: True)
    dialects = [dialect_named(name) for name in dialect_names()]
    found: set[tuple[str | None, str]] = set()
    for file in files:
        own = read(body(file)).dialect
        for event, payload in first_payloads(body(file)):
            found |= {(own, dialect.name) for dialect in dialects if dialect.recognises(event, payload)}
    assert len(files) > 380
    assert {pair for pair in found if pair[0] != pair[1]} == TWICE


def test_the_shelf_has_the_marks_of_each_table() -> None:
    """A mark that is missing there would leave a dialect unrecognised."""
    for name, (_, marks) in shelf._DIALECTS.items():
        dialect = dialect_named(name)
        if issubclass(dialect, Declared):
            assert set(marks.split()) == dialect.table.marks, f"{name}: {' '.join(sorted(dialect.table.marks))}"
        assert dialect.name == name
        assert name in EXAMPLES or name not in SHELVED, f"{name}: write beginnings of its streams"


def test_a_payload_without_marks_loads_nothing() -> None:
    fresh = shelf.ShelvedDialects(shelf._DIALECTS)
    assert fresh.candidates("message", {"text": "Hi", "type": "note"}) == ()
    assert fresh.candidates("message", ["type"]) == ()
    assert fresh.candidates("message", {"type": "text-delta"}) == ("ai-sdk-ui",)
    both = fresh.candidates("message", {"type": "error", "event": "token", "request_id": "r"})
    assert both == [name for name in fresh.names if name in {*both}]
    assert {*both} == {"ai-sdk-ui", "n8n", "langflow", "flowise", "agentcore-strands", "dashscope", "sap-orchestration"}
    assert len(LATER) == 1


def test_the_page_has_the_rows_of_the_tables_and_the_reference_their_names() -> None:
    assert dialect_rows.written(dialect_rows.PAGE.read_text()) == dialect_rows.PAGE.read_text(), "see contributing.md"
    tables = dialect_rows.PAGE.read_text().split("\n\n|")
    recognised, written, _, why = tables[1], tables[2], tables[3], tables[4]
    for name in REGISTRY:
        assert all(f"`{name}`" in table for table in (recognised, why)), name
        assert f"`{name}`" in written, name
    reference = (dialect_rows.PAGE.parent / "reference.md").read_text()
    assert [name for name in dialect_names() if f"`{name}`" not in reference] == []


def test_the_tool_tells_how_long_each_table_is_here_and_in_a_commit(capsys: pytest.CaptureFixture[str]) -> None:
    dialect_rows.main(["--lines"])
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {name for name, _ in told if not name.endswith(".py")} == {*shelf.SHELVED.names}
    assert all(int(length) > 5 for _, length in told)
    assert ["tgi.py", str((dialect_rows.DIALECTS / "tgi.py").read_text().count("\n"))] in told


# The dialects of this library

OWN_ERRORS: list[tuple[str, Any, str, int | None, str]] = [
    ("ai-sdk-ui", {"type": "error", "errorText": "quota, try again in 2s"}, "upstream-error", None, "quota, try"),
    (
        "ag-ui",
        {"type": "RUN_ERROR", "message": "no room", "code": "rate_limit_exceeded"},
        "rate-limited",
        429,
        "no room",
    ),
    (
        "dify",
        {"event": "error", "task_id": "t", "message_id": "m", "status": 400, "code": "invalid_param", "message": "no"},
        "invalid-request",
        400,
        "no",
    ),
    (
        "dify",
        {
            "event": "workflow_finished",
            "task_id": "t",
            "workflow_run_id": "w",
            "data": {"status": "failed", "error": "node LLM: timeout"},
        },
        "upstream-error",
        None,
        "node LLM",
    ),
    ("gemini-code-assist", {"error": {"code": 429, "message": "slow", "status": "X"}}, "rate-limited", 429, "slow"),
    ("gemini-interactions", {"event_type": "error", "error": {"message": "no"}}, "upstream-error", None, "no"),
    (
        "gemini-interactions",
        {"event_type": "interaction.completed", "interaction": {"id": "i", "status": "failed"}},
        "upstream-error",
        None,
        "",
    ),
    ("google-adk", {"error": "quota, try again in 2s"}, "upstream-error", None, "quota"),
    (
        "google-adk",
        {"invocationId": "e", "author": "a", "errorCode": "RESOURCE_EXHAUSTED", "errorMessage": "slow"},
        "rate-limited",
        429,
        "slow",
    ),
    ("langgraph", ("error", {"error": "RateLimitError", "message": "slow"}), "rate-limited", 429, "slow"),
    ("langserve", ("error", {"status_code": 500, "message": "Internal Server Error"}), "upstream-error", 500, "Int"),
    (
        "a2a-0.3",
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "Internal error"}},
        "upstream-error",
        None,
        "Internal",
    ),
    (
        "a2a-0.3",
        {
            "jsonrpc": "2.0",
            "id": 1,
            "result": {
                "kind": "status-update",
                "final": True,
                "status": {"state": "rejected", "message": {"parts": [{"kind": "text", "text": "no such city"}]}},
            },
        },
        "upstream-error",
        None,
        "no such",
    ),
    (
        "a2a-1.0",
        {"statusUpdate": {"taskId": "T", "status": {"state": "TASK_STATE_CANCELED"}}},
        "upstream-error",
        None,
        "",
    ),
    ("a2a-1.0", {"jsonrpc": "2.0", "id": 1, "error": {"code": -32001, "message": "no"}}, "upstream-error", None, "no"),
    (
        "claude-cli",
        {"type": "result", "subtype": "success", "is_error": True, "result": "Not logged in", "session_id": "s"},
        "upstream-error",
        None,
        "Not logged in",
    ),
    (
        "claude-cli",
        {"type": "result", "subtype": "error_max_turns", "is_error": False, "errors": ["too many turns"]},
        "upstream-error",
        None,
        "too many",
    ),
    ("codex-exec", {"type": "turn.failed", "error": {"message": "401"}}, "upstream-error", None, "401"),
    ("n8n", {"type": "error", "content": "no model", "metadata": {"nodeId": "a"}}, "upstream-error", None, "no model"),
    ("langflow", {"event": "error", "data": {"error": "no key"}}, "upstream-error", None, "no key"),
    (
        "langflow",
        {"event": "error", "data": {"error": True, "category": "error", "text": "no key"}},
        "upstream-error",
        None,
        "no key",
    ),
    (
        "langflow-responses",
        {"object": "response.chunk", "model": "f", "delta": {"content": "no key"}, "status": "failed"},
        "upstream-error",
        None,
        "no key",
    ),
    (
        "langflow-responses",
        {"error": {"message": "no key", "type": "processing_error"}},
        "upstream-error",
        None,
        "no key",
    ),
    ("flowise", {"event": "error", "data": "no key"}, "upstream-error", None, "no key"),
    ("flowise", {"event": "abort", "data": "[DONE]"}, "upstream-error", None, ""),
    (
        "agentcore-strands",
        {"error": "too long", "error_type": "ValidationException", "message": "An error occurred during streaming"},
        "invalid-request",
        400,
        "too long",
    ),
    ("agentcore-strands", {"force_stop": True, "force_stop_reason": "no"}, "upstream-error", None, "no"),
    (
        "coze",
        (
            "conversation.chat.failed",
            {"id": "1", "status": "failed", "last_error": {"code": 5000, "msg": "event interval error"}},
        ),
        "upstream-error",
        None,
        "event interval",
    ),
    ("coze", ("error", {"code": 4000, "msg": "no"}), "upstream-error", None, "no"),
    # Model servers and clouds
    ("cody-completions", ("error", {"error": "message content cannot be empty"}), "upstream-error", None, "message"),
    (
        "cortex-agents",
        ("error", {"code": "399504", "message": "no such agent", "request_id": "q"}),
        "upstream-error",
        None,
        "no such",
    ),
    (
        "dashscope",
        ("error", {"code": "Throttling.RateQuota", "message": "too fast", "request_id": "q"}),
        "rate-limited",
        429,
        "too fast",
    ),
    ("dashscope", {"code": "DataInspectionFailed", "message": "no", "request_id": "q"}, "content-filtered", 400, "no"),
    ("koboldcpp", {"token": "", "finish_reason": "error"}, "upstream-error", None, ""),
    (
        "llamacpp-completion",
        {"error": {"code": 503, "message": "loading", "type": "unavailable_error"}},
        "overloaded",
        503,
        "loading",
    ),
    (
        "openai-assistants",
        (
            "thread.run.failed",
            {
                "id": "run_1",
                "object": "thread.run",
                "status": "failed",
                "last_error": {"code": "rate_limit_exceeded", "message": "quota"},
            },
        ),
        "rate-limited",
        429,
        "quota",
    ),
    ("openai-assistants", {"id": "r", "object": "thread.run", "status": "expired"}, "upstream-error", None, ""),
    ("openai-transcription", {"error": {"message": "bad audio", "code": 400}}, "invalid-request", 400, "bad audio"),
    ("replicate", ("error", {"detail": "out of memory"}), "upstream-error", None, "out of"),
    ("replicate", ("error", "out of memory"), "upstream-error", None, "out of"),
    ("replicate", ("done", {"reason": "canceled"}), "upstream-error", None, ""),
    (
        "sap-orchestration",
        {"error": {"request_id": "q", "code": 400, "message": "LLM Module: no model", "location": "LLM Module"}},
        "invalid-request",
        400,
        "LLM Module",
    ),
    (
        "sglang-generate",
        {
            "text": "",
            "meta_info": {
                "id": "r",
                "finish_reason": {
                    "type": "abort",
                    "message": "too long",
                    "status_code": 400,
                    "err_type": "BadRequestError",
                },
            },
        },
        "invalid-request",
        400,
        "too long",
    ),
    (
        "watsonx-generation",
        (
            "error",
            {"errors": [{"code": "token_quota_reached", "message": "no tokens"}], "trace": "t", "status_code": 429},
        ),
        "rate-limited",
        429,
        "no tokens",
    ),
    (
        "watsonx-generation",
        {
            "model_id": "m",
            "created_at": "2025-06-24T15:30:13.552Z",
            "results": [{"generated_text": "", "stop_reason": "TIME_LIMIT"}],
        },
        "upstream-error",
        None,
        "",
    ),
    (
        "workers-ai",
        {"errors": [{"code": 3040, "message": "Capacity temporarily exceeded"}], "success": False},
        "upstream-error",
        None,
        "Capacity",
    ),
]


def failing(name: str, payload: Any) -> tuple[bytes, bytes]:
    """Return a beginning of an answer, and the error as its framing spells it."""
    beginning = b"".join(spell(name, Answer(("Hel", "lo"))).frames[: -len(SPELLINGS[name].ends)])
    event, value = payload if isinstance(payload, tuple) else ("", payload)
    return beginning, sse(value, event=event) if SPELLINGS[name].is_sse else lines(value)


def test_an_error_of_the_dialect_fails_the_answer() -> None:
    assert {case[0] for case in OWN_ERRORS} == {*SHELVED}
    for name, payload, code, status, words in OWN_ERRORS:
        beginning, error = failing(name, payload)
        for chunks in cuts_of(beginning + error):
            wire, report = repaired(chunks)
            assert (wire, report.verdict, report.text) == (beginning + error, Verdict.FAILED, "Hello"), payload
            assert report.error is not None
            assert (report.error.code, report.error.status_hint) == (code, status), payload
            assert (report.error.failure.detail or "").startswith(words), payload


@pytest.mark.parametrize("name", SHELVED)
def test_an_answer_is_cut_quoted_ended_and_converted(name: str) -> None:
    errors = [payload for dialect, payload, *_ in OWN_ERRORS if dialect == name]
    quote = json.dumps([EXAMPLES[name], errors], default=repr) + "data: [DONE]\n\nevent: error\n\n"
    answer = Answer(("Hel", "lo ", quote), ANSWER.reasoning, ANSWER.tools, 12, 9)
    whole = spell(name, answer)
    for chunks in cuts_of(whole.data):
        wire, report = repaired(chunks)
        assert (wire, report.dialect, report.verdict) == (whole.data, name, Verdict.COMPLETE)
        assert (report.text, report.reasoning) == (whole.text, whole.reasoning)
        assert report.usage.get("input_tokens") == whole.input_tokens
        assert [call["name"] for call in report.tool_calls] == [call.name for call in whole.tools]
        assert report.error is None
    wire, _ = repaired([whole.data], convert="openai-chat")
    converted = read(wire)
    assert (converted.verdict, converted.text, converted.reasoning) == (Verdict.COMPLETE, whole.text, whole.reasoning)
    beginning = b"".join(whole.frames[: -len(SPELLINGS[name].ends)])
    wire, report = repaired([beginning])
    assert (report.verdict, report.text) == (Verdict.TRUNCATED, whole.text)
    assert wire.startswith(beginning)
    again, report = repaired([wire], dialect=name)
    assert (again, report.verdict, report.error and report.error.code) == (wire, Verdict.FAILED, "truncated")
    assert repaired([wire[len(beginning) :]], dialect=name)[1].verdict is Verdict.FAILED
    wire, report = repaired([b"".join(whole.frames[:3])], convert="openai-chat")
    assert b"\ndata: [DONE]" not in wire
    assert report.verdict is Verdict.TRUNCATED


def test_the_sentinel_behind_an_ai_sdk_stream_that_is_cut_does_not_make_it_whole() -> None:
    cut_stream = sse({"type": "text-start", "id": "0"}, {"type": "text-delta", "id": "0", "delta": "Hi"}, "[DONE]")
    report = read(cut_stream)
    assert report.verdict is Verdict.TRUNCATED
    assert [*report.repairs] == [RepairKind.DONE_AFTER_ERROR]


def test_an_ai_sdk_stream_that_was_aborted_is_not_whole() -> None:
    report = read(
        sse({"type": "start-step"}, {"type": "text-delta", "id": "0", "delta": "Hi"}, {"type": "abort"}, "[DONE]")
    )
    assert (report.verdict, report.text) == (Verdict.FAILED, "Hi")


def test_a_call_that_langflow_ran_is_told_and_words_of_a_failure_are_no_text() -> None:
    def chunk(content: str, **more: object) -> dict[str, object]:
        return {"object": "response.chunk", "model": "f", "delta": {"content": content}, "status": None, **more}

    item = {"type": "function_call", "id": "t", "call_id": "c", "name": "look", "arguments": '{"q":1}'}
    told = [chunk(""), {"type": "response.output_item.done", "item": item}, chunk("Hi")]
    for end, verdict in (
        ([chunk("", status="completed"), "[DONE]"], Verdict.COMPLETE),
        ([chunk("", status="completed")], Verdict.COMPLETE),
        (["[DONE]"], Verdict.TRUNCATED),
        ([], Verdict.TRUNCATED),
        ([chunk("no key", status="failed", finish_reason="error"), "[DONE]"], Verdict.FAILED),
    ):
        report = read(sse(*told, *end))
        assert (report.dialect, report.text, report.verdict) == ("langflow-responses", "Hi", verdict)
        (made,) = report.tool_calls
        assert (made["name"], made["arguments"], made["kind"]) == ("look", '{"q":1}', "hosted")


def test_a_thought_that_a_dify_agent_tells_twice_is_said_once_and_its_tool_is_hosted() -> None:
    thought = {"event": "agent_thought", "task_id": "t", "message_id": "m", "id": "a", "thought": "look it up"}
    call = {"tool": "search", "tool_input": '{"q": 1}'}
    data = sse(
        {**thought, "thought": "", "tool": "", "tool_input": ""},
        {**thought, **call, "observation": ""},
        {**thought, **call, "observation": "found"},
        {**thought, "id": "b", "thought": "; done", "tool": "", "tool_input": ""},
        {"event": "message_end", "task_id": "t", "message_id": "m"},
    )
    report = read(data)
    assert (report.verdict, report.reasoning) == (Verdict.COMPLETE, "look it up; done")
    assert [(one["name"], one["arguments"], one["kind"]) for one in report.tool_calls] == [
        ("search", '{"q": 1}', "hosted")
    ]


def test_a_dify_chatflow_that_fails_behind_its_message_has_failed() -> None:
    done = {"event": "message_end", "task_id": "t", "message_id": "m"}
    flow = {"event": "workflow_finished", "task_id": "t", "workflow_run_id": "w"}
    assert read(sse(done, {**flow, "data": {"status": "succeeded", "total_tokens": 5}})).usage == {"total_tokens": 5}
    assert read(sse(done, {**flow, "data": {"status": "failed", "error": "no"}})).verdict is Verdict.FAILED


def test_a_model_of_google_s_kit_that_goes_on_behind_a_tool_says_nothing_twice() -> None:
    head = {"invocationId": "e", "author": "a", "actions": {}}

    def told(*parts: Any, **more: Any) -> dict[str, Any]:
        return {"content": {"parts": list(parts)}, **head, **more}

    call = {"functionCall": {"id": "c", "name": "look", "args": {"q": 1}}}
    result = told({"functionResponse": {"id": "c", "name": "look", "response": {}}})
    turns = [
        told({"text": "Let me "}, partial=True),
        told({"text": "look. "}, partial=True),
        told({"text": "Let me look. "}, call, finishReason="STOP"),
        result,
        told({"text": "So"}, partial=True),
        told({"text": "So it is."}, finishReason="STOP"),
    ]
    for chunks in cuts_of(sse(*turns)):
        report = repaired(chunks)[1]
        assert (report.verdict, report.text) == (Verdict.COMPLETE, "Let me look. So it is.")
        assert [(one["name"], one["arguments"]) for one in report.tool_calls] == [("look", '{"q":1}')]
    for count, verdict in ((2, "truncated"), (3, "complete"), (4, "truncated"), (5, "truncated")):
        assert read(sse(*turns[:count])).verdict.value == verdict, count
    shown = {**result, "actions": {"skipSummarization": True}}
    assert read(sse(*turns[:3], shown)).verdict is Verdict.COMPLETE
    assert read(sse(told({"text": "Whole."}), result, told({"text": "Whole."}))).text == "Whole.Whole."


def test_a_message_of_langgraph_that_grows_is_said_once() -> None:
    def event(name: str, *data: Any) -> bytes:
        return sse(list(data), event=name)

    ai = {"type": "ai", "id": "m1"}
    blocks = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hello"}]
    data = (
        sse({"run_id": "r", "attempt": 1}, event="metadata")
        + event("messages/partial", {**ai, "content": "Hel"})
        + event("messages/partial|sub:1", {**ai, "id": "m2", "content": " wor"})
        + event("messages/partial", {**ai, "content": blocks})
        + event("messages/partial|sub:1", {**ai, "id": "m2", "content": " world"})
        + event("messages/complete", {"type": "tool", "id": "m3", "content": "no"})
    )
    last = event(
        "messages/complete", {**ai, "content": blocks, "tool_calls": [{"id": "c", "name": "f", "args": {"a": 1}}]}
    )
    for chunks in cuts_of(data + last):
        wire, report = repaired(chunks)
        assert (wire, report.verdict, report.reasoning) == (data + last, Verdict.COMPLETE, "hm")
        assert report.text == "Hel" + " wor" + "lo" + "ld"
        assert [(one["name"], one["arguments"]) for one in report.tool_calls] == [("f", '{"a":1}')]
    assert read(event("messages/partial", {**ai, "content": "Hel"})).verdict is Verdict.TRUNCATED


def test_servers_of_langchain_end_with_a_name_or_behind_what_is_whole() -> None:
    piece = sse([{"type": "AIMessageChunk", "id": "m", "content": "Hi"}, {}], event="messages")
    for end in (b"event: end\n\n", sse("null", event="end"), sse({"messages": []}, event="values")):
        wire, report = repaired([piece + end])
        assert (wire, report.verdict) == (piece + end, Verdict.COMPLETE)
    for last in ({"chunk_position": "last"}, {"response_metadata": {"stop_reason": "end_turn"}}):
        chunk = {"type": "AIMessageChunk", "id": "m", "content": "", **last}
        assert read(piece + sse([chunk, {}], event="messages")).verdict is Verdict.COMPLETE
    assert read(piece).verdict is Verdict.TRUNCATED
    texts = sse({"run_id": "r"}, event="metadata") + sse('"Hel"', '"lo"', event="data")
    assert read(texts + b"event: end\n\n").dialect is None
    report = read(texts + b"event: end\n\n", "langserve")
    assert (report.verdict, report.text) == (Verdict.COMPLETE, "Hello")
    assert read(texts, "langserve").verdict is Verdict.TRUNCATED


def test_a_place_of_a_call_that_is_named_with_another_id_has_another_call() -> None:
    begun = {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "a", "name": "f"}}}
    again = {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "b", "name": "f"}}}

    def piece(text: str) -> dict[str, Any]:
        return {"event": {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": text}}}}}

    stop = {"event": {"messageStop": {"stopReason": "tool_use"}}}
    end = {"event": {"messageStop": {"stopReason": "end_turn"}}}
    usage = {"event": {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}}}}
    message = [{"event": {"contentBlockStart": begun}}, piece('{"q":'), piece("1}"), stop]
    other = [{"event": {"contentBlockStart": again}}, piece('{"q":'), piece("2}")]
    report = read(sse({"init_event_loop": True}, *message, *other, end, usage))
    assert [(one["id"], one["arguments"]) for one in report.tool_calls] == [("a", '{"q":1}'), ("b", '{"q":2}')]
    assert (report.verdict, report.usage["total_tokens"]) == (Verdict.COMPLETE, 5)
    assert read(sse({"init_event_loop": True}, *message)).verdict is Verdict.TRUNCATED


A2A_ANSWERS: list[tuple[str, Any, str]] = [
    (
        "a2a-0.3",
        {
            "kind": "status-update",
            "final": True,
            "status": {"state": "input-required", "message": {"parts": [{"kind": "text", "text": "Where?"}]}},
        },
        "Where?",
    ),
    ("a2a-0.3", {"kind": "message", "role": "agent", "parts": [{"kind": "text", "text": "Hi"}]}, "Hi"),
    (
        "a2a-0.3",
        {"kind": "task", "id": "T", "status": {"state": "completed"}, "artifacts": [{"parts": [{"text": "Hi"}]}]},
        "Hi",
    ),
    ("a2a-1.0", {"message": {"role": "ROLE_AGENT", "parts": [{"text": "H"}, {"text": "i"}]}}, "Hi"),
    (
        "a2a-1.0",
        {
            "statusUpdate": {
                "contextId": "C",
                "status": {"state": "TASK_STATE_INPUT_REQUIRED", "message": {"parts": [{"text": "Where?"}]}},
            }
        },
        "Where?",
    ),
]


def test_an_agent_answers_with_a_message_or_the_words_of_its_last_status() -> None:
    for name, result, text in A2A_ANSWERS:
        rpc = {"jsonrpc": "2.0", "id": 1, "result": result}
        for payload in (rpc, result) if name == "a2a-1.0" else (rpc,):
            report = read(sse(payload))
            assert (report.dialect, report.verdict, report.text) == (name, Verdict.COMPLETE, text), payload


def test_what_a_command_tries_again_is_no_failure_and_no_text_of_its_agents_is_read() -> None:
    own = {"session_id": "s", "parent_tool_use_id": None}

    def event(type: str, **more: Any) -> dict[str, Any]:
        return {"type": "stream_event", "event": {"type": type, **more}, **own}

    init = {"type": "system", "subtype": "init", "session_id": "s", "model": "m"}
    result = {"type": "result", "subtype": "success", "is_error": False, "session_id": "s", "result": "Hello"}
    said = {"type": "assistant", "message": {"content": [{"type": "text", "text": "Hel"}]}, **own}
    call = {"type": "tool_use", "id": "c", "name": "Bash", "input": {"command": "ls"}}
    turns = [
        init,
        {"type": "system", "subtype": "api_retry", "attempt": 1, "error": "rate_limit", "session_id": "s"},
        said,
        {"type": "assistant", "message": {"content": [call]}, **own},
        {"type": "user", "message": {"content": []}, **own},
        {**said, "parent_tool_use_id": "c"},
        {**said, "message": {"content": [{"type": "text", "text": "lo"}]}},
        result,
    ]
    for chunks in cuts_of(lines(*turns)):
        wire, report = repaired(chunks)
        assert (wire, report.verdict, report.text, [*report.repairs]) == (
            lines(*turns),
            Verdict.COMPLETE,
            "Hello",
            [],
        )
        assert [(one["name"], one["arguments"]) for one in report.tool_calls] == [("Bash", '{"command":"ls"}')]
    pieces = [
        init,
        event("message_start", message={"role": "assistant"}),
        event("error", error={"type": "overloaded_error", "message": "no"}),
        event("message_start", message={"role": "assistant"}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hel"}),
        {
            **event("content_block_delta", index=0, delta={"type": "text_delta", "text": "no"}),
            "parent_tool_use_id": "c",
        },
        said,
        event("message_stop"),
        event("message_start", message={"role": "assistant"}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "lo"}),
        event("message_stop"),
    ]
    report = read(lines(*pieces, result))
    assert (report.verdict, report.text, [*report.repairs]) == (Verdict.COMPLETE, "Hello", [])
    assert read(lines(*pieces)).verdict is Verdict.TRUNCATED
    begun = [{"type": "thread.started", "thread_id": "t"}, {"type": "error", "message": "Reconnecting... 1/5"}]
    item = {"id": "i", "type": "mcp_tool_call", "server": "s", "tool": "look", "arguments": {"q": 1}}
    used = [{"type": f"item.{at}", "item": item} for at in ("started", "completed")]
    report = read(lines(*begun, *used, {"type": "turn.completed", "usage": {"input_tokens": 3}}))
    assert (report.verdict, report.usage) == (Verdict.COMPLETE, {"input_tokens": 3})
    assert [(one["name"], one["arguments"], one["kind"]) for one in report.tool_calls] == [
        ("look", '{"q":1}', "hosted")
    ]
    assert read(lines(*begun)).verdict is Verdict.TRUNCATED


def test_flows_end_when_each_of_their_nodes_has_ended() -> None:
    def line(type: str, node: str, **more: Any) -> dict[str, Any]:
        return {"type": type, **more, "metadata": {"nodeId": node, "nodeName": node, "timestamp": 1}}

    told = [
        line("begin", "a"),
        line("begin", "b"),
        line("item", "a", content="Hel"),
        line("end", "a"),
        line("item", "b", content="lo"),
        line("end", "b"),
    ]
    assert read(lines(*told)).verdict is Verdict.COMPLETE
    for count in (1, 3, 4, 5):
        assert read(lines(*told[:count])).verdict is Verdict.TRUNCATED, count
    assert read(lines(*told, line("begin", "c"))).verdict is Verdict.TRUNCATED


def test_the_message_of_a_flow_or_of_a_bot_repeats_its_pieces() -> None:
    token = {"event": "token", "data": {"chunk": "Hel", "id": "m"}}
    message = {"sender": "Machine", "session_id": "c", "text": "Hello", "id": "m", "properties": {}}
    usage = {**message, "properties": {"usage": {"input_tokens": 3, "output_tokens": 2}}}
    told = [{"event": "add_message", "data": each} for each in (message, usage, {**message, "sender": "User"})]
    end = {"event": "end", "data": {"result": {}}}
    for first in ([token], []):
        report = read(lines(*first, *told, end))
        assert (report.text, report.usage) == ("Hello", {"input_tokens": 3, "output_tokens": 2})
    coze = {"conversation_id": "c", "bot_id": "b", "role": "assistant"}
    plugin = {"type": "function_call", "content": '{"name":"look","arguments":{"q":1},"plugin_id":7}'}
    action = {"id": "t", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    asked = {**coze, "status": "requires_action"}
    data = (
        sse({**coze, "id": "1"}, event="conversation.chat.created")
        + sse({**coze, "id": "p", **plugin}, event="conversation.message.completed")
        + sse({**coze, "id": "m", "type": "answer", "content": "Hel"}, event="conversation.message.delta")
        + sse({**coze, "id": "m", "type": "answer", "content": "Hello"}, event="conversation.message.completed")
        + sse({**coze, "id": "v", "type": "verbose", "content": "no"}, event="conversation.message.completed")
        + sse(
            {**asked, "required_action": {"submit_tool_outputs": {"tool_calls": [action]}}},
            event="conversation.chat.requires_action",
        )
        + b'event:done\ndata:"[DONE]"\n\n'
    )
    report = read(data)
    assert (report.dialect, report.verdict, report.text) == ("coze", Verdict.COMPLETE, "Hello")
    assert [(one["name"], one["arguments"], one["kind"]) for one in report.tool_calls] == [
        ("look", '{"q":1}', "hosted"),
        ("f", '{"a":1}', "function"),
    ]
    flow = [{"event": "start", "data": "H"}, {"event": "token", "data": "Hi"}]
    used = {"event": "usedTools", "data": [{"tool": "look", "toolInput": {"q": 1}, "toolOutput": "x"}]}
    report = read(sse(*flow, used, {"event": "end", "data": "[DONE]"}))
    assert [(one["name"], one["kind"]) for one in report.tool_calls] == [("look", "hosted")]


# Model servers and clouds


def outputs(*pieces: str, id: str = "1690776907000:0") -> bytes:
    return b"".join(
        f"id: {id}\nevent: output\n".encode()
        + b"".join(f"data: {line}\n".encode() for line in piece.split("\n"))
        + b"\n"
        for piece in pieces
    )


DONE_EVENT = sse({}, event="done")


def test_prose_of_replicate_stays_as_it_is_whatever_it_looks_like() -> None:
    pieces = (
        "{",
        '"a": ',
        "01",
        ": [DONE]",
        "[DONE]",
        "null",
        "\n",
        " error: no",
        "line\nline",
        '{"error": "no"}',
        "}",
    )
    data = outputs(*pieces)
    for chunks in cuts_of(data + sse("loaded", '{"error": "a log line"}', event="logs") + DONE_EVENT):
        wire, report = repaired(chunks)
        assert (wire, list(report.repairs)) == (b"".join(chunks), [])
        assert (report.dialect, report.verdict, report.text) == ("replicate", Verdict.COMPLETE, "".join(pieces))
    wire, report = repaired([data])
    assert (report.verdict, wire[len(data) :]) == (
        Verdict.TRUNCATED,
        sse({"detail": SENTENCES["truncated"], "code": "truncated", "type": "unbroken_error"}, event="error"),
    )
    assert read(DONE_EVENT, "replicate").verdict is Verdict.COMPLETE
    assert read(b"", "replicate").verdict is not Verdict.ENDED


def test_prose_under_the_name_of_replicate_s_events_is_not_taken_for_it() -> None:
    for data in (outputs("Hi", id="7"), outputs("Hi", id=""), sse("Hi", event="output"), sse({"a": 1}, event="output")):
        report = read(data)
        assert (report.dialect, report.verdict, report.text) == (None, Verdict.ENDED, "")


def test_calls_of_the_steps_of_an_assistant_s_run_are_told_apart() -> None:
    answer = Answer((), (), (ToolCall("call_1", "f", '{"a": 1}'), ToolCall("call_2", "f", '{"a": 2}')), 1, 1)
    data = spell("openai-assistants", answer).data.replace(b'"index":1', b'"index":0')
    report = read(data)
    assert [(call["name"], call["arguments"]) for call in report.tool_calls] == [("f", '{"a": 1}'), ("f", '{"a": 2}')]
    assert read(data.replace(b'"completed"', b'"requires_action"')).verdict is Verdict.COMPLETE


def test_a_run_that_failed_has_failed_though_its_stream_is_done() -> None:
    data = spell("openai-assistants", Answer(("Hi",))).data
    for status in ("failed", "cancelled", "expired"):
        assert read(data.replace(b'"completed"', f'"{status}"'.encode())).verdict is Verdict.FAILED
    cut_run = b"".join(spell("openai-assistants", Answer(("Hi",))).frames[:-2]) + sse("[DONE]", event="done")
    assert read(cut_run).verdict is Verdict.TRUNCATED


def test_a_cortex_agent_s_text_that_stands_only_in_its_whole_is_read() -> None:
    data = b"".join(spell("cortex-agents", Answer(("Hel",))).frames[:-2])
    rest = sse({"content_index": 1, "text": "Hello"}, event="response.text")
    end = sse({"role": "assistant", "content": []}, event="response") + b"event: done\ndata: [DONE]\n\n"
    report = read(data + rest + end)
    assert (report.verdict, report.text, list(report.repairs)) == (Verdict.COMPLETE, "Hello", [])
    told = spell("cortex-agents", ANSWER).data
    for data, kind in ((told, "function"), (told.replace(b',"client_side_execute":true', b""), "hosted")):
        assert [call["kind"] for call in read(data).tool_calls] == [kind]


def test_the_parts_of_dashscope_s_multimodal_content_are_text() -> None:
    def event(text: str, finish: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": [{"text": text}]}
        return {"output": {"choices": [{"message": message, "finish_reason": finish}]}, "request_id": "q"}

    for texts in (("Hello", "Hello! How"), ("Hello", "! How")):
        report = read(sse(event(texts[0], "null"), event(texts[1], "stop"), event="result"))
        assert (report.dialect, report.verdict, report.text) == ("dashscope", Verdict.COMPLETE, "Hello! How")


CHAT_TWINS: list[tuple[str, dict[str, Any], str, int | None]] = [
    ("MiniMax's rate limit", {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, "rate-limited", 429),
    ("MiniMax's balance", {"base_resp": {"status_code": 1008, "status_msg": "no balance"}}, "authentication", 402),
    ("an unknown code of MiniMax's", {"base_resp": {"status_code": 9, "status_msg": "no"}}, "upstream-error", None),
    ("GLM's rate limit", {"error": {"code": "1302", "message": "slow"}}, "rate-limited", 429),
    ("GLM's filter", {"error": {"code": "1301", "message": "unsafe"}}, "content-filtered", 400),
]


@pytest.mark.parametrize(("body", "code", "status"), [case[1:] for case in CHAT_TWINS], ids=[c[0] for c in CHAT_TWINS])
def test_errors_of_those_who_speak_chat_in_their_own_words(body: dict[str, Any], code: str, status: int | None) -> None:
    beginning = b"".join(spell("openai-chat", Answer(("Hi",))).frames[:-3])
    report = read(beginning + sse({"id": "c", "choices": [], **body}))
    assert (report.dialect, report.verdict) == ("openai-chat", Verdict.FAILED)
    assert report.error is not None
    assert (report.error.code, report.error.status_hint) == (code, status)
