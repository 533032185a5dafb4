"""One SSE stream, in this order: lines, line rules, strict framer, block rules, writer; and the end of input."""

from __future__ import annotations

from typing import Final

from ..decoder import LineSplitter, is_utf8
from ..gate import Gate
from ..proof import FLAWED, BracketScanner, prove
from ..repairs import RepairKind
from . import end_rules
from .block import KNOWN_FIELDS, SimpleBlock, parse_simple
from .block_sink import BlockSink
from .evidence import Evidence
from .framer import Field, Framer, OpenBlock, parse_field
from .line_rules import FIELD_AFTER_DATA_RULES, FIRST_FIELD_RULES, NON_FIELD_RULES, Change, Seen
from .raw_document import RawDocument
from .writer import Writer


class SSEReader:
    """Takes chunks of an SSE stream, and hands the gate its events, comments and repairs, in order."""

    __slots__ = (
        "_blocks",
        "_evidence",
        "_framer",
        "_gate",
        "_raw",
        "_seen",
        "_splitter",
        "_writer",
        "shows_its_framing",
    )

    open_array: Final = b"["

    def __init__(self, gate: Gate, offset: int = 0) -> None:
        self._gate = gate
        self._splitter = LineSplitter(offset)
        block = OpenBlock()
        self._evidence = Evidence(block)
        self._seen = Seen(gate, block, self._evidence)
        self._writer = Writer(gate)
        self._blocks = BlockSink(gate, self._evidence, self._writer)
        keeps_comments = gate.options.comments == "keep"
        self._framer = Framer(block, gate.options.max_event_bytes, self._blocks, keeps_comments=keeps_comments)
        self._raw: RawDocument | None = None  # what the open block is, if it is a document without `data:`
        self.shows_its_framing = False
        """Whether any line was a field of the standard, or a comment that leaves."""

    @property
    def offset(self) -> int:
        """Where the first byte stands that was not read."""
        return self._splitter.offset

    @property
    def pending_fields(self) -> bytes:
        """Fields of blocks that did not leave, on their way to the next event."""
        return self._writer.pending_fields

    def end_pending(self) -> None:
        """Take a pending id for the last one: no event follows that it could leave with."""
        self._writer.note_pending_id()

    def is_idle(self) -> bool:
        """Return whether the next byte begins a block, and nothing waits for that block."""
        return self._is_between_blocks() and not (self._writer.waits or self._blocks.waits)

    def skip_to(self, offset: int) -> None:
        """Continue at this offset: the frames before it were forwarded without this reader."""
        self._splitter.offset = offset
        self.shows_its_framing = True

    # Lines

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes."""
        splitter = self._splitter
        if chunk[-2:] == b"\n\n" and len(chunk) <= self._gate.options.max_event_bytes and self._is_between_blocks():
            block = parse_simple(chunk)
            if block is not None:
                self._take_simple(block, splitter.offset, len(chunk))
                return
        lines = splitter.feed(chunk)
        if lines:
            valid = is_utf8(b"".join(lines))
            for raw in lines:
                self._take_raw_line(raw, valid)
                if self._gate.state.stopped:
                    return
        if splitter.open_line:
            self._bound_open_line()

    def _is_between_blocks(self) -> bool:
        splitter, framer = self._splitter, self._framer
        within = framer.open.wire or splitter.open_line or splitter.skips_lf or framer.oversized
        return not within and not self._gate.state.stopped

    def _take_simple(self, block: SimpleBlock, start: int, length: int) -> None:
        """Take a block that came whole, and that no line rule could change."""
        self.shows_its_framing = True
        self._splitter.offset = start + length
        self._writer.owes_blank_line = False
        gate, end = self._gate, start + length - 2
        is_special = gate.delivered is not None or gate.strict or self._blocks.waits
        value = FLAWED if is_special else prove(block.payload)
        if value is FLAWED:
            self._blocks.on_block(block, start, end, None)
        else:
            self._writer.write_proven(block, block.payload, value, start, end)

    def _take_raw_line(self, raw: bytes, valid: bool) -> None:
        splitter = self._splitter
        start = splitter.offset
        line = raw.rstrip(b"\r\n")
        splitter.offset += len(raw)
        if len(raw) - len(line) != 1 or raw[-1] != 0x0A:
            self._gate.report.respellings["line-end"] += 1
        end = start + len(line)
        if not valid and not self._framer.oversized and not self._framer.has_no_room(line):
            line = self._gate.decode(line, start)
        self._take(line, start, end)
        if self._gate.state.after_done:
            splitter.offset = min(end + 1, splitter.offset)  # a CR ends a line at once: an LF after it is not read

    def _bound_open_line(self) -> None:
        """Keep no more of an open line than the limit allows."""
        splitter, framer = self._splitter, self._framer
        # A canonical line is never shorter than its raw bytes, so this line is too long however it ends.
        if not framer.oversized and framer.has_no_room(splitter.open_line):
            framer.skip(splitter.offset, framer.open.end)
            self._forget()
        if framer.oversized and len(splitter.open_line) > 1:
            framer.open.end = splitter.offset + len(splitter.open_line)
            splitter.shorten_open_line()

    def _forget(self) -> None:
        """Forget what is known of the open block."""
        self._raw = None
        self._evidence.clear()

    def _take(self, line: bytes, start: int, end: int) -> None:
        """Take one line. What a rule puts in its place is taken anew."""
        framer = self._framer
        if self._raw is not None and self._raw.is_ended_by(line):
            self._end_raw(self._raw)
        if framer.oversized or not line or line[0] == 0x3A or framer.has_no_room(line):
            # A comment that leaves no trace proves nothing to the next reader.
            self.shows_its_framing |= line[:1] == b":" and not framer.oversized and self._gate.takes_comments
            framer.take(line, start, end)
            if framer.oversized:
                self._forget()
        elif self._raw is not None:
            self._continue_raw(self._raw, line, start, end)
        elif (field := parse_field(line)) is not None:
            self._take_field(line, field, start, end)
        elif self._gate.strict:
            self._writer.owes_blank_line = False
            framer.append(line, start, end)
        else:
            self._take_non_field(line, start, end)

    def _take_field(self, line: bytes, field: Field, start: int, end: int) -> None:
        name, value, _ = field
        block = self._framer.open
        self.shows_its_framing |= name in KNOWN_FIELDS
        if not block.wire:
            self._writer.owes_blank_line = False
            rule = FIRST_FIELD_RULES.get(name)
        else:
            rule = FIELD_AFTER_DATA_RULES.get(name) if block.data_lines else None
        if rule is not None and (change := rule(line, value, self._seen)) is not None:
            self._apply(change, line, start, end)
        else:
            self._framer.take_field(line, field, start, end)

    def _take_non_field(self, line: bytes, start: int, end: int) -> None:
        for rule in NON_FIELD_RULES:
            change = rule(line, self._seen)
            if change is not None:
                self._apply(change, line, start, end)
                return
        if self._framer.open.wire:
            self._framer.append_non_field(line, start, end)  # it may turn out to be a part of the data
        else:
            self._blocks.drop_lines(start, end, [line])

    def _apply(self, change: Change, line: bytes, start: int, end: int) -> None:
        """Do what a rule asks for, and read the lines that it returned."""
        gate, framer = self._gate, self._framer
        if not self._blocks.release():
            return
        if change.failure is not None:
            gate.die(change.failure, change.kind, start, end)
            return
        if change.ends_block:
            gate.repair(RepairKind.MISSING_BLANK_LINE, start, start)
            framer.end_block()
        if change.ends_data:
            gate.repair(RepairKind.MISSING_BLANK_LINE, start, start)
            self._evidence.clear()
            framer.end_data(start)
        if gate.state.dead_from is not None:  # by what ended here
            gate.state.ended_before(start)
            return
        if change.begins_raw is not None:
            self._begin_raw(change.begins_raw, line, start, end)  # it is a repair once it is whole
        elif not change.ends_data:
            gate.repair(change.kind, start, end)
        for other in change.lines:
            self._take(other, start, end)

    # A document without `data:`

    def _begin_raw(self, scanner: BracketScanner, line: bytes, start: int, end: int) -> None:
        self._writer.owes_blank_line = False
        self._raw = RawDocument(self._framer, scanner)
        self._append_raw(self._raw, line, start, end)

    def _continue_raw(self, raw: RawDocument, line: bytes, start: int, end: int) -> None:
        raw.follow(line)
        self._append_raw(raw, line, start, end)

    def _append_raw(self, raw: RawDocument, line: bytes, start: int, end: int) -> None:
        if not self._framer.append(line, start, end):
            self._forget()
        elif raw.ended:
            self._end_raw(raw)

    def _end_raw(self, raw: RawDocument) -> None:
        lines = bytes(self._framer.open.wire)
        document, span = raw.take()
        self._forget()
        if document is None:
            self._blocks.drop_lines(*span, [lines])
        else:
            self._gate.repair(RepairKind.RAW_JSON, *span)
            self._writer.write_document(document, *span)

    # The end

    def close(self, *, clean: bool) -> bool:
        """Take the end of input; at a clean end a last event that is whole leaves. Return whether a piece was cut."""
        line, start = bytes(self._splitter.open_line), self._splitter.offset
        self.shows_its_framing |= line.startswith(b":") or line.partition(b":")[0] in KNOWN_FIELDS
        if not self._blocks.release():
            return False
        if self._framer.oversized:
            self._framer.end_oversized(max(self._framer.open.end, start + len(line)))
            return True
        if clean and not self._gate.strict and self._gate.allows(RepairKind.UNTERMINATED_EVENT):
            if end_rules.completes(line, self._seen, raw=self._raw is not None):
                self._take(line, start, start + len(line))
                line = b""
            self._end_last_block()
        return self._drop_tail(line, start)

    def _end_last_block(self) -> None:
        block = self._framer.open
        if block.wire and self._raw is None and end_rules.is_whole_block(block.parse(), self._seen):
            self._gate.repair(RepairKind.UNTERMINATED_EVENT, block.start, block.end)
            self._framer.end_block()

    def _drop_tail(self, line: bytes, start: int) -> bool:
        """Drop what is not whole; an open comment is not a loss."""
        block, end = self._framer.open, start + len(line)
        if block.wire:
            start, end = block.start, end if line else block.end
            retry = block.parse().retry
            if retry is not None:
                self._gate.report.retry = retry  # WHATWG 9.2.6: it holds from its line on, not from the blank line
        elif not line or line.startswith(b":"):
            return False
        block.clear()
        self._forget()
        self._gate.repair_if_enabled(RepairKind.UNFINISHED_TAIL, start, end)
        return True
