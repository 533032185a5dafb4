"""Rules on times without a byte, and on times without an event."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.report import Verdict
from ..facts import Facts
from ..inspector import STALL
from .finding import Finding, note, plural, problem
from .limits import IDLE_LIMITS


def silent_at_end(facts: Facts) -> Iterator[Finding]:
    """The stream was silent for long at its end."""
    if not fell_silent(facts) or facts.report.verdict in (Verdict.COMPLETE, Verdict.DAMAGED):
        return
    last = facts.silences[-1]
    evidence = f"{last.seconds:.1f} s without a byte, from {last.began:.1f} s to the end"
    if last.events == 0 and not facts.report.comments:
        yield from problem("nothing-came", "Nothing came at all: the model or something before it is stuck.", evidence)
    elif last.after == "tool-call":
        yield from problem(
            "silence-after-tool-call",
            "It fell silent after a tool call: the tool, or whoever runs it, has not answered.",
            evidence,
        )
    elif last.events == 1:
        yield from problem(
            "nothing-after-first-event",
            "Nothing came after the first event: the model was asked and is thinking, or is stuck.",
            evidence,
        )
    else:
        yield from problem(
            "silence-at-the-end", "It fell silent in the middle of its answer and never went on.", evidence
        )


def fell_silent(facts: Facts) -> bool:
    """Whether the last silence lasted to the end."""
    if not facts.silences or facts.ended is None:
        return False
    return facts.silences[-1].began + facts.silences[-1].seconds >= facts.ended - 0.001


def no_heartbeat(facts: Facts) -> Iterator[Finding]:
    """There were silences without a heartbeat, perhaps longer than common idle limits."""
    if not facts.silences:
        return
    longest = max(facts.silences, key=lambda silence: silence.seconds)
    cutters = [f"{whose} ({limit:g} s)" for limit, whose in IDLE_LIMITS if limit <= longest.seconds]
    count = plural(len(facts.silences), "silence")
    evidence = f"{longest.seconds:.1f} s without a byte, from {longest.began:.1f} s on; {count}"
    if cutters:
        says = "There was no heartbeat in a silence that these cut: " + "; ".join(cutters) + "."
        yield from problem("no-heartbeat", says, evidence)
    else:
        yield from note("no-heartbeat", f"There was no heartbeat in a silence of more than {STALL:g} s.", evidence)


def alive_without_progress(facts: Facts) -> Iterator[Finding]:
    """For at least a minute heartbeats came, but no event; for less, if somebody stopped watching meanwhile."""
    if not facts.timed or facts.ended is None:
        return
    waited = facts.longest_wait_with_heartbeats
    if facts.report.verdict not in (Verdict.COMPLETE, Verdict.DAMAGED) and facts.last_kind in ("comment", "ping"):
        at_end = facts.ended - (facts.event_span[1] if facts.event_span else 0.0)
        gives_up = facts.stopped and at_end >= STALL
        waited = max(waited, at_end)
    else:
        gives_up = False
    if waited >= 60.0 or gives_up:
        yield from problem(
            "alive-without-progress",
            "Heartbeats came, but no event: clients that wait for bytes hang, and clients that count events give up.",
            f"{waited:.1f} s without an event",
        )
