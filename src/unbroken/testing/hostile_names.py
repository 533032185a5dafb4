"""Streams whose every frame brings names that were not there before: ids, tools, events, items, choices, models.

What keeps one entry for each of them grows without bound. Each stream is a function from a number to a frame.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .cases import slug

_LONG = 3000
_HALF = 1200
"""Characters of a name, alone in its frame and beside another one. Each takes four bytes, here and in memory."""


@dataclass(frozen=True, slots=True)
class NameShape:
    """A stream of frames that differ in long names. `frame(number)` is one of them."""

    name: str
    frame: Callable[[int], bytes]

    @property
    def slug(self) -> str:
        """The name as a part of a test's name."""
        return slug(self.name)

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield about `size` bytes, a frame each, lazily."""
        done = number = 0
        while done < size:
            chunk = self.frame(number)
            yield chunk
            done += len(chunk)
            number += 1


def long_name(number: int, character: str = "\U0001f600", length: int = _LONG) -> str:
    """Return a name of this length, another one for each number."""
    return f"{number}".ljust(length, character)


def _id(number: int) -> str:
    return long_name(number, "\U0001f602", _HALF)


def _name(number: int) -> str:
    return long_name(number, "\U0001f601", _HALF)


def _sse(payload: Any, name: str = "") -> bytes:
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    return ((f"event: {name}\n" if name else "") + f"data: {text}\n\n").encode()


def _chat(delta: Any, index: int = 0, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return _sse({"object": "chat.completion.chunk", "choices": [choice], **more})


def _chat_call(number: int, **key: Any) -> bytes:
    function = {"name": _name(number), "arguments": "x" * 900}
    return _chat({"tool_calls": [{**key, "id": _id(number), "function": function}]})


def _response(type: str, **body: Any) -> bytes:
    return _sse({"type": f"response.{type}", **body}, f"response.{type}")


def _item(number: int, **more: Any) -> bytes:
    item = {"id": long_name(number, length=_HALF), "type": "function_call", "call_id": _id(number), **more}
    return _response("output_item.added", output_index=number, item=item)


def _anthropic(type: str, **body: Any) -> bytes:
    return _sse({"type": type, **body}, type)


def _gemini(part: Any, index: int = 0, **more: Any) -> bytes:
    return _sse({"candidates": [{"content": {"parts": [part], "role": "model"}, "index": index, **more}]})


def _ollama(message: Any, **more: Any) -> bytes:
    body = {"model": "m", "message": {"role": "assistant", "content": "", **message}, "done": False, **more}
    return json.dumps(body, ensure_ascii=False).encode() + b"\n"


def _cohere(type: str, message: Any, index: int) -> bytes:
    return _sse({"type": type, "index": index, "delta": {"message": message}}, type)


def _cohere_call(number: int) -> bytes:
    function = {"name": _name(number), "arguments": "x"}
    return _cohere("tool-call-start", {"tool_calls": {"id": _id(number), "function": function}}, number)


def _block(number: int) -> bytes:
    content = {"type": "tool_use", "id": _id(number), "name": _name(number), "input": {}}
    return _anthropic("content_block_start", index=number, content_block=content)


def _gemini_call(number: int) -> bytes:
    call = {"id": _id(number), "name": _name(number), "args": {"a": number}}
    return _gemini({"functionCall": call})


def _ollama_call(number: int) -> bytes:
    function = {"name": _name(number), "arguments": {"a": number}}
    return _ollama({"tool_calls": [{"id": _id(number), "function": function}]})


NAME_SHAPES: tuple[NameShape, ...] = (
    NameShape("event names", lambda number: _sse({"a": number}, long_name(number))),
    NameShape("event ids", lambda number: f"id: {long_name(number)}\n".encode() + _sse({"a": number})),
    NameShape("ids without data", lambda number: f"id: {long_name(number)}\n\n".encode()),
    NameShape("field names", lambda number: f"{'f' * 2000}{number}: x\n".encode() + _sse({"a": number})),
    NameShape("keys of payloads", lambda number: _sse({long_name(number): number})),
    NameShape("texts", lambda number: _chat({"content": long_name(number)})),
    NameShape("reasonings", lambda number: _chat({"reasoning_content": long_name(number)})),
    NameShape("chat tool calls by index", lambda number: _chat_call(number, index=number)),
    NameShape("chat tool calls by id", lambda number: _chat_call(number)),
    NameShape("chat arguments of one call", lambda number: _chat_call(number, index=0)),
    NameShape("chat choices", lambda number: _chat({"content": long_name(number)}, number)),
    NameShape("chat finish reasons", lambda number: _chat({}, number, long_name(number))),
    NameShape("chat models and ids", lambda number: _chat({"content": "x"}, id=_id(number), model=_name(number))),
    NameShape("chat usage", lambda number: _chat({}, usage={long_name(number): number})),
    NameShape(
        "completions finish reasons",
        lambda number: _sse(
            {
                "object": "text_completion",
                "choices": [{"text": "x", "index": number, "finish_reason": long_name(number)}],
            }
        ),
    ),
    NameShape("responses items", lambda number: _item(number, name=_name(number), arguments="")),
    NameShape(
        "responses item ids",
        lambda number: _response(
            "function_call_arguments.delta", item_id=long_name(number), output_index=number, delta="x"
        ),
    ),
    NameShape("responses ids", lambda number: _response("created", response={"id": long_name(number), "model": "m"})),
    NameShape("anthropic tool calls", _block),
    NameShape(
        "anthropic stop reasons",
        lambda number: _anthropic(
            "message_delta", delta={"stop_reason": long_name(number)}, usage={"output_tokens": 1}
        ),
    ),
    NameShape(
        "anthropic messages",
        lambda number: _anthropic(
            "message_start", message={"id": long_name(number), "role": "assistant", "content": []}
        ),
    ),
    NameShape("gemini tool calls", _gemini_call),
    NameShape("gemini candidates", lambda number: _gemini({"text": "x"}, number, finishReason=long_name(number))),
    NameShape("ollama tool calls", _ollama_call),
    NameShape("ollama models", lambda number: _ollama({"content": "x"}, model=long_name(number))),
    NameShape("cohere tool calls", _cohere_call),
    NameShape(
        "tgi finish reasons",
        lambda number: _sse(
            {"index": number, "token": {"id": 1, "text": "x"}, "details": {"finish_reason": long_name(number)}}
        ),
    ),
    NameShape("vocabulary names", lambda number: _sse({"text": "x"}, "delta") + _sse({}, long_name(number))),
)
"""Names in every dialect."""
