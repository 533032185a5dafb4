"""The standards, read plainly: whole streams in, what a right reader must see out.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

These readers share nothing with `unbroken.core`. They take a whole stream, walk it character by character and follow
the standard's steps in the standard's order, so that they can be checked by eye; speed is no aim.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

Seen: TypeAlias = tuple[str, str, str]
"""One dispatched event as (event, data, id); `id` is the last event id at dispatch."""

BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class SSEReading:
    """What a right reader of an event stream has seen when the stream ends; `retry` is in milliseconds."""

    events: tuple[Seen, ...]
    last_event_id: str = ""
    retry: int | None = None


@dataclass(frozen=True, slots=True)
class NDJSONReading:
    """What a right reader of NDJSON has seen: the JSON texts in order, and how many lines were no JSON."""

    texts: tuple[str, ...]
    invalid: int = 0


def read_sse(data: bytes, last_event_id: str = "") -> SSEReading:
    """Read a whole event stream by WHATWG 9.2.6, beginning with `last_event_id`."""
    events: list[Seen] = []
    data_buffer = event_type = ""
    id_buffer = last_event_id
    retry: int | None = None
    # "Streams must be decoded using the UTF-8 decode algorithm", which strips one byte order mark.
    for line in _terminated_lines(data.decode("utf-8", "replace").removeprefix(BOM)):
        if line == "":
            last_event_id = id_buffer
            if data_buffer != "":
                events.append((event_type or "message", data_buffer.removesuffix("\n"), last_event_id))
            data_buffer = event_type = ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            event_type = value
        elif field == "data":
            data_buffer += value + "\n"
        elif field == "id" and "\0" not in value:
            id_buffer = value
        elif field == "retry" and value != "" and set(value) <= set("0123456789"):
            retry = _base_ten(value)
    return SSEReading(tuple(events), last_event_id, retry)


def read_ndjson(data: bytes) -> NDJSONReading:
    """Read whole NDJSON: one JSON text per LF or CRLF line, blank lines skipped, one BOM at the start ignored.

    A last line without LF counts. A line that is no JSON (RFC 8259) or no UTF-8 is one invalid line, and reading
    goes on.
    """
    texts: list[str] = []
    invalid = 0
    for line in data.removeprefix(BOM.encode()).split(b"\n"):
        line = line.strip(b" \t\r")
        if line == b"":
            continue
        if is_json(line):
            texts.append(line.decode())
        else:
            invalid += 1
    return NDJSONReading(tuple(texts), invalid)


def read_json_array(data: bytes) -> tuple[str, ...]:
    """Read a whole JSON array and give the text of each element. Raises `ValueError` where it is none."""
    text = data.decode().removeprefix(BOM)
    if not isinstance(_strict_json(text), list):
        raise ValueError("data must be a JSON array")
    decoder = json.JSONDecoder()
    elements: list[str] = []
    at = _skip_blanks(text, text.index("[") + 1)
    while text[at] != "]":
        _, end = decoder.raw_decode(text, at)
        elements.append(text[at:end])
        at = _skip_blanks(text, end)
        if text[at] == ",":
            at = _skip_blanks(text, at + 1)
    return tuple(elements)


def is_json(text: bytes | str) -> bool:
    """Tell whether this is one JSON text by RFC 8259, in UTF-8: `NaN` and `Infinity` are none."""
    try:
        _strict_json(text.decode() if isinstance(text, bytes) else text)
    except (ValueError, RecursionError):
        return False
    return True


def _terminated_lines(text: str) -> list[str]:
    """Cut at CRLF, LF and CR, "the ways in which a line can end"; what follows the last of them is no line yet."""
    lines: list[str] = []
    line = ""
    at = 0
    while at < len(text):
        if text[at] in "\r\n":
            lines.append(line)
            line = ""
            at += 2 if text[at : at + 2] == "\r\n" else 1
        else:
            line += text[at]
            at += 1
    return lines


def _base_ten(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 10 + ord(digit) - ord("0")
    return number


def _strict_json(text: str) -> Any:
    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no JSON")

    # parse_int: the limit of 4,300 digits is Python's, not JSON's.
    return json.loads(text, parse_constant=refuse, parse_int=float)


def _skip_blanks(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
