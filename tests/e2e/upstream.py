"""A scripted model server on a raw socket: what it says, when it falls silent and how it ends stands in the prompt.

A prompt is `script/name`. The server keeps one `Answer` per prompt: what it sent, and when the reader let go of it.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    b"Connection: close\r\nSet-Cookie: upstream=secret\r\n"
)
PATIENCE = 60.0
"""Seconds after which a silent script gives up on its reader, so that nothing outlives a test."""


def frame(payload: object) -> bytes:
    return b"data: " + json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def token(text: str, finish: str | None = None) -> bytes:
    delta = {"content": text} if finish is None else {}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return frame(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    )


TOKENS = tuple(f"{n}·" for n in range(1, 7))
FINISH = token("", finish="stop")
DONE = b"data: [DONE]\n\n"
ERROR = frame({"error": {"message": "Overloaded: limit 60", "type": "requests", "code": "rate_limit_exceeded"}})


@dataclass
class Answer:
    """What became of one prompt. Times are of `time.monotonic`."""

    prompt: str
    sent: int = 0  # bytes of the body
    text: str = ""  # the tokens sent whole
    kind: str = ""  # how a random answer ends
    first_sent_at: float | None = None
    released_at: float | None = None  # the reader closed its side
    finished: threading.Event = field(default_factory=threading.Event)


@dataclass
class Line:
    """One connection, with the framing of its body."""

    answer: Answer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    chunked: bool = True

    async def begin(self, chunked: bool = True) -> None:
        self.chunked = chunked
        self.writer.write(HEAD + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"\r\n"))
        self.answer.first_sent_at = time.monotonic()
        await self.writer.drain()

    async def send(self, body: bytes) -> None:
        self.writer.write(b"%x\r\n%b\r\n" % (len(body), body) if self.chunked else body)
        self.answer.sent += len(body)
        await self.writer.drain()

    async def say(self, text: str) -> None:
        await self.send(token(text))
        self.answer.text += text

    async def end(self) -> None:
        if self.chunked:
            self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def reset(self) -> None:
        """Make the coming close an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    @property
    def socket(self) -> socket.socket:
        return self.writer.get_extra_info("socket")


# --- scripts ----------------------------------------------------------------------------------------------------------


async def halves(seconds: float, line: Line, name: str) -> None:
    """Half of the answer, so many seconds of nothing, the other half."""
    await line.begin()
    for text in TOKENS[:3]:
        await line.say(text)
    await asyncio.sleep(seconds)
    for text in TOKENS[3:]:
        await line.say(text)
    await line.send(FINISH + DONE)
    await line.end()


async def paced(line: Line, name: str) -> None:
    """A whole answer, a token every three tenths of a second."""
    await line.begin()
    for text in TOKENS:
        await line.say(text)
        await asyncio.sleep(0.3)
    await line.send(FINISH + DONE)
    await line.end()


async def leave(line: Line, name: str) -> None:
    """One token, then silence for as long as somebody listens."""
    await line.begin()
    await line.say(TOKENS[0])
    await asyncio.sleep(PATIENCE)


async def ticks(line: Line, name: str) -> None:
    """A token every second, for as long as somebody listens."""
    await line.begin()
    for n in range(int(PATIENCE)):
        await line.say(f"{n} ")
        await asyncio.sleep(1.0)


async def cut(line: Line, name: str) -> None:
    """Half of the answer, and a clean end."""
    await line.begin()
    for text in TOKENS[:3]:
        await line.say(text)
    await line.end()


async def endless(line: Line, name: str) -> None:
    """Tokens as fast as they are taken."""
    await line.begin()
    text = "x" * 1000
    for _ in range(4_000_000):
        await line.send(token(text))


async def flood(line: Line, name: str) -> None:
    """The same with tokens of 64 KiB, which fill buffers at less cost."""
    await line.begin()
    frame = token("x" * 65_536)
    for _ in range(65_536):
        await line.send(frame)
    await line.end()


async def large(line: Line, name: str) -> None:
    """A long answer at full speed."""
    await line.begin()
    for n in range(5_000):
        await line.say(f"{n} ")
    await line.send(FINISH + DONE)
    await line.end()


async def refuse(line: Line, name: str) -> None:
    """No stream at all: a status."""
    line.writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy")
    await line.writer.drain()


async def late(line: Line, name: str) -> None:
    """Twelve seconds until the head, then a whole answer."""
    await asyncio.sleep(12.0)
    await line.begin()
    for text in TOKENS:
        await line.say(text)
    await line.send(FINISH + DONE)
    await line.end()


def status(head: bytes, body: bytes = b"") -> Callable[[Line, str], Awaitable[None]]:
    """Return a script that answers with a status line, further headers and a body."""

    async def script(line: Line, name: str) -> None:
        line.writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (head, len(body), body))
        await line.writer.drain()

    return script


async def nothing(line: Line, name: str) -> None:
    """A stream without an event."""
    await line.begin()
    await line.end()


async def fail(line: Line, name: str) -> None:
    """A stream whose first event is an error."""
    await line.begin()
    await line.send(ERROR)
    await line.end()


ENDINGS = ("whole", "whole", "whole", "cut between events", "cut inside an event", "cut chunk", "reset", "error")


async def at_random(line: Line, name: str) -> None:
    """Tokens in random pieces with random pauses, and one of `ENDINGS`; `name` is the seed."""
    dice = random.Random(name)
    answer = line.answer
    answer.kind = dice.choice(ENDINGS)
    await line.begin(chunked=answer.kind not in ("cut between events", "cut inside an event"))
    texts = [f"{n}é " for n in range(dice.randint(1, 40))]
    answer.text = "".join(texts)
    if answer.kind.startswith("cut in") or answer.kind == "cut chunk":
        body = b"".join(map(token, texts)) + token("never whole")[: dice.randint(8, 40)]
    else:
        body = b"".join(map(token, texts))
    if answer.kind == "whole":
        body += FINISH + DONE
    elif answer.kind == "error":
        body += ERROR
    for piece in pieces(dice, body):
        await line.send(piece)
        if dice.random() < 0.2:
            await asyncio.sleep(dice.choice((0.01, 0.05, 0.3, 1.5)))
    if answer.kind == "cut chunk":
        line.writer.write(b"ff\r\ndata: {")  # 255 bytes announced, 7 sent
        await line.writer.drain()
    elif answer.kind == "reset":
        await asyncio.sleep(0.3)  # an RST may overtake what the reader has not taken yet
        line.reset()
    else:
        await line.end()


def pieces(dice: random.Random, body: bytes) -> list[bytes]:
    cuts = sorted(dice.sample(range(1, len(body)), k=min(len(body) - 1, dice.randint(0, 30))))
    return [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]


SCRIPTS: dict[str, Callable[[Line, str], Awaitable[None]]] = {
    "silence": partial(halves, 6.0),
    "paced": paced,
    "pause": partial(halves, 4.5),
    "leave": leave,
    "ticks": ticks,
    "cut": cut,
    "endless": endless,
    "flood": flood,
    "large": large,
    "refuse": refuse,
    "late": late,
    "unauthorized": status(b"401 Unauthorized", b'{"error":{"message":"key sk-secret is wrong"}}'),
    "limited": status(b"429 Too Many Requests\r\nRetry-After: 7", b'{"error":{"message":"busy"}}'),
    "unavailable": status(b"503 Service Unavailable"),
    "nothing": nothing,
    "fail": fail,
    "random": at_random,
}


# --- the server -------------------------------------------------------------------------------------------------------


class Upstream:
    """The scripted server, in a thread with an event loop of its own. A context manager."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="upstream")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/chat/completions"

    def answer(self, prompt: str) -> Answer:
        return self.answers.setdefault(prompt, Answer(prompt))

    def __enter__(self) -> Upstream:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the scripted upstream did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=16_384)
        answer = None
        try:
            prompt = await asyncio.wait_for(read_prompt(reader), 10)
            answer = self.answer(prompt)
            script, _, name = prompt.partition("/")
            await self._perform(SCRIPTS[script], Line(answer, reader, writer), name)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # only the end of the server cancels
        finally:
            writer.close()
            if answer is not None:
                answer.finished.set()

    async def _perform(self, script: Callable[[Line, str], Awaitable[None]], line: Line, name: str) -> None:
        """Play the script until its end or until the reader leaves, whichever comes first."""
        playing = asyncio.ensure_future(script(line, name))
        listening = asyncio.ensure_future(line.reader.read(1))
        try:
            await asyncio.wait({playing, listening}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done() or playing.exception():
                line.answer.released_at = time.monotonic()
        finally:
            for task in (playing, listening):
                task.cancel()
            await asyncio.gather(playing, listening, return_exceptions=True)


async def read_prompt(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(int(line.split(":")[1]) for line in head.splitlines() if line.startswith("content-length:"))
    question: dict[str, Any] = json.loads(await reader.readexactly(length))
    return str(question["messages"][-1]["content"])
