"""The synchronous streams: waiting, heartbeats, clocks, priming and every way to end."""

import contextlib
import contextvars
import gc
import inspect
import itertools
import logging
import math
import pathlib
import random
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import unbroken
from tests.scripted import DONE, LIMIT, TOKEN, Clock, Script, ScriptedReader, Threads, Upstream
from tests.test_heartbeat import HUGE
from unbroken import (
    Event,
    EventStream,
    Observer,
    Repair,
    RepairedStream,
    Source,
    StreamError,
    StreamRepairer,
    StreamReport,
    Timeouts,
    Verdict,
    aiter_events,
    iter_events,
    repair,
)
from unbroken.adapters.reader import GRACE, MAX_BYTES, MAX_CHUNKS
from unbroken.core.engine import EventEngine


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()
    Threads().join()


def off(**limits: float) -> Timeouts:
    return Timeouts(**({"first": None, "idle": None, "silence": None, "total": None} | limits))


def repaired(script: Script, *, end: float | None = None, **options: Any) -> tuple[RepairedStream, Clock]:
    """Return a stream on scripted time; the adapter, the core and the scheduler are the real ones."""
    reader = ScriptedReader(Clock(), script, end=end)
    return read_by(reader, **options), reader.clock


def read_by(reader: ScriptedReader, **options: Any) -> RepairedStream:
    engine = StreamRepairer(**{"heartbeat": None, "timeouts": None} | options)
    return RepairedStream(engine, Source([]), threaded=True, reader=reader, clock=reader.clock)


def events(script: Script, *, end: float | None = None, **options: Any) -> tuple[EventStream, Clock]:
    clock = Clock()
    reader = ScriptedReader(clock, script, end=end)
    stream = EventStream(EventEngine(**options), Source([]), threaded=True, reader=reader, clock=clock)
    return stream, clock


def timeline(stream: RepairedStream, clock: Clock) -> list[tuple[float, bytes]]:
    """List what is written, and when."""
    start = clock.now
    return [(clock.now - start, item) for item in stream]


def cuttings(body: bytes) -> dict[str, list[bytes]]:
    rng = random.Random(5)
    points = sorted(rng.sample(range(len(body)), 9))
    return {
        "whole": [body],
        "bytewise": [body[i : i + 1] for i in range(len(body))],
        "at random": [body[a:b] for a, b in zip([0, *points], [*points, len(body)], strict=True)],
    }


BODY = b": hello\n\n" + 3 * TOKEN + b'data: {"a":1}\ndata: {"b":2}\n\n' + DONE


# What comes out


@pytest.mark.parametrize("options", [{}, {"heartbeat": None, "timeouts": None}], ids=["thread", "no thread"])
@pytest.mark.parametrize("cutting", ["whole", "bytewise", "at random"])
def test_the_bytes_are_those_of_the_core_however_they_are_read(cutting, options):
    core = StreamRepairer()
    whole = b"".join([*core.feed(BODY, 0.0), *core.close(0.0)])
    stream = repair(cuttings(BODY)[cutting], **options)
    assert b"".join(stream) == whole
    assert stream.report.verdict is Verdict.COMPLETE
    assert stream.report.bytes_in == len(BODY)
    assert stream.report.bytes_out == len(whole)


@pytest.mark.parametrize("options", [{}, {"timeouts": None}], ids=["thread", "no thread"])
@pytest.mark.parametrize("cutting", ["whole", "bytewise", "at random"])
def test_the_events_are_those_of_the_core_however_they_are_read(cutting, options):
    core = EventEngine()
    whole = [*core.feed(BODY, 0.0), *core.close(0.0)]
    assert list(iter_events(cuttings(BODY)[cutting], **options)) == whole


def test_what_one_chunk_completes_is_one_item():
    chunks = [b"data: 1\n\ndata: 2", b"\n\ndata: 3\n\n"]
    stream = repair(chunks, heartbeat=None, timeouts=None)
    assert list(stream) == [b"data: 1\n\n", b"data: 2\n\ndata: 3\n\n"]


def test_what_came_while_the_consumer_was_away_is_one_item_and_counted_chunk_by_chunk():
    upstream = Upstream(*[b"data: 1\n\n"] * MAX_CHUNKS, DONE, *[b": late\n\n"] * MAX_CHUNKS, blocks=False)
    with repair(upstream, dialect="openai-chat") as stream:
        items = [next(stream)]
        settled(upstream)
        items += stream
    assert b"".join(items) == b"data: 1\n\n" * MAX_CHUNKS + DONE
    assert len(items) <= 3
    assert stream.report.chunks_in == MAX_CHUNKS + 1


def test_the_report_has_the_longest_time_for_which_the_consumer_asked_for_nothing():
    stream, clock = repaired([(0.0, b"data: 1\n\n"), (40.0, b"data: 2\n\n"), (41.0, b"data: 3\n\n")], end=1e6)
    next(stream)
    next(stream)
    assert stream.report.longest_pause == 0.0  # upstream took that time
    clock.now += 7.0
    next(stream)
    assert stream.report.longest_pause == 7.0
    clock.now += 30.0
    stream.close()
    assert (stream.report.longest_pause, stream.report.verdict) == (30.0, Verdict.CANCELLED)


def test_a_stream_that_was_never_read_or_that_nobody_times_has_no_pause():
    unread, clock = repaired([])
    clock.now += 9.0
    unread.close()
    untimed = repair([b"data: 1\n\n", b"data: 2\n\n"], heartbeat=None, timeouts=None)
    next(untimed)
    untimed.close()
    assert (unread.report.longest_pause, untimed.report.longest_pause) == (0.0, 0.0)


def test_what_came_while_the_consumer_was_away_is_no_item_of_any_size():
    frame = b": " + b"x" * 2**15 + b"\n\n"
    with repair(Upstream(*[frame] * 10, blocks=False)) as stream:
        assert b"".join(items := list(stream)) == frame * 10
    assert max(map(len, items)) <= 3 * len(frame)


def test_events_come_one_by_one():
    stream = iter_events([b"data: 1\n\ndata: 2\n\n"])
    assert next(stream) == Event("1")
    assert next(stream) == Event("2")
    with pytest.raises(StopIteration):
        next(stream)


def test_an_item_leaves_before_the_next_chunk_is_there():
    upstream = Upstream(b"data: 1\n\n")
    with repair(upstream, abort=upstream.abort) as stream:
        assert next(stream) == b"data: 1\n\n"
        assert upstream.blocked.wait(LIMIT)
        assert not upstream.go_on.is_set()


def test_a_chunk_that_its_producer_uses_again_is_copied():
    def chunks() -> Iterator[bytearray]:
        buffer = bytearray()
        for text in (b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"):
            buffer[:] = text
            yield buffer
        buffer[:] = b"garbage"

    for options in ({}, {"heartbeat": None, "timeouts": None}):
        assert b"".join(repair(chunks(), **options)) == b"data: 1\n\ndata: 2\n\ndata: 3\n\n"


def test_every_kind_of_buffer_and_the_empty_chunk_are_chunks():
    chunks = [memoryview(b"data: 1"), b"", bytearray(b"\n"), memoryview(b"xx\nx")[2:3]]
    assert b"".join(repair(chunks)) == b"data: 1\n\n"


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
        script.append((at, TOKEN[:cut]))
        script.append((at, TOKEN[cut:]))
    stream, clock = repaired(script, end=at + end * heartbeat, heartbeat=heartbeat)
    start, written = clock.now, [0.0]
    for item in stream:
        written.append(clock.now - start)
        assert item.endswith(b"\n\n")
    written.append(clock.now - start)
    assert max(b - a for a, b in itertools.pairwise(written)) <= heartbeat
    assert stream.report.heartbeats <= (at / heartbeat + end) / 0.9


def test_a_heartbeat_comes_before_the_first_byte_of_upstream():
    stream, clock = repaired([(12.0, b"data: 1\n\n")], heartbeat=5.0)
    written = timeline(stream, clock)
    assert [item for _, item in written] == [b":\n\n", b":\n\n", b"data: 1\n\n"]
    assert written[0][0] <= 5.0


def test_a_heartbeat_comes_while_one_event_trickles_in():
    trickle = [(at, b"x") for at in range(1, 20)]
    stream, clock = repaired([(0.0, b"data: "), *trickle, (20.0, b"\n\n")], heartbeat=5.0)
    written = timeline(stream, clock)
    assert [item for _, item in written] == [b":\n\n"] * 4 + [b"data: " + b"x" * 19 + b"\n\n"]


def test_a_heartbeat_comes_even_where_chunks_never_let_the_stream_wait():
    class Flood(ScriptedReader):
        def take(self, timeout: float = 0) -> Any:
            self.clock.now += 1.0  # reading and parsing takes its time
            return super().take(timeout)

        def take_more(self) -> Any:
            self.clock.now += 1.0
            return super().take_more()

    clock = Clock()
    reader = Flood(clock, [(0.0, b"data: "), *[(0.0, b"x")] * 20, (0.0, b"\n\n")])
    stream = RepairedStream(StreamRepairer(heartbeat=5.0), Source([]), threaded=True, reader=reader, clock=clock)
    assert list(stream)[:4] == [b":\n\n"] * 4


def test_a_heartbeat_stands_between_whole_events_only():
    stream, clock = repaired([(0.0, b"data: 1\n\ndata: {"), (7.0, b"}\n\n")], heartbeat=5.0)
    assert b"".join(item for _, item in timeline(stream, clock)) == b"data: 1\n\n:\n\ndata: {}\n\n"


def test_no_heartbeat_comes_from_a_busy_stream():
    stream, clock = repaired([(at / 2, b"data: 1\n\n") for at in range(1, 200)], heartbeat=5.0)
    timeline(stream, clock)
    assert stream.report.heartbeats == 0


def test_the_callers_own_heartbeat_bytes_are_written():
    stream, clock = repaired([(6.0, b"data: 1\n\n")], heartbeat=5.0, heartbeat_bytes=b": still here\n\n")
    assert timeline(stream, clock)[0][1] == b": still here\n\n"


def test_after_a_slow_consumer_a_heartbeat_is_due_at_once():
    stream, clock = repaired([(0.0, b"data: 1\n\n"), (60.0, b"data: 2\n\n")], heartbeat=5.0)
    assert next(stream) == b"data: 1\n\n"
    clock.now += 20.0
    before = clock.now
    assert next(stream) == b":\n\n"
    assert clock.now == before


def test_to_a_slow_consumer_waiting_data_goes_before_a_heartbeat():
    stream, clock = repaired([(0.0, b"data: 1\n\n"), (1.0, b"data: 2\n\n")], heartbeat=5.0)
    next(stream)
    clock.now += 20.0
    assert list(stream) == [b"data: 2\n\n"]


# Timeouts

STALLS = {
    "silence": ([(0.0, b"data: x\n\n")], off(silence=8.0), 8.0),
    "silence, not a byte": ([], off(silence=8.0), 8.0),
    "total": ([(at, b"data: x\n\n") for at in range(100)], off(total=8.0, silence=60.0), 8.0),
    "idle": ([(0.0, TOKEN), (1.0, TOKEN), (2.0, b": ping\n\n"), (8.0, b": ping\n\n")], off(idle=8.0), 9.0),
}


@pytest.mark.parametrize("name", STALLS)
def test_a_clock_that_runs_out_ends_the_stream_with_one_frame_that_comes_last(name):
    script, timeouts, at = STALLS[name]
    stream, clock = repaired(script, end=1e6, timeouts=timeouts)
    written = timeline(stream, clock)
    clock_name = name.partition(",")[0]
    assert at - 0.5 <= written[-1][0] <= at
    assert f"{clock_name}-timeout".encode() in written[-1][1]
    assert sum(b"-timeout" in item for _, item in written) == 1
    assert stream.report.verdict is Verdict.FAILED
    assert stream.report.timeout == clock_name
    assert stream.report.error.code == f"{clock_name}-timeout"
    assert stream.report.error.status_hint == 504


def test_the_first_content_has_a_clock_of_its_own():
    role = b'data: {"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
    stream, clock = repaired([(0.0, role)], end=1e6, timeouts=off(first=8.0, idle=2.0))
    assert b"first-timeout" in timeline(stream, clock)[-1][1]


def test_heartbeats_do_not_feed_the_clocks():
    stream, clock = repaired([(0.0, b"data: x\n\n")], end=1e6, heartbeat=5.0, timeouts=off(silence=60.0))
    written = timeline(stream, clock)
    assert 59.0 <= written[-1][0] <= 60.0
    assert stream.report.heartbeats >= 12


def test_the_clocks_stand_still_while_the_consumer_is_slow():
    script = [(0.0, TOKEN), (1.0, TOKEN), (7.0, TOKEN)]
    stream, clock = repaired(script, end=8.0, timeouts=off(idle=8.0, silence=8.0, total=16.0))
    written = b""
    for item in stream:
        written += item
        clock.now += 1000.0
    assert written.count(TOKEN) == 3
    assert stream.report.timeout is None
    assert stream.report.error.code == "truncated"


def test_a_stalled_upstream_is_released_before_the_error_frame_is_written():
    reader = ScriptedReader(Clock(), [], end=1e6)
    stream = read_by(reader, timeouts=off(silence=8.0))
    assert b"silence-timeout" in next(stream)
    assert reader.stops == [0]


def test_an_event_stream_raises_the_timeout_after_its_last_event_and_once():
    stream, _ = events([(0.0, TOKEN)], end=1e6, timeouts=off(silence=8.0))
    assert next(stream).json()["id"] == "a"
    with pytest.raises(StreamError) as raised:
        next(stream)
    assert raised.value.code == "silence-timeout"
    assert list(stream) == []


# Priming


def test_prime_gives_true_and_the_stream_whole():
    stream, _ = repaired([(1.0, b": hello\n\n"), (2.0, b"data: 1\n\n"), (3.0, b"data: 2\n\n")], heartbeat=5.0)
    assert stream.prime()
    assert stream.prime(0)
    assert list(stream) == [b": hello\n\n", b"data: 1\n\n", b"data: 2\n\n"]


def test_prime_waits_for_an_event_and_not_for_a_comment():
    stream, clock = repaired([(1.0, b": hello\n\n"), (9.0, b"data: 1\n\n")])
    start = clock.now
    assert stream.prime()
    assert clock.now == start + 9.0


def test_prime_gives_false_on_timeout_and_the_stream_stays_usable():
    stream, clock = repaired([(1.0, b": hello\n\n"), (9.0, b"data: 1\n\n")])
    start = clock.now
    assert not stream.prime(timeout=4.0)
    assert clock.now == start + 4.0
    assert list(stream) == [b": hello\n\n", b"data: 1\n\n"]


@pytest.mark.parametrize("timeouts", [off(silence=8.0), off(total=8.0)], ids=["silence", "total"])
def test_the_clocks_count_the_waits_of_a_prime_that_is_asked_again_and_again(timeouts):
    stream, clock = repaired([(0.0, b": hello\n\n")], end=1e6, timeouts=timeouts)
    start = clock.now
    with pytest.raises(StreamError, match="-timeout"):
        while not stream.prime(timeout=0.5):
            assert clock.now < start + 60.0
    assert clock.now - start <= 8.0


def test_no_heartbeat_is_written_while_priming_and_one_at_once_afterwards():
    stream, clock = repaired([(30.0, b"data: 1\n\n")], heartbeat=5.0)
    assert not stream.prime(timeout=20.0)
    assert stream.report.heartbeats == 0
    before = clock.now
    assert next(stream) == b":\n\n"
    assert clock.now == before


def test_prime_gives_up_holding_comments_back_after_a_megabyte():
    comment = b": " + b"x" * 65534 + b"\n\n"
    stream, _ = repaired([(0.0, comment)] * 40)
    assert stream.prime()
    assert stream.report.bytes_out <= MAX_BYTES + len(comment)
    assert b"".join(stream) == comment * 40


FAILURES_BEFORE_THE_FIRST_EVENT = {
    "upstream raised": ([(1.0, OSError("secret"))], {}, 502),
    "stalled": ([], {"timeouts": off(silence=8.0)}, 504),
    "an HTML page": ([(0.0, b"<html><title>502 Bad Gateway</title></html>")], {}, None),
    "an error event": (
        [(0.0, b'data: {"error":{"message":"slow down","type":"rate_limit_error","code":"429"}}\n\n')],
        {"dialect": "openai-chat"},
        429,
    ),
}


@pytest.mark.parametrize("name", FAILURES_BEFORE_THE_FIRST_EVENT)
@pytest.mark.parametrize("make", [repaired, events])
def test_prime_raises_what_went_wrong_before_the_first_event(make, name):
    script, options, status = FAILURES_BEFORE_THE_FIRST_EVENT[name]
    stream, _ = make(script, end=1e6, **options)
    with pytest.raises(StreamError) as raised:
        stream.prime()
    assert raised.value.status_hint == status or status is None
    stream.close()
    assert stream.report.verdict is Verdict.FAILED
    assert "secret" not in str(raised.value)


def test_after_prime_raised_the_error_frame_can_still_be_streamed():
    stream, _ = repaired([(1.0, OSError())])
    with pytest.raises(StreamError):
        stream.prime()
    (frame,) = stream
    assert b"upstream-failed" in frame


def test_prime_does_not_raise_what_happened_after_the_first_event():
    stream, _ = repaired([(0.0, TOKEN + b'data: {"error":{"message":"x"}}\n\n')])
    assert stream.prime()
    assert b"".join(stream).startswith(TOKEN)
    assert stream.report.verdict is Verdict.FAILED


def test_prime_of_an_empty_stream_gives_true():
    stream, _ = repaired([])
    assert stream.prime()
    assert list(stream) == []


@pytest.mark.parametrize("read", [0, 1, 2])
def test_prime_with_a_timeout_works_where_no_thread_was_asked_for(read):
    comments = [b": 1\n\n", b": 2\n\n"]
    upstream = Upstream(*comments)
    with repair(upstream, heartbeat=None, timeouts=None, abort=upstream.abort) as stream:
        assert [next(stream) for _ in range(read)] == comments[:read]
        assert not stream.prime(timeout=0.01)
        upstream.go_on.set()
        assert b"".join(stream) == b"".join(comments[read:])
    assert upstream.closed.wait(LIMIT)


def test_prime_where_no_thread_can_be_started_waits_for_upstream_and_says_so(monkeypatch, caplog):
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    stream = repair([b": 1\n\n", b": 2\n\n", b"data: 1\n\n"], heartbeat=None, timeouts=None)
    assert next(stream) == b": 1\n\n"
    assert stream.prime(timeout=0.01)
    assert b"".join(stream) == b": 2\n\ndata: 1\n\n"
    assert "no thread can be started" in caplog.text


def test_prime_of_a_stream_that_another_thread_reads_is_refused_and_takes_nothing_from_it():
    upstream = Upstream(b": 1\n\n")
    stream = repair(upstream, heartbeat=None, timeouts=None)
    items: list[bytes] = []
    reader = threading.Thread(target=lambda: items.extend(stream))
    reader.start()
    assert upstream.blocked.wait(LIMIT)
    for timeout in (None, 0.01):
        with pytest.raises(RuntimeError, match="another thread"):
            stream.prime(timeout)
    upstream.go_on.set()
    reader.join(LIMIT)
    assert items == [b": 1\n\n"]
    assert stream.report.verdict is Verdict.ENDED


PRIMED = {
    "an event and a failure": ([TOKEN, OSError()], {}),
    "a failure": ([OSError()], {}),
    "an error event": ([b'data: {"error":{"message":"x","type":"rate_limit_error"}}\n\n'], {"dialect": "openai-chat"}),
}


@pytest.mark.parametrize("name", PRIMED)
@pytest.mark.parametrize("make", [repaired, events])
def test_prime_does_not_raise_what_the_consumer_has_met_already(make, name):
    script, options = PRIMED[name]
    stream, _ = make([(1.0, chunk) for chunk in script], **options)
    with contextlib.suppress(StreamError):
        list(stream)
    assert stream.report.verdict is Verdict.FAILED
    assert stream.prime()
    assert stream.prime(timeout=0)


BAD_WAITS = {
    "nan": (math.nan, ValueError, "0 seconds or more, not nan; None is to wait for ever"),
    "negative": (-1, ValueError, "0 seconds or more, not -1"),
    "bool": (True, TypeError, "seconds as a number, not True; None is to wait for ever"),
    "text": ("1", TypeError, "seconds as a number, not .1.; None is to wait for ever"),
}


@pytest.mark.parametrize("name", BAD_WAITS)
def test_a_timeout_of_prime_that_is_no_duration_is_refused_and_reads_nothing(name):
    value, error, fix = BAD_WAITS[name]
    stream, _ = repaired([(1.0, b"data: 1\n\n")])
    with pytest.raises(error, match=rf"^prime\(timeout=\.\.\.\).*{fix}"):
        stream.prime(timeout=value)
    assert list(stream) == [b"data: 1\n\n"]


@pytest.mark.parametrize("timeout", [math.inf, 1e300, HUGE])
def test_a_timeout_of_prime_beyond_a_lifetime_is_for_ever(timeout):
    stream, _ = repaired([(1e6, b"data: 1\n\n")])
    assert stream.prime(timeout=timeout)


# Failures


def raising(*chunks: bytes | BaseException) -> Iterator[bytes]:
    for chunk in chunks:
        if isinstance(chunk, BaseException):
            raise chunk
        yield chunk


@pytest.mark.parametrize("options", [{}, {"heartbeat": None, "timeouts": None}], ids=["thread", "no thread"])
def test_an_exception_of_upstream_becomes_one_frame_after_all_whole_events(options):
    stream = repair(raising(b"data: 1\n\ndata: 2", OSError("10.0.0.1 refused")), **options)
    *items, frame = stream
    assert b"".join(items) == b"data: 1\n\n"
    assert b"upstream-failed" in frame
    assert b"10.0.0.1" not in frame
    assert stream.report.verdict is Verdict.FAILED
    assert list(stream) == []


def test_an_exception_of_upstream_is_raised_as_one_of_ours_behind_the_last_event():
    stream = iter_events(raising(b"data: 1\n\n", OSError("10.0.0.1 refused")))
    assert next(stream) == Event("1")
    with pytest.raises(StreamError) as raised:
        next(stream)
    assert raised.value.code == "upstream-failed"
    assert raised.value.error_type == "OSError"
    assert raised.value.report is stream.report
    assert "10.0.0.1" not in str(raised.value)
    with pytest.raises(StopIteration):
        next(stream)


def test_a_failure_is_logged_without_a_word_of_upstreams(caplog):
    list(repair(raising(OSError("secret\nforged line")), request_id="r-1"))
    (record,) = caplog.records
    assert record.name == "unbroken"
    assert record.levelno == logging.WARNING
    assert "upstream-failed" in record.getMessage()
    assert "r-1" in record.getMessage()
    assert "secret" not in caplog.text


@pytest.mark.parametrize("options", [{}, {"heartbeat": None, "timeouts": None}], ids=["thread", "no thread"])
@pytest.mark.parametrize("passing", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_passes_and_writes_no_frame(passing, options):
    closed = []

    def upstream() -> Iterator[bytes]:
        try:
            yield b"data: 1\n\n"
            raise passing
        finally:
            closed.append(True)

    stream = repair(upstream(), **options)
    assert next(stream) == b"data: 1\n\n"
    with pytest.raises(passing):
        next(stream)
    Threads().join()
    assert closed == [True]
    assert stream.report.verdict is Verdict.CANCELLED
    assert list(stream) == []


def test_an_interrupt_of_the_waiting_consumer_releases_upstream():
    class Interrupted(ScriptedReader):
        def take(self, timeout: float = 0) -> Any:
            if timeout:
                raise KeyboardInterrupt
            return super().take(timeout)

    clock = Clock()
    reader = Interrupted(clock, [(1.0, b"data: 1\n\n")])
    stream = RepairedStream(StreamRepairer(heartbeat=5.0), Source([]), threaded=True, reader=reader, clock=clock)
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert reader.stops == [0]
    assert stream.report.verdict is Verdict.CANCELLED
    assert list(stream) == []


def test_an_interrupt_of_a_priming_consumer_leaves_nothing_to_read():
    class Interrupted(ScriptedReader):
        def take(self, timeout: float = 0) -> Any:
            if timeout:
                raise KeyboardInterrupt
            return super().take(timeout)

    clock = Clock()
    reader = Interrupted(clock, [(0.0, b": a comment that was held\n\n"), (9.0, b"data: 1\n\n")])
    stream = RepairedStream(StreamRepairer(heartbeat=5.0), Source([]), threaded=True, reader=reader, clock=clock)
    with pytest.raises(KeyboardInterrupt):
        stream.prime()
    assert list(stream) == []


def test_an_interrupt_of_the_wait_for_upstreams_own_end_releases_it_at_once():
    class Interrupted(ScriptedReader):
        def stop(self, grace: float = 0) -> None:
            super().stop(grace)
            if grace:
                raise KeyboardInterrupt

    clock = Clock()
    reader = Interrupted(clock, [(0.0, TOKEN + DONE)])
    stream = RepairedStream(StreamRepairer(), Source([]), threaded=True, reader=reader, clock=clock)
    next(stream)
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert reader.stops == [GRACE, 0]


# Leaving


def test_close_ends_upstream_in_the_thread_that_reads_it_by_an_abort_from_another():
    upstream = Upstream(b"data: 1\n\n")
    stream = repair(upstream, abort=upstream.abort)
    assert next(stream) == b"data: 1\n\n"
    assert upstream.blocked.wait(LIMIT)
    stream.close()
    assert upstream.closed.wait(LIMIT)
    assert upstream.aborted_by == [threading.current_thread()]
    assert upstream.closed_by is upstream.read_by is not threading.current_thread()
    assert stream.report.verdict is Verdict.CANCELLED
    assert list(stream) == []
    stream.close()
    assert len(upstream.aborted_by) == 1


def test_without_abort_upstream_is_closed_when_its_read_returns():
    upstream = Upstream(b"data: 1\n\n")
    stream = repair(upstream)
    next(stream)
    assert upstream.blocked.wait(LIMIT)
    stream.close()
    assert not upstream.closed.is_set()
    upstream.go_on.set()
    assert upstream.closed.wait(LIMIT)


def test_close_wakes_an_upstream_that_waits_for_room():
    upstream = Upstream(*[b"data: 1\n\n"] * 100, blocks=False)
    stream = repair(upstream)
    next(stream)
    stream.close()
    assert upstream.closed.wait(LIMIT)
    assert upstream.sent < 100


def test_a_stream_closed_before_it_began_closes_upstream_and_reads_nothing():
    for options in ({}, {"heartbeat": None, "timeouts": None}):
        closed = []
        source = Source(raising(AssertionError()), close=lambda closed=closed: closed.append(True))
        stream = repair(source, **options)
        stream.close()
        assert closed == [True]
        assert list(stream) == []


class Endless:
    """An iterator that is no generator, and what is called of it."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return TOKEN

    def abort(self) -> None:
        self.called.append("abort")


class Closable(Endless):
    def close(self) -> None:
        self.called.append("close")


@pytest.mark.parametrize("options", [{}, {"heartbeat": None, "timeouts": None}], ids=["thread", "no thread"])
def test_a_stream_closed_before_it_began_closes_the_iterator_or_aborts_where_it_cannot(options):
    endless, closable, under = Endless(), Closable(), Endless()
    generator = (chunk for chunk in under)
    for chunks, abort in ((endless, endless.abort), (closable, closable.abort), (generator, under.abort)):
        repair(chunks, abort=abort, **options).close()
    assert (endless.called, closable.called, under.called) == (["abort"], ["close"], ["abort"])
    assert next(generator, None) is None


@pytest.mark.parametrize("chunks", [Endless, Closable])
def test_an_iterator_without_a_close_is_aborted_where_it_is_read_without_a_thread(chunks):
    upstream = chunks()
    with repair(upstream, abort=upstream.abort, heartbeat=None, timeouts=None) as stream:
        next(stream)
    assert upstream.called == ["close" if chunks is Closable else "abort"]


def test_an_upstream_that_has_ended_is_not_aborted():
    for chunks in ([TOKEN], raising(TOKEN, OSError())):
        aborted = []
        list(repair(chunks, abort=lambda aborted=aborted: aborted.append(True), heartbeat=None, timeouts=None))
        assert aborted == []


def test_nothing_is_yielded_after_close_even_of_events_that_are_there():
    stream = iter_events([b"data: 1\n\ndata: 2\n\n"])
    next(stream)
    stream.close()
    assert list(stream) == []


def test_leaving_with_closes():
    upstream = Upstream(b"data: 1\n\n")
    with pytest.raises(ZeroDivisionError), repair(upstream, abort=upstream.abort) as stream:
        next(stream)
        raise ZeroDivisionError
    assert upstream.closed.wait(LIMIT)


def test_a_generator_around_the_stream_that_is_closed_releases_upstream():
    upstream = Upstream(b"data: 1\n\n")

    def view() -> Iterator[bytes]:
        yield from repair(upstream, abort=upstream.abort)

    body = view()
    next(body)
    body.close()
    assert upstream.closed.wait(LIMIT)


def test_a_forgotten_stream_releases_upstream():
    upstream = Upstream(b"data: 1\n\n")
    stream = repair(upstream, abort=upstream.abort)
    report = stream.report
    next(stream)
    gone = weakref.ref(stream)
    del stream
    assert gone() is None
    assert upstream.closed.wait(LIMIT)
    assert report.verdict is Verdict.CANCELLED


def test_a_forgotten_stream_in_a_cycle_releases_upstream_at_collection():
    upstream = Upstream(b"data: 1\n\n")
    stream = repair(upstream, abort=upstream.abort)
    next(stream)
    stream.itself = stream  # type: ignore[attr-defined]
    del stream
    assert not upstream.closed.is_set()
    gc.collect()
    assert upstream.closed.wait(LIMIT)


def test_a_stream_closed_by_another_thread_ends_a_waiting_next():
    upstream = Upstream()
    stream = repair(upstream, abort=upstream.abort)
    closer = threading.Thread(target=lambda: (upstream.blocked.wait(LIMIT), stream.close()))
    closer.start()
    assert list(stream) == []
    closer.join(LIMIT)


def test_a_stream_closed_while_its_thread_starts_interrupts_the_read(monkeypatch):
    upstream = Upstream()
    stream = repair(upstream, abort=upstream.abort)
    start = threading.Thread.start

    def start_and_close(thread: threading.Thread) -> None:
        start(thread)
        assert upstream.blocked.wait(LIMIT)
        stream.close()

    monkeypatch.setattr(threading.Thread, "start", start_and_close)
    assert list(stream) == []
    assert upstream.aborted_by


def test_a_stream_in_the_callers_thread_closed_by_another_thread_is_closed_where_it_is_read():
    upstream = Upstream()
    stream = repair(upstream, abort=upstream.abort, heartbeat=None, timeouts=None)
    closer = threading.Thread(target=lambda: (upstream.blocked.wait(LIMIT), stream.close()))
    closer.start()
    assert list(stream) == []
    closer.join(LIMIT)
    assert upstream.closed_by is threading.current_thread()


def test_a_stream_under_a_stream_is_interrupted_too():
    upstream = Upstream(b"data: 1\n\n")
    outer = repair(repair(upstream, abort=upstream.abort, heartbeat=None))
    assert next(outer) == b"data: 1\n\n"
    assert upstream.blocked.wait(LIMIT)
    outer.close()
    assert upstream.closed.wait(LIMIT)
    assert upstream.aborted_by


class Ends(Observer):
    """Notes each end that is told."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    def ended(self, report: StreamReport) -> None:
        self.verdicts.append(report.verdict)


def by_a_thread(call: Callable[[], object]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(LIMIT)


class Occupied(StreamRepairer):
    """Notes whether the stream was cancelled while something else was done with it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.inside = self.was_disturbed = False

    def fail(self, error: Exception, now: float) -> list[bytes]:
        self.inside = True
        items = super().fail(error, now)
        self.inside = False
        return items

    def cancel(self, now: float) -> None:
        self.was_disturbed |= self.inside
        super().cancel(now)


@pytest.mark.parametrize("close", [by_a_thread, lambda call: call()], ids=["another thread", "a callback"])
@pytest.mark.parametrize("threaded", [True, False], ids=["thread", "no thread"])
def test_a_stream_closed_while_it_tells_something_ends_once_and_behind_that(threaded, close):
    def leave(repair: Repair) -> None:
        close(stream.close)

    ends = Ends()
    engine = Occupied(on_repair=leave, observers=[ends])
    stream = RepairedStream(engine, Source(raising(TOKEN + TOKEN[:20], OSError())), threaded=threaded)
    assert b"".join(stream) in (b"", TOKEN)
    assert not engine.was_disturbed
    assert ends.verdicts == [stream.report.verdict]


@pytest.mark.parametrize("options", [{}, {"heartbeat": None, "timeouts": None}], ids=["thread", "no thread"])
@pytest.mark.parametrize("fails", [True, False])
def test_a_read_that_a_close_interrupts_is_no_failure_and_no_end_of_upstream(options, fails):
    def chunks() -> Iterator[bytes]:
        yield TOKEN
        reads.set()
        assert go_on.wait(LIMIT)
        if fails:
            raise OSError
        yield DONE

    ends, reads, go_on = Ends(), threading.Event(), threading.Event()
    stream = repair(chunks(), abort=go_on.set, observers=[ends], **options)
    assert next(stream) == TOKEN
    closer = threading.Thread(target=lambda: (reads.wait(LIMIT), stream.close()))
    closer.start()
    assert list(stream) == []
    closer.join(LIMIT)
    assert ends.verdicts == [stream.report.verdict] == [Verdict.CANCELLED]


def test_a_stream_that_an_observer_closes_at_its_start_reads_nothing():
    class Leaves(Observer):
        def started(self, report: StreamReport) -> None:
            stream.close()

    upstream = Upstream(TOKEN)
    stream = repair(upstream, observers=[Leaves()], heartbeat=None, timeouts=None)
    assert list(stream) == []
    assert upstream.read_by is None
    assert stream.report.verdict is Verdict.CANCELLED


def test_two_threads_cannot_read_one_stream():
    upstream = Upstream()
    stream = repair(upstream, abort=upstream.abort)
    first = threading.Thread(target=list, args=(stream,))
    first.start()
    assert upstream.blocked.wait(LIMIT)
    with pytest.raises(RuntimeError, match="another thread"):
        next(stream)
    upstream.go_on.set()
    first.join(LIMIT)


def test_what_closing_upstream_raises_is_logged_by_type(caplog):
    class Hostile(list[bytes]):
        def close(self) -> None:
            raise OSError("secret")

    bad = Hostile([b"data: 1\n\n"])
    assert list(repair(Source(bad, close=bad.close))) == [b"data: 1\n\n"]
    Threads().join()
    assert [record.getMessage() for record in caplog.records] == ["closing upstream raised OSError"]


# The end


def test_behind_the_terminator_upstream_is_read_to_its_own_end():
    reached_its_end = []

    def upstream() -> Iterator[bytes]:
        yield TOKEN + DONE
        yield b": late\n\n"
        reached_its_end.append(True)

    stream = repair(upstream())
    assert b"".join(stream) == TOKEN + DONE
    assert stream.report.verdict is Verdict.COMPLETE
    assert reached_its_end == [True]


def test_an_upstream_that_stays_open_behind_its_terminator_is_released_after_the_grace(monkeypatch):
    monkeypatch.setattr("unbroken.adapters.sync_stream.GRACE", 0.01)
    upstream = Upstream(TOKEN + DONE)
    stream = repair(upstream, abort=upstream.abort)
    assert b"".join(stream) == TOKEN + DONE
    assert upstream.closed.wait(LIMIT)
    assert upstream.aborted_by
    assert stream.report.verdict is Verdict.COMPLETE


def test_the_grace_is_short_and_is_not_given_to_a_consumer_who_leaves():
    assert GRACE <= 0.1
    reader = ScriptedReader(Clock(), [(0.0, TOKEN + DONE), (9.0, b"")])
    stream = read_by(reader)
    next(stream)
    stream.close()
    assert reader.stops == [0]
    assert stream.report.verdict is Verdict.COMPLETE


def test_upstream_is_closed_when_the_end_is_told():
    upstream = Upstream(b"data: 1\n\n", blocks=False)
    assert list(repair(upstream)) == [b"data: 1\n\n"]
    assert upstream.closed.is_set()


# Threads


def test_upstream_is_read_in_a_thread_where_heartbeat_or_timeouts_are_asked_for():
    for options in ({"heartbeat": None}, {"timeouts": None}, {}):
        upstream = Upstream(blocks=False)
        list(repair(upstream, **options))
        assert upstream.read_by is not threading.current_thread()
        assert upstream.read_by.daemon


def test_upstream_is_read_in_the_callers_thread_where_nothing_is_to_happen_meanwhile():
    for stream in (repair, iter_events):
        upstream = Upstream(blocks=False)
        list(stream(upstream, timeouts=None, **({"heartbeat": None} if stream is repair else {})))
        assert upstream.read_by is threading.current_thread()


def test_nothing_is_read_before_the_first_next():
    before = threading.active_count()
    upstream = Upstream(b"data: 1\n\n", blocks=False)
    repair(upstream)
    assert upstream.read_by is None
    assert threading.active_count() == before


def test_without_threads_the_stream_goes_on_without_heartbeat_and_says_so(monkeypatch, caplog):
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    upstream = Upstream(b"data: 1\n\n", blocks=False)
    assert list(repair(upstream)) == [b"data: 1\n\n"]
    assert upstream.read_by is threading.current_thread()
    assert "no thread can be started" in caplog.text


def test_upstream_sees_the_context_variables_of_the_call():
    name = contextvars.ContextVar("name", default="nobody")

    def upstream() -> Iterator[bytes]:
        yield f"data: {name.get()}\n\n".encode()

    name.set("the caller")
    stream = repair(upstream())
    name.set("somebody else")
    assert next(stream) == b"data: the caller\n\n"


def test_an_upstream_that_is_not_asked_for_more_is_read_ahead_by_sixteen_chunks_at_most():
    upstream = Upstream(*[b"data: 1\n\n"] * 1000, blocks=False)
    with repair(upstream) as stream:
        for _ in range(10):
            next(stream)
            assert settled(upstream) - stream.report.events <= MAX_CHUNKS + 2


def test_an_upstream_that_is_not_asked_for_more_is_read_ahead_by_a_megabyte_at_most():
    half = b": " + b"x" * (MAX_BYTES // 2) + b"\n\n"
    upstream = Upstream(*[half] * 100, blocks=False)
    with repair(upstream) as stream:
        next(stream)
        assert settled(upstream) <= 4


def test_a_chunk_larger_than_the_queue_passes():
    large = b": " + b"x" * (3 * MAX_BYTES) + b"\n\n"
    assert b"".join(repair([large, large])) == large * 2


def settled(upstream: Upstream) -> int:
    """Count the chunks read once the reader waits for room."""
    (thread,) = Threads()
    for _ in range(int(LIMIT * 1000)):
        code = sys._current_frames()[thread.ident].f_code
        if (code.co_filename, code.co_name) == (threading.__file__, "wait"):
            return upstream.sent
        threading.Event().wait(0.001)
    raise AssertionError("the reader never waits: there is no bound")


def test_streams_work_under_gevents_monkey_patching():
    pytest.importorskip("gevent")
    code = """
from gevent import monkey
monkey.patch_all()
import gevent, socket, threading
from unbroken import Timeouts, repair, Verdict

here, there = socket.socketpair()
turns = []
gevent.spawn(lambda: [turns.append(gevent.sleep(0.05)) for _ in range(20)])

def chunks():
    while data := here.recv(1024):
        yield data

stream = repair(chunks(), heartbeat=0.2, abort=lambda: here.shutdown(socket.SHUT_RDWR))
gevent.spawn_later(0.7, there.sendall, b"data: 1\\n\\n")
items = [next(stream) for _ in range(5)]
assert items.index(b"data: 1\\n\\n") >= 3, items
assert len(turns) >= 5, turns
stream.close()
assert stream.report.verdict is Verdict.CANCELLED
gevent.sleep(0.1)
assert not [t for t in threading.enumerate() if t.name == "unbroken reader"]

here, there = socket.socketpair()
assert b"silence-timeout" in b"".join(repair(chunks(), heartbeat=None, timeouts=Timeouts(silence=0.2)))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


# Misuse


class FakeClient:
    """Gives objects that look like the responses of the clients, by the names of their classes."""

    @staticmethod
    def response(package: str, name: str = "Response") -> object:
        return type(name, (), {"__module__": package, "__iter__": lambda self: iter([b""])})()


MISUSE = {
    "bytes": (b"data: 1\n\n", "not one bytes: write repair\\(\\[data\\]\\)"),
    "bytearray": (bytearray(b"x"), "not one bytearray"),
    "memoryview": (memoryview(b"x"), "not one memoryview"),
    "str": ("data: 1\n\n", "not str: write repair\\(\\[text.encode\\(\\)\\]\\)"),
    "a file": ("docs/examples/broken.sse", 'not a path: write repair\\(open\\(path, "rb"\\)\\)'),
    "a file of another name": ("LICENSE", "not a path: write"),
    "a file that is missing": ("captured.jsonl", "not a path: write"),
    "a path": (pathlib.Path("LICENSE"), "not a path: write"),
    "a URL": (
        "https://example.com/chat.json?x",
        "not a URL: write repair\\(lambda: requests.get\\(url, stream=True\\)\\)",
    ),
    "str that ends as files do": ("data: 1\n\n.sse", "not str: write"),
    "str that no file has": ("data: \0", "not str: write"),
    "None": (None, "not NoneType"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_is_told_at_the_call_with_the_fix(name):
    chunks, fix = MISUSE[name]
    with pytest.raises(TypeError, match=fix):
        repair(chunks)
    with pytest.raises(TypeError, match=r"iter_events\(\) takes"):
        iter_events(chunks)


def test_a_url_is_told_with_a_client_of_the_kind_that_reads():
    for function, call in (
        (aiter_events, 'client.stream("GET", url)'),
        (iter_events, "requests.get(url, stream=True)"),
    ):
        fix = f"{function.__name__}() takes an iterable of bytes, not a URL: write {function.__name__}(lambda: {call})"
        with pytest.raises(TypeError, match=re.escape(fix)):
            function("HTTP://127.0.0.1/chat")


@pytest.mark.parametrize(
    ("wrong", "told"), [({}, ""), ({"upstream": [b""]}, ", and no argument 'upstream'"), ({"to": "sse"}, "")]
)
def test_what_is_read_is_asked_for_by_its_name(wrong, told):
    for function in (repair, iter_events):
        said = f"{function.__name__}() takes what it reads as its first argument, chunks{told}: write "
        with pytest.raises(TypeError, match=f"^{re.escape(said)}{function.__name__}"):
            function(**wrong)
        function(chunks=[]).close()


def test_asynchronous_chunks_are_refused_with_the_name_of_the_twin():
    async def chunks():
        yield b""

    for given_chunks in (chunks(), Source(chunks())):
        with pytest.raises(TypeError, match=r"write arepair\(\.\.\.\)"):
            repair(given_chunks)
        with pytest.raises(TypeError, match=r"write aiter_events\(\.\.\.\)"):
            iter_events(given_chunks)


def test_an_abort_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match=r"repair\(abort=\.\.\.\) must be callable or None, not bool"):
        repair([], abort=True)


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"heartbeat": "5"}, TypeError),
        ({"heartbeat": 0}, ValueError),
        ({"timeouts": 5}, TypeError),
        ({"to": "x"}, ValueError),
    ],
)
def test_a_wrong_option_is_told_at_the_call(option, error):
    with pytest.raises(error, match=next(iter(option))):
        repair([], **option)


@pytest.mark.parametrize("options", [{}, {"heartbeat": None, "timeouts": None}], ids=["thread", "no thread"])
@pytest.mark.parametrize("chunk", ["data: 1\n\n", 7, Event("x"), ["x"]], ids=lambda chunk: type(chunk).__name__)
def test_chunks_that_are_no_bytes_are_misuse_and_no_failure_of_upstream(chunk, options):
    upstream = Upstream(b"data: 1\n\n", chunk, blocks=False)
    stream = repair(upstream, **options)
    assert next(stream) == b"data: 1\n\n"
    with pytest.raises(TypeError, match=f"chunks must be bytes, not {type(chunk).__name__}"):
        next(stream)
    assert upstream.closed.wait(LIMIT)
    assert list(stream) == []


# Sources


def test_a_source_brings_its_content_type_its_abort_and_its_close():
    upstream = Upstream(b'[{"a":1}')
    closed = threading.Event()
    source = Source(upstream, content_type="application/json", abort=upstream.abort, close=closed.set, status=200)
    stream = repair(source, heartbeat=None)
    next(stream)
    assert upstream.blocked.wait(LIMIT)
    stream.close()
    assert upstream.aborted_by
    assert closed.wait(LIMIT)
    assert upstream.closed.is_set()


def test_what_the_caller_says_goes_before_what_the_source_says():
    aborted = []
    upstream = Upstream()
    source = Source(upstream, content_type="application/x-ndjson", abort=lambda: aborted.append("the source's"))

    def abort() -> None:
        aborted.append("the caller's")
        upstream.abort()

    stream = repair(source, abort=abort, content_type="text/event-stream", heartbeat=0.01)
    assert next(stream) == b":\n\n"  # a heartbeat of NDJSON is a space
    assert upstream.blocked.wait(LIMIT)
    stream.close()
    assert aborted == ["the caller's"]


# Parity

PAIRS = [
    (repair, unbroken.arepair),
    (iter_events, unbroken.aiter_events),
    (RepairedStream, unbroken.AsyncRepairedStream),
    (EventStream, unbroken.AsyncEventStream),
]


@pytest.mark.parametrize(("sync", "twin"), PAIRS[:2], ids=lambda it: it.__name__)
def test_the_asynchronous_twin_takes_the_same_arguments(sync, twin):
    ours, theirs = inspect.signature(sync).parameters, inspect.signature(twin).parameters
    assert list(ours) == list(theirs)
    for name in list(ours)[1:]:
        assert ours[name] == theirs[name]


@pytest.mark.parametrize(("sync", "twin"), PAIRS[2:], ids=lambda it: it.__name__)
def test_the_asynchronous_twin_has_the_same_methods_with_an_a_in_front(sync, twin):
    public = {name for name in dir(sync) if not name.startswith("_")}
    assert {name for name in dir(twin) if not name.startswith("_")} == {
        f"a{name}" if name in ("close", "prime") else name for name in public
    }
    for name in ("close", "prime"):
        mine, theirs = inspect.signature(getattr(sync, name)), inspect.signature(getattr(twin, f"a{name}"))
        assert mine == theirs
    for name in ("iter", "next", "enter", "exit"):
        assert hasattr(sync, f"__{name}__")
        assert hasattr(twin, f"__a{name}__")


def test_iter_events_takes_what_repair_takes_less_what_is_about_writing():
    taken = set(inspect.signature(repair).parameters) - set(inspect.signature(iter_events).parameters)
    assert taken == {"to", "convert", "errors", "pace", "heartbeat", "heartbeat_as", "heartbeat_bytes"}


def test_the_signature_is_the_one_promised():
    parameters = inspect.signature(repair).parameters
    defaults = {name: it.default for name, it in parameters.items()}
    assert defaults["heartbeat"] == 5.0
    assert defaults["timeouts"] == Timeouts(first=300.0, idle=120.0, silence=300.0, total=None)
    assert defaults["max_event_bytes"] == 16 * 2**20
    assert defaults["repairs"] == unbroken.DEFAULT_REPAIRS
    assert all(
        it.kind is it.KEYWORD_ONLY for name, it in inspect.signature(repair).parameters.items() if name != "chunks"
    )
