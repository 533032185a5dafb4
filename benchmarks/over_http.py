"""Readers as a program has them: each reads the response of an HTTP client, whose transport hands out a list of chunks.

Nothing is sent over a network, so what is timed is the client's own layer and the reader, the same client for all but
openai's `Stream`, which brings its own. A stream that fails counts with what it gave until then.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from .readers import PROXY, READER, Chunks, Reader

HTTPX_SSE = "httpx-sse"
HAND_LOOP = "hand loop"
OUR_READER = "unbroken, reader"
OUR_PROXY = "unbroken, proxy"
OPENAI = "openai's Stream"
LOADS = "json.loads alone"
WITHOUT_CLIENT = {OUR_READER: "unbroken, reader without a client", OUR_PROXY: "unbroken, proxy without a client"}
"""Ours on the same chunks from a list: what its own work is, without the layer that httpx-sse cannot do without."""

OPENAI_APIS = {
    "openai-chat": ("openai.types.chat", "ChatCompletionChunk"),
    "openai-responses": ("openai.types.responses", "ResponseStreamEvent"),
}
"""The APIs that openai's client reads, with what it makes of an event."""


@cache
def _client(package: str) -> tuple[Any, Any, list[Iterable[bytes]]]:
    """Return a client of httpx or httpx2, a request, and the list from which its transport takes the next body."""
    http = importlib.import_module(package)
    bodies: list[Iterable[bytes]] = []

    class Body(http.SyncByteStream):  # type: ignore[name-defined, misc]
        def __init__(self, chunks: Iterable[bytes]) -> None:
            self._chunks = chunks

        def __iter__(self) -> Iterator[bytes]:
            return iter(self._chunks)

    def answer(request: Any) -> Any:
        return http.Response(200, headers={"Content-Type": "text/event-stream"}, stream=Body(bodies.pop()))

    client = http.Client(transport=http.MockTransport(answer))
    return client, client.build_request("POST", "http://upstream/"), bodies


def response(chunks: Iterable[bytes], package: str = "httpx") -> Any:
    """Return a streaming response whose body is these chunks."""
    client, request, bodies = _client(package)
    bodies.append(chunks)
    return client.send(request, stream=True)


def httpx_sse(chunks: Iterable[bytes]) -> Iterator[Any]:
    from httpx_sse import EventSource

    return EventSource(response(chunks)).iter_sse()


def hand_loop(chunks: Iterable[bytes]) -> Iterator[Any]:
    """Yield the JSON of each event, read with httpx-sse and `json.loads`; what is not JSON is skipped."""
    from httpx_sse import EventSource

    loads = json.loads
    for event in EventSource(response(chunks)).iter_sse():
        if event.data == "[DONE]":
            break
        try:
            yield loads(event.data)
        except ValueError:
            continue


def our_reader(chunks: Iterable[bytes]) -> Iterator[Any]:
    from unbroken import from_response, iter_events

    return iter_events(from_response(response(chunks)), account=False, timeouts=None)


def our_proxy(chunks: Iterable[bytes]) -> Iterator[Any]:
    from unbroken import from_response, repair

    return repair(from_response(response(chunks)), heartbeat=None, timeouts=None)


@cache
def _openai(api: str) -> tuple[Any, Any, str]:
    """Return openai's client, the type of its events, and the HTTP package that it is built on."""
    import openai

    module, name = OPENAI_APIS[api]
    package = next(kind.__module__ for kind in openai.DefaultHttpxClient.__mro__ if kind.__name__ == "Client")
    return openai.OpenAI(api_key="none"), getattr(importlib.import_module(module), name), package.partition(".")[0]


def openai_stream(api: str, chunks: Iterable[bytes]) -> Iterator[Any]:
    from openai import Stream

    client, event, package = _openai(api)
    return Stream(cast_to=event, response=response(chunks, package), client=client)


def readers(api: str) -> list[Reader]:
    """Return the readers of streams of an API, httpx-sse first: it is the one that the others are compared with."""
    common = [
        Reader(HTTPX_SSE, httpx_sse, "httpx-sse", payload=lambda event: event.data),
        Reader(HAND_LOOP, hand_loop, "httpx-sse", payload=json.dumps),
        Reader(OUR_READER, our_reader, "unbroken", payload=lambda event: event.data),
        Reader(OUR_PROXY, our_proxy, "unbroken", payload=None),
        Reader(WITHOUT_CLIENT[OUR_READER], READER.open, "unbroken", payload=lambda event: event.data),
        Reader(WITHOUT_CLIENT[OUR_PROXY], PROXY.open, "unbroken", payload=None),
    ]
    if api in OPENAI_APIS:
        common.append(Reader(OPENAI, lambda chunks: openai_stream(api, chunks), "openai", payload=None))
    return common


def drain(reader: Reader, streams: Iterable[Chunks]) -> int:
    """Return how many items the reader gives for all streams. What it raises ends that stream. Raises ImportError."""
    count = 0
    for chunks in streams:
        try:
            for _ in reader.open(chunks):
                count += 1
        except ImportError:
            raise
        except Exception:
            continue
    return count
