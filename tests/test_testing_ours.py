"""This library under its own tests: contracts, faults, dialects and laws, with streams of `unbroken.testing` only."""

from __future__ import annotations

import asyncio
import json
import math
import pickle
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import (
    DEFAULT_REPAIRS,
    Attempt,
    Comment,
    Conversion,
    Dialect,
    Event,
    EventReader,
    Format,
    Observer,
    Pace,
    Repair,
    RepairKind,
    Retry,
    StreamError,
    StreamRepairer,
    StreamReport,
    Timeouts,
    Verdict,
    aiter_events,
    arepair,
    iter_events,
    register,
    repair,
    retrying,
)
from unbroken.core import fast_path
from unbroken.core.account import MAX_KEPT
from unbroken.core.failure import SENTENCES
from unbroken.core.sse.block import MAX_RETRY
from unbroken.testing import (
    DIALECTS,
    FAULTS,
    REFUSED_ARGUMENTS,
    REFUSED_OPTIONS,
    REPAIR_CASES,
    SSE_CASES,
    TAKEN_ARGUMENTS,
    TAKEN_OPTIONS,
    TIMED_CASES,
    TRANSPORT_FAULTS,
    Answer,
    AsyncNDJSONContract,
    AsyncParserContract,
    AsyncScriptedSource,
    Block,
    BrokenStream,
    Claim,
    Conversation,
    JSONArrayStream,
    NDJSONContract,
    NDJSONStream,
    ParserContract,
    Pause,
    RepairContract,
    Schedule,
    ScriptedSource,
    SSEStream,
    broken,
    chunkings,
    cut_streams,
    dialect_streams,
    events,
    hostile_bytes,
    json_array_streams,
    json_objects,
    json_texts,
    ndjson_streams,
    read_ndjson,
    read_sse,
    repair_options,
    schedules,
    sse_streams,
)
from unbroken.testing.contract.repairer.reading import events_in
from unbroken.testing.conversations import spell
from unbroken.testing.cuts import every
from unbroken.testing.measures import SSE_SHAPES, growth_of_memory, growth_of_time, is_bounded
from unbroken.testing.standard import Seen, is_json

from . import laws
from .drawn import by_dialect
from .measuring import measured_apart

STANDARD: dict[str, Any] = {"format": "sse", "repairs": ()}
LINES: dict[str, Any] = {"format": "ndjson", "repairs": ()}


def as_seen(event: Event) -> Seen:
    return event.event, event.data, event.id


def retries_in(wire: bytes) -> list[int | None]:
    """Return the reconnection time that the block of each event sets, at most that which a clock can be set to."""
    blocks = [block + b"\n\n" for block in re.sub(rb"\r\n?", b"\n", wire).split(b"\n\n")]
    times = [read_sse(block).retry for block in blocks if read_sse(block).events]
    return [None if time is None else min(time, MAX_RETRY) for time in times]


# --- What a repairer did ----------------------------------------------------------------------------------------------

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "dialect": st.sampled_from([*DIALECTS, "text"]),
        "format": st.sampled_from(["sse", "ndjson", "json-array"]),
        "repairs": st.sampled_from([(), frozenset(RepairKind), (RepairKind.RAW_JSON, RepairKind.INVALID_JSON)]),
        "invalid_json": st.sampled_from(["drop", "keep", "error"]),
        "comments": st.just("drop"),
        "max_event_bytes": st.sampled_from([1024, 2000]),
        "last_event_id": st.just("9"),
        "content_type": st.sampled_from(["application/json", "text/event-stream", "application/x-ndjson"]),
    },
)
FAITHFUL = st.fixed_dictionaries(
    {},
    optional={
        "dialect": st.sampled_from([*DIALECTS, "text"]),
        "format": st.sampled_from(["sse", "ndjson", "json-array"]),
        "invalid_json": st.sampled_from(["keep", "error"]),
        "max_event_bytes": st.sampled_from([1024, 2000]),
    },
)
"""Options under which everything is forwarded that is not repaired or reported."""


PACES: list[tuple[dict[str, Any], float]] = [
    ({"pace": "words"}, 1.0),
    ({"pace": "lines"}, 1.0),
    ({"pace": "sentences"}, 1.0),
    ({"pace": Pace("words", max_delay=0.05)}, 0.05),
    ({"pace": Pace("words", max_delay=0.3, rate=20.0)}, 0.3),
    ({"pace": Pace("sentences", rate=100.0)}, 1.0),
    ({"pace": len}, 1.0),
    ({"pace": Pace(lambda text: 2, rate=50.0)}, 1.0),
]
REPLACEMENT = "\ufffd".encode()


@dataclass
class Mended:
    """What a repairer made of a stream."""

    report: StreamReport
    error: StreamError | None
    frames: list[bytes] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)

    @property
    def wire(self) -> bytes:
        return b"".join(self.frames)


def mended(chunks: Iterable[bytes], **options: Any) -> Mended:
    repairs: list[Repair] = []
    repairer = StreamRepairer(**options, on_repair=repairs.append)
    frames = [frame for chunk in chunks for frame in repairer.feed(chunk, 0.0)]
    frames += repairer.close(0.0)
    assert repairer.close(0.0) == repairer.feed(b"data: late\n\n", 0.0) == []
    return Mended(repairer.report, repairer.error, frames, repairs)


def streams() -> st.SearchStrategy[bytes]:
    """Streams of every kind: broken, hostile, legal, and answers of models."""
    answers = [dialect_streams(dialect).map(lambda answer: answer.data) for dialect in DIALECTS]
    return st.one_of(
        hostile_bytes(),
        broken().map(lambda stream: stream.data),
        sse_streams().map(lambda stream: stream.data),
        *answers,
    )


# --- Faults and answers -----------------------------------------------------------------------------------------------


def check_mended(stream: BrokenStream, chunks: Sequence[bytes]) -> None:
    outcome = mended(chunks, **stream.options)
    seen = stream.seen_in(outcome.wire)
    assert (stream.error is None) or (outcome.error is not None and outcome.error.code == stream.error)
    if stream.error:
        _, frame, _ = seen.pop()
        assert stream.error in json.dumps(frame)
    assert seen == stream.expected
    assert set(outcome.report.repairs) == set(stream.repairs)
    assert all(outcome.report.repairs[kind] >= count for kind, count in stream.repairs.items())
    for one in outcome.repairs:
        assert any(start <= one.offset and one.offset + one.length <= end for start, end in stream.places), one


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_is_mended_in_each_of_its_examples(name: str) -> None:
    for stream in FAULTS[name].examples:
        if stream.connections:
            check_resumed(stream)
        else:
            check_mended(stream, [stream.data])
            check_mended(stream, every(stream.data, 1))


# The rest of a last line that is not whole is not waited for, and damaged bytes prove nothing.
NEEDS_ITS_END = ("invalid-utf8", "raw-newline")


@pytest.mark.parametrize("name", sorted(set(FAULTS) - set(NEEDS_ITS_END)))
def test_a_fault_is_mended_where_the_stream_ends_without_a_line_end(name: str) -> None:
    for stream in FAULTS[name].examples:
        if stream.error is None and not stream.connections and stream.data.endswith(b"\n"):
            assert stream.seen_in(mended([stream.data.rstrip(b"\n")], **stream.options).wire) == stream.expected


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {"repeated-event", "missing-done"}))
def test_a_fault_that_is_not_to_be_repaired_is_not(name: str) -> None:
    kind = RepairKind(name)
    for stream in FAULTS[name].examples:
        outcome = mended([stream.data], **{**stream.options, "repairs": frozenset(RepairKind) - {kind}})
        assert kind not in outcome.report.repairs or kind is RepairKind.OVERSIZED_EVENT


@pytest.mark.slow
@given(broken(), st.data())
def test_faults_are_mended_wherever_they_are_planted(stream: BrokenStream, draw: st.DataObject) -> None:
    if not stream.connections:
        check_mended(stream, draw.draw(chunkings(stream.data)))


def check_resumed(stream: BrokenStream) -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        yield stream.connections[attempt.number - 1]
        if attempt.number == 1:
            raise ConnectionResetError

    with closing(repair(retrying(connect, resume=True, retry=Retry(base=0.0)), heartbeat=None)) as out:
        assert stream.seen_in(b"".join(out)) == stream.expected
    assert out.report.repairs == stream.repairs
    assert out.report.retries == 1


CONTINUED = {"openai-chat": '{"content"', "openai-completions": '"text"', "anthropic": "text_delta", "gemini": '"text"'}
"""Dialects of which another answer can go on with one, and what stands in each frame of text."""


@pytest.mark.parametrize("dialect", CONTINUED)
@given(texts=st.lists(st.text("abc ", min_size=1), min_size=2), draw=st.data())
def test_an_answer_that_another_one_goes_on_with_reads_as_one(
    dialect: str, texts: list[str], draw: st.DataObject
) -> None:
    count = draw.draw(st.integers(1, len(texts) - 1))
    whole, rest = (spell(dialect, Answer(text=tuple(said))).frames for said in (texts, texts[count:]))
    begun = whole[: [at for at, frame in enumerate(whole) if CONTINUED[dialect].encode() in frame][count - 1] + 1]

    def connect(attempt: Attempt) -> Iterator[bytes]:
        yield from begun if attempt.number == 1 else rest
        if attempt.number == 1:
            raise ConnectionResetError

    source = retrying(connect, retry=Retry(base=0.0), continues=True)
    with closing(repair(source, heartbeat=None, timeouts=None)) as stream:
        wire = b"".join(stream)
    report = stream.report
    assert (report.text, report.verdict, report.seams) == (
        "".join(texts),
        Verdict.COMPLETE,
        [len("".join(texts[:count]))],
    )
    again = repair([wire], heartbeat=None, timeouts=None)
    assert b"".join(again) == wire
    assert (again.report.text, again.report.second_beginnings) == (report.text, 0)


TOGETHER = [
    (b'data: {"a":1}\n  Data: {"b":2}\n\n', ["field-name@14+15", "missing-blank-line@14+0"]),
    (b'data: {"a":1}\n{"b":2}\n\n', ["missing-blank-line@14+0", "raw-json@14+7"]),
    (b'data: {"a":1}\n[DONE]\n\n', ["stray-line@14+6"]),
    (b'data: {"a":1}\n\n\xffabc\n\ndata: {"b":2}\n\n', ["invalid-utf8@15+1", "stray-line@15+4"]),
    (b'{"a":1}\n{"b":\n{"c":3}\n', ["invalid-json@8+5"]),
    (b'{"a":1}\n{"b":\n', ["invalid-json@8+5"]),
    (b'{"a":1}\ndata:{"b":2}', ["stray-framing@8+12"]),
    (b'{"a":1}\n{"b":"x\ny"}\n{"c":3}\n', ["raw-newline@8+11"]),
    (b'[{"a":1},{"b":],{"c":3}]', ["invalid-json@9+6"]),
    (b'[{"a":1} {"b":2},,{"c":"\xff"}]', ["glued-json@9+0", "invalid-json@17+1", "invalid-utf8@24+1"]),
    (b'[{"a":1},{"b":2}{"c":NaN}]', ["glued-json@16+0", "non-finite@16+9"]),
]


@pytest.mark.parametrize(("data", "repairs"), TOGETHER)
def test_faults_next_to_each_other_are_named_to_the_byte(data: bytes, repairs: list[str]) -> None:
    for size in range(1, len(data) + 1):
        outcome = mended(every(data, size))
        assert [f"{one.kind.value}@{one.offset}+{one.length}" for one in outcome.repairs] == repairs
        assert outcome.report.invalid_utf8 == sum(repair.startswith("invalid-utf8") for repair in repairs)
        if data.startswith(b"["):
            json.loads(outcome.wire)


@pytest.mark.parametrize("status", [100, 199, 200, 204, 299, 300, 404, 503])
def test_a_head_before_a_stream_is_skipped_if_its_status_is_a_success(status: int) -> None:
    for data in (b'data: {"a":1}\n\n', b'{"a":1}\n', b'[{"a":1}]'):
        outcome = mended([b"HTTP/1.1 %d OK\r\nA: b\r\n\r\n%b" % (status, data)])
        if 200 <= status < 300:
            assert (outcome.wire, set(outcome.report.repairs)) == (data, {RepairKind.HTTP_HEAD})
        else:
            assert outcome.error is not None
            assert (outcome.error.code, outcome.error.status_hint) == (
                "not-a-stream",
                status if status >= 400 else None,
            )


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_a_bare_error_line_is_an_event_however_it_ends(end: bytes) -> None:
    outcome = mended([b'data: {"a":1}\n\nerror: {"code":500}' + end])
    assert [data for _, data, _ in read_sse(outcome.wire).events] == ['{"a":1}', '{"error": {"code":500}}']


@pytest.mark.parametrize("name", TRANSPORT_FAULTS)
def test_a_fault_of_the_transport_ends_as_it_says(name: str) -> None:
    fault = TRANSPORT_FAULTS[name]
    for healthy, outcome in fault.examples:
        source = ScriptedSource(fault.steps(healthy.frames))
        with closing(repair(source, abort=source.abort, timeouts=Timeouts(silence=0.1), heartbeat=None)) as stream:
            out = b"".join(stream)
        assert out.startswith(outcome.delivered)
        assert bool(outcome.error) == (out != outcome.delivered)
        assert stream.report.verdict is outcome.verdict
        assert (stream.report.error and stream.report.error.code) == outcome.error
        source = ScriptedSource(fault.steps(healthy.frames))
        events = iter_events(source, abort=source.abort, timeouts=Timeouts(silence=0.1))
        with closing(events), pytest.raises(StreamError) if outcome.error else nullcontext():
            list(events)
        assert (events.report.verdict, events.report.events) == (outcome.verdict, stream.report.events)


def check_account(report: StreamReport, conversation: Conversation) -> None:
    assert report.verdict is Verdict.COMPLETE
    assert (report.text, report.reasoning) == (conversation.text, conversation.reasoning)
    assert report.finish_reason == conversation.finish_reason
    assert report.usage.get("input_tokens") == conversation.input_tokens
    assert report.usage.get("output_tokens") == conversation.output_tokens
    assert report.content_emitted or not (conversation.text or conversation.reasoning or conversation.tools)
    outcome = [(tool["name"], json.loads(tool["arguments"]), tool["arguments_complete"]) for tool in report.tool_calls]
    assert outcome == [(tool.name, json.loads(tool.arguments), True) for tool in conversation.tools]


@by_dialect
@given(draw=st.data())
def test_an_answer_passes_whole_and_is_accounted(dialects: tuple[str, ...], draw: st.DataObject) -> None:
    dialect = draw.draw(st.sampled_from(dialects))
    conversation = draw.draw(dialect_streams(dialect))
    outcome = mended(draw.draw(chunkings(conversation.data)), dialect=dialect)
    assert outcome.wire == conversation.data
    assert not outcome.repairs
    assert outcome.report.events == len(conversation.frames)
    check_account(outcome.report, conversation)


@given(st.sampled_from(["openai-chat", "openai-completions"]).flatmap(dialect_streams))
def test_a_stream_ends_at_its_sentinel_and_not_before(conversation: Conversation) -> None:
    repairer = StreamRepairer(dialect=conversation.dialect)
    for frame in conversation.frames:
        assert not repairer.finished
        repairer.feed(frame, 0.0)
    assert repairer.finished
    assert repairer.report.verdict is Verdict.COMPLETE


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
@given(draw=st.data())
def test_an_answer_is_read_event_by_event(dialect: str, draw: st.DataObject) -> None:
    conversation = draw.draw(dialect_streams(dialect))
    reader = EventReader(dialect=dialect)
    chunks = draw.draw(chunkings(conversation.data))
    items = [item for chunk in chunks for item in reader.feed(chunk)] + reader.close()
    if conversation.is_sse:
        assert [as_seen(item) for item in items] == list(read_sse(conversation.data).events)
    else:
        assert [item.data for item in items] == list(read_ndjson(conversation.data).texts)
    report = reader.report
    assert (report.events, report.chunks_in, report.bytes_in) == (
        len(conversation.frames), len(chunks), len(conversation.data),
    )  # fmt: skip
    check_account(reader.report, conversation)


ENDS_BEFORE = {
    "openai-chat": 2,
    "openai-completions": 1,
    "anthropic": 1,
    "ai-sdk-ui": 1,
    "gemini-interactions": 1,
    "langgraph": 1,
    "openai-assistants": 1,
    "sap-orchestration": 1,
    "sglang-generate": 1,
}
"""How many frames at the end of an answer stand behind one that can say that the answer is whole."""


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
@given(draw=st.data())
def test_an_answer_that_was_cut_is_reported(dialect: str, draw: st.DataObject) -> None:
    """A clean end before the terminator is reported, except after a last event that lacks only its line ends."""
    conversation = draw.draw(dialect_streams(dialect).filter(lambda answer: len(answer.frames) > 1))
    last = conversation.frames[-1]
    cut = draw.draw(st.integers(len(conversation.frames[0]), len(conversation.data) - 1))
    data = conversation.data[:cut]
    behind = b"".join(conversation.frames[-ENDS_BEFORE[dialect] :]) if dialect in ENDS_BEFORE else b""
    if behind and len(conversation.data) - cut <= len(behind) + len(b"\n\n"):
        return  # complete, since a frame before these says so
    if last.startswith(b"data: [DONE]") and len(conversation.data) - cut <= len(b"]\n\n"):
        return  # a sentinel that is cut is known for one
    outcome = mended([data], dialect=dialect)
    is_whole = len(conversation.data) - cut <= len(last) - len(last.rstrip(b"\n"))
    if conversation.is_prose or last.endswith(b"data: null\n\n"):
        is_whole = False  # nothing but a blank line shows that such an event is whole
    assert outcome.report.verdict is (Verdict.COMPLETE if is_whole else Verdict.TRUNCATED)
    assert (outcome.error is None) == is_whole
    assert conversation.text.startswith(outcome.report.text)
    if outcome.error:
        assert outcome.error.code == "truncated"
        mark = SENTENCES["truncated"].encode()
        assert mark in outcome.frames[-1]
        # The schema of AI SDK's clients leaves room for the words of an error alone.
        assert dialect == "ai-sdk-ui" or b"unbroken_error" in outcome.frames[-1]
        assert not any(mark in frame for frame in outcome.frames[:-1])


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
@given(draw=st.data())
def test_an_answer_is_converted_without_loss(dialect: str, draw: st.DataObject) -> None:
    conversation = draw.draw(dialect_streams(dialect))
    outcome = mended(draw.draw(chunkings(conversation.data)), dialect=dialect, convert="openai-chat")
    again = mended([outcome.wire], dialect="openai-chat")
    assert (again.report.text, again.report.reasoning) == (conversation.text, conversation.reasoning)
    assert [(tool["name"], json.loads(tool["arguments"])) for tool in again.report.tool_calls] == [
        (tool.name, json.loads(tool.arguments)) for tool in conversation.tools
    ]
    assert not again.repairs
    assert again.report.verdict is Verdict.COMPLETE
    assert outcome.wire.endswith(b"data: [DONE]\n\n")


@pytest.mark.slow
@given(cut_streams(ndjson_streams(json_objects(), invalid=False)))
def test_lines_become_events_and_events_lines(drawn: tuple[NDJSONStream, list[bytes]]) -> None:
    stream, chunks = drawn
    as_events = mended(chunks, format="ndjson", to="sse")
    assert [json.loads(data) for _, data, _ in read_sse(as_events.wire).events] == list(stream.values)
    as_lines = mended([as_events.wire], to="ndjson", format="sse")
    assert [json.loads(text) for text in read_ndjson(as_lines.wire).texts] == list(stream.values)


@given(events(), st.none() | st.integers(0, 10**9))
def test_an_event_is_written_as_it_is_read(drawn: Seen, retry: int | None) -> None:
    event, data, id = drawn
    reading = read_sse(Event(data, event, id, retry).encode())
    assert reading.events == (drawn,)
    assert reading.retry == retry


@pytest.mark.slow
@given(cut_streams(sse_streams()))
def test_a_reader_gives_comments_in_their_order(drawn: tuple[SSEStream, list[bytes]]) -> None:
    stream, chunks = drawn
    reader = EventReader(**STANDARD)
    items = [item for chunk in chunks for item in reader.feed(chunk)] + reader.close()
    assert tuple(as_seen(item) for item in items if isinstance(item, Event)) == stream.events
    assert not [item for item in items if isinstance(item, Repair)]
    text = stream.data.decode().removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    expected = [line for line in lines if line.startswith(":")]
    comments = [item for item in items if isinstance(item, Comment)]
    assert len(comments) <= len(expected)


# --- The laws ---------------------------------------------------------------------------------------------------------


@given(streams(), OPTIONS, st.data())
def test_law_1_chunking_never_shows(data: bytes, options: dict[str, Any], draw: st.DataObject) -> None:
    laws.check_chunking(draw.draw(chunkings(data)), **options)


@pytest.mark.slow
@given(cut_streams(sse_streams(json_texts(json_objects()), tail=False)))
def test_law_2_an_event_leaves_with_the_byte_that_completes_it(drawn: tuple[SSEStream, list[bytes]]) -> None:
    reader = EventReader(format="sse")
    seen: list[Seen] = []
    read = b""
    for byte in every(drawn[0].data, 1):
        read += byte
        seen += [as_seen(item) for item in reader.feed(byte) if isinstance(item, Event)]
        assert by_value(seen) == by_value(read_sse(read).events)


@pytest.mark.slow
@given(
    st.one_of(sse_streams(json_texts(json_objects()), canonical=True), ndjson_streams(json_objects(), canonical=True))
)
def test_law_3_a_canonical_stream_passes_byte_for_byte(stream: SSEStream | NDJSONStream) -> None:
    separators = any(mark in stream.data for mark in (b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xc2\x85"))
    if not separators:
        outcome = mended([stream.data])
        assert outcome.wire == stream.data
        assert not outcome.repairs
        assert not outcome.report.respellings
        assert outcome.report.comments == (stream.data.count(b"\n:") + stream.data.startswith(b":"))


@pytest.mark.slow
@given(streams(), FAITHFUL)
def test_law_3_what_was_not_repaired_reads_the_same(data: bytes, options: dict[str, Any]) -> None:
    laws.check_reading(data, **options)


@pytest.mark.slow
@given(cut_streams(sse_streams(json_texts(json_objects()))))
def test_law_3_a_legal_stream_is_only_respelt(drawn: tuple[SSEStream, list[bytes]]) -> None:
    stream, chunks = drawn
    outcome = mended(chunks, format="sse", repairs=())
    if not outcome.repairs:
        after = read_sse(outcome.wire)
        assert by_value(after.events) == by_value(stream.events)
        assert (after.last_event_id, after.retry) == (stream.last_event_id, stream.retry)
        assert (outcome.report.last_event_id, outcome.report.retry) == (stream.last_event_id, stream.retry)


def by_value(events: Iterable[Seen]) -> list[Any]:
    return [(name, json.loads(data) if is_json(data) else data, id) for name, data, id in events]


@given(streams(), OPTIONS)
def test_law_4_a_repaired_stream_needs_no_repair(data: bytes, options: dict[str, Any]) -> None:
    options = {name: value for name, value in options.items() if name != "invalid_json"}
    once = mended([data], **options)
    twice = mended([once.wire], **{**options, "format": once.report.format} if once.wire else options)
    if once.error is None:
        assert twice.wire == once.wire
        assert not twice.repairs


@pytest.mark.slow
@given(streams(), FAITHFUL)
def test_law_6_nothing_is_lost_in_silence(data: bytes, options: dict[str, Any]) -> None:
    laws.check_accounted(data, **options)
    laws.check_cut_out(data, **options)


@pytest.mark.slow
@given(broken(), FAITHFUL)
def test_law_6_what_was_dropped_is_named_to_the_byte(stream: BrokenStream, options: dict[str, Any]) -> None:
    laws.check_cut_out(stream.data, **options)


@pytest.mark.slow
@given(streams(), FAITHFUL)
def test_law_7_nothing_is_invented(data: bytes, options: dict[str, Any]) -> None:
    laws.check_no_invention(data, **options)
    laws.check_no_false_end(data, **options)
    outcome = mended([data], **options)
    replaced = sum(one.length for one in outcome.repairs if one.kind is RepairKind.INVALID_UTF8)
    assert outcome.wire.count(REPLACEMENT) <= data.count(REPLACEMENT) + data.lower().count(b"\\ufffd") + replaced


@pytest.mark.slow
@given(streams(), OPTIONS, st.data())
def test_law_9_a_stream_ends_once(data: bytes, options: dict[str, Any], draw: st.DataObject) -> None:
    laws.check_one_end(draw.draw(chunkings(data)), **options)


@given(streams(), st.data())
def test_law_5_any_bytes_are_taken_and_counted(data: bytes, draw: st.DataObject) -> None:
    outcome = mended(draw.draw(chunkings(data)))
    assert outcome.report.bytes_in <= len(data)
    assert outcome.report.bytes_out == len(outcome.wire)
    assert outcome.report.verdict is not Verdict.OPEN
    assert sum(outcome.report.repairs.values()) == len(outcome.repairs)
    for one in outcome.repairs:
        assert 0 <= one.offset <= one.offset + one.length <= len(data)


@given(
    st.sampled_from([(b'data: {"t":"', b'"}\n\n', b""), (b'{"t":"', b'"}\n', b""), (b'{"t":"', b'"}', b"]")]),
    st.integers(-3, 3),
    st.data(),
)
def test_law_5_an_event_may_be_as_long_as_the_limit(
    spelling: tuple[bytes, bytes, bytes], beyond: int, draw: st.DataObject
) -> None:
    begin, end, after = spelling
    room = 1024 + beyond - len(begin) - len(end)
    first = begin + end
    data = (b"[" + first + b"," if after else first) + begin + b"x" * room + end + after
    outcome = mended(draw.draw(chunkings(data)), max_event_bytes=1024)
    assert outcome.report.events == (2 if beyond <= 0 else 1)
    assert outcome.report.repairs[RepairKind.OVERSIZED_EVENT] == (beyond > 0)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SSE_SHAPES, ids=lambda shape: shape.slug)
def test_law_5_repairing_takes_linear_time(shape: Any) -> None:
    def consume(chunks: Iterable[bytes]) -> None:
        repairer = StreamRepairer()
        for chunk in chunks:
            repairer.feed(chunk, 0.0)
        repairer.close(0.0)

    ratio, size = growth_of_time(consume, shape, 2**22)
    assert ratio < 8, (ratio, size)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SSE_SHAPES, ids=lambda shape: shape.slug)
def test_law_5_memory_is_bounded_by_max_event_bytes(shape: Any) -> None:
    def consume(chunks: Iterable[bytes]) -> None:
        repairer = StreamRepairer(max_event_bytes=2**14, account=False)
        for chunk in chunks:
            repairer.feed(chunk, 0.0)
        repairer.close(0.0)

    two_chunks = 2 * len(shape.piece) * shape.pieces_per_chunk
    assert is_bounded(*growth_of_memory(consume, shape, max(2**16, two_chunks)))


# --- Time -------------------------------------------------------------------------------------------------------------

HEARTBEAT, SILENCE = 5.0, 200.0


@dataclass
class Played:
    """What a repairer on a fake clock wrote for a schedule, and when."""

    repairer: StreamRepairer
    now: float = 0.0
    writes: list[tuple[float, bytes]] = field(default_factory=list)

    def write(self, frames: Iterable[bytes]) -> None:
        self.writes += [(self.now, frame) for frame in frames]

    def wait(self, until: float) -> None:
        while (due := self.repairer.next_deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self.write(self.repairer.on_deadline(self.now))
        self.now = max(self.now, until) if until != math.inf else self.now

    def play(self, schedule: Schedule) -> None:
        self.repairer.resume(0.0)
        for step in schedule.steps:
            if isinstance(step, Pause):
                self.wait(self.now + step.seconds)
            elif isinstance(step, bytes):
                self.write(self.repairer.feed(step, self.now))
            elif isinstance(step, Exception):
                self.write(self.repairer.fail(step, self.now))
            elif isinstance(step, Block):
                self.wait(math.inf)
        self.write(self.repairer.close(self.now))


@pytest.mark.slow
@given(schedules(sse_streams(json_texts(json_objects()), canonical=True)))
def test_law_8_and_9_alive_with_one_end(schedule: Schedule) -> None:
    ours = StreamRepairer(heartbeat=HEARTBEAT, timeouts=Timeouts(silence=SILENCE), format="sse")
    played = Played(ours)
    played.play(schedule)
    report = ours.report
    times = [0.0, *(at for at, _ in played.writes)]
    if report.verdict is not Verdict.FAILED:
        times.append(report.duration)
    assert max(later - earlier for earlier, later in pairwise(times)) <= HEARTBEAT
    wire = b"".join(data for _, data in played.writes)
    events = list(read_sse(wire).events)
    whole = b"".join(frame + b"\n\n" for frame in schedule.delivered.split(b"\n\n")[:-1])
    sent = list(read_sse(whole).events)
    failed = report.verdict is Verdict.FAILED
    if failed:
        assert "unbroken_error" in events.pop()[1]
    assert by_value(events) == by_value(sent[: len(events)])
    beats = [data for _, data in played.writes if data in (b":\n\n", b":\n")]
    assert report.heartbeats == len(beats) - whole.count(b":\n\n") or whole.count(b":\n") > 0
    assert report.bytes_out == len(wire)
    assert failed == (report.error is not None)
    if report.error is not None and report.error.code == "silence-timeout":
        assert report.timeout == "silence"
        assert SILENCE - 0.25 <= ours.report.duration - last_arrival(schedule, ours.report.duration) <= SILENCE
    elif not failed:
        assert not any(isinstance(step, Exception | Block) for step in schedule.steps)
        assert len(events) == len(sent)


@pytest.mark.parametrize("content_type", [None, "text/event-stream", "application/json", "application/x-ndjson"])
@pytest.mark.parametrize("data", [b'data: {"a":1}\n\n', b'{"a":1}\n{"a":2}\n', b'[{"a":1},{"a":2}]', b"<html>"])
@given(st.integers(0, 3), st.integers(1, 4))
def test_law_8_heartbeats_before_a_stream_break_nothing(
    content_type: str | None, data: bytes, before: int, size: int
) -> None:
    ours = StreamRepairer(heartbeat=HEARTBEAT, content_type=content_type)
    ours.resume(0.0)
    left = [frame for beat in range(1, before + 1) for frame in ours.on_deadline(HEARTBEAT * beat)]
    assert len(left) == before
    now = HEARTBEAT * before
    left += [frame for chunk in every(data, size) for frame in ours.feed(chunk, now)] + ours.close(now)
    wire = b"".join(left)
    expected = [1] if data.startswith(b"data") else [1, 2]
    if data == b"<html>":
        assert wire.count(b"unbroken_error") == 1
    elif b"data: " in wire:
        assert [json.loads(data)["a"] for _, data, _ in read_sse(wire).events] == expected
    elif wire.strip().startswith(b"["):
        assert [element["a"] for element in json.loads(wire)] == expected
    else:
        assert [json.loads(text)["a"] for text in read_ndjson(wire).texts] == expected


@given(st.sampled_from(DIALECTS).flatmap(dialect_streams), st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_a_report_has_the_longest_gap_between_events(conversation: Conversation, pauses: list[int]) -> None:
    repairer = StreamRepairer(dialect=conversation.dialect)
    now, gaps = 100.0, []
    for number, frame in enumerate(conversation.frames):
        gap = pauses[number % len(pauses)] if number else 0
        now += gap
        gaps.append(gap)
        repairer.feed(frame, now)
    repairer.close(now)
    report = repairer.report
    assert report.longest_gap == max(gaps)
    assert report.duration == sum(gaps)
    assert report.first_byte == report.first_event == 0.0


def last_arrival(schedule: Schedule, before: float) -> float:
    return max((at for at, chunk in schedule.arrivals() if at <= before and chunk), default=0.0)


@given(dialect_streams("openai-chat").filter(lambda answer: len(answer.text) > 0), st.floats(1.0, 50.0))
def test_the_content_clocks_run_from_content_to_content(conversation: Conversation, limit: float) -> None:
    repairer = StreamRepairer(heartbeat=None, timeouts=Timeouts(first=limit, idle=limit / 2, silence=None))
    repairer.resume(0.0)
    assert repairer.next_deadline() is None  # no dialect is known yet
    repairer.feed(conversation.frames[0], 0.0)
    early = max(limit / 16, 0.0)
    due = repairer.next_deadline()
    assert due is not None
    assert limit - early <= due <= limit
    for frame in conversation.frames[1:-3]:
        repairer.feed(frame, 0.5)
    due = repairer.next_deadline()
    assert due is not None
    if repairer.report.content_emitted:
        assert 0.5 + limit / 2 - early <= due <= 0.5 + limit / 2
    frames = repairer.on_deadline(due)
    assert repairer.error is not None
    assert repairer.error.code == ("idle-timeout" if repairer.report.content_emitted else "first-timeout")
    assert len(frames) == 1


def test_the_cases_of_the_standard_pass_a_repairer_unharmed() -> None:
    for case in SSE_CASES:
        outcome = mended([case.data], **STANDARD)
        after = read_sse(outcome.wire)
        assert after.events == case.events
        assert outcome.report.last_event_id == case.last_event_id
        if case.data.endswith(b"\n\n"):  # what is pending at the end is not forwarded, and its `retry:` not counted
            assert outcome.report.retry == case.retry
        assert outcome.report.format is Format.SSE


@given(st.integers(1, 6), st.integers(0, 6), st.integers(0, 6), st.booleans())
def test_a_resumed_stream_loses_and_doubles_nothing(count: int, initial: int, cut: int, anew: bool) -> None:
    """A server that continues after the last id, or starts again after the initial one."""
    frames = [b"id: %d\ndata: %d\n\n" % (number, number) for number in range(1, count + 1)]
    initial, cut = min(initial, count), min(cut, count)

    def connect(attempt: Attempt) -> Iterator[bytes]:
        position = int(attempt.last_event_id or 0)
        if attempt.number == 1:
            yield from frames[position:cut]
            raise ConnectionResetError
        yield from frames[(initial if anew else position) :]

    last = str(initial) if initial else ""
    with closing(iter_events(retrying(connect, resume=True, retry=Retry(base=0.0)), last_event_id=last)) as stream:
        assert [int(event.data) for event in stream] == list(range(initial + 1, count + 1))
    assert stream.report.repairs[RepairKind.REPEATED_EVENT] == (max(cut - initial, 0) if anew else 0)


@pytest.mark.parametrize("name", TRANSPORT_FAULTS)
def test_a_fault_of_the_transport_ends_so_in_an_event_loop(name: str) -> None:
    async def read(healthy: Any, outcome: Any) -> None:
        source = AsyncScriptedSource(TRANSPORT_FAULTS[name].steps(healthy.frames))
        stream = arepair(source, timeouts=Timeouts(silence=0.1), heartbeat=None)
        out = b"".join([frame async for frame in stream])
        assert out.startswith(outcome.delivered)
        assert stream.report.verdict is outcome.verdict
        assert source.closed

    for healthy, outcome in TRANSPORT_FAULTS[name].examples:
        asyncio.run(read(healthy, outcome))


# --- Reports and observers --------------------------------------------------------------------------------------------


class Witness(Observer):
    """Records the calls that it gets, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.repairs: list[Repair] = []
        self.read = 0

    def started(self, report: StreamReport) -> None:
        self.calls.append("started")

    def received(self, report: StreamReport, chunk: bytes, at: float) -> None:
        self.read += len(chunk)
        assert at == self.calls.count("received")
        self.calls.append("received")

    def content(self, report: StreamReport, gap: float) -> None:
        assert gap >= 0
        self.calls.append("content")

    def repaired(self, repair: Repair) -> None:
        self.repairs.append(repair)

    def ended(self, report: StreamReport) -> None:
        assert report.verdict is not Verdict.OPEN
        self.calls.append("ended")


@pytest.mark.slow
@given(streams(), st.data())
def test_law_9_an_observer_is_called_for_one_beginning_and_one_end(data: bytes, draw: st.DataObject) -> None:
    chunks = [chunk for chunk in draw.draw(chunkings(data)) if chunk]
    witness, repairs = Witness(), list[Repair]()
    repairer = StreamRepairer(observers=[witness], on_repair=repairs.append)
    now, start = 10.0, 10.0
    for chunk in chunks[: draw.draw(st.integers(0, len(chunks)))]:
        if not repairer.finished:  # an adapter reads no further
            repairer.feed(chunk, now)
            now += 1
    finish = draw.draw(st.sampled_from(["close", "cancel", "fail"]))
    went_on = not repairer.finished
    if finish == "fail":
        repairer.fail(ConnectionResetError(), now)
    else:
        getattr(repairer, finish)(now)
    report = repairer.report
    assert (witness.calls[0], witness.calls[-1]) == ("started", "ended")
    assert witness.calls.count("started") == witness.calls.count("ended") == 1
    assert witness.repairs == repairs
    # An observer sees each chunk whole, also what follows the end in it.
    assert witness.read == report.bytes_in or (witness.read > report.bytes_in and not went_on)
    assert ("content" in witness.calls) == report.content_emitted
    if went_on:
        assert report.duration == now - start
    if now == start:
        ends = {"close": {Verdict.ENDED}, "cancel": {Verdict.CANCELLED}, "fail": {Verdict.FAILED}}
        assert report.verdict in ends[finish]
    assert (report.verdict is Verdict.CANCELLED) <= (finish == "cancel")


@pytest.mark.slow
@given(dialect_streams("openai-chat"), dialect_streams("openai-chat"), st.data())
def test_two_choices_are_kept_apart(first: Conversation, second: Conversation, draw: st.DataObject) -> None:
    lines = [json.loads(frame[len("data: ") :]) for frame in second.frames[:-2]]
    for line in lines:
        line["choices"][0]["index"] = 1
    others = [f"data: {json.dumps(line)}\n\n".encode() for line in lines]
    at = draw.draw(st.integers(0, len(first.frames) - 2))
    outcome = mended([*first.frames[:at], *others, *first.frames[at:]])
    assert (outcome.report.text, outcome.report.reasoning) == (first.text, first.reasoning)
    assert outcome.report.verdict is Verdict.COMPLETE
    calls = [(tool["choice"], tool["name"], json.loads(tool["arguments"])) for tool in outcome.report.tool_calls]
    expected = [(0, tool.name, json.loads(tool.arguments)) for tool in first.tools]
    expected += [(1, tool.name, json.loads(tool.arguments)) for tool in second.tools]
    assert sorted(calls, key=str) == sorted(expected, key=str)


@pytest.mark.slow
@given(st.sampled_from(DIALECTS), st.integers(40, 400), st.integers(1, 9))
def test_a_passage_that_is_said_again_is_counted(dialect: str, length: int, times: int) -> None:
    passage = " ".join(map(str, range(1000)))[:length]
    text = ("Well.", *([passage] * times))
    outcome = mended([spell(dialect, Answer(text)).data], dialect=dialect)
    assert outcome.report.repetitions == times
    assert not outcome.report.cumulative_text


# There an event may hold the whole text so far, and a piece that grows is read as that.
_MAY_GROW = ("dashscope", "sglang-generate")


@pytest.mark.slow
@given(st.sampled_from([name for name in DIALECTS if name not in _MAY_GROW]), st.integers(1, 9))
def test_text_that_grows_is_noticed_at_its_fourth_piece(dialect: str, pieces: int) -> None:
    text = tuple("abcdefghi"[: at + 1] for at in range(pieces))
    outcome = mended([spell(dialect, Answer(text)).data], dialect=dialect)
    assert outcome.report.cumulative_text == (pieces >= 4)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
@given(draw=st.data())
def test_tokens_are_the_provider_s_or_counted(dialect: str, draw: st.DataObject) -> None:
    """The usage of a whole answer is the provider's; that of a cut one is estimated, here in words."""
    conversation = draw.draw(dialect_streams(dialect))
    report = mended([conversation.data], dialect=dialect, count_tokens=lambda text: len(text.split())).report
    if conversation.output_tokens is None:
        assert report.tokens_source == "count_tokens"
        assert report.tokens_received == len(conversation.text.split()) + len(conversation.reasoning.split())
    else:
        assert (report.tokens_received, report.tokens_source) == (conversation.output_tokens, "provider")


# --- Cases of known output --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [57, 10**9])
def test_the_cases_are_read_event_by_event(size: int) -> None:
    """A reader gives the events that were written, with the repairs before them, and the same report."""
    for case in REPAIR_CASES:
        if not {"to", "convert", "errors"} & {*case.options} and len(case.data) < min(100 * size, 50_000):
            reader = EventReader(**case.options)
            items = [item for chunk in every(case.data, size) for item in reader.feed(chunk)] + reader.close()
            repairs = [item for item in items if isinstance(item, Repair)]
            assert [f"{one.kind.value}@{one.offset}+{one.length}" for one in repairs] in (
                list(case.repairs),
                [repair for repair in case.repairs if not repair.startswith("missing-done")],
            )
            seen = [as_seen(item) for item in items if isinstance(item, Event)]
            framing = reader.report.format.value if reader.report.format else "sse"
            if framing == "json-array" and not is_json(case.wire):
                continue
            written = events_in(case.wire, framing, case.options.get("last_event_id", ""))
            if framing != "sse":
                seen, written = ([("message", data, "") for _, data, _ in events] for events in (seen, written))
            # An error of ours is raised, and a `[DONE]` that was missing is written.
            assert seen in (written, written[:-1]), case.name
            if framing == "sse":
                times = [item.retry for item in items if isinstance(item, Event)]
                assert times == retries_in(case.wire)[: len(times)], case.name
            assert reader.report.events == len(seen)
            facts = reader.report.as_dict()
            expected = {name: value for name, value in case.reported.items() if name in facts and name != "bytes_out"}
            assert {name: facts[name] for name in expected} == expected, case.name
            if size > len(case.data):
                stream = iter_events([case.data], timeouts=None, **case.options)
                with suppress(StreamError):
                    again = [as_seen(event) for event in stream]
                    assert [data for _, data, _ in again] == [data for _, data, _ in seen], case.name
                facts = stream.report.as_dict()
                assert {name: facts[name] for name in expected} == expected, case.name


def test_an_error_says_why_and_can_be_pickled() -> None:
    repairer = StreamRepairer(provider="p", request_id="r")
    repairer.feed(b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n', 0.0)
    repairer.close(0.0)
    error = repairer.error
    assert error is not None
    assert str(error) == ("truncated: The stream ended before it was complete. (provider='p' request_id='r' tokens=1)")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.safe_to_retry, again.report) == (str(error), False, None)
    assert (again.provider, again.request_id, again.tokens_received, again.retry_count) == ("p", "r", 1, 0)
    assert error.report is repairer.report


@pytest.mark.parametrize(
    "event",
    [Event("a", event="b\nc"), Event("a", event="b\rc"), *(Event("a", id=f"b{mark}c") for mark in "\r\n\0")]
    + [Event("a", retry=retry) for retry in (-1, True, 1.5)],  # type: ignore[arg-type]
    ids=repr,
)
def test_an_event_that_no_frame_can_spell_is_refused(event: Event) -> None:
    with pytest.raises(ValueError, match=r"Event\."):
        event.encode()


@pytest.mark.parametrize("reader", [StreamRepairer, EventReader])
def test_a_buffer_is_copied_and_text_is_refused(reader: Any) -> None:
    now = (0.0,) if reader is StreamRepairer else ()
    ours, buffer = reader(), bytearray(b"data: a")
    assert ours.feed(buffer, *now) == []
    buffer[:] = b"XXXXXXX"
    assert len(ours.feed(memoryview(b"\n\n"), *now)) == 1
    assert ours.report.bytes_in == 9
    assert ours.report.chunks_in == 2
    with pytest.raises(TypeError, match="bytes"):
        ours.feed("data: a", *now)


@pytest.mark.parametrize("size", [1, 3, 99])
def test_a_reader_gives_comments_and_repairs_where_they_stood(size: int) -> None:
    data = b': a\n\ndata: {"x":1}\n\n:b\n\n{"x":2}\n\n:\n\n'
    for options, comments in (({}, ["a", "b", ""]), ({"comments": "drop"}, [])):
        reader = EventReader(**options)  # type: ignore[arg-type]
        items = [item for chunk in every(data, size) for item in reader.feed(chunk)] + reader.close()
        assert [item.text for item in items if isinstance(item, Comment)] == comments
        kinds = [type(item) for item in items if not isinstance(item, Comment)]
        assert kinds == [Event, Repair, Event]
        assert reader.report.comments == 3


def test_a_reader_that_was_closed_takes_nothing_more() -> None:
    reader = EventReader()
    assert len(reader.feed(b'data: {"a":1}\n')) == 0
    assert len(reader.close()) == 2  # the repair, and the event
    assert reader.close() == []
    with pytest.raises(ValueError, match="close"):
        reader.feed(b"data: b\n\n")


def test_ids_that_were_forgotten_are_repetitions_between_the_first_and_the_remembered() -> None:
    """4,096 ids are remembered, besides the first: what a server sends again after that one is not new."""
    frames = [b"id: %d\ndata: %d\n\n" % (number, number) for number in range(4200)]

    def connect(attempt: Attempt) -> Iterator[bytes]:
        if attempt.number == 1:
            yield b"".join(frames[:4150])
            raise ConnectionResetError
        yield b"".join(frames)

    with closing(iter_events(retrying(connect, resume=True, retry=Retry(base=0.0)))) as stream:
        assert [int(event.data) for event in stream] == list(range(4200))
    assert stream.report.repairs[RepairKind.REPEATED_EVENT] == 4150
    assert stream.report.retries == 1


def test_the_first_64_repairs_are_kept() -> None:
    report = mended([b"[" + b",".join([b"x"] * 66) + b"]"], format="json-array").report
    assert (len(report.first_repairs), report.repairs[RepairKind.INVALID_JSON]) == (64, 66)
    assert report.first_repairs[-1].offset == 1 + 2 * 63


# --- The contracts ----------------------------------------------------------------------------------------------------


def every_event(events: Iterable[Event]) -> Iterator[Seen]:
    """Yield the events, and not what is raised behind the last of them: that upstream reported an error among them."""
    with suppress(StreamError):
        yield from map(as_seen, events)


@measured_apart
class TestEvents(ParserContract):
    def parse(self, chunks: Iterable[bytes]) -> Iterator[Seen]:
        return every_event(iter_events(chunks, timeouts=None, **STANDARD))

    def parse_as(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Seen]:
        return every_event(iter_events(chunks, timeouts=None, content_type=content_type, **STANDARD))

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        stream = iter_events(chunks, timeouts=None, **STANDARD)
        for _ in stream:
            pass
        return stream.report.retry


class InAThread(ParserContract):
    """With timeouts, upstream is read ahead in a thread."""

    def parse(self, chunks: Iterable[bytes]) -> Iterator[Seen]:
        return every_event(iter_events(chunks, **STANDARD))


def test_an_event_that_is_read_in_a_thread_leaves_with_the_byte_that_completes_it() -> None:
    InAThread().test_an_event_leaves_with_the_byte_that_completes_it()


@pytest.mark.slow
class TestAsyncEvents(AsyncParserContract):
    async def aparse(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[Seen]:
        with suppress(StreamError):
            async for event in aiter_events(chunks, timeouts=None, **STANDARD):
                yield as_seen(event)


@pytest.mark.slow
class TestEventReader(ParserContract):
    def parse(self, chunks: Iterable[bytes]) -> Iterator[Seen]:
        reader = EventReader(**STANDARD)
        for chunk in chunks:
            yield from (as_seen(item) for item in reader.feed(chunk) if isinstance(item, Event))
        yield from (as_seen(item) for item in reader.close() if isinstance(item, Event))

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        reader = EventReader(**STANDARD)
        for chunk in chunks:
            reader.feed(chunk)
        return reader.report.retry


@pytest.mark.slow
class TestMendedBytes(ParserContract):
    """What a conforming reader sees in the output of a repairer without repairs."""

    def parse(self, chunks: Iterable[bytes]) -> list[Seen]:
        with closing(repair(chunks, timeouts=None, heartbeat=None, **STANDARD)) as stream:
            return list(read_sse(b"".join(stream)).events)

    does_not_claim = (Claim.BOUNDED_MEMORY,)  # it keeps all output to read it


@measured_apart
class TestLines(NDJSONContract):
    def parse(self, chunks: Iterable[bytes]) -> Iterator[Any]:
        return (event.json() for event in iter_events(chunks, timeouts=None, **LINES))


@pytest.mark.slow
class TestAsyncLines(AsyncNDJSONContract):
    async def aparse(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[Any]:
        async for event in aiter_events(chunks, timeouts=None, **LINES):
            yield event.json()


@given(cut_streams(json_array_streams()))
def test_an_array_is_read_element_by_element(drawn: tuple[JSONArrayStream, list[bytes]]) -> None:
    stream, chunks = drawn
    assert [event.data for event in iter_events(chunks, format="json-array")] == list(stream.texts)


# --- The laws, with options -------------------------------------------------------------------------------------------

OF_ACCOUNT = 5 * MAX_KEPT
"""Bytes that an account may keep: characters of four bytes each, and the room in which its buffers grow."""
OF_STREAM = 2**18
"""Bytes that a repairer may keep besides: its tables, its templates, the chunk and the frames at hand."""


@measured_apart
class TestOurs(RepairContract):
    options = repair_options()
    conversions = ({"to": "ndjson"}, {"to": "sse"}, {"convert": "openai-chat"})
    rewrites = laws.REWRITES
    longest_retry = MAX_RETRY
    cases = REPAIR_CASES
    timed_cases = TIMED_CASES
    paces = PACES
    refused_options = REFUSED_OPTIONS
    taken_options = TAKEN_OPTIONS
    refused_arguments = REFUSED_ARGUMENTS
    taken_arguments = TAKEN_ARGUMENTS
    constructors: ClassVar[dict[str, Callable[..., object]]] = {
        "Conversion": Conversion,
        "Dialect": lambda **given: register(type("Mine", (Dialect,), given)),
        "EventReader": EventReader,
        "Event": lambda **given: Event(**given).encode(),
        "Pace": Pace,
        "Timeouts": Timeouts,
    }

    def repair(self, chunks: Iterable[bytes], options: dict[str, Any]) -> Iterator[bytes]:
        repairer = StreamRepairer(**options)
        for chunk in chunks:
            yield from repairer.feed(chunk, 0.0)
        yield from repairer.close(0.0)

    def facts(self, chunks: Iterable[bytes], options: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        result = laws.repaired(list(chunks), **options)
        facts = laws.facts(result.report) | self.facts_of(result)
        facts["repairs"] = laws.spelt(result.repairs)
        return result.wire, facts

    def facts_of(self, repairer: StreamRepairer | EventReader | laws.Repaired) -> dict[str, Any]:
        report = repairer.report
        facts = report.as_dict() | {"failure": report.error and str(report.error)}
        facts["detail"] = report.error and report.error.failure.detail
        if isinstance(repairer, StreamRepairer):
            facts["early_error"] = repairer.early_error and repairer.early_error.code
        return facts

    def events(self, chunks: Iterable[bytes], options: dict[str, Any]) -> list[Seen]:
        seen: list[Seen] = []
        try:
            seen.extend(map(as_seen, iter_events(chunks, timeouts=None, **options)))
        except StreamError:
            pass
        return seen

    def variants(self) -> dict[str, Callable[[Sequence[bytes], dict[str, Any]], Iterable[bytes]]]:
        return {"sync": self.sync, "async": self.asynchronous, "without the fast path": self.without_fast_path}

    def sync(self, chunks: Sequence[bytes], options: dict[str, Any]) -> Iterable[bytes]:
        with closing(repair(chunks, timeouts=None, heartbeat=None, **options)) as stream:
            return list(stream)

    def asynchronous(self, chunks: Sequence[bytes], options: dict[str, Any]) -> Iterable[bytes]:
        async def read() -> list[bytes]:
            source = AsyncScriptedSource(chunks)
            return [frame async for frame in arepair(source, timeouts=None, heartbeat=None, **options)]

        return asyncio.run(read())

    def without_fast_path(self, chunks: Sequence[bytes], options: dict[str, Any]) -> Iterable[bytes]:
        before, fast_path.enabled = fast_path.enabled, False
        try:
            return list(self.repair(chunks, options))
        finally:
            fast_path.enabled = before

    def clocked(self, options: dict[str, Any], **seconds: float) -> StreamRepairer:
        timeouts = {name: seconds.get(name) for name in ("first", "idle", "silence", "total")}
        return StreamRepairer(**options, heartbeat=seconds.get("heartbeat"), timeouts=Timeouts(**timeouts))

    def watched(
        self, options: dict[str, Any], tell: Callable[[str, Any], None], hooks: Collection[str], **seconds: float
    ) -> StreamRepairer:
        class Telling(Observer):
            pass

        hear: dict[str, Callable[..., None]] = {
            "started": lambda self, report: tell("started", None),
            "received": lambda self, report, chunk, at: tell("received", (chunk, at)),
            "content": lambda self, report, gap: tell("content", gap),
            "repaired": lambda self, repair: tell("repaired", (repair.kind.value, repair.offset, repair.length)),
            "ended": lambda self, report: tell("ended", report.verdict.value),
        }
        for name in hooks:
            setattr(Telling, name, hear[name])
        return self.clocked({**options, "observers": [Telling()]}, **seconds)

    def reading(self, options: dict[str, Any]) -> EventReader:
        return EventReader(**options)

    def reconnecting(self, connect: Callable[[str], Iterator[bytes]], options: dict[str, Any]) -> Iterable[bytes]:
        source = retrying(
            lambda attempt: connect(attempt.last_event_id), resume=True, retry=Retry(max_retries=9, base=0.0)
        )
        with closing(repair(source, heartbeat=None, timeouts=None, **options)) as stream:
            return list(stream)

    def declared(self, content_type: str) -> dict[str, Any]:
        return {"content_type": content_type}

    def bounded(self, limit: int) -> list[tuple[dict[str, Any], int]]:
        return [
            ({"max_event_bytes": limit}, OF_ACCOUNT + OF_STREAM),
            ({"max_event_bytes": limit, "account": False}, OF_STREAM),
        ]

    def ends_at_sentinel(self, options: dict[str, Any]) -> bool:
        repairs, dialect = options.get("repairs", DEFAULT_REPAIRS), options.get("dialect")
        return (
            RepairKind.AFTER_DONE in repairs
            and dialect in (None, "openai-chat", "openai-completions")
            and options.get("format") in (None, "sse")
        )
