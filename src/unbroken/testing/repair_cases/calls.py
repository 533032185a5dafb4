"""Tool calls: which piece belongs to which call, and which arguments are whole."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, call, failure, told

_CALL: Final = (
    b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":'
    b'{"name":"f","arguments":""}}]}}]}\n\n'
)

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a call in three pieces",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": ""}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"{\\"a\\""}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'":1}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 3), "events": 5, "tool_calls": [call("f", '{"a":1}', "c1")]},
    ),
    RepairCase(
        "arguments that end in half of an escape",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":\\"\\\\"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"\\\\\\"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "id": "c2", "function": '
            b'{"name": "g", "arguments": "{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 3), "events": 5, "tool_calls": [call("f", '{"a":"\\\\"}', "c1"), call("g", "{}", "c2")]},
    ),
    RepairCase(
        "arguments with an escaped quote before a bracket, without an index",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"id": "a", "function": {"name": "f", '
            b'"arguments": "{\\"a\\":\\"\\\\\\"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"function": {"arguments": "\\"}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index":0,"id": "a", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":\\"\\\\\\"}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index":0,"function": {"arguments": '
            b'"\\"}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            "tool-index@0+131",
            "tool-index@133+96",
        ),
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":"\\"}"}', "a")]},
    ),
    RepairCase(
        "three backslashes at a cut of arguments",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":\\"\\\\\\\\\\\\"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 2, "function": {"arguments": '
            b'"\\"b\\"}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":\\"\\\\\\\\\\\\"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"\\"b\\"}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        ("tool-index@147+111",),
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":"\\\\\\"b"}', "c1")]},
    ),
    RepairCase(
        "a drifting index",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": '
            b'"1"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 2, "function": {"arguments": '
            b'"}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"1"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            "tool-index@139+106",
            "tool-index@247+106",
        ),
        facts={**answered("", 3), "events": 5, "tool_calls": [call("f", '{"a":1}', "c1")]},
    ),
    RepairCase(
        "a drifting index behind a call that is whole",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": '
            b'"{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={
            **answered("", 2),
            "events": 4,
            "tool_calls": [call("f", '{"a":1}', "c1", complete=False), call(None, "{}", complete=False)],
        },
    ),
    RepairCase(
        "a drifting index behind two open calls",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "id": "c2", "function": '
            b'{"name": "g", "arguments": "{\\"b\\":"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 2, "function": {"arguments": '
            b'"1}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={
            **answered("", 3),
            "events": 5,
            "tool_calls": [
                call("f", '{"a":', "c1", complete=False),
                call("g", '{"b":', "c2", complete=False),
                call(None, "1}", complete=False),
            ],
        },
    ),
    RepairCase(
        "two calls at one index, told apart by id",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c2", "function": '
            b'{"name": "f", "arguments": "{\\"b\\":2}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "id": "c2", "function": '
            b'{"name": "f", "arguments": "{\\"b\\":2}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        ("tool-index@141+139",),
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":1}', "c1"), call("f", '{"b":2}', "c2")]},
    ),
    RepairCase(
        "a name in two pieces",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "get_"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": '
            b'"weather"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 3), "events": 5, "tool_calls": [call("get_weather", "{}", "c1")]},
    ),
    RepairCase(
        "a name that comes whole again",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "get"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": '
            b'"get_weather"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 3), "events": 5, "tool_calls": [call("get_weather", "{}", "c1")]},
    ),
    RepairCase(
        "a name once more behind the arguments",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":1"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":1}', "c1")]},
    ),
    RepairCase(
        "another name behind the arguments",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "g", '
            b'"arguments": "{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"name": "g", '
            b'"arguments": "{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        ("tool-index@129+120",),
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":1}'), call("g", "{}")]},
    ),
    RepairCase(
        "the same name with other whole arguments",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "{\\"a\\":2}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"name": "f", '
            b'"arguments": "{\\"a\\":2}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        ("tool-index@129+127",),
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":1}'), call("f", '{"a":2}')]},
    ),
    RepairCase(
        "the same name with the same whole arguments",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "{\\"a\\":1}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":1}{"a":1}', complete=False)]},
    ),
    RepairCase(
        "an empty object that arguments replace",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"{\\"a\\":1}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":1}', "c1")]},
    ),
    RepairCase(
        "an empty object that blanks and arguments replace",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'" {\\"a\\":1}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", ' {"a":1}', "c1")]},
    ),
    RepairCase(
        "an empty object that stays",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "{}", "c1")]},
    ),
    RepairCase(
        "a call without arguments that finished",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": ""}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 1), "events": 3, "tool_calls": [call("f", "", "c1")]},
    ),
    RepairCase(
        "a call without arguments that was cut",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": ""}}]}}]}\n\n'
        ),
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": ""}}]}}]}\n\n'
        )
        + told("truncated"),
        facts={**answered("", 1, None), **failure("truncated"), "tool_calls": [call("f", "", "c1", complete=False)]},
    ),
    RepairCase(
        "a piece of no call",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c2", "function": '
            b'{"name": "g", "arguments": "{\\"b\\":2}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 7, "function": {"arguments": '
            b'"{\\"c\\""}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "id": "c2", "function": '
            b'{"name": "g", "arguments": "{\\"b\\":2}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 7, "function": {"arguments": '
            b'"{\\"c\\""}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        ("tool-index@141+139",),
        facts={
            **answered("", 3),
            "events": 5,
            "tool_calls": [
                call("f", '{"a":1}', "c1", complete=False),
                call("g", '{"b":2}', "c2", complete=False),
                call(None, '{"c"', complete=False),
            ],
        },
    ),
    RepairCase(
        "calls of two choices",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"tool_calls": [{"index": 0, "id": "c2", "function": '
            b'{"name": "g", "arguments": "{\\"b\\":2}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={
            **answered("", 2),
            "events": 4,
            "tool_calls": [call("f", '{"a":1}', "c1"), call("g", '{"b":2}', "c2", choice=1)],
        },
    ),
    RepairCase(
        "the same name behind arguments that are not whole",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "{\\"a\\":["}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "{\\"b\\":1}]}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":[{"b":1}]}')]},
    ),
    RepairCase(
        "the same name and blanks behind arguments that are whole",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", '
            b'"arguments": " "}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":1} ')]},
    ),
    RepairCase(
        "an index that drifted, and then begins another call",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": '
            b'"1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "id": "c2", "function": '
            b'{"name": "g", "arguments": "{\\"b\\":2}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "id": "c2", "function": '
            b'{"name": "g", "arguments": "{\\"b\\":2}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        ("tool-index@139+107",),
        facts={**answered("", 3), "events": 5, "tool_calls": [call("f", '{"a":1}', "c1"), call("g", '{"b":2}', "c2")]},
    ),
    RepairCase(
        "an id of its own at the place of another call, without a name",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": "{\\"a\\":1}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c2", "function": '
            b'{"arguments": " "}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":1} ', "c1")]},
    ),
    *(
        RepairCase(
            f"a call without arguments behind the finish {finish}",
            _CALL + b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"%b"}]}\n\n' % finish.encode() + DONE,
            SAME,
            facts={
                **answered("", 1, finish),
                "events": 3,
                "content_emitted": True,
                "tool_calls": [call("f", id="c", complete=is_whole)],
            },
        )
        for finish, is_whole in (
            *(("tool_calls", True), ("whatever", True), ("length", False), ("content_filter", False)),
            *(("max_tokens", False), ("MAX_TOKENS", False)),
        )
    ),
)
