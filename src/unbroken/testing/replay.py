"""A failed stream once more: the chunks of a flight record at their times, and the failure behind them.

Where the record kept no content, bytes of the same length and class stand for it: content for content, comments for
comments, and blank lines for what completed nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ..recorder import read_flight
from .sources import Block, Pause, Step

_CONTENT: Final = (
    b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"',
    b'"}}]}\n\n',
)
_EVENT: Final = (b'data: {"x":"', b'"}\n\n')


def replay(record: str | os.PathLike[str] | Iterable[str]) -> list[Step]:
    """Give the steps of a flight record, a file or its lines, for a `ScriptedSource`. Raises `FlightError`.

    Pauses are those of the record, from the first chunk that it holds. A stream that a clock ended blocks at its end,
    one whose connection broke raises `ConnectionResetError`, one that was cut just ends.
    """
    if isinstance(record, (str, os.PathLike)):
        with open(record, encoding="utf-8") as file:
            head, chunks = read_flight(file)
    else:
        head, chunks = read_flight(record)
    return [*_arrivals(chunks), *_ending(head)]


def _arrivals(chunks: list[dict[str, Any]]) -> Iterator[Step]:
    now = 0.0
    for chunk in chunks:
        if chunk["at"] > now:
            yield Pause(chunk["at"] - now)
            now = chunk["at"]
        yield chunk["data"] or placeholder(chunk["class"], chunk["length"])


def _ending(head: dict[str, Any]) -> list[Step]:
    if head.get("timeout"):
        return [Block()]
    return [ConnectionResetError(104, "replayed")] if head.get("error") == "upstream-failed" else []


def placeholder(kind: str, length: int) -> bytes:
    """Give bytes of this class and length; what is too short for its class becomes a comment or blank lines."""
    for begin, end in {"content": (_CONTENT, _EVENT), "event": (_EVENT,)}.get(kind, ()):
        if length > len(begin) + len(end):
            return begin + b"x" * (length - len(begin) - len(end)) + end
    if kind == "part" or length < 3:
        return b"\n" * length
    return b":" + b"x" * (length - 2) + b"\n"
