"""What is seen of replayed answers from outside: figures, log records, and what a route learns before it answers."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from tests.fences import ROOT
from tests.scripted import DONE, LIMIT, TOKEN
from tests.test_prometheus import Samples, exposed, samples
from tests.test_replay import Feed, produce
from unbroken import Collector, PrometheusMetrics, StreamReport, Verdict
from unbroken.replay import MemoryStore, Replay, TrimmedAnswer, UnknownAnswer

NOTHING = {"running": 0, "readers": 0, "lag": 0, "store_errors": 0, "trimmed": 0}


class Failing(MemoryStore):
    """A store that fails once it is told to."""

    broken = False

    def append(self, *args: Any, **kwargs: Any) -> bool:
        if self.broken:
            raise OSError("disk full")
        return super().append(*args, **kwargs)

    def end(self, *args: Any, **kwargs: Any) -> bool:
        if self.broken:
            raise OSError("disk full")
        return super().end(*args, **kwargs)

    def read(self, *args: Any) -> Any:
        if self.broken:
            raise OSError("disk full")
        return super().read(*args)


def seen(answers: Replay, wanted: dict[str, int]) -> dict[str, int]:
    """Return the figures, once they are what is wanted or it took too long."""
    until = time.monotonic() + LIMIT
    while (figures := answers.figures()) != wanted and time.monotonic() < until:
        time.sleep(0.005)
    return figures


def test_what_is_no_replay_is_refused_at_once() -> None:
    for watching in (Collector(), PrometheusMetrics(CollectorRegistry())):
        for wrong in (MemoryStore(), Replay, None):
            with pytest.raises(
                TypeError, match=r"\.watch\(answers\) takes a Replay: write watch\(Replay\(store\)\), not"
            ):
                watching.watch(wrong)  # type: ignore[arg-type]


def test_a_collector_shows_what_runs_who_reads_and_how_far_behind() -> None:
    answers, others, collector = Replay(MemoryStore()), Replay(MemoryStore()), Collector()
    assert "replay" not in collector.snapshot()
    assert "unbroken_replay" not in collector.prometheus()
    collector.watch(answers)
    collector.watch(others)
    assert collector.snapshot()["replay"] == {**NOTHING, "ends": []}
    feed = Feed()
    answers.start("a", feed)
    feed.send(TOKEN)
    with answers.follow("a", heartbeat=None) as slow, answers.follow("a", heartbeat=None) as left:
        assert (next(slow), next(left)) == (next(answers.follow("a")),) * 2
        feed.send(TOKEN, TOKEN, TOKEN)
        assert seen(answers, {"running": 1, "readers": 2, "lag": 3, "store_errors": 0, "trimmed": 0})["lag"] == 3
        left.close()
        assert answers.figures()["readers"] == 1
        assert others.figures() == NOTHING
        families = {family.name: family for family in text_string_to_metric_families(collector.prometheus())}
        assert families.pop("unbroken_replay_ends").samples == []
        found = {name: family.samples[0].value for name, family in families.items() if "_replay_" in name}
        assert found == {
            "unbroken_replay_running": 1.0,
            "unbroken_replay_readers": 1.0,
            "unbroken_replay_lag_events": 3.0,
            "unbroken_replay_store_errors": 0.0,
            "unbroken_replay_trimmed_events": 0.0,
        }
        feed.send(DONE, None)
        b"".join(slow)
    assert seen(answers, NOTHING) == NOTHING


def test_failures_of_a_store_are_counted_where_they_are_met() -> None:
    store, feed = Failing(), Feed()
    here, there = Replay(store), Replay(store)
    here.start("a", feed)
    feed.send(TOKEN)
    with there.follow("a", heartbeat=None) as reader:
        next(reader)
        assert there.figures() == {**NOTHING, "readers": 1}
        store.broken = True
        feed.send(TOKEN, DONE, None)
        assert b"store-failed" in b"".join(reader)
    assert there.figures()["store_errors"] == 1
    here.close(0)
    assert here.figures()["store_errors"] >= 1


def test_an_answer_that_nobody_follows_is_finished_and_tells_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    reports: list[StreamReport] = []
    answers, feed = Replay(MemoryStore()), Feed()
    with caplog.at_level(logging.INFO, "unbroken"):
        answers.start("a", feed, on_end=reports.append)
        threading.Timer(0.05, feed.send, [TOKEN, DONE, None]).start()
        answers.close(LIMIT)  # waits: the tokens are paid for
        for _ in range(3):
            assert b"[DONE]" in b"".join(answers.follow("a"))
    assert [report.verdict for report in reports] == [Verdict.COMPLETE]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["stream complete"]


def test_a_task_learns_by_await_what_a_thread_learns_at_the_call() -> None:
    async def ask() -> list[Any]:
        answers = Replay(MemoryStore(), max_bytes=1)
        found: list[Any] = []
        await answers.astart("a", [TOKEN, TOKEN, DONE])
        await answers.aclose()
        for id, after in (("unknown", ""), ("a", "")):
            try:
                await answers.afollow(id, after)
            except LookupError as error:
                found.append(error)
        stream = answers.afollow("a", found[1].after)
        assert await stream is stream
        assert await stream is stream
        found.append(b"".join([frames async for frames in stream]))
        return found

    unknown, trimmed, frames = asyncio.run(ask())
    assert isinstance(unknown, UnknownAnswer)
    assert isinstance(trimmed, TrimmedAnswer)
    assert frames == b"id: 1-3\n" + DONE


def ended(verdict: str, code: str = "") -> tuple[str, tuple[tuple[str, str], ...]]:
    return "unbroken_replay_ends_total", (("code", code), ("verdict", verdict))


def test_ends_are_counted_once_by_who_wrote_them_and_instruments_hold_what_the_collector_holds() -> None:
    store, collector, registry = MemoryStore(), Collector(), CollectorRegistry()
    answers, other = Replay(store, max_bytes=3 * len(TOKEN)), Replay(store)
    produce(answers, "before", [TOKEN, DONE])
    metrics = PrometheusMetrics(registry)
    for watching in (collector, metrics):
        for watched in (answers, other):
            watching.watch(watched)
    produce(answers, "whole", [*[TOKEN] * 9, DONE])
    produce(answers, "cut", [TOKEN])
    produce(answers, "made up", [b'data: {"type": "error", "error": {"type": "acme_said", "message": "secret"}}\n\n'])
    store.open(":lost", "killed", lease=0.01, keep=100)
    time.sleep(0.02)
    for _ in range(3):
        assert b"producer-lost" in b"".join(other.follow("lost"))
    feed = Feed()
    answers.start("stopped", feed)
    assert other.stop("stopped")
    b"".join(other.follow("stopped"))
    feed.send(None)
    feed = Feed()
    answers.start("runs", feed)
    feed.send(TOKEN)
    with other.follow("runs") as reader:
        next(reader)
        found = exposed(registry)
        assert (found["unbroken_replay_running", ()], found["unbroken_replay_readers", ()]) == (1, 1)
        assert replayed(samples(collector.prometheus())) == replayed(found)
    feed.send(None)
    answers.close()
    other.status("runs")
    b"".join(other.follow("runs"))  # the reader that left is noticed
    found = exposed(registry)
    assert replayed(samples(collector.prometheus())) == replayed(found)
    assert {key: found[key] for key in found if key[0] == "unbroken_replay_ends_total"} == {
        ended("complete"): 2,
        ended("truncated", "truncated"): 2,
        ended("failed", "upstream-error"): 1,
        ended("failed", "producer-lost"): 1,
        ended("cancelled", "stopped"): 1,
    }
    assert found["unbroken_replay_trimmed_events_total", ()] > 5
    assert ("unbroken_replay_running", ()) not in found
    assert ("unbroken_replay_readers", ()) not in found
    assert {"labels": {"code": "", "verdict": "complete"}, "value": 2} in collector.snapshot()["replay"]["ends"]


def replayed(found: Samples) -> Samples:
    return {key: value for key, value in found.items() if key[0].startswith("unbroken_replay")}


def test_codes_that_a_dialect_made_up_share_one_label() -> None:
    from unbroken.replay.tally import Tally

    tally = Tally()
    for number in range(100):
        tally.count_end(Verdict.FAILED, f"code {number}")
    assert tally.ends() == {("failed", "other"): 100}


WORKER = f"""
import os
from unbroken import PrometheusMetrics
from unbroken.replay import MemoryStore, Replay
metrics, answers = PrometheusMetrics(), Replay(MemoryStore())
metrics.watch(answers)  # before the fork, as under gunicorn's --preload
child = os.fork()
answers.start("a", [{TOKEN!r}, {DONE!r}])
answers.close()
if not child:
    os._exit(0)
os.waitpid(child, 0)
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
registry = CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
print(generate_latest(registry).decode())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_the_replayed_answers_of_several_processes_are_added_up(tmp_path: Path) -> None:
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", WORKER], env=env, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert samples(ran.stdout)[ended("complete")] == 2
