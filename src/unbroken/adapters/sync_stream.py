"""The iterator over one stream: what its consumer calls, and how it waits for upstream, a deadline or a close.

Upstream is read in a thread of its own, since a generator that is blocked on upstream can neither send a heartbeat nor
look at a clock; where there is neither, in the thread that iterates. Everything else happens in that one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from types import GeneratorType, TracebackType
from typing import TYPE_CHECKING, ClassVar, Final, NoReturn, Self, TypeVar, cast

from ..observe.log import warn
from .reader import GRACE, MAX_CHUNKS, CallerReader, ThreadReader
from .source import Source, close_quietly
from .stream import SLOW, Stream, check_wait

if TYPE_CHECKING:
    from .engine import Engine
    from .reader import Reader

T = TypeVar("T")
_BUSY: Final = "this stream is being read by another thread; give each reader a stream of its own"
_LARGE: Final = 2**16
"""Bytes from which on a write is not made larger."""
_MOMENT: Final = 0.01
"""Seconds for which a write may be delayed while the chunks that follow it in the queue are processed."""
_LONGEST_WAIT: Final = 3600.0  # platforms limit the timeout of a lock, some to 49 days


class SyncStream(Stream[T], Iterator[T]):
    """An iterator over a repaired stream. One thread may iterate; any may `close`.

    Upstream is released at the end, by `close`, by leaving `with`, by an exception, and by garbage collection.
    """

    _any_thread_may_close: ClassVar[bool] = True
    _nudged = False  # whoever waits for upstream is to return for something else

    def __init__(
        self,
        engine: Engine[T],
        source: Source,
        *,
        threaded: bool,
        reader: Reader | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader: Reader = reader or (ThreadReader(source) if threaded else CallerReader(source))
        self._threaded = threaded
        self._direct: GeneratorType[T, None, None] | None = None  # reads without a look at deadlines
        self._clock = clock
        self._begun = False
        self._busy = False
        self._cancels = [engine.cancel]  # called once: whichever thread pops it calls it
        super().__init__(engine, source)

    def __iter__(self) -> Self:
        # Not a generator, which would be faster: `yield from` would close that and not this stream.
        return self

    def __next__(self) -> T:
        while True:
            try:
                for item in self._items:
                    return item
            except BaseException as error:
                self._refuse_second_reader(error)
                self.close()
                raise
            if self._closed or self._engine.finished:
                self._finish()
            if self._direct is not None and self._items is not self._direct:
                self._refuse_if_busy()
                self._items = self._direct
                continue
            items = self._advance(math.inf, drains=self._writes)
            if items and len(items) == 1:  # as most chunks bring: an iterator less
                return items[0]
            self._items = iter(items or ())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._closed and self._may_release():
            close_quietly(self.close)

    def prime(self, timeout: float | None = None) -> bool:
        """Wait for the first event, so that a failure before it can still be answered with a real status.

        Returns True once there is one, or the stream ended without one; False if `timeout` seconds passed first, and
        the stream stays usable. No heartbeat is sent meanwhile. Raises `StreamError` if the stream failed before its
        first event, or with it, and that was not raised or yielded yet; its `status_hint` is the status to answer
        with. Raises `TypeError` or `ValueError` if `timeout` is not a number of seconds from 0 on.

        Where upstream is read in the caller's thread, `timeout` moves it to one of its own: nothing else can stop
        waiting.
        """
        until = check_wait("prime(timeout=...)", timeout) + self._clock()
        self._refuse_if_busy()
        # What is read directly holds items back only from the second event on, and then this is past priming.
        held = [] if self._items is self._direct else list(self._items)
        if self._is_past_priming(held):
            return True
        self._items = iter(())
        if until < math.inf and isinstance(self._reader, CallerReader) and self._unprimed():
            self._read_in_thread(self._reader)
        self._engine.hold(True)
        try:
            while self._unprimed():
                items = self._advance(until)
                if items is None:
                    return False
                held += items
        finally:
            self._engine.hold(False)
            self._items = iter(() if self._closed else held)
        self._raise_early_failure()
        return True

    def close(self) -> None:
        """Leave the stream: release upstream and yield nothing more. The verdict is CANCELLED unless there is one.

        Any thread may call this, a callback too. While another one reads, that one sets the verdict when it returns.
        In a fork of the process that made the stream it releases nothing.
        """
        if self._closed:
            return
        self._closed = True  # before the look at `_is_busy`: the one who reads looks at both the other way round
        self._items = iter(())
        if not self._may_release():
            self._cancels.clear()
            return
        if isinstance(self._reader, CallerReader):
            self._reader.wanted = False
        if not self._is_busy():
            if self._direct is None:  # else nobody looked at the time of the last answer
                self._note_absence()
            self._cancel()
        self._reader.stop()

    def _now(self) -> float:
        return self._clock()

    def _is_busy(self) -> bool:
        """Whether a thread reads now."""
        return self._busy or (self._direct is not None and self._direct.gi_running)

    def _refuse_if_busy(self) -> None:
        if self._is_busy():
            raise RuntimeError(_BUSY)

    def _refuse_second_reader(self, error: BaseException) -> None:
        """Raise `RuntimeError` in place of Python's error for a generator that another thread executes."""
        if isinstance(error, ValueError) and error.args == ("generator already executing",):
            raise RuntimeError(_BUSY) from None

    def _cancel(self) -> None:
        try:
            cancel = self._cancels.pop()
        except IndexError:
            return
        cancel(self._clock())

    def _advance(self, until: float, *, drains: bool = False) -> list[T] | None:
        """Return the items of the next chunk, end or deadline; None if `until` came first.

        `drains` adds the items of chunks that have arrived since, so that a server writes them all at once.
        """
        self._refuse_if_busy()
        self._busy = True
        try:
            was_closed = self._closed  # a name of its own: it may have changed where it is asked again
            if was_closed:
                return []
            items = self._read_on(until)
            if items and drains:
                items = self._drain(items)
        except BaseException:
            self.close()
            raise
        finally:
            self._busy = False
            if self._closed:
                self._cancel()
        return [] if self._closed else items  # closed by another thread meanwhile

    def _read_on(self, until: float) -> list[T] | None:
        if not self._begun:
            self._begin()
            if self._closed:  # by an observer of the start
                return []
        arrived = self._reader.take()
        if self._closed:  # what comes then may be the failure of an aborted read
            return []
        now = self._clock()
        if now - self._answered_at > SLOW:
            self._was_away(now)
        return self._wait(now, until) if arrived is None else self._answer(arrived, now)

    def _drain(self, items: list[T]) -> list[T]:
        """Add the items of chunks that have arrived: twice the throughput, measured with 200 threads of gunicorn."""
        until = self._clock() + _MOMENT
        for _ in range(MAX_CHUNKS):  # or a fast upstream would be read on and on
            if self._engine.finished or sum(map(len, items)) > _LARGE:  # type: ignore[arg-type]
                break
            now = self._clock()
            chunk = self._reader.take_more() if now <= until else None
            if chunk is None:
                break
            items = items + self._answer(chunk, now)
        return self._join(items) if len(items) > 1 else items

    def _begin(self) -> None:
        self._refuse_fork()
        self._begun = True
        if self._writes:
            self._note_open()
        self._start_reader()
        self._start_clocks(self._clock())
        # Where nothing is ever due, and no source takes this one's place, nothing needs to be asked between two chunks.
        if not self._threaded and self._succession is None and type(self._reader) is CallerReader:
            items = self._reader.items(self._engine, self._clock, joined=self._writes)
            self._direct = cast("GeneratorType[T, None, None]", items)

    def _start_reader(self) -> None:
        if not self._reader.start():
            warn("no thread can be started: a stream goes on without heartbeats and timeouts")
            self._reader = CallerReader(self._source)

    def _read_in_thread(self, reader: CallerReader) -> None:
        """Read the rest of upstream in a thread."""
        threaded = reader.in_thread()
        if not self._begun:
            self._reader = threaded
        elif threaded.start():
            self._reader, self._direct = threaded, None
        else:
            warn("no thread can be started: prime() waits for as long as upstream takes")

    def _reopen(self) -> None:
        self._reader.stop()
        self._reader = self._reader.following(self._source)
        self._start_reader()
        if self._closed:  # by another thread, which may have missed this reader
            self._reader.stop()
            close_quietly(self._source.abort)

    def _wait(self, now: float, until: float) -> list[T] | None:
        """Wait for upstream, a deadline or `until`."""
        self._refuse_fork()  # which has no thread that reads, and would wait for ever
        while not self._closed:
            deadline = self._engine.next_deadline()
            due = math.inf if deadline is None else deadline
            left = min(due, until) - now
            if left <= 0:
                if due <= until:
                    return self._on_deadline(now)
                self._answered_at = now  # the wait was upstream's time, and not the consumer's
                return None
            if self._nudged:
                self._answered_at = now
                return None
            arrived = self._reader.take(min(left, _LONGEST_WAIT))
            now = self._clock()
            if arrived is not None and not self._closed:
                return self._answer(arrived, now)
        return []

    def _on_deadline(self, now: float) -> list[T]:
        items = self._answer(None, now)
        if self._engine.finished:
            self._reader.stop()  # upstream is stuck: there is no end of its own to wait for
        return items

    def _finish(self) -> NoReturn:
        if self._closed:
            self._cancel()  # by another thread, which left that to who reads
        else:
            self._closed = True
            try:
                self._reader.stop(GRACE)
            finally:
                self._reader.stop()  # where an interrupt ended the wait
            if failure := self._failure():
                raise failure
        raise StopIteration
