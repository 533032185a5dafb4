"""What `import unbroken` takes, beside the modules of the standard library that it cannot do without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import unbroken

STANDARD = "json, dataclasses, enum, typing, codecs, re"
ROUNDS = 20


def seconds(names: str) -> float:
    """Return the processor time that a fresh interpreter takes to import some modules."""
    found = str(Path(unbroken.__file__).parents[1])
    code = f"import sys; sys.path.insert(0, {found!r})\nfrom time import process_time as now\nstart = now()\n"
    command = [sys.executable, "-I", "-c", f"{code}import {names}\nprint(now() - start)"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(rounds: int = ROUNDS) -> tuple[float, float]:
    """Return the least seconds of `import unbroken` and of the standard modules, interleaved."""
    pairs = [(seconds("unbroken"), seconds(STANDARD)) for _ in range(rounds)]
    return min(ours for ours, _ in pairs), min(standard for _, standard in pairs)
