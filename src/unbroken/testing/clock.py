"""A fake clock for tests, which moves only when it is advanced."""

from __future__ import annotations

import asyncio

from ..core.quantities import check_seconds


class FakeClock:
    """A replacement for `time.monotonic` and for sleeping. Calling it returns the time in seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the clock forward. Raises `ValueError` for negative `seconds`: the clock is monotonic."""
        self.now += check_seconds("seconds", seconds, least=0, instead="a monotonic clock never goes back")

    def sleep(self, seconds: float) -> None:
        """Advance the clock without waiting."""
        self.advance(seconds)

    async def asleep(self, seconds: float) -> None:
        """Advance the clock without waiting, and yield to the event loop once."""
        self.advance(seconds)
        await asyncio.sleep(0)
