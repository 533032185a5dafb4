"""Repairs of payloads: what each one proves to be whole, and what it leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import RepairKind
from unbroken.core.mending import (
    DONE,
    MAX_REPR,
    PAYLOAD_MENDS,
    escape_separators,
    is_misspelt_done,
    join_raw_lines,
    mend_lines,
    mend_payload,
    one_line,
    read_repr,
    replace_non_finite,
    rescue_spliced,
    unwrap_frame,
)
from unbroken.core.proof import FLAWED, MAX_PROOF, is_whole, prove
from unbroken.testing.strategies import json_objects, json_values

LONG = "x" * MAX_PROOF


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("{}", "{}"),
        ('{"a": "é"}', '{"a": "é"}'),
        ('{"a": "\u2028\u2029\x85"}', '{"a": "\\u2028\\u2029\\u0085"}'),
    ],
)
def test_what_line_splitters_take_for_a_line_end_is_escaped(text: str, escaped: str) -> None:
    assert escape_separators(text) == escaped
    assert json.loads(escaped) == json.loads(text)
    assert (escape_separators(text) is text) == (escaped == text), "the text itself says that nothing was escaped"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('{\n  "a":\r\n 1\r}', '{  "a": 1}'),
        ('{"a":\r1}', '{"a":1}'),
        ('["\\n",\n"\\\\"]', '["\\n","\\\\"]'),
    ],
)
def test_a_document_is_spelt_on_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


@given(json_values(), st.sampled_from([None, 1, "\r\n", "\n\t"]))
def test_on_one_line_the_value_is_the_same(value: Any, indent: int | str | None) -> None:
    text = json.dumps(value, indent=indent)
    assert json.loads(one_line(text)) == value
    assert not set(one_line(text)) & set("\r\n")


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ('{"a": "x\ny"}', ['{"a": "x\\ny"}']),
        ('{"a":\n"x"}', ['{"a":"x"}']),
        ('[1,\n\n"\n\n"]', ['[1,"\\n\\n"]']),
        ('{"a": "\\"\n"}', ['{"a": "\\"\\n"}']),
        ('{"a": 1}', []),
        ('{"a": "x\n', []),
        ('"x\ny"', []),
        ("1\n2", []),
        ("{}\n{}", []),
        ('{"a": "x\ry\n"}', ['{"a": "x\\ry\\n"}']),
        ('{"a": "x\\\ny"}', []),
        ('{"a": "x\n1f\ny"}', []),
        ('{"a": "x\n1f\n", "b": 1}', []),
        ('{"a": "xxxxxx\nyyyyyyyyyyyyy\nz"}', []),
        ('{"a": "xxxxxx\nyyyyyyyyyyyyyyyyyyy\nz"}', []),  # `data: ` stood before the first line
        ('{"a": "xxxxxx\nyyyyyyyyyyyyyy\nz"}', ['{"a": "xxxxxx\\nyyyyyyyyyyyyyy\\nz"}']),
        ("{" + "\n" * (MAX_PROOF - 2) + "}", ["{}"]),
        ("{" + "\n" * (MAX_PROOF - 1) + "}", []),
    ],
)
def test_raw_line_ends_inside_one_document_are_repaired(text: str, repaired: list[str]) -> None:
    assert join_raw_lines(text) == repaired


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ('{"a": NaN}', ['{"a": null}']),
        ("[Infinity, -Infinity,NaN]", ["[null, null,null]"]),
        ('{"NaN": "Infinity", "b": NaN}', ['{"NaN": "Infinity", "b": null}']),
        ('{"a": "\\"NaN", "b": -Infinity}', ['{"a": "\\"NaN", "b": null}']),
        ("[Infinity]", ["[null]"]),
        ("[Infinity" + " " * (MAX_PROOF - 10) + "]", ["[null" + " " * (MAX_PROOF - 10) + "]"]),
        ("[Infinity" + " " * (MAX_PROOF - 9) + "]", []),
        ("NaN", []),
        ("[nan]", []),
        ("[NaNs]", []),
        ("[1NaN]", []),
        ("[NaN", []),
        ("[+Infinity]", []),
        ('{"a": "NaN}', []),
        ("the NaN", []),
    ],
)
def test_numbers_that_are_not_json_become_null(text: str, repaired: list[str]) -> None:
    assert replace_non_finite(text) == repaired


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ('data: {"a": 1}', ['{"a": 1}']),
        ("data:{}", ["{}"]),
        ("data: [DONE]", [DONE]),
        ("data:  [DONE] ", [DONE]),
        ("event: x\nid: 1\ndata: {}", ["{}"]),
        ("event: x\r\ndata: {}\r\n: note\rretry: 3", ["{}"]),
        ("event: x\rdata: {}", ["{}"]),
        ('data: {"a":\ndata: 1}', ['{"a":\n1}']),
        (": note\ndata: {}", ["{}"]),
        ("data: data: {}", []),
        ("data: text", []),
        ("data: 1", []),
        ("data: {", []),
        ("event: x", []),
        ("data: {}\nstray", []),
        ("Data: {}", []),
        (" data: {}", []),
        ('{"a": "data: {}"', []),
        ("", []),
    ],
)
def test_a_frame_in_a_payload_is_unwrapped_by_one_level(text: str, inner: list[str]) -> None:
    assert unwrap_frame(text) == inner


@pytest.mark.parametrize(
    ("text", "rescued"),
    [
        ('{"id": "adata: {"id": "b"}', ['{"id": "b"}']),
        ('{"id":1,"x":data:{"id":2}', ['{"id":2}']),
        ('{"id": "adata: {"id": "bdata: {"id": "c"}', ['{"id": "c"}']),
        ('{ "id": "a\ndata: { "id": "b"}', ['{ "id": "b"}']),
        ('{"id": "adata: {"other": "b"}', []),
        ('{"id": "adata: {"id": "b"', []),
        ('{"id": "adata:  {"id": "b"}', []),
        ('{"id": "a{"id": "b"}', []),
        ('adata: {"id": "b"}', []),
        ("{data: {}", []),
        ('{"id": "' + LONG[25:] + 'data: {"id": "b"}', ['{"id": "b"}']),
        ('{"id": "' + LONG[24:] + 'data: {"id": "b"}', []),
    ],
)
def test_a_whole_object_that_overwrote_a_broken_one_is_rescued(text: str, rescued: list[str]) -> None:
    assert rescue_spliced(text) == rescued


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("{'a': 'b', 'c': None, 'd': True}", ['{"a": "b", "c": null, "d": true}']),
        ("b'data: {}\\n\\n'", ["{}"]),
        ("b'{\"a\": 1}'", ['{"a": 1}']),
        ("b'data: [DONE]\\n\\n'", [DONE]),
        ('b"data: {}\\n\\n"', ["{}"]),
        ("b'xdata: {}'", []),
        ("b'text'", []),
        ('{"a": 1', []),
        ("['a']", []),
        ("{'a': object()}", []),
        ("'text'", []),
        ("", []),
        ("{'a': '" + "x" * (MAX_REPR - 9) + "'}", ['{"a": "' + "x" * (MAX_REPR - 9) + '"}']),
        ("{'a': '" + "x" * (MAX_REPR - 8) + "'}", []),
    ],
)
def test_a_repr_of_json_values_is_read(text: str, repaired: list[str]) -> None:
    assert read_repr(text) == repaired


@pytest.mark.parametrize(
    "text",
    [
        "[done]",
        "DONE",
        "done",
        " [DONE] ",
        "[ DONE ]",
        '"[DONE]"',
        "'[DONE]'",
        "[DONE",
        "DONE]",
        "\t[Done]",
        f"{'[DONE]':>16}",
    ],
)
def test_a_misspelt_done_is_known(text: str) -> None:
    assert is_misspelt_done(text)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "[DONE]x", "Well done", "[[DONE]]", "[DONE].", "d one", "[DONE]\n", " " * 11 + "[DONE]", "{DONE}"],
)
def test_what_may_be_text_is_not_a_misspelt_done(text: str) -> None:
    assert not is_misspelt_done(text)


@pytest.mark.parametrize(
    ("text", "kind", "pieces"),
    [
        ("[NaN]", RepairKind.NON_FINITE, ["[null]"]),
        ("{}[]", RepairKind.GLUED_JSON, ["{}", "[]"]),
        ("data: {}", RepairKind.DOUBLE_PREFIX, ["{}"]),
        ('{"a": data: {"a": 1}', RepairKind.SPLICED_EVENT, ['{"a": 1}']),
        ("{'a': 1}", RepairKind.PYTHON_REPR, ['{"a": 1}']),
        ("{'a': nan}", None, []),
        ("prose", None, []),
    ],
)
def test_the_first_repair_with_a_proof_is_taken_and_only_if_it_is_allowed(
    text: str, kind: RepairKind | None, pieces: list[str]
) -> None:
    assert mend_payload(text, lambda _: True) == ((kind,) if kind else (), pieces)
    assert mend_payload(text, lambda asked: asked is not kind) == ((), [])


NON_FINITE, CONTROL, BACKSLASH = RepairKind.NON_FINITE, RepairKind.RAW_CONTROL, RepairKind.LONE_BACKSLASH
NEWLINE, GLUED, FRAMED = RepairKind.RAW_NEWLINE, RepairKind.GLUED_JSON, RepairKind.DOUBLE_PREFIX


@pytest.mark.parametrize(
    ("text", "kinds", "pieces"),
    [
        ('{"a":"\t","b":NaN}', (NON_FINITE, CONTROL), ['{"a":"\\t","b":null}']),
        ('{"a":"\\d","b":NaN}', (NON_FINITE, BACKSLASH), ['{"a":"\\\\d","b":null}']),
        ('{"a":"\\d\t"}', (BACKSLASH, CONTROL), ['{"a":"\\\\d\\t"}']),
        ('{"a":"\\d\x1b","b":[NaN]}', (NON_FINITE, BACKSLASH, CONTROL), ['{"a":"\\\\d\\u001b","b":[null]}']),
        ('{"a":NaN}{"b":1}', (NON_FINITE, GLUED), ['{"a":null}', '{"b":1}']),
        ('{"a":"}{\t"}[NaN]', (NON_FINITE, CONTROL, GLUED), ['{"a":"}{\\t"}', "[null]"]),
        ('data: {"a":"\t"}', (FRAMED, CONTROL), ['{"a":"\\t"}']),
        ('event: "NaN\ndata: {"a":NaN}', (FRAMED, NON_FINITE), ['{"a":null}']),
        # The healthy neighbours: what looks like a second flaw is text
        ('{"a":"\t","b":"NaN \\\\d"}', (CONTROL,), ['{"a":"\\t","b":"NaN \\\\d"}']),
        ('{"a":NaN,"b":"data: {}{}"}', (NON_FINITE,), ['{"a":null,"b":"data: {}{}"}']),
        # Two solutions, or a proof that rests on there being one flaw
        ('{"a":"\\d\\n","b":NaN}', (), []),
        ('{"a":"\\\t","b":NaN}', (), []),
        ('{"id":"adata: {"id":NaN}', (), []),
        ("{'a': '\\d'}", (), []),
        ("{'a': NaN}", (), []),
        ('{"a":"\t","b":', (), []),
        ('{"a":"\t"} {"b":', (), []),
        ("NaN \t \\d", (), []),
    ],
)
def test_flaws_that_do_not_hide_each_other_are_mended_together_each_by_its_name(
    text: str, kinds: tuple[RepairKind, ...], pieces: list[str]
) -> None:
    assert mend_payload(text, lambda _: True) == (kinds, pieces)
    for kind in kinds:
        assert mend_payload(text, lambda asked, kind=kind: asked is not kind) == ((), [])


@pytest.mark.parametrize(
    ("text", "kinds", "pieces"),
    [
        ('{"a":"x\ny"}', (NEWLINE,), ['{"a":"x\\ny"}']),
        ('{"a":"x\ny\t"}', (NEWLINE,), ['{"a":"x\\ny\\t"}']),
        ('{"a":"x\ny",\n"b":NaN}', (NEWLINE, NON_FINITE), ['{"a":"x\\ny","b":null}']),
        ('{"a":"x\ny\\d"}', (NEWLINE, BACKSLASH), ['{"a":"x\\ny\\\\d"}']),
        ('{"a":"x\nNaN"}', (NEWLINE,), ['{"a":"x\\nNaN"}']),
        ('{"a":"x\ny\\n\\d"}', (), []),
        ('{"a":"x\\\ny","b":NaN}', (), []),
        ('{"a":"x\n1f\ny","b":NaN}', (), []),  # it looks wrapped, as it would without the number
        ('{"cho\nices":NaN}', (), []),
        ('{"a":NaN}', (), []),
        ("NaN\n\\d", (), []),
    ],
)
def test_a_document_with_raw_line_ends_may_have_a_flaw_within_a_token(
    text: str, kinds: tuple[RepairKind, ...], pieces: list[str]
) -> None:
    assert mend_lines(text, lambda _: True, keys=["choices"]) == (kinds, pieces)
    for kind in kinds:
        assert mend_lines(text, lambda asked, kind=kind: asked is not kind, keys=["choices"]) == ((), [])


@given(json_objects().map(json.dumps), st.data())
def test_whatever_a_repair_returns_is_whole_and_none_raises(text: str, draws: st.DataObject) -> None:
    at = draws.draw(st.integers(0, len(text)))
    damage = draws.draw(st.sampled_from(["\n", "NaN", "data: ", "'", '"', "}", "{}", "", "\\"]))
    damaged = text[:at] + damage + text[at + draws.draw(st.integers(0, 2)) :]
    for mend in (join_raw_lines, *(mend for _, mend in PAYLOAD_MENDS)):
        if prove(damaged) is FLAWED:
            assert all(is_whole(piece) for piece in mend(damaged))
    if prove(damaged) is FLAWED:
        for _, pieces in (mend_payload(damaged, lambda _: True), mend_lines(damaged, lambda _: True)):
            assert all(piece == DONE or is_whole(piece) for piece in pieces)
