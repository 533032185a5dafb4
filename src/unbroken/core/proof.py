r"""Strict JSON, bounded: what a repair must show.

https://www.rfc-editor.org/rfc/rfc8259. The parser is the standard library's; what it is lax about (`NaN`), and what
would depend on the caller (recursion depth, the 4,300-digit limit of `int`), is refused or avoided here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any, Final, NoReturn

MAX_PROOF: Final = 1024 * 1024
"""Characters of a payload that are parsed at most; longer payloads pass unproven, and are counted."""
MAX_LEVELS: Final = 200
"""Nested arrays and objects at most; the parser recurses, and how deep it may depends on the caller."""


class _Mark:
    """A result of `prove` that is not a JSON value; `None` is the value of `null`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


FLAWED: Final = _Mark("FLAWED")
"""The text is not one strict JSON text."""
UNPROVEN: Final = _Mark("UNPROVEN")
"""The text was not judged: too long, or the caller's own recursion left no room to parse."""


def _refuse(token: str) -> NoReturn:
    raise ValueError(token)


# `int` refuses more than 4,300 digits unless the process allows it; a proof needs no exact integers.
_scan: Final[Callable[[str, int], tuple[Any, int]]] = json.JSONDecoder(
    parse_constant=_refuse, parse_int=float
).scan_once  # type: ignore[attr-defined]  # present since 2.6, missing in the stubs
_BLANKS: Final = " \t\n\r"  # RFC 8259, clause 2
_BLANK_RUN: Final = re.compile(r"[ \t\n\r]*+")
_MAX_DIGITS: Final = 4000
"""Digits of an integer that are read exactly; the interpreter refuses more than 4,300."""
MAX_PARTS: Final = 2**16
"""Values in a text that is read without a proof."""
_PLAIN_STARTS: Final = frozenset("{[")
# Seldom needed: compiled at their first use, by `re` itself.
_STRINGS: Final = r'(?s)"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_STRING_OR_NUMBERS: Final = r'(?s)("[^"\\]*+(?:\\.[^"\\]*+)*+"?)|\[[-+.,0-9eE \t\r\n]*+\]'
_NO_BRACKETS: Final = r"[^\[\]{}]+"
_STEP: Final = {"[": 1, "{": 1, "]": -1, "}": -1}


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_LEVELS:
        return False
    brackets = re.sub(_NO_BRACKETS, "", re.sub(_STRINGS, "", text))
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > MAX_LEVELS


def _skip_blanks(text: str, at: int) -> int:
    found = _BLANK_RUN.match(text, at)
    return found.end() if found else at


def prove(text: str) -> Any:
    """Return the value of one strict JSON text with nothing but blanks around it, else `FLAWED` or `UNPROVEN`.

    All numbers are floats. Longer than `MAX_PROOF` is `UNPROVEN`, nested deeper than `MAX_LEVELS` is `FLAWED`.
    """
    if len(text) > MAX_PROOF:
        return UNPROVEN
    if _too_deep(text):
        return FLAWED
    try:
        value, end = _scan(text, 0 if text[:1] in _PLAIN_STARTS else _skip_blanks(text, 0))
    except (ValueError, StopIteration):
        return FLAWED
    except RecursionError:
        return UNPROVEN
    if end != len(text) and _skip_blanks(text, end) != len(text):
        return FLAWED
    return value


def _exact_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


_scan_exactly: Final[Callable[[str, int], tuple[Any, int]]] = json.JSONDecoder(
    parse_constant=_refuse, parse_int=_exact_int
).scan_once  # type: ignore[attr-defined]


def read_exactly(text: str) -> Any:
    """Return the value of a text that `prove` has proven, with whole numbers of up to 4,000 digits as integers."""
    return _scan_exactly(text, _skip_blanks(text, 0))[0]


def read_loosely(text: str) -> Any:
    """Return the value of a text that is too long for `prove`, `FLAWED`, or `UNPROVEN` where it has too many parts.

    A long text that is worth reading is one long string in a small object, or a long list of numbers beside the end; of
    many small values the objects alone would take forty times its length, and so such a list is read as an empty one.
    """
    if _count_parts(text) > MAX_PARTS:
        text = re.sub(_STRING_OR_NUMBERS, lambda found: found[1] or "[]", text)
        if _count_parts(text) > MAX_PARTS:
            return UNPROVEN
    try:
        value, end = _scan(text, _skip_blanks(text, 0))
    except (ValueError, StopIteration):
        return FLAWED
    except RecursionError:
        return UNPROVEN
    return value if _skip_blanks(text, end) == len(text) else FLAWED


def _count_parts(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{")


def is_whole(text: str) -> bool:
    """Return whether this is one strict JSON object or array, which is what a repair may rest on."""
    return isinstance(prove(text), (dict, list))


_JOINT: Final = r"[ \t\n\r]*+(?:data:[ \t\n\r]*+)?+"


def _skip_joint(text: str, at: int) -> int:
    """Skip what may stand between glued documents: blanks, and the prefix of a frame whose line end was lost."""
    found = re.compile(_JOINT).match(text, at)
    return found.end() if found else at


def prove_series(text: str) -> list[str]:
    """Split a text that is nothing but two or more whole objects or arrays; an empty list for anything else."""
    if len(text) > MAX_PROOF or _too_deep(text):
        return []
    pieces = []
    start = _skip_blanks(text, 0)
    while start < len(text):
        if text[start] not in "{[":
            return []
        try:
            _, end = _scan(text, start)
        except (ValueError, StopIteration, RecursionError):
            return []
        pieces.append(text[start:end])
        start = _skip_joint(text, end)
    return pieces if len(pieces) > 1 else []


# Compiled at their first use, by `re` itself: few streams are scanned.
_MARKS: Final = rb'["\\{}\[\]]'
_IN_STRING: Final = rb'["\\]'


class BracketScanner:
    """Follow JSON brackets through bytes that arrive in pieces; proves nothing, but says when to try.

    `whole` is true when an object or array was opened and closed, and nothing but blanks followed; `spoiled` when
    that can no longer come true, whatever follows.
    """

    __slots__ = ("depth", "escaped", "in_string", "spoiled", "whole")

    def __init__(self) -> None:
        self.depth = 0
        self.in_string = False
        self.escaped = False
        self.whole = False
        self.spoiled = False

    def feed(self, piece: bytes) -> None:
        """Read the next bytes; linear in their length."""
        if self.spoiled or not piece:
            return
        if self.depth == 0:
            piece = piece.lstrip(b" \t\r\n")
            if not piece:
                return
            if self.whole or piece[0] not in b"{[":
                self.spoiled = True
                self.whole = False
                return
        self._follow(piece)

    def _follow(self, piece: bytes) -> None:
        at = 0
        end = len(piece)
        in_string, marks = re.compile(_IN_STRING), re.compile(_MARKS)
        if self.escaped:
            self.escaped = False
            at = 1
        while at < end:
            found = (in_string if self.in_string else marks).search(piece, at)
            if found is None:
                return
            mark = piece[found.start()]
            at = found.end()
            if mark == 0x5C:  # a backslash; outside of strings it spoils the proof, not the scan
                at += 1
                self.escaped = at > end
            elif mark == 0x22:
                self.in_string = not self.in_string
            elif mark in b"{[":
                self.depth += 1
            else:
                self.depth -= 1
                if self.depth == 0:
                    self.whole = not piece[at:].strip(b" \t\r\n")
                    self.spoiled = not self.whole
                    return
