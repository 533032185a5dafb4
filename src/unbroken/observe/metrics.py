"""Metrics over many streams, as a snapshot or for Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
Labels are a closed set but for provider and dialect, which callers name; past `MAX_PROVIDERS` they count as "other".
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ..core.observer import Observer
from ..core.report import StreamReport, Verdict

MAX_PROVIDERS: Final = 64
"""Providers, and dialects, that are counted apart."""
MAX_LABEL: Final = 128
"""Characters of a provider's name that are kept."""
BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Upper bounds of the histograms, in seconds."""

MAX_GAPS: Final = 1024
"""Gaps between content that are put into their histogram at once."""

_Labels = tuple[tuple[str, str], ...]


class Histogram:
    """A histogram of seconds, by `BUCKETS`; `counts` is per bucket, the last one above all bounds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.sum += seconds

    def add_all(self, seconds: list[float]) -> None:
        """Count many, and sort them: a sixth of the cost of finding the bucket of each."""
        seconds.sort()
        below = 0
        for index, bound in enumerate(BUCKETS):
            upto = bisect_right(seconds, bound)
            self.counts[index] += upto - below
            below = upto
        self.counts[-1] += len(seconds) - below
        self.sum += sum(seconds)

    @property
    def count(self) -> int:
        """The number of observations."""
        return sum(self.counts)

    def as_dict(self) -> dict[str, Any]:
        """Return number, sum, and the cumulative counts by upper bound."""
        return {"count": self.count, "sum": self.sum, "buckets": dict(self.cumulative())}

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """Yield each upper bound, as Prometheus spells it, and the number of observations up to it."""
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self.counts, strict=True):
            total += count
            yield bound, total


_COUNTERS: Final = {
    "streams": "Streams that ended, by verdict, provider and dialect.",
    "bytes_in": "Bytes read from upstream.",
    "bytes_out": "Bytes written.",
    "events": "Events forwarded.",
    "repairs": "Repairs, by kind.",
    "heartbeats": "Heartbeats written.",
    "timeouts": "Streams ended by a clock, by clock.",
    "retries": "Connections that were opened again.",
    "failed_tokens": "Tokens that were delivered on streams that then failed or were cut.",
}
_HISTOGRAMS: Final = {
    "duration": "How long streams took.",
    "first_byte": "Time to the first byte.",
    "first_event": "Time to the first event.",
    "first_content": "Time to the first content.",
    "content_gap": "Time between content and the content before it.",
}


class Collector(Observer):
    """Collects metrics of all streams that it observes; pass the same one to each. Thread-safe."""

    _cannot_raise = frozenset({"content"})

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active = 0
        self._counters: dict[str, Counter[_Labels]] = {name: Counter() for name in _COUNTERS}
        self._histograms: dict[str, Histogram] = {name: Histogram() for name in _HISTOGRAMS}
        self._gaps: deque[float] = deque()  # that are not in their histogram yet
        self._providers: set[str] = set()
        self._dialects: set[str] = set()

    def started(self, report: StreamReport) -> None:
        """Count a stream as active."""
        with self._lock:
            self._active += 1

    def content(self, report: StreamReport, gap: float) -> None:
        """Count the seconds since the content before."""
        # No lock: appending is atomic, and this is called for each event.
        self._gaps.append(gap)
        if len(self._gaps) >= MAX_GAPS:
            with self._lock:
                self._count_gaps()

    def _count_gaps(self) -> None:
        gaps = self._gaps
        self._histograms["content_gap"].add_all([gaps.popleft() for _ in range(len(gaps))])

    def ended(self, report: StreamReport) -> None:
        """Add the figures of a stream."""
        tokens = report.tokens_received if report.verdict in (Verdict.FAILED, Verdict.TRUNCATED) else 0
        with self._lock:
            self._active -= 1
            self._count_gaps()
            self._count("streams", 1, verdict=report.verdict.value, **self._origin(report))
            self._count("failed_tokens", tokens, **self._origin(report))
            for name in ("bytes_in", "bytes_out", "events", "heartbeats", "retries"):
                self._count(name, getattr(report, name))
            for kind, count in report.repairs.items():
                self._count("repairs", count, kind=kind.value)
            if report.timeout is not None:
                self._count("timeouts", 1, clock=report.timeout)
            for name in ("duration", "first_byte", "first_event", "first_content"):
                if (seconds := getattr(report, name)) is not None:
                    self._histograms[name].add(seconds)

    def _origin(self, report: StreamReport) -> dict[str, str]:
        return {
            "provider": _bounded(self._providers, report.provider),
            "dialect": _bounded(self._dialects, report.dialect),
        }

    def _count(self, name: str, amount: int, **labels: str) -> None:
        if amount:
            self._counters[name][tuple(sorted(labels.items()))] += amount

    def snapshot(self) -> dict[str, Any]:
        """Return all metrics, ready for JSON: counters as lists of labels and values, histograms in seconds."""
        with self._lock:
            self._count_gaps()
            counters = {
                name: [{"labels": dict(labels), "value": value} for labels, value in sorted(values.items())]
                for name, values in self._counters.items()
            }
            histograms = {name: histogram.as_dict() for name, histogram in self._histograms.items()}
            return {"active": self._active, **counters, **histograms}

    def prometheus(self) -> str:
        """Return all metrics in the text format of Prometheus, each named `unbroken_...`."""
        with self._lock:
            self._count_gaps()
            lines = ["# HELP unbroken_active Streams under way.", "# TYPE unbroken_active gauge"]
            lines.append(f"unbroken_active {self._active}")
            for name, text in _COUNTERS.items():
                lines += _counter_lines(f"unbroken_{name}_total", text, self._counters[name].items())
            for name, text in _HISTOGRAMS.items():
                lines += _histogram_lines(f"unbroken_{name}_seconds", text, self._histograms[name])
        return "\n".join(lines) + "\n"


def _bounded(known: set[str], label: str | None) -> str:
    """Return a label as it is written, or "other" once there are too many: labels live as long as the process."""
    if label is None:
        return "unknown"
    # Here, and not when it is written: two labels that are written alike would be the same series twice.
    label = "".join(character if character.isprintable() else "?" for character in label[:MAX_LABEL])
    if label not in known and len(known) >= MAX_PROVIDERS:
        return "other"
    known.add(label)
    return label


def _counter_lines(name: str, text: str, values: Iterable[tuple[_Labels, int]]) -> list[str]:
    lines = [f"# HELP {name} {text}", f"# TYPE {name} counter"]
    return lines + [f"{name}{_spell(labels)} {value}" for labels, value in sorted(values)]


def _histogram_lines(name: str, text: str, histogram: Histogram) -> list[str]:
    lines = [f"# HELP {name} {text}", f"# TYPE {name} histogram"]
    lines += [f'{name}_bucket{{le="{bound}"}} {count}' for bound, count in histogram.cumulative()]
    return [*lines, f"{name}_sum {histogram.sum!r}", f"{name}_count {histogram.count}"]


def _spell(labels: _Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels) + "}"


def _escape(value: str) -> str:
    """Return a label escaped, so that it stays inside of its quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"')
