"""Other parsers behind the contract's `parse`, each by the shortest way that its own users would take.

Imported only where the parser in question is installed (see `installing.py`): two of these packages share a module's
name, and others are here in two versions. Where a parser would go back to its server at the end of a stream, it finds
that there is none, at once.
"""

from __future__ import annotations

import io
import types
import unittest
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from unbroken.testing.claims import Claim
from unbroken.testing.contract import INVALID, AsyncParserContract, NDJSONContract, ParserContract
from unbroken.testing.standard import Seen

UTF8 = "text/event-stream; charset=utf-8"


class NoServer(Exception):
    """The stream is over, and there is no server to reconnect to."""


def as_seen(event: str | None, data: str | None, id: str | None) -> Seen:
    return event or "message", data or "", id or ""


def bodies(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Give what clients hand on: a read from a socket is never empty."""
    return (chunk for chunk in chunks if chunk)


class Events(ParserContract):
    """A parser whose events have `event`, `data`, `id` and `retry`."""

    def events(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Any]:
        raise NotImplementedError

    def parse(self, chunks: Iterable[bytes]) -> Iterator[Seen]:
        return self.parse_as(chunks, UTF8)

    def parse_as(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Seen]:
        for event in self.events(bodies(chunks), content_type):
            yield as_seen(event.event, event.data, event.id)

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        retry = None
        for event in self.events(bodies(chunks), UTF8):
            retry = retry if event.retry is None else event.retry
        return retry


class HttpxSSE(Events):
    def events(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Any]:
        import httpx
        import httpx_sse

        response = httpx.Response(200, headers={"content-type": content_type}, content=iter(chunks))
        return httpx_sse.EventSource(response).iter_sse()


class HTTPX2(Events):
    max_event_bytes = 2**20  # its default `max_event_size`

    def events(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Any]:
        import httpx2

        request = httpx2.Request("GET", "http://127.0.0.1/")
        headers = {"content-type": content_type}
        return iter(httpx2.EventSource(httpx2.Response(200, headers=headers, content=iter(chunks), request=request)))


class Cohere(Events):
    def events(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Any]:
        import httpx
        from cohere.core.http_sse import EventSource

        response = httpx.Response(200, headers={"content-type": content_type}, content=iter(chunks))
        return EventSource(response).iter_sse()


class RequestsLines(ParserContract):
    """What is written by hand most often: `iter_lines`, and a look at the beginning of each line."""

    does_not_claim = (Claim.EVENT_NAMES, Claim.IDS, Claim.RETRY)

    def parse(self, chunks: Iterable[bytes]) -> Iterator[Seen]:
        (response,) = OneResponse(bodies(chunks), UTF8).responses
        for line in response.iter_lines():
            if line.startswith(b"data: "):
                yield as_seen("", line.removeprefix(b"data: ").decode(), "")


class SSEClientPy(Events):
    def events(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Any]:
        import sseclient

        return sseclient.SSEClient(iter(chunks)).events()

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        raise unittest.SkipTest("does not claim to read `retry:`: it hands the text on")


class SSEClient(Events):
    def events(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Any]:
        import sseclient

        sseclient.time = types.SimpleNamespace(sleep=lambda seconds: None)
        sseclient.print = lambda *texts: None
        try:
            yield from sseclient.SSEClient("http://127.0.0.1/", session=OneResponse(chunks, content_type))
        except NoServer:
            return


class RequestsSSE(Events):
    def events(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Any]:
        return (
            types.SimpleNamespace(event=event.type, data=event.data, id=event.last_event_id)
            for event in self.source(chunks, content_type, lambda seconds: None)
        )

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        waits: list[float] = []
        list(self.source(bodies(chunks), UTF8, waits.append))
        return None if waits[0] == 10.0 else round(waits[0] / 2 * 1000)  # it waits twice as long as it was told

    def source(self, chunks: Iterable[bytes], content_type: str, sleep: Callable[[float], None]) -> Iterator[Any]:
        import requests_sse
        from requests_sse import client

        client.time = types.SimpleNamespace(sleep=sleep)
        with requests_sse.EventSource("http://127.0.0.1/", session=OneResponse(chunks, content_type)) as source:
            try:
                yield from source
            except NoServer:
                return


class OneResponse:
    """Stands in for a `requests.Session`: its first response is a body of these chunks, and there is no second."""

    def __init__(self, chunks: Iterable[bytes], content_type: str) -> None:
        import requests

        response = requests.Response()
        response.status_code = 200
        response.url = "http://127.0.0.1/"
        response.headers["content-type"] = content_type
        # As `requests.adapters` does.
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.raw = Raw(chunks)
        self.responses = [response]

    def request(self, *args: Any, **options: Any) -> Any:
        if not self.responses:
            raise NoServer
        return self.responses.pop()

    get = request


class Raw:
    """A response's `raw` as urllib3 gives it: `stream` yields chunks as they come, `read1` below it a part of one."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = iter(chunks)
        self.rest = b""
        self._fp = types.SimpleNamespace(fp=self)

    def stream(self, size: int, decode_content: bool = True) -> Iterator[bytes]:
        return self.chunks

    def read1(self, size: int) -> bytes:
        data = self.rest or next(self.chunks, b"")
        self.rest = data[size:]
        return data[:size]

    def close(self) -> None:
        pass


class AiohttpSSEClient(AsyncParserContract):
    async def aparse(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[Seen]:
        async for event in self.source(chunks, lambda seconds: None):
            yield as_seen(event.type, event.data, event.last_event_id)

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        import asyncio

        waits: list[float] = []

        async def read() -> None:
            async for _ in self.source(one_by_one(chunks), waits.append):
                pass

        asyncio.run(read())
        return None if waits[0] == 10.0 else round(waits[0] / 2 * 1000)

    async def source(self, chunks: AsyncIterable[bytes], slept: Callable[[float], None]) -> AsyncIterator[Any]:
        import asyncio

        from aiohttp import StreamReader
        from aiohttp_sse_client import client

        async def sleep(seconds: float) -> None:
            slept(seconds)

        def nothing() -> None: ...

        protocol = types.SimpleNamespace(
            connected=True, _reading_paused=False, pause_reading=nothing, resume_reading=nothing
        )
        content = StreamReader(protocol, 2**16, loop=asyncio.get_running_loop())

        async def feed() -> None:
            async for chunk in chunks:
                content.feed_data(chunk)
                await asyncio.sleep(0)
            content.feed_eof()

        response = types.SimpleNamespace(status=200, content=content, close=lambda: None)

        class Source(client.EventSource):
            async def connect(self, retry: int = 0) -> None:
                if self._response is not None:
                    raise NoServer
                self._response = response

        client.asyncio = types.SimpleNamespace(sleep=sleep)
        feeding = asyncio.ensure_future(feed())
        try:
            async with Source("http://127.0.0.1/", session=types.SimpleNamespace()) as source:
                async for event in source:
                    yield event
        except NoServer:
            return
        finally:
            feeding.cancel()


async def one_by_one(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in bodies(chunks):
        yield chunk


class LaunchDarkly(ParserContract):
    def parse(self, chunks: Iterable[bytes]) -> Iterator[Seen]:
        return (
            as_seen(event.event, event.data, event.last_event_id)
            for event in self.events(chunks, lambda retry: None)
            if hasattr(event, "data")
        )

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        retries: list[int | None] = [None]
        list(self.events(chunks, retries.append))
        return retries[-1]

    def events(self, chunks: Iterable[bytes], set_retry: Callable[[int], None]) -> Iterator[Any]:
        from ld_eventsource import reader

        lines = reader._BufferedLineReader.lines_from(chunks)
        return reader._SSEReader(lines, None, set_retry).events_and_comments()


class OpenAI(Events):
    def events(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Any]:
        from openai._streaming import SSEDecoder

        if hasattr(SSEDecoder, "iter_bytes"):
            return SSEDecoder().iter_bytes(iter(chunks))
        import httpx

        response = httpx.Response(200, headers={"content-type": content_type}, content=iter(chunks))
        return SSEDecoder().iter(response.iter_lines())


class Anthropic(Events):
    def events(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Any]:
        from anthropic._streaming import SSEDecoder

        return SSEDecoder().iter_bytes(iter(chunks))


class Ours(Events):
    def events(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Any]:
        from unbroken import StreamError, iter_events

        with suppress(StreamError):  # that upstream reported an error is raised behind the last event
            yield from iter_events(chunks, format="sse", repairs=(), timeouts=None, content_type=content_type)

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        from unbroken import iter_events

        stream = iter_events(chunks, format="sse", repairs=(), timeouts=None)
        for _ in stream:
            pass
        return stream.report.retry


# --- NDJSON -----------------------------------------------------------------------------------------------------------


class Body(io.RawIOBase):
    """A body as a file, which is what the readers of lines take."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = bodies(chunks)
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.rest or next(self.chunks, b"")
        size = min(len(data), len(buffer))
        buffer[:size] = data[:size]
        self.rest = data[size:]
        return size


class JSONLines(NDJSONContract):
    def parse(self, chunks: Iterable[bytes]) -> Iterator[Any]:
        import jsonlines

        reader = jsonlines.Reader(io.BufferedReader(Body(chunks)))
        return reader.iter(allow_none=True, skip_empty=True, skip_invalid=True)


class NDJSON(NDJSONContract):
    def parse(self, chunks: Iterable[bytes]) -> Iterator[Any]:
        import ndjson

        reader = ndjson.reader(io.TextIOWrapper(io.BufferedReader(Body(chunks)), encoding="utf-8"))
        while True:
            try:
                yield next(reader)
            except StopIteration:
                return
            except UnicodeDecodeError:
                raise
            except ValueError:
                yield INVALID


class OurLines(NDJSONContract):
    def parse(self, chunks: Iterable[bytes]) -> Iterator[Any]:
        from unbroken import iter_events

        return (
            event.json()
            for event in iter_events(chunks, format="ndjson", repairs=(), timeouts=None, invalid_json="drop")
        )
