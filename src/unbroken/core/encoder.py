"""Frames to bytes in the framing of the output: the input's own, or the one that was asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from .dialect import Dialect, EventClass
from .events import Event, Format
from .failure import Failure
from .frames import Outgoing
from .mending import DONE, SENTINEL_LINE, escape_separators, one_line
from .proof import FLAWED, UNPROVEN, prove, read_exactly

_SENTINEL: Final = SENTINEL_LINE.encode() + b"\n"
_NO_SENTINEL: Final = _SENTINEL.replace(b"[", b"\\u005b")
"""The same string where it was a payload like any other, and must not end the stream of who reads lines."""


def spell(frame: Outgoing, source: Format | None, target: Format) -> bytes:
    """Return one frame, or several, in the framing `target`; untouched where that is the one it came in."""
    if source is target:
        return frame.wire
    if target is Format.SSE:  # a line, or an element, has no id of its own
        return b"".join([spell_event(replace(event, id=""), target) for event in frame.events()])
    if source is Format.CODED_LINES:  # the code says what a value is
        events = [replace(event, data=f'{{"{event.event}": {event.data}}}') for event in frame.events()]
        return b"".join([spell_event(event, target) for event in events])
    if frame.kind is EventClass.ERROR:
        answers = any(reading.deltas for reading in frame.readings())
        return b"".join([_spell_error_line(event, answers=answers) for event in frame.events()])
    lines = [spell_event(event, target) for event in frame.events()]
    if _SENTINEL in lines and frame.kind is not EventClass.TERMINAL:
        lines = [_NO_SENTINEL if line == _SENTINEL else line for line in lines]
    return b"".join(lines)


def spell_payload(payload: Any, target: Format, *, keeps_sentinel: bool = False) -> bytes:
    """Return one payload of a converted stream, its text as text.

    NDJSON has no place for a sentinel; `keeps_sentinel` writes it as a JSON string, where nothing else ends the answer.
    """
    if isinstance(payload, str) and (target is Format.SSE or not keeps_sentinel):
        return f"data: {payload}\n\n".encode() if target is Format.SSE else b""
    text = escape_separators(json.dumps(payload, ensure_ascii=False))
    try:
        line = text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, in a name or an id: only an escape can hold it
        line = json.dumps(payload).encode()
    return b"data: " + line + b"\n\n" if target is Format.SSE else line + b"\n"


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


def _spell_error_line(event: Event, *, answers: bool = False) -> bytes:
    """Return the line of an error: one that was an error by its name says it in its data, since NDJSON has no names.

    `answers`: it holds a part of the answer as well, which stays where clients read it.
    """
    value = prove(event.data)
    says_it = isinstance(value, dict) and (value.get("error") or "error" in (value.get("type"), value.get("object")))
    if event.event != "error" or says_it or value is UNPROVEN:
        return spell_event(event, Format.NDJSON)
    if not value or not event.data:
        return b'{"error": true}\n'
    # The sentinel is no end under this name, but words like any others.
    line = spell_event(replace(event, event="message"), Format.NDJSON) or _SENTINEL
    if answers and isinstance(value, dict):
        if "error" in value:  # under it stands nothing
            return json.dumps({**read_exactly(event.data), "error": True}).encode() + b"\n"
        return line.removesuffix(b"}\n") + b', "error": true}\n'
    return b'{"error": ' + line.removesuffix(b"\n") + b"}\n"


def spell_error(
    failure: Failure, dialect: Dialect | None, target: Format, array: bytes | None, *, first: bool = False
) -> bytes:
    """Return the last frame of a stream that failed, as the clients of its dialect expect it.

    `array` is what an element of an open array begins with; a closed one has no place for an error. `first`: no event
    went before, so that clients of any dialect may read it.
    """
    if target is Format.CODED_LINES:
        return b"3:" + json.dumps(failure.public_message).encode() + b"\n"
    name, payload = _error_frame(failure, dialect, target, first=first)
    text = json.dumps(payload)
    if target is Format.NDJSON and isinstance(payload, dict):
        return _spell_error_line(Event(text, name or "message"))
    if target is Format.NDJSON:
        return json.dumps({name or "error": payload}).encode() + b"\n"
    if target is Format.JSON_ARRAY:
        return b"" if array is None else array + text.encode() + b"]"
    return spell_named(name, text)


def spell_named(name: str | None, text: str) -> bytes:
    """Return an SSE frame of JSON that is ASCII, under a name where there is one."""
    return (f"event: {name}\n" if name else "").encode() + b"data: " + text.encode() + b"\n\n"


def _error_frame(failure: Failure, dialect: Dialect | None, target: Format, *, first: bool) -> tuple[str | None, Any]:
    if dialect is not None:
        return dialect.error_frame(failure)
    if not first or target is Format.JSON_ARRAY:
        return "error", failure.as_error()
    # Of those that write lines, Ollama's clients are the ones that need a form of their own.
    if target is Format.NDJSON:
        return None, failure.as_line()
    return "error", failure.as_widest_error()


def spell_heartbeat(target: Format, dialect: Dialect | None, *, id_seen: bool) -> bytes:
    """Return bytes that keep the connection alive and mean nothing to the clients that were measured."""
    if target is not Format.SSE:
        return b"\n" if target is Format.CODED_LINES else b" "
    own = dialect.heartbeat() if dialect is not None else None
    # Some clients dispatch an empty event at a blank line once an id was seen: docs/odd-streams.md, `openai`, the row
    # "id then ": keep-alive" comments".
    if own is None or (own == b"\n" and id_seen):
        return b":\n" if id_seen else b":\n\n"
    return own
