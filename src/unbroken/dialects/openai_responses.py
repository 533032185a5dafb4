"""OpenAI Responses.

https://platform.openai.com/docs/api-reference/responses-streaming. What comes in deltas is repeated whole in `.done`
events, in items and in the response at the end: they settle it, since some servers send no deltas, or not all of them.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any, ClassVar, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Part, Reading, ToolFragment
from ..core.failure import ERROR_TYPE, Failure, is_ours, is_own
from ..core.registry import register
from .failures import error_in, failure_in, failure_of, find_failure
from .finishes import as_finish, failure_of_finish
from .parts import Parts
from .response_calls import ResponseCalls, ResponseItems, place_of
from .shapes import (
    as_arguments,
    as_figures,
    as_label,
    as_list,
    as_object,
    as_said,
    as_text,
    as_timestamp,
    as_whole,
    words_of,
)

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
# Events of pieces: the field, the letter under which the part is known, and the key of its number within the item.
_PIECES: Final = {
    "output_text.delta": ("text", "t", "content_index"),
    "refusal.delta": ("refusal", "t", "content_index"),
    "reasoning_summary_text.delta": ("reasoning", "s", "summary_index"),
    "reasoning_text.delta": ("reasoning", "r", "content_index"),
    "reasoning.delta": ("reasoning", "r", "content_index"),
}
# Events that repeat a part whole, and the key under which it stands.
_WHOLES: Final = {
    "output_text.done": (*_PIECES["output_text.delta"], "text"),
    "refusal.done": (*_PIECES["refusal.delta"], "refusal"),
    "reasoning_summary_text.done": (*_PIECES["reasoning_summary_text.delta"], "text"),
    "reasoning_text.done": (*_PIECES["reasoning_text.delta"], "text"),
    "reasoning.done": (*_PIECES["reasoning.delta"], "text"),
}
_KINDS: Final = {"output_text": ("text", "text"), "text": ("text", "text"), "refusal": ("refusal", "refusal")}
_MAX_LISTED: Final = 256
_ARGUMENTS: Final = {
    "function_call_arguments.delta": ("function", "delta", False),
    "function_call_arguments.done": ("function", "arguments", True),
    "custom_tool_call_input.delta": ("custom", "delta", False),
    "custom_tool_call_input.done": ("custom", "input", True),
}
_ITEMS: Final = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
_IN_PROGRESS: Final = "response.in_progress"
_STARTS: Final = ("response.created", _IN_PROGRESS, "response.queued")
_ENDS: Final = frozenset(("completed", "incomplete", "done"))  # `response.done` is what some gateways write
_FAILURES: Final = frozenset(("failed", "cancelled"))


@register
class OpenAIResponses(Dialect):
    """Responses: typed events, ended by `response.completed` or `response.incomplete`."""

    name = "openai-responses"
    sentinel = "[DONE]"  # gateways add it
    sentinel_completes = False
    endpoints: ClassVar[tuple[str, ...]] = ("/responses",)
    steady = True
    varying: ClassVar[tuple[str, ...]] = ("sequence_number", "obfuscation", "item_id")
    # a counter; padding; the id of the item, which one gateway changes with every delta
    keys = words_of(
        "type sequence_number response item item_id output_index content_index summary_index delta "
        "text part id object status output content created_at model usage arguments name call_id role "
        "annotations logprobs obfuscation input_tokens output_tokens total_tokens error"
    )

    def __init__(self) -> None:
        self._sequence = -1
        self._parts = Parts()
        self._calls = ResponseCalls()
        self._items = ResponseItems()
        self._place: tuple[str, Any, Any] | None = None  # of the last piece of text

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
        if (number := as_whole(payload.get("sequence_number"))) is not None:
            self._sequence = number
        if not type.startswith(_PREFIX):
            return self._read_foreign(type, event, payload)
        what = type[len(_PREFIX) :]
        if what in _PIECES:
            return self._read_piece(payload, *_PIECES[what])
        if what in _ARGUMENTS:
            return self._read_arguments(payload, *_ARGUMENTS[what])
        if what in ("output_item.added", "output_item.done"):
            return self._read_item(payload, done=what.endswith("done"))
        if what in ("created", "in_progress", "queued"):
            return self._read_start(as_object(payload.get("response")), begins=what == "created")
        if what in _ENDS or what in _FAILURES:
            return self._read_end(what, as_object(payload.get("response")))
        if what in _WHOLES:
            return self._read_whole(payload, *_WHOLES[what])
        if what in ("content_part.done", "reasoning_summary_part.done"):
            return self._read_part(payload, "summary" in what)
        return _PROGRESS if what.endswith((".delta", ".partial_image", ".done")) else NOTHING

    def _read_foreign(self, type: str, event: str, payload: dict[str, Any]) -> Reading:
        if type in _PINGS:
            return _PING
        failure = find_failure("error" if type == "error" else event, payload)
        return NOTHING if failure is None else Reading(EventClass.ERROR, failure=failure)

    def _read_piece(self, payload: dict[str, Any], field: str, letter: str, number: str) -> Reading:
        said = payload.get("delta")
        if said.__class__ is not str:
            said = as_said(said)
        if field == "text":
            delta = Delta(0, None, said)
        else:
            delta = Delta(reasoning=said) if field == "reasoning" else Delta(refusal=said)
        place = letter, payload.get("output_index"), payload.get(number)
        if place == self._place:
            return Reading(EventClass.CONTENT, (delta,))
        index, at = as_whole(place[1]), as_whole(place[2])
        self._items.begin(place_of(payload))
        parts = self._parts.begin(field, (letter, index, at, field))
        # Lists as numbers would be compared, and kept, with each piece.
        self._place = (letter, index, at) if place == (letter, index, at) else None
        # Whoever looks for frames that differ in their text alone takes no reading with a second delta for one.
        return Reading(EventClass.CONTENT, (Delta(parts=parts), delta) if parts else (delta,))

    def _read_whole(self, payload: dict[str, Any], field: str, letter: str, number: str, key: str) -> Reading:
        place = letter, as_whole(payload.get("output_index")), as_whole(payload.get(number))
        return self._settle(self._parts.whole(field, (*place, field), as_said(payload.get(key))))

    def _settle(self, parts: tuple[Part, ...]) -> Reading:
        if not parts:
            return _PROGRESS
        self._place = None
        return Reading(EventClass.CONTENT, (Delta(parts=parts),))

    def _read_part(self, payload: dict[str, Any], is_summary: bool) -> Reading:
        part = as_object(payload.get("part"))
        if is_summary:
            return self._read_whole({**payload, **part}, *_WHOLES["reasoning_summary_text.done"])
        field, key = _KINDS.get(as_label(part.get("type")) or "", ("", ""))
        return self._read_whole({**payload, **part}, field, "t", "content_index", key) if field else _PROGRESS

    def _parts_of_item(self, index: int | None, item: dict[str, Any]) -> tuple[Part, ...]:
        """Return the parts of a whole message or of whole reasoning."""
        parts: list[Part] = []
        if item.get("type") == "message":
            for at, part in enumerate(map(as_object, as_list(item.get("content"))[:_MAX_LISTED])):
                field, key = _KINDS.get(as_label(part.get("type")) or "", ("", ""))
                if field:
                    parts += self._parts.whole(field, ("t", index, at, field), as_said(part.get(key)))
        elif item.get("type") == "reasoning":
            # Some servers stream it as content and repeat it as a summary.
            streamed = [letter for letter in "sr" if self._parts.has((letter, index))]
            for letter, key in (("s", "summary"), ("r", "content")):
                if not streamed or letter in streamed:
                    for at, part in enumerate(map(as_object, as_list(item.get(key))[:_MAX_LISTED])):
                        text = as_said(part.get("text"))
                        parts += self._parts.whole("reasoning", (letter, index, at, "reasoning"), text)
        return tuple(parts)

    def _read_arguments(self, payload: dict[str, Any], kind: str, field: str, whole: bool) -> Reading:
        if not whole:
            self._items.begin(place_of(payload))
        arguments = as_text(payload.get(field))
        key = self._calls.piece(payload, done=whole)
        if whole and not arguments:
            return _PROGRESS
        fragment = ToolFragment(key, arguments=arguments, whole=whole, kind=kind)
        return Reading(EventClass.CONTENT, (Delta(tools=(fragment,)),))

    def _read_item(self, payload: dict[str, Any], *, done: bool) -> Reading:
        item = as_object(payload.get("item"))
        if done:
            self._items.end(place_of(payload), item)
        else:
            self._items.begin(place_of(payload))
        delta = self._delta_of_item(payload, item, done=done)
        return NOTHING if delta is None else Reading(EventClass.CONTENT, (delta,))

    def _delta_of_item(self, payload: dict[str, Any], item: dict[str, Any], *, done: bool) -> Delta | None:
        type = item.get("type")
        if not isinstance(type, str) or type not in _ITEMS:
            parts = self._parts_of_item(as_whole(payload.get("output_index")), item) if done else ()
            self._place = None if parts else self._place
            return Delta(parts=parts) if parts else None
        kind, field = _ITEMS[type]
        fragment = ToolFragment(
            self._calls.item(payload, item, done=done),
            as_label(item.get("call_id")) or as_label(item.get("id")),
            as_label(item.get("name")),
            as_arguments(item.get(field)) if done else "",
            whole=done,
            kind=kind,
        )
        return Delta(tools=(fragment,))

    def _read_output(self, response: dict[str, Any]) -> list[Delta]:
        """Return what the response at the end holds, where nothing of it came before, or not all of it."""
        items = [as_object(item) for item in as_list(response.get("output"))[:_MAX_LISTED]]
        told = [(at, item) for at, item in enumerate(items) if self._is_settled_by(at, item)]
        deltas = [self._delta_of_item({"output_index": at}, item, done=True) for at, item in told]
        return [delta for delta in deltas if delta is not None]

    def _is_settled_by(self, at: int, item: dict[str, Any]) -> bool:
        """Return whether an item of the response can be told from those that came, or none came: numbers may drift."""
        if not (self._parts or self._calls):
            return True
        type = item.get("type")
        if type == "message":
            return self._parts.has(("t", at)) or not self._parts.has_any("t")
        is_call = isinstance(type, str) and type in _ITEMS
        return is_call and (not self._calls or as_label(item.get("call_id")) is not None)

    def _read_start(self, response: dict[str, Any], *, begins: bool) -> Reading:
        if begins:
            self._items = ResponseItems()
        return Reading(
            EventClass.STRUCTURAL,
            id=as_label(response.get("id")),
            model=as_label(response.get("model")),
            created=as_timestamp(response.get("created_at")),
            begins=begins,
        )

    def _read_end(self, what: str, response: dict[str, Any]) -> Reading:
        status = as_finish(response.get("status")) or ("completed" if what == "done" else what)
        reason = as_label(as_object(response.get("incomplete_details")).get("reason"))
        failure = None
        if error_in(response) is not None:
            failure = failure_in({"error": response["error"]})
        elif what in _FAILURES:
            failure = failure_of({"type": what})
        else:
            failure = failure_of_finish(status)
        return Reading(
            EventClass.TERMINAL if failure is None else EventClass.ERROR,
            (*self._read_output(response), Delta(finish_reason=f"{status}:{reason}" if reason else status)),
            as_figures(response.get("usage"), _USAGE),
            failure,
            as_label(response.get("id")),
            as_label(response.get("model")),
            as_timestamp(response.get("created_at")),
        )

    def is_complete(self) -> bool:
        """Whether every item that began is completed, where the response itself was not told to be."""
        return self._items.are_whole()

    def event_name(self, payload: Any) -> str | None:
        """Return the payload's type if it is one of this API's."""
        type = as_object(payload).get("type")
        is_theirs = isinstance(type, str) and len(type) < 100 and (type.startswith(_PREFIX) or type == "error")
        return type if is_theirs else None

    def heartbeat_event(self, payload: Any) -> tuple[str | None, Any] | None:
        """Return `response.in_progress` with the stream's own response, under the number of the last event.

        The next number is upstream's: whoever goes on behind the last number that it saw loses nothing.
        """
        body = as_object(payload)
        type, response = body.get("type"), body.get("response")
        if type not in _STARTS or not isinstance(response, dict):
            return None
        number = {"sequence_number": self._sequence} if "sequence_number" in body else {}
        return _IN_PROGRESS, {"type": _IN_PROGRESS, **number, "response": response}

    def missing_error(self, payload: Any) -> Any | None:
        """Return what the API's flat error says, as an object: the official clients raise at nothing else."""
        fields = as_object(payload)
        if fields.get("type") != "error" or "error" in fields or not isinstance(fields.get("message"), str):
            return None
        code = fields.get("code")
        told = {"type": code if isinstance(code, str) and code else "error", "code": code}
        return {**told, "message": fields["message"], "param": fields.get("param")}

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return the API's own error event, which is flat, with an `error` on which the official client raises."""
        flat = {"code": failure.code, "message": failure.public_message, "param": None}
        return "error", {"type": "error", "sequence_number": self._sequence + 1, **flat, **failure.as_error()}


# https://github.com/openai/codex: its reader ends at `response.completed` or `response.failed` alone, takes any other
# end for a lost connection, and asks again; by the code of `response.failed` it tells what is worth that.
_CODES_OF_CODEX: Final = {
    "rate-limited": "rate_limit_exceeded",
    "overloaded": "server_is_overloaded",
    "invalid-request": "invalid_prompt",
}
_DELAY: Final = " Please try again in {}s."
"""The form that it reads a delay from."""


@register
class Codex(OpenAIResponses):
    """Responses for Codex CLI. Used only if the caller names it: other clients raise at an `error` event."""

    name = "codex"
    endpoints: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self._response: dict[str, Any] = {"id": "resp_0", "object": "response", "created_at": 0, "model": ""}

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether a payload can only be of this dialect: never, it is a matter of who reads it."""
        return False

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event, and keep what tells its response from others.

        A failure that an earlier proxy spelt for Codex is spelt again as it was: by the same number and delay.
        """
        sequence = self._sequence
        reading = super().read(event, payload)
        if reading.failure is not None and is_ours(payload):
            self._sequence = sequence
            message = as_text(as_object(as_object(payload.get("response")).get("error")).get("message"))
            if found := re.search(_DELAY.format(r"(\d{1,9})") + "$", message):
                reading = replace(reading, failure=replace(reading.failure, retry_after=float(found[1])))
        told = {"id": reading.id, "model": reading.model, "created_at": reading.created}
        self._response.update({key: value for key, value in told.items() if value is not None})
        return reading

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return `response.failed` with the stream's own response, and beside it the `error` at which others raise.

        `reason` is our code, `origin` our mark.
        """
        error: dict[str, Any] = {
            "code": _CODES_OF_CODEX.get(failure.code, "server_error"),
            "message": failure.public_message,
        }
        if failure.retry_after is not None and failure.code == "rate-limited":
            error["message"] += _DELAY.format(math.ceil(failure.retry_after))
        error |= {"reason": failure.code, "origin": ERROR_TYPE}
        response = {**self._response, "status": "failed", "error": error, "output": []}
        type = "response.failed"
        numbered = {"type": type, "sequence_number": self._sequence + 1, "response": response}
        return type, {**numbered, **failure.as_error()}
