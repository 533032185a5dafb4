"""The streams of Vercel's AI SDK.

https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol, and the schema of the chunks in `vercel/ai`,
packages/ai/src/ui-message-stream/ui-message-chunks.ts: it is strict, so that an error may hold nothing but its text.
"""

from __future__ import annotations

from typing import Any

from ..core.dialect import Reading
from ..core.events import Format
from .declared import declare

_CALL = {"id": "toolCallId", "name": "toolName", "hosted": "providerExecuted"}

# Version 5 and later, marked by the header `x-vercel-ai-ui-message-stream: v1`.
AISDKUI = declare(
    "ai-sdk-ui",
    recognised_by=[
        "[type=start][messageId:text]",
        "[type=start-step]",
        "[type=text-start|reasoning-start][id:text]",
        "[type=text-delta|reasoning-delta][id:text][delta:text]",
        "[type=tool-input-start|tool-input-delta|tool-input-available][toolCallId:text]",
        "[type=error][errorText:text]",
    ],
    kind="type",
    text={"text-delta": "delta"},
    reasoning={"reasoning-delta": "delta"},
    tools={
        "tool-input-start": _CALL,
        "tool-input-delta": {"id": "toolCallId", "arguments": "inputTextDelta"},
        "tool-input-available | tool-input-error": {**_CALL, "whole": "input"},
    },
    id={"start": "messageId"},
    begins="start",
    progress=["tool-output-available", "file", "source-url", "source-document"],
    finish={"finish": "finishReason", "abort": "type"},  # `abort` ends an answer that is not whole
    ends="finish",
    sentinel="[DONE]",
    sentinel_completes=False,  # it follows an error, too
    error={"error": "errorText"},
    error_frame={"data": {"type": "error", "errorText": "$message"}},
)


# Version 4, marked by the header `x-vercel-ai-data-stream: v1`: lines of a code and a value, packages/ui-utils/src/
# data-stream-parts.ts. The framing shows it, and no payload does.
class AISDKData(
    declare(  # type: ignore[misc]  # mypy takes no call for a base class
        "ai-sdk-data-v4",
        kind="@event",
        text={"0": "value"},
        reasoning={"g": "value"},
        tools={
            "b": {"id": "toolCallId", "name": "toolName"},
            "c": {"id": "toolCallId", "arguments": "argsTextDelta"},
            "9": {"id": "toolCallId", "name": "toolName", "whole": "args"},
        },
        usage={"d|e": {"input_tokens": "usage.promptTokens", "output_tokens": "usage.completionTokens"}},
        id={"f": "messageId"},
        progress=["a", "h", "k"],  # results of tools, sources, files
        finish={"d": "finishReason"},  # `e` ends a step, which another may follow
        ends="d",
        error={"3": "value"},
        error_frame={"event": "3", "data": "$message"},
    )
):
    """Values that are no objects are read as `{"value": ...}`."""

    name = "ai-sdk-data-v4"
    framing = Format.CODED_LINES

    def read(self, event: str, payload: Any) -> Reading:
        """Read one line by its code."""
        reading: Reading = super().read(event, payload if isinstance(payload, dict) else {"value": payload})
        return reading
