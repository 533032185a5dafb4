"""The rooms of the SSE reader, each one alone: what a framer hands over, and what a rule sees."""

from __future__ import annotations

from typing import Any

from unbroken import StreamReport
from unbroken.core.events import Format
from unbroken.core.gate import Gate
from unbroken.core.options import check_options
from unbroken.core.sse.block import ParsedBlock
from unbroken.core.sse.evidence import Evidence
from unbroken.core.sse.framer import Framer, OpenBlock, Span
from unbroken.core.sse.line_rules import Seen

from .tables import LIMIT

Handed = tuple[Any, ...]
"""What a framer handed over: the name of the method without its `on_`, and the arguments."""


class Recorder:
    """A sink that keeps what a framer hands over; a block as the bytes of its lines."""

    def __init__(self) -> None:
        self.handed: list[Handed] = []

    def on_block(self, block: ParsedBlock, start: int, end: int, non_fields: Span | None) -> None:
        self.handed.append(("block", block.wire, start, end, *([] if non_fields is None else [non_fields])))

    def on_comment(self, line: bytes) -> None:
        self.handed.append(("comment", line))

    def on_inner_comment(self, line: bytes) -> None:
        self.handed.append(("inner_comment",))

    def on_blank_line(self) -> None:
        self.handed.append(("blank_line",))

    def on_oversized(self, start: int, end: int) -> None:
        self.handed.append(("oversized", start, end))

    def on_respelling(self, what: str) -> None:
        self.handed.append(("respelling", what))


def framer_after(data: bytes, *, limit: int = LIMIT, keeps_comments: bool = True) -> tuple[Framer, list[Handed]]:
    """Have a framer take lines that end with LF; return it, and what it handed over."""
    sink = Recorder()
    framer = Framer(OpenBlock(), limit, sink, keeps_comments=keeps_comments)
    start = 0
    for line in data.split(b"\n")[:-1]:
        framer.take(line, start, start + len(line))
        start += len(line) + 1
    return framer, sink.handed


def gate_for(format: Format = Format.SSE, **options: Any) -> Gate:
    """Return the gate of a stream that has not begun."""
    return Gate(check_options(**options), StreamReport(format=format))


def seen_after(data: bytes, **options: Any) -> Seen:
    """Return what a rule sees after these lines."""
    framer, _ = framer_after(data)
    return Seen(gate_for(**options), framer.open, Evidence(framer.open))
