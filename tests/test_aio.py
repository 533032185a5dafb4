"""The asynchronous streams: who reads upstream, one timer, and every way to end."""

import asyncio
import contextlib
import contextvars
import gc
import itertools
import math
import subprocess
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted import DONE, LIMIT, TOKEN, Clock, Script, Threads, Upstream, WarpLoop, scripted, warp
from tests.test_heartbeat import HUGE
from tests.test_sync import (
    BAD_WAITS,
    BODY,
    FAILURES_BEFORE_THE_FIRST_EVENT,
    PRIMED,
    STALLS,
    cuttings,
    off,
    raising,
)
from unbroken import (
    AsyncEventStream,
    AsyncRepairedStream,
    Attempt,
    Event,
    RepairedStream,
    Retry,
    Source,
    StreamError,
    StreamRepairer,
    Verdict,
    aiter_events,
    arepair,
    aretrying,
    repair,
)
from unbroken.adapters.alarm import TRUSTED
from unbroken.adapters.pump import BURST
from unbroken.adapters.reader import MAX_BYTES, MAX_CHUNKS
from unbroken.core.heartbeat import Clocks


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()
    Threads().join()


class AsyncUpstream:
    """An asynchronous upstream that can be watched: it sends its chunks, then blocks until released or cancelled."""

    def __init__(self, *chunks: Any, blocks: bool = True) -> None:
        self.chunks = chunks
        self.blocks = blocks
        self.sent = 0
        self.blocked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.closed = asyncio.Event()
        self.cancelled = False
        self.tasks: set[Any] = set()

    async def __aiter__(self) -> AsyncIterator[Any]:
        self.tasks.add(asyncio.current_task())
        try:
            for chunk in self.chunks:
                yield chunk
                self.sent += 1
            self.blocked.set()
            if self.blocks:
                await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        finally:
            self.tasks.add(asyncio.current_task())
            self.closed.set()


def repaired(script: Script, clock: Clock, *, end: float | None = None, **options: Any) -> AsyncRepairedStream:
    options = {"heartbeat": None, "timeouts": None} | options
    return arepair(scripted(script, clock, end=end), **options)


every_kind = pytest.mark.parametrize("make", [arepair, aiter_events])


def wire(item: bytes | Event) -> bytes:
    """Return the bytes of an item of either kind of stream."""
    return item if isinstance(item, bytes) else item.encode()


async def timeline(stream: Any, clock: Clock) -> list[tuple[float, Any]]:
    start = clock.now
    return [(clock.now - start, item) async for item in stream]


async def read_all(stream: Any) -> list[bytes]:
    return [wire(item) async for item in stream]


def tasks() -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if task.get_name().startswith("unbroken")}


async def settle() -> None:
    """Let everything run that can run now."""
    for _ in range(20):
        await asyncio.sleep(0)


# What comes out


@pytest.mark.parametrize("cutting", ["whole", "bytewise", "at random"])
def test_the_bytes_are_those_of_the_synchronous_stream_however_they_are_read(cutting):
    chunks = cuttings(BODY)[cutting]

    async def main() -> tuple[bytes, bytes, AsyncRepairedStream]:
        stream = arepair(AsyncUpstream(*chunks, blocks=False))
        threaded = arepair(chunks)
        return b"".join([x async for x in stream]), b"".join([x async for x in threaded]), stream

    body, from_thread, stream = asyncio.run(main())
    assert body == from_thread == b"".join(repair(chunks))
    assert stream.report.verdict is Verdict.COMPLETE


@pytest.mark.parametrize("cutting", ["whole", "bytewise", "at random"])
def test_the_events_are_those_of_the_core_however_they_are_read(cutting):
    async def main(clock: Clock) -> list[Event]:
        return [event async for event in aiter_events(AsyncUpstream(*cuttings(BODY)[cutting], blocks=False))]

    core = StreamRepairer()
    clean = b"".join([*core.feed(BODY, 0.0), *core.close(0.0)])
    assert b"".join(event.encode() for event in warp(main)) == clean.partition(b"\n\n")[2]


def test_what_one_chunk_completes_is_one_item():
    script = [(1.0, b"data: 1\n\ndata: 2"), (2.0, b"\n\ndata: 3\n\n")]

    async def main(clock: Clock) -> list[tuple[float, bytes]]:
        return await timeline(repaired(script, clock), clock)

    assert warp(main) == [(1.0, b"data: 1\n\n"), (2.0, b"data: 2\n\ndata: 3\n\n")]


async def turn_by_turn(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        await asyncio.sleep(0)
        yield b"data: %d\n\n" % number


def test_what_comes_with_every_turn_of_the_loop_leaves_a_few_at_a_time():
    async def main(clock: Clock) -> tuple[list[int], AsyncRepairedStream]:
        stream = arepair(turn_by_turn(100))
        return [item.count(b"data") async for item in stream], stream

    counts, stream = warp(main)
    assert sum(counts) == stream.report.chunks_in == 100
    assert counts[0] == 1
    assert max(counts) == BURST
    assert len(counts) < 30


def test_what_came_while_the_consumer_was_away_leaves_at_once():
    async def main(clock: Clock) -> tuple[int, int, list[int]]:
        stream = arepair(turn_by_turn(10))
        first = await anext(stream)
        await settle()
        return first.count(b"data"), stream.report.chunks_in, [item.count(b"data") async for item in stream]

    assert warp(main) == (1, 1, [9])


@pytest.mark.parametrize("leaves", ["closes", "drops", "is cancelled"])
@pytest.mark.parametrize("read", [arepair, aiter_events])
def test_the_report_has_the_longest_time_for_which_the_consumer_asked_for_nothing(read, leaves):
    async def main(clock: Clock) -> list[float]:
        stream = read(scripted([(0.0, b"data: 1\n\n"), (40.0, b"data: 2\n\n")], clock, end=1e6), timeouts=None)
        report, pauses = stream.report, []
        while report.events < 2:
            await anext(stream)
        pauses.append(report.longest_pause)  # upstream took that time
        await asyncio.sleep(7.0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(100.0):
                while True:
                    await anext(stream)
        pauses.append(report.longest_pause)
        if leaves == "is cancelled":
            return pauses
        stream = read(scripted([(0.0, b"data: 1\n\n")], clock, end=1e6), timeouts=None)
        await anext(stream)
        await asyncio.sleep(30.0)
        report = stream.report
        if leaves == "closes":
            await stream.aclose()
        del stream
        gc.collect()
        await settle()
        assert report.verdict is Verdict.CANCELLED
        return [*pauses, report.longest_pause]

    assert warp(main) == [0.0, 7.0, 30.0][: 2 if leaves == "is cancelled" else 3]


def test_a_chunk_after_turns_without_one_wakes_the_consumer_as_it_comes():
    async def main(clock: Clock) -> list[int]:
        turn = 0

        async def upstream() -> AsyncIterator[bytes]:
            nonlocal turn
            for _ in range(5):
                await settle()
                yield b"data: %d\n\n" % turn

        async def count() -> None:
            nonlocal turn
            while True:
                await asyncio.sleep(0)
                turn += 1

        counting = asyncio.create_task(count())
        turns = [turn - int(item[6:]) async for item in arepair(upstream())]
        counting.cancel()
        return turns

    assert max(warp(main)) <= 1


@every_kind
def test_a_chunk_that_its_producer_uses_again_is_copied(make):
    async def chunks() -> AsyncIterator[bytearray]:
        buffer = bytearray()
        for text in (b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"):
            buffer[:] = text
            yield buffer

    async def main(clock: Clock) -> bytes:
        return b"".join([wire(x) async for x in make(chunks())])

    assert warp(main) == b"data: 1\n\ndata: 2\n\ndata: 3\n\n"


# Heartbeats


@given(
    waits=st.lists(st.floats(0, 6), max_size=12),  # in heartbeats
    end=st.floats(0, 12),
    heartbeat=st.sampled_from([0.05, 1.0, 5.0, 15.0]),
    cut=st.integers(1, len(TOKEN)),
)
def test_no_gap_between_bytes_is_longer_than_the_heartbeat(waits, end, heartbeat, cut):
    at, script = 0.0, []
    for wait in waits:
        at += wait * heartbeat
        script += [(at, TOKEN[:cut]), (at, TOKEN[cut:])]

    async def main(clock: Clock) -> list[float]:
        start = clock.now
        stream = repaired(script, clock, end=at + end * heartbeat, heartbeat=heartbeat)
        return [0.0, *[when for when, _ in await timeline(stream, clock)], clock.now - start]

    assert max(b - a for a, b in itertools.pairwise(warp(main))) <= heartbeat + 1e-6


def test_a_heartbeat_comes_before_the_first_byte_and_while_one_event_trickles_in():
    trickle = [(12.0, b"data: "), *[(12.0 + at, b"x") for at in range(1, 20)], (32.0, b"\n\n")]

    async def main(clock: Clock) -> list[bytes]:
        return [item for _, item in await timeline(repaired(trickle, clock, heartbeat=5.0), clock)]

    assert warp(main) == [b":\n\n"] * 6 + [b"data: " + b"x" * 19 + b"\n\n"]


def counting(call: Callable[..., Any], where: Callable[..., bool]) -> tuple[Callable[..., Any], list[None]]:
    """Return a function that does what `call` does, and a list that grows with each call `where` this holds."""
    calls: list[None] = []

    def counted(*args: Any, **named: Any) -> Any:
        calls.extend([None] * where(*args))
        return call(*args, **named)

    return counted, calls


@pytest.mark.parametrize("make", [arepair, aiter_events])
def test_a_busy_stream_sets_its_timer_a_few_times_a_second_and_sends_no_heartbeat(make):
    seconds = 2.0
    script = [(at / 1000 * seconds, b"data: 1\n\n") for at in range(1, 1000)]

    async def main(clock: Clock) -> int:
        loop = asyncio.get_running_loop()
        ours = lambda when, callback, *args: callback.__module__.startswith("unbroken")  # noqa: E731
        loop.call_at, timers = counting(loop.call_at, ours)  # type: ignore[method-assign]
        stream = make(scripted(script, clock))
        assert len(await timeline(stream, clock)) == 999
        assert stream.report.heartbeats == 0
        return len(timers)

    assert 1 <= warp(main) <= 2 * seconds / TRUSTED + 2


@pytest.mark.parametrize("make", [arepair, aiter_events])
def test_a_busy_stream_looks_at_its_deadlines_a_few_times_a_second(make, monkeypatch):
    seconds = 2.0
    script = [(at / 1000 * seconds, b"data: 1\n\n") for at in range(1, 1000)]
    looked, looks = counting(Clocks.next_deadline, lambda *_: True)
    monkeypatch.setattr(Clocks, "next_deadline", looked)

    async def main(clock: Clock) -> None:
        assert len(await timeline(make(scripted(script, clock)), clock)) == 999

    warp(main)
    assert 1 <= len(looks) <= 4 * seconds / TRUSTED


def test_a_timeout_that_comes_nearer_than_the_timer_is_kept():
    async def main(clock: Clock) -> list[tuple[float, bytes]]:
        stream = repaired([(1.0, TOKEN)], clock, end=1e6, timeouts=off(silence=300.0, idle=2.0))
        return await timeline(stream, clock)

    assert warp(main)[-1][0] <= 3.0


def test_a_thousand_streams_wake_the_loop_together():
    async def main(clock: Clock) -> int:
        loop = asyncio.get_running_loop()
        streams = [repaired([], clock, end=100.0, heartbeat=5.0) for _ in range(1000)]

        async def read(stream: AsyncRepairedStream, delay: float) -> None:
            await asyncio.sleep(delay)
            for _ in range(10):
                assert await anext(stream) == b":\n\n"
            await stream.aclose()

        reading = [asyncio.ensure_future(read(stream, i / 200)) for i, stream in enumerate(streams)]
        await asyncio.sleep(10.0)
        selects = loop.selector.selects
        await asyncio.sleep(10.0)
        selects = loop.selector.selects - selects
        await asyncio.gather(*reading)
        return selects

    assert warp(main) <= 4 * 10 * 4  # ticks of 0.25 s, a few turns of the loop at each


# Timeouts


@pytest.mark.parametrize("name", STALLS)
def test_a_clock_that_runs_out_ends_the_stream_with_one_frame_that_comes_last(name):
    script, timeouts, at = STALLS[name]

    async def main(clock: Clock) -> tuple[list[tuple[float, bytes]], AsyncRepairedStream]:
        stream = repaired(script, clock, end=1e6, timeouts=timeouts)
        return await timeline(stream, clock), stream

    written, stream = warp(main)
    clock_name = name.partition(",")[0]
    assert at - 0.5 <= written[-1][0] <= at + 1e-6
    assert f"{clock_name}-timeout".encode() in written[-1][1]
    assert stream.report.verdict is Verdict.FAILED
    assert stream.report.timeout == clock_name


def test_the_clocks_stand_still_while_the_consumer_is_slow():
    async def main(clock: Clock) -> AsyncRepairedStream:
        script = [(0.0, TOKEN), (1.0, TOKEN), (7.0, TOKEN)]
        stream = repaired(script, clock, end=8.0, timeouts=off(idle=8.0, silence=8.0, total=16.0))
        for _ in range(3):
            await anext(stream)
            clock.now += 1000.0
        async for _ in stream:
            pass
        return stream

    report = warp(main).report
    assert report.timeout is None
    assert report.error.code == "truncated"


def test_an_event_stream_raises_the_timeout_after_its_last_event_and_once():
    async def main(clock: Clock) -> None:
        stream = aiter_events(scripted([(0.0, TOKEN)], clock, end=1e6), timeouts=off(silence=8.0))
        assert (await anext(stream)).json()["id"] == "a"
        with pytest.raises(StreamError, match="silence-timeout"):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    warp(main)


# Priming


def test_aprime_gives_true_and_the_stream_whole():
    async def main(clock: Clock) -> list[bytes]:
        stream = repaired([(1.0, b": hello\n\n"), (9.0, b"data: 1\n\n"), (10.0, b"data: 2\n\n")], clock, heartbeat=5.0)
        start = clock.now
        assert await stream.aprime()
        assert clock.now == start + 9.0
        return [x async for x in stream]

    assert warp(main) == [b": hello\n\n", b"data: 1\n\n", b"data: 2\n\n"]


def test_aprime_gives_false_on_timeout_and_the_stream_stays_usable():
    async def main(clock: Clock) -> list[bytes]:
        stream = repaired([(1.0, b": hello\n\n"), (30.0, b"data: 1\n\n")], clock, heartbeat=5.0)
        start = clock.now
        assert not await stream.aprime(timeout=20.0)
        assert clock.now == pytest.approx(start + 20.0)
        assert stream.report.heartbeats == 0
        return [x async for x in stream]

    items = warp(main)
    assert items[:2] == [b": hello\n\n", b":\n\n"]
    assert items[-1] == b"data: 1\n\n"


@pytest.mark.parametrize("timeouts", [off(silence=8.0), off(total=8.0)], ids=["silence", "total"])
def test_the_clocks_count_the_waits_of_an_aprime_that_is_asked_again_and_again(timeouts):
    async def main(clock: Clock) -> float:
        stream = repaired([(0.0, b": hello\n\n")], clock, end=1e6, timeouts=timeouts)
        start = clock.now
        with pytest.raises(StreamError, match="-timeout"):
            while not await stream.aprime(timeout=0.5):
                assert clock.now < start + 60.0
        await stream.aclose()
        return clock.now - start

    assert warp(main) <= 8.0 + 1e-6


def test_the_timeout_of_aprime_is_kept_where_a_later_timer_is_set_already():
    async def main(clock: Clock) -> None:
        stream = repaired([(0.01, b": hello\n\n"), (9.0, b"data: 1\n\n")], clock, timeouts=off(silence=0.2))
        start = clock.now
        await anext(stream)
        assert not await stream.aprime(timeout=0.05)
        assert clock.now == pytest.approx(start + 0.06)

    warp(main)


@pytest.mark.parametrize("name", FAILURES_BEFORE_THE_FIRST_EVENT)
@pytest.mark.parametrize("make", [arepair, aiter_events])
def test_aprime_raises_what_went_wrong_before_the_first_event(make, name):
    script, options, status = FAILURES_BEFORE_THE_FIRST_EVENT[name]

    async def main(clock: Clock) -> None:
        stream = make(scripted(script, clock, end=1e6), **options)
        with pytest.raises(StreamError) as raised:
            await stream.aprime()
        assert raised.value.status_hint == status or status is None
        await stream.aclose()
        assert stream.report.verdict is Verdict.FAILED

    warp(main)


@pytest.mark.parametrize("name", PRIMED)
@pytest.mark.parametrize("make", [arepair, aiter_events])
def test_aprime_does_not_raise_what_the_consumer_has_met_already(make, name):
    script, options = PRIMED[name]

    async def main(clock: Clock) -> None:
        stream = make(scripted([(1.0, chunk) for chunk in script], clock), **options)
        with contextlib.suppress(StreamError):
            async for _ in stream:
                pass
        assert stream.report.verdict is Verdict.FAILED
        assert await stream.aprime()

    warp(main)


@pytest.mark.parametrize("name", BAD_WAITS)
def test_a_timeout_of_aprime_that_is_no_duration_is_refused_and_reads_nothing(name):
    value, error, fix = BAD_WAITS[name]

    async def main(clock: Clock) -> None:
        stream = repaired([(1.0, b"data: 1\n\n")], clock)
        with pytest.raises(error, match=rf"^aprime\(timeout=\.\.\.\).*{fix}"):
            await stream.aprime(timeout=value)
        assert [x async for x in stream] == [b"data: 1\n\n"]

    warp(main)


@pytest.mark.parametrize("timeout", [math.inf, 1e300, HUGE])
def test_a_timeout_of_aprime_beyond_a_lifetime_is_for_ever(timeout):
    async def main(clock: Clock) -> bool:
        return await repaired([(1e6, b"data: 1\n\n")], clock).aprime(timeout=timeout)

    assert warp(main)


@every_kind
def test_a_cancelled_aprime_closes_the_stream(make):
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(b": a comment that was held\n\n")
        stream = make(upstream)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await stream.aprime()
        await settle()
        assert upstream.cancelled
        assert stream.report.verdict is Verdict.CANCELLED
        assert [x async for x in stream] == []

    warp(main)


# Failures


def test_an_exception_of_upstream_becomes_one_frame_after_all_whole_events():
    async def main(clock: Clock) -> tuple[list[bytes], AsyncRepairedStream]:
        stream = repaired([(0.0, b"data: 1\n\ndata: 2"), (1.0, OSError("10.0.0.1 refused"))], clock)
        return [x async for x in stream], stream

    (*items, frame), stream = warp(main)
    assert items == [b"data: 1\n\n"]
    assert b"upstream-failed" in frame
    assert b"10.0.0.1" not in frame
    assert stream.report.verdict is Verdict.FAILED


def test_an_exception_of_upstream_is_raised_as_one_of_ours_behind_the_last_event():
    async def main(clock: Clock) -> None:
        stream = aiter_events(scripted([(0.0, b"data: 1\n\n"), (1.0, OSError("10.0.0.1 refused"))], clock))
        assert await anext(stream) == Event("1")
        with pytest.raises(StreamError) as raised:
            await anext(stream)
        assert raised.value.code == "upstream-failed"
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    warp(main)


@pytest.mark.parametrize("passing", [asyncio.CancelledError, KeyboardInterrupt])
@every_kind
def test_what_is_no_exception_passes_and_writes_no_frame(make, passing):
    async def main(clock: Clock) -> AsyncRepairedStream:
        async def upstream() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            raise passing

        stream = make(upstream())
        assert wire(await anext(stream)) == b"data: 1\n\n"
        with pytest.raises(passing):
            await anext(stream)
        return stream

    assert warp(main).report.verdict is Verdict.CANCELLED


@every_kind
def test_chunks_that_are_no_bytes_are_misuse_and_no_failure_of_upstream(make):
    async def main() -> None:
        for upstream in (AsyncUpstream(b"data: 1\n\n", "text"), [b"data: 1\n\n", "text"]):
            stream = make(upstream)
            assert wire(await anext(stream)) == b"data: 1\n\n"
            with pytest.raises(TypeError, match="chunks must be bytes, not str"):
                await anext(stream)
            with pytest.raises(StopAsyncIteration):
                await anext(stream)

    asyncio.run(main())


# One task


def test_upstream_runs_in_one_task_from_its_first_step_to_its_last():
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(*[b"data: 1\n\n"] * 40)
        async with arepair(upstream) as stream:
            for _ in range(40):
                await asyncio.create_task(anext(stream))  # each consumed in a task of its own
        assert len(upstream.tasks) == 1
        assert upstream.tasks.isdisjoint({asyncio.current_task()})

    warp(main)


@every_kind
def test_an_inner_timeout_of_upstream_fires_and_fails_the_stream(make):
    async def upstream() -> AsyncIterator[bytes]:
        async with asyncio.timeout(3.0):
            yield b"data: 1\n\n"
            await asyncio.sleep(100.0)

    async def main(clock: Clock) -> tuple[float, StreamError | None]:
        start = clock.now
        stream = make(upstream(), timeouts=off(silence=50.0))
        with contextlib.suppress(StreamError):
            async for _ in stream:
                pass
        assert not asyncio.current_task().cancelling()
        return clock.now - start, stream.report.error

    took, error = warp(main)
    assert took == pytest.approx(3.0)
    assert (error.code, error.error_type) == ("upstream-failed", "TimeoutError")


@every_kind
def test_a_cancel_scope_and_a_task_group_of_anyio_inside_upstream_hold(make):
    anyio = pytest.importorskip("anyio")
    seen = []

    async def upstream() -> AsyncIterator[bytes]:
        async with anyio.create_task_group() as group:
            with anyio.move_on_after(60.0) as scope:
                send, receive = anyio.create_memory_object_stream(1)
                group.start_soon(produce, send)
                async with receive:
                    async for chunk in receive:
                        yield chunk
            seen.append(scope.cancelled_caught)

    async def produce(send: Any) -> None:
        async with send:
            for chunk in [*[TOKEN] * 30, DONE]:
                await send.send(chunk)

    async def main(clock: Clock) -> None:
        assert b"".join([wire(x) async for x in make(upstream())]).count(TOKEN) == 30
        async with make(upstream()) as stream:
            await anext(stream)
        async with asyncio.timeout(5.0):
            stream = make(upstream())
            await anext(stream)
            await stream.aclose()

    warp(main)
    assert seen == [False]


def test_upstream_sees_the_context_variables_of_the_call_and_its_own():
    name = contextvars.ContextVar("name", default="nobody")

    async def upstream() -> AsyncIterator[bytes]:
        yield f"data: {name.get()}\n\n".encode()
        name.set("upstream")
        await settle()
        yield b"data: 2\n\n"
        await settle()
        yield f"data: {name.get()}\n\n".encode()

    async def main(clock: Clock) -> list[bytes]:
        name.set("the caller")
        stream = arepair(upstream())
        name.set("somebody else")
        return [await asyncio.create_task(anext(stream)) for _ in range(3)]

    assert warp(main) == [b"data: the caller\n\n", b"data: 2\n\n", b"data: upstream\n\n"]


@every_kind
def test_nothing_is_read_and_no_task_is_started_before_the_first_anext(make):
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(b"data: 1\n\n")
        stream = make(upstream)
        await settle()
        assert not tasks()
        assert not upstream.tasks
        await stream.aclose()

    warp(main)


def test_an_upstream_that_is_not_asked_for_more_is_read_ahead_by_the_bound():
    half = b": " + b"x" * (MAX_BYTES // 2) + b"\n\n"

    async def main(clock: Clock) -> tuple[int, int]:
        many, large = AsyncUpstream(*[b"data: 1\n\n"] * 1000), AsyncUpstream(*[half] * 100)
        async with arepair(many) as one, arepair(large) as other:
            for _ in range(10):
                await anext(one)
            await anext(other)
            await settle()
            return many.sent - one.report.events, large.sent

    many, large = warp(main)
    assert many <= MAX_CHUNKS + 2
    assert large <= 4


def test_all_chunks_arrive_through_a_full_queue():
    chunks = [b"data: %d\n\n" % i for i in range(1000)]

    async def main(clock: Clock) -> bytes:
        return b"".join([x async for x in arepair(AsyncUpstream(*chunks, blocks=False))])

    assert warp(main) == b"".join(chunks)


# A reader without a pump


def test_upstream_of_a_reader_runs_in_the_task_that_iterates():
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(*[b"data: 1\n\n"] * 40)
        async with aiter_events(upstream) as stream:
            for _ in range(40):
                await anext(stream)
                assert not tasks()
        assert upstream.tasks == {asyncio.current_task()}
        assert upstream.closed.is_set()

    warp(main)


async def by_a_task_for_each_item(stream: AsyncEventStream, count: int) -> list[Event]:
    return [await asyncio.create_task(anext(stream)) for _ in range(count)]


async def by_wait_for(stream: AsyncEventStream, count: int) -> list[Event]:
    return [await asyncio.wait_for(anext(stream), 60.0) for _ in range(count)]


async def by_another_task_after_the_first_item(stream: AsyncEventStream, count: int) -> list[Event]:
    first = [await anext(stream)]
    return first + await asyncio.create_task(by_the_same_task(stream, count - 1))


async def by_priming_with_a_timeout(stream: AsyncEventStream, count: int) -> list[Event]:
    while not await stream.aprime(timeout=0.01):
        pass
    return await by_the_same_task(stream, count)


async def by_the_same_task(stream: AsyncEventStream, count: int) -> list[Event]:
    return [await anext(stream) for _ in range(count)]


@pytest.mark.parametrize(
    "read",
    [
        by_the_same_task,
        by_a_task_for_each_item,
        by_wait_for,
        by_another_task_after_the_first_item,
        by_priming_with_a_timeout,
    ],
)
@pytest.mark.parametrize("chunks", ["asynchronous", "synchronous"])
def test_however_a_reader_is_asked_nothing_is_lost_and_upstream_is_closed(read, chunks):
    bodies = [b"data: %d\n\n" % number for number in range(40)]

    async def main() -> None:
        upstream = AsyncUpstream(*bodies) if chunks == "asynchronous" else Upstream(*bodies)
        async with aiter_events(upstream, abort=getattr(upstream, "abort", None)) as stream:
            events = await read(stream, 40)
        assert [event.encode() for event in events] == bodies
        if chunks == "asynchronous":
            strangers = upstream.tasks - {asyncio.current_task()}
            # Since 3.12 `asyncio.wait_for` asks in the task that calls it.
            in_this_task = read is by_the_same_task or (read is by_wait_for and sys.version_info >= (3, 12))
            assert len(strangers) == (not in_this_task)
            assert all(task.get_name() == "unbroken pump" for task in strangers)
            assert upstream.closed.is_set()
        else:
            assert await asyncio.to_thread(upstream.closed.wait, LIMIT)
            assert upstream.aborted_by

    asyncio.run(main())


@pytest.mark.parametrize("name", STALLS)
def test_a_clock_that_runs_out_interrupts_a_reader_and_closes_upstream(name):
    script, timeouts, at = STALLS[name]

    async def main(clock: Clock) -> tuple[float, Any]:
        closed = []
        start = clock.now
        stream = aiter_events(
            Source(scripted(script, clock, end=1e6), close=lambda: closed.append(True)), timeouts=timeouts
        )
        with pytest.raises(StreamError, match=f"{name.partition(',')[0]}-timeout"):
            await read_all(stream)
        assert not asyncio.current_task().cancelling()
        assert closed == [True]
        assert not tasks()
        return clock.now - start, stream.report

    took, report = warp(main)
    assert at - 0.5 <= took <= at + 1e-6
    assert report.verdict is Verdict.FAILED


def test_the_clocks_of_a_reader_stand_still_while_the_consumer_is_slow():
    async def main(clock: Clock) -> None:
        stream = aiter_events(
            scripted([(0.0, TOKEN), (1.0, TOKEN), (7.0, TOKEN), (7.5, DONE)], clock),
            timeouts=off(idle=8.0, silence=8.0, total=16.0),
        )
        async for _ in stream:
            clock.now += 1000.0
        assert stream.report.verdict is Verdict.COMPLETE

    warp(main)


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("comes_first", [True, False])
def test_a_cancellation_by_somebody_else_at_the_time_of_a_timeout_is_never_swallowed(comes_first, turns):
    async def main(clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        due = clock.now + 8.0
        upstream = AsyncUpstream()

        async def read() -> None:
            with contextlib.suppress(StreamError):
                await read_all(aiter_events(upstream, timeouts=off(silence=8.0)))
            await asyncio.sleep(1.0)  # where the timeout came first, the cancellation is met here

        def cancel_in(turns: int) -> None:
            if turns:
                loop.call_soon(cancel_in, turns - 1)
            else:
                assert reading.cancel()

        if comes_first:
            loop.call_at(due, cancel_in, turns)
        reading = asyncio.create_task(read())
        await upstream.blocked.wait()
        if not comes_first:
            loop.call_at(due, cancel_in, turns)
        await asyncio.wait({reading})
        assert reading.cancelled()
        assert clock.now == due
        assert upstream.closed.is_set()

    warp(main)


@pytest.mark.parametrize("seconds", [7.99, 8.0, 8.01])
def test_an_outer_timeout_and_that_of_the_stream_are_told_apart(seconds):
    async def main(clock: Clock) -> tuple[bool, type[BaseException] | None, int]:
        raised: type[BaseException] | None = None
        try:
            async with asyncio.timeout(seconds) as outer:
                await read_all(aiter_events(AsyncUpstream(), timeouts=off(silence=8.0)))
        except (TimeoutError, StreamError) as error:
            raised = type(error)
        return outer.expired(), raised, asyncio.current_task().cancelling()

    expired, raised, cancelling = warp(main)
    assert raised is (TimeoutError if expired else StreamError)
    assert expired or seconds >= 8.0
    assert not expired or seconds <= 8.0
    assert cancelling == 0


def test_a_timeout_is_raised_in_a_task_that_was_cancelled_before_and_goes_on():
    async def main(clock: Clock) -> int:
        async def read() -> None:
            try:
                await asyncio.sleep(1e6)
            except asyncio.CancelledError:
                await read_all(aiter_events(AsyncUpstream(), timeouts=off(silence=8.0)))

        reading = asyncio.create_task(read())
        await settle()
        reading.cancel()
        with pytest.raises(StreamError, match="silence-timeout"):
            await reading
        return reading.cancelling()

    assert warp(main) == 1


def test_a_connection_that_is_replaced_is_left_by_the_task_that_entered_it():
    page = b"<!doctype html><html><body>502 Bad Gateway</body></html>"
    visits: list[list[Any]] = []

    @contextlib.asynccontextmanager
    async def connect(attempt: Attempt) -> AsyncIterator[AsyncUpstream]:
        visit = [asyncio.current_task()]
        visits.append(visit)
        try:
            yield AsyncUpstream(*([page] if attempt.number == 1 else [TOKEN, DONE]))
        finally:
            visit.append(asyncio.current_task())

    async def main(clock: Clock) -> list[bytes]:
        return await read_all(aiter_events(aretrying(connect, retry=Retry(worth=lambda status, error: True))))

    assert warp(main)[0] == TOKEN
    assert [entered is left for entered, left in visits] == [True, True]


@pytest.mark.parametrize("comes_first", [True, False])
def test_a_chunk_that_comes_with_the_deadline_is_read(comes_first):
    async def main(clock: Clock) -> list[bytes]:
        loop = asyncio.get_running_loop()
        arrives = loop.create_future()

        async def upstream() -> AsyncIterator[bytes]:
            await arrives
            yield b"data: 1\n\n"

        if comes_first:
            loop.call_at(clock.now + 8.0, arrives.set_result, None)
        reading = asyncio.create_task(read_all(aiter_events(upstream(), timeouts=off(silence=8.0))))
        await settle()
        if not comes_first:
            loop.call_at(clock.now + 8.0, arrives.set_result, None)
        return await reading

    assert warp(main) == [b"data: 1\n\n"]


def test_a_timeout_ends_a_reader_whose_upstream_swallows_the_cancellation_and_goes_on():
    async def main(clock: Clock) -> list[str]:
        seen = []

        async def upstream() -> AsyncIterator[bytes]:
            try:
                yield b"data: 1\n\n"
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(1e6)
                seen.append("swallowed")
                yield b"data: 2\n\n"
            finally:
                seen.append("closed")

        stream = aiter_events(upstream(), timeouts=off(silence=8.0))
        with pytest.raises(StreamError, match="silence-timeout"):
            await read_all(stream)
        assert stream.report.events == 1
        assert not asyncio.current_task().cancelling()
        await settle()
        return seen

    assert warp(main) == ["swallowed", "closed"]


ENDS_OF_A_READER: dict[str, tuple[Script, Any]] = {
    "its end": ([(0.0, TOKEN + DONE)], None),
    "a failure": ([(0.0, TOKEN), (1.0, OSError())], StreamError),
    "a cut": ([(0.0, TOKEN)], StreamError),
    "a timeout": ([(0.0, TOKEN), (100.0, TOKEN)], StreamError),
}


@pytest.mark.parametrize("name", ENDS_OF_A_READER)
def test_at_its_end_a_reader_closes_its_source_once(name):
    script, error = ENDS_OF_A_READER[name]

    async def main(clock: Clock) -> list[str]:
        called = []

        async def close() -> None:
            await asyncio.sleep(0)
            called.append("close")

        stream = aiter_events(Source(scripted(script, clock), close=close), timeouts=off(silence=8.0))
        with pytest.raises(error) if error else contextlib.nullcontext():
            await read_all(stream)
        assert called == ["close"]
        await stream.aclose()
        assert not tasks()
        return called

    assert warp(main) == ["close"]


def test_a_reader_closed_by_two_tasks_at_once_closes_its_source_once():
    async def main(clock: Clock) -> list[str]:
        source, called = watched_source()
        stream = aiter_events(source)
        reading = asyncio.create_task(read_all(stream))
        await settle()
        await asyncio.gather(stream.aclose(), stream.aclose())
        assert called == ["close"]
        assert await reading == []
        await stream.aclose()
        return called

    assert warp(main) == ["close"]


@pytest.mark.parametrize("by", ["asyncio", "anyio"])
def test_a_reader_that_is_cancelled_closes_upstream_and_its_source(by):
    anyio = pytest.importorskip("anyio")

    async def main(clock: Clock) -> list[str]:
        source, called = watched_source()
        assert isinstance(source.chunks, AsyncUpstream)
        if by == "anyio":
            with anyio.move_on_after(3.0) as scope:
                async with aiter_events(source) as stream:
                    await read_all(stream)
            assert scope.cancelled_caught
        else:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(3.0), aiter_events(source) as stream:
                    await read_all(stream)
        assert source.chunks.cancelled
        await settle()
        assert not tasks()
        return called

    assert warp(main) == ["close"]


def test_the_error_that_a_reader_met_does_not_keep_it():
    async def main(clock: Clock) -> None:
        stream = aiter_events(scripted([(0.0, TOKEN), (0.0, OSError("refused"))], clock))
        try:
            await read_all(stream)
        except StreamError as error:
            met = error.with_traceback(None)
        assert isinstance(met.__cause__, OSError)
        met.__cause__.with_traceback(None)  # since 3.12 it ends at the frames that called upstream's, the stream's too
        gone = weakref.ref(stream)
        del stream
        assert gone() is None

    warp(main)


# Leaving


@every_kind
def test_aclose_cancels_upstream_in_its_own_task_and_waits_for_it(make):
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(b"data: 1\n\n")
        stream = make(upstream)
        reading = asyncio.create_task(read_all(stream))
        await upstream.blocked.wait()
        await stream.aclose()
        assert upstream.closed.is_set()
        assert upstream.cancelled
        assert len(upstream.tasks) == 1
        assert await reading == [b"data: 1\n\n"]
        assert not reading.cancelling()
        assert not tasks()
        assert stream.report.verdict is Verdict.CANCELLED
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        await stream.aclose()

    warp(main)


@every_kind
def test_an_upstream_that_swallows_its_cancellation_ends_all_the_same(make):
    async def main(clock: Clock) -> None:
        swallowed = []
        closed = []

        async def upstream() -> AsyncIterator[bytes]:
            try:
                while True:
                    try:
                        yield b"data: 1\n\n"
                        await asyncio.sleep(1.0)
                    except asyncio.CancelledError:
                        swallowed.append(True)
            finally:
                closed.append(True)

        stream = make(upstream())
        reading = asyncio.create_task(read_all(stream))
        await settle()
        start = clock.now
        await stream.aclose()
        assert clock.now == start
        assert swallowed == closed == [True]
        assert await reading == [b"data: 1\n\n"]
        assert not tasks()

    warp(main)


@every_kind
def test_a_stream_closed_before_it_began_closes_its_source_and_reads_nothing(make):
    async def main(clock: Clock) -> None:
        for is_async in (True, False):
            closed = []

            async def aclose(closed: list[bool] = closed) -> None:
                closed.append(True)

            close = aclose if is_async else lambda closed=closed: closed.append(True)
            upstream = AsyncUpstream(b"data: 1\n\n")
            stream = make(Source(upstream, close=close))
            await stream.aclose()
            await stream.aclose()
            assert closed == [True]
            assert not upstream.tasks

    warp(main)


@pytest.mark.parametrize("failure", [[], [OSError()]], ids=["end", "failure"])
def test_a_stream_left_while_upstream_is_being_closed_lets_that_go_on(failure):
    async def main(clock: Clock) -> list[float]:
        async def close() -> None:
            await asyncio.sleep(3.0)
            closed.append(clock.now - start)

        closed: list[float] = []
        start = clock.now
        script = [(0.0, b"data: 1\n\n"), *((0.0, error) for error in failure)]
        async with arepair(Source(scripted(script, clock), close=close)) as stream:
            await anext(stream)
            await asyncio.sleep(1.0)
        return closed

    assert warp(main) == [3.0]


def watched_source() -> tuple[Source, list[str]]:
    """Return a silent source, and what is called of it."""
    called: list[str] = []

    async def close() -> None:
        await asyncio.sleep(0)
        called.append("close")

    return Source(AsyncUpstream(), close=close), called


async def by_priming_for_no_time(stream: AsyncRepairedStream) -> None:
    assert not await stream.aprime(timeout=0)
    await stream.aclose()


async def by_closing_in_the_turn_of_the_first_anext(stream: AsyncRepairedStream) -> None:
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(anext(stream, None))
        group.create_task(stream.aclose())
    assert reading.result() is None


async def by_a_cancellation_of_all_tasks(stream: AsyncRepairedStream) -> None:
    assert not await stream.aprime(timeout=0)
    (task,) = tasks()
    task.cancel()
    await stream.aclose()


@pytest.mark.parametrize(
    "leave",
    [by_priming_for_no_time, by_closing_in_the_turn_of_the_first_anext, by_a_cancellation_of_all_tasks],
)
def test_a_stream_left_before_the_first_step_of_its_pump_closes_its_source(leave):
    async def main(clock: Clock) -> list[str]:
        source, called = watched_source()
        await leave(arepair(source))
        await settle()
        assert not tasks()
        return called

    assert warp(main) == ["close"]


@every_kind
def test_a_close_that_is_cancelled_releases_upstream_all_the_same(make):
    async def main(clock: Clock) -> list[str]:
        source, called = watched_source()
        closing = asyncio.create_task(make(source).aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await settle()
        return called

    assert warp(main) == ["close"]


class Bare:
    """An asynchronous iterator that is no generator, and what is called of it."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(1.0)
        return TOKEN

    def abort(self) -> None:
        self.called.append("abort")


class Closable(Bare):
    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.called.append("aclose")


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("chunks", [Bare, Closable])
@every_kind
def test_an_iterator_is_closed_or_aborted_where_it_cannot_be(make, chunks, begun):
    async def main(clock: Clock) -> list[str]:
        upstream = chunks()
        async with make(upstream, abort=upstream.abort) as stream:
            if begun:
                await anext(stream)
        return upstream.called

    assert warp(main) == ["aclose" if chunks is Closable else "abort"]


@every_kind
def test_a_cancelled_anext_closes_the_stream(make):
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(b"data: 1\n\n")
        stream = make(upstream)
        await anext(stream)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 1.0)
        await settle()
        assert upstream.cancelled
        assert stream.report.verdict is Verdict.CANCELLED
        assert [x async for x in stream] == []

    warp(main)


@every_kind
def test_a_consumer_task_that_is_cancelled_leaves_nothing_behind(make):
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(b"data: 1\n\n")

        async def route() -> None:
            async with make(upstream) as stream:
                async for _ in stream:
                    pass

        task = asyncio.create_task(route())
        await upstream.blocked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert upstream.closed.is_set()
        assert not tasks()

    warp(main)


@pytest.mark.parametrize("by", ["asyncio", "anyio"])
def test_a_cancelled_consumer_waits_for_upstream_where_it_may_and_upstream_is_closed_anyway(by):
    anyio = pytest.importorskip("anyio")

    async def main(clock: Clock) -> list[str]:
        told: list[str] = []

        async def upstream() -> AsyncIterator[bytes]:
            try:
                yield b"data: 1\n\n"
                await asyncio.sleep(1e6)
            finally:
                await asyncio.sleep(1.0)
                told.append("upstream is closed")

        async def route() -> None:
            try:
                async with arepair(upstream()) as stream:
                    async for _ in stream:
                        pass
            finally:
                told.append("the route is left")

        if by == "anyio":
            with anyio.move_on_after(3.0):
                await route()
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(route(), 3.0)
        await asyncio.sleep(3.0)
        assert not tasks()
        return told

    told = ["upstream is closed", "the route is left"]
    assert warp(main) == (told if by == "asyncio" else told[::-1])


@every_kind
def test_a_stream_closed_by_another_task_ends_a_waiting_anext(make):
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream()
        stream = make(upstream)
        waiting = asyncio.ensure_future(anext(stream, "the end"))
        await upstream.blocked.wait()
        await stream.aclose()
        assert await waiting == "the end"

    warp(main)


@every_kind
def test_two_tasks_cannot_read_one_stream(make):
    async def main(clock: Clock) -> None:
        stream = make(AsyncUpstream())
        first = asyncio.ensure_future(anext(stream, None))
        await settle()
        with pytest.raises(RuntimeError, match="another task"):
            await anext(stream)
        await stream.aclose()
        assert await first is None

    warp(main)


@every_kind
def test_an_upstream_that_closes_its_own_stream_does_not_wait_for_itself(make):
    async def main(clock: Clock) -> None:
        async def upstream() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            await settle()
            await stream.aclose()
            yield b"data: 2\n\n"

        stream = make(upstream())
        assert await read_all(stream) == [b"data: 1\n\n"]

    warp(main)


@every_kind
def test_a_forgotten_stream_releases_upstream(make):
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(b"data: 1\n\n")
        stream = make(upstream)
        report = stream.report
        await anext(stream)
        await settle()
        gone = weakref.ref(stream)
        del stream
        assert gone() is None
        await settle()
        assert upstream.closed.is_set()
        assert not tasks()
        assert report.verdict is Verdict.CANCELLED

    warp(main)


def test_a_stream_in_a_cycle_that_is_forgotten_while_its_queue_is_full_is_released_without_complaint():
    async def main(clock: Clock) -> None:
        closed = asyncio.Event()

        async def upstream() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"data: 1\n\n"
            finally:
                closed.set()

        async def body() -> AsyncIterator[bytes]:
            async with arepair(upstream(), heartbeat=None, timeouts=None) as stream:
                async for chunk in stream:
                    yield chunk

        forgotten: list[Any] = [body()]
        await anext(forgotten[0])
        forgotten.append(forgotten)
        del forgotten
        await asyncio.sleep(1)  # the pump fills the queue, and no timer of the loop refers to it any more
        gc.collect()
        await asyncio.wait_for(closed.wait(), LIMIT)

    warp(main)  # fails where the loop complains of a task that was destroyed


@every_kind
def test_a_stream_forgotten_by_a_collection_in_another_thread_releases_upstream(make):
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(b"data: 1\n\n")
        stream = make(upstream)
        await anext(stream)
        holder = [stream]
        del stream
        thread = threading.Thread(target=holder.clear)
        thread.start()
        await asyncio.wait_for(upstream.closed.wait(), LIMIT)
        thread.join(LIMIT)
        assert not holder

    asyncio.run(main(Clock()))


@pytest.mark.parametrize("is_async", [True, False])
@every_kind
def test_a_stream_forgotten_before_it_began_releases_upstream(make, is_async):
    async def main(clock: Clock) -> list[str]:
        source, called = watched_source()
        if not is_async:
            source.close = lambda: called.append("close")
        stream = make(source)
        report = stream.report
        del stream
        await settle()
        assert not tasks()
        assert report.verdict is Verdict.CANCELLED
        return called

    assert warp(main) == ["close"]


@every_kind
def test_a_stream_forgotten_before_it_began_by_another_thread_is_released_in_its_loop(make):
    async def main() -> None:
        closed_by = []
        closed = asyncio.Event()

        def close() -> None:
            closed_by.append(threading.current_thread())
            closed.set()

        holder = [make(Source(AsyncUpstream(), close=close))]
        await asyncio.to_thread(holder.clear)
        await asyncio.wait_for(closed.wait(), LIMIT)
        assert closed_by == [threading.current_thread()]

    asyncio.run(main())


@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize("made_in", ["no loop", "a loop that is closed"])
def test_a_stream_forgotten_before_it_began_where_no_loop_runs_is_released_at_once(made_in, is_async):
    async def chunks() -> AsyncIterator[bytes]:
        yield b""

    def make() -> AsyncRepairedStream:
        source, _ = watched_source()
        source = Source(chunks(), close=source.close, abort=lambda: called.append("abort"))
        if not is_async:
            source.close = lambda: called.append("close")
        return arepair(source)

    async def make_in_a_loop() -> AsyncRepairedStream:
        return make()

    called: list[str] = []
    stream = make() if made_in == "no loop" else asyncio.run(make_in_a_loop())
    del stream
    gc.collect()
    assert called == ["abort" if is_async else "close"]


@every_kind
def test_a_stream_forgotten_after_its_loop_is_closed_says_nothing(make):
    async def main() -> AsyncRepairedStream:
        stream = make(AsyncUpstream(b"data: 1\n\n", blocks=True))
        await anext(stream)
        return stream

    stream = asyncio.run(main())
    report = stream.report
    del stream
    gc.collect()
    assert report.verdict is Verdict.CANCELLED


@every_kind
def test_what_closing_upstream_raises_is_logged_by_type(make, caplog):
    async def close() -> None:
        raise OSError("secret")

    async def main(clock: Clock) -> None:
        stream = make(Source(AsyncUpstream(b"data: 1\n\n", blocks=False), close=close))
        assert await read_all(stream) == [b"data: 1\n\n"]

    warp(main)
    assert [record.getMessage() for record in caplog.records] == ["closing upstream raised OSError"]


# The end


@every_kind
def test_behind_the_terminator_upstream_is_read_to_its_own_end(make):
    async def main(clock: Clock) -> None:
        ends = []

        async def upstream() -> AsyncIterator[bytes]:
            yield TOKEN + DONE
            for _ in range(40):
                await asyncio.sleep(0.001)
                yield b": late\n\n"
            ends.append(True)

        stream = make(upstream())
        assert b"".join(await read_all(stream)) == TOKEN + DONE
        assert stream.report.verdict is Verdict.COMPLETE
        assert ends == [True]
        assert not tasks()

    warp(main)


@every_kind
def test_an_upstream_that_stays_open_behind_its_terminator_is_released_after_the_grace(make):
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(TOKEN + DONE)
        start = clock.now
        stream = make(upstream)
        assert b"".join(await read_all(stream)) == TOKEN + DONE
        assert clock.now - start == pytest.approx(0.1)
        await settle()
        assert upstream.cancelled

    warp(main)


@every_kind
def test_an_upstream_that_never_waits_behind_its_terminator_does_not_block_the_loop(make):
    late = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal late
        yield TOKEN + DONE
        while late < 100_000:
            late += 1
            yield b": late\n\n"

    class Hurried(WarpLoop):
        """A loop on which each turn takes a millisecond."""

        def time(self) -> float:
            self.clock.now += 0.001
            return self.clock.now

    async def main() -> bytes:
        return b"".join(await read_all(make(endless())))

    with asyncio.Runner(loop_factory=lambda: Hurried(Clock())) as runner:
        assert runner.run(main()).startswith(TOKEN + DONE)
    assert late < 1000


@every_kind
def test_a_cancellation_during_the_grace_releases_upstream(make):
    async def main(clock: Clock) -> None:
        upstream = AsyncUpstream(TOKEN + DONE)
        stream = make(upstream)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await read_all(stream)
        await settle()
        assert upstream.cancelled

    warp(main)


# A synchronous upstream


def test_a_synchronous_upstream_is_read_in_a_thread_while_the_loop_goes_on():
    async def main() -> None:
        upstream = Upstream(b"data: 1\n\n")
        async with arepair(upstream, abort=upstream.abort, heartbeat=0.02) as stream:
            assert await anext(stream) == b"data: 1\n\n"
            assert await anext(stream) == b":\n\n"
            assert upstream.read_by is not threading.current_thread()
        assert await asyncio.to_thread(upstream.closed.wait, LIMIT)
        assert upstream.closed_by is upstream.read_by
        assert upstream.aborted_by

    asyncio.run(main())


def test_a_synchronous_upstream_is_not_read_ahead_without_bound():
    async def main() -> int:
        upstream = Upstream(*[b"data: 1\n\n"] * 10_000, blocks=False)
        async with arepair(upstream) as stream:
            await anext(stream)
            await asyncio.sleep(0.1)
            return upstream.sent - stream.report.events

    assert asyncio.run(main()) <= 2 * MAX_CHUNKS + 4


@every_kind
def test_a_failing_synchronous_upstream_fails_like_any_other(make):
    async def main() -> tuple[bytes, StreamError | None]:
        stream = make(raising(b"data: 1\n\n", OSError()))
        first = wire(await anext(stream))
        with contextlib.suppress(StreamError):
            await read_all(stream)
        return first, stream.report.error

    first, error = asyncio.run(main())
    assert first == b"data: 1\n\n"
    assert (error.code, error.error_type) == ("upstream-failed", "OSError")


def test_a_synchronous_stream_of_ours_is_an_upstream_too():
    async def main() -> tuple[list[bytes], RepairedStream]:
        inner = repair([b"data: 1\n\n", b"data: 2"])
        return [x async for x in arepair(inner)], inner

    items, inner = asyncio.run(main())
    assert b"".join(items) == b"data: 1\n\n"
    assert inner.report.verdict is Verdict.TRUNCATED


def test_without_threads_a_synchronous_upstream_is_a_failure(monkeypatch):
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    closed = []

    async def main(clock: Clock) -> list[bytes]:
        source = Source([b"data: 1\n\n"], close=lambda: closed.append(True))
        return [x async for x in arepair(source)]

    monkeypatch.setattr(threading.Thread, "start", refuse)
    (frame,) = warp(main)
    assert b"application-error" in frame
    assert closed == [True]


@every_kind
def test_a_synchronous_upstream_sees_the_context_variables_of_the_call(make):
    name = contextvars.ContextVar("name", default="nobody")

    def upstream() -> Iterator[bytes]:
        yield f"data: {name.get()}\n\n".encode()

    async def main() -> bytes:
        name.set("the caller")
        stream = make(upstream())
        name.set("somebody else")
        return wire(await anext(stream))

    assert asyncio.run(main()) == b"data: the caller\n\n"


@pytest.mark.parametrize("chunks", [[b"data: 1\n\n"], [b"data: 1\n\n"] * 1000], ids=["a silent", "a waiting"])
@pytest.mark.parametrize("is_left", [True, False])
@every_kind
def test_a_loop_that_is_closed_under_a_stream_leaves_no_thread_behind(make, is_left, chunks):
    upstream = Upstream(*chunks)
    loop = asyncio.new_event_loop()
    stream = make(upstream, abort=upstream.abort)

    async def read(stream: Any) -> None:
        await anext(stream)
        if is_left:
            loop.call_soon(asyncio.current_task().cancel)
            await read_all(stream)

    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(read(stream))
    loop.close()
    del stream
    gc.collect()
    assert upstream.closed.wait(LIMIT)


# Loops of other makes


@every_kind
def test_an_eager_task_factory_makes_no_difference(make):
    if not hasattr(asyncio, "eager_task_factory"):
        return  # Python 3.12 brought it

    async def main(clock: Clock) -> bytes:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        return b"".join(await read_all(make(AsyncUpstream(*[TOKEN] * 50, DONE))))

    assert warp(main) == TOKEN * 50 + DONE


@every_kind
def test_a_task_factory_that_knows_no_context_will_do(make):
    def factory(loop: asyncio.AbstractEventLoop, coro: Any) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=loop)

    async def main(clock: Clock) -> bytes:
        asyncio.get_running_loop().set_task_factory(factory)
        return b"".join(await read_all(make(AsyncUpstream(TOKEN, DONE))))

    assert warp(main) == TOKEN + DONE


def test_streams_work_on_uvloop():
    uvloop = pytest.importorskip("uvloop")

    async def main() -> list[bytes]:
        async with arepair(AsyncUpstream(TOKEN), heartbeat=0.02) as stream:
            return [await anext(stream) for _ in range(3)]

    assert uvloop.run(main()) == [TOKEN, b":\n\n", b":\n\n"]


def test_a_timeout_interrupts_a_reader_on_uvloop():
    uvloop = pytest.importorskip("uvloop")

    async def main() -> AsyncUpstream:
        upstream = AsyncUpstream(TOKEN)
        with pytest.raises(StreamError, match="silence-timeout"):
            await read_all(aiter_events(upstream, timeouts=off(silence=0.05)))
        assert not asyncio.current_task().cancelling()
        return upstream

    assert uvloop.run(main()).cancelled


def test_importing_the_library_and_using_it_synchronously_loads_no_asyncio():
    code = "import sys, unbroken; list(unbroken.repair([b'data: 1'])); assert 'asyncio' not in sys.modules"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


# Misuse


@pytest.mark.parametrize("make", [arepair, aiter_events])
@pytest.mark.parametrize("chunks", [b"data: 1\n\n", "text", None], ids=repr)
def test_misuse_is_told_at_the_call(make, chunks):
    with pytest.raises(TypeError, match=make.__name__):
        make(chunks)


def test_a_coroutine_is_refused_with_the_fix():
    async def chunks() -> bytes:
        return b""

    coroutine = chunks()
    with pytest.raises(TypeError, match="write `await` in front of it"):
        arepair(coroutine)
    coroutine.close()


@pytest.mark.parametrize("make", [arepair, aiter_events])
@pytest.mark.parametrize("chunks", [None, [b"data: 1\n\n", b"data: 2\n\n"]], ids=["async", "sync"])
@pytest.mark.parametrize("loop_is_closed", [True, False])
def test_a_stream_that_was_begun_in_another_loop_is_refused_with_the_fix(make, chunks, loop_is_closed):
    async def upstream() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        await asyncio.Event().wait()

    async def rest() -> list[Any]:
        return [item async for item in stream]

    stream = make(chunks or upstream())
    with asyncio.Runner() as first:
        first.run(stream.aprime())
        if not loop_is_closed:
            with pytest.raises(RuntimeError, match=r"begun in another event loop.*one asyncio\.run\(main\(\)\)"):
                asyncio.run(rest())
    if loop_is_closed:
        with pytest.raises(RuntimeError, match=r"begun in another event loop.*one asyncio\.run\(main\(\)\)"):
            asyncio.run(rest())
    assert stream.report.verdict is Verdict.CANCELLED
    asyncio.run(stream.aclose())
    assert asyncio.run(rest()) == []


@pytest.mark.parametrize("make", [arepair, aiter_events])
def test_an_answer_that_was_read_whole_in_another_loop_ends_in_this_one(make):
    async def rest() -> list[Any]:
        return [item async for item in stream]

    stream = make([TOKEN + DONE])
    asyncio.run(stream.aprime())
    assert asyncio.run(rest())
    assert stream.report.verdict is Verdict.COMPLETE


@pytest.mark.parametrize("make", [arepair, aiter_events])
def test_trio_is_refused_with_the_fix_and_a_synchronous_stream_works_there(make):
    trio = pytest.importorskip("trio")
    unread = make([])

    async def main() -> None:
        for misuse in (lambda: make([]), lambda: anext(unread), unread.aprime, unread.aclose):
            with pytest.raises(RuntimeError, match=r"under trio.*backend=\"asyncio\".*anyio\.to_thread\.run_sync"):
                await misuse()
        assert await trio.to_thread.run_sync(next, stream, None) == b"data: 1\n\n"
        assert await trio.to_thread.run_sync(next, stream, None) is None

    with repair([b"data: 1\n\n"]) as stream:
        trio.run(main)
