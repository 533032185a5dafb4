"""Which providers fail too often: errors in a sliding window.

A provider recovers when its errors grow old, even if no more requests are sent to it. That takes no timer, since the
state is a function of the times of the errors and of now. A window sees the errors of its own process.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from ..core.naming import by_name
from ..core.observer import Observer
from ..core.quantities import MAX_COUNT, check_count, check_seconds
from ..core.report import StreamReport, Verdict
from ..retry.retryable import worth_retrying
from .log import tell_health, warn

MAX_COUNTED: Final = 1024
"""The most errors of a provider that are counted, unless the limit is higher."""


@by_name
class FailureWindow(Observer):
    """Tracks which providers are degraded: more than `limit` errors in the last `seconds`. Thread-safe.

    As one of the `observers` of streams it counts those with a `provider` that failed, or were cut, for a reason that
    a later attempt may not meet again; a bad key or a malformed request is the caller's error. `damaged` counts those
    of the verdict DAMAGED, too. Without a stream, call `failed`.

    `on_change(provider, degraded)` is called when the state changes, in the thread that notices: the one in `failed`,
    in `degraded` or `error_count`, or at the end of any stream; it may ask `error_count`. What it raises is logged, and
    so is each change, with the number of errors. `clock` returns seconds, monotonic.

    Raises `TypeError` or `ValueError` for a wrong argument.
    """

    def __init__(
        self,
        *,
        limit: int = 5,
        seconds: float = 60.0,
        damaged: bool = False,
        on_change: Callable[[str, bool], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_count("FailureWindow(limit=...)", limit)
        check_seconds("FailureWindow(seconds=...)", seconds)
        if not isinstance(damaged, bool):
            raise TypeError(f"FailureWindow(damaged=...) takes True or False, not {type(damaged).__name__}")
        given: object = on_change
        if given is not None and not callable(given):
            kind = type(given).__name__
            raise TypeError(f"FailureWindow(on_change=...) takes a function of (provider, degraded), not {kind}")
        self._limit = limit
        self._seconds = seconds
        self._damaged = damaged
        self._on_change = on_change
        self._clock = clock
        self._lock = threading.Lock()
        self._kept = max(min(limit + 1, MAX_COUNT), MAX_COUNTED)
        self._errors: dict[str, deque[float]] = {}  # by provider: when they were, oldest first
        self._degraded: set[str] = set()

    def failed(self, provider: str) -> None:
        """Count one error of this provider."""
        with self._lock:
            self._errors.setdefault(provider, deque(maxlen=self._kept)).append(self._clock())
        self._update()

    def degraded(self, provider: str) -> bool:
        """Return whether this provider has failed too often."""
        self._update()
        with self._lock:
            return provider in self._degraded

    def error_count(self, provider: str) -> int:
        """Return how many errors of this provider the window holds now; at most 1,024, or one more than the limit."""
        self._update()
        with self._lock:
            return len(self._errors.get(provider, ()))

    def ended(self, report: StreamReport) -> None:
        """Count a stream that has a provider, if it failed through the provider."""
        is_counted = _failed_through_provider(report) or (self._damaged and report.verdict is Verdict.DAMAGED)
        if report.provider is not None and is_counted:
            self.failed(report.provider)
        else:
            self._update()

    def _update(self) -> None:
        """Bring the state of all providers up to now, and report changes outside of the lock."""
        with self._lock:
            now = self._clock()
            for errors in self._errors.values():
                while errors and now - errors[0] >= self._seconds:
                    errors.popleft()
            degraded = {name for name, errors in self._errors.items() if len(errors) > self._limit}
            changes = [(name, name in degraded, len(self._errors[name])) for name in sorted(degraded ^ self._degraded)]
            self._degraded = degraded
            self._errors = {name: errors for name, errors in self._errors.items() if errors}
        for provider, state, count in changes:
            self._report_change(provider, state, count)

    def _report_change(self, provider: str, degraded: bool, count: int) -> None:
        tell_health(provider, degraded, count, self._seconds)
        if self._on_change is not None:
            try:
                self._on_change(provider, degraded)
            except Exception as error:
                warn("on_change raised %s", type(error).__name__)


def _failed_through_provider(report: StreamReport) -> bool:
    """Return whether a stream failed for a reason that is neither the caller's nor the consumer's."""
    error = report.error
    if error is None or report.verdict not in (Verdict.FAILED, Verdict.TRUNCATED):
        return False
    return worth_retrying(error.status_hint, error)
