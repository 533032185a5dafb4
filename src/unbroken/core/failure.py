"""Why a stream failed: a code, a safe sentence for each code, and the error object that says so in JSON.

Nothing that upstream or an exception said reaches a client: a code and a sentence of ours do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

ERROR_TYPE = "unbroken_error"
"""`error.type` of every error object that this library writes; a second pass knows it by this."""

SENTENCES = {
    "truncated": "The stream ended before it was complete.",
    "upstream-failed": "The connection to the upstream service failed.",
    "upstream-error": "The upstream service reported an error.",
    "not-a-stream": "The upstream service answered with something that is not a stream.",
    "first-timeout": "The upstream service did not begin its answer in time.",
    "idle-timeout": "The upstream service paused for too long.",
    "silence-timeout": "The upstream service fell silent.",
    "total-timeout": "The answer took longer than allowed.",
    "invalid-json": "The upstream service sent data that cannot be read.",
    "rate-limited": "The upstream service is limiting requests.",
    "overloaded": "The upstream service is overloaded.",
    "authentication": "The upstream service refused the credentials.",
    "invalid-request": "The upstream service refused the request.",
    "not-found": "The upstream service did not find what was asked for.",
    "content-filtered": "The upstream service withheld the answer.",
}
"""One safe sentence per code: what a user may read."""


MAX_DETAIL = 2000
"""Characters of upstream's words that are kept, for the log."""
_ERROR_WORDS = rb"(?i)[ \t]*+error[ \t]*+:[ \t]*+[^ \t]"


def begins_with_error(line: bytes) -> bool:
    """Return whether a line of words that are no JSON says that it is an error, as `error: engine crashed` does."""
    return re.match(_ERROR_WORDS, line) is not None


def is_ours(value: Any) -> bool:
    """Return whether a JSON value is an error that this library wrote, in whatever dialect's form."""
    if not isinstance(value, dict):
        return False
    error = value.get("error")
    return value.get("type") == ERROR_TYPE or (isinstance(error, dict) and error.get("type") == ERROR_TYPE)


def tells_error(value: Any) -> bool:
    """Return whether a JSON value says by itself that it is an error, in whatever dialect."""
    if not isinstance(value, dict):
        return False
    error = value.get("error")
    has_error = isinstance(error, (dict, str)) and bool(error)
    return has_error or value.get("type") == "error" or value.get("object") == "error"


def failure_of_ours(value: Any) -> Failure:
    """Return the failure from an error that this library wrote."""
    error = value.get("error")
    facts = error if isinstance(error, dict) else value
    # Google's clients expect a number as `code`, so ours stands in `reason` there.
    code = facts.get("reason", facts.get("code"))
    return Failure(code if isinstance(code, str) and code in SENTENCES else "upstream-error")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stream failed: normalised, fit for a client. `detail` is upstream's own words, for the log only."""

    code: str
    status_hint: int | None = None  # the HTTP status that would have said it
    retry_after: float | None = None  # seconds
    error_type: str | None = None  # the provider's own word, for example "overloaded_error"
    detail: str | None = None

    @property
    def public_message(self) -> str:
        """One sentence without anything of upstream's."""
        return SENTENCES.get(self.code, SENTENCES["upstream-error"])

    def as_error(self) -> dict[str, Any]:
        """Return the error object of ours, `{"error": {...}}`, which every dialect's frame holds in some form."""
        return {"error": {"message": self.public_message, "type": ERROR_TYPE, "code": self.code}}


def failure_in_words(words: bytes) -> Failure:
    """Return the failure that upstream reported in words, which are for the log only."""
    return Failure("upstream-error", detail=words.decode()[:MAX_DETAIL])
