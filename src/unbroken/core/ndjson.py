"""The NDJSON reader: one JSON text per line, repaired where a line fails the strict reading.

https://github.com/ndjson/ndjson-spec. Lines end with LF or CRLF; blank lines are skipped; a last line without its end
counts. Nothing but JSON can be read here, so a line that nothing repairs is dropped by name, and reading goes on.
"""

from __future__ import annotations

from typing import Any, Final

from .damage import leaves_hole
from .decoder import LineSplitter, is_utf8
from .events import Event
from .failure import Failure, begins_with_error, failure_in_words, is_ours, tells_error
from .gate import Gate, keys_of
from .mending import DONE, escape_separators, mend_lines, mend_payload, one_line
from .proof import FLAWED, UNPROVEN, BracketScanner, is_whole, prove
from .registry import would_fail
from .repairs import RepairKind
from .sniffer import begins_scalar, body_failure, is_error_body
from .state import Mode

_BLANKS = b" \t\r"
_MAX_HELD = 64 * 1024
_SSE_STARTS = (b":", b"data:", b"event:", b"id:", b"retry:")


class _OpenDocument:
    """The lines of one document with raw line ends, or of one that is too long."""

    __slots__ = ("end", "lines", "oversized", "scanner", "start")

    def __init__(self) -> None:
        self.lines = bytearray()
        self.start = 0
        self.end = 0
        self.scanner: BracketScanner | None = None
        self.oversized = False  # the open line is too long, and gone

    @property
    def in_string(self) -> bool:
        """Whether the last line ended within a string, where blanks are text."""
        return self.scanner is not None and self.scanner.in_string

    def append(self, line: bytes, start: int, end: int) -> None:
        """Add a line."""
        if self.lines:
            self.lines.append(0x0A)
        else:
            self.start = start
        self.lines += line
        self.end = end

    def take(self) -> bytes:
        """Return the lines, and forget them."""
        lines = bytes(self.lines)
        self.lines.clear()
        self.scanner = None
        return lines


class _FirstDocument:
    """What is asked of the first document, while it may be the one document of a body that is not a stream.

    `may_be_body`: nothing but the first byte spoke for NDJSON. `holds`: the content type says that the body is one
    document; the first one waits until a second one shows that this is wrong.
    """

    __slots__ = ("held", "holds", "may_be_body")

    def __init__(self, *, may_be_body: bool, holds: bool) -> None:
        self.may_be_body = may_be_body
        self.holds = holds
        self.held: tuple[str, int, int] | None = None

    def take(self) -> tuple[str, int, int] | None:
        """Return the document that waited, and forget it."""
        held, self.held = self.held, None
        return held


class NDJSONReader:
    """Takes chunks of an NDJSON stream, and hands the gate its events and repairs, in order.

    `sniffed`: the first byte spoke for NDJSON, so the output must begin with a line that does, too: an object or, where
    `scalars`, a string, a number or another scalar. `may_be_body`: nothing else did, so one error object, or one
    pretty-printed document, is a body and not a stream. `holds_first`: the content type says that it is a body; the
    first line waits until a second one shows that this is wrong.
    """

    __slots__ = (
        "_at_margin", "_first", "_gate", "_indented", "_limit", "_open", "_scalars", "_splitter", "_tail",
        "_unshown", "shows_its_framing",
    )  # fmt: skip

    open_array: Final = b"["
    pending_fields: Final = b""

    def __init__(
        self,
        gate: Gate,
        offset: int = 0,
        *,
        sniffed: bool = False,
        scalars: bool = False,
        may_be_body: bool = False,
        holds_first: bool = False,
    ) -> None:
        self.shows_its_framing = False
        """Whether the piece that was cut at the end begins as JSON does; a whole line is an event, or recorded."""
        self._gate = gate
        self._splitter = LineSplitter(offset, keep_cr=True)
        self._limit = gate.options.max_event_bytes
        self._open = _OpenDocument()
        self._first = _FirstDocument(may_be_body=may_be_body, holds=holds_first)
        self._unshown = sniffed  # nothing has left yet that shows the next reader the format
        self._scalars = scalars
        self._at_margin = True
        self._indented = False  # blanks before the open line are gone already
        self._tail = b""  # blanks that stood behind the line at hand

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes."""
        splitter = self._splitter
        for line in splitter.feed(chunk):
            start = splitter.offset
            splitter.offset += len(line) + 1
            self._take_raw_line(line, start)
            if self._gate.state.stopped:
                return
        if splitter.open_line and splitter.open_line[0] in _BLANKS and not self._open.in_string:
            splitter.skip_blanks()
            self._indented = True
        if len(splitter.open_line) + 1 > self._limit:
            self._skip(splitter.offset)
            self._open.end = splitter.offset + len(splitter.open_line)
            splitter.shorten_open_line()

    def end_pending(self) -> None:
        """Do nothing: there are no ids in this framing."""

    @property
    def offset(self) -> int:
        """Where the first byte stands that was not read."""
        return self._splitter.offset

    def skip_to(self, offset: int) -> None:
        """Continue at this offset: the lines before it were forwarded without this reader."""
        self._splitter.offset = offset

    def is_idle(self) -> bool:
        """Return whether the next byte begins a line, and nothing waits for that line."""
        document = self._open
        waits = self._splitter.open_line or document.oversized or self._indented or document.scanner or self._first.held
        return not waits and not self._unshown and not self._gate.state.stopped

    def _skip(self, start: int) -> None:
        """Skip a line that is too long, from `start` on."""
        self._give_up()
        if not self._open.oversized:
            self._open.oversized = True
            self._open.start = start

    def _take_raw_line(self, raw: bytes, start: int) -> None:
        in_string = self._open.in_string
        body = raw if in_string else raw.lstrip(_BLANKS)
        at = start + len(raw) - len(body)
        line = body.rstrip(_BLANKS)
        self._tail = body[len(line) :].removesuffix(b"\r")
        self._at_margin = at == start and not self._indented
        self._indented = False
        if self._open.oversized or len(body) + 1 > self._limit:
            self._skip(at)
            if self._gate.state.dead_from is None:
                self._end_oversized(at + len(body))
            return
        if not line and not in_string:
            self._gate.report.respellings["blank-line"] += 1
            return
        if not self._at_margin or len(line) != len(body):
            self._gate.report.respellings["blanks"] += 1
        if is_utf8(line):
            self._take_line(line, at, at + len(line))
        else:
            self._take_undecodable(line, at)

    def _end_oversized(self, end: int) -> None:
        self._open.oversized = False
        self._gate.repair(RepairKind.OVERSIZED_EVENT, self._open.start, end)

    def _take_undecodable(self, line: bytes, start: int) -> None:
        if self._open.scanner is not None and self._begins_anew(line):
            self._give_up()
            if self._gate.state.stopped:
                return  # this line is not read
        decoded = self._gate.decode(line, start)
        if self._gate.options.standard_only:
            self._take_invalid(decoded, start, start + len(line))
        else:
            self._take_line(decoded, start, start + len(line))

    def _take_line(self, line: bytes, start: int, end: int) -> None:
        if self._open.scanner is not None:
            self._continue(self._open.scanner, line, start, end)
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
            if self._first.holds and len(text) <= _MAX_HELD and not is_ours(value):
                self._first.held = (text, start, end)
                return
        is_lost = value is None and self._gate.state.mode is Mode.KNOWN and self._gate.allows(RepairKind.EMPTY_DATA)
        if is_lost and self._first.held is not None:
            self._gate.repair(RepairKind.EMPTY_DATA, start, end)  # no second document: the next reader will not see it
            return
        self._forward(text, value, start, end)

    def _forward(self, text: str, value: Any, start: int, end: int) -> None:
        self._release_held()
        if value is not UNPROVEN and value is not FLAWED:
            escaped = text if self._gate.options.standard_only else escape_separators(text)
            if escaped is not text:
                self._gate.report.respellings["separator"] += 1
                text = escaped
        event = Event(text, id=self._gate.report.last_event_id)
        if self._gate.forward(event, text.encode() + b"\n", value, start, end):
            self._unshown = False

    def _release_held(self) -> None:
        """Forward the document that waited: a second one shows that the content type was wrong."""
        if (held := self._first.take()) is not None:
            self._forward(held[0], prove(held[0]), held[1], held[2])

    def _is_first_of_body(self) -> bool:
        """Return whether the document at hand may still be the one document of a body that is not a stream."""
        return self._first.may_be_body and self._first.held is None and not self._gate.opened

    def _misleads(self, text: str, *, is_flawed: bool = False) -> bool:
        """Return whether this text, if it left first, would make the next reader see another format."""
        leaves_first = self._unshown and self._first.held is None
        is_object = not is_flawed and text.startswith("{")
        return leaves_first and not is_object and not (self._scalars and begins_scalar(text.encode()))

    # Repaired lines

    def _mend(self, line: bytes, text: str, start: int, end: int) -> bool:
        gate = self._gate
        if line.startswith(_SSE_STARTS) and gate.allows(RepairKind.STRAY_FRAMING):
            gate.repair(RepairKind.STRAY_FRAMING, start, end)
            inner = text.partition(":")[2].removeprefix(" ")
            if line.startswith(b"data:") and is_whole(inner):
                self._forward_document(inner, start, end)
            return True
        kinds, pieces = mend_payload(text, gate.allows)
        if kinds:
            for kind in kinds:
                gate.repair(kind, start, end)
            for piece in pieces:
                if piece != DONE:
                    self._forward_document(piece, start, end)
            return True
        return self._begin(line, start, end)

    def _forward_document(self, text: str, start: int, end: int) -> None:
        payload = one_line(text).strip(" \t")  # a CR that goes can leave blanks outside
        value = prove(payload)
        if self._misleads(payload):
            self._take_invalid(payload.encode(), start, end)
        else:
            self._take_proven(payload, value, start, end)

    def _begin(self, line: bytes, start: int, end: int) -> bool:
        """Begin a document that goes on over more lines; return False if this line cannot begin one."""
        scanner = BracketScanner()
        scanner.feed(line)
        if scanner.spoiled or scanner.whole or not self._gate.allows(RepairKind.RAW_NEWLINE):
            return False
        self._open.scanner = scanner
        self._append(scanner, line, start, end)
        return True

    def _append(self, scanner: BracketScanner, line: bytes, start: int, end: int) -> None:
        """Add a scanned line to the open document, with the blanks behind it where they are text."""
        if scanner.in_string:
            line, end = line + self._tail, end + len(self._tail)
        self._open.append(line, start, end)

    def _continue(self, scanner: BracketScanner, line: bytes, start: int, end: int) -> None:
        if self._begins_anew(line):
            self._give_up()
            if not self._gate.state.stopped:
                self._take_document(line, start, end)
        elif len(self._open.lines) + len(line) + len(self._tail) + 2 > self._limit:
            self._open.take()
            self._gate.repair(RepairKind.OVERSIZED_EVENT, self._open.start, end)
        else:
            scanner.feed(b"\n" + line)
            self._append(scanner, line, start, end)
            if scanner.whole or scanner.spoiled:
                self._end_document()

    def _begins_anew(self, line: bytes) -> bool:
        # A whole document at the left margin: what came before it was never going to be one.
        return self._at_margin and line[:1] == b"{" and is_whole(line.decode("utf-8", "replace"))

    def _end_document(self) -> None:
        kinds, pieces = mend_lines(bytes(self._open.lines).decode(), self._gate.allows, keys=keys_of(self._gate))
        if not pieces:
            self._give_up()
            return
        self._open.take()
        start, end = self._open.start, self._open.end
        if self._is_first_of_body():
            self._gate.die(body_failure(prove(pieces[0])), RepairKind.NOT_A_STREAM, start, end)
            return
        for kind in kinds:
            self._gate.repair(kind, start, end)
        self._forward_document(pieces[0], start, end)

    def _give_up(self) -> None:
        """Take the lines of the open document, which together are invalid."""
        lines = self._open.take()
        if lines:
            self._take_invalid(lines, self._open.start, self._open.end)

    def _take_invalid(self, line: bytes, start: int, end: int) -> None:
        """Keep, drop or reject what is not a JSON text."""
        gate = self._gate
        gate.report.invalid_json += 1
        policy = gate.options.invalid_json
        if policy == "drop" and not gate.options.standard_only and RepairKind.INVALID_JSON not in gate.options.repairs:
            policy = "keep"
        if policy == "keep" and self._misleads(line.decode(), is_flawed=True):
            policy = "drop"  # what leaves first shows the next reader the format
        if policy == "drop" and begins_with_error(line) and gate.state.mode is Mode.KNOWN:
            self._die(failure_in_words(line), start, end)
            return
        if policy != "keep" and leaves_hole(line.decode(), gate.state.mode):
            gate.state.lost_payload()
        if policy == "keep":
            for text in line.decode().split("\n"):
                self._forward(text, FLAWED, start, end)
        elif policy == "error" and not gate.options.standard_only:
            self._die(Failure("invalid-json"), start, end)
        elif not gate.options.standard_only:
            gate.repair(RepairKind.INVALID_JSON, start, end)

    def _die(self, failure: Failure, start: int, end: int) -> None:
        """End the stream at a line that is not JSON, behind the document that waited.

        If that one fails the stream itself, no frame of ours follows, and the next reader sees a body: so it is one
        here.
        """
        held = self._first.held
        if held is not None and (tells_error(value := prove(held[0])) or would_fail(self._gate.dialect, value)):
            self._first.take()
            self._gate.die(body_failure(value), RepairKind.NOT_A_STREAM, held[1], end)
            return
        self._release_held()
        self._gate.die(failure, RepairKind.INVALID_JSON, start, end)

    # The end

    def close(self, *, clean: bool) -> bool:
        """Take the end of input; at a clean one a last line without its end counts. Return whether a piece was cut."""
        line = bytes(self._splitter.open_line)
        start = self._splitter.offset
        if self._open.oversized:
            self._end_oversized(max(self._open.end, start + len(line)))
            return True
        stripped = line.strip(_BLANKS)
        is_alone = self._open.scanner is None and self._is_first_of_body()
        if clean and stripped and is_alone and stripped[:1] not in (b"{", b"["):
            # Lines that this library wrote end with a line end; one string or number without it is a body.
            self._gate.die(body_failure(None), RepairKind.NOT_A_STREAM, start, start + len(line))
            return False
        if clean and stripped and self._is_last(stripped):
            self._splitter.offset += len(line) + 1
            self._take_raw_line(line, start)
            stripped = b""
        cut = bool(self._open.lines)
        self._give_up()
        if (end := self._gate.state.dead_from) is not None:
            self._gate.report.bytes_in = end  # by what was held; the tail behind it is not read
            return cut
        cut = self._drop_tail(stripped, start, start + len(line)) or cut
        if clean and (held := self._first.take()) is not None:
            # The one document that was all: where the content type says JSON, this was a body and not a stream.
            self._gate.die(body_failure(prove(held[0])), RepairKind.NOT_A_STREAM, held[1], held[2])
        self._release_held()
        return cut

    def _is_last(self, line: bytes) -> bool:
        """Return whether a last line without its end may be read as a line."""
        if self._gate.options.standard_only or self._open.scanner is not None:
            return True
        if not is_utf8(line):
            return False
        text = line.decode()
        is_framed = line.startswith(b"data:") and is_whole(text[5:])
        return prove(text) is not FLAWED or bool(mend_payload(text, self._gate.allows)[1]) or is_framed

    def _drop_tail(self, line: bytes, start: int, end: int) -> bool:
        self.shows_its_framing = line[:1] in (b"{", b"[", b'"')
        if line:
            self._gate.repair_if_enabled(RepairKind.UNFINISHED_TAIL, start, end)
        return bool(line)
