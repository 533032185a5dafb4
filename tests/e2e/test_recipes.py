"""What the how-to pages say beside their first recipe, on the servers that they name."""

from __future__ import annotations

import asyncio
import http.client
import time
import zlib
from collections.abc import Iterator
from contextlib import closing

import gunicorn.workers
import pytest

from .alone import again_alone, in_time
from .departures import released_by
from .processes import Program
from .reader import Reading, connect, read, read_until
from .responses import Http1
from .stacks import running
from .upstream import TOKENS, Upstream

pytestmark = pytest.mark.e2e

HEARTBEAT = 5.0  # the default, which the routes for one's own events have
Programs = dict[str, Program]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as started:
        yield started


@pytest.fixture(scope="module")
def programs(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    names = ("gunicorn gthread", "Django WSGI", "uvicorn", "Django ASGI", "aiohttp", "recipes", "trio")
    with running(tmp_path_factory.mktemp("servers"), upstream.url, names) as started:
        yield started


def answer(program: Program, path: str, prompt: str) -> Reading:
    return asyncio.run(asyncio.wait_for(read(program.port, path, prompt), 20.0))


@pytest.mark.parametrize(("name", "path", "status"), [
    ("gunicorn gthread", "/chat", 200),  # Flask runs the view, and reads nothing of what it returns
    ("Django WSGI", "/chat", 405),
    ("Django ASGI", "/chat", 405),
    ("uvicorn", "/chat", 405),
    ("recipes", "/starlette", 200),
    ("aiohttp", "/chat", 405),
])  # fmt: skip
def test_head_is_answered_and_the_model_is_not_asked(
    name: str, path: str, status: int, upstream: Upstream, programs: Programs
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", programs[name].port, timeout=20)
    with closing(connection):
        connection.request("HEAD", f"{path}?prompt=large/head%20{name.replace(' ', '%20')}")
        response = connection.getresponse()
        response.read()
    assert response.status == status
    assert f"large/head {name}" not in upstream.answers
    assert answer(programs[name], path, f"large/get {name}").payloads[-1] == "[DONE]"
    assert f"large/get {name}" in upstream.answers


@pytest.mark.parametrize("path", ["/fastapi", "/sse-starlette", "/starlette"])
def test_responses_of_their_own_kind_take_a_repaired_stream_and_tell_a_cut(path: str, programs: Programs) -> None:
    whole = answer(programs["recipes"], path, "large/whole")
    assert (whole.text, whole.payloads[-1]) == ("".join(f"{n} " for n in range(5_000)), "[DONE]")
    cut = answer(programs["recipes"], path, "cut/short")
    assert (cut.status, cut.clean, cut.text) == (200, True, "".join(TOKENS[:3]))
    assert (cut.body.count(b'"error"'), '"truncated"' in cut.payloads[-1]) == (1, True)


def test_the_words_of_an_error_inside_of_a_stream_stay_here_where_that_is_asked_for(programs: Programs) -> None:
    assert b"Overloaded: limit 60" in answer(programs["recipes"], "/starlette", "fail/told").body
    masked = answer(programs["recipes"], "/masked", "fail/masked")
    assert b"Overloaded" not in masked.body
    assert (len(masked.payloads), '"rate-limited"' in masked.payloads[0]) == (1, True)


@pytest.mark.parametrize("name", ["gunicorn gthread", "uvicorn"])
def test_events_of_ones_own_end_with_the_one_frame_of_what_cut_upstream(name: str, programs: Programs) -> None:
    whole = answer(programs[name], "/own", f"paced/own {name}")
    assert [payload for payload in whole.payloads if "text" in payload] == [f'{{"text":"{text}"}}' for text in TOKENS]
    cut = answer(programs[name], "/own", f"cut/own {name}")
    assert cut.clean
    assert cut.payloads[:-1] == [f'{{"text":"{text}"}}' for text in TOKENS[:3]]
    assert (cut.body.count(b'"error"'), '"truncated"' in cut.payloads[-1]) == (1, True)


@again_alone
@pytest.mark.parametrize("name", ["gunicorn gthread", "uvicorn"])
def test_upstream_is_released_when_a_reader_of_ones_own_events_leaves(
    name: str, upstream: Upstream, programs: Programs
) -> None:
    prompt = f"leave/own {name}"
    upstream.answers.pop(prompt, None)  # of the first turn
    with connect(programs[name].port, "/own", prompt) as connection:
        read_until(connection, b'"text"')
    left = time.monotonic()
    released = released_by(upstream, prompt, left + 30.0)
    assert released is not None
    in_time(released - left, 3 * HEARTBEAT + 0.5)


def test_compressed_lines_leave_as_they_come_and_a_stream_of_events_is_not_compressed(programs: Programs) -> None:
    with closing(Http1(programs["recipes"].port)) as lines:
        lines.connection.request("GET", "/lines", headers={"Accept-Encoding": "gzip"})
        response = lines.connection.getresponse()
        assert response.headers["Content-Encoding"] == "gzip"
        unpacked, pieces = zlib.decompressobj(31), list[bytes]()
        while data := response.read1(65_536):
            pieces.append(unpacked.decompress(data))
        response.close()
    assert [piece for piece in pieces if piece] == [b'{"n": %d}\n' % n for n in range(4)]
    with closing(Http1(programs["recipes"].port)) as events:
        events.connection.request("GET", "/starlette?prompt=cut/packed", headers={"Accept-Encoding": "gzip"})
        response = events.connection.getresponse()
        assert "Content-Encoding" not in response.headers
        assert b'"truncated"' in response.read()
        response.close()


def test_under_trio_the_route_says_what_it_needs(programs: Programs) -> None:
    program = programs["trio"]
    assert answer(program, "/chat", "large/trio").status == 500
    until = time.monotonic() + 10.0
    while "RuntimeError" not in program.output() and time.monotonic() < until:  # it is logged behind the response
        time.sleep(0.05)
    assert "asynchronous streams need asyncio: run the server on asyncio" in program.output()


def test_gunicorn_has_the_workers_that_the_pages_name() -> None:
    workers = gunicorn.workers.SUPPORTED_WORKERS
    assert {"sync", "gthread", "gevent", "asgi"} <= workers.keys()
    assert "eventlet" not in workers
