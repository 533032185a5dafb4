"""What `pace` changes of a repairer: what it wrote is held and joined, and the heartbeat counts from what has left."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from ..engine import Engine
from ..failure import Failure
from ..observer import BugObserver
from ..registry import REGISTRY
from ..report import StreamError
from .pace import as_pace, counted
from .pacer import Pacer

if TYPE_CHECKING:
    from ..dialect import Dialect
    from ..heartbeat import Heartbeat
    from ..options import RepairOptions
    from .pace import Pace, Split


class _Guard:
    """The function of `pace=` in a stream that has a log: once it has raised, no unit is whole any more."""

    __slots__ = ("_by", "bug")

    def __init__(self, by: Split) -> None:
        self._by = by
        self.bug: Exception | None = None
        """What it raised, until the stream has ended by it."""

    def __call__(self, text: str) -> int:
        if self.bug is not None:
            return 0
        try:
            return counted(self._by(text))
        except Exception as error:
            self.bug = error
            return 0


class Paced(Engine[bytes]):
    """Stands before `StreamRepairer` among the bases of a repairer that reads and reports as that does."""

    __slots__ = ()  # the class that has both bases has the slots for the pacer and its guard
    _guard: _Guard | None
    _heartbeat: Heartbeat
    _pacer: Pacer

    def __init__(self, **options: Unpack[RepairOptions]) -> None:
        super().__init__(**options)
        assert self.options.pace is not None
        dialect = deepcopy(self._known_dialect())
        limit = self.options.max_event_bytes
        pace = self._guarded(as_pace(self.options.pace))
        self._pacer = Pacer(pace, dialect=dialect, format=None, max_event_bytes=limit)  # type: ignore[misc]  # see the slots

    def _guarded(self, pace: Pace) -> Pace:
        """Have a function raise nothing where there is a log to tell of it; without one it passes through."""
        has_log = any(isinstance(observer, BugObserver) for observer in self.options.observers)
        self._guard = None if isinstance(pace.by, str) or not has_log else _Guard(pace.by)  # type: ignore[misc]
        return pace if self._guard is None else replace(pace, by=self._guard)

    def feed(self, chunk: bytes, now: float) -> list[bytes]:
        """Return what the next bytes complete, and what was held and may leave."""
        return self._pass(super().feed(chunk, now), now)

    def close(self, now: float) -> list[bytes]:
        """Take the clean end of the input, and return all that is left."""
        return self._pass(super().close(now), now)

    def fail(self, error: Exception, now: float) -> list[bytes]:
        """Take the exception that upstream raised."""
        return self._pass(super().fail(error, now), now)

    def cancel(self, now: float) -> None:
        """End because the consumer left."""
        super().cancel(now)
        self._pacer.clear()

    def next_deadline(self) -> float | None:
        """Return when a heartbeat, a timeout, or text that is held is due."""
        deadline, held = super().next_deadline(), self._pacer.next_deadline()
        if self.finished or held is None:
            return deadline
        return held if deadline is None else min(deadline, held)

    def on_deadline(self, now: float) -> list[bytes]:
        """Return what is due now: text that was held, a timeout's error frame, a heartbeat, or nothing."""
        due = [] if self.finished else self._write(self._due(now), now)
        heartbeats = self.report.heartbeats
        items = super().on_deadline(now)
        if self.report.heartbeats > heartbeats:
            return due + items
        return due + self._pass(items, now)

    def _due(self, now: float) -> list[bytes]:
        if self.options.heartbeat_as == "event" and self._heartbeat.due(now):
            return self._pacer.flush()  # an event has the number of the last one that was read, and stands behind it
        return self._pacer.on_deadline(now)

    def _read(self, chunk: bytes, now: float) -> list[bytes]:
        return Engine._read(self, chunk, now)  # without the heartbeat's clock: what is read is not written yet

    def _catch_up_heartbeat(self) -> None:
        """Count nothing: what took the fast path was not written with it."""

    def _pass(self, items: list[bytes], now: float) -> list[bytes]:
        """Return what leaves of what the repairer wrote, and what was held: all of it at the end."""
        if items:
            self._learn()
        self.report.bytes_out -= sum(map(len, items))
        left = [frame for item in items for frame in self._pacer.feed(item, now)]
        if self.finished:
            left += self._pacer.flush()
        elif not items:
            left = self._pacer.on_deadline(now)
        if self._guard is not None and self._guard.bug is not None:
            return self._write(left, now) + self._end_by_bug(self._guard, now)
        return self._write(left, now)

    def _end_by_bug(self, guard: _Guard, now: float) -> list[bytes]:
        """Tell the log of what the function raised, and end: text that was held leaves before the error frame."""
        error, guard.bug = guard.bug, None
        for observer in self.options.observers:
            if isinstance(observer, BugObserver) and error is not None:
                observer.application_raised(error)
        self.renew = None  # it would raise again
        failure = Failure("application-error", status_hint=500, error_type=type(error).__name__)
        return self._pass(super().fail(StreamError(failure), now), now)

    def _write(self, frames: list[bytes], now: float) -> list[bytes]:
        self.report.bytes_out += sum(map(len, frames))
        if frames:
            self._heartbeat.wrote(now)
        return frames

    def _learn(self) -> None:
        """Tell the pacer what framing and dialect the output has, once that is known."""
        pacer = self._pacer
        pacer.format = self._pipeline.gate.target or self.report.format
        known = self._known_dialect()
        if known is not None and type(known) is not type(pacer.dialect):
            pacer.dialect = type(known)()

    def _known_dialect(self) -> Dialect | None:
        """Return the dialect of what is written."""
        if self.options.converts_to is not None:
            return REGISTRY[self.options.converts_to]()
        return self._pipeline.gate.dialect
