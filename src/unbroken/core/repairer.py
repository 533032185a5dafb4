"""The core in one object: bytes and `now` in, clean bytes or events out.

`EventReader` reads events and knows no time; `StreamRepairer` and `EventEngine` add heartbeats, timeouts, the error
frame and the verdict, and are what the adapters drive.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from .dialect import CONVERTERS, REGISTRY, Converter, Dialect, EventClass
from .encoder import spell, spell_error, spell_heartbeat, spell_payload
from .errors import Failure, StreamError
from .events import Comment, Event, Format
from .gate import Frame, Item, Run
from .heartbeat import Clocks, Heartbeat
from .likeness import Lane
from .mending import DONE
from .options import Options, check_options, refuse_unknown
from .pipeline import Pipeline
from .repairs import Repair, RepairKind
from .report import StreamReport, Verdict, hooks
from .resume import DeliveredIds
from .sniffer import media_type

T = TypeVar("T")
_FAILED: Final = (Verdict.FAILED, Verdict.TRUNCATED)


def _as_bytes(chunk: Any) -> bytes:
    """Copy what is no `bytes`: whoever made it may use the buffer again. Raises `TypeError` for text and the like."""
    try:
        return bytes(memoryview(chunk))
    except TypeError:
        raise TypeError(f"feed() takes bytes, not {type(chunk).__name__}: feed the body undecoded") from None


def _new_report(options: Options) -> StreamReport:
    return StreamReport(
        format=options.format,
        dialect=options.dialect.name if options.dialect else None,
        last_event_id=options.last_event_id,
        provider=options.provider,
        request_id=options.request_id,
    )


class EventReader:
    """Read events, comments and repairs out of a stream of bytes, in order, without I/O and without time.

    Takes the keyword arguments of `unbroken.iter_events`; `timeouts` mean nothing here. A repair stands before what it
    produced. After `close` the report holds the verdict, and `error` why the stream failed, if it did.
    """

    def __init__(self, **options: Any) -> None:
        refuse_unknown("EventReader", options, writes=False)
        checked = check_options(**options)
        self.report: StreamReport = _new_report(checked)
        self.error: StreamError | None = None
        self._pipeline = Pipeline(checked, self.report)
        self._gate = self._pipeline.gate

    def feed(self, chunk: bytes) -> list[Event | Comment | Repair]:
        """Take the next bytes; `b""` is nothing, and no end."""
        if type(chunk) is not bytes:
            chunk = _as_bytes(chunk)
        report = self.report
        lane = self._gate.lane
        if lane is not None and (values := lane.take(chunk)) is not None:
            report.chunks_in += 1
            report.bytes_in += len(chunk)
            events: list[Any] = lane.likeness.events(values, report.last_event_id)
            if values:
                self._gate.absorb_run(lane.likeness, values)
            return events
        if self._pipeline.closed:
            raise ValueError("feed() after close(): an EventReader reads one stream; make a new one for the next")
        report.chunks_in += 1
        return _items(self._pipeline.feed(chunk))

    def close(self) -> list[Event | Comment | Repair]:
        """Take the clean end of the input, and give what it completes. A second call gives nothing."""
        if self._pipeline.closed:
            return []
        frames, self.report.verdict = self._pipeline.close(clean=True)
        self.error = self.report.error = _error_of(self._pipeline, self.report)
        return _items(frames)


def _items(frames: list[Item]) -> list[Event | Comment | Repair]:
    items: list[Event | Comment | Repair] = []
    for frame in frames:
        if isinstance(frame, Repair):
            items.append(frame)
        elif isinstance(frame, Run):
            items += frame.events()
        elif (item := frame.event or frame.comment) is not None:
            items.append(item)
    return items


def _error_of(pipeline: Pipeline, report: StreamReport) -> StreamError | None:
    """Give the error that the verdict stands for. A cut is one only where the dialect tells what is whole."""
    failure = pipeline.gate.failure
    if report.verdict is Verdict.TRUNCATED and _tells_truncation(pipeline):
        failure = Failure("truncated")
    return _as_error(failure, report) if failure is not None and report.verdict in _FAILED else None


def _as_error(failure: Failure, report: StreamReport) -> StreamError:
    return StreamError(
        failure,
        provider=report.provider,
        request_id=report.request_id,
        retry_count=report.retries,
        tokens_received=report.tokens_received,
        safe_to_retry=_nothing_delivered(report),
        report=report,
    )


def _nothing_delivered(report: StreamReport) -> bool:
    """Tell whether asking again would repeat nothing. Without a dialect, any event may be content."""
    return not (report.events if report.dialect is None else report.content_emitted)


def _tells_truncation(pipeline: Pipeline) -> bool:
    dialect = pipeline.gate.dialect
    return dialect is not None and dialect.json_payloads and not pipeline.options.standard_only


class _Engine(Generic[T]):
    """What both engines share: the clocks, the ending, the verdict."""

    def __init__(self, **options: Any) -> None:
        self.options: Options = check_options(**options)
        self.report: StreamReport = _new_report(self.options)
        self.error: StreamError | None = None
        self.finished: bool = False
        self._pipeline = Pipeline(self.options, self.report)
        self._gate = self._pipeline.gate
        self._clocks = Clocks(self.options.timeouts)
        self._started_at: float | None = None
        self._last_item_at = self._last_content_at = 0.0
        self._on_received = hooks(self.options.observers, "received")
        self._on_content = hooks(self.options.observers, "content")
        self._is_timed = self.options.timeouts is not None
        self.renew: Callable[[Exception], float | None] | None = None
        """Asked before a failure is told: the seconds until upstream is opened again, or None to let it stand."""

    def remember_ids(self) -> DeliveredIds:
        """Remember the ids of what is delivered, and give them: upstream may send it again after `renew`."""
        self._gate.delivered = DeliveredIds(self.options.last_event_id)
        return self._gate.delivered

    @abstractmethod
    def _deliver(self, frames: list[Item]) -> list[T]:
        """Turn frames into what leaves."""

    def _last_items(self, verdict: Verdict, ours: Failure | None) -> list[T]:
        """Give what is written last, where something is; an event engine raises instead."""
        return []

    # Time

    def resume(self, now: float) -> None:
        """Let the timeout clocks run; the first call starts the stream's time."""
        if self._started_at is None:
            self._start(now)
        self._clocks.resume(now)

    def _start(self, now: float) -> None:
        self._started_at = self._last_item_at = self._last_content_at = now
        self._clocks.started(now)
        if self._gate.dialect is not None:
            self._clocks.recognised()
        for observer in self.options.observers:
            observer.started(self.report)

    def pause(self, now: float) -> None:
        """Let the timeout clocks stand still."""
        self._clocks.pause(now)

    @property
    def early_error(self) -> StreamError | None:
        """Give the error that upstream told already, or that ended the stream; `error` is set at the end only."""
        failure = self._gate.failure
        return self.error or (_as_error(failure, self.report) if failure is not None else None)

    def hold(self, held: bool) -> None:
        """Owe no heartbeat while `held`."""

    def next_deadline(self) -> float | None:
        """Give the time of the next timeout (and, where bytes are written, heartbeat), or None."""
        return None if self.finished else self._clocks.next_deadline()

    def on_deadline(self, now: float) -> list[T]:
        """Give what is due now."""
        clock = None if self.finished else self._clocks.expired(now)
        if clock is None:
            return []
        self.report.timeout = clock
        return self._break_off(Failure(f"{clock}-timeout", status_hint=504), now)

    # Input

    def feed(self, chunk: bytes, now: float) -> list[T]:
        """Take the next bytes and give what they complete; `b""` is nothing, and no end."""
        if type(chunk) is not bytes:
            chunk = _as_bytes(chunk)
        # A fast path, held by law 1: what is alike passes all stages at once: measured, a third of their time.
        lane = self._gate.lane
        if lane is None or (values := lane.take(chunk)) is None:
            return self._feed(chunk, now)
        report = self.report
        report.chunks_in += 1
        for received in self._on_received:
            received(report, chunk, now - (self._started_at or 0.0))
        report.bytes_in += len(chunk)
        if self._is_timed and chunk:
            self._clocks.received(now)
        if not values:
            return []
        items = self._deliver_alike(lane, values, now)
        if now - self._last_item_at > report.longest_gap:
            report.longest_gap = now - self._last_item_at
        for content in self._on_content:
            content(report, now - self._last_content_at)
        self._last_item_at = self._last_content_at = now
        if self._is_timed:
            self._clocks.content(now)
        return items

    def _deliver_alike(self, lane: Lane, values: list[str], now: float) -> list[T]:
        run = Run(lane.wire, lane.likeness, values, self.report.last_event_id)
        self._gate.absorb_run(lane.likeness, values)
        return self._deliver([run])

    def _feed(self, chunk: bytes, now: float) -> list[T]:
        if self._started_at is None:
            self._start(now)
        if self._pipeline.closed:
            return []
        report = self.report
        report.chunks_in += 1
        if chunk:
            if self._is_timed:
                self._clocks.received(now)
            if report.first_byte is None:
                report.first_byte = now - (self._started_at or 0.0)
        for received in () if self.finished else self._on_received:
            received(report, chunk, now - (self._started_at or 0.0))
        frames = self._pipeline.feed(chunk)
        items = self._deliver(self._timed(frames, now)) if frames else []
        if self._gate.ends and not self.finished:
            items += self._end(self._gate.conclude(clean=True, cut=False), now)
        return items

    def _timed(self, frames: list[Item], now: float) -> list[Item]:
        """Note when events came, and feed the clocks with content."""
        report = self.report
        since = now - (self._started_at or 0.0)
        for frame in frames:
            if isinstance(frame, Run):
                is_content = True
            elif isinstance(frame, Repair) or frame.event is None:
                continue
            else:
                is_content = frame.kind is EventClass.CONTENT
                if self._gate.dialect is not None:  # recognised by this event, or by an earlier one
                    self._clocks.recognised()
            if report.first_event is None:
                report.first_event = since
            if is_content:
                if self._is_timed:
                    self._clocks.content(now)
                report.content_emitted = True
                for content in self._on_content:
                    content(report, now - self._last_content_at)
                self._last_content_at = now
                if report.first_content is None:
                    report.first_content = since
            gap = now - self._last_item_at
            if gap > report.longest_gap:
                report.longest_gap = gap
            self._last_item_at = now
        return frames

    def close(self, now: float) -> list[T]:
        """Take the clean end of the input. A second call gives nothing."""
        if self._pipeline.closed:
            return []
        if self._started_at is None:
            self._start(now)
        frames, verdict = self._pipeline.close(clean=True)
        items = self._deliver(self._timed(frames, now))
        return items if self.finished else items + self._end(verdict, now)

    def fail(self, error: Exception, now: float) -> list[T]:
        """Take the exception that upstream raised; what was whole has left already."""
        if isinstance(error, StreamError):
            return self._break_off(error.failure, now, error)
        failure = Failure("upstream-failed", status_hint=502, error_type=type(error).__name__)
        return self._break_off(failure, now, error)

    def _break_off(self, failure: Failure, now: float, met: Exception | None = None) -> list[T]:
        """End because of something that is not in the bytes. An end that was told already stays as it is."""
        if self._pipeline.closed or self.finished:
            return []
        if self._started_at is None:
            self._start(now)
        frames, verdict = self._pipeline.close(clean=False)
        items = self._deliver(self._timed(frames, now))
        if verdict is Verdict.FAILED and self._gate.failure is None:
            self._gate.failure = failure
            return items + self._end(verdict, now, ours=failure, met=met)
        return items + self._end(verdict, now, met=met)

    def cancel(self, now: float) -> None:
        """The consumer left: the verdict is CANCELLED unless there is one, and nothing is given any more."""
        if not self.finished:
            if self._started_at is None:
                self._start(now)
            gate = self._gate
            ended = gate.done or gate.terminal or gate.failure is not None
            self._end(gate.conclude(clean=True, cut=False) if ended else Verdict.CANCELLED, now)
        self._pipeline.closed = True
        self._gate.lane = None

    # The one end

    def _end(self, verdict: Verdict, now: float, ours: Failure | None = None, met: Exception | None = None) -> list[T]:
        """Fix the verdict, once, unless upstream is opened again; give the last frames."""
        if self.finished:  # a callback closed the stream meanwhile
            return []
        gate = self._gate
        if gate.dead_from is not None:
            ours = gate.untold
        elif verdict is Verdict.TRUNCATED and _tells_truncation(self._pipeline):
            ours = Failure("truncated")
        if ours is not None and self._goes_on(met or StreamError(ours), now):
            return []
        self.finished = True
        report = self.report
        report.verdict = verdict
        report.duration = now - (self._started_at if self._started_at is not None else now)
        items = self._last_items(verdict, ours)
        self.error = report.error = _error_of(self._pipeline, report)
        for observer in self.options.observers:
            observer.ended(report)
        return items

    def _goes_on(self, error: Exception, now: float) -> bool:
        """Ask for another connection; what was forwarded stays, what was half read is forgotten."""
        delay = None if self.renew is None else self.renew(error)
        if delay is None:
            return False
        self.report.retries += 1
        self.report.timeout = None
        self._pipeline.restart()
        self._clocks.restarted(now + delay)
        return True


class EventEngine(_Engine[Event]):
    """Events out of bytes; a failure is `error`, to be raised after the last event."""

    def _deliver_alike(self, lane: Lane, values: list[str], now: float) -> list[Event]:
        events = lane.likeness.events(values, self.report.last_event_id)
        self._gate.absorb_run(lane.likeness, values)
        return events

    def _deliver(self, frames: list[Item]) -> list[Event]:
        events: list[Event] = []
        for frame in frames:
            if isinstance(frame, Run):
                events += frame.events()
            elif isinstance(frame, Frame) and frame.event is not None:
                events.append(frame.event)
        return events


class StreamRepairer(_Engine[bytes]):
    """Clean bytes out of bytes: whole frames, heartbeats between them, at most one error frame, which is the last.

    Takes the keyword arguments of `unbroken.repair`, but that `heartbeat` and `timeouts` are None unless they are
    given: they need who asks for `next_deadline`. `now` is any monotonic clock's time in seconds. What callbacks raise
    passes through.
    """

    def __init__(self, **options: Any) -> None:
        refuse_unknown("StreamRepairer", options, writes=True)
        super().__init__(**options)
        self._heartbeat = Heartbeat(self.options.heartbeat)
        # A conversion writes SSE unless told otherwise; else the framing stays what it is, once that is known.
        self._target: Format | None = self.options.to or (Format.SSE if self.options.convert else None)
        self._converter: Converter | None = None
        self._indented = False  # heartbeats were written that are right for JSON, and for SSE end with a line

    def _start(self, now: float) -> None:
        super()._start(now)
        self._heartbeat.started(now)

    def hold(self, held: bool) -> None:
        """Owe no heartbeat while `held`: the answer has not begun, and a heartbeat would begin it."""
        self._heartbeat.held = held

    def next_deadline(self) -> float | None:
        """Give the time of the next heartbeat or timeout, or None."""
        if self.finished:
            return None
        heartbeat, clock = self._heartbeat.next_deadline(), self._clocks.next_deadline()
        if heartbeat is None or clock is None:
            return clock if heartbeat is None else heartbeat
        return min(heartbeat, clock)

    def on_deadline(self, now: float) -> list[bytes]:
        """Give what is due now: a timeout's error frame, a heartbeat, or nothing."""
        if (items := super().on_deadline(now)) or self.finished or not self._heartbeat.due(now):
            return items
        self._heartbeat.wrote(now)
        self.report.heartbeats += 1
        return self._count([self._spell_heartbeat()])

    def _spell_heartbeat(self) -> bytes:
        if self.options.heartbeat_bytes is not None:
            return self.options.heartbeat_bytes
        if self._target is None and self._may_be_json():
            self._indented = True
            return b" "
        id_seen = bool(self.report.last_event_id)
        return spell_heartbeat(self._fix_target(), self._spoken_dialect(), id_seen=id_seen)

    def _may_be_json(self) -> bool:
        """Tell whether all that is known is a content type of JSON: an array, lines, or a stream that is misnamed."""
        if self.report.format is not None or self.options.format is not None:
            return False
        kind = media_type(self.options.content_type)
        return kind == "application/json" or kind.endswith("+json")

    def _fix_target(self) -> Format:
        """Decide the output framing; before the format is known, by what the caller or the content type said."""
        if self._target is None:
            self._target = self.report.format or self.options.format or _format_of(self.options.content_type)
        return self._target

    def _feed(self, chunk: bytes, now: float) -> list[bytes]:
        items = super()._feed(chunk, now)
        if items:
            self._heartbeat.wrote(now)
        return items

    def _count(self, items: list[bytes]) -> list[bytes]:
        if self._indented and self._target is not None and items:
            self._indented = False
            if self._target is Format.SSE:
                items[0] = b"\n" + items[0]
        self.report.bytes_out += sum(map(len, items))
        return items

    def _deliver_alike(self, lane: Lane, values: list[str], now: float) -> list[bytes]:
        self._heartbeat.wrote(now)
        wire, report = lane.wire, self.report
        if self._target is not report.format or self.options.convert is not None:
            return super()._deliver_alike(lane, values, now)
        self._gate.absorb_run(lane.likeness, values)
        report.bytes_out += len(wire)
        return [wire]

    def _deliver(self, frames: list[Item]) -> list[bytes]:
        wires = [self._spell(frame) for frame in frames if not isinstance(frame, Repair)]
        return self._count([wire for wire in wires if wire])

    def _spell(self, frame: Frame | Run) -> bytes:
        target = self._fix_target()
        if self.options.convert is None:
            return spell(frame, self.report.format, target)
        return self._convert(frame, target)

    def _convert(self, frame: Frame | Run, target: Format) -> bytes:
        """Write one frame as the dialect that was asked for; what has no meaning here passes as it is."""
        dialect = self._gate.dialect
        if dialect is None or dialect.name == self.options.convert:
            return spell(frame, self.report.format, target)
        readings = frame.readings()
        if not readings:
            # The sentinel of the source is no end yet: the finish and the usage are still to come, and one of ours.
            # Names and ids without data are the source's framing, and clients parse the data that is not there.
            is_end = isinstance(frame, Frame) and frame.kind is EventClass.TERMINAL
            is_bare = isinstance(frame, Frame) and frame.event is None and frame.comment is None
            return b"" if is_end or is_bare else spell(frame, self.report.format, target)
        if self._converter is None:
            assert self.options.convert is not None
            self._converter = CONVERTERS[self.options.convert]()
        encode = self._converter.encode
        return b"".join(spell_payload(payload, target) for reading in readings for payload in encode(reading))

    def _last_items(self, verdict: Verdict, ours: Failure | None) -> list[bytes]:
        frames: list[bytes] = []
        if ours is not None:
            frames = [self._tell(ours)]
        elif verdict is Verdict.COMPLETE:
            frames = self._complete()
        carried = self._pipeline.carried
        if carried and self.options.convert is None and self._fix_target() is Format.SSE:
            frames[:1] = [carried + (frames[0] if frames else b"\n")]
        return self._count([frame for frame in frames if frame])

    def _tell(self, failure: Failure) -> bytes:
        self._gate.catch_up()
        array = self._pipeline.open_array
        return spell_error(failure, self._spoken_dialect(), self._fix_target(), array)

    def _spoken_dialect(self) -> Dialect | None:
        """Give the dialect of the output: the stream's own, or the one it is converted to."""
        converts = self._converter is not None or not self.report.events
        if self.options.convert is not None and converts:
            return REGISTRY[self.options.convert]()
        return self._gate.dialect

    def _complete(self) -> list[bytes]:
        if self._converter is not None:
            target = self._fix_target()
            return [spell_payload(payload, target) for payload in self._converter.end()]
        gate = self._gate
        wants_done = RepairKind.MISSING_DONE in self.options.repairs or self.options.convert is not None
        if not wants_done or gate.done or gate.dialect is None or gate.dialect.sentinel != DONE:
            return []
        if self._fix_target() is not Format.SSE or not gate.dialect.is_complete():
            return []
        gate.repair(RepairKind.MISSING_DONE, self.report.bytes_in, self.report.bytes_in)
        return [b"data: [DONE]\n\n"]


def _format_of(content_type: str | None) -> Format:
    """Guess the framing that a reader expects by the media type; SSE where it says nothing."""
    kind = media_type(content_type)
    if kind.endswith(("ndjson", "jsonl", "json-lines", "jsonlines", "stream+json")):
        return Format.NDJSON
    return Format.SSE
