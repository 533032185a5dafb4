"""The laws without a clock, as checks of one stream.

Each check takes the bytes of a whole stream and the options to read it with, and raises `AssertionError` where a law
is broken. They are asked of drawn streams, of damaged recordings and of every table of cases.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unbroken import (
    DEFAULT_REPAIRS,
    Conversion,
    EventReader,
    Format,
    Observer,
    Repair,
    RepairKind,
    StreamRepairer,
    StreamReport,
    Verdict,
)
from unbroken.core import fast_path
from unbroken.core.failure import ERROR_TYPE, SENTENCES, is_ours
from unbroken.core.options import WRITING
from unbroken.core.proof import prove
from unbroken.testing.contract.repairer.accounting import covered, lost_lines, outside
from unbroken.testing.cuts import every
from unbroken.testing.standard import read_ndjson, read_sse

CUT_DEPENDENT = {"chunks_in", "error", "account"}
"""What depends on more than the bytes: the count of chunks, and objects that are equal by identity only."""


@dataclass
class Repaired:
    """What a repairer made of a stream: `pieces[n]` left with chunk n, the last of them at the end."""

    pieces: list[list[bytes]]
    report: StreamReport
    repairs: list[Repair]

    @property
    def wire(self) -> bytes:
        """The whole output."""
        return b"".join(frame for frames in self.pieces for frame in frames)


def repaired(chunks: Sequence[bytes], **options: Any) -> Repaired:
    """Repair a stream that ends clean."""
    repairs: list[Repair] = []
    repairer = StreamRepairer(**options, on_repair=repairs.append)
    pieces = [repairer.feed(chunk, 0.0) for chunk in chunks]
    pieces.append(repairer.close(0.0))
    return Repaired(pieces, repairer.report, repairs)


def facts(report: StreamReport) -> dict[str, Any]:
    """Return what a report says of the bytes, and not of their chunks."""
    names = [name for name in dir(report) if name[0] != "_" and name not in CUT_DEPENDENT]
    said = {name: value for name in names if not callable(value := getattr(report, name))}
    said["error"] = report.error and (report.error.failure, report.error.safe_to_retry, report.error.tokens_received)
    return said


def check_chunking(chunks: Sequence[bytes], **options: Any) -> None:
    """Law 1: events, repairs, offsets, verdict, report and output are a function of the bytes."""
    check_same(seen([b"".join(chunks)], **options), seen(chunks, **options))


Seen = tuple[Repaired, tuple[list[Any], dict[str, Any]]]
"""What comes out of a stream: the bytes and their report, and what a consumer reads."""


def seen(chunks: Sequence[bytes], **options: Any) -> Seen:
    return repaired(chunks, **options), read(chunks, **options)


def check_same(whole: Seen, cut: Seen) -> None:
    (one, read_whole), (other, read_cut) = whole, cut
    assert other.wire == one.wire
    assert other.repairs == one.repairs
    assert facts(other.report) == facts(one.report)
    assert read_cut == read_whole


def read(chunks: Sequence[bytes], **options: Any) -> tuple[list[Any], dict[str, Any]]:
    """Read a stream that ends clean: events, comments and repairs in order, and the report's facts."""
    reader = EventReader(**{name: value for name, value in options.items() if name not in WRITING})
    items = [item for chunk in chunks for item in reader.feed(chunk)]
    items += reader.close()
    return items, facts(reader.report)


def check_fast_path(chunks: Sequence[bytes], **options: Any) -> None:
    """Raise `AssertionError` unless everything is the same without the fast path."""
    on = seen(chunks, **options)
    fast_path.enabled = False
    try:
        check_same(seen(chunks, **options), on)
    finally:
        fast_path.enabled = True


# --- Law 3 ------------------------------------------------------------------------------------------------------------


def check_untouched(data: bytes, **options: Any) -> Repaired:
    """Law 3 for the canonical spelling: the same bytes, no repair, nothing spelt anew."""
    result = repaired([data], **options)
    assert result.wire == data
    assert not result.repairs
    assert not result.report.respellings
    return result


def check_reading(data: bytes, **options: Any) -> None:
    """Law 3 for any bytes: where no repair was recorded, a standard parser reads the same from input and output."""
    result = repaired([data], **options)
    if result.repairs or result.report.error is not None:
        return
    data = data[: result.report.bytes_in]  # what follows the sentinel is not read
    if result.report.format is Format.SSE:
        before, after = read_sse(data), read_sse(result.wire)
        assert _by_value(after.events) == _by_value(before.events)
        assert after.last_event_id == before.last_event_id
        # A retry in a block that never ended holds, and is not passed on.
        assert after.retry == read_sse(data[: max(blank_lines(data), default=0)]).retry
        assert (result.report.last_event_id, result.report.retry) == (before.last_event_id, before.retry)
    elif result.report.format is Format.NDJSON:
        lines_before, lines_after = read_ndjson(data), read_ndjson(result.wire)
        assert [value_of(text) for text in lines_after.texts] == [value_of(text) for text in lines_before.texts]
        assert lines_after.invalid == lines_before.invalid
    elif result.report.format is Format.JSON_ARRAY:
        kind, value = value_of(data.decode().removeprefix("\ufeff"))
        assert kind == "text" or value_of(result.wire.decode()) == (kind, value)


def _by_value(events: Sequence[tuple[str, str, str]]) -> list[tuple[str, Any, str]]:
    return [(name, value_of(payload), id) for name, payload, id in events]


def value_of(text: str) -> Any:
    """Return a payload's value, spelt so that 1, 1.0 and true differ; text that is not JSON stands for itself."""
    try:
        return "json", repr(json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return "text", text


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


# --- Law 2 -----------------------------------------------------------------------------------------------------


def check_prompt(data: bytes, **options: Any) -> None:
    """Law 2 against the standard: after every byte of an SSE stream, all events dispatched so far have left."""
    reader = EventReader(**options, format="sse", repairs=())
    seen: list[tuple[str, str, str]] = []
    for end, byte in enumerate(every(data, 1), 1):
        seen += [(item.event, item.data, item.id) for item in reader.feed(byte) if hasattr(item, "data")]
        if byte in b"\r\n":
            assert tuple(seen) == read_sse(data[:end]).events
    assert not [item for item in reader.close() if hasattr(item, "data")]
    assert tuple(seen) == read_sse(data).events


def check_frames_leave(data: bytes, end: bytes, **options: Any) -> None:
    """Law 2 for canonical streams: each frame, byte for byte, with its last byte, whatever ends it."""
    repairer = StreamRepairer(**options)
    left = b""
    for at, byte in enumerate(every(data, 1), 1):
        left += b"".join(repairer.feed(byte, 0.0))
        if data[:at].endswith(end):
            assert left == data[:at]


def blank_lines(data: bytes) -> list[int]:
    """Return where the blank lines of an event stream end."""
    return [found.end() for found in re.finditer(rb"([^\r\n]*)(?:\r\n|\r|\n)", data) if not found[1]]


# --- Law 8 ------------------------------------------------------------------------------------------------------------


PINGS = (b'event: ping\ndata: {"type": "ping"}\n\n', b"event: ping\n\n")
"""Heartbeats that are no comment: Anthropic's and Dify's."""


def check_alive(chunks: Sequence[bytes], **options: Any) -> None:
    """Law 8: no gap is longer than the interval, and heartbeats stand between whole frames and change nothing else.

    Upstream is silent for up to six intervals between two chunks. Asked from the first frame on: an earlier heartbeat
    decides the framing of the output.
    """
    plain = repaired(chunks, **options)
    repairer = StreamRepairer(**options, heartbeat=1.0)
    now = written = 0.0
    wire = b""
    repairer.resume(now)
    for chunk in chunks:
        while wire and (due := repairer.next_deadline()) is not None and due <= now:
            assert due - written <= 1.0
            for beat in repairer.on_deadline(due):
                assert not beat.strip(b": \n") or beat in PINGS, beat
                written = due
        frames = repairer.feed(chunk, now)
        if frames or not wire:
            written = now
        wire += b"".join(frames)
        now += len(chunk) * 7 % 13 / 2.0
    wire += b"".join(repairer.close(now))
    assert wire == plain.wire


# --- Law 9 ------------------------------------------------------------------------------------------------------------


class _Ends(Observer):
    def __init__(self, ends: list[Verdict]) -> None:
        self._ends = ends

    def ended(self, report: StreamReport) -> None:
        self._ends.append(report.verdict)


def check_one_end(chunks: Sequence[bytes], **options: Any) -> None:
    """Law 9: one verdict; at most one error frame of this library, the last thing written; nothing after the end."""
    data = b"".join(chunks)
    ends: list[Verdict] = []
    repairer = StreamRepairer(**options, observers=[_Ends(ends)])
    frames = [frame for chunk in chunks for frame in repairer.feed(chunk, 0.0)]
    frames += repairer.close(0.0)
    assert ends == [repairer.report.verdict]
    assert repairer.report.verdict is not Verdict.OPEN
    assert not repairer.feed(data or b"data: late\n\n", 1.0)
    assert not repairer.close(1.0)
    assert not repairer.fail(RuntimeError(), 1.0)
    assert not repairer.on_deadline(1e9)
    assert repairer.next_deadline() is None
    repairer.cancel(1.0)
    assert ends == [repairer.report.verdict]
    own = [number for number, frame in enumerate(frames) if ERROR_TYPE.encode() in frame]
    if ERROR_TYPE.encode() not in data:
        assert own in ([], [len(frames) - 1])
        # Chunks cannot take back pieces of arguments that the whole contradicts: then the conversion alone fails.
        is_told = b"upstream-error" in b"".join(frames[-1:])
        contradicts = bool(options.get("convert") and repairer.report.tool_calls) and is_told
        assert bool(own) <= (repairer.error is not None or contradicts)
    assert repairer.report.bytes_out == sum(map(len, frames))


# --- Law 4 ------------------------------------------------------------------------------------------------------------


BY_NAME = frozenset(
    ("cody-completions", "cortex-agents", "coze", "langgraph", "langserve", "replicate", "text", "vocabulary")
)
"""Dialects of whose events little is left without their names."""


def check_idempotent(data: bytes, **options: Any) -> None:
    """Law 4: the output comes out of a second pass byte for byte, and with no repair."""
    once = repaired([data], **options).wire
    twice = repaired([once], **options)
    assert twice.wire == once
    assert not twice.repairs


def check_chained(data: bytes, **options: Any) -> None:
    """Laws 4 and 10 with any options: the second of two proxies, which knows what the first writes, changes no byte.

    It reads the text that the first one reports.
    """
    once = repaired([data], **options)
    is_rewritten = bool(options.get("to") or options.get("convert"))
    second = told_by(options) if is_rewritten else options
    if is_rewritten and _is_read_otherwise(once, options):
        return
    twice = repaired([once.wire], **second)
    if _shows_no_framing(options) and (twice.report.format is not once.report.format or once.wire[:1] in (b" ", b"\t")):
        return
    if is_rewritten and RepairKind.OVERSIZED_EVENT in twice.report.repairs:
        return  # a frame that the other spelling made longer than the limit of both
    assert twice.wire == once.wire
    assert is_rewritten or not twice.repairs
    if (
        options.get("dialect") not in BY_NAME or once.report.format is not Format.NDJSON
    ):  # there our error is text as well
        assert _told(twice.report) == _told(once.report)


def _told(report: StreamReport) -> tuple[str, str, str]:
    return report.text, report.reasoning, report.refusal


def _shows_no_framing(options: dict[str, Any]) -> bool:
    """Return whether nothing is repaired in front of the first payload, and a comment that goes may be all that showed
    the framing, or that white space behind it is a line of its own."""
    return not options.get("repairs", True) and "comments" in options and "format" not in options


def told_by(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a proxy that reads what one with these options writes."""
    format = options.get("to", "sse")
    second = {name: value for name, value in options.items() if name not in ("format", "content_type", "dialect")}
    second["content_type"] = "application/x-ndjson" if format == "ndjson" else "text/event-stream"
    if "format" in options:
        second["format"] = format
    if "dialect" in options and not (format == "ndjson" and options["dialect"] in BY_NAME):
        second["dialect"] = _converts_to(options) or options["dialect"]
    return second


def _converts_to(options: dict[str, Any]) -> str | None:
    """Return the name of the dialect that is written, where one was asked for."""
    convert = options.get("convert")
    return convert.to if isinstance(convert, Conversion) else convert


def _is_read_otherwise(once: Repaired, options: dict[str, Any]) -> bool:
    """Return whether the framing or the dialect of the output means something else by these bytes.

    A first line that is an array is an array; prose has no terminator, and chat chunks need one; what is not JSON, and
    is kept, is repaired where other rules hold; and of a sentinel alone nothing is left, which may be an error.
    """
    if not once.wire and once.report.events and ("dialect" in options or options.get("empty") == "error"):
        return True
    ends_untold = "convert" in options and (not once.wire or once.report.verdict is Verdict.ENDED)
    is_prose = options.get("dialect") == "text" and ("convert" in options or options.get("to") == "ndjson")
    keeps = options.get("invalid_json") == "keep" or RepairKind.INVALID_JSON not in options.get("repairs", RepairKind)
    if options.get("to") == "ndjson" and once.report.dialect in BY_NAME:
        return True  # there the names of events are the meaning, for which NDJSON has no place
    is_reframed = bool({"format", "to"} & {*options}) or once.report.format is not Format.SSE
    is_respoken = once.report.dialect not in (None, _converts_to(options) or once.report.dialect)
    return once.wire[:1] == b"[" or ends_untold or is_prose or (keeps and (is_reframed or is_respoken))


# --- Law 6 ------------------------------------------------------------------------------------------------------------

DROPS = frozenset(
    {
        RepairKind.INVALID_UTF8, RepairKind.STRAY_LINE, RepairKind.HTTP_HEAD, RepairKind.FOREIGN_BODY,
        RepairKind.NOT_A_STREAM, RepairKind.SPLICED_EVENT, RepairKind.STRAY_FRAMING, RepairKind.WRAPPED_COMMENT,
        RepairKind.DONE_SPELLING, RepairKind.EMPTY_DATA, RepairKind.INVALID_JSON, RepairKind.UNFINISHED_TAIL,
        RepairKind.OVERSIZED_EVENT, RepairKind.DONE_AFTER_ERROR, RepairKind.REPEATED_EVENT,
        RepairKind.DOUBLE_PREFIX,  # the inner frame's own id and comments
    }
)  # fmt: skip
"""Kinds whose bytes may be gone. What the others cover is in the output, spelt anew."""
REWRITES = frozenset(kind.value for kind in frozenset(RepairKind) - DROPS)

_NAMES = re.compile(rb"(?:event|id|retry)(?::[^\r\n]*|$)|:[^\r\n]*\Z")
"""Fields that mean nothing in a block without data, and a comment that never ends."""


def spelt(repairs: Sequence[Repair]) -> list[tuple[str, int, int]]:
    """Return repairs as `unbroken.testing` takes them."""
    return [(repair.kind.value, repair.offset, repair.length) for repair in repairs]


def check_accounted(data: bytes, **options: Any) -> None:
    """Law 6: every line is in the output, or a field of a block without data, or a repair names it.

    Lines that no repair touches must stand in the output in their order, spelt canonically. A line that is touched in
    part (bytes that are not UTF-8) must do so with U+FFFD in their place.
    """
    result = repaired([data], **options)
    data = data[: result.report.bytes_in]  # what follows the sentinel is not read
    repairs, format = spelt(result.repairs), result.report.format
    assert not outside(data, repairs)
    lost = lost_lines(data, result.wire, format and format.value, repairs)
    comments = [line for line in lost if line.startswith(":")]
    assert lost == comments, lost
    assert len(comments) <= result.report.respellings["comment"] or options.get("comments") == "drop"


def _text(piece: bytes) -> str:
    return piece.decode("utf-8", "replace")


MEANS_NOTHING = frozenset(
    {
        RepairKind.STRAY_LINE, RepairKind.EMPTY_DATA, RepairKind.INVALID_JSON, RepairKind.WRAPPED_COMMENT,
        RepairKind.OVERSIZED_EVENT, RepairKind.UNFINISHED_TAIL,
    }
)  # fmt: skip
"""Kinds that drop all that they name, and write nothing in its place."""


def check_cut_out(data: bytes, **options: Any) -> None:
    """Law 6, to the byte: without what was dropped by name the input gives the same output, and nothing to repair.

    Not asked where a repair also writes, where a dropped block may hold an id that stays, and of arrays, whose
    separators go with what stood beside them.
    """
    result = repaired([data], **options)
    data = data[: result.report.bytes_in]
    pieces = [data[repair.offset : repair.offset + repair.length] for repair in result.repairs]
    is_asked = result.report.error is None and result.report.format in (Format.SSE, Format.NDJSON)
    if not is_asked or any(repair.kind not in MEANS_NOTHING for repair in result.repairs):
        return
    if any(b"id" in piece or b"retry" in piece for piece in pieces):
        return
    left = bytearray(data)
    for repair in reversed(result.repairs):
        end = repair.offset + repair.length
        if repair.kind is RepairKind.STRAY_LINE:  # its line end, alone, would end the block that it stood in
            end += 2 if data[end : end + 2] == b"\r\n" else 1
        del left[repair.offset : end]
    again = repaired([bytes(left)], **{**options, "format": result.report.format})
    if again.report.error is None:
        assert again.wire == result.wire
        assert not again.repairs


MARK = re.compile(rb"w[0-9]+x")
_COMMENT = re.compile(rb"(?:\A|(?<=[\r\n]))(?:\xef\xbb\xbf)?:[^\r\n]*")


def check_marks(data: bytes, **options: Any) -> None:
    """Law 6, closer: a word `w7x` leaves as often as it came, but where a repair that drops names its bytes.

    What an id meant, `check_reading` checks. A comment may be gone where it is counted as a blank line: one for each.
    """
    result = repaired([data], **options)
    data = data[: result.report.bytes_in]
    gone = covered(data, spelt(result.repairs), REWRITES)
    for found in _NAMES.finditer(data):
        gone[found.start() : found.end()] = b"\1" * len(found.group())
    came = Counter(found.group() for found in MARK.finditer(data) if not any(gone[found.start() : found.end()]))
    left = Counter(MARK.findall(result.wire))
    missing = came - left
    blanked = [marks for found in _COMMENT.finditer(data) if missing & (marks := Counter(MARK.findall(found[0])))]
    assert len(blanked) <= result.report.respellings["comment"]
    missing -= sum(blanked, Counter())
    assert not missing, missing


# --- Law 7 ------------------------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W_]+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|[nrtbf])")
ADDS = {
    RepairKind.NON_FINITE: ["null"],
    RepairKind.PYTHON_REPR: ["null", "true", "false"],
    RepairKind.ERROR_LINE: ["error"],
    RepairKind.FLAT_ERROR: ["error", "type", "message", "code", "param", "null"],
    RepairKind.TOOL_INDEX: ["index", *map(str, range(1024))],
    RepairKind.MISSING_DONE: ["DONE"],
    RepairKind.DONE_SPELLING: ["DONE"],
}
"""The words that a repair may write: its own spelling of what stood there."""
JOINS = {RepairKind.SPLIT_EVENT, RepairKind.RAW_NEWLINE}
"""The repairs that may put words together which line ends parted."""
_JOINT = re.compile(r"[\r\n]+(?:[a-z]+:[^\r\n]*[\r\n]+)*?(?:data: ?)?")


def words(text: str) -> list[str]:
    """Return the words of a text, its escapes undone."""

    def undo(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        return chr(min(int(code, 16), 0x10FFFF)) if code else " "

    return _WORD.findall(_ESCAPE.sub(undo, text))


def check_no_invention(data: bytes, **options: Any) -> None:
    """Law 7: each word of a payload was in the input, and no more often than there."""
    result = repaired([data], **options)
    payloads = _payloads(result)
    error = result.report.error
    # Where clients take no mark, our frame is known by its sentence.
    if (
        error is not None
        and payloads
        and (ERROR_TYPE in payloads[-1] or SENTENCES.get(error.code, ERROR_TYPE) in payloads[-1])
    ):
        payloads.pop()
    there = Counter(words(_text(data)))
    if RepairKind.FLAT_ERROR in result.report.repairs:
        there += there + there  # the object says it again, and the code as its type, too
    if result.report.repairs.keys() & JOINS:
        there += Counter(words(_JOINT.sub("", _text(data))))
        there += Counter(words(re.sub("[\r\n]+", "", _text(data))))  # in lines, `data:` behind one is content
    for kind, count in result.report.repairs.items():
        for word in ADDS.get(kind, []):
            there[word] += count * len(data)
    invented = Counter(word for payload in payloads for word in words(payload)) - there
    assert not invented, invented


def check_no_false_end(data: bytes, **options: Any) -> None:
    """Law 7 for ends: no `[DONE]` stands after an error, and none is added but at the end of a whole answer."""
    result = repaired([data], **options)
    payloads = _payloads(result)
    removes = RepairKind.DONE_AFTER_ERROR in options.get("repairs", DEFAULT_REPAIRS)
    if removes and result.report.verdict is Verdict.FAILED:
        error_at = next((at for at, payload in enumerate(payloads) if is_ours(prove(payload))), len(payloads))
        assert "[DONE]" not in payloads[error_at:]
    if result.report.repairs[RepairKind.MISSING_DONE]:
        assert result.report.verdict in (Verdict.COMPLETE, Verdict.DAMAGED)
        assert payloads[-1] == "[DONE]"
    spelt = sum(result.report.repairs[kind] for kind in (RepairKind.DONE_SPELLING, RepairKind.MISSING_DONE))
    assert payloads.count("[DONE]") <= data.count(b"[DONE]") + spelt


def _payloads(result: Repaired) -> list[str]:
    match result.report.format:
        case Format.NDJSON:
            return result.wire.decode().splitlines()
        case Format.JSON_ARRAY:
            return [_text(result.wire)]
        case _:  # a body that was no stream is answered with SSE, unless the caller says otherwise
            return [payload for _, payload, _ in read_sse(result.wire).events]
