"""Agents of Strands, and those that Amazon Bedrock AgentCore runs.

https://strandsagents.com/latest/documentation/docs/user-guide/concepts/streaming/; AgentCore's runtime writes what an
agent yields as `data:` lines, as objects or as texts: `aws/bedrock-agentcore-sdk-python`,
src/bedrock_agentcore/runtime/app.py. The events of the model are those of Bedrock's Converse.
"""

from __future__ import annotations

from .declared import declare

# An agent says several messages: one that stops for the use of a tool is not the last.
AgentCoreStrands = declare(
    "agentcore-strands",
    recognised_by=[
        "[event:object][event.messageStart.role:text]",
        "[event:object][event.contentBlockStart.contentBlockIndex:number]",
        "[event:object][event.contentBlockDelta.delta:object]",
        "[init_event_loop=true]",
    ],
    text="event.contentBlockDelta.delta.text",
    reasoning="event.contentBlockDelta.delta.reasoningContent.text",
    tools=[
        {
            "at": "event.contentBlockStart",
            "key": "contentBlockIndex",
            "id": "start.toolUse.toolUseId",
            "name": "start.toolUse.name",
        },
        {"at": "event.contentBlockDelta", "key": "contentBlockIndex", "arguments": "delta.toolUse.input"},
    ],
    usage={
        "input_tokens": "event.metadata.usage.inputTokens",
        "output_tokens": "event.metadata.usage.outputTokens",
        "total_tokens": "event.metadata.usage.totalTokens",
        "cache_read_tokens": "event.metadata.usage.cacheReadInputTokens",
        "cache_write_tokens": "event.metadata.usage.cacheWriteInputTokens",
    },
    role="event.messageStart.role",
    progress=["message", "tool_stream_event"],
    finish="event.messageStop.stopReason",
    ends="event.messageStop[stopReason!=tool_use]",
    error=[{"message": "error", "type": "error_type"}, {"at": "[force_stop=true]", "message": "force_stop_reason"}],
    error_frame={
        "data": {
            "error": "$message",
            "error_type": "$code",
            "message": "$message",
            "code": "$code",
            "type": "unbroken_error",
        }
    },
)
