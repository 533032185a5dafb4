"""How the producer of an answer would spell what others write in its place, as a text that is kept with the answer.

Who ends an answer from outside, or tells a reader an error, may be another process: without the dialect that was
declared there, the options of the stream, and what the dialect has read. So the frames themselves are kept.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from ..core.encoder import spell_error, spell_heartbeat
from ..core.events import Format
from ..core.failure import SHUTTING_DOWN
from .cursor import LOST, STOPPED, STORE_FAILED, TOO_OLD, TRIMMED, TRUNCATED

if TYPE_CHECKING:
    from ..core.failure import Failure

OTHERS: Final = (LOST, TOO_OLD, STOPPED, SHUTTING_DOWN, TRIMMED, STORE_FAILED, TRUNCATED)
"""What somebody else than the producer may tell."""
_OFTEN: Final = 0.02
"""Seconds between two looks whether the form has changed, where it does not change with every event."""
_CALM: Final = 2
"""Looks that found nothing new, after which it does not: most dialects spell an error in the same way all the time."""


class FormKeeper:
    """The form of one producer's stream: it changes as more is known of what is written."""

    __slots__ = ("_calm", "_dialect", "_looked", "_moves", "_probe", "_stored", "_stream", "text")

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._looked = 0.0
        self._calm = 0
        self._moves = False  # the dialect counts its events, or tells what it has read
        self._dialect: str | None = None
        self._probe = b""
        self._stored: str | None = None
        self.text = ""
        """The form as it was last looked at."""
        self._look()

    def _look(self) -> None:
        probe, dialect = self._stream.spell_failure(LOST), self._stream.dialect
        self._calm += 1
        if (probe, dialect) != (self._probe, self._dialect):
            self._moves = self._moves or (dialect is not None and dialect == self._dialect)
            self._calm, self._probe, self._dialect = 0, probe, dialect
            self.text = sys.intern(_text_of(self._stream))

    def news(self, now: float) -> str | None:
        """Return the form if the store has not got it yet, else None."""
        if self._calm < _CALM or self._moves or now - self._looked >= _OFTEN:
            self._looked = now
            self._look()
        return self.text if self.text is not self._stored else None

    def stored(self, form: str | None) -> None:
        """Note what the store has got."""
        self._stored = form or self._stored


def _text_of(stream: Any) -> str:
    frames = {failure.code: stream.spell_failure(failure).decode() for failure in OTHERS}
    facts = {"dialect": stream.dialect, "comments": stream.takes_comments, "frames": frames}
    return json.dumps(facts, separators=(",", ":"))


def dialect_of(form: str | None) -> str | None:
    """Return the name of the dialect, None where it is not known."""
    return None if form is None else json.loads(form)["dialect"]


def error_frame(failure: Failure, form: str | None) -> bytes:
    """Return the frame, without an id, by which the answer's producer would tell a failure."""
    frame = None if form is None else json.loads(form)["frames"].get(failure.code)
    return spell_error(failure, None, Format.SSE, None, first=form is None) if frame is None else frame.encode()


def heartbeat(form: str | None, *, id_seen: bool) -> bytes:
    """Return the bytes that keep a reader's connection alive, and mean nothing to the clients of the dialect.

    A comment, but to those that fail at one: these pass over blank lines, also once an id was seen.
    """
    if form is not None and not json.loads(form)["comments"]:
        return b"\n"
    return spell_heartbeat(Format.SSE, None, id_seen=id_seen)
