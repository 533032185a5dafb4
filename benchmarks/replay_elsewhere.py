"""What other processes cost an answer's producer, and how soon they are told: `python -m benchmarks.replay_elsewhere`.

With `--redis URL` in Redis too; `--write docs/how-to/replay.md` puts the figures into that page. The producer's cost is
time of its own processor, so that readers which keep the machine busy do not count as its own.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from unbroken.replay import Replay, SQLiteStore, UnknownAnswer

from .compare import print_and_write_to
from .payloads import DONE
from .workloads import openai_blocks

CONTEXT = multiprocessing.get_context("spawn")
READERS, READING = 200, 2
"""Readers of one answer, and the processes that they are in."""
FRAMES, PACE_SECONDS = 200, 0.02
LEASE = 1.0
ROUNDS = 5
Where = tuple[str, str]
_names = count()


def store_at(where: Where) -> Any:
    """Return a store of this process: a file, or a Redis whose client gives up within a second."""
    kind, place = where
    if kind == "sqlite":
        return SQLiteStore(place)
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from unbroken.replay import RedisStore

    bounds = {"socket_timeout": 0.4, "socket_connect_timeout": 0.4, "retry": Retry(NoBackoff(), 1)}
    return RedisStore(redis.Redis.from_url(place, **bounds))


# In processes of their own


def produce(where: Where, id: str, behaviour: str, told: Any) -> None:
    """Produce an answer: "paced" to its end, "ticking" for ever, or "silent" behind its first token."""
    logging.disable()
    answers, (token, *_) = Replay(store_at(where), lease=LEASE), openai_blocks(2)

    def upstream() -> Iterator[bytes]:
        yield token
        if behaviour == "silent":
            time.sleep(3600)
        number = 1
        while behaviour == "ticking" or number < FRAMES:
            time.sleep(PACE_SECONDS)
            yield token
            number += 1
        yield DONE

    for _ in answers.follow(warm) if answers.start(warm := f"{id} warm", [token, DONE]) else ():
        pass  # imports, and the first connections
    used = time.process_time()
    answers.start(id, upstream)
    told.put("started")
    if behaviour == "paced":
        answers.close(60)
        told.put(time.process_time() - used)
    else:
        time.sleep(3600)


def read(where: Where, id: str, readers: int, told: Any) -> None:
    """Follow an answer that somebody will start, as so many readers in one loop."""

    async def follow(answers: Replay) -> int:
        while True:
            try:
                return sum([len(frames) async for frames in answers.afollow(id, heartbeat=None)])
            except UnknownAnswer:
                await asyncio.sleep(0.02)

    async def main() -> list[int]:
        answers = Replay(store_at(where), lease=LEASE)
        return await asyncio.gather(*[follow(answers) for _ in range(readers)])

    told.put("ready")
    told.put(asyncio.run(main()))


# The tables


def seconds_of_producer(where: Where, readers: int) -> float:
    """Return the seconds of the processor that a producer takes while readers of other processes follow it."""
    id, told, heard = str(next(_names)), CONTEXT.Queue(), CONTEXT.Queue()
    reading = [
        CONTEXT.Process(target=read, args=(where, id, readers // READING, heard))
        for _ in range(READING if readers else 0)
    ]
    for process in reading:
        process.start()
    for _ in reading:
        assert heard.get(timeout=60) == "ready"
    producer = CONTEXT.Process(target=produce, args=(where, id, "paced", told))
    producer.start()
    assert told.get(timeout=60) == "started"
    used = float(told.get(timeout=60))
    sizes = {size for _ in reading for size in heard.get(timeout=60)}
    assert len(sizes) <= 1, "every reader has all of it"
    for process in (producer, *reading):
        process.join()
    return used


def seconds_until_told(where: Where, behaviour: str) -> float:
    """Return the seconds from `kill -9` of a producer, or from `stop`, to the last frame of a reader here."""
    id, told, answers = str(next(_names)), CONTEXT.Queue(), Replay(store_at(where), lease=LEASE)
    producer = CONTEXT.Process(target=produce, args=(where, id, behaviour, told))
    producer.start()
    try:
        assert told.get(timeout=60) == "started"
        with answers.follow(id, heartbeat=None) as reader:
            next(reader)
            time.sleep(0.3)  # as in life: all are waiting
            began = time.perf_counter()
            if behaviour == "silent":
                answers.stop(id)
            else:
                assert producer.pid is not None
                os.kill(producer.pid, signal.SIGKILL)
            for _ in reader:
                pass
            return time.perf_counter() - began
    finally:
        producer.kill()
        producer.join()


def main() -> None:
    """Print both tables, and write them where `--write PAGE` says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay_elsewhere", description=__doc__)
    parser.add_argument("--redis", metavar="URL", help="a server of which a database may be written to")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put what is printed into this page")
    options = parser.parse_args()
    logging.disable()
    print_and_write_to(options.write, "replay_elsewhere", lambda: print_tables(options.redis))


def print_tables(url: str | None) -> None:
    """Print both tables."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        places: list[Where] = [("sqlite", str(Path(folder) / "answers.db"))]
        if url:
            places.append(("redis", url))
        print(f"µs of the producer for each of {FRAMES} frames, {PACE_SECONDS * 1e3:.0f} ms apart, median of {ROUNDS}")
        for where in places:
            rounds = [(seconds_of_producer(where, 0), seconds_of_producer(where, READERS)) for _ in range(ROUNDS)]
            alone, read_by_many = (median(used) / FRAMES * 1e6 for used in zip(*rounds, strict=True))
            ratio = median(more / less for less, more in rounds)
            told = f"with {READERS} readers in {READING} processes {read_by_many:6.0f}  {ratio:5.2f} of that"
            print(f"  {where[0]:<10} without readers {alone:6.0f}   {told}", flush=True)
        print(f"seconds until a reader in another process is told, {ROUNDS} times")
        for where in places:
            for behaviour, title in (("ticking", f"kill -9, lease {LEASE:.0f} s"), ("silent", "stop, upstream silent")):
                took = [seconds_until_told(where, behaviour) for _ in range(ROUNDS)]
                print(f"  {where[0]:<10} {title:<22} median {median(took):5.2f}  longest {max(took):5.2f}", flush=True)


if __name__ == "__main__":
    main()
