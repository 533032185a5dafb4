"""Our own history: `pytest benchmarks --benchmark-autosave`, then `--benchmark-compare`."""

from __future__ import annotations

from typing import Any

import pytest

from .readers import OURS, Reader
from .workloads import WORKLOADS, build

SCALE = 0.25


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name != "i"])
@pytest.mark.parametrize("reader", OURS, ids=lambda reader: reader.open.__name__)
def test_speed(benchmark: Any, reader: Reader, name: str) -> None:
    workload = build(name, SCALE)
    assert workload is not None
    benchmark.group = f"({name}) {workload.title}"
    benchmark.extra_info["events"] = workload.events
    benchmark(reader.read, workload.streams)
