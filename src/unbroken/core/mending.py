"""Mended payloads: what a flawed payload proves to be, if it proves to be anything.

Every function takes text that failed the strict reading and gives text that passes it, or nothing. None guesses:
what is not whole after the one change that the function knows is left alone.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from .proof import FLAWED, MAX_PROOF, is_whole, prove, prove_series

MAX_REPR: Final = 64 * 1024
"""Characters of a Python repr that are read at most."""
MAX_REPR_LEVELS: Final = 50

# The closing quote is optional: a string that never closes is eaten whole, or each quote in it would be tried again.
_STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_STRING_OR_NON_FINITE: Final = re.compile(rf"({_STRING})|-?\b(?:NaN|Infinity)\b", re.DOTALL)
_STRING_OR_BREAK: Final = re.compile(rf"({_STRING})|[\r\n]++", re.DOTALL)
_SEPARATORS: Final = re.compile("[\u2028\u2029\u0085]")
_ESCAPES: Final = {0x2028: "\\u2028", 0x2029: "\\u2029", 0x85: "\\u0085"}


def escape_separators(text: str) -> str:
    r"""Escape U+2028, U+2029 and U+0085 in a proven JSON text, where they can stand inside strings only.

    The value stays the same, and readers built on `str.splitlines` no longer cut the line there.
    """
    if text.isascii() or not _SEPARATORS.search(text):
        return text
    return text.translate(_ESCAPES)


def one_line(text: str) -> str:
    """Spell a proven JSON text without line ends; they can stand between tokens only."""
    if "\n" not in text and "\r" not in text:
        return text
    return _STRING_OR_BREAK.sub(lambda found: found[1] or "", text)


def join_raw_lines(text: str) -> str | None:
    r"""Mend one object or array with raw line ends: inside a string they become `\n`, elsewhere they go."""
    if "\n" not in text or len(text) > MAX_PROOF:
        return None
    mended = _STRING_OR_BREAK.sub(lambda found: found[1].replace("\n", "\\n") if found[1] else "", text)
    return mended if is_whole(mended) else None


def replace_non_finite(text: str) -> str | None:
    """Mend one object or array that holds `NaN`, `Infinity` or `-Infinity` as values: they become `null`."""
    if len(text) > MAX_PROOF or ("NaN" not in text and "Infinity" not in text):
        return None
    mended = _STRING_OR_NON_FINITE.sub(lambda found: found[1] or "null", text)
    return mended if is_whole(mended) else None


def split_glued(text: str) -> list[str]:
    """Split whole objects and arrays that stand on one line; scalars are never split."""
    return prove_series(text)


_FRAMED: Final = re.compile(r"(data|event|id|retry|):")


def unwrap_frame(text: str) -> str | None:
    """Read a payload that is itself SSE, one level deep, and give the payload inside if it is whole JSON or `[DONE]`."""
    if not _FRAMED.match(text):
        return None
    lines = re.split(r"\r\n|\n|\r", text)
    data = [line.partition(":")[2].removeprefix(" ") for line in lines if line.startswith("data:")]
    if not data or not all(_FRAMED.match(line) for line in lines if line):
        return None
    inner = "\n".join(data)
    if inner.strip() == "[DONE]":
        return "[DONE]"
    return inner if is_whole(inner) else None


_SPLICE: Final = re.compile(r'data: ?(?=\{[ ]?("[^"\\]*+"):)')


def rescue_spliced(text: str) -> tuple[int, str] | None:
    """Find the whole object that a broken one was overwritten with; give where it begins, and the object.

    Both must begin with the same first key, so that text which merely quotes a frame is left alone.
    """
    first_key = re.match(r'\{[ ]?("[^"\\]*+"):', text)
    if first_key is None or len(text) > MAX_PROOF:
        return None
    begins = [found for found in _SPLICE.finditer(text) if found[1] == first_key[1]]
    if not begins:
        return None
    # The last one: whatever was cut off before it cannot be whole. One parse, however many there are.
    inner = text[begins[-1].end() :]
    return (begins[-1].end(), inner) if is_whole(inner) else None


_REPR_TOKEN: Final = re.compile(
    r"""[ \t\r\n]*+(?:
        (?P<punctuation>[{}\[\]:,])
      | (?P<word>True|False|None)\b
      | (?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:e[+-]?[0-9]++)?)(?![0-9A-Za-z_.])
      | (?P<string>'[^'\\\r\n]*+(?:\\.[^'\\\r\n]*+)*+'|"[^"\\\r\n]*+(?:\\.[^"\\\r\n]*+)*+")
    )""",
    re.VERBOSE,
)
_WORDS: Final = {"True": "true", "False": "false", "None": "null"}
_REPR_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([\\'\"nrt]))")
_SIMPLE: Final = {"n": "\n", "r": "\r", "t": "\t"}


def _unescape(body: str) -> str | None:
    """Undo the escapes that `repr` writes; None for any other."""
    if len(_REPR_ESCAPE.sub("", body).split("\\")) > 1:
        return None

    def character(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        if code is None:
            return _SIMPLE.get(found[4], found[4])
        return chr(min(int(code, 16), 0x10FFFF))

    return _REPR_ESCAPE.sub(character, body)


def read_repr(text: str) -> str | None:
    """Mend the repr of a Python dict that holds nothing but JSON values; linear, no evaluation.

    Whatever `json.loads` refuses afterwards (a set, a tuple, a key that is no string) was no such dict.
    """
    if len(text) > MAX_REPR or not text.startswith("{") or "'" not in text:
        return None
    tokens: list[str] = []
    at = 0
    while at < len(text):
        found = _REPR_TOKEN.match(text, at)
        if found is None:
            break
        token = _json_token(found)
        if token is None:
            return None
        tokens.append(token)
        at = found.end()
    if text[at:].strip():
        return None
    mended = "".join(token + " " if token in ",:" else token for token in tokens)
    return mended if is_whole(mended) else None


def _json_token(found: re.Match[str]) -> str | None:
    token = found.group().lstrip()
    if found["word"]:
        return _WORDS[token]
    if found["string"]:
        value = _unescape(token[1:-1])
        return None if value is None else json.dumps(value, ensure_ascii=not _is_encodable(value))
    return token


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


_BYTES_REPR: Final = re.compile(r"""b(?:'([^'\\]*+(?:\\.[^'\\]*+)*+)'|"([^"\\]*+(?:\\.[^"\\]*+)*+)")""", re.DOTALL)


def read_bytes_repr(text: str) -> str | None:
    """Mend the repr of Python bytes that hold one SSE frame or one whole JSON document."""
    if len(text) > MAX_REPR:
        return None
    found = _BYTES_REPR.fullmatch(text)
    if found is None:
        return None
    body = _unescape(found[1] if found[1] is not None else found[2])
    if body is None or max(map(ord, body), default=0) > 0xFF:
        return None
    try:
        inner = body.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None
    if is_whole(inner):
        return inner
    return unwrap_frame(inner.strip("\r\n"))


_DONE: Final = re.compile(r"[ \t\"']*\[?[ \t]*done[ \t]*\]?[ \t\"']*", re.IGNORECASE)


def is_misspelt_done(text: str) -> bool:
    """Tell whether this can only have been meant as `[DONE]`: its case, its blanks or its brackets are off."""
    return len(text) <= 16 and _DONE.fullmatch(text) is not None


def value_of(text: str) -> Any:
    """Give the value of a mended text; a mended text is proven, so this never fails."""
    value = prove(text)
    assert value is not FLAWED
    return value
