"""The Django page's ASGI application, by each client and without `unbroken`."""

from collections.abc import AsyncIterator

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import path
from django_asgi_app import application, urlpatterns

from unbroken import SSE_HEADERS

from . import naive, repaired

__all__ = ["application"]


async def plain(request: HttpRequest, client: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(naive.ASYNC[client](request.GET["prompt"]), headers=naive.HEADERS)


async def by(request: HttpRequest, client: str) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[bytes]:
        async with repaired.astream(client, request.GET["prompt"]) as stream:
            async for chunk in stream:
                yield chunk

    return StreamingHttpResponse(body(), headers=SSE_HEADERS)


urlpatterns += [path("chat/naive/<client>", plain), path("chat/repaired/<client>", by)]
