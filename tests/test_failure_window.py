"""Providers that fail too often: a window of errors, on a clock that is moved by hand."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted import Clock
from unbroken import Failure, Observer, StreamError, StreamReport, Verdict, repair
from unbroken.observe.failure_window import MAX_COUNTED, FailureWindow

CHUNK = b'data: {"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'


def window(**options: Any) -> tuple[FailureWindow, Clock, list[tuple[str, bool]]]:
    clock, changes = Clock(), list[tuple[str, bool]]()
    observer = FailureWindow(
        on_change=lambda provider, degraded: changes.append((provider, degraded)), clock=clock, **options
    )
    return observer, clock, changes


def fail(observer: FailureWindow, times: int, provider: str = "gemini") -> None:
    for _ in range(times):
        observer.failed(provider)


def test_more_than_five_errors_in_the_window_degrade_a_provider() -> None:
    observer, _, changes = window()
    fail(observer, 5)
    assert not observer.degraded("gemini")
    fail(observer, 1)
    assert observer.degraded("gemini")
    assert changes == [("gemini", True)]


def test_old_errors_do_not_count() -> None:
    observer, clock, changes = window(seconds=60.0)
    fail(observer, 3)
    clock.now += 60.0
    fail(observer, 5)
    assert not observer.degraded("gemini")
    assert changes == []


def test_a_provider_recovers_when_its_errors_grow_old() -> None:
    observer, clock, changes = window(seconds=60.0)
    fail(observer, 6)
    clock.now += 59.9
    assert observer.degraded("gemini")
    clock.now += 0.1
    assert not observer.degraded("gemini")
    assert changes == [("gemini", True), ("gemini", False)]


def test_each_change_is_reported_once() -> None:
    observer, clock, changes = window()
    fail(observer, 20)
    observer.degraded("gemini")
    clock.now += 60.0
    observer.degraded("gemini")
    observer.degraded("gemini")
    fail(observer, 6)
    assert changes == [("gemini", True), ("gemini", False), ("gemini", True)]


def test_providers_do_not_answer_for_each_other() -> None:
    observer, _, changes = window(limit=1)
    fail(observer, 2, "groq")
    fail(observer, 1, "gemini")
    assert (observer.degraded("groq"), observer.degraded("gemini"), observer.degraded("never seen")) == (
        True,
        False,
        False,
    )
    assert changes == [("groq", True)]


def test_a_recovery_is_found_out_while_another_provider_is_looked_at() -> None:
    observer, clock, changes = window(limit=0, seconds=10.0)
    fail(observer, 1, "groq")
    clock.now += 10.0
    observer.ended(report(None, Verdict.COMPLETE))
    assert changes == [("groq", True), ("groq", False)]


def test_a_limit_of_none_degrades_with_the_first_error() -> None:
    observer, _, _ = window(limit=0)
    fail(observer, 1)
    assert observer.degraded("gemini")


def report(code: str | None, verdict: Verdict, status: int | None = None, provider: str | None = "p") -> StreamReport:
    ended = StreamReport(provider=provider)
    ended.verdict = verdict
    ended.error = StreamError(Failure(code, status)) if code else None
    return ended


ENDINGS = {
    "the connection broke": (report("upstream-failed", Verdict.FAILED, 502), True),
    "it fell silent": (report("silence-timeout", Verdict.FAILED, 504), True),
    "it was cut": (report("truncated", Verdict.TRUNCATED), True),
    "it was overloaded": (report("overloaded", Verdict.FAILED, 529), True),
    "it limits requests": (report("rate-limited", Verdict.FAILED, 429), True),
    "it is complete": (report(None, Verdict.COMPLETE), False),
    "it ended": (report(None, Verdict.ENDED), False),
    "a cut that may be an end": (report(None, Verdict.TRUNCATED), False),
    "the consumer left": (report(None, Verdict.CANCELLED), False),
    "the key is bad": (report("authentication", Verdict.FAILED, 401), False),
    "the request is bad": (report("invalid-request", Verdict.FAILED, 400), False),
    "our own patience ended": (report("total-timeout", Verdict.FAILED, 504), False),
    "no provider is named": (report("upstream-failed", Verdict.FAILED, 502, provider=None), False),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_of_the_streams_that_end_those_count_that_the_provider_failed(name: str) -> None:
    ended, counts = ENDINGS[name]
    observer, _, _ = window(limit=0)
    observer.ended(ended)
    assert observer.degraded("p") == counts


def test_it_observes_real_streams() -> None:
    observer, _, changes = window(limit=1)
    assert isinstance(observer, Observer)
    for _ in range(2):
        list(repair([CHUNK], provider="gemini", observers=[observer], heartbeat=None, timeouts=None))
    assert changes == [("gemini", True)]


def test_a_callback_that_raises_is_logged_and_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    def on_change(provider: str, degraded: bool) -> None:
        raise RuntimeError("secret")

    observer = FailureWindow(limit=0, on_change=on_change)
    with caplog.at_level(logging.WARNING, "unbroken"):
        fail(observer, 1)
    assert caplog.messages[1:] == ["on_change raised RuntimeError"]


def test_each_change_is_logged_with_the_number_of_errors(caplog: pytest.LogCaptureFixture) -> None:
    observer, clock, _ = window(limit=2, seconds=60.0)
    with caplog.at_level(logging.INFO, "unbroken"):
        fail(observer, 2, 'a"\n')
        assert caplog.records == []
        fail(observer, 7, 'a"\n')
        clock.now += 59.0
        fail(observer, 1, 'a"\n')
        clock.now += 1.0
        assert not observer.degraded('a"\n')
    assert caplog.messages == [
        "provider 'a\"\\n' is degraded: 3 errors in the last 60 s",
        "provider 'a\"\\n' has recovered: 1 error in the last 60 s",
    ]
    facts = [vars(record) for record in caplog.records]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert [fact["stream_error_count"] for fact in facts] == [3, 1]
    assert [fact["stream_degraded"] for fact in facts] == [True, False]
    assert {fact["stream_provider"] for fact in facts} == {'a"\n'}


def test_the_window_counts_its_errors() -> None:
    observer, clock, _ = window(limit=5, seconds=60.0)
    assert observer.error_count("gemini") == 0
    fail(observer, 40)
    clock.now += 30.0
    fail(observer, 2)
    fail(observer, 1, "other")
    assert (observer.error_count("gemini"), observer.error_count("other")) == (42, 1)
    clock.now += 30.0
    assert observer.error_count("gemini") == 2
    clock.now += 30.0
    assert observer.error_count("gemini") == 0
    fail(observer, MAX_COUNTED + 50)
    assert observer.error_count("gemini") == MAX_COUNTED


def test_a_callback_may_ask_for_the_number_of_errors() -> None:
    told = list[int]()
    observer = FailureWindow(limit=3, on_change=lambda provider, degraded: told.append(observer.error_count(provider)))
    fail(observer, 5)
    assert told == [4]
    assert observer.degraded("gemini")


def test_a_callback_may_ask_the_window() -> None:
    asked = list[bool]()
    observer = FailureWindow(limit=0, on_change=lambda provider, degraded: asked.append(observer.degraded(provider)))
    fail(observer, 1)
    assert asked == [True]


def test_no_error_is_lost_between_threads() -> None:
    observer = FailureWindow(limit=800, seconds=3600.0)
    threads = [threading.Thread(target=fail, args=[observer, 100]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not observer.degraded("gemini")
    fail(observer, 1)
    assert observer.degraded("gemini")


@given(st.integers(0, 6), st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=40))
def test_it_agrees_with_counting_every_error(limit: int, steps: list[tuple[float, bool]]) -> None:
    observer, clock, changes = window(limit=limit, seconds=60.0)
    errors = list[float]()
    for pause, failed in steps:
        clock.now += pause
        if failed:
            errors.append(clock.now)
            observer.failed("p")
        count = sum(clock.now - at < 60.0 for at in errors)
        assert (observer.degraded("p"), observer.error_count("p")) == (count > limit, count)
    assert [state for _, state in changes] == [number % 2 == 0 for number in range(len(changes))]


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": -1},
        {"limit": 1.5},
        {"limit": True},
        {"seconds": 0},
        {"seconds": -1},
        {"seconds": "60"},
        {"seconds": None},
        {"on_change": 3},
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError), match=next(iter(arguments))):
        FailureWindow(**arguments)
