"""A store for one process: threads and event loops share it, and it ends with the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import ClassVar

from .ids import START, Id
from .store import MOST_RECORDS, Ending, Fenced, Slice, State, fit
from .watches import Watches


class _Answer:
    """One answer."""

    __slots__ = (
        "deadline", "ended", "expires", "form", "kept_from", "last", "lease_until", "owner", "records", "report",
        "started", "started_at", "stop_asked", "verdict", "writer",
    )  # fmt: skip

    def __init__(self, owner: str, now: float, wall: float, lease: float, keep: float, form: str | None) -> None:
        self.owner = owner
        self.writer: str | None = None  # who ended it
        self.records: list[bytes] = []  # those of the producer, from `kept_from` on, and an end from outside
        self.kept_from = 1
        self.last = START
        self.lease_until = now + lease
        self.started_at = now
        self.started = wall
        self.ended: float | None = None
        self.deadline = now + keep  # when its key is forgotten
        self.expires: float | None = None  # when its records go
        self.verdict: str | None = None
        self.report: str | None = None
        self.form = form
        self.stop_asked = False

    def state(self, now: float) -> State:
        expired = self.expires is not None and now >= self.expires
        return State(
            self.last, Id(1, self.kept_from), self.lease_until - now, now - self.started_at, self.started, self.ended,
            self.verdict, self.form, self.stop_asked, expired,
        )  # fmt: skip

    def holds(self, at: Id, records: Sequence[bytes]) -> bool:
        """Whether the last of these is the newest one already: the same call came twice."""
        return bool(records) and self.last == at.following(len(records) - 1) and self.records[-1] == records[-1]

    def is_next(self, at: Id) -> bool:
        """Whether this is the id after the last one, without an object for it."""
        return at.seq == self.last.seq + 1 and at.epoch == self.last.epoch

    def add(self, at: Id, records: Sequence[bytes]) -> None:
        if records:
            self.records += records
            self.last = at.following(len(records) - 1)

    def trim(self, first: int) -> None:
        count = first - self.kept_from
        if count > 0:
            self.kept_from = first
            del self.records[:count]

    def after(self, cursor: Id, limit: int) -> tuple[Sequence[bytes], Id | None, Id | None]:
        """Return the records behind a cursor, and the ids of the first and the last of them."""
        outside = int(self.last.epoch > 1)
        count = len(self.records) - outside
        at = min(max(cursor.seq + 1 - self.kept_from, 0), count) if cursor.epoch == 1 else count
        records = fit(self.records[at : at + MOST_RECORDS], limit)
        if not records:
            return (), None, None
        first = Id(1, self.kept_from + at) if at < count else self.last
        last = self.last if at + len(records) > count else Id(1, self.kept_from + at + len(records) - 1)
        return records, first, last


class MemoryStore:
    """Keeps answers in the memory of this process, for threads and asyncio alike. They end with the process.

    `clock` returns seconds, monotonic. Holds what `max_bytes`, `ttl` and `max_age` of its `Replay` allow, about 100
    bytes more for each event, and 1 KiB for each answer.
    """

    instant: ClassVar[bool] = True

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: dict[str, _Answer] = {}
        self._dues: list[tuple[float, str]] = []  # a heap: when to look whether something is to be let go
        self._watches = Watches()

    def open(self, key: str, owner: str, *, lease: float, keep: float, form: str | None = None) -> bool:
        """Elect a producer, see `Store`."""
        with self._lock:
            now = self._now()
            known = self._answers.get(key)
            if known is not None:
                return known.owner == owner and known.verdict is None
            answer = self._answers[key] = _Answer(owner, now, time.time(), lease, keep, form)
            heappush(self._dues, (answer.deadline, key))
        return True

    def append(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], *, first: Id, lease: float, form: str | None
    ) -> bool:
        """Add records and renew the lease, see `Store`."""
        with self._lock:
            now = self._now()
            answer = self._answers.get(key)
            if answer is None or answer.owner != owner or answer.verdict is not None:
                raise Fenced(key)
            if records and answer.is_next(at):
                answer.add(at, records)
                answer.trim(first.seq)
            elif records and not answer.holds(at, records):
                raise Fenced(key)
            answer.lease_until = now + lease
            if form is not None:
                answer.form = form
            stop_asked = answer.stop_asked
        if records:
            self._watches.wake(key)
        return stop_asked

    def end(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], ending: Ending, *, first: Id, form: str | None
    ) -> bool:
        """Add the last records and the end, see `Store`."""
        with self._lock:
            now = self._now()
            answer = self._answers.get(key)
            if answer is None:
                return False
            if answer.verdict is not None:
                return answer.writer == owner
            if at != answer.last.outside and (owner != answer.owner or not answer.is_next(at)):
                return False
            answer.add(at, records)
            answer.trim(first.seq)
            answer.writer, answer.verdict, answer.report = owner, ending.verdict, ending.report
            answer.form = form or answer.form
            answer.ended = answer.started + now - answer.started_at
            answer.expires = now + ending.ttl
            answer.deadline = now + max(ending.ttl, ending.remember)
            heappush(self._dues, (answer.expires, key))
        self._watches.wake(key)
        return True

    def read(self, key: str, after: Id, limit: int) -> Slice | None:
        """Return records and state, see `Store`."""
        with self._lock:
            now = self._now()
            answer = self._answers.get(key)
            if answer is None:
                return None
            state = answer.state(now)
            if not limit or state.expired or after >= answer.last:
                return Slice(state)
            return Slice(state, *answer.after(after, limit))

    def report(self, key: str) -> str | None:
        """Return the report of an answer that has ended, or None."""
        with self._lock:
            answer = self._answers.get(key)
            return None if answer is None else answer.report

    def ask_stop(self, key: str) -> bool:
        """Note that the producer is to stop; return whether the answer runs."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is None or answer.verdict is not None:
                return False
            answer.stop_asked = True
        self._watches.wake(key)
        return True

    def watch(self, key: str, wake: Callable[[], object]) -> Callable[[], object]:
        """Call `wake` when the answer changes, until the function that is returned is called."""
        return self._watches.add(key, wake)

    def _now(self) -> float:
        """Return the time, and let go of what is due."""
        now = self._clock()
        while self._dues and self._dues[0][0] <= now:
            _, key = heappop(self._dues)
            answer = self._answers.get(key)
            if answer is None:
                continue
            if answer.deadline <= now:
                del self._answers[key]
            elif answer.expires is not None and answer.expires <= now:
                answer.records, answer.report = [], None
                heappush(self._dues, (answer.deadline, key))
        return now
