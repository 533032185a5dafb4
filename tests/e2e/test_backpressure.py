"""A reader that stops reading: the server's memory stays where it is, and upstream is no longer read."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from .processes import Program, queued_bytes
from .reader import connect, read_until
from .stacks import running
from .upstream import Upstream

pytestmark = pytest.mark.e2e

READERS = 10
MIB = 2**20
# What the server's process may hold of one stopped answer: our queue of 1 MiB, the client's and the server's own
# buffers, which are large in uvloop: measured, 2.3 MiB with us, and 3.6 MiB of memory without. What the kernel holds on
# both sides is its own affair (up to 32 MiB by its defaults), and is counted apart.
IN_PROCESS = {"gunicorn gthread": 2 * MIB, "gunicorn gevent": 2 * MIB, "uvicorn": 5 * MIB}
# Resident memory for each reader. Measured: 1.4 MiB, and 5.1 with uvloop, which alone, without unbroken, keeps 3.6.
IN_MEMORY = 8 * MIB


@pytest.mark.parametrize(
    ("name", "path"), [("gunicorn gthread", "/chat"), ("gunicorn gevent", "/chat"), ("uvicorn", "/chat")]
)
def test_a_reader_that_stops_holds_memory_flat_and_upstream_is_no_longer_read(
    name: str, path: str, tmp_path: Path
) -> None:
    with Upstream() as upstream, running(tmp_path, upstream.url, (name,)) as programs, ExitStack() as readers:
        server = programs[name]
        warm_up(server, path)
        before = server.resident_bytes()
        prompts = [f"endless/{n}" for n in range(READERS)]
        for prompt in prompts:
            connection = readers.enter_context(connect(server.port, path, prompt, receive_buffer=65_536))
            read_until(connection, b"data: ")
        sent = wait_until_still(upstream, prompts)
        stalled = server.resident_bytes()
        held = (sum(sent) - queued_bytes({upstream.port, server.port})) / READERS
        time.sleep(4.0)  # four heartbeats, and time enough to fill any buffer that leaks
        after = server.resident_bytes()
        resident = ", ".join(f"{bytes_ / MIB:.1f}" for bytes_ in (before, stalled, after))
        print(f"{name}: {max(sent) / MIB:.1f} MiB left upstream at most, {held / MIB:.2f} MiB of each are held")
        print(f"resident before, stalled and four seconds later: {resident} MiB")
        assert [upstream.answer(prompt).sent for prompt in prompts] == sent
        assert held <= IN_PROCESS[name]
        assert stalled - before <= READERS * IN_MEMORY
        assert after - stalled <= MIB


def warm_up(server: Program, path: str) -> None:
    """Have the server import and allocate what its first answers need."""
    for n in range(3):
        with connect(server.port, path, f"large/warm {n}") as connection:
            read_until(connection, b"[DONE]")


def wait_until_still(upstream: Upstream, prompts: list[str]) -> list[int]:
    """Wait until nothing was read from upstream for three seconds; give the bytes sent for each prompt."""
    until = time.monotonic() + 40.0
    sent, since = [0], time.monotonic()
    while time.monotonic() < until:
        now = [upstream.answer(prompt).sent for prompt in prompts]
        if now != sent:
            sent, since = now, time.monotonic()
        elif time.monotonic() > since + 3.0:  # the kernel probes a full socket ever more seldom
            return sent
        time.sleep(0.1)
    raise AssertionError(f"upstream is read on and on: {sent}")
