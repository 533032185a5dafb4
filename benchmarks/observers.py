"""What it costs to be watched, in µs per event: `python -m benchmarks.observers`.

Every event is a chunk of its own, the worst case: then each one is received, and forwarded as content. Watched
passes and bare ones take turns; the figure is the median difference of such a pair, in processor time.
`--write docs/speed.md` puts what is printed into that page.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from time import process_time

from unbroken import Collector, FlightRecorder, Observer, StreamReport, repair

from .compare import print_and_write
from .payloads import DONE
from .workloads import openai_blocks

EVENTS = 10_000
ROUNDS = 100
LIMIT = 0.3
CHUNKS = [*openai_blocks(EVENTS), DONE]


class Counting(Observer):
    """An observer with every hook of one event, and as little in them as can be."""

    def received(self, report: StreamReport, chunk: bytes, at: float) -> None: ...

    def content(self, report: StreamReport, gap: float) -> None: ...


def seconds(observers: list[Observer]) -> float:
    """Return what it takes to repair one stream, without heartbeats and clocks."""
    stream = repair(CHUNKS, heartbeat=None, timeouts=None, observers=observers)
    start = process_time()
    deque(stream, maxlen=0)
    return process_time() - start


def cost(make: type[Observer] | None) -> float:
    """Return the µs per event that an observer adds."""
    added = []
    for round in range(ROUNDS):
        passes: list[list[Observer]] = [[], [make()] if make else []]
        first, second = (seconds(observers) for observers in (passes if round % 2 else passes[::-1]))
        added.append(second - first if round % 2 else first - second)
    return median(added) / EVENTS * 1e6


def main() -> None:
    """Print the table, and write it where `--write PAGE` says."""
    print_and_write("observers", print_table, "Print the table, and write it where `--write PAGE` says.")


def print_table() -> None:
    """Print what each observer adds."""
    print(f"µs per event, {ROUNDS} rounds of {EVENTS} events, one a chunk; the limit is {LIMIT}")
    for name, make in {
        "no observer": None,
        "hooks alone": Counting,
        "Collector": Collector,
        "FlightRecorder": FlightRecorder,
    }.items():
        print(f"{name:<16} {cost(make):6.3f}")


if __name__ == "__main__":
    main()
