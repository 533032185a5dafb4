"""Rules on what happened to events on their way: buffered, lost, repeated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..facts import Facts
from .finding import Finding, plural, problem

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
    if report.repetitions >= 8:
        yield from problem(
            "repetition", "The model repeats itself without end.", f"the last passage stands {report.repetitions} times"
        )
