"""Clean bytes out of bytes: whole frames, heartbeats between them, and at most one error frame, the last."""

from __future__ import annotations

from typing import Unpack

from .decoder import BOM
from .dialect import CONVERTERS, REGISTRY, Converter, Dialect, EventClass
from .encoder import spell, spell_error, spell_heartbeat, spell_payload
from .engine import Engine
from .events import Format
from .failure import Failure
from .frames import Delivery, Frame, Item, Outgoing
from .heartbeat import Heartbeat
from .mending import DONE
from .options import RepairOptions, refuse_unknown
from .repairs import Repair, RepairKind
from .report import Verdict
from .sniffer import is_lines, media_type
from .state import Phase


class StreamRepairer(Engine[bytes]):
    """Clean bytes out of bytes: whole frames, heartbeats between them, at most one error frame, which is the last.

    Takes the keyword arguments of `unbroken.repair`, but that `heartbeat` and `timeouts` are None unless they are
    given: they need who asks for `next_deadline`. `now` is any monotonic clock's time in seconds. What callbacks raise
    passes through.
    """

    __slots__ = ("_converter", "_heartbeat", "_indented", "_told_failure")

    _DELIVERY = Delivery.WIRE

    def __init__(self, **options: Unpack[RepairOptions]) -> None:
        refuse_unknown("StreamRepairer", options, writes=True)
        super().__init__(**options)
        self._heartbeat = Heartbeat(self.options.heartbeat)
        self._converter: Converter | None = None
        self._told_failure = False  # a conversion ended with upstream's error, as the last frame
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
        heartbeat, clock = self._heartbeat.next_deadline(), self._clocks.next_deadline()
        if heartbeat is None or clock is None:
            return clock if heartbeat is None else heartbeat
        return min(heartbeat, clock)

    def on_deadline(self, now: float) -> list[bytes]:
        """Return what is due now: a timeout's error frame, a heartbeat, or nothing."""
        self._catch_up_heartbeat()
        if (items := super().on_deadline(now)) or self.finished or not self._heartbeat.due(now):
            return items
        self._heartbeat.wrote(now)
        self.report.heartbeats += 1
        return self._count([self._spell_heartbeat()])

    def _spell_heartbeat(self) -> bytes:
        if self.options.heartbeat_bytes is not None:
            return self.options.heartbeat_bytes
        if self._pipeline.gate.target is None and self._may_be_json():
            self._indented = True
            return b" "
        id_seen = bool(self.report.last_event_id)
        return spell_heartbeat(self._fix_target(), self._output_dialect(), id_seen=id_seen)

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
            gate.target = self.report.format or options.expected_format or _format_of(options.content_type)
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
        return self._count([piece for piece in pieces if piece])

    def _spell(self, frame: Outgoing) -> bytes:
        target = self._fix_target()
        if self.options.convert is None:
            return spell(frame, self.report.format, target)
        return self._convert(frame, target)

    def _convert(self, frame: Outgoing, target: Format) -> bytes:
        """Write one frame as the dialect that was asked for; what has no meaning here passes as it is."""
        if not frame.known or not self._converts():
            return spell(frame, self.report.format, target)
        if self._converter is None:
            assert self.options.convert is not None
            self._converter = CONVERTERS[self.options.convert]()
        if self._told_failure:
            return b""
        readings = frame.readings()
        self._told_failure = any(reading.failure is not None for reading in readings)
        if not readings:
            return b"" if _means_the_source(frame) else spell(frame, self.report.format, target)
        encode = self._converter.encode
        return b"".join(spell_payload(payload, target) for reading in readings for payload in encode(reading))

    def _converts(self) -> bool:
        """Return whether frames are written as those of another dialect."""
        convert, dialect = self.options.convert, self._pipeline.gate.dialect
        return convert is not None and dialect is not None and dialect.name != convert

    def _last_items(self, verdict: Verdict, ours: Failure | None) -> list[bytes]:
        frames: list[bytes] = []
        if ours is not None:
            frames = [self._spell_failure(ours)]
        elif verdict is Verdict.COMPLETE or verdict is Verdict.DAMAGED:  # of a hole the next reader sees nothing
            frames = self._complete()
        pending = self._pipeline.pending_fields
        if pending and not self._converts() and self._fix_target() is Format.SSE:
            frames[:1] = [pending + (frames[0] if frames else b"\n")]
        return self._count([frame for frame in frames if frame])

    def _spell_failure(self, failure: Failure) -> bytes:
        array = self._pipeline.open_array
        return spell_error(failure, self._output_dialect(), self._fix_target(), array)

    def _output_dialect(self) -> Dialect | None:
        """Return the dialect of the output: the stream's own, or the one it is converted to."""
        converts = self._converter is not None or not self.report.events
        if self.options.convert is not None and converts:
            return REGISTRY[self.options.convert]()
        return self._pipeline.gate.dialect

    def _complete(self) -> list[bytes]:
        if self._converter is not None:
            target = self._fix_target()
            payloads = self._converter.end()
            keeps_sentinel = not self._converter.is_complete()
            return [spell_payload(payload, target, keeps_sentinel=keeps_sentinel) for payload in payloads]
        gate = self._pipeline.gate
        wants_done = RepairKind.MISSING_DONE in self.options.repairs or self.options.convert is not None
        if not wants_done or gate.state.phase is Phase.DONE or gate.dialect is None or gate.dialect.sentinel != DONE:
            return []
        if self._fix_target() is not Format.SSE or not gate.dialect.is_complete():
            return []
        gate.repair(RepairKind.MISSING_DONE, self.report.bytes_in, self.report.bytes_in)
        return [b"data: [DONE]\n\n"]


def _means_the_source(frame: Outgoing) -> bool:
    """Return whether a frame that no dialect read would mean something else in the dialect that it is written in.

    The sentinel of the source is not the end yet: finish, usage and a sentinel of ours are still to come. Names and ids
    without data are the source's framing, and clients parse the data that is not there.
    """
    if not isinstance(frame, Frame) or frame.comment is not None:
        return False
    return frame.event is None or frame.kind is EventClass.TERMINAL or frame.event.data == DONE


def _format_of(content_type: str | None) -> Format:
    """Guess the framing that a reader expects by the media type; SSE where it says nothing."""
    return Format.NDJSON if is_lines(content_type) else Format.SSE
