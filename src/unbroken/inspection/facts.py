"""What came of one stream, as a diagnosis looks at it: the head, the rows, the silences, the counts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from ..core.errors import Failure
from ..core.report import StreamReport, Verdict
from .spelling import Spelling

_STATUS: Final = re.compile(r"HTTP/([0-9.]{1,3}) ([0-9]{3})(?![0-9])")
_LINE_END: Final = re.compile(r"\r?\n")  # a CR alone would let a field's value begin a field


def printable(text: str) -> str:
    """Show what is not printable as escapes: what upstream sent must not drive whatever shows it."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )


@dataclass(frozen=True, slots=True)
class Head:
    """A response head: the protocol's version, the status, and the fields in order, names in lower case.

    Names and values hold printable characters only.
    """

    version: str
    status: int
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """Give a field's value, repeated ones joined by a comma; None where it is absent."""
        values = [value for key, value in self.fields if key == name]
        return ", ".join(values) if values else None


def parse_head(head: bytes) -> Head | None:
    """Read one response head; None where its first line is no status line."""
    first, *rest = map(printable, _LINE_END.split(head.decode("latin-1").replace("\t", " ")))
    status = _STATUS.match(first)
    if status is None:
        return None
    fields = (line.partition(":") for line in rest if ":" in line)
    return Head(status[1], int(status[2]), tuple((name.strip().lower(), value.strip()) for name, _, value in fields))


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that came. `at` and `gap` are seconds; None where the bytes came from a file and had no time."""

    kind: str  # head, an event class, comment, repair, end; of a record: content, event, comment, part
    at: float | None = None
    gap: float | None = None  # since the row before
    number: int | None = None  # events only, from 1
    name: str = ""  # the event's name, the repair's kind, the verdict
    size: int | None = None  # bytes
    text: str = ""
    stall: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Give it JSON-ready."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Silence:
    """A time without any byte: when it began and how long it was, in seconds, and what came before it."""

    began: float
    seconds: float
    after: str  # "", "event", "comment", "tool-call"
    events: int  # before it


@dataclass(slots=True)
class Facts:
    """What a diagnosis looks at."""

    timed: bool
    report: StreamReport
    spelling: Spelling = field(default_factory=Spelling)
    head: Head | None = None
    head_cut: bool = False  # the end came within it
    failure: Failure | None = None
    first_bytes: bytes = b""
    stopped: bool = False  # by the one who watched, not by the stream
    recorded: bool = False  # a flight record without its content: times and lengths only
    began: float | None = None  # the first byte
    last_byte: float | None = None
    ended: float | None = None
    silences: list[Silence] = field(default_factory=list)
    last_kind: str = ""
    event_span: tuple[float, float] | None = None  # the first and the last event
    longest_wait: float = 0.0  # between events, comments and pings not counted
    longest_wait_with_heartbeats: float = 0.0  # the longest of those in which comments or pings came
    content: int = 0
    content_span: tuple[float, float] | None = None
    stamps: tuple[float, float] | None = None  # the server's own clock, seconds
    wall_clock: float | None = (
        None  # what the clock on the wall_clock said at the start, in seconds; None where it is not known
    )
    reads: int = 0
    number_gaps: list[tuple[int, int]] = field(default_factory=list)  # sequence_number: the last one, the one that came
    empty_choices: int = 0
    named_errors: int = 0
    pings: int = 0
    non_ascii: bool = False
    error_names: int = 0
    # What a record tells, and whoever reads a pipe does not see.
    connection_failed: bool = False
    recorded_error: str | None = None  # one of the codes of `errors.SENTENCES`
    recorded_failed: bool = False

    @property
    def refused(self) -> bool:
        """Whether the status tells of no success."""
        return self.head is not None and not 200 <= self.head.status < 300

    @property
    def cut_short(self) -> bool:
        """Whether the stream ended early, by itself."""
        return not self.stopped and self.report.verdict in (Verdict.TRUNCATED, Verdict.FAILED)

    @property
    def may_be_cut(self) -> bool:
        """Whether it was cut short, or may have been: without a dialect, nothing says what is whole."""
        return self.cut_short or (not self.stopped and self.report.verdict is Verdict.ENDED)
