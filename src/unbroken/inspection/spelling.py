"""Counts of the legal but unusual forms in a body on which some clients fail, line by line.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
Only the beginning of each line is kept and examined.
"""

from __future__ import annotations

import re
from typing import Final

_BEGINNING: Final = 64  # bytes of a line that are examined
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_SEPARATORS: Final = (b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xc2\x85")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{1,8}")
_LITERAL_NEWLINES: Final = b"}\\n\\ndata:"


class Spelling:
    """Counts for a body fed in chunks. Except for `split_crlf`, they do not depend on the chunking."""

    def __init__(self) -> None:
        self.bom = False
        self.crlf = self.cr = self.split_crlf = 0
        self.longest_line = 0
        self.separators = 0  # raw U+2028, U+2029, U+0085
        self.literal_newlines = 0  # \n written as two characters between frames
        self.unspaced_fields = 0  # `data:` without a space
        self.chunk_sizes = 0  # lines that look like chunk sizes of HTTP's chunked coding
        self.dataless_blocks = 0  # blocks with fields, none of them data
        self.empty_blocks_after_id = 0  # blocks without any field after an id: comments, extra blank lines
        self.blank_lines = 0  # they end blocks in SSE, and are unusual in NDJSON
        self._line = b""
        self._length = 0
        self._tail = b""
        self._pending_cr = False
        self._lines = 0
        self._id_seen = False
        self._fields: set[bytes] = set()

    def feed(self, chunk: bytes) -> None:
        """Count what is in the next bytes."""
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
            # What lies wholly within the tail was counted with the chunk before.
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
