"""Streams with what a conforming reader must see in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from .standard import Seen, SSEReading, read_sse


@dataclass(frozen=True, slots=True)
class SSEStream:
    """An event stream and its reading by WHATWG 9.2.6 at its end. `retry` is in milliseconds, None if none was set."""

    data: bytes
    events: tuple[Seen, ...]
    last_event_id: str = ""
    retry: int | None = None

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Return a stream of these bytes, with their reading by WHATWG 9.2.6."""
        reading = read_sse(data)
        return cls(data, reading.events, reading.last_event_id, reading.retry)

    @property
    def reading(self) -> SSEReading:
        """What a conforming reader must see, as `read_sse` returns it."""
        return SSEReading(self.events, self.last_event_id, self.retry)


@dataclass(frozen=True, slots=True)
class NDJSONStream:
    """An NDJSON stream, its JSON texts without outer white space, and the number of lines that are not valid JSON."""

    data: bytes
    texts: tuple[str, ...]
    invalid: int = 0

    @property
    def values(self) -> tuple[Any, ...]:
        """The JSON values of the stream, in order."""
        return tuple(json.loads(text) for text in self.texts)


@dataclass(frozen=True, slots=True)
class JSONArrayStream:
    """One JSON array and the text of each of its elements."""

    data: bytes
    texts: tuple[str, ...]

    @property
    def values(self) -> tuple[Any, ...]:
        """The JSON values of the elements."""
        return tuple(json.loads(text) for text in self.texts)
