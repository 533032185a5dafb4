"""What the caller asked for, checked at the call: a wrong argument is told by name, with the fix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum
from typing import Any, Final, TypeVar

from .dialect import CONVERTERS, REGISTRY, Dialect
from .events import Format
from .heartbeat import Timeouts, check_seconds
from .observer import Observer
from .repairs import DEFAULT_REPAIRS, Repair, RepairKind

DEFAULT_MAX_EVENT_BYTES = 16 * 2**20
MIN_MAX_EVENT_BYTES = 1024
DEFAULT_TIMEOUTS = Timeouts()
_INVALID_JSON = ("drop", "keep", "error")
_COMMENTS = ("keep", "drop")
_E = TypeVar("_E", bound=Enum)


class Options:
    """Everything that `repair` and its twins can be told; see `unbroken.repair` for what each one does."""

    format: Format | None = None
    dialect: Dialect | None = None
    to: Format | None = None
    convert: str | None = None
    repairs: frozenset[RepairKind] = DEFAULT_REPAIRS
    invalid_json: str = "drop"
    comments: str = "keep"
    account: bool = True
    heartbeat: float | None = None
    heartbeat_bytes: bytes | None = None
    timeouts: Timeouts | None = None
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES
    last_event_id: str = ""
    content_type: str | None = None
    provider: str | None = None
    request_id: str | None = None
    count_tokens: Callable[[str], int] | None = None
    on_repair: Callable[[Repair], object] | None = None
    observers: tuple[Observer, ...] = ()

    def __init__(self, **chosen: Any) -> None:
        # What is as above is not kept again: every stream holds one of these, and most say little.
        vars(self).update({name: value for name, value in chosen.items() if value is not getattr(self, name)})

    @property
    def standard_only(self) -> bool:
        """Whether nothing is to be repaired: the standard's reading and nothing else."""
        return not self.repairs


def check_options(
    *,
    format: Format | str | None = None,
    dialect: Dialect | str | None = None,
    to: Format | str | None = None,
    convert: str | None = None,
    repairs: Collection[RepairKind] = DEFAULT_REPAIRS,
    invalid_json: str = "drop",
    comments: str = "keep",
    account: bool = True,
    heartbeat: float | None = None,
    heartbeat_bytes: bytes | None = None,
    timeouts: Timeouts | None = None,
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES,
    last_event_id: str = "",
    content_type: str | None = None,
    provider: str | None = None,
    request_id: str | None = None,
    count_tokens: Callable[[str], int] | None = None,
    on_repair: Callable[[Repair], object] | None = None,
    observers: Iterable[Observer] = (),
) -> Options:
    """Check every argument and give them in one value. Raises `TypeError` or `ValueError` that names the fix."""
    output = _choice("to", to, Format)
    if output is Format.JSON_ARRAY:
        raise ValueError('to="json-array" is not a streaming output; use "sse" or "ndjson"')
    for name, label in (("content_type", content_type), ("provider", provider), ("request_id", request_id)):
        _expect(name, label, str, "a string or None", optional=True)
    _expect("last_event_id", last_event_id, str, 'a string; "" when there is none')
    if set(last_event_id) & set("\r\n\0"):
        raise ValueError("last_event_id must not hold CR, LF or NUL: no server can have sent such an id")
    check_seconds("heartbeat", heartbeat)
    for name, callback in (("count_tokens", count_tokens), ("on_repair", on_repair)):
        if callback is not None and not callable(callback):
            raise TypeError(f"{name} must be callable or None, not {type(callback).__name__}")
    return Options(
        format=_choice("format", format, Format),
        dialect=_dialect(dialect),
        to=output,
        convert=_slug("convert", convert, tuple(CONVERTERS)) if convert is not None else None,
        repairs=_repairs(repairs),
        invalid_json=_slug("invalid_json", invalid_json, _INVALID_JSON),
        comments=_slug("comments", comments, _COMMENTS),
        account=bool(account),
        heartbeat=heartbeat,
        heartbeat_bytes=_heartbeat_bytes(heartbeat_bytes),
        timeouts=_expect("timeouts", timeouts, Timeouts, "unbroken.Timeouts(...) or None", optional=True),
        max_event_bytes=_max_event_bytes(max_event_bytes),
        last_event_id=last_event_id,
        content_type=content_type,
        provider=provider,
        request_id=request_id,
        count_tokens=count_tokens,
        on_repair=on_repair,
        observers=_observers(observers),
    )


WRITING: Final = ("to", "convert", "heartbeat", "heartbeat_bytes")
"""Options of what is written; who reads events has no use for them."""


def refuse_unknown(function: str, options: Mapping[str, Any], *, writes: bool) -> None:
    """Raise `TypeError` for a keyword argument that `function` does not take."""
    taken = (check_options.__kwdefaults__ or {}).keys() - (() if writes else WRITING)
    for name in options:
        if name not in taken:
            raise TypeError(f"{function}() takes no argument {name!r}; it takes {', '.join(sorted(taken))}")


def _expect(name: str, value: Any, kind: type, fix: str, *, optional: bool = False) -> Any:
    if (optional and value is None) or isinstance(value, kind):
        return value
    raise TypeError(f"{name} must be {fix}, not {type(value).__name__}")


def _slug(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    _expect(name, value, str, "one of " + ", ".join(map(repr, allowed)))
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is not known; use one of " + ", ".join(map(repr, allowed)))
    return str(value)


def _choice(name: str, value: _E | str | None, kind: type[_E]) -> _E | None:
    if value is None or isinstance(value, kind):
        return value
    return kind(_slug(name, value, tuple(member.value for member in kind)))


def _dialect(value: Any) -> Dialect | None:
    if value is None or isinstance(value, Dialect):
        return value
    if isinstance(value, type) and issubclass(value, Dialect):
        raise TypeError(f"dialect must be an instance; write dialect={value.__name__}()")
    return REGISTRY[_slug("dialect", value, tuple(REGISTRY))]()


def _repairs(value: Collection[RepairKind]) -> frozenset[RepairKind]:
    if isinstance(value, (str, RepairKind)):
        raise TypeError("repairs must be a collection of RepairKind; write repairs={...} or repairs=()")
    kinds = frozenset(_each("repairs", value, "a collection of RepairKind, () for none"))
    for kind in kinds:
        _expect("repairs", kind, RepairKind, "a collection of RepairKind")
    return kinds


def _heartbeat_bytes(value: bytes | None) -> bytes | None:
    _expect("heartbeat_bytes", value, bytes, "bytes or None", optional=True)
    if value == b"":
        raise ValueError("heartbeat_bytes must not be empty: nothing would be written; heartbeat=None turns it off")
    if value is not None and not value.endswith(b"\n") and value.strip(b" \t\r"):
        raise ValueError(
            f"heartbeat_bytes={value!r} must end in a line end, or it would be read as part of what follows"
        )
    return value


def _max_event_bytes(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"max_event_bytes must be a whole number of bytes, not {type(value).__name__}")
    if value < MIN_MAX_EVENT_BYTES:
        raise ValueError(f"max_event_bytes={value} is too small for any event; use at least {MIN_MAX_EVENT_BYTES}")
    return value


def _observers(value: Iterable[Observer]) -> tuple[Observer, ...]:
    if isinstance(value, Observer):
        raise TypeError("observers must be a collection of Observer; write observers=[observer]")
    observers = tuple(_each("observers", value, "a collection of Observer, () for none"))
    for observer in observers:
        _expect("observers", observer, Observer, "a collection of Observer")
    return observers


def _each(name: str, value: Any, fix: str) -> Iterable[Any]:
    """Give a collection that can be gone through. Raises `TypeError` for anything else."""
    if not isinstance(value, Iterable):
        raise TypeError(f"{name} must be {fix}, not {type(value).__name__}")
    return value
