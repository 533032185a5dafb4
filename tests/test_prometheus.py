"""The instruments of `prometheus_client`: the figures of `Collector`, also of several processes together."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest, parser

import unbroken
from tests.fences import ROOT
from unbroken.core.failure import SENTENCES
from unbroken.observe.failure_window import FailureWindow
from unbroken.observe.metrics import MAX_PROVIDERS, Collector
from unbroken.observe.prometheus import PrometheusMetrics

CHUNK = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
BOOM = b'data: {"error":{"message":"boom","type":"rate_limit_error"}}\n\n'
STATUS = {"upstream-error": 500, "not-a-stream": 502}
"""The statuses that decide for codes which do not."""
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def run(observers: Iterable[unbroken.Observer], *chunks: bytes, **options: Any) -> None:
    list(
        unbroken.repair(
            chunks, observers=observers, **{"provider": "acme", "heartbeat": None, "timeouts": None} | options
        )
    )


def samples(text: str) -> Samples:
    """Return all samples by name and labels, but for those that are 0 and times of creation."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
        if sample.value and not sample.name.endswith("_created")
    }


def exposed(registry: CollectorRegistry) -> Samples:
    return samples(generate_latest(registry).decode())


def test_the_instruments_hold_what_the_collector_holds() -> None:
    collector, registry = Collector(), CollectorRegistry()
    both = [collector, PrometheusMetrics(registry)]
    run(both, CHUNK, CHUNK, DONE)
    run(both, CHUNK, b'data: {"a":NaN}\n\n')
    run(both, CHUNK, BOOM, last_event_id="7")
    run(both, CHUNK[:-1] + CHUNK + DONE, provider='a"b\\c\n')
    found = exposed(registry)
    assert found == samples(collector.prometheus())
    assert found["unbroken_errors_total", (("code", "rate-limited"), ("provider", "acme"))] == 1
    assert found["unbroken_reconnections_total", ()] == 1


def test_a_stream_is_active_until_it_ends_or_is_left() -> None:
    registry = CollectorRegistry()
    stream = unbroken.repair([CHUNK, CHUNK], observers=[PrometheusMetrics(registry)], heartbeat=None, timeouts=None)
    next(stream)
    assert registry.get_sample_value("unbroken_active") == 1
    stream.close()
    assert registry.get_sample_value("unbroken_active") == 0


def test_labels_are_bounded() -> None:
    registry = CollectorRegistry()
    observers = [PrometheusMetrics(registry)]
    for number in range(MAX_PROVIDERS + 20):
        run(observers, CHUNK, provider=f"p{number}")
    providers = {dict(labels)["provider"] for name, labels in exposed(registry) if name == "unbroken_streams_total"}
    assert len(providers) == MAX_PROVIDERS + 1
    assert "other" in providers


def test_the_errors_of_a_provider_are_seen_to_rise_from_0() -> None:
    registry = CollectorRegistry()
    collector = Collector()
    run([collector, PrometheusMetrics(registry)], CHUNK, DONE)
    for code in SENTENCES:
        labels = {"code": code, "provider": "acme"}
        assert registry.get_sample_value("unbroken_errors_total", labels) == 0
        assert f'unbroken_errors_total{{code="{code}",provider="acme"}} 0\n' in collector.prometheus()
    assert collector.snapshot()["errors"] == []


def test_a_registry_takes_one_of_them() -> None:
    registry = CollectorRegistry()
    PrometheusMetrics(registry)
    with pytest.raises(ValueError, match=r"one PrometheusMetrics\(\) per process .* registry=.*unbroken_active"):
        PrometheusMetrics(registry)


def test_without_prometheus_client_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ImportError, match="pip install prometheus_client"):
        PrometheusMetrics()


# prometheus_client looks for the variable when it is imported, so each process is a new one.
WORKER = f"""
import os, unbroken
from unbroken import PrometheusMetrics
metrics = PrometheusMetrics()  # before the fork, as under gunicorn's --preload
child = os.fork()
def serve(*chunks, **options):
    options = {{"heartbeat": None, "timeouts": None, "provider": "acme", "observers": [metrics]}} | options
    return unbroken.repair(chunks, **options)
list(serve({CHUNK!r}, {DONE!r}))
if child:
    os.waitpid(child, 0)
    list(serve({CHUNK!r}, {BOOM!r}, last_event_id="7"))
else:
    left = serve({CHUNK!r}, {CHUNK!r})
    next(left)
    os._exit(0)
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
def scrape():
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    print(generate_latest(registry).decode(), flush=True)
scrape()
print("---")
multiprocess.mark_process_dead(child)
scrape()
"""


def test_processes_are_added_up_and_a_dead_one_is_in_no_stream(tmp_path: Path) -> None:
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", WORKER], env=env, capture_output=True, text=True, timeout=30, check=True
    )
    before, after = map(samples, done.stdout.split("---"))
    assert before["unbroken_active", ()] == 1
    assert ("unbroken_active", ()) not in after
    whole = (("dialect", "openai-chat"), ("provider", "acme"), ("verdict", "complete"))
    for found in (before, after):
        assert found["unbroken_streams_total", whole] == 2
        assert found["unbroken_errors_total", (("code", "rate-limited"), ("provider", "acme"))] == 1
        assert found["unbroken_reconnections_total", ()] == 1
        assert found["unbroken_duration_seconds_count", ()] == 3
        assert found["unbroken_content_gap_seconds_count", ()] == 4


def test_the_alert_of_the_page_counts_the_codes_that_a_failure_window_counts() -> None:
    page = (ROOT / "docs" / "how-to" / "observe.md").read_text(encoding="utf-8")
    (excluded,) = re.findall(r'unbroken_errors_total\{code!~"(.*?)"\}', page)
    counted = [code for code in SENTENCES if code not in excluded.split("|")]
    for code in SENTENCES:
        window = FailureWindow(limit=0)
        report = unbroken.StreamReport(provider="acme")
        report.verdict = unbroken.Verdict.FAILED
        report.error = report.error_for(unbroken.Failure(code, status_hint=STATUS.get(code)))
        window.ended(report)
        assert window.degraded("acme") == (code in counted), code
