"""Options of `unbroken.repair` that are refused, and those at their bounds that are taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

REFUSED_OPTIONS: Final[tuple[tuple[Mapping[str, Any], type[Exception]], ...]] = (
    ({"format": "xml"}, ValueError),
    ({"format": 1}, TypeError),
    ({"to": "json-array"}, ValueError),
    ({"to": "xml"}, ValueError),
    ({"to": 1}, TypeError),
    ({"dialect": "none"}, ValueError),
    ({"dialect": 7}, TypeError),
    ({"convert": "anthropic"}, ValueError),
    ({"convert": 7}, TypeError),
    ({"repairs": "raw-json"}, TypeError),
    ({"repairs": ["raw-json"]}, TypeError),
    ({"repairs": 7}, TypeError),
    ({"invalid_json": "raise"}, ValueError),
    ({"invalid_json": None}, TypeError),
    ({"comments": "error"}, ValueError),
    ({"count_tokens": 7}, TypeError),
    ({"heartbeat": 0.0}, ValueError),
    ({"heartbeat": 0.0009}, ValueError),
    ({"heartbeat": float("inf")}, ValueError),
    ({"heartbeat": float("nan")}, ValueError),
    ({"heartbeat": True}, TypeError),
    ({"heartbeat": "5"}, TypeError),
    ({"heartbeat_bytes": b""}, ValueError),
    ({"heartbeat_bytes": b": no line end"}, ValueError),
    ({"heartbeat_bytes": ": text\n"}, TypeError),
    ({"timeouts": 5.0}, TypeError),
    ({"max_event_bytes": 1023}, ValueError),
    ({"max_event_bytes": 2**80}, ValueError),
    ({"max_event_bytes": 2048.0}, TypeError),
    ({"max_event_bytes": True}, TypeError),
    ({"last_event_id": "a\nb"}, ValueError),
    ({"last_event_id": "a\rb"}, ValueError),
    ({"last_event_id": "a\0b"}, ValueError),
    ({"last_event_id": None}, TypeError),
    ({"content_type": b"text/event-stream"}, TypeError),
    ({"provider": 7}, TypeError),
    ({"request_id": 7}, TypeError),
    ({"on_repair": 7}, TypeError),
    ({"observers": None}, TypeError),
    ({"observers": [7]}, TypeError),
    ({"hartbeat": 5.0}, TypeError),
)
"""Each with what it raises; the message names the option."""

TAKEN_OPTIONS: Final[tuple[Mapping[str, Any], ...]] = (
    {"heartbeat": 0.001},
    {"heartbeat": 1},
    {"heartbeat": 1.7e308},
    {"heartbeat": None},
    {"heartbeat_bytes": b" \t"},
    {"heartbeat_bytes": b": x\n"},
    {"heartbeat_bytes": None},
    {"max_event_bytes": 1024},
    {"max_event_bytes": 2**31 - 1},
    {"last_event_id": "\u2028"},
    {"repairs": []},
    {"format": None, "to": None, "dialect": None, "convert": None, "count_tokens": None, "timeouts": None},
    {"content_type": None, "provider": None, "request_id": None, "on_repair": None, "observers": ()},
    {"account": 0},
)
