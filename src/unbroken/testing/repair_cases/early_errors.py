"""Errors before their dialect is known, which count once it is, and errors of ours among records."""

from __future__ import annotations

from typing import Final

from ...core.failure import MAX_DETAIL
from .case import DONE, FINISH, SAME, RepairCase, answered, error_of_ours, failure, said

_ERROR: Final = b'data: {"type":"error","message":"m"}\n\n'
_LONG: Final = b"m" * (MAX_DETAIL - len(_ERROR.removeprefix(b"data: ").strip()) + 1)
_LONG_ERROR: Final = _ERROR.replace(b'"m"', b'"%b"' % _LONG)
_LONGER_ERROR: Final = _ERROR.replace(b'"m"', b'"m%b"' % _LONG)
_WORDS: Final = b'data: {"message":"w"}\n\n'
_ANSWER: Final = said("a") + FINISH

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "an error that is as long as may be, before an answer",
        _LONG_ERROR + _ANSWER + DONE,
        _LONG_ERROR + _ANSWER,
        ("done-after-error@2132+12",),
        facts={"detail": _LONG.decode(), **answered("a", 1), **failure("upstream-error"), "events": 3},
        leaves=(2008, 2065, 2132),
    ),
    RepairCase(
        "an error that is too long to be kept, before an answer",
        _LONGER_ERROR + _ANSWER + DONE,
        SAME,
        facts={**answered("a", 1), "events": 4},
        leaves=(2009, 2066, 2133, 2147),
    ),
    RepairCase(
        "an error behind fifteen records of words, before an answer",
        _WORDS * 15 + _ERROR + _ANSWER + DONE,
        _WORDS * 15 + _ERROR + _ANSWER,
        ("done-after-error@507+12",),
        facts={"detail": "m", **answered("a", 1), **failure("upstream-error"), "events": 18},
    ),
    RepairCase(
        "an error behind sixteen records of words, before an answer",
        _WORDS * 16 + _ERROR + _ANSWER + DONE,
        SAME,
        facts={**answered("a", 1), "events": 20},
    ),
    RepairCase(
        "an error behind a record and before an answer, to be masked",  # it was no error yet when it left
        b'data: {"a":1}\n\n' + _ERROR + _ANSWER + DONE,
        b'data: {"a":1}\n\n' + _ERROR + _ANSWER,
        ("done-after-error@177+12",),
        options={"errors": "mask"},
        facts={"detail": "m", **answered("a", 1), **failure("upstream-error"), "events": 4},
        leaves=(15, 53, 110, 177),
    ),
    RepairCase(
        "a null by the name error behind a record, as a line",
        b'data: {"a":1}\n\nevent: error\ndata: null\n\n',
        b'{"a":1}\nnull\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 40),
    ),
    RepairCase(
        "a key that a line end parts, behind an error alone",
        b'data: {"error":{"message":"m","type":"overloaded_error"}}\n\ndata: {"choi\nces":[{"index":0}]}\n\n',
        b'data: {"error":{"message":"m","type":"overloaded_error"}}\n\ndata: {"choi\n\n',
        ("stray-line@72+19",),
        facts={
            "detail": "m",
            **answered("", 0, None),
            **failure("overloaded", "overloaded_error", 529, safe_to_retry=True),
            "events": 2,
            "invalid_json": 1,
        },
        leaves=(59, 93),
    ),
    RepairCase(
        "an error of ours in the form of the AI SDK, behind a line",
        b'{"a":1}\n{"type":"error","errorText":"The upstream service is overloaded."}\n',
        SAME,
        facts={**failure("overloaded"), "format": "ndjson", "events": 2},
        leaves=(8, 75),
    ),
    RepairCase(
        "an error of ours within a failed response of OpenAI's",  # which tells more about the same failure
        b'event: response.failed\ndata: {"type":"response.failed","response":{"id":"r","status":"failed","error":'
        b'{"code":"rate_limit_exceeded","message":"m"}},"error":' + error_of_ours("rate-limited")[10:-1] + b"}\n\n",
        SAME,
        facts={
            "detail": "m",
            **failure("rate-limited", "rate_limit_exceeded", 429, safe_to_retry=True),
            "dialect": "openai-responses",
            "finish_reason": "failed",
        },
    ),
    RepairCase(
        "a line and an error of ours, as plain text",
        b'{"a":1}\n' + error_of_ours("overloaded") + b"\n",
        SAME,
        options={"dialect": "text", "format": "ndjson"},
        facts={
            **failure("overloaded"),
            "format": "ndjson",
            "dialect": "text",
            "events": 2,
            "text": '{"a":1}',
            "content_emitted": True,
            "tokens_received": 1,
        },
    ),
)
