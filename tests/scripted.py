"""Upstreams and time by script: nothing sleeps, and an hour of silence takes no time."""

import asyncio
import selectors
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from unbroken.adapters.reader import End

T = TypeVar("T")
Arrival = bytes | BaseException
Script = Iterable[tuple[float, Arrival]]
"""What upstream sends, each with the seconds since the start; an exception is raised, and the end follows the last."""

LIMIT = 10.0
"""Seconds after which a test that waits for a thread gives up."""

TOKEN = b'data: {"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class ScriptedReader:
    """Brings a script's chunks at their times; waiting moves the clock."""

    def __init__(self, clock: Clock, script: Script, *, end: float | None = None) -> None:
        self.clock = clock
        self.arrivals = [(clock.now + at, End(it) if isinstance(it, BaseException) else it) for at, it in script]
        if not self.arrivals or not isinstance(self.arrivals[-1][1], End):
            self.arrivals.append((clock.now + end if end is not None else self._last(), End()))
        self.stops: list[float] = []

    def _last(self) -> float:
        return self.arrivals[-1][0] if self.arrivals else self.clock.now

    def start(self) -> bool:
        return True

    def take(self, timeout: float = 0) -> bytes | End | None:
        due, arrival = self.arrivals[0]
        if due > self.clock.now + timeout:
            self.clock.now += timeout
            return None
        self.clock.now = max(self.clock.now, due)
        return arrival if isinstance(arrival, End) else self.arrivals.pop(0)[1]

    def take_more(self) -> bytes | None:
        due, arrival = self.arrivals[0]
        return None if due > self.clock.now or isinstance(arrival, End) else self.arrivals.pop(0)[1]

    def stop(self, grace: float = 0) -> None:
        self.stops.append(grace)


class WarpSelector(selectors.SelectSelector):
    """Where an event loop would sleep for a time, lets that time pass at once."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.selects = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.selects += 1
        ready = super().select(0 if timeout is None or timeout > 0 else timeout)
        if not ready and timeout is None:
            return super().select(LIMIT)  # a thread will wake the loop
        if not ready and timeout:
            self.clock.now += timeout
        return ready


class WarpLoop(asyncio.SelectorEventLoop):
    """An event loop on a clock of the test's own."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.selector = WarpSelector(clock)
        super().__init__(self.selector)

    def time(self) -> float:
        return self.clock.now


def warp(main: Callable[[Clock], Coroutine[Any, Any, T]], clock: Clock | None = None) -> T:
    """Run a coroutine on scripted time; no task may be left behind, and no error unnoticed."""
    clock = clock or Clock()
    with asyncio.Runner(loop_factory=lambda: WarpLoop(clock)) as runner:
        heard: list[dict[str, Any]] = []
        runner.get_loop().set_exception_handler(lambda _, context: heard.append(context))
        result = runner.run(main(clock))
        assert not heard
    assert not heard
    return result


async def scripted(script: Script, clock: Clock, *, end: float | None = None) -> AsyncIterator[bytes]:
    """Send a script's chunks on a warped loop."""
    start = clock.now
    for at, arrival in script:
        if start + at > clock.now:
            await asyncio.sleep(start + at - clock.now)
        if isinstance(arrival, BaseException):
            raise arrival
        yield arrival
    if end is not None and start + end > clock.now:
        await asyncio.sleep(start + end - clock.now)


class Upstream:
    """A synchronous upstream of real threads that can be watched, held and interrupted.

    It sends its chunks, then blocks until `released`, or until `abort`, which fails its read as a client's does.
    """

    def __init__(self, *chunks: bytes, blocks: bool = True) -> None:
        self.chunks = chunks
        self.blocks = blocks
        self.go_on = threading.Event()
        self.blocked = threading.Event()
        self.closed = threading.Event()
        self.aborted_by: list[threading.Thread] = []
        self.read_by: threading.Thread | None = None
        self.closed_by: threading.Thread | None = None
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        return self._read()

    def _read(self) -> Iterator[bytes]:
        self.read_by = threading.current_thread()
        try:
            for chunk in self.chunks:
                yield chunk
                self.sent += 1
            if self.blocks:
                self.blocked.set()
                assert self.go_on.wait(LIMIT)
            if self.aborted_by:
                raise OSError("the socket was shut down")
        finally:
            self.closed_by = threading.current_thread()
            self.closed.set()

    def abort(self) -> None:
        self.aborted_by.append(threading.current_thread())
        self.go_on.set()


@dataclass
class Threads:
    """Return the reader threads of this library that run now."""

    def __iter__(self) -> Iterator[threading.Thread]:
        return (thread for thread in threading.enumerate() if thread.name == "unbroken reader")

    def join(self) -> None:
        for thread in self:
            thread.join(LIMIT)
            assert not thread.is_alive()
