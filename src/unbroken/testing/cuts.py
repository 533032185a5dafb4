"""Ways to cut a stream into chunks, without Hypothesis.

A reader that holds back a line end, a byte order mark or half a character goes wrong at a few places only, so those
places have a name here: `nasty_cuts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

# Before any continuation byte, around CR and LF, behind a field's colon, inside a BOM (its bytes 2 and 3 continue).
_NASTY = re.compile(rb"(?=[\x80-\xbf\r\n])|(?<=[\r\n:])|(?<=: )")


def nasty_cuts(data: bytes) -> tuple[int, ...]:
    """List the offsets at which careless readers break: inside UTF-8, around CR and LF, behind a colon."""
    return tuple(match.start() for match in _NASTY.finditer(data) if 0 < match.start() < len(data))


def cut(data: bytes, offsets: Iterable[int]) -> list[bytes]:
    """Cut `data` at these offsets. An offset that comes twice makes an empty chunk; the order does not matter."""
    ends = [*sorted(offsets), len(data)]
    starts = [0, *ends[:-1]]
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


def every(data: bytes, size: int) -> list[bytes]:
    """Cut `data` into chunks of `size` bytes."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def cuttings(data: bytes) -> Iterator[list[bytes]]:
    """Give the cuttings for tables: whole, bytewise, with empty chunks, and once at each nasty place."""
    yield [data]
    yield every(data, 1)
    yield [chunk for byte in every(data, 1) for chunk in (b"", byte)] + [b""]
    for offset in nasty_cuts(data):
        yield cut(data, [offset])


def describe_cut(chunks: Sequence[bytes]) -> str:
    """Say in one line how a stream was cut, for a failure's message."""
    if len(chunks) <= 1:
        return "whole"
    if len(chunks) > 3 and all(len(chunk) == 1 for chunk in chunks):
        return "byte by byte"
    shown = " | ".join(repr(chunk) for chunk in chunks[:12])
    return shown + (f" | ... {len(chunks) - 12} more" if len(chunks) > 12 else "")
