"""Plain readers of the dialects that the library declares in tables, after the providers' documentation.

They share no code with `unbroken.core` or `unbroken.dialects`. To add one: a function of a payload, which
is an object or a list, and its name below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .plain_answer import (
    PlainAnswer,
    add_arguments,
    add_piece,
    add_whole,
    arguments_of,
    begin_call,
    call_at,
    object_of,
    objects_of,
    settle_call,
    text_of,
)
from .plain_servers import READERS_OF_SERVERS

Read = Callable[[PlainAnswer, str, Any], None]


def _ai_sdk_ui(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    id, hosted = payload.get("toolCallId"), payload.get("providerExecuted") is True
    match payload.get("type"):
        case "text-delta":
            answer.add(text_of(payload.get("delta")))
        case "reasoning-delta":
            answer.add(reasoning=text_of(payload.get("delta")))
        case "tool-input-start":
            call_at(answer, id, name=text_of(payload.get("toolName")), id=id, hosted=hosted)
        case "tool-input-delta":
            add_arguments(answer, call_at(answer, id), text_of(payload.get("inputTextDelta")))
        case "tool-input-available" | "tool-input-error":
            call = call_at(answer, id, name=text_of(payload.get("toolName")), id=id, hosted=hosted)
            settle_call(answer, call, arguments_of(payload.get("input")))
        case "finish":
            answer.ended = True
            answer.finish = text_of(payload.get("finishReason")) or None
        case "error" | "abort":
            answer.error = True
        case _:
            pass


def _ag_ui(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    id, delta = payload.get("toolCallId"), text_of(payload.get("delta"))
    match payload.get("type"):
        case "TEXT_MESSAGE_CONTENT" | "TEXT_MESSAGE_CHUNK":
            answer.add(delta)
        case "REASONING_MESSAGE_CONTENT" | "REASONING_MESSAGE_CHUNK" | "THINKING_TEXT_MESSAGE_CONTENT":
            answer.add(reasoning=delta)
        case "TOOL_CALL_START" | "TOOL_CALL_ARGS" | "TOOL_CALL_CHUNK":
            call = call_at(answer, id, name=text_of(payload.get("toolCallName")), id=id)
            add_arguments(answer, call, delta)
        case "RUN_FINISHED":
            answer.ended = True
        case "RUN_ERROR":
            answer.error = True
        case _:
            pass


def _dify(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    data = object_of(payload.get("data"))
    match payload.get("event"):
        case "message" | "agent_message":
            answer.add(text_of(payload.get("answer")))
        case "text_chunk":
            answer.add(text_of(data.get("text")))
        case "reasoning_chunk":
            answer.add(reasoning=text_of(data.get("reasoning")))
        case "message_end":
            answer.ended = True
        case "workflow_finished":
            answer.ended = True
            answer.error = answer.error or data.get("status") == "failed"
        case "error":
            answer.error = True
        case _:
            pass


# Google's


def _read_candidates(answer: PlainAnswer, response: Any) -> None:
    for candidate in objects_of(object_of(response).get("candidates"))[:1]:
        for part in objects_of(object_of(candidate.get("content")).get("parts")):
            said = text_of(part.get("text"))
            answer.add(**{"reasoning" if part.get("thought") is True else "text": said})
            if call := object_of(part.get("functionCall")):
                _begin_whole(answer, None, call.get("name"), call.get("args"))
        answer.finish = text_of(candidate.get("finishReason")) or answer.finish


def _begin_whole(answer: PlainAnswer, id: Any, name: Any, arguments: Any) -> None:
    """Note a call that is told in one piece; of the same id it is told once more."""
    call = call_at(answer, id or object(), name=text_of(name), id=text_of(id) or None)
    call.arguments = arguments_of(arguments)


def _gemini_code_assist(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    _read_candidates(answer, payload.get("response"))
    answer.ended = answer.ended or bool(answer.finish)
    answer.error = answer.error or bool(payload.get("error"))


def _gemini_interactions(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    step, delta = object_of(payload.get("step")), object_of(payload.get("delta"))
    match payload.get("event_type"):
        case "step.start" if step.get("type") == "function_call":
            begin_call(answer, payload.get("index"), text_of(step.get("name")), text_of(step.get("id")))
        case "step.delta" | "content.delta":
            match delta.get("type"):
                case "text":
                    answer.add(text_of(delta.get("text")))
                case "thought_summary":
                    answer.add(reasoning=text_of(object_of(delta.get("content")).get("text")))
                case "arguments_delta":
                    add_arguments(answer, call_at(answer, payload.get("index")), text_of(delta.get("arguments")))
                case _:
                    pass
        case "interaction.completed" | "interaction.complete":
            answer.ended = True
            answer.finish = text_of(object_of(payload.get("interaction")).get("status"))
            answer.error = answer.error or answer.finish in ("failed", "cancelled")
        case "error":
            answer.error = True
        case _:
            pass


def _google_adk(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    parts = objects_of(object_of(payload.get("content")).get("parts"))
    is_partial = payload.get("partial") is True
    said = {True: "", False: ""}  # whether it is a thought
    for part in parts:
        said[part.get("thought") is True] += text_of(part.get("text"))
        if (call := object_of(part.get("functionCall"))) and not is_partial:
            _begin_whole(answer, call.get("id"), call.get("name"), call.get("args"))
    for is_thought, text in said.items():
        field = "reasoning" if is_thought else "text"
        (add_piece if is_partial else add_whole)(answer, None, text, field)
        if parts and not is_partial:
            for key in ((field, None), ("told", (field, None)), ("current", field)):
                answer.places.pop(key, None)
    answer.finish = text_of(payload.get("finishReason")) or answer.finish
    answer.error = answer.error or bool(payload.get("error") or payload.get("errorCode") or payload.get("errorMessage"))
    answer.ended = answer.ended or (bool(parts) and not is_partial)


# LangChain's


def _read_message(answer: PlainAnswer, message: Any) -> None:
    message = object_of(message)
    if message.get("type") not in ("AIMessageChunk", "ai"):
        return
    answer.add(text_of(message.get("content")))
    answer.add(reasoning=text_of(object_of(message.get("additional_kwargs")).get("reasoning_content")))
    for block in objects_of(message.get("content")):
        type = block.get("type")
        if type == "text":
            answer.add(text_of(block.get("text")))
        elif type in ("thinking", "reasoning"):
            answer.add(reasoning=text_of(block.get(type)))
    for chunk in objects_of(message.get("tool_call_chunks")):
        key = chunk.get("index")
        if chunk.get("name"):
            begin_call(answer, key, text_of(chunk.get("name")), text_of(chunk.get("id")))
        add_arguments(answer, call_at(answer, key), text_of(chunk.get("args")))


def _langgraph(answer: PlainAnswer, name: str, payload: Any) -> None:
    name = name.partition("|")[0]
    if name == "messages" and isinstance(payload, list) and payload:
        _read_message(answer, payload[0])
    answer.ended = answer.ended or name == "end"
    answer.error = answer.error or name == "error"


def _langserve(answer: PlainAnswer, name: str, payload: Any) -> None:
    if name == "data":
        _read_message(answer, payload)
    answer.ended = answer.ended or name == "end"
    answer.error = answer.error or name == "error"


# Agent2Agent


def _words(parts: Any) -> str:
    return "".join(text_of(part.get("text")) for part in objects_of(parts))


def _a2a_0_3(answer: PlainAnswer, name: str, payload: Any) -> None:
    result = object_of(object_of(payload).get("result"))
    state = object_of(result.get("status")).get("state")
    match result.get("kind"):
        case "artifact-update":
            answer.add(_words(object_of(result.get("artifact")).get("parts")))
        case "message":
            answer.add(_words(result.get("parts")))
            answer.ended = True
        case "status-update":
            answer.ended = answer.ended or result.get("final") is True
            answer.finish = text_of(state) if answer.ended else None
        case _:
            pass
    answer.error = answer.error or state in ("failed", "rejected", "canceled") or "error" in object_of(payload)


def _a2a_1_0(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    result = object_of(payload.get("result", payload))
    answer.add(_words(object_of(object_of(result.get("artifactUpdate")).get("artifact")).get("parts")))
    if "message" in result:
        answer.add(_words(object_of(result["message"]).get("parts")))
        answer.ended = True
    state = text_of(object_of(object_of(result.get("statusUpdate")).get("status")).get("state"))
    match state.removeprefix("TASK_STATE_"):
        case "COMPLETED" | "INPUT_REQUIRED" | "AUTH_REQUIRED":
            answer.ended, answer.finish = True, state
        case "FAILED" | "REJECTED" | "CANCELED":
            answer.error = True
        case _:
            pass
    answer.error = answer.error or "error" in payload


# Command lines


def _claude_cli(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    is_own = not payload.get("parent_tool_use_id")
    match payload.get("type"):
        case "stream_event" if is_own:
            answer.places["pieces"] = True
            _read_block(answer, object_of(payload.get("event")))
        case "assistant" if is_own and "pieces" not in answer.places:
            for block in objects_of(object_of(payload.get("message")).get("content")):
                answer.add(text_of(block.get("text")), text_of(block.get("thinking")))
                if block.get("type") == "tool_use":
                    _begin_whole(answer, block.get("id"), block.get("name"), block.get("input") or {})
        case "result":
            is_error = payload.get("is_error") is True or text_of(payload.get("subtype")).startswith("error")
            answer.error = answer.error or is_error
            answer.ended = answer.ended or not is_error
        case _:
            pass


def _read_block(answer: PlainAnswer, event: dict[str, Any]) -> None:
    block, delta = object_of(event.get("content_block")), object_of(event.get("delta"))
    key = ("call", event.get("index"))
    match event.get("type"):
        case "content_block_start" if block.get("type") == "tool_use":
            answer.call(key, name=text_of(block.get("name")), id=text_of(block.get("id")))
            answer.places["input", key] = arguments_of(block.get("input") or {})
        case "content_block_delta":
            answer.add(text_of(delta.get("text")), text_of(delta.get("thinking")))
            if call := answer.places.get(key):
                add_arguments(answer, call, text_of(delta.get("partial_json")))
        case "content_block_stop" if call := answer.places.pop(key, None):
            call.arguments = call.arguments or answer.places["input", key]
        case "message_delta":
            answer.finish = text_of(delta.get("stop_reason")) or answer.finish
        case _:
            pass


def _codex_exec(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    item = object_of(payload.get("item"))
    match payload.get("type"):
        case "item.completed" if item.get("type") == "agent_message":
            answer.add(text_of(item.get("text")))
        case "item.completed" if item.get("type") == "reasoning":
            answer.add(reasoning=text_of(item.get("text")))
        case "turn.completed":
            answer.ended = True
        case "turn.failed":
            answer.error = True
        case _:
            pass


# Builders of flows


def _n8n(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    match payload.get("type"):
        case "item":
            answer.add(text_of(payload.get("content")))
        case "begin":
            answer.places["open"] = answer.places.get("open", 0) + 1
        case "end":
            answer.places["open"] = answer.places.get("open", 1) - 1
            answer.ended = answer.places["open"] <= 0
        case "error":
            answer.error = True
        case _:
            pass


def _langflow(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    data = object_of(payload.get("data"))
    match payload.get("event"):
        case "token":
            add_piece(answer, data.get("id"), text_of(data.get("chunk")))
        case "add_message" if data.get("sender") != "User" and not data.get("error"):
            add_whole(answer, data.get("id"), text_of(data.get("text")))
        case "end":
            answer.ended = True
        case "error":
            answer.error = True
        case _:
            pass


def _langflow_responses(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    item = object_of(payload.get("item"))
    if payload.get("type") == "response.output_item.done" and item.get("type") == "function_call":
        id = text_of(item.get("call_id"))
        call = call_at(answer, id, name=text_of(item.get("name")), id=id, hosted=True)
        call.arguments = text_of(item.get("arguments"))
    elif payload.get("error") or payload.get("status") == "failed":
        answer.error = True
    else:
        answer.add(text_of(object_of(payload.get("delta")).get("content")))
        answer.ended = answer.ended or payload.get("status") == "completed"


def _flowise(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    data = payload.get("data")
    match payload.get("event"):
        case "token":
            answer.add(text_of(data))
        case "thinking":
            answer.add(reasoning=text_of(data))
        case "usedTools":
            for tool in objects_of(data):
                answer.call(object(), name=text_of(tool.get("tool")), hosted=True)
                answer.calls[-1].arguments = arguments_of(tool.get("toolInput"))
        case "end":
            answer.ended = True
        case "error" | "abort":
            answer.error = True
        case _:
            pass


# Agents of others


def _agentcore_strands(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    event = object_of(payload.get("event"))
    begun, added = object_of(event.get("contentBlockStart")), object_of(event.get("contentBlockDelta"))
    tool, delta = object_of(object_of(begun.get("start")).get("toolUse")), object_of(added.get("delta"))
    if tool:
        begin_call(answer, begun.get("contentBlockIndex"), text_of(tool.get("name")), text_of(tool.get("toolUseId")))
    answer.add(text_of(delta.get("text")), text_of(object_of(delta.get("reasoningContent")).get("text")))
    if piece := text_of(object_of(delta.get("toolUse")).get("input")):
        add_arguments(answer, call_at(answer, added.get("contentBlockIndex")), piece)
    if reason := text_of(object_of(event.get("messageStop")).get("stopReason")):
        answer.finish = reason
        answer.ended = reason != "tool_use"
    answer.error = answer.error or bool(payload.get("error")) or payload.get("force_stop") is True


def _coze(answer: PlainAnswer, name: str, payload: Any) -> None:
    payload = object_of(payload)
    id, is_answer = payload.get("id"), payload.get("type") == "answer"
    match name.removeprefix("conversation."):
        case "message.delta":
            if (text := text_of(payload.get("content"))) and is_answer:
                add_piece(answer, id, text)
            if reasoning := text_of(payload.get("reasoning_content")):
                add_piece(answer, id, reasoning, "reasoning")
        case "message.completed" if is_answer:
            add_whole(answer, id, text_of(payload.get("content")))
            add_whole(answer, id, text_of(payload.get("reasoning_content")), "reasoning")
        case "chat.completed" | "chat.requires_action":
            answer.ended = True
            answer.finish = text_of(payload.get("status")) or None
        case "chat.failed" | "error":
            answer.error = True
        case _:
            pass


READERS: dict[str, Read] = {
    "ai-sdk-ui": _ai_sdk_ui,
    "ag-ui": _ag_ui,
    "dify": _dify,
    "gemini-code-assist": _gemini_code_assist,
    "gemini-interactions": _gemini_interactions,
    "google-adk": _google_adk,
    "langgraph": _langgraph,
    "langserve": _langserve,
    "a2a-0.3": _a2a_0_3,
    "a2a-1.0": _a2a_1_0,
    "claude-cli": _claude_cli,
    "codex-exec": _codex_exec,
    "n8n": _n8n,
    "langflow": _langflow,
    "langflow-responses": _langflow_responses,
    "flowise": _flowise,
    "agentcore-strands": _agentcore_strands,
    "coze": _coze,
    **READERS_OF_SERVERS,
}
