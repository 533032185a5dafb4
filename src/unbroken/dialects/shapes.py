"""Hostile JSON values to the shapes that readers expect: what is not of that shape is not there.

Figures can arrive as floats (the proof parses them so), text as a number, an object as a list; nothing here raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

MAX_LABEL: Final = 1024
"""Characters of an id, a name or a reason that are kept; the longest ids seen in real streams have some 500."""
_LARGEST: Final = 2**53  # beyond it a float is no longer one whole number
_EMPTY: Final[dict[str, Any]] = {}


def as_object(value: Any) -> dict[str, Any]:
    """Give the object, or an empty one, which nobody may change."""
    return value if isinstance(value, dict) else _EMPTY


def as_list(value: Any) -> list[Any]:
    """Give the list, or an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """Give the text, or none."""
    return value if isinstance(value, str) else ""


def as_label(value: Any) -> str | None:
    """Give a short text that is not empty; a whole number is spelt."""
    if isinstance(value, str):
        return value[:MAX_LABEL] or None
    number = as_whole(value)
    return None if number is None else str(number)


def as_whole(value: Any) -> int | None:
    """Give a number that is whole and exact, else None; `true` is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if -_LARGEST < value < _LARGEST and value == int(value) else None


def as_figures(source: Any, paths: Mapping[str, tuple[str, ...]]) -> dict[str, int] | None:
    """Look each figure up by its path, and give those that are whole numbers from 0 on; None if there are none.

    Some gateways send figures as text.
    """
    found = {}
    for name, path in paths.items():
        value = source
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        is_spelt = isinstance(value, str) and len(value) < 16 and value.isascii() and value.isdigit()
        figure = int(value) if is_spelt else as_whole(value)
        if figure is not None and figure >= 0:
            found[name] = figure
    return found or None


def as_seconds(value: Any) -> float | None:
    """Give a duration in seconds from 0 to one day, also from texts as `2`, `2.5s` and `250ms`."""
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
    """Give the seconds since 1970 of an RFC 3339 time, or of a whole number, which is that already."""
    if not isinstance(value, str):
        return as_whole(value)
    from datetime import UTC, datetime  # here: most streams never need it, and it costs every import a millisecond

    try:
        moment = datetime.fromisoformat(value[:40])
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def as_arguments(value: Any) -> str:
    """Spell a tool's arguments, which some providers send as a JSON value, as the text that the others send."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
