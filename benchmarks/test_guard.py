"""The guard measures every line, and fails where one is far below what is recorded."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests import captures

from . import guard
from .over_http import OUR_READER

LINES = ("shaped, reader", "shaped, proxy", "one event a chunk, proxy", "reader on (b)")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Small streams, four lines, and a record of its own."""
    monkeypatch.setattr(captures, "FOLDER", tmp_path / "absent")
    monkeypatch.setattr(guard, "SCALE", 0.01)
    monkeypatch.setattr(guard, "WHOLE", 0.01)
    monkeypatch.setattr(guard, "LINES", {name: guard.LINES[name] for name in LINES})
    monkeypatch.setattr(guard, "RECORD", tmp_path / "guard.json")
    guard.streams_of.cache_clear()
    return tmp_path / "guard.json"


def test_the_guard_records_and_then_holds(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard.main(["--record", "--seconds", "0"]) == 0
    record = json.loads(small.read_text())
    ((version, ratios),) = record["ratios"].items()
    assert set(ratios) == set(LINES)
    guard.write_record({version: {name: ratio / 10 for name, ratio in ratios.items()}})
    assert guard.main(["--seconds", "0"]) == 0
    assert "TOO SLOW" not in capsys.readouterr().out


def test_the_guard_fails_for_what_is_far_below_its_record(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guard.write_record({"3.11": {"shaped, reader": 1000.0, **dict.fromkeys(LINES[1:], 1e-6)}})
    assert guard.main(["--seconds", "0"]) == 1
    (marked,) = (line for line in capsys.readouterr().out.splitlines() if "TOO SLOW" in line)
    assert "shaped, reader" in marked


def test_targets_fail_only_where_they_are_asked_for(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = guard.Line(OUR_READER, "m", target=1000.0)
    monkeypatch.setattr(guard, "LINES", {"shaped, reader": line})
    guard.write_record({"3.11": {"shaped, reader": 1e-6}})
    assert guard.main(["--seconds", "0"]) == 0
    assert guard.main(["--seconds", "0", "--targets"]) == 1


def test_a_newer_recording_keeps_the_lines_that_could_not_be_measured(small: Path) -> None:
    version = "{}.{}".format(*sys.version_info[:2])
    guard.write_record({version: {"recorded, reader": 0.5}})
    guard.main(["--record", "--seconds", "0"])
    assert guard.read_record()[version]["recorded, reader"] == 0.5
