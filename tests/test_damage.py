"""The verdict of an answer whose terminator came, and that has a hole."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from unbroken import (
    DEFAULT_REPAIRS,
    Collector,
    FailureWindow,
    FlightRecorder,
    RepairKind,
    StreamRepairer,
    StreamReport,
    Verdict,
    iter_events,
    repair,
)
from unbroken.testing.cuts import every

from . import laws
from .chat import CHUNK, DONE, FINISH

CHAT = {"dialect": "openai-chat"}
LONG = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % (b"x" * 2000)
START = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
OLLAMA = b'{"model":"m","message":{"role":"assistant","content":"a"},"done":false}\n'
OLLAMA_END = b'{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}\n'
GEMINI = b'{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"}}]}'
GEMINI_END = b'{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}'


def report_of(data: bytes, **options: Any) -> StreamReport:
    whole = laws.repaired([data], **options).report
    for size in (1, 11):
        assert laws.repaired(every(data, size), **options).report.verdict is whole.verdict
    return whole


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (CHUNK + b'data: {"choices":[{"index":0,"del\n\n' + FINISH + DONE, {}),
        (CHUNK + b"data: the engine crashed\n\n" + DONE, CHAT),
        (b'data: {"choices":[{"index":0,"del\n\n' + CHUNK + FINISH + DONE, {}),
        (CHUNK + b'{"choices":[{"index":0,"del\n\n' + FINISH + DONE, {}),
        (CHUNK + b'data: : ping\ndata: {"choices":[{"index":0,"del\n\n' + FINISH + DONE, {}),
        (CHUNK + b'{"choices":[\n"a"}\n\n' + FINISH + DONE, {}),
        (CHUNK + b'id: 1\n{"choices":[{"index":0,"del\ndata: {}\n\n' + FINISH + DONE, {}),
        (CHUNK + LONG + FINISH, {"max_event_bytes": 1024}),
        (CHUNK + b'data: {"choices":[{"index":0,"del\n\n' + FINISH + DONE, {"invalid_json": "keep"}),
        (CHUNK + b'data: {"choices":[{"index":0,"del\n\n' + FINISH + DONE, {"repairs": ()}),
        (CHUNK + b'data: {"a":"x","data: {"a":"y"}\n\n' + FINISH + DONE, {}),
        (CHUNK + b'event: xdata: {"choices":[]}\n\n' + FINISH + DONE, {}),
        (CHUNK + b": ping" + CHUNK + FINISH + DONE, {}),
        (CHUNK + b": ping\n: x" + CHUNK + FINISH + DONE, {"comments": "drop"}),
        (CHUNK + b"id: 7" + CHUNK + FINISH + DONE, {}),
        (CHUNK + b"dta: " + CHUNK[6:] + FINISH + DONE, {}),
        (CHUNK + b"x" + CHUNK + FINISH + DONE, {}),
        (CHUNK + b"event: x\n: ping" + CHUNK + FINISH + DONE, {}),
        (CHUNK + b"event: x" + CHUNK + FINISH + DONE, {"repairs": ()}),
        (CHUNK[:-1] + b"id: 5" + CHUNK + FINISH + DONE, {}),
        (CHUNK + b"event: x" + CHUNK[:-1] + CHUNK + FINISH + DONE, {}),
        (CHUNK + b"retry: 5" + CHUNK[:-1] + CHUNK + FINISH + DONE, {}),
        (CHUNK + b'{"choices":[{"ind\n\n' + FINISH + DONE, {"repairs": ()}),
        (START + b'event: content_block_delta\ndata: {"type":"content_block_delta","ind\n\n' + STOP, {}),
        (OLLAMA + b'{"model":"m","mess\n' + OLLAMA_END, {}),
        (OLLAMA + b"oops\n" + OLLAMA_END, {}),
        (b"[" + GEMINI + b',{"candidates":},' + GEMINI_END + b"]", {}),
    ],
)
def test_an_answer_with_a_hole_is_not_taken_for_whole(data: bytes, options: dict[str, Any]) -> None:
    report = report_of(data, **options)
    assert report.verdict is Verdict.DAMAGED
    assert not report.whole
    assert report.error is None
    assert report.as_dict()["whole"] is False


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (CHUNK + FINISH + DONE, {}),
        (CHUNK + b"data:\n\ndata: null\n\ndata: : ping\n\n: c\n\n" + FINISH + DONE, CHAT),
        (CHUNK + b"--- proxy log ---\n\n[2026-11-28 10:00:00] INFO served\n\n" + FINISH + DONE, {}),
        (CHUNK + b"event: ping\n\nretry: 3s\n\nid: 7\n\n" + FINISH + DONE, {}),
        (CHUNK + b': stats {"queue":3}\n\nmeta: {"region":"eu"}\n\nid: {"seq":4}\n\n' + FINISH + DONE, {}),
        (CHUNK + b"data: 5\n\n" + FINISH + DONE, {"repairs": ()}),
        (CHUNK + b'data: {"a":NaN}\n\n' + FINISH + DONE, {}),
        (CHUNK + b'data: {"a":"\xff"}\n\n' + FINISH + DONE, {}),
        (CHUNK + FINISH + DONE + b'data: {"late\n\n', {}),
        (CHUNK + FINISH + b"data: [done]\n\n", {}),
        (START + STOP + b"event: data\ndata: [DONE]\n\n", {}),
        (START + STOP + b'data: {"late\n\n', {}),
        (b"data: " + GEMINI_END + b"\n\ndata: [DONE]\n\n", {}),
        (CHUNK + b"event: metadata: x\n\nevent: [info] y\n\n" + FINISH + DONE, {}),
        (OLLAMA + b"\n \n" + OLLAMA_END, {}),
        (b"[" + GEMINI + b",\n" + GEMINI_END + b"]", {}),
    ],
)
def test_a_whole_answer_is_complete_whatever_was_repaired(data: bytes, options: dict[str, Any]) -> None:
    report = report_of(data, **options)
    assert report.verdict is Verdict.COMPLETE
    assert report.whole


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (b"data: [laughs] hello\n\ndata: {braces\n\n", Verdict.ENDED),
        (CHUNK + b'data: {"choices":[{\n\n', Verdict.TRUNCATED),
        (CHUNK + b'data: {"choices":[{\n\ndata: {"error":{"message":"m"}}\n\n' + DONE, Verdict.FAILED),
    ],
)
def test_a_hole_changes_no_other_verdict(data: bytes, verdict: Verdict) -> None:
    assert report_of(data).verdict is verdict


HOLE = CHUNK + b'data: {"choices":[{"index":0,"del\n\n' + FINISH + DONE


def test_the_stream_goes_on_and_nothing_is_raised() -> None:
    stream = iter_events([HOLE])
    assert [event.data for event in stream][-1] == "[DONE]"
    assert laws.repaired([HOLE]).wire == CHUNK + FINISH + DONE


def test_a_conversion_ends_as_it_would() -> None:
    data = START + b'event: content_block_delta\ndata: {"type":"content_block_delta","ind\n\n' + STOP
    assert laws.repaired([data], convert="openai-chat").wire.endswith(DONE)


def test_a_done_is_added_to_an_answer_with_a_hole_as_the_next_reader_would_add_it() -> None:
    repairs = DEFAULT_REPAIRS | {RepairKind.MISSING_DONE}
    assert laws.repaired([HOLE.removesuffix(DONE)], repairs=repairs).wire == CHUNK + FINISH + DONE
    laws.check_idempotent(HOLE.removesuffix(DONE), repairs=repairs)


def test_whoever_watches_is_told(caplog: pytest.LogCaptureFixture) -> None:
    window, strict, collector = FailureWindow(limit=1), FailureWindow(limit=1, damaged=True), Collector()
    with caplog.at_level(logging.INFO, "unbroken"):
        for _ in range(2):
            stream = repair(
                [HOLE], provider="p", observers=[window, strict, collector, FlightRecorder()], heartbeat=None
            )
            b"".join(stream)
    levels = {record.levelname for record in caplog.records if record.getMessage().startswith("stream damaged")}
    assert levels == {"WARNING"}
    assert (window.degraded("p"), strict.degraded("p")) == (False, True)
    assert stream.report.flight is not None
    assert stream.report.flight[0]["verdict"] == "damaged"
    assert 'verdict="damaged"' in collector.prometheus()


@pytest.mark.parametrize("damaged", [1, None, "yes"])
def test_whether_damage_counts_is_yes_or_no(damaged: Any) -> None:
    with pytest.raises(TypeError, match="damaged"):
        FailureWindow(damaged=damaged)


def test_a_hole_before_a_connection_broke_stays_a_hole() -> None:
    repairer = StreamRepairer()
    repairer.renew = lambda error: 0.0
    repairer.feed(CHUNK + b'data: {"choices":[{"index":0,"del\n\n', 0.0)
    repairer.fail(ConnectionResetError(), 1.0)
    repairer.feed(FINISH + DONE, 2.0)
    assert repairer.report.verdict is Verdict.DAMAGED
