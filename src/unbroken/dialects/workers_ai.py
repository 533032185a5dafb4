"""Cloudflare's Workers AI, its own form: what models answer that are not called through the API of OpenAI's form.

https://developers.cloudflare.com/workers-ai/features/function-calling/, and the reader in `cloudflare/ai`,
packages/workers-ai-provider/src/streaming.ts. A token of digits arrives as a number. Old models send no padding `p`:
their streams are read where the dialect is named.
"""

from __future__ import annotations

from .declared import declare

WorkersAI = declare(
    "workers-ai",
    recognised_by="[p:text][response][!done]",
    text="response",
    tools=[
        {"at": "tool_calls.*[name:text]", "id": "id", "name": "name", "whole": "arguments"},
        {
            "at": "tool_calls.*[function:object]",
            "key": "index",
            "id": "id",
            "name": "function.name",
            "arguments": "function.arguments",
        },
    ],
    usage="usage",
    finish="finish_reason",
    sentinel="[DONE]",
    error="errors.0",
    error_frame={"data": {"errors": [{"code": "$code", "message": "$message"}], "success": False, "error": "$error"}},
    varying=["p"],
)
