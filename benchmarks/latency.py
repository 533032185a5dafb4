"""How long a token takes from its upstream to the one who waits for it, with and without something in between.

Streams of each way run at once in one loop and are paced, so that what is seen is the way of a token and not a queue.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from statistics import median
from time import perf_counter_ns
from typing import Any

from unbroken import StreamRepairer, aiter_events, arepair

from .payloads import DONE
from .workloads import openai_payload

PACE_SECONDS = 0.05
TOKENS = 30
STREAMS = 5
ROUNDS = 15
HEARTBEAT_SECONDS = 5.0
STAMP = re.compile(r"@(\d+)@")

Latencies = dict[str, list[float]]
"""Microseconds of every token, by way."""


async def paced(tokens: int, pace: float) -> AsyncIterator[bytes]:
    """Yield tokens that say when they left, in nanoseconds of the machine's monotonic clock."""
    await asyncio.sleep(random.random() * pace)
    for _ in range(tokens):
        await asyncio.sleep(pace)
        yield f"data: {openai_payload(f'@{perf_counter_ns()}@')}\n\n".encode()
    yield f"data: {openai_payload(None, finish='stop')}\n\n".encode() + DONE


class LeanestPump:
    """The least that sends heartbeats between the chunks of an upstream without cancelling its reads.

    One task reads, one future wakes who waits, one timer looks once per interval whether anything was sent. It repairs
    nothing, limits nothing, and loses what upstream raises: the yardstick for whatever does more.
    """

    def __init__(self, upstream: AsyncIterator[bytes], heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self._loop = asyncio.get_running_loop()
        self._heartbeat = heartbeat
        self._chunks: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._sent = self._loop.time()
        self._ended = False
        self._task = self._loop.create_task(self._pump(upstream))
        self._timer = self._loop.call_later(heartbeat, self._look)

    def __aiter__(self) -> LeanestPump:
        return self

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._ended:
                raise StopAsyncIteration
            self._waiter = self._loop.create_future()
            await self._waiter
        self._sent = self._loop.time()
        return self._chunks.popleft()

    async def _pump(self, upstream: AsyncIterator[bytes]) -> None:
        async for chunk in upstream:
            self._put(chunk)
        self._ended = True
        self._timer.cancel()
        self._wake()

    def _put(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _look(self) -> None:
        due = self._sent + self._heartbeat
        if self._loop.time() >= due:
            self._put(b":\n\n")
            due = self._loop.time() + self._heartbeat
        self._timer = self._loop.call_at(due, self._look)


async def repairing_pump(upstream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Feed what the leanest pump hands on to a StreamRepairer."""
    repairer, clock = StreamRepairer(), asyncio.get_running_loop().time
    async for chunk in LeanestPump(upstream):
        for item in repairer.feed(chunk, clock()):
            yield item
    for item in repairer.close(clock()):
        yield item


BARE = "bare"
PUMP = "the leanest pump"
AREPAIR = "arepair, all defaults"
READER = "aiter_events, all defaults"
WAYS: dict[str, Callable[[AsyncIterator[bytes]], AsyncIterator[Any]]] = {
    BARE: aiter,
    PUMP: LeanestPump,
    "the leanest pump and StreamRepairer": repairing_pump,
    AREPAIR: arepair,
    READER: aiter_events,
}


async def consume(stream: AsyncIterator[Any]) -> list[float]:
    """Return how old every token of the stream was when it came, in microseconds."""
    ages = []
    async for item in stream:
        now = perf_counter_ns()
        text = item.decode() if isinstance(item, bytes) else item.data
        ages += [(now - int(stamp)) / 1000 for stamp in STAMP.findall(text)]
    return ages


def measure(rounds: int = ROUNDS) -> list[Latencies]:
    """Return the latencies of some rounds, each in an event loop of its own."""
    return [asyncio.run(one_round()) for _ in range(rounds)]


async def one_round(tokens: int = TOKENS, streams: int = STREAMS, pace: float = PACE_SECONDS) -> Latencies:
    """Return the latencies of all ways, side by side."""
    ways = list(WAYS) * streams
    random.shuffle(ways)
    found: Latencies = {way: [] for way in WAYS}
    ages_of_each = await asyncio.gather(*(consume(WAYS[way](paced(tokens, pace))) for way in ways))
    for way, ages in zip(ways, ages_of_each, strict=True):
        found[way] += ages
    return found


def added(rounds: list[Latencies], way: str) -> float:
    """Return the microseconds that a way adds to a bare loop, at the median of its tokens, in the median round."""
    return median(median(latencies[way]) - median(latencies[BARE]) for latencies in rounds)


def of_the_pump(rounds: list[Latencies]) -> float:
    """Return arepair's added latency in units of the leanest pump's, in the median round."""
    return median(added([latencies], AREPAIR) / added([latencies], PUMP) for latencies in rounds)
