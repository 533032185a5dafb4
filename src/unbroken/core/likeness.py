"""Payloads proven by likeness: what equals a proven one around its text is proven too, and means the same.

The tokens of an answer come in payloads that differ in one string. Once such a payload was proven and read, the next
one needs neither a parser nor its dialect: measured, 1 µs instead of 8 for a payload of 256 bytes. Law 1 holds this
path to the slow one: whatever is not exactly alike takes that.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import replace
from typing import Final

from .dialect import Dialect, EventClass, Reading
from .events import Event
from .proof import FLAWED, prove

MAX_ATTEMPTS: Final = 64
"""How often a stream is searched for a likeness in vain before it is left at that."""
MAX_LENGTH: Final = 8192
_MARK: Final = "\ufdd0likeness\ufdd1"  # noncharacters, which no provider sends
# RFC 8259, clause 7: what may stand between the quotes. Possessive, so that nothing is tried twice.
_INSIDE_BYTES: Final = re.compile(rb'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+')
_INSIDE: Final = re.compile(r'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+')


def _has_separators(text: str) -> bool:
    """Tell whether something is to be escaped; three searches are faster than one pattern, by far."""
    return not text.isascii() and ("\u2028" in text or "\u2029" in text or "\x85" in text)


class Likeness:
    """One proven payload with its text left out: what stands before it, behind it, and what such payloads mean.

    `begin` and `end` are how a frame of such a payload begins, up to the text, and ends.
    """

    __slots__ = ("begin", "begin_bytes", "end", "end_bytes", "field", "name", "prefix", "reading", "suffix")

    def __init__(self, prefix: str, suffix: str, name: str, reading: Reading) -> None:
        self.field = "text" if reading.deltas[0].text else "reasoning"
        self.prefix = prefix
        self.suffix = suffix
        self.name = name
        self.reading = reading
        self.begin = (f"event: {name}\n" if name != "message" else "") + f"data: {prefix}"
        self.end = suffix + "\n\n"
        self.begin_bytes = self.begin.encode()
        self.end_bytes = self.end.encode()

    def text_of_frame(self, frame: bytes) -> str | None:
        """Give the raw text of one canonical frame that is alike, or None."""
        if not frame.startswith(self.begin_bytes) or not frame.endswith(self.end_bytes):
            return None
        start, end = len(self.begin_bytes), len(frame) - len(self.end_bytes)
        if start >= end or not _INSIDE_BYTES.fullmatch(frame, start, end):
            return None
        try:
            raw = frame[start:end].decode()
        except UnicodeDecodeError:
            return None
        return None if _has_separators(raw) else raw

    def text_in(self, payload: str) -> str | None:
        """Give the raw text (escapes kept) of a payload that is alike, or None."""
        prefix, suffix = self.prefix, self.suffix
        if not payload.startswith(prefix) or not payload.endswith(suffix) or _has_separators(payload):
            return None
        raw = payload[len(prefix) : len(payload) - len(suffix)]
        if not raw or len(payload) <= len(prefix) + len(suffix) or not _INSIDE.fullmatch(raw):
            return None
        return raw

    def texts_in(self, frames: str) -> list[str] | None:
        """Give the raw texts of canonical frames (`data: ...` and a blank line) that are all alike, or None."""
        begin, end = self.begin, self.end
        if not frames.startswith(begin) or not frames.endswith(end) or _has_separators(frames):
            return None
        # Cut by length and put together again: three times as fast as to split at what stands between two texts.
        head, tail = len(begin), 2 - len(end)
        raws = [frame[head:tail] for frame in frames[:-2].split("\n\n")]
        if "" in raws or begin + (end + begin).join(raws) + end != frames:
            return None
        # Joined by a letter that completes no escape, all of them are checked in one call.
        return raws if _INSIDE.fullmatch("x".join(raws)) else None

    @property
    def choice(self) -> int:
        """The choice that all these texts belong to."""
        return self.reading.deltas[0].choice

    def read(self, raws: list[str]) -> list[str]:
        """Give the texts behind their escapes."""
        return [json.loads(f'"{raw}"') if "\\" in raw else raw for raw in raws]

    def readings(self, raws: list[str]) -> list[Reading]:
        """Give what a dialect would have read."""
        return [self.with_text(text) for text in self.read(raws)]

    def with_text(self, text: str) -> Reading:
        """Say what a payload of this likeness with this text means."""
        return replace(self.reading, deltas=(replace(self.reading.deltas[0], **{self.field: text}),))  # type: ignore[arg-type]

    def events(self, raws: list[str], id: str) -> list[Event]:
        """Give the events that these texts came in."""
        prefix, suffix, name = self.prefix, self.suffix, self.name
        return [Event(prefix + raw + suffix, name, id) for raw in raws]


class LikenessFinder:
    """Looks for a likeness between one payload of content and the next."""

    def __init__(self) -> None:
        self._previous = ""
        self._found: Likeness | None = None
        self._failed = 0

    def look(self, dialect: Dialect, event: Event, reading: Reading) -> Likeness | None:
        """Compare this payload with the last one that was shown; give their likeness if it holds."""
        # A longer payload is not kept: what is retained has its bound.
        previous, self._previous = self._previous, event.data if len(event.data) <= MAX_LENGTH else ""
        if self._failed >= MAX_ATTEMPTS or not dialect.steady or not _is_plain(reading):
            return None
        found = self._found
        if found is not None and found.name == event.event and found.text_in(event.data) is not None:
            # Seen before, with something else between; what it means may have changed since.
            return found if found.with_text(getattr(reading.deltas[0], found.field)) == reading else None
        candidate = _compare(previous, event, reading)
        if candidate is None:
            return None
        if not _holds(dialect, candidate):
            self._failed += 1
            return None
        self._found = candidate
        return candidate


def _compare(previous: str, event: Event, reading: Reading) -> Likeness | None:
    """Cut the text out of a payload, where the payload before it was the same around its own text."""
    delta = reading.deltas[0]
    before, quoted, behind = event.data.partition(f'"{delta.text or delta.reasoning}"')
    prefix, suffix = before + '"', '"' + behind
    if not quoted or not previous.startswith(prefix) or not previous.endswith(suffix):
        return None
    return Likeness(prefix, suffix, event.event, reading)


def _is_plain(reading: Reading) -> bool:
    """Tell whether text, or reasoning, of one choice is all that was said."""
    if reading.kind is not EventClass.CONTENT or len(reading.deltas) != 1 or reading.begins:
        return False
    delta = reading.deltas[0]
    if bool(delta.text) is bool(delta.reasoning) or reading.usage is not None or reading.failure is not None:
        return False
    return replace(delta, choice=0, role=None, text="", reasoning="") == type(delta)()


def _holds(dialect: Dialect, likeness: Likeness) -> bool:
    """Read the payload with a mark for its text: nothing but the text may change."""
    payload = likeness.prefix + _MARK + likeness.suffix
    value = prove(payload)
    if value is FLAWED or len(payload) > MAX_LENGTH or any(mark in payload for mark in dialect.exact_marks):
        return False
    return deepcopy(dialect).read(likeness.name, value) == likeness.with_text(_MARK)
