"""Stops a change that makes unbroken slower: `python -m benchmarks.guard`, about a minute.

Compared are ratios within one run, best pass against best pass: how many times the speed of its yardstick a line has.
The first lines read through the layer of an HTTP client, beside httpx-sse on the same streams: the recorded ones where
UNBROKEN_CAPTURES names their folder, the invented ones of their shapes everywhere. The others are beside a plain Python
loop (`readers.plain_loop`). A slow or busy machine slows both sides; it only takes longer to see a best pass, so the
guard measures until all lines hold or its time is up, and what fell is measured again alone before the guard fails.

The ratios that a line must reach, less 20 %, stand in guard.json, by version of Python; a version that is not there is
held to the lowest of each line. To update them after a change that is meant to alter the speed, run on a quiet machine

    UNBROKEN_CAPTURES=FOLDER python -m benchmarks.guard --record --seconds 120

for each version that is recorded, look at `git diff benchmarks/guard.json` (a line that fell needs its reason in the
commit message), and commit the file. Without the recordings their lines keep what they had.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

from .over_http import HTTPX_SSE, LOADS, OUR_PROXY, OUR_READER, drain, readers
from .readers import LEAN_PROXY, PROXY, READER, YARDSTICK, Chunks
from .recorded import NoRecordingsError, json_payloads, recorded_groups
from .rounds import Pass, frozen_heap, timed
from .workloads import build

RECORD = Path(__file__).with_name("guard.json")
ABOUT = "Times the speed of each line's yardstick, by Python version. How to update them: benchmarks/guard.py."
TOLERANCE = 0.8
SCALE = 0.25
WHOLE = 1.0
"""Where the beginning of a stream must not show: what is aimed at is said of long ones."""
ALONE_SECONDS = 20.0

Ratios = dict[str, float]


@dataclass(frozen=True)
class Line:
    """What is guarded: a reader on some streams, and the yardstick on the same ones.

    `target` is the ratio that the project aims at; it is printed, and held with `--targets` only.
    """

    reader: str
    streams: str
    yardstick: str = HTTPX_SSE
    target: float | None = None


PLAIN = YARDSTICK.name
DIRECT = {reader.name: reader for reader in (READER, PROXY, LEAN_PROXY, YARDSTICK)}
LINES: dict[str, Line] = {
    "recorded, reader": Line(OUR_READER, "recorded", target=1 / 1.8),
    "recorded, proxy": Line(OUR_PROXY, "recorded", target=1 / 2.1),
    "shaped, reader": Line(OUR_READER, "m"),
    "shaped, proxy": Line(OUR_PROXY, "m"),
    "one event a chunk, reader": Line(OUR_READER, "a", target=2.2),
    "64 KiB chunks, reader": Line(OUR_READER, "b", target=2.7),
    "CRLF, reader": Line(OUR_READER, "d", target=3.0),
    "one event a chunk, proxy": Line(OUR_PROXY, "a", LOADS, target=1 / 0.45),
    **{f"reader on ({name})": Line(READER.name, name, PLAIN) for name in "abcdefj"},
    **{f"proxy on ({name})": Line(PROXY.name, name, PLAIN) for name in "ab"},
    **{f"lean proxy on ({name})": Line(LEAN_PROXY.name, name, PLAIN) for name in "ab"},
}


@cache
def streams_of(name: str, scale: float) -> list[Chunks]:
    """Return the streams of a workload at a scale, or all recorded ones. Raises `NoRecordingsError`."""
    if name == "recorded":
        return [chunks for group in recorded_groups() for chunks in group.streams]
    workload = build(name, scale)
    assert workload is not None
    return workload.streams


def pass_of(reader: str, name: str) -> Pass:
    """Return a pass of a reader, by its name, over the streams of that name."""
    if reader == LOADS:
        payloads = json_payloads(streams_of(name, WHOLE))
        return timed(lambda: [json.loads(text) for text in payloads])
    if reader in DIRECT:
        return timed(lambda: DIRECT[reader].read(streams_of(name, SCALE)))
    (over_http,) = (it for it in readers("other") if it.name == reader)
    streams = streams_of(name, WHOLE if name in "abd" else SCALE)
    assert drain(over_http, streams), f"{reader} gave nothing of {name}"
    return timed(lambda: drain(over_http, streams))


class Bench:
    """Keeps the best pass of every line and of its yardstick, round after round."""

    def __init__(self, names: Collection[str]) -> None:
        self._lines = {name: LINES[name] for name in names}
        self._passes: dict[tuple[str, str], Pass] = {}
        for line in self._lines.values():
            for key in (self._key(line), self._yardstick(line)):
                if key not in self._passes:
                    self._passes[key] = pass_of(*key)
        self._best = dict.fromkeys(self._passes, float("inf"))

    @staticmethod
    def _key(line: Line) -> tuple[str, str]:
        return line.reader, line.streams

    @staticmethod
    def _yardstick(line: Line) -> tuple[str, str]:
        return line.yardstick, "a" if line.yardstick == PLAIN else line.streams

    def round(self) -> None:
        """Run the yardstick and the reader of each line once."""
        for line in self._lines.values():
            for key in (self._yardstick(line), self._key(line)):
                self._best[key] = min(self._best[key], self._passes[key]())

    def ratios(self) -> Ratios:
        """Return how many times faster than its yardstick each line was, per pass."""
        return {
            name: self._best[self._yardstick(line)] / self._best[self._key(line)] for name, line in self._lines.items()
        }


def measure(names: Collection[str], seconds: float, wanted: Ratios | None = None, least: int = 10) -> Ratios:
    """Return the ratios, when the time is up or every wanted one has been reached; after at least one round."""
    bench = Bench(names)
    bench.round()
    deadline = perf_counter() + seconds
    rounds = 0
    with frozen_heap():
        while perf_counter() < deadline:
            bench.round()
            rounds += 1
            if wanted is not None and rounds >= least and not fallen(bench.ratios(), wanted):
                break
    return bench.ratios()


def fallen(measured: Ratios, recorded: Ratios) -> list[str]:
    """Return the names of the lines below 80 % of their recorded ratio, and of those recorded and not measured."""
    return [name for name, ratio in recorded.items() if measured.get(name, 0.0) < TOLERANCE * ratio]


def measure_again(measured: Ratios, recorded: Ratios, again: Callable[[str], float]) -> Ratios:
    """Return what was measured, with each line that fell measured `again` alone; its better ratio counts."""
    return {**measured, **{name: max(measured[name], again(name)) for name in fallen(measured, recorded)}}


def recorded_for(version: str, record: dict[str, Ratios]) -> Ratios:
    """Return the ratios recorded for a Python version; for one that was never recorded, the lowest of each line."""
    if version in record:
        return record[version]
    return {name: min(ratios[name] for ratios in record.values()) for name in LINES}


def available_lines() -> list[str]:
    """Return the names of the lines whose streams are on this machine."""
    try:
        streams_of("recorded", WHOLE)
    except NoRecordingsError:
        return [name for name, line in LINES.items() if line.streams != "recorded"]
    return list(LINES)


def read_record() -> dict[str, Ratios]:
    """Return the recorded ratios by Python version; none where nothing was recorded yet."""
    ratios: dict[str, Ratios] = json.loads(RECORD.read_text())["ratios"] if RECORD.exists() else {}
    return ratios


def write_record(record: dict[str, Ratios]) -> None:
    """Write the ratios of all versions."""
    content: dict[str, Any] = {"about": ABOUT, "ratios": dict(sorted(record.items()))}
    RECORD.write_text(json.dumps(content, indent=2) + "\n")


def short_of_target(measured: Ratios) -> list[str]:
    """Return the names of the lines that do not reach what the project aims at."""
    return [name for name, ratio in measured.items() if ratio < (LINES[name].target or 0.0)]


def print_ratios(measured: Ratios, recorded: Ratios, slow: list[str], version: str) -> None:
    """Print each line with its yardstick, what is recorded, and what is aimed at."""
    print(f"times the speed of the yardstick, Python {version}:")
    for name, ratio in measured.items():
        target = LINES[name].target
        aim = f"   aim {target:6.3g}" + (" (short)" if name in short_of_target(measured) else "") if target else ""
        mark = "  TOO SLOW" if name in slow else ""
        print(f"  {name:26} {LINES[name].yardstick:16} {ratio:7.3g}   recorded {recorded.get(name, 0):7.3g}{aim}{mark}")
    if short_of_target(measured):
        print("(short): slower than the project aims at; that alone fails the guard with --targets only")
    if absent := [name for name in LINES if name not in measured]:
        print(f"not measured, since the recordings are not on this machine: {'; '.join(absent)}")
    if slow:
        print(f"{len(slow)} below {TOLERANCE:.0%} of what is recorded in {RECORD.name}; profile before you record anew")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the measured ratios for this Python version")
    parser.add_argument("--targets", action="store_true", help="fail for a line that is short of its aim, too")
    parser.add_argument("--seconds", type=float, default=60.0, help="the longest that one measurement may take (60)")
    options = parser.parse_args(arguments)
    logging.getLogger("unbroken").setLevel(logging.CRITICAL + 1)  # some recordings end badly, which is logged
    version = "{}.{}".format(*sys.version_info[:2])
    record = read_record()
    names = available_lines()
    if options.record:
        measured = measure(names, options.seconds)
        record[version] = {**record.get(version, {}), **{name: float(f"{it:.3g}") for name, it in measured.items()}}
        write_record(record)
    recorded = {name: ratio for name, ratio in recorded_for(version, record).items() if name in names}
    if not options.record:
        measured = measure(names, options.seconds, recorded)
        alone = min(ALONE_SECONDS, options.seconds)
        measured = measure_again(measured, recorded, lambda it: measure([it], alone, {it: recorded[it]})[it])
    slow = fallen(measured, recorded)
    print_ratios(measured, recorded, slow, version)
    return 1 if slow or (options.targets and short_of_target(measured)) else 0


if __name__ == "__main__":
    sys.exit(main())
