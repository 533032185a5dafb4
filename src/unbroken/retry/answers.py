"""The status and the `Retry-After` of a response, read off the response or exception of any client.

https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..core.quantities import MAX_SECONDS


def status_of(answer: object) -> int | None:
    """Return the HTTP status of a response or an exception of any client, or None if it has none."""
    for holder in (answer, getattr(answer, "response", None)):
        for name in ("status_code", "status", "code", "status_hint"):
            status = getattr(holder, name, None)
            if type(status) is int and 100 <= status <= 599:
                return status
    return None


def retry_after_of(answer: object, now: float) -> float | None:
    """Return the wait that a response or an exception of any client asks for, in seconds, or None.

    `now` is the wall clock (Unix seconds), used for a date where the answer has no `Date` of its own.
    """
    asked = getattr(answer, "retry_after", None)
    if isinstance(asked, int | float) and not isinstance(asked, bool) and asked >= 0:
        return float(min(asked, MAX_SECONDS))  # an integer may exceed every float
    headers = getattr(answer, "headers", None) or getattr(getattr(answer, "response", None), "headers", None)
    return parse_retry_after(headers, now) if headers else None


# One to nine digits: thirty years of seconds. `float` alone would also take `1_0`, `+1` and digits of other scripts.
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?")


def parse_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the wait of `Retry-After` (seconds or a date) or `retry-after-ms` (OpenAI, Azure), in seconds from `now`.

    A date counts from the answer's own `Date` where there is one: both are of the server's clock. None where there is
    neither header, or nothing that RFC 9110 10.2.3 allows.
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
    from datetime import UTC  # with email.utils slower to import than all of unbroken, and seldom needed
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
