"""What the commands take from a profile file: a provider's settings, and the dialects that it declares."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from ..core.naming import nearest
from ..core.options import WRITING
from ..core.quantities import safe_name, shown
from ..core.registry import REGISTRY, dialect_named, dialect_names, register
from ..profiles import Profiles
from .source import CommandError

_CLOCKS: Final = ("timeouts", "heartbeat", "heartbeat_as", "heartbeat_bytes", "pace")
"""Settings of time: a command reads what there is, as fast as it comes."""
_DIALECT_ALONE: Final = (
    "argument --provider: {0} is a dialect and no provider; write --dialect {0}, or make it a provider of the profile "
    'file: {0} = 60.0 under [proxy.timeouts], and dialect = "{0}" under [proxy.streaming.{0}]'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options to the parser of a command."""
    parser.add_argument("--dialect", metavar="NAME", help="what payloads mean; recognised unless given")
    parser.add_argument("--profile", metavar="FILE", help="a profile file (TOML): dialects, and settings per provider")
    parser.add_argument("--provider", metavar="NAME", help="the provider of the profile file whose settings hold")
    parser.set_defaults(misuse=parser.error)


@contextmanager
def settings_of(arguments: argparse.Namespace, *, writes: bool) -> Iterator[dict[str, Any]]:
    """Give the options that the profile file and `--dialect` say; its dialects are recognised as long as this is open.

    `writes`: whether options of what is written count. Raises `CommandError` for a file that cannot be read or holds
    what it may not, and `SystemExit`, as the parser does, for a dialect or a provider that nobody knows.
    """
    before = dict(REGISTRY)
    profiles = (
        Profiles({}, Profiles.from_mapping({}).default) if arguments.profile is None else _read(arguments.profile)
    )
    try:
        for dialect in profiles.dialects.values():
            register(dialect)
        if arguments.provider not in profiles and arguments.provider in profiles.dialects:
            name: str = arguments.provider
            is_bare = name.isascii() and name.replace("-", "_").isidentifier()
            arguments.misuse(_DIALECT_ALONE.format(name if is_bare else shown(name)))
        _check("--provider", arguments.provider, tuple(profiles), arguments.misuse)
        _check("--dialect", arguments.dialect, dialect_names(), arguments.misuse)
        profile = profiles.default if arguments.provider is None else profiles[arguments.provider]
        options = {name: value for name, value in profile.items() if name not in _CLOCKS}
        if arguments.dialect is not None:
            options["dialect"] = dialect_named(arguments.dialect)()
        yield {name: value for name, value in options.items() if writes or name not in WRITING}
    finally:
        REGISTRY.clear()
        REGISTRY.update(before)


def _read(path: str) -> Profiles:
    try:
        return Profiles.from_toml(path)
    except OSError as error:
        raise CommandError.with_file("read", path, error) from error
    except (ValueError, TypeError) as error:
        raise CommandError(f"cannot use {path!r}: {error}") from error


def _check(option: str, name: str | None, known: tuple[str, ...], misuse: Callable[[str], object]) -> None:
    """Refuse a name that nobody knows, with the nearest that there is."""
    if name is not None and name not in known:
        near = nearest(name, known)
        listed = ", ".join(map(safe_name, known)) or "none"
        hint = f"did you mean {safe_name(near)}?" if near is not None else f"known are: {listed}"
        misuse(f"argument {option}: {shown(name)} is not known; {hint}")
