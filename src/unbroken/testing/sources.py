"""Sources of chunks that follow a script: chunks, pauses, failures, blocked reads, endless streams.

A script is a sequence of steps. Bytes are yielded, an exception is raised, `Pause(seconds)` waits, `Block()` waits
until `abort` or `close` interrupts it, and `Repeat(chunk)` never ends; anything else is a `TypeError`. A source
records what was done to it: `taken`, `closed`, `aborted`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Self, TypeAlias

from ..core.quantities import MAX_WAIT, check_count, check_seconds
from .clock import FakeClock
from .streams import SSEStream


@dataclass(frozen=True, slots=True)
class Pause:
    """A step that waits this many seconds, on the source's clock. Raises `TypeError` or `ValueError` for others."""

    seconds: float

    def __post_init__(self) -> None:
        check_seconds("Pause(seconds=...)", self.seconds, least=0)


@dataclass(frozen=True, slots=True)
class Block:
    """A step that blocks until `abort` or `close`, as a read from a silent socket does."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A step that yields this chunk `times` times, for ever if None. Raises `TypeError` or `ValueError` for others."""

    chunk: bytes
    times: int | None = None

    def __post_init__(self) -> None:
        if self.times is not None:
            check_count("Repeat(times=...)", self.times)


Step: TypeAlias = bytes | BaseException | Pause | Block | Repeat
"""One step of a script."""


class Interrupted(ConnectionError):
    """Raised from a blocked read when another thread shuts its connection down."""


class _Script:
    """The steps of one source, and what both kinds of source record."""

    def __init__(self, steps: Iterable[Step], clock: FakeClock | None) -> None:
        self._steps = _unrolled(_checked(steps))
        self._clock = clock
        self.taken = 0
        """The number of chunks yielded so far."""
        self.closed = False
        """Whether the source was closed, or read to its end."""
        self.aborted = False
        """Whether `abort` was called."""
        self._interruption = threading.Event()

    def _next_step(self) -> Step | None:
        step = None if self.closed else next(self._steps, None)
        if isinstance(step, bytes):
            self.taken += 1
        if step is None:
            self.closed = True
        return step

    def _check_interruption(self) -> None:
        if self.aborted:
            self.closed = True
            raise Interrupted("the connection was shut down")


def _checked(steps: Any) -> Iterable[Step]:
    """Return `steps`. Raises `TypeError` if it is not iterable, or if a sequence contains something else than steps."""
    if isinstance(steps, (bytes, str)) or not isinstance(steps, Iterable):
        raise TypeError(f"a script is an iterable of steps, such as [b'data: a\\n\\n', Pause(3)], not {steps!r:.60}")
    if isinstance(steps, Sequence):
        for step in steps:
            _check_step(step)
    script: Iterable[Step] = steps
    return script


def _check_step(step: object) -> None:
    if not isinstance(step, (bytes, BaseException, Pause, Block, Repeat)):
        raise TypeError(f"a step of a script is bytes, an exception object, Pause, Block or Repeat, not {step!r:.60}")


def _unrolled(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        _check_step(step)
        if isinstance(step, Repeat):
            yield from repeat(step.chunk) if step.times is None else repeat(step.chunk, step.times)
        else:
            yield step


class ScriptedSource(_Script, Iterator[bytes]):
    """An iterator of chunks that follows a script. `abort` and `close` may be called from any thread.

    With a `clock`, pauses advance it and nothing waits. Raises the exceptions of the script, and `Interrupted` from a
    read that `abort` or `close` interrupted.
    """

    def __init__(self, steps: Iterable[Step], clock: FakeClock | None = None) -> None:
        super().__init__(steps, clock)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while True:
            self._check_interruption()
            match self._next_step():
                case None:
                    raise StopIteration
                case bytes(chunk):
                    return chunk
                case BaseException() as error:
                    self.closed = True
                    raise error
                case Pause(seconds) if self._clock:
                    self._clock.sleep(seconds)
                case Pause(seconds):
                    self._interruption.wait(min(seconds, MAX_WAIT))
                case _:
                    self._interruption.wait()

    def abort(self) -> None:
        """Interrupt a blocked read, as shutting down a socket does."""
        self.aborted = True
        self._interruption.set()

    def close(self) -> None:
        """Release the source, and interrupt a read in another thread."""
        if not self.closed:
            self.closed = True
            self.abort()


class AsyncScriptedSource(_Script, AsyncIterator[bytes]):
    """The asynchronous form of `ScriptedSource`. Cancelling the task, `aclose` and `abort` end a pause or a block."""

    def __init__(self, steps: Iterable[Step], clock: FakeClock | None = None) -> None:
        super().__init__(steps, clock)
        self.cancelled = False
        """Whether a waiting read was cancelled."""
        self._wake: Callable[[], object] = lambda: None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while True:
            self._check_interruption()
            match self._next_step():
                case None:
                    raise StopAsyncIteration
                case bytes(chunk):
                    # In every client, a read yields to the event loop even if bytes are waiting.
                    await asyncio.sleep(0)
                    return chunk
                case BaseException() as error:
                    self.closed = True
                    raise error
                case Pause(seconds) if self._clock:
                    await self._clock.asleep(seconds)
                case Pause(seconds):
                    await self._wait(seconds)
                case _:
                    await self._wait(None)

    async def _wait(self, seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        event = asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(event.set)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            self.cancelled = self.closed = True
            raise
        finally:
            self._wake = lambda: None

    def abort(self) -> None:
        """Interrupt a waiting read; may be called from any thread."""
        self.aborted = True
        self._wake()

    async def aclose(self) -> None:
        """Release the source."""
        if not self.closed:
            self.closed = True
            self.abort()


@dataclass(frozen=True, slots=True)
class Schedule:
    """A stream and its script: chunks, pauses, and perhaps a failure or a block that ends it early."""

    stream: SSEStream
    steps: tuple[Step, ...]

    def arrivals(self) -> Iterator[tuple[float, bytes]]:
        """Yield each chunk with the seconds since the start at which it arrives."""
        now = 0.0
        for step in self.steps:
            if isinstance(step, Pause):
                now += step.seconds
            elif isinstance(step, bytes):
                yield now, step

    @property
    def delivered(self) -> bytes:
        """The bytes that arrive."""
        return b"".join(step for step in self.steps if isinstance(step, bytes))

    @property
    def duration(self) -> float:
        """The sum of the pauses, in seconds."""
        return sum(step.seconds for step in self.steps if isinstance(step, Pause))

    @property
    def failure(self) -> BaseException | None:
        """The exception that the script raises, None if there is none."""
        return next((step for step in self.steps if isinstance(step, BaseException)), None)


class Upstream:
    """The upstream of a route under test: `chunks()` or `achunks()` opens its source, which plays `steps`."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = tuple(_checked(steps))
        self.source: ScriptedSource | AsyncScriptedSource | None = None

    def chunks(self) -> ScriptedSource:
        """Open and return the source for reading in a thread."""
        self.source = ScriptedSource(self._steps)
        return self.source

    def achunks(self) -> AsyncScriptedSource:
        """Open and return the source for reading in an event loop."""
        self.source = AsyncScriptedSource(self._steps)
        return self.source

    def abort(self) -> None:
        """Interrupt a blocked read."""
        if self.source:
            self.source.abort()

    @property
    def released(self) -> bool:
        """Whether the source was closed, cancelled or read to its end, or never opened."""
        return self.source is None or self.source.closed

    @property
    def taken(self) -> int:
        """The number of chunks read so far."""
        return self.source.taken if self.source else 0
