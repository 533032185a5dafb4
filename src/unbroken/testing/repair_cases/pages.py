"""Pages and heads of HTTP in the place of a stream."""

from __future__ import annotations

from typing import Final

from .case import RepairCase, but, failure, told_first

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a page with a status in its title",
        b"<html><head><title>503 Service\nUnavailable</title></head><body></body>",
        told_first("not-a-stream", 503),
        ("not-a-stream@0+49",),
        facts={
            "detail": "503 Service Unavailable",
            **failure("not-a-stream", "markup", 503, safe_to_retry=True),
            "format": None,
            "events": 0,
            "bytes_in": 49,
        },
    ),
    RepairCase(
        "a page with no status in its title",
        b"<html><head><title>Page 503</title></head><body></body>",
        told_first("not-a-stream"),
        ("not-a-stream@0+34",),
        facts={
            "detail": "Page 503",
            **failure("not-a-stream", "markup", safe_to_retry=True),
            "format": None,
            "events": 0,
            "bytes_in": 34,
        },
    ),
    RepairCase(
        "a page with the status 399 in its title",
        b"<html><title>399</title>",
        told_first("not-a-stream"),
        ("not-a-stream@0+23",),
        facts={
            "detail": "399",
            **failure("not-a-stream", "markup", safe_to_retry=True),
            "format": None,
            "events": 0,
            "bytes_in": 23,
        },
    ),
    RepairCase(
        "a page without a title",
        b"<!doctype html><html><body>x</body></html>",
        told_first("not-a-stream"),
        ("not-a-stream@0+26",),
        facts={**failure("not-a-stream", "markup", safe_to_retry=True), "format": None, "events": 0, "bytes_in": 26},
    ),
    RepairCase(
        "a page with a title of a class",
        b'<html><title class="x">404 Not Found</title><body>',
        told_first("not-a-stream", 404),
        ("not-a-stream@0+43",),
        facts={
            "detail": "404 Not Found",
            **failure("not-a-stream", "markup", 404, safe_to_retry=True),
            "format": None,
            "events": 0,
            "bytes_in": 43,
        },
    ),
    RepairCase(
        "a page that was cut in its title",
        b"<html><title>502 Bad",
        told_first("not-a-stream", 502),
        ("not-a-stream@0+20",),
        facts={
            "detail": "502 Bad",
            **failure("not-a-stream", "markup", 502, safe_to_retry=True),
            "format": None,
            "events": 0,
        },
    ),
    RepairCase(
        "an HTTP head of an error",
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\r\n<html>",
        told_first("not-a-stream", 503),
        ("not-a-stream@0+52",),
        facts={
            "detail": "status 503",
            **failure("not-a-stream", "http-head", 503, safe_to_retry=True),
            "format": None,
            "events": 0,
            "bytes_in": 52,
        },
    ),
    RepairCase(
        "an HTTP head of a redirect",
        b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n",
        told_first("not-a-stream"),
        ("not-a-stream@0+35",),
        facts={
            "detail": "status 302",
            **failure("not-a-stream", "http-head", safe_to_retry=True),
            "format": None,
            "events": 0,
        },
    ),
    RepairCase(
        "an HTTP head without a version",
        b"HTTP/2 200\r\nA: b\r\n\r\ndata: a\n\n",
        b"data: a\n\n",
        ("http-head@0+20",),
    ),
    RepairCase(
        "an HTTP head of LF",
        b"HTTP/1.0 200 OK\nA: b\n\ndata: a\n\n",
        b"data: a\n\n",
        ("http-head@0+22",),
    ),
    RepairCase(
        "an HTTP head that was cut",
        b"HTTP/1.1 200 OK\r\nA: b\r\n",
        told_first("not-a-stream"),
        ("not-a-stream@0+23",),
        facts={
            "detail": "status 200",
            **failure("not-a-stream", "http-head", safe_to_retry=True),
            "format": None,
            "events": 0,
        },
    ),
    RepairCase(
        "an HTTP head without a status",
        b"HTTP/1.1 OK\r\n\r\ndata: a\n\n",
        told_first("not-a-stream"),
        ("not-a-stream@0+15",),
        facts={**failure("not-a-stream", "http-head", safe_to_retry=True), "format": None, "events": 0, "bytes_in": 15},
    ),
    RepairCase(
        "an HTTP head with a status of four digits",
        b"HTTP/1.1 2000 OK\r\n\r\ndata: a\n\n",
        told_first("not-a-stream"),
        ("not-a-stream@0+20",),
        facts={**failure("not-a-stream", "http-head", safe_to_retry=True), "format": None, "events": 0, "bytes_in": 20},
    ),
    RepairCase(
        "an HTTP head before lines",
        b'HTTP/1.1 200 OK\r\n\r\n{"a":1}\n{"a":2}\n',
        b'{"a":1}\n{"a":2}\n',
        ("http-head@0+19",),
        facts={"format": "ndjson", "events": 2},
    ),
    RepairCase(
        "an HTTP head before a page",
        b"HTTP/1.1 200 OK\r\n\r\n<html></html>",
        told_first("not-a-stream"),
        (
            "http-head@0+19",
            "not-a-stream@0+32",
        ),
        facts={**failure("not-a-stream", "markup", safe_to_retry=True), "format": None, "events": 0},
    ),
    RepairCase(
        "an HTTP head that is not to be skipped",
        b'HTTP/1.1 200 OK\r\nA: b\r\n\r\ndata: {"a":1}\n\n',
        b'A: b\n\ndata: {"a":1}\n\n',
        ("stray-line@0+15",),
        options={"repairs": but("http-head")},
        facts={"respellings": {"line-end": 3}},
    ),
    RepairCase(
        "a head of HTTP between two byte order marks",
        b'\xef\xbb\xbfHTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n\xef\xbb\xbfdata: {"a":1}\n\n',
        b'data: {"a":1}\n\n',
        ("http-head@0+55",),
        facts={"respellings": {"bom": 2}},
        leaves=(73,),
    ),
)
