"""The faults that repairs mend, by name: one for each row of `docs/repairs.md`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...core.repairs import RepairKind
from .draft import StreamDraft
from .plants import (
    Plant,
    after_done,
    at_end,
    before,
    done_after_error,
    done_spelling,
    flat_error,
    foreign_body,
    glued,
    http_head,
    in_ndjson,
    in_no_dialect,
    in_sse,
    member,
    missing_blank_line,
    missing_done,
    no_event_name,
    not_a_stream,
    oversized,
    python_repr,
    raw_json,
    repeated,
    spelling,
    spliced,
    split,
    tool_index,
    unfinished,
    unterminated,
)
from .streams import PLAIN_STREAMS, BrokenStream, Healthy


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in the bytes of a stream. `does` describes it; `kind` is the repair that mends it."""

    name: str
    does: str
    kind: RepairKind
    plant: Plant = field(repr=False)
    speaks: str | None = None
    """The dialect that a stream must have for this to be a fault that can be mended; None for any."""

    def plant_at(self, draft: StreamDraft, at: int) -> bool:
        """Plant it at this frame or the next one where it fits. Returns whether it fits anywhere."""
        if self.speaks not in (None, draft.healthy.dialect) or draft.end_decided:
            return False
        places = range(len(draft.sent))
        for place in [*places[at:], *places[:at]]:
            if self.plant(draft, place):
                draft.faults.append(self.name)
                if self.kind is not RepairKind.AFTER_DONE:  # nothing is read behind the sentinel, and nothing recorded
                    draft.repairs[self.kind] += 1
                return True
        return False

    @property
    def examples(self) -> tuple[BrokenStream, ...]:
        """The fault in each of a few simple streams, at each place where it fits."""
        found: dict[bytes, BrokenStream] = {}
        for healthy in PLAIN_STREAMS:
            for at in range(len(healthy.frames)):
                draft = StreamDraft(healthy)
                if self.plant_at(draft, at):
                    found.setdefault(draft.stream().data, draft.stream())
        return tuple(found.values())


def _faults(*rows: tuple[RepairKind, str, Plant] | tuple[RepairKind, str, Plant, str]) -> dict[str, Fault]:
    return {
        row[0].value: Fault(row[0].value, row[1], row[0], row[2], row[3] if len(row) == 4 else None) for row in rows
    }


FAULTS: Mapping[str, Fault] = _faults(
    (RepairKind.INVALID_UTF8, "a byte that is not UTF-8", member(b'"t":"\xff"', '"t":"\ufffd"'.encode())),
    (RepairKind.STRAY_LINE, "a line of a proxy's log", in_sse(before(b"--- proxy log ---\n\n"))),
    (RepairKind.FIELD_NAME, "`data` indented and in the wrong case", in_sse(spelling(b"  Data: @\n\n"))),
    (RepairKind.HTTP_HEAD, "an HTTP head left before the body", http_head),
    (RepairKind.FOREIGN_BODY, "an HTML page in the middle of the stream", foreign_body),
    (RepairKind.NOT_A_STREAM, "an HTML page in the place of a stream", in_sse(not_a_stream)),
    (
        RepairKind.MISSING_BLANK_LINE,
        "two events without a blank line between them",
        in_sse(missing_blank_line),
    ),
    (RepairKind.RAW_JSON, "pretty-printed JSON without `data:`", in_sse(raw_json)),
    (
        RepairKind.ERROR_LINE,
        "a bare `error:` line",
        in_sse(in_no_dialect(before(b'error: {"code":500}\n\n', b'data: {"error": {"code":500}}\n\n'))),
    ),
    (
        RepairKind.RAW_NEWLINE,
        "a raw line end inside a JSON string",
        in_sse(member(b'"t":"a\nb"', b'"t":"a\\nb"')),
    ),
    (RepairKind.RAW_CONTROL, "a control character raw inside a JSON string", member(b'"t":"a\tb"', rb'"t":"a\tb"')),
    (RepairKind.LONE_BACKSLASH, "a backslash that escapes nothing", member(rb'"t":"\d+"', rb'"t":"\\d+"')),
    (RepairKind.SPLIT_EVENT, "a JSON document cut over two events", split, "openai-chat"),
    (RepairKind.NON_FINITE, "`NaN` and `-Infinity`", member(b'"t":NaN,"u":-Infinity', b'"t":null,"u":null')),
    (RepairKind.GLUED_JSON, "two JSON documents on one line", glued),
    (RepairKind.DOUBLE_PREFIX, "an event that was framed twice", in_sse(spelling(b"data: data: @\n\n"))),
    (RepairKind.SPLICED_EVENT, "an event overwritten by another one", in_sse(spliced)),
    (RepairKind.PYTHON_REPR, "the repr of a Python dict", python_repr),
    (
        RepairKind.STRAY_FRAMING,
        "an SSE line in NDJSON",
        in_ndjson(before(b'data: {"b":2}\n', b'{"b":2}\n')),
    ),
    (
        RepairKind.WRAPPED_COMMENT,
        "a comment wrapped as a payload",
        before(b"data: : keepalive\n\n"),
        "openai-chat",
    ),
    (RepairKind.DONE_SPELLING, "`[DONE]` in the wrong case", at_end(done_spelling), "openai-chat"),
    (RepairKind.EMPTY_DATA, "an event with empty data", before(b"data: \n\n"), "openai-chat"),
    (RepairKind.INVALID_JSON, "a line that is not JSON", in_ndjson(before(b"not json\n"))),
    (RepairKind.UNTERMINATED_EVENT, "a last event without its blank line", at_end(unterminated)),
    (
        RepairKind.UNFINISHED_TAIL,
        "a last event that was cut",
        in_sse(in_no_dialect(at_end(unfinished))),
    ),
    (RepairKind.OVERSIZED_EVENT, "an event beyond the limit", oversized),
    (RepairKind.AFTER_DONE, "data after `[DONE]`", at_end(after_done), "openai-chat"),
    (RepairKind.DONE_AFTER_ERROR, "`[DONE]` after an error", done_after_error, "openai-chat"),
    (RepairKind.MISSING_DONE, "no `[DONE]`", at_end(missing_done), "openai-chat"),
    (RepairKind.EVENT_NAME_RESTORED, "an event without its name", no_event_name, "anthropic"),
    (RepairKind.FLAT_ERROR, "an error without the object at which clients raise", flat_error, "openai-responses"),
    (RepairKind.TOOL_INDEX, "two tool calls at one index", tool_index, "openai-chat"),
    (RepairKind.REPEATED_EVENT, "events sent again after a reconnection", repeated),
)
"""The faults that repairs mend, by the name of the repair."""


def plant(healthy: Healthy, faults: Iterable[tuple[str, int]]) -> BrokenStream:
    """Return a stream with these faults, each a name and the number of the frame to start from.

    Each is planted at that frame (modulo their number) or the next one where it fits, or left out if it fits nowhere.
    """
    draft = StreamDraft(healthy)
    for name, number in faults:
        if healthy.frames:
            FAULTS[name].plant_at(draft, number % len(healthy.frames))
    return draft.stream()
