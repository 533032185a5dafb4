"""AG-UI, the protocol between agents and user interfaces.

https://docs.ag-ui.com/concepts/events; the classes of the events are in `ag-ui-protocol/ag-ui`,
sdks/python/ag_ui/core/events.py. The names with THINKING are those of earlier versions.
"""

from __future__ import annotations

from .declared import declare

AGUI = declare(
    "ag-ui",
    recognised_by=[
        "[type=RUN_STARTED][runId:text]",
        "[type=TEXT_MESSAGE_START|TEXT_MESSAGE_CONTENT][messageId:text]",
        "[type=RUN_ERROR][message:text]",
    ],
    kind="type",
    text={"TEXT_MESSAGE_CONTENT | TEXT_MESSAGE_CHUNK": "delta"},
    reasoning={
        "REASONING_MESSAGE_CONTENT | REASONING_MESSAGE_CHUNK": "delta",
        "THINKING_TEXT_MESSAGE_CONTENT": "delta",
    },
    tools={
        "TOOL_CALL_START | TOOL_CALL_CHUNK": {"id": "toolCallId", "name": "toolCallName", "arguments": "delta"},
        "TOOL_CALL_ARGS": {"id": "toolCallId", "arguments": "delta"},
    },
    id={"RUN_STARTED": "runId"},
    role={"TEXT_MESSAGE_START": "role"},
    progress=["TOOL_CALL_RESULT", "STATE_DELTA", "ACTIVITY_DELTA"],
    ends="RUN_FINISHED",
    error={"RUN_ERROR": {"message": "message", "code": "code"}},
    error_frame={"data": {"type": "RUN_ERROR", "message": "$message", "code": "$code", "rawEvent": "$error"}},
    varying=["timestamp"],
)
