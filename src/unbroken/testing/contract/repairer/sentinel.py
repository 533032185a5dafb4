"""Tests of the sentinel: what follows is neither forwarded nor reported, however it arrives."""

from __future__ import annotations

import unittest
from collections.abc import Callable

from ...mistakes import hides
from ...require_hypothesis import Unsatisfiable, st
from ...strategies import sentinel_streams
from ...strategies.chunking import chunkings
from . import returned
from .law import Law
from .sameness import differing
from .under_test import Facts, Options, Outcome, RepairerUnderTest, broken

__tracebackhide__ = hides


class SentinelTests(RepairerUnderTest):
    """`[DONE]` ends a stream."""

    def test_nothing_leaves_after_the_sentinel(self) -> None:
        """Output and facts are those of the stream up to its sentinel, whatever follows and however it is cut."""
        self._ask_of_the_sentinel("sentinel", self._check_sentinel)

    def _ask_of_the_sentinel(self, name: str, check: Callable[[bytes, list[bytes], Options], None]) -> None:
        self.ends_at_sentinel({})
        drawn = st.tuples(self.options.filter(self.ends_at_sentinel), sentinel_streams().flatmap(_cut_together))
        try:
            self._run(drawn, name, lambda drawn: check(*drawn[1], drawn[0]))
        except Unsatisfiable:
            raise unittest.SkipTest("ends_at_sentinel(options) is false for all options that were drawn") from None

    def _check_sentinel(self, answer: bytes, chunks: list[bytes], options: Options) -> None:
        self._check_same(self._attempt([answer], options), self._attempt(chunks, options), answer, chunks, options)

    def test_nothing_leaves_after_the_sentinel_in_any_variant(self) -> None:
        """The same for each variant: an asynchronous one may join chunks, a synchronous one read no further."""
        variants = returned.variants(self.variants())

        def check(answer: bytes, chunks: list[bytes], options: Options) -> None:
            expected = Outcome(self._attempt([answer], options).wire)
            for name, variant in variants.items():
                seen = Outcome(returned.joined(f"variants()[{name!r}]", variant(chunks, dict(options))))
                self._check_same(expected, seen, answer, chunks, options)

        self._ask_of_the_sentinel("sentinel_variants", check)

    def _check_same(
        self, alone: Outcome, followed: Outcome, answer: bytes, chunks: list[bytes], options: Options
    ) -> None:
        expected, seen = differing(alone, followed) if alone != followed else (None, None)
        if expected == seen and (counted := _bytes_in(followed.facts)) not in (None, len(answer)):
            expected, seen = {"bytes_in": len(answer)}, {"bytes_in": counted}
        if expected != seen:
            raise broken(Law.THE_SENTINEL_ENDS_IT, chunks, expected, seen, options)


def _bytes_in(facts: Facts | None) -> object:
    return None if facts is None else facts.get("bytes_in")


def _cut_together(drawn: tuple[bytes, bytes]) -> st.SearchStrategy[tuple[bytes, list[bytes]]]:
    answer, behind = drawn
    return st.tuples(st.just(answer), st.just([answer, behind]) | chunkings(answer + behind))
