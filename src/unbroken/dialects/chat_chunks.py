"""Conversion of readings of any dialect to OpenAI chat completion chunks, event by event.

https://platform.openai.com/docs/api-reference/chat-streaming. Only finish reasons and usage are delayed: some providers
send them with every chunk, so they are emitted with the terminator, or at the end of a stream that has none.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from ..core.account import join_surrogates
from ..core.dialect import Delta, EventClass, Reading, ToolFragment
from .openai_chat import OpenAIChat

_MAX_TRACKED: Final = 1024

# The finish reasons of all providers; each has one meaning only. A reason that is not listed is forwarded unchanged.
_FINISH: Final = {
    "stop": ("end_turn", "stop_sequence", "pause_turn", "STOP", "completed", "COMPLETE", "STOP_SEQUENCE", "1"),
    "length": ("max_tokens", "MAX_TOKENS", "model_context_window_exceeded", "incomplete:max_output_tokens", "2"),
    "tool_calls": ("tool_use", "TOOL_CALL"),
    "content_filter": (
        *("refusal", "incomplete:content_filter", "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
        *("IMAGE_SAFETY", "MODEL_ARMOR", "ERROR_TOXIC"),
    ),
}
_BY_WORD: Final = {word: finish for finish, words in _FINISH.items() for word in words}


class _SurrogateJoiner:
    """Forwards text, but keeps the first half of a surrogate pair until its second half arrives."""

    __slots__ = ("half",)

    def __init__(self) -> None:
        self.half = ""

    def pass_on(self, text: str) -> str:
        text = self.half + text
        self.half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return join_surrogates(text[:-1] if self.half else text)


class _Call:
    """The state of one tool call."""

    __slots__ = ("arguments", "has_arguments", "index")

    def __init__(self, index: int) -> None:
        self.index = index
        self.arguments = _SurrogateJoiner()
        self.has_arguments = False


class _Choice:
    """The state of one choice."""

    __slots__ = ("begun", "calls", "finish", "reasoning", "text")

    def __init__(self) -> None:
        self.begun = False
        self.text = _SurrogateJoiner()
        self.reasoning = _SurrogateJoiner()
        self.calls: dict[Hashable, _Call] = {}
        self.finish: str | None = None


class ChatEncoder:
    """Converts readings to payloads of a chat completion stream. Ids and times are upstream's, or constant."""

    def __init__(self) -> None:
        self._id = "chatcmpl-0"
        self._created = 0
        self._model = ""
        self._choices: dict[int, _Choice] = {}
        self._calls = 0  # of all choices
        self._usage: dict[str, int] = {}
        self._ended = False
        self._all_finished = False

    def encode(self, reading: Reading) -> list[Any]:
        """Return the chunks for this reading; for an error, the error frame of this dialect."""
        if self._ended:
            return []
        self._note(reading)
        chunks = [chunk for delta in reading.deltas if (chunk := self._encode_delta(delta)) is not None]
        if reading.failure is not None:
            self._ended = True
            chunks.append(OpenAIChat().error_frame(reading.failure)[1])
        elif reading.kind is EventClass.TERMINAL:
            chunks += self._finish(ended=True)
        return chunks

    def _note(self, reading: Reading) -> None:
        self._id = reading.id or self._id
        self._model = reading.model or self._model
        self._created = self._created if reading.created is None else reading.created
        for name, figure in (reading.usage or {}).items():
            self._usage[name] = max(figure, self._usage.get(name, 0))

    def _encode_delta(self, delta: Delta) -> dict[str, Any] | None:
        choice = self._choices.get(delta.choice)
        if choice is None:
            if len(self._choices) >= _MAX_TRACKED:
                return None
            choice = self._choices[delta.choice] = _Choice()
        choice.finish = delta.finish_reason or choice.finish
        said: dict[str, Any] = {}
        if text := choice.text.pass_on(delta.text):
            said["content"] = text
        if reasoning := choice.reasoning.pass_on(delta.reasoning):
            said["reasoning_content"] = reasoning
        if delta.refusal:
            said["refusal"] = join_surrogates(delta.refusal)
        if calls := [call for part in delta.tools if (call := self._encode_call(choice, part)) is not None]:
            said["tool_calls"] = calls
        if not choice.begun and (said or delta.role):
            choice.begun = True
            said = {"role": "assistant", "content": "", **said}
        return self._chunk([{"index": delta.choice, "delta": said, "finish_reason": None}]) if said else None

    def _encode_call(self, choice: _Choice, part: ToolFragment) -> dict[str, Any] | None:
        """Return a piece of a tool call, or None. Calls that the provider runs itself must not reach a client."""
        if part.kind == "hosted":
            return None
        call = choice.calls.get(part.key)
        head: dict[str, Any] = {}
        if call is None:
            if self._calls >= _MAX_TRACKED:
                return None
            self._calls += 1
            call = choice.calls[part.key] = _Call(len(choice.calls))
            head = {"id": part.id or f"call_{call.index}", "type": part.kind}
        # Whole arguments repeat those that were sent in pieces.
        arguments = "" if part.whole and call.has_arguments else call.arguments.pass_on(part.arguments)
        if not head and not arguments:
            return None
        call.has_arguments = call.has_arguments or bool(arguments)
        field = "input" if part.kind == "custom" else "arguments"
        function = {"name": part.name or "", field: arguments} if head else {field: arguments}
        return {"index": call.index, **head, part.kind: function}

    def _finish(self, *, ended: bool) -> list[Any]:
        """Return the pending text, the finish reason of each choice, and the usage."""
        self._ended = True
        ends = [self._finish_choice(index, ended) for index in self._choices]
        self._all_finished = bool(ends) and all(said is not None and said["finish_reason"] for said in ends)
        chunks = [self._chunk([said]) for said in ends if said is not None]
        if self._usage:
            chunks.append({**self._chunk([]), "usage": self._spell_usage()})
        return chunks

    def _finish_choice(self, index: int, ended: bool) -> dict[str, Any] | None:
        choice = self._choices[index]
        rest = {"content": choice.text.half, "reasoning_content": choice.reasoning.half}
        said = {name: join_surrogates(half) for name, half in rest.items() if half}
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
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "choices": choices,
        }

    def end(self) -> list[Any]:
        """Return what ends a complete stream, including the sentinel."""
        return [*([] if self._ended else self._finish(ended=False)), "[DONE]"]

    def is_complete(self) -> bool:
        """Return whether every choice was given a finish reason."""
        return self._all_finished
