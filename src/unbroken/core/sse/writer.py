"""Blocks to frames: what of a block leaves, how it is spelt, and which of its fields wait for the next event."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..damage import leaves_hole
from ..events import Event
from ..failure import Failure, begins_with_error, failure_in_words, tells_error
from ..gate import Gate
from ..mending import DONE, escape_separators, is_broken_json, is_misspelt_done, one_line
from ..proof import FLAWED, UNPROVEN, prove
from ..registry import would_fail
from ..repairs import RepairKind
from ..state import Mode
from .block import (
    KNOWN_FIELDS,
    Block,
    ParsedBlock,
    read_retry,
    respell,
    respell_lines,
    swallows_data,
    swallows_document,
)
from .line_rules import MISNAMED_DATA

if TYPE_CHECKING:
    from ..dialect import Dialect

_EMPTY = ParsedBlock(b"")


class Writer:
    """Hands blocks to the gate.

    `id:` and `retry:` fields of a block that does not leave are pending: they leave with the next event.
    """

    __slots__ = ("_gate", "_limit", "_pending", "owes_blank_line")

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._limit = gate.options.max_event_bytes
        self._pending: dict[bytes, bytes] = {}  # by field name, whole lines
        self.owes_blank_line = False
        """Whether a comment was written without the blank line after it, which leaves if it comes next."""

    @property
    def waits(self) -> bool:
        """Whether what comes next may be written otherwise than it comes."""
        return self.owes_blank_line or bool(self._pending)

    @property
    def pending_fields(self) -> bytes:
        """The pending fields; at the end of the stream they leave with what is written last."""
        return b"".join(line + b"\n" for line in self._pending.values())

    def note_pending_id(self) -> None:
        """Take the pending id for the last one: no event follows that it could leave with."""
        if b"id" in self._pending:
            self._gate.report.last_event_id = self._pending_id()

    # Outside of blocks

    def write_comment(self, line: bytes) -> None:
        """Write a comment line."""
        gate = self._gate
        text = line[1:].decode().removeprefix(" ")
        if not gate.takes_comments:
            if gate.options.comments == "keep":
                gate.report.respellings["comment"] += 1
            gate.forward_comment(text, b"\n" if self._keeps_blank_lines() else b"")
            return
        gate.forward_comment(text, line + b"\n")
        gate.showed_framing |= gate.options.comments == "keep"
        # Some clients dispatch an empty event at a blank line once an id was seen: docs/odd-streams.md, `openai`, the
        # row "id then ": keep-alive" comments".
        after_id = gate.state.mode is Mode.KNOWN and bool(gate.report.last_event_id)
        self.owes_blank_line = gate.options.comments == "keep" and (gate.options.standard_only or not after_id)

    def write_blank_line(self) -> None:
        """Write the blank line after a comment, or one that keeps the connection alive; leave out any other."""
        if self.owes_blank_line or self._keeps_blank_lines():
            self.owes_blank_line = False
            self._gate.forward_bare(b"\n")
        else:
            self._gate.report.respellings["blank-line"] += 1

    def _keeps_blank_lines(self) -> bool:
        """Return whether a blank line between blocks leaves: where clients take no comment, it keeps them alive.

        Not before anything left, where the next reader's sniffer skips it, and not once an id was written: some clients
        dispatch an empty event there (see `write_comment`).
        """
        gate = self._gate
        if gate.takes_comments or not gate.opened or gate.options.comments == "drop":
            return False
        return not gate.report.last_event_id

    # Blocks

    def write_unchanged(self, block: Block, start: int, end: int) -> None:
        """Write a block of which nothing may be repaired."""
        payload = block.payload
        self.note_lost_lines(block.non_fields)
        if block.data:
            is_json = payload[:1] in ("{", "[") or self._gate.state.mode is Mode.KNOWN
            value = prove(payload) if is_json else FLAWED
            self._forward(block, payload, value, start, end, wire=block.wire + b"\n")
        else:
            self._forward_without_data(block, block.wire + b"\n")

    def write_without_data(self, block: Block, start: int, end: int) -> None:
        """Write a block without data; in a known dialect its `id:` and `retry:` wait for the next event."""
        gate = self._gate
        if gate.state.mode is Mode.KNOWN and block.name == "error":
            self._report_error(b"", RepairKind.EMPTY_DATA, block, start, end)
            return
        if gate.state.mode is not Mode.KNOWN or block.unknown or self._bare_reader(block) is not None:
            self._forward_without_data(block, block.spell())
            return
        if any(map(swallows_data, block.lines)) and gate.allows(RepairKind.STRAY_LINE):
            gate.repair(RepairKind.STRAY_LINE, start, end)
            if any(map(swallows_document, block.lines)):
                gate.state.lost_payload()
        else:
            gate.report.respellings["bare-block"] += 1
        comments = [line + b"\n" for line in block.lines if line.startswith(b":")]
        if comments:  # in front of what waits, which they overtake
            gate.forward_bare(b"".join(comments))
            gate.showed_framing = True
        self._make_pending(block)

    def _forward_without_data(self, block: Block, wire: bytes) -> None:
        gate = self._gate
        self._note_id(block.id)
        self._note_retry(block)
        for name in (b"id",) * (block.id is not None) + (b"retry",) * (block.retry is not None):
            self._pending.pop(name, None)  # or it would overtake this one
        reader = self._bare_reader(block)
        gate.forward_bare(wire, None if reader is None else reader.read(block.name or "", ""))
        self._note_swallowed(block)
        gate.showed_framing |= any(line.partition(b":")[0] in (b"", *KNOWN_FIELDS) for line in block.lines)

    def write_proven(self, block: Block, payload: str, value: Any, start: int, end: int) -> None:
        """Write a block whose payload has this value, or is `UNPROVEN`."""
        escaped = payload if value is UNPROVEN else escape_separators(payload)
        if escaped is payload:
            wire = block.spell()
        else:
            self._gate.report.respellings["separator"] += 1
            wire = respell_lines(block, escaped)
        self._forward(block, escaped, value, start, end, wire=wire)

    def write_flawed(
        self, block: Block, payload: str, start: int, end: int, *, wire: bytes | None = None, further: bool = False
    ) -> None:
        """Write, drop or reject a payload that nothing repairs: in a known dialect nobody could read it."""
        gate = self._gate
        if gate.state.mode is not Mode.KNOWN or payload == self._sentinel() or self._says_by_name(block):
            self._forward(block, payload, FLAWED, start, end, wire=wire, further=further)
        elif gate.expects_done and is_misspelt_done(payload) and gate.allows(RepairKind.DONE_SPELLING):
            gate.repair(RepairKind.DONE_SPELLING, start, end)
            self._forward(block, DONE, FLAWED, start, end)
        elif (kind := self._reason_to_drop(payload)) is RepairKind.EMPTY_DATA or kind is RepairKind.WRAPPED_COMMENT:
            if block.name == "error":
                self._report_error(b"", kind, block, start, end)
            else:
                self._drop(kind, block, start, end)
        else:
            gate.report.invalid_json += 1
            if kind is not None and leaves_hole(payload, gate.state.mode):
                gate.state.lost_payload()
            if (kind is not None or gate.options.invalid_json == "error") and self._write_error(block, start, end):
                return
            if kind is None and gate.options.invalid_json != "error":
                self._forward(block, payload, FLAWED, start, end, wire=wire, further=further)
            elif kind is None:
                self._die(Failure("invalid-json"), RepairKind.INVALID_JSON, block, start, end)
            elif block.name == "error":
                self._die(Failure("upstream-error"), kind, block, start, end)
            else:
                self._drop(kind, block, start, end)

    def _write_error(self, block: Block, start: int, end: int) -> bool:
        """Write the error that a flawed block holds on a line of its own, or report it; return whether there is one.

        It may stand behind a piece that was cut, and what else is in the block would hide it.
        """
        gate = self._gate
        fields = [line for line in block.lines if line.startswith(b"error: ")]
        lines = [*block.data, *[b'{"error": ' + line[7:] + b"}" for line in fields if line.endswith(b"}")]]
        for line in lines:
            text = line.decode()
            value = prove(text)
            if not tells_error(value):
                continue
            if not would_fail(gate.dialect, value, "error" if block.name == "error" else "message"):
                # Its clients would pass over it.
                self._report_error(line, RepairKind.INVALID_JSON, block, start, end)
                return True
            gate.repair(RepairKind.INVALID_JSON, start, end)
            self._make_pending(block)
            name = b"event: error\n" if block.name == "error" else b""
            self._forward(ParsedBlock(name + b"data: " + line + b"\n"), text, value, start, end)
            return True
        words = next((line for line in [*block.data, *fields] if begins_with_error(line)), None)
        if words is None:
            return False
        self._report_error(words, RepairKind.INVALID_JSON, block, start, end)
        return True

    def _report_error(self, words: bytes, kind: RepairKind, block: Block, start: int, end: int) -> None:
        """End the stream with the error that upstream reported in words, which are for the log only."""
        self._die(failure_in_words(words), kind, block, start, end)

    def _die(self, failure: Failure, kind: RepairKind, block: Block, start: int, end: int) -> None:
        """End the stream at a block that does not leave, but for its `id:` and `retry:`."""
        self._make_pending(block)
        self._gate.die(failure, kind, start, end)

    def write_document(self, text: str, start: int, end: int, *, block: Block = _EMPTY, further: bool = False) -> None:
        """Write one repaired document on one line, with the other lines of its block."""
        if text == DONE:
            self.write_flawed(block, DONE, start, end, further=further)
            return
        payload = escape_separators(one_line(text))
        self._forward(block, payload, prove(payload), start, end, further=further)

    def write_joined(self, first: Block, second: Block, text: str, start: int, end: int) -> None:
        """Write a document that was cut over two events, with the fields of both."""
        self._make_pending(first)
        if first.name is not None and second.name is None:
            second = ParsedBlock(b"event: " + first.name.encode() + b"\n" + second.wire)
        self.write_document(text, start, end, block=second)

    def _sentinel(self) -> str | None:
        dialect = self._gate.dialect
        return None if dialect is None else dialect.sentinel

    def _says_by_name(self, block: Block) -> bool:
        dialect = self._gate.dialect
        return dialect is not None and block.name is not None and dialect.says_by_name(block.name)

    def _bare_reader(self, block: Block) -> Dialect | None:
        """Return the known dialect, if it reads the name of a block that has no data."""
        dialect = self._gate.dialect
        return dialect if dialect is not None and block.name in dialect.bare_names else None

    def _reason_to_drop(self, payload: str) -> RepairKind | None:
        """Return the repair under which a payload is dropped that no client of a known dialect can read."""
        if not payload.strip():
            kind = RepairKind.EMPTY_DATA
        elif payload.startswith(":") and all(line.lstrip().startswith(":") for line in payload.split("\n")):
            kind = RepairKind.WRAPPED_COMMENT
        elif self._gate.options.invalid_json == "drop":
            kind = RepairKind.INVALID_JSON
        else:
            return None
        return kind if self._gate.allows(kind) else None

    def _drop(self, kind: RepairKind, block: Block, start: int, end: int) -> None:
        self._gate.repair(kind, start, end)
        if kind is RepairKind.WRAPPED_COMMENT:
            self.note_lost_lines(block.data)
        self._make_pending(block)

    # Fields

    def _make_pending(self, block: Block) -> None:
        """Keep `id:` and `retry:` of a block that does not leave for the next one that does.

        The id counts once it leaves; the reconnection time counts at once, since nothing that is written depends on it.
        """
        self._note_retry(block)
        self._note_swallowed(block)  # now: a name does not leave, and another id may overtake this one
        fields = {}
        for line in block.lines:
            name = line.partition(b": ")[0]
            if (name == b"id" and b"\0" not in line) or (name == b"retry" and read_retry(line[7:]) is not None):
                fields[name] = line
        merged = {**self._pending, **fields}
        if sum(map(len, merged.values())) + len(merged) + 1 > self._limit:
            for name in fields:
                self._pending.pop(name, None)  # it is overtaken
            if self._pending:
                self._release_pending()
            merged = fields
        self._pending = merged

    def _pending_id(self) -> str:
        return self._pending[b"id"].removeprefix(b"id: ").decode()

    def _note_swallowed(self, block: Block) -> None:
        """Note a hole where any field of the block, other than its data, holds a payload."""
        if isinstance(block, ParsedBlock):
            for line in block.lines:
                if b"{" in line and not line.startswith(b"data: "):
                    self._gate.note_swallowed(line.decode())
        elif block.name is not None and "{" in block.name:
            self._gate.note_swallowed(block.name)

    def note_lost_lines(self, lines: Iterable[bytes]) -> None:
        """Note a hole where one of these lines, which are no fields, was meant to be a payload, or holds one."""
        for line in lines:
            misnamed = re.match(MISNAMED_DATA, line)
            if is_broken_json(line[misnamed.end() :].lstrip() if misnamed else line):
                self._gate.state.lost_payload()
            elif b"{" in line:
                self._gate.note_swallowed(line.decode())

    def _note_id(self, id: str | None) -> None:
        if id is not None:
            self._gate.note_id(id)

    def _note_retry(self, block: Block) -> None:
        if block.retry is not None:
            self._gate.report.retry = block.retry

    def _forward(
        self,
        block: Block,
        payload: str,
        value: Any,
        start: int,
        end: int,
        *,
        wire: bytes | None = None,
        further: bool = False,
    ) -> None:
        gate = self._gate
        if wire is None:
            wire = respell(block, payload, further=further)
        id, retry = (None, None) if further else (block.id, block.retry)
        if retry is not None:
            gate.report.retry = retry
        if self._pending:
            wire = self._with_pending(block, wire)
            if id is None and b"id" in self._pending:
                id = self._pending_id()
            if retry is None and b"retry" in self._pending:
                retry = gate.report.retry
        event = Event(payload, block.name or "message", gate.report.last_event_id if id is None else id, retry)
        if gate.forward(event, wire, value, start, end, named=block.name is not None):
            if not further:
                self._note_swallowed(block)
            self._note_id(id)
            self._pending.clear()
            self.owes_blank_line = False
        else:
            self._make_pending(block)

    def _with_pending(self, block: Block, wire: bytes) -> bytes:
        """Return the frame with the pending fields before it; where they make it too long, they leave alone."""
        if block.id is not None:
            self._pending.pop(b"id", None)
        lead = self.pending_fields
        if lead and len(lead) + len(wire) > self._limit >= len(wire):
            self._release_pending()
            return wire
        return lead + wire

    def _release_pending(self) -> None:
        """Write the pending fields as a block of their own."""
        lead = self.pending_fields
        self._note_id(self._pending_id() if b"id" in self._pending else None)
        self._pending.clear()
        self._gate.forward_bare(lead + b"\n")
        self._gate.showed_framing = True
