"""The registry: which dialects there are, and of which one a payload, a URL or a framing can only be.

The modules of `dialects/` fill it; the core names none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .dialect import Dialect, EventClass, Reading
from .quantities import shown

REGISTRY: dict[str, type[Dialect]] = {}
"""The dialects that are loaded, by name, in the order in which they are asked to recognise a payload."""
BUILT_IN: dict[str, type[Dialect]] = {}
"""Those of `REGISTRY` that are part of unbroken; no other dialect takes their names."""
BY_FRAMING: dict[Format, str] = {}
"""The names of those that alone come in a framing of their own."""
BROKEN_OFF: set[str] = set()
"""Finish reasons, in lower case, that say that an answer failed, or was cut short by a limit or a filter."""
LATER: list[Callable[[], Shelf]] = []
"""What gives the dialects that are loaded when they are needed; those of `REGISTRY` come before them."""

_shelves: list[Shelf] = []
_D = TypeVar("_D", bound="type[Dialect]")


def register(dialect: _D) -> _D:
    """Add a dialect to those that are recognised and can be named; a class decorator.

    A class of the same name that was registered before is replaced, so that a module can be reloaded. Raises
    `TypeError` for what is no named subclass of `Dialect`, and `ValueError` for the name of a dialect of unbroken,
    which only a subclass of that dialect may take.
    """
    name = _checked_name(dialect)
    ours = built_in(name)
    if ours is not None and not issubclass(dialect, ours):
        raise ValueError(f"{name!r} is a dialect of unbroken; choose another name, or subclass it")
    REGISTRY[name] = dialect
    return dialect


def _checked_name(dialect: Any) -> str:
    if isinstance(dialect, Dialect):
        raise TypeError(f"register() takes the class, not an instance: register({type(dialect).__name__})")
    if not isinstance(dialect, type) or not issubclass(dialect, Dialect):
        what = f"the class {dialect.__name__}" if isinstance(dialect, type) else shown(dialect)
        raise TypeError(f"register() takes a subclass of Dialect, as declare() returns one, not {what}")
    name = getattr(dialect, "name", None)
    if not isinstance(name, str) or not name:
        raise TypeError(f'register({dialect.__name__}): the class needs a name, such as name = "mine"')
    return name


def built_in(name: str) -> type[Dialect] | None:
    """Return the dialect of unbroken that has this name, whatever was registered in its place, or None."""
    return BUILT_IN[name] if name in BUILT_IN else _shelved(name)


def dialect_names() -> tuple[str, ...]:
    """Return the names of all dialects, loaded or not."""
    return (*REGISTRY, *[name for shelf in _open_shelves() for name in shelf.names if name not in REGISTRY])


def dialect_named(name: str) -> type[Dialect]:
    """Return the dialect of this name; it is loaded if it was not yet. Raises `KeyError` if there is none."""
    dialect = REGISTRY[name] if name in REGISTRY else _shelved(name)
    if dialect is None:
        raise KeyError(name)
    return dialect


def _shelved(name: str) -> type[Dialect] | None:
    return next((shelf.load(name) for shelf in _open_shelves() if name in shelf.names), None)


def recognise(event: str, payload: Any) -> Dialect | None:
    """Return a new dialect of the kind that this payload can only be of, or None."""
    for dialect in REGISTRY.values():
        if dialect.recognises(event, payload):
            return dialect()
    for shelf in _shelves or _open_shelves():
        for name in shelf.candidates(event, payload):
            if name not in REGISTRY and (dialect := shelf.load(name)).recognises(event, payload):
                return dialect()
    return None


def would_fail(dialect: Dialect | None, payload: object, event: str = "message") -> bool:
    """Return whether a payload fails the stream, as its dialect reads it: by an error, or a failing finish.

    `dialect`: the one that is known, which is left as it is; one that cannot be copied is not asked. Without one the
    payload is taken for the first, by which a dialect may be recognised. `event`: the name of its event.
    """
    import copy  # seldom needed

    try:
        reader = recognise(event, payload) if dialect is None else copy.deepcopy(dialect)
    except Exception:
        return False
    if reader is None or not reader.json_payloads:
        return False
    return reader.read(event, payload).kind is EventClass.ERROR


def recognise_prose(event: Event) -> Dialect | None:
    """Return a new dialect of prose, of the kind that this named event can only be of, or None."""
    dialects = [dialect for dialect in REGISTRY.values() if not dialect.json_payloads]
    for shelf in _shelves or _open_shelves():
        dialects += [shelf.load(name) for name in shelf.candidates(event.event, None) if name not in REGISTRY]
    return next(
        (dialect() for dialect in dialects if dialect.recognises_prose(event.event, event.data, event.id)), None
    )


def dialect_in(format: Format) -> Dialect | None:
    """Return a new dialect of the kind that alone comes in this framing, or None."""
    return dialect_named(BY_FRAMING[format])() if format in BY_FRAMING else None


def dialect_at(url: str) -> Dialect | None:
    """Return the dialect of which a URL is an endpoint; the longest end decides. None if it is nobody's."""
    path = url.partition("?")[0].partition("#")[0].rstrip("/")
    found = [(end, dialect) for dialect in REGISTRY.values() for end in dialect.endpoints if path.endswith(end)]
    return max(found, key=lambda it: len(it[0]))[1]() if found else None


def _open_shelves() -> list[Shelf]:
    _shelves.extend([make() for make in LATER[len(_shelves) :]])
    return _shelves


if TYPE_CHECKING:
    from typing import Protocol

    from .events import Event, Format

    class Shelf(Protocol):
        """Dialects that are loaded when they are named, or when a payload has one of their marks."""

        @property
        def names(self) -> Collection[str]:
            """The names of its dialects."""

        def load(self, name: str) -> type[Dialect]:
            """Return the dialect of this name."""

        def candidates(self, event: str, payload: Any) -> Sequence[str]:
            """Return the names of those dialects of which this payload has a mark, cheaply."""

    class Converter(Protocol):
        """Turns readings into the payloads of another dialect, live. What upstream did not say is not invented."""

        @property
        def dialect(self) -> Dialect:
            """The dialect that is written: its form is that of errors and heartbeats."""

        def encode(self, reading: Reading) -> list[Any]:
            """Return the payloads that this reading becomes: JSON values, or a sentinel string."""

        def end(self) -> list[Any]:
            """Return the payloads that follow at the end of a complete stream, the sentinel included."""

        def cut(self) -> list[Any]:
            """Return the payloads with what was held back, before an error of ours ends a stream that is cut."""

        def heartbeat_event(self) -> Any:
            """Return a payload that says nothing, or None where none may stand now."""

        def is_complete(self) -> bool:
            """Return whether the payloads before the sentinel say that the answer is whole; asked after `end`."""


CONVERTERS: dict[str, Callable[..., Converter]] = {}
"""What `convert=` can name; each is given the `Conversion` that was asked for, or None for the name alone."""
