"""The middleware page's Django application under ASGI, with a view that raises and responses that must pass."""

from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from middleware_django_asgi_app import application, urlpatterns

from . import bare

__all__ = ["application"]


async def failing() -> AsyncIterator[bytes]:
    yield bare.EVENT
    raise RuntimeError(bare.SECRET)


async def raises(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(failing(), content_type=bare.SSE)


async def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(bare.LINES, content_type="application/json")


async def packed(request: HttpRequest) -> HttpResponse:
    return HttpResponse(bare.PACKED, content_type=bare.NDJSON, headers={"Content-Encoding": "gzip"})


urlpatterns += [path("raises", raises), path("json", plain), path("packed", packed)]
