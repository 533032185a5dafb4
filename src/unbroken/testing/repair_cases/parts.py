"""Documents that were cut over two events."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, but, failure, said, told

_CUT: Final = b'data: {"choices":[{"index":0,"delta":{"content":"x"\n\n'


def _with_blanks(text: str) -> bytes:
    """Return an event with a line of blanks where its blank line should be."""
    return said(text)[:-1] + b" \n"


CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "an event that is split",
        said("a") + b'data: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a", "b") + FINISH + DONE,
        ("split-event@57+63",),
        facts={**answered("ab", 2), "events": 4},
        leaves=(57, 122, 189, 203),
    ),
    RepairCase(
        "an event that is split with an id in each part",
        said("a")
        + b'id: 3\ndata: {"choices":[{"index":0,"del\n\nid: 4\ndata: ta":{"content":"b"}}]}\n\n'
        + FINISH
        + DONE,
        said("a") + b'id: 4\ndata: {"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        ("split-event@57+75",),
        facts={**answered("ab", 2), "events": 4, "last_event_id": "4"},
        leaves=(57, 134, 201, 215),
    ),
    RepairCase(
        "an event that is split with a name on the first part",
        said("a") + b'event: e\ndata: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + b'event: e\ndata: {"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        ("split-event@57+72",),
        facts={**answered("ab", 2), "events": 4},
        leaves=(57, 131, 198, 212),
    ),
    RepairCase(
        "an event that is split with a name on the second part",
        said("a") + b'data: {"choices":[{"index":0,"del\n\nevent: e\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + b'event: e\ndata: {"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        ("split-event@57+72",),
        facts={**answered("ab", 2), "events": 4},
        leaves=(57, 131, 198, 212),
    ),
    RepairCase(
        "an event that is split with the same name on both parts",
        said("a")
        + b'event: e\ndata: {"choices":[{"index":0,"del\n\nevent: e\ndata: ta":{"content":"b"}}]}\n\n'
        + FINISH
        + DONE,
        said("a") + b'event: e\ndata: {"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        ("split-event@57+81",),
        facts={**answered("ab", 2), "events": 4},
        leaves=(57, 140, 207, 221),
    ),
    RepairCase(
        "an event that is split with two names",
        said("a")
        + b'event: e\ndata: {"choices":[{"index":0,"del\n\nevent: f\ndata: ta":{"content":"b"}}]}\n\n'
        + FINISH
        + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+42",
            "invalid-json@101+37",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
        leaves=(57, 207, 221),
    ),
    RepairCase(
        "an event that is split with a name of error",
        said("a")
        + b'event: error\ndata: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n\n'
        + FINISH
        + DONE,
        said("a") + told("upstream-error"),
        ("invalid-json@57+46",),
        facts={**answered("a", 1, None), **failure("upstream-error"), "invalid_json": 1, "bytes_in": 103},
        leaves=(57, 105),
    ),
    RepairCase(
        "an event that is split with a comment between",
        said("a") + b'data: {"choices":[{"index":0,"del\n\n: c\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + b": c\n\n" + FINISH + DONE,
        (
            "invalid-json@57+33",
            "invalid-json@97+28",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "comments": 1, "invalid_json": 2},
        leaves=(57, 96, 97, 194, 208),
    ),
    RepairCase(
        "an event that is split with a stray line between",
        said("a") + b'data: {"choices":[{"index":0,"del\n\nwords!\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+33",
            "stray-line@92+6",
            "invalid-json@100+28",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "respellings": {"blank-line": 1}, "events": 3, "invalid_json": 2},
        leaves=(57, 197, 211),
    ),
    RepairCase(
        "an event that is split with a comment in the first part",
        said("a") + b': c\ndata: {"choices":[{"index":0,"del\n: c\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + b': c\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n' + DONE,
        (
            "invalid-json@61+37",
            "invalid-json@100+28",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "comments": 2, "invalid_json": 2},
        leaves=(57, 61, 197, 211),
    ),
    RepairCase(
        "an event that is split with a comment in the second part",
        said("a") + b'data: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n: c\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+33",
            "invalid-json@92+32",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "comments": 1, "invalid_json": 2},
        leaves=(57, 193, 207),
    ),
    RepairCase(
        "an event that is split with an unknown field in the first part",
        said("a") + b'x: y\ndata: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+38",
            "invalid-json@97+28",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
        leaves=(57, 194, 208),
    ),
    RepairCase(
        "an event that is split with an unknown field in the second part",
        said("a") + b'data: {"choices":[{"index":0,"del\n\nx: y\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+33",
            "invalid-json@92+33",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
        leaves=(57, 194, 208),
    ),
    RepairCase(
        "an event that is split with a stray line in the second part",
        said("a") + b'data: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\nwords!\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+33",
            "stray-line@121+6",
            "invalid-json@92+35",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
        leaves=(57, 196, 210),
    ),
    RepairCase(
        "an event that is split into two lines of data and one",
        said("a") + b'data: {"choices":[\ndata: {"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+40",
            "invalid-json@99+28",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
        leaves=(57, 196, 210),
    ),
    RepairCase(
        "an event that is split into one line of data and two",
        said("a") + b'data: {"choices":[{"index":0,"del\n\ndata: ta":\ndata: {"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+33",
            "invalid-json@92+35",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
        leaves=(57, 196, 210),
    ),
    RepairCase(
        "an event that is split into three",
        said("a") + b'data: {"choices":[{"index":0,"del\n\ndata: ta":{"content":\n\ndata: "b"}}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+33",
            "invalid-json@92+21",
            "invalid-json@115+13",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 3},
        leaves=(57, 197, 211),
    ),
    RepairCase(
        "an event that is split, the second part whole alone",
        said("a") + b'data: {"choices":[],"x":\n\ndata: {"choices":[]}\n\ndata: }\n\n' + FINISH + DONE,
        said("a") + b'data: {"choices":[]}\n\n' + FINISH + DONE,
        (
            "invalid-json@57+24",
            "invalid-json@105+7",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 4, "invalid_json": 2},
        leaves=(57, 105, 181, 195),
    ),
    RepairCase(
        "an event that is split, the second part mendable alone",
        said("a") + b'data: {"choices":[],"x":"\n\ndata: {"choices":[],"n":NaN}\n\n' + FINISH + DONE,
        said("a") + b'data: {"choices":[],"n":null}\n\n' + FINISH + DONE,
        (
            "invalid-json@57+25",
            "non-finite@84+28",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 4, "invalid_json": 1},
        leaves=(57, 114, 181, 195),
    ),
    RepairCase(
        "an event that is split, and words behind it",
        said("a") + b'data: {"choices":[],"x":\n\ndata: words\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+24",
            "invalid-json@83+11",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
        leaves=(57, 163, 177),
    ),
    RepairCase(
        "an event that is split, and the end",
        said("a") + b'data: {"choices":[{"index":0,"del\n\n',
        said("a") + told("truncated"),
        ("invalid-json@57+33",),
        facts={**answered("a", 1, None), **failure("truncated"), "invalid_json": 1},
        leaves=(57,),
    ),
    RepairCase(
        "an event that is split, and a part without its blank line",
        said("a") + b'data: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n',
        said("a") + told("truncated"),
        (
            "invalid-json@57+33",
            "unfinished-tail@92+28",
        ),
        facts={**answered("a", 1, None), **failure("truncated"), "invalid_json": 1},
        leaves=(57,),
    ),
    RepairCase(
        "an event that is split, and the sentinel",
        said("a") + FINISH + b'data: {"choices":[],"x":"\n\n' + DONE,
        said("a") + FINISH + DONE,
        ("invalid-json@124+25",),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 1},
        leaves=(57, 124, 165),
    ),
    RepairCase(
        "an event that is split, and an event without data",
        said("a") + b'data: {"choices":[{"index":0,"del\n\nid: 3\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + b'id: 3\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n' + DONE,
        (
            "invalid-json@57+33",
            "invalid-json@99+28",
        ),
        facts={
            **answered("a", 1, "stop", "damaged"),
            "respellings": {"bare-block": 1},
            "events": 3,
            "invalid_json": 2,
            "last_event_id": "3",
        },
        leaves=(57, 196, 210),
    ),
    RepairCase(
        "an event that is split, not to be mended",
        said("a") + b'data: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+33",
            "invalid-json@92+28",
        ),
        options={"repairs": but("split-event")},
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
        leaves=(57, 189, 203),
    ),
    RepairCase(
        "an event that is split, to be kept",
        said("a") + b'data: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        SAME,
        options={"invalid_json": "keep"},
        facts={**answered("a", 1, "stop", "damaged"), "events": 5, "invalid_json": 2},
        leaves=(57, 92, 122, 189, 203),
    ),
    RepairCase(
        "an event that is split, to be reported",
        said("a") + b'data: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + told("invalid-json"),
        ("invalid-json@57+33",),
        options={"invalid_json": "error"},
        facts={**answered("a", 1, None), **failure("invalid-json"), "invalid_json": 1, "bytes_in": 90},
        leaves=(57, 92),
    ),
    RepairCase(
        "an event that is split, where JSON may not be dropped",
        said("a") + b'data: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        SAME,
        options={"repairs": but("invalid-json")},
        facts={**answered("a", 1, "stop", "damaged"), "events": 5, "invalid_json": 2},
        leaves=(57, 92, 122, 189, 203),
    ),
    RepairCase(
        "an event that is split, where no dialect is known",
        b'data: {"a":"b\n\ndata: c"}\n\n',
        SAME,
        facts={"events": 2, "invalid_json": 1},
        leaves=(15, 26),
    ),
    RepairCase(
        "an event that is split, a first part that is closed",
        said("a") + b'data: {"choices":[],}\n\ndata: {"x":1\n\ndata: }\n\n' + FINISH + DONE,
        said("a") + b'data: {"x":1}\n\n' + FINISH + DONE,
        (
            "invalid-json@57+21",
            "split-event@80+21",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 4, "invalid_json": 1},
        leaves=(57, 103, 170, 184),
    ),
    RepairCase(
        "an event that is split, a first part that is spoiled",
        said("a") + b'data: {"choices":]\n\ndata: }\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+18",
            "invalid-json@77+7",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
        leaves=(57, 153, 167),
    ),
    RepairCase(
        "an event that is split as an array of objects",
        said("a") + b'data: [{"choices":\n\ndata: []}]\n\n' + FINISH + DONE,
        said("a") + b'data: [{"choices":[]}]\n\n' + FINISH + DONE,
        ("split-event@57+30",),
        facts={**answered("a", 1), "events": 4},
        leaves=(57, 89, 156, 170),
    ),
    RepairCase(
        "an event that is split as an array of numbers",
        said("a") + b"data: [1,\n\ndata: 2]\n\n" + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+9",
            "invalid-json@68+8",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
        leaves=(57, 145, 159),
    ),
    RepairCase(
        "an event that is split, the first part too long",
        said("a") + b'data: {"choices":[],"x":"' + b"y" * 65536 + b'\n\ndata: "}\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+65561",
            "invalid-json@65620+8",
        ),
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "invalid_json": 2},
    ),
    RepairCase(
        "an event that is split, the first part as long as may be",
        said("a") + b'data: {"choices":[],"x":"' + b"y" * (65536 - 19) + b'\n\ndata: "}\n\n' + FINISH + DONE,
        said("a") + b'data: {"choices":[],"x":"' + b"y" * (65536 - 19) + b'"}\n\n' + FINISH + DONE,
        ("split-event@57+65552",),
        facts={**answered("a", 1), "events": 4},
    ),
    RepairCase(
        "an event that is split, with a retry time",
        said("a") + b'retry: 7\ndata: {"choices":[{"index":0,"del\n\ndata: ta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        said("a") + b'retry: 7\ndata: {"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + FINISH + DONE,
        ("split-event@57+72",),
        facts={**answered("ab", 2), "events": 4, "retry": 7},
        leaves=(57, 131, 198, 212),
    ),
    RepairCase(
        "a whole event between the parts of another",
        said("a") + _CUT + said("b") + b"data: }}]}\n\n" + FINISH + DONE,
        said("a", "b") + FINISH + DONE,
        ("invalid-json@57+51", "invalid-json@167+10"),
        facts={**answered("ab", 2, "stop", "damaged"), "events": 4, "invalid_json": 2},
        leaves=(57, 167, 246, 260),
    ),
    RepairCase(
        "events with blanks for a blank line, each with a first part behind it, and an event before a second part",
        _with_blanks("a") + _CUT + _with_blanks("b") + _CUT + said("c") + b"data: }}]}\n\n" + FINISH + DONE,
        said("a", "b", "c") + FINISH + DONE,
        (
            "missing-blank-line@56+1",
            "invalid-json@58+51",
            "missing-blank-line@167+1",
            "invalid-json@169+51",
            "invalid-json@279+10",
        ),
        facts={**answered("abc", 3, "stop", "damaged"), "events": 5, "invalid_json": 3},
        leaves=(58, 169, 279, 358, 372),
    ),
    RepairCase(
        "an event whose brackets are closed, before one with a byte that is not UTF-8",
        (
            said("a")
            + b'data: {"choices":[{"index":0,"delta":{"content":b}}]}\n\n'
            + b'data: {"choices":[{"index":0,"delta":{"content":"\xff"}}]}\n\n'
            + FINISH
            + DONE
        ),
        said("a") + 'data: {"choices":[{"index":0,"delta":{"content":"\ufffd"}}]}\n\n'.encode() + FINISH + DONE,
        ("invalid-json@57+53", "invalid-utf8@161+1"),
        facts={**answered("a\ufffd", 2, "stop", "damaged"), "events": 4, "invalid_utf8": 1, "invalid_json": 1},
        leaves=(57, 169, 236, 250),
    ),
)
