"""Blocks of several events, and events of several lines."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, but, crlf, failure, said

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "an id with NUL that swallowed a payload",
        said("a") + b'id: 5\x00{"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        ("stray-line@57+55",),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3},
        leaves=(57, 181, 195),
    ),
    RepairCase(
        "a block whose data was not whole, and one of two documents",
        b'data: {"a":}\ndata: {"b":2}\n\ndata: {"a":1}\ndata: {"b":2}\n\n',
        b'data: {"a":}\ndata: {"b":2}\n\ndata: {"a":1}\n\ndata: {"b":2}\n\n',
        ("missing-blank-line@42+0",),
        facts={"events": 3, "invalid_json": 1},
        leaves=(28, 56, 57),
    ),
    RepairCase(
        "an end of lines at blanks and a word",
        b'{"a":1}\n  xx',
        b'{"a":1}\n',
        ("unfinished-tail@10+2",),
        facts={"format": "ndjson", "verdict": "truncated"},
        leaves=(8,),
    ),
    RepairCase(
        "lines with blanks around them",
        b'{"a":1}\n \t{"b":2}\t \r\n\n  \n{"c":3}\n',
        b'{"a":1}\n{"b":2}\n{"c":3}\n',
        facts={"format": "ndjson", "respellings": {"blanks": 1, "blank-line": 2}, "events": 3},
        leaves=(8, 21, 33),
    ),
    RepairCase(
        "the sentinel of a gateway behind an answer of Cohere's that is cut",
        b'data: {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "a"}}}}\n\n' + DONE,
        (
            b'data: {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "a"}}}}\n\n'
            b"event: message-end\n"
            b'data: {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "The stream ended '
            b'before it was complete."}, "error": {"message": "The stream ended before it was complete.", '
            b'"type": "unbroken_error", "code": "truncated"}}\n\n'
        ),
        ("done-after-error@95+12",),
        facts={**failure("truncated"), "dialect": "cohere", "text": "a", "content_emitted": True, "tokens_received": 1},
        leaves=(95, 109),
    ),
    RepairCase(
        "very many alike events, and one of another shape between them",
        said(*["x"] * 280)
        + b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"y"}}]}\n\n'
        + said(*["x"] * 280)
        + FINISH
        + DONE,
        SAME,
        facts={**answered("x" * 280 + "y" + "x" * 280, 561), "events": 563, "repetitions": 280},
    ),
    RepairCase(
        "an error behind a cut line that the dialect does not know",
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"role":"assistant"}}\n'
            b"\n"
            b'data: {"x\ndata: {"object":"error"}\n'
            b"\n"
            b'event: message_stop\ndata: {"type":"message_stop"}\n'
            b"\n"
        ),
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"role":"assistant"}}\n'
            b"\n"
            b'event: error\ndata: {"type": "error", "message": "The upstream service reported an err'
            b'or.", "error": {"type": "api_error", "message": "The upstream service reported an err'
            b'or.", "code": "upstream-error", "origin": "unbroken_error"}}\n'
            b"\n"
        ),
        ("invalid-json@84+34",),
        facts={
            **failure("upstream-error", safe_to_retry=True),
            "dialect": "anthropic",
            "bytes_in": 118,
            "invalid_json": 1,
        },
        leaves=(84, 120),
    ),
    RepairCase(
        "heartbeats of lines before an object",
        b' \n \n   {"a":1}\n{"b":2}\n',
        b'{"a":1}\n{"b":2}\n',
        facts={"format": "ndjson", "respellings": {"blanks": 1}, "events": 2},
        leaves=(15, 23),
    ),
    RepairCase(
        "a field between two documents",
        b'data: {"a":1}\nid: 1\ndata: {"b":2}\n\n',
        b'data: {"a":1}\n\nid: 1\ndata: {"b":2}\n\n',
        ("missing-blank-line@20+0",),
        facts={"events": 2, "last_event_id": "1"},
        leaves=(34, 35),
    ),
    RepairCase(
        "a name above two documents",
        b'event: e\ndata: {"a":1}\n: c\nid: 2\ndata: {"b":2}\n\n',
        b'event: e\ndata: {"a":1}\n\nevent: e\n: c\nid: 2\ndata: {"b":2}\n\n',
        ("missing-blank-line@33+0",),
        facts={"events": 2, "comments": 1, "last_event_id": "2"},
        leaves=(47, 48),
    ),
    RepairCase(
        "an error line in a block of two documents",
        b'data: {"a":1}\nerror: 5\nretry: 4\ndata: {"b":2}\n\n',
        b'data: {"a":1}\nerror: 5\n\nretry: 4\ndata: {"b":2}\n\n',
        ("missing-blank-line@32+0",),
        facts={"events": 2, "retry": 4},
        leaves=(46, 47),
    ),
    RepairCase(
        "three documents in one block",
        b'data: {"a":1}\ndata: {"b":2}\ndata: [3]\n\n',
        b'data: {"a":1}\n\ndata: {"b":2}\n\ndata: [3]\n\n',
        (
            "missing-blank-line@14+0",
            "missing-blank-line@28+0",
        ),
        facts={"events": 3},
        leaves=(28, 38, 39),
    ),
    RepairCase(
        "documents that are only closed",
        b"data: {]\ndata: {}\ndata: {}\n\n",
        SAME,
        facts={"invalid_json": 1},
        leaves=(28,),
    ),
    RepairCase(
        "two documents of several lines",
        b'data: {"a":\ndata: 1}\ndata: {"b":2}\n\n',
        b'data: {"a":\ndata: 1}\n\ndata: {"b":2}\n\n',
        ("missing-blank-line@21+0",),
        facts={"events": 2},
        leaves=(35, 36),
    ),
    RepairCase(
        "numbers and words in one block",
        b'data: 1\ndata: 2\n\ndata: "a"\ndata: {"b":2}\n\n',
        SAME,
        facts={"events": 2},
        leaves=(17, 42),
    ),
    RepairCase(
        "the sentinel behind a document in its block",
        said("a") + b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n' + DONE,
        said("a") + FINISH + DONE,
        ("missing-blank-line@123+0",),
        facts={**answered("a", 1), "events": 3},
        leaves=(57, 136, 137),
    ),
    RepairCase(
        "raw JSON in the block of the sentinel",
        said("a") + FINISH + b'data: [DONE]\n{"a":1}\n\n',
        said("a") + FINISH + DONE,
        ("stray-line@137+7",),
        facts={**answered("a", 1), "events": 3},
        leaves=(57, 124, 146),
    ),
    RepairCase(
        "the sentinel with CRLF, and what follows",
        crlf(said("a"))
        + b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\n\r\ndata: [DONE]\r\n\r\n'
        + crlf(said("b")),
        said("a") + FINISH + DONE,
        facts={**answered("a", 1), "respellings": {"line-end": 6}, "events": 3, "bytes_in": 143},
        leaves=(58, 127, 143),
    ),
    RepairCase(
        "the sentinel with CR, and what follows",
        (
            b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\r\rdata: {"choices":[{"index":0,'
            b'"delta":{},"finish_reason":"stop"}]}\r\rdata: [DONE]\r\rdata: {"choices":[{"index":0,'
            b'"delta":{"content":"b"}}]}\r\r'
        ),
        said("a") + FINISH + DONE,
        facts={**answered("a", 1), "respellings": {"line-end": 6}, "events": 3, "bytes_in": 138},
        leaves=(57, 124, 138),
    ),
    RepairCase(
        "line ends of all kinds",
        b"data: a\r\rdata: b\n\ndata: c\r\n\r\n: d\r\r\n\rdata: e\n\r",
        b"data: a\n\ndata: b\n\ndata: c\n\n: d\n\ndata: e\n\n",
        facts={"respellings": {"line-end": 8, "blank-line": 1}, "events": 4, "comments": 1},
        leaves=(9, 18, 28, 33, 34, 45),
    ),
    RepairCase(
        "two ids in one block of JSON",
        b'id: 1\ndata: {"a":1}\nid: 2\n\ndata: {"b":2}\n\n',
        SAME,
        facts={"events": 2, "last_event_id": "2"},
        leaves=(27, 42),
    ),
    RepairCase(
        "two ids in one block",
        b"id: 1\ndata: x\nid: 2\n\ndata: y\n\n",
        SAME,
        facts={"events": 2, "last_event_id": "2"},
        leaves=(21, 30),
    ),
    RepairCase(
        "a name, an id and data, spelt anew",
        b'event:e\nid:1\nretry:7\ndata:{"a":NaN}\nx:y\n: c\n\n',
        b'event: e\nid: 1\nretry: 7\ndata: {"a":null}\nx: y\n: c\n\n',
        ("non-finite@0+43",),
        facts={"respellings": {"field-blank": 5}, "comments": 1, "last_event_id": "1", "retry": 7},
        leaves=(45,),
    ),
    RepairCase(
        "glued documents in a block with a name and an id",
        b'event: e\nid: 1\ndata: {"a":1}{"b":2}\nretry: 3\n\n',
        b'event: e\nid: 1\ndata: {"a":1}\nretry: 3\n\nevent: e\ndata: {"b":2}\n\n',
        ("glued-json@0+44",),
        facts={"events": 2, "last_event_id": "1", "retry": 3},
        leaves=(46,),
    ),
    RepairCase(
        "names of Anthropic's where lines stay lines",
        b'{"type":"message_start","message":{"role":"assistant"}}\n{"type":"message_stop"}\n',
        SAME,
        facts={"format": "ndjson", "dialect": "anthropic", "verdict": "complete", "events": 2},
        leaves=(56, 80),
    ),
    RepairCase(
        "a name of Anthropic's that is another",
        (
            b'event: x\ndata: {"type":"message_start","message":{"role":"assistant"}}\n\nevent: message_stop\n'
            b'data: {"type":"message_stop"}\n\n'
        ),
        SAME,
        facts={"dialect": "anthropic", "verdict": "complete", "events": 2},
        leaves=(72, 123),
    ),
    RepairCase(
        "a name that may not be restored",
        (b'data: {"type":"message_start","message":{"role":"assistant"}}\n\ndata: {"type":"message_stop"}\n\n'),
        SAME,
        options={"dialect": "anthropic", "repairs": but("event-name-restored")},
        facts={"dialect": "anthropic", "verdict": "complete", "events": 2},
        leaves=(63, 94),
    ),
    RepairCase(
        "two documents and an id between them",
        b'data: {"a":1}\nid: 1\ndata: {"b":2}\n\n',
        b'data: {"a":1}\n\nid: 1\ndata: {"b":2}\n\n',
        ("missing-blank-line@20+0",),
        facts={"events": 2, "last_event_id": "1"},
        leaves=(34, 35),
    ),
    RepairCase(
        "two documents, and a name and a comment between them",
        b'data: {"a":1}\nevent: e\n: c\ndata: {"b":2}\n\n',
        b'data: {"a":1}\n\nevent: e\n: c\ndata: {"b":2}\n\n',
        ("missing-blank-line@27+0",),
        facts={"events": 2, "comments": 1},
        leaves=(41, 42),
    ),
    RepairCase(
        "two documents and an id between them, and no end",
        b'data: {"a":1}\nid: 1\ndata: {"b":2}\n',
        b'data: {"a":1}\n\nid: 1\ndata: {"b":2}\n\n',
        (
            "missing-blank-line@20+0",
            "unterminated-event@14+19",
        ),
        facts={"events": 2, "last_event_id": "1"},
        leaves=(34,),
    ),
    RepairCase(
        "two documents and a line between them, and no end",
        b'data: {"a":1}\n\x0c\ndata: {"b":2}\n',
        b'data: {"a":1}\n\ndata: {"b":2}\n\n',
        (
            "missing-blank-line@16+0",
            "unterminated-event@14+15",
            "stray-line@14+1",
        ),
        facts={"events": 2},
        leaves=(30,),
    ),
    RepairCase(
        "ids in blocks of their own, behind blanks for a blank line",
        (
            b"".join(said(text)[:-1] + b" \nid: %d\n\n" % at for at, text in enumerate("abcd"))
            + b"id: 9\n"
            + said("e")
            + FINISH
            + DONE
        ),
        (
            said("a")
            + b"id: 0\n"
            + said("b")
            + b"id: 1\n"
            + said("c")
            + b"id: 2\n"
            + said("d")
            + b"id: 9\n"
            + said("e")
            + FINISH
            + DONE
        ),
        (
            "missing-blank-line@56+1",
            "missing-blank-line@121+1",
            "missing-blank-line@186+1",
            "missing-blank-line@251+1",
        ),
        facts={**answered("abcde", 5), "events": 7, "last_event_id": "9", "respellings": {"bare-block": 4}},
        leaves=(58, 123, 188, 253, 323, 390, 404),
    ),
    RepairCase(
        "a CR behind the data, and LF behind the id",
        b'data: {"a":1}\rid: 1\n\n',
        b'data: {"a":1}\nid: 1\n\n',
        facts={"last_event_id": "1", "respellings": {"line-end": 1}},
        leaves=(21,),
    ),
)
