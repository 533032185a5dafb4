"""The tokenizer reads what `repr` writes, and nothing is evaluated."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from unbroken.core.mending import read_repr
from unbroken.core.python_repr import read_bytes, read_dict
from unbroken.testing.strategies import json_objects


@given(json_objects())
def test_the_repr_of_any_json_object_is_read_back_to_its_value(value: dict[str, object]) -> None:
    assert json.loads(read_dict(repr(value))) == value


@given(json_objects())
def test_bytes_that_hold_a_frame_are_unwrapped(value: dict[str, object]) -> None:
    text = json.dumps(value)
    assert read_bytes(repr(text.encode())) == text
    assert read_repr(repr(f"data: {text}\n\n".encode())) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "{'a'}",
        "{1: 2}",
        "{'a': (1, 2)}",
        "{'a': 1",
        "{'a': __import__('os')}",
        "{'a': 'x' 'y'}",
        "{'a': nan}",
        "{'a': 1_000}",
        "{'a': 01}",
        "{'a': '\\N{BULLET}'}",
        "{'a': '\\101'}",
        "{}",
        "{'a': 1} and so on",
        "{'a': 1}#",
        "b'\\xff'",
        "b'not json'",
        "b'unclosed",
        "x'1'",
    ],
)
def test_anything_else_is_left_alone(text: str) -> None:
    assert read_repr(text) == []


def test_characters_and_their_escapes_are_read_the_same() -> None:
    assert read_repr("{'é': '\\xe9\\u20ac\\U0001f600\\x85'}") == ['{"é": "é€😀\x85"}']
    assert read_repr("{'a': '\\U0010ffff'}") == ['{"a": "\U0010ffff"}']
    assert read_dict("{'a': '\\U00110000'}") == "", "no character, and no exception"


def test_a_lone_surrogate_stays_an_escape() -> None:
    assert read_repr("{'a': '\\ud83d'}") == ['{"a": "\\ud83d"}']


def test_more_than_64_kib_are_not_read() -> None:
    assert read_repr(repr({"a": "x" * 70_000})) == []
