"""The standard alone, plain text, and kinds of repairs that are turned off."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, but, failure, said, told_first

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "an error behind lines is a record",
        b'{"a":1}\n{"error":{"message":"m","code":429}}\n',
        SAME,
        facts={"format": "ndjson", "events": 2},
    ),
    RepairCase(
        "an error of Anthropic's behind lines is a record",
        b'{"a":1}\n{"type":"error","error":{"type":"overloaded_error","message":"m"}}\n',
        SAME,
        facts={"format": "ndjson", "events": 2},
    ),
    RepairCase(
        "an error behind elements is a record",
        b'[{"a":1},{"error":{"message":"m","code":429}}]',
        SAME,
        facts={"format": "json-array", "events": 2},
    ),
    RepairCase(
        "an error behind prose is prose",
        b'data: hello\n\ndata: {"error": {"message": "m", "code": 429}}\n\n',
        SAME,
        facts={"events": 2},
    ),
    RepairCase(
        "an element that may not be dropped",
        b'[{"a":1},oops,{"b":2},]',
        SAME,
        options={"repairs": but("invalid-json")},
        facts={"format": "json-array", "events": 3, "invalid_json": 1},
    ),
    RepairCase(
        "a line that may not be dropped",
        b'{"a":1}\noops\n{"b":2}\n',
        SAME,
        options={"repairs": but("invalid-json")},
        facts={"format": "ndjson", "events": 3, "invalid_json": 1},
    ),
    RepairCase(
        "a payload that may not be dropped",
        said("a") + b"data: oops\n\n" + FINISH + DONE,
        SAME,
        options={"repairs": but("invalid-json")},
        facts={**answered("a", 1, "stop", "damaged"), "events": 4, "invalid_json": 1},
    ),
    RepairCase(
        "plain text by its dialect",
        b'data: {"a":1}\ndata: {"b":2}\n\n: c\n\nid: 1\n' + DONE + b" data: x\n\n",
        SAME,
        options={"dialect": "text"},
        facts={
            "dialect": "text",
            "events": 2,
            "comments": 1,
            "last_event_id": "1",
            "text": '{"a":1}\n{"b":2}[DONE]',
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "plain text by its dialect, cut",
        b"data: one\n\ndata: two\ndata: thr",
        b"data: one\n\n",
        ("unfinished-tail@11+19",),
        options={"dialect": "text"},
        facts={"dialect": "text", "verdict": "truncated", "text": "one", "content_emitted": True, "tokens_received": 1},
    ),
    RepairCase(
        "by the standard alone",
        (
            b'\xef\xbb\xbfdata:{"a":1}\r\ndata: {"b":2}\r\n\r\n:c\r\n\r\nid:1\r\n\r\nfoo\r\n\r\n'
            b"data: [DONE]\r\n\r\ndata: x\n\n"
        ),
        b'data: {"a":1}\ndata: {"b":2}\n\n:c\n\nid: 1\n\nfoo: \n\n' + DONE + b"data: x\n\n",
        options={"repairs": ()},
        facts={
            "respellings": {"bom": 1, "line-end": 11, "field-blank": 3},
            "events": 3,
            "comments": 1,
            "invalid_json": 1,
            "last_event_id": "1",
        },
    ),
    RepairCase(
        "lines by the standard alone",
        b'{"a":1}\r\n\n{"b":\n2}\nNaN\n"s"\n',
        b'{"a":1}\n"s"\n',
        options={"repairs": (), "format": "ndjson"},
        facts={"format": "ndjson", "respellings": {"blanks": 1, "blank-line": 1}, "events": 2, "invalid_json": 3},
    ),
    RepairCase(
        "an array by the standard alone",
        b'[1,{"a":NaN} {"b":1},,]x',
        SAME,
        options={"repairs": (), "format": "json-array"},
        facts={"format": "json-array", "events": 3, "invalid_json": 1},
    ),
    RepairCase(
        "an array behind something, where nothing may be dropped",
        b"x [1] y",
        SAME,
        options={"repairs": (), "format": "json-array"},
        facts={"format": "json-array"},
    ),
    RepairCase(
        "two byte order marks",
        b"\xef\xbb\xbf\xef\xbb\xbf: 1\n\ndata: a\n\n",
        b"\n\xef\xbb\xbf: 1\n\ndata: a\n\n",
        options={"format": "sse", "repairs": ()},
        facts={"respellings": {"bom": 1}},
    ),
    RepairCase(
        "half of a byte order mark",
        b"\xef\xbb",
        told_first("not-a-stream"),
        (
            "unfinished-tail@0+2",
            "not-a-stream@0+2",
        ),
        options={"format": "sse"},
        facts={**failure("not-a-stream", "unrecognised", safe_to_retry=True), "format": None, "events": 0},
    ),
    RepairCase(
        "framing in lines that may not be dropped",
        b'{}\ndata: {"a":1}\n: c\n{}\n',
        b'{}\n{"a":1}\n{}\n',
        (
            "double-prefix@3+13",
            "invalid-json@17+3",
        ),
        options={"repairs": but("stray-framing")},
        facts={"format": "ndjson", "events": 3, "invalid_json": 1},
    ),
    RepairCase(
        "a piece of a payload without data, by the standard alone",
        said("a") + b'{"choices":[{"index":0,"del\n' + FINISH + DONE,
        SAME,
        options={"repairs": ()},
        facts={**answered("a", 1, "stop", "damaged"), "events": 3},
        leaves=(57, 152, 166),
    ),
    RepairCase(
        "a payload behind two blanks, by the standard alone",
        said("a") + b'data:  {"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        SAME,
        options={"repairs": ()},
        facts={**answered("ab", 2), "events": 4},
        leaves=(57, 115, 182, 196),
    ),
)
