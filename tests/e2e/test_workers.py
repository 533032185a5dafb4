"""Four workers of gunicorn: whichever answers `/metrics`, it answers for all of them (docs/how-to/observe.md)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client import multiprocess, parser

from tests.fences import ROOT

from .processes import Program, free_port
from .reader import connect, read_until
from .stacks import write_pages
from .upstream import DONE, Upstream

pytestmark = pytest.mark.e2e

PAGE = ROOT / "docs" / "how-to" / "observe.md"
WORKERS = 4
STREAMS = 24
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
ORIGIN = (("dialect", "openai-chat"), ("provider", "acme"))


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as started:
        yield started


@pytest.fixture
def server(upstream: Upstream, tmp_path: Path) -> Iterator[Program]:
    """Run the commands of the page, on a free port."""
    write_pages(tmp_path)
    command = re.search(r"^\$ gunicorn (--workers 4 .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert command
    port, folder = free_port(), tmp_path / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    arguments = command[1].replace("workers_gunicorn.py", str(tmp_path / "workers_gunicorn.py")).split()
    started = Program(
        [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--graceful-timeout", "1", *arguments],
        port,
        tmp_path / "gunicorn.log",
        {
            "UPSTREAM": upstream.url,
            "PYTHONPATH": f"{tmp_path}:{ROOT}:{ROOT / 'src'}",
            "PROMETHEUS_MULTIPROC_DIR": str(folder),
            "NO_PROXY": "127.0.0.1",
        },
    )
    with started:
        yield started


def scrape(port: int) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as response:
        text = response.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


def settled(port: int, name: str, wanted: float) -> Samples:
    """Scrape until this sample without labels has this value: a stream ends a little later than its answer."""
    until = time.monotonic() + 20
    while (found := scrape(port)).get((name, ())) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    return found


def workers(folder: Path) -> set[int]:
    """Return the process ids of the workers that keep figures."""
    return {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_livesum_*.db")}


def served(folder: Path) -> list[float]:
    """Return how many streams each worker served that served any."""
    merged = [multiprocess.MultiProcessCollector.merge([str(path)]) for path in folder.glob("counter_*.db")]
    totals = [
        sum(sample.value for metric in metrics for sample in metric.samples if sample.name == "unbroken_streams_total")
        for metrics in merged
    ]
    return [total for total in totals if total]


def ask(port: int, prompt: str) -> bytes:
    with connect(port, "/chat", prompt) as connection:
        return read_until(connection, b"\r\n0\r\n\r\n")


def ask_again(port: int, prompt: str, last_event_id: str) -> None:
    url = f"http://127.0.0.1:{port}/chat?prompt={prompt}"
    asked = urllib.request.Request(url, headers={"Last-Event-ID": last_event_id})
    with urllib.request.urlopen(asked, timeout=20) as response:
        response.read()


def test_every_worker_answers_for_all_of_them(server: Program, tmp_path: Path) -> None:
    with ThreadPoolExecutor(STREAMS) as pool:
        answers = list(pool.map(lambda number: ask(server.port, f"large/{number}"), range(STREAMS)))
    assert all(DONE.strip() in answer for answer in answers)
    for number in range(5):
        ask(server.port, f"fail/{number}")
    ask_again(server.port, "fail/again", "7")
    first = settled(server.port, "unbroken_duration_seconds_count", STREAMS + 6)
    assert len(workers(tmp_path / "metrics")) == WORKERS
    assert len(served(tmp_path / "metrics")) > 1, "one worker took all streams: nothing was added up"
    found = [scrape(server.port) for _ in range(5 * WORKERS)]
    assert all(again == first for again in found)
    assert first["unbroken_streams_total", (*ORIGIN, ("verdict", "complete"))] == STREAMS
    assert first["unbroken_errors_total", (("code", "rate-limited"), ("provider", "acme"))] == 6
    assert first["unbroken_reconnections_total", ()] == 1
    assert first["unbroken_active", ()] == 0
    assert not [name for name, _ in first if name.endswith("_created")]


def test_the_streams_of_a_worker_that_was_killed_are_not_active(server: Program, tmp_path: Path) -> None:
    open_streams = [connect(server.port, "/chat", f"leave/{number}") for number in range(8)]
    for stream in open_streams:
        read_until(stream, b"data: ")
    assert settled(server.port, "unbroken_active", 8)["unbroken_active", ()] == 8
    (tmp_path / "metrics" / "counter_1.db").touch()  # what a worker leaves that is killed while it starts
    for pid in workers(tmp_path / "metrics"):
        os.kill(pid, signal.SIGKILL)
    found = settled(server.port, "unbroken_active", 0)
    assert found["unbroken_active", ()] == 0
    for stream in open_streams:
        stream.close()
