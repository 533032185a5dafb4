"""Calls of a store, as coroutines: one code for every kind of store, in threads and in event loops.

In a thread nothing of it ever waits for a loop: `run` takes such a coroutine to its end in one step.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from inspect import iscoroutinefunction
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeVar

from .bells import Bell, Timer
from .store import METHODS, Fenced

if TYPE_CHECKING:
    from .store import AsyncStore, Store

T = TypeVar("T")
PATIENCE: Final = 1.0
"""Seconds after which a call counts as failed, where it can be left behind: in an event loop. They begin again with
each answer to an earlier call, for which this one may have had to wait."""
_LONGEST: Final = 5.0
"""Seconds after which it counts as failed all the same: readers beside a producer wait for it. Half of a shorter lease,
which is renewed after a third."""
_REMEMBERED: Final = 1000
"""Answers that are remembered: more than there are calls that can overtake one another."""
_THREADS: Final = 8
"""Threads in which the calls of a synchronous store are made for all event loops of a process."""


class StoreTimeout(TimeoutError):
    """A store did not answer in time, which callers can catch by the name that Python has for it."""


class Calls(Protocol):
    """How one kind of caller calls a store and waits. `direct`: a call may as well be made without `call`."""

    direct: ClassVar[bool]

    async def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return what a method of the store returns, or raise what it raises."""

    def wait(self, bell: Bell, rings: int, seconds: float, timer: Timer) -> Coroutine[Any, Any, None]:
        """Wait until the bell has rung since `rings`, or so many seconds have passed."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns that waits for nothing but in its own thread."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    raise RuntimeError("a call of a synchronous store waited for an event loop")


class InThread:
    """For threads: a call is a call, and a wait blocks."""

    direct: ClassVar[bool] = True

    async def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return method(*args, **kwargs)

    async def wait(self, bell: Bell, rings: int, seconds: float, timer: Timer) -> None:
        """Block this thread."""
        bell.wait(rings, seconds)


class InLoop(InThread):
    """For tasks, and a store that never waits."""

    def wait(self, bell: Bell, rings: int, seconds: float, timer: Timer) -> Coroutine[Any, Any, None]:
        """Let other tasks run."""
        return bell.wait_here(rings, seconds, timer)


class Progress:
    """What became of the calls of a store, so that one that waits for its turn is told from one that nobody answers.

    Calls get their turns in the order in which they are made: those of an executor, and of a pool of connections.
    """

    def __init__(self, lease: float) -> None:
        self._longest = min(_LONGEST, lease / 2)
        self._numbers = count()
        self._answered: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)
        self._failed_at = -math.inf

    async def watch(self, call: asyncio.Future[Any]) -> Any:
        """Return the result of a call that begins now, or raise its error; `StoreTimeout` where it takes too long.

        Where another call has failed within `PATIENCE`, none gets more than that: a store that is down, or locked,
        must not be waited for by one after another.
        """
        number, began = next(self._numbers), time.monotonic()
        until = began + PATIENCE
        while not (await asyncio.wait({call}, timeout=max(0.0, until - time.monotonic())))[0]:
            until = min(self._answered_before(number) + PATIENCE, began + self._longest)
            if until <= time.monotonic():
                if until < began + self._longest:  # else the store answers, if slowly
                    self._failed_at = time.monotonic()
                call.add_done_callback(_forget)
                raise StoreTimeout
        error = call.exception()
        if error is None or isinstance(error, Fenced):
            self._answered.append((number, time.monotonic()))
        else:
            self._failed_at = time.monotonic()
        return call.result()

    def _answered_before(self, number: int) -> float:
        """Return when a call that was made before this one was answered last, on the monotonic clock."""
        if time.monotonic() - self._failed_at < PATIENCE:
            return -math.inf
        return next((at for earlier, at in reversed(list(self._answered)) if earlier < number), -math.inf)


class ByLoop(InLoop):
    """For tasks, and a store whose methods are coroutine functions."""

    direct: ClassVar[bool] = False

    def __init__(self, lease: float) -> None:
        self._progress = Progress(lease)

    async def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Await it, for as long as `PATIENCE` says; what takes longer is left behind."""
        return await self._progress.watch(asyncio.ensure_future(method(*args, **kwargs)))


class ByThreads(InLoop):
    """For tasks, and a store that may wait: it is called in threads of its own, so that nobody else's are used up."""

    direct: ClassVar[bool] = False

    def __init__(self, lease: float) -> None:
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._progress = Progress(lease)

    async def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call it in a thread, and wait for as long as `PATIENCE` says."""
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="unbroken store")
        loop = asyncio.get_running_loop()
        return await self._progress.watch(loop.run_in_executor(self._threads, partial(method, *args, **kwargs)))


def _forget(call: asyncio.Future[Any]) -> None:
    if not call.cancelled():
        call.exception()  # or it is reported as never retrieved


def check_store(store: Any) -> bool:
    """Return whether this is an `AsyncStore`. Raises `TypeError` for what is no store."""
    missing = [name for name in METHODS if not callable(getattr(store, name, None))]
    if isinstance(store, type) or missing:
        said = f"the class {store.__name__}: make one of it" if isinstance(store, type) else type(store).__name__
        raise TypeError(f"Replay(store) takes a store such as MemoryStore(), not {said}")
    return iscoroutinefunction(store.read)


def calls_for(store: Store | AsyncStore, lease: float, *, is_async: bool) -> Calls:
    """Return how the a-functions call a store. `lease`: seconds for which one call may not last."""
    if is_async:
        return ByLoop(lease)
    return InLoop() if getattr(store, "instant", False) else ByThreads(lease)
