"""The rule on a stream that had not ended when its watcher left: what it was in the middle of."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.report import Verdict
from ..facts import Facts, printable
from .finding import Finding, note, plural


def stopped_watching(facts: Facts) -> Iterator[Finding]:
    """The user stopped watching while the stream was still open."""
    if facts.stopped and facts.report.verdict is not Verdict.FAILED:
        yield from note("stopped-watching", f"You stopped watching while {_under_way(facts)}.", _since(facts))


def _under_way(facts: Facts) -> str:
    """Return what had not ended, as a clause."""
    report, progress, last = facts.report, facts.progress, facts.progress.last
    if report.verdict is not Verdict.CANCELLED:
        return "the connection was still open: the answer had ended"
    if last is None:
        came = report.comments + facts.pings
        if came:
            return "only heartbeats came, and no event"
        return "nothing but the response head had come" if facts.head else "nothing had come yet"
    if progress.open_part is not None:
        return f"{printable(progress.open_part)} was open: it had begun and not ended"
    if progress.ended_part is not None:
        return f"nothing followed {printable(progress.ended_part)}, which had ended"
    if last.is_tool:
        names = [call["name"] for call in report.tool_calls if call["name"]]
        name = f" {printable(str(names[-1]))[:60]}" if names else ""
        return f"nothing followed the tool call{name}"
    if report.dialect is None:
        return "it was still open"
    if report.text or report.refusal:
        return "the answer was not complete"
    return "it was reasoning, before any text" if report.reasoning else "the answer had not begun"


def _since(facts: Facts) -> str:
    """Return the last event and what came after it, with times where they are known."""
    last, heartbeats = facts.progress.last, facts.progress.heartbeats
    parts = [f"the last event was number {last.number}, {last.name}" if last else "no event"]
    began = last.at if last else 0.0
    took = f" in {facts.ended - began:.1f} s" if facts.timed and facts.ended is not None else ""
    after = "after it " if last else ""
    parts.append(f"{after}{plural(heartbeats, 'heartbeat') if heartbeats else 'nothing'}{took}")
    return "; ".join(parts)
