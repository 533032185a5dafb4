"""The FastAPI page's application, by each client, without `unbroken`, and in the ways that page warns of."""

import gc
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
import sync_clients
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi_app import app, client

from unbroken import SSE_HEADERS, arepair

from . import naive, repaired


@app.get("/chat/naive/{client}")
async def plain(client: str, prompt: str) -> StreamingResponse:
    return StreamingResponse(naive.ASYNC[client](prompt), headers=naive.HEADERS)


@app.get("/chat/repaired/{client}")
async def by(client: str, prompt: str) -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        async with repaired.astream(client, prompt) as stream:
            async for chunk in stream:
                yield chunk

    return StreamingResponse(body(), headers=SSE_HEADERS)


@app.get("/kept")
async def kept(prompt: str) -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        # aiohttp: a thousand connections cost httpx's pool a thousand comparisons each.
        async with aiohttp.ClientSession() as session:
            post = partial(session.post, naive.UPSTREAM, json=naive.question(prompt))
            async with arepair(post, heartbeat=1.0, observers=[repaired.Verdicts(prompt)]) as stream:
                async for chunk in stream:
                    yield chunk

    return StreamingResponse(body(), headers=SSE_HEADERS)


@app.get("/generator")
async def generator(prompt: str) -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        post = partial(client.stream, "POST", naive.UPSTREAM, json=naive.question(prompt))
        async with arepair(post, heartbeat=1.0) as stream:
            async for chunk in stream:
                yield chunk

    return StreamingResponse(body(), headers=SSE_HEADERS)


@app.get("/sync")
def synchronous(prompt: str) -> StreamingResponse:
    return StreamingResponse(sync_clients.with_requests(naive.question(prompt)), headers=SSE_HEADERS)


@app.get("/collect")
async def collect() -> PlainTextResponse:
    return PlainTextResponse(str(gc.collect()))
