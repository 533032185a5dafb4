"""OpenAI chat completions, as dozens of servers send them, and legacy completions.

https://platform.openai.com/docs/api-reference/chat-streaming. Many healthy servers never send `[DONE]`: then the answer
is complete when every choice has a finish reason and no content came after it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any, ClassVar, Final

from ..core.dialect import NOTHING, CallPiece, Delta, Dialect, EventClass, Part, Reading, ToolFragment
from ..core.failure import Failure, is_own
from ..core.registry import register
from .failures import failure_of, find_failure
from .finishes import as_finish, failure_of_finish
from .shapes import (
    as_arguments,
    as_figures,
    as_index,
    as_label,
    as_list,
    as_object,
    as_said,
    as_text,
    as_timestamp,
    as_whole,
    words_of,
)

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
_DELTA_KEYS: Final = frozenset(
    (
        *("content", "role", "tool_calls", "reasoning_content", "reasoning", "function_call"),
        *("reasoning_text", "tool_use_id"),  # GitHub Copilot; Snowflake
        "thinking",  # gateways in front of Anthropic and Ollama
    )
)
_THINKING: Final = frozenset(("reasoning", "thinking", "reasoning_text", "summary_text"))
_REASONING_KEYS: Final = ("reasoning_content", "reasoning", "reasoning_text", "thinking")
_PINGS: Final = frozenset(("ping", "keepalive", "keep-alive", "heartbeat"))
_ALONE: Final = frozenset(("error", "user_id"))
_BESIDE_AN_ERROR: Final = _ALONE | {"id", "object", "created", "model", "provider"}  # in a chunk that is named so
_ERROR_KEYS: Final = frozenset(("message", "type", "code", "param", "status", "metadata"))
_FLAT_ERROR_KEYS: Final = frozenset(("object", "message", "type", "param", "code"))
_BASE_RESP: Final = {  # MiniMax, https://platform.minimax.io/docs/api-reference/errorcode
    1001: "timeout",
    1002: "rate_limit",
    1004: "invalid_api_key",
    1008: "billing_error",
    1024: "internal_error",
    1026: "content_filter",
    1027: "content_filter",
    2013: "invalid_request_error",
    2049: "invalid_api_key",
}
_FASTCHAT_ERROR_KEYS: Final = frozenset(("text", "error_code"))


@register
class OpenAIChat(Dialect):
    """Chat completions: `choices[].delta`, ended by `[DONE]` or by a finish on every choice."""

    name = "openai-chat"
    endpoints: ClassVar[tuple[str, ...]] = ("/chat/completions",)
    steady = True
    varying: ClassVar[tuple[str, ...]] = ("obfuscation", "p", "created", "token_id")
    # padding; the time, which some servers update; the token's number
    sentinel = "[DONE]"
    _object: ClassVar[str] = "chat.completion.chunk"
    _nothing: ClassVar[dict[str, Any]] = {"delta": {}}
    exact_marks = ('"arguments":{', '"arguments": {')  # some servers send an object, and not its text
    keys = words_of(
        "id object created model choices index delta role content finish_reason logprobs "
        "reasoning_content reasoning thinking tool_calls function name arguments type usage text prompt_tokens "
        "completion_tokens total_tokens system_fingerprint message refusal"
    )

    def __init__(self) -> None:
        self._finished: dict[int, bool] = {}  # by choice
        self._overflowed = False
        self._calls: dict[
            tuple[int, int], tuple[int | None, int]
        ] = {}  # by choice and index: hash of the id, number of calls before
        self._last_call: Hashable = None
        self._several = False  # calls without an index came one after the other
        self._id: str | None = None  # of the current answer
        self._fresh = True  # no content of it has come yet
        self._keeps_id = False  # its content had the same id as its beginning
        self._counted = 0  # choices so far, each alone in a chunk and with the next index; -1: not so

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
            or self._counted >= 0
            or choice.get("finish_reason")
            or choice.get("index")
        ):
            return None
        delta = choice.get("delta")
        text = delta.get("content") if type(delta) is dict and len(delta) == 1 else None
        return text if type(text) is str else None

    def _read_chunk(self, payload: dict[str, Any], usage: dict[str, int] | None) -> Reading:
        kind = EventClass.STRUCTURAL
        # Old versions of one server, which returns one choice only, put the number of the token into `index`.
        counts_tokens = payload.get("object") == "text_completion"
        deltas = []
        failure = None
        begins = False
        choices = as_list(payload.get("choices"))
        self._counted = -1 if len(choices) > 1 else self._counted
        for choice in choices:
            if isinstance(choice, dict):
                delta, moves = self._read_choice(choice, counts_tokens)
                deltas.append(delta)
                if not delta.choice and (self._fresh or delta.role):
                    begins |= self._begins(as_label(payload.get("id")) or "", delta)
                if moves:
                    kind = _CONTENT
                if usage is None and "usage" in choice:
                    usage = as_figures(choice["usage"], _USAGE)
                if delta.finish_reason is not None:
                    failure = _failure_of_choice(choice, delta.finish_reason) or failure
        if "base_resp" in payload:
            failure = _failure_of_answer(as_object(payload["base_resp"])) or failure
        if usage and kind is EventClass.STRUCTURAL:
            kind = EventClass.USAGE
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
        failure = find_failure(event, payload)
        if failure is not None:
            return failure
        if payload.get("object") == "error":
            return failure_of(payload)
        groq = as_object(payload.get("x_groq")).get("error")
        if isinstance(groq, (dict, str)) and groq:
            return failure_of(groq)
        if payload.keys() == _FASTCHAT_ERROR_KEYS and as_whole(payload["error_code"]):
            return failure_of({"message": payload["text"], "code": payload["error_code"]})
        return None

    def _read_choice(self, choice: dict[str, Any], counts_tokens: bool) -> tuple[Delta, bool]:
        """Return what a chunk adds to a choice, and whether that is progress."""
        index = choice.get("index")
        index = self._bound(as_whole(index)) if index and not counts_tokens else 0
        delta = choice.get("delta")
        if "message" in choice and not _says_something(delta):
            message = as_object(choice["message"])
            # Behind pieces a message with the finish repeats them whole; others are pieces under another name.
            if index in self._finished and choice.get("finish_reason"):
                return self._read_whole(index, choice, message)
            delta = delta if isinstance(delta, dict) and index in self._finished else message
        elif not isinstance(delta, dict):
            delta = {}
        content, reasoning = _read_said(delta)
        tools = delta.get("tool_calls") or delta.get("function_call")
        if not tools and (not (listed := delta.get("content")) or isinstance(listed, list)):
            tools = _tool_uses_of(delta)
        fragments = self._read_tools(index, tools) if tools else ()
        finish = choice.get("finish_reason")
        if finish:
            finish = as_finish(finish)
        read = Delta(index, None, content or "", reasoning or "", fragments)
        says = bool(content or reasoning or fragments)
        self._track(index, says, finish)
        if finish:
            read.finish_reason = finish
        moves = says or any(value for key, value in delta.items() if key != "role")
        if role := delta.get("role"):
            read.role = as_label(role)
        if refusal := delta.get("refusal"):
            read.refusal = as_text(refusal)
        return read, moves

    def _read_whole(self, index: int, choice: dict[str, Any], message: dict[str, Any]) -> tuple[Delta, bool]:
        """Read a message that repeats, whole, what came in pieces."""
        content, reasoning = _read_said(message)
        wholes = ("text", content), ("reasoning", reasoning), ("refusal", as_text(message.get("refusal")))
        parts = tuple([Part(field, whole, fresh=True) for field, whole in wholes if whole])
        tools = [tool for tool in as_list(message.get("tool_calls")) if isinstance(tool, dict)]
        calls = tuple([self._read_whole_tool(index, place, tool) for place, tool in enumerate(tools)])
        finish = as_finish(choice.get("finish_reason"))
        self._track(index, bool(parts or calls), finish)
        return Delta(index, as_label(message.get("role")), tools=calls, finish_reason=finish, parts=parts), bool(
            parts or calls
        )

    def _bound(self, index: int | None) -> int:
        if index is None:
            return 0
        if len(self._finished) >= MAX_TRACKED and index not in self._finished:
            self._overflowed = True
            return 0
        return index

    def _track(self, index: int, says: bool, finish: str | None) -> None:
        """Remember whether this choice has finished; content after its finish revokes that."""
        if not says and not finish and index in self._finished:
            return  # a heartbeat is no chunk that is counted
        if self._counted >= 0:
            counts = index == self._counted and True not in self._finished.values()
            self._counted = index + 1 if counts else -1
        finished = self._finished.get(index)
        if finish:
            self._finished[index] = True
        elif finished is None or (finished and says):
            self._finished[index] = False

    def _read_tools(self, choice: int, tools: Any) -> tuple[ToolFragment, ...]:
        if isinstance(tools, dict):  # the legacy `function_call`
            tools = [{"index": 0, "function": tools}]
        return tuple([self._read_tool(choice, tool) for tool in as_list(tools) if isinstance(tool, dict)])

    def _read_tool(self, choice: int, tool: dict[str, Any]) -> ToolFragment:
        fragment = _fragment_of(tool)
        fragment.key = self._key(choice, as_whole(tool.get("index")), fragment.id, fragment.name)
        return fragment

    def _read_whole_tool(self, choice: int, place: int, tool: dict[str, Any]) -> ToolFragment:
        """Read a call that is repeated whole: the one with its id, else the one at its place."""
        fragment = _fragment_of(tool)
        fragment.whole = bool(fragment.arguments)
        mark = hash(fragment.id) if fragment.id else None
        places = {index: known for (of, index), known in self._calls.items() if of == choice}
        found = [(index, count) for index, (own, count) in places.items() if own == mark and mark is not None]
        if found:
            fragment.key = found[0]
            return fragment
        index = as_whole(tool.get("index"))
        if index is None and (places or mark is None):
            index = place
        fragment.key = self._key(choice, index, fragment.id, fragment.name)
        return fragment

    def _key(self, choice: int, index: int | None, id: str | None, name: str | None) -> Hashable:
        """Return the key of a call: some servers send index 0 for all calls, some none, some repeat id and name."""
        if index is None:
            if id is not None:
                self._several = self._several or self._last_call not in (None, hash(id))
                self._last_call = hash(id)
            elif name is None and self._several:
                return ("next", self._last_call)  # of the call that is open, if there is only one
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
        if self._overflowed or not self._finished:
            return False
        # One server counts the chunks of one answer in the index of the choice: then the last one finishes all.
        return all(self._finished.values()) or (self._counted > 2 and self._finished[self._counted - 1])

    def heartbeat_event(self, payload: Any) -> tuple[str | None, Any] | None:
        """Return a chunk of this answer with an empty delta, while no choice has finished.

        None where the index of a choice counts chunks: another one would not be counted by who reads.
        """
        body = as_object(payload)
        if not isinstance(body.get("choices"), list) or True in self._finished.values() or self._counted > 1:
            return None
        known = {"id": as_label(body.get("id")), "object": self._object, "created": as_whole(body.get("created"))}
        known["model"] = as_label(body.get("model"))
        told = {key: value for key, value in known.items() if value is not None}
        return None, {**told, "choices": [{"index": 0, **self._nothing, "finish_reason": None}]}

    def call_pieces(self, payload: Any) -> list[CallPiece]:
        """Return what stands under `tool_calls` of the deltas."""
        pieces = []
        for at, choice in enumerate(as_list(as_object(payload).get("choices"))):
            tools = as_list(as_object(as_object(choice).get("delta")).get("tool_calls"))
            number = as_whole(as_object(choice).get("index")) or 0
            for place, tool in enumerate(tools):
                if isinstance(tool, dict):
                    path = ("choices", at, "delta", "tool_calls", place)
                    index, spelling = as_index(tool.get("index"))
                    pieces.append(CallPiece(number, path, index, _fragment_of(tool), spelling))
        return pieces

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return an unnamed error event: the official client raises on any payload with a top-level `error`."""
        return None, failure.as_error()


@register
class OpenAICompletions(OpenAIChat):
    """Legacy completions: `choices[].text`."""

    name = "openai-completions"
    endpoints = ("/completions",)
    varying: ClassVar[tuple[str, ...]] = ()  # `created` is read
    _object = "text_completion"
    _nothing: ClassVar[dict[str, Any]] = {"text": "", "logprobs": None}

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
        text = as_said(choice.get("text"))
        finish = as_finish(choice.get("finish_reason"))
        self._track(index, bool(text), finish)
        return Delta(index, text=text, finish_reason=finish), bool(text)


def _fragment_of(tool: dict[str, Any]) -> ToolFragment:
    """Return what a tool call says, without its key."""
    custom = tool.get("custom")
    is_custom = isinstance(custom, dict)
    function = as_object(custom if is_custom else tool.get("function"))
    arguments = as_arguments(function.get("input" if is_custom else "arguments"))
    id, name = as_label(tool.get("id")), as_label(function.get("name"))
    return ToolFragment(None, id, name, arguments, kind="custom" if is_custom else "function")


def _failure_of_choice(choice: dict[str, Any], finish: str) -> Failure | None:
    told = choice.get("error") or choice.get("finish_reason")
    return failure_of_finish(finish, {**told, "type": finish} if isinstance(told, dict) else None)


def _failure_of_answer(answer: dict[str, Any]) -> Failure | None:
    """Return the failure that MiniMax tells beside the choices, if any, or in place of them."""
    code = as_whole(answer.get("status_code"))
    return failure_of({"code": _BASE_RESP.get(code, ""), **answer}) if code else None


def _usage_of(payload: dict[str, Any]) -> dict[str, int] | None:
    usage = payload.get("usage") or payload.get("x_groq")
    return as_figures(as_object(usage).get("usage") or usage, _USAGE)


def _tool_uses_of(delta: dict[str, Any]) -> list[Any]:
    """Return Snowflake's pieces of tool calls, of a delta or its parts, in the form of the others."""
    if delta.get("type") == "tool_use" and any(map(delta.get, ("tool_use_id", "name", "input"))):
        parts = [delta]
    elif "content_list" not in delta and not isinstance(delta.get("content"), list):
        return []
    else:
        listed = as_list(delta.get("content_list")) or as_list(delta.get("content"))
        parts = [part for part in listed if isinstance(part, dict)]
        parts = [part for part in parts if part.get("type") == "tool_use" or "tool_use_id" in part]
    inner = [use if isinstance(use := part.get("tool_use"), dict) else part for part in parts]
    return [
        {
            "id": part.get("tool_use_id") or part.get("id"),
            "function": {"name": part.get("name"), "arguments": part.get("input")},
        }
        for part in inner
    ]


def _says_something(delta: Any) -> bool:
    """Whether a delta holds more than a role and empty values; a number as its content may be zero."""
    if not isinstance(delta, dict):
        return False
    return any(value or value == 0 for key, value in delta.items() if key != "role" and value is not False)


def _read_said(delta: dict[str, Any]) -> tuple[str, str]:
    """Return text and reasoning of a delta or a message."""
    content = delta.get("content")
    get = delta.get
    reasoning = get("reasoning_content") or get("reasoning") or get("reasoning_text") or get("thinking")
    details = None if reasoning else delta.get("reasoning_details")
    if not details and (content or "").__class__ is str and (reasoning or "").__class__ is str:
        if content or reasoning or 0 not in delta.values():
            return content or "", reasoning or ""
        reasoning = next((said for key in _REASONING_KEYS if (said := as_said(delta.get(key)))), "")
    return _read_parts(content, reasoning, details)


def _read_parts(content: Any, reasoning: Any, details: Any) -> tuple[str, str]:
    """Return text and reasoning, of content that may be a list of parts and reasoning that may be in details."""
    texts, thoughts = [as_said(content)], [as_said(reasoning)]
    for part in [content] if isinstance(content, dict) else as_list(content):
        part = as_object(part)
        type = part.get("type")
        thinks = isinstance(type, str) and type in _THINKING
        (thoughts if thinks else texts).append(as_said(part.get("text")))
        for key in ("thinking", "summary"):
            thoughts.append(as_text(part.get(key)))
            thoughts += [as_said(as_object(thought).get("text")) for thought in as_list(part.get(key))]
    if not thoughts[0]:
        thoughts += [as_said(as_object(detail).get("text")) for detail in as_list(details)]
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
