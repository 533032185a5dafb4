"""Hugging Face's text-generation-inference, its own API: one token per event.

https://huggingface.co/docs/text-generation-inference/conceptual/streaming. The event of the last token also has the
whole text. Its chat API is read as OpenAI's.
"""

from __future__ import annotations

from typing import Any, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Reading, register
from ..core.failure import Failure
from .failures import failure_of
from .shapes import as_figures, as_label, as_object, as_text

_USAGE: Final = {"output_tokens": ("generated_tokens",)}


@register
class TextGenerationInference(Dialect):
    """Tokens, ended by the event with the generated text."""

    name = "tgi"

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether the payload has a token with text, and a `generated_text` field."""
        body = as_object(payload)
        return isinstance(as_object(body.get("token")).get("text"), str) and "generated_text" in body

    def read(self, event: str, payload: Any) -> Reading:
        """Read one token."""
        if not isinstance(payload, dict):
            return NOTHING
        error = payload.get("error")
        if isinstance(error, (str, dict)) and error:
            return Reading(EventClass.ERROR, failure=failure_of(error if isinstance(error, dict) else payload))
        token, details = as_object(payload.get("token")), as_object(payload.get("details"))
        ends = isinstance(payload.get("generated_text"), str)
        text = "" if token.get("special") is True else as_text(token.get("text"))
        delta = Delta(text=text, finish_reason=as_label(details.get("finish_reason")))
        kind = EventClass.TERMINAL if ends else EventClass.CONTENT
        return Reading(kind, (delta,), as_figures(details, _USAGE))

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return an unnamed error event, as the server sends it."""
        return None, failure.as_error()
