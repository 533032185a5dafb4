"""Time grows with the input and no faster; memory stays within the limit of one event, whatever comes.

The everyday sizes are small. The full ones (an 8 MB line in 16-byte chunks, a million lines) are marked full.
"""

import gc
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from unbroken import RepairKind, StreamRepairer

MOST_GROWTH = 2.3
"""How many times as long twice the input may take."""
ATTEMPTS = 30
LEAST = 2**12
MOST = 2**22
"""Bytes of the larger run are twice that: 8 MB, or a million lines."""
EVERYDAY_SECONDS = 0.005
SLOW_SECONDS = 0.3

CHAT = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
FUNCTION = b'"function":{"name":"f","arguments":"{"}}'
HEAD = b'"id":"a",' + FUNCTION
CALLS = b'data: {"choices":[{"delta":{"tool_calls":['
CALLS_END = b"]}}]}\n\n"
CHOICE = b',{"index":%d,"delta":{"tool_calls":[{"id":"a",%b]}}' % (7, FUNCTION)


@dataclass(frozen=True)
class Shape:
    """A stream of any size: a beginning, the same piece again and again in chunks, and an end."""

    name: str
    head: bytes
    piece: bytes
    tail: bytes = b""
    per_chunk: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    least: int = LEAST  # bytes after which no repair is tried any more
    full: bool = False  # the slow run takes 4 and 8 MB of it, however long that takes

    def chunks(self, size: int) -> Iterator[bytes]:
        """Return about `size` bytes."""
        yield self.head
        chunk = self.piece * self.per_chunk
        for _ in range(max(1, size // len(chunk))):
            yield chunk
        yield self.tail


SSE = {"format": "sse"}
KNOWN = {"dialect": "openai-chat", "format": "sse"}
LINES = {"format": "ndjson"}
ARRAY = {"format": "json-array"}
TIGHT = {"max_event_bytes": 1024}

SHAPES = (
    # Server-sent events
    Shape("one line in small chunks", b"data: ", b"0123456789abcdef", full=True),
    Shape("one line that ends", b"data: ", b"0123456789abcdef", b"\n\n"),
    Shape("one line beyond the limit", b"data: ", b"0123456789abcdef", b"\n\ndata: 1\n\n", options=TIGHT),
    Shape("comments without a blank line", b"", b": ping\n", per_chunk=9, full=True),
    Shape("comments inside one block", b"data: 1\n", b": ping\n", b"\n", per_chunk=9),
    Shape("an event of many data lines", b"", b"data: 1\n", b"\n", per_chunk=8, full=True),
    Shape("an event of many data lines in a known dialect", b"", b"data: 1\n", b"\n", per_chunk=8, options=KNOWN),
    Shape("an event of many lines of JSON", b"data: {\n", b'data: "a": 1,\n', b'data: "b": 1}\n\n', per_chunk=5),
    Shape("events that end in CR", b"", b"data: a\r\r", per_chunk=7, full=True),
    Shape("events that end in CRLF", b"", b"data: a\r\n\r\n", per_chunk=7, full=True),
    Shape("CR and nothing else", b"data: a", b"\r", per_chunk=64),
    Shape("blank lines", b"", b"\n", per_chunk=64),
    Shape("lines of blanks", b'data: {"a":\n', b"  \n", per_chunk=20),
    Shape("events of JSON in small chunks", b"", b'data: {"a":1}\n\n'),
    Shape("events of JSON in large chunks", b"", b'data: {"a":1}\n\n', per_chunk=999),
    Shape("events of one template", b"", CHAT % b"a", per_chunk=40),
    Shape("events nearly of one template", b"", CHAT % b"a" + CHAT % b'a","b":"c', per_chunk=20, least=2**17),
    Shape("single newlines", b"", b'data: {"a":1}\n', b"\n", per_chunk=5),
    Shape("lines between single newlines", b'data: {"a":1}\n', b'foo: 1\ndata: {"a":1}\n', b"\n", per_chunk=5),
    Shape("fields after whole data", b'data: {"a":1}\n', b"foo: 1\n", b'data: {"a":1}\n\n', per_chunk=9),
    Shape("data that opens and never closes", b"", b"data: {\n", per_chunk=8),
    Shape("data that closes and goes on", b"", b'data: {"a":1}\ndata: x\n', per_chunk=5),
    Shape("data that looks whole and is not", b"", b"data: {a}\n", b"\n", per_chunk=7),
    Shape("raw lines under open data", b"data: {\n", b'{"a":1}\n', b"\n", per_chunk=8),
    Shape("raw JSON that never closes", b"", b'{\n"a": [1,\n', options=SSE, per_chunk=5, full=True),
    Shape("raw JSON of many lines", b"{\n", b'"a": 1,\n', b'"b": 1}\n', options=SSE, per_chunk=8),
    Shape("a raw line end in a string", b'data: {"a":"', b"xxxxxxx\n", b'"}\n\n', per_chunk=9),
    Shape("non-field lines", b"", b"1 2 3\n", options=SSE, per_chunk=9),
    Shape("misnamed lines", b"", b' data: {"a":1}\n', b"\n", per_chunk=5, options=SSE),
    Shape("misnamed lines under open data", b"data: {\n", b' Data: {"a":1}\n', b"\n", per_chunk=5, options=SSE),
    Shape("error lines", b"", b'error: {"a":1}\n', per_chunk=5, options=SSE),
    Shape("an id in each block", b"data: {}\n\n", b"id: 1\n\n", per_chunk=9, options=KNOWN),
    Shape("payloads that are dropped", b"", b"id: 1\ndata: x\n\n", per_chunk=5, options=KNOWN),
    Shape("bytes that are not UTF-8", b"data: ", b"\xff\xfe\x80a", b"\n\n", per_chunk=16),
    Shape("cut characters", b"data: ", "你".encode()[:2], b"\n\n", per_chunk=24),
    # JSON
    Shape("brackets", b"data: ", b"[" * 16, b"\n\n", full=True),
    Shape("brackets of objects", b"data: ", b'{"a":' * 4, b"\n\n"),
    Shape("digits", b"data: ", b"1" * 16, b"\n\n", full=True),
    Shape("digits inside an array", b"data: [", b"1" * 16, b"]\n\n"),
    Shape("long numbers", b"", b"data: [" + b"1" * 5000 + b"]\n\n"),
    Shape("a string of escapes", b'data: ["', b"\\\\" * 8, b'"]\n\n'),
    Shape("a string that never closes", b'data: {"a":"', b'\\"' * 8, b"\n\n"),
    Shape("quotes", b"data: {", b'"' * 16, b"\n\n"),
    Shape("spliced beginnings", b"data: ", b'{"id":"a","data: ', b"\n\n", per_chunk=4),
    Shape("glued documents", b"data: ", b'{"a":1}', b"\n\n", per_chunk=9),
    Shape("glued documents and a flaw", b"data: ", b'{"a":1}', b"{\n\n", per_chunk=9),
    Shape("prefixes", b"data: ", b"data: ", b"{}\n\n", per_chunk=9),
    Shape("NaN", b"data: [1", b",NaN", b"]\n\n", per_chunk=16),
    Shape("NaN and a flaw", b"data: [1", b",NaN", b"\n\n", per_chunk=16),
    Shape("reprs", b"", b"data: {'a': 'b', 'c': [1, None, True]}\n\n", per_chunk=3),
    Shape("a repr that never closes", b"data: {'a': [", b"'\\x41', ", b"\n\n", per_chunk=8),
    Shape("separators", b'data: ["', "\u2028".encode() * 5, b'"]\n\n'),
    # Tool calls whose indexes are mended
    Shape(
        "tool calls: pieces of one call in a payload",
        CALLS + b"{" + HEAD,
        b',{"function":{"arguments":" "}}',
        CALLS_END,
    ),
    Shape("tool calls: calls in a payload", CALLS + b"{" + HEAD, b',{"index":0,"id":"b",' + FUNCTION, CALLS_END),
    Shape("tool calls: an index each", CALLS + b"{" + HEAD, b',{"index":9,"function":{"arguments":"1"}}', CALLS_END),
    Shape("tool calls: choices of a payload", b'data: {"choices":[{}', CHOICE, b"]}\n\n"),
    Shape("tool calls: a payload each", CALLS + b"{" + HEAD + CALLS_END, CALLS + b'{"function":{}}' + CALLS_END),
    Shape("tool calls: members of a piece", CALLS + b'{"index":"0"', b',"a":1,"index":"1"', b"}" + CALLS_END),
    # NDJSON
    Shape("NDJSON: one line", b'{"a":"', b"0123456789abcdef", b'"}\n'),
    Shape("NDJSON: one line beyond the limit", b'{"a":"', b"0123456789abcdef", b'"}\n{}\n', options=TIGHT),
    Shape("NDJSON: lines", b"", b'{"a":1}\n', per_chunk=9),
    Shape("NDJSON: pretty-printed without end", b"{\n", b'  "a": 1,\n', per_chunk=6, options=LINES),
    Shape("NDJSON: beginnings", b"", b'{"a":[\n', per_chunk=9, options=LINES),
    Shape("NDJSON: whole lines under an open one", b'{"a":[\n', b' {"a":1},\n', b"]}\n", per_chunk=9, options=LINES),
    Shape("NDJSON: blanks", b"", b" " * 16, b"{}\n"),
    Shape("NDJSON: blanks after a line", b"{}", b" " * 16, b"\n{}\n"),
    Shape("NDJSON: lines of SSE", b'{"a":1}\n', b'data: {"a":1}\n\n', per_chunk=5),
    Shape("NDJSON: lines that are not JSON", b'{"a":1}\n', b"x\n", per_chunk=20),
    Shape("NDJSON: lines that are kept", b"{}\n", b"x\n", per_chunk=20, options={"invalid_json": "keep"}),
    # Arrays
    Shape("array: one element", b'[{"a":"', b"0123456789abcdef", b'"}]'),
    Shape("array: one element beyond the limit", b'[{"a":"', b"0123456789abcdef", b'"},1]', options=TIGHT),
    Shape("array: objects", b"[{}", b',{"a":1}', b"]", per_chunk=8),
    Shape("array: scalars", b'["a"', b",1", b"]", per_chunk=20),
    Shape("array: one long scalar", b"[", b"1" * 16, b"]", options=ARRAY),
    Shape("array: no commas", b"[{}", b'{"a":1}', b"]", per_chunk=8),
    Shape("array: nothing but commas", b"[{}", b"," * 16, b"]"),
    Shape("array: nesting", b"[", b"[" * 16),
    Shape("array: blanks", b"[{}", b" \n" * 8, b"]"),
    Shape("array: something after it", b"[{}]", b"x" * 16),
    Shape("array: elements that are not JSON", b"[{}", b",{a}", b"]", per_chunk=16),
    # Before the format is known
    Shape("a page", b"<html>", b"x" * 16),
    Shape("an endless head", b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", per_chunk=9),
    Shape("an endless indentation", b"", b" " * 16, b"data: 1\n\n"),
    Shape("a binary body", b"\0", b"\x1f\x8b" * 8),
)


def consume(shape: Shape, size: int) -> None:
    repairer = StreamRepairer(**shape.options)
    for chunk in shape.chunks(size):
        repairer.feed(chunk, 0.0)
    repairer.close(0.0)


def seconds(shape: Shape, size: int) -> float:
    gc.disable()  # its runs grow with what the process holds already
    try:
        start = time.process_time()
        consume(shape, size)
        return time.process_time() - start
    finally:
        gc.enable()


def growth(shape: Shape, enough: float) -> float:
    """Return how many times as long twice the input takes: the best of some runs each, since noise only ever adds.

    The input is as large as takes `enough` seconds.
    """
    size = shape.least
    while size < MOST and (spent := seconds(shape, size)) < enough:
        size *= 2 if spent > enough / 8 else 4
    once = twice = float("inf")
    for _ in range(ATTEMPTS):
        once = min(once, seconds(shape, size))
        twice = min(twice, seconds(shape, 2 * size))
        if twice <= MOST_GROWTH * once:
            break
    return twice / once


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_twice_the_input_takes_about_twice_the_time(shape: Shape) -> None:
    ratio = growth(shape, EVERYDAY_SECONDS)
    if ratio > MOST_GROWTH:  # other tests run beside it: longer, noise is less of it
        ratio = growth(shape, 10 * EVERYDAY_SECONDS)
    assert ratio <= MOST_GROWTH


@pytest.mark.full
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_twice_a_large_input_takes_about_twice_the_time(shape: Shape) -> None:
    assert growth(shape, 60 if shape.full else SLOW_SECONDS) <= MOST_GROWTH


# Memory


LIMIT = 2**16
SLACK = 2**16
LARGE_LIMIT = 2**20

RETAINING = (
    *SHAPES,
    Shape("frames as long as allowed", b"", b"data: " + b"x" * (LIMIT - 100) + b"\n\n"),
    Shape("frames of one template as long as allowed", b"", CHAT % ("é" * 20_000 + "😀").encode()),
    Shape("long ids", b"", b"id: " + b"1" * 1000 + b"\n\n", options=KNOWN),
    Shape("a block of one long line and many short ones", b"data: " + b"x" * (LIMIT - 5000) + b"\n", b"data: 1\n"),
)


HOLDING = [
    shape
    for shape in RETAINING
    if shape.name
    in {
        "one line in small chunks",
        "one line beyond the limit",
        "comments inside one block",
        "an event of many data lines",
        "an event of many lines of JSON",
        "fields after whole data",
        "a raw line end in a string",
        "brackets",
        "glued documents",
        "NDJSON: one line",
        "NDJSON: pretty-printed without end",
        "NDJSON: blanks",
        "array: one element",
        "array: one long scalar",
        "array: blanks",
        "a page",
        "an endless head",
        "frames as long as allowed",
        "frames of one template as long as allowed",
        "long ids",
    }
]
"""Those of which the most is held; tracing makes the others slow."""


def most_retained(shape: Shape, limit: int, size: int) -> int:
    """Return the most bytes that are held between two calls; what was delivered, and its account, are not counted."""
    options = {"max_event_bytes": limit, **shape.options, "account": False}
    consume(Shape(shape.name, shape.head, shape.piece, shape.tail, shape.per_chunk, options), 100)  # what is made once
    gc.collect()
    tracemalloc.start()
    try:
        repairer = StreamRepairer(**options)
        most, fed = 0, 0
        for chunk in shape.chunks(size):
            repairer.feed(chunk, 0.0)
            fed += len(chunk)
            if fed >= 1024:
                most, fed = max(most, tracemalloc.get_traced_memory()[0]), 0
        return most
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("shape", HOLDING, ids=lambda shape: shape.name)
def test_what_is_held_is_bounded_by_the_limit_of_one_event(shape: Shape) -> None:
    assert most_retained(shape, LIMIT, 2 * LIMIT) <= 1.25 * LIMIT + SLACK


@pytest.mark.full
@pytest.mark.parametrize("shape", RETAINING, ids=lambda shape: shape.name)
def test_what_any_stream_holds_is_bounded_by_the_limit_of_one_event(shape: Shape) -> None:
    assert most_retained(shape, LIMIT, 4 * LIMIT) <= 1.25 * LIMIT + SLACK


@pytest.mark.full
@pytest.mark.parametrize("shape", [shape for shape in HOLDING if shape.per_chunk == 1], ids=lambda shape: shape.name)
def test_what_is_held_is_bounded_by_a_large_limit(shape: Shape) -> None:
    assert most_retained(shape, LARGE_LIMIT, 2 * LARGE_LIMIT) <= 1.25 * LARGE_LIMIT + SLACK


def test_an_event_that_is_too_long_is_dropped_whole_and_reading_goes_on() -> None:
    repairer = StreamRepairer(max_event_bytes=LIMIT)
    wire = []
    for chunk in (b"data: 1\n\n", b"id: 7\ndata: ", *[b"x" * 1000] * 100, b"\ndata: y\n", b"\n", b"data: 2\n\n"):
        wire += repairer.feed(chunk, 0.0)
    wire += repairer.close(0.0)
    assert b"".join(wire) == b"data: 1\n\ndata: 2\n\n"
    assert [(repair.kind, repair.offset, repair.length) for repair in repairer.report.first_repairs] == [
        (RepairKind.OVERSIZED_EVENT, 9, 12 + 100_000 + 8)
    ]
