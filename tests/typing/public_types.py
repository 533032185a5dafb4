"""What a type checker sees of the public names. Never run: mypy --strict and pyright read it."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from types import TracebackType
from typing import Any, assert_type
from wsgiref.types import WSGIApplication

import httpx

import unbroken
from unbroken import (
    AsyncEventStream,
    AsyncRepairedStream,
    Comment,
    Event,
    EventReader,
    EventStream,
    Format,
    Observer,
    Repair,
    RepairedStream,
    RepairKind,
    StreamError,
    StreamRepairer,
    StreamReport,
    Timeouts,
    Verdict,
)
from unbroken.core.options import RepairOptions
from unbroken.middleware import ASGIMiddleware, WSGIMiddleware


def chunks_of_every_type(
    bytes_: Iterable[bytes], views: list[memoryview], arrays: Iterator[bytearray], later: AsyncIterator[bytes]
) -> None:
    assert_type(unbroken.repair(bytes_), RepairedStream)
    assert_type(unbroken.repair(views), RepairedStream)
    assert_type(unbroken.repair(arrays), RepairedStream)
    assert_type(unbroken.iter_events(bytes_), EventStream)
    assert_type(unbroken.arepair(later), AsyncRepairedStream)
    assert_type(unbroken.arepair(bytes_), AsyncRepairedStream)
    assert_type(unbroken.aiter_events(later), AsyncEventStream)
    assert_type(unbroken.aiter_events(bytes_), AsyncEventStream)


def responses_and_functions(sync: httpx.Response, client: httpx.Client, later: httpx.AsyncClient) -> None:
    assert_type(unbroken.repair(sync), RepairedStream)
    assert_type(unbroken.repair(lambda: client.stream("GET", "http://x"), empty="error", errors="mask"), RepairedStream)
    assert_type(unbroken.iter_events(lambda: client.stream("GET", "http://x"), empty="end"), EventStream)
    assert_type(unbroken.arepair(lambda: later.stream("GET", "http://x")), AsyncRepairedStream)
    assert_type(unbroken.aiter_events(sync), AsyncEventStream)


def own_events(body: list[bytes]) -> None:
    def generate(events: EventStream) -> Iterator[str]:
        yield from (event.data for event in events)

    async def agenerate(events: AsyncEventStream) -> AsyncIterator[Event]:
        async for event in events:
            yield event

    assert_type(unbroken.transform(body, generate, heartbeat=None, provider="p"), unbroken.TransformedStream)
    assert_type(unbroken.atransform(body, agenerate), unbroken.AsyncTransformedStream)
    assert_type(unbroken.end_streams(), int)


def every_option(chunks: Iterable[bytes], observer: Observer) -> None:
    unbroken.repair(
        chunks,
        format="sse",
        dialect="openai-chat",
        to=Format.NDJSON,
        convert="openai-chat",
        repairs=[RepairKind.MISSING_BLANK_LINE],
        invalid_json="keep",
        comments="drop",
        account=False,
        heartbeat=None,
        timeouts=Timeouts(first=1.0, idle=None, silence=1.0, total=None),
        max_event_bytes=2**20,
        last_event_id="1",
        content_type="text/event-stream",
        abort=lambda: None,
        provider="example",
        request_id="1",
        on_repair=print,
        observers=[observer],
    )


def every_option_of_reading(chunks: Iterable[bytes], observer: Observer) -> None:
    unbroken.iter_events(
        chunks,
        format=Format.SSE,
        dialect=None,
        repairs=(),
        invalid_json="error",
        comments="drop",
        account=False,
        count_tokens=len,
        timeouts=None,
        max_event_bytes=2**20,
        last_event_id="1",
        content_type="text/event-stream",
        abort=lambda: None,
        provider="example",
        request_id="1",
        on_repair=print,
        observers=[observer],
    )


def options_of_a_mapping(chunks: Iterable[bytes], later: AsyncIterator[bytes], settings: Mapping[str, Any]) -> None:
    assert_type(unbroken.repair(chunks, **settings), RepairedStream)
    assert_type(unbroken.aiter_events(later, **settings), AsyncEventStream)


def wrong_options(chunks: Iterable[bytes], later: AsyncIterator[bytes]) -> None:
    # An ignored error that is none fails the check (warn_unused_ignores).
    unbroken.repair(chunks, hartbeat=5.0)  # type: ignore[call-arg]
    unbroken.arepair(later, heartbeat="5")  # type: ignore[arg-type]
    unbroken.iter_events(chunks, heartbeat=5.0)  # type: ignore[call-arg]
    unbroken.aiter_events(later, invalid_json="raise")  # type: ignore[arg-type]
    StreamRepairer(comments="remove")  # type: ignore[arg-type]
    EventReader(to="sse")  # type: ignore[call-arg]


def a_repaired_stream(stream: RepairedStream) -> None:
    assert_type(list(stream), list[bytes])
    assert_type(next(stream), bytes)
    assert_type(stream.report, StreamReport)
    assert_type(stream.prime(1.0), bool)
    stream.close()
    with stream as same:
        assert_type(same, RepairedStream)


def an_event_stream(stream: EventStream) -> None:
    assert_type(list(stream), list[Event])
    assert_type(stream.report.verdict, Verdict)
    with stream as same:
        assert_type(same, EventStream)


async def asynchronous_streams(stream: AsyncRepairedStream, events: AsyncEventStream) -> None:
    assert_type([chunk async for chunk in stream], list[bytes])
    assert_type([event async for event in events], list[Event])
    assert_type(await stream.aprime(1.0), bool)
    await stream.aclose()
    async with events as same:
        assert_type(same, AsyncEventStream)


def an_event(event: Event) -> None:
    assert_type(event.data, str)
    assert_type(event.event, str)
    assert_type(event.id, str)
    assert_type(event.retry, int | None)
    assert_type(event.encode(), bytes)
    assert_type({event: 1}, dict[Event, int])


def a_report(report: StreamReport) -> None:
    assert_type(report.format, Format | None)
    assert_type(report.dialect, str | None)
    assert_type(report.repairs, Counter[RepairKind])
    assert_type(report.first_repairs, list[Repair])
    assert_type(report.error, StreamError | None)
    assert_type(report.text, str)
    assert_type(report.finish_reason, str | None)
    assert_type(report.first_event, float | None)
    assert_type(report.as_dict(), dict[str, Any])


def an_error(error: StreamError) -> None:
    assert_type(error.code, str)
    assert_type(error.status_hint, int | None)
    assert_type(error.retry_after, float | None)
    assert_type(error.safe_to_retry, bool)
    assert_type(error.public_message, str)
    assert_type(error.report, StreamReport | None)


def the_core(repairer: StreamRepairer, reader: EventReader) -> None:
    assert_type(repairer.feed(b"", 0.0), list[bytes])
    assert_type(repairer.next_deadline(), float | None)
    assert_type(repairer.on_deadline(1.0), list[bytes])
    assert_type(repairer.fail(ValueError(), 1.0), list[bytes])
    assert_type(repairer.close(1.0), list[bytes])
    assert_type(reader.feed(b""), list[Event | Comment | Repair])
    assert_type(reader.close(), list[Event | Comment | Repair])


def headers() -> None:
    assert_type(unbroken.SSE_HEADERS, Mapping[str, str])
    assert_type(unbroken.NDJSON_HEADERS, Mapping[str, str])
    assert_type(
        unbroken.clean_headers({"Content-Type": "text/event-stream"}, decoded=False, also=["X"]), dict[str, str]
    )


class Response:
    """What WSGI and ASGI frameworks ask of a body: to be iterated, and closed where there is a `close`."""

    def sync(self, body: Iterable[bytes]) -> None: ...
    def asynchronous(self, body: AsyncIterator[bytes]) -> None: ...


def frameworks_take_the_streams(response: Response, stream: RepairedStream, later: AsyncRepairedStream) -> None:
    response.sync(stream)
    response.asynchronous(later)


def whole_applications(app: WSGIApplication) -> None:
    paths: dict[str, RepairOptions | None] = {"/chat": {"comments": "drop"}, "/exports": None}
    served: WSGIApplication = WSGIMiddleware(app, paths=paths, heartbeat=1.0)
    served = WSGIMiddleware(served, paths={"/chat": {"dialect": "openai-chat"}})
    ASGIMiddleware(ASGIMiddleware(asgi_app), comments="drop")


async def asgi_app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """As frameworks spell the type of an application."""


def sources(response: object) -> None:
    unbroken.repair(unbroken.from_response(response))
    unbroken.arepair(unbroken.from_response(response))


class Ended(Observer):
    """An observer overrides what it wants to see."""

    def ended(self, report: StreamReport) -> None:
        assert_type(report.duration, float)


def an_exit(stream: RepairedStream, error: StreamError, traceback: TracebackType) -> None:
    stream.__exit__(StreamError, error, traceback)
