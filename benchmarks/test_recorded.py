"""What reads through the HTTP layer reads the same events as the plain reference, and the program runs to its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from . import over_http, recorded
from .mixture import KINDS, Kind, mixed_streams
from .over_http import OPENAI_APIS, OUR_PROXY
from .payloads import DONE, frame
from .readers import Reader, reference, values

SCALE = 0.01


def streams_of(kind: Kind) -> list[list[bytes]]:
    return [chunks for found, chunks in mixed_streams(SCALE) if found is kind]


def name_of(kind: Kind) -> str:
    return f"{kind.api}-{kind.name}"


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_a_reader_reads_the_same_events(kind: Kind) -> None:
    for reader in over_http.readers(kind.api):
        if reader.payload is not None:
            for chunks in streams_of(kind):
                assert values(reader.payloads(chunks)) == reference("sse", chunks), reader.name


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_the_proxy_forwards_every_byte(kind: Kind) -> None:
    (proxy,) = (reader for reader in over_http.readers(kind.api) if reader.name == OUR_PROXY)
    for chunks in streams_of(kind):
        assert b"".join(proxy.open(chunks)) == b"".join(chunks).replace(b"\r\n", b"\n")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.api in OPENAI_APIS], ids=name_of)
def test_openais_client_reads_the_same_events(kind: Kind) -> None:
    for chunks in streams_of(kind):
        read = [event.to_dict(mode="json") for event in over_http.openai_stream(kind.api, chunks)]
        assert read == reference("sse", chunks)


def test_a_stream_that_fails_counts_with_what_it_gave() -> None:
    def fails(chunks: object) -> object:
        yield 1
        raise ValueError

    assert over_http.drain(Reader("x", fails), [[], []]) == 2  # type: ignore[arg-type]


def test_a_reader_that_cannot_be_imported_is_not_taken_for_a_quick_one() -> None:
    def absent(chunks: object) -> object:
        raise ImportError

    with pytest.raises(ImportError):
        over_http.drain(Reader("x", absent), [[]])  # type: ignore[arg-type]


def test_a_payload_that_is_not_json_is_passed_over() -> None:
    chunks = [frame({"a": 1}), b"data: {\n\n", DONE]
    assert list(over_http.hand_loop(chunks)) == [{"a": 1}]
    assert recorded.json_payloads([chunks]) == ['{"a":1}']


def test_the_program_prints_tables_and_writes_figures_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, figures, svg = tmp_path / "speed.md", tmp_path / "figures.json", tmp_path / "speed.svg"
    page.write_text("<!-- recorded -->\n<!-- /recorded -->\n")
    arguments = f"shaped synthetic --scale {SCALE} --seconds 0 --json {figures} --svg {svg} --write {page}"
    assert recorded.main(arguments.split()) == 0
    printed = capsys.readouterr().out
    assert f"Output of `python -m benchmarks.recorded shaped synthetic --scale {SCALE}`" in printed
    assert printed in page.read_text()
    for section in json.loads(figures.read_text())["sections"].values():
        for group in section["groups"]:
            assert all(cost["us_per_event"] > 0 for cost in group["readers"].values())
    assert "Chat Completions, text twice" in svg.read_text()


def test_recordings_are_read_where_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        groups = recorded.recorded_groups()
    except recorded.NoRecordingsError:
        pytest.skip("the recorded streams are not on this machine")
    results = {"recorded": [recorded.Group(it.label, it.api, it.streams[:1]) for it in groups]}
    recorded.measure(results, 0.0)
    assert all(group.timings for group in results["recorded"])
    assert "recorded streams, reader" in "\n".join(recorded.targets(results))
