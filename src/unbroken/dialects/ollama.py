"""Ollama's own API, chat and generate: NDJSON, ended by `"done": true`.

https://github.com/ollama/ollama/blob/main/docs/api.md. An error in the middle is a last line `{"error": "..."}`.
"""

from __future__ import annotations

from typing import Any, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading, ToolFragment
from ..core.failure import ERROR_TYPE, Failure
from ..core.registry import register
from .failures import find_failure
from .finishes import as_finish, failure_of_finish
from .shapes import as_arguments, as_figures, as_label, as_list, as_object, as_said, as_timestamp, words_of

_USAGE: Final = {"input_tokens": ("prompt_eval_count",), "output_tokens": ("eval_count",)}
_MESSAGE_KEYS: Final = frozenset(("role", "content", "thinking", "tool_calls"))


@register
class Ollama(Dialect):
    """Lines with a model, `done`, and a message or a response."""

    name = "ollama"
    lines = True
    endpoints = ("/api/chat", "/api/generate")
    steady = True
    varying = ("created_at",)  # read from the first line only
    exact_marks = ('"tool_calls"',)
    keys = words_of(
        "model created_at message role content thinking done done_reason response tool_calls function "
        "name arguments prompt_eval_count eval_count total_duration load_duration "
        "prompt_eval_duration eval_duration context error"
    )

    def __init__(self) -> None:
        self._calls = 0
        self._begun = False

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether the payload has a model, a boolean `done`, and a message or a response; or is an error of ours."""
        if not isinstance(payload, dict):
            return False
        if isinstance(payload.get("error"), str):
            return payload.get("type") == ERROR_TYPE
        if not isinstance(payload.get("model"), str) or not isinstance(payload.get("done"), bool):
            return False
        message = payload.get("message")
        says = isinstance(message, dict) and not _MESSAGE_KEYS.isdisjoint(message)
        return says or isinstance(payload.get("response"), str)

    def read(self, event: str, payload: Any) -> Reading:
        """Read one line."""
        if not isinstance(payload, dict):
            return NOTHING
        if "done" not in payload or payload.get("error"):
            failure = find_failure(event, payload)
            if failure is not None:
                return Reading(EventClass.ERROR, failure=failure)
        message = as_object(payload.get("message"))
        text = as_said(message.get("content")) or as_said(payload.get("response"))
        thinking = as_said(message.get("thinking")) or as_said(payload.get("thinking"))
        tools = tuple([self._read_tool(as_object(call)) for call in as_list(message.get("tool_calls"))])
        done = payload.get("done") is True
        reason = as_finish(payload.get("done_reason")) if done else None
        failure = failure_of_finish(reason)
        kind = EventClass.CONTENT if text or thinking or tools else EventClass.STRUCTURAL
        delta = Delta(0, as_label(message.get("role")), text, thinking, tools, reason)
        if done:
            kind = EventClass.ERROR if failure else EventClass.TERMINAL
        reading = Reading(kind, (delta,), failure=failure)
        if done:
            reading.usage = as_figures(payload, _USAGE)
        if not self._begun:
            self._begun = True
            reading.created = as_timestamp(payload.get("created_at"))
            reading.model = as_label(payload.get("model"))
        return reading

    def _read_tool(self, call: dict[str, Any]) -> ToolFragment:
        self._calls += 1
        function = as_object(call.get("function"))
        arguments = as_arguments(function.get("arguments"))
        return ToolFragment(self._calls, as_label(call.get("id")), as_label(function.get("name")), arguments, True)

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return an error as the API writes it, the message alone; `type` marks it as written by this library."""
        return None, failure.as_line()
