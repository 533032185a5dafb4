"""`unbroken demo`: a local page that shows a stream with a fault of your choice, raw and repaired, side by side.

The server is the standard library's. It listens on the loopback interface only and checks the `Host` header, so that
a page of another site whose name resolves to this address (DNS rebinding) gets nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from ..adapters.sync import repair
from ..core.report import StreamReport
from ..http import SSE_HEADERS
from ..observe.metrics import Collector
from ..replay import MemoryStore, Replay
from .source import CommandError

DESCRIPTION = """Serve a page on 127.0.0.1 where you pick a fault and watch the stream, as it comes and repaired.
Ctrl-C ends it."""
HEARTBEAT: Final = 1.0
"""Seconds between heartbeats; shorter than the default, so that they can be watched."""
MAX_REPORTS: Final = 16
REPLAYED: Final = "reload"
"""The fault whose repaired side is produced once, whoever reads it."""

Steps = list[tuple[float, bytes]]


def _say(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    value = {"object": "chat.completion.chunk", "choices": [choice]}
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def _answer(*words: str) -> Steps:
    return [(0.3, _say(word)) for word in words]


_WORDS: Final = ("A ", "stream ", "is ", "grün, ", "whole ", "and ", "done.")
_END: Final[Steps] = [(0.3, _say("", "stop")), (0.0, b"data: [DONE]\n\n")]
_CUT: Final = _say("grün ").index("ü".encode()) + 1

FAULTS: Final[dict[str, tuple[str, Steps]]] = {
    "healthy": ("nothing: a healthy answer", [*_answer(*_WORDS), *_END]),
    "silence": ("the model thinks for six seconds", [*_answer("Let me think. "), (6.0, _say("Yes.")), *_END]),
    "cut-character": (
        "characters cut in two, and blank lines missing",
        [
            (0.3, _say("grün ")[:_CUT]),
            (0.8, _say("grün ")[_CUT:-1]),
            (0.5, _say("ist ")[:-1]),
            (0.5, _say("sie.")),
            *_END,
        ],
    ),
    "error-page": (
        "a proxy's page in the middle",
        [*_answer(*_WORDS[:3]), (0.5, b"<html><title>502 Bad Gateway</title></html>\n")],
    ),
    "truncated": ("it ends in the middle, without an error", _answer(*_WORDS[:4])),
    "error-then-done": (
        "an error inside, and [DONE] after it",
        [
            *_answer(*_WORDS[:3]),
            (0.5, b'data: {"error":{"message":"boom","type":"server_error"}}\n\n'),
            (0.3, b"data: [DONE]\n\n"),
        ],
    ),
    "heartbeat-as-data": (
        "heartbeats wrapped as data",
        [*_answer("A "), (0.5, b"data: : keepalive\n\n"), *_answer("word."), *_END],
    ),
    "reload": (
        "nothing, but reload the page, or open it twice",
        [*_answer(*_WORDS, " Reload ", "me: ", "the ", "right ", "side ", "goes ", "on. ", *_WORDS), *_END],
    ),
    "python": (
        "the repr of a Python dict, and NaN",
        [
            *_answer("A "),
            (0.5, b"data: {'object': 'chat.completion.chunk', 'choices': []}\n\n"),
            (0.5, b'data: {"score": NaN}\n\n'),
            *_END,
        ],
    ),
}
"""The faults by name, each with its label on the page and its steps: seconds to wait, then bytes."""


def add_command(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser("demo", help="watch faults, raw and repaired, in a browser", description=DESCRIPTION)
    parser.add_argument("--port", type=int, default=8765, help="the port on 127.0.0.1; 0 takes a free one (8765)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C, and return the exit code."""
    try:
        server = DemoServer(arguments.port)
    except (OSError, OverflowError) as error:
        raise CommandError(f"cannot listen on 127.0.0.1:{arguments.port}: {error}; try --port 0") from error
    with server:
        try:
            print(f"Open {server.url} in a browser; Ctrl-C ends it.", flush=True)
            server.serve_forever(0.1)
        except KeyboardInterrupt:
            pass
    return 0


class DemoServer(ThreadingHTTPServer):
    """The server of the page. `sleep` waits between the steps of a stream."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, sleep: Callable[[float], object] = time.sleep) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.sleep = sleep
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.collector = Collector()
        self.reports: OrderedDict[str, StreamReport] = OrderedDict()
        self.answers = Replay(MemoryStore(), ttl=600.0)

    def raw(self, fault: str) -> Iterator[bytes]:
        """Yield what upstream sends, after its pauses."""
        for pause, chunk in FAULTS[fault][1]:
            self.sleep(pause)
            yield chunk

    def repaired(self, fault: str, run: str) -> Iterator[bytes]:
        """Yield the same stream repaired, and keep its report under the name `run`."""
        if fault == REPLAYED:
            self.answers.start(run or fault, self.raw(fault), provider=fault, observers=[self.collector])
            yield from self.answers.follow(run or fault, heartbeat=HEARTBEAT)
            return
        with repair(self.raw(fault), heartbeat=HEARTBEAT, provider=fault, observers=[self.collector]) as stream:
            self.reports[run] = stream.report
            if len(self.reports) > MAX_REPORTS:
                self.reports.popitem(last=False)
            yield from stream

    def report(self, run: str) -> dict[str, Any] | None:
        """Return the report of a run, None where there is none, or none yet."""
        if run in self.reports:
            return self.reports[run].as_dict()
        try:
            return self.answers.status(run).report
        except LookupError:
            return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore readers that disconnect, and report other errors as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: DemoServer

    def do_GET(self) -> None:
        """Respond with the page, a stream, a report or the metrics."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        fault, run = query.get("fault", ""), query.get("run", "")[:40]
        own_names = {f"127.0.0.1:{self.server.server_port}", f"localhost:{self.server.server_port}"}
        if self.headers.get("Host") not in own_names:
            self._send(421, "text/plain; charset=utf-8", b"This server answers to 127.0.0.1 only.\n")
        elif url.path == "/":
            self._send(200, "text/html; charset=utf-8", _page())
        elif url.path == "/metrics":
            self._send(200, "text/plain; version=0.0.4; charset=utf-8", self.server.collector.prometheus().encode())
        elif url.path == "/report" and (report := self.server.report(run)) is not None:
            self._send(200, "application/json", json.dumps(report).encode())
        elif url.path == "/raw" and fault in FAULTS:
            self._stream(self.server.raw(fault))
        elif url.path == "/repaired" and fault in FAULTS:
            self._stream(self.server.repaired(fault, run))
        else:
            self._send(404, "text/plain; charset=utf-8", b"There is nothing here.\n")

    def do_HEAD(self) -> None:
        """Respond as to a GET, without the body."""
        self.do_GET()

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header(
            "Content-Security-Policy", "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
        )
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _stream(self, chunks: Iterator[bytes]) -> None:
        self.send_response(200)
        for name, value in SSE_HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            for chunk in chunks:
                self.wfile.write(chunk)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the page shows what happens."""


def _page() -> bytes:
    options = "".join(f'<option value="{name}">{label}</option>' for name, (label, _) in FAULTS.items())
    return files(__package__).joinpath("demo.html").read_bytes().replace(b"<!-- options -->", options.encode())
