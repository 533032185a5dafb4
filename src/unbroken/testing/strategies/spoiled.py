"""Strategies for answers whose frames are spoiled one by one, each in a way that leaves its payload whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..conversations import DIALECTS
from ..require_hypothesis import SearchStrategy, st
from .framed import conversation_of
from .troubled import numbered

_DATA = re.compile(rb"(?m)^data: ")
_BEFORE = (
    b"",
    b"",
    b"",
    b"id: 1\n",
    b"event: x\n",
    b"retry: 5\n",
    b": c\n",
    b"foo: 1\n",
    b"\n",
    b"id: 1\n\n",
    b": c\n\n",
)
_BODIES = (
    *("whole", "raw", "no blank line", "raw", "raw block", "no name", "wide", "misnamed", "double prefix"),
    *("glued", "swallowed", "swallowed by retry", "indented", "error line", "twice on a line"),
)


def _spoil(frame: bytes, how: str) -> bytes:
    """Return one frame of SSE, spoiled."""
    name, _, rest = frame.rpartition(b"data: ")
    payload = rest.rstrip(b"\n")
    match how:
        case "no blank line":
            return frame[:-1]
        case "raw":
            return payload + b"\n"
        case "raw block":
            return name + payload + b"\n\n"
        case "no name":
            return b"data: " + payload + b"\n\n"
        case "wide":
            return frame.replace(b"\n", b"\r\n")
        case "misnamed":
            return _DATA.sub(b" Data : ", frame)
        case "double prefix":
            return _DATA.sub(b"data: data: ", frame)
        case "glued":
            return name + b"data: " + payload
        case "swallowed":
            return b"event: tokenTdata: " + payload + b"\n\n"
        case "swallowed by retry":
            return b"retry: 5data: " + payload + b"\n\n"
        case "indented":
            return payload[:1] + b"\n " + payload[1:] + b"\n"
        case "error line":
            return b"error: " + payload + b"\n"
        case "twice on a line":
            return name + b"data: " + payload + b'{"text":"x"}\n\n'
        case _:
            return frame


def _spoil_line(line: bytes, how: str) -> bytes:
    """Return one line of NDJSON, spoiled."""
    match how:
        case "raw block" | "wide":
            return line.rstrip(b"\n") + b"\r\n\r\n"
        case "misnamed" | "swallowed":
            return b"data: " + line
        case "double prefix":
            return b"data: " + line + b"\n"
        case "glued":
            return line.rstrip(b"\n")
        case "indented":
            return line[:1] + b"\n  " + line[1:]
        case "no blank line":
            return b"x\n" + line
        case _:
            return line


def _answer(dialect: str, first: int, ways: Sequence[tuple[bytes, str]]) -> bytes:
    conversation = conversation_of(dialect)
    spoil = _spoil if conversation.is_sse else _spoil_line
    frames = conversation.frames[first:]
    pieces = []
    for frame, (before, how) in zip(frames, ways, strict=False):
        sentinel = b"[DONE]" in frame
        pieces.append(
            (b"" if sentinel or not conversation.is_sse else before) + (frame if sentinel else spoil(frame, how))
        )
    return b"".join(pieces)


def _one_of(dialects: Sequence[str]) -> SearchStrategy[bytes]:
    """Draw answers that are spoiled in one or two ways, again and again, since it is their order that matters."""
    way = st.tuples(st.sampled_from(_BEFORE), st.sampled_from(_BODIES))
    pools = st.tuples(way, way).map(lambda ways: st.sampled_from([(b"", "whole"), *ways]))
    ways = pools.flatmap(lambda pool: st.lists(pool, min_size=1, max_size=9))
    return st.builds(_answer, st.sampled_from(dialects), st.integers(0, 4), ways)


_any_dialect = _one_of(DIALECTS)


def spoiled_answers(dialect: str | None = None) -> SearchStrategy[bytes]:
    """Draw a part of an answer in this dialect, None for any, with most of its frames spoiled.

    Prefixes are missing, doubled or misspelt, blank lines are missing, documents stand on lines of their own, glued or
    indented, behind an id or a name, or were swallowed by another field. The payloads stay whole and hold the words
    `p0x`, `p1x` and so on, in this order.
    """
    return _any_dialect if dialect is None else _one_of([dialect])


_DOCUMENT = b'{"a":"p#x"}\n'
_LINES = (
    *(b"x\n", b'{"a":"p#x"}\r\n', b"\n", b"null\n", b'{"a":\n', b"[1]\n", b"x: y\n"),
    *(b'data: {"a":"p#x"}\n', b'{"a":"p#x"}{"b":"p#x"}\n', b'{\n "a":"p#x"\n}\n', b'{"a":NaN,"b":"p#x"}\n'),
    *(b'{"error":{"message":"p#x"}}\n', b'{"error":{"message":"p#x"},"a":1}\n', b"{'a': 'p#x'}\n", b'"p#x"\n'),
)
_CUT_LINES = (b"", b"", b'{"a":"p#x"}', b'{"type": "x', b"x", b'{"a":', b"[", b" ")
_line = st.one_of(st.just(_DOCUMENT), st.sampled_from(_LINES), st.sampled_from(_LINES[:6]))
_lines = st.builds(
    lambda lines, end: numbered(b"".join(lines) + end),
    st.lists(_line, max_size=4),
    st.sampled_from(_CUT_LINES),
)


def spoiled_lines() -> SearchStrategy[bytes]:
    """Draw NDJSON of a few documents, whole, glued, indented or misspelt, among lines that are none, and cut anywhere.

    The words `p0x`, `p1x` and so on stand in their payloads, in this order.
    """
    return _lines
