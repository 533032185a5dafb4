"""Bytes to a terminal or a pipe: as they are to a pipe, without control characters to a terminal."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable

# Controls but tab and line feed; what turns the direction of writing or ends a line; what is no character at all.
_NONCHARACTERS = "".join(chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    f"\ufdd0-\ufdef{_NONCHARACTERS}]"
)


def visible(text: str) -> str:
    """Show control characters as escapes: what upstream sent must not drive the reader's terminal."""
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def fit(text: str, width: int) -> str:
    """Cut a line where it would not fit that many columns: one that wraps hides the next ones."""
    taken, end = 0, 0
    for index, character in enumerate(text):
        taken += _columns(character)
        if taken < width:
            end = index + 1  # so much leaves a column for the ellipsis
        elif taken > width:
            return text[:end] + "…"
    return text


def _columns(character: str) -> int:
    """Give the columns that a character takes, by https://www.unicode.org/reports/tr11/ and terminals' custom."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def print_stderr(line: str) -> None:
    """Write a line to standard error, where there is one: `print` would take standard output in its place."""
    if sys.stderr is not None:
        print(line, file=sys.stderr)


def print_error(trouble: object) -> None:
    """Say what went wrong, and nothing where standard error is what went wrong."""
    try:
        print_stderr(f"unbroken: {trouble}")
    except OSError:
        sys.stderr = None  # or the interpreter tries again at its end, and exits with a code of its own


def write_safely(frames: Iterable[bytes]) -> None:
    """Write frames to standard output and flush each, so that a reader behind a pipe sees it at once."""
    for frame in frames:
        if sys.stdout.isatty():
            sys.stdout.write(visible(frame.decode("utf-8", "replace")))
            sys.stdout.flush()
        else:
            sys.stdout.buffer.write(frame)
            sys.stdout.buffer.flush()
