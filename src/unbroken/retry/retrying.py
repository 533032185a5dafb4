"""A source that opens upstream again when it fails, and neither loses nor doubles an event.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..adapters.source import Source
from .attempt import Attempt
from .loop import course
from .policy import Retry


def retrying(
    connect: Callable[[Attempt], Any],
    *,
    retry: Retry | None = None,
    resume: bool = False,
    on_retry: Callable[[Attempt], object] | None = None,
) -> Source:
    """Open upstream with `connect(attempt)`, and again when it fails; pass the result to `repair` or `iter_events`.

    `connect` gives an iterable of bytes, a response as `from_response` takes it, a `Source`, or a context manager of
    one of these; it runs in the thread that reads. A response with a status of 400 or more is a failure.

    Another attempt is made only while no event was delivered. `resume=True` also goes on after events that bore an
    `id:`; the server must give each event an id of its own, and either continue behind `attempt.last_event_id` or
    send the same events again. `on_retry` is called with every attempt but the first, before its delay begins.
    """
    return course("retrying", connect, retry, resume, on_retry)


def aretrying(
    connect: Callable[[Attempt], Any],
    *,
    retry: Retry | None = None,
    resume: bool = False,
    on_retry: Callable[[Attempt], object] | None = None,
) -> Source:
    """Do what `retrying` does for an asynchronous client; pass the result to `arepair` or `aiter_events`.

    `connect` may be a coroutine function, and gives an asynchronous iterable, a response, a `Source`, or an
    asynchronous context manager of one of these; it runs in the task that reads.
    """
    return course("aretrying", connect, retry, resume, on_retry)
