"""A proof is strict and bounded, and says the same whoever asks; the scanner only says when to try one."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken.core import proof
from unbroken.core.proof import (
    FLAWED,
    MAX_LEVELS,
    MAX_PROOF,
    UNPROVEN,
    BracketScanner,
    is_whole,
    prove,
    prove_series,
    read_exactly,
)
from unbroken.testing.cuts import cuttings
from unbroken.testing.standard import is_json
from unbroken.testing.strategies import chunkings, json_texts, json_values

DEEPEST = "[" * MAX_LEVELS + "]" * MAX_LEVELS
NEARLY_JSON = st.text(st.sampled_from('{}[]",:\\ \t\n10.eE-+aunltrfse\u2028')) | st.text()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        ("[]", []),
        (" \t\r\n{} \t\r\n", {}),
        ("null", None),
        (" true", True),
        ('"a"', "a"),
        ("-0.5e3", -500.0),
        ('{"a": [1, "\\ud83d"]}', {"a": [1.0, "\ud83d"]}),
        ('{"a": 1, "a": 2}', {"a": 2.0}),
        (DEEPEST, json.loads(DEEPEST)),
        ("[[]," + DEEPEST[1:], [[], *json.loads(DEEPEST)]),
        ('"' + "[" * 300 + '"', "[" * 300),
        ("[" + "{},[]," * 200 + "1]", [{}, []] * 200 + [1.0]),
    ],
)
def test_strict_json_is_proven(text: str, value: Any) -> None:
    assert prove(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{", "}", "{}}", "{} {}", "[1,]", "{'a': 1}", "{a: 1}", "[1 2]", "01", "1.", ".5", "+1", "0x1", "tru",
        "NaN", "Infinity", "-Infinity", "[NaN]", '{"a": -Infinity}', "nan", '"a', '"a\nb"', '"\t"', '"\\x"', '"\\u12"',
        "\ufeff{}", "\xa0{}", "{}\x0c", "{}\u2028", "{}\0", "[DONE]", "[" + DEEPEST + "]", "[" * 100_000,
        '{"a":' * 201 + "1" + "}" * 201,
    ],
)  # fmt: skip
def test_what_is_not_one_strict_json_text_is_flawed(text: str) -> None:
    assert prove(text) is FLAWED
    assert not is_whole(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [("{}", True), (" [1]\n", True), ("null", False), ('"{}"', False), ("1", False), ("{", False), ("", False)],
)
def test_objects_and_arrays_alone_are_whole(text: str, whole: bool) -> None:
    assert is_whole(text) is whole


@given(NEARLY_JSON | json_texts())
def test_the_proof_agrees_with_a_second_strict_parser(text: str) -> None:
    assert (prove(text) is not FLAWED) == is_json(text)


def test_a_megabyte_is_proven_and_one_character_more_is_not_judged() -> None:
    longest = '"' + "a" * (MAX_PROOF - 2) + '"'
    assert prove(longest) == longest[1:-1]
    assert prove(longest + " ") is UNPROVEN
    assert prove("{" * (MAX_PROOF + 1)) is UNPROVEN
    assert not is_whole("[" + " " * MAX_PROOF + "]")
    assert prove_series("{}" + " " * MAX_PROOF + "{}") == []
    assert prove_series("{}" + " " * (MAX_PROOF - 4) + "{}") == ["{}", "{}"]


def test_the_results_that_are_not_values_show_their_names() -> None:
    assert (repr(FLAWED), repr(UNPROVEN)) == ("FLAWED", "UNPROVEN")


def test_an_integer_of_any_length_is_proven() -> None:
    digits = "9" * 5000
    assert prove(digits) == math.inf
    assert read_exactly(f"[{digits}]") == [math.inf]


@pytest.mark.parametrize("text", ["9007199254740993", " [12345678901234567890, 1.5]", "9" * 4000])
def test_whole_numbers_are_read_exactly_where_it_is_asked_for(text: str) -> None:
    assert read_exactly(text) == json.loads(text)
    assert type(read_exactly("7")) is int


def test_the_depth_of_the_caller_leaves_a_payload_unjudged_and_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    # Where the interpreter's own stack ends differs between its versions, so the parser's answer is given by hand.
    def overflow(text: str, at: int) -> Any:
        raise RecursionError

    monkeypatch.setattr(proof, "_scan", overflow)
    assert prove("[]") is UNPROVEN
    assert prove_series("[][]") == []
    assert sys.getrecursionlimit() > MAX_LEVELS


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("{}{}", ["{}", "{}"]),
        (' {"a": 1} \n[2]{}  ', ['{"a": 1}', "[2]", "{}"]),
        ("{}data: {}", ["{}", "{}"]),
        ("{}data:[]", ["{}", "[]"]),
        ("{}", []),
        ("", []),
        (" ", []),
        ("{}x", []),
        ("x{}{}", []),
        ("{} 1", []),
        ("{}{", []),
        ("{}{'a': 1}", []),
        ("{}data: data: {}", []),
        ("{}[NaN]", []),
        ("{}," + "{}", []),
        ("[" * 201, []),
        ("{}[" + DEEPEST + "]", []),
        ("{}" * 500, ["{}"] * 500),
    ],
)
def test_glued_documents_are_separated_or_left_alone(text: str, pieces: list[str]) -> None:
    assert prove_series(text) == pieces


@given(st.lists(json_values().filter(lambda value: isinstance(value, (dict, list))).map(json.dumps), min_size=2))
def test_documents_that_were_glued_are_returned(documents: list[str]) -> None:
    assert prove_series("".join(documents)) == documents


# The bracket scanner


def naive(data: bytes) -> tuple[bool, bool]:
    """Count brackets byte by byte, outside of strings; return `whole` and `spoiled`."""
    depth, in_string, escaped, closed = 0, False, False, False
    for byte in data:
        mark = bytes([byte])
        if depth == 0:
            if mark in b" \t\r\n":
                continue
            if closed or mark not in b"{[":
                return False, True
            depth = 1
        elif escaped:
            escaped = False
        elif mark == b"\\":
            escaped = True
        elif mark == b'"':
            in_string = not in_string
        elif not in_string and mark in b"{[":
            depth += 1
        elif not in_string and mark in b"}]":
            depth -= 1
            closed = depth == 0
    return closed, False


def scan(chunks: list[bytes]) -> tuple[bool, bool]:
    scanner = BracketScanner()
    for chunk in chunks:
        scanner.feed(chunk)
    return scanner.whole, scanner.spoiled


@pytest.mark.parametrize(
    ("data", "whole", "spoiled"),
    [
        (b"", False, False),
        (b"  \n", False, False),
        (b"{}", True, False),
        (b" [ ] \n", True, False),
        (b"{", False, False),
        (b'{"a": "}"', False, False),
        (b'{"a": "\\"}"}', True, False),
        (b'{"a": "\\""}', True, False),
        (b'{"a": "\\\\"}', True, False),
        (b"{\\}}", True, False),
        (b"{]", True, False),
        (b"{}x", False, True),
        (b"{}{}", False, True),
        (b"x", False, True),
        (b'"{}"', False, True),
        (b"}", False, True),
    ],
)
def test_the_scanner_says_when_a_proof_is_worth_trying(data: bytes, whole: bool, spoiled: bool) -> None:
    for chunks in cuttings(data):
        assert scan(chunks) == (whole, spoiled)


@given(st.data(), st.text(st.sampled_from('{}[]"\\ \na'), max_size=30).map(str.encode))
def test_the_scanner_agrees_with_a_count_byte_by_byte(draws: st.DataObject, data: bytes) -> None:
    assert scan(draws.draw(chunkings(data))) == naive(data)


@given(json_texts())
def test_whatever_is_whole_json_is_whole_to_the_scanner(text: str) -> None:
    assert scan([text.encode()])[0] or not is_whole(text)
