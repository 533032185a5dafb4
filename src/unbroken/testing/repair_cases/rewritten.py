"""Streams that are written in another framing: their values, sentinels, errors and ends."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, RepairCase, answered, error_of_ours, failure, said
from .paced import ANTHROPIC_END

_FIRST: Final = b'data: {"a":1}\n\n'
_START: Final = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}}\n\n'
)
_SAID: Final = b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n'
_SAID_MORE: Final = b'{"choices":[{"index":0,"delta":{"content":"b"}}]}\n'
_FINISHED: Final = b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n'

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "words with quotes and blanks, as lines",
        b'data: hello "x"\n\ndata:  a \n\ndata: \tb\t\n\n',
        b'"hello \\"x\\""\n" a "\n"\\tb\\t"\n',
        options={"to": "ndjson"},
        facts={"events": 3},
        leaves=(17, 28, 39),
    ),
    RepairCase(
        "a document between tabs, as a line",
        b'data: \t{"a":1}\t\n\n',
        b'{"a":1}\n',
        options={"to": "ndjson"},
        leaves=(17,),
    ),
    RepairCase(
        "an id, a name and a time, as a line",
        b"id: 3\nevent: x\nretry: 5\n" + _FIRST,
        b'{"a":1}\n',
        options={"to": "ndjson"},
        facts={"last_event_id": "3", "retry": 5},
        leaves=(39,),
    ),
    RepairCase(
        "a document and words over lines of data, as lines",
        b'data: {"a":\ndata: 1}\n\ndata: a\ndata: b\n\n',
        b'{"a":1}\n"a\\nb"\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(22, 39),
    ),
    RepairCase(
        "separators in a document and in words, as lines",
        b'data: {"a":"\xe2\x80\xa8"}\n\ndata: \xe2\x80\xa8\n\n',
        b'{"a":"\\u2028"}\n"\\u2028"\n',
        options={"to": "ndjson"},
        facts={"events": 2, "respellings": {"separator": 1}},
        leaves=(19, 30),
    ),
    RepairCase(
        "values that are no documents, as lines",
        b'data: 7\n\ndata: "s"\n\ndata: null\n\ndata: true\n\n',
        b'7\n"s"\nnull\ntrue\n',
        options={"to": "ndjson"},
        facts={"events": 4},
        leaves=(9, 20, 32, 44),
    ),
    RepairCase(
        "half of a surrogate pair, as a line",
        b'data: {"a":"\\ud83d"}\n\n',
        b'{"a":"\\ud83d"}\n',
        options={"to": "ndjson"},
        leaves=(22,),
    ),
    RepairCase(
        "the sentinel as a string that is a payload, as a line",
        _FIRST + b'data: "[DONE]"\n\ndata: {"b":1}\n\n',
        b'{"a":1}\n"\\u005bDONE]"\n{"b":1}\n',
        options={"to": "ndjson"},
        facts={"events": 3},
        leaves=(15, 31, 46),
    ),
    RepairCase(
        "the sentinel as a string that is a payload of chat, as a line",
        said("a") + b'data: "[DONE]"\n\n' + FINISH + DONE,
        _SAID + b'"\\u005bDONE]"\n' + _FINISHED,
        options={"to": "ndjson"},
        facts={**answered("a", 1), "events": 4},
        leaves=(57, 73, 140),
    ),
    RepairCase(
        "the sentinel where no dialect is known, as lines",
        _FIRST + DONE,
        b'{"a":1}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15,),
    ),
    RepairCase(
        "a named error with a message, as a line",
        _FIRST + b'event: error\ndata: {"message":"m"}\n\n',
        b'{"a":1}\n{"error": {"message":"m"}}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 51),
    ),
    RepairCase(
        "a named error whose type says so, as a line",
        _FIRST + b'event: error\ndata: {"type":"error"}\n\n',
        b'{"a":1}\n{"type":"error"}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 52),
    ),
    RepairCase(
        "a named error whose object says so, as a line",
        _FIRST + b'event: error\ndata: {"object":"error"}\n\n',
        b'{"a":1}\n{"object":"error"}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 54),
    ),
    RepairCase(
        "a named error whose type says another thing, as a line",
        _FIRST + b'event: error\ndata: {"type":"message"}\n\n',
        b'{"a":1}\n{"error": {"type":"message"}}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 54),
    ),
    RepairCase(
        "a named error with null under error, as a line",
        _FIRST + b'event: error\ndata: {"error":null,"m":1}\n\n',
        b'{"a":1}\n{"error": {"error":null,"m":1}}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 56),
    ),
    RepairCase(
        "a named error that is a string, as a line",
        _FIRST + b'event: error\ndata: "boom"\n\n',
        b'{"a":1}\n{"error": "boom"}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 42),
    ),
    RepairCase(
        "a named error that is an empty string, as a line",
        _FIRST + b'event: error\ndata: ""\n\n',
        b'{"a":1}\n{"error": true}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 38),
    ),
    RepairCase(
        "a named error that is an empty object, as a line",
        _FIRST + b"event: error\ndata: {}\n\n",
        b'{"a":1}\n{"error": true}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 38),
    ),
    RepairCase(
        "a named error that is an empty list, as a line",
        _FIRST + b"event: error\ndata: []\n\n",
        b'{"a":1}\n{"error": true}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 38),
    ),
    RepairCase(
        "a named error that is a list, as a line",
        _FIRST + b"event: error\ndata: [1]\n\n",
        b'{"a":1}\n{"error": [1]}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 39),
    ),
    RepairCase(
        "a named error that is zero, as a line",
        _FIRST + b"event: error\ndata: 0\n\n",
        b'{"a":1}\n{"error": true}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 37),
    ),
    RepairCase(
        "a named error that is seven, as a line",
        _FIRST + b"event: error\ndata: 7\n\n",
        b'{"a":1}\n{"error": 7}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 37),
    ),
    RepairCase(
        "a named error without words, as a line",
        _FIRST + b"event: error\ndata: \n\n",
        b'{"a":1}\n{"error": true}\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 36),
    ),
    RepairCase(
        "a named error of chat, as a line",
        said("a") + b'event: error\ndata: {"message":"m"}\n\n',
        _SAID + b'{"error": {"message":"m"}}\n',
        options={"to": "ndjson"},
        facts={"detail": "m", **answered("a", 1, None), **failure("upstream-error"), "events": 2},
        leaves=(57, 93),
    ),
    RepairCase(
        "a named error that holds content and a large number, as a line",
        said("a")
        + (
            b"event: error\n"
            b'data: {"choices":[{"index":0,"delta":{"content":"b"}}],"error":null,'
            b'"n":12345678901234567890}\n\n'
        ),
        _SAID + (b'{"choices": [{"index": 0, "delta": {"content": "b"}}], "error": true, "n": 12345678901234567890}\n'),
        options={"to": "ndjson"},
        facts={**answered("ab", 2, None), **failure("upstream-error"), "events": 2},
        leaves=(57, 165),
    ),
    RepairCase(
        "an answer of Anthropic's that is cut, as lines",
        _START,
        (
            b'{"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}}\n'
            b'{"type": "error", "message": "The stream ended before it was complete.", "error": '
            b'{"type": "api_error", "message": "The stream ended before it was complete.", "code": '
            b'"truncated", "origin": "unbroken_error"}}\n'
        ),
        options={"to": "ndjson"},
        facts={**failure("truncated", safe_to_retry=True), "dialect": "anthropic"},
        leaves=(105,),
    ),
    RepairCase(
        "an answer of chat that is cut, as lines",
        said("a"),
        _SAID + error_of_ours("truncated") + b"\n",
        options={"to": "ndjson"},
        facts={**answered("a", 1, None), **failure("truncated")},
        leaves=(57,),
    ),
    RepairCase(
        "an array with a document over lines and the sentinel as a string, as lines",
        b'[{"a":1},{"b":[1,\n2]},7,"[DONE]"]',
        b'{"a":1}\n{"b":[1,2]}\n7\n"\\u005bDONE]"\n',
        options={"to": "ndjson"},
        facts={"format": "json-array", "events": 4},
        leaves=(8, 21, 24, 32),
    ),
    RepairCase(
        "an array with a document over lines, as events",
        b'[{"a":1},{"b":[1,\n2]}]',
        _FIRST + b'data: {"b":[1,\ndata: 2]}\n\n',
        options={"to": "sse"},
        facts={"format": "json-array", "events": 2},
        leaves=(8, 21),
    ),
    RepairCase(
        "an array of chat that is cut, as lines",
        b'[{"choices":[{"index":0,"delta":{"content":"a"}}]}]',
        _SAID + error_of_ours("truncated") + b"\n",
        options={"to": "ndjson"},
        facts={**answered("a", 1, None), **failure("truncated"), "format": "json-array"},
        leaves=(50,),
    ),
    RepairCase(
        "an array of Anthropic's without names, as events",
        (b'[{"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}},{"type":"message_stop"}]'),
        _START + ANTHROPIC_END,
        options={"to": "sse"},
        facts={"format": "json-array", "dialect": "anthropic", "verdict": "complete", "events": 2},
        leaves=(77, 101),
    ),
    RepairCase(
        "coded lines, as events",
        b'0:"a"\n0:"b"\nd:{"finishReason":"stop"}\n',
        b'event: 0\ndata: "a"\n\nevent: 0\ndata: "b"\n\nevent: d\ndata: {"finishReason":"stop"}\n\n',
        options={"to": "sse"},
        facts={
            "format": "coded-lines",
            "dialect": "ai-sdk-data-v4",
            "verdict": "complete",
            "events": 3,
            "text": "ab",
            "finish_reason": "stop",
            "content_emitted": True,
            "tokens_received": 2,
        },
        leaves=(14, 38),
    ),
    RepairCase(
        "coded lines, as lines",
        b'0:"a"\n0:"b"\nd:{"finishReason":"stop"}\n',
        b'{"0": "a"}\n{"0": "b"}\n{"d": {"finishReason":"stop"}}\n',
        options={"to": "ndjson"},
        facts={
            "format": "coded-lines",
            "dialect": "ai-sdk-data-v4",
            "verdict": "complete",
            "events": 3,
            "text": "ab",
            "finish_reason": "stop",
            "content_emitted": True,
            "tokens_received": 2,
        },
        leaves=(14, 38),
    ),
    RepairCase(
        "coded lines that are cut, as events",
        b'0:"a"\n0:"b"\n',
        (
            b'event: 0\ndata: "a"\n\nevent: 0\ndata: "b"\n\nevent: 3\n'
            b'data: "The stream ended before it was complete."\n\n'
        ),
        options={"to": "sse"},
        facts={
            **failure("truncated"),
            "format": "coded-lines",
            "dialect": "ai-sdk-data-v4",
            "events": 2,
            "text": "ab",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "coded lines that are cut, as lines",
        b'0:"a"\n0:"b"\n',
        b'{"0": "a"}\n{"0": "b"}\n{"3": "The stream ended before it was complete."}\n',
        options={"to": "ndjson"},
        facts={
            **failure("truncated"),
            "format": "coded-lines",
            "dialect": "ai-sdk-data-v4",
            "events": 2,
            "text": "ab",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "coded lines of an error, as events",
        b'0:"a"\n3:"m"\n',
        b'event: 0\ndata: "a"\n\nevent: 3\ndata: "m"\n\n',
        options={"to": "sse"},
        facts={
            "detail": "m",
            **failure("upstream-error"),
            "format": "coded-lines",
            "dialect": "ai-sdk-data-v4",
            "events": 2,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
    ),
    RepairCase(
        "coded lines of an error, as lines",
        b'0:"a"\n3:"m"\n',
        b'{"0": "a"}\n{"3": "m"}\n',
        options={"to": "ndjson"},
        facts={
            "detail": "m",
            **failure("upstream-error"),
            "format": "coded-lines",
            "dialect": "ai-sdk-data-v4",
            "events": 2,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
    ),
    RepairCase(
        "an id that is half of a surrogate pair, converted",
        (
            b"event: message_start\n"
            b'data: {"type":"message_start","message":{"id":"\\ud83d","model":"x","role":"assistant"}}\n\n'
        )
        + ANTHROPIC_END,
        (
            b'data: {"id": "\\ud83d", "object": "chat.completion.chunk", "created": 0, "model": "x",'
            b' "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, '
            b'"finish_reason": null}]}\n\n'
            b'data: {"id": "\\ud83d", "object": "chat.completion.chunk", "created": 0, "model": "x",'
            b' "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
        )
        + DONE,
        options={"convert": "openai-chat"},
        facts={"dialect": "anthropic", "verdict": "complete", "events": 2},
        leaves=(110, 161),
    ),
    RepairCase(
        "a model that is half of a surrogate pair, converted to lines",
        (
            b"event: message_start\n"
            b'data: {"type":"message_start","message":{"id":"m","model":"\\ud83d","role":"assistant"}}\n\n'
        )
        + ANTHROPIC_END,
        (
            b'{"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "\\ud83d", '
            b'"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, '
            b'"finish_reason": null}]}\n'
            b'{"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "\\ud83d", '
            b'"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n'
        ),
        options={"convert": "openai-chat", "to": "ndjson"},
        facts={"dialect": "anthropic", "verdict": "complete", "events": 2},
        leaves=(110, 161),
    ),
    RepairCase(
        "separators in a text, converted",
        _START
        + (
            b"event: content_block_start\n"
            b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text",'
            b'"text":"\\u2028\xc3\xa9"}}\n\n'
        )
        + ANTHROPIC_END,
        (
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", '
            b'"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, '
            b'"finish_reason": null}]}\n\n'
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", '
            b'"choices": [{"index": 0, "delta": {"content": "\\u2028\xc3\xa9"}, "finish_reason": '
            b"null}]}\n\n"
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", '
            b'"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
        )
        + DONE,
        options={"convert": "openai-chat"},
        facts={
            "dialect": "anthropic",
            "verdict": "complete",
            "events": 3,
            "text": "\u2028é",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(105, 230, 281),
    ),
)
