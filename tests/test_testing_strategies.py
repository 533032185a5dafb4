"""What the strategies say of their streams agrees with the reference readers."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unbroken.testing.cuts import cuttings, nasty_cuts
from unbroken.testing.standard import NDJSONReading, is_json, read_json_array, read_ndjson, read_sse
from unbroken.testing.strategies import (
    chunkings,
    hostile_bytes,
    hostile_sse_streams,
    json_array_streams,
    json_texts,
    ndjson_streams,
    sse_streams,
)
from unbroken.testing.streams import JSONArrayStream, NDJSONStream, SSEStream


def an_event_stream_means_what_it_was_made_of(stream: SSEStream) -> None:
    assert read_sse(stream.data) == stream.reading


def a_canonical_stream_is_spelt_canonically(stream: SSEStream) -> None:
    assert read_sse(stream.data) == stream.reading
    assert b"\r" not in stream.data
    assert not stream.data.startswith((b"\xef\xbb\xbf", b"\n"))
    assert b"\n\n\n" not in stream.data
    assert stream.data == b"" or stream.data.endswith(b"\n\n")
    for line in stream.data.split(b"\n"):
        assert line == b"" or line.startswith(b":") or b": " in line


def ndjson_means_what_it_was_made_of(stream: NDJSONStream) -> None:
    assert read_ndjson(stream.data) == NDJSONReading(stream.texts, stream.invalid)


def an_array_means_what_it_was_made_of(stream: JSONArrayStream) -> None:
    assert read_json_array(stream.data) == stream.texts


def chunks_join_to_the_stream(drawn: tuple[bytes, list[bytes]]) -> None:
    data, chunks = drawn
    assert b"".join(chunks) == data


def hostile_streams_are_read_without_an_error(stream: SSEStream) -> None:
    read_ndjson(stream.data)
    assert read_sse(stream.data) == stream.reading


def every_table_cutting_joins_to_the_stream(data: bytes) -> None:
    for chunks in cuttings(data[:60]):
        assert b"".join(chunks) == data[:60]


CHECKS: dict[Callable[[Any], None], st.SearchStrategy[Any]] = {
    an_event_stream_means_what_it_was_made_of: sse_streams(),
    a_canonical_stream_is_spelt_canonically: sse_streams(json_texts(), canonical=True),
    ndjson_means_what_it_was_made_of: ndjson_streams(),
    an_array_means_what_it_was_made_of: json_array_streams(),
    chunks_join_to_the_stream: hostile_bytes().flatmap(lambda data: st.tuples(st.just(data), chunkings(data))),
    hostile_streams_are_read_without_an_error: hostile_sse_streams(),
    every_table_cutting_joins_to_the_stream: hostile_bytes(),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_strategies_keep_their_word(check: Callable[[Any], None]) -> None:
    given(CHECKS[check])(check)()


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_strategies_keep_their_word_for_long(check: Callable[[Any], None]) -> None:
    settings(max_examples=400)(given(CHECKS[check])(check))()


def test_the_nasty_places_have_their_offsets() -> None:
    assert nasty_cuts("a: é\r\n\n".encode()) == (2, 3, 4, 5, 6, 7)
    assert nasty_cuts(b"abc") == ()


def test_json_is_what_rfc_8259_says() -> None:
    assert all(map(is_json, ["1", ' {"a": [1, null]} ', b'"\xc3\xa9"', '"\u2028"', "1" * 5000]))
    assert not any(map(is_json, ["", "NaN", "-Infinity", "{'a': 1}", "[1,]", b'"\xff"', "1 2", "[" * 100_000]))
