"""Mended payloads: what a flawed payload proves to be, if it proves to be anything.

Every function takes text that failed the strict reading and gives text that passes it, or nothing. None guesses:
what is not whole after the one change that the function knows is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from .proof import MAX_PROOF, is_whole, prove_series
from .repairs import RepairKind

DONE: Final = "[DONE]"
"""The sentinel of OpenAI-style streams: the one payload that is not JSON and means something."""
SENTINEL_LINE: Final = '"[DONE]"'
"""The sentinel as a line of NDJSON, which has no place for what is not JSON."""


def begins_like_json(text: str) -> bool:
    """Return whether a text was meant to be a JSON object, or an array of objects or strings: no prose begins so."""
    return re.match(r"\{|\[[ \t]*[{\"]", text) is not None


def is_broken_json(line: bytes) -> bool:
    """Return whether a line that is no field was meant to be a JSON document, and is none."""
    text = line.decode()
    return begins_like_json(text) and not is_whole(text)


MAX_REPR: Final = 64 * 1024
"""Characters of a Python repr that are read at most."""
MAX_REPR_LEVELS: Final = 50

# The closing quote is optional: a string that never closes is eaten whole, or each quote in it would be tried again.
_STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
# Seldom needed: compiled at their first use, by `re` itself.
_STRING_OR_NON_FINITE: Final = rf"(?s)({_STRING})|-?\b(?:NaN|Infinity)\b"
_STRING_OR_BREAK: Final = rf"(?s)({_STRING})|[\r\n]++"
_STRING_OR_KEY: Final = rf"(?s)({_STRING})([ \t\r\n]*+:)?"
_ESCAPES: Final = {0x2028: "\\u2028", 0x2029: "\\u2029", 0x85: "\\u0085"}


def has_separators(text: str) -> bool:
    """Return whether U+2028, U+2029 or U+0085 is in the text; three searches are faster than one pattern, by far."""
    return not text.isascii() and ("\u2028" in text or "\u2029" in text or "\x85" in text)


def escape_separators(text: str) -> str:
    r"""Escape U+2028, U+2029 and U+0085 in a proven JSON text, where they can stand inside strings only.

    The value stays the same, and readers built on `str.splitlines` no longer cut the line there.
    """
    return text.translate(_ESCAPES) if has_separators(text) else text


def one_line(text: str) -> str:
    """Spell a proven JSON text without line ends; they can stand between tokens only."""
    if "\n" not in text and "\r" not in text:
        return text
    return re.sub(_STRING_OR_BREAK, lambda found: found[1] or "", text)


def join_raw_lines(text: str) -> list[str]:
    r"""Mend one object or array with raw line ends: inside a string they become `\n`, elsewhere they go.

    They go last: between two digits, for example, a line end parts what would else be one number. A key that a line
    end parts was one word, which cannot be proven: that text is left alone.
    """
    if "\n" not in text or len(text) > MAX_PROOF:
        return []
    if any(found[2] and "\n" in found[1] for found in re.finditer(_STRING_OR_KEY, text)):
        return []
    escaped = re.sub(f"(?s){_STRING}", lambda found: found[0].replace("\n", "\\n"), text)
    return [one_line(escaped)] if is_whole(escaped) else []


def _if_whole(text: str) -> list[str]:
    return [text] if is_whole(text) else []


def replace_non_finite(text: str) -> list[str]:
    """Mend one object or array that holds `NaN`, `Infinity` or `-Infinity` as values: they become `null`."""
    if len(text) > MAX_PROOF or ("NaN" not in text and "Infinity" not in text):
        return []
    return _if_whole(re.sub(_STRING_OR_NON_FINITE, lambda found: found[1] or "null", text))


_FRAMED: Final = r"(data|event|id|retry|):"


def unwrap_frame(text: str) -> list[str]:
    """Read a payload that is itself SSE, one level deep; give what is inside if it is whole JSON or `[DONE]`."""
    if not re.match(_FRAMED, text):
        return []
    lines = re.split(r"\r\n|\n|\r", text)
    data = [line.partition(":")[2].removeprefix(" ") for line in lines if line.startswith("data:")]
    if not data or not all(re.match(_FRAMED, line) for line in lines if line):
        return []
    inner = "\n".join(data)
    return [DONE] if inner.strip() == DONE else _if_whole(inner)


_FIRST_KEY: Final = r'\{[ ]?("[^"\\]*+"):'
_SPLICE: Final = r'data: ?(?=\{[ ]?("[^"\\]*+"):)'


def rescue_spliced(text: str) -> list[str]:
    """Find the whole object that a broken one was overwritten with.

    Both must begin with the same first key, so that text which merely quotes a frame is left alone.
    """
    first_key = re.match(_FIRST_KEY, text)
    if first_key is None or len(text) > MAX_PROOF:
        return []
    begins = [found.end() for found in re.finditer(_SPLICE, text) if found[1] == first_key[1]]
    # The last one: whatever was cut off before it cannot be whole. One parse, however many there are.
    return _if_whole(text[begins[-1] :]) if begins else []


def read_repr(text: str) -> list[str]:
    """Mend the repr of a Python dict of JSON values, or of bytes that hold a frame."""
    if len(text) > MAX_REPR or not (text.startswith(("b'", 'b"')) or (text.startswith("{") and "'" in text)):
        return []
    from .python_repr import read_bytes, read_dict  # seldom needed, and its patterns take time to compile

    if text.startswith("b"):
        inner = read_bytes(text)
        return _if_whole(inner) or unwrap_frame(inner.strip("\r\n"))
    return _if_whole(read_dict(text))


_DONE: Final = r"(?i)[ \t\"']*\[?[ \t]*done[ \t]*\]?[ \t\"']*"


def is_misspelt_done(text: str) -> bool:
    """Return whether this can only have been meant as `[DONE]`: its case, its blanks or its brackets are off."""
    return len(text) <= 16 and re.fullmatch(_DONE, text) is not None


PAYLOAD_MENDS: Final[tuple[tuple[RepairKind, Callable[[str], list[str]]], ...]] = (
    (RepairKind.NON_FINITE, replace_non_finite),
    (RepairKind.GLUED_JSON, prove_series),
    (RepairKind.DOUBLE_PREFIX, unwrap_frame),
    (RepairKind.SPLICED_EVENT, rescue_spliced),
    (RepairKind.PYTHON_REPR, read_repr),
)
"""What is tried on one flawed payload, in this order: the documents that it proves to be, or none."""


def mend_payload(text: str, allows: Callable[[RepairKind], bool]) -> tuple[RepairKind | None, list[str]]:
    """Return the first repair that brings its proof, and the documents (or `[DONE]`) that result."""
    for kind, mend in PAYLOAD_MENDS:
        if allows(kind) and (pieces := mend(text)):
            return kind, pieces
    return None, []
