"""The retry loop: which failures are followed by another attempt, after how long, and what is reported of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from tests.attempts import (
    ALL,
    POLICY,
    WHOLE,
    Attempts,
    Outcome,
    Part,
    event,
    every_reader,
    no_thread_is_left,  # noqa: F401  # a fixture of every test
    on_scripted_time,  # noqa: F401
    read_async,
    read_events,
    read_frames,
    status_error,
)
from unbroken import Attempt, Retry, Source, Verdict

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
@pytest.mark.usefixtures("on_scripted_time")
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
@pytest.mark.usefixtures("on_scripted_time")
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
    "a bug": (KeyError("secret"), "application-error", 500),
    "too long a wait": (status_error(429, Retry_After="3600"), "rate-limited", 429),
}


@every_reader
@pytest.mark.parametrize("name", PERMANENT)
@pytest.mark.usefixtures("on_scripted_time")
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
@pytest.mark.usefixtures("on_scripted_time")
def test_an_answer_with_an_error_status_is_a_failure(read: Callable[..., Outcome]) -> None:
    answers = [429, 200]
    sent = [b"rate limit", event(1)]

    def answer(attempt: Attempt) -> Source:
        number = attempt.number - 1
        chunks = attempts.asend([sent[number]]) if read is read_async else iter([sent[number]])
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
@pytest.mark.usefixtures("on_scripted_time")
def test_the_policy_may_decide_otherwise_what_is_retryable(read: Callable[..., Outcome]) -> None:
    asked = list[tuple[int | None, BaseException | None]]()

    def worth(status: int | None, error: BaseException | None) -> bool:
        asked.append((status, error))
        return status == 401

    refusal, bug = status_error(401), KeyError("x")
    outcome = read(Attempts([[refusal], [bug]]), retry=Retry(worth=worth, jitter=False))
    assert asked == [(401, refusal), (None, bug)]
    assert outcome.error is not None


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
@pytest.mark.usefixtures("on_scripted_time")
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
    attempts = Attempts([[ConnectionResetError("secret\x1b[2J\nforged")], [ConnectionResetError("secret")]])
    with caplog.at_level(logging.INFO, "unbroken"):
        read_frames(attempts, retry=Retry(max_retries=1, base=0.0))
    assert "ConnectionResetError: attempt 2 follows in 0.0 seconds" in caplog.messages
    assert "secret" not in caplog.text
    assert "\x1b" not in caplog.text
