"""Strategies for the fields of events: text, JSON, names and ids, often unusual ones."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from ..require_hypothesis import SearchStrategy, st
from ..standard import Seen

# What incorrect readers split at, strip or reject; none of these ends a line of SSE or of NDJSON.
ODD_CHARACTERS = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\x00\x1b\ufeff\ufffd\u00e9\u4f60\U0001f600 \t:\"\\<'"
_WORDS = ("a", "data: x", "[DONE]", ": ping", "null", '{"a":1}', "event: x", " ", "id", "</script>", "{", "1")

# Strategies are created once: Hypothesis validates each new one, which costs ten times as much as drawing from it.
_characters = st.one_of(
    st.sampled_from("ab1" + ODD_CHARACTERS), st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")
)
line_texts = st.one_of(st.text(_characters, max_size=8), st.sampled_from(_WORDS))
_payloads = st.one_of(line_texts, st.lists(line_texts, min_size=1, max_size=3).map("\n".join))


def payloads() -> SearchStrategy[str]:
    """Draw the data of an event: any text that the standard can express, of one line or more, often unusual."""
    return _payloads


_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False), line_texts
)
_json_values: SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(line_texts, inner, max_size=3)),
    max_leaves=6,
)
_json_objects = st.dictionaries(line_texts, _json_values, max_size=3)
_json_spellings = st.tuples(st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]))


def json_values() -> SearchStrategy[Any]:
    """Draw JSON values: small documents, with the characters that split lines elsewhere inside their strings."""
    return _json_values


def json_objects() -> SearchStrategy[dict[str, Any]]:
    """Draw JSON objects, the payloads of most streams."""
    return _json_objects


@lru_cache(maxsize=64)
def json_texts(values: SearchStrategy[Any] | None = None) -> SearchStrategy[str]:
    """Draw a JSON text on one line, compact or spaced, escaped or raw, of these values (default `json_values()`)."""

    def spell(value: Any, spelling: tuple[bool, tuple[str, str]]) -> str:
        return json.dumps(value, ensure_ascii=spelling[0], separators=spelling[1])

    return st.builds(spell, _json_values if values is None else values, _json_spellings)


_names = st.one_of(
    st.just("message"),
    st.sampled_from(["a", "ping", "error", "done", "Data", "x y"]),
    line_texts.map(lambda text: text or "b"),
)
ids = st.one_of(st.just(""), st.integers(0, 99).map(str), line_texts.map(lambda text: text.replace("\0", "")))


@lru_cache(maxsize=64)
def events(data: SearchStrategy[str] | None = None) -> SearchStrategy[Seen]:
    """Draw one event as (event, data, id), of values that the standard can express."""
    return st.tuples(_names, _payloads if data is None else data, ids)
