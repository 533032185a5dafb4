"""Errors of no known dialect: one that is all of a stream failed it, and one before an answer may be the answer's."""

from __future__ import annotations

from typing import Any, Final

from .dialect import Dialect, EventClass
from .events import Event, Format
from .failure import MAX_DETAIL, Failure, begins_with_error, own_failure, tells_plainly
from .proof import prove
from .registry import dialect_named
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
_MAX_EARLY: Final = 16
"""Events that are kept, of at most `MAX_DETAIL` characters each, until the dialect is known that reads them."""


class LoneError:
    """Remembers a first event that is nothing but an error, until another one follows; and what may be one later."""

    __slots__ = ("_early", "_report", "_unwritten", "failure", "is_plain", "stands_alone")

    def __init__(self, report: StreamReport) -> None:
        self._report = report
        self._early: list[tuple[str, str]] = []  # names and payloads
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
        elif state.early_error is None and len(self._early) < _MAX_EARLY and _may_tell(event, value):
            self._early.append((event.event, event.data))
        if self._report.events > self._unwritten:
            return
        self.stands_alone = is_body or _says_error(event.event, value)
        self.is_plain = tells_plainly(value)
        if self.stands_alone or _may_be_error(event, value):
            self.failure = Failure("upstream-error", detail=event.data[:MAX_DETAIL] or None)
            if state.masks_errors and self.stands_alone:
                state.forwarded_error(self.failure)  # now: what follows comes too late

    def end(self, state: State) -> None:
        """Fail the stream that ended behind the error, which was all of it."""
        if self.failure is not None and self.stands_alone:
            state.forwarded_error(self.failure)

    def forget(self) -> None:
        """Note that an answer follows, or another connection."""
        self.failure = None
        self._early = []

    def enter(self, dialect: Dialect, converts_to: str | None, state: State) -> None:
        """Note that an answer follows: what its dialect, or the one that it is converted to, reads as an error was one.

        New ones are asked: the state of the stream's own is that of what came later.
        """
        early = self._early
        self.forget()
        for name, data in early:
            for reader in (type(dialect), *([dialect_named(converts_to)] if converts_to else ())):
                reading = reader().read(name, prove(data)) if reader.json_payloads else None
                if reading is not None and reading.kind is EventClass.ERROR:
                    state.forwarded_early_error(reading.failure or Failure("upstream-error"))


def own_failure_in_prose(event: Event, value: Any, format: Format | None) -> Failure | None:
    """Return the failure that an error of ours tells where payloads are prose: as SSE it has the name `error`."""
    if event.event == "error":
        return own_failure(prove(event.data))
    return own_failure(value) if format is not Format.SSE else None


def _says_error(name: str, value: Any) -> bool:
    """Return whether an object says that it is an error; among others it may be a record of one.

    Words under the name `error` are prose, which is left alone.
    """
    if not isinstance(value, dict):
        return False
    if name == "error":
        return not _WORDS.isdisjoint(value)
    if value.get("error") is True or _is_error_response(value):
        return True
    return any(value.get(key) == "error" for key in _SAYS_ERROR)


def _is_error_response(value: dict[str, Any]) -> bool:
    """Return whether an object is an error response of JSON-RPC 2.0 (section 5), as A2A's servers and others send."""
    return value.get("jsonrpc") == "2.0" and isinstance(value.get("error"), dict) and "result" not in value


def _may_tell(event: Event, value: Any) -> bool:
    """Return whether a payload may be an error in some dialect, and is short enough to be kept."""
    if not isinstance(value, dict) or len(event.data) > MAX_DETAIL:
        return False
    return not _WORDS.isdisjoint(value) or _says_error(event.event, value)


def _may_be_error(event: Event, value: Any) -> bool:
    """Return whether a payload can only be an error where the sentinel of chat follows, and no answer came."""
    if not isinstance(value, dict):
        is_named = event.event == "error" and value is not None
        return is_named or begins_with_error(event.data[:MAX_DETAIL].encode("utf-8", "replace"))
    return not _WORDS.isdisjoint(value) and value.keys() <= _WORDS | _BESIDE and any(map(value.get, _WORDS))
