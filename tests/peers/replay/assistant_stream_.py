"""assistant-stream's resumable streams, in Redis. Its README does not tell of them; this is what its functions that
return a response call. Of what it has, `delete` comes nearest to a stop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from tests.peers.replay.worker import Seen, Upstream


class Program:
    def __init__(self, argument: str) -> None: ...

    async def open(self, redis_port: int, folder: str) -> None:
        from assistant_stream.resumable import create_redis_resumable_stream_store, create_resumable_stream_context
        from redis.asyncio import Redis

        client = Redis.from_url(f"redis://127.0.0.1:{redis_port}")
        self.context = create_resumable_stream_context(store=create_redis_resumable_stream_store(client))

    async def start(self, id: str, upstream: Upstream) -> AsyncIterator[bytes]:
        async def chunks() -> AsyncIterator[bytes]:
            async for frame in upstream():
                yield frame.encode()

        return await self.context.run(id, chunks)

    async def follow(self, id: str, seen: Seen | None) -> AsyncIterator[bytes] | None:
        return await self.context.resume(id)

    async def stop(self, id: str) -> None:
        await self.context.delete(id)
