"""Google's streams beside the Gemini API: Code Assist, the Interactions API, and agents of the Agent Development Kit.

Code Assist wraps Gemini's responses: `google-gemini/gemini-cli`, packages/core/src/code_assist/converter.ts.
Interactions: https://ai.google.dev/gemini-api/docs/streaming; the events are in `googleapis/js-genai`,
src/gaos/models/interactions. The kit: https://google.github.io/adk-docs/events/, and `google/adk-python`,
src/google/adk/cli (`/run_sse`), src/google/adk/events/event.py (`is_final_response`).
"""

from __future__ import annotations

from typing import Any

from ..core.dialect import Delta, Part, Reading
from .declared import declare
from .shapes import as_list, as_object

# Errors come without the wrapper.
GeminiCodeAssist = declare(
    "gemini-code-assist",
    recognised_by=[
        "[response:object][response.candidates:list]",
        "[response:object][response.usageMetadata:object]",
        "[response:object][response.promptFeedback:object]",
    ],
    like="gemini",
    inside="response",
)

# The names with `content` are those of the earlier version of the API, without steps.
GeminiInteractions = declare(
    "gemini-interactions",
    recognised_by=[
        "[event_type=interaction.created|interaction.start][interaction:object]",
        "[event_type=interaction.status_update][interaction_id:text][status:text]",
        "[event_type=step.start][index:number][step:object]",
        "[event_type=step.delta|content.delta][index:number][delta:object]",
    ],
    kind="event_type",
    text={"step.delta | content.delta": "delta[type=text].text"},
    reasoning={"step.delta | content.delta": "delta[type=thought_summary].content.text"},
    tools={
        "step.start": {"at": "[step.type=function_call]", "key": "index", "id": "step.id", "name": "step.name"},
        "step.delta": {"at": "[delta.type=arguments_delta]", "key": "index", "arguments": "delta.arguments"},
    },
    usage={
        "interaction.completed | interaction.complete": {
            "input_tokens": "interaction.usage.total_input_tokens",
            "output_tokens": "interaction.usage.total_output_tokens",
            "thought_tokens": "interaction.usage.total_thought_tokens",
            "cached_tokens": "interaction.usage.total_cached_tokens",
            "total_tokens": "interaction.usage.total_tokens",
        }
    },
    id={"interaction.created | interaction.start": "interaction.id"},
    model={"interaction.created | interaction.start": "interaction.model"},
    progress=["step.delta", "content.delta"],
    finish={
        "interaction.completed | interaction.complete": "interaction.status",
        "interaction.status_update": "[status!=in_progress|queued].status",
    },
    ends=["interaction.completed", "interaction.complete"],
    sentinel="[DONE]",
    sentinel_completes=False,  # it follows an error, too
    error={"error": "error"},
    error_frame={"event": "error", "data": {"event_type": "error", "error": "$error"}},
)

_WHOLE = "[partial!=true].content.parts.*"


# The stream has no terminator: the event that is not partial is the last one of what a model said.
class GoogleADK(
    declare(  # type: ignore[misc]
        "google-adk",
        recognised_by="[invocationId:text][author:text][actions:object]",
        text="[partial=true].content.parts.*[!thought].text",
        reasoning="[partial=true].content.parts.*[thought].text",
        text_whole=f"{_WHOLE}[!thought].text",
        reasoning_whole=f"{_WHOLE}[thought].text",
        tools={"at": f"{_WHOLE}.functionCall", "id": "id", "name": "name", "whole": "args"},
        usage={
            "input_tokens": "usageMetadata.promptTokenCount",
            "output_tokens": "usageMetadata.candidatesTokenCount",
            "total_tokens": "usageMetadata.totalTokenCount",
            "cached_tokens": "usageMetadata.cachedContentTokenCount",
            "thought_tokens": "usageMetadata.thoughtsTokenCount",
        },
        id="invocationId",
        model="modelVersion",
        finish="finishReason",
        complete_when="[partial!=true]",
        error=[{"message": "errorMessage", "code": "errorCode"}, "error"],
        error_frame={"data": {"error": "$message", "code": "$code", "type": "unbroken_error"}},
        keys=["functionResponse"],
        varying=["id", "timestamp"],
    )
):
    """The dialect `google-adk`: what a model said is repeated whole at its end, and another model may go on."""

    name = "google-adk"

    def __init__(self) -> None:
        super().__init__()
        self._ended = False  # what follows is said by another call of a model

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event; after the result of a tool a model goes on, unless the result is the answer."""
        reading: Reading = super().read(event, payload)
        if reading.deltas and self._ended:
            reading.deltas = (Delta(parts=(Part("text"), Part("reasoning"))), *reading.deltas)
            self._ended = False
        payload = as_object(payload)
        parts = as_list(as_object(payload.get("content")).get("parts"))
        if any("functionResponse" in as_object(part) for part in parts):
            self.whole = as_object(payload.get("actions")).get("skipSummarization") is True
        self._ended = self._ended or (bool(parts) and payload.get("partial") is not True)
        return reading
