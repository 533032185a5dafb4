"""The two doors: chunks of nothing but frames of the current template pass; everything else goes to the reader."""

from __future__ import annotations

from typing import Any, Protocol

from ..dialect import EventClass
from ..frames import Delivery, Frame, Item
from ..gate import Gate
from ..proof import prove
from .finder import TemplateFinder
from .run import Run
from .spelling import Spelling, Values
from .takers import Taker, taker_of_one, taker_of_several
from .template import MAX_LENGTH, Template


class Reader(Protocol):
    """The reader of a framing, which reads what does not pass."""

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes."""

    def is_idle(self) -> bool:
        """Return whether the next byte begins a frame, and nothing waits for that frame."""

    def skip_to(self, offset: int) -> None:
        """Continue at this offset: what stands before it was forwarded."""


def _take_nothing(chunk: bytes) -> None:
    """Take no chunk: each is for `feed`."""


class FastPath:
    """Stands before the reader of a framing, and forwards the frames that equal the template around their slots.

    `frame_ends`: the bytes that end a frame, with LF and, where the framing allows that, with CRLF. `delivery`: what
    `take` returns of a frame; None: it takes no chunk. Of an open frame the bytes are kept, where nothing of them
    could leave yet, whatever follows.
    """

    __slots__ = (
        "_delivery", "_finder", "_frame_ends", "_gate", "_held", "_limit", "_reader", "_ready", "_take_one",
        "_template", "_unread", "take",
    )  # fmt: skip

    def __init__(self, gate: Gate, reader: Reader, frame_ends: tuple[bytes, ...], delivery: Delivery | None) -> None:
        self._gate = gate
        self._reader = reader
        self._frame_ends = frame_ends
        self._delivery = delivery
        self._limit = gate.options.max_event_bytes
        self._finder = TemplateFinder()
        self._template: Template | None = None  # of the last event that was forwarded
        self._ready = False  # the next frame may be one of the template's: nothing waits inside of the reader
        self._held = bytearray()  # of an open frame
        self._take_one: Taker = _take_nothing  # takes one frame of the template in one step
        self._unread: Values | None = None  # of the last frame, where its dialect did not read it
        self.take: Taker = _take_nothing
        """Take a chunk of nothing but frames of the template; return what leaves. None: not taken, use `feed`."""

    # In one step: `take`

    def _choose_taker(self) -> None:
        template, delivery, report = self._template, self._delivery, self._gate.report
        if not self._ready or delivery is None or template is None:
            self.take = _take_nothing
        elif template.width == 1 and template.field != "tools":
            account = self._gate.account
            self.take = taker_of_one(template, report, account, self._limit, self._take_several, delivery)
        else:
            self.take = taker_of_several(template, report, self._absorb, self._limit, self._take_several, delivery)
        self._take_one = self.take

    def _take_several(self, chunk: bytes) -> list[Any] | None:
        """Take frames of the template, and a rest that may wait."""
        held, report, template = self._held, self._gate.report, self._template
        assert template is not None
        size = len(chunk)
        if held:
            if 0x0A not in chunk and 0x0D not in chunk and len(held) + size <= min(self._limit, MAX_LENGTH):
                held += chunk
                report.bytes_in += size
                return []
            chunk = bytes(held) + chunk
        frame_end = self._frame_end_of(chunk)
        border = chunk.rfind(frame_end) + len(frame_end)
        if border < len(frame_end) or len(chunk) > self._limit:
            return None
        spelling = template.spelt(_line_end(frame_end))
        frames, rest = chunk[:border], chunk[border:]
        if rest and not self._may_wait(spelling, rest, frame_end):
            return None
        values = spelling.match_all(frames)
        if values is None:
            return None
        report.bytes_in += size
        self._hold(rest)
        last_event_id = report.last_event_id
        self._absorb(values)
        wire = self._canonical(spelling, values, frames)
        if self._delivery is Delivery.EVENTS:
            return template.events(values, last_event_id)
        report.bytes_out += len(wire)
        return [wire]

    # Step by step: `feed`

    def feed(self, chunk: bytes) -> None:
        """Forward the frames of the template, and hand on everything else, frame by frame where that may pay."""
        if self._held:
            chunk = bytes(self._held) + chunk
            self._hold(b"")
        start = self._gate.report.bytes_in - len(chunk)
        frame_end = self._frame_end_of(chunk)
        at, size = 0, len(chunk)
        window = size
        while at < size and not self._gate.state.stopped:
            if self._ready:
                at, window = self._forward_leading(chunk, at, window, frame_end)
                if at == size:
                    return
            border = chunk.find(frame_end, at)
            border = size if border < 0 else border + len(frame_end)
            self._hand_on(chunk[at:border], start + at)
            at = border

    def flush(self) -> None:
        """Hand on what is kept of an open frame: the input has ended."""
        held = bytes(self._held)
        self._hold(b"")
        self._hand_on(held, self._gate.report.bytes_in - len(held))

    def shut(self) -> None:
        """Take nothing more. A taker refers to its fast path, and would keep both until a garbage collection."""
        self.take = self._take_one = _take_nothing

    def _forward_leading(self, chunk: bytes, at: int, window: int, frame_end: bytes) -> tuple[int, int]:
        """Forward frames of the template, from `at` on, and keep a rest that may wait.

        The frames within `window` bytes are compared in one piece. The window is doubled after a match, and halved
        after a miss, until the one frame that is of another shape stands alone. Return where that ended, and the
        window to begin with from there on.
        """
        assert self._template is not None
        spelling, width = self._template.spelt(_line_end(frame_end)), len(frame_end)
        while True:
            border = chunk.rfind(frame_end, at, at + window) + width
            if border < at + width:
                border = chunk.find(frame_end, at) + width
                if border < width:
                    break
            values = spelling.match_all(chunk[at:border]) if border - at <= self._limit else None
            if values is not None:
                self._forward(spelling, values, chunk[at:border])
                window = 2 * (border - at)
                at = border
            elif chunk.find(frame_end, at) + width == border:
                return at, 1  # it is one frame, and of another shape: begin with one frame again
            else:
                window = (border - at) // 2
        if self._may_wait(spelling, chunk[at:], frame_end):
            self._hold(chunk[at:])
            return len(chunk), window
        return at, window

    def _forward(self, spelling: Spelling, values: Values, frames: bytes) -> None:
        assert self._template is not None
        report = self._gate.report
        last_event_id = report.last_event_id
        self._absorb(values)
        wire = self._canonical(spelling, values, frames)
        self._gate.out.append(Run(self._template, report.dialect, last_event_id, values, wire))

    def _hand_on(self, piece: bytes, start: int) -> None:
        """Have the reader read what stands at `start`, and see whether what comes next may be of the same template."""
        gate, reader = self._gate, self._reader
        self.catch_up()
        if self._ready:
            reader.skip_to(start)
        before = len(gate.out)
        reader.feed(piece)
        idle = reader.is_idle()
        if idle:
            for item in gate.out[before:]:
                self._learn(item)
        elif len(gate.out) > before:
            self._template = None  # no frame can be taken next, and another one must show what it would mean
        self._ready = idle and self._template is not None
        self._choose_taker()

    def _learn(self, item: Item) -> None:
        """Look for a template in what was forwarded."""
        if type(item) is not Frame or item.event is None:
            return
        self._template = None
        dialect = self._gate.dialect
        gate, indexes = self._gate, self._gate.tool_index
        if item.reading is None or (indexes is not None and not indexes.can_be_template(item.reading)):
            return
        if gate.seam is not None and gate.seam.joins:
            return  # what comes is not always what leaves
        if item.kind is EventClass.CONTENT and dialect is not None:
            found = self._finder.find(dialect, item.event, item.wire, item.reading)
            # Where another connection may send frames again, each id is looked at.
            if found is not None and not (found.has_id and self._gate.delivered is not None):
                self._template = found

    def catch_up(self) -> None:
        """Have the dialect read the last payload that passed, before it reads another.

        It may count payloads, for example by a sequence number.
        """
        if self._unread is None:
            return
        values, self._unread = self._unread, None
        dialect = self._gate.dialect
        if dialect is not None and self._template is not None:
            (event,) = self._template.events(values, "")
            dialect.read(event.event, prove(event.data))

    # What both need

    def _frame_end_of(self, chunk: bytes) -> bytes:
        return self._frame_ends[-1 if 0x0D in chunk else 0]  # `b"\r" in chunk` costs 1 µs

    def _may_wait(self, spelling: Spelling, rest: bytes, frame_end: bytes) -> bool:
        """Return whether the ordinary reader, too, would emit nothing of these bytes until their frame ends."""
        longest = min(self._limit, MAX_LENGTH)
        if len(rest) > longest + len(spelling.begin) + 2:
            return False
        if rest.startswith(spelling.begin):
            line_end = _line_end(frame_end)
            rest = rest[len(spelling.begin) :]
            # A CR of which the LF is still to come ends the line as well.
            rest = rest.removesuffix(line_end) if rest.endswith(line_end) else rest.removesuffix(line_end[:-1])
        return len(rest) <= longest and 0x0A not in rest and 0x0D not in rest

    def _hold(self, rest: bytes) -> None:
        self._held[:] = rest
        if self._take_one is not _take_nothing:
            self.take = self._take_several if rest else self._take_one

    def _absorb(self, values: Values) -> None:
        """Count the frames, and add what they say to the account."""
        gate, template = self._gate, self._template
        assert template is not None
        width = len(template.slots)
        gate.report.events += len(values) // width
        if width > 1:
            self._unread = values[-width:]
            if template.has_id:
                gate.note_id(values[template.id_at - width])
        if gate.account is not None:
            template.absorb(gate.account, values)
        if gate.tool_index is not None and template.field == "tools":
            gate.tool_index.add(template.delta, template.texts(values))

    def _canonical(self, spelling: Spelling, values: Values, frames: bytes) -> bytes:
        template = self._template
        assert template is not None
        if spelling is template.spelling:
            return frames
        self._gate.report.respellings["line-end"] += template.line_count * (len(values) // template.width)
        return template.spelling.write(values)


def _line_end(frame_end: bytes) -> bytes:
    """Return the line end of a frame end: half of a blank line, or a line's own."""
    return frame_end[: len(frame_end) // 2] if len(frame_end) > 1 else frame_end
