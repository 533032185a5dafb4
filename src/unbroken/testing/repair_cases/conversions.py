"""Conversions with an id, a model and errors of one's own."""

from __future__ import annotations

from typing import Final

from ...core.conversion import Conversion
from .case import DONE, SAME, RepairCase, answered, call, error_of_ours, failure, said, told
from .paced import ANTHROPIC_END, ANTHROPIC_START

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a conversion with an id and a model",
        (
            b"event: message_start\n"
            b'data: {"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}}\n\n'
            b"event: content_block_start\n"
            b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n'
            b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        (
            b'data: {"id": "mine", "object": "chat.completion.chunk", "created": 0, '
            b'"model": "my-model", "choices": [{"index": 0, "delta": {"role": "assistant", '
            b'"content": ""}, "finish_reason": null}]}\n\n'
            b'data: {"id": "mine", "object": "chat.completion.chunk", "created": 0, '
            b'"model": "my-model", "choices": [{"index": 0, "delta": {"content": "a"}, '
            b'"finish_reason": null}]}\n\n'
            b'data: {"id": "mine", "object": "chat.completion.chunk", "created": 0, '
            b'"model": "my-model", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
        )
        + DONE,
        options={"convert": Conversion(id="mine", model="my-model")},
        facts={
            "dialect": "anthropic",
            "verdict": "complete",
            "events": 5,
            "text": "a",
            "finish_reason": "end_turn",
            "content_emitted": True,
            "tokens_received": 1,
        },
    ),
    RepairCase(
        "a conversion with an id alone",
        (
            b"event: message_start\n"
            b'data: {"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}}\n\n'
            b"event: content_block_start\n"
            b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}\n\n'
        ),
        (
            b'data: {"id": "mine", "object": "chat.completion.chunk", "created": 0, "model": "x", '
            b'"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, '
            b'"finish_reason": null}]}\n\n'
            b'data: {"id": "mine", "object": "chat.completion.chunk", "created": 0, "model": "x", '
            b'"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": null}]}\n\n'
        )
        + told("truncated"),
        options={"convert": Conversion(id="mine")},
        facts={
            **failure("truncated"),
            "dialect": "anthropic",
            "events": 2,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(105, 223),
    ),
    RepairCase(
        "a conversion with a model alone",
        (
            b"event: message_start\n"
            b'data: {"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}}\n\n'
            b"event: content_block_start\n"
            b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}\n\n'
        ),
        (
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, '
            b'"model": "my-model", "choices": [{"index": 0, "delta": {"role": "assistant", '
            b'"content": ""}, "finish_reason": null}]}\n\n'
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, '
            b'"model": "my-model", "choices": [{"index": 0, "delta": {"content": "a"}, '
            b'"finish_reason": null}]}\n\n'
        )
        + told("truncated"),
        options={"convert": Conversion(model="my-model")},
        facts={
            **failure("truncated"),
            "dialect": "anthropic",
            "events": 2,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(105, 223),
    ),
    RepairCase(
        "a conversion with errors in OpenAI's form, of upstream's error",
        (
            b"event: message_start\n"
            b'data: {"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}}\n\n'
            b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"m"}}\n\n'
        ),
        (
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", '
            b'"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, '
            b'"finish_reason": null}]}\n\n'
            b'data: {"error": {"message": "The upstream service is overloaded.", '
            b'"type": "server_error", "param": null, "code": "overloaded"}}\n\n'
        ),
        options={"convert": Conversion(errors="openai")},
        facts={
            "detail": "m",
            **failure("overloaded", "overloaded_error", 529, safe_to_retry=True),
            "dialect": "anthropic",
            "events": 2,
        },
        leaves=(105, 192),
    ),
    RepairCase(
        "a conversion with errors in OpenAI's form, of an answer that is cut",
        (
            b"event: message_start\n"
            b'data: {"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}}\n\n'
        ),
        (
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", '
            b'"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, '
            b'"finish_reason": null}]}\n\n'
            b'data: {"error": {"message": "The stream ended before it was complete.", '
            b'"type": "server_error", "param": null, "code": "truncated"}}\n\n'
        ),
        options={"convert": Conversion(errors="openai")},
        facts={**failure("truncated", safe_to_retry=True), "dialect": "anthropic"},
        leaves=(105,),
    ),
    RepairCase(
        "a conversion with errors in our form, of an answer that is cut",
        (
            b"event: message_start\n"
            b'data: {"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}}\n\n'
        ),
        (
            b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "x", '
            b'"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, '
            b'"finish_reason": null}]}\n\n'
        )
        + told("truncated"),
        options={"convert": Conversion()},
        facts={**failure("truncated", safe_to_retry=True), "dialect": "anthropic"},
        leaves=(105,),
    ),
    RepairCase(
        "a conversion with errors in OpenAI's form of a stream in its dialect",
        said("a"),
        said("a")
        + (
            b'data: {"error": {"message": "The stream ended before it was complete.", '
            b'"type": "server_error", "param": null, "code": "truncated"}}\n\n'
        ),
        options={"convert": Conversion(errors="openai")},
        facts={**answered("a", 1, None), **failure("truncated")},
        leaves=(57,),
    ),
    RepairCase(
        "a conversion with errors in our form of a stream in its dialect",
        said("a"),
        said("a") + told("truncated"),
        options={"convert": Conversion(id="mine")},
        facts={**answered("a", 1, None), **failure("truncated")},
        leaves=(57,),
    ),
    RepairCase(
        "a conversion with errors in OpenAI's form of nothing",
        b"",
        (
            b'data: {"error": {"message": "The upstream service answered with nothing.", '
            b'"type": "server_error", "param": null, "code": "empty"}}\n\n'
        ),
        options={"convert": Conversion(errors="openai"), "empty": "error"},
        facts={**failure("empty", None, 502, safe_to_retry=True), "format": None, "events": 0},
        leaves=(),
    ),
    RepairCase(
        "an end without an answer, converted",
        ANTHROPIC_END,
        b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
        b'[{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n' + DONE,
        options={"convert": Conversion(), "dialect": "anthropic"},
        facts={"dialect": "anthropic", "verdict": "complete"},
    ),
    RepairCase(
        "an end without an answer, which is converted to lines",
        ANTHROPIC_END,
        b'{"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
        b'[{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n',
        options={"convert": Conversion(), "to": "ndjson", "dialect": "anthropic"},
        facts={"dialect": "anthropic", "verdict": "complete"},
    ),
    RepairCase(
        "a name that is missing, where lines are written",
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assist'
            b'ant","content":[]}}\n'
            b"\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n'
            b"\n"
            b'event: message_stop\ndata: {"type":"message_stop"}\n'
            b"\n"
        ),
        (
            b'{"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n'
            b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n'
            b'{"type":"message_stop"}\n'
        ),
        options={"to": "ndjson"},
        facts={
            "dialect": "anthropic",
            "verdict": "complete",
            "events": 3,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(106, 195, 246),
    ),
    RepairCase(
        "an error without its name, where lines are written",
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assist'
            b'ant","content":[]}}\n'
            b"\n"
            b'data: {"type":"error","error":{"type":"overloaded_error","message":"m"}}\n'
            b"\n"
        ),
        (
            b'{"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n'
            b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}\n'
        ),
        options={"to": "ndjson"},
        facts={
            "detail": "m",
            **failure("overloaded", "overloaded_error", status_hint=529, safe_to_retry=True),
            "dialect": "anthropic",
            "events": 2,
        },
        leaves=(106, 180),
    ),
    RepairCase(
        "a sentinel behind Responses, converted",
        (
            b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id'
            b'":"i","output_index":0,"content_index":0,"delta":"a"}\n'
            b"\n"
            b'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r","st'
            b'atus":"completed","output":[]}}\n'
            b"\n"
        )
        + DONE,
        (
            b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": '
            b'"", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_'
            b'reason": null}]}\n'
            b"\n"
            b'data: {"id": "r", "object": "chat.completion.chunk", "created": 0, "model": "", "choi'
            b'ces": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n'
            b"\n"
        )
        + DONE,
        options={"convert": "openai-chat"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 3,
            "text": "a",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(140, 258, 272),
    ),
    RepairCase(
        "a sentinel before the end of Responses, converted",
        (
            b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id'
            b'":"i","output_index":0,"content_index":0,"delta":"a"}\n'
            b"\n"
        )
        + DONE,
        (
            b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": '
            b'"", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_'
            b'reason": null}]}\n'
            b"\n"
        )
        + told("truncated"),
        ("done-after-error@140+12",),
        options={"convert": "openai-chat"},
        facts={
            **failure("truncated"),
            "dialect": "openai-responses",
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(140, 154),
    ),
    RepairCase(
        "a name without data, converted",
        b'event: delta\ndata: {"text":"a"}\n\nevent: done\n\n',
        (
            b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": '
            b'"", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_'
            b'reason": null}]}\n'
            b"\n"
        )
        + told("truncated"),
        options={"convert": "openai-chat"},
        facts={
            **failure("truncated"),
            "dialect": "vocabulary",
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
            "respellings": {"bare-block": 1},
        },
        leaves=(33,),
    ),
    RepairCase(
        "words about an error and the sentinel, converted",
        b'data: {"detail":"no"}\n\n' + DONE,
        b'data: {"detail":"no"}\n\nevent: error\n' + told("upstream-error"),
        ("done-after-error@23+12",),
        options={"convert": "openai-chat"},
        facts={**failure("upstream-error")},
        leaves=(23, 37),
    ),
    RepairCase(
        "an error by its type alone, converted",
        b'data: {"type":"error","message":"m"}\n\n',
        b'data: {"type":"error","message":"m"}\n\nevent: error\n' + told("upstream-error"),
        options={"convert": "openai-chat"},
        facts={**failure("upstream-error")},
        leaves=(38,),
    ),
    RepairCase(
        "an error body alone, converted",
        b'data: {"error":{"message":"m"}}\n\n',
        SAME,
        options={"convert": "openai-chat"},
        facts={**failure("upstream-error")},
        leaves=(33,),
    ),
    RepairCase(
        "words about an error alone, converted",
        b'data: {"detail":"no"}\n\n',
        SAME,
        options={"convert": "openai-chat"},
        leaves=(23,),
    ),
    RepairCase(
        "words about an error and the sentinel, converted to lines",
        b'data: {"detail":"no"}\n\n' + DONE,
        b'{"detail":"no"}\n' + error_of_ours("upstream-error") + b"\n",
        ("done-after-error@23+12",),
        options={"convert": "openai-chat", "to": "ndjson"},
        facts={**failure("upstream-error")},
        leaves=(23, 37),
    ),
    RepairCase(
        "an error in front of events of a dialect, converted",
        (b'data: {"error":{"message":"m"}}\n\nevent: delta\ndata: {"text":"a"}\n\nevent: done\ndata: {}\n\n'),
        b'data: {"error":{"message":"m"}}\n\n' + told("upstream-error"),
        options={"convert": "openai-chat"},
        facts={**failure("upstream-error", safe_to_retry=True), "dialect": "vocabulary", "bytes_in": 64},
        leaves=(33, 66),
    ),
    RepairCase(
        "words and an error in front of events of a dialect, converted",
        (
            b"data: hello\n\n"
            b'data: {"object":"error","message":"m","code":500}\n'
            b"\n"
            b'event: delta\ndata: {"text":"a"}\n'
            b"\n"
            b"event: done\ndata: {}\n"
            b"\n"
        ),
        b'data: hello\n\ndata: {"object":"error","message":"m","code":500}\n\n' + told("upstream-error"),
        options={"convert": "openai-chat"},
        facts={
            **failure("upstream-error", status_hint=500, safe_to_retry=True),
            "dialect": "vocabulary",
            "bytes_in": 95,
            "events": 2,
        },
        leaves=(13, 64, 97),
    ),
    RepairCase(
        "an error of ours within an answer, to be masked and converted",
        b'data: {"type":"text-delta","id":"t","delta":"a"}\n\n'
        + told("truncated")
        + b'data: {"type":"text-delta","id":"t","delta":"b"}\n\n',
        b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
        b'[{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": null}]}\n\n'
        + told("truncated"),
        options={"convert": "openai-chat", "errors": "mask"},
        facts={
            **answered("a", 1, None),
            **failure("truncated"),
            "verdict": "failed",
            "dialect": "ai-sdk-ui",
            "events": 3,
        },
        leaves=(50, 171),
    ),
    RepairCase(
        "arguments that turn out to be others behind the end",
        b'data: {"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"i",'
        b'"call_id":"c","name":"f","arguments":"{}"}}\n\n'
        b'data: {"type":"response.completed","response":{"status":"completed"}}\n\n'
        b'data: {"type":"response.function_call_arguments.done","output_index":0,"item_id":"i",'
        b'"arguments":"{\\"a\\":1}"}\n\n',
        b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
        b'[{"index": 0, "delta": {"role": "assistant", "content": "", "tool_calls": [{"index": 0, "id": "c", '
        b'"type": "function", "function": {"name": "f", "arguments": "{}"}}]}, "finish_reason": null}]}\n\n'
        b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
        b'[{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}\n\n' + told("upstream-error"),
        ("event-name-restored@0+142", "event-name-restored@144+69", "event-name-restored@215+109"),
        options={"convert": "openai-chat"},
        facts={
            **answered("", 2, "completed"),
            "dialect": "openai-responses",
            "events": 3,
            "tool_calls": [call("f", '{"a":1}', "c")],
        },
    ),
    RepairCase(
        "an error of the dialect that is written, and an answer of another one",
        b'data: {"a":1}\n\ndata: {"error":{"message":"m","code":1}}\n\nevent: content_block_delta\n'
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}\n\n',
        b'data: {"a":1}\n\ndata: {"error":{"message":"m","code":1}}\n\n',
        options={"convert": "openai-chat"},
        facts={
            "detail": "m",
            **failure("upstream-error"),
            "dialect": "anthropic",
            "events": 3,
            "content_emitted": True,
        },
        leaves=(15, 57),
    ),
    RepairCase(
        "broken JSON that is kept passes in a conversion as it is",
        ANTHROPIC_START.partition(b"event: content_block_start")[0] + b"data: {broken\n\n" + ANTHROPIC_END,
        b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": [{"index": 0, '
        b'"delta": {"role": "assistant", "content": ""}, "finish_reason": null}]}\n\n'
        b"data: {broken\n\n"
        b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": [{"index": 0, '
        b'"delta": {}, "finish_reason": "stop"}]}\n\n' + DONE,
        options={"convert": "openai-chat", "repairs": ()},
        facts={"dialect": "anthropic", "verdict": "damaged", "events": 3},
    ),
)
