"""The first bytes of a body to its format, the same however they are cut."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import Format
from unbroken.core.failure import Failure
from unbroken.core.sniffer import (
    MAX_HEAD,
    Beginning,
    body_failure,
    is_error_body,
    media_type,
    sniff,
)

BOM = b"\xef\xbb\xbf"


def lines(skip: int = 0, *, body: bool = True, holds: bool = False) -> Beginning:
    return Beginning(Format.NDJSON, skip, sniffed=True, scalars=not body, may_be_body=body, holds_first=holds)


def array(skip: int = 0) -> Beginning:
    return Beginning(Format.JSON_ARRAY, skip, sniffed=True)


def sse(skip: int = 0) -> Beginning:
    return Beginning(Format.SSE, skip)


def refused(recognised: str, end: int, status: int | None = None, words: str | None = None) -> Beginning:
    return Beginning(failure=Failure("not-a-stream", status, error_type=recognised, detail=words), end=end)


FOUND: list[tuple[bytes, str | None, Beginning]] = [
    (b"data: x", None, sse()),
    (b"d", None, sse()),
    (b"x", None, sse()),
    (b":", None, sse()),
    (b"event: x", "application/json", sse()),
    (b"\n\r\n  data: x", None, sse(3)),
    (b"\r  data: x", None, sse(1)),
    (BOM + b"data: x", None, sse(3)),
    (BOM + b"\ndata: x", None, sse(4)),
    ("é".encode(), None, sse()),
    (b"\xff", None, sse()),
    (b"Hello", None, sse()),
    (b"HTTPS", None, sse()),
    (b"(x", None, sse()),
    (b"{", None, lines()),
    (b" \n {", "text/event-stream", lines(2)),
    (BOM + b"{", None, lines(3)),
    (b"{", "application/json", lines(holds=True)),
    (b"{", "Application/Problem+JSON; charset=x", lines(holds=True)),
    (b"{", "application/x-ndjson", lines(body=False)),
    (b"{", "application/jsonl; charset=utf-8", lines(body=False)),
    (b"{", "application/stream+json", lines(body=False)),
    (b"{", "application/json-lines", lines(body=False)),
    (b"{", "application/jsonlines", lines(body=False)),
    (b"{", "application/json-seq", lines(body=False)),
    (b"{", "text/plain", lines()),
    (b"[{", None, array()),
    (b"[ \n[", None, array()),
    (b'["', "text/event-stream", array()),
    (b"[]", None, array()),
    (b"\t\n[\n{", None, array(2)),
    (b"[1", None, sse()),
    (b"[D", None, sse()),
    (b"[-", "application/json", sse()),
    (b"\x1f\x8b", None, refused("binary", 1)),
    (b"\0", None, refused("binary", 1)),
    (b" \n\x01", None, refused("binary", 3)),
    (b"\x28\xb5\x2f\xfd", None, refused("binary", 1)),
    (b"<html><body", None, refused("markup", 11)),
    (b"<TITLE>502 Bad\n Gateway</TITLE", None, refused("markup", 30, 502, "502 Bad Gateway")),
    (b"\n<head><title lang=de>Oh</title", None, refused("markup", 31, None, "Oh")),
    (b"<title>200 OK</title", None, refused("markup", 20, None, "200 OK")),
    (b"<title>5021</title", None, refused("markup", 18, None, "5021")),
    (b"<p></head", None, refused("markup", 9)),
    (b"HTTP/1.1 502 Bad Gateway\r\nA: b\r\n\r\n", None, refused("http-head", 34, 502, "status 502")),
    (b"HTTP/2 404\n\n", None, refused("http-head", 12, 404, "status 404")),
    (b"HTTP/1.1 300 Choose\r\n\r\n", None, refused("http-head", 23, None, "status 300")),
    (b"HTTP/1.1 abc\r\n\r\n", None, refused("http-head", 16)),
    (b"HTTP/1.1 2000\r\n\r\n", None, refused("http-head", 17)),
    (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", None, Beginning(skip=25, head=True)),
    (b"\nHTTP/2 204\n\n", None, Beginning(skip=13, head=True)),
]


@pytest.mark.parametrize(("prefix", "content_type", "beginning"), FOUND)
def test_the_first_bytes_decide_and_no_byte_earlier(
    prefix: bytes, content_type: str | None, beginning: Beginning
) -> None:
    assert sniff(prefix, content_type) == beginning
    for cut in range(len(prefix)):
        early = sniff(prefix[:cut], content_type)
        assert early in (None, beginning), cut


@pytest.mark.parametrize(("prefix", "content_type", "beginning"), FOUND)
def test_what_follows_changes_nothing(prefix: bytes, content_type: str | None, beginning: Beginning) -> None:
    for more in (b" ", b"{}\n", b"\xff\0", b"[", b"<title>x</title>"):
        later = sniff(prefix + b"\n" + more, content_type)
        assert later is not None
        assert later[:1] + later[2:4] == beginning[:1] + beginning[2:4]


@pytest.mark.parametrize(
    "prefix",
    [b"", BOM[:1], BOM[:2], BOM, b" ", b"\r\n\t", b"[", b"[ \n", b"H", b"HTTP", b"HTTP/1.1 200 OK\r\n", b"\x28\xb5",
     b"<", b"<html>", b"<title>500", b"\x28"],
)  # fmt: skip
def test_nothing_is_said_before_it_is_known(prefix: bytes) -> None:
    assert sniff(prefix, None) is None


@pytest.mark.parametrize(
    ("prefix", "beginning"),
    [
        (b"", None),
        (b" \n", None),
        (BOM, None),
        (BOM[:2], sse()),
        (b"[", sse()),
        (b"\n[ \n", sse(1)),
        (b"HTT", sse()),
        (b"\x28\xb5", sse()),
        (b"<html>", refused("markup", 6)),
        (b" <title>503 Busy", refused("markup", 16, 503, "503 Busy")),
        (b"HTTP/1.1 200 OK\r\n", refused("http-head", 17, None, "status 200")),
        (b"HTTP/", refused("http-head", 5)),
    ],
)
def test_at_the_end_what_is_there_must_do(prefix: bytes, beginning: Beginning | None) -> None:
    assert sniff(prefix, None, at_end=True) == beginning


def test_after_the_start_a_byte_order_mark_is_text() -> None:
    assert sniff(BOM + b"{", None, at_start=False) == sse()
    assert sniff(BOM[:1], None, at_start=False) == sse()


@pytest.mark.parametrize(
    ("begins", "byte", "beginning"),
    [
        (b"[", b" ", sse()),
        (b"<", b"x", refused("markup", MAX_HEAD)),
        (b"HTTP/1.1 200 OK\r\n", b"x", refused("http-head", MAX_HEAD, None, "status 200")),
    ],
)
def test_what_never_ends_is_waited_for_only_so_long(begins: bytes, byte: bytes, beginning: Beginning) -> None:
    prefix = begins.ljust(MAX_HEAD, byte)
    assert sniff(prefix[:-1], None) is None
    assert sniff(prefix, None) == beginning
    assert sniff(prefix + 100 * byte, None) == beginning


@pytest.mark.parametrize("title", [b"<script>" * 3, b"x" * 300, b"\x1b[2J\xff"])
def test_a_title_is_bounded_and_kept_for_the_log(title: bytes) -> None:
    beginning = sniff(b"<title>" + title + b"</title>", None)
    assert beginning is not None
    assert beginning.failure is not None
    assert len(beginning.failure.detail or "") <= 200
    assert beginning.failure.public_message == "The upstream service answered with something that is not a stream."


def test_compressed_bodies_are_binary() -> None:
    beginning = sniff(gzip.compress(b"data: x\n\n"), "text/event-stream")
    assert beginning is not None
    assert beginning.failure == Failure("not-a-stream", error_type="binary")


@given(st.binary(max_size=30), st.sampled_from([None, "application/json", "text/event-stream", "text/html"]))
def test_any_first_bytes_are_judged_the_same_once_they_are_judged(data: bytes, content_type: str | None) -> None:
    said = [sniff(data[:cut], content_type) for cut in range(len(data) + 1)]
    found = [beginning for beginning in said if beginning is not None]
    assert len({beginning[:3] for beginning in found}) <= 1
    assert said[len(said) - len(found) :] == found


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [(None, ""), ("", ""), ("Text/Event-Stream; charset=UTF-8", "text/event-stream"), (" a/b ", "a/b"), (";", "")],
)
def test_the_media_type_stands_before_the_parameters(content_type: str | None, kind: str) -> None:
    assert media_type(content_type) == kind


@pytest.mark.parametrize(
    ("value", "status", "words"),
    [
        ({"error": {"message": "no key", "code": 401}}, 401, "no key"),
        ({"error": {"message": "no key", "status": "UNAUTHENTICATED", "code": 401.0}}, 401, "no key"),
        ({"error": "not found", "statusCode": 404}, 404, "not found"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "x" * 900}}, None, "x" * 500),
        ({"error": {"message": ["x"], "code": "invalid_api_key"}}, None, None),
        ({"error": {"status": 400}}, 400, None),
        ({"error": "busy", "status_code": 599}, 599, "busy"),
        ({"error": {"a": 1}, "status": 200}, None, None),
        ({"error": {"a": 1}, "status": 600}, None, None),
        ({"error": {"a": 1}, "status": float("inf")}, None, None),
    ],
)
def test_a_body_that_is_nothing_but_an_error_is_read(value: Any, status: int | None, words: str | None) -> None:
    assert is_error_body(value)
    assert body_failure(value) == Failure("not-a-stream", status, error_type="json-error", detail=words)


@pytest.mark.parametrize(
    "value",
    [None, [], "error", {}, {"error": None}, {"error": {}}, {"error": ""}, {"error": 1}, {"message": "x"},
     {"error": {"message": "x"}, "time": 1}, {"error": {"type": "unbroken_error", "code": "truncated"}}],
)  # fmt: skip
def test_any_other_body_is_not_an_error(value: Any) -> None:
    assert not is_error_body(value)
    assert body_failure(value) == Failure("not-a-stream", error_type="json")
