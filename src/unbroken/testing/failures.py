"""The exceptions that real clients raise for a body that ended early or never came.

Measured with each client: a chunked body cut by FIN, a connection reset, a read that timed out. Only clients that are
installed are included, since their own exception types are raised.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from importlib import import_module
from typing import Any

Failure = Callable[[], Exception]

_STANDARD_LIBRARY: dict[str, Failure] = {
    "ConnectionResetError": lambda: ConnectionResetError(104, "Connection reset by peer"),
    "BrokenPipeError": lambda: BrokenPipeError(32, "Broken pipe"),
    "TimeoutError": lambda: TimeoutError("timed out"),
    "ssl.SSLError": lambda: ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
    "http.client.IncompleteRead": lambda: http.client.IncompleteRead(b"data: half"),
}


def _of_httpx(httpx: Any) -> dict[str, Failure]:
    return {
        "RemoteProtocolError": lambda: httpx.RemoteProtocolError(
            "peer closed connection without sending complete message body (incomplete chunked read)"
        ),
        "ReadError": lambda: httpx.ReadError("[Errno 104] Connection reset by peer"),
        "ReadTimeout": lambda: httpx.ReadTimeout("The read operation timed out"),
    }


def _of_requests(requests: Any) -> dict[str, Failure]:
    errors = requests.exceptions
    return {
        "ChunkedEncodingError": lambda: errors.ChunkedEncodingError("Response ended prematurely"),
        "ConnectionError": lambda: errors.ConnectionError("HTTPConnectionPool: Read timed out."),
    }


def _of_urllib3(urllib3: Any) -> dict[str, Failure]:
    errors = urllib3.exceptions
    return {
        "ProtocolError": lambda: errors.ProtocolError("Response ended prematurely"),
        "ReadTimeoutError": lambda: errors.ReadTimeoutError(None, "http://127.0.0.1/", "Read timed out."),
    }


def _of_aiohttp(aiohttp: Any) -> dict[str, Failure]:
    return {
        "ClientPayloadError": lambda: aiohttp.ClientPayloadError("Response payload is not completed"),
        "ServerDisconnectedError": lambda: aiohttp.ServerDisconnectedError(),
        "SocketTimeoutError": lambda: aiohttp.SocketTimeoutError("Timeout on reading data from socket"),
    }


_CLIENTS: dict[str, Callable[[Any], dict[str, Failure]]] = {
    "httpx": _of_httpx,
    "requests": _of_requests,
    "urllib3": _of_urllib3,
    "aiohttp": _of_aiohttp,
}


def client_failures() -> dict[str, Failure]:
    """Return factories of exceptions by name, for the standard library and each client that is installed."""
    failures = dict(_STANDARD_LIBRARY)
    for package, of in _CLIENTS.items():
        try:
            module = import_module(package)
        except ModuleNotFoundError:
            continue
        failures |= {f"{package}.{name}": failure for name, failure in of(module).items()}
    return failures
