"""The cases of the standards as data: bytes, what a conforming reader sees in them, and the clause that says so.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

Each case should be read whole, byte by byte, and cut at each of its `nasty_cuts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from .standard import Seen


def slug(name: str) -> str:
    """Return the name with each run of non-word characters as one underscore, for use in a test's name."""
    return re.sub(r"\W+", "_", name)


class Clause(Enum):
    """A sentence of a standard that a reader can violate; the value is what a failure prints."""

    UTF8 = 'WHATWG 9.2.5: "Event streams in this format must always be encoded as UTF-8"'
    DECODE = (
        'WHATWG 9.2.6: "Streams must be decoded using the UTF-8 decode algorithm" (Encoding: wrong bytes become U+FFFD)'
    )
    BOM = 'WHATWG 9.2.6: "The UTF-8 decode algorithm strips one leading UTF-8 Byte Order Mark (BOM), if any"'
    LINES = "WHATWG 9.2.6: CRLF, a single LF and a single CR are the ways in which a line can end, and no others"
    BLANK = 'WHATWG 9.2.6: "If the line is empty (a blank line): Dispatch the event"'
    COMMENT = 'WHATWG 9.2.6: "If the line starts with a U+003A COLON character (:): Ignore the line"'
    COLON = 'WHATWG 9.2.6: "Collect the characters on the line before the first U+003A COLON character (:)"'
    SPACE = 'WHATWG 9.2.6: "If value starts with a U+0020 SPACE character, remove it from value"'
    NO_COLON = "WHATWG 9.2.6: a line without a colon is a field name with an empty value"
    NAMES = 'WHATWG 9.2.6: "Field names must be compared literally, with no case folding performed"'
    UNKNOWN = 'WHATWG 9.2.6: any other field name: "The field is ignored"'
    DATA = "WHATWG 9.2.6: each data field appends its value and one LF; at dispatch the last LF is removed"
    EVENT = 'WHATWG 9.2.6: "Set the event type buffer to field value", for this block only'
    ID = 'WHATWG 9.2.6: "If the field value does not contain U+0000 NULL, then set the last event ID buffer"'
    ID_STAYS = (
        'WHATWG 9.2.6: "The buffer does not get reset, so the last event ID string [...] remains set to this value"'
    )
    RETRY = 'WHATWG 9.2.6: "If the field value consists of only ASCII digits", else "ignore the field"'
    NO_DATA = 'WHATWG 9.2.6: "If the data buffer is an empty string, set [both buffers] to the empty string and return"'
    END = 'WHATWG 9.2.6: "Once the end of the file is reached, any pending data must be discarded"'
    CHUNKS = "The bytes decide, not how a network cut them: WHATWG 9.2.6 speaks of a stream and of no chunk"
    EXAMPLE = "WHATWG 9.2: an example of the standard's own"
    NDJSON_LINES = "NDJSON 3.1: each JSON text is followed by LF; a CR before it is JSON white space"
    NDJSON_TEXT = "NDJSON 3.1: each line is one JSON text (RFC 8259), in UTF-8"
    NDJSON_BLANK = "NDJSON 3.2: a parser may ignore empty lines"
    NDJSON_BOM = "RFC 8259, 8.1: a parser may ignore the presence of a byte order mark"
    NDJSON_END = "NDJSON 3.2: the last line counts, with or without its LF"
    NDJSON_BAD = "NDJSON 3.2: a line that is no JSON is one error, and what follows is still read"


@dataclass(frozen=True, slots=True)
class SSECase:
    """One stream and its reading by WHATWG 9.2.6. `retry` is in milliseconds, None if none was set."""

    name: str
    data: bytes
    events: tuple[Seen, ...]
    clause: Clause
    last_event_id: str = ""
    retry: int | None = None

    @property
    def slug(self) -> str:
        """The name as a part of a test's name."""
        return slug(self.name)


@dataclass(frozen=True, slots=True)
class NDJSONCase:
    """One NDJSON stream, its JSON texts in order, and the number of lines that are not valid JSON."""

    name: str
    data: bytes
    texts: tuple[str, ...]
    clause: Clause
    invalid: int = 0

    @property
    def slug(self) -> str:
        """The name as a part of a test's name."""
        return slug(self.name)


def _plain(*payloads: str, id: str = "") -> tuple[Seen, ...]:
    return tuple(("message", payload, id) for payload in payloads)


def _in_data(name: str, character: str) -> SSECase:
    return SSECase(
        f"{name} ends no line",
        f"data: a{character}b\n\ndata: after\n\n".encode(),
        _plain(f"a{character}b", "after"),
        Clause.LINES,
    )


STANDARD_EXAMPLES: tuple[SSECase, ...] = (
    SSECase(
        "example of three messages",
        b"data: This is the first message.\n\ndata: This is the second message, it\ndata: has two lines.\n\n"
        b"data: This is the third message.\n\n",
        _plain(
            "This is the first message.",
            "This is the second message, it\nhas two lines.",
            "This is the third message.",
        ),
        Clause.EXAMPLE,
    ),
    SSECase(
        "example of named events",
        b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
        (("add", "73857293", ""), ("remove", "2153", ""), ("add", "113411", "")),
        Clause.EXAMPLE,
    ),
    SSECase("example of a stock ticker", b"data: YHOO\ndata: +2\ndata: 10\n\n", _plain("YHOO\n+2\n10"), Clause.EXAMPLE),
    SSECase(
        "example of four blocks",
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        (("message", "first event", "1"), ("message", "second event", ""), ("message", " third event", "")),
        Clause.EXAMPLE,
    ),
    SSECase("example of empty data", b"data\n\ndata\ndata\n\ndata:", _plain("", "\n"), Clause.EXAMPLE),
    SSECase("example of the optional space", b"data:test\n\ndata: test\n\n", _plain("test", "test"), Clause.EXAMPLE),
)
"""The examples printed in section 9.2 of the standard."""


SSE_CASES: tuple[SSECase, ...] = (
    *STANDARD_EXAMPLES,
    # Line ends.
    SSECase(
        "LF ends lines", b"event: a\ndata: 1\ndata: 2\n\ndata: 3\n\n", (("a", "1\n2", ""), *_plain("3")), Clause.LINES
    ),
    SSECase(
        "CRLF ends lines",
        b"event: a\r\ndata: 1\r\ndata: 2\r\n\r\ndata: 3\r\n\r\n",
        (("a", "1\n2", ""), *_plain("3")),
        Clause.LINES,
    ),
    SSECase(
        "CR ends lines", b"event: a\rdata: 1\rdata: 2\r\rdata: 3\r\r", (("a", "1\n2", ""), *_plain("3")), Clause.LINES
    ),
    SSECase(
        "line ends may be mixed",
        b"data: 1\n\r\ndata: 2\r\n\ndata: 3\r\ndata: 4\rdata: 5\n\rdata: 6\r\r\n",
        _plain("1", "2", "3\n4\n5", "6"),
        Clause.LINES,
    ),
    SSECase("CR then LF is one line end", b"data: 1\r\ndata: 2\r\n\r\n", _plain("1\n2"), Clause.LINES),
    SSECase("LF then CR is two line ends", b"data: 1\n\rdata: 2\n\r", _plain("1", "2"), Clause.LINES),
    SSECase("a CR at the end dispatches", b"data: 1\r\n\r", _plain("1"), Clause.LINES),
    _in_data("U+2028", "\u2028"),
    _in_data("U+2029", "\u2029"),
    _in_data("U+0085", "\x85"),
    _in_data("VT", "\x0b"),
    _in_data("FF", "\x0c"),
    _in_data("FS", "\x1c"),
    _in_data("GS", "\x1d"),
    _in_data("RS", "\x1e"),
    _in_data("NUL", "\0"),
    # UTF-8.
    SSECase("characters of two to four bytes", "data: é你😀\n\n".encode(), _plain("é你😀"), Clause.UTF8),
    SSECase(
        "an invalid byte becomes U+FFFD", b"data: a\xffb\n\ndata: after\n\n", _plain("a\ufffdb", "after"), Clause.DECODE
    ),
    SSECase(
        "a surrogate in UTF-8 becomes three U+FFFD",
        b"data: a\xed\xa0\x80b\n\ndata: after\n\n",
        _plain("a\ufffd\ufffd\ufffdb", "after"),
        Clause.DECODE,
    ),
    SSECase(
        "a cut character becomes one U+FFFD",
        b"data: a\xf0\x9f\x98\n\ndata: after\n\n",
        _plain("a\ufffd", "after"),
        Clause.DECODE,
    ),
    SSECase(
        "an overlong form becomes U+FFFD",
        b"data: \xc0\xaf\n\ndata: after\n\n",
        _plain("\ufffd\ufffd", "after"),
        Clause.DECODE,
    ),
    SSECase("half a character at the end is pending", b"data: 1\n\ndata: a\xf0\x9f\x98", _plain("1"), Clause.END),
    SSECase("a byte order mark is stripped", b"\xef\xbb\xbfdata: 1\n\ndata: 2\n\n", _plain("1", "2"), Clause.BOM),
    SSECase(
        "only one byte order mark is stripped",
        b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\n\ndata: 2\n\n",
        _plain("2"),
        Clause.BOM,
    ),
    SSECase(
        "a byte order mark further on is a character",
        b"data: 1\n\n\xef\xbb\xbfdata: 2\n\ndata: 3\n\n",
        _plain("1", "3"),
        Clause.BOM,
    ),
    SSECase("a byte order mark in data stays", b"data: \xef\xbb\xbfa\n\n", _plain("\ufeffa"), Clause.BOM),
    # Fields.
    SSECase("no blank behind the colon", b"data:a\n\n", _plain("a"), Clause.SPACE),
    SSECase("only one blank is removed", b"data:  a \n\n", _plain(" a "), Clause.SPACE),
    SSECase("a tab is not removed", b"data:\ta\n\n", _plain("\ta"), Clause.SPACE),
    SSECase("only the first colon counts", b"data: a: b\n\ndata::\n\n", _plain("a: b", ":"), Clause.COLON),
    SSECase("a field without a colon", b"data\n\ndata\ndata\n\ndata: a\n\n", _plain("", "\n", "a"), Clause.NO_COLON),
    SSECase("field names are lower case", b"Data: no\nDATA: no\ndata: a\n\n", _plain("a"), Clause.NAMES),
    SSECase("a blank before the field name", b" data: no\ndata: a\n\n", _plain("a"), Clause.NAMES),
    SSECase("a blank behind the field name", b"data : no\ndata: a\n\n", _plain("a"), Clause.NAMES),
    SSECase("unknown fields are ignored", b"foo: 1\nbar\ndatas: 2\ndata: a\n\n", _plain("a"), Clause.UNKNOWN),
    # Data.
    SSECase("data lines are joined by LF", b"data: a\ndata: b\n\n", _plain("a\nb"), Clause.DATA),
    SSECase("empty data lines are kept", b"data: a\ndata:\ndata:\n\n", _plain("a\n\n"), Clause.DATA),
    SSECase("leading empty data lines are kept", b"data:\ndata: a\n\n", _plain("\na"), Clause.DATA),
    SSECase("data lines need not be neighbours", b"data: a\nevent: x\ndata: b\n\n", (("x", "a\nb", ""),), Clause.DATA),
    SSECase("empty data is dispatched", b"data:\n\ndata: a\n\n", _plain("", "a"), Clause.DATA),
    # Event names.
    SSECase("an event name", b"event: x\ndata: a\n\n", (("x", "a", ""),), Clause.EVENT),
    SSECase("the last event name counts", b"event: x\nevent: y\ndata: a\n\n", (("y", "a", ""),), Clause.EVENT),
    SSECase("an empty event name is message", b"event: x\nevent\ndata: a\n\n", _plain("a"), Clause.EVENT),
    SSECase(
        "an event name ends with its block",
        b"event: x\ndata: a\n\ndata: b\n\n",
        (("x", "a", ""), *_plain("b")),
        Clause.EVENT,
    ),
    SSECase("an event name keeps its blanks", b"event:  x \ndata: a\n\n", ((" x ", "a", ""),), Clause.SPACE),
    # Ids.
    SSECase("an id stays", b"id: 1\ndata: a\n\ndata: b\n\n", _plain("a", "b", id="1"), Clause.ID_STAYS, "1"),
    SSECase("the last id counts", b"id: 1\nid: 2\ndata: a\n\n", _plain("a", id="2"), Clause.ID, "2"),
    SSECase("an id may follow the data", b"data: a\nid: 1\n\n", _plain("a", id="1"), Clause.ID, "1"),
    SSECase(
        "an empty id resets", b"id: 1\ndata: a\n\nid\ndata: b\n\n", (*_plain("a", id="1"), *_plain("b")), Clause.ID
    ),
    SSECase(
        "an id with NUL is ignored",
        b"id: 1\ndata: a\n\nid: 2\x003\ndata: b\n\n",
        _plain("a", "b", id="1"),
        Clause.ID,
        "1",
    ),
    SSECase("an id of a block without data is kept", b"id: 7\n\ndata: a\n\n", _plain("a", id="7"), Clause.NO_DATA, "7"),
    SSECase("an id in a block that never ends is not set", b"data: a\n\nid: 7\n", _plain("a"), Clause.END),
    SSECase("an id keeps its blanks", b"id:  1 \ndata: a\n\n", _plain("a", id=" 1 "), Clause.SPACE, " 1 "),
    # Retry.
    SSECase("retry alone is no event", b"retry: 3000\n\ndata: a\n\n", _plain("a"), Clause.RETRY, retry=3000),
    SSECase("retry works without a blank line", b"data: a\n\nretry: 10\n", _plain("a"), Clause.RETRY, retry=10),
    SSECase("retry with an underscore is ignored", b"retry: 1_000\ndata: a\n\n", _plain("a"), Clause.RETRY),
    SSECase("retry with a sign is ignored", b"retry: -5\nretry: +5\ndata: a\n\n", _plain("a"), Clause.RETRY),
    SSECase("retry with a blank is ignored", b"retry:  5\nretry: 5 \ndata: a\n\n", _plain("a"), Clause.RETRY),
    SSECase("retry in other digits is ignored", "retry: ٣\nretry: ²\ndata: a\n\n".encode(), _plain("a"), Clause.RETRY),
    # Blocks that dispatch no event.
    SSECase("a comment is ignored", b": data: no\n:\n:x\ndata: a\n\n", _plain("a"), Clause.COMMENT),
    SSECase("a comment may stand inside an event", b"data: a\n: ping\ndata: b\n\n", _plain("a\nb"), Clause.COMMENT),
    SSECase(
        "a comment behind an id is no event",
        b"id: 1\ndata: a\n\n: ping\n\n:\n\ndata: b\n\n",
        _plain("a", "b", id="1"),
        Clause.NO_DATA,
        "1",
    ),
    SSECase(
        "a blank line behind an id is no event",
        b"id: 1\ndata: a\n\n\n\ndata: b\n\n",
        _plain("a", "b", id="1"),
        Clause.NO_DATA,
        "1",
    ),
    SSECase(
        "retry behind an id is no event", b"id: 1\ndata: a\n\nretry: 5\n\n", _plain("a", id="1"), Clause.NO_DATA, "1", 5
    ),
    SSECase("an event name without data is no event", b"event: x\n\ndata: a\n\n", _plain("a"), Clause.NO_DATA),
    SSECase("blank lines alone are no event", b"\n\n\r\n\r\rdata: a\n\n", _plain("a"), Clause.NO_DATA),
    # The end.
    SSECase("an event without its blank line is pending", b"data: a\n\ndata: b\n", _plain("a"), Clause.END),
    SSECase("a line without its end is pending", b"data: a\n\ndata: b", _plain("a"), Clause.END),
    SSECase("an empty stream has no event", b"", (), Clause.END),
)
"""WHATWG 9.2.5 and 9.2.6, one case for each way in which a reader was seen to violate them."""


NDJSON_CASES: tuple[NDJSONCase, ...] = (
    NDJSONCase("LF ends lines", b'{"a":1}\n[2]\n"x"\n', ('{"a":1}', "[2]", '"x"'), Clause.NDJSON_LINES),
    NDJSONCase("CRLF ends lines", b'{"a":1}\r\n[2]\r\n', ('{"a":1}', "[2]"), Clause.NDJSON_LINES),
    NDJSONCase("line ends may be mixed", b"1\r\n2\n3\r\n", ("1", "2", "3"), Clause.NDJSON_LINES),
    NDJSONCase("CR inside a text is white space", b'{"a":\r1}\n2\n', ('{"a":\r1}', "2"), Clause.NDJSON_LINES),
    NDJSONCase("U+2028 ends no line", '"a\u2028b"\n1\n'.encode(), ('"a\u2028b"', "1"), Clause.NDJSON_LINES),
    NDJSONCase("U+2029 ends no line", '"a\u2029b"\n1\n'.encode(), ('"a\u2029b"', "1"), Clause.NDJSON_LINES),
    NDJSONCase("U+0085 ends no line", '"a\x85b"\n1\n'.encode(), ('"a\x85b"', "1"), Clause.NDJSON_LINES),
    NDJSONCase("outer blanks mean nothing", b' {"a":1} \t\n\t2\n', ('{"a":1}', "2"), Clause.NDJSON_TEXT),
    NDJSONCase("scalars are texts", b'null\ntrue\n1.5\n"x"\n', ("null", "true", "1.5", '"x"'), Clause.NDJSON_TEXT),
    NDJSONCase("characters of two to four bytes", '"é你😀"\n'.encode(), ('"é你😀"',), Clause.NDJSON_TEXT),
    NDJSONCase("blank lines are skipped", b"\n1\n\n\r\n2\n\n", ("1", "2"), Clause.NDJSON_BLANK),
    NDJSONCase("lines of blanks are skipped", b"1\n  \n\t\r\n2\n ", ("1", "2"), Clause.NDJSON_BLANK),
    NDJSONCase("a byte order mark is ignored", b'\xef\xbb\xbf{"a":1}\n2\n', ('{"a":1}', "2"), Clause.NDJSON_BOM),
    NDJSONCase("a last line without LF counts", b'{"a":1}\n{"b":2}', ('{"a":1}', '{"b":2}'), Clause.NDJSON_END),
    NDJSONCase("a last line with CR alone counts", b"1\n2\r", ("1", "2"), Clause.NDJSON_END),
    NDJSONCase("an empty stream has no text", b"", (), Clause.NDJSON_END),
    NDJSONCase("a line that is no JSON is one error", b'1\n{"a":\nnope\n2\n', ("1", "2"), Clause.NDJSON_BAD, 2),
    NDJSONCase("a line cut at the end is one error", b'1\n{"a":', ("1",), Clause.NDJSON_BAD, 1),
    NDJSONCase("two texts on a line are one error", b"1 2\n3\n", ("3",), Clause.NDJSON_TEXT, 1),
    NDJSONCase("NaN is no JSON", b"NaN\n-Infinity\n1\n", ("1",), Clause.NDJSON_TEXT, 2),
    NDJSONCase("an invalid byte is one error", b'"\xff"\n1\n', ("1",), Clause.NDJSON_BAD, 1),
)
"""NDJSON (https://github.com/ndjson/ndjson-spec) and RFC 8259, one case for each violation seen in a reader."""
