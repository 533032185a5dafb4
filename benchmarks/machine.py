"""The machine that figures belong to, in one line."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path


def description() -> str:
    """Return processor, cores, operating system and Python."""
    cpuinfo = Path("/proc/cpuinfo")
    model = platform.processor() or platform.machine()
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, {python}"


def today_and_description() -> str:
    """Return the day and the machine, as they stand above every table."""
    return f"{datetime.datetime.now(datetime.UTC).date().isoformat()}, {description()}"
