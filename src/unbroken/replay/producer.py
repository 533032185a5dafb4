"""Produces one answer: reads upstream to its end, whoever reads or leaves, and writes the log.

The code is that of a task; a thread runs the same, where nothing of it waits for a loop (see `calls.run`).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final

from ..adapters.async_stream import running_loop
from ..core.failure import APPLICATION_ERROR, SHUTTING_DOWN, Failure
from ..observe.log import ERROR, trace
from .batching import PAUSE, Batch
from .calls import run
from .cursor import LOST, POLL, STOPPED, TOO_OLD
from .ids import START
from .records import Recorder
from .writer import LogWriter

if TYPE_CHECKING:
    from ..core.report import StreamReport
    from .bells import Bell
    from .calls import Calls
    from .form import FormKeeper
    from .outside import Terms
    from .window import Window

_CLOSEST: Final = 0.1
"""Seconds between two looks at the store that hints lead to; a write counts as one, since the store answers it."""
_TICK: Final = 0.02
"""Seconds between two looks whether it has ended, of who waits for that in a loop that is not its own."""


class Producer:
    """What threads and tasks share."""

    def __init__(
        self, store: Any, calls: Calls, key: str, owner: str, stream: Any, form: FormKeeper, bell: Bell, terms: Terms,
        on_end: Any,
    ) -> None:  # fmt: skip
        self._stream = stream
        self.bell = bell
        self._terms = terms
        self._on_end: Callable[[StreamReport], object] | None = on_end
        self._recorder = Recorder(START)
        self._batch = Batch(0.0 if getattr(store, "instant", False) else PAUSE)
        self._log = LogWriter(store, calls, key, owner, form, bell, terms, stream.report)
        self._soon = min(POLL, terms.lease / 6)
        self._began = self._look_at = 0.0
        self._rung = False
        self._asked: Failure | None = None
        self._leaves = threading.Event()  # it is to end, and not to wait for the store any more
        self._over = threading.Event()

    @property
    def window(self) -> Window:
        """What readers of this process need not ask the store for."""
        return self._log.window

    @property
    def form(self) -> str:
        """How others write in this producer's place."""
        return self._log.form.text

    @property
    def store_failed(self) -> bool:
        """Whether the answer goes on without the store, for the readers of this process alone."""
        return self._log.failed

    @property
    def is_lost(self) -> bool:
        """Whether readers are to ask the store instead: somebody else ended the answer, or may by now."""
        return self._log.is_lost

    def ask(self, failure: Failure) -> bool:
        """Have it end with this failure, whatever upstream does; return whether it will. Any thread may call this."""
        self._asked = self._asked or failure
        if failure is SHUTTING_DOWN:
            self._leaves.set()
        return self._nudge() and not (self._stream.finished or self.is_lost)

    async def abandon(self, failure: Failure) -> None:
        """End an answer that was opened and cannot be produced."""
        self._asked = failure
        self._keep(self._stream.end(failure), self._stream.now())
        await self._end()
        await self._release(at_once=True)
        self._count_end()
        self._over.set()

    def _on_ring(self) -> None:
        if not self._log.is_writing:
            self._rung = True
            self._nudge()

    def _nudge(self) -> bool:
        """Have `_advance` return; return whether anybody is there to do so. Any thread may call this."""
        raise NotImplementedError

    def start(self, done: Callable[[], object]) -> None:
        """Begin to produce; `done` is called at the end."""
        raise NotImplementedError

    async def ended(self) -> None:
        """Wait in a task until it has ended, or nobody is there to do so."""
        raise NotImplementedError

    def _advance(self, until: float) -> Coroutine[Any, Any, list[bytes]]:
        """Return the frames that come next, none where `until` or a nudge comes first."""
        raise NotImplementedError

    async def _release(self, *, at_once: bool) -> None:
        """Release upstream: `at_once`, or after it had a moment to come to its own end."""
        raise NotImplementedError

    async def _rest(self, seconds: float) -> None:
        """Wait for so long, or until it is asked to end."""
        raise NotImplementedError

    async def produce(self) -> None:
        """Read and write to the end."""
        leave = self.bell.on_ring(self._on_ring)
        try:
            await self._read_to_the_end()
        except asyncio.CancelledError:  # the loop ends
            self._asked = SHUTTING_DOWN
            self._leaves.set()
            self._keep(self._stream.end(SHUTTING_DOWN), self._stream.now())
            raise
        except BaseException as error:
            trace(error, ERROR, "the application raised %s")
            self._keep(self._stream.end(APPLICATION_ERROR), self._stream.now())
        finally:
            await self._end()
            leave()
            await self._release(at_once=self._asked is not None or self._log.fenced)
            await self._tell_end()
            await self._catch_up()
            self._count_end()

    async def _read_to_the_end(self) -> None:
        stream = self._stream
        now = self._began = stream.now()
        log, batch = self._log, self._batch
        log.begin(now)
        self._look_at = now + self._pause()
        while not (stream.finished or log.fenced):
            due = batch.due
            frames = await self._advance(self._look_at if due is None else min(due, self._look_at))
            now = stream.now()
            if frames:
                batch.add(self._recorder.add(frames), now)
            if stream.finished:
                return
            if batch.due is not None and now >= batch.due:
                await self._write(batch.take(now), now)
            if self._asked is None and (self._rung or now >= self._look_at):
                await self._look(now)
            if self._asked is not None:
                self._keep(stream.end(self._asked), now)

    def _pause(self) -> float:
        """Return the seconds between two looks: soon enough to renew the lease each third of it."""
        return self._soon

    def _keep(self, frames: list[bytes], now: float) -> None:
        self._batch.add(self._recorder.add(frames), now)

    # The store

    async def _write(self, records: list[bytes], now: float) -> None:
        """Write records; without any, renew the lease."""
        log = self._log
        if not (records and log.write_here(records, now)):
            await log.write(records, now)
        if log.stop_asked:
            self._asked = self._asked or STOPPED
        if log.looked == now:
            self._look_at = now + self._pause()

    async def _look(self, now: float) -> None:
        """See whether the answer is too old, was stopped or was ended by somebody; renew the lease if that is due."""
        log = self._log
        if self._rung and now < self._look_at and now - log.looked < _CLOSEST:
            self._look_at = log.looked + _CLOSEST
            self._rung = False
            return
        self._rung = False
        log.looked, self._look_at = now, now + self._pause()
        if now - self._began >= self._terms.max_age:
            self._asked = TOO_OLD
        elif log.failed:
            await log.come_back(now)
        elif now - log.renewed >= self._terms.lease / 3:
            await self._write([], now)
        else:
            await log.look(now)
        if log.stop_asked:
            self._asked = self._asked or STOPPED

    # The end

    async def _end(self) -> None:
        now = self._stream.now()
        await self._log.end(self._batch.take(now), now)
        if self._log.fenced:
            await self._give_way()

    async def _catch_up(self) -> None:
        """Where the store failed, and does not know the end, try for as long as a lease to have it know."""
        if not self._log.is_behind():
            return
        until = time.monotonic() + self._terms.lease
        while time.monotonic() < until and not self._leaves.is_set():
            await self._rest(self._pause())
            await self._log.catch_up(self._stream.now())
            if not self._log.is_behind():
                return
        await self._log.catch_up(self._stream.now(), last=True)

    def _count_end(self) -> None:
        """Count the end, unless another one stands in the log, or will: that is counted by who writes it."""
        log = self._log
        if not (log.fenced or log.is_ended_outside or log.is_behind()):
            report = self._stream.report
            self._terms.tally.count_end(report.verdict, None if report.error is None else report.error.code)

    async def _give_way(self) -> None:
        """End the stream, whose answer was ended by somebody else, for the reason that stands there."""
        self._stream.end(STOPPED if await self._log.verdict() == "cancelled" else LOST)

    async def _tell_end(self) -> None:
        if self._on_end is None:
            return
        try:
            said: Any = self._on_end(self._stream.report)
            if hasattr(said, "__await__"):
                await said
        except asyncio.CancelledError:  # the loop ends
            raise
        except BaseException as error:  # it would end the loop, and all other answers
            trace(error, ERROR, "on_end raised %s")


class ThreadProducer(Producer):
    """Produces in a daemon thread, in the context of who started it."""

    def start(self, done: Callable[[], object]) -> None:
        """Start the thread, which calls `done` at its end. Raises `RuntimeError` where there can be none."""
        from ..adapters.thread_care import carried, close_connections

        carry = carried()

        def work() -> None:
            try:
                if carry is not None:
                    carry()
                run(self.produce())
            finally:
                close_connections()
                done()
                self._over.set()

        self._thread = threading.Thread(target=copy_context().run, args=(work,), name="unbroken producer", daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None) -> bool:
        """Wait until it has ended, so many seconds at most; return whether it has."""
        if not self._over.wait(timeout):
            return False
        if self._thread.ident is not None:  # it was started
            self._thread.join()
        return True

    async def ended(self) -> None:
        while not self._over.is_set():  # noqa: ASYNC110 - a thread that waited would outlive who gives up
            await asyncio.sleep(_TICK)

    def _nudge(self) -> bool:
        self._stream.nudge()
        return True

    async def _advance(self, until: float) -> list[bytes]:
        return self._stream.advance(until)  # type: ignore[no-any-return]

    async def _rest(self, seconds: float) -> None:
        self._leaves.wait(seconds)

    async def _release(self, *, at_once: bool) -> None:
        if at_once:
            self._stream.close()
        next(self._stream, None)


class TaskProducer(Producer):
    """Produces in a task, which this object holds."""

    def start(self, done: Callable[[], object]) -> None:
        """Start the task, which calls `done` at its end."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self.produce(), name="unbroken producer")

        def end(task: asyncio.Task[None]) -> None:
            done()
            self._over.set()

        self._task.add_done_callback(end)

    async def ended(self) -> None:
        if self._loop is asyncio.get_running_loop():
            await asyncio.wait({self._task})
        while not self._over.is_set() and self._loop.is_running():  # noqa: ASYNC110 - it is set in another loop
            await asyncio.sleep(_TICK)

    def _nudge(self) -> bool:
        if running_loop() is self._loop:
            self._stream.nudge()
            return True
        try:
            self._loop.call_soon_threadsafe(self._stream.nudge)
        except RuntimeError:  # the loop is closed
            return False
        return self._loop.is_running()

    def _advance(self, until: float) -> Coroutine[Any, Any, list[bytes]]:
        return self._stream.advance(until)  # type: ignore[no-any-return]

    async def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._leaves.is_set():  # noqa: ASYNC110 - any thread sets it
            await asyncio.sleep(min(left, _TICK))

    async def _release(self, *, at_once: bool) -> None:
        if at_once:
            await self._stream.aclose()
        await anext(self._stream, None)
