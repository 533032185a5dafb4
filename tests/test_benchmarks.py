"""The workloads are what they say, the contenders read the same events, and the guard can fail."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import (
    compare,
    dialects,
    guard,
    mixture,
    over_http,
    payloads,
    picture,
    readers,
    recorded,
    rounds,
    workloads,
)
from benchmarks.readers import OURS, PEERS, YARDSTICK, Reader
from benchmarks.rounds import Timing, TooSlowError
from benchmarks.v8 import V8, NoV8Error
from benchmarks.workloads import Workload
from tests import captures
from unbroken.core import fast_path
from unbroken.core.registry import dialect_names

SMALL = 0.05
BIG = ("g16", "g1k")


def small(name: str) -> Workload:
    workload = workloads.build(name, 0.01 if name in BIG else SMALL)
    if workload is None:
        pytest.skip("the recorded streams are not on this machine")
    return workload


def body(workload: Workload) -> bytes:
    return b"".join(chunk for chunks in workload.streams for chunk in chunks)


def chunk_sizes(workload: Workload) -> set[int]:
    """The sizes of all chunks but the last, which may be shorter."""
    (chunks,) = workload.streams
    return {len(chunk) for chunk in chunks[:-1]}


# --- workloads --------------------------------------------------------------------------------------------------

HASHES = {
    "a": "175ce2b7c1442f82",
    "b": "175ce2b7c1442f82",
    "c": "99e10bace6d1756b",
    "d": "edf52c41c3d11ced",
    "e": "469414286e4fc564",
    "f": "4496197809225281",
    "g16": "f518f0e4502e5b5c",
    "g1k": "f518f0e4502e5b5c",
    "h": "3499b1e1cf451c3f",
    "m": "840520067bffb048",
    "o": "3ce5068d5653b234",
    "j": "6a8212c67d4e424d",
}


@pytest.mark.parametrize("name", HASHES)
def test_a_workload_is_the_same_bytes_on_every_machine(name: str) -> None:
    assert hashlib.sha256(body(small(name))).hexdigest()[:16] == HASHES[name]


@pytest.mark.parametrize("name", workloads.WORKLOADS)
def test_a_workload_holds_as_many_events_as_it_says(name: str) -> None:
    workload = small(name)
    reader = {"sse": readers.plain_loop, "ndjson": readers.ndjson_loop, "json-array": readers.array_loop}
    found = 0
    for chunks in workload.streams:
        text = b"".join(chunks).replace(b"\r\n", b"\n") if workload.format == "sse" else b"".join(chunks)
        cut = chunks if workload.format == "json-array" else [text]
        found += sum(1 for _ in reader[workload.format](cut))
    assert found == workload.events


def test_a_has_one_event_of_256_bytes_in_each_chunk() -> None:
    *events, finish, done = workloads.event_per_chunk(1).streams[0]
    assert {len(event) for event in events} == {256}
    assert b'"finish_reason":"stop"' in finish
    assert done == b"data: [DONE]\n\n"


def test_b_c_and_d_are_the_stream_of_a_cut_and_spelt_otherwise() -> None:
    assert body(small("b")) == body(small("a"))
    assert chunk_sizes(small("b")) == {64 * 1024}
    assert body(small("a")).startswith(body(small("c"))[: 8 * 256])
    assert chunk_sizes(small("c")) == {1}
    assert body(small("d")).replace(b"\r\n", b"\n") == body(small("a"))
    assert b"\n" not in body(small("d")).replace(b"\r\n", b"")


def test_e_names_and_numbers_each_block() -> None:
    for number, block in enumerate(small("e").streams[0], 1):
        fields = [line.partition(b":")[0] for line in block.splitlines()]
        assert fields == [b"event", b"data", b"id", b""]
        assert b"\nid: %d\n" % number in block


def test_f_has_one_json_line_in_each_chunk() -> None:
    for line in small("f").streams[0]:
        assert line.count(b"\n") == 1
        assert line.endswith(b"}\n")


@pytest.mark.parametrize(("name", "size"), [("g16", 16), ("g1k", 1000)])
def test_g_is_one_event_of_eight_megabytes(name: str, size: int) -> None:
    workload = workloads.build(name)
    assert workload is not None
    assert body(workload).index(b"\n\n") + 2 == 8_000_000
    assert chunk_sizes(workload) == {size}


def test_h_is_mostly_not_latin_and_cut_inside_a_character() -> None:
    (chunks,) = workloads.non_latin(1).streams
    text = b"".join(chunks).decode()
    contents = [json.loads(line[6:])["choices"][0]["delta"]["content"] for line in text.split("\n\n")[:-3]]
    assert len(contents) == 7999
    assert not any(content.isascii() for content in contents)
    assert any(0x80 <= chunk[0] < 0xC0 for chunk in chunks[1:])


def test_i_keeps_every_byte_of_a_capture() -> None:
    workload = small("i")
    rows = (captures.FOLDER / "manifest.jsonl").read_text().splitlines()
    sums = {row["sha256"] for row in map(json.loads, rows)}
    assert {hashlib.sha256(b"".join(chunks)).hexdigest() for chunks in workload.streams} <= sums


def test_i_counts_the_events_that_the_captures_own_record_counts() -> None:
    small("i")
    workload = workloads.captured(1)
    assert workload is not None
    rows = (captures.FOLDER / "expected.jsonl").read_text().splitlines()
    expected = {row["sha256"]: row["sse"]["events_strict"] for row in map(json.loads, rows) if "sse" in row}
    sums = [hashlib.sha256(b"".join(chunks)).hexdigest() for chunks in workload.streams]
    assert workload.events == sum(expected[digest] for digest in sums)


def test_m_has_streams_of_every_kind_and_one_block_in_each_chunk() -> None:
    streams = mixture.mixed_streams(SMALL)
    assert {kind.name for kind, _ in streams} == {kind.name for kind in mixture.KINDS}
    for _, chunks in streams:
        for chunk in chunks:
            assert len(payloads.blocks(chunk)) == 1
            assert chunk.endswith((b"\n\n", b"\r\n\r\n"))


def frames_of(api: str, name: str) -> list[Any]:
    """The payloads of the first stream of a kind, in its whole length."""
    kind = next(kind for kind in mixture.KINDS if (kind.api, kind.name) == (api, name))
    chunks = next(chunks for found, chunks in mixture.mixed_streams() if found is kind)
    return readers.reference("sse", chunks)


def test_m_has_the_shapes_that_its_kinds_are_named_for() -> None:
    deltas = [frame["choices"][0]["delta"] for frame in frames_of("openai-chat", "text twice") if frame["choices"]]
    twice = [(delta["reasoning"], delta["reasoning_details"][0]["text"]) for delta in deltas if delta]
    assert len(twice) > 1000
    assert all(first == second for first, second in twice)
    shapes = [tuple(frame["choices"][0]["delta"]) for frame in frames_of("openai-chat", "shapes that alternate")]
    assert sum(one != other for one, other in pairwise(shapes)) > len(shapes) / 10
    padding = [frame["obfuscation"] for frame in frames_of("openai-chat", "padding, at times empty")]
    assert 0 < padding.count("") < len(padding) / 5
    items = [frame["item_id"] for frame in frames_of("openai-responses", "ids that change") if "delta" in frame]
    assert len(set(items)) == len(items) > 200


def test_m_sends_tool_arguments_in_pieces_that_make_json() -> None:
    blocks = [frame["delta"] for frame in frames_of("anthropic", "tool arguments") if frame["type"].endswith("_delta")]
    pieces = [delta["partial_json"] for delta in blocks if "partial_json" in delta]
    assert len(pieces) > 800
    assert json.loads("".join(pieces))["path"]


def test_o_pads_each_event_by_a_text_of_its_own() -> None:
    payloads = [json.loads(chunk[6:]) for chunk in small("o").streams[0][:-1]]
    padding = [payload.pop("obfuscation") for payload in payloads]
    assert len(set(padding)) > len(padding) * 0.9
    assert payloads == [json.loads(chunk[6:]) for chunk in small("a").streams[0][:-1]]


def test_j_is_one_json_array_with_an_element_in_each_chunk() -> None:
    workload = small("j")
    assert len(json.loads(body(workload))) == workload.events
    assert all(b"candidates" in chunk for chunk in workload.streams[0][:-1])


# --- contenders -------------------------------------------------------------------------------------------------

READS = [
    (reader, name)
    for reader in [YARDSTICK, *PEERS, *OURS]
    for name, workload_format in workloads.FORMATS.items()
    if reader.package in (None, "httpx", "unbroken")  # the others: benchmarks/test_agreement.py
    if workload_format in reader.formats and reader.payload is not None
    if not (reader is YARDSTICK and name in ("d", "i", "m"))  # it knows LF only
]
FORWARDS = [(proxy, name) for proxy in OURS if proxy.payload is None for name in workloads.WORKLOADS if name != "i"]


def name_of(argument: Any) -> str:
    return argument if isinstance(argument, str) else str(argument.open.__name__)


@pytest.mark.parametrize(("reader", "name"), READS, ids=name_of)
def test_a_reader_reads_the_same_events_as_the_reference(reader: Reader, name: str) -> None:
    workload = small(name)
    for chunks in workload.streams:
        assert readers.values(reader.payloads(chunks)) == readers.reference(workload.format, chunks)


@pytest.mark.parametrize(("proxy", "name"), FORWARDS, ids=name_of)
def test_a_proxy_forwards_the_healthy_stream_untouched(proxy: Reader, name: str) -> None:
    for chunks in small(name).streams:
        whole = b"".join(chunks)
        wanted = whole.replace(b"\r\n", b"\n") if name in ("d", "m") else whole
        assert b"".join(proxy.open(chunks)) == wanted


# --- the clock and the report ------------------------------------------------------------------------------------


def test_a_ratio_is_the_median_of_its_rounds() -> None:
    assert Timing([2.0, 2.0, 90.0]).ratio(Timing([1.0, 1.0, 1.0])) == 2.0
    assert Timing([2.0, 4.0, 60.0]).ratio(Timing([1.0, 2.0, 30.0])) == 2.0


def test_every_contender_runs_in_every_round() -> None:
    ran: list[str] = []

    def once(name: str) -> rounds.Pass:
        def one_pass() -> float:
            ran.append(name)
            return 1.0

        return one_pass

    timings = rounds.compare({"x": once("x"), "y": once("y")}, seconds=0, least=5)
    assert [len(timing.seconds) for timing in timings.values()] == [5, 5]
    assert [set(ran[i : i + 2]) for i in range(0, 12, 2)] == [{"x", "y"}] * 6


def test_a_reader_that_takes_too_long_is_left_out_and_its_ratio_a_bound() -> None:
    def never() -> float:
        raise TooSlowError

    timings = rounds.compare({"quick": lambda: 1e-9, "never": never}, seconds=0)
    assert timings["never"].unfinished
    assert len(timings["never"].seconds) == 1
    assert compare.cell(timings["never"], timings["quick"]).startswith("over ")


def test_a_slow_reader_is_stopped_inside_the_source() -> None:
    chunks = [b"x"] * 200_000
    consume = Reader("endless", iter)
    with pytest.raises(TooSlowError):
        rounds.reading(consume, [chunks], most=-1.0)()
    assert rounds.reading(consume, [chunks], most=60.0)() > 0


def test_the_table_has_a_row_for_each_contender_that_ran() -> None:
    results = {"a": {"us": Timing([1.0]), "them": Timing([3.0])}, "f": {"us": Timing([1.0])}}
    assert compare.table(["them", "absent"], results, "us") == [
        "| | (a) | (f) |",
        "|---|--:|--:|",
        "| them | 3.00 | – |",
    ]


def test_the_output_goes_between_the_markers_of_the_page(tmp_path: Any) -> None:
    page = tmp_path / "speed.md"
    page.write_text("before\n<!-- compare -->\nold\n<!-- /compare -->\nafter\n")
    compare.write_between_markers(page, "new\n", "compare")
    assert page.read_text() == "before\n<!-- compare -->\nnew\n<!-- /compare -->\nafter\n"
    with pytest.raises(SystemExit):
        compare.write_between_markers(page, "new\n", "scale")


# --- recorded streams -------------------------------------------------------------------------------------------


def group(label: str, events: int, **seconds: list[float]) -> recorded.Group:
    timings = {READER_NAMES[name]: Timing(passes) for name, passes in seconds.items()}
    return recorded.Group(label, "openai-chat", [[b""]], events, timings)


READER_NAMES = {
    "without": over_http.WITHOUT_CLIENT[over_http.OUR_READER],
    "sse": over_http.HTTPX_SSE,
    "reader": over_http.OUR_READER,
    "openai": over_http.OPENAI,
}


def test_a_provider_of_few_events_has_no_row_of_its_own() -> None:
    streams = {("openai-chat", "large"): [[b"x"] * 9], ("openai-chat", "a|b"): [[b"x"]], ("cohere", "c"): [[b"x"]]}
    rows = [(found.label, len(found.streams)) for found in recorded.merged(streams, of_its_own=5)]
    assert rows == [("Chat Completions, large", 1), ("Chat Completions, 1 others", 1), ("Cohere, all", 1)]


def test_a_name_of_the_manifest_cannot_leave_its_cell() -> None:
    assert recorded.plain("a|b\n<c>`\x1b") == "a?b??c???"


def test_a_cost_is_the_best_pass_of_all_groups_and_the_median_ratio() -> None:
    one = group("one", 1000, sse=[1.0, 2.0, 1.0], reader=[3.0, 4.0, 2.0])
    other = group("other", 3000, sse=[1.0, 1.0, 1.0], reader=[1.0, 1.0, 2.0], openai=[9.0, 9.0, 9.0])
    assert recorded.cost([one, other], over_http.OUR_READER) == recorded.Cost(1000.0, 2.0)
    assert recorded.cost([one, other], over_http.OPENAI) == recorded.Cost(3000.0, 9.0)
    assert recorded.cost([one], over_http.OPENAI) is None


def test_the_table_has_a_row_for_each_group_and_one_for_all() -> None:
    rows = recorded.table("recorded", [group("one", 1000, sse=[1e-3], reader=[2e-3])])
    assert rows[2] == "| one | 1 | 1,000 | 1.00 | – | 2.00 (2.00) | – | – | – |"
    assert rows[3].startswith("| **all** | 1 | 1,000 | 1.00 |")


def test_a_target_is_short_or_met() -> None:
    slow = {"recorded": [group("one", 1, sse=[1.0], reader=[2.0], without=[1.5])]}
    target = recorded.TARGETS[0]
    assert target.measured(slow) == 2.0
    assert target.measured(slow, client=False) == 1.5
    assert recorded.targets(slow)[2].endswith("| at most 1.80 | 2.00 | **short** | 1.50 |")
    assert not target.met(2.0)
    assert target.met(1.7)
    assert target.measured({}) is None
    speed = recorded.TARGETS[2]
    assert speed.measured({"synthetic": [group("(a) x", 1, sse=[3.0], reader=[1.0])]}) == 3.0
    assert speed.met(3.0)
    assert recorded.targets({"shaped": slow["recorded"]}) == []


def test_without_recordings_the_program_says_so_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(captures, "FOLDER", tmp_path / "absent")
    assert recorded.main([]) == 2
    assert "UNBROKEN_CAPTURES" in capsys.readouterr().err


# --- the picture ------------------------------------------------------------------------------------------------


def test_the_picture_escapes_what_it_writes_and_draws_a_bar_for_each_value() -> None:
    bars = [picture.Bars("<a> & b", [("it", 1.0), ('"other"', 2.9)]), picture.Bars("c", [("it", 3.0)])]
    svg = ElementTree.fromstring(picture.draw("<title>", "a & b", bars))
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<title>", "a & b", "<a> & b", '"other"', "3.0"} <= set(texts)
    widths = {float(bar.attrib["width"]) for bar in svg.iter("{http://www.w3.org/2000/svg}rect") if len(bar)}
    assert len(widths) == 3


def test_a_bar_that_dwarfs_all_others_is_cut_and_says_so() -> None:
    bars = [picture.Bars("a", [("small", 2.0), ("huge", 90.0)])]
    assert picture.scale_end(bars) == pytest.approx(2.3)
    svg = picture.draw("t", "s", bars)
    assert "▸ 90.0" in svg
    assert "is cut" in svg
    assert "is cut" not in picture.draw("t", "s", [picture.Bars("a", [("small", 2.0), ("larger", 2.2)])])


SPEED_PAGE = Path(__file__).parents[1] / "docs" / "speed.md"


def test_the_page_has_a_place_for_each_table_and_names_programs_that_exist() -> None:
    text = SPEED_PAGE.read_text(encoding="utf-8")
    for name in ("recorded", "compare", "end-to-end", "adapters", "observers", "dialects", "scale"):
        assert text.count(f"<!-- {name} -->\n") == text.count(f"<!-- /{name} -->") == 1
    programs = set(re.findall(r"python -m (benchmarks\.\w+)", text))
    names = ("recorded", "compare", "end_to_end", "adapters", "observers", "dialects", "scale")
    written = {f"benchmarks.{name}" for name in names}
    assert programs == written | {"benchmarks.guard"}
    for program in programs:
        assert importlib.util.find_spec(program), f"docs/speed.md names {program}"


def test_the_page_leads_with_the_picture_that_the_benchmark_draws() -> None:
    text = SPEED_PAGE.read_text(encoding="utf-8")
    assert text.index("(speed.svg)") < text.index("<!-- recorded -->") < text.index("<!-- compare -->")
    svg = ElementTree.parse(SPEED_PAGE.with_name("speed.svg")).getroot()
    assert svg.attrib["aria-label"] == f"{recorded.TITLES['recorded']}: µs per event"


def test_v8_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PATH", "")
    with pytest.raises(NoV8Error, match="not both installed"), contextlib.ExitStack() as stack:
        stack.enter_context(V8())
    with pytest.raises(SystemExit, match="require"):
        compare.open_v8("require")
    assert compare.open_v8("auto") is None


# --- dialects ---------------------------------------------------------------------------------------------------


def test_each_dialect_is_measured_alone_and_on_both_roads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(dialects, "PIECES", 3)
    monkeypatch.setattr(dialects, "PASSES", 1)
    monkeypatch.setenv("UNBROKEN_CAPTURES", str(tmp_path))
    told = dialects.streams()
    assert {*told} == {*dialect_names()} - {"text", "codex"}
    before = fast_path.enabled
    try:
        figures = dialects.measure(told)
    finally:
        fast_path.enabled = before
    assert figures.keys() == told.keys()
    assert all(cost > 0 for ways in figures.values() for cost in ways.values())
    short = {name: figures[name] for name in [*figures][:2]}
    rows = dialects.table(told, figures, short).splitlines()
    assert len(rows) == 2 + len(told)
    assert rows[0] == "| µs per event | stream | read | read, base | ordinary | ordinary, base | fast | fast, base |"
    assert rows[4].endswith(" |  |")


# --- the guard --------------------------------------------------------------------------------------------------


def test_the_guard_names_what_fell_below_80_percent() -> None:
    recorded = {"reader": 10.0, "proxy": 2.0, "gone": 1.0}
    assert guard.fallen({"reader": 8.1, "proxy": 1.5}, recorded) == ["proxy", "gone"]


def test_a_python_version_without_a_record_is_held_to_the_lowest() -> None:
    record = {"3.11": dict.fromkeys(guard.LINES, 2.0), "3.12": dict.fromkeys(guard.LINES, 3.0)}
    assert guard.recorded_for("3.12", record) == record["3.12"]
    assert guard.recorded_for("3.99", record) == record["3.11"]


def test_what_fell_is_measured_again_alone_and_its_better_ratio_counts() -> None:
    recorded = {"holds": 1.0, "noisy": 1.0, "slow": 1.0}
    asked: dict[str, float] = {"noisy": 0.9, "slow": 0.4}
    measured = guard.measure_again({"holds": 1.1, "noisy": 0.5, "slow": 0.5}, recorded, asked.pop)
    assert measured == {"holds": 1.1, "noisy": 0.9, "slow": 0.5}
    assert not asked
    assert guard.fallen(measured, recorded) == ["slow"]


def test_without_recordings_their_lines_are_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(captures, "FOLDER", tmp_path / "absent")
    guard.streams_of.cache_clear()
    assert set(guard.LINES) - set(guard.available_lines()) == {"recorded, reader", "recorded, proxy"}


def test_a_target_of_the_guard_is_one_of_the_program_that_prints_them() -> None:
    aims = {line.target for line in guard.LINES.values() if line.target}
    assert aims == {target.limit if target.speed else 1 / target.limit for target in recorded.TARGETS}
    assert guard.short_of_target({"recorded, reader": 0.55, "recorded, proxy": 0.48}) == ["recorded, reader"]


def test_the_record_has_every_line() -> None:
    record = guard.read_record()
    assert record
    assert {version: set(ratios) for version, ratios in record.items()} == {
        version: set(guard.LINES) for version in record
    }
