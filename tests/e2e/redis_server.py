"""A Redis of the test's own: on a free port, in a folder of its own, killed and started again as a test likes."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from .processes import Program, free_port
from .requirements import program

BOUNDED: dict[str, Any] = {"socket_timeout": 0.4, "socket_connect_timeout": 0.4}
"""With one repetition, what a client needs to give up within a second."""


class RedisServer:
    """A context manager. What was answered is on disk, so that a restart forgets nothing."""

    def __init__(self, folder: Path, *options: str, durable: bool = True) -> None:
        self.port = free_port()
        command = [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        command += ["--save", "", "--appendonly", "yes" if durable else "no", "--appendfsync", "always", *options]
        self._program = Program(command, self.port, folder / "redis.log")
        self._clients: list[redis.Redis] = []

    def client(self, **options: Any) -> redis.Redis:
        """Return a client that gives up within a second; it is closed with the server."""
        chosen = {**BOUNDED, "retry": Retry(NoBackoff(), 1), **options}
        client = redis.Redis(port=self.port, **chosen)
        self._clients.append(client)
        return client

    def async_client(self, **options: Any) -> redis.asyncio.Redis:
        """Return one for asyncio."""
        return redis.asyncio.Redis(port=self.port, retry=AsyncRetry(NoBackoff(), 1), **{**BOUNDED, **options})

    def send(self, sign: int) -> None:
        self._program.send(sign)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._program.send(signal.SIGKILL)
        self._program.wait(10)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._program.start()
        self._program.wait_until_ready()
        until = time.monotonic() + 10
        with redis.Redis(port=self.port) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.02)

    def __enter__(self) -> RedisServer:
        try:
            self.start()
        except BaseException:
            self._program.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()
        self._program.stop()
