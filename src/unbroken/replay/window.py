"""The newest records of one producer, in its own process: readers there need no store to keep up with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .ids import Id
from .store import MOST_RECORDS, fit

ROOM: Final = 2**20
"""Bytes of records that are kept while the store works."""


class Window:
    """The newest records, as far as readers may have them: those that are in the log, or all once the store failed.

    One thread adds, any may read.
    """

    __slots__ = ("_kept", "_size", "is_whole", "last", "room")

    def __init__(self, last: Id, room: int = ROOM) -> None:
        self.last = last
        """The id of the newest record."""
        self.room = room
        self.is_whole = False
        """Whether the newest record is the end of the answer."""
        self._kept: tuple[int, list[bytes]] = (last.seq + 1, [])  # the number of the first record, and the records
        self._size = 0

    def add(self, records: Sequence[bytes]) -> None:
        """Take the records that follow, and let go of some of the oldest where there is no room."""
        first, kept = self._kept
        kept += records
        self._size += sum(map(len, records))
        if self._size > self.room:
            at, keeps = 0, self.room - min(self.room // 2, ROOM // 2)
            while self._size > keeps and at < len(kept) - 1:
                self._size -= len(kept[at])
                at += 1
            self._kept = first + at, kept[at:]  # a list of its own: a reader may be looking at the old one
        self.last = Id(self.last.epoch, self.last.seq + len(records))

    def after(self, cursor: Id, limit: int) -> Sequence[bytes] | None:
        """Return records behind a cursor, none if it is the newest one; None if they are not here."""
        first, kept = self._kept
        at = cursor.seq + 1 - first
        if cursor.epoch != self.last.epoch or not 0 <= at <= self.last.seq + 1 - first:
            return None
        return fit(kept[at : at + MOST_RECORDS], limit)

    def all_after(self, cursor: Id) -> list[bytes] | None:
        """Return all records behind a cursor, None if one of them is not here any more."""
        first, kept = self._kept
        at = cursor.seq + 1 - first
        return None if at < 0 or cursor.epoch != self.last.epoch else kept[at:]
