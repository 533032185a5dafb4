"""How a number that the caller passes is checked: seconds and counts, in one place for all that takes them.

Integers are compared before anything converts them: one beyond every float raises `OverflowError` when it becomes a
float or a C integer, and one of more than 4,300 digits raises a `ValueError` of its own when it is printed.
"""

from __future__ import annotations

import math
import sys
from typing import Any, Final

MIN_SECONDS: Final = 0.001
"""The shortest interval that is taken; below it a stream would do nothing but look at the clock."""
MAX_SECONDS: Final = math.nextafter(math.inf, 0.0)
MAX_COUNT: Final = sys.maxsize
"""The largest count that sequences and C functions take."""
MAX_WAIT: Final = 4e6
"""Seconds (46 days) of one wait: for more, the locks of some platforms raise `OverflowError`."""
_MAX_SHOWN: Final = 40  # characters of a text, and digits of a number


def check_seconds(
    name: str,
    value: object,
    *,
    least: float = MIN_SECONDS,
    most: float = MAX_SECONDS,
    instead: str = "",
    wrong_type: type[Exception] = TypeError,
) -> float:
    """Return a duration as a float. Raises `TypeError`, or `wrong_type`, or `ValueError` naming it and the fix.

    With `most=math.inf` everything that is too large is `inf`. `instead` is what else may be passed, and what it means.
    """
    fix = f"; {instead}" if instead else ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong_type(f"{name} takes seconds as a number, not {shown(value)}{fix}")
    if not least <= value <= most:
        bound = f"{least} seconds or more"
        raise ValueError(
            f"{name} must be {bound if most == math.inf else f'finite and {bound}'}, not {shown(value)}{fix}"
        )
    return math.inf if value > MAX_SECONDS else float(value)


def check_count(
    name: str, value: Any, *, least: int = 0, unit: str = "", wrong_type: type[Exception] = TypeError
) -> int:
    """Return a whole number from `least` to `MAX_COUNT`. Raises as `check_seconds` does.

    `unit` is what is counted, as in " of bytes".
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(f"{name} must be a whole number{unit}, at least {least}, not {shown(value)}")
    if not least <= value <= MAX_COUNT:
        bound = f"at least {least}" if value < least else f"at most {MAX_COUNT}"
        raise ValueError(f"{name} must be a whole number{unit}, {bound}, not {shown(value)}")
    return value


def shown(value: object) -> str:
    """Return a value for a message, short and on one line, of other than numbers and texts the type. Never raises."""
    if isinstance(value, str | bytes):
        return repr(value) if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]!r}..."
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        is_short = -(10**_MAX_SHOWN) < value < 10**_MAX_SHOWN
        return repr(value) if is_short else f"an integer of {value.bit_length()} bits"
    return f"a {type(value).__name__}"


def safe_name(name: str) -> str:
    """Return a name for a message as it is; as `shown` does where a terminal would obey it or a line would end."""
    return name if name.isprintable() else shown(name)
