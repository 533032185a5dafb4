"""What `RedisStore` carries on this machine: `python -m tests.tools.redis_figures`.

It takes the extra `e2e` and redis-server, and starts a Redis of its own, without a disk. Frames are counted from
`start` to the end of an answer, and beside them those of `MemoryStore` in the same run, since a machine that does
other things too is slower for both.
"""

from __future__ import annotations

import asyncio
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from tests.e2e.redis_server import RedisServer
from tests.e2e.replay_process import Producer
from tests.scripted import DONE, TOKEN
from unbroken.replay import Id, MemoryStore, RedisStore, Replay

FRAMES = 40_000
ROUNDS = 5
LEASE = 1.0


def frames_per_second(store: Any) -> float:
    """Frames of one answer from `start` to its end, in a thread."""
    answers, ended = Replay(store), threading.Event()
    began = time.perf_counter()
    answers.start("a", [TOKEN] * FRAMES + [DONE], on_end=lambda report: ended.set())
    ended.wait()
    return FRAMES / (time.perf_counter() - began)


def frames_per_second_in_a_loop(make: Callable[[], Any]) -> float:
    """The same with asyncio."""

    async def upstream() -> AsyncIterator[bytes]:
        for _ in range(FRAMES):
            yield TOKEN
        yield DONE

    async def main() -> float:
        store, client = make()
        answers, ended = Replay(store), asyncio.Event()
        began = time.perf_counter()
        await answers.astart("a", upstream, on_end=lambda report: ended.set())
        await ended.wait()
        took = time.perf_counter() - began
        if client is not None:
            await client.aclose()
        return FRAMES / took

    return asyncio.run(main())


def appends_per_second(store: Any, records: int) -> float:
    """Calls of `append` with so many records each, one after another."""
    store.open("b", "me", lease=60, keep=600)
    at, count = Id(1, store.read("b", Id(1, 0), 0).state.last.seq + 1), 1000
    began = time.perf_counter()
    for _ in range(count):
        store.append("b", "me", at, [TOKEN] * records, first=Id(1, 1), lease=60, dialect=None)
        at = at.following(records)
    return count / (time.perf_counter() - began)


def seconds_to_read(store: Any) -> float:
    """Seconds in which another process would have read the answer of `frames_per_second`."""
    began = time.perf_counter()
    sum(map(len, Replay(store).follow("a", heartbeat=None)))
    return time.perf_counter() - began


def seconds_to_stop(server: RedisServer, id: str) -> float:
    """Seconds from `stop` in this process to the last frame of an answer of another one, whose upstream is silent."""
    answers = Replay(RedisStore(server.client()))
    with Producer(server.port, "silent", [id]) as producer:
        producer.go()
        producer.line()
        with answers.follow(id, heartbeat=None) as reader:
            next(reader)
            time.sleep(0.2)  # as in life: all are waiting
            began = time.perf_counter()
            answers.stop(id)
            for _ in reader:
                pass
    return time.perf_counter() - began


def seconds_to_tell_a_loss(server: RedisServer, id: str) -> float:
    """Seconds from `kill -9` of the producing process to the last frame, in another one."""
    answers = Replay(RedisStore(server.client()), lease=LEASE)
    with Producer(server.port, "ticking", [id], lease=LEASE) as producer:
        producer.go()
        producer.line()
        with answers.follow(id, heartbeat=None) as reader:
            next(reader)
            producer.send(signal.SIGKILL)
            began = time.perf_counter()
            for _ in reader:
                pass
            return time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder), durable=False) as server:
        client = server.client()
        store = RedisStore(client)

        def fresh() -> Any:
            client.flushall()
            return store

        def fresh_async() -> Any:
            client.flushall()
            async_client = server.async_client()
            return RedisStore(async_client), async_client

        print(f"{'':44}{'median':>10}  of {ROUNDS}")
        measures: list[tuple[str, Callable[[int], float]]] = [
            ("frames/s, start to end, memory", lambda n: frames_per_second(MemoryStore())),
            ("frames/s, start to end, Redis", lambda n: frames_per_second(fresh())),
            ("frames/s, start to end, memory, asyncio", lambda n: frames_per_second_in_a_loop(_memory)),
            ("frames/s, start to end, Redis, asyncio", lambda n: frames_per_second_in_a_loop(fresh_async)),
            ("frames/s, back-fill, Redis", lambda n: FRAMES / _filled(fresh())),
            ("appends/s of 1 record", lambda n: appends_per_second(fresh(), 1)),
            ("appends/s of 64 records", lambda n: appends_per_second(fresh(), 64)),
            ("ms, stop from another process", lambda n: 1000 * seconds_to_stop(server, f"s{n}")),
            (f"ms, kill -9 to told, lease {LEASE:.0f} s", lambda n: 1000 * seconds_to_tell_a_loss(server, f"k{n}")),
        ]
        for name, measure in measures:
            print(f"{name:44}{statistics.median(measure(number) for number in range(ROUNDS)):10,.0f}", flush=True)


def _memory() -> tuple[Any, None]:
    return MemoryStore(), None


def _filled(store: Any) -> float:
    frames_per_second(store)
    return seconds_to_read(store)


if __name__ == "__main__":
    main()
