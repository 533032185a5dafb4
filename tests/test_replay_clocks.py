"""Clocks that are set while answers run: leases go by the time since the boot, and a boot is the end of what ran."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fences import ROOT
from tests.scripted import DONE, TOKEN
from tests.test_replay import Feed, ids
from unbroken import Verdict
from unbroken.replay import Replay, SQLiteStore, clocks

HOUR, YEAR = 3600.0, 365 * 86400.0
Set = Callable[[float], None]
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system names no boot")


@pytest.fixture(name="set_clock")
def _set_clock(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Return a function that sets the time of day so many seconds forward."""
    real = time.time

    def set_clock(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + seconds)

    return set_clock


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "a.db")
    yield store
    store.close()


@on_linux
@pytest.mark.parametrize("seconds", [-YEAR, -HOUR, HOUR, YEAR], ids=["-year", "-hour", "hour", "year"])
def test_a_clock_that_is_set_ends_no_answer_that_runs(seconds: float, store: SQLiteStore, set_clock: Set) -> None:
    feed = Feed()
    here, there = Replay(store), Replay(store)
    here.start("a", feed)
    feed.send(TOKEN)
    with there.follow("a", heartbeat=None) as reader:
        assert ids(next(reader)) == ["1-1"]
        set_clock(seconds)
        there.start("b", [TOKEN, DONE])  # which lets go of what is due
        there.close()
        assert there.status("a").state == "running"
        feed.send(TOKEN)
        assert ids(next(reader)) == ["1-2"]
        feed.send(DONE, None)
        assert ids(b"".join(reader)) == ["1-3"]
    here.close()
    status = here.status("a")
    assert (status.verdict, status.ended is not None and 0 <= status.ended - status.started < 60) == (
        Verdict.COMPLETE,
        True,
    )


@on_linux
def test_a_clock_that_is_set_back_keeps_no_producer_that_is_dead(store: SQLiteStore, set_clock: Set) -> None:
    store.open(":a", "killed", lease=0.3, keep=100)
    set_clock(-HOUR)
    began = time.monotonic()
    assert b"producer-lost" in b"".join(Replay(store).follow("a", heartbeat=None))
    assert time.monotonic() - began < 2


@on_linux
def test_what_ran_before_a_boot_is_lost_and_what_had_ended_is_kept(
    store: SQLiteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.open(":a", "of the last boot", lease=HOUR, keep=YEAR)
    with Replay(store) as answers:
        answers.start("b", [TOKEN, DONE])
    boot = tmp_path / "boot"
    boot.write_text("another\n")
    monkeypatch.setattr(clocks, "_BOOT", boot)
    clocks._name_of_boot.cache_clear()
    try:
        later = Replay(store)
        assert b"producer-lost" in b"".join(later.follow("a"))
        assert ids(b"".join(later.follow("b"))) == ["1-1", "1-2"]
        status = later.status("a")
        assert status.ended is not None
        assert status.started <= status.ended
        assert not later.start("a", [TOKEN])
    finally:
        clocks._name_of_boot.cache_clear()


def test_without_the_name_of_a_boot_the_time_of_day_stands_in(
    store: SQLiteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_clock: Set
) -> None:
    monkeypatch.setattr(clocks, "_BOOT", tmp_path / "none")
    clocks._name_of_boot.cache_clear()
    try:
        with Replay(store) as answers:
            answers.start("a", [TOKEN, DONE])
        assert ids(b"".join(answers.follow("a"))) == ["1-1", "1-2"]
        store.open(":b", "killed", lease=HOUR, keep=YEAR)
        assert answers.status("b").state == "running"
        set_clock(2 * HOUR)
        assert answers.status("b").verdict is Verdict.FAILED
    finally:
        clocks._name_of_boot.cache_clear()


@on_linux
def test_the_clock_of_leases_is_the_same_in_every_process() -> None:
    ask = "from unbroken.replay.clocks import Clocks; c = Clocks(); print(c.boot, c.steady())"
    before = clocks.Clocks().steady()
    said = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    boot, steady = said.split()
    assert boot == clocks.Clocks().boot
    assert before <= float(steady) <= clocks.Clocks().steady()
