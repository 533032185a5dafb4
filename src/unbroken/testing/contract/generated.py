"""Tests generated from data: of properties, of linear time and of bounded memory."""

from __future__ import annotations

import re
import unittest
import warnings
from collections.abc import Callable, Collection
from typing import Any, ClassVar, TypeVar

from .. import measures
from ..attributes import Attribute, a, check_attributes, claims
from ..claims import Claim
from ..mistakes import WrongContract, hides
from ..require_hypothesis import HealthCheck, Phase, SearchStrategy, Verbosity, given, settings
from .counterexample import ContractBroken, with_fewest_cuts

__tracebackhide__ = hides
_T = TypeVar("_T")
Test = Callable[[Any], None]


class GeneratedTests:
    """The base of both contracts: generated tests become methods, so that each has its own name."""

    does_not_claim: ClassVar[Collection[Claim]] = ()
    max_event_bytes: ClassVar[int | None] = None
    """The largest event, in bytes, that the code under test takes, if it refuses larger ones; None if it takes any.

    Streams that measure time grow up to this size. Without it they grow until a run takes long enough to be measured,
    so that it depends on the speed of the machine whether a limit is met.
    """

    # What the attributes of each class must be; a subclass lists its own, and those that it narrows.
    _attributes: ClassVar[tuple[Attribute, ...]] = (
        claims(tuple(Claim)),
        Attribute("max_event_bytes", "a number of bytes, or None", a(int, type(None))),
    )

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        listed = [one for above in reversed(cls.__mro__) for one in vars(above).get("_attributes", ())]
        check_attributes(cls, {attribute.name: attribute for attribute in listed}.values())

    @classmethod
    def _add(cls, slug: str, doc: str, test: Test) -> None:
        name = f"test_{slug}"
        test.__name__ = name
        test.__qualname__ = f"{cls.__qualname__}.{name}"
        test.__doc__ = doc
        setattr(cls, name, test)

    def _skip_unless_claimed(self, claim: Claim) -> None:
        if claim in self.does_not_claim:
            raise unittest.SkipTest(f"does not claim {claim.name}")


def run_property(
    strategy: SearchStrategy[_T], of: object, name: str, check: Callable[[_T], None], times: int = 1
) -> None:
    """Run a property with `times` the examples of the user's Hypothesis profile. Raises the smallest failure only."""

    def ask(drawn: _T) -> None:
        check(drawn)

    # Hypothesis stores counterexamples by the name of the test; those of another reader must not be replayed.
    ask.__name__ = re.sub(r"\W", "_", f"{type(of).__qualname__}_{name}")  # a class may stand in a function
    quiet = settings(
        deadline=None,
        max_examples=times * settings().max_examples,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        # Explaining which parts of an argument matter takes as long as finding it, and the smallest stream shows it.
        phases=[phase for phase in settings().phases if phase is not Phase.explain],
        # What Hypothesis prints beside the failure, of a skipped test too, is about a function that nobody wrote.
        verbosity=Verbosity.quiet if settings().verbosity is Verbosity.normal else settings().verbosity,
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Generating overly large repr")
            quiet(given(drawn=strategy)(ask))()
    except ContractBroken as broken:
        smallest = with_fewest_cuts(broken)
        smallest.__notes__ = []  # Hypothesis notes the draw, which the stream and its cut say better
        raise smallest.with_traceback(None) from broken.__cause__
    except WrongContract as wrong:
        wrong.__notes__ = []
        raise wrong.with_traceback(None) from wrong.__cause__


def time_test(shape: measures.Shape) -> Test:
    """Return a test that a reader takes linear time on this shape."""

    def test(self: Any) -> None:
        self._skip_unless_claimed(Claim.LINEAR_TIME)
        most_bytes = measures.MOST_BYTES if self.max_event_bytes is None else self.max_event_bytes - shape.frame_bytes
        ratio, size = measures.growth_of_time(self._consume, shape, most_bytes)
        assert ratio < measures.MOST_GROWTH, (
            f"time is not linear on {shape.name}: {size} bytes take {ratio:.1f} times as long as {size // 4}\n"
            f"  stream    {shape.head!r} + n * {shape.piece!r} + {shape.tail!r}"
        )

    return test


def check_memory(consume: measures.Consume, shape: measures.Shape) -> None:
    """Raise `AssertionError` if peak memory grows with the length of the stream."""
    small, large = measures.growth_of_memory(consume, shape)
    assert measures.is_bounded(small, large), (
        f"memory grows with the stream: {small} bytes at the peak of one length, {large} at four times that length\n"
        f"  stream    n * {shape.piece!r}"
    )
