"""Events as long as they may be, and longer; numbers with many digits."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, call, error_of_ours, failure, said

_FINISH_BESIDE: Final = b'data: {"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}],"x":[%b0]}\n\n'

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a reconnection time of zero",
        b"retry: 0\ndata: a\n\n",
        SAME,
        facts={"retry": 0},
    ),
    RepairCase(
        "a reconnection time of zeros",
        b"retry: 000\ndata: a\n\n",
        SAME,
        facts={"retry": 0},
    ),
    RepairCase(
        "a reconnection time of 309 digits",
        b"retry: 1" + b"0" * 308 + b"\ndata: a\n\n",
        SAME,
        facts={"retry": 10**308},
    ),
    RepairCase(
        "a text that is too long for a proof",
        said("x" * 1048576, "y") + FINISH + DONE,
        SAME,
        facts={**answered("x" * 1048576, 2), "events": 4, "unproven": 1, "account_cut": True, "repetitions": 4096},
    ),
    RepairCase(
        "a broken payload that is too long for a proof",
        said("a") + b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 1048576 + b'"}\n\n' + FINISH + DONE,
        SAME,
        facts={**answered("a", 1, "stop", "damaged"), "events": 4, "unproven": 1},
    ),
    RepairCase(
        "a word that is too long for a proof",
        said("a") + b"data: " + b"x" * 1048577 + b"\n\n" + FINISH + DONE,
        SAME,
        facts={**answered("a", 1), "events": 4, "unproven": 1},
    ),
    RepairCase(
        "a finish beside as many objects as are read without a proof",
        said("a") + _FINISH_BESIDE % ((b'{"p":"' + b"x" * 30 + b'"},') * 32700) + DONE,
        SAME,
        facts={**answered("ab", 2), "events": 3, "unproven": 1},
    ),
    RepairCase(
        "a finish beside more objects than are read without a proof",
        said("a") + _FINISH_BESIDE % ((b'{"p":"' + b"x" * 30 + b'"},') * 32800) + DONE,
        SAME,
        facts={**answered("a", 1, None), "events": 3, "unproven": 1},
    ),
    RepairCase(
        "a finish beside as many lists as are read without a proof",
        said("a") + _FINISH_BESIDE % ((b'["' + b"x" * 32 + b'"],') * 32700) + DONE,
        SAME,
        facts={**answered("ab", 2), "events": 3, "unproven": 1},
    ),
    RepairCase(
        "a finish beside more lists than are read without a proof",
        said("a") + _FINISH_BESIDE % ((b'["' + b"x" * 32 + b'"],') * 32800) + DONE,
        SAME,
        facts={**answered("a", 1, None), "events": 3, "unproven": 1},
    ),
    RepairCase(
        "text beyond what is kept",
        said("x" * 1048476, "y" * 100, "z") + FINISH + DONE,
        SAME,
        facts={**answered("x" * 1048476 + "y" * 100, 3), "events": 5, "account_cut": True, "repetitions": 100},
    ),
    RepairCase(
        "text as long as what is kept",
        said("x" * 1048476, "y" * 100) + FINISH + DONE,
        SAME,
        facts={**answered("x" * 1048476 + "y" * 100, 2), "events": 4, "repetitions": 100},
    ),
    RepairCase(
        "text beyond what is kept in the last piece of many",
        said("x" * 1048476, "y" * 92, "a", "b", "c", "d", "ef", "ghi") + FINISH + DONE,
        SAME,
        facts={**answered("x" * 1048476 + "y" * 92 + "abcdefgh", 8), "events": 10, "account_cut": True},
    ),
    RepairCase(
        "text as long as what is kept, the last piece of many",
        said("x" * 1048476, "y" * 92, "a", "b", "c", "d", "ef", "gh") + FINISH + DONE,
        SAME,
        facts={**answered("x" * 1048476 + "y" * 92 + "abcdefgh", 8), "events": 10},
    ),
    RepairCase(
        "an event of two lines longer than allowed, and one as long",
        b"data: "
        + b"x" * 504
        + b"\ndata: "
        + b"x" * 505
        + b"\n\ndata: "
        + b"x" * 504
        + b"\ndata: "
        + b"x" * 506
        + b"\n\n",
        b"data: " + b"x" * 504 + b"\ndata: " + b"x" * 505 + b"\n\n",
        ("oversized-event@1024+1023",),
        options={"max_event_bytes": 1024},
    ),
    RepairCase(
        "a line with a separator that ends lines for some readers",
        '{"a":"x\u2028y"}\n{"b":1}\n'.encode(),
        b'{"a":"x\\u2028y"}\n{"b":1}\n',
        facts={"format": "ndjson", "events": 2, "respellings": {"separator": 1}},
    ),
    RepairCase(
        "an event longer than allowed, and one as long",
        b"data: " + b"x" * 1016 + b"\n\ndata: " + b"x" * 1017 + b"\n\ndata: y\n\n",
        b"data: " + b"x" * 1016 + b"\n\ndata: y\n\n",
        ("oversized-event@1024+1023",),
        options={"max_event_bytes": 1024},
        facts={"events": 2},
    ),
    RepairCase(
        "an event of lines longer than allowed, and one as long",
        b"id: 1\ndata: " + b"x" * 1010 + b"\n\nid: 2\ndata: " + b"x" * 1011 + b"\n\ndata: y\n\n",
        b"id: 1\ndata: " + b"x" * 1010 + b"\n\ndata: y\n\n",
        ("oversized-event@1024+1023",),
        options={"max_event_bytes": 1024},
        facts={"events": 2, "last_event_id": "1"},
    ),
    RepairCase(
        "an event longer than allowed once it is spelt",
        b"data:" + b"x" * 1016 + b"\n\ndata:" + b"x" * 1017 + b"\n\ndata: y\n\n",
        b"data: " + b"x" * 1016 + b"\n\ndata: y\n\n",
        ("oversized-event@1023+1022",),
        options={"max_event_bytes": 1024},
        facts={"respellings": {"field-blank": 2}, "events": 2},
    ),
    RepairCase(
        "a line that never ends",
        b"data: a\n\ndata: " + b"x" * 1100,
        b"data: a\n\n",
        ("oversized-event@9+1106",),
        options={"max_event_bytes": 1024},
        facts={"verdict": "truncated"},
    ),
    RepairCase(
        "a line too long in the middle of a block",
        b"data: a\nid: 7\ndata: " + b"x" * 1100 + b"\ndata: b\n\ndata: c\n\n",
        b"data: c\n\n",
        ("oversized-event@0+1128",),
        options={"max_event_bytes": 1024},
    ),
    RepairCase(
        "a comment too long",
        b": " + b"x" * 1100 + b"\n\ndata: c\n\n",
        b"data: c\n\n",
        ("oversized-event@0+1102",),
        options={"max_event_bytes": 1024},
    ),
    RepairCase(
        "a line of JSON longer than allowed, and one as long",
        b'"' + b"x" * 1021 + b'"\n{"a":1}\n"' + b"x" * 1022 + b'"\n{"b":1}\n',
        b'"' + b"x" * 1021 + b'"\n{"a":1}\n{"b":1}\n',
        ("oversized-event@1032+1024",),
        options={"max_event_bytes": 1024, "format": "ndjson"},
        facts={"format": "ndjson", "events": 3},
    ),
    RepairCase(
        "a line of JSON that never ends",
        b'{"a":1}\n"' + b"x" * 1100,
        b'{"a":1}\n',
        ("oversized-event@8+1101",),
        options={"max_event_bytes": 1024},
        facts={"format": "ndjson", "verdict": "truncated"},
    ),
    RepairCase(
        "a document over lines longer than allowed, and one as long",
        b'{"z":1}\n{"a":\n"' + b"x" * 1014 + b'"}\n{"a":\n"' + b"x" * 1015 + b'"}\n{"b":1}\n',
        b'{"z":1}\n{"a":"' + b"x" * 1014 + b'"}\n{"b":1}\n',
        (
            "raw-newline@8+1023",
            "oversized-event@1032+1024",
        ),
        options={"max_event_bytes": 1024},
        facts={"format": "ndjson", "events": 3},
    ),
    RepairCase(
        "an element longer than allowed, and one as long",
        b'["' + b"x" * 1022 + b'","' + b"x" * 1023 + b'",{"a":1}]',
        b'["' + b"x" * 1022 + b'",{"a":1}]',
        ("oversized-event@1026+1025",),
        options={"max_event_bytes": 1024},
        facts={"format": "json-array", "events": 2},
    ),
    RepairCase(
        "a number that never ends",
        b'[{"a":1},' + b"1" * 1100 + b"]",
        b'[{"a":1}]',
        ("oversized-event@9+1100",),
        options={"max_event_bytes": 1024},
        facts={"format": "json-array"},
    ),
    RepairCase(
        "a repair that makes an event too long",
        b'data: {"a":1}\n\n{"t":"' + b"x" * 1011 + b'"}\n\ndata: c\n\n',
        b'data: {"a":1}\n\ndata: c\n\n',
        (
            "raw-json@15+1019",
            "oversized-event@15+1019",
        ),
        options={"max_event_bytes": 1024},
        facts={"respellings": {"blank-line": 1}, "events": 2},
    ),
    RepairCase(
        "a name that makes an event longer than the limit",
        b'data: {"type":"message_start","message":{"role":"assistant","x":"'
        + b"x" * 935
        + b'"}}\n\ndata: {"type":"message_stop"}\n\n',
        b'data: {"type":"message_start","message":{"role":"assistant","x":"'
        + b"x" * 935
        + b'"}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
        ("event-name-restored@1005+29",),
        options={"dialect": "anthropic", "max_event_bytes": 1024},
        facts={"dialect": "anthropic", "verdict": "complete", "events": 2},
    ),
    RepairCase(
        "ids of calls as long as may be kept",
        b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "'
        + b"a" * 131071
        + (
            b'", "function": {"name": "f", "arguments": "{}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "id": "'
        )
        + b"b" * 131071
        + b'", "function": {"name": "f", "arguments": "{}"}}]}}]}\n\n'
        + FINISH
        + DONE,
        SAME,
        facts={
            **answered("", 2),
            "events": 4,
            "tool_calls": [call("f", "{}", "a" * 1024), call("f", "{}", "b" * 1024)],
        },
    ),
    RepairCase(
        "an id of a call beyond what is kept",
        b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "'
        + b"a" * 131071
        + (
            b'", "function": {"name": "f", "arguments": "{}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "id": "'
        )
        + b"b" * 131071
        + (
            b'", "function": {"name": "f", "arguments": "{}"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 2, "id": "c", "function": '
            b'{"name": "f", "arguments": "{}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={
            **answered("", 3),
            "events": 5,
            "tool_calls": [call("f", "{}", "a" * 1024), call("f", "{}", "b" * 1024), call("f", "{}", "c")],
        },
    ),
    RepairCase(
        "a line too long in a document over lines",
        b'{}\n{"a":\n"' + b"x" * 1100 + b'"\n}\n{}\n',
        b"{}\n{}\n",
        (
            "invalid-json@3+5",
            "oversized-event@9+1102",
            "invalid-json@1112+1",
        ),
        options={"max_event_bytes": 1024},
        facts={"format": "ndjson", "events": 2, "invalid_json": 2},
    ),
    RepairCase(
        "a line too long in a document over lines, reported",
        b'{}\n{"a":\n"' + b"x" * 1100 + b'"\n}\n{}\n',
        b"{}\n" + error_of_ours("invalid-json") + b"\n",
        ("invalid-json@3+5",),
        options={"max_event_bytes": 1024, "invalid_json": "error"},
        facts={**failure("invalid-json"), "format": "ndjson", "invalid_json": 1, "bytes_in": 8},
    ),
    RepairCase(
        "lines that only their blanks make too long",
        b"{}\n" + b" " * 1100 + b"{}\n{}" + b" " * 1100 + b"\n{}\n",
        b"{}\n{}\n{}\n",
        ("oversized-event@1106+1102",),
        options={"max_event_bytes": 1024},
        facts={"format": "ndjson", "respellings": {"blanks": 1}, "events": 3},
    ),
    RepairCase(
        "a document over lines too long, and its rest",
        b'{}\n{"a":\n"' + b"x" * 600 + b'",\n"' + b"y" * 600 + b'"\n{}\n',
        b"{}\n{}\n",
        ("oversized-event@3+1212",),
        options={"max_event_bytes": 1024},
        facts={"format": "ndjson", "events": 2},
    ),
    RepairCase(
        "a line too long with a byte that is not UTF-8",
        b"data: \xff" + b"x" * 1100 + b"\n\ndata: 1\n\n",
        b"data: 1\n\n",
        ("oversized-event@0+1107",),
        options={"max_event_bytes": 1024},
        leaves=(1118,),
    ),
    RepairCase(
        "a document without data, with a line too long that ends in a colon",
        b'data: {"x":1}\n\n{"a":1,\n"' + b"k" * 1100 + b'":\n1}\n\ndata: {"y":1}\n\n',
        b'data: {"x":1}\n\ndata: {"y":1}\n\n',
        ("oversized-event@15+1114",),
        options={"max_event_bytes": 1024},
        facts={"events": 2},
        leaves=(15, 1146),
    ),
    RepairCase(
        "two documents of one block behind a broken one that is too long",
        b'data: {"a":}\ndata: {"b":2}\ndata: ' + b"x" * 1100 + b'\n\ndata: {"c":3}\ndata: {"d":4}\n\n',
        b'data: {"c":3}\n\ndata: {"d":4}\n\n',
        ("oversized-event@0+1133", "missing-blank-line@1149+0"),
        options={"max_event_bytes": 1024},
        facts={"events": 2},
        leaves=(1163, 1164),
    ),
    RepairCase(
        "a block too long, and one byte of its next line at the end",
        b"data: " + b"x" * 1100 + b"\nx",
        b"",
        ("oversized-event@0+1108",),
        options={"max_event_bytes": 1024},
        facts={"verdict": "truncated", "events": 0},
        leaves=(),
    ),
    RepairCase(
        "a second document by which a block is one byte too long",
        b'data: {"a":1}\ndata: {"b":"' + b"x" * 995 + b'"}\n\ndata: {"c":1}\n\n',
        b'data: {"c":1}\n\n',
        ("oversized-event@0+1023",),
        options={"max_event_bytes": 1024},
        leaves=(1040,),
    ),
    RepairCase(
        "an event with an id that is one byte too long with a blank behind its colon",
        b'id: 1\ndata:{"b":"' + b"x" * 1003 + b'"}\n\ndata: {"c":1}\n\n',
        b'data: {"c":1}\n\n',
        ("oversized-event@0+1022",),
        options={"max_event_bytes": 1024},
        facts={"respellings": {"field-blank": 1}},
        leaves=(1039,),
    ),
    RepairCase(
        "a null and a payload in one block, behind an event that is one byte too long with a blank behind its colon",
        said("a") + b"data:" + b"x" * 1017 + b"\n\ndata: null\n" + said("b") + FINISH + DONE,
        said("a", "b") + FINISH + DONE,
        ("oversized-event@57+1022", "missing-blank-line@1092+0", "empty-data@1081+10"),
        options={"max_event_bytes": 1024},
        facts={**answered("ab", 2, "stop", "damaged"), "events": 4, "respellings": {"field-blank": 1}},
        leaves=(57, 1149, 1216, 1230),
    ),
)
