"""Times contenders against each other: interleaved, in a new order each round, and reduced to ratios.

Absolute times of one machine on one day are no claims. What is compared is the ratio of two contenders within the
same round, since a busy neighbour slows both; the minimum over all rounds is what the code costs when left alone.
The clock counts processor time, all threads together: on a busy machine wall time shows how long a pass had to wait,
and punishes long passes more than short ones.
"""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter, process_time

from .readers import Chunks, Reader

Pass = Callable[[], float]
"""Does the whole work once and returns the seconds that it took."""


class TooSlowError(Exception):
    """A contender took longer than it is waited for."""


@dataclass
class Timing:
    """The passes of one contender. `unfinished`: it was stopped at this time, and its ratio is a lower bound."""

    seconds: list[float] = field(default_factory=list)
    unfinished: bool = False

    @property
    def best(self) -> float:
        return min(self.seconds)

    def ratio(self, base: Timing) -> float:
        """Return the median of the quotients, round by round; for an unfinished one the bound."""
        if self.unfinished:
            return self.best / base.best
        return statistics.median(mine / other for mine, other in zip(self.seconds, base.seconds, strict=True))

    def spread(self, base: Timing) -> tuple[float, float]:
        """Return the quartiles of the ratio, round by round; twice the bound where it is one."""
        if self.unfinished:
            return self.ratio(base), self.ratio(base)
        ratios = [mine / other for mine, other in zip(self.seconds, base.seconds, strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return low, high


def timed(work: Callable[[], object]) -> Pass:
    """Return a pass that calls `work`."""

    def once() -> float:
        start = process_time()
        work()
        return process_time() - start

    return once


def reading(reader: Reader, streams: list[Chunks], most: float) -> Pass:
    """Return a pass that reads all streams. Raises TooSlowError out of the source after `most` seconds.

    Only streams of very many chunks are watched, by a generator that costs every contender the same.
    """
    if max(map(len, streams)) < 100_000:
        return timed(lambda: reader.read(streams))
    return timed(lambda: reader.read([_watched(chunks, perf_counter() + most) for chunks in streams]))  # type: ignore[misc]


def _watched(chunks: Iterable[bytes], deadline: float) -> Iterator[bytes]:
    source = iter(chunks)
    while batch := list(islice(source, 1000)):
        if perf_counter() > deadline:
            raise TooSlowError
        yield from batch


def compare(passes: dict[str, Pass], *, seconds: float, most: int = 40, least: int = 3) -> dict[str, Timing]:
    """Return the timings of all passes, run in rounds for `seconds`, at least 3 rounds, after one that is not measured.

    A contender that is too slow in that one does not run again.
    """
    timings = {name: Timing() for name in passes}
    for name, once in passes.items():
        _warm(once, timings[name])
    running = [name for name in passes if not timings[name].unfinished]
    draw = random.Random(len(passes))
    with frozen_heap():
        started = perf_counter()
        for round_ in range(most):
            for name in draw.sample(running, len(running)):
                timings[name].seconds.append(passes[name]())
            if round_ + 1 >= least and perf_counter() - started > seconds:
                break
    return timings


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Keep what exists before it out of every garbage collection: no pass pays for the streams of another."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _warm(once: Pass, timing: Timing) -> None:
    started = perf_counter()
    try:
        once()
    except TooSlowError:
        timing.unfinished = True
        timing.seconds.append(perf_counter() - started)
