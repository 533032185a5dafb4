"""Ids, reconnection times, names, and fields that swallowed a payload."""

from __future__ import annotations

import sys
from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, failure, said, told

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "retry of '5'",
        b"retry: 5\ndata: a\n\n",
        SAME,
        facts={"retry": 5},
        leaves=(18,),
    ),
    RepairCase(
        "retry of '007'",
        b"retry: 007\ndata: a\n\n",
        SAME,
        facts={"retry": 7},
        leaves=(20,),
    ),
    RepairCase(
        "retry of '-1'",
        b"retry: -1\ndata: a\n\n",
        SAME,
        leaves=(19,),
    ),
    RepairCase(
        "retry of '1_0'",
        b"retry: 1_0\ndata: a\n\n",
        SAME,
        leaves=(20,),
    ),
    RepairCase(
        "retry of '1.5'",
        b"retry: 1.5\ndata: a\n\n",
        SAME,
        leaves=(20,),
    ),
    RepairCase(
        "retry of ''",
        b"retry: \ndata: a\n\n",
        SAME,
        leaves=(17,),
    ),
    RepairCase(
        "retry of ' 5'",
        b"retry:  5\ndata: a\n\n",
        SAME,
        leaves=(19,),
    ),
    RepairCase(
        "retry of '5 '",
        b"retry: 5 \ndata: a\n\n",
        SAME,
        leaves=(19,),
    ),
    RepairCase(
        "retry of '999999999999'",
        b"retry: " + b"9" * 400 + b"\ndata: a\n\n",
        SAME,
        facts={"retry": int(sys.float_info.max)},
    ),
    RepairCase(
        "retry of '٥'",
        b"retry: \xd9\xa5\ndata: a\n\n",
        SAME,
        leaves=(19,),
    ),
    RepairCase(
        "an id with NUL",
        b"id: a\x00b\ndata: x\n\nid: c\ndata: y\n\n",
        SAME,
        facts={"events": 2, "last_event_id": "c"},
        leaves=(17, 32),
    ),
    RepairCase(
        "an id with NUL in a known dialect",
        said("a") + b"id: a\x00b\n\nretry: x\n\n" + FINISH + DONE,
        said("a") + FINISH + DONE,
        facts={**answered("a", 1), "respellings": {"bare-block": 2}, "events": 3},
        leaves=(57, 143, 157),
    ),
    RepairCase(
        "an empty id resets",
        b"id: 1\ndata: x\n\nid:\ndata: y\n\ndata: z\n\n",
        b"id: 1\ndata: x\n\nid: \ndata: y\n\ndata: z\n\n",
        facts={"respellings": {"field-blank": 1}, "events": 3},
        leaves=(15, 28, 37),
    ),
    RepairCase(
        "a name, an id and a time without data in a known dialect",
        said("a") + b"event: ping\nid: 1\nretry: 2\n\n: c\n\n" + FINISH + DONE,
        said("a") + b": c\n\nid: 1\nretry: 2\n" + FINISH + DONE,
        facts={
            **answered("a", 1),
            "respellings": {"bare-block": 1},
            "events": 3,
            "comments": 1,
            "last_event_id": "1",
            "retry": 2,
        },
        leaves=(57, 89, 90, 157, 171),
    ),
    RepairCase(
        "a comment in a block without data in a known dialect",
        said("a") + b": c\nid: 1\n\n" + FINISH + DONE,
        said("a") + b": c\nid: 1\n" + FINISH + DONE,
        facts={**answered("a", 1), "respellings": {"bare-block": 1}, "events": 3, "comments": 1, "last_event_id": "1"},
        leaves=(57, 61, 135, 149),
    ),
    RepairCase(
        "an unknown field without data in a known dialect",
        said("a") + b"x: c\nid: 1\n\n" + FINISH + DONE,
        SAME,
        facts={**answered("a", 1), "events": 3, "last_event_id": "1"},
        leaves=(57, 69, 136, 150),
    ),
    RepairCase(
        "an event: error without data in a known dialect",
        said("a") + b"event: error\n\n" + FINISH + DONE,
        said("a") + told("upstream-error"),
        ("empty-data@57+12",),
        facts={**answered("a", 1, None), **failure("upstream-error"), "bytes_in": 69},
        leaves=(57, 71),
    ),
    RepairCase(
        "an event line that swallowed a payload",
        said("a") + b"event: token" + said("b") + FINISH + DONE,
        said("a") + FINISH + DONE,
        ("stray-line@57+67",),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3},
        leaves=(57, 193, 207),
    ),
    RepairCase(
        "an id line that swallowed a payload",
        said("a") + b'id: 5{"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + b'id: 5{"choices":[{"index":0,"delta":{"content":"b"}}]}\n' + FINISH + DONE,
        facts={
            **answered("a", 1, "stop", "damaged"),
            "respellings": {"bare-block": 1},
            "events": 3,
            "last_event_id": '5{"choices":[{"index":0,"delta":{"content":"b"}}]}',
        },
        leaves=(57, 180, 194),
    ),
    RepairCase(
        "a comment that swallowed a payload",
        said("a") + b': ping{"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        SAME,
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "comments": 1},
        leaves=(57, 113, 114, 181, 195),
    ),
    RepairCase(
        "a comment in a block that swallowed a payload",
        said("a") + b': ping{"choices":[{"index":0,"delta":{"content":"b"}}]}\n' + FINISH + DONE,
        SAME,
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "comments": 1},
        leaves=(57, 113, 180, 194),
    ),
    RepairCase(
        "a retry line that swallowed a payload",
        said("a") + b"retry: 5" + said("b") + FINISH + DONE,
        said("a") + FINISH + DONE,
        ("stray-line@57+63",),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3},
        leaves=(57, 189, 203),
    ),
    RepairCase(
        "pending fields that make an event too long",
        b"id: " + b"x" * 600 + b"\n\n" + said("y" * 500),
        b"id: " + b"x" * 600 + b"\n\n" + said("y" * 500) + told("truncated"),
        options={"dialect": "openai-chat", "max_event_bytes": 1024},
        facts={
            **answered("y" * 500, 1, None),
            **failure("truncated"),
            "respellings": {"bare-block": 1},
            "last_event_id": "x" * 600,
            "repetitions": 500,
        },
    ),
    *(
        RepairCase(
            f"a field without data that holds a document: {field.decode()}",
            said("a") + field + b"\n\n" + FINISH + DONE,
            said("a") + FINISH + DONE,
            (f"stray-line@57+{len(field)}",),
            facts={**answered("a", 1, "stop", "damaged"), "events": 3},
        )
        for field in (
            b"event: {}",
            b'event: x{ "a":1}',
            b"event: x{ }",
            b'event: [ {"a":1}]',
            b"retry: {}",
        )
    ),
    RepairCase(
        "a field without data whose braces hold no document",
        said("a") + b"event: {a}\n\n" + FINISH + DONE,
        said("a") + FINISH + DONE,
        facts={**answered("a", 1), "events": 3, "respellings": {"bare-block": 1}},
    ),
    RepairCase(
        "an id and a time that are too long together",
        b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\nid: '
        + b"5" * 1000
        + (
            b"\n\n"
            b"retry: 100000000000000\n\n"
            b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n'
            b"\n"
        ),
        b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\nid: '
        + b"5" * 1000
        + (
            b"\n\n"
            b'retry: 100000000000000\ndata: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_'
            b'reason":"stop"}]}\n'
            b"\n"
        ),
        options={"max_event_bytes": 1024},
        facts={
            **answered("hihi", 2),
            "events": 2,
            "last_event_id": "5" * 1000,
            "retry": 100000000000000,
            "respellings": {"bare-block": 2},
        },
        leaves=(81, 1111, 1192),
    ),
    RepairCase(
        "an id and a time as long as an event",
        b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\nid: '
        + b"5" * 1000
        + (
            b"\n\n"
            b"retry: 100000000\n\n"
            b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n'
            b"\n"
        ),
        b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\nid: '
        + b"5" * 1000
        + (
            b'\nretry: 100000000\n\ndata: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'
        ),
        options={"max_event_bytes": 1024},
        facts={
            **answered("hihi", 2),
            "events": 2,
            "last_event_id": "5" * 1000,
            "retry": 100000000,
            "respellings": {"bare-block": 2},
        },
        leaves=(81, 1186),
    ),
    RepairCase(
        "a long id that another one overtakes",
        b"id: " + b"6" * 1014 + b"\n\nretry: 5\nid: 5\n\n",
        b"id: 5\nretry: 5\n" + told("empty"),
        options={"dialect": "openai-chat", "max_event_bytes": 1024},
        facts={
            **failure("empty", status_hint=502, safe_to_retry=True),
            "dialect": "openai-chat",
            "events": 0,
            "last_event_id": "5",
            "retry": 5,
            "respellings": {"bare-block": 2},
        },
        leaves=(),
    ),
    RepairCase(
        "a comment beside a long id, behind a time",
        b"retry: 7\n\nid: " + b"6" * 1010 + b"\n: c\n\n",
        b": c\nretry: 7\n\nid: " + b"6" * 1010 + b"\n\n" + told("empty"),
        options={"dialect": "openai-chat", "max_event_bytes": 1024},
        facts={
            **failure("empty", status_hint=502, safe_to_retry=True),
            "dialect": "openai-chat",
            "events": 0,
            "comments": 1,
            "last_event_id": "6" * 1010,
            "retry": 7,
            "respellings": {"bare-block": 2},
        },
        leaves=(1030,),
    ),
    RepairCase(
        "a time without data where no dialect is known",
        b"retry: 5\n\ndata: a\n\n",
        SAME,
        facts={"retry": 5},
        leaves=(10, 19),
    ),
    RepairCase(
        "an id without data between alike events",
        said("a", "b", "c") + b"id: 1\n\n" + said("d") + FINISH + DONE,
        said("a", "b", "c") + b"id: 1\n" + said("d") + FINISH + DONE,
        facts={**answered("abcd", 4), "respellings": {"bare-block": 1}, "events": 6, "last_event_id": "1"},
        leaves=(57, 114, 171, 235, 302, 316),
    ),
    RepairCase(
        "an id and a time that those beside an unknown field overtake",
        said("a") + b"id: 1\nretry: 1\n\nx: y\nid: 2\nretry: 2\n\n" + FINISH + DONE,
        said("a") + b"x: y\nid: 2\nretry: 2\n\n" + FINISH + DONE,
        facts={**answered("a", 1), "respellings": {"bare-block": 1}, "events": 3, "last_event_id": "2", "retry": 2},
        leaves=(57, 94, 161, 175),
    ),
    RepairCase(
        "an id and a time as long as an event with its blank line",
        said("a") + b"id: " + b"5" * 1001 + b"\n\nretry: 100000000\n\n" + said("b") + FINISH + DONE,
        said("a") + b"id: " + b"5" * 1001 + b"\nretry: 100000000\n\n" + said("b") + FINISH + DONE,
        options={"max_event_bytes": 1024},
        facts={
            **answered("ab", 2),
            "respellings": {"bare-block": 2},
            "events": 4,
            "last_event_id": "5" * 1001,
            "retry": 100000000,
        },
        leaves=(57, 1139, 1206, 1220),
    ),
    RepairCase(
        "a long id before null",
        b"id: " + b"6" * 1012 + b"\n\ndata: null\n\n" + said("a") + FINISH + DONE,
        b"id: " + b"6" * 1012 + b"\n\n" + said("a") + FINISH + DONE,
        ("empty-data@1018+10",),
        options={"dialect": "openai-chat", "max_event_bytes": 1024},
        facts={**answered("a", 1), "respellings": {"bare-block": 1}, "events": 3, "last_event_id": "6" * 1012},
        leaves=(1030, 1087, 1154, 1168),
    ),
    RepairCase(
        "a long id before null, and nothing else",
        b"id: " + b"6" * 1012 + b"\n\ndata: null\n\n",
        b"id: " + b"6" * 1012 + b"\n\n" + told("empty"),
        ("empty-data@1018+10",),
        options={"dialect": "openai-chat", "max_event_bytes": 1024},
        facts={
            **failure("empty", status_hint=502, safe_to_retry=True),
            "dialect": "openai-chat",
            "respellings": {"bare-block": 1},
            "events": 0,
            "last_event_id": "6" * 1012,
        },
        leaves=(1030,),
    ),
    RepairCase(
        "an event: error with empty data in a known dialect",
        said("a") + b"event: error\ndata:\n\n" + FINISH + DONE,
        said("a") + told("upstream-error"),
        ("empty-data@57+18",),
        facts={
            **answered("a", 1, None),
            **failure("upstream-error"),
            "detail": "",
            "bytes_in": 75,
            "respellings": {"field-blank": 1},
        },
        leaves=(57, 77),
    ),
    *(
        RepairCase(
            f"a name that ends an answer, {what}",
            b'event: data\ndata: {"type":"AIMessageChunk","content":"a"}\n\nevent: end\n' + data + b"\n",
            SAME,
            facts={
                "dialect": "langserve",
                "verdict": "complete",
                "events": 1 + bool(data),
                "text": "a",
                "content_emitted": True,
                "tokens_received": 1,
            },
            leaves=(59, 71 + len(data)),
        )
        for what, data in (("without data", b""), ("with words", b"data: bye\n"))
    ),
    RepairCase(
        "an unknown field without data that swallowed a payload",
        said("a") + b'x: 1{"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        SAME,
        facts={**answered("a", 1, "stop", "damaged"), "events": 3},
        leaves=(57, 112, 179, 193),
    ),
    *(
        RepairCase(
            f"{what} that swallowed a payload, before data",
            said("a") + field + b'{"choices":[{"index":0,"delta":{"content":"b"}}]}\n' + said("c") + FINISH + DONE,
            SAME,
            facts={**answered("ac", 2, "stop", "damaged"), "events": 4},
            leaves=(57, 164 + len(field), 231 + len(field), 245 + len(field)),
        )
        for what, field in (("a name", b"event: x"), ("a time", b"retry: 5"), ("an unknown field", b"x: 1"))
    ),
    RepairCase(
        "a long id that overtakes a short one, behind a time",
        b"id: 1\nretry: 7\n\nid: " + b"6" * 1010 + b"\n\n" + said("a") + FINISH + DONE,
        b"retry: 7\n\nid: " + b"6" * 1010 + b"\n\n" + said("a") + FINISH + DONE,
        options={"dialect": "openai-chat", "max_event_bytes": 1024},
        facts={
            **answered("a", 1),
            "respellings": {"bare-block": 2},
            "events": 3,
            "last_event_id": "6" * 1010,
            "retry": 7,
        },
        leaves=(1032, 1089, 1156, 1170),
    ),
    RepairCase(
        "a name that swallowed a payload of null",
        said("a") + b"event: messagedata: null\n\n" + FINISH + DONE,
        said("a") + FINISH + DONE,
        ("stray-line@57+24",),
        facts={**answered("a", 1), "events": 3},
        leaves=(57, 150, 164),
    ),
    RepairCase(
        "an id with NUL before data",
        b'id: 1\x00\ndata: {"a":1}\n\n',
        SAME,
        leaves=(22,),
    ),
)
