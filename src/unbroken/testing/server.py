"""A local HTTP server that writes a script of bytes to a real socket.

It writes the bytes of a script unchanged, so that heads, chunk sizes and ends can be as wrong as they are in the field.
`chunked`, `close_delimited` and `with_length` make correct responses to start from.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias

from .sources import Pause


@dataclass(frozen=True, slots=True)
class Reset:
    """A step that closes the connection with RST, as a crashed or overloaded server does."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A step that sends nothing more until the client leaves."""


WireStep: TypeAlias = bytes | Pause | Reset | Hold
"""One step of a script. The end of a script closes the connection with FIN."""

FIN: tuple[WireStep, ...] = ()
"""The empty script: the connection is closed without a response."""


def head(status: str = "200 OK", **headers: str) -> bytes:
    """Return a response head; an underscore in the name of a header stands for a hyphen."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "".join(line + "\r\n" for line in [*lines, ""]).encode("latin-1")


def chunked(
    chunks: Iterable[bytes | Pause | Reset | Hold], *, content_type: str = "text/event-stream", end: bool = True
) -> list[WireStep]:
    """Return the script of a chunked response; `end=False` leaves out the last chunk, so that the body is cut short."""
    steps: list[WireStep] = [head(Content_Type=content_type, Transfer_Encoding="chunked", Connection="close")]
    for chunk in chunks:
        if not isinstance(chunk, bytes):
            steps.append(chunk)
        elif chunk:  # an empty chunk would end the body
            steps.append(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    return [*steps, b"0\r\n\r\n"] if end else steps


def close_delimited(
    chunks: Iterable[bytes | Pause | Reset | Hold], *, content_type: str = "text/event-stream"
) -> list[WireStep]:
    """Return the script of a response ended by closing the connection, where clients cannot detect a cut."""
    return [head(Content_Type=content_type, Connection="close"), *chunks]


def with_length(
    chunks: Sequence[bytes], *, length: int | None = None, content_type: str = "text/event-stream"
) -> list[WireStep]:
    """Return the script of a response with a Content-Length; `length` overrides the true one."""
    announced = sum(map(len, chunks)) if length is None else length
    return [head(Content_Type=content_type, Content_Length=str(announced), Connection="close"), *chunks]


HEAD_FAULTS: Mapping[str, tuple[WireStep, ...]] = {
    "no answer": FIN,
    "reset before the head": (Reset(),),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Ty",),
    "no status line": (b"data: a\n\n",),
    "no reason": (head("200", Content_Type="text/event-stream", Connection="close"), b"data: a\n\n"),
    "no content type": (head(Connection="close"), b"data: a\n\n"),
    "charset Latin-1": (
        head(Content_Type="text/event-stream; charset=iso-8859-1", Connection="close"),
        "data: é\n\n".encode(),
    ),
    "two transfer encodings": (
        head(Content_Type="text/event-stream", Transfer_Encoding="chunked", transfer_encoding="chunked"),
        b"9\r\ndata: a\n\n\r\n0\r\n\r\n",
    ),
    "a chunk size that is none": (
        head(Content_Type="text/event-stream", Transfer_Encoding="chunked"),
        b"zz\r\ndata: a\n\n\r\n",
    ),
    "an error page with 200": (
        head(Content_Type="text/html", Connection="close"),
        b"<html><head><title>502 Bad Gateway</title></head></html>",
    ),
    "a JSON error with 429": (
        head("429 Too Many Requests", Content_Type="application/json", Retry_After="2", Connection="close"),
        b'{"error":{"message":"slow down"}}',
    ),
}
"""Scripts whose response head is wrong or missing, by name."""


class ScriptedServer:
    """A server on 127.0.0.1 that plays the next script for each connection, and the last one from there on.

    A context manager. `url` is its address, `requests` holds the heads and bodies received, `clients_left` counts the
    clients that closed the connection first.
    """

    def __init__(self, *scripts: Iterable[WireStep]) -> None:
        self._scripts: list[list[WireStep]] = [list(script) for script in scripts] or [[]]
        self.requests: list[bytes] = []
        self.clients_left = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """The address of the server, with a slash at the end."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(5.0)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        self._listener.settimeout(0.05)
        served = 0
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            script = self._scripts[min(served, len(self._scripts) - 1)]
            served += 1
            self._start(self._serve, connection, script)

    def _serve(self, connection: socket.socket, script: Sequence[WireStep]) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(10.0)
            try:
                self.requests.append(_read_request(connection))
                self._play(connection, script)
            except OSError:
                self.clients_left += 1

    def _play(self, connection: socket.socket, script: Sequence[WireStep]) -> None:
        for step in script:
            match step:
                case bytes(data):
                    connection.sendall(data)
                case Pause(seconds):
                    self._await_client(connection, seconds)
                case Hold():
                    self._await_client(connection, None)
                case Reset():
                    # RFC 9293, 3.10.4: closing with a linger time of zero sends RST.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
        connection.shutdown(socket.SHUT_WR)

    def _await_client(self, connection: socket.socket, seconds: float | None) -> None:
        """Wait `seconds`, or for ever if None. Raises `ConnectionError` as soon as the client closes."""
        waited = 0.0
        while (seconds is None or waited < seconds) and not self._closing.is_set():
            slice = 0.02 if seconds is None else min(0.02, seconds - waited)
            connection.settimeout(slice)
            try:
                if connection.recv(4096) == b"":
                    raise ConnectionError("the client left")
            except TimeoutError:
                waited += slice
        connection.settimeout(10.0)


def _read_request(connection: socket.socket) -> bytes:
    """Return one request: its head, and as much body as its Content-Length says."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if more == b"":
            return data
        data += more
    received_head, _, body = data.partition(b"\r\n\r\n")
    for line in received_head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            while len(body) < int(value):
                body += connection.recv(65536)
    return received_head + b"\r\n\r\n" + body
