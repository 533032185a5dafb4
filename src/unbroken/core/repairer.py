"""Clean bytes out of bytes: whole frames, heartbeats between them, and at most one error frame, the last."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Unpack

from .decoder import BOM
from .dialect import Dialect, EventClass
from .encoder import spell, spell_error, spell_heartbeat, spell_payload
from .engine import Engine
from .events import Format
from .failure import Failure, tells_plainly
from .frames import Delivery, Frame, Item, Outgoing
from .heartbeat import Heartbeat
from .mending import DONE
from .options import RepairOptions, refuse_unknown
from .proof import prove
from .registry import CONVERTERS
from .repairs import Repair, RepairKind
from .report import Verdict
from .sniffer import is_lines, media_type
from .state import Phase

if TYPE_CHECKING:
    from .event_heartbeat import EventHeartbeat
    from .registry import Converter


class StreamRepairer(Engine[bytes]):
    """Clean bytes out of bytes: whole frames, heartbeats between them, at most one error frame, which is the last.

    Takes the keyword arguments of `unbroken.repair`, but that `heartbeat` and `timeouts` are None unless they are
    given: they need who asks for `next_deadline`, as `pace` does. `now` is any monotonic clock's time in seconds. What
    callbacks raise passes through.
    """

    __slots__ = ("_converter", "_events", "_heartbeat", "_indented", "_told_failure", "_untold")

    _DELIVERY = Delivery.WIRE

    def __new__(cls, **options: Unpack[RepairOptions]) -> StreamRepairer:
        """Return a repairer of the kind that paces what it writes, where `pace` is given."""
        if cls is StreamRepairer and options.get("pace") is not None:
            return super().__new__(_paced())
        return super().__new__(cls)

    def __init__(self, **options: Unpack[RepairOptions]) -> None:
        refuse_unknown("StreamRepairer", options, writes=True)
        super().__init__(**options)
        self._heartbeat = Heartbeat(self.options.heartbeat)
        self._events: EventHeartbeat | None = None
        if self.options.heartbeat_as == "event":
            from .event_heartbeat import EventHeartbeat

            self._events = EventHeartbeat()
        self._converter: Converter | None = None
        self._told_failure = False  # a conversion ended with upstream's error, as the last frame
        self._untold: Failure | None = None  # it left before the dialect was known, in a form that clients pass over
        self._indented = False  # heartbeats were written that are right for JSON, and for SSE end with a line

    def _start(self, now: float) -> None:
        super()._start(now)
        self._heartbeat.started(now)

    def hold(self, held: bool) -> None:
        """Owe no heartbeat while `held`: the answer has not begun, and a heartbeat would begin it."""
        self._heartbeat.held = held

    def _catch_up_heartbeat(self) -> None:
        """Count what took the fast path as written: it is noted only when somebody asks, a call less per frame."""
        if self._started_at is not None:
            self._heartbeat.wrote(self._last_passed_at)

    def next_deadline(self) -> float | None:
        """Return the time of the next heartbeat or timeout, or None."""
        if self.finished:
            return None
        self._catch_up_heartbeat()
        heartbeat = None if self._wrote_last_line() else self._heartbeat.next_deadline()
        clock = self._clocks.next_deadline()
        if heartbeat is None or clock is None:
            return clock if heartbeat is None else heartbeat
        return min(heartbeat, clock)

    def on_deadline(self, now: float) -> list[bytes]:
        """Return what is due now: a timeout's error frame, a heartbeat, or nothing."""
        self._catch_up_heartbeat()
        if (items := super().on_deadline(now)) or self.finished or not self._heartbeat.due(now):
            return items
        if self._wrote_last_line():
            return []
        self._heartbeat.wrote(now)
        self.report.heartbeats += 1
        return self._count([self._spell_heartbeat()])

    def _spell_heartbeat(self) -> bytes:
        if self.options.heartbeat_bytes is not None:
            return self.options.heartbeat_bytes
        if self._pipeline.gate.target is None and self._may_be_json():
            self._indented = True
            return b" "
        if self._pipeline.gate.target is None and self._pipeline.may_be_coded:
            return b"\n"  # means nothing in SSE either, so that the framing is still to be decided
        if self._events is not None and self._pipeline.gate.state.failure is None:
            self._pipeline.catch_up()
            event = self._events.spell(self._fix_target(), self._pipeline.gate.dialect, self._converter)
            if event is not None:
                return event
        id_seen = bool(self.report.last_event_id)
        return spell_heartbeat(self._fix_target(), self._output_dialect(), id_seen=id_seen)

    def _wrote_last_line(self) -> bool:
        """Return whether lines are written, and the answer has ended: a blank behind the last one is a line to some."""
        gate = self._pipeline.gate
        return gate.state.ended and gate.target is Format.NDJSON

    def _may_be_json(self) -> bool:
        """Return whether a content type of JSON is all that is known: an array, lines, or a misnamed stream."""
        if self.report.format is not None or self.options.expected_format is not None:
            return False
        kind = media_type(self.options.content_type)
        return kind == "application/json" or kind.endswith("+json")

    def _fix_target(self) -> Format:
        """Decide the output framing; before the format is known, by what the caller or the content type said."""
        gate = self._pipeline.gate
        if gate.target is None:
            options = self.options
            usual = _format_of(options.content_type, self._output_dialect())
            gate.target = self.report.format or options.expected_format or usual
        return gate.target

    def _read(self, chunk: bytes, now: float) -> list[bytes]:
        items = super()._read(chunk, now)
        if items:
            self._heartbeat.wrote(now)
        return items

    def _count(self, items: list[bytes]) -> list[bytes]:
        if self._indented and self._pipeline.gate.target is not None and items:
            self._indented = False
            if self._pipeline.gate.target is Format.SSE:
                items[0] = b"\n" + items[0]
        # A U+FEFF that opened the output would be taken for a byte order mark by the next reader.
        if items and not self.report.bytes_out and items[0].startswith(BOM):
            items[0] = b"\n" + items[0]
        self.report.bytes_out += sum(map(len, items))
        return items

    def _deliver(self, items: list[Item]) -> list[bytes]:
        frames = [item for item in items if not isinstance(item, Repair)]
        if not frames:
            return []
        if self._fix_target() is self.report.format and self.options.convert is None:
            pieces = [frame.wire for frame in frames]
        else:
            pieces = [self._spell(frame) for frame in frames]
        if self._events is not None and self._converter is None:
            self._events.note(frames, self._pipeline.gate.dialect)
        return self._count([piece for piece in pieces if piece])

    def _spell(self, frame: Outgoing) -> bytes:
        target = self._fix_target()
        if self.options.convert is None:
            return spell(frame, self.report.format, target)
        return self._convert(frame, target)

    def _convert(self, frame: Outgoing, target: Format) -> bytes:
        """Write one frame as the dialect that was asked for; what has no meaning here passes as it is."""
        converts_to = self.options.converts_to
        passes = frame.dialect in (None, converts_to)
        if self._told_failure and not (passes and self._converter is None):
            if self._converter is None:
                self._converter = self._new_converter()  # and nothing is converted: an error was told
            untold, self._untold = self._untold, None
            return b"" if untold is None else self.spell_failure(untold)
        readings = () if frame.dialect == converts_to and frame.kind is not EventClass.ERROR else frame.readings()
        failure = next((reading.failure for reading in readings if reading.failure is not None), None)
        is_ours = failure is not None and self._pipeline.gate.state.is_ours
        if passes and (is_ours or self._untold is not None):
            self._untold = None if _tells_plainly(frame) else self._untold or failure
        self._told_failure = self._told_failure or failure is not None
        if passes:
            return spell(frame, self.report.format, target)
        if self._converter is None:
            self._converter = self._new_converter()
        if not readings:
            return b"" if _means_the_source(frame) else spell(frame, self.report.format, target)
        encode = self._converter.encode
        return b"".join(spell_payload(payload, target) for reading in readings for payload in encode(reading))

    def _new_converter(self) -> Converter:
        asked = self.options.convert
        return CONVERTERS[self.options.converts_to or ""](None if isinstance(asked, str) else asked)

    def _converts(self) -> bool:
        """Return whether frames are written as those of another dialect."""
        convert, dialect = self.options.converts_to, self._pipeline.gate.dialect
        return convert is not None and dialect is not None and dialect.name != convert

    def _last_items(self, verdict: Verdict, ours: Failure | None) -> list[bytes]:
        frames: list[bytes] = []
        if ours is not None:
            held = [] if self._converter is None else self._converter.cut()
            frames = [spell_payload(payload, self._fix_target()) for payload in held]
            frames.append(self.spell_failure(ours))
        elif verdict is Verdict.COMPLETE or verdict is Verdict.DAMAGED:  # of a hole the next reader sees nothing
            frames = self._complete()
        elif self._leaves_error_unconverted():
            frames = [self.spell_failure(self._pipeline.gate.state.failure or Failure("upstream-error"))]
        pending = self._pipeline.pending_fields
        if pending and not (self._converts() or self._told_failure) and self._fix_target() is Format.SSE:
            alone = not frames or len(pending) + len(frames[0]) > self.options.max_event_bytes  # as before any event
            frames[:1] = [pending + b"\n", *frames[:1]] if alone else [pending + frames[0]]
        return self._count([frame for frame in frames if frame])

    def _leaves_error_unconverted(self) -> bool:
        """Return whether an error left as it came, and clients of the conversion pass over it.

        Where no dialect was known at the end, it must be all that left.
        """
        gate = self._pipeline.gate
        is_lone = gate.lone_error.failure is not None and gate.state.failure is not None and gate.dialect is None
        is_left = self._untold is not None and (gate.dialect is not None or gate.state.masked is not None)
        return self.options.convert is not None and (is_left or (is_lone and not gate.lone_error.is_plain))

    def spell_failure(self, failure: Failure) -> bytes:
        """Return the frame that tells a failure of ours, if the stream ended by it now."""
        array = self._pipeline.open_array
        first = not self.report.events
        return spell_error(failure, self._dialect_of_errors(), self._fix_target(), array, first=first)

    def _dialect_of_errors(self) -> Dialect | None:
        """Return the dialect that an error of ours is told in: as the output, but in the form that was asked for.

        Of a stream that is in the dialect of the conversion already, everything passes but our own frames.
        """
        dialect, convert = self._output_dialect(), self.options.convert
        if convert is None or isinstance(convert, str) or dialect is None or dialect.name != convert.to:
            return dialect
        return (self._converter or self._new_converter()).dialect

    @property
    def output_dialect(self) -> Dialect | None:
        """The dialect of what is written, once it is known: its form is that of errors told in this stream's place."""
        return self._output_dialect()

    def _output_dialect(self) -> Dialect | None:
        """Return the dialect of the output: the stream's own, the one of the URL, or the one it is converted to."""
        converts = self._converter is not None or self._pipeline.gate.dialect is not None or not self.report.events
        if self.options.convert is not None and converts:
            return (self._converter or self._new_converter()).dialect
        return self._pipeline.gate.dialect or self.options.asked

    def _complete(self) -> list[bytes]:
        if self._converter is not None:
            target = self._fix_target()
            payloads = self._converter.end()
            keeps_sentinel = not self._converter.is_complete()
            return [spell_payload(payload, target, keeps_sentinel=keeps_sentinel) for payload in payloads]
        gate = self._pipeline.gate
        converts = self.options.convert is not None and not self.options.standard_only
        wants_done = converts or RepairKind.MISSING_DONE in self.options.repairs
        if not wants_done or gate.state.phase is Phase.DONE or gate.dialect is None or gate.dialect.sentinel != DONE:
            return []
        if self._fix_target() is not Format.SSE or not gate.dialect.is_complete():
            return []
        gate.repair(RepairKind.MISSING_DONE, self.report.bytes_in, self.report.bytes_in)
        return [b"data: [DONE]\n\n"]


@cache
def _paced() -> type[StreamRepairer]:
    """Return the class of repairers that pace what they write; few streams are paced."""
    from .pacing.paced import Paced

    class PacedRepairer(Paced, StreamRepairer):
        __slots__ = ("_guard", "_pacer")

    return PacedRepairer


def _tells_plainly(frame: Outgoing) -> bool:
    """Return whether a frame says under `error` that the stream failed, where clients of a conversion look."""
    return any(tells_plainly(prove(event.data)) for event in frame.events())


def _means_the_source(frame: Outgoing) -> bool:
    """Return whether a frame that no dialect read would mean something else in the dialect that it is written in.

    The sentinel of the source is not the end yet: finish, usage and a sentinel of ours are still to come. Names and ids
    without data are the source's framing, and clients parse the data that is not there.
    """
    if not isinstance(frame, Frame) or frame.comment is not None:
        return False
    return frame.event is None or frame.kind is EventClass.TERMINAL or frame.event.data == DONE


def _format_of(content_type: str | None, dialect: Dialect | None) -> Format:
    """Guess the framing that a reader expects: by the media type, or the dialect whose clients read lines; else SSE."""
    reads_lines = dialect is not None and dialect.lines and media_type(content_type) != "text/event-stream"
    return Format.NDJSON if reads_lines or is_lines(content_type) else Format.SSE
