"""What another connection begins with, where a beginning was held back or delivered."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, failure, said, told_first
from .timed import TimedCase

_ROLE: Final = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
_LONG: Final = b'data: {"choices":[],"x":"' + b"y" * 65507 + b'"}\n\n'
_LONGER: Final = _LONG.replace(b"yy", b"yyy", 1)

CASES: Final[tuple[TimedCase, ...]] = (
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
        facts={
            "verdict": "complete",
            "repairs": {"repeated-event": 1},
            "retries": 1,
            "events": 4,
            "text": "a",
            "last_event_id": "2",
            "bytes_out": 225,
        },
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
        facts={
            "verdict": "complete",
            "repairs": {"raw-json": 1},
            "retries": 1,
            "events": 4,
            "text": "a",
            "bytes_out": 213,
        },
    ),
    TimedCase(
        "half of a document, and an event that was delivered",
        (
            ("resume", (0.0,), b"", None),
            ("feed", (said("a").replace(b"data", b"id: 1\ndata"), 1.0), SAME, None),
            ("fail", (2.0,), b"", None),
            (
                "feed",
                (b'data: {"choices":[\n\n' + said("a").replace(b"data", b"id: 1\ndata") + said("b"), 4.0),
                said("b"),
                None,
            ),
        ),
        renews=(2.0,),
        facts={
            "verdict": "open",
            "repairs": {"invalid-json": 1, "repeated-event": 1},
            "retries": 1,
            "events": 2,
            "text": "ab",
            "last_event_id": "1",
            "bytes_out": 120,
        },
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
            "repairs": {"not-a-stream": 1},
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
            "repairs": {"not-a-stream": 1},
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
            "repairs": {"stray-line": 1, "not-a-stream": 1},
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
        facts={
            "verdict": "ended",
            "repairs": {"stray-line": 1},
            "retries": 1,
            "events": 0,
            "comments": 1,
            "bytes_out": 5,
        },
    ),
)
