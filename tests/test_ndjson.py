"""NDJSON out of hostile bytes: what leaves, what was repaired, and where."""

from __future__ import annotations

import pytest

from unbroken import Event, EventReader, Repair, RepairKind, StreamRepairer
from unbroken.core.proof import MAX_PROOF

from .tables import SAME, Case, but, check_case, check_second_pass, each, error, first_error, first_line

NAMED = {"format": "ndjson"}
STANDARD = {"repairs": ()}

CASES: list[Case] = [
    (
        "words without a line end",
        b"Internal Server Error",
        NAMED,
        first_line("not-a-stream"),
        "unfinished-tail@0+21 not-a-stream@0+21",
    ),
    ("a cut line alone", b'{"a":', NAMED, b"", "unfinished-tail@0+5"),
    ("lines", b'{"a":1}\n{"b":2}\n', {}, SAME, ""),
    ("scalars and arrays of a named format", b'1\n"a"\nnull\n[1]\n{}\n', NAMED, SAME, ""),
    ("CRLF", b"{}\r\n{}\r\n", {}, b"{}\n{}\n", ""),
    ("a CR alone", b"{}\r{}\n", {}, b"{}\n{}\n", "glued-json@0+5"),
    ("outer blanks", b"{}\n \t{} \n{}\n", {}, b"{}\n{}\n{}\n", ""),
    ("blank lines", b"\n\n{}\n\n \n{}\n", {}, b"{}\n{}\n", ""),
    ("a BOM", b"\xef\xbb\xbf{}\n{}\n", {}, b"{}\n{}\n", ""),
    ("separators, by the standard alone", b'{}\n{"a":"\xe2\x80\xa8"}\n', {"repairs": ()}, SAME, ""),
    ("a last line without its end", b'{}\n{"a":1}', {}, b'{}\n{"a":1}\n', ""),
    ("a last line cut", b'{}\n{"a":', {}, b"{}\n", "unfinished-tail@3+5"),
    ("a last line cut, not named", b'{}\n{"a":', but("unfinished-tail"), b"{}\n", ""),
    ("a last line cut, by the standard", b'{}\n{"a":', {"repairs": ()}, b"{}\n", ""),
    ("a last line of invalid UTF-8", b'{}\n{"a":"\xff"}', {}, b"{}\n", "unfinished-tail@3+9"),
    ("a last line that is framed", b"{}\ndata: {}", {}, b"{}\n{}\n", "stray-framing@3+8"),
    (
        "a last line that is framed, by its own name",
        b"{}\ndata:{}",
        but("double-prefix"),
        b"{}\n{}\n",
        "stray-framing@3+7",
    ),
    ("a last line that is framed and not JSON", b"{}\ndata: x", but("double-prefix"), b"{}\n", "unfinished-tail@3+7"),
    ("a last line that is another field", b"{}\n  id:{}", but("double-prefix"), b"{}\n", "unfinished-tail@5+5"),
    ("a last line of repr", b"{}\n{'a': 1}", {}, b'{}\n{"a": 1}\n', "python-repr@3+8"),
    ("invalid UTF-8, by the standard", b'{}\n{"a":"\xff"}\n{}\n', {"repairs": ()}, b"{}\n{}\n", ""),
    ("invalid lines", b"{}\nhello\n{]\n{}\n", {}, b"{}\n{}\n", "invalid-json@3+5 invalid-json@9+2"),
    ("invalid lines kept", b"{}\nhello\n{}\n", {"invalid_json": "keep"}, SAME, ""),
    ("an invalid first line that would be kept", b"{]\n{}\n", {"invalid_json": "keep"}, b"{}\n", "invalid-json@0+2"),
    (
        "invalid lines, reported",
        b"{}\nhello\n{}\n",
        {"invalid_json": "error"},
        b"{}\n" + error("invalid-json") + b"\n",
        "invalid-json@3+5",
    ),
    (
        "invalid lines that may not be dropped, reported",
        b"{}\nhello\n{}\n",
        {**but("invalid-json"), "invalid_json": "error"},
        b"{}\n" + error("invalid-json") + b"\n",
        "",
    ),
    (
        "an invalid first line, reported",
        b"{]\n{}\n",
        {"invalid_json": "error"},
        first_line("invalid-json"),
        "invalid-json@0+2",
    ),
    ("separators in invalid lines kept", b"{}\nhello\xe2\x80\xa8\n", {"invalid_json": "keep"}, SAME, ""),
    ("invalid lines that may not be dropped", b"{}\nhello\n{}\n", but("invalid-json"), SAME, ""),
    ("invalid lines, by the standard", b"{}\nhello\n{}\n", {"repairs": ()}, b"{}\n{}\n", ""),
    (
        "invalid lines, by the standard whatever else",
        b"{}\nhello\n{}\n",
        {"repairs": (), "invalid_json": "error"},
        b"{}\n{}\n",
        "",
    ),
    ("SSE fields that hold JSON are not data", b'{}\nid: {"a":1}\n{}\n', {}, b"{}\n{}\n", "stray-framing@3+11"),
    (
        "SSE lines",
        b'{}\ndata: {"a":1} \nevent: x\n: keep\ndata: hi\n{}\n',
        {},
        b'{}\n{"a":1}\n{}\n',
        "stray-framing@3+13 stray-framing@18+8 stray-framing@27+6 stray-framing@34+8",
    ),
    (
        "SSE lines that may not be lifted",
        b'{}\ndata: {"a":1}\n{}\n',
        but("stray-framing"),
        b'{}\n{"a":1}\n{}\n',
        "double-prefix@3+13",
    ),
    (
        "SSE lines that may not be lifted nor unwrapped",
        b'{}\ndata: {"a":1}\n{}\n',
        but("stray-framing", "double-prefix"),
        b"{}\n{}\n",
        "invalid-json@3+13",
    ),
    (
        "a DONE by double prefix is not a line",
        b"{}\ndata: [DONE]\n{}\n",
        but("stray-framing"),
        b"{}\n{}\n",
        "double-prefix@3+12",
    ),
    ("glued", b'{}\n{"a":1}{"b":2}\n', {}, b'{}\n{"a":1}\n{"b":2}\n', "glued-json@3+14"),
    ("glued first", b'{"a":1}[2]\n', {"content_type": "application/x-ndjson"}, b'{"a":1}\n[2]\n', "glued-json@0+10"),
    ("first that misleads", b"{}[]x\n[1]\n{}\n", {}, b"{}\n", "invalid-json@0+5 invalid-json@6+3"),
    (
        "glued misleading",
        b"{]\n[][]\n{}\n",
        {"content_type": "application/x-ndjson"},
        b"{}\n",
        "invalid-json@0+2 glued-json@3+4 invalid-json@3+4 invalid-json@3+4",
    ),
    ("one document over lines", b'{}\n{"a":\n 1}\n{}\n', {}, b'{}\n{"a":1}\n{}\n', "raw-newline@3+9"),
    (
        "one document over lines with raw newline in string",
        b'{}\n{"a":"x\ny"}\n{}\n',
        {},
        b'{}\n{"a":"x\\ny"}\n{}\n',
        "raw-newline@3+11",
    ),
    (
        "one document over lines with blank line",
        b'{}\n{"a":\n\n 1}\n{}\n',
        {},
        b'{}\n{"a":1}\n{}\n',
        "raw-newline@3+10",
    ),
    (
        "one document over lines may not be joined",
        b'{}\n{"a":\n1}\n{}\n',
        but("raw-newline"),
        b"{}\n{}\n",
        "invalid-json@3+5 invalid-json@9+2",
    ),
    (
        "document over lines cut by a whole one",
        b'{}\n{"a":\n{"b":1}\n{}\n',
        {},
        b'{}\n{"b":1}\n{}\n',
        "invalid-json@3+5",
    ),
    (
        "document over lines, indented whole one within",
        b'{}\n{"a":[\n {"b":1}\n]}\n{}\n',
        {},
        b'{}\n{"a":[{"b":1}]}\n{}\n',
        "raw-newline@3+18",
    ),
    (
        "document over lines, an array at the margin within",
        b'{}\n{"a":\n[1]\n}\n{}\n',
        {},
        b'{}\n{"a":[1]}\n{}\n',
        "raw-newline@3+11",
    ),
    (
        "document over lines, another begun at the margin within",
        b'{}\n{"a":\n{\n"b":1}\n}\n{}\n',
        {},
        b'{}\n{"a":{"b":1}}\n{}\n',
        "raw-newline@3+16",
    ),
    ("a scalar after a document over lines", b'{}\n{"a":\n1}\n2\n', {}, b'{}\n{"a":1}\n2\n', "raw-newline@3+8"),
    ("document over lines that fails at its end", b'{}\n{"a":\n]}\n{}\n', {}, b"{}\n{}\n", "invalid-json@3+8"),
    ("document over lines that spoils", b'{}\n{"a":\n1} x\n{}\n', {}, b"{}\n{}\n", "invalid-json@3+10"),
    ("document over lines, kept when it fails", b'{}\n{"a":\n]}\n{}\n', {"invalid_json": "keep"}, SAME, ""),
    (
        "document over lines, reported when it fails",
        b'{}\n{"a":\n]}\n{}\n',
        {"invalid_json": "error"},
        b"{}\n" + error("invalid-json") + b"\n",
        "invalid-json@3+8",
    ),
    ("document over lines open at the end", b'{}\n{"a":\n1', {}, b"{}\n", "invalid-json@3+7"),
    (
        "document over lines open at the end and reported",
        b'{}\n{"a":\n1',
        {"invalid_json": "error"},
        b"{}\n" + error("invalid-json") + b"\n",
        "invalid-json@3+7",
    ),
    (
        "document over lines that another one ends, reported",
        b'{}\n{"a":\n{"b":1}\n{}\n',
        {"invalid_json": "error"},
        b"{}\n" + error("invalid-json") + b"\n",
        "invalid-json@3+5",
    ),
    ("document over lines closed at the end", b'{}\n{"a":\n1}', {}, b'{}\n{"a":1}\n', "raw-newline@3+8"),
    (
        "document over lines as long as allowed",
        b'{}\n{"a":\n"' + 1014 * b"x" + b'"}\n{}\n',
        {},
        b'{}\n{"a":"' + 1014 * b"x" + b'"}\n{}\n',
        "raw-newline@3+1023",
    ),
    (
        "document over lines too long by one",
        b'{}\n{"a":\n"' + 1015 * b"x" + b'"}\n{}\n',
        {},
        b"{}\n{}\n",
        "oversized-event@3+1024",
    ),
    (
        "document over lines too long",
        b'{}\n{"a":\n"' + 600 * b"x" + b'",\n"' + 600 * b"x" + b'"\n{}\n',
        {},
        b"{}\n{}\n",
        "oversized-event@3+1212",
    ),
    ("a line as long as allowed", b'{}\n"' + 1021 * b"x" + b'"\n{}\n', {}, SAME, ""),
    ("a line too long by one", b'{}\n"' + 1022 * b"x" + b'"\n{}\n', {}, b"{}\n{}\n", "oversized-event@3+1024"),
    ("a line too long by one, cut", b'{}\n"' + 1023 * b"x", {}, b"{}\n", "oversized-event@3+1024"),
    ("a line as long as allowed, cut", b'{}\n"' + 1022 * b"x", {}, b"{}\n", "unfinished-tail@3+1023"),
    ("a line too long that never ends", b'{}\n"' + 2100 * b"x", {}, b"{}\n", "oversized-event@3+2101"),
    (
        "a line too long in a document over lines",
        b'{}\n{"a":\n"' + 1100 * b"x" + b'"\n}\n{}\n',
        {},
        b"{}\n{}\n",
        "invalid-json@3+5 oversized-event@9+1102 invalid-json@1112+1",
    ),
    (
        "a line too long in a document over lines, reported",
        b'{}\n{"a":\n"' + 1100 * b"x" + b'"\n}\n{}\n',
        {"invalid_json": "error"},
        b"{}\n" + error("invalid-json") + b"\n",
        "invalid-json@3+5",
    ),
    ("a line too long by its blanks", b"{}\n{}" + 1100 * b" " + b"\n{}\n", {}, b"{}\n{}\n", "oversized-event@3+1102"),
    ("a line that only its leading blanks make too long", b"{}\n" + 1100 * b" " + b"{}\n", {}, b"{}\n{}\n", ""),
    (
        "an error body",
        b'{"error":{"message":"m","code":401}}',
        {},
        first_error("not-a-stream", 401),
        "not-a-stream@0+36",
    ),
    (
        "an error body, line",
        b'{"error":"m"}\n',
        {"content_type": "application/json"},
        first_error("not-a-stream", 500),
        "not-a-stream@0+13",
    ),
    ("an error line in ndjson", b'{"error":"m"}\n', {"content_type": "application/x-ndjson"}, SAME, ""),
    ("an error line in a named format", b'{"error":"m"}\n', NAMED, SAME, ""),
    (
        "a pretty body",
        b'{\n "error": {\n  "message": "m",\n  "status": 500\n }\n}\n',
        {},
        first_error("not-a-stream", 500),
        "not-a-stream@0+52",
    ),
    (
        "a pretty body of no error",
        b'{\n "a": 1\n}\n',
        {},
        first_error("not-a-stream", 500),
        "not-a-stream@0+11",
    ),
    (
        "a JSON body",
        b'{"a":1}\n',
        {"content_type": "application/json"},
        first_error("not-a-stream", 500),
        "not-a-stream@0+7",
    ),
    ("a JSON body of two lines", b'{"a":1}\n{"b":2}\n', {"content_type": "application/json"}, SAME, ""),
    (
        "a JSON body then invalid",
        b'{"a":1}\nhello\n{}\n',
        {"content_type": "application/json"},
        b'{"a":1}\n{}\n',
        "invalid-json@8+5",
    ),
    (
        "a JSON body then invalid kept",
        b'{"a":1}\nhello\n{}\n',
        {"content_type": "application/json", "invalid_json": "keep"},
        SAME,
        "",
    ),
    (
        "a JSON body then cut",
        b'{"a":1}\n{"b"',
        {"content_type": "application/json"},
        first_error("not-a-stream", 500),
        "unfinished-tail@8+4 not-a-stream@0+7",
    ),
    ("error after opening", b'{}\n{"error":"m"}\n{}\n', {}, SAME, ""),
    (
        "unknown dialect ollama",
        b'{"model":"m","message":{"content":"a"},"done":false}\n{"model":"m","message":{"content":""},"done":true,"done_reason":"stop"}\n',
        {},
        SAME,
        "",
    ),
    ("comments", b"{}\n\n{}\n", {"comments": "drop"}, b"{}\n{}\n", ""),
    ("lines of the other framing only", b"data: x\n", NAMED, b"", "stray-framing@0+7"),
]


@each(CASES)
def test_each_case_has_its_output_and_repairs_however_it_is_cut(case: Case) -> None:
    check_case(case)


@each(CASES)
def test_in_each_case_a_second_pass_changes_nothing_and_nothing_is_lost_silently(case: Case) -> None:
    check_second_pass(case)


def test_a_first_line_of_a_json_body_is_held_only_as_long_as_it_may_be_all() -> None:
    reader = EventReader(content_type="application/json")
    assert reader.feed(b'{"a":1}\n') == []
    assert reader.feed(b'{"b":2}') == []
    assert reader.feed(b"\n") == [Event('{"a":1}'), Event('{"b":2}')]


def test_a_first_line_too_long_for_a_body_leaves_at_once() -> None:
    longest = '{"a":"' + (64 * 1024 - 8) * "x" + '"}'
    assert EventReader(content_type="application/json").feed(longest.encode() + b"\n") == []
    longer = longest.replace("a", "ab")
    assert EventReader(content_type="application/json").feed(longer.encode() + b"\n") == [Event(longer)]


def test_a_line_too_long_to_prove_passes_as_it_is() -> None:
    line = '{"a":"' + "x" * MAX_PROOF + '\u2028"}'
    assert EventReader(format="ndjson").feed(f"{line}\n".encode()) == [Event(line)]


def test_what_is_given_up_is_named_before_what_shows_it() -> None:
    reader = EventReader(format="ndjson")
    items = reader.feed(b'{"a":\n{"b":1}\n')
    assert items == [Repair(RepairKind.INVALID_JSON, 0, 5), Event('{"b":1}')]


def test_lines_that_are_kept_are_events_of_their_own() -> None:
    reader = EventReader(format="ndjson", invalid_json="keep")
    assert reader.feed(b'{"a":\n]}\n{}\n') == [Event('{"a":'), Event("]}"), Event("{}")]


@pytest.mark.parametrize("content_type", [None, "application/json"])
def test_a_transport_that_fails_leaves_a_body_and_a_stream_alike(content_type: str | None) -> None:
    repairer = StreamRepairer(content_type=content_type)
    frames = repairer.feed(b'{"a":1}\n', 0.0) + repairer.fail(OSError(), 0.0)
    assert frames == [b'{"a":1}\n', error("upstream-failed") + b"\n"]
