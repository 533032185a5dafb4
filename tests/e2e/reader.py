"""A plain HTTP/1.1 reader on a socket, which sees every byte and can leave or stop reading at any moment."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import dataclass
from urllib.parse import quote


def request(path: str, prompt: str) -> bytes:
    head = f"GET {path}?prompt={quote(prompt, safe='')} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return head.encode()


def connect(port: int, path: str, prompt: str, receive_buffer: int | None = None) -> socket.socket:
    """Ask, and give the connection, blocking with a timeout of twenty seconds."""
    connection = socket.socket()
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(20.0)
    connection.connect(("127.0.0.1", port))
    connection.sendall(request(path, prompt))
    return connection


def read_until(connection: socket.socket, wanted: bytes) -> bytes:
    """Read until these bytes came; raises EOFError with what came instead."""
    seen = bytearray()
    while seen.find(wanted, max(0, len(seen) - 65_536 - len(wanted))) < 0:
        data = connection.recv(65_536)
        if not data:
            raise EOFError(seen.decode(errors="replace"))
        seen += data
    return bytes(seen)


@dataclass
class Reading:
    """A whole response."""

    head: str  # in lower case
    body: bytes
    clean: bool  # it ended as HTTP says that it should

    @property
    def status(self) -> int:
        return int(self.head.split(" ", 2)[1])

    @property
    def payloads(self) -> list[str]:
        """The data of each event, by the plainest of readers."""
        return [line[6:] for line in self.body.decode().split("\n") if line.startswith("data: ")]

    @property
    def text(self) -> str:
        """The tokens in order."""
        chunks = [json.loads(payload) for payload in self.payloads if payload != "[DONE]"]
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks if "choices" in chunk]
        return "".join(delta.get("content", "") for delta in deltas)

    @property
    def without_heartbeats(self) -> bytes:
        return b"".join(event + b"\n\n" for event in self.body.split(b"\n\n")[:-1] if event != b":")


async def read(port: int, path: str, prompt: str) -> Reading:
    """Read a response to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(path, prompt))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if "transfer-encoding: chunked" not in head:
            return Reading(head, await reader.read(), clean=True)
        body = bytearray()
        try:
            while size := int(await reader.readuntil(b"\r\n"), 16):
                body += (await reader.readexactly(size + 2))[:-2]
        except asyncio.IncompleteReadError:
            return Reading(head, bytes(body), clean=False)
        return Reading(head, bytes(body), clean=True)
    finally:
        writer.close()


async def leave(port: int, path: str, prompt: str) -> None:
    """Read the first event and go."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(path, prompt))
        await reader.readuntil(b"data: ")
    finally:
        writer.close()
