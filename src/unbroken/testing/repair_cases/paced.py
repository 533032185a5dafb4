"""A case of text that is held for a reader's pace: its calls, and what leaves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ...core.pacing.pace import Pace
from .case import SAME, said, told
from .timed import Step, TimedCase

START: Final = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
CUT: Final = told("truncated")
WORDS: Final = Pace(max_delay=90.0)
ANTHROPIC_START: Final = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n'
    b"event: content_block_start\n"
    b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
)
ANTHROPIC_END: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def fed(at: float, chunk: bytes, out: bytes = b"", then: float | None = None) -> Step:
    """Return a chunk that comes: when, what leaves because of it, and when more is due then."""
    return "feed", (chunk, at), out, then


def due(at: float, out: bytes = b"", then: float | None = None) -> Step:
    """Return the same of a deadline."""
    return "on_deadline", (at,), out, then


def paced(
    name: str,
    pace: Any,
    *steps: Step,
    end: bytes = CUT,
    options: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> TimedCase:
    """Return a case that starts at 0 s and ends at 99 s, where this is written."""
    calls: tuple[Step, ...] = (("resume", (0.0,), b"", None), *steps, ("close", (99.0,), end, None))
    return TimedCase(name, calls, options={"pace": pace, **(options or {})}, facts=facts or {})


def texts(name: str, pace: Any, *rows: tuple[float, str, str, float | None], last: str = "") -> TimedCase:
    """Return a case of texts: when each comes, what leaves then, and when more is due; `last` leaves at the end.

    A text that is empty stands for a deadline.
    """
    steps: list[Step] = [fed(0.0, START, SAME)]
    for at, token, leaves, then in rows:
        out = said(leaves) if leaves else b""
        steps.append(fed(at, said(token), out, then) if token else due(at, out, then))
    return paced(name, pace, *steps, end=(said(last) if last else b"") + CUT)


def chat(text: str, *, id: str = "", choice: str = "", more: str = "", key: str = "content") -> bytes:
    """Return an event of OpenAI's chat dialect; `more` stands in the chunk and `choice` in its choice, as JSON."""
    delta = f'{{"index":0,"delta":{{"{key}":{json.dumps(text)}}}{choice}}}'
    head = f"id: {id}\n" if id else ""
    return f'{head}data: {{"choices":[{delta}]{more}}}\n\n'.encode()


def spelt(raw: bytes) -> bytes:
    """Return an event of OpenAI's chat dialect whose text is spelt so, as JSON."""
    return said("TEXT").replace(b"TEXT", raw)


def anthropic(text: str, padding: str = "", index: int = 0, id: str = "") -> bytes:
    """Return an event of text in Anthropic's dialect; `padding` stands before the last brace."""
    delta = f'"index":{index},"delta":{{"type":"text_delta","text":{json.dumps(text)}}}'
    head = f"id: {id}\n" if id else ""
    return f'event: content_block_delta\n{head}data: {{"type":"content_block_delta",{delta}{padding}}}\n\n'.encode()
