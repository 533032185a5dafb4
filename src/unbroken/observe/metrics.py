"""Metrics over many streams of one process, as a snapshot or for Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
Labels are a closed set but for provider and dialect, which callers name; past `MAX_PROVIDERS` they count as "other".
For several processes, `prometheus.py` keeps the same figures in instruments of `prometheus_client`.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol

from ..core.failure import SENTENCES
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


class Watched(Protocol):
    """What has figures of its own, such as a `Replay`."""

    def figures(self) -> dict[str, int]:
        """Return those of this moment, by the names of `REPLAY`."""

    def ends(self) -> dict[tuple[str, str], int]:
        """Return the number of ends by verdict and code."""

    def on_change(self, changed: Callable[[str, int, dict[str, str]], object]) -> None:
        """Have it called with what was counted so far, and with each change: name, amount and labels."""


def check_watched(watching: str, answers: object, *methods: str) -> None:
    """Raise `TypeError` for what has no figures of its own, by these methods: mostly a store in place of a `Replay`."""
    if isinstance(answers, type) or not all(callable(getattr(answers, method, None)) for method in methods):
        kind = answers.__name__ if isinstance(answers, type) else type(answers).__name__
        raise TypeError(f"{watching}.watch(answers) takes a Replay: write watch(Replay(store)), not {kind}")


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


COUNTERS: Final = {
    "streams": "Streams that ended, by verdict, provider and dialect.",
    "bytes_in": "Bytes read from upstream.",
    "bytes_out": "Bytes written.",
    "events": "Events forwarded.",
    "repairs": "Repairs, by kind.",
    "heartbeats": "Heartbeats written.",
    "errors": "Streams that failed or were cut, by the code of the error and provider.",
    "timeouts": "Streams ended by a clock, by clock.",
    "retries": "Connections to upstream that were opened again.",
    "reconnections": "Streams whose reader came back with a `Last-Event-ID`.",
    "failed_tokens": "Tokens that were delivered on streams that then failed or were cut.",
}
"""What is counted, each with its help text."""
LABELS: Final = {
    "streams": ("dialect", "provider", "verdict"),
    "repairs": ("kind",),
    "errors": ("code", "provider"),
    "timeouts": ("clock",),
    "failed_tokens": ("dialect", "provider"),
}
"""The labels of the counters that have any, sorted."""
HISTOGRAMS: Final = {
    "duration": "How long streams took.",
    "first_byte": "Time to the first byte.",
    "first_event": "Time to the first event.",
    "first_content": "Time to the first content.",
    "content_gap": "Time between content and the content before it.",
}
"""What is measured in seconds, each with its help text."""


REPLAY: Final = {
    "running": ("replay_running", "gauge", "Answers that this process produces for replay."),
    "readers": ("replay_readers", "gauge", "Readers of replayed answers."),
    "lag": ("replay_lag_events", "gauge", "Events by which the slowest reader is behind."),
    "store_errors": ("replay_store_errors_total", "counter", "Failures of the store of replayed answers."),
    "trimmed": ("replay_trimmed_events_total", "counter", "Events of replayed answers that were trimmed."),
}
"""The figures of what is watched: name in Prometheus, kind, help text."""
REPLAY_ENDS: Final = ("replay_ends", "Ends of replayed answers, by verdict and the code of the error.")
"""The counter of ends: name in Prometheus, help text."""


class LabelSet:
    """The values of one label that callers choose: at most `MAX_PROVIDERS`, each written safely. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()

    def bounded(self, value: str | None) -> str:
        """Return a value as it is written, or "other" once there are too many: labels live as long as the process."""
        if value is None:
            return "unknown"
        # Here, and not when it is written: two labels that are written alike would be the same series twice.
        label = "".join(character if character.isprintable() else "?" for character in value[:MAX_LABEL])
        with self._lock:
            if label not in self._known and len(self._known) >= MAX_PROVIDERS:
                return "other"
            self._known.add(label)
        return label


class Figures:
    """What one stream adds to the metrics, as names, amounts and labels; remembers which labels it has used."""

    def __init__(self) -> None:
        self._providers = LabelSet()
        self._dialects = LabelSet()
        self._begun: set[str] = set()

    def begin(self, report: StreamReport) -> list[dict[str, str]]:
        """Return the labels under which errors may be counted, for the first stream of each provider; else [].

        Prometheus does not see a counter rise that it did not see before.
        """
        provider = self._providers.bounded(report.provider)
        if provider in self._begun:
            return []
        self._begun.add(provider)
        return [{"code": code, "provider": provider} for code in SENTENCES]

    def counts(self, report: StreamReport) -> Iterator[tuple[str, int, dict[str, str]]]:
        """Yield what a stream that ended adds to each counter, and under which labels."""
        provider, dialect = self._providers.bounded(report.provider), self._dialects.bounded(report.dialect)
        origin = {"provider": provider, "dialect": dialect}
        yield "streams", 1, {"verdict": report.verdict.value, **origin}
        if report.verdict in (Verdict.FAILED, Verdict.TRUNCATED):
            yield "failed_tokens", report.tokens_received, origin
        for name in ("bytes_in", "bytes_out", "events", "heartbeats", "retries"):
            yield name, getattr(report, name), {}
        for kind, count in report.repairs.items():
            yield "repairs", count, {"kind": kind.value}
        if report.error is not None:
            code = report.error.code
            # A dialect of one's own may make up codes, even from what upstream said.
            yield "errors", 1, {"code": code if code in SENTENCES else "other", "provider": provider}
        if report.timeout is not None:
            yield "timeouts", 1, {"clock": report.timeout}

    def seconds(self, report: StreamReport) -> Iterator[tuple[str, float]]:
        """Yield what a stream that ended adds to each histogram, but for gaps."""
        for name in ("duration", "first_byte", "first_event", "first_content"):
            if (seconds := getattr(report, name)) is not None:
                yield name, seconds


class Collector(Observer):
    """Collects metrics of all streams of this process that it observes; pass the same one to each. Thread-safe."""

    _cannot_raise = frozenset({"content"})

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active = 0
        self._counters: dict[str, Counter[_Labels]] = {name: Counter() for name in COUNTERS}
        self._histograms: dict[str, Histogram] = {name: Histogram() for name in HISTOGRAMS}
        self._gaps: deque[float] = deque()  # that are not in their histogram yet
        self._figures = Figures()
        self._watched: list[Watched] = []

    def watch(self, answers: Watched) -> None:
        """Add what a `Replay` does in this process: running answers, readers, their lag, ends, its store's errors."""
        check_watched("Collector", answers, "figures", "ends")
        self._watched.append(answers)

    def started(self, report: StreamReport) -> None:
        """Count a stream as active, and as a reconnection if its reader named an id to go on after."""
        begun = self._figures.begin(report)
        with self._lock:
            self._active += 1
            self._count("reconnections", int(report.last_event_id != ""), {})
            for labels in begun:
                self._counters["errors"].setdefault(_key(labels), 0)

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
        counts = list(self._figures.counts(report))  # outside of the lock: a tokenizer may take its time
        with self._lock:
            self._active -= 1
            self._count_gaps()
            for name, amount, labels in counts:
                self._count(name, amount, labels)
            for name, seconds in self._figures.seconds(report):
                self._histograms[name].add(seconds)

    def _count(self, name: str, amount: int, labels: dict[str, str]) -> None:
        if amount:
            self._counters[name][_key(labels)] += amount

    def snapshot(self) -> dict[str, Any]:
        """Return all metrics, ready for JSON: counters as lists of labels and values, histograms in seconds."""
        with self._lock:
            self._count_gaps()
            counters = {
                name: [{"labels": dict(labels), "value": value} for labels, value in sorted(values.items()) if value]
                for name, values in self._counters.items()
            }
            histograms = {name: histogram.as_dict() for name, histogram in self._histograms.items()}
            figures = {"active": self._active, **counters, **histograms}
        if not self._watched:
            return figures
        ends = [{"labels": dict(labels), "value": value} for labels, value in sorted(self._replay_ends().items())]
        return {**figures, "replay": {**self._replay(), "ends": ends}}

    def _replay_ends(self) -> dict[_Labels, int]:
        """Return the ends of all that is watched, by their labels."""
        ends: Counter[_Labels] = Counter()
        for watched in self._watched:
            for (verdict, code), count in watched.ends().items():
                ends[_key({"verdict": verdict, "code": code})] += count
        return ends

    def _replay(self) -> dict[str, int]:
        """Return the figures of all that is watched: of lags the largest, of all else the sum."""
        each = [watched.figures() for watched in self._watched]
        return {name: (max if name == "lag" else sum)(figures[name] for figures in each) for name in REPLAY}

    def prometheus(self) -> str:
        """Return all metrics in the text format of Prometheus, each named `unbroken_...`."""
        with self._lock:
            self._count_gaps()
            lines = ["# HELP unbroken_active Streams under way.", "# TYPE unbroken_active gauge"]
            lines.append(f"unbroken_active {self._active}")
            for name, text in COUNTERS.items():
                lines += _counter_lines(f"unbroken_{name}_total", text, self._counters[name].items())
            for name, text in HISTOGRAMS.items():
                lines += _histogram_lines(f"unbroken_{name}_seconds", text, self._histograms[name])
        for key, value in (self._replay() if self._watched else {}).items():
            name, kind, text = REPLAY[key]
            lines += [f"# HELP unbroken_{name} {text}", f"# TYPE unbroken_{name} {kind}", f"unbroken_{name} {value}"]
        if self._watched:
            name, text = REPLAY_ENDS
            lines += _counter_lines(f"unbroken_{name}_total", text, self._replay_ends().items())
        return "\n".join(lines) + "\n"


def _key(labels: dict[str, str]) -> _Labels:
    return tuple(sorted(labels.items()))


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
