"""Anthropic Messages, and the legacy text completions beside them.

https://docs.anthropic.com/en/docs/build-with-claude/streaming. The official clients dispatch by the `event:` line
alone: without it they ignore an event silently.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading, ToolFragment
from ..core.failure import ERROR_TYPE, Failure, is_own
from ..core.registry import register
from .failures import error_in, failure_in, find_failure
from .finishes import as_finish, failure_of_finish
from .shapes import Room, as_arguments, as_figures, as_label, as_object, as_said, as_whole, words_of

_PING_BYTES: Final = b'event: ping\ndata: {"type": "ping"}\n\n'
_PING: Final = Reading(EventClass.LIVENESS)
_END: Final = Reading(EventClass.TERMINAL)
_PROGRESS: Final = Reading(EventClass.CONTENT)  # signatures, citations: not text, but progress
_MAX_OPEN: Final = 1024

# `input_tokens` does not include cached tokens here.
_USAGE: Final = {
    "input_tokens": ("input_tokens",),
    "output_tokens": ("output_tokens",),
    "cache_read_tokens": ("cache_read_input_tokens",),
    "cache_write_tokens": ("cache_creation_input_tokens",),
}
_METRICS: Final = {  # of Amazon Bedrock, beside the end of the message
    "input_tokens": ("inputTokenCount",),
    "output_tokens": ("outputTokenCount",),
    "cache_read_tokens": ("cacheReadInputTokenCount",),
    "cache_write_tokens": ("cacheWriteInputTokenCount",),
}
_TOOL_KINDS: Final = {"tool_use": "function", "server_tool_use": "hosted", "mcp_tool_use": "hosted"}
_SHAPES: Final = {
    "message_start": ("message", dict),
    "content_block_start": ("content_block", dict),
    "content_block_delta": ("delta", dict),
    "message_delta": ("delta", dict),
    "completion": ("completion", str),
}
# https://docs.anthropic.com/en/api/errors, by status and by code
_ERROR_WORDS: Final[dict[int | str | None, str]] = {
    402: "billing_error",
    403: "permission_error",
    413: "request_too_large",
    504: "timeout_error",
    "rate-limited": "rate_limit_error",
    "overloaded": "overloaded_error",
    "authentication": "authentication_error",
    "invalid-request": "invalid_request_error",
    "not-found": "not_found_error",
}
_NAMES: Final = frozenset((*_SHAPES, "content_block_stop", "message_stop", "ping", "error"))


class _OpenTool:
    """A tool call whose block is open."""

    def __init__(self, key: int, kind: str, given: str) -> None:
        self.key = key
        self.kind = kind
        self.given = given  # arguments sent at the start of the block, valid only if no others follow
        self.has_arguments = False


@register
class Anthropic(Dialect):
    """Messages: named events, ended by `message_stop`."""

    name = "anthropic"
    endpoints = ("/messages", "/complete", ":streamRawPredict")
    steady = True
    exact_marks = ('"input"',)
    keys = words_of(
        "type index delta text content_block message id role content model usage stop_reason "
        "stop_sequence input_tokens output_tokens partial_json thinking signature input name error"
    )

    def __init__(self) -> None:
        self._under_way = False
        self._blocks = 0
        self._tools: dict[int, _OpenTool] = {}  # open tool blocks by index
        self._room = Room()  # for the arguments that they were given
        self._drifts = False  # arguments came under an index that no tool has
        self._open = 0  # blocks that have begun and not stopped
        self._finished = False  # a reason to stop came, and no content after it

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether the payload has a type and a body of this API, or its error object."""
        if not isinstance(payload, dict):
            return False
        type = payload.get("type")
        if type == "error":
            error = as_object(payload.get("error"))
            says = isinstance(error.get("type"), str) and isinstance(error.get("message"), str)
            return says and not is_own(error) and "sequence_number" not in payload
        key, shape = _SHAPES.get(type, ("", dict)) if isinstance(type, str) else ("", dict)
        if not isinstance(payload.get(key), shape):
            return False
        if type in ("message_start", "completion"):
            return type == "message_start" or "log_id" in payload
        return as_whole(payload.get("index")) is not None or "usage" in payload

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event by the type in its payload, since the `event:` line may be missing."""
        if not isinstance(payload, dict):
            return NOTHING
        type = payload.get("type")
        if type == "content_block_delta":
            return self._read_delta(payload)
        if type == "content_block_start":
            return self._read_block(payload)
        if type == "content_block_stop":
            return self._close_block(payload)
        if type == "message_start":
            return self._read_start(as_object(payload.get("message")))
        if type == "message_delta":
            return self._read_message_delta(payload)
        if type == "message_stop":
            self._under_way = False
            return _failure_beside(payload) or _read_stop(payload)
        if type == "ping":
            return _PING
        if type == "completion":
            return self._read_completion(payload)
        failure = find_failure(event, payload)
        return NOTHING if failure is None else Reading(EventClass.ERROR, failure=failure)

    def _read_start(self, message: dict[str, Any]) -> Reading:
        self._under_way = True
        self._open, self._finished = 0, False
        self._tools.clear()
        self._room = Room()
        return Reading(
            EventClass.STRUCTURAL,
            (Delta(role=as_label(message.get("role"))),),
            as_figures(message.get("usage"), _USAGE),
            id=as_label(message.get("id")),
            model=as_label(message.get("model")),
            begins=True,
        )

    def _read_block(self, payload: dict[str, Any]) -> Reading:
        self._open += 1
        self._finished = False
        block = as_object(payload.get("content_block"))
        type = block.get("type")
        kind = _TOOL_KINDS.get(type) if isinstance(type, str) else None
        if kind is not None:
            return self._open_tool(as_whole(payload.get("index")) or 0, block, kind)
        text, thinking = as_said(block.get("text")), as_said(block.get("thinking"))
        if text or thinking:
            return Reading(EventClass.CONTENT, (Delta(text=text, reasoning=thinking),))
        return NOTHING

    def _open_tool(self, index: int, block: dict[str, Any], kind: str) -> Reading:
        self._blocks += 1
        if self._drifts:  # then the end of a block may not be known for one
            for place in [place for place, tool in self._tools.items() if tool.has_arguments]:
                self._forget_tool(place)
        fragment = ToolFragment(self._blocks, as_label(block.get("id")), as_label(block.get("name")), kind=kind)
        given = as_arguments(block["input"]) if block.get("input") else ""
        if len(self._tools) < _MAX_OPEN and self._room.take(len(given)):
            self._forget_tool(index)
            self._tools[index] = _OpenTool(self._blocks, kind, given)
        return Reading(EventClass.CONTENT, (Delta(tools=(fragment,)),))

    def _read_delta(self, payload: dict[str, Any]) -> Reading:
        self._finished = False
        delta = as_object(payload.get("delta"))
        text = delta.get("text")
        if text.__class__ is not str:
            text = as_said(text)
        if text:
            return Reading(EventClass.CONTENT, (Delta(0, None, text),))
        if thinking := as_said(delta.get("thinking")):
            return Reading(EventClass.CONTENT, (Delta(reasoning=thinking),))
        partial = delta.get("partial_json")
        if not partial or not isinstance(partial, str):
            return _PROGRESS
        index = as_whole(payload.get("index")) or 0
        tool = self._tools.get(index)
        if tool is None:
            return self._read_stray(index, partial)
        tool.has_arguments = True
        fragment = ToolFragment(tool.key, arguments=partial, kind=tool.kind)
        return Reading(EventClass.CONTENT, (Delta(tools=(fragment,)),))

    def _read_stray(self, index: int, partial: str) -> Reading:
        """Read arguments under an index that no tool has: of the one that is open, or of nobody knows which."""
        if not self._tools:
            return _PROGRESS
        self._drifts = True
        tools = list(self._tools.values())
        for tool in tools:
            tool.has_arguments = True
        key: Hashable = tools[0].key if len(tools) == 1 else ("stray", index)
        return Reading(EventClass.CONTENT, (Delta(tools=(ToolFragment(key, arguments=partial, kind=tools[0].kind),)),))

    def _close_block(self, payload: dict[str, Any]) -> Reading:
        self._open = max(0, self._open - 1)
        tool = self._forget_tool(as_whole(payload.get("index")) or 0)
        if tool is None or tool.has_arguments:
            return NOTHING
        # For a call without arguments no delta is sent; its input is an empty object.
        fragment = ToolFragment(tool.key, arguments=tool.given or "{}", whole=True, kind=tool.kind)
        return Reading(EventClass.CONTENT, (Delta(tools=(fragment,)),))

    def _forget_tool(self, index: int) -> _OpenTool | None:
        tool = self._tools.pop(index, None)
        if tool is not None:
            self._room.give_back(len(tool.given))
        return tool

    def _read_message_delta(self, payload: dict[str, Any]) -> Reading:
        reason = as_finish(as_object(payload.get("delta")).get("stop_reason"))
        deltas = (Delta(finish_reason=reason),) if reason else ()
        self._finished = self._finished or bool(reason)
        failure = failure_of_finish(reason)
        if failure is None and (told := _failure_beside(payload)) is not None:
            failure = told.failure
        kind = EventClass.USAGE if failure is None else EventClass.ERROR
        return Reading(kind, deltas, as_figures(payload.get("usage"), _USAGE), failure)

    def _read_completion(self, payload: dict[str, Any]) -> Reading:
        text, reason = as_said(payload.get("completion")), as_finish(payload.get("stop_reason"))
        failure = failure_of_finish(reason)
        kind = EventClass.ERROR if failure else EventClass.TERMINAL if reason else EventClass.CONTENT
        id, model = as_label(payload.get("id")), as_label(payload.get("model"))
        return Reading(kind, (Delta(text=text, finish_reason=reason),), failure=failure, id=id, model=model)

    def is_complete(self) -> bool:
        """Whether a reason to stop came, and every block has stopped: some gateways leave out `message_stop`."""
        return self._finished and not self._open

    def event_name(self, payload: Any) -> str | None:
        """Return the payload's type if it is one of this API's: the clients dispatch by the event name alone."""
        type = as_object(payload).get("type")
        return type if isinstance(type, str) and type in _NAMES else None

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return the API's own error event, with its words for `type`, by which clients choose what they raise.

        `origin` marks it as written by this library; `message` stands on top, too, where one client reads it.
        """
        words = _ERROR_WORDS.get(failure.status_hint) or _ERROR_WORDS.get(failure.code, "api_error")
        message = failure.public_message
        error = {"type": words, "message": message, "code": failure.code, "origin": ERROR_TYPE}
        return "error", {"type": "error", "message": message, "error": error}

    def heartbeat(self) -> bytes | None:
        """Return the API's own ping while a message is streamed, else None."""
        return _PING_BYTES if self._under_way else None


def _read_stop(payload: dict[str, Any]) -> Reading:
    """Read the end of a message, which some gateways send with the usage."""
    usage = as_figures(payload.get("usage"), _USAGE)
    usage = usage or as_figures(payload.get("amazon-bedrock-invocationMetrics"), _METRICS)
    return _END if usage is None else Reading(EventClass.TERMINAL, usage=usage)


def _failure_beside(payload: dict[str, Any]) -> Reading | None:
    """Return the error that an event of another type holds, if it does."""
    return Reading(EventClass.ERROR, failure=failure_in(payload)) if error_in(payload) is not None else None
