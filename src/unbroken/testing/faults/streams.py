"""Healthy streams cut into frames, and streams with faults in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.repairs import RepairKind
from ..conversations import Answer, Conversation, spell
from ..standard import Seen, is_json, read_ndjson, read_sse
from ..streams import NDJSONStream, SSEStream


@dataclass(frozen=True, slots=True)
class Healthy:
    """A canonical stream as its whole frames (events, or lines), and its dialect if it speaks one."""

    frames: tuple[bytes, ...]
    dialect: str | None = None
    is_sse: bool = True

    @classmethod
    def of(cls, stream: Healthy | Conversation | SSEStream | NDJSONStream) -> Healthy:
        """Cut a canonical stream into its frames."""
        if isinstance(stream, Healthy):
            return stream
        if isinstance(stream, Conversation):
            return cls(stream.frames, stream.dialect, stream.is_sse)
        end = b"\n\n" if isinstance(stream, SSEStream) else b"\n"
        frames = tuple(frame + end for frame in stream.data.split(end)[:-1])
        return cls(frames, is_sse=isinstance(stream, SSEStream))


@dataclass(frozen=True, slots=True)
class BrokenStream:
    """A stream with faults in it, and what is right to make of it.

    `mended` is the stream as it should have been (JSON payloads count by their value), without the one error frame
    that ends it if `error` names its code. `repairs` counts by kind how much there is to mend, at least; it lies within
    `places`, each the start and the end of a stretch of `data`, and all else is healthy. `options` are those of
    `unbroken.repair` under which this holds. Where upstream is opened twice, `connections` holds both bodies.
    """

    data: bytes
    mended: bytes
    faults: tuple[str, ...]
    repairs: Mapping[RepairKind, int]
    places: tuple[tuple[int, int], ...]
    options: Mapping[str, Any]
    error: str | None = None
    is_sse: bool = True
    connections: tuple[bytes, ...] = ()

    @property
    def expected(self) -> list[Any]:
        """What a reader must see in the end; see `seen_in`."""
        return self.seen_in(self.mended)

    def seen_in(self, wire: bytes) -> list[Any]:
        """Read canonical output: events as (event, payload, id) or lines, JSON payloads by their value."""
        if not self.is_sse:
            return [json.loads(text) for text in read_ndjson(wire).texts]
        return [_by_value(seen) for seen in read_sse(wire).events]


def _by_value(seen: Seen) -> tuple[str, Any, str]:
    event, payload, id = seen
    return event, json.loads(payload) if is_json(payload) else payload, id


PLAIN = Healthy((b'data: {"a":1}\n\n', b'data: {"b":"\xc3\xa9"}\n\n', b'data: {"c":[true,null]}\n\n'))
LINES = Healthy((b'{"a":1}\n', b'{"b":"\xc3\xa9"}\n', b'{"c":[true,null]}\n'), is_sse=False)
CHAT = Healthy.of(spell("openai-chat", Answer(("Hel", "lo"), input_tokens=3, output_tokens=2)))
PLAIN_STREAMS = (
    PLAIN,
    LINES,
    CHAT,
    Healthy.of(spell("anthropic", Answer(("Hel", "lo"), input_tokens=3, output_tokens=2))),
)
