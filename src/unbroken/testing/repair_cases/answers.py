"""Whole answers: calls, usage and thoughts in the form of each provider."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, call, failure, said

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "arguments that drift behind an escaped backslash",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":\\"\\\\\\\\\\\\"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": '
            b'"\\"b\\"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 2, "function": {"arguments": '
            b'"{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":\\"\\\\\\\\\\\\"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"\\"b\\"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 2, "function": {"arguments": '
            b'"{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        ("tool-index@147+111",),
        facts={
            **answered("", 3),
            "events": 5,
            "tool_calls": [call("f", '{"a":"\\\\\\"b"}', "c1", complete=False), call(None, "{}", complete=False)],
        },
    ),
    RepairCase(
        "arguments that drift within a string that holds a brace",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":\\"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": '
            b'"\\"}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":\\"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"\\"}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        ("tool-index@142+108",),
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":"}"}', "c1")]},
    ),
    RepairCase(
        "arguments that drift behind a string that holds a brace",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":\\"{"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": '
            b'"\\"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 2, "function": {"arguments": '
            b'"{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":\\"{"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"\\"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 2, "function": {"arguments": '
            b'"{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        ("tool-index@142+108",),
        facts={
            **answered("", 3),
            "events": 5,
            "tool_calls": [call("f", '{"a":"{"}', "c1", complete=False), call(None, "{}", complete=False)],
        },
    ),
    RepairCase(
        "arguments that drift between brackets",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":[1"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": '
            b'"]"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 2, "function": {"arguments": '
            b'"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 3, "function": {"arguments": '
            b'"{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":[1"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"]"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 3, "function": {"arguments": '
            b'"{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            "tool-index@141+106",
            "tool-index@249+106",
        ),
        facts={
            **answered("", 4),
            "events": 6,
            "tool_calls": [call("f", '{"a":[1]}', "c1", complete=False), call(None, "{}", complete=False)],
        },
    ),
    RepairCase(
        "an answer of Gemini's, and the sentinel of a gateway",
        b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]}\n\n' + DONE,
        b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]}\n\n',
        ("invalid-json@89+12",),
        facts={
            "dialect": "gemini",
            "verdict": "complete",
            "invalid_json": 1,
            "text": "a",
            "finish_reason": "STOP",
            "content_emitted": True,
            "tokens_received": 1,
        },
    ),
    RepairCase(
        "a passage that is said again far back",
        said(
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz!"
        )
        + FINISH
        + DONE,
        SAME,
        facts={
            **answered(
                "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz!",
                1,
            ),
            "events": 3,
        },
    ),
    RepairCase(
        "usage with figures for thoughts",
        (
            b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}], '
            b'"usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2, "thoughtsTokenCount": 5}}\n\n'
        ),
        SAME,
        facts={
            "dialect": "gemini",
            "verdict": "complete",
            "text": "a",
            "finish_reason": "STOP",
            "usage": {"input_tokens": 4, "output_tokens": 2, "thought_tokens": 5},
            "content_emitted": True,
            "tokens_received": 7,
            "tokens_source": "provider",
        },
    ),
    RepairCase(
        "thoughts of Gemini's",
        (
            b'data: {"candidates": [{"content": {"parts": [{"text": "think", "thought": true}]}}]}\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "ing", "thought": true}]}}]}\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "b"}]}, "finishReason": "STOP"}]}\n\n'
        ),
        SAME,
        facts={
            "dialect": "gemini",
            "verdict": "complete",
            "events": 4,
            "text": "ab",
            "reasoning": "thinking",
            "finish_reason": "STOP",
            "content_emitted": True,
            "tokens_received": 4,
        },
    ),
    RepairCase(
        "calls of Gemini's, each whole",
        (
            b'data: {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {"a": '
            b"1}}}]}}]}\n\n"
            b'data: {"candidates": [{"content": {"parts": [{"functionCall": {"name": "g", "args": {}}}]}, '
            b'"finishReason": "STOP"}]}\n\n'
        ),
        SAME,
        facts={
            "dialect": "gemini",
            "verdict": "complete",
            "events": 2,
            "finish_reason": "STOP",
            "content_emitted": True,
            "tokens_received": 2,
            "tool_calls": [call("f", '{"a":1}'), call("g", "{}")],
        },
    ),
    RepairCase(
        "a call of Anthropic's",
        (
            b"event: message_start\n"
            b'data: {"type": "message_start", "message": {"role": "assistant", "usage": {"input_tokens": 3, '
            b'"output_tokens": 1}}}\n\n'
            b"event: content_block_start\n"
            b'data: {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": '
            b'"t", "name": "f", "input": {}}}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", '
            b'"partial_json": "{\\"a\\":"}}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", '
            b'"partial_json": "1}"}}\n\n'
            b'event: content_block_stop\ndata: {"type": "content_block_stop", "index": 0}\n\n'
            b"event: message_delta\n"
            b'data: {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": '
            b'{"output_tokens": 9}}\n\n'
            b'event: message_stop\ndata: {"type": "message_stop"}\n\n'
        ),
        SAME,
        facts={
            "dialect": "anthropic",
            "verdict": "complete",
            "events": 7,
            "finish_reason": "tool_use",
            "usage": {"input_tokens": 3, "output_tokens": 9},
            "content_emitted": True,
            "tokens_received": 9,
            "tokens_source": "provider",
            "tool_calls": [call("f", '{"a":1}', "t")],
        },
    ),
    RepairCase(
        "an answer of the vocabulary",
        (b'event: token\ndata: {"text":"a"}\n\nevent: token\ndata: {"text":"b"}\n\nevent: done\ndata: {"text":""}\n\n'),
        SAME,
        options={"dialect": "vocabulary"},
        facts={"dialect": "vocabulary", "verdict": "complete", "events": 3},
    ),
    RepairCase(
        "the input of a custom tool, whole, in a stream that is cut",
        (
            b"event: response.output_item.added\n"
            b'data: {"type": "response.output_item.added", "output_index": 0, '
            b'"item": {"type": "custom_tool_call", "id": "i", "call_id": "c", "name": "f", "input": ""}}\n\n'
            b"event: response.custom_tool_call_input.delta\n"
            b'data: {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "ls"}\n\n'
            b"event: response.custom_tool_call_input.done\n"
            b'data: {"type": "response.custom_tool_call_input.done", "output_index": 0, "input": "ls"}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "a"}\n\n'
        ),
        (
            b"event: response.output_item.added\n"
            b'data: {"type": "response.output_item.added", "output_index": 0, '
            b'"item": {"type": "custom_tool_call", "id": "i", "call_id": "c", "name": "f", "input": ""}}\n\n'
            b"event: response.custom_tool_call_input.delta\n"
            b'data: {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "ls"}\n\n'
            b"event: response.custom_tool_call_input.done\n"
            b'data: {"type": "response.custom_tool_call_input.done", "output_index": 0, "input": "ls"}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "a"}\n\n'
            b"event: error\n"
            b'data: {"type": "error", "sequence_number": 0, "code": "truncated", '
            b'"message": "The stream ended before it was complete.", "param": null, '
            b'"error": {"message": "The stream ended before it was complete.", '
            b'"type": "unbroken_error", "code": "truncated"}}\n\n'
        ),
        facts={
            **answered("a", 4, None),
            **failure("truncated"),
            "dialect": "openai-responses",
            "events": 4,
            "tool_calls": [call("f", "ls", "c", kind="custom")],
        },
    ),
    RepairCase(
        "a call of the AI SDK",
        (
            b'data: {"type":"start","messageId":"m"}\n\n'
            b'data: {"type":"tool-input-start","toolCallId":"c","toolName":"f"}\n\n'
            b'data: {"type":"tool-input-delta","toolCallId":"c","inputTextDelta":"{}"}\n\n'
            b'data: {"type":"tool-input-available","toolCallId":"c","toolName":"f","input":{}}\n\n'
            b'data: {"type":"finish"}\n\n'
        )
        + DONE,
        SAME,
        facts={
            **answered("", 3, None),
            "dialect": "ai-sdk-ui",
            "events": 6,
            "tool_calls": [call("f", "{}", "c")],
        },
    ),
)
