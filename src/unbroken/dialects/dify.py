"""Dify's apps and workflows.

https://docs.dify.ai/en/api-reference/guides/streaming. The kind stands in the payload, beside the `task_id`; a ping is
an event of that name without data.
"""

from __future__ import annotations

from .declared import declare

_WORKFLOW = "workflow_started|workflow_paused|workflow_finished|node_started|node_finished|text_chunk|reasoning_chunk"

# A chat app ends with `message_end`, a workflow with `workflow_finished`, and a chatflow with the one and the other.
Dify = declare(
    "dify",
    recognised_by=[
        "[task_id:text][event=message|agent_message|message_replace][answer:text]",
        "[task_id:text][event=message_end|agent_thought|reasoning_chunk][message_id:text]",
        f"[task_id:text][event={_WORKFLOW}][workflow_run_id:text]",
        "[event=error][status:number][code:text][message:text]",
    ],
    kind="event",
    text={"message | agent_message": "answer", "text_chunk": "data.text"},
    text_whole={"message_replace": "answer"},
    reasoning={"reasoning_chunk": "data.reasoning"},
    reasoning_whole={"agent_thought": "thought"},  # told again with what the tool answered
    part={"agent_thought": "id"},
    tools={"agent_thought": {"key": "id", "name": "tool", "whole": "tool_input", "hosted": True}},
    usage={
        "message_end": "metadata.usage",
        "workflow_finished": {"total_tokens": "data.total_tokens"},
    },
    id={"message | agent_message": "message_id", "workflow_started": "workflow_run_id"},
    progress=["node_finished", "message_file"],
    finish={"workflow_finished": "data.status"},
    ends=["message_end", "workflow_finished"],
    error={"error": ".", "workflow_finished": "data[status=failed].error"},
    pings="ping",
    bare_names="ping",
    error_frame={
        "data": {
            "event": "error",
            "status": "$status",
            "code": "$code",
            "message": "$message",
            "type": "unbroken_error",
        }
    },
    heartbeat={"event": "ping"},
    varying=["created_at"],
)
