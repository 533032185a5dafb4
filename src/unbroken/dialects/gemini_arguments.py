"""The arguments of a tool call, assembled from the paths and values that Gemini streams.

https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc. Paths use a small part
of JSONPath (RFC 9535): names and indexes from the root. A piece that does not fit makes the arguments incomplete, never
wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from io import StringIO
from itertools import pairwise
from typing import Any, Final

from .shapes import Room, as_object, as_text

_NESTING: Final = 256
"""What an object or a list counts for, in characters: with few elements it takes as many bytes."""
_MAX_STEPS: Final = 64
_STEP: Final = re.compile(r"""\.([^.\[\]'"]+)|\[([0-9]{1,6})\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]""")
_ABSENT: Final = object()
_VALUES: Final = ("numberValue", "boolValue", "nullValue")

Step = str | int


class _Text:
    """A string value that is streamed in pieces."""

    def __init__(self) -> None:
        self.pieces = StringIO()

    def __str__(self) -> str:
        return self.pieces.getvalue()


class PartialArguments:
    """The arguments of one open call. `key` is the key of the call, `room` what all open calls share."""

    def __init__(self, key: Hashable, room: Room) -> None:
        self.key = key
        self._room = room
        self._root: dict[str, Any] = {}
        self._size = 0
        self._broken = False

    def absorb(self, pieces: list[Any]) -> None:
        """Add the pieces of one payload."""
        for piece in pieces:
            if not self._broken:
                self._broken = not self._put(as_object(piece))

    def _put(self, piece: dict[str, Any]) -> bool:
        """Set or extend the value at a path, and return whether that was possible."""
        path, text = as_text(piece.get("jsonPath")), as_text(piece.get("stringValue"))
        steps = _steps(path)
        if not steps or not self._take(len(path) + len(text)):
            return False
        place: Any = self._root
        for step, following in pairwise(steps):
            if not _can_step(place, step):
                return False
            if _value_at(place, step) is _ABSENT:
                if not self._take(_NESTING):
                    return False
                _set(place, step, [] if isinstance(following, int) else {})
            place = _value_at(place, step)
        return _can_step(place, steps[-1]) and _put_leaf(place, steps[-1], piece, text)

    def _take(self, size: int) -> bool:
        """Take so much of the room, and return whether it was there."""
        if not self._room.take(size):
            return False
        self._size += size
        return True

    def close(self) -> None:
        """Give back the room."""
        self._room.give_back(self._size)

    def spell(self) -> str:
        """Return the arguments as JSON text; invalid JSON, cut before its end, if a piece did not fit."""
        text = json.dumps(self._root, ensure_ascii=False, separators=(",", ":"), default=str)
        return text[:-1] if self._broken else text


def _steps(path: str) -> list[Step]:
    """Return the steps of a path; an empty list if it is not understood."""
    steps: list[Step] = []
    at = 1
    while path.startswith("$") and at < len(path) and len(steps) < _MAX_STEPS:
        found = _STEP.match(path, at)
        if found is None:
            return []
        name, index, single, double = found.groups()
        steps.append(int(index) if index else name or single or double or "")
        at = found.end()
    return steps if at == len(path) else []


def _can_step(place: Any, step: Step) -> bool:
    """Whether a step is possible here: a name in an object, an index in a list or right after its last element."""
    if isinstance(step, str):
        return isinstance(place, dict)
    return isinstance(place, list) and step <= len(place)


def _value_at(place: Any, step: Any) -> Any:
    if isinstance(place, dict):
        return place.get(step, _ABSENT)
    return place[step] if step < len(place) else _ABSENT


def _set(place: Any, step: Any, value: Any) -> None:
    if isinstance(place, list) and step == len(place):
        place.append(value)
    else:
        place[step] = value


def _put_leaf(place: Any, step: Step, piece: dict[str, Any], text: str) -> bool:
    standing = _value_at(place, step)
    if "stringValue" in piece:
        if standing is _ABSENT:
            standing = _Text()
            _set(place, step, standing)
        if not isinstance(standing, _Text):
            return False
        standing.pieces.write(text)
        return True
    value = next((piece[key] for key in _VALUES if key in piece), _ABSENT)
    if isinstance(value, (dict, list)) or value is _ABSENT:
        return False
    _set(place, step, None if "nullValue" in piece else value)
    return True
