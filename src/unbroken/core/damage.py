"""When an answer has a hole: which pieces that are dropped, or left unreadable, were payloads."""

from __future__ import annotations

from .dialect import Dialect
from .mending import begins_like_json, is_misspelt_done
from .proof import prove
from .state import Mode


def leaves_hole(payload: str, mode: Mode) -> bool:
    """Return whether the answer has a hole where this payload, which is not JSON, is dropped or left unreadable.

    Not one that says nothing, or is a sentinel; of other words only those that begin like JSON, or stand where the
    dialect has nothing but JSON.
    """
    said = payload.strip()
    if says_nothing(said) or is_misspelt_done(said):
        return False
    return mode is Mode.KNOWN or begins_like_json(said)


def says_nothing(payload: str) -> bool:
    """Return whether each line of a payload is empty, `null`, or a comment that was sent as data."""
    lines = [line.strip() for line in payload.split("\n")]
    return all(line[:1] in ("", ":") or line == "null" for line in lines)


def swallows_payload(line: str, dialect: Dialect | None) -> bool:
    """Return whether a line that is no payload holds one of this dialect: its own line end was lost."""
    if dialect is None or (at := line.find("{")) < 0:
        return False
    value = prove(line[at:])
    return isinstance(value, dict) and dialect.recognises("message", value)
