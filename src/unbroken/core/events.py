"""Events and comments, and the bytes that spell them.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from .quantities import shown

# Compiled at their first use, by `re` itself: few streams are spelt anew.
_LINE_END = r"\r\n|\n|\r"
_FIXES = {"data": "; write data=json.dumps(...)"}
_ID_FORBIDS = r"[\r\n\0]"


class Format(Enum):
    """A framing: how events are separated on the wire."""

    SSE = "sse"
    NDJSON = "ndjson"
    JSON_ARRAY = "json-array"
    CODED_LINES = "coded-lines"  # `0:"text"`: a code, a colon and one JSON text per line


# Not frozen: a generated frozen `__init__` costs 0.4 µs more per event, a third of the whole reader.
@dataclass(slots=True, unsafe_hash=True)
class Event:
    """One dispatched event, an NDJSON line, or an element of a JSON array.

    `data` is the payload as text. `id` is the last event id at dispatch ("" when none was sent), `retry` the
    reconnection time in milliseconds if this block set one.
    """

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None

    def json(self, loads: Any = json.loads) -> Any:
        """Parse `data` as JSON. Raises what `loads` raises, a `ValueError` by default."""
        return loads(self.data)

    def encode(self) -> bytes:
        r"""Spell this event as one whole SSE frame; no value can begin a line of its own.

        Line ends inside `data` begin a new `data:` line. Raises `ValueError` for CR or LF in `event`, and for
        CR, LF or NUL in `id`, and for a `retry` that is not a whole number from 0 on: the standard cannot spell them
        (WHATWG 9.2.6). Raises `TypeError` for a value that is no text.
        """
        for name, value in (("data", self.data), ("event", self.event), ("id", self.id)):
            if not isinstance(value, str):
                raise TypeError(f"Event.{name} must be text, not {shown(value)}{_FIXES.get(name, '')}")
        lines = []
        if self.event not in ("", "message"):
            if re.search(_LINE_END, self.event):
                raise ValueError("Event.event must not hold CR or LF: it would begin a new field")
            lines.append(f"event: {self.event}")
        if self.id:
            if re.search(_ID_FORBIDS, self.id):
                raise ValueError("Event.id must not hold CR, LF or NUL: a reader would ignore or misread it")
            lines.append(f"id: {self.id}")
        if self.retry is not None:
            if type(self.retry) is not int or self.retry < 0:
                raise ValueError("Event.retry must be a whole number of milliseconds from 0 on, or None")
            lines.append(f"retry: {self.retry}")
        lines += [f"data: {line}" for line in re.split(_LINE_END, self.data)]
        # A lone surrogate has no UTF-8 form; U+FFFD is what every decoder would make of its bytes.
        return ("\n".join(lines) + "\n\n").encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()


class Comment(NamedTuple):
    """An SSE comment line, without its colon; most often a keep-alive."""

    text: str
