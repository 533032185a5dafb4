"""One attempt to open upstream, as `connect` and `on_retry` see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to open upstream; `connect` and `on_retry` are called with it.

    `number` counts from 1. `last_event_id`, for a `Last-Event-ID` header, is the id of the last event delivered; before
    the first event, the one that the stream was given to start from; "" if there is none. `error` is the exception that
    ended the previous attempt, None for the first. `delay` is how many seconds this attempt waits before it opens
    upstream.
    """

    number: int = 1
    last_event_id: str = ""
    error: BaseException | None = None
    delay: float = 0.0
