"""How arguments are named: what a misspelt name may mean, and classes whose arguments are given by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

C = TypeVar("C", bound=type)
_LONGEST: Final = 60  # characters of a wrong name that are compared with the known ones: longer ones take too long


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most like this one, or None if none is."""
    from difflib import get_close_matches  # only for a message

    return next(iter(get_close_matches(name[:_LONGEST].lower(), known, n=1)), None)


def refuse_unknown_names(
    function: str, given: Collection[str], known: Collection[str], means: Mapping[str, str]
) -> None:
    """Raise `TypeError` for the first name that `function` does not take, with what was meant.

    `means` says what to write for names that others use.
    """
    for name in given:
        if name in known:
            continue
        near = nearest(name, known)
        hint = means.get(name) or (f"did you mean {near!r}?" if near else "")
        raise TypeError(
            f"{function}() takes no argument {name!r}{f' ({hint})' if hint else ''}; it takes {', '.join(known)}"
        )


def by_name(cls: C) -> C:
    """Have a class, all of whose arguments are given by name, say so where Python would count the positional ones.

    Then `cls(...)` raises `TypeError` that lists its arguments, and for an unknown one names the nearest.
    """
    init: Any = vars(cls)["__init__"]
    known = tuple(init.__kwdefaults__)

    @wraps(init)
    def checked(self: object, *given: object, **named: Any) -> None:
        unknown = next((name for name in named if name not in known), None)
        if given or unknown is not None:
            wrong = "takes its arguments by name" if unknown is None else f"takes no argument {unknown!r}"
            near = None if unknown is None else nearest(unknown, known)
            hint = "" if near is None else f" (did you mean {near!r}?)"
            raise TypeError(
                f"{cls.__name__}() {wrong}{hint}: write {cls.__name__}({', '.join(f'{it}=...' for it in known)})"
            )
        init(self, **named)

    setattr(cls, "__init__", checked)  # noqa: B010 - mypy takes an assignment for a mistake
    return cls
