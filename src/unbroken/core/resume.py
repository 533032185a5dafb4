"""Resuming: which events an earlier connection delivered, recognised by their ids and by nothing else.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
A server that gets `Last-Event-ID` either continues after it or sends again what it has. Content does not show which,
since models repeat themselves. Nothing waits for an id that might show it: each event passes or is dropped as it comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from typing import Protocol

    from .dialect import EventClass
    from .events import Event
    from .repairs import RepairKind
    from .report import StreamReport
    from .state import State

    Joined = tuple[Event, bytes]

    class Gate(Protocol):
        """What is asked, and told, of the state of the stream."""

        report: StreamReport
        state: State

        def repair(self, kind: RepairKind, start: int, end: int) -> None:
            """Record one repair of the input."""

    class Seam(Protocol):
        """Joins the answers of several connections to one."""

        @property
        def joins(self) -> bool:
            """Whether what comes now goes on with an earlier answer."""

        def restart(self, report: StreamReport) -> None:
            """Note that another connection begins."""

        def take(
            self, gate: Gate, event: Event, wire: bytes, value: dict[str, Any], start: int, end: int
        ) -> Joined | None:
            """Return event and frame as they go on with what was delivered, or None: they do not leave.

            Where they are changed, so is the value of the payload. What does not leave is recorded, or ends the stream.
            """

        def note(self, report: StreamReport, kind: EventClass) -> None:
            """Note that an event of this class leaves."""


REMEMBERED: Final = 4096
"""How many of the latest ids are remembered, besides the first one, from which a server starts again."""


class DeliveredIds:
    """The ids that were delivered, to be recognised on the next connection.

    `initial` is the last event id that the reader had before the first connection, or "".
    """

    __slots__ = ("_connection", "_first", "_forgot", "_in_gap", "_initial", "_known", "_last", "_until")

    def __init__(self, initial: str = "") -> None:
        self._initial = initial or None
        self._first: str | None = None
        self._last: str | None = None
        # Hash of an id, which itself may be as long as an event, to the number of the connection that brought it.
        self._known: dict[int, int] = {}
        self._forgot = False
        self._connection = 0
        self._until: str | None = None  # the last id that can be a repetition; None if none can
        self._in_gap = False  # what is repeated now are ids that were forgotten

    @property
    def last(self) -> str | None:
        """The id after which to resume; None if none was delivered, or the last `id:` was empty and reset it."""
        return self._last

    def add(self, id: str) -> None:
        """Remember one delivered id. An empty one only resets the last event id."""
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
        """Note that another connection begins."""
        self._connection += 1
        self._until = self._last
        self._in_gap = False

    def repeats(self, id: str) -> bool:
        """Return whether the block with this `id:` was delivered already. To be called once per block, in order."""
        if self._until is None or not id:
            return False
        begins = id in (self._initial, self._first)
        # What this connection brought itself is not a repetition.
        if begins or self._known.get(hash(id), self._connection) < self._connection:
            # What was forgotten came between the first ids and the remembered ones; all else is remembered, or new.
            self._in_gap = begins and self._forgot
            if id == self._until:
                self._until = None
            return True
        return self._in_gap
