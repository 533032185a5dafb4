"""Another answer goes on with the one that was delivered: what of it leaves, and when nothing does."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attempts import DONE, QUICK, READERS, Attempts, Part, every_reader
from unbroken import (
    Attempt,
    RepairKind,
    Retry,
    StreamReport,
    Verdict,
    aretrying,
    repair,
    retrying,
)
from unbroken.core.events import Format
from unbroken.retry.continuing import CONTINUES, Seam
from unbroken.testing import Answer, ToolCall
from unbroken.testing.conversations import spell
from unbroken.testing.cuts import cut
from unbroken.testing.plain_answers import read_answer
from unbroken.testing.standard import read_sse

from .laws import repaired

BREAK = ConnectionResetError()


def chunk(delta: dict[str, Any], finish: str | None = None, id: str = "a", **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    payload = {"id": id, "object": "chat.completion.chunk", "choices": [choice], **more}
    return b"data: %b\n\n" % json.dumps(payload).encode()


ROLE, HEL = chunk({"role": "assistant", "content": ""}), chunk({"content": "Hel"})
LO, STOP = chunk({"content": "lo"}, id="b"), chunk({}, "stop", id="b")
ROLE_2 = chunk({"role": "assistant", "content": ""}, id="b")


def call(arguments: str, **head: Any) -> bytes:
    function = {"arguments": arguments, **({"name": head["name"]} if "name" in head else {})}
    places = {"id": head["id"]} if "id" in head else {}
    return chunk({"tool_calls": [{"index": 0, **places, "function": function}]})


def run(*scripts: list[Part], **options: Any) -> tuple[bytes, StreamReport, list[Attempt]]:
    attempts = Attempts([*scripts])
    source = retrying(attempts.connect, retry=QUICK, continues=True)
    with repair(source, heartbeat=None, timeouts=None, **options) as stream:
        return b"".join(stream), stream.report, attempts.seen


@every_reader
def test_an_answer_goes_on_where_it_broke_off(read: Any) -> None:
    attempts = Attempts([[ROLE, HEL, BREAK], [ROLE_2 + LO, STOP + DONE]])
    outcome = read(attempts, retry=QUICK, continues=True)
    assert outcome.error is None
    assert [json.loads(data)["choices"][0]["delta"] for data in outcome.events[:-1]] == [
        {"role": "assistant", "content": ""}, {"content": "Hel"}, {"content": "lo"}, {},
    ]  # fmt: skip
    assert [(attempt.text, attempt.tool_calls) for attempt in attempts.seen] == [("", ()), ("Hel", ())]
    assert (outcome.report.text, outcome.report.verdict) == ("Hello", Verdict.COMPLETE)
    assert (outcome.report.seams, outcome.report.second_beginnings) == ([3], 0)
    assert outcome.report.repairs == {RepairKind.REPEATED_EVENT: 1}


@every_reader
def test_without_the_option_it_ends_as_it_does_today(read: Any) -> None:
    attempts = Attempts([[ROLE, HEL, BREAK], [ROLE_2 + LO, STOP + DONE]])
    outcome = read(attempts, retry=QUICK)
    assert outcome.error is not None
    assert outcome.error.code == "upstream-failed"
    assert len(attempts.seen) == 1
    assert attempts.seen[0] == Attempt()
    assert outcome.report.seams == []


RESPONSE = spell("openai-responses", Answer(("Hel", "lo"))).frames
WORD = next(frame for frame in RESPONSE if b"output_text.delta" in frame)

NOT_GONE_ON_WITH: dict[str, list[Part]] = {
    "half a call": [ROLE, call('{"a"', id="a", name="f"), BREAK],
    "text and half a call": [ROLE, HEL, call("", id="a", name="f"), BREAK],
    "a finish reason": [ROLE, HEL, chunk({}, "stop"), BREAK],
    "reasoning alone": [ROLE, chunk({"reasoning_content": "Hm"}), BREAK],
    "a whole call, whose index another one would have": [ROLE, call("{}", id="a", name="f"), BREAK],
    "text and a whole call": [ROLE, HEL, call("{}", id="a", name="f"), BREAK],
    "a call in a message": [
        chunk({}, message={}).replace(
            b'"delta": {}',
            b'"message": {"role": "assistant", "tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", '
            b'"arguments": "{}"}}]}',
        ),
        BREAK,
    ],
    "a call of the older form": [ROLE, chunk({"function_call": {"name": "f", "arguments": "{}"}}), BREAK],
    "a refusal": [ROLE, chunk({"refusal": "No"}), BREAK],
    "two choices": [HEL, HEL.replace(b'"index": 0', b'"index": 1'), BREAK],
    "upstream's own error": [HEL, b'data: {"error":{"message":"m","type":"server_error"}}\n\n'],
    "an error of the program": [HEL, KeyError("k")],
    "no dialect": [b"data: one\n\n", BREAK],
    "a dialect whose events count on": [*RESPONSE[: RESPONSE.index(WORD) + 1], BREAK],
    "an array": [b'[{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}', BREAK],
}


@pytest.mark.parametrize("name", NOT_GONE_ON_WITH)
def test_what_no_client_could_join_is_not_gone_on_with(name: str) -> None:
    script = NOT_GONE_ON_WITH[name]
    wire, report, seen = run(script, [ROLE_2, LO, STOP, DONE])
    plain = repair(retrying(Attempts([script]).connect, retry=QUICK), heartbeat=None, timeouts=None)
    assert wire == b"".join(plain)
    assert len(seen) == 1
    assert report.verdict is Verdict.FAILED
    assert report.seams == []


def test_more_text_than_is_kept_is_not_gone_on_with() -> None:
    _, report, seen = run([ROLE, *[chunk({"content": "x" * 65_536})] * 17, BREAK], [LO])
    assert report.account_cut
    assert len(seen) == 1
    assert len(run([HEL, BREAK], [LO], account=False)[2]) == 1


def as_message(frame: bytes) -> bytes:
    """Spell a chunk as some servers do."""
    return frame.replace(b'"delta"', b'"message"')


ROLELESS = chunk({"content": ""}, id="b").replace(b'"id"', b'"n": 1, "id"')
USAGE = b'data: {"id":"b","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":3}}\n\n'

BEGINNINGS: dict[str, tuple[bytes, bytes]] = {
    "a role and the first word": (chunk({"role": "assistant", "content": "lo"}, id="b"), LO),
    "a role with other facts": (chunk({"role": "assistant"}, id="b", usage=None, system_fingerprint="f") + LO, LO),
    "a role with a fact that nobody knows": (ROLE_2.replace(b'"id"', b'"n": 1, "id"') + LO, ROLELESS + LO),
    "a role with a fact of the choice": (
        ROLE_2.replace(b'"finish_reason"', b'"text": "t", "finish_reason"') + LO,
        chunk({"content": ""}, id="b").replace(b'"finish_reason"', b'"text": "t", "finish_reason"') + LO,
    ),
    "a role with an error that is none": (chunk({"role": "assistant"}, id="b", error=None) + LO, LO),
    "a first word behind an error that is none": (
        chunk({"role": "assistant", "content": "lo"}, id="b", error=None),
        chunk({"content": "lo"}, id="b", error=None),
    ),
    "usage in front": (USAGE + ROLE_2 + LO, USAGE + LO),
    "usage with the role": (
        chunk({"role": "assistant"}, id="b", usage={"prompt_tokens": 3}) + LO,
        chunk({}, id="b", usage={"prompt_tokens": 3}) + LO,
    ),
    "a message": (as_message(ROLE_2) + as_message(LO), as_message(LO)),
    "a message with a role": (
        as_message(chunk({"role": "assistant", "content": "lo"}, id="b")),
        as_message(chunk({"content": "lo"}, id="b")),
    ),
    "a role beside an empty message": (
        ROLE_2.replace(b'"delta"', b'"message": {"role": "assistant"}, "delta"') + LO,
        LO,
    ),
    "choices that are no objects": (
        b'data: {"id":"b","choices":[null]}\n\n' + LO,
        b'data: {"id":"b","choices":[null]}\n\n' + LO,
    ),
    "a text beside a role": (
        ROLE_2.replace(b'"delta"', b'"delta": "x", "message"') + LO,
        ROLELESS.replace(b'"n": 1, ', b"").replace(b'"delta"', b'"delta": "x", "message"') + LO,
    ),
    "a delta that is no object": (as_message(LO).replace(b'"message"', b'"delta": "", "message"'),) * 2,
    "no role": (LO, LO),
    "a role in each chunk": (
        chunk({"role": "assistant", "content": "l"}, id="b") + chunk({"role": "assistant", "content": "o"}, id="b"),
        chunk({"content": "l"}, id="b") + chunk({"content": "o"}, id="b"),
    ),
    "numbers beyond those of a float": (
        chunk({"role": "assistant", "content": "lo"}, id="b", created=2**63 + 1, x=0.1),
        chunk({"content": "lo"}, id="b", created=2**63 + 1, x=0.1),
    ),
    "Azure's filters": (b'data: {"choices":[],"prompt_filter_results":[]}\n\n' + LO, LO),
    "a comment": (b": ping\n\n" + ROLE_2 + LO, b": ping\n\n" + LO),
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_the_second_beginning_is_left_out_and_nothing_else(name: str) -> None:
    sent, expected = BEGINNINGS[name]
    wire, report, _ = run([ROLE, HEL, BREAK], [sent, STOP, DONE])
    assert_same(wire, ROLE + HEL + expected + STOP + DONE)
    assert (report.text, report.second_beginnings) == ("Hello", 0)
    assert repaired([wire]).wire == wire
    bytewise, _, _ = run(
        [ROLE, HEL, BREAK], [*((sent + STOP + DONE)[at : at + 1] for at in range(len(sent + STOP + DONE)))]
    )
    assert bytewise == wire


def assert_same(wire: bytes, expected: bytes) -> None:
    """A frame that was changed is spelt anew, so values count."""

    def values(data: bytes) -> list[Any]:
        return [text if text == "[DONE]" else json.loads(text) for _, text, _ in read_sse(data).events]

    assert values(wire) == values(expected)


def test_an_attempt_that_brings_nothing_leaves_no_trace() -> None:
    wire, report, seen = run([ROLE, HEL, BREAK], [ROLE_2, BREAK], [ROLE_2, LO, STOP, DONE])
    assert_same(wire, ROLE + HEL + LO + STOP + DONE)
    assert report.seams == [3]
    assert [attempt.text for attempt in seen] == ["", "Hel", "Hel"]


def test_several_answers_go_on_with_each_other_and_a_clean_end_in_the_middle_is_a_break() -> None:
    _, report, seen = run([ROLE, HEL], [ROLE_2, LO, b'data: {"id'], [ROLE_2, chunk({"content": "!"}), STOP, DONE])
    assert (report.text, report.seams, report.verdict) == ("Hello!", [3, 5], Verdict.COMPLETE)
    assert [attempt.text for attempt in seen] == ["", "Hel", "Hello"]


FOREIGN = {
    "anthropic": (
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"lo"}}\n\n'
    ),
    "ollama": b'{"model":"m","created_at":"1","message":{"role":"assistant","content":"lo"},"done":false}\n',
    "gemini": b'data: {"candidates":[{"content":{"parts":[{"text":"lo"}],"role":"model"}}]}\n\n',
}


@pytest.mark.parametrize("options", [{}, {"convert": "openai-chat"}, {"dialect": "openai-chat"}], ids=str)
@pytest.mark.parametrize("dialect", FOREIGN)
def test_an_answer_in_another_dialect_is_not_gone_on_with(dialect: str, options: dict[str, Any]) -> None:
    wire, report, seen = run([ROLE, HEL, BREAK], [FOREIGN[dialect]], [ROLE_2, LO, STOP, DONE], **options)
    assert len(seen) == 2, "what is wrong is not tried again"
    assert (report.text, report.seams, report.verdict) == ("Hel", [], Verdict.FAILED)
    assert report.error is not None
    assert report.error.code == "upstream-failed"
    assert not any(mark in wire for mark in (b"message_start", b'"lo"', b"candidates"))


def test_an_answer_in_another_dialect_can_be_converted_first() -> None:
    other = b"".join(repair([FOREIGN["ollama"], FOREIGN["ollama"].replace(b"false", b"true")], convert="openai-chat"))
    wire, report, _ = run([ROLE, HEL, BREAK], [other])
    assert (report.text, report.seams, report.verdict) == ("Hellolo", [3], Verdict.COMPLETE)
    assert wire.count(b'"role"') == 1


def test_an_error_of_the_answer_that_was_to_go_on_is_told_as_one() -> None:
    _, report, _ = run([ROLE, HEL, BREAK], [b'data: {"error":{"message":"m","code":"x"}}\n\n'])
    assert (report.text, report.seams, report.verdict) == ("Hel", [], Verdict.FAILED)


def test_behind_the_last_attempt_there_is_one_error_and_all_the_text() -> None:
    wire, report, _ = run([ROLE, HEL, BREAK], [LO, BREAK], [ROLE_2, BREAK])
    assert (report.text, report.seams, report.verdict) == ("Hello", [3], Verdict.FAILED)
    assert wire.count(b"unbroken_error") == 1
    assert report.error is not None
    assert not report.error.safe_to_retry


@pytest.mark.parametrize("content", [0, 0.5, [{"type": "text", "text": "0"}], {"type": "text", "text": "0"}], ids=str)
def test_whatever_the_first_word_is_it_is_not_lost(content: Any) -> None:
    wire, report, _ = run([ROLE, HEL, BREAK], [chunk({"role": "assistant", "content": content}, id="b"), STOP, DONE])
    assert_same(wire, ROLE + HEL + chunk({"content": content}, id="b") + STOP + DONE)
    assert report.text.startswith("Hel0")


def test_calls_of_the_answer_that_goes_on_pass_as_they_come() -> None:
    second, third = (
        call("{}", id="a", name="f"),
        call("{}", id="b", name="g").replace(b'"index": 0, "id"', b'"index": 1, "id"'),
    )
    wire, report, seen = run([ROLE, HEL, BREAK], [ROLE_2, second, third, BREAK], [LO])
    assert wire.startswith(ROLE + HEL + second + third)
    assert [told["name"] for told in report.tool_calls] == ["f", "g"]
    assert (len(seen), report.verdict) == (2, Verdict.FAILED)


def test_whole_calls_that_have_no_index_are_told() -> None:
    """Ollama's calls come whole, and clients read each as it stands."""
    one, two = (
        b'{"model":"m","created_at":"1","message":{"role":"assistant","content":"","tool_calls":[{"function":'
        b'{"name":"%s","arguments":{}}}]},"done":%s}\n' % told
        for told in ((b"f", b"false"), (b"g", b"true"))
    )
    wire, report, seen = run([one, BREAK], [two])
    assert [told["name"] for told in seen[1].tool_calls] == ["f"]
    assert wire == one + two
    assert [told["name"] for told in report.tool_calls] == ["f", "g"]


@pytest.mark.parametrize("begin", [b"", ROLE_2], ids=["at once", "behind a role"])
def test_an_error_that_was_delivered_is_final_and_one_that_was_masked_is_not(begin: bytes) -> None:
    """Before the first content, and where an answer was to go on."""
    error = b'data: {"error":{"message":"m","type":"server_error","code":503}}\n\n'
    for before, text in (([], ""), ([[ROLE, HEL, BREAK]], "Hel")):
        wire, report, seen = run(*before, [begin + error], [ROLE_2, LO, STOP, DONE])
        assert (len(seen), report.text, report.verdict) == (len(before) + 1, text, Verdict.FAILED)
        assert wire.endswith(error)
        _, report, seen = run(*before, [begin + error], [ROLE_2, LO, STOP, DONE], errors="mask")
        assert (len(seen), report.text, report.verdict) == (len(before) + 2, text + "lo", Verdict.COMPLETE)


@pytest.mark.parametrize("name", sorted(CONTINUES.keys() - {"text", "openai-completions", "gemini"}))
def test_wherever_an_answer_breaks_it_is_one_message_to_a_plain_reader(name: str) -> None:
    """Half a text is delivered, and an answer in the same dialect goes on with it."""
    dialect = {"openai-chat": "openai-chat", "anthropic": "anthropic", "ollama": "ollama"}[name]
    calls = (ToolCall("call_1", "f", '{"a": 1}'),) if dialect != "ollama" else ()
    whole = spell(dialect, Answer(("Hel", "lo"), (), (), 3, 2)).frames
    rest = spell(dialect, Answer((" you",), (), calls, 3, 2)).frames
    gone_on = 0
    for at in range(1, len(whole)):
        wire, report, seen = run([*whole[:at], BREAK], [*rest])
        if len(seen) == 1 or not seen[1].text:
            continue
        gone_on += 1
        assert report.text == seen[1].text + " you"
        assert report.verdict is Verdict.COMPLETE
        assert report.second_beginnings == 0
        assert [told["arguments"] for told in report.tool_calls] == [told.arguments for told in calls]
        again = repaired([wire])
        assert (again.wire, dict(again.report.repairs)) == (wire, {})
        if dialect != "ollama":
            plain = read_answer(name, read_sse(wire).events)
            assert (plain.text, [told.name for told in plain.calls]) == (report.text, [told.name for told in calls])
    assert gone_on >= 2


START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant"}}\n\n'
)


def block(kind: str, index: int, **body: Any) -> bytes:
    payload = {"type": f"content_block_{kind}", "index": index, **body}
    return f"event: content_block_{kind}\ndata: {json.dumps(payload)}\n\n".encode()


TEXT: Any = {"content_block": {"type": "text", "text": ""}}
TOOL: Any = {"content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}}
THINKING: Any = {"content_block": {"type": "thinking", "thinking": ""}}


def said(index: int, text: str) -> bytes:
    return block("delta", index, delta={"type": "text_delta", "text": text})


BLOCKS: dict[str, tuple[list[bytes], list[bytes], list[bytes]]] = {
    "the text goes on": (
        [START, block("start", 0, **TEXT), said(0, "a")],
        [START, block("start", 0, **TEXT), said(0, "b"), block("stop", 0)],
        [said(0, "b"), block("stop", 0)],
    ),
    "in a later block": (
        [START, block("start", 0, **THINKING), block("stop", 0), block("start", 1, **TEXT), said(1, "a")],
        [START, block("start", 0, **TEXT), said(0, "b"), block("stop", 0), block("start", 1, **TOOL), block("stop", 1)],
        [said(1, "b"), block("stop", 1), block("start", 2, **TOOL), block("stop", 2)],
    ),
    "behind a block that stopped": (
        [START, block("start", 0, **TEXT), said(0, "a"), block("stop", 0)],
        [START, block("start", 0, **TEXT), said(0, "b"), block("stop", 0)],
        [block("start", 1, **TEXT), said(1, "b"), block("stop", 1)],
    ),
    "with a block that says something at once": (
        [START, block("start", 0, **TEXT), said(0, "a")],
        [START, block("start", 0, content_block={"type": "text", "text": "b"}), block("stop", 0)],
        [block("start", 1, content_block={"type": "text", "text": "b"}), block("stop", 1)],
    ),
    "with a block of another type": (
        [START, block("start", 0, **TEXT), said(0, "a")],
        [START, block("start", 0, **TOOL), block("stop", 0), block("start", 1, **TEXT), said(1, "b"), block("stop", 1)],
        [block("start", 1, **TOOL), block("stop", 1), block("start", 2, **TEXT), said(2, "b"), block("stop", 2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_of_anthropic_are_numbered_on(name: str) -> None:
    first, second, expected = BLOCKS[name]
    end = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    wire, report, _ = run([*first, BREAK], [*second, end])
    assert_same(wire, b"".join([*first, *expected, end]))
    assert report.text == "ab"
    assert (report.verdict, report.second_beginnings) == (Verdict.COMPLETE, 0)


MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
ARGUMENTS: Any = {"delta": {"type": "input_json_delta", "partial_json": '{"a":1}'}}
UNSTOPPED: dict[str, list[bytes]] = {
    "a call": [START, block("start", 0, **TOOL), block("delta", 0, **ARGUMENTS)],
    "a call in front of a text": [
        *(START, block("start", 0, **TOOL), block("delta", 0, **ARGUMENTS)),
        *(block("start", 1, **TEXT), said(1, "a")),
    ],
    "a call that begins the stream": [block("start", 0, **TOOL), block("delta", 0, **ARGUMENTS)],
    "thinking behind a text": [
        *(START, block("start", 0, **TEXT), said(0, "a"), block("stop", 0), block("start", 1, **THINKING)),
    ],
    "more blocks than are remembered": [
        *(START, b"".join(block("start", at, **TEXT) for at in range(1025)), said(0, "a")),
    ],
}


@pytest.mark.parametrize("name", UNSTOPPED)
def test_a_block_whose_rest_is_lost_is_not_gone_on_with(name: str) -> None:
    first = UNSTOPPED[name]
    wire, report, seen = run([*first, BREAK], [START, block("start", 0, **TEXT), said(0, "b"), block("stop", 0)])
    assert wire.startswith(b"".join(first))
    assert (len(seen), report.verdict) == (1, Verdict.FAILED)


def test_a_first_answer_without_its_start_is_counted() -> None:
    first, second, expected = BLOCKS["the text goes on"]
    wire, _, _ = run([*first[1:], BREAK], [*second, MESSAGE_STOP])
    assert_same(wire, b"".join([*first[1:], *expected, MESSAGE_STOP]))


def test_blocks_that_were_held_back_and_dropped_are_not_counted() -> None:
    first, second, expected = BLOCKS["behind a block that stopped"]
    dropped = [START, block("start", 0, **TEXT), block("stop", 0), block("start", 1, **TEXT)]
    wire, report, _ = run([*dropped, BREAK], [*first, BREAK], [*second, MESSAGE_STOP])
    assert_same(wire, b"".join([*first, *expected, MESSAGE_STOP]))
    assert report.text == "ab"


@pytest.mark.parametrize("index", [b"1e999", b"-1e999", b"1e300", b"0.5", b"null", b'"0"', b"true"])
def test_an_index_that_is_none_is_left_alone(index: bytes) -> None:
    first, second, _ = BLOCKS["the text goes on"]
    sent = [frame.replace(b'"index": 0', b'"index": ' + index) for frame in second]
    wire, _, _ = run([*first, BREAK], [*sent, MESSAGE_STOP])
    assert wire == b"".join([*first, *sent[1:], MESSAGE_STOP])


def test_a_conversion_goes_on_too() -> None:
    first, second, _ = BLOCKS["the text goes on"]
    end = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    wire, _, _ = run([*first, BREAK], [*second, end], convert="openai-chat")
    plain = read_answer("openai-chat", read_sse(wire).events)
    assert (plain.text, plain.ended, wire.count(b'"role"')) == ("ab", True, 1)


def test_however_the_chunks_are_cut_it_is_the_same() -> None:
    first, second = b"".join([ROLE, HEL]), b"".join([ROLE_2, LO, *[chunk({"content": "x"}, id="b")] * 20, STOP, DONE])
    expected, _, _ = run([first, BREAK], [second])
    for seed in range(20):
        places = sorted(random.Random(seed).choices(range(len(second)), k=8))
        assert run([first, BREAK], [*cut(second, places)])[0] == expected


def test_it_excludes_resume_and_wants_no_other_word() -> None:
    for function in (retrying, aretrying):
        with pytest.raises(TypeError, match=r"resume=True, for the same answer, or continues=True, for another one"):
            function(lambda attempt: [], resume=True, continues=True)


def test_connect_may_refuse() -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        if attempt.text:
            raise LookupError("no other model")
        yield ROLE + HEL
        raise BREAK

    with repair(retrying(connect, retry=Retry(base=0.0), continues=True), heartbeat=None) as stream:
        wire = b"".join(stream)
    assert stream.report.text == "Hel"
    assert wire.count(b"unbroken_error") == 1


def test_a_seam_says_what_may_follow() -> None:
    report = repaired([ROLE + HEL]).report
    assert Seam().may_follow(report)
    report.format = Format.JSON_ARRAY
    assert not Seam().may_follow(report)


# A plan of attempts, against a model of what the guide promises


@dataclass(frozen=True)
class Planned:
    """What one attempt sends: usage, a role, words, a call of which all or half comes, and how it ends."""

    usage: bool  # in front of all else
    role: str  # "", "alone", or "with" the first word, or with "each"
    words: tuple[str | int, ...]
    place: str  # of what is said: "delta" or "message"
    error: bool  # whether each chunk says that there is none
    call: str  # "", "whole" or "half"
    call_id: str  # "", "same" as in the other attempts, or "own"
    end: str  # "break", "clean" or "finish"
    cuts: tuple[int, ...]

    @property
    def says(self) -> bool:
        """Whether anything comes that a client acts on."""
        return bool(self.words or self.call)

    def script(self, number: int) -> list[Part]:
        id = f"m{number}"
        more: dict[str, Any] = {"error": None} if self.error else {}
        role: dict[str, Any] = {"role": "assistant"} if self.role else {}
        sent = b""
        if self.usage:
            payload = {
                "id": id,
                "object": "chat.completion.chunk",
                "choices": [],
                "usage": {"prompt_tokens": number + 1},
            }
            sent += b"data: %b\n\n" % json.dumps({**payload, **more}).encode()
        # One that ends clean without a word would be an empty body, which is no failure.
        if self.role == "alone" or (self.end == "clean" and not self.says):
            sent += chunk({"role": "assistant", "content": ""}, id=id, **more)
            role = {}
        for word in self.words:
            sent += chunk({**role, "content": word}, id=id, **more)
            role = role if self.role == "each" else {}
        sent = sent.replace(b'"delta"', b'"%b"' % self.place.encode())
        if self.call:
            head = {"id": "call" if self.call_id == "same" else f"call{number}"} if self.call_id else {}
            sent += call('{"n":1}' if self.call == "whole" else '{"n"', name="f", **head)
        if self.end == "finish":
            sent += chunk({}, "stop", id=id, **more) + DONE
        parts: list[Part] = [*cut(sent, sorted({at % (len(sent) + 1) for at in self.cuts}))]
        return [*parts, ConnectionResetError()] if self.end == "break" else parts


plans = st.lists(
    st.builds(
        Planned,
        usage=st.booleans(),
        role=st.sampled_from(["", "alone", "with", "each"]),
        words=st.lists(st.sampled_from(["Hel", "lo", " ", "\u00e9\U0001f600", '"', 0]), max_size=3).map(tuple),
        place=st.sampled_from(["delta", "message"]),
        error=st.booleans(),
        call=st.sampled_from(["", "", "", "whole", "half"]),
        call_id=st.sampled_from(["", "same", "own"]),
        end=st.sampled_from(["break", "break", "clean", "finish"]),
        cuts=st.lists(st.integers(0, 2000), max_size=4).map(tuple),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("name", ["iter_events", "repair", "aiter_events"])
@given(plan=plans, retries=st.integers(0, 5), continues=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_plan_of_attempts_gives_what_the_guide_promises(
    name: str, plan: list[Planned], retries: int, continues: bool
) -> None:
    text, calls, seams, told, over = "", 0, list[int](), [""], ""
    figures = list[int]()
    for number, planned in enumerate(plan):
        if text and planned.says:
            seams.append(len(text))
        text += "".join(map(str, planned.words))
        calls += planned.call != ""
        if planned.end == "finish":
            over = "finish"
        elif planned.call or (text and not continues):
            over = "failed"
        is_last = bool(over) or number in (retries, len(plan) - 1)
        if planned.usage and (text or is_last):
            figures.append(number + 1)
        if is_last:
            break
        told.append(text)
    attempts = Attempts([planned.script(number) for number, planned in enumerate(plan)])
    retry = Retry(max_retries=min(retries, len(plan) - 1), base=0.0)
    outcome = READERS[name](attempts, retry=retry, continues=continues)
    report = outcome.report
    assert [attempt.text for attempt in attempts.seen] == told
    assert (report.text, len(report.tool_calls), report.seams) == (text, calls, seams)
    assert (report.verdict is Verdict.COMPLETE) == (over == "finish")
    assert (outcome.error is None) == (over == "finish")
    assert report.second_beginnings == 0
    payloads = [json.loads(data) for data in outcome.events if data != "[DONE]"]
    assert [payload["usage"]["prompt_tokens"] for payload in payloads if "usage" in payload] == figures
    choices = [choice for payload in payloads for choice in payload["choices"]]
    deltas = [choice.get("delta", choice.get("message")) for choice in choices]
    assert "".join(str(delta.get("content", "")) for delta in deltas) == text
    answers = [payload["id"] for payload in payloads for _ in payload["choices"]]
    assert len({id for id, delta in zip(answers, deltas, strict=True) if "role" in delta}) <= 1
    indexes = [tool["index"] for delta in deltas for tool in delta.get("tool_calls", ())]
    assert indexes == [*range(calls)]
