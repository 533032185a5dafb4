"""Hypothesis strategies for streams, whole, faulty and hostile, and for the ways to cut them.

https://hypothesis.readthedocs.io/ (extra `unbroken[testing]`)

For whole streams, events are drawn first and then a legal form of them, so that what a conforming reader must see is
known without parsing. Everything shrinks towards one short event, LF line ends and one chunk.
"""

from __future__ import annotations

from .answers import dialect_streams
from .chunking import chunkings, cut_streams
from .faulty import broken
from .hostile import hostile_bytes, hostile_sse_streams
from .ndjson import json_array_streams, ndjson_streams
from .sse import sse_streams
from .text_and_json import events, json_objects, json_texts, json_values, payloads
from .timing import schedules

__all__ = [
    "broken",
    "chunkings",
    "cut_streams",
    "dialect_streams",
    "events",
    "hostile_bytes",
    "hostile_sse_streams",
    "json_array_streams",
    "json_objects",
    "json_texts",
    "json_values",
    "ndjson_streams",
    "payloads",
    "schedules",
    "sse_streams",
]
