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
    """A canonical stream as whole frames (events, or lines), and its dialect if it has one."""

    frames: tuple[bytes, ...]
    dialect: str | None = None
    is_sse: bool = True

    @classmethod
    def of(cls, stream: Healthy | Conversation | SSEStream | NDJSONStream) -> Healthy:
        """Return a canonical stream as its frames."""
        if isinstance(stream, Healthy):
            return stream
        if isinstance(stream, Conversation):
            return cls(stream.frames, stream.dialect, stream.is_sse)
        end = b"\n\n" if isinstance(stream, SSEStream) else b"\n"
        frames = tuple(frame + end for frame in stream.data.split(end)[:-1])
        return cls(frames, is_sse=isinstance(stream, SSEStream))


@dataclass(frozen=True, slots=True)
class BrokenStream:
    """A stream with faults in it, and the correct result.

    `mended` is the stream as it should have been (JSON payloads compare by value), without the error frame that ends
    the output if `error` names a code. `repairs` is the least number of repairs of each kind; all of them lie within
    `places`, each the start and end of a range of `data`, and the rest is healthy. `options` are the options of
    `unbroken.repair` for which this holds. If upstream is opened twice, `connections` holds both bodies.
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
        """What a reader must see in the output, in the form of `seen_in`."""
        return self.seen_in(self.mended)

    def seen_in(self, wire: bytes) -> list[Any]:
        """Return what canonical output holds: events as (event, payload, id), or lines; JSON payloads as values."""
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
    Healthy.of(spell("openai-responses", Answer(("Hel", "lo"), input_tokens=3, output_tokens=2))),
)
