"""Parts of an answer that a provider sends in pieces, and repeats whole at their end: which of them are known."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from ..core.dialect import Part

_MAX_TRACKED: Final = 1024


class Parts:
    """The parts of one stream. What is told whole again, of a part that is not the current one, was said before.

    Keys are short: they are kept, at most 1,024 of them.
    """

    __slots__ = ("_current", "_told")

    def __init__(self) -> None:
        self._current: dict[str, Hashable] = {}  # by field
        self._told: dict[Hashable, bool] = {}  # whether a part was told whole, or cannot be any more

    def __deepcopy__(self, memo: object) -> Parts:
        """Return a copy whose state is its own; keys do not change. Made of each template that is tried."""
        twin = Parts()
        twin._current, twin._told = self._current.copy(), self._told.copy()
        return twin

    def __bool__(self) -> bool:
        return bool(self._told)

    def has(self, prefix: Hashable) -> bool:
        """Return whether a part is known whose key begins so."""
        return any(isinstance(key, tuple) and key[:2] == prefix for key in self._told)

    def has_any(self, letter: str) -> bool:
        """Return whether a part is known whose key begins with this letter."""
        return any(isinstance(key, tuple) and key[0] == letter for key in self._told)

    def begin(self, field: str, key: Hashable) -> tuple[Part, ...]:
        """Return what says that the pieces that follow are of this part, if anything is to be said."""
        current = self._current.get(field)
        if current == key:
            return ()
        is_first = field not in self._current
        self._current[field] = key
        if len(self._told) < _MAX_TRACKED or key in self._told:
            self._told[key] = key in self._told  # of a part that goes on after another one the beginning is lost
        return () if is_first else (Part(field),)

    def whole(self, field: str, key: Hashable, text: str) -> tuple[Part, ...]:
        """Return what says that this is all of a part; nothing where it was said before, or cannot be known."""
        if not text:
            return ()
        current = self._current.get(field)
        if current == key:
            already = self._told.get(key)
            self._told[key] = True
            return () if already else (Part(field, text),)
        if key in self._told or len(self._told) >= _MAX_TRACKED:
            return ()
        waits = field in self._current and not self._told.get(current, True)
        is_first = field not in self._current
        self._current[field] = key
        self._told[key] = True
        if waits:  # some servers number a part otherwise at its end
            self._told[current] = True
            return (Part(field, text, fresh=True),)
        return (Part(field, text),) if is_first else (Part(field), Part(field, text))
