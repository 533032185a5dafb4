"""Every way of waiting that is timed passes the same bytes or events; figures that are short are measured again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.scripted import Clock, scripted, warp

from . import adapters, imports, latency
from .adapters import Aim
from .readers import reference, values

BODY = [*adapters.BODY[:100], *adapters.BODY[-2:]]
EVENTS = {adapters.BARE_READER, adapters.READER, adapters.LEAN_READER}


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "BODY", BODY)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("upstream", adapters.UPSTREAMS)
@pytest.mark.parametrize("way", adapters.WAYS)
def test_an_asynchronous_way_passes_everything(way: str, upstream: str) -> None:
    items: list[Any] = []

    async def run() -> None:
        await adapters.WAYS[way](adapters.UPSTREAMS[upstream](), items.append)

    asyncio.run(run())
    if way in EVENTS:
        assert values([item.data for item in items]) == reference("sse", BODY)
    else:
        assert b"".join(items) == b"".join(BODY)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("way", adapters.SYNC_WAYS)
def test_a_synchronous_way_passes_every_byte(way: str) -> None:
    items: list[Any] = []
    adapters.SYNC_WAYS[way](items.append)
    assert b"".join(items) == b"".join(BODY)


@pytest.mark.usefixtures("short")
def test_each_round_times_every_way(capsys: pytest.CaptureFixture[str]) -> None:
    rounds = adapters.rounds_of(2)
    assert all(len(costs) == 2 * len(adapters.WAYS) + len(adapters.SYNC_WAYS) for costs in rounds)
    adapters.print_costs(rounds)
    rows = {line[:44].strip() for line in capsys.readouterr().out.splitlines()}
    assert {adapters.TASK, adapters.AREPAIR, adapters.READER, "repair and its thread"} <= rows


def test_what_arepair_adds_is_judged_by_the_dearer_upstream() -> None:
    costs = {(way, upstream): 1.0 for way in adapters.WAYS for upstream in adapters.UPSTREAMS}
    costs |= {(adapters.TASK, "ready"): 11.0, (adapters.TASK, "one loop turn each"): 11.0}
    costs |= {(adapters.AREPAIR, "ready"): 2.0, (adapters.AREPAIR, "one loop turn each"): 4.0}
    assert adapters.of_a_task([costs]) == pytest.approx(0.3)


@pytest.mark.parametrize(("first", "again", "met"), [(1.0, 9.0, True), (3.0, 1.0, True), (3.0, 4.0, False)])
def test_what_is_short_is_measured_again_and_its_better_figure_counts(first: float, again: float, met: bool) -> None:
    assert adapters.judge({Aim("figure", 2.0, lambda: again): first}) is met


# --- latency and start-up ---------------------------------------------------------------------------------------


def test_the_leanest_pump_passes_every_byte_and_fills_silence_with_heartbeats() -> None:
    async def read(clock: Clock) -> list[tuple[float, bytes]]:
        start = clock.now
        pump = latency.LeanestPump(scripted([(1, b"a"), (4, b"b"), (15, b"c")], clock), heartbeat=5.0)
        return [(round(clock.now - start), chunk) async for chunk in pump]

    assert warp(read) == [(1, b"a"), (4, b"b"), (9, b":\n\n"), (14, b":\n\n"), (15, b"c")]


def test_the_latency_of_every_way_is_measured_on_each_token() -> None:
    found = warp(lambda clock: latency.one_round(tokens=3, streams=2))
    assert {way: len(ages) for way, ages in found.items()} == dict.fromkeys(latency.WAYS, 6)
    assert all(age >= 0 for ages in found.values() for age in ages)


def test_added_latency_is_the_difference_of_medians_in_the_median_round() -> None:
    quiet = {latency.BARE: [1.0, 2.0, 90.0], latency.PUMP: [4.0, 4.0, 4.0], latency.AREPAIR: [5.0, 6.0, 7.0]}
    busy = {latency.BARE: [1.0], latency.PUMP: [9.0], latency.AREPAIR: [99.0]}
    assert latency.added([quiet, busy, quiet], latency.PUMP) == 2.0
    assert latency.of_the_pump([quiet, busy, quiet]) == 2.0


def test_imports_are_timed_in_fresh_interpreters() -> None:
    ours, standard = imports.measure(rounds=1)
    assert ours > 0
    assert standard > 0
    assert adapters.import_ratio((3.0, 2.0)) == 1.5
