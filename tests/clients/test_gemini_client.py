"""Google's own client, put before a slow and healthy stream: heartbeats and upstream's comments must not end it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from aiohttp import web
from google import genai
from google.genai import types

from unbroken import SSE_HEADERS, Format, StreamReport, Verdict, arepair

HEARTBEAT = 0.05
SECONDS = 10.0
"""After so long a test has hung."""
WORDS = ["Hello ", "from ", "Gemini"]


def said(text: str, **more: Any) -> bytes:
    """Spell one response as Google's servers do."""
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **more}
    return b"data: " + json.dumps({"candidates": [candidate], "modelVersion": "m"}).encode() + b"\r\n\r\n"


@dataclass
class Exchange:
    """One answer on its way: upstream says the next word only once the client has read the last one."""

    options: dict[str, Any]
    proxies: int = 1
    read: list[str] = field(default_factory=list)
    reports: list[StreamReport] = field(default_factory=list)

    async def upstream(self) -> AsyncIterator[bytes]:
        """Yield the words, with a silence of three heartbeats and comments between them."""
        if "dialect" in self.options:
            await self._beats(2)
            yield b": thinking\r\n\r\n"
        for number, word in enumerate(WORDS):
            await self._until(lambda number=number: len(self.read) == number)
            if not number:
                yield said(word)
                continue
            await self._beats(3)
            yield b": keep-alive\r\n\r\n:\n: in two lines\n\n"
            await self._beats(1)
            last = {"finishReason": "STOP"} if word is WORDS[-1] else {}
            yield said(word, **last).removesuffix(b"\r\n") + b": inside of an event\r\n\r\n"

    async def _beats(self, count: int) -> None:
        # Of the proxy next to upstream: a second one hands its blank lines on, and has no silence to fill.
        wanted = self.reports[0].heartbeats + count
        await self._until(lambda: self.reports[0].heartbeats >= wanted)

    @staticmethod
    async def _until(holds: Callable[[], bool]) -> None:
        while not holds():  # noqa: ASYNC110 - the report's counts are no events
            await asyncio.sleep(HEARTBEAT / 10)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with the repaired stream."""
        await request.read()
        response = web.StreamResponse(headers=SSE_HEADERS)
        await response.prepare(request)
        stream: Any = self.upstream()
        for _ in range(self.proxies):
            stream = arepair(stream, heartbeat=HEARTBEAT, **self.options)
            self.reports.append(stream.report)
            if "dialect" not in self.options:
                await stream.aprime(SECONDS)  # a heartbeat before the first event would be a comment
        async with stream:
            async for frame in stream:
                await response.write(frame)
        return response


@asynccontextmanager
async def serving(exchange: Exchange) -> AsyncIterator[str]:
    """Serve an exchange on a port of this machine."""
    app = web.Application()
    app.router.add_post("/{path:.*}", exchange.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


# The client, by each of its line readers


def _client(url: str) -> genai.Client:
    return genai.Client(api_key="none", http_options=types.HttpOptions(base_url=url))


async def by_httpx(url: str, note: Callable[[str], None]) -> None:
    """Read with `generate_content_stream`, in a thread."""

    def work() -> None:
        with _client(url) as client:
            for chunk in client.models.generate_content_stream(model="m", contents="Hi"):
                note(chunk.text or "")

    await asyncio.to_thread(work)


async def by_httpx_async(url: str, note: Callable[[str], None]) -> None:
    """Read with the asynchronous client, over httpx."""
    async with httpx.AsyncClient() as library:
        options = types.HttpOptions(base_url=url, httpx_async_client=library)
        client = genai.Client(api_key="none", http_options=options).aio
        await _read(client, note)


async def by_aiohttp(url: str, note: Callable[[str], None]) -> None:
    """Read with the asynchronous client, over aiohttp, which it takes where that is installed."""
    async with _client(url).aio as client:
        await _read(client, note)


async def _read(client: Any, note: Callable[[str], None]) -> None:
    async for chunk in await client.models.generate_content_stream(model="m", contents="Hi"):
        note(chunk.text or "")


CLIENTS = [by_httpx, by_httpx_async, by_aiohttp]


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")  # the client's own
@pytest.mark.parametrize("options", [{}, {"dialect": "gemini"}], ids=["recognised", "named"])
@pytest.mark.parametrize("proxies", [1, 2])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_slow_healthy_stream_arrives_whole_and_word_by_word(
    client: Callable[[str, Callable[[str], None]], Awaitable[None]], proxies: int, options: dict[str, Any]
) -> None:
    async def main() -> Exchange:
        exchange = Exchange(options, proxies=proxies)
        async with serving(exchange) as url:
            await asyncio.wait_for(client(url, exchange.read.append), SECONDS)
        return exchange

    exchange = asyncio.run(main())
    assert exchange.read == WORDS
    for report in exchange.reports:
        assert (report.format, report.dialect, report.verdict) == (Format.SSE, "gemini", Verdict.COMPLETE)
        assert report.text == "".join(WORDS)
        assert not report.repairs
    assert exchange.reports[0].heartbeats >= 8
