"""The beginning of an answer, held back while upstream could still be asked again: what was delivered stays.

Clients join a second beginning to the first one: two roles, two `message_start`. So where another attempt may follow,
events that say nothing wait for the first one that does, and an attempt that breaks before it leaves no trace.
"""

from __future__ import annotations

import copy
from typing import Final

from .dialect import Dialect, EventClass
from .frames import Item, Outgoing
from .repairs import Repair
from .report import StreamReport

MAX_WITHHELD: Final = 64 * 1024
"""Bytes that are held back at most: a longer beginning leaves, and no other attempt follows."""
_WAITS: Final = (EventClass.STRUCTURAL, EventClass.USAGE, EventClass.LIVENESS)


class Withheld:
    """What is held back of one attempt.

    `dialect` is the one that the caller named, which has read nothing yet, and `last_event_id` the id that the stream
    began after. With `resumes` another attempt can go on behind an id, and an event that has one need not wait. Raises
    what copying the dialect raises.
    """

    __slots__ = ("_resumes", "_size", "dialect", "events", "frames", "last_event_id", "passed", "released")

    def __init__(self, dialect: Dialect | None, last_event_id: str, *, resumes: bool) -> None:
        self.dialect = copy.deepcopy(dialect)
        self.last_event_id = last_event_id
        self.frames: list[Item] = []
        self.events = 0
        """How many events are held back."""
        self.passed = False
        """Whether anything left, such as a comment before the first event."""
        self.released = False
        """Whether nothing is held back any more."""
        self._resumes = resumes
        self._size = 0

    def pass_on(self, items: list[Item]) -> list[Item]:
        """Return what leaves now, in order."""
        leaves: list[Item] = []
        for item in items:
            if isinstance(item, Repair):
                continue  # the report has it
            if self.released or not (self.frames or item.count or _is_bracket(item)):
                leaves.append(item)
            elif self._may_wait(item):
                self.frames.append(item)
                self.events += item.count
                self._size += len(item.wire)
            else:
                leaves += [*self.release(), item]
        self.passed = self.passed or any(not isinstance(item, Repair) and item.wire for item in leaves)
        return leaves

    def release(self) -> list[Item]:
        """Return what was held back; nothing is from here on."""
        self.released = True
        frames, self.frames = self.frames, []
        self.events = 0
        return frames

    def uncount(self, report: StreamReport) -> None:
        """Take the events that are held back out of a report: they have not left."""
        report.events -= self.events
        report.last_event_id = self.last_event_id

    def _may_wait(self, frame: Outgoing) -> bool:
        """Return whether a frame says nothing that a client acts on."""
        if self._size + len(frame.wire) > MAX_WITHHELD:
            return False
        if not frame.count:
            return True
        if frame.dialect is None or frame.kind not in _WAITS:
            return False
        if self._resumes and any(event.id for event in frame.events()):
            return False
        deltas = [delta for reading in frame.readings() for delta in reading.deltas]
        return not any(delta.text or delta.reasoning or delta.tools or delta.finish_reason for delta in deltas)


def _is_bracket(frame: Outgoing) -> bool:
    """Return whether a frame is an array's bracket: behind it another connection could not begin one."""
    return not frame.count and frame.wire[:1] == b"["
