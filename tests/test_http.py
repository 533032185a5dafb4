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
    "ETag": 'W/"1"',
    "Accept-Ranges": "bytes",
    "Content-Range": "bytes 0-11/12",
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


def test_names_are_compared_without_their_case():
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


@pytest.mark.parametrize("forged", ["1\r\nSet-Cookie: a=1", "1\nx: y", "1\0", "\x1b[31m", "\x7f", "1\u2028", "\u4e2d"])
def test_a_field_that_no_header_can_carry_is_dropped(forged):
    assert clean_headers({"X-Fine": "1", "X-Forged": forged, f"X-{forged}": "1"}) == {"X-Fine": "1"}


@pytest.mark.parametrize("name", ["", "X A", "X:B", "X\x0b", "\u00e9", ":status", '"x"', "X(1)", "x/y"])
def test_a_name_that_is_not_a_token_is_dropped(name):
    assert clean_headers({name: "1"}) == {}


def test_names_and_values_lose_outer_blanks_and_hide_nothing_after_them():
    headers = {
        "Content-Length ": "3",
        "\tTransfer-Encoding": "chunked",
        " X-One": "\t1 ",
        "Connection ": "x-two",
        "X-Two": "",
    }
    assert clean_headers(headers) == {"X-One": "1"}


def test_every_character_of_latin_1_but_controls_passes():
    value = "\t".join(map(chr, [*range(0x20, 0x7F), *range(0x80, 0x100)])).strip()
    assert clean_headers({"X-One": value}) == {"X-One": value.strip(" \t")}
    assert clean_headers([(b"X-One", value.encode("latin-1"))])["X-One"].encode("latin-1") == value.encode("latin-1")


@pytest.mark.parametrize("headers", ["abc", b"x", None, 7, [("a",)], [("a", "b", "c")], [None]], ids=repr)
def test_what_is_neither_a_mapping_nor_pairs_is_refused(headers):
    with pytest.raises(TypeError, match=r"takes a mapping or pairs: \[\(name, value\), \.\.\.\]"):
        clean_headers(headers)


@pytest.mark.parametrize("headers", [{"a": None}, {"a": ["b", "c"]}, {"a": 1}, {None: "1"}], ids=repr)
def test_what_is_not_text_is_refused(headers):
    with pytest.raises(TypeError, match=r"as str or bytes, not .*: give a repeated field as several pairs"):
        clean_headers(headers)


def test_our_headers_take_the_place_of_upstreams_however_those_are_spelt():
    httpx = pytest.importorskip("httpx")
    upstream = httpx.Headers({"Content-Type": "text/html", "cache-control": "max-age=9", "X-Request-ID": "r-1"})
    headers = {name.title(): value for name, value in clean_headers(upstream).items()} | SSE_HEADERS
    assert headers == {**SSE_HEADERS, "X-Request-Id": "r-1"}


@pytest.mark.parametrize("value", [chr(code) for code in (*range(0x20), 0x7F, 0x100, 0x4E2D)], ids=ascii)
def test_what_is_left_can_be_sent(value):
    responses = pytest.importorskip("starlette.responses")
    headers = clean_headers({"X-One": f"a{value}b", f"X-{value}": "1"})
    responses.Response(headers=headers)
    assert not set("".join([*headers, *headers.values()])) & set("\r\n\0\x1b")


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
