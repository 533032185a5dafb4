"""Streams to hold the laws to: every dialect, every repair, damaged and repeated, each word of theirs once.

`#` in a piece becomes a number, so that `w#x` is a word that stands nowhere else in the stream.
"""

import re
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from unbroken import DEFAULT_REPAIRS, RepairKind
from unbroken.core.dialect import REGISTRY
from unbroken.testing.strategies import (
    cut_streams,
    hostile_bytes,
    json_array_streams,
    json_texts,
    ndjson_streams,
    sse_streams,
)
from unbroken.testing.streams import SSEStream

CHUNK = '{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"w#x"}}]}'
FINISH = '{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'

FRAMING = (
    "data: ", "data:", "data", "event: w#x\n", "id: w#x\n", "id:\n", "retry: 30\n", "\n", "\n\n", "\r\n", "\r",
    "\r\n\r\n", ": w#x\n", ": w#x\n\n", ":\n\n", "foo: w#x\n", "foo:w#x\n", "foo\n", " ", "  ", "\t", "   \n", "\0",
    "\ufeff", "hello w#x", "w#x b c\n", "w#x\n",
)  # fmt: skip

JSON = (
    '{"a":"w#x"}', '{"a":"w#x"}\n', '{"a":"w#x"}\n\n', '["w#x"]', '[{"a":"w#x"},', ',{"b":"w#x"}]', "12", "12\n",
    "null\n", '"w#x"\n', "true\n", '{"a":', '"w#x', 'w#x"', "NaN", "}", "{", "[", "]", ",", '"', "\\", '{"a":NaN}\n',
    '{"a":"w#x"}{"b":"w#x"}\n', "{'a': 'w#x'}\n", '{\n "a": "w#x"\n}\n', '[{"a":"w#x"}\n,\r\n{"b":"w#x"}]', "1, ",
    '"w#x", ', '{"a":1}{"b":"w#x"}, ', "NaN, ", "{'a': 'w#x'}, ",
)  # fmt: skip

EVENTS = (
    'data: {"a":"w#x"}\n\n', 'data: {"a":"w#x"}\r\n\r\n', 'data:{"a":"w#x"}\n\n', 'data: {"a":"w#x"}\n',
    "data: w#x\n\n", "data: w#x\n", "data: w#x\ndata: w#x\n\n", "data: null\n\n", "data:\n\n", "data: \n",
    "data:  \n\n", 'data: {"a":"w#x\u2028"}\n\n', 'data: {"a":"\\ud83d w#x"}\n\n',
)  # fmt: skip

DEPARTURES = (
    'data: data: {"a":"w#x"}\n\n', 'data: id: w#x\ndata: data: {"a":"w#x"}\n\n', "data: {'a': 'w#x'}\n\n",
    "data: {'a': True, 'b': None}\n\n", "data: b'{\"a\": \"w#x\"}'\n\n", 'data: {"a":NaN,"b":"w#x"}\n\n',
    'data: {"a":"w#x"}{"b":"w#x"}\n\n', 'data: {"a":"w#x"} [1] {}\n', 'data: {"t":"w#x\nw#x"}\n\n', 'data: {"t":"w#x\n',
    'data: {\n "a": "w#x"\n}\n\n', '{\n "error": {\n "code": 429, "m":"w#x"\n }\n}\n', 'error: {"code":1,"m":"w#x"}\n',
    "error: w#x\n", "<html>", "<!doctype html>w#x\n", "<p>w#x</p>\n", "HTTP/1.1 500 w#x\n",
    "HTTP/1.1 200 OK\r\nA: w#x\r\n\r\n", "data: : w#x\n\n", '  data: {"a":"w#x"}\n\n', 'Data: {"a":"w#x"}\n',
    " data: w#x\n", 'data: {"id":"w#x","data: {"id":"w#x","z":1}\n\n', "[DONE]\n", "data:  [DONE]\n\n",
    "data: done\n\n", "data: [DONE]\n",
)  # fmt: skip

DIALECTS = (
    f"data: {CHUNK}\n\n", f"data: {CHUNK}\n\n", f"data: {CHUNK}\n", CHUNK + "\n", f"data: {FINISH}\n\n",
    "data: [DONE]\n\n", 'data: {"error":{"message":"w#x","code":1}}\n\n', '{"error":{"message":"w#x"}}\n',
    '{"error":"w#x"}\n', 'data: {"error":{"message":"w#x","type":"unbroken_error","code":"c"}}\n\n',
    'event: message_start\ndata: {"type":"message_start","message":{"id":"w#x","role":"assistant","content":[]}}\n\n',
    'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"w#x"}}\n\n',
    'event: ping\ndata: {"type":"ping"}\n\n', 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"w#x"}}\n\n',
    '{"model":"m","message":{"role":"assistant","content":"w#x"},"done":false}\n',
    '{"model":"m","message":{"role":"assistant","content":"w#x"},"done":true,"done_reason":"stop"}\n',
    'data: {"candidates":[{"content":{"parts":[{"text":"w#x"}],"role":"model"}}]}\n\n',
    '[{"candidates":[{"content":{"parts":[{"text":"w#x"}]}}]},',
    '{"candidates":[{"content":{"parts":[{"text":"w#x"}]},"finishReason":"STOP"}]}]',
    'event: response.created\ndata: {"type":"response.created","response":{"id":"w#x"}}\n\n',
    'data: {"type":"response.output_text.delta","delta":"w#x"}\n\n',
    'event: delta\ndata: {"text":"w#x"}\n\n', "event: done\ndata: {}\n\n",
)  # fmt: skip

DAMAGE = (
    b"\xff", b"\xe4\xbd", b"\xef\xbb", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xff" * 400, b"\x1f\x8b", b"x" * 1100,
    b'data: "' + b"y" * 1200 + b'"\n\n', b'data: {"a":"' + b"z" * 600 + b'"}\n', b'{"a":"' + b"z" * 600 + b'"}\n',
    b'{"a":"' + b"\xff" * 400 + b'"}\n', b'data: {"a":"w0x\xff"}\n\n',
)  # fmt: skip

_texts = [piece.encode() for piece in (*FRAMING, *JSON, *EVENTS, *DEPARTURES, *DIALECTS)]
_pieces = st.one_of(st.sampled_from(_texts), st.sampled_from(_texts), st.sampled_from([*_texts, *DAMAGE]))
_in_array = st.sampled_from([piece.encode() for piece in JSON])
_mixed = st.lists(_pieces, max_size=8).map(b"".join)
_arrays = st.lists(_in_array, max_size=8).map(lambda pieces: b"[" + b"".join(pieces))

# Events that differ in one text and nothing else, as tokens do, with something odd among them.
_TEMPLATES = (
    '{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"@"}}]}',
    '{"choices":[{"index":1,"delta":{"content":"@"}}],"usage":null}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@"}}',
    '{"candidates":[{"content":{"parts":[{"text":"@"}],"role":"model"}}]}',
    '{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"@"}}}}',
    '{"model":"m","message":{"role":"assistant","content":"@"},"done":false}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@"}~}',
    '{"type":"response.output_text.delta","item_id":"m","delta":"@","sequence_number":#,"obfuscation":"x#"}',
    '{"text":"@"}',
)
_TOKENS = ("w#x", "w#x", "w#x", " w#x", "", 'a\\"w#x', "\\u00e9", "\\ud83d", "\u2028", "\u00e9", 'w#x","x":"y', "w#x\\")
_BETWEEN = (
    ": w#x\n", ": w#x\n\n", "\n", "data: [DONE]\n\n", "data:\n\n", 'data: {"error":{"message":"w#x","code":1}}\n\n',
    "id: 5\n\n", "foo: w#x\n", "data: null\n\n", "\r\n", "id\n", "retry: 5\n",
)  # fmt: skip


def _alike(spelling: tuple[str, str, str], tokens: list[tuple[str, str]]) -> bytes:
    template, name, line_end = spelling
    padded = [template.replace("~", " " * (5 * at % 7)) for at in range(len(tokens))]
    frames = [
        f"{name}data: {payload.replace('@', token)}\n\n{between}"
        for payload, (token, between) in zip(padded, tokens, strict=True)
    ]
    return "".join(frames).replace("\n", line_end).encode()


_answers = st.builds(
    _alike,
    st.tuples(
        st.sampled_from(_TEMPLATES),
        st.sampled_from(["", "", "", "event: content_block_delta\n", "event: delta\n", "id: w#x\n"]),
        st.sampled_from(["\n", "\n", "\r\n", "\r"]),
    ),
    st.lists(
        st.tuples(st.sampled_from(_TOKENS), st.one_of(st.just(""), st.just(""), st.sampled_from(("", *_BETWEEN)))),
        min_size=3,
        max_size=10,
    ),
)


def harm(data: bytes, harms: Sequence[tuple[str, int, int]]) -> bytes:
    """Flip a byte, strike some out, double a part, or cut the end off."""
    for kind, number, what in harms:
        at = number % (len(data) + 1)
        match kind:
            case "flip":
                data = data[:at] + bytes([what % 256]) + data[at + 1 :]
            case "strike":
                data = data[:at] + data[at + 1 + what % 8 :]
            case "double":
                data = data[: at + what % 64] + data[at:]
            case _:
                data = data[:at]
    return data


def harms(least: int = 0) -> st.SearchStrategy[list[tuple[str, int, int]]]:
    """Draw what `harm` does."""
    kinds = st.sampled_from(["flip", "strike", "double", "cut"])
    return st.lists(st.tuples(kinds, st.integers(0, 9999), st.integers(0, 9999)), min_size=least, max_size=2)


def numbered(data: bytes) -> bytes:
    """Write a number for each `#`."""
    parts = data.split(b"#")
    return parts[0] + b"".join(b"%d" % number + part for number, part in enumerate(parts[1:]))


troubled = st.builds(lambda data, harms: harm(numbered(data), harms), _mixed | _answers | _arrays, harms())
"""Streams of all that there is to repair, to drop and to leave alone."""

legal = st.one_of(sse_streams(json_texts()), sse_streams(), ndjson_streams(invalid=False), json_array_streams()).map(
    lambda stream: stream.data
)

anything = st.one_of(troubled, troubled, legal, hostile_bytes())
"""Whole, broken and hostile streams."""

long = st.builds(lambda data, times: data * times, anything, st.integers(10, 40))
"""Streams of some kilobytes, in which everything comes again."""


_FRONT = (
    b": c\n\n", b": c\n", b"id: 1\n\n", b"id\n\n", b"retry: 5\n\n", b"event: x\n\n", b"foo: 1\n\n", b"\n",
    b"\xef\xbb\xbf", b'event: tokendata: {"a":1}\n\n', b'{"a":1}\n', b'id: 2\n{"w0x":1}\n',
    b"retry: 10000000000000000000\n\n", b"id: 3\nevent: y\n\n", b"null\n", b'"a"\n',
)  # fmt: skip
_BEHIND = (
    b"data: [DONE]\n\n", b"data: [DONE]\n\n: bye\n\n", b'data: [DONE]\r\n\r\ndata: {"a":1}\r\n\r\n', b"[DONE]\n",
    b'"[DONE]"\n', b"data: [DONE]\n\nid: 7\n\n", b'data: [DONE]\nfoo\n{"a":1}\n\n', b": bye", b"id: 8\n\n: c\n\n",
)  # fmt: skip
framed = st.builds(
    lambda front, stream, behind: b"".join([*front, stream, *behind]),
    st.lists(st.sampled_from(_FRONT), max_size=3),
    anything,
    st.lists(st.sampled_from(_BEHIND), max_size=2),
)
"""Streams with frames in front of the first payload, and behind the sentinel."""


def cut_anyhow(streams: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Draw a stream in chunks."""
    return cut_streams(streams.map(lambda data: SSEStream(data, ()))).map(lambda drawn: drawn[1])


LIMIT = 1024
"""The least `max_event_bytes`: small, so that drawn streams reach it."""

_everyday: list[dict[str, Any]] = [{}, {"format": "sse"}, {"format": "ndjson"}, {"format": "json-array"}]
_named: list[dict[str, Any]] = [{"dialect": name} for name in REGISTRY]
_odd: list[dict[str, Any]] = [
    {"invalid_json": "keep"},
    {"invalid_json": "error"},
    {"invalid_json": "keep", "dialect": "openai-chat"},
    {"content_type": "application/json"},
    {"content_type": "application/x-ndjson"},
    {"repairs": DEFAULT_REPAIRS | {RepairKind.MISSING_DONE}},
]
_quiet: list[dict[str, Any]] = [{"comments": "drop"}]
_partial: list[dict[str, Any]] = [
    *({"repairs": DEFAULT_REPAIRS - {kind}} for kind in RepairKind),
    *({"repairs": {kind}} for kind in RepairKind),
]
_elsewhere: list[dict[str, Any]] = [{"to": "sse"}, {"to": "ndjson"}]


def _limited(*groups: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    options = st.one_of(st.just({}), *map(st.sampled_from, groups))
    limits = st.sampled_from([LIMIT, LIMIT, 2**20])
    return st.builds(lambda given, limit: {**given, "max_event_bytes": limit}, options, limits)


faithful = _limited(_everyday, _named, _odd)
"""Options under which everything that is not repaired or named leaves."""

mending = _limited(_everyday, _named, _odd, _quiet, _partial)
"""Options that keep the framing."""

all_options = _limited(_everyday, _named, _odd, _quiet, _partial, _elsewhere)

any_options = st.fixed_dictionaries(
    {},
    optional={
        "repairs": st.one_of(
            st.just(()),
            st.sets(st.sampled_from(RepairKind)).map(frozenset),
            st.sets(st.sampled_from(RepairKind), max_size=3).map(lambda kinds: DEFAULT_REPAIRS - kinds),
        ),
        "to": st.sampled_from(["sse", "ndjson"]),
        "convert": st.just("openai-chat"),
        "comments": st.just("drop"),
        "invalid_json": st.sampled_from(["keep", "error"]),
        "max_event_bytes": st.sampled_from([LIMIT, 1500]),
        "dialect": st.sampled_from([*REGISTRY]),
        "last_event_id": st.just("9"),
        "content_type": st.sampled_from(
            ["application/json", "text/event-stream", "application/x-ndjson", "text/plain"]
        ),
        "format": st.sampled_from(["sse", "ndjson", "json-array"]),
    },
)
"""Several options at once."""


_SEPARATORS = re.compile("[\u2028\u2029\u0085]")
canonical_json = json_texts().filter(lambda text: not _SEPARATORS.search(text))
"""JSON texts that need no re-spelling."""

prose = st.builds(str.__add__, st.sampled_from("aé你😀"), st.text("ab é你😀.,!?", max_size=12))
"""Payloads that nobody takes for JSON."""

containers = st.one_of(
    st.lists(st.integers(0, 9), max_size=2), st.dictionaries(st.text("ab]}", max_size=2), st.text('"\\]}', max_size=2))
)
"""Values that end with a bracket."""


def needs_escape(data: bytes) -> bool:
    """Return whether there is a separator in these bytes that is escaped in the canonical spelling."""
    return _SEPARATORS.search(data.decode()) is not None
