"""The tests of a pace fail for each flaw that they are there for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from unbroken import StreamRepairer, Timeouts
from unbroken.testing import RepairContract

from .test_testing_contract import examine, failure_of

FLAWS = [
    ("forgets what it holds at the end", "a_pace_changes_nothing_but_how_text_is_cut"),
    ("forgets what it holds at a failure", "a_pace_changes_nothing_but_how_text_is_cut"),
    ("says another text", "a_pace_changes_nothing_but_how_text_is_cut"),
    ("is due for ever", "a_pace_changes_nothing_but_how_text_is_cut"),
    ("holds all to the end", "text_is_held_no_longer_than_the_pace_says"),
    ("holds heartbeats", "text_is_held_no_longer_than_the_pace_says"),
]
"""How a repairer with a pace may be wrong, and the test that says so."""


class FlawedRepairer:
    """A repairer that may be wrong where it has a pace."""

    def __init__(self, flaw: str, repairer: StreamRepairer) -> None:
        self.flaw, self.repairer, self.report = flaw, repairer, repairer.report
        self.held: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.repairer, name)

    def feed(self, chunk: bytes, now: float) -> list[bytes]:
        if self.flaw == "says another text":
            chunk = chunk.replace(b"e", b"a")
        return self.passed(self.repairer.feed(chunk, now))

    def on_deadline(self, now: float) -> list[bytes]:
        frames = self.repairer.on_deadline(now)
        if self.flaw == "holds heartbeats":
            return [frame for frame in frames if frame.strip() not in (b":", b"")]
        return self.passed(frames)

    def passed(self, frames: list[bytes]) -> list[bytes]:
        if self.flaw != "holds all to the end":
            return frames
        self.held += frames
        return []

    def close(self, now: float) -> list[bytes]:
        frames = [*self.held, *self.repairer.close(now)]
        return [] if self.flaw == "forgets what it holds at the end" else frames

    def fail(self, error: Exception, now: float) -> list[bytes]:
        frames = self.repairer.fail(error, now)
        return frames[-1:] if self.flaw == "forgets what it holds at a failure" else frames

    def next_deadline(self) -> float | None:
        due = self.repairer.next_deadline()
        return 1e9 if due is None and self.repairer.finished and self.flaw == "is due for ever" else due


class FlawedContract(RepairContract):
    """The repairer of this library, with a pace that may be wrong."""

    flaw = ""
    paces = (({"pace": "lines"}, 1.0), ({"pace": "words"}, 1.0))

    def repair(self, chunks: Iterable[bytes], options: dict[str, Any]) -> Iterator[bytes]:
        raise NotImplementedError

    def clocked(self, options: dict[str, Any], **seconds: float) -> Any:
        repairer = StreamRepairer(**options, heartbeat=seconds.get("heartbeat"), timeouts=Timeouts())
        return FlawedRepairer(self.flaw if "pace" in options else "", repairer)

    def facts_of(self, ran: Any) -> dict[str, Any]:
        facts: dict[str, Any] = ran.report.as_dict()
        return facts


@pytest.mark.parametrize(("flaw", "test"), FLAWS)
def test_a_flaw_fails_its_test(flaw: str, test: str) -> None:
    contract = FlawedContract()
    contract.flaw = flaw
    assert failure_of(contract, test)


@pytest.mark.parametrize("test", sorted({test for _, test in FLAWS}))
def test_what_has_no_flaw_passes(test: str) -> None:
    (finding,) = examine(FlawedContract(), lambda name: name == f"test_{test}")
    assert not finding.failure
