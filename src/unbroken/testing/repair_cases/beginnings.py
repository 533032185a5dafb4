"""Beginnings that say nothing, held back while upstream could still be asked again."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, failure, said, told, told_first
from .timed import TimedCase

_ROLE: Final = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
_USAGE: Final = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":0}}\n\n'
_LONG: Final = b'data: {"choices":[],"x":"' + b"y" * 65507 + b'"}\n\n'
_LONGER: Final = _LONG.replace(b"yy", b"yyy", 1)

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
        facts={"verdict": "cancelled"},
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
        facts={"verdict": "complete", "retries": 1, "events": 4, "text": "a", "bytes_out": 213},
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
        "a beginning with an id leaves where another connection could go on behind it",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (b"id: 1\n" + _ROLE, 1.0), SAME, None),
            ("fail", (2.0,), b"", None),
            (
                "feed",
                (b"id: 1\n" + _ROLE + b"id: 2\n" + said("a"), 4.0),
                b'id: 2\ndata: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
                None,
            ),
            ("feed", (FINISH + DONE, 5.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"verdict": "complete", "retries": 1, "events": 4, "text": "a", "last_event_id": "2", "bytes_out": 225},
    ),
    TimedCase(
        "a beginning with an id waits where no other could",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (b"id: 1\n" + _ROLE, 1.0), b"", None),
            ("fail", (2.0,), b"", None),
            ("feed", (b"id: 1\n" + _ROLE + b"id: 2\n" + said("a"), 4.0), SAME, None),
            ("feed", (FINISH + DONE, 5.0), SAME, None),
        ),
        renews=(2.0,),
        remembers_ids=False,
        facts={"verdict": "complete", "retries": 1, "events": 4, "text": "a", "last_event_id": "2", "bytes_out": 225},
    ),
    TimedCase(
        "a beginning as long as may be waits",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_LONG, 1.0), b"", None),
            ("fail", (2.0,), b"", None),
            ("feed", (said("a"), 4.0), SAME, None),
            ("feed", (FINISH + DONE, 5.0), SAME, None),
        ),
        options={"dialect": "openai-chat"},
        renews=(2.0,),
        facts={"verdict": "complete", "retries": 1, "events": 3, "text": "a", "bytes_out": 138},
    ),
    TimedCase(
        "a longer beginning leaves",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_LONGER, 1.0), SAME, None),
            ("fail", (2.0,), b"", None),
            ("feed", (said("a"), 4.0), SAME, None),
            ("feed", (FINISH + DONE, 5.0), SAME, None),
        ),
        options={"dialect": "openai-chat"},
        renews=(2.0,),
        facts={"verdict": "complete", "retries": 1, "events": 4, "text": "a", "bytes_out": 65675},
    ),
    TimedCase(
        "a beginning whose events are too long together leaves",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("feed", (_LONG, 2.0), _ROLE + _LONG, None),
            ("fail", (3.0,), b"", None),
            ("feed", (said("a"), 4.0), SAME, None),
            ("feed", (FINISH + DONE, 5.0), SAME, None),
        ),
        options={"dialect": "openai-chat"},
        renews=(2.0,),
        facts={"verdict": "complete", "retries": 1, "events": 5, "text": "a", "bytes_out": 65749},
    ),
    TimedCase(
        "a repaired beginning waits",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (b'{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n', 1.0), b"", None),
            ("fail", (2.0,), b"", None),
            ("feed", (_ROLE + said("a"), 4.0), SAME, None),
            ("feed", (FINISH + DONE, 5.0), SAME, None),
        ),
        options={"dialect": "openai-chat", "format": "sse"},
        renews=(2.0,),
        facts={"verdict": "complete", "retries": 1, "events": 4, "text": "a", "bytes_out": 213},
    ),
    TimedCase(
        "lines of a beginning",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (b'{"model":"m","message":{"role":"assistant","content":""},"done":false}\n', 1.0), b"", None),
            ("fail", (2.0,), b"", None),
            ("feed", (b'{"model":"m","message":{"role":"assistant","content":"a"},"done":false}\n', 4.0), SAME, None),
        ),
        renews=(2.0,),
        facts={"format": "ndjson", "verdict": "open", "retries": 1, "events": 1, "text": "a", "bytes_out": 72},
    ),
    TimedCase(
        "a beginning while heartbeats come",
        (
            ("resume", (0.0,), b"", 4.75),
            ("withhold", (), b"", 4.75),
            ("feed", (_ROLE, 1.0), b"", 4.75),
            ("on_deadline", (4.75,), b":\n\n", 9.5),
            ("fail", (5.0,), b"", 9.5),
            ("on_deadline", (9.75,), b":\n\n", 14.5),
            ("feed", (_ROLE + said("a"), 10.0), SAME, 14.75),
            ("feed", (FINISH + DONE, 11.0), SAME, None),
        ),
        {"heartbeat": 5.0},
        renews=(2.0,),
        facts={"verdict": "complete", "retries": 1, "events": 4, "heartbeats": 2, "text": "a", "bytes_out": 219},
    ),
    TimedCase(
        "a beginning that breaks, and then a page",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("fail", (2.0,), b"", None),
            ("feed", (b"<html>\n", 4.0), b"", None),
            ("close", (5.0,), told_first("not-a-stream"), None),
        ),
        renews=(2.0,),
        facts={
            **failure("not-a-stream", "markup", safe_to_retry=True),
            "format": None,
            "retries": 1,
            "events": 0,
            "bytes_out": 337,
        },
    ),
    TimedCase(
        "a comment and a beginning that breaks, and then a page",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (b": c\n\n" + _ROLE, 1.0), b": c\n\n", None),
            ("fail", (2.0,), b"", None),
            ("feed", (b"<html>\n", 4.0), b"", None),
            ("close", (5.0,), told_first("not-a-stream"), None),
        ),
        renews=(2.0,),
        facts={
            **failure("not-a-stream", "markup", safe_to_retry=True),
            "format": None,
            "retries": 1,
            "events": 0,
            "comments": 1,
            "bytes_out": 342,
        },
    ),
    TimedCase(
        "a beginning that breaks, and then words",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (_ROLE, 1.0), b"", None),
            ("fail", (2.0,), b"", None),
            ("feed", (b"words!\n\n", 4.0), b"", None),
            ("close", (5.0,), told_first("not-a-stream"), None),
        ),
        renews=(2.0,),
        facts={
            **failure("not-a-stream", "unrecognised", safe_to_retry=True),
            "format": None,
            "retries": 1,
            "events": 0,
            "bytes_out": 337,
        },
    ),
    TimedCase(
        "a comment and a beginning that breaks, and then words",
        (
            ("resume", (0.0,), b"", None),
            ("withhold", (), b"", None),
            ("feed", (b": c\n\n" + _ROLE, 1.0), b": c\n\n", None),
            ("fail", (2.0,), b"", None),
            ("feed", (b"words!\n\n", 4.0), b"", None),
            ("close", (5.0,), b"", None),
        ),
        renews=(2.0,),
        facts={"verdict": "ended", "retries": 1, "events": 0, "comments": 1, "bytes_out": 5},
    ),
)
