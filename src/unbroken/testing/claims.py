"""What a reader of event streams may decline to claim, so that the contract asks nothing of it there."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum


class Claim(Enum):
    """One thing that a reader can do; the value is the pattern of bytes that needs it, and what to put there instead.

    A stream is reduced to what a reader claims by these substitutions, so that even the properties about all legal
    streams can be asked of a reader that knows, say, nothing of ids.
    """

    BOM = (rb"\A(?:\xef\xbb\xbf)+", b"")
    CR = (rb"\r(?!\n)", b"\n")
    CRLF = (rb"\r\n", b"\n")
    UNICODE_LINE_ENDS = (rb"\xe2\x80[\xa8\xa9]|\xc2\x85|[\x0b\x0c\x1c-\x1e]", b"x")
    NUL = (rb"\0", b"x")
    INVALID_UTF8 = None
    EVENT_NAMES = (rb"(?m)^event", b"other")
    IDS = (rb"(?m)^id", b"other")
    RETRY = (rb"(?m)^retry", b"other")
    EMPTY_DATA = (rb"(?m)^data:? ?(?=[\r\n])", b"data: x")
    END_OF_INPUT = (rb"(?<![\r\n])\Z|(?<![\r\n])(?:\r\n|\r|\n)\Z", b"\n\n")
    """Only a blank line dispatches: a reader that also delivers an unfinished last event does not claim this."""
    PROMPT = "promptness"
    LINEAR_TIME = "linear time"
    BOUNDED_MEMORY = "bounded memory"

    def removed_from(self, data: bytes) -> bytes:
        """Give `data` without what needs this claim."""
        if self is Claim.INVALID_UTF8:
            return data.decode("utf-8", "ignore").encode()
        if isinstance(self.value, tuple):
            pattern, instead = self.value
            return re.sub(pattern, instead, data)
        return data


def reduced(data: bytes, unclaimed: Collection[Claim]) -> bytes:
    """Give `data` without anything that a reader must claim one of `unclaimed` to read."""
    for claim in Claim:
        if claim in unclaimed:
            data = claim.removed_from(data)
    return data
