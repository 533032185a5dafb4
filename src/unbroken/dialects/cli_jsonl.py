"""What the command lines of coding agents print, an event per line.

`claude -p --output-format stream-json`: https://code.claude.com/docs/en/headless, and the messages in
https://code.claude.com/docs/en/agent-sdk/typescript. With `--include-partial-messages` the events of the Messages API
stand in lines of the type `stream_event`, and the `assistant` lines repeat them.
`codex exec --json`: https://developers.openai.com/codex/noninteractive; `openai/codex`, sdk/typescript/src/events.ts.

Both try again by themselves, and print the errors of what they try: only the last line tells a failure.
"""

from __future__ import annotations

from typing import Any, Final

from ..core.dialect import NOTHING, EventClass, Reading
from .declared import declare
from .shapes import as_object

_ATTEMPTS: Final = ("system", "stream_event", "assistant", "user")
_PROGRESS: Final = Reading(EventClass.CONTENT)
_TOOLS: Final = "command_execution|file_change|web_search"
_BLOCKS: Final = "[!parent_tool_use_id].message.content"
_ERRORS: Final = (
    "[subtype=error_during_execution|error_max_turns|error_max_budget_usd|error_max_structured_output_retries]"
)


class ClaudeCLI(
    declare(  # type: ignore[misc]
        "claude-cli",
        recognised_by=[
            "[type=system][subtype=init][session_id:text]",
            "[type=stream_event][event:object][session_id:text]",
            "[type=stream_event][event.type=content_block_start|content_block_delta]",
            "[type=assistant][message.content:list][session_id:text]",
            "[type=result][is_error:bool][session_id:text]",
        ],
        like="anthropic",
        inside="[type=stream_event][!parent_tool_use_id].event",  # others are of agents that it runs
        kind="type",
        text={"assistant": f"{_BLOCKS}.*[type=text].text"},
        reasoning={"assistant": f"{_BLOCKS}.*[type=thinking].thinking"},
        tools={"assistant": {"at": f"{_BLOCKS}.*[type=tool_use]", "id": "id", "name": "name", "whole": "input"}},
        usage={
            "result": {
                "input_tokens": "usage.input_tokens",
                "output_tokens": "usage.output_tokens",
                "cache_read_tokens": "usage.cache_read_input_tokens",
                "cache_write_tokens": "usage.cache_creation_input_tokens",
            }
        },
        id={"system": "session_id"},
        model={"system": "model"},
        progress=["assistant", "user"],
        ends="result",
        error={
            "result": [
                {"at": f"{_ERRORS}[result:text]", "message": "result", "type": "subtype"},
                {"at": _ERRORS, "message": "errors.0", "type": "subtype"},
                "[is_error=true].result",
                {"at": "[is_error=true]", "type": "subtype"},
            ]
        },
        error_frame={
            "data": {
                "type": "result",
                "subtype": "error_during_execution",
                "is_error": True,
                "errors": ["$message"],
                "result": "$message",
                "error": "$error",
            }
        },
        varying=["uuid"],
    )
):
    """The dialect `claude-cli`."""

    name = "claude-cli"

    def __init__(self) -> None:
        super().__init__()
        self._is_partial = False  # messages come in pieces

    def read(self, event: str, payload: Any) -> Reading:
        """Read one line."""
        type = as_object(payload).get("type")
        self._is_partial = self._is_partial or type == "stream_event"
        if type == "assistant" and self._is_partial:
            return _PROGRESS
        reading: Reading = super().read(event, payload)
        if type not in _ATTEMPTS:
            return reading
        # An agent says several messages, and tries again what has failed.
        if reading.kind is EventClass.ERROR:
            return NOTHING
        if reading.begins:
            reading.begins = False
        return reading

    def heartbeat(self) -> bytes | None:
        """Return None: a ping of the Messages API is no line of this command."""
        return None


class CodexExec(
    declare(  # type: ignore[misc]
        "codex-exec",
        recognised_by=[
            "[type=thread.started][thread_id:text]",
            "[type=item.started|item.updated|item.completed][item.id:text][item.type:text]",
        ],
        kind="type",
        text={"item.completed": "item[type=agent_message].text"},
        reasoning={"item.completed": "item[type=reasoning].text"},
        tools={
            "item.started | item.completed": [
                {
                    "at": "item[type=command_execution|web_search|file_change]",
                    "id": "id",
                    "name": "type",
                    "hosted": True,
                },
                {
                    "at": "item[type=mcp_tool_call]",
                    "id": "id",
                    "name": "tool",
                    "whole": "arguments",
                    "hosted": True,
                },
            ]
        },
        usage={
            "turn.completed": {
                "input_tokens": "usage.input_tokens",
                "cached_tokens": "usage.cached_input_tokens",
                "output_tokens": "usage.output_tokens",
                "reasoning_tokens": "usage.reasoning_output_tokens",
            }
        },
        id={"thread.started": "thread_id"},
        progress=["item.started", "item.updated", "item.completed", "error"],
        ends="turn.completed",
        error={"turn.failed": ["error", "."]},
        error_frame={"data": {"type": "turn.failed", "error": "$error"}},
    )
):
    """The dialect `codex-exec`."""

    name = "codex-exec"

    def read(self, event: str, payload: Any) -> Reading:
        """Read one line; an `error` is followed by another attempt, or by the failure of the turn."""
        line = as_object(payload)
        if line.get("type") == "error" and "error" not in line:
            return _PROGRESS
        return super().read(event, payload)  # type: ignore[no-any-return]
