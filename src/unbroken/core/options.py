"""The options of `repair` and its twins: what a caller may pass, the defaults, and the checks.

An option is one row of `Options` (default, check, and the type of what is kept) and one of `ReadOptions` or
`RepairOptions` (the type for callers); signatures, `help` and errors are made of these. A wrong argument is refused at
the call, by name, with the fix.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, Unpack

from .dialect import CONVERTERS, REGISTRY, Dialect
from .events import Format
from .heartbeat import Timeouts, check_interval
from .observer import Observer
from .quantities import check_count, shown
from .repairs import DEFAULT_REPAIRS, Repair, RepairKind

DEFAULT_HEARTBEAT: Final = 5.0
"""Seconds without a byte written after which `repair` and `arepair` write a heartbeat."""
DEFAULT_TIMEOUTS: Final = Timeouts()
"""The time-outs of the four functions; the core, which has no clock, has none unless they are given."""
DEFAULT_MAX_EVENT_BYTES: Final = 16 * 2**20
MIN_MAX_EVENT_BYTES: Final = 1024
_E = TypeVar("_E", bound=Enum)

if TYPE_CHECKING:
    from typing import TypedDict
else:

    class TypedDict:
        """Stands in for that of `typing`, which compiles every annotation: 2 % of the time of `import unbroken`."""

        def __init_subclass__(cls, *, total: bool) -> None:
            pass


class ReadOptions(TypedDict, total=False):
    """What `iter_events`, `aiter_events` and `EventReader` take, as type checkers see it (PEP 692)."""

    format: Format | str | None
    dialect: Dialect | str | None
    repairs: Collection[RepairKind]
    invalid_json: Literal["drop", "keep", "error"]
    comments: Literal["keep", "drop"]
    account: bool
    count_tokens: Callable[[str], int] | None
    timeouts: Timeouts | None
    max_event_bytes: int
    last_event_id: str
    content_type: str | None
    provider: str | None
    request_id: str | None
    on_repair: Callable[[Repair], object] | None
    observers: Iterable[Observer]


class RepairOptions(ReadOptions, total=False):
    """What `repair`, `arepair` and `StreamRepairer` take: also how the output is written."""

    to: Format | str | None
    convert: str | None
    heartbeat: float | None
    heartbeat_bytes: bytes | None


# The checks. Each takes the option's name and value, returns what is kept of it, and raises `TypeError` or
# `ValueError` that begins with the name and says the fix.


def _expect(name: str, value: Any, kind: type, fix: str) -> Any:
    if isinstance(value, kind):
        return value
    raise TypeError(f"{name} must be {fix}, not {type(value).__name__}")


def _one_of(name: str, value: Any, allowed: Iterable[str]) -> str:
    known = ", ".join(map(repr, allowed))
    _expect(name, value, str, f"one of {known}")
    if value not in allowed:
        raise ValueError(f"{name}={shown(value)} is not known; use one of {known}")
    return str(value)


def _member(name: str, value: Any, kind: type[_E]) -> _E | None:
    if value is None or isinstance(value, kind):
        return value
    return kind(_one_of(name, value, tuple(member.value for member in kind)))


def _format(name: str, value: Any) -> Format | None:
    return _member(name, value, Format)


def _output_format(name: str, value: Any) -> Format | None:
    if value in (Format.JSON_ARRAY, Format.JSON_ARRAY.value):
        raise ValueError('to="json-array" is not a streaming output; use "sse" or "ndjson"')
    if isinstance(value, str):
        _one_of(name, value, [Format.SSE.value, Format.NDJSON.value])
    return _member(name, value, Format)


def _dialect(name: str, value: Any) -> Dialect | None:
    if value is None or isinstance(value, Dialect):
        return value
    if isinstance(value, type) and issubclass(value, Dialect):
        raise TypeError(f"dialect must be an instance; write dialect={value.__name__}()")
    return REGISTRY[_one_of(name, value, REGISTRY)]()


def _convert(name: str, value: Any) -> str | None:
    return None if value is None else _one_of(name, value, CONVERTERS)


def _repairs(name: str, value: Any) -> frozenset[RepairKind]:
    if isinstance(value, (str, RepairKind)):
        raise TypeError("repairs must be a collection of RepairKind; write repairs={...} or repairs=()")
    kinds = frozenset(_expect(name, value, Iterable, "a collection of RepairKind, () for none"))
    for kind in kinds:
        _expect(name, kind, RepairKind, "a collection of RepairKind")
    return kinds


def _invalid_json(name: str, value: Any) -> str:
    return _one_of(name, value, ("drop", "keep", "error"))


def _comments(name: str, value: Any) -> str:
    return _one_of(name, value, ("keep", "drop"))


def _flag(name: str, value: Any) -> bool:
    return bool(value)


def _seconds(name: str, value: Any) -> float | None:
    check_interval(name, value)
    return value  # type: ignore[no-any-return]


def _heartbeat_bytes(name: str, value: Any) -> bytes | None:
    if value is None:
        return None
    given: bytes = _expect(name, value, bytes, "bytes or None")
    if not given:
        raise ValueError("heartbeat_bytes must not be empty: nothing would be written; heartbeat=None turns it off")
    if not given.endswith(b"\n") and given.strip(b" \t\r"):
        raise ValueError(
            f"heartbeat_bytes={shown(given)} must end in a line end, or it would be read as part of what follows"
        )
    return given


def _timeouts(name: str, value: Any) -> Timeouts | None:
    return None if value is None else _expect(name, value, Timeouts, "unbroken.Timeouts(...) or None")


def _max_event_bytes(name: str, value: Any) -> int:
    return check_count(name, value, least=MIN_MAX_EVENT_BYTES, unit=" of bytes")


def _last_event_id(name: str, value: Any) -> str:
    given: str = _expect(name, value, str, 'a string; "" when there is none')
    if set(given) & set("\r\n\0"):
        raise ValueError("last_event_id must not hold CR, LF or NUL: no server can have sent such an id")
    return given


def _label(name: str, value: Any) -> str | None:
    return None if value is None else _expect(name, value, str, "a string or None")


def _callback(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable or None, not {type(value).__name__}")
    return value


def _observers(name: str, value: Any) -> tuple[Observer, ...]:
    if isinstance(value, Observer):
        raise TypeError("observers must be a collection of Observer; write observers=[observer]")
    observers = tuple(_expect(name, value, Iterable, "a collection of Observer, () for none"))
    for observer in observers:
        _expect(name, observer, Observer, "a collection of Observer")
    return observers


# The table

DEFAULTS: Final[dict[str, Any]] = {}
"""Option to what the core takes where it is not given."""
_CHECKS: Final[dict[str, Callable[[str, Any], Any]]] = {}


class _Row:
    """Declares an option in the class body: `__set_name__` registers default and check, then replaces itself by the
    default, so that an option is read as fast as any class attribute."""

    def __init__(self, default: Any, check: Callable[[str, Any], Any]) -> None:
        self._default = default
        self._check = check

    def __set_name__(self, owner: type, name: str) -> None:
        DEFAULTS[name], _CHECKS[name] = self._default, self._check
        setattr(owner, name, self._default)


def _option(default: Any, check: Callable[[str, Any], Any]) -> Any:
    return _Row(default, check)


class Options:
    """The checked options of one stream; `unbroken.repair` says what each one does."""

    format: Format | None = _option(None, _format)
    dialect: Dialect | None = _option(None, _dialect)
    to: Format | None = _option(None, _output_format)
    convert: str | None = _option(None, _convert)
    repairs: frozenset[RepairKind] = _option(DEFAULT_REPAIRS, _repairs)
    invalid_json: str = _option("drop", _invalid_json)
    comments: str = _option("keep", _comments)
    account: bool = _option(True, _flag)
    count_tokens: Callable[[str], int] | None = _option(None, _callback)
    heartbeat: float | None = _option(None, _seconds)
    heartbeat_bytes: bytes | None = _option(None, _heartbeat_bytes)
    timeouts: Timeouts | None = _option(None, _timeouts)
    max_event_bytes: int = _option(DEFAULT_MAX_EVENT_BYTES, _max_event_bytes)
    last_event_id: str = _option("", _last_event_id)
    content_type: str | None = _option(None, _label)
    provider: str | None = _option(None, _label)
    request_id: str | None = _option(None, _label)
    on_repair: Callable[[Repair], object] | None = _option(None, _callback)
    observers: tuple[Observer, ...] = _option((), _observers)

    @property
    def expected_format(self) -> Format | None:
        """The framing that the input must have, by what the caller said: prose comes in SSE only."""
        is_prose = self.format is None and self.dialect is not None and not self.dialect.json_payloads
        return Format.SSE if is_prose else self.format

    @property
    def standard_only(self) -> bool:
        """Whether nothing is to be repaired: the standard's reading and nothing else."""
        return not self.repairs


def check_options(**given: Unpack[RepairOptions]) -> Options:
    """Return the options, checked. Raises `TypeError` or `ValueError` that names the option and the fix."""
    refuse_unknown("check_options", given, writes=True)
    options = Options()
    kept = vars(options)
    for name, value in given.items():
        # What is a default is not kept again: every stream holds these options, and most say little.
        if value is not DEFAULTS[name] and (checked := _CHECKS[name](name, value)) is not DEFAULTS[name]:
            kept[name] = checked
    return options


WRITING: Final = tuple(name for name in DEFAULTS if name in RepairOptions.__annotations__)
"""Options of what is written; who reads events has no use for them."""
_READING: Final = DEFAULTS.keys() - WRITING


def refuse_unknown(function: str, given: Mapping[str, object], *, writes: bool, also: tuple[str, ...] = ()) -> None:
    """Raise `TypeError` for an option that `function` does not take; `also` are keyword arguments besides options."""
    taken = DEFAULTS.keys() if writes else _READING
    if given.keys() <= taken:
        return
    unknown = next(name for name in given if name not in taken)
    raise TypeError(f"{function}() takes no argument {unknown!r}; it takes {', '.join(sorted([*taken, *also]))}")
