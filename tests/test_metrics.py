"""The collector counts what streams came to, and spells it so that Prometheus reads it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from prometheus_client import parser

import unbroken
from unbroken.observe.metrics import MAX_PROVIDERS, Collector

CHUNK = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


def run(collector: Collector, *chunks: bytes, provider: str | None = "acme") -> None:
    list(unbroken.repair(chunks, provider=provider, observers=[collector], heartbeat=None, timeouts=None))


def test_a_snapshot_holds_verdicts_repairs_and_times() -> None:
    collector = Collector()
    run(collector, CHUNK, CHUNK, DONE)
    run(collector, CHUNK, b'data: {"a":NaN}\n\n')
    found = collector.snapshot()
    json.dumps(found)
    assert found["active"] == 0
    verdicts = {stream["labels"]["verdict"]: stream["value"] for stream in found["streams"]}
    assert verdicts == {"complete": 1, "truncated": 1}
    assert found["streams"][0]["labels"] == {"provider": "acme", "dialect": "openai-chat", "verdict": "complete"}
    assert {"labels": {"kind": "non-finite"}, "value": 1} in found["repairs"]
    assert found["failed_tokens"][0]["value"] == 1
    assert found["content_gap"]["count"] == 3
    assert found["duration"]["count"] == 2


def test_a_stream_is_active_until_it_ends_or_is_left() -> None:
    collector = Collector()
    stream = unbroken.repair([CHUNK, CHUNK], observers=[collector], heartbeat=None, timeouts=None)
    next(stream)
    assert collector.snapshot()["active"] == 1
    stream.close()
    assert collector.snapshot()["active"] == 0
    assert collector.snapshot()["streams"][0]["labels"]["verdict"] == "cancelled"
    unbroken.repair([CHUNK], observers=[collector]).close()
    assert collector.snapshot()["active"] == 0


def test_hostile_providers_neither_inject_nor_blow_up_the_labels() -> None:
    collector = Collector()
    run(collector, DONE, provider='x"} 1\nfake_metric 99\n\x1b[31m\\')
    for number in range(MAX_PROVIDERS + 50):
        run(collector, DONE, provider=f"p{number}")
    labels = {stream["labels"]["provider"] for stream in collector.snapshot()["streams"]}
    assert len(labels) == MAX_PROVIDERS + 1
    assert "other" in labels
    assert not any(line.startswith("fake_metric") for line in collector.prometheus().splitlines())
    assert "\x1b" not in collector.prometheus()


@pytest.mark.parametrize(
    "alike",
    [["a\n", "a\t", "a?", "a\u2028"], ["x" * 128 + "1", "x" * 128 + "2"], [None, "unknown"], ["\ud800", "\udfff", "?"]],
    ids=ascii,
)
def test_providers_that_are_written_alike_are_one_series(alike: list[str | None]) -> None:
    collector = Collector()
    for provider in alike:
        run(collector, DONE, provider=provider)
    (found,) = collector.snapshot()["streams"]
    assert found["value"] == len(alike)
    collector.prometheus().encode()
    series = [line.rpartition(" ")[0] for line in collector.prometheus().splitlines() if line[0] != "#"]
    assert len(series) == len(set(series))


def test_prometheus_own_parser_reads_the_text_and_finds_the_same_figures() -> None:
    collector = Collector()
    run(collector, CHUNK, DONE, provider='a"b\\c')
    families = {family.name: family for family in parser.text_string_to_metric_families(collector.prometheus())}
    (sample,) = families["unbroken_streams"].samples
    assert sample.value == 1
    assert sample.labels == {"provider": 'a"b\\c', "dialect": "openai-chat", "verdict": "complete"}
    buckets = [sample for sample in families["unbroken_duration_seconds"].samples if sample.name.endswith("_bucket")]
    assert buckets[-1].labels["le"] == "+Inf"
    assert buckets[-1].value == 1


BOOM = b'data: {"error":{"message":"boom %s","type":"rate_limit_error"}}\n\n'
FAILURES: dict[str, tuple[list[bytes], str]] = {
    "cut": ([CHUNK], "truncated"),
    "an error inside": ([CHUNK, BOOM], "rate-limited"),
    "a page": ([b"<html><title>502</title></html>"], "not-a-stream"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_streams_that_fail_are_counted_by_code_and_provider(name: str) -> None:
    chunks, code = FAILURES[name]
    collector = Collector()
    run(collector, *chunks)
    run(collector, CHUNK, DONE)
    assert collector.snapshot()["errors"] == [{"labels": {"code": code, "provider": "acme"}, "value": 1}]


def test_what_upstream_says_never_becomes_a_label() -> None:
    class Loose(unbroken.Dialect):
        name = "loose"

        def read(self, event: str, payload: Any) -> unbroken.Reading:
            return unbroken.Reading(unbroken.EventClass.ERROR, failure=unbroken.Failure(payload["code"]))

    collector = Collector()
    for number in range(100):
        chunk = b'data: {"code":"code-%d"}\n\n' % number
        list(unbroken.repair([chunk], dialect=Loose(), observers=[collector], heartbeat=None, timeouts=None))
        run(collector, CHUNK, BOOM.replace(b"rate_limit_error", b"type-%d" % number))
    found = {error["labels"]["code"]: error["value"] for error in collector.snapshot()["errors"]}
    assert found == {"other": 100, "upstream-error": 100}
    assert "code-7" not in collector.prometheus()
    assert "type-7" not in collector.prometheus()


def test_a_reader_that_comes_back_is_counted() -> None:
    collector = Collector()
    for last_event_id in ("", "7", "9"):
        list(unbroken.repair([b"id: 10\n" + CHUNK, DONE], last_event_id=last_event_id, observers=[collector]))
    assert collector.snapshot()["reconnections"] == [{"labels": {}, "value": 2}]


def test_threads_lose_no_count() -> None:
    collector = Collector()
    threads = [threading.Thread(target=lambda: [run(collector, DONE) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(stream["value"] for stream in collector.snapshot()["streams"]) == 200
