"""What is counted of replayed answers in this process, for who shows it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.failure import SENTENCES

if TYPE_CHECKING:
    from ..core.report import Verdict

Changed = Callable[[str, int, dict[str, str]], object]
"""Called with the name of a figure, by how much it changed, and its labels."""


class Tally:
    """The figures, each since the beginning: `running`, `readers`, `ends`, `store_errors` and `trimmed`. Thread-safe.

    Labels are a closed set: verdicts, and the codes that this library has sentences for.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._told: list[Changed] = []

    def count(self, name: str, amount: int = 1, verdict: str = "", code: str = "") -> None:
        """Add to a figure. No finalizer may call this."""
        with self._lock:
            self._counts[name, verdict, code] += amount
            for changed in self._told:
                changed(name, amount, _labels(name, verdict, code))

    def count_end(self, verdict: Verdict, code: str | None) -> None:
        """Count an end that this process wrote: `code` is that of its error, None where there is none."""
        known = code in SENTENCES or code is None  # a dialect of one's own may make up codes
        self.count("ends", verdict=verdict.value, code=(code or "") if known else "other")

    def reader_left(self) -> None:
        """Count a reader that has left."""
        self.count("readers", -1)

    def tell(self, changed: Changed) -> None:
        """Have it called with what was counted so far, and with each change from now on."""
        with self._lock:
            for (name, verdict, code), amount in self._counts.items():
                changed(name, amount, _labels(name, verdict, code))
            self._told.append(changed)

    def total(self, name: str) -> int:
        """Return one figure that has no labels."""
        return self._counts[name, "", ""]

    def ends(self) -> dict[tuple[str, str], int]:
        """Return the number of ends by verdict and code, "" where there was no error."""
        with self._lock:
            return {(verdict, code): n for (name, verdict, code), n in self._counts.items() if name == "ends"}


def _labels(name: str, verdict: str, code: str) -> dict[str, str]:
    return {"verdict": verdict, "code": code} if name == "ends" else {}
