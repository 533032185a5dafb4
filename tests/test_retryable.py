"""Which failures deserve another attempt: statuses, errors of clients and their causes, codes of stream errors."""

from __future__ import annotations

import asyncio
import errno
import http.client
import socket
import ssl
import urllib.error

import pytest

from unbroken import worth_retrying
from unbroken.core.failure import SENTENCES, Failure
from unbroken.core.report import StreamError


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 524, 529])
def test_a_transient_status_is_retryable(status: int) -> None:
    assert worth_retrying(status, None)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 402, 403, 404, 405, 413, 422, 501, 505])
def test_a_permanent_status_is_not(status: int) -> None:
    assert not worth_retrying(status, ConnectionError())


TRANSIENT = {
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

PERMANENT = {
    "a bug": KeyError("x"),
    "a wrong scheme": urllib.error.URLError("unknown url type: foo"),
    "a bad certificate": ssl.SSLCertVerificationError(),
    "a bad certificate, wrapped": urllib.error.URLError(ssl.SSLCertVerificationError()),
    "a full disk": OSError(errno.ENOSPC, "full"),
    "nothing": None,
}


@pytest.mark.parametrize("name", TRANSIENT)
def test_a_broken_connection_is_retryable(name: str) -> None:
    assert worth_retrying(None, TRANSIENT[name])


@pytest.mark.parametrize("name", PERMANENT)
def test_what_stays_broken_is_not(name: str) -> None:
    assert not worth_retrying(None, PERMANENT[name])


def test_an_unknown_error_is_judged_by_its_cause() -> None:
    unknown = RuntimeError("the SDK failed")
    assert not worth_retrying(None, unknown)
    unknown.__cause__ = ConnectionResetError()
    assert worth_retrying(None, unknown)


def test_a_connection_error_over_a_bad_certificate_is_not_retried() -> None:
    error = ConnectionError()
    error.__cause__ = ssl.SSLCertVerificationError()
    assert not worth_retrying(None, error)


def test_what_was_handled_meanwhile_is_not_a_cause() -> None:
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


TRANSIENT_CODES = {
    "truncated", "upstream-failed", "empty", "first-timeout", "idle-timeout", "silence-timeout", "rate-limited",
    "overloaded", "shutting-down", "producer-lost", "store-failed",
}  # fmt: skip


@pytest.mark.parametrize("code", SENTENCES)
def test_each_code_of_a_stream_error_is_judged(code: str) -> None:
    assert worth_retrying(None, StreamError(Failure(code))) == (code in TRANSIENT_CODES)


def test_a_total_timeout_is_final_whatever_its_status() -> None:
    assert not worth_retrying(504, StreamError(Failure("total-timeout", 504)))
    assert worth_retrying(504, StreamError(Failure("first-timeout", 504)))


def test_an_html_page_is_judged_by_the_status_that_it_shows() -> None:
    assert worth_retrying(502, StreamError(Failure("not-a-stream", 502)))
    assert not worth_retrying(404, StreamError(Failure("not-a-stream", 404)))
