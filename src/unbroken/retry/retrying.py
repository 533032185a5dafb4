"""A source that opens upstream again when it fails, and neither loses nor doubles an event.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar, cast

from ..adapters.source import Source
from ..core.naming import refuse_unknown_names
from ..opening import AsyncOpening, Opening
from .loop import Attempt, RetryLoop
from .policy import RETRIES, Retry

F = TypeVar("F", bound=Callable[..., Any])
_POLICY = {field.name: f"write retry=unbroken.Retry({field.name}=...)" for field in fields(Retry)}
_MEANT = {**_POLICY, **dict.fromkeys(RETRIES, _POLICY["max_retries"])}


def _names_its_options(function: F) -> F:
    """Have a function name the right option where a wrong one is given."""

    @wraps(function)
    def checked(*given: Any, **named: Any) -> Any:
        refuse_unknown_names(function.__name__, named, ("connect", "retry", "resume", "on_retry", "continues"), _MEANT)
        if not given and "connect" not in named:
            raise TypeError(f"{function.__name__}() takes a function of the attempt: write lambda attempt: ...")
        return function(*given, **named)

    return cast("F", checked)


@_names_its_options
def retrying(
    connect: Callable[[Attempt], Any],
    *,
    retry: Retry | None = None,
    resume: bool = False,
    on_retry: Callable[[Attempt], object] | None = None,
    continues: bool = False,
) -> Source:
    """Return a source for `repair` or `iter_events` that opens upstream with `connect(attempt)`, and again on failure.

    `connect` returns an iterable of bytes, a response as `from_response` takes it, a `Source`, or a context manager
    of one of these; it runs in the thread that reads. A response with a status of 400 or more is a failure. `retry`
    is the retry policy, None for `Retry()`.

    Another attempt is made only while no event was delivered; one that says nothing, as the role of a chat does, waits
    for the first that does, where the dialect is known. With `resume=True` another one also follows events that
    had an `id:`; the server must give each event an id of its own, and either continue after `attempt.last_event_id`
    or send the same events again. `on_retry` is called with every attempt but the first, before its delay begins;
    what it raises is logged.

    With `continues=True` another attempt also follows text, or whole tool calls in dialects that do not number them as
    chat does: `attempt.text` and `attempt.tool_calls` are what was delivered, and `connect` has a model go on behind
    them. The beginning of its answer is left out, and `report.seams` says where it was joined. It excludes `resume`.

    Raises `TypeError` for a wrong argument. What `connect` raises is a failure of upstream; a `TypeError` that says
    the fix is raised while iterating where it returns what cannot be read.
    """
    return RetryLoop("retrying", Opening, connect, retry, resume, on_retry, continues).source(Attempt())


@_names_its_options
def aretrying(
    connect: Callable[[Attempt], Any],
    *,
    retry: Retry | None = None,
    resume: bool = False,
    on_retry: Callable[[Attempt], object] | None = None,
    continues: bool = False,
) -> Source:
    """Return a source for `arepair` or `aiter_events` that retries as `retrying` does, for an asynchronous client.

    `connect` may be a coroutine function, and returns an asynchronous iterable, a response, a `Source`, or an
    asynchronous context manager of one of these; it runs in the task that reads.
    """
    return RetryLoop("aretrying", AsyncOpening, connect, retry, resume, on_retry, continues).source(Attempt())
