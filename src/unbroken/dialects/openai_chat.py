"""OpenAI chat completions, as dozens of servers send them, and legacy completions.

https://platform.openai.com/docs/api-reference/chat-streaming. Many healthy servers never send `[DONE]`: then the answer
is complete when every choice has a finish reason and no content came after it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any, ClassVar, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading, ToolFragment, register
from ..core.failure import Failure
from .failures import failure_of, is_own
from .shapes import as_arguments, as_figures, as_label, as_list, as_object, as_text, as_timestamp, as_whole

PING: Final = Reading(EventClass.LIVENESS)
_CONTENT: Final = EventClass.CONTENT  # a look-up in an enumeration costs 0.1 µs
MAX_TRACKED: Final = 1024
"""The most choices, and the most tool calls, that are tracked. With more choices only a terminator completes."""

_USAGE: Final = {
    "input_tokens": ("prompt_tokens",),
    "output_tokens": ("completion_tokens",),
    "total_tokens": ("total_tokens",),
    "cached_tokens": ("prompt_tokens_details", "cached_tokens"),
    "reasoning_tokens": ("completion_tokens_details", "reasoning_tokens"),
}
_OBJECTS: Final = ("chat.completion.chunk", "chat.completion")
_DELTA_KEYS: Final = frozenset(("content", "role", "tool_calls", "reasoning_content", "reasoning", "function_call"))
_PINGS: Final = frozenset(("ping", "keepalive", "keep-alive", "heartbeat"))
_ALONE: Final = frozenset(("error", "user_id"))
_BESIDE_AN_ERROR: Final = _ALONE | {"id", "object", "created", "model", "provider"}  # in a chunk that is named so
_ERROR_KEYS: Final = frozenset(("message", "type", "code", "param", "status", "metadata"))
_FLAT_ERROR_KEYS: Final = frozenset(("object", "message", "type", "param", "code"))
_FASTCHAT_ERROR_KEYS: Final = frozenset(("text", "error_code"))


@register
class OpenAIChat(Dialect):
    """Chat completions: `choices[].delta`, ended by `[DONE]` or by a finish on every choice."""

    name = "openai-chat"
    steady = True
    varying: ClassVar[tuple[str, ...]] = ("obfuscation", "p", "created", "token_id")
    # padding; the time, which some servers update; the token's number
    sentinel = "[DONE]"

    def __init__(self) -> None:
        self._finished: dict[int, bool] = {}  # by choice
        self._overflowed = False
        self._calls: dict[
            tuple[int, int], tuple[int | None, int]
        ] = {}  # by choice and index: hash of the id, number of calls before
        self._last_call: Hashable = None
        self._id: str | None = None  # of the current answer
        self._fresh = True  # no content of it has come yet
        self._keeps_id = False  # its content had the same id as its beginning

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether it is a chunk by its `object` or a delta, Azure's first chunk, or an error alone."""
        if not isinstance(payload, dict):
            return False
        choices = payload.get("choices")
        if not isinstance(choices, list):
            return event == "message" and (_is_bare_error(payload) or _is_flat_error(payload))
        if payload.get("object") in _OBJECTS or "prompt_filter_results" in payload:
            return True
        return any(_DELTA_KEYS.intersection(as_object(as_object(choice).get("delta"))) for choice in choices[:8])

    def read(self, event: str, payload: Any) -> Reading:
        """Read one chunk."""
        if not isinstance(payload, dict):
            return PING if payload is None else NOTHING
        choices, groq = payload.get("choices"), payload.get("x_groq")
        failed = payload.get("error") or (groq and as_object(groq).get("error"))
        if failed or event != "message" or not isinstance(choices, list):
            return self._read_unusual(event, payload)
        if groq or payload.get("usage"):
            return self._read_chunk(payload, _usage_of(payload))
        if len(choices) == 1 and (text := self._plain_text(choices[0])):
            return Reading(_CONTENT, (Delta(0, None, text),))
        return self._read_chunk(payload, None)

    def _plain_text(self, choice: Any) -> str | None:
        """Return the text of a choice without anything else, the most common one: 0.9 instead of 2.3 µs; else None."""
        if (
            type(choice) is not dict
            or self._finished.get(0, True)
            or self._fresh
            or choice.get("finish_reason")
            or choice.get("index")
        ):
            return None
        delta = choice.get("delta")
        text = delta.get("content") if type(delta) is dict and len(delta) == 1 else None
        return text if type(text) is str else None

    def _read_chunk(self, payload: dict[str, Any], usage: dict[str, int] | None) -> Reading:
        kind = EventClass.USAGE if usage else EventClass.STRUCTURAL
        # Old versions of one server, which returns one choice only, put the number of the token into `index`.
        counts_tokens = payload.get("object") == "text_completion"
        deltas = []
        failure = None
        begins = False
        for choice in as_list(payload.get("choices")):
            if isinstance(choice, dict):
                delta, moves = self._read_choice(choice, counts_tokens)
                deltas.append(delta)
                if not delta.choice and (self._fresh or delta.role):
                    begins |= self._begins(as_label(payload.get("id")) or "", delta)
                if moves:
                    kind = _CONTENT
                if delta.finish_reason == "error":
                    failure = failure_of(choice.get("error") or {"type": "error"})
        # `id`, `model` and `created` are not read: only conversions from another dialect need them.
        return Reading(EventClass.ERROR if failure else kind, tuple(deltas), usage, failure, begins=begins)

    def _begins(self, id: str, delta: Delta) -> bool:
        """Whether an answer begins: the first one, or a role with another id after an answer that kept its id.

        Some servers send a role in each chunk, some a new id in each, and one sends both in the chunk that finishes.
        """
        begins = self._id is None
        if delta.role is None:
            if not (delta.text or delta.reasoning or delta.tools):
                return False
            self._fresh, self._keeps_id = False, begins or id == self._id
        elif begins or (id and id != self._id and delta.finish_reason is None):
            begins = begins or self._keeps_id
            self._fresh, self._keeps_id = True, False
        else:
            return False
        self._id = id
        return begins

    def _read_unusual(self, event: str, payload: dict[str, Any]) -> Reading:
        """Read a payload without choices, with an error, or of a named event."""
        reading = self._read_chunk(payload, _usage_of(payload))
        failure = self._find_failure(event, payload) or reading.failure
        if failure is not None:
            return replace(reading, kind=EventClass.ERROR, failure=failure)
        is_ping = event in _PINGS or as_text(payload.get("type")) in _PINGS
        return PING if is_ping and not reading.deltas else reading

    def _find_failure(self, event: str, payload: dict[str, Any]) -> Failure | None:
        error = payload.get("error")
        if isinstance(error, (dict, str)) and error:
            # The type can stand beside the error: `{"error": "...", "error_type": "validation"}`.
            return failure_of(error if isinstance(error, dict) else payload)
        if error is True or event == "error" or payload.get("object") == "error" or payload.get("type") == "error":
            return failure_of(payload)
        groq = as_object(payload.get("x_groq")).get("error")
        if isinstance(groq, (dict, str)) and groq:
            return failure_of(groq)
        if payload.keys() == _FASTCHAT_ERROR_KEYS and as_whole(payload["error_code"]):
            return failure_of({"message": payload["text"], "code": payload["error_code"]})
        answer = as_object(payload.get("base_resp"))
        return failure_of(answer) if as_whole(answer.get("status_code")) else None

    def _read_choice(self, choice: dict[str, Any], counts_tokens: bool) -> tuple[Delta, bool]:
        """Return what a chunk adds to a choice, and whether that is progress."""
        index = choice.get("index")
        index = self._bound(as_whole(index)) if index and not counts_tokens else 0
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            delta = as_object(choice.get("message"))  # a whole answer in one piece
        content = delta.get("content")
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        details = None if reasoning else delta.get("reasoning_details")
        if details or not isinstance(content or "", str) or not isinstance(reasoning or "", str):
            content, reasoning = _read_parts(content, reasoning, details)
        tools = delta.get("tool_calls") or delta.get("function_call")
        fragments = self._read_tools(index, tools) if tools else ()
        finish = choice.get("finish_reason")
        read = Delta(index, None, content or "", reasoning or "", fragments)
        says = bool(content or reasoning or fragments)
        self._track(index, says, finish)
        if finish:
            read.finish_reason = as_label(finish)
        moves = says or any(value for key, value in delta.items() if key != "role")
        if role := delta.get("role"):
            read.role = as_label(role)
        if refusal := delta.get("refusal"):
            read.refusal = as_text(refusal)
        return read, moves

    def _bound(self, index: int | None) -> int:
        if index is None:
            return 0
        if len(self._finished) >= MAX_TRACKED and index not in self._finished:
            self._overflowed = True
            return 0
        return index

    def _track(self, index: int, says: bool, finish: Any) -> None:
        """Remember whether this choice has finished; content after its finish revokes that."""
        finished = self._finished.get(index)
        if finish and isinstance(finish, str):
            self._finished[index] = True
        elif finished is None or (finished and says):
            self._finished[index] = False

    def _read_tools(self, choice: int, tools: Any) -> tuple[ToolFragment, ...]:
        if isinstance(tools, dict):  # the legacy `function_call`
            tools = [{"index": 0, "function": tools}]
        return tuple([self._read_tool(choice, tool) for tool in as_list(tools) if isinstance(tool, dict)])

    def _read_tool(self, choice: int, tool: dict[str, Any]) -> ToolFragment:
        custom = tool.get("custom")
        function = as_object(custom if isinstance(custom, dict) else tool.get("function"))
        id = as_label(tool.get("id"))
        name = as_label(function.get("name"))
        arguments = function.get("input") if isinstance(custom, dict) else function.get("arguments")
        key = self._key(choice, as_whole(tool.get("index")), id, name)
        return ToolFragment(
            key,
            id,
            name,
            as_arguments(arguments),
            kind="custom" if isinstance(custom, dict) else "function",
        )

    def _key(self, choice: int, index: int | None, id: str | None, name: str | None) -> Hashable:
        """Return the key of a call: some servers send index 0 for all calls, some none, some repeat id and name."""
        if index is None:
            if id is not None:
                self._last_call = hash(id)
            return self._last_call
        known = self._calls.get((choice, index))
        mark = hash(id) if id else None  # an id itself may be long
        if known is None:
            if len(self._calls) >= MAX_TRACKED:
                return None
            known = (mark, 0)
        elif id and name and known[0] is not None and known[0] != mark:
            known = (mark, known[1] + 1)
        elif id and known[0] is None:
            known = (mark, known[1])
        self._calls[choice, index] = known
        self._last_call = (index, known[1])
        return self._last_call

    def is_complete(self) -> bool:
        """Whether every choice seen has finished, and no content came after that."""
        return bool(self._finished) and not self._overflowed and all(self._finished.values())

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return an unnamed error event: the official client raises on any payload with a top-level `error`."""
        return None, failure.as_error()


@register
class OpenAICompletions(OpenAIChat):
    """Legacy completions: `choices[].text`."""

    name = "openai-completions"
    varying: ClassVar[tuple[str, ...]] = ()  # `created` is read

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether it is a chunk by its `object`, or by choices with text, an index and a finish reason."""
        if not isinstance(payload, dict) or not isinstance(payload.get("choices"), list):
            return False
        if payload.get("object") == "text_completion":
            return True
        return any({"text", "index", "finish_reason"} <= as_object(choice).keys() for choice in payload["choices"][:8])

    def read(self, event: str, payload: Any) -> Reading:
        """Read one chunk."""
        reading = super().read(event, payload)
        if not reading.deltas:
            return reading
        id, model = as_label(payload.get("id")), as_label(payload.get("model"))
        return replace(reading, id=id, model=model, created=as_timestamp(payload.get("created")))

    def _read_choice(self, choice: dict[str, Any], counts_tokens: bool) -> tuple[Delta, bool]:
        index = self._bound(as_whole(choice.get("index")) or 0)
        text = as_text(choice.get("text"))
        finish = choice.get("finish_reason")
        self._track(index, bool(text), finish)
        return Delta(index, text=text, finish_reason=as_label(finish)), bool(text)


def _usage_of(payload: dict[str, Any]) -> dict[str, int] | None:
    usage = payload.get("usage") or payload.get("x_groq")
    return as_figures(as_object(usage).get("usage") or usage, _USAGE)


def _read_parts(content: Any, reasoning: Any, details: Any) -> tuple[str, str]:
    """Return text and reasoning, of content that may be a list of parts and reasoning that may be in details."""
    texts, thoughts = [as_text(content)], [as_text(reasoning)]
    for part in as_list(content):
        part = as_object(part)
        texts.append(as_text(part.get("text")))
        thoughts += [as_text(as_object(thought).get("text")) for thought in as_list(part.get("thinking"))]
    if not thoughts[0]:
        thoughts += [as_text(as_object(detail).get("text")) for detail in as_list(details)]
    return "".join(texts), "".join(thoughts)


def _is_bare_error(payload: dict[str, Any]) -> bool:
    """Whether the payload is only an error, as in a chat stream, and not a log record with an `error` field."""
    error = payload.get("error")
    if isinstance(error, str):  # Hugging Face's servers
        return payload.keys() == {"error", "error_type"} and isinstance(payload["error_type"], str)
    beside = _BESIDE_AN_ERROR if payload.get("object") in _OBJECTS else _ALONE
    if not isinstance(error, dict) or not payload.keys() <= beside or is_own(error):
        return False
    says = isinstance(error.get("message"), str) and ("code" in error or "type" in error)
    return says and error.keys() <= _ERROR_KEYS and not isinstance(error.get("status"), str)


def _is_flat_error(payload: dict[str, Any]) -> bool:
    """Whether it is an error of older versions of vLLM or FastChat, whose fields are at the top level."""
    says = payload.get("object") == "error" and isinstance(payload.get("message"), str)
    return says and payload.get("code") is not None and payload.keys() <= _FLAT_ERROR_KEYS
