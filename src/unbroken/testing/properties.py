"""The properties of a conforming reader of event streams, each with its clause and with streams that test it.

The strategies of `unbroken.testing.strategies` mix everything; each of these puts one difficulty into simple streams,
so that a failure names its cause and Hypothesis finds it within its default number of examples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .cases import Clause, slug
from .require_hypothesis import SearchStrategy as Strategy
from .require_hypothesis import st
from .strategies import cut_streams, hostile_sse_streams, sse_streams
from .streams import SSEStream


@dataclass(frozen=True, slots=True)
class Property:
    """A statement that holds for every stream drawn by `streams`, at every cut, and for all bytes that it `admits`.

    It is tested with `times` the examples of the user's Hypothesis profile.
    """

    name: str
    clause: Clause
    streams: Strategy[SSEStream]
    admits: Callable[[bytes], bool] = lambda data: False
    times: int = 1

    @property
    def slug(self) -> str:
        """The name as a part of a test's name."""
        return slug(self.name)

    @property
    def cut_streams(self) -> Strategy[tuple[SSEStream, list[bytes]]]:
        """Pairs of a stream and its chunks."""
        return cut_streams(self.streams)


def _read(text: str | bytes) -> SSEStream:
    return SSEStream.of(text.encode() if isinstance(text, str) else text)


def _blocks(*lines: Strategy[str], last: Strategy[str] | None = None) -> Strategy[SSEStream]:
    """Draw streams of blocks of these lines, each ended by one blank line; `last` draws the last line of a block."""
    block = st.lists(st.one_of(*lines), min_size=1, max_size=3)
    if last is not None:
        block = st.builds(lambda lines, line: [*lines, line], block, last)
    return st.lists(block, min_size=1, max_size=4).map(
        lambda blocks: _read("".join("\n".join(block) + "\n\n" for block in blocks))
    )


def _data(payloads: Strategy[str]) -> Strategy[SSEStream]:
    return _blocks(payloads.map("data: {}".format))


def _between(before: bytes, stream: SSEStream, after: bytes = b"") -> SSEStream:
    return _read(before + stream.data + after)


def _and_one_more(streams: Strategy[SSEStream]) -> Strategy[SSEStream]:
    """Append an event without other fields, which shows state that was kept from the event before."""
    return streams.map(lambda stream: _between(b"", stream, b"data: b\n\n"))


_word = st.text("ab1", min_size=1, max_size=3)
_datum = _word.map(lambda word: f"data: {word}")
_plain = _blocks(_datum)


def _line_ends(blocks: list[list[str]], ends: list[str]) -> SSEStream:
    lines = [line for block in blocks for line in [*block, ""]]
    text = ""
    for at, line in enumerate(lines):
        end = ends[at % len(ends)]
        # After a CR, an LF of its own would be the second half of one line end.
        text += line + ("\r\n" if line == "" and end == "\n" and text.endswith("\r") else end)
    return _read(text)


def _is_utf8(data: bytes) -> bool:
    return data.decode("utf-8", "ignore").encode() == data


_id = st.sampled_from(["id: 1", "id: 2", "id:3", "id: \u00e9"])
_damage = st.sampled_from(
    [b"\xff", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xe4\xbd", b"\xf4\x90\x80\x80", b"\xc3"]
)
_no_data = _blocks(st.sampled_from([": ping", "retry: 5", "event: x", "", "foo"]))
_lookalikes = st.sampled_from([" data: b", "Data: b", "data : b", "foo", "foo: b", "datas: b", "\tdata: b"])
_retries = st.sampled_from(
    [
        "retry: 5",
        "retry:10",
        "retry: 1_000",
        "retry: -5",
        "retry: +5",
        "retry: \u0663",
        "retry:  5",
        "retry",
        "retry: 1.5",
    ]
)
_one_line_end = st.sampled_from([["\n"], ["\r\n"], ["\r"]])
# Different line ends beside each other are what most readers with a flaw get wrong, so that they are drawn more often.
_several_line_ends = st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=2, max_size=4)
_sets_of_line_ends = st.one_of(_one_line_end, _several_line_ends, _several_line_ends)
ANY_LINE_ENDS = st.builds(
    _line_ends,
    st.lists(st.lists(_datum, min_size=1, max_size=2), min_size=1, max_size=3),
    _sets_of_line_ends,
)
"""Streams of plain events whose lines end in any of the three ways."""
# Whether half a line end counts as a line end shows only between two lines of one event.
_crlf = st.lists(st.lists(_datum, min_size=2, max_size=3), min_size=1, max_size=2).map(
    lambda blocks: _line_ends(blocks, ["\r\n"])
)


SSE_PROPERTIES: tuple[Property, ...] = (
    Property(
        "any line end ends a line",
        Clause.LINES,
        ANY_LINE_ENDS,
    ),
    Property("a CRLF may be cut in two", Clause.LINES, _crlf),
    Property(
        "no other character ends a line",
        Clause.LINES,
        _data(st.text("a\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e", min_size=1)),
    ),
    Property("characters survive any cut", Clause.UTF8, _data(st.text("a\u00e9\u4f60\U0001f600", min_size=1))),
    Property(
        "wrong bytes become U+FFFD and reading goes on",
        Clause.DECODE,
        st.builds(lambda wrong, after: _between(b"data: " + wrong + b"\n\n", after), _damage, _plain),
    ),
    Property(
        "a byte order mark hides nothing", Clause.BOM, _plain.map(lambda stream: _between(b"\xef\xbb\xbf", stream))
    ),
    Property(
        "one blank behind the colon is optional",
        Clause.SPACE,
        _blocks(st.builds("data:{}{}".format, st.sampled_from(["", " ", "  ", "\t"]), _word)),
    ),
    Property("the first colon divides a line", Clause.COLON, _data(st.text("a:", min_size=1, max_size=4))),
    Property(
        "data lines are joined and empty ones count",
        Clause.DATA,
        _blocks(_datum, st.sampled_from(["data", "data:", "data: "])),
    ),
    Property("names that are no field mean nothing", Clause.NAMES, _blocks(_lookalikes, last=_datum)),
    Property(
        "comments mean nothing",
        Clause.COMMENT,
        _blocks(st.sampled_from([":", ": ping", ":data: b", ": event: x"]), last=_datum),
    ),
    Property(
        "an event name names one event",
        Clause.EVENT,
        _and_one_more(_blocks(st.sampled_from(["event: x", "event:y", "event", "event: ", "event: a b"]), last=_datum)),
    ),
    Property(
        "an id stays until the next one",
        Clause.ID_STAYS,
        _and_one_more(_blocks(_id | st.sampled_from(["id", "id: "]), last=_datum)),
    ),
    Property("an id with NUL is ignored", Clause.ID, _blocks(_id, st.just("id: 1\0"), last=_datum)),
    Property(
        "an id of a block without data is kept",
        Clause.NO_DATA,
        st.builds(lambda id, stream: _between(f"{id}\n\n".encode(), stream), _id, _plain),
    ),
    Property("a block without data is no event", Clause.NO_DATA, _and_one_more(_no_data)),
    Property(
        "a block without data is no event behind an id",
        Clause.NO_DATA,
        _no_data.map(lambda no: _between(b"id: 1\ndata: a\n\n", no, b"data: b\n\n")),
    ),
    Property(
        "what is pending at the end is discarded",
        Clause.END,
        st.builds(
            lambda stream, tail: _between(b"", stream, tail),
            _plain,
            st.sampled_from([b"data: b", b"data: b\n", b"data", b"event: x\ndata: b\n"]),
        ),
    ),
    # These mix everything, so that one difficulty is drawn less often.
    Property("any legal stream is read by the standard", Clause.BLANK, sse_streams(), _is_utf8, times=3),
    Property(
        "any bytes at all are read by the standard", Clause.DECODE, hostile_sse_streams(), lambda data: True, times=3
    ),
)
"""What WHATWG 9.2.6 says of (event, data, id)."""


PROMPT = Property("an event leaves with the byte that completes it", Clause.BLANK, ANY_LINE_ENDS)
"""Follows from processing line by line: "If the line is empty (a blank line): Dispatch the event"."""


RETRY = Property("retry takes ASCII digits only", Clause.RETRY, _blocks(_retries, last=_datum))
"""What WHATWG 9.2.6 says of the reconnection time."""


CHARSET = Property("the charset parameter changes nothing", Clause.UTF8, _data(st.text("a\u00e9\u4f60", min_size=1)))
"""What WHATWG 9.2.5 says, whatever the content type is."""
