"""Streams of SSE that end in the middle of a block that is whole, or is not."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, RepairCase, answered, but, failure, said, told

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "an end at a datax field",
        b'data: {"a":1}\n\ndatax: {"b":2}',
        b'data: {"a":1}\n\n',
        ("unfinished-tail@15+14",),
        facts={"verdict": "truncated"},
        leaves=(15,),
    ),
    RepairCase(
        "an end at words behind data",
        b"data: words\ndata: more",
        b"",
        ("unfinished-tail@0+22",),
        facts={"verdict": "truncated", "events": 0},
        leaves=(),
    ),
    RepairCase(
        "an end at a document behind a document",
        b'data: {"a":1}\ndata: {"b":2}',
        b'data: {"a":1}\n\ndata: {"b":2}\n\n',
        (
            "missing-blank-line@14+0",
            "unterminated-event@14+13",
        ),
        facts={"events": 2},
        leaves=(),
    ),
    RepairCase(
        "an end at words behind a document",
        b'data: {"a":1}\ndata: words',
        b'data: {"a":1}\n\n',
        (
            "unterminated-event@0+13",
            "unfinished-tail@14+11",
        ),
        facts={"verdict": "truncated"},
        leaves=(),
    ),
    RepairCase(
        "an end at a document behind words",
        b'data: words\ndata: {"b":2}',
        b"",
        ("unfinished-tail@0+25",),
        facts={"verdict": "truncated", "events": 0},
        leaves=(),
    ),
    RepairCase(
        "an end at the second line of a document",
        b'data: {"a":\ndata: 1}',
        b'data: {"a":\ndata: 1}\n\n',
        ("unterminated-event@0+20",),
        leaves=(),
    ),
    RepairCase(
        "an end at a misnamed document",
        b'data: {"a":1}\n\n DATA: {"b":2}',
        b'data: {"a":1}\n\ndata: {"b":2}\n\n',
        (
            "field-name@15+14",
            "unterminated-event@15+14",
        ),
        facts={"events": 2},
        leaves=(15,),
    ),
    RepairCase(
        "an end at a document without data",
        b'data: {"a":1}\n\n{"b":2}',
        b'data: {"a":1}\n\ndata: {"b":2}\n\n',
        ("raw-json@15+7",),
        facts={"events": 2},
        leaves=(15,),
    ),
    RepairCase(
        "an end at the last line of a document over lines",
        b'data: {"a":1}\n\n{"b":\n2}',
        b'data: {"a":1}\n\ndata: {"b":2}\n\n',
        ("raw-json@15+8",),
        facts={"events": 2},
        leaves=(15,),
    ),
    RepairCase(
        "an end at half of a document over lines",
        b'data: {"a":1}\n\n{"b":\n2',
        b'data: {"a":1}\n\n',
        ("unfinished-tail@15+7",),
        facts={"verdict": "truncated"},
        leaves=(15,),
    ),
    RepairCase(
        "an end at a document with a flaw",
        b'data: {"a":1}\n\ndata: {"b":NaN}',
        b'data: {"a":1}\n\ndata: {"b":null}\n\n',
        (
            "unterminated-event@15+15",
            "non-finite@15+15",
        ),
        facts={"events": 2},
        leaves=(15,),
    ),
    RepairCase(
        "an end at a document with a flaw, and its line end",
        b'data: {"a":1}\n\ndata: {"b":NaN}\n',
        b'data: {"a":1}\n\ndata: {"b":null}\n\n',
        (
            "unterminated-event@15+15",
            "non-finite@15+15",
        ),
        facts={"events": 2},
        leaves=(15,),
    ),
    RepairCase(
        "an end at a document with a raw line end",
        b'data: {"a":1}\n\ndata: {"b":"x\ny"}\n',
        b'data: {"a":1}\n\ndata: {"b":"x\\ny"}\n\n',
        (
            "unterminated-event@15+17",
            "raw-newline@15+17",
        ),
        facts={"events": 2},
        leaves=(15,),
    ),
    RepairCase(
        "an end at bad bytes",
        b'data: {"a":1}\n\ndata: {"b":"\xff"}',
        b'data: {"a":1}\n\n',
        ("unfinished-tail@15+15",),
        facts={"verdict": "truncated"},
        leaves=(15,),
    ),
    RepairCase(
        "an end at a whole document, not to be delivered",
        b'data: {"a":1}\n\ndata: {"b":2}',
        b'data: {"a":1}\n\n',
        ("unfinished-tail@15+13",),
        options={"repairs": but("unterminated-event")},
        facts={"verdict": "truncated"},
        leaves=(15,),
    ),
    RepairCase(
        "an end at a cut tail, not to be named",
        b'data: {"a":1}\n\ndata: {"b":',
        b'data: {"a":1}\n\n',
        options={"repairs": but("unfinished-tail")},
        facts={"verdict": "truncated"},
        leaves=(15,),
    ),
    RepairCase(
        "an end at a misspelt sentinel of a known dialect",
        said("a") + FINISH + b"data: [done]",
        said("a") + FINISH + DONE,
        (
            "unterminated-event@124+12",
            "done-spelling@124+12",
        ),
        facts={**answered("a", 1), "events": 3},
        leaves=(57, 124),
    ),
    RepairCase(
        "an end at a misspelt sentinel behind data",
        said("a") + FINISH + b'data: {"choices":[]}\ndata: [done]',
        said("a") + FINISH + told("truncated"),
        ("unfinished-tail@124+33",),
        facts={**answered("a", 1, "stop"), **failure("truncated"), "events": 2},
        leaves=(57, 124),
    ),
    RepairCase(
        "an end at a misspelt sentinel where no dialect is known",
        b'data: {"a":1}\n\ndata: [done]',
        b'data: {"a":1}\n\n',
        ("unfinished-tail@15+12",),
        facts={"verdict": "truncated"},
        leaves=(15,),
    ),
)
