"""Indexes of tool calls that are written where they stand, whatever stands around them."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, call, failure

_FUNCTION: Final = b'"function":{"name":"f","arguments":"{}"}'

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "indexes that are missing in a payload with blanks",
        b'data: { "choices" : [ { "index" : 0 , "delta" : { "tool_calls" : [ { "id" : "x" , '
        + _FUNCTION
        + b' } , {"id":"y",'
        + _FUNCTION
        + b"} ] } } ] }\n\n"
        + FINISH
        + DONE,
        b'data: { "choices" : [ { "index" : 0 , "delta" : { "tool_calls" : [ {"index":0, "id" : "x" , '
        + _FUNCTION
        + b' } , {"index":1,"id":"y",'
        + _FUNCTION
        + b"} ] } } ] }\n\n"
        + FINISH
        + DONE,
        ("tool-index@0+188",),
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x"), call("f", "{}", "y")]},
        leaves=(190, 257, 271),
    ),
    RepairCase(
        "an index behind blanks that is another call's",
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[ {"id":"x",'
        + _FUNCTION
        + b',"index" : 0 } , { "id":"y","index" : 0 ,'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[ {"id":"x",'
        + _FUNCTION
        + b',"index" : 0 } , { "id":"y","index" : 1 ,'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        ("tool-index@0+190",),
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x"), call("f", "{}", "y")]},
        leaves=(192, 259, 273),
    ),
    RepairCase(
        "an index that stands twice, and the last one counts",
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",'
        + _FUNCTION
        + b'},{"index":5,"id":"y","index":0,'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",'
        + _FUNCTION
        + b'},{"index":5,"id":"y","index":1,'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        ("tool-index@0+190",),
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x"), call("f", "{}", "y")]},
        leaves=(192, 259, 273),
    ),
    RepairCase(
        "calls that stand twice, and the last ones count",
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[],"tool_calls":[{"id":"x",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[],"tool_calls":[{"index":0,"id":"x",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        ("tool-index@0+124",),
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x")]},
        leaves=(126, 193, 207),
    ),
    RepairCase(
        "choices that stand twice, and the last ones count",
        (
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"id":"w"}]}}],'
            b'"choices":[{"index":0,"delta":{"tool_calls":[{"id":"x",'
        )
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        (
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"id":"w"}]}}],'
            b'"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",'
        )
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        ("tool-index@0+168",),
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x")]},
        leaves=(170, 237, 251),
    ),
    RepairCase(
        "an index that is missing behind braces and quotes in strings",
        (b'data: {"id":"}]\\"{","n":[1,{"a":[]},[]],"choices":[{"index":0,"delta":{"tool_calls":[{"id":"x",')
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        (b'data: {"id":"}]\\"{","n":[1,{"a":[]},[]],"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",')
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        ("tool-index@0+141",),
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x")]},
        leaves=(143, 210, 224),
    ),
    RepairCase(
        "indexes that are missing in two choices",
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"id":"x",'
        + _FUNCTION
        + b'}]}},{"index":1,"delta":{"tool_calls":[{"id":"y",'
        + _FUNCTION
        + b'},{"id":"z",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",'
        + _FUNCTION
        + b'}]}},{"index":1,"delta":{"tool_calls":[{"index":0,"id":"y",'
        + _FUNCTION
        + b'},{"index":1,"id":"z",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        ("tool-index@0+249",),
        facts={
            **answered("", 1),
            "events": 3,
            "tool_calls": [call("f", "{}", "x"), call("f", "{}", "y", choice=1), call("f", "{}", "z", choice=1)],
        },
        leaves=(251, 318, 332),
    ),
    RepairCase(
        "an index that is missing in the second choice alone",
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",'
        + _FUNCTION
        + b'}]}},{"index":1,"delta":{"tool_calls":[{"id":"y",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",'
        + _FUNCTION
        + b'}]}},{"index":1,"delta":{"tool_calls":[{"index":0,"id":"y",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        ("tool-index@0+207",),
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x"), call("f", "{}", "y", choice=1)]},
        leaves=(209, 276, 290),
    ),
    RepairCase(
        "an index that is missing in an element",
        b'[{"choices":[{"index":0,"delta":{"tool_calls":[{"id":"x",' + _FUNCTION + b"}]}}]}]",
        b'[{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",' + _FUNCTION + b"}]}}]}]",
        ("tool-index@1+102",),
        facts={
            **answered("", 1, None),
            **failure("truncated"),
            "format": "json-array",
            "tool_calls": [call("f", "{}", "x")],
        },
        leaves=(103, 104),
    ),
    RepairCase(
        "an index that is missing, as lines",
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"id":"x",' + _FUNCTION + b"}]}}]}\n\n" + FINISH + DONE,
        b'{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",'
        + _FUNCTION
        + b'}]}}]}\n{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n',
        ("tool-index@0+108",),
        options={"to": "ndjson"},
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x")]},
        leaves=(110, 177),
    ),
    RepairCase(
        "an index that is null",
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":null,"id":"x",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        ("tool-index@0+121",),
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x")]},
        leaves=(123, 190, 204),
    ),
    RepairCase(
        "an index that is a fraction",
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0.0,"id":"x",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x")]},
        leaves=(122, 189, 203),
    ),
    RepairCase(
        "an index that is missing in a payload over lines of data",
        b'data: {"choices":\ndata: [{"index":0,"delta":\ndata: {"tool_calls":[{"id":"x",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        b'data: {"choices":\ndata: [{"index":0,"delta":\ndata: {"tool_calls":[{"index":0,"id":"x",'
        + _FUNCTION
        + b"}]}}]}\n\n"
        + FINISH
        + DONE,
        ("tool-index@0+122",),
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x")]},
        leaves=(124, 191, 205),
    ),
    RepairCase(
        "a call that is empty beside one without an index",
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"id":"x",'
        + _FUNCTION
        + b"},{}]}}]}\n\n"
        + FINISH
        + DONE,
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x",'
        + _FUNCTION
        + b'},{"index":0}]}}]}\n\n'
        + FINISH
        + DONE,
        ("tool-index@0+111",),
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "x")]},
        leaves=(113, 180, 194),
    ),
)
