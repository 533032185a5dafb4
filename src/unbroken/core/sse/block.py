"""SSE blocks: the lines between two blank lines, what they say, and how they are spelt.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import Final

from ..proof import is_whole

FIELD_NAME: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]*+")
"""What a field name looks like; other lines are non-field lines, whatever colon they hold."""
KNOWN_FIELDS: Final = (b"data", b"event", b"id", b"retry")
"""The fields of the standard."""
MAX_RETRY: Final = int(sys.float_info.max)
"""The longest reconnection time, in milliseconds: no clock takes a number beyond every float."""


def read_retry(value: bytes) -> int | None:
    """Return the reconnection time that the value of a `retry:` line is, at most `MAX_RETRY`; None for any other value.

    The standard (WHATWG 9.2.6) asks for ASCII digits, and sets no bound to their number.
    """
    if not value.isdigit():
        return None
    digits = value.lstrip(b"0")
    # `int` refuses more digits than the settings of the process allow, and takes quadratic time.
    return min(int(digits or b"0"), MAX_RETRY) if len(digits) <= sys.float_info.max_10_exp + 1 else MAX_RETRY


class ParsedBlock:
    """One block, parsed line by line from its canonical lines, each with its LF and without the blank line."""

    __slots__ = (
        "body", "data", "data_at", "has_comments", "id", "lines", "name", "non_fields", "retry", "unknown", "wire",
    )  # fmt: skip

    def __init__(self, wire: bytes) -> None:
        self.wire = wire
        self.lines: list[bytes] = []  # fields and comments
        self.data: list[bytes] = []
        self.non_fields: list[bytes] = []
        self.data_at: int | None = None  # how many of `lines` stand before a document without `data:`
        self.body: list[bytes] = []  # data and non-field lines, in order: what a raw line end may have cut apart
        self.name: str | None = None
        self.id: str | None = None
        self.retry: int | None = None
        self.has_comments = False
        self.unknown = False  # whether it has a field that the standard does not know
        for line in wire.split(b"\n")[:-1]:
            self._parse(line)

    def _parse(self, line: bytes) -> None:
        name, colon, value = line.partition(b": ")
        if name == b"data" and colon:
            self.data.append(value)
            self.body.append(value)
        elif line.startswith(b":"):
            self.has_comments = True
        elif not colon or not FIELD_NAME.fullmatch(name):
            if not self.non_fields:
                self.data_at = len(self.lines)
            self.non_fields.append(line)
            self.body.append(line)
            return
        else:
            self._set(name, value)
        self.lines.append(line)

    def _set(self, name: bytes, value: bytes) -> None:
        if name == b"event":
            self.name = value.decode()
        elif name == b"id":
            if b"\0" not in value:
                self.id = value.decode()
        elif name == b"retry":
            retry = read_retry(value)
            if retry is not None:
                self.retry = retry
        else:
            self.unknown = True

    @property
    def payload(self) -> str:
        """The data as the standard joins it."""
        return b"\n".join(self.data).decode()

    def parsed(self) -> ParsedBlock:
        """Return the block with its lines taken apart: itself."""
        return self

    def spell(self) -> bytes:
        """Return the frame as it is, without non-field lines."""
        if not self.non_fields:
            return self.wire + b"\n"
        return b"".join(line + b"\n" for line in self.lines) + b"\n"


@cache
def _simple_frame() -> re.Pattern[str]:
    return re.compile(
        r"(?:event: ([^\r\n]*+)\n)?+(?:id: ([^\r\n\0]*+)\n)?+data: ([^\r\n]*+)\n(?:id: ([^\r\n\0]*+)\n)?+\n"
    )


class SimpleBlock:
    """A block of one line of data, perhaps a name and an id: nearly all are, and need no look at each line."""

    __slots__ = ("_frame", "id", "name", "payload")

    non_fields: Final[list[bytes]] = []
    retry: Final = None
    has_comments: Final = False
    unknown: Final = False

    def __init__(self, frame: bytes, name: str | None, id: str | None, payload: str) -> None:
        self._frame = frame
        self.name = name
        self.id = id
        self.payload = payload

    @property
    def wire(self) -> bytes:
        """The lines, each with its LF, without the blank line."""
        return self._frame[:-1]

    @property
    def lines(self) -> list[bytes]:
        """The fields."""
        return self._frame.split(b"\n")[:-2]

    @property
    def data(self) -> list[bytes]:
        """The one line of data."""
        return [self.payload.encode()]

    @property
    def body(self) -> list[bytes]:
        """The one line of data."""
        return self.data

    def parsed(self) -> ParsedBlock:
        """Return the block with its lines taken apart once, and not each time that somebody asks."""
        return ParsedBlock(self.wire)

    def spell(self) -> bytes:
        """Return the frame as it is."""
        return self._frame


Block = ParsedBlock | SimpleBlock


def parse_simple(frame: bytes) -> SimpleBlock | None:
    """Return the block, if these bytes are one canonical frame of a simple block and nothing else."""
    try:
        text = frame.decode()
    except UnicodeDecodeError:
        return None
    if text.startswith("data: ") and text.find("\n") == len(text) - 2 and "\r" not in text:  # measured: half of a match
        return SimpleBlock(frame, None, None, text[6:-2])
    found = _simple_frame().fullmatch(text)
    if found is None:
        return None
    name, id_before, payload, id_after = found.groups()
    if id_before is not None and id_after is not None:
        return None
    return SimpleBlock(frame, name, id_after if id_before is None else id_before, payload)


_DOCUMENT: Final = rb'data: ?[{\["]|\{[ \t]*+["}]|\[[ \t]*+\{'
"""What shows that a document stands in a field that cannot hold one."""


def swallows_data(line: bytes) -> bool:
    """Return whether a canonical line that means nothing without data holds what looks like a line of data.

    An `event:` line, for example, swallows the line after it where the line end between them was lost.
    """
    return swallows_document(line) or (b"data: " in line and _means_nothing(line))


def swallows_document(line: bytes) -> bool:
    """Return whether such a line holds what looks like a document."""
    return re.search(_DOCUMENT, line) is not None and _means_nothing(line)


def _means_nothing(line: bytes) -> bool:
    name, _, value = line.partition(b": ")
    return name == b"event" or (name == b"retry" and read_retry(value) is None) or (name == b"id" and b"\0" in value)


def is_error_field(line: bytes) -> bool:
    """Return whether a canonical line is `error: {...}` with a whole object, which is an error where no data is."""
    return line.startswith(b"error: {") and is_whole(line[7:].decode())


def without_errors(block: Block) -> ParsedBlock:
    """Return the block without its `error: {...}` lines; a document that is written with it takes their place."""
    lines = block.wire.splitlines(keepends=True)
    errors = [at for at, line in enumerate(lines) if is_error_field(line[:-1])]
    rest = ParsedBlock(b"".join(line for at, line in enumerate(lines) if at not in errors))
    if errors:
        rest.data_at = len(ParsedBlock(b"".join(lines[: errors[0]])).lines)
    return rest


def without_comments(block: Block) -> ParsedBlock:
    """Return the block without its comments."""
    lines = [line for line in block.wire.splitlines(keepends=True) if not line.startswith(b":")]
    return ParsedBlock(b"".join(lines))


def respell(block: Block, payload: str, *, further: bool = False) -> bytes:
    """Return the frame with this payload, on one line, in the place of its data, or else of its raw lines or errors.

    `further` is for each event but the first out of one block: the name is repeated, the other lines are not.
    """
    data = b"data: " + payload.encode()
    if further:
        return b"".join(line + b"\n" for line in block.lines if line.startswith(b"event: ")) + data + b"\n\n"
    lines = []
    for line in block.lines:
        if not line.startswith(b"data: "):
            lines.append(line)
        elif data:
            lines.append(data)
            data = b""
    if data:
        at = block.parsed().data_at
        lines.insert(len(lines) if at is None else at, data)
    return b"\n".join(lines) + b"\n\n"


def respell_lines(block: Block, payload: str) -> bytes:
    """Return the frame with a payload of as many lines as the block's own."""
    values = iter(payload.encode().split(b"\n"))
    lines = [b"data: " + next(values) if line.startswith(b"data: ") else line for line in block.lines]
    return b"".join(line + b"\n" for line in lines) + b"\n"
