"""Official clients that read a body through a local transport, and what they make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anthropic
import cohere
import httpx
import httpx2
import ollama
import openai

MESSAGES: Any = [{"role": "user", "content": "Hello"}]


@dataclass
class Judgement:
    """What a client delivered before it ended, and what it raised."""

    text: str = ""
    reasoning: str = ""
    finish: str | None = None
    calls: dict[Any, list[str]] = field(default_factory=dict)  # by key: name, arguments
    usage: dict[str, int] = field(default_factory=dict)
    error: Exception | None = None

    def add_call(self, key: Any, name: str | None, arguments: str | None) -> None:
        """Take a piece of a tool call."""
        call = self.calls.setdefault(key, ["", ""])
        call[0] = call[0] or name or ""
        call[1] += arguments or ""

    @property
    def tools(self) -> list[tuple[str, str]]:
        """The calls, as name and arguments."""
        return [(name, arguments) for name, arguments in self.calls.values()]


def judged(read: Callable[[Judgement], None]) -> Judgement:
    """Run a client, and keep what it raises."""
    judgement = Judgement()
    try:
        read(judgement)
    except Exception as error:
        judgement.error = error
    return judgement


def _transport(body: bytes, kind: str, library: Any) -> Any:
    answer = library.Response(200, headers={"content-type": kind}, content=body)
    return library.Client(transport=library.MockTransport(lambda request: answer))


def client_of_openai(body: bytes) -> openai.OpenAI:
    """Return a client of OpenAI's that gets this body."""
    return openai.OpenAI(
        api_key="none",
        base_url="http://local",
        max_retries=0,
        http_client=_transport(body, "text/event-stream", httpx2),
    )


def openai_chat(body: bytes) -> Judgement:
    """Read with `chat.completions.create(stream=True)`, as its documentation shows."""

    def read(judgement: Judgement) -> None:
        for chunk in client_of_openai(body).chat.completions.create(model="m", messages=MESSAGES, stream=True):
            for choice in chunk.choices:
                if choice.index == 0:
                    _take_choice(judgement, choice)
            if chunk.usage:
                judgement.usage = chunk.usage.model_dump()

    return judged(read)


def _take_choice(judgement: Judgement, choice: Any) -> None:
    judgement.finish = choice.finish_reason or judgement.finish
    delta = choice.delta
    if delta is None:
        return
    judgement.text += delta.content or ""
    judgement.reasoning += getattr(delta, "reasoning_content", None) or ""
    for call in delta.tool_calls or []:
        custom = getattr(call, "custom", None)
        function = call.function
        if function is not None:
            judgement.add_call(call.index, function.name, function.arguments)
        elif custom:
            judgement.add_call(call.index, custom.get("name"), custom.get("input"))


def openai_completions(body: bytes) -> Judgement:
    """Read with the legacy `completions.create(stream=True)`."""

    def read(judgement: Judgement) -> None:
        for chunk in client_of_openai(body).completions.create(model="m", prompt="Hello", stream=True):
            for choice in chunk.choices:
                judgement.text += choice.text or ""

    return judged(read)


def openai_responses(body: bytes) -> Judgement:
    """Read with `responses.create(stream=True)`."""

    def read(judgement: Judgement) -> None:
        for event in client_of_openai(body).responses.create(model="m", input="Hello", stream=True):
            if event.type == "response.output_text.delta":
                judgement.text += event.delta
            elif event.type in ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"):
                judgement.add_call(event.output_index, None, event.delta)
            elif event.type == "response.failed":
                error = event.response.error
                raise openai.OpenAIError(error.message if error else "failed")
            elif event.type == "error":
                raise openai.OpenAIError(event.message)

    return judged(read)


def _anthropic(body: bytes) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        api_key="none",
        base_url="http://local",
        max_retries=0,
        http_client=_transport(body, "text/event-stream", httpx2),
    )


def anthropic_messages(body: bytes) -> Judgement:
    """Read with `messages.create(stream=True)`."""

    def read(judgement: Judgement) -> None:
        for event in _anthropic(body).messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True):
            if event.type == "content_block_delta":
                judgement.text += getattr(event.delta, "text", None) or ""
                judgement.reasoning += getattr(event.delta, "thinking", None) or ""
            elif event.type == "content_block_start":
                judgement.text += getattr(event.content_block, "text", None) or ""
            elif event.type == "message_delta":
                judgement.finish = event.delta.stop_reason

    return judged(read)


def ollama_chat(body: bytes) -> Judgement:
    """Read with `Client.chat(stream=True)`."""

    def read(judgement: Judgement) -> None:
        client = ollama.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, content=body)))
        for part in client.chat(model="m", messages=MESSAGES, stream=True):
            judgement.text += part.message.content or ""
            judgement.reasoning += part.message.thinking or ""
            for number, call in enumerate(part.message.tool_calls or []):
                arguments = json.dumps(call.function.arguments, separators=(",", ":"), ensure_ascii=False)
                judgement.add_call((len(judgement.calls), number), call.function.name, arguments)

    return judged(read)


def ollama_generate(body: bytes) -> Judgement:
    """Read with `Client.generate(stream=True)`."""

    def read(judgement: Judgement) -> None:
        client = ollama.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, content=body)))
        for part in client.generate(model="m", prompt="Hello", stream=True):
            judgement.text += part.response or ""

    return judged(read)


def cohere_chat(body: bytes) -> Judgement:
    """Read with `ClientV2.chat_stream`, which tells an error as the finish of a message."""

    def read(judgement: Judgement) -> None:
        client = cohere.ClientV2(
            "none", base_url="http://local", httpx_client=_transport(body, "text/event-stream", httpx)
        )
        for event in client.chat_stream(model="m", messages=MESSAGES):
            if event.type == "content-delta":
                content = event.delta.message.content
                judgement.text += content.text or ""
                judgement.reasoning += content.thinking or ""
            elif event.type == "message-end":
                judgement.finish = event.delta.finish_reason
                if judgement.finish == "ERROR":
                    raise RuntimeError(event.delta.error)

    return judged(read)


JUDGES: dict[str, Callable[[bytes], Judgement]] = {
    "openai-chat": openai_chat,
    "openai-completions": openai_completions,
    "openai-responses": openai_responses,
    "anthropic": anthropic_messages,
    "ollama-chat": ollama_chat,
    "ollama-generate": ollama_generate,
    "cohere": cohere_chat,
}
