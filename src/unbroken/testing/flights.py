"""A flight record as a script: its chunks at their times, then its failure.

Where the record has no content, a placeholder of the same length and class takes its place: content for content,
comments for comments, and blank lines for chunks that completed nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ..observe.recorder import read_flight
from .sources import Block, Pause, Step

_CONTENT: Final = (
    b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"',
    b'"}}]}\n\n',
)
_EVENT: Final = (b'data: {"x":"', b'"}\n\n')


def script_of(record: str | os.PathLike[str] | Iterable[str]) -> list[Step]:
    """Return the steps of a flight record, a file or its lines, for a `ScriptedSource`.

    Pauses are those of the record, from the first chunk that it holds. At its end the script blocks if a timeout ended
    the stream, raises `ConnectionResetError` if the connection broke, and else just ends. Raises `FlightError` for a
    file that is not a flight record, and `OSError` if it cannot be read.
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
    """Return `length` bytes of this class; a comment or blank lines where that is too short for the class."""
    for begin, end in {"content": (_CONTENT, _EVENT), "event": (_EVENT,)}.get(kind, ()):
        if length > len(begin) + len(end):
            return begin + b"x" * (length - len(begin) - len(end)) + end
    if kind == "part" or length < 3:
        return b"\n" * length
    return b":" + b"x" * (length - 2) + b"\n"
