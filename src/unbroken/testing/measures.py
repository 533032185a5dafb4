"""Growth of time and memory with the input, measured so that a busy machine does not change the result.

Time is CPU time of this process, the best of several runs, and only its growth is judged: four times the input may
take up to `MOST_GROWTH` times as long (linear work takes 4 times as long, quadratic 16 times).
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

from .cases import slug
from .mistakes import hides

__tracebackhide__ = hides
Consume = Callable[[Iterable[bytes]], None]
"""A function that reads all these chunks and keeps nothing."""

MOST_GROWTH = 8.0
MIN_MEASURED_SECONDS = 0.12
MOST_BYTES = 8 * 2**20
_ATTEMPTS = 4
_MEMORY_SLACK = 96 * 2**10


@dataclass(frozen=True, slots=True)
class Shape:
    """A stream of any size: a head, one repeated piece, a tail."""

    name: str
    head: bytes
    piece: bytes
    tail: bytes
    pieces_per_chunk: int = 1

    @property
    def slug(self) -> str:
        """The name as a part of a test's name."""
        return slug(self.name)

    @property
    def frame_bytes(self) -> int:
        """The number of bytes that do not grow: those of the head and of the tail."""
        return len(self.head) + len(self.tail)

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield this shape, lazily: at most `size` bytes between head and tail, but at least one chunk."""
        yield self.head
        chunk = self.piece * self.pieces_per_chunk
        yield from repeat(chunk, max(1, size // len(chunk)))
        yield self.tail


SSE_SHAPES: tuple[Shape, ...] = (
    Shape("one long line in small chunks", b"data: ", b"0123456789abcdef", b"\n\n"),
    Shape("one event of many lines", b"", b"data: 0123456789\n", b"\n"),
    Shape("many events in small chunks", b"", b'data: {"a":1}\n\n', b""),
    Shape("many events in large chunks", b"", b'data: {"a":1}\n\n', b"", 5000),
    Shape("many comments in one block", b"", b": ping\n", b"data: a\n\n"),
    Shape("many comments in large chunks", b"", b":\n\n", b"", 20000),
    Shape("lines that end in CR", b"", b"data: a\r\r", b"", 50),
    Shape("lines that end in CRLF", b"", b"data: a\r\n\r\n", b"", 50),
)
"""Streams that make readers slow: for each of these, some reader took quadratic time."""

_DEEP = b'{"a":'
_CHAT = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'

BROKEN_SHAPES: tuple[Shape, ...] = (
    Shape("single newlines", b"", b'data: {"a":1}\n', b"\n", 5),
    Shape("lines between single newlines", b'data: {"a":1}\n', b'foo: 1\ndata: {"a":1}\n', b"\n", 5),
    Shape("data that opens and never closes", b"", b"data: {\n", b"", 8),
    Shape("data that closes and goes on", b"", b'data: {"a":1}\ndata: x\n', b"", 5),
    Shape("raw lines under open data", b"data: {\n", b'{"a":1}\n', b"\n", 8),
    Shape("raw lines under an id", b"data: 1\n\nid: 1\n", b'{"a":1}\n', b"\n", 8),
    Shape("raw JSON that never closes", b': c\n\n{"a": [\n', b"1,\n", b"", 9),
    Shape("a raw line end in a string", b'data: {"a":"', b"xxxxxxx\n", b'"}\n\n', 9),
    Shape("misnamed lines", b": c\n\n", b' Data: {"a":1}\n', b"\n", 5),
    Shape("lines that are no fields", b"data: 1\n\n", b"1 2 3\n", b"", 9),
    Shape("bytes that are not UTF-8", b"data: ", b"\xff\xfe\x80a", b"\n\n", 16),
    Shape("brackets", b"data: ", _DEEP * 4, b"\n\n"),
    Shape("glued documents", b"data: ", b'{"a":1}', b"\n\n", 9),
    Shape("glued documents and a flaw", b"data: ", b'{"a":1}', b"{\n\n", 9),
    Shape("prefixes", b"data: ", b"data: ", b"{}\n\n", 9),
    Shape("spliced beginnings", b"data: ", b'{"id":"a","data: ', b"\n\n", 4),
    Shape("numbers that are no JSON", b"data: [1", b",NaN", b"]\n\n", 16),
    Shape("a repr that never closes", b"data: {'a': [", b"'\\x41', ", b"\n\n", 8),
    Shape("ids in blocks of their own", _CHAT, b"id: 1\n\n", b"", 9),
    Shape("payloads that cannot be read", _CHAT, b"id: 1\ndata: x\n\n", b"", 5),
    Shape("comments after an id", b"id: 1\n" + _CHAT, b": c\n\n", b"", 9),
    Shape("events of one template", b"", _CHAT, b"", 40),
    Shape("NDJSON beginnings", b'{"b":1}\n', b'{"a":[\n', b"", 9),
    Shape("lines of SSE in NDJSON", b'{"a":1}\n', b'data: {"a":1}\n\n', b"", 5),
    Shape("elements without commas", b"[{}", b'{"a":1}', b"]", 8),
    Shape("an endless page", b"<html>", b"x" * 16, b""),
    Shape("an endless head", b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", b"", 9),
    Shape("an endless indentation", b"", b" " * 16, b"data: 1\n\n"),
)
"""Streams that are costly to repair, where each piece asks again whether what is open is whole."""

NDJSON_SHAPES: tuple[Shape, ...] = (
    Shape("one long text in small chunks", b'"', b"0123456789abcdef", b'"\n'),
    Shape("many texts in small chunks", b"", b'{"a":1}\n', b""),
    Shape("many texts in large chunks", b"", b'{"a":1}\n', b"", 5000),
    Shape("many blank lines", b"", b"\r\n", b"1\n", 50),
)
"""NDJSON streams that make readers slow."""

SSE_MEMORY = Shape("comments", b"", b": 0123456789abcdef0123456789abcdef\n\n", b"", 32)
"""A stream of which a reader has to keep nothing."""

NDJSON_MEMORY = Shape("blank lines", b"", b"       \n", b"", 128)
"""The same for NDJSON."""


def growth_of_time(consume: Consume, shape: Shape, most_bytes: int = MOST_BYTES) -> tuple[float, int]:
    """Return the factor by which CPU time grows with four times the input, the least of a few attempts, and that size.

    The size grows until a run takes at least `MIN_MEASURED_SECONDS`; if none does up to `most_bytes`, the factor is 1.
    """
    size = min(2**12, most_bytes)
    while (spent := _seconds(consume, shape, size)) < MIN_MEASURED_SECONDS:
        if size >= most_bytes:
            return 1.0, size
        size = min(size * (2 if spent > MIN_MEASURED_SECONDS / 4 else 4), most_bytes)
    ratio = float("inf")
    for _ in range(_ATTEMPTS):
        quarter = min(_seconds(consume, shape, size // 4) for _ in range(3))
        ratio = min(ratio, _seconds(consume, shape, size) / max(quarter, 1e-6))
        if ratio < MOST_GROWTH:
            break
    return ratio, size


def growth_of_memory(consume: Consume, shape: Shape, size: int = 2**17) -> tuple[int, int]:
    """Return the peak of allocated memory, in bytes, for `size` bytes of input and for four times as many."""
    _peak(consume, shape, size // 16)  # what is loaded and compiled once does not count
    return _peak(consume, shape, size), _peak(consume, shape, 4 * size)


def is_bounded(small: int, large: int) -> bool:
    """Whether these peaks, for an input and for four times as much, indicate bounded memory."""
    return large <= 1.5 * small + _MEMORY_SLACK


def peak_of_memory(consume: Consume, chunks: Iterable[bytes]) -> int:
    """Return the peak of allocated memory, in bytes, while these chunks are read; they must be made lazily."""
    gc.collect()
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        consume(chunks)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()


def _seconds(consume: Consume, shape: Shape, size: int) -> float:
    chunks = shape.chunks(size)
    collecting = gc.isenabled()
    gc.disable()  # a full collection takes time by what the process holds already, not by the stream
    try:
        start = time.process_time()
        consume(chunks)
        return time.process_time() - start
    finally:
        if collecting:
            gc.enable()


def _peak(consume: Consume, shape: Shape, size: int) -> int:
    return peak_of_memory(consume, shape.chunks(size))
