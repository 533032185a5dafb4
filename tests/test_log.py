"""The log says how streams ended and what was dropped, and nothing in upstream's own words."""

from __future__ import annotations

import logging

import pytest

import unbroken
from unbroken.observe.log import LONG_PAUSE, MAX_PER_SECOND, Log

CHUNK = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("body", "level", "verdict"),
    [
        ([CHUNK, DONE], "INFO", "complete"),
        ([b"data: hello\n\n"], "INFO", "ended"),
        ([CHUNK], "WARNING", "truncated"),
        ([b"<html></html>"], "WARNING", "failed"),
    ],
)
def test_the_end_of_a_stream_is_one_record_with_fields(
    body: list[bytes], level: str, verdict: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "unbroken")
    stream = unbroken.repair(body, provider="acme\nX", heartbeat=None, timeouts=None)
    list(stream)
    (record,) = [record for record in caplog.records if hasattr(record, "stream_verdict")]
    assert (record.levelname, record.stream_verdict) == (level, verdict)
    assert record.stream_provider == "acme\nX"
    assert "\n" not in record.getMessage()


def test_a_long_pause_of_the_consumer_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "unbroken")
    for seconds, told in ((LONG_PAUSE - 0.1, False), (LONG_PAUSE, True), (312.04, True)):
        report = unbroken.StreamReport()
        report.verdict = unbroken.Verdict.CANCELLED
        report.longest_pause = seconds
        Log().ended(report)
        record = caplog.records[-1]
        assert (f"its consumer asked for nothing for {seconds:.1f} s" in record.getMessage()) == told
        assert vars(record)["stream_longest_pause"] == seconds


def test_the_name_of_a_dialect_ends_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "unbroken")
    report = unbroken.StreamReport(dialect="mine\n\x1b[2J")
    Log().ended(report)
    assert r"'mine\n\x1b[2J'" in caplog.records[-1].getMessage()


def test_dropped_pieces_are_logged_a_few_times_a_second_and_the_rest_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    log = Log(lambda: now[0])
    repair = unbroken.Repair(unbroken.RepairKind.INVALID_JSON, 7, 3)
    for _ in range(20):
        log.repaired(repair)
    log.repaired(unbroken.Repair(unbroken.RepairKind.GLUED_JSON, 7, 3))
    assert len(caplog.records) == MAX_PER_SECOND
    assert caplog.records[0].getMessage() == "dropped 3 bytes: invalid-json at byte 7"
    now[0] = 1.5
    log.repaired(repair)
    assert caplog.records[-1].getMessage().endswith("and 15 more before it")


def test_hostile_bytes_do_not_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "unbroken")
    hostile = b"<html><title>\x1b[31mCRITICAL root: injected\n2026 ERROR</title></html>"
    list(unbroken.repair([hostile], heartbeat=None, timeouts=None))
    assert caplog.records
    assert "injected" not in caplog.text
    assert "\x1b" not in caplog.text


SSE = CHUNK + CHUNK + DONE
LINES = b'{"a":1}\n{"b":2}\n'


@pytest.mark.parametrize(
    ("chunks", "told"),
    [
        (SSE.splitlines(), True),
        ([line for line in SSE.splitlines() if line], True),
        (LINES.splitlines(), True),
        (SSE.splitlines(keepends=True), False),
        (LINES.splitlines(keepends=True), False),
        ([CHUNK[:20]], False),
        ([b'{"a":1}{"b":2}'], False),
        ([CHUNK, b"data: {", b'"a'], False),
        ([], False),
        ([b"<ht", b"ml>"], False),
        ([b"[1,", b"2]"], False),
    ],
)
def test_lines_whose_ends_were_stripped_are_named_as_the_cause(
    chunks: list[bytes], told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "unbroken")
    list(unbroken.repair(chunks, heartbeat=None, timeouts=None))
    (record,) = [record for record in caplog.records if hasattr(record, "stream_verdict")]
    assert (f"no line end came in {len(chunks)} chunks" in record.getMessage()) is told
    assert ("iter_lines()" in record.getMessage()) is told
