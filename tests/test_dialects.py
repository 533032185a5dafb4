"""Dialects: narrow recognition, readings of any JSON value, terminators, error frames and heartbeats."""

import json
import pickle
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attempts import status_error
from tests.captures import body, chosen, manifest, needs_captures
from unbroken import (
    Event,
    EventClass,
    EventReader,
    Failure,
    Reading,
    RepairKind,
    StreamError,
    StreamRepairer,
    StreamReport,
    Verdict,
    iter_events,
    repair,
)
from unbroken.core.failure import ERROR_TYPE, SENTENCES
from unbroken.core.registry import REGISTRY
from unbroken.dialects import openai_chat
from unbroken.dialects.anthropic import Anthropic
from unbroken.dialects.gemini import Gemini
from unbroken.dialects.openai_chat import OpenAIChat
from unbroken.dialects.openai_responses import OpenAIResponses
from unbroken.testing.cuts import cut, every


def chat(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def finish(reason: str = "stop", index: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": {}, "finish_reason": reason}]}


def sse(*payloads: Any, event: str = "") -> bytes:
    head = f"event: {event}\n" if event else ""
    return "".join(
        f"{head}data: {payload if isinstance(payload, str) else json.dumps(payload)}\n\n" for payload in payloads
    ).encode()


def read(data: bytes, **options: Any) -> StreamReport:
    reader = EventReader(**options)
    reader.feed(data)
    reader.close()
    return reader.report


# Recognition

RECOGNISED = [
    ("openai-chat", "message", chat(content="Hi")),
    ("openai-chat", "message", {"choices": [{"delta": {"role": "assistant"}}]}),
    ("openai-chat", "message", {"object": "chat.completion.chunk", "choices": []}),
    ("openai-chat", "message", {"id": "", "object": "", "choices": [], "prompt_filter_results": []}),
    ("openai-chat", "message", {"object": "text_completion", "choices": [{"index": 3, "delta": {"content": "a"}}]}),
    ("openai-chat", "message", {"object": "chat.completion", "choices": [{"message": {"content": "a"}}]}),
    ("openai-chat", "message", {"error": {"message": "boom", "code": 500}}),
    ("openai-chat", "message", {"error": {"message": "boom", "type": "server_error"}, "user_id": "u"}),
    (
        "openai-chat",
        "message",
        {"id": "g", "object": "chat.completion.chunk", "model": "m", "error": {"message": "boom", "code": 502}},
    ),
    ("openai-chat", "message", {"error": "`inputs` is too long", "error_type": "validation"}),
    (
        "openai-chat",
        "message",
        {"object": "error", "message": "too long", "type": "BadRequestError", "param": None, "code": 400},
    ),
    ("openai-completions", "message", {"object": "text_completion", "choices": [{"text": "a"}]}),
    ("openai-completions", "message", {"choices": [{"text": "a", "index": 0, "finish_reason": None}]}),
    ("openai-responses", "message", {"type": "response.created", "response": {}}),
    ("openai-responses", "error", {"type": "error", "sequence_number": 2, "error": {"message": "no"}}),
    ("openai-responses", "error", {"type": "error", "sequence_number": 2, "code": "x", "message": "no"}),
    ("anthropic", "message_start", {"type": "message_start", "message": {"id": "m"}}),
    ("anthropic", "message", {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}}),
    ("anthropic", "error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    ("anthropic", "completion", {"type": "completion", "completion": " a", "stop_reason": None, "log_id": "c"}),
    ("gemini", "message", {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}),
    ("gemini", "message", {"candidates": [{"finishReason": "STOP", "index": 0}]}),
    ("gemini", "message", {"usageMetadata": {}, "modelVersion": "m"}),
    ("gemini", "message", {"promptFeedback": {"blockReason": "SAFETY"}}),
    ("gemini", "message", {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}),
    ("ollama", "message", {"model": "m", "message": {"role": "assistant", "content": "a"}, "done": False}),
    ("ollama", "message", {"model": "m", "response": "a", "done": False}),
    ("cohere", "message-start", {"type": "message-start", "delta": {"message": {}}}),
    ("cohere", "message", {"event_type": "text-generation", "text": "a", "is_finished": False}),
    ("tgi", "message", {"token": {"id": 3, "text": "a"}, "generated_text": None, "details": None}),
    ("vocabulary", "delta", {"text": "a"}),
    ("vocabulary", "chunk", {"text": "a", "n": 1}),
    ("vocabulary", "error", {"error": "message content cannot be empty"}),
]

EVERYBODYS_OWN = [
    ("message", {"choices": ["red", "blue"]}),
    ("message", {"choices": [{"label": "red"}]}),
    ("message", {"choices": [{"delta": 0.5}]}),
    ("message", {"choices": [{"delta": {"x": 1}}]}),
    ("message", {"choices": []}),
    ("message", {"choices": [{"text": "red"}]}),
    ("message", {"message": "a"}),
    ("message", {"message": {"content": "a"}}),
    ("message", {"message": {"role": "user", "content": "a"}, "done": True}),
    ("message", {"model": "T-1000", "done": True}),
    ("message", {"error": "disk full"}),
    ("message", {"error": None}),
    ("message", {"error": {"message": "disk full"}}),
    ("message", {"error": {"message": "disk full", "code": 28}, "time": "12:00", "level": "error"}),
    ("message", {"id": "b", "error": {"code": "E42", "message": "failed"}}),
    ("message", {"id": "b", "object": "batch", "created": 1, "error": {"code": "E42", "message": "failed"}}),
    ("message", {"object": ["chat.completion.chunk"], "model": "m", "error": {"code": 1, "message": "failed"}}),
    ("message", {"level": "error", "error": {"code": 500, "message": "x", "status": "UNAVAILABLE"}}),
    ("message", {"object": "error", "message": "disk full"}),
    ("message", {"object": "error", "message": "disk full", "code": None}),
    ("message", {"object": "error", "message": "disk full", "code": 28, "host": "a"}),
    ("message", {"object": "error", "message": ["disk full"], "code": 28}),
    ("message", {"text": "disk full", "error_code": 50004}),
    ("message", {"x_groq": {"error": "disk full"}}),
    ("message", {"type": "error", "message": "disk full"}),
    ("message", {"type": "error", "error": {"message": "disk full"}}),
    ("message", {"type": "ping"}),
    ("message", {"type": "delta", "text": "a"}),
    ("message", {"type": "response", "response": {}}),
    ("message", {"type": "response.sent"}),
    ("message", {"type": "response.ok", "item": 5}),
    ("message", {"type": "message_start"}),
    ("message", {"type": "content-delta"}),
    ("message", {"type": "completion", "completion": 0.7}),
    ("message", {"candidates": [{"name": "Smith", "votes": 3}]}),
    ("message", {"candidates": []}),
    ("message", {"token": "a", "generated_text": "b"}),
    ("message", {"event_type": "stream-start"}),
    ("message", {"text": "a"}),
    ("error", {"message": "disk full"}),
    ("error", {"error": {"type": ERROR_TYPE, "code": "truncated", "message": "x"}}),
    ("delta", {"x": 1, "y": 2}),
    ("delta", [1, 2]),
    ("start", {"id": 7}),
    ("done", {}),
    ("ping", {}),
    ("message", ["choices"]),
    ("message", "choices"),
    ("message", 7.0),
    ("message", None),
]


def recognised(event: str, payload: Any) -> str | None:
    return next((name for name, dialect in REGISTRY.items() if dialect.recognises(event, payload)), None)


@pytest.mark.parametrize(("name", "event", "payload"), RECOGNISED)
def test_a_payload_that_can_only_be_of_one_dialect_is_recognised(name: str, event: str, payload: Any) -> None:
    assert recognised(event, payload) == name


@pytest.mark.parametrize(("event", "payload"), EVERYBODYS_OWN)
def test_a_payload_that_anybody_may_have_written_is_not_recognised(event: str, payload: Any) -> None:
    assert recognised(event, payload) is None


def test_a_log_with_errors_in_it_stays_a_log() -> None:
    lines = [
        {"level": "info", "message": "started"},
        {"level": "error", "error": "disk full"},
        {"error": {"message": "x"}},
        {"type": "error", "error": {"message": "x"}},
        {"choices": ["a"], "error": {"code": 500, "message": "x", "type": "t"}},
        {"level": "info", "error": None},
    ]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    report = read(data)
    assert (report.dialect, report.verdict, report.error, report.events) == (None, Verdict.ENDED, None, len(lines))
    assert not report.repairs


LOOKALIKES = [
    "data: [DONE]\n\ndata: x",
    '{"error": {"message": "boom"}}',
    "[DONE]",
    "event: error\ndata: {}",
    "<html><body>502 Bad Gateway</body></html>",
    '{"choices": [{"delta": {}, "finish_reason": "stop"}]}',
    'data: {"type": "message_stop"}\n\n',
    ": keepalive",
    "HTTP/1.1 500 Internal Server Error",
    "\u2028\u2029\x85",
]

CARRIERS = {
    "openai-chat": lambda text: sse(chat(content=text), finish(), "[DONE]"),
    "openai-responses": lambda text: b"".join(
        [
            sse({"type": "response.output_text.delta", "item_id": "i", "delta": text}),
            sse({"type": "response.completed", "response": {"status": "completed"}}),
        ]
    ),
    "anthropic": lambda text: b"".join(
        [
            sse({"type": "message_start", "message": {}}, event="message_start"),
            sse(
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
                event="content_block_delta",
            ),
            sse({"type": "message_stop"}, event="message_stop"),
        ]
    ),
    "gemini": lambda text: sse({"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}]}),
    "ollama": lambda text: b"".join(
        json.dumps({"model": "m", "response": part, "done": not part}).encode() + b"\n" for part in (text, "")
    ),
    "cohere": lambda text: sse(
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
    ),
    "vocabulary": lambda text: sse({"text": text}, event="delta") + sse({}, event="done"),
}


@pytest.mark.parametrize("dialect", CARRIERS)
@pytest.mark.parametrize("text", LOOKALIKES)
def test_content_that_looks_like_framing_or_errors_is_content(dialect: str, text: str) -> None:
    report = read(CARRIERS[dialect](text))
    assert (report.dialect, report.verdict, report.text) == (dialect, Verdict.COMPLETE, text)
    assert set(report.repairs) <= {RepairKind.EVENT_NAME_RESTORED}


@pytest.mark.parametrize("text", [text for text in LOOKALIKES if "\n" not in text and "\x85" not in text])
def test_prose_that_looks_like_framing_or_errors_is_prose(text: str) -> None:
    data = f"data: Once\n\ndata:  {text}\n\ndata:\n\ndata: upon\n\n".encode()
    report = read(data, dialect="text")
    assert (report.text, report.verdict) == (f"Once {text}upon", Verdict.ENDED)
    assert not report.repairs


# Any JSON value at all

KEYS = [
    *("choices", "delta", "content", "role", "tool_calls", "function", "arguments", "name", "id", "index", "message"),
    *("finish_reason", "text", "usage", "error", "type", "code", "status", "object", "event", "event_type", "parts"),
    *("candidates", "functionCall", "partialArgs", "jsonPath", "stringValue", "args", "willContinue", "done", "model"),
    *("promptFeedback", "blockReason", "usageMetadata", "response", "created", "created_at", "tokens", "token"),
    *("generated_text", "details", "content_block", "partial_json", "stop_reason", "item", "item_id", "output_index"),
    *("sequence_number", "incomplete_details", "reason", "reasoning_content", "reasoning_details", "thinking", "input"),
    *("refusal", "x_groq", "base_resp", "status_code", "prompt_tokens", "input_tokens", "metadata", "retry_after"),
    *("tool_plan", "finishReason", "custom", "is_finished", "error_type", "part", "output", "summary", "call_id"),
    *("content_index", "summary_index", "content_list", "tool_use_id", "reasoning_text", "stop_reason", "statusCode"),
]
WORDS = [
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "error"),
    *("message_stop", "completion", "response.created", "response.output_item.added", "response.output_item.done"),
    *("response.failed", "response.function_call_arguments.done", "message-start", "message-end", "tool-call-start"),
    *("response.done", "response.completed", "response.output_text.delta", "response.output_text.done", "message"),
    *(
        "response.content_part.done",
        "response.reasoning_summary_text.delta",
        "output_text",
        "reasoning",
        "tool-call-end",
    ),
    *("response.function_call_arguments.delta", "response.refusal.done", "tool-call-delta", "abort", "null"),
    *("stream-end", "text-generation", "tool_use", "function_call", "ping", "delta", "stop", "", "\ud83d", ERROR_TYPE),
    *("$.a[0].b", "$.a[999999]", "$['a']", "$.a", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "250ms", "nan"),
]
NUMBERS = st.one_of(
    st.floats(allow_nan=False), st.sampled_from([0.0, 1.0, -1.0, 1e300, -1e300, 2.0**53, float("inf"), 500.0, 0.5])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.integers(), st.sampled_from(WORDS), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=5)
    ),
    max_leaves=24,
)


@given(name=st.sampled_from([*REGISTRY]), stream=st.lists(st.tuples(st.sampled_from(WORDS), VALUES), max_size=6))
def test_no_json_value_makes_a_dialect_raise(name: str, stream: list[tuple[str, Any]]) -> None:
    dialect = REGISTRY[name]()
    for event, payload in stream:
        assert REGISTRY[name].recognises(event, payload) in (True, False)
        check(dialect.read(event, payload))
        assert dialect.event_name(payload) is None or "\n" not in str(dialect.event_name(payload))
        assert dialect.heartbeat() is None or dialect.heartbeat() != b""
    assert dialect.is_complete() in (True, False)


def check(reading: Reading) -> None:
    """Assert that a reading has its types, whatever it was read from."""
    assert (reading.failure is not None) == (reading.kind is EventClass.ERROR)
    assert all(type(figure) is int and figure >= 0 for figure in (reading.usage or {}).values())
    assert reading.created is None or type(reading.created) is int
    for delta in reading.deltas:
        assert type(delta.choice) is int
        assert all(type(text) is str for text in (delta.text, delta.reasoning, delta.refusal))
        assert delta.finish_reason is None or (type(delta.finish_reason) is str and delta.finish_reason)
        for tool in delta.tools:
            hash(tool.key)
            assert type(tool.arguments) is str
            assert tool.kind in ("function", "custom", "hosted")


@given(text=st.text(max_size=4), reason=st.sampled_from([None, "stop"]), after=st.booleans())
def test_a_delta_of_content_alone_reads_as_one_with_an_empty_member_beside_it(
    text: str, reason: str | None, after: bool
) -> None:
    # The first takes a short way.
    results = []
    for delta in ({"content": text}, {"content": text, "role": None}):
        dialect = OpenAIChat()
        for before in (chat(role="assistant", content="a"), chat(content="b"), *[finish()] * after):
            dialect.read("message", before)
        payload = {"choices": [{"index": 0.0, "delta": delta, "finish_reason": reason}], "usage": None}
        results.append((dialect.read("message", payload), dialect.is_complete()))
    assert results[0] == results[1]


def named(id: str, *, index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": id, "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def begun(id: str, **role: Any) -> dict[str, Any]:
    return named(id, role="assistant", content="", **role)


def text_of(id: str, *pieces: str, **delta: Any) -> list[dict[str, Any]]:
    return [named(id, content=piece, **delta) for piece in pieces]


SECOND_BEGINNINGS = {
    "an answer begins anew": (1, [begun("1"), *text_of("1", "Bon", "jour"), begun("2"), *text_of("2", "Bon", "soir")]),
    "it begins anew after one piece": (1, [begun("1"), *text_of("1", "Bon"), begun("2"), *text_of("2", "Bon")]),
    "and a third time": (
        2,
        [chunk for id in "123" for chunk in (begun(id), *text_of(id, "a", "b"))],
    ),
    "no role in the first": (1, [*text_of("1", "Bonjour"), begun("2"), *text_of("2", "Bon")]),
    "the role comes with the text": (1, [*text_of("1", "Bon", "jour"), named("2", role="assistant", content="Bon")]),
    "reasoning came of the first": (1, [begun("1"), named("1", reasoning="Hm"), begun("2")]),
    "one answer": (0, [begun("1"), *text_of("1", "Bon", "jour")]),
    "the same id again": (0, [begun("1"), *text_of("1", "Bon", "jour"), begun("1"), *text_of("1", "Bon")]),
    "no ids": (0, [chat(role="assistant"), chat(content="a"), chat(role="assistant"), chat(content="b")]),
    "an empty id": (0, [begun("1"), *text_of("1", "a"), begun(""), *text_of("", "b")]),
    "a role with each chunk": (0, text_of("1", "a", "b", "c", role="assistant")),
    "an id of its own for each chunk": (0, [begun("0"), *[named(str(n), content="a") for n in range(1, 9)]]),
    "both": (0, [named(str(n), content="a", role="assistant") for n in range(9)]),
    "an id of its own for each chunk, and a role now and then": (
        0,
        [begun("0"), *[named(str(n), content="a", **({"role": "assistant"} if n % 3 == 0 else {})) for n in range(9)]],
    ),
    "nothing came of the first": (0, [begun("1"), begun("2"), *text_of("2", "a", "b")]),
    "the last chunk is another one's": (
        0,
        [*text_of("1", "a", "b"), named("2", role="assistant", content="", finish="stop")],
    ),
    "several choices": (
        0,
        [begun("1"), begun("2", index=1), *text_of("1", "a", "b"), *text_of("2", "a", index=1), begun("3", index=2)],
    ),
    "several choices begin anew": (
        1,
        [
            chunk
            for id in "12"
            for chunk in (begun(id), begun(id, index=1), *text_of(id, "a", "b"), *text_of(id, "a", "b", index=1))
        ],
    ),
    "legacy completions": (
        0,
        [
            {"id": id, "object": "text_completion", "choices": [{"index": 0, "text": "a", "finish_reason": None}]}
            for id in "1122"
        ],
    ),
}


@pytest.mark.parametrize("case", SECOND_BEGINNINGS)
def test_a_chat_that_begins_anew_under_another_id_is_reported(case: str) -> None:
    count, payloads = SECOND_BEGINNINGS[case]
    data = sse(*payloads, "[DONE]")
    for pieces in ([data], every(data, 1), [frame + b"\n\n" for frame in data.split(b"\n\n")[:-1]]):
        reader = EventReader()
        for piece in pieces:
            reader.feed(piece)
        reader.close()
        assert reader.report.second_beginnings == count
        assert reader.report.events == len(payloads) + 1


def test_a_chat_that_begins_anew_after_many_alike_events_is_reported() -> None:
    answers = [chunk for id in ("chatcmpl-1", "chatcmpl-2") for chunk in (begun(id), *text_of(id, *"abcdefgh"))]
    report = read(sse(*answers))
    assert (report.second_beginnings, report.text) == (1, "abcdefgh" * 2)


def after_many_choices(count: int) -> OpenAIChat:
    dialect = OpenAIChat()
    for index in range(count):
        tool = {"index": index, "id": f"c{index:05}", "function": {"name": "f"}}
        payload = {"choices": [{"index": index, "delta": {"tool_calls": [tool]}, "finish_reason": "stop"}]}
        dialect.read("message", payload)
    return dialect


def test_what_a_dialect_remembers_is_bounded() -> None:
    few, many = (after_many_choices(openai_chat.MAX_TRACKED * times) for times in (2, 6))
    assert len(pickle.dumps(many)) == len(pickle.dumps(few)) > len(pickle.dumps(after_many_choices(1)))
    assert after_many_choices(openai_chat.MAX_TRACKED).is_complete()
    assert not many.is_complete(), "choices that were not tracked may be unfinished"


# How streams end

CHAT_ENDS = {
    "a sentinel": ([chat(content="a"), "[DONE]"], Verdict.COMPLETE),
    "a finish": ([chat(content="a"), finish()], Verdict.COMPLETE),
    "a finish in the last content": ([{"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}], "complete"),
    "a finish and usage after it": ([chat(content="a"), finish(), {"choices": [], "usage": {}}], Verdict.COMPLETE),
    "a finish, then an empty delta": ([chat(content="a"), finish(), chat(content="")], Verdict.COMPLETE),
    "a finish after each tool call": ([finish("tool_calls"), chat(content="a"), finish()], Verdict.COMPLETE),
    "content after the finish": ([chat(content="a"), finish(), chat(content="b")], Verdict.TRUNCATED),
    "no finish": ([chat(content="a")], Verdict.TRUNCATED),
    "an empty finish": ([chat(content="a"), finish("")], Verdict.TRUNCATED),
    "one of two choices finished": (
        [finish(index=0), {"choices": [{"index": 1, "delta": {"content": "a"}}]}],
        "truncated",
    ),
    "both choices finished": ([chat(content="a"), finish(index=1), finish(index=0)], Verdict.COMPLETE),
    "usage alone": ([{"object": "chat.completion.chunk", "choices": [], "usage": {}}], Verdict.TRUNCATED),
    "an error": ([chat(content="a"), {"error": {"message": "boom"}}], Verdict.FAILED),
    "an error and a sentinel": ([chat(content="a"), {"error": {"message": "boom"}}, "[DONE]"], Verdict.FAILED),
    "a finish that is an error": ([chat(content="a"), finish("error")], Verdict.FAILED),
    "a null error": ([chat(content="a"), {**finish(), "error": None}], Verdict.COMPLETE),
}


@pytest.mark.parametrize("case", CHAT_ENDS)
def test_a_chat_stream_is_complete_with_a_sentinel_or_a_finish_on_every_choice(case: str) -> None:
    payloads, verdict = CHAT_ENDS[case]
    assert read(sse(*payloads)).verdict is Verdict(verdict)


ENDS = {
    "openai-completions": ({"object": "text_completion", "choices": [{"text": "a", "index": 0}]}, "[DONE]"),
    "openai-responses": (
        {"type": "response.output_text.delta", "item_id": "i", "delta": "a"},
        {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}},
    ),
    "anthropic": (
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}},
        {"type": "message_stop"},
    ),
    "gemini": (
        {"candidates": [{"content": {"parts": [{"text": "a"}]}}]},
        {"candidates": [{"finishReason": "MAX_TOKENS"}]},
    ),
    "ollama": ({"model": "m", "response": "a", "done": False}, {"model": "m", "response": "", "done": True}),
    "cohere": (
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "a"}}}},
        {"type": "message-end", "delta": {}},
    ),
    "tgi": ({"token": {"text": "a"}, "generated_text": None}, {"token": {"text": ""}, "generated_text": "a"}),
}


@pytest.mark.parametrize("dialect", ENDS)
def test_a_stream_is_complete_when_its_terminator_was_seen_and_truncated_before(dialect: str) -> None:
    content, end = ENDS[dialect]
    whole, cut_short = read(sse(content, end)), read(sse(content))
    assert (whole.dialect, whole.text, whole.verdict) == (dialect, "a", Verdict.COMPLETE)
    assert (cut_short.dialect, cut_short.text, cut_short.verdict) == (dialect, "a", Verdict.TRUNCATED)


GEMINI_TAILS = [
    ({"text": ""}, Verdict.COMPLETE),
    ({"text": "", "thoughtSignature": "c2ln"}, Verdict.COMPLETE),
    ({"text": "", "thought": True}, Verdict.COMPLETE),
    ({"text": "b"}, Verdict.TRUNCATED),
    ({"text": "b", "thought": True}, Verdict.TRUNCATED),
    ({"functionCall": {"name": "f", "args": {}}}, Verdict.TRUNCATED),
    ({"inlineData": {"data": "AAAA"}}, Verdict.TRUNCATED),
]


@pytest.mark.parametrize(("part", "verdict"), GEMINI_TAILS)
def test_content_after_a_finish_of_gemini_s_revokes_it(part: Any, verdict: Verdict) -> None:
    whole = {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]}
    assert read(sse(whole, {"candidates": [{"content": {"parts": [part]}}]})).verdict is verdict


def test_a_prompt_that_gemini_blocked_is_a_whole_answer() -> None:
    report = read(sse({"promptFeedback": {"blockReason": "SAFETY"}}))
    assert (report.verdict, report.finish_reason) == (Verdict.COMPLETE, "SAFETY")


# Classes of events

CLASSES = [
    ("openai-chat", chat(role="assistant"), EventClass.STRUCTURAL),
    ("openai-chat", chat(role="assistant", content=""), EventClass.STRUCTURAL),
    ("openai-chat", chat(content="a"), EventClass.CONTENT),
    ("openai-chat", chat(reasoning_content="a"), EventClass.CONTENT),
    ("openai-chat", chat(tool_calls=[{"index": 0, "function": {"arguments": "{"}}]), EventClass.CONTENT),
    ("openai-chat", chat(audio={"data": "AAAA"}), EventClass.CONTENT),
    ("openai-chat", {"choices": [], "usage": {"total_tokens": 3}}, EventClass.USAGE),
    ("openai-chat", {"choices": [None]}, EventClass.STRUCTURAL),
    ("openai-chat", {"type": "keepalive"}, EventClass.LIVENESS),
    ("openai-chat", None, EventClass.LIVENESS),
    ("anthropic", {"type": "ping"}, EventClass.LIVENESS),
    ("anthropic", {"type": "content_block_delta", "delta": {"type": "signature_delta"}}, EventClass.CONTENT),
    ("anthropic", {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 1}}, EventClass.USAGE),
    ("anthropic", {"type": "content_block_stop", "index": 0}, EventClass.STRUCTURAL),
    ("openai-responses", {"type": "keepalive"}, EventClass.LIVENESS),
    ("openai-responses", {"type": "response.image_generation_call.partial_image"}, EventClass.CONTENT),
    ("openai-responses", {"type": "response.web_search_call.searching"}, EventClass.STRUCTURAL),
    ("gemini", {"candidates": [{"content": {"parts": [{"inlineData": {}}]}}]}, EventClass.CONTENT),
    ("gemini", {"usageMetadata": {"promptTokenCount": 3}}, EventClass.USAGE),
    ("cohere", {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I"}}}, EventClass.CONTENT),
]


@pytest.mark.parametrize(("dialect", "payload", "kind"), CLASSES)
def test_each_event_has_its_class(dialect: str, payload: Any, kind: EventClass) -> None:
    assert REGISTRY[dialect]().read("message", payload).kind is kind


VOCABULARY = {
    **dict.fromkeys(["hello", "start", "conversation", "metadata", "progress", "preview"], EventClass.STRUCTURAL),
    **dict.fromkeys(["delta", "chunk"], EventClass.CONTENT),
    **dict.fromkeys(["done", "complete"], EventClass.TERMINAL),
    "error": EventClass.ERROR,
    "ping": EventClass.LIVENESS,
}


@pytest.mark.parametrize("word", VOCABULARY)
def test_the_plain_vocabulary_says_what_its_events_are(word: str) -> None:
    dialect = REGISTRY["vocabulary"]
    assert dialect().read(word, {"text": "a"}).kind is VOCABULARY[word]
    assert dialect().read("message", {"event": word, "text": "a"}).kind is VOCABULARY[word], "NDJSON has no names"


# Errors in the stream

ERRORS = [
    ("openai-chat", {"error": {"message": "m", "type": "rate_limit_error", "code": 429}}, "rate-limited", 429),
    ("openai-chat", {"error": {"message": "m", "type": "insufficient_quota"}}, "rate-limited", 429),
    ("openai-chat", {"error": {"message": "m", "code": "502"}}, "upstream-error", 502),
    ("openai-chat", {"error": {"message": "m", "code": 504, "type": "server_error"}}, "upstream-error", 504),
    ("openai-chat", {"error": {"message": "m", "code": 503.0}}, "overloaded", 503),
    ("openai-chat", {"error": {"message": "m", "code": "invalid_api_key"}}, "authentication", 401),
    ("openai-chat", {"error": {"message": "m", "code": "context_length_exceeded"}}, "invalid-request", 400),
    ("openai-chat", {"error": {"message": "m", "code": "content_filter"}}, "content-filtered", 400),
    (
        "openai-chat",
        {"error": {"message": "m", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}},
        "authentication",
        401,
    ),
    (
        "openai-chat",
        {"error": {"message": "m", "type": "invalid_request_error", "code": "model_not_found"}},
        "not-found",
        404,
    ),
    (
        "openai-chat",
        {"error": {"message": "m", "type": "invalid_request_error", "code": "content_filter", "status": 400}},
        "content-filtered",
        400,
    ),
    ("openai-chat", {"error": {"type": "invalid_request_error", "code": "rate_limit_exceeded"}}, "rate-limited", 429),
    ("openai-chat", {"error": {"type": "server_error", "code": "rate_limit_exceeded"}}, "rate-limited", 429),
    ("openai-chat", {"error": {"type": "tokens", "code": "context_length_exceeded"}}, "invalid-request", 400),
    (
        "openai-chat",
        {"error": {"type": "authentication_error", "code": "invalid_request_error"}},
        "authentication",
        401,
    ),
    ("openai-chat", {"error": {"type": "api_error", "code": 429}}, "rate-limited", 429),
    ("openai-chat", {"error": {"type": "invalid_request_error", "code": "403"}}, "authentication", 403),
    ("openai-chat", {"error": {"type": "invalid_request_error", "status": 500}}, "upstream-error", 500),
    ("openai-chat", {"error": {"type": "api_error", "code": "not_invented_yet"}}, "upstream-error", 500),
    ("openai-chat", {"error": {"type": "tokens"}}, "rate-limited", 429),
    ("openai-chat", {"error": {"type": "overloaded_error", "code": 500}}, "overloaded", 500),
    ("openai-chat", {"error": "out of memory"}, "upstream-error", None),
    ("openai-chat", {"error": True, "message": "m", "code": 404}, "not-found", 404),
    (
        "openai-chat",
        {"object": "error", "message": "m", "type": "BadRequestError", "code": 400},
        "invalid-request",
        400,
    ),
    ("openai-chat", {**chat(content=""), "x_groq": {"id": "req", "error": "over_capacity"}}, "upstream-error", None),
    ("openai-chat", {"text": "**NETWORK ERROR**", "error_code": 50004}, "upstream-error", None),
    ("openai-chat", {"text": "**NETWORK ERROR**", "error_code": 50004.0}, "upstream-error", None),
    ("openai-chat", {"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "authentication", 401),
    ("openai-responses", {"type": "error", "code": "server_error", "message": "m"}, "upstream-error", 500),
    (
        "openai-responses",
        {"type": "response.failed", "response": {"error": {"code": "rate_limit_exceeded"}}},
        "rate-limited",
        429,
    ),
    ("anthropic", {"type": "error", "error": {"type": "overloaded_error", "message": "m"}}, "overloaded", 529),
    (
        "anthropic",
        {"type": "error", "error": {"type": "invalid_request_error", "message": "m"}},
        "invalid-request",
        400,
    ),
    ("anthropic", {"type": "error", "error": {"type": "not_invented_yet", "message": "m"}}, "upstream-error", None),
    ("gemini", {"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}}, "rate-limited", 429),
    ("gemini", {"error": {"code": 403, "message": "m", "status": "PERMISSION_DENIED"}}, "authentication", 403),
    ("ollama", {"error": "an error was encountered while running the model"}, "upstream-error", None),
    ("cohere", {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "m"}}, "upstream-error", None),
    (
        "cohere",
        {"is_finished": True, "event_type": "stream-end", "finish_reason": "ERROR_TOXIC"},
        "content-filtered",
        400,
    ),
    ("tgi", {"error": "Input validation error", "error_type": "validation"}, "invalid-request", 422),
]


@pytest.mark.parametrize(("dialect", "payload", "code", "status"), ERRORS)
def test_an_error_inside_the_stream_is_normalised(dialect: str, payload: Any, code: str, status: Any) -> None:
    reading = REGISTRY[dialect]().read("message", payload)
    assert reading.failure is not None
    assert (reading.failure.code, reading.failure.status_hint) == (code, status)
    assert reading.failure.public_message in SENTENCES.values(), "nothing of upstream's reaches the client"


NO_ERRORS = [
    {**chat(content="a"), "x_groq": {"id": "req", "error": None}},
    {**chat(content="a"), "x_groq": {"id": "req", "error": ""}},
    {**chat(content="a"), "x_groq": {"id": "req", "usage": {"total_tokens": 3}}},
    {"text": "a", "error_code": 0},
    {"text": "a", "error_code": "E1"},
    {"text": "a", "error_code": 50004, "usage": None},
    {**chat(content="a"), "error_code": 50004},
]


@pytest.mark.parametrize("payload", NO_ERRORS)
def test_what_only_resembles_an_error_inside_a_chat_is_none(payload: Any) -> None:
    assert OpenAIChat().read("message", payload).failure is None


def test_an_error_in_a_chunk_of_groq_s_fails_the_stream_and_keeps_its_text_and_figures() -> None:
    last = {**chat(content="b"), "x_groq": {"error": "over_capacity", "usage": {"completion_tokens": 2}}}
    report = read(sse(chat(content="a"), last, "[DONE]"))
    assert (report.verdict, report.text, report.usage) == (Verdict.FAILED, "ab", {"output_tokens": 2})
    assert report.error is not None
    assert report.error.failure.detail == "over_capacity"


def test_a_flat_error_alone_fails_the_stream() -> None:
    payload = {"object": "error", "message": "m", "type": "BadRequestError", "param": None, "code": 400}
    report = read(sse(payload, "[DONE]"))
    assert report.verdict is Verdict.FAILED
    assert report.error is not None
    assert (report.error.code, report.error.status_hint) == ("invalid-request", 400)


def test_the_provider_s_own_word_for_an_error_is_its_type_also_where_the_code_says_more() -> None:
    error = {"message": "m", "type": "invalid_request_error", "code": "invalid_api_key"}
    failure = OpenAIChat().read("message", {"error": error}).failure
    assert failure is not None
    assert failure.error_type == "invalid_request_error"


DELAYS = [
    ({"retry_after": 7}, 7.0),
    ({"retry_after": "2.5"}, 2.5),
    ({"retry_after": -1}, None),
    ({"retry_after": 1e9}, None),
    ({"metadata": {"retry_after_seconds": 3}}, 3.0),
    ({"details": [{"@type": "x"}, {"retryDelay": "34s"}]}, 34.0),
    ({"message": "Limit reached for m. Please try again in 1.242s. Visit https://example.com"}, 1.242),
    ({"message": "Please try again in 250ms."}, 0.25),
    ({"message": "Please try again in a while."}, None),
    ({"message": "Please try again in 1m12s. Need more tokens?"}, 72.0),
    ({"message": "Please try again in 6m0s."}, 360.0),
    ({"message": "Please try again in 1m26.4s"}, 86.4),
    ({"message": "Please try again in 2h3m4s."}, 7384.0),
    ({"message": "Please try again in 2m."}, 120.0),
    ({"message": "Please try again in 0s."}, 0.0),
    ({"message": "Please try again in 1.5 seconds."}, 1.5),
    ({"message": "Try again in 1 minute 30 seconds"}, 90.0),
    ({"message": "Please retry in 34.074824224s."}, 34.074824224),
    ({"message": "Exceeded token rate limit. Please retry after 6 seconds. Please contact us"}, 6.0),
    ({"message": "Please retry after 1 second."}, 1.0),
    ({"message": "Retry after some time, or try again in 5s."}, 5.0),
    ({"message": "try again in 5 steps"}, None),
    ({"message": "try again in 5"}, None),
    ({"message": "try again in 24h"}, 86_400.0),
    ({"message": "try again in 24h1s"}, None),
    ({"message": "try again in 1234567s"}, None),
    ({"message": "try again in " + "1m" * 900}, 240.0),
    ({"message": "try again in " + "9" * 1900}, None),
    ({"message": "try again in \u0663s"}, None),
]


@pytest.mark.parametrize(("error", "delay"), DELAYS)
def test_the_time_that_the_provider_asks_to_wait_is_given_in_seconds(error: Any, delay: float | None) -> None:
    failure = OpenAIChat().read("message", {"error": {"message": "m", **error}}).failure
    assert failure is not None
    assert failure.retry_after == (pytest.approx(delay) if delay else delay)


FIGURES = [("7", 7), ("0", 0), ("", None), ("-7", None), ("7.0", None), ("\u0667", None), ("9" * 16, None), ("x", None)]


@pytest.mark.parametrize(("spelt", "figure"), FIGURES)
def test_figures_that_are_spelt_count(spelt: str, figure: int | None) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": spelt}
    usage_read = read(sse(chat(content="a"), {"choices": [], "usage": usage}, "[DONE]")).usage
    assert usage_read == {"input_tokens": 5} | ({} if figure is None else {"output_tokens": figure})


def test_an_error_event_beside_a_chat_stream_is_an_error() -> None:
    stream = iter_events([sse(chat(content="a")) + sse({"message": "overloaded", "code": 503}, event="error")])
    with pytest.raises(StreamError):
        list(stream)
    report = stream.report
    assert (report.verdict, report.text) == (Verdict.FAILED, "a")
    assert report.error is not None
    assert (report.error.code, report.error.status_hint, report.error.safe_to_retry) == ("overloaded", 503, False)


# Errors written by this library

FRAMES = {
    "openai-chat": (None, {"error"}),
    "openai-completions": (None, {"error"}),
    "openai-responses": ("error", {"type", "sequence_number", "code", "message", "param", "error"}),
    "codex": ("response.failed", {"type", "sequence_number", "response", "error"}),
    "anthropic": ("error", {"type", "message", "error"}),
    "gemini": (None, {"error"}),
    "ollama": (None, {"error", "type", "code"}),
    "cohere": ("message-end", {"type", "delta", "error"}),
    "tgi": (None, {"error"}),
    "vocabulary": ("error", {"error"}),
    "text": ("error", {"error"}),
}


def test_the_table_of_error_frames_names_every_dialect() -> None:
    assert FRAMES.keys() == REGISTRY.keys()


@pytest.mark.parametrize("code", ["truncated", "idle-timeout", "upstream-failed"])
@pytest.mark.parametrize("dialect", FRAMES)
def test_an_error_frame_of_ours_is_known_again_and_says_nothing_of_upstream(dialect: str, code: str) -> None:
    failure = Failure(code, status_hint=504, error_type="<script>", detail="/etc/passwd")
    name, payload = REGISTRY[dialect]().error_frame(failure)
    assert (name, set(payload)) == (FRAMES[dialect][0], FRAMES[dialect][1])
    text = json.dumps(payload)
    assert "script" not in text
    assert "passwd" not in text
    reading = REGISTRY[dialect]().read(name or "message", text if dialect == "text" else payload)
    assert reading.failure is not None
    assert reading.failure.code == code


@pytest.mark.parametrize("dialect", FRAMES)
def test_an_error_frame_of_ours_is_known_again_where_no_dialect_is(dialect: str) -> None:
    name, payload = REGISTRY[dialect]().error_frame(Failure("truncated"))
    report = read(sse(payload, event=name or ""))
    assert report.error is not None
    assert report.error.code == "truncated"


def test_a_code_that_is_not_ours_is_not_taken_from_a_frame_that_looks_like_ours() -> None:
    reading = OpenAIChat().read("message", {"error": {"type": ERROR_TYPE, "code": "<b>", "message": "x"}})
    assert reading.failure == Failure("upstream-error")


# Event names and heartbeats

NAMES = [
    (Anthropic, {"type": "message_stop"}, "message_stop"),
    (Anthropic, {"type": "content_block_delta"}, "content_block_delta"),
    (Anthropic, {"type": "something_else"}, None),
    (Anthropic, {"type": ["ping"]}, None),
    (OpenAIResponses, {"type": "response.created"}, "response.created"),
    (OpenAIResponses, {"type": "error"}, "error"),
    (OpenAIResponses, {"type": "session.created"}, None),
    (OpenAIResponses, "response.created", None),
    (OpenAIChat, {"type": "ping"}, None),
    (Gemini, {"candidates": []}, None),
]


@pytest.mark.parametrize(("dialect", "payload", "name"), NAMES)
def test_an_event_name_is_restored_from_the_type_where_clients_look_at_nothing_else(
    dialect: Any, payload: Any, name: str | None
) -> None:
    assert dialect().event_name(payload) == name


def test_lost_event_lines_come_back_in_an_anthropic_stream() -> None:
    payloads = [
        {"type": "message_start", "message": {}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "A"}},
        {"type": "message_stop"},
    ]
    reader = EventReader()
    items = [*reader.feed(sse(*payloads)), *reader.close()]
    assert [item.event for item in items if isinstance(item, Event)] == [
        "message_start",
        "content_block_delta",
        "message_stop",
    ]
    assert reader.report.repairs == {RepairKind.EVENT_NAME_RESTORED: 3}


def test_the_heartbeat_of_an_anthropic_stream_is_its_ping_while_a_message_is_under_way() -> None:
    dialect = Anthropic()
    assert dialect.heartbeat() is None
    dialect.read("message_start", {"type": "message_start", "message": {}})
    assert dialect.heartbeat() == b'event: ping\ndata: {"type": "ping"}\n\n'
    dialect.read("message_stop", {"type": "message_stop"})
    assert dialect.heartbeat() is None


# A tool without arguments

ANTHROPIC_CALL = [
    {"type": "message_start", "message": {"role": "assistant"}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "now"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
    {"type": "message_stop"},
]
COHERE_CALL: list[dict[str, Any]] = [
    {"type": "message-start", "delta": {"message": {"role": "assistant"}}},
    {
        "type": "tool-call-start",
        "index": 0,
        "delta": {"message": {"tool_calls": {"id": "t", "function": {"name": "now", "arguments": ""}}}},
    },
    {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": ""}}}}},
    {"type": "tool-call-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}},
]


@pytest.mark.parametrize("payloads", [ANTHROPIC_CALL, COHERE_CALL], ids=["anthropic", "cohere"])
def test_a_call_without_arguments_has_an_empty_object_once_it_ended_and_not_before(payloads: list[Any]) -> None:
    ends = next(place for place, payload in enumerate(payloads) if payload["type"].endswith(("block_stop", "call-end")))
    for length in range(3, len(payloads) + 1):
        (call,) = read(sse(*payloads[:length])).tool_calls
        whole = length > ends
        assert (call["arguments"], call["arguments_complete"]) == (("{}", True) if whole else ("", False))


def test_arguments_that_came_in_pieces_are_not_replaced_at_their_end() -> None:
    piece = {"type": "input_json_delta", "partial_json": '{"a":'}
    cut_short = [*ANTHROPIC_CALL[:2], {"type": "content_block_delta", "index": 0, "delta": piece}, *ANTHROPIC_CALL[3:]]
    delta = {"message": {"tool_calls": {"function": {"arguments": '{"a":'}}}}
    cohere = [*COHERE_CALL[:2], {"type": "tool-call-delta", "index": 0, "delta": delta}, *COHERE_CALL[2:]]
    for payloads in (cut_short, cohere):
        (call,) = read(sse(*payloads)).tool_calls
        assert (call["arguments"], call["arguments_complete"]) == ('{"a":', False)


def test_each_of_several_calls_has_its_own_arguments_or_none() -> None:
    delta = {"message": {"tool_calls": {"id": "u", "function": {"name": "f", "arguments": '{"a":1}'}}}}
    given = {"type": "tool-call-start", "index": 1, "delta": delta}
    start, end = COHERE_CALL[1], COHERE_CALL[3]
    calls = read(sse(start, end, given, end, start, end, end, COHERE_CALL[4])).tool_calls
    assert [call["arguments"] for call in calls] == ["{}", '{"a":1}', "{}"]


# A tool's arguments, path by path

PIECES = [
    ([("$.a", "x"), ("$.a", "y")], '{"a":"xy"}'),
    ([("$.a[0].b", "x"), ("$.a[1].b", 2), ("$.a[1].c", True)], '{"a":[{"b":"x"},{"b":2,"c":true}]}'),
    ([("$['a b'].c", "x"), ('$["d"]', None)], '{"a b":{"c":"x"},"d":null}'),
    ([], "{}"),
    ([("$.a[1]", "x")], None),
    ([("$.a", "x"), ("$.a.b", "y")], None),
    ([("$.a", "x"), ("$.a[0]", "y")], None),
    ([("$[0]", "x")], None),
    ([("$.a", {"b": 1})], None),
    ([("$..a", "x")], None),
    ([("a", "x")], None),
    ([("$", "x")], None),
    ([("$" + ".a" * 100, "x")], None),
]


@pytest.mark.parametrize(("pieces", "arguments"), PIECES)
def test_arguments_that_gemini_streams_by_path_are_put_together_or_incomplete(
    pieces: list[tuple[str, Any]], arguments: str | None
) -> None:
    calls: list[dict[str, Any]] = [{"name": "f", "willContinue": True}]
    for path, value in pieces:
        kind = {bool: "boolValue", str: "stringValue", type(None): "nullValue"}.get(type(value), "numberValue")
        calls.append({"partialArgs": [{"jsonPath": path, kind: value}], "willContinue": True})
    payloads = [{"candidates": [{"content": {"parts": [{"functionCall": call}]}}]} for call in [*calls, {}]]
    (call,) = read(sse(*payloads)).tool_calls
    assert call["arguments_complete"] == (arguments is not None)
    assert arguments is None or call["arguments"] == arguments


def test_a_call_that_gemini_had_not_ended_is_incomplete() -> None:
    call = {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "willContinue": True}}]}}]}
    assert [call["arguments_complete"] for call in read(sse(call)).tool_calls] == [False]


# The captures

SOURCES = {
    "openai-chat": "openai-chat",
    "openai-responses": "openai-responses",
    "anthropic": "anthropic",
    "gemini-sse": "gemini",
    "gemini-array": "gemini",
    "ollama-chat": "ollama",
    "ollama-generate": "ollama",
    "cohere": "cohere",
}
OTHERS = {  # the manifest's `other`, by sub_api, or by provider where a file differs
    "tgi": "tgi",
    "openai-completions": "openai-completions",
    "anthropic-complete": "anthropic",
    "cody": "cody-completions",
    "dashscope": "dashscope",
    "gemini-interactions": "gemini-interactions",
    "openai-assistants": "openai-assistants",
    "sap-orchestration": "sap-orchestration",
}
SINGLE = {
    "cody-gateway/rewrite-query-2689977722-recording-489bb9a5.bin": "vocabulary",  # `event: error`, and nothing else
    "openrouter/meta-llama-llama-3-3-70b-instruct-free-object-streaming-0b42e25f.bin": "openai-chat",  # an error alone
    # The events of these have no blank lines between them, so a standard reader sees one event of text.
    "synthetic/gateway-test/test-raw-message-78e60812.bin": "openai-chat",
    "synthetic/google-gemini/stream-basic-text-1-77dd9068.bin": "gemini",
    "synthetic/openai/chatcompletionkeepalive-4a00aec2.bin": "openai-chat",
    "synthetic/openai/chatcompletionping-e6333fab.bin": "openai-chat",
    "synthetic/openai/createstreamedresponsefixture-11e0057b.bin": "openai-chat",
    # A call of a service that generates images, a service of the past, and a test of nonsense.
    "openai/stream-image-generation-f12d456c.bin": None,
    "baidu-qianfan/baidu-qianfan-erniebot-v1-c26c9d88.bin": None,
    "synthetic/google-gemini/streaming-failure-invalid-json-cb2eeb49.bin": None,
}

BINARY = ("failed", "not a stream: the binary framing of AWS")
NOT_A_STREAM = ("failed", "not a stream: a JSON error body")
ERROR = ("failed", "the provider reports an error in the stream")
UNKNOWN = ("ended", "no dialect of ours, so nothing is known of its end")
EXCERPT = ("truncated", "an excerpt: the end was not quoted")
NOT_COMPLETE = {
    "bedrock/*": BINARY,
    "synthetic/kong-fixtures/aws-input-356740c3.bin": BINARY,
    "google-gemini/mlmodel-gemini-cassette-5d19b2ef.bin": NOT_A_STREAM,
    "google-gemini/nonexistent-model-streaming-error-preserves-status-and-body-daaab680.bin": NOT_A_STREAM,
    "google-gemini/test-google-streaming-returns-usage-metrics-d86810fb.bin": NOT_A_STREAM,
    "google-vertex/mlmodel-gemini-cassette-64a3e4ca.bin": NOT_A_STREAM,
    "google-vertex/mlmodel-gemini-cassette-80be184f.bin": NOT_A_STREAM,
    "cody-gateway/rewrite-query-2689977722-recording-489bb9a5.bin": ERROR,
    "hf-tgi/api-inference-hf-models-openassistant-oasst-sft-4-pythia-12b-epoch-3-5-stream-6bf89e70.bin": ERROR,
    "hf-tgi/router-hf-hf-inference-models-meta-llama-llama-3-2-3b-stream-905c0803.bin": ERROR,
    "hf-tgi/router-hf-hf-inference-models-openassistant-oasst-sft-4-pythia-12b-epoch-3-5-str-a8b90b63.bin": ERROR,
    "openai/openai-error-1-ce62faea.bin": ERROR,
    "openrouter/google-gemini-2-5-flash-lite-object-streaming-7a5494a4.bin": ERROR,
    "openrouter/meta-llama-llama-3-3-70b-instruct-free-object-streaming-0b42e25f.bin": ERROR,
    "sap-aicore/orchestration-chat-completion-stream-chunks-with-error-1963c723.bin": ERROR,
    "synthetic/anthropic/stream-errorar-a7ec02e8.bin": ERROR,
    "synthetic/google-gemini/streaming-failure-error-mid-stream-40958d6e.bin": ERROR,
    "synthetic/ollama/ollama-generate-error-mid-stream-26a99aa6.bin": ERROR,
    "synthetic/openai/stream-errorar-92205799.bin": ERROR,
    "synthetic/openai/stream-errorar-e9b65a94.bin": ERROR,
    "synthetic/openai/stream-failurear-b343455a.bin": ERROR,
    "baidu-qianfan/*": UNKNOWN,
    "openai/stream-image-generation-f12d456c.bin": UNKNOWN,
    "synthetic/google-gemini/streaming-failure-invalid-json-cb2eeb49.bin": UNKNOWN,
    "google-gemini-openai-compat/gemini-openai-compat-tool-no-index-7c3e6006.bin": EXCERPT,
    "kilo-gateway/kilo-kimi-k25-splice-in-id-2afe3c2c.bin": EXCERPT,
    "zai/zai-glm47-splice-after-id-colon-35496421.bin": EXCERPT,
    "zai/zai-glm47-splice-in-role-bddd13f9.bin": EXCERPT,
    "zai/zai-glm51-splice-in-object-53517a22.bin": EXCERPT,
    "zai/zai-glm51-splice-in-role-key-b0d24f48.bin": EXCERPT,
    "ollama/ollama-chat-cloudflare-tunnel-cut-b6eec7d4.bin": ("truncated", "one read of a client, cut in a line"),
    "openai/llm-v1-completions-9f6f34b5.bin": ("truncated", "a fixture of one event without a finish"),
    "google-gemini/streaming-success-quotes-escaped-0700f3b0.bin": ("truncated", "a fixture without a finish reason"),
    "synthetic/google-gemini/streaming-failure-empty-content-a53aad85.bin": ("truncated", "no finish reason"),
    "synthetic/google-gemini/streaming-failure-malformed-content-32b1099d.bin": ("truncated", "no finish reason"),
}  # fmt: skip


def verdict_of(file: str) -> str:
    folder = file.rpartition("/")[0] + "/*"
    return NOT_COMPLETE.get(file, NOT_COMPLETE.get(folder, ("complete", "")))[0]


def dialect_of(entry: dict[str, Any]) -> str | None:
    if entry["file"] in SINGLE:
        return SINGLE[entry["file"]]
    if entry["api"] != "other":
        return SOURCES[entry["api"]]
    if entry["format"] == "sse" and entry.get("sub_api") == "err":
        return "openai-chat"
    return OTHERS.get(entry.get("sub_api") or "")


@needs_captures
@pytest.mark.parametrize("file", chosen(lambda entry: True))
def test_the_dialect_of_every_capture_is_recognised_and_its_verdict_is_right(file: str) -> None:
    entry = next(entry for entry in manifest() if entry["file"] == file)
    reader = EventReader(content_type=entry.get("content_type"))
    for chunk in cut(body(file), sorted(random.Random(file).choices(range(len(body(file))), k=20))):
        reader.feed(chunk)
    reader.close()
    assert (reader.report.dialect, reader.report.verdict.value) == (dialect_of(entry), verdict_of(file))


@needs_captures
def test_the_table_of_captures_that_are_not_complete_names_no_file_in_vain() -> None:
    files = {entry["file"] for entry in manifest()}
    folders = {file.rpartition("/")[0] + "/*" for file in files}
    assert NOT_COMPLETE.keys() | SINGLE.keys() <= files | folders


# The words by which clients choose what they raise


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure("truncated"), "api_error"),
        (Failure("upstream-failed", 502), "api_error"),
        (Failure("overloaded", 503), "overloaded_error"),
        (Failure("rate-limited", 429), "rate_limit_error"),
        (Failure("idle-timeout", 504), "timeout_error"),
        (Failure("authentication", 401), "authentication_error"),
        (Failure("authentication", 403), "permission_error"),
        (Failure("authentication", 402), "billing_error"),
        (Failure("invalid-request", 400), "invalid_request_error"),
        (Failure("invalid-request", 413), "request_too_large"),
        (Failure("not-found", 404), "not_found_error"),
    ],
)
def test_anthropics_word_for_each_failure(failure: Failure, words: str) -> None:
    _, payload = Anthropic().error_frame(failure)
    assert payload["error"] == {
        "type": words,
        "message": failure.public_message,
        "code": failure.code,
        "origin": ERROR_TYPE,
    }
    assert payload["message"] == failure.public_message


@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        (Failure("truncated"), 500, "INTERNAL"),
        (Failure("upstream-failed", 502), 502, "UNAVAILABLE"),
        (Failure("upstream-failed"), 502, "UNAVAILABLE"),
        (Failure("overloaded", 529), 529, "UNAVAILABLE"),
        (Failure("rate-limited"), 429, "RESOURCE_EXHAUSTED"),
        (Failure("not-a-stream", 429), 429, "RESOURCE_EXHAUSTED"),
        (Failure("first-timeout", 504), 504, "DEADLINE_EXCEEDED"),
        (Failure("authentication", 401), 401, "UNAUTHENTICATED"),
        (Failure("authentication", 403), 403, "PERMISSION_DENIED"),
        (Failure("invalid-request", 422), 422, "INVALID_ARGUMENT"),
        (Failure("not-found", 404), 404, "NOT_FOUND"),
        (Failure("upstream-error", 507), 507, "INTERNAL"),
    ],
)
def test_googles_word_for_each_failure(failure: Failure, code: int, status: str) -> None:
    _, payload = Gemini().error_frame(failure)
    assert (payload["error"]["code"], payload["error"]["status"]) == (code, status)


# Codex CLI

CREATED = {"type": "response.created", "sequence_number": 4, "response": {"id": "resp_9", "model": "gpt-x"}}


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (Failure("truncated"), "server_error", SENTENCES["truncated"]),
        (Failure("overloaded", 503, 9.0), "server_is_overloaded", SENTENCES["overloaded"]),
        (Failure("rate-limited", 429), "rate_limit_exceeded", SENTENCES["rate-limited"]),
        (
            Failure("rate-limited", 429, 6.2),
            "rate_limit_exceeded",
            SENTENCES["rate-limited"] + " Please try again in 7s.",
        ),
        (Failure("invalid-request", 400), "invalid_prompt", SENTENCES["invalid-request"]),
    ],
)
def test_codex_is_told_of_a_failure_by_the_failed_response(failure: Failure, code: str, message: str) -> None:
    dialect = REGISTRY["codex"]()
    dialect.read("response.created", CREATED)
    name, payload = dialect.error_frame(failure)
    assert (name, payload["type"], payload["sequence_number"]) == ("response.failed", "response.failed", 5)
    response = payload["response"]
    assert (response["id"], response["model"], response["status"]) == ("resp_9", "gpt-x", "failed")
    assert (response["error"]["code"], response["error"]["message"]) == (code, message)


@pytest.mark.parametrize("start", [b"", sse(CREATED)], ids=["at once", "after a beginning"])
@pytest.mark.parametrize("masks", [False, True])
def test_a_failure_that_was_told_to_codex_passes_a_second_proxy_as_it_is(start: bytes, masks: bool) -> None:
    def upstream() -> Iterator[bytes]:
        yield start
        raise status_error(429, Retry_After="7")

    options: dict[str, Any] = {"dialect": "codex", "errors": "mask" if masks else "keep"}
    wire = b"".join(repair(upstream(), **options))
    assert b"Please try again in 7s." in wire
    second = StreamRepairer(**options)
    assert b"".join(second.feed(wire, 0.0) + second.close(0.0)) == wire
    assert second.error is not None
    assert (second.error.code, second.error.retry_after) == ("rate-limited", 7.0)


def test_codex_is_read_only_where_it_is_named_and_as_responses_are() -> None:
    body = sse(CREATED) + sse({"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "delta": "Hi"})
    assert read(body).dialect == "openai-responses"
    repairer = StreamRepairer(dialect="codex")
    wire = b"".join(repairer.feed(body, 0.0) + repairer.close(0.0))
    assert b"event: response.failed\ndata: " in wire
    assert (repairer.report.text, repairer.report.verdict) == ("Hi", Verdict.TRUNCATED)
    second = StreamRepairer(dialect="codex")
    assert b"".join(second.feed(wire, 0.0) + second.close(0.0)) == wire
    assert second.error is not None
    assert second.error.code == "truncated"
