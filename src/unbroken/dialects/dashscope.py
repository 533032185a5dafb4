"""Alibaba's DashScope, its own form: text generation, multimodal conversation and applications.

https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-dashscope. With `incremental_output` each event holds a
piece, without it all that was said so far.
"""

from __future__ import annotations

from .declared import declare

_MESSAGE = "output.choices.0.message"

DashScope = declare(
    "dashscope",
    recognised_by=["[request_id:text][output.choices:list]", "[request_id:text][output.text:text]"],
    cumulative="maybe",
    text=[f"{_MESSAGE}.content", f"{_MESSAGE}.content.*.text", "output.text"],
    reasoning=f"{_MESSAGE}.reasoning_content",
    tools={
        "at": f"{_MESSAGE}.tool_calls.*",
        "key": "index",
        "id": "id",
        "name": "function.name",
        "arguments": "function.arguments",
    },
    usage={
        "input_tokens": "usage.input_tokens",
        "output_tokens": "usage.output_tokens",
        "total_tokens": "usage.total_tokens",
        "cached_tokens": "usage.prompt_tokens_details.cached_tokens",
        "reasoning_tokens": "usage.output_tokens_details.reasoning_tokens",
    },
    id="request_id",
    role=f"{_MESSAGE}.role",
    finish=["output.choices.0.finish_reason", "output.finish_reason"],
    finish_ends=True,
    error="[code:text][code!=]",
    error_frame={
        "event": "error",
        "data": {"code": "$code", "message": "$message", "type": "unbroken_error"},
    },
)
