"""Beginnings that say nothing, held back while upstream could still be asked again."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, failure, said, told
from .timed import TimedCase

_ROLE: Final = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
_USAGE: Final = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":0}}\n\n'

CASES: Final[tuple[TimedCase, ...]] = (
    TimedCase(
        "a beginning that waits for a word",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("feed", (said("a"), 2.0), _ROLE + said("a"), None),
            ("feed", (said("b"), 3.0), SAME, None),
            ("feed", (FINISH + DONE, 4.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"verdict": "complete", "events": 5, "text": "ab", "bytes_out": 270},
    ),
    TimedCase(
        "a beginning and a word in one chunk",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE + said("a", "b"), 1.0), SAME, None),
            ("feed", (FINISH + DONE, 4.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"verdict": "complete", "events": 5, "text": "ab", "bytes_out": 270},
    ),
    TimedCase(
        "a beginning that breaks, and another",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("fail", (2.0,), b"", None),
            ("feed", (_ROLE, 4.0), b"", None),
            ("feed", (said("a"), 5.0), _ROLE + said("a"), None),
            ("fail", (6.0,), b"", None),
            ("feed", (_ROLE + said("b"), 7.0), SAME, None),
            ("feed", (FINISH + DONE, 8.0), SAME, None),
        ),
        renews=(2.0, 2.0),
        facts={"verdict": "complete", "retries": 2, "events": 6, "text": "ab", "bytes_out": 345},
    ),
    TimedCase(
        "a beginning that breaks, and no other",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("fail", (2.0,), _ROLE + told("upstream-failed"), None),
        ),
        renews=(),
        facts={
            **failure("upstream-failed", "ConnectionResetError", 502, safe_to_retry=True),
            "events": 1,
            "bytes_out": 208,
        },
    ),
    TimedCase(
        "a beginning that breaks twice",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE + _USAGE, 1.0), b"", None),
            ("fail", (2.0,), b"", None),
            ("feed", (_ROLE, 4.0), b"", None),
            ("fail", (5.0,), _ROLE + told("upstream-failed"), None),
        ),
        renews=(2.0,),
        facts={
            **failure("upstream-failed", "ConnectionResetError", 502, safe_to_retry=True),
            "retries": 1,
            "events": 1,
            "bytes_out": 208,
        },
    ),
    TimedCase(
        "a beginning that ends clean, and another",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("close", (2.0,), b"", None),
            ("feed", (_ROLE + said("a"), 4.0), SAME, None),
            ("feed", (FINISH + DONE, 5.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"verdict": "complete", "retries": 1, "events": 4, "text": "a", "bytes_out": 213},
    ),
    TimedCase(
        "a beginning that ends clean, and no other",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("close", (2.0,), _ROLE + told("truncated"), None),
        ),
        renews=(),
        facts={**failure("truncated", safe_to_retry=True), "events": 1, "bytes_out": 196},
    ),
    TimedCase(
        "a beginning that is cancelled",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("cancel", (2.0,), b"", None),
        ),
        renews=(2.0,),
        facts={"verdict": "cancelled", "events": 0, "last_event_id": ""},
    ),
    TimedCase(
        "a beginning that falls silent, and another",
        (
            ("resume", (0.0,), b"", 60.0),
            ("withhold", (), b"", 60.0),
            ("feed", (_ROLE, 1.0), b"", 61.0),
            ("on_deadline", (61.0,), b"", 123.0),
            ("feed", (_ROLE + said("a"), 64.0), SAME, 124.0),
            ("feed", (FINISH + DONE, 65.0), SAME, None),
        ),
        {"silence": 60.0},
        renews=(2.0,),
        facts={"verdict": "complete", "timeout": None, "retries": 1, "events": 4, "text": "a", "bytes_out": 213},
    ),
    TimedCase(
        "a comment before a beginning leaves",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (b": c\n\n", 1.0), SAME, None),
            ("feed", (_ROLE, 2.0), b"", None),
            ("feed", (b": d\n\n", 3.0), b"", None),
            ("feed", (said("a"), 4.0), _ROLE + b": d\n\n" + said("a"), None),
            ("feed", (FINISH + DONE, 5.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"verdict": "complete", "events": 4, "comments": 2, "text": "a", "bytes_out": 223},
    ),
    TimedCase(
        "a comment behind a beginning is forgotten with it",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE + b": d\n\n", 1.0), b"", None),
            ("fail", (2.0,), b"", None),
            ("feed", (_ROLE + said("a"), 4.0), SAME, None),
            ("feed", (FINISH + DONE, 5.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"verdict": "complete", "retries": 1, "events": 4, "comments": 1, "text": "a", "bytes_out": 213},
    ),
    TimedCase(
        "a beginning with usage",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("feed", (_USAGE, 2.0), b"", None),
            ("feed", (said("a"), 3.0), _ROLE + _USAGE + said("a"), None),
            ("feed", (FINISH + DONE, 4.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"verdict": "complete", "events": 5, "text": "a", "bytes_out": 285},
    ),
    TimedCase(
        "an event of no known dialect leaves",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (b'data: {"a":1}\n\n', 1.0), SAME, None),
            ("feed", (_ROLE, 2.0), SAME, None),
            ("fail", (3.0,), told("upstream-failed"), None),
        ),
        renews=(),
        facts={
            **failure("upstream-failed", "ConnectionResetError", 502, safe_to_retry=True),
            "events": 2,
            "bytes_out": 223,
        },
    ),
    TimedCase(
        "reasoning leaves",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            (
                "feed",
                (b'data: {"choices":[{"index":0,"delta":{"reasoning_content":"r"}}]}\n\n', 2.0),
                _ROLE + b'data: {"choices":[{"index":0,"delta":{"reasoning_content":"r"}}]}\n\n',
                None,
            ),
            ("feed", (FINISH + DONE, 3.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"verdict": "complete", "events": 4, "bytes_out": 223},
    ),
    TimedCase(
        "a tool call leaves",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            (
                "feed",
                (
                    (
                        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a",'
                        b'"function":{"name":"f","arguments":""}}]}}]}\n\n'
                    ),
                    2.0,
                ),
                _ROLE
                + (
                    b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a",'
                    b'"function":{"name":"f","arguments":""}}]}}]}\n\n'
                ),
                None,
            ),
            ("feed", (FINISH + DONE, 3.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"verdict": "complete", "events": 4, "bytes_out": 274},
    ),
    TimedCase(
        "a finish leaves",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("feed", (FINISH, 2.0), _ROLE + FINISH, None),
            ("feed", (DONE, 3.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"verdict": "complete", "events": 3, "bytes_out": 156},
    ),
    TimedCase(
        "the sentinel leaves",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("feed", (DONE, 2.0), _ROLE + DONE, None),
        ),
        options={"dialect": "openai-chat"},
        renews=(2.0,),
        facts={"verdict": "complete", "events": 2, "bytes_out": 89},
    ),
    TimedCase(
        "an error leaves",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            (
                "feed",
                (b'data: {"error":{"message":"m"}}\n\n', 2.0),
                _ROLE + b'data: {"error":{"message":"m"}}\n\n',
                None,
            ),
            ("close", (3.0,), b"", None),
        ),
        renews=(2.0,),
        facts={**failure("upstream-error", safe_to_retry=True), "events": 2, "bytes_out": 108},
    ),
    TimedCase(
        "an error that is masked asks for another answer",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("feed", (b'data: {"error":{"message":"m","type":"overloaded_error"}}\n\n', 2.0), b"", None),
            ("feed", (_ROLE + said("a"), 4.0), SAME, None),
            ("feed", (FINISH + DONE, 5.0), SAME, None),
        ),
        options={"errors": "mask"},
        renews=(2.0,),
        facts={"verdict": "complete", "retries": 1, "events": 4, "text": "a", "bytes_out": 213},
    ),
    TimedCase(
        "a beginning that breaks, and another answer with something behind its end",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("fail", (2.0,), b"", None),
            ("feed", (_ROLE + said("a") + FINISH + DONE + said("b"), 3.0), _ROLE + said("a") + FINISH + DONE, None),
        ),
        renews=(0.0,),
        facts={"verdict": "complete", "text": "a", "bytes_in": 75 + 213},
    ),
)
