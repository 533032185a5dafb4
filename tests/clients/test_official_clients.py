"""Official clients as judges: what they read from a repaired stream is what the report says, on every capture.

Real clients at their current version; only the transport is local.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

import anthropic
import httpx2
import ollama
import openai
import pytest

from tests.captures import body, chosen, manifest, needs_captures
from tests.clients.judges import JUDGES, MESSAGES, client_of_openai, openai_chat
from tests.clients.odd_streams import BEGIN, END, PAGE, Odd, before_and_after, odd_streams, table
from tests.fences import ROOT, fences
from unbroken import Attempt, Retry, StreamRepairer, StreamReport, Verdict, repair, retrying
from unbroken.testing import Answer, ToolCall
from unbroken.testing.conversations import spell
from unbroken.testing.cuts import cut
from unbroken.testing.server import ScriptedServer, chunked, head

# The bodies on which the client itself errs: what it reads, or raises, is its own doing.
CLIENT_ERRS = {
    "hf-tgi/api-inference-hf-models-mistralai-mistral-7b-instruct-v0-2-stream-73a3db16.bin": (
        "the server numbers its tokens where the choice is numbered, and the client reads choice 0, which has none"
    ),
    "mistral/mistral-reasoning-d6e3de8d.bin": "content is a list of parts, which the client hands on where text is due",
    "mistral/mistral-v1-chat-completions-post-ccfa08da-d8102bea.bin": (
        "content is a list of parts, which the client hands on where text is due"
    ),
    "synthetic/openai/chatcompletionkeepalive-4a00aec2.bin": (
        'a `{"type": "keepalive"}` becomes a chunk whose choices are None; `comments="drop"` takes it away'
    ),
    "synthetic/openai/chatcompletionping-e6333fab.bin": (
        'a `{"type": "ping"}` becomes a chunk whose choices are None; `comments="drop"` takes it away'
    ),
    "synthetic/openai/wrong-response-formatar-f82497dc.bin": (
        "a block of an event name and fields of unknown names is legal and empty; the client parses its absent data"
    ),
}

PINGS = ("synthetic/openai/chatcompletionkeepalive-4a00aec2.bin", "synthetic/openai/chatcompletionping-e6333fab.bin")
VERSION_1 = "cohere/test-cohere-provider-4e58c6b4.bin"  # which the official client does not speak any more
FAILURES = (Verdict.FAILED, Verdict.TRUNCATED)


def entry_of(file: str) -> dict[str, Any]:
    return next(entry for entry in manifest() if entry["file"] == file)


def judge_of(entry: dict[str, Any]) -> str | None:
    """Name the client that speaks a body's dialect; bodies that are errors alone are read as chat streams."""
    if entry["file"] == VERSION_1 or entry["format"] == "json":
        return None
    if entry["api"] != "other":
        return entry["api"] if entry["api"] in JUDGES else None
    if entry.get("sub_api") in ("err", "text") and "gemini" not in entry["file"]:
        return "openai-chat"
    return entry["sub_api"] if entry.get("sub_api") in JUDGES else None


def repaired(file: str, **options: Any) -> tuple[bytes, StreamReport]:
    data = body(file)
    chunks = cut(data, sorted(random.Random(file).choices(range(len(data) + 1), k=8)))
    stream = repair(chunks, heartbeat=None, timeouts=None, content_type=entry_of(file).get("content_type"), **options)
    return b"".join(stream), stream.report


def errs(file: str, **options: Any) -> list[str]:
    """Say in what the client that reads the repaired bytes differs from the report."""
    judge = judge_of(entry_of(file))
    assert judge is not None
    output, report = repaired(file, **options)
    judgement = JUDGES[judge](output)
    found = []
    if judgement.text != report.text:
        found.append(f"text: {judgement.text[:60]!r}, not {report.text[:60]!r}")
    if (judgement.error is not None) != (report.verdict in FAILURES):
        found.append(f"{report.verdict.value}, and the client raised {judgement.error!r}")
    return found


@needs_captures
@pytest.mark.parametrize("file", chosen(lambda entry: judge_of(entry) is not None))
def test_the_client_reads_what_we_read_and_raises_exactly_where_a_stream_failed(file: str) -> None:
    assert bool(errs(file)) == (file in CLIENT_ERRS), errs(file)


@needs_captures
@pytest.mark.parametrize("file", PINGS)
def test_without_pings_the_client_reads_what_it_failed_on(file: str) -> None:
    assert errs(file, comments="drop") == []


def test_the_list_of_bodies_on_which_clients_err_is_short() -> None:
    assert len(CLIENT_ERRS) <= 20


@needs_captures
def test_the_clients_judge_every_capture_of_their_dialects() -> None:
    judged = [judge_of(entry) for entry in manifest()]
    assert {name: judged.count(name) for name in JUDGES} == {
        "openai-chat": 198,
        "openai-completions": 3,
        "openai-responses": 63,
        "anthropic": 48,
        "ollama-chat": 13,
        "ollama-generate": 3,
        "cohere": 5,
    }


# Converted

SOURCES = ("anthropic", "openai-responses", "gemini-sse", "gemini-array", "ollama-chat", "ollama-generate", "cohere")


@needs_captures
@pytest.mark.parametrize("file", chosen(lambda entry: entry["api"] in SOURCES))
def test_a_converted_stream_gives_the_openai_client_the_same_text_calls_and_usage(file: str) -> None:
    output, report = repaired(file, convert="openai-chat")
    judgement = openai_chat(output)
    assert (judgement.error is not None) == (report.verdict in FAILURES), judgement.error
    assert (judgement.text, judgement.reasoning) == (report.text, report.reasoning)
    theirs = [(call["name"] or "", call["arguments"]) for call in report.tool_calls if call["kind"] != "hosted"]
    assert judgement.tools == theirs
    if report.verdict is Verdict.COMPLETE and report.usage:
        usage = report.usage
        apart = sum(usage.get(name, 0) for name in ("cache_read_tokens", "cache_write_tokens"))
        assert judgement.usage["prompt_tokens"] == usage.get("input_tokens", 0) + apart
        assert judgement.usage["completion_tokens"] == usage.get("output_tokens", 0) + usage.get("thought_tokens", 0)


VOCABULARY = (
    b'event: start\ndata: {"id": 7}\n\nevent: delta\ndata: {"text": "Hel"}\n\nevent: delta\ndata: {"text": "lo"}\n\n'
    b"event: done\ndata: {}\n\n"
)


def test_a_plain_vocabulary_gives_the_openai_client_its_text() -> None:
    output = b"".join(repair([VOCABULARY], dialect="vocabulary", convert="openai-chat", heartbeat=None))
    judgement = openai_chat(output)
    assert (judgement.text, judgement.finish, judgement.error) == ("Hello", "stop", None)


# Our error frames, as the clients that they are written for take them

CUT = {
    "openai-chat": b'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n',
    "openai-completions": b'data: {"object":"text_completion","choices":[{"index":0,"text":"Hel"}]}\n\n',
    "openai-responses": (
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"i","output_index":0,'
        b'"content_index":0,"delta":"Hel","sequence_number":4,"logprobs":[]}\n\n'
    ),
    "anthropic": (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"Hel"}}\n\n'
    ),
    "ollama-chat": b'{"model":"m","message":{"role":"assistant","content":"Hel"},"done":false}\n',
    "ollama-generate": b'{"model":"m","response":"Hel","done":false}\n',
    "cohere": (
        b'event: content-delta\ndata: {"type":"content-delta","index":0,'
        b'"delta":{"message":{"content":{"text":"Hel"}}}}\n\n'
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_the_client_raises_our_sentence_after_the_text_that_came(name: str) -> None:
    judgement = JUDGES[name](b"".join(repair([CUT[name]], heartbeat=None)))
    assert judgement.text == "Hel"
    assert "The stream ended before it was complete." in str(judgement.error)


def test_the_openai_client_raises_at_the_frame_for_codex_and_at_upstreams_own_flat_error() -> None:
    for told, words in (
        (CUT["openai-responses"], "The stream ended before it was complete."),
        (CUT["openai-responses"] + b'data: {"type":"error","message":"on fire","sequence_number":5}\n\n', "on fire"),
    ):
        judgement = JUDGES["openai-responses"](b"".join(repair([told], dialect="codex", heartbeat=None)))
        assert judgement.text == "Hel"
        assert isinstance(judgement.error, openai.APIError)
        assert words in str(judgement.error)


@pytest.mark.parametrize("name", CUT)
def test_heartbeats_between_events_change_nothing_for_the_client(name: str) -> None:
    repairer = StreamRepairer(heartbeat=1.0, timeouts=None)
    output = repairer.feed(CUT[name], 0.0) + repairer.on_deadline(1.5) + repairer.feed(CUT[name], 2.0)
    output += repairer.on_deadline(3.5)
    assert repairer.report.heartbeats == 2
    assert JUDGES[name](b"".join(output + repairer.close(4.0))).text == "HelHel"


WHOLE = {
    "openai-chat": "openai-chat", "openai-completions": "openai-completions", "openai-responses": "openai-responses",
    "anthropic": "anthropic", "ollama-chat": "ollama", "cohere": "cohere",
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_heartbeats_that_are_events_change_nothing_between_any_two_frames(name: str) -> None:
    answer = Answer(("Hel", "lo", " you"), ("Hm", "m"), (ToolCall("call_1", "f", '{"a": 1}'),), 3, 4)
    frames = spell(WHOLE[name], answer).frames
    bare, beaten = JUDGES[name](b"".join(frames)), JUDGES[name](with_events_between(frames))
    assert beaten == bare
    assert beaten.text == "Hello you"
    assert beaten.error is None


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses"])
def test_nor_do_they_for_the_helpers_that_put_an_answer_together(dialect: str) -> None:
    calls = (ToolCall("call_1", "f", '{"a": 1}'),)
    frames = spell(dialect, Answer(("Hel", "lo"), (), calls, 3, 4)).frames if dialect == "openai-chat" else RESPONSE
    assert put_together(dialect, with_events_between(frames)) == put_together(dialect, b"".join(frames))


def with_events_between(frames: Sequence[bytes]) -> bytes:
    """Return an answer whose upstream is silent between any two frames."""
    repairer = StreamRepairer(heartbeat=1.0, heartbeat_as="event")
    output: list[bytes] = []
    for at, frame in enumerate(frames):
        output += [*repairer.on_deadline(at - 0.01), *repairer.feed(frame, float(at))]
    output += repairer.close(float(len(frames)))
    assert repairer.report.heartbeats >= len(frames) - 3
    return b"".join(output)


def _event(type: str, number: int, **body: Any) -> bytes:
    data = json.dumps({"type": f"response.{type}", "sequence_number": number, **body})
    return f"event: response.{type}\ndata: {data}\n\n".encode()


_PLACE: dict[str, Any] = {"item_id": "i", "output_index": 0, "content_index": 0}
_PART = {"type": "output_text", "text": "Hello", "annotations": []}
_ITEM: dict[str, Any] = {"id": "i", "type": "message", "role": "assistant", "status": "completed", "content": [_PART]}
_RESPONSE: dict[str, Any] = {
    "id": "r", "object": "response", "created_at": 1, "model": "m", "status": "in_progress", "output": [],
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
}  # fmt: skip
RESPONSE = [
    _event("created", 0, response=_RESPONSE),
    _event("output_item.added", 1, output_index=0, item={**_ITEM, "status": "in_progress", "content": []}),
    _event("content_part.added", 2, **_PLACE, part={**_PART, "text": ""}),
    _event("output_text.delta", 3, **_PLACE, delta="Hel", logprobs=[]),
    _event("output_text.delta", 4, **_PLACE, delta="lo", logprobs=[]),
    _event("output_text.done", 5, **_PLACE, text="Hello", logprobs=[]),
    _event("content_part.done", 6, **_PLACE, part=_PART),
    _event("output_item.done", 7, output_index=0, item=_ITEM),
    _event("completed", 8, response={**_RESPONSE, "status": "completed", "output": [_ITEM]}),
]


def put_together(dialect: str, body: bytes) -> Any:
    """Return text and calls that the official client's own helper puts together."""
    client = client_of_openai(body)
    if dialect == "openai-chat":
        with client.chat.completions.stream(model="m", messages=MESSAGES) as chat:
            message = chat.get_final_completion().choices[0].message
            return message.content, [(call.function.name, call.function.arguments) for call in message.tool_calls or ()]
    with client.responses.stream(model="m", input="Hello") as responses:
        answer = responses.get_final_response()
        return answer.output_text, [item.type for item in answer.output]


def _calling(*tools: dict[str, Any]) -> bytes:
    chunks = [{"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [tool]}}]} for tool in tools]
    end = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    base = {"object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"".join(b"data: %b\n\n" % json.dumps({**base, **chunk}).encode() for chunk in (*chunks, end))


def _tool(arguments: str, index: int | None = 0, id: str | None = None, name: str | None = None) -> dict[str, Any]:
    head = {"type": "function", "id": id} if id else {}
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    return {**({} if index is None else {"index": index}), **head, "function": function}


CALLS_AT_WRONG_PLACES = {
    "at one index": [_tool("", 0, "a", "f"), _tool('{"x": 1}'), _tool("", 0, "b", "g"), _tool("{}")],
    "at none": [_tool("", None, "a", "f"), _tool('{"x": 1}', None), _tool("{}", None, "b", "g")],
    "the head at 0, the tail at 1": [_tool('{"x"', 0, "a", "f"), _tool(": 1}", 1), _tool("{}", 1, "b", "g")],
}


@pytest.mark.parametrize("name", CALLS_AT_WRONG_PLACES)
def test_the_helper_puts_calls_together_whose_index_was_missing_or_wrong(name: str) -> None:
    bare = _calling(*CALLS_AT_WRONG_PLACES[name]) + b"data: [DONE]\n\n"
    expected = [("f", '{"x": 1}'), ("g", "{}")]
    output = b"".join(repair([bare], heartbeat=None))
    assert put_together("openai-chat", output) == (None, expected)
    assert JUDGES["openai-chat"](output).tools == expected
    try:
        as_it_came = put_together("openai-chat", bare)
    except (TypeError, AssertionError, RuntimeError, AttributeError, KeyError):
        return
    assert as_it_came != (None, expected)


@pytest.mark.parametrize("name", ["openai-chat", "anthropic", "ollama-chat"])
def test_an_answer_that_goes_on_with_another_one_is_one_message_to_the_client(name: str) -> None:
    """The first connection breaks behind each frame; the judge sees the text that was delivered, once, and the rest."""
    first = spell(WHOLE[name], Answer(("Hel", "lo"), (), (), 3, 4)).frames
    second = spell(WHOLE[name], Answer((" you",), (), (ToolCall("call_1", "f", '{"a": 1}'),), 3, 4)).frames
    gone_on = 0
    for at in range(1, len(first)):

        def connect(attempt: Attempt, at: int = at) -> Iterator[bytes]:
            yield from first[:at] if attempt.number == 1 else second
            if attempt.number == 1:
                raise ConnectionResetError

        with repair(retrying(connect, retry=Retry(base=0.0), continues=True), heartbeat=None) as stream:
            output = b"".join(stream)
        judgement = JUDGES[name](output)
        gone_on += bool(stream.report.seams)
        if stream.report.seams:
            assert judgement.error is None
            assert judgement.text == stream.report.text
            assert name == "anthropic" or [called for called, _ in judgement.tools] == ["f"]
            assert stream.report.text in ("Hel you", "Hello you")
        if stream.report.seams and name == "openai-chat":
            assert put_together(name, output) == (stream.report.text, [("f", '{"a": 1}')])
        if stream.report.seams and name == "anthropic":
            assert message_of(output) == [("text", stream.report.text), ("tool_use", {"a": 1})] or at > 5
    assert gone_on >= 2


def message_of(body: bytes) -> list[tuple[str, Any]]:
    """Return the blocks that Anthropic's own helper puts together."""
    answer = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)
    transport = httpx2.Client(transport=httpx2.MockTransport(lambda request: answer))
    client = anthropic.Anthropic(api_key="none", base_url="http://local", max_retries=0, http_client=transport)
    with client.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as stream:
        blocks = stream.get_final_message().content
    return [(block.type, block.text if block.type == "text" else block.input) for block in blocks]


def test_every_judge_is_put_before_an_error_frame() -> None:
    assert CUT.keys() == JUDGES.keys()
    assert all(
        json.loads(data.splitlines()[-1 if data.startswith(b"{") else -2].removeprefix(b"data: "))
        for data in CUT.values()
    )


# Odd streams

SEEN_BY_NO_CLIENT = {"event:error mid-stream"}  # an error event whose payload has no `error`: told in the report alone


@pytest.mark.parametrize("odd", odd_streams(), ids=lambda odd: f"{odd.client}: {odd.name}")
def test_an_odd_stream_gives_its_text_and_a_typed_error_or_none(odd: Odd) -> None:
    before, after, report = before_and_after(odd)
    assert after.error is None or isinstance(after.error, (openai.APIError, anthropic.APIError, ollama.ResponseError))
    assert "".join(after.texts) == report.text
    assert "".join(after.texts).startswith("".join(before.texts)) or b"\xef\xbb\xbf" in odd.chunks[0]
    fails = report.verdict in FAILURES
    assert (after.error is not None) == (fails and odd.name not in SEEN_BY_NO_CLIENT)


def rows(text: str) -> list[list[str]]:
    """Give the rows of a table, less what a client of another version may make of a stream as it comes."""
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| ")]
    return [row[:2] + row[3:] for row in cells]


def test_the_page_of_odd_streams_is_what_its_program_writes() -> None:
    written = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert rows(written) == rows(table()), "write it anew: python -m tests.clients.odd_streams"


# An SDK as the client of upstream


def test_the_client_of_the_page_reads_with_the_sdk_of_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    (fence,) = [it for it in fences(ROOT / "docs" / "how-to" / "clients.md") if "import openai" in it.text]
    body = b"".join(spell(WHOLE["openai-chat"], Answer(("Hel", "lo"), (), (), 3, 4)).frames)
    refusal = [head("429 Too Many Requests", Retry_After="7", Connection="close")]
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedServer(chunked([body]), refusal) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        page: dict[str, Any] = {}
        exec(fence.text, page)
        question = {"model": "m", "messages": MESSAGES}
        with page["client_of_openai"], page["with_openai"](question) as stream:
            assert b"".join(stream) == body
            assert (stream.report.verdict, stream.report.text) == (Verdict.COMPLETE, "Hello")
            with page["with_openai"](question) as refused:
                assert b'"rate-limited"' in b"".join(refused)
            assert refused.report.error is not None
            assert (refused.report.error.status_hint, refused.report.error.retry_after) == (429, 7.0)


def test_what_an_sdk_has_parsed_is_refused_with_the_fix() -> None:
    question: Any = {"model": "m", "messages": MESSAGES, "stream": True}
    body = b"".join(spell(WHOLE["openai-chat"], Answer(("Hi",), (), (), 3, 4)).frames)
    with client_of_openai(body) as client:
        chat = client.chat.completions
        for upstream in (
            lambda: chat.create(**question),
            lambda: (chunk for chunk in chat.create(**question)),
            lambda: chat.with_streaming_response.create(**question),
            lambda: chat.with_raw_response.create(**question),
        ):
            with pytest.raises(TypeError, match=r"pass the SDK's response, `create\(..., stream=True\).response`"):
                list(repair(upstream))
        assert b"".join(repair(lambda: chat.create(**question).response)) == body
