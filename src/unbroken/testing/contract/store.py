"""The contract of a store of replayed answers: subclass it in a pytest file to test a store of your own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Any, ClassVar

from ...replay.ids import START, Id
from ...replay.records import with_id
from ...replay.store import Ending, Fenced
from ..attributes import Attribute, a, check_attributes
from ..mistakes import WrongContract
from ..require_hypothesis import HealthCheck, settings

_ATTRIBUTES = (
    Attribute("tolerance", "a number of seconds", a(int, float)),
    Attribute("examples", "a number: which part of the examples of the profile are drawn", a(int, float)),
)
_ENDING = Ending(verdict="complete", report=None, ttl=60.0, remember=60.0)


class StoreContract:
    """Tests of a store: any order of calls against a plain model, and several callers at the same time.

    Define `store(clock)`: a new, empty store whose times are those of `clock`, a function that returns seconds and
    never goes back. A `Store` or an `AsyncStore`; coroutines of the latter all run in one loop. `close(store)` is
    called at the end of each. `tolerance`: seconds by which the store's times may differ, as a real clock's do.
    """

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        check_attributes(cls, _ATTRIBUTES)

    tolerance: ClassVar[float] = 0.001
    examples: ClassVar[float] = 1.0
    """Times the examples of the Hypothesis profile: of how many orders of calls."""

    def store(self, clock: Callable[[], float]) -> Any:
        """Return a new store."""
        raise WrongContract(f"{type(self).__name__} must define store(clock)")

    def close(self, store: Any) -> None:
        """Close a store, and remove what it kept."""

    def test_any_order_of_calls(self) -> None:
        """The store says what a plain model says."""
        from hypothesis.stateful import run_state_machine_as_test

        from .store_machine import StoreMachine

        with _Caller(self) as caller:
            machine = type(
                f"{type(self).__name__}Machine",
                (StoreMachine,),
                {"make": staticmethod(caller.make), "call": staticmethod(caller.call), "tolerance": self.tolerance},
            )
            chosen = settings(
                deadline=None,
                max_examples=max(1, int(self.examples * settings().max_examples)),
                stateful_step_count=30,
                suppress_health_check=list(HealthCheck),
            )
            run_state_machine_as_test(machine, settings=chosen)

    def test_of_many_that_start_one_is_elected(self) -> None:
        """Twenty start the same answer at once."""
        with _Caller(self) as caller:
            store = caller.make(_real_clock)
            elected = caller.together(
                [
                    (store.open, (f":{key}", f"o{n}"), {"lease": 9.0, "keep": 99.0})
                    for key in range(10)
                    for n in range(20)
                ]
            )
            for key in range(10):
                assert elected[key * 20 : key * 20 + 20].count(True) == 1

    def test_of_many_that_end_one_stands_and_the_producer_is_fenced(self) -> None:
        """Ten end an answer from outside while its producer does."""
        with _Caller(self) as caller:
            store = caller.make(_real_clock)
            for number in range(10):
                key = f":{number}"
                caller.call(store.open, key, "producer", lease=9.0, keep=99.0)
                at, outside = Id(1, 1), START.outside
                record = with_id(b"data: x\n\n", at)
                ends = [(store.end, (key, "producer", at, [record], _ENDING), {"first": at, "form": None})]
                closing = [with_id(b"data: lost\n\n", outside)]
                ends += [
                    (store.end, (key, f"c{n}", outside, closing, _ENDING), {"first": at, "form": None})
                    for n in range(10)
                ]
                assert caller.together(ends).count(True) == 1
                slice = caller.call(store.read, key, START, 2**20)
                assert len(slice.records) == 1
                assert slice.last == slice.state.last
                try:
                    facts = {"first": at, "lease": 9.0, "form": None}
                    caller.call(store.append, key, "producer", at.following(), [record], **facts)
                    raise AssertionError("nothing follows an end")
                except Fenced:
                    pass

    def test_readers_beside_a_producer_get_the_log(self) -> None:
        """Four readers look on and on while a producer writes and trims nothing."""
        with _Caller(self) as caller:
            store = caller.make(_real_clock)
            caller.call(store.open, ":a", "producer", lease=9.0, keep=99.0)
            log = [with_id(b"data: %d\n\n" % number, Id(1, number)) for number in range(1, 201)]
            reads = caller.together([(_produce, (caller, store, log), {}), *[(_read_all, (caller, store), {})] * 4])
            assert reads[1:] == [log] * 4


def _real_clock() -> float:
    import time

    return time.monotonic()


async def _produce(caller: _Caller, store: Any, log: list[bytes]) -> None:
    at = Id(1, 1)
    for number in range(0, len(log) - 5, 5):
        batch = log[number : number + 5]
        await caller.acall(store.append, ":a", "producer", at, batch, first=Id(1, 1), lease=9.0, form=None)
        at = at.following(5)
    await caller.acall(store.end, ":a", "producer", at, log[at.seq - 1 :], _ENDING, first=Id(1, 1), form=None)


async def _read_all(caller: _Caller, store: Any) -> list[bytes]:
    cursor, read = START, list[bytes]()
    while True:
        slice = await caller.acall(store.read, ":a", cursor, 50)
        assert slice.first in (None, cursor.following()), "dense ids"
        read += slice.records
        cursor = slice.last or cursor
        if slice.state.verdict is not None and cursor == slice.state.last:
            return read


class _Caller:
    """Calls stores of either kind, makes them, and closes all that it made."""

    def __init__(self, contract: StoreContract) -> None:
        self._contract = contract
        self._stores: list[Any] = []
        self._runner = asyncio.Runner()

    def __enter__(self) -> _Caller:
        return self

    def __exit__(self, *raised: object) -> None:
        self._close()
        self._runner.close()

    def _close(self) -> None:
        for store in self._stores:
            self._contract.close(store)
        self._stores.clear()

    def make(self, clock: Callable[[], float]) -> Any:
        """Return a new store; the ones before it are closed."""
        self._close()
        store = self._contract.store(clock)
        self._stores.append(store)
        return store

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a method, in the loop, and return what it returns."""
        return self._runner.run(self.acall(method, *args, **kwargs))

    async def acall(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a method and await it where that is needed."""
        result = method(*args, **kwargs)
        return await result if isawaitable(result) else result

    def together(self, calls: Sequence[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]) -> list[Any]:
        """Make calls at the same time: in threads, or as tasks of one loop where the store is an asynchronous one."""
        from inspect import iscoroutinefunction

        if iscoroutinefunction(self._stores[-1].read):
            return self._runner.run(self._gather(calls))
        results: list[Any] = [None] * len(calls)

        def make(number: int) -> None:
            method, args, kwargs = calls[number]
            result = method(*args, **kwargs)
            results[number] = asyncio.run(result) if isawaitable(result) else result  # type: ignore[arg-type]

        threads = [threading.Thread(target=make, args=(number,)) for number in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    async def _gather(self, calls: Sequence[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]) -> list[Any]:
        return list(await asyncio.gather(*[self.acall(method, *args, **kwargs) for method, args, kwargs in calls]))
