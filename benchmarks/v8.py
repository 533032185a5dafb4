"""eventsource-parser under Node, timed inside its own process while Python waits.

https://www.npmjs.com/package/eventsource-parser
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .rounds import Pass
from .workloads import Workload

PACKAGE = "eventsource-parser"
VERSION = "4.1.3"
NAME = f"{PACKAGE} on V8"
WARM_SECONDS = 0.7


class NoV8Error(Exception):
    """Node is not here, or its package cannot be installed."""


class V8:
    """A Node process that reads workloads. Raises NoV8Error, saying what is missing."""

    def __init__(self) -> None:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise NoV8Error("node and npm are not both installed")
        self._folder = tempfile.TemporaryDirectory(prefix="unbroken-v8-")
        folder = Path(self._folder.name)
        shutil.copy(Path(__file__).with_name("v8.mjs"), folder)
        install = [npm, "install", "--no-audit", "--no-fund", "--silent", f"{PACKAGE}@{VERSION}"]
        try:
            subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=120, text=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            self._folder.cleanup()
            raise NoV8Error(f"npm could not install {PACKAGE}@{VERSION}: {error.stderr or error}") from error
        self.version = VERSION
        self.node = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
        self._process = subprocess.Popen(
            [node, "v8.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        self._folder.cleanup()

    def _ask(self, command: str, **arguments: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": command, **arguments}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def load(self, workload: Workload) -> None:
        """Hand over the bytes in a file and the chunk sizes with them."""
        body = Path(self._folder.name) / "body.bin"
        body.write_bytes(b"".join(chunk for chunks in workload.streams for chunk in chunks))
        self._ask("load", body=str(body), sizes=[[len(chunk) for chunk in chunks] for chunks in workload.streams])

    def payloads(self) -> tuple[int, str]:
        """Return the number of events and a hash over their payloads, to compare with the other readers."""
        answer = self._ask("payloads")
        return answer["events"], answer["sha256"]

    def reading(self, workload: Workload) -> Pass:
        """Return a pass, with the code already compiled by V8."""
        self.load(workload)
        spent = 0.0
        while spent < WARM_SECONDS:
            spent += self._once(workload.events)
        return lambda: self._once(workload.events)

    def _once(self, events: int) -> float:
        answer = self._ask("pass")
        if answer["events"] != events:
            raise AssertionError(f"{NAME} read {answer['events']} events of {events}")
        return float(answer["ns"]) / 1e9
