"""agno's event streams alone, in the steps of its server: who runs the agent writes each event, and the end.

Election, stop and what is told of an exception are the server's part, so they have no API here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from tests.peers.replay.worker import Seen, Upstream

TTL_SECONDS, BLOCK_MS = 9, 1000


class Program:
    def __init__(self, argument: str) -> None:
        self.argument = argument
        self.tasks: set[asyncio.Task[None]] = set()

    async def open(self, redis_port: int, folder: str) -> None:
        from agno.os.event_streams import InMemoryEventStream, RedisEventStream
        from redis.asyncio import Redis

        if self.argument == "memory":
            self.stream = InMemoryEventStream()
        else:
            client = Redis.from_url(f"redis://127.0.0.1:{redis_port}")
            self.stream = RedisEventStream(client, ttl_seconds=TTL_SECONDS, block_ms=BLOCK_MS)

    async def start(self, id: str, upstream: Upstream) -> AsyncIterator[str]:
        from agno.run.base import RunStatus

        await self.stream.register_run(id)
        await self.stream.set_run_status(id, RunStatus.running)
        task = asyncio.get_running_loop().create_task(self.produce(id, upstream))
        self.tasks.add(task)
        return self.frames(id, -1)

    async def produce(self, id: str, upstream: Upstream) -> None:
        from agno.run.agent import RunContentEvent
        from agno.run.base import RunStatus

        try:
            async for frame in upstream():
                await self.stream.add_event(id, RunContentEvent(content=frame, run_id=id))
        except Exception:
            await self.stream.complete_run(id, RunStatus.error)
        else:
            await self.stream.complete_run(id, RunStatus.completed)

    async def frames(self, id: str, after: int) -> AsyncIterator[str]:
        async for _, event in self.stream.tail(id, last_event_index=after):
            data = next(line for line in event.splitlines() if line.startswith("data: "))
            yield json.loads(data[6:])["content"]

    async def follow(self, id: str, seen: Seen | None) -> AsyncIterator[str] | None:
        if await self.stream.get_run_status(id) is None:
            return None
        return self.frames(id, seen.frames - 1 if seen else -1)
