"""Ends that are written by somebody who is not the producer: it is lost, too old, or stopped from elsewhere."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..core.events import Format
from ..core.failure import STOPPED, Failure
from ..core.report import StreamReport, Verdict
from ..observe.log import warn
from .form import dialect_of, error_frame
from .ids import START
from .records import with_id
from .store import Ending
from .tally import Tally

if TYPE_CHECKING:
    from .calls import Calls
    from .store import State


class StoreFailures:
    """Logs and counts the failures of a store, in this process. Thread-safe."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._met_at = -math.inf

    def note(self, error: Exception, text: str = "the store of a replayed answer failed: %s") -> None:
        """Log one as a warning, by the name of its type, and count it."""
        warn(text, type(error).__name__)
        self.note_again(error)

    def note_again(self, error: Exception) -> None:
        """Count one that follows from the same fault as one that was logged."""
        self.tally.count("store_errors")
        self.meet()

    def meet(self) -> None:
        """Note that the store fails at this moment."""
        self._met_at = time.monotonic()

    def are_recent(self, lease: float) -> bool:
        """Return whether the store failed so lately that a producer may not have come back to it yet."""
        return time.monotonic() - self._met_at < lease / 3 + 1


@dataclass(frozen=True, slots=True)
class Terms:
    """How long answers are kept, and how much of each; `Replay` says what each one is."""

    ttl: float
    lease: float
    max_bytes: int
    max_age: float
    failures: StoreFailures = field(default_factory=StoreFailures)

    @property
    def tally(self) -> Tally:
        """What is counted in this process."""
        return self.failures.tally

    def ending(self, report: StreamReport) -> Ending:
        """Return the end of an answer with this report."""
        remember = max(self.max_age, self.ttl)
        facts = json.dumps(report.as_dict())
        return Ending(verdict=report.verdict.value, report=facts, ttl=self.ttl, remember=remember)


async def end_from_outside(
    calls: Calls, store: Any, key: str, state: State, failure: Failure, terms: Terms, nonce: str,
    store_error: str | None = None,
) -> bool:  # fmt: skip
    """End a running answer in place of its producer, who can write nothing from there on; return whether we did.

    False: somebody else was first. Raises what the store raises.
    """
    report = _report(failure, state.form)
    report.events = state.last.seq
    report.duration = state.age
    report.store_error = store_error
    at = state.last.outside
    record = with_id(error_frame(failure, state.form), at)
    args = (key, nonce, at, [record], terms.ending(report))
    ended = await calls.call(store.end, *args, first=state.first, form=None)
    if ended:
        terms.tally.count_end(report.verdict, failure.code)
        warn("a replayed answer was ended from outside: %s", failure.code)
    return bool(ended)


async def end_unproduced(
    calls: Calls, store: Any, key: str, owner: str, failure: Failure, terms: Terms, form: str
) -> bool:
    """End an answer in the name of its producer, who has written nothing; return whether that stands."""
    at = START.following()
    record = with_id(error_frame(failure, form), at)
    ending = terms.ending(_report(failure, form))
    return bool(await calls.call(store.end, key, owner, at, [record], ending, first=at, form=form))


def _report(failure: Failure, form: str | None) -> StreamReport:
    report = StreamReport(format=Format.SSE, dialect=dialect_of(form))
    report.verdict = {STOPPED: Verdict.CANCELLED, "truncated": Verdict.TRUNCATED}.get(failure.code, Verdict.FAILED)
    report.error = report.error_for(failure)
    return report
