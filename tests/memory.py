"""What an object retains, asked of the allocator and not of its attributes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable


def growth(feed: Callable[[], object], *, before: int, times: int) -> int:
    """Call `feed` some times, then `times` more; return the bytes by which what is allocated grew meanwhile."""
    for _ in range(before):
        feed()
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        for _ in range(times):
            feed()
        return tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
