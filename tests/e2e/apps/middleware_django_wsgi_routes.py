"""The middleware page's Django application under WSGI, with a view that raises and responses that must pass."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from middleware_django_wsgi_app import application, urlpatterns

from . import bare

__all__ = ["application"]


def raises(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        yield bare.EVENT
        raise RuntimeError(bare.SECRET)

    return StreamingHttpResponse(chunks(), content_type=bare.SSE)


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(bare.LINES, content_type="application/json")


def packed(request: HttpRequest) -> HttpResponse:
    return HttpResponse(bare.PACKED, content_type=bare.NDJSON, headers={"Content-Encoding": "gzip"})


urlpatterns += [path("raises", raises), path("json", plain), path("packed", packed)]
