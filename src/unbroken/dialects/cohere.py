"""Cohere chat, version 2 as SSE and version 1 as NDJSON.

https://docs.cohere.com/v2/docs/streaming. Ended by `message-end`; some servers add `[DONE]`.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Part, Reading, ToolFragment
from ..core.failure import Failure, is_own
from ..core.registry import register
from .failures import failure_of, find_failure
from .finishes import as_finish, failure_of_finish
from .shapes import as_arguments, as_figures, as_label, as_list, as_object, as_said, as_text, as_whole, words_of

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


_MAX_OPEN: Final = 1024


class _OpenCall:
    """A tool call that has not ended."""

    __slots__ = ("awaits_arguments", "key", "named")

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.awaits_arguments = True
        self.named = False


@register
class Cohere(Dialect):
    """Chat events of both versions, ended by `message-end` or `stream-end`."""

    name = "cohere"
    endpoints = ("/v1/chat", "/v2/chat")
    steady = True
    sentinel = "[DONE]"
    sentinel_completes = False
    keys = words_of(
        "type index delta message content text id role tool_calls function name arguments "
        "finish_reason usage tokens input_tokens output_tokens tool_plan event_type is_finished "
        "response generation_id"
    )

    def __init__(self) -> None:
        self._calls = 0
        self._open: dict[int | None, _OpenCall] = {}  # by index
        self._block: Any = None  # the start of the content that is open

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
        if type in ("content-start", "content-end", "message-end"):
            self._block = payload if type == "content-start" else None
        if type in ("content-delta", "content-start"):
            return _read_content(as_object(message.get("content")))
        if type == "tool-plan-delta":
            return Reading(EventClass.CONTENT, (Delta(reasoning=as_said(message.get("tool_plan"))),))
        if type in ("tool-call-start", "tool-call-delta"):
            call = as_object(message.get("tool_calls"))
            return self._read_tool(as_whole(payload.get("index")), call, starts=type == "tool-call-start")
        if type == "tool-call-end":
            return self._end_tool(as_whole(payload.get("index")))
        if type == "message-start":
            role = as_label(message.get("role"))
            return Reading(EventClass.STRUCTURAL, (Delta(role=role),), id=as_label(payload.get("id")), begins=True)
        if type == "message-end":
            error = delta.get("error") or payload.get("error")
            return _read_end(delta.get("finish_reason"), delta.get("usage"), error, payload)
        return self._read_foreign(event, payload)

    def _read_foreign(self, event: str, payload: dict[str, Any]) -> Reading:
        failure = find_failure(event, payload)
        if failure is not None:
            return Reading(EventClass.ERROR, failure=failure)
        return _PROGRESS if payload.get("type") == "citation-start" else NOTHING

    def _find_open(self, index: int | None) -> _OpenCall:
        """Return the open call of this index, else the only one, else one without a name: nobody knows which it is."""
        call = self._open.get(index)
        if call is not None:
            return call
        if not self._open:
            return _OpenCall(self._calls)
        return next(iter(self._open.values())) if len(self._open) == 1 else _OpenCall(("stray", index))

    def _read_tool(self, index: int | None, tool: dict[str, Any], *, starts: bool) -> Reading:
        if starts:
            self._calls += 1
            call = _OpenCall(self._calls)
            self._open.pop(index, None)
            if len(self._open) >= _MAX_OPEN:
                self._open.clear()
            self._open[index] = call
        else:
            call = self._find_open(index)
        function = as_object(tool.get("function"))
        arguments = as_arguments(function.get("arguments"))
        if starts and arguments == "{}":  # written again when the call ends, if no others come
            arguments = ""
        if arguments:
            call.awaits_arguments = False
        # Some servers repeat the name; half of one would be another.
        name = None if call.named else as_label(function.get("name"))
        call.named = call.named or name is not None
        fragment = ToolFragment(call.key, as_label(tool.get("id")), name, arguments)
        return Reading(EventClass.CONTENT, (Delta(tools=(fragment,)),))

    def _end_tool(self, index: int | None) -> Reading:
        call = self._open.pop(index, None)
        if call is None and len(self._open) == 1:
            call = self._open.popitem()[1]
        if call is None or not call.awaits_arguments:
            return NOTHING
        fragment = ToolFragment(call.key, arguments="{}", whole=True)
        return Reading(EventClass.CONTENT, (Delta(tools=(fragment,)),))

    def _read_v1(self, payload: dict[str, Any]) -> Reading:
        type = payload["event_type"]
        if type == "text-generation":
            return Reading(EventClass.CONTENT, (Delta(text=as_said(payload.get("text"))),))
        if type == "tool-calls-generation":
            tools = tuple([self._read_v1_tool(as_object(call)) for call in as_list(payload.get("tool_calls"))])
            return Reading(EventClass.CONTENT, (Delta(tools=tools),))
        if type == "stream-end":
            response = as_object(payload.get("response"))
            reading = _read_end(
                payload.get("finish_reason"), as_object(response.get("meta")), payload.get("error"), payload
            )
            if whole := as_said(response.get("text")):
                reading.deltas = (Delta(parts=(Part("text", whole),)), *reading.deltas)
            if not self._calls and (calls := as_list(response.get("tool_calls"))):
                tools = tuple([self._read_v1_tool(as_object(call)) for call in calls])
                reading.deltas = (Delta(tools=tools), *reading.deltas)
            return reading
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

    def heartbeat_event(self, payload: Any) -> tuple[str | None, Any] | None:
        """Return an empty piece of the content that is open; None while there is none, or of version 1."""
        index = as_whole(as_object(self._block).get("index"))
        if index is None:
            return None
        message = as_object(as_object(self._block.get("delta")).get("message"))
        kind = "thinking" if as_object(message.get("content")).get("type") == "thinking" else "text"
        piece = {"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: ""}}}}
        return "content-delta", piece

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return a message that ended with an error, the only form in which this API reports one."""
        delta = {"finish_reason": "ERROR", "error": failure.public_message}
        return "message-end", {"type": "message-end", "delta": delta, **failure.as_error()}


def _read_content(content: dict[str, Any]) -> Reading:
    text, thinking = as_said(content.get("text")), as_said(content.get("thinking"))
    if text or thinking:
        return Reading(EventClass.CONTENT, (Delta(text=text, reasoning=thinking),))
    return NOTHING


def _read_end(reason: Any, usage: Any, error: Any, payload: dict[str, Any]) -> Reading:
    finish = as_finish(reason)
    error = error if isinstance(error, str) or any(as_object(error).values()) else None
    failed = bool(error) or failure_of_finish(finish) is not None
    failure = None
    if failed:
        own = payload.get("error")
        described = {"message": as_text(error), "type": finish}
        failure = failure_of(own if is_own(own) else error if isinstance(error, dict) else described)
    kind = EventClass.ERROR if failed else EventClass.TERMINAL
    return Reading(kind, (Delta(finish_reason=finish),), as_figures(usage, _USAGE), failure)
