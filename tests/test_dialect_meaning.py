"""What the report says is true, and the conversion says the same: tables of streams as servers were reported to send.

Beside each fault stand its healthy neighbours, which look like it and are read as they always were.
"""

import json
from typing import Any

import pytest

from unbroken import EventReader, StreamRepairer, StreamReport, Verdict
from unbroken.testing.cuts import every

Case = tuple[list[Any], dict[str, Any]]
"""Payloads (a pair is a name and a payload, a string stands as it is), and what is to be read of them."""


def chat(finish: Any = None, *, index: int = 0, **delta: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def responses(type: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{type}", **fields}


def said(text: str, **fields: Any) -> dict[str, Any]:
    place = {"item_id": "m", "output_index": 0, "content_index": 0}
    return responses("output_text.delta", **place, delta=text, **fields)


def completed(status: str = "completed", type: str = "completed", **fields: Any) -> dict[str, Any]:
    return responses(type, response={"id": "r", "status": status, **fields})


def block(text: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def stopped(reason: str) -> list[dict[str, Any]]:
    return [{"type": "message_delta", "delta": {"stop_reason": reason}}, {"type": "message_stop"}]


def candidate(text: Any = "Hi", finish: Any = None) -> dict[str, Any]:
    more = {} if finish is None else {"finishReason": finish}
    return {"candidates": [{"content": {"parts": [{"text": text}]}, "index": 0, **more}]}


def ollama(text: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": text}, "done": False, **more}


def cohere(text: Any) -> dict[str, Any]:
    return {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}}


def token(text: Any, **more: Any) -> dict[str, Any]:
    return {"token": {"id": 1, "text": text}, "generated_text": None, "details": None, **more}


def completion(text: Any, finish: Any = None) -> dict[str, Any]:
    return {"object": "text_completion", "choices": [{"index": 0, "text": text, "finish_reason": finish}]}


def spelt(payloads: list[Any]) -> bytes:
    frames = []
    for payload in payloads:
        name, value = payload if isinstance(payload, tuple) else ("", payload)
        head = f"event: {name}\n" if name else ""
        frames.append(f"{head}data: {value if isinstance(value, str) else json.dumps(value)}\n\n")
    return "".join(frames).encode()


def read(chunks: list[bytes]) -> StreamReport:
    reader = EventReader()
    for chunk in chunks:
        reader.feed(chunk)
    reader.close()
    return reader.report


def converted(data: bytes) -> bytes:
    repairer = StreamRepairer(convert="openai-chat", heartbeat=None)
    return b"".join([*repairer.feed(data, 0.0), *repairer.close(0.0)])


def facts(report: StreamReport) -> dict[str, Any]:
    failure = report.error.failure if report.error else None
    return {
        "verdict": report.verdict.value,
        "dialect": report.dialect,
        "text": report.text,
        "reasoning": report.reasoning,
        "refusal": report.refusal,
        "finish": report.finish_reason,
        "usage": report.usage,
        "tools": [(call["name"], call["arguments"]) for call in report.tool_calls],
        "complete": [call["arguments_complete"] for call in report.tool_calls],
        "code": failure and failure.code,
        "status": failure and failure.status_hint,
        "delay": failure and failure.retry_after,
        "word": failure and failure.error_type,
        "safe": report.error and report.error.safe_to_retry,
        "repairs": sum(count for kind, count in report.repairs.items() if kind.value != "event-name-restored"),
    }


def check(case: Case) -> None:
    """Hold a stream to what is to be read of it, whole and byte by byte, and its conversion to the same."""
    payloads, expected = case
    data = spelt(payloads)
    report = read([data])
    found = facts(report)
    assert {name: found[name] for name in expected} == expected
    assert facts(read(every(data, 1))) == found
    if report.dialect not in (None, "openai-chat", "vocabulary"):
        check_conversion(data, report)


def check_conversion(data: bytes, source: StreamReport) -> None:
    output = converted(data)
    target = read([output])
    assert (target.text, target.reasoning, target.refusal) == (source.text, source.reasoning, source.refusal)
    calls = [(call["name"] or "", call["arguments"]) for call in source.tool_calls if call["kind"] != "hosted"]
    assert [(call["name"] or "", call["arguments"]) for call in target.tool_calls] == calls
    assert output.endswith(b"data: [DONE]\n\n") == (source.verdict is Verdict.COMPLETE)


def each(cases: dict[str, Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in cases.items()])


DONE = "[DONE]"
FAILED = {"verdict": "failed"}
COMPLETE = {"verdict": "complete"}
TRUNCATED = {"verdict": "truncated"}

# Words for the end

FAILING_FINISHES: dict[str, Case] = {
    "vLLM aborts": ([chat(content="Hi"), chat("abort"), DONE], {**FAILED, "text": "Hi", "finish": "abort"}),
    "SGLang says so in an object": (
        [chat(content="Hi"), chat({"type": "abort", "message": "x", "status_code": 503}), DONE],
        {**FAILED, "finish": "abort", "status": 503},
    ),
    "GLM": ([chat(content="Hi"), chat("network_error"), DONE], FAILED),
    "DeepSeek": ([chat(content="Hi"), chat("insufficient_system_resource")], {**FAILED, "code": "overloaded"}),
    "Qwen": ([chat(content="Hi"), chat("error_finish"), DONE], FAILED),
    "in capitals": ([chat(content="Hi"), chat("ERROR"), DONE], FAILED),
    "Gemini behind a chat API": ([chat(content="Hi"), chat("function_call_filter: MALFORMED_FUNCTION_CALL")], FAILED),
    "one of two choices": ([chat(content="Hi"), chat("stop"), chat("abort", index=1), DONE], FAILED),
    "legacy completions": ([completion("Hi"), completion("", "abort"), DONE], {**FAILED, "text": "Hi"}),
    "Anthropic": ([block("Hi"), *stopped("error")], {**FAILED, "text": "Hi"}),
    "Gemini": ([candidate(), candidate("", "MALFORMED_FUNCTION_CALL")], {**FAILED, "text": "Hi"}),
    "Gemini's unexpected call": ([candidate(), candidate("", "UNEXPECTED_TOOL_CALL")], FAILED),
    "Gemini's malformed response": ([candidate("Hi", "MALFORMED_RESPONSE")], FAILED),
    "Ollama": ([ollama("Hi"), ollama("", done=True, done_reason="error")], FAILED),
    "Cohere": ([cohere("Hi"), {"type": "message-end", "delta": {"finish_reason": "TIMEOUT"}}], FAILED),
    "TGI": ([token("Hi"), token("", generated_text="Hi", details={"finish_reason": "error"})], FAILED),
    "Responses is completed, and failed": (
        [said("Hi"), completed("failed", error={"code": "rate_limit_exceeded", "message": "m"})],
        {**FAILED, "code": "rate-limited"},
    ),
    "without an error of its own": ([said("Hi"), completed("failed", error=None)], FAILED),
    "cancelled": ([said("Hi"), completed("cancelled")], FAILED),
    "done, and failed": ([said("Hi"), completed("failed", "done")], FAILED),
    "completed with an error": ([said("Hi"), completed(error={"code": "server_error", "message": "m"})], FAILED),
}

OTHER_FINISHES: dict[str, Case] = {
    "a word that nobody knows": ([chat(content="Hi"), chat("sensitive"), DONE], {**COMPLETE, "finish": "sensitive"}),
    "a word that holds one": ([chat(content="Hi"), chat("error_free"), DONE], COMPLETE),
    "the text is one": ([chat(content="abort"), chat("stop"), DONE], COMPLETE),
    "Anthropic's refusal": ([block("Hi"), *stopped("refusal")], COMPLETE),
    "Gemini's filter": ([candidate("Hi", "SAFETY")], COMPLETE),
    "Gemini's other": ([candidate("Hi", "OTHER")], COMPLETE),
    "Ollama loads": ([ollama("Hi"), ollama("", done=True, done_reason="load")], COMPLETE),
    "Responses is incomplete": (
        [said("Hi"), completed("incomplete", incomplete_details={"reason": "max_output_tokens"})],
        {**COMPLETE, "finish": "incomplete:max_output_tokens"},
    ),
    "an empty error in the terminator": ([said("Hi"), completed(error={"code": "", "message": None})], COMPLETE),
}

SILENT_FINISHES: dict[str, Case] = {
    "null as a text": ([chat("null", content="Hi"), chat("null", content=" the")], {**TRUNCATED, "text": "Hi the"}),
    "none": ([chat("None", content="Hi"), chat("none", content="!")], {**TRUNCATED, "finish": None}),
    "an empty one": ([chat("", content="Hi")], {**TRUNCATED, "finish": None}),
    "legacy completions": ([completion("Hi", "null")], {**TRUNCATED, "finish": None}),
    "Anthropic": ([block("Hi"), stopped("null")[0]], {**TRUNCATED, "finish": None}),
    "Gemini": ([candidate("Hi", "FINISH_REASON_UNSPECIFIED")], {**TRUNCATED, "finish": None}),
    "Gemini as a text": ([candidate("Hi", "null")], {**TRUNCATED, "finish": None}),
    "Responses": ([said("Hi"), completed("null")], {**COMPLETE, "finish": "completed"}),
    "TGI": ([token("Hi", details={"finish_reason": "null"})], {**TRUNCATED, "finish": None}),
    "and the true one at the end": ([chat("null", content="Hi"), chat("stop")], {**COMPLETE, "finish": "stop"}),
}


@each(FAILING_FINISHES)
def test_a_finish_that_means_failure_fails_the_stream(case: Case) -> None:
    check(case)


@each(OTHER_FINISHES)
def test_any_other_finish_ends_a_whole_answer(case: Case) -> None:
    check(case)


@each(SILENT_FINISHES)
def test_a_finish_that_says_nothing_is_none(case: Case) -> None:
    check(case)


# Errors

EMPTY = {"message": "", "type": "", "param": "", "code": None}
FIGURES = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}

EMPTY_ERRORS: dict[str, Case] = {
    "in each chunk": (
        [{**chat(content="Hi"), "error": EMPTY}, {**chat("stop"), "error": EMPTY}, DONE],
        {**COMPLETE, "text": "Hi", "repairs": 0},
    ),
    "legacy completions": ([{**completion("Hi", "stop"), "error": EMPTY}, DONE], COMPLETE),
    "an empty object": ([{**chat(content="Hi"), "error": {}}, chat("stop"), DONE], COMPLETE),
    "an empty text": ([{**chat(content="Hi"), "error": ""}, chat("stop"), DONE], COMPLETE),
    "a code of zero": ([{**chat("stop", content="Hi"), "error": {"code": 0, "message": ""}}, DONE], COMPLETE),
    "Gemini": ([{**candidate("Hi", "STOP"), "error": EMPTY}], COMPLETE),
    "Ollama": ([{**ollama("Hi"), "error": EMPTY}, {**ollama("", done=True), "error": ""}], COMPLETE),
    "Cohere": ([{**cohere("Hi"), "error": EMPTY}, {"type": "message-end", "delta": {"error": EMPTY}}], COMPLETE),
    "TGI": ([{**token("Hi"), "error": EMPTY}, token("", generated_text="Hi")], COMPLETE),
    "Responses ends by a twin": (
        [said("Hi"), completed(type="done", usage=FIGURES)],
        {**COMPLETE, "usage": FIGURES, "finish": "completed"},
    ),
    "a twin without a response": ([said("Hi"), responses("done")], {**COMPLETE, "finish": "completed"}),
}

TOLD_ERRORS: dict[str, Case] = {
    "one field says something": ([{**chat(content="Hi"), "error": {**EMPTY, "code": "x"}}, DONE], FAILED),
    "an error beside an answer": ([{**chat(content="Hi"), "error": "out of memory"}, DONE], FAILED),
    "true": ([{**chat(content="Hi"), "error": True}, DONE], FAILED),
    "nothing but an empty error": ([chat(content="Hi"), {"error": EMPTY}, DONE], FAILED),
    "by its name": ([chat(content="Hi"), ("error", {"error": EMPTY})], FAILED),
    "an error of a framework behind an answer": (
        [chat(content="Hi"), {"code": "workflow_error", "message": "boom", "details": "ValueError"}],
        FAILED,
    ),
    "a code of a provider's": ([chat(content="Hi"), {"code": 10013, "message": "m", "sid": "s"}, DONE], FAILED),
    "a proxy's, behind an answer": (
        [block("Hi"), {"cloudflare_error": True, "status": 520}],
        {**FAILED, "status": 520},
    ),
}

FIRST_ERRORS: dict[str, Case] = {
    "a name, a status and details": (
        [("error", {"code": 422, "details": "no"})],
        {**FAILED, "code": "invalid-request", "status": 422, "safe": True},
    ),
    "a name, a status and a detail": ([("error", {"status": 503, "detail": "no"})], {**FAILED, "code": "overloaded"}),
    "Cloudflare's": ([{"cloudflare_error": True, "status": 520}], {**FAILED, "status": 520, "safe": True}),
    "Cloudflare's in full": (
        [{"type": "https://x", "title": "t", "status": 524, "cloudflare_error": True, "retry_after": 60}],
        {**FAILED, "status": 524, "delay": 60.0},
    ),
    "RFC 9457": ([{"type": "about:blank", "title": "Unavailable", "status": 503, "detail": "no"}], FAILED),
    "Spring": ([{"timestamp": "t", "status": 500, "error": "Internal Server Error", "path": "/"}], FAILED),
    "Azure API Management": ([{"statusCode": 429, "message": "m"}], {**FAILED, "code": "rate-limited"}),
}

UNKNOWN = {**FAILED, "dialect": None, "code": "upstream-error"}
LONE_ERRORS: dict[str, Case] = {
    "a text under error": ([{"error": "disk full"}], UNKNOWN),
    "a message under the name error": ([("error", {"message": "disk full"})], UNKNOWN),
    "a code that is no status": ([("error", {"code": 28, "details": "disk full"})], UNKNOWN),
    "words, and the sentinel": ([("error", "engine crashed"), "[DONE]"], UNKNOWN),
    "more than an error": ([("error", {"code": 500, "details": "x", "host": "a", "time": 1})], UNKNOWN),
}

ENDED = {"verdict": "ended", "dialect": None, "code": None}
RECORD = {"a": 1}
RECORDS: dict[str, Case] = {
    "a text under error": ([{"error": "disk full"}, RECORD], ENDED),
    "a message under the name error": ([("error", {"message": "disk full"}), RECORD], ENDED),
    "a code that is no status": ([("error", {"code": 28, "details": "disk full"}), ("info", RECORD)], ENDED),
    "words alone": ([("error", "engine crashed")], ENDED),
    "words": ([("error", "disk full"), ("info", "disk cleared")], ENDED),
    "words behind others": ([("info", "started"), ("error", "disk full")], ENDED),
    "an error behind a record": ([RECORD, ("error", {"message": "disk full"})], ENDED),
    "two of them": ([("error", {"message": "disk full"}), ("error", {"message": "disk full"})], ENDED),
    "more than an error": ([("error", {"code": 500, "details": "x", "host": "a", "time": 1}), RECORD], ENDED),
    "the record of a request": ([{"status": 500, "path": "/", "error": "x", "duration": 3}], ENDED),
    "a status that is no error's": ([{"statusCode": 200, "message": "fine"}], ENDED),
    "a title and a type": ([{"type": "book", "title": "1984", "status": "lent"}], ENDED),
    "a flag of somebody's": ([{"cloudflare_error": False, "status": 520}], ENDED),
    "code and message": ([{"code": "E1", "message": "started"}], ENDED),
}

CLASSES: dict[str, Case] = {
    "Responses": (
        [said("Hi"), {"type": "error", "code": "server_is_overloaded", "message": "m"}],
        {"code": "overloaded", "status": 503, "word": "server_is_overloaded", "safe": False},
    ),
    "Responses, failed": (
        [responses("failed", response={"error": {"code": "server_is_overloaded", "message": "m"}})],
        {"code": "overloaded", "status": 503, "safe": True},
    ),
    "a type": ([{"error": {"message": "m", "type": "service_unavailable_error"}}], {"code": "overloaded"}),
    "both": (
        [{"error": {"message": "m", "type": "service_unavailable_error", "code": "server_is_overloaded"}}],
        {"code": "overloaded", "status": 503},
    ),
    "as a class is written": ([{"error": {"message": "m", "type": "ServiceUnavailableError"}}], {"status": 503}),
    "Moonshot": ([{"error": {"message": "m", "type": "engine_overloaded_error"}}], {"code": "overloaded"}),
    "Anthropic": (
        [block("Hi"), ("error", {"type": "error", "error": {"type": "overloaded_error", "message": "m"}})],
        {"code": "overloaded", "status": 529},
    ),
    "Anthropic's, within a gateway's": (
        [{"error": {"message": '{"type":"error","error":{"type":"overloaded_error"}}', "type": "api_error"}}],
        {"code": "overloaded", "status": 529},
    ),
    "in metadata": (
        [{"error": {"message": "m", "code": 502, "metadata": {"error_type": "overloaded_error"}}}],
        {"code": "overloaded", "status": 502},
    ),
    "a delay beside the error": (
        [block("Hi"), {"type": "error", "error": {"type": "rate_limit_error", "message": "m"}, "retry_after": 7}],
        {"code": "rate-limited", "status": 429, "delay": 7.0},
    ),
    "a status beside the error": (
        [chat(content="a"), {"error": {"message": "m"}, "status_code": 529}],
        {"status": 529},
    ),
    "the error is a word": ([ollama("Hi"), {"error": "overloaded_error"}], {"code": "overloaded", "status": 529}),
    "Bedrock": ([chat(content="a"), {"error": {"message": "m", "type": "ThrottlingException"}}], {"status": 429}),
    "Gemini": ([{"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}], {"code": "overloaded"}),
    "a word that nobody knows": (
        [{"error": {"message": "m", "type": "odd"}}],
        {"code": "upstream-error", "status": None},
    ),
}


@each(EMPTY_ERRORS)
def test_an_empty_error_beside_an_answer_says_nothing_and_a_twin_of_a_terminator_ends(case: Case) -> None:
    check(case)


@each(TOLD_ERRORS)
def test_an_error_that_says_something_fails_the_stream(case: Case) -> None:
    check(case)


@each(FIRST_ERRORS)
def test_a_first_payload_that_can_only_be_an_error_fails_the_stream(case: Case) -> None:
    check(case)


@each(LONE_ERRORS)
def test_an_error_of_no_known_dialect_that_is_all_of_the_stream_fails_it(case: Case) -> None:
    check(case)


@each(RECORDS)
def test_a_record_with_the_words_of_an_error_is_nobody_s_error(case: Case) -> None:
    check(case)


@each(CLASSES)
def test_the_class_of_an_error_survives(case: Case) -> None:
    check((case[0], {**FAILED, **case[1]}))


# Where a text stands, and of which type


def whole(text: Any, finish: Any = "stop", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


def counted(*pieces: Any, finish: Any = None, object: str = "chat.completion.chunk") -> list[dict[str, Any]]:
    payloads = [chat(content=piece, role="assistant", index=place) for place, piece in enumerate(pieces)]
    payloads[-1]["choices"][0]["finish_reason"] = finish
    return [{**payload, "object": object} for payload in payloads]


def call(arguments: Any = None, name: Any = None, id: Any = None, index: Any = 0) -> dict[str, Any]:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    places = {key: value for key, value in (("index", index), ("id", id)) if value is not None}
    return chat(tool_calls=[{**places, "type": "function", "function": function}])


SAID_ONCE: dict[str, Case] = {
    "a number": ([chat(content="[^"), chat(content=1), chat(content="]"), chat("stop"), DONE], {"text": "[^1]"}),
    "a zero": ([chat(content="1"), chat(content=0), chat("stop"), DONE], {"text": "10"}),
    "a fraction": ([chat(content="v"), chat(content=3.5), chat("stop"), DONE], {"text": "v3.5"}),
    "a number of reasoning": ([chat(reasoning_content=0), chat(content="Hi"), chat("stop")], {"reasoning": "0"}),
    "many numbers": ([chat(content="a"), *[chat(content=n) for n in range(12)], DONE], {"text": "a01234567891011"}),
    "in a part": ([chat(content=[{"type": "text", "text": 7}]), chat("stop"), DONE], {"text": "7"}),
    "Anthropic's number": ([block("a"), block(4), block(0), *stopped("end_turn")], {"text": "a40"}),
    "Gemini's number": ([candidate("a"), candidate(4, "STOP")], {"text": "a4"}),
    "Ollama's number": ([ollama("a"), ollama(4), ollama("", done=True)], {"text": "a4"}),
    "Cohere's number": ([cohere("a"), cohere(4), {"type": "message-end", "delta": {}}], {"text": "a4"}),
    "Responses' number": ([said("a"), {**said(""), "delta": 4}, completed()], {"text": "a4"}),
    "a legacy completion's number": ([completion("a"), completion(4, "stop"), DONE], {"text": "a4"}),
    "a whole message behind the pieces": (
        [chat(content="Hel"), chat(content="lo"), whole("Hello"), DONE],
        {"text": "Hello"},
    ),
    "with a tail that no piece brought": ([chat(content="Hel"), whole("Hello"), DONE], {"text": "Hello"}),
    "with an empty delta beside it": (
        [chat(content="Hello"), {"choices": [{**whole("Hello")["choices"][0], "delta": {}}]}, DONE],
        {**COMPLETE, "text": "Hello"},
    ),
    "with reasoning": (
        [chat(reasoning_content="Hm"), chat(content="Hi"), whole("Hi", reasoning_content="Hm"), DONE],
        {"text": "Hi", "reasoning": "Hm"},
    ),
    "with calls": (
        [
            call('{"a":', "f", "1"),
            call("1}"),
            whole(None, "tool_calls", tool_calls=[{"id": "1", "function": {"name": "f", "arguments": '{"a":1}'}}]),
            DONE,
        ],
        {"tools": [("f", '{"a":1}')], "complete": [True]},
    ),
    "halves of a surrogate": (
        ['{"choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}', whole("a\U0001f600!"), DONE],
        {"text": "a\U0001f600!"},
    ),
    "a message alone": ([whole("Hello"), DONE], {**COMPLETE, "text": "Hello"}),
    "messages that are pieces": ([whole("Hel", None), whole("lo"), DONE], {"text": "Hello"}),
    "a message that contradicts the pieces": ([chat(content="Hello"), whole(" Hi"), DONE], {"text": "Hello Hi"}),
    "an index that counts": (
        counted("Wh", "isper", "ing", "", finish="stop"),
        {**COMPLETE, "text": "Whispering", "finish": "stop"},
    ),
    "an index that counts, and a sentinel": (
        [*counted("Wh", "isper", "ing", finish="length"), DONE],
        {**COMPLETE, "text": "Whispering", "finish": "length"},
    ),
    "an index that counts, cut": (counted("Wh", "isper", "ing"), {**TRUNCATED, "text": "Whispering"}),
}

CHOICES: dict[str, Case] = {
    "two choices": (
        [chat(content="a"), chat(content="b", index=1), chat("stop"), chat("stop", index=1), DONE],
        {**COMPLETE, "text": "a"},
    ),
    "three choices in one piece each": (
        [chat("stop", content="a"), chat("stop", content="b", index=1), chat("stop", content="c", index=2), DONE],
        {**COMPLETE, "text": "a", "finish": "stop"},
    ),
    "three choices that go on": (
        [*[chat(content=str(n), index=n) for n in (0, 1, 2, 0)], *[chat("stop", index=n) for n in (0, 1, 2)]],
        {**COMPLETE, "text": "00"},
    ),
    "three choices, cut": (
        [*[chat(content=str(n), index=n) for n in (0, 1, 2, 0)], chat("stop", index=2)],
        {**TRUNCATED, "text": "00"},
    ),
    "the same word twice": ([chat(content="ha"), chat(content="ha"), chat("stop"), DONE], {"text": "haha"}),
    "a text of digits": ([chat(content="1"), chat(content="0"), chat("stop"), DONE], {"text": "10"}),
    "false is no text": ([chat(content=False), chat(content="a"), chat("stop"), DONE], {"text": "a"}),
}

MESSAGE = {
    "type": "message_start",
    "message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}},
}
PLACES: dict[str, Case] = {
    "GitHub Copilot": (
        [chat(content=None, reasoning_text="Hm"), chat(content="Hi"), DONE],
        {"text": "Hi", "reasoning": "Hm"},
    ),
    "Databricks": (
        [
            chat(content=[{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}]),
            chat(content="Hi"),
        ],
        {"text": "Hi", "reasoning": "Hm"},
    ),
    "Databricks, with the text beside it": (
        [
            chat(
                content=[
                    {"type": "reasoning", "summary": [{"text": "H"}, {"text": "m"}]},
                    {"type": "text", "text": "Hi"},
                ]
            )
        ],
        {"text": "Hi", "reasoning": "Hm"},
    ),
    "a part of reasoning with a text": (
        [chat(content=[{"type": "reasoning", "text": "Hm"}])],
        {"text": "", "reasoning": "Hm"},
    ),
    "Mistral": (
        [chat(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}])],
        {"reasoning": "Hm"},
    ),
    "Kimi's usage": (
        [
            chat(content="Hi"),
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"total_tokens": 5}}]},
            DONE,
        ],
        {**COMPLETE, "usage": {"total_tokens": 5}},
    ),
    "usage in its usual place": (
        [chat(content="Hi"), {**chat("stop"), "usage": {"total_tokens": 5}}, DONE],
        {"usage": {"total_tokens": 5}},
    ),
    "both reasonings are one": ([chat(reasoning="Hm", reasoning_content="Hm"), DONE], {"reasoning": "Hm"}),
    "a gateway's thinking": (
        [chat(content=None, thinking="H"), chat(thinking="m"), chat(content="Hi"), chat("stop"), DONE],
        {**COMPLETE, "text": "Hi", "reasoning": "Hm"},
    ),
    "thinking shows the dialect": (
        [{"choices": [{"delta": {"thinking": "Hm"}}]}],
        {"dialect": "openai-chat", "reasoning": "Hm"},
    ),
    "thinking and reasoning are one": ([chat(thinking="Hm", reasoning_content="Hm"), DONE], {"reasoning": "Hm"}),
    "thinking beside its blocks": (
        [chat(reasoning_content="Hm", thinking_blocks=[{"type": "thinking", "thinking": "Hm"}]), DONE],
        {"reasoning": "Hm"},
    ),
    "thinking in a whole message, said already": (
        [chat(thinking="Hm"), chat(content="Hi"), whole("Hi", thinking="Hm"), DONE],
        {"reasoning": "Hm", "text": "Hi"},
    ),
    "thinking that is a switch": ([chat(thinking=True, content="Hi"), DONE], {"reasoning": "", "text": "Hi"}),
    "usage at the end of a message": (
        [MESSAGE, block("Hi"), stopped("end_turn")[0], {"type": "message_stop", "usage": {"output_tokens": 5}}],
        {**COMPLETE, "usage": {"input_tokens": 3, "output_tokens": 5}},
    ),
    "usage that is told again at the end": (
        [
            MESSAGE,
            block("Hi"),
            {**stopped("end_turn")[0], "usage": {"output_tokens": 5}},
            {"type": "message_stop", "usage": {"input_tokens": 3, "output_tokens": 5}},
        ],
        {**COMPLETE, "usage": {"input_tokens": 3, "output_tokens": 5}},
    ),
    "Amazon Bedrock's metrics": (
        [
            MESSAGE,
            block("Hi"),
            {**stopped("end_turn")[0], "usage": {"output_tokens": 5}},
            {
                "type": "message_stop",
                "amazon-bedrock-invocationMetrics": {
                    "inputTokenCount": 3,
                    "outputTokenCount": 5,
                    "cacheReadInputTokenCount": 2,
                    "firstByteLatency": 400,
                },
            },
        ],
        {**COMPLETE, "usage": {"input_tokens": 3, "output_tokens": 5, "cache_read_tokens": 2}},
    ),
    "an end of a message without usage": (
        [MESSAGE, block("Hi"), *stopped("end_turn")],
        {**COMPLETE, "usage": {"input_tokens": 3, "output_tokens": 1}},
    ),
    "TGI": (
        [token("Hi"), token("", generated_text="Hi", details={"finish_reason": "eos_token"})],
        {"finish": "eos_token"},
    ),
}


@each(SAID_ONCE)
def test_what_was_said_is_said_once_whatever_its_type_and_place(case: Case) -> None:
    check(case)


@each(CHOICES)
def test_what_only_looks_like_it_is_read_as_before(case: Case) -> None:
    check(case)


@each(PLACES)
def test_reasoning_and_usage_are_read_where_servers_put_them(case: Case) -> None:
    check(case)


def test_the_end_of_a_text_is_a_stop_in_the_conversion() -> None:
    output = converted(spelt(PLACES["TGI"][0]))
    assert b'"finish_reason": "stop"' in output
    assert b"eos_token" not in output


# Tool calls


def item(type: str, arguments: Any = "", *, index: int = 0, id: Any = "c", name: Any = "f") -> dict[str, Any]:
    fields = {"type": "function_call", "id": "fc", "call_id": id, "name": name, "arguments": arguments}
    return responses(f"output_item.{type}", output_index=index, item={k: v for k, v in fields.items() if v is not None})


def piece(arguments: str, *, index: int = 0, id: str = "fc") -> dict[str, Any]:
    return responses("function_call_arguments.delta", output_index=index, item_id=id, delta=arguments)


def settled(arguments: str, *, index: int = 0) -> dict[str, Any]:
    return responses("function_call_arguments.done", output_index=index, item_id="fc", arguments=arguments)


def tool(index: int = 0, name: str = "f", **given: Any) -> dict[str, Any]:
    start = {"type": "tool_use", "id": f"t{name}", "name": name, "input": given}
    return {"type": "content_block_start", "index": index, "content_block": start}


def json_piece(text: str, index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": text}}


def block_stop(index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def cohere_call(type: str, index: int = 0, arguments: Any = "", **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **more}
    message = {"tool_calls": {"function": function}} if type != "end" else {}
    return {"type": f"tool-call-{type}", "index": index, "delta": {"message": message}}


CALLS_END = [chat("tool_calls"), DONE]
USES = [*stopped("tool_use")]
ENDS = {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}}
ONE = {"tools": [("f", '{"a":1}')], "complete": [True]}
TWO = {"tools": [("f", '{"a":1}'), ("g", '{"b":2}')], "complete": [True, True]}


def snowflake(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"delta": {"type": "tool_use", **delta}}]}


CALLS: dict[str, Case] = {
    "an index that drifts": ([call('{"a":', "f", "1"), call("1}", index=1), *CALLS_END], ONE),
    "the head at 0, the tail at 1": (
        [call("", "f", "1"), call('{"a":', index=1), call("1}", index=1), *CALLS_END],
        ONE,
    ),
    "many pieces that drift": (
        [call("", "f", "1"), *[call(text, index=1) for text in ('{"a":"', "b", "c", "d", "e", "f", '"}')], *CALLS_END],
        {"tools": [("f", '{"a":"bcdef"}')], "complete": [True]},
    ),
    "and a second call where it drifted to": (
        [
            call("", "f", "1"),
            call('{"a":1}', index=1),
            call("", "g", "2", index=1),
            call('{"b":2}', index=2),
            *CALLS_END,
        ],
        TWO,
    ),
    "in another choice": (
        [
            {"choices": [{**call('{"a":', "f", "1")["choices"][0], "index": 1}]},
            {"choices": [{**call("1}", index=1)["choices"][0], "index": 1}]},
            *CALLS_END,
        ],
        ONE,
    ),
    "a drift that may be of either": (
        [call('{"a":', "f", "1"), call('{"b":', "g", "2", index=1), call("1}", index=2), *CALLS_END],
        {"complete": [False, False, False]},
    ),
    "two heads, and the tails drift": (
        [
            call("", "f", "1"),
            call("", "g", "2", index=1),
            call('{"a":1}', index=1),
            call('{"b":2}', index=2),
            *CALLS_END,
        ],
        {"complete": [False, False, False]},
    ),
    "two names at one index": ([call('{"a":1}', "f"), call('{"b":2}', "g"), *CALLS_END], TWO),
    "in pieces": ([call('{"a":', "f"), call("1}"), call("", "g"), call('{"b":'), call("2}"), *CALLS_END], TWO),
    "behind arguments that were cut": (
        [call('{"a":', "f"), call("1}", "g"), *CALLS_END],
        {"tools": [("f", '{"a":'), ("g", "1}")], "complete": [False, False]},
    ),
    "one name, other arguments": (
        [call('{"a":1}', "f"), call('{"a":2}', "f"), call('{"a":3}', "f"), call('{"a":4}', "f"), *CALLS_END],
        {"tools": [("f", f'{{"a":{n}}}') for n in (1, 2, 3, 4)], "complete": [True] * 4},
    ),
    "no index at all": ([call('{"a":1}', "f", index=None), call('{"b":2}', "g", index=None), *CALLS_END], TWO),
    "the same call twice, which may be one": (
        [call('{"a":1}', "f"), call('{"a":1}', "f"), *CALLS_END],
        {"tools": [("f", '{"a":1}{"a":1}')], "complete": [False]},
    ),
    "whole arguments twice, without a name": (
        [call('{"a":1}', "f"), call('{"a":2}'), *CALLS_END],
        {"complete": [False]},
    ),
    "a name in pieces": (
        [call("", "edit_ex", "1"), call("", "isting_file"), call("{}"), *CALLS_END],
        {"tools": [("edit_existing_file", "{}")], "complete": [True]},
    ),
    "a name that grows": ([call("", "f_"), call("", "f_g"), call("{}"), *CALLS_END], {"tools": [("f_g", "{}")]}),
    "a legacy call": (
        [chat(function_call={"name": "f"}), chat(function_call={"arguments": '{"a":1}'}), *CALLS_END],
        ONE,
    ),
    "an object that opens": ([call({}, "f", "1"), call('{"a":1}'), *CALLS_END], ONE),
    "an object that opens, then pieces": ([call({}, "f", "1"), call('{"a"'), call(":1}"), *CALLS_END], ONE),
    "a text that opens": ([call("{}", "f", "1"), call('{"a":1}'), *CALLS_END], ONE),
    "Snowflake": (
        [snowflake(tool_use_id="1", name="f", input=""), snowflake(input='{"a":'), snowflake(input="1}"), *CALLS_END],
        ONE,
    ),
    "Snowflake, two": (
        [
            *[snowflake(tool_use_id="1", name="f"), snowflake(tool_use_id="1", input='{"a":1}')],
            *[snowflake(tool_use_id="2", name="g"), snowflake(tool_use_id="2", input='{"b":2}')],
            *CALLS_END,
        ],
        TWO,
    ),
    "Snowflake, in a list": (
        [
            {
                "choices": [
                    {"delta": {"content": "", "content_list": [{"tool_use_id": "1", "name": "f", "input": '{"a":'}]}}
                ]
            },
            {"choices": [{"delta": {"content_list": [{"type": "tool_use", "tool_use": {"input": "1}"}}]}}]},
            *CALLS_END,
        ],
        ONE,
    ),
    "Responses, the tail at the end": ([item("added"), piece('{"a":'), settled('{"a":1}'), completed()], ONE),
    "the tail in the item": ([item("added"), piece('{"a":'), item("done", '{"a":1}'), completed()], ONE),
    "an item without them": ([item("added"), piece('{"a":1}'), item("done", None), completed()], ONE),
    "all at the end": ([item("added"), settled('{"a":1}'), item("done", '{"a":1}'), completed()], ONE),
    "only in the response": ([completed(output=[item("done", '{"a":1}')["item"]])], ONE),
    "an index that drifts, and an id that does not": ([item("added"), piece('{"a":1}', index=1), completed()], ONE),
    "an index that drifts without an id": (
        [item("added"), piece('{"a":', index=1, id=""), piece("1}", index=1), completed()],
        ONE,
    ),
    "two at one index of the output": (
        [
            *[item("added"), piece('{"a":1}'), item("done", '{"a":1}')],
            *[item("added", id="d", name="g"), piece('{"b":2}'), item("done", '{"b":2}', id="d", name="g")],
            completed(),
        ],
        TWO,
    ),
    "two at one index, without ids": (
        [
            *[item("added", id=None), piece('{"a":1}'), settled('{"a":1}')],
            *[item("added", id=None, name="g"), piece('{"b":2}'), settled('{"b":2}')],
            completed(),
        ],
        TWO,
    ),
    "Anthropic's index drifts": ([tool(), json_piece('{"a":', 1), json_piece("1}", 1), block_stop(0), *USES], ONE),
    "for two in a row": (
        [
            *[tool(), json_piece('{"a":1}', 1), block_stop(1)],
            *[tool(1, "g"), json_piece('{"b":2}', 2), block_stop(2)],
            *USES,
        ],
        TWO,
    ),
    "Anthropic's two at one index": (
        [tool(), json_piece('{"a":1}'), block_stop(), tool(0, "g"), json_piece('{"b":2}'), block_stop(), *USES],
        TWO,
    ),
    "Cohere's two at once": (
        [
            *[cohere_call("start", name="f"), cohere_call("start", 1, name="g")],
            *[cohere_call("delta", 0, '{"a":1}'), cohere_call("delta", 1, '{"b":2}')],
            *[cohere_call("end", 0), cohere_call("end", 1), ENDS],
        ],
        TWO,
    ),
    "Cohere's object that opens": (
        [cohere_call("start", 0, {}, name="f"), cohere_call("delta", 0, '{"a":1}'), cohere_call("end"), ENDS],
        ONE,
    ),
    "Cohere repeats the name": (
        [cohere_call("start", name="f"), cohere_call("delta", 0, '{"a":1}', name="f"), cohere_call("end"), ENDS],
        ONE,
    ),
}

HEALTHY_CALLS: dict[str, Case] = {
    "two calls side by side": (
        [call("", "f", "1"), call("", "g", "2", index=1), call('{"a":1}'), call('{"b":2}', index=1), *CALLS_END],
        TWO,
    ),
    "the name in each piece": ([call('{"a":', "f", "1"), call("1}", "f"), *CALLS_END], ONE),
    "the name and the id in each piece": ([call('{"a":', "f", "1"), call("1}", "f", "1"), *CALLS_END], ONE),
    "objects within, and the name in each piece": (
        [call('{"a":', "f"), call('{"b":', "f"), call("{}", "f"), call("}}", "f"), *CALLS_END],
        {"tools": [("f", '{"a":{"b":{}}}')], "complete": [True]},
    ),
    "an empty object and nothing more": (
        [call({}, "f", "1"), *CALLS_END],
        {"tools": [("f", "{}")], "complete": [True]},
    ),
    "no arguments": ([call(None, "f", "1"), *CALLS_END], {"tools": [("f", "")], "complete": [True]}),
    "ids tell them apart": ([call('{"a":1}', "f", "1"), call('{"b":2}', "g", "2"), *CALLS_END], TWO),
    "an id that comes late": ([call("", "f"), call('{"a":1}', None, "1"), *CALLS_END], ONE),
    "a call that is cut": ([call('{"a":', "f", "1")], {"tools": [("f", '{"a":')], "complete": [False]}),
    "Responses, in order": (
        [item("added"), piece('{"a":'), piece("1}"), settled('{"a":1}'), item("done", '{"a":1}'), completed()],
        ONE,
    ),
    "another id in each event": ([item("added"), piece('{"a":', id="x"), piece("1}", id="y"), completed()], ONE),
    "Anthropic, without arguments": ([tool(), block_stop(), *USES], {"tools": [("f", "{}")], "complete": [True]}),
    "Anthropic's input at the start": ([tool(a=1), block_stop(), *USES], ONE),
    "Cohere, without arguments": (
        [cohere_call("start", 0, {}, name="f"), cohere_call("end"), ENDS],
        {"tools": [("f", "{}")], "complete": [True]},
    ),
}


@each(CALLS)
def test_calls_are_told_apart_and_put_together_or_reported_as_incomplete(case: Case) -> None:
    check(case)


@each(HEALTHY_CALLS)
def test_calls_of_healthy_streams_stay_as_they_are(case: Case) -> None:
    check(case)


def test_a_conversion_whose_arguments_turn_out_to_be_others_ends_with_an_error_and_not_as_a_whole_answer() -> None:
    output = converted(spelt([item("added"), piece('{"a":3}'), settled('{"a":123}'), completed()]))
    assert b"[DONE]" not in output
    assert b'"tool_calls"}' not in output
    assert json.loads(output.decode().rstrip().rpartition("data: ")[2])["error"]["code"] == "upstream-error"
    same = converted(spelt([item("added"), piece('{"a": 3}'), settled('{"a":3}'), completed()]))
    assert same.endswith(b"data: [DONE]\n\n")


# Texts that stand whole in a closing event


def part_done(text: Any, index: int = 0, part: int = 0) -> dict[str, Any]:
    return responses("output_text.done", item_id="m", output_index=index, content_index=part, text=text)


def message_done(*texts: str, index: int = 0) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text} for text in texts]
    return responses("output_item.done", output_index=index, item={"type": "message", "id": "m", "content": content})


def thought(text: str, index: int = 0, part: int = 0) -> dict[str, Any]:
    return responses("reasoning_summary_text.delta", item_id="r", output_index=index, summary_index=part, delta=text)


def thought_done(*texts: str, index: int = 0) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text} for text in texts]
    return responses("output_item.done", output_index=index, item={"type": "reasoning", "id": "r", "summary": summary})


def at(text: str, index: int, part: int = 0) -> dict[str, Any]:
    return {**said(text), "output_index": index, "content_index": part}


HELLO = {"text": "Hello", **COMPLETE}
CLOSED: dict[str, Case] = {
    "the tail": ([said("Hel"), part_done("Hello"), message_done("Hello"), completed()], HELLO),
    "the tail in the item": ([said("Hel"), message_done("Hello"), completed()], HELLO),
    "the tail in the part": (
        [
            said("Hel"),
            responses(
                "content_part.done", output_index=0, content_index=0, part={"type": "output_text", "text": "Hello"}
            ),
            completed(),
        ],
        HELLO,
    ),
    "all of it": ([part_done("Hello"), message_done("Hello"), completed()], HELLO),
    "all of it in the item": ([message_done("Hello"), completed()], HELLO),
    "all of it in the response": ([completed(output=[message_done("Hello")["item"]])], HELLO),
    "after many pieces": ([*map(said, "Hell"), part_done("Hello"), completed()], HELLO),
    "the tail of the second part": (
        [at("Hel", 0), part_done("Hel"), at("l", 0, 1), part_done("lo", 0, 1), message_done("Hel", "lo"), completed()],
        HELLO,
    ),
    "the second part has no pieces": ([at("Hel", 0), part_done("Hel"), message_done("Hel", "lo"), completed()], HELLO),
    "the second message has none": (
        [at("Hel", 0), message_done("Hel"), message_done("lo", index=2), completed()],
        HELLO,
    ),
    "a part with another number at its end": ([at("Hel", 0), message_done("Hello", index=1), completed()], HELLO),
    "a refusal": (
        [
            responses("refusal.delta", output_index=0, content_index=0, delta="N"),
            responses("refusal.done", output_index=0, content_index=0, refusal="No"),
            completed(),
        ],
        {"refusal": "No"},
    ),
    "a summary": ([thought("H"), thought_done("Hm"), at("Hello", 1), completed()], {**HELLO, "reasoning": "Hm"}),
    "all of a summary": ([thought_done("H", "m"), at("Hello", 1), completed()], {**HELLO, "reasoning": "Hm"}),
    "half of a surrogate": (
        [said("a\ud83d"), part_done("a\U0001f600b"), completed()],
        {**COMPLETE, "text": "a\U0001f600b"},
    ),
    "TGI": ([token("Hel"), token("l", generated_text="Hello", details={"finish_reason": "length"})], HELLO),
    "Cohere, the first version": (
        [
            {"event_type": "text-generation", "is_finished": False, "text": "Hel"},
            {
                "event_type": "stream-end",
                "is_finished": True,
                "finish_reason": "COMPLETE",
                "response": {"text": "Hello"},
            },
        ],
        HELLO,
    ),
}

CLOSED_ALREADY: dict[str, Case] = {
    "everything agrees": (
        [
            said("Hel"),
            said("lo"),
            part_done("Hello"),
            message_done("Hello"),
            completed(output=[message_done("Hello")["item"]]),
        ],
        HELLO,
    ),
    "two messages with the same text": (
        [
            at("ha", 0),
            part_done("ha"),
            message_done("ha"),
            at("ha", 1),
            part_done("ha", 1),
            message_done("ha", index=1),
            completed(),
        ],
        {"text": "haha"},
    ),
    "two parts by turns": (
        [at("a", 0), at("b", 0, 1), at("c", 0), part_done("ac"), part_done("b", 0, 1), completed()],
        {"text": "abc"},
    ),
    "the end is shorter": ([said("Hello"), part_done("Hell"), completed()], HELLO),
    "the end is another": ([said("Hello"), part_done("Good morning"), completed()], HELLO),
    "reasoning that is repeated as a summary": (
        [
            responses("reasoning_text.delta", output_index=0, content_index=0, delta="Hm"),
            responses("reasoning_text.done", output_index=0, content_index=0, text="Hm"),
            thought_done("Hm"),
            at("Hello", 1),
            completed(),
        ],
        {**HELLO, "reasoning": "Hm"},
    ),
    "TGI with the prompt": ([token("lo"), token("", generated_text="Hello")], {"text": "lo"}),
}


@each(CLOSED)
def test_a_closing_event_adds_what_no_piece_brought(case: Case) -> None:
    check(case)


@each(CLOSED_ALREADY)
def test_a_closing_event_says_nothing_twice(case: Case) -> None:
    check(case)


def test_a_name_in_each_of_many_pieces_takes_linear_time() -> None:
    pieces = [call('{"a":[', "f"), *[call("{},{}", "f")] * 20_000]
    report = read([spelt(pieces)])
    assert [len(told["arguments"]) for told in report.tool_calls] == [6 + 5 * 20_000]
