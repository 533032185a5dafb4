"""Dialects that are declared, not programmed: a table says where things stand, and is compiled when first needed.

`declare` takes the table as keyword arguments, a profile file holds the same one in TOML. What counts or assembles
stays code, in methods of a subclass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ..core.dialect import NOTHING, Delta, Dialect, EventClass, Part, Reading
from ..core.failure import Failure
from ..core.proof import prove
from ..core.quantities import shown
from ..core.registry import dialect_named, dialect_names
from .parts import Parts
from .rules import PING, Read, failure_by_words
from .shapes import as_text
from .table import Compiled, Table, hint_of

_LONG: Final = 64
_MOST: Final = 1024


class Declared(Dialect):
    """A dialect that reads by its `table`. `declare` makes one; subclass it where a method says more."""

    table: ClassVar[Table]
    finish_ends: ClassVar[bool] = False
    _readers: ClassVar[Compiled | None] = None

    def __init__(self) -> None:
        self.finished = False
        """Whether a finish word came, and no content after it."""
        self.whole = False
        """Whether the last payload with content, or one behind it, met the condition `complete_when`."""
        self.has_begun = False
        """Whether content came."""
        self.parts = Parts()
        self._calls = 0
        self._places: dict[Any, tuple[str, Any]] = {}  # by what tells calls apart: an id, and the key of the call
        self._last: Any = None
        self._by_kind, self._other, self._kind, self._tells = self._compiled()

    @classmethod
    def _compiled(cls) -> Compiled:
        """Return the readers, compiled once for each class."""
        readers = cls.__dict__.get("_readers")
        if readers is None:
            readers = cls._readers = cls.table.compile()
        return readers

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether one of the conditions in `recognised_by` holds."""
        return cls.table.recognises(event, payload)

    def read(self, event: str, payload: Any) -> Reading:
        """Read one payload by the rules of its kind."""
        kind = event if self._kind is None else self._kind(payload)
        read: Read = self._by_kind.get(kind, self._other) if kind.__class__ is str else self._other
        if payload.__class__ is dict or (self._kind is None and payload.__class__ is list):
            return read(self, event, payload)
        if event in self.table.pings:
            return PING
        return read(self, event, {}) if self.says_by_name(event) else NOTHING

    def says_by_name(self, event: str) -> bool:
        """Whether the name alone says what the event is: pings, and what ends or fails where names are the kinds."""
        return event in self.table.names

    def note(self, delta: Delta, says: bool, whole: bool) -> None:
        """Note what a payload says of the end."""
        if delta.finish_reason is not None:
            self.finished = True
        elif says:
            self.finished = False
        self.has_begun = self.has_begun or says
        self.whole = whole or (self.whole and not says)

    def key_of_call(self, told: str | None, id: str | None, *, named: bool, new: bool) -> Any:
        """Return what tells a call apart: what the provider says, else its number.

        A place that is named again with another id has another call: several messages count from the beginning.
        """
        if told is None:
            if new or named or self._last is None:
                self._calls += 1
                self._last = self._calls
            return self._last
        place: Any = told if len(told) <= _LONG else hash(told)
        if named and id is not None and len(self._places) < _MOST:
            known, self._last = self._places.get(place, (id, place))
            if known != id:
                self._calls += 1
                self._last = (place, self._calls)
            self._places[place] = id, self._last
        else:
            self._last = self._places[place][1] if place in self._places else place
        return self._last

    def failure_of(self, finish: str) -> Failure | None:
        """Return the failure that this finish word tells, or None."""
        return failure_by_words(finish, self.table.fails)

    def is_complete(self) -> bool:
        """Whether an end without terminator is one: after a finish word, or what `complete_when` says."""
        return self.whole or (self.table.finish_completes and self.finished)

    def event_name(self, payload: Any) -> str | None:
        """Return the name by which clients dispatch, where the payload says it."""
        path = self.table.event_name
        name = path.first(payload) if path is not None else None
        return name if isinstance(name, str) and name in self.table.kinds else None

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return the frame of the table, filled in; else an `error` event."""
        frame = self.table.error_frame
        if frame is None:
            return super().error_frame(failure)
        return frame.get("event"), _filled(frame["data"], failure)

    def heartbeat(self) -> bytes | None:
        """Return the heartbeat of the table, else None for a comment."""
        return self.table.heartbeat or super().heartbeat()


class Wrapped(Declared):
    """A dialect whose payloads hold those of another: of `like`, at `inside`. Its table says what is around them."""

    def __init__(self) -> None:
        super().__init__()
        self._inner = dialect_named(self.table.like or "")()

    def read(self, event: str, payload: Any) -> Reading:
        """Read what is inside as the other dialect does, and what the table says beside it."""
        inside = self.table.inside(payload)
        if not isinstance(inside, dict):
            return super().read(event, payload)
        inner = self._inner.read(event, inside)
        kind = inner.kind
        if kind is EventClass.CONTENT:
            if self.has_begun and self._tells is not None and self._tells.isdisjoint(payload) and event != "error":
                return inner
            self.has_begun = True
        own = super().read(event, payload)
        if own.kind in (EventClass.ERROR, EventClass.TERMINAL):
            kind = own.kind
        elif kind is EventClass.TERMINAL and self.table.decides_end:
            kind = EventClass.STRUCTURAL
        elif own.kind is EventClass.CONTENT and kind is not EventClass.ERROR:
            kind = own.kind
        return Reading(
            kind,
            (*inner.deltas, *own.deltas),
            {**(inner.usage or {}), **(own.usage or {})} or None,
            own.failure or inner.failure,
            own.id or inner.id,
            own.model or inner.model,
            own.created or inner.created,
            own.begins or inner.begins,
        )

    def says_by_name(self, event: str) -> bool:
        """Whether the name alone says what the event is, in this dialect or the one inside."""
        return super().says_by_name(event) or self._inner.says_by_name(event)

    def is_complete(self) -> bool:
        """Whether the table takes a clean end for one, or else the dialect inside."""
        return super().is_complete() or (not self.table.decides_end and self._inner.is_complete())

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return the frame of the table, else that of the dialect inside."""
        return self._inner.error_frame(failure) if self.table.error_frame is None else super().error_frame(failure)

    def heartbeat(self) -> bytes | None:
        """Return the heartbeat of the table, else that of the dialect inside."""
        return self.table.heartbeat or self._inner.heartbeat()


class Growing(Declared):
    """A dialect whose pieces are all that was said so far, or not, as the request or the server's options say.

    They are if the second piece begins with the first and goes on, until one does not. A piece that repeats the one
    before it beside a finish reason says nothing new.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pieces: dict[Any, tuple[int, int]] = {}  # length and hash of the last piece, by what it is a piece of
        self._grows: bool | None = None

    def read(self, event: str, payload: Any) -> Reading:
        """Read one payload, and take its pieces for wholes where they are."""
        reading = super().read(event, payload)
        for delta in reading.deltas:
            finishes = delta.finish_reason is not None
            wholes = [(field, said) for field in ("text", "reasoning") if (said := getattr(delta, field))]
            wholes = [(field, said) for field, said in wholes if self._is_whole(field, said, finishes)]
            for field, _ in wholes:
                setattr(delta, field, "")
            delta.parts += tuple([Part(field, said) for field, said in wholes])
            for tool in delta.tools:
                tool.whole = tool.whole or self._is_whole((tool.key,), tool.arguments, finishes)
        return reading

    def _is_whole(self, key: Any, said: str, finishes: bool) -> bool:
        """Return whether this is all that was said under this key, and remember it."""
        length, mark = self._pieces.get(key, (0, 0))
        if not said or (not length and len(self._pieces) >= _MOST):
            return False
        begins = hash(said[:length]) == mark
        self._pieces[key] = (len(said), hash(said))
        if not length:
            return bool(self._grows)
        if self._grows is None or not begins:
            self._grows = begins and (len(said) > length or finishes)
        return self._grows


class Prose(Declared):
    """A dialect in which the payload of some events is the text itself; that of the others may be JSON.

    `recognised_by` asks for the name of the event, and for its `data` and `id`.
    """

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Whether one of the conditions in `recognised_by` holds: never, of a JSON value."""
        return False

    @classmethod
    def recognises_prose(cls, event: str, text: str, id: str) -> bool:
        """Whether one of the conditions in `recognised_by` holds."""
        return cls.table.recognises(event, {"data": text, "id": id})

    def read(self, event: str, payload: Any) -> Reading:
        """Read one payload, which is given as text."""
        text = as_text(payload)
        if event in self.table.prose:
            self.note(delta := Delta(text=text), bool(text), False)
            return Reading(EventClass.CONTENT, (delta,)) if text else NOTHING
        if event not in self.table.kinds:
            return NOTHING
        value = prove(text)
        return super().read(event, value if isinstance(value, dict) else {"message": text} if text else {})


def declare(name: str, /, **table: Any) -> type[Dialect]:
    """Return a dialect that reads as the table says; `register` it, or pass an instance as `dialect=`.

    The keys are in the documentation, "A dialect in a table". Raises `ValueError` or `TypeError` that names the key and
    what it may be.
    """
    return declare_from(name, table, f"dialect {name}")


def declare_from(name: str, settings: Mapping[str, Any], where: str) -> type[Declared]:
    """Return the dialect of a table that stands in a file at `where`; raises as `declare` does."""
    if not name or name.__class__ is not str:
        raise TypeError(f"the name of a dialect must be a text, not {shown(name)}")
    table = Table(name, settings, where)
    members = {"__doc__": f"The dialect {name}, as its table says.", "name": name, "table": table, **table.members}
    bases: tuple[type[Declared], ...] = (Declared,)
    if table.may_grow:
        bases = (Growing,)
    if table.prose:
        bases = (Prose,)
    if table.like is not None:
        bases = (Wrapped,)
        members = {**_members_of(table.like, where), **members}
        members["keys"] |= dialect_named(table.like).keys
        members["exact_marks"] += dialect_named(table.like).exact_marks
        members["cumulative"] |= dialect_named(table.like).cumulative
    return type("".join(word.capitalize() for word in re.findall(r"\w+", name)), bases, members)


def _members_of(like: str, where: str) -> dict[str, Any]:
    """Return what a dialect has of the one that is inside of it, unless its table says otherwise."""
    if like not in dialect_names():
        raise ValueError(f"{where}: like names no dialect: {shown(like)}; {hint_of(like, dialect_names())}")
    names = ("sentinel", "sentinel_completes", "takes_comments", "json_payloads")
    return {name: getattr(dialect_named(like), name) for name in names}


def _filled(value: Any, failure: Failure) -> Any:
    """Return a template with what is told of a failure in place of its words."""
    if isinstance(value, dict):
        return {key: _filled(each, failure) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, failure) for each in value]
    told = {
        "$message": failure.public_message,
        "$code": failure.code,
        "$status": failure.status_hint or 500,
        "$error": failure.as_error()["error"],
    }
    return told.get(value, value) if isinstance(value, str) else value
