"""Bytes to frames: the sniffer, the reader of the framing that it finds, the fast path before it, and the gate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .decoder import BOM
from .dialect import is_judged
from .events import Format
from .failure import Failure
from .frames import Delivery, Item
from .gate import Gate
from .options import Options
from .registry import dialect_in
from .repairs import RepairKind
from .report import StreamError, StreamReport, Verdict
from .sniffer import LONGEST_AWAITED, Beginning, awaited, begins_coded, not_a_stream, sniff

if TYPE_CHECKING:
    from typing import Protocol

    from .fast_path import FastPath
    from .fast_path import Reader as FastPathReader
    from .withheld import Withheld

    class FramingReader(Protocol):
        """Reads one framing, chunk by chunk. Its module, and the fast path, are loaded when a stream of it begins."""

        @property
        def shows_its_framing(self) -> bool:
            """Whether what came is in this framing, even if nothing of it was forwarded.

            Asked at the end of a body of which nothing left: then it is a stream that was empty or cut, and not a
            foreign body. Where something left, only that counts: the next reader sees nothing else.
            """

        @property
        def offset(self) -> int:
            """Where the first byte stands that was not read."""

        @property
        def open_array(self) -> bytes | None:
            """What an error of ours must begin with to be an element of the input's array; None once that has ended."""

        @property
        def pending_fields(self) -> bytes:
            """`id:` and `retry:` fields without an event, which leave with what is written last."""

        def end_pending(self) -> None:
            """Take a pending id for the last one: no event follows that it could leave with."""

        def feed(self, chunk: bytes) -> None:
            """Read the next bytes."""

        def close(self, *, clean: bool) -> bool:
            """Take the end of input; return whether a piece was cut."""


_UNFINISHED: Final = (Verdict.FAILED, Verdict.TRUNCATED, Verdict.CANCELLED)
"""The verdicts for which a failure can stand; an answer that was stopped is CANCELLED."""
_MAX_INDENT: Final = 1024
"""Blanks before the first line that are kept; they mean something only before a misnamed field."""


def new_report(options: Options) -> StreamReport:
    """Return the report of a stream that has not begun."""
    return StreamReport(
        format=options.format,
        dialect=options.dialect.name if options.dialect else None,
        last_event_id=options.last_event_id,
        provider=options.provider,
        request_id=options.request_id,
    )


class Pipeline:
    """Takes chunks; returns frames and repairs in order, a function of the bytes and not of their chunks.

    `delivery` is what the fast path's `take` returns, None if it is to take nothing.
    """

    __slots__ = (
        "_awaits",
        "_base",
        "_delivery",
        "_origin",
        "_prefix",
        "_searched",
        "_skips_bom",
        "closed",
        "fast",
        "gate",
        "options",
        "reader",
        "report",
        "withheld",
    )

    def __init__(self, options: Options, report: StreamReport, delivery: Delivery | None = None) -> None:
        self.options = options
        self.report = report
        self.gate = Gate(options, report)
        self.reader: FramingReader | None = None
        self.fast: FastPath | None = None
        """Stands before the reader; None before the format is known, for a JSON array, and after the end."""
        self.closed = False
        self.withheld: Withheld | None = None
        """The beginning that waits, where upstream may be asked again; None once it has left."""
        self._delivery = delivery
        self._prefix = bytearray()  # while the format is not known
        self._awaits: tuple[bytes, int] | None = None  # what must come into `_prefix` before its format can be told
        self._searched = 0  # bytes of `_prefix` that were searched for it
        self._base = 0  # where `_prefix` begins
        self._origin = 0  # where the connection at hand begins
        self._skips_bom = True  # nothing of the body has gone yet, where alone a byte order mark means nothing

    def feed(self, chunk: bytes) -> list[Item]:
        """Read the next bytes and return what they complete.

        What follows the sentinel, or a failure that ended the stream, is not read, wherever the chunk ends.
        """
        gate = self.gate
        if gate.state.stopped:
            return []
        self.report.bytes_in += len(chunk)
        if self.fast is not None:
            self.fast.feed(chunk)
        elif self.reader is not None:
            self.reader.feed(chunk)
        else:
            self._prefix += chunk
            if self._awaits is None or self._has_come(*self._awaits):
                self._choose_format(at_end=False)
        self._note_end()
        if gate.state.after_done and self.reader is not None and not self.report.events:
            self._reject_if_unframed(self.reader)  # the sentinel that ended the stream was dropped
        return gate.take_items()

    def _note_end(self) -> None:
        """Count no byte behind the one by which the stream ended."""
        end = self.gate.state.dead_from
        if end is None and self.reader is not None and self.gate.state.stopped:
            end = self.reader.offset
        if end is not None:
            self.report.bytes_in = end

    def close(self, *, clean: bool) -> tuple[list[Item], Verdict]:
        """Take the end of input; return what is left, and the verdict."""
        self.closed = True
        gate = self.gate
        if self.reader is None and gate.state.dead_from is None and self._prefix:
            self._choose_format(at_end=True)
        cut = False
        if self.reader is not None and not gate.state.stopped:
            if self.fast is not None:
                self.fast.flush()
            cut = self.reader.close(clean=clean)
            if clean and not self.report.events and not self.options.standard_only:
                self._reject_if_foreign(self.reader)
            if clean:
                gate.lone_error.end(gate.state)
        if clean and not (cut and self.reports_truncation) and self._is_empty():
            gate.state.die(Failure("empty", status_hint=502), self.report.bytes_in)
        self._shut_fast_path()
        return gate.take_items(), gate.verdict(clean=clean, cut=cut)

    def _is_empty(self) -> bool:
        """Return whether the body held no event where the caller expects an answer."""
        state = self.gate.state
        return self.options.expects_answer and not self.report.events and not (state.stopped or state.ended)

    def catch_up(self) -> None:
        """Have the dialect read the last payload that was forwarded, so that what it counts is right."""
        if self.fast is not None:
            self.fast.catch_up()

    def finish(self) -> None:
        """Take the end of the stream, which no other connection follows: nothing more is read."""
        if self.reader is not None:
            self.reader.end_pending()
        self.stop()

    def stop(self) -> None:
        """Take nothing more."""
        self.closed = True
        self._shut_fast_path()

    def _shut_fast_path(self) -> None:
        if self.fast is not None:
            self.fast.shut()
            self.fast = None

    def reconnect(self) -> None:
        """Go on with the bytes of another connection, once `close` has ended what the last one left open."""
        self.closed = False
        self.reader = None
        self._shut_fast_path()
        self._prefix.clear()
        self._awaits = None
        self._base = self._origin = self.report.bytes_in
        self._skips_bom = True
        self.gate.reconnect()

    def anew(self, withheld: Withheld, fresh: Withheld) -> Pipeline:
        """Return a pipeline that goes on with another connection as if nothing had come that is still held back.

        The framing that was decided, ids that were delivered, counts of repairs and offsets stay; `fresh` is what the
        next attempt holds back.
        """
        self.options.dialect = withheld.dialect
        report = new_report(self.options)
        for name in ("format", "dialect", "events", "last_event_id"):
            setattr(self.report, name, getattr(report, name))
        other = Pipeline(self.options, self.report, self._delivery)
        other.gate.target, other.gate.delivered, other.gate.seam = self.gate.target, self.gate.delivered, self.gate.seam
        other.gate.opened = other.gate.showed_framing = withheld.passed
        other.withheld = fresh
        other.reconnect()
        return other

    @property
    def open_array(self) -> bytes | None:
        """What an error must begin with to be an element of the input's array; None once that has ended."""
        return b"[" if self.reader is None else self.reader.open_array

    @property
    def pending_fields(self) -> bytes:
        """`id:` and `retry:` fields without an event, which leave with what is written last."""
        return b"" if self.reader is None else self.reader.pending_fields

    @property
    def reports_truncation(self) -> bool:
        """Whether a cut is a failure: only where the dialect says what is whole."""
        return is_judged(self.gate.dialect) and not self.options.standard_only

    def error(self) -> StreamError | None:
        """Return the error that the report's verdict stands for."""
        failure, verdict = self.gate.state.failure, self.report.verdict
        if verdict is Verdict.TRUNCATED and self.reports_truncation:
            failure = Failure("truncated")
        failed = verdict in _UNFINISHED
        return self.report.error_for(failure) if failure is not None and failed else None

    def _reject_if_foreign(self, reader: FramingReader) -> None:
        """Fail where nothing of the body could be read: it is not a stream, and must not pass for an empty answer."""
        gate, dropped = self.gate, self.report.repairs
        if gate.state.dead_from is not None:
            return  # what the reader held back until the end failed it
        if gate.opened:
            self._reject_if_unframed(reader)
            return
        foreign = dropped[RepairKind.STRAY_LINE] + dropped[RepairKind.INVALID_JSON]
        if foreign or (dropped[RepairKind.UNFINISHED_TAIL] and not reader.shows_its_framing):
            gate.die(not_a_stream("unrecognised"), RepairKind.NOT_A_STREAM, self._origin, self.report.bytes_in)

    def _reject_if_unframed(self, reader: FramingReader) -> None:
        """Fail where lines that look like fields are all that left, and none is one of the standard's."""
        gate = self.gate
        if gate.opened and self.report.format is Format.SSE and not (gate.showed_framing or reader.pending_fields):
            gate.state.die(not_a_stream("unrecognised"), self.report.bytes_in)

    # The format

    def _has_come(self, pattern: bytes, limit: int) -> bool:
        """Return whether what the sniffer awaits has come, without a search through the whole prefix for each chunk."""
        begin = max(0, self._searched - LONGEST_AWAITED)
        self._searched = len(self._prefix)
        return self._searched > limit + _MAX_INDENT or re.search(pattern, self._prefix[begin:]) is not None

    @property
    def may_be_coded(self) -> bool:
        """Whether what waits for its format may be coded lines."""
        return self.reader is None and begins_coded(bytes(self._prefix).removeprefix(BOM).lstrip()[:2])

    def _choose_format(self, *, at_end: bool) -> None:
        given = self.options.expected_format
        if given is not None:
            self._begin_as(given, at_end=at_end)
            return
        self._trim_blanks()
        content_type = self.options.content_type
        to_lines = self.options.to is Format.NDJSON
        prefix = bytes(self._prefix)
        beginning = sniff(
            prefix,
            content_type,
            at_start=self._skips_bom,
            at_end=at_end,
            to_lines=to_lines,
            may_be_coded=self.options.dialect is None,  # a named one would have said that it comes in such lines
        )
        if beginning is not None:
            self._awaits = None
            self._follow(beginning, at_end=at_end)
        else:
            self._awaits = awaited(prefix)
            self._searched = len(self._prefix)

    def _trim_blanks(self) -> None:
        """Drop leading blank lines, and an endless indentation; heartbeats of NDJSON look like one."""
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

    def _follow(self, beginning: Beginning, *, at_end: bool) -> None:
        if beginning.failure is not None:
            self.gate.die(beginning.failure, RepairKind.NOT_A_STREAM, self._origin, self._base + beginning.end)
        elif beginning.head and RepairKind.HTTP_HEAD not in self.options.repairs:
            self._begin(Format.SSE, beginning)
        elif beginning.head:
            self.gate.repair(RepairKind.HTTP_HEAD, self._base, self._base + beginning.skip)
            self._drop_prefix(beginning.skip)
            self._skips_bom = True
            if self._prefix:
                self._choose_format(at_end=at_end)
        else:
            assert beginning.format is not None
            if beginning.skip:
                self._drop_prefix(beginning.skip)
            self._begin(beginning.format, beginning)

    def _begin_as(self, format: Format, *, at_end: bool) -> None:
        """Begin with the caller's format; nothing is sniffed but a byte order mark."""
        if BOM.startswith(self._prefix) and len(self._prefix) < 3 and not at_end:
            return
        if self._prefix.startswith(BOM):
            self._drop_prefix(3)
        self._begin(format, Beginning(format))

    def _begin(self, format: Format, beginning: Beginning) -> None:
        self.report.format = format
        if format is Format.SSE:
            from .sse import SSEReader

            self.reader = sse = SSEReader(self.gate, self._base)
            self._begin_fast_path(sse, b"\n\n", b"\r\n\r\n")
        elif format is Format.NDJSON:
            from .ndjson import NDJSONReader

            self.reader = lines = NDJSONReader(
                self.gate,
                self._base,
                sniffed=beginning.sniffed,
                scalars=beginning.scalars,
                may_be_body=beginning.may_be_body,
                holds_first=beginning.holds_first,
            )
            self._begin_fast_path(lines, b"\n")
        elif format is Format.CODED_LINES:
            from .coded_lines import CodedLineReader

            self.reader = CodedLineReader(self.gate, self._base)
            if self.gate.dialect is None and (dialect := dialect_in(format)) is not None:
                self.gate.enter(dialect)
        else:
            from .json_array import JSONArrayReader

            self.reader = JSONArrayReader(self.gate, self._base, sniffed=beginning.sniffed)
        prefix = bytes(self._prefix)
        self._prefix.clear()
        (self.fast or self.reader).feed(prefix)

    def _begin_fast_path(self, reader: FastPathReader, *frame_ends: bytes) -> None:
        from . import fast_path

        if fast_path.enabled:
            stays = self._delivery is not Delivery.WIRE or self.gate.target in (None, self.report.format)
            self.fast = fast_path.FastPath(self.gate, reader, frame_ends, self._delivery if stays else None)
