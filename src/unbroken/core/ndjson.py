"""The NDJSON framer: one JSON text per line, mended where a line fails the strict reading.

https://github.com/ndjson/ndjson-spec. Lines end with LF or CRLF; blank lines are skipped; a last line without its end
counts. Nothing but JSON can be read here, so a line that nothing mends is dropped by name, and reading goes on.
"""

from __future__ import annotations

import re
from typing import Any

from .decoder import LineSplitter, decode_line, is_utf8
from .errors import Failure
from .events import Event
from .gate import Gate
from .mending import DONE, escape_separators, join_raw_lines, mend_payload, one_line
from .proof import FLAWED, UNPROVEN, BracketScanner, is_whole, prove
from .repairs import RepairKind
from .sniffer import body_failure, is_error_body

_BLANKS = b" \t\r"
_MAX_HELD = 64 * 1024
_SSE_LINE = re.compile(rb"(?:data|event|id|retry|):")


class NDJSONFramer:
    """Take chunks of an NDJSON stream, and give the gate its events and repairs, in order.

    `sniffed`: the first byte spoke for NDJSON, so the stream begins with an object. `may_be_body`: nothing else did, so
    one error object, or one pretty-printed document, is a body and no stream. `holds_first`: the content type says
    that it is one; the first line waits until a second one proves it wrong.
    """

    def __init__(
        self,
        gate: Gate,
        offset: int = 0,
        *,
        sniffed: bool = False,
        may_be_body: bool = False,
        holds_first: bool = False,
    ) -> None:
        self.saw_own = False
        self._gate = gate
        self._splitter = LineSplitter(offset, keep_cr=True)
        self._limit = gate.options.max_event_bytes
        self._block = bytearray()  # lines of one document with raw line ends
        self._start = 0
        self._end = 0
        self._scanner: BracketScanner | None = None
        self._poisoned = False
        self._needs_object = sniffed
        self._may_be_body = may_be_body
        self._holds_first = holds_first
        self._held: tuple[str, int, int] | None = None
        self._at_margin = True
        self._indented = False  # blanks in front of the open line are gone already

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        splitter = self._splitter
        if self._gate.lane is not None:
            chunk = self._close_lane(len(chunk)) + chunk
        for line in splitter.feed(chunk):
            if self._gate.dead_from is not None:
                return
            start = splitter.offset
            splitter.offset += len(line) + 1
            self._take_raw_line(line, start)
        if splitter.open_line and splitter.open_line[0] in _BLANKS:
            splitter.skip_blanks()
            self._indented = True
        if len(splitter.open_line) + 1 > self._limit:
            self._poison(splitter.offset)
            self._end = splitter.offset + len(splitter.open_line)
            splitter.shorten_open_line()
        if self._gate.likeness is not None and self._is_idle():
            self._gate.open_lane(b"\n")

    def _close_lane(self, coming: int) -> bytes:
        """Go on behind what went past; give what the lane kept. `coming` bytes behind that were counted already."""
        held = self._gate.close_lane()
        self._splitter.offset = self._gate.report.bytes_in - coming - len(held)
        return held

    def _is_idle(self) -> bool:
        """Tell whether the next byte begins a line, and nothing waits for it."""
        waits = self._splitter.open_line or self._poisoned or self._indented or self._scanner or self._held
        return not waits and not self._needs_object and self._gate.dead_from is None

    def _poison(self, start: int) -> None:
        self._give_up()
        if not self._poisoned:
            self._poisoned = True
            self._start = start

    def _take_raw_line(self, raw: bytes, start: int) -> None:
        body = raw.lstrip(_BLANKS)
        at = start + len(raw) - len(body)
        line = body.rstrip(_BLANKS)
        self._at_margin = at == start and not self._indented
        self._indented = False
        if self._poisoned or len(body) + 1 > self._limit:
            self._poison(at)
            self._end = at + len(body)
            if self._gate.dead_from is None:
                self._report_oversized()
            return
        if not line:
            self._gate.report.respellings["blank-line"] += 1
            return
        if not self._at_margin or len(line) != len(body):
            self._gate.report.respellings["blanks"] += 1
        if is_utf8(line):
            self._take_line(line, at, at + len(line))
        else:
            self._take_undecodable(line, at)

    def _report_oversized(self) -> None:
        self._poisoned = False
        self._gate.repair(RepairKind.OVERSIZED_EVENT, self._start, self._end)

    def _take_undecodable(self, line: bytes, start: int) -> None:
        gate = self._gate
        decoded, runs = decode_line(line)
        gate.report.invalid_utf8 += len(runs)
        if gate.options.standard_only:
            self._take_invalid(decoded, start, start + len(line))
            return
        for begin, length in runs:
            if RepairKind.INVALID_UTF8 in gate.options.repairs:
                gate.repair(RepairKind.INVALID_UTF8, start + begin, start + begin + length)
        self._take_line(decoded, start, start + len(line))

    def _take_line(self, line: bytes, start: int, end: int) -> None:
        if self._scanner is not None:
            self._continue(line, start, end)
        else:
            self._take_document(line, start, end)

    def _take_document(self, line: bytes, start: int, end: int) -> None:
        text = line.decode()
        value = prove(text)
        if value is not FLAWED and not self._misleads(text):
            self._take_proven(text, value, start, end)
        elif self._gate.options.standard_only or value is not FLAWED or not self._mend(line, text, start, end):
            self._take_invalid(line, start, end)

    def _take_proven(self, text: str, value: Any, start: int, end: int) -> None:
        if self._is_first_of_body():
            if is_error_body(value):
                self._gate.die(body_failure(value), RepairKind.NOT_A_STREAM, start, end)
                return
            if self._holds_first and len(text) <= _MAX_HELD:
                self._held = (text, start, end)
                return
        self._forward(text, value, start, end)

    def _forward(self, text: str, value: Any, start: int, end: int) -> None:
        if self._held is not None:
            # A second document shows that the content type was wrong.
            held, self._held = self._held, None
            self._forward(held[0], prove(held[0]), held[1], held[2])
        if value is not UNPROVEN and value is not FLAWED:
            escaped = text if self._gate.options.standard_only else escape_separators(text)
            if escaped is not text:
                self._gate.report.respellings["separator"] += 1
                text = escaped
        event = Event(text, id=self._gate.report.last_event_id)
        if self._gate.forward(event, text.encode() + b"\n", value, start, end):
            self._needs_object = False

    def _is_first_of_body(self) -> bool:
        """Tell whether the document at hand could still be the one document of a body that is no stream."""
        return self._may_be_body and self._held is None and not self._gate.opened

    def _misleads(self, text: str) -> bool:
        """Tell whether this text, were it the first to leave, would tell the next reader another format."""
        return self._needs_object and not text.startswith("{")

    # Mended lines

    def _mend(self, line: bytes, text: str, start: int, end: int) -> bool:
        gate = self._gate
        if _SSE_LINE.match(line) and gate.allows(RepairKind.STRAY_FRAMING):
            gate.repair(RepairKind.STRAY_FRAMING, start, end)
            inner = text.partition(":")[2].removeprefix(" ")
            if line.startswith(b"data:") and is_whole(inner):
                self._forward_document(inner.strip(" \t"), start, end)
            return True
        kind, pieces = mend_payload(text, gate.allows)
        if kind is not None:
            gate.repair(kind, start, end)
            for piece in pieces:
                if piece != DONE:
                    self._forward_document(piece, start, end)
            return True
        return self._begin(line, start, end)

    def _forward_document(self, text: str, start: int, end: int) -> None:
        payload = one_line(text)
        value = prove(payload)
        if self._misleads(payload):
            self._take_invalid(payload.encode(), start, end)
        else:
            self._take_proven(payload, value, start, end)

    def _begin(self, line: bytes, start: int, end: int) -> bool:
        """Begin a document that goes on over more lines."""
        scanner = BracketScanner()
        scanner.feed(line)
        if scanner.spoiled or scanner.whole or not self._gate.allows(RepairKind.RAW_NEWLINE):
            return False
        self._scanner = scanner
        self._keep(line, start, end)
        return True

    def _keep(self, line: bytes, start: int, end: int) -> None:
        if self._block:
            self._block.append(0x0A)
        else:
            self._start = start
        self._block += line
        self._end = end

    def _continue(self, line: bytes, start: int, end: int) -> None:
        assert self._scanner is not None
        if self._at_margin and line[:1] == b"{" and is_whole(line.decode()):
            # A whole document at the left margin: what came before it was never going to be one.
            self._give_up()
            self._take_document(line, start, end)
        elif len(self._block) + len(line) + 2 > self._limit:
            first = self._start
            self._give_up(silently=True)
            self._gate.repair(RepairKind.OVERSIZED_EVENT, first, end)
        else:
            self._keep(line, start, end)
            self._scanner.feed(b"\n" + line)
            self._try_whole()

    def _try_whole(self) -> None:
        assert self._scanner is not None
        if not (self._scanner.whole or self._scanner.spoiled):
            return
        pieces = join_raw_lines(bytes(self._block).decode())
        if not pieces:
            self._give_up()
            return
        start, end = self._start, self._end
        self._give_up(silently=True)
        if self._is_first_of_body():
            self._gate.die(body_failure(prove(pieces[0])), RepairKind.NOT_A_STREAM, start, end)
            return
        self._gate.repair(RepairKind.RAW_NEWLINE, start, end)
        self._forward_document(pieces[0], start, end)

    def _give_up(self, *, silently: bool = False) -> None:
        """Let go of kept lines; together they are invalid, unless `silently`."""
        lines = bytes(self._block)
        self._block.clear()
        self._scanner = None
        if lines and not silently:
            self._take_invalid(lines, self._start, self._end)

    def _take_invalid(self, line: bytes, start: int, end: int) -> None:
        """Deal with what is no JSON text."""
        gate = self._gate
        gate.report.invalid_json += 1
        policy = gate.options.invalid_json
        if policy == "drop" and not gate.options.standard_only and not self._may_drop():
            policy = "keep"
        if policy == "keep" and self._needs_object:
            policy = "drop"  # what leaves first tells the next reader the format
        if policy == "keep":
            for text in line.decode().split("\n"):
                self._forward(text, FLAWED, start, end)
        elif policy == "error" and not gate.options.standard_only:
            gate.die(Failure("invalid-json"), RepairKind.INVALID_JSON, start, end)
        elif not gate.options.standard_only:
            gate.repair(RepairKind.INVALID_JSON, start, end)

    def _may_drop(self) -> bool:
        return RepairKind.INVALID_JSON in self._gate.options.repairs

    # The end

    def close(self, *, clean: bool) -> bool:
        """Take the end of input; a last line without its end counts at a clean one. Tell whether a piece was cut."""
        if self._gate.lane is not None:
            self.feed(b"")
        line = bytes(self._splitter.open_line)
        start = self._splitter.offset
        if self._poisoned:
            self._end = max(self._end, start + len(line))
            self._report_oversized()
            return True
        stripped = line.strip(_BLANKS)
        if clean and stripped and self._is_last(stripped):
            self._splitter.offset += len(line) + 1
            self._take_raw_line(line, start)
            stripped = b""
        cut = bool(self._block)
        self._give_up()
        cut = self._drop_tail(stripped, start, start + len(line)) or cut
        if self._held is not None:
            self._end_held(clean=clean)
        return cut

    def _is_last(self, line: bytes) -> bool:
        if self._gate.options.standard_only or self._scanner is not None:
            return True
        if not is_utf8(line):
            return False
        text = line.decode()
        return prove(text) is not FLAWED or bool(mend_payload(text, self._gate.allows)[1]) or self._is_framed(line)

    def _is_framed(self, line: bytes) -> bool:
        return line.startswith(b"data:") and is_whole(line[5:].decode())

    def _end_held(self, *, clean: bool) -> None:
        """The one document was all, and the content type says JSON: this was a body, and no stream."""
        assert self._held is not None
        (text, start, end), self._held = self._held, None
        if clean:
            self._gate.die(body_failure(prove(text)), RepairKind.NOT_A_STREAM, start, end)
        else:
            self._forward(text, prove(text), start, end)

    def _drop_tail(self, line: bytes, start: int, end: int) -> bool:
        self.saw_own = line[:1] in (b"{", b"[", b'"')
        if line and self._gate.dead_from is None and RepairKind.UNFINISHED_TAIL in self._gate.options.repairs:
            self._gate.repair(RepairKind.UNFINISHED_TAIL, start, end)
        return bool(line)
