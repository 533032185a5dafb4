"""The clients of clients.md by name, and a log of how each stream ended."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import async_clients
import sync_clients

from unbroken import AsyncRepairedStream, Observer, RepairedStream, StreamReport

from .naive import question

SYNC = {
    "requests": sync_clients.with_requests,
    "httpx": sync_clients.with_httpx,
    "httpx2": sync_clients.with_httpx2,
    "urllib3": sync_clients.with_urllib3,
}


def stream(client: str, prompt: str) -> RepairedStream:
    return SYNC[client](question(prompt))


@asynccontextmanager
async def astream(client: str, prompt: str) -> AsyncIterator[AsyncRepairedStream]:
    if client == "aiohttp":
        async with aiohttp.ClientSession() as session, async_clients.with_aiohttp(session, question(prompt)) as it:
            yield it
    else:
        async with getattr(async_clients, f"with_{client}")(question(prompt)) as it:
            yield it


class Verdicts(Observer):
    """Append each report, as one line of JSON, to the file named by VERDICTS."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt

    def ended(self, report: StreamReport) -> None:
        line = json.dumps({"prompt": self.prompt, **report.as_dict()}) + "\n"
        file = os.open(os.environ["VERDICTS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)
