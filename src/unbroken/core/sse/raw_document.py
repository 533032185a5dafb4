"""A document without `data:`, over one line or several: the one repair of lines that needs a state of its own."""

from __future__ import annotations

from ..proof import BracketScanner, is_whole
from .block import KNOWN_FIELDS
from .framer import Framer, Span


class RawDocument:
    """Collects the lines of one raw document in the framer's open block, until its last bracket is closed."""

    __slots__ = ("_framer", "_scanner")

    def __init__(self, framer: Framer, scanner: BracketScanner) -> None:
        self._framer = framer
        self._scanner = scanner

    @staticmethod
    def is_ended_by(line: bytes) -> bool:
        """Return whether this line cannot be part of a raw document: a blank line, a comment, a known field."""
        return not line or line[0] == 0x3A or line.partition(b":")[0] in KNOWN_FIELDS

    def follow(self, line: bytes) -> None:
        """Scan one further line."""
        self._scanner.feed(b"\n" + line)

    @property
    def ended(self) -> bool:
        """Whether no further line can make it whole."""
        return self._scanner.whole or self._scanner.spoiled

    def take(self) -> tuple[str | None, Span]:
        """Take the lines out of the framer; return the document, if they are one, and where they stood."""
        block = self._framer.open
        text = bytes(block.wire).decode() if self._scanner.whole else ""
        span = block.start, block.end
        block.clear()
        return (text if text and is_whole(text) else None), span
