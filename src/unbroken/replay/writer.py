"""Writes the log of one answer for its producer: into the store, and into the window for the readers beside it.

Where the store fails the answer goes on in the window, and the store is tried again and again: what it has missed is
written as soon as it takes that. Meanwhile nobody is to believe that the producer is lost, so the lease is renewed
alone, if at least that works, as on a full disk. What is not here any more cannot be written: then the log is ended as
truncated, since its readers would miss a part.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from .batching import Trimming
from .calls import PATIENCE, run
from .cursor import TRUNCATED
from .ids import START, Id
from .outside import end_from_outside
from .store import Fenced
from .window import ROOM, Window

if TYPE_CHECKING:
    from ..core.report import StreamReport
    from .bells import Bell
    from .calls import Calls
    from .form import FormKeeper
    from .outside import Terms
    from .store import Slice

_PIECE: Final = 2**20
"""Bytes of what was missed that are written at once: what is larger may take a store longer than a call may last."""
_SPARING: Final = 20
"""How much longer than a try took to wait before the next one: a store that answers late must not slow readers down."""


class LogWriter:
    """The log of one answer. `window` has what readers of this process need not ask the store for.

    `now` is the producer's clock. The methods do what they can, and raise nothing but what ends a task.
    """

    def __init__(
        self, store: Any, calls: Calls, key: str, owner: str, form: FormKeeper, bell: Bell, terms: Terms,
        report: StreamReport,
    ) -> None:  # fmt: skip
        self._store = store
        self._calls = calls
        self._key = key
        self._owner = owner
        self.form = form
        """How others write in the producer's place."""
        self._bell = bell
        self._terms = terms
        self._report = report
        self.window = Window(START, min(ROOM, terms.max_bytes))
        self.failed = False
        """Whether the answer goes on without the store, for the readers of this process alone."""
        self.fenced = False
        """Whether somebody else has ended it."""
        self.is_ended_outside = False
        """Whether another end than that of the stream stands in the log, while the answer goes on here without it."""
        self.stop_asked = False
        self.is_writing = False
        self.renewed = self.looked = 0.0
        """When the lease was renewed, and when the store was asked, on the producer's clock."""
        self._heard_at = time.monotonic()  # when the lease was renewed, for who asks in another thread
        self._logged = START  # the newest that the store has
        self._sent: list[bytes] = []  # of which is not known yet whether the store has them
        self._trimming = Trimming(terms.max_bytes, START.seq + 1)
        self._tried = self._pause = 0.0
        self._is_settled = False  # there is nothing left to write in the store

    @property
    def is_lost(self) -> bool:
        """Whether readers are to ask the store instead: somebody else ended the answer, or may by now."""
        if self.fenced:
            return True
        return not self.failed and time.monotonic() - self._heard_at > self._terms.lease + PATIENCE

    def begin(self, now: float) -> None:
        """Note the time of the first lease."""
        self.renewed = self.looked = now

    async def write(self, records: list[bytes], now: float) -> None:
        """Write records, each of which is counted once, however often it is sent; none renew the lease."""
        if records:
            self._count(records)
        await self._send(records, now)

    def write_here(self, records: list[bytes], now: float) -> bool:
        """Do what `write` does, where nothing has to be awaited for that; return whether that was so."""
        if not self._calls.direct or self.failed:
            return False
        self._count(records)
        try:
            self._append_here(records, now)
        except Exception as error:
            run(self._failed(error, now))
        self._show(records)
        return True

    def _count(self, records: list[bytes]) -> None:
        """Count records towards what is kept, and what has to go for them."""
        before = self._trimming.first
        if (first := self._trimming.add(records)) != before:
            self._terms.tally.count("trimmed", first - before)

    async def finish(self, now: float) -> None:
        """Write again what was under way when the task was cancelled; a store takes the same records once."""
        if self._sent:
            await self._send(self._sent, now)

    async def _send(self, records: list[bytes], now: float) -> None:
        self._sent = records
        if not self.failed:
            try:
                await self._append(records, now)
            except Exception as error:
                await self._failed(error, now)
        self._sent = []
        self._show(records)

    def _show(self, records: list[bytes]) -> None:
        """Let readers have records: they are in the log, unless the store failed."""
        if records and not self.fenced:
            self.window.add(records)
            self._bell.rouse()

    async def _append(self, records: list[bytes], now: float) -> None:
        if self._calls.direct:
            self._append_here(records, now)
            return
        args, facts = self._order(records, now)
        self.is_writing = True
        try:
            stop = await self._calls.call(self._store.append, *args, **facts)
        finally:
            self.is_writing = False
        self._appended(len(records), now, facts["form"], stop)

    def _append_here(self, records: list[bytes], now: float) -> None:
        args, facts = self._order(records, now)
        self.is_writing = self._bell.is_muted = True  # `_show` rings, once the window has the records
        try:
            stop = self._store.append(*args, **facts)
        finally:
            self.is_writing = self._bell.is_muted = False
        self._appended(len(records), now, facts["form"], stop)

    def _order(self, records: list[bytes], now: float) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of an append."""
        seq = self._logged.seq
        newest = max(seq + len(records), START.seq + 1)  # a piece of what was missed may all have to go with the next
        at, first = Id(START.epoch, seq + 1), Id(START.epoch, min(self._trimming.first, newest))
        facts = {"first": first, "lease": self._terms.lease, "form": self.form.news(now)}
        return (self._key, self._owner, at, records), facts

    def _appended(self, count: int, now: float, form: str | None, stop: bool) -> None:
        if count:
            self._logged = Id(START.epoch, self._logged.seq + count)
        if form is not None:
            self.form.stored(form)
        self.renewed = self.looked = now
        self._heard_at = time.monotonic()
        if stop:
            self.stop_asked = True

    async def _failed(self, error: Exception, now: float) -> None:
        if isinstance(error, Fenced):
            await self._refused(error, now)
        else:
            self._go_on_without(error, now)

    async def _refused(self, error: Exception, now: float) -> None:
        """Give way to who has ended the answer. Where nobody did, the store has lost records, or all of it."""
        try:
            slice = await self._read()
            self.fenced = slice is not None and slice.state.verdict is not None
        except Exception as worse:
            error = worse
        if not self.fenced:
            self._go_on_without(error, now)

    def _go_on_without(self, error: Exception, now: float) -> None:
        self._terms.failures.note(error)
        self._tried, self._pause = now, 0.0
        self._report.store_error = type(error).__name__
        self.window.room = self._terms.max_bytes
        self.failed = True

    async def _read(self) -> Slice | None:
        """Return the state of the answer in the store."""
        return await self._calls.call(self._store.read, self._key, self._logged, 0)  # type: ignore[no-any-return]

    async def look(self, now: float) -> None:
        """See whether the answer was stopped, or ended by somebody."""
        try:
            slice = await self._read()
        except Exception as error:
            self._go_on_without(error, now)
            return
        if slice is None:
            self._go_on_without(Fenced(self._key), now)
        elif slice.state.verdict is not None:
            self.fenced = True
        elif slice.state.stop_asked:
            self.stop_asked = True

    async def come_back(self, now: float) -> None:
        """Write what the store has missed, if it takes that by now; else renew the lease alone, if it takes that."""
        if self._is_settled or now - self._tried < self._pause:
            return
        began = time.monotonic()
        try:
            found = await self._missed()
            if found is None:
                return
            self._logged, missed = found
            try:
                for piece in _pieces(missed):
                    await self._append(piece, now)
            except Fenced:
                raise
            except Exception as error:
                self._terms.failures.note_again(error)
                await self._append([], now)
            else:
                self.failed = False
                self.window.room = min(ROOM, self._terms.max_bytes)
        except Exception as error:
            self._terms.failures.note_again(error)
        finally:
            self._tried = now
            self._pause = min(self._terms.lease / 3, _SPARING * (time.monotonic() - began))

    async def _missed(self) -> tuple[Id, list[bytes]] | None:
        """Return the newest id that the store has, and the records behind it.

        None if the answer is ended there, the store has forgotten it, or some of these are not here any more: the log
        is ended then. A stop that was asked for meanwhile, or stands there as the end, is noted.
        """
        slice = await self._read()
        if slice is None or slice.state.verdict is not None:
            self._is_settled = True
            if slice is not None:
                self.is_ended_outside = slice.state.last == START.outside  # else it is ours, and the reply was lost
                self.stop_asked = self.stop_asked or slice.state.verdict == "cancelled"
            return None
        self.stop_asked = self.stop_asked or slice.state.stop_asked
        missed = self.window.all_after(slice.state.last)
        if missed is None:
            await self._truncate(slice)
            return None
        return slice.state.last, missed

    async def _truncate(self, slice: Slice) -> None:
        """End the log, which has a part of the answer and gets no more."""
        args = (self._calls, self._store, self._key, slice.state, TRUNCATED, self._terms, self._owner)
        await end_from_outside(*args, store_error=self._report.store_error)
        self.is_ended_outside = self._is_settled = True

    # The end

    async def end(self, records: list[bytes], now: float) -> None:
        """Write the end, in one step with the last records; where the store has failed, once more try to."""
        await self.finish(now)
        if records:
            self._count(records)
        if not self.failed and not self.fenced:
            try:
                if not await self._end_in_store(self._logged.following(), records, now):
                    await self._refused(Fenced(self._key), now)
            except Exception as error:
                self._go_on_without(error, now)
        if not self.fenced:
            if records:
                self.window.add(records)
            self.window.is_whole = True
        self._bell.rouse()  # where it is fenced, readers are to have the end that stands in the store
        if self.failed and not self.fenced:
            await self.catch_up(now)

    async def _end_in_store(self, at: Id, records: list[bytes], now: float) -> bool:
        args = (self._key, self._owner, at, records, self._terms.ending(self._report))
        first = Id(START.epoch, self._trimming.first)
        return bool(await self._calls.call(self._store.end, *args, first=first, form=self.form.news(now)))

    def is_behind(self) -> bool:
        """Return whether the answer has ended, and the store does not know it."""
        return self.failed and not self.fenced and not self._is_settled

    async def catch_up(self, now: float, *, last: bool = False) -> None:
        """Write what the store has missed, and the end; else renew the lease. `last`: else end the log as truncated."""
        try:
            found = await self._missed()
            if found is None:
                return
            self._logged, missed = found
            try:
                *before, rest = _pieces(missed)
                for piece in before:
                    await self._append(piece, now)
                self._is_settled = await self._end_in_store(self._logged.following(), rest, now)
            except Exception as error:
                self._terms.failures.note_again(error)
                if last:
                    await self._truncate_now()
                else:
                    await self._append([], now)
        except Exception as error:
            if last:
                self._terms.failures.note(error, "the end of a replayed answer is in no log: %s")
            else:
                self._terms.failures.note_again(error)

    async def _truncate_now(self) -> None:
        slice = await self._read()
        if slice is not None:
            await self._truncate(slice)

    async def verdict(self) -> str | None:
        """Return the verdict that stands in the store, None where there is none or it cannot be asked."""
        try:
            slice = await self._read()
        except Exception as error:
            self._terms.failures.note(error)
            return None
        return None if slice is None else slice.state.verdict


def _pieces(records: list[bytes]) -> list[list[bytes]]:
    """Return records in pieces of `_PIECE` bytes each, or a single larger record; one piece at least."""
    pieces: list[list[bytes]] = [[]]
    size = 0
    for record in records:
        if pieces[-1] and size + len(record) > _PIECE:
            pieces.append([])
            size = 0
        pieces[-1].append(record)
        size += len(record)
    return pieces
