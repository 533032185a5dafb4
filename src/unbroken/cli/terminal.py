"""Bytes to a terminal or a pipe: as they are to a pipe, without control characters to a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    """Show control characters as escapes: what upstream sent must not drive the reader's terminal."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def write_safely(frames: Iterable[bytes]) -> None:
    """Write frames to standard output and flush each, so that a reader behind a pipe sees it at once."""
    for frame in frames:
        if sys.stdout.isatty():
            sys.stdout.write(visible(frame.decode("utf-8", "replace")))
            sys.stdout.flush()
        else:
            sys.stdout.buffer.write(frame)
            sys.stdout.buffer.flush()
