"""What the message of a broken contract shows."""

from __future__ import annotations

from typing import Any

from unbroken.testing.cases import Clause
from unbroken.testing.contract.counterexample import ContractBroken
from unbroken.testing.cuts import describe_cut
from unbroken.testing.shown import shown


def message(chunks: list[bytes], expected: Any, seen: Any) -> dict[str, str]:
    """Return the rows of the message by their names."""
    _, *rows = str(ContractBroken("a reader", Clause.BOM, chunks, expected, seen)).split("\n")
    return {name: value for name, _, value in (row.strip().partition("  ") for row in rows)}


def test_of_two_mappings_the_message_shows_what_differs() -> None:
    rows = message([b"a"], {"wire": b"x", "events": 1, "text": "a"}, {"wire": b"x", "events": 2, "more": None})
    assert rows["expected"].strip() == "{'events': 1, 'text': 'a'}"
    assert rows["seen"].strip() == "{'events': 2, 'more': None}"


def test_what_is_equal_is_shown_whole() -> None:
    rows = message([b"a"], {"events": 1}, {"events": 1})
    assert rows["expected"].strip() == rows["seen"].strip() == "{'events': 1}"
    assert message([b"a"], (("message", "a", ""),), ())["expected"].strip() == "(('message', 'a', ''),)"


def test_long_values_are_shown_by_their_ends() -> None:
    data = b"data: " + b"x" * 100_000 + b"\n\n"
    for row in (shown(data), describe_cut([data, b"\n", data]), *message([data], [data], {"wire": data}).values()):
        assert len(row) < 5000
    assert shown(data).startswith("b'data: x")
    assert shown(data).endswith("x\\n\\n'")
    assert "..." in shown(data)
    assert ContractBroken("a reader", Clause.BOM, [data], None, None).data == data
