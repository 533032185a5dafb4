"""A healthy stream while faults are planted in it: what is sent for each frame, and what is right."""

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
    """A healthy stream while faults are being planted in it: for each frame what is sent, and what should be."""

    def __init__(self, healthy: Healthy) -> None:
        self.healthy = healthy
        self.sent = list(healthy.frames)
        self.expected = list(healthy.frames)
        self.faulty: set[int] = set()
        """Frames that carry a fault already; nothing else may be planted there."""
        self.faults: list[str] = []
        self.repairs: Counter[RepairKind] = Counter()
        self.options: dict[str, Any] = {}
        self.error: str | None = None
        self.connections: tuple[bytes, ...] = ()
        self.end_decided = False
        """Whether a fault has decided the end."""

    def payload(self, at: int) -> bytes | None:
        """Give the JSON object that this frame carries on one line, if it is free and carries nothing else."""
        found = _ONE_OBJECT.fullmatch(self.healthy.frames[at])
        return found[2] if found and at not in self.faulty and is_json(found[2]) else None

    def spell(self, payload: bytes, at: int) -> bytes:
        """Spell a payload as the frame at this place is spelt."""
        found = _ONE_OBJECT.fullmatch(self.healthy.frames[at])
        return found[1] + payload + found[3] if found else payload

    def put(self, at: int, sent: bytes, right: bytes) -> bool:
        """Let a frame be sent this way, and expect that."""
        self.sent[at], self.expected[at] = sent, right
        self.faulty.add(at)
        return True

    def places(self) -> Iterator[tuple[int, int]]:
        """Give the start and the end of each frame that carries a fault, in the bytes that are sent."""
        start = 0
        for number, frame in enumerate(self.sent):
            if number in self.faulty:
                yield start, start + len(frame)
            start += len(frame)

    def stream(self) -> BrokenStream:
        """Give the stream with all that was planted."""
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
