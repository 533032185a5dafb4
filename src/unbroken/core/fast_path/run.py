"""Several frames of one template that leave together."""

from __future__ import annotations

from typing import Final

from ..dialect import EventClass, Reading
from ..events import Event
from .spelling import Values
from .template import Template


class Run:
    """Frames of one template, all of them content, that came one after the other.

    `dialect` is the name of the one that read them, `last_event_id` the last event id before them, `values` what stands
    in their slots, `wire` their canonical bytes.
    """

    __slots__ = ("_last_event_id", "_template", "_values", "dialect", "wire")

    kind: Final = EventClass.CONTENT

    def __init__(
        self, template: Template, dialect: str | None, last_event_id: str, values: Values, wire: bytes
    ) -> None:
        self._template = template
        self._last_event_id = last_event_id
        self._values = values
        self.dialect = dialect
        self.wire = wire

    @property
    def count(self) -> int:
        """The number of events."""
        return len(self._values) // self._template.width

    def events(self) -> list[Event]:
        """Return the events, in order."""
        return self._template.events(self._values, self._last_event_id)

    def readings(self) -> list[Reading]:
        """Return what each of the events means, in order."""
        return self._template.readings(self._values)
