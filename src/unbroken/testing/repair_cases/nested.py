"""Payloads within payloads: frames in frames, events that overwrote others, reprs of Python."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, but, said

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a frame in a frame without a blank",
        b'data: data:{"a":1}\n\n',
        b'data: {"a":1}\n\n',
        ("double-prefix@0+18",),
        leaves=(20,),
    ),
    RepairCase(
        "a frame in a frame, over two lines",
        b'data: data: {"a":\ndata: data: 1}\n\n',
        b'data: {"a":1}\n\n',
        ("double-prefix@0+32",),
        leaves=(34,),
    ),
    RepairCase(
        "a frame in a frame, behind an empty line and a name",
        b'data: data:\ndata: event: x\ndata: data: {"a":1}\n\n',
        b'data: {"a":1}\n\n',
        ("double-prefix@0+46",),
        leaves=(48,),
    ),
    RepairCase(
        "a frame in a frame, behind a comment",
        b'data: :c\ndata: data: {"a":1}\n\n',
        b'data: {"a":1}\n\n',
        ("double-prefix@0+28",),
        leaves=(30,),
    ),
    RepairCase(
        "a frame in a frame, and an unknown field",
        b'data: data: {"a":1}\ndata: foo: x\n\n',
        SAME,
        leaves=(34,),
    ),
    RepairCase(
        "a frame in a frame with a name alone",
        b"data: event: x\n\n",
        SAME,
        leaves=(16,),
    ),
    RepairCase(
        "a frame in a frame with the sentinel between blanks",
        b"data: data:  [DONE] \n\n",
        DONE,
        ("double-prefix@0+20",),
        leaves=(22,),
    ),
    RepairCase(
        "a frame in a frame in a frame",
        b'data: data: data: {"a":1}\n\n',
        SAME,
        leaves=(27,),
    ),
    RepairCase(
        "a frame in a frame, not to be mended",
        b'data: data: {"a":1}\n\n',
        SAME,
        options={"repairs": but("double-prefix")},
        leaves=(21,),
    ),
    RepairCase(
        "an event that overwrote another, with blanks in its braces",
        b'data: { "id":"x","obdata: { "id":"y"}\n\n',
        b'data: { "id":"y"}\n\n',
        ("spliced-event@0+37",),
        leaves=(39,),
    ),
    RepairCase(
        "an event that overwrote another, without a blank behind its prefix",
        b'data: {"id":"x","obdata:{"id":"y"}\n\n',
        b'data: {"id":"y"}\n\n',
        ("spliced-event@0+34",),
        leaves=(36,),
    ),
    RepairCase(
        "an event that overwrote another, and is cut",
        b'data: {"id":"x","obdata: {"id":"y"\n\n',
        SAME,
        facts={"invalid_json": 1},
        leaves=(36,),
    ),
    RepairCase(
        "an event that overwrote another, in a known dialect",
        said("a") + b'data: {"choices":[{"index":0,"del' + said("b") + FINISH + DONE,
        said("a", "b") + FINISH + DONE,
        ("spliced-event@57+88",),
        facts={**answered("ab", 2, "stop", "damaged"), "events": 4},
        leaves=(57, 147, 214, 228),
    ),
    RepairCase(
        "an event that overwrote another, and is cut, in a known dialect",
        said("a")
        + b'data: {"choices":[{"index":0,"deldata: {"choices":[{"index":0,"delta":{"content":"b"\n\n'
        + FINISH
        + DONE,
        said("a") + FINISH + DONE,
        ("invalid-json@57+84",),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 1},
        leaves=(57, 210, 224),
    ),
    RepairCase(
        "an event that overwrote another, not to be mended",
        b'data: {"id":"x","obdata: {"id":"y"}\n\n',
        SAME,
        options={"repairs": but("spliced-event")},
        facts={"invalid_json": 1},
        leaves=(37,),
    ),
    RepairCase(
        "a repr with a word that only begins like one",
        b"data: {'a': Trueish}\n\n",
        SAME,
        facts={"invalid_json": 1},
        leaves=(22,),
    ),
    RepairCase(
        "a repr with numbers",
        b"data: {'a': 1.5e-07, 'b': -0, 'c': [10, -7]}\n\n",
        b'data: {"a": 1.5e-07, "b": -0, "c": [10, -7]}\n\n',
        ("python-repr@0+44",),
        leaves=(46,),
    ),
    RepairCase(
        "a repr with a number in base sixteen",
        b"data: {'a': 0x1}\n\n",
        SAME,
        facts={"invalid_json": 1},
        leaves=(18,),
    ),
    RepairCase(
        "a repr with a text in double quotes",
        b"data: {'a': \"it's\"}\n\n",
        b'data: {"a": "it\'s"}\n\n',
        ("python-repr@0+19",),
        leaves=(21,),
    ),
    RepairCase(
        "a repr with escapes",
        b"data: {'a': 'x\\r\\x1b\\u2028\\t\\'\"'}\n\n",
        b'data: {"a": "x\\r\\u001b\\u2028\\t\'\\""}\n\n',
        ("python-repr@0+33",),
        leaves=(35,),
    ),
    RepairCase(
        "a repr with an escape that is none",
        b"data: {'a': '\\q'}\n\n",
        SAME,
        facts={"invalid_json": 1},
        leaves=(19,),
    ),
    RepairCase(
        "a repr with a blank behind it",
        b"data: {'a': 1} \n\n",
        b'data: {"a": 1}\n\n',
        ("python-repr@0+15",),
        leaves=(17,),
    ),
    RepairCase(
        "a repr with a word behind it",
        b"data: {'a': 1} x\n\n",
        SAME,
        facts={"invalid_json": 1},
        leaves=(18,),
    ),
    RepairCase(
        "a repr that is empty",
        b"data: {'': {}}\n\n",
        b'data: {"": {}}\n\n',
        ("python-repr@0+14",),
        leaves=(16,),
    ),
    RepairCase(
        "a repr with nothing but values of words",
        b"data: {'a': [True, False, None]}\n\n",
        b'data: {"a": [true, false, null]}\n\n',
        ("python-repr@0+32",),
        leaves=(34,),
    ),
    RepairCase(
        "a repr in a known dialect",
        said("a")
        + b"data: {'choices': [{'index': 0, 'delta': {'content': 'b', 'refusal': None}}]}\n\n"
        + FINISH
        + DONE,
        said("a")
        + b'data: {"choices": [{"index": 0, "delta": {"content": "b", "refusal": null}}]}\n\n'
        + FINISH
        + DONE,
        ("python-repr@57+77",),
        facts={**answered("ab", 2), "events": 4},
        leaves=(57, 136, 203, 217),
    ),
    RepairCase(
        "a repr, not to be mended",
        b"data: {'a': None}\n\n",
        SAME,
        options={"repairs": but("python-repr")},
        facts={"invalid_json": 1},
        leaves=(19,),
    ),
    RepairCase(
        "a repr of empty bytes",
        b"data: b''\n\n",
        SAME,
        leaves=(11,),
    ),
    RepairCase(
        "a repr of empty bytes in double quotes",
        b'data: b""\n\n',
        SAME,
        leaves=(11,),
    ),
    RepairCase(
        "a repr of bytes that are cut",
        b"data: b'{\n\n",
        SAME,
        leaves=(11,),
    ),
    RepairCase(
        "a repr of bytes with a document and a line end in it",
        b'data: b\'{"a": "x\\\\ny", "b":\\t1}\'\n\n',
        b'data: {"a": "x\\ny", "b":\t1}\n\n',
        ("python-repr@0+32",),
        leaves=(34,),
    ),
    RepairCase(
        "a repr of bytes with a control character",
        b'data: b\'{"a": "\\x01"}\'\n\n',
        SAME,
        leaves=(24,),
    ),
    RepairCase(
        "a repr of bytes of a frame with CRLF",
        b"data: b'data: {\"a\":1}\\r\\n\\r\\n'\n\n",
        b'data: {"a":1}\n\n',
        ("python-repr@0+30",),
        leaves=(32,),
    ),
    RepairCase(
        "a repr of bytes of a frame with a name",
        b"data: b'event: x\\ndata: {\"a\":1}\\n\\n'\n\n",
        b'data: {"a":1}\n\n',
        ("python-repr@0+36",),
        leaves=(38,),
    ),
    RepairCase(
        "a repr of bytes of the sentinel",
        said("a") + FINISH + b"data: b'data: [DONE]\\n\\n'\n\n",
        said("a") + FINISH + DONE,
        ("python-repr@124+25",),
        facts={**answered("a", 1), "events": 3},
        leaves=(57, 124, 151),
    ),
    RepairCase(
        "a repr of bytes of words",
        b"data: b'words'\n\n",
        SAME,
        leaves=(16,),
    ),
    RepairCase(
        "a repr of bytes with single quotes in double quotes",
        b'data: b"{\\"a\\": \\"it\'s\\"}"\n\n',
        b'data: {"a": "it\'s"}\n\n',
        ("python-repr@0+26",),
        leaves=(28,),
    ),
    RepairCase(
        "a repr of bytes of a frame in NDJSON",
        b'{}\nb"data: {\\"a\\":1}\\r\\n"\n',
        b'{}\n{"a":1}\n',
        ("python-repr@3+22",),
        facts={"format": "ndjson", "events": 2},
        leaves=(3, 26),
    ),
)
