"""Text at a human pace: `Pacer`, and what `pace=` changes of a stream: how its text is cut, and nothing else."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import captures, drawn
from tests.laws import facts
from tests.scripted import Clock, ScriptedReader, scripted, warp
from unbroken import (
    Delta,
    Dialect,
    EventClass,
    Pace,
    Pacer,
    Reading,
    RepairedStream,
    Source,
    StreamRepairer,
    StreamReport,
    Timeouts,
    Verdict,
    arepair,
    declare,
    iter_events,
    repair,
)
from unbroken.testing import DIALECTS, Answer, ToolCall
from unbroken.testing.conversations import spell
from unbroken.testing.strategies import dialect_streams

Script = Iterable[tuple[float, bytes | Exception]]
COUNTS_FRAMES = {"bytes_out", "heartbeats"}
"""What a report says of the frames that were written, and not of the stream."""


def chat(text: str, *, id: str = "", **more: Any) -> bytes:
    chunk = {"id": "a", "choices": [{"index": 0, "delta": {"content": text}, **more.pop("choice", {})}], **more}
    return (f"id: {id}\n" if id else "").encode() + b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


START = b'data: {"id":"a","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'


def texts(frames: Iterable[bytes]) -> list[str]:
    """Return the text of each frame that has any, as a reader of chat sees it."""
    return [
        event.json()["choices"][0]["delta"]["content"]
        for frame in frames
        for event in iter_events([frame], format="sse", repairs=(), timeouts=None)
    ]


def timeline(script: Script, *, end: float = 0.0, **options: Any) -> tuple[list[tuple[float, bytes]], StreamReport]:
    """Return what leaves, and when, of what comes at these times; each deadline is met at its time."""
    repairer, left, now = StreamRepairer(**options), [], 0.0

    def until(at: float) -> float:
        due = repairer.next_deadline()
        while due is not None and due <= at:
            left.extend((due, frame) for frame in repairer.on_deadline(due))
            due = repairer.next_deadline()
        return at

    repairer.resume(0.0)
    for at, arrival in script:
        now = until(at)
        given = repairer.fail(arrival, now) if isinstance(arrival, Exception) else repairer.feed(arrival, now)
        left.extend((now, frame) for frame in given)
    now = until(max(now, end))
    left.extend((now, frame) for frame in repairer.close(now))
    return left, repairer.report


# Units


@pytest.mark.parametrize(
    ("by", "tokens", "units"),
    [
        ("words", ["Hel", "lo", " wor", "ld", " and"], ["Hello ", "world ", "and"]),
        ("words", ["a b c", " d"], ["a ", "b ", "c ", "d"]),
        ("words", ["\n\n", "a", "\n\n", "b"], ["\n\na\n\n", "b"]),
        ("words", ["你", "好，世", "界a", "b 你"], ["你", "好", "，", "世", "界", "ab ", "你"]),
        ("lines", ["a b", " c\nd", "e\n", "\n", "f"], ["a b c\n", "de\n", "\n", "f"]),
        ("sentences", ["Pi is 3", ".14. ", "Is", " it? Ye", "s."], ["Pi is 3.14. ", "Is it? ", "Yes."]),
        ("sentences", ['He said "no', '." Then', " he\nleft"], ['He said "no." ', "Then he\n", "left"]),
        ("sentences", ["你好。世", "界！」a"], ["你好。", "世界！」", "a"]),
        (lambda text: 3 * (len(text) > 2), ["ab", "cd", "efg"], ["abc", "def", "g"]),
        (lambda text: -1, ["ab", "cd"], ["abcd"]),
        (lambda text: 99, ["ab", "cd"], ["ab", "cd"]),
    ],
)
def test_tokens_become_units(by: Any, tokens: list[str], units: list[str]) -> None:
    pacer = Pacer(Pace(by, rate=1000.0, max_delay=9.0), dialect="openai-chat")
    assert pacer.feed(START, 0.0) == [START]
    left = [frame for token in tokens for frame in pacer.feed(chat(token), 0.0)]
    for step in range(1, 99):
        left += pacer.on_deadline(step / 999)
    assert texts([*left, *pacer.flush()]) == units


def test_without_a_rate_what_is_whole_leaves_at_once_in_one_frame() -> None:
    pacer = Pacer("words", dialect="openai-chat")
    assert texts(pacer.feed(chat("x ") + chat("one two") + chat(" three fo"), 0.0)) == ["x ", "one two three "]
    assert texts(pacer.feed(chat("ur "), 0.1)) == ["four "]
    assert not pacer.is_holding


def test_the_frame_is_the_last_one_with_the_text_of_all() -> None:
    frames = [
        chat('"a\\', created=1, obfuscation="x"),
        chat("\u20ac\U0001f600", created=2, obfuscation="xyz"),
        chat("c ", created=3, obfuscation="z"),
    ]
    pacer = Pacer("words", dialect="openai-chat")
    assert pacer.feed(chat("x "), 0.0) == [chat("x ")]
    left = [frame for frame in frames for frame in pacer.feed(frame, 0.0)]
    assert left == [chat('"a\\\u20ac\U0001f600c ', created=3, obfuscation="z")]


ESCAPED = [rb"\ud83d\ude00", rb"\u00e9\n", rb"\\\"", rb" b"]


def test_text_is_cut_between_escapes() -> None:
    frame = chat("TEXT").replace(b"TEXT", b"".join(ESCAPED))
    pacer = Pacer(Pace(lambda text: 1, rate=1000.0, max_delay=9.0), dialect="openai-chat")
    left = [*pacer.feed(chat("x"), 0.0), *pacer.feed(frame, 0.1)]
    for step in range(1, 20):
        left += pacer.on_deadline(0.1 + step / 500)
    assert texts(left) == ["x", "😀", "é", "\n", "\\", '"', " ", "b"]
    assert rb'"content": "\ud83d\ude00"' in left[1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (chat("a", model="m"), chat("b ", model="n")),
        (chat("a", usage={"completion_tokens": 1}), chat("b ", usage={"completion_tokens": 2})),
        (chat("a", choice={"logprobs": {"content": [1]}}), chat("b ", choice={"logprobs": {"content": [2]}})),
        (chat("a"), chat("b ", id="7")),
        (chat("X").replace(b'"X"', rb'"\ud83d"'), chat("X").replace(b'"X"', rb'"\ude00 "')),
        (chat("a").replace(b'"delta": {', b'"delta":{'), chat("b ")),
    ],
    ids=["model", "usage", "logprobs", "id", "halves of a character", "spelling"],
)
def test_frames_that_differ_in_more_than_their_text_leave_together_and_apart(first: bytes, second: bytes) -> None:
    pacer = Pacer("words", dialect="openai-chat")
    pacer.feed(chat("x "), 0.0)
    assert pacer.feed(first, 0.0) == []
    assert pacer.feed(second, 0.0) == [first, second]


def test_a_text_that_stands_twice_in_each_frame_is_joined_at_both_places() -> None:
    def frame(text: str) -> bytes:
        details = [{"type": "reasoning.text", "text": text}]
        delta = {"reasoning": text, "reasoning_details": details}
        return b"data: " + json.dumps({"id": "a", "choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"

    pacer = Pacer("words", dialect="openai-chat")
    assert [*pacer.feed(frame("x "), 0.0), *pacer.feed(frame("y "), 0.0)] == [frame("x "), frame("y ")]
    assert pacer.feed(frame("on"), 0.0) + pacer.feed(frame("on"), 0.0) == []
    assert pacer.feed(frame("e "), 0.0) == [frame("onone ")]


def test_a_text_that_stands_elsewhere_by_chance_is_joined_where_it_is_read() -> None:
    pacer = Pacer("words", dialect="openai-chat")
    pacer.feed(chat("x ", model="fp"), 0.0)
    assert pacer.feed(chat("fp", model="fp"), 0.0) == []
    assert pacer.feed(chat("s ", model="fp"), 0.0) == [chat("fps ", model="fp")]


# Ids: who resumes behind one loses nothing, and reads nothing twice


def test_a_joined_frame_has_the_id_of_the_last_one_and_none_with_an_id_is_split() -> None:
    pacer = Pacer("words", dialect="openai-chat")
    assert pacer.feed(chat("x ", id="1"), 0.0) == [chat("x ", id="1")]
    assert pacer.feed(chat("Hel", id="2"), 0.0) + pacer.feed(chat("lo wor", id="3"), 0.0) == []
    assert pacer.feed(chat("ld", id="4"), 0.0) == []
    assert pacer.feed(chat(" and", id="5"), 0.0) == [chat("Hello world", id="4")]
    assert pacer.flush() == [chat(" and", id="5")]


def test_nor_is_one_with_a_sequence_number() -> None:
    def delta(text: str, number: int) -> bytes:
        body = {"type": "response.output_text.delta", "item_id": "i", "sequence_number": number, "delta": text}
        return b"event: response.output_text.delta\ndata: " + json.dumps(body).encode() + b"\n\n"

    pacer = Pacer("words", dialect="openai-responses")
    assert pacer.feed(delta("x ", 1), 0.0) == [delta("x ", 1)]
    assert [*pacer.feed(delta("one tw", 2), 0.0), *pacer.feed(delta("o", 3), 0.0)] == []
    assert pacer.feed(delta(" ", 4), 0.0) == [delta("one two ", 4)]


# What stands beside the text


ADDITIONS: dict[str, Any] = {
    "annotations": [{"type": "url_citation", "id": "u"}],
    "audio": {"id": "a", "data": "AAAA"},
    "citations": ["u"],
    "citationMetadata": {"citationSources": [{"uri": "u"}]},
    "images": [{"type": "image_url", "index": 0}],
    "logprobs": {"tokens": ["on"], "token_logprobs": [0]},
    "logprob": 0,
    "reasoning_signature": "s",
    "thoughtSignature": "s",
    "encrypted_content": "s",
    "token_ids": [5],
    "output_ids": [5],
    "usage": {"completion_tokens": 1},
    "usage_metadata": {"output_tokens": 1},
    "data": "AAAA",
    "attachment": {"id": "a"},
    "new_words": ["a"],
}
"""What clients append or add up, and a list of no known name."""


def with_beside(data: bytes, words: Iterable[str], addition: tuple[str, Any], *, every: bool) -> bytes:
    """Return a stream with an addition in each object around the text of every frame, or of one in two."""
    said, count = set(words), 0

    def add(value: Any) -> bool:
        entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        around = [add(each) for each in entries]
        is_around = any(around) or any(isinstance(each, str) and each in said for each in entries)
        if is_around and isinstance(value, dict) and addition[0] not in value:
            value[addition[0]] = addition[1]
        return is_around

    lines = []
    for line in data.decode().split("\n"):
        head, brace, rest = line.partition("{") if line.startswith(("data: {", "data:{", "{")) else (line, "", "")
        payload = json.loads(brace + rest) if brace else None
        if payload is not None and any(f": {json.dumps(word)}" in json.dumps(payload) for word in said):
            count += 1
            if every or count % 2:
                add(payload)
                line = head + json.dumps(payload)
        lines.append(line)
    return "\n".join(lines).encode()


@pytest.mark.parametrize("key", ADDITIONS)
def test_in_no_dialect_is_anything_beside_the_text_said_twice_or_left_out(key: str) -> None:
    words = ("One two", " three", "four five", "four five", " six seven ", "eight nine")
    answer = Answer(words, ("Hm hm", "so so"), (), 1, 2)
    spelt = f"{json.dumps(key)}: {json.dumps(ADDITIONS[key])}".encode()
    looked_at = set()
    for dialect in DIALECTS:
        for every in (False, True):
            data = with_beside(spell(dialect, answer).data, words, (key, ADDITIONS[key]), every=every)
            if spelt not in data:
                continue
            looked_at.add(dialect)
            for pace in ("words", "lines"):
                written, _ = timeline([(0.0, data)], pace=pace)
                wire = b"".join(piece for _, piece in written)
                assert wire.count(spelt) == data.count(spelt), (dialect, every, pace)
    assert len(looked_at) > 25


LABELS: dict[str, Any] = {"session": "s", "where": {"node": "agent", "step": 1, "tags": ["a"]}, "first": True}


@pytest.mark.parametrize("key", LABELS)
def test_what_frames_with_other_texts_share_is_a_label(key: str) -> None:
    more = {key: LABELS[key]}
    pacer = Pacer("words", dialect="openai-chat")
    pacer.feed(START, 0.0)
    assert pacer.feed(chat("one tw", **more), 0.0) == []  # not cut: nothing shows yet what is beside it
    assert pacer.feed(chat("o three fo", **more), 0.0) == [chat("one two three ", **more)]
    assert pacer.feed(chat("ur ", **more), 0.0) == [chat("four ", **more)]


def test_equal_texts_beside_names_of_no_known_meaning_leave_apart_until_others_have_stood_there() -> None:
    pacer = Pacer("words", dialect="openai-chat")
    pacer.feed(START, 0.0)
    on, end = chat("on", piece="p"), chat("e ", piece="p")
    assert pacer.feed(on, 0.0) + pacer.feed(on, 0.0) == []
    assert pacer.feed(end, 0.0) == [on, chat("one ", piece="p")]
    assert pacer.feed(on, 0.0) + pacer.feed(on, 0.0) == []
    assert pacer.feed(end, 0.0) == [chat("onone ", piece="p")]


@pytest.mark.parametrize(
    "more",
    [
        {"model": "m", "object": "chat.completion.chunk", "system_fingerprint": "f", "service_tier": "default"},
        {"usage": None, "choice": {"logprobs": None, "finish_reason": None}},
        {"citations": [], "extra": {"list": [], "object": {"flag": False, "text": ""}}},
        {"choice": {"content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}},
        {"created": 1, "obfuscation": "x"},
    ],
    ids=["labels", "null", "nothing", "judgements", "time and padding"],
)
def test_labels_and_what_is_empty_may_be_said_twice(more: dict[str, Any]) -> None:
    pacer = Pacer("words", dialect="openai-chat")
    pacer.feed(START, 0.0)
    first = chat("one tw", **{key: dict(value) if key == "choice" else value for key, value in more.items()})
    assert texts(pacer.feed(first, 0.0)) == ["one "]


@pytest.mark.parametrize(("first", "second"), [("a", "b"), (1, 2)], ids=["ids", "numbers"])
def test_frames_with_an_id_each_are_not_cut_and_those_of_a_new_part_are(first: Any, second: Any) -> None:
    said = declare("said", text="text", sentinel="[DONE]")

    def frame(text: str, id: Any) -> bytes:
        return so_far({"id": id, "text": text})

    pacer = Pacer("words", dialect=said())
    assert pacer.feed(frame("x ", first), 0.0) == [frame("x ", first)]
    assert pacer.feed(frame("one tw", second), 0.0) == []
    assert pacer.feed(frame("o three fo", second), 0.0) == [frame("one two three ", second)]


ANSWER = Answer(("Hi ", "there"))


@pytest.mark.parametrize("kind", ["text", "thinking"])
def test_what_opens_a_block_and_has_text_is_not_cut(kind: str) -> None:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": kind, kind: "Well now then"}}
    opened = f"event: content_block_start\ndata: {json.dumps(start)}\n\n".encode()
    frames = [
        opened if b"event: content_block_start" in frame else frame for frame in spell("anthropic", ANSWER).frames
    ]
    data = b"".join(frames)
    written, _ = timeline([(0.0, data)], pace="words")
    assert b"".join(piece for _, piece in written).count(b"event: content_block_start") == 1


@pytest.mark.parametrize("state", [{"order": {"id": "%s"}}, {"docs": [{"id": "%s"}]}, {"at": {"id": "%s", "n": 1}}])
def test_ids_elsewhere_than_around_the_text_are_each_said(state: Any) -> None:
    def frame(text: str, id: str) -> bytes:
        around = {"content": {"parts": [{"text": text}], "role": "model"}, "partial": True, "author": "a"}
        actions = json.loads(json.dumps(state) % id)
        return so_far({**around, "invocationId": "e", "actions": {"stateDelta": actions}, "id": "x", "timestamp": 1.5})

    frames = [frame("Hi th", "A1"), frame("ere wo", "B2"), frame("rld ", "C3")]
    written, _ = timeline([(0.0, b"".join(frames))], pace="words")
    wire = b"".join(piece for _, piece in written)
    assert [wire.count(id) for id in (b"A1", b"B2", b"C3")] == [1, 1, 1]


# Text that is all that was said so far


class GoesOn(Dialect):
    """A dialect in code, whose text is all that was said so far where it goes on."""

    name = "goes-on"

    def __init__(self) -> None:
        self._told = ""

    def read(self, event: str, payload: Any) -> Reading:
        told, self._told = self._told, payload.get("t", "")
        return Reading(EventClass.CONTENT, (Delta(text=self._told.removeprefix(told)),))


def so_far(*payloads: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in payloads)


SO_FAR: dict[str, tuple[type[Dialect] | str | None, bytes]] = {
    "sglang-generate": (
        None,
        so_far(*({"text": text, "meta_info": {"id": "r"}} for text in ("a b c ", "a b c d e ", "a b c d e f"))),
    ),
    "dashscope": (
        "dashscope",
        so_far(*({"output": {"text": text}, "request_id": "q"} for text in ("a b c ", "a b c d e ", "a b c d e f"))),
    ),
    **{
        f"a table: {cumulative}": (
            declare(f"told-{cumulative}", text="t", cumulative=cumulative),
            so_far({"t": "a b c "}, {"t": "a b c d e "}, {"t": "a b c d e f"}),
        )
        for cumulative in (True, "maybe")
    },
    "around another": (
        declare("wraps", like="dashscope", inside="in"),
        so_far(*({"in": {"output": {"text": text}, "request_id": "q"}} for text in ("a b c ", "a b c d e "))),
    ),
    "code": (GoesOn, so_far({"t": "a b c "}, {"t": "a b c d e "}, {"t": "a b c d e f"})),
    "whole items": (
        "codex-exec",
        so_far(*({"type": "item.completed", "item": {"id": "i", "type": "agent_message", "text": "a b "}},) * 2),
    ),
    "artifacts": (
        "a2a-1.0",
        so_far(*({"artifactUpdate": {"artifact": {"artifactId": "a", "parts": [{"text": "a b "}]}}},) * 2),
    ),
}


@pytest.mark.parametrize("name", SO_FAR)
def test_text_that_is_or_may_be_all_so_far_is_neither_cut_nor_joined(name: str) -> None:
    dialect, data = SO_FAR[name]
    for pace in ("words", "lines", Pace("words", rate=100.0)):
        wires = []
        for paced in ({}, {"pace": pace}):
            known = {"dialect": dialect() if isinstance(dialect, type) else dialect}
            written, report = timeline([(0.0, data)], end=9.0, **known, **paced)
            wires.append(b"".join(piece for _, piece in written))
            assert report.text.startswith("a b ")
        assert wires[0] == wires[1]


def test_pieces_of_artifacts_that_go_on_are_joined() -> None:
    def frame(text: str, **more: Any) -> bytes:
        return so_far({"artifactUpdate": {"artifact": {"artifactId": "a", "parts": [{"text": text}]}, **more}})

    pacer = Pacer("words", dialect="a2a-1.0")
    assert pacer.feed(frame("one tw", append=False), 0.0) == []
    written = pacer.feed(frame("o thr", append=True), 0.0) + pacer.feed(frame("ee ", append=True), 0.0)
    assert written == [frame("one tw", append=False), frame("o three ", append=True)]


def test_a_frame_with_a_name_of_its_own_that_varies_is_not_cut() -> None:
    def frame(text: str, id: str) -> bytes:
        return so_far(
            {"id": id, "author": "a", "partial": True, "content": {"role": "model", "parts": [{"text": text}]}}
        )

    pacer = Pacer("words", dialect="google-adk")
    assert pacer.feed(frame("one tw", "1"), 0.0) == []
    assert pacer.feed(frame("o ", "2"), 0.0) == [frame("one two ", "2")]


# What is not held


TOOL = b'data: {"id":"a","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}\n\n'
FINISH = b'data: {"id":"a","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
OTHERS = {
    "a tool call": TOOL,
    "a finish": FINISH,
    "the end mark": b"data: [DONE]\n\n",
    "an error": b'data: {"error":{"message":"m","type":"t","code":null}}\n\n',
    "a comment": b": hi\n\n",
    "text of another choice": chat("t").replace(b'"index": 0', b'"index": 1'),
    "reasoning": chat("t").replace(b"content", b"reasoning"),
}
TURNS = ("text of another choice", "reasoning")  # which is text, and is held itself


def test_whatever_is_not_text_leaves_at_once_behind_all_that_was_held() -> None:
    for what, frame in OTHERS.items():
        script = [(0.0, chat("x ")), (1.0, chat("Hel")), (1.1, chat("lo")), (1.2, frame)]
        written, _ = timeline(script, end=1.3, pace="words")
        plain, _ = timeline(script, end=1.3)
        behind = [piece for at, piece in written if at == 1.2]
        assert behind[0] == chat("Hello"), what
        others = b"".join(piece for at, piece in plain if at == 1.2)
        assert b"".join(behind[1:]) == (b"" if what in TURNS else others), what


def test_nothing_is_held_at_an_end_a_failure_a_timeout_or_a_departure() -> None:
    start = [(0.0, chat("x ")), (0.1, chat("Hel"))]
    ends: dict[str, tuple[list[Any], dict[str, Any]]] = {
        "a clean end": ([], {}),
        "an exception": ([(0.2, ConnectionError())], {}),
        "a timeout": ([], {"end": 0.9, "timeouts": Timeouts(silence=0.4)}),
    }
    for what, (more, options) in ends.items():
        written, report = timeline([*start, *more], pace=Pace("words", max_delay=5.0), **{"end": 0.2, **options})
        assert [piece for _, piece in written][:2] == [chat("x "), chat("Hel")], what
        assert b"error" in written[2][1], what
        assert len(written) == 3, what
        assert written[1][0] == written[2][0] == pytest.approx(0.5 if "timeouts" in options else 0.2, abs=0.03)
        assert report.bytes_out == sum(len(piece) for _, piece in written), what
    repairer = StreamRepairer(pace="words")
    repairer.feed(chat("x ") + chat("Hel"), 0.0)
    assert repairer.next_deadline() is not None
    repairer.cancel(0.1)
    assert repairer.next_deadline() is None
    assert repairer.on_deadline(9.0) == repairer.close(9.0) == []
    assert repairer.report.verdict is Verdict.CANCELLED


# Time


def test_nothing_is_held_longer_than_the_bound() -> None:
    script = [(0.0, chat("x ")), (1.0, chat("a")), (1.2, chat("b")), (1.9, chat("c"))]
    written, _ = timeline(script, end=9.0, pace=Pace("lines", max_delay=0.5))
    # The first frame of an answer says that it begins.
    assert [(round(at, 3), *texts([piece])) for at, piece in written[:-1]] == [
        (0.0, "x "),
        (1.5, "ab"),
        (2.4, "c"),
    ]


def test_a_burst_is_spread_over_the_bound_and_no_faster_than_the_rate() -> None:
    words = " ".join(f"w{n}" for n in range(40)) + " "
    written, _ = timeline([(0.0, chat("x ")), (1.0, chat(words))], end=9.0, pace=Pace(rate=10.0, max_delay=2.0))
    times = [at for at, piece in written if b"w" in piece and b"content" in piece]
    gaps = [after - before for before, after in pairwise(times)]
    assert 15 <= len(times) <= 21
    assert times[0] == 1.0
    assert times[-1] <= 3.0 + 1e-9
    assert min(gaps) >= 0.1 - 1e-9
    few, _ = timeline([(0.0, chat("x ")), (1.0, chat("a b c "))], end=9.0, pace=Pace(rate=10.0, max_delay=2.0))
    assert [(round(at, 3), *texts([piece])) for at, piece in few[1:-1]] == [(1.0, "a "), (1.1, "b "), (1.2, "c ")]


def test_a_timer_that_is_late_does_not_make_the_rate_lower() -> None:
    pacer = Pacer(Pace(rate=10.0, max_delay=9.0), dialect="openai-chat")
    pacer.feed(chat("x "), 0.0)
    left = pacer.feed(chat("a b c d e f g h i j "), 1.0)
    for step in range(1, 11):
        left += pacer.on_deadline(1.0 + step / 10 + 0.04)
    assert "".join(texts(left)) == "a b c d e f g h i j "


def test_a_heartbeat_counts_from_what_was_written_and_stands_before_what_is_held() -> None:
    script = [(0.0, chat("x ")), (3.0, chat("Hel")), (11.0, chat("lo "))]
    written, report = timeline(script, end=11.0, pace=Pace(max_delay=60.0), heartbeat=4.0)
    assert [piece for _, piece in written][:4] == [chat("x "), b":\n\n", b":\n\n", chat("Hello ")]
    assert report.heartbeats == 2
    times = [at for at, _ in written]
    assert all(after - before <= 4.0 for before, after in pairwise(times))


# Laws


PACES: list[Any] = [
    "words", "lines", "sentences", Pace("words", max_delay=0.05), Pace("words", max_delay=0.3, rate=20.0),
    Pace("sentences", rate=100.0), len, Pace(lambda text: 2, rate=50.0),
]  # fmt: skip
paces = st.sampled_from(range(len(PACES))).map(PACES.__getitem__)
pauses = st.lists(st.sampled_from([0.0, 0.0, 0.004, 0.03, 0.2, 2.0]), min_size=1, max_size=5)


def read_again(wire: bytes, report: StreamReport, **options: Any) -> dict[str, Any]:
    """Return what a reader finds in what was written."""
    source = "sse" if options.get("convert") and not options.get("to") else report.format
    reader = StreamRepairer(repairs=(), format=options.get("to") or source, dialect=options.get("dialect"))
    reader.feed(wire, 0.0)
    reader.close(0.0)
    names = ("text", "reasoning", "refusal", "tool_calls", "finish_reason", "usage", "last_event_id", "retry")
    return {name: getattr(reader.report, name) for name in names}


def check_pace(chunks: list[bytes], gaps: list[float], pace: Any, **options: Any) -> None:
    """Raise `AssertionError` unless pacing changed how the text is cut and when it leaves, and nothing else."""
    script, now = [], 0.0
    for number, chunk in enumerate(chunks):
        now += gaps[number % len(gaps)]
        script.append((now, chunk))
    plain, expected = timeline(script, **options)
    paced, report = timeline(script, pace=pace, **options)
    told, wanted = facts(report), facts(expected)
    assert {name: told[name] for name in told if name not in COUNTS_FRAMES} == {
        name: wanted[name] for name in wanted if name not in COUNTS_FRAMES
    }
    wire = b"".join(piece for _, piece in paced)
    assert report.bytes_out == len(wire)
    plain_wire = b"".join(piece for _, piece in plain)
    if wire != plain_wire:
        assert read_again(wire, report, **options) == read_again(plain_wire, expected, **options)
        again = StreamRepairer(format=options.get("to") or report.format, **options)
        assert b"".join([*again.feed(plain_wire, 0.0), *again.close(0.0)])


@given(st.data(), st.sampled_from(sorted(DIALECTS)), pauses, paces)
def test_pacing_changes_how_the_text_of_an_answer_is_cut_and_nothing_else(
    data: st.DataObject, dialect: str, gaps: list[float], pace: Any
) -> None:
    streams = dialect_streams(dialect)
    conversation = data.draw(streams)
    size = len(conversation.data)
    cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=12)))
    chunks = [conversation.data[at:to] for at, to in zip([0, *cuts], [*cuts, size], strict=True)]
    options = data.draw(st.sampled_from([{}, {"convert": "openai-chat"}, {"to": "ndjson"}, {"dialect": dialect}]))
    check_pace(chunks, gaps, pace, **options)


@given(drawn.cut_anyhow(drawn.anything), drawn.any_options, pauses, paces)
def test_nor_does_it_change_anything_of_a_broken_or_hostile_stream(
    chunks: list[bytes], options: dict[str, Any], gaps: list[float], pace: Any
) -> None:
    script = [(number * gaps[0], chunk) for number, chunk in enumerate(chunks)]
    told = [facts(timeline(script, **given, **options)[1]) for given in ({}, {"pace": pace})]
    for names in told:
        for name in COUNTS_FRAMES:
            names.pop(name)
    assert told[0] == told[1]


@given(st.sampled_from(sorted(set(DIALECTS) - {"gemini"})), pauses, paces, st.integers(100, 400))
def test_no_text_leaves_later_than_the_bound_and_no_gap_is_longer_than_the_heartbeat(
    dialect: str, gaps: list[float], pace: Any, size: int
) -> None:
    answer = Answer(("One", " two. Thr", "ee\n", "four five", " six") * 3, ("Hm", "m. ", "So"), (), 1, 2)
    data = spell(dialect, answer).data
    script, now = [], 0.0
    for number, at in enumerate(range(0, len(data), size)):
        now += gaps[number % len(gaps)]
        script.append((now, data[at : at + size]))
    plain, report = timeline(script, heartbeat=0.5)
    paced, _ = timeline(script, pace=pace, heartbeat=0.5)
    bound = (pace if isinstance(pace, Pace) else Pace()).max_delay
    came, left = said(plain, report), said(paced, report)
    for at, count in came:
        assert max((n for when, n in left if when <= at + bound + 1e-9), default=0) >= count
    times = [0.0, *(at for at, _ in paced)]
    assert all(after - before <= 0.5 + 1e-9 for before, after in pairwise(times))


def said(written: list[tuple[float, bytes]], report: StreamReport) -> list[tuple[float, int]]:
    """Return how many characters of text and reasoning a reader has, and since when."""
    reader = StreamRepairer(repairs=(), format=report.format, dialect=report.dialect)
    counts = []
    for at, piece in written:
        reader.feed(piece, 0.0)
        counts.append((at, len(reader.report.text) + len(reader.report.reasoning)))
    return counts


def test_the_text_of_each_dialect_is_joined() -> None:
    answer = Answer(("One", " tw", "o thr", "ee", " fo", "ur", " five") * 4, (), (ToolCall("call_1", "f", "{}"),), 1, 2)
    joined = {}
    for dialect in DIALECTS:
        data = spell(dialect, answer).data
        written, report = timeline([(0.0, data)], pace="lines")
        joined[dialect] = len(written) < report.events
    assert joined == dict.fromkeys(DIALECTS, True) | {
        "tgi": False,  # whose frames have each the number of a token
        "llamacpp-completion": False,  # the same
        "sglang-generate": False,  # whose frames have each the whole text so far, or may have
        "dashscope": False,  # the same
        "codex-exec": False,  # whose frames have each a whole text
        "a2a-1.0": False,  # the same, where nothing says that it goes on
    }


def test_prose_is_joined() -> None:
    written, _ = timeline(
        [(0.0, b"data: Hel\n\ndata: lo  wor\n\n"), (0.1, b"data: ld\n\n")], dialect="text", pace="words"
    )
    assert b"".join(piece for _, piece in written) == b"data: Hello  \n\ndata: world\n\n"


@captures.needs_captures
@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=[] if part == 0 else [pytest.mark.slow]) for part in range(8)]
)
def test_recorded_streams_give_equal_reports(part: int) -> None:
    files = captures.chosen(lambda entry: entry["format"] in ("sse", "ndjson", "json-array"))
    step = 32 if part == 0 else 7
    for number, file in enumerate(files[(part - 1) % 7 :: step]):
        body = captures.body(file)
        chunks = [body[at : at + 997] for at in range(0, len(body), 997)]
        options: dict[str, Any] = [{}, {"convert": "openai-chat"}, {"to": "ndjson"}][number % 3]
        check_pace(chunks, [0.004], PACES[number % len(PACES)], **options)


# Adapters, by the clocks that they have


SCRIPT: list[tuple[float, bytes]] = [
    (0.0, chat("x ")), (1.0, chat("Hel")), (1.1, chat("lo")), (4.0, chat(" wor")), (4.01, chat("ld one two ")),
]  # fmt: skip
WRITTEN = [(0.0, "x "), (1.5, "Hello"), (4.01, " world one two ")]


def met(written: Iterator[tuple[float, bytes]]) -> list[tuple[float, str]]:
    return [(round(at, 2), "".join(texts([item]))) for at, item in written if b"content" in item]


def test_a_synchronous_stream_writes_what_is_held_when_it_is_due() -> None:
    reader = ScriptedReader(Clock(), SCRIPT, end=9.0)
    engine = StreamRepairer(pace=Pace(max_delay=0.5), heartbeat=5.0, timeouts=Timeouts())
    stream = RepairedStream(engine, Source([]), threaded=True, reader=reader, clock=reader.clock)
    start = reader.clock.now
    assert met((reader.clock.now - start, item) for item in stream) == WRITTEN


def test_an_asynchronous_stream_does_too() -> None:
    async def main(clock: Clock) -> list[tuple[float, bytes]]:
        start = clock.now
        stream = arepair(scripted(SCRIPT, clock, end=9.0), pace=Pace(max_delay=0.5))
        return [(clock.now - start, item) async for item in stream]

    assert met(iter(warp(main))) == WRITTEN


def test_no_timer_that_is_set_for_later_makes_it_late() -> None:
    async def main(clock: Clock) -> list[tuple[float, bytes]]:
        start = clock.now
        script = [(0.0, START), (1.0, chat("x ")), (1.05, chat("Hel"))]
        stream = arepair(scripted(script, clock, end=9.0), pace=Pace(max_delay=0.05))
        return [(clock.now - start, item) async for item in stream]

    assert met(iter(warp(main)))[1:] == [(1.0, "x "), (1.1, "Hel")]


def test_a_synchronous_stream_without_heartbeat_and_timeouts_has_a_clock_all_the_same() -> None:
    stream = repair([chat("x "), chat("Hel")], pace="words", heartbeat=None, timeouts=None)
    assert stream._threaded
    assert b"".join(stream).startswith(chat("x ") + chat("Hel"))


# Arguments


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: repair([], pace="word"), ValueError, "pace='word' is not known; use 'words', 'lines', 'sentences'"),
        (lambda: repair([], pace=3), TypeError, "pace must be a name, a function"),  # type: ignore[arg-type]
        (lambda: repair([], pace=Pace), TypeError, "pace=Pace is a class; write pace=Pace"),
        (lambda: Pace(max_delay=0), ValueError, r"Pace\(max_delay=...\) must be"),
        (lambda: Pace(max_delay=None), TypeError, r"Pace\(max_delay=...\) takes seconds"),  # type: ignore[arg-type]
        (lambda: Pace(rate=0), ValueError, r"Pace\(rate=...\) must be from 0.01"),
        (lambda: Pace(rate="fast"), TypeError, r"Pace\(rate=...\) takes a number"),  # type: ignore[arg-type]
        (lambda: iter_events([], pace="words"), TypeError, "nothing is written"),  # type: ignore[call-arg]
        (lambda: Pacer(dialect="nobody's"), ValueError, "dialect="),
        (lambda: Pacer(format="xml"), ValueError, "xml"),
    ],
    ids=["name", "type", "class", "zero", "none", "rate", "rate's type", "events", "dialect", "format"],
)
def test_a_wrong_argument_is_refused_at_the_call(make: Callable[[], object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make()


def test_what_a_function_returns_must_be_a_number() -> None:
    pacer = Pacer(lambda text: None, dialect="openai-chat")  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="must return a number of characters"):
        pacer.feed(chat("x "), 0.0) + pacer.feed(chat("y "), 0.0)


def bug_at_once(text: str) -> int:
    raise KeyError("secret")


def bug_at_a_word(text: str) -> int:
    return bug_at_once(text) if "wor" in text else 0


def no_number(text: str) -> Any:
    return None


def test_a_bug_of_a_function_ends_the_stream_by_one_frame_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    data = b"".join([START, chat("Hel"), chat("lo"), chat(" wor"), chat("ld")])

    async def read(chunks: list[bytes], pace: Any) -> tuple[bytes, StreamReport]:
        async with arepair(scripted([(0.0, chunk) for chunk in chunks], Clock()), pace=pace) as stream:
            return b"".join([item async for item in stream]), stream.report

    for pace, kind in ((bug_at_once, "KeyError"), (bug_at_a_word, "KeyError"), (Pace(no_number), "TypeError")):
        for chunks in ([data], [data[at : at + 1] for at in range(len(data))], [data[:150], data[150:]]):
            for is_async in (False, True):
                caplog.clear()
                if is_async:
                    wire, report = asyncio.run(read(chunks, pace))
                else:
                    with repair(chunks, pace=pace) as stream:
                        wire, report = b"".join(stream), stream.report
                bugs = [record for record in caplog.records if record.levelname == "ERROR"]
                *said, last = [frame + b"\n\n" for frame in wire.split(b"\n\n")[:-1]]
                assert [b"application-error" in each for each in (*said, last)] == [False] * len(said) + [True]
                assert "".join(texts(said)) == report.text
                assert (report.verdict, report.error and report.error.status_hint) == (Verdict.FAILED, 500)
                assert (report.bytes_out, b"secret" in wire) == (len(wire), False)
                assert [bug.getMessage() for bug in bugs] == [f"the application raised {kind}"]
                assert "Traceback" in (bugs[0].exc_text or "")


# Bounds


def test_what_is_held_is_bounded() -> None:
    pacer = Pacer(Pace("lines", max_delay=60.0), dialect="openai-chat")
    came = left = 0
    for number in range(3000):
        frame = chat(f"word{number % 10} ")
        came += len("word0 ")
        left += sum(len(text) for text in texts(pacer.feed(frame, 0.0)))
        assert came - left <= 1100
    large = chat("x" * 70_000)
    assert pacer.feed(large, 0.0)[-1] == large
    assert not pacer.is_holding


def test_a_joined_frame_is_no_longer_than_an_event_may_be() -> None:
    data = b"".join([chat("x "), *(chat("y" * 200) for _ in range(20))])
    written, _ = timeline([(0.0, data)], pace="lines", max_event_bytes=1024)
    assert max(len(frame) + 2 for _, piece in written for frame in piece.split(b"\n\n")) <= 1024


def test_it_is_loaded_where_it_is_asked_for() -> None:
    code = "import sys, unbroken; unbroken.repair([b'data: 1']); print([name for name in sys.modules if 'pac' in name])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "unbroken" not in ran.stdout
