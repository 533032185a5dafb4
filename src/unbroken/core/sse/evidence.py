"""What the data of the open block proves so far, at the cost of one parse in vain per block."""

from __future__ import annotations

from typing import Any, Final

from ..proof import BracketScanner, is_whole, prove
from .block import ParsedBlock, is_error_field
from .framer import OpenBlock

_MAX_REMEMBERED: Final = 4096
"""Characters of a text whose proof is remembered: what is retained has its bound."""


class Evidence:
    """Follows the data of one open block after the other; asked by the rules, line by line."""

    __slots__ = (
        "_block", "_document", "_holds_error", "_proofs", "_scanned", "_scanner", "_searched", "_whole_at", "disproven",
    )  # fmt: skip

    def __init__(self, block: OpenBlock) -> None:
        self._block = block
        self._proofs: tuple[tuple[str, Any], ...] = ()  # the last two lines that were whole documents
        self._document = b""  # the last value of a line that was a whole document
        self.clear()

    def clear(self) -> None:
        """Begin another block."""
        self._scanner: BracketScanner | None = None
        self._scanned = 0
        self._holds_error = False
        self._searched = 0  # how much of the block was searched for an error
        self._whole_at = -1  # where data ended that is one line, and was proven when it came
        self.disproven = False
        """Whether the data was not whole where it might have ended: then nothing ends this block early.

        A second proof in vain would make a long block quadratic.
        """

    def take_proof(self, text: str) -> Any:
        """Return what `proof.prove` does; a text that was proven as a line is not parsed again.

        The value is forgotten, so that whoever reads it may keep it, or change it.
        """
        for entry in self._proofs:
            if entry[0] == text:
                self._proofs = tuple(other for other in self._proofs if other is not entry)
                return entry[1]
        return prove(text)

    def is_document(self, value: bytes) -> bool:
        """Return whether the value of a line is one whole document."""
        text = value.decode()
        proven = prove(text)
        if len(text) > _MAX_REMEMBERED or not isinstance(proven, dict | list):
            return isinstance(proven, dict | list)
        self._proofs = (text, proven), *self._proofs[:1]
        self._document = value
        return True

    def holds_error(self) -> bool:
        """Return whether a line of the block is `error: {...}`; each line is looked at once."""
        wire = self._block.wire
        lines = bytes(wire[self._searched :]).split(b"\n")
        self._searched = len(wire)
        self._holds_error = self._holds_error or any(map(is_error_field, lines))
        return self._holds_error

    def _is_proven(self) -> bool:
        """Return whether the data is one line that was proven to be whole when it came."""
        if self._whole_at == self._block.data_end:
            return True
        if self._block.data_lines != 1 or not self._document:
            return False
        line = b"data: %b\n" % self._document
        wire = self._block.wire
        return wire == line or wire.endswith(b"\n" + line)

    def data_may_be_whole(self) -> bool:
        """Return whether all brackets of the data are closed: linear over the whole block, and not a proof."""
        if self._is_proven():
            self._whole_at = self._block.data_end
            return True
        if self._scanner is None:
            self._scanner = BracketScanner()
        if self._scanned < self._block.data_end:
            for value in ParsedBlock(bytes(self._block.wire[self._scanned : self._block.data_end])).data:
                self._scanner.feed(value)
            self._scanned = self._block.data_end
        return self._scanner.whole

    def data_is_whole(self) -> bool:
        """Return whether the data is proven to be one whole document."""
        if not self._block.data_lines or self.disproven:
            return False
        if not self.data_may_be_whole():
            return False
        if self._whole_at == self._block.data_end:
            return True
        self.disproven = not is_whole(self._block.parse().payload)
        return not self.disproven
