"""Answers as providers send them, token by token: frames that are often of one template, and often nearly so.

What a fast path may take for the frame before it, and what it must not: each answer draws the shape of its frames,
what changes from one to the next, and what stands between them. `streams` is a function of its seed and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

WORDS = (
    "a", " b", "w", " word", "é", "你", "😀", '"q"', "\\n", "\n", "\t", "", "\u2028", "\u0085", "tool", "x" * 30, "1",
    " ", "{", "}", '{"a":', "</p>", "data: ", "[DONE]", "\ud83d", "\\ud83d", "null",
)  # fmt: skip

Payload = dict[str, Any]
Shape = Callable[[Random, str, int], Payload]


def _chat(delta: Payload, number: int = 0, **more: Any) -> Payload:
    choice = {"index": number, "delta": delta, "finish_reason": None}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice], **more}


def _text(random: Random, word: str, at: int) -> Payload:
    return _chat({"content": word}, created=1 + at // 3)


def _two_choices(random: Random, word: str, at: int) -> Payload:
    return _chat({"content": word}, random.choice((0, 0, 1, at % 2)))


def _text_twice(random: Random, word: str, at: int) -> Payload:
    again = word if random.random() < 0.95 else "other"
    return _chat({"content": "", "reasoning": word, "reasoning_details": [{"type": "reasoning.text", "text": again}]})


def _token_ids(random: Random, word: str, at: int) -> Payload:
    ids = [random.randint(0, 99_999) for _ in range(random.choice((1, 1, 1, 2)))]
    payload = _chat({"content": word, "token_id": ids[0]})
    payload["choices"][0] |= {"token_ids": ids, "logprobs": None}
    return payload


def _chat_arguments(random: Random, word: str, at: int) -> Payload:
    call: Payload = {"index": random.choice((0, 0, 0, 0, 1)), "function": {"arguments": word}}
    if at == 0 or random.random() < 0.05:
        call |= {"id": f"call_{at}", "type": "function", "function": {"name": "f", "arguments": ""}}
    return _chat({"tool_calls": [call]})


def _padded(random: Random, word: str, at: int) -> Payload:
    return _chat({"content": word}, obfuscation="x" * random.choice((0, 1, 3)))


def _alternating(random: Random, word: str, at: int) -> Payload:
    odd = ({"role": "assistant", "content": ""}, {"reasoning_content": word}, {"content": None}, {})
    return _chat({"content": word} if at % 2 or random.random() < 0.5 else random.choice(odd))


def _usage(random: Random, word: str, at: int) -> Payload:
    return _chat({"content": word}, usage={"prompt_tokens": 3, "completion_tokens": at, "total_tokens": at + 3})


def _completion(random: Random, word: str, at: int) -> Payload:
    choice = {"index": 0, "text": word, "logprobs": None, "finish_reason": None}
    return {"id": "c", "object": "text_completion", "created": 1, "choices": [choice], "model": "m"}


def _anthropic_text(random: Random, word: str, at: int) -> Payload:
    kind = random.choice((*["text_delta"] * 6, "thinking_delta"))
    return {"type": "content_block_delta", "index": 0, "delta": {"type": kind, kind.split("_")[0]: word}}


def _anthropic_input(random: Random, word: str, at: int) -> Payload:
    part: Payload = {"type": "input_json_delta", "partial_json": word}
    if random.random() < 0.1:
        part = {"type": "text_delta", "text": word}
    return {"type": "content_block_delta", "index": random.choice((0, 0, 0, 1)), "delta": part}


def _responses_text(random: Random, word: str, at: int) -> Payload:
    payload = {"type": "response.output_text.delta", "item_id": f"m{random.choice((1, at))}", "output_index": 0}
    payload |= {"content_index": 0, "delta": word, "sequence_number": at + 3, "logprobs": []}
    return payload | {"obfuscation": "x" * random.choice((0, 1, 3))}


def _responses_arguments(random: Random, word: str, at: int) -> Payload:
    kind = random.choice((*["function_call_arguments"] * 6, "mcp_call_arguments"))
    payload = {"type": f"response.{kind}.delta", "item_id": f"m{random.choice((1, 1, at))}", "output_index": 0}
    return payload | {"delta": word, "sequence_number": at + 3}


def _gemini(random: Random, word: str, at: int) -> Payload:
    part: Payload = {"text": word} if random.random() < 0.8 else {"text": word, "thought": True}
    usage = {"promptTokenCount": 4, "candidatesTokenCount": at, "totalTokenCount": at + 4}
    return {"candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0}], "usageMetadata": usage}


def _ollama(random: Random, word: str, at: int) -> Payload:
    created = f"2024-01-01T00:00:{at:02}.{random.randint(0, 999)}Z"
    return {"model": "m", "created_at": created, "message": {"role": "assistant", "content": word}, "done": False}


def _cohere(random: Random, word: str, at: int) -> Payload:
    return {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": word}}}}


def _tgi(random: Random, word: str, at: int) -> Payload:
    token = {"id": random.randint(0, 9999), "text": word, "logprob": -0.5, "special": False}
    return {"index": at, "token": token, "generated_text": None, "details": None}


def _foreign(random: Random, word: str, at: int) -> Payload:
    return random.choice(({"text": word}, {"text": word, "n": at}, {"n": at}))


SHAPES: tuple[Shape, ...] = (
    _text, _two_choices, _text_twice, _token_ids, _chat_arguments, _padded, _alternating, _usage, _completion,
    _anthropic_text, _anthropic_input, _responses_text, _responses_arguments, _gemini, _ollama, _cohere, _tgi, _foreign,
)  # fmt: skip

BETWEEN = (
    ": ping\n\n", ": ping\n", "data: [DONE]\n\n", "junk\n", 'data: {"broken\n\n', "retry: 5\n\n", "retry: 5\n", "\n",
    "id: 7\n", "id\n", "event: other\n", "data:\n\n", "data: null\n\n", 'data: {"type":"ping"}\n\n',
    'event: ping\ndata: {"type":"ping"}\n\n',
    'data: {"error":{"message":"x"}}\n\n', 'data: {"error":{"message":"x","code":429}}\n\n', 'error: {"code":1}\n',
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n', '{"error":"x"}\n',
    'data: {"a":1}{"b":2}\n\n', "data: {'a': 1}\n\n", 'data: data: {"a":1}\n\n', 'data: {"a":NaN}\n\n',
    'data: {"error":{"message":"x","type":"unbroken_error","code":"truncated"}}\n\n', "<html>\n", "x" * 1100 + "\n",
)  # fmt: skip
"""What is not a token: between two frames, or where it harms, inside of a block."""

FIRST = (
    "", "", "", "", ": connected\n\n", "\n", "\ufeff", "retry: 5\n\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
    'data: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n',
    'data: {"error":{"message":"x","code":429}}\n\n',
    'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"x"}}\n\n',
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n',
    'event: response.created\ndata: {"type":"response.created","response":{"id":"r"}}\n\n',
    'data: {"type":"response.created","response":{"id":"r"}}\n\n',
)  # fmt: skip
"""What stands before the first frame; a dialect may be known by an error alone."""

LAST = (
    "", "", "data: [DONE]\n\n", "data: [DONE]\n\n", "data: [DONE]\n", "data: done\n\n", "[DONE]\n", '{"done":true}\n',
    'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    "data: [DONE]\n\n",
    'event: message_stop\ndata: {"type":"message_stop"}\n\n', 'data: {"type":"message_stop"}\n\n',
    'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r"}}\n\n',
    '{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}\n',
)  # fmt: skip

DAMAGE = (b"\n", b"\r", b"", b"x", b"\xff", b'"', b"\\", b"\0", b"\xe4\xbd", b"\n\n", b"}")

OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {}, {}, {}, {}, {}, {"invalid_json": "keep"}, {"invalid_json": "error"}, {"repairs": ()}, {"to": "ndjson"},
    {"to": "sse"}, {"account": False}, {"max_event_bytes": 1024}, {"comments": "drop"}, {"convert": "openai-chat"},
    {"convert": "openai-chat", "to": "ndjson"}, {"dialect": "openai-chat"}, {"dialect": "anthropic"},
    {"dialect": "openai-responses"}, {"dialect": "text"}, {"content_type": "text/event-stream"}, {"format": "sse"},
    {"content_type": "application/x-ndjson"}, {"last_event_id": "7"},
)  # fmt: skip


def streams(seed: int, count: int) -> Iterator[tuple[list[bytes], dict[str, Any]]]:
    """Draw `count` streams: chunks, and options to read them with."""
    random = Random(seed)
    for _ in range(count):
        yield cut(random, answer(random)), dict(random.choice(OPTIONS))


def answer(random: Random) -> bytes:
    """Draw one answer, seldom whole."""
    spell = _lines(random) if random.random() < 0.12 else _blocks(random)
    shapes = random.choices(SHAPES, k=random.choice((1, 1, 1, 2)))
    odds = random.choice((0.0, 0.02, 0.1))
    text = random.choice(FIRST)
    for at in range(random.randint(3, 30)):
        shape = shapes[0] if random.random() < 0.8 else shapes[-1]
        text += spell(shape(random, random.choice(WORDS), at), at)
        if random.random() < odds:
            text += random.choice(BETWEEN)
    text += random.choice(LAST)
    line_end = random.choice(("\n",) * 6 + ("\r\n", "\r\n", "\r"))
    return harm(random, text.replace("\n", line_end).encode("utf-8", "surrogatepass"))


def _spell(random: Random) -> Callable[[Payload], str]:
    ascii_only, separators = random.random() < 0.3, (",", ":") if random.random() < 0.8 else (", ", ": ")
    blanks = random.random() < 0.25

    def spell(payload: Payload) -> str:
        wide = random.random() < 0.02
        text = json.dumps(payload, ensure_ascii=ascii_only, separators=(", ", ": ") if wide else separators)
        return f"{text[:-1]}{' ' * random.randint(0, 3)}}}" if blanks else text

    return spell


def _blocks(random: Random) -> Callable[[Payload, int], str]:
    spell, prefix = _spell(random), random.choice(("data: ", "data: ", "data: ", "data:"))
    named, lost = random.choice((True, True, True, False)), random.choice((0.0, 0.0, 0.05))
    ids, single = random.choice((0.0, 0.0, 0.0, 0.15, 1.0)), random.choice((0.0, 0.0, 0.0, 0.05, 1.0))

    def block(payload: Payload, at: int) -> str:
        name = f"event: {payload['type']}\n" if "type" in payload and named and random.random() >= lost else ""
        id = f"id: {at}\n" if random.random() < ids else ""
        return f"{id}{name}{prefix}{spell(payload)}\n" + ("" if random.random() < single else "\n")

    return block


def _lines(random: Random) -> Callable[[Payload, int], str]:
    spell = _spell(random)
    return lambda payload, at: spell(payload) + "\n"


def harm(random: Random, data: bytes) -> bytes:
    """Damage three streams in ten: a byte or two replaced, or the end cut off."""
    what, at = random.random(), random.randrange(len(data) + 1)
    if what < 0.25:
        return data[:at] + random.choice(DAMAGE) + data[at + random.randrange(3) :]
    return data[:at] if what < 0.3 else data


def cut(random: Random, data: bytes) -> list[bytes]:
    """Cut a stream: not at all, by block, bytewise, in pieces of one size, or at random."""
    match random.choice(("whole", "block", "block", "byte", "pieces", "random", "random")):
        case "whole":
            return [data]
        case "block":
            return by_block(data)
        case "byte":
            return in_pieces(data, 1)
        case "pieces":
            return in_pieces(data, random.choice((2, 7, 64, 300)))
        case _:
            most = random.choice((10, 100, 600))
            chunks: list[bytes] = []
            while data:
                size = random.randint(0, most)
                chunks.append(data[:size])
                data = data[size:]
            return chunks


def by_block(data: bytes) -> list[bytes]:
    """Cut after each blank line; what has none of them, after each line."""
    ends = [end for end in (b"\r\n\r\n", b"\n\n", b"\r\r", b"\n") if end in data]
    return [block + ends[0] for block in data.split(ends[0])[:-1]] + [data.split(ends[0])[-1]] if ends else [data]


def in_pieces(data: bytes, size: int) -> list[bytes]:
    """Cut into pieces of `size` bytes."""
    return [data[at : at + size] for at in range(0, len(data), size)]
