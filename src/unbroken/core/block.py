"""SSE blocks: the lines between two blank lines, what they say, and how they are spelt.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import re
from typing import Final

FIELD_NAME: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]*+")
"""What a field name looks like; other lines are no fields, whatever colon they hold."""
_DIGITS: Final = re.compile(rb"[0-9]{1,15}")


def is_retry(value: bytes) -> bool:
    """Tell whether the value of a `retry:` line is a reconnection time; any other is ignored."""
    return _DIGITS.fullmatch(value) is not None


class Block:
    """One block out of its canonical lines; `strays` are lines that are no field."""

    __slots__ = ("body", "comments", "data", "id", "lines", "name", "retry", "strays", "unknown", "wire")

    def __init__(self, wire: bytes) -> None:
        self.wire = wire  # every line with its LF, without the blank line
        self.lines: list[bytes] = []  # fields and comments
        self.data: list[bytes] = []
        self.strays: list[bytes] = []
        self.body: list[bytes] = []  # data and strays, in order: what a raw line end may have cut apart
        self.name: str | None = None
        self.id: str | None = None
        self.retry: int | None = None
        self.comments = 0
        self.unknown = False
        for line in wire.split(b"\n")[:-1]:
            self._take(line)

    @classmethod
    def simple(cls, wire: bytes, name: str | None, id: str | None, data: str) -> Block:
        """Make a block of a name, an id and one line of data, each there or not, that were told apart already."""
        block = cls(b"")
        block.wire = wire
        block.lines = wire.split(b"\n")[:-1]
        block.data = block.body = [data.encode()]
        block.name = name
        block.id = id
        return block

    def _take(self, line: bytes) -> None:
        name, colon, value = line.partition(b": ")
        if name == b"data" and colon:
            self.data.append(value)
            self.body.append(value)
        elif line.startswith(b":"):
            self.comments += 1
        elif not colon or not FIELD_NAME.fullmatch(name):
            self.strays.append(line)
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
            if is_retry(value):
                self.retry = int(value)
        else:
            self.unknown = True

    @property
    def payload(self) -> str:
        """The data as the standard joins it."""
        return b"\n".join(self.data).decode()

    def spell(self) -> bytes:
        """Write the block as it is, without strays."""
        if not self.strays:
            return self.wire + b"\n"
        return b"".join(line + b"\n" for line in self.lines) + b"\n"

    def respell(self, payload: str, *, further: bool = False) -> bytes:
        """Write the block with this payload in the place of its first data line.

        `further` is for each event but the first out of one block: the name is repeated, the rest stood there.
        """
        data = b"data: " + payload.encode()
        if further:
            return b"".join(line + b"\n" for line in self.lines if line.startswith(b"event: ")) + data + b"\n\n"
        lines = []
        for line in self.lines:
            if not line.startswith(b"data: "):
                lines.append(line)
            elif data:
                lines.append(data)
                data = b""
        if data:
            lines.append(data)
        return b"\n".join(lines) + b"\n\n"
