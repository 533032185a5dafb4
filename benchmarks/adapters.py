"""What waiting costs: `python -m benchmarks.adapters`.

Microseconds per chunk that each way of keeping a stream alive takes above the same engine fed in a bare loop, in one
process, interleaved; the latency that a token gains on its way; what idle streams hold, and what 10,000 of them with
heartbeats cost; and what `import unbroken` takes. What is short of its aim is measured again alone; the program fails
if it is short then too. `--write docs/speed.md` puts what is printed into that page.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import selectors
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any

from unbroken import EventReader, StreamRepairer, aiter_events, arepair, repair

from . import imports, latency, machine
from .compare import write_output
from .payloads import DONE
from .scale import IDLE_READER, IDLE_STREAM, in_fresh_process, resident_kib
from .workloads import openai_blocks

CHUNKS = 4_000
BODY = [*openai_blocks(CHUNKS), DONE]

Sink = Callable[[Any], object]
"""Takes each item that comes out."""


# --- cost per chunk, asynchronous -------------------------------------------------------------------------------


async def ready() -> AsyncIterator[bytes]:
    for chunk in BODY:
        yield chunk


async def one_turn_each() -> AsyncIterator[bytes]:
    for chunk in BODY:
        await asyncio.sleep(0)
        yield chunk


async def bare(upstream: AsyncIterator[bytes], sink: Sink) -> None:
    """Feed a StreamRepairer in the loop that reads: no heartbeat, and no timeout while upstream waits."""
    engine, clock = StreamRepairer(), asyncio.get_running_loop().time
    async for chunk in upstream:
        for item in engine.feed(chunk, clock()):
            sink(item)
    for item in engine.close(clock()):
        sink(item)


async def bare_reader(upstream: AsyncIterator[bytes], sink: Sink) -> None:
    """Feed an EventReader in the loop that reads."""
    engine = EventReader()
    async for chunk in upstream:
        for item in engine.feed(chunk):
            sink(item)
    for item in engine.close():
        sink(item)


async def a_task_per_item(upstream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        pending = asyncio.ensure_future(anext(upstream))
        while not pending.done():
            await asyncio.wait({pending}, timeout=5.0)
        try:
            yield pending.result()
        except StopAsyncIteration:
            return


async def a_queue_and_wait_for(upstream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(16)

    async def fill() -> None:
        async for chunk in upstream:
            await queue.put(chunk)
        await queue.put(None)

    task = asyncio.ensure_future(fill())
    while (chunk := await asyncio.wait_for(queue.get(), 5.0)) is not None:
        yield chunk
    await task


async def each(stream: AsyncIterator[Any], sink: Sink) -> None:
    async for item in stream:
        sink(item)


BARE = "a bare loop and StreamRepairer"
BARE_READER = "a bare loop and EventReader"
TASK = "a task per item"
OF_A_TASK = 0.2
"""The aim that a slow machine meets as well as a fast one: 3 µs where a task per item costs 15."""
AREPAIR = "arepair, all defaults"
READER = "aiter_events, all defaults"
LEAN_READER = "aiter_events(timeouts=None)"
WAYS: dict[str, Callable[[AsyncIterator[bytes], Sink], Awaitable[None]]] = {
    BARE: bare,
    TASK: lambda upstream, sink: bare(a_task_per_item(upstream), sink),
    "a queue and wait_for": lambda upstream, sink: bare(a_queue_and_wait_for(upstream), sink),
    "the leanest pump": lambda upstream, sink: bare(latency.LeanestPump(upstream), sink),
    AREPAIR: lambda upstream, sink: each(arepair(upstream), sink),
    BARE_READER: bare_reader,
    READER: lambda upstream, sink: each(aiter_events(upstream), sink),
    LEAN_READER: lambda upstream, sink: each(aiter_events(upstream, timeouts=None), sink),
}
UPSTREAMS = {"ready": ready, "one loop turn each": one_turn_each}


def nowhere() -> Sink:
    return deque[Any](maxlen=0).append


async def pass_through(way: str, upstream: str) -> float:
    """Return the microseconds of processor time per chunk."""
    start = process_time()
    await WAYS[way](UPSTREAMS[upstream](), nowhere())
    return (process_time() - start) / len(BODY) * 1e6


# --- cost per chunk, synchronous --------------------------------------------------------------------------------


def bare_sync(sink: Sink) -> None:
    engine = StreamRepairer()
    for chunk in BODY:
        for item in engine.feed(chunk, perf_counter()):
            sink(item)
    for item in engine.close(perf_counter()):
        sink(item)


def repaired(sink: Sink, **options: Any) -> None:
    for item in repair(BODY, **options):
        sink(item)


SYNC_WAYS: dict[str, Callable[[Sink], None]] = {
    BARE: bare_sync,
    "repair and its thread": repaired,
    "repair without a thread": lambda sink: repaired(sink, heartbeat=None, timeouts=None),
}


def sync_pass(way: str) -> float:
    """Return the microseconds of processor time per chunk, all threads together."""
    start = process_time()
    SYNC_WAYS[way](nowhere())
    return (process_time() - start) / len(BODY) * 1e6


Cell = tuple[str, str]
Round = dict[Cell, float]
"""The cost of each way with each upstream."""


def rounds_of(count: int) -> list[Round]:
    """Return the cost of every way in each round, timed in a new order."""
    cells = [(way, upstream) for way in WAYS for upstream in UPSTREAMS] + [(way, "sync") for way in SYNC_WAYS]
    rounds = []
    for _ in range(count):
        costs: Round = {}
        for way, upstream in random.sample(cells, len(cells)):
            gc.collect()
            costs[way, upstream] = sync_pass(way) if upstream == "sync" else asyncio.run(pass_through(way, upstream))
        rounds.append(costs)
    return rounds


def added(costs: Round, way: str, upstream: str) -> float:
    """Return what a way costs above the bare loop over its engine."""
    base = BARE_READER if way in (READER, LEAN_READER) else BARE
    return costs[way, upstream] - costs[base, upstream]


def of_a_task(rounds: list[Round]) -> float:
    """Return what `arepair` adds in units of what a task per item adds, in the median round of the dearer upstream.

    The speed of a shared machine changes within a run; within one round it hardly does. Below 0 it is cheaper than the
    bare loop: chunks that wait together leave together.
    """
    return max(
        median(added(costs, AREPAIR, upstream) / added(costs, TASK, upstream) for costs in rounds)
        for upstream in UPSTREAMS
    )


def print_costs(rounds: list[Round]) -> None:
    """Print what each way adds."""
    least = {cell: min(costs[cell] for costs in rounds) for cell in rounds[0]}
    print(f"{'µs per chunk above its bare loop, at best':44}{'ready':>8}{'one turn each':>16}")
    for way in WAYS:
        if way not in (BARE, BARE_READER):
            at_once, turn = (added(least, way, upstream) for upstream in UPSTREAMS)
            print(f"{way:44}{at_once:8.2f}{turn:16.2f}")
    for way in (BARE, BARE_READER):
        at_once, turn = (least[way, upstream] for upstream in UPSTREAMS)
        print(f"{f'({way} takes':44}{at_once:8.2f}{turn:16.2f})")
    print("\nµs per chunk above a bare for and StreamRepairer, at best")
    for way in SYNC_WAYS:
        if way != BARE:
            print(f"{way:44}{added(least, way, 'sync'):8.2f}")


# --- latency ----------------------------------------------------------------------------------------------------


def print_latencies(rounds: list[latency.Latencies]) -> None:
    """Print the median and the tail of each way in all rounds, and what it adds in the median round."""
    print(f"\n{'µs from upstream to the consumer, a token':44}{'median':>8}{'p99':>8}{'added':>8}")
    for way in latency.WAYS:
        ages = [age for latencies in rounds for age in latencies[way]]
        tail = quantiles(ages, n=100)[98]
        print(f"{way:44}{median(ages):8.0f}{tail:8.0f}{latency.added(rounds, way):8.0f}")


# --- idle streams -----------------------------------------------------------------------------------------------


class CountingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]
    """Counts how often the loop wakes."""

    wakes = 0

    def select(self, timeout: float | None = None) -> Any:
        CountingSelector.wakes += timeout is None or timeout > 0
        return super().select(timeout)


async def idle(streams: int, seconds: float) -> None:
    """Print what silent streams cost whose only bytes are heartbeats, with their consumers' tasks."""

    async def silent(end: asyncio.Event) -> AsyncIterator[bytes]:
        await end.wait()
        yield b""

    end = asyncio.Event()
    before = resident_kib()
    bodies = [arepair(silent(end)) for _ in range(streams)]
    tasks = []
    for body in bodies:
        tasks.append(asyncio.ensure_future(each(body, nowhere())))
        if len(tasks) % (streams // 50 or 1) == 0:
            await asyncio.sleep(0.1)  # they begin over five seconds, as streams of a server do
    await asyncio.sleep(5.5)
    grown = resident_kib() - before
    heartbeats = sum(body.report.heartbeats for body in bodies)
    wakes, busy, start = CountingSelector.wakes, process_time(), perf_counter()
    await asyncio.sleep(seconds)
    took = perf_counter() - start
    heartbeats = sum(body.report.heartbeats for body in bodies) - heartbeats
    print(f"\n{streams:,} idle streams, a heartbeat every 5 s each, {took:.0f} s:")
    print(f"  memory of each, core and consumer's task included: {grown / streams:.1f} KiB")
    share, rate = (process_time() - busy) / took, heartbeats / took
    print(f"  processor: {share:.1%} of one core, for {rate:,.0f} heartbeats a second")
    print(f"  wake-ups of the loop: {(CountingSelector.wakes - wakes) / took:.1f} a second")
    end.set()
    await asyncio.gather(*tasks)


# --- what was aimed at ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Aim:
    """A figure that the project wants to be at most `limit`, and how to measure it alone."""

    text: str
    limit: float
    measure: Callable[[], float]


def import_ratio(measured: tuple[float, float]) -> float:
    ours, standard = measured
    return ours / standard


TASK_AIM = Aim("arepair adds, of what a task per item adds", OF_A_TASK, lambda: of_a_task(rounds_of(10)))
PUMP_AIM = Aim("arepair's latency, × the leanest pump's", 1.3, lambda: latency.of_the_pump(latency.measure()))
READER_AIM = Aim("a reader's latency above bare, µs", 30.0, lambda: latency.added(latency.measure(), latency.READER))
STREAM_MEMORY_AIM = Aim("an idle stream, KiB", 5.8, lambda: in_fresh_process(IDLE_STREAM, 0))
READER_MEMORY_AIM = Aim("an idle reader, KiB", 4.5, lambda: in_fresh_process(IDLE_READER, 0))
IMPORT_AIM = Aim("import unbroken, × the standard modules", 1.8, lambda: import_ratio(imports.measure()))


def judge(figures: dict[Aim, float]) -> bool:
    """Print each aim, and measure what is short again alone: the better figure counts. Whether all are met."""
    met = True
    print(f"\n{'aim':44}{'at most':>8}{'measured':>10}")
    for aim, figure in figures.items():
        best, again = figure, ""
        if figure > aim.limit:
            best = min(figure, aim.measure())
            again = f"   again alone: {'short' if best > aim.limit else 'met'}"
        met = met and best <= aim.limit
        print(f"{aim.text:44}{aim.limit:8.1f}{best:10.2f}{again}")
    return met


def run(rounds: int, streams: int, seconds: float) -> bool:
    """Measure and print everything; return whether all aims are met."""
    costs = rounds_of(rounds)
    print_costs(costs)
    latencies = latency.measure()
    print_latencies(latencies)
    memory = {row: in_fresh_process(row, 0) for row in (IDLE_STREAM, IDLE_READER)}
    print("\nKiB of each idle one, among 10,000, its consumer's task included")
    for row, kib in memory.items():
        print(f"{row:44}{kib:8.1f}")
    start_up = imports.measure()
    print("\nms to import in a fresh interpreter")
    for names, taken in zip(("unbroken", imports.STANDARD), start_up, strict=True):
        print(f"{names:44}{taken * 1e3:8.1f}")
    if streams:
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(CountingSelector())) as runner:
            runner.run(idle(streams, seconds))
    return judge(
        {
            TASK_AIM: of_a_task(costs),
            PUMP_AIM: latency.of_the_pump(latencies),
            READER_AIM: latency.added(latencies, latency.READER),
            STREAM_MEMORY_AIM: memory[IDLE_STREAM],
            READER_MEMORY_AIM: memory[IDLE_READER],
            IMPORT_AIM: import_ratio(start_up),
        }
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adapters", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="of the cost per chunk (30)")
    parser.add_argument("--streams", type=int, default=10_000, help="idle at once (10,000)")
    parser.add_argument("--seconds", type=float, default=15.0, help="that they are watched (15)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put what is printed into this page")
    options = parser.parse_args()
    output = StringIO()
    with redirect_stdout(output):
        met = run(options.rounds, options.streams, options.seconds)
    print(machine.description(), output.getvalue(), sep="\n\n", end="")
    if options.write:
        write_output(options.write, output.getvalue(), "adapters")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
