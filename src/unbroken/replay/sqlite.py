"""A store for the processes of one machine: an SQLite file, by the standard library."""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from .changes import Changes
from .clocks import Clocks
from .connections import Connections
from .ids import START, Id
from .store import MOST_RECORDS, Ending, Fenced, Slice, State

if TYPE_CHECKING:
    from sqlite3 import Connection

_ROOM: Final = 2**32
"""How far the places of two answers are apart; the place of a record is its number behind that of its answer."""
_SWEEP: Final = 4
"""Answers that are let go, at most, with each that is started: more than come."""

# An answer's records are kept as they were written, several in one row, of which `sizes` (32 bits each) says where to
# cut: each statement lets other threads run, and may wait for them. `top` is the number of the newest record; where
# `outside` is true that is the end from outside. While an answer runs its times are `lease_until`, `began` and `until`,
# by the steady clock of `boot`; `started`, `ended`, `expires`, `deadline` and `due` are times of day.
_SCHEMA: Final = (
    "CREATE TABLE unbroken_answers_1 (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,"
    " writer TEXT, first INTEGER NOT NULL, top INTEGER NOT NULL, outside INTEGER NOT NULL, boot TEXT NOT NULL,"
    " lease_until REAL NOT NULL, began REAL NOT NULL, until REAL NOT NULL, started REAL NOT NULL, ended REAL,"
    " verdict TEXT, form TEXT, report TEXT, stop_asked INTEGER NOT NULL, expires REAL, deadline REAL NOT NULL,"
    " due REAL NOT NULL)",
    "CREATE INDEX unbroken_due_1 ON unbroken_answers_1 (due)",
    "CREATE TABLE unbroken_records_1 (place INTEGER PRIMARY KEY, sizes BLOB NOT NULL, records BLOB NOT NULL)",
)
_OPEN: Final = (
    "INSERT INTO unbroken_answers_1 (key, owner, first, top, outside, boot, lease_until, began, until,"
    " started, form, stop_asked, deadline, due) VALUES (?, ?, 1, 0, 0, ?, ?, ?, ?, ?, ?, 0, ?, ?)"
)
_ANSWER: Final = (
    "SELECT id, owner, writer, first, top, outside, boot, lease_until, began, until, started, ended, verdict, form,"
    " stop_asked, expires, deadline FROM unbroken_answers_1 WHERE key=?"
)
_APPENDED: Final = "UPDATE unbroken_answers_1 SET first=?, top=?, lease_until=?, form=coalesce(?, form) WHERE id=?"
_ENDED: Final = (
    "UPDATE unbroken_answers_1 SET first=?, top=?, outside=?, writer=?, ended=?, verdict=?, report=?,"
    " form=coalesce(?, form), expires=?, deadline=?, due=? WHERE id=?"
)
_STOP: Final = "UPDATE unbroken_answers_1 SET stop_asked=1 WHERE id=?"
_REPORT: Final = "SELECT report FROM unbroken_answers_1 WHERE key=? AND expires>?"
_DUE: Final = "SELECT key FROM unbroken_answers_1 WHERE due<=? ORDER BY due LIMIT ?"
_POSTPONE: Final = "UPDATE unbroken_answers_1 SET due=? WHERE id=?"
_FORGET: Final = "DELETE FROM unbroken_answers_1 WHERE id=?"
_EXPIRE: Final = "UPDATE unbroken_answers_1 SET report=NULL, due=deadline WHERE id=?"
_MARKS: Final = "SELECT key, id, top, verdict, stop_asked FROM unbroken_answers_1 WHERE key IN (%s)"
_ADD: Final = "INSERT INTO unbroken_records_1 (place, sizes, records) VALUES (?, ?, ?)"
_PIECE: Final = "(SELECT max(place) FROM unbroken_records_1 WHERE place<=?)"  # the row that holds a record
_READ: Final = (
    f"SELECT place, sizes, records FROM unbroken_records_1 WHERE place>={_PIECE} AND place<? ORDER BY place LIMIT ?"
)
_TRIM: Final = f"DELETE FROM unbroken_records_1 WHERE place>? AND place<{_PIECE}"
_DELETE: Final = "DELETE FROM unbroken_records_1 WHERE place>? AND place<?"


class _Answer(NamedTuple):
    """One row."""

    id: int
    owner: str
    writer: str | None
    first: int
    top: int
    outside: int
    boot: str
    lease_until: float
    began: float
    until: float
    started: float
    ended: float | None
    verdict: str | None
    form: str | None
    stop_asked: int
    expires: float | None
    deadline: float

    @property
    def last(self) -> Id:
        return START.outside if self.outside else Id(START.epoch, self.top)

    @property
    def place(self) -> int:
        return self.id * _ROOM

    def state(self, now: _Now) -> State:
        left, age = self.lease_until - now.steady, now.steady - self.began
        if self.boot != now.boot:  # whoever produced it is gone with that
            left, age = -1.0, now.day - self.started
        return State(
            self.last, Id(START.epoch, self.first), left, age, self.started, self.ended, self.verdict, self.form,
            bool(self.stop_asked), self.expires is not None and now.day >= self.expires,
        )  # fmt: skip

    def seconds_left(self, now: _Now) -> float:
        """Return for how long its key is still to be known."""
        by_day = self.deadline - now.day
        return self.until - now.steady if self.verdict is None and self.boot == now.boot else by_day

    def ended_at(self, now: _Now) -> float:
        """Return the time of day of an end that comes now, in keeping with that of its start."""
        return self.started + now.steady - self.began if self.boot == now.boot else max(now.day, self.started)


class _Now(NamedTuple):
    """One moment, by the clocks of the machine."""

    day: float
    steady: float
    boot: str


class SQLiteStore:
    """Keeps answers in an SQLite file, for the processes and threads of one machine.

    `path` is the file, which is created for its owner alone where there is none; two more stand beside it (`-wal`,
    `-shm`). It may be a database of yours, whose tables begin otherwise than with `unbroken_`. Not on a network file
    system, which SQLite's locks do not hold on. `clock`, which returns seconds, is for tests: running answers go by the
    time since the boot, which nobody sets, and ended ones by the time of day.

    Nothing is opened before the first call, which raises what SQLite raises (`sqlite3.Error`) or `OSError`. A call
    waits 0.9 seconds at most for other writers. What was kept is let go as new answers are started; the file keeps its
    size for what comes.
    """

    instant: ClassVar[bool] = False

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], float] | None = None) -> None:
        name = os.fspath(path) if isinstance(path, os.PathLike) else path
        if not isinstance(name, str):
            raise TypeError(f"SQLiteStore(path) takes the path of a file, not {type(name).__name__}")
        if not name or name == ":memory:":
            raise ValueError(
                f"SQLiteStore({name!r}) has no file that others can open: MemoryStore() is for one process"
            )
        self._clocks = Clocks(clock)
        self._connections = Connections(os.path.abspath(name), "unbroken_answers_1", _SCHEMA)
        self._changes = Changes(self._connections, _MARKS)

    def open(self, key: str, owner: str, *, lease: float, keep: float, form: str | None = None) -> bool:
        """Elect a producer, see `Store`."""
        with self._connections.writing() as connection:
            now = self._now()
            _let_go(connection, now, key)
            answer = _find(connection, key, now)
            if answer is not None:
                return answer.owner == owner and answer.verdict is None
            steady = (now.boot, now.steady + lease, now.steady, now.steady + keep)
            connection.execute(_OPEN, (key, owner, *steady, now.day, form, now.day + keep, now.day + keep))
        return True

    def append(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], *, first: Id, lease: float, form: str | None
    ) -> bool:
        """Add records and renew the lease, see `Store`."""
        with self._connections.writing() as connection:
            now = self._now()
            answer = _find(connection, key, now)
            is_fenced = answer is None or not _may_append(connection, answer, owner, at, records)
            if answer is not None and not is_fenced:
                is_new = bool(records) and at.seq == answer.top + 1
                kept, top = _add(connection, answer, records, first) if is_new else (answer.first, answer.top)
                connection.execute(_APPENDED, (kept, top, now.steady + lease, form, answer.id))
        if answer is None or is_fenced:
            raise Fenced(key)
        if records:
            self._changes.wake(key)
        return bool(answer.stop_asked)

    def end(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], ending: Ending, *, first: Id, form: str | None
    ) -> bool:
        """Add the last records and the end, see `Store`."""
        with self._connections.writing() as connection:
            now = self._now()
            answer = _find(connection, key, now)
            if answer is None:
                return False
            if answer.verdict is not None:
                return answer.writer == owner
            outside = at == answer.last.outside
            if not outside and (owner != answer.owner or at != answer.last.following()):
                return False
            kept, top = _add(connection, answer, records, first)
            expires, deadline = now.day + ending.ttl, now.day + max(ending.ttl, ending.remember)
            said = (owner, answer.ended_at(now), ending.verdict, ending.report, form, expires, deadline, expires)
            connection.execute(_ENDED, (kept, top, outside, *said, answer.id))
        self._changes.wake(key)
        return True

    def read(self, key: str, after: Id, limit: int) -> Slice | None:
        """Return records and state, see `Store`."""
        with self._connections.reading() as connection:
            now = self._now()
            answer = _find(connection, key, now)
            if answer is None:
                return None
            state = answer.state(now)
            if not limit or state.expired or after >= answer.last:
                return Slice(state)
            at, records = _records(connection, answer, after, limit)
        first, last = _id_of(answer, at), _id_of(answer, at + len(records) - 1)
        return Slice(state, records, first, last) if records else Slice(state)

    def report(self, key: str) -> str | None:
        """Return the report of an answer that has ended, or None."""
        with self._connections.lent("read") as connection:
            row = connection.execute(_REPORT, (key, self._clocks.day())).fetchone()
        return None if row is None else row[0]

    def ask_stop(self, key: str) -> bool:
        """Note that the producer is to stop; return whether the answer runs."""
        with self._connections.writing() as connection:
            answer = _find(connection, key, self._now())
            runs = answer is not None and answer.verdict is None
            if answer is not None and runs:
                connection.execute(_STOP, (answer.id,))
        if runs:
            self._changes.wake(key)
        return runs

    def watch(self, key: str, wake: Callable[[], object]) -> Callable[[], object]:
        """Call `wake` when the answer changes, until the function that is returned is called."""
        return self._changes.watch(key, wake)

    def _now(self) -> _Now:
        clocks = self._clocks
        return _Now(clocks.day(), clocks.steady(), clocks.boot)

    def close(self) -> None:
        """Close the file. It is opened again by the next call, so that nothing that still runs is lost."""
        self._changes.close()


def _find(connection: Connection, key: str, now: _Now) -> _Answer | None:
    answer = _row(connection, key)
    return None if answer is None or answer.seconds_left(now) <= 0 else answer


def _row(connection: Connection, key: str) -> _Answer | None:
    row: Any = connection.execute(_ANSWER, (key,)).fetchone()
    return None if row is None else _Answer._make(row)


def _may_append(connection: Connection, answer: _Answer, owner: str, at: Id, records: Sequence[bytes]) -> bool:
    """Whether `owner` may write: what follows, nothing but its lease, or what stands there as the newest already."""
    if answer.owner != owner or answer.verdict is not None:
        return False
    if not records or at == answer.last.following():
        return True
    if answer.last != at.following(len(records) - 1):
        return False
    _, newest = _records(connection, answer, Id(START.epoch, answer.top - 1), 1)
    return list(newest) == [records[-1]]


def _add(connection: Connection, answer: _Answer, records: Sequence[bytes], first: Id) -> tuple[int, int]:
    """Add records behind the newest one, trim the head; return the number of the first one that is kept, and of the
    newest.
    """
    place, kept = answer.place, max(answer.first, first.seq)
    if records:
        sizes = array("I", map(len, records)).tobytes()
        connection.execute(_ADD, (place + answer.top + 1, sizes, b"".join(records)))
    if kept > answer.first:
        connection.execute(_TRIM, (place, place + kept))
    return kept, answer.top + len(records)


def _records(connection: Connection, answer: _Answer, after: Id, limit: int) -> tuple[int, list[bytes]]:
    """Return the number of the first record behind a cursor that is kept, and as many records as fit into `limit`."""
    at = min(max(after.seq + 1, answer.first), answer.top) if after.epoch == START.epoch else answer.top
    records: list[bytes] = []
    place = answer.place
    rows = connection.execute(_READ, (place + at, place + _ROOM, MOST_RECORDS))
    for first, sizes, joined in rows:
        ends = list(accumulate(array("I", sizes), initial=0))
        skipped = at + len(records) - (first - place)
        for start, end in pairwise(ends[skipped:]):
            limit -= end - start
            if records and (limit < 0 or len(records) == MOST_RECORDS):
                rows.close()
                return at, records
            records.append(joined[start:end])
    return at, records


def _id_of(answer: _Answer, number: int) -> Id:
    return answer.last if number == answer.top else Id(START.epoch, number)


def _let_go(connection: Connection, now: _Now, key: str) -> None:
    """Forget what is due, that of `key` for sure: the records of some answers, the keys of others."""
    for (name,) in {*connection.execute(_DUE, (now.day, _SWEEP)).fetchall(), (key,)}:
        answer = _row(connection, name)
        left = math.inf if answer is None else answer.seconds_left(now)
        if answer is None or (name == key and left > 0):
            continue
        if left > 0 and answer.verdict is None:  # the time of day was set
            connection.execute(_POSTPONE, (now.day + left, answer.id))
            continue
        connection.execute(_DELETE, (answer.place, answer.place + _ROOM))
        connection.execute(_EXPIRE if left > 0 else _FORGET, (answer.id,))
