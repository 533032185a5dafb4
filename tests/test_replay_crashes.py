"""Replayed answers in real processes: see `tests/crashes_of_replay.py`, which loops as often as one likes."""

from __future__ import annotations

import pytest

from tests.crashes_of_replay import CASES, run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", CASES)
def test_the_laws_hold_in_processes_that_crash(name: str) -> None:
    for _ in range(3):
        run(name)
