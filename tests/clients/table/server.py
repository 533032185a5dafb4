"""One local server: the upstream that fails as it is told, and the proxies before it."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import httpx
from aiohttp import web

from tests.clients.table.streams import PROVIDERS, RESET, SAID, SILENCE, Provider, script
from unbroken import NDJSON_HEADERS, SSE_HEADERS, arepair

GAP = 0.01
"""Seconds between two frames, so that they do not arrive as one."""
_ANSWERS = (b'"tool"', b"function_call_output", b"tool_result", b"functionResponse")
_ENDPOINTS = {
    "chat/completions": "openai-chat",
    "responses": "openai-responses",
    "messages": "anthropic",
    "GenerateContent": "gemini",
    "generateContent": "gemini",
    "api/chat": "ollama",
}

Mode = dict[str, Any]
MODES: dict[str, Mode | None] = {
    "bare": None,
    "repaired": {},
    "named": {"dialect": True},
    "unknown": {"elsewhere": True},
    "comment": {"heartbeat_bytes": "comment"},
    "comment-line": {"heartbeat_bytes": "comment-line"},
    "blank-line": {"heartbeat_bytes": "blank-line"},
    "event": {"heartbeat_as": "event"},
}
"""How the client's answer comes to be: the upstream itself, or `arepair` with these options.

`dialect`: it is named. `elsewhere`: upstream is asked at a URL that says nothing.
"""


class TableServer:
    """Serves `/{mode}/{fault}/{what}/{run}/{path}` on a port of this machine, in a thread of its own."""

    def __init__(self) -> None:
        self.requests: dict[str, int] = defaultdict(int)
        """How often the upstream was asked, by run."""
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> TableServer:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *raised: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        # Each run is a connection of its own: one that was reset is not used again.
        self._client = httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_keepalive_connections=0))
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{mode}/{fault}/{what}/{run}/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._stop.wait()
        await self._client.aclose()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        at = request.match_info
        path = request.query.get("as", at["path"])
        name = next((name for end, name in _ENDPOINTS.items() if path.endswith(end)), None)
        if name is None:
            return web.json_response({"error": {"message": "no such path"}}, status=404)
        options = MODES.get(at["mode"])
        if options is None:
            self.requests[at["run"]] += 1
            return await self._fail(request, PROVIDERS[name], at["fault"], at["what"])
        return await self._repair(request, PROVIDERS[name], options)

    async def _fail(self, request: web.Request, provider: Provider, fault: str, what: str) -> web.StreamResponse:
        body = await request.read()
        if fault == "status-429":
            return web.json_response(provider.refusal, status=429, headers={"retry-after": "1"})
        if fault == "calls" and any(mark in body for mark in _ANSWERS):
            fault = "healthy"  # an agent ran the tools, and asks again
        kind = "application/x-ndjson" if provider.lines else "text/event-stream"
        response = web.StreamResponse(headers={"content-type": "text/html" if fault == "page" else kind})
        await response.prepare(request)
        for step in script(provider, fault, what or SAID):
            if isinstance(step, float):
                await asyncio.sleep(step)
            elif step == RESET:
                assert request.transport is not None
                request.transport.abort()
                return response
            else:
                assert isinstance(step, bytes)
                await response.write(step)
                await asyncio.sleep(GAP)
        return response

    async def _repair(self, request: web.Request, provider: Provider, options: Mode) -> web.StreamResponse:
        at, body = request.match_info, await request.read()
        path = request.path_qs.replace(f"/{at['mode']}/", "/bare/", 1)
        if options.get("elsewhere"):
            path = f"{path[: path.index(at['path'])]}elsewhere?as={at['path'].partition('?')[0]}"
        chosen = {key: value for key, value in options.items() if key not in ("dialect", "elsewhere")}
        if options.get("dialect"):
            chosen["dialect"] = provider.name
        stream = arepair(
            lambda: self._client.stream("POST", self.url + path, content=body or b"{}"),
            heartbeat=SILENCE / 3,
            empty="error",
            **chosen,
        )
        headers = NDJSON_HEADERS if provider.lines else SSE_HEADERS
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        async with stream:
            async for frame in _frames(stream):
                await response.write(frame)
        return response


async def _frames(stream: Any) -> AsyncIterator[bytes]:
    async for frame in stream:
        yield frame
