"""Rules on how a stream ended: refused, failed, cut, or without its terminator or finish reason."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.events import Format
from ...core.failure import SENTENCES
from ...core.quantities import safe_name
from ...core.report import Verdict
from ..facts import Facts, printable
from .finding import Finding, plural, problem
from .head import is_compressed
from .silence import fell_silent

_ENDED = (Verdict.COMPLETE, Verdict.DAMAGED)
"""The verdicts of a stream whose terminator came."""
_EMPTY = "empty"
"""The code of a failure which is that no event came; nothing is in the bytes then that says so."""


def refused(facts: Facts) -> Iterator[Finding]:
    """The status is not a success."""
    if facts.refused and facts.head:
        is_told = facts.failure is not None and facts.failure.code != "not-a-stream"  # that finding has the words
        evidence = f"the response head{_words(facts) if is_told else ''}"
        yield from problem("status", f"The server refused with status {facts.head.status}.", evidence)


def error_inside(facts: Facts) -> Iterator[Finding]:
    """The body is not a stream, or has an error in it."""
    failure = facts.failure
    if failure is None or failure.code == _EMPTY or is_compressed(facts):
        return
    status = f", as a status {failure.status_hint} would" if failure.status_hint else ""
    if failure.code == "not-a-stream":
        was = {
            "markup": "an HTML page",
            "json-error": "a JSON error",
            "json": "one JSON document",
            "http-head": "a response head without a success status",
            "binary": "binary data",
        }.get(failure.error_type or "", "something unknown")
        yield from problem(
            "not-a-stream",
            f"The body is not a stream but {was}.",
            f"recognised by its first bytes{status}{_words(facts)}",
        )
    elif not facts.refused:
        yield from problem(
            "error-inside",
            "An error came inside a response with a success status: a client that checks only the status misses it.",
            f"{failure.code}{status}{_events_before(facts)}{_words(facts)}",
        )


def _events_before(facts: Facts) -> str:
    """Return how many events came before the one that is the error; "" if no event is."""
    return "" if facts.failing_event is None else f", after {plural(facts.failing_event - 1, 'event')}"


def _words(facts: Facts) -> str:
    """Return the words by which upstream reported the failure, fit for a terminal; "" if there are none."""
    said = (facts.failure and facts.failure.detail) or facts.failing_text
    return f'; upstream said: "{printable(said)}"' if said else ""


def recorded_failure(facts: Facts) -> Iterator[Finding]:
    """A flight record says how the stream failed."""
    if facts.report.timeout is not None:
        yield from problem("timeout", f"The {facts.report.timeout} clock ran out and ended it.", "the flight record")
    elif facts.connection_failed:
        yield from problem("connection-failed", "The connection to the upstream broke.", "the flight record")
    elif facts.recorded_failed and facts.failure is None:
        code = facts.recorded_error
        says = SENTENCES[code] if code else "The stream failed, and its record does not say why."
        yield from problem(code or "failed", says, "the flight record")


def no_events(facts: Facts) -> Iterator[Finding]:
    """The stream ended by itself without any event, and nothing else explains it."""
    report = facts.report
    failed = facts.failure is not None and facts.failure.code != _EMPTY
    is_explained = failed or facts.recorded or facts.stopped or fell_silent(facts)
    is_whole = report.verdict in _ENDED or (report.format is Format.JSON_ARRAY and report.verdict is Verdict.ENDED)
    if is_explained or facts.refused or facts.is_bodiless or is_whole or facts.event_span is not None:
        return
    came = f"{plural(report.comments + facts.pings, 'heartbeat')}, {report.bytes_in:,} bytes"
    if facts.head_cut:
        yield from problem("nothing-came", "The response was cut within its head.", "no blank line ends it")
    elif report.bytes_in == 0:
        yield from problem("nothing-came", "Nothing came at all: the body is empty.", "0 bytes")
    elif report.comments + facts.pings:
        yield from problem("nothing-came", "No event came, heartbeats only.", came)
    else:
        yield from problem("nothing-came", "No event came.", came)


def first_event_only(facts: Facts) -> Iterator[Finding]:
    """A stream read from a file was cut after its first event."""
    if facts.timed or facts.report.events != 1 or facts.report.verdict is not Verdict.TRUNCATED:
        return
    yield from problem("nothing-after-first-event", "Nothing came after the first event.", "one event in all")


def ended_at_first_heartbeat(facts: Facts) -> Iterator[Finding]:
    """The stream was cut short right after its first heartbeat."""
    heartbeats = facts.report.comments + facts.pings
    if facts.cut_short and heartbeats == 1 and facts.last_kind in ("comment", "ping") and facts.report.events:
        yield from problem(
            "ended-at-first-heartbeat",
            "It ended right after its first heartbeat: a timer that cancels the read it waits for (wait_for around "
            "anext) does that.",
            f"after {plural(facts.report.events, 'event')} and one heartbeat",
        )


def missing_terminator(facts: Facts) -> Iterator[Finding]:
    """The stream was truncated, perhaps within a tool call."""
    report = facts.report
    if report.verdict is not Verdict.TRUNCATED:
        return
    if facts.recorded:
        yield from problem("missing-terminator", "The stream was cut before its end.", "the flight record")
        return
    says = "The stream was cut: the terminator of its dialect never came."
    known = f"{safe_name(report.dialect)} streams end with one" if report.dialect else "the last piece is not whole"
    yield from problem("missing-terminator", says, known)
    calls = [call for call in report.tool_calls if not call["arguments_complete"]]
    if calls:
        yield from _tool_cut(len(calls))


def incomplete_tool_calls(facts: Facts) -> Iterator[Finding]:
    """The stream is complete, but the arguments of a tool call are not."""
    report = facts.report
    # Some servers send `null` for a call without arguments.
    calls = [
        call for call in report.tool_calls if not call["arguments_complete"] and call["arguments"] not in ("", "null")
    ]
    if report.verdict in _ENDED and calls:
        yield from _tool_cut(len(calls))


def _tool_cut(count: int) -> Iterator[Finding]:
    yield from problem(
        "tool-call-cut",
        "The arguments of a tool call are incomplete JSON: a client that runs the call runs half of it.",
        f"{plural(count, 'call')}",
    )


def hole(facts: Facts) -> Iterator[Finding]:
    """The stream ended with its terminator, and a payload is missing or cannot be read."""
    if facts.report.verdict is Verdict.DAMAGED:
        yield from problem(
            "damaged", "The terminator came, but a payload before it was lost: the answer has a hole.", "the verdict"
        )


def missing_finish_reason(facts: Facts) -> Iterator[Finding]:
    """`[DONE]` came without a finish reason."""
    report = facts.report
    if report.verdict in _ENDED and report.dialect == "openai-chat" and facts.content and not report.finish_reason:
        yield from problem(
            "missing-finish-reason", "`[DONE]` came, but no finish_reason: the answer may not be whole.", "choice 0"
        )
