"""Responses that tools for tests make in place of real ones are read as real ones are."""

import asyncio
import gzip
import importlib
import io
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import requests_mock
import responses
import respx
import urllib3
import vcr
from pytest_httpx import HTTPXMock, IteratorStream

from tests.scripted import DONE, TOKEN
from unbroken import StreamError, Verdict, aiter_events, arepair, from_response, iter_events
from unbroken.testing import ScriptedServer, chunked, with_length

URL = "http://upstream.test/"
SSE = {"Content-Type": "text/event-stream"}
BODY = TOKEN + DONE


def reads(response: Any) -> bool:
    """Whether the response is a whole answer of two events."""
    stream = iter_events(from_response(response))
    return len(list(stream)) == 2 and stream.report.verdict is Verdict.COMPLETE


async def areads(response: Any) -> bool:
    stream = aiter_events(from_response(response))
    return len([event async for event in stream]) == 2 and stream.report.verdict is Verdict.COMPLETE


def with_httpx(url: str, name: str = "httpx") -> bool:
    with importlib.import_module(name).Client() as client:
        return reads(client.send(client.build_request("GET", url), stream=True))


async def with_async_httpx(url: str) -> bool:
    async with httpx.AsyncClient() as client:
        return await areads(await client.send(client.build_request("GET", url), stream=True))


async def with_aiohttp(url: str) -> bool:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await areads(response)


def with_requests(url: str) -> bool:
    return reads(requests.get(url, stream=True))


READERS = {
    "requests": with_requests,
    "urllib3": lambda url: reads(urllib3.request("GET", url, preload_content=False)),
    "urllib": lambda url: reads(urllib.request.urlopen(url)),
    "httpx": with_httpx,
    "httpx2": lambda url: with_httpx(url, "httpx2"),
    "httpx, asynchronous": lambda url: asyncio.run(with_async_httpx(url)),
    "aiohttp": lambda url: asyncio.run(with_aiohttp(url)),
}
ZIPPED = gzip.compress(BODY)
SCRIPTS = {
    "chunked": chunked([TOKEN, DONE]),
    "with a length": with_length([TOKEN, DONE]),
    "compressed": [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(ZIPPED),
        ZIPPED,
    ],
}


@pytest.mark.parametrize(
    ("client", "script"),
    [*((client, "chunked") for client in READERS), ("urllib", "with a length"), ("requests", "compressed")],
)
def test_what_vcrpy_records_and_plays(client, script, tmp_path: Path):
    cassette = str(tmp_path / "cassette.yaml")
    with ScriptedServer(SCRIPTS[script]) as server:
        url = server.url
        with vcr.use_cassette(cassette):
            assert READERS[client](url), "recorded"
    with vcr.use_cassette(cassette, record_mode="none") as played:
        assert READERS[client](url), "played"
        assert played.play_count == 1


def test_responses():
    with responses.RequestsMock() as mock:
        mock.get(URL, body=BODY, headers=SSE)
        assert with_requests(URL)


def test_requests_mock():
    with requests_mock.Mocker() as mock:
        mock.get(URL, content=BODY, headers=SSE)
        mock.get(URL + "file", body=io.BytesIO(BODY), headers=SSE)
        assert with_requests(URL)
        assert with_requests(URL + "file")


def test_respx():
    with respx.mock:
        respx.get(URL).respond(content=BODY, headers=SSE)
        assert with_httpx(URL)
        assert asyncio.run(with_async_httpx(URL))


def test_pytest_httpx(httpx_mock: HTTPXMock):
    for stream in ({"content": BODY}, {"stream": IteratorStream([TOKEN[:9], TOKEN[9:], DONE])}):
        httpx_mock.add_response(url=URL, headers=SSE, is_reusable=True, **stream)
        assert with_httpx(URL)
        assert asyncio.run(with_async_httpx(URL))
        httpx_mock.reset()


def test_aioresponses():
    """By the fork that follows aiohttp: aioresponses 0.7.9 makes no response of aiohttp 3.14."""
    tool = pytest.importorskip("aioresponses")

    async def main() -> None:
        with tool.aioresponses() as mock:
            mock.post(URL, body=BODY, headers=SSE, content_type="text/event-stream", repeat=True)
            mock.post(URL + "busy", status=429, headers={"Retry-After": "7"})
            async with aiohttp.ClientSession() as session:
                assert b"".join([chunk async for chunk in arepair(lambda: session.post(URL))]) == BODY
                async with session.post(URL) as response:
                    assert await areads(response)
                with pytest.raises(StreamError) as raised:
                    await arepair(lambda: session.post(URL + "busy")).aprime()
        assert (raised.value.code, raised.value.retry_after) == ("rate-limited", 7.0)

    asyncio.run(main())


def test_the_transports_that_httpx_has_for_tests():
    class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield from (TOKEN, DONE)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in (TOKEN, DONE):
                yield piece

    transport = httpx.MockTransport(lambda request: httpx.Response(200, headers=SSE, stream=Pieces()))
    with httpx.Client(transport=transport) as client:
        assert reads(client.send(client.build_request("GET", URL), stream=True))

    async def main() -> None:
        async with httpx.AsyncClient(transport=transport) as client:
            assert await areads(await client.send(client.build_request("GET", URL), stream=True))

    asyncio.run(main())


@pytest.mark.parametrize("raw", [io.BytesIO(BODY), io.BufferedReader(io.BytesIO(BODY))], ids=["bytes", "a file"])
def test_a_response_of_requests_that_an_adapter_of_ones_own_made(raw):
    response = requests.Response()
    response.status_code = 200
    response.raw = raw
    assert reads(response)
