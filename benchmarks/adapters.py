"""What waiting costs: `python -m benchmarks.adapters`.

Microseconds per chunk that each way of keeping a stream alive adds to a bare loop over the same upstream, in one
process, interleaved; and what 10,000 idle streams with heartbeats cost. The engine keeps time
as the core does and passes bytes on, so that the adapter is timed and not the parser. `--write docs/speed.md` puts
what is printed into that page.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import selectors
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from unbroken.adapters.aio import AsyncRepairedStream
from unbroken.adapters.source import Source
from unbroken.adapters.sync import RepairedStream
from unbroken.core.heartbeat import Clocks, Heartbeat
from unbroken.core.options import DEFAULT_TIMEOUTS
from unbroken.core.report import StreamReport

from . import machine
from .compare import write_output
from .scale import resident_kib

CHUNKS = 4_000
CHUNK = b"data: " + b"x" * 250 + b"\n\n"
BODY = [CHUNK] * CHUNKS

TIMES_CHEAPER_THAN_A_TASK = 5.0
"""The aim that a slow machine meets as well as a fast one: 3 µs where a task per item costs 15."""


class Passage:
    """An engine that passes bytes, and keeps time as `StreamRepairer` does."""

    error = early_error = None

    def __init__(self) -> None:
        self.report = StreamReport()
        self.finished = False
        self.renew = None
        self.heartbeat = Heartbeat(5.0)
        self.clocks = Clocks(DEFAULT_TIMEOUTS)

    def feed(self, chunk: bytes, now: float) -> list[bytes]:
        self.clocks.received(now)
        self.heartbeat.wrote(now)
        return [chunk]

    def close(self, now: float) -> list[bytes]:
        self.finished = True
        return []

    def next_deadline(self) -> float | None:
        heartbeat, clock = self.heartbeat.next_deadline(), self.clocks.next_deadline()
        if heartbeat is None or clock is None:
            return clock if heartbeat is None else heartbeat
        return min(heartbeat, clock)

    def on_deadline(self, now: float) -> list[bytes]:
        if not self.heartbeat.due(now):
            return []
        self.heartbeat.wrote(now)
        return [b":\n\n"]

    def resume(self, now: float) -> None:
        self.heartbeat.started(now)
        self.clocks.started(now)
        self.clocks.resume(now)

    def pause(self, now: float) -> None:
        self.clocks.pause(now)

    def cancel(self, now: float) -> None:
        self.finished = True


# --- cost per chunk, asynchronous -------------------------------------------------------------------------------


async def ready() -> AsyncIterator[bytes]:
    for chunk in BODY:
        yield chunk


async def one_turn_each() -> AsyncIterator[bytes]:
    for chunk in BODY:
        await asyncio.sleep(0)
        yield chunk


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


def the_adapter(upstream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    return AsyncRepairedStream(Passage(), Source(upstream))  # type: ignore[arg-type]


BARE = "a bare loop"
TASK = "a task per item"
ADAPTER = "unbroken's adapter"
WAYS: dict[str, Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]] = {
    BARE: aiter,
    TASK: a_task_per_item,
    "a queue and wait_for": a_queue_and_wait_for,
    ADAPTER: the_adapter,
}
UPSTREAMS = {"ready": ready, "one loop turn each": one_turn_each}


async def pass_through(way: str, upstream: str) -> float:
    stream = WAYS[way](UPSTREAMS[upstream]())
    start = perf_counter()
    async for _ in stream:
        pass
    return (perf_counter() - start) / CHUNKS * 1e6


# --- cost per chunk, synchronous --------------------------------------------------------------------------------

SYNC_WAYS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    BARE: iter,
    "unbroken's adapter and its thread": lambda body: _sync(body, threaded=True),
    "unbroken's adapter without a thread": lambda body: _sync(body, threaded=False),
}


def _sync(body: Iterable[bytes], *, threaded: bool) -> Iterator[bytes]:
    return RepairedStream(Passage(), Source(body), threaded=threaded)  # type: ignore[arg-type]


def sync_pass(way: str) -> float:
    stream = SYNC_WAYS[way](BODY)
    start = perf_counter()
    for _ in stream:
        pass
    return (perf_counter() - start) / CHUNKS * 1e6


Cell = tuple[str, str]


def rounds_of(count: int) -> list[dict[Cell, float]]:
    """Time every way once in each round, in a new order."""
    cells = [(way, upstream) for way in WAYS for upstream in UPSTREAMS] + [(way, "sync") for way in SYNC_WAYS]
    rounds = []
    for _ in range(count):
        costs: dict[Cell, float] = {}
        for way, upstream in random.sample(cells, len(cells)):
            gc.collect()
            costs[way, upstream] = sync_pass(way) if upstream == "sync" else asyncio.run(pass_through(way, upstream))
        rounds.append(costs)
    return rounds


def added(costs: dict[Cell, float], way: str, upstream: str) -> float:
    return costs[way, upstream] - costs[BARE, upstream]


def print_costs(rounds: list[dict[Cell, float]]) -> bool:
    """Print the tables; tell whether the aim that does not depend on the machine's speed is met."""
    least = {cell: min(costs[cell] for costs in rounds) for cell in rounds[0]}
    print(f"{'µs per chunk above a bare loop, at best':40}{'ready':>10}{'one turn each':>16}")
    for way in WAYS:
        ready, turn = (added(least, way, upstream) for upstream in UPSTREAMS)
        print(f"{way:40}{ready:10.2f}{turn:16.2f}")
    # The speed of a shared machine changes within a run; within one round it hardly does.
    cheaper = [median(added(costs, TASK, it) / added(costs, ADAPTER, it) for costs in rounds) for it in UPSTREAMS]
    print(f"{'cheaper than a task per item, median':40}{cheaper[0]:9.1f}x{cheaper[1]:15.1f}x")
    print("\nµs per chunk above a bare for, at best")
    for way in SYNC_WAYS:
        print(f"{way:40}{added(least, way, 'sync'):10.2f}")
    return min(cheaper) >= TIMES_CHEAPER_THAN_A_TASK


# --- idle streams -----------------------------------------------------------------------------------------------


class CountingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Counts how often the loop wakes."""

    wakes = 0

    def select(self, timeout: float | None = None) -> Any:
        CountingSelector.wakes += timeout is None or timeout > 0
        return super().select(timeout)


async def idle(streams: int, seconds: float) -> None:
    """Print what silent streams cost whose only bytes are heartbeats, with their consumers' tasks."""
    from unbroken import arepair

    async def silent(end: asyncio.Event) -> AsyncIterator[bytes]:
        await end.wait()
        yield b""

    async def consume(body: AsyncIterator[bytes]) -> None:
        async for _ in body:
            pass

    end = asyncio.Event()
    before = resident_kib()
    bodies = [arepair(silent(end)) for _ in range(streams)]
    tasks = []
    for body in bodies:
        tasks.append(asyncio.ensure_future(consume(body)))
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put what is printed into this page")
    options = parser.parse_args()
    output = StringIO()
    with redirect_stdout(output):
        met = print_costs(rounds_of(options.rounds))
        if options.streams:
            with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(CountingSelector())) as runner:
                runner.run(idle(options.streams, options.seconds))
    print(machine.description(), output.getvalue(), sep="\n\n", end="")
    if options.write:
        write_output(options.write, output.getvalue(), "adapters")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
