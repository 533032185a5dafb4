"""Rules on what had to be repaired, with a sentence for each repair, and on the form of the bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...core.events import Format
from ...core.repairs import RepairKind
from ...core.report import Verdict
from ..facts import Facts
from .finding import Finding, plural, problem

_SAYS: Final[dict[RepairKind, str]] = {
    RepairKind.INVALID_UTF8: "Bytes that are not UTF-8: a character was cut in two, or the text has another encoding.",
    RepairKind.STRAY_LINE: "Lines that do not belong in an event stream.",
    RepairKind.FIELD_NAME: "Field names that are indented or in the wrong case.",
    RepairKind.FOREIGN_BODY: "A page or an error response of another server in the middle of the stream.",
    RepairKind.MISSING_BLANK_LINE: "The blank line between events is missing: standard parsers join them into one.",
    RepairKind.RAW_JSON: "JSON without `data:` before it: standard parsers skip it.",
    RepairKind.ERROR_LINE: "A bare `error:` line: standard parsers skip it.",
    RepairKind.RAW_NEWLINE: "Raw line ends inside of JSON.",
    RepairKind.RAW_CONTROL: "Control characters raw inside of JSON strings.",
    RepairKind.LONE_BACKSLASH: "Backslashes that escape nothing: something pasted text into JSON strings.",
    RepairKind.SPLIT_EVENT: "JSON documents cut over two events: something frames pieces of bytes, and not events.",
    RepairKind.NON_FINITE: "NaN or Infinity, which are not JSON: browsers reject them, Python does not.",
    RepairKind.GLUED_JSON: "JSON documents glued on one line.",
    RepairKind.DOUBLE_PREFIX: "Events framed twice (`data: data:`): something framed an event stream again.",
    RepairKind.SPLICED_EVENT: "Events spliced into each other: two writers share one connection.",
    RepairKind.PYTHON_REPR: "The repr of a Python object in place of JSON.",
    RepairKind.STRAY_FRAMING: "SSE and NDJSON mixed in one body.",
    RepairKind.WRAPPED_COMMENT: "A heartbeat wrapped as data: clients try to parse it.",
    RepairKind.DONE_SPELLING: "A misspelt `[DONE]`.",
    RepairKind.EMPTY_DATA: "Events with empty data or null, which clients try to parse.",
    RepairKind.INVALID_JSON: "Payloads that are not JSON.",
    RepairKind.UNTERMINATED_EVENT: "The last event lacks its blank line: standard parsers drop it.",
    RepairKind.UNFINISHED_TAIL: "The last piece is not whole.",
    RepairKind.OVERSIZED_EVENT: "Events over the size limit (`max_event_bytes`).",
    RepairKind.DONE_AFTER_ERROR: "A `[DONE]` after an error: clients take it for success.",
    RepairKind.FLAT_ERROR: "An error without the object at which the official clients raise: they pass over it.",
    RepairKind.TOOL_INDEX: "Tool calls at one index, or at none: most clients join their arguments, or drop one.",
    RepairKind.EVENT_NAME_RESTORED: "The `event:` lines of this dialect are missing.",
}


def mended(facts: Facts) -> Iterator[Finding]:
    """One problem for each kind of repair."""
    report = facts.report
    for kind, count in report.repairs.items():
        if kind in _SAYS:
            first = next((repair.offset for repair in report.first_repairs if repair.kind is kind), None)
            where = "" if first is None else f", first at byte {first}"
            yield from problem(kind.value, _SAYS[kind], f"{plural(count, 'time')}{where}")


def spelling_faults(facts: Facts) -> Iterator[Finding]:
    """Chunk sizes, or line ends written as two characters, are in the body."""
    spelling, report = facts.spelling, facts.report
    if spelling.chunk_sizes >= 1 and report.repairs[RepairKind.STRAY_LINE] and report.format is Format.SSE:
        yield from problem(
            "chunk-sizes",
            "Chunk sizes of HTTP's chunked coding are in the body: it was coded twice, or read from a raw socket.",
            f"{plural(spelling.chunk_sizes, 'line')} of hexadecimal digits",
        )
    if spelling.literal_newlines and (report.verdict is not Verdict.COMPLETE or report.repairs):
        yield from problem(
            "literal-newlines",
            r"Line ends are written as the two characters \n: something escaped them.",
            f"{plural(spelling.literal_newlines, 'frame border')}",
        )
