"""The retry policy: how often, after how long, and after which failures upstream is opened again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, TypeVar

from ..core.naming import refuse_unknown_names
from ..core.quantities import check_count, check_seconds, shown
from .retryable import worth_retrying

C = TypeVar("C", bound=type)
RETRIES: Final = ("retries", "max_retry", "max_attempts", "attempts", "tries", "max_tries", "total")
"""What other libraries call the number of retries, or of attempts."""


def _names_its_fields(cls: C) -> C:
    """Have a dataclass name the right argument where a wrong one is given."""
    init: Any = vars(cls)["__init__"]
    known = tuple(getattr(cls, "__dataclass_fields__"))  # noqa: B009 - mypy knows no such attribute of a type
    means = dict.fromkeys(RETRIES, "write max_retries, which counts the attempts after the first")

    @wraps(init)
    def checked(self: object, *given: object, **named: Any) -> None:
        refuse_unknown_names(cls.__name__, named, known, means)
        init(self, *given, **named)

    setattr(cls, "__init__", checked)  # noqa: B010 - mypy takes an assignment for a mistake
    return cls


@_names_its_fields
@dataclass(frozen=True, slots=True)
class Retry:
    """How often, after how long, and after which failures upstream is opened again: exponential backoff with jitter.

    The backoff is `base` seconds, twice as long with each retry, at most `max_delay`. No wait is shorter than the
    server asks for (`Retry-After`, `retry:`); where it asks for more than `max_retry_after` seconds there is no
    further attempt. `jitter` spreads each wait over half of the backoff: ours downwards, the server's upwards.
    `worth(status, error)`, each of them None where there is none, is whether to try again; what it raises is logged,
    and means no.

    Raises `ValueError` for a figure out of range, and `TypeError` for a `worth` that is not callable.
    """

    max_retries: int = 2
    base: float = 1.0
    max_delay: float = 4.0
    jitter: bool = True
    max_retry_after: float = 60.0
    worth: Callable[[int | None, BaseException | None], bool] = worth_retrying

    def __post_init__(self) -> None:
        # A `ValueError` for a wrong type too: so it has been from the start.
        check_count("max_retries", self.max_retries, wrong_type=ValueError)
        for name in ("base", "max_delay", "max_retry_after"):
            check_seconds(name, getattr(self, name), least=0, wrong_type=ValueError)
        if not callable(self.worth):
            raise TypeError(
                f"worth={shown(self.worth)}: give a function of (status, error) that returns whether to retry"
            )

    def delay(self, retries: int, asked: float | None = None, chance: float = 1.0) -> float | None:
        """Return the seconds to wait before the next attempt, or None if there is none.

        `retries` is how many were made before, `asked` the wait in seconds that the server asks for, and `chance`,
        from 0 to 1, where in its range the jitter falls. Raises `TypeError` or `ValueError` for anything else.
        """
        check_count("retries", retries)
        if asked is not None:
            asked = check_seconds("asked", asked, least=0, most=math.inf)
        given: object = chance
        if not isinstance(given, int | float) or not 0 <= given <= 1:
            raise ValueError(f"chance must be a number from 0 to 1, not {shown(given)}")
        if retries >= self.max_retries or (asked or 0.0) > self.max_retry_after:
            return None
        backoff = min(self.base * 2.0 ** min(retries, 64), self.max_delay)
        if not self.jitter:
            return max(backoff, asked or 0.0)
        return max(backoff / 2.0, asked or 0.0) + chance * backoff / 2.0
