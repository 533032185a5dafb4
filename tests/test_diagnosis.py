"""Each planted fault gets its diagnosis, healthy streams get no problem, and clients fail as was observed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import unbroken
from tests import captures
from tests.fences import ROOT
from unbroken.core.failure import SENTENCES
from unbroken.inspection.clients import breakages
from unbroken.inspection.diagnosis import diagnose, headline
from unbroken.inspection.facts import Facts, Row, parse_head
from unbroken.inspection.inspector import MAX_TEXT, Inspector, inspect_record, shorten
from unbroken.inspection.progress import MAX_OPEN
from unbroken.observe.recorder import FlightRecorder, read_flight
from unbroken.testing.cuts import every

CHUNK = b'data: {"object":"chat.completion.chunk","created":1,"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
STOP = CHUNK.replace(b'{"content":"%s"}}', b'{},"finish_reason":"stop"}')
DONE = b"data: [DONE]\n\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
Arrivals = list[tuple[float, bytes]]


def say(text: str) -> bytes:
    return CHUNK % text.encode()


def tool(arguments: str, finish: str | None = None) -> bytes:
    call = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": arguments}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": finish}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()


def numbered(*numbers: int) -> bytes:
    events = [f'event: x\ndata: {{"type":"response.x","sequence_number":{number}}}\n\n' for number in numbers]
    return "".join(events).encode()


BOOM = b'data: {"error":{"message":"boom","type":"server_error","code":503}}\n\n'
WHOLE = say("Hello") + say(" you") + STOP + DONE


def look(
    arrivals: Arrivals | bytes, end: float | None = None, *, stopped: bool = False, **options: Any
) -> tuple[Facts, list[Row]]:
    """Return the facts and rows of bytes without times, or of arrivals with times."""
    timed = not isinstance(arrivals, bytes)
    script: Arrivals = [(0.0, arrivals)] if isinstance(arrivals, bytes) else arrivals
    inspector = Inspector(timed=timed, **options)
    inspector.start(0.0)
    rows = [row for at, chunk in script for row in inspector.feed(chunk, at)]
    rows += inspector.close(script[-1][0] if end is None and script else end or 0.0, stopped=stopped)
    return inspector.facts, rows


def problems(facts: Facts) -> list[str]:
    return [finding.slug for finding in diagnose(facts) if finding.level == "problem"]


# The faults that bytes alone show, each with the first finding.
IN_BYTES: dict[str, tuple[bytes, str]] = {
    "H01 no terminator": (say("half a sen"), "missing-terminator"),
    "H03 H21 one event and no more": (say("half"), "nothing-after-first-event"),
    "H04 an error inside": (HEAD + say("a") + b'data: {"error":{"message":"boom","code":500}}\n\n', "error-inside"),
    "H04 an error event": (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
        "error-inside",
    ),
    "H08 empty data": (say("a") + b"data:\n\n" + STOP + DONE, "empty-data"),
    "H08 null": (say("a") + b"data: null\n\n" + STOP + DONE, "empty-data"),
    "H11 no blank line at the end": (say("a") + STOP + DONE[:-1], "unterminated-event"),
    "H14 tool arguments cut": (tool('{"path":"/etc', "length") + DONE, "tool-call-cut"),
    "H15 a JSON error": (b'{"error":{"message":"bad key","type":"auth"}}', "not-a-stream"),
    "H15 a page": (b"<html><head><title>504 Gateway Time-out</title></head></html>", "not-a-stream"),
    "H15 a status": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html></html>", "status"),
    "H16 two blanks": (say("a") + STOP + b"data:  [DONE]\n\n", "done-spelling"),
    "H18 content type wrong": (HEAD.replace(b"text/event-stream", b"application/json") + WHOLE, "content-type"),
    "H18 content type missing": (b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n" + WHOLE, "content-type"),
    "H18 M24 NDJSON as an event stream": (HEAD + b'{"a":1}\n{"b":2}\n', "content-type"),
    "H22 a heartbeat inside of a frame": (
        say("a") + b'data: {"sequence_number":1312,"safety_: keepalive\n\nbuffering":false}\n\n' + STOP + DONE,
        "invalid-json",
    ),
    "M03 single newlines": (say("a")[:-1] + say("b") + STOP + DONE, "missing-blank-line"),
    "M04 a raw error line": (say("a") + b'{"error":{"code":429,"message":"quota"}}\n\n', "error-inside"),
    "M05 double prefix": (say("a") + b"data: " + say("b") + STOP + DONE, "double-prefix"),
    "M06 a wrapped comment": (say("a") + b"data: : keepalive\n\n" + STOP + DONE, "wrapped-comment"),
    "M07 NaN": (say("a") + b'data: {"score":NaN}\n\n' + STOP + DONE, "non-finite"),
    "M09 misspelt": (say("a") + STOP + b"data: DONE\n\n", "done-spelling"),
    "M11 hop by hop in HTTP/2": (
        HEAD.replace(b"HTTP/1.1 200 OK", b"HTTP/2 200\r\nConnection: close") + WHOLE,
        "hop-by-hop",
    ),
    "M12 a length of another body": (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 119\r\n\r\n" + WHOLE[:119],
        "content-length",
    ),
    "M19 cumulative text": (
        b"".join(map(say, ["He", "Hell", "Hello", "Hello you", "Hello you!"])) + STOP + DONE,
        "cumulative-text",
    ),
    "M20 raw newlines": (b'data: {\ndata2\n  "a": 1\n}\n\n' + b'data: {"t":"line1\nline2"}\n\n', "raw-newline"),
    "M24 a frame inside of NDJSON": (b'{"a":1}\ndata: {"b":2}\n\n', "stray-framing"),
    "M25 a runaway": (b"".join([say("The model repeats itself for ever and ever. ")] * 60) + STOP + DONE, "repetition"),
    "M26 the repr of a dict": (b"data: {'complete': False, 'msg': None}\n\n", "python-repr"),
    "M28 invalid bytes": (say("a").replace(b'"a"', b'"\xff"') + STOP + DONE, "invalid-utf8"),
    "M30 success after an error": (say("a") + b'data: {"error":{"message":"boom"}}\n\n' + DONE, "done-after-error"),
    "M31 no finish reason": (say("a") + DONE, "missing-finish-reason"),
    "L02 an indented field": (b'  data: {"a":1}\n\n', "field-name"),
    "L03 literal newlines": (b'data: {"a":1}\\n\\ndata: {"b":2}\\n\\n', "literal-newlines"),
    "L05 glued documents": (b'data: {"a":1}{"b":2}\n\n', "glued-json"),
    "L06 chunk sizes": (b'1f\r\ndata: {"a":1}\n\n\r\n0\r\n\r\n', "chunk-sizes"),
    "L07 another response inside": (
        say("a") + b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n<html></html>",
        "foreign-body",
    ),
    "L08 compressed": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "compressed"),
    "a gap in the numbering": (numbered(0, 1, 5), "events-missing"),
    "events again": (numbered(0, 1, 1, 2), "events-repeated"),
}


@pytest.mark.parametrize("name", IN_BYTES)
def test_a_fault_in_the_bytes_gets_its_diagnosis(name: str) -> None:
    body, slug = IN_BYTES[name]
    assert slug in problems(look(body)[0])


EMPTY: dict[str, bytes] = {
    "no byte": b"",
    "a head": HEAD,
    "heartbeats": b": ping\n\n" * 3,
    "pings": b'event: ping\ndata: {"type":"ping"}\n\n' * 2,
    "blocks without data": b"event: x\n\nid: 1\n\n",
    "blank lines": b"\n\n",
}


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_at_all_is_a_problem(name: str) -> None:
    for facts, _ in (look(EMPTY[name]), look([(0.1, EMPTY[name])] if EMPTY[name] else [])):
        assert problems(facts)[0] == "nothing-came"
    stopped, _ = look([(0.1, EMPTY[name])], stopped=True)
    assert "nothing-came" not in problems(stopped)


def test_a_head_that_was_cut_is_not_an_error() -> None:
    for end in range(HEAD.index(b"200") + 3, len(HEAD) - 1):
        facts, rows = look([(0.1, HEAD[:end])])
        assert problems(facts) == ["nothing-came"]
        assert breakages(facts) == []
        assert [row.kind for row in rows] == ["head", "end"]
        assert "within its head" in diagnose(facts)[0].says
    refused = HEAD.replace(b"200 OK", b"503 Service Unavailable")
    assert problems(look(refused[:-9])[0]) == ["status"]


@pytest.mark.parametrize("body", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n", b"[]"])
def test_an_answer_without_content_is_not_a_problem(body: bytes) -> None:
    assert "nothing-came" not in problems(look(body)[0])


WAYS = {
    "SSE": HEAD + WHOLE,
    "SSE with CRLF": WHOLE.replace(b"\n", b"\r\n"),
    "NDJSON": b'{"a":1}\n{"b":2}\n',
    "a JSON array": b'[{"a":1},\n{"b":2}]',
    "prose": "data: ✅ done\n\ndata: really\n\n".encode(),
}


@pytest.mark.parametrize("name", WAYS)
def test_wherever_the_watcher_leaves_a_healthy_stream_nothing_is_wrong_with_it(name: str) -> None:
    for end in range(len(WAYS[name]) + 1):
        facts, rows = look([(0.1, WAYS[name][:end])], stopped=True)
        assert (problems(facts), breakages(facts)) == ([], [])
        assert facts.report.events == sum(row.number is not None for row in rows)


def test_what_had_gone_wrong_before_an_interruption_is_reported() -> None:
    assert problems(look([(0.1, say("a") + BOOM)], stopped=True)[0]) == ["error-inside"]
    assert problems(look([(0.1, say("a")[:-1] + say("b") + STOP)], stopped=True)[0]) == ["missing-blank-line"]


def response(kind: str, number: int, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': number, **fields})}\n\n".encode()


def block(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'index': 0, **fields})}\n\n".encode()


def think(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"reasoning_content": text}, "finish_reason": finish}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()


CREATED = (0.5, response("response.created", 0, response={"id": "r", "status": "in_progress"}))
SEARCH = {"id": "s", "type": "web_search_call", "status": "in_progress"}
STARTED = block("message_start", message={"id": "m", "type": "message", "role": "assistant", "content": []})
USES = block("content_block_start", content_block={"type": "tool_use", "id": "t", "name": "look\x1b[2J", "input": {}})
LEFT: dict[str, tuple[Arrivals, float, str, str]] = {
    "before anything came": ([], 4.0, "nothing had come yet", "no event; nothing in 4.0 s"),
    "behind the head": ([(0.1, HEAD)], 4.0, "nothing but the response head had come", "no event; nothing in 4.0 s"),
    "with heartbeats only": (
        [(0.1, HEAD), (2.0, b": ping\n\n"), (4.0, b": ping\n\n")],
        5.0,
        "only heartbeats came, and no event",
        "no event; 2 heartbeats in 5.0 s",
    ),
    "behind the first event": (
        [CREATED, *[(3.0 * i, b": ping\n\n") for i in range(1, 12)]],
        35.0,
        "the answer had not begun",
        "the last event was number 1, response.created; after it 11 heartbeats in 34.5 s",
    ),
    "in a hosted tool": (
        [CREATED, (1.0, response("response.output_item.added", 1, output_index=0, item=SEARCH))],
        5.0,
        "web_search_call was open: it had begun and not ended",
        "the last event was number 2, response.output_item.added; after it nothing in 4.0 s",
    ),
    "behind a hosted tool": (
        [
            CREATED,
            (1.0, response("response.output_item.added", 1, output_index=0, item=SEARCH)),
            (2.0, response("response.output_item.done", 2, output_index=0, item={**SEARCH, "status": "completed"})),
        ],
        6.0,
        "nothing followed web_search_call, which had ended",
        "the last event was number 3, response.output_item.done; after it nothing in 4.0 s",
    ),
    "in a block": (
        [(0.5, STARTED), (1.0, USES)],
        5.0,
        "tool_use look\\x1b[2J was open: it had begun and not ended",
        "the last event was number 2, content_block_start; after it nothing in 4.0 s",
    ),
    "behind a tool call": (
        [(1.0, tool("{}"))],
        5.0,
        "nothing followed the tool call f",
        "the last event was number 1, content; after it nothing in 4.0 s",
    ),
    "in the text": (
        [(1.0, say("half an"))],
        1.5,
        "the answer was not complete",
        "the last event was number 1, content; after it nothing in 0.5 s",
    ),
    "in the reasoning": (
        [(1.0, think("Wait,"))],
        1.5,
        "it was reasoning, before any text",
        "the last event was number 1, content; after it nothing in 0.5 s",
    ),
    "behind the end": (
        [(1.0, WHOLE)],
        9.0,
        "the connection was still open: the answer had ended",
        "the last event was number 4, terminal; after it nothing in 8.0 s",
    ),
    "in a feed": (
        [(1.0, b"event: price\ndata: 3\n\n")],
        9.0,
        "it was still open",
        "the last event was number 1, price; after it nothing in 8.0 s",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_whoever_stops_watching_is_told_what_was_under_way(name: str) -> None:
    arrivals, end, says, evidence = LEFT[name]
    facts = look(arrivals, end, stopped=True)[0]
    (found,) = [finding for finding in diagnose(facts) if finding.slug == "stopped-watching"]
    assert (found.says, found.evidence) == (f"You stopped watching while {says}.", evidence)
    assert headline(facts, diagnose(facts)) != "Nothing is wrong with this stream." or name == "behind the end"
    assert not [it for it in diagnose(look(arrivals, end)[0]) if it.slug == "stopped-watching"]


def test_the_page_shows_what_is_said_of_a_tool_call_that_is_open() -> None:
    page = (ROOT / "docs" / "how-to" / "diagnose.md").read_text(encoding="utf-8")
    arrivals, end, _, _ = LEFT["in a hosted tool"]
    for finding in diagnose(look(arrivals, end, stopped=True)[0]):
        assert f"NOTE    {finding.says}\n        [{finding.slug}] {finding.evidence}\n" in page


def test_heartbeats_alone_are_a_problem_to_whoever_gave_up_on_them() -> None:
    arrivals, end, _, _ = LEFT["behind the first event"]
    assert problems(look(arrivals, end, stopped=True)[0]) == ["alive-without-progress"]
    assert problems(look(arrivals[:3], 9.0, stopped=True)[0]) == []


def test_what_is_kept_of_open_parts_is_bounded() -> None:
    opened = [response("response.output_item.added", i, output_index=i, item={"type": f"{i}" * 99}) for i in range(500)]
    closed = [response("response.output_item.done", i + 500, output_index=i) for i in range(500 - MAX_OPEN, 500)]
    assert look([(1.0, b"".join(opened))], 2.0)[0].progress.open_part == ("499" * 99)[:72]
    assert look([(1.0, b"".join(opened + closed[1:]))], 2.0)[0].progress.open_part == ("436" * 99)[:72]
    assert look([(1.0, b"".join(opened + closed))], 2.0)[0].progress.open_part is None
    for broken in ({}, {"output_index": "0", "item": SEARCH}, {"output_index": 0, "item": [1]}, {"type": 3}):
        assert look([(1.0, response("response.output_item.added", 1) + response("x", 2, **broken))], 2.0)


LOOP = "Wait, let me think about that once more from the start. "


@pytest.mark.parametrize(
    ("arrivals", "stopped", "level"),
    [
        ([(i * 3.0, think(f"step {i} ")) for i in range(1, 40)], True, "problem"),
        ([(i * 3.0, think(f"step {i} ")) for i in range(1, 40)], False, "problem"),
        ([(1.0, think(LOOP) * 20)], True, "problem"),
        ([(1.0, think(LOOP) * 20 + think("", "length") + DONE)], False, "problem"),
        ([(1.0, think("So ") + think("", "length") + DONE)], False, "note"),
        ([(i * 3.0, think(f"step {i} ")) for i in range(1, 10)], True, None),
        ([*[(i * 3.0, think(f"step {i} ")) for i in range(1, 40)], (121.0, WHOLE)], False, None),
        ([(1.0, think(LOOP) * 20 + tool("{}"))], True, None),
    ],
    ids=["stopped", "cut", "circles", "circles, ended", "too few tokens", "short", "then an answer", "then a tool"],
)
def test_reasoning_without_an_answer_is_reported(arrivals: Arrivals, stopped: bool, level: str | None) -> None:
    found = diagnose(look(arrivals, arrivals[-1][0] + 1.0, stopped=stopped)[0])
    assert [it.level for it in found if it.slug == "reasoning-only"] == ([level] if level else [])


STREAM = [(i * 0.5, say(f"t{i}")) for i in range(1, 24)]
PING = b": ping\n\n"
IN_TIME: dict[str, tuple[Arrivals, float, str]] = {
    "H03 nginx cuts while the model thinks": ([(0.2, say("a"))], 60.4, "cut-at-idle-limit"),
    "H03 Heroku's router": ([(0.2, say("a")), (1.0, say("b"))], 56.3, "cut-at-idle-limit"),
    "H03 H21 nothing after the first event": ([(0.2, say("a"))], 43.0, "nothing-after-first-event"),
    "H21 silence in the middle": ([*STREAM], 45.0, "silence-at-the-end"),
    "H21 silence after a tool call": ([(0.2, say("a")), (0.4, tool("{}"))], 40.0, "silence-after-tool-call"),
    "H21 alive and stuck": (
        [(0.2, say("a")), *[(5.0 * i, PING) for i in range(1, 20)]],
        97.0,
        "alive-without-progress",
    ),
    "nothing at all": ([], 31.0, "nothing-came"),
    "M15 no heartbeat in a gap": ([(0.2, say("a")), (61.0, say("b")), (61.1, STOP + DONE)], 61.1, "no-heartbeat"),
    "M15 a heartbeat that ends the stream": (
        [(0.2, say("a")), (1, say("b")), (6, PING)],
        6.1,
        "ended-at-first-heartbeat",
    ),
    "M17 gunicorn's sync worker": ([(i * 0.25, say("x")) for i in range(1, 120)], 30.7, "cut-at-total-limit"),
    "Envoy's route timeout": ([(i * 0.25, say("x")) for i in range(1, 60)], 15.1, "cut-at-total-limit"),
    "H10 in one lump": ([(6.0, b"".join(say(f"{i}") for i in range(30)) + STOP + DONE)], 6.0, "buffered"),
    "H10 by the server's stamps": (
        [
            (
                3.0,
                b"".join(b'{"model":"m","created_at":"2026-01-01T00:00:%02dZ","response":"x"}\n' % i for i in range(5)),
            )
        ],
        3.0,
        "buffered",
    ),
}


@pytest.mark.parametrize("name", IN_TIME)
def test_a_fault_in_time_gets_its_diagnosis(name: str) -> None:
    arrivals, end, slug = IN_TIME[name]
    assert slug in problems(look(arrivals, end)[0])


STAMPED, BUFFERED_AT = IN_TIME["H10 by the server's stamps"][0], 1767225604.0  # the last stamp


@pytest.mark.parametrize(
    ("arrives", "wall_clock", "held_back"),
    [
        (3.0, BUFFERED_AT - 3.0, True),
        (3.0, BUFFERED_AT - 45.0, True),  # clocks differ
        (3.0, BUFFERED_AT + 3600.0, False),  # an old body, read slowly
        (0.01, BUFFERED_AT + 2.0, False),  # a body that was saved just now, through `cat`
        (0.01, None, False),
    ],
)
def test_a_saved_body_that_comes_through_a_pipe_was_not_buffered(
    arrives: float, wall_clock: float | None, held_back: bool
) -> None:
    inspector = Inspector()
    inspector.start(100.0, wall_clock)
    inspector.feed(STAMPED[0][1], 100.0 + arrives)
    inspector.close(100.0 + arrives)
    assert problems(inspector.facts) == ["buffered"] * held_back


def test_the_limit_that_cut_is_named_with_its_evidence() -> None:
    arrivals, end, _ = IN_TIME["H03 nginx cuts while the model thinks"]
    (finding,) = [it for it in diagnose(look(arrivals, end)[0]) if it.slug == "cut-at-idle-limit"]
    assert "nginx proxy_read_timeout" in finding.says
    assert finding.evidence == "the last byte came 60.2 s before the end"


HEALTHY: dict[str, Arrivals] = {
    "a whole answer": [(0.3, WHOLE)],
    "with a head": [(0.3, HEAD + WHOLE)],
    "with several heads": [(0.3, b"HTTP/1.1 103 Early Hints\r\n\r\n" + HEAD + WHOLE)],
    "a kept-alive connection": [(0.3, HEAD.replace(b"OK\r\n", b"OK\r\nConnection: keep-alive\r\n") + WHOLE)],
    "CRLF, no blank after the colon, pings": [
        (0.3, (PING + WHOLE).replace(b"data: ", b"data:").replace(b"\n", b"\r\n"))
    ],
    "slow, with heartbeats": [(0.3, say("a")), *[(5.0 * i, PING) for i in range(1, 9)], (42.0, STOP + DONE)],
    "one fast read": [(0.5, WHOLE)],
    "prose": [(0.1, b"data: hello\n\n"), (0.2, b"data: you\n\n")],
    "plain objects": [(0.1, b'{"a":1}\n{"b":2}\n')],
    "H07 other letters": [(0.1, say("✅ done") + STOP + DONE)],
    "H13 no choices": [(0.1, say("a") + b'data: {"choices":[],"usage":{"total_tokens":3}}\n\n' + STOP + DONE)],
    "M23 a JSON array": [
        (0.1, b'[{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}\n,\r\n{"a":1}\n]')
    ],
    "an answer that its reader left": [(0.1, say("a"))],
}


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_wrong_with_a_healthy_stream(name: str) -> None:
    assert problems(look(HEALTHY[name], stopped=name == "an answer that its reader left")[0]) == []
    body = b"".join(chunk for _, chunk in HEALTHY[name])
    if "left" not in name:
        assert problems(look(body)[0]) == []


FAULTY = {
    *("last-event-unterminated", "no-finish-reason", "non-json-payload", "spliced-events", "tool-args-invalid-json"),
    *("error-mid-stream", "error-only", "lines-that-are-no-field", "done-trailing-space", "aws-eventstream-binary"),
    *("excerpt", "no-final-newline", "recorder-cut-tail?", "error-event", "non-stream-json", "done-marker"),
}
RECORDED = captures.chosen(lambda entry: entry["real"] and not FAULTY & set(entry["traits"]))
WITHOUT_INDEX = {
    "mistral/test-synchronous-streaming-chat-completions-with-tool-call-response-emits-expect-b9133f92.bin",
}
"""Real ones with a call that has no index, by which clients put its pieces together."""


def wrong_in(file: str) -> list[str]:
    return ["tool-index"] if file in WITHOUT_INDEX else []


@captures.needs_captures
@pytest.mark.parametrize("file", RECORDED[:: max(len(RECORDED) // 40, 1)])
def test_nothing_else_is_wrong_with_a_recorded_answer(file: str) -> None:
    assert problems(look(captures.body(file))[0]) == wrong_in(file)


@captures.needs_captures
@pytest.mark.slow
@pytest.mark.parametrize("file", RECORDED)
def test_nothing_else_is_wrong_with_any_recorded_answer(file: str) -> None:
    assert problems(look(captures.body(file))[0]) == wrong_in(file)


# Each line of these has the time of the server's clock, which does not fit a pipe from a file.
STAMPS = captures.chosen(lambda entry: entry["file"] in RECORDED and b'"created_at":"2' in captures.body(entry["file"]))


@captures.needs_captures
@pytest.mark.parametrize("file", STAMPS)
def test_nothing_else_is_wrong_with_a_recorded_answer_through_a_pipe(file: str) -> None:
    assert problems(look([(0.01, captures.body(file))])[0]) == wrong_in(file)


@captures.needs_captures
@pytest.mark.slow
@pytest.mark.parametrize("file", RECORDED)
def test_nothing_else_is_wrong_with_any_recorded_answer_through_a_pipe(file: str) -> None:
    assert problems(look([(0.01, captures.body(file))])[0]) == wrong_in(file)


# The clients of tests/clients were run on these very streams; docs/odd-streams.md shows what they made of them.
ODD = [
    json.loads(line)
    for line in (Path(__file__).parent / "clients" / "odd_streams.jsonl").read_text(encoding="utf-8").splitlines()
]
PAGE = (Path(__file__).parents[1] / "docs" / "odd-streams.md").read_text(encoding="utf-8")
OUTCOMES = {
    (cells[1].strip(), cells[2].strip()): cells[3]
    for row in PAGE.splitlines()
    if row.startswith("| ") and len(cells := row.split("|")) > 6
}
# Streams that these clients read without an error, or whose error they report.
UNHARMED = {
    *("normal", "comment only before", "RemoteProtocolError mid-stream", "data error mid-stream"),
    *("event: error overloaded", "data: [DONE] then more", "NaN in JSON"),
}


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd["client"] != "ollama"], ids=lambda odd: odd["name"])
def test_the_clients_that_break_are_those_that_really_did(odd: dict[str, Any]) -> None:
    body = "".join(odd["chunks"]).encode("latin-1")
    outcome = OUTCOMES[odd["client"], odd["name"].replace("\\", "\\\\")]
    said = [it for it in breakages(look(body)[0]) if odd["client"] in it.clients]
    if odd["name"] in UNHARMED and not odd.get("raises"):
        assert not said
        return
    if odd.get("raises"):
        return  # bytes do not show that the connection broke
    assert said, f"{outcome} was not foreseen"
    raised = (
        "UnicodeDecodeError"
        if "UnicodeDecodeError" in outcome
        else "JSON error"
        if "JSONDecodeError" in outcome
        else ""
    )
    assert not raised or any(raised in it.how for it in said)
    assert raised or not any("raises" in it.how for it in said)


CLIENTS: dict[str, tuple[bytes, str]] = {
    "U+2028": (say("a\u2028b") + STOP + DONE, "ollama"),
    "no charset": (HEAD.replace(b"; charset=utf-8", b"") + say("é") + STOP + DONE, "requests, decoding by itself"),
    "another charset": (HEAD.replace(b"utf-8", b"iso-8859-1") + say("é") + STOP + DONE, "httpx-sse, httpx2"),
    "a long line": (say("x" * 140_000) + STOP + DONE, "aiohttp, reading line by line"),
    "another type": (HEAD.replace(b"event-stream", b"plain") + WHOLE, "EventSource in browsers"),
    "no blank after the colon": (WHOLE.replace(b"data: ", b"data:"), "readers that test for `data: ` with its space"),
    "a blank line in NDJSON": (b'{"a":1}\n\n{"b":2}\n', "ollama, anthropic's JSON lines, jsonlines, ndjson"),
    "NaN": (b'data: {"a":NaN}\n\n', "JSON.parse in browsers and Node.js"),
    "no choices": (say("a") + b'data: {"object":"chat.completion.chunk","choices":[]}\n\n', "hand-written readers"),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_that_breaks_is_named_and_on_a_plain_answer_it_is_not(name: str) -> None:
    body, client = CLIENTS[name]
    assert any(it.clients.startswith(client) for it in breakages(look(body)[0]))
    assert breakages(look(HEAD + WHOLE)[0]) == []


REFUSALS = {
    "a page": (b"text/html", b"<html><title>x</title><p>ha"),
    "a JSON error": (b"application/json", b'{"error":{"message":"boom","type":"server_error"}}'),
    "an error event": (b"text/event-stream", b'event: error\ndata: {"error":{"message":"boom","code":503}}\n\n'),
    "nothing": (b"text/plain", b""),
}


@pytest.mark.parametrize("status", [b"429 Too Many Requests", b"500 Internal Server Error", b"504 Gateway Time-out"])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_of_the_length_it_names_is_neither_cut_nor_missed_by_a_client(name: str, status: bytes) -> None:
    kind, body = REFUSALS[name]
    head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (status, kind, len(body))
    facts, _ = look(head + body)
    assert problems(facts)[0] == "status"
    assert set(problems(facts)) <= {"status", "not-a-stream"}
    assert breakages(facts) == []


def test_an_error_inside_of_the_length_it_names_was_not_cut() -> None:
    body = say("a") + BOOM
    head = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % len(body))
    assert problems(look(head + body)[0]) == ["error-inside"]


def test_a_crlf_cut_in_two_is_reported_for_the_client_that_misreads_it() -> None:
    body = WHOLE.replace(b"\n", b"\r\n")
    cut_up = [(float(at) / 1000, chunk) for at, chunk in enumerate(every(body, 1))]
    assert [it.clients for it in breakages(look(cut_up)[0])] == ["requests-sse"]


# The inspector itself


@pytest.mark.parametrize("name", IN_BYTES)
def test_chunking_changes_neither_rows_nor_diagnosis(name: str) -> None:
    body, _ = IN_BYTES[name]
    facts, rows = look(body)
    inspector = Inspector(timed=False)
    pieces = [row for chunk in every(body, 1) for row in inspector.feed(chunk, 0.0)] + inspector.close(0.0)
    assert pieces == rows
    assert diagnose(inspector.facts) == diagnose(facts)


def test_rows_have_number_time_gap_kind_size_and_a_part_of_the_content() -> None:
    _, rows = look([(0.5, HEAD + say("Hello")), (11.0, PING), (11.5, STOP + DONE)], 12.0)
    shown = [(row.number, row.at, row.gap, row.kind, row.text, row.stall) for row in rows]
    assert shown == [
        (None, 0.5, 0.5, "head", "200 text/event-stream; charset=utf-8", False),
        (1, 0.5, 0.0, "content", "Hello", False),
        (None, 11.0, 10.5, "comment", "ping", True),
        (2, 11.5, 0.5, "structural", "[stop]", False),
        (3, 11.5, 0.0, "terminal", "[DONE]", False),
        (None, 12.0, 0.5, "end", "", False),
    ]


SECRET = "Provider disconnected at 10.0.0.7 " + "and so on " * 10
SAID = {
    "an error event": (
        say("a") + b'data: {"error":{"message":"%s","code":502}}\n\n',
        "error-inside",
        ", after 1 event;",
    ),
    "nothing but an error": (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"%s"}}\n\n',
        "error-inside",
        ", after 0 events;",
    ),
    "an error behind which more came": (
        say("a") + say("b") + b'data: {"error":{"message":"%s"}}\n\n' + say("c") + DONE,
        "error-inside",
        ", after 2 events;",
    ),
    "a response that failed": (
        CREATED[1]
        + response("response.failed", 1, response={"status": "failed", "error": {"code": "x", "message": "%s"}}),
        "error-inside",
        ", after 1 event;",
    ),
    "an error in no known form": (b'data: {"error":{"message":"%s"}}\n\ndata: [DONE]\n\n', "error-inside", ""),
    "words in place of JSON": (say("a") + b"data: error: %s\n\n", "error-inside", ""),
    "a body": (b'{"error":{"message":"%s"}}', "not-a-stream", ""),
    "a page": (b"<html><title>%s</title></html>", "not-a-stream", ""),
    "a refusal": (
        b'HTTP/1.1 502 Bad\r\n\r\nevent: error\ndata: {"error":{"message":"%s"}}\n\n' + DONE,
        "status",
        "the response head;",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_upstream_said_of_an_error_is_shown(name: str) -> None:
    body, slug, before = SAID[name]
    facts, _ = look(body.replace(b"%s", SECRET.encode()))
    (found,) = [finding for finding in diagnose(facts) if finding.slug == slug]
    assert before in found.evidence
    assert SECRET.strip() in found.evidence


def test_what_upstream_said_cannot_drive_a_terminal() -> None:
    facts, rows = look(say("a") + b'data: {"error":{"message":"\\u001b[2J\\u202e\\n\xc2\x9b"}}\n\n')
    shown = "".join(finding.evidence for finding in diagnose(facts)) + "".join(row.text for row in rows)
    assert shown.isprintable()
    assert "\\x1b[2J\\u202e\\n\\x9b" in shown


def test_rows_hold_the_whole_payload() -> None:
    long = "word " * 1000
    _, rows = look(say(long) + b": " + long.encode() + b"\n\n" + STOP + DONE)
    content, comment = rows[:2]
    assert (content.text, json.loads(content.data or "")["choices"][0]["delta"]["content"]) == (long, long)
    assert comment.text == comment.data == long


def test_a_cut_is_short_printable_and_on_one_line() -> None:
    assert shorten("a\n\x1b[31m\u202e\x9b\ud800b") == "a\\n\\x1b[31m\\u202e\\x9b\\ud800b"
    assert len(shorten("\0" * 10_000)) == MAX_TEXT


def test_what_is_kept_is_bounded_however_many_gaps_there_are() -> None:
    inspector = Inspector()
    inspector.start(0.0)
    for number in range(500):
        inspector.feed(numbered(number * 2), number * 20.0)
    inspector.close(10_000.0)
    facts = inspector.facts
    assert (len(facts.silences), len(facts.number_gaps)) == (64, 64)


@pytest.mark.parametrize("head", [b"HTTP/1.1", b"HTTP/1.1 abc OK", b"HTTP/9999 200", b"HTTP/1.1 2000 OK"])
def test_without_a_status_line_there_is_no_head(head: bytes) -> None:
    assert parse_head(head) is None


def test_a_record_without_content_is_diagnosed_by_its_times() -> None:
    head = {"flight": 1, "verdict": "truncated", "error": "truncated", "duration": 60.3, "chunks": 1}
    chunk = {"at": 0.2, "length": 90, "class": "event", "repairs": 0, "data": b""}
    facts, rows = inspect_record(head, [chunk])
    assert {"cut-at-idle-limit", "nothing-after-first-event"} <= set(problems(facts))
    assert [row.kind for row in rows] == ["event", "end"]
    assert breakages(facts) == []


FAILED: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "an error inside": ([say("a"), BOOM], {}, "overloaded"),
    "an error inside, its content kept": ([say("a"), BOOM], {"content": 10_000}, "error-inside"),
    "a page": ([b"<html><title>504 Gateway Time-out</title>"], {}, "not-a-stream"),
    "a broken connection": ([say("a"), OSError()], {}, "connection-failed"),
    "a broken connection, its content kept": ([say("a"), OSError()], {"content": 10_000}, "connection-failed"),
}


@pytest.mark.parametrize("name", FAILED)
def test_the_record_of_a_stream_that_failed_says_of_what(name: str) -> None:
    script, options, slug = FAILED[name]

    def upstream() -> Iterator[bytes]:
        for step in script:
            if isinstance(step, Exception):
                raise step
            yield step

    flight = FlightRecorder(**options)
    b"".join(unbroken.repair(upstream(), observers=[flight], heartbeat=None, timeouts=None))
    assert problems(inspect_record(*read_flight(map(json.dumps, flight.lines())))[0]) == [slug]


def test_an_empty_chunk_in_a_record_hides_no_content() -> None:
    flight = FlightRecorder(content=10_000)
    script = [say("a"), b"", say("b")]
    b"".join(unbroken.repair(script, observers=[flight], heartbeat=None, timeouts=None))
    facts, rows = inspect_record(*read_flight(map(json.dumps, flight.lines())))
    assert not facts.recorded
    assert [row.text for row in rows if row.kind == "content"] == ["a", "b"]


def test_of_a_record_whose_content_was_not_all_kept_the_rows_show_what_was() -> None:
    flight = FlightRecorder(content=12)
    b"".join(unbroken.repair([say("a"), say("\x1b[2J")], observers=[flight], heartbeat=None, timeouts=None))
    facts, rows = inspect_record(*read_flight(map(json.dumps, flight.lines())))
    assert facts.recorded
    assert [row.text for row in rows] == ["", 'mended here  "\\x1b[2J"}}]}\\n\\n', ""]


@pytest.mark.parametrize("error", [*SENTENCES, "martian", None, 3])
def test_no_record_of_a_stream_that_failed_is_called_fine(error: Any) -> None:
    head = {"flight": 1, "verdict": "failed", "error": error, "duration": 3.0, "chunks": 1}
    chunk = {"at": 0.2, "length": 90, "class": "event", "repairs": 0, "data": b""}
    (found,) = problems(inspect_record(head, [chunk])[0])
    assert found == ("connection-failed" if error == "upstream-failed" else error if error in SENTENCES else "failed")


def test_a_record_with_its_content_is_read_as_the_stream_was() -> None:
    head = {
        "flight": 1,
        "verdict": "failed",
        "error": "silence-timeout",
        "timeout": "silence",
        "duration": 9,
        "chunks": 1,
    }
    body = say("a")[:-1] + say("b")
    facts, _ = inspect_record(head, [{"at": 0.2, "length": len(body), "class": "event", "repairs": 0, "data": body}])
    assert {"timeout", "missing-blank-line"} <= set(problems(facts))
