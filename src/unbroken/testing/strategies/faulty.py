"""Strategies for healthy streams with faults planted in them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..conversations import DIALECTS, Answer, Conversation, spell
from ..faults import FAULTS, BrokenStream, Healthy, plant
from ..require_hypothesis import SearchStrategy, st
from ..streams import NDJSONStream, SSEStream
from .answers import dialect_streams
from .ndjson import ndjson_streams
from .sse import sse_streams
from .text_and_json import json_objects, json_texts

_HealthyStream = Healthy | Conversation | SSEStream | NDJSONStream
_healthy_streams: SearchStrategy[_HealthyStream] = st.one_of(
    sse_streams(json_texts(json_objects()), canonical=True),
    ndjson_streams(json_objects(), canonical=True),
    *(dialect_streams(name) for name in DIALECTS if not spell(name, Answer()).is_prose),  # faults are those of JSON
)


def broken(
    streams: SearchStrategy[Any] | None = None, faults: Collection[str] | None = None, *, most: int = 3
) -> SearchStrategy[BrokenStream]:
    """Draw a stream with faults planted in it, and the correct result.

    `streams` draws canonical streams: `dialect_streams(...)`, or `sse_streams` and `ndjson_streams` with
    `canonical=True` and JSON objects. `faults` are names from `FAULTS`, by default all; at most `most` are planted.
    Shrinks to one fault in one event.
    """
    names = st.sampled_from(sorted(FAULTS if faults is None else faults))
    drawn = st.lists(st.tuples(names, st.integers(0, 99)), min_size=1, max_size=most)

    def build(stream: _HealthyStream, planted: list[tuple[str, int]]) -> BrokenStream:
        return plant(Healthy.of(stream), planted)

    return st.builds(build, _healthy_streams if streams is None else streams, drawn)
