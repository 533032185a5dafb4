"""Responses over HTTP/1.1 and HTTP/2, read piece by piece; the reader may leave at any moment."""

from __future__ import annotations

import http.client
import itertools
import socket
import ssl
import time
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlencode

import h2.config
import h2.connection
import h2.errors
import h2.events

from .reader import Reading

SECONDS = 20.0
"""How long a read waits at most."""


class Http1:
    """A response of HTTP/1.1."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self.connection.sock = socket.socket()
        self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # who stops reading is felt soon
        self.connection.sock.settimeout(SECONDS)
        self.connection.sock.connect(("127.0.0.1", port))

    def ask(self, prompt: str, method: str = "GET") -> int:
        """Ask, and give the status."""
        self.connection.request(method, path(prompt))
        self._response = self.connection.getresponse()
        return self._response.status

    def read(self) -> bytes:
        """Give what came next, and nothing at the end. Raises `http.client.HTTPException` or `OSError` at a cut."""
        return self._response.read1(65_536)

    def leave(self) -> None:
        """Let go of the response, as a browser does: close the connection."""
        self._response.close()
        self.connection.close()

    def close(self) -> None:
        """Close the connection."""
        if hasattr(self, "_response"):
            self._response.close()
        self.connection.close()


class Http2:
    """A response of HTTP/2 with TLS."""

    def __init__(self, port: int) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # signed by itself
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._socket = context.wrap_socket(plain, server_hostname="localhost")
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._data = bytearray()
        self._ended = False
        self._status = 0

    def ask(self, prompt: str, method: str = "GET") -> int:
        """Ask, and give the status."""
        assert self._socket.selected_alpn_protocol() == "h2"
        self._http.initiate_connection()
        head = {":method": method, ":path": path(prompt), ":scheme": "https", ":authority": "localhost"}
        self._http.send_headers(1, list(head.items()), end_stream=True)
        while not self._status:
            self._receive()
        return self._status

    def read(self) -> bytes:
        """Give what came next, and nothing at the end. Raises `http.client.HTTPException` or `OSError` at a cut."""
        while not self._data and not self._ended:
            self._receive()
        data = bytes(self._data)
        self._data.clear()
        return data

    def _receive(self) -> None:
        self._socket.sendall(self._http.data_to_send())
        received = self._socket.recv(65_536)
        for event in self._http.receive_data(received):
            if isinstance(event, h2.events.ResponseReceived):
                self._status = int(dict(event.headers or ())[":status"])
            elif isinstance(event, h2.events.DataReceived):
                self._data += event.data or b""
                self._http.acknowledge_received_data(event.flow_controlled_length or 0, 1)
            elif isinstance(event, h2.events.StreamEnded):
                self._ended = True
            elif isinstance(event, h2.events.StreamReset):
                raise http.client.HTTPException(f"the stream was reset: {event.error_code}")
        self._socket.sendall(self._http.data_to_send())
        if not received and not self._ended:
            raise http.client.HTTPException("the connection ended before the response")

    def leave(self) -> None:
        """Let go of the response, as a browser does: reset the stream. The connection stays."""
        if not self._ended:
            self._http.reset_stream(1, h2.errors.ErrorCodes.CANCEL)
            self._socket.sendall(self._http.data_to_send())

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def path(prompt: str) -> str:
    return f"/chat?{urlencode({'prompt': prompt})}"


@dataclass
class Arrivals:
    """A response that was read to its end, and when each piece of it came."""

    asked_at: float
    status: int = 0
    pieces: list[tuple[float, bytes]] = field(default_factory=list)  # by `time.monotonic`
    ended_at: float = 0.0
    cut: str | None = None  # what was raised instead of an end

    @property
    def reading(self) -> Reading:
        return Reading(f"http {self.status} ", b"".join(piece for _, piece in self.pieces), clean=self.cut is None)

    @property
    def longest_gap(self) -> float:
        """The seconds between the request, the pieces and the end."""
        times = [self.asked_at, *(at for at, _ in self.pieces), self.ended_at]
        return max(later - earlier for earlier, later in itertools.pairwise(times))


def read(kind: type[Http1] | type[Http2], port: int, prompt: str) -> Arrivals:
    """Read a response to its end, or to where it was cut."""
    arrivals = Arrivals(time.monotonic())
    try:
        with closing(kind(port)) as response:
            arrivals.status = response.ask(prompt)
            while piece := response.read():
                arrivals.pieces.append((time.monotonic(), piece))
    except (http.client.HTTPException, OSError) as error:
        arrivals.cut = repr(error)
    arrivals.ended_at = time.monotonic()
    return arrivals
