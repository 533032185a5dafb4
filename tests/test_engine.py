"""The clocks, the one end, and going on with another connection: the same for events and for bytes."""

from __future__ import annotations

from typing import Any

import pytest

from unbroken import (
    Observer,
    StreamError,
    StreamRepairer,
    StreamReport,
    Timeouts,
    Verdict,
)
from unbroken.core.engine import EventEngine
from unbroken.core.failure import Failure

from .chat import CHUNK, DONE, ERROR, FINISH, START, TIMEOUTS, Watch, error_frame, of_one_template


@pytest.mark.parametrize("kind", [StreamRepairer, EventEngine])
def test_who_left_is_given_nothing_more_not_even_frames_of_the_template(kind: type[Any]) -> None:
    engine = kind()
    for at in range(5):
        assert engine.feed(CHUNK, float(at))
    engine.cancel(5.0)
    assert engine.feed(CHUNK, 6.0) + engine.feed(b"data: late\n\n", 7.0) + engine.close(8.0) == []


def test_an_observer_hears_of_no_bytes_after_the_end() -> None:
    class Bytes(Watch):
        def received(self, report: StreamReport, chunk: bytes, at: float) -> None:
            self.seen.append(chunk)

    watch = Bytes()
    engine = StreamRepairer(observers=[watch])
    engine.feed(CHUNK + DONE, 0.0)
    engine.feed(CHUNK, 1.0)
    assert watch.seen == ["started", CHUNK + DONE, Verdict.COMPLETE]


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (b"", Verdict.CANCELLED),
        (CHUNK, Verdict.CANCELLED),
        (CHUNK + FINISH, Verdict.CANCELLED),
        (CHUNK + DONE, Verdict.COMPLETE),
        (CHUNK + ERROR, Verdict.FAILED),
        (b'event: done\ndata: {"text":""}\n\n', Verdict.COMPLETE),
    ],
)
def test_a_consumer_that_leaves_changes_no_end_that_was_reported(data: bytes, verdict: Verdict) -> None:
    repairer = StreamRepairer(dialect="vocabulary" if b"done" in data else None)
    if data:
        repairer.feed(data, 1.0)
    repairer.cancel(3.0)
    assert repairer.report.verdict is verdict
    assert (repairer.error is not None) == (verdict is Verdict.FAILED)


def test_what_was_raised_is_named_by_its_type_alone() -> None:
    engine = EventEngine()
    assert engine.fail(ConnectionResetError("secret"), 1.0) == []
    assert engine.error is not None
    assert engine.error.failure == Failure("upstream-failed", 502, error_type="ConnectionResetError")


def test_a_stream_error_is_reported_as_it_is() -> None:
    engine = EventEngine()
    engine.fail(StreamError(Failure("rate-limited", 429, 3.0)), 1.0)
    assert engine.error is not None
    assert engine.error.failure == Failure("rate-limited", 429, 3.0)


def test_an_error_is_known_before_the_end() -> None:
    engine = EventEngine()
    assert engine.early_error is None
    engine.feed(CHUNK + ERROR, 0.0)
    assert engine.error is None
    assert engine.early_error is not None
    assert engine.early_error.code == "upstream-error"
    engine.close(0.0)
    assert engine.early_error is engine.error


def test_another_connection_is_asked_for_before_a_failure_is_reported() -> None:
    asked: list[Exception] = []
    delays = [2.0, None]

    def renew(met: Exception) -> float | None:
        asked.append(met)
        return delays.pop(0)

    repairer = StreamRepairer(timeouts=Timeouts(silence=10.0))
    repairer.renew = renew
    repairer.remember_ids()
    assert repairer.feed(b"id: 1\ndata: {}\n\ndata: {", 0.0) == [b"id: 1\ndata: {}\n\n"]
    assert repairer.fail(OSError(), 1.0) == []
    assert not repairer.finished
    assert repairer.report.retries == 1
    deadline = repairer.next_deadline()
    assert deadline is not None
    assert 12.0 < deadline <= 13.0
    assert repairer.feed(b"id: 1\ndata: {}\n\nid: 2\ndata: {}\n\n", 3.0) == [b"id: 2\ndata: {}\n\n"]
    (frame,) = repairer.on_deadline(20.0)
    assert frame == error_frame("silence-timeout", "error")
    assert [type(met) for met in asked] == [OSError, StreamError]
    assert repairer.error is not None
    assert repairer.error.retry_count == 1


@pytest.mark.parametrize(
    ("data", "limits", "at", "code"),
    [
        (b"", TIMEOUTS, 10.0, "silence"),
        (b"", Timeouts(silence=None, total=9.0), 9.0, "total"),
        (START, Timeouts(first=30.0, silence=None), 30.0, "first"),
        (CHUNK, Timeouts(idle=20.0, silence=None), 20.0, "idle"),
    ],
)
@pytest.mark.parametrize("kind", [StreamRepairer, EventEngine])
def test_a_clock_that_ran_out_is_reported_by_its_name(
    kind: type[Any], data: bytes, limits: Timeouts, at: float, code: str
) -> None:
    engine = kind(timeouts=limits)
    engine.resume(100.0)
    engine.feed(data, 100.0)
    deadline = engine.next_deadline()
    assert at - 1 <= deadline - 100.0 <= at
    assert engine.on_deadline(deadline - 1.0) == []
    items = engine.on_deadline(deadline)
    assert bool(items) is (kind is StreamRepairer)
    assert engine.report.timeout == code
    assert engine.error.code == f"{code}-timeout"
    assert engine.error.status_hint == 504


def test_a_named_dialect_arms_the_first_clock_from_the_start() -> None:
    engine = EventEngine(dialect="openai-chat", timeouts=Timeouts(first=5.0, silence=None))
    assert engine.next_deadline() is None
    engine.resume(1.0)
    deadline = engine.next_deadline()
    assert deadline is not None
    assert 5.5 <= deadline <= 6.0


def test_while_the_consumer_does_not_ask_no_clock_runs() -> None:
    engine = EventEngine(timeouts=Timeouts(silence=5.0))
    engine.resume(0.0)
    engine.pause(1.0)
    assert engine.next_deadline() is None
    assert engine.on_deadline(100.0) == []
    engine.resume(101.0)
    deadline = engine.next_deadline()
    assert deadline is not None
    assert 104.5 <= deadline <= 105.0


def test_the_report_has_the_longest_time_for_which_the_consumer_asked_for_nothing() -> None:
    engine = EventEngine()
    engine.resume(0.0)
    for pause, resume in ((1.0, 3.0), (4.0, 9.0), (10.0, 11.0)):
        engine.pause(pause)
        engine.resume(resume)
    assert engine.report.longest_pause == 5.0
    engine.pause(20.0)
    engine.cancel(50.0)
    assert engine.report.longest_pause == 30.0


def test_the_report_has_the_times_on_the_clock_of_the_caller() -> None:
    repairer = StreamRepairer()
    repairer.resume(100.0)
    repairer.feed(b"", 100.5)
    repairer.feed(b": hi\n\n", 101.0)
    repairer.feed(START, 102.0)
    repairer.feed(b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n', 106.0)
    repairer.feed(b'event: ping\ndata: {"type":"ping"}\n\n', 107.0)
    repairer.close(110.0)
    report = repairer.report
    assert (report.first_byte, report.first_event, report.first_content) == (1.0, 2.0, 6.0)
    assert (report.longest_gap, report.duration, report.chunks_in) == (4.0, 10.0, 5)


def test_another_connection_has_its_own_time_for_content() -> None:
    for fed, limit in ((START, 30.0), (CHUNK, 20.0)):
        engine = EventEngine(timeouts=Timeouts(first=30.0, idle=20.0, silence=None))
        engine.renew = lambda met: 5.0
        engine.feed(fed, 0.0)
        assert engine.fail(OSError(), 10.0) == []
        deadline = engine.next_deadline()
        assert deadline is not None
        assert 14.0 + limit <= deadline <= 15.0 + limit


def test_a_timeout_that_another_connection_made_good_is_not_reported() -> None:
    engine = EventEngine(timeouts=Timeouts(silence=10.0))
    engine.renew = lambda met: 0.0
    engine.feed(b"data: {}\n\n", 0.0)
    assert engine.on_deadline(10.0) == []
    assert engine.report.retries == 1
    assert engine.report.timeout is None
    assert not engine.finished


def test_observers_hear_of_chunks_and_of_content_with_their_times() -> None:
    heard: list[tuple[Any, ...]] = []

    class Times(Observer):
        def received(self, report: StreamReport, chunk: bytes, at: float) -> None:
            heard.append((chunk, at))

        def content(self, report: StreamReport, gap: float) -> None:
            heard.append(("content", gap))

    engine = EventEngine(observers=[Times()])
    engine.resume(10.0)
    engine.feed(CHUNK, 12.0)
    engine.feed(b"", 13.0)
    assert heard == [(CHUNK, 2.0), ("content", 2.0), (b"", 3.0)]


@pytest.mark.parametrize("end", ["feed", "close", "fail", "cancel"])
def test_the_first_call_starts_the_time_whichever_it_is(end: str) -> None:
    watch = Watch()
    engine = EventEngine(observers=[watch])
    {
        "feed": lambda: engine.feed(b"", 7.0),
        "close": lambda: engine.close(7.0),
        "fail": lambda: engine.fail(OSError(), 7.0),
        "cancel": lambda: engine.cancel(7.0),
    }[end]()
    engine.cancel(7.0)
    assert watch.seen[0] == "started"
    assert engine.report.duration == 0.0


def test_frames_of_a_template_are_content_to_the_clocks() -> None:
    repairer = StreamRepairer(timeouts=Timeouts(first=5.0, idle=8.0, silence=None, total=None))
    for number, frame in enumerate(of_one_template(6)):
        repairer.feed(frame, 2.0 * number)
    deadline = repairer.next_deadline()
    assert deadline is not None
    assert 17.0 < deadline <= 18.0


@pytest.mark.parametrize("hook", ["received", "content"])
def test_an_observer_hears_of_every_chunk_and_every_content(hook: str) -> None:
    heard: list[float] = []
    watch = type("Watching", (Observer,), {hook: lambda self, report, *facts: heard.append(facts[-1])})()
    repairer = StreamRepairer(observers=[watch])
    for number, frame in enumerate(of_one_template(5)):
        repairer.feed(frame, 100.0 + number)
    assert heard == ([0.0, 1.0, 2.0, 3.0, 4.0] if hook == "received" else [0.0, 1.0, 1.0, 1.0, 1.0])


def test_a_stream_that_was_closed_twice_ended_once() -> None:
    watch = Watch()
    repairer = StreamRepairer(observers=[watch])
    repairer.feed(CHUNK + FINISH, 0.0)
    repairer.close(1.0)
    assert (repairer.close(2.0), repairer.fail(OSError(), 3.0), repairer.feed(CHUNK, 4.0)) == ([], [], [])
    assert watch.seen == ["started", Verdict.COMPLETE]
    assert repairer.report.duration == 1.0


def test_a_callback_that_ends_the_stream_leaves_it_one_end() -> None:
    ends: list[Verdict] = []

    class Ends(Observer):
        def ended(self, report: StreamReport) -> None:
            ends.append(report.verdict)

    repairer = StreamRepairer(on_repair=lambda repair: repairer.cancel(1.0), observers=[Ends()])
    repairer.feed(b"data: {}\n\ndata: {", 0.0)
    assert repairer.fail(OSError(), 1.0) == []
    assert ends == [repairer.report.verdict] == [Verdict.CANCELLED]


def test_any_byte_puts_the_silence_off_and_no_byte_does_not() -> None:
    repairer = StreamRepairer(timeouts=TIMEOUTS)
    for now in (0.0, 4.0, 8.0):
        repairer.feed(b": ping\n\n", now)
    repairer.feed(b"", 9.0)
    deadline = repairer.next_deadline()
    assert deadline is not None
    assert 17.0 < deadline <= 18.0
