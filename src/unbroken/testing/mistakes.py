"""The failure of a contract class itself, and which frames of a traceback say nothing to whoever reads one."""

from __future__ import annotations

from typing import Any


class WrongContract(TypeError):
    """A contract class has an attribute, or a method returns something, of another shape than the kit takes."""


def hides(info: Any) -> bool:
    """Return whether the frames of the kit say nothing of this exception: it is a finding, or was raised elsewhere.

    A module whose `__tracebackhide__` is this function is left out of the tracebacks that pytest prints.
    """
    if isinstance(info.value, (AssertionError, WrongContract)):
        return True
    at = info.tb
    while at.tb_next is not None:
        at = at.tb_next
    return not str(at.tb_frame.f_globals.get("__name__")).startswith(__package__)
