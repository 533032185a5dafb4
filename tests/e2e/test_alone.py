"""What keeps a test that measures from another process's load."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.fences import ROOT

from .alone import TooLateError, again_alone, alone, in_time

pytestmark = pytest.mark.e2e

OTHER = """
import time
from tests.e2e.alone import beside_others
with beside_others():
    print("began", flush=True)
    time.sleep(0.5)
    print(time.monotonic(), flush=True)
print("ended", flush=True)
"""


def test_who_is_alone_waits_for_the_test_of_another_process() -> None:
    with subprocess.Popen([sys.executable, "-c", OTHER], cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "began\n"
        with alone():
            alone_since = time.monotonic()
        assert alone_since >= float(other.stdout.readline())  # one clock for all processes
        assert other.wait(10) == 0


def test_what_was_too_late_runs_again_and_what_was_wrong_does_not() -> None:
    seconds = [2.0, 0.5]
    turns: list[float] = []

    @again_alone
    def slow_at_first() -> None:
        turns.append(seconds.pop(0))
        in_time(turns[-1], 1.0)

    slow_at_first()
    assert turns == [2.0, 0.5]
    seconds[:] = [3.0, 2.0, 0.5]
    with pytest.raises(TooLateError, match=r"2\.00 s, and not 1\.00"):
        slow_at_first()

    @again_alone
    def wrong() -> None:
        turns.append(0.0)
        raise AssertionError("wrong")

    with pytest.raises(AssertionError, match="wrong"):
        wrong()
    assert turns.count(0.0) == 1
