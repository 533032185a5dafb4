"""Strategies for broken and hostile bytes."""

from __future__ import annotations

import re

from ..conversations import DIALECTS
from ..require_hypothesis import SearchStrategy, st
from ..streams import SSEStream
from .answers import dialect_streams
from .chunking import EVENT_END
from .ndjson import json_array_streams, ndjson_streams
from .sse import sse_streams
from .text_and_json import json_objects, json_texts

_DATA_LINE = re.compile(rb"(?m)^(?=data:)")

_PIECES: tuple[bytes, ...] = (
    # SSE
    b"data: ", b"data:", b"data", b"event: ", b"event: error\n", b"id: ", b"id: 1\n", b"id: 1\0\n", b"retry: 5\n",
    b"retry: ", b": ping\n\n", b":", b"\n", b"\n\n", b"\r\n\r\n", b"\r", b"\r\n", b"\r\r", b"\n\r", b"data: data: ",
    b"Data: ", b" data: ", b"id: 7\ndata:\n\n", b"id: 8\n\n",
    # JSON, whole and broken
    b'{"a":1}', b'{"a":', b"1}", b'{"a":1}{"b":2}', b"[", b"]", b",", b'"', b"\\", b"\\u2028", b"\\ud83d", b"NaN",
    b"-Infinity", b"null", b"1", b"[DONE]", b"data: [DONE]\n\n", b"data:  [DONE]\n\n", b"DONE", b"{'a': None}",
    b"b'data: 1'", b'{\n  "a": 1\n}\n', b'{"error":{"message":"x"}}', b"error: {", b"[" * 300, b"1" * 5000,
    b'{"a":{"a":' * 3, b"{}", b"[]", b'{"a":"',
    b'{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}',
    b'{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n',
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    b'{"model":"m","message":{"content":"x"},"done":false}\n',
    # HTML, HTTP, compressed
    b"<!DOCTYPE html>", b"<html><title>x</title>", b"</html>", b"HTTP/1.1 500 Oops\r\nA: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n", b"\x1f\x8b\x08\x00", b"1f\r\n", b"\x1b[31m",
    # UTF-8, whole, cut and wrong
    "é".encode(), "你".encode(), "😀".encode(), b"\xef\xbb\xbf", b"\xef\xbb", b"\xf0\x9f\x98", b"\x80", b"\xff",
    b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xc2\x85", b"\0", b"\x0b",
    b"\x0c", b"\x1c", b" ", b"\t",
)  # fmt: skip


_pieces = st.sampled_from(_PIECES)
_scraps = st.lists(st.one_of(_pieces, st.binary(max_size=4)), max_size=12).map(b"".join)
_healthy: SearchStrategy[bytes] = st.one_of(
    sse_streams().map(lambda stream: stream.data),
    sse_streams(json_texts(json_objects()), canonical=True).map(lambda stream: stream.data),
    ndjson_streams().map(lambda stream: stream.data),
    json_array_streams().map(lambda stream: stream.data),
    st.sampled_from(DIALECTS).flatmap(dialect_streams).map(lambda stream: stream.data),
)
_ways_to_harm = st.sampled_from(["plant", "plant between", "strike", "overwrite", "truncate", "repeat", "number"])
_harms = st.lists(st.tuples(_ways_to_harm, st.integers(0, 9999), _pieces), min_size=1, max_size=3)


def _harm(data: bytes, harms: list[tuple[str, int, bytes]]) -> bytes:
    """Return `data` with pieces inserted, bytes deleted or overwritten, its end cut, a part repeated, or ids added."""
    for harm, number, piece in harms:
        at = number % (len(data) + 1)
        match harm:
            case "plant":
                data = data[:at] + piece + data[at:]
            case "plant between":
                ends = [match.end() for match in EVENT_END.finditer(data)] or [0]
                at = ends[number % len(ends)]
                data = data[:at] + piece + data[at:]
            case "strike":
                data = data[:at] + data[at + len(piece) :]
            case "overwrite":
                data = data[:at] + piece + data[at + len(piece) :]
            case "truncate":
                data = data[:at]
            case "repeat":
                data = data[:at] + data[max(0, at - 20) :]
            case _:
                data = _DATA_LINE.sub(b"id: %d\n" % number, data)
    return data


_hostile = st.one_of(_scraps, st.builds(_harm, _healthy, _harms))


def hostile_bytes() -> SearchStrategy[bytes]:
    """Draw hostile bytes: pieces of SSE, JSON, NDJSON, HTML and damaged UTF-8, and damaged healthy streams.

    `read_sse` and `read_ndjson` return what a conforming reader sees in them.
    """
    return _hostile


def hostile_sse_streams() -> SearchStrategy[SSEStream]:
    """Draw hostile bytes as event streams, with their reading by WHATWG 9.2.6."""
    return _hostile.map(SSEStream.of)
