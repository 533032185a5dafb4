"""What most applications do today: hand on the chunks as they come."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import httpx
import httpx2
import requests
import urllib3

UPSTREAM = os.environ["UPSTREAM"]
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
POOL = urllib3.PoolManager()


def question(prompt: str) -> dict[str, Any]:
    return {"model": "m", "stream": True, "messages": [{"role": "user", "content": prompt}]}


def with_requests(prompt: str) -> Iterator[bytes]:
    with requests.post(UPSTREAM, json=question(prompt), stream=True, timeout=(5, 300)) as response:
        yield from response.iter_content(None)


def with_httpx(prompt: str) -> Iterator[bytes]:
    with httpx.stream("POST", UPSTREAM, json=question(prompt), timeout=300) as response:
        yield from response.iter_bytes()


def with_httpx2(prompt: str) -> Iterator[bytes]:
    with httpx2.stream("POST", UPSTREAM, json=question(prompt), timeout=300) as response:
        yield from response.iter_bytes()


def with_urllib3(prompt: str) -> Iterator[bytes]:
    response = POOL.request("POST", UPSTREAM, json=question(prompt), preload_content=False)
    try:
        yield from response.stream()
    finally:
        response.close()


async def awith_httpx(prompt: str) -> AsyncIterator[bytes]:
    async with (
        httpx.AsyncClient(timeout=300) as client,
        client.stream("POST", UPSTREAM, json=question(prompt)) as response,
    ):
        async for chunk in response.aiter_bytes():
            yield chunk


async def awith_httpx2(prompt: str) -> AsyncIterator[bytes]:
    async with (
        httpx2.AsyncClient(timeout=300) as client,
        client.stream("POST", UPSTREAM, json=question(prompt)) as response,
    ):
        async for chunk in response.aiter_bytes():
            yield chunk


async def awith_aiohttp(prompt: str) -> AsyncIterator[bytes]:
    async with aiohttp.ClientSession() as session, session.post(UPSTREAM, json=question(prompt)) as response:
        async for chunk in response.content.iter_any():
            yield chunk


SYNC = {"requests": with_requests, "httpx": with_httpx, "httpx2": with_httpx2, "urllib3": with_urllib3}
ASYNC = {"httpx": awith_httpx, "httpx2": awith_httpx2, "aiohttp": awith_aiohttp}
