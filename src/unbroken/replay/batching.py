"""When records are written to the store, and which of the old ones go."""

from __future__ import annotations

from array import array
from typing import Final

PAUSE: Final = 0.02
"""Seconds for which a record may wait for others: an append of one costs SQLite 21 µs, one of 64 2.5 µs for each."""
MOST: Final = 64
"""Records that are written at once."""


class Batch:
    """The records that wait to be written. A record that comes `pause` seconds or more after the last write is not
    kept waiting; nor is the first one of an answer.
    """

    __slots__ = ("_pause", "_written", "due", "records")

    def __init__(self, pause: float = PAUSE) -> None:
        self._pause = pause
        self._written: float | None = None
        self.records: list[bytes] = []
        self.due: float | None = None
        """When they are to be written at the latest, None where none wait."""

    def add(self, records: list[bytes], now: float) -> None:
        """Take records that came now."""
        if not records:
            return
        if not self.records:
            self.due = now if self._written is None else max(now, self._written + self._pause)
        self.records += records
        if len(self.records) >= MOST:
            self.due = now

    def is_due(self, now: float) -> bool:
        """Return whether to write now."""
        return self.due is not None and now >= self.due

    def take(self, now: float) -> list[bytes]:
        """Return what waits, which is written now."""
        self._written, self.due = now, None
        records, self.records = self.records, []
        return records


class Trimming:
    """Which records are kept: the newest ones, of together at most `max_bytes`, and always the newest of all."""

    __slots__ = ("_at", "_max_bytes", "_sizes", "_total", "first")

    def __init__(self, max_bytes: int, first: int) -> None:
        self._max_bytes = max_bytes
        self._sizes = array("Q")  # 8 bytes a record, where a list of numbers takes 36
        self._at = 0
        self._total = 0
        self.first = first
        """The number of the first record that is kept."""

    def add(self, records: list[bytes]) -> int:
        """Count records that are written; return `first`, below which all may go."""
        sizes = list(map(len, records))
        self._sizes.extend(sizes)
        self._total += sum(sizes)
        while self._total > self._max_bytes and self._at < len(self._sizes) - 1:
            self._total -= self._sizes[self._at]
            self._at += 1
            self.first += 1
        if self._at > 4096 and self._at * 2 > len(self._sizes):
            del self._sizes[: self._at]
            self._at = 0
        return self.first
