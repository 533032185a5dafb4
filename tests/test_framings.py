"""What all three framings do with the same payloads, the same damage, and the same ends."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from unbroken import DEFAULT_REPAIRS, Event, EventReader, RepairKind, StreamRepairer, Verdict
from unbroken.testing.cuts import cuttings

from .memory import growth
from .tables import LIMIT, Case, but, check_case, check_second_pass, each, error


class Framing(NamedTuple):
    """How an event is written: a first one, and what stands before a second one, after it, and at the end."""

    format: str
    first: bytes
    before: bytes
    after: bytes
    end: bytes
    spans_prefix: bool  # a repair of the payload names the `data: ` before it too

    def of(self, payload: bytes) -> bytes:
        return self.first + self.before + payload + self.after + self.end


FRAMINGS = (
    Framing("sse", b"data: {}\n\n", b"data: ", b"\n\n", b"", True),
    Framing("ndjson", b"{}\n", b"", b"\n", b"", False),
    Framing("json-array", b"[{}", b",", b"", b"]", False),
)

PAYLOADS: list[tuple[str, bytes, dict[str, Any], bytes | None, str]] = [
    # what it is, the payload, options, what becomes of it (None: it is dropped), and the repair of all of it
    ("an object", b'{"a":1}', {}, b'{"a":1}', ""),
    ("an array", b"[1, [], {}]", {}, b"[1, [], {}]", ""),
    ("escapes", b'{"a":"\\u00e9\\"\\\\"}', {}, b'{"a":"\\u00e9\\"\\\\"}', ""),
    ("a number of many digits", b"[" + 500 * b"9" + b"]", {}, b"[" + 500 * b"9" + b"]", ""),
    ("numbers that are not finite", b'{"a":NaN,"b":[-Infinity]}', {}, b'{"a":null,"b":[null]}', "non-finite"),
    ("a dict of Python", b"{'a': None, 'b': True}", {}, b'{"a": null, "b": true}', "python-repr"),
    ("a string too long", b'["' + 1100 * b"x" + b'"]', {}, None, "oversized-event"),
]


def payload_cases() -> list[Case]:
    """Return the table of payloads for each framing."""
    cases: list[Case] = []
    for framing in FRAMINGS:
        for what, payload, options, result, kind in PAYLOADS:
            start = len(framing.first) + (0 if framing.spans_prefix else len(framing.before))
            length = len(payload) + (len(framing.before) if framing.spans_prefix else 0)
            out = framing.first + framing.end if result is None else framing.of(result)
            repairs = f"{kind}@{start}+{length}" if kind else ""
            cases.append((f"{framing.format}: {what}", framing.of(payload), options, out, repairs))
        at = len(framing.first + framing.before)
        bad, good = framing.of(b'{"a":"\xff\xfe"}'), framing.of(b'{"a":"\xef\xbf\xbd\xef\xbf\xbd"}')
        cases.append((f"{framing.format}: invalid UTF-8", bad, {}, good, f"invalid-utf8@{at + 6}+2"))
        cases.append((f"{framing.format}: invalid UTF-8, not named", bad, but("invalid-utf8"), good, ""))
        raw, escaped = framing.of('{"a":"\u2028\u2029\x85"}'.encode()), framing.of(b'{"a":"\\u2028\\u2029\\u0085"}')
        # Nobody reads an array line by line.
        cases.append((f"{framing.format}: separators", raw, {}, raw if framing.end else escaped, ""))
    return cases


@each(payload_cases())
def test_a_payload_is_repaired_the_same_in_every_framing(case: Case) -> None:
    check_case(case)


@each(payload_cases())
def test_a_payload_that_was_repaired_needs_no_repair(case: Case) -> None:
    check_second_pass(case)


@pytest.mark.parametrize(
    ("format", "data", "options", "counts"),
    [
        ("sse", b": a\n\nid: 1\ndata: {}\n\n", {}, {}),
        ("sse", b"data:a\r\n\r\ndata: b\r\rid:1\n\n", {}, {"line-end": 4, "field-blank": 2}),
        ("sse", 4 * b"event: e\r\ndata: {}\r\n\r\n", {}, {"line-end": 12}),
        ("sse", b"data: {}\n\n\n\ndata: {}\n\n\n", {}, {"blank-line": 3}),
        ("sse", 'data: {"a":"\u2028"}\n\ndata: ["\x85\u2029"]\n\n'.encode(), {}, {"separator": 2}),
        ("sse", b"id: 1\n\nretry: 1\n\ndata: {}\n\n", {"dialect": "openai-chat"}, {"bare-block": 2}),
        ("sse", b"1 2\n3 4\ndata: {}\n\n", but("stray-line"), {"stray-line": 2}),
        ("sse", b'data: {"candidates":[]}\n\n: a\n', {"dialect": "gemini", "comments": "drop"}, {}),
        ("ndjson", b"{}\n{}\n", {}, {}),
        ("ndjson", b"{}\n\n\r\n{}\n \n", {}, {"blank-line": 3}),
        ("ndjson", b"{}\n {}\n{} \n\t{}\r\n", {}, {"blanks": 3}),
        ("ndjson", '{"a":"\u2028"}\n["\x85\x85"]\n"a"\n'.encode(), {}, {"separator": 2}),
        ("json-array", b" [ {} ,\r\n{}]\n", {}, {}),
    ],
)
def test_what_is_spelt_anew_is_counted(
    format: str, data: bytes, options: dict[str, Any], counts: dict[str, int]
) -> None:
    for chunks in cuttings(data):
        reader = EventReader(format=format, **options)
        for chunk in chunks:
            reader.feed(chunk)
        assert dict(reader.report.respellings) == counts


@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: framing.format)
@pytest.mark.parametrize("repairs", [(), DEFAULT_REPAIRS])
def test_runs_of_invalid_utf8_are_counted(framing: Framing, repairs: frozenset[RepairKind]) -> None:
    reader = EventReader(format=framing.format, repairs=repairs)
    reader.feed(framing.of(b'["\xff \xfe"]') + framing.of(b'["\xff"]').removeprefix(framing.first))
    assert reader.report.invalid_utf8 == (2 if framing.end else 3)


@pytest.mark.parametrize(
    ("format", "data", "count"),
    [
        ("sse", b"data: x\n\ndata: \n\ndata: null\n\ndata: :c\n\ndata: y\n\n", 2),
        ("ndjson", b"{}\nx\n \n{}\n{]\n", 2),
        ("json-array", b"[{},nope,{},no]", 2),
    ],
)
def test_only_what_is_not_json_counts_as_invalid(format: str, data: bytes, count: int) -> None:
    reader = EventReader(format=format, dialect="openai-chat")
    reader.feed(data)
    assert reader.report.invalid_json == count


@pytest.mark.parametrize(
    ("format", "data", "verdict"),
    [
        ("sse", b"data: {}\n\n", Verdict.ENDED),
        ("sse", b"data: {}", Verdict.ENDED),
        ("sse", b"data: {}\n\ndata: {", Verdict.TRUNCATED),
        ("sse", b"data: {}\n\ndata: " + b"x" * 2000, Verdict.TRUNCATED),
        ("ndjson", b"{}\n", Verdict.ENDED),
        ("ndjson", b"{}\n{}", Verdict.ENDED),
        ("ndjson", b'{}\n{"a":', Verdict.TRUNCATED),
        ("ndjson", b'{}\n{"a":\n1\n', Verdict.TRUNCATED),
        ("ndjson", b"{}\n" + b"1" * 2000, Verdict.TRUNCATED),
        ("json-array", b"[{}]", Verdict.ENDED),
        ("json-array", b"[{}", Verdict.TRUNCATED),
        ("json-array", b'[{},"' + b"x" * 2000, Verdict.TRUNCATED),
    ],
)
def test_a_last_piece_that_is_not_whole_is_a_cut(format: str, data: bytes, verdict: Verdict) -> None:
    reader = EventReader(format=format, max_event_bytes=LIMIT)
    reader.feed(data)
    reader.close()
    assert reader.report.verdict is verdict


@pytest.mark.parametrize(
    ("format", "data", "wire"),
    [
        ("sse", b"data: {}\n\ndata: [1]\n", b"data: {}\n\nevent: error\ndata: " + error("upstream-failed") + b"\n\n"),
        ("ndjson", b'{}\n{"a":1}', b"{}\n" + error("upstream-failed") + b"\n"),
        ("json-array", b"[{},12", b"[{}," + error("upstream-failed") + b"]"),
    ],
)
def test_a_transport_that_fails_completes_no_event(format: str, data: bytes, wire: bytes) -> None:
    repairer = StreamRepairer(format=format)
    assert b"".join(repairer.feed(data, 0.0) + repairer.fail(OSError(), 0.0)) == wire
    assert repairer.report.repairs == {RepairKind.UNFINISHED_TAIL: 1}
    assert repairer.report.verdict is Verdict.FAILED


@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: framing.format)
def test_pings_that_are_not_wanted_do_not_leave(framing: Framing) -> None:
    options: dict[str, Any] = {"format": framing.format, "dialect": "anthropic", "comments": "drop"}
    data = framing.of(b'{"type":"ping"}')
    assert [item for item in EventReader(**options).feed(data) if isinstance(item, Event)] == [Event("{}")]
    assert b"".join(StreamRepairer(**options).feed(data, 0.0)) == framing.first + framing.end


@pytest.mark.slow
@pytest.mark.parametrize(
    ("format", "begins", "more"),
    [
        *(("sse", begins, b"x") for begins in (b"data: {}\n\ndata: ", b": ", b'data: {}\n\n{"a": "', b"id: 1\nx")),
        *(
            ("ndjson", begins, more)
            for begins in (b"{}\n", b"{}\n ", b'{}\n{"a":\n')
            for more in (b"x", b" ", b'"a",\n')
        ),
        *(
            ("json-array", begins, more)
            for begins in (b"[", b'["', b"[[", b"[{},", b"[{} ")
            for more in (b"x", b" ", b"\\", b",")
        ),
    ],
)
def test_what_is_retained_is_bounded_whatever_never_ends(format: str, begins: bytes, more: bytes) -> None:
    repairer = StreamRepairer(format=format, max_event_bytes=LIMIT)
    repairer.feed(begins, 0.0)
    assert growth(lambda: repairer.feed(more * 300, 0.0), before=3, times=100) <= 2 * LIMIT


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b'data: {"a":1}\n\ndata: {"b":]\n\n', {}),
        (b'{"a":1}\n{"b":]\n', {"invalid_json": "keep"}),
        (b'[{"a":1},{"b":]]', {"invalid_json": "keep"}),
        (b'[{"a":1},{"b":]]', {"repairs": (), "format": "json-array"}),
    ],
)
def test_a_payload_that_is_not_json_and_stays_is_counted_once(data: bytes, options: dict[str, Any]) -> None:
    reader = EventReader(**options)
    reader.feed(data)
    reader.close()
    assert reader.report.invalid_json == 1
