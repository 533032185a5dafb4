"""Tests of single cases: what is written for one stream, and what is reported of it, to the byte."""

from __future__ import annotations

import re
import unittest
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from ...attributes import Attribute, a, is_named, raises, row, rows
from ...cuts import every
from ...mistakes import WrongContract, hides
from ...repair_cases import RepairCase, TimedCase
from ..counterexample import ContractBroken, Raised
from . import returned
from .law import Law
from .under_test import CLOCKED, RepairerUnderTest, broken

__tracebackhide__ = hides
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

    _attributes: ClassVar[tuple[Attribute, ...]] = (
        Attribute("cases", "a list or tuple of RepairCase, such as REPAIR_CASES", rows(a(RepairCase))),
        Attribute("timed_cases", "a list or tuple of TimedCase, such as TIMED_CASES", rows(a(TimedCase))),
        Attribute("refused_options", "pairs (options, class of the exception)", rows(row(is_named, raises))),
        Attribute("taken_options", "a list or tuple of dicts of options", rows(is_named)),
        Attribute(
            "refused_arguments",
            "rows (class, arguments, class of the exception, word of its message)",
            rows(row(a(str), is_named, raises, a(str))),
        ),
        Attribute("taken_arguments", "pairs (class, arguments)", rows(row(a(str), is_named))),
        Attribute(
            "constructors",
            "a dict of functions by the name of the class that they make",
            lambda value: is_named(value) and all(map(callable, value.values())),
        ),
    )

    def test_the_cases_come_out_as_the_tables_say(self) -> None:
        """Each case, read whole."""
        for case in self._known("cases"):
            self._check_case(case, [case.data])

    def test_the_cases_come_out_the_same_frame_by_frame(self) -> None:
        """Each case, cut after each line end that ends a block or a line of JSON, or after the first few."""
        for case in self._known("cases"):
            frames = FRAME.findall(case.data)
            self._check_case(case, frames)
            for count in _FIRST if len(frames) > _FIRST[0] else ():
                self._check_case(case, [b"".join(frames[:count]), b"".join(frames[count:])])

    def test_the_cases_come_out_the_same_byte_by_byte(self) -> None:
        """Each case, read byte by byte; a long one in some hundreds of pieces."""
        for case in self._known("cases"):
            self._check_case(case, every(case.data, 1 + len(case.data) // _SHORT))

    def test_the_cases_leave_with_the_byte_that_completes_them(self) -> None:
        """Each case of which it is known when something is written: then, and neither earlier nor later."""
        self._needs("clocked", "options, **seconds")
        for case in self._known("cases"):
            if case.leaves is not None:
                with naming(case, [case.data]):
                    repairer = self._on_a_clock(dict(case.options))
                    repairer.resume(0.0)
                    bytewise = enumerate(every(case.data, 1), start=1)
                    seen = tuple(count for count, byte in bytewise if b"".join(repairer.feed(byte, 0.0)))
                if seen != case.leaves:
                    chunks = every(case.data, 1)
                    named = f"case {case.name!r}"
                    raise broken(Law.FRAMES_LEAVE_AT_ONCE, chunks, case.leaves, seen, dict(case.options), where=named)

    def test_the_cases_on_a_clock_come_out_as_the_tables_say(self) -> None:
        """Each case of a clock: what each call returns, and when the next one is due."""
        self._needs("clocked", "options, **seconds")
        for case in self._known("timed_cases"):
            self._check_timed(case)

    def test_the_cases_on_a_clock_come_out_the_same_where_nobody_asks(self) -> None:
        """Each case of a clock, without a question when the next call is due: what each call returns."""
        self._needs("clocked", "options, **seconds")
        for case in self._known("timed_cases"):
            self._check_timed(case, asks=False)

    def _check_timed(self, case: TimedCase, *, asks: bool = True) -> None:
        method = "clocked(options, **seconds)"
        repairer = returned.with_methods(method, self.clocked(dict(case.options), **case.seconds), *needed_by(case))
        calls: list[str] = []
        try:
            seen = case.played(repairer, lambda *call: calls.append(_spelt(*call)), asks=asks)
            said = self._facts_of(repairer)
        except Exception as error:
            raise _differs(case, len(calls), calls[-1:], "no exception", Raised(error)) from error
        for number, (call, *one) in enumerate(zip(calls, case.expected, seen, strict=True), start=1):
            expected, came = ({"written": step[2], **({"next_deadline": step[3]} if asks else {})} for step in one)
            if came != expected:
                raise _differs(case, number, [call], expected, came)
        facts = {name: said[name] for name in case.facts if name in said}
        if facts != {name: case.facts[name] for name in facts}:
            raise _differs(case, 0, [], {name: case.facts[name] for name in facts}, facts)

    def test_wrong_options_of_the_cases_are_refused_by_name(self) -> None:
        """A wrong value raises `TypeError` or `ValueError` that names the option; a value at its bound is taken."""
        for given, expected in self._known("refused_options", "taken_options"):
            seen = self._refusal(given)
            if type(seen) is not expected or not all(name in str(seen) for name in given):
                raise broken(Law.WRONG_OPTIONS_ARE_REFUSED, [], expected.__name__, repr(seen), dict(given))
        for given in self.taken_options:
            if (seen := self._refusal(given)) is not None:
                raise broken(Law.WRONG_OPTIONS_ARE_REFUSED, [], "no exception", repr(seen), dict(given))

    def test_wrong_arguments_of_the_cases_are_refused_by_name(self) -> None:
        """The same for the classes that options are made of, and for events that no frame can spell."""
        table = self._known("refused_arguments", "taken_arguments")
        if not self.constructors:
            raise unittest.SkipTest("does not define constructors")
        asked = {name for name, *_ in (*table, *self.taken_arguments)}
        if asked != {*self.constructors}:
            missing, unknown = sorted(asked - {*self.constructors}), sorted({*self.constructors} - asked)
            raise WrongContract(
                f"{type(self).__name__}.constructors must have the classes of refused_arguments and taken_arguments: "
                f"missing are {missing}, unknown are {unknown}; leave out the rows of a class that you do not have"
            )
        for name, given, expected, word in table:
            seen = _raised(self.constructors[name], given)
            if type(seen) is not expected or word not in str(seen):
                wanted = (name, expected.__name__, word)
                raise broken(Law.WRONG_OPTIONS_ARE_REFUSED, [], wanted, repr(seen), dict(given))
        for name, given in self.taken_arguments:
            seen = _raised(self.constructors[name], given)
            if seen is not None:
                raise broken(Law.WRONG_OPTIONS_ARE_REFUSED, [], (name, "no exception"), repr(seen), dict(given))

    def _refusal(self, options: Mapping[str, Any]) -> Exception | None:
        try:
            self._written([], dict(options))
        except WrongContract:
            raise
        except Exception as error:
            return error
        return None

    def _known(self, *tables: str) -> Sequence[Any]:
        """Return the first of these tables. Raises `SkipTest` if none of them is defined."""
        if not any(getattr(self, table) for table in tables):
            raise unittest.SkipTest(f"does not define {' or '.join(tables)}")
        known: Sequence[Any] = getattr(self, tables[0])
        return known

    def _check_case(self, case: RepairCase, chunks: list[bytes]) -> None:
        named = f"case {case.name!r}"
        try:
            outcome = self._attempt(chunks, dict(case.options))
        except ContractBroken as failed:
            law, options = Law.ANY_BYTES_ARE_TAKEN, dict(case.options)
            raise broken(law, chunks, failed.expected, failed.seen, options, where=named) from failed.__cause__
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
                where=named,
            )


@contextmanager
def naming(case: RepairCase | TimedCase, chunks: Sequence[bytes]) -> Iterator[None]:
    """Raise `ContractBroken` that names the case for what a repairer raises in it."""
    try:
        yield
    except (ContractBroken, unittest.SkipTest, WrongContract):
        raise
    except Exception as error:
        named, options = f"case {case.name!r}", dict(case.options)
        raise broken(Law.NOTHING_IS_RAISED, chunks, "no exception", Raised(error), options, where=named) from error


def needed_by(case: TimedCase) -> tuple[Collection[str], str]:
    """Return which methods a case of a clock needs, by name, and a clause that says so."""
    names = dict.fromkeys((*CLOCKED, *(name for name, *_ in case.steps)))
    if case.renews is not None:
        names |= dict.fromkeys(("renew", *(["remember_ids"] if case.remembers_ids else [])))
    return tuple(names), f", for the case {case.name!r} of timed_cases"


def _differs(case: TimedCase, number: int, call: Sequence[str], expected: object, seen: object) -> ContractBroken:
    """Return the failure of a case of a clock, at one of its calls, or in its facts if `call` is empty."""
    where = f"case {case.name!r}" + "".join(f", call {number}: {one}" for one in call)
    return broken(Law.A_CASE_HAS_ITS_OUTCOME, case.chunks, expected, seen, dict(case.options), where=where)


def _raised(make: Callable[..., object], given: Mapping[str, Any]) -> Exception | None:
    """Return what making an object of these arguments raises."""
    try:
        make(**given)
    except Exception as error:
        return error
    return None


def _spelt(name: str, given: tuple[Any, ...]) -> str:
    return f"{name}({', '.join(map(repr, given))})"
