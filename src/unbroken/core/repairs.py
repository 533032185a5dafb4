"""The departures from the standard that are repaired, each by name.

A repair is tried only where the strict reading failed, and kept only if what results is proven whole. Legal
spellings that are merely made canonical (CRLF, `data:{`, a BOM) are re-spellings, counted apart.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple


class RepairKind(Enum):
    """One kind of repair; the value is its slug in reports, logs and metrics."""

    INVALID_UTF8 = "invalid-utf8"
    """Bytes that are not UTF-8 became U+FFFD, one per maximal subpart (Unicode 3.9, WHATWG Encoding)."""
    STRAY_LINE = "stray-line"
    """A line that is not a field, or a field that swallowed a payload, was dropped: it holds nothing whole."""
    FIELD_NAME = "field-name"
    """`data` in another case or with blanks around it, before a whole JSON document or `[DONE]`, was read as `data`."""
    HTTP_HEAD = "http-head"
    """An HTTP response head with a 2xx status, left before the body, was skipped."""
    FOREIGN_BODY = "foreign-body"
    """An HTML page or an HTTP error head in the middle of a stream was cut; the stream failed there."""
    NOT_A_STREAM = "not-a-stream"
    """The whole body was no stream (HTML, a JSON error, binary); one typed error stands for it."""
    MISSING_BLANK_LINE = "missing-blank-line"
    """Two whole JSON documents in one block became two events."""
    RAW_JSON = "raw-json"
    """A whole JSON document without `data:` became an event."""
    ERROR_LINE = "error-line"
    """A bare `error: {...}` line became an event that holds the error."""
    RAW_NEWLINE = "raw-newline"
    """Raw line ends inside one JSON document were escaped or removed."""
    RAW_CONTROL = "raw-control"
    """Control characters that stood raw inside a JSON string were escaped."""
    LONE_BACKSLASH = "lone-backslash"
    """A backslash that escaped nothing, inside a JSON string, was escaped itself."""
    SPLIT_EVENT = "split-event"
    """A JSON document that was cut over two events was joined."""
    NON_FINITE = "non-finite"
    """`NaN`, `Infinity` and `-Infinity`, which are not JSON, became `null`."""
    GLUED_JSON = "glued-json"
    """Whole JSON documents glued on one line became one event each."""
    DOUBLE_PREFIX = "double-prefix"
    """A payload that was itself framed (`data: data: {...}`) was unwrapped by one level."""
    SPLICED_EVENT = "spliced-event"
    """A broken event with a whole one spliced into it lost its broken beginning."""
    PYTHON_REPR = "python-repr"
    """The repr of a Python dict, or of bytes that hold a frame, became JSON."""
    STRAY_FRAMING = "stray-framing"
    """An SSE line inside NDJSON was lifted out of its framing, or dropped if it held nothing."""
    WRAPPED_COMMENT = "wrapped-comment"
    """A comment that was wrapped as a payload (`data: : keepalive`) was dropped."""
    DONE_SPELLING = "done-spelling"
    """A misspelt `[DONE]` was spelt right."""
    EMPTY_DATA = "empty-data"
    """An event with empty data or `null`, which clients of the dialect cannot read, was dropped."""
    INVALID_JSON = "invalid-json"
    """A payload that is not JSON, where nothing but JSON can be read, was dropped."""
    UNTERMINATED_EVENT = "unterminated-event"
    """A last event without its blank line, but whole, was delivered."""
    UNFINISHED_TAIL = "unfinished-tail"
    """A last piece that is not whole was dropped."""
    OVERSIZED_EVENT = "oversized-event"
    """An event beyond `max_event_bytes` was dropped whole."""
    AFTER_DONE = "after-done"
    """The `[DONE]` ended the stream: what follows is not read, and nothing is recorded of it."""
    DONE_AFTER_ERROR = "done-after-error"
    """A `[DONE]` after an error was removed: it would mean success."""
    MISSING_DONE = "missing-done"
    """A `[DONE]` was added after a whole answer; not among the default repairs."""
    EVENT_NAME_RESTORED = "event-name-restored"
    """The `event:` line that a dialect's clients cannot do without was put back from the payload's type."""
    FLAT_ERROR = "flat-error"
    """An error of Responses, whose fields are flat, got the `error` object at which its clients raise."""
    TOOL_INDEX = "tool-index"
    """A piece of a tool call got the index of its call, which was missing or that of another one."""
    REPEATED_EVENT = "repeated-event"
    """An event that an earlier connection had delivered was dropped: after a resume one with the same id, and the
    beginning of an answer that goes on with another one."""


LOSSES: Final = frozenset((RepairKind.OVERSIZED_EVENT, RepairKind.SPLICED_EVENT))
"""Repairs by which a payload, or the beginning of one, is always gone."""


class Repair(NamedTuple):
    """One repair. `offset` and `length` are in bytes of the input, from the start of the stream."""

    kind: RepairKind
    offset: int
    length: int

    def __str__(self) -> str:
        return f"{self.kind.value} at byte {self.offset}"


DEFAULT_REPAIRS: frozenset[RepairKind] = frozenset(RepairKind) - {RepairKind.MISSING_DONE}
"""All repairs but the one that adds what upstream did not send."""
