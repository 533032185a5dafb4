"""Any dialect to OpenAI chat chunks: nothing lost, nothing invented, live."""

import json
import random
from typing import Any

import pytest

from tests.captures import body, chosen, manifest, needs_captures
from unbroken import (
    Conversion,
    Delta,
    EventClass,
    EventReader,
    Failure,
    Reading,
    StreamRepairer,
    StreamReport,
    Timeouts,
    ToolFragment,
    Verdict,
    repair,
)
from unbroken.core.failure import ERROR_TYPE
from unbroken.dialects.chat_chunks import ChatEncoder
from unbroken.testing.cuts import cut, cuttings, every

from . import laws

CONTENT = EventClass.CONTENT
END = Reading(EventClass.TERMINAL)


def says(text: str = "", choice: int = 0, **delta: Any) -> Reading:
    return Reading(CONTENT, (Delta(choice, text=text, **delta),))


def encoded(*readings: Reading) -> list[Any]:
    encoder = ChatEncoder()
    return [payload for reading in readings for payload in encoder.encode(reading)] + encoder.end()


def deltas(*readings: Reading) -> list[Any]:
    """Give what the chunks say, less what is the same in all of them."""
    return [
        {**choice["delta"], **({"finish_reason": choice["finish_reason"]} if choice["finish_reason"] else {})}
        for payload in encoded(*readings)
        if payload != "[DONE]"
        for choice in payload["choices"]
    ]


def test_a_stream_of_text_becomes_chunks_with_one_role_one_finish_and_a_sentinel() -> None:
    begin = Reading(EventClass.STRUCTURAL, id="msg_1", model="m", created=17)
    chunks = encoded(begin, says("Hel"), says("lo"), Reading(EventClass.USAGE, (Delta(finish_reason="end_turn"),)), END)
    shared = {"id": "msg_1", "object": "chat.completion.chunk", "created": 17, "model": "m"}
    assert chunks == [
        {**shared, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}, "finish_reason": None}]},
        {**shared, "choices": [{"index": 0, "delta": {"content": "lo"}, "finish_reason": None}]},
        {**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        "[DONE]",
    ]


def test_without_an_id_or_a_time_of_upstream_they_are_constant() -> None:
    chunk = encoded(says("a"))[0]
    assert (chunk["id"], chunk["created"]) == ("chatcmpl-0", 0)
    assert encoded(says("a"), END) == encoded(says("a"), END)


def test_each_piece_leaves_at_once() -> None:
    encoder = ChatEncoder()
    assert len(encoder.encode(says("a"))) == 1
    assert len(encoder.encode(says(reasoning="b"))) == 1
    assert len(encoder.encode(says(tools=(ToolFragment(0, "c", "f"),)))) == 1


def test_reasoning_and_refusals_have_their_own_fields() -> None:
    said = deltas(says(reasoning="hm"), says(refusal="no"), says("yes"))
    assert said == [
        {"role": "assistant", "content": "", "reasoning_content": "hm"},
        {"refusal": "no"},
        {"content": "yes"},
    ]


def test_a_tool_call_has_its_name_once_and_its_arguments_in_pieces() -> None:
    said = deltas(
        says(tools=(ToolFragment("a", "call_9", "f", '{"x"'),)),
        says(tools=(ToolFragment("a", None, None, ":1}"),)),
        says(tools=(ToolFragment("b", None, "g", "{}", whole=True),)),
        Reading(EventClass.TERMINAL, (Delta(finish_reason="stop"),)),
    )
    function = {"name": "f", "arguments": '{"x"'}
    assert said[0]["tool_calls"] == [{"index": 0, "id": "call_9", "type": "function", "function": function}]
    assert said[1] == {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}
    assert said[2]["tool_calls"][0]["id"] == "call_1", "an answer to a call must name it"
    assert said[3] == {"finish_reason": "tool_calls"}


def test_arguments_in_one_piece_are_not_said_twice() -> None:
    pieces = [
        ToolFragment(1, "c", "f", '{"a"'),
        ToolFragment(1, arguments=":1}"),
        ToolFragment(1, arguments='{"a":1}', whole=True),
    ]
    assert "".join(json.dumps(delta) for delta in deltas(*[says(tools=(piece,)) for piece in pieces])).count(":1}") == 1


def test_what_a_provider_runs_itself_is_no_call_for_the_client() -> None:
    said = deltas(says(tools=(ToolFragment(1, "c", "web_search", "{}", kind="hosted"),)), says("a"), END)
    assert said == [{"role": "assistant", "content": "a"}, {"finish_reason": "stop"}]


def test_a_custom_tool_keeps_its_free_text() -> None:
    said = deltas(says(tools=(ToolFragment(1, "c", "run", "print(1)", kind="custom"),)))
    assert said[0]["tool_calls"] == [
        {"index": 0, "id": "c", "type": "custom", "custom": {"name": "run", "input": "print(1)"}}
    ]


def test_text_leaves_as_text_and_not_as_escapes() -> None:
    delta = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße \\ud83d\\ude00"}}'
    wire = b"".join(repair([f"data: {delta}\n\n".encode()], dialect="anthropic", convert="openai-chat")).decode()
    assert '"content": "Grüße 😀"' in wire


def test_surrogate_halves_join_and_a_half_alone_is_replaced() -> None:
    said = deltas(says("a\ud83d"), says("\ude00"), says("\ud83d", choice=1), says("b"), END)
    assert [delta["content"] for delta in said if "content" in delta] == ["a", "\U0001f600", "b", "\ufffd"]


FINISHES = {
    "stop": ["stop", "end_turn", "stop_sequence", "STOP", "completed", "COMPLETE", "STOP_SEQUENCE"],
    "length": ["length", "max_tokens", "MAX_TOKENS", "incomplete:max_output_tokens"],
    "tool_calls": ["tool_calls", "tool_use", "TOOL_CALL"],
    "content_filter": ["content_filter", "refusal", "SAFETY", "RECITATION", "incomplete:content_filter"],
    "MALFORMED_FUNCTION_CALL": ["MALFORMED_FUNCTION_CALL"],  # unknown words pass as they are
}


@pytest.mark.parametrize(("finish", "word"), [(finish, word) for finish, words in FINISHES.items() for word in words])
def test_each_provider_s_word_for_the_end_has_its_counterpart(finish: str, word: str) -> None:
    assert deltas(says("a"), says(finish_reason=word), END)[-1] == {"finish_reason": finish}


def test_an_end_without_a_terminator_and_without_a_word_gets_no_finish() -> None:
    assert deltas(says("a")) == [{"role": "assistant", "content": "a"}]


def test_a_finish_with_every_chunk_is_told_once_at_the_end() -> None:
    said = deltas(*[says(text, finish_reason="STOP") for text in "abc"])
    assert [delta.get("finish_reason") for delta in said] == [None, None, None, "stop"]


USAGES = [
    ({"input_tokens": 5, "output_tokens": 7}, {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}),
    ({"input_tokens": 5, "output_tokens": 7, "total_tokens": 13}, {"total_tokens": 13}),
    (
        {"input_tokens": 5, "output_tokens": 7, "cache_read_tokens": 100, "cache_write_tokens": 10},
        {"prompt_tokens": 115, "total_tokens": 122, "prompt_tokens_details": {"cached_tokens": 100}},
    ),
    (
        {"input_tokens": 5, "output_tokens": 7, "thought_tokens": 3},
        {"completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 3}},
    ),
    (
        {"input_tokens": 5, "output_tokens": 7, "reasoning_tokens": 3, "cached_tokens": 2},
        {"completion_tokens": 7, "prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 2}},
    ),
]


@pytest.mark.parametrize(("told", "spelt"), USAGES)
def test_usage_comes_last_in_this_dialect_s_sense(told: dict[str, int], spelt: dict[str, Any]) -> None:
    *_, usage, sentinel = encoded(says("a"), Reading(EventClass.USAGE, usage=told), END)
    assert (usage["choices"], sentinel) == ([], "[DONE]")
    assert spelt.items() <= usage["usage"].items()


def test_an_error_becomes_this_dialect_s_error_frame_and_nothing_follows() -> None:
    encoder = ChatEncoder()
    chunks = encoder.encode(Reading(EventClass.ERROR, failure=Failure("overloaded", detail="secret")))
    assert chunks[0]["error"]["code"] == "overloaded"
    assert "secret" not in json.dumps(chunks)
    assert encoder.encode(says("a")) == []


# Whole streams


def converted(data: bytes, seed: str = "", **options: Any) -> tuple[bytes, StreamReport]:
    repairer = StreamRepairer(convert="openai-chat", heartbeat=None, **options)
    pieces = cut(data, sorted(random.Random(seed).choices(range(len(data) + 1), k=8))) if seed else [data]
    return b"".join([frame for piece in pieces for frame in repairer.feed(piece, 0.0)] + repairer.close(0.0)), (
        repairer.report
    )


def read(data: bytes) -> StreamReport:
    reader = EventReader()
    reader.feed(data)
    reader.close()
    return reader.report


SOURCES = ("anthropic", "openai-responses", "gemini-sse", "gemini-array", "ollama-chat", "ollama-generate", "cohere")


@needs_captures
@pytest.mark.parametrize("file", chosen(lambda entry: entry["api"] in SOURCES))
def test_every_capture_means_the_same_after_conversion(file: str) -> None:
    entry = next(entry for entry in manifest() if entry["file"] == file)
    output, source = converted(body(file), seed=file, content_type=entry.get("content_type"))
    target = read(output)
    # A cut is told by an error frame of ours, so the next reader sees a failure.
    verdict = Verdict.FAILED if source.verdict is Verdict.TRUNCATED else source.verdict
    assert target.verdict is verdict
    assert target.dialect == "openai-chat" or not source.content_emitted, "an error of ours alone is of no dialect"
    assert target.text == source.text
    assert target.reasoning == source.reasoning
    assert target.refusal == source.refusal
    assert meaning(target.tool_calls) == meaning(source.tool_calls)
    assert output.endswith(b"data: [DONE]\n\n") == (source.verdict is Verdict.COMPLETE)
    if source.verdict is Verdict.COMPLETE:
        assert figures(target.usage) == figures(source.usage)
        assert output.count(b"[DONE]") == 1


def meaning(calls: list[dict[str, Any]]) -> list[Any]:
    return [(call["name"] or "", call["kind"], call["arguments"]) for call in calls if call["kind"] != "hosted"]


def figures(usage: dict[str, int]) -> tuple[int, int]:
    prompt = [usage.get(name, 0) for name in ("input_tokens", "cache_read_tokens", "cache_write_tokens")]
    return sum(prompt), usage.get("output_tokens", 0) + usage.get("thought_tokens", 0)


def test_a_conversion_does_not_depend_on_the_cuts() -> None:
    data = b"".join(
        json.dumps({"model": "m", "message": {"content": text}, "done": not text}).encode() + b"\n"
        for text in ("He", "llo", "")
    )
    whole, _ = converted(data)
    repairer = StreamRepairer(convert="openai-chat", heartbeat=None)
    assert b"".join([f for piece in every(data, 1) for f in repairer.feed(piece, 0.0)] + repairer.close(0.0)) == whole


def test_a_chat_stream_is_left_as_it_is() -> None:
    data = b'data: {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    assert converted(data)[0] == data


def test_a_sentinel_of_the_source_stands_not_in_front_of_the_usage() -> None:
    data = (
        b'data: {"type": "response.output_text.delta", "item_id": "i", "delta": "a"}\n\n'
        b'data: {"type": "response.completed", "response": {"usage": {"input_tokens": 1, "output_tokens": 2}}}\n\n'
        b"data: [DONE]\n\n"
    )
    output, _ = converted(data)
    assert output.count(b"[DONE]") == 1
    assert output.index(b'"usage"') < output.index(b"[DONE]")


def test_a_cut_stream_ends_in_this_dialect_s_error_frame() -> None:
    output, report = converted(b'{"model":"m","message":{"content":"Hel"},"done":false}\n{"model":"m","mess')
    last = json.loads(output.decode().rstrip().rpartition("data: ")[2])
    assert last["error"]["type"] == ERROR_TYPE
    assert (report.verdict.value, b"[DONE]" in output) == ("truncated", False)


WITHOUT_ARGUMENTS = {
    "anthropic": [
        {"type": "message_start", "message": {"role": "assistant"}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "now"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": ""}},
        {"type": "content_block_stop", "index": 0},
    ],
    "cohere": [
        {
            "type": "tool-call-start",
            "index": 0,
            "delta": {"message": {"tool_calls": {"id": "t", "function": {"name": "now", "arguments": ""}}}},
        },
        {"type": "tool-call-end", "index": 0},
    ],
}


@pytest.mark.parametrize("dialect", WITHOUT_ARGUMENTS)
def test_a_call_without_arguments_is_given_an_empty_object_when_it_ends(dialect: str) -> None:
    payloads = WITHOUT_ARGUMENTS[dialect]
    frames = [b"data: %b\n\n" % json.dumps(payload).encode() for payload in payloads]
    for whole, arguments in ((frames, "{}"), (frames[:-1], "")):
        output, _ = converted(b"".join(whole))
        chunks = [json.loads(line[6:]) for line in output.decode().splitlines() if line.startswith('data: {"id"')]
        calls = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
        assert "".join(call["function"]["arguments"] for call in calls) == arguments
        assert calls[0]["function"]["name"] == "now"


def test_an_unknown_dialect_passes_unconverted() -> None:
    data = b'data: {"level": "info"}\n\n'
    output, report = converted(data)
    assert (output, report.dialect) == (data, None)


def test_a_plain_vocabulary_that_the_caller_named_is_converted_from_its_first_event() -> None:
    data = (
        b'event: start\ndata: {"id": 7}\n\nevent: ping\ndata: {}\n\nevent: delta\ndata: {"text": "Hi"}\n\n'
        b"event: done\ndata: {}\n\n"
    )
    output, report = converted(data, dialect="vocabulary")
    assert read(output).text == report.text == "Hi"
    assert b"event:" not in output
    assert output.endswith(b"data: [DONE]\n\n")


# --- What the caller says ---------------------------------------------------------------------------------------------

OLLAMA = b'{"model":"m","message":{"role":"assistant","content":"Hi"},"done":false}\n'
OLLAMA_END = b'{"model":"m","done":true}\n'


def chunks_of(body: bytes) -> list[Any]:
    frames = [frame.removeprefix(b"data: ") for frame in body.split(b"\n\n") if frame]
    return [json.loads(frame) for frame in frames if frame != b"[DONE]"]


def test_an_id_and_a_model_stand_in_place_of_those_of_upstream() -> None:
    told = chunks_of(b"".join(repair([OLLAMA + OLLAMA_END], convert=Conversion(id="mine", model="acme/fast"))))
    assert {(chunk["id"], chunk["model"]) for chunk in told} == {("mine", "acme/fast")}
    told = chunks_of(b"".join(repair([OLLAMA + OLLAMA_END], convert=Conversion(model="acme/fast"))))
    assert {(chunk["id"], chunk["model"]) for chunk in told} == {("chatcmpl-0", "acme/fast")}


def test_a_conversion_that_says_no_more_is_that_of_the_name() -> None:
    named, said = (b"".join(repair([OLLAMA + OLLAMA_END], convert=each)) for each in ("openai-chat", Conversion()))
    assert named == said


ERRORS = [
    (b'{"error":"out of memory"}\n', ("server_error", "upstream-error")),
    (b"", ("server_error", "truncated")),
    (b'{"error":{"message":"slow down","code":429}}\n', ("rate_limit_error", "rate_limit_exceeded")),
]


@pytest.mark.parametrize(("tail", "told"), ERRORS, ids=["upstream's", "a cut", "a limit"])
def test_an_error_has_the_form_of_openai_s_api_where_it_is_asked_for(tail: bytes, told: tuple[str, str]) -> None:
    body = b"".join(repair([OLLAMA + tail], dialect="ollama", convert=Conversion(errors="openai")))
    error = chunks_of(body)[-1]["error"]
    assert sorted(error) == ["code", "message", "param", "type"]
    assert (error["type"], error["code"], error["param"]) == (*told, None)
    assert error["message"].startswith("The ")
    assert b"memory" not in body
    assert b"".join(repair([body])) == body


def test_what_is_written_already_passes_as_it_is() -> None:
    chunk = b'data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
    body = chunk + b"data: [DONE]\n\n"
    assert b"".join(repair([body], convert=Conversion(id="mine", model="other"))) == body


def test_of_what_is_written_already_our_own_error_alone_has_the_form_that_was_asked_for() -> None:
    chunk = b'data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n'
    theirs = chunk + b'data: {"error":{"message":"no","code":"busy"}}\n\n'
    asked = Conversion(id="mine", errors="openai")
    for data in (chunk, chunk * 3, theirs):
        for chunks in cuttings(data):
            body = b"".join(repair(chunks, convert=asked))
            assert body.startswith(data)
            ours = [json.loads(each[6:])["error"] for each in body[len(data) :].split(b"\n\n")[:-1]]
            said = "The stream ended before it was complete."
            told = {"message": said, "type": "server_error", "param": None, "code": "truncated"}
            assert ours == ([] if data is theirs else [told])
            assert b"".join(repair([body], convert=asked)) == b"".join(repair([body])) == body
    repairer = StreamRepairer(convert=asked, timeouts=Timeouts(silence=1.0))
    frames = [*repairer.feed(chunk, 0.0), *repairer.on_deadline(2.0)]
    assert json.loads(frames[-1][6:])["error"]["type"] == "server_error"
    plain = b"".join(repair([chunk], convert=Conversion(id="mine")))
    assert plain == b"".join(repair([chunk]))


MISUSES = [
    ({"to": "anthropic"}, ValueError, "to must be one of 'openai-chat', not 'anthropic'"),
    ({"errors": "plain"}, ValueError, "errors must be one of 'unbroken', 'openai', not 'plain'"),
    ({"id": ""}, ValueError, "id must have 1 to 1024 characters, not 0"),
    ({"model": 7}, TypeError, "model must be a text or None, not 7"),
]


@pytest.mark.parametrize(("fields", "error", "words"), MISUSES, ids=["to", "errors", "id", "model"])
def test_a_conversion_that_cannot_be_is_refused(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Conversion(**fields)


@pytest.mark.parametrize("convert", [Conversion, 7, {"to": "openai-chat"}], ids=["class", "number", "dict"])
def test_what_is_no_conversion_is_refused_with_the_fix(convert: Any) -> None:
    with pytest.raises(TypeError, match=r"unbroken\.Conversion"):
        repair([b""], convert=convert)


def frames_of(*payloads: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in payloads)


def completion(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"object": "text_completion", "choices": [{"index": 0, "text": text, "finish_reason": finish}]}


def ollama(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": text}, "done": False, **more}


def gemini(text: str, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"index": 0, "content": {"parts": [{"text": text}]}, **more}]}


def test_what_is_said_behind_a_failure_is_neither_in_the_conversion_nor_in_the_report() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}
    start = {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": []}}
    piece = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}
    for payloads in (
        [completion("a"), completion("", "error"), *[completion(f"b{n}") for n in range(6)]],
        [completion("a", "error"), completion("b", "stop")],
        [start, piece, overloaded, *[piece] * 6, {"type": "message_stop", "usage": {"output_tokens": 5}}],
        [ollama("a"), {"error": "x"}, ollama("b"), ollama("c", done=True, done_reason="stop")],
        [gemini("a", finishReason="MALFORMED_FUNCTION_CALL"), gemini("b", finishReason="STOP")],
    ):
        data = frames_of(*payloads)
        output, report = converted(data)
        assert (report.text, report.usage, report.verdict) == ("a", {}, Verdict.FAILED)
        reader = EventReader()
        reader.feed(output)
        reader.close()
        assert (reader.report.text, reader.report.verdict) == ("a", Verdict.FAILED)
        laws.check_chunking(every(data, 3), convert="openai-chat")
        laws.check_fast_path([data], convert="openai-chat")
        plain = EventReader()  # where the bytes behind it are delivered, they count
        plain.feed(data)
        plain.close()
        assert len(plain.report.text) > 1


def test_all_that_one_chunk_says_of_a_call_is_one_entry() -> None:
    parts = [{"functionCall": {"name": name, "args": {"city": name}}} for name in ("rome", "oslo")]
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0, "finishReason": "STOP"}
    output, report = converted(b"data: " + json.dumps({"candidates": [candidate]}).encode() + b"\n\n")
    chunks = [json.loads(line[6:]) for line in output.decode().split("\n\n") if line.startswith("data: {")]
    told = chunks[0]["choices"][0]["delta"]["tool_calls"]
    assert [(call["index"], call["function"]) for call in told] == [
        (0, {"name": "rome", "arguments": '{"city":"rome"}'}),
        (1, {"name": "oslo", "arguments": '{"city":"oslo"}'}),
    ]
    assert [call["name"] for call in report.tool_calls] == ["rome", "oslo"]


def test_two_items_of_responses_at_one_index_are_two_calls() -> None:
    told = []
    for number, city in enumerate(("Rome", "Oslo")):
        item = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": "w"}
        arguments = json.dumps({"city": city})
        at = {"output_index": 0, "item_id": f"fc_{number}"}
        told += [
            {"type": "response.output_item.added", "output_index": 0, "item": {**item, "arguments": ""}},
            {"type": "response.function_call_arguments.delta", **at, "delta": arguments},
            {"type": "response.output_item.done", "output_index": 0, "item": {**item, "arguments": arguments}},
        ]
    told.append({"type": "response.completed", "response": {"status": "completed"}})
    output, report = converted(b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in told))
    chunks = [json.loads(line[6:]) for line in output.decode().split("\n\n") if line.startswith("data: {")]
    pieces = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert [(piece["index"], piece.get("id")) for piece in pieces if "id" in piece] == [(0, "call_0"), (1, "call_1")]
    arguments = ["".join(p["function"]["arguments"] for p in pieces if p["index"] == at) for at in (0, 1)]
    assert arguments == ['{"city": "Rome"}', '{"city": "Oslo"}']
    assert [call["arguments"] for call in report.tool_calls] == arguments
