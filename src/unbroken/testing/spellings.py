"""How the dialects that the library declares spell an answer: a table of payloads for each.

The form follows the providers' documentation, not the tables that read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .spelling import Payload, Spelling
from .spellings_of_servers import SPELLINGS_OF_SERVERS

_CANDIDATE = {"role": "model"}
_STEP = {"event_type": "step.delta"}
_ADK = {"invocationId": "e-1", "author": "agent", "actions": {"stateDelta": {}}, "id": "x", "timestamp": 1763683200.5}
_CHUNK = {"type": "AIMessageChunk", "id": "run-1", "response_metadata": {}, "additional_kwargs": {}}
_NODE = {"langgraph_node": "agent"}
_A2A = {"taskId": "T1", "contextId": "C1"}
_CLAUDE = {"session_id": "s-1", "parent_tool_use_id": None, "uuid": "u"}
_N8N = {"metadata": {"nodeId": "a", "nodeName": "Agent", "itemIndex": 0, "runIndex": 0, "timestamp": 1763683200000}}
_LANGFLOW_CHUNK = {"id": "d", "object": "response.chunk", "created": 1763683200, "model": "flow", "status": None}
_COZE = {"conversation_id": "c", "bot_id": "b"}
_ANSWER = {**_COZE, "id": "m", "role": "assistant", "type": "answer", "content_type": "text", "chat_id": "1"}
_DIFY = {"task_id": "t", "message_id": "m", "conversation_id": "c", "created_at": 1763683200}


def _assist(part: Any, **more: Any) -> Payload:
    return {"response": {"candidates": [{"content": {**_CANDIDATE, "parts": [part]}, **more}]}, "traceId": "5f1c"}


def _graph(content: Any, **more: Any) -> Payload:
    return "messages", [{"content": content, **_CHUNK, **more}, _NODE]


def _served(content: Any, **more: Any) -> Payload:
    return "data", {"content": content, **_CHUNK, **more}


def _calls(spell: Any) -> tuple[Payload, ...]:
    first = {"name": "$name", "args": "$first", "id": "$id", "index": 0, "type": "tool_call_chunk"}
    second = {"name": None, "args": "$second", "id": None, "index": 0, "type": "tool_call_chunk"}
    return spell("", tool_call_chunks=[first]), spell("", tool_call_chunks=[second])


def _rpc(kind: str, **result: Any) -> Payload:
    return {"jsonrpc": "2.0", "id": 1, "result": {"kind": kind, **_A2A, **result}}


def _line_of(type: str, **event: Any) -> Payload:
    return {"type": "stream_event", "event": {"type": type, **event}, **_CLAUDE}


def _block(index: int, block: Any) -> Payload:
    return _line_of("content_block_start", index=index, content_block=block)


def _delta(index: int, type: str, **delta: Any) -> Payload:
    return _line_of("content_block_delta", index=index, delta={"type": type, **delta})


def _stop(index: int) -> Payload:
    return _line_of("content_block_stop", index=index)


def _strands(name: str, **event: Any) -> Payload:
    return {"event": {name: event}}


SPELLINGS: Mapping[str, Spelling] = {
    "ai-sdk-ui": Spelling(
        begins=({"type": "start", "messageId": "msg_1"}, {"type": "start-step"}),
        begins_reasoning=({"type": "reasoning-start", "id": "r"},),
        reasoning={"type": "reasoning-delta", "id": "r", "delta": "$piece"},
        ends_reasoning=({"type": "reasoning-end", "id": "r"},),
        begins_text=({"type": "text-start", "id": "t"},),
        text={"type": "text-delta", "id": "t", "delta": "$piece"},
        ends_text=({"type": "text-end", "id": "t"},),
        tool=(
            {"type": "tool-input-start", "toolCallId": "$id", "toolName": "$name"},
            {"type": "tool-input-delta", "toolCallId": "$id", "inputTextDelta": "$first"},
            {"type": "tool-input-delta", "toolCallId": "$id", "inputTextDelta": "$second"},
            {"type": "tool-input-available", "toolCallId": "$id", "toolName": "$name", "input": "$input"},
        ),
        ends=({"type": "finish-step"}, {"type": "finish", "finishReason": "stop"}, "[DONE]"),
        reason="stop",
        says=("reasoning", "tools"),
    ),
    "ag-ui": Spelling(
        begins=({"type": "RUN_STARTED", "threadId": "t", "runId": "r"},),
        begins_reasoning=({"type": "REASONING_MESSAGE_START", "messageId": "m0", "role": "reasoning"},),
        reasoning={"type": "REASONING_MESSAGE_CONTENT", "messageId": "m0", "delta": "$piece"},
        ends_reasoning=({"type": "REASONING_MESSAGE_END", "messageId": "m0"},),
        begins_text=({"type": "TEXT_MESSAGE_START", "messageId": "m1", "role": "assistant"},),
        text={"type": "TEXT_MESSAGE_CONTENT", "messageId": "m1", "delta": "$piece"},
        ends_text=({"type": "TEXT_MESSAGE_END", "messageId": "m1"},),
        tool=(
            {"type": "TOOL_CALL_START", "toolCallId": "$id", "toolCallName": "$name", "parentMessageId": "m1"},
            {"type": "TOOL_CALL_ARGS", "toolCallId": "$id", "delta": "$first"},
            {"type": "TOOL_CALL_ARGS", "toolCallId": "$id", "delta": "$second"},
            {"type": "TOOL_CALL_END", "toolCallId": "$id"},
        ),
        ends=({"type": "RUN_FINISHED", "threadId": "t", "runId": "r"},),
        says=("reasoning", "tools"),
    ),
    "dify": Spelling(
        reasoning={"event": "reasoning_chunk", **_DIFY, "data": {"reasoning": "$piece", "is_final": False}},
        text={"event": "message", **_DIFY, "answer": "$piece"},
        ends=(
            {
                "event": "message_end",
                **_DIFY,
                "metadata": {"usage": {"prompt_tokens": "$in", "completion_tokens": "$out", "total_tokens": "$total"}},
            },
        ),
        says=("reasoning", "input", "output"),
    ),
    # Google's
    "gemini-code-assist": Spelling(
        reasoning=_assist({"text": "$piece", "thought": True}),
        text=_assist({"text": "$piece"}),
        tool=(_assist({"functionCall": {"id": "$id", "name": "$name", "args": "$input"}}),),
        ends=(
            {
                "response": {
                    "candidates": [{"content": {**_CANDIDATE, "parts": [{"text": ""}]}, "finishReason": "STOP"}],
                    "usageMetadata": {
                        "promptTokenCount": "$in",
                        "candidatesTokenCount": "$out",
                        "totalTokenCount": "$total",
                    },
                },
                "traceId": "5f1c",
            },
        ),
        reason="STOP",
        says=("reasoning", "tools", "input", "output"),
    ),
    "gemini-interactions": Spelling(
        begins=(
            (
                "interaction.created",
                {
                    "interaction": {"id": "v1_x", "object": "interaction", "model": "m", "status": "in_progress"},
                    "event_type": "interaction.created",
                },
            ),
            (
                "interaction.status_update",
                {"interaction_id": "v1_x", "status": "in_progress", "event_type": "interaction.status_update"},
            ),
        ),
        begins_reasoning=(("step.start", {"index": 0, "step": {"type": "thought"}, "event_type": "step.start"}),),
        reasoning=(
            "step.delta",
            {"index": 0, "delta": {"type": "thought_summary", "content": {"type": "text", "text": "$piece"}}, **_STEP},
        ),
        ends_reasoning=(("step.stop", {"index": 0, "event_type": "step.stop"}),),
        begins_text=(("step.start", {"index": 1, "step": {"type": "model_output"}, "event_type": "step.start"}),),
        text=("step.delta", {"index": 1, "delta": {"text": "$piece", "type": "text"}, **_STEP}),
        ends_text=(("step.stop", {"index": 1, "event_type": "step.stop"}),),
        tool=(
            (
                "step.start",
                {
                    "index": 2,
                    "step": {"type": "function_call", "id": "$id", "name": "$name", "arguments": {}},
                    "event_type": "step.start",
                },
            ),
            ("step.delta", {"index": 2, "delta": {"type": "arguments_delta", "arguments": "$first"}, **_STEP}),
            ("step.delta", {"index": 2, "delta": {"type": "arguments_delta", "arguments": "$second"}, **_STEP}),
            ("step.stop", {"index": 2, "event_type": "step.stop"}),
        ),
        ends=(
            (
                "interaction.completed",
                {
                    "interaction": {
                        "id": "v1_x",
                        "status": "completed",
                        "usage": {"total_tokens": "$total", "total_input_tokens": "$in", "total_output_tokens": "$out"},
                    },
                    "event_type": "interaction.completed",
                },
            ),
            ("done", "[DONE]"),
        ),
        reason="completed",
        says=("reasoning", "tools", "input", "output"),
    ),
    "google-adk": Spelling(
        reasoning={"content": {"parts": [{"text": "$piece", "thought": True}]}, "partial": True, **_ADK},
        text={"content": {"parts": [{"text": "$piece"}], "role": "model"}, "partial": True, **_ADK},
        call={"functionCall": {"id": "$id", "name": "$name", "args": "$input"}},
        ends=(
            {
                "content": {"parts": [{"text": "$reasoning", "thought": True}, {"text": "$text"}, "$calls"]},
                "finishReason": "STOP",
                "usageMetadata": {"promptTokenCount": "$in", "candidatesTokenCount": "$out"},
                **_ADK,
            },
        ),
        reason="STOP",
        says=("reasoning", "tools", "input", "output"),
    ),
    # LangChain's
    "langgraph": Spelling(
        begins=(("metadata", {"run_id": "1ef", "attempt": 1}),),
        reasoning=_graph("", additional_kwargs={"reasoning_content": "$piece"}),
        text=_graph("$piece"),
        tool=_calls(_graph),
        ends=(_graph("", usage_metadata={"input_tokens": "$in", "output_tokens": "$out"}), ("end", None)),
        says=("reasoning", "tools", "input", "output"),
    ),
    "langserve": Spelling(
        begins=(("metadata", {"run_id": "6cf"}),),
        reasoning=_served("", additional_kwargs={"reasoning_content": "$piece"}),
        text=_served("$piece"),
        tool=_calls(_served),
        ends=(_served("", usage_metadata={"input_tokens": "$in", "output_tokens": "$out"}), ("end", None)),
        says=("reasoning", "tools", "input", "output"),
    ),
    # Agent2Agent
    "a2a-0.3": Spelling(
        begins=(
            _rpc("task", id="T1", status={"state": "submitted"}),
            _rpc("status-update", status={"state": "working"}, final=False),
        ),
        text=_rpc(
            "artifact-update",
            append=True,
            artifact={"artifactId": "a1", "parts": [{"kind": "text", "text": "$piece"}]},
        ),
        ends=(_rpc("status-update", status={"state": "completed"}, final=True),),
        reason="completed",
    ),
    "a2a-1.0": Spelling(
        begins=({"task": {"id": "T1", "contextId": "C1", "status": {"state": "TASK_STATE_WORKING"}}},),
        text={"artifactUpdate": {**_A2A, "artifact": {"artifactId": "a1", "parts": [{"text": "$piece"}]}}},
        ends=({"statusUpdate": {**_A2A, "status": {"state": "TASK_STATE_COMPLETED"}}},),
        reason="TASK_STATE_COMPLETED",
    ),
    # Command lines
    "claude-cli": Spelling(
        begins=(
            {"type": "system", "subtype": "init", "cwd": "/w", "session_id": "s-1", "model": "m", "tools": []},
            _line_of("message_start", message={"id": "msg_1", "type": "message", "role": "assistant", "content": []}),
        ),
        begins_reasoning=(_block(0, {"type": "thinking", "thinking": "", "signature": ""}),),
        reasoning=_delta(0, "thinking_delta", thinking="$piece"),
        ends_reasoning=(_stop(0),),
        begins_text=(_block(1, {"type": "text", "text": ""}),),
        text=_delta(1, "text_delta", text="$piece"),
        ends_text=(_stop(1),),
        tool=(
            _block(2, {"type": "tool_use", "id": "$id", "name": "$name", "input": {}}),
            _delta(2, "input_json_delta", partial_json="$first"),
            _delta(2, "input_json_delta", partial_json="$second"),
            _stop(2),
        ),
        ends=(
            {
                "type": "assistant",
                "message": {"role": "assistant", "content": [{"type": "text", "text": "$text"}]},
                **_CLAUDE,
            },
            _line_of("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": "$out"}),
            _line_of("message_stop"),
            {
                "type": "result",
                "subtype": "success",
                "is_error": False,
                "result": "$text",
                "session_id": "s-1",
                "usage": {"input_tokens": "$in", "output_tokens": "$out"},
            },
        ),
        reason="end_turn",
        says=("reasoning", "tools", "input", "output"),
        is_sse=False,
    ),
    "codex-exec": Spelling(
        begins=({"type": "thread.started", "thread_id": "0199"}, {"type": "turn.started"}),
        reasoning={"type": "item.completed", "item": {"id": "item_0", "type": "reasoning", "text": "$piece"}},
        text={"type": "item.completed", "item": {"id": "item_1", "type": "agent_message", "text": "$piece"}},
        ends=(
            {
                "type": "turn.completed",
                "usage": {"input_tokens": "$in", "cached_input_tokens": 0, "output_tokens": "$out"},
            },
        ),
        says=("reasoning", "input", "output"),
        is_sse=False,
    ),
    # Builders of flows
    "n8n": Spelling(
        begins=({"type": "begin", **_N8N},),
        text={"type": "item", "content": "$piece", **_N8N},
        ends=({"type": "end", **_N8N},),
        is_sse=False,
    ),
    "langflow": Spelling(
        begins=(
            {
                "event": "add_message",
                "data": {"sender": "User", "sender_name": "User", "session_id": "c", "text": "hi", "id": "u"},
            },
        ),
        text={"event": "token", "data": {"chunk": "$piece", "id": "m", "timestamp": "2025-11-21 00:00:00 UTC"}},
        ends=(
            {
                "event": "add_message",
                "data": {"sender": "Machine", "sender_name": "AI", "session_id": "c", "text": "$text", "id": "m"},
            },
            {"event": "end", "data": {"result": {"session_id": "c", "outputs": []}}},
        ),
        is_sse=False,
    ),
    "langflow-responses": Spelling(
        begins=({**_LANGFLOW_CHUNK, "delta": {"content": ""}},),
        text={**_LANGFLOW_CHUNK, "delta": {"content": "$piece"}},
        ends=({**_LANGFLOW_CHUNK, "delta": {}, "status": "completed"}, "[DONE]"),
    ),
    "flowise": Spelling(
        begins=({"event": "start", "data": "H"},),
        reasoning={"event": "thinking", "data": "$piece"},
        text={"event": "token", "data": "$piece"},
        ends=(
            {"event": "usageMetadata", "data": {"input_tokens": "$in", "output_tokens": "$out"}},
            {"event": "metadata", "data": {"chatId": "c", "chatMessageId": "m", "question": "q", "sessionId": "c"}},
            {"event": "end", "data": "[DONE]"},
        ),
        says=("reasoning", "input", "output"),
    ),
    # Agents of others
    "agentcore-strands": Spelling(
        begins=({"init_event_loop": True}, _strands("messageStart", role="assistant")),
        reasoning=_strands("contentBlockDelta", delta={"reasoningContent": {"text": "$piece"}}, contentBlockIndex=0),
        ends_reasoning=(_strands("contentBlockStop", contentBlockIndex=0),),
        text=_strands("contentBlockDelta", delta={"text": "$piece"}, contentBlockIndex=1),
        ends_text=(_strands("contentBlockStop", contentBlockIndex=1),),
        tool=(
            _strands(
                "contentBlockStart", start={"toolUse": {"toolUseId": "$id", "name": "$name"}}, contentBlockIndex=2
            ),
            _strands("contentBlockDelta", delta={"toolUse": {"input": "$first"}}, contentBlockIndex=2),
            _strands("contentBlockDelta", delta={"toolUse": {"input": "$second"}}, contentBlockIndex=2),
            _strands("contentBlockStop", contentBlockIndex=2),
        ),
        ends=(_strands("messageStop", stopReason="end_turn"),),
        reason="end_turn",
        says=("reasoning", "tools"),
    ),
    "coze": Spelling(
        begins=(
            ("conversation.chat.created", {"id": "1", **_COZE, "last_error": {"code": 0, "msg": ""}}),
            ("conversation.chat.in_progress", {"id": "1", **_COZE, "last_error": {"code": 0, "msg": ""}}),
        ),
        reasoning=("conversation.message.delta", {**_ANSWER, "content": "", "reasoning_content": "$piece"}),
        text=("conversation.message.delta", {**_ANSWER, "content": "$piece"}),
        ends=(
            ("conversation.message.completed", {**_ANSWER, "content": "$text"}),
            ("conversation.message.completed", {**_ANSWER, "id": "f", "type": "follow_up", "content": "And?"}),
            (
                "conversation.chat.completed",
                {
                    "id": "1",
                    **_COZE,
                    "status": "completed",
                    "usage": {"token_count": "$total", "output_count": "$out", "input_count": "$in"},
                },
            ),
        ),
        reason="completed",
        says=("reasoning", "input", "output"),
    ),
    **SPELLINGS_OF_SERVERS,
}
