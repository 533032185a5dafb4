"""The schedule of retries: what waits how long, and when no further attempt is made."""

from __future__ import annotations

import dataclasses
import inspect
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import Retry, aretrying, retrying


def test_waits_double_from_one_second_up_to_the_longest() -> None:
    retry = Retry(max_retries=5, jitter=False)
    assert [retry.delay(retries) for retries in range(6)] == [1.0, 2.0, 4.0, 4.0, 4.0, None]


def test_the_default_gives_two_more_attempts() -> None:
    assert [Retry().delay(retries) is not None for retries in range(4)] == [True, True, False, False]


def test_no_retries_gives_up_at_once() -> None:
    assert Retry(max_retries=0).delay(0, asked=0.0) is None


def test_a_long_retry_loop_does_not_overflow() -> None:
    assert Retry(max_retries=10**6, max_delay=4.0, jitter=False).delay(10**6 - 1) == 4.0


@pytest.mark.parametrize(
    ("retries", "asked", "expected"),
    [
        (0, None, (0.5, 1.0)),  # ours is spread downwards
        (2, None, (2.0, 4.0)),
        (0, 10.0, (10.0, 10.5)),  # the server's is never undercut, and spread upwards
        (0, 0.0, (0.5, 1.0)),  # "at once" does not undercut ours either
        (1, 1.5, (1.5, 2.5)),
    ],
)
def test_jitter_spreads_a_wait_by_half_of_ours(
    retries: int, asked: float | None, expected: tuple[float, float]
) -> None:
    retry = Retry(max_retries=5)
    assert (retry.delay(retries, asked, 0.0), retry.delay(retries, asked, 1.0)) == expected


def test_without_jitter_a_wait_is_the_longer_of_ours_and_the_servers() -> None:
    retry = Retry(max_retries=5, jitter=False)
    assert [retry.delay(retries, 3.0) for retries in range(4)] == [3.0, 3.0, 4.0, 4.0]


def test_a_server_that_asks_for_too_long_a_wait_gets_none() -> None:
    retry = Retry(max_retry_after=60.0, jitter=False)
    assert retry.delay(0, 60.0) == 60.0
    assert retry.delay(0, 60.1) is None


@given(
    st.integers(0, 200),
    st.none() | st.floats(0, 1e9),
    st.floats(0, 1),
    st.floats(0, 100),
    st.floats(0, 100),
    st.booleans(),
)
def test_no_wait_is_shorter_than_asked_or_longer_than_allowed(
    retries: int, asked: float | None, chance: float, base: float, longest: float, jitter: bool
) -> None:
    retry = Retry(max_retries=100, base=base, max_delay=longest, jitter=jitter)
    delay = retry.delay(retries, asked, chance)
    if retries >= 100 or (asked or 0.0) > retry.max_retry_after:
        assert delay is None
    else:
        assert delay is not None
        assert (asked or 0.0) <= delay <= (asked or 0.0) + longest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_retries": -1}, "max_retries"),
        ({"max_retries": 1.5}, "max_retries"),
        ({"max_retries": True}, "max_retries"),
        ({"base": -1}, "base"),
        ({"base": True}, "base"),
        ({"max_delay": math.inf}, "max_delay"),
        ({"max_delay": math.nan}, "max_delay"),
        ({"max_retry_after": "60"}, "max_retry_after"),
    ],
)
def test_a_bad_figure_is_refused_by_name(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Retry(**arguments)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Retry(retries=3), r"^Retry\(\) takes no argument 'retries' \(write max_retries,"),
        (lambda: Retry(attempts=3), r"^Retry\(\) takes no argument 'attempts' \(write max_retries,"),
        (lambda: Retry(max_delai=3), r"^Retry\(\) takes no argument 'max_delai' \(did you mean 'max_delay'\?\)"),
        (lambda: Retry(zzz=3), r"^Retry\(\) takes no argument 'zzz'; it takes max_retries, base, "),
        (
            lambda: retrying(list, max_retries=3),
            r"^retrying\(\) takes no argument 'max_retries' \(write retry=unbroken.Retry\(max_retries=\.\.\.\)\)",
        ),
        (lambda: aretrying(list, retries=3), r"^aretrying\(\) takes no .*write retry=unbroken.Retry\(max_retries="),
        (lambda: retrying(list, base=3), r"write retry=unbroken.Retry\(base="),
        (lambda: retrying(list, resumes=True), r"did you mean 'resume'\?"),
        (lambda: retrying(retry=Retry()), r"^retrying\(\) takes a function of the attempt: write lambda attempt: "),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(make: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


def test_a_policy_takes_its_figures_by_place_too_shows_them_and_can_be_copied() -> None:
    policy = Retry(3, 0.5)
    assert (policy.max_retries, policy.base) == (3, 0.5)
    assert next(iter(inspect.signature(Retry).parameters)) == "max_retries"
    assert dataclasses.replace(policy, base=2.0) == pickle.loads(pickle.dumps(Retry(3, 2.0)))


def test_a_worth_that_is_not_a_function_is_refused() -> None:
    with pytest.raises(TypeError, match="worth"):
        Retry(worth=429)  # type: ignore[arg-type]
