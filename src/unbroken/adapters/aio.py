"""Streams for asyncio: FastAPI, Starlette, Django under ASGI, aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Collection, Iterable
from typing import TYPE_CHECKING, ClassVar, Literal

from ..core.dialect import Dialect
from ..core.events import Event, Format
from ..core.heartbeat import Timeouts
from ..core.options import DEFAULT_MAX_EVENT_BYTES, DEFAULT_TIMEOUTS
from ..core.repairer import EventEngine, StreamRepairer
from ..core.repairs import DEFAULT_REPAIRS, Repair, RepairKind
from ..core.report import Observer
from .async_stream import AsyncStream
from .source import Source, as_source
from .watch import watched

if TYPE_CHECKING:
    from typing_extensions import Buffer


class AsyncRepairedStream(AsyncStream[bytes]):
    """An asynchronous iterator over clean bytes. Each item is one whole frame or several, or a heartbeat."""

    _writes: ClassVar[bool] = True


class AsyncEventStream(AsyncStream[Event]):
    """An asynchronous iterator over events. After the last one it raises `StreamError` if the stream failed."""


def arepair(
    chunks: AsyncIterable[Buffer] | Iterable[Buffer] | Source,
    *,
    format: Format | str | None = None,
    dialect: Dialect | str | None = None,
    to: Format | str | None = None,
    convert: str | None = None,
    repairs: Collection[RepairKind] = DEFAULT_REPAIRS,
    invalid_json: Literal["drop", "keep", "error"] = "drop",
    comments: Literal["keep", "drop"] = "keep",
    account: bool = True,
    count_tokens: Callable[[str], int] | None = None,
    heartbeat: float | None = 5.0,
    heartbeat_bytes: bytes | None = None,
    timeouts: Timeouts | None = DEFAULT_TIMEOUTS,
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES,
    last_event_id: str = "",
    content_type: str | None = None,
    abort: Callable[[], object] | None = None,
    provider: str | None = None,
    request_id: str | None = None,
    on_repair: Callable[[Repair], object] | None = None,
    observers: Iterable[Observer] = (),
) -> AsyncRepairedStream:
    """Return the asynchronous form of `repair`. A synchronous iterable is read in a thread.

    Use `async with arepair(...) as stream` where you can: a server that stops iterating closes nothing by itself.
    """
    source = as_source("arepair", chunks, abort, last_event_id)
    on_repair, watchers = watched(on_repair, observers)
    engine = StreamRepairer(
        format=format,
        dialect=dialect,
        to=to,
        convert=convert,
        repairs=repairs,
        invalid_json=invalid_json,
        comments=comments,
        account=account,
        count_tokens=count_tokens,
        heartbeat=heartbeat,
        heartbeat_bytes=heartbeat_bytes,
        timeouts=timeouts,
        max_event_bytes=max_event_bytes,
        last_event_id=last_event_id,
        content_type=content_type or source.content_type,
        provider=provider,
        request_id=request_id,
        on_repair=on_repair,
        observers=watchers,
    )
    return AsyncRepairedStream(engine, source)


def aiter_events(
    chunks: AsyncIterable[Buffer] | Iterable[Buffer] | Source,
    *,
    format: Format | str | None = None,
    dialect: Dialect | str | None = None,
    repairs: Collection[RepairKind] = DEFAULT_REPAIRS,
    invalid_json: Literal["drop", "keep", "error"] = "drop",
    comments: Literal["keep", "drop"] = "keep",
    account: bool = True,
    count_tokens: Callable[[str], int] | None = None,
    timeouts: Timeouts | None = DEFAULT_TIMEOUTS,
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES,
    last_event_id: str = "",
    content_type: str | None = None,
    abort: Callable[[], object] | None = None,
    provider: str | None = None,
    request_id: str | None = None,
    on_repair: Callable[[Repair], object] | None = None,
    observers: Iterable[Observer] = (),
) -> AsyncEventStream:
    """Return the asynchronous form of `iter_events`. A synchronous iterable is read in a thread.

    Upstream is read in the task that iterates, as `async for` over it would, and a timeout cancels that read. It is
    read in a task of its own if each item is asked for in a task of its own (`wait_for(anext(...))` before Python
    3.12), after an `aprime` with a timeout, and for the source of `aretrying`.
    """
    source = as_source("aiter_events", chunks, abort, last_event_id)
    on_repair, watchers = watched(on_repair, observers)
    engine = EventEngine(
        format=format,
        dialect=dialect,
        repairs=repairs,
        invalid_json=invalid_json,
        comments=comments,
        account=account,
        count_tokens=count_tokens,
        timeouts=timeouts,
        max_event_bytes=max_event_bytes,
        last_event_id=last_event_id,
        content_type=content_type or source.content_type,
        provider=provider,
        request_id=request_id,
        on_repair=on_repair,
        observers=watchers,
    )
    return AsyncEventStream(engine, source)
