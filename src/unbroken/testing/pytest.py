"""Fixtures for pytest: `pytest_plugins = ["unbroken.testing.pytest"]` in a conftest.py.

This plugin is not loaded automatically.
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
    """Return a fake clock at 0, which moves when it is advanced."""
    return FakeClock()


@pytest.fixture
def scripted_source(fake_clock: FakeClock) -> Callable[..., ScriptedSource]:
    """Return a factory of scripted sources on `fake_clock`: `scripted_source(b"data: a\\n\\n", Pause(5), error)`."""
    return lambda *steps: ScriptedSource(steps, fake_clock)


@pytest.fixture
def async_scripted_source(fake_clock: FakeClock) -> Callable[..., AsyncScriptedSource]:
    """Return a factory of asynchronous scripted sources on `fake_clock`."""
    return lambda *steps: AsyncScriptedSource(steps, fake_clock)


@pytest.fixture
def scripted_server() -> Iterator[Callable[..., ScriptedServer]]:
    """Yield a factory of scripted servers on 127.0.0.1, stopped at the end: `scripted_server(chunked([...])).url`."""
    with ExitStack() as running:

        def start(*scripts: Iterable[WireStep]) -> ScriptedServer:
            return running.enter_context(ScriptedServer(*scripts))

        yield start
