"""What a verdict must not hide: errors in what is dropped, ends that prove nothing, payloads too long for a proof."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from unbroken import StreamReport, Verdict
from unbroken.core.proof import FLAWED, MAX_PARTS, MAX_PROOF, UNPROVEN, read_loosely
from unbroken.testing.cuts import every

from . import laws
from .chat import CHUNK, DONE, FINISH

CHAT = {"dialect": "openai-chat"}
CUT = b'data: {"choices":[{"index":0,"del\n'
ERROR = b'data: {"error":{"message":"secret","type":"server_error"}}\n'
START = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n'
OVERLOADED = b'data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'


def outcome(data: bytes, **options: Any) -> tuple[bytes, StreamReport]:
    whole = laws.repaired([data], **options)
    for size in (1, 9):
        laws.check_same(laws.seen(every(data, size), **options), laws.seen([data], **options))
    if "convert" not in options:
        laws.check_idempotent(data, **options)
    return whole.wire, whole.report


# Errors are looked for in what is about to be dropped


@pytest.mark.parametrize(
    ("data", "options", "code", "status"),
    [
        (CHUNK + CUT + ERROR + b"\n" + DONE, {}, "upstream-error", 500),
        (CHUNK + b"data: x\n" + ERROR + b"\n", CHAT, "upstream-error", 500),
        (CHUNK + ERROR + CUT + b"\n" + DONE, {}, "upstream-error", 500),
        (CHUNK + CUT + ERROR + b"\n" + DONE, {"invalid_json": "error"}, "upstream-error", 500),
        (START + b'event: content_block_delta\ndata: {"type":"con\nevent: error\n' + OVERLOADED, {}, "overloaded", 529),
        (START + b'data: {"type":"con\n' + OVERLOADED, {}, "overloaded", 529),
        (
            b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n\ndata: {"candid\n'
            b'data: {"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}\n\n',
            {},
            "overloaded",
            503,
        ),
    ],
)
def test_an_error_behind_a_piece_that_was_cut_is_the_error(
    data: bytes, options: dict[str, Any], code: str, status: int | None
) -> None:
    wire, report = outcome(data, **options)
    assert report.verdict is Verdict.FAILED
    assert report.error is not None
    assert (report.error.code, report.error.status_hint) == (code, status)
    assert wire.count(b"error") >= 1
    assert DONE not in wire


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (CHUNK + b"data: error: engine crashed\n\n" + DONE, {}),
        (b"data: Error: engine crashed\n\n" + DONE, CHAT),
        (CHUNK + b"data: ERROR : out of memory\n\n" + DONE, {}),
        (CHUNK + CUT + b"data: error: engine crashed\n\n" + DONE, {}),
        (b'{"model":"m","message":{"content":"a"},"done":false}\nerror: engine crashed\n', {"dialect": "ollama"}),
    ],
)
def test_words_that_say_error_fail_the_stream_and_stay_in_the_log(data: bytes, options: dict[str, Any]) -> None:
    wire, report = outcome(data, **options)
    assert report.verdict is Verdict.FAILED
    assert report.error is not None
    assert report.error.code == "upstream-error"
    assert "engine crashed" in (report.error.failure.detail or "") or "memory" in (report.error.failure.detail or "")
    assert b"crashed" not in wire


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b"event: error\nid: 1\n\n", CHAT),
        (CHUNK + b"event: error\n\n" + DONE, {}),
        (b"event: error\nfoo: 1\n\n", CHAT),
    ],
)
def test_an_event_that_is_named_error_and_has_no_data_is_an_error(data: bytes, options: dict[str, Any]) -> None:
    wire, report = outcome(data, **options)
    assert report.verdict is Verdict.FAILED
    assert b"upstream-error" in wire
    assert b"upstream-error" in laws.repaired([data], to="ndjson", **options).wire


@pytest.mark.parametrize(
    ("data", "options", "verdict"),
    [
        (b"data: error: this is a tutorial on errors\n\n", {}, Verdict.ENDED),
        (b"error: engine crashed\n\ndata: hello\n\n", {}, Verdict.ENDED),
        (CHUNK + b"error: none\n\n" + FINISH + DONE, {}, Verdict.COMPLETE),
        (b"event: error\n\ndata: hello\n\n", {}, Verdict.ENDED),
        (b"event: error\n\n", {"dialect": "text"}, Verdict.ENDED),
        (CHUNK + b'data: {"choices":[{"index":0,"delta":{"content":"error: x"}}]}\n\n' + FINISH, {}, Verdict.COMPLETE),
        (CHUNK + b'data: {"error":null,"choices":[]}\n\n' + FINISH, {}, Verdict.COMPLETE),
        (CHUNK + b"data: errors: none\n\n" + FINISH + DONE, {}, Verdict.DAMAGED),
        (b'{"level":"info","msg":"error: x"}\nerror: x\n{"level":"info"}\n', {}, Verdict.ENDED),
    ],
)
def test_what_only_speaks_of_errors_is_none(data: bytes, options: dict[str, Any], verdict: Verdict) -> None:
    assert outcome(data, **options)[1].verdict is verdict


@pytest.mark.parametrize(
    "error", [b'{"error":"exploded"}', b'{"error":{"message":"m"}}', b'{"error":"x","status":500}']
)
def test_an_error_alone_and_the_sentinel_of_chat_are_a_failure(error: bytes) -> None:
    wire, report = outcome(b"data: " + error + b"\n\n" + DONE)
    assert report.verdict is Verdict.FAILED
    assert wire == b"data: " + error + b"\n\n"


@pytest.mark.parametrize(
    "data",
    [
        b'data: {"error":"exploded"}\n\ndata: {"a":1}\n\n',
        b'data: {"a":1}\n\ndata: {"error":"exploded"}\n\n' + DONE,
        b'data: {"error":"exploded","level":"info","host":"a"}\n\n' + DONE,
        b'data: {"error":null}\n\n' + DONE,
    ],
)
def test_a_record_that_has_an_error_is_none(data: bytes) -> None:
    assert outcome(data)[1].verdict is Verdict.ENDED


# No proof with two solutions


@pytest.mark.parametrize("joint", [b"\ndata: ", b"\n"])
def test_a_line_end_inside_of_a_key_is_not_taken_for_text(joint: bytes) -> None:
    data = CHUNK + b'data: {"choices":[{"index":0,"delta":{"con' + joint + b'tent":"b"}}]}\n\n' + FINISH + DONE
    wire, report = outcome(data)
    assert b"con\\ntent" not in wire
    assert (report.verdict, report.text) == (Verdict.COMPLETE, "ab")  # its neighbours have that key
    wire, report = outcome(data.replace(b'"con' + joint, b'"Con' + joint))
    assert b"Con\\ntent" not in wire
    assert report.verdict is Verdict.DAMAGED


# A sentinel proves nothing where the answer ends otherwise

RESPONSES = b'event: response.created\ndata: {"type":"response.created","response":{"id":"r","object":"response"}}\n\n'
COMPLETED = (
    b'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r","status":"completed"}}\n\n'
)
COHERE = b'data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"a"}}}}\n\n'
COHERE_END = b'data: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}\n\n'


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (RESPONSES + DONE, Verdict.TRUNCATED),
        (COHERE + DONE, Verdict.TRUNCATED),
        (COHERE + b"data: [done]\n\n", Verdict.TRUNCATED),
        (RESPONSES + COMPLETED + DONE, Verdict.COMPLETE),
        (COHERE + COHERE_END + DONE, Verdict.COMPLETE),
        (CHUNK + DONE, Verdict.COMPLETE),
    ],
)
def test_a_sentinel_completes_only_the_answers_that_end_by_it(data: bytes, verdict: Verdict) -> None:
    wire, report = outcome(data)
    assert report.verdict is verdict
    assert (DONE in wire) is (verdict is Verdict.COMPLETE)
    assert (b'"truncated"' in wire) is (verdict is Verdict.TRUNCATED)
    assert laws.repaired([data], repairs=()).report.verdict is verdict


def test_a_sentinel_that_a_whole_answer_does_not_need_is_not_written_in_lines() -> None:
    for data in (RESPONSES + COMPLETED + DONE, COHERE + COHERE_END + DONE, CHUNK + FINISH + DONE):
        assert b"[DONE]" not in laws.repaired([data], to="ndjson").wire


# What is too long for a proof is read all the same

IMAGE = base64.b64encode(b"\0" * MAX_PROOF).decode()


def gemini(part: Any, **candidate: Any) -> bytes:
    value = {"candidates": [{"content": {"parts": [part], "role": "model"}, **candidate}]}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (gemini({"text": "a"}) + gemini({"inlineData": {"data": IMAGE}}, finishReason="STOP"), Verdict.COMPLETE),
        (gemini({"text": "a"}) + gemini({"inlineData": {"data": IMAGE}}), Verdict.TRUNCATED),
        (
            CHUNK + b'data: {"error":{"message":"%s"},"choices":[]}\n\n' % IMAGE.encode() + DONE,
            Verdict.FAILED,
        ),
        (START + b'data: {"type":"message_stop","padding":"%s"}\n\n' % IMAGE.encode(), Verdict.COMPLETE),
        (CHUNK + b'data: {"choices":[{"index":0,"del%s\n\n' % IMAGE.encode() + FINISH + DONE, Verdict.DAMAGED),
    ],
)
def test_a_payload_too_long_for_a_proof_is_read_for_its_end_and_its_error(data: bytes, verdict: Verdict) -> None:
    report = laws.repaired([data]).report
    assert report.verdict is verdict
    assert report.unproven == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":"' + "x" * MAX_PROOF + '"}', {"a": "x" * MAX_PROOF}),
        ('{"a":"' + "x" * MAX_PROOF, FLAWED),
        ("[" + "{}," * MAX_PARTS + "{}]", UNPROVEN),
        ('{"a":[' + "0," * MAX_PARTS + '0],"b":"[1,2]"}', {"a": [], "b": "[1,2]"}),
        ('{"a":"' + "x" * MAX_PROOF + '"}, junk', FLAWED),
    ],
    ids=["long", "cut", "many parts", "many numbers", "junk behind it"],
)
def test_a_long_text_is_parsed_where_it_has_few_parts(text: str, value: Any) -> None:
    assert read_loosely(text) == value


# `null` between documents


@pytest.mark.parametrize(
    "between", [b"data: null\n", b"data: null\ndata: null\n", b"data:  null \n", b"data: null\n\ndata: null\n"]
)
@pytest.mark.parametrize("front", [b"", CHUNK])
def test_null_between_documents_without_blank_lines_hides_no_text(front: bytes, between: bytes) -> None:
    data = front + CHUNK[:-1] + between + CHUNK[:-1] + b"data: null\n\n" + FINISH
    wire, report = outcome(data)
    assert wire == front + CHUNK + CHUNK + FINISH
    assert report.text == "aa" + "a" * bool(front)
    assert report.verdict is Verdict.COMPLETE


def test_null_that_is_a_line_of_a_payload_stays_one() -> None:
    data = CHUNK + b'data: {"a":\ndata: null\ndata: }\n\n' + FINISH
    assert outcome(data)[0] == data
    prose = b"data: first\ndata: null\ndata: last\n\n"
    assert outcome(prose)[0] == prose
