"""A local server that fails byte by byte as it is told: one act per connection, in order."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType

Act = Callable[[socket.socket], None]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"


class FailingServer:
    """Serve each connection with the next act; `requests` keeps what the clients sent."""

    def __init__(self, *acts: Act, tls: ssl.SSLContext | None = None) -> None:
        self.acts = list(acts)
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._released = threading.Event()
        self._threads: list[threading.Thread] = []
        self.requests: list[bytes] = []
        self.times: list[float] = []
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/stream"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> FailingServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._released.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in [self._thread, *self._threads]:
            thread.join(5)
            assert not thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._receive, args=[connection], daemon=True)
            self._threads.append(thread)
            thread.start()

    def _receive(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        try:
            self._answer(connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True))
        except OSError:
            connection.close()  # the client left first

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = connection.recv(65536)
                if not piece:
                    return
                request += piece
            self.requests.append(request)
            self.times.append(time.monotonic())
            self.acts[min(len(self.requests), len(self.acts)) - 1](connection)

    def headers(self, name: str) -> list[str]:
        """Give what each request said in this header, "" where it said nothing."""
        said = []
        for request in self.requests:
            lines = request.decode("latin-1").split("\r\n")
            values = [value.strip() for key, _, value in (line.partition(":") for line in lines) if key.lower() == name]
            said.append(values[0] if values else "")
        return said

    def silence(self, connection: socket.socket) -> None:
        """Send nothing at all, until the server is closed."""
        self._released.wait(10)

    def stall(self, *frames: bytes) -> Act:
        """Send these frames and then nothing, until the server is closed."""

        def act(connection: socket.socket) -> None:
            connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(map(chunked, frames)))
            self._released.wait(10)

        return act


def chunked(frame: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(frame), frame)


def whole(*frames: bytes) -> Act:
    """Send these frames and a proper end."""
    return lambda connection: connection.sendall(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(map(chunked, frames)) + b"0\r\n\r\n"
    )


def cut(*frames: bytes) -> Act:
    """Send these frames and close without the last chunk."""
    return lambda connection: connection.sendall(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(map(chunked, frames))
    )


def answer(status: bytes, body: bytes, *headers: bytes) -> Act:
    """Answer with a status and a body of known length."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Connection: close", *headers]
    return lambda connection: connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)


def reset(connection: socket.socket) -> None:
    """Send nothing and reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(connection: socket.socket) -> None:
    """Send nothing and close the connection."""


def reset_after(*frames: bytes) -> Act:
    """Send these frames and reset the connection once the client has had time to read them."""

    def act(connection: socket.socket) -> None:
        cut(*frames)(connection)
        connection.settimeout(0.2)
        try:
            connection.recv(1)  # nothing comes: the wait lets the frames arrive before the reset
        except TimeoutError:
            pass
        reset(connection)

    return act


def closed_port() -> int:
    """Give a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
