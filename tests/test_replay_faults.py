"""What threads, tasks, the garbage collector, forks and stores do at the worst moment to answers that are replayed."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import unbroken
from tests.scripted import DONE, LIMIT, TOKEN
from tests.test_replay import Feed, ids
from unbroken.replay import MemoryStore, Replay, SQLiteStore, UnknownAnswer
from unbroken.replay.ids import START

ANSWER = [TOKEN, TOKEN, DONE]


def within(seconds: float, call: Callable[[], Any]) -> bool:
    """Return whether a call returns in time, in a thread that is left behind if it does not."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


class Cycle:
    """Garbage that only the collector finds, and a reader in it."""

    def __init__(self, held: Any) -> None:
        self.held, self.me = held, self


def test_the_collector_may_drop_a_reader_in_a_thread_that_is_inside_the_store() -> None:
    collects = [False]

    def clock() -> float:  # the store asks for the time while it holds its lock
        if collects[0]:
            collects[0] = False
            gc.collect()
        return time.monotonic()

    def reading(reader: Any) -> Iterator[bytes]:
        with reader:
            yield from reader

    store = MemoryStore(clock=clock)
    answers, feed = Replay(store), Feed()
    answers.start("a", feed)
    feed.send(TOKEN)
    for wrapped in (lambda reader: reader, reading):
        reader = wrapped(Replay(store).follow("a"))
        next(reader)
        garbage = Cycle(reader)
        del reader, garbage
        collects[0] = True
        assert within(LIMIT, lambda: answers.status("a"))
        assert not collects[0]
    with answers.follow("a") as last:
        next(last)
    feed.send(DONE, None)
    assert within(LIMIT, lambda: answers.close())
    assert within(LIMIT, lambda: b"".join(answers.follow("a")))
    assert not answers._bells._bells  # every watch has been ended


class Slow:
    """A store that is asked in threads, one method of which takes its time before or after it did its work."""

    instant = False

    def __init__(self, store: Any, method: str, seconds: float, *, after: bool = False) -> None:
        self._store, self._method, self._seconds, self._after = store, method, seconds, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name != self._method:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            if not self._after:
                time.sleep(self._seconds)
            result = method(*args, **kwargs)
            if self._after:
                time.sleep(self._seconds)
            return result

        return call


def test_a_task_that_is_cancelled_while_the_store_writes_loses_no_record() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield TOKEN
            await asyncio.sleep(0.005)

    for after in (False, True):
        store = MemoryStore()

        async def begin(answers: Replay) -> None:
            await answers.astart("a", endless())
            await asyncio.sleep(0.12)  # the second append is under way

        asyncio.run(begin(Replay(Slow(store, "append", 0.1, after=after))))
        answers = Replay(store)
        found = ids(b"".join(answers.follow("a")))
        assert found == [f"1-{number}" for number in range(1, len(found) + 1)], after
        assert len(found) > 2
        status = answers.status("a")
        assert (status.last_id, status.is_over(status.last_id)) == (found[-1], True)
        assert status.report is not None
        assert status.report["error"]["code"] == "shutting-down"


def test_records_that_are_sent_twice_count_once_towards_what_is_kept() -> None:
    class Hiccup(MemoryStore):
        fails = 1

        def end(self, *args: Any, **kwargs: Any) -> bool:
            if self.fails:
                self.fails -= 1
                raise OSError
            return super().end(*args, **kwargs)

    whole = Replay(MemoryStore(), max_bytes=20 * len(TOKEN))
    hiccup = Replay(Hiccup(), max_bytes=20 * len(TOKEN))
    for answers in (whole, hiccup):
        answers.start("a", [*[TOKEN] * 40, DONE])
        answers.close()
    assert hiccup.status("a").last_id == whole.status("a").last_id
    assert hiccup.status("a").first_id == whole.status("a").first_id


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_process_that_was_forked_asks_the_store_in_threads_of_its_own(tmp_path: Path) -> None:
    answers = Replay(SQLiteStore(tmp_path / "a.db"))

    async def ask() -> str:
        await answers.astart("a", ANSWER)
        b"".join([frames async for frames in answers.afollow("a")])
        return (await answers.astatus("a")).state

    assert asyncio.run(ask()) == "ended"
    child = os.fork()
    if not child:
        try:
            os._exit(0 if asyncio.run(ask()) == "ended" else 1)
        except BaseException:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert asyncio.run(ask()) == "ended"


def test_an_answer_that_no_thread_can_be_started_for_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    closed: list[int] = []
    answers = Replay(MemoryStore())
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            answers.start("a", unbroken.Source(ANSWER, close=lambda: closed.append(1)))
    assert answers.figures()["running"] == 0
    assert b"shutting-down" in b"".join(answers.follow("a"))
    assert answers.status("a").verdict is unbroken.Verdict.FAILED
    assert closed == [1]
    answers.close(0)


@pytest.mark.slow  # it waits for real time
def test_readers_beside_a_producer_that_is_silent_for_longer_than_its_lease_ask_the_store() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield TOKEN
            await asyncio.sleep(0.005)

    async def begin() -> None:
        await answers.astart("a", endless())
        await asyncio.sleep(0.05)

    answers, loop = Replay(MemoryStore(), lease=0.1), asyncio.new_event_loop()
    loop.run_until_complete(begin())  # and nobody runs it from here on
    began = time.monotonic()
    assert b"producer-lost" in b"".join(answers.follow("a"))
    assert time.monotonic() - began < 2.5
    assert not answers.stop("a")
    loop.run_until_complete(answers.aclose())
    loop.close()


def test_stop_reaches_the_producer_of_this_process_whatever_the_store_does() -> None:
    class Broken(MemoryStore):
        broken = False

        def read(self, *args: Any) -> Any:
            if self.broken:
                raise OSError
            return super().read(*args)

    store, feed = Broken(), Feed()
    answers = Replay(store)
    answers.start("a", feed)
    feed.send(TOKEN)
    with answers.follow("a") as reader:
        next(reader)
        store.broken = True
        assert answers.stop("a")
        assert b"stopped" in b"".join(reader)
    feed.send(None)
    assert feed.closed.wait(LIMIT)


def test_a_reader_that_is_slower_than_the_model_ends_with_the_last_frame() -> None:
    for _ in range(3):
        answers, feed = Replay(MemoryStore()), Feed()
        answers.start("a", feed)
        feed.send(TOKEN)
        reader = answers.follow("a", heartbeat=None)
        next(reader)
        feed.send(TOKEN, DONE, None)
        answers.close()
        began = time.monotonic()
        assert ids(b"".join(reader)) == ["1-2", "1-3"]
        assert time.monotonic() - began < 0.3


@pytest.mark.slow  # it waits for real time
def test_a_start_that_is_given_up_while_the_store_opens_leaves_an_answer_that_ends() -> None:
    async def give_up(seconds: float) -> bytes:
        answers = Replay(Slow(MemoryStore(), "open", seconds))
        starting = asyncio.ensure_future(answers.astart("a", ANSWER))
        await asyncio.sleep(0.05)
        if seconds < 1:
            starting.cancel()
        with pytest.raises((asyncio.CancelledError, TimeoutError)):
            await starting
        while True:
            try:
                return b"".join([frames async for frames in answers.afollow("a")])
            except UnknownAnswer:  # the store has not opened it yet
                await asyncio.sleep(0.01)

    for seconds in (0.2, 1.1):
        began = time.monotonic()
        assert b"shutting-down" in asyncio.run(give_up(seconds))
        assert time.monotonic() - began < 4 < Replay(MemoryStore())._terms.lease


def test_a_start_that_meets_close_produces_nothing() -> None:
    class Closes(MemoryStore):
        def open(self, *args: Any, **kwargs: Any) -> bool:
            answers.close(0)
            return super().open(*args, **kwargs)

    async def begin() -> None:
        await answers.astart("a", ANSWER)

    for is_async in (False, True):
        answers = Replay(Closes())
        with pytest.raises(RuntimeError, match="after close"):
            asyncio.run(begin()) if is_async else answers.start("a", ANSWER)
        assert b"shutting-down" in b"".join(answers.follow("a"))
        assert answers.figures()["running"] == 0


@pytest.mark.slow  # it waits for real time
def test_close_returns_in_time_whatever_the_callback_of_the_end_does() -> None:
    held = threading.Event()
    answers = Replay(MemoryStore())
    answers.start("a", ANSWER, on_end=lambda report: held.wait(LIMIT))
    began = time.monotonic()
    answers.close(0.1)
    assert time.monotonic() - began < 1.5
    held.set()


@pytest.mark.slow  # it waits for real time
def test_aclose_returns_in_time_whatever_the_callback_of_the_end_does() -> None:
    held = threading.Event()

    async def never(report: object) -> None:
        await asyncio.sleep(LIMIT)

    async def begin() -> None:
        answers = Replay(MemoryStore())
        await answers.astart("a", ANSWER, on_end=never)
        answers.start("b", ANSWER, on_end=lambda report: held.wait(LIMIT))
        await answers.aclose(0.1)

    began = time.monotonic()
    asyncio.run(begin())
    assert time.monotonic() - began < 1.5
    held.set()


def test_a_loop_closes_what_is_produced_in_another_one() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield TOKEN
            await asyncio.sleep(0.005)

    answers, loop = Replay(MemoryStore()), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(answers.astart("a", endless()), loop).result(LIMIT)
    asyncio.run(answers.aclose(0.05))
    assert b"shutting-down" in b"".join(answers.follow("a"))
    loop.call_soon_threadsafe(loop.stop)
    thread.join(LIMIT)
    loop.close()


def test_a_callback_of_the_end_that_exits_ends_no_loop_and_a_thread_awaits_none() -> None:
    async def begin() -> bytes:
        def leave(report: object) -> None:
            raise SystemExit(3)

        answers = Replay(MemoryStore())
        await answers.astart("a", ANSWER, on_end=leave)
        await answers.aclose()
        return b"".join([frames async for frames in answers.afollow("a")])

    assert ids(asyncio.run(begin())) == ["1-1", "1-2", "1-3"]

    async def on_end(report: object) -> None:
        """Do nothing."""

    with pytest.raises(TypeError, match="plain function"):
        Replay(MemoryStore()).start("a", ANSWER, on_end=on_end)


class Failing(MemoryStore):
    """A store that fails while it is told to, and may lose or refuse records."""

    broken = False

    def append(self, *args: Any, **kwargs: Any) -> bool:
        self.check()
        return super().append(*args, **kwargs)

    def end(self, *args: Any, **kwargs: Any) -> bool:
        self.check()
        return super().end(*args, **kwargs)

    def read(self, *args: Any) -> Any:
        self.check()
        return super().read(*args)

    def check(self) -> None:
        if self.broken:
            raise OSError


def test_a_store_that_fails_for_a_moment_gets_what_it_has_missed_and_its_readers_wait() -> None:
    store, feed = Failing(), Feed()
    here, there = Replay(store, lease=0.9), Replay(store, lease=0.9)
    here.start("a", feed)
    feed.send(TOKEN)
    reader = here.follow("a", heartbeat=None)
    assert ids(next(reader)) == ["1-1"]
    store.broken = True
    feed.send(TOKEN)
    assert ids(next(reader)) == ["1-2"]
    store.broken = False
    back = there.follow("a", "1-2", heartbeat=None)  # beyond the log, which the producer is about to complete
    feed.send(TOKEN)
    assert ids(next(back)) == ["1-3"]
    assert there.status("a").state == "running"
    feed.send(DONE, None)
    assert (ids(b"".join(reader)), ids(b"".join(back))) == (["1-3", "1-4"], ["1-4"])
    status = there.status("a")
    assert (status.verdict, status.last_id) == (unbroken.Verdict.COMPLETE, "1-4")
    assert status.report is not None
    assert status.report["store_error"] == "OSError"


def test_a_cursor_that_the_log_never_reaches_is_told_that_the_store_failed() -> None:
    answers, feed = Replay(MemoryStore()), Feed()
    answers.start("a", feed)
    feed.send(TOKEN)
    next(answers.follow("a"))
    beyond = answers.follow("a", "1-9", heartbeat=None)
    feed.send(DONE, None)
    told = b"".join(beyond)
    assert (ids(told), b"store-failed" in told) == ([None], True)
    with pytest.raises(UnknownAnswer):
        answers.follow("a", "1-9")


def test_a_store_that_loses_records_has_failed_and_nobody_has_ended_the_answer() -> None:
    for loses_all in (False, True):
        store, feed = MemoryStore(), Feed()
        answers = Replay(store)
        reports: list[unbroken.StreamReport] = []
        answers.start("a", feed, on_end=reports.append)
        reader = answers.follow("a", heartbeat=None)
        for number in (1, 2):
            feed.send(TOKEN)
            assert ids(next(reader)) == [f"1-{number}"]
        with store._lock:
            if loses_all:
                store._answers.clear()
            else:
                answer = store._answers[":a"]
                answer.records.pop()
                answer.last = START.following()
        feed.send(TOKEN, DONE, None)
        assert ids(b"".join(reader)) == ["1-3", "1-4"]
        answers.close()
        assert [(report.verdict, report.store_error) for report in reports] == [(unbroken.Verdict.COMPLETE, "Fenced")]
        if not loses_all:  # what was lost was still here
            assert ids(b"".join(answers.follow("a"))) == ["1-1", "1-2", "1-3", "1-4"]


def test_readers_beside_a_producer_that_was_replaced_have_the_end_before_its_callback_returns() -> None:
    held, store, feed = threading.Event(), MemoryStore(), Feed()
    answers, other = Replay(store), Replay(store)
    answers.start("a", feed, on_end=lambda report: held.wait(LIMIT))
    feed.send(TOKEN)
    reader = answers.follow("a", heartbeat=None)
    next(reader)
    store._answers[":a"].lease_until = 0.0
    assert other.status("a").state == "ended"
    feed.send(TOKEN)
    assert within(2, lambda: b"".join(reader))
    held.set()
    feed.send(None)
    answers.close()


# What an upstream that is never silent costs


async def turn_by_turn(count: int, seconds: float = 0.0) -> AsyncIterator[bytes]:
    """Send a frame with every turn of the loop, each of which takes so long."""
    for _ in range(count):
        time.sleep(seconds)  # noqa: ASYNC251 - other tasks of a busy loop
        await asyncio.sleep(0)
        yield TOKEN
    yield DONE


class Counting(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.appends: list[int] = []
        self.reads = 0

    def append(self, key: str, owner: str, at: Any, records: Any, **facts: Any) -> bool:
        self.appends.append(len(records))
        return super().append(key, owner, at, records, **facts)

    def read(self, *args: Any) -> Any:
        self.reads += 1
        return super().read(*args)


def test_a_fast_upstream_is_written_in_batches_and_a_busy_loop_makes_none_wait_for_long() -> None:
    async def read(seconds: float) -> Counting:
        store = Counting()
        async with Replay(store) as answers:
            await answers.astart("a", turn_by_turn(400, seconds))
            assert len(ids(b"".join([frames async for frames in answers.afollow("a")]))) == 401
        return store

    def largest(seconds: float) -> Iterator[int]:
        for _ in range(3):  # measured again where a busy machine wakes somebody late
            store = asyncio.run(read(seconds))
            assert store.appends[0] == 1
            assert max(store.appends) <= 33
            yield max(store.appends)

    assert any(count > 16 for count in largest(0.0))
    assert any(count <= 9 for count in largest(0.002))


def test_what_a_producer_writes_makes_it_look_at_the_store_no_sooner() -> None:
    async def begin() -> tuple[int, int]:
        store = Counting()
        answers = Replay(store)
        began = time.monotonic()
        await answers.astart("a", slowly())
        await answers.aclose()
        return store.reads, int((time.monotonic() - began) / 0.5)

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield TOKEN
            await asyncio.sleep(0.01)
        yield DONE

    reads, periods = asyncio.run(begin())
    assert reads <= periods + 1
