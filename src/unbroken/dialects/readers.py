"""The readers of a declared dialect: from a payload of one kind to a `Reading`, with no more work than it needs.

Each kind of payload gets one function, so that a piece of text costs what it would cost a reader written by hand. What
may say more, as something beside the piece shows, is read by all of the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..core.dialect import NOTHING, Delta, Reading
from .failures import find_failure
from .finishes import as_finish
from .paths import Get, Path, Test, any_of
from .rules import (
    CONTENT,
    FACTS,
    PING,
    ErrorRule,
    Read,
    Rules,
    always,
    compile_any,
    compile_begin,
    compile_full,
    compile_said,
    compile_usage,
)

if TYPE_CHECKING:
    from .declared import Declared


def compile_read(rules: Rules) -> Read:
    """Return the function that reads payloads of one kind by these rules."""
    read = compile_full(rules)
    used = rules.used()
    if used == {"pings"} and rules.pings == [always]:
        return _read_ping
    if not used - {"error"}:
        return _compile_nothing(rules.error, read)
    if used & {"text", "reasoning"}:
        pieces = [*rules.text, *rules.reasoning]
        if not used - {"text", "reasoning", "error", *FACTS} and len(pieces) == 1 and pieces[0].is_plain:
            return _compile_one_piece(pieces[0].first, read, is_text=bool(rules.text), has_facts=bool(used & FACTS))
        return _compile_piece(rules, read)
    return read


def keys_of_errors(rules: Rules) -> frozenset[str] | None:
    """Return the keys of which one is there where an error is told; None if the rules may say more, beside facts."""
    if rules.used() - {"error", *FACTS} or any(rule.needs is None for rule in rules.error):
        return None
    return frozenset(("error", "type", *[key for rule in rules.error for key in rule.needs or ()]))


def _read_ping(dialect: Declared, event: str, payload: Any) -> Reading:
    return PING


def _compile_nothing(rules: list[ErrorRule], read: Read) -> Read:
    """Compile what reads payloads that say nothing, unless they tell an error."""
    keys = frozenset(key for rule in rules for key in rule.needs or ())
    if any(rule.needs is None for rule in rules):
        return read

    def read_nothing(dialect: Declared, event: str, payload: Any) -> Reading:
        if payload.__class__ is dict and keys.isdisjoint(payload) and find_failure(event, payload) is None:
            return NOTHING
        return read(dialect, event, payload)

    return read_nothing


def _compile_one_piece(get: Get, read: Read, *, is_text: bool, has_facts: bool) -> Read:
    """Compile a piece under one path where nothing else is asked for; the first one, and what is more, in full."""

    def read_text(dialect: Declared, event: str, payload: Any) -> Reading:
        text = get(payload)
        if text.__class__ is not str or not text or "error" in payload or (has_facts and not dialect.has_begun):
            return read(dialect, event, payload)
        dialect.has_begun = True
        dialect.finished = dialect.whole = False
        return Reading(CONTENT, (Delta(0, None, text),))

    def read_reasoning(dialect: Declared, event: str, payload: Any) -> Reading:
        text = get(payload)
        if text.__class__ is not str or not text or "error" in payload or (has_facts and not dialect.has_begun):
            return read(dialect, event, payload)
        dialect.has_begun = True
        dialect.finished = dialect.whole = False
        return Reading(CONTENT, (Delta(0, None, "", text),))

    return read_text if is_text else read_reasoning


def _compile_piece(rules: Rules, read: Read) -> Read:
    """Compile what most payloads are: a piece of text or of reasoning, and usage; what may say more is read in full."""
    text, reasoning = compile_said(rules.text), compile_said(rules.reasoning)
    begin, completes, add_usage = compile_begin(rules), compile_any(rules.complete), compile_usage(rules.usage)
    has_facts = bool(rules.used() & FACTS)
    guards = [*_guards(rules)]
    asked = [guard for key, guard in guards if key is None]
    by_key = [(key, guard) for key, guard in guards if key is not None]
    keys = frozenset(key for key, _ in by_key)

    def read_piece(dialect: Declared, event: str, payload: Any) -> Reading:
        if has_facts and not dialect.has_begun:
            return read(dialect, event, payload)
        if payload.__class__ is dict and not keys.isdisjoint(payload):
            for key, guard in by_key:
                if key in payload and guard(payload):
                    return read(dialect, event, payload)
        for guard in asked:
            if guard(payload):
                return read(dialect, event, payload)
        said = text(payload) if text is not None else ""
        thought = reasoning(payload) if reasoning is not None else ""
        if (not said) is (not thought):
            return read(dialect, event, payload)
        delta = Delta(0, None, said, thought)
        if begin is not None:
            delta.parts = begin(dialect, payload, delta)
        dialect.has_begun = True
        dialect.finished = False
        dialect.whole = completes is not None and completes(payload)
        reading = Reading(CONTENT, (delta,))
        if add_usage is not None:
            add_usage(reading, payload)
        return reading

    return read_piece


def _guards(rules: Rules) -> Iterator[tuple[str | None, Test]]:
    """Yield what tells that a payload may say more than a piece of text, each with a key without which it need not be
    asked."""
    yield "error", always
    for rule in rules.error:
        if rule.needs is None:
            yield None, always
        else:
            yield from ((key, always) for key in rule.needs)
    for tool in rules.tools:
        says = any_of([_gives(get) for get in (tool.id, tool.name, tool.arguments, tool.whole) if get is not None])
        yield (None, says) if tool.at is None else (tool.at.needs, _holds_one(tool.at, says))
    for path in (*rules.refusal, *rules.text_whole, *rules.reasoning_whole):
        yield path.needs, _leads(path)
    for path in rules.finish:
        yield path.needs, _finishes(path)
    yield from ((None, test) for test in (*rules.begins, *rules.ends))


def _leads(path: Path) -> Test:
    return _gives(path.first) if path.is_single else lambda payload: bool(path.all(payload))


def _holds_one(path: Path, says: Test) -> Test:
    if path.is_single:
        get = path.first
        return lambda payload: (call := get(payload)) is not None and says(call)
    every = path.all
    return lambda payload: any(map(says, every(payload)))


def _gives(get: Get) -> Test:
    return lambda payload: get(payload) is not None


def _finishes(path: Path) -> Test:
    get = path.first
    return lambda payload: (value := get(payload)) is not None and as_finish(value) is not None
