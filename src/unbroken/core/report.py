"""What happened to one stream, live while it runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import StreamError
    from .events import Format
    from .repairs import Repair, RepairKind

MAX_FIRST_REPAIRS = 64
"""How many repairs the report keeps whole; all of them are counted."""


class Verdict(Enum):
    """How the stream ended; there is exactly one."""

    OPEN = "open"  # it has not ended yet
    COMPLETE = "complete"  # the terminator of its dialect was seen
    ENDED = "ended"  # a clean end, and no terminator is known for it
    TRUNCATED = "truncated"  # a clean end before the terminator
    FAILED = "failed"  # upstream raised, timed out, or said that it failed
    CANCELLED = "cancelled"  # the consumer left


@dataclass(slots=True, eq=False)
class StreamReport:
    """Facts about one stream. Counts are exact; `text`, `reasoning` and `tool_calls` are bounded and say so.

    Times are seconds since the start, on the adapter's clock; None means that it has not happened.
    """

    format: Format | None = None
    dialect: str | None = None
    verdict: Verdict = Verdict.OPEN
    error: StreamError | None = None
    repairs: Counter[RepairKind] = field(default_factory=Counter)
    first_repairs: list[Repair] = field(default_factory=list)
    respellings: Counter[str] = field(default_factory=Counter)
    bytes_in: int = 0
    bytes_out: int = 0
    chunks_in: int = 0
    events: int = 0
    comments: int = 0
    heartbeats: int = 0
    invalid_utf8: int = 0
    invalid_json: int = 0
    unproven: int = 0
    last_event_id: str = ""
    retry: int | None = None  # milliseconds, by the standard
    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    content_emitted: bool = False
    tokens_received: int = 0
    tokens_source: str | None = None
    account_cut: bool = False  # what is kept of text, reasoning or tool calls reached its bound
    second_beginnings: int = 0
    timeout: str | None = None  # the clock that fired
    provider: str | None = None
    request_id: str | None = None
    first_byte: float | None = None
    first_event: float | None = None
    first_content: float | None = None
    longest_gap: float = 0.0
    duration: float = 0.0

    def note_repair(self, repair: Repair) -> None:
        """Count one repair, and keep it whole while there is room."""
        self.repairs[repair.kind] += 1
        if len(self.first_repairs) < MAX_FIRST_REPAIRS:
            self.first_repairs.append(repair)


class Observer:
    """Watch streams: override what is of interest; every method does nothing until then."""

    def started(self, report: StreamReport) -> None:
        """A stream began; its report is live."""

    def repaired(self, repair: Repair) -> None:
        """Something was mended."""

    def ended(self, report: StreamReport) -> None:
        """The stream ended, its verdict is final."""
