"""Hints that an answer in Redis has changed: one subscribed connection of a process for all that is watched in it.

Whoever writes publishes to the channel of the answer. A hint may be lost, as everything that is published is while
nobody is subscribed; so whoever waits is woken once at each subscription too.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from .watches import Watches

_TICK: Final = 0.05
"""Seconds after which what is newly watched is subscribed at the latest."""
_IDLE: Final = 5.0
"""Seconds without anything to watch after which the connection is closed."""
_PAUSE: Final = 0.5
"""Seconds before another connection is tried."""


class Hints:
    """What is watched. Subclasses listen: in a thread, or in a task of an event loop."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._watches = Watches()
        self._subscribed: set[str] = set()
        self._used = 0.0

    def watch(self, channel: str, wake: Callable[[], object]) -> Callable[[], object]:
        """Call `wake` with each hint, until the function that is returned is called."""
        with self._lock:
            self._used = time.monotonic()
            self._listen()
            return self._watches.add(channel, wake)  # a process that is forked later has its own

    def _listen(self) -> None:
        """Listen from now on, if that is not done already. `_lock` is held."""
        raise NotImplementedError

    def _changes(self) -> tuple[list[str], list[str]]:
        """Return what to subscribe and what to leave."""
        wanted = set(self._watches.keys())
        if wanted:
            self._used = time.monotonic()
        new, gone = wanted - self._subscribed, self._subscribed - wanted
        self._subscribed = wanted
        return [*new], [*gone]

    def _is_idle(self) -> bool:
        return not self._watches and time.monotonic() - self._used > _IDLE

    def _tell(self, message: Any) -> None:
        """Wake whom a message concerns: that of a subscription too, since what came before it was not told."""
        if message["type"] not in ("message", "subscribe"):
            return
        channel = message["channel"]
        name = channel.decode() if isinstance(channel, bytes) else channel
        self._watches.wake(name)


class ThreadHints(Hints):
    """Listens in a daemon thread."""

    _thread: threading.Thread | None = None
    _pid = 0

    def _listen(self) -> None:
        if self._pid != os.getpid():
            self._pid, self._thread, self._watches = os.getpid(), None, Watches()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="unbroken hints", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            self._subscribed = set()
            try:
                with self._client.pubsub() as subscription:
                    self._serve(subscription)
            except Exception:  # hints only: whoever waits looks at the store itself
                time.sleep(_PAUSE)
            with self._lock:
                if self._is_idle():
                    self._thread = None
                    return

    def _serve(self, subscription: Any) -> None:
        while not self._is_idle():
            new, gone = self._changes()
            if new:
                subscription.subscribe(*new)
            if gone:
                subscription.unsubscribe(*gone)
            if not self._subscribed and not gone:
                time.sleep(_TICK)
                continue
            message = subscription.get_message(timeout=_TICK)
            while message is not None:
                self._tell(message)
                message = subscription.get_message(timeout=0)


class TaskHints(Hints):
    """Listens in a task of the loop that watches."""

    _task: asyncio.Task[None] | None = None

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        if self._task is not None and self._task.get_loop() is not loop:
            self._task, self._watches = None, Watches()
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work(), name="unbroken hints")

    async def _work(self) -> None:
        while not self._is_idle():
            self._subscribed = set()
            try:
                async with self._client.pubsub() as subscription:
                    await self._serve(subscription)
            except Exception:  # hints only: whoever waits looks at the store itself
                await asyncio.sleep(_PAUSE)
        self._task = None

    async def _serve(self, subscription: Any) -> None:
        while not self._is_idle():
            new, gone = self._changes()
            if new:
                await subscription.subscribe(*new)
            if gone:
                await subscription.unsubscribe(*gone)
            if not self._subscribed and not gone:
                await asyncio.sleep(_TICK)
                continue
            message = await subscription.get_message(timeout=_TICK)
            while message is not None:
                self._tell(message)
                message = await subscription.get_message(timeout=0)
