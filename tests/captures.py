"""Where the recorded streams lie: beside the checkout, or where UNBROKEN_CAPTURES says."""

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("UNBROKEN_CAPTURES") or Path(__file__).parents[2] / "shared" / "captures")

needs_captures = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recorded streams are not on this machine")


@cache
def manifest() -> list[dict[str, Any]]:
    """Return one entry per body; none where the folder is not there."""
    return _lines("manifest.jsonl")


@cache
def expected() -> dict[str, dict[str, Any]]:
    """Give, by file, the facts that an independent script found in each body."""
    return {facts["file"]: facts for facts in _lines("expected.jsonl")}


def _lines(name: str) -> list[dict[str, Any]]:
    path = FOLDER / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


@cache
def body(file: str) -> bytes:
    """Return one body's bytes."""
    return (FOLDER / file).read_bytes()


def chosen(wanted: Callable[[dict[str, Any]], bool]) -> list[str]:
    """Name the files whose entry is wanted, in the order of the manifest."""
    return [entry["file"] for entry in manifest() if wanted(entry)]
