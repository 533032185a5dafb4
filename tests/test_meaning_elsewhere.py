"""The faults that were reported in one dialect and one place, in others, and what looks like them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unbroken import RepairKind, StreamRepairer, Verdict
from unbroken.testing.cuts import every

from . import laws
from .test_dialect_meaning import (
    CALLS_END,
    COMPLETE,
    DONE,
    EMPTY,
    ENDS,
    FAILED,
    TRUNCATED,
    USES,
    at,
    block,
    block_stop,
    call,
    candidate,
    chat,
    check_conversion,
    cohere,
    cohere_call,
    completed,
    completion,
    converted,
    facts,
    item,
    json_piece,
    ollama,
    piece,
    read,
    responses,
    said,
    settled,
    spelt,
    stopped,
    thought,
    token,
    tool,
)

START = {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": []}}
BEGIN = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
MESSAGE = [START, BEGIN, block("Hi")]
END = [block_stop(0), *stopped("end_turn")]
REASON = stopped("end_turn")[0]
CREATED = {"type": "response.created", "response": {"id": "r", "status": "in_progress"}}
DAMAGED = {"verdict": "damaged"}
ENDED = {"verdict": "ended"}
HI = {**COMPLETE, "text": "Hi"}
Case = tuple[bytes, dict[str, Any]]


def sent(*parts: Any) -> bytes:
    """Return a stream of frames; bytes and texts stand as they are."""
    frames = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join([frame if isinstance(frame, bytes) else spelt([frame]) for frame in frames])


def lines(*payloads: Any) -> bytes:
    texts = [payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads]
    return ("\n".join(texts) + "\n").encode()


def around(payload: str, *, front: list[Any], end: list[Any], joint: str = "") -> bytes:
    """Return a stream with one payload in which `|` stands for what cuts it."""
    return sent(*front, "data: " + payload.replace("|", joint) + "\n\n", *end)


def in_chat(text: str, *, front: str = "a") -> bytes:
    """Return a chat stream with a piece whose text is spelt like this."""
    return around(
        '{"choices":[{"index":0,"delta":{"content":"' + text + '"}}]}',
        front=[chat(content=front)],
        end=[chat("stop"), ("", DONE)],
    )


def check(case: Case, **options: Any) -> None:
    data, expected = case
    report = read([data])
    found = facts(report)
    found["kinds"] = [kind.value for kind in report.repairs if kind is not RepairKind.EVENT_NAME_RESTORED]
    assert {name: found[name] for name in expected} == expected
    whole = laws.seen([data], **options)
    for size in (1, 13):
        laws.check_same(laws.seen(every(data, size), **options), whole)
    laws.check_idempotent(data, **options)
    if report.dialect not in (None, "openai-chat", "vocabulary") and found["verdict"] != "damaged":
        check_conversion(data, report)


CUT = '{"type":"content_block_delta","index":0,"delta":{"type":"text_de'
OLLAMA = ollama("a"), ollama("", done=True)

ERRORS_BESIDE_A_FLAW: dict[str, Case] = {
    "Anthropic, in one block": (
        sent(*MESSAGE, f'event: content_block_delta\ndata: {CUT}\ndata: {{"error":"boom"}}\n\n', *END),
        {**FAILED, "text": "Hi"},
    ),
    "Responses, in words": (
        sent(said("Hi"), 'data: {"type":"response.outp\ndata: error: boom\n\n', completed()),
        FAILED,
    ),
    "Cohere, in words": (sent(cohere("Hi"), "data: Error: engine died\n\n", ENDS), FAILED),
    "lines, in words": (lines(OLLAMA[0], "ERROR: CUDA", OLLAMA[1]), {**FAILED, "text": "a"}),
    "a field of the block": (
        sent(chat(content="a"), 'data: {"choices":[{"in\nerror: {"type":"overloaded_error"}\n\n', ("", DONE)),
        {**FAILED, "status": 529},
    ),
    "a field with words": (sent(chat(content="a"), 'data: {"choices":[{"in\nerror: died\n\n', ("", DONE)), FAILED),
    "without `data:`": (
        sent(chat(content="a"), 'data: {"choices":[{"in\n{"error":{"type":"overloaded_error"}}\n\n'),
        {**FAILED, "status": 529},
    ),
    "cut itself": (
        sent(chat(content="a"), 'data: {"error":{"mess\n\ndata: age":"m","type":"overloaded_error"}}\n\n', ("", DONE)),
        {**FAILED, "status": 529, "kinds": ["split-event", "done-after-error"]},
    ),
    "words under the name error": (sent(chat(content="a"), ("error", "engine died")), FAILED),
    "empty data under the name error": (sent(chat(content="a"), ("error", "")), FAILED),
}

STRINGS: dict[str, Case] = {
    "Gemini": (
        around(
            '{"candidates":[{"content":{"parts":[{"text":"\x1b[1mHi\x07"}]},"finishReason":"STOP"}]}', front=[], end=[]
        ),
        {**COMPLETE, "text": "\x1b[1mHi\x07", "kinds": ["raw-control"]},
    ),
    "an element": (
        b'[{"candidates":[{"content":{"parts":[{"text":"a\nb\tc"}]},"finishReason":"STOP"}]}]',
        {**COMPLETE, "text": "a\nb\tc", "kinds": ["raw-newline"]},
    ),
    "a line": (
        lines('{"model":"m","message":{"content":"a\tb\x00"},"done":false}', OLLAMA[1]),
        {**COMPLETE, "text": "a\tb\x00"},
    ),
    "TGI": (
        sent('data: {"token":{"id":1,"text":"\x0b"},"generated_text":"\x0b","details":null}\n\n'),
        {**COMPLETE, "text": "\x0b"},
    ),
    "arguments": (
        sent(
            call("", "f", "1"),
            'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\t}"}}]}}]}\n\n',
            *CALLS_END,
        ),
        {"tools": [("f", "{\t}")], "complete": [True]},
    ),
    "the first of all": (
        sent('data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"\t"}}]}\n\n', chat("stop")),
        {**COMPLETE, "text": "\t"},
    ),
    "a backslash": (in_chat(r"\d+\_\(x\)"), {**COMPLETE, "text": r"a\d+\_\(x\)", "kinds": ["lone-backslash"]}),
    "a backslash and a tab": (
        in_chat("\\d\t"),
        {**COMPLETE, "text": "a\\d\t", "kinds": ["lone-backslash", "raw-control"]},
    ),
    "a backslash in a line": (
        lines(r'{"model":"m","message":{"content":"\d \"q\""},"done":false}', OLLAMA[1]),
        {**COMPLETE, "text": r'\d "q"'},
    ),
    "a backslash in Responses": (
        around(json.dumps(said("X")).replace("X", r"\s"), front=[said("Hi")], end=[completed()]),
        {**COMPLETE, "text": r"Hi\s"},
    ),
    "a backslash beside an escape": (in_chat(r"\(\nabla"), {**DAMAGED, "text": "a"}),
    "a backslash beside two": (in_chat(r"\d\\"), {**DAMAGED, "text": "a"}),
    "an escape of other notations": (in_chat(r"it\'s"), {**DAMAGED, "text": "a"}),
    "a number of other notations": (in_chat(r"\x1b[1m it's"), {**DAMAGED, "text": "a"}),
    "an escape that is cut": (in_chat(r"\u12"), {**DAMAGED, "text": "a"}),
    "a backslash before a line end": (in_chat("x\\\ny"), {**DAMAGED, "text": "a"}),
}

WRAPPED = {**COMPLETE, "text": "aHi", "kinds": ["raw-newline"]}
SPLIT = {**COMPLETE, "text": "aHi", "kinds": ["split-event"]}
CHAT_AROUND: dict[str, Any] = {"front": [chat(content="a")], "end": [chat("stop"), ("", DONE)]}
PIECES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ('{"choices":[{"index":0,"delta":{"con|tent":"Hi"}}]}', CHAT_AROUND),
    "Gemini": (
        '{"candidates":[{"content":{"parts":[{"te|xt":"Hi"}]},"finishReason":"STOP"}]}',
        {"front": [candidate("a")], "end": []},
    ),
    "Responses": (
        '{"type":"response.output_text.delta","output_index":0,"content_index":0,"del|ta":"Hi"}',
        {"front": [{**said("a"), "item_id": None}], "end": [completed()]},
    ),
    "Cohere": (
        '{"type":"content-delta","index":0,"delta":{"mess|age":{"content":{"text":"Hi"}}}}',
        {"front": [cohere("a")], "end": [{"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}]},
    ),
    "Anthropic": (
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","te|xt":"Hi"}}',
        {"front": [START, BEGIN, block("a")], "end": END},
    ),
    "TGI": (
        '{"token":{"id":1,"te|xt":"Hi"},"generated_text":null}',
        {"front": [token("a")], "end": [token("", generated_text="aHi", details={})]},
    ),
}
JOINTS = {
    "two data lines": ("\ndata: ", WRAPPED),
    "a raw line": ("\n", WRAPPED),
    "two events": ("\n\ndata: ", SPLIT),
    "two events of one name": ("\r\n\r\nevent: message\r\ndata:", SPLIT),
    "two events and a blank line": ("\n\n\ndata: ", SPLIT),
}
VALUE = '{"choices":[{"index":0,"delta":{"content":"x|y"}}]}'
LINE_ENDS: dict[str, Case] = {
    "a text over two data lines": (around(VALUE, **CHAT_AROUND, joint="\ndata: "), {**DAMAGED, "text": "a"}),
    "a text over raw lines": (
        around(VALUE, **CHAT_AROUND, joint="\n\tto be\n"),
        {**COMPLETE, "text": "ax\n\tto be\ny"},
    ),
    "a text over two events": (around(VALUE, **CHAT_AROUND, joint="\n\ndata: "), {**COMPLETE, "text": "axy"}),
    "a comment between two parts": (
        around(VALUE, **CHAT_AROUND, joint="\n\n: ping\n\ndata: "),
        {**DAMAGED, "text": "a"},
    ),
    "a third part": (around(VALUE, **CHAT_AROUND, joint='\n\ndata: "\n\ndata: '), {**DAMAGED, "text": "a"}),
    "two events of other names": (
        around(VALUE, **CHAT_AROUND, joint="\n\nevent: x\ndata: "),
        {**COMPLETE, "text": "axy"},
    ),
    "a cut event before a whole one": (
        sent(chat(content="a"), 'data: {"choices":[{"in\n\n', chat(content="b"), chat("stop"), ("", DONE)),
        {**DAMAGED, "text": "ab"},
    ),
    "a cut event before one that is split": (
        sent(
            chat(content="a"),
            'data: {"choices":[{"in\n\n',
            around(VALUE, front=[], end=[], joint="\n\ndata: "),
            chat("stop"),
        ),
        {**DAMAGED, "text": "axy", "kinds": ["invalid-json", "split-event"]},
    ),
    "a part at the end": (
        sent(chat(content="a"), 'data: {"choices":[{"in\n\n'),
        {**TRUNCATED, "kinds": ["invalid-json"]},
    ),
    "other events between two parts": (
        around(
            VALUE,
            **{**CHAT_AROUND, "front": [chat(content="a")] * 4},
            joint="\n\n" + sent(chat(content="a")).decode() + "data: ",
        ),
        {**DAMAGED, "text": "aaaaa"},
    ),
    "a page behind a part": (
        sent(chat(content="a"), 'data: {"choices":[{"in\n\n', "<html>\n"),
        {**FAILED, "kinds": ["invalid-json", "foreign-body"]},
    ),
    "a part before the sentinel": (sent(chat(content="a"), 'data: {"choices":[{"in\n\n', ("", DONE)), DAMAGED),
    "a field within the text": (around(VALUE, **CHAT_AROUND, joint="\nnote: b\n"), {**DAMAGED, "text": "a"}),
    "a word that looks like a field": (around(VALUE, **CHAT_AROUND, joint="\nbad\n"), {**DAMAGED, "text": "a"}),
    "a comment within the text": (around(VALUE, **CHAT_AROUND, joint="\n: b\n"), {**DAMAGED, "text": "a"}),
    "a chunk size within the text": (around(VALUE, **CHAT_AROUND, joint="\r\n1f\r\n"), {**DAMAGED, "text": "a"}),
    "a chunk size within a line": (
        lines(OLLAMA[0], '{"model":"m","message":{"content":"b\r\n1a\r\nc"},"done":false}', OLLAMA[1]),
        {**DAMAGED, "text": "a"},
    ),
    "a name over two lines": (
        around('{"object":"chat.comp|letion.chunk","choices":[{"delta":{"content":"b"}}]}', **CHAT_AROUND, joint="\n"),
        {**COMPLETE, "text": "ab"},
    ),
    "a number over two lines": (
        around('{"choices":[{"delta":{"content":"b"}}],"created":1|2}', **CHAT_AROUND, joint="\ndata: "),
        {**DAMAGED, "text": "a"},
    ),
    "a key of nobody's": (
        around('{"choices":[],"fo|o":"x"}', **CHAT_AROUND, joint="\ndata: "),
        {**DAMAGED, "text": "a"},
    ),
    "a line, wrapped within a key": (
        lines(OLLAMA[0], '{"model":"m","message":{"con\ntent":"b"},"done":false}', OLLAMA[1]),
        {**COMPLETE, "text": "ab"},
    ),
    "blanks and blank lines within a line's text": (
        lines(OLLAMA[0], '{"model":"m","message":{"content":"b \n\n\n  c\t"},"done":false}', OLLAMA[1]),
        {**COMPLETE, "text": "ab \n\n\n  c\t"},
    ),
}

MISSING: dict[str, Case] = {
    "Anthropic, no end": (sent(*MESSAGE, block_stop(0), REASON), {**HI, "finish": "end_turn"}),
    "a block is open": (sent(*MESSAGE, REASON), TRUNCATED),
    "no reason": (sent(*MESSAGE, block_stop(0)), TRUNCATED),
    "another message begins": (sent(*MESSAGE, block_stop(0), REASON, START), TRUNCATED),
    "another block follows": (sent(*MESSAGE, block_stop(0), REASON, BEGIN, block("!")), TRUNCATED),
    "a text follows": (sent(*MESSAGE, block_stop(0), REASON, block("!")), TRUNCATED),
    "a reason that says nothing": (sent(*MESSAGE, block_stop(0), stopped("null")[0]), TRUNCATED),
    "a call": (
        sent(START, tool(), json_piece('{"a":1}'), block_stop(), USES[0]),
        {**COMPLETE, "tools": [("f", '{"a":1}')], "complete": [True]},
    ),
    "a call is open": (sent(START, tool(), json_piece('{"a":1}'), USES[0]), TRUNCATED),
    "a reason, and a sentinel": (sent(*MESSAGE, block_stop(0), REASON, ("", DONE)), HI),
}


def begun(type: str, index: int) -> dict[str, Any]:
    return responses("output_item.added", output_index=index, item={"type": type, "id": f"i{index}"})


def ended(type: str, index: int, status: str = "completed", **fields: Any) -> dict[str, Any]:
    told = {"type": type, "id": f"i{index}", "status": status, **fields}
    return responses("output_item.done", output_index=index, item=told)


ANSWER = [CREATED, begun("message", 0), at("Hi", 0), ended("message", 0)]
MISSING |= {
    "Responses, no end": (sent(*ANSWER), {**HI, "finish": None}),
    "an item is open": (sent(*ANSWER[:3]), TRUNCATED),
    "another item is open": (sent(*ANSWER, begun("message", 1)), TRUNCATED),
    "a piece of another item": (sent(*ANSWER, at("!", 1)), TRUNCATED),
    "an item that is incomplete": (sent(*ANSWER[:3], ended("message", 0, "incomplete")), TRUNCATED),
    "nothing but thoughts": (sent(CREATED, begun("reasoning", 0), ended("reasoning", 0)), TRUNCATED),
    "thoughts and an answer": (
        sent(
            CREATED, begun("reasoning", 0), ended("reasoning", 0), begun("message", 1), at("Hi", 1), ended("message", 1)
        ),
        HI,
    ),
    "a call of Responses": (
        sent(CREATED, item("added"), piece('{"a":1}'), settled('{"a":1}'), item("done", '{"a":1}')),
        {**COMPLETE, "tools": [("f", '{"a":1}')]},
    ),
    "another response begins": (sent(*ANSWER, CREATED), TRUNCATED),
    "no item at all": (sent(CREATED, said("Hi")), TRUNCATED),
    "whole, and a sentinel": (sent(*ANSWER, ("", DONE)), HI),
    "cut, and a sentinel": (sent(*ANSWER[:3], ("", DONE)), TRUNCATED),
}

FINISHES: dict[str, Case] = {
    "Anthropic": (sent(*MESSAGE, block_stop(0), *stopped("aborted")), FAILED),
    "Ollama": (sent(ollama("Hi"), ollama("", done=True, done_reason="abort")), FAILED),
    "the vocabulary": (sent(("delta", {"text": "Hi"}), ("done", {"finish_reason": "error_finish"})), FAILED),
    "with blanks": (sent(chat(content="Hi"), chat(" Abort "), ("", DONE)), FAILED),
    "a finish of nothing, Ollama": (sent(ollama("Hi", done_reason="null"), ollama("!")), TRUNCATED),
    "a finish of nothing, Gemini": (sent(candidate("Hi", "none"), candidate("!", "none")), TRUNCATED),
    "false": (sent(chat(False, content="Hi"), chat(0, content="!")), TRUNCATED),
}

ENDS_THAT_FAILED: dict[str, Case] = {
    "Anthropic": (
        sent(*MESSAGE, block_stop(0), REASON, {"type": "message_stop", "error": {"type": "overloaded_error"}}),
        {**FAILED, "status": 529},
    ),
    "Anthropic's reason": (sent(*MESSAGE, {**REASON, "error": {"type": "api_error", "message": "m"}}), FAILED),
    "Ollama": (sent(ollama("Hi"), ollama("", done=True, error="boom")), FAILED),
    "TGI": (sent(token("Hi"), {**token("", generated_text="Hi"), "error": "boom"}), FAILED),
    "the vocabulary's error": (sent(("delta", {"text": "Hi"}), ("done", {"error": "boom"})), FAILED),
    "the vocabulary's status": (sent(("delta", {"text": "Hi"}), ("done", {"status": "failed"})), FAILED),
    "no success": (sent(("delta", {"text": "Hi"}), ("done", {"success": False, "message": "boom"})), FAILED),
    "success": (sent(("delta", {"text": "Hi"}), ("done", {"success": True, "status": "ok", "error": None})), COMPLETE),
    "an empty error": (sent(*MESSAGE, block_stop(0), REASON, {"type": "message_stop", "error": EMPTY}), COMPLETE),
}

GOOD_ANSWERS: dict[str, Case] = {
    "an error that is null in words": (sent({**chat(content="Hi"), "error": "null"}, chat("stop"), ("", DONE)), HI),
    "a code of success": (
        sent({**chat(content="Hi"), "error": {"code": 0, "message": "success"}}, chat("stop"), ("", DONE)),
        HI,
    ),
    "a status of success": (sent({**candidate("Hi", "STOP"), "error": {"code": 200, "message": "OK"}}), HI),
    "empty, in Responses": (sent({**said("Hi"), "error": EMPTY}, completed()), HI),
    "empty, in Anthropic's": (sent(START, BEGIN, {**block("Hi"), "error": EMPTY}, *END), HI),
    "a code": (sent({**chat(content="Hi"), "error": {"code": 500, "message": ""}}, ("", DONE)), FAILED),
}

UNKNOWN_ERRORS: dict[str, Case] = {
    "by its type": (sent({"type": "error", "message": "x"}), FAILED),
    "by its status, and a sentinel": (sent({"status": "error", "message": "x"}, ("", DONE)), FAILED),
    "in another case": (sent({"type": "error", "errorText": "x"}, ("", DONE)), FAILED),
    "a list": (sent({"errors": [{"message": "x"}]}, ("", DONE)), FAILED),
    "FastAPI": (sent({"detail": "Not authenticated"}, ("", DONE)), FAILED),
    "a code and words": (sent({"code": 1301, "msg": "blocked"}, ("", DONE)), FAILED),
    "true": (sent({"error": True, "message": "x"}, ("", DONE)), FAILED),
    "words": (sent(("", "error: engine crashed"), ("", DONE)), FAILED),
    "a code and words, without a sentinel": (sent({"code": 1301, "msg": "blocked"}), ENDED),
    "words, without a sentinel": (sent(("", "error: this is a tutorial on errors")), ENDED),
    "a record, and a sentinel": (sent({"code": 1301, "msg": "blocked", "seen": 3}, ("", DONE)), ENDED),
    "behind an answer": (sent({"a": 1}, {"detail": "Not authenticated"}, ("", DONE)), ENDED),
}

WHOLE_AT_THE_END: dict[str, Case] = {
    "a tail in the response": (
        sent(
            said("Hel"), completed(output=[{"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}])
        ),
        {**COMPLETE, "text": "Hello"},
    ),
    "a call in the response": (
        sent(said("Hi"), completed(output=[{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}])),
        {**HI, "tools": [("f", "{}")], "complete": [True]},
    ),
    "a message behind thoughts": (
        sent(
            thought("Hm"),
            completed(
                output=[
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]},
                    {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
                ]
            ),
        ),
        {**HI, "reasoning": "Hm"},
    ),
    "the same, at another place": (
        sent(
            said("Hi"),
            completed(
                output=[
                    {"type": "reasoning", "summary": []},
                    {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
                ]
            ),
        ),
        HI,
    ),
    "the same call, spelt otherwise": (
        sent(item("added"), piece('{"a":1}'), settled('{"a": 1}'), item("done", '{"a": 1}'), completed()),
        {"tools": [("f", '{"a":1}')], "complete": [True]},
    ),
    "input of a custom tool": (
        sent(
            responses(
                "output_item.added", output_index=0, item={"type": "custom_tool_call", "call_id": "c", "name": "f"}
            ),
            responses("custom_tool_call_input.delta", output_index=0, delta="ab"),
            responses("custom_tool_call_input.done", output_index=0, input="abc"),
            completed(),
        ),
        {"tools": [("f", "abc")]},
    ),
}

SAID: dict[str, Case] = {
    "a part that is no list": (sent(chat(content={"type": "text", "text": "Hi"}), chat("stop"), ("", DONE)), HI),
    "an index that counts, in Gemini": (
        sent(
            *[{"candidates": [{**candidate(t)["candidates"][0], "index": n}]} for n, t in enumerate("abc")]
            + [{"candidates": [{**candidate("", "STOP")["candidates"][0], "index": 3}]}]
        ),
        {**COMPLETE, "text": "abc", "finish": "STOP"},
    ),
    "a number, in the vocabulary": (
        sent(("delta", {"text": "a"}), ("delta", {"text": 7}), ("done", {})),
        {"text": "a7"},
    ),
    "arguments as an object": (
        sent(call({"a": 12345678901234567890}, "f", "1"), *CALLS_END),
        {"tools": [("f", '{"a":12345678901234567890}')]},
    ),
    "usage of a legacy completion's choice": (
        sent(
            {
                "object": "text_completion",
                "choices": [{**completion("Hi", "stop")["choices"][0], "usage": {"prompt_tokens": 3}}],
            }
        ),
        {"usage": {"input_tokens": 3}},
    ),
}

BETWEEN: dict[str, Case] = {
    "a comment in data": (
        sent(chat(role="assistant"), chat(content="H"))[:-1]
        + b"data: : ping\n"
        + sent(chat(content="i"), chat("stop"), ("", DONE)),
        HI,
    ),
    "a comment in data, where no dialect is known": (b'data: {"a":1}\ndata: : ping\ndata: {"b":2}\n\n', {"kinds": []}),
    "a payload behind a colon": (
        sent(chat(content="a"))[:-1] + b'data: : {"choices":[]}\n' + sent(chat(content="b"), chat("stop"), ("", DONE)),
        {"verdict": "damaged"},
    ),
    "null, in Anthropic's": (sent(*MESSAGE)[:-1] + b"data: null\n" + sent(*END), HI),
    "null, in Gemini's": (sent(candidate("H"))[:-1] + b"data: null\n" + sent(candidate("i", "STOP")), HI),
    "null, as a raw line": (sent(chat(content="H"))[:-1] + b"null\n" + sent(chat(content="i"), chat("stop")), HI),
    "null, in lines": (lines(ollama("Hi"), "null", OLLAMA[1]), HI),
}

UNCLEAR_CALLS: dict[str, Case] = {
    "no index, two heads": (
        sent(call("", "f", "1", None), call("", "g", "2", None), call('{"a":1}', index=None), *CALLS_END),
        {"complete": [False] * 3},
    ),
    "no index, one after the other": (
        sent(
            *[call("", "f", "1", None), call('{"a":', index=None), call("1}", index=None)],
            *[call({}, "g", "2", None), call('{"b":', index=None), call("2}", index=None), *CALLS_END],
        ),
        {"tools": [("f", '{"a":1}'), ("g", '{"b":2}')], "complete": [True, True]},
    ),
    "Cohere, an index of nobody's": (
        sent(
            *[cohere_call("start", name="f"), cohere_call("start", 1, name="g"), cohere_call("delta", 5, '{"a":1}')],
            *[cohere_call("end", 0), cohere_call("end", 1), ENDS],
        ),
        {"complete": [False] * 3},
    ),
    "Anthropic, two at one index that do not stop": (
        sent(START, tool(), json_piece('{"a":1}'), tool(0, "g"), json_piece('{"b":2}'), block_stop(), *USES),
        {"tools": [("f", '{"a":1}'), ("g", '{"b":2}')], "complete": [True, True]},
    ),
}

HALF = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\ud83d"}}'
AGREED: dict[str, Case] = {
    "half a character, cut": (sent(*MESSAGE, ("", HALF)), {**TRUNCATED, "text": "Hi\ufffd"}),
    "half a character, at the end": (sent(*MESSAGE, ("", HALF), *END), {**COMPLETE, "text": "Hi\ufffd"}),
    "half a character, before an error": (
        sent(*MESSAGE, ("", HALF), ("error", {"type": "error", "error": {"type": "api_error", "message": "m"}})),
        {**FAILED, "text": "Hi\ufffd"},
    ),
    "a text behind the end": (sent(*MESSAGE, *END, block(" more")), {**COMPLETE, "text": "Hi more"}),
    "a message behind the end": (sent(*MESSAGE, *END, *MESSAGE, *END), {**COMPLETE, "text": "HiHi"}),
    "a line behind the end": (sent(ollama("Hi"), ollama("", done=True), ollama("!")), {**COMPLETE, "text": "Hi!"}),
    "an item behind the end": (sent(said("Hi"), completed(), at("!", 1)), {**COMPLETE, "text": "Hi!"}),
}

ALL = {
    "errors beside a flaw": ERRORS_BESIDE_A_FLAW,
    "strings": STRINGS,
    "line ends": LINE_ENDS,
    "missing ends": MISSING,
    "finishes": FINISHES,
    "ends that failed": ENDS_THAT_FAILED,
    "good answers": GOOD_ANSWERS,
    "unknown errors": UNKNOWN_ERRORS,
    "whole at the end": WHOLE_AT_THE_END,
    "said": SAID,
    "between": BETWEEN,
    "unclear calls": UNCLEAR_CALLS,
    "agreed": AGREED,
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{group}: {name}") for group, cases in ALL.items() for name, case in cases.items()]
)
def test_a_fault_means_the_same_wherever_it_stands(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("joint", JOINTS)
@pytest.mark.parametrize("dialect", PIECES)
def test_a_document_that_was_cut_within_a_key_is_put_together(dialect: str, joint: str) -> None:
    payload, frame = PIECES[dialect]
    between, expected = JOINTS[joint]
    check((around(payload, **frame, joint=between), expected))


def test_a_joined_document_has_the_fields_of_both_its_parts() -> None:
    first, second = VALUE.split("|")
    data = sent(chat(content="a"), f"id: 4\nretry: 5\nevent: x\ndata: {first}\n\ndata: {second}\n\n", chat("stop"))
    joined = f"id: 4\nretry: 5\nevent: x\ndata: {first}{second}\n\n"
    assert laws.repaired([data]).wire == sent(chat(content="a"), joined, chat("stop"))
    named = data.replace(b"\n\ndata: y", b"\n\nid: 5\nevent: y\ndata: y")
    assert laws.repaired([named]).report.verdict is Verdict.DAMAGED
    assert laws.repaired([data.replace(b"\n\ndata: y", b"\n\nid: 5\ndata: y")]).report.last_event_id == "5"


def test_a_piece_that_is_kept_is_not_held_back() -> None:
    piece = b'data: {"choices":[{"in\n\n'
    repairer = StreamRepairer(invalid_json="keep", dialect="openai-chat")
    assert repairer.feed(piece, 0.0) == [piece]
    assert not StreamRepairer(dialect="openai-chat").feed(piece, 0.0)


def test_a_conversion_says_what_comes_behind_the_end_before_its_sentinel() -> None:
    output = converted(sent(*MESSAGE, *END, block(" more")))
    assert output.count(b"[DONE]") == 1
    assert output.index(b" more") < output.index(b"[DONE]")


LONG = "x" * 2**20  # more than is proven
TOO_LONG: dict[str, Case] = {
    "chat, with the finish beside it": (
        sent(
            chat(content="a"),
            {
                "object": "chat.completion.chunk",
                "choices": [{"index": 0, "delta": {"content": LONG}, "finish_reason": "stop"}],
            },
        ),
        {**COMPLETE, "finish": "stop"},
    ),
    "Ollama, with its end": (
        lines({"model": "m", "response": "a", "done": False}, {"model": "m", "response": LONG, "done": True}),
        COMPLETE,
    ),
    "Anthropic, an error": (
        sent(*MESSAGE, ("error", {"type": "error", "error": {"type": "overloaded_error", "message": LONG}})),
        {**FAILED, "code": "overloaded"},
    ),
    "Cohere, a finish that failed": (
        sent(cohere("Hi"), {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": LONG}}),
        FAILED,
    ),
}


@pytest.mark.parametrize("name", TOO_LONG)
def test_what_is_too_long_to_be_proven_is_read_for_its_end(name: str) -> None:
    data, expected = TOO_LONG[name]
    for size in (len(data), 2**16):
        found = facts(read(every(data, size)))
        assert {key: found[key] for key in expected} == expected
