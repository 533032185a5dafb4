"""The routes and the page of replay.md: two workers (gunicorn and SQLite, uvicorn and Redis), nginx in front, Chromium
reloads, opens a second tab, stops, and outlives the worker that produces.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.fences import fences
from unbroken.replay import Replay, SQLiteStore

from .alone import TooLateError, again_alone
from .browser import FLAGS
from .processes import Program, free_port
from .proxy import proxy
from .redis_server import RedisServer
from .requirements import program
from .stacks import LEASE, ROOT, STACKS, running
from .upstream import TOKENS, Upstream

pytestmark = pytest.mark.e2e

SERVED = ("replay gunicorn", "replay uvicorn")
ROUTES = ("replay Flask", "replay Django")
PATIENCE = 20.0
WHOLE = "".join(TOKENS)
GUNICORN = STACKS["replay gunicorn"]

ASK = """document.getElementById("prompt").value = arguments[0];
document.getElementById("form").requestSubmit();"""
SHOWN = """const answer = [...document.querySelectorAll(".answer")].at(-1);
return answer ? [answer.className, answer.querySelector(".text").textContent, answer.querySelector(".note").textContent]
  : ["", "", ""];"""


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a Redis that keeps nothing on disk; give its URL."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), durable=False)
    with server, pytest.MonkeyPatch.context() as patch:
        url = f"redis://127.0.0.1:{server.port}/0"
        patch.setenv("REDIS", url)  # for the servers that are started from here on
        yield url


@pytest.fixture(scope="module")
def programs(upstream: Upstream, redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Program]]:
    with running(tmp_path_factory.mktemp("servers"), upstream.url, SERVED + ROUTES) as programs:
        yield programs


@pytest.fixture(scope="module")
def origins(programs: dict[str, Program], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Put one nginx, which serves the page too, in front of all; give each origin."""
    ports = {free_port(): programs[name].port for name in SERVED}
    with proxy(tmp_path_factory.mktemp("nginx"), ports, page="chat.html"):
        yield {name: f"https://127.0.0.1:{port}" for name, port in zip(SERVED, ports, strict=True)}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(program("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture(params=SERVED)
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(stack: str, chromium: webdriver.Chrome, origins: dict[str, str]) -> Iterator[webdriver.Chrome]:
    """Open the page in a tab of its own, without a conversation; close what was opened afterwards."""
    before = chromium.current_window_handle
    chromium.switch_to.new_window("tab")
    chromium.get(origins[stack])
    chromium.add_cookie({"name": "session", "value": "session-1"})
    chromium.execute_script("localStorage.clear()")
    chromium.refresh()
    yield chromium
    for handle in chromium.window_handles:
        if handle != before:
            chromium.switch_to.window(handle)
            chromium.close()
    chromium.switch_to.window(before)


def shown(page: webdriver.Chrome, wanted: Callable[[str, str, str], bool], seconds: float = PATIENCE) -> list[str]:
    """Wait until the last answer's class, text and note are what is wanted; give them as they are then."""
    until = time.monotonic() + seconds
    while not wanted(*(found := page.execute_script(SHOWN))) and time.monotonic() < until:
        time.sleep(0.05)
    if not wanted(*found):
        raise TooLateError(found, page.get_log("browser"))
    return list(found)


def test_an_answer_survives_a_reload_and_is_whole_in_a_second_tab(
    stack: str, page: webdriver.Chrome, origins: dict[str, str], upstream: Upstream
) -> None:
    first = page.current_window_handle
    page.execute_script(ASK, f"silence/{stack}")
    half = "".join(TOKENS[:3])
    shown(page, lambda kind, text, note: text == half)
    page.refresh()
    shown(page, lambda kind, text, note: text == half and "running" in kind)
    page.switch_to.new_window("tab")
    page.get(origins[stack])
    shown(page, lambda kind, text, note: text == half and "running" in kind)
    for tab in (page.current_window_handle, first):
        page.switch_to.window(tab)
        assert shown(page, lambda kind, text, note: "running" not in kind) == ["answer", WHOLE, ""]
    page.refresh()
    assert shown(page, lambda kind, text, note: "running" not in kind and text != "") == ["answer", WHOLE, ""]
    assert upstream.answer(f"silence/{stack}").text == WHOLE  # asked once


@again_alone
def test_the_button_stops_a_silent_model_in_every_tab(
    stack: str, page: webdriver.Chrome, origins: dict[str, str], upstream: Upstream
) -> None:
    first, prompt = page.current_window_handle, f"leave/{stack}"
    upstream.answers.pop(prompt, None)  # of the first turn
    page.execute_script(ASK, prompt)
    shown(page, lambda kind, text, note: text == TOKENS[0])
    page.switch_to.new_window("tab")
    page.get(origins[stack])
    shown(page, lambda kind, text, note: text == TOKENS[0])
    page.find_element("id", "stop").click()
    for tab in (page.current_window_handle, first):
        page.switch_to.window(tab)
        assert shown(page, lambda kind, text, note: kind == "answer", 3.0)[1:] == [TOKENS[0], "The answer was stopped."]
    answer = upstream.answer(prompt)
    assert answer.finished.wait(3.0)
    assert answer.released_at is not None


@again_alone
def test_the_death_of_the_producing_worker_is_told_within_the_lease_and_two_seconds(
    stack: str, page: webdriver.Chrome, programs: dict[str, Program]
) -> None:
    page.execute_script(ASK, f"leave/killed {stack}")
    shown(page, lambda kind, text, note: text == TOKENS[0])
    os.kill(int(programs[stack].log.with_suffix(".worker").read_text()), signal.SIGKILL)
    found = shown(page, lambda kind, text, note: "running" not in kind, LEASE + 2.0)
    assert found == ["answer failed", TOKENS[0], "The server that made the answer is gone."]
    page.execute_script(ASK, f"silence/after {stack}")
    shown(page, lambda kind, text, note: text.startswith(TOKENS[0]) and "running" in kind)


def test_what_a_model_writes_stays_text(stack: str, page: webdriver.Chrome) -> None:
    hostile = "ticks/<img src=x onerror=document.title='taken'>"
    page.execute_script(ASK, hostile)
    shown(page, lambda kind, text, note: text != "")
    page.execute_script(
        "window.typed = new Typewriter(document.querySelector('.text')); typed.write(arguments[0])", hostile
    )
    shown(page, lambda kind, text, note: "onerror" in text)
    assert page.execute_script("return [document.querySelectorAll('img').length, document.title]") == [0, "chat"]
    page.find_element("id", "stop").click()
    shown(page, lambda kind, text, note: "running" not in kind)


@pytest.mark.parametrize("name", ROUTES)
def test_the_routes_answer_with_the_status_that_the_page_names(name: str, programs: dict[str, Program]) -> None:
    url = f"http://127.0.0.1:{programs[name].port}/chat"
    question: dict[str, Any] = {"messages": [{"role": "user", "content": f"large/{name}"}]}
    with requests.Session() as ann, requests.Session() as ben:
        whole = ann.post(f"{url}/1", json=question, timeout=PATIENCE).content
        last = whole.rpartition(b"id: ")[2].partition(b"\n")[0].decode()
        assert whole.endswith(f"id: {last}\ndata: [DONE]\n\n".encode())
        assert ann.get(f"{url}/1", timeout=PATIENCE).content == whole
        for after, status in {"": 200, last: 204, "no id": 400, "1-999999": 404}.items():
            with ann.get(f"{url}/1", headers={"Last-Event-ID": after}, timeout=PATIENCE, stream=True) as answer:
                assert answer.status_code == status
        assert ann.get(f"{url}/1/status", timeout=PATIENCE).json()["verdict"] == "complete"
        assert ann.delete(f"{url}/1", timeout=PATIENCE).status_code == 204
        assert ben.get(f"{url}/1", timeout=PATIENCE).status_code == 404
        broken = ann.post(f"{url}/3", data="{", headers={"Content-Type": "application/json"}, timeout=PATIENCE)
        assert (broken.status_code, "invalid" in broken.text.lower()) == (400, False)  # the body's own answer
        assert ann.delete(f"{url}/2", timeout=PATIENCE).status_code == 404


def test_a_worker_that_exits_finishes_an_answer_that_nobody_reads(upstream: Upstream, tmp_path: Path) -> None:
    """The hook of shut-down.md, in gunicorn's configuration."""
    [hook] = [it.text for it in fences(ROOT / "docs" / "how-to" / "shut-down.md") if "def worker_exit" in it.text]
    (tmp_path / "gunicorn.conf.py").write_text(hook.replace("from chat", "from tests.e2e.apps.replay_wsgi"))
    config = f"--config {tmp_path / 'gunicorn.conf.py'}"
    hooked = replace(GUNICORN, arguments=f"{GUNICORN.arguments} {config} --graceful-timeout 20")
    served = hooked.program(tmp_path, upstream.url)
    question = {"messages": [{"role": "user", "content": "pause/drained"}]}
    with served:
        url = f"http://127.0.0.1:{served.port}/chat/1"
        with requests.post(url, json=question, stream=True, timeout=PATIENCE) as answer:
            name = answer.headers["X-Name"]
            assert next(answer.iter_lines()) == b"id: 1-1"
        served.send(signal.SIGTERM)
        assert served.wait(PATIENCE) is not None, served.output()
    assert "Traceback" not in served.output(), served.output()
    store = SQLiteStore(served.log.with_suffix(".db"))
    report = Replay(store).status(name).report
    store.close()
    assert report is not None, served.output()
    assert (report["verdict"], report["text"]) == ("complete", WHOLE), served.output()


def test_the_example_serves_its_page(programs: dict[str, Program]) -> None:
    """As README.md starts it."""
    served = requests.get(f"http://127.0.0.1:{programs['replay Flask'].port}/", timeout=PATIENCE)
    assert served.content == (ROOT / "docs" / "examples" / "chat.html").read_bytes()
