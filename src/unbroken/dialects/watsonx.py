"""IBM watsonx.ai, text generation. Its chat API is read as OpenAI's.

https://cloud.ibm.com/apidocs/watsonx-ai#text-generation-stream; the words of `stop_reason` are in
https://ibm.github.io/watsonx-ai-node-sdk/interfaces/1_5_x.WatsonXAI.TextGenResult.html, and come in capitals, too.
"""

from __future__ import annotations

from .declared import declare

WatsonxGeneration = declare(
    "watsonx-generation",
    recognised_by="[model_id:text][results:list][created_at:text]",
    text="results.0.generated_text",
    usage={"input_tokens": "results.0.input_token_count", "output_tokens": "results.0.generated_token_count"},
    model="model_id",
    created="created_at",
    finish="results.0.stop_reason",  # `not_finished` says nothing
    fails="time_limit",
    finish_ends=True,
    error={"message": "errors.0.message", "code": "errors.0.code", "status": "status_code"},
    error_frame={
        "event": "error",
        "data": {"errors": [{"code": "$code", "message": "$message"}], "status_code": "$status", "error": "$error"},
    },
)
