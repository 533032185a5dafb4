"""Events, comments and repairs are read in order, and the end says why a stream failed."""

from __future__ import annotations

import pytest

from unbroken import (
    Comment,
    Event,
    EventReader,
    Repair,
    RepairKind,
    Verdict,
)

from .chat import CHUNK, of_one_template


def test_a_reader_returns_events_comments_and_repairs_in_order() -> None:
    reader = EventReader()
    assert reader.feed(b": hi\n\ndata: {}{}") == [Comment("hi")]
    assert reader.feed(b"") == []
    assert reader.feed(b"\n\nid: 1\n\n") == [Repair(RepairKind.GLUED_JSON, 6, 10), Event("{}"), Event("{}")]
    assert reader.close() == []
    assert reader.close() == []
    assert (reader.report.verdict, reader.error, reader.report.chunks_in) == (Verdict.ENDED, None, 3)


def test_a_reader_returns_events_that_left_together_one_by_one() -> None:
    reader = EventReader()
    frames = [CHUNK.replace(b'"a"', f'"{text}"'.encode()) for text in "abcd"]
    items = [item for frame in frames for item in reader.feed(frame)]
    assert [item.json()["choices"][0]["delta"]["content"] for item in items if isinstance(item, Event)] == [*"abcd"]


def test_a_reader_that_was_closed_takes_no_more() -> None:
    reader = EventReader()
    reader.close()
    with pytest.raises(ValueError, match="make a new one"):
        reader.feed(b"data: {}\n\n")


def test_a_reader_says_why_the_stream_failed() -> None:
    reader = EventReader(provider="p", request_id="r")
    reader.feed(CHUNK)
    assert reader.close() == []
    assert reader.error is not None
    assert (reader.error.code, reader.error.provider, reader.error.request_id) == ("truncated", "p", "r")
    assert reader.error.report is reader.report
    assert not reader.error.safe_to_retry


def test_a_reader_counts_frames_of_a_template() -> None:
    reader = EventReader()
    for frame in of_one_template(6):
        assert len(reader.feed(frame)) == 1
    assert reader.feed(b"") == []
    assert (reader.report.chunks_in, reader.report.bytes_in, reader.report.events) == (7, 6 * len(CHUNK), 6)
