"""Rules on what happened to events on their way: buffered, lost, repeated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...core.account import count_repetitions
from ...core.report import Verdict
from ..facts import Facts, printable
from .finding import Finding, note, plural, problem

_CIRCLES: Final = 8  # times that a passage stands in a row, from which the model goes in circles
_LONG_REASONING: Final = 60.0  # seconds
_CLOCK_SKEW: Final = 60.0  # seconds that two clocks may differ


def buffered(facts: Facts) -> Iterator[Finding]:
    """Events were buffered on their way. Coalesced chunks alone are healthy; it takes timestamps, or a long wait."""
    if not facts.timed or facts.event_span is None:
        return
    arrived = facts.event_span[1] - facts.event_span[0]
    if facts.stamps is not None and not _is_saved(facts, facts.stamps, facts.event_span[1]):
        written = facts.stamps[1] - facts.stamps[0]
        if written >= 1.0 and arrived < written / 4:
            yield from _buffered_because(
                f"the server wrote over {written:.1f} s by its own stamps, all arrived within {arrived:.1f} s"
            )
            return
    if facts.content >= 10 and facts.content_span is not None and facts.ended is not None:
        spread, waited = facts.content_span[1] - facts.content_span[0], facts.content_span[0]
        if waited >= 2.0 and spread < waited / 20:
            yield from _buffered_because(
                f"nothing for {waited:.1f} s, then {facts.content} pieces of content within {spread:.2f} s"
            )


def _is_saved(facts: Facts, stamps: tuple[float, float], last: float) -> bool:
    """Whether the body was written at another time, as when `cat` pipes a saved one.

    What a proxy buffers arrives when the server is done: not before it can have been written, and soon after that.
    """
    if last < (stamps[1] - stamps[0]) / 2:
        return True
    return facts.wall_clock is not None and abs(facts.wall_clock + last - stamps[1]) > _CLOCK_SKEW


def _buffered_because(evidence: str) -> Iterator[Finding]:
    yield from problem(
        "buffered",
        "It was buffered on its way and came in one lump: look for proxy_buffering, compression, or a synchronous "
        "iterator under ASGI. `X-Accel-Buffering: no` and `Cache-Control: no-transform` ask proxies not to.",
        evidence,
    )


def numbering(facts: Facts) -> Iterator[Finding]:
    """Sequence numbers have gaps, or go back."""
    forward = [(last, now) for last, now in facts.number_gaps if now > last + 1]
    back = [(last, now) for last, now in facts.number_gaps if now <= last]
    if forward:
        last, now = forward[0]
        lost = sum(now - last - 1 for last, now in forward)
        yield from problem(
            "events-missing",
            "Events are missing: something between the server and here removed them.",
            f"sequence_number goes from {last} to {now}; {plural(lost, 'event')} in all",
        )
    if back:
        last, now = back[0]
        yield from problem(
            "events-repeated", "Events came again, or out of order.", f"sequence_number {now} after {last}"
        )


def repeated_content(facts: Facts) -> Iterator[Finding]:
    """The answer began again, pieces of text are cumulative, or the model repeats itself."""
    report = facts.report
    if report.second_beginnings:
        yield from problem(
            "began-again",
            "The answer began again in the same stream: an unannounced retry.",
            f"{plural(report.second_beginnings, 'second beginning')}",
        )
    if report.cumulative_text:
        yield from problem(
            "cumulative-text",
            "Each piece holds all of the text before it: a client that joins them repeats it.",
            "choice 0",
        )
    if report.repetitions >= _CIRCLES:
        yield from problem(
            "repetition", "The model repeats itself without end.", f"the last passage stands {report.repetitions} times"
        )


def reasoning_only(facts: Facts) -> Iterator[Finding]:
    """The model reasoned, and wrote no answer: without end, or, as healthy models may, until it had no tokens left."""
    report = facts.report
    if not report.reasoning or report.text or report.refusal or report.tool_calls:
        return
    span = facts.content_span or (0.0, 0.0)
    took = span[1] - span[0] if facts.timed else 0.0
    is_complete = report.verdict in (Verdict.COMPLETE, Verdict.DAMAGED)
    circles = count_repetitions(report.reasoning)
    is_endless = circles >= _CIRCLES or (took >= _LONG_REASONING and not is_complete)
    if is_endless or is_complete:
        evidence = [f"{plural(len(report.reasoning), 'character')} of reasoning", "no text"]
        evidence += [f"over {took:.1f} s"] if took else []
        evidence += [f"its last passage stands {circles} times"] if circles >= _CIRCLES else []
        evidence += [f"finish_reason {printable(report.finish_reason)[:40]}"] if report.finish_reason else []
        says = "The model only reasoned, and no answer came: limit its reasoning, or allow it more tokens."
        yield from (problem if is_endless else note)("reasoning-only", says, ", ".join(evidence))
