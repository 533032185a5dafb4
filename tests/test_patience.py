"""The schedule, the server's word on it, and which failures deserve another attempt; the clock is a number."""

from __future__ import annotations

import asyncio
import errno
import http.client
import math
import socket
import ssl
import urllib.error
from email.message import Message
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken.core.errors import SENTENCES, Failure, StreamError
from unbroken.retry.policy import Retry, parse_retry_after, retry_after_of, status_of, worth_retrying

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


# The schedule


def test_waits_double_from_one_second_up_to_the_longest() -> None:
    retry = Retry(max_retries=5, jitter=False)
    assert [retry.delay(retries) for retries in range(6)] == [1.0, 2.0, 4.0, 4.0, 4.0, None]


def test_the_default_gives_two_more_attempts() -> None:
    assert [Retry().delay(retries) is not None for retries in range(4)] == [True, True, False, False]


def test_no_retries_gives_up_at_once() -> None:
    assert Retry(max_retries=0).delay(0, asked=0.0) is None


def test_a_long_course_does_not_overflow() -> None:
    assert Retry(max_retries=10**6, max_delay=4.0, jitter=False).delay(10**6 - 1) == 4.0


@pytest.mark.parametrize(
    ("retries", "asked", "expected"),
    [
        (0, None, (0.5, 1.0)),  # ours is spread downwards
        (2, None, (2.0, 4.0)),
        (0, 10.0, (10.0, 10.5)),  # the server's is never undercut, and spread upwards
        (0, 0.0, (0.5, 1.0)),  # "at once" does not undercut ours either
        (1, 1.5, (1.5, 2.5)),
    ],
)
def test_jitter_spreads_a_wait_by_half_of_ours(
    retries: int, asked: float | None, expected: tuple[float, float]
) -> None:
    retry = Retry(max_retries=5)
    assert (retry.delay(retries, asked, 0.0), retry.delay(retries, asked, 1.0)) == expected


def test_without_jitter_a_wait_is_the_longer_of_ours_and_the_servers() -> None:
    retry = Retry(max_retries=5, jitter=False)
    assert [retry.delay(retries, 3.0) for retries in range(4)] == [3.0, 3.0, 4.0, 4.0]


def test_a_server_that_asks_for_too_much_patience_gets_none() -> None:
    retry = Retry(max_retry_after=60.0, jitter=False)
    assert retry.delay(0, 60.0) == 60.0
    assert retry.delay(0, 60.1) is None


@given(
    st.integers(0, 200),
    st.none() | st.floats(0, 1e9),
    st.floats(0, 1),
    st.floats(0, 100),
    st.floats(0, 100),
    st.booleans(),
)
def test_no_wait_is_shorter_than_asked_or_longer_than_allowed(
    retries: int, asked: float | None, chance: float, base: float, longest: float, jitter: bool
) -> None:
    retry = Retry(max_retries=100, base=base, max_delay=longest, jitter=jitter)
    delay = retry.delay(retries, asked, chance)
    if retries >= 100 or (asked or 0.0) > retry.max_retry_after:
        assert delay is None
    else:
        assert delay is not None
        assert (asked or 0.0) <= delay <= (asked or 0.0) + longest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_retries": -1}, "max_retries"),
        ({"max_retries": 1.5}, "max_retries"),
        ({"max_retries": True}, "max_retries"),
        ({"base": -1}, "base"),
        ({"base": True}, "base"),
        ({"max_delay": math.inf}, "max_delay"),
        ({"max_delay": math.nan}, "max_delay"),
        ({"max_retry_after": "60"}, "max_retry_after"),
    ],
)
def test_a_bad_figure_is_told_by_name(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Retry(**arguments)


def test_a_judge_that_is_no_function_is_told() -> None:
    with pytest.raises(TypeError, match="worth"):
        Retry(worth=429)  # type: ignore[arg-type]


# Retry-After


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


# Which failures


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


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 524, 529])
def test_a_passing_status_deserves_patience(status: int) -> None:
    assert worth_retrying(status, None)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 402, 403, 404, 405, 413, 422, 501, 505])
def test_a_lasting_status_does_not(status: int) -> None:
    assert not worth_retrying(status, ConnectionError())


PASSING = {
    "refused": ConnectionRefusedError(),
    "reset": ConnectionResetError(),
    "hung up": http.client.RemoteDisconnected(),
    "timed out": TimeoutError(),
    "cut": http.client.IncompleteRead(b""),
    "garbage": http.client.BadStatusLine("?"),
    "cut in asyncio": asyncio.IncompleteReadError(b"", 1),
    "no such host": socket.gaierror(socket.EAI_AGAIN, "again"),
    "no route": OSError(errno.EHOSTUNREACH, "no route"),
    "no network": OSError(errno.ENETUNREACH, "no network"),
    "TLS cut": ssl.SSLEOFError(),
    "wrapped by urllib": urllib.error.URLError(ConnectionRefusedError()),
}

LASTING = {
    "a bug": KeyError("x"),
    "a wrong scheme": urllib.error.URLError("unknown url type: foo"),
    "a bad certificate": ssl.SSLCertVerificationError(),
    "a bad certificate, wrapped": urllib.error.URLError(ssl.SSLCertVerificationError()),
    "a full disk": OSError(errno.ENOSPC, "full"),
    "nothing": None,
}


@pytest.mark.parametrize("name", PASSING)
def test_a_broken_connection_deserves_another(name: str) -> None:
    assert worth_retrying(None, PASSING[name])


@pytest.mark.parametrize("name", LASTING)
def test_what_stays_broken_does_not(name: str) -> None:
    assert not worth_retrying(None, LASTING[name])


def test_an_unknown_error_is_judged_by_its_cause() -> None:
    unknown = RuntimeError("the SDK failed")
    assert not worth_retrying(None, unknown)
    unknown.__cause__ = ConnectionResetError()
    assert worth_retrying(None, unknown)


def test_a_connection_error_over_a_bad_certificate_is_not_retried() -> None:
    error = ConnectionError()
    error.__cause__ = ssl.SSLCertVerificationError()
    assert not worth_retrying(None, error)


def test_what_was_handled_meanwhile_is_no_cause() -> None:
    error = KeyError("x")
    error.__context__ = ConnectionResetError()
    assert not worth_retrying(None, error)


def test_causes_in_a_circle_end() -> None:
    one, other = RuntimeError(), RuntimeError()
    one.__cause__, other.__cause__ = other, one
    assert not worth_retrying(None, one)


def test_of_many_causes_the_nearest_are_asked() -> None:
    error = outermost = RuntimeError()
    for _ in range(50):
        error.__cause__ = RuntimeError()
        error = error.__cause__
    error.__cause__ = ConnectionError()
    assert not worth_retrying(None, outermost)


PASSING_CODES = {
    "truncated", "upstream-failed", "first-timeout", "idle-timeout", "silence-timeout", "rate-limited", "overloaded",
}  # fmt: skip


@pytest.mark.parametrize("code", SENTENCES)
def test_each_code_of_a_stream_error_is_judged(code: str) -> None:
    assert worth_retrying(None, StreamError(Failure(code))) == (code in PASSING_CODES)


def test_a_total_timeout_is_final_whatever_its_status() -> None:
    assert not worth_retrying(504, StreamError(Failure("total-timeout", 504)))
    assert worth_retrying(504, StreamError(Failure("first-timeout", 504)))


def test_an_html_page_is_judged_by_the_status_that_it_shows() -> None:
    assert worth_retrying(502, StreamError(Failure("not-a-stream", 502)))
    assert not worth_retrying(404, StreamError(Failure("not-a-stream", 404)))
