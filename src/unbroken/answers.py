"""The status and the `Retry-After` of a response, read off the response or exception of any client.

https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from .core.failure import Failure
from .core.proof import prove
from .core.quantities import MAX_SECONDS
from .core.report import StreamError
from .dialects.failures import error_in, failure_in, failure_of

MAX_REFUSAL: Final = 2**14
"""Bytes of the body of a refused request that are read, for the provider's own words in the log."""


def error_of_answer(answer: object, body: bytes = b"") -> StreamError | None:
    """Return the error that a response or the exception of a client stands for; None without a status from 400 on.

    The code follows from the status alone, so that it is the same whether the body can be read or not. `body` adds the
    provider's own word and its message, which are for the log.
    """
    status = None if isinstance(answer, StreamError) else status_of(answer)
    if status is None or status < 400:
        return None
    failure = replace(failure_of({"status": status}), retry_after=retry_after_of(answer, time.time()))
    if isinstance(answer, Exception):
        failure = replace(failure, error_type=type(answer).__name__)
    told = _told_by(body)
    if told is not None:
        failure = replace(failure, error_type=told.error_type or failure.error_type, detail=told.detail)
        if failure.retry_after is None:
            failure = replace(failure, retry_after=told.retry_after)
    return StreamError(failure)


def refused(answer: object, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Read what the body of a refused request says, and raise its error; no chunk is yielded."""
    body = bytearray()
    with suppress(Exception):  # the status says enough
        for chunk in chunks:
            body += chunk
            if _says_all(body):
                break
    yield from _raise(answer, body)


async def arefused(answer: object, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Do the same with asynchronous chunks."""
    body = bytearray()
    with suppress(Exception):
        async for chunk in chunks:
            body += chunk
            if _says_all(body):
                break
    for chunk in _raise(answer, body):
        yield chunk


def _raise(answer: object, body: bytearray) -> Iterator[bytes]:
    error = error_of_answer(answer, bytes(body[:MAX_REFUSAL]))
    if error is not None:
        raise error
    yield from ()


def _says_all(body: bytearray) -> bool:
    """Return whether no more of a body need be read: it is one document, or too long."""
    return len(body) >= MAX_REFUSAL or (body.endswith(b"}") and isinstance(_document(bytes(body)), dict))


def _told_by(body: bytes) -> Failure | None:
    """Return what the body of a refused request says: an error in JSON, alone or as the data of an event, or words."""
    lines = (line.removeprefix(b"data:") for line in body.splitlines() if line.startswith(b"data:"))
    for part in (body, *lines):
        value = _document(part)
        if isinstance(value, dict):
            return failure_in(value) if error_in(value) is not None else failure_of(value)
    words = body.decode(errors="replace").strip()
    return failure_of(words) if words else None


def _document(text: bytes) -> Any:
    try:
        return prove(text.decode().strip())
    except UnicodeDecodeError:
        return None


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
