"""Builders of flows that stream a chat: n8n, Langflow, Flowise.

n8n: https://docs.n8n.io/workflows/streaming/; `n8n-io/n8n`, packages/frontend/@n8n/chat/src/types/streaming.ts.
Langflow: https://docs.langflow.org/api-flows-run (`stream=true`), lines with a blank one behind each, called an event
stream; its clients take them as events of `data:` lines, too. Its `/api/v1/responses` has chunks of its own:
`langflow-ai/langflow`, src/backend/base/langflow/api/v1/openai_responses.py, schema/openai_responses_schemas.py.
Flowise: https://docs.flowiseai.com/using-flowise/streaming; `FlowiseAI/Flowise`,
packages/server/src/utils/SSEStreamer.ts.
"""

from __future__ import annotations

from typing import Any

from ..core.dialect import Reading
from .declared import declare
from .shapes import as_object


# Each node that speaks begins and ends: several may follow each other, or speak at once.
class N8n(
    declare(  # type: ignore[misc]
        "n8n",
        recognised_by=[
            "[type=begin|item|end|error][metadata.nodeId:text][metadata.nodeName:text]",
            "[type=begin][metadata.nodeId:text]",
        ],
        kind="type",
        text={"item": "content"},
        complete_when={"end": True},
        error={"error": [{"message": "content"}, "."]},
        error_frame={"data": {"type": "error", "content": "$message", "error": "$error"}},
        varying=["timestamp"],
    )
):
    """The dialect `n8n`: nodes that speak are counted."""

    name = "n8n"

    def __init__(self) -> None:
        super().__init__()
        self._open = 0

    def read(self, event: str, payload: Any) -> Reading:
        """Read one line."""
        type = as_object(payload).get("type")
        if type in ("begin", "end"):
            self._open = max(0, self._open + (1 if type == "begin" else -1))
        return super().read(event, payload)  # type: ignore[no-any-return]

    def is_complete(self) -> bool:
        """Whether every node that began has ended."""
        return self.whole and not self._open


# The message of the machine repeats its pieces.
Langflow = declare(
    "langflow",
    recognised_by=[
        "[event=token][data.chunk:text]",
        "[event=add_message][data.sender:text][data.session_id:text]",
        "[event=vertices_sorted][data.ids:list]",
    ],
    kind="event",
    text={"token": "data.chunk"},
    text_whole={"add_message": "data[sender!=User][!error].text"},
    part={"token | add_message": "data.id"},
    usage={"add_message": "data.properties.usage"},
    id={"token": "data.id"},
    progress=["end_vertex", "build_start", "build_end"],
    ends="end",
    error={"error": ["data[error:text].error", {"at": "data", "message": "text"}, "data", "."]},
    error_frame={"data": {"event": "error", "data": {"error": "$message"}, "error": "$error"}},
)

# A failure is a chunk whose text tells it, or `error`; calls that were run are told as events of OpenAI's Responses.
LangflowResponses = declare(
    "langflow-responses",
    recognised_by="[object=response.chunk][delta:object][model:text]",
    kind="type",
    text={"*": "[status!=failed].delta.content"},
    tools={
        "response.output_item.done": {
            "at": "item[type=function_call]",
            "id": "call_id",
            "name": "name",
            "whole": "arguments",
            "hosted": True,
        }
    },
    id={"*": "[object=response.chunk].id"},
    model={"*": "model"},
    created={"*": "created"},
    finish={"*": "finish_reason"},
    complete_when="[status=completed]",
    sentinel="[DONE]",
    sentinel_completes=False,
    progress=["response.output_item.added", "response.function_call_arguments.delta"],
    error={"*": {"at": "[status=failed]", "message": "delta.content"}},
    error_frame={"data": {"error": "$error"}},
)

# An event has a first line `message:`, which is none of the standard. What a flow said before it failed stands.
Flowise = declare(
    "flowise",
    recognised_by="[event=start|token|thinking][data:text][@event=message]",
    kind="event",
    text={"token": "data"},
    reasoning={"thinking": "data"},
    tools={"usedTools": {"at": "data.*", "name": "tool", "whole": "toolInput", "hosted": True}},
    usage={"usageMetadata": "data"},
    id={"metadata": "data.chatMessageId"},
    progress=["agentFlowEvent", "nextAgentFlow", "agentFlowExecutedData", "agentReasoning", "calledTools", "tool"],
    finish={"abort": "event"},  # `abort` ends an answer that is not whole
    ends="end",
    error={"error": ["data", "."]},
    error_frame={"data": {"event": "error", "data": "$message", "error": "$error"}},
)
