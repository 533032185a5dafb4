"""The contract's tests of what a report tells: a right repairer passes, each flaw fails one; and their plain reader."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase

from unbroken.testing import RepairContract, examine
from unbroken.testing.contract.repairer.reading import framing_of
from unbroken.testing.contract.repairer.telling import answer_in, events_of
from unbroken.testing.conversations import DIALECTS, Answer, ToolCall, spell
from unbroken.testing.plain_answers import PlainAnswer, elements_of, read_answer

from .test_testing_contract import hypothesis_profile

Flaws = Collection[str]


class Teller(RepairContract):
    """Forwards whatever comes; its report, and its conversion, are what the plain reader finds, less its flaws."""

    flaws: Flaws = ()
    conversions = ({"convert": "openai-chat"},)

    def repair(self, chunks: Iterable[bytes], options: dict[str, Any]) -> Iterator[bytes]:
        yield self.facts(chunks, options)[0]

    def facts(self, chunks: Iterable[bytes], options: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        data, dialect = b"".join(chunks), options.get("dialect")
        framing = framing_of(data)
        answer = answer_in(data, dialect, framing)
        whole = answer.ended and not answer.error
        wire = b"".join(converted(answer, whole, self.flaws)) if "convert" in options else data
        text = answer.text[:-1] if "tells less text" in self.flaws else answer.text
        reasoning = answer.reasoning * (2 if "tells reasoning twice" in self.flaws else 1)
        tools = [(name, arguments) for name, arguments in answer.tools if "tells no calls" not in self.flaws]
        calls = [{"name": name, "arguments": arguments, "kind": "function"} for name, arguments in tools]
        return wire, {
            "dialect": dialect,
            "format": framing,
            "verdict": "complete" if whole else "failed",
            "text": text,
            "reasoning": reasoning,
            "tool_calls": calls,
            "finish_reason": answer.finish,
        }


def converted(answer: PlainAnswer, whole: bool, flaws: Flaws) -> Iterator[bytes]:
    """Yield an answer as chunks of OpenAI's chat."""
    calls = [
        {"index": at, "id": f"call_{at}", "function": {"name": name, "arguments": arguments}}
        for at, (name, arguments) in enumerate(answer.tools)
    ]
    delta = {"content": answer.text, "reasoning_content": answer.reasoning, "tool_calls": calls}
    if "converts no calls" in flaws:
        del delta["tool_calls"]
    if "converts half the text" in flaws:
        delta["content"] = answer.text[: len(answer.text) // 2]
    finish = None if "forgets the finish" in flaws else answer.finish
    yield chat({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    if whole or "ends what failed" in flaws:
        yield b"data: [DONE]\n\n"
    elif "ends without a word" not in flaws:
        yield chat({"error": {"message": "it failed"}})


def chat(payload: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


WRITTEN = "test_what_the_report_tells_stands_in_what_is_written"
CONVERTED = "test_what_the_report_tells_stands_in_the_conversion"
FLAWS = {
    "tells less text": WRITTEN,
    "tells reasoning twice": WRITTEN,
    "tells no calls": WRITTEN,
    "converts half the text": CONVERTED,
    "converts no calls": CONVERTED,
    "forgets the finish": CONVERTED,
    "ends what failed": CONVERTED,
    "ends without a word": CONVERTED,
}


def failures(*flaws: str, of: Collection[str] = (WRITTEN, CONVERTED)) -> dict[str, bool]:
    contract = Teller()
    contract.flaws = flaws
    shortest = {"max_examples": 15, "derandomize": True, "database": None, "phases": [Phase.generate]}
    with hypothesis_profile("a few", **shortest):
        return {one.test: one.failure is not None for one in examine(contract, of.__contains__)}


def test_a_right_report_passes() -> None:
    assert failures() == {WRITTEN: False, CONVERTED: False}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_fails_its_test(flaw: str) -> None:
    assert failures(flaw, of=(FLAWS[flaw],)) == {FLAWS[flaw]: True}


# --- The plain reader -------------------------------------------------------------------------------------------------

ANSWER = Answer(
    text=("Hel", "lo \U0001f600"),
    reasoning=("let ", "me see"),
    tools=(ToolCall("call_1", "search", '{"q": "a b"}'), ToolCall("call_2", "now", "{}")),
)


def test_the_plain_reader_finds_what_was_put_into_an_answer() -> None:
    for dialect in DIALECTS:
        conversation = spell(dialect, ANSWER)
        answer = answer_in(conversation.data, dialect, "sse" if conversation.is_sse else "ndjson")
        assert (answer.text, answer.reasoning) == (conversation.text, conversation.reasoning), dialect
        assert [(name, json.loads(arguments)) for name, arguments in answer.tools] == [
            (tool.name, json.loads(tool.arguments)) for tool in conversation.tools
        ], dialect
        assert (answer.error, answer.late, answer.contradicted) == (False, False, False), dialect
        assert answer.ended is (dialect != "gemini"), dialect
        assert (answer.finish or "completed") == (conversation.finish_reason or "completed"), dialect


# Of the last one each event holds the whole text so far, so that the second answer says nothing that is new.
_SAID_AGAIN = sorted({*DIALECTS} - {"gemini", "openai-chat", "openai-completions", "sglang-generate"})


def test_the_plain_reader_notes_what_is_said_behind_the_end() -> None:
    for dialect in _SAID_AGAIN:
        conversation = spell(dialect, replace(ANSWER, text=("Hello",)))
        doubled = b"".join([*conversation.frames, *conversation.frames])
        assert answer_in(doubled, dialect, "sse" if conversation.is_sse else "ndjson").late, dialect


def test_the_plain_reader_of_an_unknown_dialect_finds_nothing() -> None:
    data = spell("openai-chat", ANSWER).data
    assert read_answer(None, events_of(data, "sse")) == PlainAnswer()


ARRAYS = [
    (b"", []),
    (b"[", []),
    (b'[{"a":[1]}\n,\r\n{"b":2}]', ['{"a":[1]}', '{"b":2}']),
    (b'[{"a":1},{"b":', ['{"a":1}']),
    (b'[{"a":1}\n,"x', ['{"a":1}']),
]


@pytest.mark.parametrize(("data", "elements"), ARRAYS)
def test_the_elements_of_an_array_that_may_be_cut(data: bytes, elements: list[str]) -> None:
    assert elements_of(data) == elements
