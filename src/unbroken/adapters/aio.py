"""Streams for asyncio: FastAPI, Starlette, Django under ASGI, aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from ..core.engine import EventEngine
from ..core.events import Event
from ..core.options import ReadOptions, RepairOptions
from ..core.repairer import StreamRepairer
from .arguments import complete, with_options
from .async_stream import AsyncStream
from .source import Source
from .upstream import upstream_source

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from .source import Response


class AsyncRepairedStream(AsyncStream[bytes]):
    """An asynchronous iterator over clean bytes. Each item is one whole frame or several, or a heartbeat."""

    _writes: ClassVar[bool] = True


class AsyncEventStream(AsyncStream[Event]):
    """An asynchronous iterator over events. After the last one it raises `StreamError` if the stream failed."""


@with_options(RepairOptions)
def arepair(
    chunks: AsyncIterable[Buffer] | Iterable[Buffer] | Source | Response | Callable[[], Any],
    *,
    abort: Callable[[], object] | None = None,
    **options: Unpack[RepairOptions],
) -> AsyncRepairedStream:
    """Return clean bytes as `repair` does, for asyncio. A synchronous iterable is read in a thread.

    A function that calls upstream returns what is asynchronous: a response or the coroutine of one, an asynchronous
    context manager or iterable. It runs in the task that reads. One that would block the event loop goes into
    `retrying`, which calls it in a thread.

    Use `async with arepair(...) as stream` where you can: a server that stops iterating closes nothing by itself.
    """
    source = upstream_source("arepair", chunks, abort, options.get("last_event_id", ""))
    complete("arepair", options, source, writes=True)
    return AsyncRepairedStream(StreamRepairer(**options), source)


@with_options(ReadOptions)
def aiter_events(
    chunks: AsyncIterable[Buffer] | Iterable[Buffer] | Source | Response | Callable[[], Any],
    *,
    abort: Callable[[], object] | None = None,
    **options: Unpack[ReadOptions],
) -> AsyncEventStream:
    """Return events as `iter_events` does, for asyncio. A synchronous iterable is read in a thread."""
    source = upstream_source("aiter_events", chunks, abort, options.get("last_event_id", ""))
    complete("aiter_events", options, source, writes=False)
    return AsyncEventStream(EventEngine(**options), source)
