"""Which tests of a contract measure time and memory, and are slow."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Contract = TypeVar("Contract")


def measured_apart(contract: type[Contract]) -> type[Contract]:
    """Mark the tests that measure time and memory as slow."""
    for name in dir(contract):
        if name.startswith(("test_linear_time", "test_memory")):
            setattr(contract, name, pytest.mark.slow(of_its_own(getattr(contract, name))))
    return contract


def of_its_own(test: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a test that can be marked without marking that of the class above."""

    def asked(self: Any) -> None:
        test(self)

    return asked
