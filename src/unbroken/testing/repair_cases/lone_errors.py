"""Errors of no known dialect: alone, before the sentinel, and before an answer."""

from __future__ import annotations

from typing import Final

from ...core.failure import SENTENCES
from .case import DONE, FINISH, SAME, RepairCase, answered, but, error_of_ours, failure, said, told, told_first

_CUT: Final = SENTENCES["truncated"].encode()

_ERROR_RESPONSE: Final = b'data: {"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"m"}}\n\n'

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "an error body alone",
        b'data: {"error":{"message":"m"}}\n\n',
        SAME,
        facts={"detail": '{"error":{"message":"m"}}', **failure("upstream-error")},
        leaves=(33,),
    ),
    RepairCase(
        "an error body and another event",
        b'data: {"error":{"message":"m"}}\n\ndata: {"a":1}\n\n',
        SAME,
        facts={"events": 2},
        leaves=(33, 48),
    ),
    RepairCase(
        "an error response of JSON-RPC alone",
        _ERROR_RESPONSE,
        SAME,
        facts={"detail": _ERROR_RESPONSE[6:-2].decode(), **failure("upstream-error")},
        leaves=(70,),
    ),
    RepairCase(
        "an error response of JSON-RPC alone, to be masked",
        _ERROR_RESPONSE,
        told_first("upstream-error"),
        options={"errors": "mask"},
        facts={
            "detail": _ERROR_RESPONSE[6:-2].decode(),
            **failure("upstream-error", safe_to_retry=True),
            "bytes_in": 68,
            "events": 0,
            "masked_errors": 1,
        },
        leaves=(70,),
    ),
    RepairCase("two error responses of JSON-RPC", _ERROR_RESPONSE * 2, SAME, facts={"events": 2}, leaves=(70, 140)),
    RepairCase(
        "an error response of JSON-RPC with a result",
        _ERROR_RESPONSE.replace(b'"error"', b'"result":{},"error"'),
        SAME,
    ),
    RepairCase(
        "an error response of JSON-RPC without an object", b'data: {"jsonrpc":"2.0","id":1,"error":"m"}\n\n', SAME
    ),
    RepairCase("an error response of another version of JSON-RPC", _ERROR_RESPONSE.replace(b"2.0", b"1.0"), SAME),
    RepairCase(
        "an error body, another event and the sentinel",
        b'data: {"error":{"message":"m"}}\n\ndata: {"a":1}\n\n' + DONE,
        SAME,
        facts={"events": 3},
        leaves=(33, 48, 62),
    ),
    RepairCase(
        "an error body and the sentinel",
        b'data: {"error":{"message":"m"}}\n\n' + DONE,
        b'data: {"error":{"message":"m"}}\n\n',
        ("done-after-error@33+12",),
        facts={"detail": '{"error":{"message":"m"}}', **failure("upstream-error")},
        leaves=(33,),
    ),
    RepairCase(
        "an error body behind an event",
        b'data: {"a":1}\n\ndata: {"error":{"message":"m"}}\n\n',
        SAME,
        facts={"events": 2},
        leaves=(15, 48),
    ),
    RepairCase(
        "an error body behind an event, and the sentinel",
        b'data: {"a":1}\n\ndata: {"error":{"message":"m"}}\n\n' + DONE,
        SAME,
        facts={"events": 3},
        leaves=(15, 48, 62),
    ),
    RepairCase(
        "an error body and then a dialect",
        b'data: {"error":{"message":"m"}}\n\n' + said("a") + FINISH + DONE,
        b'data: {"error":{"message":"m"}}\n\n' + said("a") + FINISH,
        ("done-after-error@157+12",),
        facts={**answered("a", 1, "stop"), **failure("upstream-error"), "events": 3},
        leaves=(33, 90, 157),
    ),
    RepairCase(
        "a record and an error body, and then a dialect",
        b'data: {"a":1}\n\ndata: {"error":{"message":"m"}}\n\n' + said("a") + FINISH + DONE,
        b'data: {"a":1}\n\ndata: {"error":{"message":"m"}}\n\n' + said("a") + FINISH,
        ("done-after-error@172+12",),
        facts={**answered("a", 1, "stop"), **failure("upstream-error"), "events": 4},
        leaves=(15, 48, 105, 172),
    ),
    RepairCase(
        "words by the name error, as an object",
        b'event: error\ndata: {"message":"m"}\n\n',
        SAME,
        facts={"detail": '{"message":"m"}', **failure("upstream-error")},
        leaves=(36,),
    ),
    RepairCase(
        "an object without words by the name error",
        b'event: error\ndata: {"a":1}\n\n',
        SAME,
        leaves=(28,),
    ),
    RepairCase(
        "an object without words by the name error, and the sentinel",
        b'event: error\ndata: {"a":1}\n\n' + DONE,
        SAME,
        facts={"events": 2},
        leaves=(28, 42),
    ),
    RepairCase(
        "words by the name error",
        b"event: error\ndata: words\n\n",
        SAME,
        leaves=(26,),
    ),
    RepairCase(
        "words by the name error, and the sentinel",
        b"event: error\ndata: words\n\n" + DONE,
        SAME,
        facts={"detail": "words", **failure("upstream-error"), "events": 2},
        leaves=(26, 40),
    ),
    RepairCase(
        "words that begin with error, and the sentinel",
        b"data: error: words\n\n" + DONE,
        SAME,
        facts={"detail": "error: words", **failure("upstream-error"), "events": 2},
        leaves=(20, 34),
    ),
    RepairCase(
        "words, and the sentinel",
        b"data: words\n\n" + DONE,
        SAME,
        facts={"events": 2},
        leaves=(13, 27),
    ),
    RepairCase(
        "an object whose error is true",
        b'data: {"error":true,"a":1}\n\n',
        SAME,
        facts={"detail": '{"error":true,"a":1}', **failure("upstream-error")},
        leaves=(28,),
    ),
    RepairCase(
        "an object whose error is 1",
        b'data: {"error":1,"a":1}\n\n',
        SAME,
        leaves=(25,),
    ),
    RepairCase(
        "an object whose type is error",
        b'data: {"type":"error","a":1}\n\n',
        SAME,
        facts={"detail": '{"type":"error","a":1}', **failure("upstream-error")},
        leaves=(30,),
    ),
    RepairCase(
        "an object whose object is error",
        b'data: {"object":"error","a":1}\n\n',
        SAME,
        facts={"detail": '{"object":"error","a":1}', **failure("upstream-error")},
        leaves=(32,),
    ),
    RepairCase(
        "an object whose status is error",
        b'data: {"status":"error","a":1}\n\n',
        SAME,
        facts={"detail": '{"status":"error","a":1}', **failure("upstream-error")},
        leaves=(32,),
    ),
    RepairCase(
        "an object whose level is error",
        b'data: {"level":"error","a":1}\n\n',
        SAME,
        leaves=(31,),
    ),
    RepairCase(
        "an object whose status is error, and another event",
        b'data: {"status":"error","a":1}\n\ndata: {"b":2}\n\n',
        SAME,
        facts={"events": 2},
        leaves=(32, 47),
    ),
    RepairCase(
        "an array that says error",
        b'data: ["error"]\n\n' + DONE,
        SAME,
        facts={"events": 2},
        leaves=(17, 31),
    ),
    RepairCase(
        "a detail alone, and the sentinel",
        b'data: {"detail":"m"}\n\n' + DONE,
        b'data: {"detail":"m"}\n\n',
        ("done-after-error@22+12",),
        facts={"detail": '{"detail":"m"}', **failure("upstream-error")},
        leaves=(22,),
    ),
    RepairCase(
        "a detail alone",
        b'data: {"detail":"m"}\n\n',
        SAME,
        leaves=(22,),
    ),
    RepairCase(
        "a detail and a code, and the sentinel",
        b'data: {"detail":"m","code":5}\n\n' + DONE,
        b'data: {"detail":"m","code":5}\n\n',
        ("done-after-error@31+12",),
        facts={"detail": '{"detail":"m","code":5}', **failure("upstream-error")},
        leaves=(31,),
    ),
    RepairCase(
        "a detail and something else, and the sentinel",
        b'data: {"detail":"m","x":5}\n\n' + DONE,
        SAME,
        facts={"events": 2},
        leaves=(28, 42),
    ),
    RepairCase(
        "an empty detail, and the sentinel",
        b'data: {"detail":""}\n\n' + DONE,
        SAME,
        facts={"events": 2},
        leaves=(21, 35),
    ),
    RepairCase(
        "a code alone, and the sentinel",
        b'data: {"code":5}\n\n' + DONE,
        SAME,
        facts={"events": 2},
        leaves=(18, 32),
    ),
    RepairCase(
        "every word of an error, and the sentinel",
        (
            b'data: {"message":"m","msg":"m","detail":"m","details":"m","errors":"m","error":"m",'
            b'"errorText":"m","title":"m","code":1,"status":1,"status_code":1,"statusCode":1,'
            b'"success":1,"type":1,"object":1,"param":1,"timestamp":1,"path":1,"request_id":1,'
            b'"requestId":1,"error_type":1,"error_code":1}\n\n'
        )
        + DONE,
        (
            b'data: {"message":"m","msg":"m","detail":"m","details":"m","errors":"m","error":"m",'
            b'"errorText":"m","title":"m","code":1,"status":1,"status_code":1,"statusCode":1,'
            b'"success":1,"type":1,"object":1,"param":1,"timestamp":1,"path":1,"request_id":1,'
            b'"requestId":1,"error_type":1,"error_code":1}\n\n'
        ),
        ("done-after-error@288+12",),
        facts={
            **failure("upstream-error"),
        },
    ),
    RepairCase(
        "empty data and the sentinel",
        b"data: \n\n" + DONE,
        SAME,
        facts={"events": 2},
        leaves=(8, 22),
    ),
    RepairCase(
        "an error in lines and other lines",
        b'{"error":{"message":"m"}}\n{"a":1}\n',
        told_first("not-a-stream"),
        ("not-a-stream@0+25",),
        facts={
            "detail": "m",
            **failure("not-a-stream", "json-error", safe_to_retry=True),
            "format": None,
            "events": 0,
            "bytes_in": 25,
        },
        leaves=(26,),
    ),
    RepairCase(
        "an error by its type, and words behind it that end the stream",
        b'{"type":"error","message":"m"}\nnope\n',
        told_first("not-a-stream"),
        ("not-a-stream@0+35",),
        options={"content_type": "application/json", "invalid_json": "error"},
        facts={
            **failure("not-a-stream", "json", safe_to_retry=True),
            "format": None,
            "bytes_in": 35,
            "events": 0,
            "invalid_json": 1,
        },
        leaves=(36,),
    ),
    RepairCase(
        "an error by its object, and a line behind it that ends the stream",
        b'{"object":"error","message":"m"}\n{"a":\n',
        told("not-a-stream"),
        ("not-a-stream@0+38",),
        options={"content_type": "application/json", "invalid_json": "error", "dialect": "openai-chat"},
        facts={
            **failure("not-a-stream", "json", safe_to_retry=True),
            "format": None,
            "dialect": "openai-chat",
            "bytes_in": 38,
            "events": 0,
            "invalid_json": 1,
        },
        leaves=(),
    ),
    RepairCase(
        "a finish that fails, and words behind it that end the stream",
        b'{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\nnope\n',
        b'{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n' + error_of_ours("invalid-json") + b"\n",
        ("invalid-json@61+4",),
        options={"content_type": "application/json", "invalid_json": "error"},
        facts={**failure("invalid-json"), "format": "ndjson", "bytes_in": 65, "invalid_json": 1},
        leaves=(66,),
    ),
    RepairCase(
        "a line, and words behind it that end the stream, called JSON",
        b'{"a":1}\nnope\n',
        b'{"a":1}\n' + error_of_ours("invalid-json") + b"\n",
        ("invalid-json@8+4",),
        options={"content_type": "application/json", "invalid_json": "error"},
        facts={**failure("invalid-json"), "format": "ndjson", "bytes_in": 12, "invalid_json": 1},
        leaves=(13,),
    ),
    RepairCase(
        "a detail and the sentinel, and an event behind them",
        b'data: {"detail":"no"}\n\n' + DONE + b'event: delta\ndata: {"text":"hi"}\n\n',
        b'data: {"detail":"no"}\n\n',
        ("done-after-error@23+12",),
        facts={**failure("upstream-error"), "bytes_in": 37},
        leaves=(23,),
    ),
    RepairCase(
        "a detail and the sentinel, after which all is read",
        b'data: {"detail":"no"}\n\n' + DONE + b'event: delta\ndata: {"text":"hi"}\n\n',
        b'data: {"detail":"no"}\n\n'
        + DONE
        + b'event: delta\ndata: {"text":"hi"}\n\nevent: error\n'
        + told("truncated"),
        options={"repairs": but("after-done")},
        facts={
            **failure("truncated"),
            "dialect": "vocabulary",
            "events": 3,
            "text": "hi",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(23, 37, 71),
    ),
    RepairCase(
        "an error before prose of a dialect",
        (b'data: {"error":"w"}\n\nid: 1690776907000:0\nevent: output\ndata: hi\n\nevent: done\ndata: {}\n\n'),
        SAME,
        facts={
            **failure("upstream-error"),
            "dialect": "replicate",
            "events": 3,
            "last_event_id": "1690776907000:0",
            "text": "hi",
            "content_emitted": True,
            "tokens_received": 1,
        },
        leaves=(21, 65, 87),
    ),
    RepairCase(
        "an error by its type, and a piece that was cut",
        b'data: {"type":"error","message":"m"}\n\ndata: {"a',
        b'data: {"type":"error","message":"m"}\n\n',
        ("unfinished-tail@38+9",),
        facts={**failure("upstream-error")},
        leaves=(38,),
    ),
    RepairCase(
        "words about an error, and a piece that was cut",
        b'data: {"detail":"m"}\n\ndata: {"a',
        b'data: {"detail":"m"}\n\n',
        ("unfinished-tail@22+9",),
        facts={"verdict": "truncated"},
        leaves=(22,),
    ),
    RepairCase(
        "an error by its name before an answer",
        b"event: error\ndata: w\n\n" + said("a") + FINISH + DONE,
        b"event: error\ndata: w\n\n" + said("a") + FINISH,
        ("done-after-error@146+12",),
        facts={**answered("a", 1), **failure("upstream-error"), "events": 3},
        leaves=(22, 79, 146),
    ),
    RepairCase(
        "an error by its name before an answer, as lines",
        b'event: error\ndata: {"a":1}\n\n' + said("a") + FINISH + DONE,
        b'{"error": {"a":1}}\n{"choices":[{"index":0,"delta":{"content":"a"}}]}\n'
        b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n',
        ("done-after-error@152+12",),
        options={"to": "ndjson"},
        facts={**answered("a", 1), **failure("upstream-error"), "events": 3},
        leaves=(28, 85, 152),
    ),
    RepairCase(
        "a null by the name error before an answer",
        b"event: error\ndata: null\n\n" + said("a") + FINISH + DONE,
        SAME,
        facts={**answered("a", 1), "events": 4},
        leaves=(25, 82, 149, 163),
    ),
    RepairCase(
        "an error by its name among prose, as lines",
        b'data: hello\n\nevent: error\ndata: {"a":1}\n\ndata: hello\n\n',
        b'"hello"\n{"error": {"a":1}}\n"hello"\n',
        options={"to": "ndjson"},
        facts={"events": 3},
        leaves=(13, 41, 54),
    ),
    RepairCase(
        "an error by its name before an answer, converted",
        (
            b"event: error\ndata: w\n\nevent: message_start\n"
            b'data: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n'
        ),
        b"event: error\ndata: w\n\n" + told("upstream-error"),
        options={"convert": "openai-chat"},
        facts={**failure("upstream-error", safe_to_retry=True), "dialect": "anthropic", "bytes_in": 126},
    ),
    RepairCase(
        "an error of several dialects before an answer",
        b'data: {"type":"error","message":"m"}\n\n' + said("a") + FINISH + DONE,
        b'data: {"type":"error","message":"m"}\n\n' + said("a") + FINISH,
        ("done-after-error@162+12",),
        facts={"detail": "m", **answered("a", 1), **failure("upstream-error"), "events": 3},
        leaves=(38, 95, 162),
    ),
    RepairCase(
        "an error among other members before an answer",
        b'data: {"id":1,"error":{"code":-3,"message":"m"}}\n\n' + said("a") + FINISH + DONE,
        b'data: {"id":1,"error":{"code":-3,"message":"m"}}\n\n' + said("a") + FINISH,
        ("done-after-error@174+12",),
        facts={"detail": "m", **answered("a", 1), **failure("upstream-error"), "events": 3},
        leaves=(50, 107, 174),
    ),
    RepairCase(
        "words before an answer",
        b'data: {"message":"m"}\n\n' + said("a") + FINISH + DONE,
        SAME,
        facts={**answered("a", 1), "events": 4},
        leaves=(23, 80, 147, 161),
    ),
    RepairCase(
        "an error of the dialect of a conversion before an answer",
        b'data: {"object":"error","message":"m"}\n\ndata: {"type":"text-delta","id":"t","delta":"a"}\n\n',
        b'data: {"object":"error","message":"m"}\n\n' + told("upstream-error"),
        options={"convert": "openai-chat"},
        facts={
            "detail": "m",
            **failure("upstream-error", safe_to_retry=True),
            "dialect": "ai-sdk-ui",
            "bytes_in": 88,
        },
        leaves=(40, 90),
    ),
    RepairCase(
        "an error of ours before an answer, converted",
        told("truncated") + b'data: {"type":"text-delta","id":"t","delta":"a"}\n\n',
        told("truncated"),
        options={"convert": "openai-chat"},
        facts={
            **failure("truncated", safe_to_retry=True),
            "verdict": "failed",
            "dialect": "ai-sdk-ui",
            "bytes_in": 169,
        },
        leaves=(121,),
    ),
    RepairCase(
        "an error of ours as OpenAI writes it, to be masked",
        said("a")
        + b'data: {"error": {"message": "%b", "type": "server_error", "param": null, "code": "x"}}\n\n' % _CUT,
        SAME,
        options={"errors": "mask"},
        facts={**answered("a", 1, None), **failure("truncated"), "verdict": "failed", "events": 2},
        leaves=(57, 183),
    ),
)
