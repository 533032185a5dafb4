"""The tests of single options fail for a repairer that ignores the option, and pass one that obeys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from unbroken import StreamRepairer, iter_events
from unbroken.testing import RepairContract, repair_options

from .test_testing_contract import examine, failure_of

TESTS = {
    "comments": "comments_that_are_to_be_dropped_do_not_leave",
    "last_event_id": "events_before_the_first_id_have_the_id_to_start_from",
    "max_event_bytes": "no_event_leaves_that_is_larger_than_the_limit",
    "repairs": "what_is_not_to_be_repaired_leaves_as_it_came",
}
"""The option, and the test that fails where it is ignored."""


class Deaf(RepairContract):
    """The repairer of this library, which may ignore one of its options."""

    options = repair_options()
    ignores = ""

    def obeyed(self, options: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name != self.ignores}

    def repair(self, chunks: Iterable[bytes], options: dict[str, Any]) -> Iterator[bytes]:
        repairer = StreamRepairer(**self.obeyed(options))
        for chunk in chunks:
            yield from repairer.feed(chunk, 0.0)
        yield from repairer.close(0.0)

    def events(self, chunks: Iterable[bytes], options: dict[str, Any]) -> list[tuple[str, str, str]]:
        events = iter_events(chunks, timeouts=None, **self.obeyed(options))
        return [(event.event, event.data, event.id) for event in events]


class Undrawn(Deaf):
    """The same, without options."""

    options = RepairContract.options


@pytest.mark.parametrize("option", TESTS)
def test_who_ignores_an_option_fails_its_test(option: str) -> None:
    contract = Deaf()
    contract.ignores = option
    assert "An option does what it says" in (failure_of(contract, TESTS[option]) or "")


@pytest.mark.parametrize("option", TESTS)
def test_who_obeys_an_option_passes_its_test(option: str) -> None:
    (finding,) = examine(Deaf(), lambda name: name == f"test_{TESTS[option]}")
    assert (finding.failure, finding.skipped) == (None, None)


@pytest.mark.parametrize("option", TESTS)
def test_an_option_that_is_not_drawn_is_not_asked_for(option: str) -> None:
    (finding,) = examine(Undrawn(), lambda name: name == f"test_{TESTS[option]}")
    assert finding.skipped == f"does not define options that draw {option!r}"
