"""What a page in Chromium gets behind nginx, which cuts after three seconds, from the first recipe of each page.

`pytest -m e2e tests/e2e/test_whole_request.py -s` prints the table.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import pytest

from .browser import Browser
from .processes import free_port
from .proxy import proxy
from .stacks import running
from .upstream import TOKENS, Upstream

pytestmark = pytest.mark.e2e

SERVED = (
    "README Flask",
    "README FastAPI",
    "gunicorn gthread",
    "Django WSGI",
    "uvicorn",
    "hypercorn",
    "Django ASGI",
    "Django daphne",
    "aiohttp",
)
TEXT = "".join(TOKENS)
EXPECTED = {  # script: the text, the code of the one error frame
    "late": (TEXT, None),
    "unauthorized": ("", "authentication"),
    "limited": ("", "rate-limited"),
    "unavailable": ("", "overloaded"),
    "nothing": ("", "empty"),
    "cut": ("".join(TOKENS[:3]), "truncated"),
}
SECONDS = 60.0

Saw = tuple[str, str, str | None]
"""The status, the text and the code of the error frame."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Saw]]]:
    """Ask every server for every script, all at the same time."""
    with (
        Upstream() as upstream,
        running(tmp_path_factory.mktemp("servers"), upstream.url, SERVED) as programs,
    ):
        ports = {free_port(): program.port for program in programs.values()}
        origins = {name: f"https://127.0.0.1:{port}" for name, port in zip(programs, ports, strict=True)}
        with proxy(tmp_path_factory.mktemp("nginx"), ports), Browser(tmp_path_factory.mktemp("chromium")) as chromium:
            for origin in origins.values():
                chromium.open(origin)
            keys = {
                name: {script: ask(chromium, origins[name], name, script) for script in EXPECTED} for name in SERVED
            }
            until = time.monotonic() + SECONDS
            table = dict[str, dict[str, Saw]]()
            for name in SERVED:
                outcomes = chromium.outcomes(origins[name], list(keys[name].values()), until)
                table[name] = {script: understood(*outcomes[key]) for script, key in keys[name].items()}
            print_table(table)
            yield table


def ask(chromium: Browser, origin: str, name: str, script: str) -> str:
    if name.startswith("README"):
        return chromium.fetch(origin, "/chat", {"messages": [{"role": "user", "content": f"{script}/{name}"}]})
    return chromium.fetch(origin, f"/chat?prompt={script}/whole")


def understood(status: str, body: str) -> Saw:
    payloads = [json.loads(data) for data in re.findall(r"^data: (\{.*)$", body, re.MULTILINE)]
    text = "".join(choice["delta"].get("content", "") for payload in payloads for choice in payload.get("choices", ()))
    errors = [payload["error"]["code"] for payload in payloads if "error" in payload]
    assert len(errors) <= 1
    assert "secret" not in body
    return status, text, errors[0] if errors else None


def print_table(table: dict[str, dict[str, Saw]]) -> None:
    print("\n| the first recipe of | " + " | ".join(EXPECTED) + " |")
    print("|---" * (1 + len(EXPECTED)) + "|")
    for name, row in table.items():
        print(f"| {name} | " + " | ".join(f"{status} {code or 'whole'}" for status, _, code in row.values()) + " |")


@pytest.mark.parametrize("script", EXPECTED)
@pytest.mark.parametrize("name", SERVED)
def test_the_first_recipe_of_every_page_holds(name: str, script: str, seen: dict[str, dict[str, Saw]]) -> None:
    assert seen[name][script] == ("200", *EXPECTED[script])
