"""Single values are changed where they stand, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken.core.edits import Path, with_indexes

CASES: list[tuple[str, str, dict[Path, int], str]] = [
    ("a number", '{"index":0}', {(): 1}, '{"index":1}'),
    ("one that is missing", '{"a": 1}', {(): 1}, '{"index":1,"a": 1}'),
    ("an object without members", " { } ", {(): 1}, ' {"index":1 } '),
    ("a text, and blanks", '{ "index" :\t"0" , "a":1}', {(): 12}, '{ "index" :\t12 , "a":1}'),
    ("an escape in the name", '{"inde\\u0078":0}', {(): 1}, '{"inde\\u0078":1}'),
    ("the last of several", '{"index":0,"index":0}', {(): 1}, '{"index":0,"index":1}'),
    ("the last of several above", '{"a":[{}],"a":[{},{}]}', {("a", 1): 1}, '{"a":[{}],"a":[{},{"index":1}]}'),
    ("none", '{"index":0}', {}, '{"index":0}'),
    (
        "several, in any order",
        '{"a":[ {"index":0} , 7,{"index":[]}], "b":{"b":{}}}',
        {("b", "b"): 3, ("a", 2): 20, ("a", 0): 10},
        '{"a":[ {"index":10} , 7,{"index":20}], "b":{"b":{"index":3}}}',
    ),
]


@pytest.mark.parametrize(("data", "indexes", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_index_is_written_where_it_stands(data: str, indexes: dict[Path, int], expected: str) -> None:
    assert with_indexes(data, indexes) == expected


ROWS = st.lists(
    st.dictionaries(st.sampled_from(["index", "a", "}"]), st.sampled_from([0, "]", [{}], None]), max_size=3)
)


@given(st.lists(ROWS, max_size=3), st.data(), st.sampled_from([None, 1]))
def test_all_else_stays(value: list[list[dict[str, Any]]], data: st.DataObject, indent: int | None) -> None:
    paths: list[Path] = [(row, place) for row, held in enumerate(value) for place in range(len(held))]
    indexes = {path: number for number, path in enumerate(data.draw(st.permutations(paths))) if number % 2}
    text = with_indexes(json.dumps(value, indent=indent), indexes)
    expected = [
        [
            {**one, **({"index": indexes[row, place]} if (row, place) in indexes else {})}
            for place, one in enumerate(held)
        ]
        for row, held in enumerate(value)
    ]
    assert json.loads(text) == expected
