"""A short chat answer in its frames, how it may end, and an observer of both ends."""

from __future__ import annotations

from typing import Any

from unbroken import Observer, StreamReport, Timeouts

from .tables import error

CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
FINISH = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error":{"message":"m","code":"x"}}\n\n'
START = b'event: message_start\ndata: {"type":"message_start","message":{}}\n\n'
TIMEOUTS = Timeouts(first=30.0, idle=20.0, silence=10.0, total=60.0)


def of_one_template(count: int) -> list[bytes]:
    """Return frames that differ in their text alone: "0", "1" and so on."""
    return [CHUNK.replace(b'"a"', b'"%d"' % number) for number in range(count)]


def error_frame(code: str, name: str = "") -> bytes:
    """Return the frame of this library's error with this code, an event of this name."""
    return (f"event: {name}\n" if name else "").encode() + b"data: " + error(code) + b"\n\n"


class Watch(Observer):
    """Keeps what it sees of a stream's beginning and end."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def started(self, report: StreamReport) -> None:
        self.seen.append("started")

    def ended(self, report: StreamReport) -> None:
        self.seen.append(report.verdict)
