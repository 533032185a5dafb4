"""fastapi-resumable-stream, as its README has it: what its FastAPI helpers do, without the response around it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tests.peers.replay.worker import Seen, Upstream


class Program:
    def __init__(self, argument: str) -> None: ...

    async def open(self, redis_port: int, folder: str) -> None:
        from fastapi_resumable_stream import ActiveStreamRegistry, ResumableStream, StopController
        from redis.asyncio import Redis

        client = Redis.from_url(f"redis://127.0.0.1:{redis_port}")
        self.stream, self.registry = ResumableStream(client), ActiveStreamRegistry(client)
        self.stopping = StopController(client)

    async def start(self, id: str, upstream: Upstream) -> AsyncIterator[str]:
        await self.stopping.clear(id)
        await self.registry.set_active(id, id)
        return await self.stream.start(id, upstream)

    async def follow(self, id: str, seen: Seen | None) -> AsyncIterator[str] | None:
        from fastapi_resumable_stream import resume_conversation_stream

        return await resume_conversation_stream(self.stream, self.registry, id, after=seen.frames if seen else 0)

    async def stop(self, id: str) -> None:
        from fastapi_resumable_stream import stop_conversation_stream

        await stop_conversation_stream(self.registry, self.stopping, id)
