"""Clients that `from_response` takes besides those of `http`, and what it says of everything else."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from .observe.log import warn

_LEFT_OPEN: Final = (
    "a stream over HTTP/2 was left before its end: %s does not reset it, and when the server's limit (mostly 100) is "
    "reached every request on this connection fails; open streams with HTTP/1.1 (http2=False)"
)
_CURL_HTTP_1: Final = (1, 2)  # CURL_HTTP_VERSION_1_0 and 1_1
told_of_http2: set[str] = set()
"""The clients of which `_LEFT_OPEN` was said in this process."""


def hint_for(value: Any) -> str:
    """Return the end of the message for what is no response: what to pass, or to write, in its place."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    if isinstance(value, Exception):
        return ", which is not a response; urllib keeps the response in `.fp`, other clients in `.response`"
    if hasattr(value, "__await__"):
        return "; write `await` in front of it, or enter it with `async with`"
    if package == "werkzeug":
        return "; pass the body's chunks themselves: `repair(response.response, content_type=response.content_type)`"
    if kind.__name__.endswith("Response") or hasattr(value, "read"):
        return "; pass the body's chunks themselves: `repair(chunks, content_type=...)`"
    if hasattr(value, "__enter__") or hasattr(value, "__aenter__"):
        return "; enter it first: `with ... as response`"
    return ""


class Body(NamedTuple):
    """What is left of a body, and how to leave it."""

    chunks: Iterable[bytes] | AsyncIterable[bytes]
    abort: Callable[[], object] | None
    close: Callable[[], object]


def body_of_curl(response: Any) -> Body | None:
    """Return the body of a response of curl_cffi, or None if it was read or closed and is not kept.

    A thread, or a task, of the client's own reads it into a queue. Closing the response waits for that one, which looks
    at nothing until upstream sends its next chunk. So a thread is woken by shutting down its socket, and a task is
    cancelled.
    """
    if response.queue is None:  # not streamed: read at once, and kept
        return Body(iter([response.content]), None, response.close)

    def wake() -> None:
        _wake(response)

    if response.astream_task is not None:
        is_spent = response.astream_task.done() and response.queue.empty()
        abort = wake if response.http_version in _CURL_HTTP_1 else None  # others of the session share one over HTTP/2
        return None if is_spent else Body(response.aiter_content(), abort, lambda: _leave_task(response))
    if getattr(response, "_stream_closed", False):
        return None
    return Body(response.iter_content(), wake, lambda: _leave_thread(response))


def shut_down(sock: Any) -> None:
    """Shut down both directions of a connection, which wakes the thread that reads from it.

    `sock` is None once the client gave the connection back.
    """
    import socket

    while hasattr(sock, "socket"):  # urllib3's TLS within TLS, pyOpenSSL
        sock = sock.socket
    try:
        if isinstance(sock, socket.SocketType):
            # Not `SSLSocket.shutdown`, which also takes the TLS state away from the thread that reads.
            socket.SocketType.shutdown(sock, socket.SHUT_RDWR)
        elif sock is not None:
            sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is closed already


def _wake(response: Any) -> None:
    """Have the client's transfer fail now. One that a thread reads has a connection of its own, over HTTP/2 too."""
    import os
    import socket

    response.quit_now.set()
    if (response.stream_task or response.astream_task).done():
        return
    number = response.curl.getinfo(sys.modules["curl_cffi"].CurlInfo.ACTIVESOCKET)
    try:
        with socket.socket(fileno=os.dup(number)) as sock:
            if sock.getsockname()[1] == response.local_port:  # or the number is another socket's by now
                sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is closed already


def _leave_thread(response: Any) -> None:
    _wake(response)
    response.close()


async def _leave_task(response: Any) -> None:
    import asyncio

    task = response.astream_task
    response.quit_now.set()
    task.cancel()
    await asyncio.wait({task})


def body_of_niquests(response: Any) -> Body | None:
    """Return the body of an asynchronous response of niquests, or None if it was read or closed and is not kept."""
    if isinstance(response._content, bytes):
        return Body(kept(response._content), None, response.close)
    if response._content_consumed or response.raw.closed:
        return None
    return Body(_niquests_chunks(response.raw), None, response.close)


async def kept(body: bytes) -> AsyncIterator[bytes]:
    """Yield a body that the client has read whole."""
    yield body


async def _niquests_chunks(raw: Any) -> AsyncIterator[bytes]:
    while chunk := await raw.read1(2**16, decode_content=True):
        yield chunk


def over_http2(client: str, chunks: Any) -> Any:
    """Return the same chunks; whoever leaves them before their end is warned, once for each client."""
    return _achunks_over_http2(client, chunks) if hasattr(chunks, "__aiter__") else _chunks_over_http2(client, chunks)


def _chunks_over_http2(client: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except GeneratorExit:
        _tell_of_http2(client)
        raise


async def _achunks_over_http2(client: str, chunks: Any) -> AsyncIterator[bytes]:
    import asyncio

    try:
        async for chunk in chunks:
            yield chunk
    except (GeneratorExit, asyncio.CancelledError):
        _tell_of_http2(client)
        raise
    finally:
        await chunks.aclose()


def _tell_of_http2(client: str) -> None:
    if client not in told_of_http2:
        told_of_http2.add(client)
        warn(_LEFT_OPEN, client)
