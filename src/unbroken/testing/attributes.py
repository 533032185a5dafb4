"""The attributes of a contract, checked where the class is made: before any of its tests runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import getattr_static
from typing import Any

from .claims import Claim
from .mistakes import WrongContract, hides
from .shown import shown

__tracebackhide__ = hides
Holds = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Attribute:
    """What an attribute of a contract must be: in words, and as a function that returns whether a value is so."""

    name: str
    shape: str
    holds: Holds


def claims(allowed: Collection[Claim]) -> Attribute:
    """Return what `does_not_claim` must be in a contract that asks for these claims."""
    names = ", ".join(f"Claim.{claim.name}" for claim in allowed)
    return Attribute("does_not_claim", f"a tuple of claims that this contract asks for ({names})", each(allowed))


def each(of: Holds | Collection[Any]) -> Holds:
    """Return whether a value is a list, a tuple or a set, of which each item is so, or among these."""
    is_so = of if callable(of) else of.__contains__
    return lambda value: isinstance(value, (list, tuple, set, frozenset)) and all(map(is_so, value))


def row(*columns: Holds) -> Holds:
    """Return whether a value is a tuple or a list of as many items, each of which is so."""
    return lambda value: (
        isinstance(value, (tuple, list))
        and len(value) == len(columns)
        and all(is_so(item) for is_so, item in zip(columns, value, strict=True))
    )


def rows(of: Holds) -> Holds:
    """Return whether a value is a list or a tuple, in which each item is so."""
    return lambda value: isinstance(value, (list, tuple)) and all(map(of, value))


def a(*kinds: type) -> Holds:
    """Return whether a value is an instance of one of these; a bool is no number."""
    return lambda value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def is_named(value: object) -> bool:
    """Return whether a value is a mapping of which all keys are strings."""
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def raises(value: object) -> bool:
    """Return whether a value is a class of exceptions."""
    return isinstance(value, type) and issubclass(value, Exception)


def check_attributes(contract: type, attributes: Iterable[Attribute]) -> None:
    """Raise `WrongContract`, a `TypeError`, for an attribute of another shape. A property has none yet."""
    for attribute in attributes:
        value = getattr_static(contract, attribute.name)
        if isinstance(value, (property, cached_property)) or attribute.holds(value):
            continue
        raise WrongContract(
            f"{contract.__name__}.{attribute.name} must be {attribute.shape}, and not {shown(value)[:200]}"
        )
