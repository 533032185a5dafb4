"""Heartbeats that count: `heartbeat_as="event"`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import captures
from unbroken import Pace, StreamRepairer, StreamReport, Timeouts, Verdict, iter_events, repair
from unbroken.testing import DIALECTS, Answer, ToolCall
from unbroken.testing.conversations import Conversation, spell
from unbroken.testing.strategies import dialect_streams

SECONDS = 5.0
ANSWER = Answer(("Hel", "lo", " you") * 3, ("Hm", "m"), (ToolCall("call_1", "f", '{"a": 1}'),), 3, 4)
EQUAL = ("text", "reasoning", "refusal", "tool_calls", "finish_reason", "usage", "verdict", "repairs")
EQUAL += ("last_event_id", "second_beginnings", "content_emitted", "cumulative_text", "dialect", "format")


def beaten(chunks: list[bytes], *, every: int = 1, **options: Any) -> tuple[list[bytes], StreamReport]:
    """Return what is written where upstream is silent behind every so many chunks, heartbeats apart."""
    repairer = StreamRepairer(heartbeat=SECONDS, **{"heartbeat_as": "event"} | options)
    left, now = [], 0.0
    repairer.resume(now)
    for number, chunk in enumerate(chunks, 1):
        left += repairer.feed(chunk, now)
        if number % every == 0 and not repairer.finished:
            now += SECONDS
            left += repairer.on_deadline(now)
    return [*left, *repairer.close(now)], repairer.report


def facts(report: StreamReport) -> dict[str, Any]:
    return {name: getattr(report, name) for name in EQUAL}


def read(chunks: list[bytes], **options: Any) -> StreamReport:
    repairer = StreamRepairer(**options)
    for chunk in chunks:
        repairer.feed(chunk, 0.0)
    repairer.close(0.0)
    return repairer.report


CHAT = (
    b'data: {"id":"a","object":"chat.completion.chunk","created":17,"model":"m","system_fingerprint":"f","choices":'
    b'[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n'
)
CHAT_BEAT = (
    b'data: {"id": "a", "object": "chat.completion.chunk", "created": 17, "model": "m", '
    b'"choices": [{"index": 0, "delta": {}, "finish_reason": null}]}\n\n'
)
LEGACY = b'data: {"id":"a","object":"text_completion","choices":[{"index":0,"text":"x","finish_reason":null}]}\n\n'
CREATED = (
    b'event: response.created\ndata: {"type":"response.created","sequence_number":0,'
    b'"response":{"id":"r","created_at":17,"status":"in_progress","tools":[]}}\n\n'
)
DELTA = (
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":%d,'
    b'"item_id":"i","output_index":0,"content_index":0,"delta":"x"}\n\n'
)
IN_PROGRESS = (
    b'event: response.in_progress\ndata: {"type": "response.in_progress", "sequence_number": %d, '
    b'"response": {"id": "r", "created_at": 17, "status": "in_progress", "tools": []}}\n\n'
)
STARTED = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant"}}\n\n'
DONE_LINE = b'{"model":"m","message":{"role":"assistant","content":"x"},"done":false}\n'
GEMINI = b'data: {"candidates":[{"content":{"parts":[{"text":"x"}]},"index":0}],"modelVersion":"g"}\n\n'
COHERE = b'data: {"type":"content-start","index":1,"delta":{"message":{"content":{"type":"%b"}}}}\n\n'
COHERE_DELTA = b'data: {"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"x"}}}}\n\n'
COHERE_END = b'data: {"type":"content-end","index":1}\n\n'
COMMENT = b":\n\n"

FORMS: list[tuple[str, list[bytes], dict[str, Any], bytes]] = [
    ("chat", [CHAT], {}, CHAT_BEAT),
    ("chat, as lines", [CHAT], {"to": "ndjson"}, CHAT_BEAT[6:-1]),
    ("completions", [LEGACY], {}, (
        b'data: {"id": "a", "object": "text_completion", '
        b'"choices": [{"index": 0, "text": "", "logprobs": null, "finish_reason": null}]}\n\n'
    )),
    ("Responses", [CREATED], {}, IN_PROGRESS % 0),
    ("Responses, behind events of one form", [CREATED, *map(DELTA.__mod__, range(1, 9))], {}, IN_PROGRESS % 8),
    ("Anthropic", [STARTED], {}, b'event: ping\ndata: {"type": "ping"}\n\n'),
    ("vocabulary", [b'event: delta\ndata: {"text":"x"}\n\n'], {}, b"event: ping\ndata: {}\n\n"),
    ("a conversion", [STARTED, b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
     b'{"type":"text_delta","text":"x"}}\n\n'], {"convert": "openai-chat"}, (
        b'data: {"id": "m", "object": "chat.completion.chunk", "created": 0, "model": "", '
        b'"choices": [{"index": 0, "delta": {}, "finish_reason": null}]}\n\n'
    )),
    ("before anything came", [], {"dialect": "openai-chat"}, COMMENT),
    ("of no known dialect", [b"data: 1\n\n"], {}, COMMENT),
    ("behind the finish", [CHAT.replace(b"null", b'"stop"')], {}, COMMENT),
    ("behind upstream's error", [CHAT, b'data: {"error":{"message":"m","type":"t","code":null}}\n\n'], {}, COMMENT),
    ("where the index counts chunks", [CHAT, CHAT.replace(b'"index":0', b'"index":1')], {}, COMMENT),
    ("of a response that is too large", [CREATED.replace(b'[]', b'"%s"' % (b"x" * 70_000))], {}, COMMENT),
    ("with a number beyond every float", [CREATED.replace(b'"tools":[]', b'"tools":1e999')], {}, COMMENT),
    ("Gemini", [GEMINI], {}, b'data: {"modelVersion": "g"}\n\n'),
    ("Gemini, without a word of the model", [GEMINI.replace(b"modelVersion", b"m")], {}, b"\n"),
    ("Gemini, behind the finish", [GEMINI.replace(b'"index":0', b'"finishReason":"STOP"')], {}, b"\n"),
    ("Cohere", [COHERE % b"text", COHERE_DELTA], {}, (
        b'event: content-delta\ndata: {"type": "content-delta", "index": 1, '
        b'"delta": {"message": {"content": {"text": ""}}}}\n\n'
    )),
    ("Cohere, while it thinks", [COHERE % b"thinking"], {}, (
        b'event: content-delta\ndata: {"type": "content-delta", "index": 1, '
        b'"delta": {"message": {"content": {"thinking": ""}}}}\n\n'
    )),
    ("Cohere, between two contents", [COHERE % b"text", COHERE_END], {}, COMMENT),
    ("Ollama", [DONE_LINE], {}, b" "),
    ("a JSON array", [b"[" + CHAT[6:-2]], {"dialect": "openai-chat"}, b" "),
    ("with bytes of one's own", [CHAT], {"heartbeat_bytes": b": hi\n\n"}, b": hi\n\n"),
]  # fmt: skip


@pytest.mark.parametrize(("chunks", "options", "beat"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS])
def test_the_form_of_a_heartbeat(chunks: list[bytes], options: dict[str, Any], beat: bytes) -> None:
    repairer = StreamRepairer(heartbeat=SECONDS, heartbeat_as="event", **options)
    repairer.resume(0.0)
    for chunk in chunks:
        repairer.feed(chunk, 0.0)
    assert repairer.on_deadline(SECONDS) == [beat]
    assert repairer.report.heartbeats == 1


def test_by_default_it_is_what_it_was() -> None:
    assert COMMENT in beaten([CHAT, CHAT], heartbeat_as="comment")[0]
    assert CHAT_BEAT not in beaten([CHAT, CHAT], heartbeat_as="comment")[0]


def check_harmless(chunks: list[bytes], **options: Any) -> None:
    """Raise `AssertionError` unless a reader of what is written finds what it finds without heartbeats."""
    written, report = beaten(chunks, **options)
    plain = read(chunks, **options)
    assert facts(report) == facts(plain)
    without, with_them = (read(body, format=options.get("to")) for body in (written_plain(chunks, options), written))
    assert facts(with_them) == facts(without)


def written_plain(chunks: list[bytes], options: dict[str, Any]) -> list[bytes]:
    repairer = StreamRepairer(**options)
    left = [frame for chunk in chunks for frame in repairer.feed(chunk, 0.0)]
    return left + repairer.close(0.0)


@given(st.sampled_from(sorted(DIALECTS)).flatmap(dialect_streams), st.sampled_from([{}, {"convert": "openai-chat"}]))
def test_a_heartbeat_between_any_two_frames_changes_nothing_that_a_reader_finds(
    conversation: Conversation, options: dict[str, Any]
) -> None:
    check_harmless(list(conversation.frames), **options)


@captures.needs_captures
@pytest.mark.parametrize("step", [40, pytest.param(1, marks=pytest.mark.slow)])
def test_nor_does_it_in_recorded_streams(step: int) -> None:
    files = captures.chosen(lambda entry: entry["format"] == "sse")
    for file in files[::step]:
        chunks = [block + b"\n\n" for block in captures.body(file).replace(b"\r\n", b"\n").split(b"\n\n") if block]
        check_harmless(chunks)


def test_a_second_proxy_adds_nothing_and_takes_them_for_no_progress() -> None:
    for dialect in DIALECTS:
        first = StreamRepairer(heartbeat=SECONDS, heartbeat_as="event")
        second = StreamRepairer(
            heartbeat=SECONDS * 1.1, heartbeat_as="event", timeouts=Timeouts(idle=60.0, silence=None)
        )
        frames = spell(dialect, ANSWER).frames[:4]
        for repairer in (first, second):
            repairer.resume(0.0)
        left = [again for frame in frames for piece in first.feed(frame, 0.0) for again in second.feed(piece, 0.0)]
        now = 0.0
        while not second.finished and now < 90.0:
            now += SECONDS - 0.2
            for piece in first.on_deadline(now):
                left += second.feed(piece, now)
            left += second.on_deadline(now)
        assert second.report.timeout == "idle", dialect
        assert now == pytest.approx(60.0, abs=SECONDS)
        # One space or line end is no frame: to who reads on it is not there, and that one writes its own.
        if spell(dialect, ANSWER).is_sse:
            assert second.report.heartbeats == 0, dialect


def test_an_event_stands_behind_text_that_is_held() -> None:
    repairer = StreamRepairer(heartbeat=SECONDS, heartbeat_as="event", pace=Pace("lines", max_delay=60.0))
    repairer.resume(0.0)
    assert repairer.feed(CREATED + DELTA % 1 + DELTA % 2, 0.0) == [CREATED]
    assert repairer.feed(DELTA % 3 + DELTA % 4, 1.0) == []
    assert repairer.on_deadline(SECONDS) == [(DELTA % 4).replace(b'"x"', b'"xxxx"')]
    assert repairer.on_deadline(2 * SECONDS) == [IN_PROGRESS % 4]


# Clients that time the events they parse


def attempts(heartbeat_as: str, *, patience: float = 15.0, most: int = 6) -> int:
    """Return how often a client asks that gives an attempt up when no event was parsed for so many seconds."""
    for attempt in range(1, most + 1):
        repairer = StreamRepairer(heartbeat=SECONDS, heartbeat_as=heartbeat_as)  # type: ignore[arg-type]
        repairer.resume(0.0)
        script = [(0.0, repairer.feed(CREATED, 0.0))]
        script += [(at, repairer.on_deadline(at)) for at in (SECONDS * number for number in range(1, 12))]
        script.append((60.0, repairer.feed(DELTA % 1, 60.0)))
        parsed_at = 0.0
        for at, pieces in script:
            if at - parsed_at > patience:
                break
            if any(list(iter_events([piece], format="sse", repairs=(), timeouts=None)) for piece in pieces):
                parsed_at = at
        else:
            return attempt
    return most


def test_a_client_that_times_parsed_events_asks_once_where_comments_make_it_ask_six_times() -> None:
    assert attempts("comment") == 6
    assert attempts("event") == 1


def test_a_wrong_name_is_refused() -> None:
    with pytest.raises(ValueError, match="heartbeat_as='ping' is not known; use one of 'comment', 'event'"):
        repair([], heartbeat_as="ping")  # type: ignore[arg-type]


def test_numbers_stay_exact() -> None:
    chunk = CREATED.replace(b'"tools":[]', b'"tools":12345678901234567890')
    written, report = beaten([chunk])
    beat = json.loads(written[1].split(b"data: ")[1])
    assert beat["response"]["tools"] == 12345678901234567890
    assert report.verdict is Verdict.TRUNCATED
