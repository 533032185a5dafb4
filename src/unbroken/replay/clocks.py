"""The clocks of one machine, as all of its processes see them.

A lease is a matter of seconds in which the machine runs. The time of day can be set, by hand or by NTP, and goes on
while the machine sleeps: leases by it would kill producers that live, and keep dead ones. The steady clock does
neither, and is the same in all processes; but it begins anew with each boot, so that a time of it says something
together with the name of its boot alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class Clocks:
    """The time of day, the steady clock, and the boot that it counts from.

    `clock` stands for both in tests. Where the system names no boot (everywhere but on Linux), the time of day stands
    for both too.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock

    def day(self) -> float:
        """Return seconds since the epoch."""
        return time.time() if self._clock is None else self._clock()

    def steady(self) -> float:
        """Return seconds since the boot."""
        if self._clock is not None:
            return self._clock()
        return time.monotonic() if self.boot else time.time()

    @property
    def boot(self) -> str:
        """The name of the boot that `steady` counts from, the same in all processes of the machine; "" without one."""
        return _name_of_boot() if self._clock is None else ""


@cache
def _name_of_boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except (OSError, ValueError):
        return ""
