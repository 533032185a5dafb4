"""Reference readers of the standards: a whole stream in, what a conforming reader must see out.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

These readers share no code with `unbroken.core`. They read a whole stream character by character and follow the
standard's steps in the standard's order, so that they can be checked by eye. They are not meant to be fast.
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
    """What a conforming reader of an event stream has seen when it ends. `retry` is in milliseconds, or None."""

    events: tuple[Seen, ...]
    last_event_id: str = ""
    retry: int | None = None


@dataclass(frozen=True, slots=True)
class NDJSONReading:
    """What a conforming reader of NDJSON has seen: the JSON texts in order, and the number of invalid lines."""

    texts: tuple[str, ...]
    invalid: int = 0


def read_sse(data: bytes, last_event_id: str = "") -> SSEReading:
    """Return the reading of a whole event stream by WHATWG 9.2.6, starting with `last_event_id`."""
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
    """Return the reading of whole NDJSON: one JSON text per line, blank lines skipped, one leading BOM ignored.

    Lines end with LF or CRLF; a last line without LF counts. A line that is not valid JSON (RFC 8259), or not UTF-8, is
    one invalid line, and reading goes on.
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
    """Return the text of each element of a JSON array. Raises `ValueError` if `data` is not a JSON array."""
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
    """Whether this is one JSON text by RFC 8259, in UTF-8, which excludes `NaN` and `Infinity`."""
    try:
        _strict_json(text.decode() if isinstance(text, bytes) else text)
    except (ValueError, RecursionError):
        return False
    return True


def _terminated_lines(text: str) -> list[str]:
    """Return the lines that end with CRLF, LF or CR, "the ways in which a line can end"; the rest is left out."""
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
        raise ValueError(f"{constant} is not valid JSON")

    # parse_int: `int` has a limit of 4,300 digits, which JSON does not have.
    return json.loads(text, parse_constant=refuse, parse_int=float)


def _skip_blanks(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
