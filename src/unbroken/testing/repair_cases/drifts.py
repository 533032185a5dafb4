"""Tool calls whose pieces drift from index to index, as a report puts them together where nobody renumbers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .case import DONE, FINISH, SAME, RepairCase, answered, but, call
from .indexes import calling, calling_all, indexed

_UNMENDED: Final[Mapping[str, Any]] = {"repairs": but("tool-index")}

CASES: Final[tuple[RepairCase, ...]] = (
    indexed(
        "a string with a brace, the rest at the next index",
        [(0, "a", "f", '{"x":"}'), (1, None, None, '"}')],
        None,
        [call("f", '{"x":"}"}', "a")],
        _UNMENDED,
    ),
    indexed(
        "a string that is cut behind a backslash, and drifts twice",
        [(0, "a", "f", '{"x":"\\'), (1, None, None, '"}'), (2, None, None, '"}')],
        None,
        [call("f", '{"x":"\\"}"}', "a")],
        _UNMENDED,
    ),
    indexed(
        "a string that is cut behind three backslashes, and drifts twice",
        [(0, "a", "f", '{"x":"\\\\\\'), (1, None, None, '"}'), (2, None, None, '"}')],
        None,
        [call("f", '{"x":"\\\\\\"}"}', "a")],
        _UNMENDED,
    ),
    indexed(
        "a list that is cut, and blanks at the last index behind it",
        [(0, "a", "f", '{"x":[1'), (1, None, None, '],"y":2'), (2, None, None, "}"), (2, None, None, " ")],
        None,
        [call("f", '{"x":[1],"y":2} ', "a")],
        _UNMENDED,
    ),
    indexed(
        "a list in whole arguments, then what belongs to no call",
        [(0, "a", "f", '{"x":[1]}'), (1, None, None, '"y":2}')],
        None,
        [call("f", '{"x":[1]}', "a", complete=False), call(None, '"y":2}', complete=False)],
        _UNMENDED,
    ),
    indexed(
        "calls of two choices that drift at once",
        [(0, "a", "f", "{"), (0, "b", "g", "{"), (1, None, None, '"x":1}'), (1, None, None, '"y":2}')],
        None,
        [call("f", '{"x":1}', "a"), call("g", '{"y":2}', "b", choice=1)],
        _UNMENDED,
        choices=[0, 1, 0, 1],
    ),
    indexed(
        "an object at the next index in place of an empty one",
        [(0, "a", "f", "{}"), (1, None, None, '{"x":1}')],
        None,
        [call("f", '{"x":1}', "a")],
    ),
    indexed(
        "an empty object at the next index behind an empty one",
        [(0, "a", "f", "{}"), (1, None, None, "{}")],
        None,
        [call("f", "{}", "a", complete=False), call(None, "{}", complete=False)],
    ),
    indexed(
        "what is no object, behind blanks and an object in place of an empty one",
        [(0, "a", "f", "{}"), (0, None, None, ' {"x":1}'), (1, None, None, '"y"')],
        None,
        [call("f", ' {"x":1}', "a", complete=False), call(None, '"y"', complete=False)],
    ),
    RepairCase(
        "a call that takes free text, and its id at the same index",
        calling_all({"index": 0, "type": "custom", "custom": {"name": "g", "input": "text"}})
        + calling_all({"index": 0, "id": "b"})
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 4, "tool_calls": [call("g", "text", "b", kind="custom")]},
    ),
    RepairCase(
        "a string that was cut, the whole call with the finish, and the same name again",
        calling((0, None, "f", '{"x":"'))
        + calling((0, None, "f", "{"))
        + b'data: {"choices":[{"index":0,"finish_reason":"tool_calls","message":{"tool_calls":'
        b'[{"index":0,"function":{"name":"f","arguments":"{\\"x\\":\\"{}\\"}"}}]}}]}\n\n'
        + calling((0, None, "f", '{"y":2}'))
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 4), "events": 6, "tool_calls": [call("f", '{"x":"{}"}'), call("f", '{"y":2}')]},
    ),
    indexed(
        "a tail at the next index, then the rest there with id and name",
        [(0, "a", "f", '{"x":'), (1, None, None, "1"), (1, "a", "f", "}")],
        None,
        [call("f", '{"x":1}', "a")],
        _UNMENDED,
    ),
    indexed(
        "a tail at the next index behind arguments that were escaped twice",
        [(0, "a", "f", '{\\"x\\":1}'), (1, None, None, '"y":2}')],
        None,
        [call("f", '{\\"x\\":1}', "a", complete=False), call(None, '"y":2}', complete=False)],
    ),
    indexed(
        "a number at the next index behind arguments that are one",
        [(0, "a", "f", "1"), (1, None, None, "2")],
        None,
        [call("f", "1", "a", complete=False), call(None, "2", complete=False)],
    ),
    RepairCase(
        "an id, then what takes free text at the same index",
        calling_all({"index": 0, "id": "x"})
        + calling_all({"index": 0, "custom": {"name": "f", "input": "text"}})
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", "text", "x", kind="custom")]},
    ),
)
