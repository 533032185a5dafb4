"""Templates: the frames that differ from a proven one in their slots only, and what such frames mean."""

from __future__ import annotations

from dataclasses import replace
from json.decoder import scanstring  # type: ignore[attr-defined]  # missing in the stubs
from typing import Any, Final

from ..account import Account
from ..dialect import Delta, Reading
from ..events import Event
from .slots import ID, SLOT, TEXT, Slot
from .spelling import Spelling, Values

MAX_LENGTH: Final = 8192
"""Bytes of a frame of which a template is made at most."""
new_event: Final = object.__new__
"""`new_event(Event)` makes an event without a call of `__init__`: measured, 0.4 µs instead of 0.65."""


def said(delta: Delta) -> str:
    """Return the text of a delta that says one thing: text, reasoning, or arguments of a tool call."""
    return delta.text or delta.reasoning or (delta.tools[0].arguments if delta.tools else "")


class Template:
    r"""One proven frame with slots for its text, its id, and what its dialect says may vary; and what it means.

    `slots` says what may stand in each `\0` of `payload`; the one at `text_at` holds the text. `head` and `tail` are
    the lines around the `data` line; a line of NDJSON has none, and no `lead`.
    """

    __slots__ = (
        "_crlf", "_text_at", "data_format", "delta", "field",
        "has_id", "id_at", "name", "payload_pieces", "reading", "slots", "spelling",
    )  # fmt: skip

    def __init__(
        self,
        payload: str,
        name: str,
        reading: Reading,
        *,
        slots: tuple[Slot, ...] = (TEXT,),
        text_at: int = 0,
        head: str = "",
        tail: str = "\n",
        lead: str = "data: ",
    ) -> None:
        self.delta = delta = reading.deltas[0]
        self.field = "text" if delta.text else "reasoning" if delta.reasoning else "tools"
        self.name = name
        self.reading = reading
        self.payload_pieces = payload.split(SLOT)
        ids_before = head.count(SLOT)
        self.has_id = SLOT in head + tail
        self.id_at = 0 if ids_before else len(slots)
        self.slots = (ID,) * ids_before + slots + (ID,) * tail.count(SLOT)
        self._text_at = ids_before + text_at
        self.spelling = Spelling(f"{head}{lead}{payload}\n{tail}", self.slots, self._text_at)
        self.data_format = "%s".join([piece.replace("%", "%%") for piece in self.payload_pieces])
        self._crlf: Spelling | None = None

    @property
    def width(self) -> int:
        """The number of values that one frame has."""
        return len(self.slots)

    @property
    def line_count(self) -> int:
        """The number of lines of one frame, the blank line included."""
        return sum(piece.count(b"\n") for piece in self.spelling.pieces)

    def spelt(self, line_end: bytes) -> Spelling:
        """Return the spelling with this line end."""
        if line_end == b"\n":
            return self.spelling
        if self._crlf is None:
            frame = SLOT.join(piece.decode() for piece in self.spelling.pieces)
            self._crlf = Spelling(frame.replace("\n", "\r\n"), self.slots, self._text_at)
        return self._crlf

    def texts(self, values: Values) -> Values:
        """Return the texts, without escapes."""
        raws = values if len(self.slots) == 1 else values[self._text_at :: len(self.slots)]
        for raw in raws:
            if "\\" in raw:
                return [scanstring(f'{raw}"', 0)[0] for raw in raws]
        return raws

    def absorb(self, account: Account, values: Values) -> None:
        """Add the texts to the account of what the stream delivered."""
        if self.field == "tools":
            account.absorb_arguments(self.delta.choice, self.delta.tools[0], self.texts(values))
        else:
            account.absorb_texts(self.delta.choice, self.field, self.texts(values))

    def readings(self, values: Values) -> list[Reading]:
        """Return what the dialect would have read."""
        return [self.with_text(text) for text in self.texts(values)]

    def with_text(self, text: str) -> Reading:
        """Return what a frame of this template with this text means."""
        delta = self.delta
        value: Any = (replace(delta.tools[0], arguments=text),) if self.field == "tools" else text
        return replace(self.reading, deltas=(replace(delta, **{self.field: value}),))

    def events(self, values: Values, id: str) -> list[Event]:
        """Return the events; `id` is the last event id before them."""
        if len(self.slots) > 1:
            return self._events_of_several(values, id)
        before, after = self.payload_pieces
        name = self.name
        events = []
        for value in values:
            event = new_event(Event)
            event.data = f"{before}{value}{after}"
            event.event = name
            event.id = id
            event.retry = None
            events.append(event)
        return events

    def _events_of_several(self, values: Values, id: str) -> list[Event]:
        events, name, width = [], self.name, len(self.slots)
        for at in range(0, len(values), width):
            own = values[at : at + width]
            if self.has_id:
                id = own.pop(self.id_at)
            event = new_event(Event)
            event.data = self.data_format % tuple(own)
            event.event = name
            event.id = id
            event.retry = None
            events.append(event)
        return events
