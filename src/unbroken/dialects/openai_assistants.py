"""OpenAI's Assistants, version 2: the events of a run.

https://platform.openai.com/docs/api-reference/assistants-streaming/events. A run ends with its own status; `[DONE]`
follows failures, too.
"""

from __future__ import annotations

from typing import Any

from ..core.dialect import Reading
from .declared import declare
from .shapes import as_label

_OVER = "completed|incomplete|requires_action|failed|cancelled|expired"


class OpenAIAssistants(
    declare(  # type: ignore[misc]  # a base that is made by a call
        "openai-assistants",
        recognised_by=[
            "[object=thread.run][id:text][status:text]",
            "[object=thread.run.step|thread.message][id:text]",
            "[object=thread.message.delta|thread.run.step.delta][delta:object]",
        ],
        kind="object",
        text={"thread.message.delta": "delta.content.*[type=text].text.value"},
        refusal={"thread.message.delta": "delta.content.*[type=refusal].refusal"},
        tools={
            "thread.run.step.delta": {
                "at": "delta.step_details.tool_calls.*[type=function]",
                "key": "index",
                "id": "id",
                "name": "function.name",
                "arguments": "function.arguments",
            }
        },
        usage={"thread.run": ["usage", {"cached_tokens": "usage.prompt_token_details.cached_tokens"}]},
        id={"thread.run": "id"},
        model={"thread.run": "model"},
        created={"thread.run": "created_at"},
        role={"thread.message": "role"},
        progress="thread.run.step.delta",
        finish={"thread.run": ["[status=incomplete].incomplete_details.reason", f"[status={_OVER}].status"]},
        fails="expired",
        ends={"thread.run": "[status=completed|incomplete|requires_action]"},
        sentinel="[DONE]",
        sentinel_completes=False,
        error={"thread.run": "last_error"},
    )
):
    """Events of a run. Calls have an index within their step."""

    name = "openai-assistants"

    def __init__(self) -> None:
        super().__init__()
        self._step: str | None = None

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event."""
        if isinstance(payload, dict) and payload.get("object") == "thread.run.step.delta":
            self._step = as_label(payload.get("id"))
        reading: Reading = super().read(event, payload)
        return reading

    def key_of_call(self, told: str | None, id: str | None, *, named: bool, new: bool) -> Any:
        """Return what tells a call apart: its step and its index there."""
        return super().key_of_call(told and f"{self._step} {told}", id, named=named, new=new)
