"""Coze's chats with bots.

https://www.coze.com/docs/developer_guides/chat_v3 (streaming response); recorded streams are in `coze-dev/coze-py`,
tests/testdata. The last payload is a JSON text, `"[DONE]"`, and says nothing.
"""

from __future__ import annotations

from typing import Any

from ..core.dialect import Delta, EventClass, Reading, ToolFragment
from ..core.proof import prove, read_exactly
from .declared import declare
from .shapes import as_arguments, as_label, as_object, as_text


# `message.completed` repeats the pieces. Messages of the types `verbose` and `follow_up` are no part of the answer.
class Coze(
    declare(  # type: ignore[misc]
        "coze",
        recognised_by=[
            "[@event=conversation.chat.created|conversation.chat.in_progress][conversation_id:text][bot_id:text]",
            "[@event=conversation.message.delta|conversation.message.completed][conversation_id:text][type:text]",
            "[@event=conversation.chat.failed][conversation_id:text][last_error:object]",
        ],
        kind="@event",
        text={"conversation.message.delta": "[type=answer].content"},
        text_whole={"conversation.message.completed": "[type=answer].content"},
        reasoning={"conversation.message.delta": "reasoning_content"},
        reasoning_whole={"conversation.message.completed": "[type=answer].reasoning_content"},
        part={"conversation.message.delta | conversation.message.completed": "id"},
        tools={
            "conversation.chat.requires_action": {
                "at": "required_action.submit_tool_outputs.tool_calls.*",
                "id": "id",
                "name": "function.name",
                "whole": "function.arguments",
            }
        },
        usage={
            "conversation.chat.completed": {
                "input_tokens": "usage.input_count",
                "output_tokens": "usage.output_count",
                "total_tokens": "usage.token_count",
            }
        },
        id={"conversation.chat.created": "id"},
        progress=["conversation.message.completed"],
        finish={"conversation.chat.completed | conversation.chat.requires_action": "status"},
        ends=["conversation.chat.completed", "conversation.chat.requires_action"],
        pings="ping",
        error={"conversation.chat.failed": ["last_error", "."], "error": {"message": "msg", "code": "code"}},
        error_frame={
            "event": "error",
            "data": {"code": "$status", "msg": "$message", "reason": "$code", "type": "unbroken_error"},
        },
        varying=["created_at", "updated_at"],
    )
):
    """The dialect `coze`: the call of a plugin is a JSON text."""

    name = "coze"

    def read(self, event: str, payload: Any) -> Reading:
        """Read one event."""
        reading: Reading = super().read(event, payload)
        payload = as_object(payload)
        if event == "conversation.message.completed" and payload.get("type") == "function_call":
            content = as_text(payload.get("content"))
            call = read_exactly(content) if isinstance(prove(content), dict) else {}
            id, name = as_label(payload.get("id")), as_label(call.get("name"))
            if name is not None:
                tool = ToolFragment(id or name, id, name, as_arguments(call.get("arguments")), True, "hosted")
                return Reading(EventClass.CONTENT, (Delta(tools=(tool,)),))
        return reading
