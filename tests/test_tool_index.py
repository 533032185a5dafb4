"""Which index the pieces of tool calls should have had: what is renumbered, and what is left alone."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from unbroken import RepairKind, StreamRepairer
from unbroken.testing.cuts import cut

from .laws import check_chained, check_chunking, check_fast_path, check_idempotent, repaired
from .tables import but


def piece(index: Any = None, arguments: Any = None, name: str | None = None, id: str | None = None) -> dict[str, Any]:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    places = {key: value for key, value in (("index", index), ("id", id)) if value is not None}
    return {**places, "function": function}


def chunk(*tools: Any, choice: int = 0, finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": choice, "delta": {"tool_calls": list(tools)}, "finish_reason": finish}],
    }


END = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in chunks) + b"data: [DONE]\n\n"


def indexes(wire: bytes) -> list[Any]:
    """Return the index of each piece that a wire holds; "" where there is none."""
    payloads = [json.loads(line[6:]) for line in wire.decode().split("\n\n") if line.startswith("data: {")]
    tools = [tool for payload in payloads for choice in payload["choices"] for tool in choice["delta"]["tool_calls"]]
    return [tool.get("index", "") for tool in tools]


A, B = piece(0, "", "f", "a"), piece(0, "", "g", "b")
AX, BY = piece(0, '{"x":1}', "f", "a"), piece(0, '{"y":2}', "g", "b")
AO = piece(0, "{", "f", "a")

RENUMBERED: dict[str, tuple[Sequence[Any], list[int]]] = {
    "two calls at one index": ([A, piece(0, '{"x"'), piece(0, ":1}"), B, piece(0, '{"y":2}')], [0, 0, 0, 1, 1]),
    "whole calls at one index": ([AX, BY, piece(0, "{}", "h", "c")], [0, 1, 2]),
    "ids alone tell them apart": ([AX, piece(0, '{"x":2}', "f", "b")], [0, 1]),
    "names alone tell them apart": ([piece(0, "{}", "f"), piece(0, '{"y":', "g"), piece(0, "2}")], [0, 1, 1]),
    "one name, other arguments": ([piece(0, '{"x":1}', "f"), piece(0, '{"x":2}', "f")], [0, 1]),
    "no index": ([piece(None, "{}", "f", "a"), piece(None, "{}", "g", "b")], [0, 1]),
    "no index and no id": ([piece(None, '{"x":', "f"), piece(None, "1}"), piece(None, "{}", "g")], [0, 0, 1]),
    "one call without an index": ([piece(None, "", "f", "a"), piece(None, '{"x":'), piece(None, "1}")], [0, 0, 0]),
    "an index that is null": ([{**piece(None, "{}", "f", "a"), "index": None}], [0]),
    "an index that is text": ([piece("0", "{}", "f", "a"), piece("1", "{}", "g", "b")], [0, 1]),
    "the head at 0, the tail at 1": ([AO, piece(1, '"x":'), piece(1, "1}")], [0, 0, 0]),
    "an index per piece": ([AO, piece(1, '"x":'), piece(2, '{"z":1'), piece(3, "}"), piece(4, " }")], [0] * 5),
    "heads and tails drift": ([AO, piece(1, "}"), piece(1, '{"y"', "g", "b"), piece(2, ":2}")], [0, 0, 1, 1]),
    "behind a place that was held by an empty object": (
        [piece(0, "{}", "f", "a"), piece(0, '{"x":'), piece(0, "1}"), B, piece(0, "{}"), piece(0, "{}", "h", "c")],
        [0, 0, 0, 1, 1, 2],
    ),
    "a head without an index": ([piece(None, "", "f", "a"), piece(0, '{"x":1}'), piece(0, "{}", "g", "b")], [0, 0, 1]),
    "indexes that are text": (
        [piece("0", "{", "f", "a"), piece("1", "{", "g", "b"), piece("0", "}"), piece("1", "}")], [0, 1, 0, 1]
    ),
    "text, and another call at the same index": ([piece("2", "{}", "f", "a"), piece("2", "{}", "g", "b")], [2, 3]),
    "an id that was told at another index": ([{**AX, "index": None}, piece(0, " ", "f", "a"), BY], [0, 0, 1]),
    "a third call where the second one went": ([AX, BY, piece(1, "{}", "h", "c"), piece(1, " ")], [0, 1, 2, 2]),
    "the id goes back to the first": ([AX, BY, piece(0, " ", None, "a")], [0, 1, 0]),
    "the first id at the place of an open call": ([AX, piece(0, "{", "g"), piece(0, "}", None, "a")], [0, 1, 1]),
    "all once more, whole": ([AX, BY, piece(0, "", "f", "a"), piece(0, "", "g", "b")], [0, 1, 0, 1]),
    "a quote and a bracket within a string": ([piece(0, '{"x":"\\"}', "f", "a"), piece(1, '"}')], [0, 0]),
    "a cut behind a backslash": ([piece(0, '{"x":"\\', "f", "a"), piece(1, '"}'), piece(1, '"}')], [0, 0, 0]),
    "from another first index on": ([piece(3, "{}", "f", "a"), piece(3, "{}", "g", "b")], [3, 4]),
}  # fmt: skip

LEFT: dict[str, Sequence[Any]] = {
    "parallel calls": [A, piece(1, "", "g", "b"), piece(0, '{"x"'), piece(1, "{}"), piece(0, ":1}")],
    "parallel calls of one name": [piece(0, "{}", "f", "a"), piece(1, "{}", "f", "b")],
    "one id for all": [piece(0, "{}", "f", "a"), piece(1, "{}", "f", "a")],
    "indexes with a gap": [piece(1, "{}", "f", "a"), piece(5, "{}", "g", "b"), piece(1, " ")],
    "the id and the name in each piece": [AX, piece(0, "", "f", "a"), piece(0, " ", "f", "a")],
    "the name in each piece": [piece(0, '{"x"', "f"), piece(0, ":1}", "f"), piece(0, "", "f")],
    "another id in each piece": [piece(0, "{", "f", "a"), piece(0, "}", None, "b"), piece(0, "", None, "c")],
    "a name in pieces": [piece(0, "", "get_", "a"), piece(0, "", "it"), piece(0, "{}")],
    "a name that comes last": [piece(0, None, None, "a"), piece(0, None, "f"), piece(0, "{}")],
    "other ids and names within arguments": [piece(0, '{"x"', "f", "a"), piece(0, ":1}", "g", "b"), BY],
    "another id before any arguments": [A, piece(0, '{"x":1}', "f", "b"), piece(0, "{}", "g", "c")],
    "two heads, then arguments of whom": [A, B, piece(0, '{"x":1}'), piece(0, '{"y":2}')],
    "told twice": [piece(0, '{"x":1}', "f"), piece(0, '{"x":1}', "f")],
    "a place that was held by an empty object": [piece(0, "{}", "f"), piece(0, '{"x":1}', "f")],
    "two calls wait": [A, piece(1, "", "g", "b"), piece(2, '{"x":1}')],
    "the header behind the arguments": [piece(0, "{}"), A, piece(1, '{"y":1}'), piece(1, None, "g", "b")],
    "the header behind arguments beside an open call":
        [AO, piece(1, '{"y":'), piece(1, "1}", "g", "b"), piece(0, "}")],
    "the header behind an object that the open call could hold": [
        piece(0, '{"x":', "f", "a"),
        piece(1, '{"y":1}'),
        piece(1, None, "g", "b"),
        piece(0, "1}"),
    ],
    "two objects, then another header": [AX, piece(0, '{"y":1}'), B],
    "headers of one id behind the arguments":
        [piece(0, "{"), piece(1, "{"), A, piece(1, "", "g", "a"), piece(0, "}"), piece(1, "}")],
    "the header behind the arguments, all at one index":
        [piece(0, "{}"), A, piece(0, '{"y":1}'), B, piece(0, "{}", "h", "c")],
    "the head at 0, what may be a call at 1": [A, piece(1, '{"x":'), piece(1, "1}")],
    "a call at each index": [A, piece(1, '{"x"'), piece(2, ":1"), piece(3, "}")],
    "arguments that are null": [AO, piece(1, "null"), piece(1, None, "g", "b"), piece(0, "}")],
    "an id of another index": [AO, piece(1, "{", "g", "b"), piece(0, "}", None, "b"), piece(1, "}")],
    "a name that goes on behind an empty object": [piece(0, "{}", "get_", "a"), piece(0, "", "it")],
    "fractions": [piece(0.5, "{", "f", "a"), piece(1.5, "{", "g", "b"), piece(0.5, "}"), piece(1.5, "}")],
    "a fraction among others": [AX, piece(0.5, "{}", "g", "b"), piece(0, "{}", "h", "c")],
    "no index, and the header behind the arguments": [piece(None, "{}"), piece(None, None, "f", "a")],
    "no call waits": [AX, piece(1, '{"y":2}')],
    "nothing but a tail": [piece(4, '{"y"'), piece(4, ":2}")],
    "a beginning of another call": [piece(0, "", "f", "a"), piece(1, ""), piece(1, None, "g", "b")],
    "free text": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "{}"}},
                  {"index": 0, "id": "b", "type": "custom", "custom": {"name": "g", "input": "{}"}}],
    "not objects": [7, None, AX],
}  # fmt: skip


@pytest.mark.parametrize("name", RENUMBERED)
@pytest.mark.parametrize("together", [False, True], ids=["a chunk each", "one chunk"])
def test_a_piece_gets_the_index_of_its_call(name: str, together: bool) -> None:
    tools, expected = RENUMBERED[name]
    data = stream(*([chunk(*tools)] if together else [chunk(tool) for tool in tools]), END).replace(
        b'"delta": {}', b'"delta": {"tool_calls": []}'
    )
    result = repaired([data])
    assert indexes(result.wire) == expected
    assert {*result.report.repairs} == {RepairKind.TOOL_INDEX}
    assert all(call["arguments_complete"] for call in result.report.tool_calls)
    assert len(result.report.tool_calls) == len({*expected})
    for check in (check_idempotent, check_chained):
        check(data)
    chunks = cut(data, sorted(random.Random(name).choices(range(len(data) + 1), k=9)))
    check_chunking(chunks)
    check_chunking([data[at : at + 1] for at in range(len(data))])
    check_fast_path(chunks)


@pytest.mark.parametrize("name", LEFT)
def test_what_may_be_meant_otherwise_is_left_alone(name: str) -> None:
    data = stream(*[chunk(tool) for tool in LEFT[name]], END)
    result = repaired([data])
    assert result.wire == data
    assert not result.report.repairs
    check_fast_path([data[at : at + 1] for at in range(len(data))])


@pytest.mark.parametrize(
    "options",
    [but("tool-index"), {"repairs": ()}, {"dialect": "text"}, {"last_event_id": "7"}],
    ids=["all but this", "none", "prose", "resumed"],
)
def test_where_it_is_not_wanted_nothing_changes(options: dict[str, Any]) -> None:
    data = stream(chunk(AX), chunk(BY), END)
    assert repaired([data], **options).wire == data


def test_all_but_the_index_stays_as_it_is_spelt() -> None:
    odd = (
        b'data: {"n": 1.50, "choices" :[ {"delta": {"tool_calls":[],"tool_calls": [ {"index" :0,"id":"a","function":'
        b'{"name":"f","arguments":"{}"},"index": 0e0 }, { } ,{"id":"b", "function":{"name":"g",'
        b'"arguments":"\\u007b}"}}]},"index":0}]}\n\n'
    )
    expected = odd.replace(b'{"id":"b"', b'{"index":1,"id":"b"').replace(b"{ }", b'{"index":0 }')
    assert repaired([odd]).wire.startswith(expected)


def spell_lines(text: str) -> bytes:
    return "".join(f"data: {line}\n" for line in text.split("\n")).encode() + b"\n"


def test_a_payload_over_several_lines_is_renumbered_in_each_framing() -> None:
    text = json.dumps(chunk(AX, BY), indent=1)
    at = text.rindex('"index": 0', 0, text.index('"id": "b"'))
    mended = text[:at] + text[at:].replace('"index": 0', '"index": 1', 1)
    sse = repaired([spell_lines(text)], dialect="openai-chat")
    assert sse.wire.startswith(spell_lines(mended))
    array = repaired([f"[{text}]".encode()], dialect="openai-chat")
    assert array.wire.startswith(f"[{mended}".encode())
    line = repaired([json.dumps(chunk(AX, BY)).encode() + b"\n"], dialect="openai-chat", format="ndjson")
    assert line.report.repairs[RepairKind.TOOL_INDEX] == 1


def test_each_choice_has_its_own_calls() -> None:
    data = stream(chunk(AX), chunk(BY, choice=1), chunk(BY), chunk(piece(0, "{}", "h", "c"), choice=1))
    assert indexes(repaired([data]).wire) == [0, 0, 1, 1]


def test_behind_a_finish_reason_an_index_may_begin_anew() -> None:
    data = stream(chunk(AX, finish="tool_calls"), chunk(BY, finish="tool_calls"))
    result = repaired([data])
    assert result.wire == data
    assert [call["name"] for call in result.report.tool_calls] == ["f", "g"]


def test_a_frame_that_would_grow_over_the_limit_stays_as_it_is_and_so_do_all_that_follow() -> None:
    long = chunk(piece(None, json.dumps({"x": "x" * 900}), "f", "a"))
    data = stream(long, chunk(piece(None, "{}", "g", "b")), END)
    size = data.index(b"\n\n") + 2
    assert repaired([data], max_event_bytes=size + 10).wire == data
    assert repaired([data], max_event_bytes=size + 100).report.repairs[RepairKind.TOOL_INDEX] == 2


def test_behind_a_payload_that_is_too_long_to_be_read_nothing_is_renumbered() -> None:
    long = chunk(piece(1, json.dumps({"x": "x" * 2**20}), "f", "a"))
    data = stream(chunk(AO), long, chunk(piece(1, "}")), END)
    assert repaired([data]).wire == data


def test_a_conversion_and_a_reader_of_events_see_the_same_calls() -> None:
    data = stream(chunk(AO), chunk(piece(1, '"x":1}')), chunk(piece(0, "{", "g", "b")), chunk(piece(2, "}")), END)
    repairer = StreamRepairer(convert="openai-chat")
    wire = b"".join(repairer.feed(data, 0.0) + repairer.close(0.0))
    payloads = [json.loads(line[6:]) for line in wire.decode().split("\n\n") if line.startswith("data: {")]
    told = [tool for payload in payloads for tool in payload["choices"][0]["delta"].get("tool_calls", [])]
    assert [tool["index"] for tool in told] == [0, 0, 1, 1]
    assert [call["arguments"] for call in repairer.report.tool_calls] == ['{"x":1}', "{}"]


def test_many_calls_cost_no_more_each() -> None:
    """More than are kept: from there on all stay as they are."""
    data = stream(*[chunk(piece(0, json.dumps({"x": number}), "f", f"id{number}")) for number in range(1500)], END)
    result = repaired([data])
    assert 900 < result.report.repairs[RepairKind.TOOL_INDEX] < 1100
    check_idempotent(data)


# Any stream

ANY = st.builds(
    piece,
    st.sampled_from([None, 0, 0, 1, 2, "0", "1", 0.5]),
    st.sampled_from([None, "", " ", "{", "}", "{}", '"', '{"x":1}', '{"x":', "1}", '"x":', "null"]),
    st.sampled_from([None, None, "f", "g"]),
    st.sampled_from([None, None, "a", "b", "c"]),
)


@given(st.lists(st.tuples(ANY, st.sampled_from([0, 0, 0, 1])), max_size=12))
def test_a_second_pass_changes_nothing(pieces: list[tuple[dict[str, Any], int]]) -> None:
    check_idempotent(stream(*[chunk(one, choice=choice) for one, choice in pieces], END))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.text('a"\\{}[] :,', max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("k{", max_size=2), inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.builds(
    lambda value, blank, indent: blank + json.dumps(value, indent=indent),
    st.dictionaries(st.text('k"}', max_size=2), VALUES, max_size=3),
    st.sampled_from(["", " "]),
    st.sampled_from([None, 1]),
)


def pieces_of(draw: st.DrawFn, text: str) -> list[str]:
    """Return a text in pieces, some of them empty."""
    ends = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[start:end] for start, end in itertools.pairwise([0, *ends, len(text)])]


def in_turns(draw: st.DrawFn, rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Return all that the rows hold, each in its order."""
    turns = draw(st.permutations([row for row, held in enumerate(rows) for _ in held]))
    rest = [iter(row) for row in rows]
    return [next(rest[row]) for row in turns]


def pieces_of_a_call(draw: st.DrawFn, number: int, place: int, ids: list[str | None]) -> list[dict[str, Any]]:
    """Return the pieces of one call at one index, its header before, between or behind its arguments."""
    is_custom = draw(st.integers(0, 3)) == 0
    texts = pieces_of(draw, draw(st.text("{}a", max_size=6) if is_custom else OBJECTS | st.just("")))
    name = draw(st.sampled_from(["f", "get_weather"]))
    head = {"name": name, "id": ids[number]}
    told: list[tuple[str | None, dict[str, Any]]] = [(text, {}) for text in texts]
    shape = draw(st.sampled_from(["first", "with the first", "in each", "in pieces", "anywhere"]))
    if shape == "in each":
        told = [(text, head) for text in texts]
    elif shape == "with the first":
        told[0] = (texts[0], head)
    elif shape == "in pieces":
        told[:0] = [(None, {"name": name[:1], "id": ids[number]}), ("", {"name": name[1:] or None})]
    else:
        told.insert(
            0 if shape == "first" else draw(st.integers(0, len(told))), (draw(st.sampled_from([None, ""])), head)
        )
    calls = [piece(place, text, **says) for text, says in told]
    if is_custom:
        for call in calls:
            function = call.pop("function")
            call["custom"] = {"input" if key == "arguments" else key: value for key, value in function.items()}
    return calls


@st.composite
def healthy_streams(draw: st.DrawFn) -> bytes:
    rows = []
    for choice in range(draw(st.integers(1, 2))):
        places = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True))
        ids = draw(st.sampled_from([[f"id{choice}{at}" for at in range(4)], ["same"] * 4, [None] * 4]))
        made = [pieces_of_a_call(draw, number, place, ids) for number, place in enumerate(places)]
        rows.append([(one, choice) for one in in_turns(draw, made)])
    told = in_turns(draw, rows)
    if draw(st.booleans()):
        return stream(*[chunk(one, choice=choice) for one, choice in told], END)
    runs = [(choice, [one for one, _ in run]) for choice, run in itertools.groupby(told, lambda pair: pair[1])]
    return stream(*[chunk(*run, choice=choice) for choice, run in runs], END)


@given(healthy_streams(), st.randoms())
def test_calls_that_keep_to_an_index_each_are_left_alone(data: bytes, randomly: random.Random) -> None:
    chunks = cut(data, sorted(randomly.choices(range(len(data) + 1), k=9)))
    result = repaired(chunks)
    assert result.wire == data
    assert not result.report.repairs


def drifting(draw: st.DrawFn, number: int, says: dict[str, Any], texts: list[str]) -> list[dict[str, Any]]:
    """Return pieces at indexes of their own; the first of them shows by how it begins that no call can."""
    begun = next(at for at, text in enumerate(texts) if text.strip())
    rest = "".join(texts[begun + 1 :])
    assume(not rest or rest[0] not in "{ \n")
    heads = [piece(number, "".join(texts[: begun + 1]), **says)]
    return heads + [piece(100 * number + 10 + at, text) for at, text in enumerate(texts[begun + 1 :]) if text]


@st.composite
def faulty_streams(draw: st.DrawFn) -> tuple[list[tuple[str, str]], bytes]:
    """Return the calls that are meant, by name and arguments, and a stream whose indexes do not say so."""
    meant = [(draw(st.sampled_from(["f", "g"])), draw(OBJECTS)) for _ in range(draw(st.integers(2, 4)))]
    fault = draw(st.sampled_from(["at one index", "no index", "text", "drift"]))
    rows = []
    for number, (name, arguments) in enumerate(meant):
        texts = pieces_of(draw, arguments)
        says = {"name": name, "id": f"id{number}"}
        if fault == "drift":
            rows.append(drifting(draw, number, says, texts))
            continue
        index = {"at one index": 0, "no index": None, "text": str(number)}[fault]
        rows.append([piece(index, **says), *[piece(index, text) for text in texts]])
    told = in_turns(draw, rows) if fault == "text" else list(itertools.chain(*rows))
    if fault == "text":
        told = sorted(told, key=lambda one: 0 if "id" in one else 1)  # in the order of their heads, as they are meant
        told = sorted(told[: len(meant)], key=lambda one: int(one["index"])) + told[len(meant) :]
    return meant, stream(*[chunk(one) for one in told], END)


@given(faulty_streams())
def test_who_reads_by_index_alone_reads_the_calls_that_were_meant(case: tuple[list[tuple[str, str]], bytes]) -> None:
    meant, data = case
    wire = repaired([data]).wire
    read: dict[int, list[str]] = {}
    for line in wire.decode().split("\n\n"):
        payload = json.loads(line[6:]) if line.startswith("data: {") else END
        for tool in payload["choices"][0]["delta"].get("tool_calls", []):
            call = read.setdefault(tool["index"], ["", ""])
            call[0] += tool["function"].get("name", "")
            call[1] += tool["function"].get("arguments", "")
    assert [(name, arguments) for name, arguments in read.values()] == meant
    check_idempotent(data)
