"""Indexes of pieces of tool calls that are renumbered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .case import DONE, FINISH, RepairCase, answered, call

Piece = tuple[Any, str | None, str | None, str | None]
"""Index, id, name and arguments, of which each may be missing."""


_LONG: Final = '{"x": "' + 970 * "y" + '"}'

_IN_TWO_LINES: Final = (
    b'data: {"choices":\n'
    b'data: [{"index":0,"delta":{"tool_calls":[{"index":%b,"id":"b","function":{"name":"g","arguments":"{}"}}]}}]}\n\n'
)

_PIECES: Final = ('{"x":', "1", ',"y"', ":2", "3", "}")
_CALLS: Final[list[dict[str, Any]]] = [
    {"id": f"c{number}", "function": {"name": "f", "arguments": "{}"}} for number in range(1023)
]


def calling(piece: Piece, choice: int = 0) -> bytes:
    """Return the event that says this."""
    index, id, name, arguments = piece
    places = {key: value for key, value in (("index", index), ("id", id)) if value is not None}
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return calling_all({**places, "function": function}, choice=choice)


def calling_all(*tools: dict[str, Any], choice: int = 0) -> bytes:
    """Return the event with these pieces of calls."""
    choices = [{"index": choice, "delta": {"tool_calls": tools}}]
    return b"data: %b\n\n" % json.dumps({"choices": choices}, separators=(",", ":")).encode()


def indexed(
    name: str,
    pieces: Sequence[Piece],
    indexes: Sequence[int | None] | None,
    calls: Sequence[dict[str, Any]],
    options: Mapping[str, Any] | None = None,
    choices: Sequence[int] = (),
) -> RepairCase:
    """Return the case of an answer of these pieces, an event each; `indexes` are what is written, None for the same.

    `choices` are those of the pieces, the first one by default.
    """
    of = [*choices] or [0] * len(pieces)
    came = [calling(piece, choice) for piece, choice in zip(pieces, of, strict=True)]
    written = [piece[0] for piece in pieces] if indexes is None else indexes
    left = [calling((index, *piece[1:]), choice) for piece, index, choice in zip(pieces, written, of, strict=True)]
    repairs, at = [], 0
    for before, after in zip(came, left, strict=True):
        repairs += [f"tool-index@{at}+{len(before) - 2}"] if before != after else []
        at += len(before)
    facts = {**answered("", len(pieces)), "events": len(pieces) + 2, "tool_calls": [*calls]}
    facts["last_event_id"] = (options or {}).get("last_event_id", "")
    data, output = (b"".join(frames) + FINISH + DONE for frames in (came, left))
    return RepairCase(name, data, output, tuple(repairs), options or {}, facts)


_MANY: Final = calling_all(*_CALLS)
_BEHIND_MANY: Final = calling((None, None, None, "1")) + calling((2000, None, None, "}"))

CASES: Final[tuple[RepairCase, ...]] = (
    indexed(
        "two calls at one index",
        [
            (0, "a", "f", ""),
            (0, None, None, '{"x"'),
            (0, None, None, ":1}"),
            (0, "b", "g", ""),
            (0, None, None, '{"y":2}'),
        ],
        [0, 0, 0, 1, 1],
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b")],
    ),
    indexed(
        "whole calls at one index",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", '{"y":2}'), (0, "c", "h", "{}")],
        [0, 1, 2],
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b"), call("h", "{}", "c")],
    ),
    indexed(
        "ids alone tell them apart",
        [(0, "a", "f", '{"x":1}'), (0, "b", "f", '{"x":2}')],
        [0, 1],
        [call("f", '{"x":1}', "a"), call("f", '{"x":2}', "b")],
    ),
    indexed(
        "names alone tell them apart",
        [(0, None, "f", "{}"), (0, None, "g", '{"y":'), (0, None, None, "2}")],
        [0, 1, 1],
        [call("f", "{}"), call("g", '{"y":2}')],
    ),
    indexed(
        "one name, other arguments",
        [(0, None, "f", '{"x":1}'), (0, None, "f", '{"x":2}')],
        [0, 1],
        [call("f", '{"x":1}'), call("f", '{"x":2}')],
    ),
    indexed(
        "no index",
        [(None, "a", "f", "{}"), (None, "b", "g", "{}")],
        [0, 1],
        [call("f", "{}", "a"), call("g", "{}", "b")],
    ),
    indexed(
        "no index and no id",
        [(None, None, "f", '{"x":'), (None, None, None, "1}"), (None, None, "g", "{}")],
        [0, 0, 1],
        [call("f", '{"x":1}'), call("g", "{}")],
    ),
    indexed(
        "one call without an index",
        [(None, "a", "f", ""), (None, None, None, '{"x":'), (None, None, None, "1}")],
        [0, 0, 0],
        [call("f", '{"x":1}', "a")],
    ),
    indexed(
        "an index that is text",
        [("0", "a", "f", "{}"), ("1", "b", "g", "{}")],
        [0, 1],
        [call("f", "{}", "a"), call("g", "{}", "b")],
    ),
    indexed(
        "the head at 0, the tail at 1",
        [(0, "a", "f", "{"), (1, None, None, '"x":'), (1, None, None, "1}")],
        [0, 0, 0],
        [call("f", '{"x":1}', "a")],
    ),
    indexed(
        "an index per piece",
        [
            (0, "a", "f", "{"),
            (1, None, None, '"x":'),
            (2, None, None, '{"z":1'),
            (3, None, None, "}"),
            (4, None, None, " }"),
        ],
        [0, 0, 0, 0, 0],
        [call("f", '{"x":{"z":1} }', "a")],
    ),
    indexed(
        "heads and tails drift",
        [(0, "a", "f", "{"), (1, None, None, "}"), (1, "b", "g", '{"y"'), (2, None, None, ":2}")],
        [0, 0, 1, 1],
        [call("f", "{}", "a"), call("g", '{"y":2}', "b")],
    ),
    indexed(
        "behind a place that was held by an empty object",
        [
            (0, "a", "f", "{}"),
            (0, None, None, '{"x":'),
            (0, None, None, "1}"),
            (0, "b", "g", ""),
            (0, None, None, "{}"),
            (0, "c", "h", "{}"),
        ],
        [0, 0, 0, 1, 1, 2],
        [call("f", '{"x":1}', "a"), call("g", "{}", "b"), call("h", "{}", "c")],
    ),
    indexed(
        "a head without an index",
        [(None, "a", "f", ""), (0, None, None, '{"x":1}'), (0, "b", "g", "{}")],
        [0, 0, 1],
        [call("f", '{"x":1}', "a"), call("g", "{}", "b")],
    ),
    indexed(
        "indexes that are text",
        [("0", "a", "f", "{"), ("1", "b", "g", "{"), ("0", None, None, "}"), ("1", None, None, "}")],
        [0, 1, 0, 1],
        [call("f", "{}", "a"), call("g", "{}", "b")],
    ),
    indexed(
        "text, and another call at the same index",
        [("2", "a", "f", "{}"), ("2", "b", "g", "{}")],
        [2, 3],
        [call("f", "{}", "a"), call("g", "{}", "b")],
    ),
    indexed(
        "an id that was told at another index",
        [(None, "a", "f", '{"x":1}'), (0, "a", "f", " "), (0, "b", "g", '{"y":2}')],
        [0, 0, 1],
        [call("f", '{"x":1} ', "a"), call("g", '{"y":2}', "b")],
    ),
    indexed(
        "a third call where the second one went",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", '{"y":2}'), (1, "c", "h", "{}"), (1, None, None, " ")],
        [0, 1, 2, 2],
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b"), call("h", "{} ", "c")],
    ),
    indexed(
        "the id goes back to the first",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", '{"y":2}'), (0, "a", None, " ")],
        [0, 1, 0],
        [call("f", '{"x":1} ', "a"), call("g", '{"y":2}', "b")],
    ),
    indexed(
        "the first id at the place of an open call",
        [(0, "a", "f", '{"x":1}'), (0, None, "g", "{"), (0, "a", None, "}")],
        [0, 1, 1],
        [call("f", '{"x":1}', "a"), call("g", "{}", "a")],
    ),
    indexed(
        "all once more, whole",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", '{"y":2}'), (0, "a", "f", ""), (0, "b", "g", "")],
        [0, 1, 0, 1],
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b")],
    ),
    indexed(
        "a quote and a bracket within a string",
        [(0, "a", "f", '{"x":"\\"}'), (1, None, None, '"}')],
        [0, 0],
        [call("f", '{"x":"\\"}"}', "a")],
    ),
    indexed(
        "a cut behind a backslash",
        [(0, "a", "f", '{"x":"\\'), (1, None, None, '"}'), (1, None, None, '"}')],
        [0, 0, 0],
        [call("f", '{"x":"\\"}"}', "a")],
    ),
    indexed(
        "from another first index on",
        [(3, "a", "f", "{}"), (3, "b", "g", "{}")],
        [3, 4],
        [call("f", "{}", "a"), call("g", "{}", "b")],
    ),
    indexed(
        "two whole calls at one index of two choices",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", '{"y":2}'), (0, "b", "g", '{"y":2}'), (0, "c", "h", "{}")],
        [0, 0, 1, 1],
        [
            call("f", '{"x":1}', "a"),
            call("g", '{"y":2}', "b", choice=1),
            call("g", '{"y":2}', "b"),
            call("h", "{}", "c", choice=1),
        ],
        choices=[0, 1, 0, 1],
    ),
    indexed(
        "another id and name without arguments behind whole arguments",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", None), (0, None, None, "{}")],
        [0, 1, 1],
        [call("f", '{"x":1}', "a"), call("g", "{}", "b")],
    ),
    indexed(
        "another name with arguments behind whole arguments and an id",
        [(0, "a", "f", '{"x":1}'), (0, None, "g", '{"y":2}')],
        [0, 1],
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}')],
    ),
    indexed(
        "another name without arguments behind whole arguments without an id",
        [(0, None, "f", '{"x":1}'), (0, None, "g", None), (0, None, None, '{"y":2}')],
        [0, 1, 1],
        [call("f", '{"x":1}'), call("g", '{"y":2}')],
    ),
    indexed(
        "another name with an id, with arguments, behind whole arguments without an id",
        [(0, None, "f", '{"x":1}'), (0, "b", "g", '{"y":2}')],
        [0, 1],
        [call("f", '{"x":1}'), call("g", '{"y":2}', "b")],
    ),
    indexed(
        "the same name with an id and other arguments behind whole arguments without an id",
        [(0, None, "f", '{"x":1}'), (0, "b", "f", '{"y":2}')],
        [0, 1],
        [call("f", '{"x":1}'), call("f", '{"y":2}', "b")],
    ),
    indexed(
        "the same name with blanks before other arguments",
        [(0, None, "f", '{"x":1}'), (0, None, "f", ' {"y":2}')],
        [0, 1],
        [call("f", '{"x":1}'), call("f", ' {"y":2}')],
    ),
    indexed(
        "an id without an index, of the first of two calls",
        [(None, "a", "f", '{"x":'), (None, "b", "g", "{}"), (None, "a", None, "1}")],
        [0, None, None],
        [call("f", '{"x":', "a", complete=False), call("g", "{}", "b"), call(None, "1}", "a", complete=False)],
    ),
    indexed(
        "a piece without index and id behind two calls that are whole",
        [(None, "a", "f", "{}"), (None, "b", "g", "{}"), (None, None, None, "x"), (None, "c", "h", "{}")],
        [0, 1, None, None],
        [call("f", "{}", "a"), call("g", "{}x", "b", complete=False), call("h", "{}", "c")],
    ),
    indexed(
        "an empty piece without an index before a call",
        [(None, None, None, ""), (None, "a", "f", "{}")],
        [None, 0],
        [call(None, "", complete=False), call("f", "{}", "a", complete=False)],
    ),
    indexed(
        "a drifting tail with the id of the call",
        [(0, "a", "f", "{"), (1, "a", None, '"x":1}')],
        [0, 0],
        [call("f", '{"x":1}', "a")],
    ),
    indexed(
        "a drifting tail behind a call that is whole, and another that waits",
        [(0, "a", "f", '{"x":1}'), (1, "b", "g", "{"), (2, None, None, '"x":1}')],
        [0, 1, 1],
        [call("f", '{"x":1}', "a"), call("g", '{"x":1}', "b")],
    ),
    indexed(
        "a negative index",
        [(-1, "a", "f", "{}"), (-1, "b", "g", "{}")],
        [-1, 0],
        [call("f", "{}", "a"), call("g", "{}", "b")],
    ),
    indexed(
        "a call without an index in an event that is as long as may be",
        [(None, "a", "f", _LONG), (None, "b", "g", "{}")],
        [0, 1],
        [call("f", _LONG, "a"), call("g", "{}", "b")],
        {"max_event_bytes": 1117},
    ),
    indexed(
        "a call without an index in an event that is too long for one",
        [(None, "a", "f", _LONG), (None, "b", "g", "{}")],
        None,
        [call("f", _LONG, "a"), call("g", "{}", "b")],
        {"max_event_bytes": 1116},
    ),
    RepairCase(
        "a call at the index of another one, in a payload of two lines",
        calling((0, "a", "f", "{}")) + _IN_TWO_LINES % b"0" + FINISH + DONE,
        calling((0, "a", "f", "{}")) + _IN_TWO_LINES % b"1" + FINISH + DONE,
        ("tool-index@120+125",),
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", "{}", "a"), call("g", "{}", "b")]},
    ),
    indexed(
        "a tail without index and name, of the one call that waits",
        [(0, "a", "f", "{}"), (1, "b", "g", ""), (None, None, None, '{"x"'), (None, None, None, ":1}")],
        [0, 1, 1, 1],
        [call("f", "{}", "a"), call("g", '{"x":1}', "b")],
    ),
    indexed(
        "a name in each piece, and no id",
        [(0, None, "f", piece) for piece in ('{"x"', ":", "1", "}", '{"y"', ":", "2", "}")],
        [0, 0, 0, 0, 1, 1, 1, 1],
        [call("f", '{"x":1}'), call("f", '{"y":2}')],
    ),
    RepairCase(
        "a call that turns out to take free text",
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x"}]}}]}\n\n'
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"custom":{"name":"f","input":"{}"}}]}}]}\n\n'
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"custom":{"input":" and more"}}]}}]}\n\n'
        + FINISH
        + DONE,
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x"}]}}]}\n\n'
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"custom":{"name":"f","input":"{}"}}]}}]}\n\n'
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"custom":{"input":" and more"}}]}}]}\n\n'
        + FINISH
        + DONE,
        ("tool-index@79+93", "tool-index@174+89"),
        facts={**answered("", 3), "events": 5, "tool_calls": [call("f", "{} and more", "x", kind="custom")]},
    ),
    indexed(
        "two calls at one index, each in many pieces of one spelling",
        [
            (0, "a", "f", ""),
            *((0, None, None, text) for text in _PIECES),
            (0, "b", "g", ""),
            *((0, None, None, text) for text in _PIECES),
        ],
        [*[0] * 7, *[1] * 7],
        [call("f", '{"x":1,"y":23}', "a"), call("g", '{"x":1,"y":23}', "b")],
    ),
    indexed(
        "two calls without an index, the first of which tells one in its last pieces",
        [
            (None, "a", "f", ""),
            (None, None, None, '{"x":'),
            (None, None, None, "1"),
            (0, None, None, "2"),
            (0, None, None, "}"),
            (None, "b", "g", "{}"),
        ],
        [0, 0, 0, 0, 0, 1],
        [call("f", '{"x":12}', "a"), call("g", "{}", "b")],
    ),
    indexed(
        "two calls at one index, and a third while the second has no arguments",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", ""), (0, "c", "h", ""), (0, None, None, "{}")],
        [0, 1, 1, 1],
        [call("f", '{"x":1}', "a"), call("g", "", "b"), call("h", "{}", "c")],
    ),
    indexed(
        "the id of the first call while the second waits at its index",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", '{"y":'), (0, "a", None, ""), (0, None, None, "2}")],
        [0, 1, 0, 1],
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b")],
    ),
    indexed(
        "whole arguments with a list, and another call at the same index",
        [(0, "a", "f", '{"x":[1,[2]]}'), (0, "b", "g", "{}")],
        [0, 1],
        [call("f", '{"x":[1,[2]]}', "a"), call("g", "{}", "b")],
    ),
    indexed(
        "arguments that were escaped twice, and another call at the same index",
        [(0, "a", "f", '{\\"x\\":1}'), (0, "b", "g", "{}")],
        [0, 1],
        [call("f", '{\\"x\\":1}', "a", complete=False), call("g", "{}", "b")],
    ),
    indexed(
        "arguments where the second call went, with the header of a third behind them",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", '{"y":2}'), (1, None, None, '{"z":3}'), (1, "c", "h", None)],
        [0, 1, 2, 2],
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b"), call("h", '{"z":3}', "c")],
    ),
    RepairCase(
        "as many calls without an index as are numbered, and pieces behind them",
        _MANY + calling((None, "d", "g", '{"x":')) + _BEHIND_MANY + FINISH + DONE,
        calling_all(*[{"index": number, **one} for number, one in enumerate(_CALLS)])
        + calling((1023, "d", "g", '{"x":'))
        + _BEHIND_MANY
        + FINISH
        + DONE,
        (f"tool-index@0+{len(_MANY) - 2}", f"tool-index@{len(_MANY)}+113"),
        facts={
            **answered("", 4),
            "events": 6,
            "account_cut": True,
            "tool_calls": [
                *(call("f", "{}", one["id"]) for one in _CALLS),
                call("g", '{"x":1', "d", complete=False),
            ],
        },
    ),
    indexed(
        "the id of a third call before its name, where the second one went",
        [
            (0, "a", "f", "{}"),
            (0, "b", "g", "{"),
            (1, "c", None, None),
            (1, None, "h", "{}"),
            (0, None, None, "}"),
        ],
        [0, 1, 2, 2, 1],
        [call("f", "{}", "a"), call("g", "{}", "b"), call("h", "{}", "c")],
    ),
    indexed(
        "blanks with the id of a whole call without an index, and another call",
        [(None, "a", "f", '{"x":1}'), (None, "a", None, " "), (None, "b", "g", "{}")],
        [0, 0, 1],
        [call("f", '{"x":1} ', "a"), call("g", "{}", "b")],
    ),
    indexed(
        "an empty piece behind a whole call without an index, and another call",
        [(None, "a", "f", '{"x":1}'), (None, None, None, ""), (None, "b", "g", "{}")],
        [0, 0, 1],
        [call("f", '{"x":1}', "a"), call("g", "{}", "b")],
    ),
    indexed(
        "blanks with the id of the first of two whole calls without an index",
        [(None, "a", "f", '{"x":1}'), (None, "b", "g", '{"y":2}'), (None, "a", None, " ")],
        [0, 1, 0],
        [call("f", '{"x":1} ', "a"), call("g", '{"y":2}', "b")],
    ),
    indexed(
        "a second call in many pieces of one spelling, and a third at its index",
        [(0, "a", "f", "{}"), (1, "b", "g", ""), *((1, None, None, text) for text in _PIECES), (1, "c", "h", "{}")],
        [0, *[1] * 7, 2],
        [call("f", "{}", "a"), call("g", '{"x":1,"y":23}', "b"), call("h", "{}", "c")],
    ),
)
