"""The laws that need no clock, held to drawn streams: whole, broken and hostile, of every format and dialect."""

import re
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given

from unbroken import EventReader, Repair
from unbroken.core.sniffer import MAX_HEAD
from unbroken.testing.cuts import every
from unbroken.testing.strategies import hostile_bytes, json_array_streams, ndjson_streams, sse_streams
from unbroken.testing.streams import SSEStream

from . import drawn, laws

T = TypeVar("T")


# Law 1


@given(drawn.cut_anyhow(drawn.anything), drawn.all_options)
def test_chunking_never_shows(chunks: list[bytes], options: dict[str, Any]) -> None:
    laws.check_chunking(chunks, **options)


@given(drawn.cut_anyhow(drawn.long), drawn.all_options)
def test_chunking_never_shows_in_long_streams(chunks: list[bytes], options: dict[str, Any]) -> None:
    laws.check_chunking(chunks, **options)


@given(drawn.cut_anyhow(drawn.framed), drawn.any_options)
def test_chunking_never_shows_whatever_options_are_combined(chunks: list[bytes], options: dict[str, Any]) -> None:
    laws.check_chunking(chunks, **options)


@given(drawn.cut_anyhow(drawn.anything))
def test_chunking_never_shows_in_the_standards_reading(chunks: list[bytes]) -> None:
    laws.check_chunking(chunks, repairs=(), max_event_bytes=drawn.LIMIT)


AT_A_BORDER = [
    begin + piece * (border // len(piece)) + end
    for begin, piece, end in (
        (b"[", b" ", b'{"a":1}]'),
        (b"<html>", b"<", b"</title><body>"),
        (b" <html>", b"x", b"</title><body>"),
        (b"HTTP/1.1 200 OK\n", b"A\n", b"\ndata: 1\n\n"),
        (b"", b" ", b'data: {"a":1}\n\n'),
        (b"", b"\n", b'{"a":1}\n'),
        (b'{"a":"', b"x", b'"}\n{"b":1}\n'),
        (b"data: ", b"x", b"\n\ndata: 1\n\n"),
        (b'[{"a":"', b"x", b'"},1]'),
    )
    for near in (drawn.LIMIT, MAX_HEAD)
    for border in range(near - 24, near + 6)
]


@pytest.mark.parametrize("data", AT_A_BORDER, ids=lambda data: f"{data[:9]!r} {len(data)}")
def test_chunking_never_shows_where_a_limit_is_reached(data: bytes) -> None:
    laws.check_chunking([data[:1], *every(data[1:-40], 999), *every(data[-40:], 1)], max_event_bytes=drawn.LIMIT)


# Law 2


@given(hostile_bytes() | drawn.anything)
def test_after_every_byte_all_events_that_the_standard_dispatched_have_left(data: bytes) -> None:
    laws.check_prompt(data)


@given(sse_streams(drawn.canonical_json, canonical=True))
def test_every_canonical_frame_leaves_with_its_last_byte(stream: SSEStream) -> None:
    laws.check_frames_leave(stream.data, b"\n\n")


canonical_lines = ndjson_streams(canonical=True).filter(lambda stream: not drawn.needs_escape(stream.data))


@given(canonical_lines)
def test_every_line_leaves_with_its_line_feed(stream: Any) -> None:
    laws.check_frames_leave(stream.data, b"\n", format="ndjson")


@given(json_array_streams(drawn.containers))
def test_every_array_element_leaves_with_its_last_bracket(stream: Any) -> None:
    reader = EventReader(format="json-array")
    rest = list(stream.texts)
    for at, byte in enumerate(every(stream.data, 1), 1):
        for item in reader.feed(byte):
            assert item.data == rest.pop(0)
            assert stream.data[:at].endswith(item.data.encode())
    assert not rest


@given(drawn.anything, drawn.mending)
def test_nothing_waits_after_a_blank_line(data: bytes, options: dict[str, Any]) -> None:
    options["format"] = "sse"
    for end in laws.blank_lines(data)[:8]:
        reader = EventReader(**options)
        left = [item for item in reader.feed(data[:end]) if not isinstance(item, Repair)]
        assert not [item for item in reader.close() if not isinstance(item, Repair)], left


# Law 3


def is_a_stream(stream: SSEStream) -> bool:
    """Return whether a comment or a field of the standard came: fields of other names alone are not a stream."""
    return re.search(rb"(?m)^(?:data|event|id|retry|):", stream.data) is not None or not stream.data


@given(sse_streams(drawn.canonical_json, canonical=True).filter(is_a_stream))
def test_canonical_events_of_json_pass_byte_for_byte(stream: SSEStream) -> None:
    laws.check_untouched(stream.data, format="sse")


@given(sse_streams(drawn.prose, canonical=True).filter(is_a_stream))
def test_canonical_events_of_prose_pass_byte_for_byte(stream: SSEStream) -> None:
    laws.check_untouched(stream.data, format="sse")


@given(sse_streams(canonical=True).filter(is_a_stream))
def test_any_canonical_events_pass_byte_for_byte_where_the_caller_says_text(stream: SSEStream) -> None:
    laws.check_untouched(stream.data, dialect="text")


@given(canonical_lines)
def test_canonical_lines_pass_byte_for_byte(stream: Any) -> None:
    laws.check_untouched(stream.data, format="ndjson")


@given(json_array_streams())
def test_an_array_passes_byte_for_byte(stream: Any) -> None:
    assert laws.repaired([stream.data], format="json-array").wire == stream.data


@given(drawn.anything, drawn.faithful)
def test_a_standard_parser_reads_the_same_where_no_repair_was_recorded(data: bytes, options: dict[str, Any]) -> None:
    laws.check_reading(data, **options)


@given(drawn.anything)
def test_the_standards_reading_passes_everything_that_the_standard_reads(data: bytes) -> None:
    laws.check_reading(data, repairs=(), format="sse")


# Law 4


@given(drawn.anything, drawn.mending)
def test_a_repaired_stream_needs_no_repair(data: bytes, options: dict[str, Any]) -> None:
    laws.check_idempotent(data, **options)


@given(drawn.long, drawn.mending)
def test_a_repaired_long_stream_needs_no_repair(data: bytes, options: dict[str, Any]) -> None:
    laws.check_idempotent(data, **options)


@given(drawn.framed, drawn.any_options)
def test_a_second_proxy_changes_nothing_whatever_options_are_combined(data: bytes, options: dict[str, Any]) -> None:
    laws.check_chained(data, **options)


# Law 5; all other tests of this file hold it too: none of them may raise


def with_room(frames: int, function: Callable[[], T]) -> T:
    """Call a function with so many frames left before the recursion limit."""

    def descend(depth: int) -> T:
        return function() if depth <= 0 else descend(depth - 1)

    depth = 0
    frame: Any = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return descend(sys.getrecursionlimit() - depth - frames)


NESTED = b'{"a":' * 150 + b"1" + b"}" * 150


@pytest.mark.parametrize("room", [60, 90, 140, 250])
@pytest.mark.parametrize(
    "data",
    [
        b"data: " + NESTED + b"\n\n",
        b"data: " + NESTED + NESTED + b"\n\n",
        b"data: " + NESTED.replace(b"1", b"NaN") + b"\n\n",
        NESTED + b"\n" + NESTED + b"\n",
        b"[" + NESTED + b"," + NESTED + b"]",
        b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n' * 3,
        b'data: {"choices":[{"index":0,"delta":{"content":"a"},"logprobs":' + NESTED + b"}]}\n\n",
        b"<html>",
    ],
    ids=lambda data: data[:24].decode(),
)
def test_nothing_raises_near_the_recursion_limit_of_the_caller(data: bytes, room: int) -> None:
    with_room(room, lambda: laws.repaired([data]))
    with_room(room, lambda: laws.read(every(data, 7)))


# Law 6


@given(drawn.anything, drawn.faithful)
def test_every_line_leaves_or_is_named(data: bytes, options: dict[str, Any]) -> None:
    laws.check_accounted(data, **options)


@given(drawn.framed, drawn.faithful)
def test_every_line_leaves_or_is_named_in_front_of_the_first_payload_and_behind_the_end(
    data: bytes, options: dict[str, Any]
) -> None:
    laws.check_accounted(data, **options)


@given(drawn.troubled, drawn.faithful)
def test_every_word_leaves_as_often_as_it_came_or_is_named(data: bytes, options: dict[str, Any]) -> None:
    laws.check_marks(data, **options)


# Law 7


@given(drawn.anything, drawn.mending)
def test_no_word_is_invented(data: bytes, options: dict[str, Any]) -> None:
    laws.check_no_invention(data, **options)


@given(drawn.anything, drawn.all_options)
def test_no_sentinel_is_written_after_an_error_or_a_cut(data: bytes, options: dict[str, Any]) -> None:
    laws.check_no_false_end(data, **options)


# Law 9


@given(drawn.cut_anyhow(drawn.anything), drawn.all_options)
def test_there_is_one_end(chunks: list[bytes], options: dict[str, Any]) -> None:
    laws.check_one_end(chunks, **options)
