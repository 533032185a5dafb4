"""A store that is full, or away for longer than a lease, while producers live: nobody is told that they are lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import pytest

from tests.scripted import DONE, LIMIT, TOKEN
from tests.test_replay import Feed, ids
from tests.test_replay_faults import Failing
from unbroken import StreamReport, Verdict
from unbroken.replay import Ending, Id, MemoryStore, Replay, SQLiteStore
from unbroken.replay.ids import START

LEASE = 1.2
LOST_END = Ending(verdict="failed", report="{}", ttl=60.0, remember=60.0)
LARGE = TOKEN.replace(b'"x"', b'"%s"' % (b"x" * 3000))


class Tight(SQLiteStore):
    """A store on a disk that may be full: its file has no more than so many pages, of 4 KiB."""

    pages = 10**6

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        prepare = self._connections._prepare

        def prepare_tight(connection: Connection) -> None:
            prepare(connection)
            connection.execute(f"PRAGMA max_page_count={self.pages}")

        self._connections._prepare = prepare_tight  # type: ignore[method-assign]

    def fill(self) -> None:
        """Let the file grow no more."""
        with self._connections.lent("read") as connection:
            self.pages = connection.execute("PRAGMA page_count").fetchone()[0]
        self.close()

    def free(self) -> None:
        """Let it grow."""
        self.pages = 10**6
        self.close()


@pytest.fixture(name="disk")
def _disk(tmp_path: Path) -> Iterator[Tight]:
    store = Tight(tmp_path / "a.db")
    yield store
    store.close()


def following(answers: Replay, id: str, after: str = "") -> tuple[threading.Thread, list[bytes]]:
    """Follow in a thread, and come back with the last id after each error that was told to this reader alone."""
    read: list[bytes] = []

    def work() -> None:
        at, until = after, time.monotonic() + LIMIT
        while time.monotonic() < until:
            try:
                wire = b"".join(answers.follow(id, at, heartbeat=None))
            except Exception:
                wire = b""
            read.append(wire)
            seen = ids(wire)
            at = next((it for it in reversed(seen) if it), at)
            if seen and seen[-1] is not None:
                return
            time.sleep(0.02)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, read


def numbered(*numbers: int) -> list[str]:
    return [f"1-{number}" for number in numbers]


@pytest.mark.slow  # it waits for the store to be asked again
@pytest.mark.parametrize("free_before_end", [True, False])
def test_a_full_disk_that_is_freed_gets_what_it_has_missed(free_before_end: bool, disk: Tight) -> None:
    feed, reports = Feed(), list[StreamReport]()
    here, there = Replay(disk, lease=LEASE), Replay(disk, lease=LEASE)
    here.start("a", feed, on_end=reports.append)
    feed.send(LARGE)
    reader = here.follow("a", heartbeat=None)
    assert ids(next(reader)) == ["1-1"]
    thread, read = following(there, "a")
    disk.fill()
    for number in range(2, 6):
        feed.send(LARGE)
        assert ids(next(reader)) == numbered(number), "the reader beside the producer goes on"
    time.sleep(1.5 * LEASE)
    assert there.status("a").state == "running"
    if free_before_end:
        disk.free()
    feed.send(DONE, None)
    assert ids(b"".join(reader)) == ["1-6"]
    if not free_before_end:
        time.sleep(LEASE / 2)
        disk.free()
    here.close()
    thread.join(LIMIT)
    assert [id for id in ids(b"".join(read)) if id] == numbered(*range(1, 7))
    assert b"producer-lost" not in b"".join(read)
    assert there.status("a").verdict is Verdict.COMPLETE
    assert [(report.verdict, report.store_error) for report in reports] == [(Verdict.COMPLETE, "OperationalError")]


@pytest.mark.slow  # it waits for real time
def test_a_disk_that_stays_full_gets_an_honest_end(disk: Tight) -> None:
    feed = Feed()
    here, there = Replay(disk, lease=LEASE), Replay(disk, lease=LEASE)
    here.start("a", feed)
    feed.send(TOKEN)
    reader = here.follow("a", heartbeat=None)
    next(reader)
    disk.fill()
    feed.send(LARGE, LARGE, LARGE, DONE, None)
    assert ids(b"".join(reader)) == numbered(*range(2, 6))
    here.close()
    status = there.status("a")
    assert status.verdict in (Verdict.TRUNCATED, Verdict.OPEN)
    if status.verdict is Verdict.TRUNCATED:  # a small record found its place
        assert status.report is not None
        assert status.report["store_error"] == "OperationalError"
        last = b"".join(there.follow("a", "1-4"))
        assert (ids(last), b'"code": "truncated"' in last) == (["2-0"], True)


def test_who_misses_more_than_is_kept_gets_a_log_that_says_where_it_ends() -> None:
    store, feed, reports = Failing(), Feed(), list[StreamReport]()
    here, there = Replay(store, lease=LEASE, max_bytes=4000), Replay(store, lease=LEASE)
    here.start("a", feed, on_end=reports.append)
    feed.send(TOKEN)
    reader = here.follow("a", heartbeat=None)
    next(reader)
    store.broken = True
    for number in range(2, 70):
        feed.send(TOKEN)
        assert ids(next(reader)) == numbered(number)
    store.broken = False
    thread, read = following(there, "a")
    thread.join(LIMIT)
    assert (ids(b"".join(read))[-1], b"producer-lost" in b"".join(read)) == ("2-0", False)
    assert b'"code": "truncated"' in read[-1]
    assert there.status("a").verdict is Verdict.TRUNCATED
    feed.send(DONE, None)
    assert ids(b"".join(reader)) == ["1-70"]
    here.close()
    assert [report.verdict for report in reports] == [Verdict.COMPLETE]
    assert ids(b"".join(there.follow("a", "1-60"))) == ["2-0"]


class Weighing(Failing):
    """A store that knows how much it was given at once."""

    most = 0

    def append(self, key: str, owner: str, at: Any, records: Any, *, first: Any, **facts: Any) -> bool:
        if not self.broken:
            assert not records or first <= at.following(len(records) - 1), "the newest is kept"
            self.most = max(self.most, sum(map(len, records)))
        return super().append(key, owner, at, records, first=first, **facts)

    def end(self, key: str, owner: str, at: Any, records: Any, *args: Any, **facts: Any) -> bool:
        self.most = max(self.most, sum(map(len, records)))
        return super().end(key, owner, at, records, *args, **facts)


@pytest.mark.parametrize("ends", [True, False], ids=["it has ended", "it goes on"])
def test_nearly_all_of_what_is_kept_may_be_missed_and_is_written_in_pieces(ends: bool) -> None:
    store, feed = Weighing(), Feed()
    here = Replay(store, lease=LEASE, max_bytes=2**21)
    here.start("a", feed)
    feed.send(TOKEN)
    reader = here.follow("a", heartbeat=None)
    next(reader)
    store.broken = True
    for _ in range(450):
        feed.send(LARGE)
        next(reader)
    if ends:
        feed.send(DONE, None)
        b"".join(reader)
    store.broken = False
    until = time.monotonic() + LIMIT
    while store.most < 2**19 and time.monotonic() < until:
        time.sleep(0.01)
    feed.send(DONE, None)
    b"".join(reader)
    here.close()
    assert len(ids(b"".join(here.follow("a")))) == 452
    assert store.most <= 2**20


@pytest.mark.slow  # it waits for more than a lease
@pytest.mark.parametrize("is_async", [False, True])
def test_a_store_that_is_away_for_longer_than_a_lease_makes_nobody_lost(is_async: bool) -> None:
    store = Failing()
    here, there = Replay(store, lease=LEASE), Replay(store, lease=LEASE)
    feed = Feed()

    async def chunks() -> AsyncIterator[bytes]:
        while (chunk := await asyncio.to_thread(feed.queue.get, timeout=LIMIT)) is not None:
            yield chunk

    async def produce() -> None:
        await here.astart("a", chunks)
        await here.aclose()

    producing = threading.Thread(target=lambda: asyncio.run(produce()))
    if is_async:
        producing.start()
    else:
        here.start("a", feed)
    feed.send(TOKEN)
    until = time.monotonic() + LIMIT
    while not known(there) and time.monotonic() < until:
        time.sleep(0.01)
    thread, read = following(there, "a")
    store.broken = True
    feed.send(TOKEN)
    time.sleep(1.5 * LEASE)
    store.broken = False
    feed.send(TOKEN)
    while known(there) != "1-3" and time.monotonic() < until:
        time.sleep(0.01)
    assert there.status("a").state == "running"
    feed.send(DONE, None)
    producing.join(LIMIT) if is_async else here.close()
    thread.join(LIMIT)
    wire = b"".join(read)
    assert (b"producer-lost" in wire, b"store-failed" in wire) == (False, True)
    assert [id for id in ids(wire) if id] == numbered(1, 2, 3, 4)


def known(answers: Replay) -> Any:
    try:
        return answers.status("a").last_id
    except LookupError:
        return None


@pytest.mark.slow  # it waits for more than a lease
def test_a_producer_that_is_really_lost_while_the_store_is_away_is_told_once_it_is_back() -> None:
    store = Failing()
    answers = Replay(store, lease=LEASE)
    store.open(":a", "killed", lease=LEASE, keep=100)
    reader = answers.follow("a", heartbeat=None)
    store.broken = True
    assert b"store-failed" in b"".join(reader)
    time.sleep(LEASE)
    store.broken = False
    began = time.monotonic()
    assert b"producer-lost" in b"".join(answers.follow("a", heartbeat=None))
    assert time.monotonic() - began < LEASE / 3 + 2


def test_close_waits_for_a_store_that_is_away_no_longer_than_it_was_told() -> None:
    store, feed = Failing(), Feed()
    answers = Replay(store, lease=60)
    answers.start("a", feed)
    feed.send(TOKEN)
    reader = answers.follow("a", heartbeat=None)
    next(reader)
    store.broken = True
    feed.send(DONE, None)
    assert ids(b"".join(reader)) == ["1-2"]
    assert ids(b"".join(answers.follow("a", "1-1"))) == ["1-2"], "late readers of this process have the end too"
    began = time.monotonic()
    answers.close(0.1)
    assert time.monotonic() - began < 2
    assert answers.figures()["running"] == 0


def test_an_answer_that_is_stopped_while_the_store_is_away_is_told_to_be_once_it_is_back() -> None:
    store, feed = Failing(), Feed()
    here, there = Replay(store, lease=LEASE), Replay(store, lease=LEASE)
    here.start("a", feed)
    feed.send(TOKEN)
    reader = here.follow("a", heartbeat=None)
    next(reader)
    store.broken = True
    feed.send(TOKEN)
    assert ids(next(reader)) == ["1-2"]
    assert here.stop("a")
    assert ids(b"".join(reader)) == ["1-3"]
    store.broken = False
    here.close()
    assert ids(b"".join(there.follow("a"))) == numbered(1, 2, 3)
    assert there.status("a").verdict is Verdict.CANCELLED
    feed.send(None)


class Unwritable(MemoryStore):
    """A store that takes nothing from producers while it is told to; others read it, and may end answers."""

    broken = False

    def append(self, *args: Any, **kwargs: Any) -> bool:
        if self.broken:
            raise OSError
        return super().append(*args, **kwargs)

    def end(self, key: str, owner: str, at: Id, *args: Any, **kwargs: Any) -> bool:
        if self.broken and at.epoch == START.epoch:
            raise OSError
        return super().end(key, owner, at, *args, **kwargs)


@pytest.mark.slow  # it waits for real time
@pytest.mark.parametrize("is_back", [True, False], ids=["the store is back", "it is not"])
def test_an_answer_that_is_stopped_elsewhere_while_its_producer_cannot_write_ends_here_too(is_back: bool) -> None:
    store, feed, reports = Unwritable(), Feed(), list[StreamReport]()
    here, there = Replay(store), Replay(store)
    here.start("a", feed, on_end=reports.append)
    feed.send(TOKEN)
    reader = here.follow("a", heartbeat=None)
    next(reader)
    store.broken = True
    feed.send(TOKEN)
    assert ids(next(reader)) == ["1-2"]
    assert there.stop("a")
    store.broken = not is_back
    assert b'"code": "stopped"' in b"".join(reader)
    feed.send(TOKEN)
    assert feed.closed.wait(2.5), "upstream is closed"
    here.close()
    assert [(report.verdict, report.store_error) for report in reports] == [(Verdict.CANCELLED, "OSError")]
    assert there.status("a").verdict is Verdict.CANCELLED
    assert (here.ends(), there.ends()) == ({}, {("cancelled", "stopped"): 1})


@pytest.mark.slow  # it waits for real time
def test_an_end_is_counted_by_who_wrote_it_alone() -> None:
    store, feed = Failing(), Feed()
    here, there = Replay(store, lease=LEASE), Replay(store, lease=LEASE)
    here.start("a", feed)
    feed.send(TOKEN)
    reader = here.follow("a", heartbeat=None)
    next(reader)
    store.broken = True
    feed.send(TOKEN)
    next(reader)
    time.sleep(LEASE + 0.1)
    assert MemoryStore.read(store, ":a", START, 0).state.lease_left <= 0  # type: ignore[union-attr]
    MemoryStore.end(store, ":a", "other", START.outside, [b"data: lost\n\n"], LOST_END, first=Id(1, 1), form=None)
    store.broken = False
    feed.send(TOKEN, DONE, None)
    assert ids(b"".join(reader)) == ["1-3", "1-4"], "the reader beside the producer goes on"
    here.close()
    assert there.status("a").verdict is Verdict.FAILED
    assert here.ends() == {}


def test_an_end_whose_reply_was_lost_is_counted_by_its_producer() -> None:
    class Mute(MemoryStore):
        def end(self, *args: Any, **kwargs: Any) -> bool:
            super().end(*args, **kwargs)
            raise OSError

    answers = Replay(Mute(), lease=LEASE)
    answers.start("a", [TOKEN, DONE])
    answers.close()
    assert answers.ends() == {("complete", ""): 1}


class Way:
    """The way of one process to a store, which may be cut while others have theirs."""

    instant, cut = False, False

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.cut:
                raise OSError
            return getattr(self._store, name)(*args, **kwargs)

        return call


def test_an_end_that_the_store_never_took_is_left_to_be_counted_by_who_writes_one() -> None:
    store, feed = MemoryStore(), Feed()
    way = Way(store)
    here, there = Replay(way, lease=LEASE / 2), Replay(store, lease=LEASE / 2)
    here.start("a", feed)
    way.cut = True
    feed.send(TOKEN, DONE, None)
    here.close()
    assert b"producer-lost" in b"".join(there.follow("a"))
    assert (here.ends(), there.ends()) == ({}, {("failed", "producer-lost"): 1})
