"""Which failures are retryable: transient ones, which the same request may not meet again.

Exceptions are recognised by the names of their classes, so that no client need be installed: httpx, httpx2, requests,
aiohttp, urllib3 and urllib give one broken connection more than a dozen names.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping

from ..core.report import StreamError

TRANSIENT_STATUSES = frozenset({408, 425, 429}) | (frozenset(range(500, 600)) - {501, 505})
"""Time-outs, rate limits, and all server errors but two (501 not implemented, 505 version not supported)."""

TRANSIENT_CODES = frozenset(
    {
        *("upstream-failed", "empty", "truncated", "rate-limited", "overloaded"),
        *("first-timeout", "idle-timeout", "silence-timeout", "shutting-down"),
        *("producer-lost", "store-failed"),
    }
)
"""Codes of `StreamError` that are transient, where there is no status."""

PERMANENT_CODES = frozenset(
    {
        *("application-error", "total-timeout", "authentication", "invalid-request", "not-found", "content-filtered"),
        *("invalid-json", "stopped", "too-old", "trimmed"),
    }
)
"""Codes of `StreamError` that are not transient, whatever the status."""

_HTTPX = frozenset({"TimeoutException", "NetworkError", "RemoteProtocolError", "ProxyError"})
TRANSIENT_ERRORS: Mapping[str, frozenset[str]] = {
    "builtins": frozenset({"ConnectionError", "TimeoutError"}),
    "asyncio": frozenset({"IncompleteReadError"}),
    "socket": frozenset({"gaierror"}),
    "ssl": frozenset({"SSLEOFError", "SSLZeroReturnError"}),
    "http": frozenset({"IncompleteRead", "BadStatusLine"}),
    "httpx": _HTTPX,
    "httpx2": _HTTPX,
    "httpcore": _HTTPX,
    "httpcore2": _HTTPX,
    "requests": frozenset({"ConnectionError", "Timeout", "ChunkedEncodingError"}),
    "urllib3": frozenset({"ProtocolError", "TimeoutError", "NewConnectionError"}),
    "aiohttp": frozenset({"ClientConnectionError", "ClientPayloadError"}),
}
"""Exceptions of a connection that failed: top-level module to class names; subclasses count."""

PERMANENT_ERRORS: Mapping[str, frozenset[str]] = {
    "ssl": frozenset({"SSLCertVerificationError"}),
    "aiohttp": frozenset({"ClientConnectorCertificateError"}),
}
"""Exceptions that are not transient; one of these anywhere among the causes rules out another attempt."""

_TRANSIENT_ERRNO = frozenset({errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH})
_MAX_CAUSES = 8  # requests over urllib3 over ssl nests four deep


def worth_retrying(status: int | None, error: BaseException | None) -> bool:
    """Return whether the same request may succeed later.

    A `status` decides. Without one the exception does, with its causes: connections that broke or timed out are worth
    another attempt; a bad certificate, a wrong URL and errors of the program are not. Nor is a `StreamError` whose
    code says that the request is at fault, whatever its status.
    """
    if isinstance(error, StreamError) and error.code in PERMANENT_CODES:
        return False
    if status is not None:
        return status in TRANSIENT_STATUSES
    causes = _causes(error)
    if any(_is_among(PERMANENT_ERRORS, cause) for cause in causes):
        return False
    return any(_is_transient(cause) for cause in causes)


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, StreamError):
        return error.code in TRANSIENT_CODES
    if isinstance(error, OSError) and error.errno in _TRANSIENT_ERRNO:
        return True
    return _is_among(TRANSIENT_ERRORS, error)


def _is_among(names: Mapping[str, frozenset[str]], error: BaseException) -> bool:
    return any(cls.__name__ in names.get(cls.__module__.partition(".")[0], ()) for cls in type(error).__mro__)


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return the exception and what it wraps: its `__cause__`, urllib's `reason`, or its arguments (requests)."""
    found = [error]
    for cause in found:  # grows as it is walked
        if cause is not None and len(found) <= _MAX_CAUSES:
            wrapped = (cause.__cause__, getattr(cause, "reason", None), *cause.args[:2])
            found += [inner for inner in wrapped if isinstance(inner, BaseException) and inner not in found]
    return [cause for cause in found if cause is not None]
