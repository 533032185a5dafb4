"""The flight recorder: the last chunks before a failure, bounded, without content, and replayed with their timing."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest

import unbroken
from unbroken.core.repairer import StreamRepairer
from unbroken.core.report import StreamReport
from unbroken.observe.recorder import MAX_FILES, FlightError, FlightRecorder, read_flight
from unbroken.testing.clock import FakeClock
from unbroken.testing.cuts import every
from unbroken.testing.replay import placeholder, replay
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
    assert sum(len(step) for step in replay(map(json.dumps, flight.lines())) if isinstance(step, bytes)) == len(whole)


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
    steps = replay(path)
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
    steps = replay(map(json.dumps, flight.lines()))
    assert [step for step in steps if isinstance(step, bytes)] == [chunk for _, chunk in SCRIPT]
    assert [step.seconds for step in steps if isinstance(step, Pause)] == [0.5, 0.5, 0.25, 1.75, 0.5]


def test_a_replay_ends_as_the_stream_did() -> None:
    timed_out, broken = FlightRecorder(), FlightRecorder()
    engine = StreamRepairer(observers=[timed_out], timeouts=unbroken.Timeouts(silence=2.0))
    engine.feed(CHUNK, 0.0)
    engine.on_deadline(2.0)
    assert replay(map(json.dumps, timed_out.lines()))[-1] == Block()
    engine = StreamRepairer(observers=[broken])
    engine.feed(CHUNK, 0.0)
    engine.fail(OSError("secret"), 1.0)
    assert isinstance(replay(map(json.dumps, broken.lines()))[-1], ConnectionResetError)


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


def test_misuse_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="chunks"):
        FlightRecorder(chunks=0)
