"""Whether an event leaves, what it means, and what state follows.

Framers hand over what they found, in order. The gate forwards it, drops it by name, or ends the stream; only what it
forwards changes the state (`state.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from .account import Account
from .decoder import replace_invalid_utf8
from .dialect import REGISTRY, Dialect, EventClass, Reading
from .events import Comment, Event, Format
from .failure import Failure, failure_of_ours, is_ours
from .frames import Frame, Item
from .mending import DONE, SENTINEL_LINE, begins_like_json, is_misspelt_done
from .options import Options
from .proof import FLAWED, UNPROVEN, prove, read_exactly, read_loosely
from .repairs import Repair, RepairKind
from .report import StreamReport, Verdict
from .resume import DeliveredIds
from .sniffer import is_error_body
from .state import Mode, Phase, Signal, State

# Measured, looking up a member of an enumeration costs 0.1 µs.
_CONTENT: Final = EventClass.CONTENT
_ERROR: Final = EventClass.ERROR
_LIVENESS: Final = EventClass.LIVENESS
_TERMINAL: Final = EventClass.TERMINAL
_LIVE: Final = Phase.LIVE
_LOSSES: Final = frozenset((RepairKind.OVERSIZED_EVENT, RepairKind.SPLICED_EVENT))
"""Repairs by which a payload, or the beginning of one, is always gone."""


class Gate:
    """Forwards events, drops them by name, or ends the stream."""

    __slots__ = (
        "_lone_error", "_names_matter", "account", "delivered", "dialect", "opened", "options", "out", "report",
        "showed_framing", "state", "target",
    )  # fmt: skip

    def __init__(self, options: Options, report: StreamReport) -> None:
        self.options = options
        self.report = report
        self.out: list[Item] = []
        self.account = report.account = Account(options.count_tokens) if options.account else None
        self.state = State(stops_at_sentinel=RepairKind.AFTER_DONE in options.repairs)
        self.dialect: Dialect | None = None
        self.opened = False
        """Whether anything was forwarded."""
        self.showed_framing = False
        """Whether a comment, or a field of the standard outside of an event, was forwarded."""
        # A conversion writes SSE unless `to` says otherwise; else the framing stays what it is, once that is known.
        self.target: Format | None = options.to or (Format.SSE if options.convert else None)
        """The framing in which frames are written, once that is decided; None: their own."""
        self.delivered: DeliveredIds | None = None
        """The ids of what was delivered, kept where a broken connection may be resumed."""
        self._lone_error: Failure | None = None  # the first event was nothing but an error, of no known dialect
        self._names_matter = False  # clients of the dialect need the names of some events
        if options.dialect is not None:
            self._enter(options.dialect)

    def take_items(self) -> list[Item]:
        """Return what was forwarded and repaired since the last call."""
        items, self.out = self.out, []
        return items

    def reconnect(self) -> None:
        """Go on with the bytes of another connection."""
        self.state.reconnect()
        if self.delivered is not None:
            self.delivered.restart()

    # What may be repaired, and what was

    @property
    def strict(self) -> bool:
        """Whether nothing may be repaired: prose, or the standard's reading was asked for."""
        return self.state.mode is Mode.TEXT or self.options.standard_only

    @property
    def expects_done(self) -> bool:
        """Whether `[DONE]` can only be the sentinel of this stream's dialect."""
        return self.state.mode is Mode.KNOWN and self.dialect is not None and self.dialect.sentinel == DONE

    @property
    def takes_comments(self) -> bool:
        """Whether comments leave as they are: not where the output's clients are known to fail at them."""
        if self.state.mode is not Mode.KNOWN or self.options.standard_only or self.options.convert is not None:
            return True
        return self.dialect is None or self.dialect.takes_comments

    def allows(self, kind: RepairKind) -> bool:
        """Return whether this kind of repair may be tried now."""
        return kind in self.options.repairs and self.state.mode is not Mode.TEXT

    def repair(self, kind: RepairKind, start: int, end: int) -> None:
        """Record one repair of the input from byte `start` to byte `end`."""
        repair = Repair(kind, start, end - start)
        if kind in _LOSSES:
            self.state.lost_payload()
        self.report.note_repair(repair)
        self.out.append(repair)
        if self.options.on_repair is not None:
            self.options.on_repair(repair)
        for observer in self.options.observers:
            observer.repaired(repair)

    def repair_if_enabled(self, kind: RepairKind, start: int, end: int) -> bool:
        """Record a repair where the caller enabled its kind, in prose too; return whether it was recorded."""
        if kind not in self.options.repairs:
            return False
        self.repair(kind, start, end)
        return True

    def decode(self, raw: bytes, start: int) -> bytes:
        """Return these bytes, which begin at byte `start`, with U+FFFD for what is not valid UTF-8; count that."""
        decoded, runs = replace_invalid_utf8(raw)
        for begin, length in runs:
            self.repair_if_enabled(RepairKind.INVALID_UTF8, start + begin, start + begin + length)
        self.report.invalid_utf8 += len(runs)
        return decoded

    def note_swallowed(self, line: str) -> None:
        """Note a hole where a line that is no payload holds one of the known dialect: its own line end was lost."""
        at = line.find("{")
        if at < 0 or self.dialect is None or self.state.mode is not Mode.KNOWN:
            return
        value = prove(line[at:])
        if isinstance(value, dict) and self.dialect.recognises("message", value):
            self.state.lost_payload()

    # Ids

    def note_id(self, id: str) -> None:
        """Take the last event id of what is forwarded, or would be if it could be read."""
        self.report.last_event_id = id
        if "{" in id:
            self.note_swallowed(id)
        if self.delivered is not None:
            self.delivered.add(id)

    def repeats(self, id: str | None) -> bool:
        """Return whether an earlier connection delivered the block with this id of its own."""
        return self.delivered is not None and id is not None and self.delivered.repeats(id)

    # Events

    def forward(
        self, event: Event, wire: bytes, value: Any, start: int, end: int, *, named: bool = True, lead: bytes = b""
    ) -> bool:
        """Forward one event whose data has the value `value` (or `FLAWED`, `UNPROVEN`); return whether it left.

        `named`: the frame has an `event:` line of its own, or cannot have one. `lead`: framing before the frame.
        """
        dialect, state = self.dialect, self.state
        if value == DONE and self.expects_done and self.report.format is Format.NDJSON:
            event, value = replace(event, data=DONE), FLAWED  # the sentinel, as NDJSON spells it
        # A repair can make an event longer, and the next reader has the same limit.
        too_long = len(wire) > self.options.max_event_bytes
        phase = state.phase
        is_special = too_long or value is None or phase is not _LIVE or state.failure or event.data == DONE
        if is_special and self._drops(event, value, start, end, too_long=too_long):
            return False
        reading = None
        if dialect is not None and not dialect.json_payloads:
            reading = self._absorb(dialect.read(event.event, event.data))
        elif value is FLAWED:
            if self._drops_sentinel(event):
                self.repair(RepairKind.DONE_AFTER_ERROR, start, end)
                return False
            reading = self._read_flawed(event)
        elif value is not UNPROVEN:
            reading = self._read(event, value)
            is_unwanted = reading is not None and reading.kind is _LIVENESS and self.options.comments == "drop"
            if self._names_matter and not is_unwanted:
                event, wire = self._with_name(event, wire, value, start, end, named=named)
        else:
            self.report.unproven += 1
            reading = self._read_unproven(event)
        if state.phase is not phase:
            event = self._spell_sentinel(event)
        kind = self._classify(value) if reading is None else reading.kind
        if kind is _LIVENESS and self.options.comments == "drop":
            return False
        self.report.events += 1
        self._emit(Frame(lead + wire, event, None, kind, reading))
        return True

    def _drops(self, event: Event, value: Any, start: int, end: int, *, too_long: bool) -> bool:
        """Drop an event that is too long, that clients cannot read, or that may not follow what was forwarded.

        Return whether it was dropped.
        """
        state = self.state
        if self._lone_error is not None and event.data == DONE:
            state.forwarded_error(self._lone_error)  # an error, and the sentinel of chat: that was the answer
        if state.after_done:
            pass  # a further document of the block that held the sentinel, whose repair names all of it
        elif too_long:
            self.repair(RepairKind.OVERSIZED_EVENT, start, end)
        elif state.failure and event.data == DONE and self.allows(RepairKind.DONE_AFTER_ERROR):
            self.repair(RepairKind.DONE_AFTER_ERROR, start, end)
        elif value is None and self._wants_content(event) and self.allows(RepairKind.EMPTY_DATA):
            self.repair(RepairKind.EMPTY_DATA, start, end)
        else:
            return False
        return True

    def _wants_content(self, event: Event) -> bool:
        """Return whether clients of the known dialect read the payload of this event, and fail at `null`."""
        dialect = self.dialect
        return self.state.mode is Mode.KNOWN and not (dialect is not None and dialect.says_by_name(event.event))

    def _emit(self, frame: Frame) -> None:
        self.opened = True
        frame.known = self.dialect is not None
        self.out.append(frame)

    def _classify(self, value: Any) -> EventClass:
        """Return the class of an event that no dialect read."""
        if value is UNPROVEN and self.dialect is not None:
            return _CONTENT  # nothing but content is ever this long
        return _TERMINAL if self.state.phase is Phase.DONE else EventClass.STRUCTURAL

    def _read_flawed(self, event: Event) -> Reading | None:
        """Read a payload that is not JSON; return what it means, if a dialect says so."""
        dialect = self.dialect
        if dialect is not None and dialect.says_by_name(event.event):
            return self._absorb(dialect.read(event.event, event.data))
        if dialect is not None and event.data == dialect.sentinel:
            self.state.forwarded_sentinel(is_whole=dialect.is_complete(), completes=dialect.sentinel_completes)
            return None
        if self.report.format is Format.SSE and _is_prose(event.data):
            self.state.receive(Signal.PROSE)
        if leaves_hole(event.data, self.state.mode):
            self.state.lost_payload()
            if self.state.mode is Mode.OPEN:  # elsewhere it is counted by who decides what becomes of it
                self.report.invalid_json += 1
        return None

    def _drops_sentinel(self, event: Event) -> bool:
        """End the stream at a sentinel that would mean success of an answer that is cut; return whether it did."""
        dialect = self.dialect
        if dialect is None or dialect.sentinel_completes or event.data != dialect.sentinel:
            return False
        if self.state.ended or dialect.is_complete() or not self.allows(RepairKind.DONE_AFTER_ERROR):
            return False
        self.state.forwarded_sentinel(completes=False)
        return True

    def _read_unproven(self, event: Event) -> Reading | None:
        """Read a payload that is too long for a proof: its finish, its end or its error counts all the same."""
        value = read_loosely(event.data) if begins_like_json(event.data) else UNPROVEN
        if value is FLAWED:
            self.state.lost_payload()
        return self._read(event, value) if isinstance(value, dict) else None

    def _spell_sentinel(self, event: Event) -> Event:
        """Return the sentinel as the framing of the output spells it.

        In NDJSON it is a JSON string, and is written only where nothing else says that the answer is whole.
        """
        source, target = self.report.format, self.target
        if target is Format.NDJSON and source is not target and self.state.needs_sentinel:
            return replace(event, data=SENTINEL_LINE)
        return event

    def _read(self, event: Event, value: Any) -> Reading | None:
        if type(value) is dict and ("error" in value or "type" in value) and is_ours(value):
            self.state.forwarded_error(failure_of_ours(value))
        dialect = self.dialect or _recognise(event.event, value)
        if dialect is None:
            is_lone = self.report.format is Format.SSE and not self.report.events and is_error_body(value)
            self._lone_error = Failure("upstream-error") if is_lone else None
            return None
        marks = dialect.exact_marks
        if marks and any(mark in event.data for mark in marks):
            value = read_exactly(event.data)
        reading = dialect.read(event.event, value)
        if self.dialect is None and not self._enter_by(dialect, reading):
            return None
        return self._absorb(reading)

    def _absorb(self, reading: Reading) -> Reading:
        kind = reading.kind
        if kind is _ERROR:
            self.state.forwarded_error(reading.failure or Failure("upstream-error"))
        elif kind is _TERMINAL:
            self.state.forwarded_terminator()
        report = self.report
        # A terminator can bring the last text with it.
        if not report.content_emitted:
            report.content_emitted = kind is _CONTENT or any(delta.text or delta.tools for delta in reading.deltas)
        if self.account is not None:
            self.account.absorb(reading)
        return reading

    # The dialect

    def _enter_by(self, dialect: Dialect, reading: Reading) -> bool:
        """Take the dialect that was recognised; return whether the payload may count as one of its own.

        An error alone proves little: it ends the stream as failed, and nothing is dropped on its account. In prose, and
        after other lines or elements, each a record of its own, it may be anybody's.
        """
        if reading.kind is not _ERROR:
            self._enter(dialect)
        elif self.state.mode is Mode.TEXT or (self.report.format is not Format.SSE and self.report.events):
            return False
        else:
            self._know(dialect)
        return True

    def _enter(self, dialect: Dialect) -> None:
        self._know(dialect)
        self.state.receive(Signal.DIALECT if dialect.json_payloads else Signal.TEXT_DIALECT)

    def _know(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._names_matter = type(dialect).event_name is not Dialect.event_name
        self.report.dialect = dialect.name

    def _with_name(
        self, event: Event, wire: bytes, value: Any, start: int, end: int, *, named: bool
    ) -> tuple[Event, bytes]:
        """Return event and frame with the name that clients of the dialect need, where it is missing and fits."""
        assert self.dialect is not None
        name = self.dialect.event_name(value)
        if name is None or name == event.event or set(name) & set("\r\n\0"):
            return event, wire
        if named:
            # Lines and elements have no place for a name: they get it where they become SSE.
            becomes_sse = self.target is Format.SSE and self.report.format is not Format.SSE
            return (replace(event, event=name) if becomes_sse else event), wire
        longer = b"event: " + name.encode() + b"\n" + wire
        if len(longer) > self.options.max_event_bytes or not self.allows(RepairKind.EVENT_NAME_RESTORED):
            return event, wire
        self.repair(RepairKind.EVENT_NAME_RESTORED, start, end)
        return replace(event, event=name), longer

    # What is not an event

    def forward_comment(self, text: str, wire: bytes) -> None:
        """Forward one comment line that stands outside of any open block; `wire` may be empty."""
        self.report.comments += 1
        if "{" in text:
            self.note_swallowed(text)
        if self.options.comments == "drop":
            return
        frame = Frame(wire, comment=Comment(text), kind=_LIVENESS)
        if wire:
            self._emit(frame)
        else:
            self.out.append(frame)

    def forward_bare(self, wire: bytes) -> None:
        """Forward framing that is not an event: a blank line, a block of nothing but `id:` or `retry:`."""
        self._emit(Frame(wire))

    # The end

    def die(self, failure: Failure, kind: RepairKind, start: int, end: int) -> None:
        """End the stream with a failure of ours, which the input from `start` to `end` shows. Nothing more is read."""
        self.state.die(failure, end)
        if kind is RepairKind.NOT_A_STREAM and not self.opened:
            self.report.format = None
        self.repair_if_enabled(kind, start, end)

    def verdict(self, *, clean: bool, cut: bool) -> Verdict:
        """Return the verdict at the end of input; `cut`: a last piece was not whole."""
        dialect = self.dialect
        complete = None if dialect is None or not dialect.json_payloads else dialect.is_complete()
        return self.state.verdict(clean=clean, cut=cut, complete=complete)


def leaves_hole(payload: str, mode: Mode) -> bool:
    """Return whether the answer has a hole where this payload, which is not JSON, is dropped or left unreadable.

    Not an empty one, a comment or a sentinel; of other words only those that begin like JSON, or stand where the
    dialect has nothing but JSON.
    """
    said = payload.strip()
    if not said or said[0] == ":" or is_misspelt_done(said):
        return False
    return mode is Mode.KNOWN or begins_like_json(said)


def _is_prose(data: str) -> bool:
    return bool(data) and data[0] not in ":{["  # `[DONE]` too begins like JSON


def _recognise(name: str, value: Any) -> Dialect | None:
    return next((dialect() for dialect in REGISTRY.values() if dialect.recognises(name, value)), None)
