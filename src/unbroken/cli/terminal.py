"""Output to a terminal or a pipe: unchanged to a pipe, without control characters to a terminal."""

from __future__ import annotations

import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterable

# Controls except tab and line feed; characters that change the direction of text or end a line; noncharacters.
_NONCHARACTERS = "".join(chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    f"\ufdd0-\ufdef{_NONCHARACTERS}]"
)


def visible(text: str) -> str:
    """Return the text with control characters as escapes, so that upstream cannot control the terminal."""
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def fit(text: str, width: int) -> str:
    """Return the line, cut to that many columns, so that it does not wrap."""
    taken, end = 0, 0
    for index, character in enumerate(text):
        taken += _columns(character)
        if taken < width:
            end = index + 1  # up to here there is a column left for the ellipsis
        elif taken > width:
            return text[:end] + "…"
    return text


def wrap(line: str, width: int) -> str:
    """Return the line broken between its words at that many characters, at least 40; later lines are indented by 8."""
    lines = textwrap.wrap(line, max(width, 40), subsequent_indent=" " * 8, break_on_hyphens=False)
    return "\n".join(lines)


def _columns(character: str) -> int:
    """Return the columns of a character, by https://www.unicode.org/reports/tr11/ and as terminals do."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def print_stderr(line: str) -> None:
    """Write a line to standard error, if there is one; `print` would use standard output instead."""
    if sys.stderr is not None:
        print(line, file=sys.stderr)


def print_error(error: object) -> None:
    """Write an error to standard error, or nothing if that fails too."""
    try:
        print_stderr(f"unbroken: {error}")
    except OSError:
        sys.stderr = None  # or the interpreter tries again at exit, and exits with its own code


def write_safely(frames: Iterable[bytes]) -> None:
    """Write frames to standard output and flush each, so that the reader of a pipe gets it immediately."""
    for frame in frames:
        if sys.stdout.isatty():
            sys.stdout.write(visible(frame.decode("utf-8", "replace")))
            sys.stdout.flush()
        else:
            sys.stdout.buffer.write(frame)
            sys.stdout.buffer.flush()
