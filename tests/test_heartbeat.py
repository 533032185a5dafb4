"""Heartbeats and clocks, on a clock of the test's own."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken.core.heartbeat import MAX_TICK, Clocks, Heartbeat, Timeouts

INTERVALS = [0.001, 0.05, 0.2, 1.0, 5.0, 15.0, 3600.0]
STEPS = ["received", "content", "pause", "resume", "recognised"]
HUGE = pytest.param(1 << 20_000, id="huge")  # beyond every float, with more digits than Python prints
STARTS = [0.0, 0.1, 1234.567, 9e6 + 1 / 3]


def off(**limits: float | None) -> Timeouts:
    return Timeouts(**({"first": None, "idle": None, "silence": None, "total": None} | limits))


# Heartbeat


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("interval", INTERVALS)
def test_a_heartbeat_is_due_before_the_interval_is_over_and_not_much_before(interval, start):
    heartbeat = Heartbeat(interval)
    heartbeat.wrote(start)
    silence = heartbeat.next_deadline() - start
    assert 0.9 * interval <= silence + 1e-6
    assert silence < interval


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_timer_may_be_late_by_a_sixty_fourth_and_still_keep_the_interval(interval):
    heartbeat = Heartbeat(interval)
    late = min(interval, 4.0) / 64
    now = 77.7
    heartbeat.wrote(now)
    for _ in range(100):
        fired = heartbeat.next_deadline() + late
        assert fired - now <= interval
        assert heartbeat.due(heartbeat.next_deadline())
        assert heartbeat.due(fired)
        heartbeat.wrote(now := fired)


def test_bytes_written_put_the_heartbeat_off():
    heartbeat = Heartbeat(4.0)
    heartbeat.started(100.0)
    first = heartbeat.next_deadline()
    heartbeat.wrote(102.0)
    assert not heartbeat.due(first)
    assert heartbeat.next_deadline() == first + 2.0


def test_started_counts_from_the_first_time_only():
    heartbeat = Heartbeat(4.0)
    heartbeat.started(100.0)
    before = heartbeat.next_deadline()
    heartbeat.started(103.0)
    assert heartbeat.next_deadline() == before


@pytest.mark.parametrize("heartbeat", [Heartbeat(None), Heartbeat(5.0)], ids=["off", "not started"])
def test_no_heartbeat_is_due_when_off_or_not_started(heartbeat):
    assert heartbeat.next_deadline() is None
    assert not heartbeat.due(1e9)


def test_off_stays_off_after_bytes_were_written():
    heartbeat = Heartbeat(None)
    heartbeat.wrote(1.0)
    assert heartbeat.next_deadline() is None


def test_no_heartbeat_is_due_while_held_and_an_overdue_one_is_due_at_once_after():
    heartbeat = Heartbeat(5.0)
    heartbeat.started(0.0)
    heartbeat.held = True
    assert heartbeat.next_deadline() is None
    assert not heartbeat.due(60.0)
    heartbeat.held = False
    assert heartbeat.due(60.0)


def test_ten_thousand_streams_share_few_wake_ups():
    rng = random.Random(3)
    deadlines = set()
    for _ in range(10_000):
        heartbeat = Heartbeat(5.0)
        heartbeat.started(1000.0 + 5.0 * rng.random())
        deadlines.add(heartbeat.next_deadline())
    assert len(deadlines) <= 5.0 / MAX_TICK + 1


def test_streams_of_different_intervals_share_one_grid():
    rng = random.Random(4)
    deadlines = set()
    for _ in range(1_000):
        heartbeat = Heartbeat(rng.choice([4.0, 5.0, 10.0, 15.0]))
        heartbeat.started(1000.0 + rng.random())
        deadlines.add(heartbeat.next_deadline() % MAX_TICK)
    assert deadlines == {0.0}


# Clocks


def test_clocks_start_once():
    clocks = Clocks(off(silence=8.0))
    clocks.started(100.0)
    clocks.started(104.0)
    assert clocks.next_deadline() == 108.0


def test_silence_counts_from_the_start_and_again_from_every_byte():
    clocks = Clocks(off(silence=8.0))
    clocks.started(100.0)
    assert clocks.next_deadline() == 108.0
    clocks.received(103.0)
    assert clocks.expired(108.0) is None
    assert clocks.expired(110.9) is None
    assert clocks.expired(111.0) == "silence"


def test_first_and_idle_wait_until_a_dialect_is_recognised():
    clocks = Clocks(off(first=8.0, idle=4.0))
    clocks.started(100.0)
    assert clocks.next_deadline() is None
    assert clocks.expired(1e6) is None


def test_first_counts_from_the_start_however_late_the_dialect_is_recognised():
    clocks = Clocks(off(first=8.0, idle=4.0))
    clocks.started(100.0)
    clocks.received(105.0)
    clocks.recognised()
    clocks.recognised()
    assert clocks.next_deadline() == 108.0
    assert clocks.expired(108.0) == "first"


def test_a_dialect_named_before_the_start_arms_first_at_the_start():
    clocks = Clocks(off(first=8.0))
    clocks.recognised()
    assert clocks.next_deadline() is None
    clocks.started(100.0)
    assert clocks.expired(107.9) is None
    assert clocks.expired(108.0) == "first"


def test_idle_takes_the_place_of_first_with_the_first_content_and_pings_do_not_feed_it():
    clocks = Clocks(off(first=8.0, idle=4.0))
    clocks.recognised()
    clocks.started(100.0)
    clocks.content(107.0)
    clocks.received(110.0)
    assert clocks.expired(110.9) is None
    assert clocks.expired(111.0) == "idle"
    clocks.content(111.0)
    assert clocks.next_deadline() == 115.0


def test_content_shows_that_the_dialect_is_known():
    clocks = Clocks(off(first=8.0, idle=4.0))
    clocks.started(100.0)
    clocks.content(103.0)
    clocks.recognised()
    assert (clocks.next_deadline(), clocks.expired(107.0)) == (107.0, "idle")


def test_another_connection_arms_no_clock_that_waits_for_a_dialect():
    clocks = Clocks(off(first=8.0, idle=4.0))
    clocks.started(100.0)
    clocks.restarted(105.0)
    assert clocks.next_deadline() is None
    clocks.recognised()
    assert (clocks.next_deadline(), clocks.expired(113.0)) == (113.0, "first")
    clocks.content(110.0)
    clocks.restarted(120.0)
    assert (clocks.next_deadline(), clocks.expired(124.0)) == (124.0, "idle")


def test_total_is_put_off_by_nothing():
    clocks = Clocks(off(total=8.0, silence=60.0))
    clocks.recognised()
    clocks.started(100.0)
    clocks.received(107.0)
    clocks.content(107.0)
    assert clocks.expired(108.0) == "total"


def test_of_two_clocks_that_ran_out_the_earlier_one_is_named():
    clocks = Clocks(off(silence=8.0, total=16.0))
    clocks.started(0.0)
    assert clocks.expired(1000.0) == "silence"
    clocks.received(10.0)
    assert clocks.expired(1000.0) == "total"


def test_not_a_single_byte_is_called_silence_even_where_first_runs_out_too():
    clocks = Clocks(Timeouts(first=300.0, silence=300.0))
    clocks.recognised()
    clocks.started(0.0)
    assert clocks.expired(300.0) == "silence"


def test_every_clock_stands_still_while_paused():
    clocks = Clocks(Timeouts(first=8.0, idle=4.0, silence=6.0, total=32.0))
    clocks.recognised()
    clocks.started(100.0)
    clocks.pause(102.0)
    clocks.pause(103.0)  # a second pause changes nothing
    assert clocks.next_deadline() is None
    assert clocks.expired(1e6) is None
    clocks.resume(1102.0)
    clocks.resume(1103.0)  # nor does a second resume
    assert clocks.next_deadline() == 1106.0  # silence: 6 s, of which 2 were over
    clocks.received(1105.0)
    assert clocks.expired(1108.0) == "first"
    clocks.received(1106.0)
    clocks.content(1107.0)
    assert clocks.expired(1111.0) == "idle"
    for second in range(1111, 1132):
        clocks.received(second)
        clocks.content(second)
    assert clocks.expired(1132.0) == "total"


def test_what_arrives_during_a_pause_counts_from_where_the_clocks_stand():
    clocks = Clocks(off(silence=8.0, idle=4.0))
    clocks.recognised()
    clocks.started(100.0)
    clocks.pause(101.0)
    clocks.received(150.0)
    clocks.content(150.0)
    clocks.resume(201.0)
    assert clocks.next_deadline() == 205.0
    assert clocks.expired(205.0) == "idle"


@pytest.mark.parametrize("timeouts", [None, off()], ids=["None", "all off"])
def test_clocks_that_are_off_never_run_out(timeouts):
    clocks = Clocks(timeouts)
    clocks.recognised()
    clocks.started(0.0)
    clocks.content(1.0)
    assert clocks.next_deadline() is None
    assert clocks.expired(1e12) is None


@given(
    limits=st.fixed_dictionaries(
        {name: st.none() | st.floats(0.01, 1000.0) for name in ("first", "idle", "silence", "total")}
    ),
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.floats(0, 50))),
    start=st.floats(0, 1e7),
)
def test_a_clock_never_runs_out_late_and_at_most_a_tick_early(limits, steps, start):
    """A plain second reading of the rules, without rounding, says when each clock runs out."""
    clocks = Clocks(Timeouts(**limits))
    clocks.started(start)
    now, running, paused, recognised = start, 0.0, False, False
    at = {"total": limits["total"], "silence": limits["silence"], "first": None}
    for step, wait in steps:
        now += wait
        running += 0.0 if paused else wait
        getattr(clocks, step)(*([] if step == "recognised" else [now]))
        paused = {"pause": True, "resume": False}.get(step, paused)
        if step == "received" and limits["silence"]:
            at["silence"] = running + limits["silence"]
        elif step == "content":
            recognised = True
            at["first"] = limits["idle"] and running + limits["idle"]
        elif step == "recognised" and not recognised:
            recognised = True
            at["first"] = limits["first"]
    armed = [limit for limit in at.values() if limit is not None]
    deadline = clocks.next_deadline()
    if paused or not armed:
        assert deadline is None
    else:
        exact = now + min(armed) - running
        shortest = min(limit for limit in limits.values() if limit is not None)
        assert -1e-6 <= exact - deadline <= min(MAX_TICK, shortest / 16) + 1e-6
        assert clocks.expired(deadline) is not None
        assert clocks.expired(math.nextafter(deadline, -math.inf)) is None


# Timeouts


def test_the_defaults_are_generous():
    assert Timeouts() == Timeouts(first=300.0, idle=120.0, silence=300.0, total=None)


def test_timeouts_cannot_be_changed_or_given_without_names():
    with pytest.raises(AttributeError):
        Timeouts().first = 3.0
    with pytest.raises(TypeError):
        Timeouts(3.0)


@pytest.mark.parametrize("name", ["first", "idle", "silence", "total"])
@pytest.mark.parametrize("value", ["5", b"5", True, [1]])
def test_a_timeout_that_is_not_a_number_is_refused_by_name(name, value):
    with pytest.raises(TypeError, match=rf"Timeouts\({name}=\.\.\.\) takes seconds as a number, not .*; None is off"):
        Timeouts(**{name: value})


@pytest.mark.parametrize("name", ["first", "idle", "silence", "total"])
@pytest.mark.parametrize("value", [0, -1, 0.0001, math.inf, math.nan, HUGE])
def test_a_timeout_that_is_not_a_duration_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=rf"Timeouts\({name}=\.\.\.\) must be .* 0.001 .* None is off"):
        Timeouts(**{name: value})


@pytest.mark.parametrize(
    ("value", "error"),
    [("5", TypeError), (True, TypeError), (0, ValueError), (-5.0, ValueError), (10**400, ValueError)],
)
def test_a_heartbeat_that_is_not_a_duration_is_refused_by_name(value, error):
    with pytest.raises(error, match=r"^heartbeat\b"):
        Heartbeat(value)
