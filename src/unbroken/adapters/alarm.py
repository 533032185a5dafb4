"""The one timer of an asynchronous stream."""

from __future__ import annotations

import asyncio
import math
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .engine import Engine

TRUSTED: Final = 0.25
"""Seconds for which a timer that is set spares a look at the deadlines. Those of heartbeats only move away meanwhile;
a timeout that is shorter than this can be late by as much."""


class Alarm:
    """A timer that is set anew a few times a second while chunks come, and not with each of them."""

    __slots__ = ("_armed", "_context", "_engine", "_looked_at", "_timer", "_trusted", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, context: Context, engine: Engine[Any]) -> None:
        self.loop = loop
        self._context = context  # of the stream: a timer without one copies that of whoever sets it
        self._engine = engine
        self._timer: asyncio.TimerHandle | None = None
        self._armed = math.inf  # when the timer is due
        # Text that is held may have to leave sooner with each chunk.
        self._trusted = TRUSTED if engine.options.pace is None else 0.0
        self._looked_at = 0.0  # when the engine was last asked for its deadline

    def watch(self, now: float, until: float, answered_at: float) -> bool:
        """Set the timer for the engine's next deadline or `until`. Return whether one of them has come already.

        If chunks came since the last look, the next one follows soon, since each of them may have moved the deadline.
        """
        # A timer that is due this soon looks after the deadlines: asking for them costs as much as a chunk.
        if self._armed <= now + self._trusted and self._armed <= until:
            return False
        deadline = self._engine.next_deadline()
        soonest = until if deadline is None else min(deadline, until)
        if soonest <= now:
            return True
        if answered_at > self._looked_at:
            soonest = min(soonest, now + TRUSTED)
        self._looked_at = now
        if soonest < self._armed:
            self.arm(soonest)
        return False

    def looked(self, now: float) -> None:
        """Note that the deadlines were looked at."""
        self._looked_at = now

    def arm(self, when: float) -> None:
        """Set the timer in place of the one that may be set."""
        self.disarm()
        self._armed = when
        # The alarm itself and no method of it, which would be an object more for each idle stream.
        self._timer = self.loop.call_at(when, self, context=self._context)

    def disarm(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def __call__(self) -> None:
        self._timer, self._armed = None, math.inf
        self.ring()

    def ring(self) -> None:
        """Do what is to be done when the timer is due."""
        raise NotImplementedError
