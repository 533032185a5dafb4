"""Stops a change that makes unbroken slower: `python -m benchmarks.guard`, under a minute.

What is compared is not time but the ratio to a plain Python loop in the same run (`readers.plain_loop`), best pass
against best pass, with the ratio recorded in guard.json. A slow or busy machine slows both; it only takes the guard
longer to see a best pass, so it keeps looking until all lines hold or its time is up.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from pathlib import Path
from time import perf_counter

from .readers import LEAN_PROXY, PROXY, READER, YARDSTICK, Reader
from .rounds import Pass, timed
from .workloads import build

RECORD = Path(__file__).with_name("guard.json")
TOLERANCE = 0.8
SCALE = 0.25

LINES: dict[str, tuple[Reader, str]] = {
    "reader on (a)": (READER, "a"),
    "reader on (b)": (READER, "b"),
    "reader on (c)": (READER, "c"),
    "reader on (d)": (READER, "d"),
    "reader on (e)": (READER, "e"),
    "reader on (f)": (READER, "f"),
    "reader on (j)": (READER, "j"),
    "proxy on (a)": (PROXY, "a"),
    "proxy on (b)": (PROXY, "b"),
    "lean proxy on (a)": (LEAN_PROXY, "a"),
    "lean proxy on (b)": (LEAN_PROXY, "b"),
}

Ratios = dict[str, float]


class Bench:
    """Keeps the best pass of every line and of the yardstick, round after round."""

    def __init__(self) -> None:
        self._passes = {name: _pass(reader, workload) for name, (reader, workload) in LINES.items()}
        self._yardstick = _pass(YARDSTICK, "a")
        self._best = dict.fromkeys(LINES, float("inf"))
        self._best_yardstick = float("inf")

    def round(self) -> None:
        for name, once in self._passes.items():
            self._best_yardstick = min(self._best_yardstick, self._yardstick())
            self._best[name] = min(self._best[name], once())

    def ratios(self) -> Ratios:
        """Say how many times faster than the yardstick each line was, per pass."""
        return {name: self._best_yardstick / best for name, best in self._best.items()}


def _pass(reader: Reader, name: str) -> Pass:
    workload = build(name, SCALE)
    assert workload is not None
    streams = workload.streams
    return timed(lambda: reader.read(streams))


def measure(seconds: float, wanted: Ratios | None = None, least: int = 10) -> Ratios:
    """Measure until the time is up, or earlier once every wanted ratio has been reached."""
    bench = Bench()
    bench.round()
    gc.collect()
    gc.freeze()
    deadline = perf_counter() + seconds
    rounds = 0
    while perf_counter() < deadline:
        bench.round()
        rounds += 1
        if wanted is not None and rounds >= least and not fallen(bench.ratios(), wanted):
            break
    gc.unfreeze()
    return bench.ratios()


def fallen(measured: Ratios, recorded: Ratios) -> list[str]:
    """Name the lines below 80 % of their recorded ratio, and those that are recorded and not measured."""
    return [name for name, ratio in recorded.items() if measured.get(name, 0.0) < TOLERANCE * ratio]


def recorded_for(version: str, record: dict[str, Ratios]) -> Ratios:
    """Look the ratios of a Python version up; for one that was never recorded, take the lowest of each line."""
    if version in record:
        return record[version]
    return {name: min(ratios[name] for ratios in record.values()) for name in LINES}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the measured ratios for this Python version")
    parser.add_argument("--seconds", type=float, default=40.0, help="the longest it may take (40)")
    options = parser.parse_args()
    version = "{}.{}".format(*sys.version_info[:2])
    record: dict[str, Ratios] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    if options.record:
        record[version] = {name: float(f"{ratio:.3g}") for name, ratio in measure(options.seconds).items()}
        RECORD.write_text(json.dumps(dict(sorted(record.items())), indent=2) + "\n")
    recorded = recorded_for(version, record)
    measured = record[version] if options.record else measure(options.seconds, recorded)
    slow = fallen(measured, recorded)
    print(f"times the speed of a plain loop, Python {version}:")
    for name, ratio in measured.items():
        mark = "  TOO SLOW" if name in slow else ""
        print(f"  {name:20} {ratio:7.3g}   recorded {recorded.get(name, 0.0):7.3g}{mark}")
    if slow:
        print(f"{len(slow)} below {TOLERANCE:.0%} of what is recorded in {RECORD.name}; profile before you record anew")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
