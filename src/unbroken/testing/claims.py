"""Features of the standard that a reader may declare unsupported, so that the contract does not test them."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum


class Claim(Enum):
    """One feature of a reader. The value is a pattern for the bytes that need it, and their replacement.

    Streams are reduced to what a reader claims by these substitutions, so that even the properties about all legal
    streams can be tested on a reader that, for example, does not support ids.
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
    """Only a blank line dispatches an event. Not claimed by a reader that also delivers an unfinished last event."""
    PROMPT = "promptness"
    LINEAR_TIME = "linear time"
    BOUNDED_MEMORY = "bounded memory"

    def removed_from(self, data: bytes) -> bytes:
        """Return `data` with everything replaced that needs this claim."""
        if self is Claim.INVALID_UTF8:
            return data.decode("utf-8", "ignore").encode()
        if isinstance(self.value, tuple):
            pattern, instead = self.value
            return re.sub(pattern, instead, data)
        return data


def reduced(data: bytes, unclaimed: Collection[Claim]) -> bytes:
    """Return `data` with everything replaced that needs one of the `unclaimed` features."""
    for claim in Claim:
        if claim in unclaimed:
            data = claim.removed_from(data)
    return data
