"""What a plain reader notes of an answer, and how it takes JSON values of the wrong type for absent ones."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .standard import is_json


@dataclass(slots=True)
class PlainCall:
    """One tool call as it was delivered."""

    name: str = ""
    arguments: str = ""
    id: str | None = None
    hosted: bool = False


@dataclass(slots=True)
class PlainAnswer:
    """What was found: text and reasoning of choice 0, the calls of all choices.

    `late` says that something was said behind the end of the answer, or behind an error; `contradicted`, that the end
    of a call told other arguments than its pieces; `ambiguous`, that a text is a piece or all that was said so far.
    """

    text: str = ""
    reasoning: str = ""
    calls: list[PlainCall] = field(default_factory=list)
    finish: str | None = None
    error: bool = False
    ended: bool = False
    late: bool = False
    contradicted: bool = False
    ambiguous: bool = False
    places: dict[Any, Any] = field(default_factory=dict)  # where a reader left what: its own

    def add(self, text: str = "", reasoning: str = "") -> None:
        """Add to the text and the reasoning."""
        self.text += text
        self.reasoning += reasoning
        self.note(text or reasoning)

    def call(self, key: Any, **facts: Any) -> PlainCall:
        """Begin a call, and return it."""
        self.calls.append(PlainCall(**facts))
        self.places[key] = self.calls[-1]
        self.note(True)
        return self.calls[-1]

    def note(self, said: object) -> None:
        """Note that something was said."""
        self.late = self.late or (bool(said) and (self.ended or self.error))

    @property
    def tools(self) -> list[tuple[str, str]]:
        """The calls as name and arguments."""
        return [(call.name, joined(call.arguments)) for call in self.calls]


def joined(text: str) -> str:
    """Return a text with the halves of surrogate pairs joined; a half alone becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def object_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def objects_of(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """Return what was said; some servers write a token such as `1` as a number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return value if isinstance(value, str) else str(int(value) if value == int(value) else value)


def number_of(value: Any, default: int = 0) -> int:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def arguments_of(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def call_at(answer: PlainAnswer, key: Any, **facts: Any) -> PlainCall:
    """Return the call of this key; it begins if there is none yet, and is named if it had no name.

    A piece without a key is one of the last call.
    """
    if key is None and answer.calls:
        return answer.calls[-1]
    call: PlainCall = answer.places.get(("call", key)) or answer.call(("call", key), **facts)
    call.name = call.name or facts.get("name", "")
    return call


def begin_call(answer: PlainAnswer, key: Any, name: str, id: str) -> None:
    """Begin a call, unless it is the open one: by its id, or since the beginning of that one was lost."""
    open = answer.places.get(("call", key))
    if open is None or (open.name and not (id and open.id == id)):
        answer.call(("call", key), name=name, id=id)
    else:
        open.name, open.id = name, id


def settle_call(answer: PlainAnswer, call: PlainCall, whole: str) -> None:
    """Note the arguments that the end of a call tells, which count more than its pieces."""
    if not is_same(whole, call.arguments):
        answer.contradicted = answer.contradicted or bool(whole and not whole.startswith(call.arguments))
        call.arguments = whole or call.arguments


def is_same(text: str, other: str) -> bool:
    """Return whether two texts are the same JSON value."""
    return is_json(text) and is_json(other) and bool(json.loads(text) == json.loads(other))


def add_arguments(answer: PlainAnswer, call: PlainCall, piece: str) -> None:
    call.arguments += piece
    answer.note(piece)


def add_piece(answer: PlainAnswer, part: Any, text: str, field: str = "text") -> None:
    """Add a piece of a part that is told whole at its end."""
    key, places = (field, part), answer.places
    if key in places and places["current", field] != key:
        places["told", key] = True  # another part began meanwhile: what is missing here has no place now
    places[key] = places.get(key, "") + text
    places["current", field] = key
    answer.add(**{field: text})


def add_whole(answer: PlainAnswer, part: Any, text: str, field: str = "text") -> None:
    """Add what the pieces of a part left out of its whole, unless they contradict it, or another part began since."""
    key, places, text = (field, part), answer.places, joined(text)
    current = places.get(("current", field))
    if key not in places and current is not None and ("told", current) not in places:
        key = current if text.startswith(joined(places[current])) else key  # numbered otherwise at its end
    known, before = key in places, joined(places.get(key, ""))
    if text and text.startswith(before) and (not known or (key == current and ("told", key) not in places)):
        add_piece(answer, key[1], text.removeprefix(before), field)
        places["told", key] = True
