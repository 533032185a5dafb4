"""Tests of time and memory: linear in the input, and bounded by the limit."""

from __future__ import annotations

from collections.abc import Iterable

from ... import measures
from ...claims import Claim
from ...hostile_names import NAME_SHAPES, NameShape
from ...mistakes import hides
from ..generated import Test, time_test
from . import returned
from .under_test import Options, RepairerUnderTest

__tracebackhide__ = hides

LIMIT = 2**14
"""The `max_event_bytes` of the tests of memory."""


class ResourceTests(RepairerUnderTest):
    """Time is linear and memory is bounded."""

    def _check_bound(self, shape: NameShape) -> None:
        """Raise `AssertionError` where more is kept than the limit and what is stated, of an input of twice that."""
        self._skip_unless_claimed(Claim.BOUNDED_MEMORY)
        for options, besides in returned.bounds(self.bounded(LIMIT)):
            consume = self._consumer(options)
            consume(shape.chunks(LIMIT))  # what is loaded and compiled once does not count
            most = LIMIT + besides
            peak = measures.peak_of_memory(consume, shape.chunks(2 * most))
            assert peak <= most, (
                f"memory is not bounded for {shape.name}: {peak} bytes at the peak, with an input of {2 * most} bytes "
                f"and {options}, where {LIMIT} and {besides} besides may be kept"
            )

    def _check_growth(self, shape: measures.Shape) -> None:
        """Raise `AssertionError` where the peak grows with the length of the input."""
        self._skip_unless_claimed(Claim.BOUNDED_MEMORY)
        options, _ = min(returned.bounds(self.bounded(LIMIT)), key=lambda bound: bound[1])
        size = max(2**16, 2 * len(shape.piece) * shape.pieces_per_chunk)
        small, large = measures.growth_of_memory(self._consumer(options), shape, size)
        assert measures.is_bounded(small, large), (
            f"memory grows with {shape.name}: {small} bytes at the peak of one length, {large} at four times that"
        )

    def _consumer(self, options: Options) -> measures.Consume:
        def consume(chunks: Iterable[bytes]) -> None:
            for _ in returned.pieces("repair(chunks, options)", self.repair(chunks, dict(options))):
                pass

        return consume


def _bound_test(shape: NameShape) -> Test:
    return lambda self: self._check_bound(shape)


def _growth_test(shape: measures.Shape) -> Test:
    return lambda self: self._check_growth(shape)


for _shape in (*measures.SSE_SHAPES, *measures.BROKEN_SHAPES, *measures.NDJSON_SHAPES):
    ResourceTests._add(
        f"linear_time_for_{_shape.slug}", "Four times the bytes, four times the time.", time_test(_shape)
    )
for _names in NAME_SHAPES:
    ResourceTests._add(
        f"memory_is_bounded_for_{_names.slug}",
        "What is kept does not grow with the names in a stream.",
        _bound_test(_names),
    )
for _shape in measures.BROKEN_SHAPES:
    ResourceTests._add(
        f"memory_is_bounded_for_{_shape.slug}",
        "What is kept does not grow with the repairs.",
        _growth_test(_shape),
    )
