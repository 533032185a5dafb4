"""Streams for synchronous code: any WSGI framework, scripts, notebooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from ..core.engine import EventEngine
from ..core.events import Event
from ..core.options import ReadOptions, RepairOptions
from ..core.repairer import StreamRepairer
from .arguments import complete, with_options
from .source import Source
from .sync_stream import SyncStream
from .upstream import sync_upstream_source

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from .source import Response


class RepairedStream(SyncStream[bytes]):
    """An iterator over clean bytes. Each item is one whole frame or several, or a heartbeat between two of them."""

    _writes: ClassVar[bool] = True


class EventStream(SyncStream[Event]):
    """An iterator over events. After the last one it raises `StreamError` if the stream failed or was cut."""


@with_options(RepairOptions)
def repair(
    chunks: Iterable[Buffer] | Source | Response | Callable[[], Any],
    *,
    abort: Callable[[], object] | None = None,
    **options: Unpack[RepairOptions],
) -> RepairedStream:
    """Return clean bytes for a stream that may be damaged: whole frames, heartbeats between them, one truthful end.

    `chunks` is a function that calls upstream and returns the response, such as `lambda: requests.post(...)`: then
    heartbeats and timeouts cover the call too, and what it raises is a failure of the stream. It runs in the thread
    that reads, when the stream is first read. Or `chunks` is what such a function may return: a response that
    `from_response` takes, a `Source`, the body as it arrives (any iterable of bytes), or a context manager of one.

    The defaults repair what can be proven, write a heartbeat after 5 s without a byte, and end a stream that stalls;
    `.report` says what happened.

    - `format`: "sse", "ndjson" or "json-array"; None: recognised by the first bytes, with `content_type` as a hint.
    - `dialect`: what payloads mean, as "openai-chat"; None: recognised; "text": no payload is looked at as JSON.
    - `to`, `convert`: another framing ("sse", "ndjson") or dialect ("openai-chat") for the output.
    - `errors`: "mask" to write upstream's errors in our words, with their code; "keep" to pass them on.
    - `repairs`: what may be repaired; `()` reads as the standard does and repairs nothing.
    - `invalid_json`: "drop", "keep" or "error", for a payload that is not JSON where only JSON can be read.
    - `empty`: "error" or "end", for a body without an event; None: an error where `dialect` is named.
    - `comments`: "keep" or "drop", for upstream's comments and pings.
    - `account`: collect text, usage and tool calls in the report; `count_tokens` counts where no usage is sent.
    - `heartbeat`: seconds without a byte written, None for no heartbeats; `heartbeat_bytes` replaces their bytes,
      or names them ("comment", "comment-line", "blank-line"), and `heartbeat_as="event"` has them be events of the
      dialect, where it has one that says nothing.
    - `pace`: "words", "lines", "sentences", a function or a `Pace`: text leaves in such pieces; None: as it comes.
    - `timeouts`: when upstream has stalled. Without heartbeat and timeouts upstream is read in the caller's thread.
    - `max_event_bytes`: the largest event, and the bound of what is held in memory; a larger one is dropped.
    - `last_event_id`: the id to start after, when a reader reconnects.
    - `abort`: interrupts a blocked read; called from another thread. A `Source` has its own.
    - `provider`, `request_id`: labels for errors, logs and metrics.
    - `on_repair`, `observers`: called as things happen; what they raise is logged.

    Raises `TypeError` or `ValueError` for a wrong argument, and `TypeError` while iterating for chunks that are not
    bytes, or for a function that returns none, before anything was written. A failure of upstream is not raised: it
    becomes one error frame, the last thing written.
    """
    source = sync_upstream_source("repair", chunks, abort, options.get("last_event_id", ""))
    complete("repair", options, source, writes=True)
    is_timed = options["heartbeat"] is not None or options["timeouts"] is not None or options.get("pace") is not None
    return RepairedStream(StreamRepairer(**options), source, threaded=is_timed)


@with_options(ReadOptions)
def iter_events(
    chunks: Iterable[Buffer] | Source | Response | Callable[[], Any],
    *,
    abort: Callable[[], object] | None = None,
    **options: Unpack[ReadOptions],
) -> EventStream:
    """Return the events of a stream that may be damaged; after the last one it raises `StreamError` if it failed.

    Takes the options of `repair` but `to`, `convert`, `errors`, `pace`, and those of heartbeats. NDJSON lines and
    elements of a JSON array are events too. Raises `TypeError` or `ValueError` for a wrong argument.
    """
    source = sync_upstream_source("iter_events", chunks, abort, options.get("last_event_id", ""))
    complete("iter_events", options, source, writes=False)
    return EventStream(EventEngine(**options), source, threaded=options["timeouts"] is not None)
