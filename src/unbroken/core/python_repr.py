"""The repr of a Python value to JSON text: a tokenizer, and no evaluation.

https://docs.python.org/3/reference/lexical_analysis.html#literals. What `repr` writes for JSON's own values is all that
is read; whatever fails a JSON proof afterwards (a set, a tuple, a key that is not a string) was something else.
Double quotes it writes around a text with a single quote, and around no other: JSON is not read as a repr.
"""

from __future__ import annotations

import json
import re
from typing import Final

_ASTRAL: Final = "(?:0010|000[0-9a-f])[0-9a-f]{4}"  # no character lies beyond
_WRITTEN: Final = rf"""\\(?:x[0-9a-f]{{2}}|u[0-9a-f]{{4}}|U{_ASTRAL}|[\\'nrt])"""  # the escapes that `repr` writes
_TOKEN: Final = re.compile(
    rf"""[ \t\r\n]*+(?:
        (?P<punctuation>[{{}}\[\]:,])
      | (?P<word>True|False|None)\b
      | (?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:e[+-]?[0-9]++)?)(?![0-9A-Za-z_.])
      | (?P<string>'[^'\\\r\n]*+(?:{_WRITTEN}[^'\\\r\n]*+)*+'|"(?=[^"']*+')[^"\\\r\n]*+(?:{_WRITTEN}[^"\\\r\n]*+)*+")
    )""",
    re.VERBOSE,
)
_BYTES: Final = re.compile(r"""b(?:'([^'\\]*+(?:\\.[^'\\]*+)*+)'|"([^"\\]*+(?:\\.[^"\\]*+)*+)")""", re.DOTALL)
_ESCAPE: Final = re.compile(rf"\\(?:x([0-9a-f]{{2}})|u([0-9a-f]{{4}})|U({_ASTRAL})|([\\'\"nrt]))")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final = {"True": "true", "False": "false", "None": "null"}
_SIMPLE: Final = {"n": "\n", "r": "\r", "t": "\t"}


def read_dict(text: str) -> str:
    """Return the JSON text of a dict's repr, unproven; "" for anything but a series of such tokens. Linear."""
    tokens: list[str] = []
    at = 0
    while found := _TOKEN.match(text, at):
        tokens.append(_json_token(found))
        at = found.end()
    if text[at:].strip():
        return ""
    return "".join(token + " " if token in ",:" else token for token in tokens)


def read_bytes(text: str) -> str:
    """Return the text inside of the repr of bytes; "" for anything else, and where it is not UTF-8."""
    found = _BYTES.fullmatch(text)
    if found is None:
        return ""
    body = _unescape(found[1] if found[1] is not None else found[2])
    try:
        return body.encode("latin-1").decode()
    except UnicodeError:
        return ""


def _json_token(found: re.Match[str]) -> str:
    token = found.group().lstrip()
    if found["word"]:
        return _WORDS[token]
    if found["string"]:
        text = json.dumps(_unescape(token[1:-1]), ensure_ascii=False)
        # A lone surrogate has no UTF-8 form; as an escape it passes.
        return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
    return token


def _unescape(body: str) -> str:
    """Undo the escapes that `repr` writes; in the text of bytes any other keeps its backslash."""

    def character(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        if code is None:
            return _SIMPLE.get(found[4], found[4])
        return chr(int(code, 16))

    return _ESCAPE.sub(character, body)
