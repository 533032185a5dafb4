"""What an application saw of one answer, and what that is worth."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.clients.table.streams import CALLS, ONE_CALL, RAISES, RIGHT, THEIRS, TOOL, UPSTREAM_SAYS, WHOLE, Fault
from unbroken.core.failure import SENTENCES

HANGS = "hangs"
EMPTY_EVENT = "empty-event"


@dataclass
class Seen:
    """Text, tool calls (name and arguments, as text) and errors, as a client gave them to its application."""

    text: str = ""
    calls: dict[str, list[str]] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)  # the class, and its message
    odd: list[str] = field(default_factory=list)
    requests: int = 0

    def say(self, text: Any) -> None:
        """Take a piece of text."""
        self.text += text if isinstance(text, str) else ""

    def piece(self, key: object, name: str | None, arguments: str | None) -> None:
        """Take a piece of a tool call, which a client leaves to the application to put together by its index."""
        call = self.calls.setdefault(str(key), ["", ""])
        call[0] += name or ""
        call[1] += arguments or ""

    def call(self, name: str | None, arguments: Any) -> None:
        """Take a tool call that the client put together; arguments that are no text are written as JSON."""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        self.calls[f"call {len(self.calls)}"] = [name or "", text]

    def fail(self, error: BaseException) -> None:
        """Take an exception, with what caused it."""
        words = [str(error)]
        cause = error.__cause__ or error.__context__
        while cause is not None and len(words) < 4:
            words.append(str(cause))
            cause = cause.__cause__ or cause.__context__
        module = type(error).__module__.partition(".")[0]
        self.errors.append((f"{module}.{type(error).__name__}", " | ".join(words)))

    def told(self) -> list[tuple[str, Any]]:
        """Return the calls with their arguments as values, text where that is no JSON."""
        return [(name, _value(arguments)) for name, arguments in self.calls.values()]


def _value(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


EXPECTED_CALLS = [(TOOL, json.loads(arguments)) for _, arguments in CALLS]


def judge(fault: Fault, seen: Seen, what: str) -> str:
    """Return a word for what the application saw.

    "whole", "right": all of the text, or both calls; "lost": not all of it, and no error. "ours": an error with the
    sentence of the failure; "theirs": with upstream's words; "error": another one; "silent": none.
    """
    words = " ".join(message for _, message in seen.errors)
    word = ""
    if HANGS in seen.odd:
        word = HANGS
    elif fault.due in (RAISES, THEIRS):
        wanted = SENTENCES[fault.code] if fault.due == RAISES else UPSTREAM_SAYS
        says = "ours" if fault.due == RAISES else "theirs"
        word = says if wanted in words else "error" if seen.errors else "silent"
    elif seen.errors:
        word = "error"
    elif fault.due == WHOLE:
        word = "whole" if _is_whole(fault, seen, what) else "lost"
    elif fault.due == RIGHT:
        word = "right" if seen.told() == EXPECTED_CALLS else "wrong"
    if EMPTY_EVENT in seen.odd:
        word += "+empty"
    expected = 2 if fault.due == RIGHT else 1  # an agent answers with what its tools gave
    return word if seen.requests <= expected else f"{word} x{seen.requests}"


def _is_whole(fault: Fault, seen: Seen, what: str) -> bool:
    if what == ONE_CALL:  # the word in which the fault lies is the city
        damaged = {"bad-utf8": "Ro\ufffdme", "bad-json": ""}
        return seen.text == damaged.get(fault.name, "Rome")
    return seen.text == fault.text
