"""One spelling of the frames of a template: the bytes that all of them share, around slots for what differs."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain
from typing import Any, Final

from ..mending import has_separators
from .slots import SLOT, Slot

_WORTH_A_PATTERN: Final = 256
"""Frames that are taken apart one by one before a pattern is compiled for many: that costs as much as so many."""
Values = list[str]
"""What stands in the slots, escapes kept, frame after frame."""
Matcher = Callable[[bytes], Values | None]


def _matcher_of_one(begin: bytes, end: bytes, slot: Slot) -> Matcher:
    """Return the matcher for frames with one slot: cut out by length, and most values need no pattern."""
    cut, accepts = slice(len(begin), -len(end)), slot.accepts

    def match(frame: bytes) -> Values | None:
        inner = frame[cut]
        if begin + inner + end != frame:
            return None
        try:
            text = inner.decode()
        except UnicodeDecodeError:
            return None
        if text.isprintable() and '"' not in text and "\\" not in text and text:
            return [text]
        return [text] if accepts(text) and not has_separators(text) else None

    return match


def _matcher_of_several(pieces: list[bytes], slots: tuple[Slot, ...], text_at: int) -> Matcher:
    r"""Return the matcher for frames with several slots.

    A value may contain a fixed piece: where `",` follows the text, the text `a\",b` is cut after `a\`. That may not
    stand in a string, so the frame is left to the reader. Wherever a frame is cut: if every value may stand in its
    slot, the frame is one of the template's, since what it means does not depend on the cut.
    """
    begin, end = pieces[0], pieces[-1]
    cut = slice(len(begin), -len(end))
    middles = [piece.decode() for piece in pieces[1:-1]]
    twins = [at for at, slot in enumerate(slots) if slot.repeats_text]
    judges = [slot.accepts for slot in slots]
    strict = [(at, slot.accepts) for at, slot in enumerate(slots) if not slot.takes_any_plain]
    filled = [at for at, slot in enumerate(slots) if not slot.may_be_empty]

    def match(frame: bytes) -> Values | None:
        inner = frame[cut]
        if begin + inner + end != frame:
            return None
        try:
            text = inner.decode()
        except UnicodeDecodeError:
            return None
        values = []
        for middle in middles:
            value, found, text = text.partition(middle)
            if not found:
                return None
            values.append(value)
        values.append(text)
        for at in twins:
            if values[at] != values[text_at]:
                return None
        whole = "".join(values)
        if whole.isprintable() and '"' not in whole and "\\" not in whole:
            for at, accepts in strict:
                if not accepts(values[at]):
                    return None
            if "" in values:
                for at in filled:
                    if not values[at]:
                        return None
            return values
        for accepts, value in zip(judges, values, strict=True):
            if not accepts(value):
                return None
        return None if has_separators(whole) else values

    return match


class Spelling:
    r"""`frame` is the text of a frame with `\0` for each slot; the slot at `text_at` holds the text."""

    __slots__ = ("_find", "_format", "_frame_end", "_seen", "_slots", "_text_at", "begin", "end", "match", "pieces")

    def __init__(self, frame: str, slots: tuple[Slot, ...], text_at: int) -> None:
        self.pieces = frame.encode().split(SLOT.encode())
        self.begin = self.pieces[0]
        self.end = self.pieces[-1]
        one = len(slots) == 1
        self.match: Matcher = (
            _matcher_of_one(self.begin, self.end, slots[0]) if one else _matcher_of_several(self.pieces, slots, text_at)
        )
        """Returns what stands in the slots of one frame, or None for a frame that is not of this spelling."""
        self._slots = slots
        self._text_at = text_at
        line_end = b"\r\n" if frame.endswith("\r\n") else b"\n"
        self._frame_end = line_end * 2 if self.end.endswith(line_end * 2) else line_end
        self._format: bytes | None = None
        self._find: Any = None
        self._seen = 0

    def match_all(self, frames: bytes) -> Values | None:
        """Return what stands in the slots of whole frames; None where any of them is not of this spelling."""
        if not frames.startswith(self.begin) or not frames.endswith(self.end):
            return None
        if frames.find(self._frame_end) == len(frames) - len(self._frame_end):
            return self.match(frames)
        if self._find is None and not self._is_worth_a_pattern(frames):
            return self._match_one_by_one(frames)
        return self._match_at_once(frames)

    def _is_worth_a_pattern(self, frames: bytes) -> bool:
        self._seen += frames.count(self._frame_end)
        if self._seen < _WORTH_A_PATTERN:
            return False
        # The fixed pieces are skipped by their length, and compared all at once: half of what a split costs. The
        # pattern matches anything, so that no start is tried twice; what it found is proven by the comparison.
        pieces = zip(self._slots, self.pieces[1:], strict=True)
        rest = [b"(%b).{0,%d}" % (slot.pattern, len(piece)) for slot, piece in pieces]
        self._find = re.compile(b"(?s).{1,%d}" % len(self.begin) + b"".join(rest)).findall
        return True

    def _match_one_by_one(self, frames: bytes) -> Values | None:
        values: Values = []
        end, match = self._frame_end, self.match
        pieces = frames.split(end)
        if pieces.pop():
            return None
        for piece in pieces:
            found = match(piece + end)
            if found is None:
                return None
            values += found
        return values

    def _match_at_once(self, frames: bytes) -> Values | None:
        found = self._find(frames)
        width = len(self._slots)
        values: list[bytes] = found if width == 1 else [*chain.from_iterable(found)]
        if self._write(len(found), values) != frames or not self._may_stand(values):
            return None
        try:
            text = b"\n".join(values).decode()
        except UnicodeDecodeError:
            return None
        return None if has_separators(text) else text.split("\n")

    def _may_stand(self, values: list[bytes]) -> bool:
        """Return whether what the patterns alone do not say holds: no empty value, no twin that differs."""
        width = len(self._slots)
        has_empty = b"" in values
        for at, slot in enumerate(self._slots):
            if has_empty and not slot.may_be_empty and b"" in values[at::width]:
                return False
            if slot.repeats_text and values[at::width] != values[self._text_at :: width]:
                return False
        return True

    def _write(self, count: int, values: list[bytes]) -> bytes:
        if self._format is None:
            self._format = b"%b".join([piece.replace(b"%", b"%%") for piece in self.pieces])
        return self._format * count % tuple(values)

    def write(self, values: Values) -> bytes:
        """Return the frames with these values."""
        return self._write(len(values) // len(self._slots), [value.encode() for value in values])

    def resembles(self, frame: bytes) -> bool:
        """Return whether all fixed pieces stand in this frame; that is not a proof."""
        ends = frame.startswith(self.begin) and frame.endswith(self.end)
        return ends and all(piece in frame for piece in self.pieces)
