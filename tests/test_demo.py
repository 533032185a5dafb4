"""The demo: a page on the loopback interface, each fault raw and repaired, and the tutorial.md step that starts it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

import unbroken
from unbroken.cli import demo, main
from unbroken.cli.demo import FAULTS, DemoServer


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(0, sleep=lambda seconds: None) as started:
        thread = threading.Thread(target=started.serve_forever, args=(0.01,))
        thread.start()
        yield started
        started.shutdown()
        thread.join()


def get(server: DemoServer, path: str, host: str | None = None, method: str = "GET") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.request(method, path, headers={"Host": host} if host else {})
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()
    finally:
        connection.close()


VERDICTS = {"error-page": "failed", "truncated": "truncated", "error-then-done": "failed"}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_there_raw_and_repaired_with_its_report(fault: str, server: DemoServer) -> None:
    _, kind, raw = get(server, f"/raw?fault={fault}")
    _, _, mended = get(server, f"/repaired?fault={fault}&run=r1")
    report = json.loads(get(server, "/report?run=r1")[2])
    assert kind == unbroken.SSE_HEADERS["Content-Type"]
    assert raw == b"".join(chunk for _, chunk in FAULTS[fault][1])
    assert report["verdict"] == VERDICTS.get(fault, "complete")
    again = unbroken.repair([mended], heartbeat=None, timeouts=None)
    assert b"".join(again) == mended
    assert not again.report.repairs
    assert (raw == mended) == (fault in ("healthy", "silence"))


def test_the_page_offers_every_fault_and_loads_nothing_from_elsewhere(server: DemoServer) -> None:
    status, kind, page = get(server, "/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert all(f'value="{fault}"'.encode() in page for fault in FAULTS)
    assert not re.search(rb"://|[\"'(=]\s*//", page)


def test_what_is_reloaded_is_produced_once_and_has_ids(server: DemoServer) -> None:
    first, second = (get(server, "/repaired?fault=reload&run=1")[2] for _ in range(2))
    assert first == second
    assert first.startswith(b"id: 1-1\n")
    assert (
        b'unbroken_streams_total{dialect="openai-chat",provider="reload",verdict="complete"} 1'
        in (get(server, "/metrics")[2])
    )
    assert get(server, "/report?run=unknown")[0] == 404


def test_metrics_count_what_was_watched(server: DemoServer) -> None:
    get(server, "/repaired?fault=truncated")
    assert (
        b'unbroken_streams_total{dialect="openai-chat",provider="truncated",verdict="truncated"} 1'
        in get(server, "/metrics")[2]
    )


@pytest.mark.parametrize(
    "path", ["/nothing", "/raw?fault=no", "/raw", "/repaired?fault=../x", "/report?run=no", "//evil"]
)
def test_anything_else_is_not_there(path: str, server: DemoServer) -> None:
    assert get(server, path)[0] == 404


@pytest.mark.parametrize("path", ["/", "/raw?fault=healthy", "/repaired?fault=healthy&run=h", "/metrics", "/nothing"])
def test_head_is_answered_as_get_is_without_a_body(path: str, server: DemoServer) -> None:
    status, kind, _ = get(server, path)
    assert get(server, path, method="HEAD") == (status, kind, b"")
    assert get(server, "//", host="evil.example", method="HEAD")[0] == 421


def test_another_name_for_this_address_gets_nothing(server: DemoServer) -> None:
    assert get(server, "/", host="evil.example")[0] == 421
    assert get(server, "/", host=f"localhost:{server.server_port}")[0] == 200


def test_the_reports_that_are_kept_are_bounded(server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "MAX_REPORTS", 2)
    for run in range(4):
        get(server, f"/repaired?fault=truncated&run={run}")
    assert list(server.reports) == ["2", "3"]


def test_a_port_that_is_taken_exits_with_2_and_the_fix(server: DemoServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--port", str(server.server_port)]) == 2
    assert "try --port 0" in capsys.readouterr().err


def test_ctrl_c_ends_the_command_quietly() -> None:
    command = [
        sys.executable,
        "-c",
        # A shell's background job ignores Ctrl-C, and so would what it starts.
        "import signal, sys; from unbroken.cli import main; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(main())",
        "demo",
        "--port",
        "0",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ))
    try:
        assert process.stdout
        assert process.stdout.readline().startswith(b"Open http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == (b"", b"")
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
