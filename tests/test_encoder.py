"""Frames in the framing that was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unbroken import Event, Format, Repair, RepairKind, StreamRepairer
from unbroken.core.encoder import spell, spell_error, spell_event, spell_heartbeat, spell_payload
from unbroken.core.failure import SENTENCES, Failure
from unbroken.core.frames import Frame
from unbroken.core.options import check_options
from unbroken.core.pipeline import Pipeline
from unbroken.core.proof import MAX_PROOF
from unbroken.core.registry import REGISTRY
from unbroken.core.report import StreamReport
from unbroken.testing.cuts import cuttings

SSE, NDJSON, ARRAY = Format.SSE, Format.NDJSON, Format.JSON_ARRAY
CONTENT = [f'{{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}' for text in ("a", "b", "c\\n", "d")]


@pytest.mark.parametrize(
    ("event", "sse", "ndjson"),
    [
        (Event("{}"), b"data: {}\n\n", b"{}\n"),
        (Event("{}", "e", "1", 2), b"event: e\nid: 1\nretry: 2\ndata: {}\n\n", b"{}\n"),
        (Event(' {\n"a":\r\n1}\t'), b'data:  {\ndata: "a":\ndata: 1}\t\n\n', b'{"a":1}\n'),
        (Event('{"a":"\u2028"}'), b'data: {"a":"\\u2028"}\n\n', b'{"a":"\\u2028"}\n'),
        (Event("hello\nyou"), b"data: hello\ndata: you\n\n", b'"hello\\nyou"\n'),
        (Event("a\u2028"), "data: a\u2028\n\n".encode(), b'"a\\u2028"\n'),
        (Event(""), b"data: \n\n", b'""\n'),
        (Event("[DONE]"), b"data: [DONE]\n\n", b""),
    ],
)
def test_an_event_is_spelt_in_either_framing(event: Event, sse: bytes, ndjson: bytes) -> None:
    assert spell_event(event, SSE) == sse
    assert spell_event(event, NDJSON) == ndjson


def test_a_payload_too_long_to_prove_is_moved_as_it_is() -> None:
    text = '{"a":"' + "x" * MAX_PROOF + '\u2028"}'
    assert spell_event(Event(text), SSE) == f"data: {text}\n\n".encode()
    assert spell_event(Event(text), NDJSON) == f"{text}\n".encode()


@pytest.mark.parametrize(
    ("payload", "sse", "ndjson"),
    [
        ({"a": "\u2028é"}, b'data: {"a": "\\u2028\xc3\xa9"}\n\n', b'{"a": "\\u2028\xc3\xa9"}\n'),
        ({"a": "\x85\u2029\n"}, b'data: {"a": "\\u0085\\u2029\\n"}\n\n', b'{"a": "\\u0085\\u2029\\n"}\n'),
        ({"id": "\ud83d\x85"}, b'data: {"id": "\\ud83d\\u0085"}\n\n', b'{"id": "\\ud83d\\u0085"}\n'),
        ([], b"data: []\n\n", b"[]\n"),
        ("[DONE]", b"data: [DONE]\n\n", b""),
    ],
)
def test_a_payload_of_a_conversion_is_one_line(payload: Any, sse: bytes, ndjson: bytes) -> None:
    assert spell_payload(payload, SSE) == sse
    assert spell_payload(payload, NDJSON) == ndjson


def test_a_frame_is_untouched_in_its_own_framing_and_bare_framing_has_no_place_in_another() -> None:
    frame = Frame(b"data:odd\n\n", Event("odd"))
    assert spell(frame, SSE, SSE) == b"data:odd\n\n"
    assert spell(frame, SSE, NDJSON) == b'"odd"\n'
    assert spell(Frame(b": hi\n"), SSE, NDJSON) == b""
    assert spell(Frame(b": hi\n"), SSE, SSE) == b": hi\n"


def test_events_that_leave_together_are_spelt_one_by_one(with_fast_path: None) -> None:
    frames = [f"data: {text}\n\n".encode() for text in CONTENT]
    pipeline = Pipeline(check_options(), StreamReport())
    items = pipeline.feed(frames[0]) + pipeline.feed(frames[1]) + pipeline.feed(frames[2] + frames[3])
    assert [item.count for item in items if not isinstance(item, Repair)] == [1, 1, 2]
    lines = b"".join(spell(item, SSE, NDJSON) for item in items if not isinstance(item, Repair))
    assert lines == "".join(f"{text}\n" for text in CONTENT).encode()


@pytest.mark.parametrize("code", SENTENCES)
@pytest.mark.parametrize("name", [None, *REGISTRY])
def test_an_error_is_one_frame_of_the_output(name: str | None, code: str) -> None:
    dialect = REGISTRY[name]() if name else None
    failure = Failure(code, 500, 1.0, "theirs", "secret\n\ndata: x")
    frame = spell_error(failure, dialect, SSE, None)
    assert frame.endswith(b"\n\n")
    assert frame.count(b"\n\n") == 1
    line = spell_error(failure, dialect, NDJSON, None)
    assert frame.endswith(b"data: " + line + b"\n")
    assert json.loads(spell_error(failure, dialect, ARRAY, b"[")) == [json.loads(line)]
    assert spell_error(failure, dialect, ARRAY, b",") == b"," + line[:-1] + b"]"
    assert spell_error(failure, dialect, ARRAY, None) == b""
    assert b"secret" not in frame + line


def test_where_no_dialect_is_known_an_error_is_an_event_of_its_own_name() -> None:
    assert spell_error(Failure("truncated"), None, SSE, None).startswith(b'event: error\ndata: {"error": ')


@pytest.mark.parametrize(
    ("target", "id_seen", "beat"),
    [(SSE, False, b":\n\n"), (SSE, True, b":\n"), (NDJSON, False, b" "), (NDJSON, True, b" "), (ARRAY, False, b" ")],
)
def test_a_heartbeat_means_nothing_in_any_framing(target: Format, id_seen: bool, beat: bytes) -> None:
    assert spell_heartbeat(target, None, id_seen=id_seen) == beat


@pytest.mark.parametrize("name", REGISTRY)
def test_a_heartbeat_is_a_comment_but_where_clients_fail_at_one(name: str) -> None:
    dialect = REGISTRY[name]()
    assert spell_heartbeat(SSE, dialect, id_seen=False) == (b"\n" if name == "gemini" else b":\n\n")
    assert spell_heartbeat(SSE, dialect, id_seen=True) == b":\n"  # events with ids are read by no client of Gemini's
    assert spell_heartbeat(NDJSON, dialect, id_seen=False) == b" "
    assert spell_heartbeat(ARRAY, dialect, id_seen=False) == b" "


def test_a_dialect_has_the_first_word_on_its_heartbeat_in_sse_alone() -> None:
    anthropic = REGISTRY["anthropic"]()
    assert spell_heartbeat(SSE, anthropic, id_seen=False) == b":\n\n"
    anthropic.read("message_start", {"type": "message_start", "message": {}})
    assert spell_heartbeat(SSE, anthropic, id_seen=True).startswith(b"event: ping\n")
    assert spell_heartbeat(NDJSON, anthropic, id_seen=True) == b" "


@pytest.mark.parametrize(
    ("data", "to", "wire"),
    [
        (b'data: {"a":1}\n\n: hi\n\nid: 3\n\ndata: text\n\n', "ndjson", b'{"a":1}\n"text"\n'),
        (b"data: {}\n\ndata: [DONE]\n\n", "ndjson", b"{}\n"),
        (b'{"a":1}\n{}\n', "sse", b'data: {"a":1}\n\ndata: {}\n\n'),
        (b'[{"a":1}, {"b":\n2}]', "sse", b'data: {"a":1}\n\ndata: {"b":\ndata: 2}\n\n'),
        (b'[{"a":1}, {"b":\n2}]', "ndjson", b'{"a":1}\n{"b":2}\n'),
        (b"[{}, 2", "ndjson", b"{}\n"),
        (b'{"a":1}\n', "ndjson", b'{"a":1}\n'),
    ],
)
def test_a_stream_comes_out_in_the_framing_that_was_asked_for(data: bytes, to: str, wire: bytes) -> None:
    for chunks in cuttings(data):
        repairer = StreamRepairer(to=to)
        frames = [frame for chunk in chunks for frame in repairer.feed(chunk, 0.0)]
        assert b"".join(frames + repairer.close(0.0)) == wire
        assert RepairKind.INVALID_JSON not in repairer.report.repairs


# The last frame


def test_before_the_first_event_a_failure_has_the_form_of_several_dialects_at_once() -> None:
    failure = Failure("upstream-failed", status_hint=502)
    name, payload = spell_error(failure, None, SSE, None, first=True).decode().rstrip().split("\n")
    sentence = SENTENCES["upstream-failed"]
    error = {"code": 502, "message": sentence, "type": "unbroken_error", "reason": "upstream-failed"}
    flat = {"type": "error", "sequence_number": 0, "code": "upstream-failed", "message": sentence, "param": None}
    assert name == "event: error"
    assert json.loads(payload.removeprefix("data: ")) == {**flat, "error": error}
    line = json.loads(spell_error(failure, None, NDJSON, None, first=True))
    assert line == {"error": sentence, "type": "unbroken_error", "code": "upstream-failed"}


@pytest.mark.parametrize("target", [SSE, NDJSON])
def test_whatever_form_a_failure_has_a_second_pass_knows_it(target: Format) -> None:
    for code in SENTENCES:
        wire = spell_error(Failure(code), None, target, None, first=True)
        repairer = StreamRepairer(format=target)
        assert b"".join(repairer.feed(wire, 0.0) + repairer.close(0.0)) == wire
        assert repairer.error is not None
        assert repairer.error.code == code


def test_behind_an_event_a_failure_of_no_dialect_is_the_plain_object() -> None:
    wire = spell_error(Failure("truncated"), None, SSE, None)
    assert wire == b"event: error\ndata: " + json.dumps(Failure("truncated").as_error()).encode() + b"\n\n"
