"""Repairs SSE and NDJSON streams, and says what it mended and how the stream ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import dialects as _dialects  # noqa: F401  # registers what can be recognised
from .adapters.source import Source
from .core.dialect import Delta, Dialect, EventClass, Reading, ToolFragment
from .core.events import Comment, Event, Format
from .core.failure import Failure
from .core.heartbeat import Timeouts
from .core.observer import Observer
from .core.registry import register
from .core.repairer import StreamRepairer
from .core.repairs import DEFAULT_REPAIRS, Repair, RepairKind
from .core.report import StreamError, StreamReport, Verdict

if TYPE_CHECKING:
    from .adapters.aio import AsyncEventStream, AsyncRepairedStream, aiter_events, arepair
    from .adapters.open_streams import end_streams, end_streams_on_signal
    from .adapters.sync import EventStream, RepairedStream, iter_events, repair
    from .core.conversion import Conversion
    from .core.event_reader import EventReader
    from .core.pacing.pace import Pace
    from .core.pacing.pacer import Pacer
    from .dialects.declared import declare
    from .http import NDJSON_HEADERS, SSE_HEADERS, clean_headers, from_response
    from .observe.failure_window import FailureWindow
    from .observe.metrics import Collector
    from .observe.prometheus import PrometheusMetrics
    from .observe.recorder import FlightRecorder
    from .profiles import Profile, Profiles
    from .retry.loop import Attempt
    from .retry.policy import Retry
    from .retry.retryable import worth_retrying
    from .retry.retrying import aretrying, retrying
    from .transforming import AsyncTransformedStream, TransformedStream, atransform, transform

__all__ = [
    "DEFAULT_REPAIRS",
    "NDJSON_HEADERS",
    "SSE_HEADERS",
    "AsyncEventStream",
    "AsyncRepairedStream",
    "AsyncTransformedStream",
    "Attempt",
    "Collector",
    "Comment",
    "Conversion",
    "Delta",
    "Dialect",
    "Event",
    "EventClass",
    "EventReader",
    "EventStream",
    "Failure",
    "FailureWindow",
    "FlightRecorder",
    "Format",
    "Observer",
    "Pace",
    "Pacer",
    "Profile",
    "Profiles",
    "PrometheusMetrics",
    "Reading",
    "Repair",
    "RepairKind",
    "RepairedStream",
    "Retry",
    "Source",
    "StreamError",
    "StreamRepairer",
    "StreamReport",
    "Timeouts",
    "ToolFragment",
    "TransformedStream",
    "Verdict",
    "aiter_events",
    "arepair",
    "aretrying",
    "atransform",
    "clean_headers",
    "declare",
    "end_streams",
    "end_streams_on_signal",
    "from_response",
    "iter_events",
    "register",
    "repair",
    "retrying",
    "transform",
    "worth_retrying",
]

# asyncio takes longer to import than all the rest, and synchronous programs never need it; asynchronous ones never need
# queues between threads; few need the others.
_LATER = {
    **dict.fromkeys(("EventStream", "RepairedStream", "iter_events", "repair"), ".adapters.sync"),
    **dict.fromkeys(("AsyncEventStream", "AsyncRepairedStream", "aiter_events", "arepair"), ".adapters.aio"),
    **dict.fromkeys(("end_streams", "end_streams_on_signal"), ".adapters.open_streams"),
    **dict.fromkeys(("NDJSON_HEADERS", "SSE_HEADERS", "clean_headers", "from_response"), ".http"),
    **dict.fromkeys(("aretrying", "retrying"), ".retry.retrying"),
    **dict.fromkeys(("Profile", "Profiles"), ".profiles"),
    "declare": ".dialects.declared",
    "Conversion": ".core.conversion",
    **dict.fromkeys(("AsyncTransformedStream", "TransformedStream", "atransform", "transform"), ".transforming"),
    "Attempt": ".retry.loop",
    "EventReader": ".core.event_reader",
    "Pace": ".core.pacing.pace",
    "Pacer": ".core.pacing.pacer",
    "Collector": ".observe.metrics",
    "FailureWindow": ".observe.failure_window",
    "FlightRecorder": ".observe.recorder",
    "PrometheusMetrics": ".observe.prometheus",
    "Retry": ".retry.policy",
    "worth_retrying": ".retry.retryable",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
