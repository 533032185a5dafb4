"""`docs/repairs.md` is complete, and each of its examples runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import unbroken
from unbroken import DEFAULT_REPAIRS, RepairKind, StreamRepairer, StreamReport

PAGE = (Path(__file__).parent.parent / "docs" / "repairs.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `([a-z0-9-]+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLES = {name: text for name, text in SECTIONS.items() if name != "repeated-event"}
PAIRS = re.findall(r"^\| (`[a-z-]+`, `[a-z-]+`) \| `(.*?)` \| `(.*?)` \| `(.*?)` \| `(.*?)` \|$", PAGE, re.MULTILINE)
RESPELLINGS = re.findall(r"^\| `([a-z-]+)` \| `(.*?)` \| `(.*?)` \|$", PAGE, re.MULTILINE)


SOURCE = Path(unbroken.__file__).parent
CORE = [path for path in (SOURCE / "core").rglob("*.py") if path.name != "repairs.py"]


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
    assert set(report.repairs) == ({RepairKind(name)} if name != "after-done" else set())  # what follows is not read


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
    assert out.startswith(data)
    assert not report.repairs


@pytest.mark.parametrize("name", EXAMPLES)
def test_text_is_left_alone(name: str) -> None:
    data = row(EXAMPLES[name], "text")
    for options in ({}, {"dialect": "text"}):
        out, report = read(data, repairs=DEFAULT_REPAIRS | {RepairKind(name)}, **options)
        assert out == data
        assert not report.repairs


def test_two_flaws_in_one_payload_are_mended_together_and_neighbours_and_text_are_left_alone() -> None:
    assert len(PAIRS) > 8
    for names, broken, mended, neighbour, text in PAIRS:
        kinds = [RepairKind(name) for name in names.strip("`").split("`, `")]
        out, report = read(as_bytes(broken))
        assert (out, dict(report.repairs)) == (as_bytes(mended), dict.fromkeys(kinds, 1))
        for kind in kinds:  # with one of them alone it is not mended
            out, report = read(as_bytes(broken), repairs=DEFAULT_REPAIRS - {kind})
            assert kind not in report.repairs
            assert out != as_bytes(mended)
        for healthy in (neighbour, text):
            out, report = read(as_bytes(healthy))
            assert (out, dict(report.repairs)) == (as_bytes(healthy), {})


@pytest.mark.parametrize(("name", "before", "after"), RESPELLINGS)
def test_a_legal_spelling_is_made_canonical_without_a_repair(name: str, before: str, after: str) -> None:
    out, report = read(as_bytes(before), repairs=DEFAULT_REPAIRS - {kind for kind in RepairKind if kind.value == name})
    assert out == as_bytes(after)
    assert report.respellings[name] > 0
    assert not report.repairs


def code_of(section: str) -> dict[str, set[str]]:
    """Return the functions that a section names, by file."""
    found = re.search(r"^Code: (.*?)\.$", section, re.MULTILINE | re.DOTALL)
    assert found is not None
    files = [re.findall(r"`(.*?)`", part) for part in found[1].split(";")]
    return {file: set(functions) for file, *functions in files}


def functions_of(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}


def kinds_recorded(node: ast.AST, function: str = "") -> Iterator[tuple[str, str]]:
    """Yield each member of `RepairKind` with its function (or ""), where it is not merely asked about."""
    if isinstance(node, ast.Compare | ast.Subscript):
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "allows":
        return
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "RepairKind":
        yield node.attr, function
    for child in ast.iter_child_nodes(node):
        yield from kinds_recorded(child, node.name if isinstance(node, ast.FunctionDef) else function)


RECORDED = {
    (RepairKind[member].value, path.relative_to(SOURCE).as_posix(), function)
    for path in CORE
    for member, function in kinds_recorded(ast.parse(path.read_text("utf-8")))
}


@pytest.mark.parametrize("name", SECTIONS)
def test_the_code_that_a_section_names_exists(name: str) -> None:
    code = code_of(SECTIONS[name])
    for file, functions in code.items():
        assert functions, file
        assert functions <= functions_of(SOURCE / file)
    assert any(f"RepairKind.{RepairKind(name).name}" in (SOURCE / file).read_text("utf-8") for file in code)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_names_all_code_that_records_its_repair(name: str) -> None:
    code = code_of(SECTIONS[name])
    recorded = {(file, function) for kind, file, function in RECORDED if kind == name}
    assert recorded or name == "after-done"  # what follows is not read
    for file, function in recorded:
        assert file in code
        assert not function or function in code[file], (file, function)
