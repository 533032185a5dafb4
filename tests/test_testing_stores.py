"""The contract of stores finds the faults that it is for: each of these stores breaks one promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, settings

from unbroken.replay import Fenced, MemoryStore
from unbroken.testing import StoreContract


class ElectsEverybody(MemoryStore):
    def open(self, key: str, owner: str, **terms: Any) -> bool:
        return super().open(key, owner, **terms) or True


class ForgetsTheLease(MemoryStore):
    def append(self, key: str, owner: str, at: Any, records: Any, *, lease: float, **facts: Any) -> bool:
        return super().append(key, owner, at, records, lease=lease / 2, **facts)


class WritesAfterTheEnd(MemoryStore):
    def append(self, *args: Any, **facts: Any) -> bool:
        try:
            return super().append(*args, **facts)
        except Fenced:
            return False


class RefusesARepeatedCommand(MemoryStore):
    def append(self, key: str, owner: str, at: Any, records: Any, **facts: Any) -> bool:
        slice = self.read(key, at, 0)
        if records and slice is not None and slice.state.last >= at:
            raise Fenced(key)
        return super().append(key, owner, at, records, **facts)


class SkipsWhatWasTrimmed(MemoryStore):
    def read(self, key: str, after: Any, limit: int) -> Any:
        slice = super().read(key, after, limit)
        return slice._replace(first=after.following()) if slice is not None and slice.first is not None else slice


class TakesTheSecondEnd(MemoryStore):
    def end(self, *args: Any, **facts: Any) -> bool:
        return super().end(*args, **facts) or True


class GivesAnEmptySlice(MemoryStore):
    def read(self, key: str, after: Any, limit: int) -> Any:
        return super().read(key, after, limit if limit > 1 else 0)


class KeepsForEver(MemoryStore):
    def read(self, key: str, after: Any, limit: int) -> Any:
        slice = super().read(key, after, limit)
        return slice and slice._replace(state=slice.state._replace(expired=False))


BROKEN = (
    ElectsEverybody, ForgetsTheLease, WritesAfterTheEnd, RefusesARepeatedCommand, SkipsWhatWasTrimmed,
    TakesTheSecondEnd, GivesAnEmptySlice, KeepsForEver,
)  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_store_that_breaks_a_promise_is_found(broken: type[MemoryStore]) -> None:
    class Contract(StoreContract):
        examples = 4.0

        def store(self, clock: Callable[[], float]) -> MemoryStore:
            return broken(clock=clock)

    chosen = settings(settings(), phases=[Phase.generate], database=None, derandomize=True)
    before = settings.get_current_profile_name()
    settings.register_profile("no-shrinking", chosen)
    settings.load_profile("no-shrinking")
    try:
        with pytest.raises((AssertionError, Fenced)):
            Contract().test_any_order_of_calls()
    finally:
        settings.load_profile(before)
