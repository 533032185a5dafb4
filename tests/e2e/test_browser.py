"""A model thinks for six seconds, nginx cuts after three: what a page in Chromium gets, by each server and client."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from .browser import Browser
from .processes import free_port
from .proxy import proxy
from .stacks import STACKS, running
from .upstream import TOKENS, Upstream

pytestmark = pytest.mark.e2e

# In front of each of these stands nginx, and in front of that a tab of its own.
SERVED = (
    "gunicorn sync",
    "gunicorn gthread",
    "gunicorn gevent",
    "Django WSGI",
    "uvicorn",
    "hypercorn",
    "Django ASGI",
    "aiohttp",
)
READERS = ("fetch", "EventSource")
SECONDS = 60.0  # for all streams together: each takes at least six

Outcomes = dict[str, dict[str, tuple[str, str]]]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def origins(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run all servers behind one nginx; give each one's origin."""
    with running(tmp_path_factory.mktemp("servers"), upstream.url, SERVED) as programs:
        ports = {free_port(): program.port for program in programs.values()}
        with proxy(tmp_path_factory.mktemp("nginx"), ports):
            yield {name: f"https://127.0.0.1:{port}" for name, port in zip(programs, ports, strict=True)}


@pytest.fixture(scope="module")
def browser(origins: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium")) as chromium:
        for origin in origins.values():
            chromium.open(origin)
        yield chromium


def read_all(browser: Browser, origins: dict[str, str], paths: dict[str, list[str]]) -> Outcomes:
    """Read these paths of every server, each with both readers, all at the same time."""
    keys = {
        name: [
            browser.read(origin, f"{path}?prompt=silence/{reader}", reader)
            for path in paths[name]
            for reader in READERS
        ]
        for name, origin in origins.items()
    }
    until = time.monotonic() + SECONDS
    return {name: browser.outcomes(origin, keys[name], until) for name, origin in origins.items()}


@pytest.fixture(scope="module")
def without(browser: Browser, origins: dict[str, str]) -> Outcomes:
    paths = {name: [f"/chat/naive/{client}" for client in STACKS[name].clients] for name in SERVED}
    return read_all(browser, origins, paths)


@pytest.fixture(scope="module")
def repaired(browser: Browser, origins: dict[str, str], without: Outcomes) -> Outcomes:
    """The page's own route first, then the same by each client."""
    paths = {name: ["/chat", *(f"/chat/repaired/{client}" for client in STACKS[name].clients)] for name in SERVED}
    return read_all(browser, origins, paths)


@pytest.mark.parametrize("name", SERVED)
def test_without_unbroken_the_page_loses_the_answer_to_a_protocol_error(
    name: str, without: Outcomes, browser: Browser, origins: dict[str, str]
) -> None:
    assert len(without[name]) == len(READERS) * len(STACKS[name].clients)
    assert {how for how, _ in without[name].values()} == {"lost"}, without[name]
    errors = browser.network_errors()
    for key in without[name]:
        assert errors[origins[name] + key.partition(" ")[0]] == "net::ERR_HTTP2_PROTOCOL_ERROR", key


@pytest.mark.parametrize("name", SERVED)
def test_with_unbroken_every_token_arrives_once(name: str, repaired: Outcomes) -> None:
    assert len(repaired[name]) == len(READERS) * (1 + len(STACKS[name].clients))
    assert repaired[name] == dict.fromkeys(repaired[name], ("whole", "".join(TOKENS)))
