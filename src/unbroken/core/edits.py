"""Changes of single values in the text of a payload: all else stays as it is spelt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]  # missing in the stubs
from typing import Final

Path = tuple[str | int, ...]
"""The keys and numbers that lead to a value."""

_BLANKS: Final = re.compile(r"[ \t\n\r]*+")
_scan: Final = json.JSONDecoder(parse_int=float).scan_once  # type: ignore[attr-defined]  # missing in the stubs


def with_indexes(data: str, indexes: Mapping[Path, int]) -> str:
    """Return a proven payload in which the objects at these paths have these indexes; all else stays as it is spelt."""
    parts: list[str] = []
    done = 0
    for start, end, text in sorted(_edits(data, _skip_blanks(data, 0), indexes)):
        parts += data[done:start], text
        done = end
    return "".join([*parts, data[done:]])


def _edits(data: str, at: int, indexes: Mapping[Path, int]) -> Iterator[tuple[int, int, str]]:
    """Yield each edit below the value that begins here; what is above several of them is read once for all."""
    if () in indexes:
        yield _edit(data, at, indexes[()])
        return
    below: dict[str | int, dict[Path, int]] = {}
    for (key, *rest), index in indexes.items():
        below.setdefault(key, {})[tuple(rest)] = index
    # Of several members of one name the last one counts.
    values = _elements(data, at) if data[at] == "[" else ((name, start) for name, start, _ in _members(data, at))
    starts = {key: start for key, start in values if key in below}
    for key, deeper in below.items():
        yield from _edits(data, starts[key], deeper)


def _edit(data: str, at: int, index: int) -> tuple[int, int, str]:
    members = list(_members(data, at))
    for key, start, end in reversed(members):
        if key == "index":
            return start, end, str(index)
    return at + 1, at + 1, f'"index":{index},' if members else f'"index":{index}'


def _members(data: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and end of each member of the object that begins here."""
    at = _skip_blanks(data, at + 1)
    while data[at] == '"':
        name, at = scanstring(data, at + 1)
        start = _skip_blanks(data, _skip_blanks(data, at) + 1)  # the colon
        _, end = _scan(data, start)
        yield name, start, end
        at = _skip_blanks(data, end)
        if data[at] == "}":
            return
        at = _skip_blanks(data, at + 1)  # the comma


def _elements(data: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield number and start of each element of the array that begins here."""
    at = _skip_blanks(data, at + 1)
    number = 0
    while data[at] != "]":
        yield number, at
        number += 1
        _, end = _scan(data, at)
        at = _skip_blanks(data, end)
        at = at if data[at] == "]" else _skip_blanks(data, at + 1)  # the comma


def _skip_blanks(data: str, at: int) -> int:
    found = _BLANKS.match(data, at)
    return found.end() if found else at
