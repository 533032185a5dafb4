"""Hypothesis strategies for streams, whole, faulty and hostile, and for the ways to cut them.

https://hypothesis.readthedocs.io/ (extra `unbroken[testing]`)

For whole streams, events are drawn first and then a legal form of them, so that what a conforming reader must see is
known without parsing. Everything shrinks towards one short event, LF line ends and one chunk.
"""

from __future__ import annotations

from .answers import dialect_streams
from .chunking import chunkings, cut_streams
from .faulty import broken
from .framed import framed_streams, frames_behind, frames_in_front, orders_of_frames, sentinel_streams
from .hostile import hostile_bytes, hostile_sse_streams
from .ndjson import json_array_streams, ndjson_streams
from .options import repair_options
from .spoiled import spoiled_answers, spoiled_lines
from .sse import sse_streams
from .text_and_json import events, json_objects, json_texts, json_values, payloads
from .timing import schedules
from .troubled import any_streams, legal_streams, troubled_streams

__all__ = [
    "any_streams",
    "broken",
    "chunkings",
    "cut_streams",
    "dialect_streams",
    "events",
    "framed_streams",
    "frames_behind",
    "frames_in_front",
    "hostile_bytes",
    "hostile_sse_streams",
    "json_array_streams",
    "json_objects",
    "json_texts",
    "json_values",
    "legal_streams",
    "ndjson_streams",
    "orders_of_frames",
    "payloads",
    "repair_options",
    "schedules",
    "sentinel_streams",
    "spoiled_answers",
    "spoiled_lines",
    "sse_streams",
    "troubled_streams",
]
