"""What a stream delivered: text, usage, tool calls."""

from __future__ import annotations

from collections.abc import Callable

from .dialect import Reading


class Account:
    """Absorbs readings."""

    def __init__(self, count_tokens: Callable[[str], int] | None = None) -> None:
        self.count_tokens = count_tokens

    def absorb(self, reading: Reading) -> None:
        """Take what one payload said."""
