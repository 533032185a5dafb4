"""The sniffer, the readers and the gate as one: every format begins where it should, whatever stands before it."""

from __future__ import annotations

from typing import Any

import pytest

from unbroken import Format, RepairKind, StreamReport, Verdict
from unbroken.core.options import check_options
from unbroken.core.pipeline import Pipeline
from unbroken.testing.cuts import cuttings

from .memory import growth
from .tables import SAME, Case, but, check_case, each, error, first_error, first_line, wires

BOM = b"\xef\xbb\xbf"
HEAD = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
NOT_A_STREAM, BAD_GATEWAY = first_error("not-a-stream", 500), first_error("not-a-stream", 502)
LINE = first_line("not-a-stream")
OLLAMA_CUT = b'{"error": "The stream ended before it was complete.", "type": "unbroken_error", "code": "truncated"}'

CASES: list[Case] = [
    ("a BOM before the format", BOM + b"data: {}\n\n", {}, b"data: {}\n\n", ""),
    ("a BOM of a named format", BOM + b"data: {}\n\n", {"format": "sse"}, b"data: {}\n\n", ""),
    ("half a BOM of a named format", BOM[:2], {"format": "sse"}, NOT_A_STREAM, "unfinished-tail@0+2 not-a-stream@0+2"),
    ("blank lines first", b"\n \r\n\t\ndata: {}\n\n", {}, b"data: {}\n\n", ""),
    ("a BOM and blank lines first", BOM + b"\n\n{}\n", {}, b"{}\n", ""),
    ("an indented first line", b"\n  data: {}\n\n", {}, b"data: {}\n\n", "field-name@1+10"),
    ("an endless indentation", 3000 * b" " + b"{}\n", {}, b"{}\n", ""),
    ("heartbeats of NDJSON first", b" \n \n {}\n", {}, b"{}\n", ""),
    ("a BOM after a blank line", b"\n" + BOM + b"{}\n\ndata: {}\n\n", {}, b"data: {}\n\n", "stray-line@1+5"),
    ("nothing but blanks", b" \n\t\r", {}, b"", ""),
    ("nothing but a BOM", BOM, {}, b"", ""),
    ("an HTTP head", HEAD + b"data: {}\n\n", {}, b"data: {}\n\n", "http-head@0+25"),
    ("an HTTP head and a BOM", HEAD + BOM + b"{}\n", {}, b"{}\n", "http-head@0+25"),
    ("two HTTP heads", HEAD + HEAD + b"[{}]", {}, b"[{}]", "http-head@0+25 http-head@25+25"),
    ("an HTTP head alone", HEAD, {}, b"", "http-head@0+25"),
    (
        "an HTTP head and half a BOM",
        HEAD + BOM[:1],
        {},
        NOT_A_STREAM,
        "http-head@0+25 unfinished-tail@25+1 not-a-stream@0+26",
    ),
    (
        "an HTTP head that may not be skipped",
        HEAD + b"data: {}\n\n",
        but("http-head"),
        b"A: b\n\ndata: {}\n\n",
        "stray-line@0+15",
    ),
    (
        "an HTTP head of an error",
        b"HTTP/1.1 500 X\r\n\r\n<html>",
        {},
        NOT_A_STREAM,
        "not-a-stream@0+18",
    ),
    ("a page", b"<html><title>502</title>x", {}, BAD_GATEWAY, "not-a-stream@0+23"),
    ("a page, unnamed", b"<html><title>502</title>x", but("not-a-stream"), BAD_GATEWAY, ""),
    ("a binary", b"\x1f\x8b\x08", {}, NOT_A_STREAM, "not-a-stream@0+1"),
    ("a page that ends early", b"<html>", {}, NOT_A_STREAM, "not-a-stream@0+6"),
    ("prose", b"Hello there\n", {}, NOT_A_STREAM, "stray-line@0+11 not-a-stream@0+12"),
    ("prose without a line end", b"Bad gateway", {}, NOT_A_STREAM, "unfinished-tail@0+11 not-a-stream@0+11"),
    ("a field of one letter first", b"x\ndata: {}\n\n", {}, b"x: \ndata: {}\n\n", ""),
    ("lines where no head may be skipped", b"{}\n{}\n", but("http-head"), SAME, ""),
    ("lines of a named dialect", b"{}\n{}\n", {"dialect": "ollama"}, b"{}\n{}\n" + OLLAMA_CUT + b"\n", ""),
    ("prose of a named dialect", b"data: Hello\n\n", {"dialect": "text"}, SAME, ""),
    (
        "an object of a dialect of prose",
        b"{}\n",
        {"dialect": "text"},
        b"event: error\ndata: " + error("not-a-stream") + b"\n\n",
        "unfinished-tail@0+2 not-a-stream@0+3",
    ),
    ("a field without an event", b"data: {", {}, b"", "unfinished-tail@0+7"),
    ("a comment alone", b": hi\n", {}, SAME, ""),
    ("a named format is never sniffed", b"<html>\n", {"format": "ndjson"}, LINE, "invalid-json@0+6 not-a-stream@0+7"),
]


@each(CASES)
def test_a_body_is_begun_where_it_should_be_however_it_is_cut(case: Case) -> None:
    check_case(case)


def pipeline(**options: Any) -> Pipeline:
    checked = check_options(**options)
    return Pipeline(checked, StreamReport(format=checked.format))


@pytest.mark.parametrize(
    ("data", "format"),
    [(b"data: {}\n\n", Format.SSE), (b"{}\n", Format.NDJSON), (b"[{}]", Format.JSON_ARRAY), (b"<p></head", None)],
)
def test_the_report_knows_the_format_from_the_bytes_that_show_it(data: bytes, format: Format | None) -> None:
    for chunks in cuttings(data):
        reading = pipeline()
        out = [wires(reading.feed(chunk)) for chunk in chunks]
        assert reading.report.format is format
        assert b"".join(out) == (data if format else b"")
        assert reading.report.bytes_in == len(data)


@pytest.mark.parametrize("blanks", [b" ", b"\n", b"\t \r\n"])
def test_blanks_before_the_first_line_are_not_kept(blanks: bytes) -> None:
    for mark in (b"", BOM):
        reading = pipeline()
        reading.feed(mark)
        assert growth(lambda: reading.feed(50 * blanks), before=100, times=400) <= 2048  # noqa: B023
        assert wires(reading.feed(b"{}\n")) == b"{}\n"


@pytest.mark.parametrize(
    ("fed", "open_array"),
    [(b"", b"["), (b"[", b"["), (b"[{}", b","), (b"[{}]", None), (b"data: {}\n\n", b"[")],
)
def test_an_open_array_says_how_an_error_would_begin(fed: bytes, open_array: bytes | None) -> None:
    reading = pipeline()
    reading.feed(fed)
    assert reading.open_array == open_array


def test_fields_without_an_event_are_pending_until_one_comes() -> None:
    reading = pipeline(dialect="openai-chat")
    assert reading.pending_fields == b""
    assert wires(reading.feed(b"id: 7\nretry: 5\n\n")) == b""
    assert reading.pending_fields == b"id: 7\nretry: 5\n"
    assert wires(reading.feed(b"data: {}\n\n")) == b"id: 7\nretry: 5\ndata: {}\n\n"
    assert reading.pending_fields == b""
    assert pipeline(format="ndjson").pending_fields == b""


def test_after_done_nothing_is_pending() -> None:
    reading = pipeline(dialect="openai-chat")
    reading.feed(b"id: 7\n\n")
    reading.feed(b"data: [DONE]\n\n")
    reading.feed(b"id: 8\n\n")
    assert reading.pending_fields == b""


@pytest.mark.parametrize("first", [b"data: {}\n\ndata: {", b"data: {}\n\n\x00", b"", b" ", b"<html><body>x", b"[{},"])
@pytest.mark.parametrize("closed", [True, False])
def test_another_connection_begins_anew_with_offsets_that_go_on(first: bytes, closed: bool) -> None:
    reading = pipeline()
    reading.feed(first)
    if closed:
        reading.close(clean=False)
    read = reading.report.bytes_in
    reading.reconnect()
    assert not reading.closed
    reading.feed(BOM + b"\n data: {}\n\n")
    items, verdict = reading.close(clean=True)
    assert verdict in (Verdict.ENDED, Verdict.TRUNCATED)
    repairs = reading.report.first_repairs
    assert [repair.offset - read for repair in repairs if repair.kind is RepairKind.FIELD_NAME] == [4]
    assert not items


def test_a_connection_that_fails_at_its_beginning_is_judged_by_its_own_bytes() -> None:
    reading = pipeline()
    reading.feed(b"data: {}\n\n")
    reading.close(clean=False)
    reading.reconnect()
    reading.feed(b"\x1f\x8b")
    _, verdict = reading.close(clean=True)
    assert verdict is Verdict.FAILED
    assert [(repair.offset, repair.length) for repair in reading.report.first_repairs] == [(10, 1)]
    assert reading.report.format is Format.SSE


@pytest.mark.parametrize(
    ("data", "counts"),
    [
        (b"data: {}\n\n", {}),
        (BOM + b"data: {}\n\n", {"bom": 1}),
        (b"\n\r\ndata: {}\n\n", {}),
        (BOM + b"\n\ndata: {}\n\n", {"bom": 1}),
        (BOM + HEAD + BOM + b"data: {}\n\n", {"bom": 2}),
    ],
)
def test_a_byte_order_mark_is_a_spelling_and_is_counted(data: bytes, counts: dict[str, int]) -> None:
    for chunks in cuttings(data):
        whole = pipeline()
        for chunk in chunks:
            whole.feed(chunk)
        assert whole.report.respellings == counts


@pytest.mark.parametrize("format", ["sse", "ndjson", "json-array"])
def test_a_body_without_a_byte_is_an_empty_stream(format: str) -> None:
    assert pipeline(format=format).close(clean=True) == ([], Verdict.ENDED)


def test_in_a_named_format_nothing_but_half_a_byte_order_mark_is_waited_for() -> None:
    assert wires(pipeline(format="ndjson").feed(b"1\n")) == b"1\n"
    assert wires(pipeline(format="sse").feed(b":\n")) == b":\n"


def test_the_callers_format_goes_before_the_one_that_prose_comes_in() -> None:
    named = pipeline(format="ndjson", dialect="text")
    named.feed(b"{}\n")
    assert named.report.format is Format.NDJSON


def test_a_body_of_which_nothing_was_read_is_judged_at_a_clean_end_only() -> None:
    for clean, failure in ((True, "unrecognised"), (False, None)):
        foreign = pipeline()
        foreign.feed(b"Hello there\n")
        foreign.close(clean=clean)
        found = foreign.gate.state.failure
        assert (found.error_type if found else None) == failure


def test_the_first_bytes_are_not_kept_once_the_format_is_known() -> None:
    known, first = pipeline(), b"data: " + b"x" * 100_000
    assert growth(lambda: known.feed(first), before=0, times=1) < 1.5 * len(first)
