"""The engines: time in plain numbers, one end, one error frame, heartbeats between frames and never inside one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unbroken import (
    DEFAULT_REPAIRS,
    EventReader,
    Format,
    RepairKind,
    StreamRepairer,
    Timeouts,
    Verdict,
)
from unbroken.core.engine import EventEngine
from unbroken.testing.cuts import every
from unbroken.testing.standard import read_sse

from .chat import CHUNK, DONE, ERROR, FINISH, START, TIMEOUTS, Watch, error_frame, of_one_template
from .tables import error, first_error

GEMINI = b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}\n\n'
LAST = GEMINI.replace(b'"index":0', b'"finishReason":"STOP","index":0')


# The reader of events


@pytest.mark.parametrize(
    ("data", "options", "verdict", "code", "safe"),
    [
        (b"", {"dialect": "openai-chat"}, Verdict.FAILED, "empty", True),
        (b"data: {", {"dialect": "openai-chat"}, Verdict.TRUNCATED, "truncated", True),
        (b"data: {", {}, Verdict.TRUNCATED, None, True),
        (CHUNK, {"repairs": ()}, Verdict.TRUNCATED, None, True),
        (START, {}, Verdict.TRUNCATED, "truncated", True),
        (CHUNK + ERROR, {}, Verdict.FAILED, "upstream-error", False),
        (b"data: {}\n\n<html>\n", {}, Verdict.FAILED, "upstream-failed", False),
        (b"<html><body>", {}, Verdict.FAILED, "not-a-stream", True),
        (CHUNK + DONE, {}, Verdict.COMPLETE, None, True),
    ],
)
def test_an_end_is_an_error_only_where_it_is_known_to_be_one(
    data: bytes, options: dict[str, Any], verdict: Verdict, code: str | None, safe: bool
) -> None:
    engine = EventEngine(**options)
    engine.feed(data, 0.0)
    engine.close(0.0)
    assert engine.report.verdict is verdict
    assert engine.error is engine.report.error
    assert (engine.error.code if engine.error else None) == code
    assert engine.error is None or engine.error.safe_to_retry is safe


# The one end


@pytest.mark.parametrize("kind", [StreamRepairer, EventEngine])
@pytest.mark.parametrize("end", ["close", "fail", "cancel", "timeout", "done", "dead"])
def test_after_the_end_nothing_happens(kind: type[Any], end: str) -> None:
    watch = Watch()
    engine = kind(observers=[watch], timeouts=Timeouts(silence=10.0))
    engine.resume(0.0)
    engine.feed(b"data: {}\n\n", 0.0)
    {
        "close": lambda: engine.close(1.0),
        "fail": lambda: engine.fail(OSError(), 1.0),
        "cancel": lambda: engine.cancel(1.0),
        "timeout": lambda: engine.on_deadline(50.0),
        "done": lambda: engine.feed(CHUNK + DONE, 1.0),
        "dead": lambda: engine.feed(b"<html>\n", 1.0),
    }[end]()
    verdict = engine.report.verdict
    assert engine.finished
    assert watch.seen == ["started", verdict]
    assert engine.next_deadline() is None
    assert engine.on_deadline(1e6) == []
    late = engine.feed(b": late\n", 2.0) + engine.close(2.0) + engine.close(2.0) + engine.fail(OSError(), 2.0)
    assert [item for item in late if item != b": late\n"] == []
    engine.cancel(2.0)
    assert watch.seen == ["started", verdict]
    assert engine.report.verdict is verdict


@pytest.mark.parametrize(
    ("fed", "frames"),
    [
        (b"", [first_error("upstream-failed", 502)]),
        (b"data: {}\n\n", [error_frame("upstream-failed", "error")]),
        (CHUNK, [error_frame("upstream-failed")]),
        (CHUNK + b"data: {", [error_frame("upstream-failed")]),
        (CHUNK + DONE, []),
        (CHUNK + ERROR, []),
        (b'{"a":1}\n', [error("upstream-failed") + b"\n"]),
    ],
)
def test_a_failure_of_upstream_is_reported_once_in_the_words_of_the_stream(fed: bytes, frames: list[bytes]) -> None:
    repairer = StreamRepairer()
    repairer.feed(fed, 0.0)
    assert repairer.fail(ConnectionResetError("secret"), 1.0) == frames
    assert repairer.fail(OSError(), 2.0) == []


# Time


# Heartbeats


@pytest.mark.parametrize(
    ("fed", "options", "beat"),
    [
        (b"", {}, b":\n\n"),
        (b"", {"format": "ndjson"}, b" "),
        (b"", {"to": "ndjson"}, b" "),
        (b"", {"content_type": "application/x-ndjson; charset=utf-8"}, b" "),
        (b"", {"content_type": "application/json"}, b" "),
        (b"", {"content_type": "application/json", "format": "sse"}, b":\n\n"),
        (b"", {"content_type": "application/json", "to": "sse"}, b":\n\n"),
        (b"", {"content_type": "text/event-stream", "format": "json-array"}, b" "),
        (b"", {"heartbeat_bytes": b": alive\n\n"}, b": alive\n\n"),
        (b"data: {}\n\n", {}, b":\n\n"),
        (b"id: 1\ndata: {}\n\n", {}, b":\n"),
        (b"", {"last_event_id": "4"}, b":\n"),
        (b"{}\n", {}, b" "),
        (b"[{}", {}, b" "),
        (b"{}\n", {"to": "sse"}, b":\n\n"),
        (b"", {"convert": "openai-chat"}, b":\n\n"),
        (GEMINI, {}, b"\n"),
        (b"", {"dialect": "gemini"}, b"\n"),
        (b"", {"dialect": "gemini", "content_type": "text/event-stream"}, b"\n"),
        (b"", {"dialect": "gemini", "repairs": ()}, b"\n"),
        (b"", {"dialect": "gemini", "content_type": "application/json"}, b" "),
        (b"", {"dialect": "gemini", "to": "ndjson"}, b" "),
        (b"", {"dialect": "gemini", "convert": "openai-chat"}, b":\n\n"),
        (GEMINI, {"convert": "openai-chat"}, b":\n\n"),
        (b"[" + GEMINI[6:-2], {}, b" "),
        (b"[" + GEMINI[6:-2], {"to": "sse"}, b"\n"),
        (b"id: 1\n" + GEMINI, {}, b":\n"),
        (b'data: {"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}\n\n', {}, b"\n"),
        (START, {}, b'event: ping\ndata: {"type": "ping"}\n\n'),
        (START, {"convert": "openai-chat"}, b":\n\n"),
    ],
)
def test_a_heartbeat_is_spelt_for_the_output(fed: bytes, options: dict[str, Any], beat: bytes) -> None:
    repairer = StreamRepairer(heartbeat=5.0, **options)
    repairer.resume(0.0)
    repairer.feed(fed, 0.0)
    written = repairer.report.bytes_out
    assert repairer.on_deadline(4.0) == []
    assert repairer.on_deadline(5.0) == [beat]
    assert repairer.on_deadline(5.0) == []
    assert repairer.on_deadline(10.0) == [beat]
    assert repairer.report.heartbeats == 2
    assert repairer.report.bytes_out == written + 2 * len(beat)


def test_a_heartbeat_before_the_format_is_known_fixes_the_framing_of_the_output() -> None:
    repairer = StreamRepairer(heartbeat=5.0)
    repairer.resume(0.0)
    assert repairer.on_deadline(5.0) == [b":\n\n"]
    assert repairer.feed(b'{"a":1}\n', 6.0) == [b'data: {"a":1}\n\n']
    assert repairer.report.format is Format.NDJSON


def test_what_is_written_puts_the_heartbeat_off_and_what_is_read_does_not() -> None:
    repairer = StreamRepairer(heartbeat=5.0, timeouts=Timeouts(silence=60.0))
    repairer.resume(0.0)
    repairer.feed(b"data: {}\n\n", 3.0)
    assert repairer.on_deadline(5.0) == []
    repairer.feed(b"data: {", 6.0)
    assert repairer.on_deadline(8.0) == [b":\n\n"]
    assert repairer.feed(b"}\n\n", 9.0) == [b"data: {}\n\n"]


@pytest.mark.parametrize(
    ("heartbeat", "timeouts", "low", "high"),
    [
        (None, None, None, None),
        (5.0, None, 4.0, 5.0),
        (None, Timeouts(silence=9.0), 8.0, 9.0),
        (5.0, Timeouts(silence=9.0), 4.0, 5.0),
        (20.0, Timeouts(silence=9.0), 8.0, 9.0),
    ],
)
def test_the_nearest_of_heartbeat_and_clocks_is_next(
    heartbeat: float | None, timeouts: Timeouts | None, low: float | None, high: float | None
) -> None:
    repairer = StreamRepairer(heartbeat=heartbeat, timeouts=timeouts)
    repairer.resume(0.0)
    deadline = repairer.next_deadline()
    assert (deadline is None) == (low is None)
    assert deadline is None or low is None or high is None or low <= deadline <= high


def test_a_heartbeat_that_is_held_is_not_owed() -> None:
    repairer = StreamRepairer(heartbeat=5.0)
    repairer.resume(0.0)
    repairer.hold(True)
    assert repairer.next_deadline() is None
    assert repairer.on_deadline(50.0) == []
    repairer.hold(False)
    assert repairer.on_deadline(50.0) == [b":\n\n"]
    engine = EventEngine()
    engine.hold(True)
    assert engine.next_deadline() is None


def test_blank_lines_as_heartbeats_stand_between_whole_frames_and_mean_nothing_to_a_second_proxy() -> None:
    first = StreamRepairer(dialect="gemini", heartbeat=5.0)
    first.resume(0.0)
    wires = [
        *first.on_deadline(5.0),
        *first.feed(GEMINI + GEMINI[:30], 6.0),
        *first.on_deadline(11.0),
        *first.feed(GEMINI[30:], 12.0),
        *first.feed(2 * GEMINI, 13.0),
        *first.on_deadline(18.0),
        *first.feed(LAST, 19.0),
        *first.close(20.0),
    ]
    assert b"".join(wires) == b"\n" + GEMINI + b"\n" + 3 * GEMINI + b"\n" + LAST
    for options in ({}, {"dialect": "gemini"}):
        second = StreamRepairer(**options)
        again = [wire for piece in wires for wire in second.feed(piece, 0.0)] + second.close(0.0)
        assert b"".join(again) == b"".join(wires)[1:]  # what a body begins with is skipped
        assert not second.report.repairs
        assert (second.report.events, second.report.text, second.report.verdict) == (5, "aaaaa", Verdict.COMPLETE)


@pytest.mark.parametrize("alive", [b": ping\n\n", b"\n"])
def test_what_keeps_a_gemini_stream_alive_is_written_and_counts_as_no_progress(alive: bytes) -> None:
    limits = Timeouts(first=None, idle=20.0, silence=9.0, total=None)
    repairer = StreamRepairer(dialect="gemini", heartbeat=5.0, timeouts=limits)
    repairer.resume(0.0)
    assert repairer.feed(GEMINI, 0.0) == [GEMINI]
    for now in range(4, 20, 4):
        assert set(repairer.feed(alive, now)) == {b"\n"}
        assert not repairer.on_deadline(now + 3.5)
    assert b"idle" in repairer.on_deadline(20.0)[0]
    assert repairer.report.timeout == "idle"
    assert (repairer.report.events, repairer.report.heartbeats) == (1, 0)


# The last frames


@pytest.mark.parametrize(
    ("data", "options", "last"),
    [
        (CHUNK, {}, error_frame("truncated")),
        (CHUNK, {"repairs": ()}, CHUNK),
        (CHUNK, {"to": "ndjson"}, error("truncated") + b"\n"),
        (CHUNK + b"id: 3\n\n", {}, b"id: 3\n" + error_frame("truncated")),
        (CHUNK + FINISH + b"id: 3\n\n", {}, b"id: 3\n\n"),
        (CHUNK + FINISH + b"id: 3\n\n", {"to": "ndjson"}, FINISH[6:-1]),
        (CHUNK + b"id: 3\n\n", {"repairs": ()}, b"id: 3\n\n"),
    ],
)
def test_what_is_written_last_says_how_it_ended(data: bytes, options: dict[str, Any], last: bytes) -> None:
    repairer = StreamRepairer(**options)
    assert (repairer.feed(data, 0.0) + repairer.close(0.0))[-1] == last


@pytest.mark.parametrize(
    ("data", "options", "added"),
    [
        (CHUNK + FINISH, {}, True),
        (CHUNK, {}, False),
        (CHUNK + FINISH + DONE, {}, False),
        (b"data: {}\n\n", {}, False),
        (CHUNK + FINISH, {"to": "ndjson"}, False),
        (START + b'data: {"type":"message_stop"}\n\n', {}, False),
    ],
)
def test_a_done_is_added_after_a_whole_answer_alone_and_only_if_it_is_asked_for(
    data: bytes, options: dict[str, Any], added: bool
) -> None:
    repairer = StreamRepairer(repairs=set(RepairKind), **options)
    repairer.feed(data, 0.0)
    assert (repairer.close(0.0) == [DONE]) is added
    assert (RepairKind.MISSING_DONE in repairer.report.repairs) is added


TEXT_DELTA = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n'
)
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


@pytest.mark.parametrize(
    ("data", "options", "begins", "ends"),
    [
        (START + TEXT_DELTA + STOP, {}, b'data: {"id": "chatcmpl-0"', DONE),
        (START + TEXT_DELTA + STOP, {"to": "ndjson"}, b'{"id": "chatcmpl-0"', b"}\n"),
        (b": hi\n\nid: 3\n\n" + TEXT_DELTA + STOP, {}, b": hi\n", DONE),
        (START + TEXT_DELTA, {}, b'data: {"id": "chatcmpl-0"', error_frame("truncated")),
        (CHUNK + FINISH, {}, CHUNK, DONE),
        (CHUNK + DONE, {}, CHUNK, DONE),
        (b'{"a":1}\n', {}, b'data: {"a":1}\n\n', b"\n\n"),
        (b"data: hello\n\n", {}, b"data: hello\n\n", b"\n\n"),
        (b"data: {}\n\n<html>\n", {}, b"data: {}\n\n", error_frame("upstream-failed", "error")),
    ],
)
def test_a_conversion_writes_the_other_dialect_and_its_end(
    data: bytes, options: dict[str, Any], begins: bytes, ends: bytes
) -> None:
    repairer = StreamRepairer(convert="openai-chat", **options)
    wire = b"".join(repairer.feed(data, 0.0) + repairer.close(0.0))
    assert wire.startswith(begins)
    assert wire.endswith(ends)
    assert wire.count(b"[DONE]") <= 1


def test_a_stream_that_failed_says_so_at_once_and_drops_the_rest() -> None:
    repairer = StreamRepairer()
    frames = repairer.feed(b"data: {}\n\n<html>\ndata: []\n\n", 0.0)
    assert frames == [b"data: {}\n\n", error_frame("upstream-failed", "error")]
    assert repairer.finished
    assert repairer.feed(b"data: {}\n\n", 0.0) == []
    assert repairer.close(0.0) == []


# Events that leave of a template, chunk by chunk


def test_what_matches_a_template_is_counted_and_timed_like_everything_else() -> None:
    repairer = StreamRepairer(timeouts=TIMEOUTS)
    for number, frame in enumerate(of_one_template(6)):
        assert repairer.feed(frame, 2.0 * number) == [frame]
    assert repairer.feed(b"", 13.0) == []
    report = repairer.report
    assert (report.chunks_in, report.events, report.text) == (7, 6, "012345")
    assert report.bytes_in == report.bytes_out == 6 * len(CHUNK)
    assert (report.first_event, report.first_content, report.longest_gap) == (0.0, 0.0, 2.0)
    deadline = repairer.next_deadline()
    assert deadline is not None
    assert 19.0 < deadline <= 20.0, "silence counts from the last byte"
    assert repairer.on_deadline(20.0) != []
    assert report.timeout == "silence"


@pytest.mark.parametrize("options", [{"to": "ndjson"}, {"to": "sse"}, {"convert": "openai-chat"}])
def test_what_matches_a_template_comes_out_in_the_framing_that_was_asked_for(options: dict[str, Any]) -> None:
    frames = [*of_one_template(6), FINISH, DONE]
    one_by_one, together = StreamRepairer(**options), StreamRepairer(**options)
    wire = b"".join(item for frame in frames for item in one_by_one.feed(frame, 0.0))
    assert wire == b"".join(together.feed(b"".join(frames), 0.0))
    assert one_by_one.report.bytes_out == together.report.bytes_out == len(wire)
    assert one_by_one.report.text == "012345"


# The one end, again


def test_prose_that_was_cut_is_cut_and_no_error() -> None:
    reader = EventReader(dialect="text")
    reader.feed(b"data: a\n\ndata: b")
    reader.close()
    assert (reader.report.verdict, reader.error) == (Verdict.TRUNCATED, None)


def test_a_consumer_that_leaves_after_the_sentinel_has_it_all() -> None:
    repairer = StreamRepairer(repairs=DEFAULT_REPAIRS - {RepairKind.AFTER_DONE})
    repairer.feed(CHUNK + FINISH + DONE, 0.0)
    repairer.cancel(1.0)
    assert repairer.report.verdict is Verdict.COMPLETE


def test_a_failure_of_a_converted_stream_is_reported_in_the_dialect_of_the_output() -> None:
    repairer = StreamRepairer(convert="openai-chat")
    repairer.feed(START, 0.0)
    assert repairer.fail(OSError(), 1.0) == [error_frame("upstream-failed")]


@pytest.mark.parametrize(
    ("content_type", "beat"),
    [
        ("application/x-ndjson", b" "),
        ("application/jsonl; charset=utf-8", b" "),
        ("application/json-lines", b" "),
        ("application/jsonlines", b" "),
        ("application/stream+json", b" "),
        ("text/event-stream", b":\n\n"),
        (None, b":\n\n"),
    ],
)
def test_a_heartbeat_before_the_first_byte_goes_by_the_content_type(content_type: str | None, beat: bytes) -> None:
    repairer = StreamRepairer(content_type=content_type, heartbeat=5.0)
    repairer.resume(0.0)
    assert repairer.on_deadline(5.0) == [beat]


@pytest.mark.parametrize(
    ("data", "wire"),
    [
        (b'[{"a":1},{"b":2}]', b'  [{"a":1},{"b":2}]'),
        (b'{"a":1}\n{"b":2}\n', b'  {"a":1}\n{"b":2}\n'),
        (b'data: {"a":1}\n\n', b'  \ndata: {"a":1}\n\n'),
        (b"<html>", b"  \n" + first_error("not-a-stream", 500)),
    ],
)
def test_heartbeats_before_a_body_that_is_called_json_decide_no_framing(data: bytes, wire: bytes) -> None:
    repairer = StreamRepairer(content_type="application/json", heartbeat=5.0)
    repairer.resume(0.0)
    left = repairer.on_deadline(5.0) + repairer.on_deadline(10.0) + repairer.feed(data, 11.0) + repairer.close(12.0)
    assert b"".join(left) == wire
    assert repairer.report.bytes_out == len(wire)
    assert repairer.report.heartbeats == 2


@pytest.mark.parametrize("dialect", ["anthropic", "ollama", "gemini", "cohere", None])
def test_a_failure_before_a_converted_stream_is_reported_in_the_dialect_of_the_output(dialect: str | None) -> None:
    repairer = StreamRepairer(convert="openai-chat", dialect=dialect)
    repairer.feed(b": hello\n\n", 0.0)
    assert repairer.fail(OSError(), 1.0) == [error_frame("upstream-failed")]


def test_all_events_of_a_chunk_leave_in_order_whatever_stands_between() -> None:
    frames = [*of_one_template(6), b"event: other\n" + CHUNK, *of_one_template(6)]
    engine = EventEngine()
    together = engine.feed(b"".join(frames), 0.0)
    one_by_one = EventEngine()
    assert together == [event for frame in frames for event in one_by_one.feed(frame, 0.0)]
    assert len(together) == 13


@pytest.mark.parametrize("make", [bytearray, memoryview])
def test_a_buffer_that_is_used_again_changes_nothing_that_was_given(make: Any) -> None:
    frames, events = [], []
    repairer, reader = StreamRepairer(), EventReader()
    for _ in range(5):
        buffer = bytearray(CHUNK)
        frames += repairer.feed(make(buffer), 0.0)
        events += reader.feed(make(buffer))
        buffer[:] = b"x" * len(buffer)
    assert frames == [CHUNK] * 5
    assert len({event.data for event in events}) == 1
    assert all(type(frame) is bytes for frame in frames)


@pytest.mark.parametrize("chunk", ["data: 1", None, 5, ["a"]])
def test_what_is_not_bytes_is_refused(chunk: Any) -> None:
    with pytest.raises(TypeError, match=r"feed\(\) takes bytes"):
        StreamRepairer().feed(chunk, 0.0)
    with pytest.raises(TypeError, match=r"feed\(\) takes bytes"):
        EventReader().feed(chunk)


def test_an_argument_that_nobody_takes_is_refused_by_name() -> None:
    with pytest.raises(
        TypeError, match=r"StreamRepairer\(\) takes no argument 'hartbeat' .did you mean heartbeat.*; it takes"
    ):
        StreamRepairer(hartbeat=1.0)
    with pytest.raises(TypeError, match=r"EventReader\(\) takes no argument 'to'"):
        EventReader(to="sse")


@pytest.mark.parametrize("policy", ["drop", "keep", "error"])
def test_a_payload_that_is_not_json_is_counted_whatever_becomes_of_it(policy: str) -> None:
    repairer = StreamRepairer(invalid_json=policy)
    repairer.feed(CHUNK + b"data: hello\n\n", 0.0)
    assert repairer.report.invalid_json == 1


@pytest.mark.parametrize("code", ["stopped", "shutting-down", "producer-lost", "too-old", "trimmed", "store-failed"])
@pytest.mark.parametrize("name", ["openai-chat", "anthropic", "gemini", "cohere", "openai-responses"])
def test_an_end_from_outside_is_the_dialects_error_and_is_read_back_as_what_it_is(code: str, name: str) -> None:
    from unbroken.core.failure import Failure

    engine = StreamRepairer(dialect=name)
    engine.renew = lambda error: 0.0  # it is not upstream that ends
    engine.resume(0.0)
    (frame,) = engine.end(Failure(code), 1.0)
    verdict = Verdict.CANCELLED if code == "stopped" else Verdict.FAILED
    assert (engine.report.verdict, engine.report.error and engine.report.error.code) == (verdict, code)
    assert engine.end(Failure("shutting-down"), 2.0) == []
    second = StreamRepairer()
    assert b"".join([*second.feed(frame, 0.0), *second.close(0.0)]) == frame
    assert (second.report.verdict, second.report.error and second.report.error.code) == (verdict, code)
    assert engine.output_dialect is not None
    assert engine.output_dialect.name == name


# Heartbeats and ids, as the standard reads them

WITH_IDS = {
    "an id before its data": b'id: 7\ndata: {"a":1}\n\nid: 8\ndata: {"a":2}\n\n',
    "an id behind its data": b'data: {"a":1}\nid: 7\n\ndata: {"a":2}\n\n',
    "a block of an id alone": b'data: {"a":1}\n\nid: 7\n\ndata: {"a":2}\n\n',
    "an id that is taken back": b'id: 7\ndata: {"a":1}\n\nid\ndata: {"a":2}\n\n',
    "a comment between an id and its data": b'id: 7\n: c\ndata: {"a":1}\n\n:\nid: 8\n:\ndata: {"a":2}\n\n',
    "a name and a time to wait": b'event: x\nid: 7\nretry: 5\ndata: {"a":1}\n\ndata: {"a":2}\n\n',
    "chat, whose ids wait for the next event": CHUNK + b"id: 7\n\n" + CHUNK + b"id: 8\nretry: 5\n\n" + FINISH + DONE,
    "Anthropic, with pings": START + b"id: 7\n" + TEXT_DELTA + b"id: 8\n\n" + TEXT_DELTA + STOP,
}


@pytest.mark.parametrize("data", WITH_IDS.values(), ids=WITH_IDS)
def test_a_heartbeat_between_an_id_and_its_data_dispatches_nothing_and_loses_no_id(data: bytes) -> None:
    """Against the standard's own steps (WHATWG 9.2.6), with a heartbeat due behind each byte that came."""
    plain = StreamRepairer()
    expected = read_sse(b"".join(plain.feed(data, 0.0) + plain.close(0.0)))
    repairer = StreamRepairer(heartbeat=1.0)
    repairer.feed(b"", 0.0)
    wire, now = b"", 0.0
    for byte in every(data, 1):
        wire += b"".join(repairer.feed(byte, now))
        now += 2.0
        beats = repairer.on_deadline(now)
        assert len(beats) == (0 if repairer.finished else 1)
        wire += b"".join(beats)
    wire += b"".join(repairer.close(now))
    seen = read_sse(wire)
    pings = [event for event in seen.events if event[0] == "ping"]
    assert len(pings) == wire.count(b"event: ping")
    assert tuple(event for event in seen.events if event[0] != "ping") == expected.events
    assert (seen.last_event_id, seen.retry) == (expected.last_event_id, expected.retry)


@pytest.mark.parametrize("beat", [b":\n", b": keep-alive\n"])
def test_a_comment_of_upstream_s_between_an_id_and_its_data_leaves_the_id_where_it_is(beat: bytes) -> None:
    data = b"id: 7\n" + beat + b'data: {"a":1}\n\n'
    repairer = StreamRepairer()
    wire = b"".join(repairer.feed(data, 0.0) + repairer.close(0.0))
    assert wire == data
    assert read_sse(wire).events == (("message", '{"a":1}', "7"),)
    assert (repairer.report.events, repairer.report.last_event_id) == (1, "7")


@pytest.mark.parametrize(
    ("url", "content_type", "beat", "frame"),
    [
        ("https://x/v1/chat/completions", "text/event-stream", b":\n\n", b'data: {"error": {"message": '),
        ("https://x/v1/responses", "text/event-stream", b":\n\n", b'event: error\ndata: {"type": "error", "sequence_'),
        ("https://x/v1/messages", "text/event-stream", b":\n\n", b'event: error\ndata: {"type": "error", "message": '),
        ("https://x/g:streamGenerateContent?alt=sse", "text/event-stream", b"\n", b'data: {"error": {"code": 502, '),
        ("http://x/api/chat", "application/x-ndjson", b" ", b'{"error": "The connection'),
        ("http://x/api/chat", "text/html", b" ", b'{"error": "The connection'),
        ("http://x/api/chat", "text/event-stream", b":\n\n", b'data: {"error": "The connection'),
        ("http://x/elsewhere", "text/event-stream", b":\n\n", b'event: error\ndata: {"type": "error", "sequence_'),
        (None, "application/x-ndjson", b" ", b'{"error": "The connection'),
    ],
)
def test_before_the_first_payload_the_url_that_was_asked_for_tells_which_clients_read(
    url: str | None, content_type: str, beat: bytes, frame: bytes
) -> None:
    for with_heartbeat in (False, True):
        repairer = StreamRepairer(heartbeat=1.0)
        repairer.resume(0.0)
        repairer.options.take_head(content_type, url)
        if with_heartbeat:
            assert repairer.on_deadline(2.0) == [beat]
        (written,) = repairer.fail(ConnectionResetError(), 3.0)
        assert written.startswith(frame)
        assert repairer.report.dialect is None


def test_a_payload_and_a_name_say_more_than_the_url() -> None:
    for options, fed in (({}, CHUNK), ({"dialect": "openai-chat"}, b"")):
        repairer = StreamRepairer(**options)
        repairer.options.take_head("text/event-stream", "https://x/v1/messages")
        repairer.feed(fed, 0.0)
        assert repairer.fail(ConnectionResetError(), 1.0) == [error_frame("upstream-failed")]


@pytest.mark.parametrize("content_type", [None, "text/html", "application/json", "application/x-ndjson"])
def test_whatever_ollama_answers_with_its_clients_read_a_line(content_type: str | None) -> None:
    for body in (b"<!DOCTYPE html><html></html>", b'{"error":"no such model"}', b""):
        repairer = StreamRepairer(dialect="ollama", content_type=content_type)
        wire = b"".join(repairer.feed(body, 0.0) + repairer.close(0.0))
        assert wire.endswith(b"}\n")
        assert isinstance(json.loads(wire)["error"], str)


def test_behind_the_last_line_no_heartbeat_is_written_since_it_would_be_a_line_of_its_own() -> None:
    line = b'{"model":"m","message":{"role":"assistant","content":"a"},"done":%s}\n'
    for last in (line % b"true", b'{"error":"out of memory"}\n'):
        repairer = StreamRepairer(heartbeat=1.0)
        repairer.resume(0.0)
        repairer.feed(line % b"false", 0.0)
        assert repairer.on_deadline(2.0) == [b" "]
        assert repairer.feed(last, 3.0) == [last]
        assert repairer.next_deadline() is None
        assert repairer.on_deadline(9.0) == []
        assert repairer.close(9.5) == []
