"""Do the laws hold, whatever options are combined? `python -m tests.tools.long_run [--streams 200000] [--seed 1]`

Each stream, with frames in front of its first payload and behind its sentinel, is cut anyhow and held to every law that
its options allow, with the fast path and without; and `repair`, `arepair`, `iter_events`, `aiter_events` and the two
engines must agree on it. Each process takes its own seeds; a stream that breaks a law is shrunk and printed.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests import drawn, laws
from unbroken import aiter_events, arepair, iter_events, repair
from unbroken.core.options import WRITING

BATCH = 2000
"""Streams per seed."""
ALONE = {"heartbeat": None, "timeouts": None}
BEHIND_ITS_DIALECT = {"to", "convert", "comments", "errors", "repairs", "invalid_json"}
"""Options under which something leaves otherwise than it came, or does not leave, on purpose."""


async def _asynchronously(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _consume(stream: Any) -> list[Any]:
    items: list[Any] = []
    try:
        async for item in stream:
            items += [item]
    except Exception as error:
        items += [type(error).__name__]
    return items


def _consumed(stream: Any) -> list[Any]:
    items = []
    try:
        items.extend(stream)
    except Exception as error:
        items.append(type(error).__name__)
    return items


def check_agreement(chunks: Sequence[bytes], **options: Any) -> None:
    """Raise `AssertionError` unless the adapters say what the engines say, sync and async."""
    core = laws.repaired(chunks, **options)
    stream, astream = repair(chunks, **options, **ALONE), arepair(_asynchronously(chunks), **options, **ALONE)
    wires = [b"".join(_consumed(stream)), b"".join(asyncio.run(_consume(astream)))]
    assert wires == [core.wire, core.wire]
    _check_reports(core.report, stream.report, astream.report)
    reading = {name: value for name, value in options.items() if name not in WRITING}
    events, aevents = iter_events(chunks, **reading, timeouts=None), aiter_events(
        _asynchronously(chunks), **reading, timeouts=None
    )  # fmt: skip
    said = _consumed(events), asyncio.run(_consume(aevents))
    assert said[0] == said[1]
    items, _ = laws.read(chunks, **reading)
    assert [one for one in said[0] if not isinstance(one, str)] == [item for item in items if hasattr(item, "data")]
    _check_reports(events.report, aevents.report)


def _check_reports(first: Any, *others: Any) -> None:
    """Compare all that reports say but for the times."""
    timed = {"first_byte", "first_event", "first_content", "longest_gap", "longest_pause", "duration"}
    kept = [{name: value for name, value in laws.facts(one).items() if name not in timed} for one in (first, *others)]
    for facts in kept[1:]:
        assert facts == kept[0]


def check_content(chunks: Sequence[bytes], **options: Any) -> None:
    """Ask for laws 3, 6 and 7, as far as these options let everything leave that is not repaired."""
    data = b"".join(chunks)
    if {"to", "convert"}.isdisjoint(options):
        laws.check_no_false_end(data, **options)
    if BEHIND_ITS_DIALECT.isdisjoint(options) and "last_event_id" not in options:
        laws.check_reading(data, **options)
        laws.check_accounted(data, **options)
        laws.check_no_invention(data, **options)


CHECKS: dict[str, Callable[..., None]] = {
    "law 1, chunking": laws.check_chunking,
    "law 4, two proxies": lambda chunks, **options: laws.check_chained(b"".join(chunks), **options),
    "laws 3, 6 and 7, content": check_content,
    "law 8, heartbeats": laws.check_alive,
    "law 9, one end": laws.check_one_end,
    "fast path off against on": laws.check_fast_path,
    "adapters against engines": check_agreement,
}


def run(number: int, count: int) -> tuple[int, str | None]:
    """Draw so many streams with this seed, and return how many were asked, and what broke."""
    logging.disable()
    asked: Counter[str] = Counter()

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(drawn.cut_anyhow(drawn.framed), drawn.any_options)
    def ask(chunks: list[bytes], options: dict[str, Any]) -> None:
        asked["streams"] += 1
        for name, check in CHECKS.items():
            try:
                check(chunks, **options)
            except Exception as error:
                error.add_note(f"{name}\n  chunks = {chunks!r}\n  options = {options!r}")
                raise

    try:
        ask()
    except BaseException:
        return asked["streams"], traceback.format_exc(limit=-2)
    return asked["streams"], None


def main() -> None:
    """Run the seeds, and print how many streams were asked and what broke; exit with 1 if anything did."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--streams", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1, help="the first one; each takes 2,000 streams")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count())
    told = arguments.parse_args()
    seeds = range(told.seed, told.seed + max(1, told.streams // BATCH))
    total, broken, start = 0, 0, time.monotonic()
    with ProcessPoolExecutor(told.jobs) as pool:
        for number, (asked, failure) in zip(
            seeds, pool.map(run, seeds, [min(BATCH, told.streams)] * len(seeds)), strict=True
        ):
            total += asked
            if failure is not None:
                broken += 1
                print(f"seed {number}\n{failure}", flush=True)
            elif not number % 10:
                print(f"{total} streams so far", file=sys.stderr)
    print(f"{total} streams, seeds {seeds[0]} to {seeds[-1]}, {time.monotonic() - start:.0f} s: {broken} seeds broken")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
