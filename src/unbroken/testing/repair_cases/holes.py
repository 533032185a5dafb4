"""What leaves a hole in an answer, and what only looks as if it did."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, said
from .paced import ANTHROPIC_END

_PAYLOAD: Final = b'{"choices":[{"index":0,"delta":{"content":"b"}}]}'
_START: Final = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"x","role":"assistant"}}\n\n'
)

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a comment that is a payload",
        said("a") + b":" + _PAYLOAD + b"\n\n" + FINISH + DONE,
        SAME,
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "comments": 1},
        leaves=(57, 108, 109, 176, 190),
    ),
    RepairCase(
        "a comment that is a payload behind a blank",
        said("a") + b": " + _PAYLOAD + b"\n\n" + FINISH + DONE,
        SAME,
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "comments": 1},
        leaves=(57, 109, 110, 177, 191),
    ),
    RepairCase(
        "a comment that holds another document",
        said("a") + b': foo {"x":1}\n\n' + FINISH + DONE,
        SAME,
        facts={**answered("a", 1), "events": 3, "comments": 1},
        leaves=(57, 71, 72, 139, 153),
    ),
    RepairCase(
        "a comment that holds a payload before any event",
        b": foo " + _PAYLOAD + b"\n\n" + said("a") + FINISH + DONE,
        SAME,
        facts={**answered("a", 1), "events": 3, "comments": 1},
        leaves=(56, 57, 114, 181, 195),
    ),
    RepairCase(
        "a comment that holds a payload behind the end",
        said("a") + FINISH + DONE + b": foo " + _PAYLOAD + b"\n\n",
        said("a") + FINISH + DONE,
        facts={**answered("a", 1), "bytes_in": 138, "events": 3},
        leaves=(57, 124, 138),
    ),
    RepairCase(
        "a comment that holds an empty list of choices",
        said("a") + b': foo {"choices":[]}\n\n' + FINISH + DONE,
        SAME,
        facts={**answered("a", 1), "events": 3, "comments": 1},
        leaves=(57, 78, 79, 146, 160),
    ),
    RepairCase(
        "a comment that holds a payload of another dialect",
        _START + b": " + _PAYLOAD + b"\n\n" + ANTHROPIC_END,
        SAME,
        facts={"dialect": "anthropic", "verdict": "complete", "events": 2, "comments": 1},
        leaves=(105, 157, 158, 209),
    ),
    RepairCase(
        "a comment that holds a payload, where none is wanted",
        said("a") + b": foo " + _PAYLOAD + b"\n\n" + FINISH + DONE,
        said("a") + FINISH + DONE,
        options={"comments": "drop"},
        facts={**answered("a", 1, "stop", "damaged"), "events": 3, "comments": 1, "respellings": {"blank-line": 1}},
        leaves=(57, 181, 195),
    ),
    RepairCase(
        "a comment as data and null, to be kept",
        said("a") + b"data: : ping\ndata: null\n\n" + FINISH + DONE,
        SAME,
        options={"invalid_json": "keep"},
        facts={**answered("a", 1), "events": 4, "invalid_json": 1},
        leaves=(57, 82, 149, 163),
    ),
    RepairCase(
        "a sentinel of another dialect, to be kept",
        _START + b"data: [done]\n\n" + ANTHROPIC_END,
        SAME,
        options={"invalid_json": "keep"},
        facts={"dialect": "anthropic", "verdict": "complete", "events": 3, "invalid_json": 1},
        leaves=(105, 119, 170),
    ),
    RepairCase(
        "a sentinel of another dialect",
        _START + b"data: [DONE ]\n\n" + ANTHROPIC_END,
        _START + ANTHROPIC_END,
        ("invalid-json@105+13",),
        facts={"dialect": "anthropic", "verdict": "complete", "events": 2, "invalid_json": 1},
        leaves=(105, 171),
    ),
    RepairCase(
        "words in an answer of Anthropic's",
        _START + b"data: oops\n\n" + ANTHROPIC_END,
        _START + ANTHROPIC_END,
        ("invalid-json@105+10",),
        facts={"dialect": "anthropic", "verdict": "damaged", "events": 2, "invalid_json": 1},
        leaves=(105, 168),
    ),
    RepairCase(
        "an array that is cut where no dialect is known",
        b'data: {"a":1}\n\ndata: [{"a":\n\n',
        SAME,
        facts={"events": 2, "invalid_json": 1},
        leaves=(15, 29),
    ),
    RepairCase(
        "an array of strings that is cut where no dialect is known",
        b'data: {"a":1}\n\ndata: ["a\n\n',
        SAME,
        facts={"events": 2, "invalid_json": 1},
        leaves=(15, 26),
    ),
    RepairCase(
        "words in brackets where no dialect is known",
        b'data: {"a":1}\n\ndata: [a\n\n',
        SAME,
        facts={"events": 2},
        leaves=(15, 25),
    ),
    RepairCase(
        "words in braces where no dialect is known",
        b'data: {"a":1}\n\ndata: {a\n\n',
        SAME,
        facts={"events": 2, "invalid_json": 1},
        leaves=(15, 25),
    ),
)
