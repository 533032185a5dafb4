"""What a reader does next, decided from what the store says: `now` is in the figures, nothing is asked here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ..core.failure import Failure
from .ids import START, Id

if TYPE_CHECKING:
    from .store import Slice, State

POLL: Final = 0.5
"""Seconds after which a reader, or a producer, looks at the store without a hint."""
LOST: Final = Failure("producer-lost", status_hint=502)
TOO_OLD: Final = Failure("too-old", status_hint=504)
STOPPED: Final = Failure("stopped")
TRIMMED: Final = Failure("trimmed", status_hint=409)
STORE_FAILED: Final = Failure("store-failed", status_hint=503)
TRUNCATED: Final = Failure("truncated")


class Gap(Exception):
    """What follows the cursor was trimmed; `first` is the id of the first event that is left."""

    def __init__(self, first: Id) -> None:
        super().__init__(first)
        self.first = first


class Cursor:
    """The place of one reader in the log of an answer. `at` is the id of the last event that it has."""

    __slots__ = ("at", "over")

    def __init__(self, at: Id) -> None:
        self.at = at
        self.over = False
        """Whether nothing follows: the reader has the end."""

    def take(self, slice: Slice) -> Sequence[bytes]:
        """Move over the records of a slice that was read behind `at`, and return them. Raises `Gap`."""
        state = slice.state
        if slice.first is not None and slice.last is not None:
            if not follows(slice.first, self.at, state):
                raise Gap(slice.first)
            self.at = slice.last
        self.over = state.verdict is not None and self.at >= state.last
        return slice.records

    def until_due(self, state: State, max_age: float) -> float:
        """Return the seconds after which to look again, if no hint comes before."""
        left = state.lease_left if state.lease_left > 0 else POLL  # it has run out, and nobody may say so yet
        return max(0.0, min(POLL, left, max_age - state.age))


def follows(id: Id, cursor: Id, state: State) -> bool:
    """Return whether an event is the next one behind a cursor, so that nothing was trimmed between them.

    An end from outside follows every cursor of the epoch before it: what the producer could not write is not there.
    """
    if id.epoch == cursor.epoch:
        return id.seq == cursor.seq + 1
    return id == cursor.outside and cursor.seq >= state.first.seq - 1


def is_trimmed(cursor: Id, state: State) -> bool:
    """Return whether events behind a cursor have been trimmed."""
    return cursor.epoch == state.first.epoch and cursor.seq < state.first.seq - 1


def is_beyond(cursor: Id, state: State) -> bool:
    """Return whether a cursor is not of this answer: it lies behind its newest event."""
    return cursor > max(state.last, START)


def due_end(state: State, max_age: float) -> Failure | None:
    """Return why anyone who looks at a running answer is to end it, or None."""
    if state.verdict is not None or state.expired:
        return None
    if state.lease_left <= 0:
        return LOST
    return TOO_OLD if state.age >= max_age else None
