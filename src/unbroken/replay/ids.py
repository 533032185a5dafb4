"""The ids of events, `<epoch>-<seq>`: strictly increasing, without holes, and never a time."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_FORM: Final = re.compile(r"([1-9][0-9]{0,8})-(0|[1-9][0-9]{0,17})", re.ASCII)


class InvalidId(ValueError):
    """An id that no answer can have, or an `after` that is the id of no event. A route answers 400."""


class Id(NamedTuple):
    """The id of one event; ids compare as pairs. As a cursor it stands for everything up to that event.

    `epoch` counts who writes, from 1: the producer, and behind it whoever ends the answer from outside. `seq` counts
    events from 1; an end from outside is event 0 of its epoch.
    """

    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"

    def following(self, count: int = 1) -> Id:
        """Return the id so many events further on, in the same epoch."""
        return Id(self.epoch, self.seq + count)

    @property
    def outside(self) -> Id:
        """The id of an end that is written from outside: the first of the next epoch."""
        return Id(self.epoch + 1, 0)


START: Final = Id(1, 0)
"""The cursor before the first event of a producer."""


def parse(text: str) -> Id:
    """Return the cursor that a reader names, `START` for `""`. Raises `TypeError` or `InvalidId` for anything else."""
    if not isinstance(text, str):
        raise TypeError(f"after must be an id of an event, or '' for the beginning, not {type(text).__name__}")
    if not text:
        return START
    found = _FORM.fullmatch(text)
    if found is None:
        raise InvalidId(f"after={text[:40]!r} is no id that this library wrote; '' is the beginning")
    return Id(int(found[1]), int(found[2]))
