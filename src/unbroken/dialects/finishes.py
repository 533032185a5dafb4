"""Finish reasons: which words say that an answer failed or was cut short, and which say nothing, in every dialect.

A word that is in no list is a finish like `stop`: providers invent new ones, and most of them end a whole answer.
"""

from __future__ import annotations

from typing import Any, Final

from ..core.failure import Failure
from ..core.registry import BROKEN_OFF
from .failures import failure_of
from .shapes import as_label

_FAILED: Final = frozenset(
    (
        *("error", "failed", "failure", "timeout", "abort", "aborted", "cancelled", "canceled"),  # vLLM and SGLang
        *("network_error", "insufficient_system_resource", "error_finish"),  # GLM; DeepSeek; Qwen
        *("error_toxic", "error_limit"),  # Cohere
        *("malformed_model_output", "malformed_tool_use"),  # Amazon Bedrock
        # Gemini: the answer is not what the model meant to say
        *("malformed_function_call", "malformed_response", "unexpected_tool_call", "too_many_tool_calls"),
        *("missing_thought_signature", "function_call_filter: malformed_function_call"),
        "function_call_filter: unexpected_tool_call",
    )
)
_CUT_SHORT: Final = frozenset(
    (
        *(
            "length",
            "max_length",
            "model_length",
            "max_tokens",
            "max-tokens",
            "maxtokens",
            "max_new_tokens",
            "max_output_tokens",
            "max_completion_tokens",
            "max_prompt_tokens",
        ),
        *("token_limit", "limit", "model_context_window_exceeded", "incomplete", "incomplete:max_output_tokens"),
        *("content_filter", "content-filter", "content_filtered", "incomplete:content_filter", "refusal", "safety"),
        *("guardrail_intervened", "recitation", "sensitive", "user_cancel"),
        *("image_safety", "image_prohibited_content", "image_recitation", "image_other"),
        *("blocklist", "prohibited_content", "spii", "model_armor", "language"),
    )
)
BROKEN_OFF.update(_FAILED, _CUT_SHORT)
# A missing reason that was written as a text; Gemini's and watsonx.ai's words for "not finished yet".
_SILENT: Final = frozenset(("null", "none", "nil", "undefined", "finish_reason_unspecified", "not_finished"))


def as_finish(value: Any) -> str | None:
    """Return the provider's word for the end of an answer, or None where nothing is said.

    Some servers send an object with the word as its `type`.
    """
    label = as_label(value.get("type") if isinstance(value, dict) else value)
    return None if label is None or label.strip().lower() in _SILENT or not label.strip() else label


def failure_of_finish(finish: str | None, error: Any = None) -> Failure | None:
    """Return the failure that this word tells, or None; `error` is what the provider says about it, if anything."""
    if finish is None or finish.strip().lower() not in _FAILED:
        return None
    if isinstance(error, dict) and error:
        return failure_of({"type": finish.strip().lower(), **error})
    return failure_of({"type": finish, "message": error} if error and isinstance(error, str) else {"type": finish})
