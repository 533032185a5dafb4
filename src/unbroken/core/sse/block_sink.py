"""What becomes of what the framer hands over: a block is written as it is, or as what a repair proves it to be."""

from __future__ import annotations

from collections.abc import Sequence

from ..gate import Gate
from ..mending import is_broken_json
from ..proof import FLAWED, prove
from ..repairs import RepairKind
from . import block_rules
from .block import Block, without_comments
from .evidence import Evidence
from .framer import Span
from .writer import Writer


class BlockSink:
    """Takes blocks, and what stands between them. It refers to no framer: a cycle would outlive its stream."""

    __slots__ = ("_evidence", "_gate", "_writer")

    def __init__(self, gate: Gate, evidence: Evidence, writer: Writer) -> None:
        self._gate = gate
        self._evidence = evidence
        self._writer = writer

    def on_comment(self, line: bytes) -> None:
        """Write a comment."""
        self._writer.write_comment(line)

    def on_inner_comment(self, line: bytes) -> None:
        """Count a comment that stays in its block."""
        self._gate.report.comments += 1
        if b"{" in line:
            self._gate.note_swallowed(line.decode())

    def on_blank_line(self) -> None:
        """Write a blank line, where one may follow."""
        self._writer.write_blank_line()

    def on_respelling(self, what: str) -> None:
        """Count a re-spelling."""
        self._gate.report.respellings[what] += 1

    def on_oversized(self, start: int, end: int) -> None:
        """Record that a block was dropped because of its length."""
        self._gate.repair(RepairKind.OVERSIZED_EVENT, start, end)

    def on_block(self, block: Block, start: int, end: int, non_fields: Span | None) -> None:
        """Write a block as it is, or as what a repair proves it to be."""
        self._evidence.clear()
        if block.has_comments and not self._gate.takes_comments:
            count = len(block.lines)
            block = without_comments(block)
            self._gate.report.respellings["comment"] += count - len(block.lines)
        if self._take_strictly(block, start, end):
            return
        block = block.parsed()
        kind, documents = block_rules.mend(block, self._gate.allows)
        if non_fields is None or kind in block_rules.USES_NON_FIELDS:
            self._write(block, kind, documents, start, end)
            return
        before, after = block_rules.raw_documents(block, self._gate.allows)
        if len(before) + len(after) < len(block.non_fields):
            self.drop_lines(*non_fields, block.non_fields)
        self._write_raw(before, non_fields)  # what leaves keeps the order in which it came
        self._write(block, kind, documents, start, end)
        self._write_raw(after, non_fields)

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
        if gate.repeats(block.id):
            gate.repair(RepairKind.REPEATED_EVENT, start, end)
        elif gate.strict:
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

    def _write(self, block: Block, kind: RepairKind | None, documents: list[str], start: int, end: int) -> None:
        writer = self._writer
        if kind is not None:
            self._gate.repair(kind, start, end)
            for number, text in enumerate(documents):
                writer.write_document(text, start, end, block=block, further=number > 0)
        elif not block.data:
            writer.write_without_data(block, start, end)
        else:
            payload = block.payload
            value = prove(payload)
            if value is FLAWED:
                writer.write_flawed(block, payload, start, end, wire=block.spell())
            else:
                writer.write_proven(block, payload, value, start, end)

    def drop_lines(self, start: int, end: int, lines: Sequence[bytes] = ()) -> None:
        """Drop non-field lines; readers ignore them, so without the repair that is a re-spelling."""
        if any(map(is_broken_json, lines)):
            self._gate.state.lost_payload()
        if self._gate.allows(RepairKind.STRAY_LINE):
            self._gate.repair(RepairKind.STRAY_LINE, start, end)
        else:
            self._gate.report.respellings["stray-line"] += 1
