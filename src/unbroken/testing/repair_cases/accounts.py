"""What was said: text, reasoning, usage, repetitions."""

from __future__ import annotations

from typing import Final

from .case import DONE, FINISH, SAME, RepairCase, answered, call, failure, said, told

_THREE: Final = (
    b'data: {"choices":[{"index":0,"delta":{"content":"Yes"}},{"index":1,"delta":{"content":"No"}},'
    b'{"index":2,"delta":{"content":"Maybe"},"finish_reason":"stop"}]}\n\n'
)
_CANDIDATES: Final = (
    b'data: {"candidates":[{"index":0,"content":{"parts":[{"text":"Yes"}]}},{"index":1,"content":{"parts":'
    b'[{"text":"No"}]}},{"index":2,"content":{"parts":[{"text":"Maybe"}]},"finishReason":"STOP"}]}\n\n'
)

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a passage from the first character on, three times",
        said(
            "words that are said again and again. ",
            "words that are said again and again. ",
            "words that are said again and again. ",
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("words that are said again and again. " * 3, 3), "events": 5, "repetitions": 3},
    ),
    RepairCase(
        "a passage of 32 characters twice",
        said("0123456789abcdefghijklmnopqrstuv0123456789abcdefghijklmnopqrstuv") + FINISH + DONE,
        SAME,
        facts={**answered("0123456789abcdefghijklmnopqrstuv" * 2, 1), "events": 3, "repetitions": 2},
    ),
    RepairCase(
        "a passage of 31 characters twice",
        said("0123456789abcdefghijklmnopqrstu0123456789abcdefghijklmnopqrstu") + FINISH + DONE,
        SAME,
        facts={**answered("0123456789abcdefghijklmnopqrstu" * 2, 1), "events": 3},
    ),
    RepairCase(
        "a passage of 33 characters after another, twice",
        said("so: 0123456789abcdefghijklmnopqrstuvw0123456789abcdefghijklmnopqrstuvw") + FINISH + DONE,
        SAME,
        facts={
            **answered("so: 0123456789abcdefghijklmnopqrstuvw0123456789abcdefghijklmnopqrstuvw", 1),
            "events": 3,
            "repetitions": 2,
        },
    ),
    RepairCase(
        "a text of 32 characters",
        said("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") + FINISH + DONE,
        SAME,
        facts={**answered("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1), "events": 3},
    ),
    RepairCase(
        "one character, 40 times",
        said("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") + FINISH + DONE,
        SAME,
        facts={**answered("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1), "events": 3, "repetitions": 40},
    ),
    RepairCase(
        "text that grows, three pieces",
        said("a", "ab", "abc") + FINISH + DONE,
        SAME,
        facts={**answered("aababc", 3), "events": 5},
    ),
    RepairCase(
        "text that grows, four pieces",
        said("a", "ab", "abc", "abcd") + FINISH + DONE,
        SAME,
        facts={**answered("aababcabcd", 4), "events": 6, "cumulative_text": True},
    ),
    RepairCase(
        "text that grows in the second choice only",
        (
            b'data: {"choices": [{"index": 1, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "ab"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "abc"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "abcd"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "abcde"}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 5), "events": 7},
    ),
    RepairCase(
        "halves of a character in two events",
        (
            b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"content":"\\ude00!"}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("😀!", 2), "events": 4},
    ),
    RepairCase(
        "half of a character without the other",
        b'data: {"choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}\n\n' + said("b") + FINISH + DONE,
        SAME,
        facts={**answered("a�b", 2), "events": 4},
    ),
    RepairCase(
        "halves of a character in arguments",
        (
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f",'
            b'"arguments":"{\\"a\\":\\"\\ud83d"}}]}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,'
            b'"function":{"arguments":"\\ude00\\"}"}}]}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 2), "events": 4, "tool_calls": [call("f", '{"a":"😀"}', "c")]},
    ),
    RepairCase(
        "a refusal beside a text",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "I "}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"refusal": "can"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"refusal": "not"}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("I ", 3), "events": 5, "refusal": "cannot"},
    ),
    RepairCase(
        "reasoning before a text",
        (
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "think"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "ing"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"content": "done"}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("done", 3), "events": 5, "reasoning": "thinking"},
    ),
    RepairCase(
        "usage in two events, the larger counts",
        said("a")
        + (
            b'data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}\n\n'
            b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={
            **answered("a", 3),
            "events": 5,
            "usage": {"input_tokens": 9, "output_tokens": 3},
            "tokens_source": "provider",
        },
    ),
    RepairCase(
        "usage before the last text counts only if it is the larger figure",
        said("a")
        + b'data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}\n\n'
        + said("b", "c")
        + FINISH
        + DONE,
        SAME,
        facts={**answered("abc", 3), "events": 6, "usage": {"input_tokens": 9, "output_tokens": 1}},
    ),
    RepairCase(
        "usage before the last text that is as large as the count",
        said("a")
        + b'data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}\n\n'
        + said("b", "c")
        + FINISH
        + DONE,
        SAME,
        facts={
            **answered("abc", 3),
            "events": 6,
            "usage": {"input_tokens": 9, "output_tokens": 3},
            "tokens_source": "provider",
        },
    ),
    RepairCase(
        "usage of zero",
        said("a") + FINISH + b'data: {"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}\n\n' + DONE,
        SAME,
        facts={
            "dialect": "openai-chat",
            "verdict": "complete",
            "events": 4,
            "text": "a",
            "finish_reason": "stop",
            "usage": {"input_tokens": 0, "output_tokens": 0},
            "content_emitted": True,
            "tokens_source": "provider",
        },
    ),
    RepairCase(
        "two finish reasons, the last counts",
        said("a") + FINISH + b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}\n\n' + DONE,
        SAME,
        facts={**answered("a", 1, "length"), "events": 4},
    ),
    RepairCase(
        "a finish reason of another choice",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "length"}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("a", 2, None), "events": 3},
    ),
    RepairCase(
        "an index that counts pieces, to its end",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "b"}}]}\n\n'
            b'data: {"choices": [{"index": 2, "delta": {"content": "c"}}]}\n\n'
            b'data: {"choices": [{"index": 3, "delta": {}, "finish_reason": "stop"}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("abc", 3), "events": 5},
    ),
    RepairCase(
        "two choices, of one piece each",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "b"}}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("a", 2, None), "events": 3},
    ),
    RepairCase(
        "three choices, of which the first has two pieces",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "b"}}]}\n\n'
            b'data: {"choices": [{"index": 2, "delta": {"content": "c"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"content": "d"}}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("ad", 4, None), "events": 5},
    ),
    RepairCase(
        "a message that begins twice",
        (
            b'data: {"type": "message_start", "message": {"role": "assistant"}}\n\n'
            b'data: {"type": "message_start", "message": {"role": "assistant"}}\n\n'
            b'data: {"type": "message_stop"}\n\n'
        ),
        (
            b'event: message_start\ndata: {"type": "message_start", "message": {"role": "assistant"}}\n\n'
            b'event: message_start\ndata: {"type": "message_start", "message": {"role": "assistant"}}\n\n'
            b'event: message_stop\ndata: {"type": "message_stop"}\n\n'
        ),
        (
            "event-name-restored@0+65",
            "event-name-restored@67+65",
            "event-name-restored@134+30",
        ),
        options={"dialect": "anthropic"},
        facts={"dialect": "anthropic", "verdict": "complete", "events": 3, "second_beginnings": 1},
    ),
    RepairCase(
        "an index that counts three pieces",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "b"}}]}\n\n'
            b'data: {"choices": [{"index": 2, "delta": {}, "finish_reason": "stop"}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("ab", 2), "events": 4},
    ),
    RepairCase(
        "three choices, of which the second has two pieces",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "b"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "c"}}]}\n\n'
            b'data: {"choices": [{"index": 2, "delta": {"content": "d"}}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("a", 4, None), "events": 5},
    ),
    RepairCase(
        "three choices of one piece, each with its finish",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}]}\n\n'
            b'data: {"choices": [{"index": 2, "delta": {"content": "c"}, "finish_reason": "stop"}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("a", 3), "events": 4},
    ),
    RepairCase(
        "three choices whose indexes leave one out",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "b"}}]}\n\n'
            b'data: {"choices": [{"index": 3, "delta": {"content": "c"}}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("a", 3, None), "events": 4},
    ),
    RepairCase(
        "three choices, of which the first says two pieces in a row",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"content": "b"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "x"}}]}\n\n'
            b'data: {"choices": [{"index": 2, "delta": {"content": "y"}}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("ab", 4, None), "events": 5},
    ),
    RepairCase(
        "three choices, of which the first says four pieces in a row",
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"content": "b"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"content": "c"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"content": "d"}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "x"}}]}\n\n'
            b'data: {"choices": [{"index": 2, "delta": {"content": "y"}}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("abcd", 6, None), "events": 7},
    ),
    RepairCase(
        "three choices, of which the first has arguments in three pieces",
        (
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"["}}]}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1"}}]}}]}\n\n'
            b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"]"}}]}}]}\n\n'
            b'data: {"choices": [{"index": 1, "delta": {"content": "x"}}]}\n\n'
            b'data: {"choices": [{"index": 2, "delta": {"content": "y"}}]}\n\n'
        )
        + DONE,
        SAME,
        facts={**answered("", 5, None), "events": 6, "tool_calls": [call(None, "[1]")]},
    ),
    RepairCase(
        "reasoning that grows",
        (
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "a"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "ab"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "abc"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "abcd"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "abcde"}}]}\n\n'
            b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "abcdef"}}]}\n\n'
        )
        + FINISH
        + DONE,
        SAME,
        facts={**answered("", 6), "events": 8, "reasoning": "aababcabcdabcdeabcdef"},
    ),
    RepairCase(
        "the same piece of text, four times",
        said("ha", "ha", "ha", "ha") + FINISH + DONE,
        SAME,
        facts={**answered("hahahaha", 4), "events": 6},
    ),
    RepairCase(
        "pieces of text of which each is longer than the one before",
        said("a", "bc", "def", "ghij", "klmno") + FINISH + DONE,
        SAME,
        facts={**answered("abcdefghijklmno", 5), "events": 7},
    ),
    RepairCase(
        "usage before the first text and no other, higher than the count",
        (
            b"event: message_start\n"
            b'data: {"type":"message_start","message":{"usage":{"input_tokens":3,"output_tokens":2}}}\n\n'
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        SAME,
        facts={
            **answered("Hi", 2, None),
            "dialect": "anthropic",
            "events": 3,
            "usage": {"input_tokens": 3, "output_tokens": 2},
            "tokens_source": "provider",
        },
    ),
    RepairCase(
        "a passage of 32 characters twice, with other words between",
        said("0123456789abcdefghijklmnopqrstuv, then 0123456789abcdefghijklmnopqrstuv") + FINISH + DONE,
        SAME,
        facts={
            **answered("0123456789abcdefghijklmnopqrstuv, then 0123456789abcdefghijklmnopqrstuv", 1),
            "events": 3,
        },
    ),
    RepairCase(
        "three choices in one event, of which the last one finished",
        _THREE,
        _THREE + told("truncated"),
        facts={**answered("Yes", 1, None), **failure("truncated")},
        leaves=(159,),
    ),
    RepairCase(
        "three choices in one event, none of which finished",
        _THREE.replace(b',"finish_reason":"stop"', b""),
        _THREE.replace(b',"finish_reason":"stop"', b"") + told("truncated"),
        facts={**answered("Yes", 1, None), **failure("truncated")},
        leaves=(136,),
    ),
    RepairCase(
        "three candidates in one event, of which the last one finished",
        _CANDIDATES,
        _CANDIDATES
        + b'data: {"error": {"code": 500, "message": "The stream ended before it was complete.", "status": "INTERNAL", '
        b'"type": "unbroken_error", "reason": "truncated"}}\n\n',
        facts={**answered("Yes", 1, None), **failure("truncated"), "dialect": "gemini"},
        leaves=(194,),
    ),
)
