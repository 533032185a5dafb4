"""Which failures deserve another attempt, and how long to wait before it.

https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
Exceptions are known by the names of their classes, so that no client need be installed: httpx, httpx2, requests,
aiohttp, urllib3 and urllib give one broken connection more than a dozen names.
"""

from __future__ import annotations

import errno
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


def status_of(answer: object) -> int | None:
    """Read the HTTP status off a response or an exception of any client, or None."""
    for holder in (answer, getattr(answer, "response", None)):
        for name in ("status_code", "status", "code", "status_hint"):
            status = getattr(holder, name, None)
            if type(status) is int and 100 <= status <= 599:
                return status
    return None


def retry_after_of(answer: object, now: float) -> float | None:
    """Read the wait that a response or an exception of any client asks for, in seconds.

    `now` is the wall clock (Unix seconds), used for a date where the answer itself bears no `Date`.
    """
    asked = getattr(answer, "retry_after", None)
    if isinstance(asked, int | float):
        return float(asked)
    headers = getattr(answer, "headers", None) or getattr(getattr(answer, "response", None), "headers", None)
    return parse_retry_after(headers, now) if headers else None


# One to nine digits: thirty years of seconds. `int()` would also take `1_0`, `+1` and digits of other scripts.
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?")


def parse_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Read `Retry-After` (seconds or a date) or `retry-after-ms`, which OpenAI and Azure send, as seconds from `now`.

    A date counts from the answer's own `Date` where there is one: both are of the server's clock. Nonsense is None.
    """
    found = {str(name).lower(): str(value).strip() for name, value in headers.items()}
    milliseconds = found.get("retry-after-ms", "")
    if _SECONDS.fullmatch(milliseconds):
        return float(milliseconds) / 1000.0
    asked = found.get("retry-after", "")
    if _SECONDS.fullmatch(asked):
        return float(asked)
    then = _parse_date(asked)
    if then is None:
        return None
    server_now = _parse_date(found.get("date", ""))
    return max(0.0, then - (now if server_now is None else server_now))


def _parse_date(text: str) -> float | None:
    if not 20 <= len(text) <= 40:  # RFC 9110 5.6.7: 29 characters, 24 to 33 in the obsolete forms
        return None
    from datetime import UTC  # with email.utils longer to import than all the rest, and seldom needed
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, after how long, and after which failures upstream is opened again.

    The waits are `base` seconds, then twice as long each time, at most `max_delay`. What the server asks for
    (`Retry-After`, `retry:`) is never undercut; a wait beyond `max_retry_after` is not begun, the failure is told.
    `jitter` spreads each wait by half of ours: ours downwards, the server's upwards. `worth` takes the status or
    None and the exception or None, and tells whether to try again; what it raises is logged, and means no.
    """

    max_retries: int = 2
    base: float = 1.0
    max_delay: float = 4.0
    jitter: bool = True
    max_retry_after: float = 60.0
    worth: Callable[[int | None, BaseException | None], bool] = worth_retrying

    def __post_init__(self) -> None:
        if type(self.max_retries) is not int or self.max_retries < 0:
            raise ValueError(f"max_retries={self.max_retries!r}: give a whole number, 0 for no retry")
        for name in ("base", "max_delay", "max_retry_after"):
            if not 0.0 <= _number(getattr(self, name)) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)!r}: give seconds, 0 or more")
        if not callable(self.worth):
            raise TypeError(f"worth={self.worth!r}: give a function of (status, error) that tells whether to retry")

    def delay(self, retries: int, asked: float | None = None, chance: float = 1.0) -> float | None:
        """Give the seconds to wait before the next attempt, or None to give up.

        `retries` were made before; `asked` is the server's wait; `chance`, from 0 to 1, is where jitter falls.
        """
        if retries >= self.max_retries or (asked or 0.0) > self.max_retry_after:
            return None
        ours = min(self.base * 2.0 ** min(retries, 64), self.max_delay)
        if not self.jitter:
            return max(ours, asked or 0.0)
        return max(ours / 2.0, asked or 0.0) + chance * ours / 2.0


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
