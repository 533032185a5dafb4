"""One opening of upstream, as `connect` sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attempt:
    """One opening of upstream: what `connect` is told.

    `number` counts from 1. `last_event_id` is the id of the last event delivered, or before any the one that the
    stream was told to start from, for a `Last-Event-ID` header; "" where there is none. `error` is what ended the
    attempt before, `delay` the seconds waited since.
    """

    number: int = 1
    last_event_id: str = ""
    error: BaseException | None = None
    delay: float = 0.0
