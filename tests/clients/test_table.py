"""A selection of the table of clients: those of the extra `clients`, and those for Node.js."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.table.runs import node_entries, node_folder, python_entries

ROOT = Path(__file__).parents[2]
PACKAGES = ("anthropic", "google-genai", "ollama", "openai")


def check(names: list[str]) -> None:
    """Run these clients before every fault, and compare with the page."""
    command = [sys.executable, "-m", "tests.clients.table", "--check", "--modes", "repaired"]
    # In a process of its own: some clients leave connections and threads behind, which pytest would report.
    told = subprocess.run([*command, "--clients", ",".join(names)], cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr[-2000:]


@pytest.mark.slow
def test_the_official_clients_for_python_do_what_the_page_says() -> None:
    names = [entry.name for entry in python_entries() if entry.package in PACKAGES]
    assert len(names) == 11
    check(names)


@pytest.mark.slow
def test_the_clients_for_node_do_what_the_page_says() -> None:
    if node_folder() is None:
        pytest.skip("the packages of tests/clients/table/package.json are not installed")
    names = [entry.name for entry in node_entries()]
    assert len(names) == 17
    check(names)
