r"""Bytes to lines of text, incrementally.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream. Bytes are split first and
decoded line by line: no UTF-8 sequence holds CR or LF, so a character cut in two by a chunk border is whole again
before anybody looks at it. `bytes.splitlines` is exactly the standard's rule (CR, LF, CRLF); `str.splitlines` never is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

BOM: Final = b"\xef\xbb\xbf"
_REPLACEMENT: Final = "�"


def copy_buffer(chunk: Any) -> bytes:
    """Return a copy of a buffer: whoever made it may use it again. Raises `TypeError` for text and the like."""
    try:
        return bytes(memoryview(chunk))
    except TypeError:
        raise TypeError(f"feed() takes bytes, not {type(chunk).__name__}: feed the body undecoded") from None


class LineSplitter:
    """Cut a byte stream into lines with their ends; `keep_cr` for NDJSON, where only LF ends a line.

    A CR at the end of a chunk decides its line at once; an LF that opens the next chunk is then swallowed.
    `offset` is where the first byte of the open line stands in the stream.
    """

    __slots__ = ("_keep_cr", "_skip_lf", "offset", "open_line")

    def __init__(self, offset: int = 0, *, keep_cr: bool = False) -> None:
        self.offset = offset
        self.open_line = bytearray()  # one buffer: small pieces as objects would cost several times their bytes
        self._keep_cr = keep_cr
        self._skip_lf = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that this chunk completes, each with its line end. The caller moves `offset` on."""
        if not chunk:
            return []
        if self._skip_lf and chunk[0] == 0x0A:
            self.offset += 1
            chunk = chunk[1:]
        end = chunk.rfind(b"\n") + 1
        if not self._keep_cr:
            end = max(end, chunk.rfind(b"\r") + 1)
            self._skip_lf = chunk.endswith(b"\r")
        if not end:
            self.open_line += chunk
            return []
        if self.open_line:
            whole = bytes(self.open_line) + chunk[:end]
            self.open_line = bytearray(chunk[end:])
        else:
            whole = chunk[:end]
            self.open_line += chunk[end:]
        return whole.split(b"\n")[:-1] if self._keep_cr else whole.splitlines(keepends=True)

    @property
    def skips_lf(self) -> bool:
        """Whether an LF that comes next belongs to the CR before it."""
        return self._skip_lf

    def skip_blanks(self) -> None:
        """Forget the blanks that open an NDJSON line; they mean nothing, and heartbeats are such blanks."""
        kept = self.open_line.lstrip(b" \t\r")
        self.offset += len(self.open_line) - len(kept)
        self.open_line = kept

    def shorten_open_line(self) -> None:
        """Forget what is there of an open line that is too long anyway, all but one byte: it is not blank."""
        self.offset += len(self.open_line) - 1
        del self.open_line[:-1]


def is_utf8(piece: bytes) -> bool:
    """Return whether these bytes, cut at line borders, are valid UTF-8."""
    if piece.isascii():
        return True
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True


def replace_invalid_utf8(line: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """Return the bytes with U+FFFD for each maximal subpart that is not UTF-8, and start and length of each bad run."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return line.decode("utf-8", "replace").encode(), list(_bad_runs(line))
    return line, []


_VALID: Final = (
    # Unicode 15, table 3-7: the well-formed sequences, possessive so that nothing is tried twice.
    rb"(?:[\x00-\x7f]++|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*+"
)


def _bad_runs(line: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    run_start = None
    valid = re.compile(_VALID)  # here, and not at import: few streams need it
    while at < len(line):
        found = valid.match(line, at)
        good_end = found.end() if found else at
        if good_end == at:
            if run_start is None:
                run_start = at
            at += 1
            continue
        if run_start is not None:
            yield run_start, at - run_start
            run_start = None
        at = good_end
    if run_start is not None:
        yield run_start, at - run_start
