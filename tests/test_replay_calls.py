"""How long a call of a store may take: a store that answers, one after another, is told from one that does not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from tests.scripted import DONE, LIMIT, TOKEN
from tests.test_replay import ids
from unbroken.replay import Fenced, MemoryStore, Replay
from unbroken.replay.calls import ByLoop, ByThreads, StoreTimeout

LEASE = 10.0
Outcome = tuple[str, float]


def outcomes(calls: Any, methods: list[Callable[[], Any]]) -> list[Outcome]:
    """Make calls at once; return what each one raised, "" for nothing, and the seconds that it took."""

    async def one(method: Callable[[], Any]) -> Outcome:
        began, raised = time.monotonic(), ""
        try:
            await calls.call(method)
        except Exception as error:
            raised = type(error).__name__
        return raised, time.monotonic() - began

    async def all_at_once() -> list[Outcome]:
        return await asyncio.gather(*map(one, methods))

    return asyncio.run(all_at_once())


Method = Callable[[], Coroutine[Any, Any, None]]


class InTurn:
    """An asyncio store of one connection: a call takes so long from its turn on; None: it is never answered."""

    def __init__(self) -> None:
        self._turns: list[asyncio.Semaphore] = []

    def method(self, seconds: float | None, error: type[Exception] | None = None) -> Method:
        async def call() -> None:
            if not self._turns:
                self._turns.append(asyncio.Semaphore(1))
            async with self._turns[0]:
                if seconds is None:
                    await asyncio.Event().wait()
                else:
                    await asyncio.sleep(seconds)
                if error is not None:
                    raise error

        return call


def sleeping(seconds: float, error: type[Exception] | None = None) -> Callable[[], None]:
    def call() -> None:
        time.sleep(seconds)
        if error is not None:
            raise error

    return call


@pytest.mark.slow  # it waits for real time
@pytest.mark.parametrize("error", [None, Fenced])
@pytest.mark.parametrize("is_async", [True, False])
def test_the_wait_for_a_turn_is_no_failure_while_the_store_answers(is_async: bool, error: Any) -> None:
    if is_async:
        found = outcomes(ByLoop(LEASE), [InTurn().method(0.02, error)] * 80)
    else:
        found = outcomes(ByThreads(LEASE), [sleeping(0.1, error)] * 128)
    assert {raised for raised, _ in found} == {"" if error is None else "Fenced"}
    assert max(seconds for _, seconds in found) > 1.5


@pytest.mark.slow  # it waits for real time
def test_a_store_that_stops_to_answer_fails_all_calls_a_second_later() -> None:
    store = InTurn()
    found = outcomes(ByLoop(LEASE), [store.method(0.02)] * 10 + [store.method(None)] + [store.method(0.02)] * 200)
    assert Counter(raised for raised, _ in found) == {"": 10, "StoreTimeout": 201}
    assert max(seconds for _, seconds in found) < 3


@pytest.mark.slow  # it waits for real time
def test_a_call_that_is_not_answered_while_later_ones_are_has_failed() -> None:
    async def begin() -> float:
        calls, held = ByLoop(LEASE), asyncio.Event()
        began = time.monotonic()
        hung = asyncio.ensure_future(calls.call(held.wait))
        while not hung.done():
            await calls.call(asyncio.sleep, 0.02)
        with pytest.raises(StoreTimeout):
            await hung
        return time.monotonic() - began

    assert asyncio.run(begin()) < 3


@pytest.mark.slow  # it waits for real time
def test_calls_that_fail_one_after_another_make_none_wait_for_all_of_them() -> None:
    fails, answers = sleeping(0.9, OSError), sleeping(0.0)
    found = outcomes(ByThreads(LEASE), [fails, answers] * 40)
    assert max(seconds for _, seconds in found) < 2.5
    assert Counter(raised for raised, _ in found)["StoreTimeout"] > 20


@pytest.mark.parametrize(
    ("lease", "longest"),
    [pytest.param(10.0, 5.0, marks=pytest.mark.slow), pytest.param(4.0, 2.0, marks=pytest.mark.slow), (0.5, 1.0)],
)
def test_a_store_that_answers_slowly_is_not_waited_for_until_a_lease_is_lost(lease: float, longest: float) -> None:
    store = InTurn()
    found = outcomes(ByLoop(lease), [store.method(0.4)] * 20)
    assert {raised for raised, _ in found} == {"", "StoreTimeout"}
    assert longest <= max(seconds for _, seconds in found) < longest + 2


class Hanging(MemoryStore):
    """A store that answers no producer while it is told so."""

    instant = False

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        self.goes_on.set()

    def append(self, *args: Any, **kwargs: Any) -> bool:
        self.goes_on.wait(LIMIT)
        return super().append(*args, **kwargs)

    def end(self, *args: Any, **kwargs: Any) -> bool:
        self.goes_on.wait(LIMIT)
        return super().end(*args, **kwargs)


@pytest.mark.slow  # it waits for real time
def test_many_answers_of_a_store_that_is_down_go_on_without_it_within_a_second_or_so() -> None:
    async def begin() -> float:
        store, goes_on = Hanging(), asyncio.Event()
        answers = Replay(store)

        async def chunks() -> AsyncIterator[bytes]:
            yield TOKEN
            await goes_on.wait()
            yield DONE

        for number in range(60):
            await answers.astart(str(number), chunks)
        readers = [await answers.afollow(str(number)) for number in range(60)]
        for reader in readers:
            await anext(reader)
        store.goes_on.clear()
        goes_on.set()
        began = time.monotonic()
        for reader in readers:
            assert ids(b"".join([frames async for frames in reader])) == ["1-2"]
        took = time.monotonic() - began
        store.goes_on.set()
        await answers.aclose()
        return took

    assert 0.9 < asyncio.run(begin()) < 3
