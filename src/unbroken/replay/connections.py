"""Connections to one SQLite file: opened when they are needed, kept for the next call, and never taken over a fork.

A connection that is open at a fork is a danger even where the child never uses it: SQLite would believe that the child
holds the locks of its parent, which it does not. So all are closed before a fork, and opened again on both sides.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Final, Literal
from weakref import WeakSet

if TYPE_CHECKING:
    from sqlite3 import Connection

Use = Literal["read", "write", "watch"]
PATIENCE: Final = 0.9
"""Seconds for which a call waits for other writers, in this process and in others: a store gives up within a second."""
_MOST_IDLE: Final = 8
_WAL_BYTES: Final = 64 * 2**20
"""Bytes to which the file beside the database is cut, once all of it has been taken over."""


class Connections:
    """The connections of this process. `schema`: statements that are executed where `table` is missing."""

    def __init__(self, path: str, table: str, schema: tuple[str, ...]) -> None:
        self._path = path
        self._table = table
        self._schema = schema
        self._begin()
        _care_for_forks()
        _ALL.add(self)

    def _begin(self) -> None:
        self._gate = threading.Condition()
        self._writing = threading.Lock()
        self._forks = False  # nothing is lent meanwhile
        self._lent = 0
        self._idle: dict[Use, list[Connection]] = {"read": [], "write": [], "watch": []}

    @contextmanager
    def lent(self, use: Use) -> Generator[Connection]:
        """Lend a connection for one call. One that raised something is closed, and what it had begun is undone."""
        with self._gate:
            self._gate.wait_for(self._may_lend)
            self._lent += 1
            connection = self._idle[use].pop() if self._idle[use] else None
        try:
            if connection is None:
                connection = self._open()
            yield connection
        except BaseException:
            if connection is not None:
                _close(connection)
            connection = None
            raise
        finally:
            self._take_back(use, connection)

    def _take_back(self, use: Use, connection: Connection | None) -> None:
        with self._gate:
            self._lent -= 1
            self._gate.notify_all()
            if connection is not None and len(self._idle[use]) < _MOST_IDLE:
                self._idle[use].append(connection)
                return
        if connection is not None:
            _close(connection)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Lend a connection whose statements all see the same moment."""
        with self.lent("read") as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Lend the connection that writes, in a transaction that nobody else's can overlap.

        Raises `sqlite3.OperationalError` where others write for longer than `PATIENCE`.
        """
        until = time.monotonic() + PATIENCE
        if not self._writing.acquire(timeout=PATIENCE):
            from sqlite3 import OperationalError

            raise OperationalError("database is locked by another thread")
        try:
            with self.lent("write") as connection:
                _begin_write(connection, until - time.monotonic())
                yield connection
                connection.execute("COMMIT")
        finally:
            self._writing.release()

    def close(self) -> None:
        """Close what is not in use. The next call opens a connection again."""
        with self._gate:
            idle = [connection for connections in self._idle.values() for connection in connections]
            for connections in self._idle.values():
                connections.clear()
        for connection in idle:
            _close(connection)

    def __del__(self) -> None:
        if hasattr(self, "_idle"):
            self.close()  # or Python warns of each

    # A fork

    def _may_lend(self) -> bool:
        return not self._forks

    def hold(self) -> None:
        """Close all, and lend nothing until `release` or `begin_again`. Waits for calls that are under way."""
        with self._gate:
            self._forks = True
            self._gate.wait_for(lambda: not self._lent, PATIENCE)
        self.close()

    def release(self) -> None:
        """Go on in the process that forked."""
        with self._gate:
            self._forks = False
            self._gate.notify_all()

    def begin_again(self) -> None:
        """Go on in the child, where no other thread is left that could give anything back."""
        self._begin()

    # Opening

    def _open(self) -> Connection:
        import sqlite3

        self._create()
        until = time.monotonic() + PATIENCE
        while True:
            connection = sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(connection)
                return connection
            except BaseException as error:
                _close(connection)
                # Several that turn a new file into WAL at once are refused at once, whatever their timeout is.
                if not isinstance(error, sqlite3.OperationalError) or time.monotonic() > until:
                    raise
            time.sleep(0.005)

    def _create(self) -> None:
        """Create the file for its owner alone.

        One that exists is not touched: closing it would drop the locks of this process's other connections.
        """
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def _prepare(self, connection: Connection) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")  # with WAL: at a power failure the newest may go, no more
        connection.execute(f"PRAGMA journal_size_limit={_WAL_BYTES}")
        known = "SELECT 1 FROM sqlite_master WHERE name=?"
        if connection.execute(known, (self._table,)).fetchone() is not None:
            return
        connection.execute("PRAGMA journal_mode=WAL").fetchone()
        connection.execute("BEGIN IMMEDIATE")
        for statement in self._schema:
            connection.execute(statement)
        connection.execute("COMMIT")


def _begin_write(connection: Connection, left: float) -> None:
    """Begin to write within the seconds that are left, of which this process's own threads may have used most."""
    if left > 0.9 * PATIENCE:
        connection.execute("BEGIN IMMEDIATE")
        return
    connection.execute(f"PRAGMA busy_timeout={max(1, int(left * 1000))}")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA busy_timeout={int(PATIENCE * 1000)}")


def _close(connection: Connection) -> None:
    with suppress(Exception):
        connection.close()


_ALL: Final[WeakSet[Connections]] = WeakSet()
_held: list[Connections] = []


@cache
def _care_for_forks() -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_hold_all, after_in_parent=_each(Connections.release), after_in_child=_each(Connections.begin_again)
        )


def _hold_all() -> None:
    _held[:] = _ALL
    for connections in _held:
        connections.hold()


def _each(go_on: Callable[[Connections], object]) -> Callable[[], None]:
    def call() -> None:
        for connections in _held:
            go_on(connections)
        _held.clear()

    return call
