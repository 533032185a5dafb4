"""Numbers that callers pass: whatever stands in their place is taken, or refused with an error that names it."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import unbroken
from unbroken.core.quantities import MAX_COUNT, check_count, check_seconds, shown
from unbroken.testing.clock import FakeClock
from unbroken.testing.sources import Pause, Repeat

HUGE = 1 << 20_000
"""Beyond every float and every integer of C, with more digits than Python prints."""


def nested(depth: int) -> list[Any]:
    """Return lists in lists, which cannot be printed."""
    inner = list[Any]()
    for _ in range(depth):
        inner = [inner]
    return inner


NUMBERS: list[Any] = [
    *(10**400, -(10**400), 2**1024, 2**63, 2**63 - 1, 2**31, 0, 1, -1, True, False),
    *(math.inf, -math.inf, math.nan, 1e308, 5e-324, -0.0, 0.001, 0.5, 60.0),
]
VALUES = st.recursive(
    st.sampled_from(NUMBERS) | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4) | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)


def heartbeat(value: Any) -> object:
    return unbroken.repair([b"data: 1\n\n"], heartbeat=value, timeouts=None).close()


def prime(value: Any) -> object:
    with unbroken.repair([b"data: 1\n\n"], heartbeat=None, timeouts=None) as stream:
        return stream.prime(timeout=value)


TAKERS: dict[str, tuple[str, Callable[[Any], object]]] = {
    **{
        f"Timeouts.{name}": (name, lambda value, name=name: unbroken.Timeouts(**{name: value}))  # type: ignore[misc]
        for name in ("first", "idle", "silence", "total")
    },
    **{
        f"Retry.{name}": (name, lambda value, name=name: unbroken.Retry(**{name: value}))  # type: ignore[misc]
        for name in ("max_retries", "base", "max_delay", "max_retry_after", "worth")
    },
    "Retry.delay.retries": ("retries", lambda value: unbroken.Retry().delay(value)),
    "Retry.delay.asked": ("asked", lambda value: unbroken.Retry().delay(0, value)),
    "Retry.delay.chance": ("chance", lambda value: unbroken.Retry().delay(0, None, value)),
    "FailureWindow.limit": ("limit", lambda value: unbroken.FailureWindow(limit=value).failed("p")),
    "FailureWindow.seconds": ("seconds", lambda value: unbroken.FailureWindow(seconds=value).failed("p")),
    "FlightRecorder.chunks": ("chunks", lambda value: unbroken.FlightRecorder(chunks=value)),
    "FlightRecorder.content": ("content", lambda value: unbroken.FlightRecorder(content=value)),
    "heartbeat": ("heartbeat", heartbeat),
    "prime": ("timeout", prime),
    **{
        f"option {name}": (name, lambda value, name=name: unbroken.StreamRepairer(**{name: value}))  # type: ignore[misc]
        for name in ("heartbeat", "max_event_bytes", "timeouts", "format", "dialect", "invalid_json", "heartbeat_bytes")
    },
    "FakeClock.advance": ("seconds", lambda value: FakeClock().advance(value)),
    "Pause": ("seconds", Pause),
    "Repeat": ("times", lambda value: Repeat(b"", value)),
}


@pytest.mark.parametrize("taker", TAKERS)
@given(value=VALUES)
def test_what_is_passed_for_a_number_is_taken_or_refused_by_name(taker: str, value: Any) -> None:
    name, take = TAKERS[taker]
    message = refusal(take, value)
    assert message is None or name in message
    assert len(message or "") < 400


@pytest.mark.parametrize("taker", TAKERS)
def test_what_cannot_be_printed_is_taken_or_refused_by_name(taker: str) -> None:
    name, take = TAKERS[taker]
    for value in (HUGE, -HUGE, nested(100_000), {"a": HUGE}):
        assert name in (refusal(take, value) or name)


def refusal(take: Callable[[Any], object], value: Any) -> str | None:
    """Return the message with which a value is refused, or None if it is taken. No other error is caught."""
    try:
        take(value)
    except (TypeError, ValueError) as error:
        return str(error)
    return None


REFUSED_AS_SECONDS = [math.nan, math.inf, -math.inf, -1, -0.5, True, False, "1", b"1", [1], HUGE, -HUGE, 10**400]
REFUSED_AS_COUNTS = [True, -1, 1.0, math.nan, math.inf, "1", None, HUGE, -HUGE, MAX_COUNT + 1]
TAKERS_OF_SECONDS = [name for name in TAKERS if name.startswith(("Timeouts.", "FailureWindow.seconds"))]
TAKERS_OF_SECONDS += ["Retry.base", "Retry.max_delay", "Retry.max_retry_after", "heartbeat", "option heartbeat"]


TAKERS_OF_COUNTS = ["Retry.max_retries", "FailureWindow.limit", "FlightRecorder.chunks", "FlightRecorder.content"]
TAKERS_OF_COUNTS += ["option max_event_bytes", "Retry.delay.retries"]


@pytest.mark.parametrize(
    ("taker", "refused"),
    [(taker, REFUSED_AS_SECONDS) for taker in TAKERS_OF_SECONDS]
    + [(taker, REFUSED_AS_COUNTS) for taker in TAKERS_OF_COUNTS],
    ids=[*TAKERS_OF_SECONDS, *TAKERS_OF_COUNTS],
)
def test_what_is_no_duration_or_no_count_is_refused_by_all_that_take_one(taker: str, refused: list[Any]) -> None:
    name, take = TAKERS[taker]
    messages = [refusal(take, value) for value in refused]
    assert all(message is not None and name in message for message in messages), messages


def test_the_largest_count_is_taken_by_all_that_take_one() -> None:
    window = unbroken.FailureWindow(limit=MAX_COUNT)
    window.failed("p")
    assert not window.degraded("p")
    stream = unbroken.repair([b"data: 1\n\n"], max_event_bytes=MAX_COUNT, heartbeat=None, timeouts=None)
    assert list(stream) == [b"data: 1\n\n"]
    flight = unbroken.FlightRecorder(chunks=MAX_COUNT, content=MAX_COUNT)
    list(unbroken.repair([b"data: 1\n\n"], observers=[flight], heartbeat=None, timeouts=None))
    assert len(flight.lines()) == 2


@pytest.mark.parametrize("value", [0.001, 1, 60.0, 2**1000, sys.float_info.max])
def test_a_duration_comes_back_as_a_float(value: float) -> None:
    seconds = check_seconds("name", value)
    assert seconds == value
    assert type(seconds) is float


def test_messages_say_the_name_the_bound_the_value_and_what_else_there_is() -> None:
    with pytest.raises(ValueError, match=r"^s must be finite and 0\.001 seconds or more, not 0; None is off$"):
        check_seconds("s", 0, instead="None is off")
    with pytest.raises(TypeError, match=r"^s takes seconds as a number, not a list$"):
        check_seconds("s", [1])
    with pytest.raises(ValueError, match=r"^c must be a whole number of bytes, at least 3, not 2$"):
        check_count("c", 2, least=3, unit=" of bytes")
    with pytest.raises(
        ValueError, match=rf"^c must be a whole number, at most {MAX_COUNT}, not an integer of .* bits$"
    ):
        check_count("c", HUGE)


def test_any_value_is_shown_on_one_short_line() -> None:
    values: list[Any] = [HUGE, -HUGE, "x" * 10**6, b"x" * 10**6, nested(100_000), {"a": HUGE}, "\x1b\n", 1.5]
    for text in map(shown, values):
        assert text.isprintable()
        assert len(text) < 60


def test_a_retry_that_waits_longer_than_a_lock_can_does_not_fail() -> None:
    asked = list[int]()
    waiting = threading.Event()

    def connect(attempt: unbroken.Attempt) -> list[bytes]:
        asked.append(attempt.number)
        raise ConnectionError

    retry = unbroken.Retry(base=1e300, max_delay=1e300, max_retry_after=1e300)
    source = unbroken.retrying(connect, retry=retry, on_retry=lambda attempt: waiting.set())
    stream = unbroken.iter_events(source, timeouts=unbroken.Timeouts(total=0.2))
    with pytest.raises(unbroken.StreamError, match="total-timeout"):
        list(stream)
    assert waiting.is_set()
    assert asked == [1]
