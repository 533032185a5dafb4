"""A source that opens upstream again when it fails, and neither loses nor doubles an event.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..adapters.source import Source
from .connections import AsyncConnection, Attempt, Connection
from .loop import RetryLoop
from .policy import Retry


def retrying(
    connect: Callable[[Attempt], Any],
    *,
    retry: Retry | None = None,
    resume: bool = False,
    on_retry: Callable[[Attempt], object] | None = None,
) -> Source:
    """Return a source for `repair` or `iter_events` that opens upstream with `connect(attempt)`, and again on failure.

    `connect` returns an iterable of bytes, a response as `from_response` takes it, a `Source`, or a context manager
    of one of these; it runs in the thread that reads. A response with a status of 400 or more is a failure. `retry`
    is the retry policy, None for `Retry()`.

    Another attempt is made only while no event was delivered. With `resume=True` another one also follows events that
    had an `id:`; the server must give each event an id of its own, and either continue after `attempt.last_event_id`
    or send the same events again. `on_retry` is called with every attempt but the first, before its delay begins;
    what it raises is logged.

    Raises `TypeError` for a wrong argument. What `connect` raises is a failure of upstream; a `TypeError` that says
    the fix is raised while iterating where it returns what cannot be read.
    """
    return RetryLoop("retrying", Connection, connect, retry, resume, on_retry).source(Attempt())


def aretrying(
    connect: Callable[[Attempt], Any],
    *,
    retry: Retry | None = None,
    resume: bool = False,
    on_retry: Callable[[Attempt], object] | None = None,
) -> Source:
    """Return a source for `arepair` or `aiter_events` that retries as `retrying` does, for an asynchronous client.

    `connect` may be a coroutine function, and returns an asynchronous iterable, a response, a `Source`, or an
    asynchronous context manager of one of these; it runs in the task that reads.
    """
    return RetryLoop("aretrying", AsyncConnection, connect, retry, resume, on_retry).source(Attempt())
