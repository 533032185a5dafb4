"""Chunks whose borders part what belongs together: line ends, characters, escapes."""

from __future__ import annotations

from typing import Final

from .timed import TimedCase

CASES: Final[tuple[TimedCase, ...]] = (
    TimedCase(
        "a CRLF that a border parts, and more behind it",
        (
            ("feed", (b'data: {"a":1}\r', 0.0), b"", None),
            ("feed", (b'\ndata: {"b":2}\r\n\r', 1.0), b'data: {"a":1}\n\ndata: {"b":2}\n\n', None),
            ("feed", (b'\n\r\ndata: {"c":NaN}\r', 2.0), b"", None),
            ("feed", (b"\n\r\n", 3.0), b'data: {"c":null}\n\n', None),
            ("close", (4.0,), b"", None),
        ),
        facts={"events": 3},
    ),
    TimedCase(
        "a CRLF between lines of JSON that a border parts",
        (
            ("feed", (b'{"a":1}\r', 0.0), b"", None),
            ("feed", (b'\n{"b":2}\r\n', 1.0), b'{"a":1}\n{"b":2}\n', None),
            ("close", (2.0,), b"", None),
        ),
        facts={"events": 2, "format": "ndjson"},
    ),
    TimedCase(
        "a CR that ends a line, and a border behind it",
        (
            ("feed", (b"data: a\r", 0.0), b"", None),
            ("feed", (b"\rdata: b\r", 1.0), b"data: a\n\n", None),
            ("feed", (b"\r", 2.0), b"data: b\n\n", None),
            ("close", (3.0,), b"", None),
        ),
        facts={"events": 2},
    ),
    TimedCase(
        "a character that a border parts, and a character that another one cuts",
        (
            ("feed", (b'data: {"a":"\xe2\x82', 0.0), b"", None),
            ("feed", (b'\xac"}\n\ndata: {"b":"\xe2\x82', 1.0), b'data: {"a":"\xe2\x82\xac"}\n\n', None),
            ("feed", (b'"}\n\n', 2.0), b'data: {"b":"\xef\xbf\xbd"}\n\n', None),
            ("close", (3.0,), b"", None),
        ),
        facts={"events": 2, "invalid_utf8": 1},
    ),
)
