"""Comments, blank lines, pings, and bodies of nothing else."""

from __future__ import annotations

import json
from typing import Final

from ...core.failure import SENTENCES
from .case import DONE, FINISH, SAME, RepairCase, answered, error_of_ours, failure, said, told, told_first

_NOT_A_STREAM: Final = (
    b"event: error\ndata: %b\n\n"
    % json.dumps(
        {
            "type": "error",
            "sequence_number": 0,
            "code": "not-a-stream",
            "message": SENTENCES["not-a-stream"],
            "param": None,
            **json.loads(error_of_ours("not-a-stream")),
        }
    ).encode()
)
"""What says so in OpenAI's Responses."""
_GEMINI: Final = b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n'
_TEXT_OF_GEMINI: Final = {"dialect": "gemini", "text": "a", "content_emitted": True, "tokens_received": 1}
_DIFY: Final = b'data: {"event":"message","task_id":"t","message_id":"m","answer":"a"}\n\n'
_END_OF_DIFY: Final = b'data: {"event":"message_end","task_id":"t","message_id":"m","metadata":{}}\n\n'
_ANSWER_OF_DIFY: Final = _TEXT_OF_GEMINI | {"dialect": "dify", "verdict": "complete", "events": 2}
_BEGIN_OF_ANTHROPIC: Final = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n'
)
_END_OF_ANTHROPIC: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "blank lines behind a comment",
        b": c\n\n\n\ndata: a\n\n\n",
        b": c\n\ndata: a\n\n",
        facts={"respellings": {"blank-line": 3}, "comments": 1},
        leaves=(4, 5, 16),
    ),
    RepairCase(
        "a comment without a blank line, and blank lines behind the event",
        b": c\ndata: a\n\n\n\n",
        b": c\ndata: a\n\n",
        facts={"respellings": {"blank-line": 2}, "comments": 1},
        leaves=(4, 13),
    ),
    RepairCase(
        "a comment and an id, and nothing else, in a named dialect",
        b": c\nid: 1\n\n",
        b": c\nid: 1\n" + told("empty"),
        options={"dialect": "openai-chat"},
        facts={
            **failure("empty", status_hint=502, safe_to_retry=True),
            "dialect": "openai-chat",
            "respellings": {"bare-block": 1},
            "events": 0,
            "comments": 1,
            "last_event_id": "1",
        },
        leaves=(4,),
    ),
    RepairCase(
        "a comment and nothing else, in a named dialect",
        b": c\n\n",
        b": c\n\n" + told("empty"),
        options={"dialect": "openai-chat"},
        facts={
            **failure("empty", status_hint=502, safe_to_retry=True),
            "dialect": "openai-chat",
            "events": 0,
            "comments": 1,
        },
        leaves=(4, 5),
    ),
    RepairCase(
        "fields that look like some, and nothing else",
        b"foo: 1\n\nbar\n\n",
        b"foo: 1\n\nbar: \n\n" + told_first("not-a-stream"),
        facts={
            **failure("not-a-stream", "unrecognised", safe_to_retry=True),
            "respellings": {"field-blank": 1},
            "events": 0,
        },
        leaves=(8, 13),
    ),
    RepairCase(
        "fields that look like some, and a pending id",
        b"foo: 1\n\nid: 7\n\n",
        b"foo: 1\n\nid: 7\n" + told("empty"),
        options={"dialect": "openai-chat"},
        facts={
            **failure("empty", status_hint=502, safe_to_retry=True),
            "dialect": "openai-chat",
            "respellings": {"bare-block": 1},
            "events": 0,
            "last_event_id": "7",
        },
        leaves=(8,),
    ),
    RepairCase(
        "fields that look like some, and a sentinel that is dropped",
        b"foo: 1\n\ndata: [DONE]\n\n",
        b"foo: 1\n\n" + _NOT_A_STREAM,
        ("done-after-error@8+12",),
        options={"dialect": "openai-responses", "empty": "end"},
        facts={
            **failure("not-a-stream", "unrecognised", safe_to_retry=True),
            "dialect": "openai-responses",
            "events": 0,
        },
        leaves=(8, 22),
    ),
    RepairCase(
        "fields that look like some, and a sentinel that is dropped, with an id",
        b"foo: 1\n\nid: 7\ndata: [DONE]\n\n",
        b"foo: 1\n\nid: 7\n\n",
        ("done-after-error@8+18",),
        options={"dialect": "openai-responses", "empty": "end"},
        facts={"dialect": "openai-responses", "events": 0, "last_event_id": "7"},
        leaves=(8, 28),
    ),
    RepairCase(
        "blank lines and nothing else",
        b"\n\n",
        b"",
        facts={"format": None, "events": 0},
        leaves=(),
    ),
    RepairCase(
        "words and nothing else",
        b"hello there\n\nand more\n",
        told_first("not-a-stream"),
        (
            "stray-line@0+11",
            "stray-line@13+8",
            "not-a-stream@0+22",
        ),
        facts={
            **failure("not-a-stream", "unrecognised", safe_to_retry=True),
            "format": None,
            "respellings": {"blank-line": 1},
            "events": 0,
        },
        leaves=(),
    ),
    RepairCase(
        "a comment that is not wanted, and nothing else",
        b": c\n\n",
        b"",
        options={"comments": "drop"},
        facts={"respellings": {"blank-line": 1}, "events": 0, "comments": 1},
        leaves=(),
    ),
    RepairCase(
        "a comment that is not wanted in a block",
        b'data: {"a":\n: c\ndata: 1}\n\n',
        b'data: {"a":\ndata: 1}\n\n',
        options={"comments": "drop"},
        facts={"comments": 1},
        leaves=(26,),
    ),
    RepairCase(
        "pings that are not wanted",
        (
            b'event: ping\ndata: {"type":"ping"}\n\nevent: message_start\n'
            b'data: {"type":"message_start","message":{"role":"assistant"}}\n\nevent: ping\n'
            b'data: {"type":"ping"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"role":"assistant"}}\n\n'
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        options={"comments": "drop", "dialect": "anthropic"},
        facts={"dialect": "anthropic", "verdict": "complete", "events": 2},
        leaves=(119, 205),
    ),
    RepairCase(
        "comments of Gemini's",
        (
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n: a\n\n'
            b': b\ndata: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n'
            b'id: 1\ndata: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n'
            b": c\n\n\n"
            b'data: {"candidates": [{"content": {"parts": [{"text": "d"}]}, "finishReason": "STOP"}]}\n\n'
        ),
        (
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n\n\n\n'
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\nid: 1\n'
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "d"}]}, "finishReason": "STOP"}]}\n\n'
        ),
        facts={
            "dialect": "gemini",
            "verdict": "complete",
            "respellings": {"comment": 3, "blank-line": 2},
            "events": 4,
            "comments": 3,
            "last_event_id": "1",
            "text": "aaad",
            "finish_reason": "STOP",
            "content_emitted": True,
            "tokens_received": 4,
        },
        leaves=(86, 90, 91, 95, 181, 273, 368),
    ),
    RepairCase(
        "comments in blocks of Gemini's",
        (
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n'
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n: a\n'
            b": b\n\n: c\n"
            b'data: {"candidates": [{"content": {"parts": [{"text": "d"}]}, "finishReason": "STOP"}]}\n\n'
        ),
        (
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n'
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "d"}]}, "finishReason": "STOP"}]}\n\n'
        ),
        facts={
            "dialect": "gemini",
            "verdict": "complete",
            "respellings": {"comment": 3},
            "events": 3,
            "comments": 3,
            "text": "aad",
            "finish_reason": "STOP",
            "content_emitted": True,
            "tokens_received": 3,
        },
        leaves=(86, 180, 184, 273),
    ),
    RepairCase(
        "comments of Gemini's that are not wanted",
        (
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n: a\n\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "d"}]}, "finishReason": "STOP"}]}\n\n'
        ),
        (
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n'
            b'data: {"candidates": [{"content": {"parts": [{"text": "d"}]}, "finishReason": "STOP"}]}\n\n'
        ),
        options={"comments": "drop"},
        facts={
            "dialect": "gemini",
            "verdict": "complete",
            "respellings": {"blank-line": 2},
            "events": 2,
            "comments": 1,
            "text": "ad",
            "finish_reason": "STOP",
            "content_emitted": True,
            "tokens_received": 2,
        },
        leaves=(86, 181),
    ),
    RepairCase(
        "a comment and a line of words, and nothing else",
        b": ping\nService unavailable\n",
        b": ping\n",
        ("stray-line@7+19",),
        facts={"events": 0, "comments": 1},
        leaves=(7,),
    ),
    RepairCase(
        "a comment behind an error of Gemini's",
        b'data: {"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}\n\n: ping\n\n',
        SAME,
        facts={
            "detail": "busy",
            **failure("overloaded", "UNAVAILABLE", 503, safe_to_retry=True),
            "dialect": "gemini",
            "comments": 1,
        },
        leaves=(70, 77, 78),
    ),
    RepairCase(
        "a comment of Gemini's, by the standard",
        b": ping\n\n" + _GEMINI,
        SAME,
        options={"dialect": "gemini", "repairs": ()},
        facts=_TEXT_OF_GEMINI | {"verdict": "truncated", "comments": 1},
        leaves=(7, 8, 94),
    ),
    RepairCase(
        "a comment of Gemini's, converted",
        _GEMINI + b": ping\n\n",
        (
            b'data: {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": '
            b'[{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": null}]}\n\n: ping\n'
        )
        + told("truncated"),
        options={"convert": "openai-chat"},
        facts=_TEXT_OF_GEMINI | failure("truncated") | {"comments": 1},
        leaves=(86, 93),
    ),
    RepairCase(
        "a ping without data",
        _DIFY + b"event: ping\n\n" + _END_OF_DIFY,
        SAME,
        facts=_ANSWER_OF_DIFY,
        leaves=(71, 84, 160),
    ),
    RepairCase(
        "a ping without data that is not wanted",
        _DIFY + b"event: ping\n\n" + _END_OF_DIFY,
        _DIFY + _END_OF_DIFY,
        options={"comments": "drop"},
        facts=_ANSWER_OF_DIFY,
        leaves=(71, 160),
    ),
    RepairCase(
        "the id of a ping that is not wanted",
        _BEGIN_OF_ANTHROPIC + b'id: 5\nevent: ping\ndata: {"type":"ping"}\n\n' + _END_OF_ANTHROPIC,
        _BEGIN_OF_ANTHROPIC + b"id: 5\n" + _END_OF_ANTHROPIC,
        options={"comments": "drop"},
        facts={"dialect": "anthropic", "verdict": "complete", "events": 2, "last_event_id": "5"},
        leaves=(106, 198),
    ),
    RepairCase(
        "a comment behind an id in a known dialect",
        b"id: 1\n" + said("a") + b": c\n\n" + FINISH + DONE,
        b"id: 1\n" + said("a") + b": c\n" + FINISH + DONE,
        facts={**answered("a", 1), "respellings": {"blank-line": 1}, "events": 3, "comments": 1, "last_event_id": "1"},
        leaves=(63, 67, 135, 149),
    ),
    RepairCase(
        "a comment behind an id where no dialect is known",
        b'id: 1\ndata: {"a":1}\n\n: c\n\ndata: {"b":2}\n\n',
        SAME,
        facts={"events": 2, "comments": 1, "last_event_id": "1"},
        leaves=(21, 25, 26, 41),
    ),
    RepairCase(
        "a colon before a payload",
        said("a") + b':{"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        SAME,
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "comments": 1},
        leaves=(57, 108, 109, 176, 190),
    ),
    RepairCase(
        "a comment beside a name, and nothing else, in a named dialect",
        b"event: ping\n: c\n\n",
        b": c\n" + told("empty"),
        options={"dialect": "openai-chat"},
        facts={
            **failure("empty", status_hint=502, safe_to_retry=True),
            "dialect": "openai-chat",
            "respellings": {"bare-block": 1},
            "events": 0,
            "comments": 1,
        },
        leaves=(17,),
    ),
    RepairCase(
        "a comment that is dropped, before a last word",
        b": c\nfoo",
        b"",
        ("unfinished-tail@4+3",),
        options={"comments": "drop"},
        facts={"verdict": "truncated", "events": 0, "comments": 1},
        leaves=(),
    ),
    RepairCase(
        "a comment before a line of prose that is no field, and two blank lines",
        b"data: hi\n\n: c\n!\n\n\ndata: bye\n\n",
        b"data: hi\n\n: c\n!\n\ndata: bye\n\n",
        facts={"events": 2, "comments": 1, "respellings": {"blank-line": 1}},
        leaves=(10, 14, 17, 29),
    ),
    RepairCase(
        "a comment before an id of its own, and two blank lines",
        said("a") + b": c\nid: 1\n\n\n" + said("b") + FINISH + DONE,
        said("a") + b": c\nid: 1\n" + said("b") + FINISH + DONE,
        facts={
            **answered("ab", 2),
            "events": 4,
            "comments": 1,
            "last_event_id": "1",
            "respellings": {"bare-block": 1, "blank-line": 1},
        },
        leaves=(57, 61, 126, 193, 207),
    ),
    RepairCase(
        "a comment before a document without data that is cut",
        b': c\n{"a":\n\ndata: 1\n\n',
        b": c\ndata: 1\n\n",
        ("stray-line@4+5",),
        facts={"comments": 1, "respellings": {"blank-line": 1}},
        leaves=(4, 20),
    ),
    RepairCase(
        "a comment in a block that swallowed a payload, dropped",
        (
            said("a", "b")[:-1]
            + b': p{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"c"}}]}\n\n'
            + FINISH
            + DONE
        ),
        said("a", "b") + FINISH + DONE,
        options={"comments": "drop"},
        facts={**answered("ab", 2, "stop", "damaged"), "events": 4, "comments": 1},
        leaves=(57, 200, 267, 281),
    ),
)
