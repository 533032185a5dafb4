"""What replay costs: `python -m benchmarks.replay [--redis URL]`.

Each way takes the same chunks, one frame each, in turn with all others, so that ratios hold within one run. Ratios are
of processor time, all threads together, since a busy neighbour slows one round and not the next; frames/s are those of
the fastest round, by the wall. The file of SQLite lies in the folder for temporary files.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import re
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from unbroken import arepair, repair
from unbroken.replay import MemoryStore, Replay, SQLiteStore
from unbroken.replay.ids import START, Id

from .latency import paced
from .machine import today_and_description
from .payloads import DONE
from .workloads import openai_blocks

FRAMES = 20_000
ROUNDS = 5
BATCHES = (1, 64)
APPENDS = 2000
READERS, SETTLE_SECONDS = 1000, 3.0
PACE_SECONDS, PACED, STREAMS = 0.05, 30, 5
CHUNKS = [*openai_blocks(FRAMES), DONE]
STAMP = re.compile(rb"@(\d+)@")
Stores = dict[str, Callable[[], Any]]
_names = count()


async def live() -> AsyncIterator[bytes]:
    """Yield the chunks; the loop runs between two of them, as it does where they come from a socket."""
    for chunk in CHUNKS:
        yield chunk
        await asyncio.sleep(0)


# Throughput


def read_plain() -> int:
    """Return the bytes that `repair` yields."""
    return sum(map(len, repair(CHUNKS)))


def read_replayed(store: Any) -> int:
    """Return the bytes that the first reader gets, in a thread beside the one that produces."""
    answers, id = Replay(store), str(next(_names))
    answers.start(id, CHUNKS)
    size = sum(map(len, answers.follow(id)))
    answers.close()
    return size


def produce(store: Any) -> int:
    """Produce an answer that nobody reads, from `start` to its end."""
    answers, ended = Replay(store), threading.Event()
    answers.start(str(next(_names)), CHUNKS, on_end=lambda report: ended.set())
    ended.wait()
    return 1


async def aread_plain() -> int:
    """Return the bytes that `arepair` yields."""
    size = 0
    async for item in arepair(live()):
        size += len(item)
    return size


async def aread_replayed(store: Any) -> int:
    """Return the bytes that the first reader gets, in a task beside the one that produces."""
    answers, id, size = Replay(store), str(next(_names)), 0
    await answers.astart(id, live)
    async for item in answers.afollow(id):
        size += len(item)
    await answers.aclose()
    return size


async def aproduce(store: Any) -> int:
    """Produce an answer that nobody reads, from `astart` to its end."""
    answers, ended = Replay(store), asyncio.Event()
    await answers.astart(str(next(_names)), live, on_end=lambda report: ended.set())
    await ended.wait()
    await answers.aclose()
    return 1


def print_throughput(stores: Stores) -> None:
    """Print frames per second of each way, and its ratio to plain repair in the same round."""
    ways: dict[str, tuple[str, Callable[[], object]]] = {
        "repair": ("repair", read_plain),
        "arepair": ("arepair", lambda: asyncio.run(aread_plain())),
    }
    for name, make in stores.items():
        ways |= {
            f"{name}: start, follow": ("repair", lambda make=make: read_replayed(make())),  # type: ignore[misc]
            f"{name}: start to end": ("repair", lambda make=make: produce(make())),  # type: ignore[misc]
            f"{name}: astart, afollow": ("arepair", lambda make=make: asyncio.run(aread_replayed(make()))),  # type: ignore[misc]
            f"{name}: astart to end": ("arepair", lambda make=make: asyncio.run(aproduce(make()))),  # type: ignore[misc]
        }
    took: dict[str, list[float]] = {name: [] for name in ways}
    best = dict.fromkeys(ways, float("inf"))
    for round in range(ROUNDS):
        for name in sorted(ways, reverse=bool(round % 2)):
            gc.collect()
            began, used = time.perf_counter(), time.process_time()
            assert ways[name][1]()
            took[name].append(time.process_time() - used)
            best[name] = min(best[name], time.perf_counter() - began)
    print(f"{FRAMES} frames, a chunk each, {ROUNDS} rounds: frames/s, and throughput beside plain repair")
    for name, (base, _) in ways.items():
        ratio = median(plain / mine for plain, mine in zip(took[base], took[name], strict=True))
        print(f"  {name:<28} {FRAMES / best[name]:>9,.0f} {ratio:6.2f} of {base}")


# Latency


async def _latencies(read: Callable[[], Awaitable[Any]]) -> list[float]:
    late: list[float] = []
    async for item in await read():
        now = time.perf_counter_ns()
        late += [(now - int(stamp)) / 1e3 for stamp in STAMP.findall(item)]
    return late


async def _read_paced(store: Any) -> Any:
    if store is None:
        return arepair(paced(PACED, PACE_SECONDS))
    answers, id = Replay(store), str(next(_names))
    await answers.astart(id, lambda: paced(PACED, PACE_SECONDS))
    return answers.afollow(id)


async def _paced_together(stores: Stores) -> dict[str, list[float]]:
    ways: dict[str, Any] = {"arepair": None} | {name: make() for name, make in stores.items()}
    streams = [(name, store) for name, store in ways.items() for _ in range(STREAMS)]
    read = await asyncio.gather(*[_latencies(lambda store=store: _read_paced(store)) for _, store in streams])
    late: dict[str, list[float]] = {name: [] for name in ways}
    for (name, _), of_one in zip(streams, read, strict=True):
        late[name] += of_one
    return late


def print_latency(stores: Stores) -> None:
    """Print how late a token is with its reader, in µs."""
    late = asyncio.run(_paced_together(stores))
    print(
        f"µs from upstream to the reader, {STREAMS} streams of each at once, a token each {PACE_SECONDS * 1e3:.0f} ms"
    )
    base = median(late["arepair"])
    for name, of_all in late.items():
        middle, worst = median(of_all), sorted(of_all)[len(of_all) * 99 // 100]
        print(f"  {name:<28} median {middle:7,.0f}  p99 {worst:7,.0f}  {middle / base:6.2f} of arepair")


# The stores alone


def print_appends(stores: Stores) -> None:
    """Print appends and records per second, by records that are written at once."""
    print("appends/s of one thread, and records/s, by the median")
    record = b"id: 1-1\n" + CHUNKS[0]
    for name, make in stores.items():
        store, key = make(), f":{next(_names)}"
        store.open(key, "owner", lease=10, keep=100)
        at = START.following()
        for size in BATCHES:
            took = []
            for _ in range(APPENDS):
                first = Id(1, max(1, at.seq - 10_000))
                began = time.perf_counter()
                store.append(key, "owner", at, [record] * size, first=first, lease=10, form=None)
                took.append(time.perf_counter() - began)
                at = at.following(size)
            one = median(took)
            print(f"  {name:<12} {size:>3} at once {1 / one:>9,.0f} {size / one:>11,.0f}")


# Memory


async def _kib(count: int, make: Callable[[], Awaitable[object]]) -> float:
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    tasks = [asyncio.ensure_future(make()) for _ in range(count)]
    await asyncio.sleep(SETTLE_SECONDS)
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return used / count / 1024


async def _memory(store: Any) -> tuple[float, float]:
    answers = Replay(store)

    async def silent() -> AsyncIterator[bytes]:
        yield CHUNKS[0]
        await asyncio.sleep(3600)

    async def read() -> None:
        async for _ in answers.afollow(id):
            pass

    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    id = str(next(_names))
    await answers.astart(id, silent)
    await _kib(10, read)
    tracemalloc.start()
    tasks, readers = await _kib(READERS, wait), await _kib(READERS, read)
    tracemalloc.stop()
    await answers.aclose(0)
    return tasks, readers - tasks


def print_memory(stores: Stores) -> None:
    """Print the memory of a reader that waits, beyond a task that waits."""
    print(f"KiB of each of {READERS} readers of one answer, beyond its task")
    for name, make in stores.items():
        tasks, more = asyncio.run(_memory(make()))
        print(f"  {name:<12} {more:5.2f} (the task {tasks:.2f})")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--redis", metavar="URL", help="a server of which a database may be written to")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        file = SQLiteStore(Path(folder) / "answers.db")
        stores: Stores = {"memory": MemoryStore, "sqlite": lambda: file}
        if options.redis:
            import redis

            from unbroken import replay

            client = redis.Redis.from_url(options.redis)
            stores["redis"] = lambda: replay.RedisStore(client)  # type: ignore[attr-defined]
        print(today_and_description())
        for table in (print_throughput, print_latency, print_appends, print_memory):
            table(stores)
        file.close()


if __name__ == "__main__":
    main()
