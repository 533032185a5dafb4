"""Which providers are failing just now: errors in a sliding window.

A provider recovers when its errors grow old, also where nobody sends it anything any more; no timer is needed for
that, since the state is a function of the errors' times and of now.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from ..core.heartbeat import check_seconds
from ..core.report import Observer, StreamReport, Verdict
from ..retry.retryable import worth_retrying
from .log import warn


class FailureWindow(Observer):
    """Tell which providers are degraded: more than `limit` errors in the last `seconds`.

    As one of the `observers` of streams it counts those that failed, or were cut, for a reason that is the
    provider's: one that is worth a retry. A bad key and a malformed request are the caller's. Alone, call `failed`.

    `on_change(provider, degraded)` is called when that changes, in the thread that finds it out: `failed`, `degraded`
    or `ended` of any stream. Any thread may call anything.
    """

    def __init__(
        self,
        *,
        limit: int = 5,
        seconds: float = 60.0,
        on_change: Callable[[str, bool], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if type(limit) is not int or limit < 0:
            raise ValueError(f"FailureWindow(limit={limit!r}): give a whole number of errors, 0 or more")
        if seconds is None:
            raise TypeError("FailureWindow(seconds=None): give the length of the window in seconds")
        check_seconds("FailureWindow(seconds=...)", seconds)
        given: object = on_change
        if given is not None and not callable(given):
            kind = type(given).__name__
            raise TypeError(f"FailureWindow(on_change=...) takes a function of (provider, degraded), not {kind}")
        self._limit = limit
        self._seconds = seconds
        self._on_change = on_change
        self._clock = clock
        self._lock = threading.Lock()
        # One error more than the limit is all that the state needs: the oldest of them tells it.
        self._errors: dict[str, deque[float]] = {}
        self._degraded: set[str] = set()

    def failed(self, provider: str) -> None:
        """Count one error of this provider."""
        with self._lock:
            errors = self._errors.setdefault(provider, deque(maxlen=self._limit + 1))
            errors.append(self._clock())
        self._settle()

    def degraded(self, provider: str) -> bool:
        """Tell whether this provider has failed too often."""
        self._settle()
        with self._lock:
            return provider in self._degraded

    def ended(self, report: StreamReport) -> None:
        """Count a stream of a labelled provider, if it failed for a reason of the provider's."""
        if report.provider is not None and _is_the_providers(report):
            self.failed(report.provider)
        else:
            self._settle()

    def _settle(self) -> None:
        """Bring every provider's state up to now, and tell of the changes outside of the lock."""
        with self._lock:
            now = self._clock()
            degraded = {name for name, errors in self._errors.items() if self._too_many(errors, now)}
            changes = [(name, name in degraded) for name in sorted(degraded ^ self._degraded)]
            self._degraded = degraded
        for provider, state in changes:
            self._tell(provider, state)

    def _too_many(self, errors: deque[float], now: float) -> bool:
        return len(errors) > self._limit and now - errors[0] < self._seconds

    def _tell(self, provider: str, degraded: bool) -> None:
        if self._on_change is not None:
            try:
                self._on_change(provider, degraded)
            except Exception as error:
                warn("on_change raised %s", type(error).__name__)


def _is_the_providers(report: StreamReport) -> bool:
    """Tell whether a stream failed for a reason that is neither the caller's nor the consumer's."""
    error = report.error
    if error is None or report.verdict not in (Verdict.FAILED, Verdict.TRUNCATED):
        return False
    return worth_retrying(error.status_hint, error)
