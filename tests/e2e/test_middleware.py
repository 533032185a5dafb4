"""Routes that know nothing of us, behind the one line of middleware.md, on real servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from .alone import again_alone, in_time
from .apps import bare
from .departures import AT_ONCE, HEARTBEAT, WITHIN_HEARTBEATS, released_by
from .processes import Program
from .reader import Reading, connect, read, read_until
from .stacks import BARE_ASGI, BARE_WSGI, running
from .upstream import DONE, FINISH, TOKENS, Upstream, token

pytestmark = pytest.mark.e2e

NAMES = (*BARE_WSGI, *BARE_ASGI)
SLACK = 0.5  # seconds of a busy machine


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as started:
        yield started


@pytest.fixture(scope="module")
def programs(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Program]]:
    with running(tmp_path_factory.mktemp("servers"), upstream.url, NAMES) as started:
        yield started


def answer(program: Program, path: str, prompt: str = "") -> Reading:
    return asyncio.run(asyncio.wait_for(read(program.port, path, prompt), 20.0))


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_arrives_whole(name: str, programs: dict[str, Program]) -> None:
    reading = answer(programs[name], "/chat", f"large/bare {name}")
    assert (reading.status, reading.clean) == (200, True)
    assert reading.text == "".join(f"{n} " for n in range(5_000))
    assert reading.payloads[-1] == "[DONE]"
    assert "x-accel-buffering: no" in reading.head
    assert "cache-control: no-cache" in reading.head


@again_alone
@pytest.mark.parametrize("name", NAMES)
def test_no_gap_is_longer_than_the_heartbeat_while_the_route_is_silent(name: str, programs: dict[str, Program]) -> None:
    body, times = bytearray(), [time.monotonic()]
    with connect(programs[name].port, "/chat", f"silence/bare {name}") as connection:
        while data := connection.recv(65_536):
            body += data
            times.append(time.monotonic())
            if body.endswith(b"0\r\n\r\n"):
                break
    in_time(max(later - earlier for earlier, later in pairwise(times)), HEARTBEAT + SLACK)
    assert body.count(b"\r\n:\n\n\r\n") in (5, 6, 7), body
    whole = b"".join(map(token, TOKENS)) + FINISH + DONE
    assert all(event in body for event in whole.split(b"\n\n"))
    assert b"error" not in body


@pytest.mark.parametrize("name", NAMES)
def test_a_route_that_raises_ends_in_one_frame(name: str, programs: dict[str, Program]) -> None:
    reading = answer(programs[name], "/raises")
    assert (reading.status, reading.clean, len(reading.payloads)) == (200, True, 2)
    assert reading.body.startswith(bare.EVENT)
    assert "application-error" in reading.payloads[1]
    assert bare.SECRET not in reading.body.decode()
    assert "the application raised RuntimeError" in programs[name].output()


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_is_cut_ends_in_one_frame(name: str, programs: dict[str, Program]) -> None:
    reading = answer(programs[name], "/chat", f"cut/bare {name}")
    assert (reading.status, reading.clean) == (200, True)
    assert len(reading.payloads) == 4
    assert '"truncated"' in reading.payloads[-1]


@again_alone
@pytest.mark.parametrize("name", BARE_ASGI)
def test_upstream_is_released_when_the_client_leaves_in_silence(
    name: str, upstream: Upstream, programs: dict[str, Program]
) -> None:
    in_time(release(upstream, programs[name], f"leave/bare {name}"), AT_ONCE)


@again_alone
@pytest.mark.parametrize("name", NAMES)
def test_upstream_is_released_when_the_client_leaves_while_chunks_come(
    name: str, upstream: Upstream, programs: dict[str, Program]
) -> None:
    in_time(release(upstream, programs[name], f"ticks/bare {name}"), WITHIN_HEARTBEATS)


def release(upstream: Upstream, program: Program, prompt: str) -> float:
    """Read an event and leave. Return the seconds until upstream was released."""
    upstream.answers.pop(prompt, None)  # of the first turn
    with connect(program.port, "/chat", prompt) as connection:
        read_until(connection, b"data: ")
    left = time.monotonic()
    released = released_by(upstream, prompt, left + 10.0)
    assert released is not None, "never released"
    return released - left


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("path", "body"), [("/json", bare.LINES), ("/packed", bare.PACKED)], ids=["json", "packed"])
def test_other_responses_pass_untouched(name: str, path: str, body: bytes, programs: dict[str, Program]) -> None:
    reading = answer(programs[name], path)
    assert (reading.status, reading.body) == (200, body)
    assert "x-accel-buffering" not in reading.head
