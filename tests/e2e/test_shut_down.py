"""SIGTERM while a stream is open: one frame, then the server exits."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from .reader import connect, read_until
from .stacks import running
from .upstream import Upstream

pytestmark = pytest.mark.e2e

SERVED = ("shutdown uvicorn", "shutdown hypercorn", "shutdown gunicorn")
PATIENCE = 15.0


@pytest.mark.parametrize("name", SERVED)
def test_a_stream_ends_with_a_frame_and_the_server_exits(name: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        upstream = stack.enter_context(Upstream())
        programs = stack.enter_context(running(tmp_path, upstream.url, (name,)))
        program = programs[name]
        connection = stack.enter_context(connect(program.port, "/chat", f"leave/{name}"))
        seen = read_until(connection, b"choices")
        program.send(signal.SIGTERM)
        try:
            rest = read_until(connection, b"shutting-down")
        except EOFError as error:
            raise AssertionError(f"{error}\n{program.output()}") from None
        while data := connection.recv(65_536):
            rest += data
        assert (seen + rest).count(b'"error"') == 1
        assert program.wait(PATIENCE) is not None, program.output()
        answer = upstream.answer(f"leave/{name}")
        assert answer.finished.wait(PATIENCE)
        assert answer.released_at is not None
