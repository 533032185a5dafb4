"""`[DONE]`, errors, and what neither of them may follow."""

from __future__ import annotations

from typing import Final

from .case import DONE, EVERY_REPAIR, FINISH, SAME, RepairCase, answered, but, error_of_ours, failure, said, told

_OF_AG_UI: Final = (
    b'data: {"type":"RUN_ERROR","message":"The server is shutting down.","rawEvent":'
    b'{"message":"The server is shutting down.","type":"unbroken_error","code":"shutting-down"}}\n\n'
)
_OF_OLLAMA: Final = (
    b'data: {"error": "The stream ended before it was complete.", "type": "unbroken_error", "code": "truncated"}\n\n'
)
_COHERE: Final = (
    b'data: {"type":"message-start","id":"i"}\n\n'
    b'data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"a"}}}}\n\n'
)
_CUT_OF_COHERE: Final = (
    b'event: message-end\ndata: {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": '
    b'"The stream ended before it was complete."}, ' + error_of_ours("truncated")[1:] + b"\n\n"
)
_SAID_BY_COHERE: Final = {"dialect": "cohere", "text": "a", "content_emitted": True, "tokens_received": 1}

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "the sentinel after an error",
        said("a") + b'data: {"error": {"message": "m", "code": 500}}\n\n' + DONE,
        said("a") + b'data: {"error": {"message": "m", "code": 500}}\n\n',
        ("done-after-error@105+12",),
        facts={"detail": "m", **answered("a", 1, None), **failure("upstream-error", None, 500), "events": 2},
        leaves=(57, 105),
    ),
    RepairCase(
        "the sentinel after an error, not to be removed",
        said("a") + b'data: {"error": {"message": "m", "code": 500}}\n\n' + DONE,
        SAME,
        options={"repairs": ()},
        facts={"detail": "m", **answered("a", 1, None), **failure("upstream-error", None, 500), "events": 3},
        leaves=(57, 105, 119),
    ),
    RepairCase(
        "an error alone and the sentinel",
        b'data: {"error": {"message": "m", "code": 429}}\n\n' + DONE,
        b'data: {"error": {"message": "m", "code": 429}}\n\n',
        ("done-after-error@48+12",),
        facts={"detail": "m", **failure("rate-limited", None, 429, safe_to_retry=True), "dialect": "openai-chat"},
        leaves=(48,),
    ),
    RepairCase(
        "an error of ours and the sentinel",
        b'data: {"error": {"message": "m", "type": "unbroken_error", "code": "truncated"}}\n\n' + DONE,
        b'data: {"error": {"message": "m", "type": "unbroken_error", "code": "truncated"}}\n\n',
        ("done-after-error@82+12",),
        facts={**failure("truncated"), "verdict": "failed"},
        leaves=(82,),
    ),
    RepairCase(
        "an error of ours that shows its dialect, prose, and the sentinel",
        _OF_OLLAMA + b"data: hello\n\n" + DONE,
        _OF_OLLAMA + b"data: hello\n\n",
        ("done-after-error@121+12",),
        facts={**failure("truncated", safe_to_retry=True), "verdict": "failed", "dialect": "ollama", "events": 2},
        leaves=(108, 121),
    ),
    RepairCase(
        "an error of ours that is masked already, prose, and the sentinel",
        told("truncated", name="error") + b"data: hello\n\n" + DONE,
        told("truncated", name="error") + b"data: hello\n\n",
        ("done-after-error@147+12",),
        {"errors": "mask"},
        {**failure("truncated"), "verdict": "failed", "events": 2},
        leaves=(134, 147),
    ),
    RepairCase(
        "an error of ours in a form that the dialect does not read, and the sentinel",
        said("a") + _OF_AG_UI + DONE,
        said("a") + _OF_AG_UI,
        ("done-after-error@227+12",),
        facts={**answered("a", 1, None), **failure("shutting-down"), "events": 2},
        leaves=(57, 227),
    ),
    RepairCase(
        "an error of ours in the form of the AI SDK, in an answer of OpenAI's",
        said("a") + b'data: {"type":"error","errorText":"The server is shutting down."}\n\n',
        SAME,
        facts={**answered("a", 1, None), **failure("shutting-down"), "events": 2},
        leaves=(57, 124),
    ),
    RepairCase(
        "the sentinel behind prose and an error of ours",
        b"data: hello\n\n" + told("truncated") + DONE,
        b"data: hello\n\n" + told("truncated"),
        ("done-after-error@134+12",),
        facts={**failure("truncated"), "verdict": "failed", "events": 2},
        leaves=(13, 134),
    ),
    RepairCase(
        "the sentinel behind an error of ours and prose",
        told("truncated") + b"data: hello\n\n" + DONE,
        told("truncated") + b"data: hello\n\n",
        ("done-after-error@134+12",),
        facts={**failure("truncated"), "verdict": "failed", "events": 2},
        leaves=(121, 134),
    ),
    RepairCase(
        "the sentinel behind prose and anybody's error",
        b'data: hello\n\ndata: {"error":"m"}\n\n' + DONE,
        SAME,
        facts={"events": 3},
        leaves=(13, 34, 48),
    ),
    RepairCase(
        "an error by its name that holds content, as a line",
        b"event: error\n" + said("a"),
        b'{"choices":[{"index":0,"delta":{"content":"a"}}], "error": true}\n',
        options={"to": "ndjson"},
        facts={**answered("a", 1, None), **failure("upstream-error")},
        leaves=(70,),
    ),
    RepairCase(
        "an error by its name that holds content and says it nowhere else, as a line",
        b'event: error\ndata: {"error":null,"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
        b'{"error": true, "choices": [{"index": 0, "delta": {"content": "a"}}]}\n',
        options={"to": "ndjson"},
        facts={**answered("a", 1, None), **failure("upstream-error")},
        leaves=(83,),
    ),
    RepairCase(
        "an error behind the sentinel in its block",
        said("a") + FINISH + b'data: [DONE]\ndata: {"error":{"message":"m","code":500}}\ndata: null\n\n',
        said("a") + FINISH + DONE,
        ("missing-blank-line@124+66",),
        facts={**answered("a", 1), "events": 3},
    ),
    RepairCase(
        "an answer behind the sentinel in its block",
        said("a") + FINISH + b'data: [DONE]\ndata: {"choices":[{"index":0,"delta":{"content":"b"}}]}\ndata: null\n\n',
        said("a") + FINISH + DONE,
        ("missing-blank-line@124+79",),
        facts={**answered("a", 1), "events": 3},
    ),
    RepairCase(
        "an error by name whose words are the sentinel, as a line",
        b"event: error\ndata: [DONE]\n\n",
        b'{"error": "[DONE]"}\n',
        options={"to": "ndjson"},
        leaves=(27,),
    ),
    RepairCase(
        "an error by name in words, as a line",
        b"event: error\ndata: out of memory\n\n",
        b'{"error": "out of memory"}\n',
        options={"to": "ndjson"},
        leaves=(34,),
    ),
    RepairCase(
        "the sentinel in lower case",
        said("a") + FINISH + b"data: [done]\n\n",
        said("a") + FINISH + DONE,
        ("done-spelling@124+12",),
        facts={**answered("a", 1), "events": 3},
        leaves=(57, 124, 138),
    ),
    RepairCase(
        "the sentinel with blanks",
        said("a") + FINISH + b"data:  [ DONE ] \n\n",
        said("a") + FINISH + DONE,
        ("done-spelling@124+16",),
        facts={**answered("a", 1), "events": 3},
        leaves=(57, 124, 142),
    ),
    RepairCase(
        "the sentinel without data",
        said("a") + FINISH + b"[DONE]\n\n",
        said("a") + FINISH + DONE,
        ("done-spelling@124+6",),
        facts={**answered("a", 1), "events": 3, "bytes_in": 131},
        leaves=(57, 124, 131),
    ),
    RepairCase(
        "the sentinel without data in a block",
        said("a") + b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n[DONE]\n\n',
        said("a") + FINISH + DONE,
        (
            "missing-blank-line@123+0",
            "done-spelling@123+6",
        ),
        facts={**answered("a", 1), "events": 3, "bytes_in": 130},
        leaves=(57, 130),
    ),
    RepairCase(
        "the sentinel without brackets and more words",
        said("a") + FINISH + b"data: done and over\n\n",
        said("a") + FINISH,
        ("invalid-json@124+19",),
        facts={**answered("a", 1, "stop", "damaged"), "events": 2, "invalid_json": 1},
        leaves=(57, 124),
    ),
    RepairCase(
        "null in a known dialect",
        said("a") + b"data: null\n\n" + FINISH + DONE,
        said("a") + FINISH + DONE,
        ("empty-data@57+10",),
        facts={**answered("a", 1), "events": 3},
        leaves=(57, 136, 150),
    ),
    RepairCase(
        "null behind a document in a known dialect",
        b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\ndata: null\n\n' + FINISH + DONE,
        said("a") + FINISH + DONE,
        ("missing-blank-line@0+66",),
        facts={**answered("a", 1), "events": 3},
        leaves=(68, 135, 149),
    ),
    RepairCase(
        "null before a document in a known dialect",
        said("z") + b"data: null\n" + said("a") + FINISH + DONE,
        said("z", "a") + FINISH + DONE,
        (
            "missing-blank-line@68+0",
            "empty-data@57+10",
        ),
        facts={**answered("za", 2), "events": 4},
        leaves=(57, 125, 192, 206),
    ),
    RepairCase(
        "null between documents where no dialect is known",
        b'data: {"a":1}\ndata: null\ndata: {"b":2}\n\n',
        b'data: {"a":1}\n\ndata: {"b":2}\n\n',
        ("missing-blank-line@0+38",),
        facts={"events": 2},
        leaves=(40,),
    ),
    RepairCase(
        "empty data in a known dialect",
        said("a") + b"data\n\ndata: \n\n" + FINISH + DONE,
        said("a") + FINISH + DONE,
        (
            "empty-data@57+4",
            "empty-data@63+6",
        ),
        facts={**answered("a", 1), "respellings": {"field-blank": 1}, "events": 3},
        leaves=(57, 138, 152),
    ),
    RepairCase(
        "a wrapped comment",
        said("a") + b"data: : OPENROUTER PROCESSING\n\n" + FINISH + DONE,
        said("a") + FINISH + DONE,
        ("wrapped-comment@57+29",),
        facts={**answered("a", 1), "events": 3},
        leaves=(57, 155, 169),
    ),
    RepairCase(
        "what follows the sentinel, to be read",
        said("a") + FINISH + DONE + said("b"),
        SAME,
        options={"repairs": but("after-done")},
        facts={**answered("ab", 2), "events": 4},
        leaves=(57, 124, 138, 195),
    ),
    RepairCase(
        "missing sentinel to be added",
        said("a") + FINISH,
        said("a") + FINISH + DONE,
        ("missing-done@124+0",),
        options={"repairs": EVERY_REPAIR},
        facts={**answered("a", 1), "events": 2},
        leaves=(57, 124),
    ),
    RepairCase(
        "missing sentinel of a cut answer",
        said("a"),
        said("a") + told("truncated"),
        options={"repairs": EVERY_REPAIR},
        facts={**answered("a", 1, None), **failure("truncated")},
        leaves=(57,),
    ),
    RepairCase(
        "missing sentinel of an answer with a hole",
        said("a") + b'data: {"x":\n\n' + FINISH,
        said("a") + FINISH + DONE,
        (
            "invalid-json@57+11",
            "missing-done@137+0",
        ),
        options={"repairs": EVERY_REPAIR},
        facts={**answered("a", 1, "stop", "damaged"), "events": 2, "invalid_json": 1},
        leaves=(57, 137),
    ),
    RepairCase(
        "an answer without its sentinel, as lines",
        said("a") + FINISH,
        b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n',
        options={"to": "ndjson"},
        facts={**answered("a", 1), "events": 2},
        leaves=(57, 124),
    ),
    RepairCase(
        "a missing sentinel, as lines",
        said("a") + FINISH,
        (
            b'{"choices":[{"index":0,"delta":{"content":"a"}}]}\n'
            b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n'
        ),
        options={"to": "ndjson", "repairs": EVERY_REPAIR},
        facts={**answered("a", 1), "events": 2},
        leaves=(57, 124),
    ),
    RepairCase(
        "a missing sentinel, converted to lines",
        b'event: delta\ndata: {"text":"a"}\n\nevent: done\ndata: {}\n\n',
        (
            b'{"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "c'
            b'hoices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": null}]}\n'
            b'{"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "", "c'
            b'hoices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n'
        ),
        options={"convert": "openai-chat", "to": "ndjson", "repairs": EVERY_REPAIR},
        facts={
            "dialect": "vocabulary",
            "verdict": "complete",
            "events": 2,
            "text": "a",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(33, 55),
    ),
    RepairCase(
        "the sentinel in quotes, as a line",
        b'data: {"a":1}\n\ndata: "[DONE]"\n\n',
        b'{"a":1}\n"\\u005bDONE]"\n',
        options={"to": "ndjson"},
        facts={"events": 2},
        leaves=(15, 31),
    ),
    RepairCase(
        "the sentinel before an error of no known dialect",
        DONE + b'data: {"type":"error","message":"m"}\n\n',
        SAME,
        facts={"events": 2},
        leaves=(14, 52),
    ),
    RepairCase(
        "the sentinel before a record and an error of no known dialect, as lines",
        DONE + b'data: {"a":1}\n\ndata: {"type":"error","message":"m"}\n\n',
        b'{"a":1}\n{"type":"error","message":"m"}\n',
        options={"to": "ndjson"},
        facts={"events": 3},
        leaves=(29, 67),
    ),
    RepairCase(
        "a sentinel that gateways add behind a whole answer",
        _COHERE + b'data: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}\n\n' + DONE,
        SAME,
        facts=_SAID_BY_COHERE | {"verdict": "complete", "events": 4, "finish_reason": "COMPLETE"},
        leaves=(41, 128, 195, 209),
    ),
    RepairCase(
        "a sentinel that gateways add behind a cut answer",
        _COHERE + DONE,
        _COHERE + _CUT_OF_COHERE,
        ("done-after-error@128+12",),
        facts=_SAID_BY_COHERE | failure("truncated") | {"events": 2},
        leaves=(41, 128, 142),
    ),
    RepairCase(
        "a sentinel that gateways add behind a cut answer, not to be removed",
        _COHERE + DONE,
        _COHERE + DONE + _CUT_OF_COHERE,
        options={"repairs": but("done-after-error")},
        facts=_SAID_BY_COHERE | failure("truncated") | {"events": 3},
        leaves=(41, 128, 142),
    ),
)
