"""The status and the wait that an answer asks for, whatever its client calls them; the clock is a number."""

from __future__ import annotations

import math
import sys
import urllib.error
from email.message import Message
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken.answers import parse_retry_after, retry_after_of, status_of
from unbroken.core.failure import Failure
from unbroken.core.report import StreamError

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"RETRY-AFTER": " 1.5 "}, 1.5),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:30 GMT"}, 10.0),
        ({"Retry-After": "Tuesday, 14-Nov-23 22:13:30 GMT"}, 10.0),  # RFC 850
        ({"Retry-After": "Tue Nov 14 22:13:30 2023"}, 10.0),  # asctime
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:10 GMT"}, 0.0),  # past
        # The server's own clock goes a minute fast: both dates are of that clock.
        ({"Retry-After": "Tue, 14 Nov 2023 22:14:30 GMT", "Date": "Tue, 14 Nov 2023 22:14:20 GMT"}, 10.0),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:30 GMT", "Date": "yesterday"}, 10.0),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "1"}, 1.0),
        ({}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1_0"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "1e9"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Tue, 99 Nov 2023 22:13:30 GMT"}, None),
        ({"Retry-After": "Tue, 14 Nov 99999 22:13:30 GMT"}, None),
        ({"Retry-After": "0" * 30}, None),
    ],
)
def test_the_header_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert parse_retry_after(headers, NOW) == seconds


@given(st.text(max_size=60))
def test_no_header_raises(text: str) -> None:
    seconds = parse_retry_after({"Retry-After": text, "Date": text, "retry-after-ms": text}, NOW)
    assert seconds is None or 0 <= seconds < math.inf


def urllib_error(status: int, **headers: str) -> urllib.error.HTTPError:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return urllib.error.HTTPError("http://x", status, "", message, None)


def test_the_wait_is_found_on_errors_and_on_responses() -> None:
    with urllib_error(429, Retry_After="3") as error:
        assert retry_after_of(error, NOW) == 3.0
    response = SimpleNamespace(headers={"Retry-After": "4"})
    assert retry_after_of(response, NOW) == 4.0
    assert retry_after_of(SimpleNamespace(response=response), NOW) == 4.0
    assert retry_after_of(StreamError(Failure("rate-limited", retry_after=5.0)), NOW) == 5.0
    assert retry_after_of(ConnectionError(), NOW) is None


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(3, 3.0), (0, 0.0), (10**400, sys.float_info.max), (math.inf, sys.float_info.max)]
    + [(asked, None) for asked in (math.nan, -1, -(10**400), -math.inf, True, "3", None)],
)
def test_what_an_error_asks_for_is_a_duration_or_nothing(asked: object, seconds: float | None) -> None:
    assert retry_after_of(SimpleNamespace(retry_after=asked), NOW) == seconds


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (SimpleNamespace(status_code=503), 503),  # httpx, requests, openai
        (SimpleNamespace(status=503), 503),  # aiohttp, urllib3
        (SimpleNamespace(code=503), 503),  # urllib
        (SimpleNamespace(response=SimpleNamespace(status_code=429)), 429),
        (StreamError(Failure("overloaded", 529)), 529),
        (StreamError(Failure("truncated")), None),
        (SimpleNamespace(code="rate_limit"), None),
        (SimpleNamespace(status=True), None),
        (SimpleNamespace(status=7), None),
        (ConnectionError(), None),
        (None, None),
    ],
)
def test_a_status_is_found_whatever_the_client_calls_it(answer: object, status: int | None) -> None:
    assert status_of(answer) == status
