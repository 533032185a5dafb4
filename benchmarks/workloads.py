"""The streams that every reader is timed on: seeded, so that two machines time the same bytes.

The names are those of docs/speed.md; tests/test_benchmarks.py holds each to its description.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from .mixture import mixed_streams
from .payloads import DONE, LETTERS, MIXED, SEED, WORDS, blocks, spell, tokens

EVENT_BYTES = 256
BULK = 64 * 1024


@dataclass(frozen=True)
class Workload:
    """A list of streams, each a list of chunks, with the facts that its test checks."""

    name: str
    title: str
    format: str
    events: int
    streams: list[list[bytes]] = field(repr=False)
    terminator: str | None = "[DONE]"
    unit: str = "event"

    @property
    def size(self) -> int:
        """Return the number of bytes of all streams."""
        return sum(len(chunk) for chunks in self.streams for chunk in chunks)


def cut(body: bytes, size: int) -> list[bytes]:
    """Return a body in chunks of `size` bytes; the last one may be shorter."""
    return [body[i : i + size] for i in range(0, len(body), size)]


# --- payloads -------------------------------------------------------------------------------------------------


def openai_payload(token: str | None, *, finish: str | None = None, **rest: str) -> str:
    """Return one chat completion chunk."""
    delta = {} if token is None else {"content": token}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    chunk = {
        "id": "chatcmpl-C8cW3vQ0Y9kq",
        "object": "chat.completion.chunk",
        "created": 1757000000,
        "model": "gpt-5-mini",
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": [choice],
    }
    return spell({**chunk, **rest})


@cache
def openai_blocks(count: int) -> list[bytes]:
    """Return `count` blocks, of 256 bytes but for the last one, the finish; `[DONE]` is not among them."""
    payloads = [openai_payload(token) for token in tokens(count - 1)]
    payloads.append(openai_payload(None, finish="stop"))
    return [f"data: {payload}\n\n".encode() for payload in payloads]


def openai_body(count: int) -> bytes:
    """Return one whole OpenAI-like stream of `count` blocks and `[DONE]`."""
    return b"".join(openai_blocks(count)) + DONE


def obfuscated_blocks(count: int) -> list[bytes]:
    """Return such blocks with OpenAI's own padding, which is different in each: it hides the length of the token."""
    draw = random.Random(SEED)
    padding = ("".join(draw.choices(LETTERS, k=draw.randint(1, 12))) for _ in range(count))
    payloads = [openai_payload(token, obfuscation=next(padding)) for token in tokens(count - 1)]
    payloads.append(openai_payload(None, finish="stop", obfuscation=next(padding)))
    return [f"data: {payload}\n\n".encode() for payload in payloads]


def anthropic_blocks(count: int) -> list[bytes]:
    """Return a message in `count` blocks of `event:`, `data:` and `id:` lines, as a resumable proxy sends it."""
    message = {"id": "msg_01", "type": "message", "role": "assistant", "model": "claude", "content": []}
    block = {"type": "text", "text": ""}
    payloads: list[dict[str, object]] = [
        {"type": "message_start", "message": {**message, "usage": {"input_tokens": 9, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": block},
    ]
    for token in tokens(count - 5):
        delta = {"type": "text_delta", "text": token}
        payloads.append({"type": "content_block_delta", "index": 0, "delta": delta})
    payloads += [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": count - 5}},
        {"type": "message_stop"},
    ]
    return [
        f"event: {payload['type']}\ndata: {json.dumps(payload, ensure_ascii=False)}\nid: {i}\n\n".encode()
        for i, payload in enumerate(payloads, 1)
    ]


def ollama_lines(count: int) -> list[bytes]:
    """Return an Ollama answer of `count` NDJSON lines, the last one `done`."""

    def line(token: str, **rest: object) -> bytes:
        message = {"role": "assistant", "content": token}
        stamp = "2026-08-17T15:59:50.05206Z"
        document = {"model": "qwen3:4b", "created_at": stamp, "message": message, **rest}
        return spell(document).encode() + b"\n"

    figures = {"done_reason": "stop", "prompt_eval_count": 11, "eval_count": count - 1}
    return [line(token, done=False) for token in tokens(count - 1)] + [line("", done=True, **figures)]


def gemini_elements(count: int) -> list[bytes]:
    """Return Gemini's `streamGenerateContent` array: pretty-printed elements, `,` and CRLF between them."""

    def element(token: str, **rest: object) -> bytes:
        candidate = {"content": {"parts": [{"text": token}], "role": "model"}, **rest, "index": 0}
        usage = {"promptTokenCount": 12, "candidatesTokenCount": 1, "totalTokenCount": 13}
        document = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.0-flash"}
        return json.dumps(document, ensure_ascii=False, indent=2).encode()

    elements = [element(token) for token in tokens(count - 1)] + [element("", finishReason="STOP")]
    return [b"[" + elements[0], *(b"\n,\r\n" + rest for rest in elements[1:]), b"\n]\n"]


def one_big_event(size: int) -> bytes:
    """Return a stream whose one content event is `size` bytes long."""
    text = "".join(tokens(4096, WORDS))
    room = size - len(f"data: {openai_payload('')}\n\n")
    payload = openai_payload((text * (room // len(text) + 1))[:room])
    return f"data: {payload}\n\n".encode() + f"data: {openai_payload(None, finish='stop')}\n\n".encode() + DONE


def captured_streams(folder: Path) -> list[list[bytes]]:
    """Return the real SSE captures that all readers agree on, cut where the recorder's reads ended.

    Left out: streams with an unterminated tail, with text in no field, with payloads that are no JSON, with an `id:`
    (peers then invent events), or without a good end (ours raises there, peers end in silence). A capture without
    recorded reads is cut after each blank line.
    """
    expected = {fact["file"]: fact for fact in _json_lines(folder / "expected.jsonl")}
    streams = []
    for row in _json_lines(folder / "manifest.jsonl"):
        if row["format"] != "sse" or not row["real"]:
            continue
        facts = expected[row["file"]]
        odd = ("unterminated_tail", "nonfield_lines", "ids")
        if facts["n_non_json"] or any(facts["sse"][name] for name in odd):
            continue
        if facts.get("errors") or facts["finish_reason"] is None:
            continue
        body = (folder / row["file"]).read_bytes()
        streams.append(_by_sizes(body, row["chunk_sizes"]) if "chunk_sizes" in row else blocks(body))
    return streams


def _json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _by_sizes(body: bytes, sizes: list[int]) -> list[bytes]:
    chunks, at = [], 0
    for size in sizes:
        chunks.append(body[at : at + size])
        at += size
    return [chunk for chunk in chunks if chunk]


# --- workloads ------------------------------------------------------------------------------------------------


def event_per_chunk(scale: float) -> Workload:
    count = int(8000 * scale)
    chunks = [*openai_blocks(count), DONE]
    return Workload("a", "256-byte OpenAI-like events, one a chunk", "sse", count + 1, [chunks])


def bulk(scale: float) -> Workload:
    count = int(8000 * scale)
    return Workload("b", "the same in 64 KiB chunks", "sse", count + 1, [cut(openai_body(count), BULK)])


def byte_per_chunk(scale: float) -> Workload:
    count = int(200 * scale)
    return Workload("c", "the same, one byte a chunk", "sse", count + 1, [cut(openai_body(count), 1)])


def crlf(scale: float) -> Workload:
    count = int(8000 * scale)
    body = openai_body(count).replace(b"\n", b"\r\n")
    return Workload("d", "the same with CRLF, 64 KiB chunks", "sse", count + 1, [cut(body, BULK)])


def named_blocks(scale: float) -> Workload:
    count = int(8000 * scale)
    title = "event: + data: + id: blocks, one a chunk"
    return Workload("e", title, "sse", count, [anthropic_blocks(count)], terminator=None)


def ndjson(scale: float) -> Workload:
    count = int(8000 * scale)
    return Workload("f", "NDJSON, one line a chunk", "ndjson", count, [ollama_lines(count)], terminator=None)


def big_event_trickled(scale: float) -> Workload:
    body = one_big_event(int(8_000_000 * scale))
    return Workload("g16", "an 8 MB event in 16-byte chunks", "sse", 3, [cut(body, 16)], unit="stream")


def big_event(scale: float) -> Workload:
    body = one_big_event(int(8_000_000 * scale))
    return Workload("g1k", "an 8 MB event in 1 KB chunks", "sse", 3, [cut(body, 1000)], unit="stream")


def non_latin(scale: float) -> Workload:
    count = int(8000 * scale)
    words = iter(tokens(8 * (count - 1), MIXED))
    payloads = [openai_payload("".join(eight)) for eight in zip(*[words] * 8, strict=True)]
    payloads.append(openai_payload(None, finish="stop"))
    body = "".join(f"data: {payload}\n\n" for payload in payloads).encode() + DONE
    return Workload("h", "non-Latin text, 64 KiB chunks", "sse", count + 1, [cut(body, BULK)])


def captured(scale: float) -> Workload | None:
    """Replay real captures, or return None where the folder is not there."""
    from tests.captures import FOLDER

    if not FOLDER.is_dir():
        return None
    streams = captured_streams(FOLDER)
    streams = streams[: max(1, int(len(streams) * scale))]
    count = sum(_dispatches(b"".join(chunks)) for chunks in streams)
    return Workload("i", "captured streams, replayed", "sse", count, streams, terminator=None)


def _dispatches(body: bytes) -> int:
    """Return the number of events of a well-formed stream: blocks with a `data` line (WHATWG 9.2.6)."""
    blocks = b"\n".join(body.splitlines()).split(b"\n\n")
    return sum(any(line.startswith(b"data") for line in block.split(b"\n")) for block in blocks)


def gemini_array(scale: float) -> Workload:
    count = int(4000 * scale)
    title = "a Gemini JSON array, one element a chunk"
    return Workload("j", title, "json-array", count, [gemini_elements(count)], terminator=None)


def obfuscated(scale: float) -> Workload:
    count = int(8000 * scale)
    title = "as (a), with OpenAI's obfuscation field"
    return Workload("o", title, "sse", count + 1, [[*obfuscated_blocks(count), DONE]])


def mixture(scale: float) -> Workload:
    streams = [stream for _, stream in mixed_streams(scale)]
    count = sum(_dispatches(b"".join(chunks)) for chunks in streams)
    return Workload("m", "shaped like recorded streams, one block a chunk", "sse", count, streams)


WORKLOADS: dict[str, Callable[[float], Workload | None]] = {
    "a": event_per_chunk,
    "b": bulk,
    "c": byte_per_chunk,
    "d": crlf,
    "e": named_blocks,
    "f": ndjson,
    "g16": big_event_trickled,
    "g1k": big_event,
    "h": non_latin,
    "i": captured,
    "j": gemini_array,
    "m": mixture,
    "o": obfuscated,
}


FORMATS = {name: {"f": "ndjson", "j": "json-array"}.get(name, "sse") for name in WORKLOADS}


def build(name: str, scale: float = 1.0) -> Workload | None:
    """Return a workload by its letter; `scale` shrinks it for tests. None: its input is not on this machine."""
    return WORKLOADS[name](scale)
