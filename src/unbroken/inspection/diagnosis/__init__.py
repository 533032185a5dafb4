"""The diagnosis of a stream: what its facts mean, in plain words.

Each rule is a function that reads the facts and yields findings with their evidence; one table lists the rules.
What healthy streams do is at most a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from ...core.quantities import safe_name
from ...core.report import Verdict
from ..facts import Facts
from . import delivery, ending, head, limits, mended, silence, watching
from .finding import Finding, plural

__all__ = ["Finding", "diagnose", "headline", "summary"]


_RULES: Final[tuple[Callable[[Facts], Iterator[Finding]], ...]] = (
    *(ending.refused, ending.error_inside, ending.recorded_failure, head.compression, limits.cut_at_limit),
    *(silence.silent_at_end, ending.no_events, ending.first_event_only, ending.ended_at_first_heartbeat),
    *(ending.missing_terminator, ending.hole, head.content_length),
    *(delivery.buffered, silence.alive_without_progress, silence.no_heartbeat, delivery.numbering),
    *(head.content_type, head.hop_by_hop),
    *(ending.missing_finish_reason, ending.incomplete_tool_calls, delivery.repeated_content),
    *(delivery.reasoning_only, mended.spelling_faults, mended.mended, watching.stopped_watching),
)
"""The rules, the weightiest first."""


def diagnose(facts: Facts) -> list[Finding]:
    """Return what was found in a stream that has ended: problems first, the weightiest first."""
    found = [finding for rule in _RULES for finding in rule(facts)]
    return sorted(found, key=lambda finding: finding.level != "problem")


def headline(facts: Facts, findings: list[Finding]) -> str | None:
    """Return the sentence for a stream in which no problem was found; None if there is one."""
    if any(finding.level == "problem" for finding in findings):
        return None
    if facts.stopped and facts.report.verdict is Verdict.CANCELLED:
        return "Nothing is wrong with what came, but the stream had not ended."
    return "Nothing is wrong with this stream."


def summary(facts: Facts) -> str:
    """Return one line on what arrived and how the stream ended."""
    report = facts.report
    what = safe_name(report.dialect or (report.format.value if report.format else "unknown format"))
    took = f", {facts.ended:.1f} s" if facts.timed and facts.ended is not None else ""
    verdict = "stopped watching" if facts.stopped else report.verdict.value
    came = f"{plural(report.events, 'event')}, {plural(report.comments, 'comment')}, {report.bytes_in:,} bytes{took}"
    return f"{what}: {came}; {verdict}"
