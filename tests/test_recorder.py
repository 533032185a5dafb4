"""The flight recorder: the last chunks before a failure, bounded, without content, and replayed with their timing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import unbroken
from unbroken.core.repairer import StreamRepairer
from unbroken.core.report import StreamReport
from unbroken.observe.recorder import MAX_FILES, FlightError, FlightRecorder, read_flight
from unbroken.testing.clock import FakeClock
from unbroken.testing.cuts import every
from unbroken.testing.flights import placeholder, script_of
from unbroken.testing.sources import Block, Pause, ScriptedSource

CHUNK = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"secret"}}]}\n\n'
ROLE = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
SCRIPT = [(0.5, b": hello\n\n"), (1.0, CHUNK), (1.25, CHUNK[:10]), (3.0, CHUNK[10:] + CHUNK[:30]), (3.5, CHUNK[30:40])]


def flown(flight: FlightRecorder, script: list[tuple[float, bytes]] = SCRIPT, end: float = 9.0) -> StreamRepairer:
    engine = StreamRepairer(observers=[flight], provider="acme")
    engine.resume(0.0)
    for at, chunk in script:
        engine.feed(chunk, at)
    engine.close(end)
    return engine


def test_a_cut_stream_leaves_lengths_times_and_classes_in_its_report() -> None:
    report = flown(FlightRecorder()).report
    assert report.flight
    head, *chunks = report.flight
    assert (head["verdict"], head["error"], head["provider"], head["duration"]) == ("truncated", "truncated", "acme", 9)
    assert [(line["at"], line["length"], line["class"]) for line in chunks] == [
        (0.5, 9, "comment"),
        (1.0, len(CHUNK), "content"),
        (1.25, 10, "part"),
        (3.0, len(CHUNK) + 20, "content"),
        (3.5, 10, "part"),
    ]
    assert report.as_dict()["flight"] == report.flight
    assert "secret" not in json.dumps(report.flight)


@pytest.mark.parametrize("whole", [[(0.1, CHUNK + DONE)], [(0.1, b"data: prose\n\n")]])
def test_a_stream_that_ends_well_leaves_no_record(whole: list[tuple[float, bytes]], tmp_path: Path) -> None:
    assert flown(FlightRecorder(folder=tmp_path), whole).report.flight is None
    assert not list(tmp_path.iterdir())


def test_the_ring_holds_the_newest_chunks_and_the_head_counts_all() -> None:
    flight = FlightRecorder(chunks=2)
    head, *chunks = flown(flight).report.flight or []
    assert head["chunks"] == 5
    assert [line["at"] for line in chunks] == [3.0, 3.5]


@pytest.mark.parametrize("account", [True, False])
def test_content_is_distinguished_with_an_account_and_without(account: bool) -> None:
    flight = FlightRecorder()
    engine = StreamRepairer(observers=[flight], account=account)
    for at, chunk in enumerate([ROLE, b": ping\n\n", CHUNK, CHUNK, CHUNK]):
        engine.feed(chunk, float(at))
    kinds = [line["class"] for line in flight.lines()[1:]]
    assert kinds == ["event", "comment", "content", "content", "content"]


def test_content_is_kept_where_asked_for_and_no_more_than_asked_for() -> None:
    flight = FlightRecorder(content=len(CHUNK) + 30)
    _, *chunks = flown(flight).report.flight or []
    kept = [chunk["data"] for chunk in read_flight(map(json.dumps, flight.lines()))[1]]
    assert kept == [b"", b"", b"", SCRIPT[3][1], SCRIPT[4][1]]
    assert [set(line) - {"data"} == set(line) for line in chunks] == [True, True, True, False, False]


@pytest.mark.parametrize("limit", [1, 9, 10, 11, 50, len(CHUNK) + 29, len(CHUNK) + 31, 10_000])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_newest_bytes_are_kept_however_they_were_cut(limit: int, size: int) -> None:
    whole = b"".join(chunk for _, chunk in SCRIPT)
    flight = FlightRecorder(content=limit, chunks=10_000)
    flown(flight, [(1.0, chunk) for piece in every(whole, size) for chunk in (piece, b"")])
    chunks = read_flight(map(json.dumps, flight.lines()))[1]
    assert b"".join(chunk["data"] or chunk["tail"] for chunk in chunks) == whole[-limit:]
    assert all(len(chunk["data"]) in (0, chunk["length"]) for chunk in chunks)
    assert sum(len(step) for step in script_of(map(json.dumps, flight.lines())) if isinstance(step, bytes)) == len(
        whole
    )


def test_large_chunks_are_not_kept_for_the_little_that_is_asked_for() -> None:
    flight = FlightRecorder(content=1000, chunks=50)
    flight.started(StreamReport())
    tracemalloc.start()
    try:
        for number in range(50):
            flight.received(StreamReport(), bytes(100_000 + number), float(number))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 50_000


def test_a_saved_record_is_read_back_and_replayed_with_its_timing(tmp_path: Path) -> None:
    flight = FlightRecorder(folder=tmp_path)
    before = flown(flight).report
    (path,) = tmp_path.iterdir()
    steps = script_of(path)
    clock = FakeClock()
    again = FlightRecorder()
    engine = StreamRepairer(observers=[again])
    engine.resume(clock())
    for chunk in ScriptedSource(steps, clock):
        engine.feed(chunk, clock())
    engine.close(9.0)
    timing = [[line[k] for k in ("at", "length", "class")] for line in (before.flight or [])[1:]]
    assert [[line[k] for k in ("at", "length", "class")] for line in again.lines()[1:]] == timing


def test_content_that_was_kept_is_replayed_as_it_was() -> None:
    flight = FlightRecorder(content=10_000)
    flown(flight)
    steps = script_of(map(json.dumps, flight.lines()))
    assert [step for step in steps if isinstance(step, bytes)] == [chunk for _, chunk in SCRIPT]
    assert [step.seconds for step in steps if isinstance(step, Pause)] == [0.5, 0.5, 0.25, 1.75, 0.5]


def test_a_replay_ends_as_the_stream_did() -> None:
    timed_out, broken = FlightRecorder(), FlightRecorder()
    engine = StreamRepairer(observers=[timed_out], timeouts=unbroken.Timeouts(silence=2.0))
    engine.feed(CHUNK, 0.0)
    engine.on_deadline(2.0)
    assert script_of(map(json.dumps, timed_out.lines()))[-1] == Block()
    engine = StreamRepairer(observers=[broken])
    engine.feed(CHUNK, 0.0)
    engine.fail(OSError("secret"), 1.0)
    assert isinstance(script_of(map(json.dumps, broken.lines()))[-1], ConnectionResetError)


@pytest.mark.parametrize("kind", ["content", "event", "comment", "part"])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 14, 15, 80, 200, 70_000])
def test_a_stand_in_has_the_length_that_it_stands_for(kind: str, length: int) -> None:
    assert len(placeholder(kind, length)) == length


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["{}"],
        ["[]"],
        ["no json"],
        ['{"flight": 2}'],
        ['{"flight": 1}', '{"at": "x", "length": 1}'],
        ['{"flight": 1}', '{"at": 1e300, "length": 1}'],
        ['{"flight": 1}', '{"at": 1, "length": -1}'],
        ['{"flight": 1}', "[" * 100_000],
        ['{"flight": 1}', '{"at": 1, "length": Infinity}'],
        ['{"flight": 1}', '{"at": 1, "length": 1e400}'],
        ['{"flight": 1}', '{"at": NaN, "length": 1}'],
        ['{"flight": 1}', '{"at": 1, "length": 1, "repairs": Infinity}'],
        ['{"flight": 1}', '{"at": 1, "length": 1, "repairs": []}'],
        ['{"flight": 1}', '{"at": 1, "length": 1, "data": 5}'],
        ['{"flight": 1}', '{"at": 1, "length": 1, "class": []}', "3"],
        ['{"flight": 1, "dialect": []}'],
        ['{"flight": 1, "verdict": {}}'],
        ['{"flight": []}'],
    ],
    ids=lambda lines: lines[-1][:30] if lines else "nothing",
)
def test_what_is_no_record_is_refused_with_one_error(lines: list[str]) -> None:
    with pytest.raises(FlightError):
        read_flight(lines)


def test_a_record_of_another_version_is_refused_as_such() -> None:
    with pytest.raises(FlightError, match=r"version '2'; this is 1"):
        read_flight(['{"flight": 2}'])
    with pytest.raises(FlightError) as caught:
        read_flight([json.dumps({"flight": "\x1b" + "x" * 10_000})])
    assert len(str(caught.value)) < 80
    assert str(caught.value).isprintable()


def test_a_folder_keeps_the_newest_records_only(tmp_path: Path) -> None:
    for age in range(MAX_FILES + 1):
        path = tmp_path / f"flight-{age}.jsonl"
        path.touch()
        os.utime(path, (age, age))
    (tmp_path / "notes.jsonl").touch()
    os.utime(tmp_path / "notes.jsonl", (0, 0))
    flown(FlightRecorder(folder=tmp_path))
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left - {"notes.jsonl"}) == MAX_FILES
    assert not left & {"flight-0.jsonl", "flight-1.jsonl"}
    assert {"notes.jsonl", "flight-2.jsonl"} <= left


def test_a_folder_that_cannot_be_written_does_not_harm_a_stream(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    flight = FlightRecorder(folder=tmp_path / "file")
    stream = unbroken.repair([CHUNK], observers=[flight], heartbeat=None, timeouts=None)
    assert b"truncated" in b"".join(stream)
    assert "FlightRecorder.ended raised" in caplog.text
    assert stream.report.flight


# Others save into the folder, or delete it, at the same time


def saved(folder: Path) -> set[Path]:
    return set(folder.glob("flight-*.jsonl"))


def test_many_threads_save_into_one_folder_and_the_limit_holds(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)

    def save() -> list[Path]:
        barrier.wait(10)
        return [FlightRecorder().save(tmp_path / "flights") for _ in range(40)]

    with ThreadPoolExecutor(8) as pool:
        paths = {path for saves in [pool.submit(save) for _ in range(8)] for path in saves.result()}
    assert len(paths) == 320
    left = set((tmp_path / "flights").iterdir())
    assert len(left) == MAX_FILES
    assert left <= paths
    assert all(read_flight(path.read_text().splitlines()) for path in left)


def test_several_processes_save_into_one_folder_and_the_limit_holds(tmp_path: Path) -> None:
    code = "import sys, unbroken\nfor _ in range(60): print(unbroken.FlightRecorder().save(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(tmp_path / "flights")]
    programs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [program.communicate(timeout=60) for program in programs]
    assert [(program.returncode, errors) for program, (_, errors) in zip(programs, outputs, strict=True)] == [
        (0, "")
    ] * 4
    paths = {Path(line) for output, _ in outputs for line in output.splitlines()}
    assert len(paths) == 240
    left = set((tmp_path / "flights").iterdir())
    assert len(left) == MAX_FILES
    assert left <= paths


def test_each_saved_record_is_one_of_the_newest(tmp_path: Path) -> None:
    paths = [FlightRecorder().save(tmp_path) for _ in range(MAX_FILES + 30)]
    assert saved(tmp_path) == set(paths[30:])


class Meddler:
    """Does something a few times before a function of `os` is called, or after `os.scandir` has listed the folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: str, act: Callable[[], object], times: int = 1) -> None:
        self.left = times
        self._act = act
        self._acting = False
        name, _, self._after = step.partition(" ")
        self._call = getattr(os, name)
        monkeypatch.setattr(os, name, self)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if self._acting or self.left <= 0:
            return self._call(*arguments, **options)
        self.left -= 1
        if not self._after:
            self._meddle()
            return self._call(*arguments, **options)
        with self._call(*arguments, **options) as entries:
            listed = list(entries)
        self._meddle()
        return contextlib.nullcontext(listed)

    def _meddle(self) -> None:
        self._acting = True
        try:
            self._act()
        finally:
            self._acting = False


STEPS = ["mkdir", "open", "replace", "scandir", "scandir after", "unlink"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("removed", ["all records", "the oldest record", "the folder", "the folder above it"])
def test_what_others_delete_at_any_step_does_no_harm(
    step: str, removed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "above" / "flights"
    folder.mkdir(parents=True)
    old = [folder / f"flight-{age:03}.jsonl" for age in range(MAX_FILES + 20)]
    for age, path in enumerate(old):
        path.touch()
        os.utime(path, (age, age))

    def remove() -> None:
        if removed.startswith("the folder"):
            shutil.rmtree(folder if removed == "the folder" else folder.parent)
        for path in saved(folder) if removed == "all records" else old[:1]:
            path.unlink(missing_ok=True)

    if step == "mkdir":  # or there is nothing to make
        shutil.rmtree(folder)
        meddler = Meddler(monkeypatch, step, lambda: shutil.rmtree(folder.parent))
    else:
        meddler = Meddler(monkeypatch, step, remove)
    FlightRecorder().save(folder)
    if not meddler.left:  # where all are gone, there is nothing to unlink any more
        monkeypatch.undo()
    path = FlightRecorder().save(folder)
    assert path in saved(folder)
    assert len(saved(folder)) <= MAX_FILES
    assert set(folder.iterdir()) == saved(folder)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("step", ["open", "replace"])
def test_a_record_is_written_again_where_its_folder_was_deleted_before_it_was_there(
    step: str, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meddler = Meddler(monkeypatch, step, lambda: shutil.rmtree(tmp_path / "flights"), times)
    path = FlightRecorder().save(tmp_path / "flights")
    assert meddler.left == 0
    assert set((tmp_path / "flights").iterdir()) == {path}


def test_a_folder_that_is_deleted_again_and_again_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Meddler(monkeypatch, "replace", lambda: shutil.rmtree(tmp_path / "flights"), times=10**6)
    with pytest.raises(FileNotFoundError):
        FlightRecorder().save(tmp_path / "flights")


def test_a_folder_that_vanishes_while_it_is_found_to_exist_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`os.makedirs` then says that there is a file of that name."""
    folder = tmp_path / "flights"
    found = iter([FileExistsError(17, "made by another, and deleted again")])
    mkdir = os.mkdir

    def make(*arguments: Any) -> None:
        for error in found:
            raise error
        mkdir(*arguments)

    monkeypatch.setattr(os, "mkdir", make)
    assert FlightRecorder().save(folder) in saved(folder)


def test_a_record_appears_when_it_is_whole_and_leaves_nothing_if_it_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        assert len(list(tmp_path.iterdir())) == 1
        assert not saved(tmp_path)
        raise OSError(28, "no space left on device")

    meddler = Meddler(monkeypatch, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        FlightRecorder().save(tmp_path)
    assert meddler.left == 0
    assert not list(tmp_path.iterdir())


def test_what_killed_savers_left_is_deleted_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    now = time.time()
    for name, age in {"flight-killed.part": 7200, "flight-writing.part": 60, "other.part": 7200}.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now - age, now - age))
    path = FlightRecorder().save(tmp_path)
    assert {it.name for it in tmp_path.iterdir()} == {"flight-writing.part", "other.part", path.name}


def test_what_is_not_ours_to_delete_stays_and_the_rest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flight-folder.jsonl").mkdir()
    paths = [FlightRecorder().save(tmp_path) for _ in range(MAX_FILES)]
    unlink = os.unlink

    def refuse(path: str) -> None:
        if Path(path) == paths[0]:
            raise PermissionError(13, "of another user, or open in a program on Windows")
        unlink(path)

    monkeypatch.setattr(os, "unlink", refuse)
    paths += [FlightRecorder().save(tmp_path) for _ in range(3)]
    assert saved(tmp_path) == {tmp_path / "flight-folder.jsonl", paths[0], *paths[3:]}
    monkeypatch.undo()
    paths.append(FlightRecorder().save(tmp_path))
    assert saved(tmp_path) == {tmp_path / "flight-folder.jsonl", *paths[4:]}


def test_a_folder_that_cannot_be_listed_takes_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError(13, "no permission to list")

    Meddler(monkeypatch, "scandir", refuse)
    assert FlightRecorder().save(tmp_path) in saved(tmp_path)


def test_misuse_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="chunks"):
        FlightRecorder(chunks=0)
