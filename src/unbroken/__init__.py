"""Repairs SSE and NDJSON streams, and says what it mended and how the stream ended."""

from __future__ import annotations

from . import dialects as _dialects  # registers what can be recognised
from .core.dialect import Delta, Dialect, EventClass, Reading, ToolFragment, register
from .core.errors import Failure, StreamError
from .core.events import Comment, Event, Format
from .core.heartbeat import Timeouts
from .core.repairer import EventReader, StreamRepairer
from .core.repairs import DEFAULT_REPAIRS, Repair, RepairKind
from .core.report import Observer, StreamReport, Verdict

__all__ = [
    "DEFAULT_REPAIRS",
    "Comment",
    "Delta",
    "Dialect",
    "Event",
    "EventClass",
    "EventReader",
    "Failure",
    "Format",
    "Observer",
    "Reading",
    "Repair",
    "RepairKind",
    "StreamError",
    "StreamRepairer",
    "StreamReport",
    "Timeouts",
    "ToolFragment",
    "Verdict",
    "register",
]
