"""Repairs of blocks: a rule sees a block that failed the strict reading, and returns the documents in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from ..mending import DONE, PAYLOAD_MENDS, Allows, Mended, join_raw_lines, mend_flaws, mend_lines
from ..proof import FLAWED, is_whole, prove
from ..repairs import RepairKind
from .block import Block, ParsedBlock, is_error_field

Keys = Collection[str]
Rule = Callable[[Block, str, Keys], list[str]]
"""Takes a block, its payload and the keys of the dialect; returns the documents that the block proves to hold."""


def raw_block(block: Block, payload: str, keys: Keys = ()) -> list[str]:
    """A document over several lines without `data:`, and nothing else."""
    raw = b"\n".join(block.non_fields).decode() if not block.data else ""
    return [raw] if is_whole(raw) else []


def error_fields(block: Block, payload: str, keys: Keys = ()) -> list[str]:
    """`error: {...}` behind other fields, in a block without data: the rule for one that begins a block sees none."""
    if block.data or (len(block.non_fields) > 1 and raw_block(block, payload)):
        return []
    return ['{"error": ' + line[7:].decode().strip() + "}" for line in block.lines if is_error_field(line)]


def raw_newlines(block: Block, payload: str, keys: Keys = ()) -> list[str]:
    """A document that raw line ends cut into several lines of data, or into lines without `data:`."""
    if not block.data or len(block.body) < 2 or block.unknown:
        return []  # an unknown field may be a line of the document
    return join_raw_lines(b"\n".join(block.body).decode(), _doubtful_breaks(block), keys)


def _doubtful_breaks(block: Block) -> set[int]:
    """Return where, in the lines of a document, a line end was not one of the document's own.

    Whoever wrote `data:` before the next line may have put the line end in, too, and a field or a comment between two
    lines may be one of them.
    """
    doubtful, raw = set(), set(block.non_fields)
    end = -1  # of the last line of the document
    between = False
    for line in block.wire.decode().split("\n")[:-1]:
        name, colon, value = line.partition(": ")
        is_data = name == "data" and bool(colon)
        if not is_data and line.encode() not in raw:
            between = True
            continue
        if end >= 0 and (is_data or between):
            doubtful.add(end)
        end += 1 + len(value if is_data else line)
        between = False
    return doubtful


def documents_and_null(block: Block, payload: str, keys: Keys = ()) -> list[str]:
    """Documents and `null`, each on a line of data of its own; the `null` goes."""
    lines = [line.strip() for line in payload.split("\n")]
    documents = [line for line in lines if line != "null"]
    if not 1 <= len(documents) < len(lines) or not all(line == DONE or is_whole(line) for line in documents):
        return []
    return documents


def _without_comments(payload: str, allows: Allows, keys: Keys) -> Mended:
    """Return a block's documents without the comments on lines of data beside them; in a known dialect only."""
    lines = payload.split("\n")
    kept = [line for line in lines if not (line.lstrip().startswith(":") and "{" not in line)]
    if not keys or len(kept) == len(lines) or not allows(RepairKind.WRAPPED_COMMENT):
        return (), []
    rest = "\n".join(kept)
    if rest.strip() == DONE or is_whole(rest):
        return (RepairKind.WRAPPED_COMMENT,), [rest]
    documents = [line.strip() for line in kept if line.strip() != "null"]
    if not documents or not all(line == DONE or is_whole(line) for line in documents):
        return (), []
    kind = RepairKind.MISSING_BLANK_LINE
    return ((kind, RepairKind.WRAPPED_COMMENT), documents) if allows(kind) else ((), [])


def _of_payload(mend: Callable[[str], list[str]]) -> Rule:
    return lambda block, payload, keys: mend(payload) if block.data else []


BLOCK_RULES: Final[tuple[tuple[RepairKind, Rule], ...]] = (
    (RepairKind.ERROR_LINE, error_fields),
    (RepairKind.RAW_JSON, raw_block),
    (RepairKind.RAW_NEWLINE, raw_newlines),
    (RepairKind.MISSING_BLANK_LINE, documents_and_null),
    *((kind, _of_payload(mend)) for kind, mend in PAYLOAD_MENDS),
)
"""What is tried on a block, in this order; the payload alone is mended by the functions of `mending.py`."""

USES_NON_FIELDS: Final = frozenset((RepairKind.RAW_NEWLINE, RepairKind.RAW_JSON))
"""Repairs that make something of non-field lines; with any other repair these lines are dropped."""


def mend(block: Block, allows: Allows, keys: Keys = ()) -> Mended:
    """Return the repairs that bring the proof, and the documents (or `[DONE]`) that the block then holds.

    `keys`: those of the known dialect.
    """
    payload = block.payload
    if block.data and (not payload or payload == DONE or prove(payload) is not FLAWED):
        return (), []
    for kind, rule in BLOCK_RULES:
        if allows(kind) and (documents := rule(block, payload, keys)):
            return (kind,), documents
    if not block.data:
        return (), []
    mended = _without_comments(payload, allows, keys)
    if not mended[0]:
        mended = mend_flaws(payload, allows)
    if not mended[0] and len(block.body) > 1 and not block.unknown:
        mended = mend_lines(b"\n".join(block.body).decode(), allows, _doubtful_breaks(block), keys)
    return mended


def raw_documents(block: ParsedBlock, allows: Allows) -> list[tuple[int, str]]:
    """Return the non-field lines that are whole documents of their own, each with how many lines of data precede it."""
    found: list[tuple[int, str]] = []
    if not block.non_fields or not allows(RepairKind.RAW_JSON):
        return found
    raw, data_lines = set(block.non_fields), 0
    for line in block.wire.split(b"\n")[:-1]:
        if line.startswith(b"data: "):
            data_lines += 1
        elif line in raw and line[:1] in (b"{", b"[") and is_whole(line.decode()):
            found.append((data_lines, line.decode()))
    return found


def documents_between(
    block: ParsedBlock, documents: list[str], ends: list[int], allows: Allows, keys: Keys = ()
) -> list[list[str]] | None:
    """Return the documents of a block by the lines of data that hold them, cut behind each of `ends`.

    None if a document reaches over such an end.
    """
    parts: list[list[str]] = []
    for start, end in zip([0, *ends], [*ends, len(block.data)], strict=True):
        part = ParsedBlock(b"".join(b"data: " + line + b"\n" for line in block.data[start:end]))
        if part.payload == DONE or prove(part.payload) is not FLAWED:
            parts.append([part.payload] if part.payload.strip() != "null" else [])
        else:
            parts.append(mend(part, allows, keys)[1])
    return parts if [text for part in parts for text in part] == documents else None
