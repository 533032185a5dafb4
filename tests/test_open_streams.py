"""One end for all streams of a process."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.attempts import no_thread_is_left  # noqa: F401  # a fixture of every test
from tests.scripted import DONE, LIMIT, TOKEN, Clock, Threads, Upstream, scripted, warp
from unbroken import (
    EventStream,
    Retry,
    Verdict,
    arepair,
    end_streams,
    end_streams_on_signal,
    iter_events,
    repair,
    retrying,
    transform,
)


def test_a_stream_that_waits_ends_with_a_frame_and_releases_upstream() -> None:
    upstream = Upstream(TOKEN)
    stream = repair(upstream, abort=upstream.abort)
    assert next(stream) == TOKEN
    assert end_streams() == 1
    frames = b"".join(stream)
    assert b'"code": "shutting-down"' in frames
    assert stream.report.verdict is Verdict.FAILED
    assert stream.report.error is not None
    assert stream.report.error.status_hint == 503
    assert upstream.closed.wait(LIMIT)
    assert upstream.aborted_by
    assert end_streams() == 0


def test_what_has_arrived_is_written_first() -> None:
    upstream = Upstream(TOKEN, TOKEN)
    stream = repair(upstream, abort=upstream.abort)
    assert next(stream).startswith(TOKEN)
    assert upstream.blocked.wait(LIMIT)
    end_streams()
    assert stream.report.events == 2 or b"".join(stream).startswith(TOKEN)
    list(stream)
    assert stream.report.events == 2


def test_another_thread_is_woken() -> None:
    upstream, read = Upstream(TOKEN), list[bytes]()
    stream = repair(upstream, abort=upstream.abort)
    reader = threading.Thread(target=lambda: read.extend(stream))
    reader.start()
    assert upstream.blocked.wait(LIMIT)
    while not read:
        pass
    end_streams()
    reader.join(LIMIT)
    assert b"shutting-down" in read[-1]


def test_an_asynchronous_stream_ends_with_a_frame() -> None:
    async def main(clock: Clock) -> None:
        stream = arepair(scripted([(0.0, TOKEN), (1000.0, DONE)], clock), heartbeat=5.0)
        assert await anext(stream) == TOKEN
        assert end_streams() == 1
        assert b"shutting-down" in b"".join([item async for item in stream])
        assert clock.now < 1001.0

    warp(main)


def test_no_further_attempt_is_made() -> None:
    upstream, attempts = Upstream(), list[int]()

    def connect(attempt: Any) -> Any:
        attempts.append(attempt.number)
        return upstream

    stream = repair(retrying(connect, retry=Retry(base=0.0)), abort=upstream.abort, heartbeat=0.01)
    assert next(stream) == b":\n\n"
    end_streams()
    assert b"shutting-down" in b"".join(stream)
    assert attempts == [1]
    Threads().join()


def test_events_of_ones_own_end_with_one_frame() -> None:
    def generate(events: EventStream) -> Iterator[str]:
        for event in events:
            yield event.data

    upstream = Upstream(TOKEN)
    stream = transform(upstream, generate, abort=upstream.abort)
    next(stream)
    assert end_streams() == 1
    assert b"".join(stream).count(b"shutting-down") == 1
    Threads().join()


def test_streams_that_are_not_written_or_not_read_or_over_stay_as_they_are() -> None:
    upstream = Upstream(TOKEN)
    events = iter_events(upstream, abort=upstream.abort)
    next(events)
    unread, over, alone = repair([TOKEN]), repair([DONE]), repair([TOKEN, DONE], heartbeat=None, timeouts=None)
    list(over)
    next(alone)
    assert end_streams() == 0
    events.close()
    assert b"".join(unread).startswith(TOKEN)
    assert b"".join(alone) == DONE
    Threads().join()


def test_a_stream_that_is_dropped_is_forgotten() -> None:
    upstream = Upstream(TOKEN)
    stream = repair(upstream, abort=upstream.abort)
    next(stream)
    del stream
    gc.collect()
    assert end_streams() == 0
    Threads().join()


def test_a_signal_ends_the_streams_and_then_does_what_it_did() -> None:
    heard = list[int]()
    before = signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
    upstream = Upstream(TOKEN)
    stream = repair(upstream, abort=upstream.abort)
    try:
        end_streams_on_signal(signal.SIGUSR1)
        next(stream)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert b"shutting-down" in b"".join(stream)
        assert heard == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)
        stream.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_child_and_a_process_without_handlers() -> None:
    code = """
import os, signal, unbroken
unbroken.end_streams_on_signal()
stream = unbroken.repair(iter([b"data: 1\\n\\n", b"data: 2\\n\\n"]), heartbeat=None)
next(stream)
child = os.fork()
if not child:
    os._exit(unbroken.end_streams())
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
stream.close()
os.kill(os.getpid(), signal.SIGTERM)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 128 + signal.SIGTERM


def test_only_the_main_thread_may_set_a_handler() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="main thread"):
            await asyncio.to_thread(end_streams_on_signal)

    asyncio.run(main())
