"""Hypothesis strategies for streams, whole, odd and hostile, and for the ways to cut them.

https://hypothesis.readthedocs.io/ (extra `unbroken[testing]`)

Whole streams are made from their meaning: events are drawn first, then a legal spelling of them, so what a right
reader must see is known without reading. Everything shrinks towards one short event, LF line ends and one chunk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeVar

from .conversations import DIALECTS, Answer, Conversation, ToolCall
from .conversations import spell as spell_answer
from .cuts import cut, every, nasty_cuts
from .drawing import DrawFn, SearchStrategy, st
from .failures import client_failures
from .faults import FAULTS, BrokenStream, Healthy, plant
from .sources import Block, Pause, Schedule, Step
from .standard import BOM, Seen, read_sse
from .streams import JSONArrayStream, NDJSONStream, SSEStream

__all__ = [
    "broken",
    "chunkings",
    "cut_streams",
    "dialect_streams",
    "events",
    "hostile_bytes",
    "hostile_sse_streams",
    "json_array_streams",
    "json_objects",
    "json_texts",
    "json_values",
    "judged",
    "ndjson_streams",
    "payloads",
    "schedules",
    "sse_streams",
]

_S = TypeVar("_S", SSEStream, NDJSONStream, JSONArrayStream, Conversation, BrokenStream)

# What careless readers split at, strip, or trip over; none of these ends a line of SSE or of NDJSON.
ODD_CHARACTERS = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\x00\x1b\ufeff\ufffd\u00e9\u4f60\U0001f600 \t:\"\\<'"
_WORDS = ("a", "data: x", "[DONE]", ": ping", "null", '{"a":1}', "event: x", " ", "id", "</script>", "{", "1")

# Strategies are made once: validating a fresh one costs Hypothesis more than drawing from it (a factor of ten here).
_characters = st.one_of(
    st.sampled_from("ab1" + ODD_CHARACTERS), st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")
)
_lines = st.one_of(st.text(_characters, max_size=8), st.sampled_from(_WORDS))
_payloads = st.one_of(_lines, st.lists(_lines, min_size=1, max_size=3).map("\n".join))
_EVENT_END = re.compile(rb"\r\n\r\n|\r\r|\n\n|(?<=})\n(?={)")
_DATA_LINE = re.compile(rb"(?m)^(?=data:)")
_one_in_four = st.sampled_from([False, False, False, True])


def payloads() -> SearchStrategy[str]:
    """Draw the data of an event: any text that the standard can carry, of one line or more, often odd."""
    return _payloads


_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False), _lines
)
_json_values: SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_lines, inner, max_size=3)),
    max_leaves=6,
)
_json_objects = st.dictionaries(_lines, _json_values, max_size=3)
_json_spellings = st.tuples(st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]))


def json_values() -> SearchStrategy[Any]:
    """Draw JSON values: small documents, with the characters that split lines elsewhere inside their strings."""
    return _json_values


def json_objects() -> SearchStrategy[dict[str, Any]]:
    """Draw JSON objects, which is what most streams carry."""
    return _json_objects


@lru_cache(maxsize=64)
def json_texts(values: SearchStrategy[Any] | None = None) -> SearchStrategy[str]:
    """Draw a JSON text on one line, compact or spaced, escaped or raw, of these values (default `json_values()`)."""

    def spell(value: Any, spelling: tuple[bool, tuple[str, str]]) -> str:
        return json.dumps(value, ensure_ascii=spelling[0], separators=spelling[1])

    return st.builds(spell, _json_values if values is None else values, _json_spellings)


_names = st.one_of(
    st.just("message"),
    st.sampled_from(["a", "ping", "error", "done", "Data", "x y"]),
    _lines.map(lambda text: text or "b"),
)
_ids = st.one_of(st.just(""), st.integers(0, 99).map(str), _lines.map(lambda text: text.replace("\0", "")))


@lru_cache(maxsize=64)
def events(data: SearchStrategy[str] | None = None) -> SearchStrategy[Seen]:
    """Draw one event as (event, data, id), of values that the standard can carry."""
    return st.tuples(_names, _payloads if data is None else data, _ids)


def chunkings(data: bytes) -> SearchStrategy[list[bytes]]:
    """Draw a way to cut `data`: any at all, biased to one byte, inside UTF-8, between CR and LF, one event each, empty.

    The chunks always join to `data`. Shrinks to one chunk.
    """
    return _ways_to_cut.map(lambda way: way(data))


def cut_streams(streams: SearchStrategy[_S]) -> SearchStrategy[tuple[_S, list[bytes]]]:
    """Draw a stream and a way to cut it; both shrink on their own."""
    return st.builds(lambda stream, way: (stream, way(stream.data)), streams, _ways_to_cut)


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
    ends = [match.end() for match in _EVENT_END.finditer(data)]
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
        # The first ones cut a stream that shrinks where they cut it before; what comes later shrinks to these.
        st.just(_at_fractions([])),
        st.integers(1, 7).map(_in_pieces),
        st.just(_at_every_nasty_place),
        st.just(_event_by_event),
        st.lists(st.integers(0, 999), min_size=1, max_size=6).map(_at_nasty_places),
        st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=6).map(_at_fractions),
    ),
    st.just([]) | st.lists(st.integers(0, 999), max_size=2),
)


# --- Server-sent events -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one block, and what it does: an event, a new last event id, a new retry; each or none."""

    lines: tuple[str, ...]
    seen: tuple[str, str] | None
    id: str | None
    retry: int | None


_LOOKALIKES = (
    ":",
    "foo",
    "Data: no",
    " data: no",
    "data : no",
    "ID: 9",
    "\tdata: no",
    "retry: 1x",
    "retry: -1",
    "id: 1\0",
)
_comments = _lines.map(lambda text: f": {text}" if text else ":")
_unknown = st.sampled_from(["foo: 1", "x-y: ", "DATA_: 1", "dataset: 2", "_id: 3"])
_plain_noise = st.lists(_comments | _unknown, max_size=2)
_odd_noise = st.lists(st.one_of(_comments, _unknown, st.sampled_from(_LOOKALIKES)), max_size=2)
_maybe_id = st.none() | _ids
_maybe_retry = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 10**6))
_has_data = st.sampled_from([True, True, True, True, False])
_spellings = st.integers(0, 2)
_orders: dict[int, SearchStrategy[list[int]]] = {size: st.permutations(range(size)) for size in range(7)}


def _spell(field: str, value: str, spelling: int) -> str:
    """Spell a field legally: the canonical way, without the blank, or as the bare name, where that means the same."""
    if spelling == 2 and value == "":
        return field
    if spelling >= 1 and not value.startswith(" "):
        return f"{field}:{value}"
    return f"{field}: {value}"


@lru_cache(maxsize=64)
def _blocks(data: SearchStrategy[str], canonical: bool) -> SearchStrategy[_Block]:
    """Draw a block; its fields stand in any order, its data lines together."""
    spellings = st.just(0) if canonical else _spellings
    drawn_events = events(data)
    noise_lines = _plain_noise if canonical else _odd_noise

    @st.composite
    def block(draw: DrawFn) -> _Block:
        name, payload, _ = draw(drawn_events)
        seen = (name, payload) if draw(_has_data) else None
        id, retry = draw(_maybe_id), draw(_maybe_retry)
        fields: list[tuple[str, ...]] = [(line,) for line in draw(noise_lines)]
        if name != "message" or draw(_one_in_four):
            fields.append((_spell("event", name, draw(spellings)),))
        if id is not None:
            fields.append((_spell("id", id, draw(spellings)),))
        if retry is not None:
            fields.append((_spell("retry", str(retry), draw(spellings)),))
        if seen:
            fields.append(tuple(_spell("data", line, draw(spellings)) for line in payload.split("\n")))
        lines = tuple(line for at in draw(_orders[len(fields)]) for line in fields[at])
        return _Block(lines, seen, id, retry)

    return block()


_sets_of_line_ends = st.sampled_from([("\n",), ("\r\n",), ("\r",), ("\n", "\r\n", "\r")])
_any_line_end = st.sampled_from(["\n", "\r\n", "\r"])
_blank_lines = st.sampled_from([1, 1, 1, 2])


def _end_lines(draw: DrawFn, lines: Sequence[str], ends: Sequence[str]) -> str:
    """Join lines with drawn line ends; an LF of its own never follows a CR, where the two would be one end."""
    text = ""
    for line in lines:
        end = ends[0] if len(ends) == 1 else draw(_any_line_end)
        if line == "" and end == "\n" and text.endswith("\r"):
            end = "\r\n"
        text += line + end
    return text


@lru_cache(maxsize=64)
def sse_streams(
    data: SearchStrategy[str] | None = None,
    *,
    canonical: bool = False,
    min_blocks: int = 0,
    max_blocks: int = 6,
    tail: bool = True,
) -> SearchStrategy[SSEStream]:
    """Draw a legal event stream: any spelling, comments, blocks without data, a BOM, an unfinished tail.

    `data` draws payloads (default `payloads()`; see also `json_texts()`). `canonical=True` gives only the canonical
    spelling: LF, no BOM, one blank after each colon, one blank line behind each block, no tail. `tail=False` gives
    no unfinished last block.
    """
    data = _payloads if data is None else data
    block_lists = st.lists(_blocks(data, canonical), min_size=min_blocks, max_size=max_blocks)
    tails = _tails(data) if tail and not canonical else st.just("")

    @st.composite
    def stream(draw: DrawFn) -> SSEStream:
        ends = ("\n",) if canonical else draw(_sets_of_line_ends)
        lines: list[str] = []
        seen: list[Seen] = []
        id, retry = "", None
        for block in draw(block_lists):
            if canonical and not block.lines:
                continue
            lines += block.lines + ("",) * (1 if canonical else draw(_blank_lines))
            id = id if block.id is None else block.id
            retry = retry if block.retry is None else block.retry
            if block.seen:
                seen.append((*block.seen, id))
        text = _end_lines(draw, lines, ends) + draw(tails)
        mark = "" if canonical or not draw(_one_in_four) else BOM
        return SSEStream((mark + text).encode(), tuple(seen), id, retry)

    return stream()


def _tails(data: SearchStrategy[str]) -> SearchStrategy[str]:
    """Draw the beginning of a block that never ends, most often none: "any pending data must be discarded"."""

    def field(event: Seen) -> SearchStrategy[str]:
        name, payload, id = event
        return st.sampled_from([f"event: {name}", f"id: {id}", "data: " + payload.split("\n")[0], "data"])

    lines = st.lists(events(data).flatmap(field), min_size=1, max_size=3).map("\n".join)
    return st.one_of(st.just(""), st.just(""), lines, lines.map(lambda text: text + "\n"))


# --- NDJSON and JSON arrays ---------------------------------------------------------------------------------------


_INVALID_LINES = (
    "{",
    '{"a":',
    "nope",
    "{'a': 1}",
    "NaN",
    "[1,]",
    '{"a":1}{"b":2}',
    "data: 1",
    '"',
    "1\ufeff",
    "01",
    "\x00",
)
_invalid_lines = st.one_of(st.sampled_from(_INVALID_LINES).map(str.encode), st.just(b'"\xff"'))
_json_blanks = st.sampled_from([b"", b" ", b"\t", b"  "])
_ndjson_ends = st.sampled_from([b"\n", b"\r\n"])


@lru_cache(maxsize=64)
def ndjson_streams(
    values: SearchStrategy[Any] | None = None, *, canonical: bool = False, invalid: bool = True
) -> SearchStrategy[NDJSONStream]:
    """Draw NDJSON: JSON texts on lines of LF or CRLF, blank lines, a BOM, invalid lines, a last line without LF.

    `canonical=True` gives only texts and LF. `invalid=False` gives no invalid line.
    """
    texts = json_texts(values)
    if canonical:
        return st.lists(texts, max_size=6).map(_canonical_ndjson)
    kinds = [texts, texts, texts, st.just("")] + [_invalid_lines] * invalid
    rows = st.lists(st.tuples(_json_blanks, st.one_of(*kinds), _json_blanks, _ndjson_ends), max_size=6)
    marks = st.sampled_from([b"", b"", b"", BOM.encode()])
    return st.builds(_ndjson, marks, rows, st.booleans())


def _canonical_ndjson(texts: list[str]) -> NDJSONStream:
    return NDJSONStream("".join(text + "\n" for text in texts).encode(), tuple(texts))


def _ndjson(mark: bytes, rows: list[tuple[bytes, str | bytes, bytes, bytes]], ended: bool) -> NDJSONStream:
    """Spell rows of (blanks, text or invalid bytes, blanks, line end), the last one perhaps without its end."""
    data = mark
    for before, line, after, end in rows:
        data += before + (line.encode() if isinstance(line, str) else line) + after + end
    if rows and not ended:
        data = data.removesuffix(rows[-1][3])
    texts = tuple(line for _, line, _, _ in rows if isinstance(line, str) and line)
    return NDJSONStream(data, texts, sum(isinstance(line, bytes) for _, line, _, _ in rows))


@lru_cache(maxsize=64)
def json_array_streams(values: SearchStrategy[Any] | None = None) -> SearchStrategy[JSONArrayStream]:
    """Draw one JSON array of elements, with any white space between them."""
    blanks = st.sampled_from(["", " ", "\n", "\r\n", "\n\n", "\t"])
    elements = st.lists(st.tuples(blanks, json_texts(values), blanks), max_size=5)

    def spell(before: str, rows: list[tuple[str, str, str]], inside: str, after: str) -> JSONArrayStream:
        body = ",".join(map("".join, rows)) if rows else inside
        return JSONArrayStream(f"{before}[{body}]{after}".encode(), tuple(text for _, text, _ in rows))

    return st.builds(spell, blanks, elements, blanks, blanks)


# --- Answers of language models -----------------------------------------------------------------------------------


_odd_text = st.lists(
    st.one_of(st.sampled_from(["Hello", " world", "\n\n", "é你😀", "data: x", "[DONE]", '{"a":']), _lines).filter(bool),
    max_size=4,
).map(tuple)
# Events that differ in a word only are what most of a stream is made of, and what fast paths are made for.
_prose = st.lists(st.sampled_from(["Hello", " world", " é", ","]), min_size=6, max_size=16).map(tuple)
_pieces_of_text = st.one_of(_odd_text, _odd_text, _odd_text, _prose)
_tool_calls = st.builds(
    ToolCall,
    st.integers(1, 9).map("call_{}".format),
    st.sampled_from(["get_weather", "search", "f"]),
    st.dictionaries(st.sampled_from(["city", "q", "n"]), st.one_of(_lines, st.integers(0, 99)), max_size=2).map(
        json.dumps
    ),
)
_answers = st.builds(
    Answer,
    text=_pieces_of_text,
    reasoning=st.just(()) | _pieces_of_text,
    tools=st.lists(_tool_calls, max_size=2, unique_by=lambda tool: tool.id).map(tuple),
    input_tokens=st.integers(1, 9999),
    output_tokens=st.integers(1, 9999),
)


@lru_cache(maxsize=64)
def dialect_streams(dialect: str) -> SearchStrategy[Conversation]:
    """Draw whole answers in this dialect, canonically spelt, with known text, reasoning, tool calls and figures.

    Raises `ValueError` for a dialect that is not among `unbroken.testing.conversations.DIALECTS`.
    """
    spell_answer(dialect, Answer())
    return _answers.map(lambda answer: spell_answer(dialect, answer))


# --- Faults -----------------------------------------------------------------------------------------------------------


_HealthyStream = Healthy | Conversation | SSEStream | NDJSONStream
_healthy_streams: SearchStrategy[_HealthyStream] = st.one_of(
    sse_streams(json_texts(_json_objects), canonical=True),
    ndjson_streams(_json_objects, canonical=True),
    *[_answers.map(partial(spell_answer, dialect)) for dialect in DIALECTS],
)


def broken(
    streams: SearchStrategy[Any] | None = None, faults: Collection[str] | None = None, *, most: int = 3
) -> SearchStrategy[BrokenStream]:
    """Draw a healthy stream with faults planted in it, and what is right to make of it.

    `streams` draws canonical streams: `dialect_streams(...)`, or `sse_streams` and `ndjson_streams` with
    `canonical=True` and JSON objects. `faults` are names from `unbroken.testing.faults.FAULTS`, by default all; up to
    `most` of them are planted. Shrinks to one fault in one event.
    """
    names = st.sampled_from(sorted(FAULTS if faults is None else faults))
    drawn = st.lists(st.tuples(names, st.integers(0, 99)), min_size=1, max_size=most)

    def build(stream: _HealthyStream, planted: list[tuple[str, int]]) -> BrokenStream:
        return plant(Healthy.of(stream), planted)

    return st.builds(build, _healthy_streams if streams is None else streams, drawn)


# --- Time ---------------------------------------------------------------------------------------------------------


_pauses = st.sampled_from([0.0, 0.001, 0.5, 4.9, 5.0, 14.0, 120.0, 301.0])


@lru_cache(maxsize=64)
def schedules(streams: SearchStrategy[SSEStream] | None = None) -> SearchStrategy[Schedule]:
    """Draw a stream and the moments of its chunks: pauses of nothing to minutes, a failure in the middle, a block.

    The failures are those of `client_failures()`. Shrinks to one chunk at once.
    """
    kinds = [st.just(Block()), st.sampled_from(sorted(client_failures().items())).map(lambda named: named[1]())]
    ends: SearchStrategy[Step | None] = st.one_of(st.none(), st.none(), *kinds)

    def build(drawn: tuple[SSEStream, list[bytes]], pauses: list[float], end: Step | None, at: int) -> Schedule:
        stream, chunks = drawn
        steps: list[Step] = []
        for number, chunk in enumerate(chunks):
            steps += [Pause(pauses[number % len(pauses)]), chunk] if pauses else [chunk]
        if end is not None:
            steps = [*steps[: at % (len(steps) + 1)], end]
        return Schedule(stream, tuple(steps))

    drawn_streams = cut_streams(sse_streams() if streams is None else streams)
    return st.builds(build, drawn_streams, st.lists(_pauses, max_size=4), ends, st.integers(0, 9999))


# --- Hostile bytes ------------------------------------------------------------------------------------------------


_PIECES: tuple[bytes, ...] = (
    # SSE
    b"data: ", b"data:", b"data", b"event: ", b"event: error\n", b"id: ", b"id: 1\n", b"id: 1\0\n", b"retry: 5\n",
    b"retry: ", b": ping\n\n", b":", b"\n", b"\n\n", b"\r\n\r\n", b"\r", b"\r\n", b"\r\r", b"\n\r", b"data: data: ",
    b"Data: ", b" data: ", b"id: 7\ndata:\n\n", b"id: 8\n\n",
    # JSON, whole and broken
    b'{"a":1}', b'{"a":', b"1}", b'{"a":1}{"b":2}', b"[", b"]", b",", b'"', b"\\", b"\\u2028", b"\\ud83d", b"NaN",
    b"-Infinity", b"null", b"1", b"[DONE]", b"data: [DONE]\n\n", b"data:  [DONE]\n\n", b"DONE", b"{'a': None}",
    b"b'data: 1'", b'{\n  "a": 1\n}\n', b'{"error":{"message":"x"}}', b"error: {", b"[" * 300, b"1" * 5000,
    b'{"a":{"a":' * 3, b"{}", b"[]", b'{"a":"',
    b'{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}',
    b'{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n',
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    b'{"model":"m","message":{"content":"x"},"done":false}\n',
    # HTML, HTTP, compressed
    b"<!DOCTYPE html>", b"<html><title>x</title>", b"</html>", b"HTTP/1.1 500 Oops\r\nA: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n", b"\x1f\x8b\x08\x00", b"1f\r\n", b"\x1b[31m",
    # UTF-8, whole, cut and wrong
    "é".encode(), "你".encode(), "😀".encode(), b"\xef\xbb\xbf", b"\xef\xbb", b"\xf0\x9f\x98", b"\x80", b"\xff",
    b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xc2\x85", b"\0", b"\x0b",
    b"\x0c", b"\x1c", b" ", b"\t",
)  # fmt: skip


_pieces = st.sampled_from(_PIECES)
_scraps = st.lists(st.one_of(_pieces, st.binary(max_size=4)), max_size=12).map(b"".join)
_healthy: SearchStrategy[bytes] = st.one_of(
    sse_streams().map(lambda stream: stream.data),
    sse_streams(json_texts(_json_objects), canonical=True).map(lambda stream: stream.data),
    ndjson_streams().map(lambda stream: stream.data),
    json_array_streams().map(lambda stream: stream.data),
    st.sampled_from(DIALECTS).flatmap(dialect_streams).map(lambda stream: stream.data),
)
_ways_to_harm = st.sampled_from(["plant", "plant between", "strike", "overwrite", "truncate", "repeat", "number"])
_harms = st.lists(st.tuples(_ways_to_harm, st.integers(0, 9999), _pieces), min_size=1, max_size=3)


def _harm(data: bytes, harms: list[tuple[str, int, bytes]]) -> bytes:
    """Plant pieces, strike bytes out, overwrite them, cut the end off, repeat a stretch, or number the events."""
    for harm, number, piece in harms:
        at = number % (len(data) + 1)
        match harm:
            case "plant":
                data = data[:at] + piece + data[at:]
            case "plant between":
                ends = [match.end() for match in _EVENT_END.finditer(data)] or [0]
                at = ends[number % len(ends)]
                data = data[:at] + piece + data[at:]
            case "strike":
                data = data[:at] + data[at + len(piece) :]
            case "overwrite":
                data = data[:at] + piece + data[at + len(piece) :]
            case "truncate":
                data = data[:at]
            case "repeat":
                data = data[:at] + data[max(0, at - 20) :]
            case _:
                data = _DATA_LINE.sub(b"id: %d\n" % number, data)
    return data


_hostile = st.one_of(_scraps, st.builds(_harm, _healthy, _harms))


def hostile_bytes() -> SearchStrategy[bytes]:
    """Draw broken and hostile streams: scraps of SSE, JSON, NDJSON, HTML and damaged UTF-8, and healthy streams harmed.

    `read_sse` and `read_ndjson` tell what a right reader sees in them.
    """
    return _hostile


def hostile_sse_streams() -> SearchStrategy[SSEStream]:
    """Draw hostile bytes as event streams that know what WHATWG 9.2.6 makes of them."""
    return _hostile.map(judged)


def judged(data: bytes) -> SSEStream:
    """Say what WHATWG 9.2.6 makes of these bytes."""
    reading = read_sse(data)
    return SSEStream(data, reading.events, reading.last_event_id, reading.retry)
