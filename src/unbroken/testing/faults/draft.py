"""A stream while faults are planted in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ...core.repairs import RepairKind
from ..standard import is_json
from .streams import BrokenStream, Healthy

_ONE_OBJECT = re.compile(rb"((?:event: [^\n]*\n)?(?:id: [^\n]*\n)?data: |)(\{[^\n]*\})(\n\n?)")


class StreamDraft:
    """A healthy stream while faults are planted in it: for each frame what is sent, and what is expected."""

    def __init__(self, healthy: Healthy) -> None:
        self.healthy = healthy
        self.sent = list(healthy.frames)
        self.expected = list(healthy.frames)
        self.faulty: set[int] = set()
        """Indices of frames that have a fault already; no other may be planted there."""
        self.faults: list[str] = []
        self.repairs: Counter[RepairKind] = Counter()
        self.options: dict[str, Any] = {}
        self.error: str | None = None
        self.connections: tuple[bytes, ...] = ()
        self.end_decided = False
        """Whether a fault has determined how the stream ends."""

    def payload(self, at: int) -> bytes | None:
        """Return the JSON object of this frame; None if it has a fault already, or is not one object on one line."""
        found = _ONE_OBJECT.fullmatch(self.healthy.frames[at])
        return found[2] if found and at not in self.faulty and is_json(found[2]) else None

    def spell(self, payload: bytes, at: int) -> bytes:
        """Return a frame with this payload, otherwise like the frame at this place."""
        found = _ONE_OBJECT.fullmatch(self.healthy.frames[at])
        return found[1] + payload + found[3] if found else payload

    def put(self, at: int, sent: bytes, expected: bytes) -> bool:
        """Set what is sent for a frame and what is expected of it. Returns True, for use by plants."""
        self.sent[at], self.expected[at] = sent, expected
        self.faulty.add(at)
        return True

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each faulty frame, in the bytes that are sent."""
        start = 0
        for number, frame in enumerate(self.sent):
            if number in self.faulty:
                yield start, start + len(frame)
            start += len(frame)

    def stream(self) -> BrokenStream:
        """Return the stream with all faults planted so far."""
        return BrokenStream(
            data=b"".join(self.sent),
            mended=b"".join(self.expected),
            faults=tuple(self.faults),
            repairs=dict(self.repairs),
            places=tuple(self.places()),
            options={**self.options, **({"dialect": self.healthy.dialect} if self.healthy.dialect else {})},
            error=self.error,
            is_sse=self.healthy.is_sse,
            connections=self.connections,
        )
