"""SGLang's own `/generate`. Its chat API is read as OpenAI's.

https://docs.sglang.ai/basic_usage/native_api.html. `text` is all that was said so far, or with the server's
`incremental_streaming_output` a piece. `[DONE]` follows errors, too.
"""

from __future__ import annotations

from .declared import declare

SGLangGenerate = declare(
    "sglang-generate",
    recognised_by="[meta_info:object][meta_info.id:text][text:text]",
    cumulative="maybe",
    text="text",
    usage=["meta_info", {"cached_tokens": "meta_info.cached_tokens"}],
    id="meta_info.id",
    finish="meta_info.finish_reason",
    finish_completes=True,
    sentinel="[DONE]",
    sentinel_completes=False,
    error={
        "at": "meta_info.finish_reason[type=abort]",
        "message": "message",
        "code": "err_type",
        "status": "status_code",
    },
    error_frame={"data": {"error": "$error"}},
)
