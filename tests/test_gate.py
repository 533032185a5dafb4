"""The state of a stream changes with what is forwarded, and with nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from unbroken import Dialect, Event, Format, Observer, Repair, RepairKind, StreamReport, Verdict
from unbroken.core.dialect import Delta, EventClass, Reading
from unbroken.core.failure import Failure
from unbroken.core.frames import Frame
from unbroken.core.gate import Gate
from unbroken.core.options import check_options
from unbroken.core.pipeline import Pipeline
from unbroken.core.proof import FLAWED, UNPROVEN, prove
from unbroken.core.resume import DeliveredIds
from unbroken.core.state import Mode, Phase

from .sse_rooms import gate_for

OPENED = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
ERROR = b'data: {"error":{"message":"m"}}\n\n'
BARE_ERROR = b'data: {"error":{"message":"m","code":7}}\n\n'


def gate_after(data: bytes, *, clean: bool | None = None, **options: Any) -> Gate:
    checked = check_options(**options)
    pipeline = Pipeline(checked, StreamReport())
    pipeline.feed(data)
    if clean is not None:
        pipeline.close(clean=clean)
    return pipeline.gate


def forward(gate: Gate, text: str, **more: Any) -> bool:
    return gate.forward(Event(text), f"data: {text}\n\n".encode(), prove(text), 0, len(text), **more)


@pytest.mark.parametrize(
    ("data", "options", "mode"),
    [
        (b"", {}, Mode.OPEN),
        (b"data: {}\n\n", {}, Mode.OPEN),
        (b"data: hello\n\n", {}, Mode.TEXT),
        (b"data: 7 days\n\n", {}, Mode.TEXT),
        (b"data: 7\n\n", {}, Mode.OPEN),
        (b"data: \n\n", {}, Mode.OPEN),
        (b"data: [DONE]\n\n", {}, Mode.OPEN),
        (b"data: [log\n\n", {}, Mode.OPEN),
        (b"data: {oh\n\n", {}, Mode.OPEN),
        (b"data: :-)\n\n", {}, Mode.OPEN),
        (b": hello\n\n", {}, Mode.OPEN),
        (b"id: hello\n\n", {}, Mode.OPEN),
        (b"hello\n\n", {"format": "sse"}, Mode.OPEN),
        (OPENED, {}, Mode.KNOWN),
        (b"data: hello\n\n" + OPENED, {}, Mode.KNOWN),
        (OPENED + b"data: hello\n\n", {}, Mode.KNOWN),
        (BARE_ERROR, {}, Mode.OPEN),
        (b"data: hello\n\n" + BARE_ERROR, {}, Mode.TEXT),
        (BARE_ERROR + b"data: hello\n\n", {}, Mode.TEXT),
        (b"", {"dialect": "openai-chat"}, Mode.KNOWN),
        (b"", {"dialect": "text"}, Mode.TEXT),
        (OPENED, {"dialect": "text"}, Mode.TEXT),
        (b"hello\n", {"format": "ndjson", "invalid_json": "keep"}, Mode.OPEN),
    ],
)
def test_the_mode_follows_from_what_is_forwarded(data: bytes, options: dict[str, Any], mode: Mode) -> None:
    gate = gate_after(data, **options)
    assert gate.state.mode is mode
    assert gate.strict is (mode is Mode.TEXT)
    assert gate.allows(RepairKind.GLUED_JSON) is (mode is not Mode.TEXT)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b"data: {}\n\n " + OPENED[:20] + b"\n\n", {}),
        (OPENED[:-2] + b"x" * 2000 + b"\n\n", {"max_event_bytes": 1024}),
        (b"data: hello", {}),
    ],
)
def test_what_is_dropped_changes_no_mode_and_no_dialect(data: bytes, options: dict[str, Any]) -> None:
    gate = gate_after(data, clean=True, **options)
    assert gate.state.mode is Mode.OPEN
    assert gate.dialect is None


def test_without_repairs_nothing_is_repaired_in_any_mode() -> None:
    gate = gate_after(OPENED, repairs=())
    assert gate.state.mode is Mode.KNOWN
    assert gate.strict
    assert not gate.allows(RepairKind.GLUED_JSON)


@pytest.mark.parametrize(
    ("data", "options", "clean", "verdict"),
    [
        (b"", {}, True, Verdict.ENDED),
        (b"", {}, False, Verdict.FAILED),
        (b"", {"dialect": "openai-chat"}, True, Verdict.FAILED),
        (b"", {"dialect": "openai-chat", "empty": "end"}, True, Verdict.ENDED),
        (b"data: {", {"dialect": "openai-chat"}, True, Verdict.TRUNCATED),
        (b"", {"dialect": "text"}, True, Verdict.ENDED),
        (b"data: {}\n\ndata: {", {}, True, Verdict.TRUNCATED),
        (b"data: a\n\ndata: b", {"dialect": "text"}, True, Verdict.TRUNCATED),
        (OPENED, {}, True, Verdict.TRUNCATED),
        (OPENED + b"data: [DONE]\n\n", {}, True, Verdict.COMPLETE),
        (OPENED + b"data: [DONE]\n\n", {}, False, Verdict.COMPLETE),
        (OPENED + ERROR, {}, True, Verdict.FAILED),
        (OPENED + b"data: [DONE]\n\n" + ERROR, {}, True, Verdict.COMPLETE),
        (OPENED + ERROR + b"data: [DONE]\n\n", {}, True, Verdict.FAILED),
        (OPENED + OPENED.replace(b"}}]", b'},"finish_reason":"stop"}]'), {}, True, Verdict.COMPLETE),
        (OPENED + OPENED.replace(b"}}]", b'},"finish_reason":"stop"}]') + b"data: {", {}, True, Verdict.TRUNCATED),
        (OPENED + OPENED.replace(b"}}]", b'},"finish_reason":"stop"}]'), {}, False, Verdict.FAILED),
        (b'event: done\ndata: {"text":""}\n\n', {"dialect": "vocabulary"}, True, Verdict.COMPLETE),
    ],
)
def test_there_is_one_verdict(data: bytes, options: dict[str, Any], clean: bool, verdict: Verdict) -> None:
    pipeline = Pipeline(check_options(**options), StreamReport())
    pipeline.feed(data)
    assert pipeline.close(clean=clean)[1] is verdict


def test_the_first_done_ends_the_stream_and_nothing_is_forwarded_or_recorded_behind_it() -> None:
    gate = gate_after(OPENED + b"data: [DONE]\n\n")
    assert (gate.state.phase, gate.state.after_done, gate.state.stopped) == (Phase.DONE, True, True)
    assert not forward(gate, "{}")
    assert gate.out == []


def test_where_data_after_it_may_stay_a_done_ends_nothing() -> None:
    gate = gate_after(OPENED + b"data: [DONE]\n\n", repairs={RepairKind.GLUED_JSON})
    assert (gate.state.phase, gate.state.after_done, gate.state.stopped) == (Phase.DONE, False, False)


def test_the_first_error_is_the_one_that_is_reported() -> None:
    gate = gate_after(OPENED + ERROR)
    first = gate.state.failure
    assert first is not None
    forward(gate, '{"error":{"message":"other","code":429}}')
    gate.die(Failure("invalid-json"), RepairKind.INVALID_JSON, 0, 1)
    assert gate.state.failure is first
    assert gate.state.unreported is None


def test_an_error_of_ours_is_known_in_an_unknown_dialect() -> None:
    gate = gate_for()
    forward(gate, '{"error":{"type":"unbroken_error","code":"truncated"},"x":1}')
    forward(gate, '{"error":{"type":"unbroken_error","code":"overloaded"},"x":1}')
    assert gate.dialect is None
    assert gate.state.failure == Failure("truncated")


def test_an_event_that_a_repair_made_too_long_is_dropped() -> None:
    gate = gate_for(max_event_bytes=1024)
    assert not forward(gate, '"' + "x" * 1020 + '"')
    assert gate.out == [Repair(RepairKind.OVERSIZED_EVENT, 0, 1022)]
    assert gate.report.events == 0


def test_what_could_not_be_proven_is_counted_and_is_content_in_a_known_dialect() -> None:
    for options, kind in (({}, "STRUCTURAL"), ({"dialect": "openai-chat"}, "CONTENT")):
        gate = gate_for(**options)
        assert gate.forward(Event("{"), b"data: {\n\n", UNPROVEN, 0, 1)
        assert gate.report.unproven == 1
        (frame,) = gate.out
        assert isinstance(frame, Frame)
        assert frame.kind is not None
        assert frame.kind.name == kind


@pytest.mark.parametrize("comments", ["keep", "drop"])
def test_pings_and_comments_stay_or_go_together(comments: str) -> None:
    pipeline = Pipeline(check_options(comments=comments, dialect="anthropic"), StreamReport())
    items = pipeline.feed(b': hi\nevent: ping\ndata: {"type": "ping"}\n\n')
    assert len(items) == (2 if comments == "keep" else 0)
    assert pipeline.report.comments == 1


def test_repairs_are_reported_to_the_report_the_callback_and_the_observers() -> None:
    reported: list[Any] = []

    class Watch(Observer):
        def repaired(self, repair: Repair) -> None:
            reported.append(repair)

    gate = gate_for(on_repair=reported.append, observers=[Watch()])
    gate.repair(RepairKind.STRAY_LINE, 3, 7)
    repair = Repair(RepairKind.STRAY_LINE, 3, 4)
    assert reported == [repair, repair]
    assert gate.report.first_repairs == [repair]
    assert gate.out == [repair]


@pytest.mark.parametrize(
    ("wire", "limit", "names"),
    [
        (b'data: {"type": "message_stop"}\n\n', 2048, ["message_stop"]),
        (b'event: message_stop\ndata: {"type": "message_stop"}\n\n', 2048, ["message_stop"]),
        (b'data: {"type": "something_new"}\n\n', 2048, ["message"]),
        (b'data: {"type": "message_stop", "x": "' + b"x" * 963 + b'"}\n\n', 1024, ["message_stop"]),
        (b'data: {"type": "message_stop", "x": "' + b"x" * 964 + b'"}\n\n', 1024, ["message"]),
    ],
)
def test_the_name_that_clients_need_is_put_back_where_it_fits(wire: bytes, limit: int, names: list[str]) -> None:
    pipeline = Pipeline(check_options(dialect="anthropic", max_event_bytes=limit), StreamReport())
    frames = [item for item in pipeline.feed(wire) if isinstance(item, Frame)]
    assert [frame.event.event for frame in frames if frame.event] == names
    assert max(len(frame.wire) for frame in frames) <= limit


def test_without_its_repair_no_name_is_put_back() -> None:
    gate = gate_after(b'data: {"type": "message_stop"}\n\n', dialect="anthropic", repairs={RepairKind.GLUED_JSON})
    (frame,) = [item for item in gate.out if isinstance(item, Frame)] or [None]
    assert frame is None  # the pipeline took what left
    assert RepairKind.EVENT_NAME_RESTORED not in gate.report.repairs


class Naming(Dialect):
    name = "naming"

    def event_name(self, payload: Any) -> str | None:
        return str(payload["name"])


@pytest.mark.parametrize("name", ["a\nb", "a\r", "\0"])
def test_a_name_that_would_begin_a_line_is_never_put_in(name: str) -> None:
    gate = gate_for(dialect=Naming())
    assert gate.forward(Event("{}"), b"data: {}\n\n", {"name": name}, 0, 2, named=False)
    (frame,) = gate.out
    assert isinstance(frame, Frame)
    assert frame.wire == b"data: {}\n\n"


def test_lines_and_elements_get_their_names_where_they_become_sse() -> None:
    gate = gate_after(b'{"type":"message_stop"}\n', dialect="anthropic", to="sse", format="ndjson")
    pipeline = Pipeline(check_options(dialect="anthropic", to="sse", format="ndjson"), StreamReport())
    items = pipeline.feed(b'{"type":"message_stop"}\n{"type":"new"}\n')
    assert [item.event.event for item in items if isinstance(item, Frame) and item.event] == ["message_stop", "message"]
    assert gate.state.terminated


def test_prose_is_read_as_it_is_by_a_dialect_of_prose() -> None:
    gate = gate_after(b"data: hello\n\ndata: {}\n\n", dialect="text")
    assert gate.report.text == "hello{}"


def test_frames_and_runs_say_what_they_mean() -> None:
    pipeline = Pipeline(check_options(), StreamReport())
    frames = [OPENED.replace(b'"a"', f'"{text}"'.encode()) for text in "abcd"]
    items = [item for frame in frames for item in pipeline.feed(frame)]
    said = [reading.deltas[0].text for item in items if not isinstance(item, Repair) for reading in item.readings()]
    assert said == ["a", "b", "c", "d"]
    assert [item.count for item in items if not isinstance(item, Repair)] == [1, 1, 1, 1]
    assert list(Frame(b"\n").readings()) == []


def test_an_account_that_is_not_wanted_is_not_kept() -> None:
    frames = b"".join(OPENED.replace(b'"a"', f'"{text}"'.encode()) for text in "abcd")
    gate = gate_after(frames + frames[:-1] + frames[-1:], account=False)
    assert gate.report.text == ""
    assert gate.report.events == 8
    assert gate.report.content_emitted


def test_a_failure_of_ours_names_what_showed_it() -> None:
    gate = gate_for()
    gate.die(Failure("not-a-stream"), RepairKind.NOT_A_STREAM, 0, 5)
    assert gate.report.format is None
    state = gate.state
    assert (state.dead_from, state.stopped, state.unreported) == (5, True, Failure("not-a-stream"))
    assert gate.out == [Repair(RepairKind.NOT_A_STREAM, 0, 5)]


def test_a_failure_whose_repair_is_off_is_not_named() -> None:
    gate = gate_for(repairs={RepairKind.GLUED_JSON})
    gate.die(Failure("invalid-json"), RepairKind.INVALID_JSON, 0, 5)
    assert gate.out == []
    assert gate.report.format is Format.SSE


def test_another_connection_starts_without_the_failure_of_the_last() -> None:
    gate = gate_for()
    gate.delivered = DeliveredIds()
    gate.note_id("1")
    gate.die(Failure("upstream-failed"), RepairKind.FOREIGN_BODY, 0, 5)
    assert not gate.repeats("1")
    gate.reconnect()
    state = gate.state
    assert (state.failure, state.unreported, state.dead_from, state.stopped) == (None, None, None, False)
    assert gate.repeats("1")
    assert not gate.repeats(None)
    assert gate.report.last_event_id == "1"


def test_ids_are_not_remembered_where_nothing_is_resumed() -> None:
    gate = gate_for()
    gate.note_id("1")
    gate.reconnect()
    assert not gate.repeats("1")


def test_a_payload_with_arguments_is_read_with_exact_integers() -> None:
    seen: list[Any] = []

    class Exact(Dialect):
        name = "exact"
        exact_marks = ('"input"',)

        def read(self, event: str, payload: Any) -> Any:
            seen.append(payload)
            return super().read(event, payload)

    gate = gate_for(dialect=Exact())
    forward(gate, '{"input": 9007199254740993}')
    forward(gate, '{"other": 9007199254740993}')
    assert seen == [{"input": 9007199254740993}, {"other": 9007199254740992.0}]
    assert prove("x") is FLAWED


class Failing(Dialect):
    """Says what each payload names, and says it in as few words as it may."""

    name = "failing"

    def read(self, event: str, payload: Any) -> Reading:
        return Reading(EventClass(payload["kind"]), (Delta(**payload.get("delta", {})),))


def test_an_error_that_says_nothing_of_itself_is_an_error_of_upstreams() -> None:
    assert gate_after(b'data: {"kind":"error"}\n\n', dialect=Failing()).state.failure == Failure("upstream-error")


@pytest.mark.parametrize(
    ("data", "emitted"),
    [
        (b'data: {"kind":"content","delta":{"reasoning":"a"}}\n\n', True),
        (b'data: {"kind":"terminal","delta":{"text":"a"}}\n\n', True),
        (b'data: {"kind":"terminal","delta":{"tools":[0]}}\n\n', True),
        (b'data: {"kind":"terminal","delta":{"finish_reason":"stop"}}\n\n', False),
        (b'data: {"kind":"structural"}\n\n', False),
    ],
)
def test_content_was_emitted_with_whatever_an_answer_is_made_of(data: bytes, emitted: bool) -> None:
    assert gate_after(data, dialect=Failing(), account=False).report.content_emitted is emitted


def test_after_an_error_only_the_sentinel_is_dropped() -> None:
    gate = gate_after(ERROR + OPENED + b"data: [DONE]\n\n", dialect="openai-chat")
    assert (gate.report.events, dict(gate.report.repairs)) == (2, {RepairKind.DONE_AFTER_ERROR: 1})


def test_what_is_kept_though_nobody_can_read_it_ends_nothing_and_changes_no_mode() -> None:
    gate = gate_after(b"data: hello\n\n" + OPENED, dialect="openai-chat", invalid_json="keep")
    assert (gate.report.events, str(gate.state)) == (2, "known/live")


def test_a_line_keeps_its_name_to_itself_where_it_stays_a_line() -> None:
    gate = gate_for(Format.NDJSON, dialect="anthropic")
    assert forward(gate, '{"type": "message_stop"}')
    (frame,) = gate.out
    assert isinstance(frame, Frame)
    assert frame.event is not None
    assert frame.event.event == "message"


def test_a_name_of_any_letter_is_put_in() -> None:
    gate = gate_for(dialect=Naming())
    assert gate.forward(Event("{}"), b"data: {}\n\n", {"name": "xylophone"}, 0, 2, named=False)
    assert [item.wire for item in gate.out if isinstance(item, Frame)] == [b"event: xylophone\ndata: {}\n\n"]


def test_prose_may_begin_with_any_letter() -> None:
    assert gate_after(b"data: xylophone\n\n").state.mode is Mode.TEXT


def test_an_event_may_be_as_long_as_the_limit_and_no_longer() -> None:
    gate = gate_for(max_event_bytes=1024)
    assert forward(gate, '"' + "x" * 1014 + '"')
    assert not forward(gate, '"' + "x" * 1015 + '"')


def test_comments_and_what_was_not_proven_are_counted_one_by_one() -> None:
    gate = gate_after(b": a\n\n: b\ndata: {}\n: c\n\n")
    assert gate.report.comments == 3
    for text in ("[1]", "[2]"):
        gate.forward(Event(text), b"data: [1]\n\n", UNPROVEN, 0, 3)
    assert gate.report.unproven == 2


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (BARE_ERROR, Verdict.FAILED),
        (b": hello\n\n" + BARE_ERROR, Verdict.FAILED),
        (b'data: {"a":1}\n\n' + BARE_ERROR, Verdict.FAILED),
        (b"data: hello\n\n" + BARE_ERROR, Verdict.ENDED),
        (b'{"error":{"message":"m","code":7}}\n', Verdict.FAILED),
        (b'{"a":1}\n{"error":{"message":"m","code":7}}\n{"a":2}\n', Verdict.ENDED),
        (b'[{"a":1},{"error":{"message":"m","code":7}}]', Verdict.ENDED),
    ],
)
def test_an_error_of_a_dialect_that_nothing_else_showed_counts_where_it_is_not_a_record(
    data: bytes, verdict: Verdict
) -> None:
    pipeline = Pipeline(check_options(), StreamReport())
    pipeline.feed(data)
    assert pipeline.close(clean=True)[1] is verdict


def test_an_event_that_is_not_wanted_is_not_repaired() -> None:
    gate = gate_after(b'data: {"type":"ping"}\n\n', dialect="anthropic", comments="drop")
    assert gate.report.events == 0
    assert not gate.report.repairs
