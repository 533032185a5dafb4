"""Headers for a stream, and those of upstream that may be forwarded with it."""

import copy
import http.client
import io
import pickle
import re
from collections.abc import Collection
from typing import Any

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import NDJSON_HEADERS, SSE_HEADERS, clean_headers, repair
from unbroken.http import FORWARDED

UPSTREAM = {
    "Content-Type": "text/event-stream",
    "Content-Encoding": "gzip",
    "x-request-id": "r-1",
    "Request-Id": "r-2",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "X-RateLimit-Remaining-Tokens": "7",
    "anthropic-ratelimit-requests-reset": "2026-11-20T10:00:00Z",
    "RateLimit": '"default";r=50;t=30',
    "Retry-After": "3",
    "openai-processing-ms": "12",
    "openai-version": "2020-10-01",
}
ADDED = ("A", "b", "X-One", "x-two", "X-Three", "X-Fine", "X-Forged")
"""Names of the caller's own, for tests of what holds for any header."""


def test_what_informs_the_client_is_forwarded() -> None:
    expected = {name: value for name, value in UPSTREAM.items() if name != "Content-Encoding"}
    assert clean_headers(UPSTREAM) == expected
    assert clean_headers({name.upper(): value for name, value in UPSTREAM.items()}).keys() == {
        *map(str.upper, expected)
    }


COMMANDS = {
    "the proxy": """
        X-Accel-Redirect X-Accel-Buffering X-Accel-Expires X-Accel-Limit-Rate X-Accel-Charset X-Sendfile
        X-LIGHTTPD-send-file X-LIGHTTPD-send-tempfile X-Reproxy-URL X-Envoy-Immediate-Health-Check-Fail
        Surrogate-Control Surrogate-Key CDN-Cache-Control Cloudflare-CDN-Cache-Control Edge-Control
        X-Litespeed-Cache-Control X-Cache-Control X-LiteSpeed-Location Cache-Tag X-Varnish Status Via Forwarded
        X-Forwarded-Host X-Forwarded-For
    """,
    "caches": """
        Cache-Control Expires Pragma Age Vary Warning Date Last-Modified ETag No-Vary-Search Clear-Site-Data
    """,
    "the browser": """
        Refresh Location Content-Location Link Set-Cookie Set-Cookie2 Alt-Svc Strict-Transport-Security
        Access-Control-Allow-Origin Access-Control-Allow-Credentials Access-Control-Expose-Headers
        Timing-Allow-Origin Content-Security-Policy Content-Security-Policy-Report-Only X-Frame-Options
        X-XSS-Protection Permissions-Policy X-Content-Type-Options Feature-Policy Referrer-Policy
        Cross-Origin-Opener-Policy Cross-Origin-Embedder-Policy Cross-Origin-Resource-Policy
        Origin-Agent-Cluster Document-Policy Report-To Reporting-Endpoints NEL Expect-CT Public-Key-Pins
        SourceMap X-SourceMap Service-Worker-Allowed Service-Worker-Navigation-Preload Accept-CH Critical-CH
        Content-Disposition Content-Language X-DNS-Prefetch-Control Speculation-Rules Supports-Loading-Mode
        X-Robots-Tag Set-Login Sec-WebSocket-Accept Observe-Browsing-Topics
        Attribution-Reporting-Register-Source Activate-Storage-Access
    """,
    "logins": """
        WWW-Authenticate Authentication-Info Authorization Proxy-Authenticate Proxy-Authentication-Info
    """,
    "one hop": """
        Connection Keep-Alive Proxy-Connection TE Trailer Transfer-Encoding Upgrade HTTP2-Settings
    """,
    "the body": """
        Content-Length Content-Range Accept-Ranges Content-Digest Repr-Digest Digest Content-MD5
    """,
    "who pays": """
        openai-organization openai-project anthropic-organization-id Server X-Powered-By
    """,
}


@pytest.mark.parametrize("what", COMMANDS)
def test_what_commands_somebody_or_is_of_no_use_is_not_forwarded(what: str) -> None:
    names = COMMANDS[what].split()
    for spell in (str, str.lower, str.upper):
        assert clean_headers([(spell(name), "1") for name in names]) == {}


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=8)))
def test_nothing_is_forwarded_that_is_not_on_the_list(headers: dict[str, str]) -> None:
    named = tuple(name for name in FORWARDED if not name.endswith("*"))
    prefixes = tuple(name.removesuffix("*") for name in FORWARDED if name.endswith("*"))
    drawn = {
        **headers,
        **{f"{prefix}{name}": value for prefix, (name, value) in zip(named, headers.items(), strict=False)},
    }
    for name, value in clean_headers(drawn).items():
        assert name.lower() in named or name.lower().startswith(prefixes)
        assert not set(name + value) & set("\r\n\0")


def test_the_content_encoding_stays_where_the_body_is_forwarded_as_it_came() -> None:
    assert clean_headers(UPSTREAM, decoded=False) == UPSTREAM


@pytest.mark.parametrize(
    "value",
    [
        *("text/event-stream", "Text/Event-Stream; charset=utf-8", "text/plain", "application/json"),
        *(
            "application/x-ndjson",
            "application/jsonl",
            "application/stream+json;charset=utf-8",
            "application/problem+json",
        ),
    ],
)
def test_the_content_type_of_a_stream_is_forwarded(value: str) -> None:
    assert clean_headers({"content-type": value}) == {"content-type": value}


@pytest.mark.parametrize(
    "value",
    [
        *("text/html", "TEXT/HTML; charset=utf-8", "image/svg+xml", "application/xhtml+xml", "text/xml"),
        *("multipart/x-mixed-replace; boundary=a", "application/javascript", "text/javascript", "*/*", "text/json"),
        *("text/event-stream, text/html", "text/event-stream; a=b, text/html", 'text/plain; a="b, text/html'),
        *("", "json", ";", "text/", "/json", "application"),
    ],
)
def test_a_content_type_that_a_browser_would_run_is_not_forwarded(value: str) -> None:
    assert clean_headers({"Content-Type": value}) == {}


@pytest.mark.parametrize(
    "value",
    ["application/xhtml+xml json", "application/a/json", "application/\xe9json", "text/plain\xa0", "\x85text/plain"],
)
def test_a_content_type_that_is_none_is_not_forwarded(value: str) -> None:
    assert clean_headers({"Content-Type": value}) == {}


def test_of_several_content_types_the_first_that_may_pass_is_forwarded() -> None:
    pairs = [("Content-Type", "text/html"), ("content-type", "text/plain"), ("Content-Type", "application/json")]
    assert clean_headers(pairs) == {"content-type": "text/plain"}


# Names of the caller's own


@pytest.mark.parametrize(
    "also", [("X-Mine", "Cache-Control"), ["x-mine", "cache-control"], {"X-MINE", "CACHE-CONTROL"}]
)
def test_names_of_the_callers_are_forwarded_in_any_case(also: Collection[str]) -> None:
    headers = {"x-Mine": "1", "Cache-Control": "no-cache", "X-Other": "2", "X-Request-Id": "3"}
    expected = {"x-Mine": "1", "Cache-Control": "no-cache", "X-Request-Id": "3"}
    assert clean_headers(headers, also=also) == expected
    assert clean_headers(headers, also=iter(also)) == expected


def test_a_content_type_that_the_caller_adds_is_forwarded_as_it_is() -> None:
    assert clean_headers({"Content-Type": "text/html"}, also=["content-type"]) == {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    "also", ["X-Mine", b"X-Mine", None, 7, object()], ids=["str", "bytes", "None", "int", "object"]
)
def test_names_that_are_no_collection_are_refused_with_the_fix(also: Any) -> None:
    with pytest.raises(
        TypeError, match=r"also=\.\.\.\) takes a collection of names, not .*; write also=\('X-My-Header',\)"
    ):
        clean_headers({}, also=also)


@pytest.mark.parametrize("name", [b"X-Mine", None, 7, ("X-Mine",)], ids=repr)
def test_a_name_that_is_no_text_is_refused(name: Any) -> None:
    with pytest.raises(TypeError, match=r"also=\.\.\.\) takes names as str, not "):
        clean_headers({}, also=["X-Fine", name])


@pytest.mark.parametrize(
    "name", ["", "X A", " X", "X:", "X\r\n", "X\0", "\u00e9", '"x"', "X(1)", "x/y", "X-\u212a", "X," * 99]
)
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot add .*: it is not the name of a header \(RFC 9110, 5\.1\)"):
        clean_headers({}, also=["X-Fine", name])


NEVER = {
    "it is for one connection only": [*COMMANDS["one hop"].split(), "Proxy-Authenticate", "Proxy-Authorization"],
    "it describes the bytes that upstream sent": [*COMMANDS["the body"].split(), "ETag", "Last-Modified"],
    "several of them cannot be joined": ["Set-Cookie", "Set-Cookie2"],
    "the body is decoded; pass decoded=False": ["Content-Encoding"],
    "name each header; there are no patterns": ["X-Mine-*", "*"],
}


@pytest.mark.parametrize("reason", NEVER)
def test_what_must_not_be_forwarded_cannot_be_added_either(reason: str) -> None:
    for name in NEVER[reason]:
        for spelling in (name, name.lower(), name.upper()):
            with pytest.raises(ValueError, match=rf"cannot add '{re.escape(spelling)}': {reason}"):
                clean_headers({}, also=["X-Fine", spelling])


def test_the_content_encoding_can_be_named_where_it_is_forwarded_anyway() -> None:
    assert clean_headers(UPSTREAM, decoded=False, also=["Content-Encoding"]) == UPSTREAM


# What holds for any header


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
    assert clean_headers(headers, also=ADDED) == {"A": "1, 3", "b": "2"}


def test_every_connection_field_nominates():
    headers = [
        ("Connection", "x-one"),
        ("Connection", "X-Two ,close, x-request-id"),
        ("X-One", "1"),
        ("X-Two", "2"),
        ("X-Three", "3"),
        ("X-Request-Id", "4"),
    ]
    assert clean_headers(headers, also=ADDED) == {"X-Three": "3"}


@pytest.mark.parametrize("forged", ["1\r\nSet-Cookie: a=1", "1\nx: y", "1\0", "\x1b[31m", "\x7f", "1\u2028", "\u4e2d"])
def test_a_field_that_no_header_can_carry_is_dropped(forged):
    headers = {"X-Fine": "1", "X-Forged": forged, "X-Request-Id": forged, f"X-RateLimit-{forged}": "1"}
    assert clean_headers(headers, also=ADDED) == {"X-Fine": "1"}


@pytest.mark.parametrize("name", ["", " A", ":B", "\x0b", "\u00e9", '"x"', "(1)", "/y"])
def test_a_name_that_is_not_a_token_is_dropped(name):
    assert clean_headers({name: "1", **({f"X-RateLimit-{name}-A": "1"} if name else {})}) == {}


def test_names_and_values_lose_outer_blanks_and_hide_nothing_after_them():
    headers = {
        "Content-Length ": "3",
        "\tTransfer-Encoding": "chunked",
        " X-One": "\t1 ",
        "Connection ": "x-two",
        "X-Two": "",
    }
    assert clean_headers(headers, also=ADDED) == {"X-One": "1"}


def test_every_character_of_latin_1_but_controls_passes():
    value = "\t".join(map(chr, [*range(0x20, 0x7F), *range(0x80, 0x100)])).strip()
    assert clean_headers({"X-One": value}, also=ADDED) == {"X-One": value.strip(" \t")}
    of_bytes = clean_headers([(b"X-One", value.encode("latin-1"))], also=ADDED)
    assert of_bytes["X-One"].encode("latin-1") == value.encode("latin-1")


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
    headers = clean_headers({"X-One": f"a{value}b", f"X-RateLimit-{value}": "1"}, also=ADDED)
    responses.Response(headers=headers)
    assert not set("".join([*headers, *headers.values()])) & set("\r\n\0\x1b")


def test_headers_of_every_client_are_taken():
    requests, httpx, urllib3 = (pytest.importorskip(name) for name in ("requests", "httpx", "urllib3"))
    message = http.client.parse_headers(io.BytesIO(b"Content-Length: 1\r\nX-One: 1\r\nX-One: 2\r\n\r\n"))
    pairs = [("Content-Length", "1"), ("X-One", "1"), ("X-One", "2")]
    for headers in (message, httpx.Headers(pairs), urllib3.HTTPHeaderDict(pairs)):
        assert {name.lower(): value for name, value in clean_headers(headers, also=ADDED).items()} == {"x-one": "1, 2"}
    assert clean_headers(requests.structures.CaseInsensitiveDict(pairs), also=ADDED) == {"X-One": "2"}


@pytest.mark.parametrize("headers", [SSE_HEADERS, NDJSON_HEADERS], ids=["SSE", "NDJSON"])
def test_our_headers_cannot_be_changed_and_hold_nothing_of_one_hop(headers):
    before = {**headers}
    for change in (
        lambda: headers.__setitem__("X-One", "1"),
        lambda: headers.__delitem__("Content-Type"),
        lambda: headers.__ior__({"X-One": "1"}),
        lambda: headers.update({"X-One": "1"}),
        lambda: headers.setdefault("X-One", "1"),
        lambda: headers.pop("Content-Type"),
        headers.popitem,
        headers.clear,
    ):
        with pytest.raises(TypeError, match="change a copy"):
            change()
    assert headers == before
    assert clean_headers(headers, also=headers) == dict(headers)
    assert headers["Cache-Control"] == "no-cache, no-transform"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_copy_of_our_headers_can_be_changed():
    for copied in (copy.copy, copy.deepcopy, dict, lambda headers: pickle.loads(pickle.dumps(headers))):
        changed = copied(SSE_HEADERS)
        assert changed == SSE_HEADERS
        changed["Cache-Control"] = "no-store"
        assert SSE_HEADERS["Cache-Control"] == "no-cache, no-transform"


def test_a_flask_view_may_return_our_headers_in_a_tuple():
    app = flask.Flask("views")
    app.add_url_rule("/two", "two", lambda: (repair([b"data: 1\n\n"]), SSE_HEADERS))
    app.add_url_rule("/three", "three", lambda: (repair([b"data: 1\n\n"]), 201, SSE_HEADERS))
    for path, status in (("/two", 200), ("/three", 201)):
        answer = app.test_client().get(path)
        assert (answer.status_code, answer.data) == (status, b"data: 1\n\n")
        assert answer.content_type == SSE_HEADERS["Content-Type"]


def test_the_media_types():
    assert SSE_HEADERS["Content-Type"] == "text/event-stream; charset=utf-8"
    assert NDJSON_HEADERS["Content-Type"] == "application/x-ndjson"
