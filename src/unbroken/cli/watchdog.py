"""Reports a silence while it lasts, from its own thread, since the thread that reads the stream is blocked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self


class SilenceWatchdog:
    """Calls `report` with the seconds of a silence once it has lasted `after` seconds, and again each time it doubles.

    A context manager, which starts and stops the thread. `now` is when the silence begins.
    """

    def __init__(self, report: Callable[[float], object], *, after: float, now: float) -> None:
        self._report = report
        self._after = after
        self._last_byte = self._began = now
        self._due = after
        self._stopped = threading.Event()

    def reset(self, now: float) -> None:
        """Note that something arrived: a new silence begins."""
        self._last_byte = now

    def report_if_due(self, now: float) -> float:
        """Report the silence if that is due, and return the seconds until the next check."""
        if self._last_byte != self._began:
            self._began, self._due = self._last_byte, self._after
        silent = now - self._began
        if silent >= self._due:
            self._report(silent)
            while self._due <= silent:
                self._due *= 2
        return self._began + self._due - now

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="unbroken-watchdog", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(self.report_if_due(time.monotonic())):
            pass
