"""Events of one's own, made of those that upstream sends: read, changed and written as one stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Unpack

from .adapters.aio import AsyncEventStream, AsyncRepairedStream, aiter_events
from .adapters.async_source import release
from .adapters.source import ChunkTypeError, Source, close_quietly
from .adapters.sync import EventStream, RepairedStream, iter_events
from .core.events import Event
from .core.options import DEFAULT_HEARTBEAT, WRITING, refuse_unknown
from .core.repairer import StreamRepairer
from .core.report import StreamError

if TYPE_CHECKING:
    from .core.options import RepairOptions
    from .core.report import StreamReport

_WRITTEN = ("to", "heartbeat", "heartbeat_as", "heartbeat_bytes")


class TransformedStream(RepairedStream):
    """An iterator over the frames of one's own events. Its `report` is that of the stream they were made of."""

    def __init__(self, events: EventStream, generate: Callable[[EventStream], Any], **written: Any) -> None:
        self._events = events
        source = Source(_frames(generate, events), abort=events.close, close=events.close)
        engine = StreamRepairer(format="sse", repairs=(), account=False, **written)
        super().__init__(engine, source, threaded=written["heartbeat"] is not None)

    @property
    def report(self) -> StreamReport:
        """The live report of upstream's stream, with the heartbeats and the bytes that were written."""
        return _joined(self._events.report, self._engine.report)


class AsyncTransformedStream(AsyncRepairedStream):
    """An asynchronous iterator over the frames of one's own events, with the report of upstream's stream."""

    def __init__(self, events: AsyncEventStream, generate: Callable[[AsyncEventStream], Any], **written: Any) -> None:
        self._events = events
        engine = StreamRepairer(format="sse", repairs=(), account=False, **written)
        super().__init__(engine, Source(_aframes(generate, events), close=events.aclose))

    @property
    def report(self) -> StreamReport:
        """The live report of upstream's stream, with the heartbeats and the bytes that were written."""
        return _joined(self._events.report, self._engine.report)


def transform(
    upstream: Any,
    generate: Callable[[EventStream], Any],
    *,
    abort: Callable[[], object] | None = None,
    **options: Unpack[RepairOptions],
) -> TransformedStream:
    """Return the frames of events of your own: what `generate(events)` yields while it reads upstream's events.

    `upstream` is what `repair` takes. `generate` is a generator function that is called with an `EventStream` and
    yields an `Event`, a text (the data of one), a dict or a list (its data as JSON), or bytes (whole frames). A failure
    of upstream is raised in `generate` after the last event, as `iter_events` does; what it does not catch becomes one
    error frame with its code, the last thing written. When the consumer leaves, upstream's events end, `generate` is
    closed, and the verdict is CANCELLED: look at `events.report.whole` before you store an answer.

    Takes the options of `iter_events`, and of `repair` `to`, and those of heartbeats; the others, observers
    and labels too, are about upstream's stream, whose report is `.report`.

    Raises `TypeError` or `ValueError` for a wrong argument, and `TypeError` while iterating if `generate` yields
    anything else. An exception of another kind in `generate` is a bug of the application, code `application-error`.
    """
    reading, written = _split("transform", generate, options)
    return TransformedStream(iter_events(upstream, abort=abort, **reading), generate, **written)


def atransform(
    upstream: Any,
    generate: Callable[[AsyncEventStream], Any],
    *,
    abort: Callable[[], object] | None = None,
    **options: Unpack[RepairOptions],
) -> AsyncTransformedStream:
    """Return frames as `transform` does, for asyncio: `generate` is an asynchronous generator function."""
    reading, written = _split("atransform", generate, options)
    return AsyncTransformedStream(aiter_events(upstream, abort=abort, **reading), generate, **written)


def _split(function: str, generate: object, options: RepairOptions) -> tuple[Any, dict[str, Any]]:
    """Return the options of what is read, and those of what is written."""
    if not callable(generate):
        kind = type(generate).__name__
        raise TypeError(f"{function}(upstream, generate) takes a generator function of the events, not {kind}")
    refuse_unknown(function, options, writes=True, also=("abort",))
    for name in set(WRITING).difference(_WRITTEN).intersection(options):
        raise TypeError(f"{function}() takes no argument {name!r}: `generate` decides what is written")
    written = {"heartbeat": DEFAULT_HEARTBEAT, **{name: options[name] for name in _WRITTEN if name in options}}  # type: ignore[literal-required]
    return {name: value for name, value in options.items() if name not in _WRITTEN}, written


def _joined(report: StreamReport, written: StreamReport) -> StreamReport:
    report.heartbeats, report.bytes_out = written.heartbeats, written.bytes_out
    return report


def _frames(generate: Callable[[EventStream], Any], events: EventStream) -> Iterator[bytes]:
    values: Any = None
    try:
        values = generate(events)
        if not hasattr(values, "__iter__"):
            raise ChunkTypeError(_misuse("transform", "a generator function", values))
        for value in values:
            yield _frame("transform", value)
    except (StreamError, ChunkTypeError):
        raise
    except Exception as error:
        events.fail(error)
        raise
    finally:
        close_quietly(getattr(values, "close", None), events.close)


async def _aframes(generate: Callable[[AsyncEventStream], Any], events: AsyncEventStream) -> AsyncIterator[bytes]:
    values: Any = None
    try:
        values = generate(events)
        if not hasattr(values, "__aiter__"):
            raise ChunkTypeError(_misuse("atransform", "an asynchronous generator function", values))
        async for value in values:
            yield _frame("atransform", value)
    except (StreamError, ChunkTypeError):
        raise
    except Exception as error:
        events.fail(error)
        raise
    finally:
        await release(getattr(values, "aclose", None), events.aclose)


def _misuse(function: str, wanted: str, values: Any) -> str:
    if hasattr(values, "__await__"):
        close_quietly(getattr(values, "close", None))  # or a coroutine warns that it was never awaited
    return f"{function}(upstream, generate) takes {wanted}; this one returned {type(values).__name__}"


def _frame(function: str, value: object) -> bytes:
    """Return the frame of what `generate` yielded. Raises `ChunkTypeError`, a `TypeError`, for what has none."""
    if isinstance(value, Event):
        return value.encode()
    if isinstance(value, str):
        return Event(value).encode()
    if isinstance(value, dict | list):
        return Event(json.dumps(value, ensure_ascii=False, separators=(",", ":"))).encode()
    if isinstance(value, bytes):
        return value
    raise ChunkTypeError(
        f"{function}(upstream, generate): yield an unbroken.Event, a str, a dict or a list, or bytes, "
        f"not {type(value).__name__}"
    )
