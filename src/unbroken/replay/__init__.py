"""Answers that outlive their readers: a page that is reloaded, a second tab, a worker that is gone, a stop button."""

from __future__ import annotations

from .follower import AsyncFollower, Follower
from .ids import Id, InvalidId
from .memory import MemoryStore
from .redis import RedisStore
from .replay import Replay
from .sqlite import SQLiteStore
from .status import ExpiredAnswer, Status, TrimmedAnswer, UnknownAnswer
from .store import AsyncStore, Ending, Fenced, Slice, State, Store

__all__ = [
    "AsyncFollower",
    "AsyncStore",
    "Ending",
    "ExpiredAnswer",
    "Fenced",
    "Follower",
    "Id",
    "InvalidId",
    "MemoryStore",
    "RedisStore",
    "Replay",
    "SQLiteStore",
    "Slice",
    "State",
    "Status",
    "Store",
    "TrimmedAnswer",
    "UnknownAnswer",
]
