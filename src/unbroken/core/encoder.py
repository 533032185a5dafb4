"""Frames to bytes in the framing of the output: the input's own, or the one that was asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from .dialect import Dialect, EventClass
from .events import Event, Format
from .failure import Failure
from .frames import Outgoing
from .mending import DONE, escape_separators, one_line
from .proof import FLAWED, UNPROVEN, prove


def spell(frame: Outgoing, source: Format | None, target: Format) -> bytes:
    """Return one frame, or several, in the framing `target`; untouched where that is the one it came in."""
    if source is target:
        return frame.wire
    if target is Format.SSE:  # a line, or an element, has no id of its own
        return b"".join([spell_event(replace(event, id=""), target) for event in frame.events()])
    if frame.kind is EventClass.ERROR:
        return b"".join([_spell_error_line(event) for event in frame.events()])
    return b"".join([spell_event(event, target) for event in frame.events()])


def spell_payload(payload: Any, target: Format, *, keeps_sentinel: bool = False) -> bytes:
    """Return one payload of a converted stream.

    NDJSON has no place for a sentinel; `keeps_sentinel` writes it as a JSON string, where nothing else ends the answer.
    """
    if isinstance(payload, str) and (target is Format.SSE or not keeps_sentinel):
        return f"data: {payload}\n\n".encode() if target is Format.SSE else b""
    text = json.dumps(payload)
    return f"data: {text}\n\n".encode() if target is Format.SSE else text.encode() + b"\n"


def spell_event(event: Event, target: Format) -> bytes:
    """Return one event in the framing `target`; NDJSON has no place for names, ids and `[DONE]`."""
    value = prove(event.data)
    is_json = value is not FLAWED
    text = event.data if value is FLAWED or value is UNPROVEN else escape_separators(event.data)
    if target is Format.SSE:
        return replace(event, data=text).encode()
    if text == DONE:
        return b""
    return one_line(text if is_json else json.dumps(text)).strip(" \t").encode() + b"\n"


def _spell_error_line(event: Event) -> bytes:
    """Return the line of an error: one that was an error by its name says it in its data, since NDJSON has no names."""
    value = prove(event.data)
    says_it = isinstance(value, dict) and (value.get("error") or "error" in (value.get("type"), value.get("object")))
    if event.event != "error" or says_it or value is UNPROVEN:
        return spell_event(event, Format.NDJSON)
    if not value or not event.data:
        return b'{"error": true}\n'
    return b'{"error": ' + spell_event(replace(event, event="message"), Format.NDJSON).removesuffix(b"\n") + b"}\n"


def spell_error(failure: Failure, dialect: Dialect | None, target: Format, array: bytes | None) -> bytes:
    """Return the last frame of a stream that failed, as the clients of its dialect expect it.

    `array` is what an element of an open array begins with; a closed one has no place for an error.
    """
    name, payload = dialect.error_frame(failure) if dialect else ("error", failure.as_error())
    text = json.dumps(payload)
    if target is Format.NDJSON:
        return text.encode() + b"\n"
    if target is Format.JSON_ARRAY:
        return b"" if array is None else array + text.encode() + b"]"
    return (f"event: {name}\n" if name else "").encode() + b"data: " + text.encode() + b"\n\n"


def spell_heartbeat(target: Format, dialect: Dialect | None, *, id_seen: bool) -> bytes:
    """Return bytes that keep the connection alive and mean nothing to the clients that were measured."""
    if target is not Format.SSE:
        return b" "
    own = dialect.heartbeat() if dialect is not None else None
    # Some clients dispatch an empty event at a blank line once an id was seen: docs/odd-streams.md, `openai`, the row
    # "id then ": keep-alive" comments".
    if own is None or (own == b"\n" and id_seen):
        return b":\n" if id_seen else b":\n\n"
    return own
