"""Plain text: payloads are text, including white space and empty events."""

from __future__ import annotations

from typing import Any

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading
from ..core.failure import own_failure
from ..core.proof import prove
from ..core.registry import register
from .shapes import as_text


@register
class Text(Dialect):
    """Plain text in events. Used only if the caller names it; no JSON repair applies to it."""

    name = "text"
    json_payloads = False

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event: the text of an unnamed one, or an `error` event written by this library."""
        if event == "message" and isinstance(payload, str):
            return Reading(EventClass.CONTENT, (Delta(text=payload),))
        if event == "error" and (ours := own_failure(prove(as_text(payload)))) is not None:
            return Reading(EventClass.ERROR, failure=ours)
        return NOTHING
