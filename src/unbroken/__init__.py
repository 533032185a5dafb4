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
from .retrying import aretrying, retrying

if TYPE_CHECKING:
    from .adapters.aio import AsyncEventStream, AsyncRepairedStream, aiter_events, arepair
    from .attempts import Attempt
    from .health import FailureWindow
    from .patience import Retry, worth_retrying
    from .profiles import Profile, Profiles

__all__ = [
    "DEFAULT_REPAIRS",
    "NDJSON_HEADERS",
    "SSE_HEADERS",
    "AsyncEventStream",
    "AsyncRepairedStream",
    "Attempt",
    "Comment",
    "Delta",
    "Dialect",
    "Event",
    "EventClass",
    "EventReader",
    "EventStream",
    "Failure",
    "FailureWindow",
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
_LATER = dict.fromkeys(("AsyncEventStream", "AsyncRepairedStream", "aiter_events", "arepair"), ".adapters.aio")
_LATER |= {"Attempt": ".attempts", "FailureWindow": ".health", "Profile": ".profiles", "Profiles": ".profiles"}
_LATER |= {"Retry": ".patience", "worth_retrying": ".patience"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
