"""The contract passes conforming readers, and each of its tests fails for a reader with the flaw that it tests."""

import codecs
import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import Phase, settings

from unbroken.testing import measures
from unbroken.testing.cases import Clause
from unbroken.testing.claims import Claim
from unbroken.testing.contract import (
    INVALID,
    AsyncNDJSONContract,
    AsyncParserContract,
    NDJSONContract,
    ParserContract,
    RepairContract,
    examine,
)
from unbroken.testing.repair_cases import RepairCase, TimedCase
from unbroken.testing.repair_cases.case import SAME
from unbroken.testing.standard import Seen, is_json, read_sse

from .measuring import measured_apart
from .toy_repairer import LONGEST_RETRY, ClockedToy, Toy, reconnected


@pytest.fixture(autouse=True)
def in_short(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw few streams for conforming readers, do not shrink, and measure small ones; `slow` tests run in full."""
    if request.node.get_closest_marker("slow"):
        yield
        return
    monkeypatch.setattr(measures, "MIN_MEASURED_SECONDS", 0.02)
    # Unshrunk failures must not be stored: Hypothesis takes a stored one for the smallest.
    few = {"max_examples": 20 if request.cls else 100, "phases": [Phase.generate], "database": None}
    with hypothesis_profile("in short", **few):
        yield


@contextmanager
def hypothesis_profile(name: str, **changes: Any) -> Iterator[None]:
    before = settings.get_current_profile_name()
    settings.register_profile(name, settings.get_profile(before), **changes)
    settings.load_profile(name)
    try:
        yield
    finally:
        settings.load_profile(before)


def failure_of(contract: Any, test: str) -> str | None:
    """Return how a test of a contract fails, where a flaw may be seldom drawn; None if it passes.

    What measures time is asked again where it passes: on a busy machine a flaw can hide in the noise.
    """
    for _ in range(3 if test.startswith("linear_time") else 1):
        with hypothesis_profile("until it is found", max_examples=1000, derandomize=True):
            (finding,) = examine(contract, lambda name: name == f"test_{test}")
        if finding.failure is not None:
            break
    return finding.failure


class Reader:
    """An incremental reader by WHATWG 9.2.6. `flaws` are the faults of real readers that it is to have."""

    def __init__(self, flaws: Collection[str] = (), charset: str = "utf-8") -> None:
        self.flaws = flaws
        errors = "strict" if "strict UTF-8" in flaws else "replace"
        self.decoder = codecs.getincrementaldecoder(charset if "charset obeyed" in flaws else "utf-8")(errors)
        self.line: list[str] = []
        self.data: list[str] = []
        self.event = self.id = self.last_id = ""
        self.retry: int | None = None
        self.at_start = True
        self.after_cr = False
        self.remembered: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[Seen]:
        text = chunk.decode(errors="replace") if "decodes chunks" in self.flaws else self.decoder.decode(chunk)
        for character in text:
            if self.at_start and "BOM kept" not in self.flaws:
                self.at_start = False
                if character == "\ufeff":
                    continue
            if character == "\n" and self.after_cr and "CRLF counts twice" not in self.flaws:
                self.after_cr = False
                continue
            self.after_cr = character == "\r"
            if character in self.line_ends():
                line = "".join(self.line)
                self.line.clear()
                yield from self.take(line)
            else:
                self.line.append(character)
                if "quadratic" in self.flaws:
                    "".join(self.line + self.data)

    def line_ends(self) -> str:
        if "splitlines" in self.flaws:
            return "\r\n\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e"
        return "\n" if "no CR" in self.flaws else "\r\n"

    def take(self, line: str) -> Iterator[Seen]:
        if "remembers" in self.flaws:
            self.remembered.append(line)
        if line == "":
            yield from self.dispatch()
            return
        field, colon, value = line.partition(":")
        if "needs a blank" in self.flaws and colon and not value.startswith(" "):
            return
        if "last colon" in self.flaws:
            field, _, value = line.rpartition(":")
        value = value.strip() if "strips" in self.flaws else value.removeprefix(" ")
        if "any case" in self.flaws:
            field = field.strip().lower()
        if "comments are data" in self.flaws:
            field = field or "data"
        if field == "data" and (colon or "needs a colon" not in self.flaws):
            self.data.append(value)
        elif field == "event":
            self.event = value
        elif field == "id" and ("\0" not in value or "NUL taken" in self.flaws):
            self.id = value
        elif field == "retry":
            self.take_retry(value)

    def take_retry(self, value: str) -> None:
        if "int()" in self.flaws:
            try:
                self.retry = int(value)
            except ValueError:
                pass
        elif value.isascii() and value.isdigit():
            self.retry = int(value)

    def dispatch(self) -> Iterator[Seen]:
        if self.data or "id forgotten" not in self.flaws:
            self.last_id = self.id
        phantom = ("phantoms" in self.flaws and self.last_id) or ("nothing is an event" in self.flaws and self.event)
        if (self.data and (any(self.data) or "empty dropped" not in self.flaws)) or phantom:
            yield (self.event or "message", "\n".join(self.data), self.last_id)
        self.data.clear()
        if "event name stays" not in self.flaws:
            self.event = ""
        if "id per event" in self.flaws or ("id forgotten" in self.flaws and not self.last_id):
            self.id = ""

    def close(self) -> Iterator[Seen]:
        if "ends with an event" in self.flaws:
            yield ("end", "", "")
        if "delivers the tail" in self.flaws:
            yield from self.take("".join(self.line))
            yield from self.dispatch()


def blocks_by_suffix(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield blocks, each found by the three ways in which two equal line ends look, as sseclient-py does."""
    block = b""
    for chunk in chunks:
        for line in chunk.splitlines(keepends=True):
            block += line
            if block.endswith((b"\r\r", b"\n\n", b"\r\n\r\n")):
                yield re.sub(rb"[\r\n]+", b"\n", block) + b"\n"
                block = b""
    yield re.sub(rb"[\r\n]+", b"\n", block) + b"\n"


class TestARightReader(ParserContract):
    flaws: Collection[str] = ()

    def parse(self, chunks: Iterable[bytes], charset: str = "utf-8") -> Iterator[Seen]:
        reader = Reader(self.flaws, charset)
        late: list[Seen] = []
        if "blocks by suffix" in self.flaws:
            chunks = blocks_by_suffix(chunks)
        for chunk in chunks:
            if "empty chunk ends" in self.flaws and not chunk:
                return
            if "CRLF cut" in self.flaws:
                reader.after_cr = False
            for seen in reader.feed(chunk):
                yield from late
                late = [seen] if "late" in self.flaws else []
                if "late" not in self.flaws:
                    yield seen
        yield from late
        yield from reader.close()

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        reader = Reader(self.flaws)
        for chunk in chunks:
            list(reader.feed(chunk))
        return reader.retry

    def parse_as(self, chunks: Iterable[bytes], content_type: str) -> Iterator[Seen]:
        return self.parse(chunks, "latin-1" if "8859" in content_type else "utf-8")


class TestARightAsyncReader(AsyncParserContract):
    async def aparse(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[Seen]:
        reader = Reader()
        async for chunk in chunks:
            for seen in reader.feed(chunk):
                yield seen


class TestAReaderOfLittle(ParserContract):
    """A whole-body reader of LF streams that supports and claims only `data:`."""

    does_not_claim = (
        *(Claim.BOM, Claim.CR, Claim.CRLF, Claim.UNICODE_LINE_ENDS, Claim.INVALID_UTF8, Claim.EVENT_NAMES, Claim.IDS),
        *(Claim.RETRY, Claim.END_OF_INPUT, Claim.LINEAR_TIME, Claim.BOUNDED_MEMORY),
    )

    def parse(self, chunks: Iterable[bytes]) -> list[Seen]:
        seen: list[Seen] = []
        data: list[str] = []
        for line in b"".join(chunks).decode().split("\n"):
            if line == "" and data:
                seen.append(("message", "\n".join(data), ""))
                data = []
            elif line.partition(":")[0] == "data":
                data.append(line.partition(":")[2].removeprefix(" "))
        return seen


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pieces: list[bytes] = []
    for chunk in chunks:
        first, *rest = chunk.split(b"\n")
        pieces.append(first)
        for line in rest:
            yield b"".join(pieces)
            pieces = [line]
    yield b"".join(pieces)


class TestARightNDJSONReader(NDJSONContract):
    flaws: Collection[str] = ()

    def parse(self, chunks: Iterable[bytes]) -> Iterator[Any]:
        if "whole" in self.flaws:
            chunks = [b"".join(chunks)]
        for number, line in enumerate(lines_of(chunks)):
            if "BOM kept" not in self.flaws and number == 0:
                line = line.removeprefix(b"\xef\xbb\xbf")
            yield from self.values(line)

    def values(self, line: bytes) -> Iterator[Any]:
        if line.strip(b" \t\r") == b"" and "blanks count" not in self.flaws:
            return
        if is_json(line) or "raises" in self.flaws or ("NaN taken" in self.flaws and line.strip() == b"NaN"):
            yield json.loads(line)
        elif "splits" in self.flaws:
            yield from ["?"] * 3
        else:
            yield INVALID


class TestARightAsyncNDJSONReader(AsyncNDJSONContract):
    does_not_claim = (Claim.BOUNDED_MEMORY,)

    async def aparse(self, chunks: AsyncIterable[bytes]) -> list[Any]:
        whole = b"".join([chunk async for chunk in chunks])
        return [json.loads(line) for line in lines_of([whole.removeprefix(b"\xef\xbb\xbf")]) if is_json(line)]


# --- Every test can fail ------------------------------------------------------------------------------------------


FLAWS = {
    "BOM kept": "a_byte_order_mark_hides_nothing",
    "strict UTF-8": "wrong_bytes_become_U_FFFD_and_reading_goes_on",
    "charset obeyed": "the_charset_parameter_changes_nothing",
    "decodes chunks": "characters_survive_any_cut",
    "CRLF counts twice": "any_line_end_ends_a_line",
    "no CR": "linear_time_for_lines_that_end_in_CR",
    "splitlines": "no_other_character_ends_a_line",
    "needs a blank": "one_blank_behind_the_colon_is_optional",
    "strips": "one_blank_behind_the_colon_is_optional",
    "last colon": "the_first_colon_divides_a_line",
    "any case": "names_that_are_no_field_mean_nothing",
    "needs a colon": "data_lines_are_joined_and_empty_ones_count",
    "empty dropped": "data_lines_are_joined_and_empty_ones_count",
    "comments are data": "comments_mean_nothing",
    "CRLF cut": "a_CRLF_may_be_cut_in_two",
    "blocks by suffix": "the_same_bytes_are_the_same_events_at_any_cut",
    "nothing is an event": "a_block_without_data_is_no_event",
    "phantoms": "a_block_without_data_is_no_event_behind_an_id",
    "event name stays": "an_event_name_names_one_event",
    "id per event": "an_id_stays_until_the_next_one",
    "id forgotten": "an_id_of_a_block_without_data_is_kept",
    "NUL taken": "an_id_with_NUL_is_ignored",
    "int()": "retry_takes_ascii_digits_only",
    "delivers the tail": "what_is_pending_at_the_end_is_discarded",
    "ends with an event": "case_an_empty_stream_has_no_event",
    "late": "an_event_leaves_with_the_byte_that_completes_it",
    "empty chunk ends": "a_chunk_may_be_empty",
    "quadratic": "linear_time_for_one_long_line_in_small_chunks",
    "remembers": "memory_is_bounded",
}


@pytest.mark.parametrize(("tells_its_limit", "failure"), [(True, None), (False, "an event of more than 8192 bytes")])
def test_a_reader_that_refuses_large_events_is_asked_for_none(tells_its_limit: bool, failure: str | None) -> None:
    class Limited(TestARightReader):
        max_event_bytes = 8192 if tells_its_limit else None

        def parse(self, chunks: Iterable[bytes], charset: str = "utf-8") -> Iterator[Seen]:
            return super().parse(self.limited(chunks))

        def limited(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
            size = 0
            for chunk in chunks:
                size += len(chunk)
                if size > 8192:
                    raise ValueError("an event of more than 8192 bytes")
                yield chunk

    (finding,) = examine(Limited(), lambda name: name == "test_linear_time_for_one_long_line_in_small_chunks")
    assert (finding.failure and finding.failure.splitlines()[-1]) == (failure and f"ValueError: {failure}")


RIGHT = (
    TestARightReader,
    TestARightAsyncReader,
    TestAReaderOfLittle,
    TestARightNDJSONReader,
    TestARightAsyncNDJSONReader,
)


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flawed_reader_fails_the_test_of_its_flaw(flaw: str) -> None:
    contract = TestARightReader()
    contract.flaws = (flaw,)
    (finding,) = examine(contract, lambda name: name == f"test_{FLAWS[flaw]}")
    if flaw == "no CR":  # a lone CR is not slow but ignored
        (finding,) = examine(contract, lambda name: name == "test_case_CR_ends_lines")
    assert finding.failure


@pytest.mark.slow
@pytest.mark.parametrize("contract", RIGHT)
def test_a_right_reader_passes_at_full_length(contract: type) -> None:
    assert [finding.failure for finding in examine(contract()) if finding.failure] == []


@pytest.mark.slow
def test_each_test_fails_for_some_flawed_reader() -> None:
    names = {name for name in dir(TestARightReader) if name.startswith("test_") and "linear" not in name}
    standing = names - {f"test_{name}" for name in FLAWS.values()}
    with hypothesis_profile("without shrinking", phases=[Phase.generate], database=None):
        for flaw in FLAWS:
            flawed = TestARightReader()
            flawed.flaws = (flaw,)
            standing -= {finding.test for finding in examine(flawed, standing.__contains__) if finding.failure}
    assert standing == set()


def test_a_failure_shows_the_smallest_bytes_the_cut_and_the_clause() -> None:
    contract = TestARightReader()
    contract.flaws = ("decodes chunks",)
    with hypothesis_profile("shrinking", phases=list(Phase)):
        (finding,) = examine(contract, lambda name: name == "test_characters_survive_any_cut")
    assert finding.broken
    assert len(finding.broken.data) <= len(b"data: \xc3\xa9\n\n")
    assert finding.broken.clause is Clause.CHUNKS
    assert "  cut       b'data: \\xc3' | b'\\xa9\\n\\n'\n" in str(finding.broken)


NDJSON_FLAWS = {
    "BOM kept": "any_stream_of_lines",
    "NaN taken": "any_stream_of_lines",
    "blanks count": "case_blank_lines_are_skipped",
    "raises": "case_a_line_that_is_no_JSON_is_one_error",
    "splits": "case_two_texts_on_a_line_are_one_error",
    "whole": "memory_is_bounded",
}


@pytest.mark.parametrize("flaw", NDJSON_FLAWS)
def test_a_flawed_ndjson_reader_fails_the_test_of_its_flaw(flaw: str) -> None:
    contract = TestARightNDJSONReader()
    contract.flaws = (flaw,)
    (finding,) = examine(contract, lambda name: name == f"test_{NDJSON_FLAWS[flaw]}")
    assert finding.failure


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "flaw", "test"),
    [
        (right, flaw, test)
        for right, flaws in ((TestARightReader, FLAWS), (TestARightNDJSONReader, NDJSON_FLAWS))
        for flaw, test in flaws.items()
        if not test.startswith(("case", "linear", "memory"))
    ],
)
def test_a_flaw_is_found_whatever_is_drawn(right: type, flaw: str, test: str) -> None:
    with hypothesis_profile("as users have it", max_examples=100, phases=[Phase.generate], derandomize=True):
        for number in range(10):  # the name of a class decides what is drawn
            contract = type(f"Flawed{number}", (right,), {"flaws": (flaw,)})()
            (finding,) = examine(contract, lambda name: name == f"test_{test}")
            assert finding.failure, f"not found by the draws of number {number}"


# --- Repairers --------------------------------------------------------------------------------------------------------


@measured_apart
class TestAGoodRepairer(RepairContract):
    flaws: Collection[str] = ()
    framings = ("sse",)
    rewrites = ("raw-json",)
    longest_retry = LONGEST_RETRY
    conversions = ({"to": "sse"},)
    cases = (
        RepairCase("a comment and an event", b': c\n\ndata: {"a":1}\n\n', SAME, leaves=(5, 20)),
        RepairCase("a document", b'{"a":1}\n', b'data: {"a":1}\n\n', ("raw-json@0+8",), leaves=(8,)),
    )
    timed_cases = (
        TimedCase(
            "a beat", (("resume", (0.0,), b"", 5.0), ("on_deadline", (5.0,), b":\n\n", 10.0)), {"heartbeat": 5.0}
        ),
    )
    refused_options = (({"limit": "many"}, TypeError),)
    taken_options = ({"limit": 1024},)
    refused_arguments = (("Toy", {"limit": "many"}, TypeError, "limit"),)
    taken_arguments = (("Toy", {"limit": 1024}),)

    @property
    def constructors(self) -> dict[str, Any]:  # type: ignore[override]
        return {"Toy": lambda **options: self.toy(options)}

    def toy(self, options: dict[str, Any]) -> Toy:
        limit, declared = options.get("limit", 2**20), options.get("content_type") == "application/json"
        if not isinstance(limit, int) and "takes any limit" not in self.flaws:
            raise TypeError("limit takes a number")
        return Toy(self.flaws, limit, declared)

    def repair(self, chunks: Iterable[bytes], options: dict[str, Any]) -> Iterator[bytes]:
        return self.written(self.toy(options), chunks)

    def written(self, toy: Toy, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield from toy.feed(chunk)
        yield from toy.close()

    def facts(self, chunks: Iterable[bytes], options: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        toy = self.toy(options)
        toy.repairs = []
        wire = b"".join(self.written(toy, chunks))
        return wire, {"repairs": toy.repairs, "format": "sse", "bytes_in": toy.read, "retry": toy.retry, "error": None}

    def events(self, chunks: Iterable[bytes], options: dict[str, Any]) -> list[Seen]:
        seen = list(read_sse(b"".join(self.repair(chunks, options))).events)
        return seen[:-1] if "reads less" in self.flaws else seen

    def variants(self) -> dict[str, Any]:
        def joined(chunks: Sequence[bytes], options: dict[str, Any]) -> Iterable[bytes]:
            wire = b"".join(self.repair([b"".join(chunks)], options))
            return [wire[:-1] if "varies" in self.flaws else wire]

        return {"joined": joined}

    def clocked(self, options: dict[str, Any], **seconds: float) -> ClockedToy:
        return ClockedToy(self.toy(options), **seconds)

    def reconnecting(self, connect: Any, options: dict[str, Any]) -> Iterator[bytes]:
        toy, delivered = self.toy(options), [""]
        for _ in range(9):
            try:
                for chunk in connect(delivered[-1]):
                    yield from reconnected(toy, toy.feed(chunk), delivered)
                return
            except ConnectionResetError:
                toy.forget()

    def declared(self, content_type: str) -> dict[str, Any]:
        return {"content_type": content_type}

    def bounded(self, limit: int) -> list[tuple[dict[str, Any], int]]:
        return [({"limit": limit}, 2**17)]

    def ends_at_sentinel(self, options: dict[str, Any]) -> bool:
        return True


class TestARepairerOfLittle(RepairContract):
    """A function of all bytes, without options and without a report, that passes on what it gets."""

    does_not_claim = (Claim.BOUNDED_MEMORY, Claim.LINEAR_TIME)

    def repair(self, chunks: Iterable[bytes], options: dict[str, Any]) -> list[bytes]:
        return [b"".join(chunks)]


FLAWED_REPAIRERS = [
    ("strips", "the_cases_come_out_as_the_tables_say"),
    ("strips", "the_cases_come_out_the_same_frame_by_frame"),
    ("strips", "the_cases_come_out_the_same_byte_by_byte"),
    ("a chunk late", "the_cases_leave_with_the_byte_that_completes_them"),
    ("beats late", "the_cases_on_a_clock_come_out_as_the_tables_say"),
    ("beats when asked", "the_cases_on_a_clock_come_out_the_same_where_nobody_asks"),
    ("takes any limit", "wrong_options_of_the_cases_are_refused_by_name"),
    ("takes any limit", "wrong_arguments_of_the_cases_are_refused_by_name"),
    ("asks after the chunk", "chunks_have_no_effect_before_the_dialect_is_known"),
    ("decodes chunks", "chunks_have_no_effect"),
    ("varies", "variants_agree"),
    ("asks after the chunk", "chunks_have_no_effect_in_any_order_of_frames"),
    ("varies", "nothing_leaves_after_the_sentinel_in_any_variant"),
    ("tells an empty answer", "a_repaired_stream_needs_no_repair_whatever_stands_around_its_events"),
    ("signs frames", "a_repaired_stream_needs_no_repair"),
    ("silent", "every_line_of_a_body_that_is_declared_as_json_leaves_or_is_named"),
    ("reads less", "a_reader_sees_the_events_that_are_written"),
    ("signs frames", "a_repaired_answer_needs_no_repair"),
    ("tells an empty answer", "a_repaired_stream_needs_no_repair_in_any_order_of_its_frames"),
    ("signs frames", "a_repaired_stream_needs_no_repair_whatever_comes_before_its_dialect_shows"),
    ("marks what is declared", "a_repaired_body_that_is_declared_as_json_needs_no_repair"),
    ("asks after the chunk", "chunks_have_no_effect_on_a_converted_stream"),
    ("signs frames", "a_converted_stream_needs_no_repair"),
    ("strips", "a_healthy_stream_reads_the_same"),
    ("knows no CR", "a_healthy_stream_reads_the_same_with_other_line_ends"),
    ("a chunk late", "a_frame_is_written_before_the_next_chunk_is_asked_for"),
    ("rescues late", "content_leaves_in_the_order_in_which_it_came"),
    ("silent", "every_line_leaves_or_is_named"),
    ("holds the first", "every_payload_of_a_body_that_is_declared_as_json_leaves_or_is_named"),
    ("swallows names", "every_payload_leaves_or_is_named"),
    ("short retries", "a_retry_of_any_length_is_obeyed"),
    ("forwards the rest", "nothing_leaves_after_the_sentinel"),
    ("beats late", "no_gap_is_longer_than_the_heartbeat"),
    ("knows no heartbeat", "no_gap_is_longer_than_the_heartbeat"),
    ("beats once", "no_gap_is_longer_than_the_heartbeat"),
    ("is never due", "no_gap_is_longer_than_the_heartbeat"),
    ("is never due, and fails in silence", "no_gap_is_longer_than_the_heartbeat"),
    ("is never due", "a_timeout_ends_the_stream_once"),
    ("knows no silence", "a_timeout_ends_the_stream_once"),
    ("knows no total", "a_timeout_ends_the_stream_once"),
    ("knows no silence, and beats unasked", "a_timeout_ends_the_stream_once"),
    ("beats are events", "heartbeats_stand_between_frames_and_change_nothing"),
    ("beats are events", "heartbeats_before_the_first_byte_change_nothing"),
    ("beats inside", "heartbeats_stand_between_frames_and_change_nothing"),
    ("tells twice", "a_timeout_ends_the_stream_once"),
    ("beats on", "a_timeout_ends_the_stream_once"),
    ("counts the consumer", "a_slow_consumer_ends_no_stream"),
    ("tells secrets", "a_failure_is_one_last_frame"),
    ("repeats", "each_event_is_delivered_once_and_in_order"),
    ("repeats", "each_of_many_events_is_delivered_once"),
    ("keeps halves", "what_was_half_read_is_forgotten"),
    ("remembers names", "memory_is_bounded_for_field_names"),
    ("remembers repairs", "memory_is_bounded_for_lines_that_are_no_fields"),
    ("quadratic", "linear_time_for_one_long_line_in_small_chunks"),
]


@pytest.mark.parametrize(
    ("flaw", "test"),
    [pytest.param(*row, marks=pytest.mark.slow) if "memory" in row[1] else row for row in FLAWED_REPAIRERS],
)
def test_a_flawed_repairer_fails_the_test_of_its_flaw(flaw: str, test: str) -> None:
    contract = TestAGoodRepairer()
    contract.flaws = flaw.split(", and ")
    assert failure_of(contract, test)


TOLD_ELSEWHERE = {
    *("test_what_the_report_tells_stands_in_what_is_written", "test_what_the_report_tells_stands_in_the_conversion"),
    "test_an_observer_is_told_in_order",
    "test_an_observer_is_told_of_each_text_with_its_gap",
    "test_an_observer_that_asks_for_less_is_told_the_same",
    "test_an_observer_is_told_the_repairs_of_the_cases",
    "test_an_observer_is_told_of_the_cases_on_a_clock",
    "test_chunks_are_counted",
    "test_a_reader_of_chunks_reads_to_its_end",
    "test_a_reader_of_chunks_takes_bytes_and_nothing_else",
    "test_a_pace_changes_nothing_but_how_text_is_cut",
    "test_text_is_held_no_longer_than_the_pace_says",
    "test_comments_that_are_to_be_dropped_do_not_leave",
    "test_events_before_the_first_id_have_the_id_to_start_from",
    "test_no_event_leaves_that_is_larger_than_the_limit",
    "test_what_is_not_to_be_repaired_leaves_as_it_came",
}
"""Tests whose flaws stand in test_testing_telling.py, _watching.py, _pacing.py and _obeying.py."""


def test_each_test_of_a_repairer_fails_for_some_flaw() -> None:
    names = {name for name in dir(TestAGoodRepairer) if name.startswith("test_")}
    asked = {name for name in names if not name.startswith(("test_linear", "test_memory"))}
    assert asked - TOLD_ELSEWHERE <= {f"test_{test}" for _, test in FLAWED_REPAIRERS}
