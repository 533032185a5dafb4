"""A thousand streams abandoned at random points leave nothing behind."""

import asyncio
import contextlib
import gc
import logging
import random
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tests.scripted import DONE, LIMIT, TOKEN, Clock, Threads, Upstream, WarpLoop
from unbroken import (
    RepairedStream,
    Source,
    StreamError,
    Timeouts,
    aiter_events,
    arepair,
    iter_events,
    repair,
)

STREAMS = 500  # of each kind, sync and async
# Of growth once caches are warm: up to 50 kB however many the streams are, while one forgotten stream holds 5 kB.
BYTES_PER_STREAM = 128

CHUNKS = [TOKEN[:30], TOKEN[30:] + TOKEN, b": ping\n\n", TOKEN, TOKEN[:7]]


@pytest.fixture(autouse=True)
def nothing_was_raised_where_nobody_hears_it(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Unraisable errors ("generator already executing", ResourceWarning) fail the tests by themselves.
    heard: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", heard.append)
    monkeypatch.setattr(logging.getLogger("unbroken"), "disabled", True)  # pytest keeps what is logged
    yield
    gc.collect()
    assert not heard


class Failing(Upstream):
    """Fails where others fall silent."""

    def __iter__(self) -> Iterator[bytes]:
        yield from super().__iter__()
        raise OSError


def script(rng: random.Random) -> list[bytes]:
    chunks = CHUNKS[: rng.randint(0, len(CHUNKS))]
    return [*chunks, DONE] if rng.random() < 0.2 else chunks


# How a synchronous stream can be left


def by_close(stream: RepairedStream) -> None:
    stream.close()


def by_forgetting(stream: RepairedStream) -> None:
    pass


def by_a_cycle(stream: RepairedStream) -> None:
    stream.itself = stream  # type: ignore[attr-defined]


def by_an_exception(stream: RepairedStream) -> None:
    with contextlib.suppress(ZeroDivisionError), stream:
        raise ZeroDivisionError


def by_a_closed_generator(stream: RepairedStream) -> None:
    view = (item for item in stream)
    if stream.report.verdict.value == "open" and stream.report.events > 2:
        with contextlib.suppress(StreamError):
            next(view, None)
    view.close()


def by_another_thread(stream: RepairedStream) -> None:
    thread = threading.Thread(target=stream.close)
    thread.start()
    thread.join(LIMIT)


LEAVING = [by_close, by_forgetting, by_a_cycle, by_an_exception, by_a_closed_generator, by_another_thread]


class Response:
    """A response that is open before it is read, and until it is closed. It may know how to interrupt a read."""

    def __init__(self, rng: random.Random) -> None:
        self.aborts = rng.random() < 0.5
        self.upstream = rng.choice([Upstream, Failing])(*script(rng), blocks=self.aborts and rng.random() < 0.7)
        self.closes = 0

    def source(self) -> Source:
        return Source(self.upstream, abort=self.upstream.abort if self.aborts else None, close=self._close)

    def _close(self) -> None:
        self.closes += 1


def abandon(rng: random.Random) -> Response:
    """Read one stream to a random point, or not at all, and leave it in a random way."""
    response = Response(rng)
    make = rng.choice([repair, iter_events])
    options: dict[str, Any] = {"timeouts": Timeouts(silence=0.002)}
    if not response.upstream.blocks and rng.random() < 0.3:  # in the caller's thread
        options = {"timeouts": None} | ({"heartbeat": None} if make is repair else {})
    stream: Any = make(response.source(), **options)
    with contextlib.suppress(StreamError):
        if rng.random() < 0.3:
            stream.prime(timeout=rng.choice([0, 0.001]))
        for _ in range(rng.choice([0, 0, 1, 2, 3, 6])):
            next(stream, None)
    rng.choice(LEAVING)(stream)
    return response


@pytest.mark.slow
def test_synchronous_streams_leave_no_thread_no_upstream_and_no_memory():
    rng = random.Random(1)

    def run(count: int) -> None:
        for _ in range(count):
            abandon(rng)
        gc.collect()
        Threads().join()

    assert_no_growth(run)
    assert not list(Threads())


def test_every_synchronous_upstream_is_closed():
    rng = random.Random(2)
    responses = [abandon(rng) for _ in range(STREAMS // 2)]
    gc.collect()
    Threads().join()
    begun = [response.upstream for response in responses if response.upstream.read_by is not None]
    assert STREAMS // 4 < len(begun) < STREAMS // 2
    assert all(upstream.closed.is_set() for upstream in begun)
    assert all(response.closes for response in responses)


def ours() -> int:
    gc.collect()
    return sum(type(it).__module__.partition(".")[0] == "unbroken" for it in gc.get_objects())


def assert_no_growth(run: Callable[[int], None]) -> None:
    """Assert that no object of ours, and hardly a byte, is left by 500 streams more."""
    run(STREAMS // 2)  # fills caches
    objects = ours()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        run(STREAMS)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert ours() == objects
    if sys.gettrace() is None:  # a coverage tool allocates in our name
        assert grown < BYTES_PER_STREAM * STREAMS


# How an asynchronous stream can be left


class Open:
    """The upstreams that are read, and the responses that are open, read or not."""

    def __init__(self) -> None:
        self.count = 0
        self.most = 0
        self.responses: set[object] = set()

    def source(self, chunks: AsyncIterator[bytes], *, awaits: bool) -> Source:
        """Give a response that is open from now on; where it `awaits`, closing it takes a turn of the loop."""
        response = object()
        self.responses.add(response)

        def close() -> None:
            self.responses.discard(response)

        async def aclose() -> None:
            await asyncio.sleep(0)
            self.responses.discard(response)

        return Source(chunks, close=aclose if awaits else close)

    async def upstream(self, chunks: list[bytes], *, then: str) -> AsyncIterator[bytes]:
        self.count += 1
        self.most = max(self.most, self.count)
        try:
            for chunk in chunks:
                yield chunk
                await asyncio.sleep(0.01)
            if then == "fail":
                raise OSError
            if then == "block":
                await asyncio.sleep(1e6)
        finally:
            try:
                await asyncio.sleep(0)  # closing takes a turn of the loop, as it does with a real client
            finally:
                self.count -= 1


async def read(rng: random.Random, upstreams: Open) -> None:
    """Read one stream to a random point, or not at all, and leave it in a random way."""
    chunks = script(rng)
    upstream: Any = upstreams.upstream(chunks, then=rng.choice(["end", "fail", "block"]))
    if rng.random() < 0.7:
        upstream = upstreams.source(upstream, awaits=rng.random() < 0.5)
    options: dict[str, Any] = {"timeouts": Timeouts(silence=0.5)} if rng.random() < 0.3 else {}
    stream: Any = rng.choice([arepair, aiter_events])(upstream, **options)
    left = rng.choice(["aclose", "forget", "cycle", "async with", "wait_for", "cancel", "timeout"])
    if left == "cycle":
        stream.itself = stream
    items = rng.randint(0, 6)
    with contextlib.suppress(TimeoutError, StreamError, StopAsyncIteration):
        if rng.random() < 0.3:
            await stream.aprime(timeout=rng.choice([0, 0.05]))
        if left == "async with":
            async with stream:
                await some(stream, items)
        elif left == "timeout":
            async with asyncio.timeout(0.02 * items):
                await some(stream, 100)
        elif left == "cancel":
            task = asyncio.ensure_future(some(stream, 100))
            await asyncio.sleep(0.01 * items)
            task.cancel()
            await asyncio.wait({task})
        elif left == "wait_for":
            for _ in range(items):
                await asyncio.wait_for(anext(stream), 0.05)
        else:
            async with asyncio.timeout(10.0):
                await some(stream, items)
    if left == "aclose":
        await stream.aclose()


async def some(stream: Any, count: int) -> None:
    if count == 0:
        return
    async for _ in stream:
        count -= 1
        if count <= 0:
            return


def test_asynchronous_streams_leave_no_task_no_upstream_and_no_memory():
    rng = random.Random(3)
    clock = Clock()
    upstreams = Open()
    with asyncio.Runner(loop_factory=lambda: WarpLoop(clock)) as runner:
        heard: list[dict[str, Any]] = []
        runner.get_loop().set_exception_handler(lambda _, context: heard.append(context))

        async def main(count: int) -> None:
            for _ in range(count // 50):
                await asyncio.gather(*(read(rng, upstreams) for _ in range(50)))
            gc.collect()
            await asyncio.sleep(1.0)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            assert upstreams.count == 0
            assert not upstreams.responses

        def run(count: int) -> None:
            runner.run(main(count))
            gc.collect()

        assert_no_growth(run)
        assert upstreams.most > 10
    assert not heard


def test_synchronous_upstreams_of_asynchronous_streams_leave_nothing():
    rng = random.Random(4)
    responses: list[Response] = []

    async def leave() -> None:
        response = Response(rng)
        responses.append(response)
        stream = arepair(response.source())
        if rng.random() < 0.3:
            with contextlib.suppress(StreamError):
                await stream.aprime(timeout=0)
        with contextlib.suppress(TimeoutError):
            for _ in range(rng.randint(0, 5)):
                await asyncio.wait_for(anext(stream, None), 0.02)
        if rng.random() < 0.5:
            await stream.aclose()

    async def main() -> None:
        for _ in range(10):
            await asyncio.gather(*(leave() for _ in range(20)))
        gc.collect()
        await asyncio.sleep(0.01)
        await asyncio.to_thread(Threads().join)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert not list(Threads())
    assert all(response.closes for response in responses)
    assert all(it.upstream.closed.is_set() for it in responses if it.upstream.read_by is not None)


def test_a_loop_that_is_closed_under_its_streams_leaves_nothing(monkeypatch):
    monkeypatch.setattr(logging.getLogger("asyncio"), "disabled", True)  # which tells of every task that is left
    rng = random.Random(5)
    upstreams = [Upstream(*[TOKEN] * rng.choice([0, 1, 5, 100])) for _ in range(60)]

    async def begin(stream: Any) -> None:
        await stream.aprime(timeout=rng.choice([0, 0.001]))
        if rng.random() < 0.5:
            await asyncio.wait_for(anext(stream, None), 0.001)

    for first in range(0, len(upstreams), 20):
        loop = asyncio.new_event_loop()
        streams = [arepair(upstream, abort=upstream.abort) for upstream in upstreams[first : first + 20]]
        for stream in streams:
            with contextlib.suppress(TimeoutError):
                loop.run_until_complete(begin(stream))
        loop.close()
        del stream, streams
    gc.collect()
    Threads().join()
    begun = [upstream for upstream in upstreams if upstream.read_by is not None]
    assert len(begun) > 30
    assert all(upstream.closed.is_set() for upstream in begun)
    assert all(upstream.aborted_by for upstream in begun if upstream.blocked.is_set())
