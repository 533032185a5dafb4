"""What the data of the open block proves so far, at the cost of one parse in vain per block."""

from __future__ import annotations

from ..proof import BracketScanner, is_whole
from .block import ParsedBlock
from .framer import OpenBlock


class Evidence:
    """Follows the data of one open block after the other; asked by the rules, line by line."""

    def __init__(self, block: OpenBlock) -> None:
        self._block = block
        self.clear()

    def clear(self) -> None:
        """Begin another block."""
        self._scanner: BracketScanner | None = None
        self._scanned = 0
        self.disproven = False
        """Whether the data was not whole where it might have ended: then nothing ends this block early.

        A second proof in vain would make a long block quadratic.
        """

    def data_may_be_whole(self) -> bool:
        """Return whether all brackets of the data are closed: linear over the whole block, and not a proof."""
        if self._scanner is None:
            self._scanner = BracketScanner()
        if self._scanned < self._block.data_end:
            for value in ParsedBlock(bytes(self._block.wire[self._scanned : self._block.data_end])).data:
                self._scanner.feed(value)
            self._scanned = self._block.data_end
        return self._scanner.whole

    def data_is_whole(self) -> bool:
        """Return whether the data is proven to be one whole document."""
        if not self._block.data_lines or self.disproven or not self.data_may_be_whole():
            return False
        self.disproven = not is_whole(self._block.parse().payload)
        return not self.disproven
