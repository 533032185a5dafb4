"""Which index each piece of a tool call should have had: most clients put the pieces together by it alone.

Some servers give several calls one index, or none, or begin a call at one index and go on at another. An index that no
piece had before is a call of its own, whose id and name may come later, and what the indexes say is left alone until it
cannot be: a call whose arguments are closed takes no more of them, so that another id or name begins another call; an
id belongs to the call that it began; and arguments that do not begin with a brace, at an index where nothing began,
belong to the one call that still waits for some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from .calls import MAX_CALLS
from .dialect import CallPiece, Delta, Dialect, Reading, ToolFragment
from .edits import Path, with_indexes
from .events import Event
from .frames import exchanged
from .options import Options
from .proof import MAX_PROOF, UNPROVEN, prove
from .registry import recognise
from .repairs import RepairKind
from .state import Mode, State

if TYPE_CHECKING:
    from typing import Protocol

    class Gate(Protocol):
        """What is asked, and told, of the state of the stream."""

        options: Options
        dialect: Dialect | None
        state: State
        tool_index: ToolIndex | None

        def allows(self, kind: RepairKind) -> bool:
            """Return whether this kind of repair may be tried now."""

        def repair(self, kind: RepairKind, start: int, end: int) -> None:
            """Record one repair of the input."""


_TOKENS: Final = re.compile(r'\\.|["{}\[\]]')
_VALUE: Final = '"{[-0123456789tfn'
_AFTER: Final = {"{": '"}', "[": _VALUE + "]", ":": _VALUE, ",": _VALUE, **dict.fromkeys('"}]', ":,]}")}
"""What may follow outside a string, by what stands before it."""
_LONGEST_MEMBER: Final = len('"index":-9007199254740991,')


class _Arguments:
    """What tells whether more may follow the arguments of a call, and which ones, without keeping them."""

    __slots__ = ("_begin", "_depth", "_end", "_half", "_holds_place", "_in_text", "_is_over", "_length", "_sum")

    def __init__(self) -> None:
        self._begin = ""  # the first character that is no blank
        self._end = ""  # the last one
        self._half = ""  # a backslash that waits for what it escapes
        self._depth = self._length = self._sum = 0
        self._holds_place = False  # the first piece brought an empty object, which another one may replace
        self._in_text = False
        self._is_over = False  # more followed than one object

    @property
    def is_empty(self) -> bool:
        """Whether none have come."""
        return not self._length

    @property
    def is_open(self) -> bool:
        """Whether an object was opened, and what follows must be a part of it."""
        return self._begin == "{" and not (self.is_closed or self._is_over)

    @property
    def is_closed(self) -> bool:
        """Whether one object was opened and closed: nothing that follows could be a part of it."""
        return self._begin == "{" and not (self._depth or self._in_text or self._half or self._is_over)

    def fits(self, text: str) -> bool:
        """Return whether JSON may go on like this; False: surely not."""
        first = text.lstrip()[:1]
        return self._in_text or bool(self._half) or first in _AFTER.get(self._end, first)

    def equals(self, text: str) -> bool:
        """Return whether this is all that has come."""
        return len(text) == self._length and _sum_of(text) == self._sum

    def add(self, text: str, *, opens: bool) -> None:
        """Take more of them; `opens`: they come with the name of the call."""
        if self.is_closed and text.strip():
            self._is_over = not (self._holds_place and text.lstrip().startswith("{"))
            self._holds_place = False
        self._holds_place = self._holds_place or (self.is_empty and opens and text == "{}")
        self._begin = self._begin or text.lstrip()[:1]
        self._end = text.rstrip()[-1:] or self._end
        self._length += len(text)
        self._sum = _sum_of(text, self._sum)
        text = self._half + text
        self._half = "\\" if (len(text) - len(text.rstrip("\\"))) % 2 else ""
        for token in _TOKENS.finditer(text):
            if token[0] == '"':
                self._in_text = not self._in_text
            elif not self._in_text:
                self._depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
                if self._depth == 0 and text[token.end() :].strip():
                    self._is_over = True
                    return


class _Call:
    """One call: what tells it from others, and what is known of its arguments."""

    __slots__ = ("arguments", "drifts", "id", "index", "kind", "name", "place")

    def __init__(self, index: int, place: int | None, kind: str) -> None:
        self.index = index
        self.place = place  # upstream's index
        self.kind = kind
        self.id: int | None = None  # hashes, since ids and names may be long
        self.name: int | None = None
        self.drifts = False  # arguments of it came at an index at which no others can begin with them
        self.arguments = _Arguments()

    @property
    def is_closed(self) -> bool:
        """Whether nothing that follows could be a part of its arguments; free text may always go on."""
        return self.kind == "function" and self.arguments.is_closed

    def add(self, fragment: ToolFragment) -> None:
        """Take what a piece says."""
        self.id = self.id or (hash(fragment.id) if fragment.id else None)
        if fragment.kind != "function":
            self.kind = fragment.kind
        if fragment.name and self.arguments.is_empty:
            self.name = hash(fragment.name) if self.name in (None, hash(fragment.name)) else 0  # in pieces
        self.arguments.add(fragment.arguments, opens=bool(fragment.name))


def _sum_of(text: str, before: int = 0) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"), before)


class _Choice:
    """The calls of one choice, and the places at which upstream goes on with them.

    Read once more, what is written shows the same calls, at the indexes that are written: what is decided here hangs on
    the call that a piece is given to, and on nothing that only upstream's own indexes said.
    """

    __slots__ = ("_at", "_by_id", "_is_unclear", "_last", "_next", "_taken", "_waiting", "finished")

    def __init__(self) -> None:
        self.finished = False
        self._is_unclear = False
        self._at: dict[int, _Call] = {}  # by upstream's index
        self._by_id: dict[int, _Call] = {}
        self._taken: dict[int, _Call] = {}  # by the index that is written
        self._last: _Call | None = None
        self._next = 0  # the first index behind all that were written
        self._waiting = 0  # calls whose arguments are not closed

    def find(self, index: int | None, fragment: ToolFragment) -> _Call | None:
        """Return the call of a piece, which it may begin; None: the piece is left as it is."""
        if self._is_unclear:
            return None if index is None else self._at.get(index)
        owner = self._by_id.get(hash(fragment.id)) if fragment.id else None
        current = self._last if index is None else self._at.get(index) or self._find_written(index, fragment, owner)
        if owner is not None and current is not None and owner is not current:
            names_two = owner.is_closed and fragment.name and fragment.arguments  # then the id tells nothing
            if index is None:
                return self._leave(None, None) if names_two else owner
            # An id at an index of its own call says nothing new; one of another call at the same index, which of them.
            if owner.place == index and current.id not in (None, owner.id):
                self._at[index] = owner if names_two else current
                return owner
        if current is not None and (fragment.name or index is not None):
            begins = begins_another(current, fragment)
            if begins is None:
                return self._leave(index, current)
            return self._open(index, fragment) if begins else current
        if index is None:
            return self._open(None, fragment) if fragment.name else self._find_tail(fragment, owner)
        if self._is_drifting(fragment, owner):
            return self._last
        says_something = fragment.id or fragment.name or fragment.arguments.strip()
        return self._open(index, fragment) if says_something else None

    def _find_written(self, index: int, fragment: ToolFragment, owner: _Call | None) -> _Call | None:
        """Return the call that was given this index, where a piece at it that upstream gives to no other is a part."""
        call = self._taken.get(index)
        if call is None or (owner is not call and (fragment.id or fragment.name)):
            return None
        if owner is None and call.is_closed and fragment.arguments.strip():
            return None
        self._at[index] = call
        return call

    def _is_drifting(self, fragment: ToolFragment, owner: _Call | None) -> bool:
        """Return whether a piece at an index where nothing began is of the last call, which alone waits for arguments.

        Arguments begin with a brace: any others belong to a call that has begun. Where some did, all may.
        """
        last = self._last
        if (
            last is None
            or self._waiting != 1
            or not last.arguments.is_open
            or {last.kind, fragment.kind} != {"function"}
        ):
            return False
        if fragment.name or (fragment.id and owner is not last):
            return False
        may_begin_a_call = fragment.arguments.lstrip()[:1] in ("", "{")
        if not last.arguments.fits(fragment.arguments) or (may_begin_a_call and not last.drifts):
            return False
        last.drifts = True
        return True

    def _find_tail(self, fragment: ToolFragment, owner: _Call | None) -> _Call | None:
        """Return the call of a piece without index and name."""
        last = self._last
        if last is None:
            return self._leave(None, None) if fragment.id or fragment.arguments else None
        if owner is last or not (fragment.id or fragment.arguments):
            return last
        waits_alone = self._waiting == 1 and last.kind == "function"
        if not last.is_closed and (waits_alone or len(self._taken) == 1):
            return last
        return self._leave(None, None)

    def _leave(self, index: int | None, current: _Call | None) -> _Call | None:
        """Return the call at whose place a piece is left that may be of another one; all that follow are left, too."""
        self._is_unclear = True
        return None if index is None else current

    def leave(self) -> None:
        """Leave all that follows at the indexes that it has."""
        self._is_unclear = True

    def _open(self, index: int | None, fragment: ToolFragment) -> _Call:
        written = self._next if index is None or index in self._taken else index
        self._last = call = _Call(written, index, fragment.kind)
        self._taken[written] = call
        self._next = max(self._next, written + 1)
        self._waiting += 1
        if index is not None:
            self._at[index] = call
        return call

    def add(self, call: _Call, fragment: ToolFragment) -> None:
        """Give a piece to its call."""
        waited = not call.is_closed
        call.add(fragment)
        if call.id is not None:
            self._by_id.setdefault(call.id, call)
        self._waiting += (not call.is_closed) - waited

    def add_arguments(self, index: int, fragment: ToolFragment) -> None:
        """Give a piece to the call at this index."""
        call = self._at.get(index)
        if call is not None:
            self.add(call, fragment)

    @property
    def size(self) -> int:
        """The number of calls that are kept."""
        return len(self._taken)


def begins_another(call: _Call, fragment: ToolFragment) -> bool | None:
    """Return whether a piece at the place of a call begins another one; None: nobody can know."""
    if not fragment.name or call.name is None:
        return False
    has_other_id = bool(fragment.id) and call.id is not None and hash(fragment.id) != call.id
    has_same_id = bool(fragment.id) and hash(fragment.id) == call.id
    has_other_name = hash(fragment.name) != call.name
    if has_same_id or not (has_other_id or has_other_name or call.is_closed):
        return False
    if call.kind != "function" or fragment.kind != "function":
        return None
    if not call.is_closed:
        # A name may come in pieces; and whose would the arguments be that follow two names?
        return False if call.arguments.is_empty and not has_other_id else None
    if has_other_id:
        return True
    begins = fragment.arguments.lstrip().startswith("{")
    if has_other_name:
        # Behind an id a name without one may be a further piece of the name.
        return bool(call.name) and (begins or (call.id is None and not fragment.id))
    # The same name may stand in each piece. The same arguments may be one call, told twice; and behind an empty object
    # they may be those that the object held a place for.
    if not begins or call.arguments.equals(fragment.arguments):
        return False
    return None if call.arguments.equals("{}") else True


class ToolIndex:
    """Follows the pieces of all tool calls of a stream, and says which index each should have."""

    __slots__ = ("_choices", "_is_plain", "_size", "leaves")

    def __init__(self, *, leaves: bool = False) -> None:
        self.leaves = leaves
        """Whether all that follows is left as it comes: calls may be open of which nothing was read."""
        self._choices: dict[int, _Choice] = {}
        self._is_plain = True  # each piece so far had an index, and the right one
        self._size = 0

    def note(self, reading: Reading) -> None:
        """Take what was read: behind a finish reason another answer may begin, at the first index again."""
        for delta in reading.deltas:
            if delta.finish_reason is not None and delta.choice in self._choices:
                self._choices[delta.choice].finished = True

    def wrong_indexes(self, pieces: Sequence[CallPiece]) -> dict[Path, int]:
        """Return the right index, by path, of each piece whose index is missing or wrong."""
        wrong = {}
        for piece in pieces:
            index = self._index_of(piece)
            index = piece.index if index is None else index
            is_right = index == piece.index and piece.spelling != "text"
            self._is_plain = self._is_plain and is_right and index is not None
            if index is not None and not is_right:
                wrong[piece.path] = index
        return wrong

    def _index_of(self, piece: CallPiece) -> int | None:
        """Return the index of a piece, or None where it is left as it is."""
        choice = self._choices.get(piece.choice)
        if choice is None:
            choice = self._choices[piece.choice] = _Choice()
            self._size += 1
        if choice.finished or self._size > MAX_CALLS:
            return piece.index
        if piece.spelling == "other":
            choice.leave()  # it tells something, and no number says what
        before = choice.size
        call = choice.find(piece.index, piece.fragment)
        self._size += choice.size - before
        if call is None:
            return None
        choice.add(call, piece.fragment)
        return call.index

    def can_be_template(self, reading: Reading) -> bool:
        """Return whether frames that differ from this one in arguments alone need not be looked at one by one."""
        tools = [tool for delta in reading.deltas for tool in delta.tools]
        return not (tools and self._choices) or (
            self._is_plain and all(tool.name is None or tool.id is not None for tool in tools)
        )

    def add(self, delta: Delta, texts: Iterable[str]) -> None:
        """Take arguments that were not looked at, of frames like the one that said this."""
        choice = self._choices.get(delta.choice)
        key = delta.tools[0].key
        if choice is not None and isinstance(key, tuple) and not (choice.finished or self.leaves):
            choice.add_arguments(key[0], ToolFragment(None, arguments="".join(texts)))


def number_calls(gate: Gate, event: Event, wire: bytes, value: Any, start: int, end: int) -> tuple[Event, bytes, Any]:
    """Return event, frame and value, each piece of a tool call with the index of its call."""
    if RepairKind.TOOL_INDEX not in gate.options.repairs:
        return event, wire, value
    gate.tool_index = follows = gate.tool_index or ToolIndex(leaves=bool(gate.options.last_event_id))
    found = None if gate.state.mode is Mode.KNOWN else recognise(event.event, value)
    dialect = found or gate.dialect
    follows.leaves = follows.leaves or dialect is None or not gate.allows(RepairKind.TOOL_INDEX)
    pieces = [] if dialect is None or follows.leaves else dialect.call_pieces(value)
    if not pieces:
        return event, wire, value
    data = event.data
    room = min(gate.options.max_event_bytes - len(wire), MAX_PROOF - len(data))
    if room < len(pieces) * _LONGEST_MEMBER or exchanged(wire, data, data) is None:
        follows.leaves = True
        return event, wire, value
    wrong = follows.wrong_indexes(pieces)
    if not wrong:
        return event, wire, value
    try:
        told = with_indexes(data, wrong)
        numbered = prove(told)
    except RecursionError:
        numbered = UNPROVEN
    longer = None if numbered is UNPROVEN else exchanged(wire, data, told)
    if longer is None:  # the caller's own recursion left no room to look
        follows.leaves = True
        return event, wire, value
    gate.repair(RepairKind.TOOL_INDEX, start, end)
    return replace(event, data=told), longer, numbered
