"""The format sniffer: the first bytes of a body to its format, or to why it is not a stream.

The first byte that is not a blank decides, never a majority, and nothing that could leave is held back for it. The
content type is a prior where the bytes leave a choice, never the last word.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from .decoder import BOM
from .events import Format
from .failure import Failure, is_ours

MAX_HEAD: Final = 16 * 1024
"""Bytes of an HTTP head, or of a page until its title, that are read at most."""

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
    may_be_body: bool = False  # nothing but that byte spoke for NDJSON: one error object is a body, not a stream
    holds_first: bool = False  # the content type says that it is one document: the first line waits for a second one


def sniff(
    prefix: bytes,
    content_type: str | None,
    *,
    at_start: bool = True,
    at_end: bool = False,
    to_lines: bool = False,
) -> Beginning | None:
    """Return what a body begins with, or None while more bytes are needed.

    `prefix` is the body from its very first byte (or from the end of a head that was skipped) where `at_start`, the
    only place for a byte order mark; else blank lines before it are gone already. `to_lines`: NDJSON is to be written,
    so this may be what was written so before.
    """
    if at_start and BOM.startswith(prefix) and len(prefix) < 3 and not at_end:
        return None
    skip = 3 if at_start and prefix.startswith(BOM) else 0
    body = prefix[skip:].lstrip(_BLANKS)
    if not body:
        return None
    first = body[:1]
    if first in b"{":
        return _object(content_type, _blank_lines(prefix, skip))
    if to_lines or is_lines(content_type):
        if not at_end and any(word.startswith(body) for word in (b"true", b"false", b"null", b"-")):
            return None
        if re.match(_SCALAR, body):
            may_be_body = not is_lines(content_type)
            return Beginning(Format.NDJSON, _blank_lines(prefix, skip), may_be_body=may_be_body)
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


def awaited(prefix: bytes) -> bytes | None:
    """Return a pattern that must come before this beginning can be told; None where any byte may decide."""
    body = prefix.removeprefix(BOM).lstrip(_BLANKS)
    if _is_head(body):
        return _HEAD_END
    return _PAGE_READ if body.startswith(b"<") else _NOT_BLANK if body.startswith(b"[") else None


def _blank_lines(prefix: bytes, skip: int) -> int:
    """Count what stands before the first line that is not blank: its indentation still belongs to it."""
    blanks = prefix[skip : len(prefix) - len(prefix[skip:].lstrip(_BLANKS))]
    return skip + max(blanks.rfind(b"\n"), blanks.rfind(b"\r")) + 1


def _object(content_type: str | None, skip: int) -> Beginning:
    lines = is_lines(content_type)
    holds_first = media_type(content_type).endswith("json") and not lines
    return Beginning(Format.NDJSON, skip, sniffed=True, may_be_body=not lines, holds_first=holds_first)


def is_lines(content_type: str | None) -> bool:
    """Return whether a Content-Type says that there is one JSON text per line."""
    kind = media_type(content_type)
    return kind.endswith(("ndjson", "jsonl", "json-lines", "jsonlines", "stream+json", "json-seq"))


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
