"""Errors of upstream's that are told in our words."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, error_of_ours, failure, said, told, told_first

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "an error in OpenAI's form, masked",
        said("a") + b'data: {"error":{"message":"secret","type":"overloaded_error"}}\n\n' + DONE,
        said("a") + told("overloaded"),
        options={"errors": "mask"},
        facts={
            "detail": "secret",
            **answered("a", 1, None),
            **failure("overloaded", "overloaded_error", 529),
            "masked_errors": 1,
            "bytes_in": 119,
        },
        leaves=(57, 121),
    ),
    RepairCase(
        "an error in OpenAI's form, kept",
        said("a") + b'data: {"error":{"message":"words","type":"overloaded_error"}}\n\n' + DONE,
        said("a") + b'data: {"error":{"message":"words","type":"overloaded_error"}}\n\n',
        ("done-after-error@120+12",),
        options={"errors": "keep"},
        facts={
            "detail": "words",
            **answered("a", 1, None),
            **failure("overloaded", "overloaded_error", 529),
            "events": 2,
        },
        leaves=(57, 120),
    ),
    RepairCase(
        "an error in words by name, masked",
        said("a") + b"event: error\ndata: secret\n\n" + FINISH + DONE,
        said("a") + told("upstream-error"),
        options={"errors": "mask", "invalid_json": "keep"},
        facts={
            "detail": "secret",
            **answered("a", 1, None),
            **failure("upstream-error"),
            "invalid_json": 1,
            "masked_errors": 1,
            "bytes_in": 82,
        },
        leaves=(57, 84),
    ),
    RepairCase(
        "an error in words, masked",
        said("a") + b"data: error: secret\n\n" + FINISH + DONE,
        said("a") + told("upstream-error"),
        options={"errors": "mask", "invalid_json": "keep"},
        facts={
            "detail": "error: secret",
            **answered("a", 1, None),
            **failure("upstream-error"),
            "invalid_json": 1,
            "masked_errors": 1,
            "bytes_in": 76,
        },
        leaves=(57, 78),
    ),
    RepairCase(
        "an error in words in prose, masked",
        b"data: hello\n\ndata: error: words\n\ndata: more\n\n",
        SAME,
        options={"errors": "mask"},
        facts={"events": 3},
        leaves=(13, 33, 45),
    ),
    RepairCase(
        "an error by name in prose, masked",
        b"data: hello\n\nevent: error\ndata: secret\n\ndata: more\n\n",
        b"data: hello\n\n" + told("upstream-error", name="error"),
        options={"errors": "mask"},
        facts={"detail": "secret", **failure("upstream-error"), "masked_errors": 1, "bytes_in": 38},
        leaves=(13, 40),
    ),
    RepairCase(
        "an error by name of no dialect, masked",
        b'event: error\ndata: {"message":"secret"}\n\ndata: {"a":1}\n\n',
        told_first("upstream-error"),
        options={"errors": "mask"},
        facts={
            "detail": '{"message":"secret"}',
            **failure("upstream-error", safe_to_retry=True),
            "events": 0,
            "masked_errors": 1,
            "bytes_in": 39,
        },
        leaves=(41,),
    ),
    RepairCase(
        "JSON that tells of an error, masked",
        said("a") + b'data: {"choices":[],"note":"error: x"}\n\n' + FINISH + DONE,
        SAME,
        options={"errors": "mask"},
        facts={**answered("a", 1), "events": 4},
        leaves=(57, 97, 164, 178),
    ),
    RepairCase(
        "an error of ours, which is not masked again",
        said("a") + told("upstream-error"),
        SAME,
        options={"errors": "mask"},
        facts={**answered("a", 1, None), **failure("upstream-error"), "events": 2},
        leaves=(57, 182),
    ),
    RepairCase(
        "an error of ours by name, which is not masked again",
        said("a") + told("upstream-error", name="error"),
        SAME,
        options={"errors": "mask"},
        facts={**answered("a", 1, None), **failure("upstream-error"), "events": 2},
        leaves=(57, 195),
    ),
    RepairCase(
        "an error that calls itself ours, with other words, masked",
        said("a") + b'data: {"error":{"message":"secret words","type":"unbroken_error","code":"truncated"}}\n\n',
        said("a") + told("truncated"),
        options={"errors": "mask"},
        facts={
            **answered("a", 1, None),
            **failure("truncated"),
            "masked_errors": 1,
            "bytes_in": 142,
            "verdict": "failed",
        },
        leaves=(57, 144),
    ),
    RepairCase(
        "an error before anything else, masked",
        b'data: {"error":{"message":"secret"}}\n\ndata: {"a":1}\n\n',
        told_first("upstream-error"),
        options={"errors": "mask"},
        facts={
            "detail": '{"error":{"message":"secret"}}',
            **failure("upstream-error", safe_to_retry=True),
            "events": 0,
            "masked_errors": 1,
            "bytes_in": 36,
        },
        leaves=(38,),
    ),
    RepairCase(
        "a record of an error before anything else, masked",
        b'data: {"error":"disk full","level":"info"}\n\ndata: {"a":1}\n\n',
        SAME,
        options={"errors": "mask"},
        facts={"events": 2},
        leaves=(44, 59),
    ),
    RepairCase(
        "an error of Anthropic's, masked",
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"role":"assistant"}}\n\n'
            b"event: error\n"
            b'data: {"type":"error","error":{"type":"overloaded_error","message":"secret"}}\n\n'
        ),
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"role":"assistant"}}\n\n'
            b'event: error\ndata: {"type": "error", "message": "The upstream service is overloaded.", '
            b'"error": {"type": "overloaded_error", "message": "The upstream service is overloaded."'
            b', "code": "overloaded", "origin": "unbroken_error"}}\n\n'
        ),
        options={"errors": "mask"},
        facts={
            "detail": "secret",
            **failure("overloaded", "overloaded_error", 529, safe_to_retry=True),
            "dialect": "anthropic",
            "masked_errors": 1,
            "bytes_in": 174,
        },
        leaves=(84, 176),
    ),
    RepairCase(
        "an error in a flawed block, masked",
        said("a") + b'data: {"x":\ndata: {"error":{"message":"secret"}}\n\n' + DONE,
        said("a") + told("upstream-error"),
        ("invalid-json@57+48",),
        options={"errors": "mask"},
        facts={
            "detail": "secret",
            **answered("a", 1, None),
            **failure("upstream-error"),
            "invalid_json": 1,
            "masked_errors": 1,
            "bytes_in": 105,
        },
        leaves=(57, 107),
    ),
    RepairCase(
        "an error line, masked",
        said("a") + b'error: {"message":"secret"}\n\n' + DONE,
        said("a") + told("upstream-error"),
        ("error-line@57+27",),
        options={"errors": "mask"},
        facts={
            "detail": "secret",
            **answered("a", 1, None),
            **failure("upstream-error"),
            "masked_errors": 1,
            "bytes_in": 84,
        },
        leaves=(57, 85),
    ),
    RepairCase(
        "two errors, masked",
        said("a") + b'data: {"error":{"message":"secret"}}\n\ndata: {"error":{"message":"again"}}\n\n',
        said("a") + told("upstream-error"),
        options={"errors": "mask"},
        facts={
            "detail": "secret",
            **answered("a", 1, None),
            **failure("upstream-error"),
            "masked_errors": 1,
            "bytes_in": 93,
        },
        leaves=(57, 95),
    ),
    RepairCase(
        "an error in lines, masked",
        b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n{"error":{"message":"secret"}}\n',
        (
            b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n'
            b'{"error": {"message": "The upstream service reported an error.", '
            b'"type": "unbroken_error", "code": "upstream-error"}}\n'
        ),
        options={"errors": "mask"},
        facts={
            "detail": "secret",
            **answered("a", 1, None),
            **failure("upstream-error"),
            "format": "ndjson",
            "masked_errors": 1,
            "bytes_in": 80,
        },
        leaves=(50, 81),
    ),
    RepairCase(
        "an answer glued to a masked error",
        said("a")
        + (
            b'data: {"error":{"message":"x"}}{"choices":[{"index":0,"delta":{"content":"PHANTOM"},"'
            b'finish_reason":"stop"}]}\n'
            b"\n"
        ),
        said("a") + told("upstream-error"),
        ("glued-json@57+109",),
        options={"errors": "mask", "dialect": "openai-chat"},
        facts={
            **failure("upstream-error"),
            "dialect": "openai-chat",
            "bytes_in": 166,
            "masked_errors": 1,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(57, 168),
    ),
    RepairCase(
        "an answer without data behind a masked error",
        said("a")
        + (
            b'data: {"error":{"message":"x"}}\n'
            b'{"choices":[{"index":0,"delta":{"content":"PHANTOM"},"finish_reason":"stop"}]}\n'
            b"\n"
        ),
        said("a") + told("upstream-error"),
        ("missing-blank-line@89+0",),
        options={"errors": "mask", "dialect": "openai-chat"},
        facts={
            **failure("upstream-error"),
            "dialect": "openai-chat",
            "bytes_in": 89,
            "masked_errors": 1,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(57, 168),
    ),
    RepairCase(
        "an answer behind a masked error line",
        said("a")
        + (
            b'id: 1\nerror: {"code":1}\n'
            b'{"choices":[{"index":0,"delta":{"content":"PHANTOM"},"finish_reason":"stop"}]}\n'
            b"\n"
        ),
        said("a") + b"id: 1\n" + told("upstream-error"),
        (
            "missing-blank-line@81+0",
            "error-line@57+23",
        ),
        options={"errors": "mask", "dialect": "openai-chat"},
        facts={
            **failure("upstream-error"),
            "dialect": "openai-chat",
            "bytes_in": 81,
            "masked_errors": 1,
            "last_event_id": "1",
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(57, 160),
    ),
    RepairCase(
        "a sentinel without data behind a masked error",
        said("a") + b'data: {"error":{"message":"x"}}\n[DONE]\n\n',
        said("a") + told("upstream-error"),
        ("missing-blank-line@89+0",),
        options={"errors": "mask", "dialect": "openai-chat"},
        facts={
            **failure("upstream-error"),
            "dialect": "openai-chat",
            "bytes_in": 89,
            "masked_errors": 1,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(57, 96),
    ),
    RepairCase(
        "an answer glued to a masked error, in lines",
        (b'{"a":1}\n{"error":"x"}{"choices":[{"index":0,"delta":{"content":"PHANTOM"},"finish_reason":"stop"}]}\n'),
        b'{"a":1}\n' + error_of_ours("upstream-error") + b"\n",
        ("glued-json@8+91",),
        options={"errors": "mask", "dialect": "openai-chat"},
        facts={
            **failure("upstream-error", safe_to_retry=True),
            "format": "ndjson",
            "dialect": "openai-chat",
            "bytes_in": 99,
            "masked_errors": 1,
        },
        leaves=(8, 100),
    ),
    RepairCase(
        "a sentinel of no dialect before a masked error, as lines",
        DONE + b'data: {"error":{"message":"secret"}}\n\n',
        error_of_ours("upstream-error") + b"\n",
        options={"errors": "mask", "to": "ndjson"},
        facts={**failure("upstream-error"), "bytes_in": 50, "masked_errors": 1},
        leaves=(52,),
    ),
    RepairCase(
        "a text under the name error, masked",
        (
            b'event: error\ndata: {"index":1,"token":{"id":1,"text":"Hi","logprob":-0.5,"special":fa'
            b'lse},"generated_text":null,"details":null}\n'
            b"\n"
        ),
        told("upstream-error"),
        options={"dialect": "tgi", "errors": "mask"},
        facts={
            **failure("upstream-error", safe_to_retry=True),
            "dialect": "tgi",
            "bytes_in": 127,
            "events": 0,
            "masked_errors": 1,
        },
        leaves=(129,),
    ),
    RepairCase(
        "an error of another form behind an event, masked and converted",
        b'data: {"a":1}\n\ndata: {"type":"error","errorText":"secret"}\n\n',
        b'data: {"a":1}\n\n' + told("upstream-error"),
        options={"convert": "openai-chat", "errors": "mask"},
        facts={
            **failure("upstream-error", safe_to_retry=True),
            "dialect": "ai-sdk-ui",
            "bytes_in": 58,
            "masked_errors": 1,
        },
        leaves=(15, 60),
    ),
)
