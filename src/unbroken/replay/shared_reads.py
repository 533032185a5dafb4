"""Reads of the same by many at the same time: a hint wakes all readers of an answer, and most stand at one cursor.

Whoever comes while a read is under way may not have its result, since what the hint was about may be newer. So those
wait together for the next one, and two reads serve a thousand readers.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Final

_PATIENCE: Final = 1.0
"""Seconds for which a thread waits for its turn."""


class _Reads:
    """Reads of one thing, one after another. `lock` is held while one is under way."""

    __slots__ = ("begun", "ended", "lock", "outcome", "users")

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.users = 0
        self.begun = 0
        self.ended = 0  # the number of the read of which `outcome` is
        self.outcome: tuple[Any, Exception | None] = None, None

    def result_since(self, seen: int) -> tuple[bool, Any]:
        """Return whether a read has ended that began after the one numbered `seen`, and its result, or raise that."""
        if self.ended <= seen:
            return False, None
        value, error = self.outcome
        if error is not None:
            raise error
        return True, value

    def keep(self, value: Any, error: Exception | None) -> None:
        self.ended, self.outcome = self.begun, (value, error)


class SharedReads:
    """For threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reads: dict[Hashable, _Reads] = {}

    def read(self, what: Hashable, read: Callable[[], Any]) -> Any:
        """Return what `read()` returns, called by this thread or another one after this call began."""
        with self._lock:
            reads = self._reads.setdefault(what, _Reads(threading.Lock()))
            reads.users += 1
            seen = reads.begun
        try:
            return self._read_in_turn(reads, seen, read)
        finally:
            with self._lock:
                reads.users -= 1
                if not reads.users:
                    del self._reads[what]

    def _read_in_turn(self, reads: _Reads, seen: int, read: Callable[[], Any]) -> Any:
        if not reads.lock.acquire(timeout=_PATIENCE):
            raise TimeoutError("the store is busy with the same read")
        try:
            is_there, value = reads.result_since(seen)
            if is_there:
                return value
            reads.begun += 1
            try:
                value = read()
            except Exception as error:
                reads.keep(None, error)
                raise
            reads.keep(value, None)
            return value
        finally:
            reads.lock.release()


class SharedTaskReads:
    """For the tasks of one event loop."""

    def __init__(self) -> None:
        self._reads: dict[Hashable, _Reads] = {}

    async def read(self, what: Hashable, read: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Return what `read()` returns, awaited by this task or another one after this call began."""
        reads = self._reads.setdefault(what, _Reads(asyncio.Lock()))
        reads.users += 1
        seen = reads.begun
        try:
            async with reads.lock:
                is_there, value = reads.result_since(seen)
                return value if is_there else await self._read_now(reads, read)
        finally:
            reads.users -= 1
            if not reads.users:
                del self._reads[what]

    async def _read_now(self, reads: _Reads, read: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        reads.begun += 1
        try:
            value = await read()
        except Exception as error:
            reads.keep(None, error)
            raise
        reads.keep(value, None)
        return value
