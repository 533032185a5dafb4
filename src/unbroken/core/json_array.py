"""The JSON array framer: elements leave as their last bracket closes.

https://www.rfc-editor.org/rfc/rfc8259#section-5. White space and separators stay as they are, so that the output is
one array, byte for byte; a separator waits for the element behind it, or a dropped element would leave it dangling.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

from .decoder import decode_line, is_utf8
from .errors import Failure
from .events import Event
from .gate import Gate
from .mending import DONE, mend_payload
from .proof import FLAWED, prove
from .repairs import RepairKind

_BLANK_RUN = re.compile(rb"[ \t\r\n]*+")
_OUTSIDE = re.compile(rb'["\[\]{}]')
_INSIDE = re.compile(rb'["\\]')
_OPENERS = '{["'
_SCALAR_END = re.compile(rb"[,\]\[{}\s]")


class _Expects(Enum):
    OPENING = "the opening bracket"
    FIRST = "an element or the end"
    VALUE = "an element"
    COMMA = "a comma or the end"
    NOTHING = "nothing more"


class JSONArrayFramer:
    """Take chunks of one JSON array, and give the gate its elements, in order.

    `sniffed`: the first element spoke for an array, so the output must begin with one that does.
    """

    saw_own = True  # its first byte is a bracket

    def __init__(self, gate: Gate, offset: int = 0, *, sniffed: bool = False) -> None:
        self._gate = gate
        self._offset = offset  # of the chunk at hand
        self._limit = gate.options.max_event_bytes
        self._expects = _Expects.OPENING
        self._lead = bytearray()  # what waits for the next element: blanks, the opening bracket, one comma
        self._has_comma = False  # `_lead` holds a comma
        self._comma_at = 0
        self._forwarded = 0
        self._needs_opener = sniffed
        self._after_scalar = False
        self._element = bytearray()
        self._size = 0  # of the open element, forgotten bytes included
        self._start = 0  # where it began in the input
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._excess_from: int | None = None

    @property
    def open_array(self) -> bytes | None:
        """What an error of ours must begin with to stand in the array as an element; None once it has ended."""
        if self._expects is _Expects.NOTHING:
            return None
        return b"," if self._forwarded else b"["

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        at = 0
        while at < len(chunk) and self._gate.dead_from is None:
            at = self._take_element(chunk, at) if self._size else self._take_between(chunk, at)
        self._offset += len(chunk)

    # Between elements

    def _take_between(self, chunk: bytes, at: int) -> int:
        found = _BLANK_RUN.match(chunk, at)
        end = found.end() if found else at
        if end > at:
            self._take_blanks(chunk[at:end])
            return end
        mark, offset = chunk[at : at + 1], self._offset + at
        if self._expects is _Expects.NOTHING or (self._expects is _Expects.OPENING and mark != b"["):
            self._take_excess(mark, offset)
        elif self._expects is _Expects.OPENING:
            self._note_excess(offset)
            self._lead += mark
            self._expects = _Expects.FIRST
        elif mark == b",":
            self._take_comma(offset)
        elif mark == b"]":
            self._end_array()
        else:
            return self._begin_element(chunk, at)
        return at + 1

    def _take_blanks(self, blanks: bytes) -> None:
        if self._expects is _Expects.NOTHING:
            self._gate.forward_bare(blanks)
        else:
            # They mean nothing; more of them than an event may have are not kept.
            self._lead += blanks[: max(0, self._limit - len(self._lead))]

    def _take_excess(self, mark: bytes, offset: int) -> None:
        """Drop what stands in front of the array or behind it; it stays where nothing may name it."""
        if RepairKind.STRAY_LINE not in self._gate.options.repairs:
            self._take_blanks(mark)
        elif self._excess_from is None:
            self._excess_from = offset

    def _take_comma(self, offset: int) -> None:
        if self._expects is not _Expects.COMMA:
            if self._allows(RepairKind.INVALID_JSON):
                self._gate.repair(RepairKind.INVALID_JSON, offset, offset + 1)
            else:
                self._take_blanks(b",")  # it stays, like all that is between elements
            return
        self._expects = _Expects.VALUE
        self._comma_at = offset
        self._add_comma()

    def _add_comma(self) -> None:
        if self._forwarded and not self._has_comma:
            self._lead += b","
            self._has_comma = True

    def _end_array(self) -> None:
        lead = bytes(self._lead)
        if self._expects is not _Expects.VALUE:
            lead = lead.replace(b",", b"")  # it stood in front of an element that was dropped
        elif self._allows(RepairKind.INVALID_JSON):
            self._gate.repair(RepairKind.INVALID_JSON, self._comma_at, self._comma_at + 1)
            lead = lead.replace(b",", b"")
        self._lead.clear()
        self._expects = _Expects.NOTHING
        self._gate.forward_bare(lead + b"]")

    def _note_excess(self, end: int) -> None:
        """Name what stood in front of the array or behind it."""
        if self._excess_from is not None:
            self._note(RepairKind.STRAY_LINE, self._excess_from, end)
            self._excess_from = None

    def _allows(self, kind: RepairKind) -> bool:
        return self._gate.allows(kind)

    def _note(self, kind: RepairKind, start: int, end: int) -> None:
        if kind in self._gate.options.repairs:
            self._gate.repair(kind, start, end)

    # Inside of an element

    def _begin_element(self, chunk: bytes, at: int) -> int:
        self._start = self._offset + at
        if self._expects is _Expects.COMMA and self._allows(RepairKind.GLUED_JSON):
            self._gate.repair(RepairKind.GLUED_JSON, self._start, self._start)
            self._add_comma()
        self._depth = 0
        self._in_string = self._escaped = False
        return self._take_element(chunk, at)

    def _take_element(self, chunk: bytes, at: int) -> int:
        end, ended = self._scan(chunk, at)
        self._size += end - at
        if self._size <= self._limit:
            self._element += chunk[at:end]
        else:
            self._element.clear()
        if ended:
            self._finish_element(self._offset + end)
        return end

    def _scan(self, chunk: bytes, at: int) -> tuple[int, bool]:
        """Follow strings and brackets to the end of the element; give where it ends, and whether it does."""
        if not self._depth and not self._in_string and not (chunk[at] in b'{["' and not self._size):
            return self._scan_scalar(chunk, at)
        while at < len(chunk):
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            found = (_INSIDE if self._in_string else _OUTSIDE).search(chunk, at)
            if found is None:
                return len(chunk), False
            at = found.end()
            self._take_bracket(chunk[at - 1])
            if not self._depth and not self._in_string:
                return at, True
        return at, False

    def _take_bracket(self, mark: int) -> None:
        if mark == 0x5C:
            self._escaped = True
        elif mark == 0x22:
            self._in_string = not self._in_string
        else:
            self._depth += 1 if mark in b"{[" else -1

    def _scan_scalar(self, chunk: bytes, at: int) -> tuple[int, bool]:
        """A number or a word ends before the next mark or blank; nothing tells its end any sooner."""
        found = _SCALAR_END.search(chunk, at if self._size else at + 1)
        return (len(chunk), False) if found is None else (found.start(), True)

    def _finish_element(self, end: int) -> None:
        raw, size, start = bytes(self._element), self._size, self._start
        self._element.clear()
        self._size = 0
        self._expects = _Expects.COMMA
        if size > self._limit:
            self._gate.repair(RepairKind.OVERSIZED_EVENT, start, end)
            return
        if not is_utf8(raw):
            raw = self._decode(raw, start)
        text = raw.decode()
        value = prove(text)
        if value is FLAWED and not self._gate.options.standard_only:
            self._mend(text, start, end)
        else:
            self._forward(text, value, start, end)

    def _decode(self, raw: bytes, start: int) -> bytes:
        decoded, runs = decode_line(raw)
        self._gate.report.invalid_utf8 += len(runs)
        for begin, length in runs:
            self._note(RepairKind.INVALID_UTF8, start + begin, start + begin + length)
        return decoded

    def _forward(self, text: str, value: Any, start: int, end: int) -> None:
        if self._needs_opener and text[0] not in _OPENERS:
            self._note(RepairKind.INVALID_JSON, start, end)
        elif self._gate.forward(Event(text), text.encode(), value, start, end, lead=bytes(self._lead)):
            self._after_scalar = text[0] not in _OPENERS
            self._needs_opener = False
            self._lead.clear()
            self._has_comma = False
            self._forwarded += 1

    def _mend(self, text: str, start: int, end: int) -> None:
        gate = self._gate
        kind, pieces = mend_payload(text, gate.allows)
        if kind is not None and DONE not in pieces:
            gate.repair(kind, start, end)
            for piece in pieces:
                self._add_comma()
                self._forward(piece, prove(piece), start, end)
            return
        gate.report.invalid_json += 1
        if gate.options.invalid_json == "drop" and gate.allows(RepairKind.INVALID_JSON):
            gate.repair(RepairKind.INVALID_JSON, start, end)
        elif gate.options.invalid_json == "error":
            self._end_scalar()
            gate.die(Failure("invalid-json"), RepairKind.INVALID_JSON, start, end)
        else:
            self._forward(text, FLAWED, start, end)

    # The end

    def _end_scalar(self) -> None:
        """Write the blank that tells the end of a scalar: nothing else follows it."""
        if self._after_scalar:
            self._gate.forward_bare(b" ")

    def close(self, *, clean: bool) -> bool:
        """Take the end of input; tell whether a piece was cut: an array ends with its bracket, and nowhere else."""
        self._note_excess(self._offset)
        if self._expects is not _Expects.NOTHING:
            self._end_scalar()
        if self._size and RepairKind.UNFINISHED_TAIL in self._gate.options.repairs:
            self._gate.repair(RepairKind.UNFINISHED_TAIL, self._start, self._start + self._size)
        return self._expects is not _Expects.NOTHING
