"""gunicorn's sync worker counts the whole answer: no heartbeat extends that, a `total` timeout ends it in order."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from .reader import Reading, read
from .stacks import running
from .upstream import TOKENS, Upstream

pytestmark = pytest.mark.e2e

NAME = "gunicorn sync 4 s"


def test_a_total_timeout_turns_a_killed_worker_into_an_error_frame(tmp_path: Path) -> None:
    with Upstream() as upstream, running(tmp_path, upstream.url, (NAME,)) as programs:
        killed, told = asyncio.run(read_both(programs[NAME].port))
        assert "WORKER TIMEOUT" in programs[NAME].output()
    assert (killed.clean, killed.text, killed.payloads[-1:]) == (False, "".join(TOKENS[:3]), killed.payloads[2:3])
    assert (told.clean, told.text, len(told.payloads)) == (True, "".join(TOKENS[:3]), 4)
    assert json.loads(told.payloads[-1])["error"]["code"] == "total-timeout"


async def read_both(port: int) -> list[Reading]:
    async with asyncio.timeout(20.0):
        return await asyncio.gather(read(port, "/chat", "silence/killed"), read(port, "/total", "silence/told"))
