"""Healthy answers in each dialect, and the faults that are made of them: what a provider's server would write."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WORDS = ("Hello ", "from ", "the ", "model.")
TEXT = "".join(WORDS)
CALLS = (("call_a", '{"city":"Rome"}'), ("call_b", '{"city":"Oslo"}'))
TOOL = "get_weather"
UPSTREAM_SAYS = "the engine is on fire"
SILENCE = 1.0
"""Seconds of a silence; the proxy's heartbeat is a third of it."""

Payload = tuple[str | None, Any]  # the event's name, and the JSON value or the bytes of its data
RESET = "reset"
Step = bytes | float | str  # what is written, a pause in seconds, or `RESET`
SAID, CALLED, ONE_CALL = "said", "called", "one call"


@dataclass(frozen=True)
class Provider:
    """How one provider's server answers. `answer` gives the payloads of a text, of two calls, or of one call."""

    name: str  # of the dialect
    answer: Callable[[str], list[Payload]]
    error: Payload
    refusal: Any  # the body of a 429
    lines: bool = False  # NDJSON
    line_end: bytes = b"\n"

    def frame(self, payload: Payload, id: int | None = None, *, blank: bool = True) -> bytes:
        """Write one payload; `blank=False` leaves out what ends the frame."""
        name, value = payload
        body = value if isinstance(value, bytes) else _json(value)
        if self.lines:
            return body + (b"\n" if blank else b"")
        head = b"" if id is None else b"id: %d\n" % id
        head += b"" if name is None else b"event: " + name.encode() + self.line_end
        return head + b"data: " + body + self.line_end * (1 + blank)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _halves(text: str) -> tuple[str, str]:
    return text[:8], text[8:]


# Each answer puts its two calls where the fault wants them: at one index, where the dialect has an index.


def _chat(what: str) -> list[Payload]:
    def chunk(delta: Any, finish: str | None = None) -> Payload:
        return None, {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1700000000,
            "model": "gpt-x",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }

    told = [chunk({"role": "assistant", "content": ""})]
    if what == SAID:
        told += [chunk({"content": word}) for word in WORDS]
    for id, arguments in _calls(what):
        head = {"index": 0, "id": id, "type": "function", "function": {"name": TOOL, "arguments": ""}}
        told.append(chunk({"tool_calls": [head]}))
        told += [
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in _halves(arguments)
        ]
    told.append(chunk({}, "stop" if what == SAID else "tool_calls"))
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    told.append((None, {**told[0][1], "choices": [], "usage": usage}))
    return [*told, (None, b"[DONE]")]


def _calls(what: str) -> Sequence[tuple[str, str]]:
    return {SAID: (), CALLED: CALLS, ONE_CALL: CALLS[:1]}[what]


class _Responses:
    """Writes the events of the Responses API, numbered."""

    def __init__(self) -> None:
        self.told: list[Payload] = []

    def event(self, type: str, **fields: Any) -> None:
        self.told.append((type, {"type": type, "sequence_number": len(self.told), **fields}))

    def response(self, status: str, output: Sequence[Any] = (), usage: Any = None) -> dict[str, Any]:
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": 1700000000,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": None,
            "model": "gpt-x",
            "output": list(output),
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "reasoning": {"effort": None, "summary": None},
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "text": {"format": {"type": "text"}},
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage,
            "user": None,
            "metadata": {},
        }

    def message(self) -> dict[str, Any]:
        at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        item = {"id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant", "content": []}
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        self.event("response.output_item.added", output_index=0, item=item)
        self.event("response.content_part.added", **at, part=part)
        for word in WORDS:
            self.event("response.output_text.delta", **at, delta=word, logprobs=[])
        self.event("response.output_text.done", **at, text=TEXT, logprobs=[])
        part = {**part, "text": TEXT}
        self.event("response.content_part.done", **at, part=part)
        item = {**item, "status": "completed", "content": [part]}
        self.event("response.output_item.done", output_index=0, item=item)
        return item

    def call(self, number: int, id: str, arguments: str) -> dict[str, Any]:
        at = {"item_id": f"fc_{number}", "output_index": 0}
        item = {"type": "function_call", "id": f"fc_{number}", "call_id": id, "name": TOOL, "arguments": ""}
        self.event("response.output_item.added", output_index=0, item={**item, "status": "in_progress"})
        for piece in _halves(arguments):
            self.event("response.function_call_arguments.delta", **at, delta=piece)
        self.event("response.function_call_arguments.done", **at, arguments=arguments, name=TOOL)
        item = {**item, "arguments": arguments, "status": "completed"}
        self.event("response.output_item.done", output_index=0, item=item)
        return item


def _responses(what: str) -> list[Payload]:
    writer = _Responses()
    writer.event("response.created", response=writer.response("in_progress"))
    writer.event("response.in_progress", response=writer.response("in_progress"))
    if what == SAID:
        output = [writer.message()]
    else:
        output = [writer.call(number, *call) for number, call in enumerate(_calls(what))]
    usage = {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 7,
    }
    writer.event("response.completed", response=writer.response("completed", output, usage))
    return writer.told


def _anthropic(what: str) -> list[Payload]:
    def event(type: str, **fields: Any) -> Payload:
        return type, {"type": type, **fields}

    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": []}
    ends = {"stop_reason": None, "stop_sequence": None}
    told = [event("message_start", message={**message, **ends, "usage": {"input_tokens": 3, "output_tokens": 1}})]
    if what == SAID:
        told.append(event("content_block_start", index=0, content_block={"type": "text", "text": ""}))
        told += [event("content_block_delta", index=0, delta={"type": "text_delta", "text": word}) for word in WORDS]
        told.append(event("content_block_stop", index=0))
    for id, arguments in _calls(what):
        block = {"type": "tool_use", "id": id, "name": TOOL, "input": {}}
        told.append(event("content_block_start", index=0, content_block=block))
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in _halves(arguments)]
        told += [event("content_block_delta", index=0, delta=delta) for delta in deltas]
        told.append(event("content_block_stop", index=0))
    reason = "end_turn" if what == SAID else "tool_use"
    told.append(event("message_delta", delta={**ends, "stop_reason": reason}, usage={"output_tokens": 4}))
    return [*told, event("message_stop")]


def _gemini(what: str) -> list[Payload]:
    if what == SAID:
        parts: list[Any] = [{"text": word} for word in WORDS]
    else:
        parts = [{"functionCall": {"name": TOOL, "args": json.loads(arguments)}} for _, arguments in _calls(what)]
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}
    told: list[Payload] = []
    for part in parts:
        candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": 0}
        about = {"usageMetadata": usage, "modelVersion": "gemini-x", "responseId": "r1"}
        told.append((None, {"candidates": [candidate], **about}))
    told[-1][1]["candidates"][0]["finishReason"] = "STOP"
    return told


def _ollama(what: str) -> list[Payload]:
    def line(message: Any, **fields: Any) -> Payload:
        message = {"role": "assistant", "content": "", **message}
        return None, {"model": "llama-x", "created_at": "2026-01-01T00:00:00Z", "message": message, **fields}

    if what == SAID:
        told = [line({"content": word}, done=False) for word in WORDS]
    else:
        calls = [{"function": {"name": TOOL, "arguments": json.loads(arguments)}} for _, arguments in _calls(what)]
        told = [line({"tool_calls": [call]}, done=False) for call in calls]
    figures = dict.fromkeys(("total_duration", "load_duration", "prompt_eval_count", "eval_count"), 1)
    return [*told, line({}, done=True, done_reason="stop", **figures)]


_OPENAI_REFUSAL = {"message": UPSTREAM_SAYS, "type": "rate_limit_error", "code": "rate_limit_exceeded", "param": None}
_OPENAI_ERROR = {"message": UPSTREAM_SAYS, "type": "server_error", "code": "server_overloaded", "param": None}
_FLAT = {"type": "error", "sequence_number": 99, "code": "server_error", "message": UPSTREAM_SAYS, "param": None}

PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider("openai-chat", _chat, (None, {"error": _OPENAI_ERROR}), {"error": _OPENAI_REFUSAL}),
        Provider("openai-responses", _responses, ("error", _FLAT), {"error": _OPENAI_REFUSAL}),
        Provider(
            "anthropic",
            _anthropic,
            ("error", {"type": "error", "error": {"type": "overloaded_error", "message": UPSTREAM_SAYS}}),
            {"type": "error", "error": {"type": "rate_limit_error", "message": UPSTREAM_SAYS}},
        ),
        Provider(
            "gemini",
            _gemini,
            (None, {"error": {"code": 503, "message": UPSTREAM_SAYS, "status": "UNAVAILABLE"}}),
            {"error": {"code": 429, "message": UPSTREAM_SAYS, "status": "RESOURCE_EXHAUSTED"}},
            line_end=b"\r\n",
        ),
        Provider("ollama", _ollama, (None, {"error": UPSTREAM_SAYS}), {"error": UPSTREAM_SAYS}, lines=True),
    )
}


# The faults


WHOLE, RAISES, THEIRS, RIGHT = "whole", "raises", "theirs", "right"


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and what is due.

    `due`: `WHOLE`, all text and no error; `RAISES`, an exception that holds the sentence of `code`; `THEIRS`, one that
    holds upstream's words; `RIGHT`, both tool calls. `named`: also tried with the dialect named.
    """

    name: str
    meaning: str
    due: str = WHOLE
    code: str = ""
    named: bool = False
    text: str = TEXT


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("healthy", "nothing is wrong"),
        Fault("silence", f"healthy, with a silence of {SILENCE:g} s in the middle"),
        Fault("silence-first", f"healthy, after a silence of {SILENCE:g} s", named=True),
        Fault("silence-ids", "healthy, each event with an `id:`, with a silence in the middle"),
        Fault("no-blank-lines", "what ends each frame is missing: blank lines, in NDJSON line ends"),
        Fault("bad-utf8", "a byte that is not UTF-8 in a word", text=TEXT.replace("from", "fr\ufffdom")),
        Fault("bad-json", "the JSON of one word ends in its middle", text=TEXT.replace("from ", "")),
        Fault("cut", "a clean end after two words", RAISES, "truncated"),
        Fault("break", "the connection is reset after two words", RAISES, "upstream-failed"),
        Fault("cut-in-call", "a clean end in the arguments of a tool call", RAISES, "truncated"),
        Fault("break-first", "the connection is reset before the first byte", RAISES, "upstream-failed", named=True),
        Fault("page", "status 200 and a page of HTML", RAISES, "not-a-stream", named=True),
        Fault("empty", "status 200 and nothing", RAISES, "empty", named=True),
        Fault("status-429", "status 429 and the provider's JSON", RAISES, "rate-limited", named=True),
        Fault("error", "the provider's own error after two words", THEIRS),
        Fault("calls", "two tool calls at one index (Gemini and Ollama have no index)", RIGHT),
    )
}


WITHOUT_IDS = ("gemini", "ollama")
"""Dialects whose servers write no ids: Google's clients fail at one, and lines have no place for it."""


def script(provider: Provider, fault: str, what: str = SAID) -> list[Step]:
    """Return what the server does; the status and the content type are the server's business."""
    if fault in ("calls", "cut-in-call"):
        called = [provider.frame(payload) for payload in provider.answer(CALLED)]
        if fault == "calls":
            return list(called)
        return list(called[: 1 + next(at for at, frame in enumerate(called) if b"city" in frame)])
    payloads = provider.answer(what)
    frames = [provider.frame(payload) for payload in payloads]
    middle = _middle(frames)
    early: dict[str, list[Step]] = {
        "break-first": [0.1, RESET],
        "page": [b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"],
        "empty": [],
        "silence-first": [SILENCE, *frames],
    }
    if fault in early:
        return early[fault]
    if fault == "silence-ids":
        frames = [provider.frame(payload, number) for number, payload in enumerate(payloads)]
    before, after = frames[:middle], frames[middle:]
    behind: dict[str, list[Step]] = {
        "cut": [],
        "break": [0.1, RESET],
        "error": [provider.frame(provider.error)],
        "silence": [SILENCE, *after],
        "silence-ids": [SILENCE, *after],
    }
    if fault in behind:
        return [*before, *behind[fault]]
    if fault == "no-blank-lines":
        return [provider.frame(payload, blank=False) for payload in payloads]
    if fault == "bad-utf8":
        before[-1] = before[-1].replace(b"from ", b"fr\xffom ").replace(b"ome", b"o\xffme")
    elif fault == "bad-json":
        end = b"\n" if provider.lines else b"\n\n"
        before[-1] = before[-1][: max(before[-1].find(b"from"), before[-1].find(b"ome")) - 6] + end
    return [*before, *after]


def _middle(frames: list[bytes]) -> int:
    """Return how many frames end with the second word, or with the second piece of the arguments."""
    says = (WORDS[1].encode(), b'ome\\"}"')
    return 1 + next(at for at, frame in enumerate(frames) if any(word in frame for word in says))
