"""Tell how long nothing has come, while it does not come: whoever reads a silent stream is blocked, and cannot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self


class SilenceWatchdog:
    """Watch a silence from a thread. `tell` is called with its seconds after `after` of them, and at each doubling."""

    def __init__(self, tell: Callable[[float], object], *, after: float, now: float) -> None:
        self._tell = tell
        self._after = after
        self._heard = self._began = now
        self._due = after
        self._over = threading.Event()

    def reset(self, now: float) -> None:
        """Note that something came: the silence begins anew."""
        self._heard = now

    def report_if_due(self, now: float) -> float:
        """Tell what is due, and give the seconds until it is worth looking again."""
        if self._heard != self._began:
            self._began, self._due = self._heard, self._after
        silent = now - self._began
        if silent >= self._due:
            self._tell(silent)
            while self._due <= silent:
                self._due *= 2
        return self._began + self._due - now

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="unbroken-watchdog", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(self.report_if_due(time.monotonic())):
            pass
