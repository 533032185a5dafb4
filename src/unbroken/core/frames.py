"""What leaves the core: frames, one by one or several at once, in order with the repairs that led to them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from .dialect import EventClass, Reading
from .events import Comment, Event
from .repairs import Repair


class Frame:
    """One frame: its canonical bytes, and what it is to a reader of events.

    `kind` is None for framing that is neither an event nor a comment: a blank line, a block without data. `dialect` is
    the name of the one that was known when it left, or None.
    """

    __slots__ = ("comment", "dialect", "event", "kind", "reading", "wire")

    def __init__(
        self,
        wire: bytes,
        event: Event | None = None,
        comment: Comment | None = None,
        kind: EventClass | None = None,
        reading: Reading | None = None,
    ) -> None:
        self.wire = wire
        self.event = event
        self.comment = comment
        self.kind = kind
        self.reading = reading  # None where no dialect read the payload
        self.dialect: str | None = None

    @property
    def count(self) -> int:
        """The number of events: one, or none for a comment and for bare framing."""
        return int(self.event is not None)

    def events(self) -> Sequence[Event]:
        """Return the event, if this frame is one."""
        return () if self.event is None else (self.event,)

    def readings(self) -> Sequence[Reading]:
        """Return what the event means, if a dialect read it."""
        return () if self.reading is None else (self.reading,)


if TYPE_CHECKING:
    from typing import Protocol

    class Frames(Protocol):
        """Several frames of content that leave together; all of them were read."""

        @property
        def kind(self) -> EventClass:
            """`CONTENT`."""

        @property
        def dialect(self) -> str | None:
            """The name of the dialect that read them."""

        @property
        def wire(self) -> bytes:
            """Their canonical bytes."""

        @property
        def count(self) -> int:
            """The number of events, at least one."""

        def events(self) -> Sequence[Event]:
            """Return the events, in order."""

        def readings(self) -> Sequence[Reading]:
            """Return what each of the events means, in order."""

    Outgoing = Frame | Frames
    Item = Outgoing | Repair
    """A repair stands before what it produced."""

else:  # names of types alone: a protocol takes long to make, at import
    Frames = Outgoing = Item = object


class Delivery(Enum):
    """What an engine makes of a frame that passes untouched."""

    EVENTS = "events"
    WIRE = "wire"  # its canonical bytes


def exchanged(wire: bytes, before: str, after: str) -> bytes | None:
    """Return the bytes of a frame with another payload; None where the first one does not stand in it.

    In SSE a payload may stand there in several `data:` lines.
    """
    lines, others = before.encode(), after.encode()
    if lines not in wire:
        lines, others = (text.replace(b"\n", b"\ndata: ") for text in (lines, others))
    return others.join(wire.rsplit(lines, 1)) if lines in wire else None
