"""Streams for synchronous code: any WSGI framework, scripts, notebooks.

Upstream is read in a thread of its own, since a generator that is blocked on upstream can neither send a heartbeat nor
look at a clock. Everything else happens in the thread that iterates.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import ClassVar, Final, NoReturn, Self, TypeVar

from ..core.events import Event
from .engine import Engine
from .reader import GRACE, CallerReader, Reader, ThreadReader
from .source import Source, close_quietly, warn
from .stream import SLOW, Stream

T = TypeVar("T")
_LONGEST_WAIT: Final = 3600.0  # platforms limit the timeout of a lock, some to 49 days


class SyncStream(Stream[T], Iterator[T]):
    """An iterator over a repaired stream. One thread may iterate; any may `close`.

    Upstream is released at the end, by `close`, by leaving `with`, by an exception, and by garbage collection.
    """

    def __init__(
        self,
        engine: Engine[T],
        source: Source,
        *,
        threaded: bool,
        reader: Reader | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._reader: Reader = reader or (ThreadReader(source) if threaded else CallerReader(source))
        self._clock = clock
        self._begun = False
        self._busy = False
        super().__init__(engine)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        while True:
            for item in self._items:
                return item
            if self._closed or self._engine.finished:
                self._finish()
            self._items = iter(self._advance(math.inf) or ())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._closed:
            close_quietly(self.close)

    def prime(self, timeout: float | None = None) -> bool:
        """Wait for the first event, so that a failure before it can still be answered with a real status.

        True once there is one, or the stream ended without; False if `timeout` seconds passed first, and the stream
        stays usable. No heartbeat is sent meanwhile. Raises `StreamError` if the stream failed before its first
        event, or with it; its `status_hint` is the status to answer with.
        """
        if timeout is not None and not self._begun and isinstance(self._reader, CallerReader):
            self._reader = ThreadReader(self._source)  # nothing else can stop waiting
        until = math.inf if timeout is None else self._clock() + timeout
        held = list(self._items)
        self._engine.hold(True)
        try:
            while self._unprimed():
                items = self._advance(until)
                if items is None:
                    return False
                held += items
        finally:
            self._engine.hold(False)
            self._items = iter(held)
        self._raise_early_failure()
        return True

    def close(self) -> None:
        """Leave the stream: release upstream and yield nothing more. The verdict is CANCELLED unless there is one."""
        if self._closed:
            return
        self._closed = True
        self._items = iter(())
        self._engine.cancel(self._clock())
        self._reader.stop()

    def _advance(self, until: float) -> list[T] | None:
        """Give what the next chunk, end or deadline brings; None if `until` came first."""
        if self._busy:
            raise RuntimeError("this stream is being read by another thread; give each reader a stream of its own")
        self._busy = True
        try:
            if not self._begun:
                self._begin()
            arrived = self._reader.take()
            now = self._clock()
            if now - self._answered_at > SLOW:
                self._was_away(now)
            items = self._wait(now, until) if arrived is None else self._answer(arrived, now)
        except BaseException:
            self.close()
            raise
        finally:
            self._busy = False
        return [] if self._closed else items  # closed by another thread meanwhile

    def _begin(self) -> None:
        self._begun = True
        if not self._reader.start():
            warn("no thread can be started: a stream goes on without heartbeats and timeouts")
            self._reader = CallerReader(self._source)
        self._start_clocks(self._clock())

    def _wait(self, now: float, until: float) -> list[T] | None:
        """Wait for upstream, a deadline or `until`."""
        while not self._closed:
            deadline = self._engine.next_deadline()
            due = math.inf if deadline is None else deadline
            left = min(due, until) - now
            if left <= 0:
                return self._on_deadline(now) if due <= until else None
            arrived = self._reader.take(min(left, _LONGEST_WAIT))
            now = self._clock()
            if arrived is not None:
                return self._answer(arrived, now)
        return []

    def _on_deadline(self, now: float) -> list[T]:
        items = self._answer(None, now)
        if self._engine.finished:
            self._reader.stop()  # upstream is stuck: there is no end of its own to wait for
        return items

    def _finish(self) -> NoReturn:
        if not self._closed:
            self._closed = True
            self._reader.stop(GRACE)
            if failure := self._failure():
                raise failure
        raise StopIteration


class RepairedStream(SyncStream[bytes]):
    """An iterator over clean bytes. Each item is one whole frame or several, or a heartbeat between two of them."""

    _writes: ClassVar[bool] = True


class EventStream(SyncStream[Event]):
    """An iterator over events. After the last one it raises `StreamError` if the stream failed or was cut."""
