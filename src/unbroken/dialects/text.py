"""Prose: payloads are text and nothing else, blanks, empty events and all."""

from __future__ import annotations

from typing import Any

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading, register


@register
class Text(Dialect):
    """Plain text in events; named by the caller, never recognised, and no JSON heuristic touches it."""

    name = "text"
    json_payloads = False

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event: its text, if it is an unnamed one; named ones are everybody's own."""
        if event == "message" and isinstance(payload, str):
            return Reading(EventClass.CONTENT, (Delta(text=payload),))
        return NOTHING
