"""Tests of two processes run beside each other (`pytest -n 2`), and one that measures time again runs alone.

What is locked are files of this folder, which every process of a run has, and nothing is left behind.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Final

_GATE: Final = os.open(Path(__file__).with_name("conftest.py"), os.O_RDONLY)
_MACHINE: Final = os.open(Path(__file__), os.O_RDONLY)


@contextmanager
def beside_others() -> Iterator[None]:
    """Wait for who is alone, and keep others from being it."""
    _take(fcntl.LOCK_SH)
    try:
        yield
    finally:
        fcntl.flock(_MACHINE, fcntl.LOCK_UN)


@contextmanager
def alone() -> Iterator[None]:
    """Wait until the tests of all other processes have ended, and keep further ones from beginning."""
    fcntl.flock(_MACHINE, fcntl.LOCK_UN)  # or two that want to be alone would wait for each other
    _take(fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(_MACHINE, fcntl.LOCK_UN)
        _take(fcntl.LOCK_SH)


def _take(kind: int) -> None:
    fcntl.flock(_GATE, fcntl.LOCK_EX)  # who waits here for all others keeps later ones from going ahead
    try:
        fcntl.flock(_MACHINE, kind)
    finally:
        fcntl.flock(_GATE, fcntl.LOCK_UN)


class TooLateError(AssertionError):
    """Something took longer than it may, on this machine and at this moment."""


def in_time(took: float, limit: float) -> None:
    """Raise `TooLateError` if these seconds are over the limit."""
    if took > limit:
        raise TooLateError(f"{took:.2f} s, and not {limit:.2f}")


def again_alone(test: Callable[..., None]) -> Callable[..., None]:
    """Return a test that runs again, and alone, if something was too late the first time."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        try:
            test(**fixtures)
        except TooLateError as error:
            print(f"again, alone: {error}")
            with alone():
                test(**fixtures)

    return run
