"""Who watches which answer in this process: what every store that is watched keeps of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

Wake = Callable[[], object]


class Watches:
    """Functions to call when an answer changes, by its key. Thread-safe; a function may be there several times."""

    __slots__ = ("_lock", "_wakes")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakes: dict[str, tuple[Wake, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self._wakes)

    def keys(self) -> list[str]:
        """Return the keys of what is watched."""
        return list(self._wakes.copy())

    def add(self, key: str, wake: Wake) -> Wake:
        """Have `wake` called, until the function that is returned is called."""
        with self._lock:
            self._wakes[key] = (*self._wakes.get(key, ()), wake)
        return lambda: self.remove(key, wake)

    def remove(self, key: str, wake: Wake) -> None:
        """Take back what `add` did, if it was not taken back already."""
        with self._lock:
            left = list(self._wakes.get(key, ()))
            if wake in left:
                left.remove(wake)
            if left:
                self._wakes[key] = tuple(left)
            else:
                self._wakes.pop(key, None)

    def wake(self, key: str) -> None:
        """Call what is there for a key, in this thread and without a lock."""
        for wake in self._wakes.get(key, ()):
            wake()
