"""What wakes the readers and the producer of an answer in this process: one watch of the store for all of them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..adapters.async_stream import running_loop

if TYPE_CHECKING:
    from .store import AsyncStore, Store


Left = Callable[[], object]


class Bell:
    """Rung when one answer may have changed. A ring is a hint: `rings` counts them, so that none is missed.

    Waiting threads are woken together, and so are the tasks of a loop, by one call into it: an append costs the same
    whether one reader waits or a thousand.
    """

    __slots__ = ("_calls", "_changed", "_loops", "_waiting", "is_muted", "leave", "rings", "users")

    def __init__(self) -> None:
        self._changed = threading.Condition()  # reentrant: a finalizer may ring in a thread that holds it
        self._waiting = 0  # threads
        self._loops: dict[asyncio.AbstractEventLoop, set[asyncio.Future[None]]] = {}
        self._calls: tuple[Callable[[], object], ...] = ()
        self.rings = 0
        self.users = 0
        self.is_muted = False
        """Whether its producer changes the answer at this moment, and rings when readers can have that."""
        self.leave: Callable[[], object] = _nothing

    def ring(self) -> None:
        """Wake everybody who waits. Any thread may call this."""
        if self.is_muted:
            return
        for call in self._calls:
            call()
        self.rouse()

    def rouse(self) -> None:
        """Wake readers that wait, and nobody else. A finalizer may call this, whatever its thread holds."""
        self.rings += 1
        if self._waiting:
            with self._changed:
                self._changed.notify_all()
        for loop in tuple(self._loops):
            self._ring_in(loop)

    def _ring_in(self, loop: asyncio.AbstractEventLoop) -> None:
        futures = self._loops.pop(loop, None)
        if not futures:
            return
        if running_loop() is loop:
            _wake(futures)
            return
        try:
            loop.call_soon_threadsafe(_wake, futures)
        except RuntimeError:  # closed, and its readers gone
            pass

    def on_ring(self, call: Callable[[], object]) -> Callable[[], object]:
        """Call this with each ring, in the thread of the ring; return the function that ends it."""
        self._calls = (*self._calls, call)

        def leave() -> None:
            self._calls = tuple(other for other in self._calls if other is not call)

        return leave

    def wait(self, rings: int, seconds: float) -> None:
        """Wait in a thread until it has rung since `rings`, or so many seconds have passed."""
        with self._changed:
            self._waiting += 1
            try:
                if self.rings == rings:
                    self._changed.wait(seconds)
            finally:
                self._waiting -= 1

    async def wait_here(self, rings: int, seconds: float, timer: Timer) -> None:
        """Wait in a task for the same, or a little shorter: whoever waits looks at its clock again."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        waiting = self._loops.setdefault(loop, set())  # one that is rung meanwhile is woken with the future in it
        waiting.add(future)
        if self.rings != rings:
            waiting.discard(future)
            return
        timer.wake_at(loop, loop.time() + seconds, future)
        try:
            await future
        finally:
            waiting.discard(future)


class Timer:
    """The timer of one task that waits again and again. It stays set where the next wait ends later."""

    __slots__ = ("_future", "_handle", "_when")

    def __init__(self) -> None:
        self._handle: asyncio.TimerHandle | None = None
        self._when = 0.0
        self._future: asyncio.Future[None] | None = None

    def wake_at(self, loop: asyncio.AbstractEventLoop, when: float, future: asyncio.Future[None]) -> None:
        """Wake the future at this time of the loop's clock, or earlier."""
        self._future = future
        if self._handle is None or when < self._when:
            self.cancel()
            self._when = when
            self._handle = loop.call_at(when, self)

    def cancel(self) -> None:
        """Wake nothing any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def __call__(self) -> None:
        self._handle = None
        if self._future is not None and not self._future.done():
            self._future.set_result(None)


def _wake(futures: Any) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


def _nothing() -> None:
    """Leave nothing."""


class Bells:
    """The bells of the answers that are followed or produced in this process, by key.

    A bell is given back without a lock: the garbage collector may do that, in a thread that holds any of ours.
    """

    def __init__(self, store: Store | AsyncStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._bells: dict[str, Bell] = {}
        self._given_back: deque[tuple[str, Bell, Left]] = deque()

    def take(self, key: str) -> Bell:
        """Return the bell of an answer; `give_back` is to follow. A store whose `watch` fails gives no hints."""
        self.sweep()
        with self._lock:
            bell = self._bells.get(key)
            if bell is None:
                bell = self._bells[key] = Bell()
                try:
                    bell.leave = self._store.watch(key, bell.ring)
                except Exception:
                    pass  # it is looked at again in any case
            bell.users += 1
            return bell

    def give_back(self, key: str, bell: Bell, left: Left = _nothing) -> None:
        """Leave a bell, whose watch ends at the first `sweep` behind the last one who does. `left` is called there."""
        self._given_back.append((key, bell, left))

    def sweep(self) -> None:
        """End the watches that nobody needs any more. No finalizer may call this."""
        while self._given_back:
            with self._lock:
                left = self._unused()
            for leave in left:
                try:
                    leave()
                except Exception:
                    pass

    def _unused(self) -> list[Left]:
        """Return what is to be called for bells that were given back, by all their users or one. `_lock` is held."""
        left: list[Left] = []
        while self._given_back:
            try:
                key, bell, gone = self._given_back.popleft()
            except IndexError:
                break
            bell.users -= 1
            if gone is not _nothing:
                left.append(gone)
            if not bell.users and self._bells.get(key) is bell:
                del self._bells[key]
                left.append(bell.leave)
        return left
