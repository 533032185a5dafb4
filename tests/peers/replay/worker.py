"""One process that produces and reads answers with one library: `python -m tests.peers.replay.worker PROGRAM ARGUMENT`.

It obeys lines of stdin, and tells in lines of stdout what happens, each a JSON object. A library is a class `Program`
of a module of this package. `resumable_stream.mjs` speaks the same lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Protocol

SECRET = "the secret of an exception"
"""Stands in the text of what upstream raises; no reader is to see it."""
DONE = "data: [DONE]\n\n"


def token(number: int) -> str:
    """Return a frame of upstream."""
    return f'data: {{"choices":[{{"index":0,"delta":{{"content":"{number} "}}}}]}}\n\n'


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader that comes back has: whole frames, characters, and the last id, where there are ids."""

    frames: int
    characters: int
    last_id: str


Frames = AsyncIterator[str]
Upstream = Callable[[], Frames]


class Program(Protocol):
    """A library. It may have `stop(id)`."""

    async def open(self, redis_port: int, folder: str) -> None:
        """Connect to what it keeps answers in."""

    async def start(self, id: str, upstream: Upstream) -> AsyncIterator[str | bytes]:
        """Start an answer, and return its first reader."""

    async def follow(self, id: str, seen: Seen | None) -> AsyncIterator[str | bytes] | None:
        """Return another reader, None where the library says that there is nothing to read."""


def tell(**what: Any) -> None:
    sys.stdout.write(json.dumps({"at": time.time(), **what}) + "\n")
    sys.stdout.flush()


def upstream_of(id: str, ending: str, pace: float) -> Upstream:
    """Return an upstream of ten tokens, that then ends ("done"), raises, or is silent; or goes on ("endless")."""

    async def frames() -> Frames:
        tell(what="opened", id=id)
        number = 0
        try:
            while number < 10 or ending == "endless":
                yield token(number)
                number += 1
                await asyncio.sleep(pace)
            if ending == "raises":
                raise RuntimeError(SECRET)
            if ending == "silent":
                await asyncio.sleep(3600)
            yield DONE
        finally:
            tell(what="closed", id=id)

    return frames


async def read(reader: str, opening: Any) -> None:
    """Read to the end, and tell each piece and how it ended."""
    try:
        frames = await opening
        if frames is None:
            tell(what="end", reader=reader, how="refused")
            return
        tell(what="reading", reader=reader)
        async with contextlib.aclosing(frames):
            async for piece in frames:
                text = piece.decode() if isinstance(piece, bytes) else piece
                tell(what="piece", reader=reader, text=text)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        tell(what="end", reader=reader, how="raised", text=f": {type(error).__name__}: {error}")
    else:
        tell(what="end", reader=reader, how="clean")


async def main(name: str, argument: str, redis_port: str, folder: str) -> None:
    logging.disable()
    program: Any = importlib.import_module(f"tests.peers.replay.{name}").Program(argument)
    await program.open(int(redis_port), folder)
    commands, readers = asyncio.StreamReader(limit=2**20), dict[str, asyncio.Task[None]]()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    tell(what="ready", can_stop=hasattr(program, "stop"))
    while line := await commands.readline():
        command = json.loads(line)
        if "at" in command:
            await asyncio.sleep(max(0.0, command["at"] - time.time()))
        match command["do"]:
            case "start":
                for id, reader in zip(command["ids"], command["readers"], strict=True):
                    upstream = upstream_of(id, command["ending"], command["pace"])
                    readers[reader] = loop.create_task(read(reader, program.start(id, upstream)))
            case "follow":
                seen = Seen(**command["seen"]) if command["seen"] else None
                readers[command["reader"]] = loop.create_task(
                    read(command["reader"], program.follow(command["id"], seen))
                )
            case "leave":
                readers[command["reader"]].cancel()
            case "stop":
                loop.create_task(program.stop(command["id"]))  # noqa: RUF006


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
