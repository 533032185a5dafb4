"""Conversion of readings of any dialect to OpenAI chat completion chunks, event by event.

https://platform.openai.com/docs/api-reference/chat-streaming. Only finish reasons and usage are delayed: some providers
send them with every chunk, so they are emitted with the terminator, or at the end of a stream that has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from ..core.account import MAX_KEPT, join_surrogates
from ..core.calls import MAX_CALLS, MAX_NAME, Call, Calls, is_same_json, longer_name, replaces
from ..core.dialect import Delta, EventClass, Part, Reading, ToolFragment
from ..core.failure import Failure
from .openai_chat import OpenAIChat

if TYPE_CHECKING:
    from ..core.conversion import Conversion

# The finish reasons of all providers; each has one meaning only. A reason that is not listed is forwarded unchanged.
_FINISH: Final = {
    "stop": (
        "end_turn",
        "stop_sequence",
        "pause_turn",
        "STOP",
        "completed",
        "succeeded",
        "COMPLETE",
        "STOP_SEQUENCE",
        "1",
        "eos_token",
        "eos",
        "word",
    ),
    "length": (
        *("max_tokens", "MAX_TOKENS", "model_context_window_exceeded", "incomplete:max_output_tokens", "2"),
        *("limit", "token_limit", "max_completion_tokens", "max_prompt_tokens"),
    ),
    "tool_calls": ("tool_use", "TOOL_CALL", "tool-calls", "requires_action"),
    "content_filter": (
        *("refusal", "content-filter", "incomplete:content_filter", "SAFETY", "RECITATION", "BLOCKLIST"),
        *("PROHIBITED_CONTENT", "SPII"),
        *("IMAGE_SAFETY", "MODEL_ARMOR", "ERROR_TOXIC", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
    ),
}
_BY_WORD: Final = {word: finish for finish, words in _FINISH.items() for word in words}


# https://platform.openai.com/docs/guides/error-codes
_ERRORS: Final = {
    "authentication": ("authentication_error", "invalid_api_key"),
    "rate-limited": ("rate_limit_error", "rate_limit_exceeded"),
}
_FIELDS: Final = {"text": "content", "reasoning": "reasoning_content", "refusal": "refusal"}


class _Teller:
    """Forwards text, but keeps the first half of a surrogate pair until its second half arrives.

    It knows by length and checksum what it forwarded of a part, and so what is missing of the whole.
    """

    __slots__ = ("_count", "_sum", "half")

    def __init__(self) -> None:
        self.half = ""
        self._count = self._sum = 0

    def pass_on(self, text: str) -> str:
        if self.half or not text.isascii():
            text = self.half + text
            self.half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
            text = join_surrogates(text[:-1] if self.half else text)
        return self._note(text)

    def release(self) -> str:
        """Return U+FFFD for a half that is kept, whose other half does not come."""
        half, self.half = self.half, ""
        return join_surrogates(half)

    def _note(self, text: str) -> str:
        self._count += len(text)
        self._sum = crc32(text.encode(), self._sum)  # halves of pairs were replaced
        return text

    def settle(self, part: Part) -> str | None:
        """Begin a part, or return what is missing of the whole of it; None if it contradicts what was said."""
        if part.whole is None:
            self._count = self._sum = 0
            return ""
        said = part.whole[: self._count]
        if len(said) == self._count and crc32(said.encode("utf-8", "surrogatepass")) == self._sum:
            rest = part.whole[self._count :]
            self.half = ""
            return self._note(join_surrogates(rest))
        if not part.fresh:
            return None
        self._count = self._sum = 0
        return self.pass_on(part.whole)


class _Written:
    """What was written of one tool call."""

    __slots__ = ("arguments", "index", "waits")

    def __init__(self, index: int) -> None:
        self.index = index
        self.arguments = _Teller()
        self.waits = False  # an empty object opened it, and is written only if nothing takes its place


def _joined(pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one entry per call: some clients take two of one chunk for two calls, or drop the second one."""
    by_index: dict[int, dict[str, Any]] = {}
    for piece in pieces:
        entry = by_index.setdefault(piece["index"], piece)
        if entry is not piece:
            for kind in ("function", "custom"):
                for key, more in piece.get(kind, {}).items():
                    entry[kind][key] = entry[kind].get(key, "") + more
    return list(by_index.values())


class _Choice:
    """The state of one choice."""

    __slots__ = ("begun", "calls", "finish", "tellers")

    def __init__(self) -> None:
        self.begun = False
        self.tellers = {field: _Teller() for field in _FIELDS}
        self.calls = 0
        self.finish: str | None = None


class ChatAsOpenAIFails(OpenAIChat):
    """OpenAI's chunks, with errors as that API writes them, and no mark of this library."""

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return an error object with `message`, `type`, `param` and `code`."""
        type, code = _ERRORS.get(failure.code, ("server_error", failure.code))
        return None, {"error": {"message": failure.public_message, "type": type, "param": None, "code": code}}


class ChatEncoder:
    """Converts readings to payloads of a chat completion stream. Ids and times are upstream's, or constant."""

    def __init__(self, asked: Conversion | None = None) -> None:
        self.dialect: Final = ChatAsOpenAIFails() if asked is not None and asked.errors == "openai" else OpenAIChat()
        self._asked = asked
        self._id = "chatcmpl-0"
        self._created = 0
        self._model = ""
        self._choices: dict[int, _Choice] = {}
        self._calls = Calls()
        self._written: dict[Call, _Written] = {}
        self._room = MAX_KEPT  # for arguments, which are compared with the whole
        self._contradicted = False  # arguments were written that turned out to be others
        self._usage: dict[str, int] = {}
        self._ended = self._failed = False
        self._all_finished = self._wrote = False

    def encode(self, reading: Reading) -> list[Any]:
        """Return the chunks for this reading; for an error, the error frame of this dialect.

        What comes behind the terminator is said, too: the account has it, and a client reads on until the sentinel.
        """
        if self._failed:
            return []
        self._note(reading)
        contradicted = self._contradicted
        chunks = [chunk for delta in reading.deltas if (chunk := self._encode_delta(delta)) is not None]
        self._ended = self._ended and not chunks and self._contradicted is contradicted
        if reading.failure is not None:
            self._ended = self._failed = True
            chunks += [*self.cut(), self.dialect.error_frame(reading.failure)[1]]
        elif reading.kind is EventClass.TERMINAL and not self._ended:
            chunks += self._finish(ended=True)
        self._wrote = self._wrote or bool(chunks)
        return chunks

    def heartbeat_event(self) -> Any:
        """Return a chunk with an empty delta, between the first chunk and the finish."""
        if not self._choices or self._ended or self._failed:
            return None
        return self._chunk([{"index": 0, "delta": {}, "finish_reason": None}])

    def cut(self) -> list[Any]:
        """Return what was held back, where nothing more comes: halves of characters, as the report has them."""
        held = {index: self._held_back(index) for index in self._choices}
        return [self._chunk([{"index": at, "delta": said, "finish_reason": None}]) for at, said in held.items() if said]

    def _note(self, reading: Reading) -> None:
        self._id = reading.id or self._id
        self._model = reading.model or self._model
        self._created = self._created if reading.created is None else reading.created
        for name, figure in (reading.usage or {}).items():
            self._usage[name] = max(figure, self._usage.get(name, 0))

    def _encode_delta(self, delta: Delta) -> dict[str, Any] | None:
        choice = self._choices.get(delta.choice)
        if choice is None:
            if len(self._choices) >= MAX_CALLS:
                return None
            choice = self._choices[delta.choice] = _Choice()
        choice.finish = delta.finish_reason or choice.finish
        said: dict[str, Any] = {}
        if delta.parts:
            for part in delta.parts:
                if rest := choice.tellers[part.field].settle(part):
                    said[_FIELDS[part.field]] = said.get(_FIELDS[part.field], "") + rest
        if delta.text and (text := choice.tellers["text"].pass_on(delta.text)):
            said["content"] = said.get("content", "") + text
        if delta.reasoning and (text := choice.tellers["reasoning"].pass_on(delta.reasoning)):
            said["reasoning_content"] = said.get("reasoning_content", "") + text
        if delta.refusal and (text := choice.tellers["refusal"].pass_on(delta.refusal)):
            said["refusal"] = said.get("refusal", "") + text
        if calls := [call for part in delta.tools if (call := self._encode_call(delta.choice, part)) is not None]:
            said["tool_calls"] = _joined(calls)
        if not choice.begun and (said or delta.role):
            choice.begun = True
            said = {"role": "assistant", "content": "", **said}
        return self._chunk([{"index": delta.choice, "delta": said, "finish_reason": None}]) if said else None

    def _encode_call(self, index: int, part: ToolFragment) -> dict[str, Any] | None:
        """Return a piece of a tool call, or None. Calls that the provider runs itself must not reach a client."""
        if part.kind == "hosted":
            return None
        call = self._calls.find(index, part)
        head: dict[str, Any] = {}
        opens = call is None
        if call is None:
            if len(self._calls.made) >= MAX_CALLS:
                return None
            call = self._calls.add(index, part)
            choice = self._choices[index]
            self._written[call] = _Written(choice.calls)
            head = {"id": part.id or f"call_{choice.calls}", "type": part.kind}
            choice.calls += 1
        call.id = call.id or part.id
        name = self._name(call, part.name)
        written = self._written[call]
        arguments = self._settle(call, written, part) if part.whole else self._add(call, written, part, opens)
        if not head and not arguments and not name:
            return None
        function: dict[str, Any] = {"name": name} if head or name else {}
        function["input" if part.kind == "custom" else "arguments"] = arguments
        return {"index": written.index, **head, part.kind: function}

    def _name(self, call: Call, piece: str | None) -> str:
        """Return what is to be added to the name of a call: clients join the pieces."""
        known = call.name or ""
        if not piece or piece == known or (known and call.arguments.tell()):
            return ""
        name = longer_name(call.name, piece)
        if known and len(name) > MAX_NAME:
            return ""
        call.name = name
        return name[len(known) :]

    def _add(self, call: Call, written: _Written, part: ToolFragment, opens: bool) -> str:
        """Return the arguments to write for a piece."""
        if not part.arguments:
            call.opened = opens
            return ""
        waited = "{}" if written.waits else ""
        written.waits = False
        if waited and replaces(call, part):
            self._forget(call)
            waited = ""
        call.opened = opens
        self._hold(call, part.arguments)
        if opens and part.arguments == "{}" and part.kind == "function":
            written.waits = True
            return ""
        return written.arguments.pass_on(waited + part.arguments)

    def _settle(self, call: Call, written: _Written, part: ToolFragment) -> str:
        """Return what is missing of arguments that are told whole."""
        call.whole, call.opened = True, False
        whole = part.arguments
        if not whole:
            return ""
        told = join_surrogates(call.arguments.getvalue())
        written.waits = False
        rest = written.arguments.settle(Part("arguments", whole))
        self._forget(call)
        self._hold(call, whole)
        if rest is None and whole != told and not is_same_json(told, whole):
            self._contradicted = True
        return rest or ""

    def _hold(self, call: Call, arguments: str) -> None:
        arguments = arguments[: self._room]
        self._room -= len(arguments)
        call.arguments.write(arguments)

    def _forget(self, call: Call) -> None:
        self._room += call.arguments.tell()
        call.clear()

    def _held_back(self, index: int) -> dict[str, Any]:
        """Return what is held back of a choice, and hold it back no more."""
        said: dict[str, Any] = {}
        tellers = self._choices[index].tellers
        for field, name in _FIELDS.items():
            if rest := tellers[field].release():
                said[name] = rest
        if calls := self._rest_of_calls(index):
            said["tool_calls"] = calls
        return said

    def _rest_of_calls(self, index: int) -> list[dict[str, Any]]:
        """Return the empty objects that opened calls of this choice and that nothing replaced, and halves."""
        rest = []
        for call, written in self._written.items():
            if call.choice != index:
                continue
            held = ("{}" if written.waits else "") + written.arguments.release()
            written.waits = False
            if held:
                key = "input" if call.kind == "custom" else "arguments"
                rest.append({"index": written.index, call.kind: {key: held}})
        return rest

    def _finish(self, *, ended: bool) -> list[Any]:
        """Return the pending text, the finish reason of each choice, and the usage."""
        self._ended = True
        if self._contradicted:
            return [self.dialect.error_frame(Failure("upstream-error"))[1]]
        ends = [self._finish_choice(index, ended) for index in self._choices]
        self._all_finished = bool(ends) and all(said is not None and said["finish_reason"] for said in ends)
        chunks = [self._chunk([said]) for said in ends if said is not None]
        if self._usage:
            chunks.append({**self._chunk([]), "usage": self._spell_usage()})
        return chunks

    def _finish_choice(self, index: int, ended: bool) -> dict[str, Any] | None:
        choice = self._choices[index]
        said = self._held_back(index)
        # A terminator without a finish reason means `stop`; without a terminator there is no finish reason.
        finish = choice.finish or ("stop" if ended else None)
        finish = _BY_WORD.get(finish, finish) if finish else None
        if finish == "stop" and choice.calls:
            finish = "tool_calls"
        return {"index": index, "delta": said, "finish_reason": finish} if said or finish else None

    def _spell_usage(self) -> dict[str, Any]:
        """Return the usage as this dialect counts it: cached and reasoning tokens are included in the others."""
        usage = self._usage
        read, written = usage.get("cache_read_tokens"), usage.get("cache_write_tokens")
        thought = usage.get("thought_tokens")
        prompt = usage.get("input_tokens", 0) + (read or 0) + (written or 0)
        completion = usage.get("output_tokens", 0) + (thought or 0)
        chunk_usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
        chunk_usage["total_tokens"] = usage.get("total_tokens", prompt + completion)
        if (cached := usage.get("cached_tokens", read)) is not None:
            chunk_usage["prompt_tokens_details"] = {"cached_tokens": cached}
        if (reasoned := usage.get("reasoning_tokens", thought)) is not None:
            chunk_usage["completion_tokens_details"] = {"reasoning_tokens": reasoned}
        return chunk_usage

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        asked = self._asked
        return {
            "id": (asked and asked.id) or self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": (asked and asked.model) or self._model,
            "choices": choices,
        }

    def end(self) -> list[Any]:
        """Return what ends a complete stream, including the sentinel. At least one chunk stands before that."""
        rest = [] if self._ended else self._finish(ended=False)
        if self._contradicted:
            return rest
        if not (rest or self._wrote):
            rest = [self._chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])]
            self._all_finished = True
        return [*rest, "[DONE]"]

    def is_complete(self) -> bool:
        """Return whether every choice was given a finish reason."""
        return self._all_finished
