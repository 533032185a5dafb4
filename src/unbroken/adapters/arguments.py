"""The arguments of `repair`, `iter_events` and their asynchronous twins: their signature, and what a source adds."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast

from ..core.options import DEFAULT_HEARTBEAT, DEFAULT_TIMEOUTS, DEFAULTS, ReadOptions, RepairOptions, refuse_unknown
from ..observe.log import LOG
from .source import Source

F = TypeVar("F", bound=Callable[..., Any])
_DEFAULTS: Final = {**DEFAULTS, "heartbeat": DEFAULT_HEARTBEAT, "timeouts": DEFAULT_TIMEOUTS}
"""The defaults of the core, which has no clock, but for what needs one."""
_TYPES: Final = ReadOptions.__annotations__ | RepairOptions.__annotations__
_PARAMETERS: Final = {
    name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_TYPES[name])
    for name, default in _DEFAULTS.items()
}


def with_options(options: type[ReadOptions]) -> Callable[[F], F]:
    """Return a decorator after which `inspect.signature` and `help` list what a function takes by `**options`."""
    types = ReadOptions.__annotations__ | options.__annotations__
    listed = [parameter for name, parameter in _PARAMETERS.items() if name in types]

    def sign(function: F) -> F:
        written = inspect.signature(function)
        chunks, *others = (it for it in written.parameters.values() if it.kind is not it.VAR_KEYWORD)

        @wraps(function)
        def called(*given: Any, **named: Any) -> Any:
            if not given and "chunks" not in named:
                _ask_for_chunks(function.__name__, named)
            return function(*given, **named)

        vars(called)["__signature__"] = written.replace(parameters=[chunks, *listed, *others])
        return cast("F", called)

    return sign


def _ask_for_chunks(function: str, named: dict[str, Any]) -> None:
    wrong = next((name for name in named if name not in _PARAMETERS and name != "abort"), None)
    meant = "" if wrong is None else f", and no argument {wrong!r}"
    raise TypeError(
        f"{function}() takes what it reads as its first argument, chunks{meant}: "
        f"write {function}(lambda: client.post(...)), or {function}(chunks)"
    )


def complete(function: str, options: ReadOptions | RepairOptions, source: Source, *, writes: bool) -> None:
    """Add the default clocks, the source's content type and the log; guard `on_repair` and the observers.

    Raises `TypeError` for an option that `function` does not take.
    """
    refuse_unknown(function, options, writes=writes, also=("abort",))
    options.setdefault("timeouts", DEFAULT_TIMEOUTS)
    if writes:
        cast("RepairOptions", options).setdefault("heartbeat", DEFAULT_HEARTBEAT)
    options["content_type"] = options.get("content_type") or source.content_type
    on_repair, observers = options.get("on_repair"), options.get("observers", ())
    if on_repair is None and observers == ():
        options["observers"] = (LOG,)
        return
    from ..observe.guard import guarded  # most streams have no hooks

    options["on_repair"], options["observers"] = guarded(on_repair, observers)
