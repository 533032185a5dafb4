"""Upstream fails before its first token: what the pages' applications answer, by each server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from .processes import Program
from .reader import Reading, read
from .stacks import running
from .upstream import ERROR, Upstream

pytestmark = pytest.mark.e2e

Programs = dict[str, Program]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    names = ("gunicorn gthread", "Django WSGI", "uvicorn", "hypercorn", "Django ASGI", "Django daphne", "aiohttp")
    with Upstream() as upstream, running(tmp_path_factory.mktemp("servers"), upstream.url, names) as started:
        yield started


def answer(programs: Programs, name: str, path: str, prompt: str) -> Reading:
    return asyncio.run(asyncio.wait_for(read(programs[name].port, path, prompt), 20.0))


@pytest.mark.parametrize(
    "name", ["gunicorn gthread", "Django WSGI", "uvicorn", "hypercorn", "Django ASGI", "Django daphne", "aiohttp"]
)
def test_a_status_of_upstream_is_an_error_frame_with_its_code(name: str, programs: Programs) -> None:
    reading = answer(programs, name, "/chat", "refuse/1")
    assert (reading.status, reading.clean, len(reading.payloads)) == (200, True, 1)
    assert '"code": "overloaded"' in reading.payloads[0]
    assert "busy" not in reading.payloads[0]


@pytest.mark.parametrize(("name", "prompt", "status"), [
    ("gunicorn gthread", "fail/1", 429),
    ("gunicorn gthread", "refuse/1", 503),
    ("uvicorn", "fail/1", 429),
    ("uvicorn", "refuse/1", 503),
    ("hypercorn", "refuse/1", 503),
])  # fmt: skip
def test_a_failure_before_the_first_event_is_a_status_where_the_stream_was_primed(
    name: str, prompt: str, status: int, programs: Programs
) -> None:
    reading = answer(programs, name, "/primed", prompt)
    assert reading.status == status, reading
    assert b"Overloaded" not in reading.body


@pytest.mark.parametrize("name", ["gunicorn gthread", "uvicorn"])
def test_a_wait_that_upstream_asked_for_reaches_the_client_of_a_primed_stream(name: str, programs: Programs) -> None:
    limited, unauthorized = (answer(programs, name, "/primed", f"{script}/1") for script in ("limited", "unauthorized"))
    assert (limited.status, "retry-after: 7" in limited.head) == (429, True)
    assert (unauthorized.status, "retry-after" in unauthorized.head) == (401, False)
    assert b"secret" not in unauthorized.body


@pytest.mark.parametrize(
    "name", ["gunicorn gthread", "Django WSGI", "uvicorn", "Django ASGI", "Django daphne", "aiohttp"]
)
def test_an_error_event_passes_and_nothing_follows(name: str, programs: Programs) -> None:
    reading = answer(programs, name, "/chat", "fail/1")
    assert (reading.status, reading.clean, reading.body) == (200, True, ERROR)


@pytest.mark.parametrize("name", ["gunicorn gthread", "uvicorn"])
def test_a_primed_stream_arrives_whole(name: str, programs: Programs) -> None:
    reading = answer(programs, name, "/primed", "large/1")
    assert reading.text == "".join(f"{n} " for n in range(5_000))
    assert reading.payloads[-1] == "[DONE]"


@pytest.mark.parametrize("name", ["gunicorn gthread", "uvicorn", "Django ASGI", "aiohttp"])
def test_no_header_of_upstream_passes_unasked(name: str, programs: Programs) -> None:
    reading = answer(programs, name, "/chat", "fail/1")
    assert "set-cookie" not in reading.head
    assert "content-type: text/event-stream" in reading.head
    assert "x-accel-buffering: no" in reading.head
