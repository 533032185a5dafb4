"""Strategies for NDJSON and for JSON arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..require_hypothesis import SearchStrategy, st
from ..standard import BOM
from ..streams import JSONArrayStream, NDJSONStream
from .text_and_json import json_texts

_INVALID_LINES = (
    "{",
    '{"a":',
    "nope",
    "{'a': 1}",
    "NaN",
    "[1,]",
    '{"a":1}{"b":2}',
    "data: 1",
    '"',
    "1\ufeff",
    "01",
    "\x00",
)
_invalid_lines = st.one_of(st.sampled_from(_INVALID_LINES).map(str.encode), st.just(b'"\xff"'))
_json_blanks = st.sampled_from([b"", b" ", b"\t", b"  "])
_ndjson_ends = st.sampled_from([b"\n", b"\r\n"])


@lru_cache(maxsize=64)
def ndjson_streams(
    values: SearchStrategy[Any] | None = None, *, canonical: bool = False, invalid: bool = True
) -> SearchStrategy[NDJSONStream]:
    """Draw NDJSON: JSON texts, blank lines and invalid lines, ended by LF or CRLF; a BOM; a last line without LF.

    `canonical=True` draws only texts and LF. `invalid=False` draws no invalid lines.
    """
    texts = json_texts(values)
    if canonical:
        return st.lists(texts, max_size=6).map(_canonical_ndjson)
    kinds = [texts, texts, st.just("")] + [_invalid_lines] * invalid
    rows = st.lists(st.tuples(_json_blanks, st.one_of(*kinds), _json_blanks, _ndjson_ends), max_size=6)
    marks = st.sampled_from([b"", b"", b"", BOM.encode()])
    return st.builds(_ndjson, marks, rows, st.booleans())


def _canonical_ndjson(texts: list[str]) -> NDJSONStream:
    return NDJSONStream("".join(text + "\n" for text in texts).encode(), tuple(texts))


def _ndjson(mark: bytes, rows: list[tuple[bytes, str | bytes, bytes, bytes]], ended: bool) -> NDJSONStream:
    """Return the stream of rows of (white space, text or invalid bytes, white space, line end).

    Unless `ended`, the last line has no line end.
    """
    data = mark
    for before, line, after, end in rows:
        data += before + (line.encode() if isinstance(line, str) else line) + after + end
    if rows and not ended:
        data = data.removesuffix(rows[-1][3])
    texts = tuple(line for _, line, _, _ in rows if isinstance(line, str) and line)
    return NDJSONStream(data, texts, sum(isinstance(line, bytes) for _, line, _, _ in rows))


@lru_cache(maxsize=64)
def json_array_streams(values: SearchStrategy[Any] | None = None) -> SearchStrategy[JSONArrayStream]:
    """Draw one JSON array of elements, with any white space between them."""
    blanks = st.sampled_from(["", " ", "\n", "\r\n", "\n\n", "\t"])
    elements = st.lists(st.tuples(blanks, json_texts(values), blanks), max_size=5)

    def spell(before: str, rows: list[tuple[str, str, str]], inside: str, after: str) -> JSONArrayStream:
        body = ",".join(map("".join, rows)) if rows else inside
        return JSONArrayStream(f"{before}[{body}]{after}".encode(), tuple(text for _, text, _ in rows))

    return st.builds(spell, blanks, elements, blanks, blanks)
