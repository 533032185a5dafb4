"""The FastAPI page's route behind a middleware of Starlette's own kind, with its response and with one that closes."""

import gc

from closing_response import ClosingResponse
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from fastapi_app import chat
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

app = FastAPI()
app.get("/chat")(chat)


@app.get("/closing")
async def closing(prompt: str) -> ClosingResponse:
    response = await chat(prompt)
    return ClosingResponse(response.body_iterator, headers=response.headers)


@app.get("/collect")
async def collect() -> PlainTextResponse:
    return PlainTextResponse(str(gc.collect()))


async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
