"""Settings per provider, from a TOML file (https://toml.io/en/v1.0.0) or a mapping.

An unknown key is refused and not ignored: otherwise a misspelt timeout is noticed on the day on which it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, Final

from .core.heartbeat import Timeouts
from .core.options import DEFAULT_HEARTBEAT, DEFAULT_MAX_EVENT_BYTES, MIN_MAX_EVENT_BYTES
from .core.quantities import check_count, check_seconds, shown
from .retry.policy import Retry

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
_LONGEST_KEY: Final = 60  # characters of a wrong key that are compared with the known ones: longer ones take too long
_STREAMING: Final = ("buffer_size", "chunk_timeout", "keep_alive_timeout", "max_event_bytes")


@dataclass(frozen=True, slots=True)
class Profile(Mapping[str, Any]):
    """The settings of one provider: `repair(chunks, **profile)`, `retrying(connect, retry=profile.retry)`.

    As a mapping it holds the keyword arguments of `repair` and `arepair`; `reading` holds those of `iter_events`.
    `buffer_size` is the number of bytes to ask a client for in one read, or None; unbroken itself does not use it.
    """

    provider: str | None
    timeouts: Timeouts
    heartbeat: float | None
    max_event_bytes: int
    retry: Retry
    buffer_size: int | None

    @property
    def reading(self) -> dict[str, Any]:
        """The keyword arguments of `iter_events` and `aiter_events`: those of `repair` without the heartbeat."""
        return {name: value for name, value in self._arguments().items() if name != "heartbeat"}

    def _arguments(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "timeouts": self.timeouts,
            "heartbeat": self.heartbeat,
            "max_event_bytes": self.max_event_bytes,
        }

    def __getitem__(self, name: str) -> Any:
        return self._arguments()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arguments())

    def __len__(self) -> int:
        return len(self._arguments())


class Profiles(Mapping[str, Profile]):
    """Profiles by provider. `default` is for a provider that has none: `profiles.get(name, profiles.default)`."""

    def __init__(self, profiles: Mapping[str, Profile], default: Profile) -> None:
        self._profiles = dict(profiles)
        self.default = default

    @classmethod
    def from_toml(cls, path: str | PathLike[str]) -> Profiles:
        """Return the profiles of a TOML file; `from_mapping` says what it may hold.

        Raises `OSError` if the file cannot be read, `tomllib.TOMLDecodeError` or another `ValueError` if it is not
        TOML that can be read, and what `from_mapping` raises.
        """
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
        `keep_alive_timeout` (until a heartbeat), in seconds, `buffer_size` and `max_event_bytes`. A table of a
        provider's name inside `retry` or `streaming` is for that provider only. `false` turns a time off.

        Raises `ValueError` or `TypeError` that names the key, and for an unknown key the nearest known one.
        """
        proxy = _table("", settings, ("proxy",)).get("proxy", {})
        tables = {name: _as_table(f"proxy.{name}", it) for name, it in _table("proxy", proxy, _TABLES).items()}
        timeouts = tables.get("timeouts", {})
        providers = tuple(name for name in timeouts if name != DEFAULT)
        retry = _Layered("proxy.retry", tables.get("retry", {}), _RETRY, providers)
        streaming = _Layered("proxy.streaming", tables.get("streaming", {}), _STREAMING, providers)

        def profile(name: str | None) -> Profile:
            key = name if name is not None else DEFAULT
            path = _join("proxy.timeouts", key)
            return _profile(name, path, timeouts.get(key), retry.of(name), streaming.of(name))

        return cls({name: profile(name) for name in providers}, profile(None))

    def __getitem__(self, provider: str) -> Profile:
        if provider not in self._profiles:
            raise KeyError(f"no profile for {shown(provider)}{_hint(provider, self._profiles)}")
        return self._profiles[provider]

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


def _profile(
    name: str | None, path: str, timeouts: object, retry: Mapping[str, Any], streaming: Mapping[str, Any]
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


def _bytes(path: str, value: object) -> int:
    return check_count(path, value, least=MIN_MAX_EVENT_BYTES, unit=" of bytes")


_KINDS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "max_retries": check_count,
    "backoff_base": _delay,
    "max_backoff": _delay,
    "max_retry_after": _delay,
    "jitter": _flag,
    "buffer_size": check_count,
    "chunk_timeout": _seconds,
    "keep_alive_timeout": _seconds,
    "max_event_bytes": _bytes,
}


def _table(path: str, value: object, known: Collection[str]) -> Mapping[str, Any]:
    table = _as_table(path, value)
    for key in table:
        if key not in known:
            raise ValueError(f"{path or 'the top level'} has no key {shown(key)}{_hint(key, known)}")
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
    from difflib import get_close_matches  # only for a message

    nearest = get_close_matches(key[:_LONGEST_KEY].lower(), known, n=1)
    if nearest:
        return f"; did you mean {shown(nearest[0])}?"
    return "; known are " + ", ".join(map(shown, known)) if known else ""
