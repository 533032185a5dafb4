"""How far a stream had come at any time: its last event, the heartbeats since then, and which part it was in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

MAX_OPEN: Final = 64
"""The most open parts that are kept, the newest of them."""
MAX_LABEL: Final = 72
"""The most characters of a name of upstream's in a label."""

# The payloads that open a part and close it: where its place stands, and where the part is described.
_OPENING: Final = {
    "response.output_item.added": ("output_index", "item"),
    "content_block_start": ("index", "content_block"),
}
_CLOSING: Final = {"response.output_item.done": "output_index", "content_block_stop": "index"}
MARKS: Final = ('"response.output_item.', '"content_block_')
"""What stands in the text of such a payload."""


@dataclass(frozen=True, slots=True)
class LastEvent:
    """The last event that was no ping: its number, its name or class, when it came (seconds), if of a tool call."""

    number: int
    name: str
    at: float
    is_tool: bool


class Progress:
    """The last event, the number of heartbeats since then, and the parts that have begun and not ended.

    Parts are output items (OpenAI Responses) and content blocks (Anthropic).
    """

    def __init__(self) -> None:
        self.last: LastEvent | None = None
        self.heartbeats = 0
        self.ended_part: str | None = None
        """The part that ended with the last event."""
        self._open: dict[int, str] = {}

    def note_event(self, last: LastEvent) -> None:
        """Note an event that is no ping."""
        self.last = last
        self.heartbeats = 0
        self.ended_part = None

    def note_payload(self, payload: dict[str, Any]) -> None:
        """Note whether this payload, which is of the last event, opens or closes a part."""
        kind = payload.get("type")
        if not isinstance(kind, str):
            return
        if kind in _OPENING:
            place, part = (payload.get(key) for key in _OPENING[kind])
            if type(place) is int and isinstance(part, dict):
                self._open.pop(place, None)
                self._open[place] = _label(part)
                if len(self._open) > MAX_OPEN:
                    del self._open[next(iter(self._open))]
        elif kind in _CLOSING:
            place = payload.get(_CLOSING[kind])
            if type(place) is int:
                self.ended_part = self._open.pop(place, None)

    @property
    def open_part(self) -> str | None:
        """What kind of part began last and has not ended, with its name if it has one; None if none is open."""
        return next(reversed(self._open.values()), None)


def _label(part: dict[str, Any]) -> str:
    words = [word[:MAX_LABEL] for key in ("type", "name") if isinstance(word := part.get(key), str)]
    return " ".join(words) or "part"
