"""Frames proven by likeness: what equals a proven one around its text is proven too, and means the same.

The tokens of an answer come in frames that differ in one string, and perhaps in an id or in some padding. Once such a
frame was proven and read, the next one needs neither a parser nor its dialect: measured, 1 µs instead of 8 for a
payload of 256 bytes. Law 1 holds this path to the slow one: whatever is not exactly alike takes that.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from itertools import chain
from json.decoder import scanstring  # type: ignore[attr-defined]  # missing in the stubs
from typing import Any, Final

from .dialect import Dialect, EventClass, Reading
from .events import Event
from .proof import FLAWED, prove
from .report import StreamReport

MAX_ATTEMPTS: Final = 128
"""How often a likeness is tried in one stream: each costs as much as ten events, and no healthy stream has so many."""
MAX_LENGTH: Final = 8192
_SHORT: Final = 2048
"""Bytes up to which a chunk is more likely one frame than several."""
_new: Final = object.__new__
_HOLE: Final = "\0"  # stands for what differs; neither a payload nor a line that is kept here can hold one
_MARK: Final = "\ufdd0likeness\ufdd1"  # noncharacters, which no provider sends
_NUMBER_MARK: Final = "907060504030201"

# RFC 8259, clause 7: what may stand between the quotes. Possessive, so that nothing is tried twice.
STRING: Final = rb'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+'
NUMBER: Final = rb"(?:0|[1-9][0-9]{0,14}+)?+"  # clause 6; like the others, it matches the empty string at least
BLANKS: Final = rb" *+"  # clause 2; Anthropic pads with them, in front of the last brace
_ID: Final = rb"[^\r\n\0]*+"  # WHATWG 9.2.6
_INSIDE: Final = re.compile(STRING)

# The other lines of a frame; seldom needed, and compiled by `re` itself.
_NAME_AND_ID: Final = r"(?:event: [^\n]*\n)?(?:id: ([^\n]+)\n)?(?:event: [^\n]*\n)?"


def _has_separators(text: str) -> bool:
    """Tell whether something is to be escaped; three searches are faster than one pattern, by far."""
    return not text.isascii() and ("\u2028" in text or "\u2029" in text or "\x85" in text)


class Form:
    """One spelling of frames that are alike: the bytes that all of them have, around holes for the others."""

    __slots__ = ("_filled", "_find", "_mould", "_skip", "_width", "begin", "end", "pieces")

    def __init__(self, frame: str, holes: tuple[bytes, ...]) -> None:
        self.pieces = frame.encode().split(_HOLE.encode())
        self.begin = self.pieces[0]
        self.end = self.pieces[-1]
        self._width = len(holes)
        self._filled = [at for at, hole in enumerate(holes) if hole != BLANKS] if BLANKS in holes else None
        self._mould = b"%b".join([piece.replace(b"%", b"%%") for piece in self.pieces])
        # What is fixed is skipped by its length, and compared all at once: half of what a split costs. The pattern
        # matches anything, so that no start is tried twice; what it found is proven by the comparison.
        rest = [b"(%b).{0,%d}" % (hole, len(piece)) for hole, piece in zip(holes, self.pieces[1:], strict=True)]
        self._skip = b"(?s).{1,%d}" % len(self.begin) + b"".join(rest)
        self._find: Any = None

    def values_in(self, frames: bytes) -> list[str] | None:
        """Give what stands in the holes of whole frames, frame after frame; None where any is not alike."""
        if not frames.startswith(self.begin) or not frames.endswith(self.end):
            return None
        if self._find is None:
            self._find = re.compile(self._skip).findall
        found = self._find(frames)
        values = found if self._width == 1 else [*chain.from_iterable(found)]
        if (b"" in values and self._lacks(values)) or self._mould * len(found) % tuple(values) != frames:
            return None
        try:
            text = b"\n".join(values).decode()
        except UnicodeDecodeError:
            return None
        return None if _has_separators(text) else text.split("\n")

    def _lacks(self, values: list[bytes]) -> bool:
        """Tell whether a hole is empty that may not be."""
        return self._filled is None or any(b"" in values[at :: self._width] for at in self._filled)

    def spell(self, values: list[str]) -> bytes:
        """Write the frames with these values."""
        return self._mould * (len(values) // self._width) % tuple([value.encode() for value in values])

    def resembles(self, frame: bytes) -> bool:
        """Tell whether what is fixed stands in this frame too; no proof."""
        ends = frame.startswith(self.begin) and frame.endswith(self.end)
        return ends and all(piece in frame for piece in self.pieces)


class Likeness:
    r"""One proven frame with `\0` for its text, its id, and what its dialect says may vary; and what it means.

    `holes` says what may stand in each `\0` of `payload`; the one at `text_at` holds the text. `head` and `tail` are
    the lines around the `data` line; a line of NDJSON has none, and no `lead`.
    """

    __slots__ = (
        "_begin", "_crlf", "_cut", "_end", "_fixed", "_frame", "_middles", "_mould", "_text_at",
        "field", "form", "has_id", "holes", "id_at", "lines", "name", "reading", "width",
    )  # fmt: skip

    def __init__(
        self,
        payload: str,
        name: str,
        reading: Reading,
        *,
        holes: tuple[bytes, ...] = (STRING,),
        text_at: int = 0,
        head: str = "",
        tail: str = "\n",
        lead: str = "data: ",
    ) -> None:
        self.field = "text" if reading.deltas[0].text else "reasoning"
        self.name = name
        self.reading = reading
        self._fixed = payload.split(_HOLE)
        leads = head.count(_HOLE)
        self.has_id = _HOLE in head + tail
        self.id_at = 0 if leads else len(holes)
        self._text_at = leads + text_at
        self._mould = "%s".join([piece.replace("%", "%%") for piece in self._fixed])
        self.holes = (_ID,) * leads + holes + (_ID,) * tail.count(_HOLE)
        self.width = len(self.holes)
        self._frame = f"{head}{lead}{payload}\n{tail}"
        self.lines = self._frame.count("\n")
        self.form = Form(self._frame, self.holes)
        self._crlf: Form | None = None
        self._begin, self._end = self.form.begin, self.form.end
        # A number, or blanks, need a closer look than `_cut_apart` takes; nothing is cut apart at what no frame holds.
        self._middles = (
            [_HOLE] if NUMBER in holes or BLANKS in holes else [piece.decode() for piece in self.form.pieces[1:-1]]
        )
        self._cut = slice(len(self._begin), -len(self._end))

    def spelt(self, line_end: bytes) -> Form:
        """Give the form of such frames with this line end."""
        if line_end == b"\n":
            return self.form
        if self._crlf is None:
            self._crlf = Form(self._frame.replace("\n", "\r\n"), self.holes)
        return self._crlf

    def values_of(self, frame: bytes) -> list[str] | None:
        """Give what stands in the holes (escapes kept) of one canonical frame that is alike, or None."""
        # A fast path, held by law 1: holes are cut out by length, and most values are judged without a pattern.
        # Measured, a third of what the pattern takes.
        inner = frame[self._cut]
        if self._begin + inner + self._end != frame:
            return None
        try:
            text = inner.decode()
        except UnicodeDecodeError:
            return None
        if self.width > 1:
            return self._cut_apart(text) or self.form.values_in(frame)
        if text.isprintable() and '"' not in text and "\\" not in text and text:
            return [text]
        return [text] if text and _INSIDE.fullmatch(inner) and not _has_separators(text) else None

    def _cut_apart(self, text: str) -> list[str] | None:
        """Give the values of several holes, where all are printable and need no closer look."""
        values = []
        for middle in self._middles:
            value, _, text = text.partition(middle)
            values.append(value)
        values.append(text)
        plain = "".join(values)
        if plain.isprintable() and '"' not in plain and "\\" not in plain and "" not in values:
            return values
        return None

    @property
    def choice(self) -> int:
        """The choice that all these texts belong to."""
        return self.reading.deltas[0].choice

    def texts(self, values: list[str]) -> list[str]:
        """Give the texts behind their escapes."""
        raws = values if self.width == 1 else values[self._text_at :: self.width]
        for raw in raws:
            if "\\" in raw:
                return [scanstring(f'{raw}"', 0)[0] for raw in raws]
        return raws

    def readings(self, values: list[str]) -> list[Reading]:
        """Give what a dialect would have read."""
        return [self.with_text(text) for text in self.texts(values)]

    def with_text(self, text: str) -> Reading:
        """Say what a payload of this likeness with this text means."""
        return replace(self.reading, deltas=(replace(self.reading.deltas[0], **{self.field: text}),))  # type: ignore[arg-type]

    def events(self, values: list[str], id: str) -> list[Event]:
        """Give the events that these values came in; `id` is the last event id before them."""
        if self.width > 1:
            return self._wide_events(values, id)
        before, behind = self._fixed
        name = self.name
        events = []
        # A fast path, held by law 1: without a call of `__init__` for each, measured, 0.4 µs for each instead of 0.65.
        for value in values:
            event = _new(Event)
            event.data = f"{before}{value}{behind}"
            event.event = name
            event.id = id
            event.retry = None
            events.append(event)
        return events

    def _wide_events(self, values: list[str], id: str) -> list[Event]:
        events = []
        for at in range(0, len(values), self.width):
            own = values[at : at + self.width]
            if self.has_id:
                id = own.pop(self.id_at)
            events.append(Event(self._mould % tuple(own), self.name, id))
        return events


class LikenessFinder:
    """Looks for a likeness between one frame of content and the next."""

    def __init__(self) -> None:
        self._previous = b""
        self._found: Likeness | None = None
        self._tried = 0

    def look(self, dialect: Dialect, event: Event, wire: bytes, reading: Reading) -> Likeness | None:
        """Compare this frame with the last one that was shown; give their likeness if it holds."""
        # A longer frame is not kept: what is retained has its bound.
        previous, self._previous = self._previous, wire if len(wire) <= MAX_LENGTH else b""
        if not dialect.steady or not _is_plain(reading):
            return None
        found = self._found
        if found is not None and found.values_of(wire) is not None:
            # Seen before, with something else between; what it means may have changed since.
            return found if found.with_text(getattr(reading.deltas[0], found.field)) == reading else None
        if self._tried >= MAX_ATTEMPTS:
            return None
        candidate = _open_holes(previous.decode(), dialect.varying, event, wire.decode(), reading)
        if candidate is None or not candidate.form.resembles(previous):
            return None
        self._tried += 1
        if not _holds(dialect, candidate):
            return None
        self._found = candidate
        return candidate


def _open_holes(previous: str, keys: tuple[str, ...], event: Event, frame: str, reading: Reading) -> Likeness | None:
    """Cut out of a frame what may differ in the next one; None for a frame of other lines than name, id and data."""
    delta = reading.deltas[0]
    lead = "" if frame == f"{event.data}\n" else "data: "
    head, found, tail = frame.partition(f"{lead}{event.data}\n")
    before, quoted, behind = event.data.partition(f'"{delta.text or delta.reasoning}"')
    if not found or not quoted or _HOLE in frame:
        return None
    heads, tails = re.fullmatch(_NAME_AND_ID, head), re.fullmatch(_NAME_AND_ID + ("\n" if lead else ""), tail)
    if not heads or not tails or (heads[1] and tails[1]):
        return None
    pad = _padding(behind)
    before, leads = _loosen(before, keys, previous)
    behind, trails = _loosen(behind, keys, previous)
    if pad != _padding(previous.rstrip("\n")) and behind.endswith("}"):
        behind = f"{behind[: -pad - 1]}{_HOLE}}}"
        trails.append(BLANKS)
    return Likeness(
        f'{before}"{_HOLE}"{behind}',
        event.event,
        reading,
        holes=(*leads, STRING, *trails),
        text_at=len(leads),
        head=_open_id(heads),
        tail=_open_id(tails),
        lead=lead,
    )


def _open_id(lines: re.Match[str]) -> str:
    return lines[0] if lines[1] is None else lines[0][: lines.start(1)] + _HOLE + lines[0][lines.end(1) :]


def _loosen(piece: str, keys: tuple[str, ...], previous: str) -> tuple[str, list[bytes]]:
    """Open a hole for each value of these keys, a string or a whole number, that is not the one it was."""
    holes = []
    pattern = rf'"(?:{"|".join(map(re.escape, keys))})": ?("[^"\\]++"|[0-9]{{1,15}}+(?![0-9.eE]))'
    for found in re.finditer(pattern, piece) if keys else ():
        spelt, value = found[0], found[1]
        if spelt not in previous:
            is_string = value[0] == '"'
            holes.append(STRING if is_string else NUMBER)
            piece = piece.replace(spelt, spelt.removesuffix(value) + (f'"{_HOLE}"' if is_string else _HOLE), 1)
    return piece, holes


def _padding(text: str) -> int:
    """Count the blanks in front of the last brace."""
    return len(text) - 1 - len(text[:-1].rstrip(" ")) if text.endswith("}") else 0


def _is_plain(reading: Reading) -> bool:
    """Tell whether text, or reasoning, of one choice is all that was said."""
    if reading.kind is not EventClass.CONTENT or len(reading.deltas) != 1 or reading.begins:
        return False
    delta = reading.deltas[0]
    if bool(delta.text) is bool(delta.reasoning) or reading.usage is not None or reading.failure is not None:
        return False
    return replace(delta, choice=0, role=None, text="", reasoning="") == type(delta)()


def _holds(dialect: Dialect, likeness: Likeness) -> bool:
    """Read the payload with marks in its holes: nothing but the text may change."""
    marks = {NUMBER: _NUMBER_MARK, BLANKS: "  "}
    values = [marks.get(hole, _MARK) for hole in likeness.holes]
    payload = likeness.events(values, "")[0].data
    value = prove(payload)
    if value is FLAWED or len(payload) > MAX_LENGTH or any(mark in payload for mark in dialect.exact_marks):
        return False
    return deepcopy(dialect).read(likeness.name, value) == likeness.with_text(_MARK)


class Lane:
    """Takes chunks as long as they bring nothing but frames that are alike, past sniffer, framer and proof.

    Of a frame that is still open it keeps the bytes, where nothing of them could leave yet, whatever follows. `stop` is
    the bytes behind the last line of each frame, its own line end included.
    """

    __slots__ = ("_form", "_held", "_limit", "_line_end", "_longest", "_report", "_short", "_stop", "likeness", "wire")

    def __init__(self, likeness: Likeness, stop: bytes, limit: int, report: StreamReport) -> None:
        self.likeness = likeness
        self.wire = b""
        """The frames that were taken last, in their canonical spelling."""
        self._report = report
        self._limit = limit
        self._stop = stop
        self._line_end = line_end = b"\r\n" if stop.startswith(b"\r") else b"\n"
        self._form = likeness.spelt(line_end)
        # Up to this length a chunk is looked at as one frame first.
        self._short = min(limit, _SHORT) if line_end == b"\n" else 0
        self._longest = min(limit, MAX_LENGTH)
        self._held = bytearray()

    def take(self, chunk: bytes) -> list[str] | None:
        """Give the values of the frames that this chunk completes; None: it is for the framer, behind `let_go()`."""
        held = self._held
        if held:
            if 0x0A in chunk or 0x0D in chunk or len(held) + len(chunk) > self._longest:
                return self._take_pieces(chunk)
            held += chunk
            return []
        if len(chunk) <= self._short and (values := self.likeness.values_of(chunk)) is not None:
            self.wire = chunk
            return values
        return self._take_pieces(chunk)

    def let_go(self) -> bytes:
        """Give the bytes that were taken and are in no frame."""
        held, self._held = bytes(self._held), bytearray()
        return held

    def _take_pieces(self, chunk: bytes) -> list[str] | None:
        whole = bytes(self._held) + chunk
        if len(whole) > self._limit:
            return None
        end = whole.rfind(self._stop) + len(self._stop)
        if end < len(self._stop):
            end = 0
        values = self._form.values_in(whole[:end]) if end else []
        if values is None or not self._may_wait(whole[end:]):
            return None
        self._held = bytearray(whole[end:])
        if values:
            self._pass(values, whole[:end])
        return values

    def _may_wait(self, rest: bytes) -> bool:
        """Tell whether nothing can follow upon which a part of these bytes would have left before its blank line."""
        begin = self._form.begin
        if rest.startswith(begin):
            rest = rest[len(begin) :].removesuffix(self._line_end)
        return len(rest) <= self._longest and 0x0A not in rest and 0x0D not in rest

    def _pass(self, values: list[str], frames: bytes) -> None:
        if self._line_end == b"\n":
            self.wire = frames
            return
        likeness = self.likeness
        self.wire = likeness.form.spell(values)
        self._report.respellings["line-end"] += likeness.lines * (len(values) // likeness.width)
