"""Streams and options to hold the laws to: those of `unbroken.testing`, and what only these tests ask."""

import re
from typing import Any

import pytest
from hypothesis import strategies as st

from unbroken import DEFAULT_REPAIRS, Conversion, RepairKind
from unbroken.core.events import Format
from unbroken.core.registry import REGISTRY
from unbroken.testing.conversations import DIALECTS
from unbroken.testing.spellings import SPELLINGS
from unbroken.testing.strategies import any_streams, cut_streams, json_texts, legal_streams, troubled_streams
from unbroken.testing.strategies.troubled import harm, harms

from .tables import told_in_form_of

__all__ = ["harm", "harms"]

_PROGRAMMED = tuple(name for name in DIALECTS if name not in SPELLINGS)

by_dialect = pytest.mark.parametrize(
    "dialects", [*((name,) for name in _PROGRAMMED), tuple(SPELLINGS)], ids=[*_PROGRAMMED, "declared"]
)
"""Each dialect that is programmed, and all that are declared: one of them is drawn, since they share their code."""

troubled = troubled_streams()
"""Streams of all that there is to repair, to drop and to leave alone."""

legal = legal_streams()

anything = any_streams()
"""Whole, broken and hostile streams."""

long = st.builds(lambda data, times: data * times, anything, st.integers(10, 40))
"""Streams of some kilobytes, in which everything comes again."""


_FRONT = (
    b": c\n\n", b": c\n", b"id: 1\n\n", b"id\n\n", b"retry: 5\n\n", b"event: x\n\n", b"foo: 1\n\n", b"\n",
    b"\xef\xbb\xbf", b'event: tokendata: {"a":1}\n\n', b'{"a":1}\n', b'id: 2\n{"w0x":1}\n',
    b"retry: 10000000000000000000\n\n", b"id: 3\nevent: y\n\n", b"null\n", b'"a"\n', b'data: {"detail":"w8x"}\n\n',
    b"id: " + b"5" * 1000 + b"\n\n", b"event: error\ndata: w8x\n\n", b'data: {"error":{"message":"w8x"}}\n\n',
    b'data: {"error":"w8x"}\n', b'data: {"cut\ndata: {"object":"error","message":"w8x"}\n\n', b"data: [DONE]\n\n",
    b'error: {"message":"w8x"}\n', b'{"error":"w8x"}{"a":1}\n', b'data: {"type":"error","message":"w8x"}{"b":2}\n\n',
    b'"a\n', b"[1]\n", b"[]\n", b"1 [2]\n", b"-1\n",
)  # fmt: skip
_OURS = [told_in_form_of(name, format) for name in (None, *DIALECTS) for format in (Format.SSE, Format.NDJSON)]
"""Errors of ours, as they are told in each dialect."""
_BEHIND = (
    b"data: [DONE]\n\n", b"data: [DONE]\n\n: bye\n\n", b'data: [DONE]\r\n\r\ndata: {"a":1}\r\n\r\n', b"[DONE]\n",
    b'"[DONE]"\n', b"data: [DONE]\n\nid: 7\n\n", b'data: [DONE]\nfoo\n{"a":1}\n\n', b": bye", b"id: 8\n\n: c\n\n",
    b'data: {"error":{"message":"w8x"}}\n[DONE]\n\n',
)  # fmt: skip
framed = st.builds(
    lambda front, stream, behind: b"".join([*front, stream, *behind]),
    st.lists(st.one_of(st.sampled_from(_FRONT), st.sampled_from(_FRONT), st.sampled_from(_OURS)), max_size=3),
    anything,
    st.lists(st.one_of(st.sampled_from(_BEHIND), st.sampled_from(_BEHIND), st.sampled_from(_OURS)), max_size=2),
)
"""Streams with frames in front of the first payload, and behind the sentinel."""


def cut_anyhow(streams: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Draw a stream in chunks."""
    return cut_streams(streams).map(lambda drawn: drawn[1])


LIMIT = 1024
"""The least `max_event_bytes`: small, so that drawn streams reach it."""

_everyday: list[dict[str, Any]] = [{}, {"format": "sse"}, {"format": "ndjson"}, {"format": "json-array"}]
_named: list[dict[str, Any]] = [{"dialect": name} for name in REGISTRY]
_odd: list[dict[str, Any]] = [
    {"invalid_json": "keep"},
    {"invalid_json": "error"},
    {"invalid_json": "keep", "dialect": "openai-chat"},
    {"empty": "error"},
    {"empty": "end", "dialect": "openai-chat"},
    {"content_type": "application/json"},
    {"content_type": "application/x-ndjson"},
    {"repairs": DEFAULT_REPAIRS | {RepairKind.MISSING_DONE}},
]
_quiet: list[dict[str, Any]] = [{"comments": "drop"}]
_partial: list[dict[str, Any]] = [
    *({"repairs": DEFAULT_REPAIRS - {kind}} for kind in RepairKind),
    *({"repairs": {kind}} for kind in RepairKind),
]
_elsewhere: list[dict[str, Any]] = [{"to": "sse"}, {"to": "ndjson"}, {"errors": "mask"}]


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
        "convert": st.sampled_from(["openai-chat", "openai-chat", Conversion(), Conversion(errors="openai")]),
        "comments": st.just("drop"),
        "errors": st.just("mask"),
        "empty": st.sampled_from(["error", "end"]),
        "invalid_json": st.sampled_from(["keep", "error"]),
        "max_event_bytes": st.sampled_from([LIMIT, 1500]),
        "dialect": st.sampled_from([*REGISTRY, *DIALECTS]),
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
