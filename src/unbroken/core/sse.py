"""The SSE framer: lines to blocks to events, mended where a block fails the strict reading.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation. The open block is kept in
one buffer in its canonical spelling and is taken apart only when it ends; what must leave earlier (two events without
a blank line between them, raw JSON) is noticed line by line, by a bracket scanner, never by one parse per line.
"""

from __future__ import annotations

import re
from typing import Any

from .block import FIELD_NAME, Block, is_retry
from .decoder import LineSplitter, decode_line, is_utf8
from .errors import Failure
from .events import Event
from .gate import Gate, Mode
from .likeness import Likeness
from .mending import DONE, escape_separators, is_misspelt_done, join_raw_lines, mend_payload, one_line
from .proof import FLAWED, UNPROVEN, BracketScanner, is_whole, prove
from .repairs import RepairKind

_DONE = DONE.encode()
_KNOWN_FIELDS = (b"data", b"event", b"id", b"retry")
# Seldom needed: compiled at their first use, by `re` itself.
_MISNAMED_DATA = rb"(?i)[ \t]*+data[ \t]*+:"
_ERROR_HEAD = rb"HTTP/[0-9](?:\.[0-9])? ([45][0-9]{2})(?: |$)"
_MARKUP = rb"(?i)[ \t]*+<(?:!doctype|html)\b"


_SIMPLE_FRAME = re.compile(r"(?:event: (.*)\n)?(?:id: (.*)\n)?data: (.*)\n\n")
_HALVES_FROM = 2048
_FRAMES_FROM = 24
"""Bytes of a chunk from which looking for whole frames pays."""
_TAKES_STRAYS = (RepairKind.RAW_NEWLINE, RepairKind.RAW_JSON)


def _spell_lines(block: Block, payload: str) -> bytes:
    """Write the block with a payload of as many lines as its own."""
    values = iter(payload.encode().split(b"\n"))
    lines = [b"data: " + next(values) if line.startswith(b"data: ") else line for line in block.lines]
    return b"".join(line + b"\n" for line in lines) + b"\n"


class SSEFramer:
    """Take chunks of an SSE stream, and give the gate its events, comments and repairs, in order."""

    def __init__(self, gate: Gate, offset: int = 0) -> None:
        self._gate = gate
        self._splitter = LineSplitter(offset)
        self.saw_own = False
        """Whether any line was a field or comment of the standard's: then this was SSE, however it ended."""
        self._limit = gate.options.max_event_bytes
        self._block = bytearray()  # the open block, canonical lines
        self._start = 0  # where it began in the input
        self._end = 0  # where its last line ended, line end not counted
        self._data_lines = 0
        self._data_end = 0  # where the last data line ends in `_block`
        self._behind_data = 0  # where the line behind it began in the input
        self._stray_from: int | None = None
        self._stray_to = 0
        self._scanner: BracketScanner | None = None
        self._split_failed = False  # one proof in vain per block: a second would make a long block quadratic
        self._raw: BracketScanner | None = None  # the open block is raw JSON without `data:`
        self._poisoned = False  # the open block is too long, and gone
        self._blank_owed = False  # a comment left its block; the blank line behind it may follow
        self._line_end = b"\n"  # of the last frames that were taken at once
        self._carried: dict[bytes, bytes] = {}  # `id:` and `retry:` lines on their way to the next event

    @property
    def carried(self) -> bytes:
        """`id:` and `retry:` lines that have met no event yet; at the end they leave with what is written last."""
        return b"" if self._gate.past_done else b"".join(line + b"\n" for line in self._carried.values())

    # Lines

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self._gate.lane is not None:
            chunk = self._close_lane(len(chunk)) + chunk
        if len(chunk) >= _FRAMES_FROM:
            chunk = self._feed_frames(chunk)
        if chunk:
            self._feed_lines(chunk)
        if self._gate.likeness is not None and not self._blank_owed and self._is_idle():
            self._gate.open_lane(self._line_end * 2)

    def _close_lane(self, coming: int) -> bytes:
        """Go on behind what went past; give what the lane kept. `coming` bytes behind that were counted already."""
        held = self._gate.close_lane()
        self._splitter.offset = self._gate.report.bytes_in - coming - len(held)
        return held

    def _feed_frames(self, chunk: bytes) -> bytes:
        """Take the frames that are whole in this chunk, all at once, and give the rest. A fast path, held by law 1."""
        line_end = self._line_end = b"\r\n" if 0x0D in chunk else b"\n"  # `b"\r" in chunk` costs 1 µs
        blank = line_end + line_end
        if not self._is_idle():
            first = chunk.find(blank)
            if first < 0:
                return chunk
            self._feed_lines(chunk[: first + len(blank)])
            chunk = chunk[first + len(blank) :]
            if not self._is_idle():
                return chunk
        end = chunk.rfind(blank) + len(blank)
        if end < len(blank) or end > self._limit or not self._take_frames(chunk[:end], line_end):
            return chunk
        return chunk[end:]

    def _halve(self, frames: bytes, line_end: bytes) -> bool:
        """Look for a likeness in either half of frames that are not all alike; False where halving does not pay."""
        blank = line_end + line_end
        middle = frames.rfind(blank, 0, len(frames) // 2) + len(blank)
        if len(frames) < _HALVES_FROM or middle < len(blank):
            return False
        for half in (frames[:middle], frames[middle:]):
            if not self._is_idle() or not self._take_frames(half, line_end):
                self._feed_lines(half)
        return True

    def _is_idle(self) -> bool:
        """Tell whether the next byte begins a block, and nothing waits for it."""
        splitter = self._splitter
        waits = self._block or self._poisoned or self._carried or splitter.open_line or splitter.skips_lf
        return not waits and self._gate.dead_from is None

    def _take_frames(self, frames: bytes, line_end: bytes) -> bool:
        """Take frames of one spelling that hold nothing but a name, an id and one line of data; False for any other."""
        if self._take_alike_frames(frames, line_end):
            return True
        if self._halve(frames, line_end):
            return True
        try:
            text = frames.decode()
        except UnicodeDecodeError:
            return False
        if line_end == b"\r\n":
            if text.count("\n") != text.count("\r\n"):
                return False  # offsets are counted from one spelling
            text = text.replace("\r\n", "\n")
        return self._take_simple_frames(text, line_end)

    def _take_alike_frames(self, frames: bytes, line_end: bytes) -> bool:
        gate = self._gate
        likeness = gate.likeness
        if likeness is None or (likeness.has_id and gate.delivered is not None):
            return False
        values = likeness.spelt(line_end).values_in(frames)
        if values is None:
            return False
        self._note_line_ends(likeness.lines * (len(values) // likeness.width), line_end)
        gate.forward_run(likeness, values, frames if line_end == b"\n" else likeness.form.spell(values))
        self._splitter.offset += len(frames)
        self._blank_owed = False
        return True

    def _take_simple_frames(self, text: str, line_end: bytes) -> bool:
        found = _SIMPLE_FRAME.findall(text)
        sizes = [
            len(data) + 8 + (len(name) + 8 if name else 0) + (len(id) + 5 if id else 0) for name, id, data in found
        ]
        if sum(sizes) != len(text) or "\r" in text or "\0" in text:
            return False  # something stands between the frames, or a field is empty or spelt otherwise
        self.saw_own = True
        splitter = self._splitter
        extra = len(line_end) - 1
        at = 0
        for (name, id, data), size in zip(found, sizes, strict=True):
            wire = text[at : at + size - 1].encode()
            lines = 1 + (name != "") + (id != "")
            start = splitter.offset
            splitter.offset += len(wire) + 1 + extra * (lines + 1)
            if self._gate.dead_from is None:
                self._note_line_ends(lines + 1, line_end)
                block = Block.simple(wire, name or None, id or None, data)
                self._settle(block, start, start + len(wire) - 1 + extra * (lines - 1))
            at += size
        return True

    def _note_line_ends(self, count: int, line_end: bytes) -> None:
        if line_end != b"\n":
            self._gate.report.respellings["line-end"] += count

    def _feed_lines(self, chunk: bytes) -> None:
        splitter = self._splitter
        lines = splitter.feed(chunk)
        if lines:
            valid = is_utf8(b"".join(lines))
            for raw in lines:
                if self._gate.dead_from is not None:
                    return
                self._take_raw_line(raw, valid)
        if splitter.open_line:
            self._bound_open_line()

    def _take_raw_line(self, raw: bytes, valid: bool) -> None:
        splitter = self._splitter
        start = splitter.offset
        line = raw.rstrip(b"\r\n")
        end = start + len(line)
        splitter.offset += len(raw)
        if len(raw) - len(line) != 1 or raw[-1] != 0x0A:
            self._gate.report.respellings["line-end"] += 1
        too_long = self._poisoned or len(self._block) + len(line) + 2 > self._limit
        self._take_line(line if valid or too_long else self._decode(line, start), start, end)

    def _decode(self, line: bytes, start: int) -> bytes:
        """Replace what is no UTF-8. The standard's decoder does so too, but does not tell."""
        decoded, runs = decode_line(line)
        for begin, length in runs:
            if RepairKind.INVALID_UTF8 in self._gate.options.repairs:
                self._gate.repair(RepairKind.INVALID_UTF8, start + begin, start + begin + length)
        self._gate.report.invalid_utf8 += len(runs)
        return decoded

    def _bound_open_line(self) -> None:
        splitter = self._splitter
        # A canonical line is never shorter than its raw bytes, so this line is too long however it ends.
        if not self._poisoned and len(self._block) + len(splitter.open_line) + 2 > self._limit:
            self._poison(splitter.offset)
        if self._poisoned and len(splitter.open_line) > 1:
            self._end = splitter.offset + len(splitter.open_line)
            splitter.shorten_open_line()

    def _poison(self, line_start: int) -> None:
        start = self._start if self._block else line_start
        self._reset()
        self._start = start
        self._poisoned = True

    def _take_line(self, line: bytes, start: int, end: int) -> None:
        if self._poisoned:
            self._take_poisoned(line, end)
        elif not line:
            self._take_blank()
        elif len(self._block) + len(line) + 2 > self._limit:
            self._poison(start)
            self._end = end
        elif line[0] == 0x3A:
            self._take_comment(line, start, end)
        elif self._raw is not None:
            self._continue_raw(line, start, end)
        else:
            self._take_field(line, start, end)

    def _take_poisoned(self, line: bytes, end: int) -> None:
        if line:
            self._end = end
        else:
            self._poisoned = False
            self._gate.repair(RepairKind.OVERSIZED_EVENT, self._start, self._end)

    def _take_blank(self) -> None:
        if self._raw is not None:
            self._abandon_raw()
        if self._block:
            self._finish_block()
        elif self._blank_owed or self._keeps_blank_lines():
            self._blank_owed = False
            self._gate.forward_bare(b"\n")
        else:
            self._gate.report.respellings["blank-line"] += 1

    def _take_comment(self, line: bytes, start: int, end: int) -> None:
        gate = self._gate
        self.saw_own = self.saw_own or gate.takes_comments  # what leaves no trace proves nothing to the next reader
        if self._raw is not None:
            self._abandon_raw()
        if not self._block:
            text = line[1:].decode().removeprefix(" ")
            if not gate.takes_comments:
                gate.report.respellings["comment"] += gate.options.comments == "keep"
                gate.forward_comment(text, b"\n" if self._keeps_blank_lines() else b"")
                return
            gate.forward_comment(text, line + b"\n")
            # Clients built on one widespread parser dispatch an empty event at a blank line once an id was seen.
            after_id = gate.mode is Mode.KNOWN and bool(gate.report.last_event_id)
            self._blank_owed = gate.options.comments == "keep" and (gate.options.standard_only or not after_id)
            return
        gate.report.comments += 1
        if gate.options.comments == "keep":
            self._append(line, start, end)

    def _keeps_blank_lines(self) -> bool:
        """Whether a blank line between blocks leaves: where clients take no comment, it is what keeps them alive.

        Not before anything left, where the next reader's sniffer skips it, and not once an id came, even one that
        still waits for its event: clients built on one widespread parser dispatch an empty event there.
        """
        gate = self._gate
        if gate.takes_comments or not gate.opened or gate.options.comments == "drop":
            return False
        return not (gate.report.last_event_id or self._carried)

    def _take_field(self, line: bytes, start: int, end: int) -> None:
        name, _, value = line.partition(b":")
        if not FIELD_NAME.fullmatch(name):
            self._take_stray(line, start, end)
            return
        canonical = line
        if value[:1] == b" ":
            value = value[1:]
        else:
            canonical = name + b": " + value
            self._gate.report.respellings["field-blank"] += 1
        self.saw_own = self.saw_own or name in _KNOWN_FIELDS
        if name == b"data":
            self._take_data(canonical, value, start, end)
        elif name != b"error" or self._block or not self._lift_error(value, start, end):
            self._append(canonical, start, end)

    def _append(self, canonical: bytes, start: int, end: int) -> None:
        if len(self._block) + len(canonical) + 2 > self._limit:
            self._poison(start)
        else:
            if not self._block:
                self._start = start
                self._blank_owed = False
            if len(self._block) == self._data_end:
                self._behind_data = start
            self._block += canonical
            self._block.append(0x0A)
        self._end = end

    # Data lines, and events without a blank line between them

    def _take_data(self, canonical: bytes, value: bytes, start: int, end: int) -> None:
        if self._data_lines and not self._split_failed and self._gate.allows(RepairKind.MISSING_BLANK_LINE):
            if self._begins_document(value) and self._open_data_is_whole():
                self._gate.repair(RepairKind.MISSING_BLANK_LINE, start, start)
                self._finish_data(start)
            else:
                self._scan_open_data().feed(value)
        self._append(canonical, start, end)
        if not self._poisoned:
            self._data_lines += 1
            self._data_end = len(self._block)

    def _begins_document(self, value: bytes) -> bool:
        """Tell whether this line alone is a whole document, tried only where the open data may end."""
        if value[:1] not in (b"{", b"[") or not self._scan_open_data().whole:
            return False
        return value.strip() == _DONE or is_whole(value.decode())

    def _scan_open_data(self) -> BracketScanner:
        """Give the scanner that has seen all open data; it starts only when something makes it worth while."""
        if self._scanner is None:
            self._scanner = BracketScanner()
            for value in Block(bytes(self._block)).data:
                self._scanner.feed(value)
        return self._scanner

    def _open_data_is_whole(self) -> bool:
        """Prove the open data; in vain at most once per block."""
        if not self._data_lines or self._split_failed or not self._scan_open_data().whole:
            return False
        self._split_failed = not is_whole(Block(bytes(self._block)).payload)
        return not self._split_failed

    def _finish_data(self, offset: int) -> None:
        """End the open block behind its last data line; the lines behind that begin the next block."""
        lines = bytes(self._block[self._data_end :]).splitlines(keepends=True)
        del self._block[self._data_end :]
        # At the head of a block an error would be lifted out by the next reader.
        self._block += b"".join(line for line in lines if line.startswith(b"error: "))
        rest = b"".join(line for line in lines if not line.startswith(b"error: "))
        strays = (self._stray_from, self._stray_to)
        name = Block(bytes(self._block)).name
        self._finish_block()
        if name and not Block(rest).name:
            rest = b"event: " + name.encode() + b"\n" + rest
        if Block(rest).strays:
            self._stray_from, self._stray_to = strays
        self._start = self._behind_data if lines else offset
        self._end = offset
        self._block += rest

    # Lines that are no field

    def _take_stray(self, line: bytes, start: int, end: int) -> None:
        gate = self._gate
        if gate.text:
            self._append(line, start, end)
        elif not line.strip(b" \t"):
            self._take_blanks(line, start, end)
        elif (line[0] in b"{[" and self._begin_raw(line, start, end)) or (
            re.match(_MISNAMED_DATA, line) and self._take_misnamed(line, start, end)
        ):
            return
        elif self._block:
            self._hold_stray(line, start, end)
        elif not self._cut_foreign(line, start, end):
            self._drop_lines(start, end)

    def _drop_lines(self, start: int, end: int) -> None:
        """Leave out a line that is no field; readers ignore it, so without the repair it is a re-spelling."""
        if self._gate.allows(RepairKind.STRAY_LINE):
            self._gate.repair(RepairKind.STRAY_LINE, start, end)
        else:
            self._gate.report.respellings["stray-line"] += 1

    def _hold_stray(self, line: bytes, start: int, end: int) -> None:
        if self._stray_from is None:
            self._stray_from = start
        self._stray_to = end
        self._append(line, start, end)

    def _take_blanks(self, line: bytes, start: int, end: int) -> None:
        """Blanks alone are no blank line; behind a whole document they can only have been meant as one."""
        if self._gate.allows(RepairKind.MISSING_BLANK_LINE) and self._open_data_ends():
            self._gate.repair(RepairKind.MISSING_BLANK_LINE, start, end)
            self._finish_block()
        elif self._block:
            self._hold_stray(line, start, end)
        else:
            self._drop_lines(start, end)

    def _open_data_ends(self) -> bool:
        if self._data_lines == 1 and self._block.endswith(b"data: [DONE]\n") and self._gate.mode is Mode.KNOWN:
            return True
        return self._open_data_is_whole()

    def _take_misnamed(self, line: bytes, start: int, end: int) -> bool:
        if not self._gate.allows(RepairKind.FIELD_NAME) or (self._data_lines and not self._open_data_is_whole()):
            return False
        value = line.partition(b":")[2].removeprefix(b" ")
        if value.strip() != _DONE and not is_whole(value.decode()):
            return False
        self._gate.repair(RepairKind.FIELD_NAME, start, end)
        self._take_data(b"data: " + value, value, start, end)
        return True

    def _cut_foreign(self, line: bytes, start: int, end: int) -> bool:
        """Cut at an error page or an HTTP error head that was written into the stream."""
        head = re.match(_ERROR_HEAD, line)
        if not self._gate.allows(RepairKind.FOREIGN_BODY) or self._gate.past_done:
            return False
        if not head and not re.match(_MARKUP, line):
            return False
        status = int(head[1]) if head else None
        self._gate.die(Failure("upstream-failed", status_hint=status), RepairKind.FOREIGN_BODY, start, end)
        return True

    def _lift_error(self, value: bytes, start: int, end: int) -> bool:
        """Lift a bare `error: {...}` line, as one inference server writes it, into an event."""
        if not self._gate.allows(RepairKind.ERROR_LINE) or not value.startswith(b"{"):
            return False
        text = value.decode()
        if not is_whole(text):
            return False
        self._gate.repair(RepairKind.ERROR_LINE, start, end)
        self._forward_document(Block(b""), '{"error": ' + text.strip() + "}", start, end)
        return True

    # Raw JSON without `data:`

    def _begin_raw(self, line: bytes, start: int, end: int) -> bool:
        if line.strip() == _DONE:
            return self._lift_done(start, end)
        if not self._gate.allows(RepairKind.RAW_JSON):
            return False
        scanner = BracketScanner()
        scanner.feed(line)
        if scanner.spoiled or (self._block and not self._may_lift(line, scanner)):
            return False
        self._end_before(start)
        self._append(line, start, end)
        self._raw = scanner
        self._try_raw()
        return True

    def _may_lift(self, line: bytes, scanner: BracketScanner) -> bool:
        """Tell whether both the open data and this line are whole documents."""
        return scanner.whole and is_whole(line.decode()) and self._open_data_is_whole()

    def _end_before(self, start: int) -> None:
        if self._block:
            self._gate.repair(RepairKind.MISSING_BLANK_LINE, start, start)
            self._finish_block()

    def _lift_done(self, start: int, end: int) -> bool:
        """Lift `[DONE]` without `data:`; where it is the dialect's sentinel it can be nothing else."""
        gate = self._gate
        if not self._expects_done() or not gate.allows(RepairKind.DONE_SPELLING):
            return False
        if self._block and not self._open_data_is_whole():
            return False
        self._end_before(start)
        gate.repair(RepairKind.DONE_SPELLING, start, end)
        self._forward(Block(b""), DONE, FLAWED, start, end)
        return True

    def _expects_done(self) -> bool:
        gate = self._gate
        return gate.mode is Mode.KNOWN and gate.dialect is not None and gate.dialect.sentinel == DONE

    def _continue_raw(self, line: bytes, start: int, end: int) -> None:
        assert self._raw is not None
        if line.partition(b":")[0] in _KNOWN_FIELDS:
            self._abandon_raw()
            self._take_field(line, start, end)
            return
        self._append(line, start, end)
        self._raw.feed(b"\n" + line)
        self._try_raw()

    def _try_raw(self) -> None:
        """Forward the raw document once its last bracket is closed."""
        assert self._raw is not None
        if self._raw.whole:
            text = bytes(self._block).decode()
            if is_whole(text):
                start, end = self._start, self._end
                self._reset()
                self._gate.repair(RepairKind.RAW_JSON, start, end)
                self._forward_document(Block(b""), text, start, end)
                return
        if self._raw.whole or self._raw.spoiled:
            self._abandon_raw()

    def _abandon_raw(self) -> None:
        """Drop raw lines that did not become a document."""
        start, end = self._start, self._end
        self._reset()
        self._drop_lines(start, end)

    # Blocks

    def _reset(self) -> None:
        self._block.clear()
        self._data_lines = self._data_end = 0
        self._stray_from = None
        self._scanner = self._raw = None
        self._split_failed = False

    def _finish_block(self) -> None:
        """End the open block and forward what it holds."""
        block = Block(self._spell_open_block())
        start, end = self._start, self._end
        stray_from, stray_to = self._stray_from, self._stray_to
        self._reset()
        self._settle(block, start, end, stray_from, stray_to)

    def _spell_open_block(self) -> bytes:
        """Return the lines of the open block, without the comments that its clients would fail at."""
        lines = bytes(self._block)
        if self._gate.takes_comments or (lines[:1] != b":" and b"\n:" not in lines):
            return lines
        kept = [line for line in lines.splitlines(keepends=True) if not line.startswith(b":")]
        self._gate.report.respellings["comment"] += lines.count(b"\n") - len(kept)
        return b"".join(kept)

    def _settle(self, block: Block, start: int, end: int, stray_from: int | None = None, stray_to: int = 0) -> None:
        if self._settle_strictly(block, start, end):
            return
        kind, pieces = self._mend(block)
        rescued = self._rescue(block) if kind not in _TAKES_STRAYS else []
        if stray_from is not None and kind not in _TAKES_STRAYS and len(rescued) < len(block.strays):
            self._drop_lines(stray_from, stray_to)
        self._forward_settled(block, kind, pieces, start, end)
        for text in rescued:
            assert stray_from is not None
            self._gate.repair(RepairKind.RAW_JSON, stray_from, stray_to)
            self._forward_document(Block(b""), text, stray_from, stray_to)

    def _settle_strictly(self, block: Block, start: int, end: int) -> bool:
        """Forward a block that passes the strict reading, or that nothing may be done to; False for any other."""
        gate = self._gate
        if gate.past_done:
            gate.repair(RepairKind.AFTER_DONE, start, end)
        elif gate.repeats(block.id):
            gate.repair(RepairKind.REPEATED_EVENT, start, end)
        elif gate.text:
            self._forward_as_is(block, start, end)
        elif block.strays or not block.data:
            return False
        else:
            payload = block.payload
            if gate.likeness is not None and self._forward_alike(gate.likeness, block):
                return True
            value = prove(payload)
            if value is FLAWED:
                return False
            self._forward_proven(block, payload, value, start, end)
        return True

    def _forward_alike(self, likeness: Likeness, block: Block) -> bool:
        """Forward a frame that is like the one before it."""
        wire = block.wire + b"\n"
        values = None if self._carried else likeness.values_of(wire)
        if values is None or len(values) != likeness.width:
            return False
        self._gate.forward_run(likeness, values, wire)
        self._blank_owed = False
        return True

    def _mend(self, block: Block) -> tuple[RepairKind | None, list[str]]:
        """Give the documents that the block proves to hold, and the repair that this took."""
        allows = self._gate.allows
        if not block.data:
            raw = b"\n".join(block.strays).decode()
            return (RepairKind.RAW_JSON, [raw]) if raw and allows(RepairKind.RAW_JSON) and is_whole(raw) else (None, [])
        payload = block.payload
        if payload == DONE or not payload or prove(payload) is not FLAWED:
            return None, []
        if len(block.body) > 1 and allows(RepairKind.RAW_NEWLINE):
            joined = join_raw_lines(b"\n".join(block.body).decode())
            if joined:
                return RepairKind.RAW_NEWLINE, joined
        return mend_payload(payload, allows)

    def _rescue(self, block: Block) -> list[str]:
        """Give the raw lines of a block that are whole documents of their own."""
        if not block.strays or not self._gate.allows(RepairKind.RAW_JSON):
            return []
        return [line.decode() for line in block.strays if line[:1] in (b"{", b"[") and is_whole(line.decode())]

    def _forward_settled(self, block: Block, kind: RepairKind | None, pieces: list[str], start: int, end: int) -> None:
        if kind is not None:
            self._gate.repair(kind, start, end)
            for number, piece in enumerate(pieces):
                self._forward_document(block, piece, start, end, further=number > 0)
        elif not block.data:
            self._forward_bare(block)
        else:
            payload = block.payload
            value = prove(payload)
            if value is FLAWED:
                self._forward_flawed(block, payload, start, end, wire=block.spell())
            else:
                self._forward_proven(block, payload, value, start, end)

    def _forward_as_is(self, block: Block, start: int, end: int) -> None:
        payload = block.payload
        if block.data:
            value = prove(payload) if payload[:1] in ("{", "[") else FLAWED
            self._forward(block, payload, value, start, end, wire=block.wire + b"\n")
        else:
            self._note_fields(block)
            self._gate.forward_bare(block.wire + b"\n")

    def _forward_bare(self, block: Block) -> None:
        """Forward a block without data; in a known dialect its `id:` and `retry:` wait for the next event."""
        gate = self._gate
        if gate.mode is not Mode.KNOWN or block.unknown:
            self._note_fields(block)
            gate.forward_bare(block.spell())
            return
        gate.report.respellings["bare-block"] += 1
        self._carry(block)
        comments = [line + b"\n" for line in block.lines if line.startswith(b":")]
        if comments:
            gate.forward_bare(b"".join(comments))

    def _forward_proven(self, block: Block, payload: str, value: Any, start: int, end: int) -> None:
        gate = self._gate
        is_empty = value is None and gate.mode is Mode.KNOWN and not self._says_by_name(block)
        if is_empty and gate.allows(RepairKind.EMPTY_DATA):
            self._drop(RepairKind.EMPTY_DATA, block, start, end)
            return
        escaped = payload if value is UNPROVEN else escape_separators(payload)
        if escaped is not payload:
            gate.report.respellings["separator"] += 1
            wire = _spell_lines(block, escaped)
        else:
            wire = block.spell()
        self._forward(block, escaped, value, start, end, wire=wire)

    def _forward_flawed(
        self, block: Block, payload: str, start: int, end: int, *, wire: bytes | None = None, further: bool = False
    ) -> None:
        """Deal with a payload that nothing mends: in a known dialect nobody could read it."""
        gate = self._gate
        dropped = self._drops(payload)
        if gate.mode is not Mode.KNOWN or payload == self._sentinel() or self._says_by_name(block):
            self._forward(block, payload, FLAWED, start, end, wire=wire, further=further)
        elif self._expects_done() and is_misspelt_done(payload) and gate.allows(RepairKind.DONE_SPELLING):
            gate.repair(RepairKind.DONE_SPELLING, start, end)
            self._forward(block, DONE, FLAWED, start, end)
        elif dropped is RepairKind.INVALID_JSON and block.name == "error":
            gate.report.invalid_json += 1
            gate.die(Failure("upstream-error"), dropped, start, end)
        elif dropped is not None:
            self._drop(dropped, block, start, end)
        elif gate.options.invalid_json == "error":
            gate.report.invalid_json += 1
            gate.die(Failure("invalid-json"), RepairKind.INVALID_JSON, start, end)
        else:
            gate.report.invalid_json += 1
            self._forward(block, payload, FLAWED, start, end, wire=wire, further=further)

    def _sentinel(self) -> str | None:
        dialect = self._gate.dialect
        return None if dialect is None else dialect.sentinel

    def _says_by_name(self, block: Block) -> bool:
        dialect = self._gate.dialect
        return dialect is not None and block.name is not None and dialect.says_by_name(block.name)

    def _drops(self, payload: str) -> RepairKind | None:
        """Name the reason to drop a payload that no client of a known dialect can read."""
        if not payload.strip():
            kind = RepairKind.EMPTY_DATA
        elif payload.startswith(":"):
            kind = RepairKind.WRAPPED_COMMENT
        elif self._gate.options.invalid_json == "drop":
            kind = RepairKind.INVALID_JSON
        else:
            return None
        return kind if self._gate.allows(kind) else None

    def _drop(self, kind: RepairKind, block: Block, start: int, end: int) -> None:
        self._gate.repair(kind, start, end)
        self._gate.report.invalid_json += kind is RepairKind.INVALID_JSON
        self._carry(block)

    def _carry(self, block: Block) -> None:
        """Keep `id:` and `retry:` of a block that does not leave for the next one that does."""
        self._note_fields(block)
        for line in block.lines:
            name = line.partition(b": ")[0]
            if (name == b"id" and b"\0" not in line) or (name == b"retry" and is_retry(line[7:])):
                self._carried[name] = line

    def _note_fields(self, block: Block) -> None:
        report = self._gate.report
        if block.id is not None:
            self._gate.note_id(block.id)
        if block.retry is not None:
            report.retry = block.retry

    # Events

    def _forward_document(self, block: Block, text: str, start: int, end: int, *, further: bool = False) -> None:
        """Forward one mended document, on one line."""
        if text == DONE:
            self._forward_flawed(block, DONE, start, end, further=further)
            return
        payload = escape_separators(one_line(text))
        self._forward(block, payload, prove(payload), start, end, further=further)

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
        self._note_fields(block)
        if wire is None:
            wire = block.respell(payload, further=further)
        carried = self._carried
        if carried:
            if block.id is not None:
                carried.pop(b"id", None)
            lead = b"".join(line + b"\n" for line in carried.values())
            if lead and len(lead) + len(wire) > self._limit >= len(wire):
                carried.clear()
                self._gate.forward_bare(lead + b"\n")
            else:
                wire = lead + wire
        event = Event(payload, block.name or "message", self._gate.report.last_event_id, self._retry_of(block, further))
        if self._gate.forward(event, wire, value, start, end, named=block.name is not None):
            carried.clear()
            self._blank_owed = False
        else:
            self._carry(block)

    def _retry_of(self, block: Block, further: bool) -> int | None:
        if block.retry is not None and not further:
            return block.retry
        return self._gate.report.retry if b"retry" in self._carried else None

    # The end

    def close(self, *, clean: bool) -> bool:
        """Take the end of input; at a clean end a last event that is whole leaves. Tell whether a piece was cut."""
        if self._gate.lane is not None:
            self._feed_lines(self._close_lane(0))
        line = bytes(self._splitter.open_line)
        start = self._splitter.offset
        self.saw_own = self.saw_own or line.startswith(b":") or line.partition(b":")[0] in _KNOWN_FIELDS
        if self._poisoned:
            self._poisoned = False
            self._gate.repair(RepairKind.OVERSIZED_EVENT, self._start, max(self._end, start + len(line)))
            return True
        if clean and not self._gate.text and self._gate.allows(RepairKind.UNTERMINATED_EVENT):
            if self._completes(line):
                self._take_line(line, start, start + len(line))
                line = b""
            self._deliver_tail()
        return self._drop_tail(line, start)

    def _completes(self, line: bytes) -> bool:
        """Tell whether a last line without its end is whole, alone or with the open data."""
        if not line or not is_utf8(line):
            return False
        name, _, value = line.partition(b":")
        if name == b"data":
            return self._completes_data(value.removeprefix(b" "))
        if name == b"error":
            return not self._block and is_whole(value.decode())
        return self._raw is not None or line[:1] in (b"{", b"[") or re.match(_MISNAMED_DATA, line) is not None

    def _completes_data(self, value: bytes) -> bool:
        open_data = Block(bytes(self._block)).data if self._raw is None else []
        if self._is_deliverable(b"\n".join([*open_data, value]).decode()):
            return True
        return self._open_data_is_whole() and self._is_deliverable(value.decode())

    def _is_deliverable(self, payload: str) -> bool:
        if payload == DONE or (self._expects_done() and is_misspelt_done(payload)) or is_whole(payload):
            return True
        return prove(payload) is FLAWED and bool(mend_payload(payload, self._gate.allows)[1])

    def _deliver_tail(self) -> None:
        if not self._block or self._raw is not None:
            return
        block = Block(bytes(self._block))
        if self._mend(block)[1] or (block.data and self._is_deliverable(block.payload)):
            self._gate.repair(RepairKind.UNTERMINATED_EVENT, self._start, self._end)
            self._finish_block()

    def _drop_tail(self, line: bytes, start: int) -> bool:
        """Drop what is not whole; an open comment is no loss."""
        end = start + len(line)
        if self._block:
            start, end = self._start, end if line else self._end
            retry = Block(bytes(self._block)).retry
            if retry is not None:
                self._gate.report.retry = retry  # WHATWG 9.2.6: it holds from its line on, not from the blank line
        elif not line or line.startswith(b":"):
            return False
        self._reset()
        if RepairKind.UNFINISHED_TAIL in self._gate.options.repairs:
            self._gate.repair(RepairKind.UNFINISHED_TAIL, start, end)
        return True
