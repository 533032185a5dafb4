"""Strategies for the options of `unbroken.repair`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...core.conversion import Conversion
from ...core.options import MIN_MAX_EVENT_BYTES
from ...core.registry import BY_FRAMING, CONVERTERS, dialect_names
from ...core.repairs import DEFAULT_REPAIRS, RepairKind
from ..require_hypothesis import SearchStrategy, st

_KINDS = list(RepairKind)
_sets_of_repairs = st.one_of(
    st.sampled_from([frozenset[RepairKind](), frozenset(RepairKind)]),
    st.sampled_from(_KINDS).map(lambda kind: DEFAULT_REPAIRS - {kind}),
    st.sampled_from(_KINDS).map(lambda kind: frozenset({kind})),
    st.frozensets(st.sampled_from(_KINDS), max_size=8),
)
# What writes a framing of its own cannot be read as events or lines.
_DIALECTS = [name for name in dialect_names() if name not in BY_FRAMING.values()]
_READ: dict[str, SearchStrategy[Any]] = {
    "dialect": st.sampled_from(_DIALECTS),
    "content_type": st.sampled_from(["application/json", "text/event-stream", "application/x-ndjson"]),
    "invalid_json": st.sampled_from(["error", "keep"]),
    "empty": st.sampled_from(["error", "end"]),
    "repairs": _sets_of_repairs,
    "max_event_bytes": st.sampled_from([MIN_MAX_EVENT_BYTES, 2000]),
    "format": st.sampled_from(["sse", "ndjson", "json-array"]),
    "last_event_id": st.just("9"),
}
_WRITTEN: dict[str, SearchStrategy[Any]] = {
    "to": st.sampled_from(["ndjson", "sse"]),
    "convert": st.sampled_from([*CONVERTERS, *(Conversion(name, errors="openai") for name in CONVERTERS)]),
    "comments": st.just("drop"),
    "errors": st.just("mask"),
}


_HELD = ("content_type", "invalid_json", "dialect")
"""These decide together what becomes of a body that may be one document."""
_FRAMED = ("to", "convert", "comments", "dialect", "max_event_bytes")
"""These decide together how a frame is written."""


def _some_of(options: dict[str, SearchStrategy[Any]], names: Iterable[str]) -> SearchStrategy[dict[str, Any]]:
    one = st.one_of([st.tuples(st.just(name), options[name]) for name in names if name in options])
    return st.lists(one, max_size=3).map(dict)


def _any_of(options: dict[str, SearchStrategy[Any]]) -> SearchStrategy[dict[str, Any]]:
    held = st.fixed_dictionaries({}, optional={name: options[name] for name in _HELD})
    return st.one_of(_some_of(options, options), held, _some_of(options, _FRAMED))


_all = _any_of(_READ | _WRITTEN)
_faithful = _any_of({name: values for name, values in _READ.items() if name != "repairs"})


def repair_options(*, faithful: bool = False) -> SearchStrategy[dict[str, Any]]:
    """Draw options of `unbroken.repair`, three at most; the smallest draw is none.

    `faithful=True` draws only those under which everything leaves, in its own framing, that no repair covers.
    """
    return _faithful if faithful else _all
