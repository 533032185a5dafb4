"""Upstreams by script, one per attempt, read by every adapter on scripted time: nothing sleeps."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from tests.scripted import Clock, Threads, warp
from unbroken import (
    Attempt,
    Retry,
    StreamError,
    StreamReport,
    Timeouts,
    aiter_events,
    arepair,
    aretrying,
    iter_events,
    repair,
    retrying,
)

OFF = Timeouts(first=None, idle=None, silence=None, total=None)
POLICY = Retry(max_retries=2, jitter=False)
QUICK = Retry(base=0.0)


def event(id: int, *, named: bool = True) -> bytes:
    return (f"id: {id}\n" if named else "").encode() + f"data: event {id}\n\n".encode()


def chat(text: str, **choice: Any) -> bytes:
    return (
        b'data: {"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%s"},'
        b'"finish_reason":%s}]}\n\n' % (text.encode(), b'"stop"' if choice.get("stop") else b"null")
    )


DONE = b"data: [DONE]\n\n"
Part = bytes | Exception | float
"""What an attempt does next: send, raise, or let seconds pass."""


def status_error(status: int, **headers: str) -> Exception:
    error = RuntimeError(f"status {status}")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error.response = SimpleNamespace(status_code=status, headers=named)  # type: ignore[attr-defined]
    return error


@dataclass
class Attempts:
    """An upstream by script, one list of parts per attempt; keeps what `connect` was called with, and when."""

    scripts: list[list[Part]]
    clock: Clock = field(default_factory=Clock)
    seen: list[Attempt] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def next_script(self, attempt: Attempt) -> list[Part]:
        self.seen.append(attempt)
        self.times.append(self.clock.now)
        return self.scripts[len(self.seen) - 1]

    def connect(self, attempt: Attempt) -> Iterator[bytes]:
        return self.send(self.next_script(attempt))

    def send(self, parts: list[Part]) -> Iterator[bytes]:
        for part in parts:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, float):
                self.clock.now += part
            else:
                yield part

    async def aconnect(self, attempt: Attempt) -> AsyncIterator[bytes]:
        return self.asend(self.next_script(attempt))

    async def asend(self, parts: list[Part]) -> AsyncIterator[bytes]:
        for part in parts:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, float):
                await asyncio.sleep(part)
            else:
                yield part

    @property
    def delays(self) -> list[float]:
        return [attempt.delay for attempt in self.seen[1:]]


@dataclass
class Outcome:
    events: list[str]
    error: StreamError | None
    report: StreamReport


class Waits:
    """The clock that is moved where a thread would wait; each reader sets its own."""

    clock = Clock()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    Threads().join()


@pytest.fixture
def on_scripted_time(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_ever = threading.Event.wait

    def wait(event: threading.Event, timeout: float | None = None) -> bool:
        if timeout is None:
            return wait_for_ever(event)
        Waits.clock.now += timeout
        return event.is_set()

    monkeypatch.setattr(threading.Event, "wait", wait)


def read_events(
    attempts: Attempts, *, threads: bool = False, timeouts: Timeouts | None = None, **options: Any
) -> Outcome:
    Waits.clock = attempts.clock
    source = retrying(attempts.connect, **options)
    stream = iter_events(source, timeouts=OFF if threads else None)
    events, error = list[str](), None
    try:
        for item in stream:
            events.append(item.data)
    except StreamError as raised:
        error = raised
    return Outcome(events, error, stream.report)


def read_frames(attempts: Attempts, *, threads: bool = False, **options: Any) -> Outcome:
    """Read the bytes of `repair` by another reader, which knows no retries."""
    Waits.clock = attempts.clock
    stream = repair(retrying(attempts.connect, **options), heartbeat=None, timeouts=OFF if threads else None)
    frames = list(stream)
    ours = [frame for frame in frames if b"unbroken_error" in frame]
    assert len(ours) == (stream.report.error is not None)
    assert not ours or ours[0] is frames[-1]
    held = [b"".join(frame[:-2].rpartition(b"\n\n")[:2]) for frame in ours]  # what waited leaves with the error
    kept = b"".join([*(frame for frame in frames if frame not in ours), *held])
    return Outcome([item.data for item in iter_events([kept], repairs=())], stream.report.error, stream.report)


def read_async(attempts: Attempts, *, timeouts: Timeouts | None = None, **options: Any) -> Outcome:
    async def main(clock: Clock) -> Outcome:
        attempts.clock = clock
        stream = aiter_events(aretrying(attempts.aconnect, **options), timeouts=timeouts)
        events, error = list[str](), None
        try:
            async for item in stream:
                events.append(item.data)
        except StreamError as raised:
            error = raised
        return Outcome(events, error, stream.report)

    return warp(main)


def read_in_a_thread_of_a_loop(attempts: Attempts, **options: Any) -> Outcome:
    async def main() -> Outcome:
        stream = arepair(retrying(attempts.connect, **options), heartbeat=None, timeouts=None)
        frames = b"".join([frame async for frame in stream if b"unbroken_error" not in frame])
        return Outcome([item.data for item in iter_events([frames], repairs=())], stream.report.error, stream.report)

    Waits.clock = attempts.clock
    return asyncio.run(main())


READERS: dict[str, Callable[..., Outcome]] = {
    "iter_events": read_events,
    "iter_events, threaded": lambda attempts, **options: read_events(attempts, threads=True, **options),
    "repair": read_frames,
    "repair, threaded": lambda attempts, **options: read_frames(attempts, threads=True, **options),
    "aiter_events": read_async,
    "arepair of a synchronous client": read_in_a_thread_of_a_loop,
}
every_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS)

WHOLE: list[Part] = [event(1) + event(2), event(3)]
ALL = ["event 1", "event 2", "event 3"]
