"""Prose: payloads are text and nothing else, blanks, empty events and all."""

from __future__ import annotations

from typing import Any

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading, register
from ..core.proof import prove
from .failures import failure_of, is_own
from .shapes import as_object, as_text


@register
class Text(Dialect):
    """Plain text in events; named by the caller, never recognised, and no JSON heuristic touches it."""

    name = "text"
    json_payloads = False

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event: its text, if it is an unnamed one; of named ones only an error of ours is known."""
        if event == "message" and isinstance(payload, str):
            return Reading(EventClass.CONTENT, (Delta(text=payload),))
        if event == "error" and is_own(error := as_object(prove(as_text(payload))).get("error")):
            return Reading(EventClass.ERROR, failure=failure_of(error))
        return NOTHING
