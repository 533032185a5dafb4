"""The state of one stream: which repairs may be tried, whether it goes on, and how it ended.

The state changes only with what is forwarded, never with what was dropped: a second pass over the output then walks
through the same states, so a repaired stream needs no repair. All transitions are in `TRANSITIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from .failure import STOPPED, Failure
from .report import Verdict


class Mode(Enum):
    """Which repairs may be tried."""

    OPEN = "open"  # those with a proof of their own
    KNOWN = "known"  # the dialect is known: also those that rest on it
    TEXT = "text"  # none: the payloads are prose


class Phase(Enum):
    """Whether the stream goes on."""

    LIVE = "live"  # what comes is forwarded
    DONE = "done"  # the sentinel was forwarded: what comes is not read, where that repair is enabled
    DEAD = "dead"  # a failure that this library found ended it: what comes is not read


class Signal(Enum):
    """What can change the state."""

    PROSE = "a payload that is prose was forwarded, as SSE"
    DIALECT = "a dialect of JSON payloads was named, or recognised by more than an error"
    TEXT_DIALECT = "a dialect of prose was named"
    SENTINEL = "the sentinel was forwarded"
    FAILURE = "a failure of our own ended the stream"
    CONNECTION = "upstream was opened again"


TRANSITIONS: Final[Mapping[Signal, Mapping[Mode | Phase, Mode | Phase]]] = {
    Signal.PROSE: {Mode.OPEN: Mode.TEXT},
    Signal.DIALECT: {Mode.OPEN: Mode.KNOWN, Mode.TEXT: Mode.KNOWN},
    Signal.TEXT_DIALECT: {Mode.OPEN: Mode.TEXT},
    Signal.SENTINEL: {Phase.LIVE: Phase.DONE},
    Signal.FAILURE: {Phase.LIVE: Phase.DEAD, Phase.DONE: Phase.DEAD},
    Signal.CONNECTION: {Phase.DEAD: Phase.LIVE},
}
"""Where each signal leads; a mode or phase that a signal does not name stays as it is."""


class State:
    """Mode and phase of one stream, and the facts from which its verdict follows.

    `stops_at_sentinel`: whether what follows the sentinel is dropped. `masks_errors`: whether an error of upstream's is
    told in our words.
    """

    __slots__ = (
        "_stops_at_sentinel",
        "after_done",
        "damaged",
        "dead_from",
        "early_error",
        "failure",
        "is_ours",
        "masked",
        "masks_errors",
        "mode",
        "needs_sentinel",
        "phase",
        "terminated",
        "unreported",
    )  # fmt: skip

    def __init__(self, *, stops_at_sentinel: bool = True, masks_errors: bool = False) -> None:
        self._stops_at_sentinel = stops_at_sentinel
        self.masks_errors: bool = masks_errors
        """Whether an error of upstream's is told in our words."""
        self.mode: Mode = Mode.OPEN
        self.phase: Phase = Phase.LIVE
        self.after_done: bool = False
        """Whether data is dropped because the stream ended at its sentinel."""
        self.terminated: bool = False
        """Whether the sentinel, or the dialect's own terminator, was forwarded."""
        self.needs_sentinel: bool = False
        """Whether nothing but the sentinel, which was forwarded, says that the answer is whole."""
        self.damaged: bool = False
        """Whether a payload was lost, or left unreadable, before the stream ended."""
        self.failure: Failure | None = None
        """The first failure, upstream's own or ours; a later one changes nothing."""
        self.is_ours: bool = False
        """Whether an error was forwarded that this library wrote earlier, as no upstream does by chance."""
        self.masked: Failure | None = None
        """The error of an event that is not forwarded, or of an earlier one, to be told in our words; `die` is to
        follow."""
        self.early_error: Failure | None = None
        """The first error that came where it may be a record of anybody's; it counts once the dialect is known."""
        self.unreported: Failure | None = None
        """The failure, if it is ours and no frame says so yet."""
        self.dead_from: int | None = None
        """In the phase DEAD: the offset at which the input ended that showed the failure."""

    def __str__(self) -> str:
        return f"{self.mode.value}/{self.phase.value}"

    def receive(self, signal: Signal) -> None:
        """Change mode and phase as `TRANSITIONS` says."""
        changes = TRANSITIONS[signal]
        self.mode = changes.get(self.mode, self.mode)  # type: ignore[assignment]  # modes lead to modes only
        self.phase = changes.get(self.phase, self.phase)  # type: ignore[assignment]
        self.after_done = self.phase is Phase.DONE and self._stops_at_sentinel
        if signal in (Signal.DIALECT, Signal.TEXT_DIALECT) and self.early_error is not None:
            self.forwarded_error(self.early_error, has_words=False)  # its event has left

    @property
    def stopped(self) -> bool:
        """Whether nothing more needs to be read."""
        return self.phase is Phase.DEAD or self.after_done

    @property
    def ended(self) -> bool:
        """Whether the verdict no longer depends on how the input ends."""
        return self.terminated or self.failure is not None

    def forwarded_sentinel(self, *, is_whole: bool = False, completes: bool = True) -> None:
        """Note that the sentinel came, which ends the stream.

        `is_whole`: the payloads before it say that the answer is whole. `completes`: it says so itself.
        """
        self.needs_sentinel = not (is_whole or self.terminated)
        self.terminated = self.terminated or is_whole or completes
        self.receive(Signal.SENTINEL)

    def forwarded_terminator(self) -> None:
        """Note that a payload was forwarded by which the dialect ends a complete answer; a sentinel may follow."""
        self.terminated = True

    def lost_payload(self) -> None:
        """Note that a payload was dropped, or is unreadable. Behind the terminator none is missed."""
        self.damaged = self.damaged or not self.terminated

    def forwarded_error(self, failure: Failure, *, has_words: bool = True, is_ours: bool = False) -> None:
        """Note that an error of upstream's, or one that this library wrote earlier (`is_ours`), is forwarded.

        `has_words`: it may say more than that, so that it is masked where the caller wants that.
        """
        if self.masks_errors and has_words:
            self.masked = self.masked or failure
            return
        self.masked = None
        self.is_ours = self.is_ours or is_ours
        if self.failure is None:
            self.failure = failure

    def named_error(self, failure: Failure) -> None:
        """Note that an event that no dialect reads, but is named an error, is not forwarded."""
        self.masked = self.masked or failure

    def ends_by_early_error(self) -> None:
        """Note that a conversion, which says nothing behind an error, begins behind one: it ends with one of ours."""
        self.masked, self.early_error = self.masked or self.early_error, None

    def forwarded_early_error(self, failure: Failure) -> None:
        """Note what is an error if the stream is of a dialect that was not recognised yet, and else a record."""
        if self.early_error is None:
            self.early_error = failure

    def broke(self, failure: Failure) -> None:
        """Note a failure that is not in the bytes: upstream raised, or a clock ran out."""
        self.failure = failure

    def die(self, failure: Failure, end: int) -> None:
        """End the stream with a failure of ours; what follows byte `end` is not read."""
        if self.failure is None:
            self.failure = self.unreported = failure
        self.dead_from = end
        self.receive(Signal.FAILURE)

    def ended_before(self, start: int) -> None:
        """Note that the input to byte `start` was read to know that what `die` ended was whole: its line end counts."""
        self.dead_from = start

    def reconnect(self) -> None:
        """Go on with another connection: the failure of the last one was not the stream's."""
        self.failure = self.masked = self.unreported = self.early_error = self.dead_from = None
        self.is_ours = False
        self.receive(Signal.CONNECTION)

    def verdict(self, *, clean: bool, cut: bool, complete: bool | None) -> Verdict:
        """Return the verdict that follows.

        `clean`: the input ended without an error. `cut`: its last piece was not whole. `complete`: whether the dialect
        takes what was read for a whole answer; None where no dialect with JSON payloads is known.
        """
        if self.failure is not None:
            return Verdict.CANCELLED if self.failure.code == STOPPED else Verdict.FAILED
        whole = Verdict.DAMAGED if self.damaged else Verdict.COMPLETE
        if self.terminated:
            return whole
        if not clean:
            return Verdict.FAILED
        if complete is None:
            return Verdict.TRUNCATED if cut else Verdict.ENDED
        return whole if complete and not cut else Verdict.TRUNCATED
