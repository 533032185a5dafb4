"""The retry policy: how often, after how long, and after which failures upstream is opened again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .retryable import worth_retrying


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, after how long, and after which failures upstream is opened again.

    The waits are `base` seconds, then twice as long each time, at most `max_delay`. What the server asks for
    (`Retry-After`, `retry:`) is never undercut; a wait beyond `max_retry_after` is not begun, the failure is told.
    `jitter` spreads each wait by half of ours: ours downwards, the server's upwards. `worth` takes the status or
    None and the exception or None, and tells whether to try again; what it raises is logged, and means no.
    """

    max_retries: int = 2
    base: float = 1.0
    max_delay: float = 4.0
    jitter: bool = True
    max_retry_after: float = 60.0
    worth: Callable[[int | None, BaseException | None], bool] = worth_retrying

    def __post_init__(self) -> None:
        if type(self.max_retries) is not int or self.max_retries < 0:
            raise ValueError(f"max_retries={self.max_retries!r}: give a whole number, 0 for no retry")
        for name in ("base", "max_delay", "max_retry_after"):
            if not 0.0 <= _number(getattr(self, name)) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)!r}: give seconds, 0 or more")
        if not callable(self.worth):
            raise TypeError(f"worth={self.worth!r}: give a function of (status, error) that tells whether to retry")

    def delay(self, retries: int, asked: float | None = None, chance: float = 1.0) -> float | None:
        """Give the seconds to wait before the next attempt, or None to give up.

        `retries` were made before; `asked` is the server's wait; `chance`, from 0 to 1, is where jitter falls.
        """
        if retries >= self.max_retries or (asked or 0.0) > self.max_retry_after:
            return None
        ours = min(self.base * 2.0 ** min(retries, 64), self.max_delay)
        if not self.jitter:
            return max(ours, asked or 0.0)
        return max(ours / 2.0, asked or 0.0) + chance * ours / 2.0


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
