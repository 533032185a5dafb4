"""Any order of calls of a store, against a plain model: a list of records, and who may write.

The machine plays all parts of a replayed answer: producers that write, repeat a command, die before or after it or wake
up too late, readers that begin anywhere and look whenever they like (hints are lost, late and doubled so), whoever ends
an answer from outside, and the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from ...core.failure import Failure
from ...replay.cursor import LOST, STOPPED, TOO_OLD, Cursor, Gap, due_end, is_beyond, is_trimmed
from ...replay.ids import START, Id
from ...replay.records import with_id
from ...replay.store import MOST_RECORDS, Ending, Fenced
from ..clock import FakeClock
from ..require_hypothesis import st

LEASE, TTL, REMEMBER, MAX_AGE, KEEP = 10.0, 60.0, 240.0, 500.0, 10_000.0
_KEYS = st.sampled_from([":a", ":b", "name space:\u00e9"])
_COUNTS = st.integers(1, 5)
_LIMITS = st.sampled_from([1, 100, 5000, 2**20])
_FIRST = START.following()


@dataclass
class Written:
    """What the model knows of one answer. `log` holds all records that were ever written, trimmed ones too."""

    owner: str
    began: float
    lease_until: float
    log: list[tuple[Id, bytes]] = field(default_factory=list)
    first: Id = _FIRST
    form: str | None = None
    stop_asked: bool = False
    verdict: str | None = None
    report: str | None = None
    writer: str | None = None
    ended: float = 0.0

    @property
    def last(self) -> Id:
        return self.log[-1][0] if self.log else START

    def after(self, cursor: Id) -> list[tuple[Id, bytes]]:
        """Return what is kept behind a cursor."""
        return [entry for entry in self.log if entry[0] > cursor and entry[0] >= self.first]


@dataclass
class Writer:
    """One who believes to be the producer, and may be wrong. `at` is the id that it writes next."""

    key: str
    owner: str
    at: Id = _FIRST
    pending: tuple[Id, list[bytes], Id] | None = None  # a command of which it never heard whether it worked


@dataclass
class Reader:
    """One reader: its cursor, and the bytes that it was given."""

    key: str
    answer: Written
    cursor: Cursor
    begun: Id
    read: list[bytes] = field(default_factory=list)


class StoreMachine(RuleBasedStateMachine):
    """Subclassed with `make`, which returns a store, and `call`, which calls a method of it and waits for it."""

    writers = Bundle("writers")
    readers = Bundle("readers")

    make: Callable[[Callable[[], float]], Any]
    call: Callable[..., Any]
    tolerance: float

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock(1000.0)
        self.store: Any = type(self).make(self.clock)
        self.answers: dict[str, Written] = {}
        self.count = 0
        self.wakes: list[Callable[[], object]] = []

    def ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return type(self).call(getattr(self.store, method), *args, **kwargs)

    def teardown(self) -> None:
        for leave in self.wakes:
            leave()

    # Who writes

    @rule(target=writers, key=_KEYS)
    def start(self, key: str) -> Any:
        """One is elected; everybody else is told so, also of an answer that has expired."""
        self.count += 1
        owner = f"owner-{self.count}"
        form = self.form()
        elected = self.ask("open", key, owner, lease=LEASE, keep=KEEP, form=form)
        assert elected is (key not in self.answers), "one producer per key, and its first lease, in one step"
        if elected:
            self.answers[key] = Written(owner, self.clock(), self.clock() + LEASE, form=form)
            assert self.ask("open", key, owner, lease=LEASE, keep=KEEP, form=form) is True, "a command that came twice"
        return Writer(key, owner) if elected or self.count % 3 == 0 else multiple()

    def form(self) -> str | None:
        """Return a text that the answer is to keep from now on, now and then."""
        return f'{{"\u00e9": {self.count}}}' if self.count % 2 else None

    def may_write(self, writer: Writer, at: Id) -> bool:
        answer = self.answers.get(writer.key)
        is_owner = answer is not None and answer.owner == writer.owner and answer.verdict is None
        return is_owner and answer is not None and at == answer.last.following()

    def append_as(self, writer: Writer, at: Id, records: list[bytes], first: Id) -> None:
        """Append, and have the model do the same; a command that came already changes nothing."""
        answer = self.answers.get(writer.key)
        form = self.form()
        facts = {"first": first, "lease": LEASE, "form": form}
        is_repeated = (
            answer is not None
            and answer.owner == writer.owner
            and answer.verdict is None
            and bool(records)
            and answer.log[-1:] == [(at.following(len(records) - 1), records[-1])]
        )
        is_renewal = not records and answer is not None and answer.owner == writer.owner and answer.verdict is None
        if answer is None or not (self.may_write(writer, at) or is_repeated or is_renewal):
            try:
                self.ask("append", writer.key, writer.owner, at, records, **facts)
            except Fenced:
                return
            raise AssertionError("a writer that is not the producer, or is late, or leaves a hole, is fenced")
        stop = self.ask("append", writer.key, writer.owner, at, records, **facts)
        assert stop is answer.stop_asked, "append tells whether a stop was asked"
        answer.lease_until = self.clock() + LEASE
        answer.form = form or answer.form
        if not is_repeated:
            answer.log += zip(map(at.following, range(len(records))), records, strict=True)
            if records:
                answer.first = max(answer.first, first)

    @rule(
        writer=writers, count=_COUNTS, trims=st.integers(0, 3), size=st.sampled_from([1, 40, 2000]), dies=st.booleans()
    )
    def append(self, writer: Writer, count: int, trims: int, size: int, dies: bool) -> None:
        """Write what follows, and trim the head, but never the newest; `dies`: it hears nothing of the command."""
        if writer.pending is not None:
            self.repeat(writer)
            return
        at = writer.at
        frames = [with_id(b"data: " + b"x" * size + b"\n\n", at.following(number)) for number in range(count)]
        answer = self.answers.get(writer.key)
        newest = at.seq + count - 1
        first = Id(1, min((answer.first.seq if answer else 1) + trims, newest))
        self.append_as(writer, at, frames, first)
        if dies:
            writer.pending = at, frames, first
        else:
            writer.at = at.following(count)

    @rule(writer=writers)
    def repeat(self, writer: Writer) -> None:
        """Send the same command again, as clients do after a timeout."""
        if writer.pending is not None:
            at, frames, first = writer.pending
            self.append_as(writer, at, frames, first)
            writer.pending, writer.at = None, at.following(len(frames))

    @rule(writer=writers)
    def renew(self, writer: Writer) -> None:
        """Renew the lease: the answer's own producer alone can."""
        if writer.pending is None:
            self.append_as(writer, writer.at, [], Id(1, 1))

    @rule(writer=writers, count=st.integers(0, 2), twice=st.booleans(), trims=st.integers(0, 2))
    def end(self, writer: Writer, count: int, twice: bool, trims: int) -> None:
        """End in one step with the last records."""
        frames = [with_id(b"data: last\n\n", writer.at.following(number)) for number in range(count)]
        stands = self.may_write(writer, writer.at)
        answer = self.answers.get(writer.key)
        was_ours = answer is not None and answer.writer == writer.owner
        for _ in range(1 + twice):
            self.end_as(writer.key, writer.owner, writer.at, frames, "complete", stands, was_ours=was_ours, trims=trims)

    def end_as(
        self,
        key: str,
        owner: str,
        at: Id,
        frames: list[bytes],
        verdict: str,
        stands: bool,
        *,
        was_ours: bool = False,
        trims: int = 0,
    ) -> None:
        ending = Ending(verdict=verdict, report=f'{{"by": "{owner}"}}', ttl=TTL, remember=REMEMBER)
        answer = self.answers.get(key)
        newest = at.seq + len(frames) - 1 if at.epoch == 1 else 10**6
        first = Id(1, min(answer.first.seq + trims, newest, answer.last.seq or 1)) if answer else _FIRST
        told = self.ask("end", key, owner, at, frames, ending, first=first, form=f"end {owner}")
        assert told is (stands or was_ours), "an end stands once"
        if stands and answer is not None and answer.verdict is None:
            answer.first = max(answer.first, first)
            answer.log += zip(map(at.following, range(len(frames))), frames, strict=True)
            answer.verdict, answer.writer, answer.report = verdict, owner, ending.report
            answer.ended, answer.form = self.clock(), f"end {owner}"

    @rule(key=_KEYS, twice=st.booleans(), stale=st.booleans())
    def end_from_outside(self, key: str, twice: bool, stale: bool) -> None:
        """End an answer that is lost or too old, or stop it: one closer wins, whatever the producer wrote meanwhile."""
        answer = self.answers.get(key)
        slice = self.ask("read", key, START, 0)
        failure: Failure = STOPPED
        if slice is not None:
            failure = due_end(slice.state, MAX_AGE) or STOPPED
            if answer is not None and answer.verdict is None:
                lost = answer.lease_until <= self.clock()
                old = self.clock() - answer.began >= MAX_AGE
                assert failure is (LOST if lost else TOO_OLD if old else STOPPED), "the lease, by the store's clock"
        epoch = 1 if answer is None or answer.verdict is None else answer.last.epoch
        at = Id(epoch + 1, 0)
        self.count += 1
        stands = answer is not None and answer.verdict is None
        frames = [with_id(b"data: " + failure.code.encode() + b"\n\n", at)]
        for _ in range(1 + twice):
            self.end_as(key, f"closer-{self.count}", at, frames, "failed", stands)
        if stale:
            self.end_as(key, f"late-{self.count}", at, frames, "failed", False)

    @rule(key=_KEYS)
    def ask_stop(self, key: str) -> None:
        """Ask for a stop, which changes no log."""
        answer = self.answers.get(key)
        runs = answer is not None and answer.verdict is None
        assert self.ask("ask_stop", key) is runs
        if answer is not None and runs:
            answer.stop_asked = True

    # Who reads

    @rule(target=readers, key=_KEYS, back=st.integers(0, 12))
    def attach(self, key: str, back: int) -> Any:
        """Begin at any event: unknown, trimmed and beyond are told apart."""
        answer = self.answers.get(key)
        slice = self.ask("read", key, START, 0)
        if answer is None or slice is None or slice.state.expired:
            return multiple()
        after = Id(1, max(0, answer.last.seq - back))
        assert is_trimmed(after, slice.state) is (after.seq < answer.first.seq - 1)
        assert is_beyond(answer.last.following(), slice.state)
        assert not is_beyond(after, slice.state)
        return multiple() if is_trimmed(after, slice.state) else Reader(key, answer, Cursor(after), after)

    @rule(reader=readers, limit=_LIMITS)
    def look(self, reader: Reader, limit: int) -> None:
        """Look at the log, after a hint or for nothing: what comes is what follows, or that it was trimmed."""
        answer = self.answers.get(reader.key)
        if answer is not reader.answer:
            return
        slice = self.ask("read", reader.key, reader.cursor.at, limit)
        if slice is None or slice.state.expired:
            return
        expected = answer.after(reader.cursor.at)
        is_trimmed_now = reader.cursor.at.epoch == 1 and reader.cursor.at.seq < answer.first.seq - 1
        gap = None
        try:
            records = list(reader.cursor.take(slice))
        except Gap as told:
            gap, records = told.first, []
        assert gap == (answer.first if is_trimmed_now and expected else None), "what was trimmed is told, and no more"
        if gap is not None:
            return
        assert records == [record for _, record in expected[: len(records)]], "the log behind the cursor, in order"
        assert not expected or records, "one record at least"
        assert len(records) <= MOST_RECORDS
        assert len(records) <= 1 or sum(map(len, records)) <= limit, "no more than was asked for"
        assert reader.cursor.over is (answer.verdict is not None and reader.cursor.at >= answer.last)
        reader.read += records
        whole = [record for id, record in answer.log if reader.begun < id <= reader.cursor.at]
        assert reader.read == whole, "back-fill and live are the log: no gap, no repetition"

    @rule(back=st.integers(0, 12), limit=_LIMITS)
    def read_anywhere(self, back: int, limit: int) -> None:
        """Read every answer from anywhere: what is kept behind the cursor, as far as the limit goes."""
        for key, answer in self.answers.items():
            after = Id(1, max(0, answer.last.seq - back)) if answer.last.epoch == 1 else Id(1, back)
            slice = self.ask("read", key, after, limit)
            expected = [] if slice.state.expired else answer.after(after)
            given = list(slice.records)
            assert given == [record for _, record in expected[: len(given)]], "the log behind the cursor, in order"
            assert not expected or given, "one record at least"
            ends = (expected[0][0], expected[len(given) - 1][0]) if expected else (None, None)
            assert (slice.first, slice.last) == ends, "a slice says which records it has"

    @rule(reader=consumes(readers))
    def leave(self, reader: Reader) -> None:
        """Leave, which changes nothing."""

    @rule(key=_KEYS)
    def watch(self, key: str) -> None:
        """Watch, whether the answer is there or not."""
        self.wakes.append(self.ask_sync("watch", key, lambda: None))

    @rule()
    def unwatch(self) -> None:
        """End a watch, twice."""
        if self.wakes:
            leave = self.wakes.pop(0)
            leave()
            leave()

    def ask_sync(self, method: str, *args: Any) -> Any:
        return type(self).call(getattr(self.store, method), *args)

    # The clock

    @rule(seconds=st.sampled_from([0.5, 3.0, 9.0, 11.0, 61.0, 180.0, 250.0]))
    def pass_time(self, seconds: float) -> None:
        """Let time pass; what may be forgotten from then on is not looked at again."""
        self.clock.advance(seconds)
        for key, answer in list(self.answers.items()):
            if answer.verdict is not None and self.clock() - answer.ended >= REMEMBER:
                # It may be remembered for longer, so the key says nothing any more: have it forgotten for sure.
                del self.answers[key]
                self.forget(key)

    def forget(self, key: str) -> None:
        """Begin a store of its own where the old one still remembers the key."""
        if self.ask("read", key, START, 0) is not None:
            self.answers.clear()
            self.store = type(self).make(self.clock)

    @invariant()
    def the_states_agree(self) -> None:
        """State and report are those of the model."""
        for key in (":a", ":b", "name space:\u00e9"):
            answer = self.answers.get(key)
            slice = self.ask("read", key, START, 0)
            if answer is None:
                assert slice is None, "nobody has started it"
                continue
            state = slice.state
            now = self.clock()
            assert (slice.records, slice.first, slice.last) == ((), None, None)
            assert (state.verdict, state.last, state.stop_asked) == (answer.verdict, answer.last, answer.stop_asked)
            assert abs(state.age - (now - answer.began)) <= self.tolerance
            expired = answer.verdict is not None and now - answer.ended >= TTL
            assert state.expired is expired, "records go after their time"
            if not expired:
                assert state.first == answer.first
                assert state.form == answer.form
                assert self.ask("report", key) == answer.report
            if answer.verdict is None:
                assert abs(state.lease_left - (answer.lease_until - now)) <= self.tolerance
                assert state.ended is None
            else:
                assert state.ended is not None
                assert abs(state.ended - state.started - (answer.ended - answer.began)) <= self.tolerance
