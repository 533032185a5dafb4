"""The facts of one stream, from which a diagnosis is made: response head, silences, counts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from ..core.failure import Failure
from ..core.report import StreamReport, Verdict
from .progress import Progress
from .spelling import Spelling

_STATUS: Final = re.compile(r"HTTP/([0-9.]{1,3}) ([0-9]{3})(?![0-9])")
_LINE_END: Final = re.compile(r"\r?\n")  # if a CR alone counted, the value of a field could start another field


def printable(text: str) -> str:
    """Return the text with unprintable characters as escapes, so that upstream cannot control a terminal or page."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )


@dataclass(frozen=True, slots=True)
class Head:
    """A response head: HTTP version, status, and the fields in order, their names in lower case.

    Names and values contain printable characters only.
    """

    version: str
    status: int
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """Return the value of a field, repeated ones joined by a comma; None if it is absent."""
        values = [value for key, value in self.fields if key == name]
        return ", ".join(values) if values else None


def parse_head(head: bytes) -> Head | None:
    """Return the response head in these bytes; None if the first line is not a status line."""
    first, *rest = map(printable, _LINE_END.split(head.decode("latin-1").replace("\t", " ")))
    status = _STATUS.match(first)
    if status is None:
        return None
    fields = (line.partition(":") for line in rest if ":" in line)
    return Head(status[1], int(status[2]), tuple((name.strip().lower(), value.strip()) for name, _, value in fields))


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that arrived. `at` and `gap` are seconds; None if the bytes were read from a file, without times."""

    kind: str  # head, an event class, comment, repair, end; of a record: content, event, comment, part
    at: float | None = None
    gap: float | None = None  # since the row before
    number: int | None = None  # events only, from 1
    name: str = ""  # the event's name, the repair's kind, the verdict
    size: int | None = None  # bytes
    text: str = ""  # whole, on one line, unprintable characters as escapes
    stall: bool = False
    data: str | None = None  # events and comments, as they came; None if there is none, or it was not kept

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a dict for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Silence:
    """A time without any byte: when it began and how long it lasted, in seconds, and what came before it."""

    began: float
    seconds: float
    after: str  # "", "event", "comment", "tool-call"
    events: int  # before it


@dataclass(slots=True)
class Facts:
    """The facts of one stream. Times are seconds since the start; `timed` is false for files, which have no times."""

    timed: bool
    report: StreamReport
    spelling: Spelling = field(default_factory=Spelling)
    head: Head | None = None
    head_cut: bool = False  # the stream ended within the head
    failure: Failure | None = None
    failing_event: int | None = None  # the number of the event that is the failure; None if no event is
    failing_text: str = ""  # what that event holds, at most `MAX_DETAIL` characters
    first_bytes: bytes = b""
    stopped: bool = False  # the user interrupted the inspection
    recorded: bool = False  # read from a flight record without content: times and lengths only
    began: float | None = None  # the first byte
    last_byte: float | None = None
    ended: float | None = None
    silences: list[Silence] = field(default_factory=list)
    last_kind: str = ""
    progress: Progress = field(default_factory=Progress)
    event_span: tuple[float, float] | None = None  # the first and the last event
    longest_wait: float = 0.0  # between events, comments and pings not counted
    longest_wait_with_heartbeats: float = 0.0  # the longest of those in which comments or pings came
    content: int = 0
    content_span: tuple[float, float] | None = None
    stamps: tuple[float, float] | None = None  # first and last timestamp in the payloads, seconds since 1970
    wall_clock: float | None = None  # the time of day at the start, seconds since 1970; None if unknown
    reads: int = 0
    number_gaps: list[tuple[int, int]] = field(default_factory=list)  # sequence_number: the one before, this one
    empty_choices: int = 0
    pings: int = 0
    non_ascii: bool = False
    error_names: int = 0
    # Known from a flight record only.
    connection_failed: bool = False
    recorded_error: str | None = None  # one of the codes of `SENTENCES` in core/failure.py
    recorded_failed: bool = False

    @property
    def refused(self) -> bool:
        """Whether the status is not a success status (2xx)."""
        return self.head is not None and not 200 <= self.head.status < 300

    @property
    def is_bodiless(self) -> bool:
        """Whether the status says that there is no body, and none came."""
        return self.head is not None and self.head.status in (204, 304) and self.report.bytes_in == 0

    @property
    def cut_short(self) -> bool:
        """Whether the stream failed or was truncated, and was not interrupted by the user."""
        return not self.stopped and self.report.verdict in (Verdict.TRUNCATED, Verdict.FAILED)

    @property
    def may_be_cut(self) -> bool:
        """Whether it was cut short, or may have been: without a dialect, the end of a whole stream is unknown."""
        return self.cut_short or (not self.stopped and self.report.verdict is Verdict.ENDED)
