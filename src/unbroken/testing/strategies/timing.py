"""Strategies for streams whose chunks arrive over time, and which may fail or block."""

from __future__ import annotations

from functools import lru_cache

from ..failures import client_failures
from ..require_hypothesis import SearchStrategy, st
from ..sources import Block, Pause, Schedule, Step
from ..streams import SSEStream
from .chunking import cut_streams
from .sse import sse_streams

_pauses = st.sampled_from([0.0, 0.001, 0.5, 4.9, 5.0, 14.0, 120.0, 301.0])


@lru_cache(maxsize=64)
def schedules(streams: SearchStrategy[SSEStream] | None = None) -> SearchStrategy[Schedule]:
    """Draw a stream and the times of its chunks: pauses from nothing to minutes, a failure or a block in the middle.

    The failures are those of `client_failures()`. Shrinks to one chunk without a pause.
    """
    kinds = [st.just(Block()), st.sampled_from(sorted(client_failures().items())).map(lambda named: named[1]())]
    ends: SearchStrategy[Step | None] = st.one_of(st.none(), st.none(), *kinds)

    def build(drawn: tuple[SSEStream, list[bytes]], pauses: list[float], end: Step | None, at: int) -> Schedule:
        stream, chunks = drawn
        steps: list[Step] = []
        for number, chunk in enumerate(chunks):
            steps += [Pause(pauses[number % len(pauses)]), chunk] if pauses else [chunk]
        if end is not None:
            steps = [*steps[: at % (len(steps) + 1)], end]
        return Schedule(stream, tuple(steps))

    drawn_streams = cut_streams(sse_streams() if streams is None else streams)
    return st.builds(build, drawn_streams, st.lists(_pauses, max_size=4), ends, st.integers(0, 9999))
