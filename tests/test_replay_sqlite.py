"""What the SQLite store promises beyond the contract of stores: its file, its locks, forks, and other processes."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scripted import LIMIT
from unbroken.replay import Ending, Fenced, Id, Replay, SQLiteStore
from unbroken.replay.connections import Connections
from unbroken.testing import FakeClock

FIRST, BEGINNING = Id(1, 1), Id(1, 0)
ENDING = Ending(verdict="complete", report="{}", ttl=60.0, remember=120.0)
FACTS: dict[str, Any] = {"first": FIRST, "lease": 9.0, "form": None}


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "answers.db"


@pytest.fixture(name="store")
def _store(path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(path)
    yield store
    store.close()


def begin(store: SQLiteStore, key: str = ":a") -> None:
    assert store.open(key, "owner", lease=9.0, keep=600.0)


def rows(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(count)


def test_the_file_is_made_at_the_first_call_where_the_path_pointed_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = SQLiteStore("answers.db")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.chdir("/")
    begin(store)
    made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert made == {"answers.db": 0o600, "answers.db-shm": 0o600, "answers.db-wal": 0o600}
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["answers.db"]
    assert store.read(":a", BEGINNING, 0) is not None, "it is opened again"
    store.close()


def test_a_path_that_others_cannot_open_is_refused() -> None:
    wrong = {"": ValueError, ":memory:": ValueError, b"x": TypeError, 5: TypeError, None: TypeError}
    for path, kind in wrong.items():
        with pytest.raises(kind, match=r"^SQLiteStore\("):
            SQLiteStore(path)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        SQLiteStore("/nowhere/answers.db").read(":a", BEGINNING, 0)


def test_it_stands_beside_the_tables_of_an_application(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE answers (id)")
    connection.close()
    store = SQLiteStore(path)
    begin(store)
    store.close()
    assert rows(path, "answers") == 0


def test_keys_and_records_are_values_whatever_they_spell(store: SQLiteStore) -> None:
    keys = ["'; DROP TABLE unbroken_answers_1; --", '"', "%", "?", ":a", "\u00e9\u200b", "x" * 2000]
    for key in keys:
        begin(store, key)
        record = b"\x00'" + key.encode()
        store.append(key, "owner", FIRST, [record], **FACTS)
    for key in keys:
        slice = store.read(key, BEGINNING, 2**16)
        assert slice is not None
        assert list(slice.records) == [b"\x00'" + key.encode()]


def test_a_call_gives_up_within_a_second_where_another_process_holds_the_lock(store: SQLiteStore, path: Path) -> None:
    begin(store)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    took: list[float] = []

    def write() -> None:
        began = time.monotonic()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            store.append(":a", "owner", FIRST, [b"x"], **FACTS)
        took.append(time.monotonic() - began)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert store.read(":a", BEGINNING, 0) is not None, "who reads does not wait"
    for thread in threads:
        thread.join()
    assert len(took) == 8
    assert max(took) < 1.5  # 0.9 on an idle machine
    other.execute("ROLLBACK")
    other.close()
    assert store.append(":a", "owner", FIRST, [b"x"], **FACTS) is False


def test_what_is_due_leaves_the_file_as_answers_are_started(path: Path) -> None:
    clock = FakeClock(1000.0)
    store = SQLiteStore(path, clock=clock)
    for number in range(10):
        begin(store, f":{number}")
        store.end(f":{number}", "owner", FIRST, [b"x"] * 3, ENDING, first=FIRST, form=None)
    clock.advance(61)
    for number in range(10, 14):
        begin(store, f":{number}")
    assert (rows(path, "unbroken_answers_1"), rows(path, "unbroken_records_1")) == (14, 0)
    slice = store.read(":1", BEGINNING, 2**16)
    assert slice is not None
    assert (slice.state.expired, slice.records) == (True, ())
    clock.advance(60)
    for number in range(14, 18):
        begin(store, f":{number}")
    assert rows(path, "unbroken_answers_1") == 8
    store.close()


def test_a_key_that_is_started_again_has_nothing_of_what_was_forgotten(path: Path) -> None:
    clock = FakeClock(1000.0)
    store = SQLiteStore(path, clock=clock)
    for number in range(9):  # more than are let go at once
        begin(store, f":{number}")
        store.append(f":{number}", "owner", FIRST, [b"old"], **FACTS)
    clock.advance(601)
    with pytest.raises(Fenced):
        store.append(":8", "owner", FIRST, [b"late"], **FACTS)
    begin(store, ":8")
    store.append(":8", "owner", FIRST, [b"new"], **FACTS)
    slice = store.read(":8", BEGINNING, 2**16)
    assert slice is not None
    assert list(slice.records) == [b"new"]
    store.close()


def test_what_is_trimmed_leaves_the_file(store: SQLiteStore, path: Path) -> None:
    begin(store)
    for number in range(0, 600, 6):
        at = Id(1, number + 1)
        facts = FACTS | {"first": Id(1, max(1, number - 10))}
        store.append(":a", "owner", at, [b"%d" % (number + more) for more in range(6)], **facts)
    assert rows(path, "unbroken_records_1") < 5
    slice = store.read(":a", Id(1, 584), 2**16)
    assert slice is not None
    assert (slice.first, slice.state.first) == (Id(1, 585), Id(1, 584))
    assert list(slice.records) == [b"%d" % number for number in range(584, 600)]


@pytest.mark.slow  # it waits for real time
def test_a_watch_sees_what_another_process_writes_and_no_more(store: SQLiteStore, path: Path) -> None:
    other = SQLiteStore(path)
    for key in (":a", ":b"):
        begin(other, key)
    woken = {key: threading.Event() for key in (":a", ":b")}
    leaves = [store.watch(key, event.set) for key, event in woken.items()]
    for event in woken.values():
        assert event.wait(LIMIT), "the first look is a hint"
        event.clear()
    other.append(":a", "owner", FIRST, [b"x"], **FACTS)
    assert woken[":a"].wait(LIMIT)
    woken[":a"].clear()
    other.ask_stop(":a")
    assert woken[":a"].wait(LIMIT)
    assert not woken[":b"].is_set()
    for leave in leaves:
        leave()
        leave()
    other.close()
    deadline = time.monotonic() + LIMIT
    while any(thread.name == "unbroken watcher" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the thread ends where nothing is watched"
        time.sleep(0.05)


FORK = """
import os, sys, threading
from unbroken.replay import Ending, Id, SQLiteStore

store, rung, ended = SQLiteStore(sys.argv[1]), threading.Event(), threading.Event()
facts = {"first": Id(1, 1), "lease": 9.0, "form": None}
store.open(":a", "parent", lease=9.0, keep=99.0)
store.watch(":a", rung.set)
busy = threading.Thread(target=lambda: [store.read(":a", Id(1, 0), 9) for _ in iter(ended.is_set, True)])
busy.start()
children = []
for number in range(1, 5):
    child = os.fork()
    if not child:
        there = threading.Event()
        store.watch(":a", there.set)
        store.append(":a", "parent", Id(1, number), [b"%d" % number], **facts)
        assert there.wait(9)
        os._exit(0 if len(store.read(":a", Id(1, 0), 999).records) == number else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert rung.wait(9)
    rung.clear()
store.append(":a", "parent", Id(1, 5), [b"5"], **facts)
ended.set()
busy.join()
store.close()
print(b"".join(SQLiteStore(sys.argv[1]).read(":a", Id(1, 0), 999).records).decode())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_takes_over_no_connection_and_both_sides_go_on(path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("12345\n", "")


@pytest.mark.slow  # it waits for real time
def test_close_ends_the_watches_of_readers_that_left(store: SQLiteStore) -> None:
    answers = Replay(store)
    store.open(":a", "elsewhere", lease=LIMIT, keep=99.0)
    reader = answers.follow("a", heartbeat=0.01)
    assert next(reader) == b":\n\n"
    reader.close()
    answers.close()
    deadline = time.monotonic() + LIMIT
    while any(thread.name == "unbroken watcher" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow  # it waits for real time
def test_close_waits_for_a_look_that_would_open_the_file_again(
    store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(store)
    store.close()
    opens, goes_on = threading.Event(), threading.Event()

    def create(connections: Connections) -> None:
        opens.set()
        goes_on.wait(LIMIT)
        _create(connections)

    _create = Connections._create
    monkeypatch.setattr(Connections, "_create", create)
    leave = store.watch(":a", lambda: None)
    assert opens.wait(LIMIT)
    leave()
    timer = threading.Timer(0.2, goes_on.set)
    timer.start()
    store.close()
    for left in path.parent.iterdir():
        left.unlink()
    timer.join()
    deadline = time.monotonic() + LIMIT
    while any(thread.name == "unbroken watcher" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert list(path.parent.iterdir()) == []


CLOSE_IN_CHILD = """
import os, signal, sys, threading
from unbroken.replay import SQLiteStore
from unbroken.replay.connections import Connections

store, opens, goes_on = SQLiteStore(sys.argv[1]), threading.Event(), threading.Event()
lent = Connections.lent
def slowly(connections, use):
    if use == "watch":
        opens.set()
        goes_on.wait(9)
    return lent(connections, use)
Connections.lent = slowly
store.watch(":a", lambda: None)
opens.wait(9)
child = os.fork()
if not child:
    signal.alarm(9)
    store.close()
    os._exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
goes_on.set()
store.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_close_behind_a_fork_waits_for_no_look_of_the_parent(path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", CLOSE_IN_CHILD, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.stderr) == ("3\n", "")
