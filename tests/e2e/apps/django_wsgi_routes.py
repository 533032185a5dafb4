"""The Django page's WSGI application, by each client and without `unbroken`."""

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import path
from django_wsgi_app import application, urlpatterns

from unbroken import SSE_HEADERS

from . import naive, repaired

__all__ = ["application"]


def plain(request: HttpRequest, client: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(naive.SYNC[client](request.GET["prompt"]), headers=naive.HEADERS)


def by(request: HttpRequest, client: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(repaired.stream(client, request.GET["prompt"]), headers=SSE_HEADERS)


urlpatterns += [path("chat/naive/<client>", plain), path("chat/repaired/<client>", by)]
