"""Which events an earlier connection delivered, told by their ids and by nothing else.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
A server that is told the last id either goes on behind it or sends again what it has. Content never tells which:
models repeat themselves. And nothing waits for an id that might tell: each event passes or is dropped as it comes.
"""

from __future__ import annotations

from typing import Final

REMEMBERED: Final = 4096
"""Ids that are remembered: the first, from which a server begins anew, and so many of the latest."""


class DeliveredIds:
    """Remembers the ids that were delivered, and knows them again on the next connection.

    `initial` is the id that the reader had before the first connection, or "".
    """

    __slots__ = ("_connection", "_first", "_forgot", "_in_gap", "_initial", "_known", "_last", "_until")

    def __init__(self, initial: str = "") -> None:
        self._initial = initial or None
        self._first: str | None = None
        self._last: str | None = None
        # Hashes, since an id may be as long as an event, and which connection brought it.
        self._known: dict[int, int] = {}
        self._forgot = False
        self._connection = 0
        self._until: str | None = None  # the last id that can be a repetition; None where none can
        self._in_gap = False  # what is repeated now is what was forgotten

    @property
    def last(self) -> str | None:
        """The id behind which to go on; None where none was delivered, or the last one was taken back."""
        return self._last

    def add(self, id: str) -> None:
        """Remember one delivered id. The empty id, which only resets the last one, names nothing."""
        self._last = id or None
        if not id:
            return
        if self._first is None:
            self._first = id
        self._known.setdefault(hash(id), self._connection)
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
            self._forgot = True

    def restart(self) -> None:
        """Take the beginning of another connection."""
        self._connection += 1
        self._until = self._last
        self._in_gap = False

    def repeats(self, id: str) -> bool:
        """Tell whether the block with this id of its own was delivered; call it once per block, in order."""
        if self._until is None or not id:
            return False
        begins = id in (self._initial, self._first)
        # What this very connection brought says nothing about what it brings next.
        if begins or self._known.get(hash(id), self._connection) < self._connection:
            # What was forgotten lies between the first ids and the remembered ones; all else is known, or new.
            self._in_gap = begins and self._forgot
            if id == self._until:
                self._until = None
            return True
        return self._in_gap
