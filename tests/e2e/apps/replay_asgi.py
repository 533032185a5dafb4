"""The FastAPI application of replay.md, likewise, with Redis."""

import os
from pathlib import Path
from typing import Any

import redis.asyncio
import replay_fastapi

from tests.e2e.redis_server import BOUNDED
from unbroken.replay import RedisStore, Replay

client = redis.asyncio.Redis.from_url(os.environ["REDIS"], **BOUNDED)
replay_fastapi.answers = Replay(RedisStore(client), lease=float(os.environ["LEASE"]))


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope.get("method") == "POST":
        Path(os.environ["WORKER"]).write_text(str(os.getpid()))  # noqa: ASYNC240 - a few bytes, in a test
    await replay_fastapi.app(scope, receive, send)
