"""What was delivered: the facts of every capture, and what holds of any stream, also of one that fails."""

import hashlib
import json
import random
import tracemalloc
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from time import process_time
from typing import Any

import pytest

from tests.captures import body, chosen, expected, manifest, needs_captures
from unbroken import Delta, EventClass, EventReader, Reading, StreamError, StreamReport, ToolFragment, iter_events
from unbroken.core.account import MAX_CALLS, MAX_KEPT, Account, join_surrogates
from unbroken.testing.cuts import cut

# The captures. `expected.jsonl` was made by a plain script that repairs nothing; where this library finds something
# else, the reason stands here.

REPAIRED = "its events are repaired here; the script read one event that is not JSON"
FIRST_DELTA_REPAIRED = "spliced events: the whole one is kept, the script dropped both"
UNKNOWN = "a dialect that the script does not read"
WHOLES = "each event holds the whole text so far, which the script does not read"
MAXIMUM = "figures are merged by maximum; the last one that came was smaller"
DIFFERENT: dict[str, tuple[set[str], str]] = {
    "cohere/cohere-empty-tool-call-dded33c1.bin": (
        {"reasoning", "tool_calls"},
        "a tool plan is read as reasoning; a call that ended without arguments has an empty object of them",
    ),
    "openai/thinking-stream-oss120-01-aa5c7f96.bin": ({"reasoning"}, "`response.reasoning.delta` is reasoning too"),
    "openrouter/thinking-stream-gemini3-01-22cf62dd.bin": (
        {"reasoning"},
        "`response.reasoning.delta` is reasoning too",
    ),
    "google-gemini/streaming-failure-prompt-blocked-safety-5c106a27.bin": (
        {"finish_reason"},
        "a blocked prompt is a finish: without one an empty answer would have no reason",
    ),
    "google-gemini/google-stream-tool-call-array-arguments-missing-terminal-function-call-f7e5a675.bin": (
        {"tool_calls"},
        "arguments that are streamed path by path are put together; the script does not",
    ),
    "google-vertex/google-vertex-stream-tool-call-arguments-nested-1-92992bb2.bin": (
        {"tool_calls"},
        "arguments that are streamed path by path are put together; the script does not",
    ),
    "hf-tgi/test-async-generate-stream-with-details-15d7d01e.bin": ({"usage"}, "`generated_tokens` is a figure too"),
    "hf-tgi/testtextgenerationclientvcr-test-generate-stream-no-details-b6a46ca8.bin": ({"usage"}, "as above"),
    "hf-tgi/testtextgenerationclientvcr-test-generate-stream-with-details-88dce253.bin": ({"usage"}, "as above"),
    "moonshot/moonshot-usage-inside-choice-161c0f50.bin": ({"usage"}, "the figures in the choice are read, too"),
    "synthetic/openai/wrong-response-formatar-f82497dc.bin": (
        {"text"},
        "the text stands in the response at the end alone",
    ),
    "google-gemini/testgoogleaitoolcallresponse-6326c6d0.bin": ({"usage"}, MAXIMUM),
    "google-gemini/testgoogleaiwithstreaming-d5af2f26.bin": ({"usage"}, MAXIMUM),
    "synthetic/anthropic/refusal-response-13f671d6.bin": ({"usage"}, MAXIMUM),
    "synthetic/anthropic/stream-a-toolrefusal-d7673fbe.bin": ({"usage"}, MAXIMUM),
    "synthetic/anthropic/stream-message-delta-usage-db145ba1.bin": ({"usage"}, MAXIMUM),
    "synthetic/alibaba/dashscope-compat-zh-single-newline-8eb8781c.bin": ({"text", "finish_reason", "usage"}, REPAIRED),
    "synthetic/gateway-test/test-raw-message-78e60812.bin": ({"text", "reasoning", "finish_reason", "usage"}, REPAIRED),
    "synthetic/google-gemini/stream-basic-text-1-77dd9068.bin": ({"text", "finish_reason", "usage"}, REPAIRED),
    "synthetic/moonshot/moonshot-usage-inside-choice-space-lines-7c8977b6.bin": (
        {"text", "finish_reason", "usage"},
        f"{REPAIRED}; and the figures in the choice are read, too",
    ),
    "synthetic/openai/chatcompletionkeepalive-4a00aec2.bin": ({"text"}, REPAIRED),
    "synthetic/openai/chatcompletionping-e6333fab.bin": ({"text", "finish_reason"}, REPAIRED),
    "synthetic/openai/createstreamedresponsefixture-11e0057b.bin": ({"text", "finish_reason"}, REPAIRED),
    "zai/zai-glm47-splice-after-id-colon-35496421.bin": ({"reasoning"}, FIRST_DELTA_REPAIRED),
    "zai/zai-glm47-splice-in-role-bddd13f9.bin": ({"reasoning"}, FIRST_DELTA_REPAIRED),
    "zai/zai-glm51-splice-in-object-53517a22.bin": ({"text"}, FIRST_DELTA_REPAIRED),
    "zai/zai-glm51-splice-in-role-key-b0d24f48.bin": ({"reasoning"}, FIRST_DELTA_REPAIRED),
    "cody-gateway/symf-3564355686-recording-8633b378.bin": ({"text"}, WHOLES),
    "cody-gateway/symf-3564355686-recording-9c541109.bin": ({"text"}, WHOLES),
    "google-gemini/streaming-interaction-9396b24c.bin": ({"text", "finish_reason", "usage"}, UNKNOWN),
    "google-gemini/test-generate-interactions-async-true-c07cdf00.bin": ({"text", "finish_reason", "usage"}, UNKNOWN),
    "google-gemini/test-generate-interactions-multi-model-messages-true-0d209f64.bin": (
        {"text", "finish_reason", "usage"},
        UNKNOWN,
    ),
    "openai/runs-streamed-create-948e0d8a.bin": ({"text", "finish_reason", "usage"}, UNKNOWN),
    "openai/runs-streamed-create-b89d7a9d.bin": ({"text", "finish_reason", "usage"}, UNKNOWN),
    "sap-aicore/orchestration-chat-completion-stream-chunks-fefcc844.bin": (
        {"text", "finish_reason", "usage"},
        UNKNOWN,
    ),
    "sap-aicore/orchestration-chat-completion-stream-tools-chunks-e9f5e791.bin": (
        {"finish_reason", "tool_calls"},
        UNKNOWN,
    ),
}


def report_of(file: str) -> StreamReport:
    """Read a capture in pieces that were cut at random."""
    data = body(file)
    entry = next(entry for entry in manifest() if entry["file"] == file)
    offsets = sorted(random.Random(file).choices(range(len(data) + 1), k=12))
    stream = iter_events(cut(data, offsets), content_type=entry.get("content_type"), timeouts=None)
    with suppress(StreamError):
        list(stream)
    return stream.report


def is_same_text(mine: str, facts: dict[str, Any]) -> bool:
    if "text_sha256" in facts:
        return hashlib.sha256(mine.encode()).hexdigest() == facts["text_sha256"]
    return mine == facts.get("text", "")


def is_same_usage(mine: dict[str, int], theirs: dict[str, Any] | None) -> bool:
    names = {"input_tokens": "prompt", "output_tokens": "completion", "total_tokens": "total"}
    return all(mine.get(name) == (theirs or {}).get(name_there) for name, name_there in names.items())


def is_same_call(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    arguments = theirs.get("final_arguments") or theirs["arguments"]
    arguments = arguments or theirs.get("arguments_effective") or ""
    if "arguments_sha256" in theirs:
        same = hashlib.sha256(mine["arguments"].encode()).hexdigest() == theirs["arguments_sha256"]
    else:
        same = value_of(mine["arguments"]) == value_of(arguments)
    named = (mine["id"], mine["name"]) == (theirs["id"] or None, theirs["name"] or None)
    return same and named and mine["choice"] == theirs.get("choice", 0)


def value_of(arguments: str) -> Any:
    """Compare by value: arguments that come as an object are spelt by whoever receives them."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def differences(report: StreamReport, facts: dict[str, Any]) -> set[str]:
    choice = facts["choices"].get("0", {})
    finish = facts["finish_reason"]
    calls = report.tool_calls
    theirs = facts["tool_calls"]
    same = {
        "text": is_same_text(report.text, {**choice, **facts}),
        "reasoning": is_same_text(report.reasoning, prefixed(choice.get("reasoning") or {})),
        "finish_reason": report.finish_reason == (finish if finish is None else str(finish)),
        "usage": is_same_usage(report.usage, facts["usage"]),
        "tool_calls": len(calls) == len(theirs) and all(map(is_same_call, calls, theirs)),
    }
    return {name for name, holds in same.items() if not holds}


def prefixed(reasoning: dict[str, Any]) -> dict[str, Any]:
    return {("text_" + key if key in ("sha256", "chars") else key): value for key, value in reasoning.items()}


@needs_captures
@pytest.mark.parametrize("file", chosen(lambda entry: entry["format"] != "other"))
def test_the_account_of_every_capture_is_what_an_independent_script_found(file: str) -> None:
    found = differences(report_of(file), expected()[file])
    assert found == DIFFERENT.get(file, (set(), ""))[0]


@needs_captures
def test_the_table_of_differences_names_no_file_in_vain() -> None:
    assert DIFFERENT.keys() <= {entry["file"] for entry in manifest()}


@needs_captures
def test_arguments_that_were_streamed_path_by_path_are_whole() -> None:
    name = "google-gemini/google-stream-tool-call-array-arguments-missing-terminal-function-call-f7e5a675.bin"
    (call,) = report_of(name).tool_calls
    assert (call["name"], call["arguments_complete"]) == ("writeItems", True)
    assert json.loads(call["arguments"])["operations"][1] == {
        "action": "add",
        "description": "Ripe yellow banana",
        "itemid": "banana_001",
        "price": 0.3,
    }


WITHOUT_ARGUMENTS = (
    "cohere/cohere-empty-tool-call-dded33c1.bin",
    "synthetic/anthropic/stream-tool-empty-args-806fd417.bin",
)


@needs_captures
@pytest.mark.parametrize("file", WITHOUT_ARGUMENTS)
def test_a_call_that_ended_without_arguments_has_an_empty_object_of_them(file: str) -> None:
    assert [(call["arguments"], call["arguments_complete"]) for call in report_of(file).tool_calls] == [("{}", True)]


@needs_captures
@pytest.mark.parametrize("file", chosen(lambda entry: "tool-args-invalid-json" in entry["traits"]))
def test_arguments_that_were_cut_are_reported_as_incomplete_and_never_repaired(file: str) -> None:
    calls = report_of(file).tool_calls
    assert [call["arguments_complete"] for call in calls] == [
        call["arguments_valid_json"] for call in expected()[file]["tool_calls"]
    ]
    assert all(map(is_same_call, calls, expected()[file]["tool_calls"]))


# Any stream


def account(*readings: Reading, **options: Any) -> Account:
    made = Account(**options)
    for reading in readings:
        made.absorb(reading)
    return made


def says(text: str = "", choice: int = 0, **delta: Any) -> Reading:
    return Reading(EventClass.CONTENT, (Delta(choice, text=text, **delta),))


def sends(**usage: int) -> Reading:
    return Reading(EventClass.USAGE, usage=usage)


def calls(*fragments: ToolFragment, finish: str | None = None) -> list[dict[str, Any]]:
    readings = [says(tools=(fragment,)) for fragment in fragments]
    return account(*readings, Reading(EventClass.STRUCTURAL, (Delta(finish_reason=finish),))).tool_calls


def test_surrogate_halves_join_within_one_choice_and_one_field_only() -> None:
    halves = account(
        says("a\ud83d"), says("\ude00b"), says("\ud83d", choice=1), says("c"), says(reasoning="\ud83d"), says("\ude00")
    )
    assert halves.text == "a\U0001f600bc\ufffd"
    assert halves.reasoning == "\ufffd"


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("\ud83d\ude00", "\U0001f600"),
        ("\ud83dx", "\ufffdx"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        ("plain é", "plain é"),
    ],
)
def test_a_half_without_its_other_half_is_replaced(text: str, joined: str) -> None:
    assert join_surrogates(text) == joined


def test_usage_is_merged_by_maximum_and_never_summed() -> None:
    figures = account(sends(input_tokens=9, output_tokens=1), sends(output_tokens=13), sends(output_tokens=20)).usage
    assert figures == {"input_tokens": 9, "output_tokens": 20}


def test_a_zero_that_was_sent_is_not_a_figure_that_is_missing() -> None:
    assert account(sends(output_tokens=0)).usage == {"output_tokens": 0}
    assert account(sends(output_tokens=0)).tokens() == (0, "provider")
    assert account().usage == {}
    assert account().tokens() == (0, "events")


TOKENS: list[tuple[list[Reading], Callable[[str], int] | None, tuple[int, str]]] = [
    ([says("a b"), says("c"), sends(output_tokens=7)], None, (7, "provider")),
    ([says("a b"), says("c"), sends(output_tokens=7, thought_tokens=3)], len, (10, "provider")),
    ([says("a b"), says("c")], None, (2, "events")),
    ([says("a b"), says("c")], lambda text: len(text.split()), (2, "count_tokens")),
    ([says("a b"), says("c", reasoning="d")], len, (5, "count_tokens")),
    ([says("a"), sends(input_tokens=3)], None, (1, "events")),
    # The first event of one provider sends a figure of 1, long before the answer ends.
    ([sends(output_tokens=1), says("a"), says("b")], None, (2, "events")),
    ([sends(output_tokens=9), says("a"), says("b")], None, (9, "provider")),
    ([says("a")], lambda text: 1 // 0, (1, "events")),
]


@pytest.mark.parametrize(("readings", "count", "tokens"), TOKENS)
def test_tokens_are_counted_by_the_provider_or_the_caller_or_as_events(
    readings: list[Reading], count: Callable[[str], int] | None, tokens: tuple[int, str]
) -> None:
    assert account(*readings, count_tokens=count).tokens() == tokens


def test_fragments_of_a_call_are_joined_and_calls_stay_apart() -> None:
    first, second = calls(
        ToolFragment((0, 0), "c1", "first", '{"a":'),
        ToolFragment((1, 0), "c2", "second", "{}"),
        ToolFragment((0, 0), "other", "other", "1}"),
    )
    assert first == {
        "choice": 0,
        "id": "c1",
        "name": "first",
        "kind": "function",
        "arguments": '{"a":1}',
        "arguments_complete": True,
    }
    assert (second["id"], second["name"], second["arguments"]) == ("c2", "second", "{}")


COMPLETE = [
    ('{"a":1}', "function", None, True),
    ('{"a":1', "function", "length", False),
    ('{"a":1', "function", "tool_calls", False),
    ("12", "function", "tool_calls", False),
    ('{"a":NaN}', "function", "tool_calls", False),
    ("", "function", "tool_calls", True),
    ("", "function", None, False),
    ("print(1)", "custom", "tool_calls", True),
    ("print(1)", "custom", None, False),
    ("", "hosted", "stop", True),
]


@pytest.mark.parametrize(("arguments", "kind", "finish", "complete"), COMPLETE)
def test_arguments_are_complete_by_a_strict_parse_and_by_nothing_else(
    arguments: str, kind: str, finish: str | None, complete: bool
) -> None:
    (call,) = calls(ToolFragment(0, "c", "f", arguments, kind=kind), finish=finish)
    assert (call["arguments"], call["arguments_complete"]) == (arguments, complete)


def test_arguments_in_one_piece_replace_those_in_pieces() -> None:
    (call,) = calls(ToolFragment(0, "c", "f", '{"a"'), ToolFragment(0, arguments='{"a":1}', whole=True))
    assert (call["arguments"], call["arguments_complete"]) == ('{"a":1}', True)
    (call,) = calls(ToolFragment(0, kind="custom"), ToolFragment(0, arguments="print(1)", whole=True))
    assert call["arguments_complete"], "its end was sent, though the answer had none yet"


def test_free_text_of_which_something_was_not_kept_is_not_complete() -> None:
    whole = says(tools=(ToolFragment(0, arguments="x" * (MAX_KEPT + 1), whole=True, kind="custom"),))
    (call,) = account(whole).tool_calls
    assert (len(call["arguments"]), call["arguments_complete"]) == (MAX_KEPT, False)


@pytest.mark.parametrize("delta", [{"text": "a"}, {"reasoning": "a"}, {"refusal": "a"}, {"tools": (ToolFragment(0),)}])
def test_whatever_an_answer_is_made_of_counts_as_content_where_the_event_is_none(delta: dict[str, Any]) -> None:
    assert account(Reading(EventClass.TERMINAL, (Delta(**delta),))).content_events == 1
    assert account(Reading(EventClass.TERMINAL, (Delta(finish_reason="stop"),))).content_events == 0


def test_a_refusal_is_kept_apart_from_the_text() -> None:
    declined = account(says("a"), says(refusal="I can"), says(refusal="not"))
    assert (declined.text, declined.refusal, declined.reasoning) == ("a", "I cannot", "")


TEXTS = [
    ["He", "Hello", "Hello wor", "Hello world"],
    ["a", "b", "a"],
    ["He", "Hello", "x", "Hello wor", "Hello world!"],
]


@pytest.mark.parametrize("texts", TEXTS)
@pytest.mark.parametrize("field", ["text", "reasoning"])
@pytest.mark.parametrize("choice", [0, 1])
@pytest.mark.parametrize("room", [MAX_KEPT, 7])
def test_texts_taken_together_amount_to_what_they_do_one_by_one(
    texts: list[str], field: str, choice: int, room: int
) -> None:
    before = [says("x" * (MAX_KEPT - room), choice=2)] if room < MAX_KEPT else []
    after = [says("Hello world"[:length]) for length in (2, 4, 6, 8)]
    one_by_one = account(*before, *[says(choice=choice, **{field: text}) for text in texts])
    together, added = account(*before), account(*before)
    together.absorb_texts(choice, field, texts)
    add = added.adder(choice, field)
    for text in texts:
        add(text)
    for other in (together, added):
        assert other.cumulative == one_by_one.cumulative
    for reading in after:
        for other in (one_by_one, together, added):
            other.absorb(reading)
    for fact in ("text", "reasoning", "cumulative", "content_events", "cut"):
        assert getattr(together, fact) == getattr(added, fact) == getattr(one_by_one, fact)


@pytest.mark.parametrize("choice", [0, 1])
def test_arguments_taken_together_amount_to_what_they_do_one_by_one(choice: int) -> None:
    fragment = ToolFragment("k", "id", "f")
    texts = ['{"a"', ": 1", "}"]
    readings = [says(choice=choice, tools=(replace(fragment, arguments=text),)) for text in texts]
    one_by_one, together = account(*readings), account()
    together.absorb_arguments(choice, fragment, texts)
    assert together.tool_calls == one_by_one.tool_calls
    assert together.tool_calls[0]["arguments"] == '{"a": 1}'
    assert together.content_events == one_by_one.content_events == 3


def test_integers_of_any_size_stay_exact_in_arguments_that_come_as_an_object() -> None:
    arguments = {"id": 12345678901234567890, "half": 0.5, "whole": 2}
    line = {
        "model": "m",
        "message": {"tool_calls": [{"function": {"name": "f", "arguments": arguments}}]},
        "done": True,
    }
    stream = iter_events([json.dumps(line).encode() + b"\n"], format="ndjson")
    list(stream)
    assert stream.report.tool_calls[0]["arguments"] == '{"id":12345678901234567890,"half":0.5,"whole":2}'


def test_what_is_kept_is_bounded_and_says_so_and_counts_are_not() -> None:
    piece = says("x" * 1000)
    full = account(*[piece] * (MAX_KEPT // 1000 + 50))
    assert (len(full.text), full.cut, full.content_events) == (MAX_KEPT, True, MAX_KEPT // 1000 + 50)
    assert account(*[says("x", choice=index) for index in range(MAX_CALLS + 5)]).cut
    late = account(*[says("x", choice=index) for index in range(MAX_CALLS + 5, 0, -1)], says("the first"))
    assert (late.text, late.cut) == ("the first", True)
    assert not account(says("x" * MAX_KEPT)).cut
    assert not account(*[says("x", choice=index) for index in range(MAX_CALLS)]).cut
    many = account(*[says(tools=(ToolFragment(index, arguments="{}"),)) for index in range(MAX_CALLS + 5)])
    assert (len(many.tool_calls), many.cut) == (MAX_CALLS, True)


@pytest.mark.slow
def test_small_pieces_cost_little_more_than_their_text() -> None:
    tracemalloc.start()
    try:
        made = account(*[says("é")] * 10)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(200_000):
            made.absorb(says(chr(0x4E00 + number % 20_000)))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 8 * 200_000, "bytes per character"


def test_absorbing_takes_time_in_proportion() -> None:
    def cost(pieces: int) -> float:
        readings: Iterable[Reading] = [says("word ")] * pieces
        start = process_time()
        account(*readings)
        return process_time() - start

    small, large = (min(cost(pieces) for _ in range(5)) for pieces in (10_000, 100_000))
    assert large < 40 * small, "ten times the pieces"


def test_text_that_is_sent_anew_with_each_event_is_reported_and_left_as_it_is() -> None:
    growing = account(says("He"), says("Hello"), says("Hello wor"), says("Hello world"))
    assert (growing.cumulative, growing.text) == (True, "HeHelloHello worHello world")
    assert not account(says("ha"), says("haha")).cumulative, "too few to say"
    assert not account(says("ha"), says("haha"), says("hahaha"), says("hahahaha"), says("!")).cumulative
    assert not account(says("a"), says("bb"), says("ccc"), says("dddd")).cumulative, "longer, and nothing else"
    assert not account(says("ha"), says("haha"), says("haha"), says("hahaha"), says("hahahaha")).cumulative
    assert account(says("ha"), says("ha!"), says("x", choice=1), says("ha! h"), says("ha! ha")).cumulative


def test_an_endless_repetition_is_reported() -> None:
    phrase = "The quick brown fox jumps over the lazy dog. "
    assert account(says("Once. " + phrase * 40)).repetitions == 40
    assert account(says(phrase + "And so on, until the end of the story.")).repetitions == 1
    assert account(says("x" * 5000)).repetitions == 4096
    assert account(says("x" * 33)).repetitions == 33
    assert account(says("x" * 32)).repetitions == 1
    assert account().repetitions == 1


def test_a_second_beginning_in_one_stream_is_reported() -> None:
    begin = Reading(EventClass.STRUCTURAL, begins=True)
    assert account(begin, says("a"), begin, says("a")).beginnings == 2


CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n'


def test_the_account_is_there_when_the_stream_fails() -> None:
    def upstream() -> Iterable[bytes]:
        yield CHUNK
        yield CHUNK
        raise OSError("gone")

    stream = iter_events(upstream())
    with pytest.raises(StreamError) as caught:
        list(stream)
    assert (stream.report.text, stream.report.tokens_received) == ("HelHel", 2)
    assert (caught.value.tokens_received, caught.value.safe_to_retry) == (2, False)


def test_the_account_is_there_when_the_client_leaves() -> None:
    stream = iter_events([CHUNK] * 5)
    next(stream)
    stream.close()
    assert stream.report.text.startswith("Hel")
    assert json.loads(json.dumps(stream.report.as_dict()))["verdict"] == "cancelled"


def test_the_account_is_live_while_the_stream_runs() -> None:
    stream = iter_events([CHUNK] * 3, timeouts=None)
    lengths: list[int] = []
    with pytest.raises(StreamError):
        lengths.extend(len(stream.report.text) for _ in stream)
    assert lengths[-1] == 9
    assert lengths == sorted(lengths)


CUT_OFF = [
    (CHUNK, {}, True),
    (b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n', {}, False),
    (b'{"model":"m","message":{"content":"Hi"},"done":true}\n', {"format": "ndjson"}, True),
]


@pytest.mark.parametrize(("data", "options", "emitted"), CUT_OFF)
def test_a_report_says_whether_content_came_also_to_a_reader_without_time(
    data: bytes, options: dict[str, Any], emitted: bool
) -> None:
    reader = EventReader(**options)
    reader.feed(data)
    reader.close()
    assert reader.report.content_emitted is emitted
    assert reader.error is None or reader.error.safe_to_retry is not emitted
