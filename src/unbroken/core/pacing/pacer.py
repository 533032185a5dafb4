"""Holds text back until there is a word, a line or a sentence of it; `now` in, frames out."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterator
from typing import Final

from ..dialect import Dialect
from ..events import Format
from ..options import check_options
from .pace import Pace, Split, as_pace
from .text_frame import MAX_FRAME, MAX_TEXT, TextFinder, TextFrame, join

MAX_UNIT: Final = 1024
"""Characters of a unit that is not whole yet, from which on it leaves all the same."""
_BETWEEN: Final = re.compile(rb"(?:\n|:[^\n]*\n)+")  # blank lines and comments, which stand before an event or alone


class Pacer:
    """Frames in, as `StreamRepairer` returns them, and frames out at the pace of a reader. No I/O, and no clock.

    Text and reasoning are held, `pace.max_delay` seconds at most, and leave joined. Any other frame (a tool call, a
    finish, an error, a comment, text of another choice) leaves at once, and all that was held leaves before it. Two
    frames are joined if they differ in their text alone, or also in what the dialect says has no meaning, such as a
    sequence number; the other keys, and the id, are those of the last one. A frame with text of several units is split
    where it has no id and no number of its own. Frames that say beside their text what clients append, such as
    citations, and text that may be all that was said so far, are neither joined nor split. What else is held leaves as
    it came.

    `dialect` may be set, or set anew, while the stream runs; while it is None nothing is held. `format`: "sse" or
    "ndjson"; of any other nothing is held. `now` is any monotonic clock's time in seconds. At most 65,536 bytes of
    frames with 8,192 characters of text are held; beyond that they leave.

    Raises `TypeError` or `ValueError` for a wrong argument.
    """

    __slots__ = (
        "_dialect", "_ends", "_finder", "_format", "_frames", "_gone", "_limit", "_next_at", "_pace", "_scanned",
        "_size", "_text",
    )  # fmt: skip

    def __init__(
        self,
        pace: Pace | str | Split = "words",
        *,
        dialect: Dialect | str | None = None,
        format: Format | str | None = Format.SSE,
        max_event_bytes: int = MAX_FRAME,
    ) -> None:
        options = check_options(dialect=dialect, format=format, max_event_bytes=max_event_bytes)
        self._pace = as_pace(pace)
        self._limit = max_event_bytes
        self._frames: deque[TextFrame] = deque()
        self._text = ""  # of the frames
        self._gone = 0  # characters that have left
        self._ends: list[int] = []  # where text may leave: the ends of whole units
        self._scanned = 0  # where the unit begins that is not whole yet
        self._size = 0  # of the frames
        self._next_at = -math.inf  # when text may leave again
        self._finder: TextFinder | None = None
        self._format = options.format
        self._dialect = options.dialect
        self._choose_finder()

    @property
    def dialect(self) -> Dialect | None:
        """What the payloads mean; an object of its own, to which each frame is shown once, in order."""
        return self._dialect

    @dialect.setter
    def dialect(self, dialect: Dialect | None) -> None:
        self._dialect = dialect
        self._choose_finder()

    @property
    def format(self) -> Format | None:
        """The framing of the frames."""
        return self._format

    @format.setter
    def format(self, format: Format | None) -> None:
        if format is not self._format:
            self._format = format
            self._choose_finder()

    def _choose_finder(self) -> None:
        dialect, format = self._dialect, self._format
        readable = dialect is not None and format in (Format.SSE, Format.NDJSON)
        self._finder = TextFinder(dialect, format) if readable and dialect and format else None

    @property
    def is_holding(self) -> bool:
        """Whether anything is held."""
        return bool(self._frames)

    def feed(self, frames: bytes, now: float) -> list[bytes]:
        """Take whole frames, and return those that may leave now."""
        if self._finder is None:
            return [*self.flush(), frames]
        left: list[bytes] = []
        for block in self._blocks(frames):
            frame = self._finder.find(block)
            if frame is None:
                left += [*self.flush(), block]
            else:
                left += self._hold(frame, now)
        return left + self.on_deadline(now)

    def flush(self) -> list[bytes]:
        """Return all that is held: the stream ends, or something leaves that text may not follow."""
        return self._cut(len(self._text)) if self._frames else []

    def next_deadline(self) -> float | None:
        """Return when something must leave, or may; None where nothing is held."""
        if not self._frames:
            return None
        return min(self._frames[0].due, self._next_at) if self._ends else self._frames[0].due

    def on_deadline(self, now: float) -> list[bytes]:
        """Return what may leave now."""
        if not self._frames:
            return []
        count = 0
        if self._ends and now >= self._next_at:
            count = self._ends[self._units_for(now) - 1]
        count = max(count, self._overdue(now))
        if not count:
            return []
        gap = self._gap
        # A timer that is a little late does not make the rate lower.
        self._next_at = (now if now - self._next_at > gap else self._next_at) + gap
        return self._cut(count)

    def _overdue(self, now: float) -> int:
        """Return how many characters must leave: of what is overdue all of its unit, and what there is of the last one.

        Or a unit that takes longer than the bound would leave token by token, each of them late.
        """
        if self._frames[0].due > now:
            return 0
        last = next((frame.start - self._gone for frame in self._frames if frame.due > now), len(self._text))
        return next((end for end in self._ends if end >= last), len(self._text))

    @property
    def _gap(self) -> float:
        return 0.0 if self._pace.rate is None else 1.0 / self._pace.rate

    def _units_for(self, now: float) -> int:
        """Return how many units leave together, so that the last of them leaves in time."""
        units, gap = len(self._ends), self._gap
        if not gap:
            return units
        writes = max(1, math.floor((self._frames[-1].due - now) / gap))
        return math.ceil(units / writes)

    def _blocks(self, frames: bytes) -> Iterator[bytes]:
        """Yield frame by frame; what is not whole is a frame like any other, which leaves as it is."""
        if self._format is Format.NDJSON:
            yield from frames.splitlines(keepends=True)
            return
        at = 0
        while at < len(frames):
            between = _BETWEEN.match(frames, at)
            if between is not None:
                end = between.end()
            else:
                found = frames.find(b"\n\n", at)
                end = len(frames) if found < 0 else found + 2
            yield frames[at:end]
            at = end

    def _hold(self, frame: TextFrame, now: float) -> list[bytes]:
        """Hold one frame; return what must leave for it."""
        held = self._frames
        too_much = self._size + frame.size > MAX_FRAME or len(self._text) + len(frame.text) > MAX_TEXT
        left = self.flush() if held and (too_much or held[-1].passage != frame.passage) else []
        frame.due = now + self._pace.max_delay
        frame.start = self._gone + len(self._text)
        held.append(frame)
        self._size += frame.size
        self._text += frame.text
        for end in self._pace.ends(self._text, self._scanned):
            self._note_end(end)
            self._scanned = end
        if len(self._text) - max([0, *self._ends[-1:]]) > MAX_UNIT:
            self._ends.append(len(self._text))
            self._scanned = len(self._text)
        return left

    def _note_end(self, end: int) -> None:
        """Note where a unit ends, unless that is in the middle of a frame that cannot be split."""
        frame = next(frame for frame in reversed(self._frames) if frame.start - self._gone < end)
        start = frame.start - self._gone
        if not frame.is_divisible and end < start + len(frame.text):
            if self._text[start:end].strip():
                return
            end = start  # only blanks follow: the word was whole with the frame before
        if end > (self._ends[-1] if self._ends else 0):
            self._ends.append(end)

    def _cut(self, count: int) -> list[bytes]:
        """Return the frames of so many characters, and hold the others."""
        leaving: list[TextFrame] = []
        left = count
        while left and self._frames:
            frame = self._frames.popleft()
            self._size -= frame.size
            if len(frame.text) > left:
                frame, rest = frame.split(left)
                self._frames.appendleft(rest)
                self._size += rest.size
            leaving.append(frame)
            left -= len(frame.text)
        self._gone += count
        self._text = self._text[count:]
        self._scanned = max(0, self._scanned - count)
        self._ends = [end - count for end in self._ends if end > count]
        return join(leaving, self._limit)

    def clear(self) -> None:
        """Forget what is held: nobody reads it any more."""
        self._frames.clear()
        self._ends.clear()
        self._text, self._size, self._scanned = "", 0, 0
