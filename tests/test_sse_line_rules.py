"""Each rule for lines, as a function: where it asks for a change, and the neighbours that it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from unbroken import DEFAULT_REPAIRS, RepairKind
from unbroken.core.failure import Failure
from unbroken.core.sse.framer import parse_field
from unbroken.core.sse.line_rules import (
    FIELD_AFTER_DATA_RULES,
    FIRST_FIELD_RULES,
    NON_FIELD_RULES,
    Change,
    Seen,
    bare_done,
    blanks,
    error_line,
    foreign_body,
    misnamed_data,
    raw_json,
    second_document,
)

from .sse_rooms import seen_after
from .tables import but

CHAT = {"dialect": "openai-chat"}
DONE_LINES = (b"data: [DONE]", b"")
BLANK_LINE = Change(RepairKind.MISSING_BLANK_LINE, lines=(b"",))


def after_data(line: bytes) -> Change:
    return Change(RepairKind.MISSING_BLANK_LINE, ends_data=True, lines=(line,))


def event_of(line: bytes) -> Change:
    return Change(RepairKind.ERROR_LINE, lines=(line, b""))


def failure(status: int | None = None) -> Change:
    return Change(RepairKind.FOREIGN_BODY, failure=Failure("upstream-failed", status))


Row = tuple[Any, bytes, bytes, dict[str, Any], Change]
"""The rule, the open block, the line, options, and the change that the rule asks for."""

CHANGES: list[Row] = [
    (second_document, b"data: {}\n", b"data: {}", {}, after_data(b"data: {}")),
    (second_document, b"data: {}\n", b"data:[1]", {}, after_data(b"data:[1]")),
    (second_document, b'data: {"a":\ndata: 1}\nid: 7\n', b"data: {}", {}, after_data(b"data: {}")),
    (second_document, b"data: [1]\n", b"data: [DONE]", {}, after_data(b"data: [DONE]")),
    (error_line, b"", b'error: {"code":1}', {}, event_of(b'data: {"error": {"code":1}}')),
    (error_line, b"", b"error:{}", {}, event_of(b'data: {"error": {}}')),
    (error_line, b"", 'error: {"a":"\u2028"}  '.encode(), {}, event_of(b'data: {"error": {"a":"\\u2028"}}')),
    (blanks, b"data: {}\n", b" ", {}, BLANK_LINE),
    (blanks, b"id: 1\ndata: [1]\n: c\n", b" \t ", {}, BLANK_LINE),
    (blanks, b"data: [DONE]\n", b"\t", CHAT, BLANK_LINE),
    (bare_done, b"", b"[DONE]", CHAT, Change(RepairKind.DONE_SPELLING, lines=DONE_LINES)),
    (bare_done, b"", b"  [DONE]\t", CHAT, Change(RepairKind.DONE_SPELLING, lines=DONE_LINES)),
    (bare_done, b"data: {}\n", b"[DONE]", CHAT, Change(RepairKind.DONE_SPELLING, ends_block=True, lines=DONE_LINES)),
    (misnamed_data, b"", b"  data: {}", {}, Change(RepairKind.FIELD_NAME, lines=(b"data: {}",))),
    (misnamed_data, b"", b"DATA :[1]", {}, Change(RepairKind.FIELD_NAME, lines=(b"data: [1]",))),
    (misnamed_data, b"id: 1\n", b"\tdata\t:  [DONE]", {}, Change(RepairKind.FIELD_NAME, lines=(b"data:  [DONE]",))),
    (misnamed_data, b"data: {}\n", b" data: {}", {}, Change(RepairKind.FIELD_NAME, lines=(b"data: {}",))),
    (foreign_body, b"", b"<html>", {}, failure()),
    (foreign_body, b"", b"  <!DOCTYPE html>", {}, failure()),
    (foreign_body, b"", b"HTTP/1.1 502 Bad Gateway", {}, failure(502)),
    (foreign_body, b"", b"HTTP/2 429", {}, failure(429)),
]  # fmt: skip

RAW: list[tuple[bytes, bytes, bool]] = [
    # the open block, the line, and whether a blank line is missing before it
    (b"", b'{"a":1}', False),
    (b"", b"[1]", False),
    (b"", b'{"a":', False),
    (b"data: {}\n", b"[1]", True),
    (b"id: 1\ndata: {}\n: c\n", b'{"a":1}', True),
    (b'id: 1\nerror: {"code":1}\n', b'{"a":1}', True),
    (b'id: 1\nerror: {"code":1}\n', b'{"a":', True),
]

NONE: list[tuple[Any, bytes, bytes, dict[str, Any]]] = [
    (second_document, b"data: {}\n", b"data: 1", {}),
    (second_document, b"data: {}\n", b"data: ", {}),
    (second_document, b"data: {}\n", b"data:  {}", {}),  # the payload would begin with a blank
    (second_document, b"data: {}\n", b"data: {", {}),
    (second_document, b"data: {\n", b"data: }", {}),
    (second_document, b"data: {\n", b"data: {}", {}),
    (second_document, b'data: {"a":\n', b"data: [1]", {}),
    (second_document, b"data: {a}\n", b"data: {}", {}),
    (second_document, b"data: a\n", b"data: {}", {}),
    (second_document, b"data: [DONE]\n", b"data: {}", {}),
    (error_line, b"", b"error: oh", {}),
    (error_line, b"", b"error: [1]", {}),
    (error_line, b"", b"error: {", {}),
    (error_line, b"", b"error: {}{}", {}),
    (error_line, b"", b"error", {}),
    (blanks, b"data: {}\n", b"x", {}),
    (blanks, b"data: {}\n", b"\x0b", {}),
    (blanks, b"data: {}\n", "\u00a0".encode(), {}),
    (blanks, b"data: {\n", b" ", {}),
    (blanks, b"data: a\n", b" ", {}),
    (blanks, b"id: 1\n", b" ", {}),
    (blanks, b"", b" ", {}),
    (blanks, b"data: [DONE]\n", b" ", {}),
    (blanks, b"data: [DONE]\ndata: [DONE]\n", b" ", CHAT),
    (blanks, b"data: [DONE]\n", b" ", {"dialect": "anthropic"}),
    (bare_done, b"", b"[DONE]", {}),
    (bare_done, b"", b"[DONE]", {"dialect": "anthropic"}),
    (bare_done, b"", b"[done]", CHAT),
    (bare_done, b"", b"[DONE] {}", CHAT),
    (bare_done, b"data: {\n", b"[DONE]", CHAT),
    (bare_done, b"id: 1\n", b"[DONE]", CHAT),
    (raw_json, b"", b" {}", {}),
    (raw_json, b"", b'"a"', {}),
    (raw_json, b"", b"12", {}),
    (raw_json, b"", b"{} x", {}),
    (raw_json, b"", b"{}{}", {}),
    (raw_json, b"", b"[DONE]", {}),
    (raw_json, b"id: 1\n", b"{}", {}),
    (raw_json, b"id: 1\nerror: {\n", b"{}", {}),
    (raw_json, b"data: {\n", b"[1]", {}),
    (raw_json, b"data: a\nerror: {}\n", b"{}", {}),
    (raw_json, b"data: {}\n", b'{"a":', {}),
    (raw_json, b"data: {}\n", b"{a}", {}),
    (misnamed_data, b"", b" data: hello", {}),
    (misnamed_data, b"", b" data: 1", {}),
    (misnamed_data, b"", b" data {}", {}),
    (misnamed_data, b"", b" dat: {}", {}),
    (misnamed_data, b"", b"my data: {}", {}),
    (misnamed_data, b"", b"\x0bdata: {}", {}),
    (misnamed_data, b"data: {\n", b" data: {}", {}),
    (misnamed_data, b"data: a\n", b" data: {}", {}),
    (foreign_body, b"", b"<p>", {}),
    (foreign_body, b"", b"<htmlx>", {}),
    (foreign_body, b"", b"a <html>", {}),
    (foreign_body, b"", b"HTTP/1.1 200 OK", {}),
    (foreign_body, b"", b"HTTP/1.1 5022", {}),
    (foreign_body, b"", b"HTTP/1.10 502", {}),
    (foreign_body, b"", b"a HTTP/1.1 502", {}),
    (foreign_body, b"id: 1\n", b"<html>", {}),
]


def ask(rule: Any, line: bytes, seen: Seen) -> Change | None:
    """Ask a rule as the reader does: one of a field also gets the field's value."""
    if rule in NON_FIELD_RULES:
        return rule(line, seen)  # type: ignore[no-any-return]
    field = parse_field(line)
    assert field is not None
    return rule(line, field[1], seen)  # type: ignore[no-any-return]


def name(row: Any) -> str:
    return f"{row[0].__name__}: {row[1].decode()!r} + {row[2].decode()!r}"


@pytest.mark.parametrize(("rule", "block", "line", "options", "change"), CHANGES, ids=map(name, CHANGES))
def test_a_rule_asks_for_a_change_and_changes_nothing_itself(
    rule: Any, block: bytes, line: bytes, options: dict[str, Any], change: Change
) -> None:
    seen = seen_after(block, **options)
    assert ask(rule, line, seen) == change
    assert seen.block.wire == block
    assert not seen.gate.take_items()
    assert not seen.gate.report.repairs


@pytest.mark.parametrize(("rule", "block", "line", "options", "change"), CHANGES, ids=map(name, CHANGES))
def test_a_rule_is_silent_in_prose_and_where_its_repair_is_off(
    rule: Any, block: bytes, line: bytes, options: dict[str, Any], change: Change
) -> None:
    for others in ({"dialect": "text"}, {**options, **but(change.kind.value)}, {**options, "repairs": ()}):
        assert ask(rule, line, seen_after(block, **others)) is None
    assert ask(rule, line, seen_after(block, **options, repairs=DEFAULT_REPAIRS)) is not None


@pytest.mark.parametrize(("block", "line", "ends_block"), RAW)
def test_a_raw_document_begins_with_its_first_line(block: bytes, line: bytes, ends_block: bool) -> None:
    change = raw_json(line, seen_after(block))
    assert change is not None
    assert (change.kind, change.ends_block, change.lines) == (RepairKind.RAW_JSON, ends_block, ())
    assert change.begins_raw is not None
    assert change.begins_raw.whole is line.endswith((b"}", b"]"))
    for others in ({"dialect": "text"}, but("raw-json")):
        assert raw_json(line, seen_after(block, **others)) is None


@pytest.mark.parametrize(("rule", "block", "line", "options"), NONE, ids=map(name, NONE))
def test_a_rule_leaves_its_neighbours_alone(rule: Any, block: bytes, line: bytes, options: dict[str, Any]) -> None:
    assert ask(rule, line, seen_after(block, **options)) is None


def test_data_that_was_disproven_once_ends_no_block() -> None:
    seen = seen_after(b"data: {}\n")
    seen.evidence.disproven = True
    for rule, line in (
        (second_document, b"data: {}"),
        (blanks, b" "),
        (raw_json, b"{}"),
        (misnamed_data, b" data: {}"),
    ):
        assert ask(rule, line, seen) is None


def test_the_tables_of_this_page_hold_every_rule() -> None:
    rules = {*FIRST_FIELD_RULES.values(), *FIELD_AFTER_DATA_RULES.values(), *NON_FIELD_RULES}
    assert {row[0] for row in CHANGES} | {raw_json} == rules == {row[0] for row in NONE}
