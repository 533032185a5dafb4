"""The plain vocabulary: events named for what they are, with payloads like `{"text": "..."}`.

Applications without a provider's dialect send these by hand, and this library's own errors have this form where no
dialect is known.
"""

from __future__ import annotations

from typing import Any, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading
from ..core.failure import Failure, is_own
from ..core.registry import register
from .failures import error_in, failure_in, failure_of, find_failure, is_error_body, is_named_error
from .finishes import as_finish, failure_of_finish
from .shapes import as_label, as_object, as_said, as_text

_PING: Final = Reading(EventClass.LIVENESS)
_CONTENT: Final = frozenset(("delta", "chunk"))
_BEGINNINGS: Final = frozenset(("hello", "start"))
_ENDS: Final = frozenset(("done", "complete", "completed", "end", "finished"))
_PINGS: Final = frozenset(("ping", "heartbeat", "keepalive"))
_MEANINGFUL: Final = _BEGINNINGS | _ENDS | _PINGS | {"error"}


@register
class Vocabulary(Dialect):
    """hello, start, conversation, metadata, delta or chunk, progress, preview, ping, error, done or complete."""

    name = "vocabulary"
    sentinel = "[DONE]"

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether it is a `delta` or `chunk` event with text, or an `error` event with an error only.

        The other names are too common to be recognised by.
        """
        if not isinstance(payload, dict):
            return False
        if event == "error":
            return (payload.keys() == {"error"} and not is_own(payload["error"])) or is_named_error(payload)
        if event == "message" and is_error_body(payload):
            return True
        return event in _CONTENT and isinstance(payload.get("text"), str)

    def says_by_name(self, event: str) -> bool:
        """Whether the name alone has a meaning: beginnings, ends, pings and errors."""
        return event in _MEANINGFUL

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event by its name, or by `event` or `type` in the payload if it has no name."""
        body = as_object(payload)
        name = event if event != "message" else as_label(body.get("event")) or as_label(body.get("type")) or ""
        if name in _CONTENT:
            text = as_said(body.get("text")) or as_text(payload)
            return Reading(EventClass.CONTENT, (Delta(text=text),)) if text else NOTHING
        if name in _ENDS:
            finish = as_finish(body.get("finish_reason"))
            failure = failure_of_finish(finish) or _failure_at_end(body)
            kind = EventClass.ERROR if failure else EventClass.TERMINAL
            return Reading(kind, (Delta(finish_reason=finish),), failure=failure)
        if name == "error" or is_error_body(payload) or (not name and body.keys() == {"error"} and error_in(body)):
            return Reading(EventClass.ERROR, failure=find_failure("error", body) if body else failure_of(payload))
        if name in _PINGS:
            return _PING
        return Reading(EventClass.STRUCTURAL, begins=True) if name in _BEGINNINGS else NOTHING

    def heartbeat_event(self, payload: Any) -> tuple[str | None, Any] | None:
        """Return a `ping` event."""
        return "ping", {}


def _failure_at_end(body: dict[str, Any]) -> Failure | None:
    """Return the failure that the last event tells of itself."""
    if error_in(body) is not None:
        return failure_in(body)
    return failure_of(body) if body.get("success") is False else failure_of_finish(as_finish(body.get("status")))
