"""Why a stream failed: a code, a safe sentence for each code, and the error object that says so in JSON.

Nothing that upstream or an exception said reaches a client: a code and a sentence of ours do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

ERROR_TYPE = "unbroken_error"
"""The mark of every error object that this library writes, by which a second pass knows it.

It is the `type` of an error, or its `origin` where clients expect words of their provider's as `type`.
"""

SENTENCES = {
    "truncated": "The stream ended before it was complete.",
    "upstream-failed": "The connection to the upstream service failed.",
    "upstream-error": "The upstream service reported an error.",
    "not-a-stream": "The upstream service answered with something that is not a stream.",
    "empty": "The upstream service answered with nothing.",
    "shutting-down": "The server is shutting down.",
    "stopped": "The answer was stopped.",
    "producer-lost": "The server that made the answer is gone.",
    "too-old": "The answer took longer than answers are kept.",
    "trimmed": "The part of the answer that follows is no longer kept.",
    "store-failed": "The server cannot read the answer at the moment.",
    "application-error": "The server could not finish the answer.",
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


_CODES = {sentence: code for code, sentence in SENTENCES.items()}

STOPPED = "stopped"
"""The code of an answer that was stopped on purpose, whose verdict is CANCELLED; every other code means FAILED."""
MAX_DETAIL = 2000
"""Characters of upstream's words that are kept, for the log."""
_ERROR_WORDS = rb"(?i)[ \t]*+error[ \t]*+:[ \t]*+[^ \t]"


def begins_with_error(line: bytes) -> bool:
    """Return whether a line of words that are no JSON says that it is an error, as `error: engine crashed` does."""
    return re.match(_ERROR_WORDS, line) is not None


_KEYS_OF_OPENAI: Final = frozenset(("message", "type", "param", "code"))
_FIXED: Final = frozenset(("", "2.0", "resp_0", "response.failed", "turn.failed"))
"""What our errors say in some dialects' forms that is no slug: a dot could stand in the name of a host."""


def is_ours(value: Any) -> bool:
    """Return whether a JSON value is an error that this library wrote, in whatever dialect's form.

    Where no mark may stand, as in the errors of the AI SDK and of OpenAI's API, our sentence is the mark.
    """
    if not isinstance(value, dict):
        return False
    if value.get("type") == ERROR_TYPE or is_own(value.get("error")):
        return True
    if value.get("type") == "RUN_ERROR":
        return is_own(value.get("rawEvent"))
    return value.get("type") == "error" and _code_told_by(value.get("errorText")) is not None


def _code_told_by(words: Any) -> str | None:
    return _CODES.get(words) if isinstance(words, str) else None


def is_own(error: Any) -> bool:
    """Return whether an error object, which stands under `error`, was written by this library."""
    if not isinstance(error, dict):
        return False
    if ERROR_TYPE in (error.get("type"), error.get("origin")):
        return True
    return error.keys() == _KEYS_OF_OPENAI and _code_told_by(error["message"]) is not None


def holds_only_ours(value: Any) -> bool:
    """Return whether an error of ours holds none but our words, in whatever dialect's form: sentences and slugs."""
    try:
        return _is_all_ours(value)
    except RecursionError:  # none of ours is nested so deep
        return False


def _is_all_ours(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_all_ours, value)) and all(map(_is_all_ours, value.values()))
    if isinstance(value, list):
        return all(map(_is_all_ours, value))
    if isinstance(value, str):
        is_fixed = value in SENTENCES.values() or value in _FIXED
        return is_fixed or re.fullmatch(r"[A-Za-z_-]{1,40}", value) is not None
    return value is None or isinstance(value, (int, float))


def tells_error(value: Any) -> bool:
    """Return whether a JSON value says by itself that it is an error, in whatever dialect."""
    if not isinstance(value, dict):
        return False
    error = value.get("error")
    has_error = isinstance(error, (dict, str)) and bool(error)
    return has_error or value.get("type") == "error" or value.get("object") == "error"


def tells_plainly(value: Any) -> bool:
    """Return whether a JSON value says under `error` that it is one, where clients of any dialect look."""
    return isinstance(value, dict) and bool(value.get("error"))


def failure_of_ours(value: Any) -> Failure:
    """Return the failure from an error that this library wrote."""
    error = value.get("error", value.get("rawEvent"))  # AG-UI's clients find the provider's own error there
    facts = error if isinstance(error, dict) else value
    # Google's clients expect a number as `code`, so ours stands in `reason` there.
    code = facts.get("reason", facts.get("code"))
    if not isinstance(code, str) or code not in SENTENCES:
        code = _code_told_by(value.get("errorText", facts.get("message")))
    return Failure(code or "upstream-error")


def own_failure(value: Any) -> Failure | None:
    """Return the failure that a JSON value tells as an error that this library wrote; None for any other value."""
    may_be = type(value) is dict and ("error" in value or "type" in value)
    return failure_of_ours(value) if may_be and is_ours(value) else None


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

    def as_line(self) -> dict[str, Any]:
        """Return an error as Ollama writes it, the sentence alone; its clients read nothing else of a line."""
        return {"error": self.public_message, "type": ERROR_TYPE, "code": self.code}

    def as_widest_error(self) -> dict[str, Any]:
        """Return an error in the form of several dialects at once, for clients of which nothing is known.

        As the data of an event named `error` it makes the clients raise that docs/client-table.md lists, but Google's.
        """
        message, code = self.public_message, self.code
        error = {"code": self.status_hint or 500, "message": message, "type": ERROR_TYPE, "reason": code}
        flat = {"type": "error", "sequence_number": 0, "code": code, "message": message, "param": None}
        return {**flat, "error": error}


APPLICATION_ERROR = Failure("application-error", status_hint=500)
"""A bug of the application ended the stream."""
SHUTTING_DOWN = Failure("shutting-down", status_hint=503)
"""The server that writes the stream ends it."""


def failure_in_words(words: bytes) -> Failure:
    """Return the failure that upstream reported in words, which are for the log only."""
    return Failure("upstream-error", detail=words.decode()[:MAX_DETAIL])
