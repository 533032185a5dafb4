"""What may stand where frames of one template differ. Each kind of slot is a pattern, a judge, and a mark to try it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

SLOT: Final = "\0"
"""Stands for a slot in the text of a template; neither a payload nor a line of a template can hold one itself."""
MARK: Final = "\ufdd0template\ufdd1"
"""A text of noncharacters, which no provider sends."""

# RFC 8259, clause 7: what may stand between the quotes. Possessive, so that nothing is tried twice.
_STRING: Final = rb'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+'
_STRING_TEXT: Final = _STRING.decode()  # compiled at its first use, by `re` itself


class Slot(NamedTuple):
    """One kind of slot.

    `pattern` finds a value among many frames, and matches the empty string at least; `accepts` judges one value;
    `takes_any_plain`: whatever is printable, not empty, and holds neither a quote nor a backslash, is accepted.
    """

    pattern: bytes
    accepts: Callable[[str], object]
    mark: str = MARK
    may_be_empty: bool = False
    takes_any_plain: bool = False
    repeats_text: bool = False


def _is_string(value: str) -> object:
    return re.fullmatch(_STRING_TEXT, value)


def _is_text(value: str) -> object:
    return value and _is_string(value)


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= 15 and (value == "0" or value[0] != "0")


def _is_blank(value: str) -> bool:
    return not value.strip(" ")


def _is_id(value: str) -> bool:
    return bool(value) and not ("\r" in value or "\n" in value or "\0" in value)


TEXT: Final = Slot(_STRING, _is_text, takes_any_plain=True)
"""The text of the answer, escapes kept."""
TWIN: Final = Slot(_STRING, _is_text, takes_any_plain=True, repeats_text=True)
"""The same text once more: some servers send it under two keys."""
STRING: Final = Slot(_STRING, _is_string, may_be_empty=True, takes_any_plain=True)
"""A string that means nothing."""
NUMBER: Final = Slot(rb"(?:0|[1-9][0-9]{0,14}+)?+", _is_number, "907060504030201")
"""A whole number (RFC 8259, clause 6) of up to 15 digits."""
BLANKS: Final = Slot(rb" *+", _is_blank, "  ", may_be_empty=True)
"""Blanks before the last brace (RFC 8259, clause 2); Anthropic pads with them."""
ID: Final = Slot(rb"[^\r\n\0]*+", _is_id)
"""The value of an `id:` line (WHATWG 9.2.6)."""
