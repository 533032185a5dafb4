"""The reader of coded lines: a code of one character, a colon, and one JSON text per line, as AI SDK 4 writes them.

https://github.com/vercel/ai, packages/ui-utils/src/data-stream-parts.ts, of version 4. The code is the name of the
event. Lines end with LF or CRLF, blank ones are skipped, and nothing is mended within a line: one that is none is
dropped by name, as in NDJSON.
"""

from __future__ import annotations

from typing import Any

from .events import Event
from .mending import escape_separators
from .ndjson import NDJSONReader
from .proof import FLAWED, UNPROVEN
from .sniffer import read_coded_line


class CodedLineReader(NDJSONReader):
    """Takes chunks of such a stream, and hands the gate its events and repairs, in order."""

    __slots__ = ()

    def _take_document(self, line: bytes, start: int, end: int) -> None:
        text = line.decode()
        value = read_coded_line(text)[1]
        if value is FLAWED:
            self._take_invalid(line, start, end)
        else:
            self._forward(text, value, start, end)

    def _forward(self, text: str, value: Any, start: int, end: int) -> None:
        if value is FLAWED:  # kept as it came, where the caller wants that
            self._gate.forward(Event(text), text.encode() + b"\n", value, start, end)
            return
        # Fields of SSE begin so, as the next reader knows.
        if text[2] in " \t" and not self._gate.options.standard_only:
            self._gate.report.respellings["blanks"] += 1
            text = text[:2] + text[2:].lstrip(" \t")
        if value is not UNPROVEN and not self._gate.options.standard_only:
            escaped = escape_separators(text)
            if escaped is not text:
                self._gate.report.respellings["separator"] += 1
                text = escaped
        self._gate.forward(Event(text[2:], text[0]), text.encode() + b"\n", value, start, end)

    def _is_last(self, line: bytes) -> bool:
        is_whole = read_coded_line(line.decode("utf-8", "replace"))[1] is not FLAWED
        return is_whole or self._gate.options.standard_only

    def _drop_tail(self, line: bytes, start: int, end: int) -> bool:
        cut = super()._drop_tail(line, start, end)
        self.shows_its_framing = line[1:2] == b":"
        return cut
