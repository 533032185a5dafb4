"""Tests of what the report tells of an answer: it stands in the bytes that are written, and in the conversion."""

from __future__ import annotations

import json
import unittest
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from ...conversations import DIALECTS, Answer, Conversation, ToolCall, spell
from ...mistakes import hides
from ...plain_answers import PlainAnswer, elements_of, read_answer
from ...require_hypothesis import SearchStrategy, st
from ...standard import Seen, is_json
from ...strategies import dialect_streams, spoiled_answers
from ...strategies.troubled import harm, harms
from .law import Law
from .reading import events_in
from .under_test import Facts, Options, RepairerUnderTest, broken

__tracebackhide__ = hides

_T = TypeVar("_T")
_KEPT_AS_THEY_ARE: Final = (None, "text", "openai-chat")
"""Dialects of which no conversion is made: an unknown one, prose, and that of the conversion itself."""
_BEFORE_IT, _EMOJI = "\u00e9\u4f60".encode(), "\U0001f600".encode()
_NAMES: Final = ("dialect", "format", "verdict", "text", "reasoning", "tool_calls")


def _halves(frame: bytes) -> list[bytes]:
    """Return the frame; one with a character beyond U+FFFF as two, as servers do that cut between UTF-16 code units."""
    if _EMOJI not in frame:
        return [frame]
    return [frame.replace(_EMOJI, rb"\ud83d"), frame.replace(_BEFORE_IT + _EMOJI, rb"\ude00")]


def _in_disorder(frames: Sequence[bytes], moves: Sequence[tuple[str, int]]) -> list[bytes]:
    """Return the frames with some left out, repeated, or put last, and with a character in two halves."""
    left = list(frames)
    for what, number in moves:
        at = number % (len(left) + 1)
        if what == "drop":
            del left[at : at + 1]
        elif what == "repeat":
            left[at:at] = left[at : at + 1]
        elif what == "halve":
            left = [half for frame in left for half in _halves(frame)]
        elif what == "late":
            left += left[at : at + 1]
            del left[at : at + 1]
        else:
            del left[at:]
    return left


def _written(answer: Conversation, moves: Sequence[tuple[str, int]], as_array: bool) -> bytes:
    frames = _in_disorder(answer.frames, moves)
    if not (as_array and answer.dialect == "gemini"):
        return b"".join(frames)
    payloads = [frame.removeprefix(b"data: ").rstrip(b"\n") for frame in frames]
    return b"[" + b"\n,\r\n".join(payloads) + (b"]" if frames == list(answer.frames) else b"")


Moves = list[tuple[str, int]]
_moves: SearchStrategy[Moves] = st.one_of(
    st.just([]),
    st.lists(st.tuples(st.sampled_from(["drop", "repeat", "late", "cut"]), st.integers(0, 99)), max_size=2),
    st.integers(0, 99).map(lambda number: [("halve", 0), ("cut", number)]),
)


def _answers_in(dialect: str) -> SearchStrategy[tuple[bytes, Options]]:
    answers = st.builds(_written, dialect_streams(dialect), _moves, st.booleans())
    harmed = st.builds(harm, answers, st.just([]) | harms())
    return st.tuples(answers | harmed | spoiled_answers(dialect), st.sampled_from([{"dialect": dialect}, {}]))


answers_of_any_dialect: SearchStrategy[tuple[bytes, Options]] = st.sampled_from(DIALECTS).flatmap(_answers_in)
"""Answers, whole, cut, in disorder, harmed or spoiled, and the option that names their dialect, or none."""

_FULL: Final = Answer(
    text=("Hello", " \u00e9\u4f60\U0001f600", ", world"),
    reasoning=("\u00e9\u4f60\U0001f600", " hm"),
    tools=(ToolCall("call_1", "search", '{"q": "a b", "n": [1,2]}'), ToolCall("call_2", "now", "{}")),
    input_tokens=3,
    output_tokens=7,
)


def answers_of_each_dialect() -> Iterator[tuple[bytes, Options]]:
    """Yield an answer of everything in each dialect: whole, with characters in two halves, and cut here and there."""
    for dialect in DIALECTS:
        answer = spell(dialect, _FULL)
        cuts: list[Moves] = [[("halve", 0), ("cut", at)] for at in range(1, len(answer.frames), 4)]
        for moves in ([], [("halve", 0)], *cuts):
            yield _written(answer, moves, as_array=False), {"dialect": dialect}
        yield _written(answer, [], as_array=True), {}


def answers_in_disorder() -> Iterator[tuple[bytes, Options]]:
    """Yield an answer in each dialect with each one of its frames left out, repeated, or put last."""
    for dialect in DIALECTS:
        answer = spell(dialect, _FULL)
        for at in range(len(answer.frames)):
            for what in ("drop", "repeat", "late"):
                yield _written(answer, [(what, at)], as_array=False), {"dialect": dialect}


class TellingTests(RepairerUnderTest):
    """What the report tells of an answer, a client reads too."""

    def test_what_the_report_tells_stands_in_what_is_written(self) -> None:
        """A plain reader of the dialect finds the same text, reasoning and tool calls in the output."""
        self._needs("facts")
        for data, named in (*answers_of_each_dialect(), *answers_in_disorder()):
            self._check_told([data], named)
        drawn = st.tuples(answers_of_any_dialect, self.options.map(_read_only))
        self._ask(drawn, "told", lambda drawn: self._check_told([drawn[0][0]], {**drawn[0][1], **drawn[1]}))

    def _check_told(self, chunks: list[bytes], options: Options) -> None:
        wire, facts = self._reported(chunks, options, *_NAMES)
        seen, answers = _by_value(told(facts)), self._answers_in(wire, facts, options)
        found = [_by_value(spelt(answer)) for answer in answers]
        if any(answer.ambiguous for answer in answers):
            return
        if seen not in found and not facts.get("account_cut") and not _is_torn(facts, options):
            raise broken(
                Law.THE_REPORT_TELLS_WHAT_IS_WRITTEN,
                chunks,
                found[0],
                seen,
                options,
                lambda again: self._check_told(again, options),
            )

    def test_what_the_report_tells_stands_in_the_conversion(self) -> None:
        """A plain reader of OpenAI's chat finds the same in the conversion, and an end that fits the verdict."""
        self._needs("facts")
        if {"convert": "openai-chat"} not in self.conversions:
            raise unittest.SkipTest('does not define the conversion {"convert": "openai-chat"}')
        for data, named in (*answers_of_each_dialect(), *answers_in_disorder()):
            self._check_converted([data], named)
        drawn = st.tuples(answers_of_any_dialect, self.options.map(_as_it_ends))
        self._ask(
            drawn, "told_converted", lambda drawn: self._check_converted([drawn[0][0]], {**drawn[0][1], **drawn[1]})
        )

    def _check_converted(self, chunks: list[bytes], options: Options) -> None:
        wire, facts = self._reported(chunks, {**options, "convert": "openai-chat"}, *_NAMES)
        if facts["dialect"] in _KEPT_AS_THEY_ARE or facts.get("account_cut"):
            return
        sources = self._answers_in(*self._reported(chunks, options, *_NAMES), options)
        if any(source.late for source in sources):
            return  # what was said behind the end is not converted
        seen = _without_half((*told(facts, hosted=False), end_that_fits(facts)))
        found = self._answers_in(wire, {**facts, "dialect": "openai-chat", "format": "sse"}, options)
        ways = [_without_half((*spelt(answer), end_of(answer, facts))) for answer in found]
        if sources[0].contradicted and seen[:2] == ways[0][:2] and ways[0][3] == "error":
            return  # what was written cannot be taken back
        if seen not in ways:
            raise broken(
                Law.THE_REPORT_TELLS_WHAT_IS_WRITTEN,
                chunks,
                ways[0],
                seen,
                options,
                lambda again: self._check_converted(again, options),
            )

    def _ask(self, drawn: SearchStrategy[_T], name: str, check: Callable[[_T], None]) -> None:
        self._run(drawn, name, check, times=1)  # once the examples of the profile, beside those of each dialect

    def _answers_in(self, wire: bytes, facts: Facts, options: Options) -> list[PlainAnswer]:
        """Return the answer in the output; of a dialect that nobody named, also without the events before it showed."""
        events = events_of(wire, facts["format"])
        begins = range(1 if "dialect" in options else len(events) + 1)
        return [read_answer(facts["dialect"], events[begin:]) for begin in begins]


def events_of(wire: bytes, format: str | None) -> list[Seen]:
    """Return the events in bytes that were written; of an array that is cut, its whole elements."""
    if format == "json-array":
        return [("message", text, "") for text in elements_of(wire)]
    return events_in(wire, format or "sse")


def answer_in(wire: bytes, dialect: str | None, format: str | None) -> PlainAnswer:
    """Return what a plain reader of this dialect finds in bytes that were written."""
    return read_answer(dialect, events_of(wire, format))


def told(facts: Facts, *, hosted: bool = True) -> tuple[Any, ...]:
    """Return text, reasoning and tool calls as the report has them; `hosted`: also those that the provider runs."""
    calls = [call for call in facts["tool_calls"] if hosted or call["kind"] != "hosted"]
    return facts["text"], facts["reasoning"], [(call["name"] or "", call["arguments"]) for call in calls]


def spelt(answer: PlainAnswer) -> tuple[Any, ...]:
    """Return the same of what a plain reader found."""
    return answer.text, answer.reasoning, answer.tools


def _by_value(seen: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the same with arguments in one spelling: some answers hold them twice, as text and as value."""
    text, reasoning, calls = seen
    same = [(name, json.dumps(json.loads(told)) if is_json(told) else told) for name, told in calls]
    return text, reasoning, same


def end_that_fits(facts: Facts) -> str:
    """Return how a conversion must end: "error", "end" for a whole answer or one with a hole, or "" for no end."""
    verdict = str(getattr(facts["verdict"], "value", facts["verdict"]))
    return {"failed": "error", "truncated": "error", "complete": "end", "damaged": "end"}.get(verdict, "")


def end_of(answer: PlainAnswer, facts: Facts) -> str:
    """Return how a conversion ended. An end needs a finish reason where the answer has one, and the sentinel."""
    if answer.error:
        return "error"
    finished = answer.finish is not None or facts.get("finish_reason") is None
    return "end" if answer.ended and finished else ""


def _without_half(seen: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the same; of an answer that fails, without half of a character at its end, which is not converted."""
    text, reasoning, calls, end = seen
    return (text.removesuffix("\ufffd"), reasoning.removesuffix("\ufffd"), calls, end) if end == "error" else seen


def _read_only(options: Options) -> Options:
    """Return the options without those that change how a payload is written, or say that it is another dialect's."""
    return {name: value for name, value in options.items() if name not in ("to", "convert", "dialect")}


def _is_torn(facts: Facts, options: Options) -> bool:
    """Return whether an array may hold elements that are not JSON, so that no reader can tell where they end."""
    kinds = {getattr(kind, "value", kind) for kind in options.get("repairs", ["invalid-json"])}
    return facts["format"] == "json-array" and (options.get("invalid_json") == "keep" or "invalid-json" not in kinds)


def _as_it_ends(options: Options) -> Options:
    """Return the same without those that keep a repairer from writing an end of its own."""
    return {name: value for name, value in _read_only(options).items() if name != "repairs"}
