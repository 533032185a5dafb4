"""Pieces of a text, and the whole that follows them."""

from __future__ import annotations

from typing import Final

from .case import DONE, SAME, RepairCase, answered, said

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a text, and the same once more as a whole",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "ab"}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "cd"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'0, "text": "abcd"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 4,
            "text": "abcd",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 3,
        },
    ),
    RepairCase(
        "a text, and a longer whole",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "ab"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'0, "text": "abcd"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 3,
            "text": "abcd",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "a text, and a shorter whole",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "abcd"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'0, "text": "ab"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 3,
            "text": "abcd",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "a text, and another whole",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "abcd"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'0, "text": "xy"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 3,
            "text": "abcd",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "a text, and another whole that is longer",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "ab"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'0, "text": "xyzw"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 3,
            "text": "ab",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "a text that is not ASCII, and its whole",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "\\u00e9"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'0, "text": "\\u00e9"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 3,
            "text": "é",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "a text that is not ASCII, and a longer whole",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "\\u00e9"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'0, "text": "\\u00e9a\\u00e9"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 3,
            "text": "éaé",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "a whole without pieces",
        (
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'0, "text": "abcd"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 2,
            "text": "abcd",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 1,
        },
    ),
    RepairCase(
        "a text that ends in half of a character, and its whole",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "a\\ud83d"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'0, "text": "a\\ud83d\\ude00b"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 3,
            "text": "a😀b",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 2,
        },
    ),
    RepairCase(
        "two parts, each with its whole",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 0, "delta": "ab"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'0, "text": "ab"}\n\n'
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, '
            b'"content_index": 1, "delta": "cd"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": '
            b'1, "text": "cdef"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        options={"dialect": "openai-responses"},
        facts={
            "dialect": "openai-responses",
            "verdict": "complete",
            "events": 5,
            "text": "abcdef",
            "finish_reason": "completed",
            "content_emitted": True,
            "tokens_received": 4,
        },
    ),
    RepairCase(
        "a text that ends in half of a character, and a whole with another character in its place",
        (
            b"event: response.output_text.delta\n"
            b'data: {"type": "response.output_text.delta", "content_index": 0, "delta": "a\\ud83d"}\n\n'
            b"event: response.output_text.done\n"
            b'data: {"type": "response.output_text.done", "content_index": 0, "text": "ab"}\n\n'
            b"event: response.completed\n"
            b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n'
        ),
        SAME,
        facts={**answered("a�", 2, "completed"), "dialect": "openai-responses", "events": 3},
    ),
    RepairCase(
        "tokens, and a special one with the whole text",
        (
            b'data: {"token":{"id":1,"text":"a","special":false},"generated_text":null}\n\n'
            b'data: {"token":{"id":1,"text":"b","special":false},"generated_text":null}\n\n'
            b'data: {"token":{"id":1,"text":"</s>","special":true},"generated_text":"ab"}\n\n'
        ),
        SAME,
        facts={**answered("ab", 2, None), "dialect": "tgi", "events": 3},
    ),
    RepairCase(
        "tokens that are not ASCII, and a special one with the whole text",
        (
            b'data: {"token":{"id":1,"text":"\\u00e9","special":false},"generated_text":null}\n\n'
            b'data: {"token":{"id":1,"text":"b","special":false},"generated_text":null}\n\n'
            b'data: {"token":{"id":1,"text":"</s>","special":true},"generated_text":"\\u00e9b"}\n\n'
        ),
        SAME,
        facts={**answered("éb", 2, None), "dialect": "tgi", "events": 3},
    ),
    RepairCase(
        "tokens, and a special one with more than their text",
        (
            b'data: {"token":{"id":1,"text":"a","special":false},"generated_text":null}\n\n'
            b'data: {"token":{"id":1,"text":"b","special":false},"generated_text":null}\n\n'
            b'data: {"token":{"id":1,"text":"</s>","special":true},"generated_text":"abc"}\n\n'
        ),
        SAME,
        facts={**answered("abc", 3, None), "dialect": "tgi", "events": 3},
    ),
    RepairCase(
        "a text, and a message with the finish that does not continue it",
        said("ab") + b'data: {"choices":[{"index":0,"message":{"content":"xy"},"finish_reason":"stop"}]}\n\n' + DONE,
        SAME,
        facts={**answered("abxy", 2), "events": 3},
    ),
    RepairCase(
        "a text, its whole, and a finish of its own, of the ADK",
        (
            b'data: {"invocationId":"i","author":"a","actions":{},"partial":true,'
            b'"content":{"parts":[{"text":"Hi"}]}}\n\n'
            b'data: {"invocationId":"i","author":"a","actions":{},"content":{"parts":[{"text":"Hi"}]}}\n\n'
            b'data: {"invocationId":"i","author":"a","actions":{},"finishReason":"STOP"}\n\n'
        ),
        SAME,
        facts={**answered("Hi", 2, "STOP"), "dialect": "google-adk", "events": 3},
    ),
    *(
        RepairCase(
            f"half a character, and a whole that {what}",
            (
                b"event: response.output_text.delta\n"
                b'data: {"type":"response.output_text.delta","item_id":"i","output_index":0,"content_index":0,"delta":"'
                + piece
                + b'"}\n\nevent: response.output_text.done\n'
                b'data: {"type":"response.output_text.done","item_id":"i","output_index":0,"content_index":0,"text":"'
                + whole
                + b'"}\n\nevent: response.completed\n'
                b'data: {"type":"response.completed","response":{"status":"completed"}}\n\n'
            ),
            SAME,
            options={"dialect": "openai-responses"},
            facts={
                **answered(text, 2, "completed"),
                "dialect": "openai-responses",
                "events": 3,
            },
        )
        for what, piece, whole, text in (
            ("lacks it", rb"a\ud83d", b"a", "a\ufffd"),
            ("has other words there", rb"a\ud83d", b"abc", "a\ufffd"),
            ("lacks it, behind a letter with an accent", rb"\u00e9\ud83d", rb"\u00e9", "\u00e9\ufffd"),
            ("has another letter there", rb"\u00e9\ud83d", rb"\u00e9b", "\u00e9\ufffd"),
            ("has all of it", rb"\u00e9\ud83d", rb"\u00e9\ud83d\ude00b", "\u00e9\U0001f600b"),
        )
    ),
)
