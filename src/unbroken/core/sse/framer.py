"""Lines to blocks, as WHATWG 9.2.6 has it, in the canonical spelling; no JSON, no repair, no policy but the limit.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation. The open block is one
buffer: a million small lines kept as objects would cost 27 times their bytes.
"""

from __future__ import annotations

from typing import Protocol

from .block import FIELD_NAME, Block, ParsedBlock, parse_simple

Field = tuple[bytes, bytes, bytes]
"""Name, value, and the canonical spelling of the line."""
Span = tuple[int, int]
"""Offsets in the input: the first byte, and the one after the last."""


class Sink(Protocol):
    """What a framer hands over, in order."""

    def on_block(self, block: Block, start: int, end: int, non_fields: Span | None) -> None:
        """A block ended; `non_fields` is where its non-field lines stood."""

    def on_comment(self, line: bytes) -> None:
        """A comment came outside of any block."""

    def on_inner_comment(self, line: bytes) -> None:
        """A comment came inside of a block, and stays in it where comments are kept."""

    def on_blank_line(self) -> None:
        """A blank line came outside of any block."""

    def on_oversized(self, start: int, end: int) -> None:
        """A block ended that was longer than the limit; nothing of it is left."""

    def on_respelling(self, what: str) -> None:
        """A legal spelling was made canonical."""


def parse_field(line: bytes) -> Field | None:
    """Return the field that a line is, or None for a non-field line."""
    name, _, value = line.partition(b":")
    if not FIELD_NAME.fullmatch(name):
        return None
    if value[:1] == b" ":
        return name, value[1:], line
    return name, value, name + b": " + value


class OpenBlock:
    """The lines since the last blank line."""

    __slots__ = ("after_data", "data_end", "data_lines", "end", "non_fields", "start", "wire")

    def __init__(self) -> None:
        self.wire = bytearray()  # canonical lines, each with its LF
        self.start = 0  # where it began in the input
        self.end = 0  # where its last line ended, line end not counted
        self.clear()

    def clear(self) -> None:
        """Forget the lines."""
        self.wire.clear()
        self.data_lines = 0
        self.data_end = 0  # where the last data line ends in `wire`
        self.after_data = 0  # where the line after that began in the input
        self.non_fields: Span | None = None  # where non-field lines stood

    def parse(self) -> Block:
        """Return the block as it would be if it ended here."""
        wire = bytes(self.wire)
        return parse_simple(wire + b"\n") or ParsedBlock(wire)


class Framer:
    """Takes lines without their ends, each with its place in the input."""

    __slots__ = ("_keeps_comments", "_limit", "_sink", "open", "oversized")

    def __init__(self, block: OpenBlock, limit: int, sink: Sink, *, keeps_comments: bool) -> None:
        self.open = block
        self.oversized = False
        """Whether the open block is longer than the limit, and gone: its lines are skipped."""
        self._limit = limit
        self._sink = sink
        self._keeps_comments = keeps_comments

    def has_no_room(self, line: bytes | bytearray) -> bool:
        """Return whether the open block would be longer than the limit with this line."""
        return len(self.open.wire) + len(line) + 2 > self._limit

    def skip(self, line_start: int, end: int) -> None:
        """Forget the open block, which is too long; skip what follows of it."""
        start = self.open.start if self.open.wire else line_start
        self.open.clear()
        self.open.start, self.open.end = start, end
        self.oversized = True

    def take(self, line: bytes, start: int, end: int) -> None:
        """Take one line."""
        if self.oversized:
            self._skip_line(line, end)
        elif not line:
            self.end_block()
        elif self.has_no_room(line):
            self.skip(start, end)
        elif line[0] == 0x3A:
            self._take_comment(line, start, end)
        else:
            self.take_field(line, parse_field(line), start, end)

    def _skip_line(self, line: bytes, end: int) -> None:
        if line:
            self.open.end = end
        else:
            self.end_oversized(self.open.end)

    def end_oversized(self, end: int) -> None:
        """End a block that was too long."""
        self.oversized = False
        self._sink.on_oversized(self.open.start, end)

    def _take_comment(self, line: bytes, start: int, end: int) -> None:
        if not self.open.wire:
            self._sink.on_comment(line)
            return
        self._sink.on_inner_comment(line)
        if self._keeps_comments:
            self.append(line, start, end)

    def take_field(self, line: bytes, field: Field | None, start: int, end: int) -> None:
        """Take a field, or (None) a non-field line that stays where it stands."""
        if field is None:
            self.append(line, start, end)
            return
        name, _, canonical = field
        if canonical is not line:
            self._sink.on_respelling("field-blank")
        if self.append(canonical, start, end) and name == b"data":
            self.open.data_lines += 1
            self.open.data_end = len(self.open.wire)

    def append(self, canonical: bytes, start: int, end: int) -> bool:
        """Add a line to the open block; return False if that made it too long."""
        block = self.open
        wire = block.wire
        size = len(wire)
        if size + len(canonical) + 2 > self._limit:
            self.skip(start, end)
            return False
        if not size:
            block.start = start
        if size == block.data_end:
            block.after_data = start
        wire += canonical
        wire.append(0x0A)
        block.end = end
        return True

    def append_non_field(self, line: bytes, start: int, end: int) -> None:
        """Add a non-field line, and remember where it stood."""
        first = self.open.non_fields[0] if self.open.non_fields else start
        self.open.non_fields = (first, end)
        self.append(line, start, end)

    def end_block(self) -> None:
        """Take a blank line."""
        if self.open.wire:
            self._end_block()
        else:
            self._sink.on_blank_line()

    def _end_block(self) -> Block:
        block = self.open
        parsed, start, end, non_fields = block.parse(), block.start, block.end, block.non_fields
        block.clear()
        self._sink.on_block(parsed, start, end, non_fields)
        return parsed

    def end_data(self, at: int) -> None:
        """Take a blank line that is missing after the last data line; the lines after that begin the next block.

        The standard does not know this operation. The `event:` name is copied into the next block, since it stood for
        both documents. `error:` lines stay in this one, because the next reader would take one that begins a block for
        an event (`error-line`).
        """
        block = self.open
        lines = bytes(block.wire[block.data_end :]).splitlines(keepends=True)
        del block.wire[block.data_end :]
        block.wire += b"".join(line for line in lines if line.startswith(b"error: "))
        rest = ParsedBlock(b"".join(line for line in lines if not line.startswith(b"error: ")))
        non_fields, begin = block.non_fields, block.after_data if lines else at
        name = self._end_block().name
        if name and not rest.name:
            block.wire += b"event: " + name.encode() + b"\n"
        block.wire += rest.wire
        block.non_fields = non_fields if rest.non_fields else None
        block.start, block.end = begin, at
