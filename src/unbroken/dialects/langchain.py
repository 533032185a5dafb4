"""Servers of LangChain: LangGraph's, and LangServe.

https://docs.langchain.com/langsmith/streaming; the events are in `langchain-ai/langgraphjs`,
libs/sdk/src/types.stream.ts.
LangServe: `langchain-ai/langserve`, langserve/api_handler.py. Messages are those of LangChain, serialised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..core.dialect import Delta, EventClass, Reading
from .declared import declare
from .paths import Path
from .shapes import as_label, as_said

_MAX_MESSAGES: Final = 1024
_GROWING: Final = ("messages/partial", "messages/complete")
_LAST: Final = ("finish_reason", "stop_reason", "done_reason", "stopReason")


def _texts(message: str) -> list[str]:
    """Return where the text of a message stands: its content is a text, or a list of blocks."""
    return [f"{message}.content", f"{message}.content.*[type=text].text"]


def _thoughts(message: str) -> list[str]:
    blocks = [f"{message}.content.*[type={type}].{type}" for type in ("thinking", "reasoning")]
    return [f"{message}.additional_kwargs.reasoning_content", *blocks]


def _calls(message: str) -> dict[str, str]:
    at = f"{message}.tool_call_chunks.*"
    return {"at": at, "key": "index", "id": "id", "name": "name", "arguments": "args"}


_AI: Final = "0[type=AIMessageChunk|ai]"
_MESSAGES: Final = "messages | messages/partial | messages/complete"
_ID: Final = Path("0.id").first
_TEXT: Final = [Path(path) for path in _texts(_AI)]
_REASONING: Final = [Path(path) for path in _thoughts(_AI)]


# `messages` holds a piece of a message, and of which node it is; `messages/partial` the message so far, and
# `messages/complete` all of it. Older servers end with `end`; newer ones close, behind a state or the end of a message.
class LangGraph(
    declare(  # type: ignore[misc]
        "langgraph",
        recognised_by=[
            "[@event=metadata][run_id:text][attempt:number]",
            "[@event=messages|messages/partial|messages/complete][0.type:text][0.content]",
        ],
        kind="@event",
        text={"messages": _texts(_AI)},
        reasoning={"messages": _thoughts(_AI)},
        tools={
            "messages": _calls(_AI),
            "messages/complete": {"at": f"{_AI}.tool_calls.*", "id": "id", "name": "name", "whole": "args"},
        },
        usage={_MESSAGES: "0.usage_metadata"},
        id={"metadata": "run_id"},
        finish={_MESSAGES: f"{_AI}.response_metadata.finish_reason"},
        progress=["updates", "values", "custom", "messages/partial"],
        ends="end",
        bare_names="end",
        complete_when={
            "values | updates | messages/complete": True,
            "messages": ["0.usage_metadata", "0[chunk_position=last]", "0[type=ai]"],
            "messages | messages/partial": [f"0.response_metadata.{key}" for key in _LAST],
        },
        error={"error": {"message": "message", "type": "error"}},
        error_frame={
            "event": "error",
            "data": {"error": "$code", "message": "$message", "code": "$code", "type": "unbroken_error"},
        },
    )
):
    """The dialect `langgraph`: what a message has grown by is counted."""

    name = "langgraph"
    steady = False
    whole: bool

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[tuple[str, str | None], int] = {}  # characters, by field and message

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event; the name of an event of a graph within the graph has that graph's name behind it."""
        event = event.partition("|")[0]
        if event not in _GROWING:
            return super().read(event, payload)  # type: ignore[no-any-return]
        before, self.whole = self.whole, False
        reading: Reading = super().read(event, payload)
        id = as_label(_ID(payload))
        delta = Delta(text=self._grown(id, "text", payload), reasoning=self._grown(id, "reasoning", payload))
        if delta.text or delta.reasoning:
            self.note(delta, True, self.whole)
            return Reading(EventClass.CONTENT, (delta, *reading.deltas), reading.usage, reading.failure)
        self.whole = self.whole or before
        return reading

    def _grown(self, id: str | None, field: str, payload: Any) -> str:
        """Return what is new in a message."""
        said = _said(_TEXT if field == "text" else _REASONING, payload)
        told = self._told.get((field, id), 0)
        if len(said) <= told or (not told and len(self._told) >= _MAX_MESSAGES):
            return ""
        self._told[field, id] = len(said)
        return said[told:]


class LangServe(
    declare(  # type: ignore[misc]
        "langserve",
        recognised_by="[@event=data][type=AIMessageChunk][content]",
        kind="@event",
        text={"data": _texts("[type=AIMessageChunk]")},
        reasoning={"data": _thoughts("[type=AIMessageChunk]")},
        tools={"data": _calls("[type=AIMessageChunk]")},
        usage={"data": "usage_metadata"},
        id={"metadata": "run_id"},
        progress="data",
        ends="end",
        bare_names="end",
        error={"error": "."},
        error_frame={
            "event": "error",
            "data": {"status_code": "$status", "message": "$message", "code": "$code", "type": "unbroken_error"},
        },
    )
):
    """The dialect `langserve`. Chains that end in a parser send texts, by which it is not recognised: name it."""

    name = "langserve"

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event: a message, or a JSON text."""
        if event == "data" and isinstance(payload, str) and payload:
            delta = Delta(text=payload)
            self.note(delta, True, False)
            return Reading(EventClass.CONTENT, (delta,))
        return super().read(event, payload)  # type: ignore[no-any-return]


def _said(paths: Sequence[Path], payload: Any) -> str:
    """Return what the first of the paths says that says something."""
    for path in paths:
        if text := "".join(map(as_said, path.all(payload))):
            return text
    return ""
