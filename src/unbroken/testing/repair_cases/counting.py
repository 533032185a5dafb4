"""Heartbeats that are events, for clients that time the events they parse."""

from __future__ import annotations

from typing import Final

from .case import SAME
from .timed import TimedCase

_CHAT: Final = b'data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n'
_LEGACY: Final = (
    b'data: {"id":"a","object":"text_completion","choices":[{"index":0,"text":"x","finish_reason":null}]}\n\n'
)
_CREATED: Final = (
    b"event: response.created\n"
    b'data: {"type":"response.created","sequence_number":0,"response":{"id":"r",'
    b'"created_at":17,"status":"in_progress","tools":[]}}\n\n'
)
_DELTA: Final = (
    b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta","sequence_number":1,"item_id":"i",'
    b'"output_index":0,"content_index":0,"delta":"x"}\n\n'
)
_STARTED: Final = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant"}}\n\n'
_GEMINI: Final = b'data: {"candidates":[{"content":{"parts":[{"text":"x"}]},"index":0}],"modelVersion":"g"}\n\n'
_SPEAKS: Final = b'data: {"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text"}}}}\n\n'
_THINKS: Final = b'data: {"type":"content-start","index":1,"delta":{"message":{"content":{"type":"thinking"}}}}\n\n'
_WORD: Final = b'data: {"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"x"}}}}\n\n'
_CONTENT_ENDS: Final = b'data: {"type":"content-end","index":1}\n\n'
_COMMENT: Final = b":\n\n"
_BEAT: Final = (
    b'data: {"id": "a", "object": "chat.completion.chunk", "model": "m", '
    b'"choices": [{"index": 0, "delta": {}, "finish_reason": null}]}\n\n'
)

CASES: Final[tuple[TimedCase, ...]] = (
    TimedCase(
        "an event as a heartbeat: chat",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CHAT, 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), _BEAT, 14.75),
            ("on_deadline", (15.0,), _BEAT, 19.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 2, "bytes_out": 361},
    ),
    TimedCase(
        "an event as a heartbeat: chat, told as a comment",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CHAT, 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "comment"},
        facts={"heartbeats": 1, "bytes_out": 102},
    ),
    TimedCase(
        "an event as a heartbeat: chat, as lines",
        (
            ("resume", (0.0,), b"", 4.75),
            (
                "feed",
                (_CHAT, 0.25),
                b'{"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n',
                5.0,
            ),
            (
                "on_deadline",
                (10.0,),
                (
                    b'{"id": "a", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, '
                    b'"delta": {}, "finish_reason": null}]}\n'
                ),
                14.75,
            ),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event", "to": "ndjson"},
        facts={"heartbeats": 1, "bytes_out": 216},
    ),
    TimedCase(
        "an event as a heartbeat: chat, as an array",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (b"[" + _CHAT[6:-2], 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), b" ", 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event", "dialect": "openai-chat"},
        facts={"heartbeats": 1, "bytes_out": 93},
    ),
    TimedCase(
        "an event as a heartbeat: chat, with bytes of one's own",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CHAT, 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), b": hi\n\n", 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event", "heartbeat_bytes": b": hi\n\n"},
        facts={"heartbeats": 1, "bytes_out": 105},
    ),
    TimedCase(
        "an event as a heartbeat: chat, before anything came",
        (
            ("resume", (0.0,), b"", 4.75),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event", "dialect": "openai-chat"},
        facts={"heartbeats": 1, "bytes_out": 3},
    ),
    TimedCase(
        "an event as a heartbeat: chat, behind the finish",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CHAT.replace(b"null", b'"stop"'), 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 104},
    ),
    TimedCase(
        "an event as a heartbeat: chat, behind upstream's error",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CHAT, 0.25), SAME, 5.0),
            ("feed", (b'data: {"error":{"message":"m","type":"t","code":null}}\n\n', 0.5), SAME, 5.25),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 158},
    ),
    TimedCase(
        "an event as a heartbeat: chat, where the index counts chunks",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CHAT, 0.25), SAME, 5.0),
            ("feed", (_CHAT.replace(b'"index":0', b'"index":1'), 0.5), SAME, 5.25),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 201},
    ),
    TimedCase(
        "an event as a heartbeat: chat, of the first event of content",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CHAT, 0.25), SAME, 5.0),
            ("feed", (_CHAT.replace(b'"a"', b'"b"'), 0.5), SAME, 5.25),
            ("on_deadline", (10.0,), _BEAT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 329},
    ),
    TimedCase(
        "an event as a heartbeat: chat, of usage behind content",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CHAT, 0.25), SAME, 5.0),
            (
                "feed",
                (
                    (
                        b'data: {"id":"b","model":"n","choices":[],"usage":{"prompt_tokens":1,'
                        b'"completion_tokens":1}}\n\n'
                    ),
                    0.5,
                ),
                SAME,
                5.25,
            ),
            (
                "on_deadline",
                (10.0,),
                (
                    b'data: {"id": "b", "object": "chat.completion.chunk", "model": "n", '
                    b'"choices": [{"index": 0, "delta": {}, "finish_reason": null}]}\n\n'
                ),
                14.75,
            ),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 323},
    ),
    TimedCase(
        "an event as a heartbeat: chat, behind many events of one form",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CHAT, 0.25), SAME, 5.0),
            ("feed", (_CHAT, 0.5), SAME, 5.25),
            ("feed", (_CHAT, 0.75), SAME, 5.5),
            ("feed", (_CHAT, 1.0), SAME, 5.75),
            ("feed", (_CHAT, 1.25), SAME, 6.0),
            ("on_deadline", (10.0,), _BEAT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 626},
    ),
    TimedCase(
        "an event as a heartbeat: chat, behind a comment and a block without data",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (b": c\n\nx: y\n\n", 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event", "dialect": "openai-chat"},
        facts={"heartbeats": 1, "bytes_out": 14},
    ),
    TimedCase(
        "an event as a heartbeat: chat, behind broken JSON that is kept",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (b'data: {"id":\n\n', 0.25), SAME, 5.0),
            ("feed", (_CHAT, 0.5), SAME, 5.25),
            ("on_deadline", (10.0,), _BEAT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event", "invalid_json": "keep", "dialect": "openai-chat"},
        facts={"heartbeats": 1, "bytes_out": 244},
    ),
    TimedCase(
        "an event as a heartbeat: chat, of a payload that is as long as may be",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (b'data: {"id":"a","model":"m","choices":[],"x":"' + 65494 * b"y" + b'"}\n\n', 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), _BEAT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event", "dialect": "openai-chat"},
        facts={"heartbeats": 1, "bytes_out": 65675},
    ),
    TimedCase(
        "an event as a heartbeat: chat, of a payload that is too long",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (b'data: {"id":"a","model":"m","choices":[],"x":"' + 65495 * b"y" + b'"}\n\n', 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event", "dialect": "openai-chat"},
        facts={"heartbeats": 1, "bytes_out": 65548},
    ),
    TimedCase(
        "an event as a heartbeat: completions",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_LEGACY, 0.25), SAME, 5.0),
            (
                "on_deadline",
                (10.0,),
                (
                    b'data: {"id": "a", "object": "text_completion", "choices": [{"index": 0, "text": "", '
                    b'"logprobs": null, "finish_reason": null}]}\n\n'
                ),
                14.75,
            ),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 229},
    ),
    TimedCase(
        "an event as a heartbeat: Responses",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CREATED, 0.25), SAME, 5.0),
            ("feed", (_DELTA, 0.5), SAME, 5.25),
            (
                "on_deadline",
                (10.0,),
                (
                    b"event: response.in_progress\n"
                    b'data: {"type": "response.in_progress", "sequence_number": 1, "response": {"id": "r", '
                    b'"created_at": 17, "status": "in_progress", "tools": []}}\n\n'
                ),
                14.75,
            ),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 482},
    ),
    TimedCase(
        "an event as a heartbeat: Responses, with a number beyond every float",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_CREATED.replace(b'"tools":[]', b'"tools":1e999'), 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 157},
    ),
    TimedCase(
        "an event as a heartbeat: Anthropic",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_STARTED, 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), b'event: ping\ndata: {"type": "ping"}\n\n', 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 129},
    ),
    TimedCase(
        "an event as a heartbeat: a vocabulary",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (b'event: delta\ndata: {"text":"x"}\n\n', 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), b"event: ping\ndata: {}\n\n", 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 55},
    ),
    TimedCase(
        "an event as a heartbeat: a conversion",
        (
            ("resume", (0.0,), b"", 4.75),
            (
                "feed",
                (_STARTED, 0.25),
                (
                    b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "", '
                    b'"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, '
                    b'"finish_reason": null}]}\n\n'
                ),
                5.0,
            ),
            (
                "feed",
                (
                    (
                        b"event: content_block_delta\n"
                        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}\n\n'
                    ),
                    0.5,
                ),
                (
                    b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "", '
                    b'"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": null}]}\n\n'
                ),
                5.25,
            ),
            (
                "on_deadline",
                (10.0,),
                (
                    b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "", '
                    b'"choices": [{"index": 0, "delta": {}, "finish_reason": null}]}\n\n'
                ),
                14.75,
            ),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event", "convert": "openai-chat"},
        facts={"heartbeats": 1, "bytes_out": 480},
    ),
    TimedCase(
        "an event as a heartbeat: a conversion, before anything came",
        (
            ("resume", (0.0,), b"", 4.75),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event", "convert": "openai-chat"},
        facts={"heartbeats": 1, "bytes_out": 3},
    ),
    TimedCase(
        "an event as a heartbeat: no known dialect",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (b'data: {"a":1}\n\n', 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 18},
    ),
    TimedCase(
        "an event as a heartbeat: Gemini",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_GEMINI, 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), b'data: {"modelVersion": "g"}\n\n', 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 119},
    ),
    TimedCase(
        "an event as a heartbeat: Gemini, without a word of the model",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_GEMINI.replace(b"modelVersion", b"m"), 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), b"\n", 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 80},
    ),
    TimedCase(
        "an event as a heartbeat: Cohere",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_SPEAKS, 0.25), SAME, 5.0),
            ("feed", (_WORD, 0.5), SAME, 5.25),
            (
                "on_deadline",
                (10.0,),
                (
                    b'event: content-delta\ndata: {"type": "content-delta", "index": 1, '
                    b'"delta": {"message": {"content": {"text": ""}}}}\n\n'
                ),
                14.75,
            ),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 292},
    ),
    TimedCase(
        "an event as a heartbeat: Cohere, while it thinks",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_THINKS, 0.25), SAME, 5.0),
            (
                "on_deadline",
                (10.0,),
                (
                    b'event: content-delta\ndata: {"type": "content-delta", "index": 1, '
                    b'"delta": {"message": {"content": {"thinking": ""}}}}\n\n'
                ),
                14.75,
            ),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 213},
    ),
    TimedCase(
        "an event as a heartbeat: Cohere, between two contents",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (_SPEAKS, 0.25), SAME, 5.0),
            ("feed", (_CONTENT_ENDS, 0.5), SAME, 5.25),
            ("on_deadline", (10.0,), _COMMENT, 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 133},
    ),
    TimedCase(
        "an event as a heartbeat: Ollama",
        (
            ("resume", (0.0,), b"", 4.75),
            ("feed", (b'{"model":"m","message":{"role":"assistant","content":"x"},"done":false}\n', 0.25), SAME, 5.0),
            ("on_deadline", (10.0,), b" ", 14.75),
        ),
        {"heartbeat": 5.0},
        options={"heartbeat_as": "event"},
        facts={"heartbeats": 1, "bytes_out": 73},
    ),
)
