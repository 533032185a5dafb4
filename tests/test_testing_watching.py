"""The tests of observers, of counts of chunks, and of readers of chunks, fail for each flaw that they are there for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import pytest

from unbroken import EventReader, Observer, StreamRepairer, Timeouts
from unbroken.testing import REPAIR_CASES, TIMED_CASES, RepairContract

from .test_testing_contract import examine, failure_of

FLAWS = [
    ("tells the end twice", "an_observer_is_told_in_order"),
    ("passes over empty chunks", "an_observer_is_told_in_order"),
    ("starts at each chunk", "an_observer_is_told_in_order"),
    ("counts from the start", "an_observer_is_told_in_order"),
    ("never ends", "an_observer_is_told_in_order"),
    ("tells content twice", "an_observer_is_told_of_each_text_with_its_gap"),
    ("tells no content", "an_observer_is_told_of_each_text_with_its_gap"),
    ("needs to be shown chunks", "an_observer_that_asks_for_less_is_told_the_same"),
    ("tells no repair", "an_observer_is_told_the_repairs_of_the_cases"),
    ("ends as it likes", "an_observer_is_told_of_the_cases_on_a_clock"),
    ("counts what says something", "chunks_are_counted"),
    ("counts what comes late", "chunks_are_counted"),
    ("counts what says something", "a_reader_of_chunks_reads_to_its_end"),
    ("reads chunk by chunk", "a_reader_of_chunks_reads_to_its_end"),
    ("stays open", "a_reader_of_chunks_reads_to_its_end"),
    ("closes again", "a_reader_of_chunks_reads_to_its_end"),
    ("keeps its error", "a_reader_of_chunks_reads_to_its_end"),
    ("takes text", "a_reader_of_chunks_takes_bytes_and_nothing_else"),
    ("keeps buffers", "a_reader_of_chunks_takes_bytes_and_nothing_else"),
]
"""How a repairer, its observer or its reader may be wrong, and the test that says so."""


class FlawedReader:
    """A reader of chunks that may be wrong."""

    def __init__(self, flaws: Collection[str], options: dict[str, Any]) -> None:
        self.flaws, self.options = flaws, options
        self.reader = EventReader(**options)
        self.kept: list[Any] = []
        self.uncounted = 0

    def feed(self, chunk: Any) -> list[Any]:
        if "takes text" in self.flaws and isinstance(chunk, str):
            chunk = chunk.encode()
        if "stays open" in self.flaws and self.reader.report.verdict.value != "open":
            return []
        self.uncounted += not chunk
        if "keeps buffers" in self.flaws and isinstance(chunk, bytearray):
            self.kept.append(chunk)
            return []
        kept, self.kept = self.kept, []
        read = [item for one in kept for item in self.reader.feed(one)] + self.reader.feed(chunk)
        return [] if "reads chunk by chunk" in self.flaws and len(chunk) % 7 == 3 else list(read)

    def close(self) -> list[Any]:
        is_closed = self.reader.report.verdict.value != "open"
        return [None] if is_closed and "closes again" in self.flaws else list(self.reader.close())


class FlawedContract(RepairContract):
    """The repairer of this library, watched or read by something that may be wrong."""

    flaws: Collection[str] = ()
    cases = REPAIR_CASES
    timed_cases = TIMED_CASES

    def repair(self, chunks: Iterable[bytes], options: dict[str, Any]) -> Iterator[bytes]:
        raise NotImplementedError

    def clocked(self, options: dict[str, Any], **seconds: float) -> StreamRepairer:
        timeouts = {name: seconds.get(name) for name in ("first", "idle", "silence", "total")}
        repairer = StreamRepairer(**options, heartbeat=seconds.get("heartbeat"), timeouts=Timeouts(**timeouts))
        if "counts what comes late" in self.flaws:
            return CountsTooMuch(repairer)  # type: ignore[return-value]
        return repairer

    def watched(
        self, options: dict[str, Any], tell: Callable[[str, Any], None], hooks: Collection[str], **seconds: float
    ) -> StreamRepairer:
        flawed = Flawed(self.flaws, tell, hooks)
        return self.clocked({**options, "observers": [flawed]}, **seconds)

    def reading(self, options: dict[str, Any]) -> FlawedReader:
        return FlawedReader(self.flaws, options)

    def facts_of(self, ran: Any) -> dict[str, Any]:
        report = getattr(ran, "reader", ran).report
        facts: dict[str, Any] = {"chunks_in": report.chunks_in, "verdict": report.verdict.value, "error": report.error}
        facts["error"] = report.error and report.error.code
        if "counts what says something" in self.flaws:
            facts["chunks_in"] -= getattr(ran, "uncounted", report.chunks_in > 1)
        if "keeps its error" in self.flaws:
            facts["error"] = None
        if isinstance(ran, CountsTooMuch):
            facts["chunks_in"] = ran.fed
        return facts


class CountsTooMuch:
    """Counts chunks behind the end, too."""

    def __init__(self, repairer: StreamRepairer) -> None:
        self.repairer, self.report, self.fed = repairer, repairer.report, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.repairer, name)

    def feed(self, chunk: bytes, now: float) -> list[bytes]:
        self.fed += 1
        return self.repairer.feed(chunk, now)


class Flawed(Observer):
    """An observer that may tell what was not told to it."""

    def __init__(self, flaws: Collection[str], tell: Callable[[str, Any], None], hooks: Collection[str]) -> None:
        self.flaws, self._tell, self.hooks = flaws, tell, hooks
        self.since = 0.0

    def tell(self, hook: str, value: Any, times: int = 1) -> None:
        for _ in range(times if hook in self.hooks else 0):
            self._tell(hook, value)

    def started(self, report: Any) -> None:
        self.tell("started", None)

    def received(self, report: Any, chunk: bytes, at: float) -> None:
        if "starts at each chunk" in self.flaws and at:
            self.tell("started", None)
        if chunk or "passes over empty chunks" not in self.flaws:
            self.tell("received", (chunk, at))

    def content(self, report: Any, gap: float) -> None:
        self.since += gap
        if "needs to be shown chunks" in self.flaws and "received" not in self.hooks:
            return
        told = self.since if "counts from the start" in self.flaws else gap
        self.tell(
            "content", told, 2 * ("tells content twice" in self.flaws) or int("tells no content" not in self.flaws)
        )

    def repaired(self, repair: Any) -> None:
        self.tell(
            "repaired", (repair.kind.value, repair.offset, repair.length), int("tells no repair" not in self.flaws)
        )

    def ended(self, report: Any) -> None:
        verdict = "complete" if "ends as it likes" in self.flaws else report.verdict.value
        self.tell("ended", verdict, 2 * ("tells the end twice" in self.flaws) or int("never ends" not in self.flaws))


@pytest.mark.parametrize(("flaw", "test"), FLAWS)
def test_a_flaw_fails_its_test(flaw: str, test: str) -> None:
    contract = FlawedContract()
    contract.flaws = (flaw,)
    assert failure_of(contract, test)


@pytest.mark.parametrize("test", sorted({test for _, test in FLAWS}))
def test_what_has_no_flaw_passes(test: str) -> None:
    (finding,) = examine(FlawedContract(), lambda name: name == f"test_{test}")
    assert not finding.failure
