"""Bytes to frames: the sniffer, the framer that it chooses, and the gate, as one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from .decoder import BOM
from .events import Format
from .gate import Gate, Item
from .ndjson import NDJSONFramer
from .options import Options
from .repairs import RepairKind
from .report import StreamReport, Verdict
from .sniffer import LONGEST_AWAITED, MAX_HEAD, Finding, awaited, not_a_stream, sniff
from .sse import SSEFramer

_MAX_INDENT: Final = 1024
"""Blanks in front of the first line that are kept; they mean something only in front of a misnamed field."""


if TYPE_CHECKING:

    class Framer(Protocol):
        """Takes the bytes of one framing."""

        saw_own: bool
        """Whether anything came that belongs to this framing."""

        def feed(self, chunk: bytes) -> None:
            """Take the next bytes."""

        def close(self, *, clean: bool) -> bool:
            """Take the end; tell whether a piece was cut."""


class Pipeline:
    """Take chunks; give frames and repairs in order, a function of the bytes and not of their chunks."""

    def __init__(self, options: Options, report: StreamReport) -> None:
        self.options = options
        self.report = report
        self.gate = Gate(options, report)
        self.framer: Framer | None = None
        self._prefix = bytearray()  # while the format is not known
        self._awaits: bytes | None = None  # what must come into `_prefix` before its format can be told
        self._searched = 0  # bytes of `_prefix` that were searched for it
        self._base = 0  # where `_prefix` begins
        self._origin = 0  # where the connection at hand begins
        self._skips_bom = True  # nothing of the body has gone yet, where alone a byte order mark means nothing
        self.closed = False

    def feed(self, chunk: bytes) -> list[Item]:
        """Take the next bytes and give what they complete."""
        self.report.bytes_in += len(chunk)
        if self.gate.dead_from is None:
            if self.framer is not None:
                self.framer.feed(chunk)
            else:
                self._prefix += chunk
                if self._awaits is None or self._has_come(self._awaits):
                    self._settle_format(at_end=False)
        return self._take()

    def close(self, *, clean: bool) -> tuple[list[Item], Verdict]:
        """Take the end of input; give what is left, and the verdict."""
        self.closed = True
        gate = self.gate
        if self.framer is None and gate.dead_from is None and self._prefix:
            self._settle_format(at_end=True)
        cut = False
        if self.framer is not None and gate.dead_from is None:
            cut = self.framer.close(clean=clean)
            gate.lane = None
            if clean and not self.report.events and not self.options.standard_only:
                self._reject_if_foreign(self.framer)
        gate.drop_the_rest(self.report.bytes_in)
        return self._take(), gate.conclude(clean=clean, cut=cut)

    def restart(self) -> None:
        """Go on with the bytes of another connection, once `close` has let go of what the last one left open."""
        if not self.closed:
            self.gate.drop_the_rest(self.report.bytes_in)
        self.closed = False
        self.framer = None
        self.gate.lane = None
        self._prefix.clear()
        self._awaits = None
        self._base = self._origin = self.report.bytes_in
        self._skips_bom = True
        self.gate.restart()

    @property
    def open_array(self) -> bytes | None:
        """What an error must begin with to stand in the array of the input; None once that has ended."""
        begin: bytes | None = getattr(self.framer, "open_array", b"[")
        return begin

    @property
    def carried(self) -> bytes:
        """Fields without an event, that leave with what is written last."""
        return self.framer.carried if isinstance(self.framer, SSEFramer) else b""

    def _take(self) -> list[Item]:
        out, self.gate.out = self.gate.out, []
        return out

    def _reject_if_foreign(self, framer: Framer) -> None:
        """A body of which nothing could be read is no stream, and must not pass for an empty answer."""
        gate, dropped = self.gate, self.report.repairs
        if gate.opened:
            # Lines that look like fields have left; they are all that came, and none is one of the standard's.
            if isinstance(framer, SSEFramer) and not framer.saw_own:
                gate.fail(not_a_stream("unrecognised"), self.report.bytes_in)
            return
        foreign = dropped[RepairKind.STRAY_LINE] + dropped[RepairKind.INVALID_JSON]
        if foreign or (dropped[RepairKind.UNFINISHED_TAIL] and not framer.saw_own):
            gate.die(not_a_stream("unrecognised"), RepairKind.NOT_A_STREAM, self._origin, self.report.bytes_in)

    # The format

    def _has_come(self, pattern: bytes) -> bool:
        """Tell whether what the sniffer awaits has come, without a search through all of the prefix for each chunk."""
        begin = max(0, self._searched - LONGEST_AWAITED)
        self._searched = len(self._prefix)
        return self._searched > MAX_HEAD + _MAX_INDENT or re.search(pattern, self._prefix[begin:]) is not None

    def _settle_format(self, *, at_end: bool) -> None:
        given = self.options.format
        if given is None and self.options.dialect is not None and not self.options.dialect.json_payloads:
            given = Format.SSE  # prose comes in no other framing
        if given is not None:
            self._begin_as(given, at_end=at_end)
            return
        self._trim_blanks()
        content_type = self.options.content_type
        finding = sniff(bytes(self._prefix), content_type, at_start=self._skips_bom, at_end=at_end)
        if finding is not None:
            self._awaits = None
            self._follow(finding, at_end=at_end)
        else:
            self._awaits = awaited(bytes(self._prefix))
            self._searched = len(self._prefix)

    def _trim_blanks(self) -> None:
        """Let go of blank lines in front, and of an endless indentation; heartbeats of NDJSON look like one."""
        prefix = self._prefix
        skip = 3 if self._skips_bom and prefix.startswith(BOM) else 0
        run = len(prefix) - len(prefix[skip:].lstrip(b" \t\r\n"))
        last_end = max(prefix.rfind(b"\n", skip, run), prefix.rfind(b"\r", skip, run)) + 1
        drop = max(last_end, run - _MAX_INDENT, 0)
        if drop > skip:
            self._drop_prefix(drop)

    def _drop_prefix(self, count: int) -> None:
        if self._skips_bom and self._prefix.startswith(BOM):
            self.report.respellings["bom"] += 1
        self._skips_bom = False
        del self._prefix[:count]
        self._base += count

    def _follow(self, finding: Finding, *, at_end: bool) -> None:
        if finding.failure is not None:
            self.gate.die(finding.failure, RepairKind.NOT_A_STREAM, self._origin, self._base + finding.end)
        elif finding.head and RepairKind.HTTP_HEAD not in self.options.repairs:
            self._begin(Format.SSE, finding)
        elif finding.head:
            self.gate.repair(RepairKind.HTTP_HEAD, self._base, self._base + finding.skip)
            self._drop_prefix(finding.skip)
            self._skips_bom = True
            if self._prefix:
                self._settle_format(at_end=at_end)
        else:
            assert finding.format is not None
            if finding.skip:
                self._drop_prefix(finding.skip)
            self._begin(finding.format, finding)

    def _begin_as(self, format: Format, *, at_end: bool) -> None:
        """Begin with the caller's format; nothing is sniffed but a byte order mark."""
        if BOM.startswith(self._prefix) and len(self._prefix) < 3 and not at_end:
            return
        if self._prefix.startswith(BOM):
            self._drop_prefix(3)
        self._begin(format, Finding(format))

    def _begin(self, format: Format, finding: Finding) -> None:
        self.report.format = format
        if format is Format.SSE:
            self.framer = SSEFramer(self.gate, self._base)
        elif format is Format.NDJSON:
            self.framer = NDJSONFramer(
                self.gate,
                self._base,
                sniffed=finding.sniffed,
                may_be_body=finding.may_be_body,
                holds_first=finding.holds_first,
            )
        else:
            from .json_array import JSONArrayFramer  # the rarest framing

            self.framer = JSONArrayFramer(self.gate, self._base, sniffed=finding.sniffed)
        prefix = bytes(self._prefix)
        self._prefix.clear()
        self.framer.feed(prefix)
