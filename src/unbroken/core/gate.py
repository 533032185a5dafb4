"""What is forwarded, and the state that nothing but forwarded things decide.

Format, mode, dialect, done and failure change here and only here, with what leaves. What was dropped changes nothing,
so a second pass over the output walks through the same states: a repaired stream needs no repair.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Any

from .account import Account
from .decoder import BOM
from .dialect import REGISTRY, Dialect, EventClass, Reading
from .errors import Failure, failure_of_ours, is_ours
from .events import Comment, Event, Format
from .likeness import Lane, Likeness, LikenessFinder
from .mending import DONE
from .options import Options
from .proof import FLAWED, UNPROVEN, prove, read_exactly
from .repairs import Repair, RepairKind
from .report import StreamReport, Verdict
from .resume import DeliveredIds


class Mode(Enum):
    """Which repairs may be tried."""

    OPEN = "open"  # only those with a proof of their own
    KNOWN = "known"  # the dialect is known: also those that rest on it
    TEXT = "text"  # prose: none


class Frame:
    """One thing that leaves: its canonical bytes, and what it is to a reader of events."""

    __slots__ = ("comment", "event", "kind", "reading", "wire")

    def __init__(
        self,
        wire: bytes,
        event: Event | None = None,
        comment: Comment | None = None,
        kind: EventClass | None = None,
        reading: Reading | None = None,
    ) -> None:
        self.wire = wire
        self.event = event
        self.comment = comment
        self.kind = kind
        self.reading = reading

    def readings(self) -> list[Reading]:
        """Say what it means, where it was read."""
        return [] if self.reading is None else [self.reading]


class Run:
    """Events that leave together: proven by their likeness to the one before them."""

    __slots__ = ("id", "likeness", "values", "wire")

    def __init__(self, wire: bytes, likeness: Likeness, values: list[str], id: str) -> None:
        self.wire = wire
        self.likeness = likeness
        self.values = values
        self.id = id  # the last event id before them

    def __len__(self) -> int:
        return len(self.values) // self.likeness.width

    def events(self) -> list[Event]:
        """Give them one by one."""
        return self.likeness.events(self.values, self.id)

    def readings(self) -> list[Reading]:
        """Say what each of them means."""
        return self.likeness.readings(self.values)


Item = Frame | Run | Repair


class Gate:
    """Take what a framer found, in order, and forward it, drop it by name, or end the stream."""

    def __init__(self, options: Options, report: StreamReport) -> None:
        self.options = options
        self.report = report
        self.out: list[Item] = []
        self.likeness: Likeness | None = None  # of the last event that was forwarded
        self._unread: tuple[Likeness, list[str]] | None = None  # the last of a run, if nothing was read behind it
        self.lane: Lane | None = None  # open where the next chunk may be taken by it
        self._finder = LikenessFinder()
        self.account = report.account = Account(options.count_tokens) if options.account else None
        self.dialect: Dialect | None = options.dialect
        self.mode = Mode.OPEN
        self.opened = False  # something was forwarded
        self.done = False  # a sentinel was forwarded
        self.past_done = False  # data is dropped, because the stream ended at its sentinel
        self.ends = False  # nothing more needs to be read
        self.terminal = False  # the dialect's own terminator was forwarded
        self.failure: Failure | None = None
        self.untold: Failure | None = None  # a failure of ours that no frame has told yet
        self.dead_from: int | None = None  # where the input ended that told the failure; what follows is dropped
        self.dead_kind = RepairKind.NOT_A_STREAM
        self.delivered: DeliveredIds | None = None  # kept where a broken connection may be resumed
        if options.dialect is not None:
            self._enter(options.dialect)

    def restart(self) -> None:
        """Go on with another connection: its predecessor's failure was not the stream's."""
        self.failure = self.untold = None
        self.dead_from = None
        self.ends = self.past_done
        if self.delivered is not None:
            self.delivered.restart()

    def note_id(self, id: str) -> None:
        """Take the last event id of what is forwarded, or would be were it readable."""
        self.report.last_event_id = id
        if self.delivered is not None:
            self.delivered.add(id)

    def repeats(self, id: str | None) -> bool:
        """Tell whether a block with this id of its own was delivered by an earlier connection."""
        return self.delivered is not None and id is not None and self.delivered.repeats(id)

    @property
    def text(self) -> bool:
        """Whether nothing may be mended: prose, or the standard's reading was asked for."""
        return self.mode is Mode.TEXT or self.options.standard_only

    @property
    def takes_comments(self) -> bool:
        """Whether comments leave as they are: not where the output's clients are known to fail at them."""
        if self.mode is not Mode.KNOWN or self.options.standard_only or self.options.convert is not None:
            return True
        return self.dialect is None or self.dialect.takes_comments

    def allows(self, kind: RepairKind) -> bool:
        """Tell whether this kind of repair may be tried now."""
        return kind in self.options.repairs and self.mode is not Mode.TEXT

    def repair(self, kind: RepairKind, start: int, end: int) -> None:
        """Record one repair of the input from byte `start` to byte `end`."""
        repair = Repair(kind, start, end - start)
        self.report.note_repair(repair)
        self.out.append(repair)
        if self.options.on_repair is not None:
            self.options.on_repair(repair)
        for observer in self.options.observers:
            observer.repaired(repair)

    def forward(
        self, event: Event, wire: bytes, value: Any, start: int, end: int, *, named: bool = True, lead: bytes = b""
    ) -> bool:
        """Forward one event whose data has the value `value` (or `FLAWED`, `UNPROVEN`); tell whether it left.

        `named` says that the frame has an `event:` line of its own, or cannot have one; `lead` is framing in front.
        """
        if self.past_done:
            self.repair(RepairKind.AFTER_DONE, start, end)
            return False
        if len(wire) > self.options.max_event_bytes:
            # Mending can make an event longer, and the next reader has the same limit.
            self.repair(RepairKind.OVERSIZED_EVENT, start, end)
            return False
        if self.failure and event.data == DONE and self.allows(RepairKind.DONE_AFTER_ERROR):
            self.repair(RepairKind.DONE_AFTER_ERROR, start, end)
            return False
        reading = None
        self.likeness = None
        if self.dialect is not None and not self.dialect.json_payloads:
            reading = self._take(self.dialect.read(event.event, event.data))
        elif value is FLAWED:
            if self.dialect is not None and self.dialect.says_by_name(event.event):
                reading = self._take(self.dialect.read(event.event, event.data))
            else:
                self._forward_flawed(event.data)
        elif value is not UNPROVEN:
            reading = self._read(event, value)
            if self.dialect is not None:
                if reading is not None and reading.kind is EventClass.CONTENT:
                    self.likeness = self._finder.look(self.dialect, event, wire, reading)
                if not named:
                    event, wire = self._restore_name(event, wire, value, start, end)
                elif self.options.to is Format.SSE and self.report.format is not Format.SSE:
                    # The framing that it comes from has no place for a name.
                    name = self._missing_name(event, value)
                    if name is not None:
                        event = replace(event, event=name)
                        self.likeness = None  # the next one has to be named too
        else:
            self.report.unproven += 1
        kind = self._classify(event, value, reading)
        if kind is EventClass.LIVENESS and self.options.comments == "drop":
            return False
        self.report.events += 1
        self._emit(Frame(lead + wire, event, None, kind, reading))
        return True

    def forward_run(self, likeness: Likeness, values: list[str], wire: bytes) -> None:
        """Forward events whose values were found in canonical frames by `self.likeness`."""
        self.out.append(Run(wire, likeness, values, self.report.last_event_id))
        self.absorb_run(likeness, values)

    def open_lane(self, stop: bytes) -> None:
        """Let the next chunk go past the framer, if it brings nothing but more of what came last."""
        likeness = self.likeness
        if likeness is not None and (self.delivered is None or not likeness.has_id):
            self.lane = Lane(likeness, stop, self.options.max_event_bytes, self.report)

    def close_lane(self) -> bytes:
        """Let the framer go on; give the bytes that the lane took and that are in no frame."""
        lane, self.lane = self.lane, None
        return b"" if lane is None else lane.let_go()

    def absorb_run(self, likeness: Likeness, values: list[str]) -> None:
        """Count the events that these values came in, and take what they say."""
        self.report.events += len(values) // likeness.width
        if likeness.has_id:
            self.note_id(values[likeness.id_at - likeness.width])
        if self.account is not None:
            self.account.absorb_texts(likeness.choice, likeness.field, likeness.texts(values))
        if likeness.width > 1:  # else the text alone differs, of which no state is kept
            self._unread = likeness, values[-likeness.width :]

    def catch_up(self) -> None:
        """Have the dialect read the last payload of a run: what it counts differs in those that are alike."""
        if self._unread is not None and self.dialect is not None:
            likeness, values = self._unread
            (event,) = likeness.events(values, "")
            self.dialect.read(event.event, prove(event.data))

    def _emit(self, frame: Frame) -> None:
        # A U+FEFF that opened the output would be taken for a byte order mark by the next reader.
        if not self.opened and frame.wire.startswith(BOM):
            frame.wire = b"\n" + frame.wire
        self.opened = True
        self.out.append(frame)

    def _forward_flawed(self, data: str) -> None:
        if self.dialect is not None and data == self.dialect.sentinel:
            self.done = True
            self.past_done = self.ends = RepairKind.AFTER_DONE in self.options.repairs
        elif self.mode is Mode.OPEN and self.report.format is Format.SSE and self._is_prose(data):
            self.mode = Mode.TEXT

    @staticmethod
    def _is_prose(data: str) -> bool:
        return bool(data) and data[0] not in ":{["  # `[DONE]` too begins like JSON

    def _read(self, event: Event, value: Any) -> Reading | None:
        if is_ours(value):
            self.failure = self.failure or failure_of_ours(value)
        dialect = self.dialect or self._recognised(event.event, value)
        if dialect is None:
            return None
        self._unread = None
        marks = dialect.exact_marks
        if marks and any(mark in event.data for mark in marks):
            value = read_exactly(event.data)
        reading = dialect.read(event.event, value)
        if self.dialect is None and not self._enter_by(dialect, reading):
            return None
        return self._take(reading)

    def _take(self, reading: Reading) -> Reading:
        if reading.kind is EventClass.ERROR:
            self.failure = self.failure or reading.failure or Failure("upstream-error")
        elif reading.kind is EventClass.TERMINAL:
            self.terminal = True
        # A terminator can bring the last text with it.
        if reading.kind is EventClass.CONTENT or any(delta.text or delta.tools for delta in reading.deltas):
            self.report.content_emitted = True
        if self.account is not None:
            self.account.absorb(reading)
        return reading

    @staticmethod
    def _recognised(name: str, value: Any) -> Dialect | None:
        return next((dialect() for dialect in REGISTRY.values() if dialect.recognises(name, value)), None)

    def _enter_by(self, dialect: Dialect, reading: Reading) -> bool:
        """Take the dialect that was recognised; tell whether the payload may count as one of its own.

        An error alone proves little: it ends the stream as failed, and nothing is dropped on its account. In prose, and
        behind other lines or elements, each a record of its own, it may be anybody's.
        """
        if reading.kind is not EventClass.ERROR:
            self._enter(dialect)
        elif self.mode is Mode.TEXT or (self.report.format is not Format.SSE and self.report.events):
            return False
        else:
            self.dialect = dialect
            self.report.dialect = dialect.name
        return True

    def _enter(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.mode = Mode.KNOWN if dialect.json_payloads else Mode.TEXT
        self.report.dialect = dialect.name

    def _restore_name(self, event: Event, wire: bytes, value: Any, start: int, end: int) -> tuple[Event, bytes]:
        name = self._missing_name(event, value) if self.allows(RepairKind.EVENT_NAME_RESTORED) else None
        if name is None:
            return event, wire
        longer = b"event: " + name.encode() + b"\n" + wire
        if len(longer) > self.options.max_event_bytes:
            return event, wire
        self.repair(RepairKind.EVENT_NAME_RESTORED, start, end)
        self.likeness = None  # the next one has to be mended too
        return replace(event, event=name), longer

    def _missing_name(self, event: Event, value: Any) -> str | None:
        assert self.dialect is not None
        name = self.dialect.event_name(value)
        return None if name is None or name == event.event or set(name) & set("\r\n\0") else name

    def _classify(self, event: Event, value: Any, reading: Reading | None) -> EventClass:
        if reading is not None:
            return reading.kind
        if value is UNPROVEN and self.dialect is not None:
            return EventClass.CONTENT  # nothing but content is ever this long
        return EventClass.TERMINAL if self.done else EventClass.STRUCTURAL

    def forward_comment(self, text: str, wire: bytes) -> None:
        """Forward one comment line that stands outside of any open block; `wire` may be empty."""
        self.report.comments += 1
        if self.options.comments == "drop":
            return
        frame = Frame(wire, comment=Comment(text), kind=EventClass.LIVENESS)
        if wire:
            self._emit(frame)
        else:
            self.out.append(frame)

    def forward_bare(self, wire: bytes) -> None:
        """Forward framing that is no event: a blank line, a block of nothing but `id:` or `retry:`."""
        self._emit(Frame(wire))

    def die(self, failure: Failure, kind: RepairKind, start: int, end: int) -> None:
        """End the stream with a failure of ours, told by the input from `start` to `end`; what follows is dropped."""
        self.fail(failure, end)
        if kind is RepairKind.NOT_A_STREAM and not self.opened:
            self.report.format = None
        if kind in self.options.repairs:
            self.repair(kind, start, end)
        self.dead_kind = kind

    def fail(self, failure: Failure, end: int) -> None:
        """End the stream with a failure of ours; what follows byte `end` is dropped."""
        if self.failure is None:
            self.failure = self.untold = failure
        self.dead_from = end
        self.ends = True

    def drop_the_rest(self, end: int) -> None:
        """Name the input that came behind the end of a stream that died."""
        if self.dead_from is not None and self.dead_from < end and self.dead_kind in self.options.repairs:
            self.repair(self.dead_kind, self.dead_from, end)

    def conclude(self, *, clean: bool, cut: bool) -> Verdict:
        """Give the verdict at the end of input; `cut` says that a last piece was not whole."""
        if self.failure is not None:
            return Verdict.FAILED
        if self.done or self.terminal:
            return Verdict.COMPLETE
        if not clean:
            return Verdict.FAILED
        if self.dialect is None or not self.dialect.json_payloads:
            return Verdict.TRUNCATED if cut else Verdict.ENDED
        return Verdict.COMPLETE if self.dialect.is_complete() and not cut else Verdict.TRUNCATED
