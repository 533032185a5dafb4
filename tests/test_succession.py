"""Resuming with another source: after what was delivered nothing is lost and nothing doubled."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attempts import (
    ALL,
    DONE,
    POLICY,
    QUICK,
    READERS,
    WHOLE,
    Attempts,
    Outcome,
    Part,
    chat,
    event,
    every_reader,
    no_thread_is_left,  # noqa: F401  # a fixture of every test
    on_scripted_time,  # noqa: F401
    read_async,
    read_events,
    read_frames,
)
from tests.scripted import Clock, warp
from unbroken import (
    Attempt,
    Format,
    RepairKind,
    Retry,
    StreamError,
    Verdict,
    aiter_events,
    aretrying,
    iter_events,
    repair,
    retrying,
)

# After something was delivered


@every_reader
@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.usefixtures("on_scripted_time")
def test_a_failure_after_content_without_an_id_is_never_retried(read: Callable[..., Outcome], resume: bool) -> None:
    attempts = Attempts([[chat("Hel"), chat("lo"), ConnectionResetError()], WHOLE])
    outcome = read(attempts, retry=POLICY, resume=resume)
    assert len(attempts.seen) == 1
    assert len(outcome.events) == 2
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.safe_to_retry, outcome.error.retry_count) == ("upstream-failed", False, 0)
    assert outcome.report.text == "Hello"


@every_reader
@pytest.mark.usefixtures("on_scripted_time")
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
@pytest.mark.usefixtures("on_scripted_time")
def test_a_broken_stream_goes_on_after_its_last_event(read: Callable[..., Outcome]) -> None:
    attempts = Attempts([[event(1) + event(2), b"id: 3\nda", ConnectionResetError()], [event(3)]])
    outcome = read(attempts, retry=POLICY, resume=True)
    assert outcome.events == ALL
    assert [attempt.last_event_id for attempt in attempts.seen] == ["", "2"]
    assert outcome.report.repairs == {RepairKind.UNFINISHED_TAIL: 1}


@every_reader
@pytest.mark.usefixtures("on_scripted_time")
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
@pytest.mark.usefixtures("on_scripted_time")
def test_an_answer_that_was_cut_cleanly_goes_on_where_the_dialect_tells(read: Callable[..., Outcome]) -> None:
    attempts = Attempts([[b"id: 1\n" + chat("Hel")], [b"id: 2\n" + chat("lo", stop=True) + b"id: 3\n" + DONE]])
    outcome = read(attempts, retry=POLICY, resume=True)
    assert outcome.report.verdict is Verdict.COMPLETE
    assert outcome.report.text == "Hello"
    assert [attempt.last_event_id for attempt in attempts.seen] == ["", "1"]
    assert isinstance(attempts.seen[1].error, StreamError)
    assert attempts.seen[1].error.code == "truncated"


@every_reader
@pytest.mark.usefixtures("on_scripted_time")
def test_what_breaks_after_the_end_is_not_a_failure(read: Callable[..., Outcome]) -> None:
    attempts = Attempts([[b"id: 1\n" + chat("Hi", stop=True) + b"id: 2\n" + DONE, ConnectionResetError()], WHOLE])
    outcome = read(attempts, retry=POLICY, resume=True)
    assert outcome.report.verdict is Verdict.COMPLETE
    assert len(attempts.seen) == 1
    assert outcome.error is None


@every_reader
@pytest.mark.usefixtures("on_scripted_time")
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

    attempts.next_script = script  # type: ignore[method-assign]
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
    assert sum(it.length for it in outcome.report.first_repairs) == page.index(b"</title") + len(b"</title")


def test_a_byte_order_mark_is_skipped_on_each_connection() -> None:
    mark = b"\xef\xbb\xbf"
    attempts = Attempts([[mark + event(1), ConnectionResetError()], [mark + event(2)], [mark + event(3)]])
    outcome = read_events(attempts, retry=Retry(base=0.0), resume=True)
    assert outcome.events == ["event 1", "event 2"]
    assert not set(outcome.report.repairs) - {RepairKind.UNFINISHED_TAIL}
