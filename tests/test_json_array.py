"""The elements of an array out of hostile bytes: what leaves, what was repaired, and where."""

from __future__ import annotations

import pytest

from unbroken import Event, EventReader, StreamRepairer, Verdict

from .tables import SAME, Case, but, check_case, check_second_pass, each, error

GEMINI_CUT = (
    b'{"error": {"code": 500, "message": "The stream ended before it was complete.", '
    b'"status": "INTERNAL", "type": "unbroken_error", "reason": "truncated"}}'
)
NAMED = {"format": "json-array"}
STANDARD = {"repairs": (), "format": "json-array"}

CASES: list[Case] = [
    ("empty", b"[]", {}, SAME, ""),
    ("elements", b'[{"a":1},\n {"b":"]"},["\\"", 1]]\n', {}, SAME, ""),
    ("blanks kept", b" [ \n{} ,\t{} ]\r\n ", NAMED, SAME, ""),
    ("scalars", b'[1,true , "a",null]', NAMED, SAME, ""),
    ("scalars of a sniffed array", b'["a",1,{}]', {}, SAME, ""),
    (
        "sniffed, scalars first dropped",
        b"[{]},1,{}]",
        {},
        b"[{}]",
        "invalid-json@1+2 glued-json@3+0 invalid-json@3+1 invalid-json@5+1",
    ),
    (
        "sniffed, error first",
        b"[{]},{}]",
        {"invalid_json": "error"},
        b"[" + error("invalid-json") + b"]",
        "invalid-json@1+2",
    ),
    ("a BOM", b"\xef\xbb\xbf[{}]", {}, b"[{}]", ""),
    ("cut", b'[{},{"a":', {}, b"[{}", "unfinished-tail@4+5"),
    ("cut, not named", b'[{},{"a":', but("unfinished-tail"), b"[{}", ""),
    ("cut after an element", b"[{}", {}, SAME, ""),
    ("cut after a comma", b"[{},", {}, b"[{}", ""),
    ("cut after a scalar", b"[{},1,", {}, b"[{},1 ", ""),
    ("cut after a scalar with no end", b"[1,2", NAMED, b"[1 ", "unfinished-tail@3+1"),
    ("cut at opening", b"[ ", NAMED, b"", ""),
    ("nothing", b" ", NAMED, b"", ""),
    ("a trailing comma", b"[{},]", {}, b"[{}]", "invalid-json@3+1"),
    ("a trailing comma unnamed", b"[{},]", but("invalid-json"), SAME, ""),
    ("two commas", b"[{},,{}]", {}, b"[{},{}]", "invalid-json@4+1"),
    ("a comma first", b"[,{}]", NAMED, b"[{}]", "invalid-json@1+1"),
    ("a missing comma", b"[{} {}]", {}, b"[{} ,{}]", "glued-json@4+0"),
    ("a missing comma unnamed", b"[{}{}]", but("glued-json"), SAME, ""),
    ("after the end", b"[{}] x {} \n", {}, b"[{}]   \n", "stray-line@5+6"),
    ("after the end unnamed", b"[{}] x\n", but("stray-line"), SAME, ""),
    ("before the beginning", b"x y [{}]", NAMED, b"  [{}]", "stray-line@0+4"),
    ("only something else", b"hello", NAMED, b"[" + error("not-a-stream") + b"]", "stray-line@0+5 not-a-stream@0+5"),
    ("a wrong element", b"[{},{]},{}]", {}, b"[{},{}]", "invalid-json@4+2 glued-json@6+0 invalid-json@6+1"),
    ("a wrong element first", b"[{]},{}]", NAMED, b"[{}]", "invalid-json@1+2 glued-json@3+0 invalid-json@3+1"),
    ("a wrong element last", b"[{},{]}]", NAMED, b"[{}]", "invalid-json@4+2 glued-json@6+0 invalid-json@6+1"),
    ("a wrong element unnamed is kept", b"[{},{]},{}]", but("invalid-json"), b"[{},{],},{}]", "glued-json@6+0"),
    ("a wrong element kept", b"[{},{]},{}]", {"invalid_json": "keep"}, b"[{},{],},{}]", "glued-json@6+0"),
    (
        "a wrong element, reported",
        b"[1,{]},{}]",
        {**NAMED, "invalid_json": "error"},
        b"[1 ," + error("invalid-json") + b"]",
        "invalid-json@3+2",
    ),
    (
        "a wrong element after an object, reported",
        b"[{},{]},{}]",
        {**NAMED, "invalid_json": "error"},
        b"[{}," + error("invalid-json") + b"]",
        "invalid-json@4+2",
    ),
    ("a wrong word", b"[{},nope,{}]", {}, b"[{},{}]", "invalid-json@4+4"),
    ("another wrong word", b"[{},xyz,{}]", {}, b"[{},{}]", "invalid-json@4+3"),
    ("a scalar without a comma", b"[[],true{}]", {}, b"[[],true,{}]", "glued-json@8+0"),
    ("by the standard", b"[{},{]},{},] x", STANDARD, SAME, ""),
    ("by the standard, whatever else", b"[{},{]}]", {**STANDARD, "invalid_json": "error"}, SAME, ""),
    ("by the standard, two commas", b"[{},,{},,]", STANDARD, SAME, ""),
    ("by the standard, a comma first", b"[,{}]", STANDARD, SAME, ""),
    ("nothing is repaired in prose", b"[{}{},,{},]", {**NAMED, "dialect": "text"}, SAME, ""),
    ("NaN element", b"[{},NaN,{}]", {}, b"[{},{}]", "invalid-json@4+3"),
    ("an element of raw newlines", b'[{"a":"x\ny"},{}]', {}, b'[{"a":"x\\ny"},{}]', "raw-newline@1+11"),
    ("an element as long as allowed", b'["' + 1022 * b"x" + b'",{}]', {}, SAME, ""),
    ("an element too long first", b'["' + 1100 * b"x" + b'",{}]', {}, b"[{}]", "oversized-event@1+1102"),
    ("an element too long in cut", b'[{},"' + 1100 * b"x", {}, b"[{}", "unfinished-tail@4+1101"),
    ("too many blanks", b"[{}," + 2000 * b" " + b"{}]", {}, b"[{}," + 1023 * b" " + b"{}]", ""),
    ("a string with escapes", b'["\\\\","\\"]",{"a":"\\u00e9"}]', {}, SAME, ""),
    ("an error", b'[{"error":{"message":"m","code":500}}]', {}, SAME, ""),
    ("glued documents within brackets", b'[{"a":1}{"b":2},{}]', {}, b'[{"a":1},{"b":2},{}]', "glued-json@8+0"),
    ("a framed element", b"[{},data: {},{}]", {}, b"[{}, {},{}]", "invalid-json@4+5 glued-json@10+0"),
    ("a spliced element", b'[{"a": "xdata: {"a": "b"},{}]', {}, b"", "unfinished-tail@1+28"),
    ("to ndjson", b'[{}, 1,{"a":\n1}]', {**NAMED, "to": "ndjson"}, b'{}\n1\n{"a":1}\n', ""),
    (
        "to sse and cut",
        b'[{},{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},',
        {"to": "sse"},
        b'data: {}\n\ndata: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n\ndata: ' + GEMINI_CUT + b"\n\n",
        "",
    ),
    (
        "gemini cut",
        b'[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n,',
        {},
        b'[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},' + GEMINI_CUT + b"]",
        "",
    ),
    (
        "gemini cut at once",
        b"[",
        {**NAMED, "dialect": "gemini"},
        b"[" + GEMINI_CUT + b"]",
        "",
    ),
    (
        "gemini complete",
        b'[{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}\n]',
        {},
        SAME,
        "",
    ),
]


@each(CASES)
def test_each_case_has_its_output_and_repairs_however_it_is_cut(case: Case) -> None:
    check_case(case)


@each(CASES)
def test_in_each_case_a_second_pass_changes_nothing_and_nothing_is_lost_silently(case: Case) -> None:
    check_second_pass(case)


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b'[{"a":1}', [Event('{"a":1}')]),
        (b'["a"', [Event('"a"')]),
        (b"[[],12", [Event("[]")]),
        (b"[[],12 ", [Event("[]"), Event("12")]),
        (b"[[],12,", [Event("[]"), Event("12")]),
        (b"[[],true{", [Event("[]"), Event("true")]),
    ],
)
def test_an_element_leaves_with_its_last_bracket_and_a_scalar_with_the_next_byte(
    data: bytes, events: list[Event]
) -> None:
    reader = EventReader(format="json-array")
    assert [item for item in reader.feed(data) if isinstance(item, Event)] == events


@pytest.mark.parametrize(
    ("fed", "written"),
    [
        (b"", b"[" + error("upstream-failed") + b"]"),
        (b"[", b"[" + error("upstream-failed") + b"]"),
        (b"[{}", b"," + error("upstream-failed") + b"]"),
        (b"[{}, ", b"," + error("upstream-failed") + b"]"),
        (b"[{}]", b""),
    ],
)
def test_a_failure_closes_an_open_array_and_has_no_place_after_a_closed_one(fed: bytes, written: bytes) -> None:
    repairer = StreamRepairer(format="json-array")
    repairer.feed(fed, 0.0)
    assert b"".join(repairer.fail(OSError(), 0.0)) == written
    assert repairer.report.verdict is Verdict.FAILED
