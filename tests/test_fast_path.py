"""The two doors of the fast path: what `take` takes, and what `feed` makes of the rest, however frames are cut."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unbroken import EventReader, Observer, Repair, StreamRepairer, Timeouts, Verdict
from unbroken.core import fast_path
from unbroken.core.dialect import Reading
from unbroken.core.engine import EventEngine
from unbroken.core.frames import Delivery
from unbroken.core.options import check_options
from unbroken.core.pipeline import Pipeline
from unbroken.core.registry import REGISTRY
from unbroken.core.report import StreamReport

from .laws import check_chunking, read
from .tables import wires


def chunk(text: str, **more: Any) -> str:
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}], **more}) + "\n\n"


A, B, C = (chunk(text).encode() for text in "abc")
FINISH = chunk("", usage=None).replace('"delta": {"content": ""}', '"delta": {}, "finish_reason": "stop"').encode()


# Whole chunks: `take`


def pipeline_after(*chunks: bytes, delivery: Delivery | None = Delivery.WIRE, **options: Any) -> Pipeline:
    """Return a pipeline after these chunks, its fast path on."""
    checked = check_options(**options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_path, "enabled", True)
        pipeline = Pipeline(checked, StreamReport(format=checked.format), delivery)
        for piece in chunks:
            if pipeline.fast is None or pipeline.fast.take(piece) is None:
                pipeline.feed(piece)
    return pipeline


def takes(pipeline: Pipeline, piece: bytes = C) -> bytes | None:
    """Return what leaves of a chunk in one step; None if it was not taken."""
    taken = None if pipeline.fast is None else pipeline.fast.take(piece)
    return None if taken is None else b"".join(taken)


CRLF_C = C.replace(b"\n", b"\r\n")
LF, BIG = b"\n", chunk("x" * 2000).encode()


@pytest.mark.parametrize(
    ("piece", "leaves"),
    [
        (C, C),
        (C + A, C + A),
        (chunk("\n\\é").encode(), chunk("\n\\é").encode()),
        (C + A[:20], C),
        (C + A[:-1], C),
        (C + A[:-2], C),
        (C + b": pin", C),
        (C + b"x", C),
        (CRLF_C, C),
        (CRLF_C + CRLF_C[:-1], None),  # a CR ends a line at once
        (CRLF_C + CRLF_C[:-2], C),
        (BIG, BIG),
        (b"", None),
        (C[:20], None),
        (C[:-1], None),
        (C[20:], None),
        (b"\n" + C, None),
        (C + LF, None),
        (C + b": ping\n", None),
        (C + b": ping\n\n", None),
        (C + A[:-1] + B, None),
        (C + CRLF_C, None),
        (chunk("").encode(), None),
        (C + chunk("").encode(), None),
        (chunk("c", x=1).encode(), None),
        (b"id: 1\n" + C, None),
        (b"data: [DONE]\n\n", None),
        (C.replace(b"c", b"\xff", 1), None),
        (C + A[:-2] + b"x" * 9000, None),
        (C + b"x" * 9000, None),
    ],
)
@pytest.mark.parametrize("delivery", [Delivery.WIRE, Delivery.EVENTS])
def test_a_chunk_of_nothing_but_frames_of_the_template_is_taken(
    delivery: Delivery, piece: bytes, leaves: bytes | None
) -> None:
    pipeline = pipeline_after(A, B, delivery=delivery)
    before = pipeline.report.as_dict()
    taken = pipeline.fast.take(piece) if pipeline.fast else None
    if leaves is None:
        assert taken is None
        assert pipeline.report.as_dict() == before
        return
    assert taken is not None
    events = [frame[6:].decode() for frame in leaves.split(b"\n\n")[:-1]]
    assert b"".join(taken) == leaves if delivery is Delivery.WIRE else [event.data for event in taken] == events
    assert pipeline.report.bytes_in == len(A + B + piece)
    assert pipeline.report.events == 2 + len(events)
    assert pipeline.report.text.startswith("ab")


@pytest.mark.parametrize(
    ("chunks", "options", "is_open"),
    [
        ([A, B], {}, True),
        ([A + B], {}, True),
        ([A, B, C[:30]], {}, True),
        ([A, b": hi\n\n", B], {}, True),
        ([A, B, b": hi\n\n"], {}, True),
        ([b"id: 1\n" + A, b"id: 2\n" + B], {}, False),  # of another template than `C`
        ([A], {}, False),
        ([A, chunk("b", x=1).encode()], {}, False),
        ([A, B, b": hi\n"], {}, False),  # a blank line is owed
        ([A, B, b"id: 1\n\n"], {}, False),  # a field waits for the next event
        ([A, B, b"id: 1\n"], {}, False),
        ([A, B, b"retry: 1\n\n"], {}, False),
        ([A, B, b"data: {}\n\n"], {}, False),
        ([A, B, FINISH], {}, False),
        ([A, B, b"data: [DONE]\n\n"], {}, False),
        ([A, B, b"<html>\n"], {}, False),
        ([A, B], {"dialect": "text"}, False),
        ([A, B], {"dialect": type("Slow", (REGISTRY["openai-chat"],), {"steady": False})()}, False),
    ],
)
def test_the_door_is_open_where_the_next_frame_may_be_of_the_template(
    chunks: list[bytes], options: dict[str, Any], is_open: bool
) -> None:
    pipeline = pipeline_after(*chunks, **options)
    expected = C if is_open else None
    held = chunks[-1] if chunks[-1] == C[:30] else b""
    assert takes(pipeline, C[len(held) :]) == expected
    pipeline.stop()
    assert takes(pipeline) is None


def test_a_chunk_longer_than_the_limit_is_not_taken() -> None:
    room = 1024 - len(C) - len(chunk("").encode())
    for length, is_taken in ((room, True), (room + 1, False)):
        piece = C + chunk("x" * length).encode()
        pipeline = pipeline_after(A, B, max_event_bytes=1024)
        assert (len(piece) <= 1024) is is_taken
        assert takes(pipeline, piece) == (piece if is_taken else None)
        assert is_taken or b"".join(item.wire for item in pipeline.feed(piece)) == piece


def tool(text: str) -> bytes:
    call = {"index": 0, "function": {"arguments": text}}
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'tool_calls': [call]}}]})}\n\n".encode()


def test_pieces_of_tool_arguments_are_taken_and_kept() -> None:
    texts = ['{"a', '": "', "b", '\\n"', "}"]
    chunks = [tool(text) for text in texts]
    pipeline = pipeline_after(A, *chunks[:2])
    for piece in chunks[2:]:
        assert takes(pipeline, piece) == piece
    (call,) = pipeline.report.tool_calls
    assert call["arguments"] == '{"a": "b\\n"}'
    assert pipeline.report.events == 1 + len(chunks)


def test_where_frames_are_spelt_anew_no_chunk_is_taken() -> None:
    assert takes(pipeline_after(A, B, delivery=None)) is None
    pipeline = pipeline_after(A, B, delivery=None)
    (run,) = pipeline.feed(C + A)
    assert not isinstance(run, Repair)
    assert [event.data for event in run.events()] == [C[6:-2].decode(), A[6:-2].decode()]


def test_a_json_array_has_no_fast_path() -> None:
    assert pipeline_after(b'[{"a":1},').fast is None


@pytest.mark.parametrize(("line_end", "last"), [(b"\n", 1), (b"\r\n", 2)])
def test_a_frame_in_small_pieces_leaves_with_its_last_byte(line_end: bytes, last: int) -> None:
    pipeline, spelt, left = pipeline_after(A, B), C.replace(b"\n", line_end), {}
    for at in range(3 * len(spelt)):
        piece = (3 * spelt)[at : at + 1]
        taken = takes(pipeline, piece)
        left[at] = wires(pipeline.feed(piece)) if taken is None else taken
    ends = [(number + 1) * len(spelt) - last for number in range(3)]  # a CR ends a line at once
    assert {at: frame for at, frame in left.items() if frame} == dict.fromkeys(ends, C)
    assert pipeline.report.events == 5
    assert pipeline.report.bytes_in == len(A + B) + 3 * len(spelt)


@pytest.mark.parametrize(
    ("rest", "events"), [(C[:-2], 4), (C[:-1], 4), (C[:-5], 3), (b": pi", 3), (b"data: hello", 3), (b"x", 3)]
)
def test_what_is_kept_of_an_open_frame_is_read_at_the_end(rest: bytes, events: int) -> None:
    pipeline = pipeline_after(A, B, C + rest)
    assert pipeline.report.events == 3
    pipeline.close(clean=True)
    assert pipeline.report.events == events
    assert pipeline.fast is None


def test_what_follows_the_frames_of_the_template_is_read_in_its_order() -> None:
    pipeline = pipeline_after(A, B)
    odd = chunk("b", x=1).encode()
    items = pipeline.feed(C + A + odd + B + b": hi\n\n" + C + C[:-1])
    assert wires(items) == C + A + odd + B + b": hi\n\n" + C
    assert [item.count for item in items if not isinstance(item, Repair)] == [2, 1, 1, 0, 0, 1]
    assert wires(pipeline.feed(b"\n")) == C


def read_by_the_dialect(dialect: str, frames: list[bytes]) -> int:
    """Repair healthy frames, one a chunk; return how many of them the dialect read."""
    read = 0

    class Counted(REGISTRY[dialect]):  # type: ignore[misc]  # a class that is looked up
        def read(self, event: str, payload: Any) -> Reading:
            nonlocal read
            read += 1
            return super().read(event, payload)

    repairer = StreamRepairer(dialect=Counted(), heartbeat=None)
    assert [piece for one in frames for piece in repairer.feed(one, 0.0)] == frames
    assert repairer.report.text == "".join(f"t{n}" for n in range(len(frames)))
    return read


# What providers vary


BLANKED = (
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
    '"text":"%s"}%s}\n\n',
    "anthropic",
)
COUNTED = (
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"m","delta":"%s",'
    '"sequence_number":7,"obfuscation":"x%s"}\n\n',
    "openai-responses",
)


@pytest.mark.parametrize(("spelling", "dialect"), [BLANKED, COUNTED])
@pytest.mark.parametrize("enabled", [True, False])
def test_what_providers_vary_from_token_to_token_keeps_frames_on_the_fast_path(
    monkeypatch: pytest.MonkeyPatch, enabled: bool, spelling: str, dialect: str
) -> None:
    monkeypatch.setattr(fast_path, "enabled", enabled)
    frames = [(spelling % (f"t{n}", " " * (n % 5))).replace(":7,", f":{n + 7},").encode() for n in range(40)]
    read = read_by_the_dialect(dialect, frames)
    assert read <= 6 if enabled else read == 40


def test_an_error_of_ours_goes_on_after_the_last_number_of_a_run() -> None:
    repairer = StreamRepairer(dialect="openai-responses")
    for number in range(40):
        repairer.feed((COUNTED[0] % (f"t{number}", "")).replace(":7,", f":{number},").encode(), 0.0)
    (frame,) = repairer.fail(OSError(), 1.0)
    assert b'"sequence_number": 40' in frame


# Step by step: `feed`


@pytest.mark.parametrize(
    "middle",
    [
        "", chunk(""), chunk("é\u2028\n"), chunk("b", x=1), "id: 4\n" + chunk("b"), ": hi\n\n",
        "event: e\n" + chunk("b"),
        chunk("b").replace("\n", "\r\n"), chunk("b").replace("data: ", "data:"), "data: [DONE]\n\n", "\n",
        chunk("b").replace("content", "role"), "data: hello\n\n", "retry: 5\n\n", chunk("x" * 2000),
        chunk("b")[:-1] + chunk("b"), chunk("b").replace('"b"', '"\u2028"'), chunk("b").replace('"b"', "NaN"),
        'data: {"error":{"message":"m"}}\n\n',
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_run_is_read_the_same_as_its_events_one_by_one(middle: str, end: str) -> None:
    frames = [chunk("a"), chunk("b"), chunk("c\\"), middle, chunk("d"), chunk("e"), chunk("f")]
    chunks = [
        text.replace("\r\n", "\n").replace("\n", end).encode() if text != middle else text.encode() for text in frames
    ]
    whole = b"".join(chunks)
    for ways in ([whole], chunks, [whole[:-1], whole[-1:]], [whole[n : n + 1] for n in range(len(whole))]):
        check_chunking(ways, max_event_bytes=1024)
        assert read_fast_and_slow(ways) == read_fast_and_slow([whole])


def read_fast_and_slow(chunks: list[bytes]) -> tuple[list[Any], dict[str, Any]]:
    """Read with a dialect that is not steady, which takes every event the slow way, and compare what was said."""
    slow = type("Slow", (REGISTRY["openai-chat"],), {"steady": False})()
    fast_items, fast = read(chunks, dialect="openai-chat", max_event_bytes=1024)
    slow_items, slowly = read(chunks, dialect=slow, max_event_bytes=1024)
    assert fast_items == slow_items
    assert {**fast, "dialect": None} == {**slowly, "dialect": None}
    return fast_items, fast


def numbered(number: int, text: str) -> bytes:
    return (chunk(text)[:-1] + f"id: {number}\n\n").encode()


def test_the_last_id_of_a_run_is_the_last_id() -> None:
    chunks = [numbered(number, text) for number, text in enumerate("abcdef")]
    for ways in (chunks, [b"".join(chunks)], [b"".join(chunks[:3]), b"".join(chunks[3:])]):
        items, report = read_fast_and_slow(ways)
        assert [item.id for item in items] == list("012345")
        assert report["last_event_id"] == "5"


def test_ids_are_looked_at_one_by_one_where_another_connection_may_send_them_again() -> None:
    engine = EventEngine(dialect="openai-chat")
    engine.remember_ids()
    frames = [numbered(number, text) for number, text in enumerate("abcdef")]
    delivered = [event for frame in frames[:4] for event in engine.feed(frame, 0.0)]
    engine.renew = lambda error: 0.0
    engine.fail(OSError(), 0.0)
    delivered += [event for frame in frames for event in engine.feed(frame, 0.0)]
    assert [event.id for event in delivered] == list("012345")


def test_frames_of_a_template_feed_the_clocks() -> None:
    engine = StreamRepairer(timeouts=Timeouts(first=64.0, idle=16.0, silence=8.0), heartbeat=None)
    for now in range(4):
        engine.feed(chunk("abcd"[now]).encode(), float(now))
    assert engine.next_deadline() == 11.0
    engine.feed(b"data", 5.0)
    assert engine.next_deadline() == 13.0
    engine.feed(b"", 6.0)
    assert engine.next_deadline() == 13.0
    for now in range(6, 20):
        engine.feed(b"x", float(now))
    assert engine.next_deadline() == 19.0
    assert engine.report.longest_gap == 1.0


def line(text: str, stamp: int = 1) -> str:
    message = {"role": "assistant", "content": text}
    return json.dumps({"model": "m", "created_at": f"2026-{stamp}", "message": message, "done": False}) + "\n"


@pytest.mark.parametrize(
    "middle",
    [
        "", "\n", "  ", " \r\n", line("b").replace("\n", "\r\n"), line("\u2028"), line("é\n\\"), line("b", 7), line(""),
        line("b").replace("false", "true"), '{"error":"x"}\n', "data: " + line("b"), "{\n", "hello\n", line("x" * 2000),
        line("b")[:-1] + line("b"), line("b").replace('"b"', "NaN"), " " + line("b"),
        line("b").replace('"b"', '"\udcff"'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("at", [1, 4, 7])
@pytest.mark.parametrize("to", [None, "sse"])
def test_lines_are_read_the_same_as_one_by_one(middle: str, at: int, to: str | None) -> None:
    slow = type("SlowOllama", (REGISTRY["ollama"],), {"steady": False})()
    lines = [line("a"), line("b"), line("c"), line("d\\"), line("e", 2), line("f", 3), line("g", 3), line("h", 4)]
    lines.insert(at, middle)
    chunks = [text.encode("utf-8", "surrogateescape") for text in lines]
    whole = b"".join(chunks)
    ways = [[whole], chunks, [whole[:-1], whole[-1:]], [whole[n : n + 1] for n in range(len(whole))]]
    ways.append([whole[n : n + 150] for n in range(0, len(whole), 150)])
    results = []
    for dialect in ("ollama", slow):
        for way in ways:
            repairer = StreamRepairer(dialect=dialect, heartbeat=None, to=to, max_event_bytes=1024)
            out = [item for chunk in way for item in repairer.feed(chunk, 0.0)] + repairer.close(0.0)
            facts = repairer.report.as_dict()
            results.append((b"".join(out), {**facts, "chunks_in": None, "dialect": None, "error": None}))
    assert all(result == results[0] for result in results)


def test_an_answer_cut_within_a_line_of_the_template_is_truncated() -> None:
    chunks = [line("a").encode(), line("b").encode(), line("c").encode(), line("d").encode()[:-9]]
    items, report = read(chunks, dialect="ollama")
    assert [type(item).__name__ for item in items] == ["Event"] * 3 + ["Repair"]
    assert report["verdict"] is Verdict.TRUNCATED


def test_a_run_distinguishes_text_that_grows_from_text_that_stops_growing() -> None:
    for texts, grows in [(["a", "ab", "abc", "abcd", "abcde"], True), (["a", "ab", "abc", "x", "y"], False)]:
        reader = EventReader()
        for way in (texts[:2], texts[2:]):
            reader.feed("".join(map(chunk, way)).encode())
        assert reader.report.cumulative_text is grows


def test_who_watches_each_chunk_is_shown_each_chunk() -> None:
    class Watching(Observer):
        def received(self, report: StreamReport, chunk: bytes, at: float) -> None:
            seen.append(chunk)

    seen: list[bytes] = []
    chunks = [chunk(text).encode() for text in "abcdef"]
    engine = EventEngine(observers=[Watching()])
    for piece in chunks:
        engine.feed(piece, 0.0)
    assert seen == chunks


def test_a_blank_line_owed_to_a_comment_is_not_owed_after_an_event() -> None:
    chunks = [text.encode() for text in (chunk("a"), chunk("b"), chunk("c"), ": hi\n", chunk("d"), "\n", chunk("e"))]
    _, report = read_fast_and_slow(chunks)
    assert report["respellings"] == {"blank-line": 1}
    check_chunking(chunks)
