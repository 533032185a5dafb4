"""Bodies without an event."""

from __future__ import annotations

from typing import Final

from .case import SAME, RepairCase, answered, failure, said, told, told_first

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "nothing, which is an error",
        b"",
        told_first("empty", 502),
        options={"empty": "error"},
        facts={**failure("empty", None, 502, safe_to_retry=True), "format": None, "events": 0},
        leaves=(),
    ),
    RepairCase(
        "nothing, which is an end",
        b"",
        SAME,
        options={"empty": "end", "dialect": "openai-chat"},
        facts={"format": None, "dialect": "openai-chat", "events": 0},
        leaves=(),
    ),
    RepairCase(
        "nothing behind an id, which is no error",
        b"",
        SAME,
        options={"empty": "error", "last_event_id": "7"},
        facts={"format": None, "events": 0, "last_event_id": "7"},
        leaves=(),
    ),
    RepairCase(
        "nothing of a named dialect",
        b"",
        told("empty"),
        options={"dialect": "openai-chat"},
        facts={
            **failure("empty", None, 502, safe_to_retry=True),
            "format": None,
            "dialect": "openai-chat",
            "events": 0,
        },
        leaves=(),
    ),
    RepairCase(
        "nothing of a named dialect, by the standard",
        b"",
        SAME,
        options={"dialect": "openai-chat", "repairs": ()},
        facts={"format": None, "dialect": "openai-chat", "verdict": "truncated", "events": 0},
        leaves=(),
    ),
    RepairCase(
        "a comment alone, which is an error",
        b": c\n\n",
        b": c\n\n" + told_first("empty", 502),
        options={"empty": "error"},
        facts={**failure("empty", None, 502, safe_to_retry=True), "events": 0, "comments": 1},
        leaves=(4, 5),
    ),
    RepairCase(
        "an event that is no error",
        b'data: {"a":1}\n\n',
        SAME,
        options={"empty": "error"},
        leaves=(15,),
    ),
    RepairCase(
        "an answer that is cut behind one event, where nothing is an end",
        said("a"),
        said("a") + told("truncated"),
        options={"dialect": "openai-chat", "empty": "end"},
        facts={**answered("a", 1, None), **failure("truncated")},
        leaves=(57,),
    ),
    RepairCase(
        "the end of an answer without data, in which nothing was said",
        b"event: end\n\n",
        SAME,
        options={"empty": "error", "dialect": "langgraph"},
        facts={"dialect": "langgraph", "verdict": "complete", "events": 0},
        leaves=(12,),
    ),
    RepairCase(
        "a line of prose and half of a document are no stream",
        b'a stray line\n\ndata: {"a":\n\n',
        told("not-a-stream"),
        ("stray-line@0+12", "invalid-json@14+11", "not-a-stream@0+27"),
        options={"format": "sse", "dialect": "openai-chat"},
        facts={
            **failure("not-a-stream", "unrecognised", safe_to_retry=True),
            "format": None,
            "dialect": "openai-chat",
            "events": 0,
            "invalid_json": 1,
            "respellings": {"blank-line": 1},
        },
        leaves=(),
    ),
    RepairCase(
        "a field behind blank lines and a byte order mark is none",
        b'\n\n\xef\xbb\xbfdata: {"a":1}\n\n',
        told_first("not-a-stream"),
        ("stray-line@2+16", "not-a-stream@0+20"),
        facts={
            **failure("not-a-stream", "unrecognised", safe_to_retry=True),
            "format": None,
            "events": 0,
            "respellings": {"blank-line": 1},
        },
        leaves=(),
    ),
)
