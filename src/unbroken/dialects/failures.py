"""Providers' error objects to a `Failure`: an error code, the HTTP status that fits it, a delay before a retry."""

from __future__ import annotations

import re
from typing import Any, Final

from ..core.failure import ERROR_TYPE, MAX_DETAIL, Failure, failure_of_ours, is_own, own_failure
from ..core.proof import prove
from .shapes import as_label, as_list, as_object, as_seconds, as_text, as_whole

# "try again in 1m12.5s", "Please retry in 34.5s", "retry after 6 seconds". Possessive, so that matching takes linear
# time. Strings, not compiled patterns, since they are rarely needed, and `re` caches what it compiles.
_PART: Final = r"([0-9]{1,6}+(?:\.[0-9]{1,9}+)?+) ?(ms|milliseconds?|s|seconds?|m|minutes?|h|hours?)(?![a-z])"
_DELAY: Final = rf"(?:try again in|retry in|retry after)(?: ?{_PART}){{1,4}}+"
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0}

_WORDS: Final[dict[str, tuple[str, int]]] = {
    # OpenAI, and servers with its API
    "rate_limit_exceeded": ("rate-limited", 429),
    "rate_limit_exceeded_error": ("rate-limited", 429),
    "insufficient_quota": ("rate-limited", 429),
    "tokens": ("rate-limited", 429),
    "requests": ("rate-limited", 429),
    "too_many_requests": ("rate-limited", 429),
    "rate_limited": ("rate-limited", 429),
    "rate_limit": ("rate-limited", 429),
    "rate_limit_reached_error": ("rate-limited", 429),
    "exceeded_current_quota_error": ("rate-limited", 429),
    "quota_exceeded": ("rate-limited", 429),
    "server_is_overloaded": ("overloaded", 503),
    "server_overloaded": ("overloaded", 503),
    "server_overloaded_error": ("overloaded", 503),
    "service_unavailable": ("overloaded", 503),
    "service_unavailable_error": ("overloaded", 503),
    "engine_overloaded": ("overloaded", 503),
    "engine_overloaded_error": ("overloaded", 503),
    "model_overloaded": ("overloaded", 503),
    "slow_down": ("overloaded", 503),
    "insufficient_system_resource": ("overloaded", 503),
    "server_error": ("upstream-error", 500),
    "internal_server_error": ("upstream-error", 500),
    "internal_error": ("upstream-error", 500),
    "bad_gateway": ("upstream-error", 502),
    "gateway_timeout": ("upstream-error", 504),
    "timeout": ("upstream-error", 504),
    "invalid_api_key": ("authentication", 401),
    "incorrect_api_key_error": ("authentication", 401),
    "invalid_authentication_error": ("authentication", 401),
    "bad_request_error": ("invalid-request", 400),
    "context_length_exceeded": ("invalid-request", 400),
    "context_window_exceeded_error": ("invalid-request", 400),
    "invalid_prompt": ("invalid-request", 400),
    "validation": ("invalid-request", 422),
    "model_not_found": ("not-found", 404),
    "content_filter": ("content-filtered", 400),
    "content_policy_violation": ("content-filtered", 400),
    "content_policy_violation_error": ("content-filtered", 400),
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
    # Amazon Bedrock and Alibaba
    "throttling": ("rate-limited", 429),
    "throttling_exception": ("rate-limited", 429),
    "throttling_rate_quota": ("rate-limited", 429),
    "throttling_allocation_quota": ("rate-limited", 429),
    "service_quota_exceeded_exception": ("rate-limited", 429),
    "service_unavailable_exception": ("overloaded", 503),
    "model_not_ready_exception": ("rate-limited", 429),
    "internal_server_exception": ("upstream-error", 500),
    "model_stream_error_exception": ("upstream-error", 424),
    "model_timeout_exception": ("upstream-error", 408),
    "validation_exception": ("invalid-request", 400),
    "access_denied_exception": ("authentication", 403),
    "resource_not_found_exception": ("not-found", 404),
    "data_inspection_failed": ("content-filtered", 400),
    "invalid_parameter": ("invalid-request", 400),
    "arrearage": ("authentication", 402),
    # Zhipu's GLM, https://docs.z.ai/api-reference/api-code: balance, filter, then limits
    "1113": ("authentication", 402),
    "1301": ("content-filtered", 400),
    "1302": ("rate-limited", 429),
    "1303": ("rate-limited", 429),
    "1304": ("rate-limited", 429),
    "1305": ("rate-limited", 429),
    "1308": ("rate-limited", 429),
    # Cohere's finish reasons
    "error_toxic": ("content-filtered", 400),
    "error_limit": ("invalid-request", 400),
}

_JOINTS: Final = str.maketrans("", "", "_-. ")
_BY_WORD: Final = {word.translate(_JOINTS): told for word, told in _WORDS.items()}

# Generic words: a status, or another word beside them, is more specific.
_GENERIC: Final = frozenset(
    word.translate(_JOINTS)
    for word in (
        *("server_error", "internal_server_error", "internal_error", "bad_request_error", "invalid_request_error"),
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
_STATUS_KEYS: Final = ("code", "status", "status_code", "statusCode", "http_code", "http_status")
_DELAY_KEYS: Final = ("retry_after", "retryDelay", "retry_after_seconds", "retryAfter", "retry-after", "Retry-After")
_MESSAGE_KEYS: Final = ("message", "error", "status_msg", "detail", "details", "title", "msg")
_NESTED: Final = ("error", "metadata", "innererror")
# What stands beside an error object, and is about it.
_BESIDE: Final = (*_STATUS_KEYS, *_DELAY_KEYS, "error_type")

# Bodies that are errors by all of their keys: of proxies, gateways and frameworks that answer in place of a provider.
_BODIES: Final = (
    (frozenset(("type", "title", "status")), frozenset(("detail", "instance"))),  # RFC 9457
    (frozenset(("timestamp", "status", "error", "path")), frozenset(("message", "requestId"))),  # Spring
    (frozenset(("statusCode", "message")), frozenset(("error", "activityId"))),  # Azure API Management, NestJS
)
_FLAT: Final = frozenset(
    ("code", "message", "msg", "details", "detail", "sid", "request_id", "requestId", "param", "status", "timestamp")
)
_TELLING: Final = _FLAT | {*_STATUS_KEYS, "error"}  # an error under no name of one has at least one of these keys
_NO_ERROR: Final = frozenset(("", "0", "200", "ok", "success", "null", "none"))
_NAMED: Final = frozenset((*_STATUS_KEYS, *_MESSAGE_KEYS, "type", "error_type", "request_id", "requestId"))


def error_in(payload: dict[str, Any]) -> Any:
    """Return the object or text under `error`, or None where it says nothing.

    Some relays write an error whose fields are all empty, or say that all is well, into each good chunk.
    """
    error = payload.get("error")
    if not error or not isinstance(error, (dict, str)):
        return None
    told = error.values() if isinstance(error, dict) else (error,)
    return error if len(payload) == 1 or any(map(_says_error, told)) else None


def _says_error(value: Any) -> bool:
    """Return whether a field of an error says something, and not that there is none."""
    if not isinstance(value, str):
        return bool(value) and value != 200
    return value.strip().lower() not in _NO_ERROR


def find_failure(event: str, payload: dict[str, Any]) -> Failure | None:
    """Return the failure that a payload without an answer tells in a known dialect: `error`, a name, or its shape."""
    if event != "error" and payload.get("type") != "error" and _TELLING.isdisjoint(payload):
        return None
    if (ours := own_failure(payload)) is not None:
        return ours
    if error_in(payload) is not None:
        return failure_in(payload)
    is_error = event == "error" or payload.get("type") == "error" or payload.get("error") is True
    if is_error or is_error_body(payload) or _is_flat(payload):
        return failure_of({**payload, "type": None} if payload.get("type") == "error" else payload)
    return None


def is_error_body(payload: Any) -> bool:
    """Whether all of this payload is the error of a proxy or a framework, with an HTTP status of an error."""
    if not isinstance(payload, dict) or not any(map(_status, map(payload.get, _STATUS_KEYS))):
        return False
    if payload.get("cloudflare_error") is True:
        return True
    keys = payload.keys()
    return any(needed <= keys and keys <= needed | more for needed, more in _BODIES)


def is_named_error(payload: Any) -> bool:
    """Whether a payload under the name `error` can only be one: an HTTP status of an error, and words about it."""
    if not isinstance(payload, dict) or not payload.keys() <= _NAMED:
        return False
    says = any(isinstance(payload.get(key), str) for key in _MESSAGE_KEYS)
    return says and any(map(_status, map(payload.get, _STATUS_KEYS)))


def _is_flat(payload: dict[str, Any]) -> bool:
    """Whether it is a code that is no success with words, and nothing else, as some gateways write into a stream."""
    if not payload.keys() <= _FLAT or not isinstance(payload.get("message") or payload.get("msg"), str):
        return False
    code = as_label(payload.get("code"))
    return code is not None and code.lower() not in _NO_ERROR


def failure_in(payload: dict[str, Any]) -> Failure:
    """Return the failure of a payload with an `error`, by what it holds and by what stands beside it."""
    error = payload["error"]
    if is_own(error) or payload.get("type") == ERROR_TYPE:
        return failure_of_ours(payload)
    beside: dict[str, Any] = {key: payload[key] for key in _BESIDE if key in payload}
    if isinstance(error, dict):
        return failure_of({**beside, **{key: value for key, value in error.items() if value or key not in beside}})
    if _word(type := payload.get("type")) in _BY_WORD:
        beside["type"] = type
    return failure_of({**beside, "message": error} if beside else error)


def failure_of(error: Any) -> Failure:
    """Return the failure for an error object or a bare message; `upstream-error` if it is not recognised."""
    if not isinstance(error, dict):
        text = as_text(error)
        code, status = _BY_WORD.get(_word(text), ("upstream-error", None))
        return Failure(code, status, _delay({}, text), detail=text[:MAX_DETAIL] or None)
    if (ours := own_failure({"error": error}) or own_failure(error)) is not None:
        return ours
    told = [error, *_nested(error)]
    code, status = _classify(told)
    detail = next((text for key in _MESSAGE_KEYS if (text := as_text(error.get(key)))), "")[:MAX_DETAIL]
    words = [word for key in _WORD_KEYS if isinstance(word := error.get(key), str) and word]
    delays = (delay for fields in told if (delay := _delay(fields, as_text(fields.get("message")))) is not None)
    delay = next(delays, None)
    if delay is None:
        delay = _delay({}, detail)
    return Failure(code, status, delay, as_label(words[0]) if words else None, detail or None)


def _nested(error: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the errors that a gateway wrapped into its own: as objects, or as JSON in its message."""
    found = [value for key in _NESTED if isinstance(value := error.get(key), dict)]
    message = as_text(error.get("message"))
    if message[:1] == "{" and len(message) <= MAX_DETAIL and isinstance(value := prove(message), dict):
        found.append(value)
    inner = [value for fields in found if isinstance(value := fields.get("error"), dict)]
    return found + inner


def _classify(told: list[dict[str, Any]]) -> tuple[str, int | None]:
    """Return the code and the status: by a specific word, else by a status, else by a generic word."""
    statuses = (_status(fields.get(key)) for fields in told for key in _STATUS_KEYS)
    status = next((found for found in statuses if found), None)
    words = [word for fields in told for key in _WORD_KEYS if (word := _word(fields.get(key))) in _BY_WORD]
    for word in words:
        if word not in _GENERIC:
            code, usual = _BY_WORD[word]
            return code, status or usual
    if status is not None:
        return _BY_STATUS.get(status, "invalid-request" if status < 500 else "upstream-error"), status
    return _BY_WORD[words[0]] if words else ("upstream-error", None)


def _word(value: Any) -> str:
    """Return a word without case and joints: `BadRequestError`, `bad-request-error` and `bad_request_error` are one."""
    return value.lower().translate(_JOINTS) if isinstance(value, str) and len(value) < 64 else ""


def _status(value: Any) -> int | None:
    number = int(value) if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit() else value
    status = as_whole(number)
    return status if status is not None and 400 <= status < 600 else None


def _delay(error: dict[str, Any], detail: str) -> float | None:
    """Return the seconds to wait, from a field of the error, Google's `RetryInfo` or the message; None if absent."""
    metadata = as_object(error.get("metadata"))
    for source in (error, metadata, metadata.get("headers"), *as_list(error.get("details"))[:16]):
        fields = as_object(source)
        for key in _DELAY_KEYS:
            seconds = as_seconds(fields.get(key))
            if seconds is not None:
                return seconds
    found = re.search(_DELAY, detail[:MAX_DETAIL].lower())
    return as_seconds(sum([_seconds(*part) for part in re.findall(_PART, found[0])])) if found else None


def _seconds(number: str, unit: str) -> float:
    return float(number) * (0.001 if unit.startswith(("ms", "mil")) else _UNITS[unit[0]])
