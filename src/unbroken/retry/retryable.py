"""Which failures deserve another attempt.

Exceptions are known by the names of their classes, so that no client need be installed: httpx, httpx2, requests,
aiohttp, urllib3 and urllib give one broken connection more than a dozen names.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping

from ..core.errors import StreamError

PASSING_STATUSES = frozenset({408, 425, 429}) | (frozenset(range(500, 600)) - {501, 505})
"""Statuses that a later attempt may not meet again: time-outs, rate limits, and server errors but the two that
say "never" (501 not implemented, 505 version not supported)."""

PASSING_CODES = frozenset(
    {"upstream-failed", "truncated", "rate-limited", "overloaded", "first-timeout", "idle-timeout", "silence-timeout"}
)
"""Codes of `StreamError` that a later attempt may not meet again, where no status says more."""

LASTING_CODES = frozenset(
    {"total-timeout", "authentication", "invalid-request", "not-found", "content-filtered", "invalid-json"}
)
"""Codes of `StreamError` that the same request meets again, whatever the status."""

_HTTPX = frozenset({"TimeoutException", "NetworkError", "RemoteProtocolError", "ProxyError"})
PASSING_ERRORS: Mapping[str, frozenset[str]] = {
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
"""Top-level module to the class names, inherited ones count, of a connection that failed."""

LASTING_ERRORS: Mapping[str, frozenset[str]] = {
    "ssl": frozenset({"SSLCertVerificationError"}),
    "aiohttp": frozenset({"ClientConnectorCertificateError"}),
}
"""The same for what stays as it is; one of these anywhere among the causes forbids another attempt."""

_PASSING_ERRNO = frozenset({errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH})
_MAX_CAUSES = 8  # requests over urllib3 over ssl nests four deep


def worth_retrying(status: int | None, error: BaseException | None) -> bool:
    """Tell whether the same request may succeed later.

    A status decides. Without one the exception does, and its causes: connections that broke or timed out are worth
    another attempt; a bad certificate, a wrong URL and errors of the program are not.
    """
    if isinstance(error, StreamError) and error.code in LASTING_CODES:
        return False
    if status is not None:
        return status in PASSING_STATUSES
    causes = _causes(error)
    if any(_is_among(LASTING_ERRORS, cause) for cause in causes):
        return False
    return any(_passes(cause) for cause in causes)


def _passes(error: BaseException) -> bool:
    if isinstance(error, StreamError):
        return error.code in PASSING_CODES
    if isinstance(error, OSError) and error.errno in _PASSING_ERRNO:
        return True
    return _is_among(PASSING_ERRORS, error)


def _is_among(names: Mapping[str, frozenset[str]], error: BaseException) -> bool:
    return any(cls.__name__ in names.get(cls.__module__.partition(".")[0], ()) for cls in type(error).__mro__)


def _causes(error: BaseException | None) -> list[BaseException]:
    """Go from an exception to what it wraps: `__cause__`, urllib's `reason`, or the arguments (requests)."""
    found = [error]
    for cause in found:  # grows as it is walked
        if cause is not None and len(found) <= _MAX_CAUSES:
            wrapped = (cause.__cause__, getattr(cause, "reason", None), *cause.args[:2])
            found += [inner for inner in wrapped if isinstance(inner, BaseException) and inner not in found]
    return [cause for cause in found if cause is not None]
