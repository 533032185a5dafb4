"""What the FastAPI page says of other responses and of compression, as routes."""

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse as FastAPIResponse
from fastapi_app import UPSTREAM, client
from sse_starlette import EventSourceResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response

from unbroken import NDJSON_HEADERS, SSE_HEADERS, AsyncRepairedStream, arepair

from .naive import question

app = FastAPI()
app.add_middleware(GZipMiddleware, minimum_size=1)


def answer(prompt: str, **options: object) -> AsyncRepairedStream:
    return arepair(
        lambda: client.stream("POST", UPSTREAM, json=question(prompt)), heartbeat=1.0, empty="error", **options
    )


@app.get("/fastapi")
async def by_fastapi(prompt: str) -> FastAPIResponse:
    return FastAPIResponse(answer(prompt), headers=SSE_HEADERS)


@app.get("/sse-starlette")
async def by_sse_starlette(prompt: str) -> EventSourceResponse:
    return EventSourceResponse(answer(prompt), headers=SSE_HEADERS)


@app.get("/masked")
async def masked(prompt: str) -> StreamingResponse:
    return StreamingResponse(answer(prompt, errors="mask"), headers=SSE_HEADERS)


async def starlettes_own(request: Request) -> Response:
    if request.method == "HEAD":
        return Response(headers=SSE_HEADERS)
    return StreamingResponse(answer(request.query_params["prompt"]), headers=SSE_HEADERS)


app.add_route("/starlette", starlettes_own)


@app.get("/lines")
async def lines() -> StreamingResponse:
    async def paced() -> AsyncIterator[bytes]:
        for n in range(4):
            yield json.dumps({"n": n}).encode() + b"\n"
            await asyncio.sleep(0.5)

    return StreamingResponse(arepair(paced()), headers=NDJSON_HEADERS)
