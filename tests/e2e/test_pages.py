"""The page of `unbroken inspect`, the demo and the example chat, in Chromium: on a phone and on a desk, and what
axe-core says of them.

UNBROKEN_PICTURES=docs/images also writes the pictures of the docs.
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.fences import ROOT
from unbroken.cli.demo import DemoServer
from unbroken.cli.timeline import Rows, page
from unbroken.inspection.clients import breakages
from unbroken.inspection.diagnosis import diagnose
from unbroken.inspection.inspector import Inspector

from .browser import FLAGS
from .requirements import program

pytestmark = pytest.mark.e2e

WIDTHS = (400, 1200)
READ = """return Object.fromEntries(
    ["raw", "repaired", "report", "metrics"].map((id) => [id, document.getElementById(id).textContent]))"""
LAST_CLASSES = 'return ["raw", "repaired"].map((id) => document.getElementById(id).lastChild?.className)'
TURNS = """for (const kind of ["running", "failed", ""]) {
  element(at("turns"), "div", "question", arguments[0]);
  const answer = element(at("turns"), "article", `answer ${kind}`);
  element(answer, "div", "text", arguments[0]);
  element(answer, "p", "note", "The answer was stopped.");
}
at("stop").hidden = false;"""
PICTURES = os.environ.get("UNBROKEN_PICTURES")


def say(text: str) -> bytes:
    choices = [{"index": 0, "delta": {"content": text}}]
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': choices})}\n\n".encode()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\n\r\n"
WORDS = [f"word{number}" for number in range(17)]
# Words, a broken frame, heartbeats, an idle limit's silence, more words, and a cut.
ARRIVALS = [
    (0.4, HEAD),
    *[(0.9 + 0.35 * number, say(word + " ")) for number, word in enumerate(WORDS)],
    (7.6, say("two")[:-1] + say("in one")),
    (9.0, b": ping\n\n"),
    (14.0, b": ping\n\n"),
    (19.0, b": ping\n\n"),
    (58.0, say("again ")),
    *[(58.5 + 0.4 * number, say(word * 5)) for number, word in enumerate(WORDS[:8])],
    (62.0, b'data: {"object":"chat.completion.chunk","choi'),
]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    for flag in (*FLAGS, "--force-prefers-reduced-motion", f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(program("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the source of axe-core, the newest that npm has."""
    folder = tmp_path_factory.mktemp("axe")
    command = [program("npm"), "pack", "--silent", "axe-core@4"]
    packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=120).stdout
    with tarfile.open(folder / packed.strip()) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member
        return member.read().decode("utf-8")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URL of the page of a stream with something of everything."""
    inspector = Inspector()
    inspector.start(0.0)
    rows = Rows()
    for row in [*(row for at, chunk in ARRIVALS for row in inspector.feed(chunk, at)), *inspector.close(122.3)]:
        rows.add(row)
    facts = inspector.facts
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(rows, facts, diagnose(facts), breakages(facts)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    with DemoServer(0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


def show(driver: webdriver.Chrome, url: str, width: int) -> None:
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    driver.get(url)


def check(driver: webdriver.Chrome, axe: str, name: str, width: int) -> None:
    """Hold a page to its width and to axe-core; keep its picture where that is asked for."""
    if PICTURES:
        picture(driver, Path(PICTURES) / f"{name}-{width}.png", width)
    # As a protocol command: the page's own policy lets no script in.
    driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found: dict[str, Any] = driver.execute_async_script("axe.run().then(arguments[0])")
    assert found["passes"]
    faults = [f"{it['id']}: {it['help']}, {it['nodes'][0]['html']}" for it in found["violations"]]
    assert not faults
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert [entry for entry in driver.get_log("browser") if "favicon" not in entry["message"]] == []


def picture(driver: webdriver.Chrome, path: Path, width: int) -> None:
    import base64

    height = min(driver.execute_script("return document.documentElement.scrollHeight"), 1500)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(shot["data"]))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_timeline_page_fits_and_axe_finds_no_fault(
    width: int, chromium: webdriver.Chrome, axe: str, report: str
) -> None:
    show(chromium, report, width)
    assert chromium.title == "unbroken inspect"
    check(chromium, axe, "timeline", width)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_example_chat_fits_and_axe_finds_no_fault(width: int, chromium: webdriver.Chrome, axe: str) -> None:
    show(chromium, (ROOT / "docs" / "examples" / "chat.html").as_uri(), width)
    chromium.execute_script(TURNS, "A long word: " + "x" * 300)
    check(chromium, axe, "chat", width)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_demo_shows_a_silence_with_heartbeats_and_axe_finds_no_fault(
    width: int, chromium: webdriver.Chrome, axe: str, demo: str
) -> None:
    show(chromium, demo, width)
    chromium.execute_script(
        "document.getElementById('fault').value = 'silence'; document.getElementById('form').requestSubmit();"
    )
    ended, until = "(the connection closed)", time.monotonic() + 30
    panes: dict[str, str] = {}
    while time.monotonic() < until and not all(ended in panes.get(pane, "") for pane in ("raw", "repaired")):
        time.sleep(0.2)
        panes = chromium.execute_script(READ)
    told = {"report": 'verdict: "complete"', "metrics": "unbroken_heartbeats_total"}
    while time.monotonic() < until and not all(text in panes[pane] for pane, text in told.items()):
        time.sleep(0.2)
        panes = chromium.execute_script(READ)
    assert "(the connection closed), verdict: complete" in panes["repaired"]
    assert "heartbeat" not in panes["raw"]
    assert panes["repaired"].count("(heartbeat)") >= 4
    assert "unbroken_heartbeats_total" in panes["metrics"]
    check(chromium, axe, "demo", width)


@pytest.mark.parametrize(("fault", "ends"), [("truncated", ["ended", "failed"]), ("healthy", ["ended", "whole"])])
def test_the_demo_paints_red_what_was_cut_and_nothing_else(
    fault: str, ends: list[str], chromium: webdriver.Chrome, demo: str
) -> None:
    show(chromium, demo, 1200)
    chromium.execute_script(
        f"document.getElementById('fault').value = '{fault}'; document.getElementById('form').requestSubmit();"
    )
    until = time.monotonic() + 30
    while (found := chromium.execute_script(LAST_CLASSES)) != ends and time.monotonic() < until:
        time.sleep(0.2)
    assert found == ends
