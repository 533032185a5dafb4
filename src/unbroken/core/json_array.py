"""The JSON array reader: elements leave as their last bracket closes.

https://www.rfc-editor.org/rfc/rfc8259#section-5. White space and separators stay as they are, so that the output is
one array, byte for byte; a separator waits for the element after it, or a dropped element would leave it dangling.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, Final

from .damage import leaves_hole
from .decoder import is_utf8
from .events import Event
from .failure import Failure
from .gate import Gate, keys_of
from .mending import DONE, mend_lines, mend_payload
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


class _Element:
    """The open element: its bytes up to a limit, and how to find its end."""

    __slots__ = ("_depth", "_escaped", "_in_string", "bytes", "size", "start")

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.begin(0)

    def begin(self, start: int) -> None:
        """Begin another element at this offset of the input."""
        self.bytes.clear()
        self.size = 0  # bytes that were not kept included
        self.start = start
        self._depth = 0
        self._in_string = self._escaped = False

    def take(self, chunk: bytes, at: int, limit: int) -> tuple[int, bool]:
        """Take its bytes from `at` on, and keep up to `limit`; return where that ends, and whether the element does."""
        end, ended = self._find_end(chunk, at)
        self.size += end - at
        if self.size <= limit:
            self.bytes += chunk[at:end]
        else:
            self.bytes.clear()
        return end, ended

    def _find_end(self, chunk: bytes, at: int) -> tuple[int, bool]:
        """Follow strings and brackets."""
        if not self._depth and not self._in_string and not (chunk[at] in b'{["' and not self.size):
            # A number or a word ends before the next mark or blank; nothing shows its end any sooner.
            found = _SCALAR_END.search(chunk, at if self.size else at + 1)
            return (len(chunk), False) if found is None else (found.start(), True)
        while at < len(chunk):
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            found = (_INSIDE if self._in_string else _OUTSIDE).search(chunk, at)
            if found is None:
                return len(chunk), False
            at = found.end()
            self._follow(chunk[at - 1])
            if not self._depth and not self._in_string:
                return at, True
        return at, False

    def _follow(self, mark: int) -> None:
        if mark == 0x5C:
            self._escaped = True
        elif mark == 0x22:
            self._in_string = not self._in_string
        else:
            self._depth += 1 if mark in b"{[" else -1


class _Lead:
    """What waits for the next element: blanks, the opening bracket, one comma."""

    __slots__ = ("_has_comma", "_limit", "bytes")

    def __init__(self, limit: int) -> None:
        self.bytes = bytearray()
        self._has_comma = False
        self._limit = limit

    def add_blanks(self, blanks: bytes) -> None:
        """Add blanks; they mean nothing, and more of them than an event may have are not kept."""
        self.bytes += blanks[: max(0, self._limit - len(self.bytes))]

    def add_comma(self) -> None:
        """Add a comma, unless there is one."""
        if not self._has_comma:
            self.bytes += b","
            self._has_comma = True

    def clear(self) -> None:
        """Forget it."""
        self.bytes.clear()
        self._has_comma = False


class JSONArrayReader:
    """Takes chunks of one JSON array, and hands the gate its elements, in order.

    `sniffed`: the first element spoke for an array, so the output must begin with one that does.
    """

    __slots__ = (
        "_after_scalar",
        "_comma_at",
        "_element",
        "_excess_from",
        "_expects",
        "_forwarded",
        "_gate",
        "_lead",
        "_limit",
        "_needs_opener",
        "_offset",
    )

    shows_its_framing: Final = True  # its first byte is a bracket
    pending_fields: Final = b""

    def __init__(self, gate: Gate, offset: int = 0, *, sniffed: bool = False) -> None:
        self._gate = gate
        self._offset = offset  # of the chunk at hand
        self._limit = gate.options.max_event_bytes
        self._expects = _Expects.OPENING
        self._lead = _Lead(self._limit)
        self._comma_at = 0
        self._forwarded = 0
        self._needs_opener = sniffed
        self._after_scalar = False
        self._element = _Element()
        self._excess_from: int | None = None

    def end_pending(self) -> None:
        """Do nothing: there are no ids in this framing."""

    @property
    def offset(self) -> int:
        """Where the first byte stands that was not read."""
        return self._offset

    @property
    def open_array(self) -> bytes | None:
        """What an error of ours must begin with to be an element of the array; None once it has ended."""
        if self._expects is _Expects.NOTHING:
            return None
        return b"," if self._forwarded else b"["

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes."""
        at = 0
        while at < len(chunk) and not self._gate.state.stopped:
            at = self._take_element(chunk, at) if self._element.size else self._take_between(chunk, at)
        self._offset += at

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
            self._drop_excess(offset)
            self._lead.bytes += mark
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
            self._lead.add_blanks(blanks)

    def _take_excess(self, mark: bytes, offset: int) -> None:
        """Take what stands before the array or after it; it stays where no repair may drop it."""
        if RepairKind.STRAY_LINE not in self._gate.options.repairs:
            self._take_blanks(mark)
        elif self._excess_from is None:
            self._excess_from = offset

    def _drop_excess(self, end: int) -> None:
        """Drop what stood before the array or after it."""
        if self._excess_from is not None:
            self._gate.repair_if_enabled(RepairKind.STRAY_LINE, self._excess_from, end)
            self._excess_from = None

    def _take_comma(self, offset: int) -> None:
        if self._expects is not _Expects.COMMA:
            if self._gate.allows(RepairKind.INVALID_JSON):
                self._gate.repair(RepairKind.INVALID_JSON, offset, offset + 1)
            else:
                self._take_blanks(b",")  # it stays, like all that is between elements
            return
        self._expects = _Expects.VALUE
        self._comma_at = offset
        self._add_comma()

    def _add_comma(self) -> None:
        if self._forwarded:
            self._lead.add_comma()

    def _end_array(self) -> None:
        lead = bytes(self._lead.bytes)
        if self._expects is not _Expects.VALUE:
            lead = lead.replace(b",", b"")  # it stood before an element that was dropped
        elif self._gate.allows(RepairKind.INVALID_JSON):
            self._gate.repair(RepairKind.INVALID_JSON, self._comma_at, self._comma_at + 1)
            lead = lead.replace(b",", b"")
        self._lead.bytes.clear()
        self._expects = _Expects.NOTHING
        self._gate.forward_bare(lead + b"]")

    # Inside of an element

    def _begin_element(self, chunk: bytes, at: int) -> int:
        start = self._offset + at
        if self._expects is _Expects.COMMA and self._gate.allows(RepairKind.GLUED_JSON):
            self._gate.repair(RepairKind.GLUED_JSON, start, start)
            self._add_comma()
        self._element.begin(start)
        return self._take_element(chunk, at)

    def _take_element(self, chunk: bytes, at: int) -> int:
        end, ended = self._element.take(chunk, at, self._limit)
        if ended:
            self._end_element(self._offset + end)
        return end

    def _end_element(self, end: int) -> None:
        raw, size, start = bytes(self._element.bytes), self._element.size, self._element.start
        self._element.begin(end)
        self._expects = _Expects.COMMA
        if size > self._limit:
            self._gate.repair(RepairKind.OVERSIZED_EVENT, start, end)
            return
        if not is_utf8(raw):
            raw = self._gate.decode(raw, start)
        text = raw.decode()
        value = prove(text)
        if value is FLAWED and not self._gate.options.standard_only:
            self._mend(text, start, end)
        else:
            self._gate.report.invalid_json += value is FLAWED
            self._forward(text, value, start, end)

    def _forward(self, text: str, value: Any, start: int, end: int) -> None:
        if self._needs_opener and text[0] not in _OPENERS:
            self._gate.repair_if_enabled(RepairKind.INVALID_JSON, start, end)
        elif self._gate.forward(Event(text), text.encode(), value, start, end, lead=bytes(self._lead.bytes)):
            self._after_scalar = text[0] not in _OPENERS
            self._needs_opener = False
            self._lead.clear()
            self._forwarded += 1

    def _mend(self, text: str, start: int, end: int) -> None:
        gate = self._gate
        kinds, pieces = mend_payload(text, gate.allows)
        if not kinds:
            kinds, pieces = mend_lines(text, gate.allows, keys=keys_of(gate))
        if kinds and DONE not in pieces:
            for kind in kinds:
                gate.repair(kind, start, end)
            for number, piece in enumerate(pieces):
                if number:
                    self._add_comma()
                self._forward(piece, prove(piece), start, end)
            return
        gate.report.invalid_json += 1
        if leaves_hole(text, gate.state.mode):
            gate.state.lost_payload()
        if gate.options.invalid_json == "drop" and gate.allows(RepairKind.INVALID_JSON):
            gate.repair(RepairKind.INVALID_JSON, start, end)
        elif gate.options.invalid_json == "error":
            self._end_scalar()
            gate.die(Failure("invalid-json"), RepairKind.INVALID_JSON, start, end)
        else:
            self._forward(text, FLAWED, start, end)

    # The end

    def _end_scalar(self) -> None:
        """Write the blank that ends a scalar: nothing else follows it."""
        if self._after_scalar:
            self._gate.forward_bare(b" ")

    def close(self, *, clean: bool) -> bool:
        """Take the end of input; return whether a piece was cut: an array ends with its bracket, and nowhere else."""
        self._drop_excess(self._offset)
        if self._expects is not _Expects.NOTHING:
            self._end_scalar()
        if self._element.size:
            start = self._element.start
            self._gate.repair_if_enabled(RepairKind.UNFINISHED_TAIL, start, start + self._element.size)
        return self._expects is not _Expects.NOTHING
