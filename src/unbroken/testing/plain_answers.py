"""What a plain reader finds in the events of an answer: text, reasoning, tool calls, the end, an error.

One small function per dialect, after the provider's documentation. They share no code with `unbroken.core` or
`unbroken.dialects`, and are neither fast nor bounded: they are what a report, and a conversion, is compared with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from .plain_answer import PlainAnswer as PlainAnswer
from .plain_answer import PlainCall as PlainCall
from .plain_answer import (
    add_piece,
    add_whole,
    arguments_of,
    joined,
    number_of,
    object_of,
    objects_of,
    settle_call,
    text_of,
)
from .plain_declared import READERS
from .plain_servers import PROSE
from .standard import Seen


def read_answer(dialect: str | None, events: Iterable[Seen]) -> PlainAnswer:
    """Return what a plain reader of this dialect finds in these events. Of an unknown dialect it finds nothing."""
    answer = PlainAnswer()
    read = _READERS.get(dialect or "")
    for name, data, _ in events:
        if read is None:
            continue
        if data == "[DONE]" and dialect not in ("text", *PROSE):
            answer.ended = answer.ended or dialect in _SENTINELS
            continue
        if dialect in ("text", *PROSE):
            payload: Any = data
        else:
            try:
                payload = json.loads(data, parse_constant=_refused)
            except (ValueError, RecursionError):
                payload = None
        if dialect in ("text", "vocabulary"):
            read(answer, name, payload)
        elif dialect in READERS:
            read(answer, name, payload if dialect in PROSE or isinstance(payload, (dict, list)) else {})
        elif isinstance(payload, dict):
            read(answer, name, payload)
            answer.error = answer.error or name == "error" or bool(payload.get("error"))
    answer.text, answer.reasoning = joined(answer.text), joined(answer.reasoning)
    return answer


def elements_of(data: bytes) -> list[str]:
    """Return the texts of the whole elements of a JSON array, which may be cut."""
    text, decoder = data.decode("utf-8", "replace"), json.JSONDecoder()
    elements: list[str] = []
    at = text.find("[") + 1
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,"))
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return elements
        elements.append(text[at:end])
        at = end


def _refused(word: str) -> Any:
    raise ValueError(word)


# --- OpenAI's ---------------------------------------------------------------------------------------------------------


def _chat(answer: PlainAnswer, name: str, payload: dict[str, Any]) -> None:
    # A server that returns one choice only puts the number of the token into `index`, and names its chunks so.
    one = payload.get("object") == "text_completion"
    for choice in objects_of(payload.get("choices")):
        index, delta = number_of(choice.get("index")), object_of(choice.get("delta") or choice.get("message"))
        index = 0 if one else index
        text, reasoning = _said(delta)
        if index == 0:
            answer.add(text, reasoning)
            answer.finish = text_of(choice.get("finish_reason")) or answer.finish
        tools = delta.get("tool_calls")
        if isinstance(function := delta.get("function_call"), dict):
            tools = [{"index": 0, "function": function}]
        for tool in objects_of(tools):
            _chat_call(answer, index, tool)


def _said(delta: dict[str, Any]) -> tuple[str, str]:
    content = delta.get("content")
    keys = ("reasoning_content", "reasoning", "reasoning_text", "thinking")
    reasoning = next((said for key in keys if (said := text_of(delta.get(key)))), "")
    text = text_of(content)
    for part in objects_of(content):
        if part.get("type") == "thinking":
            reasoning += "".join(text_of(thought.get("text")) for thought in objects_of(part.get("thinking")))
        elif part.get("type") == "reasoning":
            reasoning += "".join(text_of(thought.get("text")) for thought in objects_of(part.get("summary")))
        else:
            text += text_of(part.get("text"))
    details = objects_of(delta.get("reasoning_details"))
    return text, reasoning or "".join(text_of(detail.get("text")) for detail in details)


def _chat_call(answer: PlainAnswer, choice: int, tool: dict[str, Any]) -> None:
    """Add a piece of a call: the one of its index, or another one where id and name are others."""
    id, function = tool.get("id") or None, object_of(tool.get("custom") or tool.get("function"))
    key = (choice, tool.get("index")) if "index" in tool or id is None else (choice, "id", id)
    call = answer.places.get(key)
    if call is None or (id and function.get("name") and call.id and call.id != id):
        call = answer.call(key)
    call.id = call.id or id
    call.name = call.name or text_of(function.get("name"))
    piece = arguments_of(function.get("input") or function.get("arguments"))
    call.arguments += piece
    answer.note(piece)


def _completions(answer: PlainAnswer, name: str, payload: dict[str, Any]) -> None:
    for choice in objects_of(payload.get("choices")):
        if number_of(choice.get("index")) == 0:
            answer.add(text_of(choice.get("text")))
            answer.finish = text_of(choice.get("finish_reason")) or answer.finish


_RESPONSE_TEXTS = {
    "response.output_text": ("text", "content_index", "text"),
    "response.reasoning_summary_text": ("reasoning", "summary_index", "text"),
    "response.reasoning_text": ("reasoning", "content_index", "text"),
}
_RESPONSE_CALLS = {"response.function_call_arguments": "arguments", "response.custom_tool_call_input": "input"}


def _responses(answer: PlainAnswer, name: str, payload: dict[str, Any]) -> None:
    type = text_of(payload.get("type")) or name
    kind, _, what = type.rpartition(".")
    place = payload.get("output_index", payload.get("item_id"))
    if kind in _RESPONSE_TEXTS:
        said, number, whole = _RESPONSE_TEXTS[kind]
        key = (said, kind, place, payload.get(number))
        if what == "delta":
            add_piece(answer, key, text_of(payload.get("delta")), said)
        elif what == "done":
            add_whole(answer, key, text_of(payload.get(whole)), said)
    elif kind in _RESPONSE_CALLS:
        call = answer.places.get(("call", place)) or answer.call(("call", place))
        if what == "delta":
            piece = text_of(payload.get("delta"))
            call.arguments += piece
            answer.note(piece)
        elif what == "done":
            settle_call(answer, call, text_of(payload.get(_RESPONSE_CALLS[kind])))
    elif kind == "response.output_item":
        _response_item(answer, place, object_of(payload.get("item")), done=what == "done")
    elif type in ("response.completed", "response.incomplete", "response.done", "response.failed"):
        response = object_of(payload.get("response"))
        if not answer.places:
            for at, item in enumerate(objects_of(response.get("output"))):
                _response_item(answer, at, item, done=True)
        answer.ended = True
        answer.error = answer.error or bool(object_of(response.get("error")).get("message")) or what == "failed"


def _response_item(answer: PlainAnswer, place: Any, item: dict[str, Any], *, done: bool) -> None:
    if item.get("type") in ("function_call", "custom_tool_call"):
        call = answer.places.get(("call", place)) or answer.call(("call", place))
        call.name = call.name or text_of(item.get("name"))
        if done:
            settle_call(answer, call, arguments_of(item.get("arguments") or item.get("input")))
    elif item.get("type") == "message" and done:
        for at, part in enumerate(objects_of(item.get("content"))):
            if part.get("type") == "output_text":
                add_whole(answer, ("text", "response.output_text", place, at), text_of(part.get("text")))
    elif item.get("type") == "reasoning" and done:
        for name, kind in (("summary", "response.reasoning_summary_text"), ("content", "response.reasoning_text")):
            for at, part in enumerate(objects_of(item.get(name))):
                add_whole(answer, ("reasoning", kind, place, at), text_of(part.get("text")), "reasoning")


# --- Other providers' -------------------------------------------------------------------------------------------------

_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_ANTHROPIC_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")


def _anthropic(answer: PlainAnswer, name: str, payload: dict[str, Any]) -> None:
    index, delta = number_of(payload.get("index")), object_of(payload.get("delta"))
    match payload.get("type"):
        case "content_block_start":
            block = object_of(payload.get("content_block"))
            if block.get("type") in _ANTHROPIC_CALLS:
                hosted = block["type"] != "tool_use"
                answer.call(index, name=text_of(block.get("name")), hosted=hosted)
                answer.places["input", index] = arguments_of(block.get("input") or {})
            else:
                answer.add(text_of(block.get("text")), text_of(block.get("thinking")))
        case "content_block_delta":
            answer.add(text_of(delta.get("text")), "" if delta.get("text") else text_of(delta.get("thinking")))
            call = answer.places.get(index)
            if call is not None and not delta.get("text") and not delta.get("thinking"):
                call.arguments += text_of(delta.get("partial_json"))
                answer.note(delta.get("partial_json"))
        case "content_block_stop":
            ended = answer.places.pop(index, None)
            if ended is not None and not ended.arguments:
                ended.arguments = answer.places["input", index]
        case "message_delta":
            answer.finish = text_of(delta.get("stop_reason")) or answer.finish
        case "message_stop":
            answer.ended = True
        case "completion":
            answer.add(text_of(payload.get("completion")))
            answer.finish = text_of(payload.get("stop_reason")) or answer.finish
            answer.ended = answer.finish is not None
        case _:
            pass


def _gemini(answer: PlainAnswer, name: str, payload: dict[str, Any]) -> None:
    for candidate in objects_of(payload.get("candidates")):
        for part in objects_of(object_of(candidate.get("content")).get("parts")):
            if not candidate.get("index"):
                text = text_of(part.get("text"))
                answer.add(**{"reasoning" if part.get("thought") is True else "text": text})
            if isinstance(call := part.get("functionCall"), dict):
                _gemini_call(answer, candidate.get("index") or 0, call)
        if not candidate.get("index"):
            answer.finish = text_of(candidate.get("finishReason")) or answer.finish


def _gemini_call(answer: PlainAnswer, candidate: Any, call: dict[str, Any]) -> None:
    """Add a call, or a piece of one whose arguments are streamed path by path."""
    open = answer.places.get(candidate)
    if call.get("name") or (call and open is None):
        open = answer.call(candidate, name=text_of(call.get("name")))
        answer.places["paths", candidate] = {}
    if open is None:
        return
    paths = answer.places["paths", candidate]
    for piece in objects_of(call.get("partialArgs")):
        steps = _STEP.findall(text_of(piece.get("jsonPath")))
        path = tuple(int(index) if index else key for key, index in steps)
        if "stringValue" in piece:
            paths[path] = paths.get(path, "") + text_of(piece["stringValue"])
        else:
            paths[path] = next((piece[key] for key in ("numberValue", "boolValue") if key in piece), None)
    if call.get("willContinue") is not True:
        open.arguments = arguments_of(call.get("args") or _nested(paths))
        answer.places.pop(candidate)


def _nested(paths: dict[tuple[str | int, ...], Any]) -> Any:
    """Return the value whose leaves stand at these paths."""
    if () in paths:
        return paths[()]
    branches: dict[str | int, dict[tuple[str | int, ...], Any]] = {}
    for (step, *rest), leaf in paths.items():
        branches.setdefault(step, {})[tuple(rest)] = leaf
    values = {step: _nested(branch) for step, branch in branches.items()}
    return list(values.values()) if values and all(isinstance(step, int) for step in values) else values


def _ollama(answer: PlainAnswer, name: str, payload: dict[str, Any]) -> None:
    message = object_of(payload.get("message"))
    text = text_of(message.get("content")) or text_of(payload.get("response"))
    answer.add(text, text_of(message.get("thinking")) or text_of(payload.get("thinking")))
    for tool in objects_of(message.get("tool_calls")):
        function = object_of(tool.get("function"))
        arguments = arguments_of(function.get("arguments"))
        answer.call(len(answer.calls), name=text_of(function.get("name")), arguments=arguments)
    if payload.get("done") is True:
        answer.ended = True
        answer.finish = text_of(payload.get("done_reason")) or None


def _cohere(answer: PlainAnswer, name: str, payload: dict[str, Any]) -> None:
    delta, index = object_of(payload.get("delta")), payload.get("index")
    message = object_of(delta.get("message"))
    match payload.get("type"):
        case "content-delta" | "content-start":
            content = object_of(message.get("content"))
            answer.add(text_of(content.get("text")), text_of(content.get("thinking")))
        case "tool-plan-delta":
            answer.add(reasoning=text_of(message.get("tool_plan")))
        case "tool-call-start" | "tool-call-delta":
            _cohere_call(
                answer, index, payload["type"], object_of(object_of(message.get("tool_calls")).get("function"))
            )
        case "tool-call-end":
            call = answer.places.pop(index, None)
            if call is not None:
                call.arguments = call.arguments or "{}"
        case "message-end":
            answer.ended = True
            answer.finish = text_of(delta.get("finish_reason")) or None
            answer.error = answer.error or bool(delta.get("error")) or answer.finish == "ERROR"
        case _:
            pass
    match payload.get("event_type"):
        case "text-generation":
            answer.add(text_of(payload.get("text")))
        case "tool-calls-generation":
            for tool in objects_of(payload.get("tool_calls")):
                arguments = arguments_of(tool.get("parameters"))
                answer.call(len(answer.calls), name=text_of(tool.get("name")), arguments=arguments)
        case "stream-end":
            answer.ended = True
        case _:
            pass


def _cohere_call(answer: PlainAnswer, index: Any, type: str, function: dict[str, Any]) -> None:
    """Begin a call, or add a piece: to the one of its index, else to the last one."""
    call = None
    if type == "tool-call-delta":
        call = answer.places.get(index) or (answer.calls[-1] if answer.calls else None)
    if call is None:
        call = answer.call(index)
    call.name = call.name or text_of(function.get("name"))
    call.arguments += arguments_of(function.get("arguments"))
    answer.note(function.get("arguments"))


def _tgi(answer: PlainAnswer, name: str, payload: dict[str, Any]) -> None:
    token = object_of(payload.get("token"))
    answer.add("" if token.get("special") is True else text_of(token.get("text")))
    answer.finish = text_of(object_of(payload.get("details")).get("finish_reason")) or answer.finish
    if isinstance(whole := payload.get("generated_text"), str):
        if whole.startswith(answer.text):
            answer.add(whole[len(answer.text) :])
        answer.ended = True


def _vocabulary(answer: PlainAnswer, name: str, payload: Any) -> None:
    if name in ("delta", "chunk"):
        answer.add(text_of(object_of(payload).get("text")) or (payload if isinstance(payload, str) else ""))
    elif name in ("done", "complete", "completed", "end", "finished"):
        answer.ended = True
    answer.error = answer.error or name == "error"


def _prose(answer: PlainAnswer, name: str, payload: Any) -> None:
    if name == "message":
        answer.add(payload)


_READERS: dict[str, Callable[[PlainAnswer, str, Any], None]] = {
    "openai-chat": _chat,
    "openai-completions": _completions,
    "openai-responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "ollama": _ollama,
    "cohere": _cohere,
    "tgi": _tgi,
    "vocabulary": _vocabulary,
    "text": _prose,
    **READERS,
}
_SENTINELS = ("openai-chat", "openai-completions", "vocabulary", "sap-orchestration", "workers-ai")
