"""A reader that stops reading and stays: what ends its response, and what does not (docs/how-to/disconnects.md)."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .departures import released_by
from .processes import Program, free_port
from .proxy import proxy
from .reader import connect, read_until, request
from .stacks import running
from .upstream import Upstream

pytestmark = pytest.mark.e2e

LIMIT = 2.0  # seconds, of nginx and of the middleware
PATIENCE = 15.0
BUFFER = 65_536
DIRECT = ("gunicorn gthread", "uvicorn")
LIMITED = ("limited uvicorn", "limited hypercorn")


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as started:
        yield started


@pytest.fixture(scope="module")
def programs(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Program]]:
    names = (*DIRECT, *LIMITED, "Django daphne")
    with running(tmp_path_factory.mktemp("servers"), upstream.url, names) as started:
        yield started


@pytest.fixture
def behind_nginx(programs: dict[str, Program], tmp_path: Path) -> Iterator[dict[str, int]]:
    """Give the ports of an nginx that has a limit for writing, and no short one for reading."""
    ports = {free_port(): programs[name].port for name in DIRECT}
    settings = {"proxy_read_timeout 3s;": f"proxy_read_timeout 60s; send_timeout {LIMIT:.0f}s;"}
    with proxy(tmp_path, ports, settings=settings):
        yield dict(zip(DIRECT, ports, strict=True))


@contextmanager
def stalled(port: int, prompt: str, *, tls: bool = False) -> Iterator[None]:
    """Ask for more than any buffer takes, read the beginning, and then no more."""
    if not tls:
        with connect(port, "/chat", prompt, receive_buffer=BUFFER) as connection:
            read_until(connection, b"data: ")
            yield
        return
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # signed by itself
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    plain.settimeout(20.0)
    plain.connect(("127.0.0.1", port))
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(request("/chat", prompt))
        read_until(connection, b"data: ")
        yield


def is_released(upstream: Upstream, prompt: str, seconds: float) -> bool:
    return released_by(upstream, prompt, time.monotonic() + seconds) is not None


@pytest.mark.parametrize("name", DIRECT)
def test_without_a_limit_a_stalled_reader_holds_upstream(
    name: str, upstream: Upstream, programs: dict[str, Program]
) -> None:
    prompt = f"flood/direct {name}"
    with stalled(programs[name].port, prompt):
        assert not is_released(upstream, prompt, 4 * LIMIT)
    assert is_released(upstream, prompt, PATIENCE)


def test_daphne_reads_on_what_a_stalled_reader_does_not(upstream: Upstream, programs: dict[str, Program]) -> None:
    prompt = "flood/daphne"
    answer = upstream.answer(prompt)
    with stalled(programs["Django daphne"].port, prompt):
        until = time.monotonic() + PATIENCE
        while answer.sent < 64 * 2**20 and time.monotonic() < until:  # twice what all buffers of the kernel take
            time.sleep(0.05)
    assert answer.sent >= 64 * 2**20
    assert is_released(upstream, prompt, PATIENCE)


@pytest.mark.parametrize("name", DIRECT)
def test_nginx_ends_the_response_of_a_stalled_reader(
    name: str, upstream: Upstream, behind_nginx: dict[str, int]
) -> None:
    prompt = f"flood/nginx {name}"
    with stalled(behind_nginx[name], prompt, tls=True):
        assert is_released(upstream, prompt, PATIENCE)


@pytest.mark.parametrize("name", LIMITED)
def test_the_middleware_releases_what_a_stalled_reader_holds(
    name: str, upstream: Upstream, programs: dict[str, Program]
) -> None:
    prompt = f"flood/{name}"
    with stalled(programs[name].port, prompt):
        assert is_released(upstream, prompt, PATIENCE)
    with connect(programs[name].port, "/chat", f"large/{name}") as connection:
        assert b"4999 " in read_until(connection, b"[DONE]")
