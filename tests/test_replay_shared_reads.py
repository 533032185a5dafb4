"""Many who read the same at once are served by two reads, and nobody gets what is older than its call."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.scripted import LIMIT
from unbroken.replay.shared_reads import SharedReads, SharedTaskReads


@pytest.mark.parametrize("fails", [False, True])
def test_two_reads_serve_all_threads_that_come_while_one_is_under_way(fails: bool) -> None:
    # A thread may come late, when the read is over, and then reads itself; on a busy machine many do, again and again.
    assert any(reads_of_20_threads(fails) < 8 for _ in range(200))


def reads_of_20_threads(fails: bool) -> int:
    """Return how often 20 threads that ask for the same at once read."""
    shared, entered, go = SharedReads(), threading.Event(), threading.Event()
    calls: list[int] = []

    def read() -> int:
        calls.append(1)
        entered.set()
        assert go.wait(LIMIT)
        if fails:
            raise ConnectionError
        return len(calls)

    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(shared.read, "a", read)
        assert entered.wait(LIMIT)
        come = threading.Barrier(20)

        def read_too() -> int:
            come.wait(LIMIT)
            return shared.read("a", read)  # type: ignore[no-any-return]

        others = [threads.submit(read_too) for _ in range(19)]
        come.wait(LIMIT)
        assert shared.read("b", lambda: "another") == "another"
        go.set()
        if fails:
            assert {type(future.exception(LIMIT)) for future in [first, *others]} == {ConnectionError}
        else:
            assert first.result(LIMIT) == 1
            assert min(future.result(LIMIT) for future in others) > 1, "a read that began after the call"
    return len(calls)


def test_two_reads_serve_all_tasks_and_one_that_is_cancelled_fails_nobody() -> None:
    async def main() -> None:
        shared, go = SharedTaskReads(), asyncio.Event()
        calls: list[int] = []

        async def read() -> int:
            calls.append(1)
            await go.wait()
            return len(calls)

        first = asyncio.ensure_future(shared.read("a", read))
        await asyncio.sleep(0)
        others = [asyncio.ensure_future(shared.read("a", read)) for _ in range(1000)]
        await asyncio.sleep(0)
        first.cancel()
        go.set()
        assert {*await asyncio.gather(*others)} == {2}
        assert len(calls) == 2

        async def fail() -> int:
            raise ConnectionError

        failures = await asyncio.gather(*[shared.read("a", fail) for _ in range(10)], return_exceptions=True)
        assert {type(failure) for failure in failures} == {ConnectionError}

    asyncio.run(main())
