"""The two servers of the end-to-end comparison: FastAPI and Flask, each with the same routes.

The upstream is in the process and costs nothing but one turn of the event loop per token (none under Flask): the
reading least kind to whatever stands between it and the socket.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from time import perf_counter_ns
from typing import Any

from .payloads import DONE
from .workloads import openai_blocks, openai_payload

TOKENS = 500
PACED_TOKENS = 100
PACE_SECONDS = 0.05
PING_SECONDS = 5

HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


def tokens() -> Iterator[bytes]:
    yield from openai_blocks(TOKENS)
    yield DONE


async def atokens() -> AsyncIterator[bytes]:
    for block in tokens():
        await asyncio.sleep(0)
        yield block


async def payloads() -> AsyncIterator[dict[str, str]]:
    """Yield what sse-starlette takes: payloads, without the cost of finding them in bytes."""
    for payload in PAYLOADS:
        await asyncio.sleep(0)
        yield {"data": payload}


PAYLOADS = [block.decode()[len("data: ") : -2] for block in tokens()]


async def paced() -> AsyncIterator[bytes]:
    """Send a token every 50 ms that says when it left, in nanoseconds of the machine's monotonic clock."""
    await asyncio.sleep(random.random() * PACE_SECONDS)
    for _ in range(PACED_TOKENS):
        await asyncio.sleep(PACE_SECONDS)
        yield f"data: {openai_payload(f'@{perf_counter_ns()}@')}\n\n".encode()
    yield f"data: {openai_payload(None, finish='stop')}\n\n".encode() + DONE


def fastapi_app() -> Any:
    from fastapi import FastAPI
    from sse_starlette import EventSourceResponse
    from starlette.responses import StreamingResponse

    from unbroken import arepair

    app = FastAPI()

    def route(path: str, make: Callable[[], AsyncIterator[bytes]]) -> None:
        async def endpoint() -> StreamingResponse:
            return StreamingResponse(make(), media_type="text/event-stream", headers=HEADERS)

        app.get(path)(endpoint)

    route("/bare", atokens)
    route("/arepair", lambda: arepair(atokens()))
    route("/lean", lambda: arepair(atokens(), account=False, invalid_json="keep"))
    route("/paced/bare", paced)
    route("/paced/arepair", lambda: arepair(paced()))

    @app.get("/sse-starlette")
    async def sse_starlette() -> EventSourceResponse:
        return EventSourceResponse(payloads(), ping=PING_SECONDS, sep="\n")

    return app


def flask_app() -> Any:
    from flask import Flask, Response

    from unbroken import repair

    app = Flask(__name__)

    def route(name: str, make: Callable[[], Iterator[bytes]]) -> None:
        def endpoint() -> Response:
            return Response(make(), mimetype="text/event-stream", headers=HEADERS)

        app.add_url_rule(f"/{name}", name, endpoint)

    route("bare", tokens)
    route("repair", lambda: repair(tokens(), heartbeat=None, timeouts=None))
    route("thread", lambda: repair(tokens()))
    return app
