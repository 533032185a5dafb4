"""The dialects that are loaded when they are needed, each with the marks by which its payloads are found.

A mark is a key of the payload, a key with its value, or the name of the event: what the first condition of each way to
recognise the dialect asks for. A payload without any costs one comparison of its keys, and loads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from ..core.dialect import Dialect

_EVENT: Final = "@event"
# By name: the module and the marks, separated by blanks. The order is the one in which they are asked.
_DIALECTS: Final[Mapping[str, tuple[str, str]]] = {
    "ai-sdk-ui": (
        "ai_sdk",
        "type=start type=start-step type=text-start type=text-delta type=reasoning-start type=reasoning-delta "
        "type=tool-input-start type=tool-input-delta type=tool-input-available type=error",
    ),
    "ai-sdk-data-v4": ("ai_sdk", ""),  # by its framing
    "ag-ui": ("ag_ui", "type=RUN_STARTED type=TEXT_MESSAGE_START type=TEXT_MESSAGE_CONTENT type=RUN_ERROR"),
    "dify": ("dify", "task_id event=error"),
    "gemini-code-assist": ("google", "response"),
    "gemini-interactions": (
        "google",
        "event_type=content.delta event_type=interaction.created event_type=interaction.start "
        "event_type=interaction.status_update event_type=step.delta event_type=step.start",
    ),
    "google-adk": ("google", "invocationId"),
    "langgraph": (
        "langchain",
        "@event=messages @event=messages/complete @event=messages/partial @event=metadata",
    ),
    "langserve": ("langchain", "@event=data"),
    "a2a-0.3": ("a2a", "jsonrpc=2.0"),
    "a2a-1.0": ("a2a", "artifactUpdate jsonrpc=2.0 message statusUpdate task"),
    "claude-cli": ("cli_jsonl", "type=assistant type=result type=stream_event type=system"),
    "codex-exec": ("cli_jsonl", "type=item.completed type=item.started type=item.updated type=thread.started"),
    "n8n": ("flow_builders", "type=begin type=end type=error type=item"),
    "langflow": ("flow_builders", "event=add_message event=token event=vertices_sorted"),
    "langflow-responses": ("flow_builders", "object=response.chunk"),
    "flowise": ("flow_builders", "event=start event=thinking event=token"),
    "agentcore-strands": ("strands", "event init_event_loop=true"),
    "coze": (
        "coze",
        "@event=conversation.chat.created @event=conversation.chat.failed "
        "@event=conversation.chat.in_progress @event=conversation.message.completed "
        "@event=conversation.message.delta",
    ),
    # Model servers and clouds
    "cody-completions": ("cody", "@event=completion"),
    "cortex-agents": ("cortex", "@event=response.text.delta @event=response.thinking.delta @event=response.status"),
    "dashscope": ("dashscope", "request_id"),
    "koboldcpp": ("llamacpp", "token"),
    "llamacpp-completion": ("llamacpp", "id_slot slot_id"),
    "openai-assistants": (
        "openai_assistants",
        "object=thread.run object=thread.run.step object=thread.message object=thread.message.delta "
        "object=thread.run.step.delta",
    ),
    "openai-transcription": (
        "openai_transcription",
        "type=transcript.text.delta type=transcript.text.done type=transcript.text.segment",
    ),
    "replicate": ("replicate", "@event=output"),
    "sap-orchestration": ("sap", "request_id"),
    "sglang-generate": ("sglang", "meta_info"),
    "watsonx-generation": ("watsonx", "model_id"),
    "workers-ai": ("workers_ai", "p"),
}


class ShelvedDialects:
    """The dialects of this package that are loaded by name or by mark."""

    def __init__(self, dialects: Mapping[str, tuple[str, str]]) -> None:
        self.names: Final = tuple(dialects)
        self._modules = {name: module for name, (module, _) in dialects.items()}
        self._loaded: dict[str, type[Dialect]] = {}
        self._by_key: dict[str, tuple[str, ...]] = {}
        self._by_value: dict[str, dict[str, tuple[str, ...]]] = {}
        for name, (_, marks) in dialects.items():
            for mark in marks.split():
                self._add(name, *mark.partition("="))
        self._by_event = self._by_value.pop(_EVENT, {})
        self._keys = frozenset((*self._by_key, *self._by_value))

    def _add(self, name: str, key: str, sign: str, value: str) -> None:
        known: dict[str, tuple[str, ...]] = self._by_value.setdefault(key, {}) if sign else self._by_key
        at = value if sign else key
        known[at] = (*known.get(at, ()), name)

    def load(self, name: str) -> type[Dialect]:
        """Return the dialect of this name. Raises `KeyError` if there is none."""
        if name not in self._loaded:
            module = import_module(f".{self._modules[name]}", __package__)
            for value in vars(module).values():
                if isinstance(value, type) and issubclass(value, Dialect) and value.__dict__.get("name") in self.names:
                    self._loaded[value.name] = value
        return self._loaded[name]

    def candidates(self, event: str, payload: Any) -> Sequence[str]:
        """Return the names of those dialects of which this payload has a mark."""
        found = () if event == "message" else self._by_event.get(event, ())
        if payload.__class__ is not dict or self._keys.isdisjoint(payload):
            return found
        for key in self._keys & payload.keys():
            marked, value = self._by_key.get(key, ()), payload[key]
            if value.__class__ is str and key in self._by_value:
                marked += self._by_value[key].get(value, ())
            if marked:
                found += marked
        return found if len(found) < 2 else sorted({*found}, key=self.names.index)


SHELVED: Final = ShelvedDialects(_DIALECTS)
