"""Documents that raw line ends cut into lines with and without `data:`."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, but, said

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a line end in a string, named data behind it",
        b'data: {"t":"one\ndata: two"}\n\n',
        SAME,
        facts={"invalid_json": 1},
        leaves=(29,),
    ),
    RepairCase(
        "a line end in a string, a comment behind it",
        b'data: {"t":"one\n: c\ntwo"}\n\n',
        b'data: {"t":"one\n: c\n\n',
        ("stray-line@20+5",),
        facts={"comments": 1, "invalid_json": 1},
        leaves=(27,),
    ),
    RepairCase(
        "a line end in a string, an unknown field in the block",
        b'data: {"t":"one\nx: y\ntwo"}\n\n',
        b'data: {"t":"one\nx: y\n\n',
        ("stray-line@21+5",),
        facts={"invalid_json": 1},
        leaves=(28,),
    ),
    RepairCase(
        "a line end in a string, an unknown field and an id in the block",
        b'id: 4\nx: y\ndata: {"t":"one\ntwo"}\n\n',
        b'id: 4\nx: y\ndata: {"t":"one\n\n',
        ("stray-line@27+5",),
        facts={"invalid_json": 1, "last_event_id": "4"},
        leaves=(34,),
    ),
    RepairCase(
        "a line end in a string, an id before it",
        b'id: 4\ndata: {"t":"one\ntwo"}\n\n',
        b'id: 4\ndata: {"t":"one\\ntwo"}\n\n',
        ("raw-newline@0+27",),
        facts={"last_event_id": "4"},
        leaves=(29,),
    ),
    RepairCase(
        "a line end in a string, an id behind it",
        b'data: {"t":"one\ntwo"}\nid: 4\n\n',
        b'data: {"t":"one\\ntwo"}\nid: 4\n\n',
        ("raw-newline@0+27",),
        facts={"last_event_id": "4"},
        leaves=(29,),
    ),
    RepairCase(
        "an empty first line of data, and a line end in a string",
        b'data: \ndata: {"t":"one\ntwo"}\n\n',
        b'data: {"t":"one\\ntwo"}\n\n',
        ("raw-newline@0+28",),
        leaves=(30,),
    ),
    RepairCase(
        "line ends between tokens, with and without data",
        b'data: {"a":\ndata: [1,\n2]}\n\n',
        b'data: {"a":[1,2]}\n\n',
        ("raw-newline@0+25",),
        leaves=(27,),
    ),
    RepairCase(
        "a line end in a string, and a flaw",
        b'data: {"t":"one\ntwo","n":NaN}\n\n',
        b'data: {"t":"one\\ntwo","n":null}\n\n',
        (
            "raw-newline@0+29",
            "non-finite@0+29",
        ),
        leaves=(31,),
    ),
    RepairCase(
        "a line end in a string, and two flaws",
        b'data: {"t":"one\ntwo\t","n":NaN}\n\n',
        b'data: {"t":"one\\ntwo\\t","n":null}\n\n',
        (
            "raw-newline@0+30",
            "non-finite@0+30",
        ),
        leaves=(32,),
    ),
    RepairCase(
        "a line end in a string, and a flaw, with a comment between",
        b'data: {"t":"one\n: c\ntwo","n":NaN}\n\n',
        b'data: {"t":"one\n: c\n\n',
        ("stray-line@20+13",),
        facts={"comments": 1, "invalid_json": 1},
        leaves=(35,),
    ),
    RepairCase(
        "a line end in a string, and a flaw, with an unknown field",
        b'x: y\ndata: {"t":"one\ntwo","n":NaN}\n\n',
        b'x: y\ndata: {"t":"one\n\n',
        ("stray-line@21+13",),
        facts={"invalid_json": 1},
        leaves=(36,),
    ),
    RepairCase(
        "a line end in a key of a known dialect",
        said("a") + b'data: {"choi\nces":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a", "b") + FINISH + DONE,
        ("raw-newline@57+56",),
        facts={**answered("ab", 2), "events": 4},
        leaves=(57, 115, 182, 196),
    ),
    RepairCase(
        "a line end in a key that the dialect does not know",
        said("a") + b'data: {"choi\nce":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "stray-line@70+42",
            "invalid-json@57+55",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 1},
        leaves=(57, 181, 195),
    ),
    RepairCase(
        "a line end in a string that may not be one",
        b'data: {"t":"one\ntwo"}\n\n',
        b'data: {"t":"one\n\n',
        ("stray-line@16+5",),
        options={"repairs": but("raw-newline")},
        facts={"invalid_json": 1},
        leaves=(23,),
    ),
    RepairCase(
        "a line end in a string, in a known dialect",
        said("a") + b'data: {"choices":[{"index":0,"delta":{"content":"b\nc"}}]}\n\n' + FINISH + DONE,
        said("a", "b\nc") + FINISH + DONE,
        ("raw-newline@57+57",),
        facts={**answered("ab\nc", 2), "events": 4},
        leaves=(57, 116, 183, 197),
    ),
)
