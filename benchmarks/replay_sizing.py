"""What replay carries, to size it by: `python -m benchmarks.replay_sizing [--redis URL]`, about three minutes.

Answers run at once in one process, paced as a model paces them, each with a reader beside it. Then the bytes of whole
answers, the memory of running ones, and what several processes write at once. The last table is arithmetic: a day's
answers, by these figures. Upstream is made up in the same process, so that what an HTTP client costs is not in it.
Costs are time of the processor and medians of calls, which a busy neighbour changes little.
`--write docs/how-to/replay.md` puts the tables into that page.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import multiprocessing
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from unbroken import arepair
from unbroken.replay import MemoryStore, Replay, SQLiteStore
from unbroken.replay.ids import START

from .compare import print_and_write_to
from .payloads import DONE
from .replay import print_memory as print_readers
from .workloads import openai_blocks

RATE = 20
"""Tokens a second of one answer."""
FRAMES = 500
"""Frames of a whole answer."""
STEPS = (20, 100)
"""Answers at once."""
STEP_SECONDS, BEGIN_SECONDS = 4.0, 1.0
"""Seconds of one answer, and those within which all of them begin."""
WHOLE = 40
"""Whole answers whose bytes are counted."""
RUNNING = 200
PROCESSES = (1, 2, 4)
WRITE_SECONDS = 2.0
ANSWERS_A_DAY, PEAK = 1_000_000, 5
TOKEN = openai_blocks(2)[0]
_names = count()


@dataclass
class Figures:
    """What the arithmetic needs, by store."""

    microseconds: dict[str, float] = field(default_factory=dict)  # of the processor, for a frame of a paced answer
    bytes_kept: dict[str, float] = field(default_factory=dict)
    appends: dict[str, float] = field(default_factory=dict)  # a second, of several processes


# Answers at once in one process


async def paced(frames: int, start: float) -> AsyncIterator[bytes]:
    """Yield tokens at `RATE`, each due at a time of its own, so that a busy loop does not slow upstream down."""
    loop = asyncio.get_running_loop()
    for number in range(frames):
        await asyncio.sleep(max(0.0, start + number / RATE - loop.time()))
        yield TOKEN
    yield DONE


async def carry(make: Callable[[], Any] | None, answers: int) -> float:
    """Run so many answers at once; return µs of the processor for a frame."""
    frames = int(STEP_SECONDS * RATE)
    replay = None if make is None else Replay(make())

    async def read(number: int) -> None:
        await asyncio.sleep(number / answers * BEGIN_SECONDS)
        start = asyncio.get_running_loop().time()
        if replay is None:
            async for _ in arepair(paced(frames, start)):
                pass
            return
        id = str(next(_names))
        await replay.astart(id, lambda: paced(frames, start))
        async for _ in replay.afollow(id):
            pass

    gc.collect()
    used = time.process_time()
    await asyncio.gather(*[read(number) for number in range(answers)])
    used = time.process_time() - used
    if replay is not None:
        await replay.aclose()
    return used / (answers * frames) * 1e6


def carry_by_threads(make: Callable[[], Any], answers: int) -> float:
    """The same with `start` and `follow`: three threads for each answer."""
    frames, replay = int(STEP_SECONDS * RATE), Replay(make())

    def upstream(start: float) -> Iterator[bytes]:
        for number in range(frames):
            time.sleep(max(0.0, start + number / RATE - time.monotonic()))
            yield TOKEN
        yield DONE

    def read(number: int) -> None:
        time.sleep(number / answers * BEGIN_SECONDS)
        id, start = str(next(_names)), time.monotonic()
        replay.start(id, lambda: upstream(start))
        for _ in replay.follow(id):
            pass

    gc.collect()
    readers = [threading.Thread(target=read, args=(number,)) for number in range(answers)]
    used = time.process_time()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    used = time.process_time() - used
    replay.close()
    return used / (answers * frames) * 1e6


def print_carried(stores: dict[str, Callable[[], Any]], figures: Figures) -> None:
    """Print what a frame costs each way, and how many answers take a whole core."""
    print(f"µs of the processor for a frame of answers of {RATE} tokens/s, one reader each, in one process")
    print(f"  {'':<24}" + "".join(f"{f'{answers} at once':>14}" for answers in STEPS) + f"{'take a core':>14}")
    ways: dict[str, Callable[[int], float]] = {"arepair": lambda n: asyncio.run(carry(None, n))}
    for name, make in stores.items():
        ways[f"{name}, asyncio"] = lambda n, make=make: asyncio.run(carry(make, n))  # type: ignore[misc]
        if name != "redis.asyncio":
            ways[f"{name}, threads"] = lambda n, make=make: carry_by_threads(make, n)  # type: ignore[misc]
    for way, run in ways.items():
        each = [run(answers) for answers in STEPS]
        told = "".join(f"{one:>14.0f}" for one in each)
        print(f"  {way:<24}{told}{1e6 / each[-1] / RATE:>14.0f}", flush=True)
        figures.microseconds[way] = each[-1]


# Bytes


def fill(store: Any) -> int:
    """Produce whole answers; return the bytes of one as a reader gets it."""
    answers, chunks = Replay(store), [*openai_blocks(FRAMES), DONE]
    sizes = []
    for _ in range(WHOLE):
        answers.start(id := str(next(_names)), chunks)
        sizes.append(sum(map(len, answers.follow(id, heartbeat=None))))
    answers.close()
    return sizes[0]


def sqlite_bytes(path: Path) -> int:
    """Return the bytes of the file, with what stands beside it taken over."""
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()
    return path.stat().st_size


def print_bytes(folder: Path, client: Any, figures: Figures) -> None:
    """Print the bytes that a store keeps of one whole answer."""
    print(f"bytes of one answer of {FRAMES} frames, {WHOLE} of them")
    tracemalloc.start()
    store: Any = MemoryStore()
    fill(store)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    size = fill(store)
    gc.collect()
    kept = {"memory": (tracemalloc.get_traced_memory()[0] - before) / WHOLE}
    tracemalloc.stop()
    path = folder / "bytes.db"
    store = SQLiteStore(path)
    fill(store)
    empty = sqlite_bytes(path)
    fill(store)
    kept["sqlite"] = (sqlite_bytes(path) - empty) / WHOLE
    store.close()
    if client is not None:
        from unbroken.replay import RedisStore

        fill(RedisStore(client))
        used = client.info("memory")["used_memory"]
        fill(RedisStore(client))
        kept["redis"] = (client.info("memory")["used_memory"] - used) / WHOLE
    print(f"  {'to its reader':<22} {size:>10,}")
    for name, each in kept.items():
        print(f"  {name:<22} {each:>10,.0f}  {each / size:5.2f} of that")
        figures.bytes_kept[name] = each


# Memory


async def running(make: Callable[[], Any], frames: int) -> float:
    """Return the KiB of a running answer that nobody reads, behind so many frames."""
    replay, chunks = Replay(make()), openai_blocks(frames + 1)[:-1]

    async def run() -> None:
        silent = asyncio.Event()

        async def upstream() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk
            silent.set()
            await asyncio.sleep(3600)

        await replay.astart(str(next(_names)), upstream)
        await silent.wait()

    async def settle() -> None:
        await asyncio.sleep(0.3)
        gc.collect()

    await run()
    await settle()
    tracemalloc.start()
    for _ in range(RUNNING):
        await run()
    await settle()
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    await replay.aclose(0)
    return used / RUNNING / 1024


def print_memory(stores: dict[str, Callable[[], Any]]) -> None:
    """Print the memory of a running answer in its process."""
    print(f"KiB of one of {RUNNING} running answers in their process, asyncio, without an HTTP client")
    for name, make in stores.items():
        few, many = (asyncio.run(running(make, frames)) for frames in (1, FRAMES))
        print(f"  {name:<22} {few:>10.0f} behind 1 frame {many:>10.0f} behind {FRAMES}")


# Several processes that write


def write(make_from: tuple[str, str], seconds: float, begin: Any, results: Any) -> None:
    """Append single records, in a process of its own, and give how many, and the median of what each took."""
    kind, where = make_from
    store: Any = SQLiteStore(where) if kind == "sqlite" else redis_store(where)
    key, at, took, record = f":w{multiprocessing.current_process().pid}", START.following(), [], openai_blocks(2)[0]
    store.open(key, "owner", lease=60, keep=100)
    begin.wait()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        store.append(key, "owner", at, [record], first=at, lease=60, dialect=None)
        took.append(time.perf_counter() - began)
        at = at.following()
    results.put((len(took), median(took)))


def redis_store(url: str) -> Any:
    """Return a store of a client that gives up as the docs recommend."""
    import redis

    from unbroken.replay import RedisStore

    return RedisStore(redis.Redis.from_url(url, socket_timeout=0.9))


def print_written(folder: Path, url: str | None, client: Any, figures: Figures) -> None:
    """Print what an append takes where several processes write at once."""
    print("µs of an append of one record, the median, by processes that write at once")
    context = multiprocessing.get_context("spawn")
    for kind, where in (("sqlite", str(folder / "written.db")), *([("redis", url)] if url else [])):
        for processes in PROCESSES:
            begin, results = context.Barrier(processes), context.Queue()
            writers = [
                context.Process(target=write, args=((kind, where), WRITE_SECONDS, begin, results))
                for _ in range(processes)
            ]
            used = cpu_of(client) if kind == "redis" else 0.0
            for writer in writers:
                writer.start()
            got = [results.get(timeout=60) for _ in writers]
            for writer in writers:
                writer.join()
            middle = median(middle for _, middle in got)
            line = f"  {kind:<10}{processes:>2} at once {middle * 1e6:>10.0f}"
            if kind == "redis":
                each = (cpu_of(client) - used) / sum(number for number, _ in got)
                line += f", of which Redis computes {each * 1e6:.0f}"
                figures.appends["redis"] = max(figures.appends.get("redis", 0.0), 1 / each)
            elif processes == 1:
                figures.appends["sqlite"] = 1 / middle
            print(line, flush=True)


def cpu_of(client: Any) -> float:
    """Return the seconds of the processor that Redis has used."""
    cpu = client.info("cpu")
    return float(cpu["used_cpu_sys"] + cpu["used_cpu_user"])


# A day


def print_day(figures: Figures) -> None:
    """Print what a day's answers come to, by the figures above."""
    seconds = FRAMES / RATE
    mean = ANSWERS_A_DAY / 86_400
    told = f"{FRAMES} frames, {RATE} a second, so {seconds:.0f} s each; peak {PEAK} × mean"
    print(f"{ANSWERS_A_DAY:,} answers a day of {told}")
    print(f"  {'':<36} {'mean':>10} {'peak':>10}")
    rows = {"answers started/s": mean, "running at once": mean * seconds, "frames/s, appends/s at most": mean * FRAMES}
    for name, value in rows.items():
        print(f"  {name:<36} {value:>10,.0f} {value * PEAK:>10,.0f}")
    for way, each in figures.microseconds.items():
        cores = mean * FRAMES * each / 1e6
        print(f"  {'cores, ' + way:<36} {cores:>10.1f} {cores * PEAK:>10.1f}")
    for name, most in figures.appends.items():
        share = mean * FRAMES / most
        print(f"  {'of what ' + name + ' can append':<36} {share:>10.0%} {share * PEAK:>10.0%}")
    for name, each in figures.bytes_kept.items():
        for ttl, told in ((600, "10 min"), (3600, "1 h"), (86_400, "1 day")):
            gib = mean * (ttl + seconds) * each / 2**30
            print(f"  {f'GiB kept in {name}, ttl {told}':<36} {gib:>10,.1f}")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay_sizing", description=__doc__)
    parser.add_argument(
        "--redis", metavar="URL", help="a server without persistence, of which a database may be written to"
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put what is printed into this page")
    options = parser.parse_args()
    logging.disable()
    print_and_write_to(options.write, "replay_sizing", lambda: print_tables(options.redis))


def print_tables(url: str | None) -> None:
    """Print all tables."""
    figures = Figures()
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = SQLiteStore(Path(folder) / "answers.db")
        stores: dict[str, Callable[[], Any]] = {"memory": MemoryStore, "sqlite": lambda: file}
        client: Any = None
        if url:
            import redis
            import redis.asyncio

            from unbroken.replay import RedisStore

            client = redis.Redis.from_url(url, max_connections=200)
            client.flushdb()
            stores["redis"] = lambda: RedisStore(client)
            stores["redis.asyncio"] = lambda: RedisStore(redis.asyncio.Redis.from_url(url, max_connections=200))
        print_carried(stores, figures)
        print_bytes(Path(folder), client, figures)
        print_memory({name: make for name, make in stores.items() if not name.startswith("redis")})
        print_readers({name: make for name, make in stores.items() if name != "redis.asyncio"})
        print_written(Path(folder), url, client, figures)
        print_day(figures)
        file.close()


if __name__ == "__main__":
    main()
