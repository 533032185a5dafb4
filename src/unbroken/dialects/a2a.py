"""Agent2Agent, the protocol between agents, as JSON-RPC and as plain HTTP.

Version 0.3: https://a2a-protocol.org/v0.3.0/specification/; a result has a `kind`, and the last status is `final`.
Version 1.0: https://a2a-protocol.org/latest/specification/ (`StreamResponse`); the member says what a result is, and
the states have longer names. What changed: https://a2a-protocol.org/latest/whats-new-v1/.
The text of a task is in its artifacts; a status has words of its own, which are the answer if it is the last one.
"""

from __future__ import annotations

from typing import Any, Final

from ..core.dialect import Reading
from .declared import declare
from .shapes import as_object

# -32603 is JSON-RPC's "internal error".
_OURS: Final = {"code": -32603, "message": "$message", "type": "unbroken_error", "reason": "$code"}
_ERROR: Final = {"data": {"jsonrpc": "2.0", "id": None, "error": _OURS}}
_RESULTS: Final = "status-update | task"

# The Model Context Protocol is JSON-RPC, too, and no answer: its results have no `kind`.
A2A03 = declare(
    "a2a-0.3",
    recognised_by=[
        "[jsonrpc=2.0][result.kind=task|status-update][result.status.state:text]",
        "[jsonrpc=2.0][result.kind=artifact-update][result.artifact.parts:list]",
        "[jsonrpc=2.0][result.kind=message][result.role=agent][result.parts:list]",
    ],
    kind="result.kind",
    text={"artifact-update": "result.artifact.parts.*.text", "message": "result.parts.*.text"},
    text_whole={
        "task": "result[status.state=completed].artifacts.*.parts.*.text",
        "status-update": "result[final=true].status[state!=failed].message.parts.*.text",
    },
    id={"task": "result.id", "status-update | artifact-update": "result.taskId", "message": "result.messageId"},
    progress=["status-update"],
    finish={
        "task": "result.status[state=completed|input-required|auth-required].state",
        "status-update": "result[final=true].status.state",
    },
    fails="rejected",
    ends={"message": True, "status-update": "result[final=true]", "task": "result.status[state=completed]"},
    error={
        "*": "error",
        _RESULTS: {
            "at": "result.status[state=failed|rejected|canceled]",
            "message": "message.parts.0.text",
            "type": "state",
        },
    },
    error_frame=_ERROR,
)

_ENDS: Final = "TASK_STATE_COMPLETED|TASK_STATE_INPUT_REQUIRED|TASK_STATE_AUTH_REQUIRED"
_FAILS: Final = "TASK_STATE_FAILED|TASK_STATE_REJECTED|TASK_STATE_CANCELED"
_OF_STATE: Final = ("task", "statusUpdate")


class A2A10(
    declare(  # type: ignore[misc]
        "a2a-1.0",
        recognised_by=[
            *(f"[{key}:object][{key}.contextId:text][{key}.status.state:text]" for key in _OF_STATE),
            "[artifactUpdate:object][artifactUpdate.artifact.parts:list]",
            "[message:object][message.role=ROLE_AGENT][message.parts:list]",
            *(f"[jsonrpc=2.0][result.{key}.contextId:text][result.{key}.status.state:text]" for key in _OF_STATE),
            "[jsonrpc=2.0][result.artifactUpdate.artifact.parts:list]",
            "[jsonrpc=2.0][result.message.role=ROLE_AGENT][result.message.parts:list]",
        ],
        text=["artifactUpdate.artifact.parts.*.text", "message.parts.*.text"],
        text_whole=[
            "task[status.state=TASK_STATE_COMPLETED].artifacts.*.parts.*.text",
            f"statusUpdate.status[state={_ENDS}].message.parts.*.text",
        ],
        id=["task.id", "statusUpdate.taskId", "artifactUpdate.taskId", "message.messageId"],
        progress="[statusUpdate]",
        finish=[f"{key}.status[state={_ENDS}].state" for key in _OF_STATE],
        ends=["message", *(f"{key}.status[state={_ENDS}]" for key in _OF_STATE)],
        error=[
            "error",
            *(
                {"at": f"{key}.status[state={_FAILS}]", "message": "message.parts.0.text", "type": "state"}
                for key in _OF_STATE
            ),
        ],
        error_frame=_ERROR,
    )
):
    """The dialect `a2a-1.0`: in JSON-RPC it stands in the result."""

    name = "a2a-1.0"

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event, of either binding."""
        return super().read(event, as_object(payload).get("result", payload))  # type: ignore[no-any-return]
