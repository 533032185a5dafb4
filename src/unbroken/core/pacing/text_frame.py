r"""Frames that say one piece of text and nothing else: where it stands in them, and how they are joined and split.

Nothing is spelt anew: what stood between the quotes is put between the quotes of the last frame, escapes kept, and all
that stands around it stays. Where the text stands is proven: the dialect reads a mark that is put there as the text.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import cache
from typing import Any, Final

from ..dialect import Dialect, EventClass, Reading
from ..events import Format
from ..proof import FLAWED, UNPROVEN, prove
from .beside import Beside, beside, own_keys

MAX_FRAME: Final = 65_536
"""Bytes of a frame that is looked at; a longer one passes as it is."""
MAX_TEXT: Final = 8192
"""Characters of text that are held at most."""
_MARK: Final = "\ufdd0pace\ufdd1"  # noncharacters, which no provider sends
_SLOT: Final = "\0"  # no payload holds one raw
_MAX_PLACES: Final = 8  # where the text may stand, that are tried in one frame
_MAX_PROOFS: Final = 256  # in one stream

_LINES: Final = re.compile(
    r"((?:event: [^\n]*+\n|id: [^\n]++\n)*+data: )([^\n]*+)(\n(?:event: [^\n]*+\n|id: [^\n]++\n)*+\n)"
)
_NAME: Final = re.compile(r"(?m)^event: (.*)$")
_ID: Final = re.compile(r"(?m)^id: .+$")
_STRINGS: Final = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t]*+:)?+')
_CHARACTERS: Final = re.compile(
    r"(?s)\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]"
)
_NUMBERS: Final = re.compile("[0-9]++")
_IDS: Final = re.compile(r'"[A-Za-z_]*+(?<=[iI][dD])"[ \t]*+:[ \t]*+("[^"\\]*+(?:\\.[^"\\]*+)*+"|[0-9]++)')
# What a dialect lets vary may name what the text belongs to: then two frames are not parts of one.
_TELLS_APART: Final = frozenset(("item_id", "token_id"))


class TextFrame:
    """One frame whose text is held.

    `places` says where in `data` the text stands, escapes kept: more than once where some servers send it under two
    keys, or by chance, and nowhere where it could not be found. `main` is the one that the dialect reads.
    """

    __slots__ = (
        "beside", "data", "due", "head", "is_manifold", "is_new", "is_own", "main", "passage", "places", "shapes",
        "start", "tail", "text",
    )  # fmt: skip

    def __init__(self, head: str, data: str, tail: str, passage: Any, text: str) -> None:
        self.head = head
        self.tail = tail
        self.passage = passage
        self.text = text
        self.places: list[tuple[int, int]] = []
        self.main = 0
        self.shapes: tuple[str, str] = ("", "")
        """All of the frame but what may differ: with the main place cut out, and with all of them."""
        self.beside = Beside.LABELS
        self.is_own = False  # whether it has an id or a number of its own
        self.is_new = False  # whether the one before it had another id, which may be its own
        self.is_manifold = False  # whether frames with another text had it at the same places
        self.due = 0.0  # when it must leave
        self.start = 0  # where its text begins in all that came
        self.data = data

    @property
    def wire(self) -> bytes:
        """Its bytes."""
        return f"{self.head}{self.data}{self.tail}".encode()

    @property
    def size(self) -> int:
        """Its length in characters."""
        return len(self.head) + len(self.data) + len(self.tail)

    @property
    def is_divisible(self) -> bool:
        """Whether two frames that share its text say no more than it does."""
        is_alone = len(self.places) == 1 and self.beside is Beside.LABELS
        return is_alone and not self.is_own and not self.is_new

    def place(self, places: list[tuple[int, int]], main: int, varying: re.Pattern[str] | None) -> None:
        """Note where the text stands; `varying` finds what says nothing of the meaning."""
        self.places, self.main = places, main
        data, head, tail = self.data, self.head, self.tail
        has_id = "id: " in head or "id: " in tail
        others = [] if varying is None else [found.span(1 if found[1] else 2) for found in varying.finditer(data)]
        if data.endswith("}"):  # Anthropic pads most events, against who counts bytes
            others.append((len(data[:-1].rstrip(" ")), len(data) - 1))
        if has_id:
            head, tail = _ID.sub("id: ", head), _ID.sub("id: ", tail)
        one = head + _cut(data, [places[main], *others]) + tail
        self.shapes = one, one if len(places) == 1 else head + _cut(data, [*places, *others]) + tail
        self.is_own = has_id

    def joins(self, following: TextFrame) -> int | None:
        """Return how many places the text of both has, 1 or all, or None: they differ in more than that."""
        if not self.places or not following.places or _splits_character(self.text, following.text):
            return None
        if Beside.ADDS in (self.beside, following.beside):
            return None  # said in both, it would be said once
        several = len(self.places) > 1 and len(following.places) > 1
        if several:
            same = len(self.places) == len(following.places) and self.shapes[1] == following.shapes[1]
            # Of two equal texts nothing shows that both places vary with it: one may be a name that equals it.
            is_proven = following.is_manifold or self.text != following.text
            return len(self.places) if same and is_proven else None
        # What stands beside two equal texts by an unknown name may say something of each.
        is_proven = following.beside is Beside.LABELS or self.text != following.text
        return 1 if is_proven and self.shapes[0] == following.shapes[0] else None

    def raws(self, count: int) -> list[str]:
        """Return the text as it stands at its places, or at the main one."""
        return [self.data[start:end] for start, end in self._chosen(count)]

    def _chosen(self, count: int) -> list[tuple[int, int]]:
        return self.places if count == len(self.places) else [self.places[self.main]]

    def with_raws(self, raws: list[str]) -> bytes:
        """Return its bytes with other text."""
        parts, at = [self.head], 0
        for (start, end), raw in zip(self._chosen(len(raws)), raws, strict=True):
            parts += [self.data[at:start], raw]
            at = end
        return "".join([*parts, self.data[at:], self.tail]).encode()

    def split(self, count: int) -> tuple[TextFrame, TextFrame]:
        """Return two frames: one with the first `count` characters of the text, one with the others."""
        ((start, end),) = self.places
        raw = self.data[start:end]
        at = count if "\\" not in raw else _raw_length(raw, count)
        first, rest = self._with(raw[:at], self.text[:count]), self._with(raw[at:], self.text[count:])
        rest.start += count
        return first, rest

    @property
    def around(self) -> tuple[str, str]:
        """What stands before and behind the text."""
        ((start, end),) = self.places
        return self.head + self.data[:start], self.data[end:] + self.tail

    def with_text(self, text: str) -> TextFrame:
        """Return the frame with another text, which needs no escapes."""
        return self._with(text, text)

    def _with(self, raw: str, text: str) -> TextFrame:
        ((start, end),) = self.places
        part = TextFrame(self.head, self.data[:start] + raw + self.data[end:], self.tail, self.passage, text)
        part.places, part.shapes, part.due, part.start = [(start, start + len(raw))], self.shapes, self.due, self.start
        part.beside, part.is_own, part.is_new = self.beside, self.is_own, self.is_new
        return part


def join(frames: list[TextFrame], limit: int) -> list[bytes]:
    """Return the frames with neighbours joined that differ in their text alone; none gets longer than `limit` bytes."""
    joined: list[bytes] = []
    at = 0
    while at < len(frames):
        end, count = _run_of(frames, at, limit)
        if end == at + 1:
            joined.append(frames[at].wire)
        else:
            raws = zip(*[frame.raws(count) for frame in frames[at:end]], strict=True)
            joined.append(frames[end - 1].with_raws(["".join(parts) for parts in raws]))
        at = end
    return joined


def _run_of(frames: list[TextFrame], at: int, limit: int) -> tuple[int, int]:
    """Return where the run ends whose frames can be joined to the one at `at`, and how many places their text has."""
    size, count, end = len(frames[at].wire), 0, at + 1
    while end < len(frames):
        found = frames[end - 1].joins(frames[end])
        if found is None or (count and found != count):
            break
        # A frame of the run is as long as any other, but for its text.
        size += sum(len(raw.encode()) for raw in frames[end].raws(found)) + 64
        if size > limit:
            break
        end, count = end + 1, found
    return end, count


class TextFinder:
    """Reads what is written as its reader would, and finds the frames that say text alone."""

    __slots__ = (
        "_before", "_dialect", "_is_lines", "_last", "_manifold", "_own", "_proofs", "_proven", "_skipped", "_varying",
    )  # fmt: skip

    def __init__(self, dialect: Dialect, format: Format) -> None:
        self._dialect = dialect
        self._is_lines = format is Format.NDJSON
        self._proven: set[str] = set()  # shapes, without their numbers
        self._proofs = 0
        self._manifold: dict[str, str] = {}  # shapes with several places: the first text, or "" after another one
        self._last: TextFrame | None = None  # the last frame that was read, if it is as most that follow
        self._before: TextFrame | None = None  # the last one of whose text the place is known
        keys = tuple(key for key in dialect.varying if key not in _TELLS_APART)
        self._varying = _values_of(keys) if keys else None
        self._skipped = keys
        own = own_keys(keys)
        self._own = _values_of(own) if own else None

    def find(self, block: bytes) -> TextFrame | None:
        """Return the frame, or None where it is anything but text. To be called with each frame, in order."""
        if len(block) > MAX_FRAME:
            return None
        try:
            wire = block.decode()
        except UnicodeDecodeError:
            return None
        frame = self._like_last(wire)
        if frame is None:
            frame = self._read(wire)
            is_like = frame is not None and len(frame.places) == 1 and self._dialect.steady
            self._last = frame if is_like else None
        return frame

    def _like_last(self, wire: str) -> TextFrame | None:
        """Return a frame that equals the last one but for plain text: a steady dialect need not read it."""
        last = self._last
        if last is None:
            return None
        before, after = last.around
        text = wire[len(before) : -len(after)]
        is_plain = text.isprintable() and '"' not in text and "\\" not in text and text
        if not is_plain or len(text) > MAX_TEXT or before + text + after != wire:
            return None
        last.is_new, last.beside = False, last.beside.beside_another(text != last.text)
        return last.with_text(text)

    def _read(self, wire: str) -> TextFrame | None:
        lines = self._lines_of(wire)
        if lines is None:
            return None
        head, data, tail = lines
        is_json = self._dialect.json_payloads
        value = prove(data) if is_json else data
        if value is FLAWED or value is UNPROVEN:
            return None
        name = (_NAME.findall(head + tail) or ["message"])[-1]
        said = _said(self._dialect.read(name, value))
        if said is None or not 0 < len(said[1]) <= MAX_TEXT:
            return None
        frame = TextFrame(head, data, tail, said[0], said[1])
        if is_json and not self._dialect.cumulative:
            self._find_places(frame, data, name)
            if frame.places:
                self._compare(frame, value, data, name)
        elif not is_json and data == said[1]:
            frame.place([(0, len(data))], 0, None)
        return frame

    def _lines_of(self, text: str) -> tuple[str, str, str] | None:
        """Return what stands before the payload, the payload, and what stands behind it."""
        if self._is_lines:
            return ("", text[:-1], "\n") if text.endswith("\n") else None
        found = _LINES.fullmatch(text)
        if found is None or found[1].count("id: ") + found[3].count("id: ") > 1:
            return None
        return found[1], found[2], found[3]

    def _find_places(self, frame: TextFrame, data: str, name: str) -> None:
        """Note where the text stands that the dialect read."""
        varying = [] if self._varying is None else [found.span() for found in self._varying.finditer(data)]
        places = [
            found.span(1)
            for found in _STRINGS.finditer(data)
            if found[2] is None
            and _decoded(found[1]) == frame.text
            and not any(start < found.start(1) <= end for start, end in varying)
        ][:_MAX_PLACES]
        for main in range(len(places)):
            if self._is_read(frame, data, name, places[main]):
                frame.place(places, main, self._varying)
                frame.is_manifold = len(places) > 1 and self._is_manifold(frame)
                return

    def _compare(self, frame: TextFrame, value: Any, data: str, name: str) -> None:
        """Note what stands beside the text, and whether it stood beside another one."""
        before, self._before = self._before, frame
        frame.is_own = frame.is_own or (self._own is not None and self._own.search(data) is not None)
        is_like = before is not None and before.shapes[0] == frame.shapes[0]
        if before is not None and is_like and len(before.places) == len(frame.places) == 1:
            frame.beside = before.beside
        else:
            frame.beside = beside(name, value, frame.text, self._skipped)
        if before is not None and is_like:
            frame.beside = frame.beside.beside_another(before.text != frame.text)
        elif before is not None and before.passage == frame.passage:
            frame.is_new = _IDS.findall(before.data) != _IDS.findall(data)

    def _is_manifold(self, frame: TextFrame) -> bool:
        """Return whether frames of this shape had another text at the same places."""
        shape = _NUMBERS.sub("0", frame.shapes[1])
        if shape not in self._manifold and len(self._manifold) < _MAX_PROOFS:
            self._manifold[shape] = frame.text
        elif self._manifold.get(shape, frame.text) != frame.text:
            self._manifold[shape] = ""  # as no text is
        return self._manifold.get(shape) == ""

    def _is_read(self, frame: TextFrame, data: str, name: str, place: tuple[int, int]) -> bool:
        """Return whether the dialect reads what stands at this place, and nothing else, as the text."""
        shape = _NUMBERS.sub("0", _cut(data, [place]))
        if shape in self._proven:
            return True
        if self._proofs >= _MAX_PROOFS:
            return False
        self._proofs += 1
        dialect = deepcopy(self._dialect)
        # Read twice, then with more text: a dialect whose text repeats all of it would read only the new part.
        for text in (_MARK, _MARK + _MARK):
            value = prove(data[: place[0]] + text + data[place[1] :])
            if value is FLAWED or _said(dialect.read(name, value)) != (frame.passage, text):
                return False
        self._proven.add(shape)
        return True


def _said(reading: Reading) -> tuple[Any, str] | None:
    """Return of whom and what a reading says text, and the text; None where it says anything else."""
    deltas = reading.deltas
    if reading.kind is not EventClass.CONTENT or len(deltas) != 1 or reading.begins or reading.failure is not None:
        return None
    delta = deltas[0]
    if delta.tools or delta.finish_reason is not None or delta.refusal or delta.parts:
        return None
    if bool(delta.text) == bool(delta.reasoning):
        return None
    return (delta.choice, delta.role, bool(delta.text)), delta.text or delta.reasoning


def _decoded(raw: str) -> str:
    if "\\" not in raw:
        return raw
    decoded: str = json.loads(f'"{raw}"')
    return decoded


def _cut(data: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in sorted(spans):
        if start >= at:
            parts.append(data[at:start])
            at = end
    return _SLOT.join([*parts, data[at:]])


def _raw_length(raw: str, count: int) -> int:
    """Return the length of the spelling of the first `count` characters."""
    at = 0
    for found in _CHARACTERS.finditer(raw):
        if not count:
            break
        at = found.end()
        count -= 1
    return at


def _splits_character(before: str, after: str) -> bool:
    """Return whether two texts hold the halves of one character: joined they are another text to some readers."""
    return "\ud800" <= before[-1] <= "\udbff" and "\udc00" <= after[0] <= "\udfff"


@cache
def _values_of(keys: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, keys))
    return re.compile(rf'"(?:{names})"[ \t]*+:[ \t]*+(?:("[^"\\]*+(?:\\.[^"\\]*+)*+")|([0-9]++)(?![0-9.eE]))')
