"""Gemini, as SSE (`alt=sse`) and as the JSON array that comes without it.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent. There is no terminator: an answer is
complete when every candidate seen has a finish reason. Older servers send a finish reason with each chunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading, ToolFragment
from ..core.failure import ERROR_TYPE, Failure, is_own
from ..core.registry import register
from .failures import find_failure
from .finishes import as_finish, failure_of_finish
from .shapes import (
    Room,
    as_arguments,
    as_figures,
    as_label,
    as_list,
    as_object,
    as_said,
    as_timestamp,
    as_whole,
    words_of,
)

if TYPE_CHECKING:
    from .gemini_arguments import PartialArguments

_MAX_TRACKED: Final = 1024
_CANDIDATE_KEYS: Final = frozenset(("content", "finishReason", "safetyRatings"))
# `candidatesTokenCount` does not include thoughts; the total includes both.
_USAGE: Final = {
    "input_tokens": ("promptTokenCount",),
    "output_tokens": ("candidatesTokenCount",),
    "total_tokens": ("totalTokenCount",),
    "cached_tokens": ("cachedContentTokenCount",),
    "thought_tokens": ("thoughtsTokenCount",),
}
# https://cloud.google.com/apis/design/errors
_STATUS_WORDS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "PERMISSION_DENIED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
# Of failures whose status is not known.
_STATUS: Final = {
    "rate-limited": 429,
    "overloaded": 503,
    "authentication": 401,
    "invalid-request": 400,
    "not-found": 404,
    "content-filtered": 400,
    "upstream-failed": 502,
    "shutting-down": 503,
}


@register
class Gemini(Dialect):
    """Generate-content responses: `candidates[].content.parts[]`."""

    name = "gemini"
    endpoints = (":streamGenerateContent", ":generateContent")
    steady = True
    takes_comments = False  # google-genai for Python parses as JSON every line that is neither blank nor `data: `
    exact_marks = ('"functionCall"',)
    keys = words_of(
        "candidates content parts text role finishReason index usageMetadata modelVersion "
        "promptTokenCount candidatesTokenCount totalTokenCount thoughtsTokenCount responseId "
        "safetyRatings functionCall args name thought thoughtSignature error"
    )

    def __init__(self) -> None:
        self._finished: dict[int, bool] = {}  # by candidate
        self._blocked = False
        self._overflowed = False
        self._counted = 0  # candidates so far, each alone in a payload and with the next index; -1: not so
        self._calls = 0
        self._partial: dict[int, PartialArguments] = {}  # the open call of a candidate
        self._room = Room()  # for their arguments

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether the payload has candidates with content, a blocked prompt, or is Google's error object."""
        if not isinstance(payload, dict):
            return False
        candidates = payload.get("candidates")
        if isinstance(candidates, list):
            looks = [as_object(candidate) for candidate in candidates[:8]]
            return any(_is_candidate(candidate) for candidate in looks) or "usageMetadata" in payload
        if "usageMetadata" in payload and ("modelVersion" in payload or "responseId" in payload):
            return True
        if isinstance(as_object(payload.get("promptFeedback")).get("blockReason"), str):
            return True
        return payload.keys() == {"error"} and _is_google_error(payload["error"])

    def read(self, event: str, payload: Any) -> Reading:
        """Read one response."""
        if not isinstance(payload, dict):
            return NOTHING
        kind = EventClass.STRUCTURAL
        deltas = []
        candidates = as_list(payload.get("candidates"))
        if len(candidates) > 1:
            self._counted = -1
        for candidate in candidates:
            if isinstance(candidate, dict):
                delta, moves = self._read_candidate(candidate)
                deltas.append(delta)
                if moves:
                    kind = EventClass.CONTENT
        if block := as_label(as_object(payload.get("promptFeedback")).get("blockReason")):
            self._blocked = True
            deltas.append(Delta(finish_reason=block))
        usage = as_figures(payload.get("usageMetadata"), _USAGE)
        if usage and kind is EventClass.STRUCTURAL:
            kind = EventClass.USAGE
        failure = find_failure(event, payload) if "error" in payload or not deltas else None
        for delta in deltas:
            if delta.finish_reason is not None and failure is None:
                failure = failure_of_finish(delta.finish_reason)
        if failure is not None:
            kind = EventClass.ERROR
        reading = Reading(kind, tuple(deltas), usage, failure)
        reading.id = as_label(payload.get("responseId"))
        reading.model = as_label(payload.get("modelVersion"))
        reading.created = as_timestamp(payload.get("createTime")) if "createTime" in payload else None
        return reading

    def _read_candidate(self, candidate: dict[str, Any]) -> tuple[Delta, bool]:
        index = self._bound(as_whole(candidate.get("index")) or 0)
        texts, thoughts, tools = [], [], []
        moves = says = False
        for part in as_list(as_object(candidate.get("content")).get("parts")):
            if not isinstance(part, dict):
                continue
            moves = True
            text = as_said(part.get("text"))
            # An empty text, which some models send last with a signature, does not revoke the finish.
            says = says or bool(text) or "text" not in part
            if part.get("thought") is True:
                thoughts.append(text)
            else:
                texts.append(text)
            if isinstance(call := part.get("functionCall"), dict):
                tools += self._read_call(index, call)
        finish = as_finish(candidate.get("finishReason"))
        if self._counted >= 0:
            counts = index == self._counted and True not in self._finished.values()
            self._counted = index + 1 if counts else -1
        if finish or says or index not in self._finished:
            self._finished[index] = finish is not None
        return Delta(index, None, "".join(texts), "".join(thoughts), tuple(tools), finish), moves

    def _bound(self, index: int) -> int:
        if len(self._finished) >= _MAX_TRACKED and index not in self._finished:
            self._overflowed = True
            return 0
        return index

    def _read_call(self, candidate: int, call: dict[str, Any]) -> list[ToolFragment]:
        """Read a whole call, or a piece of one whose arguments are streamed path by path."""
        fragments = []
        name = as_label(call.get("name"))
        if name is not None or (call and candidate not in self._partial):
            fragments += self._close_call(candidate)
            self._calls += 1
            fragments.append(ToolFragment(self._calls, as_label(call.get("id")), name))
            from .gemini_arguments import PartialArguments  # imported here, since few streams need it

            self._partial[candidate] = PartialArguments(self._calls, self._room)
        if candidate in self._partial:
            self._partial[candidate].absorb(as_list(call.get("partialArgs")))
            if call.get("willContinue") is not True:
                fragments += self._close_call(candidate, call.get("args"))
        return fragments

    def _close_call(self, candidate: int, given: Any = None) -> list[ToolFragment]:
        call = self._partial.pop(candidate, None)
        if call is None:
            return []
        call.close()
        return [ToolFragment(call.key, arguments=as_arguments(given) or call.spell(), whole=True)]

    def is_complete(self) -> bool:
        """Whether every candidate seen has finished, or the prompt was blocked."""
        # Some servers count the chunks of one answer in the index: then the last one finishes all.
        counted = self._counted > 2 and self._finished[self._counted - 1]
        finished = bool(self._finished) and not self._overflowed and (all(self._finished.values()) or counted)
        return finished or (self._blocked and not self._finished)

    def heartbeat_event(self, payload: Any) -> tuple[str | None, Any] | None:
        """Return a response of this answer without candidates, as upstream's with figures alone are.

        None once a candidate has finished, and where an index counts chunks.
        """
        if True in self._finished.values() or self._counted > 1:
            return None
        known = {key: as_label(as_object(payload).get(key)) for key in ("modelVersion", "responseId")}
        told = {key: value for key, value in known.items() if value is not None}
        return (None, told) if told else None

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return Google's error object; `type` and `reason` mark it as written by this library."""
        code = failure.status_hint or _STATUS.get(failure.code, 500)
        status = _STATUS_WORDS.get(code, "INTERNAL" if code >= 500 else "INVALID_ARGUMENT")
        error = {"code": code, "message": failure.public_message, "status": status}
        return None, {"error": {**error, "type": ERROR_TYPE, "reason": failure.code}}


def _is_candidate(candidate: dict[str, Any]) -> bool:
    return not _CANDIDATE_KEYS.isdisjoint(candidate) and isinstance(candidate.get("content", {}), dict)


def _is_google_error(error: Any) -> bool:
    fields = as_object(error)
    status = fields.get("status")
    named = isinstance(status, str) and status.replace("_", "").isalpha() and status.isupper()
    return named and as_whole(fields.get("code")) is not None and not is_own(error)
