"""OpenAI Responses.

https://platform.openai.com/docs/api-reference/responses-streaming. Text is read from deltas, not from the items that
repeat it whole. The arguments of tool calls are read from items too, since one server sends no deltas.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading, ToolFragment, register
from ..core.failure import Failure
from .failures import failure_of, is_own
from .shapes import as_arguments, as_figures, as_label, as_object, as_text, as_timestamp, as_whole

_PING: Final = Reading(EventClass.LIVENESS)
_PROGRESS: Final = Reading(EventClass.CONTENT)
_PREFIX: Final = "response."
_PINGS: Final = frozenset(("keepalive", "ping"))
_BODIES: Final[dict[str, type | tuple[type, ...]]] = {
    "response": dict,
    "item": dict,
    "part": dict,
    "item_id": str,
    "delta": str,
    "output_index": (int, float),
}
_USAGE: Final = {
    "input_tokens": ("input_tokens",),
    "output_tokens": ("output_tokens",),
    "total_tokens": ("total_tokens",),
    "cached_tokens": ("input_tokens_details", "cached_tokens"),
    "reasoning_tokens": ("output_tokens_details", "reasoning_tokens"),
}
_REASONING: Final = frozenset(("reasoning_summary_text.delta", "reasoning_text.delta", "reasoning.delta"))
_ARGUMENTS: Final = {
    "function_call_arguments.delta": ("function", "delta", False),
    "function_call_arguments.done": ("function", "arguments", True),
    "custom_tool_call_input.delta": ("custom", "delta", False),
    "custom_tool_call_input.done": ("custom", "input", True),
}
_ITEMS: Final = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
_ENDS: Final = frozenset(("completed", "incomplete"))
_FAILURES: Final = frozenset(("failed", "cancelled"))


@register
class OpenAIResponses(Dialect):
    """Responses: typed events, ended by `response.completed` or `response.incomplete`."""

    name = "openai-responses"
    sentinel = "[DONE]"  # gateways add it
    sentinel_completes = False
    steady = True
    varying: ClassVar[tuple[str, ...]] = ("sequence_number", "obfuscation", "item_id")
    # a counter; padding; the id of the item, which one gateway changes with every delta

    def __init__(self) -> None:
        self._sequence = -1

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether the type begins with `response.` and the body is this API's, or it is a numbered error."""
        if not isinstance(payload, dict) or not isinstance(payload.get("type"), str):
            return False
        if payload["type"] == "error":
            error = payload.get("error")
            is_theirs = "sequence_number" in payload and not is_own(error)
            return is_theirs and (isinstance(error, dict) or isinstance(payload.get("message"), str))
        is_named = payload["type"].startswith(_PREFIX)
        return is_named and any(isinstance(payload.get(key), kind) for key, kind in _BODIES.items())

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event by the payload's type."""
        if not isinstance(payload, dict):
            return NOTHING
        type = payload.get("type")
        if not isinstance(type, str):
            type = event
        self._sequence = as_whole(payload.get("sequence_number")) or self._sequence
        if not type.startswith(_PREFIX):
            return self._read_foreign(type, event, payload)
        what = type[len(_PREFIX) :]
        if what == "output_text.delta":
            return Reading(EventClass.CONTENT, (Delta(0, None, as_text(payload.get("delta"))),))
        if what == "refusal.delta":
            return Reading(EventClass.CONTENT, (Delta(refusal=as_text(payload.get("delta"))),))
        if what in _REASONING:
            return Reading(EventClass.CONTENT, (Delta(reasoning=as_text(payload.get("delta"))),))
        if what in _ARGUMENTS:
            return self._read_arguments(payload, *_ARGUMENTS[what])
        if what in ("output_item.added", "output_item.done"):
            return self._read_item(payload, done=what.endswith("done"))
        if what in ("created", "in_progress", "queued"):
            return self._read_start(as_object(payload.get("response")), begins=what == "created")
        if what in _ENDS or what in _FAILURES:
            return self._read_end(what, as_object(payload.get("response")))
        return _PROGRESS if what.endswith((".delta", ".partial_image", ".done")) else NOTHING

    def _read_foreign(self, type: str, event: str, payload: dict[str, Any]) -> Reading:
        if type in _PINGS:
            return _PING
        error = payload.get("error")
        if type == "error" or event == "error" or (isinstance(error, (dict, str)) and error):
            failure = failure_of(error if isinstance(error, (dict, str)) and error else {**payload, "type": None})
            return Reading(EventClass.ERROR, failure=failure)
        return NOTHING

    def _key(self, payload: dict[str, Any]) -> Hashable:
        # Some servers send another item id in each event, others an empty one.
        index = as_whole(payload.get("output_index"))
        return index if index is not None else hash(as_label(payload.get("item_id")))  # an id itself may be long

    def _read_arguments(self, payload: dict[str, Any], kind: str, field: str, whole: bool) -> Reading:
        arguments = as_text(payload.get(field))
        if whole and not arguments:
            return _PROGRESS
        fragment = ToolFragment(self._key(payload), arguments=arguments, whole=whole, kind=kind)
        return Reading(EventClass.CONTENT, (Delta(tools=(fragment,)),))

    def _read_item(self, payload: dict[str, Any], *, done: bool) -> Reading:
        item = as_object(payload.get("item"))
        type = item.get("type")
        if not isinstance(type, str) or type not in _ITEMS:
            return NOTHING
        kind, field = _ITEMS[type]
        fragment = ToolFragment(
            self._key(payload),
            as_label(item.get("call_id")) or as_label(item.get("id")),
            as_label(item.get("name")),
            as_arguments(item.get(field)) if done else "",
            whole=done,
            kind=kind,
        )
        return Reading(EventClass.CONTENT, (Delta(tools=(fragment,)),))

    def _read_start(self, response: dict[str, Any], *, begins: bool) -> Reading:
        return Reading(
            EventClass.STRUCTURAL,
            id=as_label(response.get("id")),
            model=as_label(response.get("model")),
            created=as_timestamp(response.get("created_at")),
            begins=begins,
        )

    def _read_end(self, what: str, response: dict[str, Any]) -> Reading:
        status = as_label(response.get("status")) or what
        reason = as_label(as_object(response.get("incomplete_details")).get("reason"))
        return Reading(
            EventClass.TERMINAL if what in _ENDS else EventClass.ERROR,
            (Delta(finish_reason=f"{status}:{reason}" if reason else status),),
            as_figures(response.get("usage"), _USAGE),
            failure_of(response.get("error") or {"type": what}) if what in _FAILURES else None,
            as_label(response.get("id")),
            as_label(response.get("model")),
            as_timestamp(response.get("created_at")),
        )

    def event_name(self, payload: Any) -> str | None:
        """Return the payload's type if it is one of this API's."""
        type = as_object(payload).get("type")
        is_theirs = isinstance(type, str) and len(type) < 100 and (type.startswith(_PREFIX) or type == "error")
        return type if is_theirs else None

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return the API's own error event, which is flat, with an `error` on which the official client raises."""
        flat = {"code": failure.code, "message": failure.public_message, "param": None}
        return "error", {"type": "error", "sequence_number": self._sequence + 1, **flat, **failure.as_error()}
