"""What a reader is to be given at once, how long that may wait, and how often: the option `pace`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..quantities import check_seconds, shown

Split = Callable[[str], int]
"""Takes text that follows the last unit; returns how many of its characters are the next one, or 0: it is not whole."""

# Chinese and Japanese are written without blanks: each character, and what stands between two of them, is a word.
_CJK: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
UNITS: Final = {
    "words": rf"\s*+(?:[{_CJK}]|[^\s{_CJK}]++(?:\s++|(?=[{_CJK}])))",
    "lines": r"[^\n]*+\n",
    "sentences": (
        r"""(?:[^.!?…。！？\n]|[.!?…](?!["'”’)\]]*+\s))*+"""  # no end: a full stop inside of a number or a name
        r"""(?:\n|[.!?…]["'”’)\]]*+\s|[。！？][”’」』）]*+)"""
    ),
}
"""Pattern of one unit, by name. Possessive, so that nothing is tried twice."""
MAX_RATE: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How text leaves: `repair(chunks, pace=Pace("sentences", max_delay=2.0, rate=10.0))`.

    `by`: "words", "lines" or "sentences", which are whole once what ends them has come (blanks, a line end, a full stop
    and a blank; in Chinese and Japanese each character is a word); or a function that takes the text behind the last
    unit, at most 8,192 characters, and returns how many characters of it are the next unit, 0 where none is whole.
    `max_delay`: seconds that no text is held longer than, whole or not. `rate`: how many times a second text is
    written at most, so that what came at once is spread over `max_delay`; None: as soon as a unit is whole.

    Raises `TypeError` or `ValueError` for a wrong argument. What the function raises ends a stream of `repair` by one
    error frame, code `application-error`, and is logged; from `StreamRepairer` and `Pacer` it passes through.
    """

    by: str | Split = "words"
    max_delay: float = 1.0
    rate: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.by, str):
            if self.by not in UNITS:
                known = ", ".join(map(repr, UNITS))
                raise ValueError(f"pace={shown(self.by)} is not known; use {known}, or a function (str) -> int")
        elif isinstance(self.by, type):
            raise TypeError(f'pace={self.by.__name__} is a class; write pace=Pace("words"), or pace="words"')
        elif not callable(self.by):
            raise TypeError(f"pace must be a name, a function (str) -> int or a Pace, not {type(self.by).__name__}")
        check_seconds("Pace(max_delay=...)", self.max_delay)
        if self.rate is not None:
            _check_rate(self.rate)

    def ends(self, text: str, start: int) -> list[int]:
        """Return where the whole units end that begin at `start`, in order."""
        found, next_end = [], self._pattern() if isinstance(self.by, str) else self._ask
        while start < len(text) and (end := next_end(text, start)) > start:
            start = end
            found.append(end)
        return found

    def _pattern(self) -> Callable[[str, int], int]:
        match = re.compile(UNITS[str(self.by)]).match
        return lambda text, start: found.end() if (found := match(text, start)) else start

    def _ask(self, text: str, start: int) -> int:
        assert not isinstance(self.by, str)
        return min(start + max(counted(self.by(text[start:])), 0), len(text))


def counted(count: Any) -> int:
    """Return what the function of `pace=` returned. Raises `TypeError` if that is no number of characters."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"the function of pace= must return a number of characters, not {shown(count)}")
    return count


def as_pace(value: Any) -> Pace:
    """Return the pace that a caller asked for. Raises `TypeError` or `ValueError`."""
    return value if isinstance(value, Pace) else Pace(value)


def _check_rate(rate: Any) -> None:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        raise TypeError(f"Pace(rate=...) takes a number of writes a second, not {shown(rate)}; None sets no limit")
    if not 0.01 <= rate <= MAX_RATE:
        raise ValueError(f"Pace(rate=...) must be from 0.01 to {MAX_RATE:g} writes a second, not {shown(rate)}")
