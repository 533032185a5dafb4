"""What the methods of a contract return, in the shape that the tests take, or `TypeError` that says what that is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from ...attributes import Holds, a, is_named, row, rows
from ...mistakes import WrongContract, hides
from ...shown import described

__tracebackhide__ = hides
_T = TypeVar("_T")
FRAMINGS: Final = (None, "sse", "ndjson", "json-array", "coded-lines")
_TEXT: Final = a(str)
_COUNT: Final = a(int)
FACTS: Final[Mapping[str, tuple[str, Holds]]] = {
    "repairs": ("a list of (kind, offset, length), such as ('raw-json', 0, 8)", rows(row(_TEXT, _COUNT, _COUNT))),
    "format": (f"one of {', '.join(map(repr, FRAMINGS))}", lambda value: value in FRAMINGS),
    "bytes_in": ("a number of bytes", _COUNT),
    "chunks_in": ("a number of chunks", _COUNT),
    "retry": ("milliseconds, or None", a(int, float, type(None))),
    "respellings": ("a dict of counts by name", is_named),
    "dialect": ("the name of a dialect, or None", a(str, type(None))),
    "verdict": ("a string, such as 'complete'", _TEXT),
    "text": ("a string", _TEXT),
    "reasoning": ("a string", _TEXT),
    "tool_calls": ("a list of dicts with `name`, `arguments` and `kind`", rows(is_named)),
}
"""The facts that the tests know: the shape of each in words, and whether a value is so."""


def pieces(method: str, returned: Iterable[_T]) -> Iterator[_T]:
    """Return an iterator of what a method returned. Raises `TypeError` for what is no iterable of bytes."""
    if isinstance(returned, (bytes, bytearray, memoryview, str, Mapping)) or not isinstance(returned, Iterable):
        raise _wrong(method, "return a list of bytes, or yield bytes", returned)
    return iter(returned)


def joined(method: str, returned: Iterable[bytes]) -> bytes:
    """Return all bytes that a method returned, or yields. Raises `TypeError` for what is no iterable of bytes."""
    written = list(pieces(method, returned))
    for piece in written:
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            raise _wrong(method, "return a list of bytes, or yield bytes", piece, "an item that is ")
    return b"".join(written)


def bytes_and_facts(returned: tuple[bytes, Mapping[str, Any]]) -> tuple[bytes, Mapping[str, Any]]:
    """Return what `facts` returned. Raises `TypeError` for another shape, also of one of the facts."""
    if not row(a(bytes, bytearray), is_named)(returned):
        raise _wrong("facts(chunks, options)", "return a tuple (all bytes written, a dict of facts by name)", returned)
    for name, value in returned[1].items():
        shape, holds = FACTS.get(name, ("", None))
        if holds is not None and not holds(value):
            raise _wrong("facts(chunks, options)", f"give as {name!r} {shape}", value)
    return returned


def events(returned: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Return what `events` returned. Raises `TypeError` for what is no iterable of (event, data, id)."""
    shape = "return a list of (event, data, id), or yield them"
    if isinstance(returned, (bytes, str, Mapping)) or not isinstance(returned, Iterable):
        raise _wrong("events(chunks, options)", shape, returned)
    seen = list(returned)
    for one in seen:
        if not row(*[lambda value: True] * 3)(one):
            raise _wrong("events(chunks, options)", shape, one, "an item that is ")
    return [tuple(one) for one in seen]


def variants(returned: Mapping[str, Callable[..., Any]]) -> Mapping[str, Callable[..., Any]]:
    """Return what `variants` returned. Raises `TypeError` for what is no dict of functions by name."""
    if not is_named(returned) or not all(map(callable, returned.values())):
        raise _wrong("variants()", "return a dict of functions by name, each of (chunks, options)", returned)
    return returned


def bounds(returned: Sequence[tuple[dict[str, Any], int]]) -> Sequence[tuple[dict[str, Any], int]]:
    """Return what `bounded` returned. Raises `TypeError` for what is no list of pairs."""
    if not rows(row(is_named, _COUNT))(returned) or not returned:
        raise _wrong("bounded(limit)", "return a list of pairs (options, bytes kept besides)", returned)
    return returned


def named(method: str, what: str, returned: _T) -> _T:
    """Return what a method returned. Raises `TypeError` for what is no dict of options, or facts, by name."""
    if not is_named(returned):
        raise _wrong(method, f"return a dict of {what} by name", returned)
    return returned


def with_methods(method: str, returned: _T, names: Collection[str], why: str = "") -> _T:
    """Return an object. Raises `TypeError` that names each of these methods that it has not."""
    if missing := [name for name in names if not hasattr(returned, name)]:
        lacks = ", ".join(f"{name}()" if name != "renew" else "the attribute `renew`" for name in missing)
        raise WrongContract(f"{method} must return an object with {lacks}{why}; {type(returned).__name__} lacks that")
    return returned


def _wrong(method: str, shape: str, returned: object, what: str = "") -> WrongContract:
    return WrongContract(f"{method} must {shape}, and not {what}{described(returned)}")
