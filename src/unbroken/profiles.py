"""Settings per provider, from a TOML file (https://toml.io/en/v1.0.0) or a mapping.

An unknown key is refused and not ignored: otherwise a misspelt timeout is noticed on the day on which it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from .core.heartbeat import Timeouts
from .core.naming import nearest
from .core.options import DEFAULT_HEARTBEAT, DEFAULT_MAX_EVENT_BYTES, MIN_MAX_EVENT_BYTES, WRITING, check_option
from .core.quantities import check_count, check_seconds, shown
from .core.registry import built_in, dialect_named, dialect_names
from .core.repairs import RepairKind
from .retry.policy import Retry

if TYPE_CHECKING:
    from .core.dialect import Dialect

T = TypeVar("T")
DEFAULT: Final = "default"
"""The key of `timeouts` for providers without one of their own."""

_TABLES: Final = ("timeouts", "retry", "streaming")
_CLOCKS: Final = ("first", "idle", "silence", "total")
_RETRY: Final = {
    "max_retries": "max_retries",
    "backoff_base": "base",
    "max_backoff": "max_delay",
    "jitter": "jitter",
    "max_retry_after": "max_retry_after",
}
OPTIONS: Final = (
    *("account", "comments", "content_type", "convert", "empty", "errors", "format", "heartbeat_as"),
    *("heartbeat_bytes", "invalid_json", "pace", "repairs", "to"),
)
"""The options of `repair` that have the same name in a table of settings."""
_STREAMING: Final = ("buffer_size", "chunk_timeout", "dialect", "keep_alive_timeout", "max_event_bytes", *OPTIONS)


@dataclass(frozen=True, slots=True)
class Profile(Mapping[str, Any]):
    """The settings of one provider: `repair(chunks, **profile)`, `retrying(connect, retry=profile.retry)`.

    As a mapping it holds the keyword arguments of `repair` and `arepair`; `reading` holds those of `iter_events`. One
    without a provider, as the default is, leaves that out: `repair(chunks, provider=name, **profiles.default)`.
    `buffer_size` is the number of bytes to ask a client for in one read, or None; unbroken itself does not use it.
    """

    provider: str | None
    timeouts: Timeouts
    heartbeat: float | None
    max_event_bytes: int
    retry: Retry
    buffer_size: int | None
    dialect: type[Dialect] | None = None
    options: tuple[tuple[str, Any], ...] = ()
    """Names and values of other options of `repair`."""

    @property
    def reading(self) -> dict[str, Any]:
        """The keyword arguments of `iter_events` and `aiter_events`: those of `repair` without what is for writing."""
        return {name: value for name, value in self._arguments().items() if name not in WRITING}

    def _arguments(self) -> dict[str, Any]:
        return {
            **({} if self.provider is None else {"provider": self.provider}),
            "timeouts": self.timeouts,
            "heartbeat": self.heartbeat,
            "max_event_bytes": self.max_event_bytes,
            **({} if self.dialect is None else {"dialect": self.dialect()}),  # a new one for each stream
            **dict(self.options),
        }

    def __getitem__(self, name: str) -> Any:
        return self._arguments()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arguments())

    def __len__(self) -> int:
        return len(self._arguments())


class Profiles(Mapping[str, Profile]):
    """Profiles by provider. `default` is for a provider that has none: `profiles.get(name, profiles.default)`.

    `get` returns a default that is a profile without a provider under the name that was asked for, so that errors,
    metrics and a `FailureWindow` tell the providers apart. `dialects` holds the dialects that the settings declare, by
    name; `register` those that are to be recognised.
    """

    def __init__(
        self, profiles: Mapping[str, Profile], default: Profile, dialects: Mapping[str, type[Dialect]] | None = None
    ) -> None:
        self._profiles = dict(profiles)
        self.default = default
        self.dialects: Mapping[str, type[Dialect]] = dict(dialects or {})

    @classmethod
    def from_toml(cls, path: str | PathLike[str]) -> Profiles:
        """Return the profiles of a TOML file; `from_mapping` says what it may hold.

        Raises `OSError` if the file cannot be read, `tomllib.TOMLDecodeError` or another `ValueError` if it is not
        TOML that can be read, and what `from_mapping` raises.
        """
        if not isinstance(path, (str, bytes, PathLike)):
            raise TypeError(f"Profiles.from_toml(path) takes the path of a file, not {shown(path)}")
        import tomllib  # a sixth of the time of `import unbroken`

        with open(path, "rb") as file:
            try:
                settings = tomllib.load(file)
            except RecursionError:
                raise ValueError("the settings are nested too deeply") from None
        return cls.from_mapping(settings)

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> Profiles:
        """Return the profiles of `{"proxy": {"timeouts": {...}, "retry": {...}, "streaming": {...}}}`.

        Every table and key is optional. `timeouts`: seconds per provider, for the first content and for silence; or a
        table of `first`, `idle`, `silence`, `total`. `retry`: `max_retries`, `backoff_base`, `max_backoff`,
        `max_retry_after` (seconds), `jitter`. `streaming`: `chunk_timeout` (between two pieces of content) and
        `keep_alive_timeout` (until a heartbeat), in seconds, `buffer_size`, `max_event_bytes`, the name of a
        `dialect`, and options of `repair` under their own names: `account`, `comments`, `content_type`, `convert` (a
        name, or a table of what `Conversion` takes), `empty`, `errors`, `format`, `heartbeat_as`, `heartbeat_bytes` (a
        name), `invalid_json`, `pace` (a name, or a table of what `Pace` takes), `repairs` (names), `to`. A table of a
        provider's name inside `retry` or `streaming` is for that provider only. `false` turns a time off. Beside
        `proxy`, `dialects` holds dialects by name, each with the keys that `declare` takes.

        Raises `ValueError` or `TypeError` that names the key, and for an unknown key the nearest known one.
        """
        top = _table("", settings, ("proxy", "dialects"))
        proxy, dialects = top.get("proxy", {}), _declared(top.get("dialects", {}))
        tables = {name: _as_table(f"proxy.{name}", it) for name, it in _table("proxy", proxy, _TABLES).items()}
        timeouts = tables.get("timeouts", {})
        providers = tuple(name for name in timeouts if name != DEFAULT)
        retry = _Layered("proxy.retry", tables.get("retry", {}), _RETRY, providers)
        streaming = _Layered("proxy.streaming", tables.get("streaming", {}), _STREAMING, providers)

        def profile(name: str | None) -> Profile:
            key = name if name is not None else DEFAULT
            path = _join("proxy.timeouts", key)
            settings = streaming.of(name)
            dialect = _dialect(streaming.place_of(name, "dialect"), settings.get("dialect"), dialects)
            return _profile(name, path, timeouts.get(key), retry.of(name), settings, dialect)

        return cls({name: profile(name) for name in providers}, profile(None), dialects)

    def __getitem__(self, provider: str) -> Profile:
        if provider not in self._profiles:
            raise KeyError(f"no profile for {shown(provider)}{_hint(provider, self._profiles)}")
        return self._profiles[provider]

    @overload
    def get(self, key: str, default: None = None, /) -> Profile | None: ...
    @overload
    def get(self, key: str, default: Profile | T, /) -> Profile | T: ...
    def get(self, key: str, default: Any = None, /) -> Any:
        """Return the profile of a provider, else `default`: a profile without a provider takes the name."""
        if key in self._profiles:
            return self._profiles[key]
        return replace(default, provider=key) if isinstance(default, Profile) and default.provider is None else default

    def __contains__(self, provider: object) -> bool:
        return provider in self._profiles

    def __iter__(self) -> Iterator[str]:
        return iter(self._profiles)

    def __len__(self) -> int:
        return len(self._profiles)


class _Layered:
    """A checked table of settings, with a table inside it for each provider that differs."""

    def __init__(self, path: str, table: Mapping[str, Any], known: Collection[str], providers: Collection[str]) -> None:
        def is_common(key: str) -> bool:
            return key in known or (key not in providers and not isinstance(table[key], Mapping))

        self._path = path
        common = {key: value for key, value in table.items() if is_common(key)}
        self._common = _settings(path, _table(path, common, known))
        own = {key: value for key, value in table.items() if key not in common}
        for key in own:
            if key not in providers:
                hint = _hint(key, providers)
                raise ValueError(f"{path} has no key {shown(key)}{hint}; providers are named under proxy.timeouts")
        self._own = {
            provider: _settings(_join(path, provider), _table(_join(path, provider), settings, known))
            for provider, settings in own.items()
        }

    def of(self, provider: str | None) -> dict[str, Any]:
        """Return the settings of this provider."""
        return {**self._common, **self._own.get(provider or "", {})}

    def place_of(self, provider: str | None, key: str) -> str:
        """Return the path of the setting that holds for this provider."""
        own = provider is not None and key in self._own.get(provider, {})
        return f"{_join(self._path, provider) if own and provider is not None else self._path}.{key}"


def _declared(tables: object) -> dict[str, type[Dialect]]:
    """Return the dialects that are declared in the settings."""
    named = _as_table("dialects", tables)
    if not named:
        return {}
    from .dialects.declared import declare_from  # few settings declare any

    paths = {name: _join("dialects", name) for name in named}
    for name, path in paths.items():
        if built_in(name) is not None:
            raise ValueError(f"{path}: {name!r} is a dialect of unbroken; choose another name")
    return {name: declare_from(name, _as_table(paths[name], table), paths[name]) for name, table in named.items()}


def _dialect(path: str, name: str | None, dialects: Mapping[str, type[Dialect]]) -> type[Dialect] | None:
    """Return the dialect of this name, which stands at `path`: one that the settings declare, or one that is known."""
    if name is None or name in dialects:
        return None if name is None else dialects[name]
    try:
        return dialect_named(name)
    except KeyError:
        known = (*dialects, *dialect_names())
        raise ValueError(f"{path}: no dialect is named {shown(name)}{_hint(name, known)}") from None


def _profile(
    name: str | None,
    path: str,
    timeouts: object,
    retry: Mapping[str, Any],
    streaming: Mapping[str, Any],
    dialect: type[Dialect] | None,
) -> Profile:
    clocks: dict[str, float | None] = {}
    if "chunk_timeout" in streaming:
        clocks["idle"] = streaming["chunk_timeout"]
    if isinstance(timeouts, Mapping):
        table = _table(path, timeouts, _CLOCKS)
        clocks.update({clock: _seconds(f"{path}.{clock}", value) for clock, value in table.items()})
    elif timeouts is not None:
        clocks["first"] = clocks["silence"] = _seconds(path, timeouts)
    return Profile(
        provider=name,
        timeouts=Timeouts(**clocks),
        heartbeat=streaming.get("keep_alive_timeout", DEFAULT_HEARTBEAT),
        max_event_bytes=streaming.get("max_event_bytes", DEFAULT_MAX_EVENT_BYTES),
        retry=Retry(**{_RETRY[key]: value for key, value in retry.items()}),
        buffer_size=streaming.get("buffer_size"),
        dialect=dialect,
        options=tuple((key, streaming[key]) for key in OPTIONS if key in streaming),
    )


# Checks of settings


def _settings(path: str, table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _KINDS[key](f"{path}.{key}", value) for key, value in table.items()}


def _seconds(path: str, value: object) -> float | None:
    return None if value is False else check_seconds(path, value, instead="false turns it off")


def _delay(path: str, value: object) -> float:
    return check_seconds(path, value, least=0)


def _flag(path: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{path} must be true or false, not {shown(value)}")
    return value


def _name(path: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{path} must be the name of a dialect, not {shown(value)}")
    return value


def _option(name: str) -> Callable[[str, object], Any]:
    """Return the check of an option of `repair`."""

    def check(path: str, value: object) -> Any:
        if value is None:
            raise TypeError(f"{path} must have a value; leave it out for the default")
        return check_option(name, path, _MADE[name](path, value) if name in _MADE else value)

    return check


def _pace(path: str, value: object) -> object:
    """Return how text leaves: a name of units, or what a table says."""
    from .core.pacing.pace import Pace  # few settings have one

    return _made(Pace, path, value) if isinstance(value, Mapping) else value


def _conversion(path: str, value: object) -> object:
    """Return what is converted to: a name of a dialect, or what a table says."""
    from .core.conversion import Conversion

    return _made(Conversion, path, value) if isinstance(value, Mapping) else value


def _made(kind: type[T], path: str, value: Mapping[str, Any]) -> T:
    fields = _table(path, value, tuple(getattr(kind, "__dataclass_fields__")))  # noqa: B009 - mypy knows no such one
    try:
        return kind(**fields)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: {error}") from None


def _repairs(path: str, value: object) -> object:
    """Return the kinds of repairs of these names."""
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{path} must be a list of names of repairs, not {shown(value)}")
    known = {kind.value: kind for kind in RepairKind}
    for name in value:
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"{path}: no repair is named {shown(name)}{_hint(str(name)[:100], known)}")
    return [known[name] for name in value]


_MADE: Final[Mapping[str, Callable[[str, object], object]]] = {
    "account": _flag,
    "convert": _conversion,
    "pace": _pace,
    "repairs": _repairs,
}


def _bytes(path: str, value: object) -> int:
    return check_count(path, value, least=MIN_MAX_EVENT_BYTES, unit=" of bytes")


_KINDS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "max_retries": check_count,
    "backoff_base": _delay,
    "max_backoff": _delay,
    "max_retry_after": _delay,
    "jitter": _flag,
    "buffer_size": check_count,
    "dialect": _name,
    "chunk_timeout": _seconds,
    "keep_alive_timeout": _seconds,
    "max_event_bytes": _bytes,
    **{name: _option(name) for name in OPTIONS},
}


def _table(path: str, value: object, known: Collection[str]) -> Mapping[str, Any]:
    table = _as_table(path, value)
    for key in table:
        if key not in known:
            hint = _hint(key, known)
            if not path and not nearest(key, known):
                hint = (
                    "; of a file with other tables, pass the one: Profiles.from_mapping({'proxy': settings['proxy']})"
                )
            raise ValueError(f"{path or 'the top level'} has no key {shown(key)}{hint}")
    return table


def _as_table(path: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{path or 'the settings'} must be a table, not {shown(value)}")
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"{path or 'the top level'} has a key that is no text: {shown(key)}")
    return value


def _join(path: str, key: str) -> str:
    """Return the path of a key, spelt as in TOML: quoted unless it is bare."""
    is_bare = key.isascii() and key.replace("-", "_").isidentifier()
    return f"{path}.{key if is_bare else shown(key)}"


def _hint(key: str, known: Collection[str]) -> str:
    """Return the end of a message that names the nearest known key, or all of them."""
    near = nearest(key, known)
    if near is not None:
        return f"; did you mean {shown(near)}?"
    return "; known are " + ", ".join(map(shown, known)) if known else ""
