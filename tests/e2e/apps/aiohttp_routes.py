"""The aiohttp page's application, by each client and without `unbroken`."""

import aiohttp_app
from aiohttp import web

from unbroken import SSE_HEADERS

from . import naive, repaired


async def plain(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers=naive.HEADERS)
    await answer.prepare(request)
    async for chunk in naive.ASYNC[request.match_info["client"]](request.query["prompt"]):
        await answer.write(chunk)
    return answer


async def by(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers=SSE_HEADERS)
    await answer.prepare(request)
    async with repaired.astream(request.match_info["client"], request.query["prompt"]) as stream:
        async for chunk in stream:
            await answer.write(chunk)
    return answer


def main(argv: list[str]) -> web.Application:
    app = aiohttp_app.main(argv)
    app.router.add_get("/chat/naive/{client}", plain)
    app.router.add_get("/chat/repaired/{client}", by)
    return app
