"""The arguments of `repair`, `iter_events` and their asynchronous twins: their signature, and what a source adds."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from ..core.options import DEFAULT_HEARTBEAT, DEFAULT_TIMEOUTS, DEFAULTS, ReadOptions, RepairOptions, refuse_unknown
from ..observe.guard import guarded
from .source import Source

F = TypeVar("F", bound=Callable[..., Any])
_DEFAULTS: Final = {**DEFAULTS, "heartbeat": DEFAULT_HEARTBEAT, "timeouts": DEFAULT_TIMEOUTS}
"""The defaults of the core, which has no clock, but for what needs one."""


def with_options(options: type[ReadOptions]) -> Callable[[F], F]:
    """Return a decorator after which `inspect.signature` and `help` list what a function takes by `**options`."""
    types = ReadOptions.__annotations__ | options.__annotations__
    listed = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=types[name])
        for name, default in _DEFAULTS.items()
        if name in types
    ]

    def sign(function: F) -> F:
        written = inspect.signature(function)
        chunks, *others = (it for it in written.parameters.values() if it.kind is not it.VAR_KEYWORD)
        vars(function)["__signature__"] = written.replace(parameters=[chunks, *listed, *others])
        return function

    return sign


def complete(function: str, options: ReadOptions | RepairOptions, source: Source, *, writes: bool) -> None:
    """Add the default clocks, the source's content type and the log; guard `on_repair` and the observers.

    Raises `TypeError` for an option that `function` does not take.
    """
    refuse_unknown(function, options, writes=writes, also=("abort",))
    options.setdefault("timeouts", DEFAULT_TIMEOUTS)
    if writes:
        cast("RepairOptions", options).setdefault("heartbeat", DEFAULT_HEARTBEAT)
    options["content_type"] = options.get("content_type") or source.content_type
    options["on_repair"], options["observers"] = guarded(options.get("on_repair"), options.get("observers", ()))
