"""Mended payloads: what a flawed payload proves to be, if it proves to be anything.

Every function takes text that failed the strict reading and gives text that passes it, or nothing. None guesses:
what is not whole after the one change that the function knows is left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container
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
_BEFORE_A_NAME: Final = r'"(?:type|object|role|model|id|item_id|finish_reason)"[ \t\r\n]*+:[ \t\r\n]*+\Z'
_ESCAPE_OR_CONTROL: Final = r"(?s)\\(.)|[\x00-\x1f]"
_ESCAPABLE: Final = frozenset('"\\/bfnrtu')
# What means something behind a backslash: in JSON, but for the quote, or in the strings of a language.
_MEANT: Final = frozenset("\\/bfnrtuUxNaev'`0123456789") | frozenset(map(chr, range(32)))
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


def join_raw_lines(
    text: str, doubtful: Container[int] = (), keys: Container[str] = (), *, respelt: str | None = None
) -> list[str]:
    r"""Mend one object or array with raw line ends: inside a string they become `\n`, elsewhere they go.

    They go last: between two digits, for example, a line end parts what would else be one number. Inside a string a
    line end may as well have been put in by whoever wrapped the text, and both documents are whole. So a text is left
    alone where anything speaks for that: a line end in a string at one of the `doubtful` offsets, lines of one width,
    a chunk size on a line of its own, or a key that a line end parts. If each such key is one of `keys` without it, the
    text was wrapped, and all line ends go; so they do where one parts a name of the protocol's. `respelt` is the text
    without its other flaws, where it has any: what speaks for a wrap is looked for in the text as it came, and a text
    that was wrapped and has another flaw is left alone.
    """
    if "\n" not in text or len(text) > MAX_PROOF:
        return []
    parted = [found for found in re.finditer(_STRING_OR_KEY, text) if "\n" in found[1]]
    parted_keys = [found[1][1:-1].replace("\n", "") for found in parted if found[2]]
    if parted_keys or ("type" in keys and any(_is_name(text, found.start(1)) for found in parted)):
        is_wrapped = respelt is None and all(key in keys for key in parted_keys)
        return _if_whole(text.replace("\n", "")) if is_wrapped else []
    if parted and (_is_doubtful(text, parted, doubtful) or _is_wrapped(text.split("\n"))):
        return []
    escaped = _escape_strings(text if respelt is None else respelt)
    return [one_line(escaped)] if is_whole(escaped) else []


def _is_name(text: str, at: int) -> bool:
    """Return whether the string that begins here is a name of the protocol's, in which no line end stands."""
    return re.search(_BEFORE_A_NAME, text[max(0, at - 64) : at]) is not None


def _is_doubtful(text: str, parted: list[re.Match[str]], doubtful: Container[int]) -> bool:
    breaks = (at.start() for found in parted for at in re.compile("\n").finditer(text, found.start(1), found.end(1)))
    return any(at in doubtful for at in breaks)


def _is_wrapped(lines: list[str]) -> bool:
    """Return whether lines look cut by width, or by the chunks of HTTP: a size stands on a line between them."""
    if any(re.fullmatch(r"[0-9A-Fa-f]{1,8}\r?", line) for line in lines[1:-1]):
        return True
    widths = {len(line.encode("utf-8", "surrogatepass")) for line in lines[1:-1]}
    if len(widths) != 1 or len(lines[-1].encode("utf-8", "surrogatepass")) > max(widths):
        return False
    first = len(lines[0].encode("utf-8", "surrogatepass"))
    return bool(widths & {first, first + len("data: "), first + len("data:")})


def _escape_controls(found: re.Match[str]) -> str:
    """Return a string token with an escape for each control character that stands raw in it."""
    return re.sub(_ESCAPE_OR_CONTROL, lambda one: one[0] if one[1] else json.dumps(one[0])[1:-1], found[0])


def _if_whole(text: str) -> list[str]:
    return [text] if is_whole(text) else []


def replace_non_finite(text: str) -> list[str]:
    """Mend one object or array that holds `NaN`, `Infinity` or `-Infinity` as values: they become `null`."""
    return _if_changed(text, _without_non_finite)


def escape_controls(text: str) -> list[str]:
    """Mend one object or array with control characters raw inside strings: each becomes its escape.

    Line ends are left to `join_raw_lines`, which asks whether they were meant.
    """
    return _if_changed(text, _without_controls)


def escape_backslashes(text: str) -> list[str]:
    r"""Mend one object or array with backslashes that escape nothing: each stands for itself, and becomes two.

    Whoever wrote it escapes no backslashes. So a string that has another escape beside it, but that of a quote, is left
    alone: `\n` may be a line end, or the beginning of a word. So is one with an escape of other notations.
    """
    return [] if "\n" in text else _if_changed(text, _without_lone_backslashes)


def _if_changed(text: str, respell: Callable[[str], str]) -> list[str]:
    """Return the text respelt, if that makes it whole."""
    if len(text) > MAX_PROOF:
        return []
    respelt = respell(text)
    return _if_whole(respelt) if respelt != text else []


def _escape_strings(text: str) -> str:
    return re.sub(f"(?s){_STRING}", _escape_controls, text)


def _without_non_finite(text: str) -> str:
    if "NaN" not in text and "Infinity" not in text:
        return text
    return re.sub(_STRING_OR_NON_FINITE, lambda found: found[1] or "null", text)


def _without_controls(text: str) -> str:
    """Return the text with raw control characters escaped, but where a line end is among them."""
    if "\n" in text or re.search(r"[\x00-\x1f]", text) is None:
        return text
    return _escape_strings(text)


def _without_lone_backslashes(text: str) -> str:
    """Return the text with backslashes doubled that escape nothing; unchanged where one may mean something."""
    if "\\" not in text:
        return text
    doubtful = False

    def respell(found: re.Match[str]) -> str:
        nonlocal doubtful
        escapes = set(re.findall(r"(?s)\\(u[0-9A-Fa-f]{4}|.)", found[0]))
        escaped = {escape[0] for escape in escapes}
        if escaped <= _ESCAPABLE and "u" not in escapes:
            return found[0]
        doubtful = doubtful or not escaped.isdisjoint(_MEANT)
        return re.sub(r'(?s)\\([^"])', r"\\\\\1", found[0])

    respelt = re.sub(f"(?s){_STRING}", respell, text)
    return text if doubtful else respelt


_FRAMED: Final = r"(data|event|id|retry|):"


def unwrap_frame(text: str) -> list[str]:
    """Read a payload that is itself SSE, one level deep; give what is inside if it is whole JSON or `[DONE]`."""
    inner = _frame_inside(text)
    return [DONE] if inner.strip() == DONE else _if_whole(inner)


def _frame_inside(text: str) -> str:
    """Return the data of a payload that is itself SSE; "" for any other."""
    if not re.match(_FRAMED, text):
        return ""
    lines = re.split(r"\r\n|\n|\r", text)
    data = [line.partition(":")[2].removeprefix(" ") for line in lines if line.startswith("data:")]
    return "\n".join(data) if all(re.match(_FRAMED, line) for line in lines if line) else ""


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
    (RepairKind.RAW_CONTROL, escape_controls),
    (RepairKind.LONE_BACKSLASH, escape_backslashes),
    (RepairKind.GLUED_JSON, prove_series),
    (RepairKind.DOUBLE_PREFIX, unwrap_frame),
    (RepairKind.SPLICED_EVENT, rescue_spliced),
    (RepairKind.PYTHON_REPR, read_repr),
)
"""What is tried on one flawed payload, in this order: the documents that it proves to be, or none."""


_RESPELLINGS: Final[tuple[tuple[RepairKind, Callable[[str], str]], ...]] = (
    (RepairKind.NON_FINITE, _without_non_finite),
    (RepairKind.LONE_BACKSLASH, _without_lone_backslashes),
    (RepairKind.RAW_CONTROL, _without_controls),
)
"""What changes the spelling of one token, and no bracket: none hides another, and each has one result."""

Allows = Callable[[RepairKind], bool]
Mended = tuple[tuple[RepairKind, ...], list[str]]
"""The repairs that together bring the proof, and the documents (or `[DONE]`) that result; both are empty for none."""


def _respell(text: str, allows: Allows) -> tuple[tuple[RepairKind, ...], str]:
    """Return the text without any flaw in the spelling of its tokens, and the repairs that made it so."""
    kinds = []
    for kind, respell in _RESPELLINGS:
        if allows(kind) and (respelt := respell(text)) != text:
            kinds.append(kind)
            text = respelt
    return tuple(kinds), text


def mend_payload(text: str, allows: Allows) -> Mended:
    """Return the first repair that brings its proof, or those that do together, and what results."""
    for kind, mend in PAYLOAD_MENDS:
        if allows(kind) and (pieces := mend(text)):
            return (kind,), pieces
    return mend_flaws(text, allows)


def mend_flaws(text: str, allows: Allows) -> Mended:
    """Mend a payload with several flaws, none of which hides another.

    In the spelling of its tokens, in that and as a series of documents, or in that and as a frame in a frame.
    """
    if len(text) > MAX_PROOF:
        return (), []
    kinds, respelt = _respell(text, allows)
    if len(kinds) > 1 and is_whole(respelt):
        return kinds, [one_line(respelt)]
    if kinds and allows(RepairKind.GLUED_JSON) and (pieces := prove_series(respelt)):
        return (*kinds, RepairKind.GLUED_JSON), pieces
    if allows(RepairKind.DOUBLE_PREFIX) and (inner := _frame_inside(text)):
        kinds, respelt = _respell(inner, allows)
        if kinds and is_whole(respelt):
            return (RepairKind.DOUBLE_PREFIX, *kinds), [respelt]
    return (), []


def mend_lines(text: str, allows: Allows, doubtful: Container[int] = (), keys: Container[str] = ()) -> Mended:
    """Mend a document with raw line ends as `join_raw_lines` does, which may have flaws within its tokens as well."""
    if not allows(RepairKind.RAW_NEWLINE) or "\n" not in text or len(text) > MAX_PROOF:
        return (), []
    if pieces := join_raw_lines(text, doubtful, keys):
        return (RepairKind.RAW_NEWLINE,), pieces
    kinds, respelt = _respell(text, allows)
    pieces = join_raw_lines(text, doubtful, keys, respelt=respelt) if kinds else []
    return ((RepairKind.RAW_NEWLINE, *kinds) if pieces else ()), pieces
