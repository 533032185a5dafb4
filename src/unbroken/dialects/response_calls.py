"""The tool calls of a Responses stream: which event is of which call, also where their numbers do not agree."""

from __future__ import annotations

from collections.abc import Hashable
from copy import copy
from typing import Any, Final

from .shapes import as_label, as_whole

_MAX_TRACKED: Final = 1024


class _Known:
    """One call: its key, what tells it from others, and whether all of it was told."""

    __slots__ = ("done", "key", "mark", "name")

    def __init__(self, key: Hashable, mark: int | None, name: int | None) -> None:
        self.key = key
        self.mark = mark
        self.name = name
        self.done = False


class ResponseCalls:
    """Gives each event the key of its call: by the place in the output, else by an id, else the one that is open."""

    __slots__ = ("_at", "_by_id", "_last", "_made")

    def __init__(self) -> None:
        self._at: dict[Hashable, _Known] = {}
        self._by_id: dict[int, _Known] = {}  # hashes: an id itself may be long
        self._last: _Known | None = None
        self._made: list[_Known] = []

    def __deepcopy__(self, memo: object) -> ResponseCalls:
        """Return a copy whose state is its own. Made of each template that is tried."""
        twin = ResponseCalls()
        if self._made:
            twins = {known: copy(known) for known in (*self._made, *self._at.values(), *self._by_id.values())}
            twin._at = {place: twins[known] for place, known in self._at.items()}
            twin._by_id = {mark: twins[known] for mark, known in self._by_id.items()}
            twin._made = [twins[known] for known in self._made]
            twin._last = twins[self._last] if self._last is not None else None
        return twin

    def __bool__(self) -> bool:
        return bool(self._made)

    def item(self, payload: dict[str, Any], item: dict[str, Any], *, done: bool) -> Hashable:
        """Return the key of the call that an item begins or ends."""
        place = place_of(payload)
        own, call_id = as_label(item.get("id")), as_label(item.get("call_id"))
        marks = [hash(id) for id in (call_id, own) if id]
        mark, name = (marks[0] if marks else None), as_label(item.get("name"))
        known = self._at.get(place)
        if known is None or _is_another(known, mark, hash(name) if name else None, done=done):
            elsewhere = self._by_id.get(mark) if mark is not None else None
            known = self._add(place, mark, name) if elsewhere in (None, known) else elsewhere
        assert known is not None
        known.mark, known.done = known.mark if mark is None else mark, known.done or done
        known.name = known.name or (hash(name) if name else None)
        if len(self._by_id) < 2 * _MAX_TRACKED:
            self._by_id.update(dict.fromkeys(marks, known))
        return known.key

    def piece(self, payload: dict[str, Any], *, done: bool) -> Hashable:
        """Return the key of the call that arguments belong to."""
        place = place_of(payload)
        known = self._at.get(place)
        if known is None:
            id = as_label(payload.get("item_id"))
            known = self._by_id.get(hash(id)) if id else None
            if known is None:
                waiting = [call for call in self._made if not call.done]
                known = waiting[0] if len(waiting) == 1 and waiting[0] is self._last else None
            if known is None:
                known = self._add(place, None, None)
            elif len(self._at) < _MAX_TRACKED:
                self._at[place] = known
        known.done = known.done or done
        return known.key

    def _add(self, place: Hashable, mark: int | None, name: str | None) -> _Known:
        count = len(self._made)
        known = _Known((place, count) if place in self._at else place, mark, hash(name) if name else None)
        if count < _MAX_TRACKED:
            self._at[place] = self._last = known
            self._made.append(known)
        return known


# What comes before an answer, and is none.
_BEFORE: Final = frozenset(
    (
        *("reasoning", "web_search_call", "file_search_call", "code_interpreter_call", "mcp_call", "mcp_list_tools"),
        *("local_shell_call_output", "compaction"),
    )
)


class ResponseItems:
    """Which items of the output have begun, and which are completed."""

    __slots__ = ("_done", "_last", "_overflowed")

    def __init__(self) -> None:
        self._done: dict[Hashable, bool] = {}
        self._last: str | None = None  # the type of the item that was completed last
        self._overflowed = False

    def __deepcopy__(self, memo: object) -> ResponseItems:
        """Return a copy whose state is its own. Made of each template that is tried."""
        twin = ResponseItems()
        twin._done, twin._last, twin._overflowed = self._done.copy(), self._last, self._overflowed
        return twin

    def begin(self, place: Hashable) -> None:
        """Note that an item is under way."""
        if len(self._done) < _MAX_TRACKED or place in self._done:
            self._done[place] = False
        else:
            self._overflowed = True

    def end(self, place: Hashable, item: dict[str, Any]) -> None:
        """Note that all of an item was told; its status says whether it is whole."""
        self.begin(place)
        self._last = as_label(item.get("type"))
        if place in self._done:
            self._done[place] = item.get("status") in ("completed", None)

    def are_whole(self) -> bool:
        """Return whether every item is completed, and the last one is an answer or a call for the client."""
        return bool(self._done) and not self._overflowed and all(self._done.values()) and self._last not in _BEFORE


def _is_another(known: _Known, mark: int | None, name: int | None, *, done: bool) -> bool:
    """Return whether an item at the place of a known call is another one: by its id, or its name where ids lack."""
    if known.mark is not None and mark is not None and known.mark != mark:
        return True
    if known.name is not None and name is not None and known.name != name:
        return True
    return known.done and not done and known.name is not None and None in (known.mark, mark)


def place_of(payload: dict[str, Any]) -> Hashable:
    """Return where in the output an event belongs: some servers send another item id in each event, others none."""
    index = as_whole(payload.get("output_index"))
    return index if index is not None else hash(as_label(payload.get("item_id")))
