"""What a case of a repaired stream is, and what a report says of a stream in which nothing happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ...core.failure import ERROR_TYPE, SENTENCES, Failure
from ...core.repairs import RepairKind
from ..cases import slug

UNEVENTFUL: Final[Mapping[str, Any]] = {
    "format": "sse", "dialect": None, "verdict": "ended", "error": None, "timeout": None, "retries": 0,
    "respellings": {}, "events": 1, "comments": 0, "heartbeats": 0, "invalid_utf8": 0, "invalid_json": 0, "unproven": 0,
    "masked_errors": 0,
    "last_event_id": "", "retry": None, "text": "", "reasoning": "", "refusal": "", "finish_reason": None, "usage": {},
    "tool_calls": [], "content_emitted": False, "tokens_received": 0, "tokens_source": "events", "account_cut": False,
    "second_beginnings": 0, "cumulative_text": False, "repetitions": 1, "provider": None, "request_id": None,
}  # fmt: skip
"""What the report says of one event of SSE of which nothing is to be said."""
EVERY_REPAIR: Final = frozenset(RepairKind)
SAME: Final = b"the input, byte for byte"
"""Stands for an output that is the input."""
FINISH: Final = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
"""The end of an answer in OpenAI's chat dialect, which `DONE` follows."""
DONE: Final = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class RepairCase:
    """One stream, what a repairer writes for it, and what it reports.

    `repairs` are `kind@offset+length`, in the order in which they are recorded, in bytes of the input. `options` are
    those of `unbroken.repair`; `facts` are what the report says, in the names and values of `StreamReport.as_dict`,
    where that is not `UNEVENTFUL`. `leaves`, where it is not None: after how many bytes of the input something is
    written at once.
    """

    name: str
    data: bytes
    output: bytes
    repairs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    leaves: tuple[int, ...] | None = None

    @property
    def wire(self) -> bytes:
        """What is written."""
        return self.data if self.output is SAME else self.output

    @property
    def slug(self) -> str:
        """The name as a part of a test's name."""
        return slug(self.name)

    @property
    def reported(self) -> dict[str, Any]:
        """All that the report says, other than times and the count of chunks."""
        said = {**UNEVENTFUL, "bytes_in": len(self.data), "bytes_out": len(self.wire), **self.facts}
        return {**said, "whole": said["verdict"] == "complete"}


def said(*texts: str) -> bytes:
    """Return an event of OpenAI's chat dialect for each of these texts."""
    return b"".join(
        b'data: {"choices":[{"index":0,"delta":{"content":%b}}]}\n\n' % json.dumps(text).encode() for text in texts
    )


def crlf(data: bytes) -> bytes:
    """Return these lines with CRLF."""
    return data.replace(b"\n", b"\r\n")


def error_of_ours(code: str) -> bytes:
    """Return the error object that says why a stream failed."""
    return json.dumps({"error": {"message": SENTENCES[code], "type": ERROR_TYPE, "code": code}}).encode()


def told(code: str, *, name: str | None = None) -> bytes:
    """Return the event that says so."""
    return (f"event: {name}\n" if name else "").encode() + b"data: " + error_of_ours(code) + b"\n\n"


def told_first(code: str, status: int = 500) -> bytes:
    """Return the event that says so before any other, where nothing is known of the clients."""
    return b"event: error\ndata: " + json.dumps(Failure(code, status).as_widest_error()).encode() + b"\n\n"


def told_as_line(code: str) -> bytes:
    """Return the line that says so before any other, where nothing is known of the clients."""
    return json.dumps(Failure(code).as_line()).encode() + b"\n"


def but(*kinds: str) -> frozenset[RepairKind]:
    """Return all kinds of repairs but these."""
    return EVERY_REPAIR - {RepairKind(kind) for kind in kinds}


def failure(
    code: str,
    error_type: str | None = None,
    status_hint: int | None = None,
    *,
    retry_after: float | None = None,
    safe_to_retry: bool = False,
) -> dict[str, Any]:
    """Return the facts of a stream that failed so."""
    facts = {"error_type": error_type, "status_hint": status_hint, "retry_after": retry_after}
    error = {"code": code, "message": SENTENCES[code], **facts, "safe_to_retry": safe_to_retry}
    return {"verdict": "truncated" if code == "truncated" else "failed", "error": error}


def answered(text: str, tokens: int, finish: str | None = "stop", verdict: str = "complete") -> dict[str, Any]:
    """Return the facts of an answer in OpenAI's chat dialect that said this, and ended so."""
    content = {"text": text, "content_emitted": tokens > 0, "tokens_received": tokens}
    return {"dialect": "openai-chat", "verdict": verdict, "finish_reason": finish, **content}


def call(
    name: str | None = None,
    arguments: str = "",
    id: str | None = None,
    *,
    choice: int = 0,
    kind: str = "function",
    complete: bool = True,
) -> dict[str, Any]:
    """Return a tool call as the report has it."""
    return {
        "choice": choice, "id": id, "name": name, "kind": kind, "arguments": arguments, "arguments_complete": complete,
    }  # fmt: skip
