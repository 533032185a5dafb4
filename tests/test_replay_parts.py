"""The parts of replay that have no I/O: ids, records, batches, trimming, windows, cursors; `now` in, decisions out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cuts_of_replay import blocks_of
from unbroken.core.repairer import StreamRepairer
from unbroken.replay.batching import MOST, PAUSE, Batch, Trimming
from unbroken.replay.cursor import LOST, POLL, TOO_OLD, Cursor, Gap, due_end, is_beyond, is_trimmed
from unbroken.replay.ids import START, Id, InvalidId, parse
from unbroken.replay.records import MAX_LEAD, Recorder, with_id
from unbroken.replay.store import MOST_RECORDS, Slice, State, fit
from unbroken.replay.window import Window
from unbroken.testing.strategies import any_streams

DATA = b"data: x\n\n"


def state(last: Id, first: int = 1, *, lease: float = 5.0, age: float = 1.0, verdict: str | None = None) -> State:
    return State(last, Id(1, first), lease, age, 1000.0, None if verdict is None else 1001.0, verdict)


# Ids


def test_an_id_is_read_as_it_is_written() -> None:
    for id in (Id(1, 0), Id(1, 1), Id(2, 0), Id(999_999_999, 10**18 - 1)):
        assert parse(str(id)) == id
    assert parse("") == START < Id(1, 1) < Id(1, 10) < Id(2, 0)
    assert Id(1, 7).outside == Id(2, 0)
    assert Id(1, 7).following(3) == Id(1, 10)


@pytest.mark.parametrize(
    "after", ["0", "1", "-1", "1-", "0-1", "01-1", "1-01", "1-1 ", "1-1\n", " 1-1", "+1-1", "1-1-1", "1_0-1",
              "\u0661-1", "9" * 10 + "-1", "1-" + "9" * 19, "1.0-1"]
)  # fmt: skip
def test_what_is_no_id_of_ours_is_refused(after: str) -> None:
    with pytest.raises(InvalidId, match="is no id that this library wrote"):
        parse(after)


def test_an_id_is_a_string() -> None:
    for after in (None, 1, b"1-1"):
        with pytest.raises(TypeError):
            parse(after)  # type: ignore[arg-type]


# Records

RECORDS = {
    "one line": ([DATA], [b"id: 1-1\ndata: x\n\n"]),
    "a name": ([b"event: a\ndata: x\n\n"], [b"id: 1-1\nevent: a\ndata: x\n\n"]),
    "several in one piece": ([DATA * 3], [b"id: 1-%d\ndata: x\n\n" % number for number in (1, 2, 3)]),
    "upstream's id": ([b"id: 9\ndata: x\n\n", b"data: y\nid: 9\n\n", b"data: z\nid\n\n"],
                      [b"id: 1-1\ndata: x\n\n", b"id: 1-2\ndata: y\n\n", b"id: 1-3\ndata: z\n\n"]),
    "a field that begins like one": ([b"data: x\nidx: 1\n\n"], [b"id: 1-1\ndata: x\nidx: 1\n\n"]),
    "comments": ([b": a\n", b"\n", b": b\n\n", DATA], [b": a\n: b\nid: 1-1\ndata: x\n\n"]),
    "comments in a block": ([b": a\ndata: x\n: b\n\n"], [b"id: 1-1\n: a\ndata: x\n: b\n\n"]),
    "no data": ([b"event: a\n\n", b"id: 4\n\n", b"retry: 10\n\n", b"other: x\n\n", DATA],
                [b"retry: 10\nid: 1-1\ndata: x\n\n"]),
    "a name without data between two": ([DATA + b"event: a\n\n" + DATA],
                                        [b"id: 1-1\ndata: x\n\n", b"id: 1-2\ndata: x\n\n"]),
    "two names, one without data": ([b"event: a\n\nevent: b\ndata: x\ndata: y\n\n"],
                                    [b"id: 1-1\nevent: b\ndata: x\ndata: y\n\n"]),
    "no data at all": ([b"data\n\n"], [b"id: 1-1\ndata\n\n"]),
    "a blank line in front": ([b"\ndata: x\n\n"], [b"id: 1-1\ndata: x\n\n"]),
    "a name and what only begins like data": (
        [b"event: a\ndata: x\n\n", b"event: b\ndatadata: x\n\n", b"event: c\ndata: x\n\n"],
        [b"id: 1-1\nevent: a\ndata: x\n\n", b"id: 1-2\nevent: c\ndata: x\n\n"],
    ),
    "nothing": ([b"", b"\n", b"\n\n"], []),
    "a comment at the end": ([DATA, b": a\n"], [b"id: 1-1\ndata: x\n\n"]),
}  # fmt: skip


@pytest.mark.parametrize("case", RECORDS)
def test_each_event_is_one_record_with_an_id_of_ours(case: str) -> None:
    frames, records = RECORDS[case]
    assert Recorder(START).add(frames) == records
    one_by_one = Recorder(START)
    assert [record for frame in frames for record in one_by_one.add([frame])] == records
    assert one_by_one.last == START.following(len(records))


def test_what_waits_for_an_event_is_bounded() -> None:
    recorder = Recorder(START)
    assert not recorder.add([b": " + b"x" * 1000 + b"\n"] * 1000)
    (record,) = recorder.add([DATA])
    assert len(record) < MAX_LEAD + 2000
    assert record.endswith(b"id: 1-1\ndata: x\n\n")


@given(any_streams(), st.booleans())
def test_records_hold_the_events_of_any_stream_and_no_other_ids(stream: object, repairs: bool) -> None:
    """A reader by the standard finds in the records what it finds in the frames, with dense ids."""
    engine = StreamRepairer(to="sse", **({} if repairs else {"repairs": ()}))
    wire = bytes(stream)  # type: ignore[call-overload]
    frames = [*engine.feed(wire, 0.0), *engine.close(0.0)]
    recorder = Recorder(START)
    records = recorder.add(frames)
    before, after = blocks_of(b"".join(frames)), blocks_of(b"".join(records))
    assert [event[:2] for event in after] == [event[:2] for event in before]
    assert [event[2] for event in after] == [str(Id(1, number + 1)) for number in range(len(records))]
    assert all(record.count(b"\n\n") == 1 and record.endswith(b"\n\n") for record in records)


# Batches and trimming


def test_the_first_record_and_one_after_a_pause_are_written_at_once_and_others_wait() -> None:
    batch = Batch()
    assert not batch.is_due(5.0)
    batch.add([b"a"], 10.0)
    assert batch.is_due(10.0)
    assert batch.take(10.0) == [b"a"]
    batch.add([b"b"], 10.001)
    assert (batch.is_due(10.001), batch.due) == (False, 10.0 + PAUSE)
    batch.add([b"c"], 10.01)
    assert batch.take(10.0 + PAUSE) == [b"b", b"c"]
    batch.add([b"d"], 10.0 + 2 * PAUSE)
    assert batch.is_due(10.0 + 2 * PAUSE)
    batch.take(10.0 + 2 * PAUSE)
    batch.add([b"e"] * MOST, 10.0 + 2 * PAUSE + 0.001)
    assert batch.is_due(10.0 + 2 * PAUSE + 0.001)
    batch.take(10.05)
    batch.add([], 11.0)
    assert batch.due is None


@given(st.lists(st.lists(st.integers(1, 60), max_size=4), max_size=30), st.integers(1, 150))
def test_what_is_kept_fits_and_is_never_without_the_newest(batches: list[list[int]], limit: int) -> None:
    trimming, sizes = Trimming(limit, 1), []
    for batch in batches:
        sizes += batch
        kept = sizes[trimming.add([b"x" * size for size in batch]) - 1 :]
        assert sum(kept) <= limit or len(kept) == 1
        dropped = sizes[: trimming.first - 1]
        assert not dropped or not sizes or sum(kept) + dropped[-1] > limit


def test_trimming_forgets_what_it_counted() -> None:
    trimming = Trimming(10, 1)
    for _ in range(20_000):
        trimming.add([b"x" * 10])
    assert trimming.first == 20_000
    assert len(trimming._sizes) < 10_000


def test_a_read_returns_what_fits_and_one_record_at_least() -> None:
    assert fit([b"xx", b"xx", b"xx"], 5) == [b"xx", b"xx"]
    assert fit([b"xx", b"xx"], 1) == [b"xx"]
    assert fit([], 1) == []
    assert len(fit([b""] * 2000, 5)) == MOST_RECORDS


# Windows


@given(st.lists(st.lists(st.binary(min_size=1, max_size=9), max_size=5), max_size=20), st.integers(10, 60))
def test_a_window_has_the_newest_records_or_says_that_it_has_not(batches: list[list[bytes]], room: int) -> None:
    window, log = Window(START, room), []
    for batch in batches:
        window.add(batch)
        log += batch
        assert window.last == START.following(len(log))
        for seq in range(len(log) + 2):
            found = window.after(Id(1, seq), 10**6)
            assert found is None or list(found) == log[seq:]
            assert window.all_after(Id(1, seq)) in (None, log[seq:])
        assert window.after(window.last, 1) == []
        assert window.after(window.last.following(), 1) is None
        if log:
            assert window.after(Id(1, len(log) - 1), 10**6) == log[-1:]
    assert window.after(Id(2, 0), 1) is None


# Cursors


def test_a_cursor_moves_over_what_follows_and_tells_a_gap() -> None:
    cursor = Cursor(START)
    running = state(Id(1, 3))
    assert cursor.take(Slice(running, [b"a", b"b"], Id(1, 1), Id(1, 2))) == [b"a", b"b"]
    assert (cursor.at, cursor.over) == (Id(1, 2), False)
    assert cursor.take(Slice(running)) == ()
    with pytest.raises(Gap) as gap:
        cursor.take(Slice(state(Id(1, 9), 5), [b"e"], Id(1, 5), Id(1, 5)))
    assert gap.value.first == Id(1, 5)
    assert cursor.at == Id(1, 2)


def test_an_end_from_outside_follows_every_cursor_of_its_producer() -> None:
    lost = state(Id(2, 0), verdict="failed")
    for seq in (0, 3, 80):  # the last one saw what the store has lost
        cursor = Cursor(Id(1, seq))
        assert cursor.take(Slice(lost, [b"end"], Id(2, 0), Id(2, 0))) == [b"end"]
        assert cursor.over
    with pytest.raises(Gap):
        Cursor(Id(1, 2)).take(Slice(state(Id(2, 0), 5, verdict="failed"), [b"end"], Id(2, 0), Id(2, 0)))


def test_a_cursor_is_over_with_the_end_alone() -> None:
    cursor = Cursor(Id(1, 2))
    cursor.take(Slice(state(Id(1, 3), verdict="complete")))
    assert not cursor.over
    cursor.take(Slice(state(Id(1, 3), verdict="complete"), [b"c"], Id(1, 3), Id(1, 3)))
    assert cursor.over
    nothing = Cursor(START)
    nothing.take(Slice(state(START, verdict="ended")))
    assert nothing.over


def test_who_is_due_is_told_by_lease_and_age() -> None:
    for left, age, verdict, due in [
        (1.0, 5.0, None, None), (0.0, 5.0, None, LOST), (-9.0, 5.0, None, LOST), (1.0, 10.0, None, TOO_OLD),
        (-1.0, 99.0, "complete", None),
    ]:  # fmt: skip
        assert due_end(state(START, lease=left, age=age, verdict=verdict), 10.0) is due
    cursor = Cursor(START)
    assert cursor.until_due(state(START, lease=0.25), 10.0) == 0.25
    assert cursor.until_due(state(START, age=9.75), 10.0) == 0.25
    assert cursor.until_due(state(START, lease=-1.0), 10.0) == POLL  # nobody may say so yet, or somebody would have
    assert cursor.until_due(state(START), 10.0) == POLL


def test_what_is_beyond_or_trimmed_is_told_apart() -> None:
    now = state(Id(1, 9), 5)
    assert [is_trimmed(Id(1, seq), now) for seq in (0, 3, 4, 9)] == [True, True, False, False]
    assert [is_beyond(id, now) for id in (START, Id(1, 9), Id(1, 10), Id(2, 0))] == [False, False, True, True]
    assert not is_beyond(START, state(START))
    assert with_id(DATA, Id(2, 0)) == b"id: 2-0\ndata: x\n\n"
