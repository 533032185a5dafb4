"""Cohere chat, version 2 as SSE and version 1 as NDJSON.

https://docs.cohere.com/v2/docs/streaming. Ended by `message-end`; some servers add `[DONE]`.
"""

from __future__ import annotations

from typing import Any, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading, ToolFragment, register
from ..core.failure import Failure
from .failures import failure_of, is_own
from .shapes import as_arguments, as_figures, as_label, as_list, as_object, as_text, as_whole

_TYPES: Final = frozenset(
    (
        *("message-start", "message-end", "content-start", "content-delta", "content-end", "tool-plan-delta"),
        *("tool-call-start", "tool-call-delta", "tool-call-end", "citation-start", "citation-end"),
    )
)
_V1_TYPES: Final = frozenset(
    (
        *("stream-start", "stream-end", "text-generation", "citation-generation", "tool-calls-generation"),
        *("tool-calls-chunk", "search-queries-generation", "search-results"),
    )
)
_PROGRESS: Final = Reading(EventClass.CONTENT)
# The tokens that the model processed, not the billed ones.
_USAGE: Final = {
    "input_tokens": ("tokens", "input_tokens"),
    "output_tokens": ("tokens", "output_tokens"),
    "cached_tokens": ("cached_tokens",),
    "reasoning_tokens": ("tokens", "reasoning_tokens"),
}
_FAILURES: Final = frozenset(("ERROR", "TIMEOUT", "ERROR_TOXIC", "ERROR_LIMIT"))


@register
class Cohere(Dialect):
    """Chat events of both versions, ended by `message-end` or `stream-end`."""

    name = "cohere"
    steady = True
    sentinel = "[DONE]"
    sentinel_completes = False

    def __init__(self) -> None:
        self._calls = 0
        self._awaits_arguments = False  # a call is open, and has no arguments yet

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether the type is one of version 2, with a body, or of version 1, with `is_finished`."""
        if not isinstance(payload, dict):
            return False
        type, type_v1 = payload.get("type"), payload.get("event_type")
        if isinstance(type, str) and type in _TYPES:
            return isinstance(payload.get("delta"), dict) or as_whole(payload.get("index")) is not None
        return isinstance(type_v1, str) and type_v1 in _V1_TYPES and isinstance(payload.get("is_finished"), bool)

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event."""
        if not isinstance(payload, dict):
            return NOTHING
        if isinstance(payload.get("event_type"), str):
            return self._read_v1(payload)
        type = payload.get("type")
        delta = as_object(payload.get("delta"))
        message = as_object(delta.get("message"))
        if type in ("content-delta", "content-start"):
            return _read_content(as_object(message.get("content")))
        if type == "tool-plan-delta":
            return Reading(EventClass.CONTENT, (Delta(reasoning=as_text(message.get("tool_plan"))),))
        if type in ("tool-call-start", "tool-call-delta"):
            return self._read_tool(as_object(message.get("tool_calls")), starts=type == "tool-call-start")
        if type == "tool-call-end":
            return self._end_tool()
        if type == "message-start":
            role = as_label(message.get("role"))
            return Reading(EventClass.STRUCTURAL, (Delta(role=role),), id=as_label(payload.get("id")), begins=True)
        if type == "message-end":
            error = delta.get("error") or payload.get("error")
            return _read_end(delta.get("finish_reason"), delta.get("usage"), error, payload)
        return self._read_foreign(event, payload)

    def _read_foreign(self, event: str, payload: dict[str, Any]) -> Reading:
        error = payload.get("error")
        if event == "error" or (isinstance(error, (dict, str)) and error):
            return Reading(EventClass.ERROR, failure=failure_of(error if isinstance(error, dict) else payload))
        return _PROGRESS if payload.get("type") == "citation-start" else NOTHING

    def _read_tool(self, call: dict[str, Any], *, starts: bool) -> Reading:
        self._calls += starts
        function = as_object(call.get("function"))
        arguments = as_arguments(function.get("arguments"))
        self._awaits_arguments = (starts or self._awaits_arguments) and not arguments
        name = as_label(function.get("name"))
        fragment = ToolFragment(self._calls, as_label(call.get("id")), name, arguments)
        return Reading(EventClass.CONTENT, (Delta(tools=(fragment,)),))

    def _end_tool(self) -> Reading:
        if not self._awaits_arguments:
            return NOTHING
        self._awaits_arguments = False
        fragment = ToolFragment(self._calls, arguments="{}", whole=True)
        return Reading(EventClass.CONTENT, (Delta(tools=(fragment,)),))

    def _read_v1(self, payload: dict[str, Any]) -> Reading:
        type = payload["event_type"]
        if type == "text-generation":
            return Reading(EventClass.CONTENT, (Delta(text=as_text(payload.get("text"))),))
        if type == "tool-calls-generation":
            tools = tuple([self._read_v1_tool(as_object(call)) for call in as_list(payload.get("tool_calls"))])
            return Reading(EventClass.CONTENT, (Delta(tools=tools),))
        if type == "stream-end":
            usage = as_object(as_object(payload.get("response")).get("meta"))
            return _read_end(payload.get("finish_reason"), usage, payload.get("error"), payload)
        if type == "stream-start":
            return Reading(EventClass.STRUCTURAL, id=as_label(payload.get("generation_id")), begins=True)
        return _PROGRESS

    def _read_v1_tool(self, call: dict[str, Any]) -> ToolFragment:
        self._calls += 1
        arguments = as_arguments(call.get("parameters"))
        return ToolFragment(self._calls, name=as_label(call.get("name")), arguments=arguments, whole=True)

    def event_name(self, payload: Any) -> str | None:
        """Return None, which leaves names unchanged: the official client reads the payload's type."""
        return None

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return a message that ended with an error, the only form in which this API reports one."""
        delta = {"finish_reason": "ERROR", "error": failure.public_message}
        return "message-end", {"type": "message-end", "delta": delta, **failure.as_error()}


def _read_content(content: dict[str, Any]) -> Reading:
    text, thinking = as_text(content.get("text")), as_text(content.get("thinking"))
    if text or thinking:
        return Reading(EventClass.CONTENT, (Delta(text=text, reasoning=thinking),))
    return NOTHING


def _read_end(reason: Any, usage: Any, error: Any, payload: dict[str, Any]) -> Reading:
    finish = as_label(reason)
    failed = bool(error) or finish in _FAILURES
    failure = None
    if failed:
        own = payload.get("error")
        described = {"message": as_text(error), "type": finish}
        failure = failure_of(own if is_own(own) else error if isinstance(error, dict) else described)
    kind = EventClass.ERROR if failed else EventClass.TERMINAL
    return Reading(kind, (Delta(finish_reason=finish),), as_figures(usage, _USAGE), failure)
