"""Repairs SSE and NDJSON streams, and says what it mended and how the stream ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import dialects as _dialects  # noqa: F401  # registers what can be recognised
from .adapters.source import Source
from .adapters.sync import EventStream, RepairedStream, iter_events, repair
from .core.dialect import Delta, Dialect, EventClass, Reading, ToolFragment, register
from .core.event_reader import EventReader
from .core.events import Comment, Event, Format
from .core.failure import Failure
from .core.heartbeat import Timeouts
from .core.observer import Observer
from .core.repairer import StreamRepairer
from .core.repairs import DEFAULT_REPAIRS, Repair, RepairKind
from .core.report import StreamError, StreamReport, Verdict
from .http import NDJSON_HEADERS, SSE_HEADERS, clean_headers, from_response

if TYPE_CHECKING:
    from .adapters.aio import AsyncEventStream, AsyncRepairedStream, aiter_events, arepair
    from .observe.failure_window import FailureWindow
    from .observe.metrics import Collector
    from .observe.recorder import FlightRecorder
    from .profiles import Profile, Profiles
    from .retry.connections import Attempt
    from .retry.policy import Retry
    from .retry.retryable import worth_retrying
    from .retry.retrying import aretrying, retrying

__all__ = [
    "DEFAULT_REPAIRS",
    "NDJSON_HEADERS",
    "SSE_HEADERS",
    "AsyncEventStream",
    "AsyncRepairedStream",
    "Attempt",
    "Collector",
    "Comment",
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
    "Profile",
    "Profiles",
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
    "Verdict",
    "aiter_events",
    "arepair",
    "aretrying",
    "clean_headers",
    "from_response",
    "iter_events",
    "register",
    "repair",
    "retrying",
    "worth_retrying",
]

# asyncio takes longer to import than all the rest, and synchronous programs never need it; few need the others.
_LATER = {
    **dict.fromkeys(("AsyncEventStream", "AsyncRepairedStream", "aiter_events", "arepair"), ".adapters.aio"),
    **dict.fromkeys(("aretrying", "retrying"), ".retry.retrying"),
    **dict.fromkeys(("Profile", "Profiles"), ".profiles"),
    "Attempt": ".retry.connections",
    "Collector": ".observe.metrics",
    "FailureWindow": ".observe.failure_window",
    "FlightRecorder": ".observe.recorder",
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
