"""Fixtures for pytest, for those who ask: `pytest_plugins = ["unbroken.testing.pytest"]` in a conftest.py.

Nothing of it is loaded by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

import pytest

from .clock import FakeClock
from .server import ScriptedServer, WireStep
from .sources import AsyncScriptedSource, ScriptedSource


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock at 0 that moves when told to."""
    return FakeClock()


@pytest.fixture
def scripted_source(fake_clock: FakeClock) -> Callable[..., ScriptedSource]:
    """Make sources that follow a script on `fake_clock`: `scripted_source(b"data: a\\n\\n", Pause(5), error)`."""
    return lambda *steps: ScriptedSource(steps, fake_clock)


@pytest.fixture
def async_scripted_source(fake_clock: FakeClock) -> Callable[..., AsyncScriptedSource]:
    """Make asynchronous sources that follow a script on `fake_clock`."""
    return lambda *steps: AsyncScriptedSource(steps, fake_clock)


@pytest.fixture
def scripted_server() -> Iterator[Callable[..., ScriptedServer]]:
    """Start servers that play scripts on 127.0.0.1, and stop them at the end: `scripted_server(chunked([...])).url`."""
    with ExitStack() as running:

        def start(*scripts: Iterable[WireStep]) -> ScriptedServer:
            return running.enter_context(ScriptedServer(*scripts))

        yield start
