"""What a store is asked: the log of each answer, who may write it, and how it ended.

A store keeps bytes and figures, and decides nothing but two questions, each in one step, whatever else happens at the
same time: who may write an answer (`open`), and whether an entry may follow the last one (`append`, `end`). Ids are
pairs that grow, so that an entry whose id is not the next one is refused: of a producer that was replaced, of the
second of two that end an answer, and of a command that was sent twice.

Anyone's own store can be held to this page: `unbroken.testing.StoreContract`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple, Protocol

from .ids import Id

MOST_RECORDS: Final = 512
"""Records that one `read` returns at most, whatever its limit of bytes."""


class Fenced(Exception):
    """The writer may not write this answer any more: somebody else has ended it, or its store has forgotten it."""


class State(NamedTuple):
    """What a store knows of one answer at one moment. Its times are those of the store's own clock.

    `last` is the id of the newest entry, `START` where there is none; `first` the id of the oldest that is kept, the
    one after `START` where none was trimmed. `lease_left` and `age` are seconds: until the lease runs out, negative
    behind that, and since the start. `verdict` is None while the answer runs. `expired`: its records are gone, and only
    that it was there is remembered. `form` is the text that was given last.
    """

    last: Id
    first: Id
    lease_left: float
    age: float
    started: float  # seconds since the epoch
    ended: float | None = None  # seconds since the epoch
    verdict: str | None = None
    form: str | None = None
    stop_asked: bool = False
    expired: bool = False


class Slice(NamedTuple):
    """Consecutive records of an answer, and its state at the same moment.

    `first` is the id of the first record and `last` that of the last one, where there are records. The last one may be
    an end from outside, which is event 0 of the next epoch.
    """

    state: State
    records: Sequence[bytes] = ()
    first: Id | None = None
    last: Id | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an answer ends. `report` is JSON. `ttl`: seconds for which the records are kept from now on, and `remember`
    those for which the key is, at least as many.
    """

    verdict: str
    report: str | None
    ttl: float
    remember: float


class Store(Protocol):
    """Where answers are kept. Each method but `watch` may raise whatever its client raises: the store has failed then.

    Methods are called from several threads at once. Each should give up after a second, so that readers in the
    producing process can go on without the store.
    """

    instant: ClassVar[bool]
    """True: no call waits for anything, so that calls are made in the thread of an event loop, and are not batched."""

    def open(self, key: str, owner: str, *, lease: float, keep: float, form: str | None = None) -> bool:
        """Elect who produces the answer `key`, and give it its first lease, in one step; return whether it is `owner`.

        True for the first `owner` who asks, and again if the same one asks again (a client sends commands twice). False
        where the key is known: the answer runs, has ended, or has expired and is remembered. From now on the answer has
        a state: `last == START`, `first == START.following()`, no verdict, a lease of `lease` seconds. Unless it is
        ended, all of it, its key too, may be forgotten after `keep` seconds. `form`, text of a few KiB, is kept
        until another one is given: what others need who write in the producer's place.
        """

    def append(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], *, first: Id, lease: float, form: str | None
    ) -> bool:
        """Add records, whose ids are `at` and those behind it, and renew the lease; return whether a stop was asked.

        Everything before `first`, which is never beyond the newest record, may be deleted. Without records only the
        lease is renewed, whatever `at` is. Raises `Fenced`, and changes nothing, unless `owner` is the one of the
        answer, the answer has no end, and `at` is the id after `last`. The same call again, whose last record is the
        newest already (by id and by bytes), succeeds, and adds nothing. Readers see all of the records or, for a
        moment, the first ones of them. A `form` takes the place of the one before, None leaves that.
        """

    def end(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], ending: Ending, *, first: Id, form: str | None
    ) -> bool:
        """Add the last records and the end, visible in one step; return whether this call's end stands.

        A compare-and-set: False, and nothing changes, if the answer has an end already, or is unknown. By the producer
        `at` is the id after `last`, and `owner` the answer's; there may be no records. From outside `at` is
        `last.outside` (event 0 of the next epoch), with one record, and `owner` anybody's; it stands whatever the
        producer appended meanwhile in its own epoch. Everything before `first` may be deleted, as by `append`. The same
        call again returns True. Nothing follows an end. `form` as in `append`.
        """

    def read(self, key: str, after: Id, limit: int) -> Slice | None:
        """Return the records after the cursor `after`, and the state, of one moment; None for a key that is not known.

        At least one record if there is one, then as many as fit into `limit` bytes and `MOST_RECORDS`. Where records
        after the cursor were trimmed, the slice begins with the first that is kept: its `first` shows that. An expired
        answer has no records. A state is enough (`limit=0`: no records are wanted).
        """

    def report(self, key: str) -> str | None:
        """Return the report of an answer that has ended, as `end` was given it, or None."""

    def ask_stop(self, key: str) -> bool:
        """Note that the producer is to stop, which `append` and `read` tell; return whether the answer runs."""

    def watch(self, key: str, wake: Callable[[], object]) -> Callable[[], object]:
        """Call `wake()` whenever the answer may have changed; return the function that ends this.

        A hint: calls may be lost, late, doubled or for nothing. It is called in any thread, holding no lock that
        another method of the store needs; it returns at once, raises nothing, and calls no method of the store. One
        connection or one thread of a process serves all that is watched in it. `watch` itself never waits; a store that
        can tell nothing returns a function that does nothing.
        """


class AsyncStore(Protocol):
    """The same for asyncio, for the a-functions alone: every method but `watch` is a coroutine function.

    `watch` is called in the thread of the running loop, and calls `wake` there. A `Store` serves the a-functions too:
    its methods are then called in threads, unless it is `instant`.
    """

    async def open(self, key: str, owner: str, *, lease: float, keep: float, form: str | None = None) -> bool:
        """See `Store.open`."""

    async def append(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], *, first: Id, lease: float, form: str | None
    ) -> bool:
        """See `Store.append`."""

    async def end(
        self, key: str, owner: str, at: Id, records: Sequence[bytes], ending: Ending, *, first: Id, form: str | None
    ) -> bool:
        """See `Store.end`."""

    async def read(self, key: str, after: Id, limit: int) -> Slice | None:
        """See `Store.read`."""

    async def report(self, key: str) -> str | None:
        """See `Store.report`."""

    async def ask_stop(self, key: str) -> bool:
        """See `Store.ask_stop`."""

    def watch(self, key: str, wake: Callable[[], object]) -> Callable[[], object]:
        """See `Store.watch`."""


def fit(records: Sequence[bytes], limit: int) -> Sequence[bytes]:
    """Return as many of the first records as fit into `limit` bytes and `MOST_RECORDS`, but one at least."""
    if len(records) > MOST_RECORDS:
        records = records[:MOST_RECORDS]
    if sum(map(len, records)) <= limit:
        return records
    size = 0
    for count, record in enumerate(records):
        size += len(record)
        if size > limit:
            return records[: max(count, 1)]
    return records


METHODS: Final[Sequence[Any]] = ("open", "append", "end", "read", "report", "ask_stop", "watch")
"""What a store has, by name: what is no store is refused when it is handed over."""
