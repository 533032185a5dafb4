"""Every store of ours is held to the contract of stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from unbroken.replay import MemoryStore, SQLiteStore
from unbroken.testing import StoreContract


class TestMemoryStore(StoreContract):
    def store(self, clock: Callable[[], float]) -> MemoryStore:
        return MemoryStore(clock=clock)


class TestSQLiteStore(StoreContract):
    examples = 0.5

    def store(self, clock: Callable[[], float]) -> SQLiteStore:
        self.folder = TemporaryDirectory()
        return SQLiteStore(Path(self.folder.name) / "answers.db", clock=clock)

    def close(self, store: SQLiteStore) -> None:
        store.close()
        self.folder.cleanup()


class _AsAsync:
    """The memory store with coroutine functions: the shape of a store for asyncio."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name == "watch":
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

        return call


class TestAsyncStore(StoreContract):
    examples = 0.25

    def store(self, clock: Callable[[], float]) -> Any:
        return _AsAsync(MemoryStore(clock=clock))
