"""Another framing, another dialect."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, RepairCase, answered, error_of_ours, failure, said, told

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "an answer of chat as lines",
        said("a") + FINISH + DONE,
        (
            b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n'
            b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n'
        ),
        options={"to": "ndjson"},
        facts={**answered("a", 1), "events": 3},
    ),
    RepairCase(
        "an answer of chat as lines, without a finish",
        said("a") + DONE,
        b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n"[DONE]"\n',
        options={"to": "ndjson"},
        facts={**answered("a", 1, None), "events": 2},
    ),
    RepairCase(
        "an answer of chat as lines, and back",
        b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n"[DONE]"\n',
        said("a") + DONE,
        options={"to": "sse"},
        facts={**answered("a", 1, None), "format": "ndjson", "events": 2},
    ),
    RepairCase(
        "words as lines",
        b'data: hello\n\ndata: "a"\n\ndata: {"a":\ndata: 1}\n\n',
        b'"hello"\n"a"\n{"a":1}\n',
        options={"to": "ndjson"},
        facts={"events": 3},
    ),
    RepairCase(
        "a named error as a line",
        said("a") + b'event: error\ndata: {"code":5}\n\n',
        b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n{"error": {"code":5}}\n',
        options={"to": "ndjson"},
        facts={**answered("a", 1, None), **failure("upstream-error"), "events": 2},
    ),
    RepairCase(
        "lines as events",
        b'{"a":1}\n7\n{"b":\n2}\n',
        b'data: {"a":1}\n\ndata: 7\n\ndata: {"b":2}\n\n',
        ("raw-newline@10+8",),
        options={"to": "sse"},
        facts={"format": "ndjson", "events": 3},
    ),
    RepairCase(
        "an array as events",
        b'[{"a":1},{"b":2}]',
        b'data: {"a":1}\n\ndata: {"b":2}\n\n',
        options={"to": "sse"},
        facts={"format": "json-array", "events": 2},
    ),
    RepairCase(
        "an answer converted",
        (
            b'data: {"type": "message_start", "message": {"id": "m", "model": "x", "role": "assistant", '
            b'"usage": {"input_tokens": 3, "output_tokens": 1}}}\n\n'
            b'data: {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}\n\n'
            b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}\n\n'
            b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "b"}}\n\n'
            b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "c"}}\n\n'
            b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "d"}}\n\n'
            b'data: {"type": "content_block_stop", "index": 0}\n\n'
            b'data: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": '
            b'{"output_tokens": 4}}\n\n'
            b'data: {"type": "message_stop"}\n\n'
        ),
        (
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", "choices": '
            b'[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}]}\n\n'
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", "choices": '
            b'[{"index": 0, "delta": {"content": "a"}, "finish_reason": null}]}\n\n'
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", "choices": '
            b'[{"index": 0, "delta": {"content": "b"}, "finish_reason": null}]}\n\n'
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", "choices": '
            b'[{"index": 0, "delta": {"content": "c"}, "finish_reason": null}]}\n\n'
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", "choices": '
            b'[{"index": 0, "delta": {"content": "d"}, "finish_reason": null}]}\n\n'
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", "choices": '
            b'[{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", "choices": [], '
            b'"usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}\n\n'
        )
        + DONE,
        (
            "event-name-restored@0+140",
            "event-name-restored@142+96",
            "event-name-restored@240+95",
            "event-name-restored@337+95",
            "event-name-restored@434+95",
            "event-name-restored@531+95",
            "event-name-restored@628+48",
            "event-name-restored@678+100",
            "event-name-restored@780+30",
        ),
        options={"convert": "openai-chat"},
        facts={
            "dialect": "anthropic",
            "verdict": "complete",
            "events": 9,
            "text": "abcd",
            "finish_reason": "end_turn",
            "usage": {"input_tokens": 3, "output_tokens": 4},
            "content_emitted": True,
            "tokens_received": 4,
            "tokens_source": "provider",
        },
    ),
    RepairCase(
        "an answer converted to lines",
        (
            b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "b"}]}}]}\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "c"}]}}]}\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "d"}]}, "finishReason": "STOP"}]}\n\n'
        ),
        (
            b'{"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
            b'[{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": null}]}\n'
            b'{"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
            b'[{"index": 0, "delta": {"content": "b"}, "finish_reason": null}]}\n'
            b'{"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
            b'[{"index": 0, "delta": {"content": "c"}, "finish_reason": null}]}\n'
            b'{"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
            b'[{"index": 0, "delta": {"content": "d"}, "finish_reason": null}]}\n'
            b'{"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
            b'[{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n'
        ),
        options={"convert": "openai-chat", "to": "ndjson"},
        facts={
            "dialect": "gemini",
            "verdict": "complete",
            "events": 4,
            "text": "abcd",
            "finish_reason": "STOP",
            "content_emitted": True,
            "tokens_received": 4,
        },
    ),
    RepairCase(
        "an answer that was cut, converted",
        (
            b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "b"}]}}]}\n\n'
        ),
        (
            b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", '
            b'"choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": null}]}\n\n'
            b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", '
            b'"choices": [{"index": 0, "delta": {"content": "b"}, "finish_reason": null}]}\n\n'
        )
        + told("truncated"),
        options={"convert": "openai-chat"},
        facts={
            **failure("truncated"),
            "dialect": "gemini",
            "events": 2,
            "text": "ab",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "an error converted",
        (
            b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}\n\n'
            b'data: {"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}\n\n'
        ),
        (
            b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", '
            b'"choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": null}]}\n\n'
        )
        + told("overloaded"),
        options={"convert": "openai-chat"},
        facts={
            "detail": "m",
            **failure("overloaded", "UNAVAILABLE", 503),
            "dialect": "gemini",
            "events": 2,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
    ),
    RepairCase(
        "chat converted to chat, the sentinel missing",
        said("a") + FINISH,
        said("a") + FINISH + DONE,
        ("missing-done@124+0",),
        options={"convert": "openai-chat"},
        facts={**answered("a", 1), "events": 2},
    ),
    RepairCase(
        "words before an answer that is converted",
        (
            b': c\n\ndata: hello\n\ndata: {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}\n\n'
            b"event: x\nid: 1\n\n"
            b'data: {"candidates": [{"content": {"parts": [{"text": "b"}]}, "finishReason": "STOP"}]}\n\n'
        ),
        (
            b": c\n\ndata: hello\n\n"
            b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", '
            b'"choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": null}]}\n\n'
            b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", '
            b'"choices": [{"index": 0, "delta": {"content": "b"}, "finish_reason": null}]}\n\n'
            b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", '
            b'"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
        )
        + DONE,
        options={"convert": "openai-chat"},
        facts={
            "dialect": "gemini",
            "verdict": "complete",
            "respellings": {"bare-block": 1},
            "events": 3,
            "comments": 1,
            "last_event_id": "1",
            "text": "ab",
            "finish_reason": "STOP",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "an error in lines that is only a name",
        said("a") + b"event: error\ndata: {}\n\n",
        b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n{"error": true}\n',
        options={"to": "ndjson"},
        facts={**answered("a", 1, None), **failure("upstream-error"), "events": 2},
    ),
    RepairCase(
        "an error in lines that says it already",
        said("a") + b'event: error\ndata: {"error":{"message":"m"}}\n\n',
        b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n{"error":{"message":"m"}}\n',
        options={"to": "ndjson"},
        facts={"detail": "m", **answered("a", 1, None), **failure("upstream-error"), "events": 2},
    ),
    RepairCase(
        "an error in lines that is of another kind",
        said("a") + b'event: error\ndata: {"type":"error","x":1}\n\n',
        b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n{"type":"error","x":1}\n',
        options={"to": "ndjson"},
        facts={**answered("a", 1, None), **failure("upstream-error"), "events": 2},
    ),
    RepairCase(
        "ids and comments where lines are written",
        b': c\n\nid: 1\ndata: {"a":1}\n\nid: 2\n\ndata: {"b":2}\n\n',
        b'{"a":1}\n{"b":2}\n',
        options={"to": "ndjson"},
        facts={"events": 2, "comments": 1, "last_event_id": "2"},
    ),
    RepairCase(
        "a failure where lines are written",
        said("a"),
        b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n' + error_of_ours("truncated") + b"\n",
        options={"to": "ndjson"},
        facts={**answered("a", 1, None), **failure("truncated")},
    ),
    RepairCase(
        "an array that was cut, as events",
        b'[{"a":1},{"b":',
        b'data: {"a":1}\n\n',
        ("unfinished-tail@9+5",),
        options={"to": "sse"},
        facts={"format": "json-array", "verdict": "truncated"},
    ),
    RepairCase(
        "names of Anthropic's where lines become events",
        b'{"type":"message_start","message":{"role":"assistant"}}\n{"type":"message_stop"}\n',
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"role":"assistant"}}\n\n'
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        options={"to": "sse"},
        facts={"format": "ndjson", "dialect": "anthropic", "verdict": "complete", "events": 2},
    ),
)
