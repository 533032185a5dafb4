"""The tests of a reader of NDJSON."""

from __future__ import annotations

import unittest
from collections.abc import Iterable
from typing import Any, ClassVar

from .. import measures
from ..attributes import Attribute, a, claims
from ..cases import NDJSON_CASES, Clause, NDJSONCase
from ..claims import Claim
from ..cuts import cuttings
from ..mistakes import WrongContract, hides
from ..strategies import cut_streams, ndjson_streams
from ..streams import NDJSONStream
from .counterexample import ContractBroken, Raised
from .generated import GeneratedTests, Test, check_memory, run_property, time_test
from .reader import AsyncReader, Reader

__tracebackhide__ = hides


class _Invalid:
    """The type of `INVALID`."""

    def __repr__(self) -> str:
        return "INVALID"


INVALID = _Invalid()
"""What `NDJSONContract.parse` may yield for a line that is not valid JSON; it may also yield nothing."""


class NDJSONContract(Reader, GeneratedTests):
    """The tests of a reader of NDJSON. Subclass it as `Test...` and define `parse`.

    `parse(chunks)` returns the values, and for a line that is not valid JSON either nothing or `INVALID`.
    """

    claims_invalid_lines: ClassVar[bool] = True
    """False for a reader that is documented to raise at the first line that is not valid JSON."""

    _attributes: ClassVar[tuple[Attribute, ...]] = (
        claims((Claim.LINEAR_TIME, Claim.BOUNDED_MEMORY)),
        Attribute("claims_invalid_lines", "True or False", a(bool)),
    )

    def test_any_stream_of_lines(self) -> None:
        """Any values, blank lines, line ends, byte order mark and invalid lines, at any cut."""

        def check(drawn: tuple[NDJSONStream, list[bytes]]) -> None:
            self._check("any stream of lines", Clause.NDJSON_LINES, *drawn)

        streams = ndjson_streams(invalid=self.claims_invalid_lines)
        run_property(cut_streams(streams), self, "any_stream", check, times=3)  # one invalid line of many is rare

    def test_canonical_streams(self) -> None:
        """One text per line, each ended by LF, at any cut."""

        def check(drawn: tuple[NDJSONStream, list[bytes]]) -> None:
            self._check("canonical streams", Clause.NDJSON_LINES, *drawn)

        run_property(cut_streams(ndjson_streams(canonical=True)), self, "canonical", check)

    def test_memory_is_bounded(self) -> None:
        """Lines of white space cost no memory, however many there are."""
        self._skip_unless_claimed(Claim.BOUNDED_MEMORY)
        check_memory(self._consume, measures.NDJSON_MEMORY)

    def _check(self, name: str, clause: Clause, stream: NDJSONStream, chunks: list[bytes]) -> None:
        seen = self._attempt(chunks)
        if _agree(seen, stream):
            return
        if len(chunks) > 1 and _agree(self._attempt([stream.data]), stream):
            clause = Clause.CHUNKS
        raise ContractBroken(
            name, clause, chunks, list(stream.values), seen, lambda chunks: self._check(name, clause, stream, chunks)
        ) from getattr(seen, "error", None)

    def _attempt(self, chunks: Iterable[bytes]) -> list[Any] | Raised:
        try:
            return self._read(chunks)
        except WrongContract:
            raise
        except Exception as error:
            return Raised(error)


def _agree(seen: list[Any] | Raised, stream: NDJSONStream) -> bool:
    if isinstance(seen, Raised):
        return False
    values = [value for value in seen if value is not INVALID]
    invalid = len(seen) - len(values)
    return values == list(stream.values) and invalid in (0, stream.invalid)


def _ndjson_case_test(case: NDJSONCase) -> Test:
    def test(self: NDJSONContract) -> None:
        if case.invalid and not self.claims_invalid_lines:
            raise unittest.SkipTest("does not claim to go on after an invalid line")
        stream = NDJSONStream(case.data, case.texts, case.invalid)
        for chunks in cuttings(case.data):
            self._check(case.name, case.clause, stream, chunks)

    return test


for _ndjson_case in NDJSON_CASES:
    NDJSONContract._add(
        f"case_{_ndjson_case.slug}",
        f"{_ndjson_case.name}: {_ndjson_case.clause.value}",
        _ndjson_case_test(_ndjson_case),
    )
for _shape in measures.NDJSON_SHAPES:
    NDJSONContract._add(
        f"linear_time_for_{_shape.slug}", "Four times the bytes, four times the time.", time_test(_shape)
    )


class AsyncNDJSONContract(AsyncReader, NDJSONContract):
    """The same tests for a reader of async iterables: define `aparse`, an async generator of values or a coroutine."""
