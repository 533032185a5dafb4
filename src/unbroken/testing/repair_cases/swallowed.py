"""Payloads in a line that holds none: an id, a name, a comment, a line that is no field; and lines cut at the end."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, but, failure, said, told

_PAYLOAD: Final = b'{"choices":[{"index":0,"delta":{"content":"b"}}]}'
_HOLE: Final = {**answered("a", 1, verdict="damaged"), "events": 3}
_END: Final = FINISH + DONE
_FIELDS: Final = b"id: 7\nretry: 5000\n"
_FIELDS_LEFT: Final = {"last_event_id": "7", "retry": 5000}

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "an id that swallowed a payload, and the next event's",
        said("a") + b"id: 3data: " + _PAYLOAD + b"\n\nid: 4\n" + _END,
        said("a") + b"id: 4\n" + _END,
        facts={**_HOLE, "last_event_id": "4", "respellings": {"bare-block": 1}},
    ),
    RepairCase(
        "an id that swallowed a payload, and another in its block",
        said("a") + b"id: 3data: " + _PAYLOAD + b"\nid: 4\n" + _END,
        SAME,
        facts={**_HOLE, "last_event_id": "4"},
    ),
    RepairCase(
        "a name that swallowed a payload, and another in its block",
        said("a") + b"event: x" + _PAYLOAD + b"\nevent: y\n" + said("c") + _END,
        SAME,
        facts={**answered("ac", 2, verdict="damaged"), "events": 4},
    ),
    RepairCase(
        "an id with NUL that swallowed a payload, before data",
        said("a") + b"id: 1\0" + _PAYLOAD + b"\n" + said("c") + _END,
        SAME,
        facts={**answered("ac", 2, verdict="damaged"), "events": 4},
    ),
    RepairCase(
        "a blank before a payload without a field name",
        said("a") + b" " + _PAYLOAD + b"\n\n" + _END,
        said("a") + _END,
        ("stray-line@57+50",),
        facts={**_HOLE, "respellings": {"blank-line": 1}},
    ),
    RepairCase(
        "a word and a payload, on a line behind data",
        said("a")[:-1] + b"ping " + _PAYLOAD + b"\n\n" + _END,
        said("a") + _END,
        ("stray-line@56+54",),
        facts=_HOLE,
    ),
    RepairCase(
        "a word and another object",
        said("a") + b' ping {"x":1}\n\n' + _END,
        said("a") + _END,
        ("stray-line@57+13",),
        facts={**answered("a", 1), "events": 3, "respellings": {"blank-line": 1}},
    ),
    RepairCase(
        "half a document behind a misspelt field name",
        said("a") + b'data : {"choices":[{"ind\n\n' + _END,
        said("a") + _END,
        ("stray-line@57+24",),
        facts={**_HOLE, "respellings": {"blank-line": 1}},
    ),
    RepairCase(
        "a payload without a field name that may not be mended",
        said("a") + _PAYLOAD + b"\n\n" + _END,
        said("a") + _END,
        ("stray-line@57+49",),
        options={"repairs": but("raw-json")},
        facts={**_HOLE, "respellings": {"blank-line": 1}},
    ),
    RepairCase(
        "a payload without a field name where nothing is mended",
        said("a") + _PAYLOAD + b"\n\n" + _END,
        SAME,
        options={"repairs": ()},
        facts=_HOLE,
    ),
    RepairCase(
        "a comment as data that swallowed a payload",
        said("a") + b"data: : ping " + _PAYLOAD + b"\n\n" + _END,
        said("a") + _END,
        ("wrapped-comment@57+62",),
        facts=_HOLE,
    ),
    RepairCase(
        "a comment as data by the name error",
        said("a") + b"event: error\ndata: : ping\n\n" + _END,
        said("a") + told("upstream-error"),
        ("wrapped-comment@57+25",),
        facts={"detail": "", **answered("a", 1, None), **failure("upstream-error"), "bytes_in": 82},
    ),
    RepairCase(
        "a sentinel with two blanks behind a document in its block",
        said("a") + FINISH[:-1] + b"data:  [DONE]\n\n",
        said("a") + _END,
        ("missing-blank-line@123+0", "done-spelling@123+13"),
        facts={**answered("a", 1), "events": 3},
    ),
    RepairCase(
        "an error without data, with an id and a reconnection time",
        said("a") + b"event: error\n" + _FIELDS + b"data:\n\n",
        said("a") + _FIELDS + told("upstream-error"),
        ("empty-data@57+36",),
        facts={
            "detail": "",
            **answered("a", 1, None),
            **failure("upstream-error"),
            **_FIELDS_LEFT,
            "bytes_in": 93,
            "respellings": {"field-blank": 1},
        },
    ),
    RepairCase(
        "an error in words, with an id and a reconnection time",
        said("a") + b"event: error\n" + _FIELDS + b"data: error: m\n\n",
        said("a") + _FIELDS + told("upstream-error"),
        ("invalid-json@57+45",),
        facts={
            "detail": "error: m",
            **answered("a", 1, None),
            **failure("upstream-error"),
            **_FIELDS_LEFT,
            "bytes_in": 102,
            "invalid_json": 1,
        },
    ),
    RepairCase(
        "data that is refused, with an id and a reconnection time",
        said("a") + _FIELDS + b"data: oops\n\n",
        said("a") + _FIELDS + told("invalid-json"),
        ("invalid-json@57+28",),
        options={"invalid_json": "error"},
        facts={**answered("a", 1, None), **failure("invalid-json"), **_FIELDS_LEFT, "bytes_in": 85, "invalid_json": 1},
    ),
    RepairCase(
        "half a document and an error in one block, with an id and a reconnection time",
        said("a") + _FIELDS + b'data: {"cho\ndata: {"error":{"message":"m"}}\n\n',
        said("a") + _FIELDS + b'data: {"error":{"message":"m"}}\n\n',
        ("invalid-json@57+61",),
        facts={
            "detail": "m",
            **answered("a", 1, None),
            **failure("upstream-error"),
            **_FIELDS_LEFT,
            "events": 2,
            "invalid_json": 1,
        },
    ),
    RepairCase(
        "null by the name error before an answer, as lines",
        b"event: error\ndata: null\n\n" + said("a") + _END,
        b'null\n{"choices":[{"index":0,"delta":{"content":"a"}}]}\n' + FINISH[6:-1],
        options={"to": "ndjson"},
        facts={**answered("a", 1), "events": 4},
    ),
    RepairCase(
        "null by the name error before the sentinel",
        b"event: error\ndata: null\n\n" + DONE,
        SAME,
        facts={"events": 2},
    ),
    RepairCase(
        "a comment with a payload, in the first event",
        said("a")[:-1] + b": p" + _PAYLOAD + b"\n\n" + _END,
        said("a") + _END,
        options={"comments": "drop"},
        facts={**_HOLE, "comments": 1},
    ),
    RepairCase(
        "a field with a capital that was cut, behind a whole event",
        said("a") + FINISH[:-1] + b'Data: {"choices":[{"index":0,"de',
        said("a") + FINISH + told("truncated"),
        ("unterminated-event@57+65", "unfinished-tail@123+32"),
        facts={**answered("a", 1), **failure("truncated"), "events": 2},
    ),
    RepairCase(
        "a document without a field name that was cut, behind a whole event",
        said("a") + FINISH[:-1] + b'{"choices":[{"index":0,"de',
        said("a") + FINISH + told("truncated"),
        ("unterminated-event@57+65", "unfinished-tail@123+26"),
        facts={**answered("a", 1), **failure("truncated"), "events": 2},
    ),
    RepairCase(
        "the same of no known dialect",
        b'data: {"x":1}\n{"a":',
        b'data: {"x":1}\n\n',
        ("unterminated-event@0+13", "unfinished-tail@14+5"),
        facts={"verdict": "truncated"},
    ),
    RepairCase(
        "a misspelt field name that was cut, between events",
        b'data: {"x":1}\n\n data : {"cho',
        b'data: {"x":1}\n\n',
        ("unfinished-tail@15+13",),
        facts={"verdict": "truncated"},
    ),
    RepairCase(
        "a document and half of another, without a field name, at the end",
        b'data: {"x":1}\n\n{"a":1}{"b',
        b'data: {"x":1}\n\n',
        ("unfinished-tail@15+10",),
        facts={"verdict": "truncated"},
    ),
    RepairCase(
        "a comment without its line end behind half a document",
        b'data: {"x":1}\n\n{"a":\n: c',
        b'data: {"x":1}\n\n',
        ("unfinished-tail@15+9",),
        facts={"verdict": "truncated"},
    ),
    RepairCase(
        "a misspelt field name before a whole document at the end",
        said("a") + b" data : " + _PAYLOAD,
        said("a", "b") + told("truncated"),
        ("field-name@57+57", "unterminated-event@57+57"),
        facts={**answered("ab", 2, None), **failure("truncated"), "events": 2},
    ),
    RepairCase(
        "a document that a line end cut, whose rest looks like one, at the end",
        said("a") + b'data: {"choices":[\n{"index":0,"delta":{"content":"b"}}]}',
        said("a", "b") + told("truncated"),
        ("unterminated-event@57+56", "raw-newline@57+56"),
        facts={**answered("ab", 2, None), **failure("truncated"), "events": 2},
    ),
)
