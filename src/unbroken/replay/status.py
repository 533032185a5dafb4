"""What `status` returns, and what is raised where an answer, or a part of it, is not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ..core.report import Verdict
from .ids import Id, parse


class UnknownAnswer(LookupError):
    """Nobody has started an answer of this id, or the cursor is not one of it. A route answers 404."""


class ExpiredAnswer(LookupError):
    """The answer has ended, and longer ago than it is kept. A route answers 410."""


class TrimmedAnswer(LookupError):
    """What follows the cursor was trimmed, since the answer is larger than `max_bytes`. A route answers 409.

    `first_id` is the id of the first event that is left, and `after` the cursor from which `follow` gives it.
    """

    def __init__(self, id: str, first: Id) -> None:
        super().__init__(f"the first event that is left of {id!r} is {first}")
        self.first_id = str(first)
        self.after = str(Id(first.epoch, first.seq - 1))


@dataclass(frozen=True, slots=True)
class Status:
    """One answer at one moment.

    `first_id` and `last_id` are "" where there is no event yet. `report` is the `as_dict()` of the stream's report once
    the answer has ended; None where its producer was lost. `started` and `ended` are seconds since the epoch.
    """

    state: Literal["running", "ended"]
    verdict: Verdict
    first_id: str
    last_id: str
    report: dict[str, Any] | None
    started: float
    ended: float | None

    def is_over(self, after: str) -> bool:
        """Return whether nothing follows this cursor: an `EventSource` is to be answered 204 then.

        False for a cursor beyond the end, which is of another answer: `follow` says so. Raises `TypeError` or
        `InvalidId` for what is no cursor.
        """
        cursor = parse(after)
        return self.state == "ended" and cursor == parse(self.last_id)
