"""How a value is shown in the message of a failed test: a long one by its beginning and its end."""

from __future__ import annotations

from reprlib import Repr
from typing import Final

_REPR: Final = Repr()
_REPR.maxlevel = 20
_REPR.maxstring = _REPR.maxother = 2000
_REPR.maxdict = _REPR.maxlist = _REPR.maxtuple = _REPR.maxset = _REPR.maxfrozenset = _REPR.maxlong = 200


def described(value: object) -> str:
    """Return the type of a value and the beginning of its `repr`, for the message that refuses it."""
    return f"{type(value).__name__}: {shown(value)[:200]}"


def shown(value: object) -> str:
    """Return the `repr` of a value, with `...` for the middle of what is longer than some 2,000 characters."""
    return _REPR.repr(value)
