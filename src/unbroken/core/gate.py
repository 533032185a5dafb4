"""Whether an event leaves, what it means, and what state follows.

Framers hand over what they found, in order. The gate forwards it, drops it by name, or ends the stream; only what it
forwards changes the state (`state.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .account import Account
from .decoder import replace_invalid_utf8
from .dialect import Dialect, EventClass, Reading, is_judged
from .events import Comment, Event, Format
from .failure import Failure, holds_only_ours, own_failure
from .frames import Frame, Item
from .lone_error import LoneError, own_failure_in_prose
from .mending import DONE, SENTINEL_LINE, begins_like_json
from .options import Options
from .proof import FLAWED, UNPROVEN, read_exactly, read_loosely
from .registry import recognise, recognise_prose
from .repairs import LOSSES, Repair, RepairKind
from .report import StreamReport, Verdict
from .state import Mode, Phase, Signal, State

if TYPE_CHECKING:
    from .resume import DeliveredIds, Seam
    from .tool_index import ToolIndex

# Measured, looking up a member of an enumeration costs 0.1 µs.
_CONTENT: Final = EventClass.CONTENT
_ERROR: Final = EventClass.ERROR
_LIVENESS: Final = EventClass.LIVENESS
_TERMINAL: Final = EventClass.TERMINAL
_LIVE: Final = Phase.LIVE
_KNOWN: Final = Mode.KNOWN
_CALLS: Final = '"tool_calls"'
_UNNAMED: Final = Failure("upstream-error")


class Gate:
    """Forwards events, drops them by name, or ends the stream."""

    __slots__ = (
        "_complete", "account", "delivered", "dialect", "lone_error", "opened", "options", "out", "report",
        "seam", "showed_framing", "state", "target", "tool_index",
    )  # fmt: skip

    def __init__(self, options: Options, report: StreamReport) -> None:
        self.options = options
        self.report = report
        self.out: list[Item] = []
        self.account = report.account = Account(options.count_tokens) if options.account else None
        stops = RepairKind.AFTER_DONE in options.repairs
        self.state = State(stops_at_sentinel=stops, masks_errors=options.errors == "mask")
        self.dialect: Dialect | None = None
        self.opened = False
        """Whether anything was forwarded."""
        self.showed_framing = False
        """Whether a comment, or a field of the standard outside of an event, was forwarded."""
        self.target: Format | None = options.to or (Format.SSE if options.convert else None)
        """The framing of what is written, once that is decided: `to`, SSE of a conversion, or that of the input."""
        self.delivered: DeliveredIds | None = None
        """The ids of what was delivered, kept where a broken connection may be resumed."""
        self.lone_error = LoneError(report)
        self.tool_index: ToolIndex | None = None
        self.seam: Seam | None = None
        """What joins the answers of several connections, where that was asked for."""
        self._complete: Callable[..., tuple[Event, bytes]] | None = None  # adds what its clients need in some events
        if options.dialect is not None:
            self.enter(options.dialect)

    def take_items(self) -> list[Item]:
        """Return what was forwarded and repaired since the last call."""
        items, self.out = self.out, []
        return items

    def reconnect(self) -> None:
        """Go on with the bytes of another connection."""
        self.state.reconnect()
        self.lone_error.forget()
        if self.delivered is not None:
            self.delivered.restart()
        if self.seam is not None:
            self.seam.restart(self.report)

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
        if kind in LOSSES:
            self.state.lost_payload()
        self.report.note_repair(repair)
        self.out.append(repair)
        if self.options.on_repair is not None:
            self.options.on_repair(repair)
        for observer in self.options.observers:
            observer.repaired(repair)

    def repair_if_enabled(self, kind: RepairKind, start: int, end: int) -> None:
        """Record a repair where the caller enabled its kind, in prose too."""
        if kind in self.options.repairs:
            self.repair(kind, start, end)

    def decode(self, raw: bytes, start: int) -> bytes:
        """Return these bytes, which begin at byte `start`, with U+FFFD for what is not valid UTF-8; count that."""
        decoded, runs = replace_invalid_utf8(raw)
        for begin, length in runs:
            self.repair_if_enabled(RepairKind.INVALID_UTF8, start + begin, start + begin + length)
        self.report.invalid_utf8 += len(runs)
        return decoded

    def note_swallowed(self, line: str) -> None:
        """Note a hole where a line that is no payload holds one of the known dialect: its own line end was lost."""
        if "{" in line and self.state.mode is _KNOWN:
            from .damage import swallows_payload

            if swallows_payload(line, self.dialect):
                self.state.lost_payload()

    # Ids

    def note_id(self, id: str) -> None:
        """Take the last event id of what is forwarded, or would be if it could be read."""
        self.report.last_event_id = id
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
        if self.dialect is None and event.event != "message" and (found := recognise_prose(event)) is not None:
            self.enter(found)
        dialect, state, phase = self.dialect, self.state, self.state.phase
        if event.data == SENTINEL_LINE and self.expects_done and self.report.format is Format.NDJSON:
            event, value = replace(event, data=DONE), FLAWED  # the sentinel, as NDJSON spells it
        # A repair can make an event longer, and the next reader has the same limit.
        too_long = len(wire) > self.options.max_event_bytes
        is_special = too_long or value is None or phase is not _LIVE or state.failure or event.data == DONE
        if is_special and self._drops(event, value, start, end, too_long=too_long):
            return False
        if self.seam is not None and type(value) is dict:
            joined = self.seam.take(self, event, wire, value, start, end)
            if joined is None:
                return False
            event, wire = joined
        reading = None
        if dialect is not None and not dialect.json_payloads:
            ours = own_failure_in_prose(event, value, self.report.format)
            event = event if ours is None else replace(event, event="error")  # as SSE no more tells it from prose
            read = dialect.read(event.event, event.data) if ours is None else Reading(_ERROR, failure=ours)
            reading = self._absorb(read, event.event, is_ours=ours is not None and not state.masks_errors)
        elif value is FLAWED:
            if self._drops_sentinel(event):
                self.repair(RepairKind.DONE_AFTER_ERROR, start, end)
                return False
            reading = self._read_flawed(event)
        elif value is not UNPROVEN:
            if _CALLS in event.data:
                from .tool_index import number_calls  # few streams call tools

                event, wire, value = number_calls(self, event, wire, value, start, end)
            reading = self._read(event, value)
            is_unwanted = reading is not None and reading.kind is _LIVENESS and self.options.comments == "drop"
            if self._complete is not None and not is_unwanted and state.masked is None:
                event, wire = self._complete(self, event, wire, value, start, end, named=named)
        else:
            self.report.unproven += 1
            reading = self._read_unproven(event)
        if state.masks_errors:
            from .masking import is_masked  # few streams mask errors, and few payloads are flawed: see `_read_flawed`

            self.report.masked_errors += is_masked(state, event, value)
        if state.masked is not None:
            state.die(state.masked, end)
            return False
        if state.phase is not phase:
            event = self._spell_sentinel(event)
        kind = self._classify(event, value) if reading is None else reading.kind
        if kind is _LIVENESS and self.options.comments == "drop":
            return False
        self.report.events += 1
        if self.seam is not None:
            self.seam.note(self.report, kind)
        self._emit(Frame(lead + wire, event, None, kind, reading))
        return True

    def _drops(self, event: Event, value: Any, start: int, end: int, *, too_long: bool) -> bool:
        """Drop an event that is too long, unreadable, or may not follow what was forwarded; return whether it was."""
        state, lone = self.state, self.lone_error.failure if event.data == DONE else None
        is_sure = state.mode is not Mode.TEXT or state.is_ours
        if lone is not None and RepairKind.AFTER_DONE in self.options.repairs:
            state.forwarded_error(lone)  # an error, and the sentinel of chat: that was the answer
        if state.stopped:
            pass  # a further document of the block that held the sentinel or the error, whose repair names all of it
        elif too_long:
            self.repair(RepairKind.OVERSIZED_EVENT, start, end)
        elif state.failure and event.data == DONE and is_sure and RepairKind.DONE_AFTER_ERROR in self.options.repairs:
            self.repair(RepairKind.DONE_AFTER_ERROR, start, end)
            if lone is not None:
                state.forwarded_sentinel(completes=False)
        elif value is None and state.mode is _KNOWN and self.allows(RepairKind.EMPTY_DATA):
            if self.dialect is not None and self.dialect.says_by_name(event.event):
                return False  # clients do not read its payload, and would not fail at `null`
            self.repair(RepairKind.EMPTY_DATA, start, end)
        else:
            return False
        return True

    def _emit(self, frame: Frame) -> None:
        self.opened = True
        frame.dialect = self.report.dialect
        self.out.append(frame)

    def _classify(self, event: Event, value: Any) -> EventClass:
        """Return the class of an event that no dialect read."""
        if self.lone_error.failure is not None:
            return _ERROR
        if self.dialect is None and event.event == "error" and value is not None:
            return _ERROR
        if value is UNPROVEN and self.dialect is not None:
            return _CONTENT  # nothing but content is ever this long
        return _TERMINAL if self.state.phase is Phase.DONE else EventClass.STRUCTURAL

    def _read_flawed(self, event: Event) -> Reading | None:
        """Read a payload that is not JSON; return what it means, if a dialect says so."""
        dialect = self.dialect
        if dialect is not None and dialect.says_by_name(event.event):
            return self._absorb(dialect.read(event.event, event.data), event.event)
        if dialect is not None and event.data == dialect.sentinel:
            self.state.forwarded_sentinel(is_whole=dialect.is_complete(), completes=dialect.sentinel_completes)
            return None
        if dialect is None:
            vanishes = event.data == DONE and event.event != "error" and self._becomes_lines()
            self.lone_error.note(event, FLAWED, self.state, leaves=not vanishes)
        from .damage import leaves_hole

        if self.report.format is Format.SSE and event.data and event.data[0] not in ":{[":  # `[DONE]` is no prose
            self.state.receive(Signal.PROSE)
        if leaves_hole(event.data, self.state.mode):
            self.state.lost_payload()
            # Elsewhere it is counted by who decides what becomes of it.
            if self.state.mode is Mode.OPEN and self.report.format is Format.SSE:
                self.report.invalid_json += 1
        return None

    def _drops_sentinel(self, event: Event) -> bool:
        """End the stream at a sentinel that would mean success of an answer that is cut; return whether it did."""
        dialect = self.dialect
        if dialect is None or dialect.sentinel_completes or event.data != dialect.sentinel or self.state.ended:
            return False
        if dialect.is_complete() or not self.allows(RepairKind.DONE_AFTER_ERROR):
            return False
        self.state.forwarded_sentinel(completes=False)
        return True

    def _read_unproven(self, event: Event) -> Reading | None:
        """Read a payload that is too long for a proof: its finish, its end or its error counts all the same."""
        value = read_loosely(event.data) if begins_like_json(event.data) else UNPROVEN
        if _CALLS in event.data:
            from .tool_index import ToolIndex

            self.tool_index = ToolIndex(leaves=True)
        if value is FLAWED:
            self.state.lost_payload()
        return self._read(event, value) if isinstance(value, dict) else None

    def _spell_sentinel(self, event: Event) -> Event:
        """Return the sentinel as the output spells it: in NDJSON as a JSON string, where nothing else says the end."""
        return replace(event, data=SENTINEL_LINE) if self._becomes_lines() and self.state.needs_sentinel else event

    def _becomes_lines(self) -> bool:
        return self.target is Format.NDJSON and self.report.format is not Format.NDJSON

    def _read(self, event: Event, value: Any) -> Reading | None:
        ours = own_failure(value)
        found = None if self.state.mode is _KNOWN else recognise(event.event, value)
        dialect = self.dialect if found is None or type(found) is type(self.dialect) else found
        if dialect is None:
            if ours is not None:
                self.state.forwarded_error(ours, is_ours=True)
            self.lone_error.note(event, value, self.state)
            return None if ours is None else Reading(_ERROR, failure=ours)
        marks = dialect.exact_marks
        if marks and any(mark in event.data for mark in marks):
            value = read_exactly(event.data)
        reading = dialect.read(event.event, value)
        is_clean = ours is not None and (not self.state.masks_errors or holds_only_ours(value))
        if ours is not None:
            if reading.failure is None or reading.failure.code != ours.code:  # of another dialect's form
                reading = replace(reading, kind=_ERROR, failure=ours)
            self.state.forwarded_error(reading.failure or ours, has_words=not is_clean, is_ours=True)
        if found is not None and not self._enter_by(dialect, reading):
            return None if ours is None else Reading(_ERROR, failure=ours)
        return self._absorb(reading, event.event, is_ours=is_clean)

    def _absorb(self, reading: Reading, name: str = "", *, is_ours: bool = False) -> Reading:
        kind, account = reading.kind, self.account
        if reading.failure is not None and self.options.converts_to not in (None, self.report.dialect):
            # Behind an error a conversion writes nothing.
            account, self.account = account if is_ours or self.state.failure is None else None, None
        if kind is _ERROR:
            self.state.forwarded_error(reading.failure or _UNNAMED, has_words=not is_ours, is_ours=is_ours)
        if self.state.masked is not None or (name == "error" and self.state.masks_errors and not is_ours):
            return reading  # it is not delivered
        if kind is _TERMINAL:
            self.state.forwarded_terminator()
        if self.tool_index is not None:
            self.tool_index.note(reading)
        if not self.report.content_emitted:  # a terminator can bring the last text with it
            self.report.content_emitted = kind is _CONTENT or any(delta.text or delta.tools for delta in reading.deltas)
        if account is not None:
            account.absorb(reading)
        return reading

    # The dialect

    def _enter_by(self, dialect: Dialect, reading: Reading) -> bool:
        """Take the dialect that was recognised; return whether the payload may count as one of its own.

        An error alone proves little: it ends the stream as failed, and nothing is dropped on its account. In prose, and
        after other lines or elements, each a record of its own unless it becomes an event, it may be anybody's until
        more shows the dialect.
        """
        may_be_record = self.report.events and Format.SSE not in (self.report.format, self.target)
        if reading.kind is not _ERROR:
            self.enter(dialect)
        elif self.dialect is None:
            if self.state.mode is Mode.TEXT or may_be_record:
                self.state.forwarded_early_error(reading.failure or _UNNAMED)
                return False
            self._know(dialect)
        return True

    def enter(self, dialect: Dialect) -> None:
        """Take this dialect for the one of the stream."""
        self._know(dialect)
        if self.options.converts_to not in (None, dialect.name):
            self.state.ends_by_early_error()
            self.account = self.account if self.state.failure is None else None
        self.state.receive(Signal.DIALECT if dialect.json_payloads else Signal.TEXT_DIALECT)

    def _know(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.lone_error.enter(dialect, self.options.converts_to, self.state)
        self.report.dialect = dialect.name
        from .completing import completer_of  # loaded with the first dialect that is known

        self._complete = completer_of(type(dialect))

    # What is not an event

    def forward_comment(self, text: str, wire: bytes) -> None:
        """Forward one comment line that stands outside of any open block; `wire` may be empty."""
        self.report.comments += 1
        self.note_swallowed(text)
        if self.options.comments == "drop":
            return
        frame = Frame(wire, comment=Comment(text), kind=_LIVENESS)
        (self._emit if wire else self.out.append)(frame)

    def forward_bare(self, wire: bytes, reading: Reading | None = None) -> None:
        """Forward framing that is not an event: a blank line, a block without data; `reading`: what its name says."""
        if reading is None or self._absorb(reading).kind is not _LIVENESS or self.options.comments != "drop":
            self._emit(Frame(wire, kind=None if reading is None else reading.kind, reading=reading))

    # The end

    def die(self, failure: Failure, kind: RepairKind, start: int, end: int) -> None:
        """End the stream with a failure of ours, which the input from `start` to `end` shows. Nothing more is read."""
        self.state.die(failure, end)
        if kind is RepairKind.NOT_A_STREAM and not self.opened:
            self.report.format = None
        self.repair_if_enabled(kind, start, end)

    def verdict(self, *, clean: bool, cut: bool) -> Verdict:
        """Return the verdict at the end of input; `cut`: a last piece was not whole."""
        is_asked = is_judged(self.dialect) and (self.options.empty != "end" or self.report.events > 0)
        complete = self.dialect.is_complete() if is_asked and self.dialect is not None else None
        return self.state.verdict(clean=clean, cut=cut, complete=complete)


def keys_of(gate: Gate) -> Collection[str]:
    """Return the keys that payloads of the known dialect have."""
    return () if gate.dialect is None or gate.state.mode is not Mode.KNOWN else gate.dialect.keys
