"""Which events are errors of upstream's that are not forwarded, since their words are not to reach a client."""

from __future__ import annotations

from typing import Any

from .events import Event
from .failure import MAX_DETAIL, begins_with_error, failure_in_words, holds_only_ours, is_ours
from .proof import FLAWED, UNPROVEN, prove
from .state import Mode, State


def is_masked(state: State, event: Event, value: Any) -> bool:
    """Return whether this event, which was read already, is an error that is told in our words instead."""
    is_named = event.event == "error"
    if is_named and value is FLAWED:
        value = prove(event.data)  # prose, unless it is an error of ours
    if is_named or ((value is FLAWED or value is UNPROVEN) and state.mode is Mode.KNOWN):
        words = event.data[:MAX_DETAIL].encode("utf-8", "replace")
        if is_named or begins_with_error(words):
            state.named_error(failure_in_words(words))
    if state.masked is not None and is_ours(value) and holds_only_ours(value):
        state.forwarded_error(state.masked, has_words=False, is_ours=True)  # an earlier proxy masked it, or wrote it
    return state.masked is not None
