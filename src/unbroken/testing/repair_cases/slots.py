"""Events that differ in their text and in little else."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, call, crlf, failure, said, told

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "alike events with a percent sign",
        (
            b'data: {"choices":[{"index":0,"delta":{"content":"a"}}],"p":"100%s %"}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"b"}}],"p":"100%s %"}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"c"}}],"p":"100%s %"}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"d"}}],"p":"100%s %"}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"e"}}],"p":"100%s %"}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"f"}}],"p":"100%s %"}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("abcdef", 6), "events": 8},
    ),
    RepairCase(
        "alike events with a number that counts",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "a", "sequence_number": 1}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "b", "sequence_number": 2}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "c", "sequence_number": 3}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "d", "sequence_number": 4}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "e", "sequence_number": 5}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "f", "sequence_number": 100000000000000}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "g", "sequence_number": 999999999999999}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "h", "sequence_number": 1000000000000000}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "i", "sequence_number": 7}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 10,
            "text": "abcdefghi",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 9,
        },
    ),
    RepairCase(
        "alike events with a number that begins with zero",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "a", "sequence_number": 1}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "b", "sequence_number": 2}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "c", "sequence_number": 3}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "d", "sequence_number": 04}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "e", "sequence_number": 0}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "a", "sequence_number": 1}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "b", "sequence_number": 2}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "c", "sequence_number": 3}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "e", "sequence_number": 0}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        ("invalid-json@513+170",),
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "damaged",
            "events": 5,
            "invalid_json": 1,
            "text": "abce",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 4,
        },
    ),
    RepairCase(
        "alike events with padding that differs",
        (
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}   }\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"c"} }\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"d"}}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"e"}       }\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"f"}  }\n\n'
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        SAME,
        facts={
            "dialect": "anthropic",
            "verdict": "complete",
            "events": 7,
            "text": "abcdef",
            "content_emitted": True,
            "tokens_received": 6,
        },
    ),
    RepairCase(
        "alike events with padding of tabs",
        (
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}  }\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"c"} }\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"d"}\t}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"e"}x}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"f"}  }\n\n'
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        (
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}  }\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"c"} }\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"d"}\t}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"f"}  }\n\n'
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        ("invalid-json@468+115",),
        facts={
            "dialect": "anthropic",
            "verdict": "damaged",
            "events": 6,
            "invalid_json": 1,
            "text": "abcdf",
            "content_emitted": True,
            "tokens_received": 5,
        },
    ),
    RepairCase(
        "alike events that tell their text twice",
        (
            b'data: {"choices": [{"index": 0, "text": "a", "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "text": "b", "delta": {"content": "b"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "text": "c", "delta": {"content": "c"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "text": "d", "delta": {"content": "d"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "text": "x", "delta": {"content": "e"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "text": "f", "delta": {"content": "f"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "text": "g", "delta": {"content": "g"}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("abcdefg", 7), "events": 9},
    ),
    RepairCase(
        "alike events of reasoning, then of text",
        (
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "b"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "c"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "d"}}]}\n\n'
        )
        + said("e", "f", "g", "h")
        + (
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "i"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "j"}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("efgh", 10), "events": 12, "reasoning": "abcdij"},
    ),
    RepairCase(
        "alike pieces of arguments",
        (
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": '
            b'{"name": "f", "arguments": ""}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"{\\"a"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"\\":"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"[1"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'",2"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'",3]"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '
            b'"}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 7), "events": 9, "tool_calls": [call("f", '{"a":[1,2,3]}', "c1")]},
    ),
    RepairCase(
        "alike events of lines",
        (
            b'{"model":"m","response":"a","done":false}\n{"model":"m","response":"b","done":false}\n'
            b'{"model":"m","response":"c","done":false}\n{"model":"m","response":"d","done":false}\n'
            b'{"model":"m","response":"\\n","done":false}\n{"model":"m","response":"e","done":false}\n'
            b'{"model":"m","response":"","done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":6}\n'
        ),
        SAME,
        facts={
            "format": "ndjson",
            "dialect": "ollama",
            "verdict": "complete",
            "events": 7,
            "text": "abcd\ne",
            "finish_reason": "stop",
            "usage": {"input_tokens": 3, "output_tokens": 6},
            "content_emitted": True,
            "tokens_received": 6,
            "tokens_source": "provider",
        },
    ),
    RepairCase(
        "alike lines of CRLF",
        (
            b'{"model":"m","response":"a","done":false}\r\n{"model":"m","response":"b","done":false}\r\n'
            b'{"model":"m","response":"c","done":false}\r\n{"model":"m","response":"d","done":false}\r\n'
            b'{"model":"m","response":"e","done":false}\r\n{"model":"m","response":"","done":true}\n'
        ),
        (
            b'{"model":"m","response":"a","done":false}\n{"model":"m","response":"b","done":false}\n'
            b'{"model":"m","response":"c","done":false}\n{"model":"m","response":"d","done":false}\n'
            b'{"model":"m","response":"e","done":false}\n{"model":"m","response":"","done":true}\n'
        ),
        facts={
            "format": "ndjson",
            "dialect": "ollama",
            "verdict": "complete",
            "respellings": {"blanks": 5},
            "events": 6,
            "text": "abcde",
            "content_emitted": True,
            "tokens_received": 5,
        },
    ),
    RepairCase(
        "alike events of which one is too long",
        said("a", "b", "c", "x" * 1100, "d", "e") + FINISH + DONE,
        said("a", "b", "c", "d", "e") + FINISH + DONE,
        ("oversized-event@171+1154",),
        options={"max_event_bytes": 1024},
        facts={**answered("abcde", 5, "stop", "damaged"), "events": 7},
    ),
    RepairCase(
        "alike events of which one is as long as may be",
        said("a", "b", "c", "x" * 968, "d", "x" * 969, "e") + FINISH + DONE,
        said("a", "b", "c", "x" * 968, "d", "e") + FINISH + DONE,
        ("oversized-event@1252+1023",),
        options={"max_event_bytes": 1024},
        facts={**answered("abc" + "x" * 968 + "de", 6, "stop", "damaged"), "events": 8},
    ),
    RepairCase(
        "alike events of which one is long",
        said("a", "b", "c", "x" * 2100, "d", "y" * 9000, "e") + FINISH + DONE,
        SAME,
        facts={**answered("abc" + "x" * 2100 + "d" + "y" * 9000 + "e", 7), "events": 9},
    ),
    RepairCase(
        "alike events, very many",
        said(*map(str, range(300))) + FINISH + DONE,
        SAME,
        facts={**answered("".join(map(str, range(300))), 300), "events": 302},
    ),
    RepairCase(
        "alike events, very many, of CRLF",
        crlf(said(*map(str, range(300)))) + FINISH + DONE,
        said(*map(str, range(300))) + FINISH + DONE,
        facts={**answered("".join(map(str, range(300))), 300), "respellings": {"line-end": 600}, "events": 302},
    ),
    RepairCase(
        "alike events, very many, of which one has an escape",
        said(
            *map(str, range(270)),
            '"',
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("".join(map(str, range(270))) + '"xxxxxxxxxxxxxxxxxxxx', 291), "events": 293},
    ),
    RepairCase(
        "alike events with a blank line missing",
        said("a", "b") + b'data: {"choices":[{"index":0,"delta":{"content":"c"}}]}\n' + said("d", "e") + FINISH + DONE,
        said("a", "b", "c", "d", "e") + FINISH + DONE,
        ("missing-blank-line@170+0",),
        facts={**answered("abcde", 5), "events": 7},
    ),
    RepairCase(
        "alike events that end within one",
        said("a", "b", "c") + b'data: {"choices":[{"index":0,"delta":{"content":"d"}',
        said("a", "b", "c") + told("truncated"),
        ("unfinished-tail@171+52",),
        facts={**answered("abc", 3, None), **failure("truncated"), "events": 3},
    ),
    RepairCase(
        "alike events that end without the blank line",
        said("a", "b", "c") + b'data: {"choices":[{"index":0,"delta":{"content":"d"}}]}\n',
        said("a", "b", "c", "d") + told("truncated"),
        ("unterminated-event@171+55",),
        facts={**answered("abcd", 4, None), **failure("truncated"), "events": 4},
    ),
    RepairCase(
        "alike events without a blank behind the colon",
        (
            b'data:{"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
            b'data:{"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n'
            b'data:{"choices":[{"index":0,"delta":{"content":"c"}}]}\n\n'
            b'data:{"choices":[{"index":0,"delta":{"content":"d"}}]}\n\n'
        )
        + FINISH
        + DONE,
        said("a", "b", "c", "d") + FINISH + DONE,
        facts={**answered("abcd", 4), "respellings": {"field-blank": 4}, "events": 6},
    ),
    RepairCase(
        "alike events of two choices",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "b"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"content": "c"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "d"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"content": "e"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "f"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"content": "g"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "h"}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("aceg", 8), "events": 10},
    ),
    RepairCase(
        "alike events, a finish, and one more",
        said("a", "b", "c") + FINISH + said("d"),
        said("a", "b", "c") + FINISH + said("d") + told("truncated"),
        facts={**answered("abcd", 4), **failure("truncated"), "events": 5},
    ),
    RepairCase(
        "alike events and an error in the words of one",
        said("a", "b", "c") + b'data: {"error": {"message": "m"}}\n\n' + said("d") + DONE,
        said("a", "b", "c") + b'data: {"error": {"message": "m"}}\n\n' + said("d"),
        ("done-after-error@263+12",),
        facts={"detail": "m", **answered("abcd", 4, None), **failure("upstream-error"), "events": 5},
    ),
    RepairCase(
        "alike events, the last text with the finish",
        said("a", "b", "c")
        + b'data: {"choices": [{"index": 0, "delta": {"content": "d"}, "finish_reason": "stop"}]}\n\n'
        + DONE,
        SAME,
        facts={**answered("abcd", 4), "events": 5},
    ),
    RepairCase(
        "text that grows in alike events",
        said("a", "ab", "abc", "abcd", "abcde", "abcdef") + FINISH + DONE,
        SAME,
        facts={**answered("aababcabcdabcdeabcdef", 6), "events": 8, "cumulative_text": True},
    ),
    RepairCase(
        "alike events that are not kept",
        said("a", "b", "c", "d") + FINISH + DONE,
        SAME,
        options={"account": False},
        facts={
            "dialect": "openai-chat",
            "verdict": "complete",
            "events": 6,
            "content_emitted": True,
            "tokens_source": None,
        },
    ),
    RepairCase(
        "alike events of which the words are counted by the events",
        said("a", "b", "c", "d", "e", "f"),
        said("a", "b", "c", "d", "e", "f") + told("truncated"),
        facts={**answered("abcdef", 6, None), **failure("truncated"), "events": 6},
    ),
)
