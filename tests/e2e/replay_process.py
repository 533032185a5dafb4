"""A process that produces replayed answers: `python -m tests.e2e.replay_process PORT LEASE COMMAND ID...`.

It prints a line for each thing that happens, and starts when it is sent a line. Commands: `ticking` (a token each
10 ms, for ever), `silent` (one token, then nothing), `whole` (three events for each id).
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tests.scripted import DONE, TOKEN
from unbroken.replay import RedisStore, Replay


class Producer:
    """The process as its starter sees it. A context manager; `go` has it start, `line` returns what it printed."""

    def __init__(self, port: int, command: str, ids: Sequence[str], *, lease: float = 10.0) -> None:
        arguments = [sys.executable, "-m", "tests.e2e.replay_process", str(port), str(lease), command, *ids]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def send(self, sign: int) -> None:
        self._process.send_signal(sign)

    def __enter__(self) -> Producer:
        assert self.line() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def _ticking() -> Iterator[bytes]:
    while True:
        yield TOKEN
        time.sleep(0.01)


def _silent() -> Iterator[bytes]:
    yield TOKEN
    while True:
        time.sleep(60)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")  # in one piece: threads say things at the same time
    sys.stdout.flush()


def _told(report: Any) -> None:
    _say(f"ended {report.error.code if report.error else report.verdict.value}")


def main(port: str, lease: str, command: str, *ids: str) -> None:
    import redis

    from .redis_server import BOUNDED

    answers = Replay(RedisStore(redis.Redis(port=int(port), **BOUNDED)), lease=float(lease))
    upstreams: dict[str, Any] = {"ticking": _ticking, "silent": _silent, "whole": lambda: [TOKEN, TOKEN, DONE]}
    _say("ready")
    sys.stdin.readline()
    for id in ids:
        _say(f"started {answers.start(id, upstreams[command], on_end=_told)}")
    sys.stdin.readline()  # until the starter is gone


if __name__ == "__main__":
    main(*sys.argv[1:])
