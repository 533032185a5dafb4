"""Metrics in instruments of `prometheus_client`, which adds up those of several processes.

https://prometheus.github.io/client_python/multiprocess/
A collector that makes up its samples when it is asked, such as `Collector`, sees its own process only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.observer import Observer
from ..core.report import StreamReport
from .metrics import BUCKETS, COUNTERS, HISTOGRAMS, LABELS, REPLAY, REPLAY_ENDS, Figures, check_watched

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from .metrics import Watched


class PrometheusMetrics(Observer):
    """Counts all streams that it observes in counters, histograms and a gauge of `prometheus_client`. Thread-safe.

    They have the names of `Collector`, and stand in `registry`, by default `prometheus_client.REGISTRY`. Make one per
    process, when the program starts, and pass it to each stream. With the environment variable PROMETHEUS_MULTIPROC_DIR
    `prometheus_client` keeps them in files, which its `MultiProcessCollector` adds up over all processes.

    Raises `ImportError` without `prometheus_client`, `ValueError` if the registry has instruments of these names.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        try:
            from prometheus_client import REGISTRY, Counter, Gauge, Histogram
        except ImportError as error:
            raise ImportError("PrometheusMetrics needs prometheus_client: pip install prometheus_client") from error
        into = self._registry = REGISTRY if registry is None else registry
        self._replay: dict[str, Any] = {}
        self._figures = Figures()
        try:
            # Of a worker that died, `mark_process_dead` takes the streams out of a "live" gauge.
            self._active = Gauge("unbroken_active", "Streams under way.", multiprocess_mode="livesum", registry=into)
        except ValueError as error:
            raise ValueError(
                "the registry has one already: make one PrometheusMetrics() per process and pass it to each stream, "
                f"or give another one its own registry=CollectorRegistry(): {error}"
            ) from None
        self._counters = {
            name: Counter(f"unbroken_{name}", text, LABELS.get(name, ()), registry=into)
            for name, text in COUNTERS.items()
        }
        self._histograms = {
            name: Histogram(f"unbroken_{name}_seconds", text, buckets=BUCKETS, registry=into)
            for name, text in HISTOGRAMS.items()
        }
        self._gap = self._histograms["content_gap"].observe

    def watch(self, answers: Watched) -> None:
        """Count what a `Replay` does: its running answers and readers, ends, trimmed events, its store's errors.

        All but their lag, of which no sum over processes says anything.
        """
        check_watched("PrometheusMetrics", answers, "on_change")
        from prometheus_client import Counter, Gauge

        if not self._replay:
            for key, (name, kind, text) in REPLAY.items():
                if kind == "gauge" and key != "lag":
                    made: Any = Gauge(f"unbroken_{name}", text, multiprocess_mode="livesum", registry=self._registry)
                elif kind == "counter":
                    made = Counter(f"unbroken_{name}", text, registry=self._registry)
                else:
                    continue
                self._replay[key] = made
            name, text = REPLAY_ENDS
            self._replay["ends"] = Counter(f"unbroken_{name}", text, ("code", "verdict"), registry=self._registry)
        answers.on_change(self._replay_changed)

    def _replay_changed(self, name: str, amount: int, labels: dict[str, str]) -> None:
        instrument = self._replay[name]
        (instrument.labels(**labels) if labels else instrument).inc(amount)

    def started(self, report: StreamReport) -> None:
        """Count a stream as active, and as a reconnection if its reader named an id to go on after."""
        self._active.inc()
        for labels in self._figures.begin(report):
            self._counters["errors"].labels(**labels)
        if report.last_event_id:
            self._counters["reconnections"].inc()

    def content(self, report: StreamReport, gap: float) -> None:
        """Count the seconds since the content before."""
        self._gap(gap)

    def ended(self, report: StreamReport) -> None:
        """Add the figures of a stream."""
        self._active.dec()
        for name, amount, labels in self._figures.counts(report):
            counter = self._counters[name]
            if amount:
                (counter.labels(**labels) if labels else counter).inc(amount)
        for name, seconds in self._figures.seconds(report):
            self._histograms[name].observe(seconds)
