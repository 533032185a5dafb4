"""Whether each line, and each numbered word, of a stream is in the output or covered by a repair."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeAlias

from ...standard import is_json
from .reading import PAYLOAD_WORD

Repair: TypeAlias = tuple[str, int, int]
"""One repair as (kind, offset, length), in bytes of the input."""

_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|\Z)")
_NDJSON_LINE = re.compile(rb"([^\n]*)(\n|\Z)")
_WITHOUT_DATA = re.compile(rb"(event|id|retry)(?::([^\r\n]*)|$)")
"""A field that means nothing in a block without data, or is passed on with the next event."""
_ESCAPES = {0x2028: "\\u2028", 0x2029: "\\u2029", 0x85: "\\u0085"}


def covered(data: bytes, repairs: Iterable[Repair], but: Collection[str] = ()) -> bytearray:
    """Return a mark for each byte: 1 where a repair covers it, but for those of the kinds `but`."""
    marks = bytearray(len(data))
    for kind, offset, length in repairs:
        if kind not in but:
            marks[offset : offset + length] = b"\1" * len(data[offset : offset + length])
    return marks


def outside(data: bytes, repairs: Iterable[Repair]) -> list[Repair]:
    """Return the repairs that lie outside of the stream."""
    return [repair for repair in repairs if not 0 <= repair[1] <= repair[1] + repair[2] <= len(data)]


def lost_lines(data: bytes, wire: bytes, format: str | None, repairs: Sequence[Repair]) -> list[str]:
    """Return the lines that are neither in the output, in their order, nor covered by a repair.

    A line is looked for in its canonical spelling, with U+FFFD for bytes that are not UTF-8. An `event:`, `id:` or
    `retry:` line may be gone, unless it swallowed a JSON document, and a comment without its line end.
    """
    wholes = [repair for repair in repairs if repair[0] != "invalid-utf8"]
    marks = covered(data, wholes)
    # A byte order mark means nothing where a body begins: at the start, and after a head that was skipped.
    for at in (0, *(length for kind, _, length in wholes if kind == "http-head")):
        if data[at : at + 3] == _BOM:
            data = data[:at] + b"\n\n\n" + data[at + 3 :]
    if format == "json-array":
        # The opening bracket leaves with the first element.
        return _lost_characters(_solid(_uncovered(data, marks))[1:], _solid(wire)[1:])
    if format is None:
        left = _uncovered(data, marks).strip(b" \t\r\n")
        return [left.decode("utf-8", "replace")] if left else []
    end = "\n" if format == "ndjson" else "[\r\n]"
    there = [line.translate(_ESCAPES) for line in re.split(end, wire.decode("utf-8", "replace"))]
    return _missing(_uncovered_lines(data, marks, format), there)


def _uncovered(data: bytes, marks: bytearray) -> bytes:
    return bytes(byte for byte, mark in zip(data, marks, strict=True) if not mark)


def _solid(data: bytes) -> list[str]:
    return list(re.sub(r"[ \t\r\n,]", "", data.decode("utf-8", "replace")))


def _lost_characters(wanted: list[str], there: list[str]) -> list[str]:
    rest = iter(there)
    return [] if all(item in rest for item in wanted) else ["".join(wanted)]


def _uncovered_lines(data: bytes, marks: bytearray, format: str) -> Iterator[str]:
    for found in (_NDJSON_LINE if format == "ndjson" else _LINE).finditer(data):
        line = found[1]
        solid = [at for at in range(*found.span(1)) if data[at] not in b" \t\r"]
        if not solid:
            continue
        if any(marks[found.start(1) : found.end(1)]):
            if not all(marks[at] for at in solid):
                yield f"{line!r}, of which repairs cover a part"
        elif format == "ndjson":
            yield line.strip(b" \t\r").decode("utf-8", "replace").translate(_ESCAPES)
        elif not _means_nothing(line) and (found[2] or not line.startswith(b":")):
            yield _canonical(line.decode("utf-8", "replace")).translate(_ESCAPES)


def _means_nothing(line: bytes) -> bool:
    found = _WITHOUT_DATA.fullmatch(line)
    return found is not None and (found[1] == b"id" or not holds_document(found[2] or b""))


def holds_document(value: bytes) -> bool:
    """Return whether a value ends with a JSON object, from its first brace on."""
    at = value.find(b"{")
    return at >= 0 and is_json(value[at:].rstrip())


def _canonical(line: str) -> str:
    name, _, value = line.partition(":")
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
        return f"{name}: {value.removeprefix(' ')}"
    return line


def _missing(lines: Iterator[str], there: list[str]) -> list[str]:
    """Return the lines that do not stand in the output in this order; a missing line costs only itself."""
    missing = []
    at = 0
    for line in lines:
        try:
            at = there.index(line, at) + 1
        except ValueError:
            missing.append(line)
    return missing


def lost_words(data: bytes, wire: bytes, repairs: Sequence[Repair], rewrites: Collection[str]) -> list[bytes]:
    """Return the numbered words of payloads that do not leave as often as they came, and are not covered.

    A repair of a kind in `rewrites` keeps what it covers, so it excuses nothing.
    """
    marks = covered(data, repairs, rewrites)
    came = Counter(found[0] for found in PAYLOAD_WORD.finditer(data) if not any(marks[slice(*found.span())]))
    return sorted((came - Counter(PAYLOAD_WORD.findall(wire))).elements())
