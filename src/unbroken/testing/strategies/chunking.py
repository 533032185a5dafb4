"""Strategies for the ways to cut a stream into chunks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from ..conversations import Conversation
from ..cuts import cut, every, nasty_cuts
from ..faults import BrokenStream
from ..require_hypothesis import SearchStrategy, st
from ..streams import JSONArrayStream, NDJSONStream, SSEStream

_S = TypeVar("_S", SSEStream, NDJSONStream, JSONArrayStream, Conversation, BrokenStream, bytes)

EVENT_END = re.compile(rb"\r\n\r\n|\r\r|\n\n|(?<=})\n(?={)")


def chunkings(data: bytes) -> SearchStrategy[list[bytes]]:
    """Draw a way to cut `data`: any at all, biased to one byte, inside UTF-8, between CR and LF, one event each, empty.

    Joined, the chunks are always `data`. Shrinks to one chunk.
    """
    return _ways_to_cut.map(lambda way: way(data))


def cut_streams(streams: SearchStrategy[_S]) -> SearchStrategy[tuple[_S, list[bytes]]]:
    """Draw a stream, or its bytes, and its chunks; the stream and the cut shrink independently."""
    return st.builds(lambda stream, way: (stream, way(bytes_of(stream))), streams, _ways_to_cut)


def bytes_of(stream: Any) -> bytes:
    """Return the bytes of a stream as the strategies draw it."""
    data: bytes = stream if isinstance(stream, bytes) else stream.data
    return data


def _at_fractions(fractions: list[float]) -> Callable[[bytes], list[bytes]]:
    return lambda data: cut(data, [int(fraction * (len(data) + 1)) for fraction in fractions])


def _at_nasty_places(numbers: list[int]) -> Callable[[bytes], list[bytes]]:
    def way(data: bytes) -> list[bytes]:
        nasty = nasty_cuts(data)
        return cut(data, {nasty[number % len(nasty)] for number in numbers}) if nasty else [data]

    return way


def _at_every_nasty_place(data: bytes) -> list[bytes]:
    return cut(data, nasty_cuts(data))


def _event_by_event(data: bytes) -> list[bytes]:
    ends = [match.end() for match in EVENT_END.finditer(data)]
    return cut(data, [end for end in ends if end < len(data)])


def _in_pieces(size: int) -> Callable[[bytes], list[bytes]]:
    return lambda data: every(data, size)


def _with_empty_chunks(way: Callable[[bytes], list[bytes]], numbers: list[int]) -> Callable[[bytes], list[bytes]]:
    def wider(data: bytes) -> list[bytes]:
        chunks = way(data)
        for number in numbers:
            at = number % (len(chunks) + 1)
            chunks = [*chunks[:at], b"", *chunks[at:]]
        return chunks

    return wider


_ways_to_cut = st.builds(
    _with_empty_chunks,
    st.one_of(
        # Later ones shrink to earlier ones. While a stream shrinks, the first ones still cut it at the same places.
        st.just(_at_fractions([])),
        st.integers(1, 7).map(_in_pieces),
        st.just(_at_every_nasty_place),
        st.just(_event_by_event),
        st.lists(st.integers(0, 999), min_size=1, max_size=6).map(_at_nasty_places),
        st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=6).map(_at_fractions),
    ),
    st.just([]) | st.lists(st.integers(0, 999), max_size=2),
)
