"""Untrusted JSON values as the types that readers expect; a value of another type counts as absent.

Numbers can arrive as floats (they are parsed as such), text as a number, an object as a list. Nothing here raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

MAX_HELD: Final = 2**20
"""Characters that a dialect holds back at most, of what it has to assemble."""
MAX_LABEL: Final = 1024
"""The most characters of an id, a name or a reason that are kept; the longest seen in real streams have about 500."""
_LARGEST: Final = 2**53  # beyond it floats do not represent all whole numbers
_MOST_DIGITS: Final = 15  # no number of as many is beyond it
_HUGE: Final = 1e300
_TEXT_OR_INFINITY: Final = r'("[^"\\]*+(?:\\.[^"\\]*+)*+")|Infinity'
_EMPTY: Final[dict[str, Any]] = {}


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, each once."""
    return frozenset(text.split())


class Room:
    """The characters that a dialect may still hold back, of arguments that it has to assemble."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = MAX_HELD

    def take(self, size: int) -> bool:
        """Take so many, and return whether they were there."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        self._left += size


def as_object(value: Any) -> dict[str, Any]:
    """Return the object, or an empty one, which must not be changed."""
    return value if isinstance(value, dict) else _EMPTY


def as_list(value: Any) -> list[Any]:
    """Return the list, or an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """Return the text, or an empty one."""
    return value if isinstance(value, str) else ""


def as_said(value: Any) -> str:
    """Return what a model said: a text, or the number that a server made of a token such as `1`; else an empty text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    whole = as_whole(value)
    if whole is not None:
        return str(whole)
    return repr(value) if isinstance(value, float) and -_HUGE < value < _HUGE else ""


def as_label(value: Any) -> str | None:
    """Return a non-empty text of at most `MAX_LABEL` characters, or a whole number as text; else None."""
    if isinstance(value, str):
        return value[:MAX_LABEL] or None
    number = as_whole(value)
    return None if number is None else str(number)


def as_whole(value: Any) -> int | None:
    """Return a whole number below 2**53 in magnitude, else None; booleans are not numbers."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if -_LARGEST < value < _LARGEST and value == int(value) else None


def as_index(value: Any) -> tuple[int | None, Literal["number", "text", "other"]]:
    """Return a whole number, and whether it is told as one or by the digits of a text; if by neither, "other"."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        return int(value), "text"
    index = as_whole(value)
    return index, "number" if value is None or index is not None else "other"


def as_figures(source: Any, paths: Mapping[str, tuple[str, ...]]) -> dict[str, int] | None:
    """Return by name the values at these paths that are whole numbers from 0 on; None if there are none.

    Some gateways send numbers as text.
    """
    found = {}
    for name, path in paths.items():
        value = source
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            continue
        is_spelt = isinstance(value, str) and len(value) < 16 and value.isascii() and value.isdigit()
        figure = int(value) if is_spelt else as_whole(value)
        if figure is not None and figure >= 0:
            found[name] = figure
    return found or None


def as_seconds(value: Any) -> float | None:
    """Return a duration in seconds, from 0 to one day, also of texts like `2`, `2.5s` and `250ms`; else None."""
    if isinstance(value, str):
        text = value[:40].strip()
        scale = 0.001 if text.endswith("ms") else 1.0
        try:
            value = float(text.removesuffix("ms").removesuffix("s")) * scale
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= 86_400 else None


def as_timestamp(value: Any) -> int | None:
    """Return the seconds since 1970 of an RFC 3339 time, or a whole number unchanged; else None."""
    if not isinstance(value, str):
        return as_whole(value)
    from datetime import UTC, datetime  # imported here: few streams need it, and it takes a millisecond

    try:
        moment = datetime.fromisoformat(value[:40])
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def as_arguments(value: Any) -> str:
    """Return the arguments of a tool call as JSON text; some providers send them as a JSON value."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # A number beyond every float was JSON as it came, and is again.
    return re.sub(_TEXT_OR_INFINITY, lambda found: found[1] or "1e999", text) if "Infinity" in text else text
