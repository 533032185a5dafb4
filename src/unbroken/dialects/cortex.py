"""Snowflake's Cortex Agents: events with the names of OpenAI's Responses, and payloads of another form.

https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-agents-run. The event `response` holds the whole
answer; some versions send a `done` behind it. Tools are run by Snowflake, unless it says that the client runs one.
"""

from __future__ import annotations

from .declared import declare

CortexAgents = declare(
    "cortex-agents",
    recognised_by=[
        "[@event=response.text.delta|response.thinking.delta][text:text][content_index:number][!type]",
        "[@event=response.status][status:text][message:text][!type]",
    ],
    kind="@event",
    text={"response.text.delta": "text"},
    text_whole={"response.text": "text"},
    reasoning={"response.thinking.delta": "text"},
    reasoning_whole={"response.thinking": "text"},
    part={"response.text.delta | response.text | response.thinking.delta | response.thinking": "content_index"},
    tools={
        "response.tool_use": {
            "id": "tool_use_id",
            "name": "name",
            "whole": "input",
            "hosted": "[client_side_execute!=true]",
        }
    },
    usage={"response": "usage"},
    role={"response": "role"},
    progress=["response.status", "response.tool_result", "response.tool_result.status", "response.table"],
    ends=["response", "done"],
    error={"error": "."},
    sentinel="[DONE]",
    sentinel_completes=False,
    error_frame={"event": "error", "data": {"code": "$code", "message": "$message", "type": "unbroken_error"}},
)
