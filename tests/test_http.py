"""Headers for a stream, and those of upstream that may be forwarded with it."""

import http.client
import io
from types import MappingProxyType

import pytest

from unbroken import NDJSON_HEADERS, SSE_HEADERS, clean_headers

UPSTREAM = {
    "Date": "Fri, 20 Nov 2026 10:00:00 GMT",
    "Content-Type": "text/event-stream",
    "Transfer-Encoding": "chunked",
    "Connection": "keep-alive, X-Secret-Hop",
    "Keep-Alive": "timeout=5",
    "Proxy-Authenticate": "Basic",
    "Proxy-Connection": "keep-alive",
    "TE": "trailers",
    "Trailer": "Expires",
    "Upgrade": "h2c",
    "X-Secret-Hop": "1",
    "Content-Length": "12",
    "Content-Digest": "sha-256=:X48E9q:",
    "Content-Encoding": "gzip",
    "Set-Cookie": "session=1",
    "x-request-id": "r-1",
}


def test_what_is_of_one_hop_of_the_bytes_or_of_a_session_is_dropped():
    assert clean_headers(UPSTREAM) == {
        "Date": "Fri, 20 Nov 2026 10:00:00 GMT",
        "Content-Type": "text/event-stream",
        "x-request-id": "r-1",
    }


def test_the_content_encoding_stays_where_the_body_is_forwarded_as_it_came():
    assert clean_headers(UPSTREAM, decoded=False)["Content-Encoding"] == "gzip"


def test_names_are_told_apart_without_their_case():
    assert clean_headers({"CONTENT-LENGTH": "1", "connection": "X-HOP", "x-hop": "1", "set-cookie": "a=1"}) == {}


@pytest.mark.parametrize(
    "headers",
    [
        [("A", "1"), ("b", "2"), ("a", "3")],
        [(b"A", b"1"), (b"b", b"2"), (b"a", b"3")],
        (pair for pair in [("A", "1"), ("b", "2"), ("a", "3")]),
    ],
    ids=["pairs", "pairs of bytes", "an iterator"],
)
def test_repeated_fields_are_joined_under_their_first_spelling(headers):
    assert clean_headers(headers) == {"A": "1, 3", "b": "2"}


def test_every_connection_field_nominates():
    headers = [
        ("Connection", "x-one"),
        ("Connection", "X-Two ,close"),
        ("X-One", "1"),
        ("X-Two", "2"),
        ("X-Three", "3"),
    ]
    assert clean_headers(headers) == {"X-Three": "3"}


@pytest.mark.parametrize("forged", ["1\r\nSet-Cookie: a=1", "1\nx: y", "1\0"])
def test_a_field_that_could_begin_a_line_of_its_own_is_dropped(forged):
    assert clean_headers({"X-Fine": "1", "X-Forged": forged, f"X-{forged}": "1"}) == {"X-Fine": "1"}


def test_headers_of_every_client_are_taken():
    requests, httpx, urllib3 = (pytest.importorskip(name) for name in ("requests", "httpx", "urllib3"))
    message = http.client.parse_headers(io.BytesIO(b"Content-Length: 1\r\nX-One: 1\r\nX-One: 2\r\n\r\n"))
    pairs = [("Content-Length", "1"), ("X-One", "1"), ("X-One", "2")]
    for headers in (message, httpx.Headers(pairs), urllib3.HTTPHeaderDict(pairs)):
        assert {name.lower(): value for name, value in clean_headers(headers).items()} == {"x-one": "1, 2"}
    assert clean_headers(requests.structures.CaseInsensitiveDict(pairs)) == {"X-One": "2"}


@pytest.mark.parametrize("headers", [SSE_HEADERS, NDJSON_HEADERS], ids=["SSE", "NDJSON"])
def test_our_headers_cannot_be_changed_and_hold_nothing_of_one_hop(headers):
    assert isinstance(headers, MappingProxyType)
    assert clean_headers(headers) == dict(headers)
    assert headers["Cache-Control"] == "no-cache, no-transform"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_media_types():
    assert SSE_HEADERS["Content-Type"] == "text/event-stream; charset=utf-8"
    assert NDJSON_HEADERS["Content-Type"] == "application/x-ndjson"
