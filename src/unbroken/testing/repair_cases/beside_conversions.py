"""What stands beside the payloads that are converted: comments, ids without an event, and payloads of no dialect."""

from __future__ import annotations

from typing import Any, Final

from .case import FINISH, SAME, RepairCase, answered, failure, said, told
from .paced import ANTHROPIC_END, ANTHROPIC_START, anthropic

_BEGIN: Final = ANTHROPIC_START.partition(b"event: content_block_start")[0]
_HEAD: Final = (
    b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": [{"index": 0, '
)
_BEGUN: Final = _HEAD + b'"delta": {"role": "assistant", "content": ""}, "finish_reason": null}]}\n\n'
_SAID: Final = _HEAD + b'"delta": {"content": "a"}, "finish_reason": null}]}\n\n'
_ENDED: Final = _HEAD + b'"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
_PASSED_OVER: Final = (
    b'event: error\ndata: {"code": "truncated", "message": "The stream ended before it was complete.", '
    b'"type": "unbroken_error"}\n\n'
)
_TO_CHAT: Final = {"convert": "openai-chat"}
_WHOLE: Final[dict[str, Any]] = {**answered("a", 1, finish=None), "dialect": "anthropic", "events": 3}

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a comment passes in a conversion",
        _BEGIN + b": hi\n\n" + anthropic("a") + ANTHROPIC_END,
        _BEGUN + b": hi\n" + _SAID + _ENDED,
        options=_TO_CHAT,
        facts={**_WHOLE, "comments": 1},
    ),
    RepairCase(
        "ids without an event do not pass in a conversion, nor does one at the end",
        _BEGIN + anthropic("a") + b"id: 7\n\n" + ANTHROPIC_END + b"id: 8\n\n",
        _BEGUN + _SAID + _ENDED,
        options=_TO_CHAT,
        facts={**_WHOLE, "last_event_id": "8", "respellings": {"bare-block": 2}},
    ),
    RepairCase(
        "an id at the end passes where the stream has the dialect already, with the sentinel that was missing",
        said("a") + FINISH + b"id: 7\n\n",
        said("a") + FINISH + b"id: 7\ndata: [DONE]\n\n",
        ("missing-done@131+0",),
        options=_TO_CHAT,
        facts={**answered("a", 1), "events": 2, "last_event_id": "7", "respellings": {"bare-block": 1}},
    ),
    RepairCase(
        "an error of ours that clients of a conversion pass over is told once more where an answer follows",
        _PASSED_OVER + anthropic("a"),
        _PASSED_OVER + told("truncated"),
        (),
        _TO_CHAT,
        {
            **failure("truncated", safe_to_retry=True),
            "verdict": "failed",
            "dialect": "anthropic",
            "events": 1,
            "bytes_in": 237,
        },
        leaves=(123, 239),
    ),
    RepairCase(
        "an error of ours that clients of a conversion pass over is told once more where another one follows",
        _PASSED_OVER + b'data: {"type": "error", "errorText": "x"}\n\n',
        _PASSED_OVER + told("truncated"),
        (),
        _TO_CHAT,
        {**failure("truncated", safe_to_retry=True), "verdict": "failed", "dialect": "ai-sdk-ui", "events": 2},
    ),
    RepairCase(
        "what is in no dialect passes in a conversion, behind an error too",
        b'data: {"a":1}\n\ndata: {"error":{"message":"m","code":1}}\n\ndata: {"b":1}\n\n',
        SAME,
        options=_TO_CHAT,
        facts={
            "detail": "m",
            **failure("upstream-error", safe_to_retry=True),
            "dialect": "openai-chat",
            "events": 3,
        },
        leaves=(15, 57, 72),
    ),
)
