"""Recorded streams of fifty providers: read the same at every cut, repaired where they are broken and nowhere else."""

import random
from collections import Counter
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import Event, RepairKind, Verdict
from unbroken.testing.cuts import every

from . import captures, drawn, laws

pytestmark = captures.needs_captures

STREAMS = captures.chosen(lambda entry: entry["format"] in ("sse", "ndjson", "json-array"))
BODIES = captures.chosen(lambda entry: entry["format"] in ("json", "other"))
# A quarter of them every day.
ASKED = [file if place % 4 == 0 else pytest.param(file, marks=pytest.mark.slow) for place, file in enumerate(STREAMS)]
every_stream = pytest.mark.parametrize("file", ASKED)
ENTRIES = {entry["file"]: entry for entry in captures.manifest()}

SMALL = 3 * 1024
"""Bytes of a body that is read byte by byte, and that all cuts are also read from as events."""

OTHER_WORDS = "the recorder or a shell left its own words around a stream that is whole"
NO_BLANK_LINE_AT_THE_END = "the last event is whole JSON or [DONE], and only its blank line is missing"
SINGLE_NEWLINES = "each event is whole JSON, and only one line end stands between them"
NO_NAMES = "clients of the Responses API know events by their name, and this gateway left the names out"

REPAIRED: tuple[tuple[str, dict[RepairKind, int], tuple[str, ...]], ...] = (
    (
        NO_BLANK_LINE_AT_THE_END,
        {RepairKind.UNTERMINATED_EVENT: 1},
        (
            "github-copilot/nesprovider-reply-1c2d1e4b.bin",
            "google-gemini/streaming-failure-prompt-blocked-safety-5c106a27.bin",
            "google-gemini/streaming-success-no-content-parts-2d0e9ff4.bin",
            "google-gemini/streaming-success-quotes-escaped-0700f3b0.bin",
            "mistral/stream-basic-text-1-16251e32.bin",
            "openai-compatible-gateway/anthropic-fallback-tool-call-ecd02bc3.bin",
            "openai/azure-openai-chat-completion-stream-tools-chunks-7e2fbff0.bin",
            "openai/llm-v1-completions-9f6f34b5.bin",
            "openai/stream-gpt5-2-02-41ad5343.bin",
            "openai/thinking-stream-vllm-glm4-5-01-b3efe7ea.bin",
            "synthetic/anthropic/basic-response-4cef9a87.bin",
            "synthetic/anthropic/compaction-response-4e3381c9.bin",
            "synthetic/anthropic/fallback-credit-response-9ca32d0a.bin",
            "synthetic/anthropic/fallback-response-1f6c57ba.bin",
            "synthetic/anthropic/incomplete-partial-json-response-e0e79ee1.bin",
            "synthetic/anthropic/refusal-response-13f671d6.bin",
            "synthetic/anthropic/tool-use-response-53787cbf.bin",
            "synthetic/kong-fixtures/text-event-stream-input-a607a915.bin",
            "xai/stream-basic-text-responses-1-4fdb60df.bin",
        ),
    ),
    (
        "the last line is `data: [DONE] `, with a blank that clients compare, and without its blank line",
        {RepairKind.UNTERMINATED_EVENT: 1, RepairKind.DONE_SPELLING: 1},
        (
            "groq/stream-with-tools-2-3d85fb28.bin",
            "openrouter/stream-text-with-a-prompt-1-1d46aaf5.bin",
        ),
    ),
    (
        SINGLE_NEWLINES,
        {RepairKind.MISSING_BLANK_LINE: 9, RepairKind.UNTERMINATED_EVENT: 1},
        ("synthetic/alibaba/dashscope-compat-zh-single-newline-8eb8781c.bin",),
    ),
    (
        SINGLE_NEWLINES,
        {RepairKind.MISSING_BLANK_LINE: 195, RepairKind.UNTERMINATED_EVENT: 1},
        ("synthetic/gateway-test/test-raw-message-78e60812.bin",),
    ),
    (
        SINGLE_NEWLINES,
        {RepairKind.MISSING_BLANK_LINE: 8, RepairKind.UNTERMINATED_EVENT: 1},
        ("synthetic/openai/chatcompletionping-e6333fab.bin",),
    ),
    (
        SINGLE_NEWLINES,
        {RepairKind.MISSING_BLANK_LINE: 11, RepairKind.UNTERMINATED_EVENT: 1},
        ("synthetic/openai/createstreamedresponsefixture-11e0057b.bin",),
    ),
    (
        SINGLE_NEWLINES,
        {RepairKind.MISSING_BLANK_LINE: 3, RepairKind.UNTERMINATED_EVENT: 1},
        (
            "synthetic/google-gemini/stream-basic-text-1-77dd9068.bin",
            "synthetic/openai/chatcompletionkeepalive-4a00aec2.bin",
        ),
    ),
    (
        "a line of one blank stands where the blank line should, after whole JSON",
        {RepairKind.MISSING_BLANK_LINE: 5},
        ("synthetic/moonshot/moonshot-usage-inside-choice-space-lines-7c8977b6.bin",),
    ),
    (
        "an event was overwritten by a whole one of the same shape: its broken beginning goes",
        {RepairKind.SPLICED_EVENT: 1},
        (
            "kilo-gateway/kilo-kimi-k25-splice-in-id-2afe3c2c.bin",
            "zai/zai-glm47-splice-after-id-colon-35496421.bin",
            "zai/zai-glm47-splice-in-role-bddd13f9.bin",
            "zai/zai-glm51-splice-in-object-53517a22.bin",
            "zai/zai-glm51-splice-in-role-key-b0d24f48.bin",
        ),
    ),
    (
        NO_NAMES,
        {RepairKind.EVENT_NAME_RESTORED: 11},
        (
            "openrouter/openai-responses-stream-against-openrouter-completes-c9edf683.bin",
            "openrouter/test-image-prompt-488d677f.bin",
            "openrouter/test-reasoning-da66a499.bin",
        ),
    ),
    (NO_NAMES, {RepairKind.EVENT_NAME_RESTORED: 12}, ("openrouter/test-llm-openrouter-test-prompt-45c52d45.bin",)),
    (NO_NAMES, {RepairKind.EVENT_NAME_RESTORED: 7}, ("openrouter/test-tool-calls-495fa69a.bin",)),
    (
        OTHER_WORDS,
        {RepairKind.STRAY_LINE: 1, RepairKind.UNFINISHED_TAIL: 1},
        ("anthropic/thinking-stream-01-df703cd8.bin",),
    ),
    (
        OTHER_WORDS,
        {RepairKind.HTTP_HEAD: 1},  # the other words stand behind the sentinel, where nothing is read
        ("deepseek/thinking-stream-deepseek-01-63d6a94f.bin",),
    ),
    (
        "an indented first `data:` line holds a whole chunk, which every client overlooks",
        {RepairKind.FIELD_NAME: 1},
        ("openrouter/test-tools-streaming-variant-c-342a836e.bin",),
    ),
    (
        "`data: [DONE]` in a stream of Anthropic's, whose clients read nothing but JSON",
        {RepairKind.INVALID_JSON: 1},
        ("anthropic/gateway-message-delta-metadata-f95fa102.bin",),
    ),
    (
        "the API's own flat error, which its official clients pass over",
        {RepairKind.FLAT_ERROR: 1},
        ("synthetic/openai/stream-errorar-92205799.bin",),
    ),
    (
        "a tool call without its `index`, which the official client needs",
        {RepairKind.TOOL_INDEX: 1},
        (
            "google-gemini-openai-compat/gemini-openai-compat-tool-no-index-7c3e6006.bin",
            "mistral/test-synchronous-streaming-chat-completions-with-tool-call-response-emits-expect-b9133f92.bin",
        ),
    ),
    (
        "`data:` without anything, which clients of chat completions cannot parse",
        {RepairKind.EMPTY_DATA: 1},
        ("synthetic/gateway-test/empty-sse-frames-9a5624b6.bin",),
    ),
    (
        "the error came as bare JSON without `data:`, where every client overlooks it",
        {RepairKind.RAW_JSON: 1},
        ("synthetic/google-gemini/streaming-failure-error-mid-stream-40958d6e.bin",),
    ),
    (
        "the connection was cut inside a line",
        {RepairKind.UNFINISHED_TAIL: 1},
        ("ollama/ollama-chat-cloudflare-tunnel-cut-b6eec7d4.bin",),
    ),
)
"""Every body with a repair, and why it is right."""

KINDS = {file: kinds for _, kinds, files in REPAIRED for file in files}

RECOGNISED = {"json": "json-error", "other": "binary"}


@cache
def repaired(file: str) -> laws.Repaired:
    return laws.repaired([captures.body(file)])


def cut_at_random(file: str) -> list[bytes]:
    data, lengths = captures.body(file), random.Random(file)
    chunks = []
    while data:
        length = lengths.choice([1, 3, 17, 60, 200, 1400])
        chunks.append(data[:length])
        data = data[length:]
    return chunks


def recorded(file: str) -> list[bytes] | None:
    """Cut a body as the network did, where the recorder wrote that down."""
    data, at = captures.body(file), 0
    chunks = []
    for size in ENTRIES[file].get("chunk_sizes", ()):
        chunks.append(data[at : at + size])
        at += size
    assert not chunks or at == len(data)
    return chunks or None


@every_stream
def test_a_body_comes_out_the_same_at_every_cut(file: str) -> None:
    whole = repaired(file)
    small = len(captures.body(file)) <= SMALL
    for chunks in (cut_at_random(file), recorded(file), every(captures.body(file), 1) if small else None):
        if chunks is None:
            continue
        other = laws.repaired(chunks)
        assert other.wire == whole.wire
        assert other.repairs == whole.repairs
        assert laws.facts(other.report) == laws.facts(whole.report)
        if small:
            assert laws.read(chunks) == laws.read([captures.body(file)])


@every_stream
def test_a_body_is_repaired_where_it_is_broken_and_nowhere_else(file: str) -> None:
    assert repaired(file).report.repairs == Counter(KINDS.get(file, {}))


def test_the_table_of_repairs_names_no_body_that_is_not_there() -> None:
    assert not KINDS.keys() - set(STREAMS)
    assert len(KINDS) == sum(len(files) for _, _, files in REPAIRED)


@every_stream
def test_a_standard_parser_reads_the_same_where_no_repair_is_recorded(file: str) -> None:
    if repaired(file).wire != captures.body(file):
        laws.check_reading(captures.body(file))


@every_stream
def test_the_output_needs_no_repair(file: str) -> None:
    once = repaired(file)
    if once.wire != captures.body(file):
        twice = laws.repaired([once.wire])
        assert twice.wire == once.wire
        assert not twice.repairs


@every_stream
def test_the_standards_reading_gives_the_events_that_an_independent_script_counted(file: str) -> None:
    entry, expected = ENTRIES[file], captures.expected()[file]
    wanted = expected["sse"]["events_strict"] if entry["format"] == "sse" else expected["n_json"]
    items, facts = laws.read([captures.body(file)], repairs=(), format=entry["format"])
    assert sum(isinstance(item, Event) for item in items) == wanted
    assert not facts["repairs"]
    assert facts["format"].value == entry["format"]


@every_stream
def test_the_format_is_found_by_the_bytes(file: str) -> None:
    sniffed = repaired(file).report.format
    assert sniffed is not None
    assert sniffed.value == ENTRIES[file]["format"]


@pytest.mark.parametrize("file", BODIES)
def test_a_body_that_is_not_a_stream_is_one_typed_error(file: str) -> None:
    data, kind = captures.body(file), ENTRIES[file]["format"]
    for chunks in ([data], every(data, 100), cut_at_random(file)):
        body = laws.repaired(chunks)
        assert (body.report.verdict, body.report.events, body.report.format) == (Verdict.FAILED, 0, None)
        assert body.report.error is not None
        assert (body.report.error.code, body.report.error.error_type) == ("not-a-stream", RECOGNISED[kind])
        assert set(body.report.repairs) == {RepairKind.NOT_A_STREAM}
        assert body.wire.count(b"unbroken_error") == 1


# Damaged


def _small_streams() -> list[bytes]:
    return [captures.body(file) for file in STREAMS if len(captures.body(file)) <= SMALL] or [b""]


damaged = st.builds(drawn.harm, st.sampled_from(_small_streams()), drawn.harms(1))


@given(drawn.cut_anyhow(damaged))
def test_a_damaged_body_comes_out_the_same_at_every_cut(chunks: list[bytes]) -> None:
    laws.check_chunking(chunks)


@given(damaged, st.sampled_from([{}, {}, {"max_event_bytes": 1024}, {"invalid_json": "keep"}]))
def test_a_damaged_body_is_repaired_once_and_keeps_everything_else(data: bytes, options: dict[str, Any]) -> None:
    laws.check_idempotent(data, **options)
    laws.check_reading(data, **options)
    laws.check_accounted(data, **options)
    laws.check_no_invention(data, **options)
    laws.check_no_false_end(data, **options)


@given(drawn.cut_anyhow(damaged))
def test_a_damaged_body_has_one_end(chunks: list[bytes]) -> None:
    laws.check_one_end(chunks)
