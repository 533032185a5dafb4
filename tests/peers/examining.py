"""One peer under its contract, in a process of its own: `python -m tests.peers.examining CONTRACT OUTPUT`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fences import ROOT
from tests.peers.installing import installed
from tests.peers.peers import Peer


@dataclass(frozen=True, slots=True)
class Result:
    """What one test found: nothing, why it was not asked, or the smallest stream that breaks it."""

    test: str
    failure: str | None
    skipped: str | None
    stream: str | None = None
    cut: str | None = None
    expected: str | None = None
    seen: str | None = None

    @property
    def mark(self) -> str:
        return "no" if self.failure else "-" if self.skipped else "yes"


def examined(peer: Peer) -> dict[str, Result]:
    """Run a peer's contract and give what each test found. Raises `RuntimeError` if it cannot run."""
    folder = installed(peer)
    output = folder / f"{peer.contract}.json"
    path = os.pathsep.join([str(folder), str(ROOT)])
    command = [sys.executable, "-m", "tests.peers.examining", peer.contract, str(output)]
    result = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=900
    )
    if result.returncode:
        raise RuntimeError(f"{peer.title} cannot be examined:\n{result.stderr}")
    rows = json.loads(output.read_text(encoding="utf-8"))
    return {row["test"]: Result(**row) for row in rows}


def main(contract: str, output: str) -> None:
    """Examine the contract of this name, with Hypothesis' default budget and the same draws each time."""
    from hypothesis import settings
    from hypothesis.configuration import set_hypothesis_home_dir

    from tests.peers import parsers
    from unbroken.testing.contract import Finding, examine
    from unbroken.testing.cuts import describe_cut

    warnings.simplefilter("ignore")
    set_hypothesis_home_dir(Path(output).parent / ".hypothesis")
    settings.register_profile("peers", derandomize=True, database=None)
    settings.load_profile("peers")

    def as_row(finding: Finding) -> dict[str, Any]:
        row: dict[str, Any] = {"test": finding.test, "failure": finding.failure, "skipped": finding.skipped}
        if broken := finding.broken:
            row |= {"stream": repr(broken.data), "cut": describe_cut(broken.chunks)}
            row |= {"expected": repr(broken.expected), "seen": repr(broken.seen)}
        return row

    findings = examine(getattr(parsers, contract)())
    Path(output).write_text(json.dumps([as_row(finding) for finding in findings]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
