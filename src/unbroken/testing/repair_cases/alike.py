"""Events that differ in their text alone, and what breaks such a run."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, but, call, crlf, failure, said


def _numbered(number: int, text: str) -> bytes:
    head = '"type":"response.output_text.delta","item_id":"i"'
    data = f'{{{head},"sequence_number":{number},"delta":"{text}"}}'
    return f"event: response.output_text.delta\ndata: {data}\n\n".encode()


CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "alike events with escapes",
        said("a", "b", "c\\", 'd"e', "f\ng")
        + (
            b'data: {"choices":[{"index":0,"delta":{"content":"\xc3\xa9"}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"\xe4\xbd\xa0"}}]}\n\n'
        )
        + said("%s", "%", "h")
        + FINISH
        + DONE,
        SAME,
        facts={**answered('abc\\d"ef\ngé你%s%h', 10), "events": 12},
    ),
    RepairCase(
        "alike events, one of which ends with carriage returns",
        said("a", "b", "c", "d", "e", "f") + said("g").replace(b"\n\n", b"\r\r") + said("h") + FINISH + DONE,
        said("a", "b", "c", "d", "e", "f", "g", "h") + FINISH + DONE,
        facts={**answered("abcdefgh", 8), "events": 10, "respellings": {"line-end": 2}},
        leaves=(57, 114, 171, 228, 285, 342, 399, 456, 523, 537),
    ),
    RepairCase(
        "alike events with escapes of ASCII",
        said("a", "b", "é")
        + (
            b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"\\ude00"}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"\\/"}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"\\q"}}]}\n\n'
        )
        + said("x", "y")
        + FINISH
        + DONE,
        said("a", "b", "é")
        + (
            b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"\\ude00"}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"\\/"}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"\\\\q"}}]}\n\n'
        )
        + said("x", "y")
        + FINISH
        + DONE,
        ("lone-backslash@358+56",),
        facts={**answered("abé😀/\\qxy", 9), "events": 11},
    ),
    RepairCase(
        "alike events with a control character",
        said("a", "b", "c")
        + b'data: {"choices":[{"index":0,"delta":{"content":"\t"}}]}\n\n'
        + said("d")
        + b'data: {"choices":[{"index":0,"delta":{"content":"\x01"}}]}\n\n'
        + said("e")
        + FINISH
        + DONE,
        said("a", "b", "c", "\t", "d", "\x01", "e") + FINISH + DONE,
        ("raw-control@171+55", "raw-control@285+55"),
        facts={**answered("abc\td\x01e", 7), "events": 9},
    ),
    RepairCase(
        "alike events with bad bytes",
        said("a", "b", "c")
        + b'data: {"choices":[{"index":0,"delta":{"content":"\xff"}}]}\n\n'
        + said("d")
        + b'data: {"choices":[{"index":0,"delta":{"content":"\xe2\x82"}}]}\n\n'
        + said("e")
        + FINISH
        + DONE,
        said("a", "b", "c")
        + b'data: {"choices":[{"index":0,"delta":{"content":"\xef\xbf\xbd"}}]}\n\n'
        + said("d")
        + b'data: {"choices":[{"index":0,"delta":{"content":"\xef\xbf\xbd"}}]}\n\n'
        + said("e")
        + FINISH
        + DONE,
        (
            "invalid-utf8@220+1",
            "invalid-utf8@334+2",
        ),
        facts={**answered("abc�d�e", 7), "events": 9, "invalid_utf8": 2},
    ),
    RepairCase(
        "alike events with an empty text",
        said("a", "b", "c", "", "d", "", "e") + FINISH + DONE,
        SAME,
        facts={**answered("abcde", 5), "events": 9},
    ),
    RepairCase(
        "alike events of CRLF",
        crlf(said("a", "b", "c", "d", "e")) + FINISH + DONE,
        said("a", "b", "c", "d", "e") + FINISH + DONE,
        facts={**answered("abcde", 5), "respellings": {"line-end": 10}, "events": 7},
    ),
    RepairCase(
        "alike events of CRLF and LF",
        said("a", "b", "c") + crlf(said("d", "e", "f")) + said("g", "h") + FINISH + DONE,
        said("a", "b", "c", "d", "e", "f", "g", "h") + FINISH + DONE,
        facts={**answered("abcdefgh", 8), "respellings": {"line-end": 6}, "events": 10},
    ),
    RepairCase(
        "alike events with comments between",
        said("a", "b", "c") + b": x\n\n" + said("d", "e") + b"\n" + said("f") + FINISH + DONE,
        said("a", "b", "c") + b": x\n\n" + said("d", "e", "f") + FINISH + DONE,
        facts={**answered("abcdef", 6), "respellings": {"blank-line": 1}, "events": 8, "comments": 1},
    ),
    RepairCase(
        "alike events with ids",
        b"id: 0\n"
        + said("a")
        + b"id: 1\n"
        + said("b")
        + b"id: 2\n"
        + said("c")
        + b"id: 3\n"
        + said("d")
        + b"id: 4\n"
        + said("e")
        + b"id: 5\n"
        + said("f")
        + b"id: 6\n"
        + said("g")
        + FINISH
        + DONE,
        SAME,
        facts={**answered("abcdefg", 7), "events": 9, "last_event_id": "6"},
    ),
    RepairCase(
        "alike events with ids behind the data",
        (
            b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\nid: x0\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"b"}}]}\nid: x1\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"c"}}]}\nid: x2\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"d"}}]}\nid: x3\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"e"}}]}\nid: x4\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"f"}}]}\nid: x5\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"g"}}]}\nid: x6\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("abcdefg", 7), "events": 9, "last_event_id": "x6"},
    ),
    RepairCase(
        "alike events with ids and an id with NUL",
        b"id: 1\n"
        + said("a")
        + b"id: 2\n"
        + said("b")
        + b"id: 3\n"
        + said("c")
        + b"id: 4\x00\n"
        + said("d")
        + b"id: \n"
        + said("e")
        + b"id: 6\n"
        + said("f")
        + b"id: 7\n"
        + said("g")
        + FINISH
        + DONE,
        SAME,
        facts={**answered("abcdefg", 7), "events": 9, "last_event_id": "7"},
    ),
    RepairCase(
        "alike events with names",
        b"event: e\n"
        + said("a")
        + b"event: e\n"
        + said("b")
        + b"event: e\n"
        + said("c")
        + b"event: e\n"
        + said("d")
        + b"event: e\n"
        + said("e")
        + b"event: e\n"
        + said("f")
        + FINISH
        + DONE,
        SAME,
        facts={**answered("abcdef", 6), "events": 8},
    ),
    RepairCase(
        "alike events that begin with a retry time",
        b"retry: 5\n" + said("a", "b", "c", "d") + FINISH + DONE,
        SAME,
        facts={**answered("abcd", 4), "events": 6, "retry": 5},
    ),
    RepairCase(
        "alike events with numbers, of which an error of ours has the next one",
        b"".join(_numbered(number, text) for number, text in enumerate("abcdefgh", start=4)),
        b"".join(_numbered(number, text) for number, text in enumerate("abcdefgh", start=4))
        + b'event: error\ndata: {"type": "error", "sequence_number": 12, "code": "truncated", '
        b'"message": "The stream ended before it was complete.", "param": null, '
        b'"error": {"message": "The stream ended before it was complete.", '
        b'"type": "unbroken_error", "code": "truncated"}}\n\n',
        facts={
            **answered("abcdefgh", 8, None),
            **failure("truncated"),
            "dialect": "openai-responses",
            "events": 8,
        },
    ),
    RepairCase(
        "alike events with a call each, of one name and without ids, at one index",
        b"".join(
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":'
            b'{"name":"f","arguments":"{\\"a\\":%d}"}}]}}]}\n\n' % number
            for number in range(6)
        )
        + FINISH
        + DONE,
        SAME,
        options={"repairs": but("tool-index")},
        facts={
            **answered("", 6),
            "events": 8,
            "tool_calls": [call("f", f'{{"a":{number}}}') for number in range(6)],
        },
    ),
)
