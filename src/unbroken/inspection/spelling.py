"""How a body is spelt, line by line: the legal oddities that readers in the field trip over.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
Of each line only the beginning is looked at and kept.
"""

from __future__ import annotations

import re
from typing import Final

_BEGINNING: Final = 64  # bytes of a line that are looked at
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_SEPARATORS: Final = (b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xc2\x85")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{1,8}")
_LITERAL_NEWLINES: Final = b"}\\n\\ndata:"


class Spelling:
    """Counts, for a body fed in chunks. What it counts does not depend on the cuts, but for `split_crlf`."""

    def __init__(self) -> None:
        self.bom = False
        self.crlf = self.cr = self.split_crlf = 0
        self.longest_line = 0
        self.separators = 0  # raw U+2028, U+2029, U+0085
        self.literal_newlines = 0  # \n written as two characters between frames
        self.unspaced_fields = 0  # `data:` without a blank
        self.chunk_sizes = 0  # lines that are a length of HTTP's chunked coding
        self.dataless_blocks = 0  # blocks with fields, none of them data
        self.empty_blocks_after_id = 0  # blocks without any field behind an id: comments, extra blank lines
        self.blank_lines = 0  # the ends of SSE's blocks; in NDJSON an oddity
        self._line = b""
        self._length = 0
        self._tail = b""
        self._pending_cr = False
        self._lines = 0
        self._id_seen = False
        self._fields: set[bytes] = set()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._search(chunk)
        if self._pending_cr:
            self._pending_cr = False
            if chunk.startswith(b"\n"):
                self.split_crlf += 1
                self.crlf += 1
                self.cr -= 1
                chunk = chunk[1:]
        self._pending_cr = chunk.endswith(b"\r")
        start = 0
        for end in _LINE_END.finditer(chunk):
            self._add(chunk, start, end.start())
            start = end.end()
            self.crlf += end[0] == b"\r\n"
            self.cr += end[0] == b"\r"
            self._end_line()
        self._add(chunk, start, len(chunk))

    def _search(self, chunk: bytes) -> None:
        joined = self._tail + chunk
        for separator in _SEPARATORS:
            # What ends within the tail was counted with the chunk before.
            self.separators += joined.count(separator) - self._tail.count(separator)
        self.literal_newlines += joined.count(_LITERAL_NEWLINES) - self._tail.count(_LITERAL_NEWLINES)
        self._tail = joined[-(len(_LITERAL_NEWLINES) - 1) :]

    def _add(self, chunk: bytes, start: int, end: int) -> None:
        room = _BEGINNING - len(self._line)
        if room > 0:
            self._line += chunk[start : min(end, start + room)]
        self._length += end - start
        self.longest_line = max(self.longest_line, self._length)

    def _end_line(self) -> None:
        line, length = self._line, self._length
        self._line, self._length = b"", 0
        if self._lines == 0 and line.startswith(b"\xef\xbb\xbf"):
            self.bom = True
            line = line[3:]
        self._lines += 1
        if length == 0:
            self._end_block()
        else:
            self._read_line(line)

    def _read_line(self, line: bytes) -> None:
        if line.startswith(b":"):
            return
        name, colon, value = line.partition(b":")
        if not colon and _HEX.fullmatch(line):
            self.chunk_sizes += 1
        if name not in (b"data", b"event", b"id", b"retry"):
            return
        self._fields.add(name)
        self.unspaced_fields += bool(colon) and name == b"data" and value[:1] not in (b"", b" ")
        self._id_seen = self._id_seen or (name == b"id" and bool(value.strip()))

    def _end_block(self) -> None:
        fields, self._fields = self._fields, set()
        self.blank_lines += 1
        if not fields:
            self.empty_blocks_after_id += self._id_seen
        elif b"data" not in fields:
            self.dataless_blocks += 1
