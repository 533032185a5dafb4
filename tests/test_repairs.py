"""The names of repairs: each once, each explained, each fit for a log, a metric and an anchor of a page."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

from unbroken import DEFAULT_REPAIRS, Repair, RepairKind
from unbroken.core import repairs


def test_every_slug_is_spelt_like_its_name_and_stands_once() -> None:
    slugs = [kind.value for kind in RepairKind.__members__.values()]
    assert len(slugs) == len(set(slugs)) == len(RepairKind)
    for name, kind in RepairKind.__members__.items():
        assert kind.value == name.lower().replace("_", "-")
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.value)


def test_every_kind_is_explained_in_a_sentence_of_its_own() -> None:
    (body,) = [
        node.body for node in ast.parse(inspect.getsource(repairs)).body if getattr(node, "name", "") == "RepairKind"
    ]
    members = {
        line.targets[0].id: getattr(getattr(text, "value", None), "value", "")
        for line, text in zip(body, [*body[1:], None], strict=True)
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)
    }
    assert set(members) == set(RepairKind.__members__)
    assert len(set(members.values())) == len(members)
    assert not [name for name, text in members.items() if not text.endswith((".", ").")) or " " not in text]


def test_the_defaults_are_all_kinds_but_the_one_that_adds_what_nobody_sent() -> None:
    assert frozenset(RepairKind) - DEFAULT_REPAIRS == {RepairKind.MISSING_DONE}


def test_a_repair_reads_kind_at_byte() -> None:
    assert str(Repair(RepairKind.GLUED_JSON, 120, 7)) == "glued-json at byte 120"


def test_repairs_are_frozen_values() -> None:
    repair = Repair(RepairKind.GLUED_JSON, 1, 2)
    assert len({repair, Repair(RepairKind.GLUED_JSON, 1, 2), Repair(RepairKind.GLUED_JSON, 1, 3)}) == 2
    with pytest.raises(AttributeError):
        repair.offset = 2  # type: ignore[misc]
