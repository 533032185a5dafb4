"""Ways to cut a stream into chunks, without Hypothesis.

A reader that buffers a line end, a byte order mark or half a character fails at a few places only: `nasty_cuts`
returns these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .shown import shown

# Before any continuation byte, around CR and LF, after a field's colon, inside a BOM (its bytes 2 and 3 continue).
_NASTY = re.compile(rb"(?=[\x80-\xbf\r\n])|(?<=[\r\n:])|(?<=: )")


def nasty_cuts(data: bytes) -> tuple[int, ...]:
    """Return the offsets at which readers are likely to fail: inside UTF-8, around CR and LF, after a colon."""
    return tuple(match.start() for match in _NASTY.finditer(data) if 0 < match.start() < len(data))


def cut(data: bytes, offsets: Iterable[int]) -> list[bytes]:
    """Return `data` cut at these offsets, in any order. An offset given twice makes an empty chunk."""
    ends = [*sorted(offsets), len(data)]
    starts = [0, *ends[:-1]]
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


def every(data: bytes, size: int) -> list[bytes]:
    """Return `data` in chunks of `size` bytes; the last one may be shorter."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def cuttings(data: bytes) -> Iterator[list[bytes]]:
    """Yield the standard ways to cut `data`: whole, byte by byte, with empty chunks, and once at each nasty place."""
    yield [data]
    yield every(data, 1)
    yield [chunk for byte in every(data, 1) for chunk in (b"", byte)] + [b""]
    for offset in nasty_cuts(data):
        yield cut(data, [offset])


def inside_line_ends(data: bytes) -> Iterator[list[bytes]]:
    """Yield `data` cut once between CR and LF, for each CRLF in it."""
    for match in re.finditer(rb"\r(?=\n)", data):
        yield cut(data, [match.end()])


def describe_cut(chunks: Sequence[bytes]) -> str:
    """Return one line that describes how a stream was cut, for the message of a failed test."""
    if len(chunks) <= 1:
        return "whole"
    if len(chunks) > 3 and all(len(chunk) == 1 for chunk in chunks):
        return "byte by byte"
    first = " | ".join(shown(chunk) for chunk in chunks[:12])
    return first + (f" | ... {len(chunks) - 12} more" if len(chunks) > 12 else "")
