"""What an exception means that was raised while upstream was read."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import ssl
import zlib
from collections.abc import Iterator
from http.client import IncompleteRead

import aiohttp.web
import httpx
import pytest
import requests
import starlette.exceptions
import urllib3
import werkzeug.exceptions

from unbroken import FailureWindow, StreamError, iter_events, repair


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def during(error: Exception, context: BaseException) -> Exception:
    error.__context__ = context
    return error


class OwnError(Exception):
    """An exception of the application."""


class OwnReadError(httpx.ReadError):
    """An exception of the application that is one of its client's."""


OF_A_CONNECTION = [
    ConnectionResetError(),
    OSError(5, "I/O"),
    EOFError(),
    TimeoutError(),
    asyncio.IncompleteReadError(b"", 5),
    ssl.SSLError(),
    zlib.error("incorrect header check"),
    IncompleteRead(b""),
    httpx.ReadError("reset"),
    OwnReadError("reset"),
    requests.exceptions.ChunkedEncodingError(),
    urllib3.exceptions.ProtocolError(),
    caused(OwnError(), httpx.ReadError("reset")),
    caused(RuntimeError(), httpx.ReadError("reset")),
    during(OwnError(), httpx.ReadError("reset")),
    ExceptionGroup("tasks", [OwnError(), ConnectionResetError()]),
]
BUGS = [
    werkzeug.exceptions.Forbidden(),
    starlette.exceptions.HTTPException(403),
    aiohttp.web.HTTPForbidden(),
    KeyError("choices"),
    TypeError(),
    AttributeError(),
    AssertionError(),
    ValueError(),
    RuntimeError("Cannot send a request, as the client has been closed."),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    json.JSONDecodeError("Expecting value", "", 0),
    sqlite3.ProgrammingError("SQLite objects created in a thread can only be used in that same thread"),
    OwnError(),
    ExceptionGroup("tasks", [KeyError()]),
    during(RuntimeError("a bug"), asyncio.CancelledError()),
    during(OwnError(), asyncio.QueueEmpty()),
    during(RuntimeError("a bug"), ConnectionResetError()),
]


def failing(error: Exception) -> Iterator[bytes]:
    yield b"data: 1\n\n"
    raise error


def name(error: Exception) -> str:
    return repr(error)[:40]


@pytest.mark.parametrize("error", OF_A_CONNECTION, ids=name)
def test_a_connection_that_fails_is_a_failure_of_upstream(error: Exception) -> None:
    with pytest.raises(StreamError) as raised:
        list(iter_events(failing(error)))
    assert (raised.value.code, raised.value.status_hint) == ("upstream-failed", 502)
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("error", BUGS, ids=name)
def test_any_other_exception_is_a_bug_of_the_application(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    window = FailureWindow(limit=0)
    stream = repair(failing(error), provider="p", observers=[window])
    with caplog.at_level(logging.INFO, "unbroken"):
        frames = b"".join(stream)
    assert b'"code": "application-error"' in frames
    assert stream.report.error is not None
    assert stream.report.error.status_hint == 500
    assert not window.degraded("p")
    (record,) = (it for it in caplog.records if it.levelno == logging.ERROR)
    assert record.getMessage() == f"the application raised {type(error).__name__}"
    assert record.exc_text is not None
    assert "in failing" in record.exc_text
    assert str(error).encode() not in frames or not str(error)


def test_a_bug_in_what_handles_a_failure_is_a_bug() -> None:
    def generate() -> Iterator[bytes]:
        try:
            raise ConnectionResetError
        except OSError as error:
            yield error.no_such_attribute  # type: ignore[attr-defined]

    with pytest.raises(StreamError) as raised:
        list(iter_events(generate()))
    assert raised.value.code == "application-error"


def test_a_bug_is_raised_and_not_logged_where_events_are_read(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "unbroken"), pytest.raises(StreamError):
        list(iter_events(failing(KeyError())))
    assert [it for it in caplog.records if it.exc_text] == []
