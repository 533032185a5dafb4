"""As many choices, calls, labels and characters as are kept of one stream, and more than that."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, call


def _choices(first: int, last: int) -> bytes:
    """Return a chunk with a letter for each of these choices."""
    told = b",".join(b'{"index":%d,"delta":{"content":"a"}}' % index for index in range(first, last + 1))
    return b'data: {"choices":[' + told + b"]}\n\n"


def _calls(count: int) -> bytes:
    """Return a chunk of Gemini's with as many calls, and its end."""
    told = b",".join([b'{"functionCall":{"name":"f","args":{}}}'] * count)
    return (
        b'data: {"candidates":[{"content":{"role":"model","parts":['
        + told
        + b']}}]}\n\ndata: {"candidates":[{"finishReason":"STOP"}]}\n\n'
    )


def _ids(room: int) -> list[str]:
    """Return ids of calls with names of one letter, after which there is this room for further labels."""
    long = [f"{number:04}" + "x" * 1020 for number in range(255)]
    return [*long, "y" * (2**18 - room - 255 * 1025 - 1)]


def _labeled(room: int) -> bytes:
    """Return a chunk with calls of such ids."""
    told = ",".join(
        f'{{"index":{index},"id":"{id}","function":{{"name":"f","arguments":"{{}}"}}}}'
        for index, id in enumerate(_ids(room))
    )
    return b'data: {"choices":[{"index":0,"delta":{"tool_calls":[' + told.encode() + b"]}}]}\n\n"


CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "as many choices as are kept",
        _choices(0, 0) + _choices(0, 1023) + DONE,
        SAME,
        facts={**answered("aa", 2, None), "events": 3},
    ),
    RepairCase(
        "more choices than are kept, and then the first",
        _choices(1, 1024) + b'data: {"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n' + DONE,
        SAME,
        facts={**answered("b", 2, None), "events": 3, "account_cut": True},
    ),
    RepairCase(
        "more choices than are kept, the last in alike events",
        _choices(1, 1023)
        + b'data: {"choices":[{"index":1024,"delta":{"content":"a"}}]}\n\n'
        + b'data: {"choices":[{"index":1024,"delta":{"content":"b"}}]}\n\n'
        + b'data: {"choices":[{"index":1024,"delta":{"content":"c"}}]}\n\n'
        + b'data: {"choices":[{"index":1024,"delta":{"content":"d"}}]}\n\n'
        + DONE,
        SAME,
        facts={**answered("", 5, None), "content_emitted": True, "events": 6, "account_cut": True},
    ),
    RepairCase(
        "more choices than are kept, the last with a call in alike events",
        _choices(1, 1023)
        + b'data: {"choices":[{"index":1024,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"["}}]}}]}\n\n'
        + b'data: {"choices":[{"index":1024,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1"}}]}}]}\n\n'
        + b'data: {"choices":[{"index":1024,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"2"}}]}}]}\n\n'
        + b'data: {"choices":[{"index":1024,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"]"}}]}}]}\n\n'
        + DONE,
        SAME,
        facts={
            **answered("", 5, None),
            "events": 6,
            "tool_calls": [call(None, "[12]", choice=1024)],
            "account_cut": True,
        },
    ),
    RepairCase(
        "as many calls as are kept",
        _calls(1024),
        SAME,
        facts={
            **answered("", 1, "STOP"),
            "dialect": "gemini",
            "events": 2,
            "tool_calls": [call("f", "{}")] * 1024,
        },
    ),
    RepairCase(
        "one call more than are kept",
        _calls(1025),
        SAME,
        facts={
            **answered("", 1, "STOP"),
            "dialect": "gemini",
            "events": 2,
            "tool_calls": [call("f", "{}")] * 1024,
            "account_cut": True,
        },
    ),
    RepairCase(
        "as many labels as are kept, of which a name in two pieces and two finish reasons",
        _labeled(13)
        + (
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":256,"id":"c",'
            b'"function":{"name":"get"}}]}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":256,"function":{"name":"_it"}}]}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":256,"function":{"arguments":"{}"}}]},'
            b'"finish_reason":"length"}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={
            **answered("", 4),
            "events": 6,
            "tool_calls": [*[call("f", "{}", id) for id in _ids(13)], call("get_it", "{}", "c")],
        },
    ),
    RepairCase(
        "a finish reason beyond the labels that are kept",
        _labeled(5) + b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}\n\n' + DONE,
        SAME,
        facts={
            **answered("", 1, None),
            "events": 3,
            "tool_calls": [call("f", "{}", id) for id in _ids(5)],
            "account_cut": True,
        },
    ),
    RepairCase(
        "as much as is kept, with a character in halves and arguments that are told again, and one character more",
        b'data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"'
        + b"x" * 524283
        + b'"}\n\ndata: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"'
        + b"y" * 524283
        + (
            b'"}\n\ndata: {"type":"response.output_text.delta","output_index":0,"content_index":1,'
            b'"delta":"a\\ud83d"}\n\n'
            b'data: {"type":"response.output_text.done","output_index":0,"content_index":1,'
            b'"text":"a\\ud83d\\ude00"}\n\n'
            b'data: {"type":"response.output_item.added","output_index":1,'
            b'"item":{"type":"function_call","id":"i","call_id":"c","name":"f","arguments":""}}\n\n'
            b'data: {"type":"response.function_call_arguments.delta","output_index":1,"delta":"{\\"a\\":1"}\n\n'
            b'data: {"type":"response.function_call_arguments.done","output_index":1,"arguments":"{\\"a\\": 1}"}\n\n'
            b'data: {"type":"response.output_text.delta","output_index":2,"content_index":0,"delta":"z"}\n\n'
            b'data: {"type":"response.completed","response":{"status":"completed"}}\n\n'
        ),
        SAME,
        options={"repairs": ()},
        facts={
            **answered("x" * 524283 + "y" * 524283 + "a😀", 8, "completed"),
            "dialect": "openai-responses",
            "events": 9,
            "account_cut": True,
            "tool_calls": [call("f", '{"a": 1}', "c")],
        },
    ),
)
