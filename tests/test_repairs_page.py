"""`docs/repairs.md` is complete, and each of its examples runs."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from unbroken import DEFAULT_REPAIRS, RepairKind, StreamRepairer, StreamReport

PAGE = (Path(__file__).parent.parent / "docs" / "repairs.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `([a-z0-9-]+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLES = {name: text for name, text in SECTIONS.items() if name != "repeated-event"}
RESPELLINGS = re.findall(r"^\| `([a-z-]+)` \| `(.*?)` \| `(.*?)` \|$", PAGE, re.MULTILINE)


def as_bytes(escaped: str) -> bytes:
    quoted = escaped.replace("@@@@", "x" * 2000).replace("'", "\\'")
    value = ast.literal_eval(f"b'{quoted}'")
    assert isinstance(value, bytes)
    return value


def row(section: str, name: str) -> bytes:
    found = re.search(rf"^\| {name} \| `(.*)` \|$", section, re.MULTILINE)
    assert found is not None, f"no row {name!r}"
    return as_bytes(found[1])


def options_of(section: str) -> dict[str, Any]:
    found = re.search(r'With `dialect="([a-z-]+)"`', " ".join(section.split()))
    return {"dialect": found[1]} if found else {}


def read(data: bytes, **options: Any) -> tuple[bytes, StreamReport]:
    repairer = StreamRepairer(max_event_bytes=1024, **options)
    out = [frame for at in range(len(data)) for frame in repairer.feed(data[at : at + 1], 0.0)]
    out += repairer.close(0.0)
    return b"".join(out), repairer.report


def test_every_kind_has_its_section_and_no_other_does() -> None:
    assert set(SECTIONS) == {kind.value for kind in RepairKind}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_broken_example_becomes_the_mended_one_with_this_one_repair(name: str) -> None:
    section = EXAMPLES[name]
    kinds = DEFAULT_REPAIRS | {RepairKind(name)}
    out, report = read(row(section, "broken"), repairs=kinds, **options_of(section))
    assert out == row(section, "mended")
    assert set(report.repairs) == {RepairKind(name)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_without_its_kind_the_broken_example_is_not_mended_this_way(name: str) -> None:
    section = EXAMPLES[name]
    _, report = read(row(section, "broken"), repairs=DEFAULT_REPAIRS - {RepairKind(name)}, **options_of(section))
    assert RepairKind(name) not in report.repairs or name == "oversized-event"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_healthy_neighbour_is_left_alone(name: str) -> None:
    section = EXAMPLES[name]
    data = row(section, "neighbour")
    out, report = read(data, repairs=DEFAULT_REPAIRS | {RepairKind(name)}, **options_of(section))
    if name != "unfinished-tail":  # an open comment is no loss, and does not leave
        assert out.startswith(data)
    assert not report.repairs


@pytest.mark.parametrize("name", EXAMPLES)
def test_text_is_left_alone(name: str) -> None:
    data = row(EXAMPLES[name], "text")
    for options in ({}, {"dialect": "text"}):
        out, report = read(data, repairs=DEFAULT_REPAIRS | {RepairKind(name)}, **options)
        assert out == data
        assert not report.repairs


@pytest.mark.parametrize(("name", "before", "after"), RESPELLINGS)
def test_a_legal_spelling_is_made_canonical_without_a_repair(name: str, before: str, after: str) -> None:
    out, report = read(as_bytes(before))
    assert out == as_bytes(after)
    assert report.respellings[name] > 0
    assert not report.repairs
