"""Runs the clients, several at a time, in one process for Python and one for Node.js."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

from tests.clients.table.python_clients import CLIENTS
from tests.clients.table.seen import HANGS, Seen, judge
from tests.clients.table.server import TableServer
from tests.clients.table.streams import FAULTS, SAID

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PATIENCE = 30.0
"""Seconds after which a run hangs."""
IMPORT_PATIENCE = 120.0
AT_ONCE = 6


@dataclass(frozen=True)
class Entry:
    """One entry point of a package that is installed."""

    name: str
    package: str
    dialect: str
    version: str
    reads: str = SAID
    node: bool = False


@dataclass(frozen=True)
class Run:
    """One client, before one fault, in one mode of the server."""

    entry: Entry
    mode: str
    fault: str


def python_entries() -> Iterator[Entry]:
    """Give those of the packages that are installed here."""
    for client in CLIENTS.values():
        try:
            yield Entry(client.name, client.package, client.dialect, client.version, client.reads)
        except PackageNotFoundError:
            pass


def node_folder() -> Path | None:
    """Return the folder in which `npm install` put the packages of package.json, if it is there."""
    folder = Path(os.environ.get("NODE_CLIENTS", HERE))
    return folder if (folder / "node_modules").is_dir() else None


def node_entries() -> Iterator[Entry]:
    """Give those for Node.js, if they are installed."""
    if node_folder() is None:
        return
    told = subprocess.run([*_node(), "--versions"], env=_environment(), capture_output=True, check=True)
    for name, about in json.loads(told.stdout).items():
        yield Entry(name, about["package"], about["dialect"], about["version"], node=True)


def entries() -> list[Entry]:
    """Return all that are installed."""
    return [*python_entries(), *node_entries()]


def _node() -> list[str]:
    return ["node", str(HERE / "node_clients.mjs")]


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "NODE_CLIENTS": str(node_folder() or "")}


class _Worker:
    """One process that runs clients: orders in, answers out, each a line."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=ROOT,
            text=True,
            encoding="utf-8",
        )
        self._waiting: dict[int, queue.Queue[Any]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                answer = json.loads(line)
                waiting = self._waiting.get(answer.pop("id", None))
                if waiting is not None:
                    waiting.put(answer)

    def run(self, id: int, client: str, url: str, patience: float = PATIENCE) -> Seen:
        """Run a client, and return what its application saw."""
        waiting = self._waiting[id] = queue.Queue()
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(json.dumps({"id": id, "client": client, "url": url}) + "\n")
            self._process.stdin.flush()
        try:
            answer = waiting.get(timeout=patience)
        except queue.Empty:
            return Seen(odd=[HANGS])
        finally:
            del self._waiting[id]
        errors = [(name, message) for name, message in answer.pop("errors")]
        answer.pop("requests", None)
        return Seen(**answer, errors=errors)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def run_all(runs: Iterable[Run]) -> Iterator[tuple[Run, str, Seen]]:
    """Give each run with the word for what was seen, as they end."""
    ordered = iter(runs)
    lock, found = threading.Lock(), queue.Queue[Any]()
    numbers = itertools.count(1)
    workers: dict[bool, _Worker] = {}
    ready: dict[str, threading.Event] = {}

    def worker_of(entry: Entry) -> _Worker:
        with lock:
            if entry.node not in workers:
                command = _node() if entry.node else [sys.executable, "-m", "tests.clients.table.python_clients"]
                workers[entry.node] = _Worker(command)
            return workers[entry.node]

    def warm_up(server: TableServer, worker: _Worker, run: Run, number: int) -> None:
        """Let a client be imported, which takes some longer than `PATIENCE`, before its first run counts."""
        with lock:
            first = run.entry.name not in ready
            event = ready.setdefault(run.entry.name, threading.Event())
        if first:
            worker.run(-number, run.entry.name, f"{server.url}/bare/healthy/{run.entry.reads}/0", IMPORT_PATIENCE)
            event.set()
        event.wait()

    def work(server: TableServer) -> None:
        while True:
            with lock:
                run = next(ordered, None)
                number = next(numbers)
            if run is None:
                found.put(None)
                return
            worker = worker_of(run.entry)
            warm_up(server, worker, run, number)
            found.put(_run(server, worker, run, number))

    with TableServer() as server:
        for _ in range(AT_ONCE):
            threading.Thread(target=work, args=[server], daemon=True).start()
        left = AT_ONCE
        while left:
            done = found.get()
            if done is None:
                left -= 1
            else:
                yield done
        for worker in workers.values():
            worker.close()


def _run(server: TableServer, worker: _Worker, run: Run, number: int) -> tuple[Run, str, Seen]:
    entry = run.entry
    seen = worker.run(number, entry.name, f"{server.url}/{run.mode}/{run.fault}/{entry.reads}/{number}")
    seen.requests = server.requests[str(number)]
    return run, judge(FAULTS[run.fault], seen, entry.reads), seen
