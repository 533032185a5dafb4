"""Another attempt where nothing was delivered, and resuming after what was: on scripted time, nothing sleeps."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import logging
import pickle
import threading
import traceback
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted import LIMIT, Clock, Threads, warp
from unbroken import (
    Attempt,
    Event,
    Failure,
    Format,
    RepairKind,
    Retry,
    Source,
    StreamError,
    StreamReport,
    Timeouts,
    Verdict,
    aiter_events,
    arepair,
    aretrying,
    iter_events,
    repair,
    retrying,
)

OFF = Timeouts(first=None, idle=None, silence=None, total=None)
POLICY = Retry(max_retries=2, jitter=False)
QUICK = Retry(base=0.0)


def event(id: int, *, named: bool = True) -> bytes:
    return (f"id: {id}\n" if named else "").encode() + f"data: event {id}\n\n".encode()


def chat(text: str, **choice: Any) -> bytes:
    return (
        b'data: {"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%s"},'
        b'"finish_reason":%s}]}\n\n' % (text.encode(), b'"stop"' if choice.get("stop") else b"null")
    )


DONE = b"data: [DONE]\n\n"
Part = bytes | Exception | float
"""What an attempt does next: send, raise, or let seconds pass."""


def status_error(status: int, **headers: str) -> Exception:
    error = RuntimeError(f"status {status}")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error.response = SimpleNamespace(status_code=status, headers=named)  # type: ignore[attr-defined]
    return error


@dataclass
class Attempts:
    """An upstream by script, one list of parts per attempt; keeps what `connect` was called with, and when."""

    scripts: list[list[Part]]
    clock: Clock = field(default_factory=Clock)
    seen: list[Attempt] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def _next(self, attempt: Attempt) -> list[Part]:
        self.seen.append(attempt)
        self.times.append(self.clock.now)
        return self.scripts[len(self.seen) - 1]

    def connect(self, attempt: Attempt) -> Iterator[bytes]:
        return self._send(self._next(attempt))

    def _send(self, parts: list[Part]) -> Iterator[bytes]:
        for part in parts:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, float):
                self.clock.now += part
            else:
                yield part

    async def aconnect(self, attempt: Attempt) -> AsyncIterator[bytes]:
        return self._asend(self._next(attempt))

    async def _asend(self, parts: list[Part]) -> AsyncIterator[bytes]:
        for part in parts:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, float):
                await asyncio.sleep(part)
            else:
                yield part

    @property
    def delays(self) -> list[float]:
        return [attempt.delay for attempt in self.seen[1:]]


@dataclass
class Outcome:
    events: list[str]
    error: StreamError | None
    report: StreamReport


class Waits:
    """The clock that is moved where a thread would wait; each reader sets its own."""

    clock = Clock()


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    Threads().join()


@pytest.fixture
def _on_scripted_time(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_ever = threading.Event.wait

    def wait(event: threading.Event, timeout: float | None = None) -> bool:
        if timeout is None:
            return wait_for_ever(event)
        Waits.clock.now += timeout
        return event.is_set()

    monkeypatch.setattr(threading.Event, "wait", wait)


def read_events(
    attempts: Attempts, *, threads: bool = False, timeouts: Timeouts | None = None, **options: Any
) -> Outcome:
    Waits.clock = attempts.clock
    source = retrying(attempts.connect, **options)
    stream = iter_events(source, timeouts=OFF if threads else None)
    events, error = list[str](), None
    try:
        for item in stream:
            events.append(item.data)
    except StreamError as raised:
        error = raised
    return Outcome(events, error, stream.report)


def read_frames(attempts: Attempts, *, threads: bool = False, **options: Any) -> Outcome:
    """Read the bytes of `repair` by another reader, which knows no retries."""
    Waits.clock = attempts.clock
    stream = repair(retrying(attempts.connect, **options), heartbeat=None, timeouts=OFF if threads else None)
    frames = list(stream)
    ours = [frame for frame in frames if b"unbroken_error" in frame]
    assert len(ours) == (stream.report.error is not None)
    assert not ours or ours[0] is frames[-1]
    kept = b"".join(frame for frame in frames if frame not in ours)
    return Outcome([item.data for item in iter_events([kept], repairs=())], stream.report.error, stream.report)


def read_async(attempts: Attempts, *, timeouts: Timeouts | None = None, **options: Any) -> Outcome:
    async def main(clock: Clock) -> Outcome:
        attempts.clock = clock
        stream = aiter_events(aretrying(attempts.aconnect, **options), timeouts=timeouts)
        events, error = list[str](), None
        try:
            async for item in stream:
                events.append(item.data)
        except StreamError as raised:
            error = raised
        return Outcome(events, error, stream.report)

    return warp(main)


def read_in_a_thread_of_a_loop(attempts: Attempts, **options: Any) -> Outcome:
    async def main() -> Outcome:
        stream = arepair(retrying(attempts.connect, **options), heartbeat=None, timeouts=None)
        frames = b"".join([frame async for frame in stream if b"unbroken_error" not in frame])
        return Outcome([item.data for item in iter_events([frames], repairs=())], stream.report.error, stream.report)

    Waits.clock = attempts.clock
    return asyncio.run(main())


READERS: dict[str, Callable[..., Outcome]] = {
    "iter_events": read_events,
    "iter_events, threaded": lambda attempts, **options: read_events(attempts, threads=True, **options),
    "repair": read_frames,
    "repair, threaded": lambda attempts, **options: read_frames(attempts, threads=True, **options),
    "aiter_events": read_async,
    "arepair of a synchronous client": read_in_a_thread_of_a_loop,
}
every_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS)

WHOLE: list[Part] = [event(1) + event(2), event(3)]
ALL = ["event 1", "event 2", "event 3"]


# Before anything was delivered

BEFORE_THE_FIRST_EVENT: dict[str, tuple[list[Part], float]] = {
    "refused": ([ConnectionRefusedError()], 1.0),
    "reset before the first byte": ([ConnectionResetError()], 1.0),
    "reset in the first event": ([b"id: 1\nda", ConnectionResetError()], 1.0),
    "timed out": ([b": wait\n\n", TimeoutError()], 1.0),
    "too many requests": ([status_error(429, Retry_After="7")], 7.0),
    "unavailable": ([status_error(503)], 1.0),
    "unavailable, back in half a second": ([status_error(503, retry_after="0.5")], 1.0),
    "reset, after a reconnection time": ([b"retry: 3000\n\n", ConnectionResetError()], 3.0),
    "too many requests, with a shorter wait than its reconnection time": (
        [b"retry: 3000\n\n", status_error(429, Retry_After="2")],
        2.0,
    ),
}


@every_reader
@pytest.mark.parametrize("name", BEFORE_THE_FIRST_EVENT)
@pytest.mark.usefixtures("_on_scripted_time")
def test_a_failure_before_the_first_event_is_followed_by_another_attempt(
    read: Callable[..., Outcome], name: str
) -> None:
    failing, delay = BEFORE_THE_FIRST_EVENT[name]
    attempts = Attempts([failing, WHOLE])
    outcome = read(attempts, retry=POLICY)
    assert outcome.events == ALL
    assert outcome.error is None
    assert outcome.report.retries == 1
    assert attempts.delays == [delay]
    assert attempts.times[1] - attempts.times[0] == pytest.approx(delay)


@every_reader
@pytest.mark.usefixtures("_on_scripted_time")
def test_each_attempt_waits_twice_as_long_until_none_is_left(read: Callable[..., Outcome]) -> None:
    attempts = Attempts([[ConnectionResetError()]] * 4)
    outcome = read(attempts, retry=Retry(max_retries=3, jitter=False))
    assert attempts.delays == [1.0, 2.0, 4.0]
    assert [at - attempts.times[0] for at in attempts.times] == [0.0, 1.0, 3.0, 7.0]
    assert outcome.events == []
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.retry_count, outcome.error.safe_to_retry) == ("upstream-failed", 3, True)
    assert outcome.report.verdict is Verdict.FAILED


PERMANENT: dict[str, tuple[Exception, str, int]] = {
    "a bad key": (status_error(401), "authentication", 401),
    "a bad request": (status_error(400), "invalid-request", 400),
    "nothing there": (status_error(404), "not-found", 404),
    "a bug": (KeyError("secret"), "upstream-failed", 502),
    "too long a wait": (status_error(429, Retry_After="3600"), "rate-limited", 429),
}


@every_reader
@pytest.mark.parametrize("name", PERMANENT)
@pytest.mark.usefixtures("_on_scripted_time")
def test_a_permanent_failure_is_reported_at_once(read: Callable[..., Outcome], name: str) -> None:
    error, code, status = PERMANENT[name]
    attempts = Attempts([[error]])
    outcome = read(attempts, retry=POLICY)
    assert len(attempts.seen) == 1
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.status_hint, outcome.error.retry_count) == (code, status, 0)
    assert outcome.error.retry_after == (3600.0 if name == "too long a wait" else None)
    assert "secret" not in str(outcome.error)


@every_reader
@pytest.mark.usefixtures("_on_scripted_time")
def test_an_answer_with_an_error_status_is_a_failure(read: Callable[..., Outcome]) -> None:
    answers = [429, 200]
    sent = [b"rate limit", event(1)]

    def answer(attempt: Attempt) -> Source:
        number = attempt.number - 1
        chunks = attempts._asend([sent[number]]) if read is read_async else iter([sent[number]])
        attempts.seen.append(attempt)
        return Source(chunks, status=answers[number])

    async def answer_later(attempt: Attempt) -> Source:
        return answer(attempt)

    attempts = Attempts([])
    attempts.connect = answer  # type: ignore[method-assign,assignment]
    attempts.aconnect = answer_later  # type: ignore[method-assign,assignment]
    assert read(attempts, retry=POLICY).events == ["event 1"]
    assert attempts.seen[1].error is not None


@every_reader
@pytest.mark.usefixtures("_on_scripted_time")
def test_the_policy_may_decide_otherwise_what_is_retryable(read: Callable[..., Outcome]) -> None:
    asked = list[tuple[int | None, BaseException | None]]()

    def worth(status: int | None, error: BaseException | None) -> bool:
        asked.append((status, error))
        return status == 401

    refusal, bug = status_error(401), KeyError("x")
    outcome = read(Attempts([[refusal], [bug]]), retry=Retry(worth=worth, jitter=False))
    assert asked == [(401, refusal), (None, bug)]
    assert outcome.error is not None


# After something was delivered


@every_reader
@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.usefixtures("_on_scripted_time")
def test_a_failure_after_content_without_an_id_is_never_retried(read: Callable[..., Outcome], resume: bool) -> None:
    attempts = Attempts([[chat("Hel"), chat("lo"), ConnectionResetError()], WHOLE])
    outcome = read(attempts, retry=POLICY, resume=resume)
    assert len(attempts.seen) == 1
    assert len(outcome.events) == 2
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.safe_to_retry, outcome.error.retry_count) == ("upstream-failed", False, 0)
    assert outcome.report.text == "Hello"


@every_reader
@pytest.mark.usefixtures("_on_scripted_time")
def test_without_resume_an_id_changes_nothing(read: Callable[..., Outcome]) -> None:
    attempts = Attempts([[event(1), ConnectionResetError()], WHOLE])
    outcome = read(attempts, retry=POLICY)
    assert len(attempts.seen) == 1
    assert outcome.events == ["event 1"]


def test_a_failure_after_content_ends_in_one_error_frame() -> None:
    attempts = Attempts([[chat("Hel"), b'data: {"id', ConnectionResetError("10.0.0.7 went away")], WHOLE])
    stream = repair(retrying(attempts.connect), heartbeat=None, timeouts=None)
    frames = list(stream)
    assert frames[0] == chat("Hel")
    assert len(frames) == 2
    assert b"upstream-failed" in frames[1]
    assert b"10.0.0.7" not in frames[1]
    assert len(attempts.seen) == 1
    assert stream.report.error is not None
    assert not stream.report.error.safe_to_retry


@every_reader
@pytest.mark.usefixtures("_on_scripted_time")
def test_a_broken_stream_goes_on_after_its_last_event(read: Callable[..., Outcome]) -> None:
    attempts = Attempts([[event(1) + event(2), b"id: 3\nda", ConnectionResetError()], [event(3)]])
    outcome = read(attempts, retry=POLICY, resume=True)
    assert outcome.events == ALL
    assert [attempt.last_event_id for attempt in attempts.seen] == ["", "2"]
    assert outcome.report.repairs == {RepairKind.UNFINISHED_TAIL: 1}


@every_reader
@pytest.mark.usefixtures("_on_scripted_time")
def test_events_that_were_delivered_are_not_delivered_again(read: Callable[..., Outcome]) -> None:
    attempts = Attempts([[event(1) + event(2), ConnectionResetError()], WHOLE])
    outcome = read(attempts, retry=POLICY, resume=True)
    assert outcome.events == ALL
    assert outcome.report.repairs == {RepairKind.REPEATED_EVENT: 2}
    assert outcome.report.events == 3


# A stream that starts from an id


def test_the_id_to_start_from_is_no_id_that_was_delivered() -> None:
    attempts = Attempts([[event(1, named=False), event(2, named=False), ConnectionResetError()], WHOLE])
    stream = iter_events(retrying(attempts.connect, retry=QUICK, resume=True), timeouts=None, last_event_id="7")
    events = list[str]()
    with pytest.raises(StreamError, match="upstream-failed"):
        events.extend(item.data for item in stream)
    assert events == ["event 1", "event 2"]
    assert len(attempts.seen) == 1


def test_a_server_that_begins_anew_repeats_nothing_of_which_the_id_is_known() -> None:
    attempts = Attempts([[event(4), event(5), ConnectionResetError()], [event(number) for number in range(1, 9)]])
    stream = iter_events(retrying(attempts.connect, retry=QUICK, resume=True), timeouts=None, last_event_id="3")
    assert [item.id for item in stream] == ["4", "5", "1", "2", "6", "7", "8"]
    assert stream.report.repairs == {RepairKind.REPEATED_EVENT: 3}


@pytest.mark.parametrize("resume", [False, True])
def test_every_attempt_is_given_the_id_to_start_from_until_another_was_delivered(resume: bool) -> None:
    attempts = Attempts([[ConnectionResetError()], [event(4), ConnectionResetError()], [event(5)]])
    source = retrying(attempts.connect, retry=QUICK, resume=resume)
    stream = repair(source, timeouts=None, heartbeat=None, last_event_id="3")
    assert b"".join(stream).startswith(event(4))
    assert [attempt.last_event_id for attempt in attempts.seen] == ["3", "3", "4"][: 2 + resume]


def test_every_asynchronous_attempt_is_given_the_id_to_start_from() -> None:
    attempts = Attempts([[ConnectionResetError()], [event(4)]])

    async def main(clock: Clock) -> int:
        source = aretrying(attempts.aconnect, retry=QUICK)
        aborted = list[object]()
        stream = aiter_events(source, last_event_id="3", abort=lambda: aborted.append(0))
        return len([item async for item in stream])

    assert warp(main) == 1
    assert [attempt.last_event_id for attempt in attempts.seen] == ["3", "3"]


def test_a_repetition_is_covered_byte_for_byte() -> None:
    first = event(1) + event(2)
    stream = iter_events(
        retrying(Attempts([[first, ConnectionResetError()], WHOLE]).connect, retry=Retry(base=0.0), resume=True),
        timeouts=None,
    )
    list(stream)
    repeated = [(it.offset, it.length) for it in stream.report.first_repairs]
    # A block ends with its last line; the line end and the blank line after it mean nothing.
    assert repeated == [(len(first), len(event(1)) - 2), (len(first) + len(event(1)), len(event(2)) - 2)]


def test_content_is_never_compared() -> None:
    same = b"data: ha\n\n"
    script: list[list[Part]] = [[b"id: 1\n" + same, ConnectionResetError()], [b"id: 2\n" + same, b"id: 3\n" + same]]
    outcome = read_events(Attempts(script), retry=Retry(base=0.0), resume=True)
    assert outcome.events == ["ha", "ha", "ha"]


def test_blocks_without_an_id_of_their_own_pass_in_a_repetition() -> None:
    error = b'event: error\ndata: {"error":{"message":"gone"}}\n\n'
    attempts = Attempts([[event(1) + event(2), ConnectionResetError()], [event(1), error]])
    outcome = read_events(attempts, retry=Retry(base=0.0), resume=True)
    assert outcome.events == ["event 1", "event 2", '{"error":{"message":"gone"}}']


def test_what_upstream_said_itself_is_final() -> None:
    refused = b'id: 2\nevent: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n'
    started = b'id: 1\nevent: message_start\ndata: {"type":"message_start","message":{"id":"m","usage":{}}}\n\n'
    attempts = Attempts([[started, refused, ConnectionResetError()], WHOLE])
    outcome = read_events(attempts, retry=POLICY, resume=True)
    assert len(attempts.seen) == 1
    assert outcome.report.verdict is Verdict.FAILED


@every_reader
@pytest.mark.usefixtures("_on_scripted_time")
def test_an_answer_that_was_cut_cleanly_goes_on_where_the_dialect_tells(read: Callable[..., Outcome]) -> None:
    attempts = Attempts([[b"id: 1\n" + chat("Hel")], [b"id: 2\n" + chat("lo", stop=True) + b"id: 3\n" + DONE]])
    outcome = read(attempts, retry=POLICY, resume=True)
    assert outcome.report.verdict is Verdict.COMPLETE
    assert outcome.report.text == "Hello"
    assert [attempt.last_event_id for attempt in attempts.seen] == ["", "1"]
    assert isinstance(attempts.seen[1].error, StreamError)
    assert attempts.seen[1].error.code == "truncated"


@every_reader
@pytest.mark.usefixtures("_on_scripted_time")
def test_what_breaks_after_the_end_is_not_a_failure(read: Callable[..., Outcome]) -> None:
    attempts = Attempts([[b"id: 1\n" + chat("Hi", stop=True) + b"id: 2\n" + DONE, ConnectionResetError()], WHOLE])
    outcome = read(attempts, retry=POLICY, resume=True)
    assert outcome.report.verdict is Verdict.COMPLETE
    assert len(attempts.seen) == 1
    assert outcome.error is None


@every_reader
@pytest.mark.usefixtures("_on_scripted_time")
def test_a_clean_end_of_an_unknown_dialect_is_an_end(read: Callable[..., Outcome]) -> None:
    attempts = Attempts([[event(1)], WHOLE])
    outcome = read(attempts, retry=POLICY, resume=True)
    assert outcome.events == ["event 1"]
    assert outcome.report.verdict is Verdict.ENDED


def test_partial_tokens_are_counted_once() -> None:
    script: list[list[Part]] = [
        [b"id: 1\n" + chat("a"), b"id: 2\n" + chat("b"), ConnectionResetError()],
        [b"id: 1\n" + chat("a"), b"id: 2\n" + chat("b"), b"id: 3\n" + chat("c"), ConnectionResetError()],
        [b"id: 3\n" + chat("c"), b"id: 4\n" + chat("d"), ConnectionResetError()],
    ]
    outcome = read_events(Attempts(script), retry=Retry(max_retries=2, base=0.0), resume=True)
    assert outcome.report.text == "abcd"
    assert outcome.error is not None
    assert (outcome.error.tokens_received, outcome.error.retry_count) == (4, 2)


def test_a_second_beginning_is_reported() -> None:
    start = (
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","usage":{}}}\n\n'
    )
    script: list[list[Part]] = [[b"id: 1\n" + start, ConnectionResetError()], [b"id: 2\n" + start]]
    outcome = read_events(Attempts(script), retry=Retry(max_retries=1, base=0.0), resume=True)
    assert outcome.report.second_beginnings == 1


# Any schedule of failures


@dataclass(frozen=True)
class Schedule:
    """One attempt of a server that has unique ids: where it begins, how many bytes it sends, how it cuts them."""

    back: int  # events before the one that was asked for; the server knows no further back than its first
    bytes: int
    cuts: tuple[int, ...]

    def parts(self, whole: list[bytes], asked: int) -> list[Part]:
        body = b"".join(whole[max(0, asked - self.back) :])
        sent = body[: self.bytes]
        points = sorted({0, len(sent), *(cut for cut in self.cuts if cut < len(sent))})
        chunks: list[Part] = [sent[a:b] for a, b in itertools.pairwise(points)]
        return chunks if self.bytes >= len(body) else [*chunks, ConnectionResetError()]


schedules = st.lists(
    st.builds(
        Schedule,
        back=st.integers(0, 20),
        bytes=st.integers(0, 300),
        cuts=st.lists(st.integers(0, 300), max_size=8).map(tuple),
    ),
    min_size=1,
    max_size=6,
)
lengths = st.integers(0, 12)


def run(
    read: Callable[..., Outcome], length: int, schedule: list[Schedule], *, resume: bool
) -> tuple[Outcome, list[str]]:
    whole = [b"id: e%d\ndata: event %d\n\n" % (number, number) for number in range(length)]
    attempts = Attempts([])

    def script(attempt: Attempt) -> list[Part]:
        attempts.seen.append(attempt)
        asked = int(attempt.last_event_id[1:]) + 1 if attempt.last_event_id else 0
        return schedule[attempt.number - 1].parts(whole, asked)

    attempts._next = script  # type: ignore[method-assign]
    outcome = read(attempts, retry=Retry(max_retries=len(schedule) - 1, base=0.0), resume=resume)
    return outcome, [f"event {number}" for number in range(length)]


@given(lengths, schedules, st.booleans())
@pytest.mark.parametrize("read", [read_events, read_frames, read_async], ids=["iter_events", "repair", "aiter_events"])
def test_whatever_fails_the_delivered_events_are_a_prefix_without_loss_or_repetition(
    read: Callable[..., Outcome], length: int, schedule: list[Schedule], resume: bool
) -> None:
    outcome, whole = run(read, length, schedule, resume=resume)
    assert outcome.events == whole[: len(outcome.events)]
    if outcome.error is None:
        assert outcome.events == whole
    else:
        assert outcome.error.safe_to_retry == (not outcome.report.events)
        assert outcome.error.retry_count == outcome.report.retries <= len(schedule) - 1


@given(lengths, schedules)
def test_threads_change_nothing(length: int, schedule: list[Schedule]) -> None:
    plain, _ = run(read_events, length, schedule, resume=True)
    threaded, _ = run(READERS["iter_events, threaded"], length, schedule, resume=True)
    assert (plain.events, plain.report.repairs) == (threaded.events, threaded.report.repairs)


# Other formats


def test_ndjson_and_arrays_are_begun_anew_before_their_first_event() -> None:
    for body, format in ((b'{"a":1}\n{"a":2}\n', Format.NDJSON), (b'[{"a":1},\n{"a":2}]', Format.JSON_ARRAY)):
        for cut in range(len(b'[{"a":1')):
            attempts = Attempts([[body[:cut], ConnectionResetError()], [body]])
            stream = repair(retrying(attempts.connect, retry=Retry(base=0.0)), heartbeat=None, timeouts=None)
            assert b"".join(stream) == body
            assert stream.report.format is format
            assert stream.report.retries == 1


def test_an_attempt_may_come_in_another_format() -> None:
    attempts = Attempts([[b': hello\n\n{"a"', ConnectionResetError()], [b'{"a":1}\n{"a":2}\n']])
    stream = repair(retrying(attempts.connect, retry=Retry(base=0.0)), heartbeat=None, timeouts=None)
    assert b"".join(stream) == b': hello\n\ndata: {"a":1}\n\ndata: {"a":2}\n\n'


def test_a_page_of_html_is_no_stream_however_often_it_is_asked_for() -> None:
    page = b"<!doctype html><title>Sign in</title><p>hello"
    attempts = Attempts([[page], WHOLE])
    outcome = read_events(attempts, retry=Retry(base=0.0))
    assert len(attempts.seen) == 1
    assert outcome.error is not None
    assert outcome.error.code == "not-a-stream"


def test_a_page_that_shows_a_passing_status_is_worth_another_attempt() -> None:
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    attempts = Attempts([[page], WHOLE])
    outcome = read_events(attempts, retry=Retry(base=0.0))
    assert outcome.events == ALL
    assert set(outcome.report.repairs) == {RepairKind.NOT_A_STREAM}
    assert sum(it.length for it in outcome.report.first_repairs) == len(page)


def test_a_byte_order_mark_is_skipped_on_each_connection() -> None:
    mark = b"\xef\xbb\xbf"
    attempts = Attempts([[mark + event(1), ConnectionResetError()], [mark + event(2)], [mark + event(3)]])
    outcome = read_events(attempts, retry=Retry(base=0.0), resume=True)
    assert outcome.events == ["event 1", "event 2"]
    assert not set(outcome.report.repairs) - {RepairKind.UNFINISHED_TAIL}


# While waiting


def test_heartbeats_go_on_while_an_attempt_is_waited_for() -> None:
    async def main(clock: Clock) -> tuple[list[tuple[float, bytes]], int]:
        attempts = Attempts([[status_error(429, Retry_After="30")], [event(1)]], clock=clock)
        stream = arepair(aretrying(attempts.aconnect, retry=POLICY), heartbeat=5.0)
        began = clock.now
        return [(clock.now - began, item) async for item in stream], stream.report.heartbeats

    written, heartbeats = warp(main)
    assert heartbeats >= 6
    assert written[-1] == (pytest.approx(30.0), event(1))
    times = [0.0, *(at for at, _ in written)]
    assert max(b - a for a, b in itertools.pairwise(times)) <= 5.0


def test_the_wait_counts_for_no_clock_and_each_attempt_has_its_own_time() -> None:
    """Each attempt is silent for 8 seconds and fails, with waits of 1 and 2 between; 10 are allowed."""
    attempts = Attempts([[8.0, ConnectionResetError()], [8.0, ConnectionResetError()], [8.0, event(1)]])
    outcome = read_async(attempts, retry=POLICY, timeouts=Timeouts(silence=10.0))
    assert outcome.events == ["event 1"]
    assert attempts.times[2] - attempts.times[0] == pytest.approx(8 + 1 + 8 + 2)


def test_an_attempt_that_stalls_is_given_up_for_another() -> None:
    attempts = Attempts([[b": hello\n\n", 1000.0], [5.0, event(1)]])
    outcome = read_async(attempts, retry=POLICY, timeouts=Timeouts(silence=10.0))
    assert outcome.events == ["event 1"]
    assert outcome.report.timeout is None
    assert isinstance(attempts.seen[1].error, StreamError)
    assert attempts.seen[1].error.code == "silence-timeout"
    assert attempts.times[1] - attempts.times[0] == pytest.approx(11.0, abs=0.7)


def test_a_stall_in_the_last_attempt_is_reported() -> None:
    attempts = Attempts([[1000.0], [1000.0]])
    outcome = read_async(attempts, retry=Retry(max_retries=1, jitter=False), timeouts=Timeouts(silence=10.0))
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.retry_count, outcome.report.timeout) == ("silence-timeout", 1, "silence")


def test_a_stall_after_content_is_reported() -> None:
    attempts = Attempts([[chat("a"), 1000.0], [event(1)]])
    outcome = read_async(attempts, retry=POLICY, timeouts=Timeouts(idle=10.0))
    assert outcome.error is not None
    assert (outcome.error.code, len(attempts.seen)) == ("idle-timeout", 1)


def test_the_total_time_is_not_given_anew() -> None:
    attempts = Attempts([[8.0, ConnectionResetError()], [1000.0], [event(1)]])
    outcome = read_async(attempts, retry=POLICY, timeouts=Timeouts(total=20.0))
    assert outcome.error is not None
    assert (outcome.error.code, len(attempts.seen)) == ("total-timeout", 2)


def test_a_stalled_thread_is_left_to_its_abort_and_another_reads() -> None:
    stuck, aborted = threading.Event(), threading.Event()

    def stall() -> Iterator[bytes]:
        yield b": hello\n\n"
        stuck.set()
        assert aborted.wait(LIMIT)
        raise OSError("shut down")

    def connect(attempt: Attempt) -> Any:
        return Source(stall(), abort=aborted.set) if attempt.number == 1 else [event(1)]

    stream = iter_events(retrying(connect, retry=Retry(base=0.0)), timeouts=Timeouts(silence=0.05))
    assert [item.data for item in stream] == ["event 1"]
    assert stuck.is_set()
    assert aborted.is_set()


def test_a_stalled_task_is_cancelled_before_the_next_attempt_delivers() -> None:
    left = list[int]()

    async def connect(attempt: Attempt) -> AsyncIterator[bytes]:
        try:
            if attempt.number == 1:
                await asyncio.sleep(1000.0)
            yield event(attempt.number)
        finally:
            left.append(attempt.number)

    async def main(clock: Clock) -> list[list[int]]:
        stream = aiter_events(aretrying(connect, retry=POLICY), timeouts=Timeouts(silence=10.0))
        return [list(left) async for _ in stream]

    assert warp(main) == [[1, 2]]


def test_each_attempt_sees_the_context_in_which_the_stream_was_made() -> None:
    user = contextvars.ContextVar("user", default="nobody")
    seen = list[str]()

    def connect(attempt: Attempt) -> Iterator[bytes]:
        seen.append(user.get())
        if attempt.number == 1:
            raise ConnectionResetError
        yield event(1)

    async def aconnect(attempt: Attempt) -> AsyncIterator[bytes]:
        for chunk in connect(attempt):
            yield chunk

    async def main() -> None:
        user.set("us")
        stream = arepair(aretrying(aconnect, retry=Retry(base=0.0)))
        user.set("somebody else")
        assert [item async for item in stream] == [event(1)]

    def make() -> Iterator[bytes]:
        user.set("us")
        return repair(retrying(connect, retry=Retry(base=0.0)))

    assert list(contextvars.copy_context().run(make)) == [event(1)]
    asyncio.run(main())
    assert seen == ["us"] * 4


def test_priming_waits_for_the_attempt_that_delivers() -> None:
    attempts = Attempts([[ConnectionResetError()], [event(1)]])
    stream = repair(retrying(attempts.connect, retry=Retry(base=0.0)))
    assert stream.prime()
    assert b"".join(stream) == event(1)


def test_priming_raises_when_no_attempt_is_left() -> None:
    attempts = Attempts([[status_error(503)], [status_error(503)]])
    stream = repair(retrying(attempts.connect, retry=Retry(max_retries=1, base=0.0)))
    with pytest.raises(StreamError) as raised:
        stream.prime()
    assert (raised.value.status_hint, raised.value.retry_count, raised.value.safe_to_retry) == (503, 1, True)


# Leaving


def test_closing_ends_the_wait_for_an_attempt() -> None:
    attempts = Attempts([[ConnectionResetError()], WHOLE])
    waiting = threading.Event()
    source = retrying(attempts.connect, retry=Retry(base=3600.0, max_delay=3600.0), on_retry=lambda _: waiting.set())
    stream = repair(source, heartbeat=0.02)
    next(stream)  # a heartbeat
    assert waiting.wait(LIMIT)
    next(stream)
    stream.close()
    Threads().join()
    assert len(attempts.seen) == 1
    assert stream.report.verdict is Verdict.CANCELLED


def test_leaving_a_loop_ends_the_wait_for_an_attempt() -> None:
    async def main(clock: Clock) -> Attempts:
        attempts = Attempts([[ConnectionResetError()], WHOLE], clock=clock)
        async with arepair(aretrying(attempts.aconnect, retry=Retry(base=3600.0, max_delay=3600.0))) as stream:
            async for _ in stream:  # a heartbeat
                break
        return attempts

    assert len(warp(main).seen) == 1


def test_dropping_a_stream_ends_its_attempts_at_once() -> None:
    attempts = Attempts([[ConnectionResetError()], [b": hello\n\n", ConnectionResetError()], WHOLE])
    stream = repair(retrying(attempts.connect, retry=Retry(base=0.0, max_retries=1)), heartbeat=0.02)
    next(stream)
    gc.disable()
    try:
        del stream
        Threads().join()
    finally:
        gc.enable()


# What `connect` gives


class Response:
    """A context manager, as clients give it, which keeps where it was entered and left."""

    def __init__(self, chunks: Any, log: list[Any]) -> None:
        self.chunks = chunks
        self.log = log

    def __enter__(self) -> Any:
        self.log.append(("enter", threading.current_thread()))
        return self.chunks

    def __exit__(self, *error: object) -> None:
        self.log.append(("exit", threading.current_thread()))

    async def __aenter__(self) -> Any:
        self.log.append(("enter", asyncio.current_task()))
        return self.chunks

    async def __aexit__(self, *error: object) -> None:
        self.log.append(("exit", asyncio.current_task()))


def test_each_attempt_is_left_in_the_thread_that_entered_it_before_the_next_begins() -> None:
    attempts = Attempts([[ConnectionResetError()], [event(1)]])
    log: list[Any] = []
    source = retrying(lambda attempt: Response(attempts.connect(attempt), log), retry=Retry(base=0.0))
    assert [item.data for item in iter_events(source)] == ["event 1"]
    Threads().join()
    assert [what for what, _ in log] == ["enter", "exit"] * 2
    assert log[0][1] is log[1][1]
    assert log[2][1] is log[3][1] is not threading.main_thread()


def test_each_attempt_is_left_in_the_task_that_entered_it() -> None:
    async def main() -> list[Any]:
        attempts = Attempts([[ConnectionResetError()], [event(1)]])
        log: list[Any] = []

        async def connect(attempt: Attempt) -> Response:
            return Response(await attempts.aconnect(attempt), log)

        assert [item.data async for item in aiter_events(aretrying(connect, retry=Retry(base=0.0)))] == ["event 1"]
        return log

    log = asyncio.run(main())
    assert [what for what, _ in log] == ["enter", "exit"] * 2
    assert log[0][1] is log[1][1]
    assert log[2][1] is log[3][1]


def test_leaving_an_asynchronous_stream_closes_its_chunks_in_the_task_that_reads_them() -> None:
    tasks = list[Any]()

    async def connect(attempt: Attempt) -> AsyncIterator[bytes]:
        tasks.append(asyncio.current_task())
        try:
            for number in itertools.count():  # until nobody has room for more
                yield event(number)
        finally:
            tasks.append(asyncio.current_task())

    async def main() -> int:
        async with aiter_events(aretrying(connect)) as stream:
            await anext(stream)
        return len(tasks)

    assert asyncio.run(main()) == 2
    assert tasks[0] is tasks[1]


def test_an_error_that_is_a_response_is_closed() -> None:
    """As `urllib.error.HTTPError` is."""
    closed = list[bool]()
    error = status_error(503)
    error.close = lambda: closed.append(True)  # type: ignore[attr-defined]
    outcome = read_events(Attempts([[error], [event(1)]]), retry=QUICK)
    assert outcome.events == ["event 1"]
    assert closed == [True]


def test_a_response_is_taken_as_it_is() -> None:
    answers = [httpx.Response(503, headers={"Retry-After": "0"}), httpx.Response(200, content=event(1))]
    client = httpx.Client(transport=httpx.MockTransport(lambda request: answers.pop(0)))
    with client:
        source = retrying(lambda _: client.send(client.build_request("GET", "http://x"), stream=True), retry=QUICK)
        assert [item.data for item in iter_events(source)] == ["event 1"]
    assert answers == []


def test_an_attempt_that_is_opened_too_late_is_not_read() -> None:
    connecting, go_on, read = threading.Event(), threading.Event(), list[bytes]()

    def send() -> Iterator[bytes]:
        read.append(event(1))
        yield event(1)

    def connect(attempt: Attempt) -> Iterator[bytes]:
        connecting.set()
        assert go_on.wait(LIMIT)
        return send()

    stream = repair(retrying(connect), heartbeat=0.02)
    next(stream)  # a heartbeat
    assert connecting.wait(LIMIT)
    stream.close()
    go_on.set()
    Threads().join()
    assert read == []


def test_a_source_is_closed_after_its_attempt() -> None:
    closed = list[int]()

    def connect(attempt: Attempt) -> Source:
        parts: list[Part] = [ConnectionResetError()] if attempt.number == 1 else [event(1)]
        return Source(Attempts([])._send(parts), close=lambda: closed.append(attempt.number))

    list(iter_events(retrying(connect, retry=Retry(base=0.0))))
    Threads().join()
    assert closed == [1, 2]


def test_an_asynchronous_source_is_closed_after_its_attempt() -> None:
    closed = list[str]()

    async def aclose() -> None:
        closed.append("awaited")

    async def main() -> None:
        def connect(attempt: Attempt) -> Source:
            parts: list[Part] = [ConnectionResetError()] if attempt.number == 1 else [event(1)]
            close = aclose if attempt.number == 1 else lambda: closed.append("called")
            return Source(Attempts([])._asend(parts), close=close)

        assert len([item async for item in aiter_events(aretrying(connect, retry=Retry(base=0.0)))]) == 1

    asyncio.run(main())
    assert closed == ["awaited", "called"]


def test_a_generator_function_is_a_connect() -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        yield event(attempt.number)

    async def aconnect(attempt: Attempt) -> AsyncIterator[bytes]:
        yield event(attempt.number)

    async def main() -> list[Event]:
        return [item async for item in aiter_events(aretrying(aconnect))]

    assert [item.data for item in iter_events(retrying(connect))] == ["event 1"]
    assert [item.data for item in asyncio.run(main())] == ["event 1"]


MISUSE: dict[str, tuple[Any, str]] = {
    "nothing": (None, "connect returned NoneType, not an iterable of bytes; return what the client has for the body"),
    "bytes": (b"data: 1\n\n", "connect returned bytes, not an iterable of bytes; return a list of it"),
    "text": ("data: 1\n\n", "connect returned str, not an iterable of bytes; return a list of it, encoded"),
    "a number": (5, "connect returned int, not an iterable of bytes; return what the client has for the body"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_a_connect_that_returns_no_chunks_is_refused(name: str) -> None:
    given, message = MISUSE[name]
    with pytest.raises(TypeError, match=f"^retrying\\(connect\\): {message}$"):
        list(iter_events(retrying(lambda _: given)))

    async def main() -> None:
        with pytest.raises(TypeError, match=f"^aretrying\\(connect\\): {message}$"):
            _ = [item async for item in aiter_events(aretrying(lambda _: given))]

    asyncio.run(main())


def test_a_coroutine_function_is_refused_in_favour_of_aretrying() -> None:
    async def aconnect(attempt: Attempt) -> list[bytes]:
        pytest.fail("is never awaited")

    with pytest.raises(TypeError, match=r"connect returned coroutine.* use aretrying"):
        list(iter_events(retrying(aconnect)))
    gc.collect()  # a coroutine that is left open warns now, and warnings are errors


def test_each_twin_names_the_other_for_the_wrong_kind_of_iterable() -> None:
    async def aconnect(attempt: Attempt) -> AsyncIterator[bytes]:
        yield event(1)

    with pytest.raises(TypeError, match="aretrying"):
        list(iter_events(retrying(aconnect)))

    async def main() -> None:
        with pytest.raises(TypeError, match="use retrying"):
            _ = [item async for item in aiter_events(aretrying(lambda _: [event(1)]))]

    asyncio.run(main())


def test_a_response_that_was_closed_already_is_misuse_and_not_a_failure_of_upstream() -> None:
    response = httpx.Response(200, stream=httpx.ByteStream(b""))
    response.close()
    with pytest.raises(TypeError, match=r"retrying\(connect\): .*closed already"):
        list(iter_events(retrying(lambda attempt: response)))


@pytest.mark.parametrize("function", [retrying, aretrying])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"connect": 5}, "connect"),
        ({"connect": print, "retry": 3}, "retry"),
        ({"connect": print, "on_retry": 3}, "on_retry"),
    ],
)
def test_misuse_is_refused_at_the_call(function: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"{function.__name__}\\({message}="):
        function(**arguments)


# What is reported


def test_every_further_attempt_is_announced_before_its_wait() -> None:
    announced = list[Attempt]()
    error = ConnectionResetError()
    attempts = Attempts([[error], [event(1)]])
    read_events(attempts, retry=Retry(base=0.0), on_retry=announced.append)
    assert announced == attempts.seen[1:]
    assert announced == [Attempt(number=2, last_event_id="", error=error, delay=0.0)]


def test_a_callback_that_raises_stops_no_attempt(caplog: pytest.LogCaptureFixture) -> None:
    def on_retry(attempt: Attempt) -> None:
        raise RuntimeError("secret")

    with caplog.at_level(logging.WARNING, "unbroken"):
        outcome = read_events(Attempts([[ConnectionResetError()], WHOLE]), retry=Retry(base=0.0), on_retry=on_retry)
    assert outcome.events == ALL
    assert "on_retry raised RuntimeError" in caplog.messages


@every_reader
@pytest.mark.usefixtures("_on_scripted_time")
def test_a_judge_that_raises_leaves_the_failure_as_it_is(
    read: Callable[..., Outcome], caplog: pytest.LogCaptureFixture
) -> None:
    def worth(status: int | None, error: BaseException | None) -> bool:
        raise RuntimeError("secret")

    attempts = Attempts([[b": hello\n\n", ConnectionResetError()], WHOLE])
    with caplog.at_level(logging.WARNING, "unbroken"):
        outcome = read(attempts, retry=Retry(worth=worth))
    assert outcome.events == []
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.error_type) == ("upstream-failed", "ConnectionResetError")
    assert "worth raised RuntimeError" in caplog.messages
    assert "secret" not in caplog.text


def test_the_log_holds_nothing_that_upstream_said(caplog: pytest.LogCaptureFixture) -> None:
    attempts = Attempts([[ConnectionResetError("secret\x1b[2J\nforged")], [KeyError("secret")]])
    with caplog.at_level(logging.INFO, "unbroken"):
        read_frames(attempts, retry=Retry(base=0.0))
    assert "ConnectionResetError: attempt 2 follows in 0.0 seconds" in caplog.messages
    assert "secret" not in caplog.text
    assert "\x1b" not in caplog.text


# Errors of the program


def broken(attempt: Attempt) -> Iterator[bytes]:
    yield b": hello\n\n"
    raise KeyError("oops\x1b[2J\nforged")


async def abroken(attempt: Attempt) -> AsyncIterator[bytes]:
    for chunk in broken(attempt):
        yield chunk


def wrong_arity() -> Any:
    pytest.fail("is never called")


def frames_of(error: BaseException | None) -> list[str]:
    assert error is not None
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("timeouts", [None, OFF])
def test_an_error_of_the_program_is_the_cause_of_what_is_raised(timeouts: Timeouts | None) -> None:
    for chunks in (retrying(broken), broken(Attempt())):
        stream = iter_events(chunks, timeouts=timeouts)
        with pytest.raises(StreamError) as raised:
            list(stream)
        assert isinstance(raised.value.__cause__, KeyError)
        assert frames_of(raised.value.__cause__)[-1] == "broken"
        assert raised.value is stream.report.error
        assert pickle.loads(pickle.dumps(raised.value)).__cause__ is None
    with pytest.raises(StreamError) as raised:
        list(iter_events(retrying(wrong_arity), timeouts=timeouts))
    assert "wrong_arity() takes 0 positional arguments" in str(raised.value.__cause__)


def test_an_error_of_the_program_is_the_cause_of_what_is_raised_asynchronously() -> None:
    async def main(clock: Clock) -> None:
        for stream in (aiter_events(aretrying(abroken)), aiter_events(retrying(broken))):
            with pytest.raises(StreamError) as raised:
                _ = [item async for item in stream]
            assert "broken" in frames_of(raised.value.__cause__)[-1]
        stream = arepair(aretrying(abroken))
        with pytest.raises(StreamError) as raised:
            await stream.aprime()
        assert isinstance(raised.value.__cause__, KeyError)

    asyncio.run(main(Clock()))


def test_an_error_of_the_program_is_the_cause_of_what_priming_raises() -> None:
    stream = repair(retrying(broken))
    with pytest.raises(StreamError) as raised:
        stream.prime()
    assert isinstance(raised.value.__cause__, KeyError)


def test_the_cause_is_what_the_client_raised_and_not_what_upstream_had_said() -> None:
    refusal = status_error(401)
    assert read_events(Attempts([[refusal]])).error.__cause__ is refusal  # type: ignore[union-attr]
    told = b'data: {"type":"unbroken_error","error":{"type":"unbroken_error","code":"overloaded"}}\n\n'
    outcome = read_events(Attempts([[told, ConnectionResetError()]]))
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.__cause__) == ("overloaded", None)


@pytest.mark.parametrize("timeouts", [None, OFF])
def test_where_a_frame_tells_the_failure_the_log_tells_where_it_came_from(
    timeouts: Timeouts | None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "unbroken"):
        stream = repair(retrying(broken), heartbeat=None, timeouts=timeouts)
        assert b"oops" not in b"".join(stream)
    (record,) = (it for it in caplog.records if it.levelno == logging.DEBUG)
    assert record.getMessage() == "upstream raised KeyError"
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError
    assert "in broken\n" in caplog.text
    assert "oops" in caplog.text
    assert "\x1b" not in caplog.text
    assert "forged" not in {line[:6] for line in caplog.text.splitlines()}
    assert stream.report.error is not None
    assert stream.report.error.__cause__ is None  # a report is kept longer than what the frames of a cause hold


def test_the_log_tells_the_causes_of_a_cause(caplog: pytest.LogCaptureFixture) -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        try:
            yield from broken(attempt)
        except KeyError as error:
            raise RuntimeError("no such setting") from error

    with caplog.at_level(logging.DEBUG, "unbroken"):
        b"".join(repair(retrying(connect), heartbeat=None, timeouts=None))
    assert caplog.text.index("KeyError: ") < caplog.text.index("This led to:") < caplog.text.index("RuntimeError: ")


def test_the_causes_of_a_cause_may_go_in_a_circle(caplog: pytest.LogCaptureFixture) -> None:
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    with caplog.at_level(logging.DEBUG, "unbroken"):
        read_frames(Attempts([[one]]))
    assert caplog.text.count("RuntimeError: one") == 4


def test_what_is_raised_is_not_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "unbroken"):
        read_events(Attempts([[KeyError()]]))
        assert not [it for it in caplog.records if it.levelno == logging.DEBUG]
        read_events(Attempts([[ConnectionResetError()], [event(1)]]), retry=QUICK)  # raised nowhere
    assert [it.getMessage() for it in caplog.records if it.levelno == logging.DEBUG] == [
        "upstream raised ConnectionResetError"
    ]


@pytest.mark.parametrize("make", [lambda: repair(retrying(broken)), lambda: repair(broken(Attempt()))])
def test_a_stream_that_met_an_error_is_gone_as_soon_as_it_is_dropped(make: Callable[[], Any]) -> None:
    stream = make()
    gc.disable()
    try:
        b"".join(stream)
        gone = weakref.ref(stream)
        del stream
        assert gone() is None
    finally:
        gc.enable()


def test_the_error_of_a_retry_loop_pickles() -> None:
    outcome = read_events(Attempts([[status_error(429, Retry_After="2")]]), retry=Retry(max_retries=0))
    assert outcome.error is not None
    copy = pickle.loads(pickle.dumps(outcome.error))
    facts = ("code", "status_hint", "retry_after", "retry_count", "tokens_received", "safe_to_retry", "public_message")
    assert {name: getattr(copy, name) for name in facts} == {name: getattr(outcome.error, name) for name in facts}
    assert str(copy) == str(outcome.error)
    assert copy.report is None


def test_jitter_spreads_the_waits() -> None:
    delays = set[float]()
    for _ in range(20):
        attempts = Attempts([[ConnectionResetError()], [event(1)]])
        read_events(attempts, retry=Retry(base=0.001))
        delays.update(attempts.delays)
    assert len(delays) > 1
    assert min(delays) >= 0.0005
    assert max(delays) <= 0.001


def test_the_twins_take_the_same_arguments() -> None:
    assert retrying.__kwdefaults__ == aretrying.__kwdefaults__
    assert retrying.__annotations__ == aretrying.__annotations__


def test_a_stream_error_of_an_inner_stream_is_judged_like_any_other() -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        if attempt.number == 1:
            raise StreamError(Failure("overloaded", 529, retry_after=0.0))
        yield event(1)

    assert [item.data for item in iter_events(retrying(connect, retry=Retry(base=0.0)))] == ["event 1"]


def test_interrupts_pass() -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        raise KeyboardInterrupt

    for timeouts in (None, OFF):
        with pytest.raises(KeyboardInterrupt):
            list(iter_events(retrying(connect), timeouts=timeouts))
