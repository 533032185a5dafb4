"""Repairs of blocks: a rule sees a block that failed the strict reading, and returns the documents in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..mending import DONE, PAYLOAD_MENDS, join_raw_lines
from ..proof import FLAWED, is_whole, prove
from ..repairs import RepairKind
from .block import Block, ParsedBlock

Allows = Callable[[RepairKind], bool]
Rule = Callable[[Block, str], list[str]]
"""Takes a block and its payload; returns the documents that the block proves to hold, or none."""


def raw_block(block: Block, payload: str) -> list[str]:
    """A document over several lines without `data:`, and nothing else."""
    raw = b"\n".join(block.non_fields).decode() if not block.data else ""
    return [raw] if is_whole(raw) else []


def raw_newlines(block: Block, payload: str) -> list[str]:
    """A document that raw line ends cut into several lines of data, or into lines without `data:`."""
    return join_raw_lines(b"\n".join(block.body).decode()) if block.data and len(block.body) > 1 else []


def documents_and_null(block: Block, payload: str) -> list[str]:
    """Documents and `null`, each on a line of data of its own; the `null` goes."""
    lines = [line.strip() for line in payload.split("\n")]
    documents = [line for line in lines if line != "null"]
    if not 1 <= len(documents) < len(lines) or not all(line == DONE or is_whole(line) for line in documents):
        return []
    return documents


def _of_payload(mend: Callable[[str], list[str]]) -> Rule:
    return lambda block, payload: mend(payload) if block.data else []


BLOCK_RULES: Final[tuple[tuple[RepairKind, Rule], ...]] = (
    (RepairKind.RAW_JSON, raw_block),
    (RepairKind.RAW_NEWLINE, raw_newlines),
    (RepairKind.MISSING_BLANK_LINE, documents_and_null),
    *((kind, _of_payload(mend)) for kind, mend in PAYLOAD_MENDS),
)
"""What is tried on a block, in this order; the payload alone is mended by the functions of `mending.py`."""

USES_NON_FIELDS: Final = (RepairKind.RAW_NEWLINE, RepairKind.RAW_JSON)
"""Repairs that make something of non-field lines; with any other repair these lines are dropped."""


def mend(block: Block, allows: Allows) -> tuple[RepairKind | None, list[str]]:
    """Return the first repair that brings its proof, and the documents (or `[DONE]`) that the block then holds."""
    payload = block.payload
    if block.data and (not payload or payload == DONE or prove(payload) is not FLAWED):
        return None, []
    for kind, rule in BLOCK_RULES:
        if allows(kind) and (documents := rule(block, payload)):
            return kind, documents
    return None, []


def raw_documents(block: ParsedBlock, allows: Allows) -> tuple[list[str], list[str]]:
    """Return the non-field lines that are whole documents of their own: those before all data, and the others."""
    if not block.non_fields or not allows(RepairKind.RAW_JSON):
        return [], []
    leading = block.leading
    return _whole_ones(block.non_fields[:leading]), _whole_ones(block.non_fields[leading:])


def _whole_ones(lines: list[bytes]) -> list[str]:
    return [line.decode() for line in lines if line[:1] in (b"{", b"[") and is_whole(line.decode())]
