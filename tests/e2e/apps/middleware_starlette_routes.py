"""The same routes in Starlette, inside of a middleware of its own kind."""

from middleware_fastapi_app import ask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from unbroken.middleware import ASGIMiddleware

from . import bare
from .middleware_fastapi_routes import packed, plain, raises


async def chat(request: Request) -> Response:
    return StreamingResponse(ask(request.query_params["prompt"]), media_type=bare.SSE)


async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


def route(path: str, endpoint: object) -> Route:
    async def call(request: Request) -> Response:
        response: Response = await endpoint()  # type: ignore[operator]
        return response

    return Route(path, call)


app = Starlette(
    routes=[Route("/chat", chat), route("/raises", raises), route("/json", plain), route("/packed", packed)],
    middleware=[Middleware(BaseHTTPMiddleware, dispatch=pass_on), Middleware(ASGIMiddleware, heartbeat=1.0)],
)
