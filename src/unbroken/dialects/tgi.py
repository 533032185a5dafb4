"""Hugging Face's text-generation-inference, its own API: one token per event.

https://huggingface.co/docs/text-generation-inference/conceptual/streaming. The event of the last token also has the
whole text. Its chat API is read as OpenAI's.
"""

from __future__ import annotations

from typing import Any, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Part, Reading
from ..core.failure import Failure
from ..core.registry import register
from .failures import find_failure
from .finishes import as_finish, failure_of_finish
from .shapes import as_figures, as_object, as_said, words_of

_USAGE: Final = {"output_tokens": ("generated_tokens",)}


@register
class TextGenerationInference(Dialect):
    """Tokens, ended by the event with the generated text."""

    name = "tgi"
    endpoints = ("/generate_stream",)
    keys = words_of("index token id text logprob special generated_text details finish_reason generated_tokens error")

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether the payload has a token with text, and a `generated_text` field."""
        body = as_object(payload)
        return isinstance(as_object(body.get("token")).get("text"), str) and "generated_text" in body

    def read(self, event: str, payload: Any) -> Reading:
        """Read one token."""
        if not isinstance(payload, dict):
            return NOTHING
        failure = find_failure(event, payload) if "error" in payload or "token" not in payload else None
        if failure is not None:
            return Reading(EventClass.ERROR, failure=failure)
        token, details = as_object(payload.get("token")), as_object(payload.get("details"))
        whole = payload.get("generated_text")
        ends = isinstance(whole, str)
        text = "" if token.get("special") is True else as_said(token.get("text"))
        delta = Delta(text=text, finish_reason=as_finish(details.get("finish_reason")))
        failure = failure_of_finish(delta.finish_reason)
        kind = EventClass.ERROR if failure else EventClass.TERMINAL if ends else EventClass.CONTENT
        deltas = (delta, Delta(parts=(Part("text", whole),))) if ends and whole else (delta,)
        return Reading(kind, deltas, as_figures(details, _USAGE), failure)

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return an unnamed error event, as the server sends it."""
        return None, failure.as_error()
