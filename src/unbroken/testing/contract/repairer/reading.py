"""What stands in the bytes that a repairer wrote: their framing, their events, their numbered words."""

from __future__ import annotations

import json
import re
from typing import Any

from ...standard import Seen, is_json, read_json_array, read_sse

_FIELD = re.compile(rb"(?m)^(?:data|event):")
PAYLOAD_WORD = re.compile(rb"p[0-9]+x")
"""A word inside of a payload; they leave in the order in which they came."""


def framing_of(wire: bytes) -> str:
    """Return the framing of what a repairer wrote: "sse", "ndjson" or "json-array"."""
    if _FIELD.search(wire):
        return "sse"
    begin = wire.lstrip(b" \t\r\n")
    if begin[:1] == b"[":
        return "json-array"
    return "ndjson" if begin[:1] == b"{" or is_json(begin.partition(b"\n")[0]) else "sse"


def events_in(wire: bytes, framing: str, last_event_id: str = "") -> list[Seen]:
    """Return the events of what a repairer wrote; a line, and an element of an array, is one each."""
    if framing == "sse":
        return list(read_sse(wire, last_event_id).events)
    if framing == "json-array" and is_json(wire):
        texts = list(read_json_array(wire))
    else:
        texts = [text for line in wire.decode("utf-8", "replace").split("\n") if (text := line.strip(" \t\r"))]
    if framing == "coded-lines":
        return [(text[0], text[2:], "") if is_json(text[2:]) else ("message", text, "") for text in texts]
    return [("message", text, "") for text in texts]


def by_value(events: list[Seen]) -> list[tuple[str, Any, str]]:
    """Return the events with the values of their payloads, where these are JSON."""
    return [(name, json.loads(data) if is_json(data) else data, id) for name, data, id in events]


def payload_words(data: bytes) -> list[bytes]:
    """Return the numbered words of payloads, in order."""
    return PAYLOAD_WORD.findall(data)
