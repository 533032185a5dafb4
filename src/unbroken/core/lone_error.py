"""An error of no known dialect that is all of a stream: it failed, while in a feed of events others follow."""

from __future__ import annotations

from typing import Any, Final

from .events import Event
from .failure import MAX_DETAIL, Failure, begins_with_error
from .report import StreamReport
from .sniffer import is_error_body
from .state import State

_SAYS_ERROR: Final = ("type", "object", "status")
_WORDS: Final = frozenset(("message", "msg", "detail", "details", "errors", "error", "errorText", "title"))
_BESIDE: Final = frozenset(
    (
        *("code", "status", "status_code", "statusCode", "success", "type", "object", "param", "timestamp", "path"),
        *("request_id", "requestId", "error_type", "error_code"),
    )
)


class LoneError:
    """Remembers a first event that is nothing but an error, until another one follows."""

    __slots__ = ("_report", "_unwritten", "failure", "is_plain", "stands_alone")

    def __init__(self, report: StreamReport) -> None:
        self._report = report
        self._unwritten = 0  # events that were counted, but have no form in the framing of the output
        self.stands_alone = False
        """Whether it fails a stream that ends behind it, as it would one of a dialect."""
        self.is_plain = False
        """Whether it says so under `error`, where clients of any dialect look."""
        self.failure: Failure | None = None
        """What it reports, if the sentinel of chat follows, and nothing else came."""

    def note(self, event: Event, value: Any, state: State, *, leaves: bool = True) -> None:
        """Look at an event of no known dialect before it is written; `value` is that of its data.

        `leaves`: something is written for it; one for which nothing is written counts as not received.
        """
        if not leaves:
            self._unwritten += 1
            return
        self.failure = None
        is_body = is_error_body(value)
        if is_body or (event.event == "error" and value is not None):
            state.forwarded_early_error(Failure("upstream-error"))
        if self._report.events > self._unwritten:
            return
        self.stands_alone = is_body or _says_error(event.event, value)
        self.is_plain = isinstance(value, dict) and bool(value.get("error"))
        if self.stands_alone or _may_be_error(event, value):
            self.failure = Failure("upstream-error", detail=event.data[:MAX_DETAIL] or None)
            if state.masks_errors and self.stands_alone:
                state.forwarded_error(self.failure)  # now: what follows comes too late

    def end(self, state: State) -> None:
        """Fail the stream that ended behind the error, which was all of it."""
        if self.failure is not None and self.stands_alone:
            state.forwarded_error(self.failure)

    def forget(self) -> None:
        """Note that an answer follows."""
        self.failure = None


def _says_error(name: str, value: Any) -> bool:
    """Return whether an object says that it is an error; among others it may be a record of one.

    Words under the name `error` are prose, which is left alone.
    """
    if not isinstance(value, dict):
        return False
    if name == "error":
        return not _WORDS.isdisjoint(value)
    return value.get("error") is True or any(value.get(key) == "error" for key in _SAYS_ERROR)


def _may_be_error(event: Event, value: Any) -> bool:
    """Return whether a payload can only be an error where the sentinel of chat follows, and no answer came."""
    if not isinstance(value, dict):
        return event.event == "error" or begins_with_error(event.data[:MAX_DETAIL].encode("utf-8", "replace"))
    return not _WORDS.isdisjoint(value) and value.keys() <= _WORDS | _BESIDE and any(map(value.get, _WORDS))
