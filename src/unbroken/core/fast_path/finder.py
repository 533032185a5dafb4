"""Finding a template between one frame of content and the next."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import copy, deepcopy
from functools import cache
from typing import Any, Final

from ..dialect import Dialect, EventClass, Reading
from ..events import Event
from ..proof import FLAWED, prove
from .slots import BLANKS, MARK, NUMBER, SLOT, STRING, TEXT, TWIN, Slot
from .template import MAX_LENGTH, Template, said

MAX_SEARCHES: Final = 128
"""Templates that are tried in one stream: each costs as much as ten events, and no healthy stream has so many."""
_KEPT: Final = 4
"""Templates that are kept of one stream: text, reasoning and two tool calls may take turns."""
_MAX_FAILURES: Final = 8
"""Searches in vain in a row, from which on frames are passed over between two searches."""
_MAX_PASSED_OVER: Final = 16

_IMMUTABLE: Final = (int, str, bool, type(None), float)

Span = tuple[int, int, Slot]
"""Where a slot begins and ends in a payload, and its kind."""

# The other lines of a frame; seldom needed, and compiled by `re` itself.
_NAME_AND_ID: Final = r"(?:event: [^\n]*\n)?(?:id: ([^\n]+)\n)?(?:event: [^\n]*\n)?"


def meaning(reading: Reading) -> tuple[Any, ...] | None:
    """Return all that a reading says but for its text; None where it says more than one text of one choice."""
    deltas = reading.deltas
    if reading.kind is not EventClass.CONTENT or len(deltas) != 1 or reading.begins:
        return None
    delta = deltas[0]
    if reading.usage is not None or reading.failure is not None or delta.finish_reason is not None or delta.refusal:
        return None
    tools = delta.tools
    if bool(delta.text) + bool(delta.reasoning) + bool(tools) != 1 or len(tools) > 1:
        return None
    common = delta.choice, delta.role, reading.id, reading.model, reading.created
    if not tools:
        return bool(delta.text), *common
    tool = tools[0]
    if tool.whole or not tool.arguments:
        return None
    return tool.key, tool.id, tool.name, tool.kind, *common


class TemplateFinder:
    """Compares each frame of content with the one before it."""

    __slots__ = ("_failures", "_kept", "_pass_over", "_passed_over", "_previous", "_searches")

    def __init__(self) -> None:
        self._previous = b""
        self._kept: list[tuple[Template, tuple[Any, ...]]] = []  # with what each means
        self._searches = 0
        self._failures = 0  # in a row
        self._pass_over = self._passed_over = 0

    def find(self, dialect: Dialect, event: Event, wire: bytes, reading: Reading) -> Template | None:
        """Return the template of this frame, if there is one. To be called for each frame of content, in order."""
        # A longer frame is not kept: what is retained has its bound.
        previous, self._previous = self._previous, wire if len(wire) <= MAX_LENGTH else b""
        if not dialect.steady or (means := meaning(reading)) is None:
            return None
        for kept, kept_means in self._kept:
            if kept.spelling.match(wire) is not None:
                # Found earlier, with something else in between; what it means may have changed since.
                return kept if kept_means == means else None
        if self._passed_over < self._pass_over:
            self._passed_over += 1
            return None
        found = self._search(dialect, event, wire, reading, previous) if self._searches < MAX_SEARCHES else None
        if found is None:
            self._back_off()
        else:
            self._failures = self._pass_over = 0
            self._kept.insert(0, (found, means))
            del self._kept[_KEPT:]
        return found

    def _back_off(self) -> None:
        self._failures += 1
        if self._failures > _MAX_FAILURES:
            self._pass_over = min(_MAX_PASSED_OVER, 2 * self._pass_over or 1)
            self._passed_over = 0

    def _search(
        self, dialect: Dialect, event: Event, wire: bytes, reading: Reading, previous: bytes
    ) -> Template | None:
        found = _make_template(previous.decode(), dialect.varying, event, wire.decode(), reading)
        if found is None or not found.spelling.resembles(previous):
            return None
        self._searches += 1
        return found if _holds(dialect, found) else None


def _make_template(previous: str, keys: tuple[str, ...], event: Event, frame: str, reading: Reading) -> Template | None:
    """Cut out of a frame what may differ in the next one; None for a frame of other lines than name, id and data."""
    data = event.data
    lead = "" if frame == f"{data}\n" else "data: "
    head, found, tail = frame.partition(f"{lead}{data}\n")
    quoted = json.dumps(said(reading.deltas[0]), ensure_ascii=False)
    text_at = data.find(quoted) + 1
    if not found or not text_at or SLOT in frame:
        return None
    heads, tails = re.fullmatch(_NAME_AND_ID, head), re.fullmatch(_NAME_AND_ID + ("\n" if lead else ""), tail)
    if not heads or not tails or (heads[1] and tails[1]):
        return None
    spans: dict[int, tuple[int, Slot]] = {text_at: (text_at + len(quoted) - 2, TEXT)}
    for rule in SLOT_RULES:
        for start, end, slot in rule(data, previous, quoted, keys):
            spans.setdefault(start, (end, slot))
    payload, slots, done = "", [], -1
    for start, (end, slot) in sorted(spans.items(), key=lambda span: span[0]):
        if start <= done:
            return None  # nothing stands between the two
        payload += data[max(done, 0) : start] + SLOT
        slots.append(slot)
        done = end
    return Template(
        payload + data[done:],
        event.event,
        reading,
        slots=tuple(slots),
        text_at=slots.index(TEXT),
        head=_with_id_slot(heads),
        tail=_with_id_slot(tails),
        lead=lead,
    )


def _with_id_slot(lines: re.Match[str]) -> str:
    return lines[0] if lines[1] is None else lines[0][: lines.start(1)] + SLOT + lines[0][lines.end(1) :]


# What else differs from the frame before: each rule yields where it stands, and what may stand there.


def varying_keys(data: str, previous: str, quoted: str, keys: tuple[str, ...]) -> Iterator[Span]:
    """Strings and whole numbers under the keys that the dialect names."""
    for found in _values_of(keys).finditer(data) if keys else ():
        if found[0] not in previous:
            if found[1] is not None:
                yield *found.span(1), STRING
            else:
                yield *found.span(2), NUMBER


def twins(data: str, previous: str, quoted: str, keys: tuple[str, ...]) -> Iterator[Span]:
    """The text once more, under another key."""
    at = data.find(quoted) + len(quoted)
    while (at := data.find(f":{quoted}", at)) >= 0:
        key = data[data.rfind('"', 0, max(at - 1, 0)) : at]
        if f"{key}:{quoted}" not in previous:
            yield at + 2, at + len(quoted), TWIN
        at += len(quoted)


def padding(data: str, previous: str, quoted: str, keys: tuple[str, ...]) -> Iterator[Span]:
    """Blanks before the last brace."""
    count = _padding_of(data)
    if data.endswith("}") and count != _padding_of(previous.rstrip("\n")):
        yield len(data) - 1 - count, len(data) - 1, BLANKS


SLOT_RULES: Final = (varying_keys, twins, padding)


@cache
def _values_of(keys: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf'"(?:{"|".join(map(re.escape, keys))})": ?(?:"([^"\\]*+)"|([0-9]{{1,15}}+)(?![0-9.eE]))')


def _padding_of(text: str) -> int:
    return len(text) - 1 - len(text[:-1].rstrip(" ")) if text.endswith("}") else 0


def _holds(dialect: Dialect, template: Template) -> bool:
    """Return whether the dialect reads marks in the slots as it should: nothing but the text may change."""
    payload = template.events([slot.mark for slot in template.slots], "")[0].data
    value = prove(payload)
    if value is FLAWED or len(payload) > MAX_LENGTH or any(mark in payload for mark in dialect.exact_marks):
        return False
    reading = _copy(dialect).read(template.name, value)
    return meaning(reading) == meaning(template.reading) and said(reading.deltas[0]) == MARK


def _copy(dialect: Dialect) -> Dialect:
    """Return a copy whose state is its own."""
    twin = copy(dialect)
    state = vars(twin)
    for name, value in state.items():
        if type(value) not in _IMMUTABLE:
            state[name] = deepcopy(value)
    return twin
