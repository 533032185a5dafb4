"""The middleware page's FastAPI application, with a route that raises and responses that must pass."""

from collections.abc import AsyncIterator

from fastapi import Response
from fastapi.responses import StreamingResponse
from middleware_fastapi_app import app

from . import bare

__all__ = ["app"]


async def failing() -> AsyncIterator[bytes]:
    yield bare.EVENT
    raise RuntimeError(bare.SECRET)


@app.get("/raises")
async def raises() -> StreamingResponse:
    return StreamingResponse(failing(), media_type=bare.SSE)


@app.get("/json")
async def plain() -> Response:
    return Response(bare.LINES, media_type="application/json")


@app.get("/packed")
async def packed() -> Response:
    return Response(bare.PACKED, media_type=bare.NDJSON, headers={"Content-Encoding": "gzip"})
