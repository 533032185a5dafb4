"""Which events an earlier connection delivered, told by their ids and by nothing else.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
A server that is told the last id either goes on behind it or sends again what it has. Content never tells which:
models repeat themselves.
"""

from __future__ import annotations

from typing import Final

REMEMBERED: Final = 4096
"""Ids that are remembered: the first, from which a server begins anew, and so many of the latest."""


class DeliveredIds:
    """Remembers the ids that were delivered, and knows them again on the next connection."""

    __slots__ = ("_first", "_forgot", "_known", "_last", "_repeating", "_undecided")

    def __init__(self) -> None:
        self._first: str | None = None
        self._last: str | None = None
        self._known: dict[int, None] = {}  # hashes: an id may be as long as an event
        self._forgot = False
        self._undecided = False  # a connection began, and no id of it was seen
        self._repeating = False  # it began with a delivered id: it repeats up to the last one

    def add(self, id: str) -> None:
        """Remember one delivered id. The empty id, which only resets the last one, names nothing."""
        self._last = id or None
        if not id:
            return
        if self._first is None:
            self._first = id
        self._known[hash(id)] = None
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
            self._forgot = True

    def restart(self) -> None:
        """Take the beginning of another connection."""
        self._undecided = self._last is not None
        self._repeating = False

    def repeats(self, id: str) -> bool:
        """Tell whether the block with this id of its own was delivered; call it once per block, in order."""
        known = id == self._first or hash(id) in self._known
        if self._undecided and id:
            self._undecided = False
            self._repeating = known
        # What was forgotten lies between the first id and the remembered ones; all else is known, or new.
        if not self._repeating or not id or not (known or self._forgot):
            return False
        self._repeating = id != self._last
        return True
