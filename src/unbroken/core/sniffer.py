"""The format sniffer: the first bytes of a body to its format, or to why it is not a stream.

The first byte that is not a blank decides, never a majority, and nothing that could leave is held back for it. The
content type is a prior where the bytes leave a choice, never the last word.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from .decoder import BOM
from .events import Format
from .failure import SENTENCES, Failure, is_ours
from .proof import FLAWED, prove

MAX_HEAD: Final = 16 * 1024
"""Bytes of an HTTP head, or of a page until its title, that are read at most."""
MAX_CODED: Final = 256 * 1024
"""Bytes of coded lines that are read at most: the data of an application may come before its answer."""

_BLANKS: Final = b" \t\r\n"
# Seldom needed: compiled at their first use, by `re` itself.
_STATUS: Final = rb"HTTP/[0-9](?:\.[0-9])? ([0-9]{3})(?![0-9])"
_HEAD_END: Final = rb"\r?\n\r?\n"
_TITLE: Final = rb"(?i)<title[^>]{0,200}>([^<]{0,200})"
_PAGE_READ: Final = rb"(?i)</title|</head|<body"
_NOT_BLANK: Final = rb"[^ \t\r\n]"
LONGEST_AWAITED: Final = 8
"""Bytes of the longest thing that can be `awaited`."""
_SCALAR: Final = rb'"|-?[0-9]|(?:true|false|null)(?:[ \t\r\n]|\Z)'
"""What a line of NDJSON begins with that is no object; where SSE is possible, it is no beginning of NDJSON."""
_CODES: Final = frozenset("0123456789abcdefghijk")
_OPENING: Final = frozenset(bytes([code]) for code in b"02389abefghijk")
"""The codes by which a stream begins; no field of SSE begins with one of them and a colon."""
_TEXT_CODES: Final = "03g"
_LIST_CODES: Final = "28"
_OBJECT_CODES: Final = {
    **dict.fromkeys("9abc", "toolCallId"),
    **dict.fromkeys("de", "finishReason"),
    "f": "messageId",
    "h": "sourceType",
    "i": "data",
    "j": "signature",
    "k": "data",
}
"""What the object behind a code has, as a text."""
_FIELDS: Final = (b"data", b"event", b"retry", b"id", b"")
"""What stands before the colon of a line of SSE; nothing before that of a comment."""
_LONGEST_FIELD: Final = max(map(len, _FIELDS))
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ERROR_KEYS: Final = frozenset(
    {"code", "detail", "error", "event_id", "message", "object", "param", "request_id", "requestId", "status"}
    | {"statusCode", "status_code", "success", "type"}
)


class Beginning(NamedTuple):
    """What a body begins with: a format, a head to be skipped, or a failure."""

    format: Format | None = None  # None: see `head` and `failure`
    skip: int = 0  # bytes that are done with: a byte order mark, blank lines, a head
    head: bool = False  # an HTTP head with a 2xx status; the body that follows is to be sniffed anew
    failure: Failure | None = None  # why the body is not a stream
    end: int = 0  # bytes that showed the failure
    sniffed: bool = False  # the first byte spoke for the format, so the output must begin with a byte that does, too
    scalars: bool = False  # so does a line that is a scalar, since NDJSON is expected
    may_be_body: bool = False  # nothing but that byte spoke for NDJSON: one error object is a body, not a stream
    holds_first: bool = False  # the content type says that it is one document: the first line waits for a second one


def sniff(
    prefix: bytes,
    content_type: str | None,
    *,
    at_start: bool = True,
    at_end: bool = False,
    to_lines: bool = False,
    may_be_coded: bool = True,
) -> Beginning | None:
    """Return what a body begins with, or None while more bytes are needed.

    `prefix` is the body from its very first byte (or from the end of a head that was skipped) where `at_start`, the
    only place for a byte order mark; else blank lines before it are gone already. `to_lines`: NDJSON is to be written,
    so this may be what was written so before. `may_be_coded`: coded lines may come, as far as the caller knows; they do
    not where the content type names another framing.
    """
    if at_start and BOM.startswith(prefix) and len(prefix) < 3 and not at_end:
        return None
    skip = 3 if at_start and prefix.startswith(BOM) else 0
    body = prefix[skip:].lstrip(_BLANKS)
    if not body:
        return None
    first = body[:1]
    expects_lines = to_lines or is_lines(content_type)
    if first in b"{":
        return _object(content_type, _blank_lines(prefix, skip), scalars=expects_lines)
    if begins_coded(body) and may_be_coded and not _names_other(content_type):
        is_coded = _is_coded(body[:MAX_CODED], at_end=at_end or len(body) >= MAX_CODED)
        if is_coded is None or is_coded:
            return None if is_coded is None else Beginning(Format.CODED_LINES, _blank_lines(prefix, skip))
    if expects_lines:
        if not at_end and any(word.startswith(body) for word in (b"true", b"false", b"null", b"-")):
            return None
        if begins_scalar(body):
            may_be_body = not is_lines(content_type)
            skip = _blank_lines(prefix, skip)
            return Beginning(Format.NDJSON, skip, sniffed=True, scalars=True, may_be_body=may_be_body)
    if first == b"[":
        return _bracket(body, _blank_lines(prefix, skip), at_end=at_end)
    if first == b"<":
        return _page(body, len(prefix) - len(body), at_end=at_end)
    if first < b" " or body.startswith(_ZSTD):
        return Beginning(failure=not_a_stream("binary"), end=len(prefix) - len(body) + 1)
    if not at_end and (_ZSTD.startswith(body) or (len(body) < 5 and b"HTTP/".startswith(body))):
        return None
    if _is_head(body):
        return _head(body, len(prefix) - len(body), at_end=at_end)
    return Beginning(Format.SSE, _blank_lines(prefix, skip))


def awaited(prefix: bytes) -> tuple[bytes, int] | None:
    """Return a pattern that must come before this beginning can be told, unless it grows beyond so many bytes.

    None where any byte may decide.
    """
    body = prefix.removeprefix(BOM).lstrip(_BLANKS)
    if _is_head(body):
        return _HEAD_END, MAX_HEAD
    if body[1:2] == b":" and begins_coded(body):
        pattern = _awaited_of_lines(body)
        return None if pattern is None else (pattern, MAX_CODED)
    return (_PAGE_READ, MAX_HEAD) if body.startswith(b"<") else (_NOT_BLANK, MAX_HEAD) if body[:1] == b"[" else None


def _awaited_of_lines(body: bytes) -> bytes | None:
    _, end, line = body.rpartition(b"\n")
    if not end:
        return b"\n"
    line = line.lstrip(_BLANKS)
    return (b"\n" if len(line) > _LONGEST_FIELD else None) if line else _NOT_BLANK


def begins_coded(body: bytes) -> bool:
    """Return whether a body that begins so, without blanks before it, may be coded lines."""
    return body[:1] in _OPENING and body[1:2] in (b":", b"")


def _blank_lines(prefix: bytes, skip: int) -> int:
    """Count what stands before the first line that is not blank: its indentation still belongs to it."""
    blanks = prefix[skip : len(prefix) - len(prefix[skip:].lstrip(_BLANKS))]
    return skip + max(blanks.rfind(b"\n"), blanks.rfind(b"\r")) + 1


def _object(content_type: str | None, skip: int, *, scalars: bool) -> Beginning:
    lines = is_lines(content_type)
    holds_first = media_type(content_type).endswith("json") and not lines
    return Beginning(Format.NDJSON, skip, sniffed=True, scalars=scalars, may_be_body=not lines, holds_first=holds_first)


def begins_scalar(line: bytes) -> bool:
    """Return whether a line begins as a scalar of JSON does: where NDJSON is expected, this shows it."""
    return re.match(_SCALAR, line) is not None


def is_lines(content_type: str | None) -> bool:
    """Return whether a Content-Type says that there is one JSON text per line."""
    kind = media_type(content_type)
    return kind.endswith(("ndjson", "jsonl", "json-lines", "jsonlines", "stream+json", "json-seq"))


def _names_other(content_type: str | None) -> bool:
    """Return whether a Content-Type names a framing, which is never that of coded lines: they come as plain text."""
    kind = media_type(content_type)
    return kind == "text/event-stream" or kind.endswith("json") or is_lines(content_type)


def media_type(content_type: str | None) -> str:
    """Return the media type of a Content-Type, in lower case and without parameters."""
    return (content_type or "").partition(";")[0].strip().lower()


def _bracket(body: bytes, skip: int, *, at_end: bool) -> Beginning | None:
    inside = body[1:MAX_HEAD].lstrip(_BLANKS)
    if not inside and not at_end and len(body) < MAX_HEAD:
        return None
    # A digit or a letter could as well begin a log line, `[2024-` or `[DONE]`.
    if inside[:1] in (b"{", b"[", b"]", b'"'):
        return Beginning(Format.JSON_ARRAY, skip, sniffed=True)
    return Beginning(Format.SSE, skip)


def _page(body: bytes, skip: int, *, at_end: bool) -> Beginning | None:
    read = re.search(_PAGE_READ, body[:MAX_HEAD])
    if read is None and not at_end and len(body) < MAX_HEAD:
        return None
    end = read.end() if read else min(len(body), MAX_HEAD)
    title = re.search(_TITLE, body[:end])
    words = b" ".join(title[1].split()).decode("utf-8", "replace") if title else ""
    status = re.match(r"([45][0-9]{2})\b", words)
    return Beginning(failure=not_a_stream("markup", int(status[1]) if status else None, words), end=skip + end)


def _is_head(body: bytes) -> bool:
    return body.startswith(b"HTTP/")


def _head(body: bytes, skip: int, *, at_end: bool) -> Beginning | None:
    end = re.search(_HEAD_END, body[:MAX_HEAD])
    if end is None and not at_end and len(body) < MAX_HEAD:
        return None
    status = re.match(_STATUS, body)
    code = int(status[1]) if status else None
    if end is None or code is None or not 200 <= code < 300:
        length = end.end() if end else min(len(body), MAX_HEAD)
        hint = code if code is not None and code >= 400 else None  # no other status can say that it failed
        return Beginning(failure=not_a_stream("http-head", hint, f"status {code}" if code else ""), end=skip + length)
    return Beginning(skip=skip + end.end(), head=True)


def _is_coded(body: bytes, *, at_end: bool) -> bool | None:
    """Return whether a body is made of coded lines, or None while more bytes are needed.

    One line that opens a message shows it, or one that is an error of ours, since that may be all that is left of an
    answer. Any other needs a second one, since a line of prose may begin in this way. A line of SSE behind them shows
    that they are fields that nobody knows.
    """
    first, end, rest = body.partition(b"\n")
    if not end or not _is_coded_line(first):
        return None if not end and not at_end else False
    if not (first.startswith(b"f") or _is_our_error(first)):
        second, end, rest = rest.lstrip(_BLANKS).partition(b"\n")
        if not end and not at_end:
            return None
        if not _is_coded_line(second):
            return False
    is_sse = _is_field(rest.lstrip(_BLANKS))
    return at_end or None if is_sse is None else not is_sse


def _is_field(line: bytes) -> bool | None:
    """Return whether a line is one of SSE, or None while more bytes are needed."""
    for name in _FIELDS:
        if len(line) <= len(name) and name.startswith(line):
            return None
        if line.startswith(name) and line[len(name) :][:1] in (b":", b"\r", b"\n"):
            return True
    return False


def _is_coded_line(line: bytes) -> bool:
    """Return whether this is a code with what stands behind it, without a blank: fields of SSE are written with one."""
    code, value = read_coded_line(line.decode("utf-8", "replace"))
    if not code or line[2:3] in (b" ", b"\t"):
        return False
    if code in _TEXT_CODES:
        return isinstance(value, str)
    if code in _LIST_CODES:
        return isinstance(value, list)
    return isinstance(value, dict) and isinstance(value.get(_OBJECT_CODES.get(code, "")), str)


def _is_our_error(line: bytes) -> bool:
    return line.startswith(b"3") and read_coded_line(line.decode("utf-8", "replace"))[1] in SENTENCES.values()


def read_coded_line(line: str) -> tuple[str, Any]:
    """Return code and value of a line such as `0:"text"`; the value is `FLAWED` where it is none."""
    if line[1:2] != ":" or line[0] not in _CODES:
        return "", FLAWED
    return line[0], prove(line[2:])


def not_a_stream(recognised: str, status: int | None = None, words: str = "") -> Failure:
    """Return the failure for a body that is not a stream. `words` are upstream's own, for the log only."""
    return Failure("not-a-stream", status, error_type=recognised, detail=words or None)


def is_error_body(value: Any) -> bool:
    """Return whether one JSON value is nothing but an error: its top level has no other key.

    A log line with an `error` key has others beside it, and stays what it is.
    """
    if not isinstance(value, dict) or not _ERROR_KEYS.issuperset(value):
        return False
    if is_ours(value):
        return False  # the last line of a stream that was repaired before
    return isinstance(value.get("error"), (dict, str)) and bool(value["error"])


def body_failure(value: Any) -> Failure:
    """Return the failure for a JSON body that came where a stream should be."""
    if not is_error_body(value):
        return not_a_stream("json")
    error = value["error"]
    source = {**value, **error} if isinstance(error, dict) else value
    words = source.get("message") if isinstance(error, dict) else error
    codes = [source.get(key) for key in ("code", "status", "statusCode", "status_code")]
    status = next((int(code) for code in codes if isinstance(code, (int, float)) and 400 <= code < 600), None)
    return not_a_stream("json-error", status, words[:500] if isinstance(words, str) else "")
