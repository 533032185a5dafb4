"""Streams for synchronous code: any WSGI framework, scripts, notebooks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, ClassVar, Literal

from ..core.dialect import Dialect
from ..core.events import Event, Format
from ..core.heartbeat import Timeouts
from ..core.options import DEFAULT_MAX_EVENT_BYTES, DEFAULT_TIMEOUTS
from ..core.repairer import EventEngine, StreamRepairer
from ..core.repairs import DEFAULT_REPAIRS, Repair, RepairKind
from ..core.report import Observer
from .source import Source, as_sync_source
from .sync_stream import SyncStream
from .watch import watched

if TYPE_CHECKING:
    from typing_extensions import Buffer


class RepairedStream(SyncStream[bytes]):
    """An iterator over clean bytes. Each item is one whole frame or several, or a heartbeat between two of them."""

    _writes: ClassVar[bool] = True


class EventStream(SyncStream[Event]):
    """An iterator over events. After the last one it raises `StreamError` if the stream failed or was cut."""


def repair(
    chunks: Iterable[Buffer] | Source,
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
) -> RepairedStream:
    """Return an iterator over clean bytes for a stream that may be damaged: whole frames, heartbeats, one honest end.

    `chunks` is the body as it arrives (any iterable of bytes), or the `Source` that `from_response` makes of a
    client's response. The defaults repair what can be proven, write a heartbeat after 5 s without a byte, and end a
    stream that stalls; what happened stands in `.report`.

    - `format`: "sse", "ndjson" or "json-array"; None finds out by the first bytes, `content_type` being a hint.
    - `dialect`: what payloads mean, as "openai-chat"; None recognises it, "text" turns every JSON heuristic off.
    - `to`, `convert`: another framing ("sse", "ndjson") or dialect ("openai-chat") for the output.
    - `repairs`: what may be repaired; `()` is the standard's reading and nothing else.
    - `invalid_json`: what becomes of a payload that is not JSON where nothing but JSON can be read.
    - `comments`: whether upstream's comments and pings are forwarded.
    - `account`: collect text, usage and tool calls in the report; `count_tokens` counts where no usage is sent.
    - `heartbeat`: seconds without a byte written, None for none; `heartbeat_bytes` replaces the harmless default.
    - `timeouts`: when upstream has stalled. Without heartbeat and timeouts upstream is read in the caller's thread.
    - `max_event_bytes`: the largest event, and the bound of what is held in memory; a larger one is dropped.
    - `last_event_id`: the id to start from, after a reconnection.
    - `abort`: interrupts a blocked read; called from another thread. A `Source` brings its own.
    - `provider`, `request_id`: labels for errors, logs and metrics.
    - `on_repair`, `observers`: called with what happens; what they raise is logged.

    Raises `TypeError` or `ValueError` for a wrong argument, and `TypeError` while iterating for chunks that are not
    bytes. Upstream's failures are not raised: they become one error frame, the last thing written.
    """
    source = as_sync_source("repair", chunks, abort, last_event_id)
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
    return RepairedStream(engine, source, threaded=heartbeat is not None or timeouts is not None)


def iter_events(
    chunks: Iterable[Buffer] | Source,
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
) -> EventStream:
    """Return an iterator over the events of a stream that may be damaged; it raises `StreamError` after the last one if
    the stream failed.

    Takes the options of `repair` but `to`, `convert` and the heartbeat. NDJSON lines and elements of a JSON array are
    events too. Raises `TypeError` or `ValueError` for a wrong argument.
    """
    source = as_sync_source("iter_events", chunks, abort, last_event_id)
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
    return EventStream(engine, source, threaded=timeouts is not None)
