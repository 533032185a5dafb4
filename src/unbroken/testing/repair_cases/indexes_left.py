"""Indexes of pieces of tool calls that are left alone, since another call could be meant."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, but, call
from .indexes import calling, calling_all, indexed

CASES: Final[tuple[RepairCase, ...]] = (
    indexed(
        "parallel calls",
        [(0, "a", "f", ""), (1, "b", "g", ""), (0, None, None, '{"x"'), (1, None, None, "{}"), (0, None, None, ":1}")],
        None,
        [call("f", '{"x":1}', "a"), call("g", "{}", "b")],
    ),
    indexed(
        "parallel calls of one name",
        [(0, "a", "f", "{}"), (1, "b", "f", "{}")],
        None,
        [call("f", "{}", "a"), call("f", "{}", "b")],
    ),
    indexed(
        "one id for all", [(0, "a", "f", "{}"), (1, "a", "f", "{}")], None, [call("f", "{}", "a"), call("f", "{}", "a")]
    ),
    indexed(
        "indexes with a gap",
        [(1, "a", "f", "{}"), (5, "b", "g", "{}"), (1, None, None, " ")],
        None,
        [call("f", "{} ", "a"), call("g", "{}", "b")],
    ),
    indexed(
        "the id and the name in each piece",
        [(0, "a", "f", '{"x":1}'), (0, "a", "f", ""), (0, "a", "f", " ")],
        None,
        [call("f", '{"x":1} ', "a")],
    ),
    indexed(
        "the name in each piece",
        [(0, None, "f", '{"x"'), (0, None, "f", ":1}"), (0, None, "f", "")],
        None,
        [call("f", '{"x":1}')],
    ),
    indexed(
        "another id in each piece",
        [(0, "a", "f", "{"), (0, "b", None, "}"), (0, "c", None, "")],
        None,
        [call("f", "{}", "a")],
    ),
    indexed(
        "a name in pieces",
        [(0, "a", "get_", ""), (0, None, "it", ""), (0, None, None, "{}")],
        None,
        [call("get_it", "{}", "a")],
    ),
    indexed(
        "a name in pieces that is longer than may be",
        [(0, "a", "x" * 1000, ""), (0, None, "y" * 24, ""), (0, None, "z", ""), (0, None, None, "{}")],
        None,
        [call("x" * 1000 + "y" * 24, "{}", "a")],
    ),
    indexed(
        "a name that comes last",
        [(0, "a", None, None), (0, None, "f", None), (0, None, None, "{}")],
        None,
        [call("f", "{}", "a")],
    ),
    indexed(
        "other ids and names within arguments",
        [(0, "a", "f", '{"x"'), (0, "b", "g", ":1}"), (0, "b", "g", '{"y":2}')],
        None,
        [call("f", '{"x"', "a", complete=False), call("g", ':1}{"y":2}', "b", complete=False)],
    ),
    indexed(
        "another id before any arguments",
        [(0, "a", "f", ""), (0, "b", "f", '{"x":1}'), (0, "c", "g", "{}")],
        None,
        [call("f", "", "a"), call("f", '{"x":1}', "b"), call("g", "{}", "c")],
    ),
    indexed(
        "two heads, then arguments of whom",
        [(0, "a", "f", ""), (0, "b", "g", ""), (0, None, None, '{"x":1}'), (0, None, None, '{"y":2}')],
        None,
        [call("f", "", "a"), call("g", '{"x":1}{"y":2}', "b", complete=False)],
    ),
    indexed(
        "told twice",
        [(0, None, "f", '{"x":1}'), (0, None, "f", '{"x":1}')],
        None,
        [call("f", '{"x":1}{"x":1}', complete=False)],
    ),
    indexed(
        "a place that was held by an empty object",
        [(0, None, "f", "{}"), (0, None, "f", '{"x":1}')],
        None,
        [call("f", "{}"), call("f", '{"x":1}')],
    ),
    indexed(
        "two calls wait",
        [(0, "a", "f", ""), (1, "b", "g", ""), (2, None, None, '{"x":1}')],
        None,
        [call("f", "", "a", complete=False), call("g", "", "b", complete=False), call(None, '{"x":1}', complete=False)],
    ),
    indexed(
        "the header behind the arguments",
        [(0, None, None, "{}"), (0, "a", "f", ""), (1, None, None, '{"y":1}'), (1, "b", "g", None)],
        None,
        [call("f", "{}", "a"), call("g", '{"y":1}', "b")],
    ),
    indexed(
        "the header behind arguments beside an open call",
        [(0, "a", "f", "{"), (1, None, None, '{"y":'), (1, "b", "g", "1}"), (0, None, None, "}")],
        None,
        [call("f", "{}", "a"), call("g", '{"y":1}', "b")],
    ),
    indexed(
        "the header behind an object that the open call could hold",
        [(0, "a", "f", '{"x":'), (1, None, None, '{"y":1}'), (1, "b", "g", None), (0, None, None, "1}")],
        None,
        [call("f", '{"x":1}', "a"), call("g", '{"y":1}', "b")],
    ),
    indexed(
        "two objects, then another header",
        [(0, "a", "f", '{"x":1}'), (0, None, None, '{"y":1}'), (0, "b", "g", "")],
        None,
        [call("f", '{"x":1}{"y":1}', "a", complete=False), call("g", "", "b")],
    ),
    indexed(
        "headers of one id behind the arguments",
        [
            (0, None, None, "{"),
            (1, None, None, "{"),
            (0, "a", "f", ""),
            (1, "a", "g", ""),
            (0, None, None, "}"),
            (1, None, None, "}"),
        ],
        None,
        [call("f", "{}", "a"), call("g", "{}", "a")],
    ),
    indexed(
        "the header behind the arguments, all at one index",
        [(0, None, None, "{}"), (0, "a", "f", ""), (0, None, None, '{"y":1}'), (0, "b", "g", ""), (0, "c", "h", "{}")],
        None,
        [call("f", '{}{"y":1}', "a", complete=False), call("g", "", "b"), call("h", "{}", "c")],
    ),
    indexed(
        "the head at 0, what may be a call at 1",
        [(0, "a", "f", ""), (1, None, None, '{"x":'), (1, None, None, "1}")],
        None,
        [call("f", '{"x":1}', "a")],
    ),
    indexed(
        "a call at each index",
        [(0, "a", "f", ""), (1, None, None, '{"x"'), (2, None, None, ":1"), (3, None, None, "}")],
        None,
        [call("f", '{"x":1}', "a")],
    ),
    indexed(
        "arguments that are null",
        [(0, "a", "f", "{"), (1, None, None, "null"), (1, "b", "g", None), (0, None, None, "}")],
        None,
        [call("f", "{null}", "a", complete=False), call("g", "", "b")],
    ),
    indexed(
        "an id of another index",
        [(0, "a", "f", "{"), (1, "b", "g", "{"), (0, "b", None, "}"), (1, None, None, "}")],
        None,
        [call("f", "{}", "a"), call("g", "{}", "b")],
    ),
    indexed(
        "a name that goes on behind an empty object",
        [(0, "a", "get_", "{}"), (0, None, "it", "")],
        None,
        [call("get_", "{}", "a"), call("it", "")],
    ),
    indexed(
        "fractions",
        [(0.5, "a", "f", "{"), (1.5, "b", "g", "{"), (0.5, None, None, "}"), (1.5, None, None, "}")],
        None,
        [call("f", "{", "a", complete=False), call("g", "{", "b", complete=False), call(None, "}}", complete=False)],
    ),
    indexed(
        "a fraction among others",
        [(0, "a", "f", '{"x":1}'), (0.5, "b", "g", "{}"), (0, "c", "h", "{}")],
        None,
        [call("f", '{"x":1}', "a"), call("g", "{}", "b"), call("h", "{}", "c")],
    ),
    indexed(
        "no index, and the header behind the arguments",
        [(None, None, None, "{}"), (None, "a", "f", None)],
        None,
        [call(None, "{}", complete=False), call("f", "", "a", complete=False)],
    ),
    indexed(
        "no call waits",
        [(0, "a", "f", '{"x":1}'), (1, None, None, '{"y":2}')],
        None,
        [call("f", '{"x":1}', "a", complete=False), call(None, '{"y":2}', complete=False)],
    ),
    indexed("nothing but a tail", [(4, None, None, '{"y"'), (4, None, None, ":2}")], None, [call(None, '{"y":2}')]),
    indexed(
        "a beginning of another call",
        [(0, "a", "f", ""), (1, None, None, ""), (1, "b", "g", None)],
        None,
        [call("f", "", "a"), call("g", "", "b")],
    ),
    indexed(
        "two whole calls at one index, not to be mended",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", '{"y":2}')],
        None,
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b")],
        {"repairs": but("tool-index")},
    ),
    indexed(
        "two whole calls at one index, by the standard",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", '{"y":2}')],
        None,
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b")],
        {"repairs": ()},
    ),
    indexed(
        "two whole calls at one index behind an id",
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", '{"y":2}')],
        None,
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b")],
        {"last_event_id": "7"},
    ),
    indexed(
        "the same id with another name behind whole arguments",
        [(0, "a", "f", '{"x":1}'), (0, "a", "g", "{}")],
        None,
        [call("f", '{"x":1}{}', "a", complete=False)],
    ),
    indexed(
        "the same id and name behind whole arguments",
        [(0, "a", "f", '{"x":1}'), (0, "a", "f", "{}")],
        None,
        [call("f", '{"x":1}{}', "a", complete=False)],
    ),
    indexed(
        "another id without a name behind whole arguments",
        [(0, "a", "f", '{"x":1}'), (0, "b", None, "{}")],
        None,
        [call("f", '{"x":1}{}', "a", complete=False)],
    ),
    indexed(
        "another name without arguments behind whole arguments and an id",
        [(0, "a", "f", '{"x":1}'), (0, None, "g", None), (0, None, None, " ")],
        None,
        [call("f", '{"x":1}', "a"), call("g", " ", complete=False)],
    ),
    indexed(
        "another name with an id, without arguments, behind whole arguments without an id",
        [(0, None, "f", '{"x":1}'), (0, "b", "g", None), (0, None, None, '{"y":2}')],
        None,
        [call("f", '{"x":1}'), call("g", '{"y":2}', "b")],
    ),
    indexed(
        "the same name and what is no object",
        [(0, None, "f", '{"x":1}'), (0, None, "f", '"y"')],
        None,
        [call("f", '{"x":1}"y"', complete=False)],
    ),
    indexed(
        "a name in three pieces, then a call",
        [(0, None, "ge", ""), (0, None, "t_", ""), (0, None, "it", '{"x":1}'), (0, None, "ge", '{"y":1}')],
        None,
        [call("get_it", '{"x":1}'), call("ge", '{"y":1}')],
    ),
    indexed(
        "another name before the arguments",
        [(0, None, "f", ""), (0, None, "g", '{"x":1}')],
        None,
        [call("fg", '{"x":1}')],
    ),
    indexed(
        "another id and name before the arguments",
        [(0, "a", "f", ""), (0, "b", "g", '{"x":1}'), (0, "c", "h", "{}")],
        None,
        [call("f", "", "a"), call("g", '{"x":1}', "b"), call("h", "{}", "c")],
    ),
    indexed(
        "an id of the call at its own index",
        [(0, "a", "f", '{"x":1}'), (1, "b", "g", "{"), (0, "a", None, " "), (1, "b", None, "}")],
        None,
        [call("f", '{"x":1} ', "a"), call("g", "{}", "b")],
    ),
    indexed(
        "an id of another call at an index of a call without one",
        [(0, "a", "f", '{"x":1}'), (1, None, "g", '{"y":1}'), (1, "a", None, " ")],
        None,
        [call("f", '{"x":1}', "a"), call("g", '{"y":1} ', "a")],
    ),
    indexed(
        "a tail without an index of nothing",
        [(None, None, None, '{"x"'), (0, "a", "f", "{}")],
        None,
        [call(None, '{"x"', complete=False), call("f", "{}", "a", complete=False)],
    ),
    indexed(
        "a drifting tail with another id",
        [(0, "a", "f", "{"), (1, "b", None, '"x":1}')],
        None,
        [call("f", "{", "a", complete=False), call(None, '"x":1}', "b", complete=False)],
    ),
    indexed(
        "a drifting tail with a name",
        [(0, "a", "f", "{"), (1, None, "g", '"x":1}')],
        None,
        [call("f", "{", "a", complete=False), call("g", '"x":1}', complete=False)],
    ),
    indexed(
        "a drifting tail that cannot follow",
        [(0, "a", "f", "{"), (1, None, None, ":1}")],
        None,
        [call("f", "{:1}", "a", complete=False)],
    ),
    indexed(
        "blanks at an index where nothing began",
        [(0, "a", "f", '{"x":1}'), (1, None, None, " "), (1, "b", "g", "{}")],
        None,
        [call("f", '{"x":1}', "a"), call("g", " {}", "b")],
    ),
    *(
        indexed(
            f"a call in many pieces of one spelling{what}",
            [(0, "a", "f", ""), *((0, None, None, text) for text in ('{"x"', ":", "1", ',"y"', ":", "2", "3", "}"))],
            None,
            [call("f", '{"x":1,"y":23}', "a")],
            options,
        )
        for what, options in (
            ("", None),
            (", behind an id that the reader told", {"last_event_id": "9"}),
            (", whose indexes nobody mends", {"repairs": but("tool-index")}),
        )
    ),
    RepairCase(
        "another answer behind a finish, at the first index again",
        calling((0, "a", "f", "{}")) + FINISH + calling((0, "b", "g", "{}")) + FINISH + DONE,
        SAME,
        facts={**answered("", 2), "events": 5, "tool_calls": [call("f", "{}", "a"), call("g", "{}", "b")]},
    ),
    indexed(
        "a drifting tail that no colon can stand before",
        [(0, "a", "f", '{"x":'), (1, None, None, "}")],
        None,
        [call("f", '{"x":}', "a", complete=False)],
    ),
    indexed(
        "a drifting tail of a call that has no arguments yet",
        [(0, "a", "f", ""), (1, None, None, '"x":1}')],
        None,
        [call("f", '"x":1}', "a", complete=False)],
    ),
    indexed(
        "a drifting tail behind an object and the beginning of another",
        [(0, "a", "f", '{"x":1}'), (0, None, None, '{"y"'), (1, None, None, ":2}")],
        None,
        [call("f", '{"x":1}{"y":2}', "a", complete=False)],
    ),
    indexed(
        "two objects in one piece, then another call",
        [(0, "a", "f", '{"x":1}{"y":2}'), (0, "b", "g", "{}")],
        None,
        [call("f", '{"x":1}{"y":2}', "a", complete=False), call("g", "{}", "b")],
    ),
    indexed(
        "two objects behind a place that was held by an empty one, then another call",
        [(0, "a", "f", "{}"), (0, None, None, '{"x":1}'), (0, None, None, '{"y":2}'), (0, "b", "g", "{}")],
        None,
        [call("f", '{"x":1}{"y":2}', "a", complete=False), call("g", "{}", "b")],
    ),
    indexed(
        "a tail without index and name where two calls wait",
        [(0, "a", "f", "{"), (1, "b", "g", "{"), (None, None, None, '"x":')],
        None,
        [call("f", "{", "a", complete=False), call("g", '{"x":', "b", complete=False)],
    ),
    RepairCase(
        "a call that takes free text at the index of a whole one, then another function",
        calling((0, "a", "f", "{}"))
        + calling_all({"index": 0, "id": "b", "type": "custom", "custom": {"name": "g", "input": "text"}})
        + calling((0, "c", "h", "{}"))
        + FINISH
        + DONE,
        SAME,
        facts={
            **answered("", 3),
            "events": 5,
            "tool_calls": [call("f", "{}", "a"), call("g", "text", "b", kind="custom"), call("h", "{}", "c")],
        },
    ),
    indexed(
        "the id and the name of the first of two whole calls without an index, with other arguments",
        [(None, "a", "f", '{"x":1}'), (None, "b", "g", '{"y":2}'), (None, "a", "f", "{}")],
        [0, 1, None],
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b"), call("f", "{}", "a")],
    ),
    RepairCase(
        "two whole calls at one index behind a call in a payload of no known dialect",
        b'data: {"tool_calls":[{"index":0,"id":"z","function":{"name":"e","arguments":"{}"}}]}\n\n'
        + calling((0, "a", "f", "{}"))
        + calling((0, "b", "g", "{}"))
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 5, "tool_calls": [call("f", "{}", "a"), call("g", "{}", "b")]},
    ),
)
