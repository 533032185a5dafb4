"""Hints that another process has changed an answer: one thread looks whether the file was written to, and by name at
what is watched. It runs while something is watched, and a second longer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from .watches import Wake, Watches

if TYPE_CHECKING:
    from .connections import Connections

_LOOK: Final = 0.01
"""Seconds between two looks, each of which takes some microseconds."""
_SLOWEST: Final = 0.5
"""Seconds between two looks at most, where a look takes long or fails."""
_LINGER: Final = 1.0
_MOST_NAMES: Final = 500
"""Parameters of one statement: older SQLite takes 999."""


class Changes:
    """Who watches which answer in this process. `marks` is a query of keys: `... WHERE key IN (%s)`; each row is a key
    and what changes with it.
    """

    def __init__(self, connections: Connections, marks: str) -> None:
        self._connections = connections
        self._marks = marks
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._looking = threading.Lock()  # held while a look is under way
        self._watches = Watches()
        self._runs = False
        self._connection: Any = None  # the one that `_version` is of
        self._version = -1
        self._seen: dict[str, Sequence[Any]] = {}

    def watch(self, key: str, wake: Wake) -> Wake:
        """Call `wake` when the answer changes, until the function that is returned is called."""
        if self._pid != os.getpid():
            self._begin()  # the thread, and whoever watched, are in the process that forked
        with self._lock:
            self._watches.add(key, wake)
            starts, self._runs = not self._runs, True
        if starts:
            threading.Thread(target=self._run, name="unbroken watcher", daemon=True).start()
        return lambda: self._watches.remove(key, wake)  # behind a fork there is nothing of it

    def wake(self, key: str) -> None:
        """Wake whoever watches this answer here: this process has changed it."""
        if self._pid == os.getpid():
            self._watches.wake(key)

    def close(self) -> None:
        """Close the file, once no look is under way that would open it again."""
        if self._pid != os.getpid():
            self._begin()  # the thread that may have looked is in the process that forked
        with self._looking:
            self._connections.close()

    def _run(self) -> None:
        watched_at = time.monotonic()
        while True:
            now, used = time.monotonic(), time.thread_time()
            if self._watches:
                watched_at = now
            elif now - watched_at > _LINGER and self._stop():
                return
            pause = self._look_patiently()
            time.sleep(min(_SLOWEST, max(pause, 4 * (time.thread_time() - used))))  # a fifth of one core at most

    def _stop(self) -> bool:
        with self._lock:
            self._runs = bool(self._watches)
            return not self._runs

    def _look_patiently(self) -> float:
        """Look, and return the seconds until the next look. What is not seen is looked at anyway, half a second on."""
        try:
            with self._looking:
                changed = self._look()
        except Exception:
            return _SLOWEST
        for key in changed:
            self.wake(key)
        return _LOOK

    def _look(self) -> list[str]:
        """Return the keys of what is watched that have changed since the last look."""
        keys = self._watches.keys()
        if not keys:
            return []
        with self._connections.lent("watch") as connection:
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if connection is self._connection and version == self._version and self._seen.keys() == set(keys):
                return []
            self._connection, self._version = connection, version
            seen: dict[str, Sequence[Any]] = {}
            for at in range(0, len(keys), _MOST_NAMES):
                names = keys[at : at + _MOST_NAMES]
                statement = self._marks % ",".join("?" * len(names))
                seen |= {row[0]: row[1:] for row in connection.execute(statement, names)}
        before, self._seen = self._seen, {key: seen.get(key, ()) for key in keys}
        return [key for key in keys if before.get(key) != self._seen[key]]
