"""What becomes of what the framer hands over: a block is written as it is, or as what a repair proves it to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ..gate import Gate, keys_of
from ..mending import Mended, begins_like_json
from ..proof import FLAWED, BracketScanner, is_whole, prove
from ..repairs import RepairKind
from ..state import Mode
from . import block_rules
from .block import Block, ParsedBlock, without_comments, without_errors
from .evidence import Evidence
from .framer import Span
from .writer import Writer

_MAX_HELD: Final = 64 * 1024
"""Characters of the first part of a cut document that wait for the second part."""
_MAX_DROPPED: Final = 16
"""Lines that are kept of the first block, each of at most `_MAX_HELD` bytes."""


class _FirstPart(NamedTuple):
    """An event that holds the beginning of a document, and waits for the next event."""

    block: Block
    payload: str
    start: int
    end: int


class BlockSink:
    """Takes blocks, and what stands between them. It refers to no framer: a cycle would outlive its stream."""

    __slots__ = ("_dropped", "_evidence", "_first_part", "_gate", "_writer")

    def __init__(self, gate: Gate, evidence: Evidence, writer: Writer) -> None:
        self._gate = gate
        self._evidence = evidence
        self._writer = writer
        self._first_part: _FirstPart | None = None
        self._dropped: list[bytes] = []  # of the block that comes

    def on_comment(self, line: bytes) -> None:
        """Write a comment."""
        if not self.release():
            return
        self._writer.write_comment(line)

    def on_inner_comment(self, line: bytes) -> None:
        """Count a comment that stays in its block."""
        self._gate.report.comments += 1
        if b"{" in line:
            self._gate.note_swallowed(line.decode())
            self._remember([line])

    def on_blank_line(self) -> None:
        """Write a blank line, where one may follow."""
        self._writer.write_blank_line()

    def on_respelling(self, what: str) -> None:
        """Count a re-spelling."""
        self._gate.report.respellings[what] += 1

    def on_oversized(self, start: int, end: int) -> None:
        """Record that a block was dropped because of its length."""
        self._dropped = []
        if not self.release():
            return
        self._gate.repair(RepairKind.OVERSIZED_EVENT, start, end)

    def on_block(self, block: Block, start: int, end: int, non_fields: Span | None) -> None:
        """Write a block as it is, or as what a repair proves it to be."""
        self._take_block(block, start, end, non_fields)
        if self._dropped:  # the block may have told the dialect of what was dropped beside it
            self._writer.note_lost_lines(self._dropped)
            self._dropped = []

    def _remember(self, lines: Iterable[bytes]) -> None:
        """Keep lines that are dropped of the first block, until it tells the dialect."""
        if self._gate.state.mode is Mode.OPEN:
            kept = [line for line in lines if b"{" in line and len(line) <= _MAX_HELD]
            self._dropped += kept[: _MAX_DROPPED - len(self._dropped)]

    def _take_block(self, block: Block, start: int, end: int, non_fields: Span | None) -> None:
        self._evidence.clear()
        gate = self._gate
        if gate.repeats(block.id):
            if self.release():
                gate.repair(RepairKind.REPEATED_EVENT, start, end)
            return
        if self._first_part is not None and (self._join(self._first_part, block, end) or not self.release()):
            return
        if block.has_comments and not gate.takes_comments:
            count = len(block.lines)
            block = without_comments(block)
            gate.report.respellings["comment"] += count - len(block.lines)
        if self._take_strictly(block, start, end):
            return
        block = block.parsed()
        mended = block_rules.mend(block, gate.allows, keys_of(gate))
        if non_fields is None or not block_rules.USES_NON_FIELDS.isdisjoint(mended[0]):
            self._write(block, mended, start, end)
            return
        raw = block_rules.raw_documents(block, gate.allows)
        if len(raw) < len(block.non_fields):
            written = {text.encode() for _, text in raw}
            dropped = [line for line in block.non_fields if line not in written]
            self.drop_lines(*non_fields, dropped)
            self._remember(dropped)
        # What leaves keeps the order in which it came.
        self._write_raw([text for at, text in raw if not at], non_fields)
        between = [(at, text) for at, text in raw if 0 < at < len(block.data)]
        if between:
            self._write_around(block, mended, between, (start, end), non_fields)
        else:
            self._write(block, mended, start, end)
        self._write_raw([text for at, text in raw if 0 < at >= len(block.data)], non_fields)

    def _write_around(
        self, block: ParsedBlock, mended: Mended, between: list[tuple[int, str]], span: Span, non_fields: Span
    ) -> None:
        """Write the documents of a block, and in their places those without `data:` that stood between them.

        If one reaches over such a place, what stood there is dropped: it has no place in the order.
        """
        ends = sorted({at for at, _ in between})
        gate, (kinds, documents) = self._gate, mended
        parts = documents and block_rules.documents_between(block, documents, ends, gate.allows, keys_of(gate))
        if not parts:
            events = gate.report.events
            self._write(block, mended, *span)
            if gate.report.events == events or not begins_like_json(block.payload):
                # Of the data nothing is left, or it is prose: there is no order.
                self._write_raw([text for _, text in between], non_fields)
            elif not gate.state.stopped:
                gate.state.lost_payload()
                self.drop_lines(*non_fields)
            return
        for kind in kinds:
            gate.repair(kind, *span)
        written = 0
        for end, part in zip([0, *ends], parts, strict=True):
            self._write_raw([text for at, text in between if at == end], non_fields)
            for text in part:
                self._writer.write_document(text, *span, block=block, further=written > 0)
                written += 1

    # A document that was cut over two events

    @property
    def waits(self) -> bool:
        """Whether the first part of a document waits for the next event."""
        return self._first_part is not None

    def release(self) -> bool:
        """Write the first part that waits, as the flawed event that it is: what comes next is not the second part.

        Return whether the stream goes on after it.
        """
        part, self._first_part = self._first_part, None
        if part is None:
            return True
        self._writer.write_flawed(part.block, part.payload, part.start, part.end, wire=part.block.spell())
        return not self._gate.state.stopped

    def _hold(self, block: Block, payload: str, start: int, end: int) -> bool:
        """Keep a flawed event until the next one, where it may be the first part of a document.

        Only one that would be dropped: what is forwarded is not held back, and what ends the stream ends it at once.
        """
        gate = self._gate
        if gate.state.mode is not Mode.KNOWN or not gate.allows(RepairKind.SPLIT_EVENT) or len(payload) > _MAX_HELD:
            return False
        if gate.options.invalid_json != "drop" or not gate.allows(RepairKind.INVALID_JSON):
            return False
        if not _is_part(block) or not begins_like_json(payload):
            return False
        scanner = BracketScanner()
        scanner.feed(payload.encode())
        if scanner.whole or scanner.spoiled:
            return False
        self._first_part = _FirstPart(block, payload, start, end)
        return True

    def _join(self, first: _FirstPart, block: Block, end: int) -> bool:
        """Write the document that two events hold together, neither of them alone; return whether they do."""
        gate, payload = self._gate, block.payload
        if not _is_part(block) or (block.name not in (None, first.block.name) and first.block.name is not None):
            return False
        if prove(payload) is not FLAWED or not is_whole(first.payload + payload):
            return False
        if block_rules.mend(block, gate.allows, keys_of(gate))[1]:
            return False
        self._first_part = None
        gate.repair(RepairKind.SPLIT_EVENT, first.start, end)
        self._writer.write_joined(first.block, block, first.payload + payload, first.start, end)
        return True

    def _write_raw(self, documents: list[str], span: Span) -> None:
        """Write documents without `data:` that stood in a block, as events of their own."""
        if documents and self._gate.state.stopped:
            self.drop_lines(*span)
            return
        for text in documents:
            self._gate.repair(RepairKind.RAW_JSON, *span)
            self._writer.write_document(text, *span)

    def _take_strictly(self, block: Block, start: int, end: int) -> bool:
        """Write or drop a block that passes the strict reading, or that nothing may repair; return whether it did."""
        gate = self._gate
        if gate.strict:
            self._writer.write_unchanged(block, start, end)
        elif block.non_fields or not block.data:
            return False
        else:
            payload = block.payload
            value = self._evidence.take_proof(payload)
            if value is FLAWED:
                return False
            self._writer.write_proven(block, payload, value, start, end)
        return True

    def _write(self, block: Block, mended: Mended, start: int, end: int) -> None:
        writer = self._writer
        kinds, documents = mended
        if kinds:
            for kind in kinds:
                self._gate.repair(kind, start, end)
            if RepairKind.ERROR_LINE in kinds:
                block = without_errors(block)
            for number, text in enumerate(documents):
                writer.write_document(text, start, end, block=block, further=number > 0)
        elif not block.data:
            writer.write_without_data(block, start, end)
        else:
            payload = block.payload
            value = prove(payload)
            if value is not FLAWED:
                writer.write_proven(block, payload, value, start, end)
            elif not self._hold(block, payload, start, end):
                writer.write_flawed(block, payload, start, end, wire=block.spell())

    def drop_lines(self, start: int, end: int, lines: Sequence[bytes] = ()) -> None:
        """Drop non-field lines; readers ignore them, so without the repair that is a re-spelling."""
        if not self.release():
            return
        self._writer.note_lost_lines(lines)
        if self._gate.allows(RepairKind.STRAY_LINE):
            self._gate.repair(RepairKind.STRAY_LINE, start, end)
        else:
            self._gate.report.respellings["stray-line"] += 1


def _is_part(block: Block) -> bool:
    """Return whether an event may be a part of a document: one line of data, and nothing of its own beside it."""
    if len(block.data) != 1 or block.name == "error":
        return False
    return not (block.non_fields or block.has_comments or block.unknown)
