"""Run the tests of a contract without a test runner."""

from __future__ import annotations

import inspect
import unittest
from collections.abc import Callable
from dataclasses import dataclass

from .counterexample import ContractBroken


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one test of a contract.

    `failure` is None if it passed, else what is wrong; `skipped` is the reason if it was not run. `broken` is the
    exception of a failed contract.
    """

    test: str
    doc: str
    failure: str | None = None
    skipped: str | None = None
    broken: ContractBroken | None = None


def examine(contract: object, only: Callable[[str], bool] = lambda name: True) -> list[Finding]:
    """Return the results of a contract's tests, sorted by name. `only` selects tests by name.

    Raises `TypeError` for a class in place of an instance of one, of which no test could be run.
    """
    if isinstance(contract, type):
        raise TypeError(f"examine takes an instance, {contract.__name__}(), and not the class")
    tests = {name: test for name, test in inspect.getmembers(contract, inspect.ismethod) if name.startswith("test_")}
    return [_find(name, test) for name, test in tests.items() if only(name)]


def _find(name: str, test: Callable[[], None]) -> Finding:
    doc = inspect.getdoc(test) or ""
    try:
        test()
    except unittest.SkipTest as skip:
        return Finding(name, doc, skipped=str(skip))
    except ContractBroken as broken:
        return Finding(name, doc, failure=str(broken), broken=broken)
    except Exception as error:
        return Finding(name, doc, failure=f"{type(error).__name__}: {error}")
    return Finding(name, doc)
