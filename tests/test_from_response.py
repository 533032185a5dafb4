"""The bodies of real clients' responses, over real sockets, plain and TLS."""

import asyncio
import contextlib
import gzip
import http.client
import io
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
import aiohttp.web
import curl_cffi
import flask
import httpx
import httpx2
import pytest
import requests
import trustme
import urllib3
from botocore.response import StreamingBody

from tests.scripted import DONE, LIMIT, TOKEN, Threads
from unbroken import Source, StreamError, Verdict, aiter_events, arepair, clients, from_response, iter_events, repair

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
INTERRUPTED_WITHIN = 0.5


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


SCRIPTS: dict[str, list[bytes]] = {
    "whole": [CHUNKED, chunk(TOKEN), chunk(DONE) + b"0\r\n\r\n"],
    "halves": [CHUNKED, b"%x\r\n" % len(TOKEN) + TOKEN[:20], TOKEN[20:] + b"\r\n", chunk(DONE), b"0\r\n\r\n"],
    "length": [HEAD + b"Content-Length: %d\r\n\r\n" % len(TOKEN + DONE), TOKEN, DONE],
    "until closed": [HEAD + b"Connection: close\r\n\r\n", TOKEN, DONE],
    "gzip": [
        HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        chunk(gzip.compress(TOKEN + DONE)),
        b"0\r\n\r\n",
    ],
    "empty": [HEAD + b"Content-Length: 0\r\n\r\n"],
    "cut in a chunk": [CHUNKED, b"%x\r\n" % len(TOKEN * 2) + TOKEN],
    "cut after a chunk": [CHUNKED, chunk(TOKEN)],
    "cut before the length": [HEAD + b"Content-Length: %d\r\n\r\n" % len(TOKEN * 2), TOKEN],
    "silent, chunked": [CHUNKED, chunk(TOKEN)],
    "silent, with a length": [HEAD + b"Content-Length: 100000\r\n\r\n", TOKEN],
    "silent, until closed": [HEAD + b"Connection: close\r\n\r\n", TOKEN],
}
WHOLE = ["whole", "halves", "length", "until closed"]
CUT = ["cut in a chunk", "cut after a chunk", "cut before the length"]
SILENT = ["silent, chunked", "silent, with a length", "silent, until closed"]


class Server:
    """Responds to each request with the script named by its path, and counts connections opened and closed."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.context = context
        self.connections = 0
        self.gone = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def url(self, script: str) -> str:
        scheme = "http" if self.context is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}/{list(SCRIPTS).index(script)}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(peer):
            if self.context is not None:
                peer = self.context.wrap_socket(peer, server_side=True)
            with contextlib.closing(peer):
                request = b""
                while data := peer.recv(65536):
                    request += data
                    if request.endswith(b"\r\n\r\n"):
                        if not self._answer(peer, list(SCRIPTS)[int(request.split()[1][1:])]):
                            return
                        request = b""
        self.gone.release()

    def _answer(self, peer: socket.socket, script: str) -> bool:
        """Send one response, and return whether the connection stays open."""
        head, *pieces = SCRIPTS[script]
        peer.sendall(head)
        for piece in pieces:
            peer.sendall(piece)
            if script == "halves":
                assert self.go_on.acquire(timeout=LIMIT)
        if script.startswith("silent"):
            with contextlib.suppress(OSError):
                while peer.recv(1):
                    pass
            self.gone.release()
        return not script.startswith(("silent", "cut")) and b"Connection: close" not in head

    def close(self) -> None:
        # A close alone leaves the thread in `accept`, where it would take the connections of other tests' servers.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(LIMIT)
        assert not self.thread.is_alive()


AUTHORITY = trustme.CA()


@pytest.fixture(scope="module", params=["plain", "TLS"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    context = None
    if request.param == "TLS":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    server = Server(context)
    yield server
    server.close()


@pytest.fixture(scope="module")
def plain() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    Threads().join()


def trust() -> ssl.SSLContext:
    # With one certificate authority, those of the system are not loaded, which takes longer than a request.
    return ssl.create_default_context(cadata=AUTHORITY.cert_pem.bytes().decode())


# The clients: each opens a URL and yields a streamed response, which is closed after the test.


@dataclass
class Opened:
    response: Any
    again: Callable[[str], Any]


@contextlib.contextmanager
def with_requests(url: str) -> Iterator[Opened]:
    with requests.Session() as session, AUTHORITY.cert_pem.tempfile() as bundle:

        def get(url: str) -> requests.Response:
            return session.get(url, stream=True, timeout=LIMIT, verify=bundle)

        yield Opened(get(url), get)


@contextlib.contextmanager
def with_httpx(url: str, module: Any = httpx) -> Iterator[Opened]:
    with module.Client(timeout=LIMIT, verify=trust()) as client:

        def get(url: str) -> Any:
            return client.send(client.build_request("GET", url), stream=True)

        yield Opened(get(url), get)


@contextlib.contextmanager
def with_httpx2(url: str) -> Iterator[Opened]:
    with with_httpx(url, httpx2) as opened:
        yield opened


@contextlib.contextmanager
def with_urllib3(url: str) -> Iterator[Opened]:
    with urllib3.PoolManager(ssl_context=trust(), timeout=LIMIT) as pool:

        def get(url: str) -> Any:
            return pool.request("GET", url, preload_content=False, retries=False)

        yield Opened(get(url), get)


@contextlib.contextmanager
def with_urllib(url: str) -> Iterator[Opened]:
    def get(url: str) -> Any:
        return urllib.request.urlopen(url, timeout=LIMIT, context=trust() if url.startswith("https") else None)

    opened = Opened(get(url), get)
    with opened.response:
        yield opened


@contextlib.contextmanager
def with_curl_cffi(url: str) -> Iterator[Opened]:
    with AUTHORITY.cert_pem.tempfile() as bundle, curl_cffi.Session(timeout=LIMIT, verify=bundle) as session:

        def get(url: str) -> Any:
            return session.get(url, stream=True)

        yield Opened(get(url), get)


SYNC = {
    "curl_cffi": with_curl_cffi,
    "requests": with_requests,
    "httpx": with_httpx,
    "httpx2": with_httpx2,
    "urllib3": with_urllib3,
    "urllib": with_urllib,
}


@contextlib.asynccontextmanager
async def with_async_httpx(url: str, module: Any = httpx) -> Any:
    async with module.AsyncClient(timeout=LIMIT, verify=trust()) as client:

        async def get(url: str) -> Any:
            return await client.send(client.build_request("GET", url), stream=True)

        yield Opened(await get(url), get)


@contextlib.asynccontextmanager
async def with_async_httpx2(url: str) -> Any:
    async with with_async_httpx(url, httpx2) as opened:
        yield opened


@contextlib.asynccontextmanager
async def with_aiohttp(url: str) -> Any:
    timeout = aiohttp.ClientTimeout(total=None, sock_read=LIMIT)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(ssl=trust())) as session:

        async def get(url: str) -> Any:
            return await session.get(url)

        yield Opened(await get(url), get)
        await asyncio.sleep(0.02)  # aiohttp closes TLS connections after it has returned


@contextlib.asynccontextmanager
async def with_async_curl_cffi(url: str) -> Any:
    with AUTHORITY.cert_pem.tempfile() as bundle:
        async with curl_cffi.AsyncSession(timeout=LIMIT, verify=bundle) as session:

            async def get(url: str) -> Any:
                return await session.get(url, stream=True)

            yield Opened(await get(url), get)


ASYNC = {
    "httpx": with_async_httpx,
    "httpx2": with_async_httpx2,
    "aiohttp": with_aiohttp,
    "curl_cffi": with_async_curl_cffi,
}


# Reading


@pytest.mark.parametrize("script", ["whole", "length", "until closed", "gzip"])
@pytest.mark.parametrize("client", SYNC)
def test_a_body_is_read_whole(client, script, server):
    if (client, script) == ("urllib", "gzip"):
        return  # urllib does not decode, and does not send Accept-Encoding
    with SYNC[client](server.url(script)) as opened:
        source = from_response(opened.response)
        assert source.content_type == "text/event-stream"
        assert source.status == 200
        stream = repair(source)
        assert b"".join(stream) == TOKEN + DONE
        assert stream.report.verdict is Verdict.COMPLETE


@pytest.mark.parametrize("script", ["whole", "length", "until closed", "gzip"])
@pytest.mark.parametrize("client", ASYNC)
def test_an_asynchronous_body_is_read_whole(client, script, server):
    async def main() -> None:
        async with ASYNC[client](server.url(script)) as opened:
            source = from_response(opened.response)
            assert source.content_type == "text/event-stream"
            assert source.status == 200
            stream = arepair(source)
            assert b"".join([x async for x in stream]) == TOKEN + DONE
            assert stream.report.verdict is Verdict.COMPLETE

    asyncio.run(main())


@pytest.mark.parametrize("client", SYNC)
def test_bytes_are_given_as_they_arrive_and_not_by_the_chunks_of_http(client, plain):
    with SYNC[client](plain.url("halves")) as opened:
        chunks = iter(from_response(opened.response).chunks)
        received = next(chunks)
        assert TOKEN.startswith(received)
        for _ in range(3):
            plain.go_on.release()
        for more in chunks:
            received += more
        plain.go_on.release()
        assert received == TOKEN + DONE


@pytest.mark.parametrize("script", CUT)
@pytest.mark.parametrize("client", SYNC)
def test_a_cut_body_is_a_failure_after_all_that_was_whole(client, script, server):
    with SYNC[client](server.url(script)) as opened:
        *items, frame = repair(from_response(opened.response))
        assert b"".join(items) == TOKEN
        assert b"upstream-failed" in frame


@pytest.mark.parametrize("script", CUT)
@pytest.mark.parametrize("client", ASYNC)
def test_a_cut_asynchronous_body_is_a_failure_after_all_that_was_whole(client, script, server):
    async def main() -> list[bytes]:
        async with ASYNC[client](server.url(script)) as opened:
            return [x async for x in arepair(from_response(opened.response))]

    *items, frame = asyncio.run(main())
    assert b"".join(items) == TOKEN
    assert b"upstream-failed" in frame


@pytest.mark.parametrize("client", SYNC)
def test_an_empty_body_is_an_empty_stream(client, plain):
    with SYNC[client](plain.url("empty")) as opened:
        assert list(repair(from_response(opened.response))) == []


@pytest.mark.parametrize("script", ["whole", "length", "gzip"])
@pytest.mark.parametrize("client", ["requests", "httpx", "httpx2"])
def test_a_body_that_the_client_has_read_already_is_a_source_too(client, script, plain):
    with SYNC[client](plain.url(script)) as opened:
        if client == "requests":
            assert opened.response.content
        else:
            opened.response.read()
        assert b"".join(repair(from_response(opened.response))) == TOKEN + DONE


@pytest.mark.parametrize("script", ["whole", "length", "gzip"])
def test_a_body_that_urllib3_has_read_at_once_as_it_does_by_default_is_a_source_too(script, plain):
    with urllib3.PoolManager() as pool:
        response = pool.request("GET", plain.url(script))
        assert b"".join(repair(from_response(response))) == TOKEN + DONE


@pytest.mark.parametrize("is_async", [False, True])
def test_a_body_that_curl_cffi_has_read_at_once_is_a_source_too(is_async, plain):
    async def get() -> Any:
        async with curl_cffi.AsyncSession() as session:
            return await session.get(plain.url("whole"))

    response = asyncio.run(get()) if is_async else curl_cffi.get(plain.url("whole"))
    assert b"".join(repair(from_response(response))) == TOKEN + DONE


def test_a_request_of_an_asynchronous_curl_session_over_http_2_has_no_abort_since_others_share_the_socket(plain):
    async def main() -> None:
        async with with_async_curl_cffi(plain.url("whole")) as opened:
            assert from_response(opened.response).abort is not None
            opened.response.http_version = curl_cffi.CurlHttpVersion.V2_0
            assert from_response(opened.response).abort is None
            assert b"".join([chunk async for chunk in arepair(from_response(opened.response))]) == TOKEN + DONE

    asyncio.run(main())


def test_a_streaming_body_of_botocore_is_read_through_the_response_in_it(server):
    with with_urllib3(server.url("silent, chunked")) as opened:
        source = from_response(StreamingBody(opened.response, None))
        assert (source.status, source.content_type) == (200, "text/event-stream")
        stream = repair(source)
        assert next(stream) == TOKEN
        stream.close()
        assert server.gone.acquire(timeout=LIMIT)


def test_a_streaming_body_around_a_file_as_tests_have_it_is_a_source():
    body = StreamingBody(io.BytesIO(TOKEN + DONE), len(TOKEN + DONE))
    assert b"".join(repair(from_response(body))) == TOKEN + DONE
    with pytest.raises(ValueError, match="that of this StreamingBody was read or closed already"):
        from_response(body)


def test_what_urllib3_has_read_ahead_to_decode_is_not_lost(plain):
    with with_urllib3(plain.url("gzip")) as opened:
        begin = opened.response.read(20)
        assert begin + b"".join(from_response(opened.response).chunks) == TOKEN + DONE


@pytest.mark.parametrize("client", ["httpx", "httpx2", "aiohttp"])
def test_an_asynchronous_body_that_the_client_has_read_already_is_a_source_too(client, plain):
    async def main() -> bytes:
        async with ASYNC[client](plain.url("whole")) as opened:
            await (opened.response.read() if client == "aiohttp" else opened.response.aread())
            return b"".join([x async for x in arepair(from_response(opened.response))])

    assert asyncio.run(main()) == TOKEN + DONE


def read(response: Any) -> None:
    for _ in response.iter_content(None) if hasattr(response, "iter_content") else chunks_of(response):
        pass


def chunks_of(response: Any) -> Any:
    return response.iter_raw() if hasattr(response, "iter_raw") else iter(lambda: response.read(1000), b"")


@pytest.mark.parametrize("script", ["whole", "length", "until closed"])
@pytest.mark.parametrize("spend", [read, lambda response: response.close()], ids=["read", "closed"])
@pytest.mark.parametrize("client", SYNC)
def test_a_body_that_was_read_or_closed_and_is_not_kept_is_refused_at_the_call(client, spend, script, plain):
    with SYNC[client](plain.url(script)) as opened:
        spend(opened.response)
        with pytest.raises(ValueError, match="was read or closed already, and is not kept: pass the response before"):
            from_response(opened.response)


@pytest.mark.parametrize("script", ["whole", "length"])
@pytest.mark.parametrize("spend", ["read", "closed", "released"])
@pytest.mark.parametrize("client", ASYNC)
def test_an_asynchronous_body_that_was_read_or_closed_and_is_not_kept_is_refused(client, spend, script, plain):
    if client == "curl_cffi" and spend != "read":
        return  # it waits for the end and keeps the body

    async def main() -> None:
        async with ASYNC[client](plain.url(script)) as opened:
            response = opened.response
            if spend == "read":
                chunks = {"aiohttp": lambda it: it.content.iter_any(), "curl_cffi": lambda it: it.aiter_content()}
                async for _ in chunks.get(client, lambda it: it.aiter_raw())(response):
                    pass
            elif client == "aiohttp":
                response.close() if spend == "closed" else response.release()
            else:
                await response.aclose()
            with pytest.raises(ValueError, match="was read or closed already"):
                from_response(response)

    asyncio.run(main())


@pytest.mark.parametrize("client", ASYNC)
def test_an_asynchronous_body_that_is_empty_or_has_arrived_is_none_that_was_read(client, plain):
    async def main() -> list[bytes]:
        bodies = []
        for script in ("empty", "length"):
            async with ASYNC[client](plain.url(script)) as opened:
                await asyncio.sleep(0.05)  # aiohttp reads ahead
                bodies.append(b"".join([x async for x in arepair(from_response(opened.response))]))
        return bodies

    assert asyncio.run(main()) == [b"", TOKEN + DONE]


@pytest.mark.parametrize("client", SYNC)
def test_a_synchronous_response_serves_an_asynchronous_stream(client, plain):
    async def main(response: Any) -> bytes:
        return b"".join([x async for x in arepair(from_response(response))])

    with SYNC[client](plain.url("whole")) as opened:
        assert asyncio.run(main(opened.response)) == TOKEN + DONE


@pytest.mark.parametrize("client", ["requests", "httpx", "httpx2", "urllib3"])
def test_after_the_terminator_the_connection_serves_the_next_request(client):
    server = Server()
    with SYNC[client](server.url("whole")) as opened:
        assert len(list(iter_events(from_response(opened.response)))) == 2
        for _ in range(3):
            assert len(list(iter_events(from_response(opened.again(server.url("whole")))))) == 2
    assert server.connections == 1
    server.close()


@pytest.mark.parametrize("client", ASYNC)
def test_after_the_terminator_the_connection_serves_the_next_asynchronous_request(client):
    async def main() -> None:
        async with ASYNC[client](server.url("whole")) as opened:
            assert len([x async for x in aiter_events(from_response(opened.response))]) == 2
            for _ in range(3):
                response = await opened.again(server.url("whole"))
                assert len([x async for x in aiter_events(from_response(response))]) == 2

    server = Server()
    asyncio.run(main())
    assert server.connections == 1
    server.close()


# Aborting


def blocked_read(source: Source) -> tuple[threading.Thread, threading.Event]:
    """Read in a thread until upstream is silent."""
    begun = threading.Event()

    def read() -> None:
        with contextlib.suppress(Exception):
            for _ in source.chunks:
                begun.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(LIMIT)
    return thread, begun


@pytest.mark.parametrize("script", SILENT)
@pytest.mark.parametrize("client", SYNC)
def test_abort_interrupts_a_blocked_read_from_another_thread(client, script, server):
    with SYNC[client](server.url(script)) as opened:
        source = from_response(opened.response)
        thread, _ = blocked_read(source)
        began = time.monotonic()
        source.abort()
        thread.join(LIMIT)
        assert not thread.is_alive()
        assert time.monotonic() - began < INTERRUPTED_WITHIN
        assert server.gone.acquire(timeout=LIMIT)
        source.abort()  # again, on a connection that is gone
        source.close()
        source.abort()


@pytest.mark.parametrize("client", SYNC)
def test_closing_a_stream_releases_a_silent_upstream(client, server):
    with SYNC[client](server.url("silent, chunked")) as opened:
        stream = repair(from_response(opened.response))
        assert next(stream) == TOKEN
        began = time.monotonic()
        stream.close()
        assert server.gone.acquire(timeout=LIMIT)
        Threads().join()
        assert time.monotonic() - began < INTERRUPTED_WITHIN


@pytest.mark.parametrize("client", ASYNC)
def test_abort_interrupts_an_asynchronous_read_from_another_thread(client, server):
    async def main() -> None:
        async with ASYNC[client](server.url("silent, chunked")) as opened:
            source = from_response(opened.response)
            chunks = aiter(source.chunks)
            assert await anext(chunks) == TOKEN
            threading.Timer(0.05, source.abort).start()
            began = time.monotonic()
            with contextlib.suppress(Exception):
                await anext(chunks)
            assert time.monotonic() - began < 0.05 + INTERRUPTED_WITHIN
            closing = source.close()
            if closing is not None:
                await closing
            source.abort()

    asyncio.run(main())
    assert server.gone.acquire(timeout=LIMIT)


@pytest.mark.parametrize("client", ASYNC)
def test_closing_an_asynchronous_stream_releases_a_silent_upstream(client, server):
    async def main() -> None:
        async with ASYNC[client](server.url("silent, chunked")) as opened:
            stream = arepair(from_response(opened.response))
            assert await anext(stream) == TOKEN
            began = time.monotonic()
            await stream.aclose()
            assert await asyncio.to_thread(server.gone.acquire, timeout=LIMIT)
            assert time.monotonic() - began < INTERRUPTED_WITHIN

    asyncio.run(main())


@pytest.mark.parametrize("client", ["requests", "httpx", "httpx2", "urllib3"])
def test_abort_of_a_body_that_ended_leaves_its_connection_to_others(client):
    server = Server()
    with SYNC[client](server.url("whole")) as opened:
        source = from_response(opened.response)
        assert b"".join(source.chunks) == TOKEN + DONE
        source.abort()
        source.close()
        source.abort()
        assert b"".join(from_response(opened.again(server.url("whole"))).chunks) == TOKEN + DONE
    assert server.connections == 1
    server.close()


# Other responses


def test_over_http_2_there_is_no_abort_since_others_share_the_socket():
    class Stream(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield TOKEN

    response = httpx.Response(200, stream=Stream(), extensions={"http_version": b"HTTP/2", "network_stream": None})
    assert from_response(response).abort is None
    assert b"".join(repair(from_response(response))).startswith(TOKEN)


class Tokens(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk


@pytest.mark.parametrize("make", [repair, iter_events, arepair, aiter_events])
def test_who_leaves_a_stream_over_http_2_is_warned_once_of_what_that_costs(make, caplog, monkeypatch):
    monkeypatch.setattr(clients, "told_of_http2", set())

    async def read(stream: Any, count: int) -> None:
        async with stream:
            for _ in range(count):
                await anext(stream, None)

    def over_http_2(*chunks: bytes, left_after: int) -> list[str]:
        caplog.clear()
        response = httpx.Response(200, stream=Tokens(*chunks), extensions={"http_version": b"HTTP/2"})
        if make in (arepair, aiter_events):
            asyncio.run(read(make(from_response(response)), left_after))
        else:
            with make(from_response(response)) as stream:
                for _ in range(left_after):
                    next(stream, None)
        Threads().join()
        return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]

    assert over_http_2(TOKEN, DONE, left_after=3) == []
    (warning,) = over_http_2(*[TOKEN] * 50, left_after=1)
    assert "httpx does not reset it" in warning
    assert "http2=False" in warning
    assert over_http_2(*[TOKEN] * 50, left_after=1) == []


def test_a_response_without_a_network_can_be_read_and_aborted():
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=iter([TOKEN, DONE])))
    with httpx.Client(transport=transport) as client:
        response = client.send(client.build_request("GET", "http://test/"), stream=True)
        source = from_response(response)
        source.abort()
        assert b"".join(repair(source)) == TOKEN + DONE


def test_a_urllib3_that_knows_no_read1_is_read_by_its_stream():
    class Old:
        chunked = False

        def stream(self, amount: int, decode_content: bool) -> Iterator[bytes]:
            assert amount == 1
            assert decode_content
            yield from (TOKEN[i : i + 1] for i in range(len(TOKEN)))

    response = type("HTTPResponse", (Old,), {"__module__": "urllib3.response", "headers": {}, "status": 200})()
    response.close = lambda: None
    assert b"".join(from_response(response).chunks) == TOKEN


def test_what_is_wrapped_is_shut_down_at_its_innermost_socket():
    here, there = socket.socketpair()
    raw = SimpleNamespace(_sock=SimpleNamespace(socket=SimpleNamespace(socket=here)))  # as TLS within TLS has it
    members = {
        "__module__": "http.client",
        "headers": {},
        "status": 200,
        "length": None,
        "fp": SimpleNamespace(raw=raw),
        "isclosed": lambda self: False,
        "close": lambda self: None,
    }
    response = type("HTTPResponse", (), members)()
    source = from_response(response)
    source.abort()
    assert there.recv(1) == b""
    here.close()
    there.close()
    source.abort()
    response.fp = None  # as with the last byte of a body
    source.abort()


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (b"data", "not bytes$"),
        (None, "not NoneType$"),
        (open, "not builtin_function_or_method$"),
        (aiohttp.web.Response(), "not Response; pass the body's chunks themselves"),
        (aiohttp.web.StreamResponse(), "not StreamResponse; pass the body's chunks themselves"),
        (
            flask.Flask("app").test_client().get("/"),
            r"not WrapperTestResponse; .* `repair\(response\.response, content_type=",
        ),
        (io.BytesIO(), "not BytesIO; pass the body's chunks themselves"),
        (OSError(), "not OSError, which is not a response"),
    ],
)
def test_anything_else_is_refused(value, hint):
    with pytest.raises(TypeError, match=f"takes a response of requests, httpx, .*{hint}"):
        from_response(value)


def test_the_error_that_urllib_raises_is_refused_and_the_response_in_it_is_taken():
    raw = io.BytesIO(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")
    response = http.client.HTTPResponse(type("Socket", (), {"makefile": lambda self, mode: raw})())
    response.begin()
    error = urllib.error.HTTPError("http://test/", 404, "Not Found", response.headers, response)
    with pytest.raises(TypeError, match=r"not HTTPError, which is not a response; urllib .* in `\.fp`"):
        from_response(error)
    with pytest.raises(StreamError, match="not-found: "):
        list(from_response(error.fp).chunks)
    error.close()


def test_a_context_manager_that_was_not_entered_is_refused_with_the_fix(plain):
    with (
        httpx.Client() as client,
        pytest.raises(TypeError, match="enter it first"),
    ):
        from_response(client.stream("GET", plain.url("whole")))


def test_a_request_that_was_not_awaited_is_refused_with_the_fix(plain):
    async def main() -> None:
        async with aiohttp.ClientSession() as aiohttp_session, httpx.AsyncClient() as client:
            for request in (aiohttp_session.get(plain.url("whole")), client.get(plain.url("whole"))):
                with pytest.raises(TypeError, match="write `await` in front of it"):
                    from_response(request)
                request.close()

    asyncio.run(main())


@pytest.mark.parametrize("client", SYNC)
def test_a_source_knows_the_url_that_was_asked_for(client, plain):
    with SYNC[client](plain.url("whole")) as opened:
        source = from_response(opened.response)
        assert source.url is not None
        assert source.url.partition("?")[0].endswith(plain.url("whole").rpartition("/")[2])
        list(repair(source))


def test_a_response_that_was_made_without_a_request_has_no_url():
    assert from_response(httpx.Response(200, content=iter([DONE]))).url is None
