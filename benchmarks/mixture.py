"""Invented streams of the shapes, lengths and proportions of the recorded ones, for machines that have no recordings.

Most events of a recorded stream resemble the one before, and many do not: text that stands in a frame twice, pieces
of tool arguments, shapes that alternate, ids that change, padding that is empty now and then. A benchmark in which all
events are alike shows none of what these cost. Every text is drawn from a list of words; only the shapes are those of
providers.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from .payloads import DONE, ESCAPED, LETTERS, SEED, WORDS, frame, spell

Draw = random.Random
Build = Callable[[int, Draw], list[bytes]]
"""Builds the blocks of one stream of about so many events."""

LONG = 100
"""Streams of so many events are shortened by a scale below 1; of shorter ones there are fewer."""

VOCABULARY = [" " + word for word in f"{WORDS} {ESCAPED} a an of the to in is it that . , : ;".split(" ")]


def text(draw: Draw) -> str:
    """Return a token."""
    return draw.choice(VOCABULARY)


def letters(draw: Draw, count: int) -> str:
    """Return that many letters and digits, as ids have."""
    return "".join(draw.choices(LETTERS, k=count))


def arguments(draw: Draw, count: int) -> list[str]:
    """Return the JSON of a tool's arguments in `count` pieces, as models send it: with quotes and backslashes."""
    whole = spell({"path": "notes/today.md", "lines": [draw.choice(VOCABULARY) for _ in range(count)]})
    size = max(1, len(whole) // max(1, count))
    cuts = [whole[i : i + size] for i in range(0, len(whole), size)]
    return [*cuts[: count - 1], "".join(cuts[count - 1 :])]


# --- OpenAI's chat completions, and those who speak them ---------------------------------------------------------


def chat(draw: Draw, **rest: Any) -> Callable[..., dict[str, Any]]:
    """Return a function that builds the chunks of one completion: `delta`, and fields of the choice by name."""
    head = {"id": f"chatcmpl-{letters(draw, 24)}", "object": "chat.completion.chunk", "created": 1757000000, **rest}

    def chunk(delta: dict[str, Any], finish: str | None = None, **choice: Any) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish, **choice}]}

    return chunk


def chat_end(chunk: dict[str, Any], count: int, reason: str = "stop") -> list[bytes]:
    """Return the last blocks: the finish, the usage without choices, and the sentinel."""
    finish = {**chunk, "choices": [{**chunk["choices"][0], "delta": {}, "finish_reason": reason}]}
    usage = {"prompt_tokens": 42, "completion_tokens": count, "total_tokens": count + 42}
    details = {"prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}}
    return [frame(finish), frame({**finish, "choices": [], "usage": {**usage, **details}}), DONE]


def chat_text(count: int, draw: Draw) -> list[bytes]:
    chunk = chat(draw, model="small-chat-1", system_fingerprint=f"fp_{letters(draw, 10)}")
    first = frame(chunk({"role": "assistant", "content": ""}))
    return [
        first,
        *(frame(chunk({"content": text(draw)})) for _ in range(count - 4)),
        *chat_end(chunk({}), count),
    ]


def chat_gateway(count: int, draw: Draw) -> list[bytes]:
    """As `chat_text`, through a gateway that sends comments first and repeats the role."""
    chunk = chat(draw, provider="Example", model="example/small-chat-1", system_fingerprint=None)
    tokens = (frame(chunk({"role": "assistant", "content": text(draw)}, native_finish_reason=None)) for _ in cycle("x"))
    return [b": PROCESSING\n\n", *(next(tokens) for _ in range(count - 3)), *chat_end(chunk({}), count)]


def chat_reasoning(count: int, draw: Draw) -> list[bytes]:
    """Reasoning, now and then with an empty `content` beside it, and then the answer: shapes that alternate."""
    head = {"id": f"2026{letters(draw, 20)}", "created": 1757000000, "model": "small-reasoner-1"}
    out = []
    for number in range(count - 2):
        delta = {"role": "assistant", "reasoning_content": text(draw)}
        if number >= count * 0.94:
            delta = {"role": "assistant", "content": text(draw)}
        elif draw.random() < 0.1:
            delta = {"role": "assistant", "content": "", "reasoning_content": text(draw)}
        out.append(frame({**head, "choices": [{"index": 0, "delta": delta}]}))
    choice = {"index": 0, "finish_reason": "stop", "delta": {"role": "assistant", "content": ""}}
    usage = {"prompt_tokens": 42, "completion_tokens": count, "total_tokens": count + 42}
    return [*out, frame({**head, "choices": [choice], "usage": usage}), DONE]


def chat_text_twice(count: int, draw: Draw) -> list[bytes]:
    """The same piece of reasoning in two fields of each frame."""
    chunk = chat(draw, provider="Example", model="example/small-reasoner-1")
    out = []
    for _ in range(count - 3):
        piece = text(draw)
        details = [{"type": "reasoning.text", "text": piece, "format": "unknown", "index": 0}]
        delta = {"role": "assistant", "content": "", "reasoning": piece, "reasoning_details": details}
        out.append(frame(chunk(delta, native_finish_reason=None)))
    return [*out, *chat_end(chunk({}), count)]


def chat_token_ids(count: int, draw: Draw) -> list[bytes]:
    """Text in two fields, and the number of the token beside it."""
    head = {"id": letters(draw, 26), "object": "chat.completion.chunk", "created": 1757000000}
    out = []
    for number in range(count - 1):
        piece, last = text(draw), number == count - 2
        delta = {"token_id": draw.randrange(150_000), "role": "assistant", "content": piece}
        choice = {"index": 0, "text": piece, "logprobs": None, "finish_reason": "stop" if last else None, "seed": None}
        usage = {"prompt_tokens": 42, "completion_tokens": count, "total_tokens": count + 42} if last else None
        out.append(frame({**head, "choices": [{**choice, "delta": delta}], "model": "small-chat-1", "usage": usage}))
    return [*out, DONE]


def chat_tool_call(count: int, draw: Draw) -> list[bytes]:
    chunk = chat(draw, model="small-chat-1", service_tier="default", system_fingerprint=None)
    call = {"index": 0, "id": f"call_{letters(draw, 24)}", "type": "function"}
    begin = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{**call, "function": {"name": "write", "arguments": ""}}],
    }
    pieces = arguments(draw, max(1, count - 4))
    calls = ({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces)
    return [frame(chunk(begin)), *(frame(chunk(delta)) for delta in calls), *chat_end(chunk({}), count, "tool_calls")]


def chat_agent(count: int, draw: Draw) -> list[bytes]:
    """A little of everything, as short streams have it: filter results, reasoning, text, and then a tool call."""
    chunk = chat(draw, model="small-chat-1", system_fingerprint=f"fp_{letters(draw, 10)}")
    filtered = {kind: {"filtered": False, "severity": "safe"} for kind in ("hate", "self_harm", "sexual", "violence")}
    prompt = {"prompt_index": 0, "content_filter_results": filtered}
    call = {"index": 0, "id": f"call_{letters(draw, 24)}", "type": "function"}
    named_call = {**call, "function": {"name": "write", "arguments": ""}}
    third = max(1, (count - 7) // 3)
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": "", "refusal": None},
        *({"reasoning_content": text(draw)} for _ in range(third)),
        *({"content": text(draw)} for _ in range(third)),
        {"role": "assistant", "content": None, "tool_calls": [named_call]},
        *({"tool_calls": [{"index": 0, "function": {"arguments": it}}]} for it in arguments(draw, third)),
    ]
    return [
        frame({**chunk({}), "choices": [], "prompt_filter_results": [prompt]}),
        *(frame(chunk(delta, content_filter_results={})) for delta in deltas[: max(1, count - 4)]),
        *chat_end(chunk({}, content_filter_results={}), count, "tool_calls"),
    ]


def chat_padded(count: int, draw: Draw) -> list[bytes]:
    """Each frame is padded, so that its length does not show that of its token; one of ten paddings is empty."""
    chunk = chat(draw, model="small-chat-1", service_tier="default", system_fingerprint=f"fp_{letters(draw, 10)}")
    out = []
    for _ in range(count - 3):
        padding = "" if draw.random() < 0.1 else letters(draw, draw.randint(1, 12))
        out.append(frame({**chunk({"content": text(draw)}), "usage": None, "obfuscation": padding}))
    return [*out, *chat_end({**chunk({}), "usage": None, "obfuscation": letters(draw, 5)}, count)]


# --- Anthropic's messages ----------------------------------------------------------------------------------------


def named(document: dict[str, Any]) -> bytes:
    """Return a frame whose event is named as its payload's type."""
    return frame(document, document["type"])


def content_block(index: int, start: dict[str, Any], deltas: list[dict[str, Any]]) -> list[bytes]:
    """Return one content block of a message: its start, its deltas and its stop."""
    begin = {"type": "content_block_start", "index": index, "content_block": start}
    parts = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [named(begin), *map(named, parts), named({"type": "content_block_stop", "index": index})]


def message(draw: Draw, blocks: list[bytes]) -> list[bytes]:
    """Return a whole message around its content blocks."""
    usage = {"input_tokens": 42, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 4}
    facts = {"model": "small-message-1", "id": f"msg_{letters(draw, 24)}", "type": "message", "role": "assistant"}
    begin: dict[str, Any] = {**facts, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage}
    return [
        named({"type": "message_start", "message": begin}),
        named({"type": "ping"}),
        *blocks,
        named(end),
        named({"type": "message_stop"}),
    ]


def text_block(index: int, count: int, draw: Draw) -> list[bytes]:
    start = {"type": "text", "text": ""}
    return content_block(index, start, [{"type": "text_delta", "text": text(draw) + text(draw)} for _ in range(count)])


def tool_block(index: int, count: int, draw: Draw) -> list[bytes]:
    start = {"type": "tool_use", "id": f"toolu_{letters(draw, 24)}", "name": "write", "input": {}}
    pieces = arguments(draw, count)
    return content_block(index, start, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces])


def message_text(count: int, draw: Draw) -> list[bytes]:
    return message(draw, text_block(0, max(1, count - 6), draw))


def message_tool(count: int, draw: Draw) -> list[bytes]:
    """A short text, and then tool arguments in pieces."""
    return message(draw, [*text_block(0, count // 10, draw), *tool_block(1, max(1, count - count // 10 - 8), draw)])


def message_agent(count: int, draw: Draw) -> list[bytes]:
    """Thinking with its signature, a text, and one tool after the other."""
    third = max(1, (count - 14) // 3)
    thoughts: list[dict[str, Any]] = [{"type": "thinking_delta", "thinking": text(draw)} for _ in range(third)]
    thoughts.append({"type": "signature_delta", "signature": letters(draw, 300)})
    thinking = content_block(0, {"type": "thinking", "thinking": "", "signature": ""}, thoughts)
    tools = [*tool_block(2, max(1, third // 2), draw), *tool_block(3, max(1, third // 2), draw)]
    return message(draw, [*thinking, *text_block(1, third, draw), *tools])


# --- OpenAI's responses ------------------------------------------------------------------------------------------

REQUEST = {
    **dict.fromkeys(["error", "incomplete_details", "instructions", "max_output_tokens", "max_tool_calls", "user"]),
    "background": False,
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "top_p": 0.98,
    "truncation": "disabled",
    "tool_choice": "auto",
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "metadata": {},
    "reasoning": {"effort": "medium", "summary": None},
    "tools": [{"type": "function", "name": "write", "description": f"Write {WORDS}", "parameters": {"type": "object"}}],
}
"""What a response repeats of its request, three times."""


class Response:
    """Numbers and names the events of one response."""

    def __init__(self, draw: Draw) -> None:
        self._number = -1
        self._facts = {"id": f"resp_{letters(draw, 48)}", "object": "response", "created_at": 1757000000, **REQUEST}
        self._item = f"msg_{letters(draw, 48)}"

    def event(self, kind: str, **fields: Any) -> bytes:
        """Return the next event, numbered."""
        self._number += 1
        return named({"type": f"response.{kind}", **fields, "sequence_number": self._number})

    def whole(self, deltas: Callable[[Response, str], list[bytes]]) -> list[bytes]:
        """Return the whole response around the deltas of its one item."""
        item: dict[str, Any] = {
            "id": self._item,
            "type": "message",
            "status": "in_progress",
            "content": [],
            "role": "assistant",
        }
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        at = {"item_id": self._item, "output_index": 0, "content_index": 0}
        facts = {**self._facts, "status": "in_progress", "output": [], "usage": None}
        out = [self.event("created", response=facts), self.event("in_progress", response=facts)]
        out.append(self.event("output_item.added", item=item, output_index=0))
        out.append(self.event("content_part.added", **at, part=part))
        out += deltas(self, self._item)
        full = " ".join([WORDS] * (len(out) // 8 + 1))
        item = {**item, "status": "completed", "content": [{**part, "text": full}]}
        usage = {"input_tokens": 42, "output_tokens": len(out), "total_tokens": len(out) + 42}
        out.append(self.event("output_text.done", **at, text=full, logprobs=[]))
        out.append(self.event("content_part.done", **at, part={**part, "text": full}))
        out.append(self.event("output_item.done", item=item, output_index=0))
        done = {**facts, "status": "completed", "output": [item], "usage": usage}
        return [*out, self.event("completed", response=done)]


RESPONSE_ENDS = 8
"""The events of a response beside its deltas."""


def response_text(count: int, draw: Draw) -> list[bytes]:
    def deltas(response: Response, item: str) -> list[bytes]:
        at = {"content_index": 0, "item_id": item, "output_index": 0, "logprobs": []}
        return [
            response.event("output_text.delta", **at, delta=text(draw)) for _ in range(max(1, count - RESPONSE_ENDS))
        ]

    return Response(draw).whole(deltas)


def response_padded(count: int, draw: Draw) -> list[bytes]:
    """Padded as `chat_padded`."""

    def deltas(response: Response, item: str) -> list[bytes]:
        out = []
        for _ in range(max(1, count - RESPONSE_ENDS)):
            padding = "" if draw.random() < 0.1 else letters(draw, draw.randint(1, 14))
            at = {"content_index": 0, "delta": text(draw), "item_id": item, "logprobs": [], "obfuscation": padding}
            out.append(response.event("output_text.delta", **at, output_index=0))
        return out

    return Response(draw).whole(deltas)


def response_changing_ids(count: int, draw: Draw) -> list[bytes]:
    """Every delta of the one item names it otherwise, and is padded."""

    def deltas(response: Response, item: str) -> list[bytes]:
        out = []
        for _ in range(max(1, count - RESPONSE_ENDS)):
            at = {"content_index": 0, "item_id": letters(draw, 40), "output_index": 0, "logprobs": []}
            out.append(response.event("output_text.delta", **at, delta=text(draw), obfuscation=letters(draw, 6)))
        return out

    return Response(draw).whole(deltas)


def response_agent(count: int, draw: Draw) -> list[bytes]:
    """A reasoning item with its summary, the arguments of a call, and a short text."""
    third = max(1, (count - RESPONSE_ENDS - 8) // 3)

    def deltas(response: Response, item: str) -> list[bytes]:
        reasoning, call = f"rs_{letters(draw, 48)}", f"fc_{letters(draw, 48)}"
        thought = {"id": reasoning, "type": "reasoning", "encrypted_content": letters(draw, 600), "summary": []}
        summary = {"item_id": reasoning, "output_index": 0, "summary_index": 0}
        facts = {"id": call, "type": "function_call", "call_id": f"call_{letters(draw, 24)}", "name": "write"}
        pieces = arguments(draw, third)
        written = {"item_id": call, "output_index": 1}
        at = {"item_id": item, "output_index": 2, "content_index": 0, "logprobs": []}
        return [
            response.event("output_item.added", item=thought, output_index=0),
            response.event("reasoning_summary_part.added", **summary, part={"type": "summary_text", "text": ""}),
            *(response.event("reasoning_summary_text.delta", **summary, delta=text(draw)) for _ in range(third)),
            response.event("reasoning_summary_text.done", **summary, text=WORDS),
            response.event("output_item.done", item=thought, output_index=0),
            response.event("output_item.added", item={**facts, "status": "in_progress"}, output_index=1),
            *(response.event("function_call_arguments.delta", **written, delta=piece) for piece in pieces),
            response.event("function_call_arguments.done", **written, arguments="".join(pieces)),
            response.event("output_item.done", item={**facts, "arguments": "".join(pieces)}, output_index=1),
            *(response.event("output_text.delta", **at, delta=text(draw)) for _ in range(third)),
        ]

    return Response(draw).whole(deltas)


# --- the others --------------------------------------------------------------------------------------------------


def cohere(count: int, draw: Draw) -> list[bytes]:
    empty: dict[str, Any] = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    tokens = {"input_tokens": 42.0, "output_tokens": float(count)}
    content = {"delta": {"message": {"content": {"type": "text", "text": ""}}}}
    pieces = [{"delta": {"message": {"content": {"text": text(draw)}}}} for _ in range(max(1, count - 5))]
    return [
        named({"id": letters(draw, 36), "type": "message-start", "delta": {"message": empty}}),
        named({"type": "content-start", "index": 0, **content}),
        *(named({"type": "content-delta", "index": 0, **piece}) for piece in pieces),
        named({"type": "content-end", "index": 0}),
        named({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": tokens}}}),
        DONE,
    ]


def gemini(count: int, draw: Draw) -> list[bytes]:
    """Few and large events, with CRLF, counts that grow and text that is a sentence long."""
    out = []
    for number in range(1, count + 1):
        part = {"text": "".join(text(draw) for _ in range(12))}
        candidate = {"content": {"parts": [part], "role": "model"}, "index": 0}
        last = {"finishReason": "STOP"} if number == count else {}
        details = [{"modality": "TEXT", "tokenCount": 42}]
        usage = {"promptTokenCount": 42, "candidatesTokenCount": 12 * number, "totalTokenCount": 42 + 12 * number}
        document = {
            "candidates": [{**candidate, **last}],
            "usageMetadata": {**usage, "promptTokensDetails": details},
            "modelVersion": "small-model-1",
            "responseId": "K7hWaN3cBcyRxN8P",
        }
        out.append(frame(document).replace(b"\n", b"\r\n"))
    return out


def gemini_tool_call(count: int, draw: Draw) -> list[bytes]:
    """A call whose arguments come in parts, each with its own path."""
    parts: list[dict[str, Any]] = []
    for number in range(count - 1):
        more = {"willContinue": True} if number % 2 else {}
        part = {"jsonPath": f"$.lines[{number // 2}]", "stringValue": text(draw), **more}
        call = {"functionCall": {"partialArgs": [part], "willContinue": True}}
        parts.append({"content": {"role": "model", "parts": [call]}})
    parts.append({"content": {"role": "model", "parts": [{"functionCall": {}}]}, "finishReason": "STOP"})
    facts = {
        "usageMetadata": {"trafficType": "ON_DEMAND"},
        "modelVersion": "small-model-1",
        "responseId": "K7hWaN3cBcyRx",
    }
    return [frame({"candidates": [candidate], **facts}) for candidate in parts]


def completion_so_far(count: int, draw: Draw) -> list[bytes]:
    """Each event repeats the whole answer so far."""
    so_far, out = "", []
    for _ in range(count - 1):
        so_far = (so_far + text(draw))[-900:]
        out.append(frame({"completion": so_far, "stopReason": ""}, "completion"))
    return [*out, frame({}, "done")]


# --- the mixture -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """Streams of one shape: how to build one, and how many events each of them has."""

    api: str
    name: str
    build: Build
    lengths: tuple[int, ...]

    def scaled(self, scale: float) -> list[int]:
        """Return the lengths of the streams at a scale: long streams are shortened, of short ones there are fewer."""
        long = [max(LONG // 4, int(length * scale)) for length in self.lengths if length >= LONG]
        short = [length for length in self.lengths if length < LONG]
        wanted = max(1, round(len(short) * scale))
        return [*long, *short[:: max(1, len(short) // wanted)]]


TEXT_LENGTHS = (
    *(3645, 1249, 1105, 435, 235, 222, 213, 209, 186, 175, 160, 142, 112, 104, 102, 95, 87, 82, 79, 60, 44),
    *[36, 22, 20, 15] * 3,
    *[10, 8, 7, 6, 5, 5] * 6,
)
RESPONSE_LENGTHS = (117, 87, 77, 55, 48, 48, 36, 26, *[24, 23, 21, 19, 18] * 4)
CHAT_LENGTHS = (60, 57, 48, *[36, 31, 26, 22, 22, 20, 19, 16, 15] * 3, *[14, 12, 10, 9, 8, 8, 7, 6] * 5)
KINDS = [
    Kind("openai-chat", "text", chat_text, TEXT_LENGTHS),
    Kind("openai-chat", "text, with comments and repeated roles", chat_gateway, (2004, 169, 26, 20, 15, 8)),
    Kind("openai-chat", "shapes that alternate", chat_reasoning, (1968, 1816, 276, 186, 160, 149, 100, 31, 21)),
    Kind("openai-chat", "text twice", chat_text_twice, (1366, 983, 259, 129, 19, 19)),
    Kind("openai-chat", "text twice and a number", chat_token_ids, (403, 54, 21, 21, 21, 16)),
    Kind("openai-chat", "tool arguments", chat_tool_call, (54, 36, 29, 27, 21, 19, 16, *[14, 12, 10, 8] * 2)),
    Kind("openai-chat", "several shapes in a short stream", chat_agent, CHAT_LENGTHS),
    Kind("openai-chat", "padding, at times empty", chat_padded, (1224, 786, 259, 109, 75, 51, 48, 42, 20, 13)),
    Kind("anthropic", "tool arguments", message_tool, (984, 106, 69, 36, 33)),
    Kind("anthropic", "text", message_text, (67, 59, 36, 25, 20, *[10, 9, 8, 8] * 2)),
    Kind("anthropic", "several shapes in a short stream", message_agent, (51, 36, 30, 29, *[21, 19, 18, 17] * 3)),
    Kind("openai-responses", "text", response_text, (1757, 290, 98, 79, 49, 38, *[14, 12] * 2)),
    Kind("openai-responses", "padding, at times empty", response_padded, (373, 113, 51, 43, 24, *[20, 16, 11] * 4)),
    Kind("openai-responses", "several shapes in a short stream", response_agent, RESPONSE_LENGTHS),
    Kind("openai-responses", "ids that change", response_changing_ids, (282, 69)),
    Kind("cohere", "text", cohere, (351, 312, 51, 16, 10)),
    Kind("gemini-sse", "text", gemini, (36, 10, 6, 5, 5, 5, 4, 4, 4, 3, 3, 2, 2, 1, 1)),
    Kind("gemini-sse", "tool arguments", gemini_tool_call, (76, 16)),
    Kind("other", "the whole answer so far", completion_so_far, (193, 113, 26, 26, 18, 13, 12, 11, 10, *[2] * 20)),
]


def mixed_streams(scale: float = 1.0) -> list[tuple[Kind, list[bytes]]]:
    """Return every stream with its kind, one block a chunk; the same bytes on every machine."""
    streams = []
    for number, kind in enumerate(KINDS):
        draw = random.Random(SEED + number)
        streams += [(kind, kind.build(max(4, length), draw)) for length in kind.scaled(scale)]
    return streams
