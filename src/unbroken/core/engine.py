"""What both faces of the core share: the clocks, the one end, and going on with another connection."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar, Unpack

from .decoder import copy_buffer
from .dialect import EventClass
from .events import Event
from .failure import Failure
from .frames import Delivery, Item
from .heartbeat import Clocks
from .observer import hooks
from .options import Options, RepairOptions, check_options
from .pipeline import Pipeline, new_report
from .repairs import Repair
from .report import StreamError, StreamReport, Verdict

if TYPE_CHECKING:
    from .resume import DeliveredIds, Seam
    from .withheld import Withheld

T = TypeVar("T")
_CONTENT: Final = EventClass.CONTENT


class Engine(Generic[T]):
    """Chunks and `now` in, items out; what an adapter drives. `now` is any monotonic clock's time, in seconds.

    What callbacks raise passes through.
    """

    __slots__ = (
        "_clocks",
        "_is_timed",
        "_last_content_at",
        "_last_item_at",
        "_last_passed_at",
        "_on_content",
        "_on_received",
        "_pipeline",
        "_started_at",
        "error",
        "finished",
        "options",
        "renew",
        "report",
    )

    _DELIVERY: ClassVar[Delivery]

    def __init__(self, **options: Unpack[RepairOptions]) -> None:
        self.options: Options = check_options(**options)
        self.report: StreamReport = new_report(self.options)
        self.error: StreamError | None = None
        """The error by which the stream ended, once it has."""
        self.finished: bool = False
        self.renew: Callable[[Exception], float | None] | None = None
        """Asked before a failure is reported: the seconds until upstream is opened again, or None to let it stand."""
        # A conversion spells each frame anew.
        self._pipeline = Pipeline(self.options, self.report, None if self.options.convert else self._DELIVERY)
        self._clocks = Clocks(self.options.timeouts)
        self._is_timed = self.options.timeouts is not None
        self._started_at: float | None = None
        self._last_item_at = self._last_content_at = 0.0
        self._last_passed_at = -math.inf  # when frames last took the fast path, which are written as they came
        self._on_received = hooks(self.options.observers, "received")
        self._on_content = hooks(self.options.observers, "content")

    def remember_ids(self) -> DeliveredIds:
        """Remember the ids of what is delivered, and return them: upstream may send it again after `renew`."""
        from .resume import DeliveredIds  # most streams come over one connection

        delivered = self._pipeline.gate.delivered = DeliveredIds(self.options.last_event_id)
        return delivered

    def withhold(self, seam: Seam | None = None) -> None:
        """Hold back a beginning that says nothing until something is said: upstream may be asked again, by `renew`.

        `seam`: joins another answer, which `renew` may bring, to what was delivered.
        """
        self._pipeline.gate.seam = seam
        self._pipeline.withheld = self._withheld()

    def _withheld(self) -> Withheld | None:
        from .withheld import Withheld  # few streams are retried

        named = self._pipeline.withheld.dialect if self._pipeline.withheld is not None else self.options.dialect
        try:
            return Withheld(named, self.options.last_event_id, resumes=self._pipeline.gate.delivered is not None)
        except Exception:  # a dialect that cannot be copied would read two beginnings
            return None

    def _hand_over(self, items: list[Item], now: float) -> list[T]:
        """Return what leaves of these items."""
        items = self._timed(items, now)
        withheld = self._pipeline.withheld
        if withheld is not None:
            items = withheld.pass_on(items)
            if withheld.released:
                self._pipeline.withheld = None
        return self._deliver(items)

    @abstractmethod
    def _deliver(self, items: list[Item]) -> list[T]:
        """Turn frames into what leaves."""

    def _last_items(self, verdict: Verdict, ours: Failure | None) -> list[T]:
        """Return what is written last, where something is; an event engine raises instead."""
        return []

    # Time

    def resume(self, now: float) -> None:
        """Let the timeout clocks run; the first call starts the stream's time."""
        if self._started_at is None:
            self._start(now)
        self._end_pause(now)

    def _start(self, now: float) -> None:
        self._started_at = self._last_item_at = self._last_content_at = now
        self._clocks.started(now)
        if self._pipeline.gate.dialect is not None:
            self._clocks.recognised()
        for observer in self.options.observers:
            observer.started(self.report)

    def _since_start(self, now: float) -> float:
        if self._started_at is None:
            self._start(now)
            return 0.0
        return now - self._started_at

    def pause(self, now: float) -> None:
        """Let the timeout clocks stand still: the consumer does not ask. The report keeps the longest such time."""
        self._clocks.pause(now)

    def _end_pause(self, now: float) -> None:
        pause = self._clocks.resume(now)
        if pause > self.report.longest_pause:
            self.report.longest_pause = pause

    @property
    def early_error(self) -> StreamError | None:
        """The error that upstream sent already, or by which the stream ended; `error` is set at the end only."""
        failure = self._pipeline.gate.state.failure
        return self.error or (self.report.error_for(failure) if failure is not None else None)

    def hold(self, held: bool) -> None:
        """Owe no heartbeat while `held`."""

    def next_deadline(self) -> float | None:
        """Return the time of the next timeout (and, where bytes are written, heartbeat), or None."""
        return None if self.finished else self._clocks.next_deadline()

    def on_deadline(self, now: float) -> list[T]:
        """Return what is due now."""
        clock = None if self.finished else self._clocks.expired(now)
        if clock is None:
            return []
        self.report.timeout = clock
        return self._break_off(Failure(f"{clock}-timeout", status_hint=504), now)

    # Input

    def feed(self, chunk: bytes, now: float) -> list[T]:
        """Return what the next bytes complete; `b""` is nothing, and not the end."""
        if type(chunk) is not bytes:
            chunk = copy_buffer(chunk)
        fast, report = self._pipeline.fast, self.report
        if fast is None or self._pipeline.withheld is not None:
            return self._feed(chunk, now)
        events = report.events
        report.chunks_in += 1
        if self._on_received:
            self._show(chunk, now)
        items = fast.take(chunk)
        if items is None:
            return self._read(chunk, now)
        self._note_passed(items, chunk, now, events)
        return items

    def _show(self, chunk: bytes, now: float) -> None:
        """Show the observers a chunk, before anything is made of it."""
        if not self.finished:
            since = self._since_start(now)
            for received in self._on_received:
                received(self.report, chunk, since)

    def _note_passed(self, items: list[T], chunk: bytes, now: float, events_before: int) -> None:
        """Note when a chunk took the fast path, and what of it left."""
        report = self.report
        if items:
            gap = now - self._last_item_at
            if gap > report.longest_gap:
                report.longest_gap = gap
            for content in self._on_content:
                content(report, now - self._last_content_at)
            self._last_item_at = self._last_content_at = self._last_passed_at = now
            if self._on_content and report.events - events_before > 1:
                self._observe_content(now, report.events - events_before - 1)
            if self._is_timed:
                self._clocks.progressed(now)
        elif self._is_timed and chunk:
            self._clocks.received(now)

    def _feed(self, chunk: bytes, now: float) -> list[T]:
        """Read a chunk where there is no fast path: in the beginning, in arrays, and after the end."""
        since = self._since_start(now)
        if self._pipeline.closed:
            return []
        self.report.chunks_in += 1
        if chunk and self.report.first_byte is None:
            self.report.first_byte = since
        self._show(chunk, now)
        return self._read(chunk, now)

    def _read(self, chunk: bytes, now: float) -> list[T]:
        if self._pipeline.closed:  # by an observer
            return []
        if chunk and self._is_timed:
            self._clocks.received(now)
        items = self._pipeline.feed(chunk)
        delivered = self._hand_over(items, now) if items else []
        gate = self._pipeline.gate
        if gate.state.stopped and not self.finished:
            delivered += self._end(gate.verdict(clean=True, cut=False), now)
        return delivered

    def _timed(self, items: list[Item], now: float) -> list[Item]:
        """Note when events came, and feed the clocks with content."""
        report = self.report
        since = self._since_start(now)
        for item in items:
            if isinstance(item, Repair) or not item.count:
                continue
            if self._pipeline.gate.dialect is not None:  # recognised by this event, or by an earlier one
                self._clocks.recognised()
            if report.first_event is None:
                report.first_event = since
            if item.kind is _CONTENT:
                self._note_content(now, since, item.count)
            gap = now - self._last_item_at
            if gap > report.longest_gap:
                report.longest_gap = gap
            self._last_item_at = now
        return items

    def _note_content(self, now: float, since: float, count: int) -> None:
        report = self.report
        if self._is_timed:
            self._clocks.content(now)
        report.content_emitted = True
        if self._on_content:
            self._observe_content(now, count)
        self._last_content_at = now
        if report.first_content is None:
            report.first_content = since

    def _observe_content(self, now: float, count: int) -> None:
        """Show the observers so many events of content: the first one after a gap, the others with it."""
        gap = now - self._last_content_at
        for _ in range(count):
            for content in self._on_content:
                content(self.report, gap)
            gap = 0.0

    def close(self, now: float) -> list[T]:
        """Take the clean end of the input, and return what is left. A second call returns nothing."""
        if self._pipeline.closed:
            return []
        self._since_start(now)
        items, verdict = self._pipeline.close(clean=True)
        delivered = self._hand_over(items, now)
        return delivered if self.finished else delivered + self._end(verdict, now)

    def fail(self, error: Exception, now: float) -> list[T]:
        """Take the exception that upstream raised; what was whole has left already."""
        if isinstance(error, StreamError):
            return self._break_off(error.failure, now, error)
        failure = Failure("upstream-failed", status_hint=502, error_type=type(error).__name__)
        return self._break_off(failure, now, error)

    def end(self, failure: Failure, now: float) -> list[T]:
        """End by a failure from outside, such as `stopped` or `shutting-down`: upstream is not opened again."""
        self.renew = None
        return self._break_off(failure, now)

    def _break_off(self, failure: Failure, now: float, met: Exception | None = None) -> list[T]:
        """End because of something that is not in the bytes. An end that was reported already stays as it is.

        `met`: the exception that reading upstream raised; None for a timeout.
        """
        if self._pipeline.closed or self.finished:
            return []
        self._since_start(now)
        items, verdict = self._pipeline.close(clean=False)
        delivered = self._hand_over(items, now)
        state = self._pipeline.gate.state
        if verdict is Verdict.FAILED and state.failure is None:
            state.broke(failure)
            verdict = self._pipeline.gate.verdict(clean=False, cut=False)
            return delivered + self._end(verdict, now, ours=failure, met=met)
        return delivered + self._end(verdict, now, met=met)

    def cancel(self, now: float) -> None:
        """End because the consumer left: the verdict is CANCELLED unless there is one, and nothing more leaves."""
        if not self.finished:
            self._since_start(now)
            self._end_pause(now)
            gate = self._pipeline.gate
            verdict = gate.verdict(clean=True, cut=False) if gate.state.ended else Verdict.CANCELLED
            withheld, self._pipeline.withheld = self._pipeline.withheld, None
            if withheld is not None and withheld.events:
                withheld.uncount(self.report)
            self._end(verdict, now)
        self._pipeline.stop()

    # The one end

    def _end(self, verdict: Verdict, now: float, ours: Failure | None = None, met: Exception | None = None) -> list[T]:
        """Fix the verdict, once, unless upstream is opened again; return the last frames.

        `ours`: the failure to be reported as ours; None where upstream's own frames say how it ended. `met`: the
        exception that reading upstream raised, if one did; the retry policy is asked about it, or else about `ours`.
        """
        if self.finished:  # a callback closed the stream meanwhile
            return []
        state = self._pipeline.gate.state
        if state.dead_from is not None:
            ours = state.unreported
        elif verdict is Verdict.TRUNCATED and self._pipeline.reports_truncation:
            ours = Failure("truncated")
        if ours is not None and self._goes_on(met or StreamError(ours), now):
            return []
        withheld, self._pipeline.withheld = self._pipeline.withheld, None
        held = [] if withheld is None else self._deliver(withheld.release())
        self.finished = True
        self._pipeline.finish()
        report = self.report
        report.verdict = verdict
        report.duration = now - (self._started_at if self._started_at is not None else now)
        items = held + self._last_items(verdict, ours)
        self.error = report.error = self._pipeline.error()
        for observer in self.options.observers:
            observer.ended(report)
        return items

    def _ask_to_renew(self, error: Exception) -> float | None:
        """Return what `renew` says, which knows nothing of what is held back."""
        if self.renew is None:
            return None
        report, withheld = self.report, self._pipeline.withheld
        if withheld is None:
            return self.renew(error)
        known = report.events, report.last_event_id
        withheld.uncount(report)
        try:
            return self.renew(error)
        finally:
            report.events, report.last_event_id = known

    def _goes_on(self, error: Exception, now: float) -> bool:
        """Ask for another connection; what was forwarded stays, what was half read is forgotten."""
        delay = self._ask_to_renew(error)
        if delay is None:
            return False
        self.report.retries += 1
        self.report.timeout = None
        withheld = self._pipeline.withheld
        if withheld is not None and withheld.frames and (fresh := self._withheld()) is not None:
            self._pipeline = self._pipeline.anew(withheld, fresh)
        else:
            self._pipeline.reconnect()
        self._clocks.restarted(now + delay)
        return True


class EventEngine(Engine[Event]):
    """Events out of bytes; a failure is `error`, to be raised after the last event."""

    __slots__ = ()

    _DELIVERY = Delivery.EVENTS

    def _deliver(self, items: list[Item]) -> list[Event]:
        events: list[Event] = []
        for item in items:
            if not isinstance(item, Repair):
                events += item.events()
        return events
