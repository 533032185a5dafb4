"""Strategies for legal event streams.

Events are drawn first and then a legal form of them, so that what a reader must see is known without parsing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..require_hypothesis import DrawFn, SearchStrategy, st
from ..standard import BOM, Seen
from ..streams import SSEStream
from .text_and_json import events, ids, line_texts, payloads

_one_in_four = st.sampled_from([False, False, False, True])


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one block, and its effect: an event as (event, data), a new last event id, a new retry, or None."""

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
_comments = line_texts.map(lambda text: f": {text}" if text else ":")
_unknown = st.sampled_from(["foo: 1", "x-y: ", "DATA_: 1", "dataset: 2", "_id: 3"])
_plain_noise = st.lists(_comments | _unknown, max_size=2)
_odd_noise = st.lists(st.one_of(_comments, _unknown, st.sampled_from(_LOOKALIKES)), max_size=2)
_maybe_id = st.none() | ids
_maybe_retry = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 10**6))
_has_data = st.sampled_from([True, True, True, True, False])
_spellings = st.integers(0, 2)
_orders: dict[int, SearchStrategy[list[int]]] = {size: st.permutations(range(size)) for size in range(7)}


def _spell(field: str, value: str, spelling: int) -> str:
    """Return a field in a legal form: canonical, without the space, or the bare name, where that means the same."""
    if spelling == 2 and value == "":
        return field
    if spelling >= 1 and not value.startswith(" "):
        return f"{field}:{value}"
    return f"{field}: {value}"


@lru_cache(maxsize=64)
def _blocks(data: SearchStrategy[str], canonical: bool) -> SearchStrategy[_Block]:
    """Draw a block with its fields in any order, its data lines together."""
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
    """Return the lines with drawn line ends; never an LF of its own after a CR, where both would be one line end."""
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
    """Draw a legal event stream, in any legal form: comments, blocks without data, a BOM, an unfinished tail.

    `data` draws payloads (default `payloads()`; see also `json_texts()`). `canonical=True` draws only the canonical
    form: LF, no BOM, one space after each colon, one blank line after each block, no tail. `tail=False` draws no
    unfinished last block.
    """
    data = payloads() if data is None else data
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
    """Draw the beginning of a block that never ends ("any pending data must be discarded"), often an empty one."""

    def field(event: Seen) -> SearchStrategy[str]:
        name, payload, id = event
        return st.sampled_from([f"event: {name}", f"id: {id}", "data: " + payload.split("\n")[0], "data"])

    lines = st.lists(events(data).flatmap(field), min_size=1, max_size=3).map("\n".join)
    return st.one_of(st.just(""), st.just(""), lines, lines.map(lambda text: text + "\n"))
