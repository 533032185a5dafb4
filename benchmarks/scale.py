"""Long streams and many streams: `python -m benchmarks.scale`.

Cost per event from 1 k to 10 M events of one stream and from 1 to 10,000 streams at once, and what a stream holds.
Every memory figure is the growth of the resident set of a fresh process, for no other number is what a server pays.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import chain, cycle, islice
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from . import machine
from .compare import write_between_markers
from .payloads import DONE
from .readers import LEAN_PROXY, PROXY, READER, Reader
from .workloads import openai_blocks

LENGTHS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
CONCURRENCY = (1, 10, 100, 1_000, 10_000)
CONCURRENT_EVENTS = 100_000
LEAST_TURNS = 100  # a shorter stream would show what its beginning costs
WARM_TURNS = 20
REPEATS = 2
BLOCKS = openai_blocks(1_000)[:-1]


def long_stream(events: int) -> Iterator[bytes]:
    """Yield one event a chunk, without holding more than a thousand of them."""
    return chain(islice(cycle(BLOCKS), events), [DONE])


def best(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Return the least processor time of some runs; wall time would show the neighbours."""
    costs = []
    for _ in range(repeats):
        start = process_time()
        work()
        costs.append(process_time() - start)
    return min(costs)


# --- one long stream --------------------------------------------------------------------------------------------


def cost_by_length(reader: Reader, events: int) -> float:
    """Return seconds per event of one stream of `events`; short ones are repeated until there are 50,000."""
    streams = max(1, 50_000 // events)

    def work() -> None:
        for _ in range(streams):
            deque(reader.open(long_stream(events)), maxlen=0)

    return best(work, REPEATS if events < 1_000_000 else 1) / (streams * events)


# --- many streams -----------------------------------------------------------------------------------------------


def turns_of(streams: int) -> int:
    return max(LEAST_TURNS, CONCURRENT_EVENTS // streams)


def cost_of_many_cores(streams: int) -> float:
    """Return seconds per event of `streams` running repairers that are fed one chunk each in turn, without any I/O."""
    from unbroken import StreamRepairer

    repairers = [StreamRepairer() for _ in range(streams)]
    turns = turns_of(streams)

    def work(turns: int = turns) -> None:
        for block in islice(cycle(BLOCKS), turns):
            for repairer in repairers:
                repairer.feed(block, 0.0)

    work(WARM_TURNS)
    return best(work) / (turns * streams)


async def trickle(events: int) -> AsyncIterator[bytes]:
    for block in islice(cycle(BLOCKS), events):
        await asyncio.sleep(0)
        yield block
    yield DONE


async def consume(stream: AsyncIterator[bytes]) -> None:
    async for _ in stream:
        pass


def cost_of_many_tasks(streams: int, wrap: Callable[[Any], AsyncIterator[bytes]]) -> float:
    """Return seconds per event of `streams` tasks that each read a wrapped stream, one loop turn per event."""
    turns = turns_of(streams)

    async def run() -> None:
        await asyncio.gather(*(consume(wrap(trickle(turns))) for _ in range(streams)))

    return best(lambda: asyncio.run(run())) / (turns * streams)


def arepaired(chunks: Any) -> AsyncIterator[bytes]:
    from unbroken import arepair

    return arepair(chunks)


def read_events(chunks: Any) -> AsyncIterator[Any]:
    from unbroken import aiter_events

    return aiter_events(chunks)


# --- memory -----------------------------------------------------------------------------------------------------


def resident_kib() -> float:
    """Return the resident set of this process in KiB (Linux)."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return float(status.partition("VmRSS:")[2].split()[0])


async def silent_after(blocks: Iterable[bytes], silent: asyncio.Event) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block
    await silent.wait()


async def memory_of_tasks(streams: int, wrap: Callable[[Any], AsyncIterator[bytes]], events: int) -> float:
    """Return KiB per stream, with its task, that has passed `events` on and now waits."""
    silent = asyncio.Event()
    before = resident_kib()
    bodies = [wrap(silent_after(BLOCKS[:events], silent)) for _ in range(streams)]
    tasks = [asyncio.ensure_future(consume(body)) for body in bodies]
    await asyncio.sleep(0.5)
    grown = resident_kib() - before
    silent.set()
    await asyncio.gather(*tasks)
    return grown / streams


def memory_of_threads(streams: int, events: int) -> float:
    """Return KiB per `repair` stream whose upstream blocks in its own thread."""
    import threading

    from unbroken import repair

    silent = threading.Event()

    def blocked() -> Iterator[bytes]:
        yield from BLOCKS[:events]
        silent.wait()

    before = resident_kib()
    bodies = [repair(blocked(), heartbeat=0.01) for _ in range(streams)]
    for body in bodies:
        deque(islice(body, events + 1), maxlen=0)  # the heartbeat shows that upstream blocks
    grown = resident_kib() - before
    silent.set()
    for body in bodies:
        body.close()
    return grown / streams


def memory_of_cores(streams: int, events: int) -> float:
    """Return KiB per bare StreamRepairer."""
    from unbroken import StreamRepairer

    before = resident_kib()
    repairers = [StreamRepairer() for _ in range(streams)]
    for repairer in repairers:
        for block in BLOCKS[:events]:
            repairer.feed(block, 0.0)
    return (resident_kib() - before) / streams


IDLE_STREAM = "arepair and its consumer's task"
IDLE_READER = "aiter_events and its consumer's task"
MEMORY: dict[str, Callable[[int], float]] = {
    "StreamRepairer": lambda events: memory_of_cores(10_000, events),
    "a bare async generator and its task": lambda events: asyncio.run(memory_of_tasks(10_000, aiter, events)),
    IDLE_STREAM: lambda events: asyncio.run(memory_of_tasks(10_000, arepaired, events)),
    IDLE_READER: lambda events: asyncio.run(memory_of_tasks(10_000, read_events, events)),
    "repair and its thread": lambda events: memory_of_threads(500, events),
}


def in_fresh_process(row: str, events: int) -> float:
    code = f"from benchmarks.scale import MEMORY; print(MEMORY[{row!r}]({events}))"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


# --- printing ---------------------------------------------------------------------------------------------------


def row(name: str, costs: list[float]) -> str:
    """Return a row of microseconds per event, and how many times the cheapest the dearest is."""
    figures = " | ".join(f"{cost * 1e6:.2f}" for cost in costs)
    return f"| {name} | {figures} | {max(costs) / min(costs):.2f} |"


def head(title: str, columns: Iterable[int]) -> list[str]:
    names = [f"{column:,}" for column in columns]
    return [f"| {title} | " + " | ".join(names) + " | spread |", "|---|" + "--:|" * (len(names) + 1)]


def tables(most_events: int, most_streams: int) -> list[str]:
    lengths = [length for length in LENGTHS if length <= most_events]
    counts = [count for count in CONCURRENCY if count <= most_streams]
    lines = head("µs per event, one stream of so many events", lengths)
    for reader in (READER, PROXY, LEAN_PROXY):
        lines.append(row(reader.name, [cost_by_length(reader, length) for length in lengths]))
    lines += ["", *head("µs per event, so many streams at once", counts)]
    lines.append(row("StreamRepairer, fed in turn", [cost_of_many_cores(count) for count in counts]))
    lines.append(row("a bare async generator", [cost_of_many_tasks(count, aiter) for count in counts]))
    lines.append(row("arepair, all defaults", [cost_of_many_tasks(count, arepaired) for count in counts]))
    lines += ["", "| KiB per stream | idle | after 100 events |", "|---|--:|--:|"]
    lines += [f"| {name} | {in_fresh_process(name, 0):.1f} | {in_fresh_process(name, 100):.1f} |" for name in MEMORY]
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--events", type=int, default=LENGTHS[-1], help="the longest stream (10,000,000)")
    parser.add_argument("--streams", type=int, default=CONCURRENCY[-1], help="the most at once (10,000)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    options = parser.parse_args()
    start = perf_counter()
    lines = [f"Output of `python -m benchmarks.scale` on {machine.today_and_description()}.", ""]
    text = "\n".join(lines + tables(options.events, options.streams))
    print(text)
    print(f"{perf_counter() - start:.0f} s", file=sys.stderr)
    if options.write:
        write_between_markers(options.write, text, "scale")


if __name__ == "__main__":
    main()
