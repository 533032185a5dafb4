"""Flaws of payloads that are mended, and what only looks like one of them."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, but, said
from .paced import ANTHROPIC_END

_START: Final = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}}\n\n'
)

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a chunk size of HTTP between two lines of a string",
        b'{}\n{"t":"one and\n1f\r\ntwo"}\n',
        b"{}\n",
        ("invalid-json@3+23",),
        facts={"format": "ndjson", "invalid_json": 1, "respellings": {"blanks": 1}},
        leaves=(3,),
    ),
    RepairCase(
        "a number of nine digits between two lines of a string",
        b'{}\n{"t":"one and\n123456789\ntwo"}\n',
        b'{}\n{"t":"one and\\n123456789\\ntwo"}\n',
        ("raw-newline@3+29",),
        facts={"format": "ndjson", "events": 2},
        leaves=(3, 33),
    ),
    RepairCase(
        "a year on the last line of a string",
        b'{}\n{"t":"one\ntwo\n1969"}\n',
        b'{}\n{"t":"one\\ntwo\\n1969"}\n',
        ("raw-newline@3+20",),
        facts={"format": "ndjson", "events": 2},
        leaves=(3, 24),
    ),
    RepairCase(
        "lines of a string that are all of one width",
        b'{}\n{"t":"one\ntwo three\nfour five\nsix"}\n',
        b"{}\n",
        ("invalid-json@3+35",),
        facts={"format": "ndjson", "invalid_json": 1},
        leaves=(3,),
    ),
    RepairCase(
        "lines of a string of one width in bytes, not in characters",
        b'{}\n{"t":"one\ntw\xc3\xb6 thre\nfour five\nsix"}\n',
        b"{}\n",
        ("invalid-json@3+35",),
        facts={"format": "ndjson", "invalid_json": 1},
        leaves=(3,),
    ),
    RepairCase(
        "lines of a string of one width, and a longer last one",
        b'{}\n{"t":"one\ntwo three\nfour five\nsix and seven and eight"}\n',
        b'{}\n{"t":"one\\ntwo three\\nfour five\\nsix and seven and eight"}\n',
        ("raw-newline@3+55",),
        facts={"format": "ndjson", "events": 2},
        leaves=(3, 59),
    ),
    RepairCase(
        "lines of a string of one width, the last one with its end",
        b'{}\n{"t":"one\ntwo three\nfour five\nsix sev"}\n',
        b"{}\n",
        ("invalid-json@3+39",),
        facts={"format": "ndjson", "invalid_json": 1},
        leaves=(3,),
    ),
    RepairCase(
        "lines of a string of one width, but for the second",
        b'{}\n{"t":"one\ntwo four\nfour five\neight"}\n',
        b'{}\n{"t":"one\\ntwo four\\nfour five\\neight"}\n',
        ("raw-newline@3+36",),
        facts={"format": "ndjson", "events": 2},
        leaves=(3, 40),
    ),
    RepairCase(
        "lines of a string of one width, but for the last but one",
        b'{}\n{"t":"one\nfour five\ntwo four\neight"}\n',
        b'{}\n{"t":"one\\nfour five\\ntwo four\\neight"}\n',
        ("raw-newline@3+36",),
        facts={"format": "ndjson", "events": 2},
        leaves=(3, 40),
    ),
    RepairCase(
        "lines of a string of one width, where the first has its prefix",
        b'data: {"t":"one and\ntwo threes four fiv\nsix sevens nine ten\neight"}\n\n',
        b'data: {"t":"one and\n\n',
        ("stray-line@20+47",),
        facts={"invalid_json": 1},
        leaves=(69,),
    ),
    RepairCase(
        "lines of a string of one width, where the first has its prefix without a blank",
        b'data: {"t":"one and\ntwo threes and fou\nsix sevens and eig\neight"}\n\n',
        b'data: {"t":"one and\n\n',
        ("stray-line@20+45",),
        facts={"invalid_json": 1},
        leaves=(67,),
    ),
    RepairCase(
        "lines of a string of one width, and a first one that is wider by a prefix",
        b'data: {"t":"one and all m\ntwo and three\nfour and five\neight"}\n\n',
        b'data: {"t":"one and all m\\ntwo and three\\nfour and five\\neight"}\n\n',
        ("raw-newline@0+61",),
        leaves=(63,),
    ),
    RepairCase(
        "a name of the protocol that a line end parts",
        _START
        + (
            b'event: content_block_delta\ndata: {"type":"content_block\n'
            b'_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n'
        )
        + ANTHROPIC_END,
        _START
        + (
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n'
        )
        + ANTHROPIC_END,
        ("raw-newline@105+115",),
        facts={
            "dialect": "anthropic",
            "verdict": "complete",
            "events": 3,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(105, 222, 273),
    ),
    RepairCase(
        "a name of the protocol that a line end parts, and another flaw",
        _START
        + (
            b'event: content_block_delta\ndata: {"type":"content_block\n'
            b'_delta","index":NaN,"delta":{"type":"text_delta","text":"a"}}\n\n'
        )
        + ANTHROPIC_END,
        _START + ANTHROPIC_END,
        (
            "stray-line@161+61",
            "invalid-json@105+117",
        ),
        facts={"dialect": "anthropic", "verdict": "damaged", "events": 2, "invalid_json": 1},
        leaves=(105, 275),
    ),
    RepairCase(
        "a key of a known dialect that a line end parts, and another flaw",
        said("a") + b'data: {"choi\nces":[{"index":0,"delta":{"content":"b"},"x":NaN}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "stray-line@70+51",
            "invalid-json@57+64",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 1},
        leaves=(57, 190, 204),
    ),
    RepairCase(
        "a document over lines with a string that ends in a backslash",
        b'{}\n{"a":"C:\\\\",\n"b":1}\n',
        b'{}\n{"a":"C:\\\\","b":1}\n',
        ("raw-newline@3+19",),
        facts={"format": "ndjson", "events": 2},
        leaves=(3, 23),
    ),
    RepairCase(
        "a sentinel of sixteen characters",
        said("a") + FINISH + b'data: [ done ]       "\n\n',
        said("a") + FINISH + DONE,
        ("done-spelling@124+22",),
        facts={**answered("a", 1), "events": 3},
        leaves=(57, 124, 148),
    ),
    RepairCase(
        "a sentinel of seventeen characters",
        said("a") + FINISH + b'data: [ done ]        "\n\n',
        said("a") + FINISH,
        ("invalid-json@124+23",),
        facts={**answered("a", 1, "stop", "damaged"), "events": 2, "invalid_json": 1},
        leaves=(57, 124),
    ),
    RepairCase(
        "a double prefix and a number that is not finite",
        b'data: data: {"a":NaN}\n\n',
        b'data: {"a":null}\n\n',
        (
            "double-prefix@0+21",
            "non-finite@0+21",
        ),
        leaves=(23,),
    ),
    RepairCase(
        "a double prefix that may not be one, and a number that is not finite",
        b'data: data: {"a":NaN}\n\n',
        SAME,
        options={"repairs": but("double-prefix")},
        leaves=(23,),
    ),
    RepairCase(
        "a repr of a list",
        b"data: ['a', None]\n\n",
        SAME,
        leaves=(19,),
    ),
    RepairCase(
        "nothing, in a framing that is named",
        b"",
        SAME,
        options={"format": "sse"},
        facts={"events": 0},
    ),
    RepairCase(
        "a provider and a request with names",
        said("a") + FINISH + DONE,
        SAME,
        options={"provider": "p", "request_id": "r"},
        facts={**answered("a", 1), "events": 3, "provider": "p", "request_id": "r"},
        leaves=(57, 124, 138),
    ),
    RepairCase(
        "a role that a line end parts",
        said("a") + b'data: {"choices":[{"index":0,"delta":{"role":"assi\nstant","content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"b"}}]}\n\n' + FINISH + DONE,
        ("raw-newline@57+75",),
        facts={**answered("ab", 2), "events": 4},
        leaves=(57, 134, 201, 215),
    ),
    RepairCase(
        "two keys that line ends part",
        said("a") + b'data: {"choi\nces":[{"ind\nex":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a", "b") + FINISH + DONE,
        ("raw-newline@57+57",),
        facts={**answered("ab", 2), "events": 4},
        leaves=(57, 116, 183, 197),
    ),
    RepairCase(
        "two keys that line ends part, one of them unknown",
        said("a") + b'data: {"choi\nces":[{"ind\nx":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "stray-line@70+43",
            "invalid-json@57+56",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 1},
        leaves=(57, 182, 196),
    ),
    RepairCase(
        "a key that a line end parts, and a text that one parts",
        said("a") + b'data: {"choi\nces":[{"index":0,"delta":{"content":"b \nc"}}]}\n\n' + FINISH + DONE,
        said("a", "b c") + FINISH + DONE,
        ("raw-newline@57+59",),
        facts={**answered("ab c", 2), "events": 4},
        leaves=(57, 118, 185, 199),
    ),
)
