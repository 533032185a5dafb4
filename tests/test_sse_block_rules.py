"""Each rule for blocks: which documents a flawed block holds, and which blocks are left alone."""

from __future__ import annotations

import pytest

from unbroken import RepairKind
from unbroken.core.mending import PAYLOAD_MENDS
from unbroken.core.proof import MAX_PROOF
from unbroken.core.sse.block import ParsedBlock
from unbroken.core.sse.block_rules import (
    BLOCK_RULES,
    USES_NON_FIELDS,
    documents_between,
    mend,
    raw_block,
    raw_documents,
    raw_newlines,
)


def everything(kind: RepairKind) -> bool:
    return True


@pytest.mark.parametrize(
    ("wire", "kind", "documents"),
    [
        (b'id: 1\nerror: {"a":1}\n', RepairKind.ERROR_LINE, ['{"error": {"a":1}}']),
        (b'id: 1\n[2]\nerror: {} \nerror: {"a":1}\n', RepairKind.ERROR_LINE, ['{"error": {}}', '{"error": {"a":1}}']),
        (b'{"a":\n1}\n', RepairKind.RAW_JSON, ['{"a":\n1}']),
        (b'id: 1\n{"a":1}\n', RepairKind.RAW_JSON, ['{"a":1}']),
        (b'data: {"a":"x\ny"}\n', RepairKind.RAW_NEWLINE, ['{"a":"x\\ny"}']),
        (b'data: {"a":"x\n\ty\\"\n z"}\n', RepairKind.RAW_NEWLINE, ['{"a":"x\\n\\ty\\"\\n z"}']),
        (b'data: {"a":\ndata: "x\ny"}\n', RepairKind.RAW_NEWLINE, ['{"a":"x\\ny"}']),
        (b'data: {"a":"\t"}\n', RepairKind.RAW_CONTROL, ['{"a":"\\t"}']),
        (b'data: {"a":"\\d"}\n', RepairKind.LONE_BACKSLASH, ['{"a":"\\\\d"}']),
        (b'data: {\n "a": 1\n}\n', RepairKind.RAW_NEWLINE, ['{ "a": 1}']),
        (b"data: {\ndata: [NaN]\n", None, []),
        (b'data: {"a":NaN}\n', RepairKind.NON_FINITE, ['{"a":null}']),
        (b"data: {}[1]\n", RepairKind.GLUED_JSON, ["{}", "[1]"]),
        (b"data: {}\ndata: {}\n", RepairKind.GLUED_JSON, ["{}", "{}"]),
        (b"data: data: {}\n", RepairKind.DOUBLE_PREFIX, ["{}"]),
        (b"data: data: [DONE]\n", RepairKind.DOUBLE_PREFIX, ["[DONE]"]),
        (b'data: {"id":"c","data: {"id":"c","z":1}\n', RepairKind.SPLICED_EVENT, ['{"id":"c","z":1}']),
        (b"data: {'a': None}\n", RepairKind.PYTHON_REPR, ['{"a": null}']),
        # Two solutions
        (b'data: {"a":"x\ndata: y"}\n', None, []),
        (b'data: {"a":"x\nid: 1\ny"}\n', None, []),
        (b'data: {"a":"x\n: c\ny"}\n', None, []),
        (b'data: {"a":"x\n1f\ny"}\n', None, []),
        # Whole, or nothing that any rule could prove to be whole
        (b"", None, []),
        (b"id: 1\n", None, []),
        (b"data: {}\n", None, []),
        (b"data: {}\nnot a field\n", None, []),
        (b"data: {}\n[1]\n", None, []),
        (b'data: {"a":\ndata: 1}\n', None, []),
        (b"data: \n", None, []),
        (b"data: {}\nerror: {}\n", None, []),
        (b"id: 1\nerror: {\nerror: oh\n", None, []),
        (b"data: [DONE]\n", None, []),
        (b"data: hello\n", None, []),
        (b"data: {\n", None, []),
        (b"data: {\nnot a field\n", None, []),
        (b"12\n", None, []),
        (b"{}\n{}\n", None, []),
        (b"data: [" + b" " * MAX_PROOF + b"]]\n", None, []),
    ],
)
def test_a_block_holds_what_the_first_rule_proves(wire: bytes, kind: RepairKind | None, documents: list[str]) -> None:
    block = ParsedBlock(wire)
    kinds = () if kind is None else (kind,)
    assert mend(block, everything) == (kinds, documents)
    assert block.wire == wire
    if kind is not None:
        assert kind not in mend(block, lambda other: other is not kind)[0]
        assert mend(block, lambda other: other is kind) == (kinds, documents)
    assert mend(block, lambda other: False) == ((), [])


def test_a_block_may_have_two_flaws() -> None:
    newline, non_finite, control = RepairKind.RAW_NEWLINE, RepairKind.NON_FINITE, RepairKind.RAW_CONTROL
    for wire, kinds, documents in (
        (b'data: {"a":"x\ny",\ndata: "b":NaN}\n', [newline, non_finite], ['{"a":"x\\ny","b":null}']),
        (b'data: {"a":"\t","b":NaN}\n', [non_finite, control], ['{"a":"\\t","b":null}']),
        (b'data: {"a":"x\ndata: y","b":NaN}\n', [], []),  # whoever wrote `data:` may have put the line end in
    ):
        assert mend(ParsedBlock(wire), everything) == (tuple(kinds), documents)


def test_a_rule_for_lines_between_leaves_the_others_case_alone() -> None:
    for rule, wire in (
        (raw_block, b'data: {"a":"x\ny"}\n'),
        (raw_newlines, b'{"a":\n1}\n'),
        (raw_newlines, b"data: {}\n"),
    ):
        block = ParsedBlock(wire)
        assert rule(block, block.payload) == []


def test_every_mend_of_payloads_is_a_rule_after_those_that_use_non_field_lines() -> None:
    kinds = [kind for kind, _ in BLOCK_RULES]
    of_blocks = [RepairKind.ERROR_LINE, RepairKind.RAW_JSON, RepairKind.RAW_NEWLINE, RepairKind.MISSING_BLANK_LINE]
    assert kinds == [*of_blocks, *(kind for kind, _ in PAYLOAD_MENDS)]
    assert set(kinds[1:3]) == set(USES_NON_FIELDS)
    for _, rule in BLOCK_RULES[3:]:
        assert rule(ParsedBlock(b"id: 1\n{'a': NaN}{}\n"), "", ()) == []


@pytest.mark.parametrize(
    ("wire", "found"),
    [
        (b"data: {}\n", []),
        (b"data: {}\n[1]\nnot a field\n{}\n", [(1, "[1]"), (1, "{}")]),
        (b"id: 1\n{}\n2 3\n", [(0, "{}")]),
        (
            b"id: 1\n[1]\nid: 2\n{}\ndata: {}\n[2]\ndata: {}\n[3]\n",
            [(0, "[1]"), (0, "{}"), (1, "[2]"), (2, "[3]")],
        ),
        (b"data: {}\n{\n}\n", []),
        (b'data: {}\n {}\n"a"\n12\n', []),
        (b"data: {}\n{a}\n", []),
    ],
)
def test_non_field_lines_that_are_documents_are_events_of_their_own(wire: bytes, found: list[tuple[int, str]]) -> None:
    block = ParsedBlock(wire)
    assert raw_documents(block, everything) == found
    assert raw_documents(block, lambda kind: kind is not RepairKind.RAW_JSON) == []


@pytest.mark.parametrize(
    ("wire", "ends", "parts"),
    [
        (b"data: {}[]\n[1]\ndata: [2]\n", [1], [["{}", "[]"], ["[2]"]]),
        (b"data: {}[]\n[1]\ndata: [2]\n[3]\ndata: [4]\n", [1, 2], [["{}", "[]"], ["[2]"], ["[4]"]]),
        (b'data: {}{"a":\n[1]\ndata: 2}\n', [1], None),
    ],
)
def test_the_documents_of_a_block_are_told_by_the_lines_that_hold_them(
    wire: bytes, ends: list[int], parts: list[list[str]] | None
) -> None:
    block = ParsedBlock(wire)
    assert documents_between(block, mend(block, everything)[1], ends, everything) == parts
