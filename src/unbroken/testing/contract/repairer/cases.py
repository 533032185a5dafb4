"""Tests of single cases: what is written for one stream, and what is reported of it, to the byte."""

from __future__ import annotations

import re
import unittest
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from ...cuts import every
from ...repair_cases import RepairCase, TimedCase
from .law import Law
from .under_test import RepairerUnderTest, broken

_SHORT = 700
"""Bytes of the longest case that is read byte by byte."""
_FIRST = (3, 5)
"""Frames that are read at once, before all others: what is alike is then known, or nearly."""
FRAME = re.compile(rb"(?s).*?(?:\r\n\r\n|\n\n|\n(?=[{:d\"\[]))|.+\Z")
"""A frame of SSE, or a line of JSON, up to the next one."""


class CaseTests(RepairerUnderTest):
    """A case comes out as its table says, however it is cut."""

    cases: ClassVar[Sequence[RepairCase]] = ()
    """Cases of which output and report are known, such as `REPAIR_CASES`, for who repairs as `unbroken` does."""

    timed_cases: ClassVar[Sequence[TimedCase]] = ()
    """The same on a clock, such as `TIMED_CASES`; needs `clocked`."""

    refused_options: ClassVar[Sequence[tuple[Mapping[str, Any], type[Exception]]]] = ()
    """Options that are refused, and what they raise, such as `REFUSED_OPTIONS`."""

    taken_options: ClassVar[Sequence[Mapping[str, Any]]] = ()
    """Options that are taken, such as `TAKEN_OPTIONS`."""

    refused_arguments: ClassVar[Sequence[tuple[str, Mapping[str, Any], type[Exception], str]]] = ()
    """Arguments of classes that are refused, what they raise, and a word of the message: `REFUSED_ARGUMENTS`."""

    taken_arguments: ClassVar[Sequence[tuple[str, Mapping[str, Any]]]] = ()
    """Arguments of classes that are taken, such as `TAKEN_ARGUMENTS`."""

    constructors: ClassVar[Mapping[str, Callable[..., object]]] = {}
    """What makes an object of these arguments, by the name of the class, such as `Conversion`."""

    def test_the_cases_come_out_as_the_tables_say(self) -> None:
        """Each case, read whole."""
        for case in self._known(self.cases):
            self._check_case(case, [case.data])

    def test_the_cases_come_out_the_same_frame_by_frame(self) -> None:
        """Each case, cut after each line end that ends a block or a line of JSON, or after the first few."""
        for case in self._known(self.cases):
            frames = FRAME.findall(case.data)
            self._check_case(case, frames)
            for count in _FIRST if len(frames) > _FIRST[0] else ():
                self._check_case(case, [b"".join(frames[:count]), b"".join(frames[count:])])

    def test_the_cases_come_out_the_same_byte_by_byte(self) -> None:
        """Each case, read byte by byte; a long one in some hundreds of pieces."""
        for case in self._known(self.cases):
            self._check_case(case, every(case.data, 1 + len(case.data) // _SHORT))

    def test_the_cases_leave_with_the_byte_that_completes_them(self) -> None:
        """Each case of which it is known when something is written: then, and neither earlier nor later."""
        self._needs("clocked", "options, **seconds")
        for case in self._known(self.cases):
            if case.leaves is not None:
                repairer = self.clocked(dict(case.options))
                repairer.resume(0.0)
                bytewise = enumerate(every(case.data, 1), start=1)
                seen = tuple(count for count, byte in bytewise if b"".join(repairer.feed(byte, 0.0)))
                if seen != case.leaves:
                    chunks = every(case.data, 1)
                    raise broken(Law.FRAMES_LEAVE_AT_ONCE, chunks, case.leaves, seen, dict(case.options))

    def test_the_cases_on_a_clock_come_out_as_the_tables_say(self) -> None:
        """Each case of a clock: what each call returns, and when the next one is due."""
        self._needs("clocked", "options, **seconds")
        for case in self._known(self.timed_cases):
            repairer = self.clocked(dict(case.options), **case.seconds)
            seen = case.played(repairer)
            said = self.facts_of(repairer)
            facts = {name: said[name] for name in case.facts if name in said}
            expected = {name: case.facts[name] for name in facts}
            if (seen, facts) != (case.expected, expected):
                raise broken(
                    Law.A_CASE_HAS_ITS_OUTCOME,
                    case.chunks,
                    (case.expected, expected),
                    (seen, facts),
                    dict(case.options),
                )

    def test_wrong_options_of_the_cases_are_refused_by_name(self) -> None:
        """A wrong value raises `TypeError` or `ValueError` that names the option; a value at its bound is taken."""
        for given, expected in self._known(self.refused_options):
            seen = self._refusal(given)
            if type(seen) is not expected or not all(name in str(seen) for name in given):
                raise broken(Law.WRONG_OPTIONS_ARE_REFUSED, [], expected.__name__, repr(seen), dict(given))
        for given in self.taken_options:
            if (seen := self._refusal(given)) is not None:
                raise broken(Law.WRONG_OPTIONS_ARE_REFUSED, [], "no exception", repr(seen), dict(given))

    def test_wrong_arguments_of_the_cases_are_refused_by_name(self) -> None:
        """The same for the classes that options are made of, and for events that no frame can spell."""
        for name, given, expected, word in self._known(self.refused_arguments):
            seen = _raised(self.constructors.get(name), given)
            if type(seen) not in (expected, unittest.SkipTest) or (type(seen) is expected and word not in str(seen)):
                wanted = (name, expected.__name__, word)
                raise broken(Law.WRONG_OPTIONS_ARE_REFUSED, [], wanted, repr(seen), dict(given))
        for name, given in self.taken_arguments:
            seen = _raised(self.constructors.get(name), given)
            if type(seen) not in (type(None), unittest.SkipTest):
                raise broken(Law.WRONG_OPTIONS_ARE_REFUSED, [], (name, "no exception"), repr(seen), dict(given))

    def _refusal(self, options: Mapping[str, Any]) -> Exception | None:
        try:
            list(self.repair([], dict(options)))
        except Exception as error:
            return error
        return None

    def _known(self, cases: Sequence[Any]) -> Sequence[Any]:
        if not cases:
            raise unittest.SkipTest("does not define cases of known output")
        return cases

    def _check_case(self, case: RepairCase, chunks: list[bytes]) -> None:
        outcome = self._attempt(chunks, dict(case.options))
        said = outcome.facts or {}
        expected: dict[str, Any] = {"wire": case.wire, "repairs": list(case.repairs), **case.reported}
        repairs = [f"{kind}@{offset}+{length}" for kind, offset, length in said.get("repairs", ())]
        seen = {**said, "wire": outcome.wire, "repairs": repairs}
        wrong = [name for name in expected if (name in said or name == "wire") and seen[name] != expected[name]]
        if wrong:
            raise broken(
                Law.A_CASE_HAS_ITS_OUTCOME,
                chunks,
                {name: expected[name] for name in wrong},
                {name: seen[name] for name in wrong},
                dict(case.options),
            )


def _raised(make: Callable[..., object] | None, given: Mapping[str, Any]) -> Exception | None:
    """Return what making an object of these arguments raises; `SkipTest` for a class that nobody makes."""
    if make is None:
        return unittest.SkipTest("does not define how it is made")
    try:
        make(**given)
    except Exception as error:
        return error
    return None
