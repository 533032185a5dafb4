"""What may still leave at the end of input: a last event whose blank line, or last line end, is missing."""

from __future__ import annotations

import re

from ..decoder import is_utf8
from ..gate import keys_of
from ..mending import DONE, is_misspelt_done, mend_payload
from ..proof import FLAWED, is_whole, prove
from . import block_rules
from .block import Block, ParsedBlock
from .framer import parse_field
from .line_rules import MISNAMED_DATA, Seen


def completes(line: bytes, seen: Seen, *, raw: bool) -> bool:
    """Return whether a last line without its end is whole, alone or with the open data.

    `raw`: the open block is a document without `data:`.
    """
    if not line or not is_utf8(line):
        return False
    name, _, value = line.partition(b":")
    if name == b"data":
        return _completes_data(value.removeprefix(b" "), seen, raw=raw)
    if name == b"error":
        return not raw and not seen.block.data_lines and is_whole(value.decode())
    if raw:
        return not line.startswith(b":")
    if line[:1] in (b"{", b"["):
        return _is_whole_payload(line.decode(), seen) or _completes_document(line, seen)
    misnamed = None if parse_field(line) else re.match(MISNAMED_DATA, line)
    return misnamed is not None and _is_whole_payload(line[misnamed.end() :].decode().strip(), seen)


def _completes_document(line: bytes, seen: Seen) -> bool:
    """Return whether a line without `data:` is the rest of a document that a raw line end cut."""
    block = ParsedBlock(bytes(seen.block.wire) + line + b"\n")
    kinds = block_rules.mend(block, seen.allows, keys_of(seen.gate))[0]
    return not block_rules.USES_NON_FIELDS.isdisjoint(kinds)


def _completes_data(value: bytes, seen: Seen, *, raw: bool) -> bool:
    open_data = [] if raw else seen.block.parse().data
    if _is_whole_payload(b"\n".join([*open_data, value]).decode(), seen):
        return True
    return seen.evidence.data_is_whole() and _is_whole_payload(value.decode(), seen)


def is_whole_block(block: Block, seen: Seen) -> bool:
    """Return whether a block without its blank line is whole as it is, or as what a repair proves it to be."""
    if block_rules.mend(block, seen.allows, keys_of(seen.gate))[1]:
        return True
    return bool(block.data) and _is_whole_payload(block.payload, seen)


def _is_whole_payload(payload: str, seen: Seen) -> bool:
    if payload == DONE or (seen.gate.expects_done and is_misspelt_done(payload)) or is_whole(payload):
        return True
    return prove(payload) is FLAWED and bool(mend_payload(payload, seen.allows)[1])
