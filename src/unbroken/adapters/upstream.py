"""What a caller passes as upstream: chunks, a response, a source, or a function that opens it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import isasyncgenfunction, isgeneratorfunction
from os import PathLike
from types import FunctionType, GeneratorType, MethodType
from typing import Any

from .source import Source, as_source, client_of


def upstream_source(
    function: str, upstream: Any, abort: Callable[[], object] | None, last_event_id: str = ""
) -> Source:
    """Return the source of what was passed to `arepair` or `aiter_events`. Raises `TypeError` naming the fix."""
    if isinstance(upstream, (Source, list, GeneratorType)):
        pass  # as most are
    elif client_of(upstream) is not None:
        from ..http import from_response

        try:
            upstream = from_response(upstream)
        except ValueError as error:  # read or closed already
            raise ValueError(str(error).replace("from_response", function, 1)) from None
    elif _needs_an_argument(upstream):
        again = "aretrying" if function.startswith("a") else "retrying"
        raise TypeError(
            f"{function}() calls its function without arguments, lambda: ...; of one that takes an attempt write "
            f"{function}({again}(connect))"
        )
    elif isgeneratorfunction(upstream) or isasyncgenfunction(upstream):
        upstream = upstream()  # runs none of its code yet
    elif not is_read(upstream) and (is_entered(upstream) or callable(upstream)) and not isinstance(upstream, PathLike):
        # A context manager of `contextlib` can be called too, to decorate a function; a path is entered in vain.
        upstream = _opened_by(function, partial(_same, upstream) if is_entered(upstream) else upstream)
        if callable(abort):
            abort = _both(upstream.abort, abort)
    return as_source(function, upstream, abort, last_event_id)


def sync_upstream_source(
    function: str, upstream: Any, abort: Callable[[], object] | None, last_event_id: str = ""
) -> Source:
    """Return the same for `repair` and `iter_events`, which have no event loop."""
    source = upstream_source(function, upstream, abort, last_event_id)
    if not hasattr(source.chunks, "__iter__"):
        raise TypeError(f"{function}() takes an iterable, not an asynchronous one: write a{function}(...)")
    return source


def _needs_an_argument(upstream: Any) -> bool:
    """Return whether this is a function or a method that cannot be called without an argument."""
    function = upstream.__func__ if isinstance(upstream, MethodType) else upstream
    if not isinstance(function, FunctionType):
        return False
    return function.__code__.co_argcount - len(function.__defaults__ or ()) > (function is not upstream)


def _same(upstream: Any) -> Any:
    return upstream


def is_entered(upstream: Any) -> bool:
    """Return whether this is a context manager of what is to be read."""
    return hasattr(upstream, "__enter__") or hasattr(upstream, "__aenter__")


def is_read(upstream: Any) -> bool:
    """Return whether this is read as it is; a class is not called, but refused."""
    return isinstance(upstream, type) or hasattr(upstream, "__iter__") or hasattr(upstream, "__aiter__")


def _opened_by(function: str, open_upstream: Callable[[], Any]) -> Source:
    from ..opening import AsyncOpening, Opening

    opening = (AsyncOpening if function.startswith("a") else Opening)(open_upstream, function)
    return Source(opening, abort=opening.abort)


def _both(own: Callable[[], object] | None, callers: Callable[[], object]) -> Callable[[], object]:
    """Return what interrupts upstream both ways: the caller's may know a connection that is still being opened."""

    def abort() -> None:
        if own is not None:
            own()
        callers()

    return abort
