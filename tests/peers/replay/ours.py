"""`unbroken.replay`, with the lease that the others' settings of the kind come nearest to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.peers.replay.worker import Seen, Upstream
from unbroken.replay import Replay, SQLiteStore, UnknownAnswer

LEASE = 2.0


class Program:
    def __init__(self, argument: str) -> None:
        self.argument = argument

    async def open(self, redis_port: int, folder: str) -> None:
        self.answers = Replay(self.store(redis_port, folder), lease=LEASE)

    def store(self, redis_port: int, folder: str) -> Any:
        if self.argument == "SQLite":
            return SQLiteStore(Path(folder) / "answers.db")
        import redis.asyncio
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        from unbroken import replay

        client = redis.asyncio.Redis(
            port=redis_port, socket_timeout=0.4, socket_connect_timeout=0.4, retry=Retry(NoBackoff(), 1)
        )
        return replay.RedisStore(client)

    async def start(self, id: str, upstream: Upstream) -> AsyncIterator[bytes]:
        async def chunks() -> AsyncIterator[bytes]:
            async for frame in upstream():
                yield frame.encode()

        await self.answers.astart(id, chunks)
        return await self.answers.afollow(id, heartbeat=None)

    async def follow(self, id: str, seen: Seen | None) -> AsyncIterator[bytes] | None:
        try:
            return await self.answers.afollow(id, seen.last_id if seen else "", heartbeat=None)
        except UnknownAnswer:
            return None

    async def stop(self, id: str) -> None:
        await self.answers.astop(id)
