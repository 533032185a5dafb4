"""Whole answers of language models in each provider's dialect, made from known text, tool calls and usage.

The form follows recorded streams of the providers, not the code that reads them. Every conversation is canonical (LF,
one space after the colon, only necessary escapes), so that a repairer must forward it byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .spelling import Payload, Spelling
from .spellings import SPELLINGS

Frame = Callable[[str | None, Any], bytes]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call; `arguments` is a JSON object as text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says: pieces of text and of reasoning, tool calls, and the number of tokens used."""

    text: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    tools: tuple[ToolCall, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Conversation:
    """An answer as one dialect streams it.

    `frames` are whole events, or lines, in order; the last one ends the answer. The other fields are what a reader must
    find in it: None where the dialect does not say.
    """

    dialect: str
    frames: tuple[bytes, ...]
    text: str
    reasoning: str
    tools: tuple[ToolCall, ...]
    finish_reason: str | None
    input_tokens: int | None
    output_tokens: int | None

    @property
    def data(self) -> bytes:
        """The whole stream."""
        return b"".join(self.frames)

    @property
    def is_sse(self) -> bool:
        """Whether it is an event stream; else it is NDJSON."""
        spelling = SPELLINGS.get(self.dialect)
        return self.dialect != "ollama" if spelling is None else spelling.is_sse

    @property
    def is_prose(self) -> bool:
        """Whether the text stands in events as it is, and not in JSON."""
        return self.dialect in SPELLINGS and SPELLINGS[self.dialect].is_prose


def spell(dialect: str, answer: Answer) -> Conversation:
    """Return this answer as the dialect streams it. Raises `ValueError` for a dialect that is not among `DIALECTS`.

    What a dialect cannot express (legacy completions have no tool calls) is left out of the conversation too.
    """
    if dialect not in _SPELLERS:
        raise ValueError(f"dialect must be one of {', '.join(DIALECTS)}, not {dialect!r}")
    says, reason, spell_in = _SPELLERS[dialect]
    is_prose = dialect in SPELLINGS and SPELLINGS[dialect].is_prose
    expressible = Answer(
        tuple(map(_one_kind_of_lines, answer.text)) if is_prose else answer.text,
        answer.reasoning if "reasoning" in says else (),
        answer.tools if "tools" in says else (),
        answer.input_tokens,
        answer.output_tokens,
    )
    return Conversation(
        dialect=dialect,
        frames=tuple(spell_in(expressible)),
        text="".join(expressible.text),
        reasoning="".join(expressible.reasoning),
        tools=expressible.tools,
        finish_reason=reason,
        input_tokens=expressible.input_tokens if "input" in says else None,
        output_tokens=expressible.output_tokens if "output" in says else None,
    )


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Unescaped, these three split lines in many readers; the canonical form escapes them.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")


def _sse(value: Any, name: str | None = None) -> bytes:
    data = value if isinstance(value, str) else _json(value)
    return (f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode()


def _prose(name: str, text: str, id: str) -> bytes:
    """Return an event whose payload is this text, each line of it a `data:` line."""
    lines = "".join(f"data: {line}\n" for line in _one_kind_of_lines(text).split("\n"))
    return f"id: {id}\nevent: {name}\n{lines}\n".encode()


def _one_kind_of_lines(text: str) -> str:
    """Return a text with the line ends that an event can spell."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _line(value: Any) -> bytes:
    return _json(value).encode() + b"\n"


def _halves(text: str) -> Iterator[str]:
    """Yield the text in two halves, as providers stream arguments in pieces."""
    middle = len(text) // 2
    yield text[:middle]
    yield text[middle:]


def _openai_chat(answer: Answer) -> Iterator[bytes]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1763683200, "model": "m"}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return _sse({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield chunk({"role": "assistant", "content": ""})
    for piece in answer.reasoning:
        yield chunk({"reasoning_content": piece})
    for piece in answer.text:
        yield chunk({"content": piece})
    for index, tool in enumerate(answer.tools):
        function = {"name": tool.name, "arguments": ""}
        yield chunk({"tool_calls": [{"index": index, "id": tool.id, "type": "function", "function": function}]})
        for piece in _halves(tool.arguments):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, "stop")
    usage = {"prompt_tokens": answer.input_tokens, "completion_tokens": answer.output_tokens}
    total = answer.input_tokens + answer.output_tokens
    yield _sse({**head, "choices": [], "usage": {**usage, "total_tokens": total}})
    yield _sse("[DONE]")


def _openai_completions(answer: Answer) -> Iterator[bytes]:
    head = {"id": "cmpl-1", "object": "text_completion", "created": 1763683200, "model": "m"}
    for piece in answer.text:
        yield _sse({**head, "choices": [{"text": piece, "index": 0, "logprobs": None, "finish_reason": None}]})
    yield _sse({**head, "choices": [{"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"}]})
    yield _sse("[DONE]")


def _openai_responses(answer: Answer) -> Iterator[bytes]:
    numbers = iter(range(10**9))

    def event(type: str, **body: Any) -> bytes:
        name = f"response.{type}"
        return _sse({"type": name, **body, "sequence_number": next(numbers)}, name)

    response = {"id": "resp_1", "object": "response", "created_at": 1763683200, "model": "m"}
    yield event("created", response={**response, "status": "in_progress", "output": [], "usage": None})
    yield event("in_progress", response={**response, "status": "in_progress", "output": [], "usage": None})
    item = {"id": "rs_1", "type": "reasoning", "summary": []}
    yield event("output_item.added", output_index=0, item=item)
    for piece in answer.reasoning:
        yield event("reasoning_summary_text.delta", item_id="rs_1", output_index=0, summary_index=0, delta=piece)
    yield event("output_item.done", output_index=0, item=item)
    message = {"id": "msg_1", "type": "message", "status": "in_progress", "content": [], "role": "assistant"}
    yield event("output_item.added", output_index=1, item=message)
    for piece in answer.text:
        yield event("output_text.delta", item_id="msg_1", output_index=1, content_index=0, delta=piece, logprobs=[])
    yield event("output_text.done", item_id="msg_1", output_index=1, content_index=0, text="".join(answer.text))
    for index, tool in enumerate(answer.tools, start=2):
        call = {"id": f"fc_{index}", "type": "function_call", "call_id": tool.id, "name": tool.name, "arguments": ""}
        yield event("output_item.added", output_index=index, item=call)
        for piece in _halves(tool.arguments):
            yield event("function_call_arguments.delta", item_id=call["id"], output_index=index, delta=piece)
        yield event("function_call_arguments.done", item_id=call["id"], output_index=index, arguments=tool.arguments)
        yield event("output_item.done", output_index=index, item={**call, "arguments": tool.arguments})
    usage = {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens}
    total = answer.input_tokens + answer.output_tokens
    yield event("completed", response={**response, "status": "completed", "usage": {**usage, "total_tokens": total}})


def _anthropic(answer: Answer) -> Iterator[bytes]:
    def event(type: str, **body: Any) -> bytes:
        return _sse({"type": type, **body}, type)

    blocks = iter(range(10**9))

    def block(content: dict[str, Any], deltas: Iterator[dict[str, Any]]) -> Iterator[bytes]:
        index = next(blocks)
        yield event("content_block_start", index=index, content_block=content)
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)

    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    usage = {"input_tokens": answer.input_tokens, "output_tokens": 1}
    yield event("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage})
    yield event("ping")
    if answer.reasoning:
        thoughts = ({"type": "thinking_delta", "thinking": piece} for piece in answer.reasoning)
        yield from block({"type": "thinking", "thinking": "", "signature": ""}, thoughts)
    yield from block({"type": "text", "text": ""}, ({"type": "text_delta", "text": piece} for piece in answer.text))
    for tool in answer.tools:
        pieces = ({"type": "input_json_delta", "partial_json": piece} for piece in _halves(tool.arguments))
        yield from block({"type": "tool_use", "id": tool.id, "name": tool.name, "input": {}}, pieces)
    yield event(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"output_tokens": max(1, answer.output_tokens)},
    )
    yield event("message_stop")


def _gemini(answer: Answer) -> Iterator[bytes]:
    def response(part: dict[str, Any], **more: Any) -> bytes:
        candidate = {"content": {"parts": [part], "role": "model"}, **more, "index": 0}
        return _sse({"candidates": [candidate], "modelVersion": "m", "responseId": "r"})

    for piece in answer.reasoning:
        yield response({"text": piece, "thought": True})
    for piece in answer.text:
        yield response({"text": piece})
    for tool in answer.tools:
        yield response({"functionCall": {"id": tool.id, "name": tool.name, "args": json.loads(tool.arguments)}})
    total = answer.input_tokens + answer.output_tokens
    usage = {"promptTokenCount": answer.input_tokens, "candidatesTokenCount": answer.output_tokens}
    candidate = {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "STOP", "index": 0}
    yield _sse({"candidates": [candidate], "usageMetadata": {**usage, "totalTokenCount": total}, "modelVersion": "m"})


def _ollama(answer: Answer) -> Iterator[bytes]:
    def line(message: dict[str, Any], **more: Any) -> bytes:
        head = {"model": "m", "created_at": "2025-11-21T00:00:00Z"}
        return _line({**head, "message": {"role": "assistant", "content": "", **message}, "done": False, **more})

    for piece in answer.reasoning:
        yield line({"thinking": piece})
    for piece in answer.text:
        yield line({"content": piece})
    for tool in answer.tools:
        function = {"name": tool.name, "arguments": json.loads(tool.arguments)}
        yield line({"tool_calls": [{"id": tool.id, "function": function}]})
    counts = {"prompt_eval_count": answer.input_tokens, "eval_count": answer.output_tokens}
    yield line({}, done=True, done_reason="stop", **counts)


def _cohere(answer: Answer) -> Iterator[bytes]:
    def event(type: str, message: dict[str, Any] | None = None, index: int | None = None, **more: Any) -> bytes:
        body: dict[str, Any] = {"type": type, **more}
        if index is not None:
            body["index"] = index
        if message is not None:
            body["delta"] = {"message": message}
        return _sse(body, type)

    yield event("message-start", {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}, id="c")
    for piece in answer.reasoning:
        yield event("content-delta", {"content": {"thinking": piece}}, 0)
    yield event("content-start", {"content": {"type": "text", "text": ""}}, 1)
    for piece in answer.text:
        yield event("content-delta", {"content": {"text": piece}}, 1)
    yield event("content-end", index=1)
    for index, tool in enumerate(answer.tools):
        function = {"name": tool.name, "arguments": ""}
        yield event("tool-call-start", {"tool_calls": {"id": tool.id, "type": "function", "function": function}}, index)
        for piece in _halves(tool.arguments):
            yield event("tool-call-delta", {"tool_calls": {"function": {"arguments": piece}}}, index)
        yield event("tool-call-end", index=index)
    tokens = {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens}
    end = {"finish_reason": "COMPLETE", "usage": {"billed_units": tokens, "tokens": tokens}}
    yield _sse({"type": "message-end", "delta": end}, "message-end")


def _tgi(answer: Answer) -> Iterator[bytes]:
    for index, piece in enumerate(answer.text):
        token = {"id": index, "text": piece, "logprob": -0.5, "special": False}
        yield _sse({"index": index, "token": token, "generated_text": None, "details": None})
    details = {"finish_reason": "eos_token", "generated_tokens": answer.output_tokens}
    token = {"id": 2, "text": "</s>", "logprob": -0.5, "special": True}
    yield _sse({"index": 0, "token": token, "generated_text": "".join(answer.text), "details": details})


def _vocabulary(answer: Answer) -> Iterator[bytes]:
    for piece in answer.text:
        yield _sse({"text": piece}, "delta")
    yield _sse({}, "done")


def _declared(spelling: Spelling) -> Callable[[Answer], Iterator[bytes]]:
    """Return what spells an answer by a table of payloads."""

    def frame(payload: Payload) -> bytes:
        if not spelling.is_sse:
            return _line(payload)
        if isinstance(payload, tuple) and len(payload) == 3:
            return _prose(*payload)
        return _sse(payload[1], payload[0]) if isinstance(payload, tuple) else _sse(payload)

    return lambda answer: map(frame, spelling.payloads(answer))


_ALL = ("reasoning", "tools", "input", "output")
_SPELLERS: dict[str, tuple[tuple[str, ...], str | None, Callable[[Answer], Iterator[bytes]]]] = {
    "openai-chat": (_ALL, "stop", _openai_chat),
    "openai-completions": ((), "stop", _openai_completions),
    "openai-responses": (_ALL, "completed", _openai_responses),
    "anthropic": (_ALL, "end_turn", _anthropic),
    "gemini": (_ALL, "STOP", _gemini),
    "ollama": (_ALL, "stop", _ollama),
    "cohere": (_ALL, "COMPLETE", _cohere),
    "tgi": (("output",), "eos_token", _tgi),
    "vocabulary": ((), None, _vocabulary),
    **{name: (spelling.says, spelling.reason, _declared(spelling)) for name, spelling in SPELLINGS.items()},
}

DIALECTS = tuple(_SPELLERS)
"""The dialects in which an answer can be streamed."""
