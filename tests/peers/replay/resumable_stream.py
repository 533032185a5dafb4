"""The port of npm's resumable-stream to Python, by its idempotent API, which its README recommends.

The README's `create_resumable_stream_context(redis_url=...)` raises TypeError in this version, so that both ends of its
Redis are handed in, which the README has too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from tests.peers.replay.worker import Seen, Upstream


class Program:
    def __init__(self, argument: str) -> None: ...

    async def open(self, redis_port: int, folder: str) -> None:
        from resumable_stream import RedisPublisher, RedisSubscriber, create_resumable_stream_context

        url = f"redis://127.0.0.1:{redis_port}"
        publisher, subscriber = RedisPublisher(url), RedisSubscriber(url)
        await publisher.connect()
        await subscriber.connect()
        self.context = create_resumable_stream_context(publisher=publisher, subscriber=subscriber)

    async def start(self, id: str, upstream: Upstream) -> AsyncIterator[str]:
        return await self.context.resumable_stream(id, upstream)

    async def follow(self, id: str, seen: Seen | None) -> AsyncIterator[str] | None:
        found = await self.context.resume_existing_stream(id, seen.characters if seen else None)
        return None if found == "NOT_FOUND" else found
