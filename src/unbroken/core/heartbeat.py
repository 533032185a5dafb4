"""When a heartbeat is due, and which clock ran out: `now` in, deadlines out.

Nothing here looks at a clock. Deadlines are rounded down to a grid that all streams of a process share, so that ten
thousand of them wake it a few times a second and not ten thousand times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

from .naming import by_name
from .quantities import check_seconds

MAX_TICK: Final = 0.25
"""The coarsest grid, in seconds: no clock runs out earlier than this before its time."""


def check_interval(name: str, seconds: object) -> None:
    """Check an interval that None turns off. Raises `TypeError` or `ValueError` naming the argument and the fix."""
    if seconds is not None:
        check_seconds(name, seconds, instead="None is off")


def _tick(seconds: float) -> float:
    """Return the grid for deadlines this far away: a power of two, so that grids of all streams coincide."""
    return min(MAX_TICK, math.ldexp(1.0, math.frexp(seconds)[1] - 5))  # between 1/32 and 1/16 of `seconds`


@by_name
@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Limits in seconds; None turns one off. The time in which the consumer does not ask counts for none of them.

    `first`: until the first content (text, reasoning, tool arguments). `idle`: between content from there on. Both
    hold in recognised dialects only. `silence`: without any byte from upstream. `total`: for the whole stream.
    Pings feed `silence` only; our own heartbeats feed nothing. A clock may run out up to a quarter of a second,
    and never more than a sixteenth of the shortest limit, before its time.
    """

    first: float | None = 300.0
    idle: float | None = 120.0
    silence: float | None = 300.0
    total: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            check_interval(f"Timeouts({field.name}=...)", getattr(self, field.name))


_NO_LIMITS: Final = Timeouts(first=None, idle=None, silence=None, total=None)


class Heartbeat:
    """When a heartbeat is due, by the time since bytes were written. Never due with `interval=None`."""

    __slots__ = ("_early", "_tick", "_written", "held")

    def __init__(self, interval: float | None) -> None:
        check_interval("heartbeat", interval)
        self._tick = _tick(interval or 1.0)
        # A timer fires late by the machine's delay, and the gap between bytes counts that: aim half a tick early.
        self._early = None if interval is None else interval - self._tick / 2
        self._written: float | None = None
        self.held = False
        """While true no heartbeat is due: the answer has not begun, and a heartbeat would begin it."""

    def started(self, now: float) -> None:
        """Count from `now` unless counting already."""
        if self._written is None:
            self._written = now

    def wrote(self, now: float) -> None:
        """Note that bytes were written, a heartbeat's own included. Calls need not be in the order of time."""
        if self._written is None or now > self._written:
            self._written = now

    def next_deadline(self) -> float | None:
        """Return the time at which the next heartbeat is due, or None."""
        if self._early is None or self._written is None or self.held:
            return None
        return (self._written + self._early) // self._tick * self._tick

    def due(self, now: float) -> bool:
        """Return whether a heartbeat must be written now."""
        deadline = self.next_deadline()
        return deadline is not None and now >= deadline


class Clocks:
    """The four clocks of `Timeouts`, which stand still between `pause` and `resume`."""

    # Deadlines are kept on the clocks' own time, which is `now` less the time spent in pauses; inf is off.
    __slots__ = (
        "_content_at", "_first", "_idle", "_paused_at", "_pauses", "_recognised", "_silence", "_silence_at",
        "_started_at", "_tick", "_total", "_total_at", "_waits_for",
    )  # fmt: skip

    def __init__(self, timeouts: Timeouts | None) -> None:
        limits = timeouts or _NO_LIMITS
        self._first, self._idle, self._silence, self._total = (
            math.inf if limit is None else limit for limit in (limits.first, limits.idle, limits.silence, limits.total)
        )
        self._tick = _tick(min(self._first, self._idle, self._silence, self._total, 1e6))
        self._silence_at = self._content_at = self._total_at = math.inf
        self._waits_for = "first"
        self._recognised = False
        self._started_at: float | None = None
        self._paused_at: float | None = None
        self._pauses = 0.0

    def started(self, now: float) -> None:
        """Let the clocks run from `now` unless they run already."""
        if self._started_at is not None:
            return
        self._started_at = now
        self._silence_at = now + self._silence
        self._total_at = now + self._total
        if self._recognised:
            self._content_at = now + self._first

    def restarted(self, now: float) -> None:
        """Count `silence`, and `first` or `idle`, anew from `now`: upstream was opened again. `total` goes on."""
        self._started_at = self._running(now)
        self._silence_at = self._started_at + self._silence
        if self._recognised:
            self._content_at = self._started_at + (self._first if self._waits_for == "first" else self._idle)

    def recognised(self) -> None:
        """Arm `first`, which counts from the start, and `idle`: what is content is known from here on."""
        if self._recognised:
            return
        self._recognised = True
        if self._started_at is not None:
            self._content_at = self._started_at + self._first

    def received(self, now: float) -> None:
        """Note that a byte came from upstream."""
        self._silence_at = self._running(now) + self._silence

    def content(self, now: float) -> None:
        """Note that content was forwarded; from the first on, `idle` takes the place of `first`."""
        self._recognised = True
        self._waits_for = "idle"
        self._content_at = self._running(now) + self._idle

    def progressed(self, now: float) -> None:
        """Note that a byte came and that content was forwarded, after content that was forwarded before."""
        running = self._running(now)
        self._silence_at = running + self._silence
        self._content_at = running + self._idle

    def pause(self, now: float) -> None:
        """Stop the clocks: upstream is not what is waited for."""
        if self._paused_at is None:
            self._paused_at = now

    def resume(self, now: float) -> float:
        """Let the clocks go on from where they stopped. Return the seconds for which they stood still."""
        if self._paused_at is None:
            return 0.0
        pause = now - self._paused_at
        self._pauses += pause
        self._paused_at = None
        return pause

    def next_deadline(self) -> float | None:
        """Return the time at which the next clock runs out, or None: no clock is armed, or they stand still."""
        if self._paused_at is not None:
            return None
        nearest = min(self._silence_at, self._content_at, self._total_at)
        return None if nearest == math.inf else (nearest + self._pauses) // self._tick * self._tick

    def expired(self, now: float) -> str | None:
        """Return the clock that ran out first: "silence", "first", "idle" or "total"; None while none did."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return None
        armed = ((self._silence_at, "silence"), (self._content_at, self._waits_for), (self._total_at, "total"))
        return min(armed, key=lambda clock: clock[0])[1]  # of equals the first: silence says more than `first`

    def _running(self, now: float) -> float:
        return (now if self._paused_at is None else self._paused_at) - self._pauses
