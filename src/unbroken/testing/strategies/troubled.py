"""Strategies for streams that mix everything: all framings, all dialects, each repair, and damage.

Each word of such a stream is numbered (`w7x`), so that what became of it can be told.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..require_hypothesis import SearchStrategy, st
from .hostile import hostile_bytes
from .ndjson import json_array_streams, ndjson_streams
from .pieces import ANSWERS, BETWEEN, DAMAGE, DEPARTURES, EVENTS, FRAMING, JSON, TEMPLATES, TOKENS
from .sse import sse_streams
from .text_and_json import json_texts

_texts = [piece.encode() for piece in (*FRAMING, *JSON, *EVENTS, *DEPARTURES, *ANSWERS)]
_pieces = st.one_of(st.sampled_from(_texts), st.sampled_from(_texts), st.sampled_from([*_texts, *DAMAGE]))
_in_array = st.sampled_from([piece.encode() for piece in JSON])
_mixed = st.lists(_pieces, max_size=8).map(b"".join)
_arrays = st.lists(_in_array, max_size=8).map(lambda pieces: b"[" + b"".join(pieces))


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
        st.sampled_from(TEMPLATES),
        st.sampled_from(["", "", "", "event: content_block_delta\n", "event: delta\n", "id: w#x\n"]),
        st.sampled_from(["\n", "\n", "\r\n", "\r"]),
    ),
    st.lists(
        st.tuples(st.sampled_from(TOKENS), st.one_of(st.just(""), st.just(""), st.sampled_from(("", *BETWEEN)))),
        min_size=3,
        max_size=10,
    ),
)


def harm(data: bytes, harms: Sequence[tuple[str, int, int]]) -> bytes:
    """Return the bytes with one flipped, some struck out, a part doubled, or the end cut off, as `harms` says."""
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


def harms(least: int = 0) -> SearchStrategy[list[tuple[str, int, int]]]:
    """Draw what `harm` does."""
    kinds = st.sampled_from(["flip", "strike", "double", "cut"])
    return st.lists(st.tuples(kinds, st.integers(0, 9999), st.integers(0, 9999)), min_size=least, max_size=2)


def numbered(data: bytes) -> bytes:
    """Return the bytes with a number in the place of each `#`: 0, 1, 2 and so on."""
    parts = data.split(b"#")
    return parts[0] + b"".join(b"%d" % number + part for number, part in enumerate(parts[1:]))


_troubled = st.builds(lambda data, harms: harm(numbered(data), harms), _mixed | _answers | _arrays, harms())
_legal: SearchStrategy[bytes] = st.one_of(
    sse_streams(json_texts()).map(lambda stream: stream.data),
    sse_streams().map(lambda stream: stream.data),
    ndjson_streams(invalid=False).map(lambda stream: stream.data),
    json_array_streams().map(lambda stream: stream.data),
)
_any = st.one_of(_troubled, _troubled, _legal, hostile_bytes())


def troubled_streams() -> SearchStrategy[bytes]:
    """Draw streams of all that there is to repair, to drop and to leave alone, in every framing and dialect."""
    return _troubled


def legal_streams() -> SearchStrategy[bytes]:
    """Draw the bytes of legal SSE, NDJSON and JSON arrays, in any legal form."""
    return _legal


def any_streams() -> SearchStrategy[bytes]:
    """Draw the bytes of any stream: troubled ones, legal ones and `hostile_bytes()`."""
    return _any
