"""The options of `repair` and its twins: what a caller may pass, the defaults, and the checks.

An option is one row of `Options` (default, check, and the type of what is kept) and one of `ReadOptions` or
`RepairOptions` (the type for callers); signatures, `help` and errors are made of these. A wrong argument is refused at
the call, by name, with the fix.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, Unpack

from .dialect import Dialect, is_judged
from .events import Format
from .heartbeat import Timeouts, check_interval
from .naming import nearest
from .observer import Observer
from .quantities import check_count, shown
from .registry import CONVERTERS, REGISTRY, dialect_at, dialect_named, dialect_names
from .repairs import DEFAULT_REPAIRS, Repair, RepairKind
from .sniffer import media_type

DEFAULT_HEARTBEAT: Final = 5.0
"""Seconds without a byte written after which `repair` and `arepair` write a heartbeat."""
DEFAULT_TIMEOUTS: Final = Timeouts()
"""The time-outs of the four functions; the core, which has no clock, has none unless they are given."""
DEFAULT_MAX_EVENT_BYTES: Final = 16 * 2**20
MIN_MAX_EVENT_BYTES: Final = 1024
_E = TypeVar("_E", bound=Enum)

if TYPE_CHECKING:
    from typing import TypedDict

    from .conversion import Conversion
    from .pacing.pace import Pace
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
    empty: Literal["end", "error"] | None
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
    convert: Conversion | str | None
    errors: Literal["keep", "mask"]
    heartbeat: float | None
    heartbeat_as: Literal["comment", "event"]
    heartbeat_bytes: bytes | Literal["comment", "comment-line", "blank-line"] | None
    pace: str | Callable[[str], int] | Pace | None


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
    if value in (Format.CODED_LINES, Format.CODED_LINES.value):
        raise ValueError('to="coded-lines" is written of no other framing; use "sse" or "ndjson"')
    if value is None or isinstance(value, Format):
        return value
    return Format(_one_of(name, value, [Format.SSE.value, Format.NDJSON.value]))


def _dialect(name: str, value: Any) -> Dialect | None:
    if value is None or isinstance(value, Dialect):
        return value
    if isinstance(value, type) and issubclass(value, Dialect):
        raise TypeError(f"dialect must be an instance; write dialect={value.__name__}()")
    if isinstance(value, str) and value in REGISTRY:
        return REGISTRY[value]()
    if not isinstance(value, str) or value not in dialect_names():
        raise _no_dialect(name, value)
    return dialect_named(value)()


def _no_dialect(name: str, value: Any) -> Exception:
    """Return the error for what names no dialect: there are too many to list all."""
    known = ", ".join(map(repr, REGISTRY))
    if not isinstance(value, str):
        kind = type(value).__name__
        return TypeError(f"{name} must be an instance of Dialect or a name, such as {known}, not {kind}")
    near = nearest(value, dialect_names())
    hint = f"use one of {known}, or another of docs/dialects.md" if near is None else f"did you mean {near!r}?"
    return ValueError(f"{name}={shown(value)} is not known; {hint}")


def _convert(name: str, value: Any) -> Conversion | str | None:
    if value is None or isinstance(value, str):
        return None if value is None else _one_of(name, value, CONVERTERS)
    from .conversion import Conversion  # few streams say more than a name

    conversion: Conversion = _expect(
        name, value, Conversion, f"one of {', '.join(map(repr, CONVERTERS))}, or unbroken.Conversion(...)"
    )
    return conversion


def _repairs(name: str, value: Any) -> frozenset[RepairKind]:
    if isinstance(value, (str, RepairKind)):
        raise TypeError("repairs must be a collection of RepairKind; write repairs={...} or repairs=()")
    kinds = frozenset(_expect(name, value, Iterable, "a collection of RepairKind, () for none"))
    for kind in kinds:
        if isinstance(kind, str) and not isinstance(kind, RepairKind):
            raise _no_repair(name, kind)
        _expect(name, kind, RepairKind, "a collection of RepairKind")
    return kinds


def _no_repair(name: str, value: str) -> TypeError:
    """Return the error for a name in place of a kind, with how the kind of this name is spelt."""
    known = [kind.value for kind in RepairKind]
    near = value if value in known else nearest(value, known)
    fix = "no repair has this name" if near is None else f'write RepairKind("{near}")'
    return TypeError(f"{name} must be a collection of RepairKind, not {shown(value)}; {fix}")


def _invalid_json(name: str, value: Any) -> str:
    return _one_of(name, value, ("drop", "keep", "error"))


def _empty(name: str, value: Any) -> str | None:
    return None if value is None else _one_of(name, value, ("end", "error"))


def _errors(name: str, value: Any) -> str:
    return _one_of(name, value, ("keep", "mask"))


def _comments(name: str, value: Any) -> str:
    return _one_of(name, value, ("keep", "drop"))


def _heartbeat_as(name: str, value: Any) -> str:
    return _one_of(name, value, ("comment", "event"))


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, int) or value not in (0, 1):  # "no" would be true
        raise TypeError(f"{name} must be True or False, not {shown(value)}")
    return bool(value)


def _seconds(name: str, value: Any) -> float | None:
    check_interval(name, value)
    return value  # type: ignore[no-any-return]


_HEARTBEATS: Final = {"comment": b":\n\n", "comment-line": b":\n", "blank-line": b"\n"}
"""By name, what the clients of docs/client-table.md were measured with."""


def _heartbeat_bytes(name: str, value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str) and value in _HEARTBEATS:
        return _HEARTBEATS[value]
    given: bytes = _expect(name, value, bytes, f"bytes or None, or one of {', '.join(map(repr, _HEARTBEATS))}")
    if not given:
        raise ValueError("heartbeat_bytes must not be empty: nothing would be written; heartbeat=None turns it off")
    if not given.endswith(b"\n") and given.strip(b" \t\r"):
        raise ValueError(
            f"heartbeat_bytes={shown(given)} must end in a line end, or it would be read as part of what follows"
        )
    return given


def _pace(name: str, value: Any) -> Pace | None:
    if value is None:
        return None
    from .pacing.pace import as_pace  # few streams are paced

    return as_pace(value)


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
    convert: Conversion | str | None = _option(None, _convert)
    errors: str = _option("keep", _errors)
    repairs: frozenset[RepairKind] = _option(DEFAULT_REPAIRS, _repairs)
    invalid_json: str = _option("drop", _invalid_json)
    empty: str | None = _option(None, _empty)
    comments: str = _option("keep", _comments)
    account: bool = _option(True, _flag)
    count_tokens: Callable[[str], int] | None = _option(None, _callback)
    heartbeat: float | None = _option(None, _seconds)
    heartbeat_as: str = _option("comment", _heartbeat_as)
    heartbeat_bytes: bytes | None = _option(None, _heartbeat_bytes)
    pace: Pace | None = _option(None, _pace)
    timeouts: Timeouts | None = _option(None, _timeouts)
    max_event_bytes: int = _option(DEFAULT_MAX_EVENT_BYTES, _max_event_bytes)
    last_event_id: str = _option("", _last_event_id)
    content_type: str | None = _option(None, _label)
    provider: str | None = _option(None, _label)
    request_id: str | None = _option(None, _label)
    on_repair: Callable[[Repair], object] | None = _option(None, _callback)
    observers: tuple[Observer, ...] = _option((), _observers)

    def __init__(self) -> None:
        self.asked: Dialect | None = None
        """The dialect of which the URL that upstream was asked for is an endpoint; a payload may show another one."""

    def take_head(self, content_type: str | None, url: str | None, *, learns_type: bool = True) -> None:
        """Take what a response tells that was opened after the stream began, before its first chunk.

        `learns_type`: the caller gave no content type, which would count.
        """
        if content_type is not None and learns_type:
            self.content_type = content_type
        if url is not None and self.dialect is None:
            self.asked = dialect_at(url)

    @property
    def expected_format(self) -> Format | None:
        """The framing that the input must have, by what the caller said: prose comes in SSE only, and not as JSON."""
        if self.format is not None or self.dialect is None:
            return self.format
        if self.dialect.json_payloads or media_type(self.content_type).endswith("json"):
            return self.dialect.framing
        return Format.SSE

    @property
    def converts_to(self) -> str | None:
        """The name of the dialect that is written, where one was asked for."""
        return self.convert if self.convert is None or isinstance(self.convert, str) else self.convert.to

    @property
    def expects_answer(self) -> bool:
        """Whether a body without an event is a failure: the caller says so, or names what payloads are to be read.

        After a `last_event_id` it is not: there may be nothing more.
        """
        if self.last_event_id or self.empty is not None:
            return self.empty == "error" and not self.last_event_id
        return is_judged(self.dialect) and not self.standard_only

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


def check_option(name: str, label: str, value: Any) -> Any:
    """Return the value of one option, checked. Raises `TypeError` or `ValueError` that begins with this label."""
    try:
        return _CHECKS[name](label, value)
    except (TypeError, ValueError) as error:
        told = str(error)
        raise (error if told.startswith(label) else type(error)(f"{label}: {told}")) from None


_WRITERS: Final = {"iter_events": "repair", "aiter_events": "arepair", "EventReader": "StreamRepairer"}
_ELSEWHERE: Final = {
    **dict.fromkeys(("retry", "retries", "max_retries"), "retrying(connect, retry=unbroken.Retry(...))"),
    "send_timeout": "unbroken.middleware.ASGIMiddleware(app, send_timeout=...)",
}
"""What is not an option, but stands somewhere else."""
_SPELT: Final = {"timeouts": "timeouts=unbroken.Timeouts(...)"}
WRITING: Final = tuple(name for name in DEFAULTS if name in RepairOptions.__annotations__)
"""Options of what is written; who reads events has no use for them."""
_READING: Final = DEFAULTS.keys() - WRITING


def refuse_unknown(
    function: str,
    given: Mapping[str, object],
    *,
    writes: bool,
    also: tuple[str, ...] = (),
    but: tuple[str, ...] = (),
    means: Mapping[str, str] | None = None,
) -> None:
    """Raise `TypeError` for an option that `function` does not take.

    `also` are keyword arguments besides options, `but` options that it refuses itself, and `means` says what to write
    for names that others use.
    """
    taken = DEFAULTS.keys() if writes else _READING
    if given.keys() <= taken:
        return
    unknown = next((name for name in given if name not in taken and name not in also), None)
    if unknown is None:
        return
    listed = sorted({*taken, *also} - {*but})
    if unknown in DEFAULTS:
        hint = f", which is for {_WRITERS[function]}(): events are read here, and nothing is written"
        if unknown == "heartbeat":
            hint += " (of a profile, pass `**profile.reading`)"
    else:
        near = (means or {}).get(unknown) or _ELSEWHERE.get(unknown) or nearest(unknown, listed)
        hint = f" (did you mean {_SPELT.get(near, near)}?)" if near else ""
    raise TypeError(f"{function}() takes no argument {unknown!r}{hint}; it takes {', '.join(listed)}")
