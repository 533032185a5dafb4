"""Heartbeats that count: events of the stream's dialect that say nothing, for clients that time the events they parse.

Loaded where it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from .dialect import Dialect, EventClass
from .encoder import spell_named
from .events import Format
from .frames import Frame, Outgoing
from .proof import FLAWED, UNPROVEN, prove, read_exactly

if TYPE_CHECKING:
    from .registry import Converter

MAX_BASIS: Final = 65_536
"""Characters of a payload of which heartbeats are made; one that is longer makes none."""


class EventHeartbeat:
    """Keeps one payload of the stream, of which its dialect can make an event that says nothing."""

    __slots__ = ("_basis",)

    def __init__(self) -> None:
        self._basis: Any = None

    def note(self, frames: Iterable[Outgoing], dialect: Dialect | None) -> None:
        """Look at what is written; of content only until there is something to make events of."""
        if dialect is None:
            return
        for frame in frames:
            is_looked_at = self._basis is None or frame.kind is not EventClass.CONTENT
            if not is_looked_at or not isinstance(frame, Frame) or frame.event is None:
                continue
            data = frame.event.data
            proof = prove(data) if len(data) <= MAX_BASIS else UNPROVEN
            if proof is not FLAWED and proof is not UNPROVEN:
                value = read_exactly(data)
                if dialect.heartbeat_event(value) is not None:
                    self._basis = value

    def spell(self, target: Format, dialect: Dialect | None, converter: Converter | None) -> bytes | None:
        """Return a heartbeat in this framing, or None where there is no event that says nothing."""
        if target is Format.JSON_ARRAY:
            return None
        if converter is not None:
            made: Any = converter.heartbeat_event()
            name = None
        elif dialect is None or self._basis is None or (told := dialect.heartbeat_event(self._basis)) is None:
            return None
        else:
            name, made = told
        try:
            text = None if made is None else json.dumps(made, allow_nan=False)
        except (ValueError, RecursionError):
            return None  # a number beyond every float
        if text is None:
            return None
        if target is Format.NDJSON:
            return text.encode() + b"\n"
        return spell_named(name, text)
