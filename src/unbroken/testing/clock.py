"""A clock that moves only when told to."""

from __future__ import annotations

import asyncio


class FakeClock:
    """Stands in for `time.monotonic` and for sleeping. Calling it gives the time in seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Move on. Raises `ValueError` for a step back: clocks of this kind are monotonic."""
        if seconds < 0:
            raise ValueError(f"seconds must not be negative, not {seconds!r}: a monotonic clock never goes back")
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass without waiting."""
        self.advance(seconds)

    async def asleep(self, seconds: float) -> None:
        """Let time pass without waiting, and let other tasks run once."""
        self.advance(seconds)
        await asyncio.sleep(0)
