"""A reader of one answer: a cursor, a clock for heartbeats, and one batch at a time."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from secrets import token_hex
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from ..adapters.open_streams import note_open, open_streams
from .bells import Timer
from .calls import run
from .cursor import LOST, POLL, STORE_FAILED, TRIMMED, Cursor, Gap, due_end, is_beyond, is_trimmed
from .form import error_frame, heartbeat
from .ids import START, Id
from .outside import end_from_outside
from .status import ExpiredAnswer, TrimmedAnswer, UnknownAnswer

if TYPE_CHECKING:
    from ..core.failure import Failure
    from ..core.report import StreamError
    from .bells import Bell, Bells
    from .calls import Calls
    from .outside import Terms
    from .producer import Producer
    from .store import Slice, State
    from .window import Window

LIMIT: Final = 2**16
"""Bytes that a reader takes at once, if the next event is not longer."""


class Log:
    """One answer as its readers see it: in the store, or in the window of a producer in this process."""

    __slots__ = ("_calls", "_local", "_store", "id", "key", "terms")

    def __init__(
        self, store: Any, calls: Calls, id: str, key: str, terms: Terms, local: Callable[[str], Producer | None]
    ) -> None:
        self._store = store
        self._calls = calls
        self._local = local
        self.id = id
        self.key = key
        self.terms = terms

    @property
    def producer(self) -> Producer | None:
        """The producer, if it is in this process and not lost."""
        producer = self._local(self.key)
        return None if producer is None or producer.is_lost else producer

    async def read(self, after: Id, limit: int) -> Slice | None:
        """Return what is behind a cursor. An answer whose producer is lost, or that is too old, is ended first."""
        slice: Slice | None = await self._ask(self._store.read, self.key, after, limit)
        failure = None if slice is None else due_end(slice.state, self.terms.max_age)
        if slice is None or failure is None:
            return slice
        if failure is LOST and self.terms.failures.are_recent(self.terms.lease):
            return slice  # what kept this process from the store may keep its producer from it, which comes back
        await self.end(slice, failure)
        return await self._ask(self._store.read, self.key, after, limit)  # type: ignore[no-any-return]

    async def _ask(self, method: Any, *args: Any) -> Any:
        try:
            return await self._calls.call(method, *args)
        except Exception:
            self.terms.failures.meet()
            raise

    async def end(self, slice: Slice, failure: Failure) -> bool:
        """End it from outside; return whether nobody else did."""
        try:
            args = (self._calls, self._store, self.key, slice.state, failure, self.terms, token_hex(8))
            return await end_from_outside(*args)
        except Exception:
            self.terms.failures.meet()
            raise

    async def known(self, after: Id, limit: int) -> Slice:
        """Return the same for a reader that begins. Raises what the public errors say: unknown, expired, trimmed."""
        slice = await self.read(after, limit)
        if slice is None or (
            is_beyond(after, slice.state) and not (slice.state.expired or _may_come(after, slice.state))
        ):
            raise UnknownAnswer(self.id)
        if slice.state.expired:
            raise ExpiredAnswer(self.id)
        if limit and is_trimmed(after, slice.state):
            raise TrimmedAnswer(self.id, slice.state.first)
        return slice

    async def report(self) -> str | None:
        """Return the report of an answer that has ended, as JSON."""
        return await self._calls.call(self._store.report, self.key)  # type: ignore[no-any-return]

    async def ask_stop(self) -> bool:
        """Note that the producer is to stop; return whether the answer runs."""
        return bool(await self._calls.call(self._store.ask_stop, self.key))

    def wait(self, bell: Bell, rings: int, seconds: float, timer: Timer) -> Coroutine[Any, Any, None]:
        """Wait until the bell has rung since `rings`, or so many seconds have passed."""
        return self._calls.wait(bell, rings, seconds, timer)


class _Reader:
    """What both kinds of readers share. `_step` returns the next bytes, None at the end."""

    def __init__(self, log: Log, bells: Bells, after: Id, heartbeat: float | None, first: Slice | None) -> None:
        self._log = log
        self._bells = bells
        self._bell: Bell | None = None
        self._cursor = Cursor(after)
        self._heartbeat = heartbeat
        self._first = first  # what was read at the call
        self._began_at = after
        self._wrote_at = time.monotonic()
        self._timer = Timer()
        self._rings = -1  # of the bell, at the last look at which there was nothing
        self._look_at = 0.0  # when to look without a ring
        self._failure: Failure | None = None  # told to this reader alone
        self._form = None if first is None else _form_of(first.state)
        self._producer: Producer | None = None
        self._newest = after  # that the store told of
        self._closed = False

    def interrupt(self, error: StreamError) -> bool:
        """Leave with this error, from which a client comes back: the server shuts down, and the answer may go on."""
        if self._closed or self._bell is None:
            return False
        self._failure = error.failure
        self._bell.ring()
        return True

    def _leave(self) -> None:
        self._closed = True
        self._timer.cancel()
        self._first = None
        bell, self._bell = self._bell, None
        if bell is not None:  # the collector may close a generator that holds this reader: no lock from here on
            self._bells.give_back(self._log.key, bell, self._log.terms.tally.reader_left)
            bell.rouse()  # another thread may wait in this reader

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and self._bell is not None:
            self._bells.give_back(self._log.key, self._bell, self._log.terms.tally.reader_left)

    async def _step(self) -> bytes | None:
        self._bells.sweep()
        while not (self._closed or self._cursor.over):
            if self._bell is None:
                self._bell = self._bells.take(self._log.key)
                self._log.terms.tally.count("readers")
                note_open(self)
            bell, rings = self._bell, self._bell.rings
            now = time.monotonic()
            if rings != self._rings or now >= self._look_at:
                taken = self._take_here()
                frames, pause = await self._take_from_store() if taken is None else taken
                self._rings, self._look_at = rings, now + pause
                if frames:
                    self._wrote_at = now
                    return frames
                if self._is_over():
                    break
            beat_at = math.inf if self._heartbeat is None else self._wrote_at + self._heartbeat
            if now >= beat_at:
                return self._beat(now)
            await self._log.wait(bell, rings, min(self._look_at, beat_at) - now, self._timer)
        self._leave()
        self._bells.sweep()
        return None

    def _is_over(self) -> bool:
        return self._closed or self._cursor.over

    def _take_here(self) -> tuple[bytes, float] | None:
        """Return the records that are there, and the seconds after which to look again where no ring comes before.

        None where the store has to be asked.
        """
        if self._failure is not None:
            return self._tell(self._failure), 0.0
        window = None if self._first is not None else self._window()
        if window is None:
            return None
        is_whole = window.is_whole  # before the look at its records: both may change
        records = window.after(self._cursor.at, LIMIT)
        if records is None:
            if is_whole or self._cursor.at <= window.last:
                return None
            return b"", POLL  # it was read from the store before the producer heard that it is there
        if records:
            self._cursor.at = self._cursor.at.following(len(records))
        self._cursor.over = is_whole and self._cursor.at == window.last
        return b"".join(records), POLL if self._cursor.at == window.last else 0.0

    def _window(self) -> Window | None:
        """Return the window of a producer in this process; one that has written the end stays of use."""
        producer = self._log.producer
        if producer is not None:
            self._producer = producer
            self._form = producer.form
            return producer.window
        left = None if self._producer is None else self._producer.window
        return left if left is not None and left.is_whole else None

    async def _take_from_store(self) -> tuple[bytes, float]:
        slice, self._first = self._first, None
        try:
            if slice is None:
                slice = await self._log.read(self._cursor.at, LIMIT)
            if slice is None or slice.state.expired:
                return self._tell(TRIMMED), 0.0
            self._form = _form_of(slice.state) or self._form
            records = self._cursor.take(slice)
            if self._cursor.over and is_beyond(self._cursor.at, slice.state):
                return self._tell(STORE_FAILED), 0.0  # the event that it has did not come into the log
        except Gap:
            return self._tell(TRIMMED), 0.0
        except Exception as error:
            self._log.terms.failures.note(error)
            return self._tell(STORE_FAILED), 0.0
        state = slice.state
        self._newest = state.last
        is_newest = self._cursor.at >= state.last
        return b"".join(records), self._cursor.until_due(state, self._log.terms.max_age) if is_newest else 0.0

    def _tell(self, failure: Failure) -> bytes:
        """Return the last frame, without an id: it is told to this reader, and stands in no log."""
        self._cursor.over = True
        return error_frame(failure, self._form)

    def _beat(self, now: float) -> bytes:
        self._wrote_at = now
        return heartbeat(self._form, id_seen=self._cursor.at != self._began_at)

    def lag(self) -> int:
        """Return how many events it is behind the newest one that is known in this process."""
        producer = self._log.producer
        newest = self._newest if producer is None else producer.window.last
        return max(0, newest.seq - self._cursor.at.seq)

    def reads_by(self, bells: Bells) -> bool:
        """Return whether it reads now, and is woken by these bells."""
        return self._bells is bells and not self._closed


def lags(bells: Bells) -> list[int]:
    """Return the lag, in events, of each reader in this process that is woken by these bells."""
    return [it.lag() for it in open_streams() if isinstance(it, _Reader) and it.reads_by(bells)]


class Follower(_Reader, Iterator[bytes]):
    """An iterator over the frames of an answer from a cursor on; each item is one whole frame or several.

    Closing it, or leaving it, changes nothing for anybody else. One thread may iterate, any may `close`.
    """

    def __next__(self) -> bytes:
        frames = run(self._step())
        if frames is None:
            raise StopIteration
        return frames

    def close(self) -> None:
        """Leave: yield nothing more."""
        self._leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._leave()


class AsyncFollower(_Reader, AsyncIterator[bytes]):
    """The same for asyncio, for one task. The first step raises what `follow` raises at the call; so does `await`ing
    it, which gives it back: a route knows then what to answer.
    """

    _checked = False

    def __await__(self) -> Generator[Any, None, Self]:
        return self._check().__await__()

    async def _check(self) -> Self:
        if not self._checked:
            self._first = await first_slice(self._log, self._cursor.at)
            self._form = None if self._first is None else _form_of(self._first.state)
            self._checked = True
        return self

    async def __anext__(self) -> bytes:
        if not self._checked:
            await self._check()
        frames = await self._step()
        if frames is None:
            raise StopAsyncIteration
        return frames

    async def aclose(self) -> None:
        """Leave: yield nothing more."""
        self._leave()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._leave()


def _form_of(state: State) -> str | None:
    """Return the form that is kept with an answer, the same object for all of its readers."""
    return None if state.form is None else sys.intern(state.form)


def _may_come(after: Id, state: State) -> bool:
    """Return whether a cursor beyond a running log may be one of it: its producer goes on while the store has failed,
    and writes later what the store has missed.
    """
    return state.verdict is None and after.epoch == START.epoch


async def first_slice(log: Log, after: Id) -> Slice | None:
    """Return what a reader begins with, None if it begins in the window of a producer whose store has failed.

    Raises the public errors, and what the store raises.
    """
    producer = log.producer
    if producer is not None and producer.store_failed and producer.window.after(after, 1) is not None:
        return None
    return await log.known(after, LIMIT)
