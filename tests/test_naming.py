"""Classes that take their arguments by name say so, and name what a misspelt one may mean."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable

import pytest

import unbroken
from unbroken.core.naming import nearest


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: unbroken.Timeouts(10),
            r"^Timeouts\(\) takes its arguments by name: write Timeouts\(first=\.\.\., idle=",
        ),
        (
            lambda: unbroken.Timeouts(idel=10),
            r"^Timeouts\(\) takes no argument 'idel' \(did you mean 'idle'\?\): write",
        ),
        (lambda: unbroken.Timeouts(zzz=10), r"^Timeouts\(\) takes no argument 'zzz': write Timeouts\(first="),
        (
            lambda: unbroken.FailureWindow(5, 60),
            r"^FailureWindow\(\) takes .* by name: write FailureWindow\(limit=\.\.\., sec",
        ),
        (lambda: unbroken.FlightRecorder(5), r"^FlightRecorder\(\) takes .* by name: write FlightRecorder\(chunks="),
    ],
)
def test_what_takes_its_arguments_by_name_says_so(make: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


def test_what_takes_its_arguments_by_name_shows_them_and_can_be_copied() -> None:
    assert list(inspect.signature(unbroken.Timeouts).parameters) == ["first", "idle", "silence", "total"]
    timeouts = unbroken.Timeouts(idle=3)
    assert pickle.loads(pickle.dumps(timeouts)) == copy.copy(timeouts) == timeouts
    assert dataclasses.replace(timeouts, first=None).idle == 3


@pytest.mark.parametrize(("name", "near"), [("Idle", "idle"), ("ide", "idle"), ("x", None), ("i" * 10**6, None)])
def test_the_nearest_name_is_found_in_a_short_time(name: str, near: str | None) -> None:
    assert nearest(name, ["first", "idle", "silence"]) == near
