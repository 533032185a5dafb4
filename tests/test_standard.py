"""The standards' own reading, with nothing repaired: WHATWG 9.2 and NDJSON, case by case and at every cut."""

import base64
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from unbroken import Comment, Event, EventReader, Format, Repair, StreamReport
from unbroken.testing.cases import NDJSON_CASES, SSE_CASES, STANDARD_EXAMPLES, NDJSONCase, SSECase
from unbroken.testing.cuts import cut, cuttings
from unbroken.testing.standard import read_ndjson, read_sse
from unbroken.testing.strategies import hostile_bytes, json_array_streams, ndjson_streams, sse_streams

from . import captures, drawn, laws

RECORDED = captures.FOLDER.parent / "whatwg_cases.json"


def read(chunks: list[bytes], **options: Any) -> tuple[list[Event], StreamReport]:
    reader = EventReader(**options, repairs=())
    items = [item for chunk in chunks for item in reader.feed(chunk)] + reader.close()
    assert not [item for item in items if isinstance(item, Repair)]
    return [item for item in items if isinstance(item, Event)], reader.report


def seen(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(event.event, event.data, event.id) for event in events]


def ways(data: bytes) -> Iterator[list[bytes]]:
    yield from cuttings(data)
    places = random.Random(data)
    for _ in range(8):
        yield cut(data, [places.randrange(len(data) + 1) for _ in range(4)])


@pytest.mark.parametrize("case", SSE_CASES, ids=lambda case: case.slug)
def test_events_are_read_as_the_standard_says(case: SSECase) -> None:
    for chunks in ways(case.data):
        events, report = read(chunks, format="sse")
        assert seen(events) == list(case.events), (case.clause.value, chunks)
        assert (report.last_event_id, report.retry) == (case.last_event_id, case.retry), case.clause.value


@pytest.mark.parametrize("case", STANDARD_EXAMPLES, ids=lambda case: case.slug)
def test_the_standards_own_examples_are_read_without_naming_the_format(case: SSECase) -> None:
    for chunks in ways(case.data):
        events, report = read(chunks)
        assert seen(events) == list(case.events)
        assert report.format is Format.SSE


@pytest.mark.parametrize("case", NDJSON_CASES, ids=lambda case: case.slug)
def test_lines_are_read_as_ndjson_says(case: NDJSONCase) -> None:
    for chunks in ways(case.data):
        events, report = read(chunks, format="ndjson")
        assert [event.data for event in events] == list(case.texts), (case.clause.value, chunks)
        assert report.invalid_json == case.invalid, case.clause.value


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded streams are not on this machine")
def test_recorded_cases_are_read_as_browsers_read_them() -> None:
    for case in json.loads(RECORDED.read_bytes()):
        chunks = [base64.b64decode(chunk) for chunk in case["chunks_b64"]]
        expected = [(event["event"], event["data"], event["id"]) for event in case["events"]]
        for way in (chunks, *ways(b"".join(chunks))):
            events, report = read(way, format="sse")
            assert seen(events) == expected, case["name"]
            assert (report.retry, report.last_event_id) == (case["retry"], case["last_event_id"]), case["name"]


@given(drawn.cut_anyhow(hostile_bytes() | sse_streams().map(lambda stream: stream.data)))
def test_any_bytes_are_read_as_the_standard_reads_events(chunks: list[bytes]) -> None:
    events, report = read(chunks, format="sse")
    expected = read_sse(b"".join(chunks))
    assert seen(events) == list(expected.events)
    assert (report.last_event_id, report.retry) == (expected.last_event_id, expected.retry)


@given(drawn.cut_anyhow(hostile_bytes() | ndjson_streams().map(lambda stream: stream.data)))
def test_any_bytes_are_read_as_ndjson_reads_lines(chunks: list[bytes]) -> None:
    events, report = read(chunks, format="ndjson")
    expected = read_ndjson(b"".join(chunks))
    assert [event.data for event in events] == list(expected.texts)
    assert report.invalid_json == expected.invalid


@given(json_array_streams())
def test_arrays_are_read_as_their_elements(stream: Any) -> None:
    for chunks in cuttings(stream.data):
        events, report = read(chunks, format="json-array")
        assert tuple(event.data for event in events) == stream.texts
        assert report.verdict.value == "ended"


def test_the_id_to_start_from_stands_until_another_comes() -> None:
    events, report = read([b"data: a\n\nid: 2\ndata: b\n\n"], format="sse", last_event_id="1")
    assert seen(events) == [("message", "a", "1"), ("message", "b", "2")]
    assert report.last_event_id == "2"


def test_comments_are_given_in_their_place() -> None:
    items, _ = laws.read([b": a\n\ndata: 1\n\n:b\n"], repairs=())
    assert items == [Comment("a"), Event("1"), Comment("b")]
