"""Providers' error objects to a `Failure`: an error code, the HTTP status that fits it, a delay before a retry."""

from __future__ import annotations

import re
from typing import Any, Final

from ..core.failure import ERROR_TYPE, Failure, failure_of_ours
from .shapes import as_label, as_list, as_object, as_seconds, as_text, as_whole

_MAX_DETAIL: Final = 2000
# "try again in 1m12.5s", "Please retry in 34.5s", "retry after 6 seconds". Possessive, so that matching takes linear
# time. Strings, not compiled patterns, since they are rarely needed, and `re` caches what it compiles.
_PART: Final = r"([0-9]{1,6}+(?:\.[0-9]{1,9}+)?+) ?(ms|milliseconds?|s|seconds?|m|minutes?|h|hours?)(?![a-z])"
_DELAY: Final = rf"(?:try again in|retry in|retry after)(?: ?{_PART}){{1,4}}+"
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0}

_BY_WORD: Final[dict[str, tuple[str, int]]] = {
    # OpenAI, and servers with its API
    "rate_limit_exceeded": ("rate-limited", 429),
    "rate_limit_exceeded_error": ("rate-limited", 429),
    "insufficient_quota": ("rate-limited", 429),
    "tokens": ("rate-limited", 429),
    "requests": ("rate-limited", 429),
    "too_many_requests": ("rate-limited", 429),
    "server_overloaded": ("overloaded", 503),
    "service_unavailable": ("overloaded", 503),
    "engine_overloaded": ("overloaded", 503),
    "server_error": ("upstream-error", 500),
    "internal_server_error": ("upstream-error", 500),
    "invalid_api_key": ("authentication", 401),
    "bad_request_error": ("invalid-request", 400),
    "badrequesterror": ("invalid-request", 400),
    "context_length_exceeded": ("invalid-request", 400),
    "invalid_prompt": ("invalid-request", 400),
    "validation": ("invalid-request", 422),
    "model_not_found": ("not-found", 404),
    "content_filter": ("content-filtered", 400),
    "content_policy_violation": ("content-filtered", 400),
    # Anthropic, https://docs.anthropic.com/en/api/errors
    "invalid_request_error": ("invalid-request", 400),
    "authentication_error": ("authentication", 401),
    "billing_error": ("authentication", 402),
    "permission_error": ("authentication", 403),
    "not_found_error": ("not-found", 404),
    "request_too_large": ("invalid-request", 413),
    "rate_limit_error": ("rate-limited", 429),
    "api_error": ("upstream-error", 500),
    "timeout_error": ("upstream-error", 504),
    "overloaded_error": ("overloaded", 529),
    "overloaded": ("overloaded", 529),
    # Google, https://cloud.google.com/apis/design/errors
    "invalid_argument": ("invalid-request", 400),
    "failed_precondition": ("invalid-request", 400),
    "out_of_range": ("invalid-request", 400),
    "unauthenticated": ("authentication", 401),
    "permission_denied": ("authentication", 403),
    "not_found": ("not-found", 404),
    "resource_exhausted": ("rate-limited", 429),
    "internal": ("upstream-error", 500),
    "unavailable": ("overloaded", 503),
    "deadline_exceeded": ("upstream-error", 504),
    # Cohere's finish reasons
    "error_toxic": ("content-filtered", 400),
    "error_limit": ("invalid-request", 400),
}

# Generic words: a status, or another word beside them, is more specific.
_GENERIC: Final = frozenset(
    (
        *("server_error", "internal_server_error", "bad_request_error", "badrequesterror", "invalid_request_error"),
        *("api_error", "invalid_argument", "failed_precondition", "internal", "tokens", "requests"),
    )
)

_BY_STATUS: Final[dict[int, str]] = {
    401: "authentication",
    402: "authentication",
    403: "authentication",
    404: "not-found",
    429: "rate-limited",
    503: "overloaded",
    529: "overloaded",
}

_WORD_KEYS: Final = ("type", "code", "status", "error_type", "reason", "name")
_STATUS_KEYS: Final = ("code", "status", "status_code", "http_code", "http_status")


def is_own(error: Any) -> bool:
    """Whether this error object was written by this library."""
    return isinstance(error, dict) and error.get("type") == ERROR_TYPE


def failure_of(error: Any) -> Failure:
    """Return the failure for an error object or a bare message; `upstream-error` if it is not recognised."""
    if not isinstance(error, dict):
        return Failure("upstream-error", detail=as_text(error)[:_MAX_DETAIL] or None)
    if is_own(error):
        return failure_of_ours({"error": error})
    code, status = _classify(error)
    detail = as_text(error.get("message") or error.get("error") or error.get("status_msg"))[:_MAX_DETAIL]
    words = [word for key in _WORD_KEYS if isinstance(word := error.get(key), str) and word]
    return Failure(code, status, _delay(error, detail), as_label(words[0]) if words else None, detail or None)


def _classify(error: dict[str, Any]) -> tuple[str, int | None]:
    """Return the code and the status: by a specific word, else by a status, else by a generic word."""
    status = next((found for key in _STATUS_KEYS if (found := _status(error.get(key)))), None)
    words = [word for key in _WORD_KEYS if (word := _word(error.get(key))) in _BY_WORD]
    for word in words:
        if word not in _GENERIC:
            code, usual = _BY_WORD[word]
            return code, status or usual
    if status is not None:
        return _BY_STATUS.get(status, "invalid-request" if status < 500 else "upstream-error"), status
    return _BY_WORD[words[0]] if words else ("upstream-error", None)


def _word(value: Any) -> str:
    return value.lower().replace("-", "_") if isinstance(value, str) and len(value) < 64 else ""


def _status(value: Any) -> int | None:
    number = int(value) if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit() else value
    status = as_whole(number)
    return status if status is not None and 400 <= status < 600 else None


def _delay(error: dict[str, Any], detail: str) -> float | None:
    """Return the seconds to wait, from a field of the error, Google's `RetryInfo` or the message; None if absent."""
    for source in (error, as_object(error.get("metadata")), *as_list(error.get("details"))[:16]):
        fields = as_object(source)
        for key in ("retry_after", "retryDelay", "retry_after_seconds"):
            seconds = as_seconds(fields.get(key))
            if seconds is not None:
                return seconds
    found = re.search(_DELAY, detail.lower())
    return as_seconds(sum([_seconds(*part) for part in re.findall(_PART, found[0])])) if found else None


def _seconds(number: str, unit: str) -> float:
    return float(number) * (0.001 if unit.startswith(("ms", "mil")) else _UNITS[unit[0]])
