"""Which piece belongs to which tool call."""

import pytest

from unbroken import ToolFragment
from unbroken.core.calls import MAX_CALLS, Calls, longer_name


def put(calls: Calls, *fragments: ToolFragment) -> list[int]:
    """Give each piece to its call, and return the number of that call in the order in which they began."""
    numbers = []
    for fragment in fragments:
        call = calls.find(0, fragment) or calls.add(0, fragment)
        call.id, call.name = call.id or fragment.id, call.name or fragment.name
        call.arguments.write(fragment.arguments)
        numbers.append(calls.made.index(call))
    return numbers


OPENED = ToolFragment("a", "1", "f", '{"x":')
PLACES = [
    ("the same key", [OPENED, ToolFragment("a", arguments="1}")], [0, 0]),
    ("the key decides, whatever id and name say", [OPENED, ToolFragment("a", "2", "g", "1}")], [0, 0]),
    ("another key with an id", [OPENED, ToolFragment("b", "2", None, "1}")], [0, 1]),
    ("another key without anything", [OPENED, ToolFragment("b", arguments="1}")], [0, 0]),
    (
        "another key with what may begin the arguments of another call",
        [OPENED, ToolFragment("b", arguments="{}"), ToolFragment("b", "2", "g"), ToolFragment("a", arguments="1}")],
        [0, 1, 1, 0],
    ),
    (
        "an object behind a head without arguments",
        [ToolFragment("a", "1", "f"), ToolFragment("b", arguments="{")],
        [0, 0],
    ),
    ("behind whole arguments", [ToolFragment("a", "1", "f", "{}"), ToolFragment("b", arguments="{}")], [0, 1]),
    (
        "brackets and quotes within a text",
        [
            ToolFragment("a", "1", "f", '{"x":"}\\\\\\"'),
            ToolFragment("b", arguments="}"),
            ToolFragment("b", arguments='"}'),
        ],
        [0, 0, 0],
    ),
    (
        "an escape in two pieces",
        [
            ToolFragment("a", None, "f", '{"x":"\\'),
            ToolFragment("a", None, "f", '"}"}'),
            ToolFragment("a", None, "f", "{}"),
        ],
        [0, 0, 1],
    ),
    (
        "one that the provider runs",
        [ToolFragment("a", "1", "f", kind="hosted"), ToolFragment("b", arguments="{}")],
        [0, 1],
    ),
    (
        "free text",
        [ToolFragment("a", "1", "f", "x", kind="custom"), ToolFragment("b", arguments="y", kind="custom")],
        [0, 1],
    ),
    ("another name behind arguments", [ToolFragment("a", None, "f", "{}"), ToolFragment("a", None, "g", "{}")], [0, 1]),
    ("another name before them", [ToolFragment("a", None, "f"), ToolFragment("a", None, "g", "{}")], [0, 0]),
]


@pytest.mark.parametrize(("fragments", "numbers"), [case[1:] for case in PLACES], ids=[case[0] for case in PLACES])
def test_a_piece_belongs_to_the_call_that_its_key_its_id_and_its_name_show(
    fragments: list[ToolFragment], numbers: list[int]
) -> None:
    assert put(Calls(), *fragments) == numbers


def test_a_piece_that_may_be_of_several_calls_makes_its_choice_doubtful() -> None:
    calls = Calls()
    assert put(calls, OPENED, ToolFragment("b", "2", "g", '{"y":')) == [0, 1]
    assert calls.doubtful() == set()
    assert put(calls, ToolFragment("c", arguments="1}")) == [2]
    assert calls.doubtful() == {0}


def test_a_call_without_a_name_that_stands_alone_is_not_doubtful() -> None:
    calls = Calls()
    put(calls, ToolFragment("a", arguments="{}"))
    assert calls.doubtful() == set()


def test_keys_beyond_the_bound_are_not_followed() -> None:
    calls = Calls()
    put(calls, OPENED, *[ToolFragment(number, arguments=" ") for number in range(MAX_CALLS)])
    assert len(calls.made) == 2, "all but the last drifted from the one that is open"


NAMES = [(None, "f", "f"), ("f", "f", "f"), ("edit_", "file", "edit_file"), ("edit", "edit_file", "edit_file")]


@pytest.mark.parametrize(("name", "piece", "longer"), NAMES)
def test_a_name_grows_by_pieces_or_is_told_again(name: str | None, piece: str, longer: str) -> None:
    assert longer_name(name, piece) == longer
