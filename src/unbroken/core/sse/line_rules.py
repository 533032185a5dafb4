"""Repairs of lines: a rule sees one line and the open block, and returns the lines that should have stood there.

A rule changes nothing but what `Evidence` remembers of the open block. It calls `Evidence.data_is_whole` last, when the
cheap checks have passed: a proof in vain is remembered, and then nothing ends this block early. What a rule returns is
read again, by the rules and by the strict framer, so that whatever leaves is what that framer reads: a repaired stream
needs no repair. No rule ever sees a chunk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from ..failure import Failure
from ..gate import Gate
from ..mending import DONE, escape_separators, one_line
from ..proof import BracketScanner, is_whole
from ..repairs import RepairKind
from ..state import Mode
from .evidence import Evidence
from .framer import OpenBlock

_DONE: Final = DONE.encode()
# Seldom needed: compiled at their first use, by `re` itself.
MISNAMED_DATA: Final = rb"(?i)[ \t]*+data[ \t]*+:"
_ERROR_HEAD: Final = rb"HTTP/[0-9](?:\.[0-9])? ([45][0-9]{2})(?: |$)"
_MARKUP: Final = rb"(?i)[ \t]*+<(?:!doctype|html)\b"


class Seen(NamedTuple):
    """What a rule may look at."""

    gate: Gate
    block: OpenBlock
    evidence: Evidence

    def allows(self, kind: RepairKind) -> bool:
        """Return whether this kind of repair may be tried now."""
        return self.gate.allows(kind)


class Change(NamedTuple):
    """What a rule asks for; the reader does it in the order of these fields.

    `failure` ends the stream, recorded as `kind`, and goes with no other field. `ends_block` and `ends_data` each
    record `missing-blank-line`; `ends_data` records nothing else. `begins_raw` records nothing yet, since the document
    may turn out not to be whole, and goes without `lines`. In all other cases `kind` is recorded, and `lines` are read.
    """

    kind: RepairKind
    ends_block: bool = False  # the open block ended before this line: a blank line is missing there
    ends_data: bool = False  # the same, after the last data line; the lines after that belong to what follows
    failure: Failure | None = None  # the stream ends here
    begins_raw: BracketScanner | None = None  # this line begins a document without `data:`; it was scanned
    lines: tuple[bytes, ...] = ()  # to be read in the place of this one


FieldRule = Callable[[bytes, bytes, Seen], Change | None]
LineRule = Callable[[bytes, Seen], Change | None]


def second_document(line: bytes, value: bytes, seen: Seen) -> Change | None:
    """A data line that is a whole document, after data that is one."""
    if seen.evidence.disproven or not seen.allows(RepairKind.MISSING_BLANK_LINE):
        return None
    if seen.gate.state.mode is Mode.KNOWN and (change := _null_between(line, value, seen)) is not None:
        return change
    is_done = value.strip() == _DONE
    if not (is_done or value[:1] in (b"{", b"[")) or not seen.evidence.data_may_be_whole():
        return None
    if not (is_done or seen.evidence.is_document(value)) or not seen.evidence.data_is_whole():
        return None
    return Change(RepairKind.MISSING_BLANK_LINE, ends_data=True, lines=(line,))


def _null_between(line: bytes, value: bytes, seen: Seen) -> Change | None:
    """`null` after a whole document, or a document after `null`: in a known dialect it is an event of its own."""
    is_null = value.strip() == b"null"
    wire, data_end = seen.block.wire, seen.block.data_end
    last = wire[wire.rfind(b"\n", 0, data_end - 1) + 1 : data_end] if seen.block.data_lines == 1 else b""
    after_null = last.removeprefix(b"data: ").strip() == b"null"
    if after_null and (is_null or value.strip() == _DONE or seen.evidence.is_document(value)):
        return Change(RepairKind.MISSING_BLANK_LINE, ends_data=True, lines=(line,))
    if is_null and seen.evidence.data_may_be_whole() and seen.evidence.data_is_whole():
        return Change(RepairKind.MISSING_BLANK_LINE, ends_data=True, lines=(line,))
    return None


def error_line(line: bytes, value: bytes, seen: Seen) -> Change | None:
    """A bare `error: {...}`, as one inference server writes it."""
    if not seen.allows(RepairKind.ERROR_LINE) or not value.startswith(b"{"):
        return None
    text = value.decode()
    if not is_whole(text):
        return None
    return Change(RepairKind.ERROR_LINE, lines=_event_of('{"error": ' + text.strip() + "}"))


def blanks(line: bytes, seen: Seen) -> Change | None:
    """A line of blanks is not a blank line; after a whole document it can only have been meant as one."""
    if line.strip(b" \t") or not seen.allows(RepairKind.MISSING_BLANK_LINE):
        return None
    is_done = seen.block.data_lines == 1 and seen.block.wire.endswith(b"data: [DONE]\n") and seen.gate.expects_done
    return Change(RepairKind.MISSING_BLANK_LINE, lines=(b"",)) if is_done or seen.evidence.data_is_whole() else None


def bare_done(line: bytes, seen: Seen) -> Change | None:
    """`[DONE]` without `data:`; where it is the dialect's sentinel it can be nothing else."""
    if line.strip() != _DONE or not seen.gate.expects_done or not seen.allows(RepairKind.DONE_SPELLING):
        return None
    is_open = bool(seen.block.wire)
    if is_open and not (seen.allows(RepairKind.MISSING_BLANK_LINE) and seen.evidence.data_is_whole()):
        return None
    return Change(RepairKind.DONE_SPELLING, ends_block=is_open, lines=(b"data: " + _DONE, b""))


def raw_json(line: bytes, seen: Seen) -> Change | None:
    """A document without `data:`, on this line or beginning with it."""
    if line[:1] not in (b"{", b"[") or line.strip() == _DONE or not seen.allows(RepairKind.RAW_JSON):
        return None
    scanner = BracketScanner()
    scanner.feed(line)
    is_open = bool(seen.block.wire)
    if scanner.spoiled or (is_open and not seen.allows(RepairKind.MISSING_BLANK_LINE)):
        return None
    if is_open and not (_holds_only_error(seen) or (scanner.whole and _follows_data(line, seen))):
        return None
    return Change(RepairKind.RAW_JSON, ends_block=is_open, begins_raw=scanner)


def _follows_data(line: bytes, seen: Seen) -> bool:
    """Return whether a line is a whole document, behind data that is one."""
    return is_whole(line.decode()) and seen.evidence.data_is_whole()


def _holds_only_error(seen: Seen) -> bool:
    """Return whether the open block has no data but an `error: {...}`, which leaves before what follows it."""
    return not seen.block.data_lines and seen.allows(RepairKind.ERROR_LINE) and seen.evidence.holds_error()


def misnamed_data(line: bytes, seen: Seen) -> Change | None:
    """`data` in whatever case and with blanks around it, before a whole document."""
    if not re.match(MISNAMED_DATA, line) or not seen.allows(RepairKind.FIELD_NAME):
        return None
    if seen.block.data_lines and not seen.evidence.data_is_whole():
        return None
    value = line.partition(b":")[2].removeprefix(b" ")
    if value.strip() != _DONE and not is_whole(value.decode()):
        return None
    return Change(RepairKind.FIELD_NAME, lines=(b"data: " + value,))


def foreign_body(line: bytes, seen: Seen) -> Change | None:
    """An error page, or an HTTP error head, between two events."""
    if seen.block.wire or not seen.allows(RepairKind.FOREIGN_BODY):
        return None
    head = re.match(_ERROR_HEAD, line)
    if not head and not re.match(_MARKUP, line):
        return None
    status = int(head[1]) if head else None
    return Change(RepairKind.FOREIGN_BODY, failure=Failure("upstream-failed", status_hint=status))


def _event_of(text: str) -> tuple[bytes, ...]:
    """Return the lines of an event with this payload."""
    return b"data: " + escape_separators(one_line(text)).encode(), b""


FIRST_FIELD_RULES: Final[Mapping[bytes, FieldRule]] = {b"error": error_line}
"""By the field's name: the rule for a field that begins a block."""
FIELD_AFTER_DATA_RULES: Final[Mapping[bytes, FieldRule]] = {b"data": second_document}
"""By the field's name: the rule for a field of a block that has data."""
NON_FIELD_RULES: Final[tuple[LineRule, ...]] = (blanks, bare_done, raw_json, misnamed_data, foreign_body)
"""The rules for a line that is not a field, in this order."""
