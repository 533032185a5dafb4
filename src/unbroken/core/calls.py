"""The tool calls of one stream: which piece belongs to which call, where servers do not say it well."""

from __future__ import annotations

import re
from collections.abc import Hashable
from io import StringIO
from typing import Final

from .dialect import ToolFragment
from .proof import is_whole, prove

MAX_CALLS: Final = 1024
"""Tool calls, and choices, that are kept of one stream."""
MAX_NAME: Final = 1024
"""Characters of a name that is put together of pieces."""


class Call:
    """One tool call of one choice, with the arguments that were kept of it."""

    __slots__ = (
        "_depth",
        "_in_text",
        "_scanned",
        "arguments",
        "choice",
        "id",
        "key",
        "kind",
        "name",
        "opened",
        "whole",
    )

    def __init__(self, choice: int, key: Hashable, kind: str) -> None:
        self.choice = choice
        self.key = key
        self.kind = kind
        self.id: str | None = None
        self.name: str | None = None
        self.arguments = StringIO()
        self.whole = False  # the provider gave all arguments in one piece
        self.opened = False  # nothing but its opening piece has come
        self._depth = self._scanned = 0  # of the brackets in what was looked at
        self._in_text = False

    def clear(self) -> None:
        """Forget the arguments: others replace them."""
        self.arguments = StringIO()
        self._depth = self._scanned = 0
        self._in_text = False

    @property
    def is_placeholder(self) -> bool:
        """Whether the opening piece brought an empty object, which others that follow replace."""
        return self.opened and not self.whole and self.arguments.tell() == 2 and self.arguments.getvalue() == "{}"

    def ends_whole(self) -> bool:
        """Return whether the brackets of the arguments so far are closed. Linear in all: each is looked at once."""
        self.arguments.seek(self._scanned)
        rest = self.arguments.read()
        rest = rest[: len(rest) - (len(rest) - len(rest.rstrip("\\"))) % 2]  # half of an escape waits for the other
        self._scanned += len(rest)
        for token in re.findall(r'\\.|["{}\[\]]', rest):
            if token == '"':
                self._in_text = not self._in_text
            elif not self._in_text:
                self._depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token, 0)
        return self._depth == 0 and not self._in_text and self._scanned > 0


class Calls:
    """The tool calls of one stream, told apart where servers give several of them one place, or one of them several.

    What cannot be told apart is kept as a call without a name, and its choice is doubtful.
    """

    __slots__ = ("_at", "made")

    def __init__(self) -> None:
        self._at: dict[tuple[int, Hashable], Call] = {}
        self.made: list[Call] = []
        """All calls, in the order in which they began."""

    def find(self, choice: int, fragment: ToolFragment) -> Call | None:
        """Return the call that a piece belongs to; None where it begins one."""
        call = self._at.get((choice, fragment.key))
        if call is not None:
            if call.kind == "function" and not call.whole and not call.arguments.tell():
                call.kind = fragment.kind  # an id that came first does not say it
            return None if _begins_another(call, fragment) else call
        if fragment.id or fragment.name or fragment.whole or fragment.kind != "function" or len(self._at) >= MAX_CALLS:
            return None
        call = self._unfinished(choice, fragment.arguments)
        if call is not None:
            self._at[choice, fragment.key] = call
        return call

    def _unfinished(self, choice: int, arguments: str) -> Call | None:
        """Return the last call, if it is the only one whose arguments are not whole: an index may drift from it.

        An object may take the place of an empty one that opened a call. Behind a beginning it is left out: it may as
        well begin the arguments of another call, whose id and name follow.
        """
        calls = [call for call in self.made if call.choice == choice and call.kind != "hosted"]
        waiting = [call for call in calls if call.kind == "function" and not call.whole and not call.ends_whole()]
        if arguments.startswith("{") and calls and not waiting:
            return calls[-1] if arguments != "{}" and calls[-1].is_placeholder else None
        if arguments.startswith("{") and waiting and waiting[-1].arguments.tell():
            return None
        return calls[-1] if len(waiting) == 1 and calls[-1] is waiting[0] else None

    def add(self, choice: int, fragment: ToolFragment) -> Call:
        """Begin a call at the place of this piece."""
        call = self._at[choice, fragment.key] = Call(choice, fragment.key, fragment.kind)
        self.made.append(call)
        return call

    def doubtful(self) -> set[int]:
        """Return the choices with a piece that belongs to none of their calls."""
        strays = {call.choice for call in self.made if not call.id and not call.name and not call.whole}
        return {choice for choice in strays if sum(call.choice == choice for call in self.made) > 1}


def _begins_another(call: Call, fragment: ToolFragment) -> bool:
    """Return whether a piece at the place of a call begins another one: by its id, or its name behind arguments."""
    name = fragment.name
    if name is None or not call.name or fragment.whole or call.kind != "function":
        return False
    if fragment.id and call.id:
        # The key decides, but for one to which the index of the call before has drifted.
        return fragment.id != call.id and fragment.key != call.key
    if not call.arguments.tell():
        return False  # a name in pieces, or once more
    if name != call.name:
        return True
    # The same name may stand in each piece. The same arguments may be one call, told twice: nobody can know.
    if not fragment.arguments.lstrip().startswith("{") or not call.ends_whole():
        return False
    return fragment.arguments != call.arguments.getvalue()


def is_same_json(told: str, whole: str) -> bool:
    """Return whether two texts are the same JSON value, spelt differently."""
    return is_whole(told) and bool(prove(told) == prove(whole))


def longer_name(name: str | None, piece: str) -> str:
    """Return a name to which a piece was added: a further piece, the longer name, or the same one again."""
    return piece if name is None or piece.startswith(name) else name + piece


def replaces(call: Call, fragment: ToolFragment) -> bool:
    """Return whether arguments take the place of those that came, for they are whole, or follow an empty object."""
    return fragment.whole or (call.is_placeholder and fragment.arguments.lstrip().startswith("{"))
